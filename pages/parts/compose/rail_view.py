"""What stays in view beside the form: its state or its result, the buttons, the problems, and the request."""

from typing import TYPE_CHECKING

import streamlit as st

from intempt_core.contract import format_count
from intempt_core.targets import Target
from intempt_core.validation import escape_invisible
from pages.parts.compose.field_view import IssuesByField
from pages.parts.compose.sending import (
    check_form,
    may_have_arrived,
    read_sent_body,
    see_history_once,
    send_form,
    send_same_request,
)
from pages.parts.compose.state import ComposeState, FieldIssue, FormState, focus_issue
from pages.parts.shared.formatting import (
    STATE_STYLES,
    TEAM_STYLE,
    escape_markdown,
    format_size,
    show_raw_text,
)
from pages.parts.shared.links import show_copyable_link, show_link
from pages.parts.shared.outcome_card import show_result_details
from pages.parts.shared.problem_list import format_issue_summary
from pages.parts.shared.result_view import show_result
from pages.parts.shared.screen_state import make_key
from pages.parts.shared.send_flow import (
    confirm_target_name,
    describe_deduplication,
    get_default_policy,
    see_history,
    show_batch_controls,
    show_send_trouble,
    watch_batch,
    watch_for_changes,
)
from pages.parts.shared.send_guard import DOUBLE_CLICK_MESSAGE
from pages.parts.shared.services import get_services
from pages.parts.shared.session_targets import find_batch_target
from pages.parts.shared.snippets import show_snippets
from pages.parts.shared.team_rules import show_rules_choice
from pages.parts.shared.widgets.focus_field import focus_field

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


def show_rail(screen: ComposeState, target: Target, issues: IssuesByField) -> "DeltaGenerator":
    """The state of the form, then the buttons, then what is to be looked at; returns the place of the result.

    That is where the state is. It is filled when everything else is drawn: reading feeds may take long.
    """
    with st.container(key="compose-rail", gap="small"):
        place = st.container(key="compose-result", gap="small")
        with place:
            if screen.guard.batch is None:
                show_form_state(screen, issues)
            elif screen.guard.is_sending:
                show_progress(screen.guard.batch)
        show_send_buttons(screen, target)
        show_problem_links(issues)
        show_request_text(screen, target)
        show_rules_choice("compose")
    return place


def show_form_state(screen: ComposeState, issues: IssuesByField) -> None:
    """Whether the form was checked, and what came of it; after a send that was stopped, that nothing was sent."""
    badge = {
        FormState.NOT_CHECKED: ":gray-badge[… not checked]",
        FormState.CHECKING: ":gray-badge[… checking]",
        FormState.READY: ":blue-badge[✓ ready]",
    }.get(screen.state, "")
    if screen.was_stopped:
        badge = ":gray-badge[○ not sent]"
    found = [one.issue for field_issues in issues.values() for one in field_issues]
    st.markdown(f"{badge} {format_issue_summary(found)}".strip())
    if screen.was_stopped:
        st.text("Nothing was sent: solve the problems first, or send it anyway.")


def show_progress(batch: str) -> None:
    """Progress while the request is in flight."""
    watch_batch(batch)
    found = get_services().history.queries.batch(batch)
    show_batch_controls(found)
    if not found.is_active:
        st.rerun()  # it settled while this screen was drawn


def show_send_buttons(screen: ComposeState, target: Target) -> None:
    """The buttons to check and send; events with problems are sent anyway behind a confirmation."""
    see_history_once(target)
    events = format_count(len(screen.forms), "event")
    busy = screen.guard.is_sending
    is_confirmed = confirm_target_name(target, "compose")
    with st.container(horizontal=True):
        if is_confirmed:
            st.button(
                f"Send {events} to {escape_markdown(target.title)}",
                key="compose-send",
                type="primary",
                disabled=busy,
                on_click=send_form,
                args=(target, get_default_policy(target)),
            )
            if screen.state is FormState.PROBLEMS:
                with st.popover("Send anyway", key="compose-as-it-is"):
                    st.text("A deliberately wrong event is a test case. It is sent exactly as shown.")
                    st.button(
                        f"Send {events} with problems",
                        key="compose-send-as-it-is",
                        on_click=send_form,
                        args=(target, get_default_policy(target)),
                        kwargs={"as_it_is": True},
                    )
        st.button("Check", key="compose-check", disabled=busy, on_click=check_form, args=(target,))
    show_send_trouble(screen.guard, "compose")


