"""The columns of a table as a reader writes them: some rows at a time, in memory or on disk, in useful pieces.

A file of sixteen thousand columns becomes millions of arrays where each piece of it becomes one for each column. So
pieces are put together until each array is worth its name, and arrays that lie on disk are made when a column is first
asked for.
"""

import tempfile
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import IO, Self, overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from intempt_core.arrays import Int64Array, make_scalar
from intempt_core.errors import TableTooLarge
from intempt_core.readers.limits import ReadLimits
from intempt_core.readers.mapped_file import MappedFile, require_disk_space

WIDE_TABLE_COLUMNS, CHUNK_BYTES_PER_COLUMN = 256, 4_096
"""Columns from which on pieces are put together, and bytes for each column that are put together at least."""

_ABSENT = -1
_ALIGNMENT = 8

_Piece = Sequence[Sequence[pa.Array]]
"""Neighbouring rows: each column in chunks."""


class StoredColumns(Sequence[pa.ChunkedArray]):
    """The columns of a table that lies in a file: each is made when it is first asked for, and mapped.

    Attributes:
        pages: The file.
    """

    def __init__(self, pages: MappedFile, rows: Int64Array, starts: NDArray[np.int64]) -> None:
        """``rows`` are those of each chunk; ``starts`` says of each chunk, column and buffer where it begins."""
        self.pages = pages
        self._rows, self._starts = rows, starts
        self._made: dict[int, pa.ChunkedArray] = {}

    def __getstate__(self) -> dict[str, object]:
        """Everything but the columns that were made."""
        return {**vars(self), "_made": {}}

    def __len__(self) -> int:
        return int(self._starts.shape[1])

    def select(self, numbers: Sequence[int]) -> "StoredColumns":
        """Some of the columns, in the order of these numbers."""
        return StoredColumns(self.pages, self._rows, np.ascontiguousarray(self._starts[:, numbers]))

    @overload
    def __getitem__(self, index: int) -> pa.ChunkedArray: ...
    @overload
    def __getitem__(self, index: slice) -> list[pa.ChunkedArray]: ...
    def __getitem__(self, index: int | slice) -> pa.ChunkedArray | list[pa.ChunkedArray]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        if number not in self._made:
            whole = pa.py_buffer(self.pages)
            chunks = [
                _read_array(whole, int(rows), int(offsets), int(data))
                for rows, (offsets, data) in zip(self._rows, self._starts[:, number], strict=True)
            ]
            self._made[number] = pa.chunked_array(chunks, pa.string())
        return self._made[number]


def _read_array(whole: pa.Buffer, rows: int, offsets: int, data: int) -> pa.Array:
    """The array of ``rows`` texts whose offsets and bytes begin there; of empty ones where nothing was written."""
    if offsets == _ABSENT:
        return pa.repeat(make_scalar("", pa.string()), rows)
    bounds = whole.slice(offsets, 4 * (rows + 1))
    size = int(np.frombuffer(bounds, np.int32)[-1])
    return pa.Array.from_buffers(pa.string(), rows, [None, bounds, whole.slice(data, size)])


class ReplaceableColumns(Mapping[str, pa.ChunkedArray]):
    """Header → column, of which one can be replaced without making the others."""

    @abstractmethod
    def with_column(self, name: str, column: pa.ChunkedArray) -> "ReplaceableColumns":
        """The same columns, one of them another; the others are shared."""


class TableColumns(ReplaceableColumns):
    """Header → column, of a table in memory or on disk."""

    def __init__(self, header: Sequence[str], columns: Sequence[pa.ChunkedArray]) -> None:
        self._numbers = {name: number for number, name in enumerate(header)}
        self._columns = columns
        self._replaced: dict[str, pa.ChunkedArray] = {}

    def __getitem__(self, name: str) -> pa.ChunkedArray:
        found = self._replaced.get(name)
        return self._columns[self._numbers[name]] if found is None else found

    def __contains__(self, name: object) -> bool:
        return name in self._numbers

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def with_column(self, name: str, column: pa.ChunkedArray) -> "TableColumns":
        """The same columns, one of them another; the others are shared."""
        found = TableColumns((), self._columns)
        found._numbers, found._replaced = self._numbers, {**self._replaced, name: column}
        return found


