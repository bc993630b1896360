"""A request as a command and as code, to be copied: none of it holds a key."""

import streamlit as st

from intempt_core.exports import render_curl_snippet, render_node_snippet, render_python_snippet
from intempt_core.targets import Target
from pages.parts.shared.links import guard_copied_text

SNIPPETS = (
    ("cURL", render_curl_snippet),
    ("Python with httpx", render_python_snippet),
    ("Node with fetch", render_node_snippet),
)
"""What a request can be copied as."""


def show_snippets(target: Target, body: bytes, *, requests: int = 1) -> None:
    """Show a request as a cURL command, and as code for Python and Node; it is the first one of so many."""
    st.caption("The key is read from the environment variable INTEMPT_API_KEY.")
    if requests > 1:
        st.caption(f"The first of {requests:,} requests.")
    for title, render in SNIPPETS:
        st.caption(title)
        st.code(guard_copied_text(render(target, body)), language=None, wrap_lines=True)
