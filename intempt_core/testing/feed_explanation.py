"""Why a feed shows what it shows, for the person whom a test asked about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from intempt_core.analysis import PersonTimeline, build_timeline, explain_absence
from intempt_core.contract import (
    FEEDS,
    IDENTITY_FIELDS,
    Interaction,
    PersonHistory,
    SandboxPath,
    compute_feeds,
    format_count,
    now_ms,
)
from intempt_core.testing.arrival_survey import ArrivalSurvey
from intempt_core.testing.difference_messages import format_value
from intempt_core.testing.sandbox_door import SandboxDoor
from intempt_core.transport import FEED_LIMIT, parse_person_arrival

MAX_EXPLAINED_PRODUCTS = 10
"""Products of which it is said why they are, or are not, in a feed."""


@dataclass(frozen=True, slots=True)
class FeedQuestion:
    """A feed of one person in a test's project.

    Attributes:
        feed: The feed's id.
        field: The identity field by which the person is given.
        person: The person's id.
        org: The organisation.
        project: The project.
        source: The source, to which a profile belongs.
    """

    feed: str
    field: str
    person: str
    org: str
    project: str
    source: str

    @property
    def title(self) -> str:
        """The question as a test writes it."""
        return f"track_api.feed({format_value(self.feed)}, {self.field}={format_value(self.person)})"


def explain_products(
    question: FeedQuestion, door: SandboxDoor, survey: ArrivalSurvey, shown: Sequence[str], expected: Sequence[str]
) -> list[str]:
    """Explain each product that is shown and not expected, or the other way round; then the order; as lines.

    Raises :class:`~intempt_core.errors.SandboxUnavailable`.
    """
    timeline = _read_timeline(question, door)
    lines: list[str] = []
    if question.feed in FEEDS:
        odd = [one for one in dict.fromkeys((*expected, *shown)) if (one in shown) is not (one in expected)]
        for product in odd[:MAX_EXPLAINED_PRODUCTS]:
            answer = explain_absence(
                product, question.feed, timeline, shown, now=now_ms(), limit=FEED_LIMIT, format_time=format_clock
            )
            lines.append(answer.sentence)
        lines += _explain_order(question, timeline, shown, expected)
    lines += _explain_other_fields(question, timeline, survey)
    lines += _list_timeline(question, timeline)
    return lines


def format_clock(ms: int) -> str:
    """Format epoch milliseconds as a time of day: ``12:03:07.250``."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%H:%M:%S.%f}"[:-3]


def _read_timeline(question: FeedQuestion, door: SandboxDoor) -> PersonTimeline:
    body = {
        "org": question.org, "project": question.project, "sourceId": question.source, "by": question.field,
        "id": question.person, "arrivals": True,
    }  # fmt: skip
    arrivals = tuple(map(parse_person_arrival, door.post(SandboxPath.PERSON, body)["arrivals"]))
    return build_timeline(PersonHistory((), ((question.field, question.person),)), arrivals)


def _explain_order(
    question: FeedQuestion, timeline: PersonTimeline, shown: Sequence[str], expected: Sequence[str]
) -> Iterator[str]:
    if sorted(shown) != sorted(expected) or list(shown) == list(expected):
        return
    counting = [one.event for one in timeline.events if one.event.counts]
    last = {event.product: number for number, event in enumerate(counting)}
    arrived = compute_feeds(Interaction(event.name, event.product) for event in counting)[question.feed]
    said = ", ".join(
        f"{product} at {format_clock(counting[last[product]].when)}" for product in reversed(arrived) if product in last
    )
    yield f"The order differs: a feed goes by the order of arrival, the last first. Their last events came: {said}."


def _explain_other_fields(question: FeedQuestion, timeline: PersonTimeline, survey: ArrivalSurvey) -> Iterator[str]:
    """Events that name the person's id in another field, or the person in another form."""
    if timeline.events:
        return
    named = 0
    for field in IDENTITY_FIELDS:
        count = sum(str(event.body.get(field)) == question.person for event in survey.events)
        if count and field != question.field:
            named += count
            yield (
                f"{format_count(count, 'event')} of this test {_name_verb(count)} {format_value(question.person)} as"
                f" {field}, not as {question.field}: to the feeds these are two persons, until an event names both."
            )
    if not named:
        ids = sorted({f"{field} {format_value(event.body[field])}" for event in survey.events
                      for field in IDENTITY_FIELDS if event.body.get(field) is not None})  # fmt: skip
        if ids:
            yield f"The persons of this test's events are {', '.join(ids[:MAX_EXPLAINED_PRODUCTS])}."


def _name_verb(count: int) -> str:
    return "names" if count == 1 else "name"


def _list_timeline(question: FeedQuestion, timeline: PersonTimeline) -> list[str]:
    person = f"{question.field} {format_value(question.person)}"
    if not timeline.events:
        return [f"No event of {person} arrived in this test's project."]
    lines = [f"The events of {person}, in the order of arrival:"]
    for one in timeline.events[-MAX_EXPLAINED_PRODUCTS:]:
        event = one.event
        verdict = f"ignored: {event.reason}" if event.reason else "processed"
        lines.append(f"  {format_clock(event.when)} “{event.name}” {event.product or 'without a product'}: {verdict}")
    return lines
