"""The one way from a screen to a send: choices, confirmation, recording, progress, controls, and resending."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol
from uuid import uuid4

import streamlit as st

from intempt_core.contract import GivenEvent, build_request_body, format_count, get_field, id_to_text
from intempt_core.dispatch import Progress, make_batch_intent
from intempt_core.errors import ConsoleError, NotAllowed, SentBefore
from intempt_core.history import (
    BatchIntent,
    BatchSource,
    BatchState,
    BatchSummary,
    EventIntent,
    ExcludedRow,
    HistoryCheckpoint,
    RequestIntent,
    RequestRecord,
    RequestState,
    TargetSnapshot,
    count_settled,
    describe_repeats,
    make_request_blocks,
)
from intempt_core.planning import ORDER_MESSAGES, POLICY_MESSAGES, EventOrder, Plan, Policy, plan_events
from intempt_core.readers import read_payload
from intempt_core.targets import Target, derive_target_key
from intempt_core.workers import WorkerProcess
from pages.parts.shared.feed_card import EarlierFeeds, keep_earlier_feeds, read_earlier_feeds
from pages.parts.shared.formatting import (
    STATE_STYLES,
    escape_markdown,
    format_batch_badges,
    format_duration,
    format_state,
)
from pages.parts.shared.links import show_link
from pages.parts.shared.result_evidence import SentBatches
from pages.parts.shared.screen_state import find_widgets, get_screen_state, make_key, set_widget
from pages.parts.shared.send_guard import SendGuard, serialize_clicks
from pages.parts.shared.services import get_services
from pages.parts.shared.throughput_chart import show_throughput
from pages.parts.shared.waiting_view import is_waiting_for_one, show_wait
from pages.parts.shared.widgets.bar_chart import BarSeries, ChartBar, show_bar_chart

RESENDABLE_STATES = (
    RequestState.ACCEPTED,
    RequestState.REJECTED,
    RequestState.UNKNOWN,
    RequestState.NOT_SENT,
    RequestState.CANCELLED,
)
"""The states of requests that can be sent again: their final ones."""

OUTCOME_STATES = frozenset(RESENDABLE_STATES)
"""The states that a bar of outcomes shows."""

SAME_IDS, NEW_IDS = "the same ids", "new ids"
"""The event ids that a batch can be sent again with."""

NOTICE_EVENTS = 5_000
"""Events of a resend from which on recording them takes so long that the screen says so."""

BATCH_WATCH_SECONDS = 0.5
"""How often a screen looks at a batch that is not final: one that waits may be resumed or cancelled by another tab."""


def get_default_policy(target: Target) -> Policy:
    """The policy for unknown outcomes that a target has unless another one is chosen."""
    return Policy(target.default_policy)


def choose_policy(target: Target, name: str) -> Policy:
    """Choose the policy for unknown outcomes; the chosen one is explained in a sentence."""
    chosen = st.segmented_control(
        "After an unknown outcome (may have arrived)",
        [policy.value for policy in Policy],
        default=get_default_policy(target).value,
        required=True,
        key=make_key(name, "policy", target.name),
    )
    policy = Policy(chosen) if chosen else get_default_policy(target)
    st.caption(POLICY_MESSAGES[policy])
    return policy


class OrderedScreen(Protocol):
    """The record of a screen on which the order of a person's events is chosen."""

    order: EventOrder


def choose_order(found: OrderedScreen, widget: str) -> EventOrder:
    """Choose the order in which a person's events are sent; the choice is explained in a sentence."""
    st.session_state[widget] = found.order
    st.segmented_control(
        "Order of a person's events",
        list(EventOrder),
        format_func=lambda order: f"{order.value} order",
        required=True,
        key=widget,
        on_change=lambda: setattr(found, "order", EventOrder(st.session_state[widget])),
    )
    st.caption(ORDER_MESSAGES[found.order])
    return found.order


def confirm_target_name(target: Target, name: str) -> bool:
    """Whether sending is confirmed: the name of a production target must be typed."""
    if not target.production:
        return True
    with st.container(width="stretch"):
        st.text(f"{target.title} is PRODUCTION. To send, type its name: {target.name}")
        typed = st.text_input("Name of the production target", key=make_key(name, "production", target.name))
        if typed == target.name:
            return True
        _show_locked_button(f"Type {target.name} to enable", make_key(name, "locked", "send"))
    return False


