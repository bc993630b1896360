"""The catalogue of a target: loaded from a file, replaced, removed; it gives products their names (CONTRACT 2.5)."""

from dataclasses import dataclass

import streamlit as st

from intempt_core.errors import CatalogueUnavailable, ConsoleError
from intempt_core.targets import Target, derive_target_key
from intempt_core.validation import CatalogueFile, ProductCatalogue, build_catalogue, read_catalogue_file
from pages.parts.shared.formatting import escape_markdown, format_moment, format_quantity
from pages.parts.shared.screen_state import get_screen_state, make_key, read_widget
from pages.parts.shared.services import get_services
from pages.parts.shared.widgets.file_input import show_file_input


@dataclass
class CatalogueUpload:
    """A catalogue on its way in, of one tab."""

    token: str = ""
    uploads: int = 0
    listing: CatalogueFile | None = None
    trouble: str = ""


def show_catalogue(target: Target) -> None:
    """What is loaded for a target, and how to load, replace or remove it."""
    loading = get_screen_state(CatalogueUpload)
    _receive_listing(loading)
    found, trouble = _find_loaded_catalogue(target)
    title = f"Catalogue of {escape_markdown(target.title)}: {format_quantity(len(found), 'product') if found else 'none is loaded'}"
    with st.expander(title, key="catalogue", expanded=bool(loading.listing or loading.trouble or trouble)):
        st.text(
            "With a catalogue products have names here, and an event of a product that is not in it is a"
            " warning. It stays on this machine."
        )
        if trouble:
            st.text(trouble)
        if found:
            st.text(
                f"{found.name}: {format_quantity(len(found), 'product')} of {format_quantity(found.rows, 'row')}, loaded"
                f" {format_moment(found.loaded_at)}."
            )
        if found or trouble:
            st.button("Remove this catalogue", key="catalogue-remove", on_click=_remove_catalogue, args=(target,))
        show_file_input(
            "Replace it by another file" if found else "Load a catalogue",
            hint=f"or drop one here: CSV or JSON, up to {get_services().settings.upload_mb:,} MB",
            token=loading.token,
            key=make_key("catalogue-file", loading.uploads),
        )
        if loading.trouble:
            st.text(loading.trouble)
        if loading.listing:
            _choose_columns(loading, loading.listing, target)


def _find_loaded_catalogue(target: Target) -> tuple[ProductCatalogue | None, str]:
    try:
        return get_services().catalogues.get(derive_target_key(target)), ""
    except CatalogueUnavailable as error:
        return None, str(error)


def _receive_listing(loading: CatalogueUpload) -> None:
    """If a file has come in, read it; what is no catalogue is a sentence."""
    doors = get_services().upload_tokens
    if not loading.token:
        loading.token = doors.create_token()
    file = doors.take_newest(loading.token)
    if file is None:
        return
    loading.uploads, loading.listing, loading.trouble = loading.uploads + 1, None, ""
    try:
        loading.listing = read_catalogue_file(doors.spool.path(file.digest), name=file.name)
    except ConsoleError as error:
        loading.trouble = str(error) if file.name in str(error) else f"{file.name}: {error}"


def _choose_columns(loading: CatalogueUpload, listing: CatalogueFile, target: Target) -> None:
    """Which column is the product id, and which say what a product is called."""
    st.text(
        f"{listing.name}: {format_quantity(listing.rows, 'row')}, {format_quantity(len(listing.header), 'column')}."
    )
    columns = list(listing.header)
    left, right = st.columns(2)
    id_column = left.selectbox(
        "Column of the product id",
        columns,
        index=columns.index(listing.likely_id_column),
        key=make_key("catalogue-id", loading.uploads),
    )
    right.multiselect(
        "Columns that say what it is called",
        columns,
        default=[column for column in listing.name_columns if column != listing.likely_id_column],
        key=make_key("catalogue-naming", loading.uploads),
    )
    first = ", ".join(f"“{text}”" for text in listing.columns[id_column].slice(0, 3).to_pylist())
    st.text(f"The first ids are {first}." if first else "It has no rows.")
    with st.container(horizontal=True):
        st.button(
            f"Load the products of {escape_markdown(listing.name)} for {escape_markdown(target.title)}",
            key="catalogue-load",
            type="primary",
            on_click=_load_catalogue,
            args=(target,),
        )
        st.button("Not this file", key="catalogue-not", on_click=_discard_listing)


def _load_catalogue(target: Target) -> None:
    loading = get_screen_state(CatalogueUpload)
    if loading.listing is None:
        return
    id_column, naming = (read_widget(make_key("catalogue", part, loading.uploads)) for part in ("id", "naming"))
    try:
        get_services().catalogues.save(derive_target_key(target), build_catalogue(loading.listing, id_column, naming))
    except ConsoleError as error:
        loading.trouble = str(error)
        return
    _discard_listing()


def _discard_listing() -> None:
    loading = get_screen_state(CatalogueUpload)
    loading.listing, loading.trouble = None, ""


def _remove_catalogue(target: Target) -> None:
    try:
        get_services().catalogues.remove(derive_target_key(target))
    except CatalogueUnavailable as error:
        get_screen_state(CatalogueUpload).trouble = str(error)
