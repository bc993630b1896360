"""Answers that are none: how a request ends that meets a fault (``faults.py``)."""

import asyncio
from collections.abc import AsyncIterator

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
"""The header of every answer that is a fault: whoever reads a log sees that it was meant."""


SHUTDOWN_POLL_SECONDS = 0.25
"""How often a request that is held looks whether the server is ending."""


def build_fault_response(fault: ResponseFault, response: Response, receive: Receive) -> tuple[int | None, Response]:
    """The status that is answered, ``None`` where none is, and the answer in the place of ``said``."""
    marked: dict[str, str] = {FAULT_HEADER: fault.fault}
    match fault:
        case StatusFault(status=status):
            if fault.retry_after is not None:
                marked["Retry-After"] = str(fault.retry_after)
            refusal = orjson.dumps({"message": f"Failing on purpose: {fault.effect}."})
            body = b"" if status in BODILESS_STATUSES else bytes(response.body) if status < 300 else refusal
            return status, Response(body, status, marked, "application/json")
        case TooLargeFault():
            return 413, json_response({"message": f"Failing on purpose: {fault.effect}."}, 413, marked)
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
    """Nothing is said for so many seconds; then, unless the sender went away before, the connection is cut."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  nothing is sent
        """The answer's place in an exchange."""
        gone = asyncio.create_task(_await_disconnect(receive))
        waiting = asyncio.create_task(delay_response(receive, self._seconds))
        try:
            await asyncio.wait((gone, waiting), return_when=asyncio.FIRST_COMPLETED)
            if not gone.done():
                # ASGI has no word for cutting a connection; the server's own object behind ``receive`` holds it.
                transport = getattr(_find_exchange(receive), "transport", None)
                if transport is None:
                    raise ConnectionAbortedError("cut on purpose")  # a server that hides it says 500, or cuts
                transport.abort()
                await gone
        finally:
            gone.cancel()
            waiting.cancel()


async def _await_disconnect(receive: Receive) -> None:
    """Return when the sender is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def delay_response(receive: Receive, seconds: float) -> None:
    """Wait for so long, but not beyond the moment at which the server is asked to end: it waits for its requests."""
    exchange, clock = _find_exchange(receive), asyncio.get_running_loop().time
    before, until = getattr(exchange, "keep_alive", None), clock() + seconds
    while (left := until - clock()) > 0 and getattr(exchange, "keep_alive", None) is before:  # noqa: ASYNC110  the server's, no event
        await asyncio.sleep(min(left, SHUTDOWN_POLL_SECONDS))


def _find_exchange(receive: Receive) -> object:
    """The server's own object of this exchange, where there is one to be seen: uvicorn's says by ``keep_alive`` whether
    another request may follow, which none may once the server is ending.
    """
    return getattr(receive, "__self__", None)
