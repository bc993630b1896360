"""The password: asked for once a browser, on every route and socket; never guessed by trying."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from intempt_core.errors import SettingsError
from intempt_core.web.password import FORM_BYTES, PasswordCheck, PasswordGate, is_signed_in
from intempt_core.web.password_page import parse_next_path
from intempt_core.web.throttle import AttemptRate, AttemptThrottle
from tests.core.web.served import serve

PASSWORD = "correct horse ü"
PAGE = {"accept": "text/html"}


async def answer(request: Request) -> JSONResponse:
    signed_in = is_signed_in(request.scope)
    return JSONResponse({"path": request.url.path, "signed_in": signed_in, "session": request.session})


async def open_socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("open")
    await websocket.close()


SANDBOX = Starlette(routes=[Route("/v1/x", lambda _: PlainTextResponse("sandbox"), methods=["GET", "POST"])])
APPLICATION = SessionMiddleware(  # like Streamlit's own, it replaces the session further in
    Starlette(
        routes=[
            Mount("/sandbox", SANDBOX),
            WebSocketRoute("/_stcore/stream", open_socket),
            Route("/{path:path}", answer, methods=["GET", "PUT"]),
        ]
    ),
    "another key",
)


class Browsers(Protocol):
    """Opens browsers, each without cookies, at the application behind a gate of its own."""

    def __call__(
        self, password: str = PASSWORD, *, https_only: bool = False, throttle: AttemptThrottle | None = None
    ) -> httpx.Client: ...


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Browsers]:
    with ExitStack() as opened:

        def open_browser(
            password: str = PASSWORD, *, https_only: bool = False, throttle: AttemptThrottle | None = None
        ) -> httpx.Client:
            check = PasswordCheck.open(tmp_path / "password.key", password)
            gate = PasswordGate(APPLICATION, check, sandbox_path="/sandbox", https_only=https_only, throttle=throttle)
            return opened.enter_context(httpx.Client(base_url=opened.enter_context(serve(gate))))

        yield open_browser


def sign_in(browser: httpx.Client, password: str = PASSWORD, next_path: str = "/history?batch=1") -> httpx.Response:
    return browser.post("/_password", data={"password": password, "next": next_path})


def is_open(browser: httpx.Client) -> bool:
    return browser.get("/history", headers=PAGE).status_code == 200


def opens_socket(browser: httpx.Client) -> bool:
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    url = f"ws://{browser.base_url.netloc.decode()}/_stcore/stream"
    try:
        with connect(url, additional_headers={"Cookie": cookies}, proxy=None) as opened:
            return opened.recv() == "open"
    except InvalidStatus as answered:
        return answered.response.status_code != 403


def test_it_is_asked_for_on_every_route_and_socket_and_once_a_browser(served: Browsers) -> None:
    browser = served()
    page = browser.get("/history?batch=1&x=%22", headers=PAGE)
    assert page.status_code == 401
    assert 'value="/history?batch=1&amp;x=%22"' in page.text
    assert "no-store" in page.headers["cache-control"]
    for method, path in (
        ("GET", "/media/x"),
        ("PUT", "/_upload"),
        ("POST", "/"),
        ("GET", "/_stcore/health"),
        ("GET", "/sandbox"),
    ):
        assert browser.request(method, path).status_code == 401
    assert not opens_socket(browser)

    response = sign_in(browser)
    assert (response.status_code, response.headers["location"]) == (303, "/history?batch=1")
    cookie = response.headers["set-cookie"].lower()
    assert "samesite=strict" in cookie
    assert "httponly" in cookie
    assert "secure" not in cookie
    assert browser.get("/history").json() == {"path": "/history", "signed_in": True, "session": {}}
    assert browser.put("/_upload").status_code == 200
    assert opens_socket(browser)
    assert browser.get("/_password").headers["location"] == "/"
    assert not is_open(served())  # another browser


def test_the_sandbox_has_its_own_key_and_the_health_says_who_asks(served: Browsers) -> None:
    browser = served()
    assert browser.post("/sandbox/v1/x").text == "sandbox"
    assert browser.get("/healthz").json()["signed_in"] is False
    assert browser.get("/healthz/x").status_code == 401
    sign_in(browser)
    assert browser.get("/healthz").json()["signed_in"] is True


def test_a_session_outlives_the_process_but_not_the_password_nor_its_key(served: Browsers, tmp_path: Path) -> None:
    browser = served()
    sign_in(browser)
    again, changed = served(), served("another")
    again.cookies.update(browser.cookies)
    changed.cookies.update(browser.cookies)
    assert is_open(again)
    assert not is_open(changed)
    assert not opens_socket(changed)
    (tmp_path / "password.key").unlink()
    lost = served()
    lost.cookies.update(browser.cookies)
    assert not is_open(lost)


def test_the_key_is_private_made_once_and_made_again_where_it_is_damaged(tmp_path: Path) -> None:
    file = tmp_path / "password.key"
    first = PasswordCheck.open(file, PASSWORD)
    assert file.stat().st_mode & 0o777 == 0o600
    assert PasswordCheck.open(file, PASSWORD).session_key == first.session_key
    file.write_bytes(b"")
    assert PasswordCheck.open(file, PASSWORD).session_key != first.session_key
    assert [path.name for path in tmp_path.iterdir()] == ["password.key"]
    assert PASSWORD not in repr(first)
    with pytest.raises(SettingsError, match="cannot be kept"):
        PasswordCheck.open(tmp_path / "absent" / "password.key", PASSWORD)


@pytest.mark.parametrize(
    "given", ["", "wrong", PASSWORD[:-1], PASSWORD + "x", PASSWORD.upper(), "\ud800", "x" * 10_000]
)
def test_another_password_opens_nothing(served: Browsers, given: str) -> None:
    browser = served()
    response = browser.post(
        "/_password",
        content=f"password={quote(given, errors='surrogatepass')}&next=/",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert response.status_code == 401
    assert "That is not the password." in response.text
    assert "set-cookie" not in response.headers
    assert not is_open(browser)


def test_the_password_may_be_typed_in_either_form_of_its_accents(served: Browsers) -> None:
    assert sign_in(served(), " correct horse u\u0308 ").status_code == 303


@pytest.mark.parametrize(
    "forged", ["x", "eyJzaWduZWRfaW4iOiB0cnVlfQ==", "eyJzaWduZWRfaW4iOiB0cnVlfQ==.aaaaaa.bbbb", "null"]
)
def test_a_forged_cookie_opens_nothing(served: Browsers, tmp_path: Path, forged: str) -> None:
    browser = served()
    name = PasswordCheck.open(tmp_path / "password.key", PASSWORD).cookie_name
    browser.cookies.set(name, forged)
    assert not is_open(browser)
    assert not opens_socket(browser)


def test_under_https_the_cookie_is_secure(served: Browsers) -> None:
    assert "; secure" in sign_in(served(https_only=True)).headers["set-cookie"]


@pytest.mark.parametrize(
    "next_path",
    ["//evil.example", "/\\evil.example", "https://evil.example", "", "x", "/a\r\nSet-Cookie: x=1", "/_password"],
)
def test_it_leads_to_no_other_server(next_path: str) -> None:
    assert parse_next_path(next_path) == "/"


def test_a_link_of_another_site_asks_again_with_the_cookie_before_it_asks_for_the_password(served: Browsers) -> None:
    browser = served()
    arriving = browser.get("/history", headers={**PAGE, "sec-fetch-site": "cross-site"})
    assert 'http-equiv="refresh" content="0"' in arriving.text
    assert "Password" in browser.get("/history", headers={**PAGE, "sec-fetch-site": "same-origin"}).text


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"x" * (FORM_BYTES + 1), "application/x-www-form-urlencoded", 413),
        (b"{}", "application/json", 415),
        (b"password=\xff%ff%zz&&&=;", "application/x-www-form-urlencoded", 401),
        (b"", "application/x-www-form-urlencoded", 401),
    ],
)
def test_a_form_that_is_none_is_rejected(served: Browsers, content: bytes, kind: str, status: int) -> None:
    response = served().post("/_password", content=content, headers={"content-type": kind})
    assert response.status_code == status


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def throttle(now: list[float]) -> Callable[[int, int], AttemptThrottle]:
    return lambda client, in_all: AttemptThrottle(AttemptRate(client, 10), AttemptRate(in_all, 1), clock=lambda: now[0])


def test_attempts_are_bounded_and_the_right_password_is_not_even_compared_then(
    served: Browsers, now: list[float], throttle: Callable[[int, int], AttemptThrottle]
) -> None:
    browser = served(throttle=throttle(3, 100))
    assert [sign_in(browser, "wrong").status_code for _ in range(4)] == [401, 401, 401, 429]
    response = sign_in(browser)
    assert (response.status_code, response.headers["retry-after"]) == (429, "11")
    now[0] = 10.1
    assert sign_in(browser).status_code == 303
    assert sign_in(browser, "wrong").status_code == 401


def test_many_clients_together_are_bounded_too_and_one_network_counts_as_one(
    now: list[float], throttle: Callable[[int, int], AttemptThrottle]
) -> None:
    tried = throttle(3, 10)
    assert sum(tried.take(f"10.0.0.{number}") == 0 for number in range(50)) == 10
    now[0] = 1.0
    assert sum(tried.take(f"10.0.1.{number}") == 0 for number in range(50)) == 1
    tried = throttle(3, 100)
    assert sum(tried.take(f"fd00::{number:x}") == 0 for number in range(50)) == 3
    assert tried.take("fd00:0:0:1::1") == 0
    assert tried.take("no address") == 0


def test_a_flood_of_clients_takes_no_memory(throttle: Callable[[int, int], AttemptThrottle]) -> None:
    tried = throttle(3, 10**9)
    for number in range(11_000):
        tried.take(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(tried._clients) == 10_000


def test_a_file_system_without_links_keeps_the_key_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.link", link)
    file = tmp_path / "password.key"
    assert PasswordCheck.open(file, PASSWORD).session_key == PasswordCheck.open(file, PASSWORD).session_key
    assert file.stat().st_mode & 0o777 == 0o600
