"""Bytes become a table of strings, exactly, or are rejected with a sentence."""

import bz2
import csv
import gzip
import hashlib
import io
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intempt_core.errors import ReadError
from intempt_core.readers import delimited as blocks
from intempt_core.readers.delimited import MAX_FILLED_CELLS, read_row_blocks
from intempt_core.readers.dialects.dialect import Dialect
from intempt_core.readers.limits import ReadLimits
from intempt_core.readers.table import Table, read_table
from intempt_core.readers.text_table import guess_dialect
from tests.data.samples import SHOP_EXPORT, SHOP_EXPORT_ROWS


def read(text: str | bytes, dialect: Dialect | None = None) -> Table:
    return read_table(text if isinstance(text, bytes) else text.encode(), name="t.csv", dialect=dialect)


def rows_of(table: Table) -> list[tuple[str, ...]]:
    return list(zip(*(table.columns[column].to_pylist() for column in table.header), strict=True))


def rejected(data: str | bytes, dialect: Dialect | None = None) -> ReadError:
    with pytest.raises(ReadError) as raised:
        read(data, dialect)
    assert str(raised.value).endswith(".")
    assert len(str(raised.value)) < 500
    return raised.value


# ── what others write ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_shops_export_is_read_as_it_is_written() -> None:
    table = read_table(SHOP_EXPORT, name=SHOP_EXPORT.name)
    assert table.rows == SHOP_EXPORT_ROWS
    assert table.header == ("event_time", "event_type", "product_id", "price", "user_id", "user_session")
    assert list(table.lines) == list(range(2, SHOP_EXPORT_ROWS + 2))
    assert (table.cell_counts, table.notes) == ({}, ())
    assert ",".join(table.record(table.rows - 1).values()) == SHOP_EXPORT.read_text("utf-8").splitlines()[-1]


# ── cells as they are ────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_cell_is_taken_for_a_number_a_null_or_anything_but_text() -> None:
    cells = ("1487580005268456192", "NA", "1.0", " x ", "null", "007", "", "true", "1E5", "\x00", "\ufeff", "’")
    table = read(",".join(f"c{n}" for n in range(12)) + "\n" + ",".join(cells) + "\n")
    assert rows_of(table) == [cells]
    assert all(column.type == pa.string() and not column.null_count for column in table.columns.values())
    assert table.cell(0, "c3") == " x "


def test_a_table_knows_its_file(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(b"a,b\n1,2\n")
    table = read_table(path, name="shown.csv")
    assert (table.name, table.size, table.digest) == ("shown.csv", 8, hashlib.sha256(b"a,b\n1,2\n").hexdigest())
    assert table.dialect == Dialect("utf-8", ",", '"', 1)
    assert table.rows == 1
    assert table.lines.dtype == np.int64


def test_a_file_that_cannot_be_opened_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="No such file"):
        read_table(tmp_path / "gone.csv", name="gone.csv")


def test_a_header_and_nothing_else_is_a_table_of_no_rows_and_says_so() -> None:
    for text in ("name,eventId", "name,eventId\n", "name,eventId\n\n\n"):
        table = read(text)
        assert (table.rows, table.header) == (0, ("name", "eventId"))
        assert [len(column) for column in table.columns.values()] == [0, 0]
        assert table.notes[-1] == "There is a header and no row."


# ── lines ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_each_row_knows_its_physical_line(end: str, *, last: bool) -> None:
    lines = ["a,b", "1,2", "", '"x', "y", 'z",3', "", "", '4,"5', '"', "6,7"]
    table = read(end.join(lines) + end * last)
    assert rows_of(table) == [("1", "2"), (f"x{end}y{end}z", "3"), ("4", f"5{end}"), ("6", "7")]
    assert list(table.lines) == [2, 4, 9, 11]
    assert table.notes == ("3 blank lines were skipped, the first is line 3.",)


def test_other_signs_of_a_new_line_end_no_line() -> None:
    table = read("a,b\n1\u2028\x0b\x0c\x85,2\n3,4\n")
    assert rows_of(table) == [("1\u2028\x0b\x0c\x85", "2"), ("3", "4")]
    assert list(table.lines) == [2, 3]


def test_blank_lines_are_skipped_before_within_and_after() -> None:
    table = read("\n \na,b\n\n1,2\n   \n3,4\n\x1a")
    assert rows_of(table) == [("1", "2"), ("3", "4")]
    assert list(table.lines) == [5, 7]
    assert table.dialect.header_line == 3
    assert "3 blank lines were skipped, the first is line 4." in table.notes


