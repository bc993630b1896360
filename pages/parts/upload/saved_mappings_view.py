"""Saved mappings: suggested by a file's columns, saved, used, renamed, deleted, exported and imported."""

from collections.abc import Callable
from pathlib import PurePath

import streamlit as st

from intempt_core.contract import format_count
from intempt_core.errors import ConsoleError
from intempt_core.mapping import MAPPING_NAME_LENGTH, Mapping, MappingStore, SavedMapping, map_table
from intempt_core.readers import Table
from pages.parts.shared.downloads import show_download
from pages.parts.shared.formatting import escape_markdown
from pages.parts.shared.screen_state import make_key, read_widget, set_widget
from pages.parts.shared.services import get_services
from pages.parts.upload.mapping_times_view import set_mapping
from pages.parts.upload.state import (
    get_current_table,
    get_upload_state,
    reread_by_mapping,
    settle_mapping,
    use_mapping,
)

SAVED_MAPPINGS_SUGGESTED = 3
"""Saved mappings that are suggested for a file."""


def open_saved_mappings() -> MappingStore:
    """The store of this console's mappings."""
    return get_services().saved.mappings


def show_matching_mappings(table: Table, mapping: Mapping) -> None:
    """The saved mappings that fit this file's columns, each with a button that uses it."""
    found = [match for match in open_saved_mappings().recognise(table.header) if match.saved.mapping != mapping]
    for number, match in enumerate([match for match in found if match.exact] or found[:SAVED_MAPPINGS_SUGGESTED]):
        new = "" if match.exact else f" {_describe_new_columns(len(match.new_columns))}"
        with st.container(horizontal=True, vertical_alignment="center", key=make_key("upload-known", number)):
            fit = "was saved for files with exactly these columns." if match.exact else f"fits this file.{new}"
            st.text(f"Mapping “{match.saved.name}” {fit}")
            st.button(
                f"Use “{escape_markdown(match.saved.name)}”",
                key=make_key("upload-known-use", number),
                type="primary" if match.exact else "secondary",
                on_click=use_saved_mapping,
                args=(match.saved,),
            )


def _describe_new_columns(count: int) -> str:
    return f"{format_count(count, 'column is', 'columns are')} new to it and would not be sent." if count else ""


def describe_saved_name(mapping: Mapping) -> str:
    """The name under which this mapping is saved, for the end of the step's line; empty if it is not."""
    found = open_saved_mappings().find_equal(mapping)
    return f" · saved as “{found.name}”" if found else ""


def use_saved_mapping(chosen: SavedMapping) -> None:
    """Use a saved mapping for the file; the step is settled if it can be used."""
    found = get_upload_state()
    found.problem = ""
    set_mapping(chosen.mapping, redraw=True)
    if reread_by_mapping(chosen.mapping):
        return
    try:
        map_table(get_current_table(), chosen.mapping)
    except ConsoleError:
        return  # the step shows why, beside the fields
    settle_mapping()


def show_mapping_files(table: Table, mapping: Mapping) -> None:
    """The buttons to save, use, export and import mappings."""
    same = open_saved_mappings().find_equal(mapping)
    with st.popover(f"Saved as “{escape_markdown(same.name)}”" if same else "Save this mapping", key="upload-save"):
        _show_save_form(table, mapping)
    with st.popover("Saved mappings", key="upload-saved"):
        _show_saved_mappings()
    show_download(
        "Export mapping",
        SavedMapping(same.name if same else PurePath(table.name).stem, table.header, mapping).to_json,
        "mapping.json",
        "application/json",
        key="upload-map-out",
    )
    with st.popover("Import mapping", key="upload-map-in"):
        st.file_uploader("A mapping file", key="upload-map-file", on_change=_import_mapping, max_upload_size=1)


def _show_save_form(table: Table, mapping: Mapping) -> None:
    found = get_upload_state()
    widget = make_key("upload-save-name", found.uploads)
    st.text_input("Name", PurePath(table.name).stem[:MAPPING_NAME_LENGTH], key=widget, max_chars=MAPPING_NAME_LENGTH)
    st.caption("It is suggested for every file with these columns. A mapping with the same name is replaced.")
    st.button("Save", key="upload-save-now", on_click=_save_mapping, args=(widget, table.header, mapping))


def _save_mapping(widget: str, header: tuple[str, ...], mapping: Mapping) -> None:
    _try_change(
        lambda: open_saved_mappings().save(SavedMapping(str(read_widget(widget) or "").strip(), header, mapping))
    )


def _show_saved_mappings() -> None:
    store = open_saved_mappings()
    names = [mapping.name for mapping in store.all()]
    for problem in store.problems():
        st.text(problem)
    if not names:
        st.text("None yet. A saved mapping is suggested for every file with the same columns.")
        return
    name = st.selectbox("Mapping", names, key="upload-saved-name")
    chosen = store.get(name)
    st.button(
        f"Use “{escape_markdown(name)}” for this file",
        key="upload-saved-use",
        on_click=use_saved_mapping,
        args=(chosen,),
    )
    show_download(
        f"Download “{escape_markdown(name)}”",
        chosen.to_json,
        "mapping.json",
        "application/json",
        key="upload-saved-out",
    )
    widget = make_key("upload-saved-new", name)
    st.text_input("New name", name, key=widget, max_chars=MAPPING_NAME_LENGTH)
    with st.container(horizontal=True):
        st.button("Rename", key="upload-saved-rename", on_click=_rename_mapping, args=(name, widget))
        st.button(
            f"Delete “{escape_markdown(name)}”", key="upload-saved-delete", on_click=_delete_mapping, args=(name,)
        )


def _rename_mapping(name: str, widget: str) -> None:
    new = str(read_widget(widget) or "").strip()
    if _try_change(lambda: open_saved_mappings().rename(name, new)):
        set_widget("upload-saved-name", new)


def _delete_mapping(name: str) -> None:
    if _try_change(lambda: open_saved_mappings().delete(name)):
        st.session_state.pop("upload-saved-name", None)


def _import_mapping() -> None:
    """Use a mapping file for this file, and save it if it has a name that is not used yet."""
    given = st.session_state.get("upload-map-file")
    if given is None:
        return
    text = given.getvalue().decode("utf-8-sig", "replace")
    use_mapping(text)
    if get_upload_state().problem:
        return
    imported = SavedMapping.from_json(text)
    if imported.name and imported.name not in [mapping.name for mapping in open_saved_mappings().all()]:
        _try_change(lambda: open_saved_mappings().save(imported))


def _try_change(act: Callable[[], None]) -> bool:
    """Change the saved mappings; whether it worked. Why it did not is a sentence on the screen."""
    found = get_upload_state()
    try:
        act()
    except ConsoleError as error:
        found.problem = str(error)
        return False
    found.problem = ""
    return True
