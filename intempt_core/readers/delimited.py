"""The rows of delimited text, block by block, every row with the physical line on which it starts.

A block whose quoting is regular is read by Arrow, its lines counted on whole arrays
(:func:`_read_block_with_arrow`). Any other block is read record by record (:func:`_read_block_carefully`), by
``dialects/records.py``, which decides what a file means. Both give the same rows, so a million good rows take half a
second; of a block with ragged rows only those are read one by one (:func:`_read_ragged_block`), of one with a stray
quote all are. Blocks end where records end: to stream, take them one by one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from intempt_core.arrays import make_array
from intempt_core.contract import is_blank
from intempt_core.errors import ReadError
from intempt_core.readers.dialects.dialect import Dialect
from intempt_core.readers.dialects.records import WELL_FORMED, RecordReader
from intempt_core.readers.dialects.swallowed_lines import SWALLOWED_SHARE, SwallowedLineJudge
from intempt_core.readers.mapped_file import FileBytes

BLOCK_BYTES = 4_194_304
"""Bytes that are read at a time, and at the most those that one irregular row has read one by one."""

MAX_CELLS_IN_BLOCK, MAX_LINES_IN_BLOCK = 2_000_000, 262_144
"""Cells and lines that are read one by one at a time."""

MAX_FILLED_CELLS = 20_000_000
"""Cells that may be filled in for short rows; a small file cannot ask for all the memory there is."""

MAX_FILLED_CELLS_IN_BLOCK = 1_000_000
"""A block with more of them is read record by record."""

UTF8_BOM = b"\xef\xbb\xbf"
"""The byte order mark in UTF-8."""

_FIRST_LINE_BYTES = 65_536
_LF, _CR = 10, 13
_ByteArray = np.ndarray[tuple[int], np.dtype[np.uint8]]
_OffsetArray = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class RowBlock:
    """Neighbouring rows of delimited text.

    Attributes:
        columns: Each column's cells, in chunks.
        lines: The physical line (from 1) on which each row starts.
        cell_counts: Row of the block (from 0) → cells found, for rows with more or fewer cells than the header.
        malformed_quotes: Row of the block → the column (from 0) of its malformed quote.
        trimmed_rows: How many rows had empty cells too many at their end, which are left out.
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
    malformed_quotes: dict[int, int] = field(default_factory=dict)
    trimmed_rows: int = 0


def read_row_blocks(
    text: FileBytes,
    at: int,
    line: int,
    dialect: Dialect,
    width: int,
    *,
    block: int = BLOCK_BYTES,
    use_arrow: bool = True,
    judge: SwallowedLineJudge | None = None,
) -> Iterator[RowBlock]:
    """Read the rows from offset ``at`` on, which is on ``line``; all of them one by one where not ``use_arrow``.

    Without a ``judge`` of the whole file, swallowed lines are judged by the rows from there on.
    """
    filled = 0
    use_arrow = use_arrow and (dialect.delimiter + dialect.quote).isascii()
    judge = judge or SwallowedLineJudge(text, at, dialect.delimiter, dialect.quote, width)
    while at < len(text):
        part = _read_block_with_arrow(text, at, line, dialect, width, block=block) if use_arrow else None
        if part is None:
            records = RecordReader(text, at, line, dialect, width=width, judge=judge)
            part = _read_block_carefully(records, min(at + block, len(text)), width, filled=filled)
        filled += sum(max(0, width - count) for count in part.cell_counts.values())
        at, line = part.end, part.next_line
        yield part


@dataclass(frozen=True, slots=True)
class _BlockLayout:
    """How records and lines lie in ``size`` bytes: where records begin and the lines (from 0) on which they do, blank
    ones marked; where lines begin; and the quotes.
    """

    size: int
    record_starts: _OffsetArray
    record_lines: _OffsetArray
    blank: np.ndarray[tuple[int], np.dtype[np.bool_]]
    line_starts: _OffsetArray
    quotes: _OffsetArray

    @property
    def line_count(self) -> int:
        """Lines in all."""
        return len(self.line_starts)


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
    parsed = _parse_fitting(pa.py_buffer(text).slice(at, end - at), rows, dialect, width, newlines=False)
    if parsed is None:
        return None
    chunks, trimmed = parsed
    return RowBlock(chunks, np.arange(line, line + rows), {}, (), end, line + rows, trimmed_rows=trimmed)


def _read_block_with_arrow(
    text: FileBytes, at: int, line: int, dialect: Dialect, width: int, *, block: int
) -> RowBlock | None:
    """The whole records of one block by Arrow; ``None`` where the block is not as regular as Arrow needs it."""
    if dialect.quote and not _opens_quoted_cell(text, at, min(at + block, len(text)), dialect):
        dialect = replace(dialect, quote="")  # what quotes there are, such as signs for inches, are text
    plain = _read_unquoted_block(text, at, line, dialect, width, block=block)
    if plain is not None:
        return plain
    layout = _find_layout(text, at, min(at + block, len(text)), dialect)
    if layout is None:
        return None
    rows = int(np.count_nonzero(~layout.blank))
    newlines = layout.line_count > len(layout.record_starts)
    if newlines and _may_swallow_rows(text, at, dialect, width, layout):
        return None
    parsed = _parse_fitting(pa.py_buffer(text).slice(at, layout.size), rows, dialect, width, newlines=newlines)
    if parsed is None:
        return _read_ragged_block(text, at, line, dialect, width, layout)
    chunks, trimmed = parsed
    on_line, blank = line + layout.record_lines, layout.blank
    end, next_line = at + layout.size, line + layout.line_count
    return RowBlock(chunks, on_line[~blank], {}, on_line[blank], end, next_line, trimmed_rows=trimmed)


