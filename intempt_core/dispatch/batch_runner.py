"""One batch of this process, sent until it is done, stands, or is halted."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import suppress

from intempt_core.contract import format_count
from intempt_core.dispatch.history_writer import FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS, HistoryWriter
from intempt_core.dispatch.lane_sender import LaneSender
from intempt_core.dispatch.rate_limits import RateLimiter, TargetLimits
from intempt_core.dispatch.runner import ChunkRunner
from intempt_core.errors import ConsoleError, EngineUnavailable, NotAllowed
from intempt_core.history import BatchState, BatchSummary
from intempt_core.logs import write_log
from intempt_core.settings import Settings
from intempt_core.targets import Target, derive_target_key
from intempt_core.transport import HttpClient

CHUNK_REQUESTS = 640
"""Requests of a group of lanes between two words with the engine."""

TURN_REQUESTS = 64
"""Requests of one lane before another lane, perhaps of another batch, may have its place."""

log = logging.getLogger(__name__)


class ChunkBudget:
    """A part of what a group of lanes has to send. ``over`` is set when it is full: whoever only waits then ends."""

    def __init__(self, limit: int) -> None:
        self._remaining = limit
        self.exhausted = asyncio.Event()

    def count(self, sent: int) -> None:
        """So many requests more."""
        self._remaining -= sent
        if self._remaining <= 0:
            self.exhausted.set()


class BatchRunner:
    """What the batches of one process share in its event loop: the wire, the ledger, the places for lanes, the engine.

    ``trouble`` says why the engine lets nothing be sent, if so; ``senders`` are the batches on their way.
    """

    def __init__(
        self,
        writer: HistoryWriter,
        resolve: Callable[[BatchSummary], Target],
        client: HttpClient,
        settings: Settings,
        *,
        clock: Callable[[], int],
        rng: random.Random,
    ) -> None:
        self._writer, self._resolve, self._client, self._settings = writer, resolve, client, settings
        self._history, self._clock, self._rng = writer.history, clock, rng
        self._lane_slots = asyncio.Semaphore(settings.lanes_at_once)
        self._lanes: set[asyncio.Task[bool]] = set()
        self._stopping = False
        self._limits_by_target: dict[str, TargetLimits] = {}
        self.senders: dict[str, LaneSender] = {}
        self.trouble = ""

    def halt(self) -> None:
        """Let no more requests leave: the process ends."""
        self._stopping = True
        for sender in self.senders.values():
            sender.halt.set()

    def abort(self) -> None:
        """Wait for no more answers: what is on its way gets its outcome, unknown."""
        for lane in self._lanes:
            lane.cancel()

    async def send(self, batch: str, chunk_runner: ChunkRunner) -> None:
        """Send a batch until it is done, stands, or is halted."""
        try:
            await self._writer.call(self._history.queue.in_flight_to_unknown, batch, owner=self._writer.owner)
            found = await self._writer.call(self._history.queries.batch, batch)
            target = await asyncio.to_thread(self._resolve_target, found)
            sender = LaneSender(
                self._writer,
                batch,
                self._client,
                target,
                policy=found.policy,
                settings=self._settings,
                clock=self._clock,
                rng=self._rng,
                limits=self._target_limits(target),
            )
            self.senders[batch] = sender
            if self._stopping:
                return
            write_log(
                log, "batch is sent", batch=batch, target=target.name, host=target.host, policy=found.policy.value
            )
            await self._send_all_lanes(sender, chunk_runner)
            broke = sender.breaker.reason
            if broke:
                write_log(log, "breaker opened", level=logging.WARNING, batch=batch, target=target.name)
            if broke and any(lane.waiting for lane in await self._writer.call(self._history.queue.lanes, batch)):
                await self.set_state(batch, BatchState.PAUSED, broke)
            elif broke or not sender.halt.is_set():
                await self._finish_batch(sender)
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
            await self._writer.call(self._history.control.set_state, batch, state, reason, owner=self._writer.owner)
            write_log(log, "batch stands", batch=batch, state=state.value)

    async def _send_all_lanes(self, sender: LaneSender, chunk_runner: ChunkRunner) -> None:
        """Until no lane is open. An engine that is away is waited for, as history is: the lanes are asked anew."""

        async def hand(lanes: Sequence[int]) -> bool:
            return await self._send_chunk(sender, lanes)

        pause = FIRST_PAUSE_SECONDS
        while not sender.halt.is_set() and (lanes := await sender.open_lanes()):
            try:
                await chunk_runner.run(sender.batch, _group_lanes(lanes, self._settings.lanes_at_once), hand)
                self.trouble, pause = "", FIRST_PAUSE_SECONDS
            except EngineUnavailable as error:
                write_log(log, "the engine is away", level=logging.WARNING, batch=sender.batch)
                self.trouble = str(error)
                await sender.wait(pause)
                pause = min(pause * 2, MAX_PAUSE_SECONDS)
            if sender.errors:
                raise sender.errors[0]

    async def _send_chunk(self, sender: LaneSender, lanes: Sequence[int]) -> bool:
        """Send a chunk of some lanes beside each other; whether there is more. A lane is in one hand at a time."""
        mine = [lane for lane in lanes if lane not in sender.active_lanes]
        sender.active_lanes.update(mine)
        chunk = ChunkBudget(CHUNK_REQUESTS)
        tasks = [asyncio.create_task(self._send_lane(sender, lane, chunk)) for lane in mine]
        self._lanes.update(tasks)
        try:
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._lanes.difference_update(tasks)
            sender.active_lanes.difference_update(mine)
        sender.errors += [error for error in ended if isinstance(error, Exception)]
        return not sender.halt.is_set() and True in ended

    async def _send_lane(self, sender: LaneSender, lane: int, chunk: ChunkBudget) -> bool:
        due: int | None = None
        try:
            while not sender.halt.is_set() and not chunk.exhausted.is_set():
                async with self._lane_slots:
                    turn = await sender.send_turn(lane, TURN_REQUESTS, due=due)
                chunk.count(turn.sent)
                if not turn.has_more:
                    return False
                due = turn.request
                if turn.wait_seconds:
                    await sender.wait(turn.wait_seconds, chunk.exhausted)
            return True
        except BaseException:
            sender.halt.set()  # the other lanes end in good order
            raise
        finally:
            sender.waiting.pop(lane, None)

    def _target_limits(self, target: Target) -> TargetLimits:
        """The target's gate; after a break a new one: a person has said since that it is to go on."""
        key, per_second = derive_target_key(target), target.requests_per_second or self._settings.requests_per_second
        gate = self._limits_by_target.get(key)
        if gate is None or gate.breaker.reason or gate.rate_limiter.per_second != per_second:
            gate = self._limits_by_target[key] = TargetLimits(RateLimiter(per_second))
        return gate

    def _resolve_target(self, found: BatchSummary) -> Target:
        target = self._resolve(found)
        if target.credential is None:
            raise ConsoleError(f"The key of target {found.target.name} is missing. Give it, then go on.")
        if derive_target_key(target) != found.target.key:
            raise ConsoleError(
                f"Target {found.target.name} now leads to {target.host}, and this batch was confirmed for"
                f" {found.target.host}. Set the target back, or cancel this batch and send it anew."
            )
        return target

    async def _finish_batch(self, sender: LaneSender) -> None:
        lanes = await self._writer.call(self._history.queue.lanes, sender.batch)
        held = [lane for lane in lanes if lane.waiting]
        if not held:
            await self.set_state(sender.batch, BatchState.DONE)
            return
        behind, standing = sum(lane.waiting for lane in held), sum(lane.unresolved for lane in held)
        said = f" The last answer: {sender.stop_reason}" if sender.stop_reason else ""
        await self.set_state(
            sender.batch,
            BatchState.STOPPED,
            f"{format_count(len(held), 'lane')} of {len(lanes)} stopped: {format_count(standing, 'request')} unknown or"
            f" not sent, and {behind:,} behind, so that the order is kept. Decide what becomes of them.{said}",
        )


def _group_lanes(lanes: Sequence[int], many: int) -> list[list[int]]:
    """Lanes dealt out to as many groups as may be driven at once."""
    return [list(lanes[first::many]) for first in range(min(many, len(lanes)))]
