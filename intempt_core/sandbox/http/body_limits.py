"""Room for large bodies: few are in memory at once, and the others wait on the wire.

What is read of a body takes ten times as much memory as the body. A request that waits here has had none of its body
read, so its sender is held back by TCP itself. Small bodies never wait.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

from intempt_core.errors import SandboxRejection

MAX_LARGE_BODIES = 4
"""Large bodies that are in memory at once, from their first byte until they are committed."""

SMALL_BODY_BYTES = 100_000
"""Bytes of a body that needs no place. One that does not say its size may be large."""

SLOT_WAIT_SECONDS = 60.0
"""Wait for a place; longer is 503."""

BODY_READ_SECONDS = 30.0
"""Time that a body with a place has to come in; without it four slow senders would stop all others."""


class BodyLimiter:
    """The places of one application, for use in its event loop."""

    def __init__(
        self,
        slots: int = MAX_LARGE_BODIES,
        wait_seconds: float = SLOT_WAIT_SECONDS,
        read_seconds: float = BODY_READ_SECONDS,
    ) -> None:
        self._slots = asyncio.Semaphore(slots)
        self._wait_seconds, self._read_seconds = wait_seconds, read_seconds

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """A place for a body, as long as it is in memory. Raises :class:`SandboxRejection` 503 where none becomes free."""
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
        """A body that has a place. Raises :class:`SandboxRejection` 503 where its sender takes too long."""
        try:
            async with asyncio.timeout(self._read_seconds):
                return await body
        except TimeoutError:
            raise SandboxRejection(503, f"The body has not come within {self._read_seconds:g} seconds. Nothing of it was stored.",
                          headers={"Retry-After": "1"}) from None  # fmt: skip
