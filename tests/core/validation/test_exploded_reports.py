"""Reports on exploded rows: rows are counted and excluded as the file has them, issues name row and member."""

import io
import json
from typing import Any

import openpyxl

from intempt_core.contract import dump_json
from intempt_core.exports.csv_files import export_excluded_csv, export_problems_csv
from intempt_core.exports.junit import export_expectations_json
from intempt_core.exports.xlsx_report import write_problems_xlsx
from intempt_core.fixes.table_fixes import Fix, FixKind, apply_fixes, preview_fix
from intempt_core.mapping.event_source import EventSource
from intempt_core.mapping.model import Mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.planning.locate import CellLocation, find_cell
from intempt_core.planning.plan import Plan, plan_table
from intempt_core.readers.table import read_table
from intempt_core.validation.check import check_table
from intempt_core.validation.expectations import ExpectationReport
from intempt_core.validation.report import Report
from intempt_core.validation.team_rules.rules_file import TeamRules

MAPPING: dict[str, Any] = {
    "columns": {
        "order": "eventId", "user": "userId", "when": "timestamp", "product": "data.productId", "price": "data.price",
    },
    "constants": {"name": "Product ordered"},
    "explode": {"columns": ["product_1", "product_2", "product_3"], "as": "product"},
}  # fmt: skip

ORDERS = """\
order,user,when,price,product_1,product_2,product_3,expect
O1,u1,2022-10-01 10:00:00,5,p1,p2,,ok
O2,u2,soon,6,p3,p4,p5,timestamp_unreadable
,u3,2022-10-01 10:00:00,7,p6,p7,,event_id_missing
O4,u4,2022-10-01 10:00:00,8,,,,product_id_missing
O5,u5,2022-10-01 10:00:00,8,p1,null,,ok id_placeholder
"""
"""Row 1 is two events; 2 has three with a bad time; 3 two without an id; 4 one without a product; 5 two."""


def checked(text: str = ORDERS, **changes: Any) -> tuple[EventSource, Report]:
    mapped = map_table(read_table(text.encode(), name="x.csv"), Mapping.from_json(json.dumps({**MAPPING, **changes})))
    return mapped, check_table(mapped)


def plan(mapped: EventSource) -> Plan:
    return plan_table(mapped, range(mapped.rows))


def test_rows_and_events_are_counted_each_for_itself() -> None:
    _, report = checked()
    assert (report.rows, report.events) == (5, 10)
    assert (report.rows_with_errors, report.events_with_errors, report.rows_with_warnings) == (3, 6, 1)
    assert report.counts == {
        "event_id_missing": 1, "product_id_missing": 1, "timestamp_unreadable": 1, "id_placeholder": 1,
    }  # fmt: skip
    assert report.issue_count("timestamp_unreadable") == 3
    places = [(issue.code, issue.place.row, issue.place.member, issue.place.line) for issue in report.issues()]
    assert places == [
        *(("timestamp_unreadable", 2, member, 3) for member in (1, 2, 3)),
        *(("event_id_missing", 3, member, 4) for member in (1, 2)),
        ("product_id_missing", 4, 0, 5), ("id_placeholder", 5, 2, 6),
    ]  # fmt: skip
    assert "Row 2, member 3" in report.issues()[2].sentence
    first = "".join(export_problems_csv(report)).splitlines()[1].split(",")
    assert (first[0], first[1], first[-1]) == ("2", "3", "1")


def test_an_order_with_a_bad_member_is_excluded_whole_unless_a_person_says_otherwise() -> None:
    rows = "order,user,when,price,product_1,product_2,product_3\nO1,u1,,1,p1,p2,p3\nO2,u2,,2,p4,p5,\n"
    changed = {key: value for key, value in MAPPING["columns"].items() if value != "timestamp"}
    mapped, _ = checked(rows, columns=changed)
    fixed = apply_fixes(mapped, [Fix(FixKind.PUT, "product", (1,), "p2", "")]).mapped
    report = check_table(fixed)
    assert (report.rows_with_errors, report.events_with_errors) == (1, 1)
    assert report.excluded_mask.tolist() == [True, True, True, False, False]
    assert report.find_excluded(keep_good_members=True).tolist() == [False, True, False, False, False]
    (issue,) = report.issues()
    assert (issue.code, issue.place.row, issue.place.member) == ("product_id_missing", 1, 2)


def test_expect_speaks_of_all_members_of_its_row() -> None:
    mapped, report = checked()
    tests = ExpectationReport(mapped.table, report)
    assert (tests.rows, tests.as_expected, tests.summary) == (5, True, "5 as expected, 0 not.")
    wrong, report = checked(ORDERS.replace(",product_id_missing", ",ok").replace("ok id_pl", "id_pl"))
    tests = ExpectationReport(wrong.table, report)
    assert [(result.row, result.message) for result in tests.results() if result.message] == [
        (4, "product_id_missing found and not expected.")
    ]
    assert json.loads("".join(export_expectations_json(tests)))["failed"] == 1


