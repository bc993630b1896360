"""The entry script: navigation and frame. A screen is one file beside this one and one entry in ``screens.py``."""

import streamlit as st

from pages.parts.shared.header import show_header
from pages.parts.shared.screens import SCREENS, configure_page, list_pages

chosen = st.navigation(list_pages(), position="top")
screen = next(one for one in SCREENS if one.title == chosen.title)
configure_page(screen.title)
show_header(screen)
chosen.run()
