"""Workers on one PostgreSQL: what a second one adds, and what faults do to them (``docs/reliability.md``).

The ratio of a fault is the number of requests of which anything is wrong, and is to be 0: lost, doubled without history
saying so, or out of order among those whose outcome is known. What was *overtaken* is counted beside it.
"""

import contextlib
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from intempt_core.dispatch import hold_process_name, make_batch_intent
from intempt_core.errors import NotAllowed
from intempt_core.history import BatchState, History, RequestIntent
from intempt_core.planning.plan import Policy, plan_events
from intempt_core.targets.target import sandbox_target
from tests.bench.bench_send import PER_REQUEST, bodies
from tests.bench.harness import Figures, alternating, bench, folder
from tests.bench.track_server import track_server
from tests.core.dispatch.factories import plan_of
from tests.core.dispatch.stalling_proxy import StallingProxy, stalling
from tests.core.dispatch.worker_scene import WorkerScene, count_wrong
from tests.postgres import Cluster, find_programs, make_database, run_cluster

SLOTS = 8
LATENCY_MS = 50
LANES = 64
REQUESTS = 2_000
PERSONS = 24
SLOW_SECONDS = 0.4
"""How long a target takes where the batch is to outlast the faults; what is left of it then is cancelled."""

DURABLE = ("fsync=on", "synchronous_commit=on")
"""Settings of a server that keeps what it has committed."""


@bench("send.workers", at_least=1.8)
def workers() -> Figures:
    """Requests a second of two workers over those of one, eight slots each, at a target with 50 ms latency."""
    with track_server(LATENCY_MS) as url, run_cluster(find_programs(), DURABLE) as cluster:
        two, one = alternating(lambda: send_by(cluster, url, 2), lambda: send_by(cluster, url, 1), times=3)
    return {
        "ratio": two / one,
        "two_requests_s": two,
        "one_requests_s": one,
        "slots": SLOTS,
        "latency_ms": LATENCY_MS,
        "requests": REQUESTS,
    }


