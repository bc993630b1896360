"""The filter of the web socket: only named kinds reach the application; what is no message closes the socket."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from intempt_core.web.socket_filter import SocketFilter


def read_kind(body: bytes) -> str | None:
    if body == b"\xff":
        raise ValueError
    return body.decode() or None


def run(*incoming: Message) -> tuple[list[Message], list[Message]]:
    """What the application receives of these messages, and what the client does."""
    received: list[Message] = []
    sent: list[Message] = []
    queue = [{"type": "websocket.connect"}, *incoming, {"type": "websocket.disconnect", "code": 1005}]

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            received.append(message)
        received.append(message)
        await send({"type": "websocket.send", "bytes": b"too late"})

    async def receive() -> Message:
        return queue.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    filtered = SocketFilter(application, kinds=["rerun", "stop"], read_kind=read_kind, max_bytes=10)
    asyncio.run(filtered({"type": "websocket"}, receive, send))
    return received[1:], sent


def frame(body: bytes) -> Message:
    return {"type": "websocket.receive", "bytes": body}


def test_named_kinds_pass_in_order_and_others_are_dropped() -> None:
    received, sent = run(frame(b"rerun"), frame(b"clear"), frame(b""), frame(b"stop"), frame(b"rerun"))
    assert [message.get("bytes") for message in received[:-1]] == [b"rerun", b"stop", b"rerun"]
    assert [message["type"] for message in sent] == ["websocket.send"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"type": "websocket.receive", "text": "rerun"}, 1003),
        ({"type": "websocket.receive", "text": "", "bytes": None}, 1003),
        ({"type": "websocket.receive"}, 1003),
        (frame(b"\xff"), 1002),
        (frame(b"01234567890"), 1009),
    ],
)
def test_what_is_no_message_closes_the_socket_and_nothing_is_sent_after_it(wrong: Message, code: int) -> None:
    received, sent = run(frame(b"rerun"), wrong, frame(b"stop"))
    assert [message.get("bytes") for message in received[:-1]] == [b"rerun"]
    assert received[-1] == {"type": "websocket.disconnect", "code": code}
    assert sent == [{"type": "websocket.close", "code": code}]


def test_what_is_no_socket_passes() -> None:
    seen: list[Scope] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(_: Message) -> None:
        return

    filtered = SocketFilter(application, kinds=[], read_kind=read_kind, max_bytes=0)
    asyncio.run(filtered({"type": "http"}, receive, send))
    assert seen == [{"type": "http"}]
