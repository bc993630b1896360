"""A cell, a line and a table are bounded in every format: a sentence with line and size, and memory that stays flat."""

import gzip
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from intempt_core.errors import ReadError, TableTooLarge
from intempt_core.readers.column_store import ColumnWriter, StoredColumns
from intempt_core.readers.limits import MAX_EVENT_BYTES, ReadLimits
from intempt_core.readers.mapped_file import MappedFile
from intempt_core.readers.payload import read_payload
from intempt_core.readers.table import Table, read_table, read_table_or_document
from intempt_core.settings import PROJECT_FOLDER
from tests.core.readers.parquet_factories import parquet_of
from tests.core.readers.workbook_factories import rows_xml, workbook

LARGE = MAX_EVENT_BYTES + 1_000_000
HEADER = b"name,userId\n"


def rejected(data: bytes, name: str = "t.csv") -> ReadError:
    with pytest.raises(ReadError, match="can go nowhere") as caught:
        read_table(data, name=name)
    return caught.value


# ── a cell and a line ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        (HEADER + b"a,b\n" + b"x" * LARGE + b",c\n", 3, f"Line 3: the row has {LARGE + 3:,} bytes"),
        (HEADER + b'a,"' + b"x" * LARGE + b'"\n', 2, f"Line 2: the row has {LARGE + 5:,} bytes"),
        pytest.param(
            HEADER + b'a,b\na,"' + b"xxxxxxxxx\n" * (LARGE // 10) + b'"\n',
            3,
            "A quote that is opened and never closed",
            marks=pytest.mark.long,
        ),
        (b"x" * LARGE, 1, "Line 1: the row has"),
        (b"x" * LARGE + b"\na,b\n", 1, "rows end with a line end"),
        (HEADER + b"a," + b"\xe9" * LARGE + b"\n", 2, "Line 2: the row has"),  # not UTF-8
    ],
    ids=["line", "cell", "cell of many lines", "no line end", "header", "latin-1"],
)
def test_a_row_of_text_that_no_request_could_hold_is_named_with_its_line_and_size(
    data: bytes, line: int, said: str
) -> None:
    error = rejected(data)
    assert error.line == line
    assert said in str(error)
    assert f"Up to {MAX_EVENT_BYTES:,} are read" in str(error)


