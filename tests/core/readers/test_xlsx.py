"""A workbook is read as text: what a person sees, every digit that is there, and nothing that blows up."""

import gzip
import io
import zipfile
from datetime import datetime
from typing import Any

import numpy as np
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.errors import ReadError
from intempt_core.mapping.model import Mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.readers import delimited as blocks
from intempt_core.readers.dialects.dialect import Dialect
from intempt_core.readers.formats import EXCEL
from intempt_core.readers.table import Table, read_table
from intempt_core.readers.workbooks import workbook_table as tables
from intempt_core.readers.workbooks.number_formats import (
    classify_number_format,
    format_serial_date,
    format_stored_number,
)
from intempt_core.validation.check import check_table
from tests.core.readers.workbook_factories import rows_xml, workbook

HEADER = ["name", "eventId", "userId", "productId"]
ROW = ["Product viewed", "e1", "u1", "1487580005268456192"]


def read(data: bytes, dialect: Dialect | None = None) -> Table:
    return read_table(data, name="book.xlsx", dialect=dialect)


def rows_of(table: Table) -> list[tuple[str, ...]]:
    return list(zip(*(table.columns[column].to_pylist() for column in table.header), strict=True))


def cells(xml: str, **parts: Any) -> list[str]:
    """What the cells of one row say; the header above it is long enough."""
    header = rows_xml([[f"h{number}" for number in range(xml.count("<c"))]])
    table = read(workbook({"S": f"{header}<row>{xml}</row>"}, **parts))
    return list(rows_of(table)[0]) if table.rows else [""] * len(table.header)


def rejected(data: bytes, dialect: Dialect | None = None) -> ReadError:
    with pytest.raises(ReadError) as raised:
        read(data, dialect)
    assert str(raised.value).endswith(".")
    assert len(str(raised.value)) < 500
    return raised.value


# ── what a person sees ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_workbook_as_excel_writes_it_is_a_table() -> None:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"default_date_format": "yyyy-mm-dd hh:mm:ss"})
    sheet = book.add_worksheet("Events")
    sheet.write_row(0, 0, [*HEADER, "timestamp", "price", "gift", "sum"])
    sheet.write_row(1, 0, [*ROW, datetime(2022, 10, 1, 12, 30, 5), 19.9, True])  # noqa: DTZ001  a sheet knows no zone
    sheet.write_formula(1, 7, "=1+1", None, 2)
    sheet.write_row(3, 0, ["Köln <&>", " x ", 7, 1487580005268456192, 0.1 + 0.2, 1e21])
    book.close()
    table = read(file.getvalue())
    assert table.header == (*HEADER, "timestamp", "price", "gift", "sum")
    assert rows_of(table) == [
        (*ROW, "2022-10-01 12:30:05", "19.9", "TRUE", "2"),
        ("Köln <&>", " x ", "7", "1.487580005268456E+18", "0.3", "1E+21", "", ""),
    ]
    assert list(table.lines) == [2, 4]
    assert (table.cell_counts, table.notes, table.format, table.sheets) == ({}, (), EXCEL, ("Events",))


def test_an_id_keeps_every_digit_that_the_sheet_has_and_one_that_excel_damaged_is_warned_of() -> None:
    whole, damaged = '<c t="inlineStr"><is><t>e{}</t></is></c><c><v>{}</v></c>', "1.4875800052684563E+18"
    numbers = ["1487580005268456192", "00715", damaged]
    rows = "".join(f"<row>{whole.format(n, number)}</row>" for n, number in enumerate(numbers))
    table = read(workbook({"S": rows_xml([["eventId", "productId"]]) + rows}))
    assert table.columns["productId"].to_pylist() == numbers
    mapped = map_table(table, Mapping({"eventId": "eventId", "productId": "data.productId"}))
    assert check_table(mapped).rows_of("id_damaged").tolist() == [2]


