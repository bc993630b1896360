"""The fault injector: draws the fault, if any, that a request meets."""

import random
import threading
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from intempt_core.contract import FaultDocument, LatencyFault, ResponseFault, TooLargeFault


class FaultInjector:
    """The faults of one running sandbox. For use by many threads.

    ``rng`` draws which requests meet a fault.
    """

    def __init__(self, faults: FaultDocument | None = None, rng: "random.Random | None" = None) -> None:
        self._lock = threading.Lock()
        self._rng = rng or random.Random()
        self.set(faults or FaultDocument())

    def set(self, faults: FaultDocument) -> None:
        """Replace all faults; requests are counted from the start."""
        with self._lock:
            self._faults = faults
            self._remaining = [fault.times for fault in faults.faults]

    @property
    def current(self) -> FaultDocument:
        """The active faults, each with the number of requests that it has yet to meet."""
        with self._lock:
            if not self._faults.faults:
                return self._faults
            active = [
                fault.model_copy(update={"times": times})
                for fault, times in zip(self._faults.faults, self._remaining, strict=True)
                if times != 0
            ]
            return self._faults.model_copy(update={"faults": active})

    def draw_fault(self, path: str, events: int = 0) -> tuple[ResponseFault | None, float]:
        """Draw the fault that a request to ``path`` with so many events meets, and its delay in seconds."""
        if not self._faults.faults:
            return None, 0.0
        with self._lock:
            ending: ResponseFault | None = None
            late, point, passed = 0, self._rng.random(), 0.0
            for number, fault in self._matching(path):
                if isinstance(fault, LatencyFault):
                    hit = fault.share == 1 or self._rng.random() < fault.share
                    late += fault.ms if hit else 0
                elif isinstance(fault, TooLargeFault):
                    hit = ending is None and events > fault.events and (fault.share == 1 or point < fault.share)
                    ending = fault if hit else ending
                else:
                    hit = ending is None and passed <= point < passed + fault.share
                    passed += fault.share
                    ending = fault if hit else ending
                remaining = self._remaining[number]
                if hit and remaining is not None:
                    self._remaining[number] = remaining - 1
            return ending, late / 1000

    def _matching(self, path: str) -> Iterator[tuple[int, ResponseFault | LatencyFault]]:
        faults: Sequence[ResponseFault | LatencyFault] = self._faults.faults
        for number, fault in enumerate(faults):
            if self._remaining[number] != 0 and fnmatchcase(path, fault.path):
                yield number, fault
