"""The pieces of the Feeds screen: whose feeds, expected beside actual, changes as they come, notes, the timeline."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import streamlit as st

from intempt_core.analysis import NOTE_MEANINGS, find_notes
from intempt_core.contract import (
    FEED_IDENTITY_TYPES,
    FEED_TITLES,
    FEEDS,
    IDENTITY_FIELDS,
    SHARED_FEEDS,
    PersonEvent,
    is_blank,
    now_ms,
)
from intempt_core.targets import Target, derive_target_key
from intempt_core.transport import FEED_LIMIT, FeedResponse, open_client, read_feed
from pages.parts.shared.feed_card import (
    FEED_POLL_SECONDS,
    MAX_HISTORY_EVENTS,
    FeedSnapshot,
    Person,
    describe_feed_change,
    describe_feed_source,
    read_actual_feeds,
    read_feed_snapshot,
    read_person_history,
)
from pages.parts.shared.formatting import (
    escape_markdown,
    format_clock,
    format_duration,
    format_moment,
    format_quantity,
    format_state,
)
from pages.parts.shared.links import holds_key
from pages.parts.shared.screen_state import get_screen_state, get_session, make_key, read_widget, set_widget
from pages.parts.shared.services import get_services
from pages.parts.shared.session_targets import list_targets
from pages.parts.shared.time_zones import get_zone_name

MAX_ID_LENGTH = 2_000
"""Characters of an id that is asked about: a longer one is no id, and no link can carry it."""

TIMELINE_ROWS = 100
"""Lines of one page of the timeline."""

FEED_WATCH_MS = 120_000
"""How long changes are watched for before somebody has to say so again."""


@dataclass(frozen=True, slots=True)
class PersonQuery:
    """Whose feeds are asked for; ``person`` is ``None`` until somebody is named. ``trouble`` says why, in words."""

    person: Person | None
    trouble: str = ""


@dataclass
class FeedsState:
    """The Feeds screen of one tab."""

    link: tuple[str, ...] = ()
    """The link that the screen has taken in: target, field, id."""
    asked_about: tuple[str, Person] | None = None
    """The target (a key) and person that ``reading`` is about."""
    snapshot: FeedSnapshot | None = None
    baseline: FeedSnapshot | None = None
    """What the feeds showed when watching began."""
    trouble: str = ""
    seed: str = ""
    shared: dict[str, FeedResponse] = field(default_factory=dict)


# ── whose ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def apply_feeds_link(target: Target) -> None:
    """Take in what a link asks for. Nothing of it is trusted: a word that says nothing leaves things as they are."""
    screen, given = get_screen_state(FeedsState), st.query_params
    link = tuple(given.get(name, "") for name in ("target", "by", "person"))
    if not any(link) or link == screen.link:
        return
    screen.link, screen.trouble = link, ""
    wanted, by, person = link
    if by in IDENTITY_FIELDS:
        set_widget("feeds-by", by)
    elif by:
        screen.trouble = (
            f"The link asks by {by[:100]}, which is no identity: it is one of {', '.join(IDENTITY_FIELDS)}."
        )
        person = ""
    set_widget("feeds-person", person)
    if wanted and wanted not in list_targets():
        screen.trouble = f"No target here is called {wanted[:100]}. Choose one above, or describe it on Targets."
        set_widget("feeds-person", "")
    elif wanted and wanted != target.name:
        get_session().next_target = wanted
        st.rerun()


def choose_person() -> PersonQuery:
    """Who is asked about: any of the four identities."""
    screen = get_screen_state(FeedsState)
    if read_widget("feeds-by") not in IDENTITY_FIELDS:
        set_widget("feeds-by", "userId")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = st.selectbox(
            "Person by", IDENTITY_FIELDS, key="feeds-by", width=180, persist_state="session", on_change=_clear_trouble
        )
        id_ = st.text_input(
            "Id", key="feeds-person", placeholder="A whole id, exactly as it was sent", width="stretch",
            persist_state="session", on_change=_clear_trouble,
        )  # fmt: skip
        st.button("Ask again", key="feeds-again", on_click=_ask_again, disabled=not id_)
    id_ = id_ or ""
    if screen.trouble:
        return PersonQuery(None, screen.trouble)
    if holds_key(id_):
        st.query_params.clear()
        return PersonQuery(None, "This holds a target's key. Nobody is asked about it, and no link is made with it.")
    if len(id_) > MAX_ID_LENGTH:
        return PersonQuery(
            None, f"This id has {len(id_):,} characters; an id of up to {MAX_ID_LENGTH:,} can be asked about."
        )
    return PersonQuery(None if is_blank(id_) else Person(by, id_))


def _clear_trouble() -> None:
    get_screen_state(FeedsState).trouble = ""


def _ask_again() -> None:
    get_screen_state(FeedsState).asked_about = None


def update_feeds_link(query: PersonQuery, target: Target) -> None:
    """Write what is asked into the browser's address, so that the link can be shared."""
    if query.trouble:
        return
    by, id_ = (query.person.field, query.person.id) if query.person else ("", "")
    link = (target.name, by, id_)
    if link != tuple(st.query_params.get(name, "") for name in ("target", "by", "person")):
        st.query_params.from_dict(
            {name: text for name, text in zip(("target", "by", "person"), link, strict=True) if text}
        )
    get_screen_state(FeedsState).link = link


