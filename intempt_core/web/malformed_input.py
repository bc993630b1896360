"""Malformed input: what is no HTTP and no handshake is answered with 400, and logged as its sender's fault.

The server parses a web socket's handshake twice. What its first parser lets pass and its second one rejects is not
answered at all, and its connection stays open for as long as the other side likes. And where the body of a request
turns out to be malformed while it is being answered, the server logs a traceback, as if the fault were its own.
"""

import logging
import re

from h11 import LocalProtocolError, RemoteProtocolError
from starlette.requests import ClientDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

BAD_HANDSHAKE = (
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: 24\r\n\r\nThis is no valid header."
)
"""The response to a handshake of which the server itself makes none."""

SERVER_LOGS = ("uvicorn.error", "asyncio")
"""The loggers by which the server, and the event loop for it, report what a client has done."""

_CLOSED_STATE = re.compile(r"state(=| is )(MUST_CLOSE|CLOSED|ERROR)")
"""Matches what the server's parser says where a response comes after malformed input was answered."""

_receive_data = WebSocketsSansIOProtocol.data_received


class MalformedInputFilter(logging.Filter):
    """A log filter for the server: malformed input is logged as a warning, without a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Take the traceback away from a record about malformed input."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and _is_of_client(record, error):
            record.exc_info, record.levelno, record.levelname = None, logging.WARNING, "WARNING"
            record.msg, record.args = "Malformed input of a client: its connection is closed.", ()
        return True


def _is_of_client(record: logging.LogRecord, error: BaseException) -> bool:
    """Whether an error follows from what a client did: text that is none, a body that broke off or was none."""
    if isinstance(error, ClientDisconnect):
        return True
    if isinstance(error, UnicodeDecodeError):
        return str(record.msg).startswith("Invalid UTF-8 sequence received from client")
    if isinstance(error, LocalProtocolError):
        return isinstance(error.__context__, RemoteProtocolError) or _CLOSED_STATE.search(str(error)) is not None
    return False


def answer_malformed_input() -> None:
    """Have this process's server answer each malformed handshake, and log malformed input as its sender's fault."""
    WebSocketsSansIOProtocol.data_received = _receive_and_answer  # type: ignore[assignment]
    for name in SERVER_LOGS:
        log = logging.getLogger(name)
        if not any(isinstance(one, MalformedInputFilter) for one in log.filters):
            log.addFilter(MalformedInputFilter())


def _receive_and_answer(connection: WebSocketsSansIOProtocol, data: bytes) -> None:
    """Take what a socket received; where its parser rejected the handshake, answer and close."""
    _receive_data(connection, data)
    if connection.conn.handshake_exc is None or connection.handshake_initiated or connection.transport.is_closing():
        return
    connection.handshake_complete = connection.close_sent = True
    connection.transport.write(b"".join(connection.conn.data_to_send()) or BAD_HANDSHAKE)
    connection.transport.close()
