"""The sandbox as a Starlette application: the paths of CONTRACT 1, 5 and 6, and its own API below ``/_sandbox/``."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
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
    VERDICT_HEADER,
    FaultDocument,
    Json,
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
from intempt_core.sandbox.http.event_queries import parse_event_query, parse_wait_seconds, read_number_parameter
from intempt_core.sandbox.http.fault_injector import FaultInjector
from intempt_core.sandbox.http.fault_responses import build_fault_response, delay_response
from intempt_core.sandbox.http.openapi import NeighbouringApi, build_openapi
from intempt_core.sandbox.http.queries import check_consent, parse_arrival_query, parse_feed_query, parse_person_query
from intempt_core.sandbox.http.received_request import ReceivedRequest
from intempt_core.sandbox.http.responses import (
    handle_http_exception,
    handle_rejection,
    handle_store_unavailable,
    json_response,
)
from intempt_core.sandbox.http.waiting import ArrivalSignal, EventWait
from intempt_core.sandbox.storage.fast_path import EventColumns
from intempt_core.sandbox.storage.listing import (
    find_awaited_events,
    list_arrivals,
    list_consents,
    list_instead,
    list_person_events,
    list_received_events,
)
from intempt_core.sandbox.storage.live import (
    MAX_LIVE_ROWS,
    LiveQuery,
    list_live_rows,
    read_kept_request,
)
from intempt_core.sandbox.storage.parser import build_depth_rejection, read_json_body, read_object_body, read_track
from intempt_core.sandbox.storage.person_arrivals import list_person_arrivals
from intempt_core.sandbox.storage.projection import KEPT_REQUESTS, KEPT_UNAUTHORIZED_REQUESTS
from intempt_core.sandbox.storage.shared_feeds import rank_shared_feed
from intempt_core.sandbox.storage.store import MAX_STORE_BYTES, SandboxStore

EpochClock = Callable[[], int]
"""Epoch milliseconds."""

INLINE_PARSE_BYTES = 100_000
"""Bytes of a body that is parsed in the event loop (a few milliseconds); a larger one is parsed in a thread."""

CACHED_PARSE_BYTES = 50_000
"""Bytes of a body whose parsed events are kept until they are projected; those of a larger one take too much memory,
and the body is parsed again.
"""

MAX_FAULTY_PROJECTS_LISTED = 50
"""Projects whose own faults are listed beside those of everything; all are counted."""

MAX_FAULT_DOCUMENT_BYTES = 100_000
"""Bytes of a fault document at the most."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Endpoints:
    """The endpoints, and what they work with."""

    store: SandboxStore
    clock: EpochClock
    latency: float
    max_body_bytes: int
    injector: FaultInjector
    body_limiter: BodyLimiter
    page_origins: Collection[str]
    arrival_signal: ArrivalSignal
    beside: NeighbouringApi

    async def track(self, received: ReceivedRequest) -> Response:
        """CONTRACT 1.1, 6.1, 6.3: take events. The response is sent after they are committed, and says in a header what
        became of them.
        """
        response, delay = await self._with_body(received, self._take)
        await delay_response(received.request.receive, self.latency + delay)
        return response

    async def _take(self, received: ReceivedRequest) -> tuple[Response, float]:
        """Parse and store a track request; its response, and by how many seconds a fault delays it."""
        body = received.body
        received.received_at = self.clock()
        count, events = await _run_parser(lambda: _parse_events(body, received.received_at), body)
        project = received.segment("project")
        fault, delay = self.injector.draw_fault(received.path, count, project=project)
        status: int | None = 201
        response = json_response({}, 201)
        if fault is not None:
            status, response = build_fault_response(fault, response, received.request.receive)
        stored = fault is None or fault.stores
        arrival = received.to_stored_request(
            status=status,
            fault="" if fault is None else fault.effect,
            stored=stored,
            deduplicates=self.injector.deduplicates(project),
            events=events,
        )
        if stored:
            verdict = await self.store.add(arrival)
            if fault is None and verdict is not None:
                response.headers[VERDICT_HEADER] = verdict.as_header
        else:
            self.store.add_nowait(arrival)
        self.arrival_signal.notify(project)
        received.body = b""  # it is stored: a response that is delayed does not keep it in memory
        return response, delay

    async def consent(self, received: ReceivedRequest) -> Response:
        """CONTRACT 6.2: take a consent."""
        body = await self._read_object(received)
        check_consent(body)
        try:
            text = dump_json(body).decode()
        except RecursionError:
            raise build_depth_rejection() from None
        response, stores = await self._finish(received, json_response({}))
        if stores:
            place = (received.segment("org"), received.segment("project"))
            await asyncio.to_thread(self.store.add_consent, received.received_at, *place, text)
        return response

    async def feed(self, received: ReceivedRequest) -> Response:
        """CONTRACT 5.1, 5.2: a feed of one person, or an approximation of one of all persons (``shared_feeds.py``)."""
        body, feed = await self._read_object(received), received.segment("feed")
        question = parse_feed_query(feed, body)
        await self.store.catch_up()
        place = (received.segment("org"), received.segment("project"))
        if feed in SHARED_FEEDS:
            shown = await asyncio.to_thread(rank_shared_feed, self.store, place, feed, question.node, question.seed)
        else:
            shown = compute_feeds(await asyncio.to_thread(self.store.interactions, *place, question.node))[feed]
        response, _ = await self._finish(received, json_response({"products": question.products(shown)}))
        return response

    async def _finish(self, received: ReceivedRequest, response: Response) -> tuple[Response, bool]:
        """The response to a request without events, or that of the fault it meets; whether the request takes effect."""
        fault, delay = self.injector.draw_fault(received.path, project=received.segment("project"))
        status: int | None = response.status_code
        if fault is not None:
            status, response = build_fault_response(fault, response, received.request.receive)
        effect = "" if fault is None else fault.effect
        self.store.add_nowait(received.to_stored_request(status=status, fault=effect, stored=False))
        await delay_response(received.request.receive, self.latency + delay)
        return response, fault is None or fault.stores

    def api(self, handle: Callable[[ReceivedRequest], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint of the API: a rejected request is kept too, with the reason."""

        async def endpoint(request: Request) -> Response:
            received = ReceivedRequest(request, self.clock())
            try:
                return await handle(received)
            except SandboxRejection as rejection:
                self.record_rejection(received, rejection.status, str(rejection))
                raise

        return endpoint

    def record_rejection(self, received: ReceivedRequest, status: int, message: str) -> None:
        """Keep a rejected request."""
        self.store.add_nowait(received.to_stored_request(status=status, message=message, stored=False))

    async def handle_http_exception(self, request: Request, error: Exception) -> Response:
        """404 and 405, kept too: a client with a wrong address should be able to see what it did."""
        response = handle_http_exception(request, error)
        received = ReceivedRequest(request, self.clock())
        with suppress(SandboxRejection):
            self._authorize(received)
        if not received.path.startswith(SANDBOX_PATH_PREFIX) and received.path not in self.beside.paths:
            self.record_rejection(received, response.status_code, "Nothing is served at this path, by this method.")
        return response

    async def events(self, request: Request) -> Response:
        """The events that arrived; by DELETE, empty the sandbox."""
        check_key(request)
        if request.method == "DELETE":
            check_origin(request, self.page_origins)
            await self.store.catch_up()
            return json_response({"deleted": await asyncio.to_thread(self.store.clear)})
        query = parse_event_query(request.query_params)
        return await self._respond(lambda: list_received_events(self.store, query))

    async def wait(self, request: Request) -> Response:
        """The events that the filters match, as soon as there is one; or what came instead."""
        check_key(request)
        query, seconds = parse_event_query(request.query_params), parse_wait_seconds(request.query_params)

        async def look() -> bytes | None:
            await self.store.catch_up()
            return await asyncio.to_thread(find_awaited_events, self.store, query)

        found = await EventWait(request, query.project, seconds, look).run(self.arrival_signal)
        if found is None:
            return await self._respond(lambda: list_instead(self.store, query))
        return Response(found, media_type="application/json")

    async def arrivals(self, request: Request) -> Response:
        """Which of some event ids arrived, when and by whom, and what became of each arrival."""
        check_key(request)
        given = request.query_params
        query = parse_arrival_query(given.getlist("ids"), given.get("org"), given.get("project"))
        return await self._respond(lambda: list_arrivals(self.store, query))

    async def live(self, request: Request) -> Response:
        """The last events and requests, newest first, rejected ones too."""
        check_key(request)
        given = request.query_params
        try:
            shown = LiveFilter(given.get("shown", LiveFilter.EVERYTHING))
        except ValueError:
            raise SandboxRejection(400, f"The parameter shown is none of {', '.join(LiveFilter)}.") from None
        limit = min(read_number_parameter(given, "limit", 100), MAX_LIVE_ROWS)
        query = LiveQuery(
            limit, given.get("name") or None, shown, given.get("text", ""), given.get("hidden_reader", "")
        )
        return await self._respond(lambda: list_live_rows(self.store, query))

    async def request(self, request: Request) -> Response:
        """One request as it came."""
        check_key(request)
        text = request.path_params["number"]
        number = int(text) if text.isdecimal() and len(text) <= 15 else 0
        await self.store.catch_up()
        found = await asyncio.to_thread(read_kept_request, self.store, number)
        if found is None:
            raise SandboxRejection(
                404,
                f"No such request is kept. The last {KEPT_REQUESTS:,} with the key are, and the last"
                f" {KEPT_UNAUTHORIZED_REQUESTS:,} without it; of older ones, their events.",
            )
        return Response(found, media_type="application/json")

    async def person(self, request: Request) -> Response:
        """A person's processed events, and why events of other ids that are asked about were not processed; or every
        event of the person that arrived.
        """
        question = parse_person_query(await self._read_object(ReceivedRequest(request, self.clock())))
        build = list_person_arrivals if question.arrivals else list_person_events
        return await self._respond(lambda: build(self.store, question))

    async def consents(self, request: Request) -> Response:
        """The consents that arrived."""
        check_key(request)
        return await self._respond(lambda: list_consents(self.store))

    async def fault_document(self, request: Request) -> Response:
        """The simulated failures, of a project or of all: read, set by PUT, cleared by DELETE."""
        check_key(request)
        project = request.query_params.get("project")
        if request.method == "PUT":
            check_origin(request, self.page_origins)
            check_content_type(request)
            read_content_length(request, MAX_FAULT_DOCUMENT_BYTES)
            document = read_json_body(await read_body(request, MAX_FAULT_DOCUMENT_BYTES))
            try:
                self.injector.set(parse_fault_document(document), project)
            except FaultDocumentUnreadable as error:
                raise SandboxRejection(400, str(error)) from None
        elif request.method == "DELETE":
            check_origin(request, self.page_origins)
            self.injector.set(FaultDocument(), project)
        now = _describe_faults(self.injector.read_current(project))
        if project is None:
            projects = self.injector.read_projects()
            listed = itertools.islice(projects.items(), MAX_FAULTY_PROJECTS_LISTED)
            now["projects"] = [{"project": name, **_describe_faults(faults)} for name, faults in listed]
            now["project_count"] = len(projects)
        return json_response(now)

    async def openapi(self, request: Request) -> Response:
        """The OpenAPI document. It needs no key: nothing that was received is in it."""
        return json_response(build_openapi(request.scope.get("root_path") or "/", self.beside))

    async def _respond(self, build: Callable[[], bytes]) -> Response:
        await self.store.catch_up()
        return Response(await asyncio.to_thread(build), media_type="application/json")

    async def _read_object(self, received: ReceivedRequest) -> dict[str, object]:
        async def read(with_body: ReceivedRequest) -> dict[str, object]:
            return await _run_parser(lambda: read_object_body(with_body.body), with_body.body)

        return await self._with_body(received, read)

    def _authorize(self, received: ReceivedRequest) -> None:
        """Check the key and the origin. Raises :class:`SandboxRejection`."""
        check_key(received.request)
        check_origin(received.request, self.page_origins)
        received.authorized = True

    async def _with_body(self, received: ReceivedRequest, then: Callable[[ReceivedRequest], Awaitable[_T]]) -> _T:
        """Check a request, read its body as soon as memory allows, and go on with it."""
        self._authorize(received)
        check_content_type(received.request)
        size = read_content_length(received.request, self.max_body_bytes)
        if size is not None and size <= SMALL_BODY_BYTES:
            received.body = await self.body_limiter.read_in_time(read_body(received.request, self.max_body_bytes))
            return await then(received)
        async with self.body_limiter.hold() as held:
            whole = read_body(received.request, self.max_body_bytes, held.admit)
            received.body = await held.read_in_time(whole)
            async with self.body_limiter.slot():
                return await then(received)


async def _run_parser(read: Callable[[], _T], body: bytes) -> _T:
    return read() if len(body) <= INLINE_PARSE_BYTES else await asyncio.to_thread(read)


def _parse_events(body: bytes, received_at: int) -> tuple[int, EventColumns | None]:
    """How many events a track request has, and the events, where they are small enough to be kept."""
    events = read_track(body, received_at)
    return events.event_count, events if len(body) <= CACHED_PARSE_BYTES else None


def _describe_faults(faults: FaultDocument) -> dict[str, Json]:
    return {**faults.model_dump(), "sentence": faults.sentence}


def create_sandbox_app(
    file: Path,
    *,
    latency_ms: int = 0,
    clock: EpochClock = now_ms,
    max_body_bytes: int = MAX_BODY_BYTES,
    middleware: list[Middleware] | None = None,
    injector: FaultInjector | None = None,
    body_limiter: BodyLimiter | None = None,
    page_origins: Collection[str] = (),
    max_store_bytes: int = MAX_STORE_BYTES,
    arrival_signal: ArrivalSignal | None = None,
    beside: NeighbouringApi | None = None,
) -> Starlette:
    """Create a local Track API on the database ``file``, to be served at ``/`` or mounted anywhere.

    ``latency_ms`` is added to the responses of the Track and feed API; ``clock`` gives epoch milliseconds;
    ``max_body_bytes`` is in bytes. ``middleware`` comes before everything else. ``injector`` has the simulated
    failures, by default none; ``body_limiter`` holds large bodies back. Pages of ``page_origins`` may write, beside
    those of its own; whether browsers let them is for a middleware to say. ``max_store_bytes`` bounds the file and its
    log, ``arrival_signal`` how many requests wait for events, and how long; ``beside`` is what else is served, and
    stands in its OpenAPI document. The file is opened by the first request and closed by ``app.state.store.close()``.
    """
    store = SandboxStore(file, max_store_bytes)
    sandbox = _Endpoints(
        store,
        clock,
        latency_ms / 1000,
        max_body_bytes,
        injector or FaultInjector(),
        body_limiter or BodyLimiter(),
        page_origins,
        arrival_signal or ArrivalSignal(),
        beside or NeighbouringApi(),
    )
    project = "/v1/{org}/projects/{project}"
    made = Starlette(
        routes=[
            Route(f"{project}/sources/{{source}}/track", sandbox.api(sandbox.track), methods=["POST"]),
            Route(f"{project}/track", sandbox.api(sandbox.track), methods=["POST"]),
            Route(f"{project}/feeds/{{feed}}/data", sandbox.api(sandbox.feed), methods=["POST"]),
            Route(f"{project}/consents/data", sandbox.api(sandbox.consent), methods=["POST"]),
            Route(SandboxPath.EVENTS, sandbox.events, methods=["GET", "DELETE"]),
            Route(SandboxPath.WAIT, sandbox.wait, methods=["GET"]),
            Route(SandboxPath.ARRIVALS, sandbox.arrivals, methods=["GET"]),
            Route(SandboxPath.PERSON, sandbox.person, methods=["POST"]),
            Route(SandboxPath.CONSENTS, sandbox.consents, methods=["GET"]),
            Route(SandboxPath.LIVE, sandbox.live, methods=["GET"]),
            Route(f"{SandboxPath.REQUESTS}/{{number}}", sandbox.request, methods=["GET"]),
            Route("/openapi.json", sandbox.openapi, methods=["GET"]),
            Route(SandboxPath.FAULTS, sandbox.fault_document, methods=["GET", "PUT", "DELETE"]),
            *sandbox.beside.routes,
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
