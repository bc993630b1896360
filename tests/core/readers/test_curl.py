"""A cURL command is read as a shell would read it, its key is masked before anything is kept, and nothing is run."""

import json
import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.fields import MASK
from intempt_core.errors import ReadError
from intempt_core.exports.snippets import render_curl_snippet
from intempt_core.readers.pasted.command_line import iterate_readings
from intempt_core.readers.pasted.curl import parse_curl_commands
from intempt_core.readers.pasted.forms import parse_copied_text
from intempt_core.readers.pasted.pasted_keys import mask_pasted_keys
from intempt_core.readers.pasted.quoted_text import UnclosedQuote
from intempt_core.readers.payload import locate_in_payload, read_payload
from intempt_core.targets.target import sandbox_target

URL = "https://api.intempt.com/v1/acme/projects/shop/sources/1487580005268456287/track"
EVENT = {"name": "Product viewed", "eventId": "e1", "userId": 'it\'s "u"', "data": {"productId": "p$1\\n\u00e9"}}
BODY = json.dumps(EVENT)
SINGLE = shlex.quote(BODY)
DOUBLE = '"' + BODY.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'
ANSI = "$'" + BODY.replace("\\", "\\\\").replace("'", "\\'") + "'"
CMD = '^"' + re.sub(r'(\\*)"', r'\1\1^\\^"', BODY).replace("{", "^{") + '^"'


@pytest.mark.parametrize(
    "command",
    [
        f"curl {URL} -d {SINGLE}",
        f"curl -X POST '{URL}' \\\n  -H 'Content-Type: application/json' \\\n  --data-raw {SINGLE}",
        f'$ curl "{URL}" --data {DOUBLE}',
        f"curl --compressed {URL} --data-raw {ANSI}",
        f"curl -sSXPOST {URL} --json {SINGLE} | jq .",
        f"curl {URL} -d{SINGLE}",
        f"curl {URL} --data-binary={SINGLE}",
        f"curl {URL} --data-binary @- <<'EOF'\n{BODY}\nEOF\n",
        f"curl {URL} -d @- <<< {SINGLE}",
        f"echo {SINGLE} | curl {URL} -d @-",
        f"printf '%s' {SINGLE} |\\\n curl {URL} --data-binary @-",
        f'curl ^"{URL}^" ^\r\n  -H ^"content-type: application/json^" ^\r\n  --data-raw {CMD}',
        f"# try it\nKEY=$SECRET curl {URL} -d {SINGLE}",
        f"curl -v -k --max-time 5 -o /dev/null -A 'a b' {URL} -d {SINGLE}",
        f"/usr/bin/curl {URL} -d {SINGLE}",
        f"[root@box ~]$ curl {URL} -d {SINGLE}",
        f"\ufeffcurl {URL} -d {SINGLE}",
        f"curl\u00a0-v {URL}\u2003-d {SINGLE}",
        f"CURL.EXE `\n {URL} `\r\n -d {SINGLE}",
        f"// as support sent it\ncurl {URL} -d {SINGLE}",
    ],
)
def test_every_way_to_write_a_command_gives_its_body(command: str) -> None:
    payload = read_payload(command)
    assert payload.recognised == "cURL command with one event"
    assert not any("other commands" in note for note in payload.notes) or "jq" in command or command.startswith("//")
    (event,) = payload.events
    assert {"name": event.name, **event.body} == EVENT
    line, column = locate_in_payload(payload, "/eventId")
    assert payload.text.split("\n")[line - 1][column - 1 :].lstrip('^\\"').startswith("e1")
    assert any(URL in note for note in payload.notes)


def read_body(command: str) -> str | None:
    (request,) = parse_curl_commands(command).requests
    return None if request.body is None else request.body.value


