"""Mappings: which column becomes which field of the contract, and which cell which event name.

An exact header is taken; everything else is offered and a person chooses (CONTRACT 2.4, 4.6).
An empty cell means that the event does not have the field. Further columns go into ``data`` under their own header.
"""

import json
import re
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass, replace
from dataclasses import field as with_default
from zoneinfo import ZoneInfo, available_timezones

from intempt_core.contract import (
    ID_FIELDS,
    OPEN_FIELDS,
    PLAIN_FIELDS,
    EventName,
    Json,
    is_event_name,
    suggest_nearest,
)
from intempt_core.errors import MappingError
from intempt_core.mapping.explode import Explode
from intempt_core.mapping.time_formats import FORMAT_SEPARATOR, check_time_format, split_time_formats
from intempt_core.mapping.values import CELL_TYPES
from intempt_core.mapping.written_json import load_written_json
from intempt_core.readers import ReadOptions

PROBLEMS_COLUMN = "problems"
"""The column that the export of excluded rows adds: what is wrong with a row."""

EXPECT_COLUMN = "expect"
"""The column that says what a test expects of a row (``validation/expectations.py``); it is never sent."""

RESERVED_COLUMNS = (EXPECT_COLUMN, PROBLEMS_COLUMN)
"""Columns about a row and not of its event: what a test expects of it, and what is wrong with it.
They are not sent, :data:`PROBLEMS_COLUMN` unless a mapping says so, and no made event id depends on them: a row that is
corrected and uploaded again keeps its id."""

FILE_METADATA_KEYS = ("name", "header")
"""Keys of a mapping file beside the mapping: what it was saved as, and the header that it was made for."""

_LEFT_OUT_IF_EMPTY = ("time_format", "read", "explode", "ignored_names", "name_columns")

_EXAMPLE_FIELDS = (*PLAIN_FIELDS, "name", "data.productId")


def is_field(field: str) -> bool:
    """Whether a column may be mapped to this: ``name``, a plain field, or one key inside ``data`` and its like.

    One level: all that follows the first dot is the key, so ``data.price.net`` is the key ``price.net``.
    """
    return field == "name" or field in PLAIN_FIELDS or ("." in field and field.split(".", 1)[0] in OPEN_FIELDS)


