"""Bulk reads and writes of states for PostgreSQL: ``COPY`` for what is recorded, ``unnest`` for what changes.

Many transactions write at once there. All of them lock in one order: the batches, the groups of lanes, the requests by
their ids, then what hangs on them. So two of them wait for each other in a line, and never in a ring.
"""

from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table

from intempt_core.history.dialects.locks import BATCH_LOCK
from intempt_core.history.dialects.sqlite_bulk import ATTEMPT_COLUMNS
from intempt_core.history.schema import attempts

IDLE_TRANSACTION_MS = 5_000
"""How long a transaction that holds requests may do nothing before PostgreSQL ends it: a takeover would wait for it."""

# The gate first: those who change a batch's state queue there, and so get their turn however many senders hold its row.
READ_SNAPSHOTS_SQL = f"""\
WITH gate AS MATERIALIZED (
    SELECT batch, pg_advisory_xact_lock_shared({BATCH_LOCK}, (batch %% 2147483647)::int),
        set_config('idle_in_transaction_session_timeout', '{IDLE_TRANSACTION_MS}', true)
    FROM (SELECT DISTINCT batch FROM requests WHERE id = ANY(%s::bigint[]) ORDER BY batch) AS of_requests
), held AS MATERIALIZED (
    SELECT number, id, owner, state, groups FROM batches
    WHERE number IN (SELECT batch FROM gate) ORDER BY number FOR SHARE
), owned AS MATERIALIZED (
    SELECT batch, number, owner, epoch FROM lane_groups
    WHERE (batch, number) IN (
        SELECT requests.batch, requests.lane %% held.groups
        FROM requests JOIN held ON held.number = requests.batch
        WHERE requests.id = ANY(%s::bigint[]) AND held.groups > 0
    )
    ORDER BY batch, number FOR SHARE
)
SELECT
    requests.id, requests.events, requests.batch, held.id, coalesce(owned.owner, held.owner), held.state,
    requests.state, requests.tries, requests.doubt, requests.retry_at, requests.last_attempt, requests.updated_at,
    coalesce(owned.epoch, 0)
FROM requests JOIN held ON held.number = requests.batch
LEFT JOIN owned ON owned.batch = requests.batch AND owned.number = requests.lane %% nullif(held.groups, 0)
WHERE requests.id = ANY(%s::bigint[]) ORDER BY requests.id FOR NO KEY UPDATE OF requests"""  # noqa: S608
"""Reads requests with who owns them, and locks the batches, the groups and then the requests."""

UPDATE_REQUESTS_SQL = """\
UPDATE requests SET
    state = given.state, tries = given.tries, doubt = given.doubt, retry_at = given.retry_at,
    last_attempt = given.last_attempt, updated_at = given.updated_at
FROM unnest(%s::bigint[], %s::text[], %s::int[], %s::bool[], %s::bigint[], %s::bigint[], %s::bigint[])
    AS given(id, state, tries, doubt, retry_at, last_attempt, updated_at)
WHERE requests.id = given.id"""

UPSERT_SECONDS_SQL = """\
INSERT INTO seconds (batch, second, outcome, attempts, events, processed, ignored, repeated)
SELECT * FROM unnest(
    %s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]
)
ON CONFLICT (batch, second, outcome) DO UPDATE SET
    attempts = seconds.attempts + excluded.attempts, events = seconds.events + excluded.events,
    processed = seconds.processed + excluded.processed, ignored = seconds.ignored + excluded.ignored,
    repeated = seconds.repeated + excluded.repeated"""

RESERVE_IDS_SQL = "SELECT nextval(pg_get_serial_sequence('requests', 'id')) FROM generate_series(1, %s)"

_TYPE_NAMES = {
    "BIGINT": "int8",
    "INTEGER": "int4",
    "TEXT": "text",
    "BOOLEAN": "bool",
    "FLOAT": "float8",
    "BLOB": "bytea",
    "JSON": "json",
}
"""What PostgreSQL calls the types of the schema."""


def fetch_snapshot_rows(connection: Connection, ids: Sequence[int]) -> Sequence[Sequence[Any]]:
    """Rows of requests, with their batches' ids, owners and states, in the order of ``RequestSnapshot``."""
    given = list(ids)
    return connection.exec_driver_sql(READ_SNAPSHOTS_SQL, (given, given, given)).all()


def update_requests(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write id, state, tries, doubt, retry_at, last_attempt and updated_at of requests."""
    connection.exec_driver_sql(UPDATE_REQUESTS_SQL, _split_columns(rows))


def insert_attempts(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> list[int]:
    """Insert attempts (without their ids, in the order of the table's columns); their ids, which count up."""
    statement = _build_attempt_insert()
    return sorted(connection.exec_driver_sql(statement, _split_columns(rows)).scalars())


def upsert_seconds(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Add to the counts, in the order of the table's columns, by which they are sorted: so none waits in a ring."""
    connection.exec_driver_sql(UPSERT_SECONDS_SQL, _split_columns(sorted(rows, key=itemgetter(0, 1, 2))))


def reserve_request_ids(connection: Connection, count: int) -> Sequence[int]:
    """Ids of requests that no other transaction gets, counting up."""
    return sorted(connection.exec_driver_sql(RESERVE_IDS_SQL, (count,)).scalars())


def insert_columns(
    connection: Connection, table: Table, names: Sequence[str], columns: Sequence[Sequence[Any]]
) -> None:
    """Insert rows that are given as columns of one length, by ``COPY`` in PostgreSQL's own binary form."""
    if not columns[0]:
        return
    quoted = ", ".join(f'"{name}"' for name in names)
    # The driver's own cursor: SQLAlchemy has no COPY.
    cursor: Any = connection.connection.cursor()  # Any: psycopg's, which is loaded only where a server is used
    with cursor, cursor.copy(f'COPY "{table.name}" ({quoted}) FROM STDIN (FORMAT BINARY)') as copy:
        copy.set_types([_find_type_name(table, name) for name in names])
        write = copy.write_row
        for row in zip(*columns, strict=True):
            write(row)


def _split_columns(rows: Sequence[tuple[Any, ...]]) -> tuple[list[Any], ...]:
    """Rows as the columns that ``unnest`` takes."""
    return tuple(map(list, zip(*rows, strict=True)))


def _find_type_name(table: Table, name: str) -> str:
    """What PostgreSQL calls the type of a column."""
    return _TYPE_NAMES[table.columns[name].type.as_generic().compile().split("(", maxsplit=1)[0]]


@lru_cache(1)
def _build_attempt_insert() -> str:
    """The insert of attempts; the ids that it returns are given in the order of the rows."""
    names = ATTEMPT_COLUMNS.replace("\n", " ").split(", ")[1:]
    types = [_find_type_name(attempts, name) for name in names]
    # JSON comes as text: an array of JSON would be one of the driver's own objects.
    arrays = ", ".join(f"%s::{'text' if type_ == 'json' else type_}[]" for type_ in types)
    given = ", ".join(f"given.{name}{'::json' * (type_ == 'json')}" for name, type_ in zip(names, types, strict=True))
    columns = ", ".join(names)
    return (
        f"INSERT INTO attempts ({columns}) SELECT {given} FROM unnest({arrays}) WITH ORDINALITY"  # noqa: S608
        f" AS given({columns}, place) ORDER BY place RETURNING id"
    )
