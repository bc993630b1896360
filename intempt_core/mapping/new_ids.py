"""New event ids for a new run of the same input: its events are sent as new ones.

An id that the input brings gets an ending that only this run has, so that events which share an id still share one, and
each can be traced to its original. Ids that are made of a row's cells are made with another salt.
"""

from collections.abc import Iterable
from collections.abc import Mapping as AnyMapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import combine_column, make_scalar
from intempt_core.contract import GivenEvent, id_to_text
from intempt_core.mapping.event_source import EventSource
from intempt_core.mapping.model import Mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.readers import Table

_ID_FIELD = "eventId"


def map_table_as_new(table: Table, mapping: Mapping, run: str) -> EventSource:
    """See a table as events, as :func:`map_table` does, under the event ids of a run that no other has."""
    constant = mapping.constants.get(_ID_FIELD)
    if constant is not None:
        mapping = replace(mapping, constants={**mapping.constants, _ID_FIELD: _renew_id(constant, run)})
    mapped = map_table(table, mapping, run)
    column = mapped.field_columns.get(_ID_FIELD)
    if column is None:
        return mapped
    return mapped.with_table(mapped.table.with_column(column, _renew_column(mapped.table.columns[column], run)))


def renew_event_ids(events: Iterable[GivenEvent], run: str) -> tuple[GivenEvent, ...]:
    """The events under the ids of a run that no other has; one without an id stays so."""
    return tuple(_renew_event(event, run) for event in events)


def _renew_event(event: GivenEvent, run: str) -> GivenEvent:
    body = event.body
    if not isinstance(body, AnyMapping) or id_to_text(body.get(_ID_FIELD)) is None:
        return event
    return replace(event, body={**body, _ID_FIELD: _renew_id(body[_ID_FIELD], run)})


def _renew_id(given: object, run: str) -> str:
    return f"{id_to_text(given)}-{run}"


def _renew_column(column: pa.ChunkedArray, run: str) -> pa.ChunkedArray:
    texts = combine_column(column)
    renewed = pc.binary_join_element_wise(texts, make_scalar(run), make_scalar("-"))
    is_blank = pc.equal(pc.binary_length(pc.utf8_trim_whitespace(texts)), 0)
    return pa.chunked_array([pc.if_else(is_blank, texts, renewed)])
