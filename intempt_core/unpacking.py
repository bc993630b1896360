"""What is packed is unpacked within bounds: a small file cannot ask for all the memory there is.

Part of the room of ``tables.py``.
"""

import gzip
import io
import zlib
from typing import Protocol

from intempt_core.errors import ReadError

MOST_UNPACKED = 2_000_000_000
"""Bytes that one file may become."""

SUSPICIOUS, MOST_TIMES = 100_000_000, 250
"""More bytes than this, from a file that grows more than so many times, are a bomb: no table repeats itself so."""

GZIP = b"\x1f\x8b"
_PIECE = 1_048_576


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Bounded(io.RawIOBase):
    """A stream of unpacked bytes that raises :class:`ReadError` where it becomes too large for its packed size."""

    def __init__(self, stream: _Readable, packed: int, name: str) -> None:
        super().__init__()
        self._stream, self._packed, self._name = stream, packed, name
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        """As of any stream."""
        piece = self._stream.read(size if size >= 0 else _PIECE)
        self.size += len(piece)
        if self.size > MOST_UNPACKED or (self.size > SUSPICIOUS and self.size > MOST_TIMES * self._packed):
            raise ReadError(
                f"{self._name} has {self._packed:,} bytes and becomes more than {self.size:,} when it is unpacked."
                f" Up to {MOST_UNPACKED:,} are taken, and {MOST_TIMES} times its size. Cut it into several files."
            )
        return piece


def gunzipped(packed: bytes, name: str) -> bytes:
    """What a gzip file holds. Raises :class:`ReadError` where it is cut, broken, or too large."""
    unpacked = bytearray()
    bounded = Bounded(gzip.GzipFile(fileobj=io.BytesIO(packed)), len(packed), name)
    try:
        while piece := bounded.read(_PIECE):
            unpacked += piece
    except (EOFError, OSError, zlib.error) as error:
        raise ReadError(
            f"{name} is compressed and cannot be unpacked: it was cut, or is broken"
            f" ({str(error).strip('.') or 'no reason given'}). Of a part nobody knows what is missing: see that all of"
            " it was copied, then take it again."
        ) from error
    return bytes(unpacked)
