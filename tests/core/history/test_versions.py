"""A database of any earlier version is opened, migrated to the newest, and read."""

import re
import zlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, create_engine, insert, select, text

from intempt_core.contract.outcome import FORMER_STATE_VALUES, Outcome
from intempt_core.history import BatchFilter, BatchState, History, RequestState, migrations
from intempt_core.history.migrations import HEAD, upgrade
from intempt_core.history.schema import event_keys, metadata, unkeyed_requests
from tests.core.history.factories import SHOP
from tests.examples import keep_first_quick

AT = 1_795_348_980_000
NOW = AT + 2_000


def versions() -> list[str]:
    """All versions, the first one first."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def written_by(version: str, engine: Engine) -> None:
    """Make the database of that version, with a small batch in it."""
    with engine.begin() as connection:
        upgrade(connection, version)
        tables = MetaData()
        tables.reflect(connection)
        for table, rows in ROWS.items():
            for row in rows:
                named, given = _in_words_of(version, table, row)
                if named in tables.tables:
                    _put(connection, tables, named, given)
        if engine.dialect.name == "postgresql":  # what was given its number by hand has taken none
            for table, key in (("batches", "number"), ("requests", "id"), ("attempts", "id")):
                connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{table}', '{key}'), max({key})) FROM {table}"  # noqa: S608
                )


def _in_words_of(version: str, table: str, row: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The table and row as that version writes them."""
    if version < "0003":
        return table, row
    renamed = {COLUMNS_OF_0003.get(name, name): value for name, value in row.items()}
    for name in ("state", "outcome"):
        if table != "batches" and name in renamed:
            renamed[name] = STATES_OF_0003.get(renamed[name], renamed[name])
    if table == "batches":
        renamed["notes"] = NOTES_OF_0003
    return COLUMNS_OF_0003.get(table, table), renamed


def _put(connection: Connection, tables: MetaData, table: str, row: Mapping[str, Any]) -> None:
    """Insert a row into a table of that version; columns that it requires and the row lacks are empty."""
    columns = tables.tables[table].columns
    empty = {
        column.name: "" if column.type.python_type is str else 0
        for column in columns
        if not column.nullable and column.name not in row and not column.primary_key
    }
    connection.execute(insert(tables.tables[table]), [empty | {k: v for k, v in row.items() if k in columns}])


