"""One HTTP exchange: a body is posted, a response is read, and what a failure of either proves (CONTRACT 3.6).

What a failure proves is decided in one place, :func:`_classify_failure`: *not sent* needs a proof that no byte was
sent: the name, the connection or TLS failed, and no connection was handed over. Everything else is *unknown*. What a
response means, ``track_client.py`` says.
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
from typing import Any, NamedTuple, Self, TypeAlias, cast

import aiohttp
import httpx
import orjson
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from intempt_core.contract import INVISIBLE_CHARACTERS, MASK, Outcome, now_ms
from intempt_core.settings import Settings
from intempt_core.targets import SANDBOX, Credential, Target, is_loopback_address
from intempt_core.transport._httpx_fast import PreparedPost, PreparedTransport, ReadyStream, RequestHead
from intempt_core.transport.tls import load_tls_context

USER_AGENT = "event-console"
"""What the console calls itself in every request."""

IDLE_SECONDS = 4.0
"""How long an idle connection is kept: less than servers do (uvicorn 5 s), so that none is used that they closed."""

KNOWN_RESPONSE_HEADS = 64
"""How many different heads of responses are remembered in their masked form."""

EXCERPT_CHARACTERS = 300
"""Characters of the server's own message that a sentence repeats."""

_STREAM_MIN_BYTES = (
    512 * 1024
)  # bytes; a larger body is sent in pieces, so that one write does not hold up every other lane
_CHUNK_BYTES = 64 * 1024
_HTML_START = re.compile(rb"\s*<(!doctype|html|head|body)", re.IGNORECASE)
_SECRET_HEADERS = frozenset(
    ("set-cookie", "set-cookie2", "authorization", "proxy-authorization", "cookie", "x-api-key")
)


@dataclass(frozen=True, slots=True)
class HttpClient:
    """An HTTP client with the settings that an attempt needs. Made by :func:`open_client`, used in ``async with``.

    Attributes:
        http: The client that builds requests and owns the connections.
        transport: What requests are handed to.
        settings: Timeouts in seconds and limits in bytes.
        heads: The prepared heads of requests, by URL and credential.
        response_heads: The last heads of responses, masked.
    """

    http: httpx.AsyncClient
    transport: httpx.AsyncBaseTransport
    settings: Settings
    heads: "dict[tuple[str, Credential], _MaskedHead]" = field(default_factory=dict, repr=False)
    response_heads: "dict[tuple[Credential, _RawHeaders], _ResponseHead]" = field(default_factory=dict, repr=False)

    async def __aenter__(self) -> Self:
        await self.http.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.http.__aexit__(*error)


def open_client(
    settings: Settings,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    trust: ssl.SSLContext | None = None,
    idle_seconds: float = IDLE_SECONDS,
) -> HttpClient:
    """Open a client, to be used in ``async with`` inside one event loop.

    It follows no redirect, keeps no cookie and takes nothing from the environment (no proxy, no netrc). ``trust`` is
    what TLS certificates are checked against, by default the usual authorities. ``idle_seconds`` is how long an idle
    connection is kept.
    """
    wire = transport or _open_transport(trust, idle_seconds)
    http = httpx.AsyncClient(
        transport=wire,
        # httpx's “pool” is aiohttp's whole way to a connection, the name's resolution included.
        timeout=httpx.Timeout(
            connect=settings.connect_seconds,
            pool=settings.connect_seconds,
            write=settings.write_seconds,
            read=settings.read_seconds,
        ),
        headers={"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "identity"},
        follow_redirects=False,
        trust_env=False,
    )
    http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
    return HttpClient(http, wire, settings)


def _open_transport(trust: ssl.SSLContext | None, idle_seconds: float) -> PreparedTransport:
    trust = trust or load_tls_context("track")

    def session() -> aiohttp.ClientSession:  # opened by the first request: aiohttp wants a running loop
        connector = _Connector(
            limit=0,  # the lanes are the limit; waiting here would be taken for a slow connection
            ssl=trust,
            keepalive_timeout=idle_seconds,
        )
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)

    return PreparedTransport(verify=trust, trust_env=False, client=session)


