"""The groups of lanes that this process owns: claimed, sent chunk by chunk, and let go.

All groups of a batch that this process owns share one sender, and with it the limits and the breaker of the target. The
engine's workflows call :meth:`GroupRunner.claim`, :meth:`GroupRunner.send_chunk` and :meth:`GroupRunner.let_go`; none
of them raises.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from intempt_core.dispatch.batch_runner import CHUNK_REQUESTS, BatchRunner, ChunkBudget
from intempt_core.dispatch.history_writer import HistoryWriter
from intempt_core.dispatch.lane_sender import LaneSender
from intempt_core.errors import ConsoleError, HistoryUnavailable, NotFound
from intempt_core.history import BatchState, History, LaneGroup, WorkerLease
from intempt_core.logs import write_log

CROWDED_SECONDS = 10.0
"""How long a group is sent before it is let go for others that wait for a place."""

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class BatchShare:
    """What this process owns of a batch.

    Attributes:
        sender: what sends it.
        groups: in how many groups the batch's lanes are.
        epochs: the groups that are owned, by number, and their epochs.
        since: since when they are, on the monotonic clock.
        watching: what looks for more of the batch while it is recorded.
    """

    sender: LaneSender
    groups: int
    epochs: dict[int, int] = field(default_factory=dict)
    since: dict[int, float] = field(default_factory=dict)
    watching: "asyncio.Task[None] | None" = None


class GroupRunner:
    """Sends groups of lanes from one event loop."""

    def __init__(
        self, runner: BatchRunner, writer: HistoryWriter, lease: WorkerLease, on_open: Callable[[], None] = lambda: None
    ) -> None:
        """Make a runner; ``on_open`` is called where a group was let go that has more to send."""
        self._runner, self._writer, self._lease, self._on_open = runner, writer, lease, on_open
        self._history: History = writer.history
        self._call = writer.call
        self._shares: dict[str, asyncio.Task[BatchShare]] = {}
        self._budgets: dict[ChunkBudget, float] = {}  # and since when their groups are owned, on the monotonic clock
        self._stopping = False
        self._patience = float("inf")
        self._idle = asyncio.Event()
        self._idle.set()
        self._owned = 0

    @property
    def batches(self) -> set[str]:
        """The batches of which this process owns groups."""
        return set(self._shares)

    async def claim(self, group: LaneGroup) -> bool:
        """Become the owner of a group; whether it is to be sent from here now."""
        try:
            if self._stopping or not await self._call(self._history.groups.claim, group, self._lease.name):
                return False
            share = await self._find_share(group.batch)
            if share is None or not self._is_sending(share):
                await self._call(self._history.groups.release, group, self._lease.name)
                return False
        except HistoryUnavailable:
            return False  # the process ends
        share.epochs[group.number] = group.epoch
        share.since[group.number] = time.monotonic()
        self._owned += 1
        self._idle.clear()
        return True

    async def send_chunk(self, group: LaneGroup) -> bool:
        """Send a chunk of a group; whether it is to go on with it at once."""
        share = await self._shares[group.batch]
        sender, budget = share.sender, ChunkBudget(CHUNK_REQUESTS)
        since = self._budgets[budget] = share.since[group.number]
        try:
            lanes = [lane for lane in await sender.open_lanes() if lane % share.groups == group.number]
            has_more = await self._runner.send_chunk(sender, lanes, budget)
            if sender.errors:
                await self._runner.pause_for_error(group.batch, sender.errors[0])
                return False
        except HistoryUnavailable:
            return False  # the process ends
        finally:
            del self._budgets[budget]
        return has_more and not self._stopping and time.monotonic() - since < self._patience

    async def let_go(self, group: LaneGroup) -> None:
        """Let a group go. The last one of a batch decides what becomes of the batch."""
        share = await self._shares[group.batch]
        share.epochs.pop(group.number, None)
        try:
            await self._call(self._history.groups.release, group, self._lease.name)
            if share.sender.breaker.reason:
                await self._runner.conclude(share.sender)
            work = await self._call(self._history.groups.find_work, group.batch)
            if work.settled:
                await self._runner.conclude(share.sender)
            elif share.sender.halt.is_set() and not share.epochs:
                await self._judge_cancelled(share.sender)
        except (HistoryUnavailable, NotFound):
            return  # the process ends, or the batch is deleted
        finally:
            self._owned -= 1
            if not share.epochs:
                self._close_share(group.batch, share)
            if not self._owned:
                self._idle.set()
        if work.open:
            self._on_open()

    async def finish(self, batch: str) -> None:
        """Decide what becomes of a batch of which nobody sends anything any more."""
        if batch in self._shares or self._stopping:
            return
        share = await self._find_share(batch)
        if share is None:
            return
        try:
            await self._runner.conclude(share.sender)
        finally:
            if not share.epochs:
                self._close_share(batch, share)

    def halt_all_but(self, sending: set[str]) -> None:
        """Send no more of batches that are not being sent any more."""
        for batch, opening in self._shares.items():
            if batch not in sending and opening.done() and not opening.exception():
                opening.result().sender.halt.set()

    def lose(self) -> None:
        """Send nothing more of what is owned now: others may have taken it."""
        self.halt_all_but(set())

    def note_queue(self, *, is_crowded: bool, is_relieved: bool) -> None:
        """Let groups go at the end of their turns: where others wait for a place, those that are owned for a while;
        where a worker has come that sends in the place of this process, all of them.
        """
        self._patience = 0.0 if is_relieved else CROWDED_SECONDS if is_crowded else float("inf")
        now = time.monotonic()
        for budget, since in self._budgets.items():
            if now - since >= self._patience:
                budget.exhausted.set()

    def stop(self) -> None:
        """Claim nothing more, and let everything go after what is in flight."""
        self._stopping = True
        self.lose()

    async def wait_until_idle(self) -> None:
        """Wait until this process owns no group any more."""
        await self._idle.wait()

    def _is_sending(self, share: BatchShare) -> bool:
        return not self._stopping and not share.sender.halt.is_set()

    async def _find_share(self, batch: str) -> BatchShare | None:
        """What this process has of a batch; ``None`` where it cannot send it, which is said."""
        opening = self._shares.get(batch)
        if opening is None:
            opening = self._shares[batch] = asyncio.create_task(self._open_share(batch))
        try:
            return await asyncio.shield(opening)
        except ConsoleError as error:
            if self._shares.get(batch) is opening:
                del self._shares[batch]
            await self._note_unable(batch, str(error))
        except Exception as error:  # noqa: BLE001  it is logged and said
            if self._shares.get(batch) is opening:
                del self._shares[batch]
            await self._runner.pause_for_error(batch, error)
        return None

    async def _open_share(self, batch: str) -> BatchShare:
        sender = await self._runner.open_sender(batch)
        found = await self._call(self._history.queries.batch, batch)
        share = BatchShare(sender, max(found.groups, 1))
        sender.epoch_of = lambda lane: share.epochs.get(lane % share.groups, -1)
        if not sender.is_recorded:
            share.watching = asyncio.create_task(sender.watch_recording())
        return share

    def _close_share(self, batch: str, share: BatchShare) -> None:
        opening = self._shares.get(batch)
        if opening is not None and opening.done() and not opening.exception() and opening.result() is share:
            del self._shares[batch]
            self._runner.close_sender(batch)
        if share.watching is not None:
            share.watching.cancel()

    async def _note_unable(self, batch: str, reason: str) -> None:
        """Leave a batch to other workers; where none of them can send it either, it is paused."""
        write_log(log, "this process cannot send a batch", level=logging.WARNING, batch=batch, reason=reason)
        with suppress(HistoryUnavailable):
            if await self._call(self._history.groups.note_unable, batch, self._lease.name, reason):
                await self._runner.set_state(batch, BatchState.PAUSED, f"{reason} ({self._lease.title})")

    async def _judge_cancelled(self, sender: LaneSender) -> None:
        if (await self._call(self._history.queries.batch, sender.batch)).is_final:
            await self._runner.conclude(sender)
