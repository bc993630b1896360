"""Slow clients, on a real server: each is closed in time, their number is bounded, and no other client waits."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.sync.client import connect

from intempt_core.web.slow_connections import SlownessLimits, limit_slow_connections
from tests.core.web.served import serve
from tests.slow_clients import slow_clients, write_body_start, write_head

SECOND = SlownessLimits(
    head_seconds=1.0,
    body_seconds=1.0,
    whole_body_seconds=4.0,
    response_seconds=1.0,
    connections=40,
    young_seconds=0.2,
    connections_at_once=80,
    sweep_seconds=0.1,
)
LARGE = 30_000_000


class Noted:
    """What an application saw."""

    def __init__(self) -> None:
        self.broken_off = 0


@contextmanager
def served(limits: SlownessLimits = SECOND) -> Iterator[tuple[str, Noted]]:
    noted = Noted()

    async def take(request: Request) -> Response:
        try:
            return PlainTextResponse(str(len(await request.body())))
        except ClientDisconnect:
            noted.broken_off += 1
            return PlainTextResponse("nobody is there any more")

    async def ignore(request: Request) -> Response:
        return PlainTextResponse("not read")

    async def give(request: Request) -> Response:
        return PlainTextResponse("x" * LARGE)

    async def listen(opened: WebSocket) -> None:
        await opened.accept()
        await opened.send_text(await opened.receive_text())

    routes = [
        Route("/take", take, methods=["POST"]),
        Route("/ignore", ignore, methods=["POST"]),
        Route("/give", give),
        WebSocketRoute("/socket", listen),
    ]
    with serve(Starlette(routes=routes), partial(limit_slow_connections, limits=limits)) as url:
        yield url, noted


def take_all(one: socket.socket, pause: float = 0.0) -> int:
    """Take the whole response; its bytes."""
    taken = 0
    while part := one.recv(1_000_000):
        taken += len(part)
        time.sleep(pause)
    return taken


def open_raw(url: str, *parts: bytes) -> socket.socket:
    address = urlsplit(url)
    one = socket.create_connection((address.hostname or "", address.port or 0), timeout=10)
    one.sendall(b"".join(parts))
    return one


SLOW = {
    "says nothing": b"",
    "a head by the byte": write_head("/take"),
    "no end of a line": b"GET /" + b"x" * 100,
    "a body by the byte": write_body_start("/take", 1_000_000),
    "a body that stops": write_body_start("/take", 1_000_000, 5_000),
    "a body of unknown length": write_head("/take", "Transfer-Encoding: chunked") + b"\r\n1\r\nx\r\n",
    "the rest of a body that was answered": write_body_start("/ignore", 1_000_000),
    "a second head": write_head("/ignore") + b"\r\n" + write_head("/ignore"),
}


BY_THE_SERVER = ("a second head", "the rest of a body that was answered")
"""Where nothing follows a response, it is the server's own time that ends: 5 s."""


@pytest.mark.parametrize("drop", [b"", b"x"], ids=["silent", "by the byte"])
def test_slow_clients_are_closed_in_time(drop: bytes) -> None:
    ours = [beginning for kind, beginning in SLOW.items() if drop or kind not in BY_THE_SERVER]
    others = [SLOW[kind] for kind in BY_THE_SERVER]
    with (
        served() as (url, _),
        slow_clients(url, *ours * 4, drop=drop, pause=0.1) as slow,
        slow_clients(url, *others * 4, drop=drop, pause=0.1) as others_too,
    ):
        assert 0.5 < slow.wait_until_closed(4.0) < 3.0
        assert others_too.wait_until_closed(7.0) < 7.0


