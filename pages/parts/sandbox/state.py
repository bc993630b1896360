"""The state of the Sandbox screen: what was read last, whether it is paused, and its callbacks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

import streamlit as st

from intempt_core.contract import Fault, FaultDocument, LiveFilter
from intempt_core.errors import SandboxUnavailable
from intempt_core.transport import USER_AGENT, LiveView
from pages.parts.shared.sandbox_connection import get_sandbox_client, read_active_faults
from pages.parts.shared.screen_state import get_screen_state, read_widget, set_widget

LIVE_ROWS = 100
"""Rows of the live view."""

FILTER_SHOWN, FILTER_NAME, FILTER_TEXT = "shown", "name", "text"
"""The widget keys of the filters, and their names in the link."""

OWN_READS_WIDGET = "sandbox-own-reads"
"""The widget key of the choice whether the console's own reads of feeds are shown."""

ANY_EVENT = "any event"
"""The option that does not filter by name."""

RATE_SECONDS = 5.0
"""The period that the rate of events is averaged over."""


@dataclass
class SandboxScreenState:
    """The Sandbox screen of one tab.

    Attributes:
        paused: Whether the live rows do not change.
        last_seen: The rows that were read last, and that stay while paused.
        counts: The numbers of events over the last seconds, each with its time (monotonic, in seconds).
        filters: The filters that were set when a row was opened, for the way back.
        trouble: Why the sandbox could not be asked, as a sentence.
    """

    paused: bool = False
    last_seen: LiveView | None = None
    counts: list[tuple[float, int]] = field(default_factory=list)
    filters: dict[str, str] = field(default_factory=dict)
    trouble: str = ""


def get_sandbox_state() -> SandboxScreenState:
    """This tab's Sandbox screen."""
    return get_screen_state(SandboxScreenState)


def read_live_rows() -> LiveView | None:
    """The last rows that match the filters; while paused those of before; ``None`` if the sandbox does not respond."""
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
            hidden_reader="" if read_widget(OWN_READS_WIDGET) else USER_AGENT,
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
    """Events per second, averaged over :data:`RATE_SECONDS`."""
    counts = get_sandbox_state().counts
    (first, before), (last, after) = (counts[0], counts[-1]) if counts else ((0.0, 0), (0.0, 0))
    return max(after - before, 0) / (last - first) if last > first else 0.0


def toggle_pause() -> None:
    """Pause the live rows, or resume."""
    found = get_sandbox_state()
    found.paused, found.counts = not found.paused, []


def return_to_rows() -> None:
    """Go back to the live rows, with the filters that were set."""
    st.query_params.clear()
    for widget, content in get_sandbox_state().filters.items():
        set_widget(widget, content)


def clear_live_rows() -> None:
    """Forget the rows after a change of filters: they are read again, once if paused."""
    get_sandbox_state().last_seen = None


def add_fault(fault: Fault) -> None:
    """Add a failure to those that are simulated."""
    change_faults(lambda now: now.model_copy(update={"faults": [*now.faults, fault]}))


def remove_fault(number: int, project: str | None = None) -> None:
    """Remove one failure, of everything or of a project, by its position."""
    change_faults(
        lambda now: now.model_copy(update={"faults": [f for n, f in enumerate(now.faults) if n != number]}), project
    )


def remove_all_faults(project: str | None = None) -> None:
    """Remove all failures of everything, or those of a project, and turn deduplication on."""
    change_faults(lambda _: FaultDocument(), project)


def change_faults(change: Callable[[FaultDocument], FaultDocument], project: str | None = None) -> None:
    """Change the failures that are simulated; why the sandbox rejects them is a sentence."""
    found, client = get_sandbox_state(), get_sandbox_client()
    read_active_faults.clear()
    try:
        client.replace_faults(change(client.read_faults(project=project)), project=project)
        found.trouble = ""
    except SandboxUnavailable as error:
        found.trouble = str(error)


def set_deduplicates(deduplicates: bool) -> None:
    """Turn deduplication by event id on or off."""
    change_faults(lambda now: now.model_copy(update={"deduplicates": deduplicates}))
