"""Loads a component: its script, and its markup and style where it has them, are the files of its name here."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

_FOLDER = Path(__file__).parent


@cache
def load_component(name: str, *, isolated: bool = True) -> "ComponentRenderer":
    """Register the component of a name with Streamlit, once a process.

    One that is not ``isolated`` is a part of the page, so that a field of the page may name its elements.
    """
    html, css, js = (
        path.read_text("utf-8").strip() if path.exists() else None
        for path in (_FOLDER / f"{name}.{kind}" for kind in ("html", "css", "js"))
    )
    return st.components.v2.component(f"console.{name}", html=html, css=css, js=js, isolate_styles=isolated)


def read_component_styles() -> list[str]:
    """The styles of all components as the browser gets them, which the content security policy has to know."""
    return [path.read_text("utf-8").strip() for path in sorted(_FOLDER.glob("*.css"))]
