"""Limits how many large bodies are in memory at once; the others wait unread.

A parsed body takes ten times as much memory as the body. A request that waits here has had none of its body read, so
TCP itself holds its sender back. Small bodies never wait.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

from intempt_core.errors import SandboxRejection

MAX_LARGE_BODIES = 4
"""Large bodies that are in memory at once, from their first byte until they are committed."""

SMALL_BODY_BYTES = 100_000
"""Bytes of a body that needs no slot. One whose size is not stated may be large."""

SLOT_WAIT_SECONDS = 60.0
"""How long a body waits for a slot; longer is 503."""

BODY_READ_SECONDS = 30.0
"""How long a body with a slot may take to arrive; without a limit four slow senders would stop all others."""


class BodyLimiter:
    """The slots of one application, for use in its event loop."""

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
        """Hold a slot while a body is in memory. Raises :class:`SandboxRejection` 503 where none becomes free."""
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
        """Read a body that has a slot. Raises :class:`SandboxRejection` 503 where its sender takes too long."""
        try:
            async with asyncio.timeout(self._read_seconds):
                return await body
        except TimeoutError:
            message = f"The body has not come within {self._read_seconds:g} seconds. Nothing of it was stored."
            raise SandboxRejection(503, message, headers={"Retry-After": "1"}) from None