@dataclass(slots=True)
class _ConnectionSlot:
    """The connection that the exchange of this task was given; while there is none, no byte can have been sent."""

    is_key_secret: bool = True
    transport: asyncio.BaseTransport | None = None

    def abort(self) -> None:
        # A mere close would let what is buffered be sent later, after the next request.
        if isinstance(self.transport, asyncio.WriteTransport):
            socket = self.transport.get_extra_info("socket")
            if socket is not None and socket.fileno() >= 0:  # one that is gone already cannot be aborted
                self.transport.abort()


_CURRENT_SLOT: ContextVar[_ConnectionSlot] = ContextVar("connection slot")


class _ClearTextConnection(aiohttp.ClientConnectionError):
    """A connection without encryption to another machine, over which no key may travel."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(f"{host} leads to {address}: over http:// the key would travel in clear text. Write https://.")


class _Connector(aiohttp.TCPConnector):
    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  aiohttp's own signature
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        slot = _CURRENT_SLOT.get(_ConnectionSlot())
        if slot.is_key_secret and not req.is_ssl() and connection.transport is not None:
            # The name was checked when the target was described; where it leads is decided only now.
            address = (connection.transport.get_extra_info("peername") or ("nowhere",))[0]
            if not is_loopback_address(address):
                connection.close()
                raise _ClearTextConnection(req.url.host or "", address)
        slot.transport = connection.transport
        return connection


# ── one exchange ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Exchange:
    """What went over the wire: a response, or a failure and what it proves, or a failure in the middle of a response.

    Attributes:
        started_at: When it began, in epoch milliseconds.
        elapsed_ms: Milliseconds until it was over.
        status: The HTTP status, ``None`` without a response.
        headers: The response's, free of secrets.
        response_body: The body as far as it was asked for, decompressed, free of secrets.
        length: Bytes of the response's body, as stated or as far as it was read.
        truncated: Whether ``response_body`` is not the whole body.
        compressed: Whether the body is compressed in a way that is not understood; ``response_body`` is then empty.
        sent_headers: The request's headers, free of secrets.
        failure: What went wrong, as a sentence; empty where nothing did.
        failure_outcome: What the failure proves.
    """

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
        """Whether the response is JSON, or begins like it where it was cut."""
        if self.truncated:
            return self.response_body.lstrip()[:1] in (b"{", b"[")
        try:
            orjson.loads(self.response_body)
        except ValueError:
            return False
        return True

    @property
    def is_html(self) -> bool:
        """Whether the response begins like an HTML page."""
        return _HTML_START.match(self.response_body) is not None

    @property
    def excerpt(self) -> str:
        """The beginning of the response for a sentence: one line without invisible characters; empty for ``{}``."""
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
            return "compressed in a way that was not asked for"
        if not self.response_body.strip():
            return "an empty body"
        return "an HTML page" if self.is_html else "JSON" if self.is_json else "something else"


class _ChunkedBody(httpx.AsyncByteStream):
    """A large body in pieces; ``complete`` once the last one was handed over."""

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
    """Post a body and read at most ``max_bytes`` bytes of the response. Never raises because of the network.

    ``clock`` gives epoch milliseconds. The target's key is masked in the response.
    """
    started_at, started = clock(), time.perf_counter()
    if target.credential is None:
        failure = f"{target.title} has no key: type one, or put it where the target is described."
        return Exchange(started_at, 0.0, failure=failure, failure_outcome=Outcome.NOT_SENT)
    credential, settings = target.credential, client.settings
    chunks = _ChunkedBody(body) if len(body) >= _STREAM_MIN_BYTES else None
    sent_headers: tuple[tuple[str, str], ...] = ()
    reader = _ResponseReader(max_bytes + credential.longest_form)  # so that a key at the cut is recognised, and masked
    slot = _ConnectionSlot(is_key_secret=target.origin != SANDBOX)
    _CURRENT_SLOT.set(slot)
    failure, outcome = "", Outcome.UNKNOWN
    try:
        # aiohttp bounds the way to a connection and each pause of the server; neither a write that nobody reads nor
        # a body that drips.
        async with asyncio.timeout(settings.connect_seconds + settings.write_seconds + settings.read_seconds):
            prepared = _prepare_head(client, url, credential)
            sent_headers = (*prepared.masked_headers, ("content-length", str(len(body))))
            request = PreparedPost(prepared.head, body, chunks)
            await reader.read(await client.transport.handle_async_request(request))
    except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, UnicodeError) as error:
        responded, connected = reader.response is not None, slot.transport is not None
        outcome, failure = _classify_failure(error, target, settings, responded=responded, connected=connected)
    finally:
        if not reader.complete or (chunks and not chunks.complete):
            slot.abort()
    elapsed_ms = (time.perf_counter() - started) * 1000
    if reader.response is None:
        return Exchange(started_at, elapsed_ms, sent_headers=sent_headers, failure=failure, failure_outcome=outcome)
    if not failure and chunks and not chunks.complete:
        failure = "it answered before the whole request was sent."
    response = _read_response(reader, reader.response, credential, max_bytes, client.response_heads)
    return Exchange(started_at, elapsed_ms, sent_headers=sent_headers, failure=failure, **response)


def _read_response(
    reader: "_ResponseReader",
    response: httpx.Response,
    credential: Credential,
    max_bytes: int,
    known: "dict[tuple[Credential, _RawHeaders], _ResponseHead]",
) -> dict[str, Any]:
    """The fields of an :class:`Exchange` that say what the response is."""
    stream = response.stream
    raw = stream.raw_headers if isinstance(stream, ReadyStream) else tuple(response.headers.raw)
    headers, encoding, stated = _mask_head(raw, credential, known)
    body = _decompress_body(bytes(reader.received), encoding, reader.limit)
    length = len(body or b"")
    return {
        "status": response.status_code,
        "headers": headers,
        "response_body": credential.mask_bytes(body or b"", max_bytes),
        "length": int(stated) if re.fullmatch("[0-9]{1,18}", stated) and not reader.complete else length,
        "truncated": not reader.complete or length > max_bytes,
        "compressed": body is None,
    }


_RawHeaders: TypeAlias = tuple[tuple[bytes, bytes], ...]


class _ResponseHead(NamedTuple):
    """The headers of a response as they may be shown, and two of them: how the body is encoded, and how long it is."""

    headers: tuple[tuple[str, str], ...]
    encoding: str
    stated: str


def _mask_head(
    raw: _RawHeaders, credential: Credential, known: dict[tuple[Credential, _RawHeaders], _ResponseHead]
) -> _ResponseHead:
    """The headers of a response without secrets, remembered: the responses to a batch's requests are much alike."""
    found = known.get((credential, raw))
    if found is None:
        headers = tuple(_mask_header(name, value, credential) for name, value in raw)
        encoding, stated = (
            ", ".join(value for name, value in headers if name == wanted)
            for wanted in ("content-encoding", "content-length")
        )
        if len(known) >= KNOWN_RESPONSE_HEADS:
            known.clear()
        found = known[credential, raw] = _ResponseHead(headers, encoding, stated)
    return found


