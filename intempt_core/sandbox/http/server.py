"""The sandbox as a server of its own, on 127.0.0.1."""

import socket
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from intempt_core.contract import FaultDocument
from intempt_core.sandbox.http.auth import build_standalone_middleware
from intempt_core.sandbox.http.fault_injector import FaultInjector
from intempt_core.sandbox.http.openapi import NeighbouringApi
from intempt_core.sandbox.http.routes import create_sandbox_app
from intempt_core.sandbox.http.waiting import ArrivalSignal
from intempt_core.sandbox.storage.store import MAX_STORE_BYTES

LOOPBACK_HOST = "127.0.0.1"

SHUTDOWN_GRACE_SECONDS = 3
"""How long a shutdown waits for requests that are still held, by a simulated failure perhaps."""


@contextmanager
def run_sandbox(
    file: Path,
    port: int = 0,
    latency_ms: int = 0,
    faults: FaultDocument | None = None,
    *,
    middleware: Sequence[Middleware] = (),
    page_origins: Collection[str] = (),
    max_store_bytes: int = MAX_STORE_BYTES,
    arrival_signal: ArrivalSignal | None = None,
    beside: NeighbouringApi | None = None,
    configure: Callable[[uvicorn.Config], None] | None = None,
) -> Iterator[str]:
    """Run the sandbox in a thread, beside other work; the value is its URL.

    ``port`` 0 takes any free one; ``latency_ms`` is added to every response; ``faults`` are simulated. ``middleware``
    comes before its own; pages of ``page_origins`` may write; ``max_store_bytes`` bounds the database,
    ``arrival_signal`` how requests wait for events; ``beside`` is what else is served; ``configure`` changes how it is
    served. Raises OSError where the port is taken.
    """
    with _open_listener(port) as listener:
        made = create_sandbox_app(
            file,
            latency_ms=latency_ms,
            middleware=[*middleware, *build_standalone_middleware()],
            injector=FaultInjector(faults),
            page_origins=page_origins,
            max_store_bytes=max_store_bytes,
            arrival_signal=arrival_signal,
            beside=beside,
        )
        server = _create_server(made)
        if configure is not None:
            configure(server.config)
        # The socket listens already: a request that comes before the thread is ready waits for it.
        thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
        thread.start()
        try:
            yield f"http://{LOOPBACK_HOST}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
            made.state.store.close()


def _create_server(made: Starlette) -> uvicorn.Server:
    return uvicorn.Server(uvicorn.Config(made, log_config=None, access_log=False, lifespan="off", ws="none",
                                         timeout_graceful_shutdown=SHUTDOWN_GRACE_SECONDS))  # fmt: skip


@contextmanager
def _open_listener(port: int) -> Iterator[socket.socket]:
    # The protocol is named because asyncio switches off delayed packets (40 ms a response) only then.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK_HOST, port))
        listener.listen(128)
        yield listener
