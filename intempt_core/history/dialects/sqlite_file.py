"""Connections to SQLite's file: how they are set up, and what their errors mean."""

import errno
import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, event

from intempt_core.history.dialects.lock_timeout import WRITE_OPTION, LockTimeout
from intempt_core.history.dialects.sqlite_bulk import get_sqlite_driver

NOWAIT_OPTION = "history_nowait"
"""Execution option of those among them that fail instead of waiting for the lock."""

BUSY_TIMEOUT_KEY = "busy_timeout"
"""Key under which a connection remembers SQLite's current ``busy_timeout``, in ms."""

CACHE_KB = 32_768
"""Maximum page cache of one SQLite connection, in KiB: the indexes of a large batch grow in random places."""

CHECKPOINT_PAGES = 10_000
"""Pages of the journal from which on they are written back: a page that changes often is then written back once."""

_ERROR_MESSAGES = {
    "SQLITE_BUSY": "is locked by another program. Close the program that holds it; work goes on when it is released.",
    "SQLITE_LOCKED": "is locked by another program. Close the program that holds it; work goes on when it is released.",
    "SQLITE_FULL": "cannot grow: the disk is full. Free some space; work goes on when there is some.",
    "SQLITE_READONLY": "is read-only. Give this user the right to write the file and its folder.",
    "SQLITE_PERM": "may not be opened by this user. Give this user the right to write the file and its folder.",
    "SQLITE_CANTOPEN": "cannot be opened. See that its folder exists and that this user may write there.",
    "SQLITE_CORRUPT": "is damaged. Put a copy in its place, or move it away to begin a new one.",
    "SQLITE_NOTADB": "is not a database. Move the file away to begin a new one.",
    "SQLITE_IOERR": "cannot be read or written: the disk reports an error.",
}

_OS_ERROR_CODES = {
    errno.ENOSPC: "SQLITE_FULL",
    errno.EDQUOT: "SQLITE_FULL",
    errno.EROFS: "SQLITE_READONLY",
    errno.EACCES: "SQLITE_PERM",
    errno.EPERM: "SQLITE_PERM",
}
"""What SQLite calls an error of the system, by its number; another one is an error of the disk."""

_DAMAGE_CODES = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


def configure_sqlite(engine: Engine, lock_timeout: LockTimeout) -> None:
    """Set the PRAGMAs of every connection, and begin transactions where SQLAlchemy says, not the driver."""

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "auto_vacuum=INCREMENTAL",  # has an effect only while the database is created, and before its journal mode
            f"busy_timeout={lock_timeout.busy_ms}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"cache_size=-{CACHE_KB}",
            f"wal_autocheckpoint={CHECKPOINT_PAGES}",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options, driver = connection.get_execution_options(), get_sqlite_driver(connection)
        wanted = 0 if options.get(NOWAIT_OPTION) else lock_timeout.busy_ms
        if connection.info.get(BUSY_TIMEOUT_KEY) != wanted:
            driver.execute(f"PRAGMA busy_timeout={wanted}")
            connection.info[BUSY_TIMEOUT_KEY] = wanted
        driver.execute("BEGIN IMMEDIATE" if options.get(WRITE_OPTION) else "BEGIN")


def is_damage(error: BaseException | None) -> bool:
    """Whether an error says that the file is damaged."""
    return getattr(error, "sqlite_errorname", "").startswith(_DAMAGE_CODES)


def describe_sqlite_error(error: BaseException | None) -> str:
    """What an error means, as the rest of a sentence that begins with the file."""
    name = getattr(error, "sqlite_errorname", "")
    return next(
        (message for code, message in _ERROR_MESSAGES.items() if name.startswith(code)), f"cannot be used: {error}."
    )


def describe_os_error(error: OSError) -> str:
    """What an error of the system beside the file means, as the rest of a sentence."""
    return _ERROR_MESSAGES[_OS_ERROR_CODES.get(error.errno or 0, "SQLITE_IOERR")]
