"""What the Feeds screen shows: a person's feeds, expected and actual, their changes, notes, and the timeline."""

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
    format_count,
    is_blank,
    now_ms,
)
from intempt_core.targets import SANDBOX, Target, derive_target_key
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
from pages.parts.shared.formatting import escape_markdown, format_clock, format_duration, format_moment, format_state
from pages.parts.shared.links import holds_key
from pages.parts.shared.screen_state import get_screen_state, get_session, make_key, read_widget, set_widget
from pages.parts.shared.services import get_services
from pages.parts.shared.session_targets import list_targets
from pages.parts.shared.time_zones import get_zone_name

MAX_ID_LENGTH = 2_000
"""Characters of an id that can be looked up: a longer one is no id, and no link can carry it."""

TIMELINE_ROWS = 100
"""Events on one page of the timeline."""

NOTES_SHOWN = 10
"""Notes of one kind that are shown."""

FEED_WATCH_MS = 120_000
"""How long feeds are watched after a click."""


@dataclass(frozen=True, slots=True)
class PersonQuery:
    """The person whose feeds are looked up.

    Attributes:
        person: The person, ``None`` as long as none is given.
        trouble: Why what was given is no person, as a sentence.
    """

    person: Person | None
    trouble: str = ""


@dataclass
class FeedsState:
    """The Feeds screen of one tab.

    Attributes:
        link: The link that was applied to the screen: target, identity field, id.
        asked_about: The target (a ``key``) and the person of ``snapshot``.
        snapshot: What was read last.
        baseline: What the feeds showed when watching began, ``None`` while they are not watched.
        trouble: Why the link cannot be followed, as a sentence.
        shared: The global feeds that were read, by feed.
    """

    link: tuple[str, ...] = ()
    asked_about: tuple[str, Person] | None = None
    snapshot: FeedSnapshot | None = None
    baseline: FeedSnapshot | None = None
    trouble: str = ""
    seed: str = ""
    shared: dict[str, FeedResponse] = field(default_factory=dict)


# ── the person ────────────────────────────────────────────────────────────────────────────────────────────────────────


def apply_feeds_link(target: Target) -> None:
    """Set target and person from the link. None of it is trusted: what is not valid is ignored, with a message."""
    screen, given = get_screen_state(FeedsState), st.query_params
    link = tuple(given.get(name, "") for name in ("target", "by", "person"))
    if not any(link) or link == screen.link:
        return
    screen.link, screen.trouble = link, ""
    target_name, by, person = link
    if by in IDENTITY_FIELDS:
        set_widget("feeds-by", by)
    elif by:
        screen.trouble = (
            f"The link names {by[:100]}, which is no identity field: use one of {', '.join(IDENTITY_FIELDS)}."
        )
        person = ""
    set_widget("feeds-person", person)
    if target_name and target_name not in list_targets():
        screen.trouble = f"There is no target {target_name[:100]} here. Select one above, or add it on Targets."
        set_widget("feeds-person", "")
    elif target_name and target_name != target.name:
        get_session().next_target = target_name
        st.rerun()


def choose_person() -> PersonQuery:
    """The fields for the person: an identity field and its value."""
    screen = get_screen_state(FeedsState)
    if read_widget("feeds-by") not in IDENTITY_FIELDS:
        set_widget("feeds-by", "userId")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = st.selectbox(
            "Look up by", IDENTITY_FIELDS, key="feeds-by", width=180, persist_state="session", on_change=_clear_trouble
        )
        id_ = st.text_input(
            "Id", key="feeds-person", placeholder="A whole id, exactly as it was sent", width="stretch",
            persist_state="session", on_change=_clear_trouble,
        )  # fmt: skip
        st.button("Refresh", key="feeds-refresh", on_click=_refresh_feeds, disabled=not id_)
    id_ = id_ or ""
    if screen.trouble:
        return PersonQuery(None, screen.trouble)
    if holds_key(id_):
        st.query_params.clear()
        return PersonQuery(None, "This holds a target's key. It is not looked up, and not put into a link.")
    if len(id_) > MAX_ID_LENGTH:
        return PersonQuery(None, f"This id has {len(id_):,} characters; an id has at most {MAX_ID_LENGTH:,}.")
    return PersonQuery(None if is_blank(id_) else Person(by, id_))


def _clear_trouble() -> None:
    get_screen_state(FeedsState).trouble = ""


def _refresh_feeds() -> None:
    get_screen_state(FeedsState).asked_about = None


def update_feeds_link(query: PersonQuery, target: Target) -> None:
    """Write target and person into the browser's address, so that the link can be shared."""
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
    """Without a person: what this screen is for, and a button for the person who was sent last."""
    if query.trouble:
        st.text(query.trouble)
        return
    st.text(
        "Enter the id of a person in any identity field. You see what each feed should show after everything that this"
        " console sent for that person, what it does show, and why the two differ."
    )
    last = get_services().history.persons.last_identity(derive_target_key(target))
    if last is None:
        st.text(f"Nothing was sent to {target.title} yet.")
        st.page_link("compose.py", label="Compose the first event")
        return
    st.button("Show the person of the last event sent", key="feeds-last", on_click=_set_person, args=last)


