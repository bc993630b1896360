"""A guard of a text area: it keeps out a paste that is too long, and reads a dropped file as its text."""

from collections.abc import Callable

import streamlit as st

from pages.parts.shared.widgets.component import load_component


def guard_paste(area: str, max_characters: int, advice: str, on_dropped: Callable[[str], None], *, key: str) -> None:
    """Guard the text area with the widget key ``area``; ``advice`` says what to do with a longer text.

    ``on_dropped`` is called with the text of a file that was dropped on it.
    """

    def arrived() -> None:
        text = getattr(st.session_state.get(key), "dropped", None)
        if isinstance(text, str) and len(text) <= max_characters:
            on_dropped(text)

    data = {"area": area, "maxCharacters": max_characters, "advice": advice}
    load_component("paste_guard")(key=key, data=data, on_dropped_change=arrived)
