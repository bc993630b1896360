"""What a request must have: key, origin, content type, size; and the middleware of a sandbox served alone."""

import base64
import binascii
from collections.abc import Collection
from hmac import compare_digest
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from intempt_core.errors import SandboxRejection
from intempt_core.sandbox.http.body_limits import Admission

SANDBOX_KEY = "sandbox.sandbox"
"""The one key that the sandbox accepts (CONTRACT 3.8); no secret."""

MAX_BODY_BYTES = 10_000_000
"""Bytes of a body at the most; more is 413. Two hundred times what the SDKs send (CONTRACT 1.6)."""

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1", "[::1]")
"""Host names of a local server. A request with any other comes from a page that rebinds its own name to it."""


class RawPathMiddleware:
    """Middleware: routes by the path as it was written, so that ``%2F`` is part of its segment (CONTRACT 1.2).

    Path parameters are then still percent-encoded.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One call of the application."""
        if scope["type"] == "http" and scope.get("raw_path"):
            scope = {**scope, "path": scope["raw_path"].decode("latin-1")}
        await self.app(scope, receive, send)


class JsonHeadersMiddleware:
    """Middleware: security headers for a server that only responds with JSON."""

    _HEADERS = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"),
                (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"))  # fmt: skip

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One call of the application."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._HEADERS]
            await send(message)

        await self.app(scope, receive, with_headers)


def build_standalone_middleware(hosts: tuple[str, ...] = LOCAL_HOSTS) -> list[Middleware]:
    """Build the middleware that a sandbox needs that is served alone."""
    return [Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts)), Middleware(JsonHeadersMiddleware)]


def check_key(request: Request) -> None:
    """Check the key, by HTTP Basic or the parameter ``apiKey`` (CONTRACT 1.5). Raises :class:`SandboxRejection` 401."""
    given = request.headers.get("authorization")
    key = _parse_basic(given) if given is not None else request.query_params.get("apiKey", "")
    if not compare_digest(key.encode("utf-8", "replace"), SANDBOX_KEY.encode()):
        fault = "wrong" if given is not None or key else "missing"
        raise SandboxRejection(
            401,
            f"The API key is {fault}. The sandbox's key is {SANDBOX_KEY}. By HTTP Basic, the user is the part before"
            " the dot and the password the part after it.",
            headers={"WWW-Authenticate": 'Basic realm="sandbox"'},
        )


def _parse_basic(header: str) -> str:
    """``prefix.secret`` of a Basic header, empty where it is none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded.strip()).decode().replace(":", ".", 1)
    except (binascii.Error, ValueError):
        return ""


def check_origin(request: Request, page_origins: Collection[str]) -> None:
    """Check that no page of another host writes, unless it may; servers send no Origin.

    Raises :class:`SandboxRejection` 403.
    """
    origin = request.headers.get("origin")
    if origin is None or origin in page_origins:
        return
    if _parse_netloc(origin) != request.headers.get("host", "").lower():
        raise SandboxRejection(403, "A page of another origin may not write to the sandbox; a server may.")


def _parse_netloc(url: str) -> str | None:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:  # http://[bad
        return None


def check_content_type(request: Request) -> None:
    """Check that the body is JSON and says so, which no HTML form can do. Raises :class:`SandboxRejection` 415."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        given = f"is {kind}" if kind else "is missing"
        raise SandboxRejection(415, f"The content type {given}. The sandbox takes application/json.")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise SandboxRejection(415, f"The content encoding is {encoding}. The sandbox takes bodies as they are.")


def read_content_length(request: Request, max_bytes: int) -> int | None:
    """The stated size of the body in bytes, ``None`` without one. Raises :class:`SandboxRejection` 413 if too large."""
    stated = request.headers.get("content-length", "")
    if not stated.isdecimal():
        return None
    size = int(stated[:20])
    if size > max_bytes:
        raise _build_size_rejection(max_bytes)
    return size


def _build_size_rejection(max_bytes: int) -> SandboxRejection:
    return SandboxRejection(413, f"The body is larger than {max_bytes:,} bytes. Send fewer events in one request.")


async def read_body(request: Request, max_bytes: int, admit: Admission | None = None) -> bytes:
    """Read the body, up to ``max_bytes``; ``admit`` is awaited before each part of it is kept.

    Raises :class:`SandboxRejection` 413, or 400 where the sender went away.
    """
    body = bytearray()
    try:
        async for chunk in request.stream():
            if admit is not None and chunk:
                await admit(len(chunk))
            body += chunk
            if len(body) > max_bytes:
                raise _build_size_rejection(max_bytes)
    except ClientDisconnect:
        raise SandboxRejection(400, "The sender went away before the body was complete.") from None
    return bytes(body)
