"""One attempt over the wire, and what is known after it (CONTRACT 3).

Nothing here retries by itself and nothing raises because of the network: whatever happens becomes an
:class:`Attempt` with an outcome and a sentence. What a failure proves is decided in one place, :func:`_failure`:

* *unsent* needs a proof that no byte left: the name, the connection or TLS failed, and no connection was handed over.
* An answer that came whole is taken at its word.
* An answer that broke off leaves a definite no a no, for a half answer cannot turn it into a yes; a half yes is
  *unknown* (CONTRACT 3.6), for a gateway may begin to say 200 before the server behind it has stored anything.
* Everything else is *unknown*.

A cancelled task is cancelled: the caller wrote *leaving* before it called, and decides.
"""

import asyncio
import errno
import json
import random
import re
import ssl
import time
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import cast

import aiohttp
import httpx
import orjson
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from httpx_aiohttp import AiohttpTransport

from intempt_core.errors import TargetIncomplete
from intempt_core.events import INVISIBLE, dumps
from intempt_core.feeds import FEEDS
from intempt_core.settings import Settings
from intempt_core.targets import MASK, Target

IDLE_SECONDS = 4.0
"""How long an idle connection is kept: less than servers do (uvicorn 5 s), lest a request leave into a closed one."""

RETRY_AFTER_LIMIT = 86_400.0
"""Seconds: whatever longer wait a server asks for counts as a day."""

WORDS_SHOWN = 300
"""Characters of the server's own words that a sentence repeats."""

FEED_BYTES = 1_000_000
"""Bytes of a feed's answer that are read; a longer one is no list that a person looks at."""

FEED_LIMIT = 50
"""Products that a feed is asked for."""

FEED_TYPES = {"userId": "user", "profileId": "profile", "accountId": "account"}
"""Identity field → how the feed API calls it. No feed can be read by ``anotherUserId`` (CONTRACT 5.1)."""

CONNECTION_TEST_BODY = b'{"track":[]}'
"""What a connection test posts: a body of the right shape that holds no event, so that none can come of it."""

_STREAMED_FROM = 512 * 1024  # bytes; a larger body goes in pieces, lest one write holds up every other lane
_PIECE = 64 * 1024
_SECRET_HEADERS = frozenset(
    ("set-cookie", "set-cookie2", "authorization", "proxy-authorization", "cookie", "x-api-key")
)


class Outcome(StrEnum):
    """What is known after an attempt (CONTRACT 3, DESIGN outcome)."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    UNSENT = "unsent"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one request.

    ``reason`` is a sentence for a person. ``headers`` and ``answer`` are the answer's, free of secrets; ``answer`` is
    cut to ``Settings.answer_bytes`` (``answer_cut``), unpacked if the server packed it, and ``answer_length`` is its
    length as stated or as far as it was read. ``started_at`` is epoch ms, ``elapsed_ms`` until the answer was read,
    ``retry_after`` seconds that the server asks to wait. ``too_large``: halve it (CONTRACT 3.4).
    """

    outcome: Outcome
    status: int | None
    reason: str
    started_at: int
    elapsed_ms: float
    headers: tuple[tuple[str, str], ...] = ()
    answer: bytes = b""
    answer_length: int = 0
    answer_cut: bool = False
    retry_after: float | None = None
    too_large: bool = False
    sent_headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """Whether a target takes requests, in a sentence that says what was asked, and how long the answer took."""

    ok: bool
    sentence: str
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class FeedAnswer:
    """What a feed shows: product ids in its order, ``None`` where it could not be read, and a sentence either way.

    ``asked_at`` is epoch ms.
    """

    products: tuple[str, ...] | None
    sentence: str
    asked_at: int
    elapsed_ms: float


class Client(httpx.AsyncClient):
    """httpx over aiohttp's connections, with the settings that an attempt needs. Made by :func:`open_client`."""

    settings: Settings


