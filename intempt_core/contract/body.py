"""Request bodies: events as JSON bytes, written as they came."""

import json
from collections.abc import Iterable
from typing import Any

import orjson

from intempt_core.contract.fields import Json


def dump_json(value: Json, *, indent: bool = False) -> bytes:
    """Write a JSON value as UTF-8 bytes, with every number and key.

    What orjson does not write (integers past 64 bits, lone surrogates) the standard library does. What is no number of
    JSON (1e400 as Python reads it) becomes null in both.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None)
    except (TypeError, ValueError):
        separators = (",", ": ") if indent else (",", ":")
        value = json.loads(json.dumps(value), parse_constant=lambda _: None)
        return json.dumps(value, indent=2 if indent else None, separators=separators).encode()


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
