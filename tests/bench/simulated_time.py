"""Discrete events: activities that wait, and take turns at things of which there are only so many.

An activity is a generator. It yields what it waits for: ``Wait(seconds)``, a place of a :class:`Resource`, or a
:class:`Signal`. Nothing is random, so that a run gives the same figures again, and a small case can be worked out by
hand.
"""

import heapq
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from itertools import count
from typing import TypeAlias

Activity: TypeAlias = Generator["Wait | Resource | Signal", None, None]


@dataclass(frozen=True, slots=True)
class Wait:
    """A stretch of time in which an activity does nothing else.

    Attributes:
        seconds: how long.
    """

    seconds: float


class Timeline:
    """The simulated time, and what happens next.

    Attributes:
        now: seconds since the beginning.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._order = count()
        self._due: list[tuple[float, int, Activity]] = []

    def start(self, activity: Activity) -> None:
        """Begin an activity, now."""
        self.resume(activity, 0.0)

    def resume(self, activity: Activity, seconds: float) -> None:
        """Let an activity go on after a while."""
        heapq.heappush(self._due, (self.now + seconds, next(self._order), activity))

    def run(self, until: float) -> None:
        """Let everything happen that is due by a time."""
        while self._due and self._due[0][0] <= until:
            self.now, _, activity = heapq.heappop(self._due)
            awaited = next(activity, None)
            if isinstance(awaited, Wait):
                self.resume(activity, awaited.seconds)
            elif awaited is not None:
                awaited.admit(activity)
        self.now = until


class Resource:
    """Something that so many activities may have at once; others wait in the order in which they came.

    Who yields it has a place when it goes on, and must call :meth:`release`.

    Attributes:
        name: what it is, in a few words.
        places: how many may have it at once.
    """

    def __init__(self, timeline: Timeline, name: str, places: int = 1) -> None:
        self.name, self.places = name, places
        self._timeline, self._taken, self._waiting = timeline, 0, deque[Activity]()
        self._busy_seconds, self._counted_until = 0.0, 0.0

    def admit(self, activity: Activity) -> None:
        """Give an activity a place, as soon as there is one."""
        if self._taken < self.places:
            self._count_until_now()
            self._taken += 1
            self._timeline.resume(activity, 0.0)
        else:
            self._waiting.append(activity)

    def release(self) -> None:
        """Give a place back: the next one has it at once."""
        if self._waiting:
            self._timeline.resume(self._waiting.popleft(), 0.0)
        else:
            self._count_until_now()
            self._taken -= 1

    def measure_busy(self) -> float:
        """The seconds for which places were taken so far, of all places together."""
        self._count_until_now()
        return self._busy_seconds

    def _count_until_now(self) -> None:
        self._busy_seconds += self._taken * (self._timeline.now - self._counted_until)
        self._counted_until = self._timeline.now


class Signal:
    """Something that is waited for, and happens once."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline, self._waiting, self._is_set = timeline, list[Activity](), False

    def admit(self, activity: Activity) -> None:
        """Let an activity go on when it has happened."""
        if self._is_set:
            self._timeline.resume(activity, 0.0)
        else:
            self._waiting.append(activity)

    def set(self) -> None:
        """Let it happen."""
        self._is_set = True
        for activity in self._waiting:
            self._timeline.resume(activity, 0.0)
        self._waiting.clear()
