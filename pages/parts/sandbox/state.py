"""What the Sandbox screen knows and does: whether it moves, what it last saw, and the sandbox's doors."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

import streamlit as st

from intempt_core.contract import Fault, FaultDocument, LiveFilter
from intempt_core.errors import SandboxUnavailable
from intempt_core.transport import LiveView
from pages.parts.shared.sandbox_connection import get_sandbox_client, read_active_faults
from pages.parts.shared.screen_state import get_screen_state, read_widget, set_widget

LIVE_ROWS = 100
"""Rows of the live view: the last ones."""

FILTER_SHOWN, FILTER_NAME, FILTER_TEXT = "shown", "name", "text"
"""The filters' widget keys; they stand in the link under these names."""

ANY_EVENT = "any event"
"""The choice that filters by no name."""

RATE_SECONDS = 5.0
"""How far back the rate looks."""


@dataclass
class SandboxScreenState:
    """The Sandbox screen of one tab."""

    paused: bool = False
    last_seen: LiveView | None = None
    """What was last shown; while paused, what stays."""
    counts: list[tuple[float, int]] = field(default_factory=list)
    """How many events there were when, over the last seconds."""
    filters: dict[str, str] = field(default_factory=dict)
    """The filters that were set when a row was opened, for the way back."""
    rows_opened: int = 0
    """How many rows were opened."""
    trouble: str = ""


def get_sandbox_state() -> SandboxScreenState:
    """This tab's Sandbox screen."""
    return get_screen_state(SandboxScreenState)


def read_live_rows() -> LiveView | None:
    """What reached the sandbox last, by the filters; while paused, what was seen before; ``None``: it is silent."""
    found = get_sandbox_state()
    if found.paused and found.last_seen is not None:
        return found.last_seen
    name = read_widget(FILTER_NAME)
    try:
        found.last_seen = get_sandbox_client().read_live(
            limit=LIVE_ROWS,
            name="" if name in (None, ANY_EVENT) else name,
            shown=LiveFilter(read_widget(FILTER_SHOWN) or LiveFilter.EVERYTHING),
            text=(read_widget(FILTER_TEXT) or "").strip(),
        )
    except SandboxUnavailable as error:
        found.trouble = str(error)
        return None
    found.trouble = ""
    now = monotonic()
    found.counts = [(at, count) for at, count in found.counts if now - at < RATE_SECONDS]
    found.counts.append((now, found.last_seen.received))
    return found.last_seen


def compute_event_rate() -> float:
    """Events per second that arrived of late."""
    counts = get_sandbox_state().counts
    (first, before), (last, after) = (counts[0], counts[-1]) if counts else ((0.0, 0), (0.0, 0))
    return max(after - before, 0) / (last - first) if last > first else 0.0


def toggle_pause() -> None:
    """Stand still, or go on."""
    found = get_sandbox_state()
    found.paused, found.counts = not found.paused, []


def return_to_rows() -> None:
    """From what is open to the live rows, with the filters of before."""
    st.query_params.clear()
    for widget, content in get_sandbox_state().filters.items():
        set_widget(widget, content)


def clear_live_rows() -> None:
    """Another filter: what stood still is looked up anew, once."""
    get_sandbox_state().last_seen = None


def add_fault(fault: Fault) -> None:
    """One more fault, after those there are."""
    change_faults(lambda now: now.model_copy(update={"faults": [*now.faults, fault]}))


def end_fault(number: int) -> None:
    """One fault less."""
    change_faults(lambda now: now.model_copy(update={"faults": [f for n, f in enumerate(now.faults) if n != number]}))


def end_all_faults() -> None:
    """The sandbox works again."""
    change_faults(lambda _: FaultDocument())


def change_faults(how: Callable[[FaultDocument], FaultDocument]) -> None:
    """Change what goes wrong; what the sandbox refuses is a sentence."""
    found = get_sandbox_state()
    read_active_faults.clear()
    try:
        get_sandbox_client().replace_faults(how(get_sandbox_client().read_faults()))
        found.trouble = ""
    except SandboxUnavailable as error:
        found.trouble = str(error)


def set_deduplicates(deduplicates: bool) -> None:
    """Whether a repeated event id is ignored."""
    change_faults(lambda now: now.model_copy(update={"deduplicates": deduplicates}))
