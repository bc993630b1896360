"""Factories for tests of dispatch: a history, plans, a target that responds as a test says."""

import asyncio
import json
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intempt_core.contract.fields import Json, now_ms
from intempt_core.contract.issues import Place
from intempt_core.contract.rules import GivenEvent
from intempt_core.contract.sandbox_api import SANDBOX_PATH_PREFIX
from intempt_core.dispatch import Dispatcher, SendingEnvironment, TurnResult
from intempt_core.dispatch.history_writer import HistoryWriter
from intempt_core.dispatch.lane_sender import LaneSender
from intempt_core.dispatch.one_shot import make_batch_intent
from intempt_core.history import BatchState, BatchSummary, History, RequestState, make_request_blocks
from intempt_core.planning.plan import Plan, Policy, plan_events
from intempt_core.settings import Settings
from intempt_core.targets.target import Target, sandbox_target
from intempt_core.transport.exchange import HttpClient, open_client
from tests.core.transport.fault_server import Behaviour, Connection, HostileServer, Received, hostile, http

OK = http(201, b"{}")
LOST = b"\0lost"
"""A response that never comes: the connection is reset after the request was read."""
SILENCE = b"\0silence"
"""A response that never comes: the connection stays open and silent."""

Decide = Callable[[Received], bytes]


def decides(decide: Decide, pause: float = 0.0, gate: threading.Event | None = None) -> Behaviour:
    """Respond to each request as a function of it says, after a pause of so many seconds, and once a gate is open."""

    async def behave(connection: Connection) -> None:
        while True:
            received = await connection.request()
            if received.path.startswith(SANDBOX_PATH_PREFIX):  # it is no sandbox, though its target is
                connection.server.received.remove(received)
                await connection.send(http(404))
                continue
            response = decide(received)
            await asyncio.sleep(pause)
            if gate is not None:
                await asyncio.to_thread(gate.wait, 120)
            if response == LOST:
                connection.reset()
                return
            if response == SILENCE:
                await asyncio.sleep(60)
            await connection.send(response)

    return behave


def event(number: int, person: int, name: str = "Product viewed") -> GivenEvent:
    body = {"eventId": f"e{number}", "userId": f"u{person}", "data": {"productId": f"p{number}"}}
    return GivenEvent(name, body, Place(row=number + 1))


def plan_of(events: int, persons: int = 1, per_request: int = 1) -> Plan:
    given = [event(number, number % persons) for number in range(events)]
    return plan_events(given, settings=Settings(events_per_request=per_request))


def ids(body: bytes) -> list[str]:
    """The event ids of a body, in order."""
    return [item["eventId"] for group in json.loads(body)["track"] for item in group["payload"]]


def got(server: HostileServer) -> list[str]:
    """Every event id that the server has read, in order of arrival, as often as it came."""
    return [text for received in server.received for text in ids(received.body)]


