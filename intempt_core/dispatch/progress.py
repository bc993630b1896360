"""How far a batch is, how fast it goes, and why it stands where it stands."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from intempt_core.history import BatchState, RequestState, is_batch_active

RATE_WINDOW_SECONDS = 5.0
"""The rate is that of the last seconds."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a batch stands. ``counts`` are its events by state; ``rate`` is events per second, 0 while nothing moves.

    ``seconds_left`` is an estimate, ``None`` where there is none. ``reason`` says in sentences what holds it up.
    """

    state: BatchState
    counts: Mapping[RequestState, int]
    rate: float = 0.0
    seconds_left: float | None = None
    reason: str = ""

    @property
    def is_active(self) -> bool:
        """Whether something still moves by itself, as :attr:`~intempt_core.history.BatchSummary.moves` says it."""
        return is_batch_active(self.state, self.counts)


class RateMeter:
    """Counts events whose outcome has come, over the last seconds. ``clock`` gives seconds and never jumps.

    One thread counts, any may ask for the rate.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._samples: deque[tuple[float, int]] = deque()
        self._lock = threading.Lock()

    def count(self, events: int) -> None:
        """So many events more."""
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
