"""The pieces of the Inspect screen."""

import streamlit as st

from intempt_core import ISSUE_KINDS, Issue, Target
from intempt_core.marking import MAX_LINES_DRAWN, annotate_lines, escape_invisible
from intempt_core.payloads import MAX_PASTED_CHARS, TOO_LONG_HINT, locate_in_payload
from intempt_core.snippets import render_curl_snippet, render_node_snippet, render_python_snippet
from intempt_core.text_mends import preview_text_fixes
from intempt_core.verdicts import VerdictTone, Verdict
from pages.parts import composing, inspecting, sending
from pages.parts.exchange import exchange
from pages.parts.frame import target
from pages.parts.history_view import where
from pages.parts.house import house
from pages.parts.inspecting import PASTE, Inspecting
from pages.parts.look import badges, counted, escaped
from pages.parts.marked_text import difference, marked_text
from pages.parts.paste_guard import paste_guard
from pages.parts.problems import problem_list, tally
from pages.parts.session import key
from pages.parts.taking import link, safe

LISTED = 20
"""Problems on one page of the list beside the text."""

EVENTS_SHOWN = 5
"""Events whose verdicts stand on one page."""

TYPES = ("json", "jsonl", "txt", "log", "sh", "html")
"""Endings of the files that can be dropped."""

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

TONES = {
    VerdictTone.GOOD: ("●", "green"),
    VerdictTone.FINE: ("✓", "blue"),
    VerdictTone.DOUBT: ("◆", "orange"),
    VerdictTone.BAD: ("■", "red"),
    VerdictTone.NOTHING: ("–", "gray"),
}
"""How a verdict looks: green only for what is known, red only for what is certain to be wrong."""