def test_a_blank_cell_of_the_only_column_is_a_row_and_an_empty_line_is_none() -> None:
    assert rows_of(read('a\n" "\n\n \n""\n')) == [(" ",), (" ",), ("",)]


# ── ragged rows ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_long_rows_are_cut_and_short_ones_filled_and_both_are_counted() -> None:
    table = read("a,b,c\n1,2,3\n4,5,6,7,8\n9\n,,\n1,2\n")
    assert rows_of(table) == [("1", "2", "3"), ("4", "5", "6"), ("9", "", ""), ("", "", ""), ("1", "2", "")]
    assert table.cell_counts == {1: 5, 2: 1, 4: 2}


@pytest.mark.parametrize("most", [400_000, pytest.param(MAX_FILLED_CELLS, marks=pytest.mark.long)])
def test_a_small_file_cannot_fill_the_memory_with_missing_cells(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(blocks, "MAX_FILLED_CELLS", most)
    header = ",".join(f"c{n}" for n in range(1000))
    error = rejected(header + "\n" + "x\n" * (most // 800))
    assert error.line is not None
    assert "1 cells, the header has 1,000" in str(error)
    assert MAX_FILLED_CELLS == 20_000_000


# ── encodings ────────────────────────────────────────────────────────────────────────────────────────────────────────

TEXT = "name,who\nKöln,Ångström\nnaïve,“q”\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8"),
        (TEXT.encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.replace("\n", "\r").encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("utf-32"), "utf-32"),
        (TEXT.encode("cp1252"), "cp1252"),
    ],
)
def test_encodings_are_recognised_and_noted(data: bytes, encoding: str) -> None:
    table = read(data)
    assert table.header == ("name", "who")
    assert rows_of(table) == [("Köln", "Ångström"), ("naïve", "“q”")]
    assert list(table.lines) == [2, 3]
    assert table.dialect.encoding == encoding
    assert (encoding == "utf-8") == (table.notes == ())
    assert (table.size, table.digest) == (len(data), hashlib.sha256(data).hexdigest())


def test_bytes_that_windows_does_not_know_are_read_as_latin_1() -> None:
    table = read("a,b\né,\x81\n".encode("latin-1"))
    assert table.dialect.encoding == "latin-1"
    assert rows_of(table) == [("é", "\x81")]


def test_an_encoding_that_a_person_gives_is_taken() -> None:
    table = read("имя,b\nАнна,2\n".encode("cp1251"), Dialect("cp1251"))
    assert rows_of(table) == [("Анна", "2")]
    assert table.notes == ("The file was read as cp1251.",)
    assert read(b"\xef\xbb\xbfa,b\n1,2", Dialect("UTF8")).header == ("a", "b")


def test_a_file_of_two_encodings_is_rejected_and_not_mangled() -> None:
    error = rejected(b"a,b\n" + "ü,ä,ö\n".encode() * 3 + "é\n".encode("latin-1"))
    assert error.line == 5
    assert "mixes encodings" in str(error)


@pytest.mark.parametrize(
    ("data", "encoding", "line"),
    [
        (b"a,b\n\n\xff,1\n", "utf-8", 3),
        (b"a,b\n\xe4,1\n", "ascii", 2),
        (b"\xff\xfea\x00\x00\xd8", "utf-16", 1),
        (b"a,b\n1,2\n", "klingon", None),
        (b"a,b\n1,2\n", "hex", None),
        (b"a,b\n\\ud800,2\n", "unicode_escape", None),
        (b"a,b\n1,2\n", "a\0b", None),
    ],
)
def test_bytes_that_are_not_of_the_given_encoding_are_rejected(data: bytes, encoding: str, line: int | None) -> None:
    error = rejected(data, Dialect(encoding))
    assert error.line == line
    assert "cannot be read as" in str(error)


def test_a_character_across_two_pieces_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intempt_core.readers.encoding.BLOCK_BYTES", 7)
    assert rows_of(read("a,b\n" + "€,1\n" * 9)) == [("€", "1")] * 9
    assert rejected(b"a,b\n" + "€€€\n".encode() * 5 + b"\xe2\x82,1\n").line == 7


