"""Bytes become a :class:`Table` of strings: format, encoding, delimiter, header, and what was decided about them.

The bytes say what they are, whatever the file is called: a table of text, JSON lines, an Excel workbook, each of them
in gzip. Rows of text are read in ``blocks.py``, those of a workbook in ``workbooks.py``, events in ``json_lines.py``.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
import pyarrow as pa

from intempt_core.arrays import make_array
from intempt_core.contract import EventName, is_blank, shorten_value
from intempt_core.errors import ReadError
from intempt_core.readers.compression import GZIP_MAGIC, unpack_gzip
from intempt_core.readers.delimited import (
    MAX_FILLED_CELLS,
    Dialect,
    LineReader,
    read_csv_records,
    read_row_blocks,
    reject_unclosed_quote,
)
from intempt_core.readers.encoding import (
    DELIMITER_NAMES,
    SAMPLE_BYTES,
    convert_to_utf8,
    detect_encoding,
    find_line_number,
    read_file_bytes,
    reject_empty_file,
    reject_other_formats,
)
from intempt_core.readers.jsonl import JSONL_SUFFIXES, DocumentIndex, is_json_lines, read_json_lines
from intempt_core.readers.mapped_file import (
    MEMORY_LIMIT_BYTES,
    ColumnWriter,
    FileBytes,
    MappedFile,
    compute_sha256,
    find_byte,
    release_pages,
)
from intempt_core.readers.xlsx import XLSX_MAX_COLUMNS, ZIP_MAGIC, SheetRow, Workbook

SHEET_CHUNK_ROWS = 65_536
"""Rows of a workbook that become a chunk of columns together."""

_SEPARATOR_LINE = re.compile(rb"sep=([,;\t|])(?:\r\n?|\n|\Z)", re.IGNORECASE)
_JSON_START = re.compile(rb'\s*(?:\{\s*["}]|\[\s*[\[{"\]])')

_LOOKS_LIKE_VALUE = re.compile(
    r"[+-]?[0-9][0-9.,:]*|[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)
"""What stands in a row and hardly in a header: a number, a date, a UUID."""


class FileKind(StrEnum):
    """What a file is, by its bytes."""

    TEXT = "a table of text"
    WORKBOOK = "an Excel workbook"
    JSON_LINES = "JSON lines"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A file as rows of text. Every cell stands exactly as in the file; an empty or absent one is ``""``.

    ``digest`` is the SHA-256 of the file's ``size`` bytes, in hex. ``columns`` leads from a header to its text column,
    ``lines`` holds the physical line on which each row starts, ``cells`` the number of cells found in those rows
    (counted from 0) that have more or fewer than the header: the more are cut off, the fewer are filled with ``""``.
    ``notes`` are sentences on what was decided while reading. Of a workbook a line is a row of its sheet, and
    ``sheets`` are the names of all it has. ``documents`` are the events of JSON lines, as they came. A large table lies
    on ``pages`` of a file without a name.
    """

    name: str
    digest: str
    size: int
    dialect: Dialect
    header: tuple[str, ...]
    columns: dict[str, pa.ChunkedArray]
    lines: np.ndarray[tuple[int], np.dtype[np.int64]]
    cell_counts: dict[int, int]
    notes: tuple[str, ...]
    kind: FileKind = FileKind.TEXT
    sheets: tuple[str, ...] = ()
    mapped_file: MappedFile | None = None
    documents: DocumentIndex | None = None

    @property
    def rows(self) -> int:
        """How many rows there are; header and blank lines are none."""
        return len(self.lines)

    def release_memory(self) -> None:
        """Hand back the memory that holds what was read of a large table; it is read again when it is asked for."""
        if self.mapped_file is not None:
            self.mapped_file.release()

    def cell(self, row: int, column: str) -> str:
        """One cell; ``row`` counts from 0."""
        return str(self.columns[column][row])

    def take_cells(self, column: str, rows: Sequence[int]) -> list[str]:
        """The cells of one column in these rows (sorted, from 0); only what lies between the first and last is read."""
        first = int(rows[0]) if len(rows) else 0
        part = self.columns[column].slice(first, int(rows[-1]) - first + 1 if len(rows) else 0)
        found: list[str] = part.take(make_array(np.asarray(rows, np.int64) - first)).to_pylist()
        return found

    def record(self, row: int) -> dict[str, str]:
        """One row, header → cell; ``row`` counts from 0."""
        return {column: self.cell(row, column) for column in self.header}


