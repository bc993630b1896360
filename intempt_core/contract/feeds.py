"""Feeds: what each one shows for a person, computed from that person's events in order (CONTRACT 4.1–4.7).

The sandbox serves feeds by these rules, and the console compares them with what a target shows. Order is the order of
arrival, then the position in the request; that the vendor's server keeps the latter is assumed, not documented
(CONTRACT 4.7).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from intempt_core.contract.fields import EventName


class FeedId(StrEnum):
    """The feeds whose content follows from one person's events alone (CONTRACT 4.5, in part).

    Best-selling, most popular and the feeds of products that go together depend on the events of all persons, and no
    rule here says what they show. A target may give its feeds ids of its own.
    """

    VIEWED = "recently-viewed"
    ADDED = "recently-added-to-cart"
    ORDERED = "recently-purchased"


FEEDS: dict[str, str] = {
    FeedId.VIEWED: "Recently Viewed",
    FeedId.ADDED: "Recently Added to Cart",
    FeedId.ORDERED: "Recently Purchased",
}
"""Feed id → title."""

SHARED_FEEDS: dict[str, str] = {
    "best-selling": "Best Selling",
    "most-popular": "Most Popular",
    "viewed-together": "Viewed Together",
    "purchased-together": "Purchased Together",
}
"""Feeds that depend on the events of all persons (CONTRACT 4.5), id → title. No rule says exactly what they show, so
nothing is ever *expected* of them; the sandbox serves an approximation (``sandbox/storage/shared_feeds.py``)."""

FEED_TITLES = FEEDS | SHARED_FEEDS
"""Every feed that a target may have, id → title."""


class FeedIdentity(StrEnum):
    """The type of an id by which a feed can be read, as the feed API names it (CONTRACT 5.1)."""

    USER = "user"
    PROFILE = "profile"
    ACCOUNT = "account"


FEED_IDENTITY_TYPES: dict[str, FeedIdentity] = {
    "userId": FeedIdentity.USER,
    "profileId": FeedIdentity.PROFILE,
    "accountId": FeedIdentity.ACCOUNT,
}
"""Identity field → the type by which a feed is read for it. By ``anotherUserId`` no feed is read."""


class FeedEffect(NamedTuple):
    """What an event does to the feeds of its person: the feed that its product enters, and the one that it leaves."""

    adds_to: FeedId | None = None
    removes_from: FeedId | None = None


FEED_EFFECTS: dict[EventName, FeedEffect] = {
    EventName.VIEWED: FeedEffect(adds_to=FeedId.VIEWED),  # CONTRACT 4.1
    EventName.ADDED: FeedEffect(adds_to=FeedId.ADDED),  # CONTRACT 4.2
    EventName.REMOVED: FeedEffect(removes_from=FeedId.ADDED),  # CONTRACT 4.3
    EventName.ORDERED: FeedEffect(adds_to=FeedId.ORDERED),  # CONTRACT 4.4, 4.5; it takes nothing out of the cart
}
"""What every event does; one that does nothing to the feeds says so by an empty effect."""

ADDS_TO_FEED: dict[str, str] = {name: effect.adds_to for name, effect in FEED_EFFECTS.items() if effect.adds_to}
"""Event name → the feed that its product enters."""

REMOVES_FROM_FEED: dict[str, str] = {
    name: effect.removes_from for name, effect in FEED_EFFECTS.items() if effect.removes_from
}
"""Event name → the feed that its product leaves."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """One person did one thing with one product: an event's ``name`` and its ``data.productId``."""

    name: str
    product: str


def compute_feeds(interactions: Iterable[Interaction]) -> dict[str, list[str]]:
    """What each feed shows for one person: feed id → product ids, most recent first, each product once.

    ``interactions`` are that person's, oldest first. Any other name changes nothing (CONTRACT 2.1, 2.6).
    """
    shelves: dict[str, dict[str, None]] = {feed: {} for feed in FEEDS}  # a dict keeps the order of insertion
    for interaction in interactions:
        name = interaction.name
        if name in ADDS_TO_FEED:
            shelf = shelves[ADDS_TO_FEED[name]]
            shelf.pop(interaction.product, None)
            shelf[interaction.product] = None
        elif name in REMOVES_FROM_FEED:
            shelves[REMOVES_FROM_FEED[name]].pop(interaction.product, None)
    return {feed: list(reversed(shelf)) for feed, shelf in shelves.items()}