@dataclass
class Setup:
    """A data folder with its history, and a target that is a server of the test."""

    history: History
    settings: Settings
    target: Target

    def record(self, plan: Plan, policy: Policy = Policy.STOP, owner: str = "me", **given: Json) -> str:
        return self.history.recorder.record(
            make_batch_intent(plan, self.target, policy=policy, owner=owner, **given), make_request_blocks(plan)
        )

    def drive(self, batch: str, owner: str = "me", limit: int = 640, clock: Callable[[], int] = now_ms) -> TurnResult:
        async def once() -> TurnResult:
            async with open_client(self.settings) as client:
                return await drive(
                    self.history,
                    batch,
                    [lane.lane for lane in self.history.queue.lanes(batch)],
                    client,
                    self.target,
                    owner=owner,
                    policy=self.history.queries.batch(batch).policy,
                    settings=self.settings,
                    limit=limit,
                    clock=clock,
                )

        return asyncio.run(once())

    def dispatcher(self, **given: Json) -> Dispatcher:
        clock = {"clock": given.pop("clock")} if "clock" in given else {}
        environment = SendingEnvironment(self.settings, lambda _: self.target, **clock)
        usual: dict[str, Any] = {"owner": "me", "poll_seconds": 0.05}
        return Dispatcher(self.history, environment, **usual | given)

    def until(self, holds: Callable[[], object], seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, "it did not happen in time"
            time.sleep(0.01)

    def over(self, batch: str) -> BatchSummary:
        self.until(lambda: not self.history.queries.batch(batch).is_active)
        return self.history.queries.batch(batch)

    def counts(self, batch: str) -> dict[str, int]:
        return {state.value: count for state, count in self.history.queries.batch(batch).requests.items() if count}

    def state(self, batch: str) -> BatchState:
        return self.history.queries.batch(batch).state

    def outcomes(self, batch: str, state: RequestState | None = None) -> list[list[str]]:
        """The outcomes of every attempt of every request, in the order of the lane."""
        found = self.history.queries.requests(batch, state).items
        ordered = sorted(found, key=lambda one: (one.lane, one.position, one.part))
        return [[attempt.outcome.value for attempt in self.history.queries.request(one.id).attempts] for one in ordered]


class Scene:
    """Opens servers, setups and dispatchers (``durable`` ones have an engine), and closes them in the right order."""

    def __init__(self, folder: Path, opened: ExitStack, *, durable: bool = False, database: str = "") -> None:
        self.folder, self.opened, self.durable, self.database = folder, opened, durable, database

    def make_setup(
        self, decide: Decide = lambda _: OK, pause: float = 0.0, **settings: Json
    ) -> tuple[Setup, HostileServer]:
        server = self.opened.enter_context(hostile(decides(decide, pause)))
        made = make_setup(self.folder, server.url, database=self.database, **settings)
        self.opened.callback(made.history.close)
        return made, server

    def started(self, at: Setup, **given: Json) -> Dispatcher:
        made = at.dispatcher(**given)
        self.opened.callback(made.stop, 0.2)
        made.start(durable=self.durable)
        return made


async def drive(
    history: History,
    batch: str,
    lanes: Sequence[int],
    client: HttpClient,
    target: Target,
    *,
    owner: str,
    policy: Policy,
    settings: Settings,
    limit: int = 640,
    clock: Callable[[], int] = now_ms,
    rng: random.Random | None = None,
) -> TurnResult:
    """Send up to about ``limit`` requests of these lanes side by side; whether there is more, and when."""
    writer = HistoryWriter(history, owner)
    environment = SendingEnvironment(settings, lambda _: target, clock, rng or random.Random())
    sender = LaneSender(writer, batch, client, target, policy=policy, environment=environment)
    places = asyncio.Semaphore(settings.lanes_at_once)
    each = max(1, limit // max(1, len(lanes)))

    async def one(lane: int) -> TurnResult:
        async with places:
            return await sender.send_turn(lane, each)

    try:
        wanted = set(lanes).intersection(await sender.open_lanes())
        turns = await asyncio.gather(*(one(lane) for lane in sorted(wanted)))
    finally:
        await writer.flush()
        writer.close()
    sent, more = sum(turn.sent for turn in turns), [turn.wait_seconds for turn in turns if turn.has_more]
    return TurnResult(sent, has_more=bool(more) and not sender.halt.is_set(), wait_seconds=min(more, default=0.0))


def workflows(at: Setup) -> list[tuple[str, str]]:
    """The engine's workflows, oldest first: the last executor of each, and its status."""
    with closing(sqlite3.connect(at.settings.data / "engine.sqlite3")) as opened:
        found = opened.execute("SELECT executor_id, status FROM workflow_status ORDER BY rowid")
        return found.fetchall()


def make_setup(folder: Path, url: str, *, database: str = "", **given: Json) -> Setup:
    quick: dict[str, Any] = {
        "backoff_seconds": 0.01,
        "backoff_limit_seconds": 0.05,
        "connect_seconds": 2,
        "read_seconds": 10,
    }
    settings = Settings(data=folder, database_url=database, **quick | given)
    return Setup(History.open(settings.history_url, busy_seconds=0.1), settings, sandbox_target(url))
