"""The composition root: the console and its sandbox in one process, on one port.

``python3 run.py`` starts it. The sandbox is real HTTP below ``/sandbox``. The engine starts and stops with the
server, not with the first visitor.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NoReturn

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from intempt_core import __version__, logs, sandbox
from intempt_core.dispatch import check_health
from intempt_core.errors import ConsoleError
from intempt_core.settings import Settings
from intempt_core.uploads import create_upload_route
from pages.parts.shared.header import show_exception
from pages.parts.shared.services import get_services

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
"""The host names that this server accepts, so that a foreign page cannot reach it under its own name."""

SWITCH_INTERVAL_SECONDS = 0.001
"""How long a thread keeps Python's interpreter lock while others wait: a fifth of the default, so that screens stay
responsive while a batch is sent to the sandbox in this process.
"""

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SecurityHeaders:
    """Middleware that adds :data:`SECURITY_HEADERS` to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, content in SECURITY_HEADERS.items():
                    headers.setdefault(name, content)
            await send(message)

        await self.app(scope, receive, send_with_headers)


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Open history and start the engine, which resumes unfinished batches; at the end wait for requests in flight."""
    logs.configure_logging()
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    try:
        services = await asyncio.to_thread(get_services)
        await asyncio.to_thread(services.start)
    except ConsoleError as error:
        exit_with_error(error)
    try:
        yield
    finally:
        await asyncio.to_thread(services.stop)
        await asyncio.to_thread(track_api.state.store.close)


async def serve_health(_: Request) -> JSONResponse:
    """Respond with version, database, engine and queue depth; with 503 if this process cannot send."""
    services = get_services()
    healthy, report = await asyncio.to_thread(check_health, services.history, services.dispatcher, __version__)
    return JSONResponse(report, 200 if healthy else 503, {"Cache-Control": "no-store"})


def load_settings() -> Settings:
    """The settings of the environment; ends the process with a sentence where they cannot be used."""
    try:
        return Settings.from_environment(os.environ)
    except ConsoleError as error:
        exit_with_error(error)


def exit_with_error(error: ConsoleError) -> NoReturn:
    """End the process with a sentence instead of a traceback."""
    sys.stderr.write(f"The console cannot start. {error}\n")
    sys.stderr.flush()
    os._exit(1)  # otherwise the server writes a traceback below the sentence; nothing is open yet


track_api = sandbox.create_sandbox_app(load_settings().sandbox_file)
app = st.App(
    "pages/console.py",
    routes=[
        Mount("/sandbox", track_api),
        create_upload_route(lambda: get_services().upload_tokens),
        Route("/healthz", serve_health),
    ],
    middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=ALLOWED_HOSTS), Middleware(SecurityHeaders)],
    lifespan=lifespan,
    on_script_error=show_exception,
)
