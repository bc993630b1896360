"""Moving a whole history from an SQLite file into an empty PostgreSQL database: all of it, or nothing.

Everything happens in one transaction of the database that is moved to: every table is copied, read back and compared
by the SHA-256 of its lines. Whatever fails or interrupts it leaves that database as empty as it was; to try again is to
begin again. The file is only read.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Table

from intempt_core.contract import format_count
from intempt_core.errors import HistoryUnavailable, SettingsError
from intempt_core.history.database import Database
from intempt_core.history.schema import metadata
from intempt_core.history.transfer.copy_lines import iter_line_blocks
from intempt_core.history.transfer.document_source import DOCUMENT_TABLES, gather_documents
from intempt_core.history.transfer.moved_marker import MoveNote, write_move_note
from intempt_core.history.transfer.source_file import count_rows, count_unfinished, open_source
from intempt_core.history.transfer.target_tables import TargetTables
from intempt_core.settings import hide_password

if TYPE_CHECKING:
    import psycopg

RUNTIME_TABLES = frozenset(("workers", "unable_workers", "target_turns", "target_places", "upload_tokens", "uploads"))
"""Tables that say what processes and tabs do now, and are not moved: those of the other database are others."""


class MoveStage(StrEnum):
    """What a move is doing."""

    COUNTING = "counting"
    COPYING = "copying"
    INDEXING = "making indexes"
    COMPARING = "comparing"


@dataclass(frozen=True, slots=True)
class MoveProgress:
    """How far a move is.

    Attributes:
        stage: What it is doing.
        table: The table that it is at; empty where it is at none.
        done: How many rows, or indexes, are done.
        total: Of how many; 0 where that is not known.
    """

    stage: MoveStage
    table: str = ""
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class MovedTable:
    """A table that was moved, and compared.

    Attributes:
        name: Its name.
        rows: How many rows it has, in both databases.
        digest: SHA-256 of its lines as ``COPY`` writes them in the order of its key, the same in both databases.
    """

    name: str
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class MoveReport:
    """What was moved.

    Attributes:
        to: The database, without user and password.
        tables: Every table.
        unfinished: How many batches are not over: the new database goes on with them.
        left_out: What people saved beside the file and cannot be read, a sentence each: it was not moved.
        is_noted: Whether a note beside the file keeps consoles from going on with it.
    """

    to: str
    tables: Sequence[MovedTable]
    unfinished: int
    left_out: Sequence[str] = ()
    is_noted: bool = True

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables)


def move_history(file: Path, url: str, *, on_progress: Callable[[MoveProgress], None] = lambda _: None) -> MoveReport:
    """Move a history from an SQLite file into an empty PostgreSQL database, and leave a note beside the file.

    What people saved beside the file goes along: mappings, the team's rules, checks of files and product catalogues.

    The caller sees to it that no process sends from the file: what is in flight there would be lost to both.

    Args:
        file: the history; one of an earlier version is copied first and the copy is migrated.
        url: the database, such as ``postgresql+psycopg://user:password@host/name``.
        on_progress: called again and again.

    Raises:
        ReadError: the file is no history.
        SettingsError: the URL is none of a PostgreSQL database.
        NotAllowed: the database is not empty, or in use.
        HistoryUnavailable: one of both cannot be used. Nothing was moved.
    """
    if not url.startswith("postgresql+psycopg://"):
        raise SettingsError(
            "A history is moved into a PostgreSQL database, postgresql+psycopg://user:password@host/name."
        )
    tables = [table for table in metadata.sorted_tables if table.name not in RUNTIME_TABLES]
    with open_source(file) as source, gather_documents(file.parent) as (documents, left_out):
        sources = {table.name: documents if table.name in DOCUMENT_TABLES else source for table in tables}
        with closing(Database.open(url)) as database:
            with database.writing() as connection:
                target = TargetTables(cast("psycopg.Connection[Any]", connection.connection.driver_connection), tables)
                moved = _move_tables(sources, target, tables, on_progress)
            is_noted = _leave_note(file, MoveNote(hide_password(url), database.clock()))
        return MoveReport(hide_password(url), moved, count_unfinished(source), left_out, is_noted)


def _leave_note(file: Path, note: MoveNote) -> bool:
    """Leave a note beside the file that was moved; whether that could be written, for everything else is done."""
    try:
        write_move_note(file, note)
    except OSError:
        return False
    return True


def _move_tables(
    sources: Mapping[str, sqlite3.Connection],
    target: TargetTables,
    tables: Sequence[Table],
    on_progress: Callable[[MoveProgress], None],
) -> list[MovedTable]:
    """Copy every table, read each back and compare; what differs raises :class:`HistoryUnavailable`."""
    target.lock()
    on_progress(MoveProgress(MoveStage.COUNTING))
    counts = {table.name: count_rows(sources[table.name], table.name) for table in tables}
    total, done = sum(counts.values()), 0
    target.drop_indexes()
    sent = {table.name: _LineDigest() for table in tables}
    for table in tables:
        for rows in target.fill(table, sent[table.name].pass_on(iter_line_blocks(sources[table.name], table))):
            on_progress(MoveProgress(MoveStage.COPYING, table.name, done + rows, total))
        done += counts[table.name]
    for made, of in target.restore_indexes():
        on_progress(MoveProgress(MoveStage.INDEXING, "", made, of))
    done = 0
    for table in tables:
        found = _LineDigest()
        for rows, _ in found.pass_on((lines.count(b"\n"), lines) for lines in target.read_back(table)):
            on_progress(MoveProgress(MoveStage.COMPARING, table.name, done + rows, total))
        _check_equal(table.name, counts[table.name], sent[table.name], found)
        done += found.rows
    target.set_sequences()
    target.analyze()
    return [MovedTable(name, digest.rows, digest.hex) for name, digest in sent.items()]


class _LineDigest:
    """The SHA-256 of a table's lines, and how many they are."""

    def __init__(self) -> None:
        self._sha256 = sha256()
        self.rows = 0

    @property
    def hex(self) -> str:
        """As hexadecimal digits."""
        return self._sha256.hexdigest()

    def pass_on(self, blocks: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        """The same blocks of lines, counted and added to the digest."""
        for rows, lines in blocks:
            self._sha256.update(lines)
            self.rows += rows
            yield rows, lines


def _check_equal(table: str, counted: int, sent: _LineDigest, found: _LineDigest) -> None:
    if (counted, sent.hex) != (found.rows, found.hex):
        raise HistoryUnavailable(
            f"{table} is not the same after it was copied: {format_count(counted, 'row')} with the digest"
            f" {sent.hex[:16]}… in the file, {format_count(found.rows, 'row')} with {found.hex[:16]}… in the database"
            " that is moved to. Nothing was moved."
        )
