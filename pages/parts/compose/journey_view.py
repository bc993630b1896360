"""The journey: one row for each event, which is added, moved, duplicated and removed by buttons."""

from collections.abc import Callable

import streamlit as st

from intempt_core.contract import EVENT_EFFECTS, EventName
from intempt_core.targets import Target, derive_target_key
from intempt_core.validation import escape_invisible
from pages.parts.compose.details_view import show_event_details
from pages.parts.compose.field_view import IssuesByField, show_field_problems, show_text_input
from pages.parts.compose.form import CommonFields, EventForm
from pages.parts.compose.saved_state import ask_for_name
from pages.parts.compose.saved_view import show_journey_head
from pages.parts.compose.state import (
    MAX_FORM_EVENTS,
    ComposeState,
    add_next_event,
    duplicate_event,
    keep_given_ids,
    mark_edited,
    move_event,
    remove_event,
    toggle_details,
    undo_replacing,
)
from pages.parts.shared.field_suggestions import show_product_suggestions
from pages.parts.shared.formatting import escape_markdown
from pages.parts.shared.services import get_services


def show_journey(screen: ComposeState, target: Target, issues: IssuesByField) -> None:
    """All events, in the order in which they are sent."""
    show_journey_head(screen)
    show_origin_notes(screen)
    common = CommonFields.read()
    for number, form in enumerate(screen.forms, 1):
        with st.container(key=form.key("event"), gap="xsmall"):
            show_event_row(screen, form, number, common)
            show_row_product_search(form, target)
            show_field_problems(form.key("name"), issues)
            show_field_problems(form.key("data.productId"), issues)
            if form.is_open:
                show_event_details(form, number, issues)
            elif details := form.describe_details():
                st.caption(escape_markdown(escape_invisible(details)))
    if len(screen.forms) == 1:
        name = screen.forms[0].value("name", None)
        st.caption(EVENT_EFFECTS[EventName(name)] if name in EVENT_EFFECTS else "Choose an event.")
    st.button(
        "+ Add event",
        key="compose-add",
        on_click=add_next_event,
        disabled=len(screen.forms) >= MAX_FORM_EVENTS,
        help=f"One request holds up to {MAX_FORM_EVENTS} events.",
    )


def show_origin_notes(screen: ComposeState) -> None:
    """What happened to events that came from another screen."""
    if screen.note:
        st.text(screen.note)
    if screen.former:
        undo = "Undo: back to what was on the form"
        st.button(undo, key="compose-undo", type="tertiary", on_click=undo_replacing)
    if screen.given_ids:
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(width="stretch"):
                st.text("The events have new event ids, so that they count as new ones.")
            st.button("Keep the ids they had", key="compose-keep-ids", type="tertiary", on_click=keep_given_ids)
            st.button("Save as journey", key="compose-keep-journey", type="tertiary", on_click=ask_for_name)


def show_event_row(screen: ComposeState, form: EventForm, number: int, common: CommonFields) -> None:
    """One event: its name, a product of its own, and the buttons that move, copy and remove it."""
    several = len(screen.forms) > 1
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=form.key("line")):
        if several:
            st.text(f"{number}", width=22)
        show_name_choice(form, number)
        with st.container(width="stretch", gap=None, key=form.key("product-part")):
            show_text_input(
                form.key("data.productId"),
                f"Product of event {number}",
                hint=f"{common.product} (as above)" if common.product else "Product as above",
                label_visibility="collapsed",
            )
        st.button(
            "Hide advanced" if form.is_open else "Advanced",
            key=form.key("details"),
            type="tertiary",
            help="More values such as a price, event id, time, another user",
            on_click=toggle_details,
            args=(form,),
        )
        for name, label, action, disabled in (
            ("up", f"Move event {number} up", _mover(form, -1), number == 1),
            ("down", f"Move event {number} down", _mover(form, 1), number == len(screen.forms)),
        ):
            if several:
                st.button(label, key=form.key(f"icon-{name}"), type="tertiary", on_click=action, disabled=disabled)
        st.button(
            f"Duplicate event {number}",
            key=form.key("icon-copy"),
            type="tertiary",
            on_click=duplicate_event,
            args=(form,),
            disabled=len(screen.forms) >= MAX_FORM_EVENTS,
        )
        if several:
            st.button(
                f"Remove event {number}",
                key=form.key("icon-remove"),
                type="tertiary",
                on_click=remove_event,
                args=(form,),
            )


def _mover(form: EventForm, step: int) -> Callable[[], None]:
    return lambda: move_event(form, step)


def show_name_choice(form: EventForm, number: int) -> None:
    """The event names; a name that is none of the four stays as it came, to be sent on purpose."""
    names = [name.value for name in EventName]
    current = form.value("name", None)
    if current is not None and current not in names:
        names.append(str(current))
    st.selectbox(
        f"Event {number}",
        names,
        index=None,
        required=True,
        placeholder="Choose an event",
        key=form.key("name"),
        on_change=mark_edited,
        persist_state="session",
        label_visibility="collapsed",
        width=200,
    )


def show_row_product_search(form: EventForm, target: Target) -> None:
    """The product search of one row, where a catalogue is loaded."""
    catalogue = get_services().catalogue(derive_target_key(target))
    if catalogue is not None:
        show_product_suggestions(catalogue, form.key("data.productId"), key=form.key("products"))
