"""Tasks that behave badly, for the processes that run them."""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from intempt_core.errors import ReadError
from intempt_core.workers.file_tasks import FileContext


@dataclass(frozen=True)
class OddTask:
    """A task of no file.

    Attributes:
        key: Its key.
        folder: Where it writes the number of its process.
        deed: What it does.
    """

    key: str
    folder: Path
    deed: str
    verb = "read"
    inputs = ()
    file_bytes = 10_000_000_000
    file_name = "events.csv"

    @property
    def pid_file(self) -> Path:
        return self.folder / f"{self.key}.pid"

    def process(self) -> int:
        """The process that runs it, once it does."""
        until = time.monotonic() + 30
        while not self.pid_file.exists() or not self.pid_file.read_text():
            assert time.monotonic() < until
            time.sleep(0.02)
        return int(self.pid_file.read_text())

    def run(self, context: FileContext, given: Sequence[Any]) -> object:  # noqa: ARG002  a task's parameters
        self.pid_file.write_text(str(os.getpid()))
        if self.deed == "sleep":
            time.sleep(600)
        if self.deed == "eat":
            eaten = [bytearray(b"x") * 50_000_000]
            while True:
                eaten.append(bytearray(b"x") * 50_000_000)
                time.sleep(0.01)
        if self.deed == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.deed == "reject":
            raise ReadError("Line 7 is no line.", line=7)
        if self.deed == "fail":
            raise ZeroDivisionError("a cell of the file")
        if self.deed == "look":
            return {
                "environment": sorted(os.environ),
                "nice": os.nice(0),
                "arrow threads": (pa.cpu_count(), pa.io_thread_count()),
                "first to go": int(Path("/proc/self/oom_score_adj").read_text()),
                "command": Path("/proc/self/cmdline").read_bytes().split(b"\0")[1:4],
                "parent": os.getppid(),
            }
        return self.deed


def is_running(process: int) -> bool:
    """Whether a process runs; one that has ended and was not asked for yet does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(process: int, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while is_running(process):
        assert time.monotonic() < until, f"process {process} runs on"
        time.sleep(0.02)
