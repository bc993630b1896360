"""One exchange over the wire: a body leaves, an answer comes, and what a failure of either proves (CONTRACT 3.6).

What a failure proves is decided in one place, :func:`_failure`: *unsent* needs a proof that no byte left: the name, the
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
from enum import StrEnum
from http.cookiejar import DefaultCookiePolicy
from typing import Any, cast

import aiohttp
import httpx
import orjson
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from httpx_aiohttp import AiohttpTransport
from multidict import CIMultiDict

from intempt_core.credentials import MASK, Credential
from intempt_core.events import INVISIBLE_CHARACTERS, now_ms
from intempt_core.settings import Settings
from intempt_core.targets import Target

IDLE_SECONDS = 4.0
"""How long an idle connection is kept: less than servers do (uvicorn 5 s), lest a request leave into a closed one."""

WORDS_SHOWN = 300
"""Characters of the server's own words that a sentence repeats."""

_STREAMED_FROM = 512 * 1024  # bytes; a larger body goes in pieces, lest one write holds up every other lane
_PIECE = 64 * 1024
_PAGE = re.compile(rb"\s*<(!doctype|html|head|body)", re.IGNORECASE)
_SECRET_HEADERS = frozenset(
    ("set-cookie", "set-cookie2", "authorization", "proxy-authorization", "cookie", "x-api-key")
)


class Outcome(StrEnum):
    """What is known after an attempt (CONTRACT 3, DESIGN outcome).

    Accepted says that the request was taken, and no more: not that its product or account exists (CONTRACT 3.2), nor
    that each of its events is processed (CONTRACT 2.6).
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    UNSENT = "unsent"


class Client(httpx.AsyncClient):
    """httpx over aiohttp's connections, with the settings that an attempt needs. Made by :func:`open_client`.

    ``wire`` is what its requests leave by, ``heads`` what is the same in all requests to one place.
    """

    settings: Settings
    wire: httpx.AsyncBaseTransport
    heads: "dict[tuple[str, Credential], _Head]"


def open_client(
    settings: Settings,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    trust: ssl.SSLContext | None = None,
    idle_seconds: float = IDLE_SECONDS,
) -> Client:
    """A client to be used in ``async with`` inside one event loop.

    It follows no redirect, keeps no cookie and takes nothing from the environment (no proxy, no netrc). ``trust`` is
    what TLS certificates are checked against, by default the usual authorities.
    """
    wire = transport or _transport(trust, idle_seconds)
    client = Client(
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
    client.settings, client.wire, client.heads = settings, wire, {}
    return client


def _transport(trust: ssl.SSLContext | None, idle_seconds: float) -> AiohttpTransport:
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
class _Wire:
    """The connection that the exchange of this task was given; none, and not a byte of it can have left."""

    transport: asyncio.BaseTransport | None = None

    def cut(self) -> None:
        # A mere close lets what is buffered leave later, behind whatever is sent next.
        if isinstance(self.transport, asyncio.WriteTransport):
            socket = self.transport.get_extra_info("socket")
            if socket is not None and socket.fileno() >= 0:  # one that is gone already cannot be aborted
                self.transport.abort()


_WIRE: ContextVar[_Wire] = ContextVar("wire")


class _Connector(aiohttp.TCPConnector):
    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  aiohttp's own signature
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        _WIRE.get(_Wire()).transport = connection.transport
        return connection


# ── one exchange ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Exchange:
    """What went over the wire: an answer, or a failure and what it proves, or a failure in the middle of an answer."""

    started_at: int
    elapsed_ms: float
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    answer: bytes = b""
    length: int = 0
    cut: bool = False
    packed: bool = False
    sent_headers: tuple[tuple[str, str], ...] = ()
    failure: str = ""
    failed_as: Outcome = Outcome.UNKNOWN

    @property
    def is_json(self) -> bool:
        """Whether the answer is JSON, or begins like it where it was cut."""
        if self.cut:
            return self.answer.lstrip()[:1] in (b"{", b"[")
        try:
            orjson.loads(self.answer)
        except ValueError:
            return False
        return True

    @property
    def is_html(self) -> bool:
        """Whether the answer begins like a page."""
        return _PAGE.match(self.answer) is not None

    @property
    def words(self) -> str:
        """The beginning of the answer for a sentence: one line, nothing invisible, nothing where there is nothing."""
        text = self.answer[: 8 * WORDS_SHOWN].decode(errors="replace")
        if self.is_html:
            title = re.search(r"<title[^>]*>(.*?)</title", text, re.IGNORECASE | re.DOTALL)
            text = title[1] if title else "an HTML page"
        text = " ".join("".join(" " if char in INVISIBLE_CHARACTERS else char for char in text).split())
        return "" if text == "{}" else f"{text[:WORDS_SHOWN]}…" if len(text) > WORDS_SHOWN else text

    @property
    def kind(self) -> str:
        """What the body is, for a sentence."""
        if self.packed:
            return "packed in a way that was not asked for"
        if not self.answer.strip():
            return "an empty body"
        return "an HTML page" if self.is_html else "JSON" if self.is_json else "something else"


class _Pieces(httpx.AsyncByteStream):
    """A large body in pieces. ``whole`` once the last one was handed over."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.whole = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), _PIECE):
            yield self._body[start : start + _PIECE]
        self.whole = True


