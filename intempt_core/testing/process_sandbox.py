"""The sandbox of one test process, and a project of its own for each test.

What a test sends late, when the next one is running already, arrives in its own project and is not taken for the next
one's. The names of projects are never used again, not even by a later process that gets the same port.
"""

import asyncio
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from intempt_core.sandbox import SANDBOX_KEY, run_sandbox
from intempt_core.testing.sandbox_door import SandboxDoor
from intempt_core.testing.track_api import TrackApi

SteadyClock = Callable[[], float]
"""Seconds that go on, whatever a test does to the clocks of its process."""


class SteadyEventLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own: in one whose clock a test has stopped, no wait would end."""

    def __init__(self, clock: SteadyClock) -> None:
        self._steady_clock = clock
        super().__init__()

    def time(self) -> float:
        """The seconds of its clock."""
        return self._steady_clock()


@dataclass(slots=True)
class ProcessSandbox:
    """A running sandbox.

    Attributes:
        base_url: Its URL.
        door: The way to it.
        clock: Seconds that no test stops.
        owners: Project → the test whose it is.
        last_seq: The last number of an event that is known; what a new project receives has a higher one.
        last_request: The same of requests.
    """

    base_url: str
    door: SandboxDoor
    clock: SteadyClock = time.monotonic
    owners: dict[str, str] = field(default_factory=dict)
    last_seq: int = 0
    last_request: int = 0
    _token: str = field(default_factory=lambda: secrets.token_hex(4))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open_project(self, owner: str) -> TrackApi:
        """Open a project for a test."""
        with self._lock:
            project = f"test-{len(self.owners) + 1}-{self._token}"
            self.owners[project] = owner
        return TrackApi(self, project)

    def note_arrival(self, seq: int, request: int) -> None:
        """Note the numbers of an event that has arrived and of its request."""
        with self._lock:
            self.last_seq, self.last_request = max(self.last_seq, seq), max(self.last_request, request)


@contextmanager
def run_process_sandbox(clock: SteadyClock = time.monotonic) -> Iterator[ProcessSandbox]:
    """Run a sandbox on a free port, its database in a folder that is deleted afterwards; ``clock`` gives seconds."""

    def configure(config: uvicorn.Config) -> None:
        config.loop = lambda: SteadyEventLoop(clock)  # type: ignore[assignment]  # it takes what makes a loop, too

    with (
        tempfile.TemporaryDirectory(prefix="track-api-", ignore_cleanup_errors=True) as folder,
        run_sandbox(Path(folder) / "sandbox.sqlite3", configure=configure) as base_url,
    ):
        yield ProcessSandbox(base_url, SandboxDoor(base_url, SANDBOX_KEY), clock)
