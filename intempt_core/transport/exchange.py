"""One exchange over the wire: a body leaves, an answer comes, and what a failure of either proves (CONTRACT 3.6).

What a failure proves is decided in one place, :func:`_classify_failure`: *not sent* needs a proof that no byte left: the name, the
connection or TLS failed, and no connection was handed over. Everything else is *unknown*. What an answer means is
``client.py``'s to say.
"""

import asyncio
import errno
import re
import ssl
import time
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, cast

import aiohttp
import httpx
import orjson
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from httpx_aiohttp import AiohttpTransport
from multidict import CIMultiDict

from intempt_core.contract import INVISIBLE_CHARACTERS, MASK, Outcome, now_ms
from intempt_core.settings import Settings
from intempt_core.targets import Credential, Target

IDLE_SECONDS = 4.0
"""How long an idle connection is kept: less than servers do (uvicorn 5 s), lest a request leave into a closed one."""

EXCERPT_CHARACTERS = 300
"""Characters of the server's own words that a sentence repeats."""

_STREAM_MIN_BYTES = 512 * 1024  # bytes; a larger body goes in pieces, lest one write holds up every other lane
_CHUNK_BYTES = 64 * 1024
_HTML_START = re.compile(rb"\s*<(!doctype|html|head|body)", re.IGNORECASE)
_SECRET_HEADERS = frozenset(
    ("set-cookie", "set-cookie2", "authorization", "proxy-authorization", "cookie", "x-api-key")
)


class HttpClient(httpx.AsyncClient):
    """httpx over aiohttp's connections, with the settings that an attempt needs. Made by :func:`open_client`.

    ``wire`` is what its requests leave by, ``heads`` what is the same in all requests to one place.
    """

    settings: Settings
    transport: httpx.AsyncBaseTransport
    request_heads: "dict[tuple[str, Credential], _RequestHead]"


def open_client(
    settings: Settings,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    trust: ssl.SSLContext | None = None,
    idle_seconds: float = IDLE_SECONDS,
) -> HttpClient:
    """A client to be used in ``async with`` inside one event loop.

    It follows no redirect, keeps no cookie and takes nothing from the environment (no proxy, no netrc). ``trust`` is
    what TLS certificates are checked against, by default the usual authorities.
    """
    wire = transport or _open_transport(trust, idle_seconds)
    client = HttpClient(
        transport=wire,
        # httpx's “pool” is aiohttp's whole way to a connection, the name's resolution included.
        timeout=httpx.Timeout(
            connect=settings.connect_seconds,
            pool=settings.connect_seconds,
            write=settings.write_seconds,
            read=settings.read_seconds,
        ),
        headers={"User-Agent": "event-console", "Accept": "application/json", "Accept-Encoding": "identity"},
        follow_redirects=False,
        trust_env=False,
    )
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
    client.settings, client.transport, client.request_heads = settings, wire, {}
    return client


def _open_transport(trust: ssl.SSLContext | None, idle_seconds: float) -> AiohttpTransport:
    trust = trust or httpx.create_ssl_context(trust_env=False)

    def session() -> aiohttp.ClientSession:  # made by the first request: aiohttp wants a running loop
        connector = _Connector(
            limit=0,  # the lanes are the limit; waiting here would be taken for a slow connection
            ssl=trust,
            keepalive_timeout=idle_seconds,
        )
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)

    return AiohttpTransport(verify=trust, trust_env=False, client=session)


@dataclass(slots=True)
class _ConnectionSlot:
    """The connection that the exchange of this task was given; none, and not a byte of it can have left."""

    transport: asyncio.BaseTransport | None = None

    def abort(self) -> None:
        # A mere close lets what is buffered leave later, behind whatever is sent next.
        if isinstance(self.transport, asyncio.WriteTransport):
            socket = self.transport.get_extra_info("socket")
            if socket is not None and socket.fileno() >= 0:  # one that is gone already cannot be aborted
                self.transport.abort()


_CURRENT_SLOT: ContextVar[_ConnectionSlot] = ContextVar("wire")


class _Connector(aiohttp.TCPConnector):
    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  aiohttp's own signature
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        _CURRENT_SLOT.get(_ConnectionSlot()).transport = connection.transport
        return connection


