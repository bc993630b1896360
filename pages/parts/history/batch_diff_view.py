"""Two batches compared, event by event: how many are alike, how many differ, and a page of the differences."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from intempt_core.analysis import BatchDiff, Difference, EventDifference, EventDifferenceKind
from intempt_core.contract import format_count
from intempt_core.errors import NotFound
from intempt_core.history import BatchSummary
from intempt_core.validation import escape_invisible
from pages.parts.shared.formatting import cut_text, escape_markdown, format_moment, format_target
from pages.parts.shared.links import show_link
from pages.parts.shared.screen_state import get_screen_state, make_key, read_widget
from pages.parts.shared.services import get_services

DIFFERENCES_PER_PAGE, FIELDS_SHOWN, MAX_FIELD_CHARACTERS = 50, 4, 160
"""Events on a page, and of each the fields that are shown, with so many characters of a value."""

_LABELS = {
    EventDifferenceKind.CHANGED: "changed",
    EventDifferenceKind.ORDER: "in another order",
    EventDifferenceKind.FIRST: "only in the first",
    EventDifferenceKind.SECOND: "only in the second",
}


@dataclass
class BatchDiffState:
    """The comparison that this tab shows.

    Attributes:
        diff: The two batches compared; ``None`` before any were.
        of: What it was made of: the ids of both, and when they changed last.
    """

    diff: BatchDiff | None = None
    of: tuple[object, ...] = ()


def show_batch_diff(first: str, second: str) -> None:
    """Two batches, their differences counted whole, and a page of them."""
    try:
        diff = _compare_batches(first, second)
    except NotFound as error:
        st.text(str(error))
        return
    columns = st.columns(2)
    for column, title, batch in zip(columns, ("First", "Second"), (diff.first, diff.second), strict=True):
        with column, st.container(border=True, gap="xsmall", key=make_key("compare-side", title.lower())):
            _show_side(title, batch)
    if first == second:
        st.text("Both are the same batch.")
        return
    _show_counts(diff)
    if diff.counts.total:
        _show_page(diff)


def _compare_batches(first: str, second: str) -> BatchDiff:
    """The comparison of two batches; it is kept until others are compared, or they change."""
    queries, state = get_services().history.queries, get_screen_state(BatchDiffState)
    batches = [queries.batch(id_) for id_ in (first, second)]
    of = tuple((batch.id, batch.changed_at, tuple(batch.events.items())) for batch in batches)
    if state.diff is None or state.of != of:
        if state.diff is not None:
            state.diff.close()
            state.diff = None
        total = format_count(sum(batch.total for batch in batches), "event")
        with st.spinner(f"Comparing {total} by event id"):
            state.diff, state.of = BatchDiff(get_services().history, first, second), of
    return state.diff


def _show_side(title: str, batch: BatchSummary) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{title}**", width="content")
        show_link("history.py", escape_markdown(batch.title), {"batch": batch.id})
    st.text(
        escape_invisible(
            f"{format_moment(batch.created_at)} · to {format_target(batch.target.name)}"
            f" · {format_count(batch.total, 'event')}"
        )
    )


def _show_counts(diff: BatchDiff) -> None:
    counts = diff.counts
    if not counts.total:
        st.markdown(":blue-badge[✓ no differences]", width="content")
        st.text(
            f"All {format_count(counts.same, 'event')} are in both, with the same content and in the same order for"
            " each user. Generated ids and the order of keys are ignored."
        )
    else:
        st.markdown(f":orange-badge[◆ {format_count(counts.total, 'difference')}]", width="content")
        parts = [f"{counts.same:,} the same"]
        parts += [
            f"{counts.differences[kind]:,} {label}" for kind, label in _LABELS.items() if kind in counts.differences
        ]
        st.text(
            f"{' · '.join(parts)}. Every event of both is compared, by its event id; generated ids and the"
            " order of keys are ignored."
        )
    for difference in diff.facts:
        st.text(escape_invisible(f"{difference.path}: {_format_change(difference)}"))


def _show_page(diff: BatchDiff) -> None:
    kinds = [kind for kind in _LABELS if kind in diff.counts.differences]
    kind = None
    if len(kinds) > 1:
        kind = st.segmented_control(
            "Differences",
            kinds,
            format_func=lambda one: f"{_LABELS[one]}: {diff.counts.differences[one]:,}",
            key="compare-kind",
            help="Without a choice all are shown.",
        )
    total = diff.counts.total if kind is None else diff.counts.differences[kind]
    pages, widget = -(-total // DIFFERENCES_PER_PAGE), make_key("compare-page", kind)
    page = min(read_widget(widget, 1), pages)
    try:
        rows = [_make_row(one) for one in diff.read_page(page, DIFFERENCES_PER_PAGE, kind)]
    except NotFound:
        st.text("One of the batches was deleted meanwhile.")
        return
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, width="stretch", key="compare-events", alt="The events that differ"
    )
    if pages > 1:
        st.pagination(pages, key=widget)


def _make_row(found: EventDifference) -> dict[str, str]:
    requests = [str(one) for one in (found.first_request, found.second_request) if one is not None]
    return {
        "difference": _LABELS[found.kind],
        "event id": escape_invisible(found.event_id),
        "event": escape_invisible(found.name),
        "user": escape_invisible(found.person),
        "product": escape_invisible(found.product),
        "what": escape_invisible(_describe_fields(found)),
        "requests": " / ".join(dict.fromkeys(requests)),
    }


def _describe_fields(found: EventDifference) -> str:
    """What differs in an event, in one line: ``data.price: 12.5 → 13``."""
    if found.kind in (EventDifferenceKind.FIRST, EventDifferenceKind.SECOND):
        return ""
    parts = [f"{one.path or 'event'}: {_format_change(one)}" for one in found.fields[:FIELDS_SHOWN]]
    more = len(found.fields) - len(parts)
    return "; ".join(parts) + (f"; and {format_count(more, 'other field')}" if more > 0 else "")


def _format_change(difference: Difference) -> str:
    sides = [
        "nothing" if side is None else cut_text(side, MAX_FIELD_CHARACTERS)
        for side in (difference.left, difference.right)
    ]
    return " → ".join(sides)
