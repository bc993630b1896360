"""Limits that all batches to one target share: a rate limiter, and a circuit breaker.

Each process has its own for each target, and nothing of them is stored.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from intempt_core.contract import Outcome
from intempt_core.transport import Attempt

FAILURES_TO_BREAK = 12
"""Requests in a row that fail alike before a batch is paused: the rest of it would fail in the same way."""

BODY_STATUSES = frozenset((400, 409, 413, 422))
"""Statuses of rejections that depend on the body of one request, and say nothing of the next one's."""

_STATUS_FIXES = {
    401: "Check the key.",
    403: "Check what the key is allowed to do.",
    404: "Check org, project and source.",
    405: "Check host, org, project and source.",
}


class CircuitBreaker:
    """Pauses the batches to a target whose requests all fail alike; any other outcome resets the count.

    What counts is a failure that the next request will have too: it cannot be sent, or is rejected for another reason
    than its body; and, where the lane goes on after it, an unknown outcome.

    Attributes:
        reason: why it has opened, in sentences; empty while it has not.
        halts: the events that it sets when it opens, one for each batch.
    """

    def __init__(self) -> None:
        self.reason = ""
        self.halts: set[asyncio.Event] = set()
        self._kind: tuple[Outcome, int | None] | None = None
        self._failures_in_a_row = 0

    def record(self, attempt: Attempt, *, lane_continues: bool = False) -> None:
        """Record an outcome; ``lane_continues`` says whether the lane goes on after an unknown one."""
        kind = attempt.outcome, attempt.status
        if not _affects_next_request(attempt, lane_continues):
            self._kind, self._failures_in_a_row = None, 0
            return
        self._failures_in_a_row = self._failures_in_a_row + 1 if kind == self._kind else 1
        self._kind = kind
        if self._failures_in_a_row >= FAILURES_TO_BREAK and not self.reason:
            failure = _describe_failure(attempt)
            self.reason = f"{FAILURES_TO_BREAK} requests in a row {failure} The last response: {attempt.reason}"
            for halt in self.halts:
                halt.set()


def _affects_next_request(attempt: Attempt, lane_continues: bool) -> bool:
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
            fix = _STATUS_FIXES.get(attempt.status or 0, "Check the target.")
            return f"were rejected: {attempt.status}. {fix}"


class RateLimiter:
    """Lets at most so many requests a second be sent (0: no limit), evenly; unused turns are lost.

    ``clock`` gives seconds and never jumps.
    """

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_second = per_second
        self._step = 1 / per_second if per_second else 0.0
        self._clock = clock
        self._free_from = 0.0

    def reserve_turn(self) -> float:
        """Reserve the next turn; returns the seconds until then."""
        if not self._step:
            return 0.0
        now = self._clock()
        turn = max(self._free_from, now)
        self._free_from = turn + self._step
        return turn - now


@dataclass(slots=True)
class TargetLimits:
    """The rate limiter and the circuit breaker of one target."""

    rate_limiter: RateLimiter = field(default_factory=lambda: RateLimiter(0))
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
