"""One attempt over the wire, and what is known after it (CONTRACT 3).

Nothing here retries by itself and nothing raises because of the network: whatever happens becomes an
:class:`Attempt` with an outcome and a sentence. What a failure without an answer proves, ``wire.py`` says. Of answers:

* One that came whole is taken at its word.
* One that broke off leaves a definite no a no, for a half answer cannot turn it into a yes; a half yes is
  *unknown* (CONTRACT 3.6), for a gateway may begin to say 200 before the server behind it has stored anything.

A cancelled task is cancelled: the caller wrote *in flight* before it called, and decides.
"""

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus

from intempt_core.contract import FEED_IDENTITY_TYPES, FEED_TITLES, Outcome, dump_json, now_ms
from intempt_core.errors import TargetIncomplete
from intempt_core.settings import Settings
from intempt_core.targets import Target
from intempt_core.transport.exchange import Exchange, HttpClient, post_body

MAX_RETRY_AFTER = 3_600.0
"""Seconds: whatever longer wait a server asks for counts as an hour."""

FEED_RESPONSE_BYTES = 1_000_000
"""Bytes of a feed's answer that are read; a longer one is no list that a person looks at."""

FEED_LIMIT = 50
"""Products that a feed is asked for."""

CONNECTION_TEST_BODY = b'{"track":[]}'
"""What a connection test posts: a body of the right shape that holds no event, so that none can come of it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one request.

    ``reason`` is a sentence for a person. ``headers`` and ``answer`` are the answer's, free of secrets; ``answer`` is
    cut to ``Settings.response_bytes`` (``answer_cut``), unpacked if the server packed it, and ``answer_length`` is its
    length as stated or as far as it was read. ``started_at`` is epoch ms, ``elapsed_ms`` until the answer was read,
    ``retry_after`` seconds that the server asks to wait. ``too_large``: halve it (CONTRACT 3.4).
    """

    outcome: Outcome
    status: int | None
    reason: str
    started_at: int
    elapsed_ms: float
    headers: tuple[tuple[str, str], ...] = ()
    response_body: bytes = b""
    response_length: int = 0
    response_truncated: bool = False
    retry_after: float | None = None
    too_large: bool = False
    sent_headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """Whether a target takes requests, in a sentence that says what was asked, and how long the answer took."""

    ok: bool
    message: str
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class FeedResponse:
    """What a feed shows: product ids in its order, ``None`` where it could not be read, and a sentence either way.

    ``asked_at`` is epoch ms.
    """

    products: tuple[str, ...] | None
    message: str
    requested_at: int
    elapsed_ms: float


# ── posting ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def post_track_request(
    client: HttpClient, target: Target, body: bytes, *, clock: Callable[[], int] = now_ms
) -> Attempt:
    """Post one request body to a target's track URL: one attempt, and what is known after it (CONTRACT 3).

    Never raises because of the network. ``clock`` gives epoch ms.
    """
    exchange = await post_body(
        client, target, target.track_url, body, max_bytes=client.settings.response_bytes, clock=clock
    )
    outcome, reason = _classify_exchange(exchange, target)
    return Attempt(
        outcome=outcome,
        status=exchange.status,
        reason=reason,
        started_at=exchange.started_at,
        elapsed_ms=exchange.elapsed_ms,
        headers=exchange.headers,
        response_body=exchange.response_body,
        response_length=exchange.length,
        response_truncated=exchange.truncated,
        retry_after=parse_retry_after(dict(exchange.headers), exchange.started_at + int(exchange.elapsed_ms)),
        too_large=exchange.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        sent_headers=exchange.sent_headers,
    )


def classify_status(status: int) -> Outcome:
    """What a status alone says (CONTRACT 3.1, 3.3–3.5). A status that no rule names proves nothing: unknown.

    Accepted means taken; that a product or an account exists, no status says (CONTRACT 3.2).
    """
    if 200 <= status < 300:
        return Outcome.ACCEPTED
    if status in (429, 503):
        return Outcome.NOT_SENT
    if 300 <= status < 500 and status != 408:
        return Outcome.REJECTED
    return Outcome.UNKNOWN


