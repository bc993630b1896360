"""Step 2 of the upload: map columns to fields, and values to event names. Nothing is applied without a click."""

from dataclasses import replace

import streamlit as st

from intempt_core.contract import IDENTITY_FIELDS, EventName, format_count, is_event_name, spell_invisible
from intempt_core.errors import ConsoleError
from intempt_core.mapping import (
    NAME_SEPARATOR,
    Mapping,
    MappingSuggestion,
    check_columns,
    expand_sample,
    is_unmapped_json,
    join_name_columns,
    map_table,
    suggest_mapping,
)
from intempt_core.readers import Table
from pages.parts.shared.formatting import cut_text, escape_markdown
from pages.parts.upload.columns_view import MAPPABLE_FIELDS, show_columns, show_suggestion_button
from pages.parts.upload.explode_view import show_explode, show_further_columns
from pages.parts.upload.mapping_times_view import (
    choose_same_name,
    is_late,
    make_mapping_key,
    set_mapping,
    show_constant_form,
    show_constants,
    show_time_format,
)
from pages.parts.upload.preview_view import show_rows_as_sent
from pages.parts.upload.saved_mappings_view import show_mapping_files, show_matching_mappings
from pages.parts.upload.state import (
    accept_suggestions,
    get_column_facts,
    get_upload_state,
    settle_mapping,
)

MAX_NAMES_SHOWN = 40
"""Values of the name column that can be mapped on the screen; a mapping file takes any number."""

MAX_NAMES_READ = 1_000
"""Different values of the name column that are looked for."""

UNCHANGED_NAME = "(unchanged)"
IGNORED_NAME = "(ignored: not for us)"


def show_mapping_editor(table: Table, mapping: Mapping) -> bool:
    """The mapping of a file, its first rows as they will be sent, and the button that settles it; whether it is usable.

    That button is offered once nothing that every event needs is missing.
    """
    found = get_upload_state()
    show_matching_mappings(table, mapping)
    suggestions = suggest_mapping(table, mapping, get_column_facts())
    is_usable = can_map(table, mapping)
    with st.container(key="upload-bar", gap="small"):
        show_settle_bar(table, mapping, suggestions, is_usable=is_usable)
        if found.problem:
            st.text(found.problem)
        if is_usable:
            show_rows_as_sent(table, mapping)
    show_explode(table, mapping)
    try:
        events = expand_sample(table, mapping)
    except ConsoleError:
        events = table  # what is wrong was said above
    show_columns(events, mapping, suggestions)
    show_event_names(table, events, mapping)
    show_constant_suggestion(suggestions)
    show_time_format(events, mapping)
    show_constants(mapping)
    with st.container(horizontal=True, vertical_alignment="center"):
        show_constant_form(MAPPABLE_FIELDS)
        show_mapping_files(table, mapping)
    show_further_columns(table, mapping)
    return is_usable


def show_settle_bar(table: Table, mapping: Mapping, suggestions: list[MappingSuggestion], *, is_usable: bool) -> None:
    """What every event needs and is missing, the suggestions, and the button that goes on once nothing is missing."""
    missing = list_missing(table, mapping)
    if missing:
        with st.container(key="upload-missing", gap="xsmall"):
            st.markdown(f":orange-badge[◆ {format_count(len(missing), 'required field')} missing]")
            for one in missing:
                st.text(f"{one[0].upper()}{one[1:]}.")
    with st.container(horizontal=True, vertical_alignment="center"):
        show_suggestion_button(suggestions, is_main=bool(missing))
        if get_upload_state().mapping_settled or not is_usable:
            return
        if missing:
            st.button(
                "Continue without: every row will have an error",
                key="upload-settle-incomplete",
                type="tertiary",
                on_click=settle_mapping,
            )
        else:
            st.button("Use this mapping", key="upload-settle", type="primary", on_click=settle_mapping)


def show_constant_suggestion(suggestions: list[MappingSuggestion]) -> None:
    """What is suggested for every row, where no column is the event name: accepted by a click of its own."""
    for suggestion in suggestions:
        if suggestion.constant is not None:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.text(suggestion.reason, width="stretch")
                st.button(
                    f"Take every row as {escape_markdown(str(suggestion.constant))}",
                    key="upload-accept-every-row",
                    on_click=accept_suggestions,
                    args=([suggestion],),
                )