class _MaskedHead(NamedTuple):
    """The head of the requests to one URL, and its headers as they may be shown."""

    head: RequestHead
    masked_headers: tuple[tuple[str, str], ...]


def _prepare_head(client: HttpClient, url: str, credential: Credential) -> _MaskedHead:
    found = client.heads.get((url, credential))
    if found is None:
        given = {"Authorization": credential.authorization, "Content-Type": "application/json"}
        first = client.http.build_request("POST", url, headers=given)
        del first.headers["Content-Length"]
        masked = tuple((k, f"Basic {MASK}" if k == "authorization" else v) for k, v in first.headers.items())
        found = _MaskedHead(RequestHead(first.url, first.headers, first.extensions), masked)
        client.heads[url, credential] = found
    return found


def _mask_header(name: bytes, value: bytes, credential: Credential) -> tuple[str, str]:
    """A header of a response as it may be shown."""
    key = credential.mask_text(name.decode("latin-1")).lower()
    if key in _SECRET_HEADERS:
        return key, MASK
    try:
        return key, credential.mask_text(value.decode())
    except UnicodeDecodeError:
        return key, credential.mask_text(value.decode("latin-1"))


class _ResponseReader:
    """Reads a response: at the most ``limit`` bytes, however long it is."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.response: httpx.Response | None = None
        self.received = bytearray()
        self.complete = False

    async def read(self, response: httpx.Response) -> None:
        self.response = response
        if isinstance(response.stream, ReadyStream):
            whole = response.stream.take_whole()
            if whole is not None:
                self.received += whole[: self.limit]
                self.complete = len(whole) < self.limit
                await response.stream.aclose()
                return
        try:
            # The stream itself: httpx's own iterators would count and split once more what is counted and cut here.
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
    """A body as it was before a server compressed it unasked, at most ``limit`` bytes; ``None`` where it is unknown."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return data
    # zlib's numbers for: a gzip or a zlib header · no header at all, which some servers call deflate too
    for form in {"gzip": (47,), "x-gzip": (47,), "deflate": (47, -15)}.get(encoding, ()):
        with suppress(zlib.error):
            return zlib.decompressobj(form).decompress(data, limit)
    return None


