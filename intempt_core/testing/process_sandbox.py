"""The sandbox of one test process, and a project of its own for each test.

What a test sends late, when the next one is running already, arrives in its own project and is not taken for the next
one's. The names of projects are never used again, not even by a later process that gets the same port.
"""

import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from intempt_core.sandbox import SANDBOX_KEY, run_sandbox
from intempt_core.testing.sandbox_door import SandboxDoor
from intempt_core.testing.track_api import TrackApi


@dataclass(slots=True)
class ProcessSandbox:
    """A running sandbox.

    Attributes:
        base_url: Its URL.
        door: The way to it.
        owners: Project → the test whose it is.
        last_seq: The last number of an event that is known; what a new project receives has a higher one.
        last_request: The same of requests.
    """

    base_url: str
    door: SandboxDoor
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
def run_process_sandbox() -> Iterator[ProcessSandbox]:
    """Run a sandbox on a free port, its database in a folder that is deleted afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="track-api-", ignore_cleanup_errors=True) as folder,
        run_sandbox(Path(folder) / "sandbox.sqlite3") as base_url,
    ):
        yield ProcessSandbox(base_url, SandboxDoor(base_url, SANDBOX_KEY))
