"""Checks across one person's events: what a journey shows, and why a feed does not show what one expects.

Nothing here is an error: notes are for a person to judge. A :class:`PersonEvent` is an event that was sent, whatever came of
it; the feeds go by those that count (``feeds.py``), and everything else is a reason.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice

from intempt_core.contract import (
    ADDS_TO_FEED,
    FEEDS,
    REMOVES_FROM_FEED,
    EventName,
    Outcome,
    PersonEvent,
    PersonHistory,
    ProcessingStatus,
    compute_feeds,
    is_placeholder,
)

MAX_REASONS = 20
"""Products that a feed's account speaks of at the most; it says how many more there are."""

FEED_DELAY_MS = 60_000
"""Milliseconds that a feed may need until it shows what was accepted; the vendor names no time."""

TimeFormatter = Callable[[int], str]
"""Epoch milliseconds as people read them."""


def format_utc(ms: int) -> str:
    """A time as ``2026-11-22 12:03:07 UTC``; one that no calendar has as its number."""
    try:
        return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{ms:,} ms"


# ── notes on a journey ───────────────────────────────────────────────────────────────────────────────────────────────


class NoteKind(StrEnum):
    """What a note is about."""

    NEVER_ADDED = "removed but never added"
    NEVER_VIEWED = "ordered but never viewed"
    TWO_IDS = "one person under two ids"
    TIME_ORDER = "arrived in another order than it happened"


NOTE_MEANINGS: Mapping[NoteKind, str] = {
    NoteKind.NEVER_ADDED: "Removing what was never added changes no feed. Look whether the add was lost, or named"
    " another product.",
    NoteKind.NEVER_VIEWED: "An order without a view is possible; many of them mean that views are not sent.",
    NoteKind.TWO_IDS: "Events under both ids are one person's, so they share their feeds. Intended for an alias; a bug"
    " where two people share a device or a placeholder.",
    NoteKind.TIME_ORDER: "Feeds go by arrival, not by the event's own time: a late event stands before those that"
    " happened after it.",
}
"""What each kind of note means for the feeds."""


@dataclass(frozen=True, slots=True)
class JourneyNote:
    """Something about a journey that a person may want to know: its kind, and the case as a sentence."""

    kind: NoteKind
    message: str


def find_notes(history: PersonHistory, format_time: TimeFormatter = format_utc) -> list[JourneyNote]:
    """What is odd about a person's journey, as notes and not as errors; only events that count are looked at."""
    counting = [step for step in history.events if step.counts]
    return [
        *_note_missing_events(counting, format_time),
        *_note_two_ids(history),
        *_note_time_order(counting, format_time),
    ]


def _note_missing_events(events: Sequence[PersonEvent], format_time: TimeFormatter) -> Iterator[JourneyNote]:
    demands = {
        EventName.REMOVED: (EventName.ADDED, NoteKind.NEVER_ADDED),
        EventName.ORDERED: (EventName.VIEWED, NoteKind.NEVER_VIEWED),
    }
    done: set[tuple[str, str]] = set()
    noted: set[tuple[str, str]] = set()
    for step in events:
        key = (step.name, step.product)
        if step.name in demands and key not in noted:
            before, kind = demands[EventName(step.name)]
            if (before.value, step.product) not in done:
                noted.add(key)
                yield JourneyNote(
                    kind, f"“{step.product}”: “{step.name}” at {format_time(step.when)}, and no “{before}” before."
                )
        done.add(key)


def _note_two_ids(history: PersonHistory) -> Iterator[JourneyNote]:
    by_field: dict[str, list[str]] = {}
    for name, id_ in history.identities:
        if not is_placeholder(id_):
            by_field.setdefault(name, []).append(id_)
    for name, ids in by_field.items():
        if len(ids) > 1:
            listed = ", ".join(f"“{id_}”" for id_ in ids[:5]) + (f" and {len(ids) - 5:,} more" if len(ids) > 5 else "")
            yield JourneyNote(
                NoteKind.TWO_IDS, f"{name} {listed} are one person: an event names both, or both share an id."
            )


