"""The comparison of two bodies, requests, attempts or batches: their differences in meaning, not in text."""

from contextlib import nullcontext

import pandas as pd
import streamlit as st

from intempt_core.analysis import Comparison, Difference, compare_sides, find_named_batch, load_side
from intempt_core.contract import format_count
from intempt_core.errors import ConsoleError
from intempt_core.validation import escape_invisible
from pages.parts.history.batch_diff_view import show_batch_diff
from pages.parts.shared.links import show_link
from pages.parts.shared.screen_state import read_widget, set_widget
from pages.parts.shared.screens import set_title
from pages.parts.shared.services import get_services

LEFT_WIDGET, RIGHT_WIDGET = "compare-left", "compare-right"
SIDES_HELP = (
    "request 12, batch and its id, attempt 1-12 (the first attempt of request 12), a link to one of them, or a body"
)


def show_compare_link(side: str) -> None:
    """The link that compares something with another."""
    show_link("history.py", "Compare with another", {"compare": side})


def show_comparison(left: str, right: str) -> None:
    """Two sides to choose, and their differences. What the link names fills them; a pasted body is not in the link."""
    set_title("Compare")
    st.page_link("history.py", label="← All batches")
    if read_widget("compare-link") != (left, right):
        set_widget("compare-link", (left, right))
        set_widget(LEFT_WIDGET, left)
        set_widget(RIGHT_WIDGET, right)
    are_given = bool(left.strip() and right.strip())  # the ticked rows of the list, for one: nothing is to be typed
    with st.expander("Compare other things", key="compare-sides") if are_given else nullcontext():
        columns = st.columns(2)
        for column, title, widget in zip(columns, ("Left", "Right"), (LEFT_WIDGET, RIGHT_WIDGET), strict=True):
            with column:
                st.text_area(title, key=widget, height=110, placeholder=SIDES_HELP)
    if not (read_widget(LEFT_WIDGET) or "").strip() or not (read_widget(RIGHT_WIDGET) or "").strip():
        st.text(f"Enter two things to compare: {SIDES_HELP}. The order of keys and generated ids are ignored.")
        return
    batches = [find_named_batch(read_widget(widget)) for widget in (LEFT_WIDGET, RIGHT_WIDGET)]
    if batches[0] is not None and batches[1] is not None:
        show_batch_diff(batches[0], batches[1])
        return
    try:
        sides = [load_side(get_services().history, read_widget(widget)) for widget in (LEFT_WIDGET, RIGHT_WIDGET)]
    except ConsoleError as error:
        st.text(escape_invisible(str(error)))
        return
    _show_differences(compare_sides(*sides))


def _show_differences(found: Comparison) -> None:
    left, right = found.left.title, found.right.title
    counts = f"{format_count(len(found.left.events), 'event')} and {format_count(len(found.right.events), 'event')}"
    if found.same:
        st.markdown(":blue-badge[✓ no differences]")
        st.text(escape_invisible(f"{left} and {right}: {counts}. The order of keys and generated ids are ignored."))
        return
    st.markdown(f":orange-badge[◆ {format_count(found.total, 'difference')}]")
    st.text(escape_invisible(f"{left} and {right}: {counts}."))
    rows = [
        {
            "change": difference.kind.value,
            "place": _format_location(difference),
            "left": _format_side(difference.left),
            "right": _format_side(difference.right),
        }
        for difference in found.differences
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="compare-found", alt="The differences")
    if found.total > len(rows):
        st.caption(f"The first {len(rows):,} of {found.total:,}.")


def _format_location(difference: Difference) -> str:
    numbers = [str(number) for number in (difference.left_event, difference.right_event) if number is not None]
    event = f"event {' / '.join(dict.fromkeys(numbers))}" if numbers else ""
    return escape_invisible(" · ".join(part for part in (event, difference.path) if part))


def _format_side(text: str | None) -> str:
    return "" if text is None else escape_invisible(text)