@pytest.mark.parametrize(
    ("xml", "says"),
    [
        ("<c><v>1</v></c>", "1"),
        ('<c t="n"><v> 1.50 </v></c>', "1.50"),
        ('<c t="s"><v>0</v></c>', "plain"),
        ('<c t="s"><v>1</v></c>', "rich text"),
        ('<c t="b"><v>0</v></c>', "FALSE"),
        ('<c t="e"><v>#N/A</v></c>', "#N/A"),
        ('<c t="d"><v>2022-10-01T00:00:00Z</v></c>', "2022-10-01T00:00:00Z"),
        ('<c t="str"><f>A1&amp;B1</f><v>made</v></c>', "made"),
        ('<c><f>1+1</f><v>2</v></c>', "2"),
        ('<c t="inlineStr"><is><r><t>in</t></r><r><t>line</t></r><rPh><t>aloud</t></rPh></is></c>', "inline"),
        ("<c/>", ""),
        ('<c t="inlineStr"><is><t>a_x000A_b_xD800_</t></is></c>', "a\nb_xD800_"),
        ('<c s="1"><v>44835</v></c>', "2022-10-01"),
        ('<c s="2"><v>44835.5</v></c>', "2022-10-01 12:00:00"),
        ('<c s="3"><v>0.520833333333333</v></c>', "12:30:00"),
        ('<c s="9"><v>44835</v></c>', "44835"),
    ],
)  # fmt: skip
def test_every_kind_of_cell_is_text(xml: str, says: str) -> None:
    strings = "<si><t>plain</t></si><si><r><t>rich </t></r><r><rPr/><t>text</t></r><rPh><t>aloud</t></rPh></si>"
    styles = (
        '<numFmts><numFmt numFmtId="170" formatCode="dd/mm/yyyy\\ hh:mm"/></numFmts><cellStyleXfs><xf/></cellStyleXfs>'
    )
    styles += '<cellXfs><xf/><xf numFmtId="14"/><xf numFmtId="170"/><xf numFmtId="20"/></cellXfs>'
    assert cells(xml, strings=strings, styles=styles) == [says]


def test_a_number_is_its_own_text_and_a_fraction_what_its_double_is() -> None:
    for kept in ("0", "-1", "19.9", "1487580005268456192", "123456789012345678901234", "1E+21", "1.5E-7", "x.y", ""):
        assert format_stored_number(kept) == kept
    assert format_stored_number("19.899999999999999") == "19.9"
    assert format_stored_number("1234567.8899999999") == "1234567.89"
    assert format_stored_number("0.00001000000000000001") == "0.00001000000000000001"
    assert format_stored_number("x.123456789012345678") == "x.123456789012345678"


@pytest.mark.parametrize(
    ("number", "code", "kind"),
    [
        (0, None, ""), (14, None, "date"), (22, None, "both"), (20, None, "time"), (49, None, ""),
        (170, "yyyy-mm-dd", "date"), (170, 'dd" of "mmmm', "date"), (170, "h:mm AM/PM", "time"),
        (170, "d.m.yy h:mm;@", "both"), (170, "[h]:mm", ""), (170, "[$-409]d/m/yyyy", "date"), (170, "[Red]0.00", ""),
        (170, '0.00" days"', ""), (170, "General", ""), (170, "\\d0", ""), (170, "#,##0.00", ""),
    ],
)  # fmt: skip
def test_a_number_format_tells_dates_from_numbers(number: int, code: str | None, kind: str) -> None:
    assert classify_number_format(number, code) == kind


@pytest.mark.parametrize(
    ("text", "shows", "early", "says"),
    [
        ("44835.123456", "both", False, "2022-10-01 02:57:46.598"),
        ("43373", "date", True, "2022-10-01"),
        ("44835.5", "date", False, "2022-10-01 12:00:00"),
        ("44835", "time", False, "2022-10-01 00:00:00"),
        ("60", "date", False, "60"),
        ("-1", "date", False, "-1"),
        ("9999999", "date", False, "9999999"),
        ("NaN", "date", False, "NaN"),
        ("x", "date", False, "x"),
        ("Infinity", "date", False, "Infinity"),
    ],
)
def test_a_date_is_iso_and_what_is_none_stays(text: str, shows: str, early: bool, says: str) -> None:
    assert format_serial_date(text, shows, date_1904=early) == says


def test_the_workbooks_own_beginning_of_time_is_used() -> None:
    styles = '<cellXfs><xf/><xf numFmtId="14"/></cellXfs>'
    assert cells('<c s="1"><v>43373</v></c>', styles=styles, book='<workbookPr date1904="1"/>') == ["2022-10-01"]