def show_problem_links(issues: IssuesByField) -> None:
    """A line for each problem, which leads to its field; what is wrong and how to fix it stands there."""
    found = [one for field_issues in issues.values() for one in field_issues]
    if not found:
        return
    with st.container(key="compose-problems", gap="xxsmall"):
        for number, one in enumerate(found):
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                st.markdown(_format_problem(one), width="stretch")
                st.button(
                    "Jump to field",
                    key=make_key("compose-go", number),
                    type="tertiary",
                    on_click=focus_issue,
                    args=(one.issue,),
                )


def _format_problem(found: FieldIssue) -> str:
    issue = found.issue
    style = STATE_STYLES[issue.severity] if issue.rule is None else TEAM_STYLE
    where = f"Event {found.events[0]}" if len(found.events) == 1 else format_count(len(found.events), "event")
    return f":{style.colour}[{style.shape}] {where}: {escape_markdown(escape_invisible(issue.kind.title))}"


def show_request_text(screen: ComposeState, target: Target) -> None:
    """The exact request: as it was sent, while its outcome is shown, and else as it will be sent."""
    sent = read_sent_body(screen.guard.batch) if screen.guard.batch else None
    body, text = screen.render_request() if sent is None else (sent, sent.decode("utf-8", "replace"))
    what = "Request as it was sent" if sent is not None else "Request"
    with st.expander(f"{what} ({format_size(len(body))})", key="compose-request"):
        show_raw_text(f"POST {target.track_url}\nContent-Type: application/json\n\n{text}", 420)
        if sent is None:
            st.caption("Formatted for reading; sent as one line.")
        copy = st.popover("Copy as code", key="compose-copy", type="tertiary", width="content", on_change="rerun")
        if copy.open:
            with copy:
                show_snippets(target, body)


def show_outcome(screen: ComposeState, place: "DeltaGenerator") -> None:
    """The result in its place beside the form, and under the form what it was read from; once nothing is in flight."""
    batch = screen.guard.batch
    if batch is None or screen.guard.is_sending:
        return
    queries = get_services().history.queries
    found = queries.batch(batch)
    target = find_batch_target(found)
    requests = [queries.request(request.id) for request in queries.requests(batch).items]
    try:
        with place:
            readings = [show_result(request, target, guard=screen.guard) for request in requests]
            show_result_links(screen, batch)
        st.divider()
        for request, reading in zip(requests, readings, strict=True):
            show_result_details(request, target, reading)
    finally:  # reading feeds may take long, and the second half of a double click waits for it
        screen.guard.mark_outcome_shown()
    if found.reason:
        st.text(found.reason)
    show_batch_controls(found)
    watch_for_changes(found)
    if found.is_final and target is not None:
        show_resend_button(target, arrived=may_have_arrived(found))


def show_result_links(screen: ComposeState, batch: str) -> None:
    """The links to a result, and that a double click sent nothing more."""
    if screen.guard.double_clicked:
        st.text(DOUBLE_CLICK_MESSAGE)
    with st.container(horizontal=True, vertical_alignment="center", key="compose-links"):
        show_link("history.py", "See it in History", {"batch": batch})
        show_copyable_link("history", {"batch": batch}, key="compose-copy-link")


def show_resend_button(target: Target, *, arrived: bool) -> None:
    """The button that resends the same request to where it went, and what the target will do with it."""
    if confirm_target_name(target, "compose-resend"):
        with st.container(horizontal=True, vertical_alignment="center", key="compose-resend"):
            label = f"Resend the same request to {escape_markdown(target.title)}"
            st.button(label, key="compose-same", on_click=send_same_request, args=(target, see_history(target)))
            with st.container(width="stretch"):
                nothing = "None of it arrived, so nothing is counted twice."
                st.text(describe_deduplication(target) if arrived else nothing)


def focus_chosen_field(screen: ComposeState) -> None:
    """Put the cursor into the field that a button asked for."""
    if screen.focus:
        focus_field(screen.focus, key="compose-focus")
        screen.focus = None
