"""What the Compose screen shows, from top to bottom."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st

from intempt_core.contract import EVENT_EFFECTS, IDENTITY_FIELDS, EventName, Issue, Severity, format_count
from intempt_core.exports import render_curl_snippet, render_node_snippet, render_python_snippet
from intempt_core.targets import Target
from pages.parts.compose.form import (
    EARLIEST_TIME,
    LATEST_TIME,
    NO_TIME,
    TIME_CHOICES,
    TIME_CHOSEN,
    VALUE_PLACES,
    VALUE_TYPES,
    EventForm,
    ExtraValue,
)
from pages.parts.compose.state import (
    JOURNEY_TEMPLATES,
    ComposeState,
    FormState,
    check_form,
    fill_journey,
    find_issue_field,
    focus_issue,
    mark_edited,
    remove_event,
    renew_event_id,
    see_history_once,
    send_form,
    send_same_request,
    take_event_id,
)
from pages.parts.shared.formatting import (
    escape_markdown,
    format_issue_badge,
    format_size,
    format_state_badge,
    format_state_badges,
    show_raw_text,
)
from pages.parts.shared.outcome_card import show_outcome_card
from pages.parts.shared.problem_list import format_issue_summary, show_problem_list
from pages.parts.shared.product_names import show_product_name
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
from pages.parts.shared.team_rules import show_rules_choice
from pages.parts.shared.time_zones import get_browser_zone, list_time_zones
from pages.parts.shared.widgets.focus_field import focus_field


def show_journeys() -> None:
    """Journey templates that fill the form in one click."""
    with st.popover("Journey templates", key="compose-journeys", type="tertiary"):
        st.caption("A template fills the form with the events of one person, for the product and person on it.")
        for number, title in enumerate(JOURNEY_TEMPLATES):
            st.button(title, key=make_key("compose-journey", number), on_click=fill_journey, args=(title,))


def show_event_form(screen: ComposeState, form: EventForm) -> None:
    """The fields of one event, each with its problems under it."""
    issues = screen.issues_of(form)
    number = screen.forms.index(form) + 1
    with st.container(border=len(screen.forms) > 1, key=make_key("compose-event", form.uid)):
        if len(screen.forms) > 1:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**Event {number}** {format_issue_summary(issues)}", width="stretch")
                st.button("Remove", key=form.key("remove"), type="tertiary", on_click=remove_event, args=(form,))
        show_name_choice(form, issues)
        show_text_field(form, "data.productId", "Product id", issues, "The id in your catalogue, for example SKU_987")
        show_product_name(form.value("data.productId"))
        show_identity_fields(form, issues)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            with st.container(width="stretch"):
                show_text_input(form, "eventId", "Event id", "Unique to this event")
            st.button("↻ New id", key=form.key("fresh"), on_click=renew_event_id, args=(form,))
        show_field_problems(form, "eventId", issues)
        show_time_choice(form, issues)
        show_extra_values(form, issues)


def show_name_choice(form: EventForm, issues: list[Issue]) -> None:
    """The event names, and the effect of the chosen one."""
    names = [name.value for name in EventName]
    current = form.value("name", None)
    if current is not None and current not in names:
        names.append(str(current))
    st.pills(
        "Event",
        names,
        format_func=escape_markdown,
        key=form.key("name"),
        on_change=mark_edited,
        persist_state="session",
    )
    chosen = form.value("name", None)
    st.caption(EVENT_EFFECTS[EventName(chosen)] if chosen in EVENT_EFFECTS else "Choose an event.")
    show_field_problems(form, "name", issues)


def show_identity_fields(form: EventForm, issues: list[Issue]) -> None:
    """The identities; one of them is enough."""
    st.caption("Identity: at least one")
    for pair in (
        IDENTITY_FIELDS[:2],
        IDENTITY_FIELDS[2:],
    ):  # two rows, so that they keep their order on a narrow screen
        for column, identity in zip(st.columns(2), pair, strict=True):
            with column:
                show_text_field(form, identity, identity, issues)
    show_field_problems(form, "identity", issues)


def show_time_choice(form: EventForm, issues: list[Issue]) -> None:
    """The optional timestamp: none, now, or one chosen in a time zone."""
    st.segmented_control(
        "Time",
        TIME_CHOICES,
        key=form.key("when"),
        required=True,
        default=None if form.key("when") in st.session_state else NO_TIME,
        on_change=mark_edited,
        persist_state="session",
    )
    with st.container():
        if form.value("when") == TIME_CHOSEN:
            show_time_picker(form)
        elif form.value("when") == NO_TIME:
            st.caption("No timestamp: the server uses the time of arrival.")
        else:
            st.caption("The timestamp is set when the request is sent.")
    show_field_problems(form, "when", issues)


def show_time_picker(form: EventForm) -> None:
    """The time picker: minutes, seconds, and time zone."""
    if form.key("moment") not in st.session_state:  # the picker's own "now" is the server's, not the person's
        form.put("moment", datetime.now(get_browser_zone()).replace(tzinfo=None, second=0, microsecond=0))
    day, rest, zone = st.columns([3, 2, 3])
    common: dict[str, Any] = {"on_change": mark_edited, "persist_state": "session"}
    day.datetime_input(
        "Date and time",
        None,
        EARLIEST_TIME,
        LATEST_TIME,
        key=form.key("moment"),
        step=60,
        format="YYYY-MM-DD",
        required=True,
        **common,
    )
    rest.number_input("Seconds", 0.0, 59.999, step=1.0, format="%.3f", key=form.key("seconds"), **common)
    zone.selectbox("Time zone", list_time_zones(), key=form.key("zone"), **common)


def show_extra_values(form: EventForm, issues: list[Issue]) -> None:
    """Extra values, a row each: place, key, type and text."""
    paths = [(form.row(row).place, form.row(row).key) for row in form.rows]
    for index, row in enumerate(list(form.rows)):
        place, name, kind, content, remove = st.columns([3, 3, 3, 4, 1], vertical_alignment="bottom")
        common: dict[str, Any] = {"on_change": mark_edited, "persist_state": "session"}
        place.selectbox("In", VALUE_PLACES, key=form.key(f"row-{row}-in"), **common)
        name.text_input("Key", key=form.key(f"row-{row}-key"), **common)
        kind.selectbox("Type", VALUE_TYPES, key=form.key(f"row-{row}-type"), **common)
        content.text_input("Value", key=form.key(f"row-{row}-value"), **common)
        remove.button(
            "✕",
            key=form.key(f"row-{row}-remove"),
            type="tertiary",
            help="Remove this row",
            on_click=remove_extra_row,
            args=(form, row),
        )
        show_field_problems(
            form, f"row-{row}-value", issues, find_row_notes(form.row(row), repeated=paths[index] in paths[index + 1 :])
        )
    st.button("+ Add value", key=form.key("more"), type="tertiary", on_click=add_extra_row, args=(form,))
    show_field_problems(form, "more", issues)


def find_row_notes(row: ExtraValue, *, repeated: bool) -> list[str]:
    """What is surprising about a row; ``repeated`` if a row below it has the same key."""
    notes = ["Without a key this value is not sent."] if row.text and not row.key else []
    notes += ["The key has white space around it."] if row.key != row.key.strip() else []
    notes += ["The same key is used again below; the last one is sent."] if row.key and repeated else []
    return notes + (["This text does not match its type; it is sent as text."] if row.text and not row.fits else [])


def add_extra_row(form: EventForm) -> None:
    """Add a row for an extra value."""
    form.add_row()
    mark_edited()


def remove_extra_row(form: EventForm, row: int) -> None:
    """Remove a row of an extra value."""
    form.rows.remove(row)
    mark_edited()


def show_text_field(form: EventForm, field: str, label: str, issues: list[Issue], hint: str = "") -> None:
    """A text field and its problems."""
    show_text_input(form, field, label, hint)
    show_field_problems(form, field, issues)


def show_text_input(form: EventForm, field: str, label: str, hint: str = "") -> None:
    """A text field."""
    taken: Callable[[], None] = partial(take_event_id, form) if field == "eventId" else mark_edited
    st.text_input(label, key=form.key(field), placeholder=hint, on_change=taken, persist_state="session")


def show_field_problems(form: EventForm, field: str, issues: list[Issue], notes: Sequence[str] = ()) -> None:
    """The problems of a field, under it.

    The container is there without problems too, so that no other field moves, or loses what is being typed, when a
    problem appears or disappears.
    """
    with st.container(gap="xxsmall"):
        found = [issue for issue in issues if find_issue_field(form, issue) == field]
        messages = [(format_issue_badge(issue), f"{issue.message} {issue.fix}") for issue in found]
        for badge, sentence in [*messages, *((format_state_badge(Severity.WARNING), note) for note in notes)]:
            with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
                st.markdown(badge, width="content")
                with st.container(width="stretch"):
                    st.text(sentence)


def show_request_text(screen: ComposeState, target: Target) -> None:
    """The exact request as it will be sent."""
    st.markdown("**Request**")
    text = f"POST {target.track_url}\nContent-Type: application/json\n\n{screen.payload.text}"
    show_raw_text(text, 520 if len(screen.forms) > 1 else None)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Formatted for reading; the body is sent as one line, {format_size(len(screen.body))}.")
        with st.popover("Copy as code", key="compose-copy", type="tertiary", width="content"):
            st.caption("The key is read from the environment variable INTEMPT_API_KEY.")
            for title, render in (
                ("cURL", render_curl_snippet),
                ("Python", render_python_snippet),
                ("Node", render_node_snippet),
            ):
                st.caption(title)
                st.code(render(target, screen.body), language=None, wrap_lines=True)


def show_form_state(screen: ComposeState) -> None:
    """The form's state, or the outcome of the last send."""
    if screen.state is FormState.OUTCOME and screen.guard.batch:
        counts = get_services().history.queries.batch(screen.guard.batch).events
        st.markdown(f"{format_state_badges(counts)} :gray-badge[↓ response below]")
        if screen.guard.double_clicked:
            st.text(DOUBLE_CLICK_MESSAGE)
        return
    badge = {
        FormState.NOT_CHECKED: ":gray-badge[… not checked]",
        FormState.CHECKING: ":gray-badge[… checking]",
        FormState.READY: ":blue-badge[✓ ready]",
        FormState.SENDING: ":gray-badge[… sending]",
    }.get(screen.state, "")
    st.markdown(f"{badge} {format_issue_summary(screen.issues)}".strip())
    if screen.note:
        st.text(screen.note)