def now_ms() -> int:
    """The machine's clock as epoch milliseconds."""
    return time.time_ns() // 1_000_000


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
    client = Client(
        transport=transport or _transport(trust, idle_seconds),
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
    client.settings = settings
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


# ── posting ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def post(client: Client, target: Target, body: bytes, *, clock: Callable[[], int] = now_ms) -> Attempt:
    """Post one request body to a target's track URL: one attempt, and what is known after it (CONTRACT 3).

    Never raises because of the network. ``clock`` gives epoch ms.
    """
    exchange = await _exchange(client, target, target.track_url, body, keep=client.settings.answer_bytes, clock=clock)
    outcome, reason = _judged(exchange, target)
    return Attempt(
        outcome=outcome,
        status=exchange.status,
        reason=reason,
        started_at=exchange.started_at,
        elapsed_ms=exchange.elapsed_ms,
        headers=exchange.headers,
        answer=exchange.answer,
        answer_length=exchange.length,
        answer_cut=exchange.cut,
        retry_after=retry_after(dict(exchange.headers), exchange.started_at + int(exchange.elapsed_ms)),
        too_large=exchange.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        sent_headers=exchange.sent_headers,
    )


def outcome_of(status: int) -> Outcome:
    """What a status alone says (CONTRACT 3.1, 3.3–3.5). A status that no rule names proves nothing: unknown."""
    if 200 <= status < 300:
        return Outcome.ACCEPTED
    if status in (429, 503):
        return Outcome.UNSENT
    if 300 <= status < 500 and status != 408:
        return Outcome.REFUSED
    return Outcome.UNKNOWN


def _judged(exchange: "_Exchange", target: Target) -> tuple[Outcome, str]:
    status, host = exchange.status, target.host
    if status is None:
        after = "Nothing was sent." if exchange.failed_as is Outcome.UNSENT else _MAY_HAVE
        return exchange.failed_as, f"{exchange.failure} {after}"
    outcome = outcome_of(status)
    said = f"{host} answered {_status_words(status)}"
    if exchange.failure and outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN):
        return Outcome.UNKNOWN, f"{said}, but {exchange.failure} {_MAY_HAVE}"
    words = exchange.words
    match outcome:
        case Outcome.ACCEPTED:
            kind = _kind_of(exchange)
            note = "" if kind in ("JSON", "an empty body") else f" The body is not JSON but {kind}."
            return outcome, f"{host} accepted it: {_status_words(status)}.{note}"
        case Outcome.UNSENT:
            meaning = "it did not take the request and asks to try later."
        case Outcome.UNKNOWN:
            meaning = "the events may have arrived behind it."
        case _:
            meaning = _REFUSALS.get(status, "it does not take this request.")
    if 300 <= status < 400:
        meaning = "it points elsewhere, and no redirect is followed. See that the target's host and path are right."
    said = f"{said}: {meaning}"
    return outcome, f"{said} It says: {words}" if words else said


_MAY_HAVE = "The events may have arrived."

_REFUSALS = {
    400: "it does not accept this body as it is.",
    401: "the key is wrong or missing there.",
    403: "the key is not allowed to do this.",
    404: "nothing is at this path. See that org, project and source are right.",
    405: "it takes no events at this path. See that host, org, project and source are right.",
    413: "the request is too large.",
}


def _status_words(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


# ── retrying ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def retry_delay(
    attempt: Attempt,
    tries_so_far: int,
    settings: Settings,
    rng: random.Random,
    *,
    resend_unknown: bool = False,
) -> float | None:
    """Seconds to wait before the next try, ``None`` where there is none.

    *Unsent* may always be tried again, *unknown* only where the batch's policy is to resend (``resend_unknown``,
    CONTRACT 3.7). The pause doubles from ``backoff_seconds``, with full jitter, on top of ``Retry-After``, and is never
    longer than ``backoff_limit_seconds`` (CONTRACT 3.5).
    """
    again = attempt.outcome is Outcome.UNSENT or (resend_unknown and attempt.outcome is Outcome.UNKNOWN)
    if not again or tries_so_far >= settings.tries:
        return None
    limit = settings.backoff_limit_seconds
    step = min(limit, settings.backoff_seconds * 2.0 ** min(max(tries_so_far - 1, 0), 60))
    return min(limit, (attempt.retry_after or 0.0) + rng.uniform(0.0, step))


