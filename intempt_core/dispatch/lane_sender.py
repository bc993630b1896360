"""The sending of lanes: one request after another, each recorded before it is sent and after its response.

What follows each outcome is decided here (CONTRACT 3.4–3.7; ARCHITECTURE, policy):

* *accepted*, *rejected*: the lane goes on. Too large: its halves replace it, recorded before they are sent.
* *not sent*: tried again after a pause, as often as the settings allow; *unknown*: only if the policy is to resend.
* Still not sent or unknown after that: with the policy *go on* the lane goes on, else it stops and a person decides.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from intempt_core.contract import Outcome, build_request_body
from intempt_core.dispatch.environment import SendingEnvironment
from intempt_core.dispatch.history_writer import HistoryWriter
from intempt_core.dispatch.progress import RateMeter
from intempt_core.dispatch.rate_limits import TargetLimits
from intempt_core.history import AttemptEnd, AttemptStart, RequestHalf, Transition, WorkItem
from intempt_core.planning import Policy, are_one_order
from intempt_core.targets import Target
from intempt_core.transport import Attempt, HttpClient, compute_retry_delay, post_track_request

SHORT_TURN_SECONDS = 0.05
"""A lane keeps its slot while it waits up to this long for the target's rate limit; for longer it gives it up."""

RECORDING_POLL_SECONDS = 0.05
"""How often history is asked whether more of a batch is recorded, while its lanes have sent what was."""

MAX_RECORDING_WAIT_SECONDS = 5.0
"""How long a lane waits for more at the most before it looks for itself."""


LEASE_ENDED_REASON = "This process could not say that it is alive, so it did not send the request."

