"""JSON values as cells of a table: a text for each, and beside it what the text is (CONTRACT 7.23).

So 12.5 and "12.5" differ, and a number keeps the digits by which it was written.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from intempt_core.contract import ExactNumber, Json, dump_json
from intempt_core.readers.json_rows.line_blocks import needs_exact_parse

TEXT_CELL, JSON_CELL, NULL_CELL, EMPTY_TEXT_CELL = 0, 1, 2, 3
"""What a cell is: a text (an empty one is no value), the text of another JSON value, null, a text of no characters."""

_MONGO_TEXTS = ("$oid", "$date", "$uuid", "$symbol")
_MONGO_NUMBERS = ("$numberLong", "$numberInt", "$numberDouble", "$numberDecimal")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


class _Null:
    """JSON's null, where ``None`` means that there is no value."""


NULL = _Null()


def parse_exactly(text: bytes) -> Json:
    """Read JSON so that :func:`~intempt_core.contract.dump_json` writes each number as it was.

    Raises ``ValueError`` where it is none.
    """
    if not needs_exact_parse(b" " + text):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            if b"\\u" not in text:  # orjson does not read half of a character
                raise
    return json.loads(text, parse_float=ExactNumber, parse_int=_read_integer, parse_constant=_reject)


def _read_integer(text: str) -> int | float:
    return ExactNumber(text) if text == "-0" else int(text)


def _reject(text: str) -> Json:
    raise ValueError(f"{text} is no JSON")


PATH_SEPARATOR = " > "
"""What stands between the keys of a value's path, where a dotted path would be that of another value too."""


@dataclass(frozen=True, slots=True)
class KeyClash:
    """Two values of an object with one dotted path, as in ``{"p.id": 1, "p": {"id": 2}}`` (CONTRACT 7.25).

    Attributes:
        column: The dotted path, which is that of the first one: of the value whose keys are the longest.
        other: What the other one is called: its keys with :data:`PATH_SEPARATOR` between them.
    """

    column: str
    other: str


class _ClashingKeys(Exception):
    """Two values have one dotted path."""


def flatten_entries(value: Mapping[str, Json], into: dict[str, Json]) -> tuple[KeyClash, ...]:
    """Add the values of an object by their dotted paths; a list is a value, and so is what ``$oid`` says.

    Where two have the same path, each is added under a name of its own.
    """
    known = dict(into)
    try:
        for key, item in value.items():
            if item is None or type(item) is dict:
                flatten_value(item, key, into)
            elif key in into:
                raise _ClashingKeys
            else:
                into[key] = item
    except _ClashingKeys:
        into.clear()
        into |= known
        return _flatten_clashing(value, into)
    return ()


def flatten_value(value: Json, path: str, into: dict[str, Json]) -> None:
    """Add a value, or those inside of it, by their dotted paths."""
    if type(value) is dict and value:
        if len(value) == 1 and (inner := unwrap_mongo(value)) is not value:
            flatten_value(inner, path, into)
            return
        prefix = f"{path}." if path else ""
        for key, item in value.items():
            name = prefix + key
            if item is None or type(item) is dict:
                flatten_value(item, name, into)
            elif name in into:
                raise _ClashingKeys
            else:
                into[name] = item
    elif path in into:
        raise _ClashingKeys
    else:
        into[path] = NULL if value is None else value


def _flatten_clashing(value: Mapping[str, Json], into: dict[str, Json]) -> tuple[KeyClash, ...]:
    """:func:`flatten_entries` of an object in which two values have one dotted path; one that is not null is first."""
    found: dict[str, list[tuple[tuple[str, ...], Json]]] = {}
    for steps, item in _list_values(value, ()):
        found.setdefault(".".join(steps), []).append((steps, item))
    clashes = []
    for column, values in found.items():
        values.sort(key=lambda one: (one[1] is NULL, [-len(step) for step in one[0]]))
        into[column] = values[0][1]
        for steps, item in values[1:]:
            name = PATH_SEPARATOR.join(steps) if len(steps) > 1 else f"{PATH_SEPARATOR.lstrip()}{steps[0]}"
            while name in found or name in into:
                name += PATH_SEPARATOR.rstrip()
            into[name] = item
            if item is not NULL:
                clashes.append(KeyClash(column, name))
    return tuple(clashes)


def _list_values(value: Mapping[str, Json], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Json]]:
    """The values of an object, each with its keys from the outermost on."""
    for key, item in value.items():
        inner = item
        while type(inner) is dict and len(inner) == 1 and (unwrapped := unwrap_mongo(inner)) is not inner:
            inner = unwrapped
        if type(inner) is dict and inner:
            yield from _list_values(inner, (*above, key))
        else:
            yield (*above, key), NULL if inner is None else inner


def unwrap_mongo(value: dict[str, Json]) -> Json:
    """What an object of MongoDB's extended JSON stands for; the object itself where it is none."""
    ((key, inner),) = value.items()
    if key in _MONGO_TEXTS and (not isinstance(inner, dict) or len(inner) == 1):
        return inner
    if key in _MONGO_NUMBERS and isinstance(inner, str):
        if not _NUMBER.fullmatch(inner):
            return inner
        return int(inner) if inner.lstrip("-").isdigit() else ExactNumber(inner)
    return value


def spell_half_characters(text: str) -> str:
    """A text that UTF-8 can hold: half of a character becomes its escape, such as ``\\ud83d``, and so stays itself."""
    return text.encode("utf-8", "backslashreplace").decode()


def encode_cells(values: Sequence[Json]) -> tuple[list[str], NDArray[np.uint8] | None]:
    """The texts of some values, ``None`` for no value, and what each text is; ``None`` where all are plain texts."""
    types = set(map(type, values))
    if types <= {str, type(None)} and "" not in values:
        return [value or "" for value in values] if type(None) in types else list(values), None
    if types == {int}:
        return list(map(str, values)), np.full(len(values), JSON_CELL, np.uint8)
    if types == {float}:
        return list(map(_write_value, values)), np.full(len(values), JSON_CELL, np.uint8)
    texts, kinds = [""] * len(values), np.zeros(len(values), np.uint8)
    for number, value in enumerate(values):
        if type(value) is str:
            texts[number] = value
            if not value:
                kinds[number] = EMPTY_TEXT_CELL
        elif value is NULL:
            kinds[number] = NULL_CELL
        elif value is not None:
            texts[number] = _write_value(value)
            kinds[number] = JSON_CELL
    return texts, kinds


def _write_value(value: Json) -> str:
    """A value as JSON; the most frequent kinds of numbers are written without another call."""
    if type(value) is int:
        return str(value)
    if type(value) is float and "e" not in (text := repr(value)) and "n" not in text:
        return text
    return dump_json(value).decode()


def decode_cell(text: str, kind: int) -> Json:
    """The value of a cell; ``None`` for null. An empty text is for the caller to judge."""
    if kind == JSON_CELL:
        return parse_exactly(text.encode())
    return None if kind == NULL_CELL else text
