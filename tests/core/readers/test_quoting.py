"""Malformed quoting is an error of its row, and no other row is lost; cells of several lines stay as they are."""

import csv
import io
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intempt_core.errors import ReadError
from intempt_core.mapping import Mapping, exact_mapping, map_table
from intempt_core.readers.delimited import read_row_blocks
from intempt_core.readers.dialects.dialect import Dialect
from intempt_core.readers.dialects.read_options import ReadOptions
from intempt_core.readers.dialects.swallowed_lines import describe_shape
from intempt_core.readers.table import Table, read_table
from intempt_core.validation import check_table

HEADER = "event,time,user,title,product\n"
ROWS = [f"view,2022-10-01 10:00:0{n},u{n},title {n},p{n}" for n in range(8)]


def read(text: str, options: ReadOptions | None = None) -> Table:
    return read_table(text.encode(), name="t.csv", dialect=options)


def rows_of(table: Table) -> list[tuple[str, ...]]:
    return list(zip(*(table.columns[column].to_pylist() for column in table.header), strict=True))


def shop(*changed: tuple[int, str, str]) -> Table:
    """The rows of a shop; in some of them a text is another."""
    lines = list(ROWS)
    for row, old, new in changed:
        lines[row] = lines[row].replace(old, new)
    return read(HEADER + "\n".join(lines) + "\n")


# ── a quote that nothing closes, or that another row closes ──────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "changed",
    [
        [(1, "title 1", '"27 TV')],  # closed by nothing
        [(1, "title 1", '"27 TV'), (4, "title 4", '"x"')],  # closed by the quote that opens another cell
        [(1, "title 1", '"27 TV'), (4, "title 4", 'x 15"')],  # closed by a sign for inches: its quoting is regular
        [(1, "title 1", '"27 TV'), (2, "title 2", '"x, y"'), (6, "title 6", 'a ""b""')],
    ],
)
def test_a_stray_quote_costs_its_own_row_and_no_other(changed: list[tuple[int, str, str]]) -> None:
    table = shop(*changed)
    assert list(table.lines) == [2, 3, 4, 5, 6, 7, 8, 9]
    assert dict(table.malformed_quotes) == {1: 3}
    assert table.columns["user"].to_pylist() == [f"u{n}" for n in range(8)]
    assert table.cell(1, "title") == '"27 TV'


def test_rows_that_a_quote_swallowed_are_found_where_a_delimiter_is_in_the_cell_too() -> None:
    table = shop((1, "title 1", '"27, TV'), (4, "title 4", 'x 15"'))
    assert (table.rows, dict(table.malformed_quotes)) == (8, {1: 3})
    assert dict(table.cell_counts) == {1: 6}
    assert table.columns["user"].to_pylist()[2:] == [f"u{n}" for n in range(2, 8)]


def test_a_row_is_found_where_the_cell_that_closed_the_quote_looks_otherwise() -> None:
    rows = [f"2022-10-01 10:00:0{n},u{n},t{n},p{n}" for n in range(8)]
    rows[2], rows[3] = '2022-10-01 10:00:02,u2,"27 TV,p2', '2022-10-01 10:00:03,u3,LCD",p3'
    table = read("\n".join(["time,user,title,sku", *rows, ""]))
    assert (table.rows, dict(table.malformed_quotes)) == (8, {2: 2})
    rows[2], rows[3] = '2022-10-01 10:00:02,u2,"a list:', 'one,two,three,four",p2'
    table = read("\n".join(["time,user,title,sku", *rows, ""]))
    assert (table.rows, dict(table.malformed_quotes)) == (7, {})


