"""Step 3 of the upload: problems by kind, the rows with the bad cell marked, and the ways to take them along."""

import pandas as pd
import streamlit as st

from intempt_core import Issue
from intempt_core.events import IDENTITIES
from intempt_core.exports import left_behind_csv, problems_csv
from intempt_core.issues import CATALOGUE
from pages.parts.look import LOOKS, counted
from pages.parts.session import key
from pages.parts.uploading import Judged

PAGE = 50
"""Rows of one page of problems."""

CELL = 120
"""Characters of a cell that the table of rows shows; the whole stands in the list below it."""


def explorer(judged: Judged) -> None:
    """Everything that is wrong with a file."""
    report = judged.report
    if not report.counts:
        st.text("Every row is as the contract wants it.")
        return
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "kind": f"{LOOKS[CATALOGUE[code].severity].shape} {CATALOGUE[code].title}",
                    "rows": count,
                    "mend": CATALOGUE[code].mend,
                }
                for code, count in report.counts.items()
            ]
        ),
        hide_index=True,
        key="upload-counts",
        alt="Problems by kind, with the number of rows and the mend",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        code = st.selectbox(
            "Show",
            [None, *report.counts],
            format_func=lambda code: "every kind" if code is None else CATALOGUE[code].title,
            key="upload-kind",
            width=320,
        )
        downloads(judged)
    total = len(report.rows_of(code)) if code else int(sum(report.counts.values()))
    page = st.pagination(max(1, -(-total // PAGE)), key=key("upload-page", code)) if total > PAGE else 1
    issues = report.issues((page - 1) * PAGE, PAGE, code)
    rows(judged, issues)
    for_reading(issues)


def rows(judged: Judged, issues: list[Issue]) -> None:
    """The rows of some issues as they stand in the file, the bad cells marked."""
    table = judged.mapped.table
    numbers = sorted({issue.place.row for issue in issues if issue.place.row is not None})
    shown = table.header[:40]
    cells = pd.DataFrame(
        [{"row": f"{n:,}", **{c: table.cell(n - 1, c)[:CELL] for c in shown}} for n in numbers], columns=["row", *shown]
    )
    marks = marked_cells(judged, issues)

    def paint(line: "pd.Series[str]") -> list[str]:
        number = numbers[int(str(line.name))]
        return [_COLOURS.get(marks.get((number, column), ""), "") for column in cells.columns]

    st.dataframe(
        cells.style.apply(paint, axis=1), hide_index=True, key="upload-rows", alt="Rows with problems, bad cells marked"
    )


_COLOURS = {
    "error": "background-color: rgba(200, 50, 40, 0.25)",
    "warning": "background-color: rgba(210, 140, 30, 0.25)",
}


def marked_cells(judged: Judged, issues: list[Issue]) -> dict[tuple[int | None, str | None], str]:
    """The bad cells, by row and column; where nobody is named, every identity column is; an error outdoes a warning."""
    columns = judged.mapped.field_columns
    marks: dict[tuple[int | None, str | None], str] = {}
    for issue in sorted(issues, key=lambda issue: issue.severity.value, reverse=True):
        nobody = issue.code == "identity_missing"
        bad = [columns.get(identity) for identity in IDENTITIES] if nobody else [issue.place.column]
        marks |= dict.fromkeys(((issue.place.row, column) for column in bad), issue.severity.value)
    return marks


def for_reading(issues: list[Issue]) -> None:
    """The same issues as sentences: line, row, column, what was given, pointer, mend."""
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "": LOOKS[issue.severity].shape,
                    "line": issue.place.line,
                    "row": issue.place.row,
                    "column": issue.place.column,
                    "what is wrong": issue.says,
                    "mend": issue.mend,
                    "in the event": issue.place.path,
                }
                for issue in issues
            ]
        ),
        hide_index=True,
        key="upload-issues",
        alt="The problems of these rows in sentences",
    )


def downloads(judged: Judged) -> None:
    """Problems, and the rows that stay behind, as files."""
    report = judged.report
    st.download_button(
        "problems.csv",
        lambda: "".join(problems_csv(report)),
        "problems.csv",
        "text/csv",
        key="upload-problems",
        on_click="ignore",
    )
    if report.rows_with_errors:
        st.download_button(
            f"{counted(report.rows_with_errors, 'row')} that stay behind",
            lambda: "".join(left_behind_csv(judged.mapped.table, report)),
            "stay-behind.csv",
            "text/csv",
            key="upload-left-behind",
            on_click="ignore",
        )