def retry_after(headers: dict[str, str], now: int) -> float | None:
    """Seconds of a ``Retry-After`` header, a number or an HTTP date (CONTRACT 3.5), at most :data:`RETRY_AFTER_LIMIT`.

    A date is measured against the answer's own ``Date``, or else against ``now`` (epoch ms): the server's clock may
    be wrong, but it is wrong in both. ``None`` where there is none or it says nothing.
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,300}(\.[0-9]{1,300})?", text):
        return min(float(text), RETRY_AFTER_LIMIT)
    until = _http_date(text)
    since = _http_date(headers.get("date", ""))
    if until is None:
        return None
    return min(max(until - (now / 1000 if since is None else since), 0.0), RETRY_AFTER_LIMIT)


def _http_date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_connection(client: Client, target: Target) -> ConnectionTest:
    """Ask whether a target would take events: posts :data:`CONNECTION_TEST_BODY`, which tries host, TLS, key and path.

    Nothing can come of a body without events. A GET would prove less: it is refused before the key is looked at.
    """
    exchange = await _exchange(client, target, target.track_url, CONNECTION_TEST_BODY, keep=65_536)
    ok, sentence = _tested(exchange, target)
    asked = "Asked with an empty list of events, so nothing was stored." if exchange.status else ""
    return ConnectionTest(ok, f"{sentence} {asked}".strip(), exchange.elapsed_ms)


def _tested(exchange: "_Exchange", target: Target) -> tuple[bool, str]:
    status, host = exchange.status, target.host
    _, reason = _judged(exchange, target)
    if status is None:
        return False, exchange.failure
    if exchange.failure:
        return False, f"{host} answered {_status_words(status)}, but {exchange.failure}"
    as_api = exchange.is_json or not exchange.answer.strip()
    if 200 <= status < 300 and as_api:
        return True, f"{host} takes requests for this source with this key: {_status_words(status)}."
    if status == HTTPStatus.BAD_REQUEST and as_api:
        words = f" It says: {exchange.words}" if exchange.words else ""
        return True, f"{host} knows the path and judged the body, which has no events: {_status_words(status)}.{words}"
    if outcome_of(status) in (Outcome.ACCEPTED, Outcome.REFUSED) and status not in (401, 403, 404, 413):
        kind = _kind_of(exchange)
        return False, f"{host} answers, but not as a Track API does: {_status_words(status)} with {kind}. {reason}"
    return False, reason


async def read_feed(
    client: Client,
    target: Target,
    feed: str,
    person_type: str,
    person_id: str,
    *,
    clock: Callable[[], int] = now_ms,
) -> FeedAnswer:
    """What a feed of ours shows for one person (CONTRACT 5). Whatever comes back becomes products or a sentence.

    ``person_type`` is an identity field (``userId``) or the feed API's own word (``user``).
    """
    kind = FEED_TYPES.get(person_type, person_type.lower())
    if kind not in FEED_TYPES.values():
        words = f"No feed can be read by {person_type}: only by {', '.join(FEED_TYPES)}."
        return FeedAnswer(None, words, clock(), 0.0)
    try:
        url = target.feed_url(feed)
    except TargetIncomplete as error:
        return FeedAnswer(None, str(error), clock(), 0.0)
    question = {"type": kind, "id": person_id, "fields": ["id"], "limit": FEED_LIMIT, "offset": 0}
    if kind == "profile":
        question["sourceId"] = target.source  # CONTRACT 5.1: a profile belongs to a source
    exchange = await _exchange(client, target, url, dumps(question), keep=FEED_BYTES, clock=clock)
    products, sentence = _feed_read(exchange, target, feed)
    return FeedAnswer(products, sentence, exchange.started_at, exchange.elapsed_ms)


def _feed_read(exchange: "_Exchange", target: Target, feed: str) -> tuple[tuple[str, ...] | None, str]:
    status, host, title = exchange.status, target.host, FEEDS[feed]
    words = f" It says: {exchange.words}" if exchange.words else ""
    if status is None:
        return None, exchange.failure
    said = f"{host} answered {_status_words(status)}"
    if status == HTTPStatus.BAD_REQUEST:
        return None, f"{said}: the feed id of {title} may not be known there.{words}"
    if outcome_of(status) is not Outcome.ACCEPTED:
        meaning = _REFUSALS.get(status, "the feed cannot be read now.")
        return None, f"{said}: {meaning}{words}"
    if exchange.failure or exchange.cut:
        return None, f"{said}, but {exchange.failure or 'the answer is too long to be read.'}"
    try:
        # Ids that are numbers keep every digit and every zero (CONTRACT 1.2).
        document = json.loads(exchange.answer, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None, f"{said}, but not with JSON: {_kind_of(exchange)}.{words}"
    listed = document.get("products") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        return None, f"{said}, but without a list of products.{words}"
    ids = [product.get("id") if isinstance(product, dict) else None for product in listed]
    if not all(isinstance(text, str) for text in ids):
        nameless = next(n for n, text in enumerate(ids, 1) if not isinstance(text, str))
        return None, f"{said}, but product {nameless} of its list has no id.{words}"
    products = tuple(str(text).encode(errors="replace").decode() for text in ids)
    return products, f"{host} shows {len(products)} in {title}."


# ── one exchange ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Exchange:
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
        if self.cut:
            return self.answer.lstrip()[:1] in (b"{", b"[")
        try:
            orjson.loads(self.answer)
        except ValueError:
            return False
        return True

    @property
    def is_html(self) -> bool:
        return re.match(rb"\s*<(!doctype|html|head|body)", self.answer, re.IGNORECASE) is not None

    @property
    def words(self) -> str:
        """The beginning of the answer for a sentence: one line, nothing invisible, nothing where there is nothing."""
        text = self.answer[: 8 * WORDS_SHOWN].decode(errors="replace")
        if self.is_html:
            title = re.search(r"<title[^>]*>(.*?)</title", text, re.IGNORECASE | re.DOTALL)
            text = title[1] if title else "an HTML page"
        text = " ".join("".join(" " if char in INVISIBLE else char for char in text).split())
        return "" if text == "{}" else f"{text[:WORDS_SHOWN]}…" if len(text) > WORDS_SHOWN else text


def _kind_of(exchange: _Exchange) -> str:
    if exchange.packed:
        return "packed in a way that was not asked for"
    if not exchange.answer.strip():
        return "an empty body"
    return "an HTML page" if exchange.is_html else "JSON" if exchange.is_json else "something else"


class _Pieces:
    """A large body in pieces. ``whole`` once the last one was handed over."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.whole = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), _PIECE):
            yield self._body[start : start + _PIECE]
        self.whole = True