# ── one exchange ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Exchange:
    """What went over the wire: an answer, or a failure and what it proves, or a failure in the middle of an answer."""

    started_at: int
    elapsed_ms: float
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    response_body: bytes = b""
    length: int = 0
    truncated: bool = False
    compressed: bool = False
    sent_headers: tuple[tuple[str, str], ...] = ()
    failure: str = ""
    failure_outcome: Outcome = Outcome.UNKNOWN

    @property
    def is_json(self) -> bool:
        """Whether the answer is JSON, or begins like it where it was cut."""
        if self.truncated:
            return self.response_body.lstrip()[:1] in (b"{", b"[")
        try:
            orjson.loads(self.response_body)
        except ValueError:
            return False
        return True

    @property
    def is_html(self) -> bool:
        """Whether the answer begins like a page."""
        return _HTML_START.match(self.response_body) is not None

    @property
    def excerpt(self) -> str:
        """The beginning of the answer for a sentence: one line, nothing invisible, nothing where there is nothing."""
        text = self.response_body[: 8 * EXCERPT_CHARACTERS].decode(errors="replace")
        if self.is_html:
            title = re.search(r"<title[^>]*>(.*?)</title", text, re.IGNORECASE | re.DOTALL)
            text = title[1] if title else "an HTML page"
        text = " ".join("".join(" " if char in INVISIBLE_CHARACTERS else char for char in text).split())
        return "" if text == "{}" else f"{text[:EXCERPT_CHARACTERS]}…" if len(text) > EXCERPT_CHARACTERS else text

    @property
    def body_kind(self) -> str:
        """What the body is, for a sentence."""
        if self.compressed:
            return "packed in a way that was not asked for"
        if not self.response_body.strip():
            return "an empty body"
        return "an HTML page" if self.is_html else "JSON" if self.is_json else "something else"


class _ChunkedBody(httpx.AsyncByteStream):
    """A large body in pieces. ``whole`` once the last one was handed over."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.complete = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), _CHUNK_BYTES):
            yield self._body[start : start + _CHUNK_BYTES]
        self.complete = True


async def post_body(
    client: HttpClient, target: Target, url: str, body: bytes, *, max_bytes: int, clock: Callable[[], int] = now_ms
) -> Exchange:
    """Post a body and read at the most ``keep`` bytes of the answer. Never raises because of the network.

    ``clock`` gives epoch ms. The target's key is masked in whatever comes back.
    """
    started_at, started = clock(), time.perf_counter()

    def elapsed() -> float:
        return (time.perf_counter() - started) * 1000

    if target.credential is None:
        failure = f"{target.title} has no key: type one, or put it where the target is described."
        return Exchange(started_at, elapsed(), failure=failure, failure_outcome=Outcome.NOT_SENT)
    credential, settings = target.credential, client.settings
    pieces = _ChunkedBody(body) if len(body) >= _STREAM_MIN_BYTES else None
    sent: tuple[tuple[str, str], ...] = ()
    reading = _ResponseReader(
        max_bytes + credential.longest_form
    )  # a key that the cut would halve could not be recognised
    wire = _ConnectionSlot()
    _CURRENT_SLOT.set(wire)
    failure, failed_as = "", Outcome.UNKNOWN
    try:
        # aiohttp bounds the way to a connection and each pause of the server; neither a write that nobody reads nor
        # a body that drips.
        async with asyncio.timeout(settings.connect_seconds + settings.write_seconds + settings.read_seconds):
            head = _prepare_head(client, url, credential)
            sent = (*head.masked_headers, ("content-length", str(len(body))))
            await reading.read(await client.transport.handle_async_request(_PreparedPost(head, body, pieces)))
    except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, UnicodeError) as error:
        answered, connected = reading.response is not None, wire.transport is not None
        failed_as, failure = _classify_failure(error, target, settings, responded=answered, connected=connected)
    finally:
        if not reading.complete or (pieces and not pieces.complete):
            wire.abort()
    response, took = reading.response, elapsed()
    if response is None:
        return Exchange(started_at, took, sent_headers=sent, failure=failure, failure_outcome=failed_as)
    if not failure and pieces and not pieces.complete:
        failure = "it answered before the whole request had left."
    shown = tuple(_mask_header(name, value, credential) for name, value in response.headers.raw)
    encoding, stated = (", ".join(v for k, v in shown if k == name) for name in ("content-encoding", "content-length"))
    answer = _decompress_body(bytes(reading.received), encoding, reading.limit)
    return Exchange(
        started_at,
        took,
        status=response.status_code,
        headers=shown,
        response_body=credential.mask_bytes(answer or b"", max_bytes),
        length=int(stated) if re.fullmatch("[0-9]{1,18}", stated) and not reading.complete else len(answer or b""),
        truncated=not reading.complete or len(answer or b"") > max_bytes,
        compressed=answer is None,
        sent_headers=sent,
        failure=failure,
    )


CACHED_LENGTHS = 1_000
"""Lengths of bodies whose headers are kept for one place."""


@dataclass(frozen=True, slots=True)
class _RequestHead:
    """What is the same in all requests to one place: read and merged once, not for each of a million."""

    url: httpx.URL
    headers: httpx.Headers
    extensions: dict[str, Any]
    masked_headers: tuple[tuple[str, str], ...]
    by_length: "dict[int, CIMultiDict[str]]" = field(default_factory=dict, compare=False, repr=False)

    def headers_for(self, length: int) -> "CIMultiDict[str]":
        """The headers of a body of so many bytes, as aiohttp would make them of httpx's for each request; those of the
        last lengths are kept, for the bodies of one plan are much alike. Nobody changes them.
        """
        found = self.by_length.get(length)
        if found is None:
            found = CIMultiDict([*self.headers.multi_items(), ("content-length", str(length))])
            if len(self.by_length) >= CACHED_LENGTHS:
                self.by_length.clear()
            self.by_length[length] = found
        return found


def _prepare_head(client: HttpClient, url: str, credential: Credential) -> _RequestHead:
    found = client.request_heads.get((url, credential))
    if found is None:
        given = {"Authorization": credential.authorization, "Content-Type": "application/json"}
        first = client.build_request("POST", url, headers=given)
        del first.headers["Content-Length"]
        shown = tuple((k, f"Basic {MASK}" if k == "authorization" else v) for k, v in first.headers.items())
        found = client.request_heads[url, credential] = _RequestHead(first.url, first.headers, first.extensions, shown)
    return found


class _PreparedPost(httpx.Request):
    """A request whose head is made already."""

    def __init__(self, head: _RequestHead, body: bytes, chunks: _ChunkedBody | None) -> None:
        self.method, self.url, self.extensions = "POST", head.url, head.extensions
        self.headers = cast("httpx.Headers", head.headers_for(len(body)))  # the transport only hands them on
        if chunks is None:
            self.stream, self._content = httpx.ByteStream(body), body
        else:
            self.stream = chunks


def _mask_header(name: bytes, value: bytes, credential: Credential) -> tuple[str, str]:
    """A header of an answer as it may be seen."""
    key = name.decode("latin-1").lower()
    if key in _SECRET_HEADERS:
        return key, MASK
    try:
        return key, credential.mask_text(value.decode())
    except UnicodeDecodeError:
        return key, credential.mask_text(value.decode("latin-1"))


class _ResponseReader:
    """An answer as far as it was read: at the most ``reach`` bytes, however long it is."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.response: httpx.Response | None = None
        self.received = bytearray()
        self.complete = False

    async def read(self, response: httpx.Response) -> None:
        self.response = response
        try:
            # The stream itself, as it comes: httpx's own way to it counts and cuts what is cut here anyway.
            stream = cast("httpx.AsyncByteStream", response.stream)
            async with aclosing(cast("AsyncGenerator[bytes, None]", aiter(stream))) as chunks:
                async for chunk in chunks:
                    self.received += chunk[: self.limit - len(self.received)]
                    if len(self.received) >= self.limit:
                        return
            self.complete = True
        finally:
            await response.aclose()


