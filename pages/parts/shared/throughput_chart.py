"""The throughput of a batch: a chart of attempts over time by outcome, with its figures, and the slowest responses."""

import streamlit as st

from intempt_core.contract import Outcome, format_count
from intempt_core.history import BatchSummary, SlowAttempt, ThroughputStep, ThroughputTimeline
from pages.parts.shared.formatting import STATE_STYLES, format_duration, format_moment, format_state
from pages.parts.shared.links import show_link
from pages.parts.shared.screen_state import make_key
from pages.parts.shared.services import get_services
from pages.parts.shared.time_zones import get_zone_name
from pages.parts.shared.widgets.bar_chart import BarSeries, ChartBar, show_bar_chart

SLOWEST_SHOWN = 5
"""Slow responses that are shown."""

TICKED_STEPS = 9
"""Bars from which on there is space for more than one time below them."""

CHART_OUTCOMES = (Outcome.ACCEPTED, Outcome.REJECTED, Outcome.UNKNOWN, Outcome.NOT_SENT)
"""The outcomes in the chart, from the lowest part of a bar on; the caption below it names them."""


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
        show_throughput_bars(over_time, key=make_key("throughput-bars", summary.id))
        st.caption(describe_throughput(over_time))
    with right, st.container(key=make_key("slowest", summary.id), gap=None):
        st.caption("Slowest responses")
        for attempt in slow:
            show_slow_response(attempt)


def show_throughput_bars(found: ThroughputTimeline, *, key: str) -> None:
    """The bars; one that is pointed at says when it was, and its counts."""
    named = {0, len(found.steps) // 2, len(found.steps) - 1} if len(found.steps) >= TICKED_STEPS else {0}
    highest = max(sum(step.events.values()) for step in found.steps)
    seconds = "second" if found.step_seconds == 1 else format_duration(found.step_seconds * 1000)
    show_bar_chart(
        "Attempts over time",
        describe_throughput(found),
        [BarSeries("", STATE_STYLES[outcome].colour) for outcome in CHART_OUTCOMES],
        [
            ChartBar(
                _format_clock(step) if number in named else "",
                _describe_step(step),
                tuple(step.events.get(outcome, 0) for outcome in CHART_OUTCOMES),
            )
            for number, step in enumerate(found.steps)
        ],
        top=f"{highest:,} in a {seconds}" if found.step_seconds == 1 else f"{highest:,} in {seconds}",
        key=key,
    )


def _format_clock(step: ThroughputStep) -> str:
    return format_moment(step.start).partition(" (")[0]


def _describe_step(step: ThroughputStep) -> str:
    counts = ", ".join(
        format_state(outcome, step.events[outcome]) for outcome in CHART_OUTCOMES if step.events.get(outcome)
    )
    return f"{_format_clock(step)}: {counts or 'no events'}"


def describe_throughput(found: ThroughputTimeline) -> str:
    """The chart in words: its period, the width of a bar, and the number of events by outcome."""
    total = {outcome: sum(bar.events.get(outcome, 0) for bar in found.steps) for outcome in CHART_OUTCOMES}
    counts = ", ".join(format_state(outcome, count) for outcome, count in total.items() if count)
    lasts = format_count(found.step_seconds * len(found.steps), "second")
    each = "" if found.step_seconds == 1 else f", {format_duration(found.step_seconds * 1000)} a bar"
    highest = max(sum(bar.events.values()) for bar in found.steps)
    return (
        f"Events by the outcome of each attempt, from {format_moment(found.start).partition(' (')[0]}"
        f" ({get_zone_name()}) on, {lasts}{each}, at most {highest:,} in one: {counts}. These are attempts: an event"
        " that was tried again is counted once for each, and above by its final outcome."
    )


def show_slow_response(attempt: SlowAttempt) -> None:
    """One slow response, or a request that got none, and a link to it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        shape = STATE_STYLES[attempt.outcome].shape
        status = "no response" if attempt.status is None else attempt.status
        st.text(f"{format_duration(attempt.elapsed_ms)}  {shape} {status}", width="content")
        show_link("history.py", f"Request {attempt.request}", {"request": str(attempt.request)})