def _classify_exchange(exchange: Exchange, target: Target) -> tuple[Outcome, str]:
    status, host = exchange.status, target.host
    if status is None:
        after = "Nothing was sent." if exchange.failure_outcome is Outcome.NOT_SENT else _MAY_HAVE_ARRIVED
        return exchange.failure_outcome, f"{exchange.failure} {after}"
    outcome, status_words = classify_status(status), _describe_status(status)
    said = f"{host} answered {status_words}"
    if exchange.failure and outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN):
        return Outcome.UNKNOWN, f"{said}, but {exchange.failure} {_MAY_HAVE_ARRIVED}"
    match outcome:
        case Outcome.ACCEPTED:
            kind = exchange.body_kind
            note = "" if kind in ("JSON", "an empty body") else f" The body is not JSON but {kind}."
            return outcome, f"{host} accepted it: {status_words}.{note}"
        case Outcome.NOT_SENT:
            meaning = "it did not take the request and asks to try later."
        case Outcome.UNKNOWN:
            meaning = "the events may have arrived behind it."
        case _:
            meaning = _REJECTION_REASONS.get(status, "it does not take this request.")
            if status == HTTPStatus.BAD_REQUEST and _TRANSIENT_400 in exchange.response_body:
                meaning = "it cannot store this now. This 400 is known to pass: try it again later."
    if 300 <= status < 400:
        meaning = "it points elsewhere, and no redirect is followed. See that the target's host and path are right."
    said, words = f"{said}: {meaning}", exchange.excerpt
    return outcome, f"{said} It says: {words}" if words else said


_TRANSIENT_400 = b"create a collection for auto-event"
"""In the words of the one 400 that is known to be transient (CONTRACT 3.3); any other is about the body."""

_MAY_HAVE_ARRIVED = "The events may have arrived."

_REJECTION_REASONS = {
    400: "it does not accept this body as it is.",
    401: "the key is wrong or missing there.",
    403: "the key is not allowed to do this.",
    404: "nothing is at this path. See that org, project and source are right.",
    405: "it takes no events at this path. See that host, org, project and source are right.",
    413: "the request is too large.",
}


@lru_cache(256)
def _describe_status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


# ── retrying ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def compute_retry_delay(
    attempt: Attempt,
    tries_so_far: int,
    settings: Settings,
    rng: random.Random,
    *,
    resend_unknown: bool = False,
) -> float | None:
    """Seconds to wait before the next try, ``None`` where there is none.

    *Unsent* may always be tried again, *unknown* only where the batch's policy is to resend (``resend_unknown``,
    CONTRACT 3.7). The pause doubles from ``backoff_seconds`` to ``backoff_limit_seconds``, with full jitter, on top of
    ``Retry-After``, so that those who were told the same do not come back at once (CONTRACT 3.5).
    """
    again = attempt.outcome is Outcome.NOT_SENT or (resend_unknown and attempt.outcome is Outcome.UNKNOWN)
    if not again or tries_so_far >= settings.tries:
        return None
    doubled = settings.backoff_seconds * 2.0 ** min(max(tries_so_far - 1, 0), 60)
    return (attempt.retry_after or 0.0) + rng.uniform(0.0, min(settings.backoff_limit_seconds, doubled))


