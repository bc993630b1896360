"""The track client: one attempt to post events, its outcome, and when the next try is due (CONTRACT 3).

It does not retry by itself, and it raises nothing because of the network: whatever happens becomes an :class:`Attempt`
with an outcome and a sentence. What a failure without a response proves, ``exchange.py`` says. Of responses:

* A complete one decides by its status.
* A partly received rejection is a rejection; a partly received 200 is *unknown* (CONTRACT 3.6), because a gateway may
  begin to send 200 before the server behind it has stored anything.

Cancelling the task cancels the attempt: the caller recorded *in flight* before the call, and decides.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus

from intempt_core.contract import Outcome, RequestVerdict, now_ms, parse_verdict
from intempt_core.settings import Settings
from intempt_core.targets import Target
from intempt_core.transport.exchange import Exchange, HttpClient, post_body

MAX_RETRY_AFTER = 3_600.0
"""Seconds: a longer wait that a server asks for counts as an hour."""

CONNECTION_TEST_BODY = b'{"track":[]}'
"""What a connection test posts: a body of the right form without an event, so that nothing can be stored."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one request.

    Attributes:
        outcome: What is known after it.
        status: The HTTP status, ``None`` without a response.
        reason: Why it has this outcome, as a sentence.
        started_at: When it began, in epoch milliseconds.
        elapsed_ms: Milliseconds until the response was read, or until it failed.
        headers: The response's, free of secrets.
        response_body: The body, decompressed, free of secrets, cut to ``Settings.response_bytes``.
        response_length: Bytes of the body as stated or as far as it was read.
        response_truncated: Whether ``response_body`` is not the whole body.
        retry_after: Seconds that the server asks to wait, ``None`` where it does not.
        too_large: Whether the request is to be halved (CONTRACT 3.4).
        sent_headers: The request's headers, free of secrets.
        verdict: What the target says became of the events, ``None`` where it does not: only a sandbox does.
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
    verdict: RequestVerdict | None = None


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """The result of a connection test.

    Attributes:
        ok: Whether the target takes requests for this source with this key.
        message: What was found out, and what was posted, as a sentence.
        elapsed_ms: Milliseconds until the response was read.
    """

    ok: bool
    message: str
    elapsed_ms: float


# ── posting ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def post_track_request(
    client: HttpClient, target: Target, body: bytes, *, clock: Callable[[], int] = now_ms
) -> Attempt:
    """Post one request body to a target's track URL: one attempt, and what is known after it (CONTRACT 3).

    Never raises because of the network. ``clock`` gives epoch milliseconds.
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
        verdict=parse_verdict(exchange.headers) if outcome is Outcome.ACCEPTED else None,
    )


def classify_status(status: int) -> Outcome:
    """Classify a status by itself (CONTRACT 3.1, 3.3–3.5). A status that no rule names proves nothing: unknown.

    Accepted means that the request was taken; no status says that a product or an account exists (CONTRACT 3.2).
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
    outcome, described = classify_status(status), describe_status(status)
    message = f"{host} answered {described}"
    if exchange.failure and outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN):
        return Outcome.UNKNOWN, f"{message}, but {exchange.failure} {_MAY_HAVE_ARRIVED}"
    match outcome:
        case Outcome.ACCEPTED:
            kind = exchange.body_kind
            note = "" if kind in ("JSON", "an empty body") else f" The body is not JSON but {kind}."
            return outcome, f"{host} accepted it: {described}.{note}"
        case Outcome.NOT_SENT:
            meaning = "it did not take the request and asks to try later."
        case Outcome.UNKNOWN:
            meaning = "the events may have arrived behind it."
        case _:
            meaning = REJECTION_REASONS.get(status, "it does not take this request.")
            if status == HTTPStatus.BAD_REQUEST and _TRANSIENT_400 in exchange.response_body:
                meaning = "it cannot store this now. This 400 is known to pass: try it again later."
    if 300 <= status < 400:
        meaning = "it points elsewhere, and no redirect is followed. See that the target's host and path are right."
    return outcome, f"{message}: {meaning}{quote_response(exchange)}"


def quote_response(exchange: Exchange) -> str:
    """The server's own message as one more sentence; empty where it has none."""
    return f" It says: {exchange.excerpt}" if exchange.excerpt else ""


_TRANSIENT_400 = b"create a collection for auto-event"
"""In the message of the one 400 that is known to be transient (CONTRACT 3.3); any other is about the body."""

_MAY_HAVE_ARRIVED = "The events may have arrived."

REJECTION_REASONS = {
    400: "it does not accept this body as it is.",
    401: "the key is wrong or missing there.",
    403: "the key is not allowed to do this.",
    404: "nothing is at this path. See that org, project and source are right.",
    405: "it takes no events at this path. See that host, org, project and source are right.",
    413: "the request is too large.",
}
"""Status → what it means for this request, as the end of a sentence."""


@lru_cache(256)
def describe_status(status: int) -> str:
    """A status with its phrase: ``404 Not Found``."""
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
    """Compute the seconds to wait before the next try; ``None`` where there is to be none.

    *Not sent* may always be tried again, *unknown* only where the batch's policy is to resend (``resend_unknown``,
    CONTRACT 3.7). The pause doubles from ``backoff_seconds`` to ``backoff_limit_seconds``, with full jitter, on top of
    ``Retry-After``, so that clients that were given the same time do not return together (CONTRACT 3.5).
    """
    again = attempt.outcome is Outcome.NOT_SENT or (resend_unknown and attempt.outcome is Outcome.UNKNOWN)
    if not again or tries_so_far >= settings.tries:
        return None
    doubled = settings.backoff_seconds * 2.0 ** min(max(tries_so_far - 1, 0), 60)
    return (attempt.retry_after or 0.0) + rng.uniform(0.0, min(settings.backoff_limit_seconds, doubled))


def parse_retry_after(headers: dict[str, str], now: int) -> float | None:
    """Parse ``Retry-After``, a number or an HTTP date (CONTRACT 3.5), into at most :data:`MAX_RETRY_AFTER` seconds.

    A date is measured against the response's own ``Date``, or else against ``now`` (epoch milliseconds): the server's
    clock may be wrong, but then it is wrong in both. ``None`` where there is no such header or it cannot be read.
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
    """Parse an HTTP date to epoch seconds. It is GMT by its definition, also where it names no zone."""
    try:
        read = parsedate_to_datetime(text) if text else None
        if read is None:
            return None
        return (read if read.tzinfo is not None else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


# ── testing a connection ─────────────────────────────────────────────────────────────────────────────────────────────


async def check_connection(client: HttpClient, target: Target) -> ConnectionTest:
    """Test whether a target would take events: post :data:`CONNECTION_TEST_BODY`, which tries host, TLS, key and path.

    Nothing is stored of a body without events. A GET would prove less: it is rejected before the key is looked at.
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
        return False, f"{host} answered {describe_status(status)}, but {exchange.failure}"
    as_api = exchange.is_json or not exchange.response_body.strip()
    if 200 <= status < 300 and as_api:
        return True, f"{host} takes requests for this source with this key: {describe_status(status)}."
    if status == HTTPStatus.BAD_REQUEST and as_api:
        found = f"{host} knows the path and checked the body, which has no events: {describe_status(status)}."
        return True, f"{found}{quote_response(exchange)}"
    if classify_status(status) in (Outcome.ACCEPTED, Outcome.REJECTED) and status not in (401, 403, 404, 413):
        kind = exchange.body_kind
        return False, f"{host} answers, but not as a Track API does: {describe_status(status)} with {kind}. {reason}"
    return False, reason
