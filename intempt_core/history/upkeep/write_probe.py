"""A cheap look at whether history can be written now."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import text

from intempt_core.errors import HistoryUnavailable
from intempt_core.history.database import Database

PROBE_SECONDS = 3.0
"""How long what a probe has found stands: history is probed no more often."""

LOCK_SECONDS = 1.0
"""How long a probe waits for another program that is writing."""

PROBE_BYTES = 65_536
"""Bytes that a probe writes beside the database: a page alone may find space in the journal of a full disk."""

_PAUSE_SECONDS = 0.05
_LARGEST_VERSION = 2**31 - 1


class WriteProbe:
    """Writes a little, at most once in :data:`PROBE_SECONDS`, however often it is asked. Any thread may ask.

    ``clock`` gives seconds and never jumps.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database, self._clock = database, clock
        self._lock = threading.Lock()
        self._next = float("-inf")

    def check(self) -> str:
        """Why nothing can be written, as a sentence; empty where it can.

        Trouble of any other write counts too, until one succeeds. While another thread asks, what is known stands.
        """
        if self._lock.acquire(blocking=False):
            try:
                if self._clock() >= self._next:
                    self._probe()
                    self._next = self._clock() + PROBE_SECONDS
            finally:
                self._lock.release()
        return self._database.write_trouble

    def _probe(self) -> None:
        until = time.monotonic() + LOCK_SECONDS
        try:
            if self._database.file is not None:
                with self._database.translating_os_errors():
                    _write_beside(self._database.file)
            while trouble := self._write():
                if self._database.is_being_written:
                    return  # by this process; that says itself what comes of it
                if time.monotonic() >= until:
                    self._database.write_trouble = trouble
                    return
                time.sleep(_PAUSE_SECONDS)
        except HistoryUnavailable as error:
            self._database.write_trouble = str(error)

    def _write(self) -> str:
        """Write a little in the database; what keeps it from that, as a sentence, or nothing."""
        try:
            with self._database.writing(nowait=self._database.supports_nowait) as connection:
                if self._database.file is None:
                    connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
                else:  # a number that SQLite keeps for its users, and nothing else of ours uses
                    found = int(connection.execute(text("PRAGMA user_version")).scalar_one())
                    connection.execute(text(f"PRAGMA user_version = {found % _LARGEST_VERSION + 1}"))
        except HistoryUnavailable as error:
            return str(error)
        return ""


def _write_beside(file: Path) -> None:
    """Write a file beside the database and remove it. Raises ``OSError``."""
    probe = file.with_name(file.name + ".probe")
    try:
        descriptor = os.open(probe, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        try:
            remaining = PROBE_BYTES
            while remaining:  # the last bytes of a disk take a part only; the next write says that it is full
                remaining -= os.write(descriptor, bytes(remaining))
        finally:
            os.close(descriptor)
    finally:
        with suppress(OSError):
            probe.unlink()
