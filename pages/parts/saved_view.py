"""Saved mappings on the Upload screen: offered by a file's header, saved, chosen, renamed, deleted, taken along."""

from collections.abc import Callable
from pathlib import PurePath

import streamlit as st

from intempt_core import ConsoleError, Mapping, Table
from intempt_core.mapped import map_table
from intempt_core.saved_mappings import MAPPING_NAME_LENGTH, SavedMapping, MappingStore
from pages.parts import uploading
from pages.parts.house import house
from pages.parts.look import counted, escaped
from pages.parts.mapping_more import put
from pages.parts.session import key, value
from pages.parts.session import put as put_widget
from pages.parts.taking import download

KNOWN_SHOWN = 3
"""Saved mappings that are offered for a file."""


def saved() -> MappingStore:
    """The mappings of this console."""
    return MappingStore(house().settings.mappings_folder)


def known(table: Table, mapping: Mapping) -> None:
    """The saved mappings that know this file's header, each with the one click that takes it."""
    found = [one for one in saved().recognise(table.header) if one.saved.mapping != mapping]
    for number, one in enumerate([one for one in found if one.exact] or found[:KNOWN_SHOWN]):
        new = "" if one.exact else f" {_new(len(one.new_columns))}"
        with st.container(horizontal=True, vertical_alignment="center", key=key("upload-known", number)):
            verb = "was saved for this very header." if one.exact else f"fits this file.{new}"
            st.text(f"Mapping “{one.saved.name}” {verb}")
            st.button(
                f"Use “{escaped(one.saved.name)}”",
                key=key("upload-known-use", number),
                type="primary" if one.exact else "secondary",
                on_click=use,
                args=(one.saved,),
            )


def _new(count: int) -> str:
    return f"{counted(count, 'column is', 'columns are')} new to it and would not be sent." if count else ""


def saved_as(mapping: Mapping) -> str:
    """The end of the step's line: the name under which this very mapping is saved."""
    found = saved().find_equal(mapping)
    return f" · saved as “{found.name}”" if found else ""


def use(chosen: SavedMapping) -> None:
    """Take a saved mapping for the file; where it can be used, the step is settled with it."""
    found = uploading.uploading()
    found.problem = ""
    put(chosen.mapping, anew=True)
    try:
        map_table(uploading.table(), chosen.mapping)
    except ConsoleError:
        return  # the step says why, beside the fields
    uploading.settle()


def files(table: Table, mapping: Mapping) -> None:
    """Keep the mapping under a name, choose among those that are kept, take one along, bring one in."""
    same = saved().find_equal(mapping)
    with st.popover(f"Saved as “{escaped(same.name)}”" if same else "Save this mapping", key="upload-save"):
        _save_under(table, mapping)
    with st.popover("Saved mappings", key="upload-saved"):
        _choose()
    download(
        "Mapping as a file",
        SavedMapping(same.name if same else PurePath(table.name).stem, table.header, mapping).to_json,
        "mapping.json",
        "application/json",
        key="upload-map-out",
    )
    with st.popover("Use a mapping file", key="upload-map-in"):
        st.file_uploader("A mapping file", key="upload-map-file", on_change=_bring_in, max_upload_size=1)


def _save_under(table: Table, mapping: Mapping) -> None:
    found = uploading.uploading()
    widget = key("upload-save-name", found.uploads)
    st.text_input("Name", PurePath(table.name).stem[:MAPPING_NAME_LENGTH], key=widget, max_chars=MAPPING_NAME_LENGTH)
    st.caption("It is offered for every file with this header. A mapping of the same name is replaced.")
    st.button("Save it under this name", key="upload-save-now", on_click=_save, args=(widget, table.header, mapping))


def _save(widget: str, header: tuple[str, ...], mapping: Mapping) -> None:
    _try(lambda: saved().save(SavedMapping(str(value(widget) or "").strip(), header, mapping)))


def _choose() -> None:
    kept = saved()
    names = [one.name for one in kept.all()]
    for problem in kept.problems():
        st.text(problem)
    if not names:
        st.text("None yet. Save one, and it is offered for every file with the same header.")
        return
    name = st.selectbox("Mapping", names, key="upload-saved-name")
    chosen = kept.get(name)
    st.button(f"Use “{escaped(name)}” for this file", key="upload-saved-use", on_click=use, args=(chosen,))
    download(f"Download “{escaped(name)}”", chosen.to_json, "mapping.json", "application/json", key="upload-saved-out")
    widget = key("upload-saved-new", name)
    st.text_input("Another name", name, key=widget, max_chars=MAPPING_NAME_LENGTH)
    with st.container(horizontal=True):
        st.button("Rename it", key="upload-saved-rename", on_click=_rename, args=(name, widget))
        st.button(f"Delete “{escaped(name)}”", key="upload-saved-delete", on_click=_delete, args=(name,))


def _rename(name: str, widget: str) -> None:
    new = str(value(widget) or "").strip()
    if _try(lambda: saved().rename(name, new)):
        put_widget("upload-saved-name", new)


def _delete(name: str) -> None:
    if _try(lambda: saved().delete(name)):
        st.session_state.pop("upload-saved-name", None)


def _bring_in() -> None:
    """Use a mapping file for this file, and keep it where it has a name that is free."""
    given = st.session_state.get("upload-map-file")
    if given is None:
        return
    text = given.getvalue().decode("utf-8-sig", "replace")
    uploading.use_mapping(text)
    if uploading.uploading().problem:
        return
    brought = SavedMapping.from_json(text)
    if brought.name and brought.name not in [one.name for one in saved().all()]:
        _try(lambda: saved().save(brought))


def _try(act: Callable[[], None]) -> bool:
    """Do something to the saved mappings; what does not work is a sentence. Whether it worked."""
    found = uploading.uploading()
    try:
        act()
    except ConsoleError as error:
        found.problem = str(error)
        return False
    found.problem = ""
    return True