def send_by(cluster: Cluster, url: str, many: int) -> float:
    """Requests a second of so many workers, from the first request's start to the last outcome."""
    with make_database(cluster) as database, folder() as data, ExitStack() as opened:
        history = History.open(database)
        opened.callback(history.close)
        scene = WorkerScene(database, data, opened, url, history, {"CONSOLE_LANES_AT_ONCE": str(SLOTS)})
        for _ in range(many):
            scene.start()
        with hold_process_name(history, data) as recorder:
            intent = make_batch_intent(
                plan_events([]), sandbox_target(url), rows=REQUESTS * PER_REQUEST, groups=32, recorder=recorder
            )
            requests = (
                RequestIntent(number % LANES + 1, number // LANES, body, [])
                for number, (body, _) in enumerate(bodies(REQUESTS))
            )
            batch = history.recorder.record(intent, requests)
        assert scene.over(batch, 300).state is BatchState.DONE
        with history.database.reading() as connection:
            first = connection.execute(text("SELECT min(started_at) FROM attempts")).scalar_one()
            last = connection.execute(text("SELECT max(updated_at) FROM requests")).scalar_one()
        return REQUESTS / (float(last - first) / 1000)


@bench("faults.workers.kill", at_most=0)
def kill(kills: int = 20) -> Figures:
    """One of two workers is killed (SIGKILL) again and again, and another one started in its place."""
    with shared(PERSONS * 600, pause=SLOW_SECONDS) as at:
        slowest, killed = 0.0, 0
        while killed < kills and at.is_active():
            victim = at.scene.children[killed]
            name = at.scene.name_of(victim)
            at.until_owner(name, owns=True)
            victim.kill()
            killed, began = killed + 1, time.monotonic()
            at.until_owner(name, owns=False)
            slowest = max(slowest, time.monotonic() - began)
            at.scene.start()
        return at.reckon(kills=killed, slowest_takeover_s=slowest)


@bench("faults.workers.freeze", at_most=0)
def freeze(times: int = 3) -> Figures:
    """One of two workers is frozen (SIGSTOP) until it is taken over, and thaws while the other sends."""
    with shared(PERSONS * 300, pause=SLOW_SECONDS) as at:
        frozen, freezes = at.scene.children[0], 0
        name = at.scene.name_of(frozen)
        while freezes < times:
            at.until_owner(name, owns=True)
            if not at.is_active():
                break
            frozen.send(signal.SIGSTOP)
            at.until_owner(name, owns=False)
            frozen.send(signal.SIGCONT)
            at.scene.until(lambda: at.scene.name_of(frozen))
            freezes += 1
        return at.reckon(freezes=freezes)


@bench("faults.workers.network", at_most=0)
def network() -> Figures:
    """The network between one of two workers and the database is cut, then stalled, each until it is taken over."""
    with shared(PERSONS * 300, pause=SLOW_SECONDS, through_proxy=True) as at:
        far, faults = at.scene.children[0], 0
        name = at.scene.name_of(far)
        for break_network in (at.proxy.cut, at.proxy.stall):
            at.until_owner(name, owns=True)
            if not at.is_active():
                break
            break_network()
            at.until_owner(name, owns=False)
            at.proxy.heal()
            at.scene.until(lambda: at.scene.name_of(far))
            faults += 1
        return at.reckon(faults=faults)


@bench("faults.workers.restart", at_most=0)
def restart(times: int = 5) -> Figures:
    """PostgreSQL is stopped hard (SIGQUIT) and started again while two workers send."""
    with shared(PERSONS * 150) as at:
        restarts = 0
        while restarts < times and at.is_active():
            sent = at.scene.count_received()
            at.scene.until_received(sent + 200, at.batch)
            at.cluster.restart(signal.SIGQUIT)
            restarts += 1
        return at.reckon(restarts=restarts)


@dataclass(frozen=True)
class SharedBatch:
    """Two workers in the middle of a batch.

    Attributes:
        scene: the workers, their database and their target.
        cluster: the server of the database.
        proxy: what is between the first worker and the database, where that was asked for.
        batch: the batch's id.
        events: how many events it has, each a request.
    """

    scene: WorkerScene
    cluster: Cluster
    proxy: StallingProxy
    batch: str
    events: int

    def is_active(self) -> bool:
        return self.scene.is_active(self.batch)

    def until_owner(self, name: str, *, owns: bool) -> None:
        """Wait until a worker has a part of the batch, or none any more, or the batch is over."""
        seconds = 60 if owns else 30
        self.scene.until(lambda: (name in self.scene.owners(self.batch)) is owns or not self.is_active(), seconds)

    def reckon(self, **facts: float) -> Figures:
        """Cancel what is left, wait for the end, and hold what arrived against history."""
        with contextlib.suppress(NotAllowed):  # it is over
            self.scene.history.control.set_state(self.batch, BatchState.CANCELLED)
        found = self.scene.over(self.batch, 600)
        wrong = count_wrong(self.scene, self.batch, self.events, PERSONS)
        states = {f"events_{state.value.replace(' ', '_')}": count for state, count in found.events.items() if count}
        return {"ratio": sum(wrong.values()), **wrong, "overtaken": found.overtaken, **states, **facts}


@contextlib.contextmanager
def shared(events: int, *, pause: float = LATENCY_MS / 1000, through_proxy: bool = False) -> Iterator[SharedBatch]:
    """Two workers in the middle of a batch, on a server that keeps what it has committed."""
    with ExitStack() as opened:
        cluster = opened.enter_context(run_cluster(find_programs(), DURABLE))
        database = opened.enter_context(make_database(cluster))
        data = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        proxy = opened.enter_context(stalling(cluster.port))
        scene = WorkerScene.open(database, data, opened, pause=pause)
        far = database.replace(f":{cluster.port}/", f":{proxy.port}/")
        scene.start(far if through_proxy else "")
        scene.start()
        batch = scene.record(plan_of(events, persons=PERSONS), Policy.GO_ON)
        scene.until(lambda: len(scene.owners(batch)) == 2 and scene.count_received() > 50)
        yield SharedBatch(scene, cluster, proxy, batch, events)
