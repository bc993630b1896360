"""A request as it reached the sandbox: its sender, path, headers and body, without its credential."""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlencode

import orjson
from starlette.requests import Request

from intempt_core.sandbox.storage.store import StoredRequest

REDACTED_VALUE = "(not kept)"
"""What a credential is replaced by."""

_SECRET_NAME = re.compile(r"auth|api[-_]?key|^key$|token|secret|password|cookie", re.IGNORECASE)
"""Matches names of headers and query parameters in which a program may send its key."""


@dataclass(slots=True)
class ReceivedRequest:
    """One request that the sandbox is handling.

    Attributes:
        request: Starlette's request.
        received_at: When it arrived, in epoch milliseconds.
        body: The body as far as it was read.
    """

    request: Request
    received_at: int
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path as it was written, below where the sandbox is mounted."""
        return str(self.request.scope["path"]).removeprefix(self.request.scope.get("root_path", ""))

    def segment(self, name: str) -> str:
        """A path segment, decoded (CONTRACT 1.2); empty where the path has none of that name (CONTRACT 6.3)."""
        return unquote(self.request.path_params.get(name, ""))

    def to_stored_request(self, **more: object) -> StoredRequest:
        """The record of it; ``more`` are the fields that say what became of it."""
        request = self.request
        given = request.headers.get("content-length", "")
        size = max(len(self.body), int(given) if given.isdecimal() and len(given) < 18 else 0)
        return StoredRequest(
            self.received_at,
            self.segment("org"),
            self.segment("project"),
            self.segment("source"),
            request.headers.get("x-intempt-lib") or request.headers.get("user-agent", ""),
            self.body,
            request.method,
            self.path + self._query(),
            request.client.host if request.client else "",
            self._headers(),
            size,
            **more,  # type: ignore[arg-type]  # fields of an arrival, by name
        )

    def _headers(self) -> str:
        kept = []
        for name, value in self.request.headers.raw:
            named, secret = _read_header_name(name)
            kept.append((named, REDACTED_VALUE if secret else value.decode("latin-1")))
        return orjson.dumps(kept).decode()

    def _query(self) -> str:
        query = self.request.scope["query_string"].decode("latin-1")
        if not query:
            return ""
        pairs = parse_qsl(query, keep_blank_values=True)
        if not any(_SECRET_NAME.search(name) for name, _ in pairs):
            return f"?{query}"
        return "?" + urlencode(
            [(name, REDACTED_VALUE if _SECRET_NAME.search(name) else value) for name, value in pairs], safe="()"
        )


@lru_cache(1024)
def _read_header_name(name: bytes) -> tuple[str, bool]:
    """A header's name, and whether its value is secret."""
    named = name.decode("latin-1")
    return named, _SECRET_NAME.search(named) is not None
