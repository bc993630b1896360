"""Requests copied as PowerShell and as ``fetch`` are read as what they send, or it is said why they are not."""

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intempt_core.errors import ReadError
from intempt_core.fixes import apply_text_fixes, find_text_fix
from intempt_core.readers.payload import locate_in_payload, read_payload
from intempt_core.validation.check import check_events

URL = "https://api.intempt.com/v1/acme/projects/shop/sources/1001/track"
EVENT = {"eventId": "e1", "userId": "u1", "data": {"productId": "p1", "price": 12.5}}
BODY = json.dumps({"track": [{"name": "Product viewed", "payload": [EVENT]}]}, separators=(",", ":"))

QUOTED_ID = '"e1"'
LITERAL = """{track: [{name: 'Product viewed', payload: [{eventId: `e1`, /* u */ 'userId': "u1",
  data /* c */ : { productId // x'
  : 'p1', price: 12.5, }, }] }] }"""

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | (
    st.lists(st.sampled_from(list("\\\"'`$%(){}@#;|&<>\n\r\t ae\u2018\u201c\u00e9\U0001f600")), max_size=15).map(
        "".join
    )
)


# ── as they are copied ───────────────────────────────────────────────────────────────────────────────────────────────


def powershell(text: str) -> str:
    """What Chrome writes: signs beyond ASCII by their UTF-16 codes."""
    text = re.sub(r"[`$\"]", r"`\g<0>", text)
    units = text.encode("utf-16-le")
    made = [int.from_bytes(units[at : at + 2], "little") for at in range(0, len(units), 2)]
    return '"' + "".join(chr(unit) if 0x20 <= unit <= 0x7E else f"$([char]{unit})" for unit in made) + '"'


def copy_as_powershell(body: str) -> str:
    written = powershell(body)
    data = written if body.isascii() and body.isprintable() else f"([System.Text.Encoding]::UTF8.GetBytes({written}))"
    return f"""$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession
$session.UserAgent = "Mozilla/5.0 (X11; Linux x86_64) curl irm"
$session.Cookies.Add((New-Object System.Net.Cookie("sid", "a'b", "/", "api.intempt.com")))
Invoke-WebRequest -UseBasicParsing -Uri "{URL}" `
-Method "POST" `
-WebSession $session `
-Headers @{{
"accept"="*/*"
  "sec-ch-ua"="`"Chromium`";v=`"138`""
}} `
-ContentType "application/json" `
-Body {data}"""


def copy_as_fetch(body: str) -> str:
    options = {"headers": {"accept": "*/*"}, "referrer": "https://shop.example/", "body": body, "method": "POST"}
    return f'fetch("{URL}", {json.dumps({**options, "mode": "cors"}, indent=2, ensure_ascii=False)});'


def write_for_curl_exe(body: str) -> str:
    data = body.replace("'", "''")
    return f"curl.exe -X POST '{URL}' `\n -H 'Content-Type: application/json' `\n -d '{data}'"


COPIES = {"PowerShell": copy_as_powershell, "fetch": copy_as_fetch, "curl.exe": write_for_curl_exe}


@pytest.mark.parametrize("form", COPIES)
@given(TEXTS)
@example("it's \u2018 \u201d")
@example("\x7f)")
def test_what_is_copied_is_read_back(form: str, text: str) -> None:
    body = json.dumps({"name": "product viewed", **EVENT, "data": {"productId": text}}, ensure_ascii=form == "curl.exe")
    payload = read_payload(COPIES[form](body))
    (event,) = payload.events
    assert event.body["data"] == {"productId": text}
    assert payload.source.value == body
    assert [(one.url, one.method) for one in payload.requests] == [(URL, "POST")]
    issues = check_events(payload.events, None, payload.issues).issues()
    fixes = [fix for issue in issues if issue.code == "event_name" and (fix := find_text_fix(payload, issue))]
    assert apply_text_fixes(payload, fixes) == payload.text.replace("product viewed", "Product viewed")


