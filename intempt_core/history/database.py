"""A connection to the history database: it is opened, migrated and locked here, and its errors become sentences.

It is a file of SQLite, or a database of a PostgreSQL server that any number of processes share. Before an existing file
is migrated it is copied, and what it holds is remembered beside it, so that an empty file in its place is noticed.

Every part of history reads and writes through a :class:`Database`. SQLite's journal is in WAL mode, so that screens
read while dispatch writes, and ``synchronous=FULL``, so that what is committed survives a power cut and not only the
end of the process. Group commit makes that affordable: 0.3 ms a commit where it was measured.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Engine, create_engine, exc, inspect, make_url, text

from intempt_core.contract import dump_json, now_ms
from intempt_core.errors import HistoryConflict, HistoryUnavailable
from intempt_core.history.dialects.errors import find_trouble
from intempt_core.history.dialects.lock_timeout import WRITE_OPTION, LockTimeout
from intempt_core.history.dialects.postgresql_server import (
    ask_time,
    configure_postgresql,
    describe_address,
    describe_state,
    find_state,
    find_unfit,
    make_connect_arguments,
)
from intempt_core.history.dialects.server_clock import ServerClock
from intempt_core.history.dialects.sqlite_bulk import get_sqlite_driver
from intempt_core.history.dialects.sqlite_file import (
    BUSY_TIMEOUT_KEY,
    NOWAIT_OPTION,
    configure_sqlite,
    describe_os_error,
    describe_sqlite_error,
    is_damage,
)
from intempt_core.history.migrations import HEAD, create, upgrade, version
from intempt_core.history.schema import metadata
from intempt_core.history.transfer.moved_marker import check_not_moved
from intempt_core.history.upkeep.backups import back_up_file, list_backups
from intempt_core.history.upkeep.content_memory import ContentMemory
from intempt_core.history.upkeep.observer import HistoryObserver
from intempt_core.logs import write_log

T = TypeVar("T")

IDS_PER_STATEMENT = 500
"""Most ids in one statement: databases bound its parameters."""

_LOG = logging.getLogger(__name__)


class Database:
    """An open database, shared by all parts of history and all threads of a process.

    Attributes:
        engine: SQLAlchemy's connection pool.
        file: the SQLite database; ``None`` where it is a server.
        clock: the time now, in epoch ms: a server's own, this machine's beside a file; a test may replace it.
        lock_timeout: how long writes wait for SQLite's lock.
        memory: what the file holds, remembered beside it; ``None`` where it is a server.
        write_trouble: why the last write failed, as a sentence; empty where it succeeded.
        damage: what is wrong with the file, as sentences; empty while it is not known to be damaged.
        observer: who is told of every transaction, attempt and recording; ``None`` where nobody is.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Callable[[], int] | None,
        lock_timeout: LockTimeout,
        traces: Iterable[Path] = (),
    ) -> None:
        self.engine = engine
        self._writer = engine.execution_options(**{WRITE_OPTION: True})
        self._nowait_writer = engine.execution_options(**{WRITE_OPTION: True, NOWAIT_OPTION: True})
        self._reader, self._snapshot_writer = engine, self._writer
        if engine.dialect.name == "postgresql":  # there each statement of a transaction sees what others wrote by then
            self._reader = engine.execution_options(isolation_level="REPEATABLE READ")
            self._snapshot_writer = self._writer.execution_options(isolation_level="REPEATABLE READ")
        self.clock = clock or now_ms
        self._server_clock: ServerClock | None = None
        self.file = Path(engine.url.database or "") if engine.dialect.name == "sqlite" else None
        self._inode: tuple[int, int] | None = None
        self._reopen_lock = threading.Lock()
        self.lock_timeout = lock_timeout
        self._kept_writer: Connection | None = None
        self._kept_file: tuple[int, int] | None = None  # of the connection above
        self._write_lock = threading.Lock()  # between threads: SQLite itself would sleep and try again
        self.memory = ContentMemory(self.file, traces) if self.file is not None and self.file.name else None
        self.write_trouble = ""
        self.damage = ""
        self.observer: HistoryObserver | None = None

    @classmethod
    def open(
        cls,
        url: str,
        *,
        clock: Callable[[], int] | None = None,
        busy_seconds: float = 5.0,
        traces: Iterable[Path] = (),
    ) -> Self:
        """Open the database at an SQLAlchemy URL, made and migrated where needed.

        ``clock``: the time now, in epoch ms; by default a server's own, so that all machines that share it agree.
        ``busy_seconds``: how long to wait for a lock that another process holds before :class:`HistoryUnavailable`.
        ``traces``: files that are only there where a history was too: a new one beside them is noticed.
        """
        try:
            engine = create_engine(
                url,
                hide_parameters=True,
                json_serializer=lambda value: dump_json(value).decode(),
                pool_use_lifo=True,  # the connection with the warm page cache first
                connect_args=_make_connect_arguments(url),
            )
        except (exc.ArgumentError, exc.NoSuchModuleError, ImportError) as error:
            raise HistoryUnavailable(f"No history can be opened with this URL: {error}") from None
        lock_timeout = LockTimeout(busy_seconds)
        if engine.dialect.name == "sqlite":
            configure_sqlite(engine, lock_timeout)
        else:
            configure_postgresql(engine, lock_timeout)
        opened = cls(engine, clock=clock, lock_timeout=lock_timeout, traces=traces)
        try:
            if opened.file is None:
                opened._check_server(is_clock_given=clock is not None)
            opened._create_or_migrate()
        except BaseException:
            opened.close()
            raise
        return opened

    def close(self) -> None:
        """Close every connection."""
        self._close_kept_writer()
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads: it sees the database as it is at one moment."""
        with self._observe("read"), self._translate_errors():
            self._check_file()
            with self._reader.begin() as connection:
                yield connection

    @property
    def supports_nowait(self) -> bool:
        """Whether :meth:`writing` can raise instead of waiting; a database server is always waited for."""
        return self.file is not None

    @contextmanager
    def writing(self, *, nowait: bool = False, at_one_moment: bool = False) -> Iterator[Connection]:
        """Open a transaction that writes: all of it is kept, or nothing. With SQLite no other one writes meanwhile.

        With PostgreSQL others do: each statement sees what is committed by then, or with ``at_one_moment`` what was
        when the first one began. Where it meets one of them it raises :class:`HistoryConflict`, and may be repeated
        (:func:`~intempt_core.history.dialects.conflicts.retry_conflicts`). With ``nowait``, which only SQLite knows, it
        raises :class:`HistoryUnavailable` at once while another connection is writing.
        """
        writer = self._snapshot_writer if at_one_moment else self._writer
        try:
            with self._observe("write", nowait=nowait), self._translate_errors(), self._hold_write_lock(nowait=nowait):
                self._check_file()
                if self._server_clock is not None:
                    self._server_clock.measure_if_due()
                with self._begin_nowait() if nowait else writer.begin() as connection:
                    yield connection
        except HistoryUnavailable as error:
            if not nowait and not isinstance(error, HistoryConflict):  # these are tried again
                self.write_trouble = str(error)
            raise
        self.write_trouble = ""

    @contextmanager
    def _observe(self, kind: str, *, nowait: bool = False) -> Iterator[None]:
        """Tell the observer how long a transaction took, and whether the database failed in it."""
        if self.observer is None:
            yield
            return
        began, failed = time.perf_counter(), False
        try:
            yield
        except HistoryUnavailable:
            failed = True
            raise
        finally:
            if not (failed and nowait):  # who does not wait tries again
                self.observer.note_transaction(kind, time.perf_counter() - began, failed=failed)

    @contextmanager
    def _begin_nowait(self) -> Iterator[Connection]:
        """Begin to write with the connection that is kept for it: dispatch does, hundreds of times a second."""
        if self._kept_writer is not None and self._kept_file != self._inode:
            self._kept_writer.invalidate()  # it writes to a file that another one has replaced
            self._close_kept_writer()
        if self._kept_writer is None:
            self._kept_writer, self._kept_file = self._nowait_writer.connect(), self._inode
        kept = self._kept_writer
        try:
            with kept.begin():
                yield kept
        except BaseException:
            self._close_kept_writer()  # the pool resets it
            raise

    def _close_kept_writer(self) -> None:
        """Give the connection back that is kept for writing; the caller has the lock to write, or is the last one."""
        kept, self._kept_writer = self._kept_writer, None
        if kept is not None:
            kept.close()

    @property
    def is_being_written(self) -> bool:
        """Whether a thread of this process is writing now."""
        return self._write_lock.locked()

    def note_damage(self) -> None:
        """Remember that the file is damaged."""
        backups = list_backups(self.file) if self.file is not None else []
        newest = f" The newest backup is {backups[0]}." if backups else ""
        self.damage = (
            f"{self._name} is damaged: what is shown and recorded may be wrong or incomplete. Stop the console, then"
            f" put a copy in its place, or move it away to begin a new one.{newest}"
        )

    @contextmanager
    def maintaining(self) -> Iterator[Connection]:
        """Open a connection outside any transaction, for PRAGMAs that work on SQLite's file, while no thread writes."""
        with self._translate_errors(), self._hold_write_lock(nowait=False), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def watching(self) -> Iterator[Callable[[], int]]:
        """A function whose number changes whenever another connection has written to SQLite's file."""
        with self._translate_errors(), closing(self.engine.raw_connection()) as connection:
            driver = get_sqlite_driver(connection)

            def read_version() -> int:
                (version,) = driver.execute("PRAGMA data_version").fetchone()
                return int(version)

            yield read_version

    def is_locked(self) -> bool:
        """Whether another thread or process holds the lock to write right now; takes some microseconds."""
        if self.file is None or self._write_lock.locked():
            return self.file is not None
        with self._translate_errors(), closing(self.engine.raw_connection()) as connection:
            driver = get_sqlite_driver(connection)
            if connection.info.get(BUSY_TIMEOUT_KEY) != 0:
                driver.execute("PRAGMA busy_timeout=0")
                connection.info[BUSY_TIMEOUT_KEY] = 0
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname.startswith("SQLITE_BUSY"):
                    return True
                raise
            driver.execute("ROLLBACK")
            return False

    @contextmanager
    def _hold_write_lock(self, *, nowait: bool) -> Iterator[None]:
        if self.file is None:  # a server lets many write at once
            yield
            return
        if not self._write_lock.acquire(timeout=0 if nowait else self.lock_timeout.turn_seconds):
            raise HistoryUnavailable(f"{self._name} is busy: another part of this program is writing for too long.")
        try:
            yield
        finally:
            self._write_lock.release()

    def _check_server(self, *, is_clock_given: bool) -> None:
        """See that a server can hold history, and go by its clock."""
        with self._translate_errors():
            if trouble := find_unfit(self.engine):
                raise HistoryUnavailable(f"{self._name} {trouble}")
            if not is_clock_given:
                self.clock = self._server_clock = ServerClock(lambda: ask_time(self.engine))

    def _create_or_migrate(self) -> None:
        """Create the database where there is none, and migrate it to the newest version."""
        with self._translate_errors():
            if self.file is not None:
                if self.file.name:
                    check_not_moved(self.file)
                try:
                    self.file.parent.mkdir(parents=True, exist_ok=True)
                except OSError as error:
                    raise HistoryUnavailable(
                        f"The folder {self.file.parent} cannot be made: {error.strerror}. Set CONSOLE_DATA to a folder"
                        " that this user may write."
                    ) from None
            with self.engine.begin() as connection:
                found = version(connection)
            if found != HEAD:
                with self._writer.begin() as connection:
                    if self.file is None:  # PostgreSQL lets two processes begin to migrate at once
                        connection.execute(text("SELECT pg_advisory_xact_lock(1953653091)"))
                    self._migrate(connection)
            self._inode, self.damage = self._file_identity(), ""
            self._remember_content()

    def _remember_content(self) -> None:
        if self.memory is not None:
            with self.engine.begin() as connection:
                newest = connection.execute(text("SELECT max(number) FROM batches")).scalar()
            self.memory.remember(newest or 0, self.clock())

    def _notice_loss(self) -> None:
        """Say it where a new history is begun in the place of another one."""
        if self.memory is not None and self.memory.notice_new_file(self.clock()):
            write_log(_LOG, "history was gone or empty; a new one is begun", level=logging.WARNING, file=str(self.file))

    def _migrate(self, connection: Connection) -> None:
        found = version(connection)  # again: another process may have migrated it meanwhile
        if found is not None and found > HEAD:
            raise HistoryUnavailable(
                f"{self._name} was written by a newer console (version {found}, this one knows {HEAD})."
                " Start the newer one."
            )
        if found is None and not inspect(connection).get_table_names():
            create(connection, metadata)
            self._notice_loss()
        elif found != HEAD:
            self._back_up(found or "0000")
            upgrade(connection)

    def _back_up(self, found: str) -> None:
        """Copy the file before it is migrated. The caller's transaction keeps others from writing meanwhile."""
        if self.file is None:
            return
        try:
            with self.translating_os_errors():
                backup = back_up_file(self.file, found)
        except (HistoryUnavailable, sqlite3.Error) as error:
            trouble = str(error) if isinstance(error, HistoryUnavailable) else self.describe_error(error)
            raise HistoryUnavailable(
                f"{trouble} It has to be copied before it is brought from version {found} to {HEAD}; nothing was"
                " changed."
            ) from None
        write_log(_LOG, "history was backed up before it is migrated", file=str(backup), version=found)

    @property
    def _name(self) -> str:
        return f"History ({self.file})" if self.file is not None else describe_address(self.engine.url)

    def _file_identity(self) -> tuple[int, int] | None:
        """The file's device and inode; ``None`` for a server."""
        if self.file is None:
            return None
        found = self.file.stat()
        return found.st_dev, found.st_ino

    def _check_file(self) -> None:
        """Raise where the file is gone: a deleted file takes writes while it is open, and they are lost with it."""
        try:
            found = self._file_identity()
        except OSError:
            raise HistoryUnavailable(f"{self._name} is gone. Put it back, or start the console again.") from None
        if found != self._inode:
            with self._reopen_lock:
                if found != self._inode:  # another file is in its place
                    self.engine.dispose()
                    self._create_or_migrate()

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except exc.TimeoutError:
            raise HistoryUnavailable(f"{self._name} is busy: no connection came free.") from None
        except Exception as error:
            trouble = find_trouble(error)
            if trouble is None:
                raise
            raise trouble(self.describe_error(getattr(error, "orig", error))) from None

    @contextmanager
    def translating_os_errors(self) -> Iterator[None]:
        """Raise :class:`HistoryUnavailable` for errors of the system beside the database."""
        try:
            yield
        except OSError as error:
            raise HistoryUnavailable(f"{self._name} {describe_os_error(error)}") from None

    def describe_error(self, error: BaseException | None) -> str:
        """An error of the database as a sentence; of damage it is remembered."""
        state = find_state(error)
        if error is not None and state is not None:
            return self._hide_password(f"{self._name} {describe_state(state, error)}")
        if is_damage(error) and not self.damage:
            self.note_damage()
            write_log(_LOG, "history is damaged", level=logging.ERROR, file=str(self.file), found=str(error))
        return f"{self._name} {describe_sqlite_error(error)}"

    def _hide_password(self, sentence: str) -> str:
        """A sentence without the password of the database's address, whatever the server or the driver said."""
        password = self.engine.url.password
        return sentence.replace(str(password), "***") if password else sentence


def iter_chunks(items: Iterable[T], size: int = IDS_PER_STATEMENT) -> Iterator[list[T]]:
    """The items in lists of ``size``; the last one may be shorter, and none is empty."""
    remaining = iter(items)
    return iter(lambda: list(islice(remaining, size)), [])


def _make_connect_arguments(url: str) -> dict[str, Any]:
    """The driver's arguments; none for SQLite. Any: SQLAlchemy's. Raises ``ArgumentError`` where it is no URL."""
    parsed = make_url(url)
    return make_connect_arguments(parsed) if parsed.get_backend_name() == "postgresql" else {}