def read_table(
    data: bytes | Path, *, name: str, dialect: Dialect | None = None, memory_limit: int = MEMORY_LIMIT_BYTES
) -> Table:
    """Read a file's bytes, or the file at a path. Without a ``dialect`` it is guessed, and ``notes`` say how.

    A file of ``large`` bytes or more is read from a copy on disk, and so its table lies there.

    Raises :class:`ReadError` with a sentence, and the line where one can be named, where the bytes are no table:
    another format, no text, nothing at all, two columns of one name, a quote that is never closed.
    """
    raw = read_file_bytes(data, name, memory_limit)
    reject_empty_file(raw, name)
    with ThreadPoolExecutor(1) as other_core:  # the digest is worked out there, while the rows are read here
        digest = other_core.submit(lambda: compute_sha256(raw))
        content = unpack_gzip(raw, name, memory_limit) if raw.startswith(GZIP_MAGIC) else raw
        reject_empty_file(content, name)
        read = _read_workbook if content.startswith(ZIP_MAGIC) else _read_text
        table = read(content, name, dialect, digest.result)
    if content is raw:
        return table
    unpacked = f"The file was unpacked: {len(raw):,} bytes became {len(content):,}."
    return replace(table, size=len(raw), notes=(unpacked, *table.notes))


def _read_text(raw: FileBytes, name: str, dialect: Dialect | None, digest: Callable[[], str]) -> Table:
    reject_other_formats(raw, name)
    encoding = dialect.encoding if dialect else detect_encoding(raw, name)
    text = convert_to_utf8(raw, encoding, name)
    if _JSON_START.match(text) or name.lower().endswith(JSONL_SUFFIXES):
        if is_json_lines(text, name):
            return _build_json_lines_table(text, len(raw), name, encoding, digest)
        if _JSON_START.match(text):
            raise ReadError(
                f"{name} is JSON in one piece. JSON is taken with one event or one request body a line (.jsonl)."
                " Write it so, or paste its text in Inspect."
            )
    used = dialect or _guess_dialect(text[:SAMPLE_BYTES], encoding)
    _check_dialect(used)
    given, end, next_line = _read_header_record(text, used, name)
    header, notes = _name_columns(given, used, confirmed=dialect is not None)
    width = len(header)
    lines = [np.empty(0, np.int64)]
    cells: dict[int, int] = {}
    blank: list[int] = []
    rows = 0
    with _translate_full_disk(name), ColumnWriter(width, on_disk=isinstance(raw, MappedFile)) as shelf:
        for part in read_row_blocks(text, end, next_line, used, width):
            shelf.write(part.columns)
            cells.update({rows + row: count for row, count in part.cell_counts.items()})
            blank.extend(part.blank_lines)
            lines.append(part.lines)
            rows += len(part.lines)
            release_pages(text)
        columns, pages = shelf.finish()
    return Table(
        name=name,
        digest=digest(),
        size=len(raw),
        dialect=used,
        header=header,
        columns=dict(zip(header, columns, strict=True)),
        lines=np.concatenate(lines),
        cell_counts=cells,
        notes=(*_describe_reading(text, used, blank, rows), *notes),
        mapped_file=pages,
    )


def _build_json_lines_table(text: FileBytes, size: int, name: str, encoding: str, digest: Callable[[], str]) -> Table:
    read = read_json_lines(text)
    if not len(read.documents.lines):
        raise ReadError(f"{name} is JSON and holds no event. Write one event or one request body a line (.jsonl).")
    return Table(
        name=name,
        digest=digest(),
        size=size,
        dialect=Dialect(encoding),
        header=read.header,
        columns=read.columns,
        lines=read.documents.lines,
        cell_counts={},
        notes=(f"Read as {FileKind.JSON_LINES}: one event or request body a line.", *read.notes),
        kind=FileKind.JSON_LINES,
        documents=read.documents,
    )


# ── a workbook ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_workbook(raw: FileBytes, name: str, dialect: Dialect | None, digest: Callable[[], str]) -> Table:
    book = Workbook(raw[:], name)
    sheet = (dialect.sheet if dialect else "") or book.sheets[0]
    rows = book.rows(sheet)
    wanted = dialect.header_line if dialect else 0
    line, first = next((row for row in rows if row[0] >= wanted and not _is_empty_row(row)), (wanted, {}))
    if not first or (wanted and line != wanted):
        raise ReadError(
            f"{name}, sheet “{shorten_value(sheet)}” has no header in row {max(wanted, 1):,}. A table begins with a row"
            " that names its columns. Put the header there, or say which row or sheet it is.",
            line=max(wanted, 1),
        )
    used = Dialect(header_line=line, skip=dialect.skip if dialect else 0, sheet=sheet)
    header, notes = _name_columns(_pad_cells(first, max(first) + 1), used, confirmed=wanted > 0)
    for _ in range(used.skip):
        next(rows, None)
    columns, lines, cells = _read_columns(rows, len(header), book, name)
    return Table(
        name=name,
        digest=digest(),
        size=len(raw),
        dialect=used,
        header=header,
        columns=dict(zip(header, columns, strict=True)),
        lines=lines,
        cell_counts=cells,
        notes=(*_describe_workbook(book, used, len(lines)), *notes),
        kind=FileKind.WORKBOOK,
        sheets=book.sheets,
    )


