"""What a history holds at one moment: its form, how many rows its tables have, and that moment for another program."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import func, select, text

from intempt_core.history.database import Database
from intempt_core.history.migrations import version
from intempt_core.history.schema import attempts, batches, events, excluded_rows, journeys, requests, targets

_COUNTED = (batches, requests, attempts, events, excluded_rows, journeys, targets)


@dataclass(frozen=True, slots=True)
class HistorySnapshot:
    """A history at one moment.

    Attributes:
        schema: The version of its tables.
        rows: How many rows each of its largest tables has, by table.
        exported: The name by which another connection to PostgreSQL sees the same moment, while this one is held.
    """

    schema: str
    rows: Mapping[str, int]
    exported: str


@contextmanager
def hold_snapshot(database: Database) -> Iterator[HistorySnapshot]:
    """Read what a history holds, and hold that moment for as long as the block lasts."""
    with database.reading() as connection:
        exported = ""
        if database.file is None:
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            exported = str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one())
        rows = {
            table.name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
            for table in _COUNTED
        }
        yield HistorySnapshot(version(connection) or "", rows, exported)
