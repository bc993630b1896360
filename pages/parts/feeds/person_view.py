"""Everything about one person, from one reading: the answer, the feeds, the events; read again while watched."""

import streamlit as st

from intempt_core.contract import FEEDS, now_ms
from intempt_core.targets import Target, derive_target_key
from pages.parts.feeds.answer_view import show_answer, show_scope
from pages.parts.feeds.reading import PersonReading, read_person
from pages.parts.feeds.state import FeedQuestion, FeedsState, set_baseline
from pages.parts.feeds.tiles_view import show_feeds
from pages.parts.feeds.timeline_view import show_journey_notes, show_person_timeline
from pages.parts.shared.feed_card import FEED_POLL_SECONDS, Person, describe_feed_change, read_person_history
from pages.parts.shared.formatting import escape_markdown, format_duration
from pages.parts.shared.screen_state import get_screen_state
from pages.parts.shared.services import get_services

FEED_WATCH_MS = 120_000
"""How long feeds are watched after a click."""


def load_reading(person: Person, target: Target) -> PersonReading:
    """What is known of the person; the target is read again when something new was sent, or on a click."""
    screen = get_screen_state(FeedsState)
    asked = (derive_target_key(target), person)
    found = screen.reading
    if screen.asked_about == asked and found is not None:
        other_catalogue = found.snapshot.catalogue is not get_services().catalogue(asked[0])
        if not other_catalogue and len(read_person_history(target, person).events) == found.own_count:
            return found
    elif screen.asked_about is not None and screen.asked_about != asked:
        screen.shared, screen.baseline, screen.chosen = {}, None, None
    with st.spinner(f"Reading feeds from {escape_markdown(target.host)}"):
        screen.reading = read_person(target, person)
    screen.asked_about = asked
    return screen.reading


def show_person(question: FeedQuestion, person: Person, target: Target) -> PersonReading:
    """The answer, the feeds and the events of one person; while watched, all of them are read again together."""
    screen = get_screen_state(FeedsState)
    reading = load_reading(person, target)
    watching = screen.baseline is not None and now_ms() - screen.baseline.snapshot.asked_at < FEED_WATCH_MS

    @st.fragment(run_every=FEED_POLL_SECONDS if watching else None)
    def shown() -> None:
        found = screen.reading or reading
        if watching and now_ms() - found.snapshot.asked_at > 1_000:
            found = screen.reading = read_person(target, person)
        show_scope(found, target)
        show_answer(question, found)
        if question.product:  # the events are what the answer rests on; without a question the feeds come first
            show_person_timeline(question, found)
        show_feeds(question, found)
        _show_watch(found, watching=watching)
        if not question.product:
            show_person_timeline(question, found)
        show_journey_notes(found)
        began = screen.baseline.snapshot.asked_at if screen.baseline else 0
        if watching and now_ms() - began >= FEED_WATCH_MS:
            st.rerun()

    shown()
    return reading


def _show_watch(reading: PersonReading, *, watching: bool) -> None:
    """Watch the feeds after a click: which places products gain and lose, or how long nothing has changed."""
    baseline = get_screen_state(FeedsState).baseline
    if not reading.snapshot.responses:
        return
    with st.container(border=True, key="feeds-watch-card"):
        if baseline is None:
            with st.container(horizontal=True, vertical_alignment="center"):
                if st.button("Watch for changes", key="feeds-watch"):
                    _watch_from(reading)
                with st.container(width="stretch"):
                    st.text("Then send events, from here or from an application: all of this screen follows.")
            return
        st.markdown("**Since you started watching**")
        for feed, title in FEEDS.items():
            earlier, later = baseline.snapshot.responses.get(feed), reading.snapshot.responses.get(feed)
            change = describe_feed_change(earlier, later, as_expected=False)
            newest = later or earlier
            st.text(f"{title}: {change or (newest.message if newest else 'not read.')}")
        if not watching:
            st.text(f"Watched for {format_duration(FEED_WATCH_MS)}; refresh to see later changes.")
        if st.button("Stop watching", key="feeds-unwatch"):
            _watch_from(None)


def _watch_from(reading: PersonReading | None) -> None:
    """Begin to watch, or end it: the whole script runs, because only it can start and stop the clock of a part."""
    set_baseline(reading)
    st.rerun()
