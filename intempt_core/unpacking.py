"""What is packed is unpacked within bounds: a small file cannot ask for all the memory there is.

Part of the room of ``tables.py``.
"""

import gzip
import io
import tempfile
import zlib
from typing import Protocol

from intempt_core.errors import ReadError
from intempt_core.paged import LARGE, Paged, Raw

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


def gunzipped(packed: Raw, name: str, large: int = LARGE) -> Raw:
    """What a gzip file holds; ``large`` bytes or more of it lie on disk.

    Raises :class:`ReadError` where the file is cut, broken or too large, or the disk has no room for what it holds.
    """
    stream = io.BytesIO(packed) if isinstance(packed, bytes) else packed
    bounded = Bounded(gzip.GzipFile(fileobj=stream), len(packed), name)
    with tempfile.SpooledTemporaryFile(max_size=large) as unpacked:
        while piece := _piece(bounded, name):
            try:
                unpacked.write(piece)
            except OSError as error:
                raise ReadError(
                    f"{name} is compressed, and there is no room for what it holds ({error.strerror}). Free some space"
                    " on the disk, then take it again."
                ) from error
        if bounded.size >= large:
            return Paged.over(unpacked)
        unpacked.seek(0)
        return unpacked.read()


def _piece(bounded: Bounded, name: str) -> bytes:
    try:
        return bounded.read(_PIECE)
    except (EOFError, OSError, zlib.error) as error:
        raise ReadError(
            f"{name} is compressed and cannot be unpacked: it was cut, or is broken"
            f" ({str(error).strip('.') or 'no reason given'}). Of a part nobody knows what is missing: see that all of"
            " it was copied, then take it again."
        ) from error
