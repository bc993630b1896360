"""Each console leaves a cookie of its own, by which a proxy that is not sticky is noticed."""

import asyncio

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from intempt_core.web import ConsoleCookie, find_other_consoles


def get(path: str, name: str) -> httpx.Response:
    """What a console of a name answers."""

    async def respond(_: Request) -> PlainTextResponse:
        return PlainTextResponse("ok")

    cookie = Middleware(ConsoleCookie, lambda: name, excluded_paths=("/sandbox", "/healthz"))
    app = Starlette(routes=[Route("/", respond), Route("/sandbox/x", respond)], middleware=[cookie])

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
            return await client.get(path)

    return asyncio.run(ask())


def test_every_response_leaves_the_cookie_of_its_console_for_two_minutes() -> None:
    assert get("/", "12-ab").headers["set-cookie"] == (
        "console_at_12-ab=1; Max-Age=120; Path=/; HttpOnly; SameSite=Lax"
    )
    assert "set-cookie" in get("/nothing", "12-ab").headers


def test_programs_that_use_the_sandbox_and_consoles_that_share_nothing_get_none() -> None:
    assert "set-cookie" not in get("/sandbox/x", "12-ab").headers
    assert "set-cookie" not in get("/", "").headers


def test_a_browser_that_reached_two_consoles_tells_each_of_the_other() -> None:
    cookies = dict(get("/", "one").cookies) | dict(get("/", "two").cookies) | {"console_route": "x", "other": "1"}
    assert find_other_consoles(cookies, "one") == {"two"}
    assert find_other_consoles({"console_at_one": "1"}, "one") == set()
    assert find_other_consoles({}, "one") == set()
