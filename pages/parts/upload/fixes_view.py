"""Fixes of the file: suggestions with a preview, all certain ones together, and applied fixes that can be undone."""

import pandas as pd
import streamlit as st

from intempt_core.contract import format_count
from intempt_core.fixes import ColumnChange, Fix
from intempt_core.workers import ExportKind
from pages.parts.shared.downloads import show_download
from pages.parts.shared.formatting import escape_markdown
from pages.parts.shared.screen_state import make_key
from pages.parts.upload.excluded_rows_view import name_members
from pages.parts.upload.fixes_state import (
    accept_all_fixes,
    accept_table_fix,
    list_certain_fixes,
    load_fixes_state,
    preview_all_fixes,
    preview_table_fix,
    undo_all_fixes,
    undo_fix_group,
    undo_table_fix,
)
from pages.parts.upload.state import CheckedFile, get_upload_state

CELLS_PER_PAGE = 50
"""Cells on one page of a preview."""


def show_applied_fixes(checked: CheckedFile) -> None:
    """The applied fixes; each can be undone, whatever was applied after it, and those applied together as one."""
    if not checked.fixes:
        return
    groups = get_upload_state().fix_groups
    steps = list(zip(checked.fixes, checked.cells_changed, strict=True))
    grouped = {step.key for group in groups for step in group}
    with st.container(border=True, key="upload-fixes", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{format_count(len(steps), 'fix', 'fixes')}**", width="stretch")
            show_download(
                "corrected.csv",
                lambda: checked.export(ExportKind.FIXED_CSV).iter_texts(),
                "corrected.csv",
                "text/csv",
                key="upload-fixed-csv",
            )
            st.button("Undo all", key="upload-undo-all", on_click=undo_all_fixes)
        for number, group in enumerate(groups):
            mine = [(step, cells) for step, cells in steps if step in group]
            with st.container(horizontal=True, vertical_alignment="center"):
                cells = format_count(sum(count for _, count in mine), "cell")
                st.text(f"Applied together: {format_count(len(mine), 'fix', 'fixes')} in {cells}", width="stretch")
                st.button("Undo", key=make_key("upload-undo-group", number), on_click=undo_fix_group, args=(group,))
            for step, count in mine:
                st.caption(escape_markdown(step.describe(count, checked.mapped.table)))
        for number, (step, count) in enumerate(steps):
            if step.key not in grouped:
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.text(step.describe(count, checked.mapped.table), width="stretch")
                    st.button("Undo", key=make_key("upload-undo", number), on_click=undo_table_fix, args=(number, step))
        st.caption("Your file is not changed. The fixes are recorded with the batch.")


def show_fix_all(checked: CheckedFile) -> None:
    """The button for all fixes that need no decision, and the preview of what they change together."""
    certain = list_certain_fixes(checked)
    if not certain:
        return
    changes = [one.change for one in certain]
    cells = format_count(sum(change.cells for change in changes), "cell")
    if not load_fixes_state().previews_all:
        st.button(
            f"Apply all fixes ({cells})",
            key="upload-fix-all",
            on_click=preview_all_fixes,
            kwargs={"shown": True},
        )
        return
    with st.container(border=True, key="upload-fix-all-preview", gap="small"):
        for change in changes:
            st.text(change.message)
        count = sum(change.cells for change in changes)
        pages = -(-count // CELLS_PER_PAGE)
        widget = make_key("upload-fix-all-page", len(checked.fixes), count)
        page = st.pagination(pages, key=widget) if pages > 1 else 1
        show_changes(checked, changes, (page - 1) * CELLS_PER_PAGE)
        with st.container(horizontal=True):
            st.button(
                f"Apply {format_count(len(changes), 'fix', 'fixes')} to {cells}",
                key="upload-fix-all-now",
                type="primary",
                on_click=accept_all_fixes,
                args=(tuple(one.fix for one in certain),),
            )
            st.button("Cancel", key="upload-fix-all-cancel", on_click=preview_all_fixes, kwargs={"shown": False})


def show_changes(checked: CheckedFile, changes: list[ColumnChange], start: int) -> None:
    """One page of the cells that several fixes would change, one fix after another."""
    table, lines, before = checked.mapped.table, list[dict[str, object]](), 0
    for change in changes:
        page = slice(max(0, start - before), max(0, start + CELLS_PER_PAGE - before))
        rows = change.rows[page]
        lines += [
            {"line": line, "row": row, "column": change.fix.column, "now": now, "fixed": fixed}
            for line, row, now, fixed in zip(
                table.line_numbers(rows),
                table.row_numbers(rows),
                change.before[page].to_pylist(),
                change.after[page].to_pylist(),
                strict=True,
            )
        ]
        before += change.cells
    st.dataframe(
        pd.DataFrame(lines),
        hide_index=True,
        key="upload-fix-all-cells",
        alt="The cells that the fixes change, before and after",
    )


def show_fix_suggestions(checked: CheckedFile, code: str | None) -> None:
    """The suggested fixes for one kind of problem, or for all."""
    suggestions = [suggestion for suggestion in checked.suggestions if code in (None, suggestion.code)]
    if suggestions:
        with st.expander(
            f"{format_count(len(suggestions), 'fix', 'fixes')} one by one",
            key="upload-suggested-fixes",
            type="compact",
            expanded=code is not None,
        ):
            for number, suggestion in enumerate(suggestions):
                with st.container(horizontal=True, vertical_alignment="center"):
                    text = f"{suggestion.message} ({suggestion.reason})" if suggestion.reason else suggestion.message
                    st.button(
                        "Preview fix",
                        key=make_key("upload-suggested-fix", number),
                        on_click=preview_table_fix,
                        args=(suggestion.fix,),
                    )
                    st.text(text, width="stretch")
    elif code is not None:
        st.caption(f"No fix is certain for this kind of problem. {escape_markdown(checked.report.kind_of(code).fix)}")
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
