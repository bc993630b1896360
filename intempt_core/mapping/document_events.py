"""The events of JSON lines as they came, seen as a table whose cells can be fixed."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import Int64Array, Mask, take_rows, view_numbers
from intempt_core.contract import OPEN_FIELDS, GivenEvent, Json, Place, get_field
from intempt_core.errors import MappingError
from intempt_core.mapping.event_source import EventSource
from intempt_core.mapping.mapped_table import EVENT_BLOCK_ROWS, MappedTable, combine_cells
from intempt_core.mapping.model import EXPECT_COLUMN, Mapping, is_field
from intempt_core.mapping.values import parse_cell
from intempt_core.readers import PATH_SEPARATOR, DocumentIndex, Table


@dataclass(frozen=True, eq=False)
class MappedDocuments:
    """The events of JSON lines as they came; the value of a fixed cell is put where the old one was.

    Attributes:
        table: The rows: the events' values as columns, and the documents.
        original: The table as it was read, where ``table`` is a fixed copy of it.
    """

    table: Table
    original: Table | None = None

    def __getstate__(self) -> dict[str, object]:
        """What another process cannot make of the table itself."""
        return {name: value for name, value in vars(self).items() if name != "cells"}

    def with_table(self, table: Table) -> "MappedDocuments":
        """The events of a fixed copy of the table."""
        return MappedDocuments(table, self.original or self.table)

    def has_same_ids(self, other: EventSource) -> bool:
        """Whether each row surely has the event id that it has in another table of the same mapping."""
        column = self.field_columns.get("eventId")
        return column is None or self.table.columns[column] is other.table.columns[column]

    @property
    def mapping(self) -> Mapping:
        """One that maps nothing: the events say themselves what they are."""
        return Mapping({})

    @property
    def rows(self) -> int:
        """How many events there are."""
        return self.table.rows

    @property
    def documents(self) -> DocumentIndex:
        """Where the events are."""
        if self.table.documents is None:
            raise MappingError(f"{self.table.name} holds no JSON: its columns need a mapping.")
        return self.table.documents

    @cached_property
    def field_columns(self) -> dict[str, str]:
        """Every key that has a column is the field of that name, but for what a test expects of its event."""
        return {column: column for column in self.table.header if column != EXPECT_COLUMN}

    def field_of(self, column: str) -> str | None:
        """The field of that name."""
        return self.field_columns.get(column)

    @property
    def unused_columns(self) -> tuple[str, ...]:
        """Everything is sent but what a test expects."""
        return tuple(column for column in self.table.header if column == EXPECT_COLUMN)

    @property
    def makes_ids(self) -> bool:
        """Events that come as they are bring their own ids."""
        return False

    def events(self, rows: Iterable[int] | None = None) -> Iterator[GivenEvent]:
        """The events of these rows (from 0) in their order; of all rows where none are named."""
        wanted = range(self.rows) if rows is None else np.fromiter(rows, np.int64).tolist()
        for start in range(0, len(wanted), EVENT_BLOCK_ROWS):
            some = wanted[start : start + EVENT_BLOCK_ROWS]
            fixed = self._fixed_cells(some)
            for row, event in zip(some, self.documents.events(some, self.field_columns), strict=True):
                found = replace_event_cells(event, fixed[row]) if row in fixed else event
                yield _drop_expect(found) if EXPECT_COLUMN in self.table.columns else found

    def event(self, row: int) -> GivenEvent:
        """The event of one row (from 0)."""
        return next(self.events((row,)))

    @cached_property
    def cells(self) -> AnyMapping[str, pa.Array]:
        """Field → its whole column as one array."""
        return combine_cells(self.table, self.field_columns)

    def take_cells(self, field: str, rows: Int64Array) -> pa.Array:
        """The cells of a field in these rows (from 0), as one array; only what is near them is read."""
        return take_rows(self.table.columns[self.field_columns[field]], rows)

    def values(self, field: str, rows: Sequence[int]) -> list[Json]:
        """One field of these rows (from 0), as their events have it; no value is ``None``."""
        return [event.name if field == "name" else get_field(event.body, field) for event in self.events(rows)]

    def blank_event(self) -> GivenEvent:
        """An event of nothing, for the places of its fields."""
        return GivenEvent(None, {}, Place(), columns=self.field_columns)

    @cached_property
    def column_view(self) -> MappedTable:
        """The same rows as columns of text, for rules over whole columns; see :attr:`needs_model`."""
        fields = {column: column for column in self.field_columns if is_field(column)}
        none = {} if "eventId" in fields else {"eventId": None}  # no ids are made
        return MappedTable(self.table, Mapping(fields, constants=none), None, self.original)

    @cached_property
    def needs_model(self) -> Mask:
        """The rows whose columns do not say all that a rule asks for; those of fixed rows may not, either."""
        found = self.documents.needs_model.copy()
        for column, original in self._fixed_columns:
            found |= view_numbers(pc.not_equal(self.table.columns[column], original))
        return found

    @property
    def _fixed_columns(self) -> Iterator[tuple[str, pa.ChunkedArray]]:
        original = (self.original or self.table).columns
        return (
            (column, original[column])
            for column in self.table.columns
            if self.table.columns[column] is not original[column]
        )

    def _fixed_cells(self, rows: Sequence[int]) -> dict[int, dict[str, str]]:
        """Of these rows the cells that are not as they were read: row → column → text."""
        found: dict[int, dict[str, str]] = {}
        picked = np.asarray(rows, np.int64)
        for column, original in self._fixed_columns:
            now, then = (take_rows(one, picked).to_pylist() for one in (self.table.columns[column], original))
            for row, new, old in zip(rows, now, then, strict=True):
                if new != old:
                    found.setdefault(row, {})[column] = new
        return found


def _drop_expect(event: GivenEvent) -> GivenEvent:
    """An event without what a test expects of it: that is never sent."""
    if not isinstance(event.body, AnyMapping) or EXPECT_COLUMN not in event.body:
        return event
    return replace(event, body={key: value for key, value in event.body.items() if key != EXPECT_COLUMN})


def replace_event_cells(event: GivenEvent, cells: AnyMapping[str, str]) -> GivenEvent:
    """An event with the texts of some cells where their values stood; an empty one takes the value away.

    What was a number, or true or false, stays one where the text is one; a time of digits is a number (CONTRACT 2.7).
    """
    name, body = event.name, event.body
    for column, text in cells.items():
        if column == "name":
            name = text or None
        elif isinstance(body, AnyMapping):
            body = _replace_value(body, column, text)
    return replace(event, name=name, body=body)


def _replace_value(body: AnyMapping[str, Json], path: str, text: str) -> dict[str, Json]:
    outer, _, inner = path.partition(PATH_SEPARATOR)
    if inner and path not in body and isinstance(body.get(outer), AnyMapping):  # it clashes with a key with a dot
        return {**body, outer: _replace_value(body[outer], inner, text)}
    steps = path.split(".")
    for length in range(len(steps), 0, -1):  # a key may itself have a dot
        key, rest = ".".join(steps[:length]), ".".join(steps[length:])
        if key in body and (not rest or isinstance(body[key], AnyMapping)):
            if rest:
                return {**body, key: _replace_value(body[key], rest, text)}
            return (
                {**body, key: _parse_like(body[key], key, text)}
                if text
                else {k: v for k, v in body.items() if k != key}
            )
    head, _, rest = path.partition(".")
    if rest and head in OPEN_FIELDS:
        return {**body, head: {rest: text}} if text else dict(body)
    return {**body, path: _parse_like(None, path, text)} if text else dict(body)


def _parse_like(before: Json, key: str, text: str) -> Json:
    """A text as a value of the kind that stood there."""
    if (isinstance(before, str) or before is None) and key != "timestamp":
        return text
    value = parse_cell(text, "number")
    return parse_cell(text, "boolean") if isinstance(value, str) and isinstance(before, bool) else value
