"""What became of a send in one glance, the same on every screen: Accepted → Processed → Feed as expected.

::

    ● Accepted ──── ● Processed ──── ● Feed as expected      Worked: SKU_987 is now first in Recently Added to Cart.
    ● Accepted ──── ◆ Ignored: duplicate event id, used 12:03:07 by user_9      [Send with a new id] [See that event]
    ○ Not sent     Connecting failed: nothing listens at this port. Nothing left this machine.           [Try again]
    ● Accepted ──── ? Not known: this target cannot be asked

How a screen shows it:

* One request: ``show_result(request, target)``. It stands where the send button was. With the screen's ``guard`` it
  offers the next useful thing as a button (send with a new id, try again); the batch that this sends becomes the
  guard's, so that the screen goes on as after any send.
* A batch of more: ``show_batch_result(batch)``: the same looks, with counts of events.

What this tab has sent is announced to screen readers when its result is there, and gets the focus, once.
"""

from collections.abc import Iterator, Mapping

import streamlit as st

from intempt_core.analysis import EventResult, ResultAction, StepState, compute_event_result
from intempt_core.contract import now_ms
from intempt_core.history import BatchState, BatchSummary, RequestRecord, RequestState, VerdictCounts
from intempt_core.targets import Target
from intempt_core.validation import escape_invisible
from pages.parts.shared.formatting import STATE_STYLES, StateStyle, escape_markdown, format_clock, label_state
from pages.parts.shared.links import show_link
from pages.parts.shared.result_evidence import ResultReading, SentBatches, read_result
from pages.parts.shared.screen_state import get_screen_state, make_key
from pages.parts.shared.send_flow import (
    confirm_target_name,
    control_batch,
    prepare_resend,
    prepare_with_new_ids,
    see_history,
    submit_once,
)
from pages.parts.shared.send_guard import SendGuard
from pages.parts.shared.services import get_services
from pages.parts.shared.widgets.announcement import announce

STEP_STYLES: Mapping[StepState, StateStyle] = {
    StepState.DONE: StateStyle("●", "green"),
    StepState.FAILED: StateStyle("■", "red"),
    StepState.DOUBT: StateStyle("◆", "orange"),
    StepState.WAITING: StateStyle("…", "gray"),
    StepState.NOT_SENT: StateStyle("○", "gray"),
    StepState.NOT_KNOWN: StateStyle("?", "gray"),
}
"""The look of each state of a step."""

SANDBOX_POLL_SECONDS, LIVE_POLL_SECONDS = 2.0, 5.0
"""How often a feed that does not show yet what is expected is asked again."""

FRESH_MS = 1_000
"""How old what was just read may be."""


def show_result(request: RequestRecord, target: Target | None, *, guard: SendGuard | None = None) -> ResultReading:
    """Show what became of a request, and what was read for it; ``target`` is where it went, if it can be asked.

    ``guard`` is the screen's: with it the result has buttons that send. The key of its container is ``result-ID``.
    """
    reading = read_result(request, target)
    result = _compute(request, reading)
    seconds = None
    if result.is_waiting:
        seconds = SANDBOX_POLL_SECONDS if reading.evidence.verdict is not None else LIVE_POLL_SECONDS

    @st.fragment(run_every=seconds)
    def steps() -> None:
        now = result
        if seconds is not None and now_ms() - reading.evidence.asked_at > FRESH_MS:
            now = _compute(request, read_result(request, target))
            if not now.is_waiting:
                st.rerun()  # the feeds elsewhere on the screen are older
        _show_steps(now)

    key = make_key("result", request.summary.id)
    with st.container(key=key, gap="small"):
        steps()
        _show_actions(request, result, target, guard)
    _announce(request.summary.batch, key, result.message, " ".join(step.state for step in result.steps))
    return reading


def _announce(batch: str, place: str, message: str, state: str = "") -> None:
    """Announce what became of a batch that this tab has sent: each ``state`` is heard, the first takes the focus."""
    if batch in get_screen_state(SentBatches).ids:
        announce(
            escape_invisible(message), token=f"{place} {state}", place=place, label="Result", focus_token=place,
            key=make_key(place, "announced"),
        )  # fmt: skip


def _compute(request: RequestRecord, reading: ResultReading) -> EventResult:
    return compute_event_result(request, reading.evidence, format_time=format_clock)


def _show_steps(result: EventResult) -> None:
    st.markdown(" :gray[──] ".join(_format_step(step.state, step.label) for step in result.steps))
    if result.sentence:
        st.text(escape_invisible(result.sentence))


def _format_step(state: StepState, label: str) -> str:
    style = STEP_STYLES[state]
    return f":{style.colour}-badge[{style.shape} {escape_markdown(escape_invisible(label))}]"


