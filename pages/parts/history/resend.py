"""Resending a batch: choose its events and their ids, see what that means, confirm."""

from collections import defaultdict
from dataclasses import dataclass, field

import streamlit as st

from intempt_core.analysis import preview_resend
from intempt_core.contract import format_count
from intempt_core.history import BatchSummary, RequestState
from intempt_core.planning import explain_lane_length
from intempt_core.targets import Target
from pages.parts.shared.formatting import escape_markdown, format_state, show_raw_text
from pages.parts.shared.screen_state import TARGET_WIDGET, get_screen_state, make_key, read_widget, set_widget
from pages.parts.shared.send_flow import (
    NEW_IDS,
    RESENDABLE_STATES,
    SAME_IDS,
    confirm_event_count,
    confirm_target_name,
    prepare_resend,
    show_send_trouble,
    submit_once,
)
from pages.parts.shared.send_guard import SendGuard
from pages.parts.shared.services import get_services

REJECTED_ADVICE = (
    "A rejected request will be rejected again unless the target has changed. To fix events of a file, correct the file"
    " and upload it: a corrected row keeps its id. A single request can be opened in Compose."
)
BODY_PREVIEW_CHARACTERS = 4000
"""Characters of the first request that the plan shows."""


@dataclass
class ResendState:
    """The batches that this tab has sent again.

    Attributes:
        guards: What was sent again, by the batch that it was made of.
    """

    guards: dict[str, SendGuard] = field(default_factory=lambda: defaultdict(SendGuard))


def _get_guard(batch: BatchSummary) -> SendGuard:
    return get_screen_state(ResendState).guards[batch.id]


def show_resend(batch: BatchSummary, target: Target) -> None:
    """The button that opens the choices for resending a finished batch."""
    states = [state for state in RESENDABLE_STATES if batch.events.get(state)]
    if not states or not batch.is_final:
        return
    opened = st.popover("Resend", key=make_key("resend", batch.id), on_change="rerun")
    if opened.open:
        with opened:
            choose_resend(batch, states, target)


def choose_resend(batch: BatchSummary, states: list[RequestState], target: Target) -> None:
    """The events to resend (by default those that were not accepted), their ids, the plan, and the button."""
    unaccepted = [state for state in states if state is not RequestState.ACCEPTED]
    picked = st.pills(
        "Events",
        [state.value for state in states],
        selection_mode="multi",
        default=[state.value for state in unaccepted or states],
        format_func=lambda state: format_state(state, batch.events[RequestState(state)]),
        key=make_key("resend-states", batch.id),
    )
    ids = st.segmented_control(
        "Event ids", (SAME_IDS, NEW_IDS), default=SAME_IDS, required=True, key=make_key("resend-ids", batch.id)
    )
    new_ids = ids == NEW_IDS
    chosen = [RequestState(state) for state in picked]
    count = sum(batch.events[state] for state in chosen)
    if not count:
        st.text("Choose at least one outcome.")
        return
    show_resend_plan(batch, chosen, target, new_ids=new_ids)
    if RequestState.REJECTED in chosen:
        st.text(REJECTED_ADVICE)
        st.button(
            "Show the rejected requests",
            key=make_key("resend-rejected", batch.id),
            on_click=set_widget,
            args=(make_key("history-state", batch.id), RequestState.REJECTED.value),
        )
    name = make_key("resend", batch.id)
    if confirm_target_name(target, name) and confirm_event_count(target, count, name):
        st.button(
            f"Resend {format_count(count, 'event')} to {escape_markdown(target.title)}",
            key=make_key("resend-send", batch.id),
            type="primary",
            on_click=resend_batch,
            args=(batch, tuple(chosen), target, read_resend_choice(batch)),
            kwargs={"new_ids": new_ids},
        )
    show_send_trouble(_get_guard(batch))


def read_resend_choice(batch: BatchSummary) -> tuple[object, ...]:
    """What the button represents now: how often the batch was resent from here, and what is chosen."""
    return _get_guard(batch).describe_button(
        read_widget(make_key("resend-states", batch.id)),
        read_widget(make_key("resend-ids", batch.id)),
        read_widget(TARGET_WIDGET),
    )


def show_resend_plan(batch: BatchSummary, states: list[RequestState], target: Target, *, new_ids: bool) -> None:
    """What would be sent, to which target, and what that means; with the same ids also the first request."""
    if new_ids:
        events = sum(batch.events[state] for state in states)
        st.text(
            f"{format_count(events, 'event')}, planned again, to {target.title}."
            " With new ids they are new events: the target counts them again."
        )
        return
    preview = preview_resend(batch, states, deduplicates=target.deduplicates)
    st.text(f"Of {format_count(preview.events, 'event')}: {preview.message}")
    requests = sum(batch.requests[state] for state in states)
    st.text(f"{format_count(requests, 'request')}, byte for byte as before, to {target.title}.")
    lanes = get_services().history.outcomes.lane_events(batch.id, states)
    if reason := explain_lane_length(preview.events, len(lanes), max(lanes.values(), default=0)):
        st.text(reason)
    first = next(get_services().history.outcomes.request_intents(batch.id, states, limit=1), None)
    if first is not None:
        with st.expander("The first request", type="compact"):
            show_raw_text(first.body.decode("utf-8", "replace")[:BODY_PREVIEW_CHARACTERS], 120)


def resend_batch(
    batch: BatchSummary,
    states: tuple[RequestState, ...],
    target: Target,
    drawn: tuple[object, ...],
    *,
    new_ids: bool = False,
) -> None:
    """Send the batch again, and show the new batch; ``drawn`` is the choice that the button was drawn for."""
    guard = _get_guard(batch)
    sent = submit_once(
        guard,
        target,
        lambda: prepare_resend(batch, states, target, new_ids=new_ids),
        drawn=drawn,
        read_choice=lambda: read_resend_choice(batch),
    )
    if guard.batch and (sent or guard.double_clicked):
        st.query_params.from_dict({"batch": guard.batch})