# ── sheets, headers, rows ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_visible_sheet_is_read_and_another_can_be_chosen() -> None:
    data = workbook(
        {"Old": rows_xml([["a"], ["1"]]), "New & <b>": rows_xml([["b"], ["2"]])}, states={"Old": "veryHidden"}
    )
    table = read(data)
    assert (table.sheets, table.dialect.sheet, table.header) == (("New & <b>", "Old"), "New & <b>", ("b",))
    assert table.notes == ("Sheet “New & <b>” of 2 was read; not read: “Old”.",)
    assert read(data, Dialect(header_line=0, sheet="Old")).header == ("a",)
    assert "has no sheet “Third”. It has New & <b>, Old." in str(rejected(data, Dialect(sheet="Third")))


def test_header_and_rows_to_skip_are_rows_of_the_sheet() -> None:
    data = workbook({"S": rows_xml([["Report"], [], ["a", "b"], ["(unit)", "(EUR)"], ["", " "], ["1", "2", "3"]])})
    assert read(data).header == ("a", "b")
    table = read(data, Dialect(header_line=3, rows_to_skip=1))
    assert rows_of(table) == [("1", "2")]
    assert (table.lines.tolist(), table.cell_counts) == ([6], {0: 3})
    assert table.notes == (
        "The header is row 3; what is above it was not read.",
        "The row after the header was skipped, as you said.",
    )
    assert rejected(data, Dialect(header_line=2)).line == 2
    assert "no header in row 99" in str(rejected(data, Dialect(header_line=99)))
    assert "no header" in str(rejected(workbook({"S": ""})))


def test_places_are_obeyed_where_they_are_given() -> None:
    table = read(
        workbook({"S": '<row r="3"><c r="B3"><v>1</v></c><c r="AA3" t="str"><v>x</v></c></row>'}),
        Dialect(header_line=3),
    )
    assert table.header == ("column 1", "1", *(f"column {number}" for number in range(3, 27)), "x")


def test_a_header_without_rows_says_so_and_a_first_row_of_values_is_no_header() -> None:
    assert read(workbook({"S": rows_xml([HEADER])})).notes == ("There is a header and no row.",)
    table = read(workbook({"S": rows_xml([ROW])}))
    assert (table.rows, table.dialect.no_header, rows_of(table)) == (1, True, [tuple(ROW)])


def test_a_formula_without_a_value_is_empty_and_noted() -> None:
    formula, value = "<c><f>1+1</f></c>", "<c><v>2</v></c>"
    header = rows_xml([["a", "b", "c"]])
    one = read(workbook({"S": f"{header}<row>{formula}{value}</row>"}))
    assert "One formula has no value in the file and was read as empty" in one.notes[0]
    two = read(workbook({"S": f"{header}<row>{formula}{value}{formula}</row>"}))
    assert "2 formulas have no value in the file and were read as empty" in two.notes[0]
    assert rows_of(two) == [("", "2", "")]


def test_rows_come_in_chunks_and_keep_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "SHEET_CHUNK_ROWS", 3)
    table = read(workbook({"S": rows_xml([["a", "b"], *([str(n), "x"] for n in range(10))])}))
    assert table.columns["a"].to_pylist() == [str(n) for n in range(10)]
    assert table.columns["a"].num_chunks == 4
    assert list(table.lines) == list(range(2, 12))


def test_a_workbook_in_gzip_is_a_workbook() -> None:
    assert read(gzip.compress(workbook({"S": rows_xml([["a"], ["1"]])}))).format is EXCEL


def test_an_older_producers_prefixes_and_missing_parts_do_no_harm() -> None:
    main = "http://purl.oclc.org/ooxml/spreadsheetml/main"
    row = '<x:row><x:c t="str"><x:v>a</x:v></x:c></x:row>'
    sheet = f'<x:worksheet xmlns:x="{main}"><x:sheetData>{row}</x:sheetData></x:worksheet>'
    data = workbook({"S": ""}, members={"xl/worksheets/sheet1.xml": sheet, "_rels/.rels": "<Relationships/>"})
    assert read(data).header == ("a",)


# ── what should not be ───────────────────────────────────────────────────────────────────────────────────────────────

LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
GOOD = rows_xml([["a"], ["1"]])


@pytest.mark.parametrize("prolog", [LAUGHS, OUTSIDE, "<!DOCTYPE x>"])
def test_entities_are_no_part_of_a_workbook(prolog: str) -> None:
    assert "declares a document type" in str(rejected(workbook({"S": GOOD}, prolog=prolog)))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ('<row r="0"><c><v>1</v></c></row>', "rows rise"),
        ('<row r="7"/><row r="7"/>', "rows rise"),
        ('<row r="1048577"/>', "rows rise"),
        ('<row><c r="XFE1"><v>1</v></c></row>', "column 16,385"),
        ('<row><c r="A"><v>1</v></c></row>', "no place in a sheet"),
        ('<row><c t="s"><v>5</v></c></row>', "names text 5, but the workbook has 0"),
        ('<row><c t="s"><v>x</v></c></row>', "is cut or broken"),
        ('<row r="x"/>', "is cut or broken"),
        ("<row><c></row>", "is cut or broken"),
        ("&a;", "is cut or broken"),
    ],
)
def test_a_sheet_that_no_program_writes_is_rejected(rows: str, says: str) -> None:
    assert says in str(rejected(workbook({"S": rows})))


@pytest.mark.parametrize(
    "member",
    [
        "xl/worksheets/sheet1.xml",
        *(pytest.param(member, marks=pytest.mark.long) for member in ("xl/sharedStrings.xml", "xl/styles.xml")),
    ],
)
def test_a_zip_bomb_is_rejected_before_it_is_unpacked(member: str) -> None:
    data = workbook({"S": GOOD}, members={member: b"<a>" + b" " * 101_000_000})
    assert "bytes and becomes more than 100," in str(rejected(data))


def test_few_cells_cannot_ask_for_all_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_FILLED_CELLS", 1000)
    monkeypatch.setattr(blocks, "MAX_FILLED_CELLS", 1000)
    wide = "<row>" + '<c r="XFD1" t="str"><v>x</v></c>' + "</row>"
    error = rejected(workbook({"S": wide + "<row><c><v>1</v></c></row>" * 20}))
    assert "16,384 columns" in str(error)


def test_a_workbook_that_was_cut_is_rejected() -> None:
    data = workbook({"S": GOOD})
    for end in (100, len(data) // 2, len(data) - 1):
        rejected(data[:end])


def test_a_broken_byte_within_is_a_sentence() -> None:
    data = bytearray(workbook({"S": rows_xml([["a"], *([str(n)] for n in range(500))])}))
    data[data.index(b"sheet1.xml") + 40] ^= 0xFF
    assert "is cut or broken" in str(rejected(bytes(data)))


def test_a_workbook_of_charts_only_has_no_sheet() -> None:
    data = workbook({}, members={"xl/workbook.xml": "<workbook><sheets/></workbook>"})
    assert "no sheet with cells" in str(rejected(data))


def test_what_needs_a_password_is_rejected() -> None:
    file = io.BytesIO(workbook({"S": GOOD}))
    with zipfile.ZipFile(file) as archive:
        at = archive.getinfo("xl/worksheets/sheet1.xml").header_offset
    data = bytearray(file.getvalue())
    data[at + 6] |= 1
    directory = data.rindex(b"xl/worksheets/sheet1.xml") - 46
    data[directory + 8] |= 1
    assert "is cut or broken" in str(rejected(bytes(data)))


XML = st.text(alphabet='<>/crowvtis=" r1AB&;', max_size=60) | st.sampled_from([GOOD, rows_xml([HEADER, ROW])])


@given(XML, XML, XML, st.binary(max_size=30), st.integers(0, 3000))
def test_any_workbook_is_a_table_or_rejected_with_a_sentence(
    rows: str, strings: str, styles: str, noise: bytes, at: int
) -> None:
    data = workbook({"S": rows}, strings=strings, styles=styles)
    for some in (data, data[:at] + noise + data[at + len(noise) :]):
        try:
            table = read(some)
        except ReadError as error:
            sentence = str(error)
        else:
            sentence = "."
            assert {len(column) for column in table.columns.values()} == {table.rows}
            assert (np.diff(table.lines) > 0).all()
        assert sentence.endswith(".")
