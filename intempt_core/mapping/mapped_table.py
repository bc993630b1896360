"""Events made of a table's columns by a mapping."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from intempt_core.arrays import (
    Int64Array,
    Mask,
    combine_column,
    first_bytes,
    make_array,
    make_scalar,
    take_rows,
    view_numbers,
)
from intempt_core.contract import ID_FIELDS, PLAIN_FIELDS, GivenEvent, Json, Place
from intempt_core.mapping.derived_columns import NAME_SEPARATOR
from intempt_core.mapping.event_source import EventSource
from intempt_core.mapping.model import RESERVED_COLUMNS, Mapping, load_time_zone
from intempt_core.mapping.time_formats import build_time_parser
from intempt_core.mapping.values import LazyMapping, make_event_ids, parse_cell
from intempt_core.readers import JSON_CELL, TEXT_CELL, Table, decode_cell

EVENT_BLOCK_ROWS = 4096
"""Rows whose events are made together."""

_ABSENT = object()

_TEXT_FIELDS = frozenset(("name", "timestamp"))
"""Fields whose cells are texts, whatever JSON has for them."""

_NO_ID_STARTS = np.frombuffer(b"[{tf", np.uint8)
"""How the JSON of a list, an object and a truth value begins."""


@dataclass(frozen=True, eq=False)
class MappedTable:
    """Events made of a table's columns by a mapping, one a row.

    Attributes:
        table: The rows.
        mapping: Which column becomes which field, and how.
        id_salt: What makes other event ids for a new run of the same file; none for the same ids.
        original: The table as it was read, where ``table`` is a fixed copy of it: made ids are those of its rows.
    """

    table: Table
    mapping: Mapping
    id_salt: str | None = None
    original: Table | None = None

    _base: "MappedTable | None" = field(default=None, repr=False)
    """The table before it was fixed: its columns and ids are used again where they are the same."""

    def __getstate__(self) -> dict[str, object]:
        """What another process cannot make of the table itself."""
        return {name: value for name, value in vars(self).items() if name != "cells"}

    def with_table(self, table: Table) -> "MappedTable":
        """The same mapping over a fixed copy of the table; columns that are the very same are not read again."""
        return MappedTable(table, self.mapping, self.id_salt, self.original or self.table, self)

    def has_same_ids(self, other: EventSource) -> bool:
        """Whether each row surely has the event id that it has in another table of the same mapping."""
        if self.makes_ids or "eventId" not in self.field_columns:
            return True
        column = self.field_columns["eventId"]
        return self.table.columns[column] is other.table.columns[column]

    @property
    def rows(self) -> int:
        """Rows of the table, and so events."""
        return self.table.rows

    @cached_property
    def field_columns(self) -> dict[str, str]:
        """Field → header, in the order in which events have them."""
        columns = sorted(self.mapping.columns.items(), key=lambda one: self.mapping.is_member(one[0]))
        given = {field: column for column, field in columns}  # that of the members wins: it is filled up with the other
        order = dict.fromkeys(self.mapping.columns.values())
        given = {field: given[field] for field in order}
        if self.mapping.name_columns:
            given["name"] = NAME_SEPARATOR.join(self.mapping.name_columns)
        plain = {field: given.pop(field) for field in ("name", *PLAIN_FIELDS) if field in given}
        return plain | given

    def field_of(self, column: str) -> str | None:
        """The field that a column becomes; ``None`` for one that is not sent."""
        return self.mapping.columns.get(column)

    @property
    def unused_columns(self) -> tuple[str, ...]:
        """The headers of columns that are not sent."""
        explode = self.mapping.explode
        used = {*self.mapping.columns, *self.mapping.name_columns, *(explode.sources if explode else ())}
        used |= {self.field_columns["name"]} if self.mapping.name_columns else set()
        inside = [f"{column}." for column in used]
        return tuple(
            column for column in self.table.header if column not in used and not column.startswith(tuple(inside))
        )

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone of times that name none."""
        return load_time_zone(self.mapping.time_zone)

    @property
    def makes_ids(self) -> bool:
        """Whether event ids are made, because neither a column nor a constant gives them."""
        return "eventId" not in self.field_columns and "eventId" not in self.mapping.constants

    @cached_property
    def made_ids(self) -> pa.Array:
        """The made event id of every row, from its original cells; made once, when first asked for."""
        if self._base is not None:
            return self._base.made_ids
        table, origin = self.original or self.table, self.table.origin
        if origin is None:
            return make_event_ids(table, self.id_salt, RESERVED_COLUMNS)
        of_rows = make_event_ids(origin.table, self.id_salt, RESERVED_COLUMNS).take(make_array(origin.rows))
        numbers = make_array(origin.members).cast(pa.large_string())
        numbered = pc.binary_join_element_wise(of_rows, numbers, make_scalar("-"))
        return pc.if_else(make_array(origin.members > 0), numbered, of_rows)

    @cached_property
    def cells(self) -> AnyMapping[str, pa.Array]:
        """Field → its whole column as one array, for rules over columns."""
        return combine_cells(self.table, self.field_columns, self._base)

    @property
    def column_view(self) -> "MappedTable":
        """The table itself: rules over whole columns see all of it."""
        return self

    def take_cells(self, field: str, rows: Int64Array) -> pa.Array:
        """The cells of a field in these rows (from 0), as one array; only what is near them is read."""
        return take_rows(self.table.columns[self.field_columns[field]], rows)

    def take_kinds(self, field: str, rows: Int64Array) -> NDArray[np.uint8] | None:
        """What the cells of a field in these rows are (``readers/json_cells.py``); ``None`` where all are texts.

        Names and times are always read as texts, and so is what a mapping says is one. Of ids only a list, an object
        and a truth value are none: no id is one of these.
        """
        if field in ID_FIELDS:
            return self._take_id_kinds(field, rows)
        if field in _TEXT_FIELDS or self.mapping.types.get(field) == "text":
            return None
        kinds = self.table.cell_kinds.get(self.field_columns[field])
        if kinds is None:
            return None
        some = kinds[rows]
        return some if some.any() else None

    def _take_id_kinds(self, field: str, rows: Int64Array) -> NDArray[np.uint8] | None:
        kinds = self.table.cell_kinds.get(self.field_columns[field])
        some = np.zeros(0, np.int64) if kinds is None else np.flatnonzero(kinds[rows] == JSON_CELL)
        if not some.size:
            return None
        begins = first_bytes(self.take_cells(field, rows[some]))
        found = np.zeros(rows.size, np.uint8)
        found[some[np.isin(begins, _NO_ID_STARTS)]] = JSON_CELL
        return found if found.any() else None

    def slice_rows(self, start: int, stop: int) -> "MappedTable":
        """The rows from ``start`` up to ``stop``, for rules that look at each row by itself; it makes no ids."""
        table = self.table
        columns = {name: table.columns[name].slice(start, stop - start) for name in self.field_columns.values()}
        kinds = {name: table.cell_kinds[name][start:stop] for name in columns if name in table.cell_kinds}
        lines = table.lines[start:stop]
        part = replace(
            table, columns=columns, lines=lines, cell_counts={}, cell_kinds=kinds, malformed_quotes={}, origin=None
        )
        return MappedTable(part, self.mapping, self.id_salt)

    def select_rows(self, rows: Int64Array) -> "MappedTable":
        """These rows (sorted), likewise."""
        table = self.table
        columns = {
            name: pa.chunked_array([take_rows(table.columns[name], rows)]) for name in self.field_columns.values()
        }
        kinds = {name: table.cell_kinds[name][rows] for name in columns if name in table.cell_kinds}
        lines = table.lines[rows]
        part = replace(
            table, columns=columns, lines=lines, cell_counts={}, cell_kinds=kinds, malformed_quotes={}, origin=None
        )
        return MappedTable(part, self.mapping, self.id_salt)

    def event(self, row: int) -> GivenEvent:
        """The event of one row (from 0)."""
        return next(self.events((row,)))

    def events(self, rows: Iterable[int] | None = None) -> Iterator[GivenEvent]:
        """The events of these rows (from 0) in their order; of all rows where none are named."""
        wanted = np.arange(self.rows) if rows is None else np.fromiter(rows, np.int64)
        for start in range(0, len(wanted), EVENT_BLOCK_ROWS):
            some = wanted[start : start + EVENT_BLOCK_ROWS]
            cells = {field: self.take_cells(field, some).to_pylist() for field in self.field_columns}
            kinds = {field: self.take_kinds(field, some) for field in self.field_columns}
            made = self.made_ids.take(make_array(some)).to_pylist() if self.makes_ids else None
            yield from self._events(self.places(some), cells, made, kinds)

    def places(self, rows: Int64Array, column: str | None = None, pointer: str = "") -> list[Place]:
        """The places of these rows (from 0), or of one column in them."""
        table = self.table
        found = zip(table.row_numbers(rows), table.line_numbers(rows), table.member_numbers(rows), strict=True)
        return [Place(row, line, column, pointer, member=member) for row, line, member in found]

    def values(self, field: str, rows: Sequence[int]) -> list[Json]:
        """One field of these rows (from 0), as their events have it; no value is ``None``."""
        if field == "eventId" and self.makes_ids:
            made: list[Json] = self.made_ids.take(make_array(np.asarray(rows, np.int64))).to_pylist()
            return made
        if field not in self.field_columns:
            return [self.mapping.constants.get(field)] * len(rows)
        some = np.asarray(rows, np.int64)
        return self.read(field, self.take_cells(field, some), self.take_kinds(field, some))

    def read(self, field: str, cells: pa.Array, kinds: NDArray[np.uint8] | None = None) -> list[Json]:
        """What cells of a field's column become; no value is ``None``."""
        values = self._parse_column(field, cells.to_pylist(), kinds)
        return [None if value is _ABSENT else value for value in values]

    def filled_mask(self, field: str, rows: Int64Array) -> Mask:
        """Whether these rows (from 0) have a cell for a field of a column that is not empty."""
        lengths = pc.binary_length(self.take_cells(field, rows))
        found: Mask = view_numbers(lengths) > 0
        return found

    def blank_event(self) -> GivenEvent:
        """The event of a row whose cells are all empty: what constants give, and what no column can give."""
        cells = {field: [""] for field in self.field_columns}
        return next(self._events([Place()], cells, ["made"] if self.makes_ids else None))

    def _events(
        self,
        places: Sequence[Place],
        cells: AnyMapping[str, list[str]],
        made: list[str] | None,
        kinds: AnyMapping[str, NDArray[np.uint8] | None] | None = None,
    ) -> Iterator[GivenEvent]:
        values = {field: [constant] * len(places) for field, constant in self.mapping.constants.items()}
        values |= {field: self._parse_column(field, texts, (kinds or {}).get(field)) for field, texts in cells.items()}
        if made is not None:
            values["eventId"] = made
        names = values.pop("name", None)
        plain = [(field, values.pop(field)) for field in PLAIN_FIELDS if field in values]
        inner = [(*field.partition(".")[::2], column) for field, column in values.items()]
        has_data = any(inside == "data" for inside, *_ in inner)
        for number, place in enumerate(places):
            body: dict[str, Json] = {}
            for key, column in plain:
                if (value := column[number]) is not _ABSENT:
                    body[key] = value
            if has_data:
                body["data"] = {}
            for inside, key, column in inner:
                if (value := column[number]) is not _ABSENT:
                    body.setdefault(inside, {})[key] = value
            name = names[number] if names else None
            yield GivenEvent(None if name is _ABSENT else name, body, place, columns=self.field_columns)

    def _parse_column(self, field: str, cells: list[str], kinds: NDArray[np.uint8] | None = None) -> list[Json]:
        """The values of a column's cells; an empty cell gives none."""
        if kinds is not None:
            texts = self._parse_column(field, cells)
            return [
                value if kind == TEXT_CELL else decode_cell(cell, kind)
                for value, cell, kind in zip(texts, cells, kinds.tolist(), strict=True)
            ]
        if field == "name":
            names = self.mapping.names
            return [names.get(cell, cell) if cell else _ABSENT for cell in cells]
        if field == "timestamp":
            times = map(build_time_parser(self.mapping.time_format, self.zone), cells)
            return [time if time is not None else cell or _ABSENT for cell, time in zip(cells, times, strict=True)]
        kind = self.mapping.types.get(field, "text")
        if kind == "text":
            return [cell or _ABSENT for cell in cells]
        return [parse_cell(cell, kind) if cell else _ABSENT for cell in cells]


def combine_cells(
    table: Table, field_columns: AnyMapping[str, str], base: MappedTable | None = None
) -> AnyMapping[str, pa.Array]:
    """Field → its whole column as one array, made when first asked for; that of ``base`` where the column is the same.

    It holds the table and not what is made of it: without a reference cycle its memory is freed at once.
    """

    def combine(field: str) -> pa.Array:
        column = field_columns[field]
        if base is not None and table.columns[column] is base.table.columns[column]:
            return base.cells[field]
        return combine_column(table.columns[column])

    return LazyMapping(field_columns, combine)
