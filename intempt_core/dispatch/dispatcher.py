"""The process that sends: finds batches to send, drives their lanes, and says how far they are.

It runs in a thread with its own event loop. Whose a batch is stands in history; that an owner is alive is known by
a lock that the system takes away when the process ends (``locks.py``).
"""

import asyncio
import logging
import os
import random
import secrets
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import httpx

from intempt_core.contract import format_count, now_ms
from intempt_core.dispatch.batch_runner import BatchRunner
from intempt_core.dispatch.history_writer import HistoryWriter
from intempt_core.dispatch.lane_sender import LaneSender
from intempt_core.dispatch.process_locks import (
    CONSOLE_LOCK_NAME,
    ProcessLock,
    acquire_lock,
    is_owner_alive,
    locate_owner_lock,
    remove_stale_locks,
)
from intempt_core.dispatch.progress import Progress
from intempt_core.dispatch.runner import ChunkRunner, InProcessRunner
from intempt_core.errors import ConsoleError, HistoryUnavailable
from intempt_core.history import (
    INCOMPLETE_RECORDING_REASON,
    BatchState,
    BatchSummary,
    History,
    RequestState,
    UnfinishedBatch,
)
from intempt_core.logs import write_log
from intempt_core.planning import Policy
from intempt_core.settings import Settings
from intempt_core.targets import Target
from intempt_core.transport import open_client

HISTORY_POLL_SECONDS = 1.0
"""How often history is looked at for batches that other processes have recorded, or left behind."""

MAX_CACHED_PROGRESS = 500
"""Batches whose progress is remembered for the time that history is away: those asked about last."""

RECORDING_TIMEOUT_MS = 600_000
"""After so many ms the recording of a process that is gone is given up."""

