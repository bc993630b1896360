"""Arrow arrays: made without pandas, viewed as bytes, and their texts hashed and numbered.

``pyarrow.array``, ``pyarrow.scalar`` and ``Array.to_numpy`` import pandas when they are first called, only to ask
whether they are given one of its objects; that takes half a second. Numbering goes by hashes: Arrow's own dictionary
of five million different ids takes 160 bytes for each, a hash eight. Only texts that share a hash are compared, so that
no number is ever wrong.
"""

import ctypes
import sys
from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Mask: TypeAlias = NDArray[np.bool_]
"""A truth value for each row."""

Int64Array: TypeAlias = NDArray[np.int64]
"""Row numbers (from 0), codes of equal values, or epoch milliseconds: what they are says the name."""

HashArray: TypeAlias = NDArray[np.uint64]

_HASHED_WORDS = 32
"""Longer texts than so many words of eight bytes are hashed one by one."""

_NEAR, _NEAR_ROWS, _MAX_NEAR_ROWS, _MAX_NEAR_BYTES = 4, 1_024, 1 << 18, 1 << 26
"""Rows are near each other that lie among so many times as many and some more, of no more rows and bytes than these."""

_MIX = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_BUCKETS = 1 << 22


def release_unused_memory() -> None:
    """Hand back to the system what Arrow, and the C library for NumPy, keep of memory that was freed.

    After a large file was checked that may be as much as the file itself.
    """
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of the GNU C library alone
        if trim is not None:
            trim(0)


def make_array(values: NDArray[Any] | Sequence[str | None], kind: pa.DataType | None = None) -> pa.Array:
    """An Arrow array of numbers, of truth values, or of texts (``None`` is null), without importing pandas.

    ``kind`` is the type to have, by default that of the numbers, or a large string. Any: every dtype of numbers.
    Raises UnicodeEncodeError where a text holds half a character.
    """
    array = _wrap_numbers(values) if isinstance(values, np.ndarray) else _encode_texts(values)
    return array if kind is None or array.type == kind else array.cast(kind)


def make_scalar(value: str | bool | None, kind: pa.DataType | None = None) -> pa.Scalar:
    """An Arrow scalar of a text, of null or of a truth value, without importing pandas."""
    return make_array(np.array([value]) if isinstance(value, bool) else [value], kind)[0]


def view_numbers(array: pa.Array | pa.ChunkedArray) -> NDArray[Any]:
    """The numbers or truth values of an Arrow array that has no nulls, without importing pandas.

    Truth values are a copy; numbers in one piece are not, and cannot be written. Any: every dtype of numbers.
    Raises ``pyarrow.ArrowTypeError`` on a null.
    """
    whole = combine_chunks(array)
    if pa.types.is_boolean(whole.type):
        return np.from_dlpack(whole.cast(pa.uint8())).astype(np.bool_)
    return np.from_dlpack(whole)


