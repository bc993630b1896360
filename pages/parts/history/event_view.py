"""The history of one event by its id: every request that it was sent in, and the outcome."""

import streamlit as st

from intempt_core.contract import format_count
from intempt_core.history import EventOccurrence
from intempt_core.validation import escape_invisible
from pages.parts.shared.formatting import format_moment, format_state_badge, format_target
from pages.parts.shared.links import show_link
from pages.parts.shared.screen_state import make_key
from pages.parts.shared.screens import set_title
from pages.parts.shared.services import get_services
from pages.parts.shared.time_zones import get_zone_name


def show_event_history(event_id: str) -> None:
    """Every request that an event was sent in, the latest first."""
    if st.query_params.get("event") != event_id:  # a link within the screen drops it
        st.query_params.from_dict({"event": event_id})
    st.page_link("history.py", label="← All batches")
    set_title(f"Event {event_id}")
    st.text(escape_invisible(f"Event {event_id}"))
    found = get_services().history.events.occurrences([event_id]).get(event_id, [])
    if not found:
        st.text("No event with this id was sent from here. Events that an application sent are on the Sandbox screen.")
        return
    st.caption(f"Sent {format_count(len(found), 'time')}, the latest first. Times in {get_zone_name()}.")
    for occurrence in found:
        _show_occurrence(occurrence)


def _show_occurrence(occurrence: EventOccurrence) -> None:
    with st.container(border=True, gap="xsmall", key=make_key("event", occurrence.request, occurrence.position)):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(format_state_badge(occurrence.state), width="content")
            st.text(f"{format_moment(occurrence.when)} · to {format_target(occurrence.target_name)}", width="stretch")
            show_link("history.py", "Request", {"request": str(occurrence.request)})
            show_link("history.py", "Batch", {"batch": occurrence.batch})
        st.text(
            escape_invisible(
                f"{occurrence.name or 'no name'} · {occurrence.product_id or 'no product'} · in {occurrence.label}"
            )
        )
        if occurrence.reason:
            st.text(escape_invisible(occurrence.reason))