def _note_time_order(events: Sequence[PersonEvent], format_time: TimeFormatter) -> Iterator[JourneyNote]:
    latest: PersonEvent | None = None
    late: list[tuple[PersonEvent, PersonEvent]] = []
    for step in events:
        if step.timestamp is None:
            continue
        if latest is not None and latest.timestamp is not None and step.timestamp < latest.timestamp:
            late.append((step, latest))
        else:
            latest = step
    if late:
        step, before = late[0]
        more = f" So did {len(late) - 1:,} more." if len(late) > 1 else ""
        yield JourneyNote(
            NoteKind.TIME_ORDER,
            f"“{step.name}” of “{step.product}” happened at {format_time(step.timestamp or 0)} and arrived after"
            f" “{before.name}” of “{before.product}”, which happened at {format_time(before.timestamp or 0)}.{more}",
        )


# ── expected beside actual ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class FeedExplanation:
    """One feed of one person: what it should show, how what it shows differs and why, and what else is to be said.

    ``differences`` are sentences, none where actual is as expected or was not asked. ``remarks`` are sentences on
    products that one might look for in vain, and on answers that nobody knows.
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
    """Hold what a feed shows against what it should, and explain.

    ``actual`` is ``None`` where the feed cannot be read; ``limit`` is how many products it was asked for; ``now`` epoch
    ms; ``missing_products`` are those that a loaded catalogue lacks (CONTRACT 2.5).
    """
    whole = compute_feeds(step for step in events if step.counts)[feed]
    shows, hides = _index_by_product(events, ADDS_TO_FEED, feed), _index_by_product(events, REMOVES_FROM_FEED, feed)
    told = _FeedEvidence(feed, events, shows, hides, dict.fromkeys(whole), now, status, missing_products, format_time)
    differences: list[str] = []
    if actual is not None and list(actual) != whole[:limit]:
        differences = list(_explain_differences(told, actual, limit))
    return FeedExplanation(
        feed,
        tuple(whole),
        tuple(_limit_sentences(differences)),
        tuple(_limit_sentences(list(_list_remarks(told, actual or ())))),
    )


def _index_by_product(events: Sequence[PersonEvent], table: Mapping[str, str], feed: str) -> dict[str, list[int]]:
    """The indices of the steps that ``table`` leads to a feed, whether or not they count, by product."""
    found: dict[str, list[int]] = {}
    for index, step in enumerate(events):
        if table.get(step.name) == feed:
            found.setdefault(step.product, []).append(index)
    return found


@dataclass(frozen=True, slots=True)
class _FeedEvidence:
    """What the sentences of one feed are made of: the steps, those that show and that hide each product, and the rest.

    ``expected`` are the products of the whole ``feed``, in order.
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
        """Every product that a step shows or hides, with its last such step, the most recent first."""
        last = {product: indices[-1] for product, indices in self._shows.items()}
        for product, indices in self._hides.items():
            last[product] = max(last.get(product, -1), indices[-1])
        return sorted(last.items(), key=lambda one: -one[1])

    def shows(self, product: str) -> Sequence[int]:
        """The indices of the steps that put a product into the feed, whether or not they count."""
        return self._shows.get(product, ())

    def hides(self, product: str) -> Sequence[int]:
        """The same for those that take it out."""
        return self._hides.get(product, ())

    def describe_foreign(self, product: str, table: Mapping[str, str]) -> str:
        """The last event by which another client showed or hid a product, in a sentence; empty where none is known."""
        for event in reversed(self.status.foreign if self.status else ()):
            if event.product == product and table.get(event.name) == self.feed:
                client = f" ({event.client})" if event.client else ""
                return f"another client{client} sent its “{event.name}” at {self.format_time(event.when)}"
        return ""

    def last_counting(self, indices: Sequence[int]) -> int | None:
        """The last of some steps that counts."""
        return next((index for index in reversed(indices) if self.events[index].counts), None)

    def describe(self, index: int) -> str:
        """A step in a sentence: “Removed from cart” at 12:03."""
        return f"“{self.events[index].name}” at {self.format_time(self.events[index].when)}"

    def describe_age(self, index: int) -> str:
        """How long ago a step's outcome was known, in seconds or minutes."""
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
            return f"the answer to its {evidence.describe(index)} is unknown; it may have arrived."
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
    return (
        f"its {evidence.describe(last)} was accepted {evidence.describe_age(last)}. Accepted is not processed: the target may have ignored"
        f" it{or_removed}."
    )


