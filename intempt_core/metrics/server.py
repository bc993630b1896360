"""Metrics and health of a process that serves nothing else: a worker.

A console serves both itself, behind its own guard. Here everything is read at loopback by a name of this machine, or
with the token; anybody else learns only whether all is well.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from intempt_core.errors import SettingsError
from intempt_core.metrics.page import MetricsPage
from intempt_core.web import HEALTH_PATH, LOOPBACK_NAMES, METRICS_PATH, MetricsToken, is_loopback

REQUEST_SECONDS = 10.0
"""How long a client may take to send its request, and to read the response."""


@contextmanager
def serve_metrics(page: MetricsPage, token: MetricsToken, address: str, port: int) -> Iterator[int]:
    """Serve ``/metrics`` and ``/healthz`` while the block runs; the port, which is a free one where 0 is asked for.

    Raises :class:`SettingsError` where it cannot be listened there.
    """

    class Handler(_MetricsHandler):
        metrics, reader = page, token
        is_local = is_loopback(address)

    try:
        server = ThreadingHTTPServer((address, port), Handler)
    except OSError as error:
        raise SettingsError(f"Metrics cannot be served at {address}, port {port}: {error.strerror}.") from None
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="metrics", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


class _MetricsHandler(BaseHTTPRequestHandler):
    """Answers GET of the two paths."""

    metrics: MetricsPage
    reader: MetricsToken
    is_local: bool
    timeout = REQUEST_SECONDS
    server_version, sys_version = "event-console", ""

    def do_GET(self) -> None:
        """Answer a request."""
        if self.path == HEALTH_PATH:
            is_well = self.metrics.is_healthy()
            status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
            self._answer(status, b'{"status":"ok"}' if is_well else b'{"status":"unavailable"}', "application/json")
        elif self.path == METRICS_PATH:
            text, kind = self.metrics.render(self.headers.get("Accept", ""), everything=self._may_read())
            self._answer(HTTPStatus.OK, text, kind)
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"There is /metrics and /healthz.\n", "text/plain; charset=utf-8")

    def _may_read(self) -> bool:
        # By a name of this machine: a page of another site could reach loopback by a name of its own.
        host = self.headers.get("Host", "")
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
        is_ours = self.is_local and name.lower() in LOOPBACK_NAMES
        return is_ours or self.reader.is_bearer(self.headers.get("Authorization", ""))

    def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing: it is read every few seconds."""
