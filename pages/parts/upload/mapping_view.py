"""Step 2 of the upload: map columns to fields, and values to event names. Nothing is applied without a click."""

from collections.abc import Iterator
from dataclasses import replace

import streamlit as st

from intempt_core.contract import IDENTITY_FIELDS, PLAIN_FIELDS, EventName, format_count, is_event_name, spell_invisible
from intempt_core.errors import ConsoleError
from intempt_core.mapping import (
    CELL_TYPES,
    NAME_SEPARATOR,
    RESERVED_COLUMNS,
    Mapping,
    MappingSuggestion,
    check_columns,
    expand_sample,
    join_name_columns,
    map_table,
    match_exact_field,
    suggest_mapping,
)
from intempt_core.readers import Table
from pages.parts.shared.formatting import escape_markdown
from pages.parts.shared.screen_state import make_key
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
from pages.parts.upload.saved_mappings_view import show_mapping_files, show_matching_mappings
from pages.parts.upload.state import (
    accept_suggestions,
    get_column_facts,
    get_upload_state,
    set_field,
    settle_mapping,
)

COLUMNS_PER_PAGE = 25
"""Columns on one page of the editor."""

MAX_NAMES_SHOWN = 40
"""Values of the name column that can be mapped on the screen; a mapping file takes any number."""

MAX_NAMES_READ = 1_000
"""Different values of the name column that are looked for."""

MAX_SIMILAR_SUGGESTIONS = 3
"""Suggestions with the same reason that get a line each; more share one."""

UNUSED_FIELD = "(not used)"
UNCHANGED_NAME = "(unchanged)"
IGNORED_NAME = "(ignored: not for us)"
MAPPABLE_FIELDS = ("name", *PLAIN_FIELDS, "data.productId")
_COLUMN_WIDTHS = (3, 4, 4, 2)


def show_mapping_editor(table: Table, mapping: Mapping) -> bool:
    """The mapping of a file, and the button that settles it; whether the mapping can be used."""
    show_matching_mappings(table, mapping)
    show_mapping_suggestions(table, mapping)
    show_explode(table, mapping)
    try:
        events = expand_sample(table, mapping)
    except ConsoleError:
        events = table  # what is wrong is said below
    show_columns(events, mapping)
    show_further_columns(table, mapping)
    show_event_names(table, events, mapping)
    show_time_format(events, mapping)
    show_constants(mapping)
    with st.container(horizontal=True, vertical_alignment="center"):
        show_constant_form(MAPPABLE_FIELDS)
        show_mapping_files(table, mapping)
    return show_settle_button(table, mapping)


def show_mapping_suggestions(table: Table, mapping: Mapping) -> None:
    """Suggested fields of columns, each with its reason; applied by a click, the product id by one of its own."""
    suggestions = suggest_mapping(table, mapping, get_column_facts())
    joint = [suggestion for suggestion in suggestions if not suggestion.exclusive]
    exclusive = [suggestion for suggestion in suggestions if suggestion.exclusive]
    if not suggestions:
        return
    product = any(suggestion.field == "data.productId" for suggestion in exclusive)
    with st.container(border=True, key="upload-suggestions"):
        st.caption("Suggestions and reasons. None is applied until you accept it.")
        st.text("\n".join(_format_suggestions(suggestions, mapping)))
        with st.container(horizontal=True):
            if joint:
                st.button(
                    f"Apply {format_count(len(joint), 'suggestion')}"
                    + (" (without the product id)" if product else ""),
                    key="upload-accept",
                    on_click=accept_suggestions,
                    args=(joint,),
                )
            for number, suggestion in enumerate(exclusive):
                kind = {"data.productId": "product", "name": "every-row"}.get(suggestion.field, "exclusive")
                st.button(
                    _label_suggestion(suggestion),
                    key=make_key("upload-accept", kind, *([number] if number else [])),
                    on_click=accept_suggestions,
                    args=([suggestion],),
                )


def _format_suggestions(found: list[MappingSuggestion], mapping: Mapping) -> Iterator[str]:
    """A line for each suggestion, or for many with the same reason."""
    similar: dict[str, list[MappingSuggestion]] = {}
    for suggestion in found:
        similar.setdefault(suggestion.reason, []).append(suggestion)
    for reason, some in similar.items():
        lines = [
            f"{spell_invisible(suggestion.column) or 'every row'}{_format_mapped_field(suggestion, mapping)}"
            for suggestion in some
        ]
        if len(lines) > MAX_SIMILAR_SUGGESTIONS:
            yield f"{', '.join(lines[:2])} and {format_count(len(lines) - 2, 'more column')}: {reason}"
        else:
            seconds = (suggestion.runner_up for suggestion in some)
            yield from (
                f"{line}: {reason}{f' Next best: {second}.' if second else ''}"
                for line, second in zip(lines, seconds, strict=True)
            )


