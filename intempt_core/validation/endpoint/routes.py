"""``POST /validate``: what is wrong with a body, as the report that ``check --format json`` prints. Nothing is stored.

It needs no key, and keeps none: it changes nothing, and what it is given goes nowhere. Who may reach it at all decides
what stands before every route (:mod:`intempt_core.web`). Work is bounded in bytes, events and time, and is done in
threads of its own, so that the server answers others meanwhile.
"""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from intempt_core.errors import MappingError, ReadError, RulesError, TableTooLarge
from intempt_core.validation.endpoint.bodies import CONTENT_TYPES, validate_body
from intempt_core.validation.endpoint.forms import (
    EVENTS_PART,
    FORM_CONTENT_TYPE,
    MAPPING_PART,
    MAX_MAPPING_CHARACTERS,
    RULES_PART,
    validate_form,
)
from intempt_core.validation.endpoint.report_document import MAX_ISSUES_LISTED, JsonSchema, build_report_schema
from intempt_core.validation.team_rules.rules_file import MAX_RULES_BYTES

VALIDATE_PATH = "/validate"
"""The path, beside the sandbox."""

MAX_ISSUES_PARAMETER = "max_issues"

CheckBody = Callable[[bytes, int], dict[str, Any]]
"""Checks a body, and gives the report with so many issues. Any: JSON."""


@dataclass(frozen=True, slots=True)
class ValidationLimits:
    """How much a body may have, and how long its check may take.

    Attributes:
        body_bytes: Bytes of a body.
        read_seconds: Seconds until a body must have arrived.
        wait_seconds: Seconds that a body waits for others that are being checked.
        work_seconds: Seconds after which its check is not waited for any more.
        bodies: Bodies that are in memory at once; a further one waits.
        workers: Bodies that are checked at once.
    """

    body_bytes: int = 10_000_000
    read_seconds: float = 30.0
    wait_seconds: float = 30.0
    work_seconds: float = 60.0
    bodies: int = 8
    workers: int = 2


class _Rejection(Exception):
    """A request is answered with an error status and a sentence. It is caught in this module."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _PostRoute(Route):
    """A route whose path is its own whatever the method: what is served beside it never responds in its place."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        return (Match.FULL if match is Match.PARTIAL else match), child

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            await super().handle(scope, receive, send)
            return
        message = f"{VALIDATE_PATH} takes POST, and this is {scope['method']}. Send the events to check as the body."
        response = _respond_json(405, {"message": message})
        response.headers["Allow"] = "POST"
        await response(scope, receive, send)


