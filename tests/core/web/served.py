"""An application on a real server on a free port, as a browser or a program reaches it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp


@contextmanager
def serve(app: ASGIApp, configure: Callable[[uvicorn.Config], None] | None = None) -> Iterator[str]:
    """Serve an application on 127.0.0.1; the value is its URL. ``configure`` changes how it is served."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(512)  # what comes before the server is ready waits for it
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="websockets-sansio"))
        if configure is not None:
            configure(server.config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
