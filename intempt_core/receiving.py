"""The door through which a browser's tab brings a file: ``PUT`` with a token of its own, streamed into the spool.

The server's own checks do not reach a route of ours, so this one makes its own: a token that nobody can guess, the
origin of the console itself, a content type that no form can send. Another site's page has none of the three.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from threading import Lock
from urllib.parse import unquote, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from intempt_core.errors import SpoolError, SpoolTooLarge
from intempt_core.spool import Incoming, Spool, Spooled

PATH = "/_upload"
TOKEN, NAME = "X-Upload-Token", "X-File-Name"
CONTENT_TYPE = "application/octet-stream"

PIECE = 1_048_576
"""Bytes that go to the disk at a time."""

MOST_DOORS = 10_000
"""Tabs that may bring files; of more the one that has been silent longest is forgotten."""

LONGEST_NAME = 200


class Doors:
    """The tokens under which tabs bring files, and what has come in under each and was not taken yet."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self._lock = Lock()
        self._arrived: OrderedDict[str, list[Spooled]] = OrderedDict()

    def open(self) -> str:
        """A new door: its token, which only one tab ever sees."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._arrived[token] = []
            if len(self._arrived) > MOST_DOORS:
                self._arrived.popitem(last=False)
        return token

    def is_open(self, token: str) -> bool:
        """Whether a token is one of ours."""
        with self._lock:
            if token in self._arrived:
                self._arrived.move_to_end(token)
            return token in self._arrived

    def arrive(self, token: str, file: Spooled) -> None:
        """A file has come in whole."""
        with self._lock:
            self._arrived.setdefault(token, []).append(file)

    def take(self, token: str) -> Spooled | None:
        """The newest file that has come in under a token and was not taken; it is taken now, with all before it."""
        with self._lock:
            arrived = self._arrived.get(token) or []
            newest = arrived[-1] if arrived else None
            arrived.clear()
        return newest


def route(doors: Callable[[], Doors]) -> Route:
    """``PUT`` :data:`PATH`. 201 ``{"digest", "size"}``, or ``{"error": sentence}``.

    400 no name · 403 origin or token · 413 too large · 415 content type · 507 no room on the disk.
    """

    async def put(request: Request) -> JSONResponse:
        return await _put(request, doors())

    return Route(PATH, put, methods=["PUT"])


async def _put(request: Request, doors: Doors) -> JSONResponse:
    token, name = request.headers.get(TOKEN, ""), file_name(request.headers.get(NAME, ""))
    if refusal := _refusal(request, name, known=doors.is_open(token)):
        return refusal
    announced = request.headers.get("content-length", "")
    try:
        receiving = doors.spool.receiving(name, int(announced) if announced.isdigit() else 0)
        incoming = await asyncio.to_thread(receiving.__enter__)
        try:
            await _stream(request, incoming)
        except BaseException as error:  # a tab that is closed, a server that stops: whatever it is, nothing may stay
            if not receiving.__exit__(type(error), error, error.__traceback__):
                raise
        else:
            await asyncio.to_thread(partial(receiving.__exit__, None, None, None))
    except SpoolTooLarge as error:
        return _no(413, str(error))
    except SpoolError as error:
        return _no(507, str(error))
    except ClientDisconnect:
        return _no(400, "The upload broke off.")
    doors.arrive(token, incoming.spooled)
    return JSONResponse({"digest": incoming.spooled.digest, "size": incoming.size}, 201)


def _refusal(request: Request, name: str, *, known: bool) -> JSONResponse | None:
    """What is wrong with a request before its body is looked at."""
    if urlsplit(request.headers.get("origin", "")).netloc != request.headers.get("host"):
        return _no(403, "Files are taken from the console's own page only.")
    if not known:
        return _no(403, "The console was started anew since this page was opened. Reload the page, then drop the file.")
    if request.headers.get("content-type") != CONTENT_TYPE:
        return _no(415, f"A file is sent as {CONTENT_TYPE}.")
    return None if name else _no(400, f"A file has a name, in the header {NAME}.")


async def _stream(request: Request, incoming: Incoming) -> None:
    held = bytearray()
    async for chunk in request.stream():
        held += chunk
        if len(held) >= PIECE:
            await asyncio.to_thread(incoming.write, bytes(held))
            held.clear()
    await asyncio.to_thread(incoming.write, bytes(held))


def file_name(given: str) -> str:
    """The label in a header's percent-encoded name: what stands behind the last slash of either kind, not too long."""
    name = unquote(given).replace("\\", "/").rpartition("/")[2].strip()
    return name if len(name) <= LONGEST_NAME else f"…{name[-LONGEST_NAME:]}"


def _no(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence}, status)
