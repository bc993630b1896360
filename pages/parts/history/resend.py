"""Resending a batch: choose its events and their ids, see what that means, confirm."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import partial

import streamlit as st

from intempt_core.analysis import preview_resend
from intempt_core.contract import format_count
from intempt_core.history import BatchSummary, HistoryCheckpoint, RequestState
from intempt_core.planning import explain_lane_length
from intempt_core.targets import Target, derive_target_key
from pages.parts.shared.formatting import cut_text, escape_markdown, format_state, show_raw_text
from pages.parts.shared.screen_state import TARGET_WIDGET, get_screen_state, make_key, read_widget, set_widget
from pages.parts.shared.send_flow import (
    NEW_IDS,
    RESENDABLE_STATES,
    SAME_IDS,
    confirm_event_count,
    confirm_target_name,
    count_resendable,
    prepare_resend,
    see_history,
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
    """The button that opens the choices for resending what of a finished batch was not sent again yet."""
    seen = see_history(target)
    batch = get_services().history.queries.batch(batch.id)  # read after that, so that no resend is missed
    states = [state for state in RESENDABLE_STATES if count_resendable(batch, state, target)]
    if not states or not batch.is_final:
        return
    opened = st.popover("Resend", key=make_key("resend", batch.id), on_change="rerun")
    if opened.open:
        with opened:
            choose_resend(batch, states, target, seen)


def choose_resend(batch: BatchSummary, states: list[RequestState], target: Target, seen: HistoryCheckpoint) -> None:
    """The events to resend (by default those that were not accepted), their ids, the plan, and the button."""
    unaccepted = [state for state in states if state is not RequestState.ACCEPTED]
    picked = st.pills(
        "Events",
        [state.value for state in states],
        selection_mode="multi",
        default=[state.value for state in unaccepted or states],
        format_func=lambda state: format_state(state, count_resendable(batch, RequestState(state), target)),
        key=make_key("resend-states", batch.id),
    )
    ids = st.segmented_control(
        "Event ids", (SAME_IDS, NEW_IDS), default=SAME_IDS, required=True, key=make_key("resend-ids", batch.id)
    )
    if already := describe_resent(batch):
        st.text(already)
    new_ids = ids == NEW_IDS
    chosen = [RequestState(state) for state in picked]
    count = sum(count_resendable(batch, state, target) for state in chosen)
    if not count:
        st.text("Choose at least one outcome.")
        return
    show_resend_plan(batch, chosen, target, seen, new_ids=new_ids)
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
            args=(batch, tuple(chosen), target, seen, read_resend_choice(batch)),
            kwargs={"new_ids": new_ids},
        )
    show_send_trouble(_get_guard(batch), name)


def describe_resent(batch: BatchSummary) -> str:
    """What of a batch was sent again before, in a sentence; empty where nothing was."""
    if not batch.resends:
        return ""
    counts = " · ".join(format_state(state, count) for state, count in batch.resent.items() if count)
    resolved = sum(batch.resolved.values())
    times = format_count(len(batch.resends), "time")
    if not counts:
        return f"Resent {times} before, to another target or under new ids: its events are offered again."
    return (
        f"Resent {times} before: {counts}; of these {resolved:,} {'was' if resolved == 1 else 'were'} accepted then."
        " They are not offered again here: what is left of them is resolved in the batch that resent them."
    )


def read_resend_choice(batch: BatchSummary) -> tuple[object, ...]:
    """What the button represents now: how often the batch was resent from here, and what is chosen."""
    return _get_guard(batch).describe_button(
        read_widget(make_key("resend-states", batch.id)),
        read_widget(make_key("resend-ids", batch.id)),
        read_widget(TARGET_WIDGET),
    )


def show_resend_plan(
    batch: BatchSummary, states: list[RequestState], target: Target, seen: HistoryCheckpoint, *, new_ids: bool
) -> None:
    """What would be sent, to which target, and what that means; with the same ids also the first request."""
    to_same_target = derive_target_key(target) == batch.target.key
    outcomes, left = get_services().history.outcomes, seen if to_same_target else None
    lanes = outcomes.lane_sizes(batch.id, states, seen=left)
    events, requests = sum(lane.events for lane in lanes.values()), sum(lane.requests for lane in lanes.values())
    if new_ids:
        st.text(
            f"{format_count(events, 'event')} in {format_count(requests, 'request')}, to {target.title}."
            " With new ids they are new events: the target counts them again."
        )
        return
    chosen = {state: count_resendable(batch, state, target) for state in states}
    preview = preview_resend(replace(batch, events=chosen), states, deduplicates=target.deduplicates)
    st.text(f"Of {format_count(preview.events, 'event')}: {preview.message}")
    st.text(f"{format_count(requests, 'request')}, byte for byte as before, to {target.title}.")
    if reason := explain_lane_length(events, len(lanes), max((lane.events for lane in lanes.values()), default=0)):
        st.text(reason)
    first = next(outcomes.request_intents(batch.id, states, limit=1, seen=left), None)
    if first is not None:
        with st.expander("The first request", type="compact"):
            show_raw_text(cut_text(first.body.decode("utf-8", "replace"), BODY_PREVIEW_CHARACTERS), 120)


def resend_batch(
    batch: BatchSummary,
    states: tuple[RequestState, ...],
    target: Target,
    seen: HistoryCheckpoint,
    drawn: tuple[object, ...],
    *,
    new_ids: bool = False,
) -> None:
    """Send the batch again, and show the new batch; ``drawn`` is the choice that the button was drawn for."""
    guard = _get_guard(batch)
    sent = submit_once(
        guard,
        target,
        lambda: prepare_resend(batch, states, target, seen, new_ids=new_ids),
        partial(resend_batch, batch, states, target, seen, drawn, new_ids=new_ids),
        drawn=drawn,
        read_choice=lambda: read_resend_choice(batch),
    )
    if guard.batch and (sent or guard.double_clicked):
        st.query_params.from_dict({"batch": guard.batch})
