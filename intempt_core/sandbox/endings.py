"""Answers that are none: how a request ends that meets a fault (``faults.py``)."""

import asyncio
from collections.abc import AsyncIterator

import orjson
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from intempt_core.sandbox.answers import answer
from intempt_core.sandbox.faults import NO_BODY, Cut, Ending, NoAnswer, SlowAnswer, Status, TooLarge

ON_PURPOSE = "x-sandbox-fault"
"""The header of every answer that is a fault: whoever reads a log sees that it was meant."""


def ending(met: Ending, said: Response) -> tuple[int | None, Response]:
    """The status that is answered, ``None`` where none is, and the answer in the place of ``said``."""
    marked: dict[str, str] = {ON_PURPOSE: met.fault}
    match met:
        case Status(status=status):
            if met.retry_after is not None:
                marked["Retry-After"] = str(met.retry_after)
            refusal = orjson.dumps({"message": f"Failing on purpose: {met.words}."})
            body = b"" if status in NO_BODY else bytes(said.body) if status < 300 else refusal
            return status, Response(body, status, marked, "application/json")
        case TooLarge():
            return 413, answer({"message": f"Failing on purpose: {met.words}."}, 413, marked)
        case SlowAnswer(ms=ms):
            pieces = _pieces(bytes(said.body), ms)
            return said.status_code, StreamingResponse(pieces, said.status_code, marked, "application/json")
        case NoAnswer(ms=ms):
            return None, _Held(ms / 1000)
        case Cut():
            return None, _Held(0)


async def _pieces(body: bytes, ms: int) -> AsyncIterator[bytes]:
    step = len(body) // 4 + 1
    for start in range(0, len(body), step):
        await asyncio.sleep(ms * step / len(body) / 1000)
        yield body[start : start + step]


class _Held(Response):
    """Nothing is said for so many seconds; then, unless the sender went away before, the connection is cut."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  nothing is sent
        """The answer's place in an exchange."""
        if self._seconds and await _gone(receive, self._seconds):
            return
        # ASGI has no word for cutting a connection; the server's own object behind ``receive`` holds it.
        transport = getattr(getattr(receive, "__self__", None), "transport", None)
        if transport is None:
            raise ConnectionAbortedError("cut on purpose")  # a server that hides it says 500 or cuts by itself
        transport.abort()
        await _gone(receive, 5)


async def _gone(receive: Receive, seconds: float) -> bool:
    """Wait until the sender is gone; whether it went in time."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
            return True
    except TimeoutError:
        return False