# ── dialects ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_guessed_from_the_header_and_the_rows(delimiter: str) -> None:
    table = read(delimiter.join(("name", "price")) + "\n" + delimiter.join(('"1,5;\t|"', "2")) + "\n")
    assert table.dialect.delimiter == delimiter
    assert rows_of(table) == [("1,5;\t|", "2")]
    assert (delimiter == ",") == (table.notes == ())


def test_a_comma_in_a_header_of_semicolons_does_not_mislead() -> None:
    assert read("name;price, net;qty\na;1,5;2\nb;2,5;3\n").dialect.delimiter == ";"


def test_the_line_by_which_excel_tells_the_delimiter_is_obeyed() -> None:
    table = read("sep=;\r\na,b;c\r\n1;2\r\n")
    assert table.header == ("a,b", "c")
    assert table.dialect == Dialect("utf-8", ";", '"', 2)
    assert list(table.lines) == [3]


def test_a_person_may_say_delimiter_quote_and_header_line() -> None:
    table = read("made by us\na¦b\n'1¦'¦2\n", Dialect(delimiter="¦", quote="'", header_line=2))
    assert rows_of(table) == [("1¦", "2")]
    assert table.notes == ("Cells are separated by “¦”.", "The header is line 2; what is above it was not read.")


def test_without_a_quote_nothing_is_quoted() -> None:
    assert rows_of(read('a\tb\n"x\ty"\n', Dialect(delimiter="\t", quote=""))) == [('"x', 'y"')]


@pytest.mark.parametrize(
    "dialect", [Dialect(delimiter=""), Dialect(delimiter="\n"), Dialect(quote="''"), Dialect(delimiter='"')]
)
def test_an_impossible_dialect_is_rejected(dialect: Dialect) -> None:
    rejected("a,b\n1,2\n", dialect)


@pytest.mark.parametrize("line", [-1, 4, 99])
def test_a_header_line_that_is_not_there_is_rejected(line: int) -> None:
    error = rejected("a,b\n1,2\n\n", Dialect(header_line=line))
    assert error.line == line


@given(st.binary(max_size=200))
def test_a_guess_is_always_made(head: bytes) -> None:
    assert guess_dialect(head, "latin-1").delimiter in ",;\t|"


@pytest.mark.parametrize(("skip", "rows"), [(0, 4), (1, 3), (2, 2), (9, 0)])
def test_rows_after_the_header_can_be_skipped(skip: int, rows: int) -> None:
    table = read('a,b\n(text),"(a\nnumber)"\n\n(unit),(EUR)\n1,2\n3,4\n', Dialect(rows_to_skip=skip))
    assert rows_of(table) == [("(text)", "(a\nnumber)"), ("(unit)", "(EUR)"), ("1", "2"), ("3", "4")][4 - rows :]
    assert list(table.lines) == [2, 5, 6, 7][4 - rows :]
    assert any("skipped, as you said" in note for note in table.notes) == (skip > 0)


def test_fewer_than_no_rows_cannot_be_skipped() -> None:
    rejected("a,b\n1,2\n", Dialect(rows_to_skip=-1))
    table = read('a,b\n"1,2\n3,4\n', Dialect(rows_to_skip=1))
    assert rows_of(table) == [("3", "4")]


# ── headers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_columns_of_one_name_are_rejected_with_both_numbers() -> None:
    error = rejected("id,price,name,price\n1,2,3,4\n")
    assert error.line == 1
    assert "columns 2 and 4 are both called “price”" in str(error)


def test_a_column_without_a_name_is_called_by_its_number() -> None:
    table = read(",a, \n0,1,2\n")
    assert table.header == ("column 1", "a", "column 3")
    assert table.notes == ("Columns without a name are called by their number: “column 1”, “column 3”.",)
    assert "“column 3” and 2 more" in read("a,,,,,\n1,2,3,4,5,6\n").notes[0].replace("“column 4”", "“column 3”")
    assert "both called “column 2”" in str(rejected("column 2,,x\n1,2,3\n"))


def test_white_space_around_a_name_is_kept_and_noted() -> None:
    table = read("a, b\n1,2\n")
    assert table.header == ("a", " b")
    assert table.notes == ("White space around a column's name belongs to the name: “[space]b”.",)


def test_a_header_with_a_value_among_names_is_taken_and_noted() -> None:
    table = read("product,brand,2022\n1,2,3\n")
    assert table.header == ("product", "brand", "2022")
    assert "“2022” in column 3 looks like a value" in table.notes[0]


