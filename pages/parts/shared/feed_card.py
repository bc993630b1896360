"""The feeds of a person: *expected* from history, *actual* read from the target, and why they differ."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from intempt_core.analysis import FeedExplanation, explain_feed, find_feed_changes
from intempt_core.contract import (
    FEED_IDENTITY_TYPES,
    FEEDS,
    IDENTITY_FIELDS,
    GivenEvent,
    PersonHistory,
    ProcessingStatus,
    get_field,
    id_to_text,
    now_ms,
)
from intempt_core.errors import SandboxUnavailable
from intempt_core.history import RequestRecord
from intempt_core.targets import Target, derive_target_key
from intempt_core.transport import FEED_LIMIT, FeedResponse, SandboxClient, open_client, read_feed
from intempt_core.validation import ProductCatalogue
from pages.parts.shared.formatting import escape_markdown, format_clock, format_duration, format_moment
from pages.parts.shared.links import show_link
from pages.parts.shared.screen_state import get_screen_state
from pages.parts.shared.services import get_services

FEED_POLL_SECONDS = 2.0
"""How often a feed that should change is read again."""

MAX_HISTORY_EVENTS = 10_000
"""Events of one person that are read, the last ones."""

EARLIER_FEEDS_SECONDS = 2.0
"""How long a send waits at most for the feeds as they are before it."""

EARLIER_FEEDS_KEPT = 20
"""Batches of one tab whose earlier feeds are kept."""


@dataclass(frozen=True, slots=True)
class Person:
    """The person whose feeds are read.

    Attributes:
        field: The identity field, such as ``userId``.
        id: Its value.
    """

    field: str
    id: str


@dataclass(frozen=True, slots=True)
class FeedSnapshot:
    """What is known of a person at a target at one moment.

    Attributes:
        person: The person.
        person_history: The events of the person in this console's history.
        responses: The target's feeds by :class:`~intempt_core.contract.FeedId`, those whose ids are known.
        known_events: What the sandbox says of single events; ``None`` where the target is no sandbox.
        asked_at: When the target was asked, in epoch milliseconds.
        catalogue: The target's product catalogue, ``None`` where none is loaded.
    """

    person: Person
    person_history: PersonHistory
    responses: Mapping[str, FeedResponse]
    known_events: ProcessingStatus | None
    asked_at: int
    catalogue: ProductCatalogue | None = None

    def explain(self, feed: str) -> FeedExplanation:
        """The expected and the actual products of a feed, and why they differ."""
        response = self.responses.get(feed)
        actual = response.products if response else None
        return explain_feed(
            feed,
            self.person_history.events,
            actual,
            now=self.asked_at,
            limit=FEED_LIMIT,
            status=self.known_events,
            missing_products=self.catalogue.unknown_ids(step.product for step in self.person_history.events)
            if self.catalogue
            else frozenset(),
            format_time=format_clock,
        )


@dataclass
class EarlierFeeds:
    """The feeds as they were just before the last sends of this tab.

    Attributes:
        by_batch: The person and the feeds, by the id of the batch.
    """

    by_batch: dict[str, tuple[Person, Mapping[str, FeedResponse]]] = field(default_factory=dict)


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def find_request_person(request: RequestRecord) -> Person | None:
    """The person of a request's last event, by the identity that feeds can best be read by."""
    if not request.events:
        return None
    event = request.events[-1].event
    given = (event.profile_id, event.user_id, event.another_user_id, event.account_id)
    return _choose_identity(dict(zip(IDENTITY_FIELDS, given, strict=True)))


def find_last_person(events: Sequence[GivenEvent]) -> Person | None:
    """The person of the last of some events that are not sent yet."""
    return (
        _choose_identity({name: id_to_text(get_field(events[-1].body, name)) for name in IDENTITY_FIELDS})
        if events
        else None
    )


def _choose_identity(given: Mapping[str, str | None]) -> Person | None:
    found = ((name, given.get(name)) for name in (*FEED_IDENTITY_TYPES, *IDENTITY_FIELDS))
    return next((Person(name, id_) for name, id_ in found if id_), None)


def read_person_history(target: Target, person: Person) -> PersonHistory:
    """The events that this console sent for a person to a target."""
    return get_services().history.persons.person_history(
        derive_target_key(target), person.field, person.id, limit=MAX_HISTORY_EVENTS
    )


def read_actual_feeds(target: Target, person: Person, *, seconds: float | None = None) -> dict[str, FeedResponse]:
    """The target's feeds whose ids are known; none where reading them takes longer than ``seconds``."""

    async def ask() -> dict[str, FeedResponse]:
        async with asyncio.timeout(seconds):
            return await _read_feeds(target, person)

    try:
        return asyncio.run(ask())
    except TimeoutError:
        return {}


async def _read_feeds(target: Target, person: Person) -> dict[str, FeedResponse]:
    known = [feed for feed in FEEDS if feed in target.feeds] if person.field in FEED_IDENTITY_TYPES else []
    if not known:
        return {}
    async with open_client(get_services().settings) as client:
        asked = (read_feed(client, target, feed, FEED_IDENTITY_TYPES[person.field], person.id) for feed in known)
        return dict(zip(known, await asyncio.gather(*asked), strict=True))


