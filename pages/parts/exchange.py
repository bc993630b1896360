"""The outcome card: what left, what came back, and what the feeds show for the person."""

import streamlit as st

from intempt_core import RequestRecord, Target
from intempt_core.history import AttemptRecord
from intempt_core.marking import escape_invisible
from pages.parts.feedview import feeds_of_person
from pages.parts.look import badge, counted, lasted, moment, raw, weight, zone_name
from pages.parts.session import key
from pages.parts.taking import download

SHOWN_BODY = 200_000
"""Characters of a body that are drawn at once; the whole is a download."""


def exchange(request: RequestRecord, target: Target | None) -> None:
    """The card of one request. ``target`` is where it went, where that can still be asked for its feeds."""
    last = request.attempts[-1] if request.attempts else None
    st.markdown(badge(request.summary.state), width="content")
    st.text(headline(request, last))
    left, back, feeds = st.columns(3, gap="medium")
    with left:
        st.markdown("**What left**")
        st.caption(f"{counted(request.summary.events, 'event')}, {weight(len(request.body))}")
        body_text("left", request.summary.id, request.body)
    with back:
        st.markdown("**What came back**")
        came_back(last)
    with feeds:
        feeds_of_person(request, target)


def headline(request: RequestRecord, last: AttemptRecord | None) -> str:
    """The outcome as a sentence: how long it took, at which try, and the server's own reason."""
    if last is None:
        return "Nothing has left yet."
    tries = "first try" if len(request.attempts) == 1 else f"{len(request.attempts)} tries"
    return f"{last.reason} {lasted(last.elapsed_ms)}, {tries}, at {moment(last.started_at)}, {zone_name()}."


def came_back(last: AttemptRecord | None) -> None:
    """An attempt's answer: status, body as raw text, headers."""
    if last is None or last.status is None:
        st.caption("No answer came." if last is not None else "Nothing has left yet.")
        return
    st.caption(f"HTTP status {last.status}, {weight(last.response_length)}")
    body_text("answer", last.id, last.response_body)
    if last.response_length > len(last.response_body):
        st.caption(f"The first {weight(len(last.response_body))} of {weight(last.response_length)}; history keeps no more.")
    with st.expander("Headers", type="compact"):
        st.code("\n".join(f"{name}: {content}" for name, content in last.headers) or "none", language=None)


def body_text(name: str, number: int, body: bytes) -> None:
    """A body as raw text, whole or cut with its whole as a download. Never as JSON: digits would be lost (FACTS)."""
    text = body.decode("utf-8", "replace")
    seen = escape_invisible(text[:SHOWN_BODY])
    raw(seen, 300 if len(text) > 1200 else None)
    if seen != text[:SHOWN_BODY]:
        st.caption("What nobody can see in it is written out.")
    if seen != text:
        download("The whole body", lambda: body, f"{name}-{number}.txt", "text/plain", key=key("body", name, number))
