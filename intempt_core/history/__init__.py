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

from intempt_core.history.again import Resend, resend
from intempt_core.history.by_event import ByEvent, Sighting
from intempt_core.history.forgetting import Forgetting
from intempt_core.history.looking_back import LookingBack
from intempt_core.history.reading import Reading
from intempt_core.history.recording import Recording, left_behind_of, requests_of
from intempt_core.history.records import (
    BatchState,
    Depth,
    EventIntent,
    Half,
    Intent,
    LaneState,
    Leaving,
    LeftBehind,
    Mark,
    RequestIntent,
    RequestState,
    Settled,
    Source,
    TargetSnapshot,
    Unfinished,
    Work,
    moves,
    target_key,
)
from intempt_core.history.shown import (
    Arrival,
    AttemptRecord,
    Bar,
    BatchFilter,
    BatchSummary,
    Course,
    Deleted,
    Old,
    Page,
    RecordedEvent,
    RequestRecord,
    RequestSummary,
    RowOutcome,
    SlowAnswer,
)
from intempt_core.history.steering import Steering
from intempt_core.history.working import Working


class History(Recording, Working, Steering, Reading, LookingBack, Forgetting, ByEvent):
    """The SQL store. One instance serves all threads of a process; several processes may hold the same database."""


__all__ = [
    "Arrival",
    "AttemptRecord",
    "Bar",
    "BatchFilter",
    "BatchState",
    "BatchSummary",
    "Course",
    "Deleted",
    "Depth",
    "EventIntent",
    "Half",
    "History",
    "Intent",
    "LaneState",
    "Leaving",
    "LeftBehind",
    "Mark",
    "Old",
    "Page",
    "RecordedEvent",
    "RequestIntent",
    "RequestRecord",
    "RequestState",
    "RequestSummary",
    "Resend",
    "RowOutcome",
    "Settled",
    "Sighting",
    "SlowAnswer",
    "Source",
    "TargetSnapshot",
    "Unfinished",
    "Work",
    "left_behind_of",
    "moves",
    "requests_of",
    "resend",
    "target_key",
]
