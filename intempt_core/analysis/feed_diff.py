"""What a feed shows: held against what it should show, with the reasons, and against what it showed before.

The feeds go by the events that count (CONTRACT 4); every other event that was sent is a possible reason for a
difference. Nothing here is an error: a reason is for a person to judge.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from intempt_core.analysis.journey_notes import TimeFormatter, format_utc
from intempt_core.contract import (
    ADDS_TO_FEED,
    REMOVES_FROM_FEED,
    Outcome,
    PersonEvent,
    ProcessingStatus,
    compute_feeds,
)

MAX_REASONS = 20
"""Sentences of each kind about one feed at the most; one more says how many are left out."""

FEED_DELAY_MS = 60_000
"""Milliseconds that a feed may need until it shows what was accepted; the vendor documents no time."""


@dataclass(frozen=True, slots=True)
class FeedExplanation:
    """One feed of one person, explained.

    Attributes:
        feed: The feed (a :class:`~intempt_core.contract.FeedId`).
        expected: The products that it should show, the most recent first.
        differences: How what it shows differs, and why, as sentences; none where it is as expected or was not read.
        remarks: Sentences on products that one may miss although they are not expected, and on unknown outcomes.
    """

    feed: str
    expected: tuple[str, ...]
    differences: tuple[str, ...]
    remarks: tuple[str, ...]


def explain_feed(
    feed: str,
    events: Sequence[PersonEvent],
    actual: Sequence[str] | None,
    *,
    now: int,
    limit: int,
    status: ProcessingStatus | None = None,
    missing_products: frozenset[str] = frozenset(),
    format_time: TimeFormatter = format_utc,
) -> FeedExplanation:
    """Compare what a feed shows with what it should show, and explain the differences.

    ``events`` are a person's, oldest first. ``actual`` is ``None`` where the feed cannot be read; ``limit`` is how many
    products it was asked for; ``now`` is in epoch milliseconds; ``missing_products`` are those that a loaded catalogue
    lacks (CONTRACT 2.5).
    """
    whole = compute_feeds(event for event in events if event.counts)[feed]
    shows, hides = _index_by_product(events, ADDS_TO_FEED, feed), _index_by_product(events, REMOVES_FROM_FEED, feed)
    evidence = _FeedEvidence(
        feed, events, shows, hides, dict.fromkeys(whole), now, status, missing_products, format_time
    )
    differences: list[str] = []
    if actual is not None and list(actual) != whole[:limit]:
        differences = list(_explain_differences(evidence, actual, limit))
    return FeedExplanation(
        feed,
        tuple(whole),
        tuple(_limit_sentences(differences)),
        tuple(_limit_sentences(list(_list_remarks(evidence, actual or ())))),
    )


def _index_by_product(events: Sequence[PersonEvent], table: Mapping[str, str], feed: str) -> dict[str, list[int]]:
    """By product, the indices of the events that ``table`` leads to a feed, whether or not they count."""
    found: dict[str, list[int]] = {}
    for index, event in enumerate(events):
        if table.get(event.name) == feed:
            found.setdefault(event.product, []).append(index)
    return found


@dataclass(frozen=True, slots=True)
class _FeedEvidence:
    """What the sentences about one feed are made of: the events, which show and which hide a product, and the rest.

    ``expected`` are the products that the whole ``feed`` should show, in order.
    """

    feed: str
    events: Sequence[PersonEvent]
    _shows: Mapping[str, list[int]]
    _hides: Mapping[str, list[int]]
    expected: Mapping[str, None]
    now: int
    status: ProcessingStatus | None
    missing_products: frozenset[str]
    format_time: TimeFormatter

    @property
    def latest(self) -> list[tuple[str, int]]:
        """Every product that an event shows or hides, with the index of its last such event, the most recent first."""
        last = {product: indices[-1] for product, indices in self._shows.items()}
        for product, indices in self._hides.items():
            last[product] = max(last.get(product, -1), indices[-1])
        return sorted(last.items(), key=lambda one: -one[1])

    def shows(self, product: str) -> Sequence[int]:
        """The indices of the events that put a product into the feed, whether or not they count."""
        return self._shows.get(product, ())

    def hides(self, product: str) -> Sequence[int]:
        """The indices of the events that take a product out of the feed, whether or not they count."""
        return self._hides.get(product, ())

    def describe_foreign(self, product: str, table: Mapping[str, str]) -> str:
        """The last event by which another client showed or hid a product, in a sentence; empty where none is known."""
        for event in reversed(self.status.foreign if self.status else ()):
            if event.product == product and table.get(event.name) == self.feed:
                client = f" ({event.client})" if event.client else ""
                return f"another client{client} sent its “{event.name}” at {self.format_time(event.when)}"
        return ""

    def last_counting(self, indices: Sequence[int]) -> int | None:
        """The last of some events that counts."""
        return next((index for index in reversed(indices) if self.events[index].counts), None)

    def describe(self, index: int) -> str:
        """An event in a sentence: “Removed from cart” at 12:03."""
        return f"“{self.events[index].name}” at {self.format_time(self.events[index].when)}"

    def describe_age(self, index: int) -> str:
        """How long ago an event's outcome became known, in seconds or minutes."""
        seconds = max(0, self.now - self.events[index].when) // 1000
        return f"{seconds} s ago" if seconds < 120 else f"{seconds // 60:,} min ago"


