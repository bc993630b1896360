"""A file of one JSON document a line: every event leaves as it came, and every line is checked by itself."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.cli import main
from intempt_core.contract.fields import EVENT_FIELDS
from intempt_core.contract.issues import Place
from intempt_core.contract.rules import GivenEvent
from intempt_core.errors import MappingError, ReadError
from intempt_core.exports.csv_files import export_event_lines, export_excluded_csv, export_problems_csv
from intempt_core.fixes.table_fixes import Fix, FixKind, apply_fixes
from intempt_core.mapping.document_events import MappedDocuments, replace_event_cells
from intempt_core.mapping.mapped_table import MappedTable
from intempt_core.mapping.model import Mapping, exact_mapping
from intempt_core.mapping.table_events import choose_initial_mapping, map_table
from intempt_core.planning.locate import CellLocation, find_cell, locate_in_request
from intempt_core.planning.plan import EventOrder, plan_table
from intempt_core.readers import jsonl as json_lines
from intempt_core.readers.dialects.dialect import Dialect
from intempt_core.readers.formats import CSV, JSON_LINES
from intempt_core.readers.jsonl import _parse_line, _parse_plain_event
from intempt_core.readers.table import Table, read_table
from intempt_core.validation.check import check_events, check_table
from tests.data.samples import VENDOR_EVENTS


def event(number: int, **changed: Any) -> dict[str, Any]:
    body = {"eventId": f"e{number}", "userId": f"u{number}", "data": {"productId": f"SKU_{number}", "price": 1.5}}
    return {"name": "Product viewed", **body, **changed}


def read(*lines: Any, name: str = "events.jsonl") -> Table:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    return read_table(text.encode(), name=name)


def mapped(*lines: Any) -> MappedDocuments:
    found = map_table(read(*lines), Mapping({}))
    assert isinstance(found, MappedDocuments)
    return found


def codes(*lines: Any) -> list[list[str]]:
    report = check_table(mapped(*lines))
    return [sorted(issue.code for issue in report.issues_of(row)) for row in range(report.rows)]


# ── as it came ───────────────────────────────────────────────────────────────────────────────────────────────────────

WRONG = '{"name":"product viewed","eventId":1487580005268456192,"userId":null,"data":{"productId":"A","n":1.0,"l":[]}}'


def test_an_event_leaves_as_it_came_also_where_it_is_wrong() -> None:
    file = mapped(event(1), WRONG, event(3, userAttributes={"a": {"b": None}}))
    plan = plan_table(file, range(3))
    [request] = plan.requests
    body = json.loads(plan.body(request))
    assert body["track"][1] == {
        "name": "product viewed",
        "payload": [{key: value for key, value in json.loads(WRONG).items() if key != "name"}],
    }
    assert b'"eventId":1487580005268456192' in plan.body(request)
    assert b'"n":1.0' in plan.body(request)
    assert [written for block in plan.iter_blocks() for written in block.bodies] == [plan.body(request)]
    assert body["track"][2]["payload"][0]["userAttributes"] == {"a": {"b": None}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
OUTER = sorted({field.partition(".")[0] for field in EVENT_FIELDS})
INNER = sorted({field.partition(".")[2] for field in EVENT_FIELDS if "." in field})
FIELDS = st.sampled_from(["name", "userId", *OUTER, "track", "payload", *EVENT_FIELDS, "x"])
PLAIN = st.sampled_from(["Product viewed", "u1", 7, 1664582400000, {"productId": "A"}])
INSIDE = st.dictionaries(st.sampled_from(INNER), JSON | PLAIN, max_size=3)
EVENT = st.dictionaries(FIELDS, JSON | PLAIN | INSIDE, max_size=5)


@given(st.lists(EVENT, min_size=1, max_size=6))
def test_the_verdict_is_that_of_the_same_events_pasted_one_by_one(bodies: list[dict[str, Any]]) -> None:
    plain = [body for body in bodies if "userId" in body and not body.keys() & {"track", "payload"}]
    if not plain:
        return
    events = []
    for row, body in enumerate(plain, 1):
        rest = {key: value for key, value in body.items() if key != "name"}
        events.append(GivenEvent(body.get("name"), rest, Place(row, row, None, f"/{row - 1}"), f"/{row - 1}/name"))
    ours, theirs = check_table(mapped(*plain)), check_events(events)
    reading = {"number_precision"}  # an issue of reading, and these events are read
    assert {code: ours.rows_of(code).tolist() for code in ours.counts if code not in reading} == {
        code: theirs.rows_of(code).tolist() for code in theirs.counts
    }
    assert [(given.name, given.body) for given in mapped(*plain).events()] == [(e.name, e.body) for e in events]


@given(EVENT.map(json.dumps) | st.text(alphabet='{}[]":,name userId\\0123456789.eE+-\t', max_size=40))
def test_the_quick_way_reads_what_the_careful_way_reads(line: str) -> None:
    quick = _parse_plain_event(line.encode(), with_issues=True)
    if quick is not None:
        again = json.loads(line)
        assert json.dumps(quick) == json.dumps(again)
        assert _parse_plain_event(line.encode(), with_issues=False) == quick


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"userId":"a","userId":"b"}', "key_repeated"),
        ('{"userId" :"a","userId":"b"}', "key_repeated"),
        ('{"userId":"a","data":{"x":0.12345678901234567890}}', "number_precision"),
        ('{"userId":"a","data":{"x":1e-999}}', "number_precision"),
        ('{"userId":"a","data":{"x":1e999}}', "line_unreadable"),
        ('{"userId":"a","data":NaN}', "line_unreadable"),
        ('{"userId":"a"', "line_unreadable"),
        ('{"userId":"a"},', "line_unreadable"),
        ("[" * 300 + "]" * 300, "line_unreadable"),
        ("plain words", "line_unreadable"),
        ("7", "request_shape"),
        ('{"track":7}', "request_shape"),
        ('{"properties":{"userId":"u","eventId":"e"}}', "request_shape"),
        ('{"userId":123456789012345678901234567890}', "id_number"),
    ],
)
def test_an_odd_line_is_an_issue_and_the_others_are_checked_all_the_same(line: str, code: str) -> None:
    found = codes(event(1), line, event(3))
    assert code in found[1]
    assert found[0] == found[2] == []


def test_what_is_wrong_with_a_line_is_shown_with_its_place() -> None:
    report = check_table(mapped(event(1), "", '{"userId":"a" "b"}'))
    [issue] = [issue for issue in report.issues_of(1) if issue.code == "line_unreadable"]
    assert (issue.place.row, issue.place.line, issue.given) == (2, 3, '{"userId":"a" "b"}')
    assert issue.fix == 'Column 15: A comma or a closing bracket is missing before “"b"”. Add it.'


def test_half_a_character_is_kept_on_the_wire_and_shown_as_its_escape() -> None:
    file = mapped('{"name":"Product viewed","eventId":"\\ud800","userId":"u","data":{"productId":"A"}}')
    assert file.table.cell(0, "eventId") == "\\ud800"
    assert b"\\ud800" in plan_table(file, [0]).body(plan_table(file, [0]).requests[0])


def test_ids_with_half_a_character_stay_two_through_a_mapping_and_are_said() -> None:
    table = read('{"e":"Product viewed","u":"a\\ud83d"}', '{"e":"Product viewed","u":"a\\ud83e"}')
    source = map_table(table, Mapping({"e": "name", "u": "userId"}))
    assert [event.body["userId"] for event in source.events()] == ["a\\ud83d", "a\\ud83e"]
    assert "2 events hold half of a character (the first is in line 1)" in table.notes[-1]


def test_a_mapping_says_that_a_key_is_twice_in_an_object() -> None:
    table = read('{"e":"Product viewed","u":"a"}', '{"e":"Product viewed","u":"a","u":"b"}')
    source = map_table(table, Mapping({"e": "name", "u": "userId"}))
    assert [event.body["userId"] for event in source.events()] == ["a", "b"]
    assert source.table.notes[-1] == (
        "In 1 row a key is twice in one object, and the last one counts (the first is row 2 (line 2)). Remove"
        " one of the two."
    )


def test_a_column_that_no_line_has_names_the_line_that_is_no_json() -> None:
    table = read('{"e":"Product viewed","u":"a"},', '{"e":"Product viewed","u":"b"},')
    with pytest.raises(MappingError, match=r"has no column “e”.* Line 1 is no JSON\. .*The line ends with a comma"):
        map_table(table, Mapping({"e": "name", "u": "userId"}))


# ── lines, rows, columns ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_line_may_hold_a_whole_request_and_each_event_is_a_row() -> None:
    body = {
        "track": [
            {"name": "Product viewed", "payload": [{"userId": "a"}, {"userId": "b"}]},
            {"name": "x", "payload": [{}]},
        ]
    }
    table = read(
        event(1), "", body, "[]", [event(5), event(6)], {"name": "Added to cart", "payload": [{"userId": "c"}]}
    )
    assert table.format is JSON_LINES
    assert table.lines.tolist() == [1, 3, 3, 3, 5, 5, 6]
    assert table.columns["userId"].to_pylist() == ["u1", "a", "b", "", "u5", "u6", "c"]
    assert table.notes == (
        "Read as JSON lines: one event or request body a line.",
        "One blank line was skipped.",
        "One line holds no event, the first is line 4.",
    )
    file = map_table(table, Mapping({}))
    places = [(event.place.row, event.place.line, event.place.pointer, event.name) for event in file.events([2, 6, 1])]
    assert places == [
        (3, 3, "/2/track/0/payload/1", "Product viewed"),
        (7, 6, "/5/payload/0", "Added to cart"),
        (2, 3, "/2/track/0/payload/0", "Product viewed"),
    ]
    assert "2 lines hold no event" in read(event(1), "[]", "[]").notes[1]
    assert "2 blank lines" in read(event(1), "", "", event(2)).notes[1]


def test_lines_of_one_order_are_no_repeats_in_their_own_payload_only() -> None:
    order = {
        "track": [
            {
                "name": "Product ordered",
                "payload": [
                    event(1)["data"] and {"eventId": "o", "userId": "u", "data": {"productId": product}}
                    for product in "AB"
                ],
            }
        ]
    }
    assert codes(order) == [[], ["event_id_shared"]]
    assert codes(order, order)[2:] == [["event_id_repeated"], ["event_id_repeated"]]


def test_values_are_columns_by_their_path_the_contracts_first() -> None:
    table = read(
        event(1, x=None, deep={"a": {"b": [1, {"c": "ü"}]}}, flag=True), {"userId": 5, "data": {"productId": {}}}
    )
    assert table.header == ("name", "eventId", "userId", "data.productId", "data.price", "deep.a.b", "flag")
    assert table.record(0) == {
        "name": "Product viewed", "eventId": "e1", "userId": "u1", "data.productId": "SKU_1", "data.price": "1.5",
        "deep.a.b": '[1,{"c":"ü"}]', "flag": "true",
    }  # fmt: skip
    assert table.record(1)["userId"] == "5"
    assert table.record(1)["data.productId"] == "{}"
    assert read("{}", "{}").header == ("name",)


def test_columns_come_in_chunks_and_there_are_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "JSONL_CHUNK_ROWS", 2)
    monkeypatch.setattr(json_lines, "MAX_KEY_COLUMNS", 4)
    table = read(*({"userId": "u", f"k{number}": str(number)} for number in range(7)))
    assert table.header == ("userId", "k0", "k1", "k2")
    assert table.columns["k1"].to_pylist() == ["", "1", "", "", "", "", ""]
    assert table.columns["k2"].num_chunks == 4
    assert "different keys. 4 have no column here" in table.notes[1]
    assert map_table(table, Mapping({})).event(6).body == {"userId": "u", "k6": "6"}


def test_the_bytes_say_that_they_are_json_lines_and_a_document_in_one_piece_is_none() -> None:
    line = json.dumps(event(1))
    for data in (
        line.encode("utf-16"),
        line.encode("utf-8-sig"),
        gzip.compress(line.encode()),
        f"\n {line}\r\n".encode(),
    ):
        assert read_table(data, name="events.csv").format is JSON_LINES
    latin = read_table('{"userId":"ü"}'.encode("cp1252"), name="x", dialect=Dialect("cp1252"))
    assert latin.cell(0, "userId") == "ü"
    assert read("not json", event(1), event(2), name="a.jsonl").rows == 3
    with pytest.raises(ReadError, match="is JSON in one piece"):
        read_table(json.dumps(event(1), indent=1).encode(), name="events.jsonl")
    assert read_table(b"name,userId\nx,y\n", name="named.jsonl").format is CSV


@given(
    st.binary(max_size=200)
    | st.lists(EVENT.map(json.dumps) | st.text(max_size=20), max_size=5).map("\n".join).map(str.encode)
)
def test_any_bytes_called_json_lines_are_read_or_rejected_with_a_sentence(data: bytes) -> None:
    try:
        table = read_table(data, name="x.jsonl")
    except ReadError as error:
        sentence = str(error)
    else:
        sentence = "."
        if table.format is JSON_LINES:
            file = map_table(table, Mapping({}))
            report = check_table(file)
            assert report.rows == table.rows == len(list(file.events()))
            assert (np.diff(table.lines) >= 0).all()
            plan = plan_table(file, range(table.rows))
            assert sum(len(json.loads(plan.body(request))["track"]) > 0 for request in plan.requests) == len(
                plan.requests
            )
    assert sentence.endswith(".")


# ── mapped, fixed, pointed at, taken along ──────────────────────────────────────────────────────────────────────────


def test_events_of_another_shape_are_mapped_by_their_keys() -> None:
    lines = [
        {"type": "track", "event": "Product Added", "userId": "u1", "properties": {"product_id": "507", "price": 19}}
    ]
    table = read(*lines)
    assert choose_initial_mapping(table) == exact_mapping(table.header)
    mapping = Mapping(
        {
            "event": "name",
            "userId": "userId",
            "properties.product_id": "data.productId",
            "properties.price": "data.price",
        },
        names={"Product Added": "Added to cart"},
        types={"data.price": "number"},
    )
    file = map_table(table, mapping)
    assert type(file) is MappedTable
    given = file.event(0)
    assert given.name == "Added to cart"
    assert given.body["data"] == {"productId": "507", "price": 19}
    assert choose_initial_mapping(read(event(1))) == Mapping({})
    assert choose_initial_mapping(read_table(b"a,b\n1,2\n", name="t.csv")) == exact_mapping(("a", "b"))


def test_a_vendors_file_is_read_line_by_line() -> None:
    table = read_table(VENDOR_EVENTS, name=VENDOR_EVENTS.name)
    assert (table.rows, table.lines.tolist()) == (8, [1, 2, 3, 4, 5, 6, 7, 9])
    assert "properties.product_id" in table.header
    assert table.columns["event"].to_pylist()[:3] == ["Product List Viewed", "Product Viewed", "Product Added"]
    assert table.cell(3, "properties.product_id") == "900719925474099312"
    assert table.cell(7, "properties.price") == "9.90"
    assert json.loads(table.cell(0, "properties.products"))[1] == {
        "product_id": "tea-mint-50",
        "price": 4.5,
        "position": 2,
    }


def test_a_fixed_cell_is_put_where_its_value_stood_and_keeps_its_kind() -> None:
    file = mapped(event(1, name="product viewed", timestamp=1714631904), event(2, **{"a.b": {"c": "x"}}))
    ways = [
        Fix(FixKind.REPLACE, "name", old="product viewed", new="Product viewed"),
        Fix(FixKind.SECONDS, "timestamp"),
        Fix(FixKind.PUT, "data.price", (0,), "1.5", "2.5"),
        Fix(FixKind.PUT, "data.productId", (1,), "SKU_2", "SKU_9"),
        Fix(FixKind.PUT, "a.b.c", (1,), "x", "y"),
        Fix(FixKind.PUT, "userId", (1,), "u2", ""),
    ]
    fixed = apply_fixes(file, ways).mapped
    first, second = fixed.events()
    assert first.name == "Product viewed"
    assert first.body == {
        "eventId": "e1",
        "userId": "u1",
        "data": {"productId": "SKU_1", "price": 2.5},
        "timestamp": 1714631904000,
    }
    assert second.body == {"eventId": "e2", "data": {"productId": "SKU_9", "price": 1.5}, "a.b": {"c": "y"}}
    assert file.event(0).body["timestamp"] == 1714631904  # the file's own are as they were
    assert check_table(fixed).rows_of("identity_missing").tolist() == [1]
    assert len(plan_table(fixed, [0]).requests) == 1


@pytest.mark.parametrize(
    ("body", "cells", "becomes"),
    [
        ({}, {"userId": "u"}, {"userId": "u"}),
        ({}, {"data.productId": "A"}, {"data": {"productId": "A"}}),
        ({}, {"data.productId": "", "x.y": ""}, {}),
        ({}, {"x.y": "1"}, {"x.y": "1"}),
        ({"gift": True}, {"gift": "false"}, {"gift": False}),
        ({"gift": True}, {"gift": "no"}, {"gift": "no"}),
        ({"n": 1}, {"n": "2"}, {"n": 2}),
        ({"n": 1}, {"n": "two"}, {"n": "two"}),
        ({}, {"timestamp": "1714631904000"}, {"timestamp": 1714631904000}),
        ("no object", {"userId": "u"}, "no object"),
    ],
)
def test_a_cell_becomes_a_value_of_the_kind_that_stood_there(body: Any, cells: dict[str, str], becomes: Any) -> None:
    assert replace_event_cells(GivenEvent("x", body, Place()), cells).body == becomes
    assert replace_event_cells(GivenEvent("x", body, Place()), {"name": ""}).name is None


def test_a_cell_leads_to_its_place_in_the_request_and_back() -> None:
    file = mapped(event(1), event(2))
    plan = plan_table(file, range(2))
    found = locate_in_request(file, plan, 1, "data.productId")
    assert found is not None
    assert find_cell(f"request {found.request} {found.path}", file, plan) == CellLocation(1, "data.productId")
    assert find_cell("row 2 /userId", file, plan) == CellLocation(1, "userId")


def test_a_persons_events_can_go_in_the_order_of_their_times() -> None:
    times = [1714631904003, 1714631904001, 1714631904002]
    file = mapped(*(event(number, userId="u", timestamp=time) for number, time in enumerate(times)))
    [request] = plan_table(file, range(3), order=EventOrder.TIME).requests
    assert request.rows == (1, 2, 0)
    [request] = plan_table(file, [2, 0]).requests
    assert request.rows == (2, 0)


def test_what_is_wrong_and_what_is_excluded_can_be_downloaded() -> None:
    file = mapped(event(1), event(2, userId=None), event(1, data={"productId": "B"}))
    report = check_table(file)
    problems = "".join(export_problems_csv(report))
    assert "identity_missing" in problems
    assert "It is the id of row 1 (line 1), whose event is another." in problems
    behind = "".join(export_excluded_csv(file.table, report)).splitlines()
    assert [line.split(",")[1] for line in behind] == ["eventId", "e2", "e1"]


def test_excluded_events_come_as_json_lines_and_can_be_read_again() -> None:
    file = mapped(event(1), WRONG, "{broken", {"userId": "u"}, '{"track":7}', "7")
    text = "".join(export_event_lines(file, range(1, 6)))
    assert text.splitlines()[:3] == [WRONG, "{broken", '{"userId":"u"}']
    again = map_table(read_table(text.encode(), name="skipped-rows.jsonl"), Mapping({}))
    assert [one.body for one in again.events()] == [one.body for one in file.events(range(1, 6))]


def test_a_table_of_text_has_no_events_of_its_own() -> None:
    table = read_table(b"userId\nu\n", name="t.csv")
    assert type(map_table(table, Mapping({}))) is MappedTable
    with pytest.raises(MappingError, match="holds no JSON"):
        MappedDocuments(table).event(0)


# ── the command line ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_line_checks_and_sends_json_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "events.jsonl.gz"
    lines = [
        json.dumps(event(1)),
        json.dumps(event(2, name="view")),
        json.dumps(
            {"track": [{"name": "Product ordered", "payload": [{k: v for k, v in event(3).items() if k != "name"}]}]}
        ),
    ]
    file.write_bytes(gzip.compress("\n".join(lines).encode()))
    environment = {"CONSOLE_DATA": str(tmp_path / "data")}
    assert main(["check", str(file), "--format", "json"], environment) == 1
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["rows"], verdict["counts"]) == (3, {"event_name": 1})
    assert (verdict["issues"][0]["line"], verdict["issues"][0]["column"]) == (2, "name")
    results = tmp_path / "results.csv"
    assert main(["send", str(file), "--target", "sandbox", "--yes", "--results", str(results)], environment) == 0
    outcomes = Counter(line.split(",")[4] for line in results.read_text().splitlines()[1:])
    assert outcomes == {"accepted": 2, "excluded": 1}
    mapping = tmp_path / "mapping.json"
    mapping.write_text(
        '{"columns": {"name": "name", "data.productId": "data.productId"}, "names": {"view": "Product viewed"}}'
    )
    assert main(["check", str(file), "--mapping", str(mapping), "--format", "json"], environment) == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["counts"] == {"identity_missing": 3}


def test_an_event_is_found_again_wherever_it_stands_on_its_line() -> None:
    line = json.dumps([event(1), event(2)]).encode()
    assert [one.body["eventId"] for one in _parse_line(line, 7)[0]] == ["e1", "e2"]


# ── lines that are nearly JSON ───────────────────────────────────────────────────────────────────────────────────────

GOOD = '{"name":"Product viewed","eventId":"e1","userId":"u","data":{"productId":"p"}}'
NEARLY = {
    "a comma after each line": (f"{GOOD},", "Column 79: The line ends with a comma."),
    "a number that is none": (GOOD.replace('"p"', '"p","price":NaN'), "NaN is no JSON. Write a number, or null."),
    "a text that is not closed": (GOOD.replace('"u"', '"u'), "Column"),
}


@pytest.mark.parametrize(("line", "says"), NEARLY.values(), ids=NEARLY)
@pytest.mark.parametrize("good", [0, 1, 5])
def test_a_line_that_is_nearly_json_is_an_error_of_its_row(line: str, says: str, good: int) -> None:
    table = read(line, *[GOOD.replace("e1", f"e{n}") for n in range(2, 2 + good)], line)
    assert table.rows == good + 2
    said = [note for note in table.notes if note.startswith("No line is JSON. Line 1, Column ")]
    assert len(said) == (not good)
    assert choose_initial_mapping(table) == Mapping({})
    report = check_table(map_table(table, Mapping({})))
    assert report.counts["line_unreadable"] == 2
    for row in (0, good + 1):
        [issue] = [issue for issue in report.issues_of(row) if issue.code == "line_unreadable"]
        assert (issue.place.line, says in issue.hint) == (row + 1, True)


def test_a_mapping_of_keys_does_not_hide_a_line_that_is_no_json() -> None:
    table = read('{"who":"u1","sku":"p1"}', '{"who":"u2","sku":"p2"},')
    mapping = Mapping({"who": "userId", "sku": "data.productId"}, constants={"name": "Product viewed"})
    report = check_table(map_table(table, mapping))
    assert report.counts["line_unreadable"] == 1
    assert [issue.code for issue in report.issues_of(1) if issue.code == "line_unreadable"] == ["line_unreadable"]
    assert report.issues_of(0) == []
