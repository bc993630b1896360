"""The spool: a folder of uploaded files, streamed to disk and named by the SHA-256 of their bytes.

A file's own name is a label and never a path. A file that is still being written is a part file of its own, which is
removed when its writer fails, so that two uploads never meet and one that breaks off leaves nothing on the disk.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from intempt_core.errors import SpoolError, SpoolTooLarge

SPOOL_KEEP_SECONDS = 86_400
"""Seconds after which a file is removed that was not read."""

PART_KEEP_SECONDS = 600
"""Seconds after which a part file is removed that was not written to: its process has ended."""

RESERVED_DISK_BYTES = 64_000_000
"""Bytes of the disk that no upload takes: history writes there too."""

PART_SUFFIX = ".part"


@dataclass(frozen=True, slots=True)
class SpooledFile:
    """A file that arrived whole.

    Attributes:
        name: What it was called where it came from.
        digest: The SHA-256 of its bytes, in hex, by which it is found again.
        size: Its bytes.
    """

    name: str
    digest: str
    size: int


class IncomingFile:
    """A file that is being written."""

    def __init__(self, name: str, file: BinaryIO, max_bytes: int) -> None:
        self.name, self.size = name, 0
        self._file, self._max_bytes, self._digest = file, max_bytes, hashlib.sha256()

    def write(self, piece: bytes) -> None:
        """Write one more piece. Raises :class:`SpoolTooLarge`; and OSError, which :meth:`Spool.receive` translates."""
        self.size += len(piece)
        if self.size > self._max_bytes:
            raise build_too_large_error(self.name, self._max_bytes)
        self._digest.update(piece)
        self._file.write(piece)

    @property
    def spooled(self) -> SpooledFile:
        """The record of the file, once everything is written."""
        return SpooledFile(self.name, self._digest.hexdigest(), self.size)


class Spool:
    """A folder of uploaded files; ``max_bytes`` is the size of one file at the most."""

    def __init__(
        self,
        folder: Path,
        max_bytes: int,
        *,
        clock: Callable[[], float] = time.time,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self.folder, self.max_bytes = folder, max_bytes
        self._clock, self._free_bytes = clock, free_bytes

    @contextmanager
    def receive(self, name: str, size: int = 0) -> Iterator[IncomingFile]:
        """A file to write: kept where the block ends without an error, removed where it does not.

        ``size`` is what is announced, 0 where nothing is. Raises :class:`SpoolError` with a sentence.
        """
        if size > self.max_bytes:
            raise build_too_large_error(name, self.max_bytes)
        part = self.folder / f"{uuid4().hex}{PART_SUFFIX}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.sweep()
            if self._free_bytes(self.folder) < size + RESERVED_DISK_BYTES:
                raise SpoolError(
                    f"{name} does not fit into {self.folder}: the disk is almost full. Free some space there, then drop"
                    " the file again."
                )
            with part.open("xb") as file:
                incoming = IncomingFile(name, file, self.max_bytes)
                yield incoming
            part.replace(self.path(incoming.spooled.digest))
        except OSError as error:
            raise SpoolError(
                f"{name} could not be kept in {self.folder}: {error.strerror or error}. Free some space there, or see"
                " that the folder may be written, then drop the file again."
            ) from error
        finally:
            with suppress(OSError):  # what cannot be removed now is swept later
                part.unlink(missing_ok=True)

    def path(self, digest: str) -> Path:
        """The path of a file, if it is still there."""
        return self.folder / digest

    def touch(self, digest: str) -> bool:
        """Note that a file is read, so that it is kept, and say whether it is there."""
        with suppress(OSError):
            os.utime(self.path(digest), (self._clock(), self._clock()))
        return self.path(digest).is_file()

    def remove(self, digest: str) -> None:
        """Remove a file; who has it open reads on."""
        with suppress(OSError):  # what cannot be removed now is swept later
            self.path(digest).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove files that were not read for long, and part files whose process has ended."""
        for old in self.folder.iterdir() if self.folder.is_dir() else ():
            with suppress(OSError):  # another process may have removed it
                if self._clock() - old.stat().st_mtime > (
                    PART_KEEP_SECONDS if old.suffix == PART_SUFFIX else SPOOL_KEEP_SECONDS
                ):
                    old.unlink()


def build_too_large_error(name: str, max_bytes: int) -> SpoolTooLarge:
    """The error for a file that has more bytes than are taken."""
    return SpoolTooLarge(
        f"{name} has more than {max_bytes // 1_000_000:,} MB, the largest file that is taken. Cut it into several, or"
        " compress it: a .gz file is unpacked here."
    )