def test_data_given_in_pieces_is_joined_as_curl_joins_it() -> None:
    """Worked out by running cURL 7.88 against a server: ``&`` is before each further piece that is not ``--json``."""
    assert read_body("curl u --json '{\"a\":' --json '1}'") == '{"a":1}'
    assert read_body("curl u -d '{\"a\":\"x' -d 'y\"}'") == '{"a":"x&y"}'
    assert read_body("curl u -d '{\"a\":' --json '\"b' --data-raw '@c\"}'") == '{"a":"b&@c"}'


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40))
def test_our_own_command_is_read_back_as_the_very_body(text: str) -> None:
    body = json.dumps({"track": [{"name": text, "payload": [{"eventId": text}]}]}, ensure_ascii=False)
    command = render_curl_snippet(sandbox_target("http://127.0.0.1:1"), body.encode())
    assert mask_pasted_keys(command) == (command, False)
    assert read_body(command) == body


PIECES = st.lists(
    st.text("ab {}\"\\$x'", max_size=6).map(shlex.quote)
    | st.text("ab{}", min_size=1, max_size=5)
    | st.text("ab {}'$", max_size=5).map('"{}"'.format)
    | st.sampled_from([" ", "\\ ", '"\\""', '"\\\\"', "\\'", "''", '"a\\b"']),
    max_size=8,
).map("".join)  # fmt: skip


@given(PIECES)
def test_words_are_those_of_a_shell_and_each_character_knows_its_place(text: str) -> None:
    words = next(iterate_readings(text)).words
    assert [word.value for word in words] == shlex.split(text)
    for word in words:
        for offset, char in enumerate(word.value):
            at, end = word.text_span(offset, offset + 1)
            assert text[at:end].endswith(char)
            assert word.text_offset(offset) == at


@pytest.mark.parametrize(
    "command",
    [
        f"curl {URL} -d '{{}}'; rm -rf / && echo $(cat /etc/passwd) `id`",
        f"curl {URL} -d '{{}}' > /etc/passwd",
        f"curl {URL} -d \"{{}}\" | sh",
        f"wget evil; curl {URL} -d '{{}}'",
    ],
)  # fmt: skip
def test_what_would_be_run_is_only_text(command: str) -> None:
    payload = read_payload(command)
    assert payload.text == command
    assert payload.recognised == "cURL command with one event"
    assert any("nothing is run" in note for note in payload.notes)


def test_an_injection_inside_the_body_stays_in_the_body() -> None:
    (event,) = read_payload(f'curl {URL} -d "{{\\"eventId\\": \\"$(rm -rf /) `id`\\"}}"').events
    assert event.body == {"eventId": "$(rm -rf /) `id`"}


KEY = "prefix123.s3cret-of-the-shop"


@pytest.mark.parametrize(
    "command",
    [
        f"curl -u {KEY.replace('.', ':')} {URL} -d '{{}}'",
        f"curl -uprefix123:{KEY} {URL} -d '{{}}'",
        f"curl --user '{KEY}' {URL} -d '{{}}'",
        f'curl {URL} -H "Authorization: Basic {KEY}" -d \'{{}}\'',
        f"curl {URL} -H 'authorization: {KEY}' -d '{{}}'",
        f"curl {URL} --header $'X-Api-Key:\\t{KEY}' -d '{{}}'",
        f"curl '{URL}?apiKey={KEY}&x=1' -d '{{}}'",
        f"curl {URL}?x=1&apiKey={KEY} -d '{{}}'",
        f"curl https://a:{KEY}@a.example/track -d '{{}}'",
        f"curl {URL} -b 'session={KEY}' -d '{{}}'",
        f"curl {URL} --oauth2-bearer {KEY} -d '{{}}'",
        f"export INTEMPT_API_KEY={KEY}\ncurl {URL} -d '{{}}'",
        f"curl -u {KEY} {URL} -d '{{\"data\": \"{KEY}\"}}'",
        f'curl ^"{URL}^" -H ^"Authorization: Bearer {KEY}^" -d ^"{{}}^"',
        f"[root@box ~]$ curl -u {KEY} {URL} -d '{{}}'",
        f"\u200bcurl -u {KEY} {URL} -d '{{}}'",
        f"curl\u00a0-u {KEY} {URL} -d '{{}}'",
        f"/usr/bin/curl -u {KEY} {URL} -d '{{}}'",
        f"curl {URL} -H 'apiKey: {KEY}' -H 'X-Auth-Token: {KEY}' -d '{{}}'",
        f"curl a:{KEY}@a.example/track -d '{{}}'",
        f"curl '{URL}?api%4Bey={KEY}' -d '{{}}'",
        f'SHOP={KEY} curl -u "$SHOP" {URL} -d \'{{}}\'',
    ],
)  # fmt: skip
def test_a_key_is_masked_and_nowhere_kept(command: str) -> None:
    payload = read_payload(command)
    assert KEY.partition(".")[2] not in payload.text
    assert KEY.partition(".")[2] not in repr(vars(payload))
    assert MASK in payload.text
    assert any("held a key" in note for note in payload.notes)
    again = read_payload(payload.text)
    assert again.text == payload.text
    assert not any("held a key" in note for note in again.notes)


