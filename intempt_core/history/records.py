"""Records that go into history, from a confirm and from dispatch, and the states of requests and batches.

Times are epoch milliseconds and durations milliseconds. No record holds a key.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import accumulate
from typing import NamedTuple, Self

from intempt_core.contract import GivenEvent, Json, find_current_state
from intempt_core.planning import EventColumns, PlannedBlock, Policy, describe_event
from intempt_core.targets import Target, derive_target_key
from intempt_core.transport import Attempt


class BatchSource(StrEnum):
    """What a batch was made from."""

    FORM = "form"
    FILE = "file"
    PAYLOAD = "payload"
    COMMAND = "command line"


class RequestState(StrEnum):
    """The state of a request; the drawing is in :mod:`intempt_core.history.transitions`.

    The values of earlier versions are understood: ``RequestState("leaving")`` is :attr:`IN_FLIGHT`.
    """

    PENDING = "pending"
    IN_FLIGHT = "in flight"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    NOT_SENT = "not sent"
    SPLIT = "split"
    CANCELLED = "cancelled"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return find_current_state(cls, value)


class BatchState(StrEnum):
    """The state of a batch; the drawing is in :mod:`intempt_core.history.transitions`."""

    SENDING = "sending"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"
    CANCELLED = "cancelled"
    FORGOTTEN = "forgotten"
    """Being deleted: no query finds it any more."""


def is_batch_active(state: BatchState, counts: Mapping[RequestState, int]) -> bool:
    """Whether a batch is still changing by itself: it is being recorded or sent, or waits for responses.

    ``counts`` are its requests, or its events, by state.
    """
    return state is BatchState.SENDING or bool(counts.get(RequestState.IN_FLIGHT))


UNSETTLED_STATES = (RequestState.PENDING, RequestState.IN_FLIGHT)
"""The states of requests that have no outcome yet."""


def count_settled(counts: Mapping[RequestState, int]) -> int:
    """How many of what is counted by state have an outcome."""
    return sum(count for state, count in counts.items() if state not in UNSETTLED_STATES)


@dataclass(frozen=True, slots=True)
class TargetSnapshot:
    """A target as it was when the batch was confirmed, without its key.

    Attributes:
        key: which place it is: two targets with one track URL are one place, and so is the sandbox on any port.
        name: the target's name in the console.
        base: scheme and host of its URLs.
        source_id: id of the source that events are sent to.
        origin: where the target is defined, such as ``secrets.toml``; ``sandbox`` for the sandbox.
        production: whether it is a production target.
        deduplicates: whether it promises to ignore an event id that it has seen.
        credential_reference: where the key is found (``$INTEMPT_API_KEY``), never the key itself.
        feeds: ids of its feeds, by feed.
        announces: whether it has a webhook, which is told when the batch ended, stopped or was paused.
    """

    key: str
    name: str
    base: str
    host: str
    org: str
    project: str
    source_id: str
    track_url: str
    origin: str
    production: bool = False
    deduplicates: bool = False
    credential_reference: str = ""
    feeds: Mapping[str, str] = field(default_factory=dict)
    announces: bool = False

    @classmethod
    def from_target(cls, target: Target) -> "TargetSnapshot":
        """Copy what history stores of a target."""
        return cls(
            key=derive_target_key(target),
            name=target.name,
            base=target.base,
            host=target.host,
            org=target.org,
            project=target.project,
            source_id=target.source,
            track_url=target.track_url,
            origin=target.origin,
            production=target.production,
            deduplicates=target.deduplicates,
            credential_reference=target.credential_reference,
            feeds=dict(target.feeds),
            announces=bool(target.webhook),
        )


@dataclass(frozen=True, slots=True)
class HistoryCheckpoint:
    """What a plan has seen of the batches to one target: what came later it cannot know.

    Batches are named by their numbers, which count up. It is read before a plan looks for what was sent already
    (:meth:`~intempt_core.history.repeats.RepeatLookup.checkpoint`), and compared when the plan is recorded.

    Attributes:
        target: the target's key, as in :attr:`TargetSnapshot.key`.
        newest: the newest batch; 0 where there was none.
        recording: the batches that were still being recorded, so that not all of their events could be seen.
        confirmed: later batches that a person was told of, and sends all the same.
    """

    target: str
    newest: int
    recording: frozenset[int] = frozenset()
    confirmed: frozenset[int] = frozenset()

    @property
    def as_text(self) -> str:
        """A text that is the same for the same batches: what was worked out of them need not be worked out again."""
        return " ".join(map(str, (self.newest, *sorted(self.recording))))

    def confirm(self, batches: Iterable[int]) -> "HistoryCheckpoint":
        """The same, after a person was told of some batches."""
        return replace(self, confirmed=self.confirmed.union(batches))


# ── intent ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class BatchIntent:
    """What one confirm decides.

    Attributes:
        label: what a person knows the input by, such as a file's name.
        policy: what a lane does after an unknown outcome.
        rows: how many rows the input has, excluded ones too.
        digest: SHA-256 of the input's bytes, in hexadecimal digits; empty where there are none.
        mapping: the mapping as JSON text; empty where there is none.
        notes: small facts worth showing later (``{"as it is": True}``).
        resend_of: id of the batch that this one sends again; empty where it does not.
        owner: the process that will send it; empty where any console may.
        persons: how many persons its events are of.
        lanes: how many lanes it has.
        seen: what its plan has seen of history: of later batches nothing is sent twice. ``None`` compares with none.
        events: how many events it will have; 0 where that is not known before they are recorded.
        recorder: the process that records it; empty where the owner does.
        supersedes: numbers of stopped batches of the same input that are half recorded: what never left of them is in
            this one, and cancelled there.
        id: its id, of :func:`~intempt_core.history.recorder.make_batch_id`, where it must be known before the batch is
            recorded; empty for a new one.
        name: what a person calls it, beside the label; often empty.
        groups: in how many groups its lanes are, which workers own one by one; 0: in none, and its owner has them all.
    """

    source: BatchSource
    label: str
    target: TargetSnapshot
    policy: Policy
    rows: int
    digest: str = ""
    mapping: str = ""
    notes: Mapping[str, Json] = field(default_factory=dict)
    resend_of: str = ""
    owner: str = ""
    persons: int = 0
    lanes: int = 0
    seen: HistoryCheckpoint | None = None
    events: int = 0
    recorder: str = ""
    supersedes: Collection[int] = ()
    id: str = ""
    name: str = ""
    groups: int = 0


class EventIntent(NamedTuple):
    """What history stores of one event so that it can be found; its whole body is in its request.

    It is a tuple, because a batch may hold millions of them, and they are inserted as they are.

    Attributes:
        row: the input's row that it was made from, from 1.
        line: the physical line of that row in its file, from 1.
        timestamp: the event's own time, in epoch ms; ``None`` where it has none or it does not fit.
        member: which event of its row it is, from 1; 0 where the row is one event.
    """

    row: int
    line: int | None = None
    name: str | None = None
    event_id: str | None = None
    profile_id: str | None = None
    user_id: str | None = None
    another_user_id: str | None = None
    account_id: str | None = None
    product_id: str | None = None
    timestamp: int | None = None
    member: int = 0

    @classmethod
    def from_event(cls, event: GivenEvent, row: int = 0) -> "EventIntent":
        """Copy what history stores of an event; ``row`` (from 1) is used where the event does not know its own."""
        place, found = event.place, describe_event(event)
        return cls(place.row if place.row is not None else row, place.line, *found, place.member)


IDENTITY_COLUMNS = {
    "profileId": "profile_id",
    "userId": "user_id",
    "anotherUserId": "another_user_id",
    "accountId": "account_id",
}
"""The wire's identity fields (CONTRACT 2.3) and history's columns."""

KEY_COLUMNS: tuple[str, ...] = (*IDENTITY_COLUMNS.values(), "product_id")
"""The columns of the search index, in the order of its kinds, from 1; the order never changes."""

SEARCH_COLUMNS: tuple[str, ...] = ("event_id", *KEY_COLUMNS)
"""The columns in which a text is searched."""


@dataclass(frozen=True, slots=True)
class RequestIntent:
    """One request before it is sent.

    Attributes:
        lane: number of its lane, from 1.
        position: its place in the lane, from 1.
        body: the exact bytes of the HTTP body.
        events: its events, in the order of the body.
        resend_of: id of the request that it sends again; ``None`` where it does not.
    """

    lane: int
    position: int
    body: bytes
    events: Sequence[EventIntent]
    resend_of: int | None = None


@dataclass(frozen=True, slots=True)
class RequestBlock:
    """Some requests before they are sent, in columns: so many events are recorded in bulk.

    Attributes:
        lanes: the number of each request's lane, from 1.
        positions: its place in the lane, from 1.
        sizes: how many events it has.
        bodies: the exact bytes of its HTTP body.
        events: what is stored of all their events, one request after another.
        resend_of: id of the request that each sends again; ``None`` where it does not.
    """

    lanes: Sequence[int]
    positions: Sequence[int]
    sizes: Sequence[int]
    bodies: Sequence[bytes]
    events: EventColumns
    resend_of: Sequence[int | None]

    @classmethod
    def from_plan(cls, planned: PlannedBlock) -> "RequestBlock":
        """What history records of requests of a plan."""
        return cls(
            planned.lanes.tolist(),
            planned.positions.tolist(),
            planned.sizes.tolist(),
            planned.bodies,
            planned.read_event_columns(),
            [None] * len(planned.bodies),
        )

    @classmethod
    def from_intents(cls, intents: Sequence[RequestIntent]) -> "RequestBlock":
        """Requests that were made one by one, together."""
        found = list(zip(*(event for one in intents for event in one.events), strict=True))
        rows, lines, names, *ids, times, members = found or [()] * len(EventIntent._fields)
        return cls(
            [one.lane for one in intents],
            [one.position for one in intents],
            [len(one.events) for one in intents],
            [one.body for one in intents],
            EventColumns(rows, lines, names, ids, times, members),
            [one.resend_of for one in intents],
        )

    def split(self, events: Callable[[], int], first_requests: int = 1) -> "Iterator[RequestBlock]":
        """The block in parts of at least one request and about so many events, asked before each part.

        The first one has at least ``first_requests``, where there are so many.
        """
        ends = list(accumulate(self.sizes))
        start = 0
        while start < len(ends):
            first = ends[start - 1] if start else 0
            at_least = 1 if start else max(first_requests, 1)
            stop = min(max(start + at_least, bisect_right(ends, first + events())), len(ends))
            requests, some = slice(start, stop), slice(first, ends[stop - 1])
            rows, lines, names, ids, times, members = self.events
            ids = [column[some] for column in ids]
            yield RequestBlock(
                self.lanes[requests],
                self.positions[requests],
                self.sizes[requests],
                self.bodies[requests],
                EventColumns(rows[some], lines[some], names[some], ids, times[some], members[some]),
                self.resend_of[requests],
            )
            start = stop


class ExcludedRow(NamedTuple):
    """A row of the input that is not sent, or one of the events that it would become.

    Attributes:
        row: the row's number, from 1.
        line: the physical line in its file, from 1.
        codes: codes of the issues that exclude it.
        member: which event of its row it is, from 1; 0 where the row is one event.
    """

    row: int
    line: int | None
    codes: Sequence[str]
    event_id: str | None = None
    name: str | None = None
    member: int = 0


# ── dispatch ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A request that may be sent now, or again from ``retry_at`` on.

    Attributes:
        batch: id of its batch.
        lane: number of its lane, from 1.
        position: its place in the lane, from 1.
        part: orders the halves of a request that was split, as text; empty for a whole one.
        events: how many events it holds.
        tries: how many attempts were made.
        doubt: whether an earlier attempt was unknown, and so may have arrived, whatever happens now.
        retry_at: when it may be tried again, in epoch ms; ``None`` where it was not tried.
        tried_at: when the last attempt ended, by the same clock.
        body: the exact bytes of the HTTP body.
    """

    id: int
    batch: str
    lane: int
    position: int
    part: str
    events: int
    tries: int
    doubt: bool
    retry_at: int | None
    tried_at: int | None
    body: bytes


