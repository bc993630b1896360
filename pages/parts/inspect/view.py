"""The pieces of the Inspect screen."""

import streamlit as st

from intempt_core.analysis import Verdict, VerdictTone
from intempt_core.contract import ISSUE_KINDS, Issue
from intempt_core.exports import render_curl_snippet, render_node_snippet, render_python_snippet
from intempt_core.fixes import preview_text_fixes
from intempt_core.readers import MAX_PASTED_CHARS, TOO_LONG_HINT, locate_in_payload
from intempt_core.targets import Target
from intempt_core.validation import MAX_LINES_DRAWN, annotate_lines, escape_invisible
from pages.parts.inspect.state import (
    PASTE_WIDGET,
    InspectState,
    apply_previewed_fixes,
    collect_verdicts,
    focus_problem,
    list_previewed_fixes,
    plan_payload,
    read_dropped_file,
    read_paste,
    read_pasted_text,
    select_preview,
    send_payload,
    undo_last_fix,
)
from pages.parts.shared.formatting import escape_markdown, format_quantity, format_state_badges
from pages.parts.shared.links import guard_copied_text, open_in_compose, show_link
from pages.parts.shared.outcome_card import show_outcome_card
from pages.parts.shared.problem_list import format_issue_counts, show_problem_list
from pages.parts.shared.screen_state import make_key
from pages.parts.shared.send_flow import (
    confirm_target_name,
    get_default_policy,
    show_batch_controls,
    show_send_trouble,
    watch_batch,
)
from pages.parts.shared.send_guard import DOUBLE_CLICK_MESSAGE
from pages.parts.shared.services import get_services
from pages.parts.shared.session_targets import find_batch_target, get_selected_target
from pages.parts.shared.widgets.marked_text import show_annotated_text, show_text_changes
from pages.parts.shared.widgets.paste_guard import guard_paste

ISSUES_PER_PAGE = 20
"""Problems on one page of the list beside the text."""

EVENTS_PER_PAGE = 5
"""Events whose verdicts stand on one page."""

PASTE_FILE_TYPES = ("json", "jsonl", "txt", "log", "sh", "html")
"""Endings of the files that can be dropped."""

EXAMPLE_PAYLOAD = """{
  "track": [
    {
      "name": "Added to cart",
      "payload": [
        {"eventId": "evt_1", "userId": "user_123", "data": {"productID": "SKU_987"}}
      ]
    }
  ]
}"""

TONE_STYLES = {
    VerdictTone.GOOD: ("●", "green"),
    VerdictTone.FINE: ("✓", "blue"),
    VerdictTone.DOUBT: ("◆", "orange"),
    VerdictTone.BAD: ("■", "red"),
    VerdictTone.NOTHING: ("–", "gray"),
}
"""How a verdict looks: green only for what is known, red only for what is certain to be wrong."""


