"""Inspect: paste a payload, see its problems and what became of each event, fix it, send it."""

import streamlit as st

from pages.parts.inspect.events_view import show_events
from pages.parts.inspect.problems_view import show_problem_groups
from pages.parts.inspect.send_view import show_payload_actions
from pages.parts.inspect.state import load_inspect_state
from pages.parts.inspect.text_view import show_text
from pages.parts.inspect.view import show_inspect_intro, show_recognition
from pages.parts.shared.session_targets import get_selected_target

screen = load_inspect_state(get_selected_target())
text, findings = st.columns([1, 1], gap="large")

with text:
    show_text(screen)

with findings:
    if screen.payload is None:
        show_inspect_intro(screen)
    else:
        show_recognition(screen)
        show_payload_actions(screen, get_selected_target())
        show_problem_groups(screen)
        show_events(screen, get_selected_target())