def show_feeds_intro(query: PersonQuery, target: Target) -> None:
    """Before somebody is named: what this is for, and the first useful thing."""
    if query.trouble:
        st.text(query.trouble)
        return
    st.text(
        "Name a person by any of the four identities, as it was sent. You see what each feed should show after all that"
        " this console sent of that person, what it does show, and why they differ."
    )
    last = get_services().history.last_identity(derive_target_key(target))
    if last is None:
        st.text(f"Nothing was sent to {target.title} yet.")
        st.page_link("compose.py", label="Compose the first event")
        return
    st.button("Show the person of the last event that was sent", key="feeds-last", on_click=_set_person, args=last)


def _set_person(by: str, id_: str) -> None:
    set_widget("feeds-by", by)
    set_widget("feeds-person", id_)


def load_feed_snapshot(query: PersonQuery, target: Target) -> FeedSnapshot:
    """History now, and the target as it was asked last: asked again when something new was sent, or on a click."""
    screen, person = get_screen_state(FeedsState), query.person
    assert person is not None  # noqa: S101  the page stops where nobody is named
    where = (derive_target_key(target), person)
    new = (
        screen.asked_about == where
        and screen.snapshot
        and read_person_history(target, person) != screen.snapshot.person_history
    )
    other = screen.snapshot and screen.snapshot.catalogue is not get_services().catalogue(where[0])
    if screen.asked_about != where or screen.snapshot is None or new or other:
        if screen.asked_about != where:
            screen.shared, screen.baseline = {}, None
        with st.spinner(f"Asking {escape_markdown(target.host)}"):
            screen.snapshot = read_feed_snapshot(target, person)
        screen.asked_about = where
    return screen.snapshot


# ── expected beside actual ───────────────────────────────────────────────────────────────────────────────────────────


def show_feeds(snapshot: FeedSnapshot, target: Target) -> None:
    """Each feed: what it should show, what it shows, and why they differ."""
    if not snapshot.person_history.events:
        st.text(
            f"Nothing was sent of this person to {target.title} from here, so every feed is expected to be empty."
            " What is shown all the same was sent by another client."
        )
    st.caption(
        f"{describe_feed_source(target, snapshot.person, snapshot.responses)}. Times in {escape_markdown(get_zone_name())}."
    )
    if snapshot.person.field not in FEED_IDENTITY_TYPES:
        st.text("A feed can be read by userId, profileId or accountId. Ask by one of them to see what it shows.")
    if len(snapshot.person_history.events) >= MAX_HISTORY_EVENTS:
        st.text(
            f"So many events name this person that only the last {MAX_HISTORY_EVENTS:,} or so are looked at; what"
            " happened before is in none of these lists."
        )
    for feed, title in FEEDS.items():
        show_feed_comparison(snapshot, feed, title)


