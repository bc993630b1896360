"""The first rows of a file as they will be sent: a line for each event, before the mapping is settled."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import streamlit as st

from intempt_core.contract import (
    IDENTITY_FIELDS,
    GivenEvent,
    Json,
    dump_json,
    get_field,
    id_to_text,
    read_epoch_ms,
    spell_invisible,
)
from intempt_core.mapping import Mapping as ColumnMapping
from intempt_core.mapping import preview_events
from intempt_core.readers import Table

ROWS_PREVIEWED = 5
"""Events of a file that are shown as they will be sent."""

VALUE_CHARACTERS = 40
"""Characters of a value in the line of an event."""

DATA_SHOWN = 3
"""Further values of an event's data that its line has."""

_IDENTITY_LABELS = {"userId": "user", "profileId": "profile", "anotherUserId": "other user id", "accountId": "account"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def show_rows_as_sent(table: Table, mapping: ColumnMapping) -> None:
    """The first events of the file, a line each."""
    lines = [describe_event(event) for event in preview_events(table, mapping, ROWS_PREVIEWED)]
    if lines:
        with st.container(key="upload-as-sent", gap="xsmall"):
            st.markdown("**As they will be sent**")
            st.code("\n".join(lines), language=None, wrap_lines=True)


def describe_event(event: GivenEvent) -> str:
    """An event in a line: its name, identity, product, time and some of its data; what lacks is named."""
    return " · ".join(map(spell_invisible, _list_parts(event)))


def _list_parts(event: GivenEvent) -> Iterator[str]:
    body = event.body
    yield _shorten(event.name) or "no event name"
    identities = [
        f"{_IDENTITY_LABELS.get(field, field)} {_shorten(id_)}"
        for field in IDENTITY_FIELDS
        if (id_ := id_to_text(get_field(body, field)))
    ]
    yield " · ".join(identities) or "no identity"
    product = id_to_text(get_field(body, "data.productId"))
    yield f"product {_shorten(product)}" if product else "no product id"
    yield _describe_time(get_field(body, "timestamp"))
    data = get_field(body, "data")
    others = [(key, one) for key, one in data.items() if key != "productId"] if isinstance(data, Mapping) else []
    for key, one in others[:DATA_SHOWN]:
        yield f"{_shorten(key)} {_shorten(one)}"
    if len(others) > DATA_SHOWN:
        yield f"and {len(others) - DATA_SHOWN:,} more"


def _describe_time(given: Json) -> str:
    if given is None:
        return "server time"
    ms = read_epoch_ms(given)
    try:
        return f"{_EPOCH + timedelta(milliseconds=ms):%Y-%m-%d %H:%M:%S} UTC" if ms is not None else _shorten(given)
    except OverflowError:
        return _shorten(given)


def _shorten(value: Json) -> str:
    text = "" if value is None else value if isinstance(value, str) else dump_json(value).decode()
    return text if len(text) <= VALUE_CHARACTERS else f"{text[:VALUE_CHARACTERS]}…"
