"""The headers of every response, over real HTTP: pages, files, data, errors, rejections, compressed and not."""

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from streamlit.file_util import get_static_dir
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from intempt_core.web.frontend_page import FrontendPage, read_inline_scripts
from intempt_core.web.guard import RequestGuard
from intempt_core.web.origins import AnsweredAddresses
from intempt_core.web.response_headers import DATA_POLICY, HEADERS, ResponseHeaders
from tests.core.web.served import serve

PAGE = "<!doctype html><html><head><title>x</title><script>\n  window.a = 1\n</script></head>" + "<p>text</p>" * 200
STYLE = "\n.a {color: red}\n"


async def send_page(_: Request) -> Response:
    return HTMLResponse(PAGE, headers={"ETag": '"1"', "Last-Modified": "x", "Cache-Control": "no-cache"})


async def send_page_in_parts(_: Request) -> Response:
    return StreamingResponse((PAGE[place : place + 500] for place in range(0, len(PAGE), 500)), media_type="text/html")


async def send_other_page(_: Request) -> Response:
    return HTMLResponse(PAGE.replace("a = 1", "a = 2"))


async def send_longer_page(_: Request) -> Response:
    return StreamingResponse(iter([PAGE, "<p>more</p>" * 500, "<p>end</p>"]), media_type="text/html")


async def send_own_policy(_: Request) -> Response:
    return HTMLResponse(
        "x", headers={"Content-Security-Policy": "default-src 'self'", "Referrer-Policy": "same-origin"}
    )


async def send_data(_: Request) -> Response:
    return JSONResponse({"a": 1}, headers={"Cache-Control": "public, max-age=60"})


async def send_file(_: Request) -> Response:
    return PlainTextResponse("1", headers={"Cache-Control": "public, max-age=60"})


async def fail(_: Request) -> Response:
    raise ValueError


async def accept(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close(1003)


async def close(socket: WebSocket) -> None:
    await socket.close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    app = Starlette(
        routes=[
            Route("/", send_page),
            Route("/parts", send_page_in_parts),
            Route("/other", send_other_page),
            Route("/longer", send_longer_page),
            Route("/own", send_own_policy),
            Route("/data", send_data, methods=["GET", "POST"]),
            Route("/static/file.js", send_file),
            Route("/fails", fail),
            WebSocketRoute("/accept", accept),
            WebSocketRoute("/close", close),
        ],
        middleware=[
            Middleware(ResponseHeaders, FrontendPage(PAGE, [STYLE]), public_paths=["/static/"]),
            Middleware(RequestGuard, AnsweredAddresses(), sandbox_path="/sandbox"),
            Middleware(GZipMiddleware, minimum_size=100),
        ],
    )
    with serve(app) as opened:
        yield opened


def policy_of(response: httpx.Response) -> dict[str, list[str]]:
    """The directives of a response's policy."""
    directives = (text.split() for text in response.headers["content-security-policy"].split(";"))
    return {name: values for name, *values in directives}


def hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize("path", ["/", "/parts"])
def test_the_page_is_sent_with_its_policy_and_a_nonce_of_its_own(url: str, path: str, encoding: str) -> None:
    first, second = (httpx.get(url + path, headers={"Accept-Encoding": encoding}) for _ in range(2))
    nonces = [re.findall(r'<meta property="csp-nonce" nonce="([\w-]{24})">', page.text) for page in (first, second)]
    assert len({*nonces[0], *nonces[1]}) == 2
    policy = policy_of(first)
    assert policy["script-src"] == ["'self'", "blob:", *map(hash_of, read_inline_scripts(first.text))]
    assert "window.a = 1" in first.text
    assert policy["style-src"] == ["'self'", f"'nonce-{nonces[0][0]}'", hash_of(""), hash_of(STYLE)]
    assert policy["default-src"] == policy["object-src"] == policy["frame-ancestors"] == ["'none'"]
    assert policy["base-uri"] == policy["form-action"] == policy["connect-src"] == ["'self'"]
    assert "unsafe" not in first.headers["content-security-policy"]
    assert first.headers["cache-control"] == "no-store"
    assert not {"etag", "last-modified", "content-encoding"} & set(first.headers)
    assert int(first.headers["content-length"]) == len(first.content)
    head = httpx.head(url + path)
    assert (head.headers["content-length"], head.content) == (first.headers["content-length"], b"")


@pytest.mark.parametrize("path", ["/other", "/longer"])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_another_page_is_sent_as_it_is_and_runs_nothing(url: str, path: str, encoding: str) -> None:
    response = httpx.get(url + path, headers={"Accept-Encoding": encoding})
    assert "csp-nonce" not in response.text
    assert response.text.startswith(PAGE[:40])
    assert response.text.endswith("</p>")
    assert response.headers["content-security-policy"] == DATA_POLICY
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/data", 200), ("POST", "/data", 200), ("HEAD", "/data", 200), ("GET", "/nothing", 404),
        ("PUT", "/data", 405), ("GET", "/static/nothing.js", 404), ("GET", "/fails", 500),
    ],
)  # fmt: skip
def test_everything_else_runs_nothing_and_is_kept_nowhere(url: str, method: str, path: str, status: int) -> None:
    response = httpx.request(method, url + path)
    assert response.status_code == status
    assert response.headers["content-security-policy"] == DATA_POLICY
    assert response.headers["cache-control"] == "no-store"
    assert {name: response.headers[name] for name in HEADERS} == HEADERS