FINAL_WAIT_SECONDS = 1.0
"""How long a process that ends waits for its batches once no answer is waited for any more."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DispatcherStatus:
    """How a process that sends is: whether it ``runs``, by the durable engine or not, and what keeps it, if anything.

    ``sending`` are its batches on their way, ``unwritten`` the outcomes that history does not have yet.
    """

    owner: str
    is_running: bool
    durable: bool
    sending: int
    unwritten: int
    trouble: str


class Dispatcher:
    """Sends batches: this owner's, and, if it ``adopts``, those of owners that are gone.

    ``resolve`` finds the target of a batch with its key; a :class:`ConsoleError` from it pauses the batch with its
    sentence. ``url`` is where a console is reached. ``clock`` gives epoch ms; ``transport`` replaces the wire.
    Every method may be called from any thread.
    """

    def __init__(
        self,
        history: History,
        resolve: Callable[[BatchSummary], Target],
        settings: Settings,
        *,
        owner: str = "",
        adopts: bool = True,
        url: str = "",
        clock: Callable[[], int] = now_ms,
        transport: httpx.AsyncBaseTransport | None = None,
        rng: random.Random | None = None,
        poll_seconds: float = HISTORY_POLL_SECONDS,
    ) -> None:
        self.owner = owner or f"{os.getpid()}-{secrets.token_hex(8)}"
        self._history, self._resolve, self._settings = history, resolve, settings
        self._adopts, self._url, self._clock, self._transport = adopts, url, clock, transport
        self._rng = rng or random.Random()
        self._poll_seconds = poll_seconds
        self._writer = HistoryWriter(history, self.owner)
        self._runner: BatchRunner | None = None
        self._chunk_runner: ChunkRunner = InProcessRunner()
        self._durable = False
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._last_progress: dict[str, Progress] = {}
        self._progress_lock = threading.Lock()
        self._locks: list[ProcessLock] = []
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drain = settings.drain_seconds

    # ── from any thread ──────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, *, durable: bool = False) -> None:
        """Begin to send; with ``durable`` by the durable engine, as soon as this process is the data folder's console.

        Raises :class:`HistoryUnavailable` where the data folder takes no lock, and :class:`EngineUnavailable` where
        the engine's database cannot be used.
        """
        if self._thread is not None:
            return
        data = self._settings.data
        try:
            remove_stale_locks(data)
            lock = acquire_lock(locate_owner_lock(data, self.owner))
        except OSError as error:
            raise HistoryUnavailable(f"The folder {data} cannot be written: {error.strerror}.") from None
        if lock is None:
            raise HistoryUnavailable(f"Another process already sends as {self.owner}.")
        self._locks = [lock]
        self._writer, self._durable = HistoryWriter(self._history, self.owner), durable
        started, failed = threading.Event(), list[ConsoleError]()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._main(started, failed)), name="dispatch", daemon=True
        )
        self._thread.start()
        started.wait()
        if failed:
            self.stop()
            raise failed[0]

    def stop(self, drain: float | None = None) -> None:
        """Send nothing more, wait up to ``drain`` seconds for answers, and write every outcome."""
        if self._thread is None:
            return
        self._drain = self._settings.drain_seconds if drain is None else drain
        self._call_in_loop(self._stopping.set)
        self._thread.join()
        self._thread = None
        while self._locks:
            self._locks.pop().release()

    @property
    def status(self) -> DispatcherStatus:
        """What this process can say of its sending, at once."""
        batches, thread = self._runner, self._thread
        return DispatcherStatus(
            owner=self.owner,
            is_running=thread is not None and thread.is_alive(),
            durable=not isinstance(self._chunk_runner, InProcessRunner),
            sending=len(batches.senders) if batches else 0,
            unwritten=self._writer.unwritten,
            trouble=self._writer.trouble or (batches.trouble if batches else ""),
        )

    def wake(self) -> None:
        """Look at history now: something was recorded."""
        if self._thread is not None:
            self._call_in_loop(self._awake.set)

    def pause(self, batch: str, reason: str = "A person paused it.") -> None:
        """Let no more requests leave; those on their way get their outcome. Raises :class:`NotAllowed`."""
        self._history.control.set_state(batch, BatchState.PAUSED, reason)
        self._halt_batch(batch)

    def cancel(self, batch: str, reason: str = "A person cancelled it.") -> None:
        """Never send what has not left; those on their way get their outcome. Raises :class:`NotAllowed`."""
        self._history.control.set_state(batch, BatchState.CANCELLED, reason)
        self._halt_batch(batch)

    def resume(
        self,
        batch: str,
        policy: Policy | None = None,
        retry_states: Collection[RequestState] | None = None,
    ) -> None:
        """Go on with a batch that is paused or has stopped: what is sent again, and what a person may say about it, is
        written at :meth:`History.resume`. Raises :class:`NotAllowed`.
        """
        self._history.control.resume(batch, policy, retry_states)
        self.wake()

    def progress(self, batch: str) -> Progress:
        """Where a batch stands now. While history is away, where it stood, and why nothing moves.

        Raises :class:`NotFound`, and :class:`HistoryUnavailable` where nothing was seen of it before.
        """
        sender, trouble = self._find_sender(batch), self._writer.trouble
        try:
            found = self._history.queries.batch(batch)
        except HistoryUnavailable as error:
            last = self._last_progress.get(batch)
            if last is None:
                raise
            return Progress(last.state, last.counts, reason=self._outage_message(str(error)))
        rate = sender.meter.rate if sender and found.state is BatchState.SENDING else 0.0
        left = sum(found.events.get(state, 0) for state in (RequestState.PENDING, RequestState.IN_FLIGHT))
        waits = dict(sender.waiting) if sender else {}
        reason = self._outage_message(trouble) if trouble else found.reason
        if sender and self._runner and not reason:
            reason = self._runner.trouble
        if waits and not reason:
            reason = f"{format_count(len(waits), 'lane')} will try again. The last answer: {list(waits.values())[-1]}"
        seen = Progress(found.state, found.events, rate, left / rate if rate else None, reason)
        self._remember_progress(batch, seen)
        return seen

    def _remember_progress(self, batch: str, seen: Progress) -> None:
        with self._progress_lock:
            self._last_progress.pop(batch, None)
            self._last_progress[batch] = seen  # the last one in the dict's order
            if len(self._last_progress) > MAX_CACHED_PROGRESS:
                del self._last_progress[next(iter(self._last_progress))]

    def _outage_message(self, sentence: str) -> str:
        kept = self._writer.unwritten
        return f"{sentence} Nothing is sent until it returns; {format_count(kept, 'outcome')} not yet written."

    def _call_in_loop(self, what: Callable[[], object]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(what)

    def _halt_batch(self, batch: str) -> None:
        sender = self._find_sender(batch)
        if sender:
            self._call_in_loop(sender.halt.set)

    def _find_sender(self, batch: str) -> LaneSender | None:
        return self._runner.senders.get(batch) if self._runner else None

    # ── in the loop ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _main(self, started: threading.Event, failed: list[ConsoleError]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping, self._awake = asyncio.Event(), asyncio.Event()
        async with open_client(self._settings, transport=self._transport) as client:
            self._runner = batches = BatchRunner(
                self._writer, self._resolve, client, self._settings, clock=self._clock, rng=self._rng
            )
            try:
                await self._claim_console()
            except ConsoleError as error:
                failed.append(error)
                self._stopping.set()
            started.set()
            write_log(log, "sending starts", owner=self.owner, durable=self._durable)
            looking = asyncio.create_task(self._poll_history(batches))
            await self._stopping.wait()
            looking.cancel()
            await self._drain_tasks({looking, *self._tasks.values()}, batches)
            await self._chunk_runner.close()
            self._chunk_runner = InProcessRunner()
            write_log(log, "sending ends", owner=self.owner, unwritten=self._writer.unwritten)
        self._writer.close()

    async def _drain_tasks(self, tasks: Collection[asyncio.Task[None]], batches: BatchRunner) -> None:
        """The end: first in peace, then cut off; an outcome is written either way if history is there."""
        self._writer.shorten_lock_timeout()
        batches.halt()
        _, late = await asyncio.wait(tasks, timeout=self._drain)
        self._writer.set_deadline(FINAL_WAIT_SECONDS)
        batches.abort()
        if late:
            _, late = await asyncio.wait(late, timeout=2 * FINAL_WAIT_SECONDS)
        for task in late:  # it waits for the engine: all outcomes are with history by now
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=FINAL_WAIT_SECONDS)
        await self._writer.flush()
        if self._writer.unwritten:
            write_log(log, "history is away at the end", level=logging.ERROR, unwritten=self._writer.unwritten)

    async def _poll_history(self, batches: BatchRunner) -> None:
        while True:
            self._awake.clear()
            try:
                await self._claim_console()
                await self._start_batches(batches)
            except Exception:  # the next look may go better; without it nothing would ever be sent again
                log.exception("Looking for batches failed.")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), self._poll_seconds)

    async def _claim_console(self) -> None:
        """Be the console of the data folder if nobody else is: its lock guards the engine's SQLite file too."""
        if not self._adopts or len(self._locks) != 1:
            return
        said = {"pid": os.getpid(), "url": self._url, "owner": self.owner}
        # Without patience: this is the loop in which everything is sent, and there is another look soon.
        console = acquire_lock(self._settings.data / CONSOLE_LOCK_NAME, said, timeout=0)
        if console:
            self._locks.append(console)
            write_log(log, "is the console of its data folder", owner=self.owner)
            if self._durable:
                from intempt_core.dispatch.dbos_runner import DbosRunner  # noqa: PLC0415  two seconds, which a library can spare

                engine = DbosRunner(self._settings.engine_url, self.owner)
                await engine.launch()
                self._chunk_runner = engine

    async def _start_batches(self, batches: BatchRunner) -> None:
        for found in await self._writer.call(self._history.queue.unfinished):
            if found.id in self._tasks or not (found.owner == self.owner or await self._adopt_batch(found, batches)):
                continue
            if found.state is BatchState.SENDING:
                task = asyncio.create_task(batches.send(found.id, self._chunk_runner))
                self._tasks[found.id] = task
                task.add_done_callback(partial(self._forget_task, found.id))

    def _forget_task(self, batch: str, _: asyncio.Task[None]) -> None:
        self._tasks.pop(batch, None)

    async def _adopt_batch(self, found: UnfinishedBatch, batches: BatchRunner) -> bool:
        """Take over a batch whose owner is gone; what was in flight there is unknown (ARCHITECTURE, takeover)."""
        if not self._adopts or is_owner_alive(self._settings.data, found.owner):
            return False
        if found.state is BatchState.RECORDING:
            born = (await self._writer.call(self._history.queries.batch, found.id)).created_at
            if self._clock() - born < RECORDING_TIMEOUT_MS:
                return False  # another process may be recording it for us right now
        if not await self._writer.call(self._history.queue.claim, found.id, self.owner, found.owner):
            return False
        lost = await self._writer.call(self._history.queue.in_flight_to_unknown, found.id, owner=self.owner)
        write_log(log, "batch taken over", batch=found.id, state=found.state.value, was=found.owner, unknown=lost)
        if found.state is BatchState.RECORDING:
            await batches.set_state(found.id, BatchState.CANCELLED, INCOMPLETE_RECORDING_REASON)
        elif found.state is BatchState.SENDING and await self._writer.call(self._was_sent_since, found.id):
            # Going on by itself would send older events after newer ones, and some of them twice (CONTRACT 3.7, 4.3).
            reason = (
                "Its process ended, and the same file was sent again since. Decide whether the rest is still wanted."
            )
            await batches.set_state(found.id, BatchState.PAUSED, reason)
            return False
        return True

    def _was_sent_since(self, batch: str) -> bool:
        found = self._history.queries.batch(batch)
        same = self._history.queries.batches_of_file(found.digest, found.target.key) if found.digest else []
        return any(other.created_at > found.created_at for other in same)