def show_feed_comparison(snapshot: FeedSnapshot, feed: str, title: str) -> None:
    """One feed's line."""
    told, answer = snapshot.explain(feed), snapshot.responses.get(feed)
    with st.container(border=True, key=make_key("feeds-feed", feed)):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{title}**", width="content")
            st.markdown(format_feed_verdict(snapshot, feed), width="content")
        expected, actual = st.columns(2, gap="medium")
        with expected:
            st.caption("Expected, from what this console sent")
            show_products(snapshot, told.expected[:FEED_LIMIT])
            if len(told.expected) > FEED_LIMIT:
                st.caption(f"The first {FEED_LIMIT} of {len(told.expected):,}; a feed is asked for no more.")
        with actual:
            if answer is None:
                st.caption("Actual")
                st.text("not asked")
            elif answer.products is None:
                st.caption(f"Actual, asked at {format_clock(answer.requested_at)}")
                st.text(answer.message)
            else:
                st.caption(
                    f"Actual, asked at {format_clock(answer.requested_at)}, {format_duration(answer.elapsed_ms)}"
                )
                show_products(snapshot, answer.products)
        for says in told.differences:
            st.text(f"◆ {says}")
        if told.remarks:
            with st.expander(
                f"Not shown, or not certain: {format_quantity(len(told.remarks), 'product')}", type="compact"
            ):
                for says in told.remarks:
                    st.text(says)


def format_feed_verdict(snapshot: FeedSnapshot, feed: str) -> str:
    """Whether a feed is as expected, as a badge with words."""
    answer = snapshot.responses.get(feed)
    if answer is None:
        return ":gray-badge[expected only]"
    if answer.products is None:
        return ":orange-badge[◆ could not be read]"
    found = len(snapshot.explain(feed).differences)
    return f":orange-badge[◆ {format_quantity(found, 'difference')}]" if found else ":blue-badge[✓ as expected]"


def show_products(snapshot: FeedSnapshot, ids: Sequence[str]) -> None:
    """Products, most recent first, a line each."""
    with st.container(height=240 if len(ids) > 8 else "content", border=False):
        st.code(snapshot.format_products(ids), language=None, wrap_lines=True)


# ── changes as they come ─────────────────────────────────────────────────────────────────────────────────────────────


def watch_feeds(snapshot: FeedSnapshot, target: Target) -> None:
    """Before and after: from a click on, which places each feed gains and loses, and how long nothing has changed."""
    screen = get_screen_state(FeedsState)
    if not snapshot.responses:
        return
    with st.container(border=True, key="feeds-watch-card"):
        if screen.baseline is None:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button("Watch for changes", key="feeds-watch", on_click=_set_baseline, args=(snapshot,))
                with st.container(width="stretch"):
                    st.text("Then send, from here or from an application: what the feeds gain and lose is told here.")
            return
        watched = screen.baseline
        goes_on = now_ms() - watched.asked_at < FEED_WATCH_MS

        @st.fragment(run_every=FEED_POLL_SECONDS if goes_on else None)
        def changes() -> None:
            answers = read_actual_feeds(target, snapshot.person)
            st.markdown("**Since you began to watch**")
            for feed, title in FEEDS.items():
                earlier, later = watched.responses.get(feed), answers.get(feed)
                says = describe_feed_change(earlier, later, as_expected=False)
                read_ = later or earlier
                st.text(f"{title}: {says or (read_.message if read_ else 'not asked.')}")
            if goes_on and now_ms() - watched.asked_at >= FEED_WATCH_MS:
                st.rerun()

        changes()
        if not goes_on:
            st.text(f"Watched for {format_duration(FEED_WATCH_MS)}; a later change shows when you ask again.")
        st.button("Stop watching", key="feeds-unwatch", on_click=_set_baseline, args=(None,))


def _set_baseline(snapshot: FeedSnapshot | None) -> None:
    get_screen_state(FeedsState).baseline = snapshot


# ── how it came to it ────────────────────────────────────────────────────────────────────────────────────────────────


def show_journey_notes(snapshot: FeedSnapshot) -> None:
    """What is odd about the journey: notes, and no errors."""
    found = find_notes(snapshot.person_history, format_clock)
    if not found:
        return
    with st.expander(f"About this journey: {format_quantity(len(found), 'note')}", key="feeds-notes"):
        for kind, some in groupby(found, lambda note: note.kind):
            said = [note.message for note in some]
            st.markdown(f":blue-badge[{kind.value}: {len(said):,}]")
            st.caption(NOTE_MEANINGS[kind])
            for says in said[:10]:
                st.text(says)
            if len(said) > 10:
                st.text(f"{len(said) - 10:,} more.")


