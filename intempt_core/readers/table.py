"""A file as rows of text, whatever its format: the table, and the way from bytes to it.

A file is what its bytes say, whatever it is called; it may lie in gzip. Which format it has says ``formats.py``, and
how a format is read says the module that its record there names.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from intempt_core.arrays import Int64Array, Mask, take_rows
from intempt_core.contract import shorten_value
from intempt_core.errors import ReadError
from intempt_core.readers.column_store import ReplaceableColumns, TableColumns
from intempt_core.readers.compression import GZIP_MAGIC, unpack_gzip
from intempt_core.readers.dialects.dialect import Dialect
from intempt_core.readers.dialects.read_options import ReadOptions
from intempt_core.readers.encoding import (
    convert_to_utf8,
    describe_named_encoding,
    detect_encoding,
    read_file_bytes,
    reject_empty_file,
    reject_other_encoding,
)
from intempt_core.readers.formats import CSV, JSON_LINES, FileFormat, join_words, recognise_binary, recognise_text
from intempt_core.readers.jsonl import DocumentIndex
from intempt_core.readers.limits import ReadLimits
from intempt_core.readers.mapped_file import MappedFile, compute_sha256
from intempt_core.readers.pasted.har import LARGE_HAR_BYTES, extract_har_requests, is_har
from intempt_core.readers.payload import Payload, read_payload
from intempt_core.readers.table_content import FileSource, TableContent, describe_encoding, ignore_progress

SAMPLE_CHARS, DISTINCT_CHARS = 5_000, 5_000_000
"""Characters of a cell that is looked at as an example, and of all the different cells of a column."""

MAX_DOCUMENT_BYTES = 100_000_000
"""Bytes of one JSON document at the most: it is read whole into memory, many times its size."""

_SMALL_SAMPLE_CELLS = 200

READ_LIMITS = ReadLimits()
"""The limits of a process that has nothing else to do."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A file as rows of text. Every cell is exactly as in the file; an empty or absent one is ``""``.

    Attributes:
        name: The file's name.
        digest: The SHA-256 of the file's bytes, in hex.
        size: How many bytes the file has.
        dialect: How the file was read.
        header: The columns' names, each another.
        columns: Header → its text column, in chunks.
        lines: For each row the number (from 1) by which the file counts it: a physical line of text, on which the row
            begins; a row of a workbook's sheet; the row's own number where the file counts nothing.
        cell_counts: Row (from 0) → cells found, for rows that have more or fewer cells than the header: the more are
            cut off, the fewer filled with ``""``; empty cells too many at the end are none.
        malformed_quotes: Row (from 0) → the column (from 0) of a quote that makes its cells uncertain.
        notes: Sentences on what was decided while reading.
        format: The file's format.
        sheets: The names of all sheets of a workbook.
        mapped_file: The file without a name on which a large table lies.
        documents: The events of JSON lines, as they came.
        cell_kinds: Column → what each of its cells is (``json_cells.py``), where they are not all plain texts.
        origin: Where the rows of this table come from, if several were made of one.
    """

    name: str
    digest: str
    size: int
    dialect: Dialect
    header: tuple[str, ...]
    columns: Mapping[str, pa.ChunkedArray]
    lines: Int64Array
    cell_counts: Mapping[int, int]
    notes: tuple[str, ...]
    format: FileFormat = CSV
    sheets: tuple[str, ...] = ()
    mapped_file: MappedFile | None = None
    documents: DocumentIndex | None = None
    cell_kinds: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    origin: "TableOrigin | None" = None
    malformed_quotes: Mapping[int, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows there are; header and blank lines are none."""
        return len(self.lines)

    @property
    def width(self) -> int:
        """How many columns the file has."""
        return len(self.header if self.origin is None else self.origin.table.header)

    def release_memory(self) -> None:
        """Hand back the memory that holds what was read of a large table; it is read again when it is asked for."""
        if self.mapped_file is not None:
            self.mapped_file.release()

    def with_column(self, name: str, column: pa.ChunkedArray) -> "Table":
        """The table with another column in the place of the one of this name; the others are shared."""
        if isinstance(self.columns, ReplaceableColumns):
            return replace(self, columns=self.columns.with_column(name, column))
        return replace(self, columns={**self.columns, name: column})

    def cell(self, row: int, column: str) -> str:
        """One cell; ``row`` counts from 0."""
        return str(self.columns[column][row])

    def take_cells(self, column: str, rows: Sequence[int], *, max_chars: int | None = None) -> list[str]:
        """The cells of one column in these rows (from 0); of each only so many characters, where that is said."""
        if max_chars is not None:
            return [_cut_cell(self.columns[column][row], max_chars) for row in rows]
        found: list[str] = take_rows(self.columns[column], np.asarray(rows, np.int64)).to_pylist()
        return found

    def sample_cells(self, column: str, count: int, *, max_chars: int = SAMPLE_CHARS) -> list[str]:
        """Those of the first cells of a column that are not empty; only so many characters of each."""
        return [cell for cell in _cut_cells(self.columns[column].slice(0, count), max_chars) if cell]

    def distinct_cells(self, column: str, most: int) -> list[str]:
        """The different cells of a column that are not empty, in the order in which they come, up to so many.

        No more are looked for, so that a column of a million different ids costs no more than one of few names.
        """
        found: dict[str, None] = {}
        size = 0
        for chunk in self.columns[column].chunks:
            different = chunk.unique()
            for start in range(0, len(different), most):
                for text in _cut_cells(different.slice(start, most), SAMPLE_CHARS):
                    if text and text not in found:
                        found[text] = None
                        size += len(text)
                    if len(found) == most or size > DISTINCT_CHARS:
                        return list(found)
        return list(found)

    def record(self, row: int) -> dict[str, str]:
        """One row, header → cell; ``row`` counts from 0."""
        return {column: self.cell(row, column) for column in self.header}

    def line_numbers(self, rows: Sequence[int] | NDArray[np.int64]) -> Sequence[int | None]:
        """The ``lines`` of these rows (from 0); ``None`` for each where the file counts nothing."""
        if not self.format.row_label:
            return [None] * len(rows)
        found: list[int] = self.lines[np.asarray(rows, np.int64)].tolist()
        return found

    def describe_line(self, row: int) -> str:
        """Where the file itself has a row (from 0), such as “line 19”; empty where it counts nothing."""
        if not self.format.row_label:
            return ""
        sheet = f" of sheet “{shorten_value(self.dialect.sheet)}”" if self.dialect.sheet else ""
        return f"{self.format.row_label} {int(self.lines[row]):,}{sheet}"

    def row_numbers(self, rows: Int64Array) -> Sequence[int]:
        """The rows of the file (from 1) that these rows (from 0) come from."""
        found: list[int] = ((rows if self.origin is None else self.origin.rows[rows]) + 1).tolist()
        return found

    def member_numbers(self, rows: Int64Array) -> Sequence[int]:
        """Which member of its row of the file each of these rows (from 0) is, from 1; 0 for a whole row."""
        if self.origin is None:
            return [0] * len(rows)
        found: list[int] = self.origin.members[rows].tolist()
        return found

    def origin_cell(self, column: str, row: int) -> str:
        """A cell as its row of the file has it: an event id without the number of the member."""
        text, origin = self.cell(row, column), self.origin
        if origin is not None and column == origin.id_column and origin.own_ids[row]:
            return text.removesuffix(f"-{origin.members[row]}")
        return text

    def find_place(self, row: int, member: int | None = None) -> int | None:
        """The row (from 0) of this table that a row of the file (from 1) became; ``None`` where there is none.

        Where it became several: the one of a member, or the first.
        """
        if self.origin is None:
            return row - 1 if 1 <= row <= self.rows else None
        first, end = np.searchsorted(self.origin.rows, [row - 1, row]).tolist()
        if member is not None:
            first += int(np.searchsorted(self.origin.members[first:end], member))
        found = first < end and member in (None, int(self.origin.members[first]))
        return int(first) if found else None

    def describe_row(self, row: int) -> str:
        """A row (from 0) in a sentence: “row 18 (line 19)”, “row 18, member 2 (line 19)”."""
        line = self.describe_line(row)
        return self.name_row(row) + (f" ({line})" if line else "")

    def name_row(self, row: int) -> str:
        """A row (from 0) by its number in the file: “row 18”, “row 18, member 2”."""
        number, member = row + 1, 0
        if self.origin is not None:
            number, member = int(self.origin.rows[row]) + 1, int(self.origin.members[row])
        return f"row {number:,}" + (f", member {member:,}" if member else "")


