"""Waits for events: a request that is responded to as soon as an event arrives that its filters match.

A test of an application asks so, in whatever language it is written. A wait takes no thread; the number of waits is
bounded, and one whose sender has gone, or whose server is shutting down, ends.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from starlette.requests import Request

from intempt_core.contract import MAX_WAIT_SECONDS
from intempt_core.errors import SandboxRejection
from intempt_core.sandbox.http.fault_responses import SHUTDOWN_POLL_SECONDS, watch_shutdown

MAX_WAITS = 200
"""Waits of one sandbox at once; more are 503."""

LOOK_PAUSE_SECONDS = 0.01
"""How long after a look in vain until the next one, so that a flood of events has no wait look at each of them."""

_Found = TypeVar("_Found")


@dataclass(slots=True)
class ArrivalSignal:
    """Wakes waits when a request has been stored or rejected. For use in one event loop.

    Attributes:
        limit: Seconds that a wait takes at the most, whatever it asks for.
        max_waits: How many waits there may be at once.
    """

    limit: float = MAX_WAIT_SECONDS
    max_waits: int = MAX_WAITS
    _waits: dict[asyncio.Event, str | None] = field(default_factory=dict)

    def notify(self, project: str) -> None:
        """Wake those that wait for a project, or for any."""
        for wait, wanted in self._waits.items():
            if wanted is None or wanted == project:
                wait.set()

    @contextmanager
    def subscribe(self, project: str | None) -> Iterator[asyncio.Event]:
        """Be woken when something comes for a project, ``None`` for any. Raises :class:`SandboxRejection` 503."""
        if len(self._waits) >= self.max_waits:
            message = f"{self.max_waits:,} requests wait for events already. Ask again when one of them has ended."
            raise SandboxRejection(503, message, headers={"Retry-After": "1"})
        wait = asyncio.Event()
        self._waits[wait] = project
        try:
            yield wait
        finally:
            del self._waits[wait]


@dataclass(frozen=True, slots=True)
class EventWait(Generic[_Found]):
    """One request that waits.

    Attributes:
        request: The request.
        project: The project that it waits for, ``None`` for any.
        seconds: How long it waits at the most.
        look: Looks for what it waits for; ``None`` where it has not come.
    """

    request: Request
    project: str | None
    seconds: float
    look: Callable[[], Awaitable[_Found | None]]

    async def run(self, signal: ArrivalSignal) -> _Found | None:
        """Wait; what came, ``None`` where nothing did in time. Raises :class:`SandboxRejection` 503."""
        clock = asyncio.get_running_loop().time
        until = clock() + min(self.seconds, signal.limit)
        shutting_down = watch_shutdown(self.request.receive)
        with signal.subscribe(self.project) as arrival:
            while True:
                arrival.clear()
                found = await self.look()
                if found is not None or (left := until - clock()) <= 0:
                    return found
                if shutting_down() or await self.request.is_disconnected():
                    return None
                # Another process may have stored something, and tells nobody: so look from time to time too.
                await _wait_briefly(arrival, min(left, SHUTDOWN_POLL_SECONDS))
                await asyncio.sleep(min(LOOK_PAUSE_SECONDS, max(until - clock(), 0)))


async def _wait_briefly(arrival: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await arrival.wait()
    except TimeoutError:
        pass
