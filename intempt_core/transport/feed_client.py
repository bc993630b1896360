"""The feed client: what a recommendation feed of a target shows for one person (CONTRACT 5)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from intempt_core.contract import FEED_TITLES, FeedIdentity, Outcome, dump_json, now_ms
from intempt_core.errors import TargetIncomplete
from intempt_core.targets import Target
from intempt_core.transport.exchange import Exchange, HttpClient, post_body
from intempt_core.transport.track_client import REJECTION_REASONS, classify_status, describe_status, quote_response

FEED_RESPONSE_BYTES = 1_000_000
"""Bytes of a feed's response that are read; a longer one is no list that a person looks at."""

FEED_LIMIT = 50
"""Products that are asked for."""


@dataclass(frozen=True, slots=True)
class FeedResponse:
    """What a feed shows.

    Attributes:
        products: The product ids in the feed's order, ``None`` where it could not be read.
        message: What was read, or why nothing was, as a sentence.
        requested_at: When the feed was asked for, in epoch milliseconds.
        elapsed_ms: Milliseconds until the response was read.
    """

    products: tuple[str, ...] | None
    message: str
    requested_at: int
    elapsed_ms: float


async def read_feed(
    client: HttpClient,
    target: Target,
    feed: str,
    identity: FeedIdentity,
    person_id: str,
    *,
    product: str | None = None,
    clock: Callable[[], int] = now_ms,
) -> FeedResponse:
    """Read what a feed shows for one person (CONTRACT 5). Whatever the target responds becomes products or a sentence.

    ``feed`` is the console's name of it (:data:`~intempt_core.contract.FEED_TITLES`), ``person_id`` the id of the type
    ``identity``; ``product`` is the id that feeds of products that go together are read for. ``clock`` gives epoch
    milliseconds.
    """
    try:
        url = target.feed_url(feed)
    except TargetIncomplete as error:
        return FeedResponse(None, str(error), clock(), 0.0)
    question = {"type": identity.value, "id": person_id, "fields": ["id"], "limit": FEED_LIMIT, "offset": 0}
    if identity is FeedIdentity.PROFILE:
        question["sourceId"] = target.source  # CONTRACT 5.1: a profile belongs to a source
    if product is not None:
        question["productId"] = product
    exchange = await post_body(client, target, url, dump_json(question), max_bytes=FEED_RESPONSE_BYTES, clock=clock)
    products, sentence = _parse_feed(exchange, target, feed)
    return FeedResponse(products, sentence, exchange.started_at, exchange.elapsed_ms)


def _parse_feed(exchange: Exchange, target: Target, feed: str) -> tuple[tuple[str, ...] | None, str]:
    """CONTRACT 5.2: products by their ``id``; an empty list is a feed too; a 400 means an unknown feed id."""
    status, host, title = exchange.status, target.host, FEED_TITLES[feed]
    quoted = quote_response(exchange)
    if status is None:
        return None, exchange.failure
    message = f"{host} answered {describe_status(status)}"
    if status == HTTPStatus.BAD_REQUEST:
        return None, f"{message}: the feed id of {title} may not be known there.{quoted}"
    if classify_status(status) is not Outcome.ACCEPTED:
        meaning = REJECTION_REASONS.get(status, "the feed cannot be read now.")
        return None, f"{message}: {meaning}{quoted}"
    if exchange.failure or exchange.truncated:
        return None, f"{message}, but {exchange.failure or 'the response is too long to be read.'}"
    try:
        # Ids that are numbers keep every digit and every zero (CONTRACT 1.2).
        document = json.loads(exchange.response_body, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None, f"{message}, but not with JSON: {exchange.body_kind}.{quoted}"
    listed = document.get("products") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        return None, f"{message}, but without a list of products.{quoted}"
    ids = [product.get("id") if isinstance(product, dict) else None for product in listed]
    if not all(isinstance(text, str) for text in ids):
        nameless = next(n for n, text in enumerate(ids, 1) if not isinstance(text, str))
        return None, f"{message}, but product {nameless} of its list has no id.{quoted}"
    products = tuple(str(text).encode(errors="replace").decode() for text in ids)
    return products, f"{host} shows {len(products)} in {title}."
