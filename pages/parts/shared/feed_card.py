"""What the feeds show for a person: *expected* from history, *actual* asked of the target, and why they differ."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from intempt_core.analysis import FeedExplanation, explain_feed
from intempt_core.contract import (
    FEED_IDENTITY_TYPES,
    FEEDS,
    IDENTITY_FIELDS,
    GivenEvent,
    PersonHistory,
    ProcessingStatus,
    find_feed_changes,
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
"""How often a feed that should change is asked again."""

FEED_POLL_LIMIT_MS = 60_000
"""For how long; what has not changed by then is looked at by a click."""

ID_COLUMN_WIDTH = 40
"""Characters up to which ids stand in a column of their own, with names beside them."""

MAX_HISTORY_EVENTS = 10_000
"""Events of one id that are looked at: its last ones."""

EARLIER_FEEDS_SECONDS = 2.0
"""What a send waits at the most to learn what the feeds show before it."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a feed is asked about: an identity field and its value."""

    field: str
    id: str


@dataclass(frozen=True, slots=True)
class FeedSnapshot:
    """What is known of a person at a target at one moment: the story from history, and what the target answered.

    ``answers`` hold the feeds whose ids are known; ``known`` is what the sandbox says of single events.
    """

    person: Person
    person_history: PersonHistory
    responses: Mapping[str, FeedResponse]
    known_events: ProcessingStatus | None
    asked_at: int
    catalogue: ProductCatalogue | None = None

    def explain(self, feed: str) -> FeedExplanation:
        """One feed's expected beside its actual, explained."""
        answer = self.responses.get(feed)
        actual = answer.products if answer else None
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

    def format_products(self, products: Sequence[str]) -> str:
        """Products in their places, a line each, with what the catalogue calls them."""
        names: dict[str, str] = {}
        if self.catalogue:
            names = dict.fromkeys(self.catalogue.unknown_ids(products), "not in the catalogue")
            names |= self.catalogue.names_of(products)
        wide = max((len(product) for product in products if len(product) <= ID_COLUMN_WIDTH), default=0)
        lines = (
            f"{place:>2}  {product:<{wide}}  {names.get(product, '')}" for place, product in enumerate(products, 1)
        )
        return "\n".join(line.rstrip() for line in lines) or "nothing"


@dataclass
class EarlierFeeds:
    """What the feeds showed just before each send of this tab, by batch: the last few."""

    by_batch: dict[str, tuple[Person, Mapping[str, FeedResponse]]] = field(default_factory=dict)


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def find_request_person(request: RequestRecord) -> Person | None:
    """The person of a request's last event, by the identity that feeds can best be asked by."""
    if not request.events:
        return None
    event = request.events[-1].event
    given = (event.profile_id, event.user_id, event.another_user_id, event.account_id)
    return _choose_identity(dict(zip(IDENTITY_FIELDS, given, strict=True)))


def find_last_person(events: Sequence[GivenEvent]) -> Person | None:
    """The same for events that are about to leave."""
    return (
        _choose_identity({name: id_to_text(get_field(events[-1].body, name)) for name in IDENTITY_FIELDS})
        if events
        else None
    )


def _choose_identity(given: Mapping[str, str | None]) -> Person | None:
    found = ((name, given.get(name)) for name in (*FEED_IDENTITY_TYPES, *IDENTITY_FIELDS))
    return next((Person(name, id_) for name, id_ in found if id_), None)


def read_person_history(target: Target, person: Person) -> PersonHistory:
    """Everything that this console sent of a person to a target."""
    return get_services().history.person_history(
        derive_target_key(target), person.field, person.id, limit=MAX_HISTORY_EVENTS
    )


def read_actual_feeds(target: Target, person: Person, *, seconds: float | None = None) -> dict[str, FeedResponse]:
    """What the target's feed API answers, for each feed whose id is known; nothing where it takes over ``seconds``."""

    async def ask() -> dict[str, FeedResponse]:
        async with asyncio.timeout(seconds):
            return await _ask_feeds(target, person)

    try:
        return asyncio.run(ask())
    except TimeoutError:
        return {}


async def _ask_feeds(target: Target, person: Person) -> dict[str, FeedResponse]:
    known = [feed for feed in FEEDS if feed in target.feeds] if person.field in FEED_IDENTITY_TYPES else []
    if not known:
        return {}
    async with open_client(get_services().settings) as client:
        asked = (read_feed(client, target, feed, FEED_IDENTITY_TYPES[person.field], person.id) for feed in known)
        return dict(zip(known, await asyncio.gather(*asked), strict=True))


def read_feed_snapshot(target: Target, person: Person) -> FeedSnapshot:
    """History and the target, asked now."""
    told = read_person_history(target, person)

    answers = asyncio.run(_ask_feeds(target, person))
    known = _read_processing_status(target, person, told)
    return FeedSnapshot(person, told, answers, known, now_ms(), get_services().catalogue(derive_target_key(target)))