def show_paste_area(screen: InspectState) -> None:
    """The place to paste, whole and as it is, or to drop a file."""
    st.text_area(
        "Paste or drop a request body, one event, a list of events, JSON lines, or a cURL command",
        key=PASTE_WIDGET,
        height=320 if screen.payload is None else 160,
        on_change=lambda: read_paste(get_selected_target()),
        persist_state="session",
    )
    guard_paste(
        PASTE_WIDGET,
        MAX_PASTED_CHARS,
        TOO_LONG_HINT,
        lambda text: read_pasted_text(get_selected_target(), text),
        key="inspect-guard",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("Inspect", key="inspect-read", type="primary" if screen.payload is None else "secondary",
                  on_click=lambda: read_paste(get_selected_target()))  # fmt: skip
        if screen.undo_texts:
            st.button(
                "Undo the last mend",
                key="inspect-undo",
                on_click=undo_last_fix,
                args=(get_selected_target(),),
            )
        with st.popover("Open a file", key="inspect-drop", type="tertiary"):
            file_key = make_key("inspect-file", screen.files_dropped)
            st.file_uploader(
                f"A text of up to {MAX_PASTED_CHARS / 1e6:.0f} MB",
                PASTE_FILE_TYPES,
                key=file_key,
                max_upload_size=MAX_PASTED_CHARS // 1_000_000,
                on_change=_read_uploaded_file,
                args=(file_key,),
            )


def _read_uploaded_file(file_key: str) -> None:
    file = st.session_state.get(file_key)
    if file is not None:
        read_dropped_file(get_selected_target(), file.name, file.getvalue())


def show_inspect_intro(screen: InspectState) -> None:
    """Before there is something readable: what this is for, or why the text cannot be read."""
    if screen.trouble:
        st.markdown(":red-badge[■ this cannot be read]")
        st.text(escape_invisible(screen.trouble))
        if screen.note:
            st.text(screen.note)
        return
    st.text("Paste what an application sent, and see what is wrong with it, where, and how to mend it.")
    st.caption("A command is read and never run. A key in it is masked at once, and kept nowhere.")
    st.button("Show me with an example", key="inspect-example", on_click=_fill_example)


def _fill_example() -> None:
    st.session_state[PASTE_WIDGET] = EXAMPLE_PAYLOAD
    read_paste(get_selected_target())


def show_recognition(screen: InspectState) -> None:
    """What the text is, and how many problems it has."""
    if screen.payload is None or screen.report is None:
        return
    st.text(f"Recognised: {screen.payload.recognised}")
    if screen.case is not None:
        st.text(
            escape_invisible(
                f"From a case file made {screen.case.made_at}; its identities are {screen.case.identities}."
            )
        )
        with st.expander("What else the case file says", type="compact", key="inspect-case"):
            for fact in screen.case.facts:
                st.text(escape_invisible(fact))
    for note in (*screen.payload.notes, *([screen.note] if screen.note else [])):
        st.text(escape_invisible(note))
    counts = screen.report.counts
    errors = sum(count for code, count in counts.items() if ISSUE_KINDS[code].severity == "error")
    st.markdown(format_issue_counts(errors, sum(counts.values()) - errors) or ":blue-badge[✓ well-formed]")


def show_verdicts(screen: InspectState, to: Target) -> None:
    """Three verdicts on each event, kept apart."""
    if screen.payload is None or not screen.payload.events:
        return
    pages = -(-len(screen.payload.events) // EVENTS_PER_PAGE)
    page = st.pagination(pages, key="inspect-events-page") if pages > 1 else 1
    for one in collect_verdicts(to, page, EVENTS_PER_PAGE):
        with st.container(border=True, gap="xsmall", key=make_key("inspect-event", one.row)):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.text(
                    escape_invisible(f"Event {one.row} · {one.name} · {one.event_id or 'no event id'}"), width="stretch"
                )
                if one.event_id:
                    show_link("history.py", "In History", {"event": one.event_id})
                if one.person:
                    show_link("feeds.py", "Feeds", {"target": to.name, "by": one.person[0], "person": one.person[1]})
            for column, (title, verdict) in zip(
                st.columns(3),
                {"Well-formed": one.well_formed, "Accepted": one.accepted, "Will matter": one.matters}.items(),
                strict=True,
            ):
                with column, st.container(gap="xxsmall"):
                    _show_verdict(title, verdict)


def _show_verdict(title: str, verdict: Verdict) -> None:
    sign, colour = TONE_STYLES[verdict.tone]
    st.caption(title)
    st.markdown(f":{colour}-badge[{sign} {verdict.label}]")
    if verdict.detail:
        st.text(escape_invisible(verdict.detail))


def show_payload_problems(screen: InspectState) -> None:
    """Every problem, with its line in the pasted text, the way there, and its mend where that is certain."""
    if screen.report is None or screen.payload is None:
        return
    total = screen.report.issue_count()
    pages = -(-total // ISSUES_PER_PAGE)
    if len(screen.fixes) > 1:
        with st.container(horizontal=True, vertical_alignment="center"):
            certain = format_quantity(len(screen.fixes), "problem")
            st.button(f"Mend {certain}: show the difference", key="inspect-mend-all", on_click=select_preview,
                      args=(-1,))  # fmt: skip
    if screen.preview == -1:
        show_fix_preview(screen)
    page = st.pagination(pages, key="inspect-page") if pages > 1 else 1
    first = (page - 1) * ISSUES_PER_PAGE

    issues = screen.report.issues(first, ISSUES_PER_PAGE)
    numbers = {id(issue): first + number for number, issue in enumerate(issues)}
    show_problem_list(
        "inspect",
        issues,
        describe_place=lambda issue: _format_issue_line(screen, issue, numbers[id(issue)]),
        beside=lambda number: _show_fix_buttons(screen, first + number),
        below=lambda number: show_fix_preview(screen) if screen.preview == first + number else None,
        show_allowed=True,
    )
    if total > len(screen.annotations):
        st.caption(f"The first {len(screen.annotations):,} problems are marked in the text.")


def _show_fix_buttons(screen: InspectState, number: int) -> None:
    if number in screen.fixes:
        st.button("Mend: show the difference", key=make_key("inspect-mend", number), type="tertiary",
                  on_click=select_preview, args=(number,))  # fmt: skip
    if number < len(screen.annotations):
        st.button("Go there", key=make_key("inspect-go", number), type="tertiary", on_click=focus_problem,
                  args=(number,))  # fmt: skip


def show_fix_preview(screen: InspectState) -> None:
    """What a mend would change, before it does."""
    if screen.payload is None:
        return
    mends = list_previewed_fixes()
    changes = preview_text_fixes(screen.payload.text, mends)
    st.text(
        mends[0].title if len(mends) == 1 else f"{format_quantity(len(changes), 'change')}; the rest stays as it is."
    )
    show_text_changes(changes, key="inspect-difference")
    with st.container(horizontal=True):
        what = "it" if len(mends) == 1 else format_quantity(len(mends), "problem")
        st.button(f"Mend {what} in the text", key="inspect-mend-really", type="primary", on_click=apply_previewed_fixes,
                  args=(get_selected_target(),))  # fmt: skip
        st.button("Leave it", key="inspect-mend-not", on_click=select_preview, args=(None,))


def _format_issue_line(screen: InspectState, issue: Issue, number: int) -> str:
    if screen.payload is None:
        return ""
    marked = screen.places.get(number)
    place = (
        locate_in_payload(screen.payload, issue.place.pointer) if marked is None else screen.payload.line_column(marked)
    )
    words = [f"Line {place[0]:,}, column {place[1]:,}", issue.place.path]
    return escape_invisible(" · ".join(part for part in words if part))


def show_payload_actions(screen: InspectState, to: Target) -> None:
    """From here to Compose, or to the target."""
    good, everything = plan_payload(everything=False), plan_payload(everything=True)
    if everything is None or screen.payload is None:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if good is not None and confirm_target_name(to, "inspect"):
            st.button(
                f"Send {format_quantity(good.events, 'event')} to {escape_markdown(to.title)}",
                key="inspect-send",
                type="primary",
                disabled=screen.guard.is_sending,
                on_click=send_payload,
                args=(to, get_default_policy(to)),
            )
        if good is None or good.events < everything.events:
            with st.popover("Send as it is", key="inspect-as-it-is"):
                st.text("A deliberately wrong event is a test case. Every event leaves exactly as it was pasted.")
                if confirm_target_name(to, "inspect-as-it-is"):
                    st.button(
                        f"Send all {format_quantity(everything.events, 'event')}, as they are",
                        key="inspect-send-as-it-is",
                        on_click=send_payload,
                        args=(to, get_default_policy(to)),
                        kwargs={"as_it_is": True},
                    )
        if st.button("Open in Compose", key="inspect-compose"):
            open_in_compose(screen.payload)
        with st.popover("Copy as", key="inspect-copy", type="tertiary"):
            show_snippets(everything.body(everything.requests[0]), len(everything.requests), to)
    show_send_trouble(screen.guard)


def show_snippets(body: bytes, requests: int, to: Target) -> None:
    """The request for a shell, for Python and for Node."""
    st.caption("The key stands in the environment, as INTEMPT_API_KEY.")
    if requests > 1:
        st.caption(f"The first of {requests:,} requests.")
    for title, written in (
        ("cURL", render_curl_snippet),
        ("Python with httpx", render_python_snippet),
        ("Node with fetch", render_node_snippet),
    ):
        st.caption(title)
        st.code(guard_copied_text(written(to, body)), language=None, wrap_lines=True)


def show_inspect_result(screen: InspectState) -> None:
    """Progress, then what became of it: every request with its answer, or the way to them where they are many."""
    batch = screen.guard.batch or ""
    if screen.guard.is_sending:
        watch_batch(batch)
        if not get_services().history.batch(batch).is_active:
            st.rerun()  # it arrived while this screen was drawn
        return
    found = get_services().history.batch(batch)
    requests = get_services().history.requests(batch)
    if screen.guard.double_clicked:
        st.text(DOUBLE_CLICK_MESSAGE)
    try:
        if requests.total == 1:
            show_outcome_card(get_services().history.request(requests.items[0].id), find_batch_target(found))
        else:
            st.markdown(format_state_badges(found.events))
    finally:  # asking for feeds may take long, and the second half of a double click waits behind it
        screen.guard.mark_outcome_shown()
    if found.reason:
        st.text(found.reason)
    show_batch_controls(found)
    show_link("history.py", "See it in History", {"batch": batch})


def show_pasted_text(screen: InspectState) -> None:
    """The text as it was pasted, every digit of it, with a mark at each problem."""
    whole = screen.payload.text if screen.payload else screen.text
    if not whole:
        return
    total = whole.count("\n") + 1
    first = max(1, min(screen.focus - MAX_LINES_DRAWN // 2, total - MAX_LINES_DRAWN + 1))
    st.caption("The text as it was pasted, with its problems marked; what nobody can see is written out")
    titles = {number: issue.kind.title for number, issue in enumerate(screen.issues)}
    lines = annotate_lines(whole, screen.annotations, first, MAX_LINES_DRAWN)
    show_annotated_text(
        lines, titles, key="inspect-text", focus=screen.focus, focus_count=screen.focus_count, label="The pasted text"
    )
    if total > MAX_LINES_DRAWN:
        st.caption(f"Lines {first:,} to {first + len(lines) - 1:,} of {total:,}.")
