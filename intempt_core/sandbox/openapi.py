"""The sandbox's OpenAPI document: what it takes and what it answers, as it is and not as one would wish it.

The sandbox takes whatever has a list ``track`` and stores what cannot be processed with the reason (CONTRACT 3.8), so
its schema of a track request is wide; what an event should look like is beside it, derived from the wire model. A
test has a tool send what the document allows and what it forbids, and hold the answers against it.
"""

import re
from typing import Any

from intempt_core.events import EARLIEST_MS, BLANK_CHARACTERS, EventName, TrackRequest
from intempt_core.feeds import FEED_IDENTITY_TYPES, FEED_TITLES
from intempt_core.sandbox import live
from intempt_core.sandbox.asking import IDS_ASKED, KINDS
from intempt_core.sandbox.faults import Faults

Schema = dict[str, Any]
"""A JSON schema, or a part of the document. Any: JSON."""

_LARGEST_NUMBER = 10**15 - 1


def document(servers: str = "/") -> Schema:
    """The OpenAPI document of a sandbox that is reached at ``servers``."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sandbox of the Event Console",
            "version": "1",
            "description": (
                "A local Track Events API and Recommendations Feed API. A 2xx means that events were accepted, not "
                "that they are processed: /_sandbox/events says which are, and why others are not. A sandbox that "
                "fails on purpose (/_sandbox/faults) answers as its faults say, with the header x-sandbox-fault."
            ),
        },
        "servers": [{"url": servers}],
        "security": [{"basic": []}, {"apiKey": []}],
        "paths": _api() | _own(),
        "components": {"schemas": _schemas(), "securitySchemes": {
            "basic": {"type": "http", "scheme": "basic", "description": "The user sandbox, the password sandbox."},
            "apiKey": {"type": "apiKey", "in": "query", "name": "apiKey", "description": "sandbox.sandbox; insecure."},
        }},
    }  # fmt: skip


def _api() -> Schema:
    """The paths of CONTRACT 1, 5 and 6."""
    project = "/v1/{org}/projects/{project}"
    place = [_segment("org"), _segment("project")]
    track = _operation("track", "Take events", _ref("TrackTaken"), {"201": _json("Taken.", _ref("Nothing"))})
    elsewhere = {**track, "operationId": "trackWithoutSource"}
    feed = _operation("readFeed", f"What a feed shows for a person. The feeds are {', '.join(FEED_TITLES)}.",
                      _ref("FeedQuestion"), {"200": _json("The products.", _ref("FeedAnswer"))})  # fmt: skip
    consent = _operation("consent", "Take a consent", _ref("Consent"), {"200": _json("Taken.", _ref("Nothing"))})
    feeds = {**_segment("feed"), "schema": {"type": "string", "enum": list(FEED_TITLES)}}
    return {
        f"{project}/sources/{{source}}/track": {"parameters": [*place, _segment("source")], "post": track},
        f"{project}/track": {"parameters": place, "post": elsewhere},
        f"{project}/feeds/{{feed}}/data": {"parameters": [*place, feeds], "post": feed},
        f"{project}/consents/data": {"parameters": place, "post": consent},
    }


def _own() -> Schema:
    """What the sandbox tells about itself."""
    listed = [
        _query("limit", _whole(0)), _query("after", _whole(0)), _query("name", _TEXT), _query("person", _TEXT),
    ]  # fmt: skip
    shown = [
        _query("limit", _whole(0)), _query("name", _TEXT), _query("text", _TEXT),
        _query("shown", {"type": "string", "enum": list(live.SHOWN)}),
    ]  # fmt: skip
    told = {"200": _json("They.", _ref("Told"))}
    number = {"name": "number", "in": "path", "required": True, "schema": _whole(1)}
    missing = {"404": _json("Not kept, or not kept any more.", _ref("Refusal"))}
    faults = {"200": _json("The faults that are active now.", _ref("FaultsNow"))}
    return {
        "/_sandbox/events": {
            "get": {**_operation("listEvents", "What has arrived, in its order", None, told), "parameters": listed},
            "delete": _operation("clear", "Forget everything", None, told, asked=False),
        },
        "/_sandbox/person": {"post": _operation("person", "What became of a person's events", _ref("Person"), told)},
        "/_sandbox/consents": {"get": _operation("listConsents", "The consents", None, told, asked=False)},
        "/_sandbox/live": {
            "get": {**_operation("live", "The last of everything that came", None, told), "parameters": shown},
        },
        "/_sandbox/requests/{number}": {
            "parameters": [number],
            "get": _operation("readRequest", "One request as it came", None, told | missing, asked=False),
        },
        "/_sandbox/faults": {
            "get": _operation("readFaults", "What goes wrong on purpose", None, faults, asked=False),
            "put": _operation("setFaults", "Fail on purpose", _ref("Faults"), faults),
            "delete": _operation("clearFaults", "Work again", None, faults, asked=False),
        },
    }  # fmt: skip


_TEXT: Schema = {"type": "string"}
_ID: Schema = {
    "description": "An opaque id: a text that shows something, or a number.",
    "anyOf": [{"type": "string", "pattern": f"[^{re.escape(BLANK_CHARACTERS)}]"}, {"type": "number"}],
}


def _schemas() -> Schema:
    wire = TrackRequest.model_json_schema(ref_template="#/components/schemas/{model}")
    faults = Faults.model_json_schema(ref_template="#/components/schemas/{model}")
    own: Schema = {
        "Nothing": {"type": "object", "maxProperties": 0},
        "Told": {"type": "object"},
        "Refusal": {
            "type": "object",
            "required": ["message"],
            "properties": {"message": _TEXT, "detail": _TEXT},
            "additionalProperties": False,
        },
        "TrackTaken": {
            "type": "object",
            "description": "What is taken. What is processed for recommendations is a TrackRequest: one of four names, "
            "an event id, an identity and a product id. A time before 2010 refuses the whole request.",
            "required": ["track"],
            "properties": {"track": {"type": "array", "items": {"properties": {"payload": {"items": {
                "properties": {"timestamp": {"not": {"type": "integer", "exclusiveMaximum": EARLIEST_MS}}},
            }}}}}},
            "examples": [{"track": [{"name": EventName.VIEWED, "payload": [
                {"eventId": "evt_1", "userId": "user_123", "data": {"productId": "SKU_987"}},
            ]}]}],
        },
        "FeedQuestion": {
            "type": "object",
            "required": ["type", "id"],
            "properties": {
                "type": {"type": "string", "pattern": "^(" + "|".join(map(_any_case, FEED_IDENTITY_TYPES.values())) + ")$"},
                "id": _ID,
                "fields": {"type": ["array", "null"], "items": _TEXT},
                "limit": {"type": ["integer", "null"], "minimum": 1},
                "offset": {"type": ["integer", "null"], "minimum": 0},
            },
            "anyOf": [
                {"properties": {"type": {"pattern": f"^({_any_case('user')}|{_any_case('account')})$"}}},
                {"required": ["sourceId"], "properties": {"sourceId": _ID}},
            ],
        },
        "FeedAnswer": {
            "type": "object",
            "required": ["products"],
            "properties": {"products": {"type": "array", "items": {
                "type": "object", "properties": {"id": _TEXT}, "additionalProperties": False,
            }}},
        },
        "Consent": {
            "type": "object",
            "required": ["action"],
            "properties": {
                "action": {"enum": ["accept", "reject"]},
                "timestamp": {"type": ["number", "null"], "minimum": EARLIEST_MS / 1000},
            },
            "anyOf": [
                {"required": ["userId"], "properties": {"userId": _ID}},
                {"required": ["profileId", "sourceId"], "properties": {"profileId": _ID, "sourceId": _ID}},
            ],
        },
        "Person": {
            "type": "object",
            "required": ["org", "project", "id", "by"],
            "properties": {
                "org": _ID, "project": _ID, "id": _ID, "by": {"enum": list(KINDS)},
                "eventIds": {"type": ["array", "null"], "items": _TEXT, "maxItems": IDS_ASKED},
            },
        },
        "FaultsNow": {
            "type": "object",
            "required": ["faults", "deduplicates", "sentence"],
            "properties": {"faults": {"type": "array"}, "deduplicates": {"type": "boolean"}, "sentence": _TEXT},
        },
    }  # fmt: skip
    derived = {"TrackRequest": wire, "Faults": faults}
    for model in (wire, faults):
        derived |= model.pop("$defs")
    return own | derived


def _any_case(word: str) -> str:
    return "".join(f"[{letter}{letter.upper()}]" for letter in word)


def _operation(name: str, summary: str, body: Schema | None, answers: Schema, *, asked: bool = True) -> Schema:
    """One operation; ``asked``: it is given something that may be wrong."""
    refusals = {
        "401": "The key is missing or wrong.",
        "503": "The database cannot be used, or too many large bodies come at once; nothing was stored.",
    }
    if asked:
        refusals["400"] = "What was given cannot be read."
    if body is not None or name.startswith("clear"):
        refusals["403"] = "A page of another origin may not write."
    if body is not None:
        refusals |= {"413": "The body is too large.", "415": "The body is not application/json."}
    made = {
        "operationId": name,
        "summary": summary,
        "responses": answers | {status: _json(words, _ref("Refusal")) for status, words in sorted(refusals.items())},
    }
    return made if body is None else {**made, "requestBody": {"required": True, **_content(body)}}


def _segment(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _query(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _whole(least: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": _LARGEST_NUMBER}


def _json(words: str, schema: Schema) -> Schema:
    return {"description": words, **_content(schema)}


def _content(schema: Schema) -> Schema:
    return {"content": {"application/json": {"schema": schema}}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
