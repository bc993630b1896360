"""The supervisor: it takes groups from dead workers, and puts those that have something to send into the queue.

Every process that sends is one, once a second. Nothing goes wrong where two are at the same time: history takes from
the dead in one transaction, under a lock of the database, and the engine's queue knows each group once in each epoch.
"""

import logging
from contextlib import suppress

from intempt_core.dispatch.history_writer import HistoryWriter
from intempt_core.dispatch.workers.group_engine import GroupEngine
from intempt_core.dispatch.workers.group_runner import GroupRunner
from intempt_core.dispatch.workers.lease_keeper import LeaseKeeper
from intempt_core.errors import NotAllowed, NotFound
from intempt_core.history import BatchState, History, WorkerKind
from intempt_core.logs import write_log

SENT_SINCE_REASON = "Its worker ended, and the same was sent again since. Decide whether to send the rest."

log = logging.getLogger(__name__)


class Supervisor:
    """Looks after the batches that all workers send."""

    def __init__(self, writer: HistoryWriter, keeper: LeaseKeeper, engine: GroupEngine, runner: GroupRunner) -> None:
        self._writer, self._keeper, self._engine, self._runner = writer, keeper, engine, runner
        self._history: History = writer.history

    async def look(self) -> None:
        """Do what is to be done now. Raises :class:`HistoryUnavailable` only while the process ends."""
        call, history = self._writer.call, self._history
        if self._keeper.is_steady:
            await self._take_over()
        alive = [one for one in await call(history.workers.list_alive) if not one.draining]
        work = await call(history.groups.find_work)
        if work.open:
            for group in await self._engine.distribute(work.open, alive):
                await call(history.groups.renew_epoch, group)
        for batch in work.settled:
            await self._runner.finish(batch)
        kind = self._keeper.lease.kind
        is_relieved = kind is WorkerKind.CONSOLE and any(one.kind is WorkerKind.WORKER for one in alive)
        self._runner.note_queue(is_crowded=await self._engine.is_crowded(), is_relieved=is_relieved)

    async def _take_over(self) -> None:
        call, history = self._writer.call, self._history
        for batch in await call(history.groups.find_abandoned):
            if await call(history.repeats.was_repeated, batch):
                # Going on by itself would send older events after newer ones, and some twice (CONTRACT 3.7, 4.3).
                with suppress(NotAllowed, NotFound):
                    await call(history.control.set_state, batch, BatchState.PAUSED, SENT_SINCE_REASON)
        taken = await call(history.groups.take_over)
        for one in taken:
            write_log(
                log,
                "groups taken over",
                level=logging.WARNING,
                batch=one.batch,
                was=one.owner,
                groups=one.groups,
                unknown=one.unknown,
            )
        await self._engine.cancel_of({one.owner for one in taken})
