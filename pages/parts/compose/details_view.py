"""What of an event most people need not see: more values, its id, its time, and a person of its own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from intempt_core.contract import IDENTITY_FIELDS
from pages.parts.compose.field_view import IssuesByField, show_event_field, show_field_problems
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
from pages.parts.compose.state import mark_edited, renew_event_id
from pages.parts.shared.time_zones import get_browser_zone, list_time_zones


def show_event_details(form: EventForm, number: int, issues: IssuesByField) -> None:
    """Everything behind *Advanced* of one event."""
    with st.container(border=True, key=form.key("details-part"), gap="small"):
        show_extra_values(form, issues)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            with st.container(width="stretch"):
                show_event_field(form, "eventId", issues, hint="Unique to this event")
            st.button("New id", key=form.key("fresh"), on_click=renew_event_id, args=(form,))
        show_time_choice(form, issues)
        with st.expander(
            f"Another user for event {number}", expanded=bool(form.own_identities), key=form.key("own"), type="compact"
        ):
            st.caption("Where one of these is given, this event has them in the place of the user above.")
            for pair in (IDENTITY_FIELDS[:2], IDENTITY_FIELDS[2:]):  # they keep their order on a narrow screen
                for column, identity in zip(st.columns(2), pair, strict=True):
                    with column:
                        show_event_field(form, identity, issues)
            show_field_problems(form.key("identity"), issues)


def show_time_choice(form: EventForm, issues: IssuesByField) -> None:
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
            st.caption("No timestamp: the server uses arrival time.")
        else:
            st.caption("The timestamp is set when the request is sent.")
    show_field_problems(form.key("when"), issues)


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


def show_extra_values(form: EventForm, issues: IssuesByField) -> None:
    """Values for which there is no field, a row each: place, key, type and text."""
    paths = [(form.row(row).place, form.row(row).key) for row in form.rows]
    for index, row in enumerate(list(form.rows)):
        place, name, kind, content, remove = st.columns([3, 3, 3, 4, 1], vertical_alignment="bottom")
        common: dict[str, Any] = {"on_change": mark_edited, "persist_state": "session"}
        place.selectbox("In", VALUE_PLACES, key=form.key(f"row-{row}-in"), **common)
        typed: dict[str, Any] = common | {"on_change": take_typed_value, "args": (form, row)}
        name.text_input("Key", key=form.key(f"row-{row}-key"), placeholder="price", **typed)
        chosen: dict[str, Any] = common | {"on_change": keep_chosen_type, "args": (form, row)}
        kind.selectbox("Type", VALUE_TYPES, key=form.key(f"row-{row}-type"), **chosen)
        content.text_input("Value", key=form.key(f"row-{row}-value"), **typed)
        remove.button(
            f"Remove value {index + 1}",
            key=form.key(f"icon-remove-row-{row}"),
            type="tertiary",
            on_click=remove_extra_row,
            args=(form, row),
        )
        show_field_problems(
            form.key(f"row-{row}-value"),
            issues,
            find_row_notes(form.row(row), repeated=paths[index] in paths[index + 1 :]),
        )
    st.button("+ Add value", key=form.key("more"), type="tertiary", on_click=add_extra_row, args=(form,))
    show_field_problems(form.key("more"), issues)


def find_row_notes(row: ExtraValue, *, repeated: bool) -> Sequence[str]:
    """What is surprising about a row; ``repeated`` if a row below it has the same key."""
    notes = ["Without a key this value is not sent."] if row.text and not row.key else []
    notes += ["The key has white space around it."] if row.key != row.key.strip() else []
    notes += ["The same key is used again below; the last one is sent."] if row.key and repeated else []
    return notes + (["This text does not match its type; it is sent as text."] if row.text and not row.fits else [])


def add_extra_row(form: EventForm) -> None:
    """Add a row for an extra value."""
    form.add_row()
    mark_edited()


def take_typed_value(form: EventForm, row: int) -> None:
    """Take a key or a value that was typed; the type, which is shown beside it, follows unless a person chose it."""
    form.guess_row_type(row)
    mark_edited()


def keep_chosen_type(form: EventForm, row: int) -> None:
    """Keep the type that a person chose, whatever is typed then."""
    form.guessed_rows.discard(row)
    mark_edited()


def remove_extra_row(form: EventForm, row: int) -> None:
    """Remove a row of an extra value."""
    form.rows.remove(row)
    mark_edited()