# ── what a failure proves ────────────────────────────────────────────────────────────────────────────────────────────


def _classify_failure(
    error: Exception, target: Target, settings: Settings, *, responded: bool, connected: bool
) -> tuple[Outcome, str]:
    """What a failed exchange proves (CONTRACT 3.6), and what happened, as a sentence.

    The transport raises ``httpx.ConnectTimeout`` also for a connection that broke *after* the request was sent. So the
    cause is looked at, aiohttp's own exception, wherever there is one.
    """
    cause = error.__cause__ if isinstance(error.__cause__, aiohttp.ClientError) else error
    if responded:
        late = isinstance(cause, TimeoutError | httpx.TimeoutException)
        return Outcome.UNKNOWN, "the rest of the response did not come in time." if late else "the response broke off."
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
            return Outcome.UNKNOWN, f"{host} closed the connection without a response."


def _explain_tls(cause: aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError, host: str) -> str:
    certificate = getattr(cause, "certificate_error", None)
    if isinstance(certificate, ssl.SSLCertVerificationError):
        return f"The TLS certificate of {host} is not trusted: {certificate.verify_message}."
    return f"No TLS with {host}: it does not speak TLS there, or none that is safe."


def _explain_not_sent(cause: Exception, host: str, settings: Settings) -> str:
    """Why nothing was sent, as a sentence; empty where that is not proven."""
    match cause:
        case _ClearTextConnection():
            return str(cause)
        case aiohttp.ClientConnectorDNSError():
            return f"The name {cause.host} does not resolve."
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return _explain_tls(cause, host)
        case aiohttp.ClientConnectorError(os_error=OSError(errno=errno.ECONNREFUSED)):
            return f"{host} refuses connections: nothing listens at this port."
        case aiohttp.ClientConnectorError() | httpx.ConnectError():
            found = getattr(cause, "strerror", None) or "the system gives no reason"
            return f"No connection to {host}: {found}."
        case aiohttp.ConnectionTimeoutError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
            return f"No connection to {host} within {settings.connect_seconds:g} s."
        case httpx.InvalidURL() | httpx.UnsupportedProtocol() | aiohttp.InvalidURL() | UnicodeError():
            return f"The address of {host} cannot be used."
        case _:
            return ""
