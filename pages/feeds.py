"""Feeds: what the feeds show for a person beside what they should, why they differ, and how it came to it."""

import streamlit as st

from pages.parts import catalogue_view, conversion_view
from pages.parts import feeds_view as view
from pages.parts.frame import get_selected_target

if batch := st.query_params.get("batch"):
    conversion_view.show_funnel(batch)
    st.stop()

view.apply_feeds_link(get_selected_target())
query = view.choose_person()
view.update_feeds_link(query, get_selected_target())

if query.person is None:
    view.show_feeds_intro(query, get_selected_target())
    catalogue_view.show_catalogue(get_selected_target())
    st.stop()

snapshot = view.load_feed_snapshot(query, get_selected_target())
view.show_feeds(snapshot, get_selected_target())
view.watch_feeds(snapshot, get_selected_target())
view.show_journey_notes(snapshot)
view.show_timeline(snapshot)
view.show_shared_feeds(snapshot, get_selected_target())
catalogue_view.show_catalogue(get_selected_target())
