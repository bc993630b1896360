"""A button that copies a link of this console."""

from collections.abc import Mapping

import streamlit as st

from pages.parts.shared.widgets.component import load_component


def show_copy_link(path: str, params: Mapping[str, str], *, key: str, label: str = "Copy link") -> None:
    """A button that copies the address of the screen at ``path`` with these parameters.

    It must hold no key: a link is pasted where everybody reads it.
    """
    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    address = "/".join(["", *filter(None, (base, path.strip("/")))]) or "/"
    data = {"label": label, "path": address, "params": list(params.items())}
    load_component("copy_link")(key=key, data=data, width="content")
