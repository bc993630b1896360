"""Memory-mapped files for large inputs and tables, so that memory holds only the pages that are being read.

They are temporary files without a name: they are gone when the process ends, however it ends. No other program can
change or cut them, so that every page can always be read.
"""

import mmap
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Self, TypeAlias

import pyarrow as pa

from intempt_core.readers.open_file import OpenFile

MEMORY_LIMIT_BYTES = 256_000_000
"""Bytes from which on a file, and the table that it becomes, are not held in memory."""

_CHUNK_BYTES = 1 << 20


class MappedFile(mmap.mmap):
    """The bytes of a temporary file, with those methods of :class:`bytes` that reading a table needs.

    Attributes:
        file: The file itself, so that another process can be given it.
    """

    file: OpenFile

    @classmethod
    def copy_large_file(cls, file: IO[bytes], memory_limit: int = MEMORY_LIMIT_BYTES) -> "MappedFile | None":
        """A copy of a file from its position on; ``None`` where it is not large, or the disk has no space for it."""
        at = file.tell()
        if file.seek(0, 2) - at < memory_limit:
            file.seek(at)
            return None
        file.seek(at)
        with suppress(OSError), tempfile.TemporaryFile() as own:
            shutil.copyfileobj(file, own, _CHUNK_BYTES)
            return cls.from_file(own)
        file.seek(at)
        return None

    @classmethod
    def from_file(cls, own: IO[bytes] | OpenFile) -> Self:
        """The bytes of a temporary file that no other program has open."""
        if not isinstance(own, OpenFile):
            own.flush()
        found = cls(own.fileno(), 0, access=mmap.ACCESS_READ)
        found.file = OpenFile.copy(own)
        return found

    @classmethod
    def open(cls, path: Path) -> Self:
        """The bytes of a file that nobody changes, such as one of the spool. Raises :class:`OSError`."""
        with path.open("rb") as file:
            return cls.from_file(file)

    def release(self) -> None:
        """Hand back the memory of the pages that were read; they are read again when they are asked for."""
        self.madvise(mmap.MADV_DONTNEED)

    def chunks(self) -> Iterator[bytes]:
        """The bytes in pieces; the memory of each is handed back before the next."""
        for at in range(0, len(self), _CHUNK_BYTES):
            yield self[at : at + _CHUNK_BYTES]
            self.release()

    def startswith(self, prefix: bytes | tuple[bytes, ...]) -> bool:
        """As of bytes."""
        longest = max(map(len, (prefix,) if isinstance(prefix, bytes) else prefix))
        return self[:longest].startswith(prefix)

    def isascii(self) -> bool:
        """As of bytes."""
        return all(piece.isascii() for piece in self.chunks())

    def decode(self, encoding: str) -> str:
        """As of bytes; the whole text is in memory then."""
        return self[:].decode(encoding)

    def removeprefix(self, prefix: bytes) -> "FileBytes":
        """As of bytes; the very same where there is nothing to remove."""
        if not self.startswith(prefix):
            return self
        return self[len(prefix) :]


FileBytes: TypeAlias = "bytes | MappedFile"
"""The bytes of a file."""


def compute_sha256(raw: FileBytes) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    if isinstance(raw, bytes):
        return sha256(raw).hexdigest()
    found = sha256()
    for piece in raw.chunks():
        found.update(piece)
    return found.hexdigest()


def find_byte(byte: bytes, raw: FileBytes) -> int:
    """The offset of the first such byte; -1 where there is none."""
    if isinstance(raw, bytes):
        return raw.find(byte)
    pieces = enumerate(raw.chunks())
    return next((number * _CHUNK_BYTES + piece.find(byte) for number, piece in pieces if byte in piece), -1)


def release_pages(raw: FileBytes) -> None:
    """Hand back the memory of bytes that lie on disk; nothing to do for others."""
    if isinstance(raw, MappedFile):
        raw.release()


class ColumnWriter:
    """The columns of a table, written some rows at a time: in memory, or on disk where they are large.

    ``on_disk`` puts them there from the first row on; ``memory_limit`` as soon as they have more bytes than that. It is
    closed by ``with``.
    """

    def __init__(self, width: int, *, on_disk: bool, memory_limit: int | None = None) -> None:
        self._chunks: list[list[pa.Array]] = [[] for _ in range(width)]
        self._schema = pa.schema([pa.field(str(number), pa.string()) for number in range(width)])
        self._on_disk, self._memory_limit, self._size = on_disk, memory_limit, 0
        self._file: IO[bytes] | None = None
        self._writer: pa.RecordBatchFileWriter | None = None

    def __enter__(self) -> Self:
        if self._on_disk:
            self._move_to_disk()
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, columns: Sequence[Sequence[pa.Array]]) -> None:
        """Neighbouring rows: each column in chunks. Raises :class:`OSError` where the disk has no space for them."""
        if self._writer is not None:
            self._write_to_disk(columns)
            return
        for kept, chunks in zip(self._chunks, columns, strict=True):
            kept.extend(chunks)
        if self._memory_limit is not None:
            self._size += sum(chunk.nbytes for chunks in columns for chunk in chunks)
            if self._size > self._memory_limit:
                self._move_to_disk()

    def finish(self) -> tuple[list[pa.ChunkedArray], MappedFile | None]:
        """Every column, and the file on which they lie. Raises :class:`OSError` likewise."""
        if self._writer is None or self._file is None:
            return [pa.chunked_array(chunks, pa.string()) for chunks in self._chunks], None
        self._writer.close()
        pages = MappedFile.from_file(self._file)
        return pa.ipc.open_file(pa.BufferReader(pa.py_buffer(pages))).read_all().columns, pages

    def _move_to_disk(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  it stays open until all rows are there
        self._writer = pa.ipc.new_file(self._file, self._schema)
        if any(self._chunks):
            self._write_to_disk(self._chunks)
        self._chunks = []

    def _write_to_disk(self, columns: Sequence[Sequence[pa.Array]]) -> None:
        if self._writer is not None:
            arrays = [pa.chunked_array(chunks, pa.string()) for chunks in columns]
            self._writer.write_table(pa.table(arrays, schema=self._schema))
