"""The keeper of this process's lease: it renews it, and knows when the process counts as dead for others."""

import logging
import threading
import time
from collections.abc import Callable

from intempt_core.errors import HistoryUnavailable
from intempt_core.history import LEASE_SECONDS, RENEW_SECONDS, History, WorkerLease
from intempt_core.logs import write_log

RETRY_SECONDS = 1.0
"""How soon a renewal that failed is tried again."""

log = logging.getLogger(__name__)


class LeaseKeeper:
    """Renews a lease from a thread of its own, however busy or stuck the rest of the process is.

    Attributes:
        lease: what it says of this process.
        trouble: why the lease cannot be renewed, as a sentence; empty while it can.
        end_reason: why this process must send nothing more, in sentences; empty where it may.
    """

    def __init__(
        self,
        history: History,
        lease: WorkerLease,
        on_lost: Callable[[], None] = lambda: None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a keeper.

        Args:
            history: where the lease is.
            lease: what it says of this process.
            on_lost: called in the keeper's thread when others may have taken what this process owned, before the lease
                begins again.
            clock: seconds that never jump, and go on while the process is frozen.
        """
        self.lease = lease
        self.trouble = self.end_reason = ""
        self._history, self._on_lost, self._clock = history, on_lost, clock
        self._renewed_at = self._steady_since = float("-inf")
        self._is_draining = False
        self._generation = 0  # counts how often the lease was lost
        self._ending, self._hurry = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def may_send(self) -> bool:
        """Whether this process still counts as alive, as far as it knows."""
        return self._clock() - self._renewed_at < LEASE_SECONDS

    @property
    def is_steady(self) -> bool:
        """Whether the database was there for so long that all that are alive have renewed their leases since."""
        return self.may_send and self._clock() - self._steady_since > RENEW_SECONDS + RETRY_SECONDS

    def make_permit(self) -> Callable[[], bool]:
        """Something to ask before each request: whether this process was alive for others all the time since now."""
        generation = self._generation
        return lambda: self._generation == generation and self.may_send

    def start(self) -> None:
        """Begin the lease. Raises :class:`HistoryUnavailable`."""
        self._begin()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._thread.start()

    def drain(self) -> None:
        """Say that this process takes nothing new."""
        self._is_draining = True
        self._hurry.set()

    def stop(self) -> None:
        """End the lease; what the process owned is free at once."""
        self._ending.set()
        self._hurry.set()
        if self._thread is not None:
            self._thread.join(LEASE_SECONDS)
            self._thread = None
        try:
            self._history.workers.end(self.lease.name)
        except HistoryUnavailable:
            write_log(log, "the lease ends by itself", owner=self.lease.name)

    def _keep(self) -> None:
        pause = RENEW_SECONDS
        while not self._ending.is_set():
            self._hurry.wait(pause)
            self._hurry.clear()
            if not self._ending.is_set():
                pause = RENEW_SECONDS if self._renew() else RETRY_SECONDS

    def _renew(self) -> bool:
        asked_at = self._clock()
        was_lost = not self.may_send
        try:
            self.end_reason = self.end_reason or self._history.workers.describe_newer_schema()
            is_draining = self._is_draining or bool(self.end_reason)
            is_there = self._history.workers.renew(self.lease.name, draining=is_draining)
            if not is_there:
                write_log(log, "the lease was lost", level=logging.WARNING, owner=self.lease.name)
                self._lose()
                self._begin()
        except HistoryUnavailable as error:
            self._steady_since = float("inf")
            if not self.trouble:
                write_log(log, "the lease cannot be renewed", level=logging.WARNING, trouble=str(error))
            self.trouble = str(error)
            return False
        if was_lost:
            self._steady_since = float("inf")
            if is_there:
                self._lose()
        self.trouble = ""
        self._note_renewal(asked_at)
        return True

    def _lose(self) -> None:
        self._generation += 1
        self._on_lost()

    def _begin(self) -> None:
        asked_at = self._clock()
        self._history.workers.begin(self.lease)
        self._note_renewal(asked_at)

    def _note_renewal(self, asked_at: float) -> None:
        self._renewed_at = asked_at
        if self._steady_since in {float("inf"), float("-inf")}:
            self._steady_since = asked_at