_TRY = {
    "reason": "",
    "headers": [["a", "b"]],
    "sent_headers": [],
    "answer": b"{}",
    "answer_length": 2,
    "answer_cut": False,
}
_FIX = {"column": "name", "cells": 2, "rows": [1, 2]}
_REQUEST = {"batch": 1, "part": "", "events": 2, "tries": 1, "doubt": False, "updated_at": AT + 5}
ROWS: dict[str, list[dict[str, Any]]] = {
    "batches": [
        {
            "number": 1,
            "id": "b_old",
            "created_at": AT,
            "changed_at": AT + 9,
            "source": "file",
            "label": "old.csv",
            "digest": "d" * 64,
            "mapping": "{}",
            "notes": {"as it is": True, "mends": [_FIX | {"way": "replace", "words": "“a” → “b” in 2 cells"}]},
            "target_key": SHOP.key,
            "target_name": "shop",
            "base": SHOP.base,
            "host": SHOP.host,
            "org": "acme",
            "project": "shop",
            "source_id": SHOP.source_id,
            "track_url": SHOP.track_url,
            "origin": "secrets.toml",
            "production": True,
            "deduplicates": False,
            "credential_reference": SHOP.credential_reference,
            "feeds": {},
            "policy": "stop",
            "state": "stopped",
            "reason": "A lane stopped.",
            "owner": "another",
            "rows": 11,
            "left_behind": 1,
            "persons": 2,
            "lanes": 2,
            "resend_of": "",
        }
    ],
    "requests": [
        {"id": 1, "lane": 1, "position": 1, "state": "accepted", "last_attempt": 2, **_REQUEST},
        {"id": 2, "lane": 2, "position": 1, "state": "unknown", "last_attempt": 3, **_REQUEST, "doubt": True},
        {"id": 3, "lane": 2, "position": 2, "state": "refused", "last_attempt": 4, **_REQUEST},
        {"id": 4, "lane": 3, "position": 1, "state": "unsent", "last_attempt": 5, **_REQUEST},
        {"id": 5, "lane": 3, "position": 2, "state": "leaving", **_REQUEST},
    ],
    "bodies": [{"request": number, "body": zlib.compress(b'{"track":[]}')} for number in range(1, 6)],
    "attempts": [
        {"id": 1, "request": 1, "started_at": AT, "elapsed_ms": 40.0, "outcome": "unsent", "status": 429, **_TRY},
        {"id": 2, "request": 1, "started_at": NOW, "elapsed_ms": 41.5, "outcome": "accepted", "status": 201, **_TRY},
        {"id": 3, "request": 2, "started_at": NOW, "elapsed_ms": 900, "outcome": "unknown", "status": None, **_TRY},
        {"id": 4, "request": 3, "started_at": NOW, "elapsed_ms": 30.0, "outcome": "refused", "status": 400, **_TRY},
        {"id": 5, "request": 4, "started_at": NOW, "elapsed_ms": 1.0, "outcome": "unsent", "status": None, **_TRY},
    ],
    "seconds": [
        {"batch": 1, "second": AT // 1000, "outcome": "unsent", "attempts": 1, "events": 2},
        *(
            {"batch": 1, "second": NOW // 1000, "outcome": outcome, "attempts": 1, "events": 2}
            for outcome in ("accepted", "unknown", "refused", "unsent")
        ),
    ],
    "slowest": [
        {"attempt": 1, "batch": 1, "elapsed_ms": 40.0},
        {"attempt": 2, "batch": 1, "elapsed_ms": 41.5},
        {"attempt": 4, "batch": 1, "elapsed_ms": 30.0},
    ],
    "events": [
        {"batch": 1, "request": (row + 1) // 2, "position": 1 - row % 2, "row": row, "event_id": f"e{row}"}
        for row in range(1, 11)
    ],
    "left_behind": [{"batch": 1, "row": 11, "line": 12, "codes": "event_name"}],
}  # fmt: skip
"""In the words of the first version: a batch of five requests, one in each state, and a row that was excluded."""

COLUMNS_OF_0003 = {
    "left_behind": "excluded_rows",
    "answer": "response_body",
    "answer_length": "response_length",
    "answer_cut": "response_truncated",
}
STATES_OF_0003 = {"leaving": "in flight", "refused": "rejected", "unsent": "not sent"}
NOTES_OF_0003 = {"as it is": True, "fixes": [_FIX | {"kind": "replace", "message": "“a” → “b” in 2 cells"}]}


@pytest.mark.parametrize("version", keep_first_quick(versions(), 2))
def test_a_database_of_any_version_is_migrated_and_read(empty_database_url: str, version: str) -> None:
    url = empty_database_url
    engine = create_engine(url)
    written_by(version, engine)
    engine.dispose()

    history = History.open(url)
    with history.database.reading() as connection:
        assert migrations.version(connection) == HEAD
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        if connection.dialect.name == "sqlite":  # PostgreSQL lets no row in that would be found
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    batch = history.queries.batch("b_old")
    assert (batch.state, batch.label, batch.target.production) == (BatchState.STOPPED, "old.csv", True)
    assert batch.events == {
        RequestState.ACCEPTED: 2,
        RequestState.UNKNOWN: 2,
        RequestState.REJECTED: 2,
        RequestState.NOT_SENT: 2,
        RequestState.IN_FLIGHT: 2,
    }
    assert (batch.excluded_rows, batch.notes) == (1, NOTES_OF_0003)
    assert history.queries.batches(BatchFilter(text="e3")).total == 1
    states = [row.state for row in history.outcomes.rows("b_old")]
    assert states[::2] == ["accepted", "unknown", "rejected", "not sent", "in flight", None]
    assert [attempt.outcome for attempt in history.queries.request(1).attempts] == [Outcome.NOT_SENT, Outcome.ACCEPTED]
    assert [attempt.outcome for attempt in history.queries.request(3).attempts] == [Outcome.REJECTED]
    assert history.queries.request(3).attempts[0].response_body == b"{}"
    assert history.queries.batches(BatchFilter(state=RequestState.REJECTED)).total == 1
    assert [found.id for found in history.queue.unfinished()] == ["b_old"]
    bars = [dict(bar.events) for bar in history.throughput.timeline("b_old").steps]
    assert bars == [{Outcome.NOT_SENT: 2}, {}, dict.fromkeys(Outcome, 2)]
    assert [response.elapsed_ms for response in history.throughput.slowest("b_old")] == [41.5, 40.0, 30.0]
    assert history.queries.batches_of_file("d" * 64, SHOP.key)[0].id == "b_old"
    assert history.control.resume("b_old") == 1
    assert history.queue.in_flight_to_unknown("b_old", owner="another") == 1
    history.close()


SCHEMA_QUERIES = {
    "sqlite": "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL",
    "postgresql": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
    " UNION ALL SELECT table_name || column_name FROM information_schema.columns WHERE table_schema = 'public'",
}


@pytest.mark.parametrize("version", keep_first_quick(versions(), 2))
def test_no_value_of_an_earlier_version_remains_anywhere(empty_database_url: str, version: str) -> None:
    engine = create_engine(empty_database_url)
    written_by(version, engine)
    with engine.begin() as connection:
        upgrade(connection)
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            for column in (column for column in table.columns if column.name in {"state", "outcome"}):
                found = set(connection.execute(select(column)).scalars())
                assert not found & FORMER_STATE_VALUES.keys()
        schema = " ".join(connection.exec_driver_sql(SCHEMA_QUERIES[engine.dialect.name]).scalars())
        assert not re.search("leaving|left_behind|answer", schema)
    engine.dispose()


def test_former_values_are_understood_and_others_are_not() -> None:
    assert RequestState("leaving") is RequestState.IN_FLIGHT
    assert (Outcome("refused"), Outcome("unsent")) == (Outcome.REJECTED, Outcome.NOT_SENT)
    for kind, value in ((Outcome, "leaving"), (Outcome, "left"), (RequestState, "")):
        with pytest.raises(ValueError, match="is not a valid"):
            kind(value)


def test_the_requests_of_earlier_resends_are_linked_by_their_bodies(empty_database_url: str) -> None:
    engine = create_engine(empty_database_url)
    written_by("0003", engine)
    body = "CAST('body of ' || request AS BLOB)"
    if engine.dialect.name == "postgresql":
        body = "convert_to('body of ' || request, 'UTF8')"
    with engine.begin() as connection:
        for statement in (
            f"UPDATE bodies SET body = {body} WHERE request IN (2, 4)",  # noqa: S608
            (
                "INSERT INTO batches SELECT 2, 'b_again', created_at, changed_at, source, label, digest, mapping,"
                " notes, target_key, target_name, base, host, org, project, source_id, track_url, origin, production,"
                " deduplicates, credential_reference, feeds, policy, 'done', '', owner, 4, 0, 0, 2, 'b_old'"
                " FROM batches"
            ),
            (
                "INSERT INTO requests (id, batch, lane, position, part, events, state, tries, doubt, updated_at)"
                " SELECT id + 10, 2, lane, position, part, events, 'accepted', 1, false, updated_at FROM requests"
                " WHERE id IN (2, 4)"
            ),
            "INSERT INTO bodies SELECT request + 10, body FROM bodies WHERE request IN (2, 4)",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    history = History.open(empty_database_url)
    found = history.queries.batch("b_old")
    assert found.resends == ("b_again",)
    assert found.resent == found.resolved == {RequestState.UNKNOWN: 2, RequestState.NOT_SENT: 2}
    history.close()


def test_the_search_index_is_filled_from_the_events_that_are_there(empty_database_url: str) -> None:
    engine = create_engine(empty_database_url)
    written_by("0005", engine)
    with engine.begin() as connection:
        of_row = """UPDATE events SET user_id = 'u' || ("row" % 3), product_id = 'p',
            account_id = CAST(nullif("row" % 2, 0) AS TEXT)"""
        connection.execute(text(of_row))
    engine.dispose()
    history = History.open(empty_database_url)
    with history.database.reading() as connection:
        found = Counter(tuple(row) for row in connection.execute(select(event_keys.c.kind, event_keys.c.value)))
        assert connection.execute(select(unkeyed_requests)).all() == []
    assert found == {(2, "u0"): 3, (2, "u1"): 4, (2, "u2"): 3, (4, "1"): 5, (5, "p"): 10}
    for searched in ("u0", "1", "p"):
        assert history.queries.batches(BatchFilter(text=searched)).total == 1
    assert len(history.persons.person_history(SHOP.key, "userId", "u1").events) == 4
    history.close()
