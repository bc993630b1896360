"""The session of one browser tab: what a screen has worked out, and the keys of its widgets.

All session keys are made here, so that no two screens use the same. What a person types is kept by Streamlit's
widgets, under keys of :func:`make_key`; everything else is in :class:`Session`. Nothing in it is secret but the typed
targets, whose credentials mask themselves.
"""

import threading
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st

from intempt_core.contract import FORMER_STATE_VALUES
from intempt_core.readers import Payload
from intempt_core.targets import Target

T = TypeVar("T")
_SESSION_KEY = "console"
TARGET_WIDGET = "target"
"""The widget key of the selected target."""


@dataclass
class Session:
    """What one browser tab knows beyond its widgets.

    Attributes:
        typed_targets: The targets typed in this tab, by name.
        next_target: The target to select when a screen is drawn next.
        pending_payload: Events that Compose takes into its form when it is drawn next.
        is_saving_payload: Whether Compose then asks for the name of a journey that they are saved as.
        pending_paste: A text that Inspect reads when it is drawn next.
        screen_states: One record for each screen, by its class's name: see :func:`get_screen_state`.
        send_lock: Held by the click that sends: see :func:`~pages.parts.shared.send_guard.serialize_clicks`.
    """

    typed_targets: dict[str, Target] = field(default_factory=dict)
    next_target: str | None = None
    pending_payload: Payload | None = None
    is_saving_payload: bool = False
    pending_paste: str | None = None
    screen_states: dict[str, Any] = field(default_factory=dict)
    send_lock: threading.RLock = field(default_factory=threading.RLock)


def get_session() -> Session:
    """This tab's session, made when first asked for."""
    found: Session | None = st.session_state.get(_SESSION_KEY)
    if found is None:
        found = st.session_state[_SESSION_KEY] = Session()
    return found


def get_screen_state(kind: type[T]) -> T:
    """The record of one screen, made by its class without arguments when first asked for."""
    states = get_session().screen_states
    if kind.__qualname__ not in states:
        states[kind.__qualname__] = kind()
    found: T = states[kind.__qualname__]
    return found


def replace_screen_state(record: T) -> T:
    """Replace the record of a screen by another."""
    get_session().screen_states[type(record).__qualname__] = record
    return record


def make_key(*parts: object) -> str:
    """The key of a widget: ``compose-3-productId``. Its CSS class is ``st-key-…``, by which tests find it."""
    return "-".join(str(part) for part in parts)


def read_widget(widget: str, default: Any = None) -> Any:
    """The value of a widget, before it is drawn as well as after."""
    return st.session_state.get(widget, default)


def set_widget(widget: str, content: Any) -> None:
    """Set the value that a widget will show when it is drawn next; call it from a callback or before the widget."""
    st.session_state[widget] = content


def translate_former_state(widget: str) -> None:
    """Give a widget that is bound to the link the current name of a state that an old link has; call it before it."""
    current = FORMER_STATE_VALUES.get(st.query_params.get(widget, ""))
    if current is not None:
        set_widget(widget, current)


def find_widgets(part: str) -> list[str]:
    """The keys of all widgets, drawn or not, that contain ``part``."""
    return [str(name) for name in st.session_state if part in str(name)]