def _set_person(by: str, id_: str) -> None:
    set_widget("feeds-by", by)
    set_widget("feeds-person", id_)


def load_feed_snapshot(query: PersonQuery, target: Target) -> FeedSnapshot:
    """What is known of the person; the target is read again when something new was sent, or on a click."""
    screen, person = get_screen_state(FeedsState), query.person
    assert person is not None  # noqa: S101  the page stops where no person is given
    question = (derive_target_key(target), person)
    new = (
        screen.asked_about == question
        and screen.snapshot
        and read_person_history(target, person) != screen.snapshot.person_history
    )
    other_catalogue = screen.snapshot and screen.snapshot.catalogue is not get_services().catalogue(question[0])
    if screen.asked_about != question or screen.snapshot is None or new or other_catalogue:
        if screen.asked_about != question:
            screen.shared, screen.baseline = {}, None
        with st.spinner(f"Reading feeds from {escape_markdown(target.host)}"):
            screen.snapshot = read_feed_snapshot(target, person)
        screen.asked_about = question
    return screen.snapshot


# ── expected and actual ───────────────────────────────────────────────────────────────────────────────────────────────


def show_feeds(snapshot: FeedSnapshot, target: Target) -> None:
    """Each feed: what it should show, what it shows, and why the two differ."""
    if not snapshot.person_history.events:
        st.text(
            f"Nothing was sent for this person to {target.title} from here, so every feed is expected to be empty."
            " Products that it shows were sent by another client."
        )
    source = describe_feed_source(target, snapshot.person, snapshot.responses)
    st.caption(f"{source}. Times in {escape_markdown(get_zone_name())}.")
    if snapshot.person.field not in FEED_IDENTITY_TYPES:
        st.text("A feed can be read by userId, profileId or accountId. Look up by one of them to see what it shows.")
    if len(snapshot.person_history.events) >= MAX_HISTORY_EVENTS:
        st.text(
            f"This person has so many events that only about the last {MAX_HISTORY_EVENTS:,} are read; earlier ones are"
            " in none of these lists."
        )
    for feed, title in FEEDS.items():
        show_feed_comparison(snapshot, feed, title)


def show_feed_comparison(snapshot: FeedSnapshot, feed: str, title: str) -> None:
    """One feed: expected and actual products, and the differences."""
    explanation, response = snapshot.explain(feed), snapshot.responses.get(feed)
    with st.container(border=True, key=make_key("feeds-feed", feed)):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{title}**", width="content")
            st.markdown(format_feed_verdict(snapshot, feed), width="content")
        expected, actual = st.columns(2, gap="medium")
        with expected:
            st.caption("Expected, from what this console sent")
            show_products(snapshot, explanation.expected[:FEED_LIMIT])
            if len(explanation.expected) > FEED_LIMIT:
                st.caption(f"The first {FEED_LIMIT} of {len(explanation.expected):,}; a feed returns no more.")
        with actual:
            if response is None:
                st.caption("Actual")
                st.text("not read")
            elif response.products is None:
                st.caption(f"Actual, read at {format_clock(response.requested_at)}")
                st.text(response.message)
            else:
                st.caption(
                    f"Actual, read at {format_clock(response.requested_at)}, {format_duration(response.elapsed_ms)}"
                )
                show_products(snapshot, response.products)
        for difference in explanation.differences:
            st.text(f"◆ {difference}")
        if explanation.remarks:
            with st.expander(
                f"Not shown or not certain: {format_count(len(explanation.remarks), 'product')}", type="compact"
            ):
                for remark in explanation.remarks:
                    st.text(remark)


def format_feed_verdict(snapshot: FeedSnapshot, feed: str) -> str:
    """A badge that says whether a feed is as expected."""
    response = snapshot.responses.get(feed)
    if response is None:
        return ":gray-badge[expected only]"
    if response.products is None:
        return ":orange-badge[◆ could not be read]"
    found = len(snapshot.explain(feed).differences)
    return f":orange-badge[◆ {format_count(found, 'difference')}]" if found else ":blue-badge[✓ as expected]"


def show_products(snapshot: FeedSnapshot, ids: Sequence[str]) -> None:
    """Products, a line each, in their order."""
    with st.container(height=240 if len(ids) > 8 else "content", border=False):
        st.code(snapshot.format_products(ids), language=None, wrap_lines=True)


