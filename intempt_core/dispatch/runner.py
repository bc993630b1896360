"""Who calls for the next chunk of a batch's lanes: a loop of this process, or a workflow of the durable engine."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias

ChunkSender: TypeAlias = Callable[[Sequence[int]], Awaitable[bool]]
"""Sends a chunk of some lanes of one batch, and says whether there is more that may be sent. It raises nothing."""


class ChunkRunner(Protocol):
    """A way to call for chunks again and again until there is no more."""

    async def run(self, batch: str, groups: Sequence[Sequence[int]], send_chunk: ChunkSender) -> None:
        """Call ``hand`` with each group of lanes until it says that there is no more; groups go beside each other.

        Raises :class:`~intempt_core.errors.EngineUnavailable` where that broke off before the lanes' end.
        """

    async def close(self) -> None:
        """Let go of everything; nothing runs any more."""


class InProcessRunner:
    """A loop of this process: for a program that sends and waits, and for a console that stands beside another."""

    async def run(self, batch: str, groups: Sequence[Sequence[int]], send_chunk: ChunkSender) -> None:  # noqa: ARG002  Runs' own
        """As :class:`ChunkRunner` has it."""

        async def one(lanes: Sequence[int]) -> None:
            while await send_chunk(lanes):
                pass

        await asyncio.gather(*(one(lanes) for lanes in groups))

    async def close(self) -> None:
        """As :class:`ChunkRunner` has it."""
