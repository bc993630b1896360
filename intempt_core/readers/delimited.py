"""The rows of delimited text, block by block, every row with the physical line on which it starts.

A block whose quoting is regular is read by Arrow, its lines counted on whole arrays
(:func:`_read_block_with_arrow`). Any other block is read by the standard library's ``csv``, record by record
(:func:`_read_block_with_csv`), which decides what a file means. Both give the same rows, so a million good rows take
half a second; of a block with ragged rows only those are read one by one (:func:`_read_ragged_block`), of one with a
stray quote all are. Blocks end where records end: to stream, take them one by one.
"""

import csv
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.csv

from intempt_core.arrays import make_array
from intempt_core.contract import is_blank
from intempt_core.errors import ReadError
from intempt_core.readers.dialects.read_options import HIDDEN_ROWS_CHOICES, MERGED_CELLS_CHOICES, ReadOptions
from intempt_core.readers.limits import MAX_EVENT_BYTES, build_oversize_error
from intempt_core.readers.mapped_file import FileBytes

BLOCK_BYTES = 4_194_304
"""Bytes that are read at a time, and at the most those that one irregular row has read by ``csv``."""

MAX_CELLS_IN_BLOCK, MAX_LINES_IN_BLOCK = 2_000_000, 262_144
"""Cells and lines that are read one by one at a time."""

MAX_FILLED_CELLS = 20_000_000
"""Cells that may be filled in for short rows; a small file cannot ask for all the memory there is."""

MAX_FILLED_CELLS_IN_BLOCK = 1_000_000
"""A block with more of them is read by ``csv``."""

BYTES_LINE_END = re.compile(rb"\r\n?|\n")
"""What ends a physical line, by Arrow's rule."""

UTF8_BOM = b"\xef\xbb\xbf"
"""The byte order mark in UTF-8."""

_LF, _CR = 10, 13
_ByteArray = np.ndarray[tuple[int], np.dtype[np.uint8]]
_OffsetArray = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is read: recognised, or given by a person.

    Which of these a file's format uses says its record in ``formats.py``.

    Attributes:
        encoding: Python's name of the encoding.
        delimiter: The character between cells.
        quote: The character around a cell; empty where nothing is quoted.
        header_line: The physical line of the header, from 1; what is above it is not read. In a workbook it is a row of
            the sheet, 0 for the first row that holds anything.
        rows_to_skip: How many rows after the header are not read.
        sheet: The sheet of a workbook that is read; empty for the first visible one.
        no_header: Whether there is no header: the columns are called by their number, and ``header_line`` is the line
            of the first row.
        hidden_rows: What becomes of rows of a sheet that are hidden: one of ``HIDDEN_ROWS_CHOICES``.
        merged_cells: What becomes of merged cells of a sheet: one of ``MERGED_CELLS_CHOICES``.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    header_line: int = 1
    rows_to_skip: int = 0
    sheet: str = ""
    no_header: bool = False
    hidden_rows: str = HIDDEN_ROWS_CHOICES[0]
    merged_cells: str = MERGED_CELLS_CHOICES[0]

    def changes_from(self, other: "Dialect") -> ReadOptions:
        """What a person says who wants this dialect in the place of the other."""
        mine = self.as_options()
        changed = {option.name for option in fields(self) if getattr(self, option.name) != getattr(other, option.name)}
        return ReadOptions(**{name: getattr(mine, name) for name in changed})

    def as_options(self) -> ReadOptions:
        """The same as what a person says of it: all of it, but for what is to be recognised."""
        given = {option.name: getattr(self, option.name) for option in fields(self)}
        if not self.header_line:
            given |= {"header_line": None, "no_header": self.no_header or None}
        return ReadOptions(**given | {"sheet": self.sheet or None})


@dataclass(frozen=True, slots=True)
class RowBlock:
    """Neighbouring rows of delimited text.

    Attributes:
        columns: Each column's cells, in chunks.
        lines: The physical line (from 1) on which each row starts.
        cell_counts: Row of the block (from 0) → cells found, for rows with more or fewer cells than the header.
        blank_lines: The physical lines that are blank, sorted.
        end: The offset in bytes at which the next block begins.
        next_line: The physical line at which it begins.
    """

    columns: Sequence[Sequence[pa.Array]]
    lines: np.ndarray[tuple[int], np.dtype[np.int64]]
    cell_counts: dict[int, int]
    blank_lines: Sequence[int] | _OffsetArray
    end: int
    next_line: int