@pytest.mark.parametrize(
    ("form", "join"), [("PowerShell", ";\r\n"), ("fetch", " ;\n"), ("curl.exe", "\n"), ("curl.exe", ";\n")]
)
def test_all_that_were_copied_together_are_read(form: str, join: str) -> None:
    bodies = [BODY.replace("e1", name) for name in ("a", "b")]
    payload = read_payload(join.join(COPIES[form](body) for body in bodies))
    assert [event.body["eventId"] for event in payload.events] == ["a", "b"]
    assert payload.recognised.endswith("with 2 request bodies one after another, 2 events")


# ── as a person writes them ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "script",
    [
        f"Invoke-RestMethod -Uri '{URL}' -Method Post -ContentType 'application/json' -Body '{BODY}'",
        f"$r = irm {URL} -Method POST -Body '{BODY}'\n$r.Content",
        f"iwr '{URL}' -Method:Post -Body:'{BODY}'",
        f"$body = '{BODY}'\n$uri = \"{URL}\"\nInvoke-RestMethod $uri -Method Post -Body $body",
        f"$body = @'\n{BODY}\n'@\nInvoke-RestMethod -Uri {URL} -Method Post -Body $body",
        f'$id = "e1"\n$body = @"\n{BODY.replace("e1", "$id")}\n"@\nirm -Uri {URL} -Method Post -Body $body',
        f"$p = @{{ Uri = '{URL}'; Method = 'POST'; Body = '{BODY}' }}\nInvoke-RestMethod @p",
        f"[Net.ServicePointManager]::SecurityProtocol = 'Tls12'\nirm {URL} -Method Post -Body '{BODY}'",
        f"curl -Uri '{URL}' -Method POST -Body '{BODY}'",
        f"Invoke-RestMethod -Uri '{URL}' -Method Post -Body ('{BODY[:20]}' + '{BODY[20:]}') | ConvertTo-Json",
        f"# once more\nirm '{URL}' <# here #> -Method Post -Body ([Text.Encoding]::UTF8.GetBytes('{BODY}'))",
        f"try {{ irm '{URL}' -Method Post -Body '{BODY}' }} catch {{ \"it's gone\" }}",
        f"fetch('{URL}', {{method: 'POST', body: '{BODY}'}})",
        f"const res = await fetch(`{URL}`, {{ method: 'POST', body: `{BODY}`, }}).then(r => r.json())",
        f"const body = '{BODY}';\nconst url = '{URL}'\nfetch(url, {{ method: 'POST', body }})",
        f"fetch('{URL}', {{method: 'POST', body: JSON.stringify({BODY})}})",
        f"const data = {BODY};\nfetch('{URL}', {{method: 'POST', body: JSON.stringify(data)}})",
        f"fetch('{URL}', {{method: 'POST', body: JSON.stringify({BODY}, null, 2)}})",
        f"fetch('{URL}', {{method: 'POST', body: JSON.stringify({LITERAL})}})",
        f"var id = 'e1'\nfetch('{URL}', {{method: 'POST', body: JSON.stringify({BODY.replace(QUOTED_ID, 'id')})}})",
        f"fetch('{URL}', {{method: 'POST', body: '{BODY[:20]}' +\n '{BODY[20:]}'}})",
        f"curl.exe '{URL}' --% -d \"{BODY.replace(chr(34), chr(92) + chr(34))}\"",
        f"$b = '{BODY}'\ncurl.exe '{URL}' -d $b",
        f"curl.exe '{URL}' `\n -d '{BODY.replace(chr(34), chr(92) + chr(34))}'",
        f'curl.exe "{URL}" `\n -d "{BODY.replace(chr(34), chr(96) + chr(34))}"',
    ],
)  # fmt: skip
def test_a_script_that_a_person_wrote_is_read(script: str) -> None:
    payload = read_payload(script)
    (event,) = payload.events
    assert (event.name, event.body) == ("Product viewed", EVENT)
    assert [one.url for one in payload.requests] == [URL]
    line, column = locate_in_payload(payload, "/track/0/payload/0/userId")
    assert payload.text.split("\n")[line - 1][column - 1 :].lstrip('\\`"')[:2] == "u1"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("irm URL -Method Post -Body (@{a=1} | ConvertTo-Json)", ["ConvertTo-Json", "without -Depth", "two levels"]),
        ("$b = @{a=1} | ConvertTo-Json -Depth 9\nirm URL -Method Post -Body $b", ["is made by ConvertTo-Json"]),
        ("irm URL -Method Post -Body @{a=1}", ["is a table", "form"]),
        ("irm URL -Method Post -Body $b", ["in the variable $b, which is not given here"]),
        ('irm URL -Method Post -Body "{`"a`": $x}"', ["holds the variable $x"]),
        ("irm URL -Method Post -Body (Get-Content b.json)", ["read from a file"]),
        ("irm URL -Method Post -InFile b.json", ["the file b.json"]),
        ("irm URL -Method Post -Form @{a=1}", ["multipart/form-data"]),
        ("irm URL", ["posts no body", "-Body"]),
        ("irm URL -Method Post -Body ('{0}' -f $x)", ["is made by -f"]),
        ("fetch('URL')", ["posts no body", "body:"]),
        ("fetch('URL', {method: 'POST', body: null})", ["posts no body"]),
        ("fetch('URL', {method: 'POST', body})", ["in the variable body"]),
        ("fetch('URL', {method: 'POST', body: {a: 1}})", ["[object Object]", "JSON.stringify"]),
        ("fetch('URL', {method: 'POST', body: new FormData(f)})", ["FormData", "form"]),
        ("fetch('URL', {method: 'POST', body: new URLSearchParams({a: 1})})", ["URLSearchParams", "form"]),
        ("fetch('URL', {method: 'POST', body: JSON.stringify({a: uuid()})})", ["holds uuid"]),
        ("fetch('URL', {method: 'POST', body: `{\"a\": \"${id}\"}`})", ["holds ${id}"]),
        ("fetch('URL', options)", ["in the variable options"]),
        ("fetch('URL', {method: 'POST', body: '{", ["never closed"]),
    ],
)
def test_what_only_the_script_could_tell_is_said(script: str, words: list[str]) -> None:
    with pytest.raises(ReadError) as raised:
        read_payload(script.replace("'URL'", f"'{URL}'").replace("irm URL", f"irm {URL}"))
    for word in words:
        assert word in str(raised.value)
    assert str(raised.value).endswith(".")


