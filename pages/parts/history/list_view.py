"""The list of batches: filters and a search, what waits for a person, and the table that opens and compares them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import streamlit as st

from intempt_core.contract import format_count
from intempt_core.history import (
    BatchFilter,
    BatchOrder,
    BatchSource,
    BatchState,
    BatchSubjects,
    BatchSummary,
    RequestState,
    UndecidedCounts,
)
from intempt_core.targets import SANDBOX
from intempt_core.validation import escape_invisible
from pages.parts.shared.empty_state import FirstStep, show_empty_state
from pages.parts.shared.formatting import escape_markdown, format_moment, format_target, label_state
from pages.parts.shared.links import open_resend, show_link
from pages.parts.shared.result_view import list_batch_counts
from pages.parts.shared.screen_state import make_key, read_widget, set_widget, translate_former_state
from pages.parts.shared.services import get_services
from pages.parts.shared.time_zones import get_browser_zone, get_zone_name
from pages.parts.shared.widgets.link_table import TableCell, TableColumn, TableRow, show_link_table

BATCHES_PER_PAGE, UNDECIDED_SHOWN = 25, 3
"""Batches on one page of the list, and those that wait for a person above it."""

SINCE_DAYS = {"any time": None, "last hour": 1 / 24, "last day": 1, "last 7 days": 7, "last 30 days": 30}
UNDECIDED = "needs a decision"
OUTCOME_FILTERS = (
    RequestState.ACCEPTED,
    RequestState.REJECTED,
    RequestState.UNKNOWN,
    RequestState.NOT_SENT,
    RequestState.PENDING,
)
TABLE_WIDGET, ORDER_WIDGET = "history-table", "history-order"
COLUMNS = (
    TableColumn("Time", BatchOrder.TIME, is_clock=True),
    TableColumn("What", BatchOrder.NAME),
    TableColumn("User"),
    TableColumn("Product"),
    TableColumn("Target", BatchOrder.TARGET),
    TableColumn("Events", BatchOrder.EVENTS, is_number=True),
    TableColumn("Result"),
)
MAX_CELL_CHARACTERS = 200
RESOLVE_HELP = "Opens the batch with what can be resent of it. Nothing is sent before you confirm it there."


def show_history_filters() -> None:
    """The filters by time, target, source and outcome, and the search; all are part of the link."""
    translate_former_state("history-outcome")
    if st.query_params.get("history-target") == SANDBOX:  # an old link has the target's name, not what it is called
        set_widget("history-target", SANDBOX)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Search",
            key="history-text",
            placeholder="Part of a file's or run's name, or the beginning of an event id, user id or product id",
            bind="query-params",
            width="stretch",
        )
        st.selectbox("Time", SINCE_DAYS, key="history-since", bind="query-params", width=140)
        names = get_services().history.queries.target_names()
        st.selectbox(
            "Target",
            ["any target", *names],
            format_func=format_target,
            key="history-target",
            bind="query-params",
            width=150,
        )
        st.selectbox(
            "Source",
            ["any source", *(source.value for source in BatchSource)],
            key="history-source",
            bind="query-params",
            width=150,
        )
        st.selectbox(
            "Outcome",
            ["any outcome", UNDECIDED, *(state.value for state in OUTCOME_FILTERS)],
            format_func=label_state,
            key="history-outcome",
            bind="query-params",
            width=170,
        )


def read_batch_filter() -> BatchFilter:
    """The filters as they are set."""
    days = SINCE_DAYS.get(read_widget("history-since"))
    since = None if days is None else int((datetime.now(get_browser_zone()) - timedelta(days=days)).timestamp() * 1000)
    names, source, outcome = (
        read_widget("history-target"),
        read_widget("history-source"),
        read_widget("history-outcome"),
    )
    return BatchFilter(
        since=since,
        target=None if names in (None, "any target") else names,
        source=BatchSource(source) if source in tuple(BatchSource) else None,
        state=RequestState(outcome) if outcome in OUTCOME_FILTERS else None,
        undecided=outcome == UNDECIDED,
        text=(read_widget("history-text") or "").strip(),
    )


# ── what waits for a person ──────────────────────────────────────────────────────────────────────────────────────────


def show_undecided() -> None:
    """The batches that wait for a person, with what there is to decide, and the way to do so."""
    found = get_services().history.queries.undecided()
    if not found.batches or read_widget("history-outcome") == UNDECIDED:
        return
    newest = get_services().history.queries.batches(BatchFilter(undecided=True), size=UNDECIDED_SHOWN)
    with st.container(border=True, gap="xsmall", key="history-undecided"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(describe_undecided(found), width="stretch")
            if found.batches > len(newest.items):
                st.button(f"Show all {found.batches:,}", key="history-show-undecided", on_click=_choose_undecided)
        for batch in newest.items:
            with st.container(horizontal=True, vertical_alignment="center", key=make_key("undecided", batch.id)):
                title = escape_markdown(escape_invisible(shorten(batch.title, 60)))
                show_link("history.py", title, {"batch": batch.id})
                st.text(f"{format_moment(batch.created_at)} · {describe_decision(batch)}", width="stretch")
                if st.button("Resolve", key=make_key("resolve", batch.id), help=RESOLVE_HELP):
                    open_resend(batch.id)


def _choose_undecided() -> None:
    set_widget("history-outcome", UNDECIDED)


def describe_undecided(found: UndecidedCounts) -> str:
    """What waits for a person, in one line: ``2 batches need a decision: 3,119 unknown (may have arrived)``."""
    parts = [f"{found.events[state]:,} {label_state(state)}" for state in RequestState if found.events.get(state)]
    parts += [f"{count:,} {state.value}" for state, count in found.halted.items()]
    needs = "needs" if found.batches == 1 else "need"
    return f"{format_count(found.batches, 'batch', 'batches')} {needs} a decision: {' · '.join(parts)}"


def describe_decision(batch: BatchSummary) -> str:
    """What there is to decide about one batch."""
    parts = [f"{batch.waiting[state]:,} {label_state(state)}" for state in RequestState if batch.waiting.get(state)]
    if batch.state in (BatchState.STOPPED, BatchState.PAUSED):
        parts.insert(0, batch.state.value)
    return " · ".join(parts)


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def show_batches() -> None:
    """The batches that match as a table; two that are ticked are compared."""
    batch_filter = read_batch_filter()
    order, descending = read_order()
    queries = get_services().history.queries
    read = partial(queries.batches, batch_filter, size=BATCHES_PER_PAGE, order=order, descending=descending)
    found = read(page=read_widget("history-page", 1))
    if found.number > found.pages:  # a narrower filter has fewer pages
        set_widget("history-page", found.pages)
        found = read(page=found.pages)
    if not found.is_complete:
        st.text(
            f"Very many ids begin with “{escape_invisible(batch_filter.text)}”: not all of them were looked at. Type"
            " more of the id to find every batch."
        )
    if not found.total:
        show_no_batches(batch_filter)
        return
    st.caption(f"{format_count(found.total, 'batch', 'batches')}. Times in {get_zone_name()}.")
    subjects = queries.subjects([batch.id for batch in found.items])
    used = show_link_table(
        "Batches",
        COLUMNS,
        [make_batch_row(batch, subjects) for batch in found.items],
        opens="batch",
        link_column=1,
        on_open=open_batch,
        sort=order,
        descending=descending,
        on_sort=change_order,
        max_ticked=2,
        key=TABLE_WIDGET,
    )
    show_ticked(used.ticked)
    if found.pages > 1:
        st.pagination(found.pages, key="history-page")


def read_order() -> tuple[BatchOrder, bool]:
    """What the table is sorted by, and whether the largest comes first."""
    order, descending = read_widget(ORDER_WIDGET, (BatchOrder.TIME, True))
    return order, descending


def change_order(by: str) -> None:
    """Sort by another column; by the same one the other way round. Texts begin at A, all else at the largest."""
    order, descending = read_order()
    text_first = BatchOrder(by) not in (BatchOrder.NAME, BatchOrder.TARGET)
    set_widget(ORDER_WIDGET, (BatchOrder(by), not descending if by == order else text_first))
    set_widget("history-page", 1)


def open_batch(id_: str) -> None:
    """Open a batch in the place of the list."""
    st.query_params.from_dict({"batch": id_})


def show_ticked(ticked: Sequence[str]) -> None:
    """What can be done with the rows that are ticked."""
    if not ticked:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="history-ticked"):
        if len(ticked) == 2:
            # The one that was recorded first is the first: ids count up.
            first, second = sorted(ticked)
            show_link("history.py", "Compare the two", {"compare": f"batch {first}", "with": f"batch {second}"})
        else:
            st.text("1 batch ticked. Tick another one to compare both.")


def show_no_batches(batch_filter: BatchFilter) -> None:
    """Why the list is empty, and what to do next."""
    if batch_filter == BatchFilter():
        show_empty_state(
            "Nothing was sent yet. Every batch that you send is kept here, with its responses.",
            FirstStep("Compose the first event", page="compose.py"),
            picture="batches",
        )
    elif batch_filter.undecided:
        st.text("No batch needs a decision.")
    else:
        st.text(
            "No batch matches. A search finds a part of a file's or run's name, and ids that begin exactly with its"
            " text."
        )


def make_batch_row(batch: BatchSummary, subjects: Mapping[str, BatchSubjects]) -> TableRow:
    """A batch in the table."""
    held = subjects.get(batch.id)
    label = f"{batch.source.value}: {shorten(batch.label)}"
    recorded = f", {batch.total:,} recorded" if batch.unrecorded else ""
    notes = [label] if batch.name else [batch.source.value]
    if not batch.is_final or recorded:
        notes.append(f"{batch.state.value}{recorded}")
    if batch.resend_of:
        notes.append("a resend")
    if batch.resends:
        notes.append(f"resent {format_count(len(batch.resends), 'time')}")
    badges = tuple((f"{style.shape} {text}", style.colour) for style, text in list_batch_counts(batch))
    clock, _, age = format_moment(batch.created_at).partition(" (")
    return TableRow(
        batch.id,
        escape_invisible(shorten(batch.title)),
        (
            TableCell(clock, note=age.rstrip(")")),
            TableCell(escape_invisible(shorten(batch.title)), note=escape_invisible(" · ".join(notes))),
            TableCell(escape_invisible(describe_persons(batch, held)), is_fixed=names_one(held, "persons")),
            TableCell(escape_invisible(describe_products(held, batch)), is_fixed=names_one(held, "products")),
            TableCell(format_target(batch.target.name)),
            TableCell(f"{batch.planned:,}"),
            TableCell(badges=badges),
        ),
    )


def names_one(held: BatchSubjects | None, which: str) -> bool:
    """Whether a cell names a single id."""
    return held is not None and len(getattr(held, which)) == 1


def describe_persons(batch: BatchSummary, held: BatchSubjects | None) -> str:
    """Of whom the events of a batch are: one id, or how many."""
    if held is None:
        return format_count(batch.persons, "user") if batch.persons else ""
    is_whole = held.events >= batch.planned
    count = max(held.planned_persons, len(held.persons) if is_whole else 0)
    if count > 1:
        return format_count(count, "user")
    if not held.persons:
        return ""
    return shorten(held.persons[0]) + ("" if count == 1 or is_whole else " and others")


def describe_products(held: BatchSubjects | None, batch: BatchSummary) -> str:
    """Of which products the events of a batch are: one id, or that one and others."""
    if held is None or not held.products:
        return ""
    if held.events >= batch.planned:
        others = len(held.products) - 1
        return shorten(held.products[0]) + (f" and {format_count(others, 'other')}" if others else "")
    return f"{shorten(held.products[0])} and others"


def shorten(text: str, size: int = MAX_CELL_CHARACTERS) -> str:
    """A text for a cell; one that is cut ends with an ellipsis."""
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= size else f"{one_line[: size - 1]}…"
