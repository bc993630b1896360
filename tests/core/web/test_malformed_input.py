"""Malformed input: a handshake that a parser rejects is answered, and what a client did wrong is no traceback."""

import logging
import socket
from collections.abc import Iterator

import pytest
from h11 import LocalProtocolError, RemoteProtocolError
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router, WebSocketRoute
from starlette.websockets import WebSocket

from intempt_core.web.malformed_input import SERVER_LOGS, MalformedInputFilter, answer_malformed_input
from tests.core.web.served import serve


async def greet(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def accept(opened: WebSocket) -> None:
    await opened.accept()
    await opened.close()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    answer_malformed_input()
    answer_malformed_input()  # once is as good as twice
    with serve(Router([Route("/", greet, methods=["GET", "POST"]), WebSocketRoute("/socket", accept)])) as url:
        yield int(url.rpartition(":")[2])
    for name in SERVER_LOGS:
        log = logging.getLogger(name)
        (added,) = [one for one in log.filters if isinstance(one, MalformedInputFilter)]
        log.removeFilter(added)


def ask(port: int, *lines: bytes, body: bytes = b"") -> bytes:
    """All that a request gets until its connection is closed; a connection that stays open is an error."""
    with send(port, *lines, body=body) as opened:
        return opened.makefile("rb").read()


def send(port: int, *lines: bytes, body: bytes = b"") -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", port), timeout=5)
    opened.sendall(b"\r\n".join([*lines, b"Host: localhost", b"", b""]) + body)
    return opened


HANDSHAKE = (
    b"GET /socket HTTP/1.1", b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)  # fmt: skip


def test_a_handshake_that_the_second_parser_rejects_is_400_and_closed(port: int) -> None:
    with send(port, *HANDSHAKE) as opened:
        assert opened.recv(20).startswith(b"HTTP/1.1 101 ")
    assert ask(port, *HANDSHAKE, b"X: a\x01b").startswith(b"HTTP/1.1 400 ")
    assert ask(port, *HANDSHAKE, b"Transfer-Encoding: chunked").startswith(b"HTTP/1.1 400 ")
    assert ask(port, *HANDSHAKE, b"X: " + b"x" * 20_000).startswith(b"HTTP/1.1 431 ")
    assert ask(port, *HANDSHAKE, *[b"X: 1"] * 300).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"-1\r\n", b"\r\n", b"5\r\nabcdefgh"])
def test_a_body_that_is_malformed_ends_its_connection_without_a_traceback(
    port: int, chunk: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    for body in (chunk, b""):
        ask(port, b"POST / HTTP/1.1", b"Transfer-Encoding: chunked", b"Connection: close", body=body or b"zz\r\n\r\n")
    assert "Traceback" not in caplog.text
    assert {record.levelname for record in caplog.records} <= {"WARNING", "INFO"}
    assert ask(port, b"GET / HTTP/1.1", b"Connection: close").endswith(b"hello")


def test_faults_of_a_client_are_warnings_and_those_of_ours_keep_their_traceback() -> None:
    def is_softened(error: Exception, message: str = "Exception in ASGI application", context: object = None) -> bool:
        error.__context__ = context if isinstance(context, Exception) else None
        record = logging.LogRecord("uvicorn.error", logging.ERROR, "", 1, message, None, (type(error), error, None))
        assert MalformedInputFilter().filter(record)
        assert (record.exc_info is None) == (record.levelname == "WARNING")
        return record.exc_info is None

    no_text = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x")
    assert is_softened(no_text, "Invalid UTF-8 sequence received from client.")
    assert not is_softened(no_text)
    assert is_softened(LocalProtocolError("can't handle event type Response when role=SERVER and state=MUST_CLOSE"))
    assert is_softened(LocalProtocolError("Can't send data when our state is ERROR"))
    assert is_softened(LocalProtocolError("Too much data"), context=RemoteProtocolError("illegal chunk header"))
    assert not is_softened(LocalProtocolError("Illegal header value"))
    assert not is_softened(ValueError())