def show_form_problems(screen: ComposeState) -> None:
    """Every problem of every event, each with a button that leads to its field."""
    if screen.state is not FormState.OUTCOME:  # the form holds other ids by then
        show_problem_list("compose", screen.issues, focus_issue, _format_issue_place)


def _format_issue_place(issue: Issue) -> str:
    row = f"Event {issue.place.row}, " if issue.place.row else ""
    return f"{row}{issue.place.path}"


def show_send_buttons(screen: ComposeState, target: Target) -> None:
    """The buttons to check and send; events with problems are sent as they are behind a confirmation."""
    see_history_once(target)
    events = format_count(len(screen.forms), "event")
    busy = screen.guard.is_sending
    with st.container(horizontal=True):
        if confirm_target_name(target, "compose"):
            st.button(
                f"Send {events} to {escape_markdown(target.title)}",
                key="compose-send",
                type="primary",
                disabled=busy,
                on_click=send_form,
                args=(target, get_default_policy(target)),
            )
            if screen.state is FormState.PROBLEMS:
                with st.popover("Send as it is", key="compose-as-it-is"):
                    st.text("A deliberately wrong event is a test case. It is sent exactly as shown.")
                    st.button(
                        f"Send {events} with problems",
                        key="compose-send-as-it-is",
                        on_click=send_form,
                        args=(target, get_default_policy(target)),
                        kwargs={"as_it_is": True},
                    )
        st.button("Check", key="compose-check", disabled=busy, on_click=check_form, args=(target,))
    show_rules_choice("compose")
    show_send_trouble(screen.guard, "compose")


