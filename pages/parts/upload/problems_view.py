"""Step 3 of the upload: problems by kind, the rows of one kind in one grid, and beside it the row that is looked at."""

import numpy as np
import pandas as pd
import streamlit as st

from intempt_core.contract import format_count
from intempt_core.workers import ExportKind
from pages.parts.shared.downloads import show_download
from pages.parts.shared.formatting import get_kind_style, label_state
from pages.parts.shared.screen_state import make_key, read_widget, set_widget
from pages.parts.upload.excluded_rows_view import show_excluded_download
from pages.parts.upload.expectations_view import show_issue_codes
from pages.parts.upload.fixes_view import show_applied_fixes, show_fix_all, show_fix_suggestions
from pages.parts.upload.problem_rows_view import RowsShown, show_problem_rows
from pages.parts.upload.row_panel_view import show_cell_finder, show_row_panel
from pages.parts.upload.state import CheckedFile

XLSX_MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

EVERY_KIND, EVERY_ROW, ALL_PARTS = "every kind", "every row", "all"


def show_problem_explorer(checked: CheckedFile, *, live: bool = True) -> None:
    """The problems of a file, and its fixes; without fixes where it is not ``live``."""
    report = checked.report
    if live:
        show_applied_fixes(checked)
        show_fix_all(checked)
    if report.all_counts:
        show_problem_kinds(checked)
    else:
        st.text("No problems found.")
    shown = choose_rows(checked)
    if live:
        show_fix_suggestions(checked, shown.code)
    grid, panel = st.columns([3, 2], gap="medium")
    with grid:
        show_problem_rows(checked, shown)
    with panel:
        show_row_panel(checked, live=live)
    show_issue_codes()


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
                    "code": code,
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
            "rows": st.column_config.NumberColumn(format="localized"),
            "where in the file": st.column_config.BarChartColumn(width=130, y_min=0),
            "show": st.column_config.ButtonColumn("its rows", width=90, on_click=show, key=widget),
        },
        key="upload-counts",
        alt="Problems by kind, with the number of rows and the fix",
    )


def choose_rows(checked: CheckedFile) -> RowsShown:
    """Choose which rows the grid shows: those of every kind of problem, of one, or of a part of one; or all rows."""
    report = checked.report
    if read_widget("upload-kind", EVERY_KIND) not in (EVERY_KIND, EVERY_ROW, *report.all_counts):
        set_widget("upload-kind", EVERY_KIND)  # a kind that was fixed is not there any more
    kinds = [EVERY_KIND, *report.all_counts] if report.all_counts else []
    titles = {code: report.kind_of(code).title for code in report.all_counts}  # a widget's function lives on with it
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.selectbox(
            "Show",
            [*kinds, EVERY_ROW],
            format_func=lambda kind: titles.get(kind, kind),
            key="upload-kind",
            width=320,
        )
        code = None if kind in (EVERY_KIND, EVERY_ROW) else kind
        part, parts = ALL_PARTS, report.part_counts(code) if code else {}
        if parts:
            part = st.selectbox(
                "Of these",
                [ALL_PARTS, *parts],
                format_func=lambda part: part if part == ALL_PARTS else f"{label_state(part)} ({parts[part]:,})",
                key=make_key("upload-part", code),
                width=240,
            )
        with st.container(width=340):
            show_cell_finder(checked)
        if report.all_counts:
            show_problem_downloads(checked)
    return RowsShown(code, None if part == ALL_PARTS else part, every_row=kind == EVERY_ROW)


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
