"""The dispatcher: finds batches to send, sends their lanes, and reports their progress.

It runs in a thread with its own event loop. History has the owner of each batch; whether that process is alive is known
by a lock that the system releases when it ends (``process_locks.py``).
"""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from intempt_core.contract import format_count, now_ms
from intempt_core.dispatch.alive_processes import make_lease
from intempt_core.dispatch.batch_runner import BatchRunner
from intempt_core.dispatch.environment import SendingEnvironment
from intempt_core.dispatch.history_writer import HistoryWriter
from intempt_core.dispatch.lane_sender import LaneSender
from intempt_core.dispatch.process_locks import (
    CONSOLE_LOCK_NAME,
    ProcessLock,
    acquire_lock,
    is_owner_alive,
    locate_owner_lock,
    make_owner_name,
    read_running_console,
    remove_stale_locks,
)
from intempt_core.dispatch.progress import Progress, RateMeter
from intempt_core.dispatch.runner import ENGINE_VERSION, ChunkRunner, InProcessRunner
from intempt_core.dispatch.workers.lease_keeper import LeaseKeeper
from intempt_core.errors import ConsoleError, HistoryUnavailable
from intempt_core.history import (
    LEASE_SECONDS,
    BatchState,
    History,
    RequestState,
    UnfinishedBatch,
    WorkerKind,
    count_settled,
)
from intempt_core.logs import write_log
from intempt_core.planning import Policy
from intempt_core.transport import HttpClient, open_client

if TYPE_CHECKING:
    from intempt_core.dispatch.workers.shared_sending import SharedSending

HISTORY_POLL_SECONDS = 1.0
"""How often history is read for batches that other processes have recorded, or no longer send."""

MAX_CACHED_PROGRESS = 500
"""Batches whose last progress is kept for while history is unavailable: those asked for last."""

SWITCH_SECONDS = 0.001
"""How long another thread of this process may keep the interpreter while the loop that sends waits for it. The loop
gives it away with every call of the system; Python's own 5 ms would then be a quarter of a response's time.
"""

