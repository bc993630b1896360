"""The guard in front of everything: what a request's Host and Origin must be before any application sees it.

Streamlit compares host names only, asks an outside host for its own address in the event loop at each Origin that it
does not know, and trusts what that answers; routes of ours get none of its checks. So this comes first, on every route
and on the web socket, and what it rejects is answered here: 403, for a socket before it is accepted.
"""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from intempt_core.logs import write_log
from intempt_core.web.origins import AnsweredAddresses, WebOrigin, is_loopback, parse_host, parse_origin

HEALTH_PATH = "/healthz"
"""The path that a supervisor asks, by an address of this machine."""

METRICS_PATH = "/metrics"
"""The path from which Prometheus reads the metrics."""

MONITORING_PATHS = (HEALTH_PATH, METRICS_PATH)
"""Paths that are open to who has not signed in, and say no more then than whether all is well."""

REJECTION_LOG_SECONDS = 10.0
"""Seconds between two log lines about rejected requests: a page may send them without end."""

POLICY_VIOLATION = 1008
"""The close code of a web socket that may not be opened."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Caller:
    """What a request says about where it comes from, each as it was written.

    Attributes:
        hosts: The values of ``Host``.
        origins: The values of ``Origin``.
        from_other_site: Whether the browser says that another origin's page asks, and not by going there.
    """

    hosts: list[str]
    origins: list[str]
    from_other_site: bool


class RequestGuard:
    """Middleware that rejects requests of other origins and for other host names.

    ``addresses`` are where the server answers. Below ``sandbox_path`` (a prefix without its last slash; empty where
    the sandbox is everything that is served) pages of ``sandbox_origins`` may call too, and are answered as CORS asks.
    ``loopback_only`` rejects connections by which another machine could have come in.
    """

    def __init__(
        self,
        app: ASGIApp,
        addresses: AnsweredAddresses,
        *,
        sandbox_path: str,
        sandbox_origins: Collection[WebOrigin] = (),
        loopback_only: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.app = app
        self._addresses = addresses
        self._sandbox_prefix = sandbox_path + "/"
        self._sandbox_origins = frozenset(sandbox_origins)
        self._loopback_only = loopback_only
        self._clock = clock
        self._rejected, self._logged_at = 0, -REJECTION_LOG_SECONDS
        self._sandbox_for_pages = CORSMiddleware(
            app,
            allow_origins=[str(origin) for origin in sandbox_origins],
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["*"],
            expose_headers=["*"],
            allow_private_network=True,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or one socket."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        caller = _read_caller(scope)
        in_sandbox = scope["path"].startswith(self._sandbox_prefix)
        origin = parse_origin(caller.origins[0]) if len(caller.origins) == 1 else None
        if fault := self._find_fault(scope, caller, origin, in_sandbox=in_sandbox):
            self._log_rejection(fault)
            await _reject(scope, receive, send, fault)
        elif in_sandbox and origin in self._sandbox_origins:
            await self._sandbox_for_pages(scope, receive, send)
        else:
            await self.app(scope if origin is None else _name_host(scope, origin), receive, send)

    def _find_fault(self, scope: Scope, caller: _Caller, origin: WebOrigin | None, *, in_sandbox: bool) -> str:
        """What speaks against a request, as a sentence; empty where nothing does."""
        address, port = scope.get("server") or ("", None)
        if self._loopback_only and not is_loopback(address):
            return (
                "The console was reached from another machine, and nothing asks who is there."
                " Set CONSOLE_PASSWORD, or CONSOLE_UNPROTECTED=1 where something in front of it asks."
            )
        # The console calls its own sandbox by an address of this machine, and so do supervisors that ask how it is.
        local_too = in_sandbox or scope["path"] in MONITORING_PATHS
        return self._find_host_fault(caller, local_too=local_too) or self._find_origin_fault(
            caller, origin, port or 0, in_sandbox=in_sandbox
        )

    def _find_host_fault(self, caller: _Caller, *, local_too: bool) -> str:
        host = parse_host(caller.hosts[0]) if len(caller.hosts) == 1 else None
        if host is None:
            return "A request has one header Host, with a host name and perhaps a port."
        if host.name in self._addresses.names or (local_too and host.name in self._addresses.own_names):
            return ""
        return f"Nothing is served at the host name {host.name}. CONSOLE_HOSTS lists where the console answers."

    def _find_origin_fault(self, caller: _Caller, origin: WebOrigin | None, port: int, *, in_sandbox: bool) -> str:
        if not caller.origins:
            return "Pages of other origins may not call the console." if caller.from_other_site else ""
        if origin is None:
            return "A request has one header Origin at the most, and pages of no web server may not call the console."
        if self._addresses.is_page_origin(origin, port):
            return ""
        if not in_sandbox:
            return f"Pages of {origin} may not call the console. CONSOLE_HOSTS lists where it answers."
        if self._addresses.is_own_origin(origin, port) or origin in self._sandbox_origins:
            return ""
        return f"Pages of {origin} may not call the sandbox. CONSOLE_SANDBOX_ORIGINS lists those that may."

    def _log_rejection(self, fault: str) -> None:
        self._rejected += 1
        if self._clock() - self._logged_at >= REJECTION_LOG_SECONDS:
            write_log(_LOG, "requests rejected", level=logging.WARNING, requests=self._rejected, reason=fault)
            self._rejected, self._logged_at = 0, self._clock()


def _read_caller(scope: Scope) -> _Caller:
    hosts, origins, site, mode = [], [], "", ""
    for name, value in scope["headers"]:
        if name == b"host":
            hosts.append(value.decode("latin-1"))
        elif name == b"origin":
            origins.append(value.decode("latin-1"))
        elif name == b"sec-fetch-site":
            site = value.decode("latin-1")
        elif name == b"sec-fetch-mode":
            mode = value.decode("latin-1")
    return _Caller(hosts, origins, site in ("cross-site", "same-site") and mode != "navigate")


def _name_host(scope: Scope, origin: WebOrigin) -> Scope:
    """The scope with the host and port of an origin that may pass, where a proxy has sent another Host.

    Applications behind this one compare the two with each other, and Streamlit asks an outside host where they differ.
    """
    named = origin.netloc.encode()
    if (b"host", named) in scope["headers"]:
        return scope
    return {
        **scope,
        "headers": [(b"host", named), *((name, value) for name, value in scope["headers"] if name != b"host")],
    }


async def _reject(scope: Scope, receive: Receive, send: Send, fault: str) -> None:
    if scope["type"] == "websocket":
        await send(
            {"type": "websocket.close", "code": POLICY_VIOLATION}
        )  # before it is accepted: the server answers 403
        return
    response = PlainTextResponse(fault + "\n", 403, {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})
    await response(scope, receive, send)
