"""What the steps of sending cost, each measured by itself.

CPU is what the processes used, by the system's account of their threads, so that a busy machine changes it little. Only
the commit, the way to the database and the target's response are times of a clock: those want a quiet machine.
"""

import asyncio
import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import event, text

from intempt_core.contract import Outcome
from intempt_core.dispatch import SendingEnvironment, hold_process_name
from intempt_core.dispatch.history_writer import HistoryWriter
from intempt_core.dispatch.lane_sender import LaneSender
from intempt_core.history import AttemptEnd, AttemptStart, BatchState, History, LaneGroup, Transition, WorkItem
from intempt_core.planning import Policy
from intempt_core.settings import Settings
from intempt_core.targets.target import sandbox_target
from intempt_core.transport import Attempt, open_client
from tests.bench.bench_send import PER_REQUEST, bodies, one_after_another
from tests.bench.harness import folder, fresh
from tests.bench.sending_model import TURN_REQUESTS, Constants, Cost
from tests.bench.track_server import track_server
from tests.bench.worker_runs import (
    SendingRun,
    list_connections,
    measure_sending,
    read_cpu_by_process,
    record_batch,
    run_workers,
    subtract_cpu,
)
from tests.postgres import Cluster, make_database

LANES = 8
GROUP_SIZES = 1, 2, 4, 8
"""How many requests are written in the transactions that are measured."""

TRANSACTIONS = 200
REQUESTS = 1_280
IDLE_SECONDS = 10.0
COMMITS = 200
HERE = "tests.bench.sending_constants"


@dataclass(frozen=True, slots=True)
class MeasuredConstants:
    """The constants of this machine, and what else was seen on the way.

    Attributes:
        constants: for the model.
        alone: a worker of one slot whose target does not wait; the CPU of the parts should add up to its CPU.
    """

    constants: Constants
    alone: SendingRun

    def add_up(self) -> float:
        """The CPU of a request in the worker of ``alone``, by the constants."""
        costs = self.constants
        client = [cost.client + cost.client_each for cost in (costs.before, costs.after)]
        return (
            sum(client) + costs.request + costs.take.client / TURN_REQUESTS + costs.idle.client / self.alone.per_second
        )


def measure_constants(cluster: Cluster, latency: float) -> MeasuredConstants:
    """Measure them all. It takes about a minute."""
    with make_database(cluster) as url:
        parts = fresh(f"{HERE}:measure_database", url)
    with track_server() as target:
        request = float(fresh(f"{HERE}:measure_request", target))
    idle = measure_idle(cluster)
    alone = measure_sending(cluster, workers=1, slots=1, lanes=1, requests=800, latency=0)
    with track_server(latency * 1000) as target:
        response = 1 / statistics.median(one_after_another(target) for _ in range(3))
    constants = Constants(
        request=request,
        before=Cost(**parts["before"]),
        after=Cost(**parts["after"]),
        take=Cost(**parts["take"]),
        turns=Cost(**parts["turns"]),
        idle=Cost(
            client=idle["client"] + parts["look"]["client"], database=idle["database"] + parts["look"]["database"]
        ),
        commit=parts["commit"],
        round_trip=parts["round_trip"],
        response=response,
        target=alone.target_cpu,
    )
    return MeasuredConstants(constants, alone)


def measure_idle(cluster: Cluster) -> Mapping[str, float]:
    """CPU seconds that a worker costs in each second in which it has nothing to send."""
    with ExitStack() as stack:
        url = stack.enter_context(make_database(cluster))
        target = stack.enter_context(track_server())
        history = stack.enter_context(closing(History.open(url)))
        (worker,) = stack.enter_context(run_workers(history, url, target, workers=1, slots=LANES))
        time.sleep(2)
        began, backends = time.monotonic(), list_connections(history)
        before = read_cpu_by_process([worker]), read_cpu_by_process(backends)
        time.sleep(IDLE_SECONDS)
        took = time.monotonic() - began
        client = subtract_cpu(read_cpu_by_process([worker]), before[0]) / took
        database = subtract_cpu(read_cpu_by_process(backends), before[1]) / took
    return {"client": client, "database": database}


# ── in processes of their own ─────────────────────────────────────────────────────────────────────────────────────────


