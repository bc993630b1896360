"""A real server on a real socket that misbehaves on demand: whatever a network can do to a request.

``with hostile(behaviour) as server`` runs it in a thread of its own, so that tests with and without an event loop, and
programs that a test starts, may talk to it. A behaviour is a coroutine function that is given one connection; the
ready ones below are named after what they do.
"""

import asyncio
import contextlib
import gzip
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Received:
    """One request as it came over the wire; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Connection:
    """One accepted connection, in the hands of a behaviour."""

    server: "HostileServer"
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def request(self) -> Received:
        """Read one whole request and note it down."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("expect", "").lower() == "100-continue":
            await self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        method, path, _ = first.split(" ")
        received = Received(method, path, headers, body)
        self.server.received.append(received)
        return received

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Slam the door: the peer gets RST instead of an orderly end."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Behaviour = Callable[[Connection], Awaitable[None]]


@dataclass
class HostileServer:
    behaviour: Behaviour
    port: int = 0
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    scheme: str = "http"
    address: str = "127.0.0.1"
    open: list[asyncio.WriteTransport] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.address}:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.append(writer.transport)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self.behaviour(Connection(self, reader, writer))
        writer.close()


@contextlib.contextmanager
def hostile(behaviour: Behaviour, *, tls: bool = False, address: str = "127.0.0.1") -> Iterator[HostileServer]:
    """The server, listening on a free port of an address of this machine."""
    server = HostileServer(behaviour, scheme="https" if tls else "http", address=address)
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        listening = await asyncio.start_server(
            server.handle, address, 0, ssl=self_signed() if tls else None, limit=2**20
        )
        server.port = listening.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        listening.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for transport in server.open:
            transport.abort()
        await asyncio.sleep(0.005)  # sockets close in the loop's next round

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        assert not thread.is_alive()


def outer_address() -> str | None:
    """An address of this machine that others can reach; ``None`` where it has none. Nothing is sent."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as asking, contextlib.suppress(OSError):
        asking.connect(("203.0.113.1", 9))
        return str(asking.getsockname()[0])
    return None


# ── behaviours ───────────────────────────────────────────────────────────────────────────────────────────────────────


def http(status: int, body: bytes = b"", *headers: str, reason: str = "Said So") -> bytes:
    """An answer as bytes."""
    lines = (f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}", *headers)
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def answers(status: int, body: bytes = b"", *headers: str, reason: str = "Said So") -> Behaviour:
    """Answer every request of a connection in the same way."""
    return says(http(status, body, *headers, reason=reason))


def says(data: bytes, *, then: str = "keep") -> Behaviour:
    """Read a request, say something, then ``keep`` the connection, ``close``, ``reset`` or ``hang``."""

    async def behave(connection: Connection) -> None:
        while True:
            await connection.request()
            await connection.send(data)
            if then == "close":
                return
            if then == "reset":
                await asyncio.sleep(0.05)  # what was said shall arrive first
                connection.reset()
                return
            if then == "hang":
                await asyncio.sleep(60)

    return behave


def in_turn(*datas: bytes) -> Behaviour:
    """Answer the first request with the first answer, the next with the next, across connections."""

    async def behave(connection: Connection) -> None:
        while True:
            await connection.request()
            await connection.send(datas[min(len(connection.server.received), len(datas)) - 1])

    return behave


async def hangs_before_reading(connection: Connection) -> None:
    connection.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport has it
    await asyncio.sleep(60)


async def speaks_no_tls(connection: Connection) -> None:
    await connection.reader.read(2**16)
    await connection.send(http(400, b"The plain HTTP port is another"))


async def resets_at_once(connection: Connection) -> None:
    await connection.request()
    connection.reset()


async def answers_before_reading(connection: Connection) -> None:
    """413 to a body still on its way, read to its end as a careful server does."""
    await connection.reader.readuntil(b"\r\n\r\n")
    await connection.send(http(413, b"too much", "Connection: close"))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            while await connection.reader.read(2**16):
                pass


async def accepts_before_reading(connection: Connection) -> None:
    """201 to a body of which hardly anything has come."""
    await connection.reader.readuntil(b"\r\n\r\n")
    connection.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport has it
    await connection.send(http(201, b"{}"))
    await asyncio.sleep(60)


async def never_ends(connection: Connection) -> None:
    await connection.request()
    await connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        await connection.send(b"x" * 65_536)


async def drips(connection: Connection) -> None:
    await connection.request()
    await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        await connection.send(b"x")
        await asyncio.sleep(0.05)


async def drops_idle_connections(connection: Connection) -> None:
    """A keep-alive server that closes right after each answer without a word."""
    await connection.request()
    await connection.send(http(201, b"{}"))


def gzip_bomb(megabytes: int) -> bytes:
    """An answer of many zeros that travels as few bytes."""
    return http(400, gzip.compress(bytes(megabytes * 2**20), 9), "Content-Encoding: gzip")


# ── what happens before a server ─────────────────────────────────────────────────────────────────────────────────────


def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def deaf_port() -> Iterator[int]:
    """A port whose queue is full, so that a connection neither comes about nor is refused."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield int(listening.getsockname()[1])


# An untrusted certificate, for 127.0.0.1, made for these tests, good for a hundred years; its key guards
# nothing.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBoTCCAUegAwIBAgIUf5s3WEVlWS66FtJ2u//cqx17GTswCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMaG9zdGlsZS50ZXN0MCAXDTI2MTEyMjA2MjYyMFoYDzIxMjYx
MDI5MDYyNjIwWjAXMRUwEwYDVQQDDAxob3N0aWxlLnRlc3QwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAS3W15ixM44pvWMAmBjr17Idz1cPr5jK+a49v7H15IylbO2
tHGHgJANlVeR48Fx/YDZI4JP/vzTulB4gUL+88YQo28wbTAdBgNVHQ4EFgQUT0F7
R7QL0Xm7KR95w5/tUzTisYQwHwYDVR0jBBgwFoAUT0F7R7QL0Xm7KR95w5/tUzTi
sYQwDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3Qw
CgYIKoZIzj0EAwIDSAAwRQIgTpA13Im1dE1gftiSakPqOZRtSCS+EjDc+O3a9u4n
2ecCIQDbHaZDUkE2NKqv+Fs02OgagusgBh6hRoR+fV1JKvmpoQ==
-----END CERTIFICATE-----
"""
_PRIVATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgfjs5a61kZ5A/Zfnj
fjmLo8776or3WIm3PCmmZ+CMntWhRANCAAS3W15ixM44pvWMAmBjr17Idz1cPr5j
K+a49v7H15IylbO2tHGHgJANlVeR48Fx/YDZI4JP/vzTulB4gUL+88YQ
-----END PRIVATE KEY-----
"""


def self_signed() -> ssl.SSLContext:
    """A server's TLS with :data:`CERTIFICATE`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "both.pem"
        file.write_text(CERTIFICATE + _PRIVATE)
        context.load_cert_chain(file)
    return context
