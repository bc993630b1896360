"""How an event differs from the expected one, in sentences: the field, both values, and what gives the mistake away."""

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from intempt_core.contract import ID_FIELDS, find_meant_name, shorten_value
from intempt_core.testing.event_matching import ABSENT, FieldDifference, are_equal


def format_value(value: Any) -> str:
    """Write a value as JSON, shortened. Any: JSON."""
    return shorten_value(json.dumps(value, ensure_ascii=False, default=repr))


def describe_difference(difference: FieldDifference, body: Mapping[str, Any]) -> str:
    """Describe a difference in one line: ``userId: expected "1", got 1: a number, not a text``.

    ``body`` is the event, in which a missing value is looked for under other names.
    """
    field, expected, given = difference.field, difference.expected, difference.given
    wanted = f"{field}: expected {format_value(expected)}"
    if given is ABSENT:
        key = next(_find_paths(body, expected), "")
        where = f"; that value is in {key}, and must be in {field}, exactly" if key else ""
        return f"{wanted}, and it is missing{where}"
    hint = _find_hint(field, expected, given)
    return f"{wanted}, got {format_value(given)}{f': {hint}' if hint else ''}"


def _find_hint(field: str, expected: Any, given: Any) -> str:
    """What two different values give away; empty where nothing. Any: JSON."""
    if field == "name":
        return _find_name_hint(str(expected), str(given))
    if type(expected) is not type(given) and _write(expected) == _write(given):
        advice = "; ids are texts, as numbers they lose digits" if field in ID_FIELDS else ""
        return f"the type is wrong, {_name_type(given)} and not {_name_type(expected)}{advice}"
    if isinstance(given, int | float) and _is_rounded(expected, given):
        return "it lost digits as a number"
    if not isinstance(expected, str) or not isinstance(given, str):
        return ""
    if given.strip() == expected.strip():
        return "white space around it"
    if given.casefold() == expected.casefold():
        return "the letter case differs"
    if _is_rounded(expected, given):
        return "it lost digits as a number"
    return ""


def are_names_alike(expected: str, given: str) -> bool:
    """Whether one name of an event was probably meant by the other."""
    folded = [_fold_name(name) for name in (expected, given)]
    return (
        folded[0] == folded[1]
        or find_meant_name(given) == expected
        or bool(get_close_matches(folded[0], folded[1:], cutoff=0.8))
    )


def _find_name_hint(expected: str, given: str) -> str:
    return "case, spaces and spelling of a name count" if are_names_alike(expected, given) else ""


def _fold_name(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))[:200]


def _name_type(value: Any) -> str:
    match value:
        case bool():
            return "a truth value"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case None:
            return "null"
        case _:
            return "an object or a list"


def _write(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=repr)


def _is_rounded(expected: Any, given: Any) -> bool:
    """Whether a long number became another one because it was a float. Any: JSON."""
    texts = (_write(expected), _write(given))
    if texts[0] == texts[1] or not texts[0].isdecimal() or len(texts[0]) < 16:
        return False
    try:
        return float(texts[0]) == float(texts[1])
    except ValueError:
        return False


def _find_paths(document: Any, value: Any, path: str = "") -> Iterator[str]:
    """The paths at which a document holds a value that says something. Any: JSON."""
    if value in (None, "", True, False):
        return
    if isinstance(document, Mapping):
        for key, inner in document.items():
            yield from _find_paths(inner, value, f"{path}.{key}" if path else str(key))
    elif isinstance(document, list):
        for number, inner in enumerate(document):
            yield from _find_paths(inner, value, f"{path}[{number}]")
    elif path and are_equal(value, document):
        yield path
