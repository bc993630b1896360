"""What a sheet hides, merges and shows with zeros is said, and chosen by a person."""

import io

import openpyxl
import pytest
from openpyxl.styles.numbers import BUILTIN_FORMATS

from intempt_core.errors import ReadError
from intempt_core.readers.dialects.read_options import ReadOptions
from intempt_core.readers.table import Table, read_table
from intempt_core.readers.workbooks.merged_cells import MergedRange, SheetRow, fill_down, parse_merged_range
from intempt_core.readers.workbooks.number_formats import find_zero_pattern, format_with_zeros
from tests.core.readers.workbook_factories import rows_xml, workbook


def order_book(
    *, hidden: tuple[int, ...] = (), merged: tuple[str, ...] = (), zeros: str = "", title: bool = False
) -> bytes:
    """A sheet of orders as a spreadsheet program writes it: user, product, quantity."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    if title:
        sheet.append(["Orders of October"])
    for cells in (["user", "product", "quantity"], ["u1", 7, 1], ["u2", 12345, 2], [None, 8, 3], [None, 9, 4]):
        sheet.append(cells)
    for row in hidden:
        sheet.row_dimensions[row].hidden = True
    for name in merged:
        sheet.merge_cells(name)
    for row in range(2 + title, 6 + title):
        sheet.cell(row, 2).number_format = zeros or BUILTIN_FORMATS[0]
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(data: bytes, options: ReadOptions | None = None) -> Table:
    return read_table(data, name="book.xlsx", dialect=options)


def column(table: Table, name: str) -> list[str]:
    cells: list[str] = table.columns[name].to_pylist()
    return cells


# ── zeros that only the format shows ─────────────────────────────────────────────────────────────────────────────────


def test_a_number_has_the_zeros_that_its_format_shows() -> None:
    table = read(order_book(zeros="000000"))
    assert column(table, "product") == ["000007", "012345", "000008", "000009"]
    assert column(table, "quantity") == ["1", "2", "3", "4"]
    assert (
        "Numbers were read with the zeros that their format shows, such as “000007”: column “product”." in table.notes
    )


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ("00000", "501", "00501"),
        ("00000", "1234567", "1234567"),
        ("000-00-0000", "12345678", "012-34-5678"),
        ('"SKU-"0000', "42", "SKU-0042"),
        ("\\P00", "7", "P07"),
        ("[Red]000", "7", "007"),
        ("000;-000", "7", "007"),
        ("[$-407]0000", "7", "0007"),
        ("#0000", "7", "0007"),
        ("_-000_-", "7", "007"),
        ("00000", "7.5", "7.5"),  # it would show another number
        ("00000", "-7", "-7"),
        ("00000", "1E+20", "1E+20"),
        ("00000", "9007199254740993", "9007199254740993"),
    ],
)
def test_zeros_and_signs_of_a_format_worked_out_by_hand(code: str, number: str, shown: str) -> None:
    assert format_with_zeros(number, find_zero_pattern(code)) == shown


@pytest.mark.parametrize(
    "code",
    [None, "", "General", "0", "0.00", "00.00", "#,##0", "#,000", "0%", "00%", "00E+00", "@", "[<=9]00;000", "yyyy"],
)
def test_other_formats_show_no_zeros_of_an_id(code: str | None) -> None:
    assert find_zero_pattern(code) == ""


# ── hidden rows ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_hidden_rows_are_counted_and_read_unless_a_person_excludes_them() -> None:
    data = order_book(hidden=(3, 4))
    table = read(data)
    assert (table.rows, list(table.lines)) == (4, [2, 3, 4, 5])
    assert any(note.startswith("2 rows are hidden in the sheet") and "row 3" in note for note in table.notes)
    table = read(data, ReadOptions(hidden_rows="exclude"))
    assert (table.rows, list(table.lines), column(table, "product")) == (2, [2, 5], ["7", "9"])
    assert any("were left out, as you said" in note for note in table.notes)
    assert read(order_book(), ReadOptions(hidden_rows="exclude")).notes == ()


# ── merged cells ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_merged_cells_are_named_and_filled_down_where_a_person_says_so() -> None:
    data = order_book(merged=("A3:A5",))
    table = read(data)
    assert column(table, "user") == ["u1", "u2", "", ""]
    assert any(note.startswith("Cells are merged (“A3:A5”): only the first one of each has") for note in table.notes)
    assert any("--merged-cells fill" in note for note in table.notes)
    table = read(data, ReadOptions(merged_cells="fill"))
    assert column(table, "user") == ["u1", "u2", "u2", "u2"]
    assert column(table, "quantity") == ["1", "2", "3", "4"]


def test_a_merged_title_and_header_fill_no_row() -> None:
    data = order_book(merged=("A1:C1",), title=True)
    table = read(data, ReadOptions(merged_cells="fill"))
    assert (table.header, table.notes) == (
        ("user", "product", "quantity"),
        ("The header is row 2; what is above it was not read.",),
    )


def test_rows_without_height_are_hidden_too() -> None:
    rows = rows_xml([["user"], ["u1"]]) + rows_xml([["u2"]]).replace("<row>", '<row ht="0" customHeight="1">')
    table = read(workbook({"Orders": rows}))
    assert any(note.startswith("One row is hidden in the sheet") and "row 3" in note for note in table.notes)
    assert read(workbook({"Orders": rows}), ReadOptions(hidden_rows="exclude")).rows == 1


def test_hidden_and_merged_together_keep_the_value_of_a_hidden_first_row() -> None:
    data = order_book(merged=("A3:A5",), hidden=(3,))
    table = read(data, ReadOptions(merged_cells="fill", hidden_rows="exclude"))
    assert column(table, "user") == ["u1", "u2", "u2"]


def test_ranges_of_several_columns_are_filled_down_in_their_first_one() -> None:
    rows = [SheetRow(2, {0: "a", 2: "x"}), SheetRow(3, {2: "y"}), SheetRow(4, {1: "z"}), SheetRow(5, {2: "w"})]
    ranges = [MergedRange("A2:B4", 0, 2, 4), MergedRange("C1:C9", 2, 1, 9)]
    assert [row.cells for row in fill_down(rows, ranges, 1)] == [
        {0: "a", 2: "x"},
        {0: "a", 2: "y"},
        {0: "a", 1: "z"},
        {2: "w"},
    ]


@pytest.mark.parametrize(
    ("name", "found"),
    [("C2:C4", MergedRange("C2:C4", 2, 2, 4)), ("AA10:AB12", MergedRange("AA10:AB12", 26, 10, 12)), ("C2", None)],
)
def test_the_name_of_a_range_is_read(name: str, found: MergedRange | None) -> None:
    assert parse_merged_range(name) == found


# ── sheets ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_sheets_that_are_not_read_are_named() -> None:
    data = workbook({name: rows_xml([["a"], ["1"]]) for name in ("Orders", "Returns", "Notes")})
    assert read(data).notes == ("Sheet “Orders” of 3 was read; not read: “Returns”, “Notes”.",)
    assert read(data, ReadOptions(sheet="Notes")).dialect.sheet == "Notes"
    with pytest.raises(ReadError, match=r"It has Orders, Returns, Notes. Choose one"):
        read(data, ReadOptions(sheet="Order"))
