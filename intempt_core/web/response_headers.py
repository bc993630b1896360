"""The headers of every response: what a browser may do with it, and what it may keep of it.

Streamlit sets none of them. This stands before everything else, so that the files of the frontend, rejections, errors
and the routes of this console all carry them.
"""

import zlib
from collections.abc import Collection
from enum import Enum, auto

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from intempt_core.web.frontend_page import FrontendPage

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What every response carries, unless it says something else itself."""

DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The content security policy of whatever is not the page: opened as one, it loads and runs nothing."""

_GZIP = 16 + zlib.MAX_WBITS
"""How zlib is told that it reads gzip."""


class ResponseHeaders:
    """Middleware that adds :data:`HEADERS`, a content security policy and ``no-store`` to every response.

    ``page``, where there is one, is sent as :class:`FrontendPage` has it, with its policy; everything else has its own
    policy or :data:`DATA_POLICY`. What lies below ``public_paths`` are files of the program, the same for everybody:
    these alone may be kept. An error that nothing has answered becomes a 500 here, and a socket that is not accepted a
    403, so that these carry the headers too.
    """

    def __init__(self, app: ASGIApp, page: FrontendPage | None = None, *, public_paths: Collection[str] = ()) -> None:
        self.app = app
        self._page = page
        self._public_paths = tuple(public_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or one socket."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        sender = _Sender(scope, send, self._page, is_public=scope["path"].startswith(self._public_paths))
        try:
            await self.app(scope, receive, sender.send)
        except Exception:
            if scope["type"] == "http" and not sender.has_begun:
                await PlainTextResponse("Internal Server Error\n", 500)(scope, receive, sender.send)
            raise  # what stands around this logs it


class _State(Enum):
    """How far a response is."""

    NOT_BEGUN = auto()
    PERHAPS_PAGE = auto()
    BEGUN = auto()


class _Sender:
    """Sends the messages of one response or socket, with the headers added.

    A response that may be the page waits until its body is there, which is some thousand bytes.
    """

    def __init__(self, scope: Scope, send: Send, page: FrontendPage | None, *, is_public: bool) -> None:
        self._scope, self._send, self._page, self._is_public = scope, send, page, is_public
        self._state = _State.NOT_BEGUN
        self._start: Message = {}
        self._body = bytearray()

    @property
    def has_begun(self) -> bool:
        """Whether a response can no longer become another one."""
        return self._state is not _State.NOT_BEGUN

    async def send(self, message: Message) -> None:
        """Send one message of the application."""
        kind = message["type"]
        if kind == "websocket.close" and self._can_deny:
            await self._deny()
        elif kind == "http.response.start" and self._page is not None and _may_be_page(message):
            self._state, self._start = _State.PERHAPS_PAGE, message
        elif kind in ("http.response.start", "websocket.http.response.start"):
            self._state = _State.BEGUN
            await self._send(self._add_headers(message))
        elif self._state is _State.PERHAPS_PAGE and self._page is not None:
            await self._collect(message, self._page)
        else:
            self._state = _State.BEGUN
            await self._send(message)

    @property
    def _can_deny(self) -> bool:
        extensions = self._scope.get("extensions") or {}
        return self._state is _State.NOT_BEGUN and "websocket.http.response" in extensions

    async def _deny(self) -> None:
        """Answer a handshake with 403 as the server does, but by a response that can carry headers."""
        body = b"Forbidden\n"
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
        await self.send({"type": "websocket.http.response.start", "status": 403, "headers": headers})
        await self.send({"type": "websocket.http.response.body", "body": body})

    async def _collect(self, message: Message, page: FrontendPage) -> None:
        self._body += message.get("body", b"")
        more = message.get("more_body", False)
        if more and len(self._body) <= len(page.original):
            return
        self._state = _State.BEGUN
        headers = MutableHeaders(raw=[*self._start.get("headers", ())])
        is_head = self._scope.get("method") == "HEAD"
        if more or not (
            _may_have_length(headers, page) if is_head else self._read_body(headers, page) == page.original
        ):
            await self._send(self._add_headers(self._start))
            await self._send({**message, "body": bytes(self._body)})
            return
        nonce = page.make_nonce()
        body = page.render(nonce)
        for name in ("Content-Encoding", "ETag", "Last-Modified", "Accept-Ranges"):  # these are of the file
            del headers[name]
        headers["Content-Length"] = str(len(body))
        start = {**self._start, "headers": headers.raw}
        await self._send(self._add_headers(start, page.describe_policy(nonce)))
        await self._send({"type": "http.response.body", "body": b"" if is_head else body})

    def _read_body(self, headers: Headers, page: FrontendPage) -> bytes:
        """The body as it was before it was compressed, of which no more is read than can be the page."""
        if "content-encoding" not in headers:
            return bytes(self._body)
        try:
            return zlib.decompressobj(wbits=_GZIP).decompress(bytes(self._body), len(page.original) + 1)
        except zlib.error:
            return b""

    def _add_headers(self, start: Message, policy: str = "") -> Message:
        headers = MutableHeaders(raw=[*start.get("headers", ())])
        for name, content in HEADERS.items():
            headers.setdefault(name, content)
        headers.setdefault("Content-Security-Policy", policy or DATA_POLICY)
        if policy or not self._is_public or start["status"] >= 400:
            headers["Cache-Control"] = "no-store"
        return {**start, "headers": headers.raw}


def _may_be_page(start: Message) -> bool:
    headers = Headers(raw=start.get("headers", ()))
    return (
        start["status"] == 200
        and headers.get("content-type", "").partition(";")[0].strip().lower() == "text/html"
        and headers.get("content-encoding", "gzip") == "gzip"
    )


def _may_have_length(headers: Headers, page: FrontendPage) -> bool:
    """Whether a response without a body may be about the page."""
    size = str(len(page.original))
    return "content-encoding" in headers or headers.get("content-length", size) == size
