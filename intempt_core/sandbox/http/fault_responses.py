"""Fault responses: error statuses, closed connections, missing and slow responses (``contract/faults.py``)."""

import asyncio
from collections.abc import AsyncIterator, Callable

import orjson
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from intempt_core.contract import (
    BODILESS_STATUSES,
    DisconnectFault,
    NoResponseFault,
    ResponseFault,
    SlowResponseFault,
    StatusFault,
    TooLargeFault,
)
from intempt_core.sandbox.http.responses import json_response

FAULT_HEADER = "x-sandbox-fault"
"""The header of every simulated failure, so that a log shows that it was simulated."""

SHUTDOWN_POLL_SECONDS = 0.25
"""How often a held request checks whether the server is shutting down."""


def build_fault_response(fault: ResponseFault, response: Response, receive: Receive) -> tuple[int | None, Response]:
    """Build what a fault makes of ``response``: the status, ``None`` where none is sent, and a response."""
    marked: dict[str, str] = {FAULT_HEADER: fault.fault}
    match fault:
        case StatusFault(status=status):
            if fault.retry_after is not None:
                marked["Retry-After"] = str(fault.retry_after)
            error = orjson.dumps({"message": f"Simulated failure: {fault.effect}."})
            body = b"" if status in BODILESS_STATUSES else bytes(response.body) if status < 300 else error
            return status, Response(body, status, marked, "application/json")
        case TooLargeFault():
            return 413, json_response({"message": f"Simulated failure: {fault.effect}."}, 413, marked)
        case SlowResponseFault(ms=ms):
            pieces = _stream_pieces(bytes(response.body), ms, receive)
            return response.status_code, StreamingResponse(pieces, response.status_code, marked, "application/json")
        case NoResponseFault(ms=ms):
            return None, _HeldResponse(ms / 1000)
        case DisconnectFault():
            return None, _HeldResponse(0)


async def _stream_pieces(body: bytes, ms: int, receive: Receive) -> AsyncIterator[bytes]:
    step = len(body) // 4 + 1
    for start in range(0, len(body), step):
        await delay_response(receive, ms * step / len(body) / 1000)
        yield body[start : start + step]


class _HeldResponse(Response):
    """No response for so many seconds; then, unless the sender closed the connection before, it is cut."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  nothing is sent
        """Wait, then cut the connection."""
        gone = asyncio.create_task(_await_disconnect(receive))
        waiting = asyncio.create_task(delay_response(receive, self._seconds))
        try:
            await asyncio.wait((gone, waiting), return_when=asyncio.FIRST_COMPLETED)
            if not gone.done():
                # ASGI cannot cut a connection; the server's own object behind ``receive`` has it.
                transport = getattr(_find_exchange(receive), "transport", None)
                if transport is None:
                    raise ConnectionAbortedError("simulated failure")  # a server that hides it responds 500, or cuts
                transport.abort()
                await gone
        finally:
            gone.cancel()
            waiting.cancel()


async def _await_disconnect(receive: Receive) -> None:
    """Return when the sender has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def delay_response(receive: Receive, seconds: float) -> None:
    """Wait for so long, but no longer than until the server is asked to shut down: it waits for its requests."""
    clock = asyncio.get_running_loop().time
    shutting_down, until = watch_shutdown(receive), clock() + seconds
    while (left := until - clock()) > 0 and not shutting_down():  # noqa: ASYNC110  the server's, no event
        await asyncio.sleep(min(left, SHUTDOWN_POLL_SECONDS))


def watch_shutdown(receive: Receive) -> Callable[[], bool]:
    """Watch the server of a request: what is returned says whether it has been asked to shut down since."""
    exchange = _find_exchange(receive)
    before = getattr(exchange, "keep_alive", None)
    return lambda: getattr(exchange, "keep_alive", None) is not before


def _find_exchange(receive: Receive) -> object:
    """The server's own object of this exchange, where it can be found: uvicorn's says by ``keep_alive`` whether another
    request may follow, which none may once the server is shutting down.
    """
    return getattr(receive, "__self__", None)
