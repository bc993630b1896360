"""The places of a target's limit of requests in flight, shared by all processes of a data folder.

A place is a lock of the system on a file; who holds it may have one request in flight. When a process ends, however it
ends, the system gives its places back at once. A process that waits for one says so by a lock of its own; then those
that have more than their share hand some over.
"""

import asyncio
import logging
import os
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from intempt_core.dispatch.process_locks import ProcessLock, acquire_lock, is_lock_held
from intempt_core.logs import write_log
from intempt_core.platforms import open_lock_file, try_lock, unlock

POLL_SECONDS = 0.02
"""How often a place is looked for while lanes wait for one."""

HAND_OVER_SECONDS = 0.25
"""How often a process that has more than its share hands one place over."""

HOLD_OFF_SECONDS = 3 * POLL_SECONDS
"""How long a process that has handed a place over takes none beyond its share, so that another one can."""

COUNT_SECONDS = 0.1
"""How long the number of other processes that wait is taken as known."""

_LOG = logging.getLogger(__name__)


async def wait_for_place(place: "asyncio.Future[None]", ends: Iterable[asyncio.Event]) -> None:
    """Wait until a place is there, no longer than until one of the events."""
    ending = [asyncio.create_task(event.wait()) for event in ends]
    awaited: list[asyncio.Future[Any]] = [place, *ending]
    try:
        await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in ending:
            task.cancel()


class SharedPlaces:
    """The places of one target, of which lanes of this process hold some. Used from one event loop.

    Attributes:
        limit: how many places there are; 0: no limit, and nothing to wait for.
    """

    def __init__(self, limit: int = 0, folder: Path | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """Make the places of a target, whose files are in ``folder``; without a limit there are none."""
        self.limit = limit if folder is not None else 0
        self._folder, self._clock = folder or Path(), clock
        self._descriptors: dict[int, int] = {}
        self._held: list[int] = []
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._poller: asyncio.Task[None] | None = None
        self._token = secrets.token_hex(8)
        self._handed_over_at = self._counted_at = float("-inf")
        self._others = 0
        self._has_reported = False

    @property
    def should_hand_over(self) -> bool:
        """Whether another process waits for a place, and this one has more than its share."""
        if not self.limit or self._clock() - self._handed_over_at < HAND_OVER_SECONDS:
            return False
        return len(self._held) > self._share

    async def acquire(self, *ends: asyncio.Event) -> bool:
        """Wait for a place, no longer than until one of the events; whether there is one now."""
        if not self.limit or (not self._waiting and self._take()):
            return True
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        try:
            await wait_for_place(place, ends)
        except asyncio.CancelledError:
            self._withdraw(place)
            raise
        if not place.done():
            self._withdraw(place)
            return False
        return True

    def release(self) -> None:
        """Give a place back: to a lane of this process that waits, or to others."""
        if not self.limit:
            return
        if self.should_hand_over:
            self._handed_over_at = self._clock()
        elif self._serve_waiting():
            return
        unlock(self._descriptors[self._held.pop()])

    def close(self) -> None:
        """Give back every place, and close the files."""
        if self._poller is not None:
            self._poller.cancel()
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors.clear()
        self._held.clear()

    def _withdraw(self, place: "asyncio.Future[None]") -> None:
        if place.done():
            self.release()
        else:
            self._waiting.remove(place)

    def _serve_waiting(self) -> bool:
        """Let the first lane that waits have a place that this process holds; whether one waits."""
        if not self._waiting:
            return False
        self._waiting.popleft().set_result(None)
        return True

    @property
    def _share(self) -> float:
        """How many places are this process's where others wait; all of them where none does."""
        now = self._clock()
        if now - self._counted_at >= COUNT_SECONDS:
            self._counted_at, self._others = now, self._count_others()
        return self.limit / (self._others + 1) if self._others else float("inf")

    def _count_others(self) -> int:
        own = f"waiting-{self._token}.lock"
        count = 0
        with suppress(OSError):
            for path in self._folder.glob("waiting-*.lock"):
                if path.name == own:
                    continue
                if is_lock_held(path):
                    count += 1
                else:
                    with suppress(OSError):
                        path.unlink()  # of a process that was killed
        return count

    def _take(self) -> bool:
        """Take a free place, if there is one; whether there was."""
        if self._clock() - self._handed_over_at < HOLD_OFF_SECONDS and len(self._held) + 1 > self._share:
            return False
        for number in range(self.limit):
            if number in self._held:
                continue
            try:
                taken = try_lock(self._open(number))
            except OSError as error:
                self._report(error)
                return False
            if taken:
                self._held.append(number)
                return True
        return False

    def _open(self, number: int) -> int:
        if number not in self._descriptors:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"place-{number}.lock"
            self._descriptors[number] = open_lock_file(path)
        return self._descriptors[number]

    def _report(self, error: OSError) -> None:
        if not self._has_reported:
            self._has_reported = True
            reason = error.strerror or ""
            write_log(
                _LOG, "the limit of requests in flight waits for its folder", level=logging.WARNING, trouble=reason
            )

    async def _poll(self) -> None:
        """Look for places as long as lanes wait, and let other processes know that some do."""
        announced: ProcessLock | None = None
        try:
            while self._waiting:
                while self._waiting and self._take():
                    self._serve_waiting()
                if self._waiting and announced is None:
                    with suppress(OSError):
                        announced = acquire_lock(self._folder / f"waiting-{self._token}.lock", timeout=0)
                await asyncio.sleep(POLL_SECONDS)
        finally:
            if announced is not None:
                announced.release()