def test_two_rows_after_another_that_nothing_closes_are_both_named() -> None:
    table = read('a,b\n1,"x\n2,"y\n3,z\n')
    assert rows_of(table) == [("1", '"x'), ("2", '"y'), ("3", "z")]
    assert dict(table.malformed_quotes) == {0: 1, 1: 1}


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ('1,"5" disc,x', ("1", '"5" disc', "x")),
        ('1,"Smith, John" jr,x', ("1", '"Smith, John" jr', "x")),
        ('1,"a" ,x', ("1", '"a" ', "x")),
        ('"1"2,a,x', ('"1"2', "a", "x")),
        ('1,a,"b"c', ("1", "a", '"b"c')),
        ('1,"a"b"c",x', ("1", '"a"b"c"', "x")),
    ],
)
def test_a_closing_quote_that_no_delimiter_follows_is_malformed_and_the_cell_keeps_it(
    row: str, cells: tuple[str, ...]
) -> None:
    table = read(f"a,b,c\n{row}\n2,y,z\n")
    assert rows_of(table) == [cells, ("2", "y", "z")]
    assert list(table.malformed_quotes) == [0]


def test_a_text_of_several_lines_with_a_stray_quote_stays_one_row() -> None:
    table = read('a,b\n1,"one\ntwo" three\n2,x\n')
    assert rows_of(table) == [("1", '"one\ntwo" three'), ("2", "x")]
    assert (list(table.lines), dict(table.malformed_quotes)) == ([2, 4], {0: 1})
    table = read('a,b,c\n1,"one, two\nthree" four,5\n2,x,y\n')
    assert rows_of(table) == [("1", '"one, two\nthree" four', "5"), ("2", "x", "y")]


def test_the_issue_names_row_line_column_and_cell() -> None:
    table = read('name,userId,data.productId\nProduct viewed,u1,"5" disc\nProduct viewed,u2,p2\n')
    report = check_table(map_table(table, exact_mapping(table.header)))
    assert report.counts == {"quote_malformed": 1}
    [issue] = report.issues(0, 10)
    assert (issue.place.row, issue.place.line, issue.place.column) == (1, 2, "data.productId")
    assert issue.given == '"5" disc'
    assert issue.sentence.startswith(
        'Row 1, column data.productId: A quote makes the row\'s cells uncertain: “"5" disc”.'
    )
    assert issue.sentence.endswith(
        "In line 2, close the quote, or double it in a quoted cell; if quotes are only text,"
        " say that the quote is “none”."
    )


def test_every_event_of_a_row_with_a_malformed_quote_is_an_error() -> None:
    table = read('user,p1,p2\nu1,a,b\n"u2"x,c,d\n')
    mapping = Mapping.from_json(
        '{"columns": {"user": "userId", "product": "data.productId"}, "constants": {"name": "Product viewed"},'
        ' "explode": {"columns": ["p1", "p2"], "as": "product"}}'
    )
    report = check_table(map_table(table, mapping))
    assert report.counts == {"quote_malformed": 1}
    assert [issue.place.line for issue in report.issues(0, 10)] == [3, 3]


def test_without_a_quote_every_quote_is_text() -> None:
    table = read('a,b\n1,"27 TV\n2,x 15"\n', ReadOptions(quote=""))
    assert rows_of(table) == [("1", '"27 TV'), ("2", 'x 15"')]
    assert dict(table.malformed_quotes) == {}


@pytest.mark.parametrize("text", ['"a,b\n1,2\n', 'a,"b"c\n1,2\n'])
def test_a_header_with_a_malformed_quote_is_rejected(text: str) -> None:
    with pytest.raises(ReadError, match="Line 1, which should be the header: a quote") as raised:
        read(text)
    assert raised.value.line == 1


# ── cells of several lines ───────────────────────────────────────────────────────────────────────────────────────────

POEMS = [
    ("1", "2022-10-01", "a line\nanother, with a comma\nand, two, of them"),
    ("2", "2022-10-02", "Dear Ann,\nthanks, all is well\nyours, Ben"),
    ("3", "2022-10-03", "ingredients, in g, per 100\nsalt, 3, ok\nfat, 7, ok"),
    ("4", "2022-10-04", "\n\n"),
]


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_texts_of_several_lines_are_no_rows(quoting: Literal[0, 1]) -> None:
    stream = io.StringIO()
    csv.writer(stream, quoting=quoting, lineterminator="\n").writerows(
        [("id", "day", "text"), ("0", "2022-09-30", "x"), *POEMS, ("5", "2022-10-05", "y")]
    )
    table = read(stream.getvalue())
    assert rows_of(table)[1:-1] == POEMS
    assert dict(table.malformed_quotes) == {}


