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
from functools import partial

import httpx

from intempt_core import locks
from intempt_core.client import Client, now_ms, open_client
from intempt_core.dispatch.lanes import Sender
from intempt_core.dispatch.ledger import Ledger
from intempt_core.dispatch.progress import Progress
from intempt_core.errors import ConsoleError, HistoryUnavailable, NotAllowed
from intempt_core.history import BatchState, BatchSummary, History, RequestState, Unfinished, target_key
from intempt_core.plan import Policy
from intempt_core.settings import Settings
from intempt_core.targets import Target

LOOK_SECONDS = 1.0
"""How often history is looked at for batches that other processes have recorded, or left behind."""

REMEMBERED = 500
"""Batches whose progress is remembered for the time that history is away: those asked about last."""

RECORDING_MS = 600_000
"""After so many ms the recording of a process that is gone is given up."""

log = logging.getLogger(__name__)


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
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self.owner = owner or f"{os.getpid()}-{secrets.token_hex(8)}"
        self._history, self._resolve, self._settings = history, resolve, settings
        self._adopts, self._url, self._clock, self._transport = adopts, url, clock, transport
        self._rng = rng or random.Random()
        self._look_seconds = look_seconds
        self._ledger = Ledger(history, self.owner)
        self._senders: dict[str, Sender] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._seen: dict[str, Progress] = {}
        self._remembering = threading.Lock()
        self._locks: list[locks.Lock] = []
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drain = settings.drain_seconds

    # ── from any thread ──────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Begin to send. Raises :class:`HistoryUnavailable` where the data folder takes no lock."""
        if self._thread is not None:
            return
        data = self._settings.data
        try:
            locks.sweep(data)
            lock = locks.hold(locks.owner_lock(data, self.owner))
        except OSError as error:
            raise HistoryUnavailable(f"The folder {data} cannot be written: {error.strerror}.") from None
        if lock is None:
            raise HistoryUnavailable(f"Another process already sends as {self.owner}.")
        self._locks = [lock]
        self._ledger = Ledger(self._history, self.owner)
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main(started)), name="dispatch", daemon=True)
        self._thread.start()
        started.wait()

    def stop(self, drain: float | None = None) -> None:
        """Send nothing more, wait up to ``drain`` seconds for answers, and write every outcome."""
        if self._thread is None:
            return
        self._drain = self._settings.drain_seconds if drain is None else drain
        self._call(self._stopping.set)
        self._thread.join()
        self._thread = None
        while self._locks:
            self._locks.pop().release()

    def wake(self) -> None:
        """Look at history now: something was recorded."""
        if self._thread is not None:
            self._call(self._awake.set)

    def pause(self, batch: str, reason: str = "A person paused it.") -> None:
        """Let no more requests leave; those on their way get their outcome. Raises :class:`NotAllowed`."""
        self._history.set_state(batch, BatchState.PAUSED, reason)
        self._halt(batch)

    def cancel(self, batch: str, reason: str = "A person cancelled it.") -> None:
        """Never send what has not left; those on their way get their outcome. Raises :class:`NotAllowed`."""
        self._history.set_state(batch, BatchState.CANCELLED, reason)
        self._halt(batch)

    def resume(
        self,
        batch: str,
        policy: Policy | None = None,
        again: Collection[RequestState] | None = None,
    ) -> None:
        """Go on with a batch that is paused or has stopped: what is sent again, and what a person may say about it, is
        written at :meth:`History.go_on`. Raises :class:`NotAllowed`.
        """
        self._history.go_on(batch, policy, again)
        self.wake()

    def progress(self, batch: str) -> Progress:
        """Where a batch stands now. While history is away, where it stood, and why nothing moves.

        Raises :class:`NotFound`, and :class:`HistoryUnavailable` where nothing was seen of it before.
        """
        sender, trouble = self._senders.get(batch), self._ledger.trouble
        try:
            found = self._history.batch(batch)
        except HistoryUnavailable as error:
            last = self._seen.get(batch)
            if last is None:
                raise
            return Progress(last.state, last.counts, reason=self._trouble(str(error)))
        rate = sender.meter.rate if sender and found.state is BatchState.SENDING else 0.0
        left = sum(found.events.get(state, 0) for state in (RequestState.PENDING, RequestState.LEAVING))
        waits = dict(sender.waiting) if sender else {}
        reason = self._trouble(trouble) if trouble else found.reason
        if waits and not reason:
            reason = f"{_counted(len(waits), 'lane')} will try again. The last answer: {list(waits.values())[-1]}"
        seen = Progress(found.state, found.events, rate, left / rate if rate else None, reason)
        self._remember(batch, seen)
        return seen

    def _remember(self, batch: str, seen: Progress) -> None:
        with self._remembering:
            self._seen.pop(batch, None)
            self._seen[batch] = seen  # the last one in the dict's order
            if len(self._seen) > REMEMBERED:
                del self._seen[next(iter(self._seen))]

    def _trouble(self, sentence: str) -> str:
        kept = self._ledger.unwritten
        return f"{sentence} Nothing is sent until it returns; {_counted(kept, 'outcome')} not yet written."

    def _call(self, what: Callable[[], object]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(what)

    def _halt(self, batch: str) -> None:
        sender = self._senders.get(batch)
        if sender:
            self._call(sender.halt.set)

    # ── in the loop ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _main(self, started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping, self._awake = asyncio.Event(), asyncio.Event()
        self._places = asyncio.Semaphore(self._settings.lanes_at_once)
        started.set()
        async with open_client(self._settings, transport=self._transport) as client:
            looking = asyncio.create_task(self._look_again_and_again(client))
            await self._stopping.wait()
            looking.cancel()
            await self._drained({looking, *self._tasks.values()})
        self._ledger.close()

    async def _drained(self, tasks: Collection[asyncio.Task[None]]) -> None:
        """The end: first in peace, then cut off; an outcome is written either way if history is there."""
        for sender in self._senders.values():
            sender.halt.set()
        _, late = await asyncio.wait(tasks, timeout=self._drain)
        self._ledger.give_up()
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
        await self._ledger.flushed()
        if self._ledger.unwritten:
            log.error("History is away: %d outcomes will be found unknown.", self._ledger.unwritten)

    async def _look_again_and_again(self, client: Client) -> None:
        while True:
            self._awake.clear()
            try:
                await self._look(client)
            except Exception:  # the next look may go better; without it nothing would ever be sent again
                log.exception("Looking for batches failed.")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), self._look_seconds)

    async def _look(self, client: Client) -> None:
        data = self._settings.data
        if self._adopts and len(self._locks) == 1:
            said = {"pid": os.getpid(), "url": self._url, "owner": self.owner}
            # Without patience: this is the loop in which everything is sent, and there is another look soon.
            if console := locks.hold(data / locks.CONSOLE, said, patience=0):
                self._locks.append(console)
        for found in await self._ledger.ask(self._history.unfinished):
            if found.id in self._tasks or not (found.owner == self.owner or await self._adopted(found)):
                continue
            if found.state is BatchState.SENDING:
                task = asyncio.create_task(self._send(found.id, client))
                self._tasks[found.id] = task
                task.add_done_callback(partial(self._ended, found.id))

    def _ended(self, batch: str, _: asyncio.Task[None]) -> None:
        self._tasks.pop(batch, None)
        self._senders.pop(batch, None)

    async def _adopted(self, found: Unfinished) -> bool:
        """Whether a batch whose owner is gone is ours from now on; what was on its way there is unknown (DESIGN)."""
        if not self._adopts or locks.is_alive(self._settings.data, found.owner):
            return False
        if found.state is BatchState.RECORDING:
            born = (await self._ledger.ask(self._history.batch, found.id)).created_at
            if self._clock() - born < RECORDING_MS:
                return False  # another process may be recording it for us right now
        if not await self._ledger.ask(self._history.claim, found.id, self.owner, found.owner):
            return False
        lost = await self._ledger.ask(self._history.leaving_to_unknown, found.id, owner=self.owner)
        log.info("Batch %s is taken over, with %d requests whose outcome is unknown.", found.id, lost)
        if found.state is BatchState.RECORDING:
            await self._set_state(found.id, BatchState.CANCELLED, "It was not written down completely; nothing left.")
        elif found.state is BatchState.SENDING and await self._ledger.ask(self._sent_since, found.id):
            # Going on by itself would send older events after newer ones, and some of them twice (CONTRACT 3.7, 4.3).
            reason = (
                "Its process ended, and the same file was sent again since. Decide whether the rest is still wanted."
            )
            await self._set_state(found.id, BatchState.PAUSED, reason)
            return False
        return True

    def _sent_since(self, batch: str) -> bool:
        found = self._history.batch(batch)
        same = self._history.same_file(found.digest, found.target.key) if found.digest else []
        return any(other.created_at > found.created_at for other in same)

    async def _send(self, batch: str, client: Client) -> None:
        """Send a batch until it is done, stands, or is halted."""
        try:
            await self._ledger.ask(self._history.leaving_to_unknown, batch, owner=self.owner)
            found = await self._ledger.ask(self._history.batch, batch)
            target = await asyncio.to_thread(self._resolved, found)
            sender = Sender(
                self._ledger,
                batch,
                client,
                target,
                policy=found.policy,
                settings=self._settings,
                clock=self._clock,
                rng=self._rng,
            )
            self._senders[batch] = sender
            if self._stopping.is_set():
                return
            while not sender.halt.is_set() and (lanes := await sender.open_lanes()):
                done = await asyncio.gather(*(self._lane(sender, lane) for lane in lanes), return_exceptions=True)
                for error in done:
                    if isinstance(error, BaseException):
                        raise error
            if sender.breaker.reason:
                await self._set_state(batch, BatchState.PAUSED, sender.breaker.reason)
            elif not sender.halt.is_set():
                await self._finish(sender)
        except ConsoleError as error:
            await self._set_state(batch, BatchState.PAUSED, str(error))
        except Exception as error:
            log.exception("Batch %s broke off.", batch)
            await self._set_state(
                batch, BatchState.PAUSED, f"Sending broke off by an error of the console ({type(error).__name__})."
            )

    def _resolved(self, found: BatchSummary) -> Target:
        target = self._resolve(found)
        if target.credential is None:
            raise ConsoleError(f"The key of target {found.target.name} is missing. Give it, then go on.")
        if target_key(target) != found.target.key:
            raise ConsoleError(
                f"Target {found.target.name} now leads to {target.host}, and this batch was confirmed for"
                f" {found.target.host}. Set the target back, or cancel this batch and send it anew."
            )
        return target

    async def _lane(self, sender: Sender, lane: int) -> None:
        due: int | None = None
        try:
            while not sender.halt.is_set():
                async with self._places:
                    turn = await sender.turn(lane, due=due)
                if not turn.more:
                    return
                due = turn.request
                if turn.seconds:
                    await sender.rest(turn.seconds)
        except BaseException:
            sender.halt.set()  # the other lanes end in good order
            raise
        finally:
            sender.waiting.pop(lane, None)

    async def _finish(self, sender: Sender) -> None:
        lanes = await self._ledger.ask(self._history.lanes, sender.batch)
        held = [lane for lane in lanes if lane.waiting]
        if not held:
            await self._set_state(sender.batch, BatchState.DONE)
            return
        behind, standing = sum(lane.waiting for lane in held), sum(lane.standing for lane in held)
        said = f" The last answer: {sender.held}" if sender.held else ""
        await self._set_state(
            sender.batch,
            BatchState.STOPPED,
            f"{_counted(len(held), 'lane')} of {len(lanes)} stopped: {_counted(standing, 'request')} unknown or unsent,"
            f" and {behind:,} behind, so that the order is kept. Decide what becomes of them.{said}",
        )

    async def _set_state(self, batch: str, state: BatchState, reason: str = "") -> None:
        with suppress(NotAllowed):  # a person, or a new owner, was quicker; the next look tells
            await self._ledger.ask(self._history.set_state, batch, state, reason, owner=self.owner)


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