def _decompress_body(data: bytes, encoding: str, limit: int) -> bytes | None:
    """A body as it was before a server packed it unasked, at most ``limit`` bytes; ``None`` where it cannot be told."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return data
    # zlib's words for: a gzip or a zlib header · no header at all, which some call deflate too
    for form in {"gzip": (47,), "x-gzip": (47,), "deflate": (47, -15)}.get(encoding, ()):
        with suppress(zlib.error):
            return zlib.decompressobj(form).decompress(data, limit)
    return None


# ── what a failure proves ────────────────────────────────────────────────────────────────────────────────────────────


def _classify_failure(
    error: Exception, target: Target, settings: Settings, *, responded: bool, connected: bool
) -> tuple[Outcome, str]:
    """What a failed exchange proves (CONTRACT 3.6), and in words what happened.

    The transport raises ``httpx.ConnectTimeout`` also for a connection that broke *after* the request had left. So the
    cause is asked, aiohttp's own exception, wherever there is one.
    """
    cause = error.__cause__ if isinstance(error.__cause__, aiohttp.ClientError) else error
    if responded:
        late = isinstance(cause, TimeoutError | httpx.TimeoutException)
        return Outcome.UNKNOWN, "the rest of the answer did not come in time." if late else "the answer broke off."
    not_sent = "" if connected else _explain_not_sent(cause, target.host, settings)
    if not_sent:
        return Outcome.NOT_SENT, not_sent if target.credential is None else target.credential.mask_text(not_sent)
    host = target.host
    match cause:
        case TimeoutError() | httpx.TimeoutException():
            return Outcome.UNKNOWN, f"{host} did not answer in time."
        case aiohttp.ClientResponseError() | httpx.ProtocolError():
            return Outcome.UNKNOWN, f"{host} answered with something that is not HTTP."
        case _:
            return Outcome.UNKNOWN, f"{host} closed the connection without an answer."


def _explain_not_sent(cause: Exception, host: str, settings: Settings) -> str:
    """In words why nothing left; empty where that is not proven."""
    match cause:
        case aiohttp.ClientConnectorDNSError():
            return f"The name {cause.host} does not resolve."
        case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError() as wrong):
            return f"The TLS certificate of {host} is not trusted: {wrong.verify_message}."
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return f"No TLS with {host}: it does not speak TLS there, or none that is safe."
        case aiohttp.ClientConnectorError(os_error=OSError(errno=errno.ECONNREFUSED)):
            return f"{host} refuses connections: nobody listens at this port."
        case aiohttp.ClientConnectorError() | httpx.ConnectError():
            found = getattr(cause, "strerror", None) or "the system gives no reason"
            return f"No connection to {host}: {found}."
        case aiohttp.ConnectionTimeoutError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
            return f"No connection to {host} within {settings.connect_seconds:g} s."
        case httpx.InvalidURL() | httpx.UnsupportedProtocol() | aiohttp.InvalidURL() | UnicodeError():
            return f"The address of {host} cannot be used."
        case _:
            return ""
