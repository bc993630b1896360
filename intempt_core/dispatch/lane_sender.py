"""A lane in order: one request after another, each recorded before it leaves and after it has come back.

What happens after each outcome is decided here (CONTRACT 3.4–3.7; ARCHITECTURE, policy):

* *accepted*, *rejected*: the lane goes on. Too large: its halves take over, recorded before they leave.
* *not sent*: tried again after a pause, as often as the settings say; *unknown*: only if the policy is to resend.
* What is still not sent or unknown then: under the policy *go on* the lane goes on, else it stops and a person decides.
"""

import asyncio
import json
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from intempt_core.contract import Outcome, build_request_body, now_ms
from intempt_core.dispatch.history_writer import HistoryWriter
from intempt_core.dispatch.progress import RateMeter
from intempt_core.dispatch.rate_limits import TargetLimits
from intempt_core.history import AttemptEnd, AttemptStart, RequestHalf, Transition, WorkItem
from intempt_core.planning import Policy, are_one_order
from intempt_core.settings import Settings
from intempt_core.targets import Target
from intempt_core.transport import Attempt, HttpClient, compute_retry_delay, post_track_request

SHORT_TURN_SECONDS = 0.05
"""A lane that waits so long for its turn at a paced target keeps its place; for a longer wait it gives it up."""


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What became of a turn: requests ``sent``, and whether there is ``more`` that may leave now or after ``seconds``.

    ``request`` is the one that is waited for.
    """

    sent: int = 0
    has_more: bool = False
    wait_seconds: float = 0.0
    request: int | None = None


class LaneSender:
    """One batch on its way: its lanes share this.

    ``halt`` ends every lane after the request that is on its way. ``waiting`` says which lanes wait to try again, and
    why. ``gate`` is what the batch shares with others to its target. ``held`` is the last reason for which a lane
    stopped. ``in_hand`` are the lanes that are being driven, ``broken`` is what broke off a lane. ``clock`` gives
    epoch ms.
    """

    def __init__(
        self,
        writer: HistoryWriter,
        batch: str,
        client: HttpClient,
        target: Target,
        *,
        policy: Policy,
        settings: Settings,
        clock: Callable[[], int] = now_ms,
        rng: random.Random | None = None,
        limits: TargetLimits | None = None,
    ) -> None:
        self.writer, self.batch, self.client, self.target = writer, batch, client, target
        self.policy, self.settings, self.clock = policy, settings, clock
        self.rng = rng or random.Random()
        self.halt = asyncio.Event()
        self.limits = limits or TargetLimits()
        self.breaker = self.limits.breaker
        self.breaker.halts.add(self.halt)
        self._granted_turns: set[int] = set()
        self.meter = RateMeter()
        self.waiting: dict[int, str] = {}
        self.stop_reason = ""
        self.active_lanes: set[int] = set()
        self.errors: list[Exception] = []

    async def open_lanes(self) -> list[int]:
        """The lanes that have something to send and are not held by an outcome that a person must decide about."""
        found = await self.writer.call(self.writer.history.queue.lanes, self.batch)
        return [
            lane.lane for lane in found if lane.waiting and not (lane.unresolved and self.policy is not Policy.GO_ON)
        ]

    async def send_turn(self, lane: int, limit: int, *, due: int | None = None) -> TurnResult:
        """Send up to ``limit`` of the lane's next requests, one after another; every outcome is written at the end.

        ``due`` is a request that was waited for: the wall clock is not asked again, for it may have been set back.
        """
        works = deque(await self.writer.call(self.writer.history.queue.take, self.batch, lane, limit))
        full, sent = len(works) == limit, 0
        outcome: list[Transition] = []
        try:
            while works and not self.halt.is_set():
                work = works.popleft()
                seconds = 0.0 if work.id == due else self._retry_at_delay(work)
                if seconds > 0:
                    return TurnResult(sent, has_more=True, wait_seconds=seconds, request=work.id)
                seconds = self._rate_limit_delay(work)
                if seconds > SHORT_TURN_SECONDS:
                    self._granted_turns.add(work.id)
                    return TurnResult(sent, has_more=True, wait_seconds=seconds, request=work.id)
                if seconds > 0:
                    await self.wait(seconds)
                marks: list[Transition] = [*outcome, AttemptStart(work.id)]
                outcome = []
                if work.id in await self.writer.write(marks):
                    self.halt.set()  # paused, cancelled or another's by now: the next look at the batch tells
                    return TurnResult(sent)
                attempt = await self._send_request(work)
                sent += 1
                if attempt.too_large and work.events > 1:
                    works.extendleft(reversed(await self._split_request(work, attempt)))
                    continue
                again = self._next_retry_delay(work, attempt)
                outcome = [AttemptEnd(work.id, attempt, None if again is None else self.clock() + int(again * 1000))]
                if again is not None:
                    self.waiting[lane] = attempt.reason
                    return TurnResult(sent, has_more=True, wait_seconds=again, request=work.id)
                self.waiting.pop(lane, None)
                self.meter.count(work.events)
                self.breaker.record(attempt, lane_continues=self.policy is Policy.GO_ON)
                if self._stops_lane(work, attempt):
                    self.stop_reason = attempt.reason
                    return TurnResult(sent)
        finally:
            if outcome:
                await self.writer.write(outcome)
        return TurnResult(sent, has_more=bool(works) or full)

    async def wait(self, seconds: float, until: asyncio.Event | None = None) -> None:
        """Wait, but not beyond a halt, nor beyond what is ``over``."""
        ends = [asyncio.create_task(event.wait()) for event in (self.halt, until) if event is not None]
        try:
            await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    def _rate_limit_delay(self, work: WorkItem) -> float:
        """How long until the target's pace lets this request leave; a turn that was waited for is there now."""
        if work.id in self._granted_turns:
            self._granted_turns.remove(work.id)
            return 0.0
        return self.limits.rate_limiter.reserve_turn()

    def _retry_at_delay(self, work: WorkItem) -> float:
        """How long until a request may be tried again: no longer than its pause was meant to be, on any clock."""
        if work.retry_at is None:
            return 0.0
        left, limit = (work.retry_at - self.clock()) / 1000, self.settings.backoff_limit_seconds
        return min(left, limit if work.tried_at is None else (work.retry_at - work.tried_at) / 1000)

    async def _send_request(self, work: WorkItem) -> Attempt:
        """One try. Cut off by the end of the process, it is unknown: the request may have arrived."""
        started_at, started = self.clock(), time.perf_counter()
        try:
            return await post_track_request(self.client, self.target, work.body, clock=self.clock)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()  # what it came for is done here: the outcome is still to be written
            self.halt.set()
            return Attempt(
                outcome=Outcome.UNKNOWN,
                status=None,
                reason="The console was stopped before the answer came. The events may have arrived.",
                started_at=started_at,
                elapsed_ms=(time.perf_counter() - started) * 1000,
            )

    async def _split_request(self, work: WorkItem, attempt: Attempt) -> list[WorkItem]:
        halves = split_body(work.body)
        return await self.writer.call(
            self.writer.history.queue.split, work.id, attempt, halves, owner=self.writer.owner
        )

    def _next_retry_delay(self, work: WorkItem, attempt: Attempt) -> float | None:
        resend = self.policy is Policy.RESEND
        return compute_retry_delay(attempt, work.tries + 1, self.settings, self.rng, resend_unknown=resend)

    def _stops_lane(self, work: WorkItem, attempt: Attempt) -> bool:
        clear = attempt.outcome is Outcome.ACCEPTED or (attempt.outcome is Outcome.REJECTED and not work.doubt)
        return not clear and self.policy is not Policy.GO_ON


def split_body(body: bytes) -> tuple[RequestHalf, RequestHalf]:
    """A request body in two, every event as it came and in order (CONTRACT 3.4).

    Lines of one order stay together where that can be (CONTRACT 2.9).
    """
    groups = json.loads(body)["track"]  # not orjson: it would round integers beyond 64 bits
    events = [(group["name"], event) for group in groups for event in group["payload"]]
    middle = len(events) // 2
    cuts = [cut for cut in range(1, len(events)) if not are_one_order(events[cut - 1], events[cut])]
    cut = min(cuts, key=lambda cut: abs(cut - middle), default=middle)
    first, second = events[:cut], events[cut:]
    return RequestHalf(build_request_body(first), len(first)), RequestHalf(build_request_body(second), len(second))
