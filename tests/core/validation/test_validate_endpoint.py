"""``POST /validate`` over real HTTP: the report of ``check``, whatever it is sent, and nothing is stored."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import jsonschema_rs
import pytest

from intempt_core.cli import main
from intempt_core.sandbox import NeighbouringApi, run_sandbox
from intempt_core.validation import (
    ValidationLimits,
    build_report_schema,
    build_validate_paths,
    build_validate_schemas,
    create_validate_route,
)

JSON = {"content-type": "application/json"}
LINES = {"content-type": "application/x-ndjson"}
GOOD = {"name": "Product viewed", "eventId": "e1", "userId": "u1", "data": {"productId": "p1"}}
BAD = {"name": "Product viewed", "eventId": "e2", "userId": "u1", "timestamp": 5, "data": {"productId": ""}}
TRACK = {"track": [{"name": "Product viewed", "payload": [{key: BAD[key] for key in BAD if key != "name"}]}]}


def serve(folder: Path, limits: ValidationLimits) -> Any:
    route = create_validate_route(limits)
    beside = NeighbouringApi(build_validate_paths(), build_validate_schemas(), [route])
    return run_sandbox(folder / "sandbox.sqlite3", beside=beside)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(tmp_path_factory.mktemp("sandbox"), ValidationLimits()) as url:
        yield url


def post(url: str, body: bytes | str, headers: dict[str, str] | None = None, query: str = "") -> httpx.Response:
    content = body.encode() if isinstance(body, str) else body
    return httpx.post(f"{url}/validate{query}", content=content, headers=headers, timeout=60)


def codes(response: httpx.Response) -> dict[str, int]:
    assert response.status_code == 200, response.text
    found: dict[str, int] = response.json()["counts"]
    return found


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_the_report_is_the_one_of_check(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    body = json.dumps(TRACK) if suffix == "json" else f"{json.dumps(GOOD)}\n{json.dumps(BAD)}\nno\n"
    file = tmp_path / f"body.{suffix}"
    file.write_text(body)
    main(["check", str(file), "--format", "json"], {})
    checked = json.loads(capsys.readouterr().out)
    del checked["baseline"]
    response = post(url, body, JSON if suffix == "json" else LINES)
    assert response.json() == checked
    assert "no-store" in response.headers["cache-control"]
    jsonschema_rs.validator_for(build_report_schema()).validate(response.json())


def test_a_body_an_event_a_list_and_lines_are_taken_with_pointers(url: str) -> None:
    pointers = {}
    for what, body, headers in (
        ("body", json.dumps(TRACK), JSON),
        ("event", json.dumps(BAD), JSON),
        ("list", json.dumps([GOOD, BAD]), JSON),
        ("lines", f"{json.dumps(GOOD)}\n{json.dumps(BAD)}", LINES),
    ):
        report = post(url, body, headers).json()
        assert report["counts"] == {"product_id_missing": 1, "timestamp_before_2010": 1}, what
        pointers[what] = next(one["pointer"] for one in report["issues"] if one["code"] == "product_id_missing")
    assert pointers == {
        "body": "/track/0/payload/0/data/productId",
        "event": "/data/productId",
        "list": "/1/data/productId",
        "lines": "/1/data/productId",
    }


@pytest.mark.parametrize("kind", ["", "text/plain; charset=utf-8", "application/x-www-form-urlencoded"])
def test_without_a_content_type_the_body_says_what_it_is(url: str, kind: str) -> None:
    headers = {"content-type": kind} if kind else None
    broken = f"{json.dumps(GOOD)}\n{{no}}\n{json.dumps(BAD)}\n"
    assert codes(post(url, broken, headers))["line_unreadable"] == 1
    assert codes(post(url, json.dumps(TRACK, indent=1), headers)) == {
        "product_id_missing": 1,
        "timestamp_before_2010": 1,
    }


def test_nothing_is_stored_and_no_key_is_asked_for(url: str) -> None:
    for _ in range(3):
        assert post(url, json.dumps(TRACK), JSON).status_code == 200
        assert_only_post_is_taken(f"{url}/validate")
    auth = ("sandbox", "sandbox")
    assert httpx.get(f"{url}/_sandbox/events", auth=auth).json()["events"] == []
    live = httpx.get(f"{url}/_sandbox/live", auth=auth).json()
    assert "validate" not in json.dumps(live)


def assert_only_post_is_taken(address: str) -> None:
    """Every other method gets 405, what is allowed, and a sentence."""
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        response = httpx.request(method, address)
        assert (response.status_code, response.headers["allow"]) == (405, "POST"), method
        if method != "HEAD":
            sentence = f"/validate takes POST, and this is {method}. Send the events to check as the body."
            assert response.json() == {"message": sentence}


def test_issues_are_listed_up_to_a_number_and_all_are_counted(url: str) -> None:
    body = json.dumps([BAD] * 40)
    report = post(url, body, JSON, "?max_issues=3").json()
    assert (len(report["issues"]), report["counts"]["product_id_missing"]) == (3, 40)
    assert report["issue_count"] >= 80
    for wrong in ("?max_issues=-1", "?max_issues=1001", "?max_issues=", "?max_issues=x", "?max_issues=1&max_issues=2"):
        response = post(url, body, JSON, wrong)
        assert response.status_code == 400
        assert response.json()["message"] == "The parameter max_issues is a whole number from 0 to 1000."


HOSTILE: list[tuple[str, bytes, dict[str, str], int, str]] = [
    ("nothing", b" \n", JSON, 400, "The body is empty."),
    ("text", b"curl https://example.com -d '{}'", JSON, 400, "does not begin with { or ["),
    ("a scalar", b"5", JSON, 400, "does not begin with { or ["),
    ("a workbook", b"PK\x03\x04{}", LINES, 400, "does not begin with { or ["),
    ("no UTF-8", b'{"a": "\xff"}', JSON, 400, "no UTF-8 at byte 8"),
    ("UTF-16", '{"a": 1}'.encode("utf-16"), JSON, 400, "no UTF-8 at byte 1"),
    ("not JSON", b'{"a": }', JSON, 400, "Line 1, column 7"),
    ("NaN", b'{"name": "Product viewed", "timestamp": NaN}', JSON, 400, "NaN"),
    ("deep", b"[" * 100_000 + b"]" * 100_000, JSON, 400, "nested more than 200 levels deep"),
    ("deep in lines", b'{"a":' * 9_000 + b"1" + b"}" * 9_000, LINES, 200, ""),
    ("many values", b"[" + b"1," * 450_000 + b"1]", JSON, 413, "450,001 commas and opening brackets"),
    ("many events", b"[" + b"{}," * 20_000 + b"{}]", JSON, 413, "20,001 events; up to 20,000"),
    ("many lines", b"{}\n" * 20_001, LINES, 413, "20,001 events; up to 20,000"),
    ("XML", b"<a/>", {"content-type": "application/xml"}, 415, "The content type is application/xml."),
    ("packed", b"{}", {**JSON, "content-encoding": "gzip"}, 415, "The content encoding is gzip."),
    ("half a character", b'{"name": "\\ud800", "eventId": "\\udfff"}', JSON, 200, ""),
    ("large numbers", b'{"name": 1e400, "timestamp": 99999999999999999999999}', JSON, 400, ""),
    ("a repeated key", b'{"name": "X", "name": "Y", "eventId": {"a": [[]]}}', JSON, 200, ""),
    ("an envelope", b'{"log": {"entries": [{"request": {}}]}}', JSON, 400, ""),
]


CASES = [pytest.param(*one[1:], id=one[0], marks=[pytest.mark.long] if len(one[1]) > 50_000 else ()) for one in HOSTILE]


@pytest.mark.parametrize(("body", "headers", "status", "sentence"), CASES)
def test_a_hostile_body_gets_a_sentence_as_json(
    url: str, body: bytes, headers: dict[str, str], status: int, sentence: str
) -> None:
    response = post(url, body, headers)
    assert response.status_code == status, response.text
    told = response.json()
    assert sentence in told.get("message", "")
    assert status == 200 or (set(told) == {"message"} and told["message"].endswith("."))


def test_50_megabytes_are_rejected_before_they_are_read(url: str) -> None:
    address = urlsplit(url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as caller:
        caller.sendall(b"POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n\r\n{")
        head = caller.recv(4096)
    assert head.startswith(b"HTTP/1.1 413")

    def chunks() -> Iterator[bytes]:
        for _ in range(50):
            yield b" " * 1_000_000

    try:
        response = httpx.post(f"{url}/validate", content=chunks(), headers=JSON)
    except httpx.TransportError:  # the server has answered and closed, and the rest is still being sent
        return
    assert (response.status_code, response.json()["message"][:28]) == (413, "The body is larger than 10,0")


def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    with serve(tmp_path, ValidationLimits(read_seconds=0.2)) as url, send_a_beginning(url) as caller:
        answer = b"".join(iter(lambda: caller.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"The body has not come within 0.2 seconds." in answer


def test_of_more_bodies_than_are_taken_at_once_the_next_is_told_to_come_again(tmp_path: Path) -> None:
    with serve(tmp_path, ValidationLimits(bodies=1, wait_seconds=0.1, read_seconds=20)) as url:
        with send_a_beginning(url):
            while (response := post(url, json.dumps(GOOD), JSON)).status_code == 200:
                pass  # the beginning of the other one has not arrived yet
            assert (response.status_code, response.headers["retry-after"]) == (503, "1")
            assert response.json() == {"message": "Too many bodies are being checked. Try again in a moment."}
        while post(url, json.dumps(GOOD), JSON).status_code == 503:
            pass  # the server has not noticed yet that the other one has gone


@contextmanager
def send_a_beginning(url: str) -> Iterator[socket.socket]:
    """A request of whose body one byte of fifty has come."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=20) as caller:
        caller.sendall(
            b"POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\nConnection: close\r\n\r\n{"
        )
        yield caller


