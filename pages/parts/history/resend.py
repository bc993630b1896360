"""Sending a batch again: which of its events, under the same ids or fresh ones, with a plan before anything leaves."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from uuid import uuid4

import streamlit as st

from intempt_core.contract import GivenEvent, get_field, id_to_text
from intempt_core.history import BatchIntent, BatchSummary, RequestState, TargetSnapshot, preview_resend
from intempt_core.planning import explain_lane_length, plan_events
from intempt_core.readers import read_payload
from intempt_core.targets import Target
from pages.parts.shared.formatting import escape_markdown, format_quantity, format_state, show_raw_text
from pages.parts.shared.screen_state import (
    TARGET_WIDGET,
    get_screen_state,
    make_key,
    read_widget,
    serialize_clicks,
    set_widget,
)
from pages.parts.shared.send_flow import (
    confirm_event_count,
    confirm_target_name,
    get_default_policy,
    submit_plan,
    submit_requests,
)
from pages.parts.shared.services import get_services

RESENDABLE_STATES = (
    RequestState.ACCEPTED,
    RequestState.REJECTED,
    RequestState.UNKNOWN,
    RequestState.NOT_SENT,
    RequestState.CANCELLED,
)
SAME_IDS, FRESH_IDS = "the same ids", "fresh ids"
REJECTED_ADVICE = (
    "What was rejected will be rejected again as it is, unless the target was mended. To mend the events of a file,"
    " correct it and upload it: a corrected row keeps its id. A single request can be opened in Compose."
)
BODY_PREVIEW_CHARACTERS = 4000
"""Characters of the first request that the plan shows."""


@dataclass
class ResendState:
    """What this tab has sent again."""

    sent: dict[str, list[str]] = field(default_factory=dict)
    """By the batch that was sent again: the batches that came of it, in their order."""


def show_resend(batch: BatchSummary, target: Target) -> None:
    """The way to send a batch again, folded until it is wanted."""
    states = [state for state in RESENDABLE_STATES if batch.events.get(state)]
    if not states or not batch.is_final:
        return
    opened = st.popover("Send again", key=make_key("again", batch.id), on_change="rerun")
    if opened.open:
        with opened:
            choose_resend(batch, states, target)


def choose_resend(batch: BatchSummary, states: list[RequestState], target: Target) -> None:
    """Which of its events, under which ids, what that does, and the button. At first what was not accepted, if any."""
    wanting = [state for state in states if state is not RequestState.ACCEPTED]
    picked = st.pills(
        "Which events",
        [state.value for state in states],
        selection_mode="multi",
        default=[state.value for state in wanting or states],
        format_func=lambda state: format_state(state, batch.events[RequestState(state)]),
        key=make_key("again-states", batch.id),
    )
    ids = st.segmented_control(
        "Event ids", (SAME_IDS, FRESH_IDS), default=SAME_IDS, required=True, key=make_key("again-ids", batch.id)
    )
    fresh = ids == FRESH_IDS
    chosen = [RequestState(state) for state in picked]
    count = sum(batch.events[state] for state in chosen)
    if not count:
        st.text("Choose at least one kind.")
        return
    show_resend_plan(batch, chosen, target, fresh=fresh)
    if RequestState.REJECTED in chosen:
        st.text(REJECTED_ADVICE)
        st.button(
            "Show the rejected requests",
            key=make_key("again-rejected", batch.id),
            on_click=set_widget,
            args=(make_key("history-state", batch.id), RequestState.REJECTED.value),
        )
    name = make_key("again", batch.id)
    if confirm_target_name(target, name) and confirm_event_count(target, count, name):
        st.button(
            f"Send {format_quantity(count, 'event')} again to {escape_markdown(target.title)}",
            key=make_key("again-send", batch.id),
            type="primary",
            on_click=resend_batch,
            args=(batch, tuple(chosen), target, read_resend_choice(batch)),
            kwargs={"fresh": fresh},
        )
    if trouble := read_widget(make_key("again-trouble", batch.id)):
        st.text(trouble)


def read_resend_choice(batch: BatchSummary) -> tuple[object, ...]:
    """What a person has decided about sending a batch again, and how often it was sent again from this screen."""
    return (
        len(get_screen_state(ResendState).sent.get(batch.id, ())),
        read_widget(make_key("again-states", batch.id)),
        read_widget(make_key("again-ids", batch.id)),
        read_widget(TARGET_WIDGET),
    )


def show_resend_plan(batch: BatchSummary, states: list[RequestState], target: Target, *, fresh: bool) -> None:
    """What would leave, where to, and what that does; the first request as it would leave under the same ids."""
    if fresh:
        events = sum(batch.events[state] for state in states)
        st.text(
            f"{format_quantity(events, 'event')}, planned anew, to {target.title}."
            " Under fresh ids they are new events: the target counts them once more."
        )
        return
    meant = preview_resend(batch, states, deduplicates=target.deduplicates)
    st.text(f"Of {format_quantity(meant.events, 'event')}: {meant.message}")
    requests = sum(batch.requests[state] for state in states)
    st.text(f"They go in {format_quantity(requests, 'request')}, byte for byte as before, to {target.title}.")
    lanes = get_services().history.lane_events(batch.id, states)
    if reason := explain_lane_length(meant.events, len(lanes), max(lanes.values(), default=0)):
        st.text(reason)
    first = next(get_services().history.request_intents(batch.id, states, limit=1), None)
    if first is not None:
        with st.expander("The first request", type="compact"):
            show_raw_text(first.body.decode("utf-8", "replace")[:BODY_PREVIEW_CHARACTERS], 120)


@serialize_clicks()
def resend_batch(
    batch: BatchSummary,
    states: tuple[RequestState, ...],
    target: Target,
    drawn: tuple[object, ...],
    *,
    fresh: bool = False,
) -> None:
    """Send the batch again and show the new batch. ``drawn`` is what was decided when the button was drawn: it sends
    what one saw, once however often it is clicked, or nothing; a later decision sends once more.
    """
    now, trouble, sent = (
        read_resend_choice(batch),
        make_key("again-trouble", batch.id),
        get_screen_state(ResendState).sent,
    )
    if now[0] != drawn[0]:
        st.query_params.from_dict({"batch": sent[batch.id][-1]})
        return
    if now != drawn:
        set_widget(
            trouble, "Nothing was sent: the choice was being changed as the button was pressed. Look at it, then send."
        )
        return
    set_widget(trouble, "")
    new = record_resend(batch, states, target, fresh=fresh)
    sent[batch.id] = [*sent.get(batch.id, ()), new]
    st.query_params.from_dict({"batch": new})


def record_resend(batch: BatchSummary, states: tuple[RequestState, ...], target: Target, *, fresh: bool = False) -> str:
    """Record the batch anew, byte-identical or under fresh ids, and wake the engine; the new batch's id."""
    whole = all(state in states for state in batch.events)
    intent = BatchIntent(
        source=batch.source,
        label=batch.label,
        target=TargetSnapshot.from_target(target),
        policy=get_default_policy(target),
        rows=sum(batch.events.get(state, 0) for state in states),
        digest=batch.digest,
        mapping=batch.mapping,
        notes={"ids": FRESH_IDS if fresh else SAME_IDS},
        resend_of=batch.id,
        persons=batch.persons if whole else 0,
        lanes=batch.lanes,
    )
    if fresh:
        planned = plan_events(list(give_fresh_ids(batch, states)))
        return submit_plan(replace(intent, persons=planned.persons, lanes=planned.lanes), planned)
    return submit_requests(intent, get_services().history.request_intents(batch.id, states))


def give_fresh_ids(batch: BatchSummary, states: tuple[RequestState, ...]) -> Iterator[GivenEvent]:
    """The batch's events in their order under fresh ids; lines that shared an id share the new one."""
    names: dict[str, str] = {}
    for request in get_services().history.request_intents(batch.id, states):
        payload = read_payload(request.body.decode())
        for recorded, event in zip(request.events, payload.events, strict=True):
            body = event.body
            id_ = id_to_text(get_field(body, "eventId"))
            if id_ is not None:
                body = {**body, "eventId": names.setdefault(id_, f"evt_{uuid4().hex}")}
            yield replace(event, body=body, place=replace(event.place, row=recorded.row, line=recorded.line))
