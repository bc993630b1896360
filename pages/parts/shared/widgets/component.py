"""Loads a component: its markup, style and script are the files of its name beside this module."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer


@cache
def load_component(name: str) -> "ComponentRenderer":
    """Register the component of a name with Streamlit, once a process."""
    folder = Path(__file__).parent
    html, css, js = ((folder / f"{name}.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component(f"console.{name}", html=html, css=css, js=js)
