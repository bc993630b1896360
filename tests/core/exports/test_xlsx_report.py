"""Problems as a workbook: another program reads it, the bad cells have a colour, nothing runs, nothing is lost."""

import io
import time
import zipfile
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intempt_core.exports.xlsx_report import MAX_CELL_CHARACTERS, write_problems_xlsx
from intempt_core.mapping.event_source import EventSource
from intempt_core.mapping.model import exact_mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.readers.table import read_table
from intempt_core.validation.check import check_table
from intempt_core.validation.report import Report
from tests.core.readers.factories import table_of
from tests.examples import scale_examples

HEADER = ["name", "eventId", "userId", "profileId", "productId", "note"]
RED, AMBER = "FFF6C7C1", "FFF9E3B0"


def checked(rows: list[list[str]], header: list[str] = HEADER) -> tuple[EventSource, Report]:
    mapped = map_table(table_of(header, rows), exact_mapping(header))
    return mapped, check_table(mapped)


def book_of(mapped: EventSource, report: Report, **more: Any) -> Any:
    out = io.BytesIO()
    write_problems_xlsx(mapped, report, out, **more)
    return openpyxl.load_workbook(out)


def cells(sheet: Any) -> list[list[object]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def colour(sheet: Any, place: str) -> str | None:
    fill = sheet[place].fill
    return fill.fgColor.rgb if fill.fill_type else None


ROWS = [
    ["Product viewed", "e1", "u1", "", "p1", "fine"],
    ["Product Viewed", "0012345678901234567", "u1", "", "p2", "=1+1"],
    ["Product viewed", "e3", "", "", "", "<r>x</r>"],
    ["Product viewed", "e4", "null", "", "p4", "-"],
]


def test_rows_with_problems_stand_there_with_their_bad_cells_coloured() -> None:
    book = book_of(*checked(ROWS))
    rows = book["Rows"]
    assert book.sheetnames == ["Rows", "Problems", "About"]
    assert cells(rows)[0] == ["row", "line", *HEADER, "problems"]
    assert [row[:2] for row in cells(rows)[1:]] == [[2, 3], [3, 4], [4, 5]]
    coloured = {cell.coordinate: colour(rows, cell.coordinate) for line in rows.iter_rows() for cell in line}
    assert {place: found for place, found in coloured.items() if found} == {
        "C2": RED,  # the name
        "E3": RED,  # identity missing: both identities
        "F3": RED,
        "G3": RED,  # an empty product id
        "E4": AMBER,  # a placeholder
    }
    assert rows["I2"].value.startswith("name: The event name is “Product Viewed”.")


def test_ids_are_text_formulas_do_not_run_and_no_markup_is_taken() -> None:
    rows = book_of(*checked(ROWS))["Rows"]
    assert (rows["D2"].value, rows["D2"].data_type, rows["D2"].number_format) == ("0012345678901234567", "s", "@")
    assert (rows["H2"].value, rows["H2"].data_type, rows["H2"].quotePrefix) == ("=1+1", "s", True)
    assert rows["H4"].quotePrefix
    assert rows["H3"].value == "'<r>x</r>"
    out = io.BytesIO()
    write_problems_xlsx(*checked(ROWS), out)
    with zipfile.ZipFile(out) as parts:
        assert not any(b"<f>" in parts.read(name) for name in parts.namelist())


def test_every_problem_is_listed_and_counted_by_kind() -> None:
    mapped, report = checked(ROWS)
    book = book_of(mapped, report)
    problems = cells(book["Problems"])
    assert [line[4] for line in problems[1:]] == [issue.code for issue in report.issues()]
    about = cells(book["About"])
    assert ["rows with errors", 2, None] in about
    assert ["identity missing", 1, "identity_missing"] in about
    assert colour(book["Problems"], "F2") == RED


def test_what_a_sheet_cannot_hold_is_said() -> None:
    many = [["x", f"e{number}", "", "", "p", "y" * 40_000 if not number else ""] for number in range(20)]
    book = book_of(*checked(many), max_rows=11)
    assert len(cells(book["Rows"])) == 11
    assert len(cells(book["Problems"])) == 11
    assert book.active.title == "About"
    said = "\n".join(str(line[0]) for line in cells(book["About"]))
    assert "A sheet holds 10 rows here: 10 of 20 rows with problems are left out. problems.csv has them all." in said
    assert "30 of 40 problems are left out of the sheet “Problems”." in said
    assert "1 cell is cut: one holds 32,767 characters." in said
    note = str(book["Rows"]["H2"].value)
    assert note.endswith("… (cut: 40,000 characters)")
    assert len(note) <= MAX_CELL_CHARACTERS


def test_more_columns_than_a_sheet_has_are_said() -> None:
    header = [f"c{number}" for number in range(50)]
    book = book_of(*checked([["x"] * 50], header), max_columns=40)
    assert len(cells(book["Rows"])[0]) == 40
    said = [line[0] for line in cells(book["About"])]
    assert "A sheet holds 40 columns: those after “c36” are left out." in said


def test_a_file_without_a_problem_is_a_workbook_too() -> None:
    book = book_of(*checked(ROWS[:1]))
    assert len(cells(book["Rows"])) == 1
    assert book.active.title == "Rows"


anything = st.text(max_size=12).map(lambda text: text.encode("utf-8", "ignore").decode())


@settings(max_examples=scale_examples(30), deadline=None)
@given(
    st.lists(anything, min_size=1, max_size=4)
    | st.just(["_x0041_", "\x00\x0b", "\ufffe", " a ", "\U0001f6d2" * 20_000])
)
def test_any_text_comes_back_as_it_was_or_as_what_a_workbook_can_hold(texts: list[str]) -> None:
    rows = [["x", f"e{number}", "u", "", "p", text] for number, text in enumerate(texts)]
    sheet = book_of(*checked(rows))["Rows"]
    for number, text in enumerate(texts, 2):
        read = str(sheet[f"H{number}"].value or "")
        plain = text.replace("\ufffe", "�").replace("\uffff", "�")
        assert openpyxl.utils.escape.unescape(read) == plain or "(cut: 20,000 characters)" in read


@pytest.mark.untraced
@pytest.mark.parametrize("count", [10_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_a_large_file_with_few_bad_rows_is_quick_and_the_same_twice(count: int) -> None:
    lines = [f"{'x' if number % 50 == 0 else 'Product viewed'},e{number},u,,p," for number in range(count)]
    table = read_table("\n".join([",".join(HEADER), *lines]).encode(), name="events.csv")
    mapped = map_table(table, exact_mapping(table.header))
    report = check_table(mapped)
    began = time.process_time()
    first, second = io.BytesIO(), io.BytesIO()
    write_problems_xlsx(mapped, report, first)
    assert time.process_time() - began < 10
    write_problems_xlsx(mapped, report, second)
    assert first.getvalue() == second.getvalue()
    assert openpyxl.load_workbook(first, read_only=True)["Rows"].max_row == count // 50 + 1


@pytest.mark.parametrize("text", ["e1", "=1"])
def test_a_column_that_comes_back_from_an_excluded_rows_file_is_not_doubled(text: str) -> None:
    header = [*HEADER, "problems"]
    sheet = book_of(*checked([["x", text, "u", "", "p", "", "old words"]], header))["Rows"]
    assert [str(cell) for cell in cells(sheet)[0]].count("problems") == 1
