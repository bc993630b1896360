"""A guard of a text area: it keeps out a long paste, hands over one that may hold a key, and reads a dropped file."""

from collections.abc import Callable

import streamlit as st

from pages.parts.shared.widgets.component import load_component


def guard_paste(
    area: str,
    max_characters: int,
    advice: str,
    on_text: Callable[[str], None],
    *,
    key: str,
    min_key_characters: int,
    key_hint: str,
    takes_anywhere: bool = False,
) -> None:
    """Guard the text area with the widget key ``area``; ``advice`` says what to do with a longer text.

    ``on_text`` is called with the text of a file that was dropped on it, with a text that was pasted in the place of
    all that was there, and with what the area would hold after a paste that may have a key in it: one of
    ``min_key_characters`` or more, or what the regular expression ``key_hint`` matches. The browser shows none of these
    before the caller has seen it. With ``takes_anywhere``, where the text area is not drawn, what is pasted or dropped
    beside every other field is handed over as a whole.
    """

    def arrived() -> None:
        text = getattr(st.session_state.get(key), "text", None)
        if isinstance(text, str) and len(text) <= max_characters:
            on_text(text)

    data = {
        "area": area,
        "maxCharacters": max_characters,
        "advice": advice,
        "minKeyCharacters": min_key_characters,
        "keyHint": key_hint,
        "takesAnywhere": takes_anywhere,
    }
    load_component("paste_guard")(key=key, data=data, on_text_change=arrived)
