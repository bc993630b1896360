"""What a screen shows while it has nothing to show: one sentence, one first step, a small picture."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import streamlit as st

from pages.parts.shared.links import show_link

Picture = Literal["batches", "chart", "code", "file", "journey", "stream", "target", "tiles"]
"""The small pictures: a list, bars, lines of text, a sheet, events in a row, arriving requests, a target, products."""

_FOLDER = Path(__file__).with_name("pictures")


@dataclass(frozen=True, slots=True)
class FirstStep:
    """The one thing to do on an empty screen.

    Attributes:
        label: What the link or button says.
        page: The file of the screen that it opens; ``None`` where it is a button.
        on_click: What the button does.
        key: The button's key.
    """

    label: str
    page: str | None = None
    on_click: Callable[[], None] | None = None
    key: str | None = None


@cache
def read_picture(name: Picture) -> str:
    """The drawing of a name, as SVG; its greys are seen on light and on dark."""
    return (_FOLDER / f"{name}.svg").read_text("utf-8")


def show_empty_state(sentence: str, step: FirstStep | None = None, picture: Picture | None = None) -> None:
    """A frame with a sentence, the first useful step, and a picture of what there will be."""
    with st.container(key="empty-state", horizontal=True, vertical_alignment="center", gap="large"):
        if picture is not None:
            st.image(read_picture(picture), width=132, alt="")
        with st.container(width="stretch"):
            st.text(sentence)
            if step is not None and step.page is not None:
                show_link(step.page, step.label, {})
            elif step is not None:
                st.button(step.label, key=step.key, type="primary", on_click=step.on_click)
