"""``POST /validate`` of a form: events checked by a mapping file and by the team's rules, as ``check`` does."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.cli import main
from intempt_core.errors import ReadError
from intempt_core.sandbox import NeighbouringApi, run_sandbox
from intempt_core.validation import build_validate_paths, build_validate_schemas, create_validate_route
from intempt_core.validation.endpoint.forms import split_form

ROWS = [
    {"what": "view", "id": "e1", "who": "u1", "sku": "A1", "cost": "12.5"},
    {"what": "view", "id": "e2", "who": "u1", "sku": "", "cost": "-1"},
]
MAPPING = {
    "columns": {"what": "name", "id": "eventId", "who": "userId", "sku": "data.productId", "cost": "data.price"},
    "names": {"view": "Product viewed"},
    "types": {"data.price": "number"},
}
PRICE = {"properties": {"data": {"properties": {"price": {"minimum": 0, "x-name": "price", "x-severity": "error"}}}}}
RULES = {"rules": "1", "events": {"Product viewed": PRICE}}
LINES = "\n".join(map(json.dumps, ROWS))
EVENT = {"name": "Product viewed", "eventId": "e", "userId": "u", "data": {"productId": "p", "price": -1}}
FILE = "application/octet-stream"
"""What curl says of most files."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    beside = NeighbouringApi(build_validate_paths(), build_validate_schemas(), [create_validate_route()])
    with run_sandbox(tmp_path_factory.mktemp("sandbox") / "s.sqlite3", beside=beside) as url:
        yield url


def post(url: str, events: str, kind: str = FILE, **more: object) -> httpx.Response:
    """Post a form as ``curl -F`` does: each part is a file."""
    parts = {"events": ("events", events, kind)}
    for name, value in more.items():
        text = value if isinstance(value, str) else json.dumps(value)
        parts[name] = (f"{name}.json", text, FILE)
    return httpx.post(f"{url}/validate", files=parts, timeout=60)


@pytest.mark.parametrize("body", [LINES, json.dumps(ROWS, indent=1)], ids=["lines", "list"])
def test_the_report_is_the_one_of_check_with_mapping_and_rules(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], body: str
) -> None:
    for name, text in (("rows.jsonl", body), ("m.json", json.dumps(MAPPING)), ("r.json", json.dumps(RULES))):
        (tmp_path / name).write_text(text)
    options = ["--mapping", str(tmp_path / "m.json"), "--rules", str(tmp_path / "r.json"), "--format", "json"]
    assert main(["check", str(tmp_path / "rows.jsonl"), *options], {"CONSOLE_DATA": str(tmp_path)}) == 1
    checked = json.loads(capsys.readouterr().out.replace("r.json", "The part \\u201crules\\u201d"))
    del checked["baseline"]
    response = post(url, body, mapping=MAPPING, rules=RULES)
    assert response.json() == checked
    assert (checked["counts"], checked["rule_counts"]) == ({"product_id_missing": 1}, {"rule:price": 1})


def test_rules_alone_are_asked_of_a_track_body_and_of_lines(url: str) -> None:
    track = {"track": [{"name": EVENT["name"], "payload": [{key: EVENT[key] for key in EVENT if key != "name"}]}]}
    for body, kind in ((json.dumps(track), "application/json"), (json.dumps(EVENT) + "\n", "application/x-ndjson")):
        report = post(url, body, kind, rules=RULES).json()
        assert (report["counts"], report["rule_counts"]) == ({}, {"rule:price": 1})
        assert report["rows_with_rule_errors"] == 1


def test_what_of_the_rules_is_never_asked_is_said(url: str) -> None:
    rules = {"rules": "1", "events": {"Product wiewed": PRICE}}
    (note,) = post(url, LINES, mapping=MAPPING, rules=rules).json()["rule_notes"]
    assert "“Product wiewed” is none of the event names" in note


def test_nothing_of_one_form_is_there_for_the_next(url: str) -> None:
    assert post(url, json.dumps(EVENT), rules=RULES).json()["rule_counts"] == {"rule:price": 1}
    assert "rule_counts" not in post(url, json.dumps(EVENT)).json()


BAD: list[tuple[str, dict[str, object], int, str]] = [
    ("no JSON", {"mapping": "{"}, 400, "The mapping is no JSON"),
    ("no mapping", {"mapping": {"colums": {}}}, 400, "colums"),
    ("another file's mapping", {"mapping": {"columns": {"skuu": "userId"}}}, 400, "has no column “skuu”"),
    ("a long mapping", {"mapping": " " * 100_001}, 400, "The mapping has 100,001 characters"),
    ("no rules", {"rules": {"events": []}}, 400, "“events” is no object of event name to schema."),
    ("rules that are no JSON", {"rules": "rules:\n"}, 400, "The part “rules” is no JSON"),
    ("rules of many bytes", {"rules": " " * 1_000_001}, 400, "1,000,001 bytes"),
    ("numbers that are texts", {"mapping": {**MAPPING, "types": {}}, "rules": RULES}, 400, "number"),
    ("another part", {"maping": {}}, 400, "The form has a part “maping”. Did you mean “mapping”?"),
    ("a table", {"events": "name,eventId\n"}, 400, "does not begin with { or ["),
]


