"""A history of millions of events on PostgreSQL, made by the server itself; ``large_history`` makes one in a file."""

from contextlib import closing

import psycopg

from tests.bench.large_history import BATCHES, PER_REQUEST, PRODUCTS, persons

_STATEMENTS = (
    (
        "INSERT INTO requests (id, batch, lane, position, part, events, state, tries, doubt, updated_at, last_attempt)"
        " SELECT n + 1, 1 + n / %(each)s, 1 + n %% 64, 1 + n / 64, '', %(per)s, 'accepted', 1, false,"
        " 1795348980000 + n, n + 1 FROM generate_series(0, %(requests)s - 1) AS n"
    ),
    (
        "INSERT INTO bodies (request, body)"
        " SELECT n + 1, decode(repeat(md5(n::text), 37), 'hex') FROM generate_series(0, %(requests)s - 1) AS n"
    ),
    (
        "INSERT INTO attempts (id, request, started_at, elapsed_ms, outcome, status, reason, headers, sent_headers,"
        " response_body, response_length, response_truncated)"
        " SELECT n + 1, n + 1, 1795348980000 + n, 41.0, 'accepted', 201, 'OK',"
        """ '[["content-type","application/json"]]', '[]', '\\x7b7d', 2, false"""
        " FROM generate_series(0, %(requests)s - 1) AS n"
    ),
    (
        'INSERT INTO events (batch, request, position, "row", line, name, event_id, user_id, product_id, "timestamp")'
        " SELECT 1 + n / %(each)s, n + 1, k, n * %(per)s + k + 1, n * %(per)s + k + 2,"
        " CASE ((n * %(per)s + k) / %(persons)s) %% 4 WHEN 1 THEN 'Added to cart' WHEN 2 THEN 'Removed from cart'"
        " WHEN 3 THEN 'Product ordered' ELSE 'Product viewed' END, 'e' || (n * %(per)s + k),"
        " 'u' || ((n * %(per)s + k) * 7919 %% %(persons)s), 'p' || ((n * %(per)s + k) * 31 %% %(products)s),"
        " 1795348980000"
        " FROM generate_series(0::bigint, %(requests)s - 1) AS n, generate_series(0, %(per)s - 1) AS k"
    ),
    "INSERT INTO event_keys SELECT %(user_kind)s, user_id, batch, request, position FROM events ORDER BY 2, 3, 4, 5",
    (
        "INSERT INTO event_keys SELECT %(product_kind)s, product_id, batch, request, position FROM events"
        " ORDER BY 2, 3, 4, 5"
    ),
    "UPDATE batches SET state = 'done'",
)


def fill_history(url: str, events: int) -> None:
    """Make a history of so many events ``e0`` and on, each accepted, of products ``p0`` and on."""
    from intempt_core.history import BatchIntent, BatchSource, History
    from intempt_core.history.records import KEY_COLUMNS
    from intempt_core.planning.plan import Policy
    from tests.core.history.factories import ME, SHOP

    with closing(History.open(url)) as history:
        for number in range(BATCHES):
            label, rows = f"data-{number}.csv", events // BATCHES
            history.recorder.record(
                BatchIntent(BatchSource.FILE, label, SHOP, Policy.GO_ON, rows, owner=ME, persons=1, lanes=64), []
            )
    requests = events // PER_REQUEST
    given = {
        "requests": requests,
        "each": requests // BATCHES,
        "per": PER_REQUEST,
        "persons": persons(events),
        "products": PRODUCTS,
        "user_kind": KEY_COLUMNS.index("user_id") + 1,
        "product_kind": KEY_COLUMNS.index("product_id") + 1,
    }
    with closing(psycopg.connect(url.replace("+psycopg", ""))) as connection:
        cursor = psycopg.ClientCursor(connection)  # it writes numbers into the statements: no type is guessed
        # The rows are right as they are made: no foreign key is looked up, and indexes are built after them.
        cursor.execute("SET session_replication_role = replica")
        made = cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT IN"
            " (SELECT conname FROM pg_constraint)"
        ).fetchall()
        for name, _ in made:
            cursor.execute(f'DROP INDEX "{name}"')
        for statement in _STATEMENTS:
            cursor.execute(statement, given)
        for _, definition in made:
            cursor.execute(definition)
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE")
