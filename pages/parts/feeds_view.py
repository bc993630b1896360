"""The pieces of the Feeds screen: whose feeds, expected beside actual, changes as they come, notes, the timeline."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import streamlit as st

from intempt_core import FEEDS, FeedResponse, Target, open_client, read_feed
from intempt_core.client import FEED_LIMIT, now_ms
from intempt_core.events import IDENTITY_FIELDS, is_blank
from intempt_core.feeds import FEED_IDENTITY_TYPES, SHARED_FEEDS, FEED_TITLES
from intempt_core.history import derive_target_key
from intempt_core.journeys import NOTE_MEANINGS, PersonEvent, find_notes
from pages.parts import feedview
from pages.parts.feedview import Person, Reading
from pages.parts.house import house
from pages.parts.look import clock, counted, escaped, lasted, mark, moment, zone_name
from pages.parts.session import key, put, room, session, value
from pages.parts.taking import holds_key

LONGEST = 2_000
"""Characters of an id that is asked about: a longer one is no id, and no link can carry it."""

STEPS = 100
"""Lines of one page of the timeline."""

WATCH_FOR_MS = 120_000
"""How long changes are watched for before somebody has to say so again."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Whose feeds are asked for; ``person`` is ``None`` until somebody is named. ``trouble`` says why, in words."""

    person: Person | None
    trouble: str = ""


@dataclass
class Screen:
    """The Feeds screen of one tab."""

    link: tuple[str, ...] = ()
    """The link that the screen has taken in: target, field, id."""
    asked: tuple[str, Person] | None = None
    """The target (a key) and person that ``reading`` is about."""
    reading: Reading | None = None
    watched: Reading | None = None
    """What the feeds showed when watching began."""
    trouble: str = ""
    seed: str = ""
    shared: dict[str, FeedResponse] = field(default_factory=dict)


# ── whose ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def arrive(target: Target) -> None:
    """Take in what a link asks for. Nothing of it is trusted: a word that says nothing leaves things as they are."""
    screen, given = room(Screen), st.query_params
    link = tuple(given.get(name, "") for name in ("target", "by", "person"))
    if not any(link) or link == screen.link:
        return
    screen.link, screen.trouble = link, ""
    wanted, by, person = link
    if by in IDENTITY_FIELDS:
        put("feeds-by", by)
    elif by:
        screen.trouble = f"The link asks by {by[:100]}, which is no identity: it is one of {', '.join(IDENTITY_FIELDS)}."
        person = ""
    put("feeds-person", person)
    known = {**house().targets, **session().typed}
    if wanted and wanted not in known:
        screen.trouble = f"No target here is called {wanted[:100]}. Choose one above, or describe it on Targets."
        put("feeds-person", "")
    elif wanted and wanted != target.name:
        session().wanted = wanted
        st.rerun()


def question() -> Asking:
    """Who is asked about: any of the four identities."""
    screen = room(Screen)
    if value("feeds-by") not in IDENTITY_FIELDS:
        put("feeds-by", "userId")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = st.selectbox("Person by", IDENTITY_FIELDS, key="feeds-by", width=180, persist_state="session", on_change=_typed)
        id_ = st.text_input(
            "Id", key="feeds-person", placeholder="A whole id, exactly as it was sent", width="stretch",
            persist_state="session", on_change=_typed,
        )  # fmt: skip
        st.button("Ask again", key="feeds-again", on_click=_again, disabled=not id_)
    id_ = id_ or ""
    if screen.trouble:
        return Asking(None, screen.trouble)
    if holds_key(id_):
        st.query_params.clear()
        return Asking(None, "This holds a target's key. Nobody is asked about it, and no link is made with it.")
    if len(id_) > LONGEST:
        return Asking(None, f"This id has {len(id_):,} characters; an id of up to {LONGEST:,} can be asked about.")
    return Asking(None if is_blank(id_) else Person(by, id_))


def _typed() -> None:
    room(Screen).trouble = ""


def _again() -> None:
    room(Screen).asked = None


def keep_link(asking: Asking, target: Target) -> None:
    """Write what is asked into the browser's address, so that the link can be shared."""
    if asking.trouble:
        return
    by, id_ = (asking.person.field, asking.person.id) if asking.person else ("", "")
    link = (target.name, by, id_)
    if link != tuple(st.query_params.get(name, "") for name in ("target", "by", "person")):
        st.query_params.from_dict(
            {name: text for name, text in zip(("target", "by", "person"), link, strict=True) if text}
        )
    room(Screen).link = link


def empty(asking: Asking, target: Target) -> None:
    """Before somebody is named: what this is for, and the first useful thing."""
    if asking.trouble:
        st.text(asking.trouble)
        return
    st.text(
        "Name a person by any of the four identities, as it was sent. You see what each feed should show after all that"
        " this console sent of that person, what it does show, and why they differ."
    )
    last = house().history.last_identity(derive_target_key(target))
    if last is None:
        st.text(f"Nothing was sent to {target.title} yet.")
        st.page_link("compose.py", label="Compose the first event")
        return
    st.button("Show the person of the last event that was sent", key="feeds-last", on_click=_ask, args=last)


