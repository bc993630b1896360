"""History: what was meant to be sent, what left, and what came back. Opened with intent, filled with outcomes.

A request::

                    ┌──────────── tried again, certain that nothing arrived ◀───────────┐
                    ▼                                                                   │
    (recorded) ─▶ pending ─▶ leaving ─┬─▶ accepted     for good                         │
                    │           ▲     ├─▶ refused      for good                         │
                    │           │     ├─▶ unsent       until a person decides ──────────┤
                    │           │     ├─▶ unknown      until a person decides           │
                    │           │     │     └─ tried again (it keeps its doubt) ─┐      │
                    │           └─────┼──────────────────────────────────────────┘      │
                    │                 ├─▶ (retry later) ────────────────────────────────┘
                    ▼                 └─▶ split        for good: its halves, recorded pending with it, took over
                cancelled  for good

An attempt whose outcome was unknown leaves a *doubt*: unless a later attempt is accepted, the request stays unknown
whatever a later attempt says, and it never becomes pending or unsent again. ``retry_at`` is set exactly while a
request will be tried again without anybody asking.

A batch::

    recording ─▶ sending ◀─▶ paused
        │        │  ▲  │        │
        │        │  └─ stopped ─┤      stopped: it stands, a person decides
        │        ▼              ▼
        └──────▶ done        cancelled     both for good; cancelling takes along what is pending

        done, cancelled ─▶ forgotten: its rows are being deleted, and no question finds it

*done* needs that nothing is pending, leaving or to be tried again. Only a *sending* batch lets requests leave, and only
those of its owner: the owner's token is looked at in the transaction that writes, so a process that lost a batch while
it was frozen cannot change it.

Every method raises :class:`~intempt_core.errors.HistoryUnavailable` while history is locked, full, read-only,
damaged or gone, and works again when it returns.
"""

from intempt_core.history.again import ResendPreview, preview_resend
from intempt_core.history.by_event import EventOccurrence
from intempt_core.history.history import History
from intempt_core.history.recording import collect_excluded_rows, make_request_intents
from intempt_core.history.records import (
    AttemptEnd,
    AttemptStart,
    BatchIntent,
    BatchSource,
    BatchState,
    EventIntent,
    ExcludedRow,
    LaneState,
    QueueDepth,
    RequestHalf,
    RequestIntent,
    RequestState,
    TargetSnapshot,
    Transition,
    UnfinishedBatch,
    WorkItem,
    derive_target_key,
    is_batch_active,
)
from intempt_core.history.shown import (
    AcceptedEvent,
    AttemptRecord,
    BatchFilter,
    BatchSummary,
    DeletionPreview,
    DeletionProgress,
    Page,
    RecordedEvent,
    RequestRecord,
    RequestSummary,
    RowOutcome,
    SlowAttempt,
    ThroughputStep,
    ThroughputTimeline,
)

__all__ = [
    "AcceptedEvent",
    "AttemptRecord",
    "ThroughputStep",
    "BatchFilter",
    "BatchState",
    "BatchSummary",
    "ThroughputTimeline",
    "DeletionProgress",
    "QueueDepth",
    "EventIntent",
    "RequestHalf",
    "History",
    "BatchIntent",
    "LaneState",
    "AttemptStart",
    "ExcludedRow",
    "Transition",
    "DeletionPreview",
    "Page",
    "RecordedEvent",
    "RequestIntent",
    "RequestRecord",
    "RequestState",
    "RequestSummary",
    "ResendPreview",
    "RowOutcome",
    "AttemptEnd",
    "EventOccurrence",
    "SlowAttempt",
    "BatchSource",
    "TargetSnapshot",
    "UnfinishedBatch",
    "WorkItem",
    "collect_excluded_rows",
    "is_batch_active",
    "make_request_intents",
    "preview_resend",
    "derive_target_key",
]
