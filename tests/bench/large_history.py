"""A history of millions of events, made in the database itself: the way of real batches would take an hour.

The rows are those that real batches leave; indexes are built after them.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

BATCHES = 50
"""In each history, unless it is to have more; a large one has larger batches."""

PER_REQUEST = 50
PRODUCTS = 1_000

_STATEMENTS = (
    (
        "CREATE TEMP TABLE numbers AS"
        " WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n + 1 < :requests) SELECT n FROM c"
    ),
    (
        "CREATE TEMP TABLE places AS"
        " WITH RECURSIVE c(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM c WHERE k + 1 < :per) SELECT k FROM c"
    ),
    (
        "INSERT INTO requests (id, batch, lane, position, part, events, state, tries, doubt, updated_at, last_attempt)"
        " SELECT n + 1, 1 + n / :each, 1 + n % 64, 1 + n / 64, '', :per, 'accepted', 1, 0, 1795348980000 + n, n + 1"
        " FROM numbers"
    ),
    "INSERT INTO bodies (request, body) SELECT n + 1, randomblob(600) FROM numbers",
    (
        "INSERT INTO attempts (id, request, started_at, elapsed_ms, outcome, status, reason, headers, sent_headers,"
        " response_body, response_length, response_truncated)"
        " SELECT n + 1, n + 1, 1795348980000 + n, 41.0, 'accepted', 201, 'OK',"
        """ '[["content-type","application/json"]]', '[]', x'7b7d', 2, 0 FROM numbers"""
    ),
    (
        "INSERT INTO events (batch, request, position, row, line, name, event_id, user_id, product_id, timestamp)"
        " SELECT 1 + n / :each, n + 1, k, n * :per + k + 1, n * :per + k + 2, CASE ((n * :per + k) / :persons) % 4"
        " WHEN 1 THEN 'Added to cart' WHEN 2 THEN 'Removed from cart' WHEN 3 THEN 'Product ordered'"
        " ELSE 'Product viewed' END, 'e' || (n * :per + k),"
        " 'u' || ((n * :per + k) * 7919 % :persons), 'p' || ((n * :per + k) * 31 % :products), 1795348980000"
        " FROM numbers, places"
    ),
    "INSERT INTO event_keys SELECT :user_kind, user_id, batch, request, position FROM events ORDER BY 2, 3, 4, 5",
    "INSERT INTO event_keys SELECT :product_kind, product_id, batch, request, position FROM events ORDER BY 2, 3, 4, 5",
    "UPDATE batches SET state = 'done'",
)


def persons(events: int) -> int:
    """How many there are, ``u0`` and on: each has twenty events, five of each of the four names."""
    return events // 20


def filled(file: Path, events: int, batches: int = BATCHES) -> str:
    """A history of so many events ``e0`` and on, each accepted, of products ``p0`` and on: its URL."""
    from intempt_core.history import BatchIntent, BatchSource, History
    from intempt_core.history.records import KEY_COLUMNS
    from intempt_core.planning.plan import Policy
    from tests.core.history.factories import ME, SHOP

    url = f"sqlite:///{file}"
    history = History.open(url)
    for number in range(min(batches, BATCHES)):
        label, rows = f"data-{number}.csv", events // batches
        history.recorder.record(
            BatchIntent(BatchSource.FILE, label, SHOP, Policy.GO_ON, rows, owner=ME, persons=1, lanes=64), []
        )
    history.close()
    requests = events // PER_REQUEST
    given = {
        "requests": requests,
        "each": requests // batches,
        "per": PER_REQUEST,
        "persons": persons(events),
        "products": PRODUCTS,
        "user_kind": KEY_COLUMNS.index("user_id") + 1,
        "product_kind": KEY_COLUMNS.index("product_id") + 1,
    }
    with closing(sqlite3.connect(file)) as connection:
        for pragma in ("synchronous = OFF", "cache_size = -262144"):
            connection.execute(f"PRAGMA {pragma}")
        made = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        indexes = made.fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        _copy_batches(connection, batches)
        for statement in _STATEMENTS:
            connection.execute(statement, given)
        for _, sql in indexes:
            connection.execute(sql)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return url


def _copy_batches(connection: sqlite3.Connection, batches: int) -> None:
    """Copy the recorded batches under other names and ids until there are so many."""
    columns = [column[1] for column in connection.execute("PRAGMA table_info(batches)")]
    made = {
        "number": "n",
        "id": "'b_' || printf('%024x', n)",
        "label": "'data-' || (n - 1) || '.csv'",
        "search_text": "char(10) || 'data-' || (n - 1) || '.csv'",
    }
    copied = ", ".join(made.get(column, f'first."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    connection.execute(
        "WITH RECURSIVE c(n) AS (SELECT :held + 1 UNION ALL SELECT n + 1 FROM c WHERE n < :batches)"  # noqa: S608  its own columns
        f" INSERT INTO batches ({names}) SELECT {copied} FROM c, batches AS first"
        " WHERE first.number = 1 AND n <= :batches",
        {"held": min(batches, BATCHES), "batches": batches},
    )
