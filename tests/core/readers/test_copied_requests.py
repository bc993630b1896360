"""Requests that a text holds are read, or a sentence says truly what they send instead."""

import json

import pytest

from intempt_core.errors import ReadError
from intempt_core.fixes import apply_text_fixes, find_text_fix
from intempt_core.readers.pasted.chosen_requests import RequestChoiceError
from intempt_core.readers.payload import locate_in_payload, read_payload
from intempt_core.validation.check import check_events

URL = "https://api.intempt.com/v1/acme/projects/shop/sources/1001/track"
OTHER = "https://shop.example/graphql"


def body(event_id: str = "e1", name: str = "Product viewed") -> str:
    event = {"eventId": event_id, "userId": "u1", "data": {"productId": "p1"}}
    return json.dumps({"track": [{"name": name, "payload": [event]}]}, separators=(",", ":"))


def event_ids(text: str, request: int | None = None) -> list[object]:
    return [event.body["eventId"] for event in read_payload(text, request=request).events]


# ── what cURL sends that is no body of JSON ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (f"-d '{body()}' -d '{body()}'", ["2 pieces", "“&”", "--next"]),
        (f"-d '{body()}' --data-raw '{body()}' --data-binary '{body()}'", ["3 pieces"]),
        (f"-G -d '{body()}'", ["-G", "into the address", "GET"]),
        (f"--get --data-raw '{body()}'", ["-G", "into the address"]),
        (f"-sG -d '{body()}'", ["-G", "into the address"]),
        (f"-G --data-urlencode 'json={body()}'", ["-G", "into the address"]),
        (f"--data-urlencode 'json={body()}'", ["--data-urlencode", "field of a form", "%7B", "--data-raw"]),
        (f"--data-urlencode '{body()}'", ["--data-urlencode", "%7B"]),
        (f"--data-urlencode '={body()}'", ["--data-urlencode"]),
        (f"--data-urlenc 'json={body()}'", ["--data-urlencode"]),
        (f"-F 'json={body()};type=application/json'", ["multipart/form-data", "-F", "--data-raw"]),
        (f"--form 'json={body()}'", ["multipart/form-data"]),
        (f"--form-string 'json={body()}'", ["multipart/form-data"]),
        ("-F file=@events.json", ["multipart/form-data"]),
        ("-T events.json", ["the file events.json, which is not here"]),
        ("-d @events.json", ["the file events.json, which is not here"]),
        ("--json @-", ["what is piped into the command, which is not here"]),
        ('-d "$BODY"', ["in the variable BODY"]),
        ('-d "$(cat events.json)"', ["is made by $(cat events.json)"]),
        ("-X POST", ["posts no body"]),
        ("-d ''", ["posts no body"]),
    ],
)
def test_a_request_without_a_body_of_json_is_said_truly(options: str, words: list[str]) -> None:
    for command in (f"curl '{URL}' {options}", f"curl {options} '{URL}'"):
        with pytest.raises(ReadError) as raised:
            read_payload(command)
        for word in words:
            assert word in str(raised.value)
        assert str(raised.value).endswith(".")


def test_a_variable_that_the_text_gives_is_read() -> None:
    assert event_ids(f"BODY='{body('v1')}'\ncurl {URL} -d \"$BODY\"") == ["v1"]
    assert event_ids(f"export BODY='{body('v2')}'; curl {URL} --data-raw \"${{BODY}}\"") == ["v2"]


# ── several requests ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_request_of_next_is_read() -> None:
    payload = read_payload(f"curl '{URL}' -d '{body('e1')}' --next '{URL}' -d '{body('e2')}'")
    assert [event.body["eventId"] for event in payload.events] == ["e1", "e2"]
    assert payload.recognised == "cURL command with 2 request bodies one after another, 2 events"
    assert any("2 requests; 2 of them are read: 1, 2" in note for note in payload.notes)
    assert [(one.number, one.method, one.url, one.is_read) for one in payload.requests] == [
        (1, "POST", URL, True),
        (2, "POST", URL, True),
    ]
    line, column = locate_in_payload(payload, "/1/track/0/payload/0/eventId")
    assert payload.text.split("\n")[line - 1][column - 1 :].startswith('"e2"')


@pytest.mark.parametrize("join", [" --next ", " -: ", " ;\ncurl ", "\ncurl ", " && curl ", " &\r\ncurl "])
def test_several_commands_are_read_in_their_order(join: str) -> None:
    parts = [f"{URL} -d '{body(name)}'" for name in ("a", "b", "c")]
    assert event_ids("curl " + join.join(parts)) == ["a", "b", "c"]


def test_only_requests_to_a_track_path_are_read_by_themselves() -> None:
    text = f"curl {OTHER} -d '{{\"query\":1}}' ;\ncurl {URL}?x=1 -d '{body()}' ;\ncurl {URL} -d 'no' ;\ncurl {URL}"
    payload = read_payload(text)
    assert event_ids(text) == ["e1"]
    assert [(one.is_read, one.method) for one in payload.requests] == [
        (False, "POST"),
        (True, "POST"),
        (False, "POST"),
        (False, "GET"),
    ]
    assert payload.requests[0].remark == "goes to no track path"
    assert any(note.startswith("Request 3 is not read. Its body is no JSON") for note in payload.notes)
    assert any(note.startswith("Request 4 is not read. The command posts no body") for note in payload.notes)


def test_a_person_can_choose_one_request() -> None:
    text = f"curl {OTHER} -d '{body('other')}'\ncurl {URL} -d '{body('ours')}'"
    assert event_ids(text) == ["ours"]
    assert event_ids(text, request=1) == ["other"]
    with pytest.raises(ReadError, match="There is no request 3: the text holds 2 requests"):
        read_payload(text, request=3)


def test_where_none_goes_to_a_track_path_a_person_chooses() -> None:
    text = f"curl {OTHER} -d '{body('a')}'\ncurl {OTHER} -d '{body('b')}'"
    with pytest.raises(RequestChoiceError, match="None of the 2 requests goes to a track path") as raised:
        read_payload(text)
    assert [one.number for one in raised.value.requests] == [1, 2]
    assert event_ids(text, request=2) == ["b"]


def test_two_addresses_of_one_request_are_said() -> None:
    payload = read_payload(f"curl {URL} {URL} -d '{body()}'")
    assert len(payload.events) == 1
    assert any("the same to 2 addresses" in note for note in payload.notes)


def test_a_fix_in_one_of_several_requests_stays_in_its_quotes() -> None:
    text = f"curl '{URL}' -d '{body('e1')}' --next '{URL}' -d '{body('e2', 'product viewed')}'"
    payload = read_payload(text)
    (issue,) = check_events(payload.events, None, payload.issues).issues()
    fix = find_text_fix(payload, issue)
    assert fix is not None
    assert apply_text_fixes(payload, [fix]) == text.replace("product viewed", "Product viewed")