def test_a_fix_of_a_shared_cell_changes_its_row_and_one_of_a_members_cell_the_member() -> None:
    mapped, _ = checked()
    change = preview_fix(mapped.table, Fix(FixKind.PUT, "when", (3,), "soon", "2022-10-01 10:00:00"))
    assert (change.cells, change.message) == (1, "Row 2, when: “soon” → “2022-10-01 10:00:00”")
    fixed = apply_fixes(mapped, [change.fix])
    assert fixed.cells == (1,)
    assert check_table(fixed.mapped).counts == {"event_id_missing": 1, "product_id_missing": 1, "id_placeholder": 1}
    change = preview_fix(mapped.table, Fix(FixKind.PUT, "product", (9,), "null", "p9"))
    assert (change.cells, change.message) == (1, "Row 5, member 2, product: “null” → “p9”")
    products = [event.body["data"].get("productId") for event in apply_fixes(mapped, [change.fix]).mapped.events()]
    assert products == ["p1", "p2", "p3", "p4", "p5", "p6", "p7", None, "p1", "p9"]


def test_an_id_that_is_given_to_a_row_is_that_of_all_lines_of_its_order() -> None:
    mapped, report = checked()
    (missing,) = {int(event) for event in report.rows_of("event_id_missing")[:1]}
    own = preview_fix(mapped.table, Fix(FixKind.IDS, "order", (missing,)))
    assert own.cells == 1
    ids = [event.body["eventId"] for event in apply_fixes(mapped, [own.fix]).mapped.events()][5:7]
    assert ids[0] == ids[1]
    assert ids[0].startswith("made_")
    views, _ = checked(constants={"name": "Product viewed"})
    put = apply_fixes(views, [Fix(FixKind.PUT, "order", (0,), "O1-1", "N")]).mapped
    assert [event.body.get("eventId") for event in put.events()][:3] == ["N-1", "N-2", "O2-1"]


def test_a_cell_is_found_by_its_row_and_member() -> None:
    mapped, _ = checked()
    found = plan(mapped)
    assert find_cell("row 2 member 3 product", mapped, found) == CellLocation(4, "product")
    assert find_cell("row 2", mapped, found) == CellLocation(2)
    assert find_cell("row 2 member 4", mapped, found) == "Row 2 has members 1 to 3; none is 4."
    assert find_cell("row 6", mapped, found) == "The file has rows 1 to 5; it has no row 6."
    assert find_cell("line 4", mapped, found) == CellLocation(5)


def test_the_plan_says_what_a_target_keeps_that_goes_by_the_id_alone() -> None:
    mapped, report = checked()
    chosen = (~report.excluded_mask).nonzero()[0]
    assert plan_table(mapped, chosen).shared_id_message == (
        "2 events have the event id of an earlier line of the same order: a target that deduplicates by id alone would"
        " keep 2 of 4 events."
    )
    views, report = checked(constants={"name": "Product viewed"})
    assert plan_table(views, (~report.excluded_mask).nonzero()[0]).shared_id_message == ""


def test_the_teams_rules_see_the_values_of_json_as_they_are_sent() -> None:
    text = "\n".join(f'{{"userId":"u","p":{value}}}' for value in ("2.50", '"2.5"', "null", "[1.10]", "4")).encode()
    mapping = Mapping({"userId": "userId", "p": "data.p"}, constants={"name": "Product viewed", "eventId": "e"})
    mapped = map_table(read_table(text, name="x.jsonl"), mapping)
    schema = {"properties": {"data": {"properties": {"p": {"type": "number", "maximum": 3}}, "required": ["p"]}}}
    rules = TeamRules.from_json(json.dumps({"events": {"Product viewed": schema}}))
    report = check_table(mapped, rules=rules)
    rows = {int(row) for code in report.rule_counts for row in report.rows_of(code)}
    assert rows == {1, 2, 3, 4}
    assert [dump_json(event.body["data"]["p"]) for event in mapped.events()] == [
        b"2.50", b'"2.5"', b"null", b"[1.10]", b"4",
    ]  # fmt: skip


def test_excluded_rows_are_exported_as_the_file_has_them_with_the_reason_at_the_member() -> None:
    mapped, report = checked()
    lines = "".join(export_excluded_csv(mapped.table, report)).splitlines()
    assert lines[0] == "order,user,when,price,product_1,product_2,product_3,expect,problems"
    assert [line.split(",")[0] for line in lines[1:]] == ["O2", "", "O4"]
    assert lines[1].startswith("O2,u2,soon,6,p3,p4,p5,timestamp_unreadable,")
    assert "member 1, when: The time “soon” cannot be read." in lines[1]
    views, report = checked(constants={"name": "Product viewed"})
    assert "".join(export_excluded_csv(views.table, report)).splitlines()[1].startswith("O2,u2,soon,")


def test_a_workbook_of_problems_names_row_and_member() -> None:
    mapped, report = checked()
    book = io.BytesIO()
    write_problems_xlsx(mapped, report, book)
    rows = list(openpyxl.load_workbook(book)["Rows"].iter_rows(values_only=True))
    assert rows[0][:2] == ("row", "line")
    assert rows[0][-1] == "member"
    assert [(row[0], row[-1]) for row in rows[1:4]] == [(2, 1), (2, 2), (2, 3)]
