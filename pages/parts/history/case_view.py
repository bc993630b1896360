"""Case files: a request with its timeline and problems in one file; and the link that compares it."""

from collections.abc import Iterable

import streamlit as st

from intempt_core import __version__
from intempt_core.exports import build_case, dump_case, load_salt, render_case_page
from pages.parts.history.diff_view import show_compare_link
from pages.parts.shared.downloads import show_download
from pages.parts.shared.services import get_services


def show_case_actions(*, compare: str, request: str = "") -> None:
    """The link that compares a batch or a request, and for a request its case file."""
    with st.container(horizontal=True, vertical_alignment="center"):
        show_compare_link(compare)
        if request:
            with st.popover("Case file", key="history-case", type="tertiary"):
                _show_case_file(request)


def _show_case_file(request: str) -> None:
    st.text("Timeline, request, responses and problems in one file. Inspect opens it, here or in another console.")
    real = st.checkbox("Include real identities instead of pseudonyms", key="history-case-identities")

    def page() -> Iterable[str]:
        return render_case_page(
            build_case(get_services().history, request, __version__, salt=_read_salt(real_identities=real))
        )

    def data() -> Iterable[str]:
        return [
            dump_case(build_case(get_services().history, request, __version__, salt=_read_salt(real_identities=real)))
        ]

    show_download("Download as HTML", page, f"case-{request}.html", "text/html", key="history-case-html")
    show_download("Download as JSON", data, f"case-{request}.json", "application/json", key="history-case-json")


def _read_salt(*, real_identities: bool) -> bytes | None:
    return None if real_identities else load_salt(get_services().settings.data)
