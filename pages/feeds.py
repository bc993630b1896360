"""Feeds: why a product is or is not in a feed of a person, what the feeds show, and the events behind it."""

import streamlit as st

from pages.parts.feeds.person_view import show_person
from pages.parts.feeds.question_view import ask_question, show_feeds_intro
from pages.parts.feeds.state import apply_feeds_link, update_feeds_link
from pages.parts.feeds.tiles_view import show_shared_feeds
from pages.parts.history.funnel_view import show_funnel
from pages.parts.shared.screens import set_title
from pages.parts.shared.session_targets import get_selected_target

if batch := st.query_params.get("batch"):
    show_funnel(batch)
    st.stop()

apply_feeds_link(get_selected_target())
question = ask_question(get_selected_target())
update_feeds_link(question, get_selected_target())

if question.person is None:
    show_feeds_intro(question, get_selected_target())
    st.stop()

set_title(question.person.id)
reading = show_person(question, question.person, get_selected_target())
show_shared_feeds(reading, get_selected_target())
