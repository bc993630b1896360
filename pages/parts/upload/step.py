"""A step of the upload as a line, with a button that unfolds it."""

import streamlit as st

from pages.parts.shared.screen_state import make_key
from pages.parts.upload.state import get_upload_state


def show_step(
    number: int, title: str, line: str, open_label: str = "", badges: str = "", *, is_open: bool = False
) -> bool:
    """Show a settled step as a line, with a button that unfolds it where it has a label; whether it is open.

    ``badges`` (trusted Markdown) are shown before the line, whose text may come from the file. ``is_open`` is how it is
    until a person says otherwise.
    """
    found = get_upload_state()
    shown = bool(open_label) and found.open_steps.get(number, is_open)
    with st.container(horizontal=True, vertical_alignment="center", key=make_key("upload-step", number)):
        st.markdown(f"**{number} {title}**", width=110)
        with st.container(width="stretch", horizontal=True, vertical_alignment="center"):
            if badges:
                st.markdown(badges, width="content")
            st.text(line, width="content" if badges else "stretch")
        if open_label:
            st.button(
                f"Hide {title.lower()}" if shown else open_label,
                key=make_key("upload-open", found.uploads, number),
                type="tertiary",
                on_click=_set_open,
                args=(number, not shown),
            )
    return shown


def _set_open(number: int, is_open: bool) -> None:
    get_upload_state().open_steps[number] = is_open