def test_a_line_of_a_text_that_begins_with_a_number_is_no_row() -> None:
    assert rows_of(read('id,text\n1,"in the kitchen:\n2, or 3, spoons"\n4,"to do:\n5, call"\n')) == [
        ("1", "in the kitchen:\n2, or 3, spoons"),
        ("4", "to do:\n5, call"),
    ]


def test_a_column_of_several_lines_that_is_the_only_one_is_read_as_it_is() -> None:
    assert rows_of(read('text\n"a\nb\nc"\nd\n')) == [("a\nb\nc",), ("d",)]


@pytest.mark.parametrize(
    ("cell", "shape"),
    [("2022-10-01 10:00:00 UTC", "0-0-0 0:0:0 a"), ("SKU_987", "a_0"), ("u17", "0"), ("Zoë", "a"), ("", "")],
)
def test_the_shape_of_a_cell_is_its_words_and_what_is_between(cell: str, shape: str) -> None:
    assert describe_shape(cell) == shape


# ── both ways of reading ─────────────────────────────────────────────────────────────────────────────────────────────

PIECES = st.lists(
    st.sampled_from(['"', '""', ",", "\n", "\r\n", "a", "1,2", "b1,c2", '"x"', "\ufeff", 'x1,"', '",y2']), max_size=25
).map("".join)


def read_blocks(text: str, quote: str, width: int, block: int, *, quick: bool) -> object:
    try:
        found = list(read_row_blocks(text.encode(), 0, 1, Dialect(quote=quote), width, block=block, use_arrow=quick))
    except ReadError as error:
        return str(error)
    rows, malformed, counts = 0, dict[int, int](), dict[int, int]()
    for part in found:
        malformed |= {rows + row: column for row, column in part.malformed_quotes.items()}
        counts |= {rows + row: count for row, count in part.cell_counts.items()}
        rows += len(part.lines)
    columns = [
        [cell for part in found for chunk in part.columns[n] for cell in chunk.to_pylist()] for n in range(width)
    ]
    lines = [int(line) for part in found for line in part.lines]
    return columns, lines, malformed, counts, sum(part.trimmed_rows for part in found)


@given(PIECES, st.integers(1, 3), st.integers(1, 60), st.sampled_from(['"', ""]))
@example('a1,"b\na2,b2\na3,b"\n', 2, 7, '"')
@example("1,2,\n3,4,\n", 2, 60, '"')
def test_both_ways_of_reading_find_the_same_malformed_quotes(text: str, width: int, block: int, quote: str) -> None:
    whole = read_blocks(text, quote, width, 1_000, quick=False)
    assert read_blocks(text, quote, width, block, quick=True) == whole
    assert read_blocks(text, quote, width, 1_000, quick=True) == whole


@given(st.integers(0, 7), st.integers(0, 4), st.none() | st.tuples(st.integers(0, 7), st.integers(0, 4)))
@example(1, 3, (4, 3))
@example(1, 0, (7, 4))
def test_wherever_quotes_stray_every_other_row_is_read(row: int, column: int, end: tuple[int, int] | None) -> None:
    cells = [line.split(",") for line in ROWS]
    strays = {row}
    cells[row][column] = f'"{cells[row][column]}'
    if end is not None:
        cells[end[0]][end[1]] += '"'
        strays.add(end[0])
    table = read(HEADER + "\n".join(map(",".join, cells)) + "\n")
    assert list(table.lines) == list(range(2, 10))
    found = rows_of(table)
    assert [found[n] for n in range(8) if n not in strays] == [
        tuple(ROWS[n].split(",")) for n in range(8) if n not in strays
    ]
