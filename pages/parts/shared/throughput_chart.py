"""The throughput of a batch: a chart of attempts over time by outcome, with its figures, and the slowest responses."""

from html import escape

import streamlit as st

from intempt_core.contract import Outcome, format_count
from intempt_core.history import BatchSummary, SlowAttempt, ThroughputTimeline
from pages.parts.shared.formatting import STATE_STYLES, format_duration, format_moment, format_state
from pages.parts.shared.links import show_link
from pages.parts.shared.screen_state import make_key
from pages.parts.shared.services import get_services
from pages.parts.shared.time_zones import get_zone_name

SLOWEST_SHOWN = 5
"""Slow responses that are shown."""

CHART_HEIGHT = 72
"""Pixels of the highest bar."""

OUTCOME_COLOURS = {
    Outcome.ACCEPTED: "light-dark(#1a7f37, #4cb86a)",
    Outcome.REJECTED: "light-dark(#b42318, #e5685c)",
    Outcome.UNKNOWN: "light-dark(#b25e09, #e09a46)",
    Outcome.NOT_SENT: "light-dark(#8a9199, #a3abb2)",
}
"""The colours of the outcomes (.streamlit/config.toml) in the chart; the caption below it names them."""


def show_throughput(summary: BatchSummary) -> None:
    """The chart beside the slowest responses; nothing for a batch of one or two requests."""
    if sum(summary.requests.values()) < 3:
        return
    history = get_services().history
    over_time, slow = history.throughput.timeline(summary.id), history.throughput.slowest(summary.id, SLOWEST_SHOWN)
    if not over_time.steps:
        return
    left, right = st.columns([3, 2], gap="medium")
    with left, st.container(key=make_key("throughput", summary.id), gap="xsmall"):
        st.html(render_throughput_bars(over_time))
        st.caption(describe_throughput(over_time))
    with right, st.container(key=make_key("slowest", summary.id), gap=None):
        st.caption("Slowest responses")
        for attempt in slow:
            show_slow_response(attempt)


def render_throughput_bars(found: ThroughputTimeline) -> str:
    """The bars as HTML made of numbers only, with the figures as a label for screen readers."""
    highest = max(sum(bar.events.values()) for bar in found.steps)
    bars = "".join(
        "<div style='flex:1 1 0;max-width:14px;display:flex;flex-direction:column-reverse'>"
        + "".join(
            f"<div style='height:{max(1, round(CHART_HEIGHT * bar.events[outcome] / highest))}px;"
            f"background:{colour}'></div>"
            for outcome, colour in OUTCOME_COLOURS.items()
            if bar.events.get(outcome)
        )
        + "</div>"
        for bar in found.steps
    )
    return (
        f"<div role='img' aria-label='{escape(describe_throughput(found), quote=True)}'"
        f" style='display:flex;align-items:flex-end;gap:1px;height:{CHART_HEIGHT}px;"
        f"border-bottom:1px solid light-dark(#c9ccc4, #444c54)'>{bars}</div>"
    )


def describe_throughput(found: ThroughputTimeline) -> str:
    """The chart in words: its period, the width of a bar, and the number of events by outcome."""
    total = {outcome: sum(bar.events.get(outcome, 0) for bar in found.steps) for outcome in OUTCOME_COLOURS}
    counts = ", ".join(format_state(outcome, count) for outcome, count in total.items() if count)
    lasts = format_count(found.step_seconds * len(found.steps), "second")
    each = "" if found.step_seconds == 1 else f", {format_duration(found.step_seconds * 1000)} a bar"
    highest = max(sum(bar.events.values()) for bar in found.steps)
    return (
        f"Events by the outcome of each attempt, from {format_moment(found.start).partition(' (')[0]}"
        f" ({get_zone_name()}) on, {lasts}{each}, at most {highest:,} in one: {counts}."
    )


def show_slow_response(attempt: SlowAttempt) -> None:
    """One slow response, and a link to its request."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        shape = STATE_STYLES[attempt.outcome].shape
        st.text(
            f"{format_duration(attempt.elapsed_ms)}  {shape} {attempt.status}, request {attempt.request}",
            width="stretch",
        )
        show_link("history.py", "Open", {"request": str(attempt.request)}, width=70)