def _is_empty_row(row: SheetRow) -> bool:
    return all(is_blank(cell) for cell in row[1].values())


def _pad_cells(cells: Mapping[int, str], width: int) -> list[str]:
    return [cells.get(column, "") for column in range(width)]


def _read_columns(
    rows: Iterable[SheetRow], width: int, book: Workbook, name: str
) -> tuple[list[pa.ChunkedArray], np.ndarray[tuple[int], np.dtype[np.int64]], dict[int, int]]:
    """The columns, lines and long rows of a sheet below its header. A row of nothing is none."""
    chunks: list[list[pa.Array]] = [[] for _ in range(width)]
    lines: list[int] = []
    cells: dict[int, int] = {}
    some: list[list[str]] = []

    def become_chunks() -> None:
        for chunk, column in zip(chunks, zip(*some, strict=True), strict=False):
            chunk.append(make_array(column, pa.string()))
        some.clear()

    for line, row in rows:
        if _is_empty_row((line, row)):
            continue
        wide = max(row) + 1
        if wide > width:
            cells[len(lines)] = wide
        lines.append(line)
        if len(lines) * width > max(MAX_FILLED_CELLS, book.unpacked_bytes, book.sheet_bytes):
            raise ReadError(
                f"{name}, row {line:,}: the header has {width:,} columns, and in too many rows most of them are empty."
                " See that the header is right, and that no cell far to the right has something in it.",
                line=line,
            )
        some.append(_pad_cells(row, width))
        if len(some) == SHEET_CHUNK_ROWS:
            become_chunks()
    become_chunks()
    return [pa.chunked_array(chunk, pa.string()) for chunk in chunks], np.array(lines, np.int64), cells


def _describe_workbook(book: Workbook, used: Dialect, rows: int) -> Iterator[str]:
    if len(book.sheets) > 1:
        yield f"Sheet “{shorten_value(used.sheet)}” of {len(book.sheets):,} was read."
    if used.header_line > 1:
        yield f"The header is row {used.header_line:,}; what stands above it was not read."
    yield from _describe_skipped_rows(used)
    if book.formulas_without_value:
        one = book.formulas_without_value == 1
        yield (
            f"{'One formula has' if one else f'{book.formulas_without_value:,} formulas have'} no value in the file and"
            f" {'was' if one else 'were'} read as empty: open it in Excel and save it, so that it works them out."
        )
    if not rows:
        yield "There is a header and no row."


# ── what the bytes are ───────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _translate_full_disk(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ReadError(
            f"{name} is large, and there is no room on the disk to hold its rows: {error.strerror or error}."
            " Free some space, then take it again."
        ) from error


def _guess_dialect(head: bytes, encoding: str) -> Dialect:
    """The delimiter that cuts the first rows most evenly; the header is the first line that is not blank."""
    lines = LineReader(head, 0, 1)
    told = _SEPARATOR_LINE.match(head)  # a line that Excel writes and obeys
    if told:
        next(lines)
    header_line = lines.line
    for line in lines:
        if not is_blank(line):
            break
        header_line = lines.line
    else:
        header_line = 1
    if told:
        return Dialect(encoding, told[1].decode(), header_line=header_line)
    scores = {}
    for delimiter in DELIMITER_NAMES:
        sample = Dialect(encoding, delimiter, header_line=header_line)
        records = LineReader(head, 0, 1)
        for _ in range(header_line - 1):
            next(records)
        widths = [len(cells) for cells, _ in zip(read_csv_records(records, sample), range(50), strict=False) if cells]
        wide = widths[:1] > [1]
        scores[delimiter] = (wide, wide and widths.count(widths[0]) / len(widths), widths[:1])
    return Dialect(encoding, max(DELIMITER_NAMES, key=scores.__getitem__), header_line=header_line)


def _check_dialect(dialect: Dialect) -> None:
    for what, character in (("delimiter", dialect.delimiter), ("quote", dialect.quote or " ")):
        if len(character) != 1 or not (character.isprintable() or character == "\t"):
            raise ReadError(
                f"The {what} is “{shorten_value(character)}”. It is one visible character, or a tab. "
                "Choose one, such as a comma or a quote."
            )
    if dialect.skip < 0:
        raise ReadError(f"{dialect.skip:,} rows after the header cannot be skipped. Say 0, or more.")
    if dialect.delimiter == dialect.quote:
        raise ReadError(f"Delimiter and quote are both “{dialect.quote}”. They must differ. Choose another for one.")


