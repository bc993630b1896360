"""What the Sandbox screen knows and does: whether it moves, what it last saw, and the sandbox's doors."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

import streamlit as st

from intempt_core import SandboxUnavailable
from intempt_core.instrument import SandboxClient, LiveView
from intempt_core.sandbox.faults import Fault, FaultDocument
from intempt_core.targets import SANDBOX
from pages.parts.house import house
from pages.parts.session import put, room, value

ROWS = 100
"""Rows of the live view: the last ones."""

SHOWN, NAME, TEXT = "shown", "name", "text"
"""The filters' widget keys; they stand in the link under these names."""

ANY = "any event"
"""The choice that filters by no name."""

FAILING_SECONDS = 1.0
"""How old the word on the sandbox's faults may be that stands on every screen, and how long it is waited for."""

SECONDS_OF_RATE = 5.0
"""How far back the rate looks."""


@dataclass
class Watching:
    """The Sandbox screen of one tab."""

    paused: bool = False
    seen: LiveView | None = None
    """What was last shown; while paused, what stays."""
    counts: list[tuple[float, int]] = field(default_factory=list)
    """How many events there were when, over the last seconds."""
    filters: dict[str, str] = field(default_factory=dict)
    """The filters that were set when a row was opened, for the way back."""
    opened: int = 0
    """How many rows were opened."""
    trouble: str = ""


def watching() -> Watching:
    """This tab's Sandbox screen."""
    return room(Watching)


@st.cache_resource(show_spinner=False, on_release=SandboxClient.close)
def _instrument(base: str) -> SandboxClient:
    target = house().targets[SANDBOX]
    assert target.base == base  # noqa: S101  the base is what the cache tells sandboxes apart by
    return SandboxClient(target)


def instrument() -> SandboxClient:
    """The doors of this console's sandbox."""
    return _instrument(house().targets[SANDBOX].base)


@st.cache_data(ttl=FAILING_SECONDS, show_spinner=False)
def failing(base: str) -> FaultDocument:
    """What goes wrong on purpose in the sandbox at ``base``, this console's; nothing where it does not answer."""
    try:
        return _instrument(base).faults(FAILING_SECONDS)
    except SandboxUnavailable:
        return FaultDocument()


def look() -> LiveView | None:
    """What reached the sandbox last, by the filters; while paused, what was seen before; ``None``: it is silent."""
    found = watching()
    if found.paused and found.seen is not None:
        return found.seen
    name = value(NAME)
    try:
        found.seen = instrument().live(
            limit=ROWS,
            name="" if name in (None, ANY) else name,
            shown=value(SHOWN) or "everything",
            text=(value(TEXT) or "").strip(),
        )
    except SandboxUnavailable as error:
        found.trouble = str(error)
        return None
    found.trouble = ""
    now = monotonic()
    found.counts = [(at, count) for at, count in found.counts if now - at < SECONDS_OF_RATE]
    found.counts.append((now, found.seen.received))
    return found.seen


def rate() -> float:
    """Events per second that arrived of late."""
    counts = watching().counts
    (first, before), (last, after) = (counts[0], counts[-1]) if counts else ((0.0, 0), (0.0, 0))
    return max(after - before, 0) / (last - first) if last > first else 0.0


def pause() -> None:
    """Stand still, or go on."""
    found = watching()
    found.paused, found.counts = not found.paused, []


def back() -> None:
    """From what is open to the live rows, with the filters of before."""
    st.query_params.clear()
    for widget, content in watching().filters.items():
        put(widget, content)


def refilter() -> None:
    """Another filter: what stood still is looked up anew, once."""
    watching().seen = None


def fail(fault: Fault) -> None:
    """One more fault, after those there are."""
    change(lambda now: now.model_copy(update={"faults": [*now.faults, fault]}))


def end(number: int) -> None:
    """One fault less."""
    change(lambda now: now.model_copy(update={"faults": [f for n, f in enumerate(now.faults) if n != number]}))


def end_all() -> None:
    """The sandbox works again."""
    change(lambda _: FaultDocument())


def change(how: Callable[[FaultDocument], FaultDocument]) -> None:
    """Change what goes wrong; what the sandbox refuses is a sentence."""
    found = watching()
    failing.clear()
    try:
        instrument().set_faults(how(instrument().faults()))
        found.trouble = ""
    except SandboxUnavailable as error:
        found.trouble = str(error)


def set_deduplicates(deduplicates: bool) -> None:
    """Whether a repeated event id is ignored."""
    change(lambda now: now.model_copy(update={"deduplicates": deduplicates}))
