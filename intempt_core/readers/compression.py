"""Gzip, unpacked within bounds: a small file cannot ask for all the memory there is."""

import gzip
import io
import tempfile
import zlib
from typing import Protocol

from intempt_core.errors import ReadError, TableTooLarge
from intempt_core.readers.limits import MAX_UNPACKED_BYTES, MEMORY_LIMIT_BYTES
from intempt_core.readers.mapped_file import FileBytes, MappedFile, require_disk_space

SUSPICIOUS_BYTES, MAX_EXPANSION_RATIO = 100_000_000, 250
"""More bytes than this, from a file that grows more than so many times, are a bomb: no table repeats itself so."""

GZIP_MAGIC = b"\x1f\x8b"
_CHUNK_BYTES = 1_048_576


class _ByteSource(Protocol):
    def read(self, size: int, /) -> bytes: ...


class BoundedStream(io.RawIOBase):
    """A stream of unpacked bytes that raises :class:`ReadError` where it becomes too large for its packed size."""

    def __init__(self, stream: _ByteSource, packed: int, name: str, max_bytes: int = MAX_UNPACKED_BYTES) -> None:
        super().__init__()
        self._stream, self._packed, self._name, self._max_bytes = stream, packed, name, max_bytes
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        """Read as from any stream."""
        piece = self._stream.read(size if size >= 0 else _CHUNK_BYTES)
        self.size += len(piece)
        if self.size > self._max_bytes or (
            self.size > SUSPICIOUS_BYTES and self.size > MAX_EXPANSION_RATIO * self._packed
        ):
            raise TableTooLarge(
                f"{self._name} has {self._packed:,} bytes and becomes more than {self.size:,} when it is unpacked."
                f" Up to {self._max_bytes:,} are taken, and {MAX_EXPANSION_RATIO} times its size. Cut it into"
                " several files."
            )
        return piece


def unpack_gzip(
    packed: FileBytes, name: str, memory_limit: int = MEMORY_LIMIT_BYTES, max_bytes: int = MAX_UNPACKED_BYTES
) -> FileBytes:
    """The content of a gzip file, of up to ``max_bytes``; it lies on disk where it has ``memory_limit`` or more.

    Raises :class:`ReadError` where the file is cut or broken, or the disk has no space for its content, and
    :class:`TableTooLarge` where it is too large.
    """
    stream = io.BytesIO(packed) if isinstance(packed, bytes) else packed
    bounded = BoundedStream(gzip.GzipFile(fileobj=stream), len(packed), name, max_bytes)
    with tempfile.SpooledTemporaryFile(max_size=memory_limit) as unpacked:
        while piece := _read_chunk(bounded, name):
            try:
                if bounded.size >= memory_limit:
                    require_disk_space(unpacked, len(piece))
                unpacked.write(piece)
            except OSError as error:
                raise ReadError(
                    f"{name} is compressed, and the disk has no space for its content ({error.strerror}). Free some"
                    " space, then take it again."
                ) from error
        if bounded.size >= memory_limit:
            return MappedFile.from_file(unpacked)
        unpacked.seek(0)
        return unpacked.read()


def _read_chunk(bounded: BoundedStream, name: str) -> bytes:
    try:
        return bounded.read(_CHUNK_BYTES)
    except (EOFError, OSError, zlib.error) as error:
        raise ReadError(
            f"{name} is compressed and cannot be unpacked: it was cut, or is broken"
            f" ({str(error).strip('.') or 'no reason given'}). It is not known what is missing: see that all of it was"
            " copied, then take it again."
        ) from error
