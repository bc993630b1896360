"""The product catalogue of a target: load it from a file, replace it, remove it (CONTRACT 2.5)."""

from dataclasses import dataclass, replace

import streamlit as st

from intempt_core.contract import format_count, now_ms
from intempt_core.errors import CatalogueUnavailable, ConsoleError
from intempt_core.targets import Target, derive_target_key
from intempt_core.validation import CatalogueFile, ProductCatalogue
from intempt_core.workers import BuildCatalogue, ReadCatalogue
from pages.parts.shared.formatting import escape_markdown, format_moment
from pages.parts.shared.screen_state import get_screen_state, make_key, read_widget
from pages.parts.shared.services import get_services
from pages.parts.shared.tab_connection import get_tab_id
from pages.parts.shared.task_results import fetch_result
from pages.parts.shared.widgets.file_input import show_file_input


@dataclass
class CatalogueUpload:
    """A catalogue that is being loaded in one tab.

    Attributes:
        token: The token of its upload.
        uploads: How many files were uploaded, for the keys of the next widgets.
        listing: The task that reads the file that was uploaded last, ``None`` where its columns have been chosen.
        trouble: Why it cannot be read or loaded, as a sentence.
    """

    token: str = ""
    uploads: int = 0
    listing: ReadCatalogue | None = None
    trouble: str = ""


def show_catalogue(target: Target) -> None:
    """The catalogue of a target, and the ways to load, replace and remove it."""
    upload = get_screen_state(CatalogueUpload)
    listing = _receive_listing(upload)
    found, trouble = _find_loaded_catalogue(target)
    size = format_count(len(found), "product") if found else "none is loaded"
    title = f"Catalogue of {escape_markdown(target.title)}: {size}"
    with st.expander(title, key="catalogue", expanded=bool(upload.listing or upload.trouble or trouble)):
        st.text(
            "With a catalogue, products are shown with their names, and an event whose product is not in it gets a"
            " warning. The catalogue stays on this machine."
        )
        if trouble:
            st.text(trouble)
        if found:
            st.text(
                f"{found.name}: {size} of {format_count(found.rows, 'row')}, loaded {format_moment(found.loaded_at)}."
            )
        if found or trouble:
            st.button("Remove this catalogue", key="catalogue-remove", on_click=_remove_catalogue, args=(target,))
        show_file_input(
            "Replace it with another file" if found else "Load a catalogue",
            hint=f"or drop one here: CSV or JSON, up to {get_services().settings.upload_mb:,} MB",
            token=upload.token,
            key=make_key("catalogue-file", upload.uploads),
        )
        if upload.trouble:
            st.text(upload.trouble)
        if listing:
            _choose_columns(upload, listing, target)


def _find_loaded_catalogue(target: Target) -> tuple[ProductCatalogue | None, str]:
    try:
        return get_services().catalogues.get(derive_target_key(target)), ""
    except CatalogueUnavailable as error:
        return None, str(error)


def _receive_listing(upload: CatalogueUpload) -> CatalogueFile | None:
    """The file that has been uploaded, read, where its columns are to be chosen; why it is no catalogue is a sentence.

    The tab keeps the task and not the file, so that its memory can be given back when the tab is closed.
    """
    tokens = get_services().upload_tokens
    if not upload.token:
        upload.token = tokens.create_token()
    file = tokens.take_newest(upload.token)
    if file is not None and not tokens.spool.touch(file.digest):
        upload.trouble = f"{file.name} arrived at another console, whose folder this one does not read."
    elif file is not None:
        _discard_listing()
        upload.uploads += 1
        upload.listing = ReadCatalogue(tokens.spool.path(file.digest), file.digest, file.name)
    if upload.listing is None:
        return None
    name = upload.listing.file_name
    try:
        listing: CatalogueFile = fetch_result(upload.listing)
    except Exception as error:
        _discard_listing()
        if not isinstance(error, ConsoleError):
            raise
        upload.trouble = str(error) if name in str(error) else f"{name}: {error}"
        return None
    return listing


def _choose_columns(upload: CatalogueUpload, listing: CatalogueFile, target: Target) -> None:
    """The choice of the column of product ids, and of the columns of names."""
    st.text(f"{listing.name}: {format_count(listing.rows, 'row')}, {format_count(len(listing.header), 'column')}.")
    columns = list(listing.header)
    left, right = st.columns(2)
    id_column = left.selectbox(
        "Column of the product id",
        columns,
        index=columns.index(listing.likely_id_column),
        key=make_key("catalogue-id", upload.uploads),
    )
    right.multiselect(
        "Columns of the product name",
        columns,
        default=[column for column in listing.name_columns if column != listing.likely_id_column],
        key=make_key("catalogue-naming", upload.uploads),
    )
    first = ", ".join(f"“{text}”" for text in listing.columns[id_column].slice(0, 3).to_pylist())
    st.text(f"The first ids are {first}." if first else "The file has no rows.")
    with st.container(horizontal=True):
        st.button(
            f"Load the products of {escape_markdown(listing.name)} for {escape_markdown(target.title)}",
            key="catalogue-load",
            type="primary",
            on_click=_load_catalogue,
            args=(target,),
        )
        st.button("Cancel", key="catalogue-cancel", on_click=_discard_listing)


def _load_catalogue(target: Target) -> None:
    upload = get_screen_state(CatalogueUpload)
    if upload.listing is None:
        return
    id_column, naming = (read_widget(make_key("catalogue", part, upload.uploads)) for part in ("id", "naming"))
    building = BuildCatalogue(upload.listing, id_column, tuple(naming))
    results, tab = get_services().results, get_tab_id()
    try:
        catalogue: ProductCatalogue = results.fetch(building, tab)  # in a click: nothing interrupts that
        get_services().catalogues.save(derive_target_key(target), replace(catalogue, loaded_at=now_ms()))
    except ConsoleError as error:
        upload.trouble = str(error)
        return
    finally:
        results.let_go(building, tab)
    _discard_listing()


def _discard_listing() -> None:
    upload = get_screen_state(CatalogueUpload)
    if upload.listing is not None:
        get_services().results.let_go(upload.listing, get_tab_id())
    upload.listing, upload.trouble = None, ""


def _remove_catalogue(target: Target) -> None:
    try:
        get_services().catalogues.remove(derive_target_key(target))
    except CatalogueUnavailable as error:
        get_screen_state(CatalogueUpload).trouble = str(error)
