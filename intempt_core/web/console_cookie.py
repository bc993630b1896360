"""Cookies by which a console notices that a browser reaches others too: a proxy in front of them is not sticky.

What a screen shows is in the memory of one console, so that downloads and sockets of a browser belong there. Every
response leaves a cookie with the name of its console, for two minutes; where a socket arrives with the cookies of two
consoles that are alive, requests of this browser are spread over them.
"""

from collections.abc import Callable, Collection, Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE_PREFIX = "console_at_"
"""What the name of a console follows in the name of its cookie."""

COOKIE_SECONDS = 120
"""How long a console is remembered that does not respond any more."""


class ConsoleCookie:
    """Middleware that leaves the cookie of this console in every response but those below ``excluded_paths``.

    ``find_name`` gives the console's name; where that is empty no cookie is left: it shares nothing with others.
    """

    def __init__(self, app: ASGIApp, find_name: Callable[[], str], *, excluded_paths: Collection[str] = ()) -> None:
        self.app = app
        self._find_name, self._excluded_paths = find_name, tuple(excluded_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or one socket."""
        if scope["type"] != "http" or scope["path"].startswith(self._excluded_paths):
            await self.app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and (name := self._find_name()):
                message.setdefault("headers", [])
                MutableHeaders(scope=message).append(
                    "Set-Cookie",
                    f"{COOKIE_PREFIX}{name}=1; Max-Age={COOKIE_SECONDS}; Path=/; HttpOnly; SameSite=Lax",
                )
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def find_other_consoles(cookies: Mapping[str, str], name: str) -> set[str]:
    """The names of other consoles that a browser has reached lately, by the cookies of its socket."""
    reached = {cookie.removeprefix(COOKIE_PREFIX) for cookie in cookies if cookie.startswith(COOKIE_PREFIX)}
    return reached - {name}
