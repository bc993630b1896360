"""The state of the Feeds screen: the question, the link that asks it, and what was read last."""

from dataclasses import dataclass, field

import streamlit as st

from intempt_core.contract import FEEDS, IDENTITY_FIELDS, FeedId, is_blank
from intempt_core.targets import Target
from intempt_core.transport import FeedResponse
from pages.parts.feeds.reading import PersonReading
from pages.parts.shared.feed_card import Person
from pages.parts.shared.links import holds_key
from pages.parts.shared.screen_state import get_screen_state, get_session, read_widget, set_widget
from pages.parts.shared.session_targets import list_targets

MAX_ID_LENGTH = 2_000
"""Characters of an id that can be looked up: a longer one is no id, and no link can carry it."""

DEFAULT_FEED = FeedId.ADDED
"""The feed that is asked about unless another one is chosen: the one that support is asked about most."""

LINK_PARAMETERS = ("target", "by", "person", "product", "feed")
"""What a link to a question consists of."""


@dataclass(frozen=True, slots=True)
class FeedQuestion:
    """What is asked: why a product is not in a feed of a person.

    Attributes:
        person: The person, ``None`` as long as none is given.
        product: The product; empty where only the person's feeds are asked for.
        feed: The feed, a :class:`~intempt_core.contract.FeedId`.
        trouble: Why what was given is no question, as a sentence.
    """

    person: Person | None
    product: str = ""
    feed: str = DEFAULT_FEED
    trouble: str = ""


@dataclass
class FeedsState:
    """The Feeds screen of one tab.

    Attributes:
        link: The link that was applied to the screen, as :data:`LINK_PARAMETERS`.
        asked_about: The target (a ``key``) and the person of ``reading``.
        reading: What was read last.
        baseline: What was known when watching began, ``None`` while the feeds are not watched.
        trouble: Why the link cannot be followed, as a sentence.
        shared: The global feeds that were read, by feed.
        chosen: The number of the event that was chosen in the timeline, from 1; ``None`` where none is.
        choices: How many were chosen: each gets the focus once.
    """

    link: tuple[str, ...] = ()
    asked_about: tuple[str, Person] | None = None
    reading: PersonReading | None = None
    baseline: PersonReading | None = None
    trouble: str = ""
    shared: dict[str, FeedResponse] = field(default_factory=dict)
    chosen: int | None = None
    choices: int = 0


def apply_feeds_link(target: Target) -> None:
    """Set target and question from the link. None of it is trusted: what is not valid is ignored, with a message."""
    screen, given = get_screen_state(FeedsState), st.query_params
    link = tuple(given.get(name, "") for name in LINK_PARAMETERS)
    if not any(link) or link == screen.link:
        return
    screen.link, screen.trouble = link, ""
    target_name, by, person, product, feed = link
    if by in IDENTITY_FIELDS:
        set_widget("feeds-by", by)
    elif by:
        screen.trouble = (
            f"The link names {by[:100]}, which is no identity field: use one of {', '.join(IDENTITY_FIELDS)}."
        )
        person = ""
    set_widget("feeds-person", person)
    set_widget("feeds-product", product)
    set_widget("feeds-feed", feed if feed in FEEDS else DEFAULT_FEED)
    if target_name and target_name not in list_targets():
        screen.trouble = f"There is no target {target_name[:100]} here. Select one above, or add it on Targets."
        set_widget("feeds-person", "")
    elif target_name and target_name != target.name:
        get_session().next_target = target_name
        st.rerun()


def update_feeds_link(question: FeedQuestion, target: Target) -> None:
    """Write the question into the browser's address, so that the link can be shared."""
    if question.trouble:
        return
    by, id_ = (question.person.field, question.person.id) if question.person else ("", "")
    link = (target.name, by, id_, question.product, question.feed if question.product else "")
    if link != tuple(st.query_params.get(name, "") for name in LINK_PARAMETERS):
        st.query_params.from_dict({name: text for name, text in zip(LINK_PARAMETERS, link, strict=True) if text})
    get_screen_state(FeedsState).link = link


def read_question(by: str, id_: str, product: str, feed: str) -> FeedQuestion:
    """What was typed, as a question; or the sentence why it is none."""
    screen = get_screen_state(FeedsState)
    if screen.trouble:
        return FeedQuestion(None, trouble=screen.trouble)
    if holds_key(id_) or holds_key(product):
        st.query_params.clear()
        return FeedQuestion(None, trouble="This holds a target's key. It is not looked up, and not put into a link.")
    for text in (id_, product):
        if len(text) > MAX_ID_LENGTH:
            sentence = f"This id has {len(text):,} characters; an id has at most {MAX_ID_LENGTH:,}."
            return FeedQuestion(None, trouble=sentence)
    person = None if is_blank(id_) else Person(by, id_)
    return FeedQuestion(person, "" if is_blank(product) else product, feed)


def clear_trouble() -> None:
    """Forget why a link could not be followed, and which event was chosen: something else is asked."""
    screen = get_screen_state(FeedsState)
    screen.trouble, screen.chosen = "", None
    set_widget("feeds-page", 1)


def refresh_feeds() -> None:
    """Have everything read again."""
    get_screen_state(FeedsState).asked_about = None


def set_person(by: str, id_: str) -> None:
    """Ask about a person."""
    set_widget("feeds-by", by)
    set_widget("feeds-person", id_)


def set_baseline(reading: PersonReading | None) -> None:
    """Begin to watch the feeds, or end it."""
    get_screen_state(FeedsState).baseline = reading


def read_page(pages: int) -> int:
    """The page of the timeline, from 1, the newest first."""
    return min(max(1, read_widget("feeds-page", 1) or 1), pages)
