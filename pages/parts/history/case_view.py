"""What can be done with a thing of history beside looking at it: compare it, take it along as a case file."""

from collections.abc import Iterable

import streamlit as st

from intempt_core import __version__
from intempt_core.exports import build_case, dump_case, load_salt, render_case_page
from pages.parts.history.diff_view import show_compare_link
from pages.parts.shared.downloads import show_download
from pages.parts.shared.services import get_services


def show_case_actions(*, compare: str, request: str = "") -> None:
    """The ways on from a batch or a request."""
    with st.container(horizontal=True, vertical_alignment="center"):
        show_compare_link(compare)
        if request:
            with st.popover("Case file", key="history-case", type="tertiary"):
                _show_case_file(request)


def _show_case_file(request: str) -> None:
    st.text("Timeline, request, answers and problems in one file. Inspect opens it again, here or elsewhere.")
    named = st.checkbox("Identities as they were sent, not under other names", key="history-case-named")

    def page() -> Iterable[str]:
        return render_case_page(build_case(get_services().history, request, __version__, salt=_read_salt(named=named)))

    def data() -> Iterable[str]:
        return [dump_case(build_case(get_services().history, request, __version__, salt=_read_salt(named=named)))]

    show_download("As a page", page, f"case-{request}.html", "text/html", key="history-case-html")
    show_download("As JSON", data, f"case-{request}.json", "application/json", key="history-case-json")


def _read_salt(*, named: bool) -> bytes | None:
    return None if named else load_salt(get_services().settings.data)