FINAL_WAIT_SECONDS = 1.0
"""How long a process that ends waits for its batches after it has stopped waiting for responses."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DispatcherStatus:
    """The state of a process that sends.

    Attributes:
        owner: its name in history.
        is_running: whether its thread is alive.
        durable: whether the durable engine calls for the work.
        sending: how many batches it is sending.
        unwritten: how many outcomes history does not have yet.
        trouble: what keeps requests from being sent, in a sentence; empty where nothing does.
    """

    owner: str
    is_running: bool
    durable: bool
    sending: int
    unwritten: int
    trouble: str


class Dispatcher:
    """Sends the batches of this process, and those of processes that have ended. Any thread may call its methods.

    Attributes:
        owner: the name of this process in history.
    """

    def __init__(
        self,
        history: History,
        environment: SendingEnvironment,
        *,
        owner: str = "",
        adopts: bool = True,
        url: str = "",
        kind: WorkerKind | None = None,
        poll_seconds: float = HISTORY_POLL_SECONDS,
    ) -> None:
        """Make a dispatcher that is not started yet.

        Args:
            history: where batches come from, and outcomes go.
            environment: what sending needs from outside.
            owner: the name of this process in history; by default a new one.
            adopts: whether it takes over the batches of processes that have ended.
            url: where this console is reached, for other processes that find its lock.
            kind: what this process is for others, where history is in a database of many machines; by default a console
                if it adopts, else a command.
            poll_seconds: how often history is read for new batches.
        """
        self.owner = owner or make_owner_name()
        if history.workers.are_used and environment.clock is now_ms:  # on many machines the database's clock counts
            environment = replace(environment, clock=history.database.clock)
        self._history, self._environment, self._settings = history, environment, environment.settings
        self._adopts, self._url, self._poll_seconds = adopts, url, poll_seconds
        self._writer = HistoryWriter(history, self.owner)
        self._runner: BatchRunner | None = None
        self._kind = kind or (WorkerKind.CONSOLE if adopts else WorkerKind.COMMAND)
        self._keeper: LeaseKeeper | None = None
        self._shared: SharedSending | None = None
        self._chunk_runner: ChunkRunner = InProcessRunner()
        self._durable = False
        self._engine_notice = ""
        self._found_unclean_end = False
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._last_progress: dict[str, Progress] = {}
        self._meters: dict[str, tuple[RateMeter, int]] = {}
        self._progress_lock = threading.Lock()
        self._locks: list[ProcessLock] = []
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drain_seconds = environment.settings.drain_seconds

    # ── called from any thread ───────────────────────────────────────────────────────────────────────────────────────

    def start(self, *, durable: bool = False) -> None:
        """Start to send; with ``durable`` by the durable engine, once this process is the data folder's console.

        Raises :class:`HistoryUnavailable` where the data folder cannot be locked, and :class:`EngineUnavailable` where
        the engine's database cannot be used.
        """
        if self._thread is not None:
            return
        data = self._settings.data
        try:
            self._found_unclean_end = remove_stale_locks(data) > 0
            lock = acquire_lock(locate_owner_lock(data, self.owner))
        except OSError as error:
            raise HistoryUnavailable(f"The folder {data} cannot be written: {error.strerror}.") from None
        if lock is None:
            raise HistoryUnavailable(f"Another process already sends as {self.owner}.")
        self._locks = [lock]
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_SECONDS))
        self._writer, self._durable = HistoryWriter(self._history, self.owner), durable
        self._keeper = self._begin_lease()
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
        """Send nothing more, wait up to ``drain`` seconds for responses, and write every outcome."""
        if self._thread is None:
            return
        self._drain_seconds = self._settings.drain_seconds if drain is None else drain
        self._call_in_loop(self._stopping.set)
        self._thread.join()
        self._thread = None
        if self._keeper is not None:
            self._keeper.stop()
            self._keeper = None
        while self._locks:
            self._locks.pop().release()

    def _begin_lease(self) -> LeaseKeeper | None:
        """Say that this process is alive, where processes are known by leases."""
        if not self._history.workers.are_used:
            return None
        engine = ENGINE_VERSION if self._adopts and self._durable else ""
        lease = make_lease(self.owner, self._kind, url=self._url, engine=engine)
        keeper = LeaseKeeper(self._history, lease, lambda: self._call_in_loop(self._lose_groups))
        keeper.start()
        return keeper

    def _lose_groups(self) -> None:
        if self._shared is not None:
            self._shared.lose()

    @property
    def status(self) -> DispatcherStatus:
        """The state of this process, without asking history."""
        runner, thread = self._runner, self._thread
        return DispatcherStatus(
            owner=self.owner,
            is_running=thread is not None and thread.is_alive(),
            durable=not isinstance(self._chunk_runner, InProcessRunner),
            sending=len(runner.senders) if runner else 0,
            unwritten=self._writer.unwritten,
            trouble=self._writer.trouble or (runner.trouble if runner else ""),
        )

    @property
    def end_reason(self) -> str:
        """Why this process sends nothing more and should end, in sentences; empty where it goes on."""
        return "" if self._keeper is None else self._keeper.end_reason

    @property
    def is_sharing(self) -> bool:
        """Whether it takes part in what all processes of the database send together."""
        return self._shared is not None

    @property
    def notices(self) -> list[str]:
        """What everybody who uses this process has to know of how it sends, as sentences."""
        return [notice for notice in (self._engine_notice, self._describe_other_console(), self.end_reason) if notice]

    def _describe_other_console(self) -> str:
        """What this process does while another one is the console of its data folder; empty where none is."""
        if self._thread is None or not self._adopts or len(self._locks) != 1:
            return ""
        console = read_running_console(self._settings.data)
        if console is None:
            return ""
        facts = [str(console["url"])] if console.get("url") else []
        facts += [f"process {console['pid']}"] if console.get("pid") else []
        where = f" ({', '.join(facts)})" if facts else ""
        return (
            f"Another console uses this data folder{where}. It sends what is confirmed on its own screens and what the"
            " command line hands over. This one shows the same history, and sends what is confirmed on its screens or"
            " was left by a process that has ended, without the durable engine. When the other one ends, it takes its"
            " place."
        )

    def wake(self) -> None:
        """Read history now: something was recorded."""
        if self._thread is not None:
            self._call_in_loop(self._awake.set)

    def pause(self, batch: str, reason: str = "A person paused it.") -> None:
        """Send no more requests of a batch; those in flight get their outcome. Raises :class:`NotAllowed`."""
        self._history.control.set_state(batch, BatchState.PAUSED, reason)
        self._halt_batch(batch)

    def cancel(self, batch: str, reason: str = "A person cancelled it.") -> None:
        """Never send what was not sent; requests in flight get their outcome. Raises :class:`NotAllowed`."""
        self._history.control.set_state(batch, BatchState.CANCELLED, reason)
        self._halt_batch(batch)

    def stop_waiting(self, batch: str, reason: str = "A person stopped waiting for a response.") -> None:
        """Cancel a batch, and wait for no response either: what is in flight is unknown, for it may have arrived.

        Of a batch that another process sends, responses are waited for. Raises :class:`NotAllowed`.
        """
        self._history.control.set_state(batch, BatchState.CANCELLED, reason)
        sender = self._find_sender(batch)
        if sender:
            self._call_in_loop(sender.stop_waiting)

    def resume(
        self,
        batch: str,
        policy: Policy | None = None,
        retry_states: Collection[RequestState] | None = None,
        *,
        confirmed: Collection[int] | None = None,
    ) -> None:
        """Go on with a batch that is paused or has stopped, as
        :meth:`~intempt_core.history.control.BatchControl.resume` has it. Raises :class:`NotAllowed`.
        """
        self._history.control.resume(batch, policy, retry_states, confirmed=confirmed)
        self.wake()

    def progress(self, batch: str) -> Progress:
        """The progress of a batch. While history is unavailable it is the last one, with the reason.

        Raises :class:`NotFound`, and :class:`HistoryUnavailable` where there is no last one.
        """
        sender, trouble = self._find_sender(batch), self._writer.trouble
        try:
            found = self._history.queries.batch(batch)
        except HistoryUnavailable as error:
            last = self._last_progress.get(batch)
            if last is None:
                raise
            return replace(last, rate=0.0, seconds_left=None, reason=self._outage_message(str(error)))
        rate = sender.meter.rate if sender and found.state is BatchState.SENDING else 0.0
        if found.groups and found.state is BatchState.SENDING:
            rate = self._measure_shared(batch, count_settled(found.events))
        waiting = dict(sender.waiting) if sender else {}
        reason = self._outage_message(trouble) if trouble else found.reason
        if sender and self._runner and not reason:
            reason = self._runner.trouble or sender.activity
        if waiting and not reason:
            lanes = format_count(len(waiting), "lane")
            reason = f"{lanes} will try again. The last response: {list(waiting.values())[-1]}"
        left = (found.planned - count_settled(found.events)) / rate if rate else None
        progress = Progress(found.state, found.events, rate, left, reason, found.unrecorded)
        self._remember_progress(batch, progress)
        return progress

    def _measure_shared(self, batch: str, settled: int) -> float:
        """The events a second of a batch that all workers send, as history counts them."""
        with self._progress_lock:
            meter, counted = self._meters.pop(batch, (RateMeter(), settled))
            meter.count(settled - counted)
            self._meters[batch] = meter, settled  # the last one in the dict's order
            if len(self._meters) > MAX_CACHED_PROGRESS:
                del self._meters[next(iter(self._meters))]
        return meter.rate

    def _remember_progress(self, batch: str, progress: Progress) -> None:
        with self._progress_lock:
            self._last_progress.pop(batch, None)
            self._last_progress[batch] = progress  # the last one in the dict's order
            if len(self._last_progress) > MAX_CACHED_PROGRESS:
                del self._last_progress[next(iter(self._last_progress))]

    def _outage_message(self, sentence: str) -> str:
        unwritten = format_count(self._writer.unwritten, "outcome")
        return f"{sentence} Nothing is sent until it returns; {unwritten} not yet written."

    def _call_in_loop(self, function: Callable[[], object]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(function)

    def _halt_batch(self, batch: str) -> None:
        sender = self._find_sender(batch)
        if sender:
            self._call_in_loop(sender.halt.set)

    def _find_sender(self, batch: str) -> LaneSender | None:
        return self._runner.senders.get(batch) if self._runner else None

    # ── in the event loop ────────────────────────────────────────────────────────────────────────────────────────────

    async def _main(self, started: threading.Event, failed: list[ConsoleError]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping, self._awake = asyncio.Event(), asyncio.Event()
        async with open_client(self._settings, transport=self._environment.transport) as client:
            self._runner = runner = self._make_runner(client)
            try:
                await self._claim_console()
                await self._join_workers(runner)
            except ConsoleError as error:
                failed.append(error)
                self._stopping.set()
            started.set()
            write_log(log, "sending starts", owner=self.owner, durable=self._durable)
            polling = asyncio.create_task(self._poll_history(runner))
            watching = asyncio.create_task(self._watch_lease())
            await self._stopping.wait()
            polling.cancel()
            tasks = {polling, *self._tasks.values()}
            if self._keeper is not None:
                self._keeper.drain()
            if self._shared is not None:
                self._shared.stop()
                tasks.add(asyncio.create_task(self._shared.wait_until_idle()))
            await self._drain_tasks(tasks, runner)
            runner.close()
            watching.cancel()
            if self._shared is not None:
                await self._shared.close()
                self._shared = None
            await self._chunk_runner.close()
            self._chunk_runner = InProcessRunner()
            write_log(log, "sending ends", owner=self.owner, unwritten=self._writer.unwritten)
        self._writer.close()

    async def _drain_tasks(self, tasks: Collection[asyncio.Task[None]], runner: BatchRunner) -> None:
        """Wait for responses, then stop waiting; either way outcomes are written if history is available."""
        self._writer.shorten_lock_timeout()
        runner.halt()
        _, late = await asyncio.wait(tasks, timeout=self._drain_seconds)
        self._writer.set_deadline(FINAL_WAIT_SECONDS)
        runner.abort()
        if late:
            _, late = await asyncio.wait(late, timeout=2 * FINAL_WAIT_SECONDS)
        for task in late:  # it waits for the engine; history has all outcomes by now
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=FINAL_WAIT_SECONDS)
        await self._writer.flush()
        if self._writer.unwritten:
            write_log(log, "history is unavailable at the end", level=logging.ERROR, unwritten=self._writer.unwritten)

    async def _poll_history(self, runner: BatchRunner) -> None:
        while True:
            self._awake.clear()
            try:
                await self._claim_console()
                await self._start_batches(runner)
            except Exception:  # the next poll may succeed; if this ended, nothing would ever be sent again
                log.exception("looking for batches failed")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), self._poll_seconds)

    async def _claim_console(self) -> None:
        """Become the console of the data folder if no process is: its lock also guards the engine's SQLite file."""
        if not self._adopts or len(self._locks) != 1 or self._keeper is not None:
            return
        content = {"pid": os.getpid(), "url": self._url, "owner": self.owner}
        # Without waiting: this is the event loop in which everything is sent, and the next poll is soon.
        path = self._settings.data / CONSOLE_LOCK_NAME
        was_left = path.exists()  # who ends in good order removes it
        console = acquire_lock(path, content, timeout=0)
        if console:
            self._locks.append(console)
            write_log(log, "is the console of its data folder", owner=self.owner)
            if was_left or self._found_unclean_end:
                self._history.integrity.start()
            if self._durable:
                from intempt_core.dispatch.dbos_runner import DbosRunner  # noqa: PLC0415  costs two seconds that a library need not spend

                engine = DbosRunner(self._settings.engine_url, self.owner)
                await engine.launch()
                self._chunk_runner, self._engine_notice = engine, engine.notice

    async def _watch_lease(self) -> None:
        """Stop what goes on without a lease, and what waits for a database that says nothing."""
        pause = self._poll_seconds
        while self._keeper is not None:
            await asyncio.sleep(pause)
            pause = self._poll_seconds
            if not self._keeper.may_send:
                self._history.workers.cut_connections()
                self._lose_groups()
                if self._shared is not None:
                    self._shared.cut_connections()
                pause = LEASE_SECONDS

    def _make_runner(self, client: HttpClient) -> BatchRunner:
        if self._keeper is None:
            return BatchRunner(self._writer, client, self._environment)
        from intempt_core.dispatch.workers.database_limits import DatabaseLimits  # noqa: PLC0415  only such a one needs it

        limits = DatabaseLimits(self._history, self.owner)
        return BatchRunner(
            self._writer,
            client,
            self._environment,
            make_permit=self._keeper.make_permit,
            open_limits=limits.open,
        )

    async def _join_workers(self, runner: BatchRunner) -> None:
        """Begin to take groups of what all processes of the database share, if this process does so."""
        if self._keeper is not None and self._adopts and self._durable:
            from intempt_core.dispatch.workers.shared_sending import SharedSending  # noqa: PLC0415  as above

            shared = SharedSending(runner, self._writer, self._keeper, self._settings, self.wake)
            await shared.start()
            self._shared = shared

    async def _start_batches(self, runner: BatchRunner) -> None:
        unfinished = await self._writer.call(self._history.queue.unfinished)
        is_alive = await self._read_alive()
        for found in unfinished:
            if found.recorder and not (found.recorder == self.owner or is_alive(found.recorder)):
                await self._writer.call(self._history.control.stop_recording, found.id, found.recorder)
                continue  # the next look finds it as it is now
            if found.groups or found.id in self._tasks:
                continue
            is_own = found.owner == self.owner
            if not is_own and (is_alive(found.owner) or not await self._adopt_batch(found, runner)):
                continue
            if found.state is BatchState.SENDING:
                task = asyncio.create_task(runner.send(found.id, self._chunk_runner))
                self._tasks[found.id] = task
                task.add_done_callback(partial(self._forget_task, found.id))
        if self.end_reason and self._shared is not None:
            self._shared.stop()
        elif self._shared is not None:
            await self._shared.look([found.id for found in unfinished if found.state is BatchState.SENDING])
        if self._adopts and not self._tasks:  # what a recording that was killed has left, once there is nothing to send
            await self._writer.call(self._history.search_index.start)

    def _forget_task(self, batch: str, _: asyncio.Task[None]) -> None:
        self._tasks.pop(batch, None)

    async def _adopt_batch(self, found: UnfinishedBatch, runner: BatchRunner) -> bool:
        """Take over a batch whose process has ended; what was in flight there is unknown (ARCHITECTURE, takeover)."""
        if not self._adopts:
            return False
        if not await self._writer.call(self._history.queue.claim, found.id, self.owner, found.owner):
            return False
        lost = await self._writer.call(self._history.queue.in_flight_to_unknown, found.id, owner=self.owner)
        write_log(log, "batch taken over", batch=found.id, state=found.state.value, was=found.owner, unknown=lost)
        if found.state is BatchState.SENDING and await self._writer.call(self._was_sent_since, found):
            # Going on by itself would send older events after newer ones, and some of them twice (CONTRACT 3.7, 4.3).
            reason = "Its process ended, and the same was sent again since. Decide whether to send the rest."
            await runner.set_state(found.id, BatchState.PAUSED, reason)
            return False
        return True

    async def _read_alive(self) -> Callable[[str], bool]:
        """What tells whether a process is alive: by its lease, or in a data folder by its lock."""
        if self._keeper is None:
            return partial(is_owner_alive, self._settings.data)
        alive = await self._writer.call(self._history.workers.list_alive)
        return {lease.name for lease in alive}.__contains__

    def _was_sent_since(self, unfinished: UnfinishedBatch) -> bool:
        """Whether a batch of a process that has ended was recorded again since, by the same file or the same events."""
        return bool(unfinished.owner) and self._history.repeats.was_repeated(unfinished.id)
