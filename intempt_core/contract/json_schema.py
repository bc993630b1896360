"""The contract as JSON Schema 2020-12: the wire model with every rule that a schema can state.

The shape comes from the models of ``model.py``. Each error about one value that ``issue_kinds.py`` declares stands in
:data:`RULE_SCHEMAS` as a schema, and is put at the fields that the rule itself names. What takes several events to see
is listed by its code in ``$comment``. Warnings make nothing invalid.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from intempt_core.contract.fields import (
    BLANK_CHARACTERS,
    EARLIEST_MS,
    EVENT_FIELDS,
    EventName,
    Json,
    join_words,
)
from intempt_core.contract.issue_kinds import ISSUE_KINDS, IssueKind, Severity
from intempt_core.contract.model import TrackEvent, TrackRequest
from intempt_core.contract.readings import FoundElsewhere, Requirement, ValueRule

SCHEMA_VERSION = "1.0.0"
"""The version in the schema's ``$id``: its first number grows where something valid becomes invalid."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"
"""The dialect that the schema is written in."""


class SchemaSubject(StrEnum):
    """What a schema describes."""

    REQUEST = "request"
    EVENT = "event"


def _write_class(characters: str) -> str:
    """Characters as ranges inside the brackets of a regular expression, each escaped."""
    points = sorted(map(ord, set(characters)))
    starts = [point for point in points if point - 1 not in points]
    ends = [point for point in points if point + 1 not in points]
    return "".join(
        f"\\u{start:04x}" if start == end else f"\\u{start:04x}-\\u{end:04x}"
        for start, end in zip(starts, ends, strict=True)
    )


_NOT_BLANK = f"[^{_write_class(BLANK_CHARACTERS)}]"
_GIVEN: dict[str, Json] = {"type": ["string", "number", "boolean", "object", "array"], "pattern": _NOT_BLANK}

RULE_SCHEMAS: Mapping[str, Mapping[str, Json]] = {
    "event_name": {"enum": list(EventName)},
    "event_id_missing": _GIVEN,
    "identity_missing": _GIVEN,
    "product_id_missing": _GIVEN,
    "timestamp_before_2010": {"minimum": EARLIEST_MS},
    "timestamp_unreadable": {"type": ["integer", "null"]},
    "id_not_text": {"type": ["string", "number", "null"]},
    "event_not_object": {"type": "object"},
}
"""Each error about one value, by its code, as a schema of that value."""

_REQUEST, _GROUP, _EVENT, _DATA = "TrackRequest", "TrackGroup", "TrackEvent", "EventData"


def build_contract_schema(subject: SchemaSubject = SchemaSubject.REQUEST) -> dict[str, Json]:
    """Build the schema of a request's body, or of one event inside ``payload``.

    Its ``$id`` has the version; the parts lie in ``$defs``, so that ``$id#/$defs/TrackEvent`` names one of them.
    """
    model = TrackRequest.model_json_schema()
    parts = {**model.pop("$defs"), _REQUEST: model}
    parts = {name: _clean_part(part) for name, part in parts.items()}
    parts[_GROUP]["required"] = ["name", "payload"]
    for field in ("name", "", *EVENT_FIELDS):
        _state_rules(parts, field)
    parts[_EVENT]["anyOf"] = list(_list_alternatives())
    root = _REQUEST if subject is SchemaSubject.REQUEST else TrackEvent.__name__
    return {
        "$schema": DIALECT,
        "$id": f"urn:event-console:track-{subject}:{SCHEMA_VERSION}",
        "title": f"{'A request' if subject is SchemaSubject.REQUEST else 'An event'} of the Track Events API",
        "$comment": _describe_limits(),
        "$ref": f"#/$defs/{root}",
        "$defs": parts,
    }


def _clean_part(part: Mapping[str, Json]) -> dict[str, Json]:
    """A part of the model's schema without what pydantic adds: titles, defaults, the marks of a docstring."""
    properties = {
        name: {key: value for key, value in schema.items() if key not in ("title", "default")}
        for name, schema in part["properties"].items()
    }
    return {
        "description": " ".join(part["description"].replace("``", "").split()).partition(" An error's")[0],
        "type": "object",
        "required": list(part.get("required", ())),
        "properties": properties,
        "additionalProperties": True,
    }


def _state_rules(parts: dict[str, dict[str, Json]], field: str) -> None:
    """Put what the rules ask of one field to where it is in the model; ``""`` is the event itself."""
    part, key = (_GROUP if field == "name" else _EVENT), field
    if "." in field:
        _, key = field.split(".", 1)
        part = _DATA
    kinds = list(_list_rules(field))
    stated: dict[str, Json] = {}
    for kind in kinds:
        stated = _merge_schemas(stated, RULE_SCHEMAS[kind.code])
    if not key:
        parts[part] |= stated
        return
    words = [EVENT_FIELDS[field].meaning.capitalize() + "."] if field in EVENT_FIELDS else []
    words += [kind.allowed for kind in kinds if isinstance(kind.reading, Requirement)]
    parts[part]["properties"][key] = {"description": " ".join(words), **stated}


def _list_rules(field: str) -> Iterator[IssueKind]:
    """The errors about the value of a field; one that asks for one of several fields is no rule of each."""
    for kind in _list_errors():
        reading = kind.reading
        is_value_rule = isinstance(reading, ValueRule) and field in reading.fields
        if is_value_rule or (isinstance(reading, Requirement) and reading.fields == (field,)):
            yield kind


def _list_errors() -> Iterator[IssueKind]:
    return (kind for kind in ISSUE_KINDS.values() if kind.severity is Severity.ERROR)


def _list_alternatives() -> Iterator[dict[str, Json]]:
    """Of the rules that ask for one of several fields, each field as an alternative."""
    for kind in _list_errors():
        if isinstance(kind.reading, Requirement) and len(kind.reading.fields) > 1:
            for name in kind.reading.fields:
                yield {"required": [name], "properties": {name: dict(RULE_SCHEMAS[kind.code])}}


def _merge_schemas(first: Mapping[str, Json], second: Mapping[str, Json]) -> dict[str, Json]:
    """Both schemas as one; of types, those that both allow."""
    merged = {**first, **second}
    if "type" in first and "type" in second:
        types = [name for name in _list_types(first) if name in _list_types(second)]
        merged["type"] = types[0] if len(types) == 1 else types
    return merged


def _list_types(schema: Mapping[str, Json]) -> list[str]:
    types = schema["type"]
    return [types] if isinstance(types, str) else types


def _describe_limits() -> str:
    """Which errors of events a schema cannot say, in sentences."""
    codes = [kind.code for kind in _list_errors() if kind.reading is FoundElsewhere.ACROSS_EVENTS]
    return f"No schema sees {join_words(codes)}: that takes several events. Warnings make nothing invalid."
