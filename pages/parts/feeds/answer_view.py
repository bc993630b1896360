"""The answer in one sentence, with the event that decides it; and what cannot be known of a live target."""

import streamlit as st

from intempt_core.analysis import FeedAnswer
from intempt_core.contract import FEED_IDENTITY_TYPES, format_count
from intempt_core.targets import Target
from intempt_core.validation import escape_invisible
from pages.parts.feeds.event_card import show_event_links
from pages.parts.feeds.reading import PersonReading
from pages.parts.feeds.state import FeedQuestion
from pages.parts.shared.feed_card import MAX_HISTORY_EVENTS, describe_feed_source
from pages.parts.shared.formatting import escape_markdown
from pages.parts.shared.sandbox_events import open_event_in_compose
from pages.parts.shared.time_zones import get_zone_name
from pages.parts.shared.widgets.announcement import announce


def show_scope(reading: PersonReading, target: Target) -> None:
    """What the answer rests on; of a live target, first what cannot be known."""
    timeline, person = reading.timeline, reading.snapshot.person
    source = describe_feed_source(target, person, reading.snapshot.responses)
    if not timeline.knows_all:
        with st.container(key="feeds-limits"):
            st.text(
                "Only what this console sent is known here. Other clients, such as your application, may have sent"
                " events too."
            )
            if reading.trouble:
                st.text(f"The sandbox could not be asked what else arrived. {reading.trouble}")
    elif timeline.events:
        others = timeline.foreign_count
        by = f", {others:,} of them sent by other clients" if others else ", all sent by this console"
        were = "was" if len(timeline.events) == 1 else "were"
        events = format_count(len(timeline.events), "event")
        st.text(f"{events} of this user reached the sandbox or {were} sent here{by}.")
    else:
        st.text("Nothing reached the sandbox for this user, and nothing was sent from here.")
    st.caption(f"{source}. Times in {escape_markdown(get_zone_name())}.")
    if person.field not in FEED_IDENTITY_TYPES:
        st.text("A feed can be read by userId, profileId or accountId. Look up by one of them to see what it shows.")
    if len(timeline.events) >= MAX_HISTORY_EVENTS:
        st.text(
            f"This user has so many events that only about the last {MAX_HISTORY_EVENTS:,} are read; earlier ones are"
            " in none of these lists."
        )


def show_answer(question: FeedQuestion, reading: PersonReading) -> None:
    """Why the product is, or is not, in the feed, in one sentence; nothing where no product is asked about."""
    if not question.product:
        return
    answer = reading.answer(question.product, question.feed)
    with st.container(border=True, key="feeds-answer"):
        st.markdown(format_answer_badge(answer), width="content")
        sentence = escape_invisible(answer.sentence)
        with st.container(key="feeds-answer-sentence"):
            st.text(sentence)
        announce(
            sentence,
            token=f"{reading.snapshot.person} {sentence}",
            place="",
            label="",
            focus_token="",
            key="feeds-announcement",
        )
        if answer.event is None:
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            show_event_links(answer.event)
            arrival = answer.event.arrival
            if answer.needs_new_id and arrival is not None and st.button("Compose with a new id", key="feeds-new-id"):
                open_event_in_compose(arrival.seq)


def format_answer_badge(answer: FeedAnswer) -> str:
    """A badge that says whether the product is shown, and how sure the reason is."""
    if answer.is_shown:
        return ":green-badge[● shown]"
    if answer.is_shown is None:
        return ":gray-badge[the feed was not read]"
    return ":red-badge[■ not shown]" if answer.is_certain else ":orange-badge[◆ not shown, the reason is not certain]"
