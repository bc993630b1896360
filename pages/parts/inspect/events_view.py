"""The events of a pasted text, each with its three verdicts and the ways on from it."""

from dataclasses import replace

import streamlit as st

from intempt_core.analysis import EventVerdicts, Verdict, VerdictTone
from intempt_core.contract import format_count
from intempt_core.targets import SANDBOX, Target
from intempt_core.validation import escape_invisible
from pages.parts.inspect.state import InspectState
from pages.parts.inspect.verdicts_state import collect_verdicts, list_rows
from pages.parts.shared.links import open_in_compose, show_link
from pages.parts.shared.screen_state import make_key

EVENTS_PER_PAGE = 10
"""Events whose verdicts are on one page."""

TONE_STYLES = {
    VerdictTone.GOOD: ("●", "green"),
    VerdictTone.FINE: ("✓", "blue"),
    VerdictTone.DOUBT: ("◆", "orange"),
    VerdictTone.BAD: ("■", "red"),
    VerdictTone.NOTHING: ("–", "gray"),
}
"""Shape and colour of a verdict: green only for what is known, red only for what is certain to be wrong."""


def show_events(screen: InspectState, to: Target) -> None:
    """Three verdicts on each event, kept apart; all events, or only those with problems."""
    if screen.payload is None or not screen.payload.events:
        return
    bad, total = list_rows(only_with_problems=True), len(screen.payload.events)
    only = False
    if 0 < len(bad) < total:
        only = st.toggle(
            f"Only events with problems ({len(bad):,} of {total:,})",
            key="inspect-only-problems",
            persist_state="session",
        )
    rows = bad if only else range(total)
    pages = -(-len(rows) // EVENTS_PER_PAGE)
    page = st.pagination(pages, key=make_key("inspect-events-page", int(only))) if pages > 1 else 1
    for event in collect_verdicts(to, rows[(page - 1) * EVENTS_PER_PAGE : page * EVENTS_PER_PAGE]):
        show_event(screen, event, to)
    if pages > 1:
        st.caption(f"Page {page:,} of {pages:,}, {format_count(len(rows), 'event')}.")


def show_event(screen: InspectState, event: EventVerdicts, to: Target) -> None:
    """One event: its name and id, the verdicts, and where more is known of it."""
    with st.container(border=True, gap="xsmall", key=make_key("inspect-event", event.row)):
        st.text(escape_invisible(f"Event {event.row} · {event.name} · {event.event_id or 'no event id'}"))
        verdicts = {"Valid": event.valid, "Accepted": event.accepted, "Takes effect": event.effect}
        for column, (title, verdict) in zip(st.columns(3), verdicts.items(), strict=True):
            with column, st.container(gap="xxsmall"):
                _show_verdict(title, verdict)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if event.event_id:
                show_link("history.py", "History", {"event": event.event_id})
            if event.person:
                show_link("feeds.py", "Feeds", {"target": to.name, "by": event.person[0], "person": event.person[1]})
            if to.origin == SANDBOX and event.arrival is not None:
                show_link("sandbox.py", "Sandbox event", {"event": str(event.arrival)})
            if to.origin == SANDBOX and event.first_use is not None:
                show_link("sandbox.py", "See the event that used its id", {"event": str(event.first_use)})
            if screen.payload is not None and st.button(
                "Compose", key=make_key("inspect-compose-event", event.row), type="tertiary"
            ):
                one = screen.payload.events[event.row - 1]
                open_in_compose(replace(screen.payload, events=(one,)))


def _show_verdict(title: str, verdict: Verdict) -> None:
    shape, colour = TONE_STYLES[verdict.tone]
    st.caption(title)
    st.markdown(f":{colour}-badge[{shape} {verdict.label}]")
    if verdict.detail:
        st.text(escape_invisible(verdict.detail))
