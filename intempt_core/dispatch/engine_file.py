"""The engine's SQLite file: one that is damaged is moved aside, since it holds nothing that is not in history."""

import logging
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from intempt_core.logs import write_log

DAMAGE_CODES = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
"""How SQLite names a file that is damaged, or no database at all."""

SIDE_SUFFIXES = ("", "-wal", "-shm", "-journal")
"""What SQLite appends to the name of a database for the files beside it; the first is the database."""

_LOG = logging.getLogger(__name__)


def is_damaged(file: Path) -> bool:
    """Whether an SQLite file is damaged, or no database; one that is absent, locked or may not be read is not."""
    if not file.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=0)) as opened:
            return bool(opened.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
    except sqlite3.DatabaseError as error:
        return getattr(error, "sqlite_errorname", "").startswith(DAMAGE_CODES)


def is_fault_of_content(error: BaseException | None) -> bool:
    """Whether an error of the engine comes of what its file holds: damage, or tables that are not the engine's."""
    while error is not None:
        found = getattr(error, "orig", None) or error  # SQLAlchemy's errors hold the driver's
        name = getattr(found, "sqlite_errorname", "")
        if name:
            return name.startswith(DAMAGE_CODES) or name == "SQLITE_ERROR"
        error = error.__cause__ or error.__context__
    return False


def move_aside(file: Path) -> str:
    """Move an engine file aside, with what lies beside it; what was done, as sentences. Raises ``OSError``."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    aside = file.with_name(f"{file.name}.damaged-{stamp}")
    file.rename(aside)
    for suffix in SIDE_SUFFIXES[1:]:
        with suppress(FileNotFoundError):
            file.with_name(file.name + suffix).rename(aside.with_name(aside.name + suffix))
    write_log(_LOG, "a damaged engine file was moved aside", level=logging.WARNING, file=str(file), moved_to=str(aside))
    return (
        f"The engine's file was damaged. It was moved to {aside}, and a new one was begun: batches that were being sent"
        " go on from history, as after a crash. Nothing is lost; the moved file may be deleted."
    )
