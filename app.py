"""The composition root: the console and its sandbox in one process, on one port.

``python3 run.py`` starts it. The sandbox is real HTTP below ``/sandbox``. The engine starts and stops with the
server, not with the first visitor. What decides who may reach it stands before Streamlit's own server.
"""

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NoReturn

from intempt_core import logs

LOG_HANDLER = logs.capture_standard_error()  # before the imports below, some of which write to it
"""What writes log lines."""

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from streamlit import config as streamlit_config
from streamlit import logger as streamlit_logger
from streamlit.file_util import get_static_dir
from streamlit.runtime.runtime_util import get_max_widget_state_size_bytes
from websockets import http11

from intempt_core import __version__, sandbox
from intempt_core.dispatch import check_health
from intempt_core.errors import ConsoleError
from intempt_core.settings import Settings
from intempt_core.uploads import create_upload_route
from intempt_core.validation import build_validate_paths, build_validate_schemas, create_validate_route
from intempt_core.web import (
    HEALTH_PATH,
    METRICS_PATH,
    PRIVATE_UMASK,
    AccessControl,
    ConsoleCookie,
    FrontendPage,
    MetricsToken,
    ResponseHeaders,
    SocketFilter,
    answer_malformed_input,
    is_signed_in,
    limit_slow_connections_everywhere,
    make_private_folder,
)
from pages.parts.shared.header import read_page_style, show_exception
from pages.parts.shared.services import get_services, read_exposure
from pages.parts.shared.socket_messages import NEEDED_KINDS, read_message_kind
from pages.parts.shared.widgets.component import read_component_styles

SANDBOX_PATH = "/sandbox"
"""Where the sandbox is mounted."""

_LOG = logging.getLogger("intempt_core.console")

MAX_HEAD_BYTES = 65_536
"""Bytes of a request's head at the most, as uvicorn's own parser has it."""

SWITCH_INTERVAL_SECONDS = 0.001
"""How long a thread keeps Python's interpreter lock while others wait: a fifth of the default, so that screens stay
responsive while a batch is sent to the sandbox in this process.
"""

PUBLIC_PATHS = ("/static/", "/favicon.png", "/manifest.json")
"""Where Streamlit serves the files of its frontend, which are the same for everybody."""


def read_frontend_page() -> FrontendPage:
    """The page of the installed frontend, with the styles that this console adds to it."""
    index = Path(get_static_dir()) / "index.html"
    return FrontendPage(index.read_bytes().decode(), [read_page_style(), *read_component_styles()])


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Open history and start the engine, which resumes unfinished batches; at the end wait for requests in flight."""
    logs.configure_logging()
    drain_on_hang_up()
    answer_malformed_input()
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    try:
        services = await asyncio.to_thread(get_services)
        await asyncio.to_thread(services.start)
    except ConsoleError as error:
        exit_with_error(error)
    gc.collect()
    gc.freeze()  # what is loaded stays: Streamlit searches for reference cycles after every run of a screen
    for notice in services.notices:
        logs.write_log(_LOG, "a notice stands on every screen", level=logging.WARNING, notice=notice)
    try:
        yield
    finally:
        await asyncio.to_thread(services.stop)
        await asyncio.to_thread(track_api.state.store.close)


def attach_log_handler(log: logging.Logger) -> None:
    """What Streamlit calls for each logger that it makes, its server's too: it writes log lines, not plain ones."""
    logs.attach_handler(log, LOG_HANDLER)


def drain_on_hang_up() -> None:
    """Let a terminal that is closed (SIGHUP) end the console as SIGTERM does, unless its caller ignores it (``nohup``).

    Streamlit handles the other signals that end a process; this one would end it at once.
    """
    hang_up = getattr(signal, "SIGHUP", None)
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and hang_up is not None and signal.getsignal(hang_up) is signal.SIG_DFL:
        signal.signal(hang_up, lambda *_: signal.raise_signal(signal.SIGTERM))