def _read_header_record(text: FileBytes, dialect: Dialect, name: str) -> tuple[list[str], int, int]:
    """The header's cells, and offset and line of what follows them."""
    lines = LineReader(text, 0, 1)
    while lines.line < dialect.header_line and next(lines, None) is not None:
        pass
    line = lines.line
    cells = next(read_csv_records(lines, dialect), [])
    reject_unclosed_quote(lines, cells)
    if line != dialect.header_line or all(is_blank(cell) for cell in cells):
        raise ReadError(
            f"{name} has no header in line {dialect.header_line:,}. A table begins with a line that names its columns. "
            "Put the header there, or say which line it is.",
            line=dialect.header_line,
        )
    skipped, records = 0, read_csv_records(lines, dialect)
    while skipped < dialect.skip and (record := next(records, None)) is not None:
        reject_unclosed_quote(lines, record)
        skipped += bool(record)
    return cells, lines.at, lines.line


def _name_columns(given: Sequence[str], dialect: Dialect, *, confirmed: bool) -> tuple[tuple[str, ...], list[str]]:
    """The columns' names, each its own, and notes about them. ``sure``: a person said that this line is the header."""
    line, notes = dialect.header_line, []
    if len(given) > XLSX_MAX_COLUMNS:
        raise ReadError(
            f"Line {line:,}, the header, has {len(given):,} columns. Up to {XLSX_MAX_COLUMNS:,} are taken. "
            "See that the delimiter is right, or remove columns.",
            line=line,
        )
    values = [
        n for n, cell in enumerate(given, 1) if _LOOKS_LIKE_VALUE.fullmatch(cell.strip()) or cell in list(EventName)
    ]
    if values:
        said = f"“{shorten_value(given[values[0] - 1])}” in column {values[0]} looks like a value"
        if not confirmed and len(values) * 2 >= len(given):
            raise ReadError(
                f"Line {line:,} should be the header, but {said}. A table begins with a line that names its columns. "
                "Write such a line above the rows.",
                line=line,
            )
        notes.append(f"Line {line:,} was taken as the header, though {said}: if it is a row, add a header above it.")
    header = tuple(f"column {number}" if is_blank(cell) else cell for number, cell in enumerate(given, 1))
    unnamed = [f"“{column}”" for column, cell in zip(header, given, strict=True) if is_blank(cell)]
    if unnamed:
        notes.append(f"Columns without a name are called by their number: {_join_first_three(unnamed)}.")
    first: dict[str, int] = {}
    for number, column in enumerate(header, 1):
        if first.setdefault(column, number) != number:
            raise ReadError(
                f"Line {line:,}, the header: columns {first[column]} and {number} are both called “{shorten_value(column)}”. "
                "Each column has a name of its own. Rename one of them.",
                line=line,
            )
    padded = [f"“{shorten_value(column)}”" for column in header if column != column.strip()]
    if padded:
        notes.append(f"White space around a column's name belongs to the name: {_join_first_three(padded)}.")
    return header, notes


def _describe_skipped_rows(dialect: Dialect) -> Iterator[str]:
    if dialect.skip:
        rows = "The row after the header was" if dialect.skip == 1 else f"{dialect.skip:,} rows after the header were"
        yield f"{rows} skipped, as you said."


def _join_first_three(words: Sequence[str]) -> str:
    more = len(words) - 3
    return ", ".join(words[:3]) + (f" and {more:,} more" if more > 0 else "")


def _describe_reading(text: FileBytes, dialect: Dialect, blank: Sequence[int], rows: int) -> Iterator[str]:
    if dialect.encoding in {"cp1252", "latin-1"}:
        yield f"The file is not UTF-8 and was read as {dialect.encoding}: if letters look wrong, name its encoding."
    elif dialect.encoding != "utf-8":
        yield f"The file was read as {dialect.encoding}."
    if dialect.delimiter != ",":
        yield f"Cells are separated by {DELIMITER_NAMES.get(dialect.delimiter, f'“{dialect.delimiter}”')}."
    if dialect.header_line > 1:
        yield f"The header is line {dialect.header_line:,}; what stands above it was not read."
    yield from _describe_skipped_rows(dialect)
    if blank:
        lines = "One blank line was" if len(blank) == 1 else f"{len(blank):,} blank lines were"
        yield f"{lines} skipped, the first is line {blank[0]:,}."
    nul = find_byte(b"\0", text)
    if nul >= 0:
        yield f"Line {find_line_number(text, nul):,} holds a NUL character, which belongs to its cell."
    if not rows:
        yield "There is a header and no row."