def read_row_blocks(
    text: FileBytes,
    at: int,
    line: int,
    dialect: Dialect,
    width: int,
    *,
    block: int = BLOCK_BYTES,
    use_arrow: bool = True,
) -> Iterator[RowBlock]:
    """Read the rows from offset ``at`` on, which is on ``line``; by ``csv`` alone where not ``use_arrow``."""
    filled = 0
    use_arrow = use_arrow and (dialect.delimiter + dialect.quote).isascii()
    while at < len(text):
        part = (
            _read_block_with_arrow(text, at, line, dialect, width, block=block) if use_arrow else None
        ) or _read_block_with_csv(text, at, line, dialect, width, block=block, filled=filled)
        filled += sum(max(0, width - count) for count in part.cell_counts.values())
        at, line = part.end, part.next_line
        yield part


@dataclass(frozen=True, slots=True)
class _BlockLayout:
    """How records and lines lie in ``size`` bytes: where records begin and the lines (from 0) on which they do, blank
    ones marked; the lines in all; and the quotes.
    """

    size: int
    record_starts: _OffsetArray
    record_lines: _OffsetArray
    blank: np.ndarray[tuple[int], np.dtype[np.bool_]]
    line_count: int
    quotes: _OffsetArray


def _read_unquoted_block(
    text: FileBytes, at: int, line: int, dialect: Dialect, width: int, *, block: int
) -> RowBlock | None:
    """Read a block without quotes and carriage returns whose every line is a row; ``None`` for any other.

    It needs no layout, which takes longer to find than the rows to read.
    """
    stop = min(at + block, len(text))
    if any(sign and text.find(sign, at, stop) >= 0 for sign in (dialect.quote.encode(), b"\r")):
        return None
    end = stop if stop == len(text) else text.rfind(b"\n", at, stop) + 1
    if end <= at:
        return None
    window = np.frombuffer(text, np.uint8, end - at, at)
    rows = int(np.count_nonzero(window == _LF)) + (window[-1] != _LF)
    chunks = _parse_with_arrow(pa.py_buffer(text).slice(at, end - at), rows, dialect, width, newlines=False)
    return None if chunks is None else RowBlock(chunks, np.arange(line, line + rows), {}, (), end, line + rows)


def _read_block_with_arrow(
    text: FileBytes, at: int, line: int, dialect: Dialect, width: int, *, block: int
) -> RowBlock | None:
    """The whole records of one block by Arrow; ``None`` where the block is not as regular as Arrow needs it."""
    plain = _read_unquoted_block(text, at, line, dialect, width, block=block)
    if plain is not None:
        return plain
    layout = _find_layout(text, at, min(at + block, len(text)), dialect)
    if layout is None:
        return None
    rows = int(np.count_nonzero(~layout.blank))
    newlines = layout.line_count > len(layout.record_starts)
    chunks = _parse_with_arrow(pa.py_buffer(text).slice(at, layout.size), rows, dialect, width, newlines=newlines)
    if chunks is None:
        return _read_ragged_block(text, at, line, dialect, width, layout)
    on_line, blank = line + layout.record_lines, layout.blank
    return RowBlock(chunks, on_line[~blank], {}, on_line[blank], at + layout.size, line + layout.line_count)


