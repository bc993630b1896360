"""What became of a request in three steps: Accepted → Processed → Feed as expected.

Each step follows from evidence of its own, and none is taken for another: a 2xx does not say that an event is processed
(CONTRACT 2.6, 3.1), and that a feed does not show a product proves nothing on a live target, which may need its time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from intempt_core.analysis.journey_notes import TimeFormatter, format_utc
from intempt_core.contract import (
    ADDS_TO_FEED,
    FEEDS,
    ISSUE_KINDS,
    REMOVES_FROM_FEED,
    REPEATED_CODE,
    IgnoredEvent,
    RequestVerdict,
    format_count,
    join_words,
)
from intempt_core.history import IDENTITY_COLUMNS, EventIntent, RequestRecord, RequestState
from intempt_core.transport import SandboxArrival

MAX_FEED_SENTENCES = 3
"""Products of one request whose place in the feeds is put into words."""


class StepState(StrEnum):
    """How far one step is known to have come.

    ``done``: it is known to be so; ``failed``: a definite no; ``doubt``: it went another way than one wants, or is not
    certain; ``waiting``: it may still come; ``not sent``: nothing arrived; ``not known``: it cannot be asked.
    """

    DONE = "done"
    FAILED = "failed"
    DOUBT = "doubt"
    WAITING = "waiting"
    NOT_SENT = "not sent"
    NOT_KNOWN = "not known"


class ResultAction(StrEnum):
    """The next useful thing to do, by what its button says."""

    NEW_ID = "Send with a new id"
    TRY_AGAIN = "Try again"


@dataclass(frozen=True, slots=True)
class ResultStep:
    """One of the three steps.

    Attributes:
        state: How far it has come.
        label: The step in a few words, such as ``Ignored: duplicate event id``.
    """

    state: StepState
    label: str


@dataclass(frozen=True, slots=True)
class EventResult:
    """What became of one request.

    Attributes:
        steps: The steps as far as they were reached: one that failed is the last.
        sentence: What it comes to, as one or two sentences.
        action: The next useful thing to do, ``None`` where there is nothing to do.
        first_use: The event that used the id of an ignored one before; ``None`` where none is known.
        repeated: The positions of the events that are ignored because their ids were used before.
        is_waiting: Whether a feed is worth asking again.
    """

    steps: tuple[ResultStep, ...]
    sentence: str
    action: ResultAction | None = None
    first_use: SandboxArrival | None = None
    repeated: tuple[int, ...] = ()
    is_waiting: bool = False

    @property
    def worked(self) -> bool:
        """Whether all three steps are known to be done."""
        return len(self.steps) == 3 and all(step.state is StepState.DONE for step in self.steps)

    @property
    def message(self) -> str:
        """Steps and sentence as one text, for a screen reader."""
        return f"{', '.join(step.label for step in self.steps)}. {self.sentence}".strip()


@dataclass(frozen=True, slots=True)
class FeedReading:
    """One feed of the person of a request.

    Attributes:
        expected: The products that it should show, the most recent first.
        actual: Those that it shows, ``None`` where it could not be read.
        earlier: Those that it showed before the request was sent, ``None`` where that is not known.
        others: Products that other events from here put into it before.
        reason: Why it could not be read, or how it differs, as a sentence; empty where neither is so.
    """

    expected: Sequence[str]
    actual: Sequence[str] | None
    earlier: Sequence[str] | None = None
    others: frozenset[str] = frozenset()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ResultEvidence:
    """What is known of a request beside its own record.

    Attributes:
        verdict: What the sandbox says of its events; ``None`` where it said nothing, or the target is none.
        first_uses: Event id → the event that used it first, of what the sandbox was asked about.
        person: The person whose feeds these are, as identity field and id; ``None`` where all events are of one.
        feeds: Its person's feeds by :class:`~intempt_core.contract.FeedId`; none where none can be read.
        feeds_unknown: Why the feeds cannot be asked, as the end of a sentence; empty where they can.
        limit: How many products a feed is asked for.
        asked_at: When the feeds were read, epoch milliseconds.
        ask_until: Until when it is worth reading them again, epoch milliseconds.
    """

    verdict: RequestVerdict | None = None
    first_uses: Mapping[str, SandboxArrival] = field(default_factory=dict)
    person: tuple[str, str] | None = None
    feeds: Mapping[str, FeedReading] = field(default_factory=dict)
    feeds_unknown: str = ""
    limit: int = 50
    asked_at: int = 0
    ask_until: int = 0


def compute_event_result(
    request: RequestRecord, evidence: ResultEvidence, *, format_time: TimeFormatter = format_utc
) -> EventResult:
    """Compute what became of a request; ``format_time`` writes epoch milliseconds as the screen does."""
    return _ResultMaker(request, evidence, format_time).make()


@dataclass(frozen=True, slots=True)
class _FeedWish:
    """A product that a request's events show in a feed, or take out of it, and what the feed shows of it.

    ``place`` is from 1, ``None`` where it is not shown; ``earlier`` is the place before the send; ``is_met`` is whether
    the feed shows it where it is expected to, and ``proves`` whether that must come from this request.
    """

    feed: str
    product: str
    place: int | None
    is_met: bool
    proves: bool
    was_same: bool

    @property
    def phrase(self) -> str:
        """What the feed shows of the product, as the part of a sentence before the feeds' titles."""
        if self.place is None:
            return f"{self.product} is not in" if self.was_same else f"{self.product} is no longer in"
        now = "is still" if self.was_same else "is now"
        return f"{self.product} {now} first in" if self.place == 1 else f"{self.product} {now} at place {self.place} of"


