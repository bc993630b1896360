"""Compose: make test events by hand, see the request as it will leave, send it, see what came of it."""

import streamlit as st

from pages.parts import compose_view, composing
from pages.parts.frame import get_selected_target

screen = composing.load_compose_state()
form, request = st.columns([5, 4], gap="large")

with form:
    compose_view.show_journeys()
    for event in screen.forms:
        compose_view.show_event_form(screen, event)
    st.button("+ Another event", key="compose-another", on_click=composing.add_next_event)

with request:
    compose_view.show_request_text(screen, get_selected_target())
    compose_view.show_form_state(screen)
    compose_view.show_form_problems(screen)
    compose_view.show_send_buttons(screen, get_selected_target())

if screen.batch:
    compose_view.show_outcome(screen)
compose_view.focus_field(screen)
