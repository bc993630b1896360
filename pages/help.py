"""Help: the pages of ``docs/``, inside the console."""

import streamlit as st

from pages.parts.help.view import show_help_list, show_help_page

listed, page = st.columns([1, 3], gap="large")
name = st.query_params.get("page", "")
with listed, st.container(key="help-pages"):
    show_help_list(name)
with page:
    show_help_page(name)
