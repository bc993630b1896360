"""The fault injector: draws the fault, if any, that a request meets."""

import random
import threading
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from intempt_core.contract import FaultDocument, LatencyFault, ResponseFault, TooLargeFault
from intempt_core.errors import FaultDocumentUnreadable

MAX_FAULTY_PROJECTS = 1_000
"""Projects that have faults of their own at once."""


class _ActiveFaults:
    """A fault document, and how many requests each of its faults has yet to meet; ``None`` where it does not end."""

    def __init__(self, document: FaultDocument) -> None:
        self.document = document
        self.remaining = [fault.times for fault in document.faults]

    @property
    def current(self) -> FaultDocument:
        """The document as it is now."""
        if not self.document.faults:
            return self.document
        active = [
            fault.model_copy(update={"times": times})
            for fault, times in zip(self.document.faults, self.remaining, strict=True)
            if times != 0
        ]
        return self.document.model_copy(update={"faults": active})

    def draw(self, path: str, events: int, rng: "random.Random") -> tuple[ResponseFault | None, float]:
        """Draw the fault that a request meets, and its delay in seconds."""
        ending: ResponseFault | None = None
        late, point, passed = 0, rng.random(), 0.0
        for number, fault in self._matching(path):
            if isinstance(fault, LatencyFault):
                hit = fault.share == 1 or rng.random() < fault.share
                late += fault.ms if hit else 0
            elif isinstance(fault, TooLargeFault):
                hit = ending is None and events > fault.events and (fault.share == 1 or point < fault.share)
                ending = fault if hit else ending
            else:
                hit = ending is None and passed <= point < passed + fault.share
                passed += fault.share
                ending = fault if hit else ending
            remaining = self.remaining[number]
            if hit and remaining is not None:
                self.remaining[number] = remaining - 1
        return ending, late / 1000

    def _matching(self, path: str) -> Iterator[tuple[int, ResponseFault | LatencyFault]]:
        faults: Sequence[ResponseFault | LatencyFault] = self.document.faults
        for number, fault in enumerate(faults):
            if self.remaining[number] != 0 and fnmatchcase(path, fault.path):
                yield number, fault


class FaultInjector:
    """The faults of one running sandbox: those of everything, and beside them those of single projects.

    A request meets a fault of its project first, and one of everything where it meets none; delays add up. For use by
    many threads. ``rng`` draws which requests meet a fault.
    """

    def __init__(self, faults: FaultDocument | None = None, rng: "random.Random | None" = None) -> None:
        self._lock = threading.Lock()
        self._rng = rng or random.Random()
        self._everything = _ActiveFaults(faults or FaultDocument())
        self._by_project: dict[str, _ActiveFaults] = {}

    def set(self, faults: FaultDocument, project: str | None = None) -> None:
        """Replace all faults of a project, or those of everything; requests are counted from the start.

        Raises :class:`FaultDocumentUnreadable` where too many projects have faults of their own.
        """
        with self._lock:
            if project is None:
                self._everything = _ActiveFaults(faults)
            elif not faults.active:
                self._by_project.pop(project, None)
            elif project in self._by_project or len(self._by_project) < MAX_FAULTY_PROJECTS:
                self._by_project[project] = _ActiveFaults(faults)
            else:
                raise FaultDocumentUnreadable(
                    f"{MAX_FAULTY_PROJECTS:,} projects have faults of their own. End those of one by DELETE, with its"
                    " name in the parameter project."
                )

    def read_current(self, project: str | None = None) -> FaultDocument:
        """Read the active faults of a project, or of everything; each with how many requests it has yet to meet."""
        with self._lock:
            faults = self._everything if project is None else self._by_project.get(project)
            return FaultDocument() if faults is None else faults.current

    def read_projects(self) -> dict[str, FaultDocument]:
        """Read the active faults of each project that has some of its own, by its name."""
        with self._lock:
            found = {project: faults.current for project, faults in sorted(self._by_project.items())}
        return {project: faults for project, faults in found.items() if faults.active}

    def deduplicates(self, project: str) -> bool:
        """Whether a repeated event id is ignored in a project."""
        with self._lock:
            own = self._by_project.get(project)
            return self._everything.document.deduplicates and (own is None or own.document.deduplicates)

    def draw_fault(self, path: str, events: int = 0, *, project: str = "") -> tuple[ResponseFault | None, float]:
        """Draw the fault that a request to ``path`` with so many events meets, and its delay in seconds."""
        with self._lock:
            ending, late = None, 0.0
            for faults in (self._by_project.get(project), self._everything):
                if ending is None and faults is not None and faults.document.faults:
                    ending, delay = faults.draw(path, events, self._rng)
                    late += delay
            return ending, late
