"""What the Inspect screen shows: the paste area, the payload's problems and verdicts, its fixes, its outcome."""

import streamlit as st

from intempt_core.analysis import Verdict, VerdictTone
from intempt_core.contract import ISSUE_KINDS, Issue, format_count
from intempt_core.exports import render_curl_snippet, render_node_snippet, render_python_snippet
from intempt_core.fixes import preview_text_fixes
from intempt_core.readers import (
    KEY_HINT,
    MAX_HAR_BYTES,
    MAX_PASTED_CHARS,
    TOO_LONG_HINT,
    ListedRequest,
    locate_in_payload,
)
from intempt_core.targets import MIN_SECRET_CHARACTERS, Target
from intempt_core.validation import MAX_LINES_DRAWN, annotate_lines, escape_invisible
from pages.parts.inspect.state import (
    PASTE_WIDGET,
    REQUEST_WIDGET,
    InspectState,
    apply_previewed_fixes,
    choose_request,
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
from pages.parts.shared.formatting import escape_markdown
from pages.parts.shared.links import guard_copied_text, open_in_compose, show_link
from pages.parts.shared.outcome_card import show_outcome_card
from pages.parts.shared.problem_list import format_issue_counts, show_problem_list
from pages.parts.shared.result_view import show_batch_result
from pages.parts.shared.screen_state import make_key
from pages.parts.shared.send_flow import (
    confirm_target_name,
    get_default_policy,
    show_batch_controls,
    show_send_trouble,
    watch_batch,
    watch_for_changes,
)
from pages.parts.shared.send_guard import DOUBLE_CLICK_MESSAGE
from pages.parts.shared.services import get_services
from pages.parts.shared.session_targets import find_batch_target, get_selected_target
from pages.parts.shared.team_rules import show_rules_choice
from pages.parts.shared.widgets.annotated_text import show_annotated_text, show_text_changes
from pages.parts.shared.widgets.paste_guard import guard_paste

ISSUES_PER_PAGE = 20
"""Problems on one page of the list beside the text."""

REQUESTS_PER_PAGE = 20
"""Requests of a text on one page of their list."""

EVENTS_PER_PAGE = 5
"""Events whose verdicts are on one page."""

PASTE_FILE_TYPES = ("json", "jsonl", "txt", "log", "sh", "html", "har", "ps1", "bat", "cmd", "js")
"""Suffixes of the files that can be opened."""

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
"""Shape and colour of a verdict: green only for what is known, red only for what is certain to be wrong."""


def show_paste_area(screen: InspectState) -> None:
    """The text area to paste into, and the buttons below it."""
    st.text_area(
        "Paste or drop a request body, one event, a list of events, JSON lines, or a request copied as cURL, "
        "PowerShell, fetch or HAR",
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
        min_key_characters=MIN_SECRET_CHARACTERS,
        key_hint=KEY_HINT,
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("Inspect", key="inspect-read", type="primary" if screen.payload is None else "secondary",
                  on_click=lambda: read_paste(get_selected_target()))  # fmt: skip
        if screen.undo_texts:
            st.button(
                "Undo last fix",
                key="inspect-undo",
                on_click=undo_last_fix,
                args=(get_selected_target(),),
            )
        show_rules_choice("inspect")
        with st.popover("Open a file", key="inspect-drop", type="tertiary"):
            file_key = make_key("inspect-file", screen.files_dropped)
            st.file_uploader(
                f"A text of up to {MAX_PASTED_CHARS / 1e6:.0f} MB, or a HAR file of up to {MAX_HAR_BYTES / 1e6:.0f} MB",
                PASTE_FILE_TYPES,
                key=file_key,
                max_upload_size=MAX_HAR_BYTES // 1_000_000,
                on_change=_read_uploaded_file,
                args=(file_key,),
            )


def _read_uploaded_file(file_key: str) -> None:
    file = st.session_state.get(file_key)
    if file is not None:
        read_dropped_file(get_selected_target(), file.name, file.getvalue())


def show_inspect_intro(screen: InspectState) -> None:
    """Without a readable text: what this screen is for, or why the text cannot be read."""
    if screen.trouble:
        st.markdown(":red-badge[■ cannot be read]")
        st.text(escape_invisible(screen.trouble))
        if screen.note:
            st.text(screen.note)
        show_requests(screen)
        return
    st.text("Paste what an application sent, and see what is wrong with it, where, and how to fix it.")
    st.caption("A command is read and never run. A key in it is masked at once, and not stored.")
    st.button("Try an example", key="inspect-example", on_click=_fill_example)


def _fill_example() -> None:
    st.session_state[PASTE_WIDGET] = EXAMPLE_PAYLOAD
    read_paste(get_selected_target())


def show_recognition(screen: InspectState) -> None:
    """What the text was recognised as, and how many problems it has."""
    if screen.payload is None or screen.report is None:
        return
    st.text(f"Recognised: {screen.payload.recognised}")
    if screen.case is not None:
        st.text(
            escape_invisible(
                f"From a case file made {screen.case.made_at}; its identities are {screen.case.identities}."
            )
        )
        with st.expander("More from the case file", type="compact", key="inspect-case"):
            for fact in screen.case.facts:
                st.text(escape_invisible(fact))
    for note in (*screen.payload.notes, *([screen.note] if screen.note else [])):
        st.text(escape_invisible(note))
    show_requests(screen)
    counts = screen.report.counts
    errors = sum(count for code, count in counts.items() if ISSUE_KINDS[code].severity == "error")
    team = sum(screen.report.issue_count(code) for code in screen.report.rule_counts)
    st.markdown(format_issue_counts(errors, sum(counts.values()) - errors, team) or ":blue-badge[✓ no problems]")


def show_requests(screen: InspectState) -> None:
    """The requests of a text that holds several, and the choice of one."""
    if len(screen.requests) < 2:
        return
    requests = {one.number: one for one in screen.requests}
    st.selectbox(
        "Request",
        [None, *requests],
        format_func=lambda number: (
            "Those that go to a track path" if number is None else _format_request(requests[number])
        ),
        key=REQUEST_WIDGET,
        on_change=lambda: choose_request(get_selected_target()),
    )
    with st.expander(f"All {len(requests):,} requests", type="compact", key="inspect-requests"):
        page = (
            st.pagination(-(-len(requests) // REQUESTS_PER_PAGE), key="inspect-requests-page")
            if (len(requests) > REQUESTS_PER_PAGE)
            else 1
        )
        for one in screen.requests[(page - 1) * REQUESTS_PER_PAGE : page * REQUESTS_PER_PAGE]:
            st.text(("● " if one.is_read else "– ") + _format_request(one))
            if one.remark and not one.is_read:
                st.caption(escape_markdown(escape_invisible(one.remark)))


def _format_request(one: ListedRequest) -> str:
    parts = [f"{one.number}", one.method, one.url or "no address", one.status]
    return escape_invisible(" · ".join(part for part in parts if part))


def show_verdicts(screen: InspectState, to: Target) -> None:
    """Three verdicts on each event, kept apart."""
    if screen.payload is None or not screen.payload.events:
        return
    pages = -(-len(screen.payload.events) // EVENTS_PER_PAGE)
    page = st.pagination(pages, key="inspect-events-page") if pages > 1 else 1
    for event in collect_verdicts(to, page, EVENTS_PER_PAGE):
        with st.container(border=True, gap="xsmall", key=make_key("inspect-event", event.row)):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.text(
                    escape_invisible(f"Event {event.row} · {event.name} · {event.event_id or 'no event id'}"),
                    width="stretch",
                )
                if event.event_id:
                    show_link("history.py", "In History", {"event": event.event_id})
                if event.person:
                    show_link(
                        "feeds.py", "Feeds", {"target": to.name, "by": event.person[0], "person": event.person[1]}
                    )
            for column, (title, verdict) in zip(
                st.columns(3),
                {"Well-formed": event.well_formed, "Accepted": event.accepted, "Takes effect": event.matters}.items(),
                strict=True,
            ):
                with column, st.container(gap="xxsmall"):
                    _show_verdict(title, verdict)


def _show_verdict(title: str, verdict: Verdict) -> None:
    shape, colour = TONE_STYLES[verdict.tone]
    st.caption(title)
    st.markdown(f":{colour}-badge[{shape} {verdict.label}]")
    if verdict.detail:
        st.text(escape_invisible(verdict.detail))


def show_payload_problems(screen: InspectState) -> None:
    """Every problem, with its line in the pasted text, and its fix where one is certain."""
    if screen.report is None or screen.payload is None:
        return
    total = screen.report.issue_count()
    pages = -(-total // ISSUES_PER_PAGE)
    if len(screen.fixes) > 1:
        with st.container(horizontal=True, vertical_alignment="center"):
            count = format_count(len(screen.fixes), "fix", "fixes")
            st.button(f"Preview {count}", key="inspect-fix-all", on_click=select_preview,
                      args=(-1,))  # fmt: skip
    if screen.preview == -1:
        show_text_fix_preview(screen)
    page = st.pagination(pages, key="inspect-page") if pages > 1 else 1
    first = (page - 1) * ISSUES_PER_PAGE

    issues = screen.report.issues(first, ISSUES_PER_PAGE)
    numbers = {id(issue): first + number for number, issue in enumerate(issues)}
    show_problem_list(
        "inspect",
        issues,
        describe_place=lambda issue: _format_issue_line(screen, issue, numbers[id(issue)]),
        beside=lambda number: _show_fix_buttons(screen, first + number),
        below=lambda number: show_text_fix_preview(screen) if screen.preview == first + number else None,
        show_allowed=True,
    )
    if total > len(screen.annotations):
        st.caption(f"The first {len(screen.annotations):,} problems are annotated in the text.")


def _show_fix_buttons(screen: InspectState, number: int) -> None:
    if number in screen.fixes:
        st.button("Preview fix", key=make_key("inspect-fix", number), type="tertiary",
                  on_click=select_preview, args=(number,))  # fmt: skip
    if number < len(screen.annotations):
        st.button("Jump to line", key=make_key("inspect-go", number), type="tertiary", on_click=focus_problem,
                  args=(number,))  # fmt: skip


def show_text_fix_preview(screen: InspectState) -> None:
    """The changes that the previewed fixes would make."""
    if screen.payload is None:
        return
    fixes = list_previewed_fixes()
    changes = preview_text_fixes(screen.payload.text, fixes)
    st.text(fixes[0].title if len(fixes) == 1 else f"{format_count(len(changes), 'change')}; the rest is not changed.")
    show_text_changes(changes, key="inspect-difference")
    with st.container(horizontal=True):
        count = format_count(len(fixes), "fix", "fixes")
        st.button(f"Apply {count}", key="inspect-fix-apply", type="primary", on_click=apply_previewed_fixes,
                  args=(get_selected_target(),))  # fmt: skip
        st.button("Cancel", key="inspect-fix-cancel", on_click=select_preview, args=(None,))


def _format_issue_line(screen: InspectState, issue: Issue, number: int) -> str:
    if screen.payload is None:
        return ""
    offset = screen.places.get(number)
    place = (
        locate_in_payload(screen.payload, issue.place.pointer) if offset is None else screen.payload.line_column(offset)
    )
    parts = [f"Line {place[0]:,}, column {place[1]:,}", issue.place.path]
    return escape_invisible(" · ".join(part for part in parts if part))


def show_payload_actions(screen: InspectState, to: Target) -> None:
    """The buttons to send the events, open them in Compose, and copy the request as code."""
    good, everything = plan_payload(everything=False), plan_payload(everything=True)
    if everything is None or screen.payload is None:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if good is not None and confirm_target_name(to, "inspect"):
            st.button(
                f"Send {format_count(good.events, 'event')} to {escape_markdown(to.title)}",
                key="inspect-send",
                type="primary",
                disabled=screen.guard.is_sending,
                on_click=send_payload,
                args=(to, get_default_policy(to)),
            )
        if good is None or good.events < everything.events:
            with st.popover("Send as it is", key="inspect-as-it-is"):
                st.text("A deliberately wrong event is a test case. Every event is sent exactly as it was pasted.")
                if confirm_target_name(to, "inspect-as-it-is"):
                    st.button(
                        f"Send {format_count(everything.events, 'event')} unchanged",
                        key="inspect-send-as-it-is",
                        on_click=send_payload,
                        args=(to, get_default_policy(to)),
                        kwargs={"as_it_is": True},
                    )
        if st.button("Open in Compose", key="inspect-compose"):
            open_in_compose(screen.payload)
        with st.popover("Copy as code", key="inspect-copy", type="tertiary"):
            show_snippets(everything.body(everything.requests[0]), len(everything.requests), to)
    show_send_trouble(screen.guard, "inspect")


def show_snippets(body: bytes, requests: int, to: Target) -> None:
    """The request as a cURL command, and as code for Python and Node."""
    st.caption("The key is read from the environment variable INTEMPT_API_KEY.")
    if requests > 1:
        st.caption(f"The first of {requests:,} requests.")
    for title, render in (
        ("cURL", render_curl_snippet),
        ("Python with httpx", render_python_snippet),
        ("Node with fetch", render_node_snippet),
    ):
        st.caption(title)
        st.code(guard_copied_text(render(to, body)), language=None, wrap_lines=True)


def show_inspect_result(screen: InspectState) -> None:
    """Progress, then the outcome: the card of one request, or counts and a link where there are more."""
    batch = screen.guard.batch or ""
    if screen.guard.is_sending:
        watch_batch(batch)
        if not get_services().history.queries.batch(batch).is_active:
            st.rerun()  # it settled while this screen was drawn
        return
    found = get_services().history.queries.batch(batch)
    requests = get_services().history.queries.requests(batch)
    if screen.guard.double_clicked:
        st.text(DOUBLE_CLICK_MESSAGE)
    try:
        if requests.total == 1:
            request = get_services().history.queries.request(requests.items[0].id)
            show_outcome_card(request, find_batch_target(found), guard=screen.guard)
        else:
            show_batch_result(found)
    finally:  # reading feeds may take long, and the second half of a double click waits for it
        screen.guard.mark_outcome_shown()
    if found.reason:
        st.text(found.reason)
    show_batch_controls(found)
    watch_for_changes(found)
    show_link("history.py", "Open in History", {"batch": batch})


def show_pasted_text(screen: InspectState) -> None:
    """The pasted text, unchanged, with an annotation at each problem."""
    text = screen.payload.text if screen.payload else screen.text
    if not text:
        return
    total = text.count("\n") + 1
    first = max(1, min(screen.focus - MAX_LINES_DRAWN // 2, total - MAX_LINES_DRAWN + 1))
    st.caption("The pasted text with its problems; invisible characters are written out")
    titles = {number: issue.kind.title for number, issue in enumerate(screen.issues)}
    lines = annotate_lines(text, screen.annotations, first, MAX_LINES_DRAWN)
    show_annotated_text(
        lines, titles, key="inspect-text", focus=screen.focus, focus_count=screen.focus_count, label="The pasted text"
    )
    if total > MAX_LINES_DRAWN:
        st.caption(f"Lines {first:,} to {first + len(lines) - 1:,} of {total:,}.")