def parse_retry_after(headers: dict[str, str], now: int) -> float | None:
    """Seconds of a ``Retry-After`` header, a number or an HTTP date (CONTRACT 3.5), at most :data:`MAX_RETRY_AFTER`.

    A date is measured against the answer's own ``Date``, or else against ``now`` (epoch ms): the server's clock may
    be wrong, but it is wrong in both. ``None`` where there is none or it says nothing.
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,300}(\.[0-9]{1,300})?", text):
        return min(float(text), MAX_RETRY_AFTER)
    until = _parse_http_date(text)
    if until is None:
        return None
    since = _parse_http_date(headers.get("date", ""))
    return min(max(until - (now / 1000 if since is None else since), 0.0), MAX_RETRY_AFTER)


def _parse_http_date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def check_connection(client: HttpClient, target: Target) -> ConnectionTest:
    """Ask whether a target would take events: posts :data:`CONNECTION_TEST_BODY`, which tries host, TLS, key and path.

    Nothing can come of a body without events. A GET would prove less: it is refused before the key is looked at.
    """
    exchange = await post_body(client, target, target.track_url, CONNECTION_TEST_BODY, max_bytes=65_536)
    ok, sentence = _evaluate_connection(exchange, target)
    asked = "Asked with an empty list of events, so nothing was stored." if exchange.status else ""
    return ConnectionTest(ok, f"{sentence} {asked}".strip(), exchange.elapsed_ms)


def _evaluate_connection(exchange: Exchange, target: Target) -> tuple[bool, str]:
    status, host = exchange.status, target.host
    _, reason = _classify_exchange(exchange, target)
    if status is None:
        return False, exchange.failure
    if exchange.failure:
        return False, f"{host} answered {_describe_status(status)}, but {exchange.failure}"
    as_api = exchange.is_json or not exchange.response_body.strip()
    if 200 <= status < 300 and as_api:
        return True, f"{host} takes requests for this source with this key: {_describe_status(status)}."
    if status == HTTPStatus.BAD_REQUEST and as_api:
        words = f" It says: {exchange.excerpt}" if exchange.excerpt else ""
        return (
            True,
            f"{host} knows the path and judged the body, which has no events: {_describe_status(status)}.{words}",
        )
    if classify_status(status) in (Outcome.ACCEPTED, Outcome.REJECTED) and status not in (401, 403, 404, 413):
        kind = exchange.body_kind
        return False, f"{host} answers, but not as a Track API does: {_describe_status(status)} with {kind}. {reason}"
    return False, reason


async def read_feed(
    client: HttpClient,
    target: Target,
    feed: str,
    person_type: str,
    person_id: str,
    *,
    product: str | None = None,
    clock: Callable[[], int] = now_ms,
) -> FeedResponse:
    """What a feed of ours shows for one person (CONTRACT 5). Whatever comes back becomes products or a sentence.

    ``person_type`` is an identity field (``userId``) or the feed API's own word (``user``); ``product`` is the id that
    feeds of products that go together are asked beside.
    """
    kind = FEED_IDENTITY_TYPES.get(person_type, person_type.lower())
    if kind not in FEED_IDENTITY_TYPES.values():
        words = f"No feed can be read by {person_type}: only by {', '.join(FEED_IDENTITY_TYPES)}."
        return FeedResponse(None, words, clock(), 0.0)
    try:
        url = target.feed_url(feed)
    except TargetIncomplete as error:
        return FeedResponse(None, str(error), clock(), 0.0)
    question = {"type": kind, "id": person_id, "fields": ["id"], "limit": FEED_LIMIT, "offset": 0}
    if kind == "profile":
        question["sourceId"] = target.source  # CONTRACT 5.1: a profile belongs to a source
    if product is not None:
        question["productId"] = product
    exchange = await post_body(client, target, url, dump_json(question), max_bytes=FEED_RESPONSE_BYTES, clock=clock)
    products, sentence = _parse_feed(exchange, target, feed)
    return FeedResponse(products, sentence, exchange.started_at, exchange.elapsed_ms)


def _parse_feed(exchange: Exchange, target: Target, feed: str) -> tuple[tuple[str, ...] | None, str]:
    """CONTRACT 5.2: products by their ``id``, none is an answer too, and a 400 means an unknown feed id."""
    status, host, title = exchange.status, target.host, FEED_TITLES[feed]
    words = f" It says: {exchange.excerpt}" if exchange.excerpt else ""
    if status is None:
        return None, exchange.failure
    said = f"{host} answered {_describe_status(status)}"
    if status == HTTPStatus.BAD_REQUEST:
        return None, f"{said}: the feed id of {title} may not be known there.{words}"
    if classify_status(status) is not Outcome.ACCEPTED:
        meaning = _REJECTION_REASONS.get(status, "the feed cannot be read now.")
        return None, f"{said}: {meaning}{words}"
    if exchange.failure or exchange.truncated:
        return None, f"{said}, but {exchange.failure or 'the answer is too long to be read.'}"
    try:
        # Ids that are numbers keep every digit and every zero (CONTRACT 1.2).
        document = json.loads(exchange.response_body, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None, f"{said}, but not with JSON: {exchange.body_kind}.{words}"
    listed = document.get("products") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        return None, f"{said}, but without a list of products.{words}"
    ids = [product.get("id") if isinstance(product, dict) else None for product in listed]
    if not all(isinstance(text, str) for text in ids):
        nameless = next(n for n, text in enumerate(ids, 1) if not isinstance(text, str))
        return None, f"{said}, but product {nameless} of its list has no id.{words}"
    products = tuple(str(text).encode(errors="replace").decode() for text in ids)
    return products, f"{host} shows {len(products)} in {title}."
