"""The product catalogue of a target: load it from a file, replace it, remove it (CONTRACT 2.5)."""

from dataclasses import dataclass

import streamlit as st

from intempt_core.contract import format_count
from intempt_core.errors import CatalogueUnavailable, ConsoleError
from intempt_core.targets import Target, derive_target_key
from intempt_core.validation import CatalogueFile, ProductCatalogue, build_catalogue, read_catalogue_file
from pages.parts.shared.formatting import escape_markdown, format_moment
from pages.parts.shared.screen_state import get_screen_state, make_key, read_widget
from pages.parts.shared.services import get_services
from pages.parts.shared.widgets.file_input import show_file_input


@dataclass
class CatalogueUpload:
    """A catalogue that is being loaded in one tab.

    Attributes:
        token: The token of its upload.
        uploads: How many files were uploaded, for the keys of the next widgets.
        listing: The file that was uploaded last, read, ``None`` where its columns have been chosen.
        trouble: Why it cannot be read or loaded, as a sentence.
    """

    token: str = ""
    uploads: int = 0
    listing: CatalogueFile | None = None
    trouble: str = ""


def show_catalogue(target: Target) -> None:
    """The catalogue of a target, and the ways to load, replace and remove it."""
    upload = get_screen_state(CatalogueUpload)
    _receive_listing(upload)
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
        if upload.listing:
            _choose_columns(upload, upload.listing, target)


def _find_loaded_catalogue(target: Target) -> tuple[ProductCatalogue | None, str]:
    try:
        return get_services().catalogues.get(derive_target_key(target)), ""
    except CatalogueUnavailable as error:
        return None, str(error)


def _receive_listing(upload: CatalogueUpload) -> None:
    """Read a file that has been uploaded; why it is no catalogue is a sentence."""
    tokens = get_services().upload_tokens
    if not upload.token:
        upload.token = tokens.create_token()
    file = tokens.take_newest(upload.token)
    if file is None:
        return
    upload.uploads, upload.listing, upload.trouble = upload.uploads + 1, None, ""
    try:
        upload.listing = read_catalogue_file(tokens.spool.path(file.digest), name=file.name)
    except ConsoleError as error:
        upload.trouble = str(error) if file.name in str(error) else f"{file.name}: {error}"


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
    try:
        get_services().catalogues.save(derive_target_key(target), build_catalogue(upload.listing, id_column, naming))
    except ConsoleError as error:
        upload.trouble = str(error)
        return
    _discard_listing()


def _discard_listing() -> None:
    upload = get_screen_state(CatalogueUpload)
    upload.listing, upload.trouble = None, ""


def _remove_catalogue(target: Target) -> None:
    try:
        get_services().catalogues.remove(derive_target_key(target))
    except CatalogueUnavailable as error:
        get_screen_state(CatalogueUpload).trouble = str(error)
