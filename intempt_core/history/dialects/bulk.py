"""Bulk reads and writes of states: what there is for each database, and which one a connection takes."""

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, Table

from intempt_core.history.dialects import postgresql_bulk, sqlite_bulk


class BulkStatements(Protocol):
    """Reads and writes of many rows in one statement each, inside a transaction of the caller's."""

    def fetch_snapshot_rows(self, connection: Connection, ids: Sequence[int]) -> Sequence[Sequence[Any]]:
        """Rows of requests, with their batches' ids, owners and states, in the order of ``RequestSnapshot``.

        The requests, and the states of their batches, change no more until the transaction ends.
        """

    def update_requests(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write id, state, tries, doubt, retry_at, last_attempt and updated_at of requests."""

    def insert_attempts(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> list[int]:
        """Insert attempts, their values in the order of the table without the id; their ids, which count up."""

    def upsert_seconds(self, connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
        """Add to the counts of seconds, in the order of the table's columns."""

    def reserve_request_ids(self, connection: Connection, count: int) -> Sequence[int]:
        """Ids of requests that no other transaction gets, counting up."""

    def insert_columns(
        self, connection: Connection, table: Table, names: Sequence[str], columns: Sequence[Sequence[Any]]
    ) -> None:
        """Insert rows that are given as columns of one length; there may be none."""


def get_bulk_statements(connection: Connection) -> BulkStatements:
    """The statements for a connection's database."""
    return sqlite_bulk if connection.dialect.name == "sqlite" else postgresql_bulk
