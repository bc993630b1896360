"""Rows that become several events, keys inside JSON, and names of several columns: chosen on the Upload screen.

What looks like several events is suggested with a count of what would come of it; nothing is applied without a click.
"""

from dataclasses import replace

import streamlit as st

from intempt_core.mapping import (
    Explode,
    ExplodeSuggestion,
    Mapping,
    list_json_paths,
    match_exact_field,
    suggest_explode,
)
from intempt_core.readers import Table
from pages.parts.shared.screen_state import make_key
from pages.parts.upload.mapping_times_view import is_late, make_mapping_key, set_mapping
from pages.parts.upload.state import get_upload_state


def show_explode(table: Table, mapping: Mapping) -> None:
    """What of a row becomes several events now, or what looks as if it should."""
    if mapping.explode is not None:
        with st.container(border=True, key="upload-explode"):
            st.text(_describe_explode(mapping.explode))
            st.button("One event a row again", key="upload-explode-stop", on_click=_stop_exploding)
        return
    suggestions = suggest_explode(table)
    if not suggestions:
        return
    with st.container(border=True, key="upload-explode"):
        st.caption("Rows that look like several events. None is made until you choose it.")
        for number, suggestion in enumerate(suggestions):
            first = f" (of the first {suggestion.looked_at:,} rows)" if suggestion.looked_at < table.rows else ""
            st.text(f"{suggestion.reason}{first}")
            st.button(
                "Make an event of each",
                key=make_key("upload-explode", number),
                on_click=_explode,
                args=(suggestion,),
            )


def _describe_explode(explode: Explode) -> str:
    where = ", ".join(explode.sources)
    separator = f", separated by “{explode.separator}”," if explode.separator else ""
    return f"Each value in {where}{separator} becomes an event of its own, which shares the other columns of its row."


def _explode(suggestion: ExplodeSuggestion) -> None:
    mapping = get_upload_state().mapping
    if mapping is not None:
        set_mapping(suggestion.apply(mapping), redraw=True)


def _stop_exploding() -> None:
    mapping = get_upload_state().mapping
    if mapping is None or mapping.explode is None:
        return
    columns = {column: field for column, field in mapping.columns.items() if not mapping.is_member(column)}
    types = {field: kind for field, kind in mapping.types.items() if field in columns.values()}
    set_mapping(replace(mapping, columns=columns, types=types, explode=None), redraw=True)


def show_further_columns(table: Table, mapping: Mapping) -> None:
    """Keys inside JSON that may be mapped as columns, and the columns that together are the name."""
    with st.expander("Keys inside JSON, a name of several columns", key="upload-further", type="compact"):
        paths = [path for path in list_json_paths(table) if path not in mapping.columns]
        if paths:
            widget = make_mapping_key("upload-json-path")
            st.selectbox(
                "Map a key inside JSON",
                paths,
                index=None,
                key=widget,
                placeholder="column.key.key",
                accept_new_options=True,
                on_change=_add_path,
                args=(widget,),
            )
        widget = make_mapping_key("upload-name-columns")
        st.session_state[widget] = list(mapping.name_columns)
        st.multiselect(
            "Columns that together are the name",
            table.header,
            key=widget,
            on_change=_set_name_columns,
            args=(widget,),
            help="Such as event and action: a name is then written “product / view”.",
        )


def _add_path(widget: str) -> None:
    mapping, path = get_upload_state().mapping, st.session_state[widget]
    if mapping and path and not is_late(widget):
        columns = {**mapping.columns, str(path): match_exact_field(str(path).rpartition(".")[2])}
        set_mapping(replace(mapping, columns=columns), redraw=True)


def _set_name_columns(widget: str) -> None:
    mapping = get_upload_state().mapping
    if mapping is None or is_late(widget):
        return
    chosen = tuple(st.session_state[widget])
    columns = {column: field for column, field in mapping.columns.items() if not chosen or field != "name"}
    set_mapping(replace(mapping, columns=columns, name_columns=chosen), redraw=True)