def test_a_first_line_of_values_is_the_header_where_a_person_says_so() -> None:
    table = read("2021,2022\n1,2\n", Dialect())
    assert table.header == ("2021", "2022")
    assert table.notes


def test_a_header_of_nothing_is_rejected() -> None:
    for text in (",,,\n,,,\n", "\n\n", " ", "\x00\x00", '""'):
        assert "has no header" in str(rejected(text))
    assert read(",,,\n1,2,3,4\n").header[3] == "column 4"


# ── what is packed, and what changes ─────────────────────────────────────────────────────────────────────────────────


def test_a_compressed_file_is_read_as_what_it_holds_and_known_by_its_own_bytes() -> None:
    packed = gzip.compress("name,who\nKöln,1\n".encode("utf-16"))
    table = read(packed)
    assert rows_of(table) == [("Köln", "1")]
    assert (table.size, table.digest) == (len(packed), hashlib.sha256(packed).hexdigest())
    assert table.notes[0] == f"The file was unpacked: {len(packed):,} bytes became 34."
    assert rows_of(read(gzip.compress(b"a,b\n") + gzip.compress(b"1,2\n"))) == [("1", "2")]  # as a log is often rotated


@pytest.mark.parametrize("large", [10, 100, 1_000_000])  # both on disk, what is unpacked there, neither
def test_what_a_compressed_file_holds_lies_on_disk_where_it_is_large(tmp_path: Path, large: int) -> None:
    packed = gzip.compress(b"a,b\n" + b"1,2\n" * 9_999)
    (tmp_path / "packed.csv.gz").write_bytes(packed)
    for data in (packed, tmp_path / "packed.csv.gz"):
        table = read_table(data, name="packed.csv.gz", limits=ReadLimits(memory_bytes=large))
        assert (table.mapped_file is not None) == (large < 40_000)
        assert rows_of(table) == [("1", "2")] * 9_999
        assert (table.size, table.digest) == (len(packed), hashlib.sha256(packed).hexdigest())


@pytest.mark.parametrize("broken", [slice(0, -3), slice(0, 12), slice(0, 3)])
def test_a_compressed_file_that_was_cut_is_rejected_and_no_part_of_it_is_taken(broken: slice) -> None:
    assert "cannot be unpacked: it was cut, or is broken" in str(rejected(gzip.compress(b"a,b\n1,2\n" * 99)[broken]))


def test_a_gzip_bomb_is_rejected_before_it_is_unpacked() -> None:
    bomb = gzip.compress(bytes(150_000_000), 9)
    assert "bytes and becomes more than 100," in str(rejected(bomb))


class Growing(type(Path())):  # type: ignore[misc]  # the system's own kind of path
    """A file to which another program writes as soon as some of it was read."""

    def open(self, *_: Any, **__: Any) -> Any:
        path = str(self)

        class Reader(io.FileIO):
            def read(self, size: int | None = -1) -> bytes:
                found = super().read(size)
                with open(path, "ab") as other:  # noqa: PTH123  Path's own would come back here
                    other.write(b"5,6\n")
                return found or b""

        return Reader(path)


def test_a_file_that_changes_while_it_is_read_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "growing.csv"
    file.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(ReadError, match=r"growing.csv changed while it was read"):
        read_table(Growing(file), name="growing.csv")
    assert read_table(file, name="growing.csv").rows == 2


# ── what is no table ─────────────────────────────────────────────────────────────────────────────────────────────────


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, "x" * 50)
    return stream.getvalue()


def database() -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("create table t (a)")
    data = connection.serialize()
    connection.close()
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "an image"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "an image"),
        (zipped("[Content_Types].xml", "xl/workbook.bin"), "a binary Excel workbook"),
        (zipped("[Content_Types].xml", "word/document.xml"), "an Office file, but no Excel workbook"),
        (zipped("events.csv"), "a zip archive"),
        (gzip.compress(gzip.compress(b"a,b\n1,2\n", mtime=0), mtime=0), "compressed"),
        (bz2.compress(b"a,b\n1,2\n"), "compressed"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "an old Excel"),
        (b"PAR1\x15\x04PAR1", "the Parquet file was cut, or is broken"),
        (database(), "a SQLite database"),
        (b"<!DOCTYPE html><p>Log in", "a web page"),
        (b'\xef\xbb\xbf\n{"track": []}', "JSON"),
        (b'{\n  "name": 1}', "JSON"),
        (b"\x7fELF\x02\x01\x01\x00\xff\xfe", "is no text"),
    ],
)
def test_another_format_is_rejected_by_its_name(data: bytes, says: str) -> None:
    assert says in str(rejected(data))


