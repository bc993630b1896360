"""What all batches to one target share: how fast requests may leave to it, and when no more should.

One process, one gate for each target; nothing of it is kept.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from intempt_core.contract import Outcome
from intempt_core.transport import Attempt

FAILURES_TO_BREAK = 12
"""Requests in a row that fail alike before a batch is paused: going on would burn the rest of it the same way."""

BODY_STATUSES = frozenset((400, 409, 413, 422))
"""Refusals that say something of one request's events, and nothing of the next one's."""

_STATUS_FIXES = {
    401: "Check the key.",
    403: "Check what the key is allowed to do.",
    404: "Check org, project and source.",
    405: "Check host, org, project and source.",
}


class CircuitBreaker:
    """Pauses the batches to a target whose requests all fail alike; any other outcome begins anew.

    Hopeless is whatever the next request will meet too: it cannot be sent, or is rejected for what is not in its body;
    and, where a lane goes on after it, an unknown outcome. ``halts`` are the batches that a break stops.
    """

    def __init__(self) -> None:
        self.reason = ""
        self.halts: set[asyncio.Event] = set()
        self._kind: tuple[Outcome, int | None] | None = None
        self._failures_in_a_row = 0

    def record(self, attempt: Attempt, *, lane_continues: bool = False) -> None:
        """One outcome that stands; ``goes_on`` says whether the lane goes on after an unknown one."""
        kind = attempt.outcome, attempt.status
        if not _is_hopeless(attempt, lane_continues):
            self._kind, self._failures_in_a_row = None, 0
            return
        self._failures_in_a_row = self._failures_in_a_row + 1 if kind == self._kind else 1
        self._kind = kind
        if self._failures_in_a_row >= FAILURES_TO_BREAK and not self.reason:
            self.reason = (
                f"{FAILURES_TO_BREAK} requests in a row {_describe_failure(attempt)} The last answer: {attempt.reason}"
            )
            for halt in self.halts:
                halt.set()


def _is_hopeless(attempt: Attempt, lane_continues: bool) -> bool:
    match attempt.outcome:
        case Outcome.NOT_SENT:
            return True
        case Outcome.REJECTED:
            return attempt.status not in BODY_STATUSES
        case Outcome.UNKNOWN:
            return lane_continues
        case _:
            return False


def _describe_failure(attempt: Attempt) -> str:
    match attempt.outcome:
        case Outcome.NOT_SENT:
            return "could not be sent."
        case Outcome.UNKNOWN:
            return "have an unknown outcome."
        case _:
            mend = _STATUS_FIXES.get(attempt.status or 0, "Check the target.")
            return f"were rejected: {attempt.status}. {mend}"


class RateLimiter:
    """At most so many requests a second (0: as many as can be), evenly; what was not used is not made up for.

    ``clock`` gives seconds and never jumps.
    """

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second = per_second
        self._step = 1 / per_second if per_second else 0.0
        self._clock = clock
        self._free_from = 0.0

    def reserve_turn(self) -> float:
        """Take the next turn; how long until it comes."""
        if not self._step:
            return 0.0
        now = self._clock()
        turn = max(self._free_from, now)
        self._free_from = turn + self._step
        return turn - now


@dataclass(slots=True)
class TargetLimits:
    """The way to one target: its pace, and its breaker."""

    rate_limiter: RateLimiter = field(default_factory=lambda: RateLimiter(0))
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