async def exchanged(
    client: Client, target: Target, url: str, body: bytes, *, keep: int, clock: Callable[[], int] = now_ms
) -> Exchange:
    """Post a body and read at the most ``keep`` bytes of the answer. Never raises because of the network.

    ``clock`` gives epoch ms. The target's key is masked in whatever comes back.
    """
    started_at, started = clock(), time.perf_counter()

    def elapsed() -> float:
        return (time.perf_counter() - started) * 1000

    if target.credential is None:
        failure = f"{target.title} has no key: type one, or put it where the target is described."
        return Exchange(started_at, elapsed(), failure=failure, failed_as=Outcome.UNSENT)
    credential, settings = target.credential, client.settings
    pieces = _Pieces(body) if len(body) >= _STREAMED_FROM else None
    sent: tuple[tuple[str, str], ...] = ()
    reading = _Reading(keep + credential.longest_form)  # a key that the cut would halve could not be recognised
    wire = _Wire()
    _WIRE.set(wire)
    failure, failed_as = "", Outcome.UNKNOWN
    try:
        # aiohttp bounds the way to a connection and each pause of the server; neither a write that nobody reads nor
        # a body that drips.
        async with asyncio.timeout(settings.connect_seconds + settings.write_seconds + settings.read_seconds):
            head = _head(client, url, credential)
            sent = (*head.shown, ("content-length", str(len(body))))
            await reading.read(await client.wire.handle_async_request(_Post(head, body, pieces)))
    except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, UnicodeError) as error:
        answered, connected = reading.response is not None, wire.transport is not None
        failed_as, failure = _failure(error, target, settings, answered=answered, connected=connected)
    finally:
        if not reading.ended or (pieces and not pieces.whole):
            wire.cut()
    response, took = reading.response, elapsed()
    if response is None:
        return Exchange(started_at, took, sent_headers=sent, failure=failure, failed_as=failed_as)
    if not failure and pieces and not pieces.whole:
        failure = "it answered before the whole request had left."
    shown = tuple(_shown(name, value, credential) for name, value in response.headers.raw)
    encoding, stated = (", ".join(v for k, v in shown if k == name) for name in ("content-encoding", "content-length"))
    answer = _unpacked(bytes(reading.received), encoding, reading.reach)
    return Exchange(
        started_at,
        took,
        status=response.status_code,
        headers=shown,
        answer=credential.masked_in_bytes(answer or b"", keep),
        length=int(stated) if re.fullmatch("[0-9]{1,18}", stated) and not reading.ended else len(answer or b""),
        cut=not reading.ended or len(answer or b"") > keep,
        packed=answer is None,
        sent_headers=sent,
        failure=failure,
    )


LENGTHS_KNOWN = 1_000
"""Lengths of bodies whose headers are kept for one place."""