@dataclass(frozen=True, slots=True)
class Mapping:
    """How a file becomes events: a mapping file (ARCHITECTURE, mapping file) as a value.

    It is checked where it is read or used, not where it is made, so that a screen may hold one that is half done.

    Attributes:
        columns: Header → field.
        names: Cell of the name column → event name; other cells stay as they are.
        types: Field → one of :data:`CELL_TYPES`.
        constants: Field → the JSON value that every row gets.
        time_zone: The IANA name of the zone of times that name none.
        time_format: How the file writes its times (``time_formats.py``); empty for ISO 8601 and epoch milliseconds.
            Several, tried in order, are parted by :data:`~intempt_core.mapping.time_formats.FORMAT_SEPARATOR`.
        read: How the file is read, where a person said so.
        explode: What of a row becomes several events; ``None`` where each is one.
        ignored_names: Names whose rows are not for us: they are excluded, and no error.
        name_columns: Columns that together are the name, as ``view / click`` in ``names``; none where one column is.
    """

    columns: dict[str, str]
    names: dict[str, str] = with_default(default_factory=dict)
    types: dict[str, str] = with_default(default_factory=dict)
    constants: dict[str, Json] = with_default(default_factory=dict)
    time_zone: str = "UTC"
    time_format: str = ""
    read: ReadOptions = with_default(default_factory=ReadOptions)
    explode: Explode | None = None
    ignored_names: tuple[str, ...] = ()
    name_columns: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, text: str) -> "Mapping":
        """A saved mapping. Raises :class:`MappingError` with a sentence where it is none."""
        try:
            given = load_written_json(text)
        except json.JSONDecodeError as error:
            raise MappingError(f"The mapping is no JSON: {error.msg} (line {error.lineno}).") from error
        except (ValueError, RecursionError) as error:
            raise MappingError(f"The mapping is no JSON that can be used: {error}.") from error
        _check_shape(given)
        keys = {key: value for key, value in given.items() if key not in FILE_METADATA_KEYS}
        keys["read"] = ReadOptions.from_json(given.get("read", {}))
        keys |= {key: tuple(keys[key]) for key in _LISTS_OF_TEXT if key in keys}
        if "explode" in keys:
            keys["explode"] = Explode.from_json(keys["explode"])
        if isinstance(given.get("time_format"), list):
            keys["time_format"] = FORMAT_SEPARATOR.join(given["time_format"])
        mapping = cls(**{"columns": {}, **keys})
        mapping.check()
        return mapping

    def to_json(self) -> str:
        """The mapping file; :meth:`from_json` gives the same mapping back."""
        given = {
            key: getattr(self, key) for key in self.__slots__ if key not in _LEFT_OUT_IF_EMPTY or getattr(self, key)
        }
        formats = split_time_formats(self.time_format)
        if len(formats) > 1:
            given["time_format"] = [*formats]
        given |= {"read": self.read.to_json()}
        if not given["read"]:
            del given["read"]
        if self.explode is not None:
            given["explode"] = self.explode.to_json()
        return json.dumps(given, indent=2, ensure_ascii=False) + "\n"

    def is_member(self, column: str) -> bool:
        """Whether a column is one of the members that rows are exploded into."""
        return self.explode is not None and self.explode.is_member_column(column)

    def accept(self, suggestion: "MappingSuggestion") -> "Mapping":
        """This mapping with a suggestion that a person accepted; a column that had the field gets its own again."""
        columns = dict(self.columns)
        constants = {field: constant for field, constant in self.constants.items() if field != suggestion.field}
        for column, field in self.columns.items():
            if field == suggestion.field and column != suggestion.column:
                columns[column] = match_exact_field(column)
                if columns[column] == field:
                    del columns[column]
        if suggestion.constant is not None:
            return replace(self, columns=columns, constants={**constants, suggestion.field: suggestion.constant})
        columns[suggestion.column] = suggestion.field
        types = {field: kind for field, kind in self.types.items() if field in columns.values()}
        return replace(
            self,
            columns=columns,
            constants=constants,
            names={**self.names, **suggestion.names},
            types={**types, suggestion.field: suggestion.type} if suggestion.type else types,
            time_format=self.time_format if suggestion.time_format is None else suggestion.time_format,
        )

    def check(self) -> None:
        """Raise :class:`MappingError` with a sentence where the mapping is wrong for every file."""
        fields: dict[str, str] = {}
        for column, field in self.columns.items():
            if column == EXPECT_COLUMN:
                raise MappingError(
                    f"Column “{EXPECT_COLUMN}” is mapped to “{field}”. It says what a test expects of its row and is"
                    " never sent. Leave it out, or give the column another name."
                )
            if not is_field(field):
                raise MappingError(
                    f"Column “{column}” is mapped to “{field}”, no field. {_suggest_nearest_field(field)}"
                )
            if field in fields and self.is_member(fields[field]) == self.is_member(column):
                raise MappingError(_refuse_two_columns(fields[field], column, field))
            fields[field] = column
        self._check_events(fields)
        for field in self.constants:
            if not is_field(field):
                raise MappingError(f"A constant is given for “{field}”, no field. {_suggest_nearest_field(field)}")
            if field in fields:
                raise MappingError(f"{field} has a constant and column “{fields[field]}”. Keep one of them.")
        for field, kind in self.types.items():
            _check_type(field, kind, fields)
        for cell, name in self.names.items():
            _check_name(cell, name)
        load_time_zone(self.time_zone)
        check_time_format(self.time_format)

    def _check_events(self, fields: AnyMapping[str, str]) -> None:
        """Raise :class:`MappingError` where it cannot be said which events rows become, or what they are called."""
        if self.explode is not None and not any(self.is_member(column) for column in self.columns):
            member = self.explode.member_column
            raise MappingError(
                "“explode” makes several events of a row, but no column of its members is mapped, so that they would be"
                f" alike. Map “{member}”{f' or “{member}.KEY”' if self.explode.path else ''}."
            )
        named = "name" in fields or bool(self.name_columns)
        if self.name_columns and ("name" in fields or "name" in self.constants):
            raise MappingError(
                "“name_columns” says which columns together are the name, and something else gives it too. Keep one."
            )
        if self.ignored_names and not named:
            raise MappingError("“ignored_names” needs a column that gives the name. Map one, or leave it out.")
        for name in self.ignored_names:
            if name in self.names:
                raise MappingError(f"“{name}” is mapped to “{self.names[name]}” and is ignored. Keep one of them.")


_LISTS_OF_TEXT = ("ignored_names", "name_columns")


def _refuse_two_columns(first: str, second: str, field: str) -> str:
    explode = json.dumps({"columns": [first, second], "as": "product"}, ensure_ascii=False)
    return (
        f"Columns “{first}” and “{second}” are both mapped to {field}. Map one of them, or give one another field. If"
        f' each is an event of its own, write "explode": {explode}, and map “product” to {field}.'
    )


