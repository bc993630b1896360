"""Limits that all batches to one target share: requests a second, requests in flight, and a circuit breaker.

The two limits hold for all processes of a data folder together (``shared_turns``, ``shared_places``), and cost nothing
where there are none. Each process has a breaker of its own for each target, and nothing of it is stored.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Protocol, Self

from intempt_core.contract import Outcome
from intempt_core.dispatch.shared_places import SharedPlaces
from intempt_core.dispatch.shared_turns import BUSY_RETRY_SECONDS, LOOK_AHEAD_SECONDS, SharedTurns, Stretch
from intempt_core.errors import HistoryUnavailable
from intempt_core.transport import Attempt

FAILURES_TO_BREAK = 12
"""Requests in a row that fail alike before a batch is paused: the rest of it would fail in the same way."""

LIMITS_FOLDER = "limits"
"""The folder of what processes share, below the data folder."""

STRETCH_SECONDS = 0.1
"""How much of the time one process takes for itself at once, at the most; a single turn may be longer."""

GONE_SECONDS = 0.1
"""How long after it was to ask again a lane counts as waiting for a turn."""

TROUBLE_RETRY_SECONDS = 0.5
"""After how long a data folder is tried again that cannot be used."""

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


@dataclass(frozen=True, slots=True)
class Turn:
    """When a request may be sent.

    Attributes:
        seconds: from now on.
        is_reserved: whether that turn is the asker's; else it has to ask again by then.
    """

    seconds: float
    is_reserved: bool = True


_AT_ONCE = Turn(0.0)


class Turns(Protocol):
    """Turns that several processes share: of a data folder, or of a database.

    Attributes:
        clock: seconds, by which turns are.
    """

    clock: Callable[[], float]

    def take(self, step: float, turns: int, not_before: float) -> Stretch:
        """Take up to ``turns`` turns, ``step`` seconds apart. Raises ``OSError``, :class:`HistoryUnavailable`."""

    def close(self) -> None:
        """Give back what is held."""


class Places(Protocol):
    """Places in flight that several processes share: of a data folder, or of a database.

    Attributes:
        limit: how many places there are; 0: no limit, and nothing to wait for.
    """

    limit: int

    @property
    def should_hand_over(self) -> bool:
        """Whether another process waits for a place, and this one has more than its share."""

    async def acquire(self, *ends: asyncio.Event) -> bool:
        """Wait for a place, no longer than until one of the events; whether there is one now."""

    def release(self) -> None:
        """Give a place back."""

    def close(self) -> None:
        """Give back every place."""


class RateLimiter:
    """Lets at most so many requests a second be sent (0: no limit), evenly; unused turns are lost.

    With ``shared`` all processes that share it send no more together: turns are taken from there, a stretch of time at
    once. A stretch has a turn for each lane that waits, up to :data:`STRETCH_SECONDS`: one that was taken and is not
    used would be lost for all. Without it, ``clock`` gives seconds and never jumps.

    Attributes:
        per_second: the limit.
        trouble: why no turns can be taken, as a sentence; mostly empty.
    """

    def __init__(
        self, per_second: float, clock: Callable[[], float] = time.monotonic, *, shared: Turns | None = None
    ) -> None:
        self.per_second = per_second
        self.trouble = ""
        self._step = 1 / per_second if per_second else 0.0
        self._shared = shared
        self._clock = shared.clock if shared else clock
        self._free_from = 0.0
        self._end = float("-inf") if shared else float("inf")  # of the stretch
        self._waiting: dict[int, float] = {}  # who asks, and when again
        self._promised_until = 0.0

    def reserve_turn(self, asker: int = 0) -> Turn:
        """Reserve the next turn for a request, or say when to ask again."""
        if not self._step:
            return _AT_ONCE
        now = self._clock()
        turn = max(self._free_from, now)
        if turn > self._end - self._step / 100:  # sums of steps are not exact
            self._waiting[asker] = now
            stretch = self._take_stretch(turn, now)
            if not stretch.turns:
                promised = self._promise(stretch.start, now)
                self._waiting[asker] = now + promised.seconds
                return promised
            turn, self._end = max(turn, stretch.start), stretch.start + stretch.turns * self._step
        self._waiting.pop(asker, None)
        self._free_from = turn + self._step
        return Turn(turn - now)

    def close(self) -> None:
        """Close what is shared."""
        if self._shared is not None:
            self._shared.close()

    def _take_stretch(self, turn: float, now: float) -> Stretch:
        assert self._shared is not None  # noqa: S101  else the stretch has no end
        self._waiting = {asker: when for asker, when in self._waiting.items() if when > now - GONE_SECONDS}
        wanted = min(len(self._waiting), max(1, int(self.per_second * STRETCH_SECONDS)))
        try:
            stretch = self._shared.take(self._step, wanted, turn)
        except HistoryUnavailable as error:
            self.trouble = f"The limit of requests a second waits. {error}"
            return Stretch(now + TROUBLE_RETRY_SECONDS, 0)
        except OSError as error:
            self.trouble = f"The limit of requests a second waits for the data folder: {error.strerror}."
            return Stretch(now + TROUBLE_RETRY_SECONDS, 0)
        self.trouble = ""
        return stretch

    def _promise(self, free_from: float, now: float) -> Turn:
        """When to ask again: one after the other, and a little earlier, so that the turn is not missed."""
        promised = max(self._promised_until, free_from)
        self._promised_until = promised + self._step
        return Turn(max(promised - now - LOOK_AHEAD_SECONDS / 2, BUSY_RETRY_SECONDS), is_reserved=False)


@dataclass(slots=True)
class TargetLimits:
    """The limits and the circuit breaker of one target.

    Attributes:
        rate_limiter: how many requests a second are sent.
        breaker: pauses batches whose requests all fail alike.
        places: how many requests are in flight.
    """

    rate_limiter: RateLimiter = field(default_factory=lambda: RateLimiter(0))
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    places: Places = field(default_factory=SharedPlaces)

    @classmethod
    def open(cls, target_key: str, per_second: float, in_flight: int, data: Path) -> Self:
        """The limits that all processes of a data folder share for a target; those that are 0 are none."""
        folder = data / LIMITS_FOLDER / sha256(target_key.encode()).hexdigest()[:16]
        shared = SharedTurns(folder / "turns") if per_second else None
        return cls(RateLimiter(per_second, shared=shared), CircuitBreaker(), SharedPlaces(in_flight, folder))

    def are_for(self, per_second: float, in_flight: int) -> bool:
        """Whether these are the limits."""
        return self.rate_limiter.per_second == per_second and self.places.limit == in_flight

    def close(self) -> None:
        """Give back what this process holds."""
        self.rate_limiter.close()
        self.places.close()
