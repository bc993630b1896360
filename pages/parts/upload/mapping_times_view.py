"""Times and constants of a mapping: the format and zone of the timestamp column, and values for every row."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import streamlit as st

from intempt_core.contract import EventName, Json, dump_json, is_event_name
from intempt_core.errors import ConsoleError
from intempt_core.mapping import (
    COMMON_TIME_PATTERNS,
    NAMED_TIME_FORMATS,
    Mapping,
    build_time_parser,
    check_time_format,
    load_time_zone,
    parse_cell,
)
from intempt_core.readers import Table
from pages.parts.shared.formatting import cut_text, escape_markdown
from pages.parts.shared.screen_state import make_key, read_widget
from pages.parts.shared.time_zones import list_time_zones
from pages.parts.upload.state import get_upload_state

CONSTANT_TYPES = {"text": "text", "number": "number", "boolean": "true or false"}
"""The types of a constant, by label."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def make_mapping_key(*parts: object) -> str:
    """The widget key of a field of the mapping in its current revision."""
    found = get_upload_state()
    return make_key(*parts, found.uploads, found.revision)


def is_late(widget: str) -> bool:
    """Whether a change comes from a widget of an earlier revision: the mapping was set otherwise since."""
    found = get_upload_state()
    return not widget.endswith(make_key("", found.uploads, found.revision))


def set_mapping(mapping: Mapping, *, redraw: bool = False) -> None:
    """Set the mapping of the file; with ``redraw`` its fields are drawn from it again."""
    found = get_upload_state()
    found.mapping = mapping
    found.revision += redraw


# ── times ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def show_time_format(table: Table, mapping: Mapping) -> None:
    """The format and time zone of the timestamp column, and how its first time is read."""
    column = next((column for column, field in mapping.columns.items() if field == "timestamp"), "")
    if column not in table.columns:
        return
    form, zone = make_mapping_key("upload-time-format"), make_mapping_key("upload-zone")
    st.session_state[form], st.session_state[zone] = mapping.time_format, mapping.time_zone
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            f"Time format of {escape_markdown(column)}",
            dict.fromkeys((*NAMED_TIME_FORMATS, *COMMON_TIME_PATTERNS, mapping.time_format)),
            format_func=lambda form: NAMED_TIME_FORMATS.get(form, form),
            key=form,
            on_change=_set_time_format,
            args=(form,),
            accept_new_options=True,
            width=280,
            help="Choose one, or type a pattern: %d.%m.%Y %H:%M. Several, in their order: iso | %m/%d/%Y",
        )
        st.selectbox(
            "Time zone of times without one",
            dict.fromkeys((mapping.time_zone, "UTC", *list_time_zones())),
            key=zone,
            on_change=_set_time_zone,
            args=(zone,),
            width=280,
        )
    for cell in table.sample_cells(column, 1000, max_chars=200)[:1]:
        st.text(_describe_time(cell, mapping))


def _describe_time(cell: str, mapping: Mapping) -> str:
    """How a time is read, in a sentence."""
    given = f"“{cut_text(cell, 60)}”"
    try:
        check_time_format(mapping.time_format)
        ms = build_time_parser(mapping.time_format, load_time_zone(mapping.time_zone))(cell)
        if ms is None:
            return f"{given} cannot be read in this format."
        moment = _EPOCH + timedelta(milliseconds=ms)
        return f"{given} is read as {moment:%Y-%m-%d %H:%M:%S} UTC."
    except ConsoleError as error:
        return str(error)
    except OverflowError:
        return f"{given} is out of range."


def _set_time_format(widget: str) -> None:
    mapping = get_upload_state().mapping
    if mapping and not is_late(widget):
        set_mapping(replace(mapping, time_format=read_widget(widget) or ""))


def _set_time_zone(widget: str) -> None:
    mapping = get_upload_state().mapping
    if mapping and not is_late(widget):
        set_mapping(replace(mapping, time_zone=read_widget(widget)))


# ── constants ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def choose_same_name(mapping: Mapping) -> None:
    """The event name of every row, if no column is the event name."""
    widget = make_mapping_key("upload-same-name")
    now = mapping.constants.get("name")
    st.session_state[widget] = now if is_event_name(now) else None
    st.segmented_control(
        "No column is the event name. Every row is",
        [name.value for name in EventName],
        key=widget,
        on_change=_set_same_name,
        args=(widget,),
    )


def _set_same_name(widget: str) -> None:
    mapping, name = get_upload_state().mapping, read_widget(widget)
    if mapping and not is_late(widget):
        others = {field: constant for field, constant in mapping.constants.items() if field != "name"}
        set_mapping(replace(mapping, constants={**others, "name": name} if name else others))


def show_constants(mapping: Mapping) -> None:
    """The constants of the mapping."""
    own = {field: constant for field, constant in mapping.constants.items() if field != "name"}
    if own:
        st.caption("Constants, the same in every row")
    for number, (field, constant) in enumerate(own.items()):
        with st.container(horizontal=True, vertical_alignment="center", key=make_key("upload-constant", number)):
            st.text(f"{field} = {cut_text(dump_json(constant).decode(), 200)}")
            st.button(
                "Remove",
                key=make_mapping_key("upload-constant-remove", number),
                on_click=_remove_constant,
                args=(field,),
            )


def show_constant_form(fields: tuple[str, ...]) -> None:
    """The form that adds a constant."""
    with st.popover("Add a constant", key="upload-constant-add"):
        field, kind = make_key("upload-constant-field"), make_key("upload-constant-kind")
        st.selectbox(
            "Field",
            [*(field for field in fields if field != "name"), "data.shop"],
            key=field,
            accept_new_options=True,
            help="Choose one, or type a field of your own inside data: data.shop",
        )
        st.selectbox("Type", list(CONSTANT_TYPES), format_func=CONSTANT_TYPES.__getitem__, key=kind)
        st.text_input("Value", key="upload-constant-value")
        st.button("Add to every row", key="upload-constant-apply", on_click=_add_constant)


def _add_constant() -> None:
    found = get_upload_state()
    field, text = str(read_widget("upload-constant-field") or ""), str(read_widget("upload-constant-value") or "")
    if found.mapping is None or not field:
        return
    new = replace(
        found.mapping, constants={**found.mapping.constants, field: _parse_constant(field, text, found.mapping)}
    )
    try:
        new.check()
    except ConsoleError as error:
        found.problem = str(error)
        return
    found.problem = ""
    set_mapping(new, redraw=True)


def _parse_constant(field: str, text: str, mapping: Mapping) -> Json:
    """The text as a value of its type, a time as the mapping reads it; a text that does not match stays text."""
    if field == "timestamp":
        try:
            ms = build_time_parser(mapping.time_format, load_time_zone(mapping.time_zone))(text)
        except ConsoleError:
            return text
        return text if ms is None else ms
    return parse_cell(text, read_widget("upload-constant-kind", "text"))


def _remove_constant(field: str) -> None:
    found = get_upload_state()
    if found.mapping:
        others = {name: constant for name, constant in found.mapping.constants.items() if name != field}
        set_mapping(replace(found.mapping, constants=others), redraw=True)