def paste(screen: Inspecting) -> None:
    """The place to paste, whole and as it is, or to drop a file."""
    st.text_area(
        "Paste or drop a request body, one event, a list of events, JSON lines, or a cURL command",
        key=PASTE,
        height=320 if screen.payload is None else 160,
        on_change=lambda: inspecting.read(target()),
        persist_state="session",
    )
    paste_guard(
        PASTE, MAX_PASTED_CHARS, TOO_LONG_HINT, lambda text: inspecting.read_text(target(), text), key="inspect-guard"
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("Inspect", key="inspect-read", type="primary" if screen.payload is None else "secondary",
                  on_click=lambda: inspecting.read(target()))  # fmt: skip
        if screen.before:
            st.button("Undo the last mend", key="inspect-undo", on_click=inspecting.undo, args=(target(),))
        with st.popover("Open a file", key="inspect-drop", type="tertiary"):
            file_key = key("inspect-file", screen.files)
            st.file_uploader(
                f"A text of up to {MAX_PASTED_CHARS / 1e6:.0f} MB",
                TYPES,
                key=file_key,
                max_upload_size=MAX_PASTED_CHARS // 1_000_000,
                on_change=_dropped,
                args=(file_key,),
            )


def _dropped(file_key: str) -> None:
    file = st.session_state.get(file_key)
    if file is not None:
        inspecting.read_file(target(), file.name, file.getvalue())


def empty(screen: Inspecting) -> None:
    """Before there is something readable: what this is for, or why the text cannot be read."""
    if screen.trouble:
        st.markdown(":red-badge[■ this cannot be read]")
        st.text(escape_invisible(screen.trouble))
        if screen.note:
            st.text(screen.note)
        return
    st.text("Paste what an application sent, and see what is wrong with it, where, and how to mend it.")
    st.caption("A command is read and never run. A key in it is masked at once, and kept nowhere.")
    st.button("Show me with an example", key="inspect-example", on_click=_example)


def _example() -> None:
    st.session_state[PASTE] = EXAMPLE
    inspecting.read(target())


def recognised(screen: Inspecting) -> None:
    """What the text is, and how many problems it has."""
    if screen.payload is None or screen.report is None:
        return
    st.text(f"Recognised: {screen.payload.recognised}")
    if screen.case is not None:
        st.text(escape_invisible(f"From a case file made {screen.case.made_at}; its identities are {screen.case.identities}."))
        with st.expander("What else the case file says", type="compact", key="inspect-case"):
            for fact in screen.case.facts:
                st.text(escape_invisible(fact))
    for note in (*screen.payload.notes, *([screen.note] if screen.note else [])):
        st.text(escape_invisible(note))
    counts = screen.report.counts
    errors = sum(count for code, count in counts.items() if ISSUE_KINDS[code].severity == "error")
    st.markdown(tally(errors, sum(counts.values()) - errors) or ":blue-badge[✓ well-formed]")


def verdicts(screen: Inspecting, to: Target) -> None:
    """Three verdicts on each event, kept apart."""
    if screen.payload is None or not screen.payload.events:
        return
    pages = -(-len(screen.payload.events) // EVENTS_SHOWN)
    page = st.pagination(pages, key="inspect-events-page") if pages > 1 else 1
    for one in inspecting.verdicts(to, page, EVENTS_SHOWN):
        with st.container(border=True, gap="xsmall", key=key("inspect-event", one.row)):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.text(escape_invisible(f"Event {one.row} · {one.name} · {one.event_id or 'no event id'}"), width="stretch")
                if one.event_id:
                    link("history.py", "In History", {"event": one.event_id})
                if one.person:
                    link("feeds.py", "Feeds", {"target": to.name, "by": one.person[0], "person": one.person[1]})
            for column, (title, verdict) in zip(
                st.columns(3),
                {"Well-formed": one.well_formed, "Accepted": one.accepted, "Will matter": one.matters}.items(),
                strict=True,
            ):
                with column, st.container(gap="xxsmall"):
                    _verdict(title, verdict)


def _verdict(title: str, verdict: Verdict) -> None:
    sign, colour = TONES[verdict.tone]
    st.caption(title)
    st.markdown(f":{colour}-badge[{sign} {verdict.label}]")
    if verdict.detail:
        st.text(escape_invisible(verdict.detail))


def problems(screen: Inspecting) -> None:
    """Every problem, with its line in the pasted text, the way there, and its mend where that is certain."""
    if screen.report is None or screen.payload is None:
        return
    total = screen.report.issue_count()
    pages = -(-total // LISTED)
    if len(screen.mends) > 1:
        with st.container(horizontal=True, vertical_alignment="center"):
            certain = counted(len(screen.mends), "problem")
            st.button(f"Mend {certain}: show the difference", key="inspect-mend-all", on_click=inspecting.look_at,
                      args=(-1,))  # fmt: skip
    if screen.preview == -1:
        preview(screen)
    page = st.pagination(pages, key="inspect-page") if pages > 1 else 1
    first = (page - 1) * LISTED

    issues = screen.report.issues(first, LISTED)
    numbers = {id(issue): first + number for number, issue in enumerate(issues)}
    problem_list(
        "inspect",
        issues,
        where=lambda issue: _line(screen, issue, numbers[id(issue)]),
        beside=lambda number: _mend_buttons(screen, first + number),
        below=lambda number: preview(screen) if screen.preview == first + number else None,
        allowed=True,
    )
    if total > len(screen.marks):
        st.caption(f"The first {len(screen.marks):,} problems are marked in the text.")


def _mend_buttons(screen: Inspecting, number: int) -> None:
    if number in screen.mends:
        st.button("Mend: show the difference", key=key("inspect-mend", number), type="tertiary",
                  on_click=inspecting.look_at, args=(number,))  # fmt: skip
    if number < len(screen.marks):
        st.button("Go there", key=key("inspect-go", number), type="tertiary", on_click=inspecting.go_to,
                  args=(number,))  # fmt: skip


def preview(screen: Inspecting) -> None:
    """What a mend would change, before it does."""
    if screen.payload is None:
        return
    mends = inspecting.chosen()
    changes = preview_text_fixes(screen.payload.text, mends)
    st.text(mends[0].title if len(mends) == 1 else f"{counted(len(changes), 'change')}; the rest stays as it is.")
    difference(changes, key="inspect-difference")
    with st.container(horizontal=True):
        what = "it" if len(mends) == 1 else counted(len(mends), "problem")
        st.button(f"Mend {what} in the text", key="inspect-mend-really", type="primary", on_click=inspecting.mend,
                  args=(target(),))  # fmt: skip
        st.button("Leave it", key="inspect-mend-not", on_click=inspecting.look_at, args=(None,))


def _line(screen: Inspecting, issue: Issue, number: int) -> str:
    if screen.payload is None:
        return ""
    marked = screen.places.get(number)
    place = (
        locate_in_payload(screen.payload, issue.place.pointer) if marked is None else screen.payload.line_column(marked)
    )
    words = [f"Line {place[0]:,}, column {place[1]:,}", issue.place.path]
    return escape_invisible(" · ".join(part for part in words if part))


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
        with st.popover("Copy as", key="inspect-copy", type="tertiary"):
            copies(everything.body(everything.requests[0]), len(everything.requests), to)


def copies(body: bytes, requests: int, to: Target) -> None:
    """The request for a shell, for Python and for Node."""
    st.caption("The key stands in the environment, as INTEMPT_API_KEY.")
    if requests > 1:
        st.caption(f"The first of {requests:,} requests.")
    for title, written in (("cURL", render_curl_snippet), ("Python with httpx", render_python_snippet), ("Node with fetch", render_node_snippet)):
        st.caption(title)
        st.code(safe(written(to, body)), language=None, wrap_lines=True)


def result(screen: Inspecting) -> None:
    """Progress, then what became of it: every request with its answer, or the way to them where they are many."""
    batch = screen.batch or ""
    if screen.on_its_way:
        sending.watch(batch)
        if not house().history.batch(batch).is_active:
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
    link("history.py", "See it in History", {"batch": batch})


def text(screen: Inspecting) -> None:
    """The text as it was pasted, every digit of it, with a mark at each problem."""
    whole = screen.payload.text if screen.payload else screen.text
    if not whole:
        return
    total = whole.count("\n") + 1
    first = max(1, min(screen.focus - MAX_LINES_DRAWN // 2, total - MAX_LINES_DRAWN + 1))
    st.caption("The text as it was pasted, with its problems marked; what nobody can see is written out")
    titles = {number: issue.kind.title for number, issue in enumerate(screen.issues)}
    lines = annotate_lines(whole, screen.marks, first, MAX_LINES_DRAWN)
    marked_text(lines, titles, key="inspect-text", focus=screen.focus, asked=screen.asked, label="The pasted text")
    if total > MAX_LINES_DRAWN:
        st.caption(f"Lines {first:,} to {first + len(lines) - 1:,} of {total:,}.")
