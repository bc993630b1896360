"""One database: opened, migrated, and its troubles put into sentences.

Journal in WAL, so that screens read while dispatch writes; ``synchronous=FULL``, so that what is committed outlives the
machine's power and not only the process. Group commit makes that affordable: 0.3 ms a commit where it was measured.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, Engine, create_engine, event, exc, text

from intempt_core.contract import dump_json, now_ms
from intempt_core.errors import HistoryUnavailable
from intempt_core.history.migrations import HEAD, upgrade, version
from intempt_core.history.sqlite_bulk import get_sqlite_driver

WRITE_OPTION = "history_writes"
"""Execution option of connections that begin by taking SQLite's write lock: asked for late, it may be refused."""

NOWAIT_OPTION = "history_at_once"
"""Execution option of those among them that would rather fail than wait for the lock."""

BUSY_TIMEOUT_KEY = "busy_timeout"
"""What a connection to SQLite was told last of how long to wait for a lock, in ms."""

CACHE_KB = 32_768
"""Page cache of one SQLite connection, at the most: the indexes of a large batch grow in random places."""

SHORTENED_WAIT_SECONDS = 0.5
"""How long a history waits for any lock while its process ends."""

WRITE_TURN_SECONDS = 10.0
"""How long a thread waits, beyond the lock's own time, while others of its process write."""

_ERROR_MESSAGES = {
    "SQLITE_BUSY": "is locked by another program. Close the program that holds it; work goes on when it lets go.",
    "SQLITE_LOCKED": "is locked by another program. Close the program that holds it; work goes on when it lets go.",
    "SQLITE_FULL": "cannot grow: the disk is full. Free some space; work goes on when there is room.",
    "SQLITE_READONLY": "is read-only. Give this user the right to write the file and its folder.",
    "SQLITE_PERM": "may not be opened by this user. Give this user the right to write the file and its folder.",
    "SQLITE_CANTOPEN": "cannot be opened. See that its folder exists and that this user may write there.",
    "SQLITE_CORRUPT": "is damaged. Put a copy in its place, or move it away to begin a new one.",
    "SQLITE_NOTADB": "is not a database. Move the file away to begin a new one.",
    "SQLITE_IOERR": "cannot be read or written: the disk reports an error.",
}