@dataclass(frozen=True, slots=True)
class _ResultMaker:
    request: RequestRecord
    evidence: ResultEvidence
    format_time: TimeFormatter

    def make(self) -> EventResult:
        state = self.request.summary.state
        if state is RequestState.ACCEPTED:
            return self._follow_events(ResultStep(StepState.DONE, "Accepted"))
        if state is RequestState.UNKNOWN:
            return self._follow_unknown()
        return self._end_at_once(state)

    @property
    def _reason(self) -> str:
        return self.request.attempts[-1].reason if self.request.attempts else ""

    def _end_at_once(self, state: RequestState) -> EventResult:
        """A request that was not taken, or has not left."""
        attempts = self.request.attempts
        if state is RequestState.REJECTED:
            return _end(StepState.FAILED, "Rejected", f"{self._reason} It has no effect.")
        if state is RequestState.NOT_SENT:
            left = attempts and attempts[-1].status is not None
            sentence = self._reason if left else f"{self._reason.removesuffix('Nothing was sent.')}{_NOTHING_LEFT}"
            return _end(StepState.NOT_SENT, "Not sent", sentence, ResultAction.TRY_AGAIN)
        if state is RequestState.CANCELLED:
            ended = f"{self._reason} It is not tried again." if attempts else _NOTHING_LEFT
            return _end(StepState.NOT_SENT, "Cancelled", ended)
        if state is RequestState.SPLIT:
            return _end(StepState.WAITING, "Split", "It was too large: its halves were sent in its place.")
        waiting = "Waiting for a response" if state is RequestState.IN_FLIGHT else "Queued"
        return _end(StepState.WAITING, waiting, self._reason)

    def _follow_unknown(self) -> EventResult:
        """Without a response: what the sandbox has of it proves that it arrived, and so may a feed."""
        step = ResultStep(StepState.DOUBT, "Unknown (may have arrived)")
        verdict, wishes = self.evidence.verdict, list(self._list_wishes())
        if verdict is None and not (wishes and all(wish.is_met for wish in wishes) and _is_proven(wishes)):
            return EventResult((step,), self._reason)
        found = self._follow_events(step)
        return replace(found, sentence=f"No response came, and yet it arrived. {found.sentence}".strip())

    def _follow_events(self, accepted: ResultStep) -> EventResult:
        verdict = self.evidence.verdict
        if verdict is not None and verdict.ignored:
            return self._follow_ignored(accepted, verdict)
        wishes = list(self._list_wishes())
        if verdict is not None:
            processed = ResultStep(StepState.DONE, "Processed")
        elif wishes and _is_proven(wishes):
            processed = ResultStep(StepState.DONE, "Processed: a feed shows it")
        elif not self.evidence.feeds:
            processed = ResultStep(StepState.NOT_KNOWN, "Not known: this target cannot be asked")
        else:
            processed = ResultStep(StepState.NOT_KNOWN, "Processed: not known")
        feed, sentence, waits = self._judge_feeds()
        return EventResult((accepted, processed, feed), sentence, is_waiting=waits)

    # ── ignored events ────────────────────────────────────────────────────────────────────────────────────────────

    def _follow_ignored(self, accepted: ResultStep, verdict: RequestVerdict) -> EventResult:
        """Some events are ignored; the feeds follow the others, where there are any."""
        ignored, first_use = self._explain_ignored(verdict)
        repeated = tuple(one.position for one in verdict.events if REPEATED_CODE in one.codes.split())
        label = f"Ignored: {ignored}"
        if verdict.processed:
            label = f"{verdict.processed:,} processed, {verdict.ignored:,} ignored: {ignored}"
        steps, sentence, waits = [accepted, ResultStep(StepState.DOUBT, label)], _describe_no_effect(verdict), False
        if verdict.processed:
            feed, sentence, waits = self._judge_feeds(skip={one.position for one in verdict.events})
            steps.append(feed)
        return EventResult(
            tuple(steps), sentence, ResultAction.NEW_ID if repeated else None, first_use, repeated, waits
        )

    def _explain_ignored(self, verdict: RequestVerdict) -> tuple[str, SandboxArrival | None]:
        """Why the first ignored event is ignored, in a few words; and who used its id before."""
        if not verdict.events:
            return "the sandbox does not say why", None
        first = verdict.events[0]
        more = len({one.codes for one in verdict.events}) > 1
        if REPEATED_CODE not in first.codes.split():
            return _name_issues(first) + (", and more" if more else ""), None
        events = self.request.events
        id_ = events[first.position].event.event_id if first.position < len(events) else None
        use = self.evidence.first_uses.get(id_ or "")
        if use is None:
            return "duplicate event id", None
        by = f" by {use.person}" if use.person else ""
        return f"duplicate event id, used {self.format_time(use.received_at)}{by}", use

    # ── feeds ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _list_wishes(self, skip: "set[int] | frozenset[int]" = frozenset()) -> Iterator[_FeedWish]:
        """What the events do to the feeds that could be read, each feed and product once, the last event first."""
        seen: set[tuple[str, str]] = set()
        for recorded in reversed(self.request.events):
            name, product = recorded.event.name or "", recorded.event.product_id
            feed = ADDS_TO_FEED.get(name) or REMOVES_FROM_FEED.get(name)
            reading = self.evidence.feeds.get(feed or "")
            if recorded.position in skip or product is None or feed is None or (feed, product) in seen:
                continue
            if not self._is_of_person(recorded.event):
                continue  # another person's feeds would have to be read
            seen.add((feed, product))
            if reading is None or reading.actual is None:
                continue
            expected = _find_place(reading.expected, product)
            if expected is not None and expected > self.evidence.limit:
                continue  # so far back that it is not read
            place = _find_place(reading.actual, product)
            earlier = None if reading.earlier is None else _find_place(reading.earlier, product)
            was_same = reading.earlier is not None and earlier == place
            as_meant = self.evidence.verdict is not None and (place is not None) == (name in ADDS_TO_FEED)
            is_met = as_meant or (place is None) == (expected is None)
            is_own = (
                not was_same if reading.earlier is not None else place is not None and product not in reading.others
            )
            yield _FeedWish(feed, product, place, is_met, is_met and is_own, was_same)

    def _is_of_person(self, event: EventIntent) -> bool:
        if self.evidence.person is None:
            return True
        by, id_ = self.evidence.person
        return bool(getattr(event, IDENTITY_COLUMNS[by]) == id_)

    @property
    def _worked(self) -> str:
        """How a good sentence begins: for whom, where the request has other persons' events too."""
        one = all(self._is_of_person(recorded.event) for recorded in self.request.events)
        return "Worked" if one or self.evidence.person is None else f"Worked for {self.evidence.person[1]}"

    def _judge_feeds(self, skip: "set[int] | frozenset[int]" = frozenset()) -> tuple[ResultStep, str, bool]:
        """The third step, its sentence, and whether a feed is worth asking again."""
        evidence = self.evidence
        if evidence.feeds_unknown:
            label = f"Feed not known: {evidence.feeds_unknown}"
            return ResultStep(StepState.NOT_KNOWN, label), "", False
        wishes = list(self._list_wishes(skip))
        if not wishes:
            unread = next((one.reason for one in evidence.feeds.values() if one.actual is None and one.reason), "")
            label = "Feed not known: it could not be read" if unread else "Feed: not one that can be expected"
            return ResultStep(StepState.NOT_KNOWN, label), unread, False
        missed = [wish for wish in wishes if not wish.is_met]
        if not missed:
            return ResultStep(StepState.DONE, "Feed as expected"), f"{self._worked}: {_join_wishes(wishes)}", False
        asked = self.format_time(evidence.asked_at)
        are_shown = "still shown" if missed[0].place is not None else "not shown yet"
        if evidence.verdict is not None:
            reason = evidence.feeds[missed[0].feed].reason
            sentence = reason or f"{missed[0].product} is {are_shown} in {FEEDS[missed[0].feed]}."
            return ResultStep(StepState.DOUBT, "Feed not as expected"), sentence, evidence.asked_at < evidence.ask_until
        product = f"{missed[0].product} in {FEEDS[missed[0].feed]}"
        if evidence.asked_at < evidence.ask_until:
            until = self.format_time(evidence.ask_until)
            sentence = f"{product}: {are_shown}, asked {asked}, will ask until {until}."
            return ResultStep(StepState.WAITING, f"Feed: {are_shown}"), sentence, True
        sentence = f"{product}: {are_shown.removesuffix(' yet')}, asked {asked}. That proves nothing: a feed may need"
        return ResultStep(StepState.NOT_KNOWN, f"Feed: {are_shown}"), f"{sentence} longer.", False