class ColumnWriter:
    """Writes the columns of a table, some rows at a time: to memory, or to disk where they are large.

    ``on_disk`` puts them there from the first row on; ``moves`` as soon as they are more than a table in memory may be,
    which a table of text never is that was not on disk itself. It is closed by ``with``. Writing raises
    :class:`OSError` where the disk has no space, and :class:`TableTooLarge` for a larger table than may be.
    """

    def __init__(self, width: int, limits: ReadLimits, *, on_disk: bool, moves: bool = False) -> None:
        self._width, self._limits, self._on_disk, self._moves = width, limits, on_disk, moves
        self._size = self._waiting_bytes = 0
        self._waiting: list[_Piece] = []
        self._chunks: list[tuple[int, Sequence[pa.Array | None]]] = []
        self._file: IO[bytes] | None = None
        self._rows: list[int] = []
        self._starts: list[Int64Array] = []

    def __enter__(self) -> Self:
        if self._on_disk:
            self._move_to_disk()
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            with suppress(OSError):  # what could not be written was said before
                self._file.close()

    def write(self, columns: _Piece) -> None:
        """Write neighbouring rows."""
        size = sum(chunk.nbytes for chunks in columns for chunk in chunks)
        self._count(size)
        self._waiting.append(columns)
        self._waiting_bytes += size
        if self._width < WIDE_TABLE_COLUMNS or self._waiting_bytes >= CHUNK_BYTES_PER_COLUMN * self._width:
            self._flush()

    def write_chunk(self, columns: Sequence[pa.Array | None], rows: int) -> None:
        """Write neighbouring rows at once, an array for each column; ``None`` is one of empty cells.

        There may be more columns than before: what was written of them is empty.
        """
        self._flush()
        self._count(sum(column.nbytes for column in columns if column is not None))
        self._width = max(self._width, len(columns))
        self._keep(columns, rows)

    def finish(self) -> tuple["Sequence[pa.ChunkedArray]", MappedFile | None]:
        """Every column, and the file on which they lie."""
        self._flush()
        if self._file is not None and self._rows:
            pages = MappedFile.from_file(self._file)
            starts = np.full((len(self._rows), self._width, 2), _ABSENT, np.int64)
            for number, some in enumerate(self._starts):
                starts[number, : len(some)] = some
            return StoredColumns(pages, np.array(self._rows, np.int64), starts), pages
        columns: list[list[pa.Array]] = [[] for _ in range(self._width)]
        for rows, chunk in self._chunks:
            empty = pa.repeat(make_scalar("", pa.string()), rows)
            for number, kept in enumerate(columns):
                given = chunk[number] if number < len(chunk) else None
                kept.append(empty if given is None else given)
        return [pa.chunked_array(chunks, pa.string()) for chunks in columns], None

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self._limits.table_bytes:
            raise TableTooLarge(
                f"The rows become a table of more than {self._limits.table_bytes:,} bytes. Cut the file into several,"
                " or leave columns out."
            )
        if self._moves and self._file is None and self._size > self._limits.memory_bytes:
            self._move_to_disk()

    def _flush(self) -> None:
        """Keep what waits, each column as one array."""
        if not self._waiting:
            return
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        pieces = [[chunk for piece in waiting for chunk in piece[number]] for number in range(self._width)]
        rows = sum(map(len, pieces[0]))
        if self._file is None:
            self._keep([chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks) for chunks in pieces], rows)
        else:
            self._write(pieces, rows)

    def _keep(self, columns: Sequence[pa.Array | None], rows: int) -> None:
        if self._file is None:
            self._chunks.append((rows, columns))
        else:
            self._write([None if column is None else [column] for column in columns], rows)

    def _move_to_disk(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  it stays open until all rows are there
        chunks, self._chunks = self._chunks, []
        for rows, chunk in chunks:
            self._keep(chunk, rows)

    def _write(self, columns: Sequence[Sequence[pa.Array] | None], rows: int) -> None:
        """Write one chunk: of each column where each text begins, and the texts."""
        if self._file is None:
            return
        given = [chunks for chunks in columns if chunks is not None]
        require_disk_space(self._file, sum(chunk.nbytes for chunks in given for chunk in chunks))
        starts = np.full((len(columns), 2), _ABSENT, np.int64)
        for number, chunks in enumerate(columns):
            if chunks is not None:
                starts[number] = _write_texts(self._file, chunks)
        self._rows.append(rows)
        self._starts.append(starts)


def _write_texts(file: IO[bytes], chunks: Sequence[pa.Array]) -> tuple[int, int]:
    """Write the texts of neighbouring rows as one array; where its offsets and its bytes begin."""
    bounds, texts, size = [np.zeros(1, np.int32)], list[memoryview](), 0
    for chunk in chunks:
        count = len(chunk)
        if not count:
            continue
        _, offsets, data = chunk.buffers()
        mine = np.frombuffer(offsets, np.int32)[chunk.offset : chunk.offset + count + 1]
        bounds.append(mine[1:] - (mine[0] - np.int32(size)))
        if data is not None:
            texts.append(memoryview(data)[int(mine[0]) : int(mine[-1])])
        size += int(mine[-1] - mine[0])
    file.write(bytes(-file.tell() % _ALIGNMENT))
    start = file.tell()
    file.write(np.concatenate(bounds).data)
    data_start = file.tell()
    for text in texts:
        file.write(text)
    return start, data_start