def _explain_differences(evidence: _FeedEvidence, actual: Sequence[str], limit: int) -> Iterator[str]:
    expected = list(islice(evidence.expected, limit))
    for product in expected:
        if product not in actual:
            yield f"“{product}” is missing: {_explain_missing(evidence, product)}"
    for product in dict.fromkeys(actual):
        if product not in expected:
            yield f"“{product}” is shown and not expected: {_explain_shown(evidence, product)}"
        elif actual.count(product) > 1:
            yield f"“{product}” is shown {actual.count(product)} times; a feed shows a product once."
    both = [product for product in expected if product in actual]
    shown = [product for product in dict.fromkeys(actual) if product in both]
    if both != shown:
        yield from _explain_order(evidence, both, shown)


def _explain_missing(evidence: _FeedEvidence, product: str) -> str:
    shows = evidence.shows(product)
    last = evidence.last_counting(shows)
    assert last is not None  # noqa: S101  it is expected, so something shows it
    for index in reversed(evidence.hides(product)):
        if index > last and evidence.events[index].may_count:
            return f"the response to its {evidence.describe(index)} is unknown; it may have arrived."
    verdict = _explain_unprocessed(evidence, last)
    if verdict:
        return verdict
    if product in evidence.missing_products:
        return "it is not in the catalogue that is loaded, and every event has to name a product that is."
    removed = evidence.describe_foreign(product, REMOVES_FROM_FEED)
    if removed:
        return f"{removed}."
    if evidence.status is not None:
        return f"its {evidence.describe(last)} was processed {evidence.describe_age(last)}, and yet it is not shown."
    if evidence.now - evidence.events[last].when < FEED_DELAY_MS:
        return f"its {evidence.describe(last)} was accepted {evidence.describe_age(last)}; a feed may need longer."
    or_removed = ", or another client removed it since" if evidence.feed in REMOVES_FROM_FEED.values() else ""
    accepted = f"its {evidence.describe(last)} was accepted {evidence.describe_age(last)}."
    return f"{accepted} Accepted is not processed: the target may have ignored it{or_removed}."


def _explain_unprocessed(evidence: _FeedEvidence, index: int) -> str:
    """Why the target did not process an event, where it can be asked; empty where it did or cannot."""
    event, known = evidence.events[index], evidence.status
    if known is None or event.event_id in known.processed:
        return ""
    if event.event_id in known.reasons:
        return f"its {evidence.describe(index)} was not processed, because… {known.reasons[event.event_id]}"
    return f"its {evidence.describe(index)} is not there any more: the target was emptied since."


def _explain_shown(evidence: _FeedEvidence, product: str) -> str:
    shows, hides = evidence.shows(product), evidence.hides(product)
    last_hide = evidence.last_counting(hides)
    doubtful = next((index for index in reversed(shows) if evidence.events[index].may_count), None)
    if doubtful is not None and (last_hide is None or doubtful > last_hide):
        return f"the response to its {evidence.describe(doubtful)} is unknown, so it has arrived."
    if last_hide is not None and evidence.last_counting(shows) is not None:
        verdict = _explain_unprocessed(evidence, last_hide)
        others = evidence.describe_foreign(product, ADDS_TO_FEED)
        again = f"But {others}." if others else "The feed has not followed yet, or another client sent it again."
        accepted = f"its {evidence.describe(last_hide)} was accepted {evidence.describe_age(last_hide)}"
        return verdict or f"{accepted}, after the event that shows it. {again}"
    by = evidence.describe_foreign(product, ADDS_TO_FEED) or "it was sent by another client"
    if product in evidence.expected:
        return "it is expected further back."
    if shows:
        event = evidence.events[shows[-1]]
        if event.state == Outcome.ACCEPTED:
            return f"its {evidence.describe(shows[-1])} should not count. {event.reason} Or {by}."
        return f"its {evidence.describe(shows[-1])} is {event.state}, so {by}."
    return f"{by}." if evidence.describe_foreign(product, ADDS_TO_FEED) else f"{by}, or before this history begins."


