"""Links into the console, and what is copied from it: none holds a target's key."""

from collections.abc import Mapping
from typing import Literal

import streamlit as st

from intempt_core.errors import SecretFound
from intempt_core.exports import require_no_secret
from intempt_core.journeys import MAX_JOURNEY_EVENTS
from intempt_core.planning import plan_events
from intempt_core.readers import Payload
from pages.parts.shared.screen_state import get_session, make_key, set_widget
from pages.parts.shared.services import get_services
from pages.parts.shared.widgets.copy_link import show_copy_link

JOURNEY_HELP = "Compose opens with these events and asks for a name. Their ids and times are made at each send."
"""What saving events as a journey does."""


def show_link(
    page: str, label: str, params: Mapping[str, str], *, help_: str = "", width: int | Literal["content"] = "content"
) -> None:
    """A link into the console that works without a session; in the place of one that would hold a key, a caption."""
    try:
        for text in params.values():
            require_no_secret(text, get_services().credentials)
    except SecretFound:
        st.caption("No link here: it would hold a target's key.")
        return
    st.page_link(page, label=label, query_params=dict(params) or None, help=help_ or None, width=width)


def show_copyable_link(path: str, params: Mapping[str, str], *, key: str, label: str = "Copy link") -> None:
    """A button that copies a link into the console; nothing in the place of one that would hold a key."""
    if not any(holds_key(text) for text in params.values()):
        show_copy_link(path, params, key=key, label=label)


def holds_key(text: str) -> bool:
    """Whether a text holds a target's key, so that no address may carry it."""
    return guard_copied_text(text) != text


def guard_copied_text(text: str) -> str:
    """A text to be copied; in the place of one that holds a key, an explanation."""
    try:
        return require_no_secret(text, get_services().credentials)
    except SecretFound as error:
        return str(error)


def open_in_compose(payload: Payload, *, save: bool = False) -> None:
    """Go to Compose, whose form takes the events of a payload under new event ids.

    With ``save`` it asks for the name of a journey that they are saved as. Nothing is sent.
    """
    get_session().pending_payload, get_session().is_saving_payload = payload, save
    st.switch_page("compose.py")


def show_journey_button(payload: Payload, *, key: str) -> None:
    """A button that takes the events of one person to Compose, which asks for the name of a journey of them.

    Nothing where they are of several persons, or more than a journey has.
    """
    if not 0 < len(payload.events) <= MAX_JOURNEY_EVENTS:
        return
    if plan_events(payload.events, one_request=True, settings=get_services().settings).persons != 1:
        return
    if st.button("Save as journey", key=key, help=JOURNEY_HELP):
        open_in_compose(payload, save=True)


def open_resend(batch: str) -> None:
    """Go to a batch in History, with the choices for resending it open. Nothing is sent."""
    set_widget(make_key("resend", batch), True)
    st.switch_page("history.py", query_params={"batch": batch})


def open_in_inspect(text: str) -> None:
    """Go to Inspect, which reads a text as if it had been pasted there."""
    get_session().pending_paste = text
    st.switch_page("explain.py")