def test_a_column_called_par1_is_no_parquet() -> None:
    assert read("PAR1,PAR2\n1,2\n").rows == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
def test_a_quote_that_is_never_closed_is_known_by_its_row(end: str) -> None:
    table = read(f'a,b\n1,2\n\n"x\ny","z\n3,4\n5,6{end}')
    assert (list(table.lines), dict(table.malformed_quotes)) == ([2, 4, 5, 6, 7], {1: 0, 2: 1})
    assert dict(read('a,b\n1,"').malformed_quotes) == {0: 1}
    assert dict(read('a,b\n1,2\n"').malformed_quotes) == {1: 0}
    assert rejected(f'a,"b\nc{end}').line == 1


def test_a_quote_within_a_cell_is_text() -> None:
    table = read('a,b\n5" pipe,"x"y"z"\n1,2\n')
    assert rows_of(table) == [('5" pipe', '"x"y"z"'), ("1", "2")]
    assert dict(table.malformed_quotes) == {0: 1}


# ── large ones ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ten_thousand_columns_are_read() -> None:
    header = [f"c{n}" for n in range(10_000)]
    table = read("\n".join([",".join(header), ",".join("x" * 10_000), ",".join("y" * 9_999)]))
    assert (table.rows, len(table.columns), table.cell_counts) == (2, 10_000, {1: 9_999})
    assert (table.cell(0, "c9999"), table.cell(1, "c9998"), table.cell(1, "c9999")) == ("x", "y", "")


def test_more_columns_than_any_sheet_has_are_rejected() -> None:
    assert "20,000 columns" in str(rejected(",".join(f"c{n}" for n in range(20_000))))


@pytest.mark.parametrize("large", ["x" * 10_000_000, ('"",\n' * 20_000 + "x" * 10_000_000)])
def test_a_cell_of_ten_megabytes_is_read_whole(large: str) -> None:
    table = read(f'a,b\n1,2\n3,"{large}"\n4,5\n')
    assert table.cell(1, "b") == large.replace('""', '"')
    assert list(table.lines) == [2, 3, 4 + large.count("\n")]


def test_rows_keep_their_lines_across_many_blocks() -> None:
    rows = [f'{n},"x{n}"' if n % 50_000 else f'{n},"x\n{n}"\n' for n in range(1, 300_001)]
    table = read("a,b\n" + "\n".join(rows))
    assert table.rows == 300_000
    assert table.cell(299_999, "a") == "300000"
    assert table.lines[-1] == 300_001 + 2 * 5
    assert table.columns["b"].num_chunks > 1


# ── laws ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

MESSY = st.text(alphabet='ab",;\n\r \0é\ufeff', max_size=60)


def gathered(text: bytes, dialect: Dialect, width: int, block: int, *, quick: bool) -> tuple[object, ...]:
    """What one way of reading says of some rows: cells, lines, counts of ragged rows, blank lines."""
    try:
        found = list(read_row_blocks(text, 0, 1, dialect, width, block=block, use_arrow=quick))
    except ReadError as error:
        return str(error), error.line
    columns = [
        [cell for part in found for chunk in part.columns[n] for cell in chunk.to_pylist()] for n in range(width)
    ]
    cells: dict[int, int] = {}
    rows = 0
    for part in found:
        cells |= {rows + row: count for row, count in part.cell_counts.items()}
        rows += len(part.lines)
    return (
        columns,
        [int(line) for part in found for line in part.lines],
        cells,
        [b for part in found for b in part.blank_lines],
    )


@given(MESSY, st.integers(1, 3), st.integers(1, 40), st.sampled_from(['"', ""]))
@example("\r\n\n\r", 1, 1, '"')
@example('"\r\n",b\r\na,b', 2, 10, '"')
@example('a"\n"b"\n', 1, 6, '"')
def test_both_ways_of_reading_say_the_same_whatever_the_blocks(text: str, width: int, block: int, quote: str) -> None:
    dialect = Dialect(quote=quote)
    whole = gathered(text.encode(), dialect, width, 1_000, quick=False)
    assert gathered(text.encode(), dialect, width, block, quick=True) == whole
    assert gathered(text.encode(), dialect, width, 1_000, quick=True) == whole


