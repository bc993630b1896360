"""Records that come out of history, for screens, exports and feeds.

Times are epoch milliseconds and durations milliseconds. No record holds a key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from intempt_core.contract import Interaction, Json, Outcome, format_count
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
    """One page of a list.

    Attributes:
        total: how many items all pages have.
        number: the page's number, from 1.
        size: most items of a page.
        is_complete: whether all that could match was looked at: a text may begin too many ids.
    """

    items: tuple[T, ...]
    total: int
    number: int
    size: int
    is_complete: bool = True

    @property
    def pages(self) -> int:
        """How many pages there are; an empty list has one."""
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True, slots=True)
class BatchFilter:
    """Which batches to list; ``None`` and an empty text exclude none.

    Attributes:
        since: earliest time of recording, in epoch ms.
        until: the time of recording is before it, in epoch ms.
        target: a target's name.
        source: what the batch was made from.
        state: a state that at least one of its requests has.
        undecided: only those that wait for a person.
        text: a part of a batch's name or label, in any case; or the beginning of an event id, identity, product id or
            batch id, exactly.
    """

    since: int | None = None
    until: int | None = None
    target: str | None = None
    source: BatchSource | None = None
    state: RequestState | None = None
    undecided: bool = False
    text: str = ""


class BatchOrder(StrEnum):
    """What the list of batches is sorted by."""

    TIME = "time"
    NAME = "name"
    TARGET = "target"
    EVENTS = "events"


@dataclass(frozen=True, slots=True)
class UndecidedCounts:
    """What waits for a person.

    Attributes:
        batches: how many batches do.
        events: how many of their events are unknown, and how many not sent; states without any are absent.
        halted: how many of the batches are stopped, and how many paused.
    """

    batches: int
    events: Mapping[RequestState, int]
    halted: Mapping[BatchState, int]


@dataclass(frozen=True, slots=True)
class BatchSubjects:
    """Of whom and of which products the first events of a batch are.

    Attributes:
        persons: ids of the persons, the first one first; each event's first identity.
        products: ids of the products, likewise.
        planned_persons: how many persons the whole batch has; 0 where that is not known.
        events: how many events were read for this.
    """

    persons: tuple[str, ...]
    products: tuple[str, ...]
    planned_persons: int
    events: int


@dataclass(frozen=True, slots=True)
class VerdictCounts:
    """What became of events that arrived.

    Attributes:
        processed: how many are processed.
        ignored: how many are ignored.
        repeated: how many of these are ignored because their event ids were used before.
    """

    processed: int = 0
    ignored: int = 0
    repeated: int = 0

    def add(self, processed: int, ignored: int, repeated: int) -> "VerdictCounts":
        """These counts and more."""
        return VerdictCounts(self.processed + processed, self.ignored + ignored, self.repeated + repeated)


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """One batch with its state and counts. What it does not describe is as in :class:`BatchIntent`.

    Attributes:
        created_at: time of recording.
        changed_at: time of the last change of its state.
        reason: why it is in its state, in sentences; often empty.
        rows: how many rows the input has, excluded ones too.
        excluded_rows: how many of them are not sent.
        events: how many events are in each state; states without any are absent. The events of a request that was
            split count as its halves'.
        requests: how many requests are in each state; states without any are absent.
        resends: ids of the batches that send some of its requests again, the first one first.
        resent: how many of the events in a state were sent again in another batch, whatever came of it there; what was
            accepted is not counted, and states without any are absent.
        resolved: how many of these were accepted when they were sent again.
        waiting: how many of the unknown and of the not sent events wait for a person: they were not sent again, and
            what became of them is not known. States without any are absent.
        verdicts: what became of the events that are accepted, and of those that are unknown and were found to have
            arrived, as far as the target says so: a sandbox does.
        unrecorded: how many of its events are still to be recorded, or never will be: see ``recorder``.
        recorder: the process that records them; empty where none does (any more).
        dismissed_at: when a person decided to leave what is unknown or not sent as it is; ``None`` where nobody did.
        overtaken: how many attempts a process made, or ended, after it had lost their requests to another one: what
            they sent may have arrived a second time, and they count for nothing but that.
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
    resends: tuple[str, ...] = ()
    resent: Mapping[RequestState, int] = field(default_factory=dict)
    resolved: Mapping[RequestState, int] = field(default_factory=dict)
    waiting: Mapping[RequestState, int] = field(default_factory=dict)
    verdicts: Mapping[RequestState, VerdictCounts] = field(default_factory=dict)
    unrecorded: int = 0
    recorder: str = ""
    name: str = ""
    dismissed_at: int | None = None
    groups: int = 0
    overtaken: int = 0

    @property
    def title(self) -> str:
        """What people know it by: its name, or else its label."""
        return self.name or self.label

    @property
    def overtaken_message(self) -> str:
        """What overtaken attempts mean, in sentences; empty where there are none."""
        if not self.overtaken:
            return ""
        many = format_count(self.overtaken, "attempt was", "attempts were")
        return (
            f"{many} overtaken: a process that did not answer lost them to another one, and made or ended them all the"
            " same. What they sent may have arrived twice, and outside the target's limits."
        )

    @property
    def processed(self) -> int:
        """How many events are known to be processed, accepted and unknown ones."""
        return sum(counts.processed for counts in self.verdicts.values())

    @property
    def ignored(self) -> int:
        """How many events are known to have arrived and to be ignored."""
        return sum(counts.ignored for counts in self.verdicts.values())

    @property
    def repeated(self) -> int:
        """How many of these are ignored because their event ids were used before."""
        return sum(counts.repeated for counts in self.verdicts.values())

    def get_verdict(self, state: RequestState) -> VerdictCounts:
        """What is known of its events that are in a state."""
        return self.verdicts.get(state, VerdictCounts())

    @property
    def unjudged(self) -> int:
        """How many of the accepted events it is not known of whether they were processed."""
        known = self.get_verdict(RequestState.ACCEPTED)
        return max(self.events.get(RequestState.ACCEPTED, 0) - known.processed - known.ignored, 0)

    def count_resendable(self, state: RequestState) -> int:
        """How many events in a state can be sent to the same target again from here: those that were not already."""
        return self.events.get(state, 0) - self.resent.get(state, 0)

    @property
    def total(self) -> int:
        """How many events the batch has, in all states."""
        return sum(self.events.values())

    @property
    def planned(self) -> int:
        """How many events were confirmed to be sent: those that are recorded, and those that are not, or never are."""
        return self.total + self.unrecorded

    @property
    def is_half_recorded(self) -> bool:
        """Whether nobody records the rest of it any more: the same input, sent again, is planned as that rest."""
        return bool(self.unrecorded) and not self.recorder

    @property
    def is_active(self) -> bool:
        """Whether it is still changing by itself: it is being recorded or sent, or waits for responses.

        A batch that is neither active nor :attr:`is_final` waits for a person.
        """
        return is_batch_active(self.state, self.requests)

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more by itself."""
        return self.state in (BatchState.DONE, BatchState.CANCELLED) and not self.requests.get(RequestState.IN_FLIGHT)


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One attempt of one request; its other fields are as in :class:`~intempt_core.transport.Attempt`.

    Attributes:
        request: id of the request.
        number: counts the request's attempts, from 1.
        processed: how many of the events are processed, ``None`` where the target does not say, or it is uncertain.
        ignored: how many of them are accepted and ignored.
        overtaken: whether the process that made it had lost the request to another one before it ended.
    """

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
    processed: int | None = None
    ignored: int | None = None
    overtaken: bool = False


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One event of a request.

    Attributes:
        request: id of the request.
        position: the event's place in it, from 0.
        state: the request's state.
    """

    request: int
    position: int
    event: EventIntent
    state: RequestState


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """A request in a list; ``lane`` to ``retry_at`` are as in :class:`WorkItem`.

    Attributes:
        updated_at: time of its last change.
        parent: id of the request that it is a half of.
        status: HTTP status of its last attempt, ``None`` where there was no response.
        reason: what is known of its last attempt, in a sentence; empty before the first.
    """

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
    """One request with all that is known of it.

    Attributes:
        body: the exact bytes of its HTTP body.
        events: its events in the order of the body; those of a request that was split are its halves'.
        attempts: its attempts, the first one first.
        halves: ids of the requests that replaced it where it was split.
    """

    summary: RequestSummary
    body: bytes
    events: tuple[RecordedEvent, ...]
    attempts: tuple[AttemptRecord, ...]
    halves: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """The outcome of one row of the input.

    Attributes:
        row: the row's number, from 1.
        line: the physical line in its file, from 1.
        state: the state of its request; ``None`` where the row was excluded.
        codes: codes of the issues that excluded it.
        status: HTTP status of the last attempt, ``None`` where there was no response.
        reason: what is known of the last attempt, in a sentence.
        tries: how many attempts were made.
        when: time of the request's last change.
        request: id of its request.
        member: which event of its row it is, from 1; 0 where the row is one event.
        user_id: its userId, as the other ids that it names; ``None`` where it has none, or the row was excluded.
        processed: whether the target processed it; ``None`` where that is not known: only a sandbox says it.
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
    member: int = 0
    user_id: str | None = None
    profile_id: str | None = None
    another_user_id: str | None = None
    account_id: str | None = None
    product_id: str | None = None
    processed: bool | None = None


