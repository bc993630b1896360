"""What a reader of a format is given and what it gives: the source, and the content of a table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from intempt_core.arrays import Int64Array
from intempt_core.contract import is_blank, shorten_value, spell_invisible
from intempt_core.errors import ReadError
from intempt_core.readers.column_store import StoredColumns
from intempt_core.readers.dialects.dialect import Dialect
from intempt_core.readers.dialects.header_search import find_header_value
from intempt_core.readers.dialects.read_options import ReadOptions
from intempt_core.readers.limits import ReadLimits
from intempt_core.readers.mapped_file import FileBytes, MappedFile

if TYPE_CHECKING:
    from intempt_core.readers.jsonl import DocumentIndex

MAX_COLUMNS = 16_384
"""Columns of a table at the most: as many as a sheet of Excel can have."""


class CellCounts(Mapping[int, int]):
    """Row (from 0) → a number, such as the cells found in a row that has more or fewer than the header.

    They are in arrays, for there may be one of every row.

    Attributes:
        rows: The rows, sorted.
        counts: Beside each row its number.
    """

    def __init__(self, rows: Int64Array, counts: Int64Array) -> None:
        self.rows, self.counts = rows, counts

    def narrow(self, width: int, before: int) -> "CellCounts":
        """Those that are left where a table of ``before`` columns has the first ``width``, as the others are empty."""
        kept = (self.counts < width) | (self.counts > before)
        return CellCounts(self.rows[kept], self.counts[kept])

    def __getitem__(self, row: int) -> int:
        at = int(np.searchsorted(self.rows, row))
        if at == self.rows.size or self.rows[at] != row:
            raise KeyError(row)
        return int(self.counts[at])

    def __iter__(self) -> Iterator[int]:
        return iter(self.rows.tolist())

    def __len__(self) -> int:
        return int(self.rows.size)


def count_used_columns(given: Sequence[str], columns: Sequence[pa.ChunkedArray]) -> int:
    """How many columns there are without the last ones that have neither a name in the header nor a cell in any row."""
    count = len(given)
    while count > 1 and not given[count - 1] and not (pc.max(pc.binary_length(columns[count - 1])).as_py() or 0):
        count -= 1
    return count


def take_first_columns(columns: Sequence[pa.ChunkedArray], count: int) -> Sequence[pa.ChunkedArray]:
    """So many of the columns, from the first on."""
    return columns.select(range(count)) if isinstance(columns, StoredColumns) else columns[:count]


class CellCountCollector:
    """Collects :class:`CellCounts` from one part of a file after the other."""

    def __init__(self) -> None:
        self._rows, self._counts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]

    def add(self, counts: Mapping[int, int], first_row: int) -> None:
        """Add those of a part that begins at a row; its own rows count from 0, and are sorted."""
        if counts:
            self._rows.append(np.fromiter(counts, np.int64, len(counts)) + first_row)
            self._counts.append(np.fromiter(counts.values(), np.int64, len(counts)))

    def finish(self) -> CellCounts:
        """Those of the whole file."""
        return CellCounts(np.concatenate(self._rows), np.concatenate(self._counts))


def ignore_progress(_done: int, _size: int) -> None:
    """Nobody wants to know how far a file is read."""


@dataclass(frozen=True, slots=True, eq=False)
class FileSource:
    """The bytes of a file of a known format, for its reader.

    Attributes:
        name: The file's name, for sentences.
        content: Its bytes, unpacked; those of a format of text as UTF-8 without a byte order mark.
        encoding: The encoding that a text had; empty for other formats.
        options: What a person said of how to read it.
        is_large: Whether the file has so many bytes that it is read from disk; its table then lies there, too.
        limits: How large a table it may become, and from which size on that lies on disk.
        on_progress: Is called now and then with how many bytes of ``content`` are read, and how many there are.
    """

    name: str
    content: FileBytes
    encoding: str = ""
    options: ReadOptions = field(default_factory=ReadOptions)
    is_large: bool = False
    limits: ReadLimits = field(default_factory=ReadLimits)
    on_progress: Callable[[int, int], None] = ignore_progress


@dataclass(frozen=True, slots=True, eq=False)
class TableContent:
    """What a reader makes of a file: the rows of a table, all cells text.

    Attributes:
        dialect: How the file was read.
        header: The columns' names, each another.
        columns: A text column for each name, without nulls, as many cells in each as there are ``lines``.
        lines: For each row the number (from 1, rising) by which the file itself counts it: a physical line of text, a
            row of a sheet; where the file counts nothing, the row's own number.
        notes: Sentences on what was decided while reading.
        cell_counts: Row (from 0) → cells found, for rows that have more or fewer cells than the header.
        malformed_quotes: Row (from 0) → the column (from 0) of its malformed quote.
        sheets: The names of all sheets of a workbook.
        mapped_file: The file without a name on which a large table lies.
        documents: The events of a file that holds JSON, as they came.
        cell_kinds: Column → what each of its cells is (``json_cells.py``), where they are not all plain texts.
    """

    dialect: Dialect
    header: tuple[str, ...]
    columns: Sequence[pa.ChunkedArray]
    lines: Int64Array
    notes: tuple[str, ...] = ()
    cell_counts: Mapping[int, int] = field(default_factory=dict)
    malformed_quotes: Mapping[int, int] = field(default_factory=dict)
    sheets: tuple[str, ...] = ()
    mapped_file: MappedFile | None = None
    documents: "DocumentIndex | None" = None
    cell_kinds: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)


def name_columns(given: Sequence[str], where: str, line: int | None = None) -> tuple[tuple[str, ...], list[str]]:
    """The columns' names, each another, and notes about them.

    ``where`` says in sentences where the header is, such as “Line 1”; ``line`` is its number, if it has one.
    Raises :class:`ReadError` for two columns of one name, and for more than :data:`MAX_COLUMNS`.
    """
    notes = []
    if len(given) > MAX_COLUMNS:
        raise ReadError(
            f"{where}: the header has {len(given):,} columns. Up to {MAX_COLUMNS:,} are taken."
            " See that the header is right, or remove columns.",
            line=line,
        )
    header = tuple(f"column {number}" if is_blank(cell) else cell for number, cell in enumerate(given, 1))
    unnamed = [column for column, cell in zip(header, given, strict=True) if is_blank(cell)]
    if unnamed:
        notes.append(f"Columns without a name are called by their number: {join_first_three(unnamed)}.")
    first: dict[str, int] = {}
    for number, column in enumerate(header, 1):
        if first.setdefault(column, number) != number:
            raise ReadError(
                f"{where}: columns {first[column]} and {number} are both called “{shorten_value(column)}”. "
                "Each column has a name of its own. Rename one of them.",
                line=line,
            )
    padded = [column for column in header if column != column.strip()]
    if padded:
        notes.append(f"White space around a column's name belongs to the name: {join_first_three(padded)}.")
    plain = [(column, " ".join(column.split())) for column in header if column not in padded]
    unseen = [column for column, text in plain if spell_invisible(text) != text or "\xa0" in column]
    if unseen:
        notes.append(f"A column's name holds what cannot be seen, which belongs to it: {join_first_three(unseen)}.")
    return header, notes


def name_columns_of(given: Sequence[str], where: str, dialect: Dialect) -> tuple[tuple[str, ...], list[str]]:
    """The columns' names by the header, or by their number where there is none, and notes about them.

    Raises :class:`ReadError` as :func:`name_columns` does.
    """
    if dialect.no_header:
        header, _ = name_columns([""] * len(given), where, dialect.header_line)
        return header, []
    header, notes = name_columns(given, where, dialect.header_line)
    return header, [*note_header_values(given, where), *notes]


def note_header_values(given: Sequence[str], where: str) -> Iterator[str]:
    """A note on a header that looks like a row, because some of its cells look like values."""
    found = find_header_value(given)
    if found is not None:
        yield (
            f"{where} was taken as the header, though “{shorten_value(given[found])}” in column {found + 1} looks like"
            " a value: if it is a row, say that there is no header, or add one above it."
        )


def describe_header(dialect: Dialect, row_label: str) -> Iterator[str]:
    """A note on where the header is, where it is not in the first line, and on a file without one."""
    above = "; what is above it was not read" if dialect.header_line > 1 else ""
    if dialect.no_header:
        yield (
            f"There is no header: {row_label} {dialect.header_line:,} is the first row{above}. Columns are called by"
            " their number, “column 1” and so on."
        )
    elif above:
        yield f"The header is {row_label} {dialect.header_line:,}{above}."


def describe_skipped_rows(dialect: Dialect) -> Iterator[str]:
    """A note on the rows after the header that a person wanted to skip."""
    if dialect.rows_to_skip:
        one = dialect.rows_to_skip == 1
        rows = "The row after the header was" if one else f"{dialect.rows_to_skip:,} rows after the header were"
        yield f"{rows} skipped, as you said."


def describe_encoding(encoding: str) -> Iterator[str]:
    """A note on an encoding that is not UTF-8."""
    if encoding in {"cp1252", "latin-1"}:
        yield f"The file was read as {encoding}, not as UTF-8: if letters look wrong, name its encoding."
    elif encoding != "utf-8":
        yield f"The file was read as {encoding}."


@contextmanager
def translate_full_disk(name: str) -> Iterator[None]:
    """Raise :class:`ReadError` where the disk has no space for the rows of a large table."""
    try:
        yield
    except OSError as error:
        raise ReadError(
            f"{name} is large, and there is no space on the disk to hold its rows: {error.strerror or error}."
            " Free some space, then take it again."
        ) from error


def join_first_three(names: Sequence[str]) -> str:
    """The first three names in quotes, and how many more there are."""
    more = len(names) - 3
    return ", ".join(f"“{spell_invisible(shorten_value(name))}”" for name in names[:3]) + (
        f" and {more:,} more" if more > 0 else ""
    )
