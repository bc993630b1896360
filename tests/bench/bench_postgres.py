"""History on PostgreSQL: what recording costs above ``COPY``, how searches grow, and how quickly one process sends.

The server is one of the benchmark's own that writes to the disk as one in use does (:data:`DURABLE`).
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

import psycopg

from tests.bench.bench_history import LARGE, SMALL, measure_searches
from tests.bench.bench_send import LATENCY_MS
from tests.bench.event_files import write
from tests.bench.harness import Figures, alternating, bench, folder, fresh
from tests.bench.large_postgres_history import fill_history
from tests.bench.track_server import track_server
from tests.postgres import Cluster, find_programs, make_database, run_cluster

EVENTS = 1_000_000
SENT_REQUESTS = 3_000
TABLES = ("requests", "bodies", "events")
"""What the intent of a batch is, beside its own row, in the order in which rows name each other."""

DURABLE = ("shared_buffers=512MB", "max_wal_size=4GB", "checkpoint_timeout=15min")
"""Settings of a server that keeps what it has committed, with memory and journal enough for a million events."""

HERE = "tests.bench.bench_postgres"


@contextmanager
def run_server() -> Iterator[Cluster]:
    with run_cluster(find_programs(), DURABLE) as cluster:
        yield cluster


@bench("intent.postgres", at_most=2)
def intent() -> Figures:
    """A plan to its recorded intent, bodies too, over ``COPY`` of the same rows into the same tables.

    The other side has its rows ready, in PostgreSQL's binary form: it is the server alone, with the tables' indexes and
    foreign keys.
    """
    with run_server() as cluster, folder() as data:
        with make_database(cluster) as url:
            fresh(f"{HERE}:record_plan", _make_file(), url)
            _write_copies(url, data)

        def measure(side: str, given: str) -> float:
            with make_database(cluster) as url:
                return float(fresh(f"{HERE}:{side}", given, url))

        ours_s, copy_s = alternating(
            lambda: measure("record_plan", _make_file()), lambda: measure("copy_rows", str(data))
        )
    return {"ratio": ours_s / copy_s, "ours_s": ours_s, "copy_s": copy_s, "events": EVENTS}


@bench("history.search.postgres", at_most=2)
def search() -> Figures:
    """The median of 100 searches on the History screen over 5,000,000 events, over the same over 50,000."""
    from intempt_core.history import History

    with run_server() as cluster:
        began = time.perf_counter()
        urls = {events: cluster.url(cluster.create_database()) for events in (LARGE, SMALL)}
        for events, url in urls.items():
            fill_history(url, events)
        building = time.perf_counter() - began
        figures = measure_searches({events: History.open(url) for events, url in urls.items()})
    return {**figures, "building_s": building}


@bench("send.postgres", at_least=0.75)
def send() -> Figures:
    """Requests a second of one process with history and engine on PostgreSQL, over the same with SQLite."""
    with run_server() as cluster, track_server(LATENCY_MS) as target:

        def measure(database: str) -> float:
            with folder() as data:
                fresh("tests.bench.bench_send:recorded", str(data), target, SENT_REQUESTS, database)
                sent = fresh("tests.bench.bench_send:sent", str(data), target, database)
                return SENT_REQUESTS / float(sent["seconds"])

        def measure_postgres() -> float:
            with make_database(cluster) as url:
                return measure(url)

        postgres, sqlite = alternating(measure_postgres, lambda: measure(""))
    return {"ratio": postgres / sqlite, "postgres_requests_s": postgres, "sqlite_requests_s": sqlite}


@cache
def _make_folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="bench-postgres-")


@cache
def _make_file() -> str:
    return str(write(Path(_make_folder().name) / "events.csv", EVENTS, 0.02).path)


def _connect(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(url.replace("+psycopg", ""))


def _write_copies(url: str, data: Path) -> None:
    """Write each table as ``COPY`` takes it."""
    with closing(_connect(url)) as connection:
        for table in ("batches", *TABLES):
            with (
                (data / table).open("wb") as file,
                connection.cursor() as cursor,
                cursor.copy(f"COPY {table} TO STDOUT (FORMAT BINARY)") as copy,
            ):
                for part in copy:
                    file.write(part)


# ── the sides, each in a fresh process ───────────────────────────────────────────────────────────────────────────────


def record_plan(path: str, url: str) -> float:
    """Seconds from a plan to its intent in a new history."""
    from intempt_core.dispatch import make_batch_intent
    from intempt_core.history import History, make_request_blocks
    from intempt_core.planning.plan import plan_table
    from intempt_core.targets.target import sandbox_target
    from tests.bench.bench_check import mapped_and_checked

    mapped, report = mapped_and_checked(path)
    plan = plan_table(mapped, (~report.error_mask).nonzero()[0])
    with closing(History.open(url)) as history:
        made = make_batch_intent(plan, sandbox_target("http://127.0.0.1:1"), owner="bench", rows=report.rows)
        began = time.perf_counter()
        batch = history.recorder.record(made, make_request_blocks(plan))
        seconds = time.perf_counter() - began
        assert history.queries.batch(batch).total == plan.events
    return seconds


def copy_rows(data: str, url: str) -> float:
    """Seconds of ``COPY`` of another history's rows into a new one."""
    from intempt_core.history import History

    History.open(url).close()
    began = 0.0
    with closing(_connect(url)) as connection:
        for table in ("batches", *TABLES):
            if table == TABLES[0]:
                connection.commit()
                began = time.perf_counter()
            with (
                (Path(data) / table).open("rb") as file,
                connection.cursor() as cursor,
                cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy,
            ):
                while part := file.read(1 << 20):
                    copy.write(part)
        connection.commit()
        return time.perf_counter() - began
