"""One person's events in order → what each feed shows, and what a difference means (CONTRACT 4.1–4.7).

The sandbox answers feed reads by these rules, and the console holds the same rules against what a target answers.
Order is the order of arrival, then the position in the request; that the vendor's server keeps the latter is
assumed, not documented (CONTRACT 4.7).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from intempt_core.contract.fields import EventName


class FeedId(StrEnum):
    """The feeds whose content follows from one person's events alone (CONTRACT 4.5, in part).

    Best-selling, most popular and the feeds of products that go together depend on everybody's events, and no rule
    here says what they show. A target may give its feeds ids of its own.
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
"""Feeds that depend on everybody's events (CONTRACT 4.5), id → title. No rule says what they show to the letter, so
nothing is ever *expected* of them; the sandbox serves an approximation of its own (``sandbox/trends.py``)."""

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

ADDS_TO_FEED: dict[str, str] = {
    EventName.VIEWED: FeedId.VIEWED,  # CONTRACT 4.1
    EventName.ADDED: FeedId.ADDED,  # CONTRACT 4.2
    EventName.ORDERED: FeedId.ORDERED,  # CONTRACT 4.4, 4.5
}
"""What puts a product into which feed."""

REMOVES_FROM_FEED: dict[str, str] = {EventName.REMOVED: FeedId.ADDED}  # CONTRACT 4.3; an order hides nothing: 4.4
"""What takes a product out of which feed."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """One person did one thing with one product: an event's ``name`` and its ``data.productId``."""

    name: str
    product: str


def compute_feeds(interactions: Iterable[Interaction]) -> dict[str, list[str]]:
    """What each feed shows for one person: feed id → product ids, most recent first, each product once.

    ``interactions`` are that person's, oldest first. Names other than the four change nothing (CONTRACT 2.1, 2.6).
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


@dataclass(frozen=True, slots=True)
class FeedChange:
    """A product's places in a feed before and after, from 1; ``None`` where it was not, or is not, shown."""

    product: str
    before: int | None
    after: int | None

    @property
    def message(self) -> str:
        """The change as a sentence."""
        if self.before is None:
            return f"“{self.product}” gained place {self.after}."
        if self.after is None:
            return f"“{self.product}” lost place {self.before} and is not shown any more."
        return f"“{self.product}” moved from place {self.before} to {self.after}."


def find_feed_changes(before: Sequence[str], after: Sequence[str]) -> list[FeedChange]:
    """Which places were gained and which lost between two readings of a feed; none where they are equal.

    What is new comes first, then what is gone, then what passed others. A product that others only pushed down or let
    up has not moved by itself and is not named.
    """
    was, now = _index_places(before), _index_places(after)
    found = [FeedChange(product, None, place) for product, place in now.items() if product not in was]
    found += [FeedChange(product, place, None) for product, place in was.items() if product not in now]
    stayed = [product for product in before if product in now]
    passed = {product for product, place in now.items() if product in was and _has_passed(product, stayed, now)}
    return found + [FeedChange(product, was[product], now[product]) for product in now if product in passed]


def _index_places(products: Sequence[str]) -> dict[str, int]:
    return {product: place for place, product in reversed(list(enumerate(products, 1)))}


def _has_passed(product: str, stayed: Sequence[str], now: dict[str, int]) -> bool:
    """Whether a product stands before one now that it stood behind."""
    return any(now[product] < now[other] for other in stayed[: stayed.index(product)])


def describe_feed_difference(expected: Sequence[str], actual: Sequence[str]) -> list[str]:
    """How a feed's ``actual`` products differ from the ``expected`` ones, as sentences; none where they are equal.

    Places count from 1, the most recent product. What is missing comes first, then what is too much, then order.
    """
    missing, extra = Counter(expected) - Counter(actual), Counter(actual) - Counter(expected)
    found = [f"“{product}” is expected in place {expected.index(product) + 1} and is not shown." for product in missing]
    for product in extra:
        if product in expected:
            found.append(f"“{product}” is shown {actual.count(product)} times.")
        else:
            found.append(f"“{product}” is shown in place {actual.index(product) + 1} and is not expected.")
    return found + _describe_disorder(_drop_surplus(expected, missing), _drop_surplus(actual, extra))


def _drop_surplus(products: Sequence[str], surplus: Counter[str]) -> list[str]:
    """The products without their surplus, the later ones of a product dropped."""
    left = Counter(products) - surplus
    kept = []
    for product in products:
        if left[product] > 0:
            left[product] -= 1
            kept.append(product)
    return kept


def _describe_disorder(expected: Sequence[str], actual: Sequence[str]) -> list[str]:
    """One sentence on the first place where two orders of the same products part."""
    for wanted, shown in zip(expected, actual, strict=True):
        if wanted != shown:
            return [f"The order differs: “{wanted}” is expected before “{shown}”, and is shown after it."]
    return []
