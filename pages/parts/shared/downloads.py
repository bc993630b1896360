"""What is taken along, a file or a link, leaves here and nowhere else: none that holds a target's key is made."""

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

import streamlit as st

from intempt_core.errors import SecretFound
from intempt_core.exports import reject_secrets, require_no_secret
from pages.parts.shared.services import get_services


def show_download(
    label: str, pieces: Callable[[], Iterable[str] | bytes], file_name: str, mime: str, *, key: str, help_: str = ""
) -> None:
    """A button that makes a file when it is pressed. Where the file would hold a key it holds that sentence instead."""

    def make() -> str | bytes:
        try:
            made = pieces()
            if isinstance(made, bytes):
                for text in _read_texts(made):
                    require_no_secret(text, get_services().credentials)
                return made
            return "".join(reject_secrets([made] if isinstance(made, str) else made, get_services().credentials))
        except SecretFound as error:
            return str(error)

    st.download_button(label, make, file_name, mime, key=key, on_click="ignore", help=help_ or None)


def _read_texts(made: bytes) -> Iterator[str]:
    """What can be read in a file: of a workbook, which is packed, what is inside."""
    if not made.startswith(b"PK"):
        yield made.decode("utf-8", "replace")
        return
    with zipfile.ZipFile(io.BytesIO(made)) as parts:
        for name in parts.namelist():
            yield parts.read(name).decode("utf-8", "replace")


def show_link(
    page: str, label: str, params: Mapping[str, str], *, help_: str = "", width: int | Literal["content"] = "content"
) -> None:
    """A link into the console that opens cold; where its address would hold a key there is that sentence instead."""
    try:
        for text in params.values():
            require_no_secret(text, get_services().credentials)
    except SecretFound:
        st.caption("No link is made here: it would hold a target's key.")
        return
    st.page_link(page, label=label, query_params=dict(params) or None, help=help_ or None, width=width)


def holds_key(text: str) -> bool:
    """Whether a text holds a target's key, so that no address may carry it."""
    return guard_copied_text(text) != text


def guard_copied_text(text: str) -> str:
    """A text to be copied, or, where it holds a key, that sentence."""
    try:
        return require_no_secret(text, get_services().credentials)
    except SecretFound as error:
        return str(error)
