"""Step 3 of the upload: problems by kind, rows with the wrong cells highlighted, and downloads."""

from collections.abc import Sequence

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
    numbers = sorted({issue.place.row for issue in issues if issue.place.row is not None})
    indexes = [number - 1 for number in numbers]
    bad_cells = find_bad_cells(checked.mapped, issues)
    by_need = dict.fromkeys(
        (*(column for _, column in bad_cells), *checked.mapped.field_columns.values(), *table.header)
    )
    chosen = set([column for column in by_need if column is not None][:MAX_COLUMNS_SHOWN])
    shown = [column for column in table.header if column in chosen]
    team = {(issue.place.row, issue.place.column): "team" for issue in issues if issue.rule is not None}
    contract = find_bad_cells(checked.mapped, [issue for issue in issues if issue.rule is None])
    colours = {**_find_fixed_cells(checked, numbers, shown), **team, **contract}
    cells = pd.DataFrame(
        {column: table.take_cells(column, indexes, max_chars=MAX_CELL_SHOWN) for column in shown},
        pd.Index(numbers, name="row"),
    )

    def paint(line: "pd.Series[str]") -> list[str]:
        return [_CELL_COLOURS.get(colours.get((int(str(line.name)), column), ""), "") for column in shown]

    widget = make_key("upload-rows", get_upload_state().uploads, *indexes[:1], *indexes[-1:])

    def select_row() -> None:
        if selected := st.session_state[widget].selection.rows:
            row = numbers[selected[0]]
            columns = [issue.place.column for issue in issues if issue.place.row == row and issue.place.column]
            select_cell(row - 1, next(iter(columns), None) or _find_identity_column(checked))

    st.dataframe(
        cells.style.apply(paint, axis=1),
        column_config={"_index": st.column_config.NumberColumn("row")},
        key=widget,
        on_select=select_row,
        selection_mode="single-row",  # a selected cell of one table would take the next click into another
        alt="Rows with problems, with the cells highlighted; the box before a row selects it",
    )
    if len(shown) < len(table.header):
        st.caption(f"{len(shown)} of {format_count(len(table.header), 'column')}, including those with problems.")


def _find_fixed_cells(
    checked: CheckedFile, numbers: list[int], columns: Sequence[str]
) -> dict[tuple[int | None, str | None], str]:
    """The cells of these rows that differ from the original file, by row number and column."""
    table, original = checked.mapped.table, checked.mapped.original
    if original is None:
        return {}
    return {
        (number, column): "fixed"
        for column in columns
        if table.columns[column] is not original.columns[column]
        for number in numbers
        if table.columns[column][number - 1] != original.columns[column][number - 1]
    }


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
            select_cell(issue.place.row - 1, issue.place.column or _find_identity_column(checked))

    st.dataframe(
        pd.DataFrame(
            [
                {
                    "go": "Go to cell",
                    "": get_kind_style(issue.kind, is_team=issue.rule is not None).shape,
                    "line": issue.place.line,
                    "row": issue.place.row,
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
    if bad := int(report.excluded_mask.sum()):
        show_excluded_download(
            checked,
            f"{format_count(bad, 'row')} with errors",
            key="upload-rows-with-errors",
        )