class LockTimeout:
    """How long a history waits for a lock that somebody else holds, in s; SQLite's only.

    ``shortened`` while its process ends: whoever holds the lock must not hold up the end as well.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.shortened = False

    @property
    def busy_ms(self) -> int:
        """Of another process."""
        return int(1000 * (min(self._seconds, SHORTENED_WAIT_SECONDS) if self.shortened else self._seconds))

    @property
    def turn_seconds(self) -> float:
        """Of another thread."""
        return SHORTENED_WAIT_SECONDS if self.shortened else self._seconds + WRITE_TURN_SECONDS


class Database:
    """An open database."""

    def __init__(self, engine: Engine, *, clock: Callable[[], int], lock_timeout: "LockTimeout") -> None:
        self._engine = engine
        self._writer = engine.execution_options(**{WRITE_OPTION: True})
        self._nowait_writer = engine.execution_options(**{WRITE_OPTION: True, NOWAIT_OPTION: True})
        self._clock = clock
        self._file = Path(engine.url.database or "") if engine.dialect.name == "sqlite" else None
        self._inode: tuple[int, int] | None = None
        self._reopen_lock = threading.Lock()
        self.lock_timeout = lock_timeout
        self._write_lock = threading.Lock()  # between threads of this process: SQLite itself would sleep and look again

    @classmethod
    def open(cls, url: str, *, clock: Callable[[], int] = now_ms, busy_seconds: float = 5.0) -> Self:
        """Open the database at an SQLAlchemy URL, made and migrated where needed.

        ``busy_seconds``: how long to wait for a lock that another process holds before :class:`HistoryUnavailable`.
        """
        try:
            engine = create_engine(
                url,
                hide_parameters=True,
                json_serializer=lambda value: dump_json(value).decode(),
                pool_use_lifo=True,  # the connection with the warm page cache first
            )
        except (exc.ArgumentError, exc.NoSuchModuleError, ImportError) as error:
            raise HistoryUnavailable(f"No history can be opened with this URL: {error}") from None
        patience = LockTimeout(busy_seconds)
        if engine.dialect.name == "sqlite":
            _configure_sqlite(engine, patience)
        opened = cls(engine, clock=clock, lock_timeout=patience)
        try:
            opened._create_or_migrate()
        except BaseException:
            opened.close()
            raise
        return opened

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    # ── for the rooms of this package ────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A transaction that only reads: one moment of the database."""
        with self._translate_errors():
            self._check_file()
            with self._engine.begin() as connection:
                yield connection

    @property
    def supports_nowait(self) -> bool:
        """Whether a write may be asked for that waits for nobody; a server is always waited for."""
        return self._file is not None

    @contextmanager
    def _writing(self, *, nowait: bool = False) -> Iterator[Connection]:
        """A transaction that writes: nobody else writes meanwhile (SQLite), all of it is kept or nothing.

        ``nowait``: where somebody else is writing it raises instead of waiting.
        """
        with self._translate_errors(), self._hold_write_lock(nowait=nowait):
            self._check_file()
            with (self._nowait_writer if nowait else self._writer).begin() as connection:
                yield connection

    @contextmanager
    def _hold_write_lock(self, *, nowait: bool) -> Iterator[None]:
        if self._file is None:  # a server lets many write at once
            yield
            return
        if not self._write_lock.acquire(timeout=0 if nowait else self.lock_timeout.turn_seconds):
            raise HistoryUnavailable(f"{self._name} is busy: another part of this program writes for too long.")
        try:
            yield
        finally:
            self._write_lock.release()

    def _create_or_migrate(self) -> None:
        """Make the database where there is none, and bring it to the newest version."""
        with self._translate_errors():
            if self._file is not None:
                try:
                    self._file.parent.mkdir(parents=True, exist_ok=True)
                except OSError as error:
                    raise HistoryUnavailable(
                        f"The folder {self._file.parent} cannot be made: {error.strerror}."
                    ) from None
            with self._engine.begin() as connection:
                found = version(connection)
            if found != HEAD:
                with self._writer.begin() as connection:
                    if self._file is None:  # PostgreSQL lets two processes begin to migrate at once
                        connection.execute(text("SELECT pg_advisory_xact_lock(1953653091)"))
                    self._migrate(connection)
            self._inode = self._file_identity()

    def _migrate(self, connection: Connection) -> None:
        found = version(connection)  # once more: another process may have been quicker
        if found is not None and found > HEAD:
            raise HistoryUnavailable(
                f"{self._name} was written by a newer console (version {found}, this one knows {HEAD})."
                " Start the newer one."
            )
        if found != HEAD:
            upgrade(connection)

    @property
    def _name(self) -> str:
        return f"History ({self._file})" if self._file is not None else "History"

    def _file_identity(self) -> tuple[int, int] | None:
        """Which file this is; ``None`` for a server."""
        if self._file is None:
            return None
        found = self._file.stat()
        return found.st_dev, found.st_ino

    def _check_file(self) -> None:
        """A deleted file would take writes for as long as it is open, and nobody would ever read them."""
        try:
            found = self._file_identity()
        except OSError:
            raise HistoryUnavailable(f"{self._name} is gone. Put it back, or start the console again.") from None
        if found != self._inode:
            with self._reopen_lock:
                if found != self._inode:  # another file came in its place
                    self._engine.dispose()
                    self._create_or_migrate()

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except (exc.IntegrityError, exc.ProgrammingError, exc.DataError, exc.NotSupportedError):
            raise  # ours to mend, not the machine's
        except exc.DBAPIError as error:
            raise HistoryUnavailable(self._error_message(error.orig)) from None
        except sqlite3.OperationalError as error:
            raise HistoryUnavailable(self._error_message(error)) from None
        except sqlite3.DatabaseError as error:
            if isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError)):
                raise
            raise HistoryUnavailable(self._error_message(error)) from None
        except exc.TimeoutError:
            raise HistoryUnavailable(f"{self._name} is busy: no connection came free.") from None

    def _error_message(self, error: BaseException | None) -> str:
        name = getattr(error, "sqlite_errorname", "")
        for code, words in _ERROR_MESSAGES.items():
            if name.startswith(code):
                return f"{self._name} {words}"
        return f"{self._name} cannot be used: {error}."


def _configure_sqlite(engine: Engine, lock_timeout: LockTimeout) -> None:
    """SQLite as the console needs it; transactions begin where SQLAlchemy says, not where the driver guesses."""

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "auto_vacuum=INCREMENTAL",  # counts for a database that is being made; must come before its journal's mode
            f"busy_timeout={lock_timeout.busy_ms}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"cache_size=-{CACHE_KB}",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options, driver = connection.get_execution_options(), get_sqlite_driver(connection)
        wanted = 0 if options.get(NOWAIT_OPTION) else lock_timeout.busy_ms
        if connection.info.get(BUSY_TIMEOUT_KEY) != wanted:  # a driver's connection keeps what it was told last
            driver.execute(f"PRAGMA busy_timeout={wanted}")
            connection.info[BUSY_TIMEOUT_KEY] = wanted
        driver.execute("BEGIN IMMEDIATE" if options.get(WRITE_OPTION) else "BEGIN")
