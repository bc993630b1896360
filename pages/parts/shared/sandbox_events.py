"""An event that reached the sandbox, taken to Inspect or Compose as the body that would send it."""

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from intempt_core.errors import ConsoleError, SandboxUnavailable
from intempt_core.readers import read_payload
from pages.parts.shared.links import open_in_compose, open_in_inspect
from pages.parts.shared.sandbox_connection import get_sandbox_client


def show_event_actions(seq: int, *, key: str) -> None:
    """Buttons that take the event of this number to Inspect and to Compose."""
    if st.button("Open in Inspect", key=f"{key}-inspect"):
        open_event_in_inspect(seq)
    if st.button("Open in Compose", key=f"{key}-compose"):
        open_event_in_compose(seq)
    if st.button("Save as journey", key=f"{key}-journey"):
        open_event_in_compose(seq, save=True)


def open_event_in_inspect(seq: int) -> None:
    """Go to Inspect with the body that would send the event."""
    body = _read_event_body(seq)
    if body is not None:
        open_in_inspect(body)


def open_event_in_compose(seq: int, *, save: bool = False) -> None:
    """Go to Compose, with the event in the form under a new event id; with ``save`` it asks for a journey's name."""
    body = _read_event_body(seq)
    if body is None:
        return
    try:
        open_in_compose(read_payload(body), save=save)
    except ConsoleError as error:
        st.text(str(error))


def _read_event_body(seq: int) -> str | None:
    """The body that would send an event, as the sandbox stores it; ``None``, with a sentence, where it is gone."""
    try:
        return build_event_body(get_sandbox_client().read_event(seq))
    except SandboxUnavailable as error:
        st.text(str(error))
        return None


def build_event_body(stored: Mapping[str, Any]) -> str:
    """The body of a track request with one event of ``GET /_sandbox/events``. Any: JSON."""
    body = {"track": [{"name": stored["name"], "payload": [stored["event"]]}]}
    return json.dumps(body, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace").decode()
