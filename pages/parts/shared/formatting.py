"""Formatting for every screen: states, numbers and times as text, and untrusted text made harmless."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st

from intempt_core.contract import Issue, IssueKind, Severity, format_count
from intempt_core.history import BatchSummary, RequestState
from intempt_core.targets import SANDBOX
from pages.parts.shared.time_zones import get_browser_zone, get_zone_name


@dataclass(frozen=True, slots=True)
class StateStyle:
    """The look of a state or severity; shape and colour always appear beside its label.

    Attributes:
        shape: One character.
        colour: A colour of Streamlit's Markdown.
    """

    shape: str
    colour: str


STATE_STYLES: Mapping[str, StateStyle] = {
    RequestState.ACCEPTED: StateStyle("●", "green"),
    RequestState.REJECTED: StateStyle("■", "red"),
    RequestState.UNKNOWN: StateStyle("◆", "orange"),
    RequestState.NOT_SENT: StateStyle("○", "gray"),
    RequestState.PENDING: StateStyle("…", "gray"),
    RequestState.IN_FLIGHT: StateStyle("…", "gray"),
    RequestState.CANCELLED: StateStyle("○", "gray"),
    Severity.ERROR: StateStyle("■", "red"),
    Severity.WARNING: StateStyle("◆", "orange"),
}
"""The look of each state of a request, in the order in which counts are listed, and of each severity."""

TEAM_STYLE = StateStyle("▲", "violet")
"""The look of what the team's own rules find, whatever it weighs: it is never the contract's."""

_STATE_LABELS: Mapping[str, str] = {
    RequestState.UNKNOWN: "unknown (may have arrived)",
    RequestState.PENDING: "queued",
}
"""Labels that say more than the state's own value."""

_MARKDOWN_CHARACTERS = re.compile(r"[\\`*_{}\[\]()#+\-.!|~$:<>&@=^]")
_AUTOMATIC_LINKS = re.compile(r"[@:]|(?<=www)\.|(?<!\S)(?:<->|->|<-|--|>=|<=|~=)(?!\S)", re.IGNORECASE)
"""What becomes a link, an emoji, an icon or an arrow even where each of its characters is escaped."""


def escape_markdown(text: str) -> str:
    """Untrusted text for a place that reads Markdown: it shows as it is, on one line, loads nothing and links nowhere.

    Streamlit looks for addresses, icons and arrows again in the text that Markdown has produced, and finds none in a
    text that is split. A directive ``:color`` without a colour splits it and is invisible.
    """
    one_line, made, at = " ".join(text.split()), [], 0
    for found in _AUTOMATIC_LINKS.finditer(one_line):
        made += [_escape_characters(one_line[at : found.start()]), *(f":color[\\{char}]" for char in found[0])]
        at = found.end()
    return "".join([*made, _escape_characters(one_line[at:])])


def _escape_characters(text: str) -> str:
    return _MARKDOWN_CHARACTERS.sub(r"\\\g<0>", text)


def label_state(state: str) -> str:
    """The name of a state on every screen; any other text stays as it is."""
    return _STATE_LABELS.get(state, str(state))


def format_target(name: str) -> str:
    """A target's name as history keeps it, as screens show it."""
    return "Sandbox" if name == SANDBOX else name


def format_state(state: str, count: int | None = None) -> str:
    """A state in plain text: ``● accepted``, ``● 999 accepted``."""
    shape, label = STATE_STYLES[state].shape, label_state(state)
    return f"{shape} {label}" if count is None else f"{shape} {count:,} {label}"


def format_state_badge(state: str, count: int | None = None) -> str:
    """A state as a Markdown badge in its colour."""
    return f":{STATE_STYLES[state].colour}-badge[{format_state(state, count)}]"


def get_kind_style(kind: IssueKind, *, is_team: bool) -> StateStyle:
    """The look of a kind of issue: that of its severity, or that of the team's rules."""
    return TEAM_STYLE if is_team else STATE_STYLES[kind.severity]


