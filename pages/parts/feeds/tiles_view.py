"""The feeds of a person as tiles; one that is as expected is a line. And the global feeds, which nobody can predict."""

import asyncio
from collections.abc import Mapping, Sequence

import streamlit as st

from intempt_core.analysis import EventEffect
from intempt_core.contract import ADDS_TO_FEED, FEED_IDENTITY_TYPES, FEED_TITLES, FEEDS, SHARED_FEEDS, format_count
from intempt_core.targets import SANDBOX, Target
from intempt_core.transport import FEED_LIMIT, FeedResponse, open_client, read_feed
from intempt_core.validation import ProductCatalogue, escape_invisible
from pages.parts.feeds.reading import PersonReading
from pages.parts.feeds.state import FeedQuestion, FeedsState
from pages.parts.shared.feed_card import FeedSnapshot, Person
from pages.parts.shared.formatting import escape_markdown, format_clock, format_duration
from pages.parts.shared.screen_state import get_screen_state, make_key
from pages.parts.shared.services import get_services
from pages.parts.shared.widgets.product_tiles import ProductLink, show_product_tiles

COUNTED_EFFECTS = frozenset({EventEffect.PROCESSED, EventEffect.ACCEPTED})
"""What an event did that may have put its product into a feed."""

MAX_REASONS_SHOWN = 5
"""Products of a feed whose reasons are shown without being asked for, the last ones."""


def show_feeds(question: FeedQuestion, reading: PersonReading) -> None:
    """Each feed: one line where it is as expected, else what it should show and what it does, and why they differ."""
    for feed, title in FEEDS.items():
        with st.container(key=make_key("feeds-feed", feed), border=True, gap="xsmall"):
            _show_feed(question, reading, feed, title)


def _show_feed(question: FeedQuestion, reading: PersonReading, feed: str, title: str) -> None:
    snapshot = reading.snapshot
    explanation, response = snapshot.explain(feed), snapshot.responses.get(feed)
    expected = explanation.expected[:FEED_LIMIT]
    asked = question.product if question.feed == feed else ""
    matches = response is not None and response.products is not None and not explanation.differences
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{title}**", width="content")
        st.markdown(format_feed_verdict(snapshot, feed), width="content")
        if matches and not expected:
            st.text("nothing", width="content")
        elif matches:
            with st.container(width="stretch", key=make_key("feeds-shown", feed)):
                _show_products("", expected, reading, title, feed=feed, asked=asked)
        elif response is not None and response.products is not None:
            st.caption(f"read at {format_clock(response.requested_at)}, {format_duration(response.elapsed_ms)}")
    if response is None or response.products is None:
        if response is not None:
            st.text(response.message)
        _show_products("Expected", expected, reading, title, feed=feed, asked=asked)
    elif not matches:
        _show_products("Shown", response.products, reading, title, feed=feed, asked=asked)
        _show_products("Expected", expected, reading, title, feed=feed, asked=asked)
        for difference in explanation.differences:
            st.text(escape_invisible(f"◆ {difference}"))
    if len(explanation.expected) > FEED_LIMIT:
        st.caption(f"The first {FEED_LIMIT} of {len(explanation.expected):,}; a feed returns no more.")
    _show_reasons(question, reading, feed)


def format_feed_verdict(snapshot: FeedSnapshot, feed: str) -> str:
    """A badge that says whether a feed is as expected."""
    response = snapshot.responses.get(feed)
    if response is None:
        return ":gray-badge[expected only, not read]"
    if response.products is None:
        return ":orange-badge[◆ could not be read]"
    found = len(snapshot.explain(feed).differences)
    return f":orange-badge[◆ {format_count(found, 'difference')}]" if found else ":green-badge[✓ matches]"


