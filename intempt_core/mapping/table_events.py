"""A file and its mapping together: a table seen as events. Part of the room of ``mapping.py``."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import overload
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import Int64Array, Mask, combine_column, make_array, take_rows, view_numbers
from intempt_core.contract import OPEN_FIELDS, PLAIN_FIELDS, GivenEvent, Json, Place, get_field
from intempt_core.errors import MappingError
from intempt_core.mapping.model import (
    EXPECT_COLUMN,
    RESERVED_COLUMNS,
    Mapping,
    exact_mapping,
    is_field,
    load_time_zone,
    suggest_nearest,
)
from intempt_core.mapping.time_formats import build_time_parser
from intempt_core.mapping.values import LazyMapping, make_event_ids, parse_cell
from intempt_core.readers import DocumentIndex, Table

_EVENT_BLOCK_ROWS = 4096
_CACHED_EVENTS = 512  # events of JSON lines that are kept to be asked for one by one
_ABSENT = object()


def map_table(table: Table, mapping: Mapping, id_salt: str | None = None) -> "MappedTable":
    """A table seen as events. Raises :class:`MappingError` where the mapping does not fit the file.

    Where neither column nor constant gives ``eventId``, ids are made; ``fresh`` makes other ids for a new run.
    """
    mapping.check()
    for column in mapping.columns:
        if column not in table.columns:
            raise MappingError(f"{table.name} has no column “{column}”. {suggest_nearest(column, table.header)}")
    return (MappedDocuments if is_unmapped_json(table, mapping) else MappedTable)(table, mapping, id_salt)


def is_unmapped_json(table: Table, mapping: Mapping) -> bool:
    """Whether a file's events are sent as they came: they are JSON, and nothing is mapped."""
    return table.documents is not None and not mapping.columns and not mapping.constants


def choose_initial_mapping(table: Table) -> Mapping:
    """The mapping to begin with: nothing is guessed; events that have their name where the contract wants it stay."""
    documents = table.documents
    return Mapping({}) if documents and 2 * documents.named_count >= table.rows else exact_mapping(table.header)


@dataclass(frozen=True, eq=False)
class MappedTable:
    """A table seen as events. Made by :func:`map_table`."""

    table: Table
    mapping: Mapping
    id_salt: str | None = None
    original: Table | None = None
    """The table as it was read, where ``table`` is a mended one: made ids are those of the rows in the file."""

    def with_table(self, table: Table) -> "MappedTable":
        """The same mapping over a mended copy of the table; columns that are the very same are not read again."""
        found = type(self)(table, self.mapping, self.id_salt, self.original or self.table)

        def cells_of(field: str) -> pa.Array:
            column = self.field_columns[field]
            same = table.columns[column] is self.table.columns[column]
            return self.cells[field] if same else combine_column(table.columns[column])

        found.__dict__["cells"] = LazyMapping(self.field_columns, cells_of)
        if "made_ids" in self.__dict__:
            found.__dict__["made_ids"] = self.made_ids
        return found

    def has_same_ids(self, other: "MappedTable") -> bool:
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
        given = {field: column for column, field in self.mapping.columns.items()}
        plain = {field: given.pop(field) for field in ("name", *PLAIN_FIELDS) if field in given}
        return plain | given

    def field_of(self, column: str) -> str | None:
        """The field that a column becomes; ``None`` for one that is not sent."""
        return self.mapping.columns.get(column)

    @property
    def unused_columns(self) -> tuple[str, ...]:
        """The headers of columns that are not sent."""
        return tuple(column for column in self.table.header if column not in self.mapping.columns)

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
        """The made event id of every row; made once, when first asked for."""
        return make_event_ids(self.original or self.table, self.id_salt, RESERVED_COLUMNS)

    @cached_property
    def cells(self) -> AnyMapping[str, pa.Array]:
        """Field → its whole column as one array, for rules over columns and for rows picked from anywhere."""
        table, columns = self.table, self.field_columns  # not self: what holds itself is let go only when Python looks
        return LazyMapping(columns, lambda field: combine_column(table.columns[columns[field]]))

    def slice_rows(self, start: int, stop: int) -> "MappedTable":
        """The rows from ``start`` up to ``stop``, for rules that look at each row by itself; it makes no ids."""
        columns = {name: self.table.columns[name].slice(start, stop - start) for name in self.field_columns.values()}
        table = replace(self.table, columns=columns, lines=self.table.lines[start:stop], cell_counts={})
        return MappedTable(table, self.mapping, self.id_salt)

    def select_rows(self, rows: Int64Array) -> "MappedTable":
        """These rows (sorted), likewise."""
        columns = {
            name: pa.chunked_array([take_rows(self.table.columns[name], rows)]) for name in self.field_columns.values()
        }
        table = replace(self.table, columns=columns, lines=self.table.lines[rows], cell_counts={})
        return MappedTable(table, self.mapping, self.id_salt)

    def event(self, row: int) -> GivenEvent:
        """The event of one row (from 0)."""
        return next(self.events((row,)))

    def events(self, rows: Iterable[int] | None = None) -> Iterator[GivenEvent]:
        """The events of these rows (from 0) in their order; of all rows where none are named."""
        wanted = np.arange(self.rows) if rows is None else np.fromiter(rows, np.int64)
        for start in range(0, len(wanted), _EVENT_BLOCK_ROWS):
            some = wanted[start : start + _EVENT_BLOCK_ROWS]
            picked = make_array(some)
            cells = {field: column.take(picked).to_pylist() for field, column in self.cells.items()}
            made = self.made_ids.take(picked).to_pylist() if self.makes_ids else None
            lines = self.table.line_numbers(some)
            places = [Place(row + 1, line) for row, line in zip(some.tolist(), lines, strict=True)]
            yield from self._events(places, cells, made)

    def values(self, field: str, rows: Sequence[int]) -> list[Json]:
        """One field of these rows (from 0), as their events have it; no value is ``None``."""
        if field == "eventId" and self.makes_ids:
            made: list[Json] = self.made_ids.take(make_array(np.asarray(rows, np.int64))).to_pylist()
            return made
        if field not in self.cells:
            return [self.mapping.constants.get(field)] * len(rows)
        return self.read(field, self.cells[field].take(make_array(np.asarray(rows, np.int64))))

    def read(self, field: str, cells: pa.Array) -> list[Json]:
        """What cells of a field's column become; no value is ``None``."""
        return [None if value is _ABSENT else value for value in self._parse_column(field, cells.to_pylist())]

    def filled_mask(self, field: str, rows: Int64Array) -> Mask:
        """Whether these rows (from 0) have a cell for a field of a column that is not empty."""
        lengths = pc.binary_length(self.cells[field].take(make_array(rows)))
        found: Mask = view_numbers(lengths) > 0
        return found

    def blank_event(self) -> GivenEvent:
        """The event of a row whose cells are all empty: what constants give, and what no column can give."""
        cells = {field: [""] for field in self.field_columns}
        return next(self._events([Place()], cells, ["made"] if self.makes_ids else None))

    def _events(
        self, places: Sequence[Place], cells: AnyMapping[str, list[str]], made: list[str] | None
    ) -> Iterator[GivenEvent]:
        values = {field: [constant] * len(places) for field, constant in self.mapping.constants.items()}
        values |= {field: self._parse_column(field, texts) for field, texts in cells.items()}
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

    def _parse_column(self, field: str, cells: list[str]) -> list[Json]:
        """The values of a column's cells; an empty cell gives none."""
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


