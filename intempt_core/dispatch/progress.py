"""The progress of a batch: its counts, its rate, the time left, and what holds it up."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from intempt_core.history import BatchState, RequestState, is_batch_active

RATE_WINDOW_SECONDS = 5.0
"""The rate is computed over so many last seconds."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a batch.

    Attributes:
        state: the batch's state.
        counts: how many events are in each state.
        rate: events per second; 0 while none is sent.
        seconds_left: an estimate; ``None`` where there is none.
        reason: what holds the batch up, in sentences; often empty.
        unrecorded: how many events are still to be recorded.
    """

    state: BatchState
    counts: Mapping[RequestState, int]
    rate: float = 0.0
    seconds_left: float | None = None
    reason: str = ""
    unrecorded: int = 0

    @property
    def is_active(self) -> bool:
        """Whether the batch is still changing by itself, as in :attr:`~intempt_core.history.BatchSummary.is_active`."""
        return is_batch_active(self.state, self.counts)


class RateMeter:
    """Counts events per second over the last seconds. One thread counts, any may read the rate.

    ``clock`` gives seconds and never jumps.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._samples: deque[tuple[float, int]] = deque()
        self._lock = threading.Lock()

    def count(self, events: int) -> None:
        """Add events whose outcome has come."""
        now = self._clock()
        with self._lock:
            self._samples.append((now, events))
            while self._samples[0][0] < now - RATE_WINDOW_SECONDS:
                self._samples.popleft()

    @property
    def rate(self) -> float:
        """Events per second."""
        now = self._clock()
        with self._lock:
            counted = sum(events for when, events in self._samples if when >= now - RATE_WINDOW_SECONDS)
        return counted / max(min(RATE_WINDOW_SECONDS, now - self._started), 0.1)