@dataclass(frozen=True, slots=True)
class AttemptStart:
    """A transition: the request is about to be sent.

    Attributes:
        epoch: the epoch in which its group of lanes is owned; 0 where its batch has no groups.
    """

    request: int
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """A transition: an attempt has ended.

    Attributes:
        attempt: the attempt, with its outcome.
        retry_at: when the request is tried again, in epoch ms; ``None`` where this outcome is its last.
        epoch: the epoch of the attempt's start.
    """

    request: int
    attempt: Attempt
    retry_at: int | None = None
    epoch: int = 0


Transition = AttemptStart | AttemptEnd
"""What dispatch tells history of a request."""


@dataclass(frozen=True, slots=True)
class RequestHalf:
    """A part of a request that was too large.

    Attributes:
        body: the exact bytes of its HTTP body.
        events: how many of the request's events it takes, in their order.
    """

    body: bytes
    events: int


@dataclass(frozen=True, slots=True)
class LaneState:
    """One lane of a batch, in numbers of requests.

    Attributes:
        lane: number of the lane, from 1.
        waiting: requests that are pending or to be tried again.
        in_flight: requests whose response is waited for.
        unresolved: requests that are unknown or not sent and are not tried again by themselves: unless the policy is
            *go on*, they hold the lane.
    """

    lane: int
    waiting: int
    in_flight: int
    unresolved: int


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How much is still to be sent.

    Attributes:
        batches: batches that are being sent.
        requests: their requests that are pending or in flight.
    """

    batches: int
    requests: int


@dataclass(frozen=True, slots=True)
class UnfinishedBatch:
    """A batch that is not finished.

    Attributes:
        owner: the process that sends it; empty where none does.
        recorder: the process that still records it; empty where none does.
        groups: in how many groups its lanes are; 0: in none, and its owner has them all.
    """

    id: str
    owner: str
    state: BatchState
    recorder: str = ""
    groups: int = 0
