"""Columns and names become the contract's fields: saved mappings, what is offered for one, and the mapped table.

An exact header is taken; everything else is offered and a person chooses (DESIGN, one road; CONTRACT 2.4, 4.6).
An empty cell means that the event does not have the field. Further columns go into ``data`` under their own header.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, replace
from dataclasses import field as with_default
from difflib import get_close_matches
from functools import cached_property
from typing import overload
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from intempt_core.cells import (
    TYPES,
    Lazily,
    made_event_id,
    made_event_ids,
    one_array,
    picked,
    read_time,
    typed,
)
from intempt_core.errors import MappingError
from intempt_core.events import ID_FIELDS, OPEN_FIELDS, PLAIN_FIELDS, EventName, GivenEvent, Json, at
from intempt_core.issues import Place
from intempt_core.json_lines import Documents
from intempt_core.tables import Table
from intempt_core.times import check_form, reader_of

__all__ = [
    "EXPECT",
    "PROBLEMS",
    "RESERVED",
    "MappedDocuments",
    "MappedTable",
    "Mapping",
    "Offer",
    "exact_field",
    "exact_mapping",
    "first_mapping",
    "is_as_it_came",
    "is_field",
    "made_event_id",
    "map_table",
    "nearest",
    "read_time",
    "zone_of",
]

PROBLEMS = "problems"
"""The column that ``exports.left_behind_csv`` adds: what is wrong with a row."""

EXPECT = "expect"
"""The column that says what a test expects of a row (``expectations.py``); no mapping can make a field of it."""

RESERVED = (EXPECT, PROBLEMS)
"""Columns about a row and not of its event: what a test expects of it, and what is wrong with it.
They are not sent, :data:`PROBLEMS` unless a mapping says so, and no made event id depends on them: a row that comes
back keeps its id."""

BESIDE = ("name", "header")
"""Keys of a mapping file beside the mapping: what it was saved as, and the header that it was made for."""

_EXAMPLES = (*PLAIN_FIELDS, "name", "data.productId")
_ROWS_AT_ONCE = 4096
_BLOCK = 512  # events of JSON lines that are kept to be asked for one by one
_ABSENT = object()


def is_field(field: str) -> bool:
    """Whether a column may be mapped to this: ``name``, a plain field, or one key inside ``data`` and its like.

    One level: all that follows the first dot is the key, so ``data.price.net`` is the key ``price.net``.
    """
    return field == "name" or field in PLAIN_FIELDS or ("." in field and field.split(".", 1)[0] in OPEN_FIELDS)


@dataclass(frozen=True, slots=True)
class Mapping:
    """How a file becomes events: the mapping file of DESIGN, as a value.

    ``columns``: header → field. ``names``: cell of the name column → one of the four names; other cells stay.
    ``types``: field → one of :data:`TYPES`. ``constants``: field → the JSON value that every row gets.
    ``time_zone``: the IANA zone of times that name none. ``time_format``: how the file writes its times (``times.py``),
    empty for ISO 8601 and epoch milliseconds. Checked where it is read or used, not where it is made, so that a screen
    may hold one that is half done.
    """

    columns: dict[str, str]
    names: dict[str, str] = with_default(default_factory=dict)
    types: dict[str, str] = with_default(default_factory=dict)
    constants: dict[str, Json] = with_default(default_factory=dict)
    time_zone: str = "UTC"
    time_format: str = ""

    @classmethod
    def from_json(cls, text: str) -> "Mapping":
        """A saved mapping. Raises :class:`MappingError` with a sentence where it is none."""
        try:
            given = json.loads(text, object_pairs_hook=_keys_once, parse_constant=_no_number)
        except json.JSONDecodeError as error:
            raise MappingError(f"The mapping is no JSON: {error.msg} (line {error.lineno}).") from error
        except (ValueError, RecursionError) as error:
            raise MappingError(f"The mapping is no JSON that can be used: {error}.") from error
        _check_shape(given)
        keys = {key: value for key, value in given.items() if key not in BESIDE}
        mapping = cls(**{"columns": {}, **keys})
        mapping.check()
        return mapping

    def to_json(self) -> str:
        """The mapping file; :meth:`from_json` gives the same mapping back."""
        given = {key: getattr(self, key) for key in self.__slots__ if key != "time_format" or self.time_format}
        return json.dumps(given, indent=2, ensure_ascii=False) + "\n"

    def accept(self, offer: "Offer") -> "Mapping":
        """This mapping with one offer accepted by a person; a column that had the field goes back to its own."""
        columns = dict(self.columns)
        for column, field in self.columns.items():
            if field == offer.field and column != offer.column:
                columns[column] = exact_field(column)
                if columns[column] == field:
                    del columns[column]
        columns[offer.column] = offer.field
        types = {field: kind for field, kind in self.types.items() if field in columns.values()}
        return replace(
            self,
            columns=columns,
            names={**self.names, **offer.names},
            types={**types, offer.field: offer.type} if offer.type else types,
            time_format=self.time_format if offer.time_format is None else offer.time_format,
        )

    def check(self) -> None:
        """Raise :class:`MappingError` with a sentence for what no file could mend."""
        fields: dict[str, str] = {}
        for column, field in self.columns.items():
            if column == EXPECT:
                raise MappingError(
                    f"Column “{EXPECT}” is mapped to “{field}”. It says what a test expects of its row and is never "
                    "sent. Leave it out, or call the column otherwise."
                )
            if not is_field(field):
                raise MappingError(f"Column “{column}” is mapped to “{field}”, no field. {_nearest_field(field)}")
            if field in fields:
                two = f"Columns “{fields[field]}” and “{column}” are both mapped to {field}."
                raise MappingError(f"{two} Map one of them, or give one another field.")
            fields[field] = column
        for field in self.constants:
            if not is_field(field):
                raise MappingError(f"A constant is given for “{field}”, no field. {_nearest_field(field)}")
            if field in fields:
                raise MappingError(f"{field} has a constant and column “{fields[field]}”. Keep one of them.")
        for field, kind in self.types.items():
            _check_type(field, kind, fields)
        for cell, name in self.names.items():
            _check_name(cell, name)
        zone_of(self.time_zone)
        check_form(self.time_format)


def _check_shape(given: Json) -> None:
    if not isinstance(given, dict):
        raise MappingError('The mapping is not an object. It looks like {"columns": {"product_id": "data.productId"}}.')
    known = (*Mapping.__slots__, *BESIDE)
    for key in given:
        if key not in known:
            raise MappingError(f"The mapping has a key “{key}”. {nearest(key, known)}")
    for key in ("columns", "names", "types"):
        if not _is_text_to_text(given.get(key, {})):
            raise MappingError(f"“{key}” of the mapping is not an object of text to text.")
    if not isinstance(given.get("constants", {}), dict):
        raise MappingError("“constants” of the mapping is not an object of field to value.")
    for key, example in (("name", "cosmetics"), ("time_zone", "Europe/Berlin"), ("time_format", "%d.%m.%Y %H:%M")):
        if not isinstance(given.get(key, ""), str):
            raise MappingError(f"“{key}” of the mapping is not text such as “{example}”.")
    header = given.get("header", [])
    if not isinstance(header, list) or not all(isinstance(column, str) for column in header):
        raise MappingError("“header” of the mapping is not a list of the columns' names.")


def _check_name(cell: str, name: str) -> None:
    if name not in EventName._value2member_map_:
        raise MappingError(f"The name “{cell}” is mapped to “{name}”. {nearest(name, list(EventName))}")
    if not cell:
        raise MappingError("An empty name is mapped. An empty cell is no name: fill it, or give a constant.")


def _check_type(field: str, kind: str, fields: AnyMapping[str, str]) -> None:
    if kind not in TYPES:
        raise MappingError(f"{field} has the type “{kind}”. {nearest(kind, TYPES)}")
    if field in ID_FIELDS:
        raise MappingError(f"{field} has the type “{kind}”, but ids are always text. Remove the type.")
    if field in ("name", "timestamp"):
        raise MappingError(f"{field} has the type “{kind}”, but it is read in its own way. Remove the type.")
    if field not in fields:
        raise MappingError(f"A type is given for “{field}”, to which no column is mapped. {nearest(field, fields)}")


def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises :class:`MappingError`."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        near = nearest(name, sorted(available_timezones()), "A name such as “Europe/Berlin” or “UTC” is needed.")
        raise MappingError(f"Nobody knows the time zone “{name}”. {near}") from error


def _keys_once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key “{next(key for key in keys if keys.count(key) > 1)}” stands twice in one object")
    return found


def _no_number(text: str) -> Json:
    raise ValueError(f"{text} is no JSON number")


def _is_text_to_text(value: Json) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def nearest(given: str, known: Iterable[str], otherwise: str = "") -> str:
    """What was probably meant among what is known, as a sentence; else all that is known, or ``otherwise``."""
    folded = {text.casefold(): text for text in known}
    near = get_close_matches(given.casefold()[:60], folded, n=1)
    if near:
        return f"Did you mean “{folded[near[0]]}”?"
    return otherwise or f"It takes {', '.join(f'“{text}”' for text in folded.values()) or 'none'}."


def _nearest_field(given: str) -> str:
    if re.sub(r"[^a-z0-9]", "", given.casefold()) == "productid":
        return "Did you mean “data.productId”?"
    return nearest(given, _EXAMPLES, f"Further data is written “data.{given}”.")


# ── where a mapping comes from ───────────────────────────────────────────────────────────────────────────────────────


def exact_mapping(header: Sequence[str]) -> Mapping:
    """The mapping that guesses nothing: exact field names are taken, every other column goes into ``data``.

    ``productId`` and ``data.productId`` both are the product's id (CONTRACT 2.4); :data:`RESERVED` is left out.
    """
    return Mapping({column: exact_field(column) for column in header if column not in RESERVED})


def exact_field(column: str) -> str:
    """The field that a column is by its name alone."""
    return column if is_field(column) else f"data.{column}"


@dataclass(frozen=True, slots=True)
class Offer:
    """A guess for a person to accept: this column is probably that field, because of ``reason`` (in sentences).

    ``names`` are the cells of a name column and the names they probably mean; ``type`` is the type its cells have,
    ``time_format`` how its times are written. One ``by_itself`` is never taken together with others.
    """

    column: str
    field: str
    reason: str
    names: AnyMapping[str, str] = with_default(default_factory=dict)
    type: str | None = None
    time_format: str | None = None
    by_itself: bool = False


# ── a file and its mapping together ──────────────────────────────────────────────────────────────────────────────────


def map_table(table: Table, mapping: Mapping, fresh: str | None = None) -> "MappedTable":
    """A table seen as events. Raises :class:`MappingError` where the mapping does not fit the file.

    Where neither column nor constant gives ``eventId``, ids are made; ``fresh`` makes other ids for a new run.
    """
    mapping.check()
    for column in mapping.columns:
        if column not in table.columns:
            raise MappingError(f"{table.name} has no column “{column}”. {nearest(column, table.header)}")
    return (MappedDocuments if is_as_it_came(table, mapping) else MappedTable)(table, mapping, fresh)


def is_as_it_came(table: Table, mapping: Mapping) -> bool:
    """Whether a file's events are sent as they came: they are JSON, and nothing is mapped."""
    return table.documents is not None and not mapping.columns and not mapping.constants


