"""The columns of a file in step 2: sample values, the field, and beside both what is suggested and how well it fits."""

from dataclasses import replace

import streamlit as st

from intempt_core.contract import IDENTITY_FIELDS, PLAIN_FIELDS, format_count, spell_invisible
from intempt_core.mapping import (
    CELL_TYPES,
    RESERVED_COLUMNS,
    Mapping,
    MappingSuggestion,
    match_exact_field,
)
from intempt_core.readers import Table
from pages.parts.shared.formatting import cut_text, escape_markdown
from pages.parts.shared.screen_state import make_key
from pages.parts.upload.mapping_times_view import is_late, make_mapping_key, set_mapping
from pages.parts.upload.state import accept_suggestions, get_upload_state, set_field

COLUMNS_PER_PAGE = 25
"""Columns on one page of the editor."""

SAMPLE_CHARACTERS = 30
"""Characters of a sample value; a longer one is cut, with a mark."""

UNUSED_FIELD = "(not used)"
MAPPABLE_FIELDS = ("name", *PLAIN_FIELDS, "data.productId")
FIELD_TITLES = {
    "name": "event name",
    "eventId": "event id",
    "timestamp": "time",
    "data.productId": "product id",
    **{field: f"identity {field}" for field in IDENTITY_FIELDS},
}
"""What fields are called in sentences."""

_COLUMN_WIDTHS = (3, 4, 3, 2, 4)


def show_suggestion_button(suggestions: list[MappingSuggestion], *, is_main: bool) -> None:
    """The button that applies all suggestions that need no decision; each is also in the row of its column."""
    joint = [one for one in suggestions if not one.exclusive]
    if not joint:
        return
    has_product = any(one.field == "data.productId" for one in suggestions)
    st.button(
        f"Apply {format_count(len(joint), 'suggestion')}" + (" (without the product id)" if has_product else ""),
        key="upload-accept",
        type="primary" if is_main else "secondary",
        on_click=accept_suggestions,
        args=(joint,),
    )


def show_columns(table: Table, mapping: Mapping, suggestions: list[MappingSuggestion]) -> None:
    """A row for each column, page by page, or those whose name contains a word; those with a suggestion first."""
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
            titles = ("column", "sample values", "maps to", "type", "fits")
            for place, title in zip(st.columns(_COLUMN_WIDTHS), titles, strict=True):
                place.caption(title)
    by_column: dict[str, list[MappingSuggestion]] = {}
    for one in suggestions:
        by_column.setdefault(one.column, []).append(one)
    _remember_fits(suggestions)
    best = next((one for one in suggestions if one.field == "data.productId"), None)
    for column in shown:
        show_column(table, mapping, column, by_column.get(column, []), best)


def _remember_fits(suggestions: list[MappingSuggestion]) -> None:
    """Keep how many rows fit, so that the rows still say it once the suggestions are applied."""
    fits = get_upload_state().fits
    for one in suggestions:
        if one.fitting is not None:
            fits[one.column, one.field] = one.fitting


def show_column(
    table: Table,
    mapping: Mapping,
    column: str,
    suggestions: list[MappingSuggestion],
    best_product: MappingSuggestion | None = None,
) -> None:
    """One column: its name, sample values, its field, inside data its type, and what is suggested for it."""
    number = table.header.index(column)
    now = mapping.columns.get(column)
    options = list(dict.fromkeys((UNUSED_FIELD, *MAPPABLE_FIELDS, match_exact_field(column), *([now] if now else []))))
    head, sample, field, kind, fits = st.columns(_COLUMN_WIDTHS, vertical_alignment="center")
    with head:
        st.text(spell_invisible(column) or f"(column {number + 1} has no name)")
    with sample.container(key=make_key("upload-sample", number)):
        st.text(sample_values(table, column))
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
    with fits.container(gap="xsmall"):
        if suggestions:
            for place, suggestion in enumerate(suggestions):
                is_best = suggestion is best_product
                key = "upload-accept-product" if is_best else make_key("upload-use", number, place)
                _show_suggestion_button(table, mapping, suggestion, key)
        elif now and (count := get_upload_state().fits.get((column, now))) is not None:
            st.text(f"✓ {describe_fit(count, table.rows)}")
    for suggestion in suggestions:
        if said := explain_suggestion(suggestion, table.rows):
            with st.container(key=make_key("upload-reason", number, suggestions.index(suggestion))):
                st.caption(escape_markdown(said))


def sample_values(table: Table, column: str) -> str:
    """The first two different values of a column; of a long one the beginning, with a mark that it is longer."""
    cells = list(dict.fromkeys(table.sample_cells(column, 50, max_chars=SAMPLE_CHARACTERS + 1)))[:2]
    return " · ".join(map(shorten_sample, cells)) or "(empty)"


def shorten_sample(cell: str) -> str:
    """A value of at most :data:`SAMPLE_CHARACTERS`; a longer one ends in ``…``."""
    return spell_invisible(cut_text(cell, SAMPLE_CHARACTERS))


def describe_fit(fitting: int, rows: int) -> str:
    """How many rows a field fits: ``999 of 999 fit``."""
    return f"{fitting:,} of {rows:,} fit"


def explain_suggestion(suggestion: MappingSuggestion, rows: int) -> str:
    """Why a suggestion is made, where more than the header's words has to be known; else empty."""
    second = f" Next best: {suggestion.runner_up}." if suggestion.runner_up else ""
    is_sure = suggestion.fitting in (None, rows)
    if is_sure and not (second or suggestion.names or suggestion.time_format):
        return ""
    return f"{suggestion.field}: {suggestion.reason}{second}"


def _show_suggestion_button(table: Table, mapping: Mapping, suggestion: MappingSuggestion, key: str) -> None:
    """The button that applies one suggestion, and how many rows it fits."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            label_suggestion(suggestion, mapping),
            key=key,
            on_click=accept_suggestions,
            args=([suggestion],),
        )
        if suggestion.fitting is not None:
            st.caption(describe_fit(suggestion.fitting, table.rows), width="content")


def label_suggestion(suggestion: MappingSuggestion, mapping: Mapping) -> str:
    """What the button of a suggestion does."""
    if suggestion.field == "data.productId":
        return "Use as product id"
    if mapping.columns.get(suggestion.column) != suggestion.field:
        return f"Use as {escape_markdown(FIELD_TITLES.get(suggestion.field, suggestion.field))}"
    if suggestion.time_format:
        return f"Read as {escape_markdown(suggestion.time_format)}"
    if suggestion.names:
        return f"Map {format_count(len(suggestion.names), 'event name')}"
    return f"Read as {suggestion.type}" if suggestion.type else "Use"


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
