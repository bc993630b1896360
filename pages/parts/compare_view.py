"""Two things beside each other: choose two bodies, requests, attempts or batches, and see what differs by meaning."""

import pandas as pd
import streamlit as st

from intempt_core import ConsoleError
from intempt_core.compare import Comparison, Difference, compare_sides
from intempt_core.marking import escape_invisible
from intempt_core.sides import load_side
from pages.parts.house import house
from pages.parts.look import counted
from pages.parts.session import put, value
from pages.parts.taking import link

LEFT, RIGHT = "compare-left", "compare-right"
HELP = "request 12, batch and its id, attempt 1-12 (the first try of request 12), a link to one of them, or a body"


def offer(what: str) -> None:
    """The way from one thing to the comparison of it with another."""
    link("history.py", "Compare with another", {"compare": what})


def two(left: str, right: str) -> None:
    """Choose two, and what differs. What is named stands in the link; a pasted body does not."""
    st.page_link("history.py", label="← All batches")
    if value("compare-link") != (left, right):
        put("compare-link", (left, right))
        put(LEFT, left)
        put(RIGHT, right)
    columns = st.columns(2)
    for column, title, widget in zip(columns, ("Left", "Right"), (LEFT, RIGHT), strict=True):
        with column:
            st.text_area(title, key=widget, height=110, placeholder=HELP)
    if not (value(LEFT) or "").strip() or not (value(RIGHT) or "").strip():
        st.text(f"Name two things to compare: {HELP}. The order of keys and generated ids mean nothing.")
        return
    try:
        sides = [load_side(house().history, value(widget)) for widget in (LEFT, RIGHT)]
    except ConsoleError as error:
        st.text(escape_invisible(str(error)))
        return
    _found(compare_sides(*sides))


def _found(found: Comparison) -> None:
    left, right = found.left.title, found.right.title
    counts = f"{counted(len(found.left.events), 'event')} and {counted(len(found.right.events), 'event')}"
    if found.same:
        st.markdown(":blue-badge[✓ the same by meaning]")
        st.text(escape_invisible(f"{left} and {right}: {counts}. The order of keys and generated ids aside."))
        return
    st.markdown(f":orange-badge[◆ {counted(found.total, 'difference')}]")
    st.text(escape_invisible(f"{left} beside {right}: {counts}."))
    rows = [
        {"what": one.kind.value, "where": _where(one), "left": _cell(one.left), "right": _cell(one.right)}
        for one in found.differences
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="compare-found", alt="What differs")
    if found.total > len(rows):
        st.caption(f"The first {len(rows):,} of {found.total:,}.")


def _where(one: Difference) -> str:
    numbers = [str(number) for number in (one.left_event, one.right_event) if number is not None]
    event = f"event {' / '.join(dict.fromkeys(numbers))}" if numbers else ""
    return escape_invisible(" · ".join(part for part in (event, one.path) if part))


def _cell(text: str | None) -> str:
    return "" if text is None else escape_invisible(text)