def show_event_names(table: Table, events: Table, mapping: Mapping) -> None:
    """The values of the name column, and the event name that each maps to (CONTRACT 4.6), or that it is not for us."""
    column = next((column for column, field in mapping.columns.items() if field == "name"), None)
    if mapping.name_columns and all(one in table.header for one in mapping.name_columns):
        column = NAME_SEPARATOR.join(mapping.name_columns)
        table = replace(table, columns={column: join_name_columns(table, mapping.name_columns)}, header=(column,))
    elif column not in table.header:
        table = events  # a column of members, or one made of others
    if column not in table.header:
        choose_same_name(mapping)
        return
    cells = table.distinct_cells(column, MAX_NAMES_READ)
    unknown = [cell for cell in cells if not is_event_name(cell)]
    if unknown:
        st.caption("Event names: what each value maps to")
    rest = [cell for cell in unknown if cell and cell not in mapping.names and cell not in mapping.ignored_names]
    if len(rest) > 1:
        st.button(
            f"Ignore the {format_count(len(rest), 'name')} that are mapped to nothing",
            key="upload-ignore-names",
            on_click=_ignore_names,
            args=(rest,),
            help="Their rows are not for us: they are skipped with a count of their own, and are no error.",
        )
    for number, cell in enumerate(unknown[:MAX_NAMES_SHOWN]):
        left, right = st.columns([3, 10], vertical_alignment="center")
        with left:
            st.text(spell_invisible(cut_text(cell, 80)))
        widget = make_mapping_key("upload-name", number)
        ignored = IGNORED_NAME if cell in mapping.ignored_names else UNCHANGED_NAME
        st.session_state[widget] = mapping.names.get(cell, ignored)
        right.selectbox(
            f"Name of {escape_markdown(cut_text(cell, 80))}",
            (UNCHANGED_NAME, *([IGNORED_NAME] if cell else []), *(name.value for name in EventName)),
            key=widget,
            label_visibility="collapsed",
            on_change=_set_name,
            args=(cell, widget),
            width=280,
        )
    if len(unknown) > MAX_NAMES_SHOWN:
        more = "or more " if len(cells) == MAX_NAMES_READ else ""
        st.caption(
            f"{format_count(len(unknown) - MAX_NAMES_SHOWN, f'{more}further value')}: use a mapping file for so many."
        )


def list_missing(table: Table, mapping: Mapping) -> list[str]:
    """What every event needs and the mapping does not give, each with where to choose it; empty where nothing lacks."""
    if is_unmapped_json(table, mapping):
        return []
    given = {*mapping.columns.values(), *mapping.constants}
    missing = []
    if "name" not in given and not mapping.name_columns:
        missing.append("event name: choose the column that holds it, or the name of every row")
    if "data.productId" not in given:
        missing.append("product id: choose the column that holds the ids of the catalogue (data.productId)")
    if not given & set(IDENTITY_FIELDS):
        missing.append(f"identity: choose a column for one of {', '.join(IDENTITY_FIELDS)}")
    return missing


def can_map(table: Table, mapping: Mapping) -> bool:
    """Whether the mapping can be used; if not, why is shown."""
    try:
        if mapping.explode is None:
            map_table(table, mapping)
        else:  # all rows are made events when the file is checked
            check_columns(table, mapping)
            expand_sample(table, mapping)
    except ConsoleError as error:
        st.markdown(":red-badge[■ this mapping cannot be used]")
        st.text(str(error))
        return False
    return True


def _set_name(cell: str, widget: str) -> None:
    mapping = get_upload_state().mapping
    if mapping and not is_late(widget):
        chosen = st.session_state[widget]
        names = {**mapping.names, cell: chosen}
        names = {c: name for c, name in names.items() if name not in (UNCHANGED_NAME, IGNORED_NAME)}
        ignored = [name for name in mapping.ignored_names if name != cell]
        ignored += [cell] if chosen == IGNORED_NAME else []
        set_mapping(replace(mapping, names=names, ignored_names=tuple(ignored)))


def _ignore_names(cells: list[str]) -> None:
    mapping = get_upload_state().mapping
    if mapping:
        ignored = dict.fromkeys((*mapping.ignored_names, *cells))
        set_mapping(replace(mapping, ignored_names=tuple(ignored)), redraw=True)
