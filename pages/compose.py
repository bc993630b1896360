"""Compose: make events in a form, see the request, send it, see the outcome."""

import streamlit as st

from pages.parts.compose.state import add_next_event, load_compose_state
from pages.parts.compose.view import (
    focus_chosen_field,
    show_event_form,
    show_form_problems,
    show_form_state,
    show_journeys,
    show_outcome,
    show_request_text,
    show_send_buttons,
)
from pages.parts.shared.session_targets import get_selected_target

screen = load_compose_state()
form, request = st.columns([5, 4], gap="large")

with form:
    show_journeys()
    for event in screen.forms:
        show_event_form(screen, event)
    st.button("+ Add event", key="compose-add", on_click=add_next_event)

with request:
    show_request_text(screen, get_selected_target())
    show_form_state(screen)
    show_form_problems(screen)
    show_send_buttons(screen, get_selected_target())

if screen.guard.batch:
    show_outcome(screen)
focus_chosen_field(screen)
