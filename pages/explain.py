"""Inspect: paste a payload, see every problem at its place and what became of each event; mend it, send it."""

import streamlit as st

from pages.parts import inspect_view as view
from pages.parts.frame import get_selected_target
from pages.parts.inspecting import load_inspect_state

screen = load_inspect_state(get_selected_target())
paste, verdict = st.columns([1, 1], gap="large")

with paste:
    view.show_paste_area(screen)

with verdict:
    if screen.payload is None:
        view.show_inspect_intro(screen)
    else:
        view.show_recognition(screen)
        view.show_payload_actions(screen, get_selected_target())

if screen.batch:
    st.divider()
    view.show_inspect_result(screen)

text, details = st.columns([1, 1], gap="large")
with text:
    view.show_pasted_text(screen)
with details:
    view.show_verdicts(screen, get_selected_target())
    view.show_payload_problems(screen)