def show_outcome(screen: ComposeState) -> None:
    """Progress while the request is in flight, then its outcome card."""
    st.divider()
    batch = screen.guard.batch or ""
    if screen.guard.is_sending:
        watch_batch(batch)
        show_batch_controls(get_services().history.queries.batch(batch))
        if not get_services().history.queries.batch(batch).is_active:
            st.rerun()  # it settled while this screen was drawn
        return
    found = get_services().history.queries.batch(batch)
    target = find_batch_target(found)
    try:
        for request in get_services().history.queries.requests(batch).items:
            show_outcome_card(get_services().history.queries.request(request.id), target, guard=screen.guard)
    finally:  # reading feeds may take long, and the second half of a double click waits for it
        screen.guard.mark_outcome_shown()
    if found.reason:
        st.text(found.reason)
    show_batch_controls(found)
    watch_for_changes(found)
    if found.is_final and target is not None:
        show_resend_button(target)


def show_resend_button(target: Target) -> None:
    """The button that resends the same request to where it went, and what deduplication will do with it."""
    if confirm_target_name(target, "compose-resend"):
        with st.container(horizontal=True, vertical_alignment="center", key="compose-resend"):
            label = f"Resend the same request to {escape_markdown(target.title)}"
            st.button(label, key="compose-same", on_click=send_same_request, args=(target, see_history(target)))
            with st.container(width="stretch"):
                st.text(describe_deduplication(target))


def focus_chosen_field(screen: ComposeState) -> None:
    """Put the cursor into the field that "Jump to field" asked for."""
    if screen.focus:
        focus_field(screen.focus, key="compose-focus")
        screen.focus = None
