"""Memory-mapped files for large inputs and tables, so that memory holds only the pages that are being read.

They are temporary files without a name: they are gone when the process ends, however it ends. No other program can
change or cut them, so that every page can always be read.
"""

import errno
import mmap
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Self, TypeAlias

from intempt_core.platforms import measure_free_bytes
from intempt_core.readers.limits import MEMORY_LIMIT_BYTES
from intempt_core.readers.open_file import OpenFile

RESERVED_DISK_BYTES = 64_000_000
"""Bytes of the disk that no table takes: history writes there too."""

_CHUNK_BYTES = 1 << 20


def require_disk_space(file: IO[bytes], size: int) -> None:
    """Raise :class:`OSError` where so many bytes more would leave too little space on the disk of a file."""
    if measure_free_bytes(file) < size + RESERVED_DISK_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


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
            require_disk_space(own, os.fstat(file.fileno()).st_size)
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

    def seekable(self) -> bool:
        """As of a file: an archive is read from it."""
        return True

    def release(self) -> None:
        """Hand back the memory of the pages that were read; they are read again when they are asked for."""
        if sys.platform != "win32":  # it takes the memory back by itself
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
