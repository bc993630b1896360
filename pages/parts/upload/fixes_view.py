"""Fixes of the file: suggestions with a preview, applied fixes that can be undone, and one cell to edit."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from intempt_core.contract import BLANK_CHARACTERS, format_count
from intempt_core.fixes import ColumnChange, Fix, FixKind
from intempt_core.planning import CellLocation, locate_in_event, locate_in_request
from intempt_core.validation import PRIOR_SEND_CODES, find_prior_send
from intempt_core.workers import ExportKind
from pages.parts.shared.downloads import show_download
from pages.parts.shared.formatting import escape_markdown, format_state_badge
from pages.parts.shared.links import show_link
from pages.parts.shared.screen_state import make_key
from pages.parts.shared.services import get_services
from pages.parts.upload.excluded_rows_view import name_members
from pages.parts.upload.fixes_state import (
    accept_table_fix,
    go_to_cell,
    load_fixes_state,
    preview_table_fix,
    select_cell,
    undo_all_fixes,
    undo_table_fix,
    write_cell,
)
from pages.parts.upload.state import CheckedFile, get_upload_state

CELLS_PER_PAGE = 50
"""Cells on one page of a preview."""


def show_applied_fixes(checked: CheckedFile) -> None:
    """The applied fixes; each can be undone, whatever was applied after it."""
    if not checked.fixes:
        return
    steps = list(zip(checked.fixes, checked.cells_changed, strict=True))
    with st.container(border=True, key="upload-fixes", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{format_count(len(steps), 'fix', 'fixes')}**", width="stretch")
            show_download(
                "fixed.csv",
                lambda: checked.export(ExportKind.FIXED_CSV).iter_texts(),
                "fixed.csv",
                "text/csv",
                key="upload-fixed-csv",
            )
            st.button("Undo all", key="upload-undo-all", on_click=undo_all_fixes)
        for number, (step, cells) in enumerate(steps):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.text(step.describe(cells, checked.mapped.table), width="stretch")
                st.button("Undo", key=make_key("upload-undo", number), on_click=undo_table_fix, args=(number, step))
        st.caption("Your file is not changed. The fixes are recorded with the batch.")


def show_fix_suggestions(checked: CheckedFile, code: str | None) -> None:
    """The suggested fixes for one kind of problem, or for all."""
    suggestions = [suggestion for suggestion in checked.suggestions if code in (None, suggestion.code)]
    if suggestions:
        with st.container(key="upload-suggested-fixes", gap="xsmall"):
            for number, suggestion in enumerate(suggestions):
                with st.container(horizontal=True, vertical_alignment="center"):
                    text = f"{suggestion.message} ({suggestion.reason})" if suggestion.reason else suggestion.message
                    st.text(text, width="stretch")
                    st.button(
                        "Preview fix",
                        key=make_key("upload-suggested-fix", number),
                        on_click=preview_table_fix,
                        args=(suggestion.fix,),
                    )
    elif code is not None:
        st.caption(f"No fix is certain for this kind of problem. {checked.report.kind_of(code).fix}")
    previewed = load_fixes_state().previewed_fix
    if previewed is not None:
        show_table_fix_preview(checked, previewed)


def show_table_fix_preview(checked: CheckedFile, fix: Fix) -> None:
    """The cells that a fix would change, page by page, and the buttons to apply or cancel it."""
    change = checked.preview(fix)
    with st.container(border=True, key="upload-fix-preview"):
        st.text(change.message)
        pages = -(-change.cells // CELLS_PER_PAGE)
        page = st.pagination(pages, key=make_key("upload-fix-page", fix.key)) if pages > 1 else 1
        show_changed_cells(checked, change, (page - 1) * CELLS_PER_PAGE)
        with st.container(horizontal=True):
            st.button(
                f"Apply to {format_count(change.cells, 'cell')}",
                key="upload-fix",
                type="primary",
                on_click=accept_table_fix,
                args=(fix,),
            )
            st.button("Cancel", key="upload-fix-cancel", on_click=preview_table_fix, args=(None,))


def show_changed_cells(checked: CheckedFile, change: ColumnChange, start: int) -> None:
    """One page of the cells that a fix would change."""
    page = slice(start, start + CELLS_PER_PAGE)
    rows = change.rows[page]
    st.dataframe(
        pd.DataFrame(
            {
                "line": checked.mapped.table.line_numbers(rows),
                "row": checked.mapped.table.row_numbers(rows),
                **name_members(checked.mapped.table, rows),
                f"{change.fix.column} now": change.before[page].to_pylist(),
                "fixed": change.after[page].to_pylist(),
            }
        ),
        hide_index=True,
        key="upload-fix-cells",
        alt="The cells that the fix changes, before and after",
    )


# ── one cell ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def show_cell_finder(checked: CheckedFile) -> None:
    """The input that finds a cell by row, line or JSON pointer."""
    widget = "upload-find"
    st.text_input(
        "Find a cell",
        key=widget,
        placeholder="row 18 · line 19 product_id · track[0].payload[16].data.productId",
        on_change=go_to_cell,
        args=(checked, widget),
    )
    if load_fixes_state().message:
        st.text(load_fixes_state().message)


def show_cell_card(checked: CheckedFile, *, live: bool) -> None:
    """The selected cell: its place in the file and in the JSON, its row, its problems, and the editor."""
    location = load_fixes_state().location
    if location is None or location.row >= checked.mapped.rows:
        return
    with st.container(border=True, key="upload-cell"):
        st.text(_describe_location(checked, location))
        for issue in checked.report.issues_of(location.row):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(format_state_badge(issue.severity), width="content")
                column = f"{issue.place.column}: " if issue.place.column else ""
                st.text(f"{column}{issue.message} {issue.fix}", width="stretch")
                if issue.code in PRIOR_SEND_CODES:
                    _show_earlier_batch(checked, location.row)
        first = checked.report.first_row_of(location.row)
        if first is not None:
            st.button(
                f"Go to {checked.mapped.table.name_row(first)}, the first with this event id",
                key="upload-first-of",
                on_click=select_cell,
                args=(first, checked.mapped.field_columns.get("eventId")),
            )
        _show_row_cells(checked, location)
        if live and location.column is not None:
            _show_cell_editor(checked, location, location.column)


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
    line = checked.mapped.table.describe_line(location.row)
    name = checked.mapped.table.name_row(location.row)
    parts = [name[0].upper() + name[1:], *([line] if line else [])]
    if location.column is not None:
        parts.append(f"column {location.column}")
        parts.append(f"in the event {locate_in_event(checked.mapped, location.column) or '–'}")
    found = get_upload_state()
    plan = checked.plan(found)
    place = locate_in_request(checked.mapped, plan, location.row, location.column)
    parts.append(f"request {place.request:,}: {place.path}" if place else "skipped")
    return " · ".join(parts)


def _show_row_cells(checked: CheckedFile, location: CellLocation) -> None:
    """The selected row, a line for each column: its cell, the original value if it was fixed, its JSON pointer."""
    table, original = checked.mapped.table, checked.mapped.original
    lines = []
    for column in table.header:
        cell = table.cell(location.row, column)
        before = cell if original is None else original.cell(location.row, column)
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


def _make_cell_selector(row: int, header: tuple[str, ...], widget: str) -> Callable[[], None]:
    def choose() -> None:
        if chosen := st.session_state[widget].selection.rows:
            select_cell(row, header[chosen[0]])

    return choose


def _show_cell_editor(checked: CheckedFile, location: CellLocation, column: str) -> None:
    """The form that changes a cell, alone or with all cells of the same value."""
    table = checked.mapped.table
    cell = table.cell(location.row, column)
    alike = checked.preview(Fix(FixKind.REPLACE, column, old=cell, new=f"{cell}·")).cells
    widget = make_key("upload-new", location.row, table.header.index(column), len(checked.fixes))
    if any(character in BLANK_CHARACTERS for character in cell if character != " ") or cell != cell.strip():
        visible = "".join(f"‹U+{ord(one):04X}›" if one in BLANK_CHARACTERS else one for one in cell)
        st.text(f"With invisible characters shown: {visible}")
    with st.form(make_key("upload-edit", location.row, column), border=False):
        ask = st.text_area if "\n" in cell or "\r" in cell else st.text_input
        ask(f"New value of {escape_markdown(column)} in {table.name_row(location.row)}", cell, key=widget)
        with st.container(horizontal=True):
            st.form_submit_button(
                "Change this cell",
                key="upload-edit-one",
                on_click=write_cell,
                args=(checked, widget),
                kwargs={"alike": False},
            )
            if alike > 1:
                st.form_submit_button(
                    f"Change all {format_count(alike, 'cell')} with this value",
                    key="upload-edit-alike",
                    on_click=write_cell,
                    args=(checked, widget),
                    kwargs={"alike": True},
                )