def read_feed_snapshot(target: Target, person: Person) -> FeedSnapshot:
    """What history and the target know of a person now."""
    history = read_person_history(target, person)

    responses = asyncio.run(_read_feeds(target, person))
    known = _read_processing_status(target, person, history)
    return FeedSnapshot(
        person, history, responses, known, now_ms(), get_services().catalogue(derive_target_key(target))
    )


def _read_processing_status(target: Target, person: Person, history: PersonHistory) -> ProcessingStatus | None:
    """What the target says became of the person's events; ``None`` where it cannot be asked: a sandbox alone can."""
    try:
        with SandboxClient(target, get_services().settings.read_seconds) as sandbox:
            return sandbox.read_processing_status(person.field, person.id, history.events)
    except SandboxUnavailable:
        return None


# ── before and after a send ───────────────────────────────────────────────────────────────────────────────────────────


def read_earlier_feeds(
    target: Target, events: Sequence[GivenEvent]
) -> tuple[Person, Mapping[str, FeedResponse]] | None:
    """The feeds of the person of some events before these are sent; ``None`` without a person."""
    person = find_last_person(events)
    return (person, read_actual_feeds(target, person, seconds=EARLIER_FEEDS_SECONDS)) if person else None


def keep_earlier_feeds(kept: EarlierFeeds, batch: str, found: tuple[Person, Mapping[str, FeedResponse]] | None) -> None:
    """Keep what the feeds showed before a batch was sent, for the last batches."""
    if found is not None and found[1]:
        kept.by_batch[batch] = found
        for old in list(kept.by_batch)[:-EARLIER_FEEDS_KEPT]:
            del kept.by_batch[old]


def describe_feed_change(earlier: FeedResponse | None, later: FeedResponse | None, *, as_expected: bool) -> str:
    """The change of a feed between two readings, as one line; never that an event had no effect."""
    if earlier is None or later is None or earlier.products is None or later.products is None:
        return ""
    found = find_feed_changes(earlier.products, later.products)
    if found:
        return " ".join(change.message for change in found)
    if as_expected:
        return "No change, as expected."
    return f"No change yet after {format_duration(later.requested_at - earlier.requested_at)}."


# ── the feeds on the outcome card ─────────────────────────────────────────────────────────────────────────────────────


def show_person_feeds(request: RequestRecord, target: Target | None, snapshot: FeedSnapshot | None = None) -> None:
    """The feeds of a request's person, and what changed since it was sent from this tab; ``snapshot`` is what of them
    was read for the request already.
    """
    person = find_request_person(request)
    if person is None:
        st.markdown("**Feeds**")
        st.caption("No event has an identity, so no feed shows anything.")
        return
    st.markdown(f"**Feeds for {escape_markdown(person.id)}**")
    if target is None:
        st.caption("The target of this request is no longer configured, so its feeds cannot be read.")
        return
    if snapshot is None:
        with st.spinner(f"Reading feeds from {escape_markdown(target.host)}"):
            snapshot = read_feed_snapshot(target, person)
    earlier_person, earlier = get_screen_state(EarlierFeeds).by_batch.get(request.summary.batch, (None, {}))
    earlier = earlier if earlier_person == person else {}
    st.caption(describe_feed_source(target, person, snapshot.responses))
    for feed, title in FEEDS.items():
        show_feed(title, snapshot.explain(feed), snapshot.responses.get(feed))
        change = describe_feed_change(
            earlier.get(feed), snapshot.responses.get(feed), as_expected=not feed_differs(snapshot, feed)
        )
        if change:
            st.text(change)
    show_link(
        "feeds.py",
        "Open this person's feeds",
        {"target": target.name, "by": person.field, "person": person.id},
    )


def feed_differs(snapshot: FeedSnapshot, feed: str) -> bool:
    """Whether a feed was read, and shows other products than expected."""
    return bool(snapshot.explain(feed).differences)


def describe_feed_source(target: Target, person: Person, responses: Mapping[str, FeedResponse]) -> str:
    """The source of the feeds, and when they were read."""
    if responses:
        newest = max(response.requested_at for response in responses.values())
        return f"Read from {escape_markdown(target.title)} at {format_moment(newest)}"
    if person.field not in FEED_IDENTITY_TYPES:
        return "Expected only: no feed can be read by anotherUserId."
    return "Expected only, from what this console sent: the feed ids of this target are not known."


def show_feed(title: str, explanation: FeedExplanation, response: FeedResponse | None) -> None:
    """One feed: its products, most recent first, and the differences from the expected ones."""
    st.text(title)
    if response is None or response.products is None:
        if response is not None:
            st.text(response.message)
        st.code(", ".join(explanation.expected) or "nothing", language=None, wrap_lines=True)
        return
    st.code(", ".join(response.products) or "nothing", language=None, wrap_lines=True)
    if explanation.differences:
        st.caption(
            f"Expected, from what this console sent: {escape_markdown(', '.join(explanation.expected)) or 'nothing'}"
        )
        for difference in explanation.differences[:3]:
            st.text(difference)