def _parse_with_arrow(
    text: pa.Buffer, rows: int, dialect: Dialect, width: int, *, newlines: bool
) -> list[Sequence[pa.Array]] | None:
    """The columns of so many rows of one width; ``None`` where Arrow finds others."""
    if bytes(memoryview(text)[: len(UTF8_BOM)]) == UTF8_BOM:  # it belongs to a cell, and Arrow would drop it
        return None
    names = [str(number) for number in range(width)]
    try:
        read = pa.csv.read_csv(
            pa.BufferReader(text),
            pa.csv.ReadOptions(column_names=names),
            pa.csv.ParseOptions(
                delimiter=dialect.delimiter, quote_char=dialect.quote or False, newlines_in_values=newlines
            ),
            pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid:  # a ragged row, no row at all, or one longer than Arrow's own blocks
        return None
    return [column.chunks for column in read.columns] if read.num_rows == rows else None


def _read_ragged_block(  # noqa: PLR0917  what _read_block_with_arrow holds
    text: FileBytes, at: int, line: int, dialect: Dialect, width: int, layout: _BlockLayout
) -> RowBlock | None:
    """The records of one block where some are ragged: those are lifted out, read one by one, and put back."""
    delimiters = _find_byte_offsets(text, dialect.delimiter.encode(), at, at + layout.size)
    if layout.quotes.size:
        delimiters = delimiters[np.searchsorted(layout.quotes, delimiters) % 2 == 0]
    bounds = np.append(layout.record_starts, layout.size)
    count = np.diff(np.searchsorted(delimiters, bounds)) + 1
    ragged = np.flatnonzero((count != width) & ~layout.blank)
    if not 0 < ragged.size <= MAX_LINES_IN_BLOCK:
        return None
    if np.maximum(width - count[ragged], 0).sum() > MAX_FILLED_CELLS_IN_BLOCK:
        return None
    blank, lifted, cells_of = layout.blank.copy(), [], {}
    good, after = [], at
    for record in ragged.tolist():
        begin, end = at + int(bounds[record]), at + int(bounds[record + 1])
        good.append(text[after:begin])
        after = end
        cells = next(read_csv_records(LineReader(text[begin:end], 0, 0), dialect))
        if _is_blank_record(cells, width):
            blank[record] = True
        else:
            cells_of[record] = len(cells)
            lifted.append(_fit_to_width(cells, width))
    good.append(text[after : at + layout.size])
    rows = np.flatnonzero(~blank)
    newlines = layout.line_count > len(layout.record_starts)
    chunks = _parse_with_arrow(pa.py_buffer(b"".join(good)), len(rows) - len(lifted), dialect, width, newlines=newlines)
    if chunks is None:
        return None
    is_lifted = np.isin(rows, list(cells_of))
    order = np.empty(len(rows), np.int64)
    order[~is_lifted] = np.arange(len(rows) - len(lifted))
    order[is_lifted] = np.arange(len(rows) - len(lifted), len(rows))
    put_back = [
        [pa.concat_arrays([*column, make_array(texts, pa.string())]).take(make_array(order))]
        for column, texts in zip(chunks, zip(*lifted, strict=True) if lifted else [()] * width, strict=True)
    ]
    counted = dict(zip(np.flatnonzero(is_lifted).tolist(), cells_of.values(), strict=True))
    on_line = line + layout.record_lines
    return RowBlock(put_back, on_line[rows], counted, on_line[blank], at + layout.size, line + layout.line_count)


def _is_blank_record(record: Sequence[str], width: int) -> bool:
    """Whether a record is a blank line: of nothing, or of white space where there should be several cells."""
    return not record or (len(record) == 1 < width and is_blank(record[0]))


def _fit_to_width(record: list[str], width: int) -> list[str]:
    return record[:width] + [""] * (width - len(record))


def _find_layout(text: FileBytes, at: int, stop: int, dialect: Dialect) -> _BlockLayout | None:
    """The layout of the whole records between two offsets; ``None`` where it is not certain.

    A line end is inside a cell where an odd number of quotes is before it. That is exact where quoting is regular.
    """
    window, last = np.frombuffer(text, np.uint8, stop - at, at), stop == len(text)
    ends, returns = _find_byte_offsets(text, b"\n", at, stop), _find_byte_offsets(text, b"\r", at, stop)
    if returns.size:
        alone = returns[window[np.minimum(returns + 1, len(window) - 1)] != _LF]
        if returns[-1] == len(window) - 1:  # whether a line feed follows is seen in the next block
            alone = np.append(alone[alone != returns[-1]], returns[-1:] if last else [])
        ends = np.sort(np.concatenate([ends, alone])).astype(np.int64)
    first = ends - ((window[ends] == _LF) & (window[ends - 1] == _CR) & (ends > 0))  # where the line end itself begins
    if last and (not ends.size or ends[-1] != len(window) - 1):  # the last line need not be ended
        ends, first = np.append(ends, len(window)), np.append(first, len(window))
    quotes = _find_byte_offsets(text, dialect.quote.encode(), at, stop)
    outside = np.flatnonzero(np.searchsorted(quotes, ends) % 2 == 0) if quotes.size else np.arange(len(ends))
    if not outside.size:
        return None
    size = len(window) if last else int(ends[outside[-1]]) + 1
    quotes = quotes[quotes < size]
    if not _is_quoting_regular(window[:size], quotes, dialect):
        return None
    begins = np.append(0, ends[outside[:-1]] + 1)
    on_line = np.append(0, outside[:-1] + 1)
    return _BlockLayout(size, begins, on_line, first[outside] == begins, int(outside[-1]) + 1, quotes)


def _is_quoting_regular(window: _ByteArray, quotes: _OffsetArray, dialect: Dialect) -> bool:
    """Whether every odd quote opens a cell or doubles the one before it, and every even one is followed by what may
    follow a cell. ``window`` begins and ends where records do.
    """
    if not quotes.size:
        return True
    between = np.frombuffer(dialect.delimiter.encode() + b"\r\n", np.uint8)
    padded = np.concatenate([between[-1:], window, between[-1:]])  # so that every byte has two neighbours
    opening, closing = quotes[::2], quotes[1::2]
    if len(opening) != len(closing):
        return False
    doubled = np.append(opening[1:] == closing[:-1] + 1, False)
    opens = np.isin(padded[opening], between) | np.roll(doubled, 1)
    closes = np.isin(padded[closing + 2], between) | doubled
    return bool(opens.all() and closes.all())


def _find_byte_offsets(text: FileBytes, byte: bytes, at: int, stop: int) -> _OffsetArray:
    """The offsets of a byte, counted from ``at``; found quickly where there is none."""
    if not byte or text.find(byte, at, stop) < 0:
        return np.empty(0, np.int64)
    return np.flatnonzero(np.frombuffer(text, np.uint8, stop - at, at) == ord(byte))


def _read_block_with_csv(
    text: FileBytes, at: int, line: int, dialect: Dialect, width: int, *, block: int, filled: int
) -> RowBlock:
    """The records that start in one block, one by one. ``filled`` cells were already filled in before."""
    rows: list[list[str]] = []
    starts: list[int] = []
    cells: dict[int, int] = {}
    blank: list[int] = []
    lines = LineReader(text, at, line)
    records = read_csv_records(lines, dialect)
    most = min(MAX_LINES_IN_BLOCK, max(1, MAX_CELLS_IN_BLOCK // width))
    while lines.at < min(at + block, len(text)) and len(rows) < most and len(blank) < MAX_LINES_IN_BLOCK:
        line = lines.line
        record = lines.next_record(records)
        reject_unclosed_quote(lines, record)
        if _is_blank_record(record, width):
            blank.append(line)
            continue
        if len(record) != width:
            cells[len(rows)] = len(record)
            filled += max(0, width - len(record))
            if filled > max(MAX_FILLED_CELLS, len(text)):
                raise ReadError(
                    f"Line {line:,} has {len(record):,} cells, the header has {width:,}, and so it is with too many "
                    "rows. Rows have as many cells as the header. See that header and delimiter are right.",
                    line=line,
                )
            record = _fit_to_width(record, width)
        rows.append(record)
        starts.append(line)
    columns = zip(*rows, strict=True) if rows else [()] * width
    chunks = [[make_array(column, pa.string())] for column in columns]
    return RowBlock(chunks, np.array(starts, np.int64), cells, blank, lines.at, lines.line)


class LineReader(Iterator[str]):
    """The physical lines of UTF-8 from an offset on, each with its end, and where the next one starts.

    Ends are ``\\n``, ``\\r\\n`` and a lone ``\\r``, as Arrow has it; ``str.splitlines`` knows many more. The lines that
    one record has may not have more than :data:`~intempt_core.readers.limits.MAX_EVENT_BYTES` bytes together.
    """

    def __init__(self, text: FileBytes, at: int, line: int) -> None:
        self.text, self.at, self.line, self.exhausted = text, at, line, False
        self._record_at, self._record_line = at, line

    def __next__(self) -> str:
        if self.at >= len(self.text):
            self.exhausted = True
            raise StopIteration
        found = BYTES_LINE_END.search(self.text, self.at)
        start, self.at = self.at, found.end() if found else len(self.text)
        self.line += 1
        if self.at - self._record_at > MAX_EVENT_BYTES:
            self._reject_record(start)
        return self.text[start : self.at].decode(errors="replace")  # a guess's head may be cut through a character

    def begin_record(self) -> None:
        """A new record begins with the next line."""
        self._record_at, self._record_line = self.at, self.line

    def next_record(self, records: Iterator[list[str]], default: list[str] | None = None) -> list[str]:
        """The next of the records that are read from these lines.

        Raises :class:`ReadError` where it has too many bytes, and StopIteration where there is none and no ``default``.
        """
        self.begin_record()
        return next(records) if default is None else next(records, default)

    def _reject_record(self, start: int) -> NoReturn:
        """``start`` is where the line begins that made the record too large."""
        line, size = self._record_line, self.at - self._record_at
        if start == self._record_at:
            hint = "See that the delimiter is right and that rows end with a line end, or cut the cell."
            raise build_oversize_error(f"Line {line:,}", "the row", size, line=line, hint=hint)
        hint = "A quote that is opened and never closed makes one cell of all that follows: close it, or cut the cell."
        raise build_oversize_error(f"Line {line:,}", "the row that begins there", size, line=line, hint=hint)


def read_csv_records(lines: Iterator[str], dialect: Dialect) -> Iterator[list[str]]:
    """Read the records of some lines; an empty record is a blank line."""
    csv.field_size_limit(sys.maxsize)  # a cell may be large; the limit is that of the whole process
    if not dialect.quote:
        return csv.reader(lines, delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote)


def reject_unclosed_quote(lines: LineReader, record: Sequence[str]) -> None:
    """Raise :class:`ReadError` where a record ran out of lines.

    ``csv`` asks for a line beyond the last one only in the middle of a quoted cell: the last cell
    that it gives.
    """
    if lines.exhausted and record:
        inside = sum(1 for _ in BYTES_LINE_END.finditer(record[-1].encode()))
        ended = bool(BYTES_LINE_END.search(lines.text[-1:]))
        line = lines.line - inside - (not ended)
        raise ReadError(
            f"Line {line:,}: a quote is opened and never closed, so its cell would hold the rest of the file. A quoted "
            "cell ends with a quote. Close it; a quote inside a quoted cell is written twice.",
            line=line,
        )
