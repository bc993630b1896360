"""Why a product is not in a feed, in one sentence, with the event that decides it.

The order of the questions is that of a support engineer: is it shown after all, did an event name it, did that event
arrive, was it processed, was the product removed since.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from intempt_core.analysis.feed_diff import FEED_DELAY_MS
from intempt_core.analysis.journey_notes import TimeFormatter, format_utc
from intempt_core.analysis.timeline import EventEffect, PersonTimeline, TimelineEvent
from intempt_core.contract import ADDS_TO_FEED, FEED_TITLES, REMOVES_FROM_FEED, compute_feeds

REPEATED_ID_CODE = "event_id_repeated"
"""The code of an event that repeats the id of another one."""


@dataclass(frozen=True, slots=True)
class FeedAnswer:
    """Why a product is, or is not, in a feed of a person.

    Attributes:
        sentence: The answer.
        is_shown: Whether the feed shows it; ``None`` where the feed was not read.
        is_certain: Whether the answer is known, not only likely.
        event: The event that decides it, ``None`` where there is none.
        needs_new_id: Whether sending that event with a new id would help.
    """

    sentence: str
    is_shown: bool | None
    is_certain: bool = True
    event: TimelineEvent | None = None
    needs_new_id: bool = False


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, and what is known.

    ``adds`` and ``removes`` are the events that put the product into the feed and take it out, whether or not they
    count.
    """

    product: str
    feed: str
    timeline: PersonTimeline
    actual: Sequence[str] | None
    now: int
    limit: int
    missing_products: frozenset[str]
    format_time: TimeFormatter

    @property
    def adds(self) -> list[TimelineEvent]:
        return self._find(ADDS_TO_FEED)

    @property
    def removes(self) -> list[TimelineEvent]:
        return self._find(REMOVES_FROM_FEED)

    @property
    def title(self) -> str:
        return FEED_TITLES[self.feed]

    @property
    def absent(self) -> str:
        """How the answer begins where the product is not there."""
        verb = "is not expected in" if self.actual is None else "is not in"
        return f"{self.product} {verb} {self.title}"

    def _find(self, table: dict[str, str]) -> list[TimelineEvent]:
        return [
            one
            for one in self.timeline.events
            if one.event.product == self.product and table.get(one.event.name) == self.feed
        ]

    def describe(self, one: TimelineEvent) -> str:
        """An event in words: “Added to cart” at 12:03 from shop-app/2."""
        by = "" if one.is_own or one.arrival is None else f" from {one.arrival.client or 'a client without a name'}"
        return f"“{one.event.name}” at {self.format_time(one.event.when)}{by}"


def explain_absence(
    product: str,
    feed: str,
    timeline: PersonTimeline,
    actual: Sequence[str] | None,
    *,
    now: int,
    limit: int,
    missing_products: frozenset[str] = frozenset(),
    format_time: TimeFormatter = format_utc,
) -> FeedAnswer:
    """Explain why a product is not in a feed of a person; or, where it is, since when.

    ``actual`` is what the feed shows, ``None`` where it was not read, and ``limit`` how many products it was asked for;
    ``now`` is in epoch milliseconds; ``missing_products`` are those that a loaded catalogue lacks (CONTRACT 2.5).
    """
    asked = _Question(product, feed, timeline, actual, now, limit, missing_products, format_time)
    if actual is not None and product in actual:
        return _explain_shown(asked, actual.index(product) + 1)
    steps: tuple[Callable[[_Question], FeedAnswer | None], ...] = (
        _explain_no_add,
        _explain_ineffective_adds,
        _explain_removal,
        _explain_possible_removal,
    )
    for step in steps:
        answer = step(asked)
        if answer is not None:
            return answer
    return _explain_counted(asked)


def _explain_shown(asked: _Question, place: int) -> FeedAnswer:
    counting = [one for one in asked.adds if one.event.counts]
    since = f", since its {asked.describe(counting[-1])}" if counting else "; no event that is known here put it there"
    sentence = f"{asked.product} is in {asked.title}, at place {place}{since}."
    return FeedAnswer(sentence, is_shown=True, event=counting[-1] if counting else None)


def _explain_no_add(asked: _Question) -> FeedAnswer | None:
    """Nothing known names it so that this feed would show it."""
    if asked.adds:
        return None
    needed = next(name for name, feed in ADDS_TO_FEED.items() if feed == asked.feed)
    misplaced = next(_find_misplaced(asked, needed), None)
    if misplaced is not None:
        one, key = misplaced
        where = f"it gives {asked.product} as “{key}”, not as “data.productId”"
        sentence = f"{asked.absent}: its {asked.describe(one)} was ignored, because {where}."
        return _answer(asked, sentence, one)
    same = [one for one in asked.timeline.events if one.event.product == asked.product]
    if same:
        last = same[-1]
        sentence = (
            f"{asked.absent}: no “{needed}” of it {_describe_scope(asked)}. Its last event is {asked.describe(last)},"
            " which does not put it there."
        )
        return _answer(asked, sentence, last, is_certain=asked.timeline.knows_all)
    sentence = f"{asked.absent}: no event of this person that {_describe_scope(asked)} names it."
    return _answer(asked, sentence, None, is_certain=asked.timeline.knows_all)


def _describe_scope(asked: _Question) -> str:
    return "reached the sandbox" if asked.timeline.knows_all else "this console sent"


def _find_misplaced(asked: _Question, needed: str) -> Iterator[tuple[TimelineEvent, str]]:
    """Ignored events that hold the product under another key than ``data.productId``, the last first."""
    for one in reversed(asked.timeline.events):
        if one.arrival is None or not one.arrival.body or one.event.name != needed or one.event.product:
            continue
        try:
            key = _find_key(json.loads(one.arrival.body), asked.product)
        except (ValueError, RecursionError):
            continue
        if key:
            yield one, key