@dataclass(frozen=True, slots=True, eq=False)
class TableOrigin:
    """Where the rows of a table come from that were made of another one's: its events, of which a row may be several.

    Attributes:
        table: The table as it was read.
        rows: For each event its row there, from 0, rising.
        members: Which member of that row it is, from 1; 0 where the row is one event.
        ignored_rows: Rows there that are no event, as a person said of their names.
        ignored_names: Their names.
        member_columns: The columns whose cells are a member's own; those of others are the same in all of a row.
        id_column: The column of the row's event id, which members do not share unless they are lines of an order.
        order_lines: Where there is such a column: the lines of orders, which go by the id of their row (CONTRACT 2.9).
        own_ids: Likewise the events that have a number behind the id of their row, as they do not share it.
    """

    table: Table
    rows: Int64Array
    members: Int64Array
    ignored_rows: Int64Array
    ignored_names: Sequence[str]
    member_columns: frozenset[str] = frozenset()
    id_column: str | None = None
    order_lines: Mask = field(default_factory=lambda: np.zeros(0, np.bool_))
    own_ids: Mask = field(default_factory=lambda: np.zeros(0, np.bool_))

    def spread_rows(self, events: Int64Array) -> Int64Array:
        """All events (from 0, sorted) of the rows that these events come from."""
        picked = np.zeros(self.table.rows, np.bool_)
        picked[self.rows[events]] = True
        found: Int64Array = np.flatnonzero(picked[self.rows])
        return found

    def are_of_one_row(self, events: Int64Array, others: Int64Array) -> Mask:
        """Whether each of these events comes from the row of the other one beside it."""
        found: Mask = self.rows[events] == self.rows[others]
        return found


