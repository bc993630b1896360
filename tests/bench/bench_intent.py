"""Recording intent: what columns, bodies and bookkeeping cost above SQLite's own inserts of the very same rows."""

import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.bench.bench_check import mapped_and_checked
from tests.bench.event_files import write
from tests.bench.harness import Figures, alternating, bench, folder, fresh

EVENTS = 1_000_000
TRANSACTION_EVENTS = 20_000
TABLES = ("requests", "bodies", "events")
HERE = "tests.bench.bench_intent"


@bench("intent.floor", at_most=1.5)
def floor() -> Figures:
    """A plan to its recorded intent, bodies too, over ``executemany`` of the same rows into the same tables.

    The other side has its rows, and so the bodies, ready: it is SQLite alone, in transactions of 20,000 events.
    """
    with folder() as data:
        fresh(f"{HERE}:recorded", _file(), str(data))
        ours_s, sqlite_s = alternating(
            lambda: _in_folder("recorded", _file()), lambda: _in_folder("inserted", str(data / "history.sqlite3"))
        )
    return {"ratio": ours_s / sqlite_s, "ours_s": ours_s, "sqlite_s": sqlite_s, "events": EVENTS}


def _in_folder(side: str, given: str) -> float:
    with folder() as data:
        return float(fresh(f"{HERE}:{side}", given, str(data)))


@cache
def _files() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="bench-intent-")


@cache
def _file() -> str:
    return str(write(Path(_files().name) / "events.csv", EVENTS, 0.02).path)


# ── the sides, each in a fresh process ───────────────────────────────────────────────────────────────────────────────


def recorded(path: str, data: str) -> float:
    """Seconds from a plan to its intent in a new history."""
    from intempt_core.dispatch import make_batch_intent
    from intempt_core.history import History, make_request_blocks
    from intempt_core.planning.plan import plan_table
    from intempt_core.settings import Settings
    from intempt_core.targets.target import sandbox_target

    mapped, report = mapped_and_checked(path)
    plan = plan_table(mapped, (~report.error_mask).nonzero()[0])
    history = History.open(Settings(data=Path(data)).history_url)
    intent = make_batch_intent(plan, sandbox_target("http://127.0.0.1:1"), owner="bench", rows=report.rows)
    began = time.perf_counter()
    batch = history.recorder.record(intent, make_request_blocks(plan))
    seconds = time.perf_counter() - began
    assert history.queries.batch(batch).total == plan.events
    history.close()
    return seconds


def inserted(recorded_in: str, data: str) -> float:
    """Seconds of ``executemany`` of another history's rows into a new one; reading them is not counted."""
    from intempt_core.history import History
    from intempt_core.history.dialects.sqlite_bulk import get_sqlite_driver
    from intempt_core.settings import Settings

    history = History.open(Settings(data=Path(data)).history_url)
    seconds = 0.0
    source = sqlite3.connect(recorded_in)
    with history.database.engine.connect() as connection:
        driver = get_sqlite_driver(connection)
        _insert(driver, "batches", source.execute("SELECT * FROM batches").fetchall())
        connection.commit()
        for tables in _read_transactions(source):
            began = time.perf_counter()
            driver.execute("BEGIN IMMEDIATE")
            for table, rows in zip(TABLES, tables, strict=True):
                _insert(driver, table, rows)
            driver.commit()
            seconds += time.perf_counter() - began
    source.close()
    history.close()
    return seconds


def _read_transactions(source: sqlite3.Connection) -> Iterator[list[list[Any]]]:
    """The rows of each transaction, table by table."""
    sizes = source.execute("SELECT id, events FROM requests ORDER BY id").fetchall()
    first, events = sizes[0][0], 0
    for number, size in sizes:
        events += size
        if events >= TRANSACTION_EVENTS or number == sizes[-1][0]:
            keys = ("id", "request", "request")
            yield [
                source.execute(f"SELECT * FROM {table} WHERE {key} BETWEEN ? AND ?", (first, number)).fetchall()  # noqa: S608
                for table, key in zip(TABLES, keys, strict=True)
            ]
            first, events = number + 1, 0


def _insert(driver: sqlite3.Connection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    driver.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)  # noqa: S608
