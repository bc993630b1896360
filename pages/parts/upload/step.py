"""A step of the upload as a line that unfolds."""

import streamlit as st

from pages.parts.shared.screen_state import make_key
from pages.parts.upload.state import get_upload_state


def show_step(number: int, title: str, line: str, toggle_label: str = "", badges: str = "") -> bool:
    """Show a settled step as a line, with a toggle that unfolds it where it has a label; whether it is open.

    ``badges`` (trusted Markdown) are shown before the line, whose text may come from the file. A ``number`` of 0 is not
    shown: the line then belongs to the step above it.
    """
    with st.container(horizontal=True, vertical_alignment="center", key=make_key("upload-step", number)):
        st.markdown(f"**{number} {title}**" if number else f"**{title}**", width=110)
        with st.container(width="stretch", horizontal=True, vertical_alignment="center"):
            if badges:
                st.markdown(badges, width="content")
            st.text(line, width="content" if badges else "stretch")
        widget = make_key("upload-open", get_upload_state().uploads, number)
        return bool(toggle_label) and st.toggle(toggle_label, key=widget, persist_state="session")
