"""Downloads: every file that the console offers is checked for a target's key before it is handed out."""

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator

import streamlit as st

from intempt_core.errors import ConsoleError
from intempt_core.exports import reject_secrets, require_no_secret
from pages.parts.shared.services import get_services


def show_download(
    label: str, pieces: Callable[[], Iterable[str] | bytes], file_name: str, mime: str, *, key: str, help_: str = ""
) -> None:
    """A button that makes a file when it is pressed.

    A file that would hold a key, or cannot be made, holds an explanation instead.
    """

    def make() -> str | bytes:
        try:
            made = pieces()
            if isinstance(made, bytes):
                for text in _read_texts(made):
                    require_no_secret(text, get_services().credentials)
                return made
            return "".join(reject_secrets([made] if isinstance(made, str) else made, get_services().credentials))
        except ConsoleError as error:
            return str(error)

    st.download_button(label, make, file_name, mime, key=key, on_click="ignore", help=help_ or None)


def _read_texts(made: bytes) -> Iterator[str]:
    """The texts in a file; of a workbook, which is a ZIP archive, the texts of its members."""
    if not made.startswith(b"PK"):
        yield made.decode("utf-8", "replace")
        return
    with zipfile.ZipFile(io.BytesIO(made)) as parts:
        for name in parts.namelist():
            yield parts.read(name).decode("utf-8", "replace")
