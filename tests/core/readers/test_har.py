"""The requests of a HAR file: each listed, those to a track path read, the size of the file no matter."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.errors import ReadError
from intempt_core.fixes import apply_text_fixes, find_text_fix
from intempt_core.readers.pasted.chosen_requests import RequestChoiceError
from intempt_core.readers.pasted.har import MAX_HAR_BYTES, extract_har_requests, is_har
from intempt_core.readers.payload import locate_in_payload, read_payload
from intempt_core.readers.table import Document, read_table_or_document
from intempt_core.validation.check import check_events

URL = "https://api.intempt.com/v1/acme/projects/shop/sources/1001/track"
SHOP = "https://shop.example/"


def body(event_id: str = "e1", name: str = "Product viewed", product: str = "p1") -> str:
    event = {"eventId": event_id, "userId": "u1", "data": {"productId": product}}
    return json.dumps({"track": [{"name": name, "payload": [event]}]}, ensure_ascii=False)


def entry(url: str, posted: str | None = None, *, status: int = 201, content: str = "", **more: Any) -> dict[str, Any]:
    request: dict[str, Any] = {"method": "POST" if posted else "GET", "url": url, "headers": [], "cookies": []}
    if posted:
        request["postData"] = {"mimeType": "application/json", "text": posted}
    response = {"status": status, "headers": [], "content": {"size": len(content), "text": content}}
    return {"startedDateTime": "2022-10-01T10:00:00.000Z", "request": {**request, **more}, "response": response}


def har(*entries: dict[str, Any], indent: int | None = 2) -> str:
    log = {"version": "1.2", "creator": {"name": "WebInspector"}, "pages": [{"entries": [{"a": [1]}]}]}
    return json.dumps({"log": {**log, "entries": list(entries)}}, indent=indent, ensure_ascii=False)


MIXED = (entry(SHOP, status=200), entry(URL, body("a")), entry(f"{SHOP}graphql", "{}"), entry(URL, body("b"), status=0))


@pytest.mark.parametrize("indent", [None, 2])
def test_each_request_is_listed_and_those_to_a_track_path_are_read(indent: int | None) -> None:
    payload = read_payload(har(*MIXED, indent=indent))
    assert payload.recognised == "HAR file of 4 requests with 2 request bodies one after another, 2 events"
    assert [event.body["eventId"] for event in payload.events] == ["a", "b"]
    assert [(one.number, one.method, one.url, one.status, one.is_read) for one in payload.requests] == [
        (1, "GET", SHOP, "200", False),
        (2, "POST", URL, "201", True),
        (3, "POST", f"{SHOP}graphql", "201", False),
        (4, "POST", URL, "no response", True),
    ]
    assert f"The text holds 4 requests; 2 of them are read: 2, 4, to {URL}." in payload.notes


def test_one_request_can_be_chosen() -> None:
    payload = read_payload(har(*MIXED), request=4)
    assert [event.body["eventId"] for event in payload.events] == ["b"]
    with pytest.raises(RequestChoiceError, match="posts no body") as raised:
        read_payload(har(*MIXED), request=1)
    assert len(raised.value.requests) == 4


@given(st.text(st.characters(exclude_categories=["Cs"])), st.booleans())
def test_a_value_is_read_and_fixed_where_it_is_written(product: str, escaped: bool) -> None:
    """The body is JSON in JSON: a quote in it is written with three backslashes."""
    posted = body("a", "product viewed", product)
    text = json.dumps({"log": {"entries": [entry(SHOP), entry(URL, posted)]}}, ensure_ascii=escaped)
    payload = read_payload(text)
    (event,) = payload.events
    assert event.body["data"] == {"productId": product}
    line, column = locate_in_payload(payload, "/track/0/payload/0/userId")
    assert text.split("\n")[line - 1][column - 1 :].startswith('\\"u1\\"')
    issues = check_events(payload.events, None, payload.issues).issues()
    fixes = [fix for issue in issues if issue.code == "event_name" and (fix := find_text_fix(payload, issue))]
    assert apply_text_fixes(payload, fixes) == text.replace("product viewed", "Product viewed")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (har(), ["holds no requests"]),
        (har(entry(SHOP)), ["The request posts no body"]),
        (har(entry(SHOP), entry(SHOP)), ["None of the 2 requests goes to a track path"]),
        (har(entry(URL, method="POST")), ["does not hold the body"]),
        (har(entry(URL, postData={"params": [{"name": "a", "value": "b"}], "mimeType": "x"})), ["form"]),
        (har(entry(URL, postData={"text": "e30=", "encoding": "base64"})), ["base64"]),
        (har(entry(URL, "track=1"), entry(URL)), ["Request 1 of 2 cannot be read", "no JSON"]),
        ('{"log": {"entries": 5}}', ["no list “entries”"]),
        ('{"log": {}}', ["no list “entries”"]),
        (har(*MIXED)[:-5], ["brackets are open"]),
        ('{"log": {"entries": [5, {"request": 5}, {"response": []}]}}', ["None of the 3 requests"]),
    ],
)
def test_what_cannot_be_read_is_said(text: str, words: list[str]) -> None:
    with pytest.raises(ReadError) as raised:
        read_payload(text)
    for word in words:
        assert word in str(raised.value)


def test_data_that_has_a_log_is_data() -> None:
    assert read_payload('{"eventId": "e", "log": {"entries": []}}').events
    assert not is_har(b'{"eventId": "e", "log": {}}')


# ── large files ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("indent", [None, 2])
def test_of_a_large_file_the_requests_are_taken_out(indent: int | None) -> None:
    noise = '"}]{["entries": \\ \u00e9' * 50
    entries = [*MIXED, entry(URL, body("c", product=noise), content=noise), entry(SHOP, content=noise)]
    secret = {"name": "authorization", "value": "Basic c2VjcmV0"}
    entries[1]["request"]["headers"] = [secret]
    content = har(*entries, indent=indent).encode()
    assert is_har(content)
    text = extract_har_requests(content)
    assert "c2VjcmV0" not in text
    payload = read_payload(text)
    assert [event.body["eventId"] for event in payload.events] == ["a", "b", "c"]
    assert payload.events[2].body["data"] == {"productId": noise}
    assert [one.status for one in payload.requests] == ["200", "201", "201", "no response", "201", "201"]
    entries[1]["request"]["headers"] = []


@given(st.data())
def test_a_file_that_is_cut_or_damaged_is_a_sentence(data: st.DataObject) -> None:
    content = bytearray(har(*MIXED, indent=data.draw(st.sampled_from([None, 1]))).encode())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        said = extract_har_requests(bytes(content)) and "."
    except ReadError as error:
        said = str(error)
    assert said.endswith(".")


def test_a_file_beyond_the_bound_is_a_sentence() -> None:
    with pytest.raises(ReadError, match=r"up to 250,000,000 are read.*filter for “track”"):
        extract_har_requests(bytes(MAX_HAR_BYTES + 1))


# ── mailboxes ────────────────────────────────────────────────────────────────────────────────────────────────────────

MAIL = """From anna@shop.example Sat Oct  1 10:00:00 2022
Return-Path: <anna@shop.example>
Received: from mail.shop.example (10.0.0.1)
Message-ID: <1@shop.example>
From: Anna <anna@shop.example>
Subject: It doesn't work

