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

KEPT_HEADER_CHARS, KEPT_PATH_CHARS, KEPT_NAME_CHARS = 8_000, 4_000, 500
"""Characters that are kept of all headers, of path and query, and of each name: of the program and, without the key, of
what the path names.
"""

_SECRET_NAME = re.compile(r"auth|api[-_]?key|^key$|token|secret|password|cookie", re.IGNORECASE)
"""Matches names of headers and query parameters in which a program may send its key."""


@dataclass(slots=True)
class ReceivedRequest:
    """One request that the sandbox is handling.

    Attributes:
        request: Starlette's request.
        received_at: When it arrived, in epoch milliseconds.
        body: The body as far as it was read.
        authorized: Whether it has the key and comes from where it may; checked before the body is read.
    """

    request: Request
    received_at: int
    body: bytes = b""
    authorized: bool = False

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
            self._name("org"),
            self._name("project"),
            self._name("source"),
            _cut_text(request.headers.get("x-intempt-lib") or request.headers.get("user-agent", ""), KEPT_NAME_CHARS),
            self.body,
            request.method,
            _cut_text(self.path + self._query(), KEPT_PATH_CHARS),
            request.client.host if request.client else "",
            self._headers(),
            size,
            authorized=self.authorized,
            **more,  # type: ignore[arg-type]  # fields of an arrival, by name
        )

    def _name(self, segment: str) -> str:
        name = self.segment(segment)
        return name if self.authorized else _cut_text(name, KEPT_NAME_CHARS)

    def _headers(self) -> str:
        kept, space = [], KEPT_HEADER_CHARS
        for name, value in self.request.headers.raw:
            named, secret = _read_header_name(name)
            shown = REDACTED_VALUE if secret else value.decode("latin-1")
            kept.append((_cut_text(named, space), _cut_text(shown, max(space - len(named), 0))))
            space -= len(named) + len(shown)
            if space <= 0:
                break
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


def _cut_text(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}…"


@lru_cache(1024)
def _read_header_name(name: bytes) -> tuple[str, bool]:
    """A header's name, and whether its value is secret."""
    named = name.decode("latin-1")
    return named, _SECRET_NAME.search(named) is not None
