"""A Parquet file as a table of text: exact values, some thousands of rows at a time.

How each type becomes text says ``arrow_texts.py``. Columns inside a column become columns of their own, called by both
names with a dot between: ``data.productId``. What holds several values, a list or a map, is JSON text. Parquet has no
lines: a row is known by its number.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from intempt_core.arrays import Int64Array, make_scalar, view_numbers
from intempt_core.contract import shorten_value
from intempt_core.errors import ReadError, TableTooLarge
from intempt_core.readers.arrow_texts import format_values, is_known_zone
from intempt_core.readers.column_store import ColumnWriter
from intempt_core.readers.dialects.dialect import Dialect
from intempt_core.readers.limits import MAX_EVENT_BYTES, MAX_UNPACKED_BYTES, build_oversize_error
from intempt_core.readers.mapped_file import release_pages
from intempt_core.readers.table_content import (
    FileSource,
    TableContent,
    join_first_three,
    name_columns,
    translate_full_disk,
)

PARQUET_BATCH_ROWS, PARQUET_BATCH_CELLS = 65_536, 1_048_576
"""Rows that are read at a time, and cells."""

PARQUET_BATCH_BYTES = 67_108_864
"""Bytes of text that are made at a time."""

_OFFSET_BYTES = 4
"""What a cell costs at least."""


def read_parquet_table(source: FileSource) -> TableContent:
    """Read a Parquet file.

    Raises :class:`ReadError` where it is cut, broken or encrypted, has two columns of one name or one that is no text,
    or would become too large.
    """
    name = source.name
    _reject_encrypted(source)
    with _translate_errors(name):
        file = _open_parquet(source)
        leaves = [leaf for field in file.schema_arrow for leaf in _list_leaves(field.name, field.type)]
    if not leaves:
        raise ReadError(f"{name} has no column. See that the export was complete.")
    header, notes = name_columns([leaf.name for leaf in leaves], name)
    _reject_bomb(file.metadata, len(header), source)
    batch_rows = max(1, min(PARQUET_BATCH_ROWS, PARQUET_BATCH_CELLS // len(header)))
    rows = size = 0
    with (
        translate_full_disk(name),
        ColumnWriter(len(header), source.limits, on_disk=source.is_large, moves=True) as writer,
    ):
        for batch in _iterate_batches(file, name, batch_rows):
            columns = _format_batch(batch, header, name, rows)
            with _translate_errors(name):  # a broken file chooses texts that are not there
                batch_size = sum(column.size for column in columns)
            size += batch_size
            if size > _get_max_bytes(source):
                raise _build_too_large_error(source, size)
            if batch_size > MAX_EVENT_BYTES:
                _reject_large_rows(columns, header, name, rows)
            step = max(1, batch.num_rows * PARQUET_BATCH_BYTES // max(batch_size, 1))
            for start in range(0, batch.num_rows, step):
                writer.write([[column.slice(start, step)] for column in columns])
            rows += batch.num_rows
            release_pages(source.content)
        chunks, pages = writer.finish()
    return TableContent(
        dialect=Dialect(),
        header=header,
        columns=chunks,
        lines=np.arange(1, rows + 1, dtype=np.int64),
        notes=(
            *_describe_columns(leaves, file.metadata),
            *notes,
            *(() if rows else ("There are columns and no row.",)),
        ),
        mapped_file=pages,
    )


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _open_parquet(source: FileSource) -> pq.ParquetFile:
    """The file, with texts kept as the dictionaries in which they lie until their size is known."""
    data = pa.py_buffer(source.content)
    metadata = pq.read_metadata(pa.BufferReader(data))
    columns = [metadata.schema.column(number) for number in range(metadata.num_columns)]
    texts = [one.path for one in columns if one.physical_type == "BYTE_ARRAY" and not one.max_repetition_level]
    return pq.ParquetFile(
        pa.BufferReader(data),
        metadata=metadata,
        read_dictionary=texts,
        pre_buffer=False,  # it would hold the whole file
        coerce_int96_timestamp_unit="us",  # in nanoseconds the year 9999 would become another
        page_checksum_verification=True,
    )


def _iterate_batches(file: pq.ParquetFile, name: str, batch_rows: int) -> Iterator[pa.RecordBatch]:
    with _translate_errors(name):
        yield from file.iter_batches(batch_rows)


@contextmanager
def _translate_errors(name: str) -> Iterator[None]:
    """What Arrow raises for a broken file becomes a sentence."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = shorten_value((str(error).strip().splitlines() or ["no reason given"])[0].strip(" ."))
        if "crypt" in str(error):
            raise _build_encrypted_error(name) from error
        if "too deeply nested" in str(error):
            raise ReadError(
                f"{name} cannot be read: its columns are nested too deeply, in more than a hundred levels. Export those"
                " that are needed as columns of their own."
            ) from error
        if isinstance(error, NotImplementedError):
            raise ReadError(
                f"{name} cannot be read: it is Parquet of a kind that is not known here ({reason}). Export it once more"
                " with common settings, or as CSV."
            ) from error
        raise ReadError(
            f"{name} cannot be read: the Parquet file was cut, or is broken ({reason}). See that all of it was copied,"
            " then take it again."
        ) from error


