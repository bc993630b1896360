"""What a company leaves running, for real: PostgreSQL, nginx, two consoles and two workers, as ``compose.yaml`` has it.

Everything listens on loopback. The processes share one data folder, as containers share a volume, and the first console
serves the sandbox for all of them.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

import httpx

from intempt_core.history import History, WorkerKind
from tests.bench.consoles import Console, await_health, free_port, start
from tests.bench.harness import ROOT
from tests.nginx import proxy

PASSWORD = "a long password"
POLL_SECONDS = 0.05


@dataclass(eq=False)
class WorkerProgram:
    """A worker in a process of its own; ``log`` is the file of what it wrote."""

    process: "subprocess.Popen[bytes]"
    log: Path

    @classmethod
    def start(cls, log: Path, environment: Mapping[str, str]) -> "WorkerProgram":
        """Start a worker with these settings; it sends as soon as it has a lease."""
        with log.open("wb") as written:
            process = subprocess.Popen(
                [sys.executable, "-m", "intempt_core", "worker"],
                cwd=ROOT,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
            )
        return cls(process, log)

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """As a person would; what does not stop in time is killed."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


@dataclass(eq=False)
class Arrangement:
    """A database, a proxy, consoles and workers that run.

    Attributes:
        url: where people open it: the proxy.
        folder: where logs and data are.
        database_url: the address of the database.
        environment: the settings that consoles, workers and commands have.
        consoles: the consoles, of which the first serves the sandbox.
        workers: the workers.
        history: the database, as the tests read it.
    """

    url: str
    folder: Path
    database_url: str
    environment: Mapping[str, str]
    consoles: Sequence[Console]
    history: History
    workers: list[WorkerProgram] = field(default_factory=list)

    @property
    def sandbox_url(self) -> str:
        """Where the sandbox is."""
        return self.environment["CONSOLE_SANDBOX"]

    def find_route(self, console: Console) -> str:
        """A cookie's value with which the proxy leads a browser to a console.

        Which one a value leads to is read from the proxy's log.
        """
        for _ in range(64):
            route = token_hex(16)
            httpx.get(f"{self.url}/_stcore/health", headers={"Cookie": f"console_route={route}"})
            self.until(lambda: self._read_routed(route), 10)  # noqa: B023  ends before it changes
            if self._read_routed(route)[0].split()[0] == f"127.0.0.1:{console.port}":
                return route
        raise AssertionError("The proxy leads no browser to this console.")

    def _read_routed(self, route: str) -> list[str]:
        lines = (self.folder / "nginx" / "access.log").read_text().splitlines()
        return [line for line in lines if line.split()[2] == route]

    def count_working(self) -> int:
        """How many workers hold a lease."""
        return len(self.history.workers.list_alive([WorkerKind.WORKER]))

    def start_worker(self) -> WorkerProgram:
        """Start a worker."""
        log = self.folder / f"worker-{len(self.workers) + 1}.log"
        self.workers.append(WorkerProgram.start(log, self.environment))
        return self.workers[-1]

    def read_logs(self) -> dict[str, str]:
        """What each process wrote, by its name."""
        found = {path.stem: path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log"))}
        return found | {"nginx": (self.folder / "nginx" / "error.log").read_text(errors="replace")}

    def until(self, holds: Callable[[], object], seconds: float, act: Callable[[], object] = lambda: None) -> None:
        """Wait for something; meanwhile do something else again and again."""
        until = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > until:
                logs = "\n".join(f"--- {name}\n{log[-3000:]}" for name, log in self.read_logs().items())
                raise AssertionError(f"It did not happen in time.\n{logs}")
            act()
            time.sleep(POLL_SECONDS)


@contextlib.contextmanager
def run_arrangement(
    folder: Path, database_url: str, settings: Mapping[str, str], *, consoles: int = 2, workers: int = 2
) -> Iterator[Arrangement]:
    """Consoles and workers on a database, and nginx in front, while the block runs; all have these settings too."""
    at_proxy, *ports = (free_port() for _ in range(1 + consoles))
    origins = [f"http://127.0.0.1:{port}" for port in (at_proxy, *ports)]
    environment = {
        "CONSOLE_DATABASE_URL": database_url,
        "CONSOLE_PASSWORD": PASSWORD,
        "CONSOLE_HOSTS": ",".join(origins),
        "CONSOLE_SANDBOX": f"{origins[1]}/sandbox",
        "CONSOLE_DATA": str(folder / "data"),
        **settings,
    }
    with contextlib.ExitStack() as opened:
        running = list[Console]()
        for number, port in enumerate(ports, 1):
            # The first argument names the log; the folder of data is the one that all of them share.
            running.append(start(folder / f"console-{number}", environment, port=port, wait=False))
            opened.callback(running[-1].stop)
        history = opened.enter_context(contextlib.closing(History.open(database_url)))
        made = Arrangement(origins[0], folder, database_url, environment, running, history)
        for _ in range(workers):
            opened.callback(made.start_worker().stop)
        for console in running:
            await_health(console)
        addresses = [f"127.0.0.1:{port}" for port in ports]
        opened.enter_context(proxy(folder / "nginx", at_proxy, addresses))
        made.until(lambda: made.count_working() == workers, 60)
        yield made
