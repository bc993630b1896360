"""Inspect: paste a payload, see every problem at its place and what became of each event; mend it, send it."""

import streamlit as st

from pages.parts import inspect_view as view
from pages.parts.frame import target
from pages.parts.inspecting import inspecting

screen = inspecting(target())
paste, verdict = st.columns([1, 1], gap="large")

with paste:
    view.paste(screen)

with verdict:
    if screen.payload is None:
        view.empty(screen)
    else:
        view.recognised(screen)
        view.ways_on(screen, target())

if screen.batch:
    st.divider()
    view.result(screen)

text, judgement = st.columns([1, 1], gap="large")
with text:
    view.text(screen)
with judgement:
    view.verdicts(screen, target())
    view.problems(screen)
