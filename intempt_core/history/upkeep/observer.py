"""What a process may be told of the work of its history, while it goes on: for metrics, for a test."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class ObservedAttempt(NamedTuple):
    """An attempt whose outcome was written.

    Attributes:
        outcome: what came of it, the value of an :class:`~intempt_core.contract.Outcome`.
        elapsed_ms: how long it took, in milliseconds; ``None`` where its end was not seen.
        events: how many events its request holds.
        settled: the state of its request where no attempt follows by itself; empty where one does.
    """

    outcome: str
    elapsed_ms: float | None
    events: int
    settled: str


class HistoryObserver(Protocol):
    """Is told what this process did with history. It is called between requests: it is quick, and never raises."""

    def note_transaction(self, kind: str, seconds: float, *, failed: bool) -> None:
        """A transaction ended; ``kind`` is ``read`` or ``write``."""

    def note_attempts(self, attempts: Sequence[ObservedAttempt]) -> None:
        """Outcomes were written."""

    def note_overtaken(self, attempts: int) -> None:
        """Outcomes came of requests that this process had lost to another one: they may have been sent twice."""

    def note_recording(self, events: int, seconds: float) -> None:
        """A batch was recorded, or as much of it as will be."""