def _show_locked_button(label: str, key: str) -> None:
    """What stands in the place of a button that sends while something is to be typed first."""
    st.button(escape_markdown(label), key=key, type="primary", disabled=True)


def confirm_event_count(target: Target, events: int, name: str) -> bool:
    """Whether resending is confirmed: for a production target the number of events must be typed."""
    if not target.production:
        return True
    typed = st.text_input(
        f"Type the number of events to resend: {events:,}",
        key=make_key(name, "production", "number", target.name),
    )
    if typed.strip().replace(",", "") == str(events):
        return True
    _show_locked_button(f"Type {events} to enable", make_key(name, "locked", "number", "send"))
    return False


# ── the one way from a screen to a send ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Submission:
    """A batch that is ready to be recorded and sent.

    Attributes:
        intent: What the batch is: its source, label, target and policy.
        requests: The plan of its requests, or requests that are written already.
        excluded_rows: Rows of the input that are not sent, each with its reasons.
        observed_events: Events whose person's feeds are read before the send, to show afterwards what changed.
        start_process: Starts a process that records it in place of this one, where its file is a large one.
        notice: What the screen says meanwhile; empty where that takes no time.
    """

    intent: BatchIntent
    requests: Plan | Iterable[RequestIntent]
    excluded_rows: Iterable[ExcludedRow] = ()
    observed_events: Sequence[GivenEvent] = ()
    start_process: Callable[[BatchIntent], WorkerProcess | None] = lambda _: None
    notice: str = ""


def submit_once(
    guard: SendGuard,
    target: Target,
    prepare: Callable[[], Submission | None],
    send_again: Callable[[], object],
    *,
    drawn: tuple[object, ...] | None = None,
    read_choice: Callable[[], tuple[object, ...]] | None = None,
) -> bool:
    """Record and send what ``prepare`` makes, once however often the button is clicked; whether it was sent.

    Every screen sends by this function, from a button's callback. ``drawn`` and ``read_choice`` are what the button
    represented when it was drawn, and represents now (see :meth:`SendGuard.accept_click`). ``prepare`` returns ``None``
    where nothing is to be sent. What cannot be recorded is not sent: the guard then holds the reason. The typed name
    of a production target is good for one send.

    Where some of it went since its plan was made (``intent.seen``), nothing is sent either: the person is told, and
    may decide to send it all the same, by ``send_again``, which is the screen's own callback with its arguments.
    """
    with serialize_clicks():
        if not guard.accept_click(drawn, read_choice() if read_choice else None):
            return False
        try:
            submission = prepare()
            if submission is None:
                return False
            clear_confirmations()
            kept, sent = get_screen_state(EarlierFeeds), get_screen_state(SentBatches)
            if submission.notice:
                st.toast(submission.notice, duration="long")
            # From here on the session is not accessed: at the next access Streamlit may stop this click in favour of a
            # second one, and reading the feeds takes its time.
            earlier = read_earlier_feeds(target, submission.observed_events)
            intent, requests = submission.intent, submission.requests
            if intent.seen is not None:
                intent = replace(intent, seen=intent.seen.confirm(guard.confirmed))
            guard.record_send(
                get_services().submit(
                    intent,
                    make_request_blocks(requests) if isinstance(requests, Plan) else requests,
                    submission.excluded_rows,
                    submission.start_process,
                )
            )
        except SentBefore as error:
            guard.record_repeat(error, send_again)
            return False
        except ConsoleError as error:
            guard.trouble = f"Nothing was sent: {error}"
            return False
        keep_earlier_feeds(kept, guard.batch or "", earlier)
        sent.add(guard.batch or "")
        return True


def see_history(target: Target) -> HistoryCheckpoint:
    """What a plan for this target sees of history from now on; read it before anything else is asked of history."""
    return get_services().history.repeats.checkpoint(derive_target_key(target))


def show_send_trouble(guard: SendGuard, name: str) -> None:
    """Show why the last click sent nothing; where it would have sent something twice, with the ways on.

    ``name`` is the screen's part of the widgets' keys.
    """
    if not guard.trouble:
        return
    st.markdown(":red-badge[■ not sent]")
    st.text(guard.trouble)
    if guard.repeat is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            for number, batch in enumerate(guard.repeat.batches, 1):
                label = "View batch" if len(guard.repeat.batches) == 1 else f"View batch {number}"
                show_link("history.py", label, {"batch": batch})
            st.button("Send it all the same", key=make_key(name, "send-repeat"), on_click=guard.confirm_repeat)