def first_mapping(table: Table) -> Mapping:
    """The mapping to begin with: nothing is guessed; events that have their name where the contract wants it stay."""
    documents = table.documents
    return Mapping({}) if documents and 2 * documents.named >= table.rows else exact_mapping(table.header)


@dataclass(frozen=True, eq=False)
class MappedTable:
    """A table seen as events. Made by :func:`map_table`."""

    table: Table
    mapping: Mapping
    fresh: str | None = None
    original: Table | None = None
    """The table as it was read, where ``table`` is a mended one: made ids are those of the rows in the file."""

    def over(self, table: Table) -> "MappedTable":
        """The same mapping over a mended copy of the table; columns that are the very same are not read again."""
        found = type(self)(table, self.mapping, self.fresh, self.original or self.table)

        def cells_of(field: str) -> pa.Array:
            column = self.field_columns[field]
            same = table.columns[column] is self.table.columns[column]
            return self.cells[field] if same else one_array(table.columns[column])

        found.__dict__["cells"] = Lazily(self.field_columns, cells_of)
        if "made_ids" in self.__dict__:
            found.__dict__["made_ids"] = self.made_ids
        return found

    def has_ids_of(self, other: "MappedTable") -> bool:
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
    def unused(self) -> tuple[str, ...]:
        """The headers of columns that are not sent."""
        return tuple(column for column in self.table.header if column not in self.mapping.columns)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone of times that name none."""
        return zone_of(self.mapping.time_zone)

    @property
    def makes_ids(self) -> bool:
        """Whether event ids are made, because neither a column nor a constant gives them."""
        return "eventId" not in self.field_columns and "eventId" not in self.mapping.constants

    @cached_property
    def made_ids(self) -> pa.Array:
        """The made event id of every row; made once, when first asked for."""
        return made_event_ids(self.original or self.table, self.fresh, RESERVED)

    @cached_property
    def cells(self) -> AnyMapping[str, pa.Array]:
        """Field → its whole column as one array, for rules over columns and for rows picked from anywhere."""
        table, columns = self.table, self.field_columns  # not self: what holds itself is let go only when Python looks
        return Lazily(columns, lambda field: one_array(table.columns[columns[field]]))

    def part(self, start: int, stop: int) -> "MappedTable":
        """The rows from ``start`` up to ``stop``, for rules that look at each row by itself; it makes no ids."""
        columns = {name: self.table.columns[name].slice(start, stop - start) for name in self.field_columns.values()}
        table = replace(self.table, columns=columns, lines=self.table.lines[start:stop], cells={})
        return MappedTable(table, self.mapping, self.fresh)

    def only(self, rows: NDArray[np.int64]) -> "MappedTable":
        """These rows (sorted), likewise."""
        columns = {
            name: pa.chunked_array([picked(self.table.columns[name], rows)]) for name in self.field_columns.values()
        }
        table = replace(self.table, columns=columns, lines=self.table.lines[rows], cells={})
        return MappedTable(table, self.mapping, self.fresh)

    def event(self, row: int) -> GivenEvent:
        """The event of one row (from 0)."""
        return next(self.events((row,)))

    def events(self, rows: Iterable[int] | None = None) -> Iterator[GivenEvent]:
        """The events of these rows (from 0) in their order; of all rows where none are named."""
        wanted = np.arange(self.rows) if rows is None else np.fromiter(rows, np.int64)
        for start in range(0, len(wanted), _ROWS_AT_ONCE):
            some = wanted[start : start + _ROWS_AT_ONCE]
            picked = pa.array(some)
            cells = {field: column.take(picked).to_pylist() for field, column in self.cells.items()}
            made = self.made_ids.take(picked).to_pylist() if self.makes_ids else None
            places = [
                Place(row + 1, line) for row, line in zip(some.tolist(), self.table.lines[some].tolist(), strict=True)
            ]
            yield from self._events(places, cells, made)

    def values(self, field: str, rows: Sequence[int]) -> list[Json]:
        """One field of these rows (from 0), as their events have it; no value is ``None``."""
        if field == "eventId" and self.makes_ids:
            made: list[Json] = self.made_ids.take(pa.array(rows, pa.int64())).to_pylist()
            return made
        if field not in self.cells:
            return [self.mapping.constants.get(field)] * len(rows)
        return self.read(field, self.cells[field].take(pa.array(rows, pa.int64())))

    def read(self, field: str, cells: pa.Array) -> list[Json]:
        """What cells of a field's column become; no value is ``None``."""
        return [None if value is _ABSENT else value for value in self._read(field, cells.to_pylist())]

    def filled(self, field: str, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether these rows (from 0) have a cell for a field of a column that is not empty."""
        lengths = pc.binary_length(self.cells[field].take(pa.array(rows)))
        found: NDArray[np.bool_] = lengths.to_numpy(zero_copy_only=False) > 0
        return found

    def blank_event(self) -> GivenEvent:
        """The event of a row whose cells are all empty: what constants give, and what no column can give."""
        cells = {field: [""] for field in self.field_columns}
        return next(self._events([Place()], cells, ["made"] if self.makes_ids else None))

    def _events(
        self, places: Sequence[Place], cells: AnyMapping[str, list[str]], made: list[str] | None
    ) -> Iterator[GivenEvent]:
        values = {field: [constant] * len(places) for field, constant in self.mapping.constants.items()}
        values |= {field: self._read(field, texts) for field, texts in cells.items()}
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

    def _read(self, field: str, cells: list[str]) -> list[Json]:
        """The values of a column's cells; an empty cell gives none."""
        if field == "name":
            names = self.mapping.names
            return [names.get(cell, cell) if cell else _ABSENT for cell in cells]
        if field == "timestamp":
            times = map(reader_of(self.mapping.time_format, self.zone), cells)
            return [time if time is not None else cell or _ABSENT for cell, time in zip(cells, times, strict=True)]
        kind = self.mapping.types.get(field, "text")
        if kind == "text":
            return [cell or _ABSENT for cell in cells]
        return [typed(cell, kind) if cell else _ABSENT for cell in cells]


@dataclass(frozen=True, eq=False)
class MappedDocuments(MappedTable):
    """The events of JSON lines as they came; a mended cell is put where its value stood. Made by :func:`map_table`."""

    @property
    def documents(self) -> Documents:
        """Where the events are."""
        if self.table.documents is None:
            raise MappingError(f"{self.table.name} holds no JSON: its columns need a mapping.")
        return self.table.documents

    @cached_property
    def field_columns(self) -> dict[str, str]:
        """Every key that has a column is the field of that name, but for what a test expects of its event."""
        return {column: column for column in self.table.header if column != EXPECT}

    def field_of(self, column: str) -> str | None:
        """The field of that name."""
        return self.field_columns.get(column)

    @property
    def unused(self) -> tuple[str, ...]:
        """Everything is sent but what a test expects."""
        return tuple(column for column in self.table.header if column == EXPECT)

    @property
    def makes_ids(self) -> bool:
        """Events that come as they are bring their own ids."""
        return False

    def events(self, rows: Iterable[int] | None = None) -> Iterator[GivenEvent]:
        """The events of these rows (from 0) in their order; of all rows where none are named."""
        wanted = range(self.rows) if rows is None else np.fromiter(rows, np.int64).tolist()
        for start in range(0, len(wanted), _ROWS_AT_ONCE):
            some = wanted[start : start + _ROWS_AT_ONCE]
            mends = self._mends(some)
            for row, event in zip(some, self.documents.events(some, self.field_columns), strict=True):
                mended = put_into(event, mends[row]) if row in mends else event
                yield _without_expect(mended) if EXPECT in self.table.columns else mended

    def values(self, field: str, rows: Sequence[int]) -> list[Json]:
        """One field of these rows (from 0), as their events have it; no value is ``None``."""
        return [event.name if field == "name" else at(event.body, field) for event in self.events(rows)]

    def blank_event(self) -> GivenEvent:
        """An event of nothing, for the places of its fields."""
        return GivenEvent(None, {}, Place(), columns=self.field_columns)

    @cached_property
    def by_columns(self) -> MappedTable:
        """The same file as columns of text, for rules over whole columns; what they cannot tell is :attr:`odd`."""
        fields = {column: column for column in self.field_columns if is_field(column)}
        none = {} if "eventId" in fields else {"eventId": None}  # no ids are made
        return MappedTable(self.table, Mapping(fields, constants=none), None, self.original)

    @cached_property
    def odd(self) -> NDArray[np.bool_]:
        """The rows whose columns do not say all that a rule asks for; mended ones are looked at closely, too."""
        found = self.documents.odd.copy()
        for column, original in self._mended_columns:
            found |= pc.not_equal(self.table.columns[column], original).to_numpy()
        return found

    @property
    def _mended_columns(self) -> Iterator[tuple[str, pa.ChunkedArray]]:
        original = (self.original or self.table).columns
        return (
            (column, original[column])
            for column in self.table.columns
            if self.table.columns[column] is not original[column]
        )

    @cached_property
    def listed(self) -> "Listed":
        """The events as a sequence that holds few of them at a time."""
        return Listed(self)

    def _mends(self, rows: Sequence[int]) -> dict[int, dict[str, str]]:
        """Of these rows the cells that are not as they were read: row → column → text."""
        found: dict[int, dict[str, str]] = {}
        picked = pa.array(rows, pa.int64())
        for column, original in self._mended_columns:
            now, then = self.table.columns[column].take(picked).to_pylist(), original.take(picked).to_pylist()
            for row, new, old in zip(rows, now, then, strict=True):
                if new != old:
                    found.setdefault(row, {})[column] = new
        return found


def _without_expect(event: GivenEvent) -> GivenEvent:
    """An event without what a test expects of it: that is never sent."""
    if not isinstance(event.body, AnyMapping) or EXPECT not in event.body:
        return event
    return replace(event, body={key: value for key, value in event.body.items() if key != EXPECT})


class Listed(Sequence[GivenEvent]):
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
        block, inside = divmod(range(len(self))[index], _BLOCK)
        if block != self._block:
            last = min((block + 1) * _BLOCK, len(self))
            self._block, self._events = block, list(self._mapped.events(range(block * _BLOCK, last)))
        return self._events[inside]


def put_into(event: GivenEvent, cells: AnyMapping[str, str]) -> GivenEvent:
    """An event with the texts of some cells where their values stood; an empty one takes the value away.

    What was a number, or true or false, stays one where the text is one; a time of digits is a number (CONTRACT 2.7).
    """
    name, body = event.name, event.body
    for column, text in cells.items():
        if column == "name":
            name = text or None
        elif isinstance(body, AnyMapping):
            body = _with_value(body, column, text)
    return replace(event, name=name, body=body)


def _with_value(body: AnyMapping[str, Json], path: str, text: str) -> dict[str, Json]:
    steps = path.split(".")
    for length in range(len(steps), 0, -1):  # a key may itself have a dot
        key, rest = ".".join(steps[:length]), ".".join(steps[length:])
        if key in body and (not rest or isinstance(body[key], AnyMapping)):
            if rest:
                return {**body, key: _with_value(body[key], rest, text)}
            return {**body, key: _like(body[key], key, text)} if text else {k: v for k, v in body.items() if k != key}
    head, _, rest = path.partition(".")
    if rest and head in OPEN_FIELDS:
        return {**body, head: {rest: text}} if text else dict(body)
    return {**body, path: _like(None, path, text)} if text else dict(body)


def _like(before: Json, key: str, text: str) -> Json:
    """A text as a value of the kind that stood there."""
    if (isinstance(before, str) or before is None) and key != "timestamp":
        return text
    value = typed(text, "number")
    return typed(text, "boolean") if isinstance(value, str) and isinstance(before, bool) else value
