"""The registry of formats: what is recognised, and that all that is shown of formats derives from it."""

import dataclasses
import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from intempt_core.errors import ReadError
from intempt_core.readers.dialects.dialect import Dialect
from intempt_core.readers.formats import (
    CSV,
    EXCEL,
    FORMATS,
    JSON_DOCUMENT,
    JSON_LINES,
    PARQUET,
    TABLE_FORMATS,
    FileFormat,
    join_words,
    list_suffixes,
    recognise_text,
)
from intempt_core.readers.table import Document, Table, read_table, read_table_or_document
from tests.core.readers.parquet_factories import parquet_of
from tests.core.readers.workbook_factories import rows_xml, workbook

ROOT = Path(__file__).parents[3]
HEADER = ["name", "eventId", "userId", "data.productId"]
ROW = ["Product viewed", "e1", "u1", "1487580005268456192"]
EVENT = {"name": ROW[0], "eventId": ROW[1], "userId": ROW[2], "data": {"productId": ROW[3]}}

SAMPLES: dict[str, bytes] = {
    CSV.name: f"{','.join(HEADER)}\n{','.join(ROW)}\n".encode(),
    JSON_LINES.name: json.dumps(EVENT).encode(),
    EXCEL.name: workbook({"Events": rows_xml([HEADER, ROW])}),
    PARQUET.name: parquet_of(HEADER, [ROW]),
    JSON_DOCUMENT.name: json.dumps({"track": [{"name": ROW[0], "payload": [EVENT]}]}, indent=1).encode(),
}
"""The same event in every format."""


@pytest.mark.parametrize("name", ["events.csv", "events.xlsx", "events.parquet", "events.json", "events", "a.jsonl.gz"])
@pytest.mark.parametrize("file_format", FORMATS, ids=lambda one: one.name)
def test_a_file_is_what_its_bytes_say_whatever_it_is_called(file_format: FileFormat, name: str) -> None:
    for data in (SAMPLES[file_format.name], gzip.compress(SAMPLES[file_format.name])):
        read = read_table_or_document(data, name=name)
        if file_format is JSON_DOCUMENT or (file_format is JSON_LINES and name == "events.json"):  # one line is both
            assert isinstance(read, Document)
            assert [event.name for event in read.payload.events] == ["Product viewed"]
        else:
            assert isinstance(read, Table)
            assert read.format is file_format
            assert read.record(0) == dict(zip(HEADER, ROW, strict=True))


def test_one_line_of_json_is_json_lines_where_no_document_is_taken() -> None:
    assert read_table(SAMPLES[JSON_LINES.name], name="events.json").format is JSON_LINES
    two = SAMPLES[JSON_LINES.name] + b"\n" + SAMPLES[JSON_LINES.name]
    assert isinstance(read_table_or_document(two, name="events.json"), Table)


def test_a_table_is_asked_for_and_a_document_says_what_it_is() -> None:
    with pytest.raises(
        ReadError, match=r"a\.csv is JSON in one piece\. JSON is taken with one event .* a line \(\.jsonl\)"
    ):
        read_table(SAMPLES[JSON_DOCUMENT.name], name="a.csv")


@pytest.mark.parametrize(
    ("text", "name", "file_format"),
    [
        ('// exported\n/* by {us} */ # today\n[{"name": 1}]', "a.csv", JSON_DOCUMENT),
        ("{", "a.json", JSON_DOCUMENT),
        ("{", "a.csv", CSV),
        ("[1, 2]", "a.json.gz", JSON_DOCUMENT),
        ("# comment\nname,userId\n", "a.csv", CSV),
        ("{a},b\n1,2\n", "a.csv", CSV),
        ("name,userId\nx,y\n", "a.json", CSV),
        ("PAR1,PAR2\n1,2\n", "a.parquet", CSV),
    ],
)
def test_where_bytes_leave_it_open_the_name_decides(text: str, name: str, file_format: FileFormat) -> None:
    assert recognise_text(text.encode(), name) is file_format


def test_a_document_in_another_encoding_is_read_and_says_so() -> None:
    text = json.dumps([{**EVENT, "userId": "zoë"}], indent=1, ensure_ascii=False)
    for encoding in ("utf-8-sig", "utf-16", "cp1252"):
        read = read_table_or_document(text.encode(encoding), name="a.json")
        assert isinstance(read, Document)
        assert read.payload.events[0].body["userId"] == "zoë"
        assert read.notes[-1] == "Read as list of 1 event."
        assert any(encoding in note for note in read.notes) == (encoding != "utf-8-sig")


def test_every_format_has_a_reader_options_of_a_dialect_and_a_suffix_of_its_own() -> None:
    fields = {field.name for field in dataclasses.fields(Dialect)}
    suffixes = [suffix for one in FORMATS for suffix in one.suffixes]
    assert set(FORMATS) == {*TABLE_FORMATS, JSON_DOCUMENT}
    assert len(suffixes) == len(set(suffixes))
    assert len({one.name for one in FORMATS}) == len(FORMATS) == len(SAMPLES)
    for one in FORMATS:
        assert set(one.options) <= fields
        assert (one.magic is None) != (one.matches is None)
        assert (one.read is None) == (one is JSON_DOCUMENT)
        assert one.has_suffix(f"A{one.suffixes[0].upper()}.GZ")
        assert not one.has_suffix("a.xml")


def test_a_rejection_names_every_format_that_is_taken() -> None:
    for data in (b"\x89PNG\r\n\x1a\n", b"PK\x05\x06" + bytes(18), b"\x7fELF\x02\x01\x01\x00\xff\xfe", b"%PDF-1.7\n"):
        with pytest.raises(ReadError) as raised:
            read_table(data, name="a.csv")
        assert "CSV, JSON lines, Excel and Parquet are taken." in str(raised.value)


def test_suffixes_are_listed_for_people() -> None:
    assert list_suffixes() == ".csv, .tsv, .txt, .jsonl, .ndjson, .xlsx, .parquet"
    assert list_suffixes([CSV], conjunction="or") == ".csv, .tsv or .txt"
    assert join_words(["a"], "or") == "a"


def test_what_people_read_first_names_every_format() -> None:
    for page in ("README.md", "docs/command-line.md"):
        text = (ROOT / page).read_text("utf-8")
        assert [one.name for one in TABLE_FORMATS if f"`{one.suffixes[0]}`" not in text] == [], page


def test_the_records_alone_load_no_reader() -> None:
    program = "import sys, intempt_core.readers.formats; print('pyarrow' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