def _check_shape(given: Json) -> None:
    if not isinstance(given, dict):
        raise MappingError('The mapping is not an object. It looks like {"columns": {"product_id": "data.productId"}}.')
    known = (*Mapping.__slots__, *FILE_METADATA_KEYS)
    for key in given:
        if key not in known:
            raise MappingError(f"The mapping has a key “{key}”. {suggest_nearest(key, known)}")
    for key in ("columns", "names", "types"):
        if not _is_text_to_text(given.get(key, {})):
            raise MappingError(f"“{key}” of the mapping is not an object of text to text.")
    if not isinstance(given.get("constants", {}), dict):
        raise MappingError("“constants” of the mapping is not an object of field to value.")
    for key, example in (("name", "cosmetics"), ("time_zone", "Europe/Berlin"), ("time_format", "%d.%m.%Y %H:%M")):
        if not isinstance(given.get(key, ""), str) and not (
            key == "time_format" and given[key] and _is_list_of_texts(given[key])
        ):
            raise MappingError(f"“{key}” of the mapping is not text such as “{example}”.")
    _check_lists(given)


def _check_lists(given: dict[str, Json]) -> None:
    for key in _LISTS_OF_TEXT:
        if not _is_list_of_texts(given.get(key, [])) or "" in given.get(key, []):
            raise MappingError(f"“{key}” of the mapping is not a list of texts.")
    if not _is_list_of_texts(given.get("header", [])):
        raise MappingError("“header” of the mapping is not a list of the columns' names.")


def _check_name(cell: str, name: str) -> None:
    if not is_event_name(name):
        raise MappingError(f"The name “{cell}” is mapped to “{name}”. {suggest_nearest(name, list(EventName))}")
    if not cell:
        raise MappingError("An empty name is mapped. An empty cell is no name: fill it, or give a constant.")


def _check_type(field: str, kind: str, fields: AnyMapping[str, str]) -> None:
    if kind not in CELL_TYPES:
        raise MappingError(f"{field} has the type “{kind}”. {suggest_nearest(kind, CELL_TYPES)}")
    if field in ID_FIELDS:
        raise MappingError(f"{field} has the type “{kind}”, but ids are always text. Remove the type.")
    if field in ("name", "timestamp"):
        raise MappingError(f"{field} has the type “{kind}”, but it is read in its own way. Remove the type.")
    if field not in fields:
        raise MappingError(
            f"A type is given for “{field}”, to which no column is mapped. {suggest_nearest(field, fields)}"
        )


def load_time_zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises :class:`MappingError`."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        near = suggest_nearest(
            name, sorted(available_timezones()), "A name such as “Europe/Berlin” or “UTC” is needed."
        )
        raise MappingError(f"There is no time zone “{name}”. {near}") from error


def _is_list_of_texts(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _is_text_to_text(value: Json) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _suggest_nearest_field(given: str) -> str:
    if re.sub(r"[^a-z0-9]", "", given.casefold()) == "productid":
        return "Did you mean “data.productId”?"
    return suggest_nearest(given, _EXAMPLE_FIELDS, f"Further data is written “data.{given}”.")


# ── where a mapping comes from ───────────────────────────────────────────────────────────────────────────────────────


def exact_mapping(header: Sequence[str]) -> Mapping:
    """The mapping that guesses nothing: exact field names are taken, every other column goes into ``data``.

    ``productId`` and ``data.productId`` both are the product's id (CONTRACT 2.4); :data:`RESERVED_COLUMNS` is left out.
    """
    return Mapping({column: match_exact_field(column) for column in header if column not in RESERVED_COLUMNS})


def match_exact_field(column: str) -> str:
    """The field that a column is by its name alone."""
    return column if is_field(column) else f"data.{column}"


@dataclass(frozen=True, slots=True)
class MappingSuggestion:
    """A guess for a person to accept: a column is probably a field.

    Attributes:
        column: The header.
        field: The field.
        reason: Why, in sentences.
        names: Cells of a name column, each with the event name that it probably means.
        type: The type that its cells have, one of :data:`CELL_TYPES`.
        time_format: How its times are written.
        exclusive: Whether it is only accepted by itself, never together with other suggestions.
        runner_up: The column that comes second for the field, in quotes, with what speaks against it; empty for none.
        constant: The value that every row gets, where no column has the field; ``column`` is then empty.
        fitting: How many rows have a cell that can be the field; ``None`` where that was not counted.
    """

    column: str
    field: str
    reason: str
    names: AnyMapping[str, str] = with_default(default_factory=dict)
    type: str | None = None
    time_format: str | None = None
    exclusive: bool = False
    runner_up: str = ""
    constant: Json = None
    fitting: int | None = with_default(default=None, compare=False)
