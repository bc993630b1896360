"""A process that sends what this one records: neither waits for the other's turn at the interpreter.

It has the methods of a :class:`~intempt_core.dispatch.dispatcher.Dispatcher` that the command line uses. The process is
started before there is anything to send, so that it is ready by then; its order comes by a pipe, with the target's key.
Where the pipe is closed, by this process or by its end, it waits for what is in flight, writes every outcome and ends.
"""

import os
import pickle
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, replace

from intempt_core.dispatch.process_locks import make_owner_name
from intempt_core.dispatch.progress import Progress, RateMeter
from intempt_core.errors import ConsoleError, HistoryUnavailable
from intempt_core.history import BatchState, BatchSummary, History, count_settled
from intempt_core.platforms import build_detached_options
from intempt_core.settings import Settings, build_python_path
from intempt_core.targets import Target

END_SECONDS = 10.0
"""How long the process may take to end, in addition to its drain."""

PROCESS_ENDED_REASON = "The process that sent it ended unexpectedly."


@dataclass(frozen=True)
class SendingOrder:
    """What the process is to do.

    Attributes:
        settings: The settings of this process.
        target: Where it sends, without the key, which no pickle holds: it comes as a line of its own.
        owner: Its name in history.
    """

    settings: Settings
    target: Target
    owner: str


class SendingProcess:
    """Sends the batches of its owner in a process of its own.

    Attributes:
        owner: The name of that process in history.
    """

    def __init__(self) -> None:
        """Start the process, which does nothing until :meth:`start`."""
        self.owner = make_owner_name()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "intempt_core.dispatch.sending_child"],  # -P: no module of the caller's folder
            env=os.environ | {"PYTHONPATH": build_python_path(os.environ)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            **build_detached_options(),  # what interrupts this process at a terminal does not interrupt that one first
        )
        self._history: History | None = None
        self._drain_seconds = 0.0
        self._meter, self._counted = RateMeter(), 0
        self._last: Progress | None = None

    @property
    def pid(self) -> int:
        """The process's number in the system."""
        return self._process.pid

    def start(self, history: History, settings: Settings, target: Target) -> None:
        """Let it send to a target. Raises :class:`HistoryUnavailable` where it cannot."""
        self._history, self._drain_seconds = history, settings.drain_seconds
        assert self._process.stdout is not None  # noqa: S101  it is a pipe
        assert target.credential is not None  # noqa: S101  nothing is sent without one
        order = SendingOrder(settings, replace(target, credential=None, feeds={}), self.owner)
        self._tell(pickle.dumps(order) + f"{target.credential.authorization}\n".encode())
        answer = self._process.stdout.readline().decode().strip()
        if answer != "started":
            raise HistoryUnavailable(answer or "The process that sends could not be started.")
        self._meter = RateMeter()

    def wake(self) -> None:
        """Let it read history now: something was recorded."""
        self._tell(b"wake\n")

    def pause(self, batch: str, reason: str) -> None:
        """Send no more requests of a batch; those in flight get their outcome. Raises :class:`NotAllowed`."""
        self._opened.control.set_state(batch, BatchState.PAUSED, reason)

    def progress(self, batch: str) -> Progress:
        """The progress of a batch. Where the process has ended, the batch is paused first.

        While history is unavailable it is the last one, with the reason; raises :class:`HistoryUnavailable` where there
        is none.
        """
        try:
            found = self._opened.queries.batch(batch)
            if found.is_active and self._process.poll() is not None:
                found = self._take_back(found)
        except HistoryUnavailable as error:
            if self._last is None:
                raise
            return replace(self._last, rate=0.0, seconds_left=None, reason=str(error))
        settled = count_settled(found.events)
        self._meter.count(settled - self._counted)
        self._counted = settled
        rate = self._meter.rate if found.state is BatchState.SENDING else 0.0
        left = (found.planned - settled) / rate if rate else None
        self._last = Progress(found.state, found.events, rate, left, found.reason, found.unrecorded)
        return self._last

    def stop(self) -> None:
        """Send nothing more, wait for responses, and write every outcome."""
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(self._drain_seconds + END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _tell(self, message: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101  it is a pipe
        with suppress(BrokenPipeError):  # it has ended: its progress says so
            self._process.stdin.write(message)
            self._process.stdin.flush()

    @property
    def _opened(self) -> History:
        assert self._history is not None  # noqa: S101  it was started
        return self._history

    def _take_back(self, found: BatchSummary) -> BatchSummary:
        """Pause a batch whose process has ended; what was in flight may have arrived."""
        owner = make_owner_name()
        if self._opened.queue.claim(found.id, owner, self.owner, pause=PROCESS_ENDED_REASON):
            self._opened.queue.in_flight_to_unknown(found.id, owner=owner)
        return self._opened.queries.batch(found.id)


def flatten_error(error: ConsoleError) -> str:
    """An error as the one line that the process answers."""
    return " ".join(str(error).split())