async def serve_health(request: Request) -> JSONResponse:
    """Respond with version, database, engine and queue depth; with 503 if this process cannot send.

    Where a password is asked for, who has not given it learns only whether all is well.
    """
    services = get_services()
    healthy, report = await asyncio.to_thread(check_health, services.history, services.dispatcher, __version__)
    if not is_signed_in(request.scope):
        report = {"status": "ok" if healthy else "unavailable"}
    return JSONResponse(report, 200 if healthy else 503, {"Cache-Control": "no-store"})


async def serve_metrics(request: Request) -> Response:
    """Respond with the metrics of this process, as text that Prometheus reads.

    Where a password is asked for, who has given neither it nor the token of metrics learns only whether all is well.
    """
    page, accept = get_services().metrics, request.headers.get("accept", "")
    everything = is_signed_in(request.scope) or metrics_token.is_in(request.scope)
    text, media_type = await asyncio.to_thread(page.render, accept, everything=everything)
    return Response(text, 200, {"Cache-Control": "no-store", "Content-Type": media_type})


def find_console_name() -> str:
    """The name of this console among those that share its database; empty where none does."""
    others = get_services().others
    return others.name if others.shares_database else ""


def open_access() -> tuple[Settings, AccessControl, MetricsToken]:
    """The settings of the environment, and who may reach this console; ends the process with a sentence otherwise."""
    os.umask(PRIVATE_UMASK)
    try:
        settings = Settings.from_environment(os.environ)
        exposure = read_exposure(settings)
        with suppress(OSError):  # what opens a file there says what is wrong
            make_private_folder(settings.data)
        token = MetricsToken.from_environment(os.environ)
        return settings, AccessControl.open(settings, os.environ, exposure), token
    except ConsoleError as error:
        exit_with_error(error)


def exit_with_error(error: ConsoleError) -> NoReturn:
    """End the process with a sentence instead of a traceback: a log line, and plain where a person reads along."""
    sentence = f"The console cannot start. {error}"
    if sys.stderr.isatty() and sys.__stderr__ is not None:
        sys.__stderr__.write(sentence + "\n")
        sys.__stderr__.flush()
    else:
        logs.write_log(_LOG, sentence, level=logging.CRITICAL)
    os._exit(1)  # otherwise the server writes a traceback below the sentence; nothing is open yet


streamlit_logger.setup_formatter = attach_log_handler  # type: ignore[assignment]
# A socket's handshake is parsed twice; the second parser has lower bounds than the first, and never answers what is
# beyond them: a browser with many cookies would wait without end.
http11.MAX_LINE_LENGTH = http11.MAX_NUM_HEADERS = MAX_HEAD_BYTES
# Streamlit makes the server itself, and lets it wait for slow clients without end.
limit_slow_connections_everywhere()
settings, access, metrics_token = open_access()
# Streamlit compares names only, and with its own list; what does not come from where it may never reaches it.
streamlit_config.set_option(
    "server.allowedHosts", [name.strip("[]") for name in access.exposure.addresses.names], "app.py"
)
track_api = sandbox.create_sandbox_app(
    settings.sandbox_file,
    page_origins=[str(origin) for origin in access.sandbox_origins],
    max_store_bytes=settings.sandbox_mb * 1_000_000,
    beside=sandbox.NeighbouringApi(build_validate_paths(), build_validate_schemas()),
)
app = st.App(
    "pages/console.py",
    routes=[
        Mount(SANDBOX_PATH, track_api),
        create_upload_route(lambda: get_services().upload_tokens),
        Route(HEALTH_PATH, serve_health),
        Route(METRICS_PATH, serve_metrics),
        create_validate_route(),
    ],
    middleware=[
        Middleware(ConsoleCookie, find_console_name, excluded_paths=(SANDBOX_PATH, HEALTH_PATH, METRICS_PATH)),
        Middleware(ResponseHeaders, read_frontend_page(), public_paths=PUBLIC_PATHS),
        *access.build_middleware(SANDBOX_PATH),
        Middleware(
            SocketFilter, kinds=NEEDED_KINDS, read_kind=read_message_kind, max_bytes=get_max_widget_state_size_bytes()
        ),
    ],
    lifespan=lifespan,
    on_script_error=show_exception,
)
