"""What the feeds show for a person: *expected* from history, *actual* asked of the target, and why they differ."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from intempt_core import FEEDS, FeedResponse, RequestRecord, Target, open_client, read_feed
from intempt_core.catalogue import ProductCatalogue
from intempt_core.client import FEED_LIMIT, now_ms
from intempt_core.events import IDENTITY_FIELDS, GivenEvent, get_field, id_to_text
from intempt_core.feeds import FEED_IDENTITY_TYPES, find_feed_changes
from intempt_core.history import derive_target_key
from intempt_core.journeys import FeedExplanation, ProcessingStatus, PersonHistory, explain_feed
from intempt_core.received import read_processing_status
from pages.parts.house import house
from pages.parts.look import clock, escaped, lasted, moment
from pages.parts.session import room
from pages.parts.taking import link

LOOK_AGAIN_SECONDS = 2.0
"""How often a feed that should change is asked again."""

LOOK_FOR_MS = 60_000
"""For how long; what has not changed by then is looked at by a click."""

WIDE = 40
"""Characters up to which ids stand in a column of their own, with names beside them."""

STEPS_OF_ONE = 10_000
"""Events of one id that are looked at: its last ones."""

BEFORE_SECONDS = 2.0
"""What a send waits at the most to learn what the feeds show before it."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a feed is asked about: an identity field and its value."""

    field: str
    id: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of a person at a target at one moment: the story from history, and what the target answered.

    ``answers`` hold the feeds whose ids are known; ``known`` is what the sandbox says of single events.
    """

    person: Person
    story: PersonHistory
    answers: Mapping[str, FeedResponse]
    known: ProcessingStatus | None
    asked_at: int
    catalogue: ProductCatalogue | None = None

    def account(self, feed: str) -> FeedExplanation:
        """One feed's expected beside its actual, explained."""
        answer = self.answers.get(feed)
        actual = answer.products if answer else None
        return explain_feed(
            feed,
            self.story.events,
            actual,
            now=self.asked_at,
            limit=FEED_LIMIT,
            status=self.known,
            missing_products=self.catalogue.unknown_ids(step.product for step in self.story.events)
            if self.catalogue
            else frozenset(),
            format_time=clock,
        )

    def named(self, products: Sequence[str]) -> str:
        """Products in their places, a line each, with what the catalogue calls them."""
        names: dict[str, str] = {}
        if self.catalogue:
            names = dict.fromkeys(self.catalogue.unknown_ids(products), "not in the catalogue")
            names |= self.catalogue.names_of(products)
        wide = max((len(product) for product in products if len(product) <= WIDE), default=0)
        lines = (
            f"{place:>2}  {product:<{wide}}  {names.get(product, '')}" for place, product in enumerate(products, 1)
        )
        return "\n".join(line.rstrip() for line in lines) or "nothing"


@dataclass
class Befores:
    """What the feeds showed just before each send of this tab, by batch: the last few."""

    by_batch: dict[str, tuple[Person, Mapping[str, FeedResponse]]] = field(default_factory=dict)


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def person_of(request: RequestRecord) -> Person | None:
    """The person of a request's last event, by the identity that feeds can best be asked by."""
    if not request.events:
        return None
    event = request.events[-1].event
    given = (event.profile_id, event.user_id, event.another_user_id, event.account_id)
    return _best(dict(zip(IDENTITY_FIELDS, given, strict=True)))


def person_in(events: Sequence[GivenEvent]) -> Person | None:
    """The same for events that are about to leave."""
    return _best({name: id_to_text(get_field(events[-1].body, name)) for name in IDENTITY_FIELDS}) if events else None


def _best(given: Mapping[str, str | None]) -> Person | None:
    found = ((name, given.get(name)) for name in (*FEED_IDENTITY_TYPES, *IDENTITY_FIELDS))
    return next((Person(name, id_) for name, id_ in found if id_), None)


def story(target: Target, person: Person) -> PersonHistory:
    """Everything that this console sent of a person to a target."""
    return house().history.person_history(derive_target_key(target), person.field, person.id, limit=STEPS_OF_ONE)


def actual(target: Target, person: Person, *, seconds: float | None = None) -> dict[str, FeedResponse]:
    """What the target's feed API answers, for each feed whose id is known; nothing where it takes over ``seconds``."""

    async def ask() -> dict[str, FeedResponse]:
        async with asyncio.timeout(seconds):
            return await _answers(target, person)

    try:
        return asyncio.run(ask())
    except TimeoutError:
        return {}


async def _answers(target: Target, person: Person) -> dict[str, FeedResponse]:
    known = [feed for feed in FEEDS if feed in target.feeds] if person.field in FEED_IDENTITY_TYPES else []
    if not known:
        return {}
    async with open_client(house().settings) as client:
        asked = (read_feed(client, target, feed, FEED_IDENTITY_TYPES[person.field], person.id) for feed in known)
        return dict(zip(known, await asyncio.gather(*asked), strict=True))