def _show_reasons(question: FeedQuestion, reading: PersonReading, feed: str) -> None:
    """Why products that one may miss are not there: never folded away."""
    answered = {question.product} if question.feed == feed else set()
    absent = [product for product in reading.find_absent_products(feed) if product not in answered]
    for product in absent[:MAX_REASONS_SHOWN]:
        st.text(escape_invisible(f"◌ {reading.answer(product, feed).sentence}"))
    if len(absent) > MAX_REASONS_SHOWN:
        more = format_count(len(absent) - MAX_REASONS_SHOWN, "more product")
        st.text(f"◌ {more} of earlier events: ask for one above.")


def _show_products(
    label: str, ids: Sequence[str], reading: PersonReading, title: str, *, feed: str, asked: str = ""
) -> None:
    """Products as tiles, in their order, each a link to the event that put it there."""
    if label:
        st.caption(label if ids else f"{label}: nothing")
    if ids:
        show_product_tiles(
            f"{title}, {label.lower() or 'shown'}", ids, name_products(ids, reading.snapshot.catalogue),
            links={product: link_product(product, feed, reading) for product in ids}, asked=asked,
            key=make_key("feeds-tiles", title, label),
        )  # fmt: skip


def link_product(product: str, feed: str, reading: PersonReading) -> ProductLink:
    """The way from a product in a feed to the event that put it there: in History, or in Sandbox if others sent it.

    Where no event of the person is known to have done so, it leads to all that was sent of the product.
    """
    for one in reversed(reading.timeline.events):
        put_it_there = one.effect in COUNTED_EFFECTS and ADDS_TO_FEED.get(one.event.name) == feed
        if one.event.product != product or not put_it_there:
            continue
        if one.is_own and one.event.event_id:
            return ProductLink("history.py", "The event that put it there, in History", {"event": one.event.event_id})
        if one.arrival is not None:
            return ProductLink("sandbox.py", "The event that put it there, in Sandbox", {"event": str(one.arrival.seq)})
    return ProductLink("history.py", "What was sent of it, in History", {"history-text": product})


def name_products(ids: Sequence[str], catalogue: ProductCatalogue | None) -> Mapping[str, str]:
    """What the catalogue calls products; nothing where none is loaded."""
    if catalogue is None:
        return {}
    return dict.fromkeys(catalogue.unknown_ids(ids), "not in the catalogue") | dict(catalogue.names_of(ids))


# ── global feeds ──────────────────────────────────────────────────────────────────────────────────────────────────────


def show_shared_feeds(reading: PersonReading, target: Target) -> None:
    """The feeds that depend on the events of all persons: read, without an expectation."""
    snapshot = reading.snapshot
    known = [feed for feed in SHARED_FEEDS if feed in target.feeds]
    if not known or snapshot.person.field not in FEED_IDENTITY_TYPES:
        return
    screen = get_screen_state(FeedsState)
    with st.expander("Global feeds, of the events of all users", key="feeds-shared", expanded=bool(screen.shared)):
        approximates = target.origin == SANDBOX
        st.text(
            "They cannot be predicted, because they depend on the events of all users"
            + ("; the sandbox approximates them from its last events." if approximates else ".")
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            seed = st.text_input(
                "For product", key="feeds-seed", placeholder="for feeds of products bought or viewed together"
            )
            if st.button("Load", key="feeds-load-shared"):
                screen.shared = _read_shared_feeds(target, snapshot.person, known, seed or None)
        for feed, response in screen.shared.items():
            st.text(FEED_TITLES[feed] if response.products else f"{FEED_TITLES[feed]}: nothing")
            if response.products is None:
                st.text(response.message)
            else:
                _show_products("", response.products, reading, FEED_TITLES[feed], feed=feed)


def _read_shared_feeds(
    target: Target, person: Person, feeds_: Sequence[str], seed: str | None
) -> dict[str, FeedResponse]:
    async def ask() -> dict[str, FeedResponse]:
        async with open_client(get_services().settings) as client:
            identity = FEED_IDENTITY_TYPES[person.field]
            responses = [read_feed(client, target, feed, identity, person.id, product=seed) for feed in feeds_]
            return dict(zip(feeds_, await asyncio.gather(*responses), strict=True))

    with st.spinner(f"Reading feeds from {escape_markdown(target.host)}"):
        return asyncio.run(ask())