def _format_mapped_field(suggestion: MappingSuggestion, mapping: Mapping) -> str:
    if suggestion.constant is not None:
        return f" → {suggestion.field} = {suggestion.constant}"
    return "" if mapping.columns.get(suggestion.column) == suggestion.field else f" → {suggestion.field}"


def _label_suggestion(suggestion: MappingSuggestion) -> str:
    """The label of the button of an exclusive suggestion."""
    if suggestion.constant is not None:
        return f"Take every row as {escape_markdown(suggestion.constant)}"
    if suggestion.time_format:
        return f"Read {escape_markdown(suggestion.column)} as {escape_markdown(suggestion.time_format)}"
    return f"Use {escape_markdown(suggestion.column)} as the product id"


def show_columns(table: Table, mapping: Mapping) -> None:
    """A row for each column, page by page, or those whose name contains a word."""
    shown = [column for column in table.header if column not in RESERVED_COLUMNS]
    if len(shown) > COLUMNS_PER_PAGE:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            word = st.text_input(
                f"Find one of {format_count(len(shown), 'column')}",
                key=make_key("upload-find", table.digest),
                width=280,
            )
            shown = [column for column in shown if word.casefold() in column.casefold()]
            pages = -(-len(shown) // COLUMNS_PER_PAGE)
            page = (
                st.pagination(pages, key=make_key("upload-columns", table.digest, word), width="stretch")
                if pages > 1
                else 1
            )
        shown = shown[(page - 1) * COLUMNS_PER_PAGE : page * COLUMNS_PER_PAGE]
        if not shown:
            st.text("No column has this in its name.")
    if shown:
        with st.container(key="upload-titles"):
            for place, title in zip(
                st.columns(_COLUMN_WIDTHS), ("column", "sample values", "maps to", "type"), strict=True
            ):
                place.caption(title)
    for column in shown:
        show_column(table, mapping, column)


def show_column(table: Table, mapping: Mapping, column: str) -> None:
    """One column: its name, sample values, the field that it maps to, and, inside data, its type."""
    number = table.header.index(column)
    now = mapping.columns.get(column)
    options = list(dict.fromkeys((UNUSED_FIELD, *MAPPABLE_FIELDS, match_exact_field(column), *([now] if now else []))))
    head, sample, field, kind = st.columns(_COLUMN_WIDTHS, vertical_alignment="center")
    with head:
        st.text(spell_invisible(column) or f"(column {number + 1} has no name)")
    with sample:
        cells = table.sample_cells(column, 50, max_chars=30)
        st.code(
            " · ".join(map(spell_invisible, list(dict.fromkeys(cells))[:2])) or "(empty)",
            language=None,
            wrap_lines=True,
        )
    widget = make_mapping_key("upload-field", number)
    st.session_state[widget] = now or UNUSED_FIELD
    field.selectbox(
        f"Field of {escape_markdown(column)}",
        options,
        key=widget,
        label_visibility="collapsed",
        on_change=_set_field,
        args=(column, widget),
    )
    if now and "." in now and now != "data.productId":
        typed = make_mapping_key("upload-type", number)
        st.session_state[typed] = mapping.types.get(now, "text")
        kind.selectbox(
            f"Type of {escape_markdown(column)}",
            CELL_TYPES,
            key=typed,
            label_visibility="collapsed",
            on_change=_set_type,
            args=(now, typed),
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
            st.text(spell_invisible(cell[:80]))
        widget = make_mapping_key("upload-name", number)
        ignored = IGNORED_NAME if cell in mapping.ignored_names else UNCHANGED_NAME
        st.session_state[widget] = mapping.names.get(cell, ignored)
        right.selectbox(
            f"Name of {escape_markdown(cell[:80])}",
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


def show_settle_button(table: Table, mapping: Mapping) -> bool:
    """The button that settles the mapping, or what is still wrong with it; whether it can be used."""
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
    given = (*mapping.columns.values(), *mapping.constants)
    if "data.productId" not in given:
        st.markdown(":orange-badge[◆ product id missing]")
        st.text("Every event needs data.productId. Map the column that holds the ids of the catalogue.")
    if not any(identity in given for identity in IDENTITY_FIELDS):
        st.markdown(":orange-badge[◆ identity missing]")
        st.text(f"Every event needs an identity. Map a column to one of {', '.join(IDENTITY_FIELDS)}.")
    if trouble := get_upload_state().problem:
        st.text(trouble)
    if not get_upload_state().mapping_settled:
        st.button("Use this mapping", key="upload-settle", type="primary", on_click=settle_mapping)
    return True


def _set_field(column: str, widget: str) -> None:
    if is_late(widget):
        return
    chosen = st.session_state[widget]
    set_field(column, None if chosen == UNUSED_FIELD else chosen)


def _set_type(field: str, widget: str) -> None:
    mapping = get_upload_state().mapping
    if mapping and not is_late(widget):
        types = {**mapping.types, field: st.session_state[widget]}
        set_mapping(replace(mapping, types={name: kind for name, kind in types.items() if kind != "text"}))


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
