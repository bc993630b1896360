"""A request as it reached the sandbox: who sent it, to which path, with which headers; never with its credential."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode

import orjson
from starlette.requests import Request

from intempt_core.sandbox.store import Arrival

NOT_KEPT = "(not kept)"
"""What stands in the place of a credential."""

_SECRET = frozenset((b"authorization", b"proxy-authorization", b"cookie", b"x-api-key"))


@dataclass(slots=True)
class Seen:
    """One request on its way through the sandbox; ``body`` as far as it was read, ``received_at`` in epoch ms."""

    request: Request
    received_at: int
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path, below where the sandbox is mounted, as it was written."""
        return str(self.request.scope["path"]).removeprefix(self.request.scope.get("root_path", ""))

    def segment(self, name: str) -> str:
        """A path segment as it was meant (CONTRACT 1.2); empty where the path has none of that name (CONTRACT 6.3)."""
        return unquote(self.request.path_params.get(name, ""))

    def arrival(self, **more: object) -> Arrival:
        """The record of it; ``more`` says what became of it."""
        request = self.request
        given = request.headers.get("content-length", "")
        size = max(len(self.body), int(given) if given.isdecimal() and len(given) < 18 else 0)
        return Arrival(
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
        kept = [
            (name.decode("latin-1"), NOT_KEPT if name in _SECRET else value.decode("latin-1"))
            for name, value in self.request.headers.raw
        ]
        return orjson.dumps(kept).decode()

    def _query(self) -> str:
        query = self.request.scope["query_string"].decode("latin-1")
        if not query:
            return ""
        if "apikey" not in query.lower():
            return f"?{query}"
        pairs = parse_qsl(query, keep_blank_values=True)
        return "?" + urlencode([(name, NOT_KEPT if name.lower() == "apikey" else value) for name, value in pairs],
                               safe="()")  # fmt: skip
