"""Notes on a person's journey: what is odd about the events that count, without being an error.

A note is for a person to judge, such as an order without a view or two ids of one person.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from intempt_core.contract import (
    EventName,
    PersonEvent,
    PersonHistory,
    is_event_name,
    is_placeholder,
)

TimeFormatter = Callable[[int], str]
"""Writes epoch milliseconds as people read them."""


def format_utc(ms: int) -> str:
    """Format epoch milliseconds as ``2026-11-22 12:03:07 UTC``; a time that no calendar has as its number."""
    try:
        return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{ms:,} ms"


class NoteKind(StrEnum):
    """What a note is about."""

    NEVER_ADDED = "removed but never added"
    NEVER_VIEWED = "ordered but never viewed"
    TWO_IDS = "one person under two ids"
    TIME_ORDER = "arrived in another order than it happened"


NOTE_MEANINGS: Mapping[NoteKind, str] = {
    NoteKind.NEVER_ADDED: "Removing what was never added changes no feed. Look whether the add was lost, or named"
    " another product.",
    NoteKind.NEVER_VIEWED: "An order without a view is possible; many of them mean that views are not sent.",
    NoteKind.TWO_IDS: "Events under both ids are one person's, so they share their feeds. Intended for an alias; a bug"
    " where two people share a device or a placeholder.",
    NoteKind.TIME_ORDER: "Feeds go by arrival, not by the event's own time: a late event is before those that"
    " happened after it.",
}
"""What each kind of note means for the feeds."""


PRECEDING_EVENTS: Mapping[EventName, tuple[EventName, NoteKind] | None] = {
    EventName.VIEWED: None,
    EventName.ADDED: None,
    EventName.REMOVED: (EventName.ADDED, NoteKind.NEVER_ADDED),
    EventName.ORDERED: (EventName.VIEWED, NoteKind.NEVER_VIEWED),
}
"""The event of the same product that one expects before each event, and the note where it is not there."""


@dataclass(frozen=True, slots=True)
class JourneyNote:
    """Something odd about a journey.

    Attributes:
        kind: What it is about; :data:`NOTE_MEANINGS` says what that means for the feeds.
        message: The case, as a sentence.
    """

    kind: NoteKind
    message: str


def find_notes(history: PersonHistory, format_time: TimeFormatter = format_utc) -> list[JourneyNote]:
    """Find what is odd about a person's journey; only events that count are looked at."""
    counting = [event for event in history.events if event.counts]
    return [
        *_note_missing_events(counting, format_time),
        *_note_two_ids(history),
        *_note_time_order(counting, format_time),
    ]


def _note_missing_events(events: Sequence[PersonEvent], format_time: TimeFormatter) -> Iterator[JourneyNote]:
    done: set[tuple[str, str]] = set()
    noted: set[tuple[str, str]] = set()
    for event in events:
        key = (event.name, event.product)
        expected = PRECEDING_EVENTS[EventName(event.name)] if is_event_name(event.name) else None
        if expected is not None and key not in noted:
            before, kind = expected
            if (before.value, event.product) not in done:
                noted.add(key)
                yield JourneyNote(
                    kind, f"“{event.product}”: “{event.name}” at {format_time(event.when)}, and no “{before}” before."
                )
        done.add(key)


def _note_two_ids(history: PersonHistory) -> Iterator[JourneyNote]:
    by_field: dict[str, list[str]] = {}
    for name, id_ in history.identities:
        if not is_placeholder(id_):
            by_field.setdefault(name, []).append(id_)
    for name, ids in by_field.items():
        if len(ids) > 1:
            listed = ", ".join(f"“{id_}”" for id_ in ids[:5]) + (f" and {len(ids) - 5:,} more" if len(ids) > 5 else "")
            yield JourneyNote(
                NoteKind.TWO_IDS, f"{name} {listed} are one person: an event names both, or both share an id."
            )


def _note_time_order(events: Sequence[PersonEvent], format_time: TimeFormatter) -> Iterator[JourneyNote]:
    latest: PersonEvent | None = None
    late: list[tuple[PersonEvent, PersonEvent]] = []
    for event in events:
        if event.timestamp is None:
            continue
        if latest is not None and latest.timestamp is not None and event.timestamp < latest.timestamp:
            late.append((event, latest))
        else:
            latest = event
    if late:
        event, before = late[0]
        more = f" So did {len(late) - 1:,} more." if len(late) > 1 else ""
        yield JourneyNote(
            NoteKind.TIME_ORDER,
            f"“{event.name}” of “{event.product}” happened at {format_time(event.timestamp or 0)} and arrived after"
            f" “{before.name}” of “{before.product}”, which happened at {format_time(before.timestamp or 0)}.{more}",
        )