async def _exchange(
    client: Client, target: Target, url: str, body: bytes, *, keep: int, clock: Callable[[], int] = now_ms
) -> _Exchange:
    started_at, started = clock(), time.perf_counter()

    def elapsed() -> float:
        return (time.perf_counter() - started) * 1000

    if target.credential is None:
        failure = f"{target.title} has no key: type one, or put it where the target is described."
        return _Exchange(started_at, elapsed(), failure=failure, failed_as=Outcome.UNSENT)
    credential, settings = target.credential, client.settings
    pieces = _Pieces(body) if len(body) >= _STREAMED_FROM else None
    headers = {"Authorization": credential.authorization, "Content-Type": "application/json"}
    if pieces:
        headers["Content-Length"] = str(len(body))
    sent: tuple[tuple[str, str], ...] = ()
    reading = _Reading(keep + credential.longest_form)  # a key that the cut would halve could not be recognised
    wire = _Wire()
    _WIRE.set(wire)
    failure, failed_as = "", Outcome.UNKNOWN
    try:
        # aiohttp bounds the way to a connection and each pause of the server; neither a write that nobody reads nor
        # a body that drips.
        async with asyncio.timeout(settings.connect_seconds + settings.write_seconds + settings.read_seconds):
            request = client.build_request("POST", url, content=pieces or body, headers=headers)
            sent = tuple((k, f"Basic {MASK}" if k == "authorization" else v) for k, v in request.headers.items())
            await reading.read(await client.send(request, stream=True))
    except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, UnicodeError) as error:
        answered, connected = reading.response is not None, wire.transport is not None
        failed_as, failure = _failure(error, target, settings, answered=answered, connected=connected)
    finally:
        if not reading.ended or (pieces and not pieces.whole):
            wire.cut()
    response, took = reading.response, elapsed()
    if response is None:
        return _Exchange(started_at, took, sent_headers=sent, failure=failure, failed_as=failed_as)
    if not failure and pieces and not pieces.whole:
        failure = "it answered before the whole request had left."
    answer = _unpacked(bytes(reading.received), response.headers.get("content-encoding", ""), reading.reach)
    stated = response.headers.get("content-length", "")
    return _Exchange(
        started_at,
        took,
        status=response.status_code,
        headers=tuple(
            (name, MASK if name in _SECRET_HEADERS else credential.masked_in(value))
            for name, value in response.headers.multi_items()
        ),
        answer=credential.masked_in_bytes(answer or b"", keep),
        length=int(stated) if re.fullmatch("[0-9]{1,18}", stated) and not reading.ended else len(answer or b""),
        cut=not reading.ended or len(answer or b"") > keep,
        packed=answer is None,
        sent_headers=sent,
        failure=failure,
    )


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
            async with aclosing(cast("AsyncGenerator[bytes, None]", response.aiter_raw())) as chunks:
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
