"""Worker processes on one PostgreSQL database, a target that notes what it got, and what history says of it."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from intempt_core.contract.outcome import Outcome
from intempt_core.dispatch import hold_process_name
from intempt_core.dispatch.one_shot import make_batch_intent
from intempt_core.history import BatchState, BatchSummary, History, RequestState, WorkerKind, make_request_blocks
from intempt_core.planning.plan import Plan, Policy
from intempt_core.targets.target import Target, sandbox_target
from tests.core.dispatch.factories import OK, Decide, decides, ids
from tests.core.transport.fault_server import Received, hostile

PROJECT = Path(__file__).parents[3]


@dataclass(eq=False)
class WorkerChild:
    """A worker process of a test.

    Attributes:
        process: the process.
        folder: its data folder.
    """

    process: subprocess.Popen[str]
    folder: Path

    @property
    def log(self) -> str:
        return (self.folder / "stderr").read_text()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self, seconds: float = 30) -> int:
        """Ask it to end, and wait; its exit code."""
        self.send(signal.SIGTERM)
        return self.process.wait(seconds)


@dataclass(eq=False)
class WorkerScene:
    """One database with its workers and their target."""

    url: str
    folder: Path
    opened: ExitStack
    target_url: str
    history: History
    settings: Mapping[str, str] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    children: list[WorkerChild] = field(default_factory=list)

    @classmethod
    def open(
        cls, url: str, folder: Path, opened: ExitStack, decide: Decide = lambda _: OK, pause: float = 0.0
    ) -> "WorkerScene":
        server = opened.enter_context(hostile(decides(decide, pause)))
        history = History.open(url)
        opened.callback(history.close)
        return cls(url, folder, opened, server.url, history, received=server.received)

    @property
    def target(self) -> Target:
        return sandbox_target(self.target_url)

    @property
    def arrived(self) -> list[str]:
        """Every event id that the target has read, in order of arrival, as often as it came."""
        return [text for received in self.received for text in ids(received.body)]

    def start(self, url: str = "", **environment: str) -> WorkerChild:
        """Start a worker, and wait until its lease is there."""
        folder = self.folder / f"worker-{len(self.children)}"
        folder.mkdir()
        before = len(self.history.workers.list_alive([WorkerKind.WORKER]))
        with (folder / "stderr").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "intempt_core", "worker"],
                cwd=PROJECT,
                env=self.environment(folder) | {"CONSOLE_DATABASE_URL": url or self.url} | environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
                text=True,
            )
        child = WorkerChild(process, folder)
        self.children.append(child)
        self.opened.callback(child.kill)
        self.until(lambda: len(self.history.workers.list_alive([WorkerKind.WORKER])) > before, 60, child)
        return child

    def environment(self, folder: Path) -> dict[str, str]:
        return os.environ | {
            "CONSOLE_DATABASE_URL": self.url,
            "CONSOLE_DATA": str(folder),
            "CONSOLE_SANDBOX": self.target_url,
            "CONSOLE_LANES_AT_ONCE": "8",
            "CONSOLE_BACKOFF_SECONDS": "0.01",
            "CONSOLE_BACKOFF_LIMIT_SECONDS": "0.05",
            **self.settings,
        }

    def record(self, plan: Plan, policy: Policy = Policy.STOP, target: Target | None = None) -> str:
        with hold_process_name(self.history, self.folder) as recorder:
            intent = make_batch_intent(
                plan,
                target or self.target,
                policy=policy,
                groups=self.history.groups.count_groups(plan.lanes),
                recorder=recorder,
            )
            return self.history.recorder.record(intent, make_request_blocks(plan))

    def until(self, holds: Callable[[], object], seconds: float = 60, child: WorkerChild | None = None) -> None:
        until = time.monotonic() + seconds
        while not holds():
            ended = child is not None and child.process.poll() is not None
            if ended or time.monotonic() > until:
                logs = "\n".join(f"--- {one.process.pid}\n{one.log[-3000:]}" for one in self.children)
                raise AssertionError(f"it did not happen in time\n{logs}")
            time.sleep(0.02)

    def over(self, batch: str, seconds: float = 90) -> BatchSummary:
        self.until(lambda: not self.history.queries.batch(batch).is_active, seconds)
        return self.history.queries.batch(batch)

    def settle(self, batch: str) -> BatchSummary:
        """Resume a batch that has stopped for what is unknown, until it is done."""
        while (found := self.over(batch)).state is BatchState.STOPPED:
            self.history.control.resume(batch)
        return found

    def name_of(self, child: WorkerChild) -> str:
        """The name in history of a worker; empty where it has no lease."""
        return next((one.name for one in self.history.workers.list_alive() if one.pid == child.process.pid), "")

    def owners(self, batch: str) -> Mapping[str, int]:
        return self.history.groups.list_owners(batch)

    def count_received(self) -> int:
        return len(self.received)

    def until_received(self, requests: int, batch: str) -> None:
        """Wait until the target got so many requests, or the batch is over."""
        self.until(lambda: self.count_received() > requests or not self.is_active(batch))

    def is_active(self, batch: str) -> bool:
        return self.history.queries.batch(batch).is_active


def check_truth(scene: WorkerScene, batch: str, plan: Plan, persons: int) -> None:
    """What was sent and what history says of it agree: nothing lost, doubled in silence, or reordered."""
    assert not any(count_wrong(scene, batch, plan.events, persons).values())


def count_wrong(scene: WorkerScene, batch: str, events: int, persons: int) -> dict[str, int]:
    """How many events are wrong, by what is wrong with them.

    *Lost*: in no state, or said to be accepted and never arrived. *Silent*: arrived and said to be neither accepted nor
    unknown, or arrived more often than history has attempts that may have brought them. *Reordered*: of a person's
    events whose outcome is known, the first arrivals are not in the person's order.
    """
    arrived = Counter(scene.arrived)
    tries: dict[str, int] = {}
    accepted: set[str] = set()
    for state in (RequestState.UNKNOWN, RequestState.ACCEPTED):
        number = 1
        while (page := scene.history.queries.requests(batch, state, page=number)).items:
            for summary in page.items:
                request = scene.history.queries.request(summary.id)
                names = ids(request.body)
                accepted.update(names if state is RequestState.ACCEPTED else ())
                brought = sum(one.outcome is not Outcome.NOT_SENT for one in request.attempts)
                tries.update(dict.fromkeys(names, brought))
            number += 1
    recorded = sum(scene.history.queries.batch(batch).events.values())
    known: dict[int, list[int]] = defaultdict(list)
    for name in arrived:  # in the order of the first arrivals
        if name in accepted:
            known[int(name[1:]) % persons].append(int(name[1:]))
    return {
        "lost": abs(events - recorded) + len(accepted - set(arrived)),
        "silent": sum(count > tries.get(name, 0) for name, count in arrived.items()),
        "reordered": sum(numbers != sorted(numbers) for numbers in known.values()),
    }