Hello, it's "broken". My password: hunter2-of-the-shop-9

"""


@pytest.mark.parametrize("count", [1, 3, 20_000])
@pytest.mark.parametrize("command", ["", f"curl -u a:b {URL} -d '{{}}'\n"])
def test_a_mailbox_is_said_to_be_one(count: int, command: str) -> None:
    with pytest.raises(ReadError) as raised:
        read_payload(MAIL * count + command)
    said = str(raised.value)
    assert ("an e-mail" if count == 1 else f"a mailbox of {count:,} messages") in said
    assert ("“curl” is in line " in said) == bool(command)
    assert raised.value.line == (9 * count + 1 if command else None)
    assert "hunter2" not in said


def test_a_request_with_headers_of_its_own_is_no_mail() -> None:
    command = f"curl {URL} \\\n-H 'From: a@shop.example' \\\n-H 'Date: now' -d '{body()}'"
    assert read_payload(command).events


@pytest.mark.parametrize("name", ["shop.har", "shop.json"])
@pytest.mark.parametrize("padding", ["", "x" * 1_500_000], ids=["small", "large"])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_file_of_any_size_is_read_as_its_requests(name: str, padding: str, indent: int | None) -> None:
    content = har(*MIXED, entry(SHOP, content=padding), indent=indent).encode()
    document = read_table_or_document(content, name=name)
    assert isinstance(document, Document)
    assert [event.body["eventId"] for event in document.payload.events] == ["a", "b"]
    assert any("Only the requests of the HAR file are read" in note for note in document.notes) == bool(padding)
    assert any("The text holds 5 requests; 2 of them are read: 2, 4" in note for note in document.notes)
