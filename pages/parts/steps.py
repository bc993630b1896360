"""One step of the upload's road as a line that unfolds."""

import streamlit as st

from pages.parts.session import key
from pages.parts.uploading import uploading


def step(number: int, title: str, line: str, opens: str = "", marks: str = "") -> bool:
    """One settled step as a line, with the switch ``opens`` that unfolds it; whether it is open.

    ``marks`` are badges (Markdown of our own) before the line, whose words may be the file's. What has no number of
    its own has 0, and belongs to the step before it.
    """
    with st.container(horizontal=True, vertical_alignment="center", key=key("upload-step", number)):
        st.markdown(f"**{number} {title}**" if number else f"**{title}**", width=110)
        with st.container(width="stretch", horizontal=True, vertical_alignment="center"):
            if marks:
                st.markdown(marks, width="content")
            st.text(line, width="content" if marks else "stretch")
        widget = key("upload-open", uploading().uploads, number)
        return bool(opens) and st.toggle(opens, key=widget, persist_state="session")
