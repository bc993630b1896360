"""Compose: make test events by hand, see the request as it will leave, send it, see what came of it."""

import streamlit as st

from pages.parts import compose_view, composing
from pages.parts.frame import target

screen = composing.composing()
form, request = st.columns([5, 4], gap="large")

with form:
    compose_view.journeys()
    for event in screen.forms:
        compose_view.event_form(screen, event)
    st.button("+ Another event", key="compose-another", on_click=composing.another)

with request:
    compose_view.request_text(screen, target())
    compose_view.standing(screen)
    compose_view.problems(screen)
    compose_view.send_buttons(screen, target())

if screen.batch:
    compose_view.outcome(screen)
compose_view.focus(screen)