def _ask(by: str, id_: str) -> None:
    put("feeds-by", by)
    put("feeds-person", id_)


def read(asking: Asking, target: Target) -> Reading:
    """History now, and the target as it was asked last: asked again when something new was sent, or on a click."""
    screen, person = room(Screen), asking.person
    assert person is not None  # noqa: S101  the page stops where nobody is named
    where = (derive_target_key(target), person)
    new = screen.asked == where and screen.reading and feedview.story(target, person) != screen.reading.story
    other = screen.reading and screen.reading.catalogue is not house().catalogue(where[0])
    if screen.asked != where or screen.reading is None or new or other:
        if screen.asked != where:
            screen.shared, screen.watched = {}, None
        with st.spinner(f"Asking {escaped(target.host)}"):
            screen.reading = feedview.read(target, person)
        screen.asked = where
    return screen.reading


# ── expected beside actual ───────────────────────────────────────────────────────────────────────────────────────────


def feeds(reading: Reading, target: Target) -> None:
    """Each feed: what it should show, what it shows, and why they differ."""
    if not reading.story.events:
        st.text(
            f"Nothing was sent of this person to {target.title} from here, so every feed is expected to be empty."
            " What is shown all the same was sent by another client."
        )
    st.caption(f"{feedview.asked(target, reading.person, reading.answers)}. Times in {escaped(zone_name())}.")
    if reading.person.field not in FEED_IDENTITY_TYPES:
        st.text("A feed can be read by userId, profileId or accountId. Ask by one of them to see what it shows.")
    if len(reading.story.events) >= feedview.STEPS_OF_ONE:
        st.text(
            f"So many events name this person that only the last {feedview.STEPS_OF_ONE:,} or so are looked at; what"
            " happened before is in none of these lists."
        )
    for feed, title in FEEDS.items():
        one_feed(reading, feed, title)


def one_feed(reading: Reading, feed: str, title: str) -> None:
    """One feed's line."""
    told, answer = reading.account(feed), reading.answers.get(feed)
    with st.container(border=True, key=key("feeds-feed", feed)):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{title}**", width="content")
            st.markdown(verdict(reading, feed), width="content")
        expected, actual = st.columns(2, gap="medium")
        with expected:
            st.caption("Expected, from what this console sent")
            products(reading, told.expected[:FEED_LIMIT])
            if len(told.expected) > FEED_LIMIT:
                st.caption(f"The first {FEED_LIMIT} of {len(told.expected):,}; a feed is asked for no more.")
        with actual:
            if answer is None:
                st.caption("Actual")
                st.text("not asked")
            elif answer.products is None:
                st.caption(f"Actual, asked at {clock(answer.requested_at)}")
                st.text(answer.message)
            else:
                st.caption(f"Actual, asked at {clock(answer.requested_at)}, {lasted(answer.elapsed_ms)}")
                products(reading, answer.products)
        for says in told.differences:
            st.text(f"◆ {says}")
        if told.remarks:
            with st.expander(f"Not shown, or not certain: {counted(len(told.remarks), 'product')}", type="compact"):
                for says in told.remarks:
                    st.text(says)


def verdict(reading: Reading, feed: str) -> str:
    """Whether a feed is as expected, as a badge with words."""
    answer = reading.answers.get(feed)
    if answer is None:
        return ":gray-badge[expected only]"
    if answer.products is None:
        return ":orange-badge[◆ could not be read]"
    found = len(reading.account(feed).differences)
    return f":orange-badge[◆ {counted(found, 'difference')}]" if found else ":blue-badge[✓ as expected]"


def products(reading: Reading, ids: Sequence[str]) -> None:
    """Products, most recent first, a line each."""
    with st.container(height=240 if len(ids) > 8 else "content", border=False):
        st.code(reading.named(ids), language=None, wrap_lines=True)


# ── changes as they come ─────────────────────────────────────────────────────────────────────────────────────────────


def watch(reading: Reading, target: Target) -> None:
    """Before and after: from a click on, which places each feed gains and loses, and how long nothing has changed."""
    screen = room(Screen)
    if not reading.answers:
        return
    with st.container(border=True, key="feeds-watch-card"):
        if screen.watched is None:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button("Watch for changes", key="feeds-watch", on_click=_watch, args=(reading,))
                with st.container(width="stretch"):
                    st.text("Then send, from here or from an application: what the feeds gain and lose is told here.")
            return
        watched = screen.watched
        goes_on = now_ms() - watched.asked_at < WATCH_FOR_MS

        @st.fragment(run_every=feedview.LOOK_AGAIN_SECONDS if goes_on else None)
        def changes() -> None:
            answers = feedview.actual(target, reading.person)
            st.markdown("**Since you began to watch**")
            for feed, title in FEEDS.items():
                earlier, later = watched.answers.get(feed), answers.get(feed)
                says = feedview.said_of_change(earlier, later, as_expected=False)
                read_ = later or earlier
                st.text(f"{title}: {says or (read_.message if read_ else 'not asked.')}")
            if goes_on and now_ms() - watched.asked_at >= WATCH_FOR_MS:
                st.rerun()

        changes()
        if not goes_on:
            st.text(f"Watched for {lasted(WATCH_FOR_MS)}; a later change shows when you ask again.")
        st.button("Stop watching", key="feeds-unwatch", on_click=_watch, args=(None,))


