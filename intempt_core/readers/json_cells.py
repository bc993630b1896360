"""JSON values as cells of a table: a text for each, and beside it what the text is (CONTRACT 7.23).

So 12.5 and "12.5" differ, and a number keeps the digits by which it was written.
"""

import json
import re
from collections.abc import Sequence

import numpy as np
import orjson
from numpy.typing import NDArray

from intempt_core.contract import ExactNumber, Json, dump_json

TEXT_CELL, JSON_CELL, NULL_CELL, EMPTY_TEXT_CELL = 0, 1, 2, 3
"""What a cell is: a text (an empty one is no value), the text of another JSON value, null, a text of no characters."""

# Numbers that Python writes otherwise: a last zero, a minus zero, a very small one, an exponent, many digits.
# Each pattern begins with what stands before a number: so nearly all bytes are passed over at once.
_NOT_AS_WRITTEN = re.compile(
    rb"[:\[,\s](?:-?(?:[0-9.]{16}|[0-9]+(?:\.[0-9]+0(?![0-9])|\.000|(?:\.[0-9]+)?[eE]))|-0(?![0-9.]))"
)

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
    if _NOT_AS_WRITTEN.search(b" " + text):
        return json.loads(text, parse_float=ExactNumber, parse_int=_read_integer, parse_constant=_reject)
    return orjson.loads(text)


def needs_exact_parse(text: bytes) -> bool:
    """Whether a text has numbers that Python writes otherwise."""
    return _NOT_AS_WRITTEN.search(text) is not None


def _read_integer(text: str) -> int | float:
    return ExactNumber(text) if text == "-0" else int(text)


def _reject(text: str) -> Json:
    raise ValueError(f"{text} is no JSON")


def flatten_value(value: Json, path: str, into: dict[str, Json]) -> None:
    """Add the values of a JSON value by their dotted paths; a list is a value, and so is what ``$oid`` says."""
    if type(value) is dict and value:
        if len(value) == 1 and (inner := unwrap_mongo(value)) is not value:
            flatten_value(inner, path, into)
            return
        prefix = f"{path}." if path else ""
        for key, item in value.items():
            if item is None or type(item) is dict:
                flatten_value(item, prefix + key, into)
            else:
                into.setdefault(prefix + key, item)
    else:
        into.setdefault(path, NULL if value is None else value)


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
