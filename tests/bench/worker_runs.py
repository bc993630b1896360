"""Worker processes that send a recorded batch from a PostgreSQL database, and how fast they are meanwhile.

A batch is recorded and paused, the workers start, and then it is resumed: they begin together. What is measured lies
between the first and the last part of the requests, where all workers have all their slots in use.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from intempt_core.dispatch import hold_process_name, make_batch_intent
from intempt_core.history import BatchState, EventIntent, History, RequestIntent, WorkerKind
from intempt_core.planning.plan import plan_events
from intempt_core.targets.target import sandbox_target
from tests.bench.bench_send import PER_REQUEST, bodies
from tests.bench.harness import ROOT, folder
from tests.bench.track_server import track_server
from tests.postgres import Cluster, find_programs, make_database, run_cluster

DURABLE: Sequence[str] = ()
"""Settings of a database whose commits survive a power cut: PostgreSQL's own."""

FIRST_PART, LAST_PART = 0.2, 0.85
"""Between these shares of the requests it is measured."""

MAX_SECONDS = 240.0
"""How long anything is waited for."""


@dataclass(frozen=True, slots=True)
class SendingRun:
    """What was measured while workers sent.

    Attributes:
        per_second: requests a second of all workers together.
        worker_cpu: seconds of CPU for a request in the workers.
        database_cpu: seconds of CPU for a request in the processes of the database that serve connections.
        target_cpu: seconds of CPU for a request at the target.
        connections: how many connections to the database a worker had.
    """

    per_second: float
    worker_cpu: float
    database_cpu: float
    target_cpu: float
    connections: float


@dataclass(frozen=True, slots=True)
class _Sample:
    sent: int
    seconds: float
    workers: Mapping[int, float]
    database: Mapping[int, float]
    target: Mapping[int, float]


@contextmanager
def run_durable_cluster() -> Iterator[Cluster]:
    """A database server whose commits are on the disk. Raises :class:`FileNotFoundError` where there is none."""
    with run_cluster(find_programs(), DURABLE) as cluster:
        yield cluster


def measure_sending(
    cluster: Cluster, *, workers: int, slots: int, lanes: int, requests: int, latency: float
) -> SendingRun:
    """Send a batch from a database of its own by so many workers of so many slots, and measure it in the middle."""
    with ExitStack() as stack:
        url = stack.enter_context(make_database(cluster))
        target = stack.enter_context(track_server(latency * 1000))
        history = stack.enter_context(closing(History.open(url)))
        batch = record_batch(history, target, lanes=lanes, requests=requests)
        history.control.set_state(batch, BatchState.PAUSED, "The workers start first.")
        others = len(list_connections(history))
        processes = stack.enter_context(run_workers(history, url, target, workers=workers, slots=slots))
        (server,) = [child for child in list_children(os.getpid()) if "tests.bench.track_server" in read_command(child)]
        history.control.resume(batch)

        def sample() -> _Sample:
            sent, now, served = count_attempts(history), time.monotonic(), list_connections(history)
            return _Sample(sent, now, *map(read_cpu_by_process, (processes, served, [server])))

        wait_until(lambda: count_attempts(history) >= requests * FIRST_PART)
        first = sample()
        wait_until(lambda: count_attempts(history) >= requests * LAST_PART)
        last = sample()
        wait_until(lambda: history.queries.batch(batch).state is BatchState.DONE)
    sent, seconds = last.sent - first.sent, last.seconds - first.seconds
    return SendingRun(
        per_second=sent / seconds,
        worker_cpu=subtract_cpu(last.workers, first.workers) / sent,
        database_cpu=subtract_cpu(last.database, first.database) / sent,
        target_cpu=subtract_cpu(last.target, first.target) / sent,
        connections=(len(last.database) - others) / workers,
    )


def record_batch(history: History, target: str, *, lanes: int, requests: int) -> str:
    """Record a batch of requests in so many lanes, as a confirm does; its id."""

    def list_intents() -> Iterator[RequestIntent]:
        for number, (body, events) in enumerate(bodies(requests)):
            rows = [
                EventIntent.from_event(event, number * PER_REQUEST + place + 1) for place, event in enumerate(events)
            ]
            yield RequestIntent(number % lanes + 1, number // lanes, body, rows)

    with folder() as data, hold_process_name(history, data) as recorder:
        intent = make_batch_intent(
            plan_events([]),
            sandbox_target(target),
            rows=requests * PER_REQUEST,
            recorder=recorder,
            groups=history.groups.count_groups(lanes),
        )
        batch = history.recorder.record(intent, list_intents())
    wait_until(lambda: _count_unkeyed(history) == 0)  # the search's index is made in the background, after recording
    return batch


def _count_unkeyed(history: History) -> int:
    with history.database.engine.begin() as connection:
        return int(connection.execute(text("SELECT count(*) FROM unkeyed_requests")).scalar_one())


@contextmanager
def run_workers(history: History, url: str, target: str, *, workers: int, slots: int) -> Iterator[list[int]]:
    """So many worker processes, all alive; their numbers. They are asked to end afterwards."""
    with ExitStack() as stack:
        started = []
        for _ in range(workers):
            data = stack.enter_context(folder())
            environment = os.environ | {
                "CONSOLE_DATABASE_URL": url,
                "CONSOLE_DATA": str(data),
                "CONSOLE_SANDBOX": target,
                "CONSOLE_LANES_AT_ONCE": str(slots),
            }
            process = subprocess.Popen(
                [sys.executable, "-m", "intempt_core", "worker"],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=(data / "stderr").open("w"),
            )
            stack.callback(_end, process)
            started.append(process)
        wait_until(lambda: len(history.workers.list_alive([WorkerKind.WORKER])) >= workers)
        yield [process.pid for process in started]


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; it is asked ten times a second."""
    until = time.monotonic() + MAX_SECONDS
    while not holds():
        if time.monotonic() > until:
            raise RuntimeError("What the benchmark waits for did not happen.")
        time.sleep(0.1)


def count_attempts(history: History) -> int:
    """How many attempts have ended."""
    with history.database.engine.begin() as connection:
        return int(connection.execute(text("SELECT coalesce(sum(attempts), 0) FROM seconds")).scalar_one())


def list_connections(history: History) -> list[int]:
    """The processes of the database that serve connections to it, by their numbers."""
    asked = text("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type LIKE 'client%'")
    with history.database.engine.begin() as connection:
        return list(connection.execute(asked).scalars())


def read_cpu_by_process(processes: Iterable[int]) -> dict[int, float]:
    """The CPU seconds of processes so far, to the nanosecond, of all threads that they have; of those that live."""
    found = {}
    for process in processes:
        with suppress(OSError):  # it ends just now
            tasks = [task.read_text() for task in Path(f"/proc/{process}/task").glob("*/schedstat")]
            if tasks:
                found[process] = sum(int(task.split()[0]) for task in tasks) / 1e9
    return found


def subtract_cpu(after: Mapping[int, float], before: Mapping[int, float]) -> float:
    """The CPU seconds between two readings, of the processes that are in both."""
    return sum(seconds - before[process] for process, seconds in after.items() if process in before)


def list_children(process: int) -> list[int]:
    """The numbers of a process's children."""
    lists = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for children in lists for child in children.read_text().split()]


def read_command(process: int) -> str:
    """The command line of a process."""
    return Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")
