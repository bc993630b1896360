"""Sending a batch again: which of its events, under the same ids or fresh ones, with a plan before anything leaves."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from uuid import uuid4

import streamlit as st

from intempt_core import Target, plan_events, read_payload
from intempt_core.events import GivenEvent, get_field, id_to_text
from intempt_core.history import BatchSummary, BatchIntent, RequestState, TargetSnapshot, preview_resend
from intempt_core.plan import explain_lane_length
from pages.parts import sending
from pages.parts.house import house
from pages.parts.look import counted, escaped, mark, raw
from pages.parts.session import TARGET, key, one_click, put, room, value

SETTLED = (
    RequestState.ACCEPTED,
    RequestState.REJECTED,
    RequestState.UNKNOWN,
    RequestState.NOT_SENT,
    RequestState.CANCELLED,
)
SAME, FRESH = "the same ids", "fresh ids"
MEND = (
    "What was refused will be refused again as it is, unless the target was mended. To mend the events of a file,"
    " correct it and upload it: a corrected row keeps its id. A single request can be opened in Compose."
)
BODY_DRAWN = 4000
"""Characters of the first request that the plan shows."""


@dataclass
class Resending:
    """What this tab has sent again."""

    sent: dict[str, list[str]] = field(default_factory=dict)
    """By the batch that was sent again: the batches that came of it, in their order."""


def again(batch: BatchSummary, target: Target) -> None:
    """The way to send a batch again, folded until it is wanted."""
    states = [state for state in SETTLED if batch.events.get(state)]
    if not states or not batch.is_final:
        return
    opened = st.popover("Send again", key=key("again", batch.id), on_change="rerun")
    if opened.open:
        with opened:
            choice(batch, states, target)


def choice(batch: BatchSummary, states: list[RequestState], target: Target) -> None:
    """Which of its events, under which ids, what that does, and the button. At first what was not accepted, if any."""
    wanting = [state for state in states if state is not RequestState.ACCEPTED]
    picked = st.pills(
        "Which events",
        [state.value for state in states],
        selection_mode="multi",
        default=[state.value for state in wanting or states],
        format_func=lambda state: mark(state, batch.events[RequestState(state)]),
        key=key("again-states", batch.id),
    )
    ids = st.segmented_control("Event ids", (SAME, FRESH), default=SAME, required=True, key=key("again-ids", batch.id))
    fresh = ids == FRESH
    chosen = [RequestState(state) for state in picked]
    count = sum(batch.events[state] for state in chosen)
    if not count:
        st.text("Choose at least one kind.")
        return
    plan(batch, chosen, target, fresh=fresh)
    if RequestState.REJECTED in chosen:
        st.text(MEND)
        st.button(
            "Show the refused requests",
            key=key("again-refused", batch.id),
            on_click=put,
            args=(key("history-state", batch.id), RequestState.REJECTED.value),
        )
    name = key("again", batch.id)
    if sending.named(target, name) and sending.number_typed(target, count, name):
        st.button(
            f"Send {counted(count, 'event')} again to {escaped(target.title)}",
            key=key("again-send", batch.id),
            type="primary",
            on_click=send,
            args=(batch, tuple(chosen), target, decided(batch)),
            kwargs={"fresh": fresh},
        )
    if trouble := value(key("again-trouble", batch.id)):
        st.text(trouble)


def decided(batch: BatchSummary) -> tuple[object, ...]:
    """What a person has decided about sending a batch again, and how often it was sent again from this screen."""
    return (
        len(room(Resending).sent.get(batch.id, ())),
        value(key("again-states", batch.id)),
        value(key("again-ids", batch.id)),
        value(TARGET),
    )


def plan(batch: BatchSummary, states: list[RequestState], target: Target, *, fresh: bool) -> None:
    """What would leave, where to, and what that does; the first request as it would leave under the same ids."""
    if fresh:
        events = sum(batch.events[state] for state in states)
        st.text(
            f"{counted(events, 'event')}, planned anew, to {target.title}."
            " Under fresh ids they are new events: the target counts them once more."
        )
        return
    meant = preview_resend(batch, states, deduplicates=target.deduplicates)
    st.text(f"Of {counted(meant.events, 'event')}: {meant.message}")
    requests = sum(batch.requests[state] for state in states)
    st.text(f"They go in {counted(requests, 'request')}, byte for byte as before, to {target.title}.")
    lanes = house().history.lane_events(batch.id, states)
    if reason := explain_lane_length(meant.events, len(lanes), max(lanes.values(), default=0)):
        st.text(reason)
    first = next(house().history.request_intents(batch.id, states, limit=1), None)
    if first is not None:
        with st.expander("The first request", type="compact"):
            raw(first.body.decode("utf-8", "replace")[:BODY_DRAWN], 120)


@one_click()
def send(
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
    now, trouble, sent = decided(batch), key("again-trouble", batch.id), room(Resending).sent
    if now[0] != drawn[0]:
        st.query_params.from_dict({"batch": sent[batch.id][-1]})
        return
    if now != drawn:
        put(trouble, "Nothing was sent: the choice was being changed as the button was pressed. Look at it, then send.")
        return
    put(trouble, "")
    new = record(batch, states, target, fresh=fresh)
    sent[batch.id] = [*sent.get(batch.id, ()), new]
    st.query_params.from_dict({"batch": new})


def record(batch: BatchSummary, states: tuple[RequestState, ...], target: Target, *, fresh: bool = False) -> str:
    """Record the batch anew, byte-identical or under fresh ids, and wake the engine; the new batch's id."""
    whole = all(state in states for state in batch.events)
    intent = BatchIntent(
        source=batch.source,
        label=batch.label,
        target=TargetSnapshot.from_target(target),
        policy=sending.policy_of(target),
        rows=sum(batch.events.get(state, 0) for state in states),
        digest=batch.digest,
        mapping=batch.mapping,
        notes={"ids": FRESH if fresh else SAME},
        resend_of=batch.id,
        persons=batch.persons if whole else 0,
        lanes=batch.lanes,
    )
    if fresh:
        planned = plan_events(list(renamed(batch, states)))
        return sending.submit(replace(intent, persons=planned.persons, lanes=planned.lanes), planned)
    return sending.repeat(intent, house().history.request_intents(batch.id, states))


def renamed(batch: BatchSummary, states: tuple[RequestState, ...]) -> Iterator[GivenEvent]:
    """The batch's events in their order under fresh ids; lines that shared an id share the new one."""
    names: dict[str, str] = {}
    for request in house().history.request_intents(batch.id, states):
        payload = read_payload(request.body.decode())
        for recorded, event in zip(request.events, payload.events, strict=True):
            body = event.body
            id_ = id_to_text(get_field(body, "eventId"))
            if id_ is not None:
                body = {**body, "eventId": names.setdefault(id_, f"evt_{uuid4().hex}")}
            yield replace(event, body=body, place=replace(event.place, row=recorded.row, line=recorded.line))
