"""The sandbox's OpenAPI document: what it takes and what it responds.

The sandbox takes any body with a list ``track`` and stores what cannot be processed with the reason (CONTRACT 3.8), so
its schema of a track request is wide; what an event should look like is in another schema, derived from the model of
the contract. A test has a tool send what the document allows and what it forbids, and compares the responses with it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.routing import Route

from intempt_core.contract import (
    BLANK_CHARACTERS,
    EARLIEST_MS,
    EVENT_COUNT,
    FEED_TITLES,
    MAX_ARRIVAL_IDS,
    MAX_QUERY_EVENT_IDS,
    MAX_VERDICT_EVENTS,
    MAX_WAIT_SECONDS,
    VERDICT_HEADER,
    EventName,
    FaultDocument,
    FeedIdentity,
    LiveFilter,
    SandboxPath,
    TrackRequest,
)
from intempt_core.sandbox.http.queries import NODE_KINDS

JsonSchema = dict[str, Any]
"""A JSON schema, or a part of the document. Any: JSON."""

_LARGEST_NUMBER = 10**15 - 1


@dataclass(frozen=True, slots=True)
class NeighbouringApi:
    """What is served beside the sandbox and is none of its business: it stands in the same OpenAPI document.

    Attributes:
        paths: Its paths, as the document has them.
        schemas: The schemas that they refer to, beside those of the sandbox.
        routes: What the sandbox's own application serves of it; none where something else does.
    """

    paths: JsonSchema = field(default_factory=dict)
    schemas: JsonSchema = field(default_factory=dict)
    routes: Sequence[Route] = ()


def build_openapi(server_url: str = "/", beside: NeighbouringApi | None = None) -> JsonSchema:
    """Build the OpenAPI document of a sandbox that is served at ``server_url``, and of what is ``beside`` it."""
    beside = beside or NeighbouringApi()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sandbox of the Event Console",
            "version": "1",
            "description": (
                "A local Track Events API and Recommendations Feed API. A 2xx means that events were accepted, not "
                "that they are processed: the header sandbox-verdict counts those that are, and /_sandbox/events says "
                "why others are not. A sandbox that "
                "simulates failures (/_sandbox/faults) responds as its faults say, with the header x-sandbox-fault."
            ),
        },
        "servers": [{"url": server_url}],
        "security": [{"basic": []}, {"apiKey": []}],
        "paths": _build_api_paths() | _build_sandbox_paths() | beside.paths,
        "components": {"schemas": _build_schemas() | beside.schemas, "securitySchemes": {
            "basic": {"type": "http", "scheme": "basic", "description": "The user sandbox, the password sandbox."},
            "apiKey": {"type": "apiKey", "in": "query", "name": "apiKey", "description": "sandbox.sandbox; insecure."},
        }},
    }  # fmt: skip


def _build_api_paths() -> JsonSchema:
    """The paths of CONTRACT 1, 5 and 6."""
    project = "/v1/{org}/projects/{project}"
    place = [_build_path_parameter("org"), _build_path_parameter("project")]
    track = _build_operation(
        "track",
        "Take events",
        _refer_to("TrackAccepted"),
        {"201": {**_build_response("Taken.", _refer_to("Nothing")), "headers": {VERDICT_HEADER: _VERDICT}}},
    )
    elsewhere = {**track, "operationId": "trackWithoutSource"}
    feed = _build_operation(
        "readFeed",
        f"What a feed shows for a person. The feeds are {', '.join(FEED_TITLES)}.",
        _refer_to("FeedQuery"),
        {"200": _build_response("The products.", _refer_to("FeedResponse"))},
    )
    consent = _build_operation(
        "consent", "Take a consent", _refer_to("Consent"), {"200": _build_response("Taken.", _refer_to("Nothing"))}
    )
    feeds = {**_build_path_parameter("feed"), "schema": {"type": "string", "enum": list(FEED_TITLES)}}
    return {
        f"{project}/sources/{{source}}/track": {"parameters": [*place, _build_path_parameter("source")], "post": track},
        f"{project}/track": {"parameters": place, "post": elsewhere},
        f"{project}/feeds/{{feed}}/data": {"parameters": [*place, feeds], "post": feed},
        f"{project}/consents/data": {"parameters": place, "post": consent},
    }


def _build_sandbox_paths() -> JsonSchema:
    """The paths of the sandbox's own API."""
    listed = [
        _build_query_parameter("limit", _build_integer(0)),
        _build_query_parameter("after", _build_integer(0)),
        _build_query_parameter("name", _TEXT),
        _build_query_parameter("person", _TEXT),
        _build_query_parameter("eventId", _TEXT),
        _build_query_parameter("userId", _TEXT),
        _build_query_parameter("project", _TEXT),
        {
            **_build_query_parameter("since", _build_integer(0)),
            "description": "Arrived then or later, in epoch milliseconds.",
        },
    ]
    seconds = {
        **_build_query_parameter("seconds", {"type": "number", "minimum": 0, "maximum": MAX_WAIT_SECONDS}),
        "description": "How long to wait at the most.",
    }
    of_project = {
        **_build_query_parameter("project", _TEXT),
        "description": "The project whose failures they are, beside those of everything.",
    }
    shown = [
        _build_query_parameter("limit", _build_integer(0)),
        _build_query_parameter("name", _TEXT),
        _build_query_parameter("text", _TEXT),
        _build_query_parameter("hidden_reader", _TEXT),
        _build_query_parameter("shown", {"type": "string", "enum": list(LiveFilter)}),
    ]
    arrived = [
        {"name": "ids", "in": "query", "required": True, "description": "Once for each event id.", "schema": {
            "type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1, "maxItems": MAX_ARRIVAL_IDS,
        }},
        _build_query_parameter("org", _TEXT),
        _build_query_parameter("project", _TEXT),
    ]  # fmt: skip
    found = {"200": _build_response("What was asked for.", _refer_to("SandboxResponse"))}
    number = {"name": "number", "in": "path", "required": True, "schema": _build_integer(1)}
    missing = {"404": _build_response("Not kept, or not kept any more.", _refer_to("Rejection"))}
    faults = {"200": _build_response("The faults that are active now.", _refer_to("FaultsNow"))}
    return {
        SandboxPath.EVENTS.value: {
            "get": {
                **_build_operation("listEvents", "What has arrived, in its order", None, found),
                "parameters": listed,
            },
            "delete": _build_operation("clear", "Forget everything", None, found, takes_input=False),
        },
        SandboxPath.WAIT.value: {
            "get": {
                **_build_operation(
                    "wait",
                    "The events that the filters match, as soon as there is one; or, in time, what came instead",
                    None,
                    {"200": _build_response("What arrived, or what came instead.", _refer_to("Awaited"))},
                ),
                "parameters": [*listed, seconds],
            },
        },
        SandboxPath.ARRIVALS.value: {
            "get": {
                **_build_operation(
                    "arrivals",
                    "Which of some event ids arrived, and what became of each",
                    None,
                    {"200": _build_response("Their arrivals, oldest first.", _refer_to("Arrivals"))},
                ),
                "parameters": arrived,
            },
        },
        SandboxPath.PERSON.value: {
            "post": _build_operation("person", "What became of a person's events", _refer_to("PersonQuery"), found)
        },
        SandboxPath.CONSENTS.value: {
            "get": _build_operation("listConsents", "The consents", None, found, takes_input=False)
        },
        SandboxPath.LIVE.value: {
            "get": {**_build_operation("live", "The last of everything that came", None, found), "parameters": shown},
        },
        f"{SandboxPath.REQUESTS}/{{number}}": {
            "parameters": [number],
            "get": _build_operation("readRequest", "One request as it came", None, found | missing, takes_input=False),
        },
        SandboxPath.FAULTS.value: {
            "parameters": [of_project],
            "get": _build_operation("readFaults", "Which failures are simulated", None, faults, takes_input=False),
            "put": _build_operation("setFaults", "Simulate failures", _refer_to("Faults"), faults),
            "delete": _build_operation("clearFaults", "Simulate no failures", None, faults, takes_input=False),
        },
    }


