"""Feeds: what the feeds show for a person beside what they should, why they differ, and how it came to it."""

import streamlit as st

from pages.parts import catalogue_view, conversion_view
from pages.parts import feeds_view as view
from pages.parts.frame import target

if batch := st.query_params.get("batch"):
    conversion_view.conversion(batch)
    st.stop()

view.arrive(target())
asking = view.question()
view.keep_link(asking, target())

if asking.person is None:
    view.empty(asking, target())
    catalogue_view.catalogue(target())
    st.stop()

reading = view.read(asking, target())
view.feeds(reading, target())
view.watch(reading, target())
view.notes(reading)
view.timeline(reading)
view.shared(reading, target())
catalogue_view.catalogue(target())