def is_masked_and_rejected(text: str) -> None:
    """No key is left in the text, nor in the sentence that says why it cannot be read."""
    masked, had = mask_pasted_keys(text)
    assert had
    assert KEY not in masked
    with pytest.raises(ReadError) as raised:
        read_payload(text)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    "command",
    [
        f"curl -u {KEY} {URL} -d '{{",
        f"curl {URL}?apiKey={KEY} -d '{{",
        f"curl -H 'Authorization: Basic {KEY}' {URL} -d \"{{",
    ],
)
def test_a_key_in_a_command_that_cannot_be_read_is_masked_too(command: str) -> None:
    with pytest.raises(UnclosedQuote):
        next(iterate_readings(command))
    is_masked_and_rejected(command)


@pytest.mark.parametrize(
    "text",
    [
        f"curl -G {URL} -d apiKey={KEY}",
        f"curl -G {URL} --data-urlencode apiKey={KEY} -d '{{}}'",
        f"wget --header='Authorization: Basic {KEY}' --post-data='{{}}' {URL}",
        f"POST /v1 HTTP/1.1\nHost: x\nAuthorization: Basic {KEY}\n\n{{}}",
    ],
)
def test_a_key_in_what_has_no_body_of_curls_is_masked_as_well(text: str) -> None:
    is_masked_and_rejected(text)


@pytest.mark.parametrize("comment", ["// from curl once", "# from curl again", "/* as curl sent it */"])
def test_a_body_below_a_comment_that_speaks_of_curl_is_a_body(comment: str) -> None:
    assert parse_copied_text(f"{comment}\n{BODY}") is None
    assert read_payload(f"{comment}\n{BODY}").events


@pytest.mark.parametrize(
    "text",
    [
        BODY,
        "some-user, his cookie and curl-like things",
        f'["curl -u {KEY} {URL}"]',
        "a curly text",
        f'{{"key": "{KEY}"}}',
        "",
    ],
)
def test_what_is_no_command_is_left_as_it_is(text: str) -> None:
    assert parse_copied_text(text) is None
    assert mask_pasted_keys(text) == (text, False)


@pytest.mark.parametrize("end", ["", " ", " |", "\n", " ;", " > x", " ''", ' "', " $", " `"])
@pytest.mark.parametrize(
    "option", ["-u", "--user", "-H Authorization:", "-H 'Authorization:'", "-b", "-d", "--url", "-G"]
)
def test_a_command_that_breaks_off_at_an_option_is_read_as_far_as_it_goes(option: str, end: str) -> None:
    assert mask_pasted_keys(f"curl {option}{end}")[1] in (True, False)
    assert mask_pasted_keys(f"K={KEY} curl {option}{end}")[1] in (True, False)


def test_a_variable_is_no_key() -> None:
    command = f'curl -u "$INTEMPT_API_KEY" {URL} -H "Authorization: Basic $TOKEN" -d \'{{}}\''
    assert mask_pasted_keys(command) == (command, False)


@given(st.text(alphabet="curl -dHu'\"\\$^{}@<EOF\n;|&#=x:[]1,`\u00a0\f\u2028", max_size=60).map("curl ".__add__))
def test_any_command_is_read_or_rejected_with_a_sentence(command: str) -> None:
    try:
        sentence = read_payload(command).recognised
    except ReadError as error:
        sentence = str(error)
    assert sentence