_CONSOLE_STOPPED = "The console was stopped before the response came."


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What came of a lane's turn.

    Attributes:
        sent: how many requests were sent.
        has_more: whether the lane has more that may be sent, now or after ``wait_seconds``.
        is_held: whether an outcome holds the lane, about which a person must decide.
        wait_seconds: how long to wait before the lane's next turn.
        request: id of the request that is waited for.
    """

    sent: int = 0
    has_more: bool = False
    wait_seconds: float = 0.0
    request: int | None = None
    is_held: bool = False


class LaneSender:
    """Sends one batch; its lanes share this.

    Attributes:
        halt: set to end every lane after its request in flight.
        waiting: the lanes that wait to try again, and why.
        stop_reason: the last reason for which a lane stopped.
        activity: what is done after the last request, in sentences; empty before.
        active_lanes: the lanes that are being sent.
        errors: what ended a lane that should have gone on.
        is_recorded: whether all of the batch is recorded, or nobody records it any further.
        epoch_of: the epoch in which this process owns a lane; 0 where the batch has no groups.
    """

    def __init__(
        self,
        writer: HistoryWriter,
        batch: str,
        client: HttpClient,
        target: Target,
        *,
        policy: Policy,
        environment: SendingEnvironment,
        limits: TargetLimits | None = None,
        may_send: Callable[[], bool] = lambda: True,
    ) -> None:
        """Make a sender of one batch; ``limits`` are what it shares with other batches to its target.

        ``may_send`` is asked before the first byte of each request: whether this process still counts as alive.
        """
        self.writer, self.batch, self.client, self.target, self.policy = writer, batch, client, target, policy
        self.settings, self.clock, self.rng = environment.settings, environment.clock, environment.rng
        self.halt = asyncio.Event()
        self.limits = limits or TargetLimits()
        self.breaker, self._may_send = self.limits.breaker, may_send
        self.epoch_of: Callable[[int], int] = lambda _: 0
        self.breaker.halts.add(self.halt)
        self._granted_turns: set[int] = set()
        self.meter = RateMeter()
        self.waiting: dict[int, str] = {}
        self.stop_reason = ""
        self.activity = ""
        self.active_lanes: set[int] = set()
        self.errors: list[Exception] = []
        self.is_recorded = True
        self._news = asyncio.Event()
        self._exchanges: set[asyncio.Task[object]] = set()
        self._gave_up = False

    def stop_waiting(self) -> None:
        """Send nothing more and wait for no response: requests in flight get the outcome unknown.

        It is called in the event loop.
        """
        self._gave_up = True
        self.halt.set()
        for exchange in self._exchanges:
            exchange.cancel()

    async def open_lanes(self) -> list[int]:
        """The lanes that have something to send, or will have, and are not held until a person decides."""
        found = await self.writer.call(self.writer.history.queue.lanes, self.batch)
        return [
            lane.lane
            for lane in found
            if (lane.waiting or not self.is_recorded) and not (lane.unresolved and self.policy is not Policy.GO_ON)
        ]

    async def send_turn(self, lane: int, limit: int, *, due: int | None = None) -> TurnResult:
        """Send up to ``limit`` of the lane's next requests, one after another; all outcomes are written at its end.

        An outcome is written in one transaction with the start of the request that follows it. ``due`` is a request
        that was waited for: it is sent without asking the wall clock again, which may have been set back.
        """
        epoch = self.epoch_of(lane)
        items = deque(await self.writer.call(self.writer.history.queue.take, self.batch, lane, limit))
        has_more_stored, sent = len(items) == limit, 0
        ended: list[Transition] = []
        try:
            while items and not self.halt.is_set():
                item = items.popleft()
                delay = await self._wait_for_permission(item, is_due=item.id == due)
                if delay > 0:
                    if self.limits.rate_limiter.trouble:
                        self.waiting[lane] = self.limits.rate_limiter.trouble
                    return TurnResult(sent, has_more=True, wait_seconds=delay, request=item.id)
                transitions, ended = [*ended, AttemptStart(item.id, epoch)], []
                if item.id in await self.writer.write(transitions):
                    self.halt.set()  # it is paused, cancelled or another process's by now: the next poll shows it
                    return TurnResult(sent)
                attempt = await self._send_request(item)
                sent += 1
                if attempt.too_large and item.events > 1:
                    items.extendleft(reversed(await self._split_request(item, attempt, epoch)))
                    continue
                retry_delay = self._next_retry_delay(item, attempt)
                retry_at = None if retry_delay is None else self.clock() + int(retry_delay * 1000)
                ended = [AttemptEnd(item.id, attempt, retry_at, epoch)]
                if retry_delay is not None:
                    self.waiting[lane] = attempt.reason
                    return TurnResult(sent, has_more=True, wait_seconds=retry_delay, request=item.id)
                self._count_outcome(lane, item, attempt)
                if self._stops_lane(item, attempt):
                    self.stop_reason = attempt.reason
                    return TurnResult(sent, is_held=True)
                if self.limits.places.should_hand_over:
                    break
        finally:
            if ended:
                await self.writer.write(ended)
        return TurnResult(sent, has_more=bool(items) or has_more_stored)

    async def watch_recording(self) -> None:
        """Let lanes that have nothing more to send know whenever more of the batch is recorded, until all of it is."""
        before: int | None = None
        while not self.is_recorded:
            unrecorded, recorder = await self.writer.call(self.writer.history.queue.unrecorded, self.batch)
            self.is_recorded = not recorder
            if unrecorded != before or self.is_recorded:
                before, self._news, news = unrecorded, asyncio.Event(), self._news
                news.set()
            await self.wait(RECORDING_POLL_SECONDS)

    async def wait_for_recording(self, until: asyncio.Event | None = None) -> None:
        """Wait until more of the batch is recorded, or all that ever will be."""
        if not self.is_recorded:
            await self.wait(MAX_RECORDING_WAIT_SECONDS, until, self._news)

    async def wait(self, seconds: float, *until: asyncio.Event | None) -> None:
        """Wait, but no longer than until a halt or another event."""
        ends = [asyncio.create_task(event.wait()) for event in (self.halt, *until) if event is not None]
        try:
            await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    async def _wait_for_permission(self, item: WorkItem, *, is_due: bool) -> float:
        """Wait until a request may be sent, if that is soon; else the seconds until then."""
        delay = 0.0 if is_due else self._retry_at_delay(item)
        if delay > 0:
            return delay
        if item.id in self._granted_turns:
            self._granted_turns.remove(item.id)
            return 0.0  # the turn that was waited for has come
        turn = self.limits.rate_limiter.reserve_turn(item.id)
        if not turn.is_reserved:
            return turn.seconds
        if turn.seconds > SHORT_TURN_SECONDS:
            self._granted_turns.add(item.id)
            return turn.seconds
        if turn.seconds > 0:
            await self.wait(turn.seconds)
        return 0.0

    def _retry_at_delay(self, item: WorkItem) -> float:
        """How long until a request may be tried again: no longer than its pause was, even if the clock was set back."""
        if item.retry_at is None:
            return 0.0
        remaining, limit = (item.retry_at - self.clock()) / 1000, self.settings.backoff_limit_seconds
        return min(remaining, limit if item.tried_at is None else (item.retry_at - item.tried_at) / 1000)

    async def _send_request(self, item: WorkItem) -> Attempt:
        """Make one attempt. Where a person or the end of the process interrupts it, it is unknown: it may have come."""
        if not self._may_send():
            self.halt.set()
            return self._make_skipped_attempt()
        started_at, started = self.clock(), time.perf_counter()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  a coroutine that is awaited runs in a task
        self._exchanges.add(task)
        try:
            return await post_track_request(self.client, self.target, item.body, clock=self.clock)
        except asyncio.CancelledError:
            task.uncancel()  # the interruption has had its effect; the outcome is still to be written
            self.halt.set()
            stopped = "A person stopped waiting for the response." if self._gave_up else _CONSOLE_STOPPED
            return Attempt(
                outcome=Outcome.UNKNOWN,
                status=None,
                reason=f"{stopped} The events may have arrived.",
                started_at=started_at,
                elapsed_ms=(time.perf_counter() - started) * 1000,
            )
        finally:
            self._exchanges.discard(task)

    def _make_skipped_attempt(self) -> Attempt:
        return Attempt(
            outcome=Outcome.NOT_SENT, status=None, reason=LEASE_ENDED_REASON, started_at=self.clock(), elapsed_ms=0.0
        )

    async def _split_request(self, item: WorkItem, attempt: Attempt, epoch: int) -> list[WorkItem]:
        halves = split_body(item.body)
        return await self.writer.call(
            self.writer.history.queue.split, item.id, attempt, halves, owner=self.writer.owner, epoch=epoch
        )

    def _next_retry_delay(self, item: WorkItem, attempt: Attempt) -> float | None:
        resend = self.policy is Policy.RESEND
        return compute_retry_delay(attempt, item.tries + 1, self.settings, self.rng, resend_unknown=resend)

    def _count_outcome(self, lane: int, item: WorkItem, attempt: Attempt) -> None:
        """Count an outcome that no other attempt of the request follows by itself."""
        self.waiting.pop(lane, None)
        self.meter.count(item.events)
        self.breaker.record(attempt, lane_continues=self.policy is Policy.GO_ON)

    def _stops_lane(self, item: WorkItem, attempt: Attempt) -> bool:
        is_certain = attempt.outcome is Outcome.ACCEPTED or (attempt.outcome is Outcome.REJECTED and not item.doubt)
        return not is_certain and self.policy is not Policy.GO_ON


def split_body(body: bytes) -> tuple[RequestHalf, RequestHalf]:
    """Split a request body in two, each event unchanged and in order (CONTRACT 3.4).

    Lines of one order stay together where possible (CONTRACT 2.9).
    """
    groups = json.loads(body)["track"]  # not orjson: it would round integers beyond 64 bits
    events = [(group["name"], event) for group in groups for event in group["payload"]]
    middle = len(events) // 2
    cuts = [cut for cut in range(1, len(events)) if not are_one_order(events[cut - 1], events[cut])]
    cut = min(cuts, key=lambda cut: abs(cut - middle), default=middle)
    first, second = events[:cut], events[cut:]
    return RequestHalf(build_request_body(first), len(first)), RequestHalf(build_request_body(second), len(second))
