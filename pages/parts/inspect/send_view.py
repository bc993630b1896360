"""What can be done with a pasted text: send its events, open them in Compose, copy the request; and what came of it."""

import streamlit as st

from intempt_core.contract import format_count
from intempt_core.targets import Target
from pages.parts.inspect.sending_state import count_events, plan_payload, send_payload
from pages.parts.inspect.state import InspectState
from pages.parts.shared.formatting import escape_markdown
from pages.parts.shared.links import open_in_compose, show_journey_button, show_link
from pages.parts.shared.outcome_card import show_result_details
from pages.parts.shared.result_view import show_batch_result, show_result
from pages.parts.shared.send_flow import (
    confirm_target_name,
    get_default_policy,
    show_batch_controls,
    show_send_trouble,
    watch_batch,
    watch_for_changes,
)
from pages.parts.shared.send_guard import DOUBLE_CLICK_MESSAGE
from pages.parts.shared.services import get_services
from pages.parts.shared.session_targets import find_batch_target
from pages.parts.shared.snippets import show_snippets


def show_payload_actions(screen: InspectState, to: Target) -> None:
    """The result of the last send, and the buttons to send the events, open them in Compose, and copy the request."""
    if screen.guard.batch:
        show_inspect_result(screen)
    good, everything = count_events(everything=False), count_events(everything=True)
    if not everything or screen.payload is None:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="inspect-actions"):
        if good and confirm_target_name(to, "inspect"):
            events = format_count(good, "event")
            again = f"Send {events} again" if screen.guard.batch else f"Send {events} to {escape_markdown(to.title)}"
            st.button(
                again,
                key="inspect-send",
                type="secondary" if screen.guard.batch else "primary",
                disabled=screen.guard.is_sending,
                on_click=send_payload,
                args=(to, get_default_policy(to)),
            )
        if good < everything:
            with st.popover("Send anyway", key="inspect-as-it-is"):
                st.text("A deliberately invalid event is a test case. Every event is sent exactly as it was pasted.")
                if confirm_target_name(to, "inspect-as-it-is"):
                    st.button(
                        f"Send {format_count(everything, 'event')} unchanged",
                        key="inspect-send-as-it-is",
                        on_click=send_payload,
                        args=(to, get_default_policy(to)),
                        kwargs={"as_it_is": True},
                    )
        if st.button("Open in Compose", key="inspect-compose", help="There they can be changed."):
            open_in_compose(screen.payload)
        show_journey_button(screen.payload, key="inspect-journey")
        copy = st.popover("Copy as code", key="inspect-copy", type="tertiary", on_change="rerun")
        if copy.open and (plan := plan_payload(everything=True)) is not None:  # only then: a plan takes its time
            with copy:
                show_snippets(to, plan.body(plan.requests[0]), requests=len(plan.requests))
    show_send_trouble(screen.guard, "inspect")


def show_inspect_result(screen: InspectState) -> None:
    """Progress, then what became of it: of one request in three steps, of more in counts."""
    batch, queries = screen.guard.batch or "", get_services().history.queries
    if screen.guard.is_sending:
        watch_batch(batch)
        if not queries.batch(batch).is_active:
            st.rerun()  # it settled while this screen was drawn
        return
    found, requests = queries.batch(batch), queries.requests(batch)
    if screen.guard.double_clicked:
        st.text(DOUBLE_CLICK_MESSAGE)
    try:
        if requests.total == 1:
            request, target = queries.request(requests.items[0].id), find_batch_target(found)
            reading = show_result(request, target, guard=screen.guard)
            with st.expander("Request, response and feeds", type="compact", key="inspect-details"):
                show_result_details(request, target, reading)
        else:
            show_batch_result(found)
    finally:  # reading feeds may take long, and the second half of a double click waits for it
        screen.guard.mark_outcome_shown()
    if found.reason:
        st.text(found.reason)
    show_batch_controls(found)
    watch_for_changes(found)
    show_link("history.py", "Open in History", {"batch": batch})
