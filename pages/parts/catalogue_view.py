"""The catalogue of a target: loaded from a file, replaced, removed; it gives products their names (CONTRACT 2.5)."""

from dataclasses import dataclass

import streamlit as st

from intempt_core import ConsoleError, Target
from intempt_core.catalogue import ProductCatalogue, CatalogueFile, build_catalogue, read_catalogue_file
from intempt_core.errors import CatalogueUnavailable
from intempt_core.history import derive_target_key
from pages.parts.file_input import file_input
from pages.parts.frame import target as chosen
from pages.parts.house import house
from pages.parts.look import counted, escaped, moment
from pages.parts.session import key, room, value


@dataclass
class Loading:
    """A catalogue on its way in, of one tab."""

    token: str = ""
    uploads: int = 0
    listing: CatalogueFile | None = None
    trouble: str = ""


def catalogue(target: Target) -> None:
    """What is loaded for a target, and how to load, replace or remove it."""
    loading = room(Loading)
    _take_in(loading)
    found, trouble = _loaded(target)
    title = f"Catalogue of {escaped(target.title)}: {counted(len(found), 'product') if found else 'none is loaded'}"
    with st.expander(title, key="catalogue", expanded=bool(loading.listing or loading.trouble or trouble)):
        st.text(
            "With a catalogue products have names here, and an event of a product that is not in it is a"
            " warning. It stays on this machine."
        )
        if trouble:
            st.text(trouble)
        if found:
            st.text(
                f"{found.name}: {counted(len(found), 'product')} of {counted(found.rows, 'row')}, loaded"
                f" {moment(found.loaded_at)}."
            )
        if found or trouble:
            st.button("Remove this catalogue", key="catalogue-remove", on_click=_remove, args=(target,))
        file_input(
            "Replace it by another file" if found else "Load a catalogue",
            hint=f"or drop one here: CSV or JSON, up to {house().settings.upload_mb:,} MB",
            token=loading.token,
            key=key("catalogue-file", loading.uploads),
        )
        if loading.trouble:
            st.text(loading.trouble)
        if loading.listing:
            _choose(loading, loading.listing, target)


def _loaded(target: Target) -> tuple[ProductCatalogue | None, str]:
    try:
        return house().catalogues.get(derive_target_key(target)), ""
    except CatalogueUnavailable as error:
        return None, str(error)


def _take_in(loading: Loading) -> None:
    """If a file has come in, read it; what is no catalogue is a sentence."""
    doors = house().doors
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


def _choose(loading: Loading, listing: CatalogueFile, target: Target) -> None:
    """Which column is the product id, and which say what a product is called."""
    st.text(f"{listing.name}: {counted(listing.rows, 'row')}, {counted(len(listing.header), 'column')}.")
    columns = list(listing.header)
    left, right = st.columns(2)
    id_column = left.selectbox(
        "Column of the product id",
        columns,
        index=columns.index(listing.likely_id_column),
        key=key("catalogue-id", loading.uploads),
    )
    right.multiselect(
        "Columns that say what it is called",
        columns,
        default=[column for column in listing.name_columns if column != listing.likely_id_column],
        key=key("catalogue-naming", loading.uploads),
    )
    first = ", ".join(f"“{text}”" for text in listing.columns[id_column].slice(0, 3).to_pylist())
    st.text(f"The first ids are {first}." if first else "It has no rows.")
    with st.container(horizontal=True):
        st.button(
            f"Load the products of {escaped(listing.name)} for {escaped(target.title)}",
            key="catalogue-load",
            type="primary",
            on_click=_load,
            args=(target,),
        )
        st.button("Not this file", key="catalogue-not", on_click=_drop)


def _load(target: Target) -> None:
    loading = room(Loading)
    if loading.listing is None:
        return
    id_column, naming = (value(key("catalogue", part, loading.uploads)) for part in ("id", "naming"))
    try:
        house().catalogues.save(derive_target_key(target), build_catalogue(loading.listing, id_column, naming))
    except ConsoleError as error:
        loading.trouble = str(error)
        return
    _drop()


def _drop() -> None:
    loading = room(Loading)
    loading.listing, loading.trouble = None, ""


def _remove(target: Target) -> None:
    try:
        house().catalogues.remove(derive_target_key(target))
    except CatalogueUnavailable as error:
        room(Loading).trouble = str(error)


def called(product: object) -> None:
    """What the catalogue of the chosen target calls a product, where it says so."""
    found = house().catalogue(derive_target_key(chosen()))
    name = found.names_of([product]).get(product) if found and isinstance(product, str) else None
    if name:
        st.text(name)


def loaded_at(target: str) -> int:
    """When a target's (a ``key``) catalogue was loaded, epoch ms; 0 where none is."""
    found = house().catalogue(target)
    return found.loaded_at if found else 0
