"""Step 3 of the upload: problems by kind, rows with the wrong cells highlighted, and downloads."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from intempt_core.contract import IDENTITY_FIELDS, Issue, format_count
from intempt_core.exports import find_bad_cells
from intempt_core.workers import ExportKind
from pages.parts.shared.downloads import show_download
from pages.parts.shared.formatting import get_kind_style, label_state
from pages.parts.shared.screen_state import make_key, read_widget, set_widget
from pages.parts.upload.excluded_rows_view import MAX_CELL_SHOWN, show_excluded_download
from pages.parts.upload.fixes_state import select_cell
from pages.parts.upload.fixes_view import show_applied_fixes, show_cell_card, show_cell_finder, show_fix_suggestions
from pages.parts.upload.state import CheckedFile, get_upload_state

XLSX_MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

PROBLEMS_PER_PAGE = 50
"""Problems on one page."""

MAX_COLUMNS_SHOWN = 40
"""Columns of a row that are shown: those with problems, then mapped ones, then the others."""

EVERY_KIND, ALL_PARTS = "every kind", "all"


def show_problem_explorer(checked: CheckedFile, *, live: bool = True) -> None:
    """The problems of a file, and its fixes; without fixes where it is not ``live``."""
    report = checked.report
    if report.all_counts:
        show_problem_kinds(checked)
    else:
        st.text("No problems found.")
    if live:
        show_applied_fixes(checked)
    code, part = choose_problem_kind(checked)
    if live:
        show_fix_suggestions(checked, code)
    show_cell_finder(checked)
    show_cell_card(checked, live=live)
    pages = -(-report.issue_count(code, part) // PROBLEMS_PER_PAGE)
    page = st.pagination(pages, key=make_key("upload-page", code, *filter(None, [part]))) if pages > 1 else 1
    if issues := report.issues((page - 1) * PROBLEMS_PER_PAGE, PROBLEMS_PER_PAGE, code, part):
        show_problem_rows(checked, issues)
        show_problem_sentences(checked, issues)


def show_problem_kinds(checked: CheckedFile) -> None:
    """The kinds of problems: number of rows, place in the file, how to fix them; a click shows one kind."""
    report, widget = checked.report, "upload-show-kind"
    counts = report.all_counts
    codes = list(counts)
    suggested = {fix.code: f"{fix.message} …" for fix in reversed(checked.suggestions)}

    def show() -> None:
        set_widget("upload-kind", codes[st.session_state[widget].row])

    st.dataframe(
        pd.DataFrame(
            [
                {
                    "kind": f"{get_kind_style(report.kind_of(code), is_team=code in report.rule_counts).shape}"
                    f" {report.kind_of(code).title}",
                    "rows": count,
                    "where in the file": checked.issue_histogram[code],
                    "fix": suggested.get(code, report.kind_of(code).fix),
                    "show": "Show",
                }
                for code, count in counts.items()
            ]
        ),
        hide_index=True,
        column_config={
            "where in the file": st.column_config.BarChartColumn(width="small"),
            "show": st.column_config.ButtonColumn("", width=90, on_click=show, key=widget),
        },
        key="upload-counts",
        alt="Problems by kind, with the number of rows and the fix",
    )


def choose_problem_kind(checked: CheckedFile) -> tuple[str | None, str | None]:
    """The chosen kind of problems, and the part of it."""
    report = checked.report
    if read_widget("upload-kind", EVERY_KIND) not in report.all_counts:
        set_widget("upload-kind", EVERY_KIND)  # a kind that was fixed is not there any more
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.selectbox(
            "Show",
            [EVERY_KIND, *report.all_counts],
            format_func=lambda code: code if code == EVERY_KIND else report.kind_of(code).title,
            key="upload-kind",
            width=320,
        )
        code = None if kind == EVERY_KIND else kind
        part, parts = ALL_PARTS, report.part_counts(code) if code else {}
        if parts:
            part = st.selectbox(
                "Of these",
                [ALL_PARTS, *parts],
                format_func=lambda part: part if part == ALL_PARTS else f"{label_state(part)} ({parts[part]:,})",
                key=make_key("upload-part", code),
                width=240,
            )
        if report.all_counts:
            show_problem_downloads(checked)
    return code, None if part == ALL_PARTS else part


def show_problem_rows(checked: CheckedFile, issues: list[Issue]) -> None:
    """The rows of some issues, with the cells highlighted that have a problem or were fixed."""
    table = checked.mapped.table
    places = {_find_event(checked, issue): issue.place for issue in issues if issue.place.row is not None}
    indexes = sorted(places)
    numbers = [(places[index].row, places[index].member) for index in indexes]
    bad_cells = find_bad_cells(checked.mapped, issues)
    by_need = dict.fromkeys(
        (*(column for _, _, column in bad_cells), *checked.mapped.field_columns.values(), *table.header)
    )
    chosen = set([column for column in by_need if column is not None][:MAX_COLUMNS_SHOWN])
    shown = [column for column in table.header if column in chosen]
    team = {
        (issue.place.row, issue.place.member, issue.place.column): "team" for issue in issues if issue.rule is not None
    }
    contract = find_bad_cells(checked.mapped, [issue for issue in issues if issue.rule is None])
    colours = {**_find_fixed_cells(checked, indexes, shown), **team, **contract}
    labels: dict[object, tuple[int | None, int]] = {_label_event(place): place for place in numbers}
    cells = pd.DataFrame(
        {column: table.take_cells(column, indexes, max_chars=MAX_CELL_SHOWN) for column in shown},
        pd.Index(list(labels), name="row"),
    )

    def paint(line: "pd.Series[str]") -> list[str]:
        place = labels[line.name]
        return [_CELL_COLOURS.get(colours.get((*place, column), ""), "") for column in shown]

    widget = make_key("upload-rows", get_upload_state().uploads, *indexes[:1], *indexes[-1:])

    def select_row() -> None:
        if selected := st.session_state[widget].selection.rows:
            row, member = numbers[selected[0]]
            mine = [issue.place for issue in issues if (issue.place.row, issue.place.member) == (row, member)]
            columns = [place.column for place in mine if place.column]
            select_cell(indexes[selected[0]], next(iter(columns), None) or _find_identity_column(checked))

    st.dataframe(
        cells.style.apply(paint, axis=1),
        column_config={
            "_index": st.column_config.NumberColumn("row")
            if table.origin is None
            else st.column_config.TextColumn("row · member")
        },
        key=widget,
        on_select=select_row,
        selection_mode="single-row",  # a selected cell of one table would take the next click into another
        alt="Rows with problems, with the cells highlighted; the box before a row selects it",
    )
    if len(shown) < len(table.header):
        st.caption(f"{len(shown)} of {format_count(len(table.header), 'column')}, including those with problems.")


def _find_fixed_cells(
    checked: CheckedFile, indexes: list[int], columns: Sequence[str]
) -> dict[tuple[int | None, int, str | None], str]:
    """The cells of these events (from 0) that differ from the original file, by row number, member and column."""
    table, original = checked.mapped.table, checked.mapped.original
    if original is None:
        return {}
    some = np.asarray(indexes, np.int64)
    places = list(zip(table.row_numbers(some), table.member_numbers(some), strict=True))
    return {
        (*place, column): "fixed"
        for column in columns
        if table.columns[column] is not original.columns[column]
        for index, place in zip(indexes, places, strict=True)
        if table.columns[column][index] != original.columns[column][index]
    }


def _label_event(place: tuple[int | None, int]) -> int | str | None:
    """The row of an event, with its member where a row is several."""
    row, member = place
    return f"{row} · {member}" if member else row


def _find_event(checked: CheckedFile, issue: Issue) -> int:
    """The event (from 0) of an issue that has a row."""
    found = checked.mapped.table.find_place(issue.place.row or 0, issue.place.member or None)
    return found or 0


_CELL_COLOURS = {
    "error": "background-color: rgba(200, 50, 40, 0.25)",
    "warning": "background-color: rgba(210, 140, 30, 0.25)",
    "team": "background-color: rgba(130, 80, 200, 0.25)",
    "fixed": "background-color: rgba(60, 130, 200, 0.25)",
}


def show_problem_sentences(checked: CheckedFile, issues: list[Issue]) -> None:
    """The same issues as sentences: place, problem, fix and JSON pointer; a click leads to the cell."""
    widget = "upload-go"

    def go() -> None:
        issue = issues[st.session_state[widget].row]
        if issue.place.row is not None:
            select_cell(_find_event(checked, issue), issue.place.column or _find_identity_column(checked))

    st.dataframe(
        pd.DataFrame(
            [
                {
                    "go": "Go to cell",
                    "": get_kind_style(issue.kind, is_team=issue.rule is not None).shape,
                    "line": issue.place.line,
                    "row": issue.place.row,
                    **({} if checked.report.origin is None else {"member": issue.place.member}),
                    "column": issue.place.column or "",
                    "problem": issue.message,
                    "fix": issue.fix,
                    "in the event": issue.place.path or "",
                }
                for issue in issues
            ]
        ),
        hide_index=True,
        column_config={
            "": st.column_config.TextColumn(width=30),
            "go": st.column_config.ButtonColumn("", width=100, on_click=go, key=widget),
        },
        key="upload-issues",
        alt="The problems of these rows in sentences; a click leads to the cell",
    )


def _find_identity_column(checked: CheckedFile) -> str | None:
    """The first column that is mapped to an identity."""
    columns = checked.mapped.field_columns
    return next((columns[identity] for identity in IDENTITY_FIELDS if identity in columns), None)


def show_problem_downloads(checked: CheckedFile) -> None:
    """The downloads of the problems, and of the rows with errors."""
    report = checked.report
    show_download(
        "problems.csv",
        lambda: checked.export(ExportKind.PROBLEMS_CSV).iter_texts(),
        "problems.csv",
        "text/csv",
        key="upload-problems",
    )
    show_download(
        "problems.xlsx",
        lambda: checked.export(ExportKind.PROBLEMS_XLSX).read(),
        "problems.xlsx",
        XLSX_MIME,
        key="upload-problems-xlsx",
    )
    if report.excluded_mask.any():
        bad = report.input_rows_of(np.flatnonzero(report.excluded_mask)).size
        show_excluded_download(
            checked,
            f"{format_count(bad, 'row')} with errors",
            key="upload-rows-with-errors",
        )