@pytest.mark.parametrize(("parts", "status", "sentence"), [pytest.param(*one[1:], id=one[0]) for one in BAD])
def test_what_cannot_be_used_is_said_in_a_sentence(
    url: str, parts: dict[str, object], status: int, sentence: str
) -> None:
    given = {"events": LINES, **parts}
    response = post(url, str(given.pop("events")), FILE, **given)
    message = response.json()["message"]
    assert (response.status_code, sentence in message) == (status, True), message
    assert message.endswith((".", "?"))


EVENTS = b'Content-Disposition: form-data; name="events"'
PART = b"--x\r\n" + EVENTS + b"\r\n\r\n{}\r\n"
KIND = "multipart/form-data; boundary=x"
FORMS: list[tuple[str, str, bytes, str]] = [
    ("no boundary", "multipart/form-data", b"", "names no boundary"),
    ("no form", KIND, b"{}", "The form cannot be read: "),
    ("nothing", KIND, b"", "The form is cut off"),
    ("a long boundary", f"multipart/form-data; boundary={'x' * 5_000}", b"--x", "The form cannot be read: "),
    ("cut off", KIND, PART.rstrip(), "The form is cut off"),
    ("no events", KIND, PART.replace(b"events", b"rules") + b"--x--\r\n", "has no part “events”"),
    ("twice", KIND, PART * 2 + b"--x--\r\n", "“events” twice"),
    ("a thousand parts", KIND, PART * 1_000 + b"--x--\r\n", "more than 3 parts"),
    ("a part without a name", KIND, b"--x\r\n\r\n{}\r\n--x--\r\n", "a part “”"),
    (
        "packed",
        KIND,
        b"--x\r\n" + EVENTS + b"\r\nContent-Transfer-Encoding: base64\r\n\r\ne30=\r\n--x--\r\n",
        "Content-Transfer-Encoding",
    ),
    ("XML", KIND, b"--x\r\n" + EVENTS + b"\r\nContent-Type: text/xml\r\n\r\n<a/>\r\n--x--\r\n", "is text/xml"),
]


@pytest.mark.parametrize(("kind", "body", "sentence"), [pytest.param(*one[1:], id=one[0]) for one in FORMS])
def test_a_form_that_is_none_gets_a_sentence(url: str, kind: str, body: bytes, sentence: str) -> None:
    response = httpx.post(f"{url}/validate", content=body, headers={"content-type": kind})
    assert response.status_code == 400, response.text
    assert sentence in response.json()["message"]


def test_more_than_is_checked_at_once_is_said_before_it_is_done(url: str) -> None:
    many = {f"k{number}": {"maximum": 1} for number in range(1_500)}
    rules = {"rules": "1", "events": {"*": {"properties": {"data": {"properties": many}}}}}
    response = post(url, "{}\n" * 14_000, "application/x-ndjson", rules=rules)
    assert (response.status_code, response.json()["message"][:42]) == (
        413,
        "14,000 events are checked by 1,500 rules; ",
    )
    constants = {"columns": {"a": "userId"}, "constants": {"data.x": "x" * 90_000}}
    response = post(url, '{"a": "u"}\n' * 3_000, mapping=constants)
    assert response.status_code == 413
    assert "too many for 3,000 events" in response.json()["message"]
    pieces = {"columns": {"a[]": "data.productId"}, "explode": {"column": "a", "separator": "|"}}
    for count, sentence in ((25_000, "becomes 25,001 events"), (400_001, "the separator of “explode” more than")):
        response = post(url, json.dumps({"a": "p|" * count + "p"}) + "\n", mapping=pieces)
        assert (response.status_code, sentence in response.json()["message"]) == (413, True), response.text


@given(body=st.binary(max_size=80) | st.text('-x\r\n:;="name', max_size=80).map(str.encode), kind=st.text(max_size=30))
def test_any_bytes_are_parts_or_a_sentence(body: bytes, kind: str) -> None:
    strange = f"multipart/form-data; boundary=x{kind.encode('latin-1', 'replace').decode('latin-1')}"
    for content_type in (strange, "multipart/form-data; boundary=x"):
        for form in (body, b"--x\r\n" + body, b"--x\r\n" + body + b"\r\n--x--\r\n"):
            with suppress(ReadError):
                assert set(split_form(form, content_type)) <= {"events", "mapping", "rules"}
