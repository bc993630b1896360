"""Case files: a request with its timeline and problems in one file; and the link that compares it."""

from collections.abc import Iterable

import streamlit as st

from intempt_core import __version__
from intempt_core.contract import Json
from intempt_core.errors import ReadError
from intempt_core.exports import build_case, dump_case, list_replaced_keys, load_salt, render_case_page
from intempt_core.readers import JsonText
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
    st.text("It names nobody: all but product values and plain words is replaced by pseudonyms.")
    real = st.checkbox("Include real identities instead of pseudonyms", key="history-case-identities")
    kept = st.multiselect(
        "Keep the values of",
        _list_keys(request),
        key=f"history-case-kept-{request}",
        disabled=real,
        placeholder="No other keys",
        help="Keys in data and attributes whose values are in the file as they were sent.",
    )
    salt = None if real else load_salt(get_services().settings.data)
    if salt is not None and salt.note:
        st.warning(salt.note)

    def build() -> dict[str, Json]:
        return build_case(get_services().history, request, __version__, salt=salt, kept_keys=kept)

    def page() -> Iterable[str]:
        return render_case_page(build())

    def data() -> Iterable[str]:
        return [dump_case(build())]

    show_download("Download as HTML", page, f"case-{request}.html", "text/html", key="history-case-html")
    show_download("Download as JSON", data, f"case-{request}.json", "application/json", key="history-case-json")


def _list_keys(request: str) -> list[str]:
    """The keys of a request whose values are replaced unless they are chosen."""
    body = get_services().history.queries.request(request).body.decode("utf-8", "replace")
    try:
        return list_replaced_keys(JsonText(body).value)
    except ReadError:
        return []
