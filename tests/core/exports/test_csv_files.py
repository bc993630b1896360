"""CSV exports: one line for every row, every problem, and the excluded rows; no formula, no secret."""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.issue_kinds import ISSUE_KINDS
from intempt_core.contract.issues import Place
from intempt_core.contract.outcome import Outcome
from intempt_core.contract.rules import GivenEvent
from intempt_core.errors import NotFound
from intempt_core.exports.csv_files import (
    PROBLEMS_HEADER,
    RESULTS_HEADER,
    export_excluded_csv,
    export_problems_csv,
    export_results_csv,
    neutralize_formula,
)
from intempt_core.history import AttemptEnd, AttemptStart, ExcludedRow, History
from intempt_core.mapping.event_source import EventSource
from intempt_core.mapping.model import exact_mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.readers.table import read_table
from intempt_core.validation.check import check_events, check_table
from intempt_core.validation.report import Report
from tests.core.history.factories import ME, attempt, batch_of, event, intent, request


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    opened = History.open(f"sqlite:///{tmp_path / 'history.sqlite3'}")
    yield opened
    opened.close()


def read(pieces: Iterable[str]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(pieces), newline="")))


def mapped(text: str) -> EventSource:
    table = read_table(text.encode(), name="events.csv")
    return map_table(table, exact_mapping(table.header))


BAD = (
    "eventId,name,userId,productId,note\r\n"
    "e1,Product viewed,u1,p1,fine\r\n"
    'e2,Product Viewed,u1,p2,"a, ""quoted"" note"\r\n'
    "e3,Product viewed,u1,,=SUM(A1)\r\n"
    "e4,Product viewed,,p4,\r\n"
)


def report(text: str = BAD) -> tuple[EventSource, Report]:
    found = mapped(text)
    return found, check_table(found)


# ── results ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_results_have_one_line_for_every_row_of_the_input(history: History) -> None:
    left = [ExcludedRow(3, 4, ("event_id_missing", "event_name"), None, "view")]
    batch = batch_of(history, [1, 1], excluded=left)
    first = history.queue.take(batch, 1, 1)[0]
    history.queue.apply_transitions([AttemptStart(first.id), AttemptEnd(first.id, attempt(Outcome.REJECTED))], owner=ME)
    text = "".join(export_results_csv(history, batch))
    assert text.splitlines()[0] == ",".join(RESULTS_HEADER)
    assert text.count("\r\n") == 4
    rejected, pending, excluded = read([text])
    assert (rejected["row"], rejected["line"], rejected["eventId"], rejected["outcome"]) == ("1", "2", "e1", "rejected")
    assert (rejected["status"], rejected["tries"], rejected["request"]) == ("400", "1", str(first.id))
    assert rejected["when"].startswith("20")
    assert (rejected["userId"], rejected["profileId"], rejected["productId"]) == ("u1", "", "p1")
    assert (pending["outcome"], pending["status"], pending["tries"]) == ("pending", "", "0")
    assert (excluded["outcome"], excluded["issues"]) == ("excluded", "event_id_missing event_name")
    assert (excluded["eventId"], excluded["name"], excluded["tries"], excluded["when"], excluded["request"]) == (
        "",
        "view",
        "",
        "",
        "",
    )


def test_a_time_of_a_result_is_utc_to_the_millisecond(tmp_path: Path) -> None:
    history = History.open(f"sqlite:///{tmp_path / 'h'}", clock=lambda: 1_795_348_980_007)
    assert read(export_results_csv(history, batch_of(history, [1])))[0]["when"] == "2026-11-22 12:03:00.007"
    history.close()


def test_results_come_in_pieces(history: History) -> None:
    batch = batch_of(history, [50] * 30)
    pieces = list(export_results_csv(history, batch))
    assert len(pieces) == 3
    assert [row["row"] for row in read(pieces)] == [str(n) for n in range(1, 1501)]


def test_results_that_fill_their_last_piece_end_there(history: History) -> None:
    assert len(list(export_results_csv(history, batch_of(history, [50] * 10)))) == 1


def test_results_of_nothing_are_not_found(history: History) -> None:
    with pytest.raises(NotFound):
        next(export_results_csv(history, "b_nothing"))


