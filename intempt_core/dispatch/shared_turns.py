"""The turns of a target's rate limit, given out to all processes of a data folder.

A file says from when on turns are free. A process takes a short stretch of time from there, and sends in it at the
target's rate; the next one takes what follows. A process that is killed so leaves at most one stretch unused. The clock
counts from the machine's start, is the same in all processes and never goes back.
"""

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from intempt_core.platforms import (
    is_file_at,
    is_same_start,
    open_lock_file,
    read_boot_clock,
    read_boot_id,
    read_start,
    try_lock,
    unlock,
    write_start,
)

LOOK_AHEAD_SECONDS = 0.05
"""How long before a stretch begins it may be taken: who would have to wait longer asks again later."""

BUSY_RETRY_SECONDS = 0.005
"""After how long a file is tried again that another process is changing just now."""

_CONTENT = struct.Struct("<d36s")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which a process alone may send, or none.

    Attributes:
        start: when it begins, on the clock of :func:`~intempt_core.platforms.read_boot_clock`; where there are no
            turns, when to ask again.
        turns: how many requests may be sent in it.
    """

    start: float
    turns: int


class SharedTurns:
    """The turns of one target, in a file."""

    def __init__(self, path: Path, clock: Callable[[], float] = read_boot_clock) -> None:
        self._path, self.clock = path, clock
        self._boot_id = read_boot_id()
        self._descriptor = -1

    def take(self, step: float, turns: int, not_before: float) -> Stretch:
        """Take up to ``turns`` turns, ``step`` seconds apart, from ``not_before`` on. Raises ``OSError``."""
        with self._open_locked() as descriptor:
            now = self.clock()
            if descriptor < 0:
                return Stretch(now + BUSY_RETRY_SECONDS, 0)
            start = max(self._read_free_from(descriptor), not_before, now)
            if start - now > LOOK_AHEAD_SECONDS:
                return Stretch(start, 0)
            write_start(descriptor, _CONTENT.pack(start + turns * step, self._boot_id))
            return Stretch(start, turns)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _read_free_from(self, descriptor: int) -> float:
        """From when on turns are free; now where nothing is known, or was written before the machine was started."""
        content = read_start(descriptor, _CONTENT.size)
        if len(content) != _CONTENT.size:
            return 0.0
        free_from, boot_id = _CONTENT.unpack(content)
        return float(free_from) if is_same_start(boot_id, self._boot_id) else 0.0

    @contextmanager
    def _open_locked(self) -> Iterator[int]:
        """The file's descriptor, locked; -1 where another process has it for this moment."""
        self._open()
        try:
            is_ours = try_lock(self._descriptor)
        except PermissionError:  # how some network file systems say that another has it
            is_ours = False
        if not is_ours:
            yield -1
            return
        try:
            yield self._descriptor
        finally:
            unlock(self._descriptor)

    def _open(self) -> None:
        if self._descriptor >= 0:
            if is_file_at(self._path, self._descriptor):
                return
            self.close()  # it was removed: others use the new one
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = open_lock_file(self._path)
