"""What is known of a person at one moment: their events from every client, and what the feeds show."""

from dataclasses import dataclass, replace

from intempt_core.analysis import EventEffect, FeedAnswer, PersonTimeline, build_timeline, explain_absence
from intempt_core.contract import ADDS_TO_FEED, ProcessingStatus
from intempt_core.errors import SandboxUnavailable
from intempt_core.targets import SANDBOX, Target
from intempt_core.transport import FEED_LIMIT, PersonArrival, SandboxClient
from pages.parts.shared.feed_card import FeedSnapshot, Person, read_feed_snapshot
from pages.parts.shared.formatting import format_clock
from pages.parts.shared.services import get_services


@dataclass(frozen=True, slots=True)
class PersonReading:
    """What is known of a person at a target at one moment.

    Attributes:
        snapshot: What the feeds show and should show; its history is that of ``timeline``.
        timeline: The person's events, of every client where the target can be asked.
        own_count: How many events this console's history has, by which a new one is noticed.
        trouble: Why the sandbox could not be asked, as a sentence; empty where it was, or where the target is none.
    """

    snapshot: FeedSnapshot
    timeline: PersonTimeline
    own_count: int
    trouble: str = ""

    def answer(self, product: str, feed: str) -> FeedAnswer:
        """Why a product is not in a feed."""
        response = self.snapshot.responses.get(feed)
        catalogue = self.snapshot.catalogue
        return explain_absence(
            product,
            feed,
            self.timeline,
            response.products if response else None,
            now=self.snapshot.asked_at,
            limit=FEED_LIMIT,
            missing_products=catalogue.unknown_ids([product]) if catalogue else frozenset(),
            format_time=format_clock,
        )

    def find_absent_products(self, feed: str) -> list[str]:
        """The products that an event should have put into a feed and that are not there, the last event first.

        Those that are only further back than a feed returns are not among them.
        """
        response = self.snapshot.responses.get(feed)
        shown = response.products if response else None
        expected = self.snapshot.explain(feed).expected
        there = {*(expected if shown is None else shown), *expected[FEED_LIMIT:]}
        named = (
            one.event.product for one in reversed(self.timeline.events) if ADDS_TO_FEED.get(one.event.name) == feed
        )
        return [product for product in dict.fromkeys(named) if product and product not in there]


def read_person(target: Target, person: Person) -> PersonReading:
    """Read everything that is known of a person now."""
    snapshot = read_feed_snapshot(target, person)
    arrivals, trouble = _read_arrivals(target, person)
    timeline = build_timeline(snapshot.person_history, arrivals)
    processed = frozenset(one.event.event_id for one in timeline.events if one.effect is EventEffect.PROCESSED)
    merged = replace(
        snapshot,
        person_history=timeline.history,
        known_events=ProcessingStatus(processed, {}) if timeline.knows_all else None,
    )
    return PersonReading(merged, timeline, len(snapshot.person_history.events), trouble)


def _read_arrivals(target: Target, person: Person) -> tuple[tuple[PersonArrival, ...] | None, str]:
    """What reached the sandbox, ``None`` where that cannot be asked; and why not."""
    if target.origin != SANDBOX:
        return None, ""
    try:
        with SandboxClient(target, get_services().settings.read_seconds) as sandbox:
            return sandbox.read_person_arrivals(person.field, person.id), ""
    except SandboxUnavailable as error:
        return None, str(error)
