"""What the cells of a column look like, counted over all rows: their shapes.

The shape of a cell is the cell with ``9`` for each digit: ``2022-10-01`` and ``2023-01-31`` are ``9999-99-99``. A
column of times, of numbers or of ids has few shapes however many rows it has, so that every row is looked at in a
moment.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from intempt_core.arrays import hash_texts, view_numbers
from intempt_core.contract import is_blank, is_placeholder, shorten_value
from intempt_core.mapping.model import RESERVED_COLUMNS
from intempt_core.mapping.values import UnlockedProperty
from intempt_core.readers import Table

T = TypeVar("T")

MAX_SHAPES = 1_000
"""Shapes of a column at the most; one that has more has text of all kinds, or ids of letters."""

MAX_SHAPE_BYTES = 200
"""Bytes of a cell that has a shape; a longer one is text."""

_FIRST_ROWS, _FIRST_SHAPES = 2_000, 200
"""Where so many of the first rows have more shapes than these, the column is not gone through."""

_ZERO, _NINE = np.uint8(ord("0")), np.uint8(ord("9"))
_FEW_CELLS = 20
_ROWS_FOR_THREADS, _THREADS = 50_000, 2


@dataclass(frozen=True, slots=True)
class CellShape:
    """A shape of a column's cells.

    Attributes:
        text: The shape: a cell with ``9`` for each digit.
        count: How many cells have it.
        row: The first row (from 0) that has it.
        cell: That row's cell; of a long one the beginning.
    """

    text: str
    count: int
    row: int
    cell: str


@dataclass(frozen=True, eq=False)
class ColumnProfile:
    """A column and what its cells look like; each part is worked out when it is first asked for, and kept.

    Attributes:
        table: The table.
        column: The header.
    """

    table: Table
    column: str

    @property
    def cells(self) -> pa.ChunkedArray:
        """The column."""
        return self.table.columns[self.column]

    @UnlockedProperty
    def shapes(self) -> tuple[CellShape, ...] | None:
        """The shapes of the cells that are not blank, those first that most have; ``None`` where there are many."""
        found = self._count_shapes()
        self.table.release_memory()
        if found is None:
            return None
        given = sorted(found.items(), key=lambda item: (-item[1][0], item[1][1]))
        shapes = []
        for shape, (count, row) in given:
            text = shape.decode(errors="replace")
            if not is_blank(text):
                (cell,) = self.table.take_cells(self.column, [row], max_chars=MAX_SHAPE_BYTES)
                shapes.append(CellShape(text, count, row, cell))
        return tuple(shapes)

    @UnlockedProperty
    def filled(self) -> int:
        """How many cells are not blank."""
        if self.shapes is not None:
            return sum(shape.count for shape in self.shapes)
        return int(sum(np.count_nonzero(view_numbers(pc.binary_length(chunk))) for chunk in self.cells.chunks))

    @UnlockedProperty
    def says_nothing(self) -> bool:
        """Whether no cell can be an id: each is blank, or a word that stands for nothing (CONTRACT 2.8)."""
        if not self.filled:
            return True
        few = self.few_cells
        return few is not None and all(is_placeholder(cell) for cell in few)

    @UnlockedProperty
    def few_cells(self) -> tuple[str, ...] | None:
        """The different cells that are not blank, where they are few; else ``None``."""
        if self._has_many_at_once:
            return None
        found = self.table.distinct_cells(self.column, _FEW_CELLS + 1)
        return None if len(found) > _FEW_CELLS else tuple(cell for cell in found if not is_blank(cell))

    @UnlockedProperty
    def _has_many_at_once(self) -> bool:
        """Whether the first rows alone have more different cells than names have."""
        first = next((chunk for chunk in self.cells.chunks if len(chunk)), None)
        return first is not None and len(pc.unique(first.slice(0, _FIRST_ROWS))) > _FIRST_SHAPES

    @UnlockedProperty
    def distinct(self) -> int:
        """How many different cells there are that are not empty, over all rows."""
        hashes = [hash_texts(chunk.cast(pa.large_string())) for chunk in self.cells.chunks if len(chunk)]
        if not hashes:
            return 0
        ordered = np.sort(np.concatenate(hashes))
        self.table.release_memory()
        different = int(np.count_nonzero(ordered[1:] != ordered[:-1])) + 1
        has_empty = any(bool((view_numbers(pc.binary_length(chunk)) == 0).any()) for chunk in self.cells.chunks)
        return different - has_empty

    @UnlockedProperty
    def with_spaces(self) -> int:
        """How many cells have a space inside, as texts for people have and ids have not."""
        if self.shapes is not None:
            return sum(shape.count for shape in self.shapes if " " in shape.text.strip())
        return sum(_count_true(pc.match_substring(chunk, " ")) for chunk in self.cells.chunks)

    @UnlockedProperty
    def names(self) -> dict[str, int] | None:
        """Cell → how many rows have it, where the cells are few words; ``None`` where they are many."""
        if self.shapes is None or any(len(shape.cell) == MAX_SHAPE_BYTES for shape in self.shapes):
            return None
        if all("9" not in shape.text for shape in self.shapes):
            return {shape.cell: shape.count for shape in self.shapes}
        found: dict[str, int] = {}
        if self._has_many_at_once:
            return None
        for chunk in self.cells.chunks:
            counted = pc.value_counts(chunk)
            if len(counted) + len(found) > 2 * MAX_SHAPES:
                return None
            for cell, count in zip(counted.field(0).to_pylist(), counted.field(1).to_pylist(), strict=True):
                if not is_blank(cell):
                    found[cell] = found.get(cell, 0) + count
        return found

    def describe_exceptions(self, rows: Sequence[int], exceptions: int) -> str:
        """Sentence on cells that do not fit: how many of all do, and the first ones that do not, with their lines."""
        if not exceptions:
            return ""
        some = [
            f"{self.table.describe_line(row) or f'row {row + 1:,}'} is"
            f" “{shorten_value(self.table.cell(row, self.column))}”"
            for row in sorted(rows)[:2]
        ]
        more = exceptions - len(some)
        if not some:
            return f"{self.filled - exceptions:,} of {self.filled:,} fit."
        listed = ", ".join(some) + (f", and {more:,} more do not" if more > 0 else "")
        return f"{self.filled - exceptions:,} of {self.filled:,} fit; {listed}."

    def _count_shapes(self) -> dict[bytes, tuple[int, int]] | None:
        """Shape → how many cells have it, and the first row; ``None`` where there are many."""
        found: dict[bytes, tuple[int, int]] = {}
        start = 0
        for chunk in self.cells.chunks:
            if not start and len(pc.unique(make_shapes(chunk.slice(0, _FIRST_ROWS)))) > _FIRST_SHAPES:
                return None
            shapes = make_shapes(chunk)
            if (only := find_only_shape(shapes)) is not None:
                before = found.get(only)
                found[only] = (before[0] + len(chunk), before[1]) if before else (len(chunk), start)
                start += len(chunk)
                continue
            encoded = shapes.dictionary_encode()
            codes = view_numbers(encoded.indices)
            if len(encoded.dictionary) + len(found) > 2 * MAX_SHAPES:
                return None
            if not codes.size:
                continue
            named: list[bytes] = encoded.dictionary.to_pylist()
            counts = np.bincount(codes, minlength=len(named)).tolist()
            first = [0] * len(named)
            if not found.keys() >= set(named):  # each comes first where its number is first met
                first = np.searchsorted(np.maximum.accumulate(codes), np.arange(len(named))).tolist()
            for shape, count, row in zip(named, counts, first, strict=True):
                before = found.get(shape)
                found[shape] = (before[0] + count, before[1]) if before else (count, start + row)
            start += len(chunk)
        return found if len(found) <= MAX_SHAPES else None


def find_only_shape(shapes: pa.BinaryArray) -> bytes | None:
    """The shape that all cells of a chunk have; ``None`` where they have several."""
    if not len(shapes):
        return None
    first: bytes = shapes[0].as_py()
    _, offsets, data = shapes.buffers()
    size, count = len(first), len(shapes)
    if (0 if data is None else data.size) != size * count:
        return None
    if not size:
        return first
    bounds = np.frombuffer(offsets, np.int64 if pa.types.is_large_binary(shapes.type) else np.int32, count + 1)
    is_even = bool((np.diff(bounds) == size).all())
    return first if is_even and pa.py_buffer(first * count).equals(data) else None


def make_shapes(chunk: pa.Array) -> pa.BinaryArray:
    """The shapes of a chunk's cells; a long cell has the shape of its first bytes."""
    wide = pa.types.is_large_string(chunk.type)
    _, offsets, data = chunk.buffers()
    bounds = np.frombuffer(offsets, np.int64 if wide else np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    if int(bounds[-1] - bounds[0]) > MAX_SHAPE_BYTES * len(chunk):
        short = pc.binary_slice(chunk.cast(pa.large_binary() if wide else pa.binary()), 0, MAX_SHAPE_BYTES)
        return make_shapes(short.cast(pa.large_binary()).view(pa.large_string()) if wide else short.view(pa.string()))
    given = np.frombuffer(data or b"", np.uint8)[int(bounds[0]) : int(bounds[-1])]
    kind = pa.large_binary() if wide else pa.binary()
    buffers = [None, pa.py_buffer(bounds - bounds[0]), pa.py_buffer(_replace_digits(given))]
    return pa.Array.from_buffers(kind, len(chunk), buffers)


def _replace_digits(given: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bytes with ``9`` for each digit; NumPy lets other threads work meanwhile, ``bytes.translate`` does not."""
    digits = given - _ZERO
    is_digit = (digits <= _NINE - _ZERO).view(np.uint8)
    digits = (_NINE - _ZERO - digits) * is_digit  # what is missing to nine
    digits += given
    return digits


def _count_true(mask: pa.Array) -> int:
    return int(np.count_nonzero(view_numbers(mask)))


def map_columns(table: Table, work: Callable[[str], T], columns: Sequence[str]) -> list[T]:
    """What some work gives for each column; of a large table two columns are worked on at a time."""
    if table.rows < _ROWS_FOR_THREADS:
        return [work(column) for column in columns]
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(work, columns))


def list_columns(table: Table) -> list[str]:
    """The columns that may become fields: all but those about a row."""
    return [column for column in table.header if column not in RESERVED_COLUMNS]