def combine_chunks(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column as one array, without importing pandas where it has no chunk."""
    if isinstance(column, pa.Array):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)  # Arrow would copy it
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.nulls(0, column.type)


def _wrap_numbers(values: NDArray[Any]) -> pa.Array:
    """Numbers as Arrow holds them, not copied where they are in one piece. Any: every dtype of numbers."""
    buffer = np.packbits(values, bitorder="little") if values.dtype == np.bool_ else np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), values.size, [None, pa.py_buffer(buffer)])


def _encode_texts(texts: Sequence[str | None]) -> pa.Array:
    mask, given = None, cast("Sequence[str]", texts)
    if None in texts:
        mask = pa.py_buffer(np.packbits([text is not None for text in texts], bitorder="little"))
        given = [text or "" for text in texts]
    joined = "".join(given)
    lengths = map(len, given) if joined.isascii() else (len(text.encode()) for text in given)
    offsets = np.zeros(len(given) + 1, np.int64)
    np.cumsum(np.fromiter(lengths, np.int64, len(given)), out=offsets[1:])
    buffers = [mask, pa.py_buffer(offsets), pa.py_buffer(joined.encode())]
    return pa.Array.from_buffers(pa.large_string(), len(given), buffers)


def hash_texts(array: pa.LargeStringArray) -> HashArray:
    """A hash of each text (no nulls), the same for equal ones within this process."""
    count = len(array)
    _, offsets, data = array.buffers()
    if not count or data is None:
        return np.zeros(count, np.uint64)
    bounds = np.frombuffer(offsets, np.int64)[array.offset : array.offset + count + 1]
    first, size = bounds[0], int(bounds[-1] - bounds[0])
    held = np.zeros(size + 8, np.uint8)  # longer, so that the last word of the last text can be read whole
    held[:size] = np.frombuffer(data, np.uint8)[first : first + size]
    words: HashArray = np.ndarray((size + 1,), "<u8", held.data, strides=(1,))  # a word from every byte on
    starts, lengths = bounds[:-1] - first, np.diff(bounds)
    found = lengths.astype(np.uint64) * _MIX
    for word in range(min(int(lengths.max()) + 7 >> 3, _HASHED_WORDS)):
        left = lengths - 8 * word
        some = np.flatnonzero(left > 0)
        rows = slice(None) if some.size == count else some
        beyond = np.uint64(8) * np.clip(8 - left[rows], 0, 7).astype(np.uint64)
        read = words[starts[rows] + 8 * word] << beyond >> beyond  # without the bytes that follow the text
        mixed = (found[rows] ^ read) * _MIX
        found[rows] = mixed ^ mixed >> _HALF
    for row in np.flatnonzero(lengths > 8 * _HASHED_WORDS).tolist():
        found[row] = hash(array[row].as_buffer().to_pybytes()) & 0xFFFF_FFFF_FFFF_FFFF
    return found


def mix_hashes(hashes: HashArray, others: HashArray) -> HashArray:
    """A hash of each pair of hashes; their order counts."""
    mixed = (hashes ^ others) * _MIX
    found: HashArray = mixed ^ mixed >> _HALF
    return found


def factorize_texts(hashes: HashArray, column: pa.ChunkedArray) -> Int64Array:
    """A number for each row, the same where the texts are equal: the first row that has it."""
    rows = find_colliding_rows(hashes)
    numbers = np.arange(hashes.size)
    if rows.size:
        codes = view_numbers(take_rows(column, rows).dictionary_encode().indices)
        firsts = np.full(int(codes.max()) + 1, hashes.size)
        np.minimum.at(firsts, codes, rows)
        numbers[rows] = firsts[codes]
    return numbers


def find_colliding_rows(hashes: HashArray) -> Int64Array:
    """The rows whose hash another row has too, sorted."""
    ordered = np.sort(hashes)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    del ordered  # as large as the column itself
    if not twice.size:
        return np.empty(0, np.int64)
    marked = np.zeros(_BUCKETS, np.bool_)  # a quick look first: nearly every row is alone
    marked[twice & np.uint64(_BUCKETS - 1)] = True
    near = np.flatnonzero(np.concatenate([marked[part & np.uint64(_BUCKETS - 1)] for part in _split_hashes(hashes)]))
    found: Int64Array = near[twice[np.minimum(np.searchsorted(twice, hashes[near]), twice.size - 1)] == hashes[near]]
    return found


def _split_hashes(hashes: HashArray) -> list[HashArray]:
    return np.array_split(hashes, hashes.size // _BUCKETS + 1)


def combine_column(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array; its 64-bit offsets hold any size, and begin with 0.

    Of an array that is a part of another, Arrow's ``ascii_lower`` and the like make one whose offsets are wrong.
    """
    whole = combine_chunks(column.cast(pa.large_string()))
    validity, offsets, data = whole.buffers()
    if not len(whole) or data is None or (validity is not None and whole.null_count):
        return whole
    bounds = np.frombuffer(offsets, np.int64)[whole.offset : whole.offset + len(whole) + 1]
    if not bounds[0]:
        return whole
    text = data.slice(int(bounds[0]), int(bounds[-1] - bounds[0]))
    return pa.Array.from_buffers(whole.type, len(whole), [None, pa.py_buffer(bounds - bounds[0]), text])


def take_rows(column: pa.ChunkedArray, rows: Int64Array) -> pa.Array:
    """The cells of these rows, as one array; only the chunks that hold some of them are looked at.

    Arrow's own ``take`` puts a whole column of text together first. Rows that are near each other are taken from what
    lies between them, in any order; others are sorted.
    """
    if not rows.size:
        return make_array([])
    first, last = int(rows.min()), int(rows.max())
    if last - first < min(_NEAR * rows.size + _NEAR_ROWS, _MAX_NEAR_ROWS):
        near = column.slice(first, last - first + 1)
        if near.nbytes <= _MAX_NEAR_BYTES:
            return combine_column(near).take(make_array(rows - first))
    if (rows[1:] < rows[:-1]).any():
        order = np.argsort(rows, kind="stable")
        back = np.empty(rows.size, np.int64)
        back[order] = np.arange(rows.size)
        return _take_sorted_rows(column, rows[order]).take(make_array(back))
    return _take_sorted_rows(column, rows)


def _take_sorted_rows(column: pa.ChunkedArray, rows: Int64Array) -> pa.Array:
    starts = np.cumsum([0, *map(len, column.chunks)])
    cuts = np.searchsorted(rows, starts)
    found = [
        column.chunk(number).take(make_array(rows[cuts[number] : cuts[number + 1]] - starts[number]))
        for number in np.flatnonzero(np.diff(cuts)).tolist()
    ]
    return combine_chunks(pa.chunked_array(found, column.type).cast(pa.large_string()))


def view_bytes(array: pa.Array) -> NDArray[np.uint8]:
    """Every byte of an array that :func:`combine_column` made, one cell after the other."""
    _, offsets, data = array.buffers()
    if data is None or not len(array):
        return np.empty(0, np.uint8)
    first, last = np.frombuffer(offsets, np.int64)[[array.offset, array.offset + len(array)]]
    return np.frombuffer(data, np.uint8)[first:last]


def find_rows_of_bytes(array: pa.Array, is_sought: Mask) -> Int64Array:
    """The rows (sorted) of an array without nulls that hold a sought byte; a truth value for each of its bytes."""
    places = np.flatnonzero(is_sought)
    if not places.size:
        return places
    _, offsets, _ = array.buffers()
    bounds = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    if 2 * places.size > len(array):  # how many come before each row
        before = np.zeros(is_sought.size + 1, np.int32)
        np.cumsum(is_sought, out=before[1:])
        return np.flatnonzero(np.diff(before[bounds - bounds[0]]))
    rows = np.searchsorted(bounds, places + bounds[0], "right") - 1
    found: Int64Array = rows[np.append(True, rows[1:] != rows[:-1])]
    return found


def first_bytes(array: pa.Array) -> NDArray[np.uint8]:
    """The first byte of each cell of an array that :func:`combine_column` made; 0 for an empty cell."""
    _, offsets, data = array.buffers()
    found = np.zeros(len(array), np.uint8)
    if data is None or not len(array):
        return found
    bounds = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    filled = bounds[1:] > bounds[:-1]
    found[filled] = np.frombuffer(data, np.uint8)[bounds[:-1][filled]]
    return found
