"""The entry script: navigation and header. A screen is one file beside this one and one line here."""

from pathlib import Path

import streamlit as st

from pages.parts.shared.header import show_header

screen = st.navigation(
    [
        st.Page("compose.py", title="Compose", default=True),
        st.Page("upload.py", title="Upload"),
        st.Page("explain.py", title="Inspect", url_path="inspect"),
        st.Page("history.py", title="History"),
        st.Page("feeds.py", title="Feeds"),
        st.Page("sandbox.py", title="Sandbox", url_path="watch"),
        st.Page("targets.py", title="Targets"),
    ],
    position="top",
)
st.set_page_config(
    page_title=f"{screen.title} · Event Console",
    page_icon=Path(__file__).parent / "parts" / "icon.png",
    layout="wide",
)
show_header()
screen.run()