def _reject_encrypted(source: FileSource) -> None:
    if b"PARE" in (source.content[:4], source.content[-4:]):
        raise _build_encrypted_error(source.name)


def _build_encrypted_error(name: str) -> ReadError:
    return ReadError(f"{name} is an encrypted Parquet file. No key is asked for here. Export it without encryption.")


def _reject_bomb(metadata: pq.FileMetaData, width: int, source: FileSource) -> None:
    """Raise :class:`ReadError` where a file says of itself that it becomes too large."""
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    size = max(sum(group.total_byte_size for group in groups), metadata.num_rows * width * _OFFSET_BYTES)
    if size > _get_max_bytes(source):
        raise _build_too_large_error(source, size)
    source.limits.check_rows(metadata.num_rows)


def _get_max_bytes(source: FileSource) -> int:
    return min(source.limits.unpacked_bytes, MAX_UNPACKED_BYTES)


def _build_too_large_error(source: FileSource, size: int) -> ReadError:
    return TableTooLarge(
        f"{source.name} has {len(source.content):,} bytes and becomes {size:,} or more as text. Up to"
        f" {_get_max_bytes(source):,} are taken. Cut it into several files, or leave columns out."
    )


# ── its columns ──────────────────────────────────────────────────────────────────────────────────────────────────────


class _Leaf(NamedTuple):
    """A column that holds no columns: its name with those of the columns that it is in, and its type."""

    name: str
    kind: pa.DataType
    is_inner: bool


def _list_leaves(name: str, kind: pa.DataType, *, is_inner: bool = False) -> Iterator[_Leaf]:
    if pa.types.is_struct(kind):
        for field in kind:
            yield from _list_leaves(f"{name}.{field.name}", field.type, is_inner=True)
    else:
        yield _Leaf(name, kind, is_inner)


def _flatten_column(array: pa.Array) -> Iterator[pa.Array]:
    """The arrays of a column's leaves; where a structure is null, so is all that is in it."""
    if pa.types.is_struct(array.type):
        for inner in array.flatten():
            yield from _flatten_column(inner)
    else:
        yield array


class _TextColumn(NamedTuple):
    """Cells of a column: texts, or where there are ``indices`` the texts that those choose."""

    texts: pa.Array
    indices: pa.Array | None

    @property
    def lengths(self) -> Int64Array:
        """Bytes of each cell."""
        lengths = pc.binary_length(self.texts).cast(pa.int64())
        chosen = lengths if self.indices is None else lengths.take(self.indices)
        found: Int64Array = view_numbers(pc.fill_null(chosen, 0))
        return found

    @property
    def size(self) -> int:
        """Bytes that the cells take."""
        if self.indices is None:
            return int(self.texts.nbytes)
        lengths = pc.sum(pc.binary_length(self.texts).cast(pa.int64()).take(self.indices)).as_py()
        return (lengths or 0) + len(self.indices) * _OFFSET_BYTES

    def slice(self, start: int, length: int) -> pa.Array:
        """The cells from one on, so many; a null is an empty one."""
        if self.indices is None:
            found = self.texts.slice(start, length)
        else:
            found = self.texts.take(self.indices.slice(start, length))
        return pc.fill_null(found, make_scalar("", pa.string())) if found.null_count else found


