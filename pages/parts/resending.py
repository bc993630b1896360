"""Sending a batch again: which of its events, under the same ids or fresh ones, with a plan before anything leaves."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from uuid import uuid4

import streamlit as st

from intempt_core import Target, plan_events, read_payload
from intempt_core.events import GivenEvent, at, id_text
from intempt_core.history import BatchSummary, Intent, RequestState, TargetSnapshot
from pages.parts import sending
from pages.parts.house import house
from pages.parts.look import counted, escaped, mark, raw
from pages.parts.session import TARGET, key, one_click, put, room, value

SETTLED = (
    RequestState.ACCEPTED,
    RequestState.REFUSED,
    RequestState.UNKNOWN,
    RequestState.UNSENT,
    RequestState.CANCELLED,
)
SAME, FRESH = "the same ids", "fresh ids"
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
    if not states or not batch.over:
        return
    with st.popover("Send again", key=key("again", batch.id)):
        picked = st.pills(
            "Which events",
            [state.value for state in states],
            selection_mode="multi",
            default=[state.value for state in states],
            format_func=lambda state: mark(state, batch.events[RequestState(state)]),
            key=key("again-states", batch.id),
        )
        ids = st.segmented_control(
            "Event ids", (SAME, FRESH), default=SAME, required=True, key=key("again-ids", batch.id)
        )
        fresh = ids == FRESH
        chosen = [RequestState(state) for state in picked]
        count = sum(batch.events[state] for state in chosen)
        plan(batch, chosen, target, fresh=fresh)
        if count and sending.named(target, key("again", batch.id)):
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
    events, requests = (sum(counts[state] for state in states) for counts in (batch.events, batch.requests))
    how = "planned anew" if fresh else f"in {counted(requests, 'request')}, byte for byte as before"
    st.text(f"{counted(events, 'event')} {how}, to {target.title}. {consequence(batch, states, target, fresh=fresh)}")
    first = next(house().history.bodies(batch.id, states), None)
    if first is not None and not fresh:
        st.caption("The first request")
        raw(first.body.decode("utf-8", "replace")[:BODY_DRAWN], 120)


def consequence(batch: BatchSummary, states: list[RequestState], target: Target, *, fresh: bool) -> str:
    """What sending them again will do, in a sentence."""
    if fresh:
        return "Under fresh ids they are new events: the target counts them once more."
    arrived = sum(batch.events[state] for state in states if state in (RequestState.ACCEPTED, RequestState.UNKNOWN))
    if not arrived:
        return "None of them arrived, so none is doubled."
    if target.deduplicates:
        return sending.deduplication(target)
    return f"The target does not deduplicate: up to {counted(arrived, 'event')} may be counted twice."


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
    intent = Intent(
        source=batch.source,
        label=batch.label,
        target=TargetSnapshot.of(target),
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
    return sending.repeat(intent, house().history.bodies(batch.id, states))


def renamed(batch: BatchSummary, states: tuple[RequestState, ...]) -> Iterator[GivenEvent]:
    """The batch's events in their order under fresh ids; lines that shared an id share the new one."""
    names: dict[str, str] = {}
    for request in house().history.bodies(batch.id, states):
        payload = read_payload(request.body.decode())
        for recorded, event in zip(request.events, payload.events, strict=True):
            body = event.body
            id_ = id_text(at(body, "eventId"))
            if id_ is not None:
                body = {**body, "eventId": names.setdefault(id_, f"evt_{uuid4().hex}")}
            yield replace(event, body=body, place=replace(event.place, row=recorded.row, line=recorded.line))
