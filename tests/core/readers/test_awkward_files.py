"""Awkward files, made here and stored nowhere: each is read right, or rejected with a sentence and its line.

They go on where ``csv-spectrum`` ends; files that others wrote are read in ``test_real_files.py``.
"""

import gzip
from collections.abc import Sequence
from typing import NamedTuple

import pytest

from intempt_core.errors import ReadError
from intempt_core.readers.table import read_table


class Read(NamedTuple):
    """What a file says: its rows, and the lines on which they start."""

    rows: Sequence[tuple[str, ...]]
    lines: list[int]
    notes: str = ""


class Rejected(NamedTuple):
    """Words of the rejection, and its line."""

    says: str
    line: int | None = None


TWO = [("1", "2"), ("3", "4")]
BIG = "x" * 200_000
AWKWARD: dict[str, tuple[str | bytes, Read | Rejected]] = {
    "no final newline": ("a,b\n1,2\n3,4", Read(TWO, [2, 3])),
    "mixed line ends": ("a,b\r\n1,2\n3,4\r", Read(TWO, [2, 3])),
    "old Mac line ends": ("a,b\r1,2\r3,4\r", Read(TWO, [2, 3])),
    "a blank line between all": ("a,b\n\n1,2\n\n3,4\n\n", Read(TWO, [3, 5], "3 blank lines")),
    "lines of white space": ("a,b\n \t \n1,2\n   \n3,4\n", Read(TWO, [3, 5], "2 blank lines")),
    "everything quoted": ('"a","b"\n"1","2"\n"3","4"\n', Read(TWO, [2, 3])),
    "quotes doubled": ('a,b\n"say ""hi""",2\n', Read([('say "hi"', "2")], [2])),
    "only quotes in a cell": ('a,b\n"""""",2\n', Read([('""', "2")], [2])),
    "a quote in the middle of a cell": ('a,b\n5" disc,2\n', Read([('5" disc', "2")], [2])),
    "text after a closing quote": ('a,b\n"1"x,2\n', Read([('"1"x', "2")], [2])),
    "a space before a quote": ('a,b\n "1",2\n', Read([(' "1"', "2")], [2])),
    "an empty cell in quotes": ('a,b\n"",2\n', Read([("", "2")], [2])),
    "newlines in cells": ('a,b\n"1\n1\n1",2\n3,4\n', Read([("1\n1\n1", "2"), ("3", "4")], [2, 5])),
    "a delimiter in a cell": ('a,b\n"1,1",2\n', Read([("1,1", "2")], [2])),
    "semicolons with decimal commas": ("a;b\n1,5;2\n", Read([("1,5", "2")], [2], "semicolons")),
    "tabs": ("a\tb\n1\t2\n", Read([("1", "2")], [2], "tabs")),
    "bars": ("a|b\n1|2\n", Read([("1", "2")], [2], "bars")),
    "commas in a file of tabs": ("a\tb\nx,y,z\t2\n", Read([("x,y,z", "2")], [2], "tabs")),
    "sep= of a sheet": ("sep=;\na;b\n1;2\n", Read([("1", "2")], [3], "semicolons")),
    "one column": ("a\n1\n2\n", Read([("1",), ("2",)], [2, 3])),
    "a trailing delimiter": ("a,b,\n1,2,\n", Read([("1", "2")], [2])),
    "a trailing delimiter of the rows": ("a,b\n1,2,\n", Read([("1", "2")], [2], "an empty cell too many")),
    "a byte order mark": ("\ufeffa,b\n1,2\n", Read([("1", "2")], [2])),
    "a byte order mark before a quote": ('\ufeff"a","b"\n1,2\n', Read([("1", "2")], [2])),
    "a byte order mark twice": ("\ufeff\ufeffa,b\n1,2\n", Read([("1", "2")], [2], "[byte order mark]a")),
    "utf-16, little end first": ("a,b\n1,2\n".encode("utf-16"), Read([("1", "2")], [2], "utf-16")),
    "utf-16 without a mark": ("a,b\n1,2\n".encode("utf-16-be"), Read([("1", "2")], [2], "utf-16-be")),
    "utf-32": ("a,b\n1,2\n".encode("utf-32"), Read([("1", "2")], [2], "utf-32")),
    "windows-1252": ("a,b\n€ä,2\n".encode("cp1252"), Read([("€ä", "2")], [2], "cp1252")),
    "gzip": (gzip.compress(b"a,b\n1,2\n"), Read([("1", "2")], [2], "unpacked")),
    "an empty gzip": (gzip.compress(b""), Rejected("is empty")),
    "letters of the whole world": ("a,b\n日本語,שלום\n👩‍👩‍👧,é\n", Read([("日本語", "שלום"), ("👩‍👩‍👧", "é")], [2, 3])),
    "a null character": ("a,b\n1\x00,2\n", Read([("1\x00", "2")], [2], "NUL")),
    "form feeds and vertical tabs": ("a,b\n1\x0b\x0c,2\n", Read([("1\x0b\x0c", "2")], [2])),
    "separators of Unicode": ("a,b\n1\u2028\u0085,2\n", Read([("1\u2028\u0085", "2")], [2])),
    "the end sign of DOS": ("a,b\n1,2\n\x1a", Read([("1", "2")], [2], "blank line")),
    "numbers that a sheet would change": ("a,b\n007,1E5\n", Read([("007", "1E5")], [2])),
    "formulas": ("a,b\n=1+1,@x\n", Read([("=1+1", "@x")], [2])),
    "a very long cell": (f"a,b\n{BIG},2\n", Read([(BIG, "2")], [2])),
    "too few and too many cells": ("a,b\n1\n1,2,3\n", Read([("1", ""), ("1", "2")], [2, 3])),
    "a header with quotes and newlines": ('"a\nb","c,d"\n1,2\n', Read([("1", "2")], [3])),
    "blank lines before the header": ("\n\na,b\n1,2\n", Read([("1", "2")], [4], "header is line 3")),
    "a header only": ("a,b", Read([], [], "no row")),
    "nothing": ("", Rejected("is empty")),
    "white space only": (" \n\t\n", Rejected("has no header", 1)),
    "delimiters only": (",,,\n,,,\n", Rejected("has no header", 1)),
    "two columns of one name": ("a,a\n1,2\n", Rejected("both called “a”", 1)),
    "no header": (
        "Product viewed,1\nProduct viewed,2\n",
        Read([("Product viewed", "1"), ("Product viewed", "2")], [1, 2], "no header"),
    ),
    "a quote that is never closed": ('a,b\n1,2\n"3,4\n5,6\n', Read([("1", "2"), ('"3', "4"), ("5", "6")], [2, 3, 4])),
    "a quote that is never closed in the header": ('"a,b\n1,2\n', Rejected("never closed", 1)),
    "two encodings in one file": ("a,b\nä,2\n".encode() + "ä,2\n".encode("cp1252"), Rejected("mixes encodings", 3)),
    "half a character at the end": ("a,b\nä,ä".encode()[:-1], Rejected("or was cut", 2)),
    "a program": (b"\x7fELF\x02\x01\x01\x00\xff\xfe\x00", Rejected("is no text", 1)),
    "a web page": ("<!doctype html>\n<p>Sign in", Rejected("a web page")),
    "a zip": (b"PK\x05\x06" + bytes(18), Rejected("zip archive")),
    "a broken zip": (b"PK\x03\x04" + bytes(40), Rejected("cut or broken")),
}


@pytest.mark.parametrize(("data", "meant"), AWKWARD.values(), ids=AWKWARD)
def test_an_awkward_file_is_read_right_or_rejected_with_a_sentence(data: str | bytes, meant: Read | Rejected) -> None:
    raw = data.encode() if isinstance(data, str) else data
    if isinstance(meant, Rejected):
        with pytest.raises(ReadError) as rejected:
            read_table(raw, name="awkward.csv")
        assert meant.says in str(rejected.value)
        assert rejected.value.line == (meant.line or rejected.value.line)
        assert str(rejected.value).endswith(".")
        return
    table = read_table(raw, name="awkward.csv")
    assert list(zip(*(table.columns[column].to_pylist() for column in table.header), strict=True)) == meant.rows
    assert table.lines.tolist() == meant.lines
    assert meant.notes in " ".join(table.notes)
    assert bool(table.notes) == bool(meant.notes)
