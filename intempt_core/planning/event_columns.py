"""What is stored of events so that they can be found again, in columns: a table's come from its own columns.

:func:`describe_event` defines what that is of one event. What is read of a mapped table is the same for every row, a
property test holds it, and takes a twentieth of the time, because no object is made for an event.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import Int64Array, make_array, make_scalar, view_numbers
from intempt_core.contract import GivenEvent, Json, dump_json, get_field, id_to_text, read_epoch_ms
from intempt_core.mapping import MappedTable
from intempt_core.validation import TextColumn, TimestampColumn

INT64_LIMIT = 2**63
"""An event's time beyond it is sent as it is and not stored: no database has a number for it."""

ID_FIELDS = ("eventId", "profileId", "userId", "anotherUserId", "accountId", "data.productId")
"""The ids by which an event is found (CONTRACT 2.3, 2.5, 2.6), in the order of their columns."""

_CLAMPED = (-INT64_LIMIT, INT64_LIMIT - 1)
"""What a time beyond 64 bits is read as in a column."""


class PlanSource(Protocol):
    """Where events are read from: a mapped table, JSON lines, or a list."""

    def events(self, rows: Iterable[int], /) -> Iterator[GivenEvent]:
        """The events of these rows (from 0), in their order."""
        ...


class EventColumns(NamedTuple):
    """What is stored of some events: the values of each kind, all lists of one length and in one order.

    Attributes:
        rows: The input's rows that they were made from, from 1.
        lines: The physical lines of those rows, from 1.
        names: Their names, as text.
        ids: Their ids as text, a list for each of :data:`ID_FIELDS`.
        times: Their own times in epoch ms; ``None`` for one that has none or whose does not fit 64 bits.
        members: Which event of its row each is, from 1; 0 where a row is one event.
    """

    rows: Sequence[int]
    lines: Sequence[int | None]
    names: Sequence[str | None]
    ids: Sequence[Sequence[str | None]]
    times: Sequence[int | None]
    members: Sequence[int]


class EventDescription(NamedTuple):
    """What is stored of one event, as :class:`EventColumns` has it of many."""

    name: str | None
    event_id: str | None
    profile_id: str | None
    user_id: str | None
    another_user_id: str | None
    account_id: str | None
    product_id: str | None
    timestamp: int | None


def describe_event(event: GivenEvent) -> EventDescription:
    """What is stored of one event."""
    body, time = event.body, read_epoch_ms(get_field(event.body, "timestamp"))
    return EventDescription(
        _name_to_text(event.name),
        id_to_text(get_field(body, "eventId")),
        id_to_text(get_field(body, "profileId")),
        id_to_text(get_field(body, "userId")),
        id_to_text(get_field(body, "anotherUserId")),
        id_to_text(get_field(body, "accountId")),
        id_to_text(get_field(body, "data.productId")),
        time if time is not None and -INT64_LIMIT <= time < INT64_LIMIT else None,
    )


def collect_event_columns(events: Iterable[GivenEvent], rows: Sequence[int]) -> EventColumns:
    """What is stored of events. ``rows`` (from 1) are used for those that do not know their own."""
    given = list(events)
    names, *ids, times = (
        zip(*map(describe_event, given), strict=True) if given else [()] * len(EventDescription._fields)
    )
    return EventColumns(
        [event.place.row if event.place.row is not None else row for event, row in zip(given, rows, strict=True)],
        [event.place.line for event in given],
        names,
        ids,
        times,
        [event.place.member for event in given],
    )


def read_event_columns(source: PlanSource, rows: Int64Array) -> EventColumns:
    """What is stored of the events of some rows (from 0) of a file."""
    if not isinstance(source, MappedTable):
        return collect_event_columns(source.events(rows.tolist()), (rows + 1).tolist())
    return EventColumns(
        source.table.row_numbers(rows),
        source.table.line_numbers(rows),
        _read_names(source, rows),
        [_read_ids(source, field, rows) for field in ID_FIELDS],
        _read_times(source, rows),
        source.table.member_numbers(rows),
    )


def _name_to_text(name: Json) -> str | None:
    return name if isinstance(name, str) or name is None else dump_json(name).decode()


def _read_names(source: MappedTable, rows: Int64Array) -> list[str | None]:
    if "name" not in source.field_columns:
        return [_name_to_text(source.mapping.constants.get("name"))] * rows.size
    spellings = source.take_cells("name", rows).dictionary_encode()  # each of them is read once
    texts = [_name_to_text(value) for value in source.read("name", spellings.dictionary)]
    return [texts[code] for code in view_numbers(spellings.indices).tolist()]


def _read_ids(source: MappedTable, field: str, rows: Int64Array) -> list[str | None]:
    if field == "eventId" and source.makes_ids:
        made: list[str | None] = source.made_ids.take(make_array(rows)).to_pylist()
        return made
    if field not in source.field_columns:
        return [id_to_text(get_field(source.blank_event().body, field))] * rows.size
    cells = source.take_cells(field, rows)  # ids have no type but text
    given = TextColumn(cells).given
    if not given.any():
        return [None] * rows.size
    if not given.all():
        cells = pc.if_else(make_array(given), cells, make_scalar(None, pa.large_string()))
    found: list[str | None] = cells.to_pylist()
    return found


def _read_times(source: MappedTable, rows: Int64Array) -> list[int | None]:
    if "timestamp" not in source.field_columns:
        constant = describe_event(source.blank_event()).timestamp
        return [constant] * rows.size
    cells = TextColumn(source.take_cells("timestamp", rows))
    column = TimestampColumn(cells, source.zone, source.mapping.time_format)
    found: list[int | None] = [*column.ms.tolist()]
    for place in np.flatnonzero(~column.is_read).tolist():
        found[place] = None
    for place in np.flatnonzero(np.isin(column.ms, _CLAMPED)).tolist():  # perhaps it does not fit
        found[place] = describe_event(source.event(int(rows[place]))).timestamp
    return found
