"""The wait for one response, in its place: which attempt it is, for what it waits, how long, and how to end it."""

import streamlit as st

from intempt_core.contract import format_count, now_ms
from intempt_core.errors import ConsoleError
from intempt_core.history import BatchSummary, RequestState, RequestSummary
from pages.parts.shared.formatting import format_duration
from pages.parts.shared.screen_state import make_key
from pages.parts.shared.services import get_services
from pages.parts.shared.widgets.announcement import announce

STOP_WAITING = "Stop waiting (the event may still arrive)"
"""The button that ends a wait; it says what it cannot undo."""


PATIENCE_MS = 1_500
"""A wait is announced, and gets the focus, once it is longer: most responses come sooner, and their result does."""


def is_waiting_for_one(batch: BatchSummary) -> bool:
    """Whether a batch of one request waits for its response, so that a sentence says more than a bar."""
    return batch.is_active and not batch.unrecorded and sum(batch.requests.values()) == 1


def show_wait(batch: BatchSummary) -> None:
    """Show what the request of a batch waits for, with the button that ends it. Raises nothing if it is over."""
    found = get_services().history.queries.requests(batch.id, size=1).items
    settings, key, now = get_services().settings, make_key("waiting", batch.id), now_ms()
    sentence = describe_wait(found[0], settings.tries, settings.read_seconds, now) if found else "Sending"
    with st.container(horizontal=True, vertical_alignment="center", key=key):
        with st.container(width="stretch"):
            st.text(sentence)
        label = STOP_WAITING if batch.total == 1 else STOP_WAITING.replace("event", "events")
        st.button(label, key=make_key("stop-waiting", batch.id), on_click=_stop_waiting, args=(batch.id,))
    if found and now - batch.changed_at > PATIENCE_MS:
        announce(
            sentence, token=f"{key} {found[0].tries}", place=key, label="Waiting for a response", focus_token=key,
            key=make_key(key, "announced"),
        )  # fmt: skip


def describe_wait(request: RequestSummary, tries: int, read_seconds: float, now: int) -> str:
    """What a request waits for: ``Attempt 2 of 5, waiting for a response (up to 20 s)``; ``now`` is in epoch ms."""
    attempt = f"Attempt {request.tries + 1} of {max(tries, request.tries + 1)}"
    if request.state is RequestState.IN_FLIGHT:
        return f"{attempt}, waiting for a response (up to {read_seconds:g} s)"
    if request.retry_at is not None:
        pause = format_duration(max(request.retry_at - now, 0))
        return f"{attempt} in {pause}. {format_count(request.tries, 'attempt')} so far: {request.reason}"
    return f"{attempt}, about to be sent"


def _stop_waiting(batch: str) -> None:
    try:
        get_services().dispatcher.stop_waiting(batch)
    except ConsoleError:
        return  # it is over by itself: the screen shows how it ended
