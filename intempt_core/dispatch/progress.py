"""How far a batch is, how fast it goes, and why it stands where it stands."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from intempt_core.history import BatchState, RequestState

WINDOW_SECONDS = 5.0
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


class Meter:
    """Counts events whose outcome has come, over the last seconds. ``clock`` gives seconds and never jumps."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._seen: deque[tuple[float, int]] = deque()

    def count(self, events: int) -> None:
        """So many events more."""
        self._seen.append((self._clock(), events))

    @property
    def rate(self) -> float:
        """Events per second."""
        now = self._clock()
        while self._seen and self._seen[0][0] < now - WINDOW_SECONDS:
            self._seen.popleft()
        over = min(WINDOW_SECONDS, now - self._began)
        return sum(events for _, events in tuple(self._seen)) / max(over, 0.1)
