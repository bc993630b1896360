"""The header is found below lines about the file, or there is none; empty cells too many at the end are no error."""

import pytest

from intempt_core.errors import ReadError
from intempt_core.readers.dialects.read_options import ReadOptions
from intempt_core.readers.table import Table, read_table
from tests.core.readers.workbook_factories import rows_xml, workbook

HEADER = ["event_type", "event_time", "user_id", "product_id", "price"]
ROWS = [["view", f"2022-10-01 10:00:0{n}", f"u{n}", f"p{n}", f"{n}.5"] for n in range(4)]

TITLES = {
    "dashes": ["# ----", "# Web site data", "# 20200101-20200131", "# ----", ""],
    "a title": ["Report of October"],
    "a title and a blank line": ["Report of October", "", ""],
    "a title with a comma": ["Report, October"],
    "title and period": ["Title,Sales", "Period,2022-10-01", ""],
    "empty cells": ["Report,,,,", ",,,,"],
}


def text_of(*above: str, delimiter: str = ",") -> str:
    return "\n".join([*above, *(delimiter.join(row) for row in (HEADER, *ROWS))]) + "\n"


def read(text: str, options: ReadOptions | None = None) -> Table:
    return read_table(text.encode(), name="t.csv", dialect=options)


# ── lines above the header ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("above", TITLES.values(), ids=TITLES)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_lines_about_the_file_are_skipped_and_said(above: list[str], delimiter: str) -> None:
    table = read(text_of(*(line.replace(",", delimiter) for line in above), delimiter=delimiter))
    line = len(above) + 1
    assert list(table.header) == HEADER
    assert table.dialect.header_line == line
    assert [table.cell(row, "user_id") for row in range(table.rows)] == ["u0", "u1", "u2", "u3"]
    assert f"The header is line {line}; what is above it was not read." in table.notes


def test_a_comma_in_the_title_does_not_become_the_delimiter() -> None:
    assert read(text_of("Report, October", delimiter=";")).dialect.delimiter == ";"


def test_a_header_that_a_person_names_stands_whatever_is_above() -> None:
    table = read(text_of("Report of October"), ReadOptions(header_line=1))
    assert table.header == ("Report of October",)
    table = read(text_of("a,b,c,d,e"), ReadOptions(header_line=2))
    assert list(table.header) == HEADER


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("a,b,c\n1,2,3,4,5,6\n1,2,3,4,5,6\n", ("a", "b", "c")),  # rows of too many cells
        ("a,b,c\nx\ny\nz,1,2\n", ("a", "b", "c")),  # rows of too few
        ("text\nhello, you\nonly this\nand, that\n", ("text",)),  # one column, with commas
        ("a\n1,5\n2,5\n", ("a",)),
    ],
)
def test_a_first_line_that_is_narrower_than_the_rows_stays_the_header(text: str, header: tuple[str, ...]) -> None:
    assert read(text).header == header


# ── no header ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "1433221332117,257597,view,355908,\n1433224214164,992329,view,248676,\n",
        "Product viewed,evt_1,5712790\n",
        "2022-12-01 00:00:00 UTC,view,5712790\nx,y,z\n",
        "51d85cb0-897f-48d2-918b-ad63965c12dc,view\n",
        "1714631904000\n",
        "# exported\nview,1,2\nview,3,4\n",
        "view,2022-10-01 10:00:00,u1,p1,1\nview,2022-10-01 10:00:01,u2,p2,2.5\ncart,2022-10-01 10:00:02,u3,p3,3\n",
    ],
)
def test_a_file_without_a_header_is_recognised_and_its_columns_are_called_by_their_number(text: str) -> None:
    table = read(text)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert table.header == tuple(f"column {n}" for n in range(1, lines[0].count(",") + 2))
    assert table.rows == len(lines)
    assert ",".join(table.record(0).values()) == lines[0]
    assert table.dialect.no_header
    assert any(note.startswith("There is no header: line ") for note in table.notes)


def test_a_person_may_say_that_there_is_a_header_or_none() -> None:
    assert read("2021,2022\n1,2\n").rows == 2
    assert read("2021,2022\n1,2\n", ReadOptions(no_header=False)).header == ("2021", "2022")
    assert read("2021,2022\n1,2\n", ReadOptions(header_line=1)).header == ("2021", "2022")
    table = read("u1,p1\nu2,p2\n", ReadOptions(no_header=True))
    assert (table.header, table.rows, list(table.lines)) == (("column 1", "column 2"), 2, [1, 2])
    table = read("about\nu1,p1\nu2,p2\n", ReadOptions(no_header=True, header_line=2, rows_to_skip=1))
    assert (table.rows, list(table.lines)) == (1, [3])


def test_names_with_digits_are_a_header_where_the_cells_below_look_otherwise() -> None:
    assert read("q1,p2,2022\nu1-a,x,1\n").header == ("q1", "p2", "2022")
    assert read("p50,p90,99\n1,2,3\n").header == ("p50", "p90", "99")
    assert read("step1,step2,7\nfirst1,first2,8\n").header == ("step1", "step2", "7")
    assert read("u1,p1,x\nu2,p2,y\n").header == ("u1", "p1", "x")  # without a value it may well be one


def test_files_put_one_after_another_have_a_header() -> None:
    part = "name,user\nview,u1\n"
    assert read(part * 4).header == ("name", "user")


# ── empty cells at the end ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_an_empty_cell_too_many_at_the_end_of_every_row_is_no_error(end: str, quote: str) -> None:
    table = read(end.join(["a;b", f"1;{quote}2{quote};", f"3;{quote}4{quote};", ""]))
    assert (table.header, dict(table.cell_counts)) == (("a", "b"), {})
    assert [table.cell(row, "b") for row in range(2)] == ["2", "4"]
    assert "Every row has an empty cell too many at the end, which was left out." in table.notes


def test_some_rows_with_empty_cells_at_their_end_are_no_error_and_others_are_one() -> None:
    table = read("a,b\n1,2,,,\n3,4\n5,6,,7\n8,9,\n1,2, \n")
    assert dict(table.cell_counts) == {2: 4}
    assert "3 rows have an empty cell too many at the end, which was left out." in table.notes


def test_a_last_column_without_name_and_cells_is_none() -> None:
    table = read("a;b;\n1;2;\n3;;\n4;5\n")
    assert (table.header, dict(table.cell_counts)) == (("a", "b"), {})
    assert table.notes == ("Cells are separated by semicolons.",)
    assert read("a;b;\n1;2;x\n").header == ("a", "b", "column 3")
    assert dict(read("a,b,\n1\n").cell_counts) == {0: 1}


# ── sheets ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_header_of_a_sheet_is_found_below_its_title() -> None:
    data = workbook({"Orders": rows_xml([["Report"], ["Period", "October"], HEADER, *ROWS])})
    table = read_table(data, name="t.xlsx")
    assert (list(table.header), table.rows, table.dialect.header_line) == (HEADER, 4, 3)
    assert "The header is row 3; what is above it was not read." in table.notes
    with pytest.raises(ReadError, match="no header in row 99"):
        read_table(data, name="t.xlsx", dialect=ReadOptions(header_line=99))


def test_a_sheet_without_a_header_is_recognised() -> None:
    table = read_table(workbook({"Orders": rows_xml(ROWS)}), name="t.xlsx", dialect=ReadOptions(no_header=True))
    assert (table.header[0], table.rows, list(table.lines)) == ("column 1", 4, [1, 2, 3, 4])
