"""The question in one line: why is a product not in a feed of a person; and the screen without a person."""

import streamlit as st

from intempt_core.contract import FEEDS, IDENTITY_FIELDS
from intempt_core.targets import Target, derive_target_key
from pages.parts.feeds.state import (
    DEFAULT_FEED,
    FeedQuestion,
    clear_trouble,
    read_question,
    refresh_feeds,
    set_person,
)
from pages.parts.shared.empty_state import FirstStep, show_empty_state
from pages.parts.shared.field_suggestions import (
    read_recent_persons,
    show_person_suggestions,
    show_product_suggestions,
)
from pages.parts.shared.screen_state import make_key, read_widget, set_widget
from pages.parts.shared.services import get_services


def ask_question(target: Target) -> FeedQuestion:
    """The fields of the question, in one line that reads as a sentence; the product may stay empty."""
    for widget, options, default in (("feeds-by", IDENTITY_FIELDS, "userId"), ("feeds-feed", FEEDS, DEFAULT_FEED)):
        if read_widget(widget) not in options:
            set_widget(widget, default)
    with st.container(horizontal=True, vertical_alignment="bottom", key="feeds-question"):
        with st.container(width=190, gap=None):
            product = _ask_product(target)
        feed = st.selectbox(
            "not in feed", list(FEEDS), format_func=FEEDS.__getitem__, key="feeds-feed", width=225,
            persist_state="session", on_change=clear_trouble,
        )  # fmt: skip
        by = st.selectbox(
            "of the user with", IDENTITY_FIELDS, key="feeds-by", width=140,
            persist_state="session", on_change=clear_trouble,
        )  # fmt: skip
        with st.container(width=265, gap=None):
            id_ = st.text_input(
                "Id", key="feeds-person", placeholder="A whole id, exactly as it was sent",
                persist_state="session", on_change=clear_trouble,
            )  # fmt: skip
            recent = read_recent_persons(derive_target_key(target))
            show_person_suggestions(recent, by, by, "feeds-person", key=make_key("feeds-suggest", by))
        st.button("Refresh", key="feeds-refresh", on_click=refresh_feeds, disabled=not id_)
    return read_question(by, id_ or "", product or "", feed)


def _ask_product(target: Target) -> str | None:
    """The product's field; with a catalogue it finds products by a part of their id or name."""
    catalogue = get_services().catalogue(derive_target_key(target))
    product = st.text_input(
        "Why is product", key="feeds-product", placeholder="id or name" if catalogue else "any product",
        persist_state="session", on_change=clear_trouble,
    )  # fmt: skip
    if catalogue is not None:
        show_product_suggestions(catalogue, "feeds-product", key="feeds-products")
    return product


def show_feeds_intro(question: FeedQuestion, target: Target) -> None:
    """Without a person: what this screen is for, and a button for the person who was sent last."""
    if question.trouble:
        st.text(question.trouble)
        return
    sentence = (
        "Enter the id of a user in any identity field. You see what each feed should show after everything that is"
        " known to have arrived, what it does show, and why the two differ. With a product, the reason why it is not"
        " shown comes first."
    )
    last = get_services().history.persons.last_identity(derive_target_key(target))
    if last is None:
        step = FirstStep("Compose the first event", page="compose.py")
        show_empty_state(f"{sentence} Nothing was sent to {target.title} yet.", step, "tiles")
        return
    by, id_ = last
    step = FirstStep(
        "Show the user of the last event sent", on_click=lambda: set_person(by, id_), key="feeds-last"
    )  # fmt: skip
    show_empty_state(sentence, step, "tiles")