def _opens_quoted_cell(text: FileBytes, at: int, stop: int, dialect: Dialect) -> bool:
    """Whether a cell between two offsets begins with the quote."""
    quote = dialect.quote.encode()
    if text[at : at + len(quote)] == quote:
        return True
    if text.find(quote, at, stop) < 0:
        return False
    return any(text.find(before + quote, at, stop) >= 0 for before in (dialect.delimiter.encode(), b"\n", b"\r"))


def _may_swallow_rows(text: FileBytes, at: int, dialect: Dialect, width: int, layout: _BlockLayout) -> bool:
    """Whether a record of several lines has so many lines as wide as the header that it has to be looked at."""
    first, lines = layout.record_lines, np.diff(np.append(layout.record_lines, layout.line_count))
    delimiters = _find_byte_offsets(text, dialect.delimiter.encode(), at, at + layout.size)
    counts = np.diff(np.searchsorted(delimiters, np.append(layout.line_starts, layout.size)))
    is_wide = counts == width - 1
    wide = np.add.reduceat(is_wide, first) - is_wide[first]
    return bool(np.any((lines > 1) & (wide >= SWALLOWED_SHARE * (lines - 1))))


def _parse_fitting(
    text: pa.Buffer, rows: int, dialect: Dialect, width: int, *, newlines: bool
) -> tuple[list[Sequence[pa.Array]], int] | None:
    """The columns of so many rows, and how many of those had one empty cell too many: all, or none."""
    found = _parse_with_arrow(text, rows, dialect, width, newlines=newlines)
    if found is not None:
        return found, 0
    line = bytes(memoryview(text)[:_FIRST_LINE_BYTES]).split(b"\n", 1)[0]
    if line.count(dialect.delimiter.encode()) < width or not line.rstrip(b"\r").endswith(dialect.delimiter.encode()):
        return None
    found = _parse_with_arrow(text, rows, dialect, width + 1, newlines=newlines)
    if found is None or any(pc.max(pc.binary_length(chunk)).as_py() for chunk in found[width]):
        return None
    return found[:width], rows


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
    blank, lifted, cells_of, trimmed = layout.blank.copy(), [], dict[int, int](), 0
    good, after = [], at
    for record in ragged.tolist():
        begin, end = at + int(bounds[record]), at + int(bounds[record + 1])
        good.append(text[after:begin])
        after = end
        cells = RecordReader(text[begin:end], 0, 0, dialect).read_record().cells
        if _is_blank_record(cells, width):
            blank[record] = True
        else:
            cells_of[record] = _count_cells(cells, width)
            trimmed += cells_of[record] < len(cells)
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
    numbers = zip(np.flatnonzero(is_lifted).tolist(), cells_of.values(), strict=True)
    counted = {row: count for row, count in numbers if count != width}
    on_line, end, next_line = line + layout.record_lines, at + layout.size, line + layout.line_count
    return RowBlock(put_back, on_line[rows], counted, on_line[blank], end, next_line, trimmed_rows=trimmed)


def _is_blank_record(record: Sequence[str], width: int) -> bool:
    """Whether a record is a blank line: of nothing, or of white space where there should be several cells."""
    return not record or (len(record) == 1 < width and is_blank(record[0]))


def _count_cells(record: list[str], width: int) -> int:
    """How many cells a record has; of those beyond the width, empty ones at the end are none, nor are blank ones."""
    count = len(record)
    while count > width and is_blank(record[count - 1]):
        count -= 1
    return count


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
    line_starts = np.append(0, ends[: outside[-1]] + 1)
    return _BlockLayout(size, begins, on_line, first[outside] == begins, line_starts, quotes)


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


def _read_block_carefully(records: RecordReader, stop: int, width: int, *, filled: int) -> RowBlock:
    """The records that start before ``stop``, one by one. ``filled`` cells were already filled in before."""
    rows: list[list[str]] = []
    starts: list[int] = []
    counts: dict[int, int] = {}
    malformed: dict[int, int] = {}
    blank: list[int] = []
    trimmed = 0
    most = min(MAX_LINES_IN_BLOCK, max(1, MAX_CELLS_IN_BLOCK // width))
    while records.at < stop and len(rows) < most and len(blank) < MAX_LINES_IN_BLOCK:
        line, record = records.line, records.read_record()
        cells = record.cells
        if _is_blank_record(cells, width):
            blank.append(line)
            continue
        if record.malformed != WELL_FORMED:
            malformed[len(rows)] = record.malformed
        if len(cells) != width:
            count = _count_cells(cells, width)
            trimmed += count < len(cells)
            if count != width:
                counts[len(rows)] = count
            filled += max(0, width - count)
            if filled > max(MAX_FILLED_CELLS, records.size):
                raise ReadError(
                    f"Line {line:,} has {count:,} cells, the header has {width:,}, and so it is with too many rows."
                    " Rows have as many cells as the header. See that header and delimiter are right.",
                    line=line,
                )
            cells = _fit_to_width(cells, width)
        rows.append(cells)
        starts.append(line)
    columns = zip(*rows, strict=True) if rows else [()] * width
    chunks = [[make_array(column, pa.string())] for column in columns]
    on_line = np.array(starts, np.int64)
    return RowBlock(chunks, on_line, counts, blank, records.at, records.line, malformed, trimmed)