def show_timeline(snapshot: FeedSnapshot) -> None:
    """Every event of the person in order of arrival, the newest page first, whatever came of it."""
    steps = snapshot.person_history.events
    if not steps:
        return
    st.markdown(f"**What this console sent of this person: {format_quantity(len(steps), 'event')}**")
    pages = -(-len(steps) // TIMELINE_ROWS)
    page = min(max(1, read_widget("feeds-page", 1)), pages)
    end = len(steps) - (page - 1) * TIMELINE_ROWS
    shown = range(end, max(0, end - TIMELINE_ROWS), -1)
    names = snapshot.catalogue.names_of(steps[number - 1].product for number in shown) if snapshot.catalogue else {}
    rows = [build_timeline_row(number, steps[number - 1], snapshot, names) for number in shown]
    st.dataframe(
        rows,
        hide_index=True,
        alt="This person's events, the last one first",
        column_config={"request": st.column_config.LinkColumn("request", display_text="Open")},
        key="feeds-timeline",
        height=420 if len(rows) > 10 else "content",
    )
    st.caption("In order of arrival, the last one first. The time of the event is its own, where it has one.")
    if pages > 1:
        st.pagination(pages, key="feeds-page")


def build_timeline_row(
    number: int, step: PersonEvent, snapshot: FeedSnapshot, names: Mapping[str, str]
) -> Mapping[str, object]:
    """One event of the timeline."""
    return {
        "": number,
        "outcome": format_state(step.state),
        "at": format_moment(step.when),
        "event": step.name or "(no name)",
        "product": step.product or "(none)",
        **({"called": names.get(step.product, "")} if snapshot.catalogue else {}),
        "time of the event": "" if step.timestamp is None else format_clock(step.timestamp),
        "counts": describe_counting(step, snapshot),
        "event id": step.event_id,
        "known by": ", ".join(f"{name} {id_}" for name, id_ in step.names),
        "request": f"/history?request={step.request}",
    }


def describe_counting(step: PersonEvent, snapshot: FeedSnapshot) -> str:
    """Whether the feeds go by an event, and why not; the sandbox's own word where it has one."""
    if step.reason:
        return f"no: {step.reason}"
    if not step.counts:
        return "nobody knows" if step.may_count else "no"
    known = snapshot.known_events
    if known is None or step.event_id in known.processed:
        return "yes" if known is None else "yes, processed"
    return f"no: {known.reasons.get(step.event_id, 'the sandbox holds it no more.')}"


# ── everybody's feeds ────────────────────────────────────────────────────────────────────────────────────────────────


def show_shared_feeds(snapshot: FeedSnapshot, target: Target) -> None:
    """The feeds that depend on everybody's events: asked, never expected."""
    known = [feed for feed in SHARED_FEEDS if feed in target.feeds]
    if not known or snapshot.person.field not in FEED_IDENTITY_TYPES:
        return
    screen = get_screen_state(FeedsState)
    with st.expander("Feeds that depend on everybody's events", key="feeds-shared", expanded=bool(screen.shared)):
        st.text(
            "No rule says what they show to the letter, so nothing is expected of them."
            + (" The sandbox's are its own approximation, of its last events." if target.origin == "sandbox" else "")
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            seed = st.text_input("Beside product", key="feeds-seed", placeholder="for the feeds of products together")
            if st.button("Ask for them", key="feeds-ask-shared"):
                screen.shared = _read_shared_feeds(target, snapshot.person, known, seed or None)
        for feed, answer in screen.shared.items():
            st.text(FEED_TITLES[feed])
            if answer.products is None:
                st.text(answer.message)
            else:
                show_products(snapshot, answer.products)


def _read_shared_feeds(
    target: Target, person: Person, feeds_: Sequence[str], seed: str | None
) -> dict[str, FeedResponse]:
    async def ask() -> dict[str, FeedResponse]:
        async with open_client(get_services().settings) as client:
            identity = FEED_IDENTITY_TYPES[person.field]
            answers = [read_feed(client, target, feed, identity, person.id, product=seed) for feed in feeds_]
            return dict(zip(feeds_, await asyncio.gather(*answers), strict=True))

    with st.spinner(f"Asking {escape_markdown(target.host)}"):
        return asyncio.run(ask())