def clear_confirmations() -> None:
    """Clear the typed names of production targets: each confirms one send."""
    for widget in find_widgets("-production-"):
        set_widget(widget, "")


# ── sending a batch again ─────────────────────────────────────────────────────────────────────────────────────────────


def count_resendable(batch: BatchSummary, state: RequestState, target: Target) -> int:
    """How many events of a batch in a state can be resent to a target: to its own those that were not already."""
    to_same_target = derive_target_key(target) == batch.target.key
    return batch.count_resendable(state) if to_same_target else batch.events.get(state, 0)


def prepare_resend(
    batch: BatchSummary,
    states: tuple[RequestState, ...],
    target: Target,
    seen: HistoryCheckpoint,
    *,
    new_ids: bool = False,
    everything: bool = False,
) -> Submission:
    """Make a batch of the requests of another one that are in these states, byte for byte as they were.

    What was not accepted and was sent to the target again already, as far as the plan has ``seen``, is left out, unless
    ``everything`` is sent. With ``new_ids`` each request has its events under new ids. Raises :class:`NotAllowed` where
    nothing is left.
    """
    everything = everything or derive_target_key(target) != batch.target.key
    events = sum(batch.events.get(state, 0) if everything else batch.count_resendable(state) for state in states)
    if not events:
        raise NotAllowed("All of these events were sent again already.")
    intent = BatchIntent(
        source=batch.source,
        label=batch.label,
        target=TargetSnapshot.from_target(target),
        policy=get_default_policy(target),
        rows=events,
        digest=batch.digest,
        mapping=batch.mapping,
        notes={"ids": NEW_IDS if new_ids else SAME_IDS},
        resend_of=batch.id,
        persons=batch.persons if events == batch.total else 0,
        lanes=batch.lanes,
        seen=seen,
        events=events,
    )
    found = get_services().history.outcomes.request_intents(batch.id, states, seen=None if everything else seen)
    notice = f"Recording {format_count(events, 'event')} to send again." if events >= NOTICE_EVENTS else ""
    return Submission(intent, _give_new_ids(found) if new_ids else found, notice=notice)


def _give_new_ids(requests: Iterable[RequestIntent]) -> Iterator[RequestIntent]:
    """The requests with their events under new ids; events that shared an id share the new one."""
    new_ids: dict[str, str] = {}
    for request in requests:
        events = [_renew_id(event, new_ids) for event in read_payload(request.body.decode()).events]
        recorded = [
            EventIntent.from_event(event)._replace(row=known.row, line=known.line)
            for event, known in zip(events, request.events, strict=True)
        ]
        body = build_request_body((event.name, event.body) for event in events)
        yield replace(request, body=body, events=recorded)


def _renew_id(event: GivenEvent, new_ids: dict[str, str]) -> GivenEvent:
    id_ = id_to_text(get_field(event.body, "eventId"))
    if id_ is None:
        return event
    return replace(event, body={**event.body, "eventId": new_ids.setdefault(id_, make_event_id())})


def prepare_with_new_ids(
    request: RequestRecord, batch: BatchSummary, positions: Collection[int], target: Target
) -> Submission:
    """Make a batch of some events of a request under new event ids; ``positions`` are their places in it, from 0.

    Raises :class:`NotAllowed` where there is none.
    """
    new_ids: dict[str, str] = {}
    given = read_payload(request.body.decode("utf-8", "replace")).events
    chosen = [_renew_id(event, new_ids) for place, event in enumerate(given) if place in positions]
    if not chosen:
        raise NotAllowed("None of these events has an id that was used before.")
    body = build_request_body((event.name, event.body) for event in chosen)
    events = read_payload(body.decode()).events
    plan = plan_events(events, one_request=True)
    intent = make_batch_intent(
        plan, target, source=batch.source, label=batch.label, policy=get_default_policy(target), notes={"ids": NEW_IDS},
    )  # fmt: skip
    return Submission(intent, plan, observed_events=events)


def make_event_id() -> str:
    """A new event id, as no event has it."""
    return f"evt_{uuid4().hex}"


# ── from the send to its outcome ──────────────────────────────────────────────────────────────────────────────────────


