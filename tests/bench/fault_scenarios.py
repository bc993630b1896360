"""What a fault is caused to: a console in a process of its own, which sends to a sandbox in another."""

import base64
import contextlib
import json
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.consoles import Console, free_port, screen, start
from tests.bench.harness import ROOT, Figures, folder
from tests.bench.lossy_proxy import faulty
from tests.bench.reconciliation import reckon

if TYPE_CHECKING:
    from intempt_core.history.history import History
    from intempt_core.planning.plan import Policy

PER_REQUEST = 5
PERSONS = 500
QUICK = {"CONSOLE_BACKOFF_SECONDS": "0.05", "CONSOLE_READ_SECONDS": "2"}


@dataclass
class Sandbox:
    """The sandbox in a process of its own, which survives what happens to the console."""

    data: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve, and wait until it answers."""
        command = [sys.executable, "-m", "intempt_core", "sandbox", "--port", str(self.port), "--latency-ms", "2"]
        environment = {"CONSOLE_DATA": str(self.data), "PATH": ""}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        until(self._answers, 60)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return bool(self.received(1) is not None)
        return False

    def kill(self) -> None:
        """As a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def received(self, limit: int = 10_000) -> list[tuple[str, str]]:
        """Every event that it has stored, as (event id, person), in order of arrival; with 1, of the first page."""
        return read_received(self.url, limit)


def read_received(url: str, limit: int = 10_000) -> list[tuple[str, str]]:
    """Every event that a sandbox has stored, as (event id, person), in order of arrival; with 1, of the first page."""
    found: list[tuple[str, str]] = []
    after: int | None = 0
    while after is not None:
        asked = urllib.request.Request(f"{url}/_sandbox/events?limit={limit}&after={after}")
        asked.add_header("Authorization", "Basic " + base64.b64encode(b"sandbox:sandbox").decode())
        with urllib.request.urlopen(asked, timeout=60) as answer:
            page = json.load(answer)
        found += [(item["event"]["eventId"], item["event"]["userId"]) for item in page["events"]]
        after = page["next"] if limit > 1 else None
    return found


@dataclass
class Scene:
    """A data folder with a history, a sandbox, and whatever console runs at the moment."""

    data: Path
    sandbox: Sandbox
    history: "History"
    environment: Mapping[str, str]
    caused: "Counter[str]"
    """How often each fault was caused on the way to the sandbox."""
    batch: str = ""
    running: Console | None = None

    def record(self, requests: int, policy: "Policy | None" = None) -> None:
        """A batch of so many requests that any console may send, by a person's policy."""
        from intempt_core.dispatch.one_shot import make_batch_intent
        from intempt_core.history import make_request_blocks
        from intempt_core.planning.plan import Policy
        from intempt_core.targets.target import sandbox_target
        from tests.core.dispatch.factories import plan_of

        plan = plan_of(requests * PER_REQUEST, PERSONS, PER_REQUEST)
        intent = make_batch_intent(
            plan, sandbox_target(self.environment["CONSOLE_SANDBOX"]), policy=policy or Policy.RESEND
        )
        self.batch = self.history.recorder.record(intent, make_request_blocks(plan))

    def console(self, *, wait: bool = True) -> Console:
        """Start a console."""
        self.running = start(self.data, self.environment, wait=wait)
        return self.running

    def until_through(self, requests: int) -> None:
        """Wait until so many requests were accepted."""
        until(lambda: self.through() >= requests)

    def owner(self) -> str:
        """Whose the batch is."""
        return next(found.owner for found in self.history.queue.unfinished() if found.id == self.batch)

    def through(self) -> int:
        """Requests that were accepted, asked of the file itself."""
        with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, timeout=30)) as connection:
            return int(connection.execute("SELECT count(*) FROM requests WHERE state = 'accepted'").fetchone()[0])

    def overtaken(self) -> int:
        """Requests that left, or may have, although an unknown one stands before them in their lane."""
        asked = (
            "SELECT count(*) FROM requests later WHERE state != 'pending' AND EXISTS (SELECT 1 FROM requests earlier"
            " WHERE earlier.batch = later.batch AND earlier.lane = later.lane"
            " AND earlier.position < later.position AND earlier.state = 'unknown')"
        )
        with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, timeout=30)) as connection:
            return int(connection.execute(asked).fetchone()[0])

    @property
    def file(self) -> Path:
        """History's."""
        return self.data / "history.sqlite3"

    def is_over(self) -> bool:
        """Whether the batch is done."""
        from intempt_core.errors import HistoryUnavailable

        try:
            return self.history.queries.batch(self.batch).is_final
        except HistoryUnavailable:
            return False

    def reckoned(self, running: Console, **more: Any) -> Figures:
        """The end: what became of all events, with what the screen says of them."""
        said = screen(running, "history", f"batch={self.batch}").words
        return {**reckon(self.file, self.batch, self.sandbox.received(), said).figures, **more}


@contextlib.contextmanager
def scene(
    data: Path | None = None, faults: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Iterator[Scene]:
    """A scene for one fault, or with a tenth each of ``faults`` before the sandbox; ``data`` is the console folder."""
    from intempt_core.history.history import History
    from intempt_core.settings import Settings

    with folder() as where, contextlib.ExitStack() as opened:
        home = data or where / "console"
        home.mkdir(exist_ok=True)
        sandbox = Sandbox(where / "sandbox")
        opened.callback(sandbox.kill)
        sandbox.start()
        url, caused = sandbox.url, Counter[str]()
        if faults:
            url, caused = opened.enter_context(faulty(sandbox.url, faults))
        history = opened.enter_context(closing(History.open(Settings(data=home).history_url, busy_seconds=1)))
        made = Scene(home, sandbox, history, {**QUICK, "CONSOLE_SANDBOX": url, **(environment or {})}, caused)
        try:
            yield made
        finally:
            if made.running is not None and made.running.process.poll() is None:
                made.running.kill()


def until(holds: Callable[[], object], seconds: float = 300) -> float:
    """Wait for something; how long it took, in s."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            raise RuntimeError("It did not happen in time.")
        time.sleep(0.02)
    return time.monotonic() - began
