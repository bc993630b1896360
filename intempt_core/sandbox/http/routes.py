"""The sandbox as a Starlette application: the paths of CONTRACT 1, 5 and 6, and what it tells about itself."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from intempt_core.contract import (
    SANDBOX_PATH_PREFIX,
    SHARED_FEEDS,
    FaultDocument,
    LiveFilter,
    SandboxPath,
    compute_feeds,
    dump_json,
    now_ms,
    parse_fault_document,
)
from intempt_core.errors import FaultDocumentUnreadable, SandboxRejection, SandboxStoreUnavailable
from intempt_core.sandbox.http.auth import (
    MAX_BODY_BYTES,
    RawPathMiddleware,
    check_content_type,
    check_key,
    check_origin,
    read_body,
    read_content_length,
)
from intempt_core.sandbox.http.body_limits import SMALL_BODY_BYTES, BodyLimiter
from intempt_core.sandbox.http.fault_injector import FaultInjector
from intempt_core.sandbox.http.fault_responses import build_fault_response, delay_response
from intempt_core.sandbox.http.openapi import build_openapi
from intempt_core.sandbox.http.queries import check_consent, parse_feed_query, parse_person_query
from intempt_core.sandbox.http.received_request import ReceivedRequest
from intempt_core.sandbox.http.responses import (
    handle_http_exception,
    handle_rejection,
    handle_store_unavailable,
    json_response,
)
from intempt_core.sandbox.storage.fast_path import EventColumns
from intempt_core.sandbox.storage.listing import EventListQuery, list_consents, list_person_events, list_received_events
from intempt_core.sandbox.storage.live import (
    MAX_LIVE_ROWS,
    LiveQuery,
    list_live_rows,
    read_kept_request,
)
from intempt_core.sandbox.storage.parser import build_depth_rejection, read_json_body, read_object_body, read_track
from intempt_core.sandbox.storage.projection import KEPT_REQUESTS
from intempt_core.sandbox.storage.shared_feeds import rank_shared_feed
from intempt_core.sandbox.storage.store import SandboxStore

EpochClock = Callable[[], int]
"""Epoch milliseconds."""

INLINE_PARSE_BYTES = 100_000
"""Bytes of a body that the event loop reads itself (a few milliseconds); a larger one is read in a thread."""

CACHED_PARSE_BYTES = 50_000
"""Bytes of a body whose events are remembered until they are digested; those of a larger one take too much memory to
wait, and are read again.
"""

MAX_FAULT_DOCUMENT_BYTES = 100_000
"""Bytes of a fault document at the most."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Endpoints:
    """The endpoints, and what they need."""

    store: SandboxStore
    clock: EpochClock
    latency: float
    max_body_bytes: int
    injector: FaultInjector
    body_limiter: BodyLimiter

    async def track(self, received: ReceivedRequest) -> Response:
        """CONTRACT 1.1, 6.1, 6.3: take events. The answer leaves after they are committed."""
        said, late = await self._with_body(received, self._take)
        await delay_response(received.request.receive, self.latency + late)
        return said

    async def _take(self, received: ReceivedRequest) -> tuple[Response, float]:
        """Read and keep a track request; its answer, and how many seconds a fault holds that back."""
        body = received.body
        received.received_at = self.clock()
        number, events = await _run_parser(lambda: _parse_events(body, received.received_at), body)
        met, late = self.injector.draw_fault(received.path, number)
        status, said = (
            (201, json_response({}, 201))
            if met is None
            else build_fault_response(met, json_response({}, 201), received.request.receive)
        )
        stored = met is None or met.stores
        arrival = received.to_stored_request(
            status=status,
            fault="" if met is None else met.effect,
            stored=stored,
            deduplicates=self.injector.current.deduplicates,
            events=events,
        )
        if stored:
            await self.store.add(arrival)
        else:
            self.store.add_nowait(arrival)
        received.body = b""  # it is kept: an answer that is held back does not hold it
        return said, late

    async def consent(self, received: ReceivedRequest) -> Response:
        """CONTRACT 6.2: take a consent."""
        body = await self._read_object(received)
        check_consent(body)
        try:
            text = dump_json(body).decode()
        except RecursionError:
            raise build_depth_rejection() from None
        said, taken = await self._finish(received, json_response({}))
        if taken:
            place = (received.segment("org"), received.segment("project"))
            await asyncio.to_thread(self.store.add_consent, received.received_at, *place, text)
        return said

    async def feed(self, received: ReceivedRequest) -> Response:
        """CONTRACT 5.1, 5.2: what a feed shows for a person, or, of everybody's events, about (``trends.py``)."""
        body, feed = await self._read_object(received), received.segment("feed")
        question = parse_feed_query(feed, body)
        await self.store.catch_up()
        place = (received.segment("org"), received.segment("project"))
        if feed in SHARED_FEEDS:
            shown = await asyncio.to_thread(rank_shared_feed, self.store, place, feed, question.node, question.seed)
        else:
            shown = compute_feeds(await asyncio.to_thread(self.store.interactions, *place, question.node))[feed]
        said, _ = await self._finish(received, json_response({"products": question.products(shown)}))
        return said

    async def _finish(self, received: ReceivedRequest, response: Response) -> tuple[Response, bool]:
        """The answer of a request that brings no events, or that of the fault it meets; whether it is to be heeded."""
        met, late = self.injector.draw_fault(received.path)
        status: int | None = response.status_code
        if met is not None:
            status, response = build_fault_response(met, response, received.request.receive)
        self.store.add_nowait(
            received.to_stored_request(status=status, fault="" if met is None else met.effect, stored=False)
        )
        await delay_response(received.request.receive, self.latency + late)
        return response, met is None or met.stores

    def api(self, handle: Callable[[ReceivedRequest], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint of the API: what it refuses is kept too, with the reason."""

        async def endpoint(request: Request) -> Response:
            seen = ReceivedRequest(request, self.clock())
            try:
                return await handle(seen)
            except SandboxRejection as refusal:
                self.record_rejection(seen, refusal.status, str(refusal))
                raise

        return endpoint

    def record_rejection(self, received: ReceivedRequest, status: int, message: str) -> None:
        """Keep a request that was refused."""
        self.store.add_nowait(received.to_stored_request(status=status, message=message, stored=False))

    async def handle_http_exception(self, request: Request, error: Exception) -> Response:
        """404 and 405: a client that is pointed wrongly should see what it did."""
        said = handle_http_exception(request, error)
        seen = ReceivedRequest(request, self.clock())
        if not seen.path.startswith(SANDBOX_PATH_PREFIX):
            self.record_rejection(seen, said.status_code, "Nothing is served at this path, by this method.")
        return said

    async def events(self, request: Request) -> Response:
        """What has arrived, or, by DELETE, an empty sandbox."""
        check_key(request)
        if request.method == "DELETE":
            check_origin(request)
            await self.store.catch_up()
            return json_response({"deleted": await asyncio.to_thread(self.store.clear)})
        given = request.query_params
        wanted = EventListQuery(
            _read_number_parameter(request, "limit", 10_000),
            _read_number_parameter(request, "after", 0),
            given.get("name"),
            given.get("person"),
        )
        return await self._respond(lambda: list_received_events(self.store, wanted))

    async def live(self, request: Request) -> Response:
        """The last of what has arrived, whatever became of it, newest first."""
        check_key(request)
        given = request.query_params
        try:
            shown = LiveFilter(given.get("shown", LiveFilter.EVERYTHING))
        except ValueError:
            raise SandboxRejection(400, f"The parameter shown is none of {', '.join(LiveFilter)}.") from None
        limit = min(_read_number_parameter(request, "limit", 100), MAX_LIVE_ROWS)
        wanted = LiveQuery(limit, given.get("name") or None, shown, given.get("text", ""))
        return await self._respond(lambda: list_live_rows(self.store, wanted))

    async def request(self, request: Request) -> Response:
        """One request as it came."""
        check_key(request)
        text = request.path_params["number"]
        number = int(text) if text.isdecimal() and len(text) <= 15 else 0
        await self.store.catch_up()
        told = await asyncio.to_thread(read_kept_request, self.store, number)
        if told is None:
            raise SandboxRejection(
                404, f"No such request is kept. The last {KEPT_REQUESTS:,} are; of older ones, their events."
            )
        return Response(told, media_type="application/json")

    async def person(self, request: Request) -> Response:
        """What became of a person's events, and of the event ids asked about that were not processed why not."""
        question = parse_person_query(await self._read_object(ReceivedRequest(request, self.clock())))
        return await self._respond(lambda: list_person_events(self.store, question))

    async def consents(self, request: Request) -> Response:
        """The consents that have arrived."""
        check_key(request)
        return await self._respond(lambda: list_consents(self.store))

    async def fault_document(self, request: Request) -> Response:
        """The faults: told, set by PUT, cleared by DELETE."""
        check_key(request)
        if request.method == "PUT":
            check_origin(request)
            check_content_type(request)
            read_content_length(request, MAX_FAULT_DOCUMENT_BYTES)
            document = read_json_body(await read_body(request, MAX_FAULT_DOCUMENT_BYTES))
            try:
                self.injector.set(parse_fault_document(document))
            except FaultDocumentUnreadable as error:
                raise SandboxRejection(400, str(error)) from None
        elif request.method == "DELETE":
            check_origin(request)
            self.injector.set(FaultDocument())
        now = self.injector.current
        return json_response({**now.model_dump(), "sentence": now.sentence})

    async def openapi(self, request: Request) -> Response:
        """What this is, for machines. It needs no key: it holds nothing that was received."""
        return json_response(build_openapi(request.scope.get("root_path") or "/"))

    async def _respond(self, build: Callable[[], bytes]) -> Response:
        await self.store.catch_up()
        return Response(await asyncio.to_thread(build), media_type="application/json")

    async def _read_object(self, received: ReceivedRequest) -> dict[str, object]:
        async def read(seen: ReceivedRequest) -> dict[str, object]:
            return await _run_parser(lambda: read_object_body(seen.body), seen.body)

        return await self._with_body(received, read)

    async def _with_body(self, received: ReceivedRequest, then: Callable[[ReceivedRequest], Awaitable[_T]]) -> _T:
        """Do something with a body, as soon as there is room for it."""
        check_key(received.request)
        check_origin(received.request)
        check_content_type(received.request)
        size = read_content_length(received.request, self.max_body_bytes)
        if size is not None and size <= SMALL_BODY_BYTES:
            received.body = await read_body(received.request, self.max_body_bytes)
            return await then(received)
        async with self.body_limiter.slot():
            received.body = await self.body_limiter.read_in_time(read_body(received.request, self.max_body_bytes))
            return await then(received)


async def _run_parser(read: Callable[[], _T], body: bytes) -> _T:
    return read() if len(body) <= INLINE_PARSE_BYTES else await asyncio.to_thread(read)


def _parse_events(body: bytes, received_at: int) -> tuple[int, EventColumns | None]:
    """How many events a track request has, and they, where they are few enough to be remembered."""
    events = read_track(body, received_at)
    return events.event_count, events if len(body) <= CACHED_PARSE_BYTES else None


def _read_number_parameter(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isdecimal() or len(text) > 15:
        raise SandboxRejection(400, f"The parameter {name} is no whole number.")
    return int(text)


def create_sandbox_app(
    file: Path,
    *,
    latency_ms: int = 0,
    clock: EpochClock = now_ms,
    max_body_bytes: int = MAX_BODY_BYTES,
    middleware: list[Middleware] | None = None,
    injector: FaultInjector | None = None,
    body_limiter: BodyLimiter | None = None,
) -> Starlette:
    """A local Track API on the database ``file``, served at ``/`` or mounted anywhere.

    ``latency_ms`` is added to the answers of the API itself; ``clock`` gives epoch milliseconds; ``largest_body`` is
    in bytes. ``middleware`` stands before everything else. ``faults`` are what goes wrong on purpose, by default
    nothing; ``room`` is where large bodies wait. Nothing is opened before the first request;
    ``app.state.store.close()`` lets go of the file.
    """
    store = SandboxStore(file)
    sandbox = _Endpoints(
        store, clock, latency_ms / 1000, max_body_bytes, injector or FaultInjector(), body_limiter or BodyLimiter()
    )
    project = "/v1/{org}/projects/{project}"
    made = Starlette(
        routes=[
            Route(f"{project}/sources/{{source}}/track", sandbox.api(sandbox.track), methods=["POST"]),
            Route(f"{project}/track", sandbox.api(sandbox.track), methods=["POST"]),
            Route(f"{project}/feeds/{{feed}}/data", sandbox.api(sandbox.feed), methods=["POST"]),
            Route(f"{project}/consents/data", sandbox.api(sandbox.consent), methods=["POST"]),
            Route(SandboxPath.EVENTS, sandbox.events, methods=["GET", "DELETE"]),
            Route(SandboxPath.PERSON, sandbox.person, methods=["POST"]),
            Route(SandboxPath.CONSENTS, sandbox.consents, methods=["GET"]),
            Route(SandboxPath.LIVE, sandbox.live, methods=["GET"]),
            Route(f"{SandboxPath.REQUESTS}/{{number}}", sandbox.request, methods=["GET"]),
            Route("/openapi.json", sandbox.openapi, methods=["GET"]),
            Route(SandboxPath.FAULTS, sandbox.fault_document, methods=["GET", "PUT", "DELETE"]),
        ],
        middleware=[*(middleware or ()), Middleware(RawPathMiddleware)],
        exception_handlers={
            SandboxRejection: handle_rejection,
            SandboxStoreUnavailable: handle_store_unavailable,
            HTTPException: sandbox.handle_http_exception,
        },
    )
    made.router.redirect_slashes = False
    made.state.store = store
    return made
