"""What the feeds show for a person: *expected* from history, *actual* asked of the target."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from intempt_core import FEEDS, FeedAnswer, RequestRecord, Target, feeds_of, open_client, read_feed
from intempt_core.client import FEED_LIMIT
from intempt_core.feeds import READABLE_BY, difference
from intempt_core.history import target_key
from pages.parts.house import house
from pages.parts.look import escaped, moment


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a feed is asked about: an identity field and its value."""

    field: str
    id: str


def person_of(request: RequestRecord) -> Person | None:
    """The person of a request's last event, by the identity that feeds can best be asked by."""
    if not request.events:
        return None
    event = request.events[-1].event
    given = {
        "userId": event.user_id,
        "profileId": event.profile_id,
        "accountId": event.account_id,
        "anotherUserId": event.another_user_id,
    }
    return next((Person(field, id_) for field, id_ in given.items() if id_), None)


def expected(target: Target, person: Person) -> dict[str, list[str]]:
    """What the feeds should show, worked out from what this console sent to that target (CONTRACT 4)."""
    arrivals = house().history.interactions(target_key(target), person.field, person.id)
    return feeds_of(arrivals)


def actual(target: Target, person: Person) -> dict[str, FeedAnswer]:
    """What the target's feed API answers, for each feed whose id is known."""

    async def ask() -> dict[str, FeedAnswer]:
        async with open_client(house().settings) as client:
            kind = READABLE_BY[person.field]
            answers = await asyncio.gather(*(read_feed(client, target, feed, kind, person.id) for feed in known))
        return dict(zip(known, answers, strict=True))

    known = [feed for feed in FEEDS if feed in target.feeds] if person.field in READABLE_BY else []
    return asyncio.run(ask()) if known else {}


def feeds_of_person(request: RequestRecord, target: Target | None) -> None:
    """The third part of the outcome card."""
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
        should, answers = expected(target, person), actual(target, person)
    st.caption(asked(target, person, answers))
    for feed, title in FEEDS.items():
        one_feed(title, should.get(feed, []), answers.get(feed))


def asked(target: Target, person: Person, answers: Mapping[str, FeedAnswer]) -> str:
    """Where the lists come from, and how old they are."""
    if answers:
        return f"Asked of {escaped(target.title)} at {moment(max(answer.asked_at for answer in answers.values()))}"
    if person.field not in READABLE_BY:
        return "Expected only: no feed can be read by anotherUserId."
    return "Expected only, from what this console sent: the feed ids of this target are not known."


def one_feed(title: str, should: list[str], answer: FeedAnswer | None) -> None:
    """One feed: its products, most recent first, and what differs from the expectation."""
    st.text(title)
    if answer is None or answer.products is None:
        if answer is not None:
            st.text(answer.sentence)
        st.code(", ".join(should) or "nothing", language=None, wrap_lines=True)
        return
    st.code(", ".join(answer.products) or "nothing", language=None, wrap_lines=True)
    if difference(should[:FEED_LIMIT], answer.products):
        st.caption(f"Expected, from what this console sent: {escaped(', '.join(should)) or 'nothing'}")
