"""What screens, exports and feeds read from history: frozen records.

Times are epoch milliseconds and durations milliseconds. Nothing here holds a key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from intempt_core.contract import Interaction, Json, Outcome
from intempt_core.history.records import (
    BatchSource,
    BatchState,
    EventIntent,
    RequestState,
    TargetSnapshot,
    is_batch_active,
)
from intempt_core.planning import Policy

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list: ``number`` counts from 1, ``total`` counts the items of all pages."""

    items: tuple[T, ...]
    total: int
    number: int
    size: int

    @property
    def pages(self) -> int:
        """How many pages there are; an empty list has one."""
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True, slots=True)
class BatchFilter:
    """Which batches to show; ``None`` and empty text let all through.

    ``since`` (inclusive) and ``until`` (exclusive) bound the time of recording. ``target`` is a target's name.
    ``outcome`` keeps batches with at least one request in that state. ``text`` is a whole event id, identity,
    product id or batch id, exactly.
    """

    since: int | None = None
    until: int | None = None
    target: str | None = None
    source: BatchSource | None = None
    state: RequestState | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """One batch and where it stands. ``events`` and ``requests`` count by state; absent states have none.

    A split request counts among ``requests`` and not among ``events``: its events are its halves'.
    ``changed_at`` is the time of the last change of the batch's state.
    """

    id: str
    created_at: int
    changed_at: int
    source: BatchSource
    label: str
    target: TargetSnapshot
    policy: Policy
    state: BatchState
    reason: str
    owner: str
    rows: int
    excluded_rows: int
    persons: int
    lanes: int
    digest: str
    mapping: str
    notes: Mapping[str, Json]
    resend_of: str
    events: Mapping[RequestState, int]
    requests: Mapping[RequestState, int]

    @property
    def total(self) -> int:
        """Events of the batch, whatever became of them."""
        return sum(self.events.values())

    @property
    def is_active(self) -> bool:
        """Whether something still moves by itself: it is sent, or requests of it wait for their answers.

        A batch that does not move, and is not :attr:`is_final`, waits for a person.
        """
        return is_batch_active(self.state, self.requests)

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more by itself."""
        return self.state in (BatchState.DONE, BatchState.CANCELLED) and not self.requests.get(RequestState.IN_FLIGHT)


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One try of one request, as it was (see :class:`~intempt_core.transport.track_client.Attempt`); ``number`` counts from 1."""

    id: int
    request: int
    number: int
    started_at: int
    elapsed_ms: float
    outcome: Outcome
    status: int | None
    reason: str
    headers: tuple[tuple[str, str], ...]
    sent_headers: tuple[tuple[str, str], ...]
    response_body: bytes
    response_length: int
    response_truncated: bool


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One event of a request: ``position`` counts within the request, from 0."""

    request: int
    position: int
    event: EventIntent
    state: RequestState


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """A request in a list; ``status`` and ``reason`` are its last attempt's. ``part`` orders halves of one position."""

    id: int
    batch: str
    lane: int
    position: int
    part: str
    events: int
    state: RequestState
    tries: int
    doubt: bool
    retry_at: int | None
    updated_at: int
    parent: int | None
    status: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request whole: what left, what it held, what came back. A split request's events are with its ``halves``."""

    summary: RequestSummary
    body: bytes
    events: tuple[RecordedEvent, ...]
    attempts: tuple[AttemptRecord, ...]
    halves: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of one row of the input. ``state`` is ``None`` where the row stayed behind because of ``codes``.

    ``status``, ``reason`` are the last attempt's; ``when`` is the time of its request's last change.
    """

    row: int
    line: int | None
    event_id: str | None
    name: str | None
    state: RequestState | None
    codes: tuple[str, ...] = ()
    status: int | None = None
    reason: str = ""
    tries: int = 0
    when: int | None = None
    request: int | None = None


@dataclass(frozen=True, slots=True)
class AcceptedEvent(Interaction):
    """An accepted event of one person, as *expected* feeds want it; ``when`` is when its answer was recorded."""

    event_id: str
    when: int
    request: int


@dataclass(frozen=True, slots=True)
class ThroughputStep:
    """A step of a batch's course: when it begins, and the events of the attempts that ended in it, by outcome."""

    start: int
    events: Mapping[Outcome, int]


@dataclass(frozen=True, slots=True)
class ThroughputTimeline:
    """A batch's answers over time, from ``begin`` on, in ``bars`` of ``width`` seconds each; none without answers."""

    start: int
    step_seconds: int
    steps: tuple[ThroughputStep, ...]


@dataclass(frozen=True, slots=True)
class SlowAttempt:
    """One of a batch's answers that took longest, and the request whose it is."""

    request: int
    lane: int
    position: int
    elapsed_ms: float
    outcome: Outcome
    status: int | None
    started_at: int


@dataclass(frozen=True, slots=True)
class DeletionPreview:
    """The batches that were recorded before a time, and what deleting them would take along.

    ``kept`` counts those that stay in any case: they still move, or wait for a person. ``oldest`` and ``newest`` are
    times of recording, of those that would go; 0 where none would.
    """

    batches: int
    requests: int
    events: int
    oldest: int
    newest: int
    kept: int


@dataclass(frozen=True, slots=True)
class DeletionProgress:
    """What was deleted so far, of how many ``events`` in all; ``freed`` bytes went back to the disk, and ``reusable``
    ones stay in the file, to be filled by later batches.
    """

    batches: int
    events: int
    freed: int = 0
    reusable: int = 0
