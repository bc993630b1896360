"""The guard: what is not for the console, or from its own pages, never reaches the application."""

import asyncio
from collections.abc import Sequence

import pytest
from starlette.types import Message, Receive, Scope, Send

from intempt_core.web.guard import HEALTH_PATH, RequestGuard
from intempt_core.web.origins import AnsweredAddresses, parse_origin_list

Pair = tuple[str, str]
HERE: Pair = ("Host", "localhost:8501")
SHOP = "http://localhost:3000"


class Reached:
    """An application that notes what reaches it."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        self.scopes.append(scope)
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"reached"})
        elif scope["type"] == "websocket":
            await send({"type": "websocket.accept"})


def ask(
    *headers: Pair,
    path: str = "/",
    told: str = "",
    kind: str = "http",
    method: str = "GET",
    server: tuple[str, int | None] | None = ("127.0.0.1", 8501),
    loopback_only: bool = True,
    sandbox_path: str = "/sandbox",
) -> tuple[Message, Reached]:
    """Ask a guarded application; the first message of the response, and what the application saw."""
    reached = Reached()
    guard = RequestGuard(
        reached,
        AnsweredAddresses(parse_origin_list(told, "CONSOLE_HOSTS")),
        sandbox_path=sandbox_path,
        sandbox_origins=parse_origin_list(SHOP, "CONSOLE_SANDBOX_ORIGINS"),
        loopback_only=loopback_only,
    )
    sent: list[Message] = []
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": kind, "path": path, "method": method, "server": server, "headers": raw}

    async def call() -> None:
        async def receive() -> Message:
            return {"type": "http.request"}

        async def send(message: Message) -> None:
            sent.append(message)

        await guard(scope, receive, send)

    asyncio.run(call())
    return sent[0], reached


def status(answered: tuple[Message, Reached]) -> int:
    """The status as a client sees it: of a socket that is closed before it is accepted, 403."""
    message, reached = answered
    found = {"websocket.accept": 101, "websocket.close": 403}.get(message["type"]) or int(message["status"])
    assert bool(reached.scopes) == (found != 403)
    return found


OTHERS: Sequence[Sequence[Pair]] = [
    [HERE, ("Origin", "http://localhost:8502")],
    [HERE, ("Origin", "http://127.0.0.1:3000")],
    [HERE, ("Origin", "https://localhost:8501")],
    [HERE, ("Origin", "http://localhost")],
    [HERE, ("Origin", "http://evil.example")],
    [HERE, ("Origin", "http://evil.example:8501")],
    [("Host", "evil.example:8501"), ("Origin", "http://evil.example:8501")],
    [("Host", "evil.example:8501")],
    [HERE, ("Origin", "null")],
    [HERE, ("Origin", "")],
    [HERE, ("Origin", "http://[bad")],
    [HERE, ("Origin", "http://localhost:8501/")],
    [HERE, ("Origin", "http://localhost:8501"), ("Origin", "http://localhost:8501")],
    [HERE, ("Origin", "http://localhost:8501"), ("Origin", "http://evil.example")],
    [HERE, ("Origin", "http://localhost:8501, http://evil.example")],
    [HERE, ("Host", "localhost:8501")],
    [("Host", "localhost:port")],
    [("Host", "")],
    [("Host", "localhost\xff")],
    [],
    [HERE, ("Sec-Fetch-Site", "same-site"), ("Sec-Fetch-Mode", "no-cors")],
    [HERE, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "cors")],
]


@pytest.mark.parametrize(
    ("kind", "path"),
    [("http", "/"), ("http", "/_stcore/health"), ("http", "/_upload"), ("http", HEALTH_PATH), ("http", "/sandbox/v1/x"),
     ("http", "/sandbox"), ("http", "/sandboxes/x"), ("websocket", "/_stcore/stream"), ("websocket", "/anything")],
)  # fmt: skip
def test_other_origins_other_hosts_and_malformed_ones_are_403_on_every_route_and_socket(kind: str, path: str) -> None:
    assert [headers for headers in OTHERS if status(ask(*headers, kind=kind, path=path)) != 403] == []


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_its_own_pages_and_programs_without_an_origin_pass(kind: str, name: str) -> None:
    host = ("Host", f"{name}:8501")
    for headers in ([host], [host, ("Origin", f"http://{name}:8501")], [("Host", name.upper())]):
        assert status(ask(*headers, kind=kind)) == {"http": 200, "websocket": 101}[kind]


def test_a_link_of_another_site_may_be_followed() -> None:
    assert status(ask(HERE, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"))) == 200


def test_told_its_addresses_it_answers_there_and_this_machine_reaches_sandbox_and_health_only() -> None:
    told = "https://console.example,http://10.0.0.5:8501"
    page = [("Host", "console.example"), ("Origin", "https://console.example")]
    assert status(ask(*page, told=told)) == 200
    assert status(ask(*page, told=told, kind="websocket")) == 101
    assert status(ask(("Host", "10.0.0.5:8501"), ("Origin", "http://10.0.0.5:8501"), told=told)) == 200
    assert status(ask(page[0], ("Origin", "http://console.example"), told=told)) == 403
    assert status(ask(HERE, told=told)) == 403
    assert status(ask(HERE, told=told, kind="websocket")) == 403
    assert status(ask(HERE, told=told, path="/sandbox/v1/x")) == 200
    assert status(ask(HERE, told=told, path=HEALTH_PATH)) == 200
    assert status(ask(HERE, told=told, path=HEALTH_PATH + "/x")) == 403


def test_applications_behind_it_see_the_host_of_the_origin_whatever_a_proxy_sends() -> None:
    told = "https://console.example"
    sent = [("Host", "console.example:8501"), ("Origin", "https://console.example")]
    _, reached = ask(*sent, told=told, kind="websocket")
    assert [value for name, value in reached.scopes[0]["headers"] if name == b"host"] == [b"console.example"]


def test_a_page_that_is_named_may_call_the_sandbox_and_nothing_else() -> None:
    shop = [HERE, ("Origin", SHOP)]
    response, _ = ask(*shop, path="/sandbox/v1/x", method="POST")
    headers = dict(response["headers"])
    assert response["status"] == 200
    assert headers[b"access-control-allow-origin"] == SHOP.encode()
    assert b"access-control-allow-credentials" not in headers
    preflight = [*shop, ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "authorization")]
    response, reached = ask(*preflight, path="/sandbox/v1/x", method="OPTIONS")
    headers = dict(response["headers"])
    assert (response["status"], reached.scopes) == (200, [])
    assert headers[b"access-control-allow-origin"] == SHOP.encode()
    assert headers[b"access-control-allow-headers"] == b"authorization"
    assert status(ask(*shop, path="/")) == 403
    assert status(ask(*shop, path="/_stcore/stream", kind="websocket")) == 403
    other = [HERE, ("Origin", "http://localhost:3001"), ("Access-Control-Request-Method", "POST")]
    assert status(ask(*other, path="/sandbox/v1/x", method="OPTIONS")) == 403
    assert status(ask(*shop, path="/v1/x", sandbox_path="", method="POST")) == 200  # a sandbox that is served alone
    assert status(ask(*other, path="/v1/x", sandbox_path="", method="OPTIONS")) == 403


@pytest.mark.parametrize("server", [("10.0.0.5", 8501), ("::ffff:10.0.0.5", 8501), ("/run/console.sock", None), None])
def test_where_nothing_asks_who_is_there_a_connection_of_another_machine_is_rejected(
    server: tuple[str, int | None] | None,
) -> None:
    assert status(ask(HERE, server=server)) == 403
    assert status(ask(HERE, server=server, path="/sandbox/v1/x")) == 403
    assert status(ask(HERE, server=server, loopback_only=False)) == 200


def test_the_log_has_one_line_for_many_rejected_requests(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    guard = RequestGuard(Reached(), AnsweredAddresses(), sandbox_path="/sandbox", clock=lambda: now[0])
    scope = {
        "type": "websocket",
        "path": "/",
        "headers": [(b"host", b"localhost"), (b"origin", b"null")],
        "server": None,
    }

    async def send(_: Message) -> None:
        return

    async def reject(times: int) -> None:
        for _ in range(times):
            await guard(scope, lambda: asyncio.sleep(0, {}), send)

    asyncio.run(reject(100))
    now[0] = 11
    asyncio.run(reject(1))
    facts = [record.__dict__["facts"]["requests"] for record in caplog.records]
    assert facts == [1, 100]
