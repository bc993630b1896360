"""Limits how much of large bodies is in memory at once; a slow sender takes no place that another needs.

A parsed body takes ten times as much memory as the body, so few are parsed at once. What has arrived of all large
bodies is bounded too: beyond, their senders are held back by TCP itself, and those of them that send next to nothing
are rejected, so that nobody waits for them. Small bodies never wait.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from intempt_core.errors import SandboxRejection

MAX_LARGE_BODIES = 4
"""Large bodies that are parsed at once, until they are committed."""

MAX_HELD_BYTES = 64_000_000
"""Bytes that have arrived of all large bodies at the most, and a little more: the oldest is always read on."""

SMALL_BODY_BYTES = 100_000
"""Bytes of a body that needs no slot. One whose size is not stated may be large."""

SLOT_WAIT_SECONDS = 60.0
"""How long a body that has arrived waits for a slot; longer is 503."""

BODY_READ_SECONDS = 30.0
"""How long a body may take to arrive; longer is 503."""

STEP_BYTES, STEP_SECONDS = 25_000, 0.5
"""A large body of which fewer bytes arrive in so much time is rejected where another waits for memory."""

SPACE_POLL_SECONDS = 0.05
"""How often a body that is held back looks whether there is space."""


class IncomingBody:
    """What has arrived of one large body. It counts as held from its first byte until it is committed."""

    def __init__(self, limiter: "BodyLimiter") -> None:
        self._limiter = limiter
        self._timeout: asyncio.Timeout | None = None
        self._step_bytes, self._step_at = 0, 0.0
        self.size, self._held_back, self._displaced = 0, False, False

    async def read_in_time(self, body: Awaitable[bytes]) -> bytes:
        """Read the body. Raises :class:`SandboxRejection` 503 where its sender takes too long."""
        self._step_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._limiter.read_seconds) as self._timeout:
                whole = await body
        except TimeoutError:
            if self._displaced:
                message = "The body came too slowly while others were waiting. Nothing of it was stored."
                raise SandboxRejection(503, message, headers={"Retry-After": "1"}) from None
            raise self._limiter.build_time_rejection() from None
        self._limiter.note_complete(self)
        return whole

    async def admit(self, size: int) -> None:
        """Wait until so many bytes more may be held, and count them."""
        clock = asyncio.get_running_loop().time
        if not self._limiter.has_space(self):
            self._held_back = True
            await self._limiter.wait_for_space(self)
            self._held_back, self._step_at = False, clock()
        self.size += size
        self._limiter.held_bytes += size
        self._step_bytes += size
        if self._step_bytes >= STEP_BYTES:
            self._step_bytes, self._step_at = 0, clock()

    def displace_if_slow(self, now: float) -> None:
        """Reject it where its sender is slow."""
        if not (self._held_back or self._displaced) and now - self._step_at >= STEP_SECONDS:
            self._displaced = True
            if self._timeout is not None and not self._timeout.expired():
                self._timeout.reschedule(now)


class BodyLimiter:
    """The slots and the memory of one application, for use in its event loop."""

    def __init__(
        self,
        slots: int = MAX_LARGE_BODIES,
        wait_seconds: float = SLOT_WAIT_SECONDS,
        read_seconds: float = BODY_READ_SECONDS,
        max_held_bytes: int = MAX_HELD_BYTES,
    ) -> None:
        self._slots = asyncio.Semaphore(slots)
        self._wait_seconds, self.read_seconds, self._max_held_bytes = wait_seconds, read_seconds, max_held_bytes
        self.held_bytes = 0
        self._arriving: dict[IncomingBody, None] = {}  # in the order in which they began
        self._next_look = 0.0

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[IncomingBody]:
        """Hold a large body in memory, from its first byte on."""
        body = IncomingBody(self)
        self._arriving[body] = None
        try:
            yield body
        finally:
            self.held_bytes -= body.size
            self.note_complete(body)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a slot while a body is parsed. Raises :class:`SandboxRejection` 503 where none becomes free."""
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise SandboxRejection(503, "Too many large requests have come at once. Nothing of this one was stored.",
                          headers={"Retry-After": "1"}) from None  # fmt: skip
        try:
            yield
        finally:
            self._slots.release()

    async def read_in_time(self, body: Awaitable[bytes]) -> bytes:
        """Read a small body. Raises :class:`SandboxRejection` 503 where its sender takes too long."""
        try:
            async with asyncio.timeout(self.read_seconds):
                return await body
        except TimeoutError:
            raise self.build_time_rejection() from None

    def build_time_rejection(self) -> SandboxRejection:
        """The rejection of a body that takes too long."""
        message = f"The body has not come within {self.read_seconds:g} seconds. Nothing of it was stored."
        return SandboxRejection(503, message, headers={"Retry-After": "1"})

    def has_space(self, body: IncomingBody) -> bool:
        """Whether more of a body may be held. The oldest that is not complete always may, or all would wait."""
        return self.held_bytes < self._max_held_bytes or body is next(iter(self._arriving), None)

    def note_complete(self, body: IncomingBody) -> None:
        """Note that a body has arrived, or that it never will."""
        self._arriving.pop(body, None)

    async def wait_for_space(self, body: IncomingBody) -> None:
        """Wait until more of a body may be held; others whose senders are slow are rejected meanwhile."""
        clock = asyncio.get_running_loop().time
        while not self.has_space(body):
            if clock() >= self._next_look:  # one look for all that wait
                self._next_look = clock() + SPACE_POLL_SECONDS
                for other in list(self._arriving):
                    other.displace_if_slow(clock())
            await asyncio.sleep(SPACE_POLL_SECONDS)


Admission = Callable[[int], Awaitable[None]]
"""Waits until so many bytes more of a body may be held."""
