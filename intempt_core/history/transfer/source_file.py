"""The SQLite file that a history is moved from: only read, and written by no process meanwhile."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from intempt_core.errors import HistoryUnavailable, ReadError
from intempt_core.history.database import Database
from intempt_core.history.migrations import HEAD
from intempt_core.history.transfer.copy_lines import prepare_source

WAIT_SECONDS = 5.0
"""How long a process that is writing is waited for."""


@contextmanager
def open_source(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads a history's file as it is at this moment, while no process can write it.

    A file of an earlier version is copied and the copy is migrated; the file itself stays as it is. Raises
    :class:`~intempt_core.errors.ReadError` where it is no history, and
    :class:`~intempt_core.errors.HistoryUnavailable` where it cannot be read now.
    """
    if not file.is_file():
        raise ReadError(f"There is no history at {file}. Name the file history.sqlite3 of a data folder.")
    try:
        # The one that could write is closed first: the last one to close would otherwise write the journal back.
        with closing(_connect(file, "ro")) as reader, closing(_connect(file, "rw")) as lock:
            _keep_others_from_writing(lock)
            version = _read_version(reader, file)
            if version == HEAD:
                yield _begin(reader)
            else:
                with _migrated_copy(reader, file) as copy:
                    yield _begin(copy)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname.startswith("SQLITE_BUSY"):
            raise HistoryUnavailable(
                f"{file} is being written by another program. Stop the consoles and commands that use it."
            ) from None
        raise ReadError(f"{file} cannot be read: {error}.") from None
    except sqlite3.DatabaseError as error:
        raise ReadError(f"{file} cannot be read: {error}. Move a copy that is whole.") from None


def count_rows(connection: sqlite3.Connection, table: str) -> int:
    """How many rows a table has."""
    (rows,) = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()  # noqa: S608  of our own schema
    return int(rows)


def count_unfinished(connection: sqlite3.Connection) -> int:
    """How many batches are not over: what is left of them could be sent from both databases."""
    (batches,) = connection.execute(
        "SELECT count(*) FROM batches WHERE state IN ('sending', 'paused', 'stopped')"
    ).fetchone()
    return int(batches)


def _connect(file: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{file.absolute().as_uri()}?mode={mode}", uri=True, timeout=WAIT_SECONDS, isolation_level=None
    )


def _begin(connection: sqlite3.Connection) -> sqlite3.Connection:
    prepare_source(connection)
    connection.execute("BEGIN")
    return connection


def _keep_others_from_writing(lock: sqlite3.Connection) -> None:
    try:
        lock.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if not error.sqlite_errorname.startswith("SQLITE_READONLY"):  # such a file is written by nobody
            raise


def _read_version(connection: sqlite3.Connection, file: Path) -> str:
    try:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname != "SQLITE_ERROR":
            raise
        found = None
    if found is None:
        raise ReadError(
            f"{file} is an SQLite database, but no history. Name the file history.sqlite3 of a data folder."
        )
    if found[0] > HEAD:
        raise ReadError(
            f"{file} was written by a newer console (version {found[0]}, this one knows {HEAD}). Move it with the newer"
            " one."
        )
    return str(found[0])


@contextmanager
def _migrated_copy(source: sqlite3.Connection, file: Path) -> Iterator[sqlite3.Connection]:
    """A copy of a history of an earlier version, brought to the newest, in a folder beside it that is then removed."""
    with tempfile.TemporaryDirectory(prefix="move-", dir=file.parent) as folder:
        copied = Path(folder) / file.name
        with closing(sqlite3.connect(copied)) as copy:
            source.backup(copy)
        Database.open(f"sqlite:///{copied}").close()
        with closing(_connect(copied, "ro")) as copy:
            yield copy
