"""The one place that owns session keys. A page asks here; nobody writes a key by hand.

What a person typed lives in Streamlit's widgets, under keys made by :func:`make_key`. What a page has worked out lives in
:class:`Session`. Nothing in it is a secret but the typed targets, whose credentials mask themselves.
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
"""The widget key of the target that every screen shows."""


@dataclass
class Session:
    """What one browser tab knows beyond its widgets."""

    typed_targets: dict[str, Target] = field(default_factory=dict)
    """Targets typed for this session, by name."""
    next_target: str | None = None
    """The target to choose when the screen is drawn next."""
    pending_payload: Payload | None = None
    """Events that Compose takes into its form when it is drawn next."""
    screen_states: dict[str, Any] = field(default_factory=dict)
    """One record per screen, made by that screen's own type: see :func:`get_screen_state`."""
    send_lock: threading.RLock = field(default_factory=threading.RLock)
    """Held by the click that sends: see :func:`~pages.parts.shared.send_guard.serialize_clicks`."""


def get_session() -> Session:
    """This tab's session, made when first asked for."""
    if _SESSION_KEY not in st.session_state:
        st.session_state[_SESSION_KEY] = Session()
    found: Session = st.session_state[_SESSION_KEY]
    return found


def get_screen_state(kind: type[T]) -> T:
    """The record of one screen, made (empty) when first asked for."""
    rooms = get_session().screen_states
    if kind.__qualname__ not in rooms:
        rooms[kind.__qualname__] = kind()
    found: T = rooms[kind.__qualname__]
    return found


def replace_screen_state(record: T) -> T:
    """Put a screen's record in the place of the one there was."""
    get_session().screen_states[type(record).__qualname__] = record
    return record


def make_key(*parts: object) -> str:
    """A widget's key: ``compose-3-productId``. It is also the CSS class ``st-key-…`` that tests find it by."""
    return "-".join(str(part) for part in parts)


def read_widget(widget: str, default: Any = None) -> Any:
    """What a widget holds, before it is drawn as well as after."""
    return st.session_state.get(widget, default)


def set_widget(widget: str, content: Any) -> None:
    """Set what a widget will show when it is next drawn; call it from a callback or before the widget."""
    st.session_state[widget] = content


def translate_former_state(widget: str) -> None:
    """Let a widget whose value stands in the link take what an earlier version called it; call it before the widget."""
    current = FORMER_STATE_VALUES.get(st.query_params.get(widget, ""))
    if current is not None:
        set_widget(widget, current)


def find_widgets(part: str) -> list[str]:
    """The keys of the widgets, drawn or not, that have ``part`` in them."""
    return [str(name) for name in st.session_state if part in str(name)]
