"""Bulk reads and writes of states for SQLite: many rows in one statement, and a statement in one step.

States are written twice for each request that is sent, often in a thread beside the one that sends. After every step
of a statement that thread has to win back the interpreter's lock; with a step for every row it would wait longer than
it works.
"""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import orjson
from sqlalchemy import Connection, PoolProxiedConnection, Table

MAX_INSERT_ROWS = 500
"""Most rows of one insert: SQLite takes 32,766 parameters."""

READ_SNAPSHOTS_SQL = """\
SELECT json_group_array(json_array(
    requests.id, requests.events, requests.batch, batches.id, batches.owner, batches.state, requests.state,
    requests.tries, requests.doubt, requests.retry_at, requests.last_attempt, requests.updated_at
))
FROM requests JOIN batches ON batches.number = requests.batch
WHERE requests.id IN (SELECT value FROM json_each(?))"""

UPDATE_REQUESTS_SQL = """\
UPDATE requests SET
    state = given.value ->> 1, tries = given.value ->> 2, doubt = given.value ->> 3, retry_at = given.value ->> 4,
    last_attempt = given.value ->> 5, updated_at = given.value ->> 6
FROM json_each(?) AS given WHERE requests.id = given.value ->> 0"""

UPSERT_SECONDS_SQL = """\
INSERT INTO seconds (batch, second, outcome, attempts, events, processed, ignored, repeated)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (batch, second, outcome) DO UPDATE SET
    attempts = attempts + excluded.attempts, events = events + excluded.events,
    processed = processed + excluded.processed, ignored = ignored + excluded.ignored,
    repeated = repeated + excluded.repeated"""

ATTEMPT_COLUMNS = """\
id, request, started_at, elapsed_ms, outcome, status, reason, headers, sent_headers, response_body,
response_length, response_truncated, processed, ignored, repeated"""


def get_sqlite_driver(connection: Connection | PoolProxiedConnection) -> sqlite3.Connection:
    """SQLite's own connection below SQLAlchemy's, for statements that run with every request that is sent."""
    pooled = connection.connection if isinstance(connection, Connection) else connection
    driver = pooled.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101  no other driver is used here
    return driver


def fetch_snapshot_rows(connection: Connection, ids: Sequence[int]) -> list[list[Any]]:
    """Rows of requests, with their batches' ids, owners and states, in the order of ``RequestSnapshot``."""
    (found,) = get_sqlite_driver(connection).execute(READ_SNAPSHOTS_SQL, (orjson.dumps(ids).decode(),)).fetchone()
    rows: list[list[Any]] = orjson.loads(found)
    return rows


def update_requests(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write id, state, tries, doubt, retry_at, last_attempt and updated_at of requests."""
    get_sqlite_driver(connection).execute(UPDATE_REQUESTS_SQL, (orjson.dumps(rows).decode(),))


def upsert_seconds(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Add to the counts, in the order of the table's columns; a transaction has one or two rows."""
    get_sqlite_driver(connection).executemany(UPSERT_SECONDS_SQL, rows)


def insert_attempts(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> list[int]:
    """Insert attempts (without their ids, in the order of :data:`ATTEMPT_COLUMNS`); their ids, which count up."""
    driver = get_sqlite_driver(connection)
    (first,) = driver.execute("SELECT coalesce(max(id), 0) + 1 FROM attempts").fetchone()
    ids = list(range(first, first + len(rows)))  # no other connection writes meanwhile
    numbered = [(id_, *row) for id_, row in zip(ids, rows, strict=True)]
    for start in range(0, len(rows), MAX_INSERT_ROWS):
        some = numbered[start : start + MAX_INSERT_ROWS]
        driver.execute(_build_attempt_insert(len(some)), tuple(chain.from_iterable(some)))
    return ids


def reserve_request_ids(connection: Connection, count: int) -> Sequence[int]:
    """Ids of requests that no other transaction gets: no other connection writes meanwhile."""
    (first,) = get_sqlite_driver(connection).execute("SELECT coalesce(max(id), 0) + 1 FROM requests").fetchone()
    return range(first, first + count)


def insert_columns(
    connection: Connection, table: Table, names: Sequence[str], columns: Sequence[Sequence[Any]]
) -> None:
    """Insert rows that are given as columns of one length: the driver takes tuples as they are."""
    quoted, places = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
    statement = f'INSERT INTO "{table.name}" ({quoted}) VALUES ({places})'  # noqa: S608  no part of it is given
    get_sqlite_driver(connection).executemany(statement, zip(*columns, strict=True))


@lru_cache(64)
def _build_attempt_insert(rows: int) -> str:
    one = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    return f"INSERT INTO attempts ({ATTEMPT_COLUMNS}) VALUES {', '.join([one] * rows)}"  # noqa: S608  no part of it is given
