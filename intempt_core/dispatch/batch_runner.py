"""The sending of one batch: its lanes in groups, until the batch is done, stopped or halted."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from intempt_core.contract import format_count
from intempt_core.dispatch.arrival_questions import judge_by_arrivals
from intempt_core.dispatch.environment import SendingEnvironment
from intempt_core.dispatch.history_writer import FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS, HistoryWriter
from intempt_core.dispatch.lane_sender import LaneSender
from intempt_core.dispatch.rate_limits import CircuitBreaker, TargetLimits
from intempt_core.dispatch.runner import ChunkRunner
from intempt_core.errors import ConsoleError, EngineUnavailable, NotAllowed
from intempt_core.history import BatchState, BatchSummary, describe_partial_recording
from intempt_core.logs import write_log
from intempt_core.targets import Target, derive_target_key, describe_missing_key
from intempt_core.transport import HttpClient

CHUNK_REQUESTS = 640
"""Requests of a group of lanes that are sent for one step of the engine."""

TURN_REQUESTS = 64
"""Requests of one lane before another lane, perhaps of another batch, may have its slot."""

SEND_THE_REST = "Send the same file again: what was sent is known, and left out."
"""What to do about a batch that is half recorded."""

ASKING = "All that can be sent is sent. The sandbox is asked what became of the events that no response speaks of."
"""What a batch does after its last request, where responses did not say it all."""

log = logging.getLogger(__name__)


class ChunkBudget:
    """How many requests a group of lanes may still send in one chunk.

    Attributes:
        exhausted: set when none is left: lanes that are waiting then end their chunk.
    """

    def __init__(self, limit: int) -> None:
        self._remaining = limit
        self.exhausted = asyncio.Event()

    def count(self, sent: int) -> None:
        """Subtract requests that were sent."""
        self._remaining -= sent
        if self._remaining <= 0:
            self.exhausted.set()


class BatchRunner:
    """Sends the batches of one process, which share its event loop, HTTP client, history and slots for lanes.

    Attributes:
        senders: the batches that are being sent, by id.
        trouble: why the engine lets nothing be sent, in a sentence; empty where it does.
    """

    def __init__(
        self,
        writer: HistoryWriter,
        client: HttpClient,
        environment: SendingEnvironment,
        make_permit: Callable[[], Callable[[], bool]] = lambda: lambda: True,
        open_limits: Callable[[str, float, int], TargetLimits] | None = None,
    ) -> None:
        """Make a runner.

        Args:
            writer: history, as this process writes it.
            client: sends requests.
            environment: what sending needs from outside.
            make_permit: makes what tells whether this process has been alive for others since.
            open_limits: opens the limits of a target (its key, requests a second and in flight), by default those that
                the processes of the data folder share.
        """
        self._open_limits = open_limits or partial(TargetLimits.open, data=environment.settings.data)
        self._writer, self._client, self._environment, self._make_permit = writer, client, environment, make_permit
        self._history, self._max_lanes = writer.history, environment.settings.lanes_at_once
        self._lane_slots = asyncio.Semaphore(self._max_lanes)
        self._lanes: set[asyncio.Task[bool]] = set()
        self._stopping = False
        self._limits_by_target: dict[str, TargetLimits] = {}
        self._opened_limits: list[TargetLimits] = []
        self.senders: dict[str, LaneSender] = {}
        self.trouble = ""

    def halt(self) -> None:
        """Send no more requests: the process ends."""
        self._stopping = True
        for sender in self.senders.values():
            sender.halt.set()

    def abort(self) -> None:
        """Wait for no more responses: requests in flight get the outcome unknown."""
        for lane in self._lanes:
            lane.cancel()

    def close(self) -> None:
        """Give back what this process holds of the targets' limits; nothing is sent any more."""
        for limits in self._opened_limits:
            limits.close()

    async def send(self, batch: str, chunk_runner: ChunkRunner) -> None:
        """Send a batch until it is done, stopped or halted."""
        try:
            await self._writer.call(self._history.queue.in_flight_to_unknown, batch, owner=self._writer.owner)
            sender = await self.open_sender(batch)
            if self._stopping:
                return
            watching = asyncio.create_task(sender.watch_recording())
            try:
                await self._send_all_lanes(sender, chunk_runner)
            finally:
                watching.cancel()
            await self.conclude(sender)
        except ConsoleError as error:
            await self.set_state(batch, BatchState.PAUSED, str(error))
        except Exception as error:  # noqa: BLE001  it is logged and said
            await self.pause_for_error(batch, error)
        finally:
            self.close_sender(batch)

    async def open_sender(self, batch: str) -> LaneSender:
        """Make what sends a batch from this process. Raises :class:`ConsoleError` where its target is not usable."""
        found = await self._writer.call(self._history.queries.batch, batch)
        target = await asyncio.to_thread(self._resolve_target, found)
        sender = LaneSender(
            self._writer,
            batch,
            self._client,
            target,
            policy=found.policy,
            environment=self._environment,
            limits=self._target_limits(target),
            may_send=self._make_permit(),
        )
        sender.is_recorded = not found.recorder
        self.senders[batch] = sender
        if not self._stopping:
            write_log(
                log, "batch is being sent", batch=batch, target=target.name, host=target.host, policy=found.policy.value
            )
        return sender

    def close_sender(self, batch: str) -> None:
        """Forget what sends a batch: it sends nothing any more."""
        if ended := self.senders.pop(batch, None):
            ended.breaker.halts.discard(ended.halt)

    async def conclude(self, sender: LaneSender) -> None:
        """Give a batch the state that it has when nothing more is sent of it."""
        batch, break_reason = sender.batch, sender.breaker.reason
        if break_reason:
            write_log(log, "breaker opened", level=logging.WARNING, batch=batch, target=sender.target.name)
        if break_reason and any(lane.waiting for lane in await self._writer.call(self._history.queue.lanes, batch)):
            await self.set_state(batch, BatchState.PAUSED, break_reason)
        elif break_reason or not sender.halt.is_set():
            await self._judge_rest(sender)  # first: when the batch is over, so are its counts
            await self._finish_batch(sender)
        elif (await self._writer.call(self._history.queries.batch, batch)).is_final:
            await self._judge_rest(sender)

    async def pause_for_error(self, batch: str, error: Exception) -> None:
        """Pause a batch for an error that nobody expected."""
        log.error("sending a batch failed", exc_info=error, extra={"facts": {"batch": batch}})
        await self.set_state(
            batch, BatchState.PAUSED, f"Sending was interrupted by an internal error ({type(error).__name__})."
        )

    async def set_state(self, batch: str, state: BatchState, reason: str = "") -> None:
        """Write a new state of a batch that this process sends: it owns the batch, or groups of its lanes."""
        with suppress(NotAllowed):  # a person, or a new owner, was quicker; the next poll shows it
            await self._writer.call(
                self._history.control.set_state, batch, state, reason, owner=self._writer.owner, by_worker=True
            )
            write_log(log, "batch changes state", batch=batch, state=state.value)

    async def _send_all_lanes(self, sender: LaneSender, chunk_runner: ChunkRunner) -> None:
        """Send until no lane is open. An unavailable engine is waited for, as history is; then lanes are read again."""

        async def send_chunk(lanes: Sequence[int]) -> bool:
            return await self.send_chunk(sender, lanes, ChunkBudget(CHUNK_REQUESTS))

        pause = FIRST_PAUSE_SECONDS
        while not sender.halt.is_set():
            is_recorded = sender.is_recorded
            lanes = await sender.open_lanes()
            if not lanes:
                if is_recorded:
                    return
                await sender.wait_for_recording()
                continue
            try:
                await chunk_runner.run(sender.batch, _group_lanes(lanes, self._max_lanes), send_chunk)
                self.trouble, pause = "", FIRST_PAUSE_SECONDS
            except EngineUnavailable as error:
                write_log(log, "the engine is unavailable", level=logging.WARNING, batch=sender.batch)
                self.trouble = str(error)
                await sender.wait(pause)
                pause = min(pause * 2, MAX_PAUSE_SECONDS)
            if sender.errors:
                raise sender.errors[0]

    async def send_chunk(self, sender: LaneSender, lanes: Sequence[int], chunk: ChunkBudget) -> bool:
        """Send a chunk of some lanes side by side; whether there is more. No lane is sent twice at the same time."""
        idle = [lane for lane in lanes if lane not in sender.active_lanes]
        sender.active_lanes.update(idle)
        tasks = [asyncio.create_task(self._send_lane(sender, lane, chunk)) for lane in idle]
        self._lanes.update(tasks)
        try:
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._lanes.difference_update(tasks)
            sender.active_lanes.difference_update(idle)
        sender.errors += [error for error in ended if isinstance(error, Exception)]
        return not sender.halt.is_set() and True in ended

    async def _send_lane(self, sender: LaneSender, lane: int, chunk: ChunkBudget) -> bool:
        due: int | None = None
        try:
            while not sender.halt.is_set() and not chunk.exhausted.is_set():
                is_recorded = sender.is_recorded  # before the turn: what is recorded after it must not be overlooked
                if not await sender.limits.places.acquire(sender.halt, chunk.exhausted):
                    break
                try:
                    async with self._lane_slots:
                        turn = await sender.send_turn(lane, TURN_REQUESTS, due=due)
                finally:
                    sender.limits.places.release()
                chunk.count(turn.sent)
                if not turn.has_more:
                    if turn.is_held or is_recorded:
                        return False
                    await sender.wait_for_recording(chunk.exhausted)
                    continue
                due = turn.request
                if turn.wait_seconds:
                    await sender.wait(turn.wait_seconds, chunk.exhausted)
            return True
        except BaseException:
            sender.halt.set()  # the other lanes end after the request in flight
            raise
        finally:
            sender.waiting.pop(lane, None)

    def _target_limits(self, target: Target) -> TargetLimits:
        """The target's limits; new ones after its breaker has opened, as a person has resumed the batch since."""
        key = derive_target_key(target)
        settings = self._environment.settings
        per_second = target.requests_per_second or settings.requests_per_second
        in_flight = target.requests_in_flight or settings.requests_in_flight
        limits = self._limits_by_target.get(key)
        if limits is None or not limits.are_for(per_second, in_flight):
            limits = self._limits_by_target[key] = self._open_limits(key, per_second, in_flight)
            self._opened_limits.append(limits)
        elif limits.breaker.reason:
            limits = self._limits_by_target[key] = replace(limits, breaker=CircuitBreaker())
        return limits

    def _resolve_target(self, found: BatchSummary) -> Target:
        target = self._environment.resolve_target(found)
        if target.credential is None:
            raise ConsoleError(f"{describe_missing_key(target)} Then resume the batch.")
        if derive_target_key(target) != found.target.key:
            raise ConsoleError(
                f"Target {found.target.name} now leads to {target.host}, and this batch was confirmed for"
                f" {found.target.host}. Change the target back, or cancel this batch and send it again."
            )
        return target

    async def _judge_rest(self, sender: LaneSender) -> None:
        """Ask a sandbox what became of requests whose responses could not say it."""

        def begin() -> None:
            sender.activity = ASKING

        await judge_by_arrivals(self._writer, sender.batch, sender.target, lambda: self._stopping, begin)
        sender.activity = ""

    async def _finish_batch(self, sender: LaneSender) -> None:
        lanes = await self._writer.call(self._history.queue.lanes, sender.batch)
        held_lanes = [lane for lane in lanes if lane.waiting]
        if not held_lanes:
            found = await self._writer.call(self._history.queries.batch, sender.batch)
            if found.unrecorded:
                reason = describe_partial_recording(found.total, found.unrecorded)
                await self.set_state(sender.batch, BatchState.STOPPED, f"{reason} {SEND_THE_REST}")
            else:
                await self.set_state(sender.batch, BatchState.DONE)
            return
        waiting = sum(lane.waiting for lane in held_lanes)
        unresolved = format_count(sum(lane.unresolved for lane in held_lanes), "request")
        last_response = f" The last response: {sender.stop_reason}" if sender.stop_reason else ""
        reason = (
            f"{format_count(len(held_lanes), 'lane')} of {len(lanes)} stopped: {unresolved} unknown or not sent, and"
            f" {waiting:,} behind, so that the order is kept. Decide what becomes of them.{last_response}"
        )
        await self.set_state(sender.batch, BatchState.STOPPED, reason)


def _group_lanes(lanes: Sequence[int], many: int) -> list[list[int]]:
    """Distribute lanes over as many groups as may be sent at once."""
    return [list(lanes[first::many]) for first in range(min(many, len(lanes)))]