def format_issue_badge(issue: Issue) -> str:
    """The severity of an issue as a Markdown badge; that of the team's in the team's colour."""
    if issue.rule is None:
        return format_state_badge(issue.severity)
    return f":{TEAM_STYLE.colour}-badge[{TEAM_STYLE.shape} team's {issue.severity.value}]"


def format_team_badge(text: str) -> str:
    """A line about the team's rules as a Markdown badge."""
    return f":{TEAM_STYLE.colour}-badge[{TEAM_STYLE.shape} {text}]"


def format_state_badges(counts: Mapping[Any, int]) -> str:
    """Counts by state (a text enum) as a line of badges; states with a count of zero are left out."""
    return " ".join(format_state_badge(state, counts[state]) for state in STATE_STYLES if counts.get(state))


def format_batch_badges(batch: BatchSummary) -> str:
    """The counts of a batch as a line of badges; what was accepted when it was sent again is *resolved*."""
    counts = {state: count - batch.resolved.get(state, 0) for state, count in batch.events.items()}
    resolved = sum(batch.resolved.values())
    badges = [format_state_badges(counts), f":green-badge[◆ {resolved:,} resolved]" if resolved else ""]
    return " ".join(badge for badge in badges if badge)


def show_raw_text(text: str, height: int | None = None) -> None:
    """Text as it is, in a fixed-width face; with ``height`` (pixels) in a frame that scrolls, by the keyboard too."""
    with st.container(height=height or "content", border=False):
        st.code(text or "(empty)", language=None, wrap_lines=True)


def cut_text(text: str, size: int) -> str:
    """A text of at most ``size`` characters; one that is longer ends in ``…``, so that it does not look whole."""
    return text if len(text) <= size else f"{text[:size]}…"


def format_moment(ms: int, now: datetime | None = None) -> str:
    """A time (epoch milliseconds) as ``12:03:07 (2 min ago)``, with its date where it is not today's."""
    here = now or datetime.now(get_browser_zone())
    then = datetime.fromtimestamp(ms / 1000, here.tzinfo)
    form = "%H:%M:%S" if then.date() == here.date() else "%Y-%m-%d %H:%M:%S"
    return f"{then.strftime(form)} ({format_age((here - then).total_seconds())})"


def format_zoned_moment(ms: int) -> str:
    """A time (epoch milliseconds) where its zone has to be said: ``12:03:07 Europe/Berlin, 2 min ago``."""
    clock, _, age = format_moment(ms).partition(" (")
    return f"{clock} {get_zone_name()}, {age.removesuffix(')')}"


def format_clock(ms: int) -> str:
    """A time (epoch milliseconds) for a sentence: ``12:03:07``, with its date where it is not today's.

    A number beyond every calendar is shown as it is.
    """
    here = datetime.now(get_browser_zone())
    try:
        then = datetime.fromtimestamp(ms / 1000, here.tzinfo)
    except (ValueError, OverflowError, OSError):
        return f"{ms:,} ms"
    return then.strftime("%H:%M:%S" if then.date() == here.date() else "%Y-%m-%d %H:%M:%S")


def format_age(seconds: float) -> str:
    """An age in the largest unit that fits: ``just now``, ``2 min ago``, ``3 days ago``."""
    if seconds < 1:
        return "just now"
    for size, unit in ((86_400, "day"), (3_600, "h"), (60, "min"), (1, "s")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {unit}{'s' if unit == 'day' and number != 1 else ''} ago"
    return "just now"


def format_duration(ms: float) -> str:
    """A duration in milliseconds as text: ``41 ms``, ``3.2 s``, ``4 min 10 s``."""
    if ms < 1000:
        return f"{ms:.0f} ms"
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    return f"{int(ms // 60_000)} min {int(ms % 60_000 // 1000)} s"


def format_size(size: int) -> str:
    """A size in bytes as text: ``214 bytes``, ``1.2 MB``."""
    for unit, step in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)):
        if size >= step:
            return f"{size / step:.1f} {unit}"
    return format_count(size, "byte")