def test_files_of_the_program_alone_may_be_kept(url: str) -> None:
    assert httpx.get(f"{url}/static/file.js").headers["cache-control"] == "public, max-age=60"


def test_a_response_keeps_a_policy_of_its_own(url: str) -> None:
    response = httpx.get(f"{url}/own")
    assert response.headers["content-security-policy"] == "default-src 'self'"
    assert response.headers["referrer-policy"] == "same-origin"
    assert response.headers["x-frame-options"] == "DENY"
    assert httpx.head(f"{url}/own").headers["content-length"] == "1"


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}])
def test_what_the_guard_rejects_carries_them_too(url: str, headers: dict[str, str]) -> None:
    response = httpx.get(f"{url}/data", headers=headers)
    assert response.status_code == 403
    assert response.headers["content-security-policy"] == DATA_POLICY
    assert {name: response.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(("path", "origin"), [("/close", None), ("/accept", "http://evil.example")])
def test_a_socket_that_is_not_accepted_is_answered_with_them(url: str, path: str, origin: str | None) -> None:
    headers = {"Origin": origin} if origin else {}
    with (
        pytest.raises(InvalidStatus) as rejected,
        connect(url.replace("http", "ws") + path, additional_headers=headers),
    ):
        pass
    response = rejected.value.response
    assert response.status_code == 403
    assert response.headers["content-security-policy"] == DATA_POLICY
    assert response.headers["cache-control"] == "no-store"
    assert {name: response.headers[name] for name in HEADERS} == HEADERS


def test_a_socket_that_is_accepted_goes_on_as_it_would(url: str) -> None:
    with connect(url.replace("http", "ws") + "/accept") as socket:
        assert socket.recv() == "hello"
        with pytest.raises(Exception, match="1003"):
            socket.recv()


def test_the_scripts_of_the_installed_frontend_are_known() -> None:
    page = FrontendPage((Path(get_static_dir()) / "index.html").read_bytes().decode())
    nonce = page.make_nonce()
    scripts = read_inline_scripts(page.render(nonce).decode())
    assert len(scripts) == 2  # ours, and Streamlit's
    assert all(hash_of(text) in page.describe_policy(nonce) for text in scripts)


def test_a_page_without_a_head_is_sent_as_it_is() -> None:
    page = FrontendPage("<p>text")
    assert page.render("n") == page.original == b"<p>text"
    assert "script-src 'self' blob:;" in page.describe_policy("n")