def _explain_unprocessed(evidence: _FeedEvidence, index: int) -> str:
    """What the target itself says of a step, where it can be asked and did not process it."""
    step, known = evidence.events[index], evidence.status
    if known is None or step.event_id in known.processed:
        return ""
    if step.event_id in known.reasons:
        return f"its {evidence.describe(index)} was not processed, because… {known.reasons[step.event_id]}"
    return f"its {evidence.describe(index)} is not there any more: the target was emptied since."


def _explain_shown(evidence: _FeedEvidence, product: str) -> str:
    shows, hides = evidence.shows(product), evidence.hides(product)
    last_hide = evidence.last_counting(hides)
    doubtful = next((index for index in reversed(shows) if evidence.events[index].may_count), None)
    if doubtful is not None and (last_hide is None or doubtful > last_hide):
        return f"the answer to its {evidence.describe(doubtful)} is unknown, so it has arrived."
    if last_hide is not None and evidence.last_counting(shows) is not None:
        verdict = _explain_unprocessed(evidence, last_hide)
        others = evidence.describe_foreign(product, ADDS_TO_FEED)
        again = f"But {others}." if others else "The feed has not followed yet, or another client sent it again."
        return verdict or (
            f"its {evidence.describe(last_hide)} was accepted {evidence.describe_age(last_hide)}, after the event that shows it. {again}"
        )
    by = evidence.describe_foreign(product, ADDS_TO_FEED) or "it was sent by another client"
    if product in evidence.expected:
        return "it stands further back in what is expected."
    if shows:
        step = evidence.events[shows[-1]]
        if step.state == Outcome.ACCEPTED:
            return f"its {evidence.describe(shows[-1])} should not count. {step.reason} Or {by}."
        return f"its {evidence.describe(shows[-1])} is {step.state}, so {by}."
    return f"{by}." if evidence.describe_foreign(product, ADDS_TO_FEED) else f"{by}, or before this history begins."


def _explain_order(evidence: _FeedEvidence, expected: Sequence[str], shown: Sequence[str]) -> Iterator[str]:
    first, second = next((a, b) for a, b in zip(expected, shown, strict=True) if a != b)
    one, other = evidence.last_counting(evidence.shows(first)), evidence.last_counting(evidence.shows(second))
    assert one is not None and other is not None  # noqa: S101, PT018  both are expected
    says = (
        f"The order differs: “{first}” is expected before “{second}”, because its {evidence.describe(one)} arrived after the"
        f" {evidence.describe(other)} of “{second}”."
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
            says += f" The answer to its {evidence.describe(unknown[-1])} is unknown; it may have arrived."
    yield says


def _follows_own_times(evidence: _FeedEvidence, shown: Sequence[str]) -> bool:
    """Whether products stand in the order of their last events' own times."""
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
    """Why products that one might look for are not expected, the most recent first; and what nobody knows."""
    for product, index in evidence.latest:
        if product in actual and product not in evidence.expected:
            continue  # that is a difference, and told there
        shows, hides = evidence.shows(product), evidence.hides(product)
        last_show, last_hide = evidence.last_counting(shows), evidence.last_counting(hides)
        open_ = [
            i for i in (*shows, *hides) if evidence.events[i].may_count and i > max(last_show or -1, last_hide or -1)
        ]
        if open_:
            becomes = "shown" if max(open_) in shows else "gone"
            yield f"“{product}” may be {becomes}: the answer to its {evidence.describe(max(open_))} is unknown."
        elif product in evidence.expected:
            continue
        elif last_show is not None and last_hide is not None:
            yield (
                f"“{product}” is not expected: its {evidence.describe(last_hide)} was accepted after the {evidence.describe(last_show)}."
            )
        elif shows:
            step = evidence.events[index if index in shows else shows[-1]]
            why = (
                step.reason
                if step.state == Outcome.ACCEPTED
                else _STATE_MESSAGES.get(step.state, f"It is {step.state}.")
            )
            yield f"“{product}” is not expected: its {evidence.describe(shows[-1])} does not count. {why}"


_STATE_MESSAGES: Mapping[str, str] = {
    Outcome.REJECTED: "It was rejected.",
    Outcome.NOT_SENT: "It never arrived.",
    "pending": "It has not left yet.",
}


def _limit_sentences(sentences: Sequence[str]) -> list[str]:
    more = len(sentences) - MAX_REASONS
    return [*sentences[:MAX_REASONS], *([f"{more:,} more are not listed here."] if more > 0 else [])]


assert set(ADDS_TO_FEED.values()) == set(FEEDS)  # noqa: S101  every feed of one person has an event that fills it