@dataclass(frozen=True, slots=True)
class _Head:
    """What is the same in all requests to one place: read and merged once, not for each of a million."""

    url: httpx.URL
    headers: httpx.Headers
    extensions: dict[str, Any]
    shown: tuple[tuple[str, str], ...]
    by_length: "dict[int, CIMultiDict[str]]" = field(default_factory=dict, compare=False, repr=False)

    def of_length(self, length: int) -> "CIMultiDict[str]":
        """The headers of a body of so many bytes, as aiohttp would make them of httpx's for each request; those of the
        last lengths are kept, for the bodies of one plan are much alike. Nobody changes them.
        """
        found = self.by_length.get(length)
        if found is None:
            found = CIMultiDict([*self.headers.multi_items(), ("content-length", str(length))])
            if len(self.by_length) >= LENGTHS_KNOWN:
                self.by_length.clear()
            self.by_length[length] = found
        return found


def _head(client: Client, url: str, credential: Credential) -> _Head:
    found = client.heads.get((url, credential))
    if found is None:
        given = {"Authorization": credential.authorization, "Content-Type": "application/json"}
        first = client.build_request("POST", url, headers=given)
        del first.headers["Content-Length"]
        shown = tuple((k, f"Basic {MASK}" if k == "authorization" else v) for k, v in first.headers.items())
        found = client.heads[url, credential] = _Head(first.url, first.headers, first.extensions, shown)
    return found


class _Post(httpx.Request):
    """A request whose head is made already."""

    def __init__(self, head: _Head, body: bytes, pieces: _Pieces | None) -> None:
        self.method, self.url, self.extensions = "POST", head.url, head.extensions
        self.headers = cast("httpx.Headers", head.of_length(len(body)))  # the transport only hands them on
        if pieces is None:
            self.stream, self._content = httpx.ByteStream(body), body
        else:
            self.stream = pieces


def _shown(name: bytes, value: bytes, credential: Credential) -> tuple[str, str]:
    """A header of an answer as it may be seen."""
    key = name.decode("latin-1").lower()
    if key in _SECRET_HEADERS:
        return key, MASK
    try:
        return key, credential.masked_in(value.decode())
    except UnicodeDecodeError:
        return key, credential.masked_in(value.decode("latin-1"))


class _Reading:
    """An answer as far as it was read: at the most ``reach`` bytes, however long it is."""

    def __init__(self, reach: int) -> None:
        self.reach = reach
        self.response: httpx.Response | None = None
        self.received = bytearray()
        self.ended = False

    async def read(self, response: httpx.Response) -> None:
        self.response = response
        try:
            # The stream itself, as it comes: httpx's own way to it counts and cuts what is cut here anyway.
            stream = cast("httpx.AsyncByteStream", response.stream)
            async with aclosing(cast("AsyncGenerator[bytes, None]", aiter(stream))) as chunks:
                async for chunk in chunks:
                    self.received += chunk[: self.reach - len(self.received)]
                    if len(self.received) >= self.reach:
                        return
            self.ended = True
        finally:
            await response.aclose()


def _unpacked(data: bytes, encoding: str, limit: int) -> bytes | None:
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


def _failure(
    error: Exception, target: Target, settings: Settings, *, answered: bool, connected: bool
) -> tuple[Outcome, str]:
    """What a failed exchange proves (CONTRACT 3.6), and in words what happened.

    The transport raises ``httpx.ConnectTimeout`` also for a connection that broke *after* the request had left. So the
    cause is asked, aiohttp's own exception, wherever there is one.
    """
    cause = error.__cause__ if isinstance(error.__cause__, aiohttp.ClientError) else error
    if answered:
        late = isinstance(cause, TimeoutError | httpx.TimeoutException)
        return Outcome.UNKNOWN, "the rest of the answer did not come in time." if late else "the answer broke off."
    unsent = "" if connected else _unsent_because(cause, target.host, settings)
    if unsent:
        return Outcome.UNSENT, unsent if target.credential is None else target.credential.masked_in(unsent)
    host = target.host
    match cause:
        case TimeoutError() | httpx.TimeoutException():
            return Outcome.UNKNOWN, f"{host} did not answer in time."
        case aiohttp.ClientResponseError() | httpx.ProtocolError():
            return Outcome.UNKNOWN, f"{host} answered with something that is not HTTP."
        case _:
            return Outcome.UNKNOWN, f"{host} closed the connection without an answer."


def _unsent_because(cause: Exception, host: str, settings: Settings) -> str:
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
