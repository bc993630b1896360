"""A history that any earlier console has written is opened, brought to the newest version, and read."""

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, create_engine, insert

from intempt_core.contract.outcome import Outcome
from intempt_core.history import BatchFilter, BatchState, History, RequestState, migrations
from intempt_core.history.migrations import HEAD, upgrade
from intempt_core.history.schema import metadata
from tests.core.history.factories import SHOP

AT = 1_795_348_980_000
NOW = AT + 2_000


def versions() -> list[str]:
    """All versions, the first one first."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def written_by(version: str, engine: Engine) -> None:
    """What a console of that version leaves behind: its tables, with a small batch in them."""
    with engine.begin() as connection:
        upgrade(connection, version)
        tables = MetaData()
        tables.reflect(connection)
        for table, rows in ROWS.items():
            for row in rows:
                _put(connection, tables, table, row)


def _put(connection: Connection, tables: MetaData, table: str, row: Mapping[str, Any]) -> None:
    """A row in a table as it then was; what its version demands beyond ours is empty."""
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
            "notes": {"as it is": True},
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
            "owner": "somebody",
            "rows": 5,
            "left_behind": 1,
            "persons": 2,
            "lanes": 2,
            "resend_of": "",
        }
    ],
    "requests": [
        {"id": 1, "lane": 1, "position": 1, "state": "accepted", "last_attempt": 2, **_REQUEST},
        {"id": 2, "lane": 2, "position": 1, "state": "unknown", "last_attempt": 3, **_REQUEST, "doubt": True},
    ],
    "bodies": [{"request": number, "body": zlib.compress(b'{"track":[]}')} for number in (1, 2)],
    "attempts": [
        {"id": 1, "request": 1, "started_at": AT, "elapsed_ms": 40.0, "outcome": "unsent", "status": 429, **_TRY},
        {"id": 2, "request": 1, "started_at": NOW, "elapsed_ms": 41.5, "outcome": "accepted", "status": 201, **_TRY},
        {"id": 3, "request": 2, "started_at": NOW, "elapsed_ms": 900, "outcome": "unknown", "status": None, **_TRY},
    ],
    "events": [
        {"batch": 1, "request": 1 + row // 3, "position": 1 - row % 2, "row": row, "event_id": f"e{row}"}
        for row in (1, 2, 3, 4)
    ],
    "left_behind": [{"batch": 1, "row": 5, "line": 6, "codes": "event_name"}],
}  # fmt: skip
"""One batch of two requests, one accepted at its second try, the other unknown, and a row that stayed behind."""


@pytest.mark.parametrize("version", versions())
def test_what_a_console_of_any_version_has_written_is_read(tmp_path: Path, version: str) -> None:
    url = f"sqlite:///{tmp_path / 'history.sqlite3'}"
    engine = create_engine(url)
    written_by(version, engine)
    engine.dispose()

    history = History.open(url)
    with history._reading() as connection:
        assert migrations.version(connection) == HEAD
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    batch = history.batch("b_old")
    assert (batch.state, batch.label, batch.target.production) == (BatchState.STOPPED, "old.csv", True)
    assert batch.events == {RequestState.ACCEPTED: 2, RequestState.UNKNOWN: 2}
    assert history.batches(BatchFilter(text="e3")).total == 1
    assert [row.state for row in history.rows("b_old")] == [*["accepted"] * 2, *["unknown"] * 2, None]
    assert [attempt.outcome for attempt in history.request(1).attempts] == [Outcome.NOT_SENT, Outcome.ACCEPTED]
    assert history.batches_of_file("d" * 64, SHOP.key)[0].id == "b_old"
    assert history.resume("b_old") == 0
    history.close()


def test_what_was_sent_before_there_was_a_course_has_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'history.sqlite3'}"
    engine = create_engine(url)
    written_by("0001", engine)
    engine.dispose()
    history = History.open(url)
    bars = [dict(bar.events) for bar in history.timeline("b_old").steps]
    assert bars == [{Outcome.NOT_SENT: 2}, {}, {Outcome.ACCEPTED: 2, Outcome.UNKNOWN: 2}]
    assert [answer.elapsed_ms for answer in history.slowest("b_old")] == [41.5, 40.0]
    history.close()