def measure_request(url: str) -> float:
    """CPU seconds of a request in a worker's event loop: dispatch as it is, with a history that takes no time."""
    target = sandbox_target(url)
    environment = SendingEnvironment(Settings(), lambda _: target)
    stand_in = _QuickHistory([body for body, _ in bodies(REQUESTS)])
    writer = HistoryWriter(cast("History", stand_in), "bench")

    async def send() -> float:
        async with open_client(environment.settings) as client:
            sender = LaneSender(writer, "bench", client, target, policy=Policy.STOP, environment=environment)
            await sender.send_turn(1, TURN_REQUESTS)  # the connection is open from now on
            began = time.process_time()
            for _ in range(REQUESTS // TURN_REQUESTS - 1):
                assert (await sender.send_turn(1, TURN_REQUESTS)).sent == TURN_REQUESTS
            return time.process_time() - began

    took = asyncio.run(send())
    writer.close()
    return took / ((REQUESTS // TURN_REQUESTS - 1) * TURN_REQUESTS)


class _QuickHistory:
    """What dispatch sees of a history whose database takes no time."""

    def __init__(self, waiting: list[bytes]) -> None:
        self.queue = self
        self.database = SimpleNamespace(supports_nowait=False, lock_timeout=SimpleNamespace(shortened=False))
        self._waiting, self._numbers = waiting, count(1)

    def take(self, batch: str, lane: int, limit: int) -> list[WorkItem]:
        """The next requests."""
        some, self._waiting = self._waiting[:limit], self._waiting[limit:]
        return [
            WorkItem(next(self._numbers), batch, lane, 1, "", PER_REQUEST, 0, False, None, None, body) for body in some
        ]

    def apply_transitions(self, *_: object, **__: object) -> frozenset[int]:
        """Take them all."""
        return frozenset()


def measure_database(url: str) -> dict[str, Any]:
    """What the database's part costs: transactions, reading a lane, looking for work, a commit, a round trip."""
    with ExitStack() as stack:
        history = stack.enter_context(closing(History.open(url)))
        requests = LANES * (TRANSACTIONS * len(GROUP_SIZES) + 10)
        batch = record_batch(history, "http://127.0.0.1:9", lanes=LANES, requests=requests)
        owner = stack.enter_context(hold_process_name(history, stack.enter_context(folder())))
        for number in range(LANES):
            assert history.groups.claim(LaneGroup(batch, number, 0), owner)
        meter = stack.enter_context(closing(_StatementMeter(history)))
        lanes = [_LaneCursor(history, batch, lane + 1) for lane in range(LANES)]
        history.queue.apply_transitions([AttemptStart(lane.next().id, 0) for lane in lanes], owner=owner)
        series = [_measure_transactions(history, meter, lanes[:size], owner) for size in GROUP_SIZES]
        take = _measure_calls(history, meter, lambda: history.queue.take(batch, 1, TURN_REQUESTS), 40)
        look = _measure_calls(history, meter, history.groups.find_work, 40)
        history.control.set_state(batch, BatchState.CANCELLED, "It was measured.")
        return {
            "before": _fit_cost([one.before for one in series]),
            "after": _fit_cost([one.after for one in series]),
            "take": take,
            "look": {"client": look["client"], "database": look["database"]},
            **_measure_small_statements(history),
        }


@dataclass(slots=True)
class _Part:
    client: float = 0.0
    waited: float = 0.0
    statements: float = 0.0
    database: float = 0.0


@dataclass(slots=True)
class _Series:
    before: _Part
    after: _Part


@dataclass(slots=True)
class _LaneCursor:
    history: History
    batch: str
    lane: int
    items: list[WorkItem] = field(default_factory=list)
    current: WorkItem | None = None

    def next(self) -> WorkItem:
        if not self.items:
            self.items = self.history.queue.take(self.batch, self.lane, 500)
        self.current = self.items.pop(0)
        return self.current


class _StatementMeter:
    """Notes when a thread begins each statement of a transaction, and for how long it waits for the answer."""

    def __init__(self, history: History) -> None:
        self._engine, self._thread = history.database.engine, threading.get_ident()
        self._began = 0.0, 0.0
        self.statements: list[tuple[bool, float, float]] = []  # counts its second; CPU before it; waited
        event.listen(self._engine, "before_cursor_execute", self._begin)
        event.listen(self._engine, "after_cursor_execute", self._end)

    def close(self) -> None:
        event.remove(self._engine, "before_cursor_execute", self._begin)
        event.remove(self._engine, "after_cursor_execute", self._end)

    def _begin(self, _conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if threading.get_ident() != self._thread:
            return
        self.statements.append(("INTO seconds" in statement, time.thread_time(), 0.0))
        self._began = time.perf_counter(), time.thread_time()

    def _end(self, *_given: Any) -> None:
        if threading.get_ident() != self._thread:
            return
        began, cpu = self._began
        counts, before, _ = self.statements[-1]
        waited = time.perf_counter() - began - (time.thread_time() - cpu)
        self.statements[-1] = counts, before, max(waited, 0.0)


def _measure_transactions(
    history: History, meter: _StatementMeter, lanes: Sequence[_LaneCursor], owner: str
) -> _Series:
    """Transactions as a worker writes them: of each lane the end of a request, and the start of the next one."""
    before, after = list[_Part](), list[_Part]()
    backends = list_connections(history)
    cpu = read_cpu_by_process(backends)
    for _ in range(TRANSACTIONS):
        transitions: list[Transition] = []
        for lane in lanes:
            assert lane.current
            transitions.append(AttemptEnd(lane.current.id, _make_attempt(history)))
            transitions.append(AttemptStart(lane.next().id, 0))
        meter.statements.clear()
        began = time.thread_time()
        assert not history.queue.apply_transitions(transitions, owner=owner)
        ended = time.thread_time()
        (counting,) = [number for number, one in enumerate(meter.statements) if one[0]]
        split = meter.statements[counting][1]
        before.append(_Part(split - began, *_sum_waits(meter.statements[:counting])))
        after.append(_Part(ended - split, *_sum_waits(meter.statements[counting:])))
    used = subtract_cpu(read_cpu_by_process(backends), cpu) / TRANSACTIONS
    first, second = _take_median(before), _take_median(after)
    waited = first.waited + second.waited
    first.database, second.database = used * first.waited / waited, used * second.waited / waited
    return _Series(first, second)


def _sum_waits(statements: Sequence[tuple[bool, float, float]]) -> tuple[float, float]:
    return sum(one[2] for one in statements), len(statements)


def _take_median(parts: Sequence[_Part]) -> _Part:
    return _Part(
        *(statistics.median(getattr(part, name) for part in parts) for name in ("client", "waited", "statements"))
    )


def _fit_cost(parts: Sequence[_Part]) -> dict[str, float]:
    """A cost that grows evenly with the requests of a transaction."""
    client = statistics.linear_regression(GROUP_SIZES, [part.client for part in parts])
    database = statistics.linear_regression(GROUP_SIZES, [part.database for part in parts])
    return {
        "client": max(client.intercept, 0.0),
        "client_each": max(client.slope, 0.0),
        "database": max(database.intercept, 0.0),
        "database_each": max(database.slope, 0.0),
        "statements": round(statistics.median(part.statements for part in parts)),
    }


def _make_attempt(history: History) -> Attempt:
    return Attempt(
        outcome=Outcome.ACCEPTED,
        status=201,
        reason="",
        started_at=history.database.clock() - 50,
        elapsed_ms=50.0,
        headers=(("content-type", "application/json"), ("content-length", "2")),
        sent_headers=(("content-type", "application/json"), ("content-length", "10000")),
        response_body=b"{}",
        response_length=2,
    )


def _measure_calls(
    history: History, meter: _StatementMeter, call: Callable[[], object], times: int
) -> dict[str, float]:
    backends = list_connections(history)
    cpu, began = read_cpu_by_process(backends), time.thread_time()
    for _ in range(times):
        meter.statements.clear()
        call()
    client = (time.thread_time() - began) / times
    database = subtract_cpu(read_cpu_by_process(backends), cpu) / times
    return {"client": client, "database": database, "statements": len(meter.statements)}


def _measure_small_statements(history: History) -> dict[str, Any]:
    """A round trip, a commit, and the taking of a target's turns: one row that is written."""
    engine, backends = history.database.engine, list_connections(history)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE bench_turns (free_from bigint)"))
        connection.execute(text("INSERT INTO bench_turns VALUES (0)"))

    def write(commit: str) -> float:
        began = time.perf_counter()
        with engine.begin() as connection:
            connection.execute(text(f"SET LOCAL synchronous_commit = {commit}"))
            connection.execute(text("UPDATE bench_turns SET free_from = free_from + 1"))
        return time.perf_counter() - began

    with_disk, without = ([write(commit) for _ in range(COMMITS)] for commit in ("on", "off"))
    with engine.connect() as connection:
        asked = text("SELECT 1")
        cpu, thread, began = read_cpu_by_process(backends), time.thread_time(), time.perf_counter()
        for _ in range(COMMITS):
            connection.execute(asked)
        took, client = time.perf_counter() - began, time.thread_time() - thread
        one_query = subtract_cpu(read_cpu_by_process(backends), cpu) / COMMITS
    cpu, thread = read_cpu_by_process(backends), time.thread_time()
    for _ in range(COMMITS):
        with engine.begin() as connection:
            connection.execute(text("UPDATE bench_turns SET free_from = free_from + 1"))
    turns = {
        "client": (time.thread_time() - thread) / COMMITS,
        "database": subtract_cpu(read_cpu_by_process(backends), cpu) / COMMITS,
        "statements": 1,
    }
    return {
        "commit": max(statistics.median(with_disk) - statistics.median(without), 0.0),
        "round_trip": max((took - client) / COMMITS - one_query, 0.0),
        "turns": turns,
    }
