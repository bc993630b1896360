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

from intempt_core.events import dump_json, now_ms
from intempt_core.feeds import SHARED_FEEDS, compute_feeds
from intempt_core.sandbox import listing, live
from intempt_core.sandbox.answers import Refused, StoreUnavailable, answer, no_route, refused, unavailable
from intempt_core.sandbox.asking import check_consent, feed_question, person_question
from intempt_core.sandbox.digest import KEPT
from intempt_core.sandbox.endings import ending, wait
from intempt_core.sandbox.faults import Desk, Faults, FaultsUnreadable, faults_of
from intempt_core.sandbox.glance import Events
from intempt_core.sandbox.guards import (
    LARGEST_BODY,
    WholeSegments,
    check_json,
    check_key,
    check_origin,
    read_body,
    said_size,
)
from intempt_core.sandbox.openapi import document
from intempt_core.sandbox.reading import read_json, read_object, read_track, too_deep
from intempt_core.sandbox.room import SMALL, Room
from intempt_core.sandbox.seen import Seen
from intempt_core.sandbox.store import Store
from intempt_core.sandbox.trends import trend

Clock = Callable[[], int]
"""Epoch milliseconds."""

READ_HERE = 100_000
"""Bytes of a body that the event loop reads itself (a few milliseconds); a larger one is read in a thread."""

READ_ONCE = 50_000
"""Bytes of a body whose events are remembered until they are digested; those of a larger one take too much memory to
wait, and are read again.
"""

