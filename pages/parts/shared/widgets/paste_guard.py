"""A guard of a text area: it keeps out a paste that is too long, and reads a dropped file as its text."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer


@cache
def _load_component() -> "ComponentRenderer":
    html, css, js = (Path(__file__).with_suffix(kind).read_text("utf-8") for kind in (".html", ".css", ".js"))
    return st.components.v2.component("console.paste_guard", html=html, css=css, js=js)


def guard_paste(area: str, max_characters: int, advice: str, on_dropped: Callable[[str], None], *, key: str) -> None:
    """Guard the text area with the widget key ``area``; ``advice`` says what to do with a longer text.

    ``on_dropped`` is called with the text of a file that was dropped on it.
    """

    def arrived() -> None:
        text = getattr(st.session_state.get(key), "dropped", None)
        if isinstance(text, str) and len(text) <= max_characters:
            on_dropped(text)

    data = {"area": area, "maxCharacters": max_characters, "advice": advice}
    _load_component()(key=key, data=data, on_dropped_change=arrived)
