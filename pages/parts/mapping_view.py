"""Step 2 of the upload: columns to fields, names to the four names, types and the zone. Nothing is taken silently."""

from dataclasses import replace

import streamlit as st

from intempt_core import ConsoleError, Mapping, Table, offers
from intempt_core.cells import TYPES
from intempt_core.events import PLAIN_FIELDS, EventName
from intempt_core.mapping import Offer, map_table
from pages.parts import uploading
from pages.parts.form import zones
from pages.parts.look import counted, escaped, zone_name
from pages.parts.session import key
from pages.parts.taking import download

COLUMNS_DRAWN = 60
"""Columns that get a row of their own in the editor; a wider file keeps the rest as they are, and says so."""

NAMES_DRAWN = 40
"""Different cells of the name column that can be mapped on the screen; a mapping file takes any number."""

UNUSED = "(not used)"
AS_IT_IS = "(as it is)"
FIELDS = ("name", *PLAIN_FIELDS, "data.productId")


def editor(table: Table, mapping: Mapping) -> bool:
    """The whole mapping of a file, and the button that settles it; whether the mapping can be used."""
    offered(table, mapping)
    for column in table.header[:COLUMNS_DRAWN]:
        one_column(table, mapping, column)
    if len(table.header) > COLUMNS_DRAWN:
        st.caption(f"{counted(len(table.header) - COLUMNS_DRAWN, 'further column')} as the mapping file has them.")
    names(table, mapping)
    zone = drawn("upload-zone")
    st.session_state[zone] = mapping.time_zone
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Zone of times that name none",
            dict.fromkeys((mapping.time_zone, "UTC", *zones(zone_name()))),
            key=zone,
            on_change=_set_zone,
            args=(zone,),
            width=280,
        )
        files(mapping)
    return settle(table, mapping)


def drawn(*parts: object) -> str:
    """The key of a field of the mapping as it is drawn now."""
    found = uploading.uploading()
    return key(*parts, found.uploads, found.revision)


def offered(table: Table, mapping: Mapping) -> None:
    """What the columns probably are, each with its reason; taken only by a click, the product id by one of its own."""
    left = offers(table, mapping)
    others = [offer for offer in left if not offer.by_itself]
    alone = [offer for offer in left if offer.by_itself]
    if not left:
        return
    with st.container(border=True, key="upload-offers"):
        for number, offer in enumerate(left):
            with st.container(key=key("upload-offer", number), gap=None):
                becomes = "" if mapping.columns.get(offer.column) == offer.field else f" → {offer.field}"
                st.text(f"{offer.column}{becomes}: {offer.reason}")
        with st.container(horizontal=True):
            if others:
                st.button(
                    f"Use {counted(len(others), 'suggestion')}" + (" (not the product id)" if _product(alone) else ""),
                    key="upload-accept",
                    on_click=uploading.accept,
                    args=(others,),
                )
            for number, offer in enumerate(alone):
                product = "product" if offer.field == "data.productId" else "alone"
                st.button(
                    _words(offer),
                    key=key("upload-accept", product, *([number] if number else [])),
                    on_click=uploading.accept,
                    args=([offer],),
                )


def _product(found: list[Offer]) -> bool:
    return any(offer.field == "data.productId" for offer in found)


def _words(offer: Offer) -> str:
    """What the button of an offer that is taken by itself will do."""
    if offer.time_format:
        return f"Read {escaped(offer.column)} as {escaped(offer.time_format)}"
    return f"Use {escaped(offer.column)} as the product id"


def one_column(table: Table, mapping: Mapping, column: str) -> None:
    """One column: its name, its first cells, the field it becomes, and, for further data, its type."""
    number = table.header.index(column)
    now = mapping.columns.get(column)
    own = f"data.{column}"
    options = list(dict.fromkeys((UNUSED, *FIELDS, own, *([now] if now else []))))
    head, sample, field, kind = st.columns([3, 4, 4, 2], vertical_alignment="center")
    with head:
        st.text(column or f"(column {number + 1} has no name)")
    with sample:
        cells = [cell for cell in table.columns[column].slice(0, 50).to_pylist() if cell]
        st.code(
            " · ".join(cell[:30] for cell in list(dict.fromkeys(cells))[:2]) or "(empty)",
            language=None,
            wrap_lines=True,
        )
    widget = drawn("upload-field", number)
    st.session_state[widget] = now or UNUSED
    field.selectbox(
        f"Field of {escaped(column)}",
        options,
        key=widget,
        label_visibility="collapsed",
        on_change=_set_field,
        args=(column, widget),
    )
    if now and "." in now and now != "data.productId":
        typed = drawn("upload-type", number)
        st.session_state[typed] = mapping.types.get(now, "text")
        kind.selectbox(
            f"Type of {escaped(column)}",
            TYPES,
            key=typed,
            label_visibility="collapsed",
            on_change=_set_type,
            args=(now, typed),
        )


