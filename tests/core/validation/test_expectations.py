"""A file that tests itself: what a row expects is compared with what is found, row by row."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.cli import main
from intempt_core.contract.issue_kinds import ISSUE_KINDS, Severity
from intempt_core.errors import MappingError, ReadError
from intempt_core.exports.junit import export_expectations_json, export_expectations_junit
from intempt_core.mapping.model import Mapping, exact_mapping
from intempt_core.mapping.table_events import choose_initial_mapping, map_table
from intempt_core.readers.table import read_table
from intempt_core.validation.check import check_table
from intempt_core.validation.expectations import ExpectationReport, ExpectationState, parse_expectation
from intempt_core.validation.report import Report
from tests.core.readers.factories import table_of

OF = ("ok", "event_name")
HEADER = ["name", "eventId", "userId", "productId", "expect"]


def held(rows: Sequence[Sequence[str]]) -> tuple[ExpectationReport, Report]:
    table = table_of(HEADER, rows)
    report = check_table(map_table(table, exact_mapping(table.header)))
    return ExpectationReport(table, report), report


def row(expect: str, number: object = 1, **cells: str) -> list[str]:
    good = {"name": "Product viewed", "eventId": f"e{number}", "userId": "u", "productId": "p"}
    return [*(good | cells).values(), expect]


@pytest.mark.parametrize(
    ("expect", "cells", "state", "says"),
    [
        ("ok", {}, ExpectationState.PASSED, ""),
        ("ok", {"userId": "null"}, ExpectationState.PASSED, ""),  # a warning is no error
        ("ok", {"productId": ""}, ExpectationState.FAILED, "product_id_missing found and not expected."),
        ("product_id_missing", {"productId": ""}, ExpectationState.PASSED, ""),
        ("product_id_missing", {}, ExpectationState.FAILED, "product_id_missing expected and not found."),
        ("event_name, product_id_missing", {"name": "x", "productId": ""}, ExpectationState.PASSED, ""),
        (
            "event_name",
            {"name": "x", "productId": ""},
            ExpectationState.FAILED,
            "product_id_missing found and not expected.",
        ),
        (
            "event_name",
            {"productId": ""},
            ExpectationState.FAILED,
            "event_name expected and not found. product_id_missing found and not expected.",
        ),
        ("id_placeholder", {"userId": "null"}, ExpectationState.PASSED, ""),
        ("ok id_placeholder", {}, ExpectationState.FAILED, "id_placeholder expected and not found."),
        ("", {"productId": ""}, ExpectationState.UNTESTED, ""),
        (
            "product_id_mising",
            {},
            ExpectationState.UNREADABLE,
            "“product_id_mising” is no issue code. Did you mean “product_id_missing”?",
        ),
        (
            "fine",
            {},
            ExpectationState.UNREADABLE,
            "“fine” is no issue code. It takes “ok” or codes such as product_id_missing.",
        ),
        (
            "ok, event_name",
            {},
            ExpectationState.UNREADABLE,
            "“ok” and event_name cannot both be expected: “ok” means that there is no error. Keep one of them.",
        ),
    ],
)
def test_a_row_is_held_against_what_it_expects(
    expect: str, cells: dict[str, str], state: ExpectationState, says: str
) -> None:
    tests, _ = held([row(expect, **cells), row("ok", 2)])
    first = next(tests.results())
    assert (first.state, first.message) == (state, says)


codes = st.sampled_from(["event_name", "product_id_missing", "identity_missing", "id_placeholder"])
expectations = st.lists(codes | st.just("ok") | st.just("odd"), max_size=3).map(" ".join)
cells = st.tuples(st.sampled_from(["Product viewed", "x"]), st.just("e"), st.sampled_from(["u", "", "null"]),
                  st.sampled_from(["p", ""]), expectations)  # fmt: skip


@given(st.lists(cells, min_size=1, max_size=12))
def test_the_states_over_columns_are_those_of_each_row_by_itself(rows: list[tuple[str, ...]]) -> None:
    given_rows = [[name, f"e{number}", *rest] for number, (name, _, *rest) in enumerate(rows)]
    tests, report = held([*given_rows, row("ok", 99)])
    for result, issues in zip(tests.results(), report.issues_by_row(range(len(given_rows) + 1)), strict=True):
        expected = parse_expectation(result.expected)
        errors = {issue.code for issue in issues if issue.severity is Severity.ERROR}
        wanted = {code for code in expected.codes if ISSUE_KINDS[code].severity is Severity.ERROR}
        alike = errors == wanted and expected.codes <= {issue.code for issue in issues}
        by_itself = ExpectationState.PASSED if alike else ExpectationState.FAILED
        if not expected.is_tested:
            by_itself = ExpectationState.UNREADABLE if expected.problem else ExpectationState.UNTESTED
        assert result.state is by_itself
        assert set(result.found) == {issue.code for issue in issues}


def test_the_counts_name_every_state_and_only_failures_and_unreadables_spoil_it() -> None:
    tests, _ = held([row("ok", 1), row("ok", 2, productId=""), row("nonsense", 3), row("", 4)])
    assert {state.value: count for state, count in tests.counts.items()} == {
        "passed": 1,
        "failed": 1,
        "unreadable": 1,
        "untested": 1,
    }
    assert not tests.as_expected
    assert tests.summary == "1 as expected, 1 not, 1 with an expectation that cannot be read, 1 without one."
    assert tests.rows_in(ExpectationState.FAILED, ExpectationState.UNREADABLE).tolist() == [1, 2]
    assert held([row("ok", 1), row("", 2, productId="")])[0].as_expected


def test_a_file_without_expectations_is_no_test() -> None:
    table = table_of(["name"], [["x"]])
    report = check_table(map_table(table, exact_mapping(["name"])))
    with pytest.raises(ReadError, match="has no column “expect”"):
        ExpectationReport(table, report)
    with pytest.raises(ReadError, match="no row says what is expected"):
        held([row(""), row(" ")])
    with pytest.raises(ReadError, match="no row says what is expected"):
        held([])


def test_what_is_expected_is_never_sent_and_no_made_id_depends_on_it() -> None:
    header = ["name", "userId", "productId", "expect"]
    mapped = [
        map_table(table_of(header, [["Product viewed", "u", "p", said]]), exact_mapping(header)).event(0)
        for said in ("ok", "event_name")
    ]
    assert mapped[0].body == mapped[1].body
    assert "expect" not in mapped[0].body["data"]
    with pytest.raises(MappingError, match="never sent"):
        Mapping({"expect": "data.expect"}).check()


def test_json_lines_are_tested_as_they_came_and_what_they_expect_is_not_sent() -> None:
    event = {"name": "Product viewed", "eventId": "e1", "userId": "u", "data": {"productId": "p"}, "expect": "ok"}
    lines = [event, event | {"eventId": "e2", "data": {}, "expect": "product_id_missing"}]
    text = "\n".join(json.dumps(line) for line in [*lines, {**event, "eventId": "e3"} | {"expect": None}, 5])
    table = read_table(text.encode(), name="tests.jsonl")
    mapped = map_table(table, choose_initial_mapping(table))
    assert [result.state for result in ExpectationReport(table, check_table(mapped)).results()][:3] == [
        ExpectationState.PASSED, ExpectationState.PASSED, ExpectationState.UNTESTED,
    ]  # fmt: skip
    assert all("expect" not in event.body for event in mapped.events(range(3)))
    assert mapped.unused_columns == ("expect",)


# ── taken along ──


def test_the_tests_as_json_have_a_result_for_every_row() -> None:
    tests, _ = held([row("ok", 1), row("ok", 2, name="=1+1\ud800".encode("utf-8", "replace").decode())])
    shown = json.loads("".join(export_expectations_json(tests)))
    assert {key: shown[key] for key in shown if key != "results"} == {
        "file": "events.csv",
        "rows": 2,
        "as_expected": False,
        "passed": 1,
        "failed": 1,
        "unreadable": 0,
        "untested": 0,
    }
    assert shown["results"][1] == {
        "row": 2,
        "line": 3,
        "result": "failed",
        "expected": "ok",
        "found": ["event_name"],
        "message": "event_name found and not expected.",
    }


def test_the_tests_as_junit_are_xml_whatever_the_cells_hold() -> None:
    odd = 'x"<&>\x00\x0b\ufffe]]>'
    tests, report = held(
        [row("ok", 1), row("ok", 2, name=odd), row(odd, 3), row("", 4), *(row("ok", n) for n in range(5, 700))]
    )
    suites = ET.fromstring("".join(export_expectations_junit(tests, report)))  # noqa: S314  our own document
    (suite,) = suites
    totals = {key: suite.attrib[key] for key in ("tests", "failures", "errors", "skipped")}
    assert totals == {"tests": "699", "failures": "1", "errors": "1", "skipped": "1"}
    assert {key: suites.attrib[key] for key in totals} == totals
    cases = list(suite)
    assert len(cases) == 699
    assert (cases[0].attrib, len(cases[0])) == ({"classname": "events.csv", "name": "row 1 (line 2): ok"}, 0)
    (failure,) = cases[1]
    assert (failure.tag, failure.attrib["message"]) == ("failure", "event_name found and not expected.")
    assert failure.text is not None
    assert failure.text.startswith('Row 2, column name: The event name is “x"<&>��')
    assert [case[0].tag for case in cases[2:4]] == ["error", "skipped"]


def test_a_large_file_is_tested_as_columns() -> None:
    count = 200_000
    lines = (f"{'x' if number % 2 else 'Product viewed'},e{number},u,p,{OF[number % 2]}" for number in range(count))
    table = read_table("\n".join([",".join(HEADER), *lines]).encode(), name="events.csv")
    report = check_table(map_table(table, exact_mapping(table.header)))
    assert report.counts == {"event_name": count // 2}
    began = time.process_time()
    tests = ExpectationReport(table, report)
    assert tests.as_expected
    assert time.process_time() - began < 2
    assert tests.counts[ExpectationState.PASSED] == count


# ── the command line ──


@pytest.mark.parametrize("form", ["text", "json", "junit"])
def test_the_command_line_tells_the_tests_by_its_exit_code(
    tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "tests.csv"
    text = "name,eventId,userId,productId,expect\nProduct viewed,e1,u,p,ok\nProduct viewed,e2,u,,product_id_missing\n"
    call = ["check", str(file), "--expect", "--format", form]
    file.write_text(text)
    assert main(call, {}) == 0  # every row is as expected, though one has an error
    file.write_text(text.replace(",ok", ",event_name"))
    capsys.readouterr()
    assert main(call, {}) == 1
    shown = capsys.readouterr().out
    if form == "text":
        assert "failed: Row 1 (line 2): event_name expected and not found." in shown
        assert shown.endswith("tests.csv: 2 rows; 1 as expected, 1 not.\n")
    elif form == "json":
        assert json.loads(shown)["failed"] == 1
    else:
        assert ET.fromstring(shown).attrib["failures"] == "1"  # noqa: S314  our own document
    file.write_text(text.replace("expect", "note"))
    assert main(call, {}) == 2
    assert "has no column “expect”" in capsys.readouterr().err


def test_more_failures_than_are_listed_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "tests.csv"
    rows = "".join(f"x,e{number},u,p,ok\n" for number in range(1203))
    file.write_text("name,eventId,userId,productId,expect\n" + rows)
    assert main(["check", str(file), "--expect"], {}) == 1
    assert "… and 203 more rows." in capsys.readouterr().out


def test_a_document_with_expect_is_said_to_have_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "body.json"
    file.write_text('{"track": []}')
    assert main(["check", str(file), "--expect"], {}) == 2
    assert "only a table can have a column" in capsys.readouterr().err