def watch_batch(batch: str) -> None:
    """Show the progress of a batch until it is over; the whole screen is drawn again when its state changes.

    That may be another tab's doing: so a batch that is paused or has stopped is watched too.
    """
    shown = get_services().history.queries.batch(batch)

    @st.fragment(run_every=_get_watch_seconds(shown))
    def progress_of() -> None:
        summary = get_services().history.queries.batch(batch)
        if is_waiting_for_one(summary):
            show_wait(summary)
        else:
            show_batch_progress(summary, get_services().dispatcher.progress(batch))
            show_throughput(summary)
        _redraw_if_changed(shown, summary)

    progress_of()


def watch_for_changes(batch: BatchSummary) -> None:
    """Draw the whole screen again when the state of a batch is not what is ``shown`` any more; show nothing."""

    @st.fragment(run_every=_get_watch_seconds(batch))
    def look() -> None:
        _redraw_if_changed(batch, get_services().history.queries.batch(batch.id))

    look()


def _get_watch_seconds(batch: BatchSummary) -> float | None:
    return None if batch.is_final else BATCH_WATCH_SECONDS


def _redraw_if_changed(shown: BatchSummary, now: BatchSummary) -> None:
    if _describe_phase(shown) != _describe_phase(now):
        st.rerun()


def _describe_phase(batch: BatchSummary) -> tuple[object, ...]:
    return batch.state, batch.is_active, batch.is_final, batch.recorder


def show_batch_progress(summary: BatchSummary, at: Progress) -> None:
    """The progress of a batch: a bar of its outcomes, their counts, the rate and the time left, or why it waits."""
    settled = count_settled(summary.events)
    show_outcome_bar(summary)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(format_batch_badges(summary))
        st.text(_describe_rate(summary, at, settled))
    if at.reason or summary.reason:
        st.text(at.reason or summary.reason)
    if recording := describe_recording(summary):
        st.text(recording)


def _describe_rate(summary: BatchSummary, at: Progress, settled: int) -> str:
    if summary.unrecorded:
        accepted = summary.events.get(RequestState.ACCEPTED, 0)
        so_far = f"{summary.total:,} of {summary.planned:,} recorded · {accepted:,} accepted"
    else:
        so_far = f"{settled:,} of {format_count(summary.total, 'event')}"
    if summary.state is not BatchState.SENDING or not at.rate:
        return f"{so_far} · {summary.state.value}{_describe_in_flight(summary)}"
    remaining = f" · {format_duration(at.seconds_left * 1000)} left" if at.seconds_left is not None else ""
    return f"{so_far} · {at.rate:,.0f} events per second{remaining}"


def _describe_in_flight(summary: BatchSummary) -> str:
    """What is waited for while nothing else goes on, as the end of a sentence; empty where nothing is in flight."""
    requests = summary.requests.get(RequestState.IN_FLIGHT, 0)
    if not requests:
        return ""
    events = format_count(summary.events.get(RequestState.IN_FLIGHT, 0), "event is", "events are")
    seconds = get_services().settings.read_seconds
    responses = "its response" if requests == 1 else f"the responses of {requests:,} requests"
    return f" while {events} in flight: waiting for {responses} (up to {seconds:g} s)"


def show_outcome_bar(summary: BatchSummary) -> None:
    """A bar of the events of a batch, by outcome in its colour; what is not settled yet is empty.

    Of the accepted ones those that the target ignores are not green.
    """
    states = [state for state in STATE_STYLES if isinstance(state, RequestState) and state in OUTCOME_STATES]
    counts = [summary.events.get(state, 0) for state in states]
    named = ", ".join(format_state(state, count) for state, count in zip(states, counts, strict=True) if count)
    ignored = f", of the accepted {summary.ignored:,} ignored" if summary.ignored else ""
    counts[states.index(RequestState.ACCEPTED)] -= summary.ignored
    show_bar_chart(
        "Outcomes so far",
        f"{named or 'nothing settled'}{ignored}, of {format_count(summary.planned, 'event')}",
        [*(BarSeries("", STATE_STYLES[state].colour) for state in states), BarSeries("", "orange")],
        [ChartBar("", "", (*counts, summary.ignored))],
        horizontal=True,
        total=summary.planned,
        key=make_key("outcomes", summary.id),
    )


