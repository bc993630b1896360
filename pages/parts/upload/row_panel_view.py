"""The panel beside the grid of step 3: the chosen row, what is wrong with it, and its cells to be changed."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from intempt_core.contract import BLANK_CHARACTERS, Issue, format_count
from intempt_core.fixes import Fix, FixKind
from intempt_core.planning import CellLocation, locate_in_event, locate_in_request
from intempt_core.readers import Table
from intempt_core.validation import PRIOR_SEND_CODES, find_prior_send
from pages.parts.shared.formatting import escape_markdown, format_issue_badge
from pages.parts.shared.links import show_link
from pages.parts.shared.screen_state import make_key
from pages.parts.shared.services import get_services
from pages.parts.upload.excluded_rows_view import shorten_cells
from pages.parts.upload.fixes_state import (
    can_move,
    go_to_cell,
    load_fixes_state,
    move_to_row,
    select_cell,
    write_alike,
    write_cells,
)
from pages.parts.upload.state import CheckedFile, get_upload_state

FIELDS_EDITED = 8
"""Cells of a row that the panel offers at once; any other is chosen in the whole row."""

COLUMNS_LISTED = 200
"""Columns of the whole row that are listed."""

MAX_CELL_EDITED = 10_000
"""Characters of a cell that can be changed here; a longer one is changed in the file."""


def show_cell_finder(checked: CheckedFile) -> None:
    """The input that finds a cell by row, line or JSON pointer."""
    widget = "upload-find"
    st.text_input(
        "Find a cell",
        key=widget,
        placeholder="row 18 · line 19 product_id · track[0].payload[16]",
        on_change=go_to_cell,
        args=(checked, widget),
    )
    if load_fixes_state().message:
        st.text(load_fixes_state().message)


def show_row_panel(checked: CheckedFile, *, live: bool) -> None:
    """The selected row: its place in the file and in the JSON, its problems, its cells, and the editor."""
    location = load_fixes_state().location
    if location is None or location.row >= checked.mapped.rows:
        return
    issues = checked.report.issues_of(location.row)
    with st.container(border=True, key="upload-cell"):
        _show_head(checked, location)
        for number, issue in enumerate(issues):
            _show_issue(checked, issue, location.row, number)
        first = checked.report.first_row_of(location.row)
        if first is not None:
            st.button(
                f"Go to {checked.mapped.table.name_row(first)}, the first with this event id",
                key="upload-first-of",
                on_click=select_cell,
                args=(first, checked.mapped.field_columns.get("eventId")),
            )
        if live:
            _show_editor(checked, location, issues)
        whole = st.expander("The whole row", key="upload-whole-row", type="compact", on_change="rerun")
        if whole.open:
            with whole:
                _show_row_cells(checked, location)


def _show_head(checked: CheckedFile, location: CellLocation) -> None:
    """Where the row is, and the buttons that lead to the next one."""
    line = checked.mapped.table.describe_line(location.row)
    name = checked.mapped.table.name_row(location.row)
    title = " · ".join([name[0].upper() + name[1:], *([line] if line else [])])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{escape_markdown(title)}**", width="stretch")
        for label, step in (("Previous", -1), ("Next", 1)):
            st.button(
                label,
                key=make_key("upload-row", label.lower()),
                type="tertiary",
                on_click=move_to_row,
                args=(step,),
                disabled=not can_move(step),
            )
    st.text(_describe_location(checked, location))


def _show_issue(checked: CheckedFile, issue: Issue, row: int, number: int) -> None:
    """One problem of the row: its kind and code, what is wrong, what is allowed, and how to fix it."""
    with st.container(key=make_key("upload-issue", number), gap="xsmall"):
        title = issue.kind.title if issue.rule is None else escape_markdown(issue.kind.title)
        st.markdown(f"{format_issue_badge(issue)} **{title}** `{issue.code}`")
        column = f"{issue.place.column}: " if issue.place.column else ""
        st.text(f"{column}{issue.message} {issue.fix}")
        if issue.kind.allowed and issue.kind.allowed.casefold() not in issue.fix.casefold():
            st.text(f"Allowed: {issue.kind.allowed}")
        if issue.code in PRIOR_SEND_CODES:
            _show_earlier_batch(checked, row)


def _show_earlier_batch(checked: CheckedFile, row: int) -> None:
    """The link to the batch in which a row's event, or other lines of its order, were sent before."""
    question = get_upload_state().question
    if question is None:
        return
    find_prior_sends = get_services().history.events.prior_send_lookup(question.target_key)
    sent = find_prior_send(checked.mapped.event(row), find_prior_sends)
    if sent is not None:
        show_link("history.py", "View batch", {"batch": sent.batch})


