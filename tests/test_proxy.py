"""The proxy of a deployment: each browser stays at its console, goes on at another one when that is gone."""

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import yaml  # type: ignore[import-untyped]

from tests.bench.consoles import free_port
from tests.core.transport.fault_server import HostileServer, answers, closed_port, hostile
from tests.nginx import proxy
from tests.wheels import ROOT

pytestmark = pytest.mark.long

COOKIE = re.compile(r"console_route=([0-9a-f]{32}); Path=/; HttpOnly; SameSite=Lax")


@pytest.fixture
def two() -> Iterator[list[HostileServer]]:
    """Two consoles that say which they are."""
    with ExitStack() as opened:
        yield [opened.enter_context(hostile(answers(200, name))) for name in (b"one", b"two")]


def at(server: HostileServer) -> str:
    return f"127.0.0.1:{server.port}"


def test_a_browser_stays_at_its_console_and_many_are_spread(two: list[HostileServer], tmp_path: Path) -> None:
    with proxy(tmp_path, free_port(), [at(one) for one in two]) as url:
        seen = set()
        for _ in range(24):
            with httpx.Client(base_url=url) as browser:
                first = browser.get("/")
                assert COOKIE.fullmatch(first.headers["set-cookie"])
                again = [browser.get(path) for path in ("/history?batch=1", "/_stcore/health", "/")]
                assert {response.text for response in again} == {first.text}
                assert not any("set-cookie" in response.headers for response in again)
                seen.add(first.text)
        assert seen == {"one", "two"}


def test_a_cookie_that_is_none_of_its_own_is_replaced(two: list[HostileServer], tmp_path: Path) -> None:
    with proxy(tmp_path, free_port(), [at(one) for one in two]) as url:
        for cookie in ("x", "A" * 32, "0" * 33, "%0d%0aX: 1"):
            response = httpx.get(url, headers={"Cookie": f"console_route={cookie}"})
            assert COOKIE.fullmatch(response.headers["set-cookie"])


def test_browsers_of_a_console_that_is_gone_go_on_at_the_other_one(two: list[HostileServer], tmp_path: Path) -> None:
    gone = f"127.0.0.1:{closed_port()}"
    with proxy(tmp_path, free_port(), [gone, at(two[0])]) as url:
        for _ in range(12):
            with httpx.Client(base_url=url) as browser:
                assert [browser.get("/").text for _ in range(3)] == ["one"] * 3


def test_the_host_that_people_type_reaches_the_console_and_the_sandbox_is_one(
    two: list[HostileServer], tmp_path: Path
) -> None:
    with proxy(tmp_path, free_port(), [at(one) for one in two], sandbox=at(two[1])) as url:
        for _ in range(6):
            assert httpx.get(f"{url}/sandbox/v1/x", headers={"Host": "console.example"}).text == "two"
        assert two[1].received[-1].headers["host"] == "console.example"
        assert two[1].received[-1].path == "/sandbox/v1/x"
        assert httpx.get(f"{url}/metrics").status_code == 404


def test_a_socket_is_upgraded(two: list[HostileServer], tmp_path: Path) -> None:
    port = free_port()
    with (
        proxy(tmp_path, port, [at(two[0])]),
        socket.create_connection(("127.0.0.1", port), timeout=10) as client,
    ):
        client.sendall(b"GET /_stcore/stream HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200")
    asked = two[0].received[-1].headers
    assert (asked["upgrade"], asked["connection"]) == ("websocket", "upgrade")


# ── compose.yaml ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_compose_describes_a_database_a_proxy_two_consoles_and_two_workers() -> None:
    described = yaml.safe_load((ROOT / "compose.yaml").read_text())
    services = described["services"]
    assert set(services) == {"postgres", "proxy", "console-1", "console-2", "worker-1", "worker-2"}
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"proxy": ["127.0.0.1:8501:80"]}  # of this machine only
    for name in ("console-1", "console-2", "worker-1", "worker-2"):
        service = services[name]
        assert (service["read_only"], service["cap_drop"], service["volumes"]) == (True, ["ALL"], ["data:/data"])
        given = service["environment"]
        assert "CONSOLE_PASSWORD:?" in given["CONSOLE_PASSWORD"]  # compose does not start without one
        assert "POSTGRES_PASSWORD:?" in given["CONSOLE_DATABASE_URL"]
        assert given["CONSOLE_DATABASE_URL"].startswith("postgresql+psycopg://")
        assert given["CONSOLE_SANDBOX"] == "http://console-1:8501/sandbox"
        assert service["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert [services[name]["command"][0] for name in ("worker-1", "worker-2")] == ["worker", "worker"]
    proxy_variables = set(services["proxy"]["environment"]) - {"NGINX_ENVSUBST_FILTER"}
    template = (ROOT / "docker" / "nginx" / "console.conf.template").read_text()
    assert set(re.findall(r"\$\{(\w+)\}", template)) == proxy_variables
    (mounted,) = services["proxy"]["volumes"]
    assert mounted == "./docker/nginx:/etc/nginx/templates:ro"
    assert set(described["volumes"]) == {"data", "database"}
