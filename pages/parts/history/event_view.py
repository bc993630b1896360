"""One event by its id: everywhere it was sent, and what became of it there. A link to it opens cold."""

import streamlit as st

from intempt_core.history import EventOccurrence
from intempt_core.validation import escape_invisible
from pages.parts.shared.formatting import format_moment, format_quantity, format_state_badge
from pages.parts.shared.links import show_link
from pages.parts.shared.screen_state import make_key
from pages.parts.shared.services import get_services
from pages.parts.shared.time_zones import get_zone_name


def show_event_history(event_id: str) -> None:
    """Every sending of one event, the latest first."""
    if st.query_params.get("event") != event_id:  # a link within the page leaves it out
        st.query_params.from_dict({"event": event_id})
    st.page_link("history.py", label="← All batches")
    st.text(escape_invisible(f"Event {event_id}"))
    found = get_services().history.occurrences([event_id]).get(event_id, [])
    if not found:
        st.text(
            "No event of this id was sent from here. What an application sent by itself is on the sandbox's screen."
        )
        return
    st.caption(f"Sent {format_quantity(len(found), 'time')}, the latest first. Times in {get_zone_name()}.")
    for one in found:
        _show_sighting(one)


def _show_sighting(one: EventOccurrence) -> None:
    with st.container(border=True, gap="xsmall", key=make_key("event", one.request, one.position)):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(format_state_badge(one.state), width="content")
            st.text(f"{format_moment(one.when)} · to {one.target_name}", width="stretch")
            show_link("history.py", "Request", {"request": str(one.request)})
            show_link("history.py", "Batch", {"batch": one.batch})
        st.text(escape_invisible(f"{one.name or 'no name'} · {one.product_id or 'no product'} · in {one.label}"))
        if one.reason:
            st.text(escape_invisible(one.reason))
