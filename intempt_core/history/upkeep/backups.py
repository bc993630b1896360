"""Copies of history's file that are made before it is migrated, named by the version that they have."""

import os
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

BACKUPS_KEPT = 3
"""How many backups are kept: the newest ones."""

_FILE_MODE = 0o600


def back_up_file(file: Path, version: str) -> Path:
    """Copy an SQLite database as it is at this moment; returns the copy, which only its owner may read.

    It is complete or it is not there. Older copies are removed, but for the last few. Raises ``OSError`` and
    ``sqlite3.Error``.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    backup = file.with_name(f"{file.stem}.backup-{stamp}-v{version}{file.suffix}")
    unfinished = backup.with_name(backup.name + ".unfinished")
    try:
        copy_sqlite_file(file, unfinished)
        unfinished.rename(backup)
    finally:
        for suffix in ("", "-journal", "-wal", "-shm"):
            unfinished.with_name(unfinished.name + suffix).unlink(missing_ok=True)
    for old in list_backups(file)[BACKUPS_KEPT:]:
        with suppress(OSError):
            old.unlink()
    return backup


def copy_sqlite_file(file: Path, copy: Path) -> None:
    """Copy an SQLite database as it is at this moment, while others write it, into a new file of this user alone.

    Raises ``OSError`` and ``sqlite3.Error``.
    """
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _FILE_MODE))
    with (
        closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)  # all pages at once: in steps it would begin again whenever another process writes
        target.execute("PRAGMA journal_mode=DELETE").close()  # one file, with nothing beside it


def list_backups(file: Path) -> list[Path]:
    """The backups of a database, newest first."""
    return sorted(file.parent.glob(f"{file.stem}.backup-*-v*{file.suffix}"), reverse=True)