def test_others_are_answered_while_large_bodies_are_checked(url: str) -> None:
    """A check is in a thread, and two are at a time: the event loop is free."""
    body = json.dumps([BAD] * 1_000)
    with ThreadPoolExecutor(12) as pool:
        heavy = [pool.submit(post, url, body, JSON) for _ in range(11)]
        assert httpx.get(f"{url}/openapi.json", timeout=30).status_code == 200
        assert {one.result().status_code for one in heavy} == {200}


def test_a_check_that_takes_too_long_is_not_waited_for(tmp_path: Path) -> None:
    with serve(tmp_path, ValidationLimits(work_seconds=0.001)) as url:
        response = post(url, json.dumps([BAD] * 1_000), JSON)
    assert (response.status_code, response.json()["message"][:21]) == (413, "The check takes longe")


@pytest.mark.long
def test_ten_thousand_events_of_many_issues_each(url: str) -> None:
    """Twenty things are wrong with each: the report lists a thousand and counts all."""
    odd = {
        "name": "x", "eventId": " \u200be ", "userId": " null ", "anotherUserId": 12, "profileId": "#N/A",
        "accountId": 1.5, "timestamp": "5", "data": {"productId": 7.0, "a": 12345678901234567890.123}, "userID": 1,
    }  # fmt: skip
    body = json.dumps([odd] * 10_000)
    response = post(url, body, JSON)
    assert response.status_code == 200, response.text
    report = response.json()
    assert (len(report["issues"]), report["events"]) == (1000, 10_000)
    assert report["issue_count"] >= 80_000
    assert len(response.content) < 1_000_000
