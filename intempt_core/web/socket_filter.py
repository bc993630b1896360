"""The filter of the web socket: only messages that a screen needs reach the application.

One message of another kind (``clear_cache``) can take the application apart for everybody, and a frame that is no
message at all belongs to no browser that shows our screens. The application behind does not see either.
"""

import logging
from collections.abc import Callable, Collection
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from intempt_core.logs import write_log

PROTOCOL_ERROR, UNSUPPORTED_DATA, TOO_BIG = 1002, 1003, 1009
"""Close codes of RFC 6455: a frame that cannot be parsed, a text frame, a frame that is too large."""

_LOG = logging.getLogger(__name__)


KindReader = Callable[[bytes], str | None]
"""Reads the kind of a message; ``None`` where it has none that is known. Raises ValueError where it is no message."""


class SocketFilter:
    """Middleware that passes messages of ``kinds`` on to the application, drops others, and closes on other frames.

    ``read_kind`` parses a message; ``max_bytes`` is the size of one at the most.
    """

    def __init__(self, app: ASGIApp, *, kinds: Collection[str], read_kind: KindReader, max_bytes: int) -> None:
        self.app = app
        self._kinds = frozenset(kinds)
        self._read_kind = read_kind
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one socket; anything else passes."""
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        socket = _FilteredSocket(self, receive, send)
        await self.app(scope, socket.receive, socket.send)

    def judge(self, message: Message) -> int | None:
        """Whether a message may pass: 0 if so, the code to close with if not, ``None`` where it is dropped."""
        body: Any = message.get("bytes")
        if body is None:
            return UNSUPPORTED_DATA
        if len(body) > self._max_bytes:
            return TOO_BIG
        try:
            kind = self._read_kind(body)
        except ValueError:
            return PROTOCOL_ERROR
        return 0 if kind in self._kinds else None


class _FilteredSocket:
    """One socket: what the application receives of it, and sends to it until it is closed here."""

    def __init__(self, socket_filter: SocketFilter, receive: Receive, send: Send) -> None:
        self._filter, self._receive, self._send = socket_filter, receive, send
        self._closed = self._dropped = False

    async def receive(self) -> Message:
        """The next message that may pass, or that the socket is closed."""
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                return message
            verdict = self._filter.judge(message)
            if verdict == 0:
                return message
            if verdict is not None:
                self._closed = True
                write_log(_LOG, "socket closed", level=logging.WARNING, code=verdict)
                await self._send({"type": "websocket.close", "code": verdict})
                return {"type": "websocket.disconnect", "code": verdict}
            if not self._dropped:
                self._dropped = True
                write_log(_LOG, "socket messages dropped", level=logging.WARNING)

    async def send(self, message: Message) -> None:
        """Send, unless the socket was closed here: the application may not know it yet."""
        if not self._closed:
            await self._send(message)