def describe_recording(batch: BatchSummary) -> str:
    """What becomes of the events of a batch that are not recorded, as a sentence; empty where all are."""
    if batch.recorder:
        if batch.state is BatchState.PAUSED:
            return "Paused: the rest is still being recorded, and waits. Nothing of it is sent before you resume."
        return "What is recorded is sent, while the rest is being recorded."
    if not batch.is_half_recorded:
        return ""
    missing = f"{format_count(batch.unrecorded, 'event was', 'events were')} never recorded, and not sent."
    if batch.state is not BatchState.STOPPED or batch.source not in (BatchSource.FILE, BatchSource.COMMAND):
        return missing
    return (
        f"{missing} Upload the same file again: its plan leaves out what was sent, and takes over what never left of"
        " this batch. At the command line the same is --rest."
    )


_CANCELLABLE = (BatchState.SENDING, BatchState.PAUSED, BatchState.STOPPED)


@dataclass
class ControlNotes:
    """What the buttons of this tab that control batches could not do.

    Attributes:
        sentences: Why the last click on a batch changed nothing, by the batch's id, with the state that was shown then.
    """

    sentences: dict[str, str] = field(default_factory=dict)


def show_batch_controls(summary: BatchSummary) -> None:
    """The buttons to pause, resume and cancel a batch, each only while it has an effect."""
    engine = get_services().dispatcher
    with st.container(horizontal=True):
        if summary.state is BatchState.SENDING and not is_waiting_for_one(summary):
            st.button(
                "Pause", key=make_key("pause", summary.id), on_click=control_batch, args=(engine.pause, summary.id)
            )
        if summary.state in (BatchState.PAUSED, BatchState.STOPPED):
            show_resume_buttons(summary)
        if summary.state in _CANCELLABLE and not is_waiting_for_one(summary):
            waiting = summary.events.get(RequestState.PENDING, 0)
            with st.popover("Cancel", key=make_key("cancel", summary.id)):
                rest = f" The rest is not recorded any further: {summary.unrecorded:,} or fewer."
                st.text(
                    f"{format_count(waiting, 'queued event')} will not be sent. Events that were sent are not affected."
                    f"{rest if summary.recorder else ''}"
                )
                st.button(
                    "Cancel what was not sent" if summary.recorder else f"Cancel {format_count(waiting, 'event')}",
                    key=make_key("cancel-really", summary.id),
                    on_click=control_batch,
                    args=(engine.cancel, summary.id),
                )
    if note := get_screen_state(ControlNotes).sentences.get(summary.id):
        st.text(note)


def show_resume_buttons(summary: BatchSummary) -> None:
    """The buttons to resume a batch; where outcomes are unknown, a person decides about those events.

    What of it went since in another batch is shown above them: who resumes it then sends it all the same.
    """
    engine = get_services().dispatcher
    repeats = get_services().history.repeats.since(summary.id)
    if repeats:
        st.text(f"{describe_repeats(repeats, summary.target.name)} Resuming sends it again.")
    resume = partial(engine.resume, confirmed=[one.number for one in repeats])
    unknown = summary.events.get(RequestState.UNKNOWN, 0)
    if summary.state is BatchState.STOPPED and unknown:
        st.button(
            f"Resend the {format_count(unknown, 'unknown event')} (may have arrived), then resume",
            key=make_key("resume-again", summary.id),
            on_click=control_batch,
            args=(partial(resume, retry_states=(RequestState.UNKNOWN, RequestState.NOT_SENT)), summary.id),
        )
        st.button(
            "Skip them and resume; later unknown outcomes (may have arrived) do not stop the batch",
            key=make_key("resume", summary.id),
            on_click=control_batch,
            args=(resume, summary.id),
        )
    else:
        st.button("Resume", key=make_key("resume", summary.id), on_click=control_batch, args=(resume, summary.id))


def control_batch(action: Callable[[str], None], batch: str) -> None:
    """Have the engine do something to a batch. What it cannot do any more changes nothing, and the screen says why."""
    notes = get_screen_state(ControlNotes).sentences
    notes.pop(batch, None)
    try:
        action(batch)
    except ConsoleError as error:
        notes[batch] = f"This button did nothing: {error}"


def describe_deduplication(target: Target) -> str:
    """What a target does with event ids that it already has (CONTRACT 3.7)."""
    if target.deduplicates:
        return "The target deduplicates by event id: it ignores events that it already has."
    return "The target does not deduplicate: it may count events that it already has twice."