def _cut_cells(cells: pa.Array | pa.ChunkedArray, max_chars: int) -> list[str]:
    """The first characters of some cells."""
    if cells.nbytes <= SAMPLE_CHARS * _SMALL_SAMPLE_CELLS:
        return [cell[:max_chars] for cell in cells.to_pylist()]
    return [_cut_cell(cell, max_chars) for cell in cells]


def _cut_cell(cell: pa.StringScalar, max_chars: int) -> str:
    """The first characters of a cell, without making a text of all of it."""
    held = cell.as_buffer()
    if held.size <= max_chars:
        return str(cell)
    head: bytes = held.slice(0, min(held.size, 4 * max_chars)).to_pybytes()
    return head.decode(errors="ignore")[:max_chars]


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A file that is one JSON document: a request, an event or a list of events.

    Attributes:
        name: The file's name.
        digest: The SHA-256 of the file's bytes, in hex.
        notes: Sentences on what was decided while reading.
        payload: The document, read.
    """

    name: str
    digest: str
    notes: tuple[str, ...]
    payload: Payload


def read_table(
    data: bytes | Path | MappedFile,
    *,
    name: str,
    dialect: Dialect | ReadOptions | None = None,
    limits: ReadLimits = READ_LIMITS,
) -> Table:
    """Read a file's bytes, or the file at a path. What ``dialect`` leaves open is recognised; ``notes`` say how.

    A file of ``limits.memory_bytes`` or more is read from a copy on disk, and so its table lies there; so does that of
    a :class:`MappedFile`, which nobody changes and which therefore is not copied.

    Raises :class:`ReadError` with a sentence, and the line where one can be named, where the bytes are no table:
    another format, no text, nothing at all, two columns of one name, a quote that is never closed, a row or line of
    more than :data:`~intempt_core.readers.limits.MAX_EVENT_BYTES`; :class:`TableTooLarge` for more than ``limits``.
    """
    with open_source(data, name, dialect, limits, documents=False) as opened:
        if opened.format.read is None:
            raise ReadError(
                f"{name} is JSON in one piece. JSON is taken with one event or one request body a line"
                f" ({JSON_LINES.suffixes[0]}). Write it so, or paste its text in Inspect."
            )
        return _build_table(opened, opened.format.read(opened.source))


def read_table_or_document(
    data: bytes | Path,
    *,
    name: str,
    dialect: Dialect | ReadOptions | None = None,
    limits: ReadLimits = READ_LIMITS,
    on_progress: Callable[[int, int], None] = ignore_progress,
    prefers_lines: bool = False,
) -> Table | Document:
    """Read a file as :func:`read_table` does, or as one JSON document where it is that.

    One line of JSON is both; it is a document if the file is called so, unless lines are preferred.
    While a text is read, ``on_progress`` is called now and then with how many of its bytes are, and how many it has.

    Raises :class:`ReadError` likewise.
    """
    with open_source(data, name, dialect, limits, documents=not prefers_lines, on_progress=on_progress) as opened:
        if opened.format.read is None:
            return _build_document(opened)
        return _build_table(opened, opened.format.read(opened.source))


@dataclass(frozen=True, slots=True, eq=False)
class OpenedSource:
    """A file whose format is known: its source for the reader, and what is known of the file itself."""

    format: FileFormat
    source: FileSource
    size: int
    notes: tuple[str, ...]
    digest: Future[str]


@contextmanager
def open_source(
    data: bytes | Path | MappedFile,
    name: str,
    dialect: Dialect | ReadOptions | None,
    limits: ReadLimits,
    *,
    documents: bool,
    on_progress: Callable[[int, int], None] = ignore_progress,
) -> Iterator[OpenedSource]:
    """Open a file, or bytes, and recognise its format; while it is used its digest is worked out beside.

    Where ``documents`` are not taken, JSON in one piece is the table of its items. Raises :class:`ReadError` where the
    bytes are of no format that is read.
    """
    options = dialect.as_options() if isinstance(dialect, Dialect) else dialect or ReadOptions()
    raw = read_file_bytes(data, name, limits.memory_bytes)
    reject_empty_file(raw, name)
    with ThreadPoolExecutor(1) as worker:  # it works out the digest while the rows are read here
        digest = worker.submit(lambda: compute_sha256(raw))
        is_packed = raw.startswith(GZIP_MAGIC)
        content = unpack_gzip(raw, name, limits.memory_bytes, limits.unpacked_bytes) if is_packed else raw
        reject_empty_file(content, name)
        notes = () if content is raw else (f"The file was unpacked: {len(raw):,} bytes became {len(content):,}.",)
        is_large = isinstance(content, MappedFile)
        found, encoding = recognise_binary(content, name), ""
        if found is None:
            encoding = options.encoding or detect_encoding(content, name)
            if options.encoding:
                reject_other_encoding(content, encoding, name)
                if said := describe_named_encoding(content, encoding):
                    notes = (*notes, said)
            content = convert_to_utf8(content, encoding, name)
            found = recognise_text(content, name, documents=documents)
        if isinstance(dialect, ReadOptions) and (unused := _describe_unused_options(dialect, found)):
            notes = (*notes, unused)
        source = FileSource(name, content, encoding, options, is_large, limits, on_progress)
        yield OpenedSource(found, source, len(raw), notes, digest)


def _describe_unused_options(options: ReadOptions, form: FileFormat) -> str:
    """A note on what a person said that has no meaning for a format; empty where there is nothing."""
    unused = [
        f"{name.replace('_', ' ')} “{shorten_value(str(value))}”"
        for name, value in options.to_json().items()
        if name not in form.options
    ]
    if not unused:
        return ""
    return f"Not used, since {form.name} has no such choice: {join_words(unused, 'and')}."


def _build_table(opened: OpenedSource, content: TableContent) -> Table:
    return Table(
        name=opened.source.name,
        digest=opened.digest.result(),
        size=opened.size,
        dialect=content.dialect,
        header=content.header,
        columns=TableColumns(content.header, content.columns),
        lines=content.lines,
        cell_counts=content.cell_counts,
        malformed_quotes=content.malformed_quotes,
        notes=(*opened.notes, *content.notes),
        format=opened.format,
        sheets=content.sheets,
        mapped_file=content.mapped_file,
        documents=content.documents,
        cell_kinds=content.cell_kinds,
    )


def _build_document(opened: OpenedSource) -> Document:
    source, more = opened.source, tuple[str, ...]()
    large_har = len(source.content) > LARGE_HAR_BYTES and is_har(source.content[:1_000])
    if len(source.content) > MAX_DOCUMENT_BYTES and not large_har:
        raise ReadError(
            f"{source.name} is JSON in one piece of {len(source.content):,} bytes. Up to {MAX_DOCUMENT_BYTES:,} are"
            f" read at once. Write one event or one request body a line ({JSON_LINES.suffixes[0]})."
        )
    try:
        if large_har:
            text = extract_har_requests(source.content[:])
            more = ("Only the requests of the HAR file are read; a line is that of a request among them.",)
        else:
            text = source.content[:].decode()
        payload = read_payload(text)
    except ReadError as error:
        raise ReadError(f"{source.name}: {error}", line=error.line) from None
    more = (f"Read as {payload.recognised}.", *more, *(payload.notes if len(payload.requests) > 1 else ()))
    notes = (*opened.notes, *describe_encoding(source.encoding), *more)
    return Document(source.name, opened.digest.result(), notes, payload)
