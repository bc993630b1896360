"""One event of the timeline: what it did, and the ways from it to History, Sandbox, Inspect and Compose."""

import streamlit as st

from intempt_core.analysis import EventEffect, TimelineEvent
from intempt_core.contract import FEED_EFFECTS, FEED_TITLES, EventName, is_event_name
from intempt_core.validation import escape_invisible
from pages.parts.shared.formatting import format_moment
from pages.parts.shared.links import show_link
from pages.parts.shared.sandbox_events import show_event_actions

EFFECT_BADGES = {
    EventEffect.PROCESSED: ":green-badge[● processed]",
    EventEffect.ACCEPTED: ":green-badge[● accepted]",
    EventEffect.IGNORED: ":orange-badge[◆ ignored]",
    EventEffect.UNKNOWN: ":orange-badge[◆ unknown (may have arrived)]",
    EventEffect.REJECTED: ":red-badge[■ rejected]",
    EventEffect.NOT_SENT: ":gray-badge[○ not sent]",
    EventEffect.WAITING: ":gray-badge[… queued]",
}
"""What an event did, with the shapes and colours of every screen."""


def describe_effect(one: TimelineEvent) -> str:
    """What an event did to the feeds, or why nothing."""
    event, effect = one.event, one.effect
    if effect is EventEffect.IGNORED:
        return f"ignored: {event.reason}"
    if effect is EventEffect.UNKNOWN:
        return f"unknown: {event.reason}" if event.reason else "unknown: no response, it may have arrived"
    if effect is EventEffect.WAITING:
        return "not sent yet"
    if effect not in (EventEffect.PROCESSED, EventEffect.ACCEPTED):
        return f"{effect}: no effect"
    does = FEED_EFFECTS[EventName(event.name)] if is_event_name(event.name) else None
    words = [f"put it into {FEED_TITLES[does.adds_to]}"] if does and does.adds_to else []
    words += [f"took it out of {FEED_TITLES[does.removes_from]}"] if does and does.removes_from else []
    done = " and ".join(words) or "no feed follows from it"
    return f"processed: {done}" if effect is EventEffect.PROCESSED else f"accepted; if it was processed, it {done}"


def describe_sender(one: TimelineEvent) -> str:
    """Who sent an event."""
    if one.is_own:
        return "this console"
    return (one.arrival.client if one.arrival else "") or "a client without a name"


def show_event_card(one: TimelineEvent, name: str) -> None:
    """The event that was chosen in the timeline; ``name`` is what the catalogue calls its product."""
    event = one.event
    with st.container(border=True, key="feeds-event"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(EFFECT_BADGES[one.effect], width="content")
            product = f"{event.product or 'no product'}{f' ({name})' if name else ''}"
            st.text(escape_invisible(f"{event.name or '(no name)'} · {product} · {format_moment(event.when)}"))
        st.text(escape_invisible(f"{describe_effect(one)}. Sent by {describe_sender(one)}.".replace("..", ".")))
        with st.container(horizontal=True, vertical_alignment="center"):
            show_event_links(one)
            if one.arrival is not None:
                show_event_actions(one.arrival.seq, key="feeds-event")


def show_event_links(one: TimelineEvent) -> None:
    """Links from an event to its request in History, to itself in Sandbox, and to the event that used its id first."""
    if one.is_own:
        show_link("history.py", "Request in History", {"request": str(one.event.request)})
    if one.arrival is not None:
        show_link("sandbox.py", f"Event {one.arrival.seq} in Sandbox", {"event": str(one.arrival.seq)})
        if one.arrival.first is not None:
            first = str(one.arrival.first.seq)
            show_link("sandbox.py", f"Event {first}, which used the id first", {"event": first})