def _show_actions(request: RequestRecord, result: EventResult, target: Target | None, guard: SendGuard | None) -> None:
    """The next useful thing as a button, and a link to the event that used the id before."""
    offers = result.action if guard is not None and target is not None and not guard.is_sending else None
    if offers is None and result.first_use is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if (
            offers is not None
            and target is not None
            and confirm_target_name(target, make_key("result", request.summary.id, "again"))
        ):
            st.button(
                offers.value,
                key=make_key("result", request.summary.id, "again"),
                on_click=_send_again,
                args=(guard, request, target, offers),
            )
        if result.first_use is not None:
            show_link("sandbox.py", "See that event", {"event": str(result.first_use.seq)})


def _send_again(guard: SendGuard, request: RequestRecord, target: Target, action: ResultAction) -> None:
    """Send the ignored events under new ids, or what was not sent once more."""
    batch = get_services().history.queries.batch(request.summary.batch)
    guard.settled_at = 0.0  # another button than the one that sent: this is no second half of a double click
    if action is ResultAction.TRY_AGAIN and batch.state in (BatchState.STOPPED, BatchState.PAUSED):
        engine = get_services().dispatcher
        control_batch(lambda id_: engine.resume(id_, retry_states=(RequestState.NOT_SENT,)), batch.id)
        return
    seen = see_history(target)

    def send() -> bool:
        if action is ResultAction.TRY_AGAIN:
            return submit_once(
                guard, target, lambda: prepare_resend(batch, (RequestState.NOT_SENT,), target, seen), send
            )
        ignored = _compute(request, read_result(request, target))
        return submit_once(guard, target, lambda: prepare_with_new_ids(request, batch, ignored.repeated, target), send)

    send()


# ── more than one request ─────────────────────────────────────────────────────────────────────────────────────────────


def show_batch_result(batch: BatchSummary) -> None:
    """Show what became of a batch, in counts: ``● 94,900 accepted and processed · ◆ 163 ignored: duplicates``.

    It is for a batch that is over as well as for one that is being sent. The key of its container is
    ``result-batch-ID``.
    """
    key = make_key("result-batch", batch.id)
    with st.container(key=key, gap="small"):
        st.markdown(format_batch_result(batch))
        if batch.overtaken:
            st.text(batch.overtaken_message)
    if not batch.is_active:
        _announce(batch.id, key, f"{batch.label}: {describe_batch_result(batch)}")


def format_batch_result(batch: BatchSummary) -> str:
    """What became of a batch as a line of badges."""
    badges = [
        f":{style.colour}-badge[{style.shape} {escape_markdown(label)}]" for style, label in list_batch_counts(batch)
    ]
    return " ".join(badges)


def describe_batch_result(batch: BatchSummary) -> str:
    """What became of a batch as plain text, for a screen reader and a table's cell."""
    return " · ".join(f"{style.shape} {label}" for style, label in list_batch_counts(batch))


def list_batch_counts(batch: BatchSummary) -> Iterator[tuple[StateStyle, str]]:
    """Each count that is not zero, with its look."""
    done, doubt = STEP_STYLES[StepState.DONE], STEP_STYLES[StepState.DOUBT]
    known, found = batch.get_verdict(RequestState.ACCEPTED), batch.get_verdict(RequestState.UNKNOWN)
    if known.processed:
        yield done, f"{known.processed:,} accepted and processed"
    if known.ignored:
        yield doubt, f"{known.ignored:,} ignored{_name_ignored(known)}"
    if batch.unjudged:
        yield done, f"{batch.unjudged:,} accepted"
        if not batch.is_active:
            those = f"of these {batch.unjudged:,} " if known != VerdictCounts() else ""
            yield STEP_STYLES[StepState.NOT_KNOWN], f"{those}not known whether processed"
    for state, style in STATE_STYLES.items():
        left = batch.events.get(state, 0) - batch.resolved.get(state, 0) if isinstance(state, RequestState) else 0
        if state is not RequestState.ACCEPTED and left:
            yield style, f"{left:,} {label_state(state)}"
    if found.processed:
        yield done, f"{found.processed:,} of the unknown arrived and are processed"
    if found.ignored:
        yield doubt, f"{found.ignored:,} of the unknown arrived and are ignored{_name_ignored(found)}"
    if resolved := sum(batch.resolved.values()):
        yield StateStyle(doubt.shape, done.colour), f"{resolved:,} resolved"


def _name_ignored(counts: VerdictCounts) -> str:
    """Why events of a batch are ignored, as far as it is counted."""
    if counts.repeated == counts.ignored:
        return ": duplicates"
    return f": {counts.repeated:,} of them duplicates" if counts.repeated else ""
