"""One batch of this process, sent until it is done, stands, or is halted."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import suppress

from intempt_core.client import HttpClient
from intempt_core.dispatch.gates import Gate, Pace
from intempt_core.dispatch.lanes import Sender
from intempt_core.dispatch.ledger import FIRST_PAUSE, LONGEST_PAUSE, Ledger
from intempt_core.dispatch.runs import Runs
from intempt_core.errors import ConsoleError, EngineUnavailable, NotAllowed
from intempt_core.history import BatchState, BatchSummary, target_key
from intempt_core.logs import write_log
from intempt_core.settings import Settings
from intempt_core.targets import Target

CHUNK = 640
"""Requests of a group of lanes between two words with the engine."""

TURN = 64
"""Requests of one lane before another lane, perhaps of another batch, may have its place."""

log = logging.getLogger(__name__)


class Chunk:
    """A part of what a group of lanes has to send. ``over`` is set when it is full: whoever only waits then ends."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self.over = asyncio.Event()

    def count(self, sent: int) -> None:
        """So many requests more."""
        self._left -= sent
        if self._left <= 0:
            self.over.set()


class Batches:
    """What the batches of one process share in its event loop: the wire, the ledger, the places for lanes, the engine.

    ``trouble`` says why the engine lets nothing be sent, if so; ``senders`` are the batches on their way.
    """

    def __init__(
        self,
        ledger: Ledger,
        resolve: Callable[[BatchSummary], Target],
        client: HttpClient,
        settings: Settings,
        *,
        clock: Callable[[], int],
        rng: random.Random,
    ) -> None:
        self._ledger, self._resolve, self._client, self._settings = ledger, resolve, client, settings
        self._history, self._clock, self._rng = ledger.history, clock, rng
        self._places = asyncio.Semaphore(settings.lanes_at_once)
        self._lanes: set[asyncio.Task[bool]] = set()
        self._stopping = False
        self._gates: dict[str, Gate] = {}
        self.senders: dict[str, Sender] = {}
        self.trouble = ""

    def halt(self) -> None:
        """Let no more requests leave: the process ends."""
        self._stopping = True
        for sender in self.senders.values():
            sender.halt.set()

    def cut_off(self) -> None:
        """Wait for no more answers: what is on its way gets its outcome, unknown."""
        for lane in self._lanes:
            lane.cancel()

    async def send(self, batch: str, runs: Runs) -> None:
        """Send a batch until it is done, stands, or is halted."""
        try:
            await self._ledger.ask(self._history.leaving_to_unknown, batch, owner=self._ledger.owner)
            found = await self._ledger.ask(self._history.batch, batch)
            target = await asyncio.to_thread(self._resolved, found)
            sender = Sender(
                self._ledger,
                batch,
                self._client,
                target,
                policy=found.policy,
                settings=self._settings,
                clock=self._clock,
                rng=self._rng,
                gate=self._gate(target),
            )
            self.senders[batch] = sender
            if self._stopping:
                return
            write_log(log, "batch is sent", batch=batch, target=target.name, host=target.host, policy=found.policy.value)
            await self._to_the_end(sender, runs)
            broke = sender.breaker.reason
            if broke:
                write_log(log, "breaker opened", level=logging.WARNING, batch=batch, target=target.name)
            if broke and any(lane.waiting for lane in await self._ledger.ask(self._history.lanes, batch)):
                await self.set_state(batch, BatchState.PAUSED, broke)
            elif broke or not sender.halt.is_set():
                await self._finish(sender)
        except ConsoleError as error:
            await self.set_state(batch, BatchState.PAUSED, str(error))
        except Exception as error:
            log.exception("batch broke off", extra={"facts": {"batch": batch}})
            await self.set_state(
                batch, BatchState.PAUSED, f"Sending broke off by an error of the console ({type(error).__name__})."
            )
        finally:
            if ended := self.senders.pop(batch, None):
                ended.breaker.halts.discard(ended.halt)

    async def set_state(self, batch: str, state: BatchState, reason: str = "") -> None:
        """Write where a batch of ours stands now."""
        with suppress(NotAllowed):  # a person, or a new owner, was quicker; the next look tells
            await self._ledger.ask(self._history.set_state, batch, state, reason, owner=self._ledger.owner)
            write_log(log, "batch stands", batch=batch, state=state.value)

    async def _to_the_end(self, sender: Sender, runs: Runs) -> None:
        """Until no lane is open. An engine that is away is waited for, as history is: the lanes are asked anew."""

        async def hand(lanes: Sequence[int]) -> bool:
            return await self._chunk(sender, lanes)

        pause = FIRST_PAUSE
        while not sender.halt.is_set() and (lanes := await sender.open_lanes()):
            try:
                await runs.run(sender.batch, _groups(lanes, self._settings.lanes_at_once), hand)
                self.trouble, pause = "", FIRST_PAUSE
            except EngineUnavailable as error:
                write_log(log, "the engine is away", level=logging.WARNING, batch=sender.batch)
                self.trouble = str(error)
                await sender.rest(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            if sender.broken:
                raise sender.broken[0]

    async def _chunk(self, sender: Sender, lanes: Sequence[int]) -> bool:
        """Send a chunk of some lanes beside each other; whether there is more. A lane is in one hand at a time."""
        mine = [lane for lane in lanes if lane not in sender.in_hand]
        sender.in_hand.update(mine)
        chunk = Chunk(CHUNK)
        tasks = [asyncio.create_task(self._lane(sender, lane, chunk)) for lane in mine]
        self._lanes.update(tasks)
        try:
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._lanes.difference_update(tasks)
            sender.in_hand.difference_update(mine)
        sender.broken += [error for error in ended if isinstance(error, Exception)]
        return not sender.halt.is_set() and True in ended

    async def _lane(self, sender: Sender, lane: int, chunk: Chunk) -> bool:
        due: int | None = None
        try:
            while not sender.halt.is_set() and not chunk.over.is_set():
                async with self._places:
                    turn = await sender.turn(lane, TURN, due=due)
                chunk.count(turn.sent)
                if not turn.more:
                    return False
                due = turn.request
                if turn.seconds:
                    await sender.rest(turn.seconds, chunk.over)
            return True
        except BaseException:
            sender.halt.set()  # the other lanes end in good order
            raise
        finally:
            sender.waiting.pop(lane, None)

    def _gate(self, target: Target) -> Gate:
        """The target's gate; after a break a new one: a person has said since that it is to go on."""
        key, per_second = target_key(target), target.requests_per_second or self._settings.requests_per_second
        gate = self._gates.get(key)
        if gate is None or gate.breaker.reason or gate.pace.per_second != per_second:
            gate = self._gates[key] = Gate(Pace(per_second))
        return gate

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

    async def _finish(self, sender: Sender) -> None:
        lanes = await self._ledger.ask(self._history.lanes, sender.batch)
        held = [lane for lane in lanes if lane.waiting]
        if not held:
            await self.set_state(sender.batch, BatchState.DONE)
            return
        behind, standing = sum(lane.waiting for lane in held), sum(lane.standing for lane in held)
        said = f" The last answer: {sender.held}" if sender.held else ""
        await self.set_state(
            sender.batch,
            BatchState.STOPPED,
            f"{counted(len(held), 'lane')} of {len(lanes)} stopped: {counted(standing, 'request')} unknown or unsent,"
            f" and {behind:,} behind, so that the order is kept. Decide what becomes of them.{said}",
        )


def _groups(lanes: Sequence[int], many: int) -> list[list[int]]:
    """Lanes dealt out to as many groups as may be driven at once."""
    return [list(lanes[first::many]) for first in range(min(many, len(lanes)))]


def counted(number: int, thing: str) -> str:
    """A number and its thing: "1 lane", "1,000 lanes"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
