"""Inspect: paste a payload, see its problems and what became of each event, fix it, send it."""

import streamlit as st

from pages.parts.inspect.state import load_inspect_state
from pages.parts.inspect.view import (
    show_inspect_intro,
    show_inspect_result,
    show_paste_area,
    show_pasted_text,
    show_payload_actions,
    show_payload_problems,
    show_recognition,
    show_verdicts,
)
from pages.parts.shared.session_targets import get_selected_target

screen = load_inspect_state(get_selected_target())
paste, verdict = st.columns([1, 1], gap="large")

with paste:
    show_paste_area(screen)

with verdict:
    if screen.payload is None:
        show_inspect_intro(screen)
    else:
        show_recognition(screen)
        show_payload_actions(screen, get_selected_target())

if screen.guard.batch:
    st.divider()
    show_inspect_result(screen)

text, details = st.columns([1, 1], gap="large")
with text:
    show_pasted_text(screen)
with details:
    show_verdicts(screen, get_selected_target())
    show_payload_problems(screen)