def _reject_large_rows(columns: Sequence[_TextColumn], header: Sequence[str], name: str, rows: int) -> None:
    """Raise :class:`ReadError` for a row of a batch that is too large; ``rows`` were read before it."""
    sizes = np.sum([column.lengths for column in columns], axis=0)
    if sizes.max() <= MAX_EVENT_BYTES:
        return
    row = int(np.argmax(sizes > MAX_EVENT_BYTES))
    largest = max(range(len(columns)), key=lambda number: int(columns[number].lengths[row]))
    hint = f"Most of it is in column “{shorten_value(header[largest])}”. Leave that column out, or cut its cells."
    raise build_oversize_error(f"{name}, row {rows + row + 1:,}", "the row", int(sizes[row]), hint=hint)


def _format_batch(batch: pa.RecordBatch, header: Sequence[str], name: str, rows: int) -> list[_TextColumn]:
    """The cells of a batch; ``rows`` were read before it."""
    arrays = (leaf for array in batch.columns for leaf in _flatten_column(array))
    return [_format_column(array, column, name, rows) for column, array in zip(header, arrays, strict=True)]


def _format_column(array: pa.Array, column: str, name: str, rows: int) -> _TextColumn:
    try:
        if pa.types.is_dictionary(array.type):
            return _TextColumn(format_values(array.dictionary), array.indices)
        return _TextColumn(format_values(array), None)
    except UnicodeError as error:
        row = rows + _find_undecodable(array) + 1
        raise ReadError(
            f"{name}, row {row:,}: column “{shorten_value(column)}” holds bytes that are no text in UTF-8. Leave the"
            " column out of the export, or write it as text."
        ) from error
    except pa.ArrowException as error:
        raise ReadError(
            f"{name}: column “{shorten_value(column)}” is of the type {array.type}, which cannot be written as text."
            " Leave it out of the export, or write it as text."
        ) from error


def _find_undecodable(array: pa.Array) -> int:
    """The first row whose bytes are no UTF-8."""
    for row in range(len(array)):
        one = array.slice(row, 1)
        try:
            format_values(one.dictionary_decode() if pa.types.is_dictionary(one.type) else one)
        except UnicodeError:
            return row
    return 0  # in a dictionary, and chosen by no row


def _describe_columns(leaves: Sequence[_Leaf], metadata: pq.FileMetaData) -> Iterator[str]:
    if inner := [leaf.name for leaf in leaves if leaf.is_inner]:
        yield f"Columns inside a column are called by both names: {join_first_three(inner)}."
    if lists := [leaf.name for leaf in leaves if pa.types.is_nested(leaf.kind)]:
        yield f"What holds several values is written as JSON: {join_first_three(lists)}."
    if exact := [leaf.name for leaf in leaves if pa.types.is_decimal(leaf.kind) and leaf.kind.scale > 0]:
        yield f"Decimal numbers are written with every place of their type, whole ones too: {join_first_three(exact)}."
    zoned = [leaf for leaf in leaves if pa.types.is_timestamp(leaf.kind) and leaf.kind.tz]
    if unknown := [leaf.name for leaf in zoned if not is_known_zone(leaf.kind.tz)]:
        yield f"Times of a zone that is not known here are written in UTC: {join_first_three(unknown)}."
    columns = [metadata.schema.column(number) for number in range(metadata.num_columns)]
    if old := [column.path for column in columns if column.physical_type == "INT96"]:
        yield f"Times of the old kind INT96 are read to the microsecond: {join_first_three(old)}."