def _read_processing_status(target: Target, person: Person, history: PersonHistory) -> ProcessingStatus | None:
    """What the target says became of the person's events; ``None`` where it cannot be asked: a sandbox alone can."""
    try:
        with SandboxClient(target, get_services().settings.read_seconds) as sandbox:
            return sandbox.read_processing_status(person.field, person.id, history.events)
    except SandboxUnavailable:
        return None


# ── before and after a send ──────────────────────────────────────────────────────────────────────────────────────────


def read_earlier_feeds(
    target: Target, events: Sequence[GivenEvent]
) -> tuple[Person, Mapping[str, FeedResponse]] | None:
    """What the feeds show for the person of some events before they leave; nothing where that takes too long."""
    person = find_last_person(events)
    return (person, read_actual_feeds(target, person, seconds=EARLIER_FEEDS_SECONDS)) if person else None


def keep_earlier_feeds(kept: EarlierFeeds, batch: str, found: tuple[Person, Mapping[str, FeedResponse]] | None) -> None:
    """Note for a batch what the feeds showed before it, in a record that one has in hand (``session.one_click``)."""
    if found is not None and found[1]:
        kept.by_batch[batch] = found
        for old in list(kept.by_batch)[:-20]:
            del kept.by_batch[old]


def describe_feed_change(earlier: FeedResponse | None, later: FeedResponse | None, *, as_expected: bool) -> str:
    """What became of one feed between two readings, as one line; never that there was no effect."""
    if earlier is None or later is None or earlier.products is None or later.products is None:
        return ""
    found = find_feed_changes(earlier.products, later.products)
    if found:
        return " ".join(change.message for change in found)
    if as_expected:
        return "As before, and as expected."
    return f"No change yet after {format_duration(later.requested_at - earlier.requested_at)}."


# ── the third part of the outcome card ───────────────────────────────────────────────────────────────────────────────


def show_person_feeds(request: RequestRecord, target: Target | None) -> None:
    """What the feeds show for the person of a request, and what changed since before it was sent from this tab."""
    person = find_request_person(request)
    if person is None:
        st.markdown("**What the feeds show**")
        st.caption("No event names a person, so no feed shows anything.")
        return
    st.markdown(f"**What the feeds show for {escape_markdown(person.id)}**")
    if target is None:
        st.caption("The target of this request is not known any more, so its feeds cannot be asked.")
        return
    with st.spinner(f"Asking {escape_markdown(target.host)}"):
        first = read_feed_snapshot(target, person)
    whose, earlier = get_screen_state(EarlierFeeds).by_batch.get(request.summary.batch, (None, {}))
    earlier = earlier if whose == person else {}
    waits = bool(earlier) and _awaits_change(first, earlier)

    @st.fragment(run_every=FEED_POLL_SECONDS if waits else None)
    def shown() -> None:
        reading = read_feed_snapshot(target, person) if waits and now_ms() - first.asked_at > 1000 else first
        st.caption(describe_feed_source(target, person, reading.responses))
        for feed, title in FEEDS.items():
            show_feed(title, reading.explain(feed), reading.responses.get(feed))
            became = describe_feed_change(
                earlier.get(feed), reading.responses.get(feed), as_expected=not feed_differs(reading, feed)
            )
            if became:
                st.text(became)
        if waits and not _awaits_change(reading, earlier):
            st.rerun()

    shown()
    show_link(
        "feeds.py",
        "Everything about this person",
        {"target": target.name, "by": person.field, "person": person.id},
    )


def feed_differs(snapshot: FeedSnapshot, feed: str) -> bool:
    """Whether a feed was read and shows something else than expected."""
    return bool(snapshot.explain(feed).differences)


def _awaits_change(snapshot: FeedSnapshot, earlier: Mapping[str, FeedResponse]) -> bool:
    """Whether a feed should change, has not, and may still."""
    since = max(answer.requested_at for answer in earlier.values())
    late = snapshot.asked_at - since > FEED_POLL_LIMIT_MS
    return not late and any(
        feed_differs(snapshot, feed)
        and (answer := snapshot.responses.get(feed))
        and answer.products == earlier[feed].products
        for feed in earlier
    )


def describe_feed_source(target: Target, person: Person, responses: Mapping[str, FeedResponse]) -> str:
    """Where the lists come from, and how old they are."""
    if responses:
        return f"Asked of {escape_markdown(target.title)} at {format_moment(max(answer.requested_at for answer in responses.values()))}"
    if person.field not in FEED_IDENTITY_TYPES:
        return "Expected only: no feed can be read by anotherUserId."
    return "Expected only, from what this console sent: the feed ids of this target are not known."


def show_feed(title: str, explanation: FeedExplanation, response: FeedResponse | None) -> None:
    """One feed: its products, most recent first, and what differs from the expectation."""
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
        for says in explanation.differences[:3]:
            st.text(says)