class LaneSize(NamedTuple):
    """How much of one lane of a batch is in some states.

    Attributes:
        requests: how many requests.
        events: how many events they hold.
    """

    requests: int
    events: int


@dataclass(frozen=True, slots=True)
class AcceptedEvent(Interaction):
    """An accepted event of one person, as *expected* feeds are computed from.

    Attributes:
        when: time at which its response was recorded.
        request: id of its request.
    """

    event_id: str
    when: int
    request: int


@dataclass(frozen=True, slots=True)
class ThroughputStep:
    """One step of a batch's timeline.

    Attributes:
        start: when it begins.
        events: how many events the attempts had that ended in it, by outcome.
    """

    start: int
    events: Mapping[Outcome, int]


@dataclass(frozen=True, slots=True)
class ThroughputTimeline:
    """A batch's outcomes over time.

    Attributes:
        start: when the first step begins.
        step_seconds: how long each step is.
        steps: the steps, without a gap; none before the first attempt has ended.
    """

    start: int
    step_seconds: int
    steps: tuple[ThroughputStep, ...]


@dataclass(frozen=True, slots=True)
class SlowAttempt:
    """One of the attempts of a batch that waited longest for a response.

    Attributes:
        request: id of its request.
        lane: number of the request's lane.
        position: the request's place in the lane.
        status: of the response; ``None`` where none came.
    """

    request: int
    lane: int
    position: int
    elapsed_ms: float
    outcome: Outcome
    status: int | None
    started_at: int


@dataclass(frozen=True, slots=True)
class DeletionPreview:
    """What would be deleted of the batches that were recorded before a time.

    Attributes:
        batches: how many batches would be deleted.
        requests: how many requests they have.
        events: how many events they have.
        oldest: time of recording of the oldest of them; 0 where there is none.
        newest: time of recording of the newest of them; 0 where there is none.
        kept: how many old batches stay, because they are active or wait for a person.
    """

    batches: int
    requests: int
    events: int
    oldest: int
    newest: int
    kept: int


@dataclass(frozen=True, slots=True)
class DeletionProgress:
    """What was deleted so far.

    Attributes:
        batches: whole batches.
        events: their events, those of a batch that is half deleted too.
        freed: bytes that went back to the disk, known at the end.
        reusable: bytes that stay in the file for later batches, known at the end.
    """

    batches: int
    events: int
    freed: int = 0
    reusable: int = 0