def test_what_an_older_powershell_does_to_quotes_is_said() -> None:
    keeps = read_payload(write_for_curl_exe(BODY)).notes
    assert any("7.2" in note and "takes the double quotes out" in note for note in keeps)
    takes = read_payload(write_for_curl_exe(BODY.replace('"', '\\"'))).notes
    assert any("the backslashes are sent, too" in note for note in takes)


def test_doubled_apostrophes_are_read_as_the_shell_reads_them() -> None:
    doubled = BODY.replace("p1", "it''s")
    (event,) = read_payload(f"curl.exe '{URL}' -d '{doubled}'").events
    assert event.body["data"]["productId"] == "it's"
    payload = read_payload(f"curl '{URL}' -d '{doubled}'")
    assert payload.events[0].body["data"]["productId"] == "its"
    assert any("PowerShell makes one apostrophe of it" in note for note in payload.notes)


@given(
    st.lists(
        st.sampled_from(
            [*"\"'`$(){}[]@#;|&=,:+-.\\\n ", "irm ", "-Body ", "-Uri ", "fetch(", "body", "JSON.stringify(", "@'\n",
             "\n'@", "$b", "const b=", "${", "$(", "{}", "curl.exe ", "-d ", "--% "]
        ),
        max_size=30,
    ).map("".join)
)  # fmt: skip
def test_any_script_is_read_or_rejected_with_a_sentence(text: str) -> None:
    for script in (text, f"irm {text}", f"fetch('u', {text}", f"curl.exe `\n{text}"):
        try:
            sentence = read_payload(script).recognised
        except ReadError as error:
            sentence = str(error)
        assert sentence