@pytest.mark.parametrize(
    "text", ["a\n\ufeffb,1\n", "\ufeffb,1\n", " \n\ufeffb,1\na,2,3\n", '"a\n",2,3\n"b\n",2\n ,,\n1,2']
)
def test_what_stands_after_a_ragged_row_is_kept_exactly(text: str) -> None:
    ways = [gathered(text.encode(), Dialect(), 2, 1_000, quick=quick) for quick in (True, False)]
    assert ways[0] == ways[1]


def test_ragged_rows_in_regular_blocks_take_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_read_block_carefully", lambda *_, **__: pytest.fail("read carefully"))
    text = b'1,2\n \n3\n"4\n4","5,5",6\n\n7,8\n'
    columns, lines, cells, blank = gathered(text, Dialect(), 2, 1_000, quick=True)
    assert columns == [["1", "3", "4\n4", "7"], ["2", "", "5,5", "8"]]
    assert (lines, cells, blank) == ([1, 3, 4, 7], {1: 1, 2: 3}, [2, 6])


def test_where_arrow_counts_other_rows_the_careful_way_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pa.csv, "read_csv", lambda *_: pa.table({"0": ["1"]}))
    assert gathered(b"1\n2\n", Dialect(), 1, 1_000, quick=True) == ([["1", "2"]], [1, 2], {}, [])


REGULAR = st.lists(
    st.lists(st.text(alphabet='ab",;\n\r é€', max_size=6), min_size=2, max_size=2), min_size=1, max_size=12
)


@given(REGULAR, st.sampled_from(["\n", "\r\n", "\r"]), st.integers(8, 60))
def test_what_csv_writes_is_read_back_with_the_lines_on_which_it_was_written(
    rows: list[list[str]], end: str, block: int
) -> None:
    stream, lines = io.StringIO(newline=""), []
    writer = csv.writer(stream, lineterminator=end, quoting=csv.QUOTE_ALL)
    for row in rows:
        lines.append(len(io.StringIO(stream.getvalue(), newline="").readlines()) + 1)
        writer.writerow(row)
    text = stream.getvalue().encode()
    columns = [[row[n] for row in rows] for n in range(2)]
    assert gathered(text, Dialect(), 2, block, quick=True) == (columns, lines, {}, [])
    assert gathered(text, Dialect(), 2, block, quick=False) == (columns, lines, {}, [])


def test_regular_quoted_blocks_take_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_read_block_carefully", lambda *_, **__: pytest.fail("read carefully"))
    text = b'1,"a ""b"" c"\r\n\r\n"2\r\n","x,y"\r\n"",""\r\n3,4'
    columns, lines, _, blank = gathered(text, Dialect(), 2, 1_000, quick=True)
    assert columns == [["1", "2\r\n", "", "3"], ['a "b" c', "x,y", "", "4"]]
    assert (lines, blank) == ([1, 3, 5, 6], [2])


@given(st.binary(max_size=300) | MESSY.map(str.encode) | MESSY.map(lambda text: text.encode("utf-16")))
def test_any_bytes_are_a_table_or_rejected_with_a_sentence(data: bytes) -> None:
    try:
        table = read(data)
    except ReadError as error:
        sentence = str(error)
    else:
        sentence = "."
        assert len(table.header) == len(table.columns)
        assert {len(column) for column in table.columns.values()} == {table.rows}
        assert (np.diff(table.lines) > 0).all()
        assert all(0 <= row < table.rows for row in table.cell_counts)
    assert sentence.endswith(".")


DIALECTS = st.builds(
    Dialect,
    st.sampled_from(["utf-8", "utf-16", "cp1252", "utf-7", "x"]),
    st.sampled_from(",;\t|'a\0é"),
    st.sampled_from(["", '"', "'", "é"]),
    st.sampled_from([-1, 1, 2, 3]),
)


@given(st.binary(max_size=120), DIALECTS)
@example(b"[{", Dialect("utf-8", ",", "", -1))  # a list of JSON that breaks off: it has no delimiter and no quotes
def test_any_bytes_with_any_dialect_are_a_table_or_rejected(data: bytes, dialect: Dialect) -> None:
    try:
        table = read(data, dialect)
        assert table.dialect == dialect or "delimiter" not in table.format.options
    except ReadError as error:
        sentence = str(error)
    else:
        sentence = "."
    assert sentence.endswith(".")