# ── changes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def watch_feeds(snapshot: FeedSnapshot, target: Target) -> None:
    """Watch the feeds after a click: which places products gain and lose, or how long nothing has changed."""
    screen = get_screen_state(FeedsState)
    if not snapshot.responses:
        return
    with st.container(border=True, key="feeds-watch-card"):
        if screen.baseline is None:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button("Watch for changes", key="feeds-watch", on_click=_set_baseline, args=(snapshot,))
                with st.container(width="stretch"):
                    st.text("Then send events, from here or from an application: changes of the feeds are shown here.")
            return
        baseline = screen.baseline
        watching = now_ms() - baseline.asked_at < FEED_WATCH_MS

        @st.fragment(run_every=FEED_POLL_SECONDS if watching else None)
        def changes() -> None:
            responses = read_actual_feeds(target, snapshot.person)
            st.markdown("**Since you started watching**")
            for feed, title in FEEDS.items():
                earlier, later = baseline.responses.get(feed), responses.get(feed)
                change = describe_feed_change(earlier, later, as_expected=False)
                newest = later or earlier
                st.text(f"{title}: {change or (newest.message if newest else 'not read.')}")
            if watching and now_ms() - baseline.asked_at >= FEED_WATCH_MS:
                st.rerun()

        changes()
        if not watching:
            st.text(f"Watched for {format_duration(FEED_WATCH_MS)}; refresh to see later changes.")
        st.button("Stop watching", key="feeds-unwatch", on_click=_set_baseline, args=(None,))


def _set_baseline(snapshot: FeedSnapshot | None) -> None:
    get_screen_state(FeedsState).baseline = snapshot


# ── the events behind it ──────────────────────────────────────────────────────────────────────────────────────────────


def show_journey_notes(snapshot: FeedSnapshot) -> None:
    """What is unusual about the journey: notes, not errors."""
    found = find_notes(snapshot.person_history, format_clock)
    if not found:
        return
    with st.expander(f"About this journey: {format_count(len(found), 'note')}", key="feeds-notes"):
        for kind, some in groupby(found, lambda note: note.kind):
            messages = [note.message for note in some]
            st.markdown(f":blue-badge[{kind.value}: {len(messages):,}]")
            st.caption(NOTE_MEANINGS[kind])
            for message in messages[:NOTES_SHOWN]:
                st.text(message)
            if len(messages) > NOTES_SHOWN:
                st.text(f"{len(messages) - NOTES_SHOWN:,} more.")


def show_timeline(snapshot: FeedSnapshot) -> None:
    """Every event of the person whatever its outcome, in order of arrival, the newest page first."""
    steps = snapshot.person_history.events
    if not steps:
        return
    st.markdown(f"**Sent from this console for this person: {format_count(len(steps), 'event')}**")
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
    st.caption("In order of arrival, the last one first. The time of an event is its own timestamp, if it has one.")
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
        **({"product name": names.get(step.product, "")} if snapshot.catalogue else {}),
        "time of the event": "" if step.timestamp is None else format_clock(step.timestamp),
        "counts": describe_counting(step, snapshot),
        "event id": step.event_id,
        "identified by": ", ".join(f"{name} {id_}" for name, id_ in step.names),
        "request": f"/history?request={step.request}",
    }


def describe_counting(step: PersonEvent, snapshot: FeedSnapshot) -> str:
    """Whether an event counts for the feeds, and why not; by the sandbox's own verdict where the target is one."""
    if step.reason:
        return f"no: {step.reason}"
    if not step.counts:
        return "unknown (may have arrived)" if step.may_count else "no"
    known = snapshot.known_events
    if known is None or step.event_id in known.processed:
        return "yes" if known is None else "yes, processed"
    return f"no: {known.reasons.get(step.event_id, 'the sandbox no longer has it.')}"


# ── global feeds ──────────────────────────────────────────────────────────────────────────────────────────────────────


def show_shared_feeds(snapshot: FeedSnapshot, target: Target) -> None:
    """The feeds that depend on the events of all persons: read, without an expectation."""
    known = [feed for feed in SHARED_FEEDS if feed in target.feeds]
    if not known or snapshot.person.field not in FEED_IDENTITY_TYPES:
        return
    screen = get_screen_state(FeedsState)
    with st.expander("Global feeds, of the events of all persons", key="feeds-shared", expanded=bool(screen.shared)):
        st.text(
            "What they show cannot be predicted, so there is no expectation to compare with."
            + (" The sandbox approximates them from its last events." if target.origin == SANDBOX else "")
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            seed = st.text_input(
                "For product", key="feeds-seed", placeholder="for feeds of products bought or viewed together"
            )
            if st.button("Load", key="feeds-load-shared"):
                screen.shared = _read_shared_feeds(target, snapshot.person, known, seed or None)
        for feed, response in screen.shared.items():
            st.text(FEED_TITLES[feed])
            if response.products is None:
                st.text(response.message)
            else:
                show_products(snapshot, response.products)


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