def read(target: Target, person: Person) -> Reading:
    """History and the target, asked now."""
    told = story(target, person)

    async def ask() -> tuple[dict[str, FeedResponse], ProcessingStatus | None]:
        answers = await _answers(target, person)
        async with open_client(house().settings) as client:
            return answers, await read_processing_status(client, target, person.field, person.id, told.events)

    answers, known = asyncio.run(ask())
    return Reading(person, told, answers, known, now_ms(), house().catalogue(derive_target_key(target)))


# ── before and after a send ──────────────────────────────────────────────────────────────────────────────────────────


def before(target: Target, events: Sequence[GivenEvent]) -> tuple[Person, Mapping[str, FeedResponse]] | None:
    """What the feeds show for the person of some events before they leave; nothing where that takes too long."""
    person = person_in(events)
    return (person, actual(target, person, seconds=BEFORE_SECONDS)) if person else None


def remember(kept: Befores, batch: str, found: tuple[Person, Mapping[str, FeedResponse]] | None) -> None:
    """Note for a batch what the feeds showed before it, in a record that one has in hand (``session.one_click``)."""
    if found is not None and found[1]:
        kept.by_batch[batch] = found
        for old in list(kept.by_batch)[:-20]:
            del kept.by_batch[old]


def said_of_change(earlier: FeedResponse | None, later: FeedResponse | None, *, as_expected: bool) -> str:
    """What became of one feed between two readings, as one line; never that there was no effect."""
    if earlier is None or later is None or earlier.products is None or later.products is None:
        return ""
    found = find_feed_changes(earlier.products, later.products)
    if found:
        return " ".join(change.message for change in found)
    if as_expected:
        return "As before, and as expected."
    return f"No change yet after {lasted(later.requested_at - earlier.requested_at)}."


# ── the third part of the outcome card ───────────────────────────────────────────────────────────────────────────────


def feeds_of_person(request: RequestRecord, target: Target | None) -> None:
    """What the feeds show for the person of a request, and what changed since before it was sent from this tab."""
    person = person_of(request)
    if person is None:
        st.markdown("**What the feeds show**")
        st.caption("No event names a person, so no feed shows anything.")
        return
    st.markdown(f"**What the feeds show for {escaped(person.id)}**")
    if target is None:
        st.caption("The target of this request is not known any more, so its feeds cannot be asked.")
        return
    with st.spinner(f"Asking {escaped(target.host)}"):
        first = read(target, person)
    whose, earlier = room(Befores).by_batch.get(request.summary.batch, (None, {}))
    earlier = earlier if whose == person else {}
    waits = bool(earlier) and _waits(first, earlier)

    @st.fragment(run_every=LOOK_AGAIN_SECONDS if waits else None)
    def shown() -> None:
        reading = read(target, person) if waits and now_ms() - first.asked_at > 1000 else first
        st.caption(asked(target, person, reading.answers))
        for feed, title in FEEDS.items():
            one_feed(title, reading.account(feed), reading.answers.get(feed))
            became = said_of_change(
                earlier.get(feed), reading.answers.get(feed), as_expected=not differs(reading, feed)
            )
            if became:
                st.text(became)
        if waits and not _waits(reading, earlier):
            st.rerun()

    shown()
    link(
        "feeds.py",
        "Everything about this person",
        {"target": target.name, "by": person.field, "person": person.id},
    )


def differs(reading: Reading, feed: str) -> bool:
    """Whether a feed was read and shows something else than expected."""
    return bool(reading.account(feed).differences)


def _waits(reading: Reading, earlier: Mapping[str, FeedResponse]) -> bool:
    """Whether a feed should change, has not, and may still."""
    since = max(answer.requested_at for answer in earlier.values())
    late = reading.asked_at - since > LOOK_FOR_MS
    return not late and any(
        differs(reading, feed) and (answer := reading.answers.get(feed)) and answer.products == earlier[feed].products
        for feed in earlier
    )


def asked(target: Target, person: Person, answers: Mapping[str, FeedResponse]) -> str:
    """Where the lists come from, and how old they are."""
    if answers:
        return f"Asked of {escaped(target.title)} at {moment(max(answer.requested_at for answer in answers.values()))}"
    if person.field not in FEED_IDENTITY_TYPES:
        return "Expected only: no feed can be read by anotherUserId."
    return "Expected only, from what this console sent: the feed ids of this target are not known."


def one_feed(title: str, told: FeedExplanation, answer: FeedResponse | None) -> None:
    """One feed: its products, most recent first, and what differs from the expectation."""
    st.text(title)
    if answer is None or answer.products is None:
        if answer is not None:
            st.text(answer.message)
        st.code(", ".join(told.expected) or "nothing", language=None, wrap_lines=True)
        return
    st.code(", ".join(answer.products) or "nothing", language=None, wrap_lines=True)
    if told.differences:
        st.caption(f"Expected, from what this console sent: {escaped(', '.join(told.expected)) or 'nothing'}")
        for says in told.differences[:3]:
            st.text(says)
