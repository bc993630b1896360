"""What history is given, by a confirm and by dispatch: frozen records, and the states of a request and of a batch.

Times are epoch milliseconds and durations milliseconds. Nothing here holds a key.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Self

from intempt_core.contract import GivenEvent, Json, dump_json, find_current_state, get_field, id_to_text, read_epoch_ms
from intempt_core.planning import Policy
from intempt_core.targets import Target, derive_target_key
from intempt_core.transport import Attempt

INT64_LIMIT = 2**63
"""A time beyond it is sent as it is, and history keeps none: no database has a number for it."""


class BatchSource(StrEnum):
    """Where a batch came from."""

    FORM = "form"
    FILE = "file"
    PAYLOAD = "payload"
    COMMAND = "command line"


class RequestState(StrEnum):
    """The state of a request; the drawing is in :mod:`intempt_core.history`.

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
    """Where a batch stands; the drawing is in :mod:`intempt_core.history`."""

    RECORDING = "recording"
    SENDING = "sending"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"
    CANCELLED = "cancelled"
    FORGOTTEN = "forgotten"
    """Being deleted: no question finds it any more."""


def is_batch_active(state: BatchState, counts: Mapping[RequestState, int]) -> bool:
    """Whether something of a batch still moves by itself: it is recorded or sent, or waits for an answer on its way.

    ``counts`` are its requests, or its events, by state.
    """
    return state in (BatchState.RECORDING, BatchState.SENDING) or bool(counts.get(RequestState.IN_FLIGHT))


@dataclass(frozen=True, slots=True)
class TargetSnapshot:
    """A target as it was at confirm, without its key.

    ``key`` says which place it is: two targets of one track URL are one place, and so is the sandbox on any port.
    ``credential_reference`` says where the key stands (``$INTEMPT_API_KEY``), never what it is.
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

    @classmethod
    def from_target(cls, target: Target) -> "TargetSnapshot":
        """What history keeps of a target."""
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
        )


# ── intent ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class BatchIntent:
    """What one confirm decides. ``rows`` counts the input's rows, those that stay behind among them.

    ``mapping`` is the mapping's JSON text; ``notes`` are small facts worth showing later (``{"as it is": True}``);
    ``owner`` is the process that will send, empty where any console may.
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


class EventIntent(NamedTuple):
    """One event as history can find it again; its whole body is in its request.

    A tuple, for a batch may hold millions of them and they go into the database as they are.
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

    @classmethod
    def from_event(cls, event: GivenEvent, row: int = 0) -> "EventIntent":
        """What history keeps of an event; ``row`` (from 1) is used where the event does not know its own."""
        body, place, time = event.body, event.place, read_epoch_ms(get_field(event.body, "timestamp"))
        return cls(
            place.row if place.row is not None else row,
            place.line,
            event.name if isinstance(event.name, str) or event.name is None else dump_json(event.name).decode(),
            id_to_text(get_field(body, "eventId")),
            id_to_text(get_field(body, "profileId")),
            id_to_text(get_field(body, "userId")),
            id_to_text(get_field(body, "anotherUserId")),
            id_to_text(get_field(body, "accountId")),
            id_to_text(get_field(body, "data.productId")),
            time if time is not None and -INT64_LIMIT <= time < INT64_LIMIT else None,
        )


IDENTITY_COLUMNS = {
    "profileId": "profile_id",
    "userId": "user_id",
    "anotherUserId": "another_user_id",
    "accountId": "account_id",
}
"""The wire's identity fields (CONTRACT 2.3) and history's columns."""

SEARCH_COLUMNS: tuple[str, ...] = ("event_id", *IDENTITY_COLUMNS.values(), "product_id")
"""The columns that a search by text looks into."""


@dataclass(frozen=True, slots=True)
class RequestIntent:
    """One request before it leaves: its place in its lane, its exact body, its events in the body's order."""

    lane: int
    position: int
    body: bytes
    events: Sequence[EventIntent]


class ExcludedRow(NamedTuple):
    """A row that is not sent, and the codes of the issues that hold it back."""

    row: int
    line: int | None
    codes: Sequence[str]
    event_id: str | None = None
    name: str | None = None


# ── what dispatch says and gets ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A request that may leave, or waits until ``retry_at`` to do so again.

    ``doubt``: an earlier attempt may have arrived (its outcome was unknown), whatever happens now. ``tried_at`` is when
    the last one ended, by the same clock as ``retry_at`` (epoch ms).
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
    """The request's first byte is about to leave."""

    request: int


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """An attempt is over. With ``retry_at`` the request is tried again from then on, else the outcome stands."""

    request: int
    attempt: Attempt
    retry_at: int | None = None


Transition = AttemptStart | AttemptEnd


@dataclass(frozen=True, slots=True)
class RequestHalf:
    """A part of a request that was too large: its body, and how many of the parent's events it takes, in order."""

    body: bytes
    events: int


@dataclass(frozen=True, slots=True)
class LaneState:
    """One lane of a batch in numbers of requests.

    ``waiting`` may leave now or later (pending, or to be tried again); ``standing`` are unknown or not sent and will not
    be tried again by themselves: under :attr:`Policy.STOP` they hold the lane.
    """

    lane: int
    waiting: int
    in_flight: int
    unresolved: int


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """What is still to be sent: batches that are being sent, and their requests that wait or are on their way."""

    batches: int
    requests: int


@dataclass(frozen=True, slots=True)
class UnfinishedBatch:
    """A batch that is not over, and whose it is (empty: nobody's)."""

    id: str
    owner: str
    state: BatchState