def test_it_is_answered_with_408_and_the_application_learns_that_it_is_gone() -> None:
    with served() as (url, noted):
        for beginning in (write_head("/take"), write_body_start("/take", 10_000)):
            with open_raw(url, beginning) as one:
                assert one.recv(1_000).startswith(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n")
                assert one.recv(1_000) == b""
        with open_raw(url) as one:
            assert one.recv(1_000) == b""  # a browser that has opened it in advance
        time.sleep(0.1)
        assert noted.broken_off == 1


def test_a_body_that_never_ends_is_closed_although_it_is_not_slow() -> None:
    head = write_head("/take", "Transfer-Encoding: chunked") + b"\r\n"
    with served() as (url, _), slow_clients(url, head, drop=b"2710\r\n" + b"x" * 10_000 + b"\r\n", pause=0.2) as slow:
        assert 3.5 < slow.wait_until_closed(8.0) < 6.0


def test_a_steady_body_takes_longer_than_the_time_for_a_part_of_it() -> None:
    with served() as (url, _), open_raw(url, write_body_start("/take", 60_001)) as one:
        for _ in range(6):
            time.sleep(0.4)
            one.sendall(b" " * 10_000)
        assert one.recv(1_000).startswith(b"HTTP/1.1 200 OK")


def test_a_response_that_is_not_taken_is_cut_and_one_that_is_taken_slowly_is_not() -> None:
    with served() as (url, _):
        ask = write_head("/give", "Connection: close", method="GET") + b"\r\n"
        with open_raw(url, ask) as one:
            time.sleep(2.5)
            assert take_all(one) < LARGE
        with open_raw(url, ask) as one:
            assert take_all(one, 0.05) > LARGE


def test_a_web_socket_is_left_alone() -> None:
    with served() as (url, _), connect(url.replace("http", "ws") + "/socket", proxy=None) as opened:
        time.sleep(2.0)
        opened.send("still here")
        assert opened.recv(timeout=5) == "still here"


def test_their_number_is_bounded_and_the_oldest_are_closed_first() -> None:
    patient = SlownessLimits(
        head_seconds=60, body_seconds=60, connections=40, young_seconds=0.2, connections_at_once=80, sweep_seconds=0.1
    )
    beginnings = [write_head("/take"), write_body_start("/take", 1_000_000)] * 75
    with served(patient) as (url, _), slow_clients(url, *beginnings, pause=0.1) as old:
        time.sleep(0.5)
        with slow_clients(url, *beginnings[:30], pause=0.1) as new:
            time.sleep(0.8)
            assert (old.count_open(), new.count_open()) == (10, 30)
            assert httpx.post(f"{url}/take", content=b"honest").text == "6"


def test_a_connection_in_use_is_newer_than_those_that_wait() -> None:
    patient = SlownessLimits(
        head_seconds=60, body_seconds=60, connections=40, young_seconds=0.1, connections_at_once=80, sweep_seconds=0.1
    )
    with served(patient) as (url, _), httpx.Client(base_url=url) as honest:
        assert honest.post("/take", content=b"1").text == "1"
        with slow_clients(url, *[write_head("/take")] * 150):
            for _ in range(15):
                time.sleep(0.2)
                assert honest.post("/take", content=b"again").text == "5"  # on the connection that it has


@pytest.mark.parametrize(
    "kind",
    [
        *(pytest.param(one, marks=pytest.mark.long) for one in ("a head by the byte", "a body by the byte")),
        "says nothing",
    ],
)
def test_nobody_waits_for_500_slow_clients(kind: str) -> None:
    """With the limits of the console."""

    def ask(url: str) -> float:
        """The seconds of the slowest of some honest requests, each on a connection of its own."""
        slowest = 0.0
        for _ in range(10):
            began = time.monotonic()
            assert httpx.post(f"{url}/take", content=b"honest").text == "6"
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.1)
        return slowest

    with served(SlownessLimits()) as (url, _):
        idle = ask(url)
        with slow_clients(url, *[SLOW[kind]] * 500) as slow:
            assert ask(url) - idle < max(2.0, 8 * idle)  # on a machine that is busy otherwise, in proportion
            assert slow.count_open() <= SlownessLimits().connections


def test_clients_that_were_answered_before_their_body_came_do_not_count_as_newer() -> None:
    patient = SlownessLimits(head_seconds=60, body_seconds=60, connections=40, young_seconds=0.2, sweep_seconds=0.1)
    answered = [SLOW["the rest of a body that was answered"]] * 100
    with served(patient) as (url, _), slow_clients(url, *answered, drop=b""):
        time.sleep(0.5)
        with open_raw(url, write_head("/take", "Content-Length: 2")) as honest:
            time.sleep(1.0)  # a client that was held up itself
            honest.sendall(b"\r\n{}")
            assert honest.recv(1_000).startswith(b"HTTP/1.1 200 OK")


def test_a_config_is_changed_once() -> None:
    config = uvicorn.Config(Starlette(), log_config=None)
    limit_slow_connections(config)
    first: Callable[..., object] = config.http_protocol_class
    limit_slow_connections(config)
    assert config.http_protocol_class is first
