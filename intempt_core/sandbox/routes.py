"""The sandbox as a Starlette application: the paths of CONTRACT 1, 5 and 6, and what it tells about itself."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from intempt_core.events import dumps, now_ms
from intempt_core.feeds import feeds_of
from intempt_core.sandbox import listing
from intempt_core.sandbox.answers import Refused, StoreUnavailable, answer, no_route, refused, unavailable
from intempt_core.sandbox.asking import check_consent, feed_question
from intempt_core.sandbox.guards import LARGEST_BODY, WholeSegments, check_json, check_key, check_origin, read_body
from intempt_core.sandbox.reading import read_object, read_track, too_deep
from intempt_core.sandbox.store import Arrival, Store

Clock = Callable[[], int]
"""Epoch milliseconds."""

READ_HERE = 100_000
"""Bytes of a body that the event loop reads itself (a few milliseconds); a larger one is read in a thread."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Sandbox:
    """The endpoints, and what they need."""

    store: Store
    clock: Clock
    latency: float
    largest_body: int

    async def track(self, request: Request) -> Response:
        """CONTRACT 1.1, 6.1, 6.3: take events. The answer leaves after they are committed."""
        body = await self._body(request)
        received_at = self.clock()
        await _read(lambda: read_track(body, received_at), body)
        client = request.headers.get("x-intempt-lib") or request.headers.get("user-agent", "")
        place = (_segment(request, "org"), _segment(request, "project"), _segment(request, "source"))
        await self.store.add(Arrival(received_at, *place, client, body))
        await asyncio.sleep(self.latency)
        return answer({}, 201)

    async def consent(self, request: Request) -> Response:
        """CONTRACT 6.2: take a consent."""
        body = await self._object(request)
        check_consent(body)
        place = (_segment(request, "org"), _segment(request, "project"))
        try:
            text = dumps(body).decode()
        except RecursionError:
            raise too_deep() from None
        await asyncio.to_thread(self.store.add_consent, self.clock(), *place, text)
        await asyncio.sleep(self.latency)
        return answer({})

    async def feed(self, request: Request) -> Response:
        """CONTRACT 5.1, 5.2: what a feed shows for a person."""
        body, feed = await self._object(request), _segment(request, "feed")
        question = feed_question(feed, body)
        place = (_segment(request, "org"), _segment(request, "project"))
        await self.store.settle()
        done = await asyncio.to_thread(self.store.interactions, *place, question.node)
        await asyncio.sleep(self.latency)
        return answer({"products": question.products(feeds_of(done)[feed])})

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
        await self.store.settle()
        told = await asyncio.to_thread(listing.events, self.store, wanted)
        return Response(told, media_type="application/json")

    async def consents(self, request: Request) -> Response:
        """The consents that have arrived."""
        check_key(request)
        return Response(await asyncio.to_thread(listing.consents, self.store), media_type="application/json")

    async def _object(self, request: Request) -> dict[str, object]:
        body = await self._body(request)
        return await _read(lambda: read_object(body), body)

    async def _body(self, request: Request) -> bytes:
        check_key(request)
        check_origin(request)
        check_json(request)
        return await read_body(request, self.largest_body)


async def _read(read: Callable[[], _T], body: bytes) -> _T:
    return read() if len(body) <= READ_HERE else await asyncio.to_thread(read)


def _segment(request: Request, name: str) -> str:
    """A path segment as it was meant (CONTRACT 1.2); empty where the path has none of that name (CONTRACT 6.3)."""
    return unquote(request.path_params.get(name, ""))


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
) -> Starlette:
    """A local Track API on the database ``file``, served at ``/`` or mounted anywhere.

    ``latency_ms`` is added to the answers of the API itself; ``clock`` gives epoch milliseconds; ``largest_body`` is
    in bytes. ``middleware`` stands before everything else. Nothing is opened before the first request;
    ``app.state.store.close()`` lets go of the file.
    """
    store = Store(file)
    sandbox = _Sandbox(store, clock, latency_ms / 1000, largest_body)
    project = "/v1/{org}/projects/{project}"
    made = Starlette(
        routes=[
            Route(f"{project}/sources/{{source}}/track", sandbox.track, methods=["POST"]),
            Route(f"{project}/track", sandbox.track, methods=["POST"]),
            Route(f"{project}/feeds/{{feed}}/data", sandbox.feed, methods=["POST"]),
            Route(f"{project}/consents/data", sandbox.consent, methods=["POST"]),
            Route("/_sandbox/events", sandbox.events, methods=["GET", "DELETE"]),
            Route("/_sandbox/consents", sandbox.consents, methods=["GET"]),
        ],
        middleware=[*(middleware or ()), Middleware(WholeSegments)],
        exception_handlers={Refused: refused, StoreUnavailable: unavailable, HTTPException: no_route},
    )
    made.router.redirect_slashes = False
    made.state.store = store
    return made
