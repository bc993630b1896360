"""A lane in order: one request after another, each recorded before it leaves and after it has come back.

What happens after each outcome is decided here (CONTRACT 3.4–3.7; DESIGN, after its table of words):

* *accepted*, *refused*: the lane goes on. Too large: its halves take over, recorded before they leave.
* *unsent*: tried again after a pause, as often as the settings say; *unknown*: only if the policy is to resend.
* What is still unsent or unknown then: under the policy *go on* the lane goes on, else it stops and a person decides.
"""

import asyncio
import json
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from intempt_core.client import Attempt, HttpClient, Outcome, now_ms, post_track_request, compute_retry_delay
from intempt_core.dispatch.gates import Gate
from intempt_core.dispatch.ledger import Ledger
from intempt_core.dispatch.progress import Meter
from intempt_core.events import build_request_body
from intempt_core.history import Half, Leaving, Mark, Settled, Work
from intempt_core.plan import Policy, are_one_order
from intempt_core.settings import Settings
from intempt_core.targets import Target

SHORT_SECONDS = 0.05
"""A lane that waits so long for its turn at a paced target keeps its place; for a longer wait it gives it up."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What became of a turn: requests ``sent``, and whether there is ``more`` that may leave now or after ``seconds``.

    ``request`` is the one that is waited for.
    """

    sent: int = 0
    more: bool = False
    seconds: float = 0.0
    request: int | None = None


class Sender:
    """One batch on its way: its lanes share this.

    ``halt`` ends every lane after the request that is on its way. ``waiting`` says which lanes wait to try again, and
    why. ``gate`` is what the batch shares with others to its target. ``held`` is the last reason for which a lane
    stopped. ``in_hand`` are the lanes that are being driven, ``broken`` is what broke off a lane. ``clock`` gives
    epoch ms.
    """

    def __init__(
        self,
        ledger: Ledger,
        batch: str,
        client: HttpClient,
        target: Target,
        *,
        policy: Policy,
        settings: Settings,
        clock: Callable[[], int] = now_ms,
        rng: random.Random | None = None,
        gate: Gate | None = None,
    ) -> None:
        self.ledger, self.batch, self.client, self.target = ledger, batch, client, target
        self.policy, self.settings, self.clock = policy, settings, clock
        self.rng = rng or random.Random()
        self.halt = asyncio.Event()
        self.gate = gate or Gate()
        self.breaker = self.gate.breaker
        self.breaker.halts.add(self.halt)
        self._has_turn: set[int] = set()
        self.meter = Meter()
        self.waiting: dict[int, str] = {}
        self.held = ""
        self.in_hand: set[int] = set()
        self.broken: list[Exception] = []

    async def open_lanes(self) -> list[int]:
        """The lanes that have something to send and are not held by an outcome that a person must decide about."""
        found = await self.ledger.ask(self.ledger.history.lanes, self.batch)
        return [lane.lane for lane in found if lane.waiting and not (lane.standing and self.policy is not Policy.GO_ON)]

    async def turn(self, lane: int, limit: int, *, due: int | None = None) -> Turn:
        """Send up to ``limit`` of the lane's next requests, one after another; every outcome is written at the end.

        ``due`` is a request that was waited for: the wall clock is not asked again, for it may have been set back.
        """
        works = deque(await self.ledger.ask(self.ledger.history.take, self.batch, lane, limit))
        full, sent = len(works) == limit, 0
        outcome: list[Mark] = []
        try:
            while works and not self.halt.is_set():
                work = works.popleft()
                seconds = 0.0 if work.id == due else self._seconds_until(work)
                if seconds > 0:
                    return Turn(sent, more=True, seconds=seconds, request=work.id)
                seconds = self._seconds_to_turn(work)
                if seconds > SHORT_SECONDS:
                    self._has_turn.add(work.id)
                    return Turn(sent, more=True, seconds=seconds, request=work.id)
                if seconds > 0:
                    await self.rest(seconds)
                marks: list[Mark] = [*outcome, Leaving(work.id)]
                outcome = []
                if work.id in await self.ledger.mark(marks):
                    self.halt.set()  # paused, cancelled or another's by now: the next look at the batch tells
                    return Turn(sent)
                attempt = await self._attempt(work)
                sent += 1
                if attempt.too_large and work.events > 1:
                    works.extendleft(reversed(await self._halved(work, attempt)))
                    continue
                again = self._again(work, attempt)
                outcome = [Settled(work.id, attempt, None if again is None else self.clock() + int(again * 1000))]
                if again is not None:
                    self.waiting[lane] = attempt.reason
                    return Turn(sent, more=True, seconds=again, request=work.id)
                self.waiting.pop(lane, None)
                self.meter.count(work.events)
                self.breaker.saw(attempt, goes_on=self.policy is Policy.GO_ON)
                if self._holds(work, attempt):
                    self.held = attempt.reason
                    return Turn(sent)
        finally:
            if outcome:
                await self.ledger.mark(outcome)
        return Turn(sent, more=bool(works) or full)

    async def rest(self, seconds: float, over: asyncio.Event | None = None) -> None:
        """Wait, but not beyond a halt, nor beyond what is ``over``."""
        ends = [asyncio.create_task(event.wait()) for event in (self.halt, over) if event is not None]
        try:
            await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    def _seconds_to_turn(self, work: Work) -> float:
        """How long until the target's pace lets this request leave; a turn that was waited for is there now."""
        if work.id in self._has_turn:
            self._has_turn.remove(work.id)
            return 0.0
        return self.gate.pace.seconds()

    def _seconds_until(self, work: Work) -> float:
        """How long until a request may be tried again: no longer than its pause was meant to be, on any clock."""
        if work.retry_at is None:
            return 0.0
        left, limit = (work.retry_at - self.clock()) / 1000, self.settings.backoff_limit_seconds
        return min(left, limit if work.tried_at is None else (work.retry_at - work.tried_at) / 1000)

    async def _attempt(self, work: Work) -> Attempt:
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

    async def _halved(self, work: Work, attempt: Attempt) -> list[Work]:
        halves = halved(work.body)
        return await self.ledger.ask(self.ledger.history.split, work.id, attempt, halves, owner=self.ledger.owner)

    def _again(self, work: Work, attempt: Attempt) -> float | None:
        resend = self.policy is Policy.RESEND
        return compute_retry_delay(attempt, work.tries + 1, self.settings, self.rng, resend_unknown=resend)

    def _holds(self, work: Work, attempt: Attempt) -> bool:
        clear = attempt.outcome is Outcome.ACCEPTED or (attempt.outcome is Outcome.REJECTED and not work.doubt)
        return not clear and self.policy is not Policy.GO_ON


def halved(body: bytes) -> tuple[Half, Half]:
    """A request body in two, every event as it came and in order (CONTRACT 3.4).

    Lines of one order stay together where that can be (CONTRACT 2.9).
    """
    groups = json.loads(body)["track"]  # not orjson: it would round integers beyond 64 bits
    events = [(group["name"], event) for group in groups for event in group["payload"]]
    middle = len(events) // 2
    cuts = [cut for cut in range(1, len(events)) if not are_one_order(events[cut - 1], events[cut])]
    cut = min(cuts, key=lambda cut: abs(cut - middle), default=middle)
    first, second = events[:cut], events[cut:]
    return Half(build_request_body(first), len(first)), Half(build_request_body(second), len(second))
