"""The outcome card of a request: what became of it, the request itself, the response, and the feeds of the person."""

import streamlit as st

from intempt_core.contract import format_count
from intempt_core.history import AttemptRecord, RequestRecord, RequestState
from intempt_core.targets import Target
from intempt_core.validation import escape_invisible
from pages.parts.shared.downloads import show_download
from pages.parts.shared.feed_card import show_person_feeds
from pages.parts.shared.formatting import format_duration, format_size, format_zoned_moment, show_raw_text
from pages.parts.shared.result_evidence import ResultReading
from pages.parts.shared.result_view import show_result
from pages.parts.shared.screen_state import make_key
from pages.parts.shared.send_guard import SendGuard

MAX_BODY_SHOWN = 200_000
"""Characters of a body that are shown; the whole body is a download."""


def show_outcome_card(request: RequestRecord, target: Target | None, *, guard: SendGuard | None = None) -> None:
    """The card of one request: what became of it, and under that the evidence.

    ``target`` is where it went, if its feeds can still be read; ``guard`` is as in
    :func:`~pages.parts.shared.result_view.show_result`.
    """
    reading = show_result(request, target, guard=guard)
    show_result_details(request, target, reading)


def show_result_details(request: RequestRecord, target: Target | None, reading: ResultReading) -> None:
    """The request, the response and the feeds, side by side: what a result was read from."""
    last = request.attempts[-1] if request.attempts else None
    st.text(format_headline(request, last))
    sent, response, feeds = st.columns(3, gap="medium")
    with sent:
        st.markdown("**Request**")
        st.caption(describe_request_size(request))
        show_body("sent", request.summary.id, request.body)
    with response:
        st.markdown("**Response**")
        show_response(last)
    with feeds:
        show_person_feeds(request, target, reading.snapshot)


def describe_request_size(request: RequestRecord) -> str:
    """How large a request is, and that it was not sent where that is certain."""
    size = f"{format_count(request.summary.events, 'event')}, {format_size(len(request.body))}"
    never_left = request.summary.state in (RequestState.PENDING, RequestState.CANCELLED, RequestState.NOT_SENT)
    return f"{size}, not sent" if never_left else size


def format_headline(request: RequestRecord, last: AttemptRecord | None) -> str:
    """The outcome as a sentence: the server's reason, how long it took, and the number of attempts."""
    if last is None:
        return "Not sent yet."
    attempts = "first attempt" if len(request.attempts) == 1 else f"{len(request.attempts)} attempts"
    return f"{last.reason} {format_duration(last.elapsed_ms)}, {attempts}, at {format_zoned_moment(last.started_at)}."


def show_response(last: AttemptRecord | None) -> None:
    """The response to an attempt: status, body as raw text, headers."""
    if last is None or last.status is None:
        st.caption("No response." if last is not None else "Not sent yet.")
        return
    st.caption(f"HTTP status {last.status}, {format_size(last.response_length)}")
    show_body("response", last.id, last.response_body)
    if last.response_length > len(last.response_body):
        st.caption(
            f"The first {format_size(len(last.response_body))} of {format_size(last.response_length)}; history keeps"
            " no more."
        )
    with st.expander("Headers", type="compact"):
        st.code("\n".join(f"{name}: {content}" for name, content in last.headers) or "none", language=None)


def show_body(name: str, number: int, body: bytes) -> None:
    """A body as text, and a download where it is cut; never as a tree of JSON (ARCHITECTURE, raw text)."""
    text = body.decode("utf-8", "replace")
    seen = escape_invisible(text[:MAX_BODY_SHOWN])
    show_raw_text(seen, 300 if len(text) > 1200 else None)
    if seen != text[:MAX_BODY_SHOWN]:
        st.caption("Invisible characters are written out.")
    if seen != text:
        show_download(
            "The whole body", lambda: body, f"{name}-{number}.txt", "text/plain", key=make_key("body", name, number)
        )