def _explain_order(evidence: _FeedEvidence, expected: Sequence[str], shown: Sequence[str]) -> Iterator[str]:
    first, second = next((a, b) for a, b in zip(expected, shown, strict=True) if a != b)
    one, other = evidence.last_counting(evidence.shows(first)), evidence.last_counting(evidence.shows(second))
    assert one is not None and other is not None  # noqa: S101, PT018  both are expected
    says = (
        f"The order differs: “{first}” is expected before “{second}”, because its {evidence.describe(one)} arrived"
        f" after the {evidence.describe(other)} of “{second}”."
    )
    if others := evidence.describe_foreign(second, ADDS_TO_FEED):
        says += f" For “{second}” {others}."
    elif _follows_own_times(evidence, shown):
        says += " The order shown is that of the events' own times."
    elif evidence.events[one].request == evidence.events[other].request:
        says += " Both went in one request, and that a server keeps the order inside one is assumed, not documented."
    else:
        unknown = [index for index in evidence.shows(second) if evidence.events[index].may_count and index > one]
        if unknown:
            says += f" The response to its {evidence.describe(unknown[-1])} is unknown; it may have arrived."
    yield says


def _follows_own_times(evidence: _FeedEvidence, shown: Sequence[str]) -> bool:
    """Whether products are in the order of their last events' own times."""
    times = [
        max(
            (
                evidence.events[index].timestamp or 0
                for index in evidence.shows(product)
                if evidence.events[index].counts
            ),
            default=0,
        )
        for product in shown
    ]
    return all(times) and times == sorted(times, reverse=True)


def _list_remarks(evidence: _FeedEvidence, actual: Sequence[str]) -> Iterator[str]:
    """Why products that one may miss are not expected, the most recent first; and which outcomes are unknown."""
    for product, index in evidence.latest:
        if product in actual and product not in evidence.expected:
            continue  # that is a difference
        shows, hides = evidence.shows(product), evidence.hides(product)
        last_show, last_hide = evidence.last_counting(shows), evidence.last_counting(hides)
        open_ = [
            i for i in (*shows, *hides) if evidence.events[i].may_count and i > max(last_show or -1, last_hide or -1)
        ]
        if open_:
            becomes = "shown" if max(open_) in shows else "gone"
            described = evidence.describe(max(open_))
            yield f"“{product}” may be {becomes}: the response to its {described} is unknown; it may have arrived."
        elif product in evidence.expected:
            continue
        elif last_show is not None and last_hide is not None:
            removed, added = evidence.describe(last_hide), evidence.describe(last_show)
            yield f"“{product}” is not expected: its {removed} was accepted after the {added}."
        elif shows:
            event = evidence.events[index if index in shows else shows[-1]]
            why = (
                event.reason
                if event.state == Outcome.ACCEPTED
                else _STATE_MESSAGES.get(event.state, f"It is {event.state}.")
            )
            yield f"“{product}” is not expected: its {evidence.describe(shows[-1])} does not count. {why}"


_STATE_MESSAGES: Mapping[str, str] = {
    Outcome.REJECTED: "It was rejected.",
    Outcome.UNKNOWN: "Its outcome is unknown; it may have arrived.",
    Outcome.NOT_SENT: "It never arrived.",
    "pending": "It is not sent yet.",
}


def _limit_sentences(sentences: Sequence[str]) -> list[str]:
    more = len(sentences) - MAX_REASONS
    return [*sentences[:MAX_REASONS], *([f"{more:,} more are not listed here."] if more > 0 else [])]


# ── before and after ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class FeedChange:
    """A product that changed its place between two readings of a feed.

    Attributes:
        product: The product id.
        before: Its place in the first reading, from 1; ``None`` where it was not shown.
        after: Its place in the second reading, from 1; ``None`` where it is not shown.
    """

    product: str
    before: int | None
    after: int | None

    @property
    def message(self) -> str:
        """The change as a sentence."""
        if self.before is None:
            return f"“{self.product}” is now #{self.after}."
        if self.after is None:
            return f"“{self.product}” is no longer shown (it was #{self.before})."
        return f"“{self.product}” moved from #{self.before} to #{self.after}."


def find_feed_changes(before: Sequence[str], after: Sequence[str]) -> list[FeedChange]:
    """Find which products changed their places between two readings of a feed; none where the readings are equal.

    New products come first, then those that are gone, then those that passed others. A product that others only pushed
    down or up has not moved by itself and is not listed.
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
    """Whether a product is now before one that it was behind."""
    return any(now[product] < now[other] for other in stayed[: stayed.index(product)])
