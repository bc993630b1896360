"""Runners call for the chunks of a batch's lanes: a loop of this process, or workflows of the durable engine."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias

ENGINE_VERSION = "1"
"""The version of the engine's workflows of groups of lanes: a process takes work of its own version only."""

ChunkSender: TypeAlias = Callable[[Sequence[int]], Awaitable[bool]]
"""Sends a chunk of some lanes of one batch and returns whether there is more that may be sent. It never raises."""


class ChunkRunner(Protocol):
    """Calls for chunks until there are no more."""

    async def run(self, batch: str, groups: Sequence[Sequence[int]], send_chunk: ChunkSender) -> None:
        """Call ``send_chunk`` with each group of lanes until it returns ``False``; the groups run side by side.

        Raises :class:`~intempt_core.errors.EngineUnavailable` where the engine fails before the end of the lanes.
        """

    async def close(self) -> None:
        """Release everything; nothing runs any more."""


class InProcessRunner:
    """Calls for chunks in a loop of this process: for a program that waits, and for a console beside another one."""

    async def run(self, batch: str, groups: Sequence[Sequence[int]], send_chunk: ChunkSender) -> None:  # noqa: ARG002  the protocol has it
        """As :class:`ChunkRunner` has it."""

        async def one(lanes: Sequence[int]) -> None:
            while await send_chunk(lanes):
                pass

        await asyncio.gather(*(one(lanes) for lanes in groups))

    async def close(self) -> None:
        """As :class:`ChunkRunner` has it."""
