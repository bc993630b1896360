"""The events of a person as a picture, a lane for each kind of event, and as a table; and the one that was chosen."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import streamlit as st

from intempt_core.analysis import NOTE_MEANINGS, EventEffect, TimelineEvent, find_notes
from intempt_core.contract import EventName, format_count
from intempt_core.validation import escape_invisible
from pages.parts.feeds.event_card import describe_effect, describe_sender, show_event_card
from pages.parts.feeds.reading import PersonReading
from pages.parts.feeds.state import FeedQuestion, FeedsState, read_page
from pages.parts.feeds.tiles_view import name_products
from pages.parts.shared.formatting import format_clock
from pages.parts.shared.screen_state import get_screen_state, read_widget, set_widget
from pages.parts.shared.widgets.announcement import announce
from pages.parts.shared.widgets.timeline import TimelineMark, show_timeline

EVENTS_PER_PAGE = 100
"""Events on one page of the timeline: more marks than that are a smear, and the keyboard takes too long."""

NOTES_SHOWN = 10
"""Notes of one kind that are shown."""

LANES = {
    EventName.VIEWED: "viewed",
    EventName.ADDED: "added",
    EventName.REMOVED: "removed",
    EventName.ORDERED: "ordered",
}
"""The lane of each kind of event, from above; events of other names have one below."""

OTHER_LANE = "other"

NAME_HEAD = "Name"

HEADS = (
    "No", "At", "Event", "Product", NAME_HEAD, "What it did", "Sent by", "Event id", "Identified by", "Own time",
)  # fmt: skip
"""The heads of the table; the name is that of a catalogue, where one is loaded."""

LOOKS = {
    EventEffect.PROCESSED: "full",
    EventEffect.ACCEPTED: "accepted",
    EventEffect.IGNORED: "hollow",
    EventEffect.UNKNOWN: "open",
    EventEffect.WAITING: "open",
    EventEffect.REJECTED: "failed",
    EventEffect.NOT_SENT: "failed",
}
"""How the mark of an event is drawn, by what it did."""

NumberedEvents = Sequence[tuple[int, TimelineEvent]]


def show_person_timeline(question: FeedQuestion, reading: PersonReading) -> None:
    """Every event of the person, the newest page first, and the event that was chosen."""
    events: NumberedEvents = list(enumerate(reading.timeline.events, 1))
    if not events:
        return
    st.header(f"What happened: {format_count(len(events), 'event')}", anchor=False)
    events = _choose_events(question, events)
    pages = -(-len(events) // EVENTS_PER_PAGE)
    page = read_page(pages)
    end = len(events) - (page - 1) * EVENTS_PER_PAGE
    shown = events[max(0, end - EVENTS_PER_PAGE) : end]
    catalogue = reading.snapshot.catalogue
    names = name_products([one.event.product for _, one in shown if one.event.product], catalogue)
    screen = get_screen_state(FeedsState)
    lanes = [*LANES.values()]
    if any(one.event.name not in LANES for _, one in shown):
        lanes.append(OTHER_LANE)
    chosen = show_timeline(
        "Events of this user, in the order of arrival",
        lanes,
        [build_mark(number, one, names if catalogue else None, asked=question.product) for number, one in shown],
        [format_clock(one.event.when) for _, one in shown],
        [head for head in HEADS if catalogue or head != NAME_HEAD],
        chosen=screen.chosen,
        key="feeds-timeline",
    )  # fmt: skip
    if pages > 1:
        first, last = shown[0][0], shown[-1][0]
        st.caption(f"Events {first:,} to {last:,}, the newest on page 1.")
        st.pagination(pages, key="feeds-page")
    if chosen is not None:
        screen.chosen, screen.choices = chosen, screen.choices + 1
    if screen.chosen is not None and screen.chosen <= len(reading.timeline.events):
        one = reading.timeline.events[screen.chosen - 1]
        show_event_card(one, names.get(one.event.product, ""))
        announce(
            "", token="", place="feeds-event", label="The chosen event", focus_token=f"feeds-event-{screen.choices}",
            key="feeds-event-focus",
        )  # fmt: skip


def _choose_events(question: FeedQuestion, events: NumberedEvents) -> NumberedEvents:
    """All events, or those of the product that is asked about; these alone where all would be more than a page."""
    mine = [(number, one) for number, one in events if one.event.product == question.product]
    if not question.product or not mine or len(mine) == len(events):
        return events
    all_, only = f"All {len(events):,}", f"Only of this product: {len(mine):,}"
    if read_widget("feeds-timeline-filter") not in (all_, only):
        set_widget("feeds-timeline-filter", only if len(events) > EVENTS_PER_PAGE else all_)
    chosen = st.segmented_control(
        "Events shown", [all_, only], key="feeds-timeline-filter", label_visibility="collapsed", required=True
    )
    return mine if chosen == only else events


def build_mark(number: int, one: TimelineEvent, names: Mapping[str, str] | None, *, asked: str) -> TimelineMark:
    """One event of the timeline; ``names`` are those of a catalogue, ``None`` where none is loaded."""
    event, name = one.event, (names or {}).get(one.event.product, "")
    lanes = list(LANES)
    effect, sender = describe_effect(one), describe_sender(one)
    request = f", request {event.request}" if one.is_own else ""
    product = f"{event.product}{f' ({name})' if name else ''}" if event.product else "no product"
    sentence = (
        f"{number}: “{event.name or 'no name'}” of {product} at {format_clock(event.when)}, {effect.rstrip('.')}."
        f" Sent by {sender}{request}, event id {event.event_id or 'missing'}."
    )
    return TimelineMark(
        number=number,
        lane=lanes.index(EventName(event.name)) if event.name in lanes else len(lanes),
        label=escape_invisible(event.product or "no product"),
        look=LOOKS[one.effect],
        is_asked=bool(asked) and event.product == asked,
        sentence=escape_invisible(sentence),
        cells=tuple(
            escape_invisible(text)
            for text in (
                f"{number:,}", format_clock(event.when), event.name or "(no name)", event.product or "(none)",
                *(() if names is None else (name,)), effect, f"{sender}{request}", event.event_id or "(none)",
                ", ".join(f"{field} {id_}" for field, id_ in event.names),
                "" if event.timestamp is None else format_clock(event.timestamp),
            )
        ),
    )  # fmt: skip


def show_journey_notes(reading: PersonReading) -> None:
    """What is unusual about the events: notes, not errors."""
    found = find_notes(reading.timeline.history, format_clock)
    if not found:
        return
    with st.expander(f"About these events: {format_count(len(found), 'note')}", key="feeds-notes"):
        for kind, some in groupby(found, lambda note: note.kind):
            messages = [note.message for note in some]
            st.markdown(f":blue-badge[{kind.value}: {len(messages):,}]")
            st.caption(NOTE_MEANINGS[kind])
            for message in messages[:NOTES_SHOWN]:
                st.text(escape_invisible(message))
            if len(messages) > NOTES_SHOWN:
                st.text(f"{len(messages) - NOTES_SHOWN:,} more.")