def _describe_location(checked: CheckedFile, location: CellLocation) -> str:
    parts = []
    if location.column is not None:
        parts.append(f"column {location.column}")
        parts.append(f"in the event {locate_in_event(checked.mapped, location.column) or '–'}")
    found = get_upload_state()
    place = locate_in_request(checked.mapped, checked.plan(found, found.order), location.row, location.column)
    parts.append(f"request {place.request:,}: {place.path}" if place else "skipped")
    return " · ".join(parts)


# ── its cells ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _show_editor(checked: CheckedFile, location: CellLocation, issues: list[Issue]) -> None:
    """The form that changes cells of the row: the selected one, and those with a problem."""
    table, row = checked.mapped.table, location.row
    columns = [
        column
        for column in dict.fromkeys([location.column, *(issue.place.column for issue in issues)])
        if column is not None and column in table.header
    ][:FIELDS_EDITED]
    for column in [one for one in columns if _is_long(table, row, one)]:
        columns.remove(column)
        st.text(f"{column} has more than {MAX_CELL_EDITED:,} characters here: change it in the file.")
    if not columns:
        return
    places = [table.header.index(column) for column in columns]
    fixes = len(checked.fixes)
    widgets = {column: make_key("upload-new", row, place, fixes) for column, place in zip(columns, places, strict=True)}
    alike = _count_alike(checked, row, location.column) if location.column in columns else 0
    with st.form(make_key("upload-edit", row, *places), border=False):
        for column, widget in widgets.items():
            cell = table.cell(row, column)
            if any(character in BLANK_CHARACTERS for character in cell if character != " ") or cell != cell.strip():
                visible = "".join(f"‹U+{ord(one):04X}›" if one in BLANK_CHARACTERS else one for one in cell)
                st.text(f"With invisible characters shown: {visible}")
            ask = st.text_area if "\n" in cell or "\r" in cell else st.text_input
            ask(f"New value of {escape_markdown(column)} in {table.name_row(row)}", cell, key=widget)
        with st.container(horizontal=True):
            st.form_submit_button(
                "Change this cell" if len(columns) == 1 else "Change this row",
                key="upload-edit-one",
                on_click=write_cells,
                args=(checked, row, widgets),
            )
            if alike > 1 and location.column is not None:
                which = "with this value" if len(columns) == 1 else f"of {escape_markdown(location.column)} like this"
                st.form_submit_button(
                    f"Change all {format_count(alike, 'cell')} {which}",
                    key="upload-edit-alike",
                    on_click=write_alike,
                    args=(checked, row, location.column, widgets[location.column]),
                )


def _is_long(table: Table, row: int, column: str) -> bool:
    return len(table.take_cells(column, [row], max_chars=MAX_CELL_EDITED + 1)[0]) > MAX_CELL_EDITED


def _count_alike(checked: CheckedFile, row: int, column: str | None) -> int:
    """How many cells of a column have the value of this row's."""
    if column is None:
        return 0
    cell = checked.mapped.table.cell(row, column)
    return checked.preview(Fix(FixKind.REPLACE, column, old=cell, new=f"{cell}·")).cells


def _show_row_cells(checked: CheckedFile, location: CellLocation) -> None:
    """The selected row, a line for each column: its cell, the original value if it was fixed, its JSON pointer."""
    table, original = checked.mapped.table, checked.mapped.original
    lines = []
    for column in table.header[:COLUMNS_LISTED]:
        (cell,) = shorten_cells(table, column, [location.row])
        before = cell if original is None else shorten_cells(original, column, [location.row])[0]
        lines.append(
            {
                "": "▸" if column == location.column else "",
                "column": column,
                "cell": cell,
                "original": "" if cell == before else before or "(empty)",
                "in the event": locate_in_event(checked.mapped, column) or "not sent",
            }
        )
    st.dataframe(
        pd.DataFrame(lines),
        hide_index=True,
        height=min(35 * len(lines) + 38, 320),
        key=make_key("upload-record", location.row),
        on_select=_make_cell_selector(location.row, table.header, make_key("upload-record", location.row)),
        selection_mode="single-row",
        column_config={"": st.column_config.TextColumn(width=30)},
        alt="The selected row, a line for each column",
    )
    if len(table.header) > COLUMNS_LISTED:
        st.caption(f"The first {COLUMNS_LISTED:,} of {len(table.header):,} columns; any other is found by its name.")


def _make_cell_selector(row: int, header: tuple[str, ...], widget: str) -> Callable[[], None]:
    def choose() -> None:
        if chosen := st.session_state[widget].selection.rows:
            select_cell(row, header[chosen[0]])

    return choose
