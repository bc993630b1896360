"""The time of the database's server, which all machines that share it go by."""

import threading
import time
from collections.abc import Callable

MEASURE_AGAIN_SECONDS = 60.0
"""How long a measurement is taken to be right; two machines' clocks go apart by milliseconds meanwhile."""

FIRST_MEASUREMENTS = 3
"""How often the server is asked at first: the quickest response says most exactly what time it is."""


class ServerClock:
    """The server's time now, in epoch ms, without asking it each time: this machine only counts what has passed since.

    A machine whose own clock is wrong, or is set meanwhile, gives the same time as the others.
    """

    def __init__(self, ask: Callable[[], float], monotonic: Callable[[], float] = time.monotonic) -> None:
        """``ask`` gives the server's time in epoch seconds; it raises where that cannot be reached."""
        self._ask, self._monotonic = ask, monotonic
        self._lock = threading.Lock()
        self._offset, _ = min((self._measure() for _ in range(FIRST_MEASUREMENTS)), key=lambda found: found[1])
        self._measured_at = monotonic()

    def __call__(self) -> int:
        return int((self._monotonic() + self._offset) * 1000)

    def measure_if_due(self) -> None:
        """Ask the server again where it is time for that."""
        if self._monotonic() - self._measured_at < MEASURE_AGAIN_SECONDS or not self._lock.acquire(blocking=False):
            return
        try:
            self._offset, _ = self._measure()
            self._measured_at = self._monotonic()
        finally:
            self._lock.release()

    def _measure(self) -> tuple[float, float]:
        """How far the server's time is from this machine's count, and how long the response took, in seconds."""
        before = self._monotonic()
        found = self._ask()
        after = self._monotonic()
        return found - (before + after) / 2, after - before