# ── problems ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_problem_is_exported_with_its_place_and_its_fix() -> None:
    _, found = report()
    rows = read(export_problems_csv(found))
    assert list(rows[0]) == list(PROBLEMS_HEADER)
    assert [(row["row"], row["line"], row["column"], row["code"]) for row in rows] == [
        ("2", "3", "name", "event_name"),
        ("3", "4", "productId", "product_id_missing"),
        ("4", "5", "", "identity_missing"),
    ]
    assert rows[0]["given"] == "Product Viewed"
    assert rows[0]["fix"] == "Write “Product viewed”, exactly so."
    assert rows[1]["pointer"] == "/data/productId"
    assert rows[1]["allowed"] == ISSUE_KINDS["product_id_missing"].allowed
    assert {row["severity"] for row in rows} == {"error"}


def test_problems_of_pasted_events_come_out_by_the_same_door() -> None:
    odd = GivenEvent("\ud800", {"eventId": "=1+1", "userId": "u", "data": {}}, Place(row=1, line=7, pointer="/track/0"))
    rows = read(export_problems_csv(check_events([odd])))
    assert [row["code"] for row in rows] == ["event_name", "product_id_missing"]
    assert (rows[0]["line"], rows[0]["given"]) == ("7", "\\ud800")


def test_no_problem_leaves_the_header_alone() -> None:
    _, found = report("eventId,name,userId,productId\r\ne1,Product viewed,u,p\r\n")
    assert "".join(export_problems_csv(found)) == ",".join(PROBLEMS_HEADER) + "\r\n"


def test_more_problems_than_a_page_are_all_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intempt_core.exports.csv_files._CHUNK_ISSUES", 2)
    _, found = report("eventId,name,userId,productId\r\n" + ",,,\r\n" * 3)
    assert len(read(export_problems_csv(found))) == 12


# ── excluded rows ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_excluded_rows_come_out_with_their_own_cells_and_what_is_wrong() -> None:
    given_table, found = report()
    rows = read(export_excluded_csv(given_table.table, found))
    assert [row["eventId"] for row in rows] == ["e2", "e3", "e4"]
    assert rows[0]["note"] == 'a, "quoted" note'
    assert rows[0]["problems"].startswith("name: The event name is “Product Viewed”.")
    assert rows[2]["problems"].startswith("No identity is given.")


def test_a_cell_that_had_to_be_marked_is_named() -> None:
    given_table, found = report()
    row = read(export_excluded_csv(given_table.table, found))[1]
    assert row["note"] == "'=SUM(A1)"
    assert row["problems"].endswith("note: take away the leading '.")


def test_corrected_rows_can_be_uploaded_again_and_again() -> None:
    given_table, found = report()
    text = "".join(export_excluded_csv(given_table.table, found))
    second, again = report(text)
    assert second.table.header == (*given_table.table.header, "problems")
    assert again.rows_with_errors == 3
    assert "".join(export_excluded_csv(second.table, again)).count("problems") == 1
    fixed = text.replace("Product Viewed,", "Product viewed,").replace(
        "e3,Product viewed,u1,,", "e3,Product viewed,u1,p3,"
    )
    assert report(fixed.replace("e4,Product viewed,,", "e4,Product viewed,u1,"))[1].rows_with_errors == 0


# ── cells ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "formula", ["=1+1", "+A1", "-A1", "@SUM(A1)", "\tx", "\r=1", "=", "-", "-1+1", "+1|cmd", "--1"]
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(formula: str) -> None:
    assert neutralize_formula(formula) == f"'{formula}"


@pytest.mark.parametrize("plain", ["", "-1.5", "+3", "-1,5", "-1e5", "1=1", " x", "'x", "p-1", "user@shop"])
def test_what_no_spreadsheet_runs_stays(plain: str) -> None:
    assert neutralize_formula(plain) == plain


@given(st.text())
def test_any_cell_is_utf8_and_none_begins_a_formula(text: str) -> None:
    cell = neutralize_formula(text)
    cell.encode()
    try:
        float(cell.replace(",", "."))
    except ValueError:
        assert cell[:1] not in {"=", "+", "-", "@", "\t", "\r"}


def test_ids_that_look_like_formulas_are_neutral_in_results(history: History) -> None:
    batch = history.recorder.record(intent(), [request(1, 1, [event(1, event_id='=HYPERLINK("http://x")')])])
    assert read(export_results_csv(history, batch))[0]["eventId"] == '\'=HYPERLINK("http://x")'


def test_an_excluded_row_comes_back_under_the_id_that_was_made_for_it() -> None:
    given_table, found = report("name,userId,productId\r\nProduct viewed,u1,\r\nProduct viewed,u2,p\r\n")
    again, _ = report("".join(export_excluded_csv(given_table.table, found)))
    assert again.event(0).body["eventId"] == given_table.event(0).body["eventId"]
    assert "problems" not in again.event(0).body["data"]