_NOTHING_LEFT = "Nothing left this machine."


def _end(state: StepState, label: str, sentence: str, action: ResultAction | None = None) -> EventResult:
    return EventResult((ResultStep(state, label),), sentence.strip(), action)


def _is_proven(wishes: Sequence[_FeedWish]) -> bool:
    return any(wish.proves for wish in wishes)


def _are_repeats(verdict: RequestVerdict) -> bool:
    return any(REPEATED_CODE in one.codes.split() for one in verdict.events)


def _name_issues(ignored: IgnoredEvent) -> str:
    """The issues of an event that is ignored, in the fewest words."""
    found = [ISSUE_KINDS[code].title if code in ISSUE_KINDS else code for code in ignored.codes.split()]
    return join_words(found, "and") if found else "the sandbox does not say why"


def _describe_no_effect(verdict: RequestVerdict) -> str:
    if _are_repeats(verdict):
        return "It changed no feed: the target took it for the event that it already has."
    return f"{'It' if verdict.ignored == 1 else 'They'} changed no feed."


def _find_place(products: Sequence[str], product: str) -> int | None:
    return next((place for place, shown in enumerate(products, 1) if shown == product), None)


def _join_wishes(wishes: Sequence[_FeedWish]) -> str:
    """What the feeds show now, as one sentence; products with the same words share them."""
    found: dict[str, list[str]] = {}
    for wish in reversed(wishes):
        found.setdefault(wish.phrase, []).append(FEEDS[wish.feed])
    phrases = [f"{phrase} {join_words(feeds, 'and')}" for phrase, feeds in found.items()]
    more = len(phrases) - MAX_FEED_SENTENCES
    shown = phrases[:MAX_FEED_SENTENCES] + ([format_count(more, "more product")] if more > 0 else [])
    return f"{'; '.join(shown)}."
