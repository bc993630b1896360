"""Everything that is known of one person's events: this console's history merged with what a sandbox received.

History knows what this console sent, and its outcome. A sandbox knows what arrived, from whichever client, and whether
it was processed. Merged, each event stands once, in the order of arrival, with what it did.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from intempt_core.contract import Outcome, PersonEvent, PersonHistory
from intempt_core.transport import MAX_PERSON_EVENTS, USER_AGENT, PersonArrival

_REASON_EMPTIED = "The sandbox no longer has it: it was emptied since."
_REASON_NOT_ARRIVED = "It did not reach the sandbox."


class EventEffect(StrEnum):
    """What an event did, as far as is known."""

    PROCESSED = "processed"
    ACCEPTED = "accepted"
    IGNORED = "ignored"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    NOT_SENT = "not sent"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One event of a person, with all that is known of it.

    Attributes:
        event: The event. Where it arrived at a sandbox it is accepted, ``when`` is its arrival, and ``reason`` is the
            sandbox's.
        outcome: What this console's history says of its request; empty where another client sent it.
        arrival: Its arrival at the sandbox, ``None`` where it is not known to have arrived.
    """

    event: PersonEvent
    outcome: str
    arrival: PersonArrival | None

    @property
    def is_own(self) -> bool:
        """Whether this console sent it."""
        return bool(self.outcome)

    @property
    def effect(self) -> EventEffect:
        """What it did."""
        event = self.event
        if event.state == Outcome.ACCEPTED:
            if event.reason:
                return EventEffect.IGNORED
            return EventEffect.PROCESSED if self.arrival else EventEffect.ACCEPTED
        return _EFFECTS.get(event.state, EventEffect.WAITING)


_EFFECTS: dict[str, EventEffect] = {
    Outcome.UNKNOWN: EventEffect.UNKNOWN,
    "in flight": EventEffect.UNKNOWN,
    Outcome.REJECTED: EventEffect.REJECTED,
    Outcome.NOT_SENT: EventEffect.NOT_SENT,
}


@dataclass(frozen=True, slots=True)
class PersonTimeline:
    """A person's events in the order of arrival.

    Attributes:
        events: Oldest first.
        identities: Every (field, id) by which the person is known.
        knows_all: Whether the target was asked what arrived, so that events of other clients are among them.
    """

    events: tuple[TimelineEvent, ...]
    identities: tuple[tuple[str, str], ...]
    knows_all: bool

    @property
    def history(self) -> PersonHistory:
        """The events as a person's history, which the feeds follow from."""
        return PersonHistory(tuple(one.event for one in self.events), self.identities)

    @property
    def foreign_count(self) -> int:
        """How many events other clients sent."""
        return sum(not one.is_own for one in self.events)


def build_timeline(history: PersonHistory, arrivals: Sequence[PersonArrival] | None) -> PersonTimeline:
    """Merge what this console sent with what a sandbox received; ``None`` where the target cannot be asked."""
    if arrivals is None:
        events = tuple(TimelineEvent(event, event.state, None) for event in history.events)
        return PersonTimeline(events, history.identities, knows_all=False)
    open_ = _queue_arrivals(arrivals)
    known_since = arrivals[0].received_at if len(arrivals) >= MAX_PERSON_EVENTS else 0
    paired: dict[int, TimelineEvent] = {}
    others: list[TimelineEvent] = []
    for event in history.events:
        arrival = _take_arrival(open_, event)
        if arrival is not None:
            paired[arrival.seq] = TimelineEvent(_apply_arrival(event, arrival), event.state, arrival)
        else:
            others.append(TimelineEvent(_mark_absent(event, known_since), event.state, None))
    arrived = [paired.get(one.seq) or TimelineEvent(_make_event(one), "", one) for one in arrivals]
    named = (name for one in arrivals for name in one.names if not one.reason)
    identities = tuple(dict.fromkeys((*history.identities, *named)))
    return PersonTimeline(tuple(_order_events(arrived, others)), identities, knows_all=True)


_ArrivalKey = tuple[str, str, str]


def _queue_arrivals(arrivals: Iterable[PersonArrival]) -> dict[_ArrivalKey, deque[PersonArrival]]:
    """The arrivals by what identifies an event, those of a console first."""
    found: dict[_ArrivalKey, deque[PersonArrival]] = defaultdict(deque)
    for one in sorted(arrivals, key=lambda one: one.client != USER_AGENT):
        found[one.event_id, one.name, one.product].append(one)
    return found


def _take_arrival(arrivals: dict[_ArrivalKey, deque[PersonArrival]], event: PersonEvent) -> PersonArrival | None:
    """The arrival of an event that this console sent, each once."""
    if event.state not in (Outcome.ACCEPTED, Outcome.UNKNOWN, "in flight"):
        return None
    queue = arrivals.get((event.event_id, event.name, event.product))
    return queue.popleft() if queue and queue[0].client == USER_AGENT else None


def _apply_arrival(event: PersonEvent, arrival: PersonArrival) -> PersonEvent:
    return replace(event, state=Outcome.ACCEPTED, when=arrival.received_at, reason=arrival.reason)


def _mark_absent(event: PersonEvent, known_since: int) -> PersonEvent:
    """An event that this console sent and that is not among the arrivals."""
    if event.when < known_since or event.reason:
        return event
    if event.state == Outcome.ACCEPTED:
        return replace(event, reason=_REASON_EMPTIED)
    return replace(event, reason=_REASON_NOT_ARRIVED) if event.state == Outcome.UNKNOWN else event


def _make_event(arrival: PersonArrival) -> PersonEvent:
    """An event that another client sent."""
    return PersonEvent(
        arrival.name, arrival.product, event_id=arrival.event_id, when=arrival.received_at,
        timestamp=arrival.timestamp, names=arrival.names, reason=arrival.reason,
    )  # fmt: skip


def _order_events(arrived: Sequence[TimelineEvent], others: Sequence[TimelineEvent]) -> list[TimelineEvent]:
    """All events by time; those that arrived stay in the order of arrival, whatever their clocks say."""
    placed: list[tuple[int, TimelineEvent]] = []
    latest = 0
    for one in arrived:
        latest = max(latest, one.event.when)
        placed.append((latest, one))
    placed += [(one.event.when, one) for one in others]
    return [one for _, one in sorted(placed, key=lambda pair: pair[0])]
