"""The limits of a target over all workers, behind the same calls as those of the processes of a data folder.

The database is asked in a thread. Meanwhile nobody waits for it in the event loop: a lane that has no turn yet asks
again, and one that has no place waits until there is one.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from intempt_core.dispatch.rate_limits import CircuitBreaker, RateLimiter, TargetLimits
from intempt_core.dispatch.shared_places import wait_for_place
from intempt_core.dispatch.shared_turns import BUSY_RETRY_SECONDS, LOOK_AHEAD_SECONDS, Stretch
from intempt_core.errors import HistoryUnavailable
from intempt_core.history import History
from intempt_core.logs import write_log

WAITING_POLL_SECONDS, HOLDING_POLL_SECONDS = 0.05, 0.25
"""How often places are looked for while lanes wait, and how often it is looked whether others wait."""

FIRST_ROUND_TRIP_SECONDS, MAX_ROUND_TRIP_SECONDS = 0.01, 0.5
"""How far ahead the first turns are taken, because it takes a while until they are known here; and the most."""

ROUND_TRIP_DECAY = 0.9
"""How much of a long round trip is still expected of the next one."""

GIVE_SECONDS, HOLD_OFF_SECONDS = 0.25, 0.5
"""How long a worker keeps more than its share, and how long after that it takes none beyond it."""

log = logging.getLogger(__name__)


class DatabaseTurns:
    """The turns of one target, in the database; as :class:`~intempt_core.dispatch.shared_turns.SharedTurns`."""

    def __init__(self, history: History, target: str, threads: ThreadPoolExecutor) -> None:
        self._history, self._target, self._threads = history, target, threads
        self.clock: Callable[[], float] = time.monotonic
        self._round_trip = FIRST_ROUND_TRIP_SECONDS
        self._asked: Future[Stretch] | None = None

    def take(self, step: float, turns: int, not_before: float) -> Stretch:
        """Take up to ``turns`` turns, ``step`` seconds apart. Raises :class:`HistoryUnavailable`."""
        asked, now = self._asked, self.clock()
        if asked is None:
            if not_before - now > LOOK_AHEAD_SECONDS:  # what was taken before is to come first
                return Stretch(not_before, 0)
            self._asked = self._threads.submit(self._ask, step, turns)
        elif asked.done():
            self._asked = None
            stretch = asked.result()
            if stretch.start + stretch.turns * step > now:
                return stretch
        return Stretch(now + BUSY_RETRY_SECONDS, 0)

    def close(self) -> None:
        """Nothing is to be closed."""

    def _ask(self, step: float, turns: int) -> Stretch:
        """Take turns that begin when they are known here: those that have passed by then are lost for all."""
        began = self.clock()
        seconds = self._history.limits.take_turns(self._target, step, turns, self._round_trip)
        now = self.clock()
        took = now - began + BUSY_RETRY_SECONDS  # who asked looks again after that
        self._round_trip = min(max(took, self._round_trip * ROUND_TRIP_DECAY), MAX_ROUND_TRIP_SECONDS)
        return Stretch(now + seconds, turns)


class DatabasePlaces:
    """The places of one target, in the database; as :class:`~intempt_core.dispatch.shared_places.SharedPlaces`.

    Attributes:
        limit: how many places there are; 0: no limit, and nothing to wait for.
    """

    def __init__(self, history: History, target: str, worker: str, limit: int, threads: ThreadPoolExecutor) -> None:
        self.limit = limit
        self._history, self._target, self._worker, self._threads = history, target, worker, threads
        self._used = self._held = 0
        self._took_at, self._gave_at = 0.0, float("-inf")
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._poller: asyncio.Task[None] | None = None

    @property
    def should_hand_over(self) -> bool:
        """Whether this worker uses more places than it may hold by now."""
        return bool(self.limit) and self._used > self._held

    async def acquire(self, *ends: asyncio.Event) -> bool:
        """Wait for a place, no longer than until one of the events; whether there is one now."""
        if not self.limit:
            return True
        if not self._waiting and self._used < self._held:
            self._used += 1
            return True
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        try:
            await wait_for_place(place, ends)
        except BaseException:
            self._withdraw(place)
            raise
        if place.done():
            return True
        self._withdraw(place)
        return False

    def release(self) -> None:
        """Give a place back, which a lane that waits gets at once."""
        if self.limit:
            self._used -= 1
            self._serve_waiting()

    def close(self) -> None:
        """Give back every place: what this worker holds ends with its lease."""
        if self._poller is not None:
            self._poller.cancel()

    def _withdraw(self, place: "asyncio.Future[None]") -> None:
        if place.done():
            self.release()
        else:
            self._waiting.remove(place)

    def _serve_waiting(self) -> None:
        while self._waiting and self._used < self._held:
            self._used += 1
            self._waiting.popleft().set_result(None)

    async def _poll(self) -> None:
        """Share the places with the other workers as long as lanes use or wait for some."""
        while self._waiting or self._used or self._held:
            used, wanted, now = self._used, self._used + len(self._waiting), time.monotonic()
            gives = self._is_giving(used, now)
            held_before, self._held = self._held, min(self._held, used)  # while it is asked nothing more is used
            try:
                self._held = await asyncio.get_running_loop().run_in_executor(
                    self._threads, self._share, used, wanted, gives
                )
            except HistoryUnavailable as error:
                write_log(log, "places wait for the database", level=logging.WARNING, trouble=str(error))
                self._held = held_before
            self._serve_waiting()
            await asyncio.sleep(WAITING_POLL_SECONDS if self._waiting else HOLDING_POLL_SECONDS)

    def _is_giving(self, used: int, now: float) -> bool:
        """Whether this worker keeps to its whole share just now, so that others have what the division leaves."""
        if not used:
            if self._took_at:
                self._took_at, self._gave_at = 0.0, now
            return now - self._gave_at < HOLD_OFF_SECONDS
        self._took_at = self._took_at or now
        return (now - self._took_at) % (GIVE_SECONDS + HOLD_OFF_SECONDS) > GIVE_SECONDS

    def _share(self, used: int, wanted: int, gives: bool) -> int:
        return self._history.limits.share_places(self._target, self._worker, self.limit, used, wanted, gives=gives)


class DatabaseLimits:
    """Opens the limits of targets for one worker."""

    def __init__(self, history: History, worker: str) -> None:
        self._history, self._worker = history, worker
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="limits")

    def open(self, target_key: str, per_second: float, in_flight: int) -> TargetLimits:
        """The limits that all workers share for a target; those that are 0 are none."""
        turns = DatabaseTurns(self._history, target_key, self._threads) if per_second else None
        places = DatabasePlaces(self._history, target_key, self._worker, in_flight, self._threads)
        return TargetLimits(RateLimiter(per_second, shared=turns), CircuitBreaker(), places)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
