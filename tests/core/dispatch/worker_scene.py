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

from intempt_core.dispatch import hold_process_name
from intempt_core.dispatch.one_shot import make_batch_intent
from intempt_core.history import BatchState, BatchSummary, History, RequestState, WorkerKind, make_request_blocks
from intempt_core.planning.plan import Plan, Policy
from intempt_core.targets.target import Target, sandbox_target
from tests.core.dispatch.factories import OK, Decide, decides, got, ids
from tests.core.transport.fault_server import HostileServer, hostile

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
    server: HostileServer
    history: History
    children: list[WorkerChild] = field(default_factory=list)

    @classmethod
    def open(
        cls, url: str, folder: Path, opened: ExitStack, decide: Decide = lambda _: OK, pause: float = 0.0
    ) -> "WorkerScene":
        server = opened.enter_context(hostile(decides(decide, pause)))
        history = History.open(url)
        opened.callback(history.close)
        return cls(url, folder, opened, server, history)

    @property
    def target(self) -> Target:
        return sandbox_target(self.server.url)

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
            "CONSOLE_SANDBOX": self.server.url,
            "CONSOLE_LANES_AT_ONCE": "8",
            "CONSOLE_BACKOFF_SECONDS": "0.01",
            "CONSOLE_BACKOFF_LIMIT_SECONDS": "0.05",
        }

    def record(self, plan: Plan, policy: Policy = Policy.STOP, groups: int = 32) -> str:
        with hold_process_name(self.history, self.folder) as recorder:
            intent = make_batch_intent(
                plan, self.target, policy=policy, groups=min(plan.lanes, groups), recorder=recorder
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
        return len(self.server.received)


def check_truth(scene: WorkerScene, batch: str, plan: Plan, persons: int) -> None:
    """What was sent and what history says of it agree: nothing lost, doubled in silence, or reordered.

    Among the requests of a person whose outcome is known the first arrivals are in the person's order.
    """
    arrived = Counter(got(scene.server))
    found = scene.history.queries.batch(batch)
    assert sum(found.events.values()) == plan.events
    unknown: set[str] = set()
    accepted: set[str] = set()
    for state, names in ((RequestState.UNKNOWN, unknown), (RequestState.ACCEPTED, accepted)):
        for request in scene.history.queries.requests(batch, state, size=10_000).items:
            names.update(ids(scene.history.queries.request(request.id).body))
    assert accepted <= set(arrived), "what is said to be accepted never arrived"
    assert set(arrived) <= accepted | unknown, "what arrived is said to be neither accepted nor unknown"
    doubled = {name for name, count in arrived.items() if count > 1}
    told = {
        name
        for state in (RequestState.UNKNOWN, RequestState.ACCEPTED)
        for request in scene.history.queries.requests(batch, state, size=10_000).items
        if sum(one.outcome.value != "not sent" for one in scene.history.queries.request(request.id).attempts) > 1
        for name in ids(scene.history.queries.request(request.id).body)
    }
    assert doubled <= told, "a double of which history says nothing"
    first: dict[int, list[int]] = defaultdict(list)
    for name in dict.fromkeys(got(scene.server)):
        if name in accepted:
            first[int(name[1:]) % persons].append(int(name[1:]))
    for person, numbers in first.items():
        assert numbers == sorted(numbers), f"person {person} out of order"