def names(table: Table, mapping: Mapping) -> None:
    """The different cells of the name column, and which of the four names each means (CONTRACT 4.6)."""
    column = next((column for column, field in mapping.columns.items() if field == "name"), None)
    if column not in table.header:
        return
    cells = [cell for cell in table.columns[column].unique().to_pylist() if cell]
    odd = [cell for cell in cells if cell not in EventName._value2member_map_]
    if odd:
        st.caption("Event names: which of the four each one means")
    for number, cell in enumerate(odd[:NAMES_DRAWN]):
        left, right = st.columns([3, 10], vertical_alignment="center")
        with left:
            st.text(cell[:80])
        widget = drawn("upload-name", number)
        st.session_state[widget] = mapping.names.get(cell, AS_IT_IS)
        right.selectbox(
            f"Name of {escaped(cell[:80])}",
            (AS_IT_IS, *(name.value for name in EventName)),
            key=widget,
            label_visibility="collapsed",
            on_change=_set_name,
            args=(cell, widget),
            width=280,
        )
    if len(odd) > NAMES_DRAWN:
        st.caption(f"{counted(len(odd) - NAMES_DRAWN, 'further name')}: use a mapping file for so many.")


def files(mapping: Mapping) -> None:
    """A mapping as a file: taken along for the command line, or brought in."""
    download("Mapping as a file", mapping.to_json, "mapping.json", "application/json", key="upload-map-out")
    with st.popover("Use a mapping file", key="upload-map-in"):
        st.file_uploader("A mapping file", key="upload-map-file", on_change=_bring_in, max_upload_size=1)


def settle(table: Table, mapping: Mapping) -> bool:
    """The button that ends the step, or the sentence that says what is still wrong; whether nothing is."""
    try:
        map_table(table, mapping)
    except ConsoleError as error:
        st.markdown(":red-badge[■ this mapping cannot be used]")
        st.text(str(error))
        return False
    if "data.productId" not in (*mapping.columns.values(), *mapping.constants):
        st.markdown(":orange-badge[◆ no column is the product id]")
        st.text("Every event needs data.productId. Choose the column that holds the catalogue's ids.")
    if trouble := uploading.uploading().problem:
        st.text(trouble)
    if not uploading.uploading().mapped:
        st.button("Use this mapping", key="upload-settle", type="primary", on_click=uploading.settle)
    return True


def _is_late(widget: str) -> bool:
    """Whether a change comes from a box that is no longer shown: the mapping has been set otherwise since."""
    found = uploading.uploading()
    return not widget.endswith(key("", found.uploads, found.revision))


def _set_field(column: str, widget: str) -> None:
    if _is_late(widget):
        return
    chosen = st.session_state[widget]
    uploading.set_field(column, None if chosen == UNUSED else chosen)


def _set_type(field: str, widget: str) -> None:
    found = uploading.uploading()
    if found.mapping and not _is_late(widget):
        types = {**found.mapping.types, field: st.session_state[widget]}
        found.mapping = replace(found.mapping, types={name: kind for name, kind in types.items() if kind != "text"})


def _set_name(cell: str, widget: str) -> None:
    found = uploading.uploading()
    if found.mapping and not _is_late(widget):
        names_ = {**found.mapping.names, cell: st.session_state[widget]}
        found.mapping = replace(found.mapping, names={c: name for c, name in names_.items() if name != AS_IT_IS})


def _set_zone(widget: str) -> None:
    found = uploading.uploading()
    if found.mapping and not _is_late(widget):
        found.mapping = replace(found.mapping, time_zone=st.session_state[widget])


def _bring_in() -> None:
    given = st.session_state.get("upload-map-file")
    if given is not None:
        uploading.use_mapping(given.getvalue().decode("utf-8-sig", "replace"))