def _find_key(document: Any, text: str, path: str = "") -> str:
    """The path to a value in a JSON document; empty where it is not there. Any: JSON."""
    if isinstance(document, dict):
        found = (_find_key(value, text, f"{path}.{key}" if path else key) for key, value in document.items())
        return next((key for key in found if key), "")
    if isinstance(document, list):
        return next((key for value in document if (key := _find_key(value, text, path))), "")
    return path if isinstance(document, str | int) and str(document) == text else ""


def _explain_ineffective_adds(asked: _Question) -> FeedAnswer | None:
    """No event that would show it counts: the last of them says why."""
    if any(one.event.counts for one in asked.adds):
        return None
    last = asked.adds[-1]
    described = asked.describe(last)
    match last.effect:
        case EventEffect.IGNORED:
            return _explain_ignored(asked, last)
        case EventEffect.UNKNOWN if last.event.may_count:
            sentence = f"{asked.absent}: the response to its {described} is unknown; it may have arrived."
            return _answer(asked, sentence, last, is_certain=False)
        case EventEffect.UNKNOWN | EventEffect.NOT_SENT:
            sentence = f"{asked.absent}: its {described} did not arrive."
        case EventEffect.REJECTED:
            sentence = f"{asked.absent}: the request of its {described} was rejected, so that it had no effect."
        case _:
            sentence = f"{asked.absent}: its {described} is not sent yet."
    return _answer(asked, sentence, last)


def _explain_ignored(asked: _Question, one: TimelineEvent) -> FeedAnswer:
    repeats = "repeat" in one.event.reason.lower() if one.arrival is None else REPEATED_ID_CODE in one.arrival.codes
    if not repeats:
        reason = one.event.reason[:1].lower() + one.event.reason[1:]
        return _answer(asked, f"{asked.absent}: its {asked.describe(one)} was ignored: {reason}", one)
    use = "which was used before"
    first = one.arrival.first if one.arrival else None
    if first is not None:
        mine = {id_ for _, id_ in asked.timeline.identities}
        by = "this person" if first.person in mine else first.person or "an event without an identity"
        use = f"already used at {asked.format_time(first.received_at)} by {by}, in “{first.name}” of {first.product}"
    sentence = f"{asked.absent}: its {asked.describe(one)} repeated the id {one.event.event_id}, {use}."
    return _answer(asked, sentence, one, needs_new_id=True)


def _explain_removal(asked: _Question) -> FeedAnswer | None:
    """It was there, and was removed since."""
    places = {id(one): place for place, one in enumerate(asked.timeline.events)}
    added = next(one for one in reversed(asked.adds) if one.event.counts)
    removed = next((one for one in reversed(asked.removes) if one.event.counts), None)
    if removed is None or places[id(removed)] < places[id(added)]:
        return None
    later = [one for one in asked.adds if places[id(one)] > places[id(removed)] and one.effect is EventEffect.IGNORED]
    if later:
        return _explain_ignored(asked, later[-1])
    done = "processed" if asked.timeline.knows_all else "accepted"
    described, before = asked.describe(removed), asked.describe(added)
    return _answer(asked, f"{asked.absent}: its {described} was {done}, after the {before}.", removed)


def _explain_possible_removal(asked: _Question) -> FeedAnswer | None:
    """It may have been removed: the outcome of its removal is unknown."""
    doubtful = next((one for one in reversed(asked.removes) if one.event.may_count), None)
    if doubtful is None or asked.actual is None:
        return None
    described = asked.describe(doubtful)
    sentence = f"{asked.absent}: the response to its {described} is unknown; it may have arrived."
    return _answer(asked, sentence, doubtful, is_certain=False)


def _explain_counted(asked: _Question) -> FeedAnswer:
    """It should be there."""
    added = next(one for one in reversed(asked.adds) if one.event.counts)
    described, whole = (
        asked.describe(added),
        compute_feeds(one.event for one in asked.timeline.events if one.event.counts),
    )
    place = whole[asked.feed].index(asked.product) + 1
    if asked.actual is None:
        sentence = f"{asked.product} is expected in {asked.title}, at place {place}, since its {described}."
        return FeedAnswer(f"{sentence} The feed was not read.", is_shown=None, is_certain=False, event=added)
    if place > asked.limit:
        sentence = f"{asked.absent}: it is expected at place {place:,}, and a feed returns {asked.limit} products."
        return _answer(asked, sentence, added)
    if asked.product in asked.missing_products:
        sentence = f"{asked.absent}: the catalogue that is loaded does not have it; an unknown product is not shown."
        return _answer(asked, sentence, added, is_certain=False)
    if asked.timeline.knows_all:
        return _answer(
            asked, f"{asked.absent}, although its {described} was processed. Refresh.", added, is_certain=False
        )
    age = asked.now - added.event.when
    wait = " A feed may need longer." if age < FEED_DELAY_MS else ""
    sentence = (
        f"{asked.absent}, although its {described} was accepted. Accepted is not processed: the target may have"
        f" ignored it, or another client may have changed the feed.{wait}"
    )
    return _answer(asked, sentence, added, is_certain=False)


def _answer(
    asked: _Question,
    sentence: str,
    event: TimelineEvent | None,
    *,
    is_certain: bool = True,
    needs_new_id: bool = False,
) -> FeedAnswer:
    return FeedAnswer(sentence, None if asked.actual is None else False, is_certain, event, needs_new_id)
