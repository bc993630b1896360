"""The pieces of the Inspect screen."""

import re

import streamlit as st

from intempt_core import CATALOGUE, Issue, Target
from intempt_core.payloads import position
from pages.parts import composing, inspecting, sending
from pages.parts.exchange import exchange
from pages.parts.frame import target
from pages.parts.history_view import where
from pages.parts.house import house
from pages.parts.inspecting import PASTE, Inspecting
from pages.parts.look import LOOKS, badges, counted, escaped, raw
from pages.parts.problems import problem_list, tally

LINE_END = re.compile(r"\r\n?|\n")
"""What ends a line for whoever counts the lines of JSON; other separators are characters of a text."""

LINES_DRAWN = 3000
"""Lines of the pasted text that are drawn with their marks."""

LISTED = 100
"""Problems in the list beside the text."""

EXAMPLE = """{
  "track": [
    {
      "name": "Added to cart",
      "payload": [
        {"eventId": "evt_1", "userId": "user_123", "data": {"productID": "SKU_987"}}
      ]
    }
  ]
}"""


def paste(screen: Inspecting) -> None:
    """The place to paste, whole and as it is."""
    st.text_area(
        "Paste a request body, one event, or a list of events",
        key=PASTE,
        height=320,
        on_change=lambda: inspecting.read(target()),
        persist_state="session",
    )
    st.button("Inspect", key="inspect-read", type="primary" if screen.payload is None else "secondary",
              on_click=lambda: inspecting.read(target()))  # fmt: skip


def empty(screen: Inspecting) -> None:
    """Before there is something readable: what this is for, or why the text cannot be read."""
    if screen.trouble:
        st.markdown(":red-badge[■ this cannot be read]")
        st.text(screen.trouble)
        return
    st.text("Paste what an application sent, and see what is wrong with it, where, and how to mend it.")
    st.button("Show me with an example", key="inspect-example", on_click=_example)


def _example() -> None:
    st.session_state[PASTE] = EXAMPLE
    inspecting.read(target())


def recognised(screen: Inspecting) -> None:
    """What the text is, and how many problems it has."""
    if screen.payload is None or screen.report is None:
        return
    st.text(f"Recognised: {screen.payload.recognised}")
    counts = screen.report.counts
    errors = sum(count for code, count in counts.items() if CATALOGUE[code].severity == "error")
    st.markdown(tally(errors, sum(counts.values()) - errors) or ":blue-badge[✓ well-formed]")


def problems(screen: Inspecting) -> None:
    """Every problem, with its line in the pasted text."""
    if screen.report is None or screen.payload is None:
        return
    issues = screen.report.issues(limit=LISTED)
    problem_list("inspect", issues, where=lambda issue: _line(screen, issue))
    if len(issues) == LISTED:
        st.caption(f"The first {LISTED} problems.")


def _line(screen: Inspecting, issue: Issue) -> str:
    if screen.payload is None:
        return ""
    line, column = position(screen.payload, issue.place.pointer)
    return f"Line {line:,}, column {column:,} · {issue.place.path}"


def ways_on(screen: Inspecting, to: Target) -> None:
    """From here to Compose, or to the target."""
    good, everything = inspecting.plan(everything=False), inspecting.plan(everything=True)
    if everything is None or screen.payload is None:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if good is not None and sending.named(to, "inspect"):
            st.button(
                f"Send {counted(good.events, 'event')} to {escaped(to.title)}",
                key="inspect-send",
                type="primary",
                disabled=screen.on_its_way,
                on_click=inspecting.send,
                args=(to, sending.policy_of(to)),
            )
        if good is None or good.events < everything.events:
            with st.popover("Send as it is", key="inspect-as-it-is"):
                st.text("A deliberately wrong event is a test case. Every event leaves exactly as it was pasted.")
                if sending.named(to, "inspect-as-it-is"):
                    st.button(
                        f"Send all {counted(everything.events, 'event')}, as they are",
                        key="inspect-send-as-it-is",
                        on_click=inspecting.send,
                        args=(to, sending.policy_of(to)),
                        kwargs={"as_it_is": True},
                    )
        if st.button("Open in Compose", key="inspect-compose"):
            composing.take_over(screen.payload)
            st.switch_page("compose.py")


def result(screen: Inspecting) -> None:
    """Progress, then what became of it: every request with its answer, or the way to them where they are many."""
    batch = screen.batch or ""
    if screen.on_its_way:
        sending.watch(batch)
        if not house().history.batch(batch).moves:
            st.rerun()  # it arrived while this screen was drawn
        return
    found = house().history.batch(batch)
    requests = house().history.requests(batch)
    if screen.doubled:
        st.text(composing.DOUBLE_CLICK)
    try:
        if requests.total == 1:
            exchange(house().history.request(requests.items[0].id), where(found))
        else:
            st.markdown(badges(found.events))
    finally:  # asking for feeds may take long, and the second half of a double click waits behind it
        inspecting.shown()
    if found.reason:
        st.text(found.reason)
    sending.controls(found)
    st.page_link("history.py", label="See it in History", query_params={"batch": batch})


def marked_text(screen: Inspecting) -> None:
    """The text as it was pasted, every digit of it, with a mark on each line that has a problem."""
    if screen.payload is None or screen.report is None:
        return
    marks: dict[int, str] = {}
    for issue in screen.report.issues(limit=1000):
        line, _ = position(screen.payload, issue.place.pointer)
        if marks.get(line) != LOOKS["error"].shape:
            marks[line] = LOOKS[issue.severity].shape
    lines = LINE_END.split(screen.payload.text)
    width = len(str(len(lines)))
    shown = [f"{n:>{width}} {marks.get(n, ' ')} {line}" for n, line in enumerate(lines[:LINES_DRAWN], 1)]
    st.caption("The text as it was pasted, with the lines that have problems marked")
    raw("\n".join(shown), 500 if len(shown) > 25 else None)
    if len(lines) > LINES_DRAWN:
        st.caption(f"The first {LINES_DRAWN:,} of {counted(len(lines), 'line')}.")
