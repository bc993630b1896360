"""Feeds: the feeds of a person, expected and actual, why they differ, and the events behind them."""

import streamlit as st

from pages.parts.feeds.view import (
    apply_feeds_link,
    choose_person,
    load_feed_snapshot,
    show_feeds,
    show_feeds_intro,
    show_journey_notes,
    show_shared_feeds,
    show_timeline,
    update_feeds_link,
    watch_feeds,
)
from pages.parts.history.funnel_view import show_funnel
from pages.parts.shared.session_targets import get_selected_target

if batch := st.query_params.get("batch"):
    show_funnel(batch)
    st.stop()

apply_feeds_link(get_selected_target())
query = choose_person()
update_feeds_link(query, get_selected_target())

if query.person is None:
    show_feeds_intro(query, get_selected_target())
    st.stop()

snapshot = load_feed_snapshot(query, get_selected_target())
show_feeds(snapshot, get_selected_target())
watch_feeds(snapshot, get_selected_target())
show_journey_notes(snapshot)
show_timeline(snapshot)
show_shared_feeds(snapshot, get_selected_target())
