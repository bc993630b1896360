"""Compose: make the events of a journey in a form, send them, see the outcome."""

import streamlit as st

from pages.parts.compose.common_view import show_common_fields
from pages.parts.compose.journey_view import show_journey
from pages.parts.compose.rail_view import focus_chosen_field, show_outcome, show_rail
from pages.parts.compose.sending import load_compose_state
from pages.parts.shared.session_targets import get_selected_target

screen, target = load_compose_state(), get_selected_target()
issues = screen.group_issues()
form, rail = st.columns([7, 4], gap="large")

with form:
    show_common_fields(screen, target, issues)
    show_journey(screen, target, issues)
with rail:
    result_place = show_rail(screen, target, issues)

show_outcome(screen, result_place)
focus_chosen_field(screen)