LARGEST_FAULTS = 100_000
"""Bytes of a fault document at the most."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Sandbox:
    """The endpoints, and what they need."""

    store: Store
    clock: Clock
    latency: float
    largest_body: int
    faults: Desk
    room: Room

    async def track(self, seen: Seen) -> Response:
        """CONTRACT 1.1, 6.1, 6.3: take events. The answer leaves after they are committed."""
        said, late = await self._with_body(seen, self._take)
        await wait(seen.request.receive, self.latency + late)
        return said

    async def _take(self, seen: Seen) -> tuple[Response, float]:
        """Read and keep a track request; its answer, and how many seconds a fault holds that back."""
        body = seen.body
        seen.received_at = self.clock()
        number, events = await _read(lambda: _events(body, seen.received_at), body)
        met, late = self.faults.met(seen.path, number)
        status, said = (201, answer({}, 201)) if met is None else ending(met, answer({}, 201), seen.request.receive)
        taken = met is None or met.stores
        arrival = seen.arrival(
            status=status,
            fault="" if met is None else met.words,
            taken=taken,
            deduplicates=self.faults.now.deduplicates,
            events=events,
        )
        if taken:
            await self.store.add(arrival)
        else:
            self.store.note(arrival)
        seen.body = b""  # it is kept: an answer that is held back does not hold it
        return said, late

    async def consent(self, seen: Seen) -> Response:
        """CONTRACT 6.2: take a consent."""
        body = await self._object(seen)
        check_consent(body)
        try:
            text = dump_json(body).decode()
        except RecursionError:
            raise too_deep() from None
        said, taken = await self._ended(seen, answer({}))
        if taken:
            place = (seen.segment("org"), seen.segment("project"))
            await asyncio.to_thread(self.store.add_consent, seen.received_at, *place, text)
        return said

    async def feed(self, seen: Seen) -> Response:
        """CONTRACT 5.1, 5.2: what a feed shows for a person, or, of everybody's events, about (``trends.py``)."""
        body, feed = await self._object(seen), seen.segment("feed")
        question = feed_question(feed, body)
        await self.store.settle()
        place = (seen.segment("org"), seen.segment("project"))
        if feed in SHARED_FEEDS:
            shown = await asyncio.to_thread(trend, self.store, place, feed, question.node, question.seed)
        else:
            shown = compute_feeds(await asyncio.to_thread(self.store.interactions, *place, question.node))[feed]
        said, _ = await self._ended(seen, answer({"products": question.products(shown)}))
        return said

    async def _ended(self, seen: Seen, said: Response) -> tuple[Response, bool]:
        """The answer of a request that brings no events, or that of the fault it meets; whether it is to be heeded."""
        met, late = self.faults.met(seen.path)
        status: int | None = said.status_code
        if met is not None:
            status, said = ending(met, said, seen.request.receive)
        self.store.note(seen.arrival(status=status, fault="" if met is None else met.words, taken=False))
        await wait(seen.request.receive, self.latency + late)
        return said, met is None or met.stores

    def api(self, handle: Callable[[Seen], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint of the API: what it refuses is kept too, with the reason."""

        async def endpoint(request: Request) -> Response:
            seen = Seen(request, self.clock())
            try:
                return await handle(seen)
            except Refused as refusal:
                self.refuse(seen, refusal.status, str(refusal))
                raise

        return endpoint

    def refuse(self, seen: Seen, status: int, told: str) -> None:
        """Keep a request that was refused."""
        self.store.note(seen.arrival(status=status, told=told, taken=False))

    async def no_route(self, request: Request, error: Exception) -> Response:
        """404 and 405: a client that is pointed wrongly should see what it did."""
        said = no_route(request, error)
        seen = Seen(request, self.clock())
        if not seen.path.startswith("/_sandbox/"):
            self.refuse(seen, said.status_code, "Nothing is served at this path, by this method.")
        return said

    async def events(self, request: Request) -> Response:
        """What has arrived, or, by DELETE, an empty sandbox."""
        check_key(request)
        if request.method == "DELETE":
            check_origin(request)
            await self.store.settle()
            return answer({"deleted": await asyncio.to_thread(self.store.clear)})
        given = request.query_params
        wanted = listing.Wanted(
            _number(request, "limit", 10_000), _number(request, "after", 0), given.get("name"), given.get("person")
        )
        return await self._told(lambda: listing.events(self.store, wanted))

    async def live(self, request: Request) -> Response:
        """The last of what has arrived, whatever became of it, newest first."""
        check_key(request)
        given = request.query_params
        shown = given.get("shown", live.EVERYTHING)
        if shown not in live.SHOWN:
            raise Refused(400, f"The parameter shown is none of {', '.join(live.SHOWN)}.")
        limit = min(_number(request, "limit", 100), live.MOST)
        wanted = live.Wanted(limit, given.get("name") or None, shown, given.get("text", ""))
        return await self._told(lambda: live.rows(self.store, wanted))

    async def request(self, request: Request) -> Response:
        """One request as it came."""
        check_key(request)
        text = request.path_params["number"]
        number = int(text) if text.isdecimal() and len(text) <= 15 else 0
        await self.store.settle()
        told = await asyncio.to_thread(live.request, self.store, number)
        if told is None:
            raise Refused(404, f"No such request is kept. The last {KEPT:,} are; of older ones, their events.")
        return Response(told, media_type="application/json")

    async def person(self, request: Request) -> Response:
        """What became of a person's events, and of the event ids asked about that were not processed why not."""
        question = person_question(await self._object(Seen(request, self.clock())))
        return await self._told(lambda: listing.person(self.store, question))

    async def consents(self, request: Request) -> Response:
        """The consents that have arrived."""
        check_key(request)
        return await self._told(lambda: listing.consents(self.store))

    async def fault_document(self, request: Request) -> Response:
        """The faults: told, set by PUT, cleared by DELETE."""
        check_key(request)
        if request.method == "PUT":
            check_origin(request)
            check_json(request)
            said_size(request, LARGEST_FAULTS)
            document = read_json(await read_body(request, LARGEST_FAULTS))
            try:
                self.faults.set(faults_of(document))
            except FaultsUnreadable as error:
                raise Refused(400, str(error)) from None
        elif request.method == "DELETE":
            check_origin(request)
            self.faults.set(Faults())
        now = self.faults.now
        return answer({**now.model_dump(), "sentence": now.sentence})

    async def openapi(self, request: Request) -> Response:
        """What this is, for machines. It needs no key: it holds nothing that was received."""
        return answer(document(request.scope.get("root_path") or "/"))

    async def _told(self, tell: Callable[[], bytes]) -> Response:
        await self.store.settle()
        return Response(await asyncio.to_thread(tell), media_type="application/json")

    async def _object(self, seen: Seen) -> dict[str, object]:
        async def read(seen: Seen) -> dict[str, object]:
            return await _read(lambda: read_object(seen.body), seen.body)

        return await self._with_body(seen, read)

    async def _with_body(self, seen: Seen, then: Callable[[Seen], Awaitable[_T]]) -> _T:
        """Do something with a body, as soon as there is room for it."""
        check_key(seen.request)
        check_origin(seen.request)
        check_json(seen.request)
        size = said_size(seen.request, self.largest_body)
        if size is not None and size <= SMALL:
            seen.body = await read_body(seen.request, self.largest_body)
            return await then(seen)
        async with self.room.place():
            seen.body = await self.room.in_time(read_body(seen.request, self.largest_body))
            return await then(seen)


async def _read(read: Callable[[], _T], body: bytes) -> _T:
    return read() if len(body) <= READ_HERE else await asyncio.to_thread(read)


def _events(body: bytes, received_at: int) -> tuple[int, Events | None]:
    """How many events a track request has, and they, where they are few enough to be remembered."""
    events = read_track(body, received_at)
    return events.number, events if len(body) <= READ_ONCE else None


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isdecimal() or len(text) > 15:
        raise Refused(400, f"The parameter {name} is no whole number.")
    return int(text)


def app(
    file: Path,
    *,
    latency_ms: int = 0,
    clock: Clock = now_ms,
    largest_body: int = LARGEST_BODY,
    middleware: list[Middleware] | None = None,
    faults: Desk | None = None,
    room: Room | None = None,
) -> Starlette:
    """A local Track API on the database ``file``, served at ``/`` or mounted anywhere.

    ``latency_ms`` is added to the answers of the API itself; ``clock`` gives epoch milliseconds; ``largest_body`` is
    in bytes. ``middleware`` stands before everything else. ``faults`` are what goes wrong on purpose, by default
    nothing; ``room`` is where large bodies wait. Nothing is opened before the first request;
    ``app.state.store.close()`` lets go of the file.
    """
    store = Store(file)
    sandbox = _Sandbox(store, clock, latency_ms / 1000, largest_body, faults or Desk(), room or Room())
    project = "/v1/{org}/projects/{project}"
    made = Starlette(
        routes=[
            Route(f"{project}/sources/{{source}}/track", sandbox.api(sandbox.track), methods=["POST"]),
            Route(f"{project}/track", sandbox.api(sandbox.track), methods=["POST"]),
            Route(f"{project}/feeds/{{feed}}/data", sandbox.api(sandbox.feed), methods=["POST"]),
            Route(f"{project}/consents/data", sandbox.api(sandbox.consent), methods=["POST"]),
            Route("/_sandbox/events", sandbox.events, methods=["GET", "DELETE"]),
            Route("/_sandbox/person", sandbox.person, methods=["POST"]),
            Route("/_sandbox/consents", sandbox.consents, methods=["GET"]),
            Route("/_sandbox/live", sandbox.live, methods=["GET"]),
            Route("/_sandbox/requests/{number}", sandbox.request, methods=["GET"]),
            Route("/openapi.json", sandbox.openapi, methods=["GET"]),
            Route("/_sandbox/faults", sandbox.fault_document, methods=["GET", "PUT", "DELETE"]),
        ],
        middleware=[*(middleware or ()), Middleware(WholeSegments)],
        exception_handlers={Refused: refused, StoreUnavailable: unavailable, HTTPException: sandbox.no_route},
    )
    made.router.redirect_slashes = False
    made.state.store = store
    return made