_TEXT: JsonSchema = {"type": "string"}
_VERDICT: JsonSchema = {
    "description": "What became of the events, as JSON: how many are processed and how many ignored, and of the first "
    f"{MAX_VERDICT_EVENTS} that are ignored the position in the request, from 0, and the codes of the reasons.",
    "schema": _TEXT,
}


def _match_any_case(word: str) -> str:
    return "".join(f"[{letter}{letter.upper()}]" for letter in word)


_NEED_NO_SOURCE = f"{_match_any_case(FeedIdentity.USER)}|{_match_any_case(FeedIdentity.ACCOUNT)}"
_ID: JsonSchema = {
    "description": "An opaque id: a text that shows something, or a number.",
    "anyOf": [{"type": "string", "pattern": f"[^{re.escape(BLANK_CHARACTERS)}]"}, {"type": "number"}],
}


def _build_schemas() -> JsonSchema:
    wire = TrackRequest.model_json_schema(ref_template="#/components/schemas/{model}")
    faults = FaultDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    own: JsonSchema = {
        "Nothing": {"type": "object", "maxProperties": 0},
        "SandboxResponse": {"type": "object"},
        "Rejection": {
            "type": "object",
            "required": ["message"],
            "properties": {"message": _TEXT, "detail": _TEXT},
            "additionalProperties": False,
        },
        "TrackAccepted": {
            "type": "object",
            "description": "What is accepted. What is processed for recommendations is a TrackRequest: "
            f"one of {EVENT_COUNT} names, "
            "an event id, an identity and a product id. A time before 2010 has the whole request rejected.",
            "required": ["track"],
            "properties": {"track": {"type": "array", "items": {"properties": {"payload": {"items": {
                "properties": {"timestamp": {"not": {"type": "integer", "exclusiveMaximum": EARLIEST_MS}}},
            }}}}}},
            "examples": [{"track": [{"name": EventName.VIEWED, "payload": [
                {"eventId": "evt_1", "userId": "user_123", "data": {"productId": "SKU_987"}},
            ]}]}],
        },
        "FeedQuery": {
            "type": "object",
            "required": ["type", "id"],
            "properties": {
                "type": {"type": "string", "pattern": f"^({'|'.join(map(_match_any_case, FeedIdentity))})$"},
                "id": _ID,
                "fields": {"type": ["array", "null"], "items": _TEXT},
                "limit": {"type": ["integer", "null"], "minimum": 1},
                "offset": {"type": ["integer", "null"], "minimum": 0},
            },
            "anyOf": [
                {"properties": {"type": {"pattern": f"^({_NEED_NO_SOURCE})$"}}},
                {"required": ["sourceId"], "properties": {"sourceId": _ID}},
            ],
        },
        "FeedResponse": {
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
        "PersonQuery": {
            "type": "object",
            "required": ["org", "project", "id", "by"],
            "properties": {
                "org": _ID, "project": _ID, "id": _ID, "by": {"enum": list(NODE_KINDS)},
                "eventIds": {"type": ["array", "null"], "items": _TEXT, "maxItems": MAX_QUERY_EVENT_IDS},
                "arrivals": {"type": ["boolean", "null"]},
            },
        },
        "Awaited": {
            "type": "object",
            "required": ["arrived", "events", "next", "instead"],
            "properties": {
                "arrived": {"type": "boolean"},
                "events": {"type": "array", "items": {"type": "object"}},
                "next": {"type": ["integer", "null"]},
                "instead": {
                    "type": "object",
                    "required": ["events", "requests"],
                    "properties": {name: {"type": "array", "items": {"type": "object"}}
                                   for name in ("events", "requests")},
                },
            },
        },
        "Arrivals": {
            "type": "object",
            "required": ["arrivals", "missing"],
            "properties": {
                "arrivals": {"type": "array", "items": {
                    "type": "object",
                    "required": ["eventId", "seq", "request", "received_at", "client", "processed", "codes"],
                    "properties": {
                        "eventId": _TEXT, "seq": _build_integer(1), "request": _build_integer(1),
                        "received_at": _build_integer(0), "client": _TEXT, "name": {"type": ["string", "null"]},
                        "person": {"type": ["string", "null"]}, "productId": {"type": ["string", "null"]},
                        "processed": {"type": "boolean"}, "because": {"type": ["string", "null"]},
                        "codes": {"type": "array", "items": _TEXT}, "repeat_of": {"type": ["integer", "null"]},
                    },
                }},
                "missing": {"type": "array", "items": _TEXT},
            },
        },
        "FaultsNow": {
            "type": "object",
            "required": ["faults", "deduplicates", "sentence"],
            "properties": {
                "faults": {"type": "array"}, "deduplicates": {"type": "boolean"}, "sentence": _TEXT,
                "projects": {
                    "type": "array",
                    "description": "The first projects that have failures of their own; none where one is asked about.",
                    "items": {
                        "type": "object",
                        "required": ["project", "faults", "deduplicates", "sentence"],
                        "properties": {
                            "project": _TEXT, "faults": {"type": "array"}, "deduplicates": {"type": "boolean"},
                            "sentence": _TEXT,
                        },
                    },
                },
                "project_count": _build_integer(0),
            },
        },
    }  # fmt: skip
    derived = {"TrackRequest": wire, "Faults": faults}
    for model in (wire, faults):
        derived |= model.pop("$defs")
    return own | derived


def _build_operation(
    name: str, summary: str, body: JsonSchema | None, responses: JsonSchema, *, takes_input: bool = True
) -> JsonSchema:
    """One operation; ``takes_input``: it is given something that may be wrong."""
    rejections = {
        "401": "The key is missing or wrong.",
        "503": "The database cannot be used, or too many large bodies come at once; nothing was stored.",
    }
    if takes_input:
        rejections["400"] = "What was given cannot be read."
    if body is not None or name.startswith("clear"):
        rejections["403"] = "A page of another origin may not write."
    if body is not None:
        rejections |= {"413": "The body is too large.", "415": "The body is not application/json."}
    made = {
        "operationId": name,
        "summary": summary,
        "responses": responses
        | {
            status: _build_response(description, _refer_to("Rejection"))
            for status, description in sorted(rejections.items())
        },
    }
    return made if body is None else {**made, "requestBody": {"required": True, **_wrap_content(body)}}


def _build_path_parameter(name: str) -> JsonSchema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _build_query_parameter(name: str, schema: JsonSchema) -> JsonSchema:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _build_integer(minimum: int) -> JsonSchema:
    return {"type": "integer", "minimum": minimum, "maximum": _LARGEST_NUMBER}


def _build_response(description: str, schema: JsonSchema) -> JsonSchema:
    return {"description": description, **_wrap_content(schema)}


def _wrap_content(schema: JsonSchema) -> JsonSchema:
    return {"content": {"application/json": {"schema": schema}}}


def _refer_to(name: str) -> JsonSchema:
    return {"$ref": f"#/components/schemas/{name}"}