def _watch(reading: Reading | None) -> None:
    room(Screen).watched = reading


# ── how it came to it ────────────────────────────────────────────────────────────────────────────────────────────────


def notes(reading: Reading) -> None:
    """What is odd about the journey: notes, and no errors."""
    found = find_notes(reading.story, clock)
    if not found:
        return
    with st.expander(f"About this journey: {counted(len(found), 'note')}", key="feeds-notes"):
        for kind, some in groupby(found, lambda note: note.kind):
            said = [note.message for note in some]
            st.markdown(f":blue-badge[{kind.value}: {len(said):,}]")
            st.caption(NOTE_MEANINGS[kind])
            for says in said[:10]:
                st.text(says)
            if len(said) > 10:
                st.text(f"{len(said) - 10:,} more.")


def timeline(reading: Reading) -> None:
    """Every event of the person in order of arrival, the newest page first, whatever came of it."""
    steps = reading.story.events
    if not steps:
        return
    st.markdown(f"**What this console sent of this person: {counted(len(steps), 'event')}**")
    pages = -(-len(steps) // STEPS)
    page = min(max(1, value("feeds-page", 1)), pages)
    end = len(steps) - (page - 1) * STEPS
    shown = range(end, max(0, end - STEPS), -1)
    names = reading.catalogue.names_of(steps[number - 1].product for number in shown) if reading.catalogue else {}
    rows = [line(number, steps[number - 1], reading, names) for number in shown]
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


def line(number: int, step: PersonEvent, reading: Reading, names: Mapping[str, str]) -> Mapping[str, object]:
    """One event of the timeline."""
    return {
        "": number,
        "outcome": mark(step.state),
        "at": moment(step.when),
        "event": step.name or "(no name)",
        "product": step.product or "(none)",
        **({"called": names.get(step.product, "")} if reading.catalogue else {}),
        "time of the event": "" if step.timestamp is None else clock(step.timestamp),
        "counts": counts(step, reading),
        "event id": step.event_id,
        "known by": ", ".join(f"{name} {id_}" for name, id_ in step.names),
        "request": f"/history?request={step.request}",
    }


def counts(step: PersonEvent, reading: Reading) -> str:
    """Whether the feeds go by an event, and why not; the sandbox's own word where it has one."""
    if step.reason:
        return f"no: {step.reason}"
    if not step.counts:
        return "nobody knows" if step.may_count else "no"
    known = reading.known
    if known is None or step.event_id in known.processed:
        return "yes" if known is None else "yes, processed"
    return f"no: {known.reasons.get(step.event_id, 'the sandbox holds it no more.')}"


# ── everybody's feeds ────────────────────────────────────────────────────────────────────────────────────────────────


def shared(reading: Reading, target: Target) -> None:
    """The feeds that depend on everybody's events: asked, never expected."""
    known = [feed for feed in SHARED_FEEDS if feed in target.feeds]
    if not known or reading.person.field not in FEED_IDENTITY_TYPES:
        return
    screen = room(Screen)
    with st.expander("Feeds that depend on everybody's events", key="feeds-shared", expanded=bool(screen.shared)):
        st.text(
            "No rule says what they show to the letter, so nothing is expected of them."
            + (" The sandbox's are its own approximation, of its last events." if target.origin == "sandbox" else "")
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            seed = st.text_input("Beside product", key="feeds-seed", placeholder="for the feeds of products together")
            if st.button("Ask for them", key="feeds-ask-shared"):
                screen.shared = _shared(target, reading.person, known, seed or None)
        for feed, answer in screen.shared.items():
            st.text(FEED_TITLES[feed])
            if answer.products is None:
                st.text(answer.message)
            else:
                products(reading, answer.products)


def _shared(target: Target, person: Person, feeds_: Sequence[str], seed: str | None) -> dict[str, FeedResponse]:
    async def ask() -> dict[str, FeedResponse]:
        async with open_client(house().settings) as client:
            answers = [read_feed(client, target, feed, person.field, person.id, product=seed) for feed in feeds_]
            return dict(zip(feeds_, await asyncio.gather(*answers), strict=True))

    with st.spinner(f"Asking {escaped(target.host)}"):
        return asyncio.run(ask())