@dataclass(frozen=True, eq=False)
class MappedDocuments(MappedTable):
    """The events of JSON lines as they came; a mended cell is put where its value stood. Made by :func:`map_table`."""

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
        for start in range(0, len(wanted), _EVENT_BLOCK_ROWS):
            some = wanted[start : start + _EVENT_BLOCK_ROWS]
            mends = self._fixed_cells(some)
            for row, event in zip(some, self.documents.events(some, self.field_columns), strict=True):
                mended = replace_event_cells(event, mends[row]) if row in mends else event
                yield _drop_expect(mended) if EXPECT_COLUMN in self.table.columns else mended

    def values(self, field: str, rows: Sequence[int]) -> list[Json]:
        """One field of these rows (from 0), as their events have it; no value is ``None``."""
        return [event.name if field == "name" else get_field(event.body, field) for event in self.events(rows)]

    def blank_event(self) -> GivenEvent:
        """An event of nothing, for the places of its fields."""
        return GivenEvent(None, {}, Place(), columns=self.field_columns)

    @cached_property
    def column_view(self) -> MappedTable:
        """The same file as columns of text, for rules over whole columns; what they cannot tell is :attr:`needs_model`."""
        fields = {column: column for column in self.field_columns if is_field(column)}
        none = {} if "eventId" in fields else {"eventId": None}  # no ids are made
        return MappedTable(self.table, Mapping(fields, constants=none), None, self.original)

    @cached_property
    def needs_model(self) -> Mask:
        """The rows whose columns do not say all that a rule asks for; mended ones are looked at closely, too."""
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

    @cached_property
    def as_sequence(self) -> "EventSequence":
        """The events as a sequence that holds few of them at a time."""
        return EventSequence(self)

    def _fixed_cells(self, rows: Sequence[int]) -> dict[int, dict[str, str]]:
        """Of these rows the cells that are not as they were read: row → column → text."""
        found: dict[int, dict[str, str]] = {}
        picked = make_array(np.asarray(rows, np.int64))
        for column, original in self._fixed_columns:
            now, then = self.table.columns[column].take(picked).to_pylist(), original.take(picked).to_pylist()
            for row, new, old in zip(rows, now, then, strict=True):
                if new != old:
                    found.setdefault(row, {})[column] = new
        return found


def _drop_expect(event: GivenEvent) -> GivenEvent:
    """An event without what a test expects of it: that is never sent."""
    if not isinstance(event.body, AnyMapping) or EXPECT_COLUMN not in event.body:
        return event
    return replace(event, body={key: value for key, value in event.body.items() if key != EXPECT_COLUMN})


class EventSequence(Sequence[GivenEvent]):
    """Events that are read again whenever they are asked for, a block at a time."""

    def __init__(self, mapped: MappedDocuments) -> None:
        self._mapped = mapped
        self._block, self._events = -1, list[GivenEvent]()

    def __len__(self) -> int:
        return self._mapped.rows

    def __iter__(self) -> Iterator[GivenEvent]:
        return self._mapped.events()

    @overload
    def __getitem__(self, index: int) -> GivenEvent: ...
    @overload
    def __getitem__(self, index: slice) -> list[GivenEvent]: ...
    def __getitem__(self, index: int | slice) -> GivenEvent | list[GivenEvent]:
        if isinstance(index, slice):
            return list(self._mapped.events(range(*index.indices(len(self)))))
        block, inside = divmod(range(len(self))[index], _CACHED_EVENTS)
        if block != self._block:
            last = min((block + 1) * _CACHED_EVENTS, len(self))
            self._block, self._events = block, list(self._mapped.events(range(block * _CACHED_EVENTS, last)))
        return self._events[inside]


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