@dataclass(frozen=True, slots=True)
class _ValidateEndpoint:
    """The endpoint, with the slots of bodies and of checks."""

    limits: ValidationLimits
    bodies: asyncio.Semaphore
    workers: asyncio.Semaphore
    threads: ThreadPoolExecutor = field(repr=False)

    async def respond(self, request: Request) -> Response:
        """Check a body; every rejection is JSON with a sentence."""
        try:
            max_issues = _read_max_issues(request)
            check = _choose_check(request)
            self._check_stated_size(request)
            async with _Slot(self.bodies, self.limits.wait_seconds):
                body = await self._read_body(request)
                return _respond_json(200, await self._validate(partial(check, body, max_issues)))
        except _Rejection as rejection:
            return _respond_json(rejection.status, {"message": str(rejection)})

    def _check_stated_size(self, request: Request) -> None:
        stated = request.headers.get("content-length", "")
        if stated.isdecimal() and int(stated[:20]) > self.limits.body_bytes:
            raise self._build_size_rejection()

    def _build_size_rejection(self) -> _Rejection:
        most = f"{self.limits.body_bytes:,} bytes"
        return _Rejection(413, f"The body is larger than {most}. Send fewer events in one request.")

    async def _read_body(self, request: Request) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(self.limits.read_seconds):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > self.limits.body_bytes:
                        raise self._build_size_rejection()
        except TimeoutError:
            seconds = self.limits.read_seconds
            raise _Rejection(408, f"The body has not come within {seconds:g} seconds.") from None
        except ClientDisconnect:
            raise _Rejection(400, "The sender went away before the body was complete.") from None
        return bytes(body)

    async def _validate(self, check: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Check a body in a thread. A check that takes too long is not waited for, and keeps its slot until it ends."""
        await _acquire(self.workers, self.limits.wait_seconds)
        loop = asyncio.get_running_loop()
        work = self.threads.submit(check)
        work.add_done_callback(partial(_release_in_loop, loop, self.workers))
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(work)), self.limits.work_seconds)
        except TimeoutError:
            seconds = self.limits.work_seconds
            raise _Rejection(
                413, f"The check takes longer than {seconds:g} seconds. Send fewer events in one request."
            ) from None
        except TableTooLarge as error:
            raise _Rejection(413, str(error)) from None
        except (ReadError, MappingError, RulesError) as error:
            raise _Rejection(400, str(error)) from None


class _Slot:
    """A slot of a semaphore, held for as long as its context."""

    def __init__(self, slots: asyncio.Semaphore, seconds: float) -> None:
        self._slots, self._seconds = slots, seconds

    async def __aenter__(self) -> None:
        await _acquire(self._slots, self._seconds)

    async def __aexit__(self, *_: object) -> None:
        self._slots.release()


async def _acquire(slots: asyncio.Semaphore, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await slots.acquire()
    except TimeoutError:
        raise _Rejection(503, "Too many bodies are being checked. Try again in a moment.") from None


def _release_in_loop(loop: asyncio.AbstractEventLoop, slots: asyncio.Semaphore, _: Future[Any]) -> None:
    """Release a slot from a thread; where the server has ended there is none to release."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(slots.release)


def create_validate_route(limits: ValidationLimits | None = None) -> Route:
    """Create the route. Its threads begin with the first body."""
    most = limits or ValidationLimits()
    threads = ThreadPoolExecutor(most.workers, thread_name_prefix="validate")
    endpoint = _ValidateEndpoint(most, asyncio.Semaphore(most.bodies), asyncio.Semaphore(most.workers), threads)
    return _PostRoute(VALIDATE_PATH, endpoint.respond, methods=["POST"])


def _choose_check(request: Request) -> CheckBody:
    """How a body is read, by its content type. Raises :class:`_Rejection` 415 for one that is not taken."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise _Rejection(415, f"The content encoding is {encoding}. Bodies are taken as they are.")
    stated = request.headers.get("content-type", "")
    kind = stated.partition(";")[0].strip().lower()
    if kind == FORM_CONTENT_TYPE:
        return lambda body, max_issues: validate_form(body, stated, max_issues)
    form = CONTENT_TYPES.get(kind)
    if form is None:
        raise _Rejection(
            415,
            f"The content type is {kind}. Send application/json, application/x-ndjson for JSON lines, or"
            f" {FORM_CONTENT_TYPE} with a mapping or rules.",
        )
    return lambda body, max_issues: validate_body(body, form, max_issues)


def _read_max_issues(request: Request) -> int:
    given = request.query_params.getlist(MAX_ISSUES_PARAMETER)
    if not given:
        return MAX_ISSUES_LISTED
    (text, *others) = given
    if others or not text.isdecimal() or len(text) > 9 or int(text) > MAX_ISSUES_LISTED:
        raise _Rejection(400, f"The parameter {MAX_ISSUES_PARAMETER} is a whole number from 0 to {MAX_ISSUES_LISTED}.")
    return int(text)


def _respond_json(status: int, value: dict[str, Any]) -> Response:
    headers = {"Cache-Control": "no-store"}
    if status == 503:
        headers["Retry-After"] = "1"
    return Response(json.dumps(value).encode(), status, headers, "application/json")


# ── its part of the OpenAPI document ─────────────────────────────────────────────────────────────────────────────────


_FORM_SCHEMA: JsonSchema = {
    "type": "object",
    "required": [EVENTS_PART],
    "additionalProperties": False,
    "properties": {
        EVENTS_PART: {
            "type": "string",
            "description": "What would be the body alone: JSON or JSON lines. With a mapping each object is a row.",
        },
        MAPPING_PART: {
            "type": "string",
            "maxLength": MAX_MAPPING_CHARACTERS,
            "description": "A mapping file, as “check --mapping” takes it: JSON.",
        },
        RULES_PART: {
            "type": "string",
            "maxLength": MAX_RULES_BYTES,
            "description": "The team's rules, as “check --rules” takes them: JSON.",
        },
    },
}


def build_validate_paths() -> JsonSchema:
    """Build the path for the OpenAPI document; it refers to the schemas CheckReport and Rejection."""
    rejections = {
        "400": "The body cannot be read (no UTF-8, no JSON, or nested too deeply), or does not fit mapping or rules.",
        "403": "A page of another origin may not call.",
        "408": "The body did not arrive in time.",
        "413": "The body has too many bytes, events or values, or its check takes too long.",
        "415": "The content type, or the content encoding, is not taken.",
        "503": "Too many bodies are being checked.",
    }
    rejection = {"application/json": {"schema": {"$ref": "#/components/schemas/Rejection"}}}
    report = {"application/json": {"schema": {"$ref": "#/components/schemas/CheckReport"}}}
    operation = {
        "operationId": "validate",
        "summary": "What is wrong with a track body, an event, a list of events, or JSON lines; nothing is stored",
        "description": (
            "The report is the one that “check --format json” prints. JSON lines are sent as application/x-ndjson."
            " As text/plain, or without a content type, the body itself says what it is. A form of several parts has"
            " the events, and the mapping file and the team's rules that they are checked by."
        ),
        "security": [],
        "servers": [{"url": "/"}],
        "parameters": [
            {
                "name": MAX_ISSUES_PARAMETER,
                "in": "query",
                "required": False,
                "description": "How many issues are listed; all are counted.",
                "schema": {"type": "integer", "minimum": 0, "maximum": MAX_ISSUES_LISTED},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"type": ["object", "array"]}},
                FORM_CONTENT_TYPE: {"schema": _FORM_SCHEMA},
            },
        },
        "responses": {
            "200": {"description": "The report.", "content": report},
            **{status: {"description": text, "content": rejection} for status, text in rejections.items()},
        },
    }
    return {VALIDATE_PATH: {"post": operation}}


def build_validate_schemas() -> JsonSchema:
    """Build the schemas that only this path needs, for the OpenAPI document."""
    report = build_report_schema()
    return {"CheckReport": {name: value for name, value in report.items() if name not in ("$schema", "$id")}}
