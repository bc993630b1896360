"""Request bodies: events as JSON bytes, written as they came."""

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import orjson

from intempt_core.contract.fields import Json


class ExactNumber(float):
    """A JSON number that keeps the text by which it was written, to the last digit.

    Attributes:
        text: That text.
    """

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> "ExactNumber":
        """The number of a text."""
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __reduce__(self) -> tuple[type["ExactNumber"], tuple[str]]:
        """For another process."""
        return ExactNumber, (self.text,)


def _write_exact(value: Any) -> orjson.Fragment:
    if isinstance(value, ExactNumber):
        return orjson.Fragment(value.text)
    raise TypeError(f"{type(value).__name__} is no JSON")


def dump_json(value: Json, *, indent: bool = False) -> bytes:
    """Write a JSON value as UTF-8 bytes, with every number and key.

    What orjson does not write (integers past 64 bits, lone surrogates) the standard library does. What is no number of
    JSON (1e400 as Python reads it) becomes null in both.
    """
    option = orjson.OPT_INDENT_2 if indent else None
    with suppress(TypeError, ValueError):
        return orjson.dumps(value, default=_write_exact, option=option)
    with suppress(TypeError, ValueError):
        if _has_exact_number(value):  # which the standard library would write otherwise
            return orjson.dumps(_wrap_long_integers(value), default=_write_exact, option=option)
    separators = (",", ": ") if indent else (",", ":")
    value = json.loads(json.dumps(value), parse_constant=lambda _: None)
    return json.dumps(value, indent=2 if indent else None, separators=separators).encode()


def _has_exact_number(value: Json) -> bool:
    if isinstance(value, dict):
        return any(map(_has_exact_number, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_has_exact_number, value))
    return isinstance(value, ExactNumber)


def _wrap_long_integers(value: Json) -> Json:
    """A value whose integers past 64 bits are written by their text."""
    if isinstance(value, dict):
        return {key: _wrap_long_integers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_wrap_long_integers(item) for item in value]
    return ExactNumber(str(value)) if type(value) is int and value.bit_length() > 63 else value


def build_request_body(events: Iterable[tuple[Json, Json]], *, indent: bool = False) -> bytes:
    """Build the body of (name, event) pairs in their order: neighbours of one name share a group (CONTRACT 1.3).

    The events are written as they came; what is deliberately wrong stays wrong on the wire.
    """
    groups: list[dict[str, Any]] = []
    for name, event in events:
        if not groups or groups[-1]["name"] != name or type(groups[-1]["name"]) is not type(name):
            groups.append({"name": name, "payload": []})
        groups[-1]["payload"].append(event)
    return dump_json({"track": groups}, indent=indent)