@pytest.mark.long
def test_a_quote_that_nothing_closes_costs_its_row_also_where_more_rows_follow_than_a_row_may_hold() -> None:
    table = read_table(HEADER + b'a,"b\n' + b"c,d\n" * (LARGE // 4), name="t.csv")
    assert (table.rows, dict(table.malformed_quotes)) == (LARGE // 4 + 1, {0: 1})
    assert table.cell(0, "userId") == '"b'


def test_a_row_that_a_request_could_just_hold_is_read() -> None:
    table = read_table(HEADER + b"a," + b"x" * (MAX_EVENT_BYTES - 3) + b"\n", name="t.csv")
    assert (table.rows, len(table.cell(0, "userId"))) == (1, MAX_EVENT_BYTES - 3)


@pytest.mark.long
def test_lines_above_the_header_are_no_row_together() -> None:
    from intempt_core.readers.dialects.dialect import Dialect

    above = b"# a comment\n" * (LARGE // 12)
    table = read_table(above + HEADER + b"a,b\n", name="t.csv", dialect=Dialect(header_line=above.count(b"\n") + 1))
    assert table.record(0) == {"name": "a", "userId": "b"}


EVENT = '{"name": "Product viewed", "eventId": "e1", "userId": "u"}\n'


@pytest.mark.parametrize("name", ["events.jsonl", "events.txt"])
def test_a_line_of_json_that_no_request_could_hold_is_named_with_its_line_and_size(name: str) -> None:
    line = json.dumps({"name": "Product viewed", "eventId": "e" * LARGE})
    error = rejected((EVENT * 2 + line + "\n").encode(), name)
    assert error.line == 3
    assert f"line 3: the line has {len(line):,} bytes" in str(error)
    first = rejected((line + "\n" + EVENT).encode(), name)
    assert first.line == 1


def test_a_row_of_parquet_that_no_request_could_hold_is_named_with_its_size() -> None:
    columns = [["x", "y" * (LARGE // 2), "z"], ["a", "b" * (LARGE // 2), "c" * 9_000_000]]
    error = rejected(parquet_of(["one", "two"], [list(row) for row in zip(*columns, strict=True)]), "t.parquet")
    assert f"t.parquet, row 2: the row has {LARGE // 2 * 2:,} bytes" in str(error)
    assert "“one”" in str(error) or "“two”" in str(error)


@pytest.mark.parametrize("shared", [False, True])
def test_a_cell_of_a_workbook_that_no_request_could_hold_is_a_sentence(shared: bool) -> None:
    text = "x" * LARGE
    if shared:
        data = workbook({"S": '<row><c t="s"><v>0</v></c></row>'}, strings=f"<si><t>{text}</t></si>")
    else:
        data = workbook({"S": rows_xml([["a"], ["b"], [text]])})
    assert rejected(data, "t.xlsx").line == (None if shared else 3)


def test_a_row_of_a_workbook_that_no_request_could_hold_is_named_with_its_size() -> None:
    cell = '<c t="s"><v>0</v></c>'
    strings = f"<si><t>{'ü' * 3_000_000}</t></si>"
    data = workbook({"S": f"<row>{rows_xml([['a', 'b']])[5:-6]}</row><row>{cell}{cell}</row>"}, strings=strings)
    error = rejected(data, "t.xlsx")
    assert error.line == 2
    assert "row 2 has 12,000,000 bytes" in str(error)


@pytest.mark.long
def test_shared_texts_that_make_a_small_workbook_a_huge_table_are_a_sentence() -> None:
    cell = '<row><c t="s"><v>0</v></c></row>'
    data = workbook({"S": rows_xml([["a"]]) + cell * 3000}, strings=f"<si><t>{'x' * 1_000_000}</t></si>")
    with pytest.raises(TableTooLarge, match=r"becomes more than 2,0[0-9,]* as text"):
        read_table(data, name="t.xlsx")


def test_a_piece_of_xml_that_never_ends_is_a_sentence() -> None:
    data = workbook({"S": rows_xml([["a"]]) + f'<row spans="{"x" * LARGE}"></row>'})
    with pytest.raises(ReadError, match="a piece of its XML has more than"):
        read_table(data, name="t.xlsx")


def test_a_pasted_event_that_no_request_could_hold_is_named_with_its_line_and_size() -> None:
    event = json.dumps({"name": "Product viewed", "eventId": "ü" * (LARGE // 2)}, ensure_ascii=False)
    with pytest.raises(ReadError, match=f"Line 2: the event has {len(event.encode()):,} bytes") as caught:
        read_payload(f"[{EVENT[:-1]},\n{event}]")
    assert caught.value.line == 2


def test_a_json_document_that_is_too_large_to_be_read_at_once_is_a_sentence() -> None:
    data = b"[\n" + b'{"name": "Product viewed"},\n' * 4_000_000 + b"{}]"
    with pytest.raises(ReadError, match=r"is JSON in one piece of 112,000,00[0-9] bytes"):
        read_table_or_document(data, name="t.json")


# ── a table ──────────────────────────────────────────────────────────────────────────────────────────────────────────

WIDTH = 16_000
WIDE_HEADER = ",".join(f"c{number}" for number in range(WIDTH)).encode() + b"\n"


def on_disk(data: bytes, folder: Path, **limits: int) -> Table:
    path = folder / "file"
    path.write_bytes(data)
    return read_table(MappedFile.open(path), name="t.csv", limits=ReadLimits(**limits))


@pytest.mark.long  # of ten thousand columns: test_table.py
@pytest.mark.parametrize("count", [4, 300])
def test_sixteen_thousand_columns_are_a_table_of_few_arrays(tmp_path: Path, count: int) -> None:
    rows = b"".join(b",".join(b"%d" % (row * number) for number in range(WIDTH)) + b"\n" for row in range(count))
    table = on_disk(WIDE_HEADER + rows, tmp_path)
    assert (table.rows, len(table.columns)) == (count, WIDTH)
    assert table.columns["c15999"].num_chunks == 1
    assert table.cell(count - 1, "c15999") == str((count - 1) * 15999)
    assert read_table(WIDE_HEADER + rows, name="t.csv").columns["c7"].to_pylist() == table.columns["c7"].to_pylist()


@pytest.mark.long
def test_short_rows_of_many_columns_are_read_a_few_at_a_time(tmp_path: Path) -> None:
    table = on_disk(WIDE_HEADER + b"x\n" * 1_200, tmp_path)
    assert (table.rows, table.cell(1_199, "c0"), table.cell(1_199, "c1")) == (1_200, "x", "")
    assert table.cell_counts[1_199] == 1


@pytest.mark.parametrize(
    ("data", "limits", "said"),
    [
        (HEADER + b"a,b\n" * 1000, {"rows": 999}, "more than 999 lines"),
        (HEADER + b"\n" * 1000, {"rows": 999}, "more than 999 lines"),
        (HEADER + b"a,b\n" * 1000, {"table_bytes": 5_000}, "a table of more than 5,000 bytes"),
        (gzip.compress(HEADER + b"a,b\n" * 10_000), {"unpacked_bytes": 5_000}, "Up to 5,000 are taken"),
        (EVENT.encode() * 1000, {"table_bytes": 5_000}, "a table of more than 5,000 bytes"),
        (parquet_of(["a"], [["x" * 100]] * 1000), {"unpacked_bytes": 5_000}, "Up to 5,000 are taken"),
        (parquet_of(["a"], [["x"]] * 1000), {"rows": 999}, "more than 999 lines"),
        (workbook({"S": rows_xml([["a"], *[["x" * 100]] * 1000])}), {"unpacked_bytes": 5_000}, "Up to 5,000 are taken"),
        (workbook({"S": rows_xml([["a"], *[["x"]] * 1000])}), {"rows": 999}, "more than 999 lines"),
    ],
)
def test_a_table_that_becomes_larger_than_it_may_is_a_sentence(data: bytes, limits: dict[str, int], said: str) -> None:
    with pytest.raises(TableTooLarge, match=said):
        read_table(data, name="t", limits=ReadLimits(**limits))


PEAK = """
import resource, sys
from pathlib import Path
from intempt_core.errors import ReadError
from intempt_core.readers import MappedFile, ReadLimits, read_table
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000
read_table(b"a,b\\n1,2\\n", name="t.csv")
before = peak()
try:
    table = read_table(MappedFile.open(Path(sys.argv[1])), name="t", limits=ReadLimits(memory_bytes=32_000_000))
    said = f"{table.rows} rows, {len(table.header)} columns"
except ReadError as error:
    said = str(error)
print(peak() - before, said, sep="|")
"""


def repeat_to(path: Path, head: bytes, piece: bytes, size: int, tail: bytes = b"") -> None:
    with path.open("wb") as file:
        file.write(head)
        for _ in range(size // len(piece)):
            file.write(piece)
        file.write(tail)


def write_gzip_bomb(path: Path) -> None:
    with gzip.open(path, "wb", 9) as file:
        for _ in range(200):
            file.write(b"a,b\n" * 250_000)


ATTACKS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a cell of 200 MB": (lambda p: repeat_to(p, HEADER + b'a,"', b"many words, " * 9999, 200_000_000, b'"\n'), "bytes"),
    "a line of 200 MB": (lambda p: repeat_to(p, HEADER, b"many words, " * 9999, 200_000_000, b"\n"), "bytes"),
    "an open quote in 200 MB": (lambda p: repeat_to(p, HEADER + b'a,"', b"b,c\n" * 9999, 200_000_000), "bytes"),
    "a line of JSON of 200 MB": (
        lambda p: repeat_to(p, EVENT.encode() + b'{"name": "', b"x" * 9999, 200_000_000, b'"}'),
        "line 2: the line has",
    ),
    "one JSON line of 200 MB": (
        lambda p: repeat_to(p, b'{"name": "', b"x" * 9999, 200_000_000, b'"}'),
        "line 1: the line has",
    ),
    "16,000 columns": (lambda p: repeat_to(p, WIDE_HEADER, (b"1234," * WIDTH)[:-1] + b"\n", 100_000_000), "16000"),
    "200 MB with a byte order mark": (
        lambda p: repeat_to(p, b"\xef\xbb\xbf" + HEADER, b"Product viewed,user\n" * 999, 200_000_000),
        "9999990 rows",
    ),
    "200 MB of UTF-16": (
        lambda p: repeat_to(
            p, HEADER.decode().encode("utf-16"), "Product viewed,user\n".encode("utf-16-le") * 999, 200_000_000
        ),
        "4999995 rows",
    ),
    "100 MB of blank lines": (lambda p: repeat_to(p, HEADER + b"a,b\n", b"\n" * 9999, 100_000_000), "1 rows"),
    "a gzip of 200 KB that becomes 200 MB": (write_gzip_bomb, "taken"),
}


QUICK_ATTACKS = ("a gzip of 200 KB that becomes 200 MB",)
"""The others claim the same of other forms."""


@pytest.mark.parametrize(
    ("write", "said"),
    [
        pytest.param(*attack, id=name, marks=() if name in QUICK_ATTACKS else pytest.mark.long)
        for name, attack in ATTACKS.items()
    ],
)
def test_no_file_takes_much_memory_whatever_is_in_it(write: Callable[[Path], None], said: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    write(path)
    command = [sys.executable, "-c", PEAK, str(path)]
    done = subprocess.run(command, cwd=PROJECT_FOLDER, capture_output=True, text=True, check=True)
    added, _, told = done.stdout.partition("|")
    assert said in told, told
    assert int(added) < 450, f"{added} MB, {told}"


# ── how columns are written ──────────────────────────────────────────────────────────────────────────────────────────


def array(*texts: str) -> pa.Array:
    return pa.array(texts, pa.string())


@pytest.mark.parametrize("disk", [False, True])
@pytest.mark.parametrize("width", [2, 400])
def test_columns_written_in_pieces_are_read_as_one(disk: bool, width: int) -> None:
    with ColumnWriter(width, ReadLimits(), on_disk=disk) as writer:
        writer.write([[array("a", "b"), array("ü")], *[[array("1", "2", "3")]] * (width - 1)])
        writer.write([[array("x", "", "y").slice(1)], *[[array("", "9", "8", "7").slice(1, 2)]] * (width - 1)])
        columns, pages = writer.finish()
    assert [column.to_pylist() for column in columns[:2]] == [["a", "b", "ü", "", "y"], ["1", "2", "3", "9", "8"]]
    assert {column.num_chunks for column in columns} == {1 if width == 400 else 2}  # few arrays where columns are many
    assert (pages is not None) == disk


@pytest.mark.parametrize("disk", [False, True])
def test_a_column_that_comes_later_is_empty_before(disk: bool) -> None:
    with ColumnWriter(0, ReadLimits(), on_disk=disk) as writer:
        writer.write_chunk([array("a", "b")], 2)
        writer.write_chunk([None, array("x")], 1)
        writer.write_chunk([array("c"), None, array("y")], 1)
        columns, _ = writer.finish()
    assert [column.to_pylist() for column in columns] == [["a", "b", "", "c"], ["", "", "x", ""], ["", "", "", "y"]]
    if isinstance(columns, StoredColumns):
        assert [column.to_pylist() for column in columns.select([2, 0])] == [["", "", "", "y"], ["a", "b", "", "c"]]


def test_rows_move_to_disk_when_they_are_more_than_memory_may_hold() -> None:
    with ColumnWriter(1, ReadLimits(memory_bytes=5_000_000), on_disk=False, moves=True) as writer:
        for _ in range(9):
            writer.write([[array("x" * 1_000_000)]])
        columns, pages = writer.finish()
    assert pages is not None
    assert columns[0].to_pylist() == ["x" * 1_000_000] * 9


def test_a_file_leaves_space_on_the_disk_for_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from intempt_core.readers import mapped_file

    monkeypatch.setattr(mapped_file, "RESERVED_DISK_BYTES", 10**18)
    with pytest.raises(ReadError, match="no space on the disk to hold its rows"):
        on_disk(HEADER + b"a,b\n", tmp_path)


def test_a_zip_that_is_no_workbook_is_still_a_sentence_when_it_lies_on_disk(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(ReadError, match="is a zip archive"):
        on_disk(packed.getvalue(), tmp_path)
    with pytest.raises(ReadError, match="is cut or broken"):
        on_disk(packed.getvalue()[:20], tmp_path)


def test_a_workbook_on_disk_is_the_workbook_in_memory(tmp_path: Path) -> None:
    data = workbook({"S": rows_xml([["a", "b"], ["1", "ü"], ["", "x", "long"]])}, strings="<si><t>x</t></si>")
    stored, held = on_disk(data, tmp_path), read_table(data, name="t.csv")
    assert stored.mapped_file is not None
    assert {name: column.to_pylist() for name, column in stored.columns.items()} == {
        name: column.to_pylist() for name, column in held.columns.items()
    }
    assert (dict(stored.cell_counts), stored.notes) == (dict(held.cell_counts), held.notes)
