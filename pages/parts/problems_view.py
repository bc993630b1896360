"""Step 3 of the upload: problems by kind, the rows with the bad cell marked, and the ways to take them along."""

import numpy as np
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

COLUMNS = 40
"""Columns of a row that are shown: the bad ones, then those that are sent, then the others."""

BINS = 24
"""Pieces of a file in the small picture of where a kind of problem is."""

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
                    "where in the file": np.histogram(report.rows_of(code), BINS, (0, report.rows))[0].tolist(),
                    "mend": CATALOGUE[code].mend,
                }
                for code, count in report.counts.items()
            ]
        ),
        hide_index=True,
        column_config={"where in the file": st.column_config.BarChartColumn(width="small")},
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
    pages = -(-report.issue_count(code) // PAGE)
    page = st.pagination(pages, key=key("upload-page", code)) if pages > 1 else 1
    issues = report.issues((page - 1) * PAGE, PAGE, code)
    rows(judged, issues)
    for_reading(issues)


def rows(judged: Judged, issues: list[Issue]) -> None:
    """The rows of some issues as they stand in the file, the bad cells marked."""
    table = judged.mapped.table
    numbers = sorted({issue.place.row for issue in issues if issue.place.row is not None})
    marks = marked_cells(judged, issues)
    bad = dict.fromkeys(column for _, column in marks)
    wanted = dict.fromkeys((*bad, *judged.mapped.mapping.columns, *table.header))
    first = set([column for column in wanted if column is not None][:COLUMNS])
    shown = [column for column in table.header if column in first]
    cells = pd.DataFrame(
        [[table.cell(number - 1, column)[:CELL] for column in shown] for number in numbers],
        pd.Index(numbers, name="row"),
        shown,
    )

    def paint(line: "pd.Series[str]") -> list[str]:
        return [_COLOURS.get(marks.get((int(str(line.name)), column), ""), "") for column in shown]

    st.dataframe(
        cells.style.apply(paint, axis=1),
        column_config={"_index": st.column_config.NumberColumn("row")},
        key="upload-rows",
        alt="Rows with problems, bad cells marked",
    )
    if len(shown) < len(table.header):
        st.caption(f"{len(shown)} of {counted(len(table.header), 'column')}, the bad ones among them.")


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
                    "column": issue.place.column or "",
                    "what is wrong": issue.says,
                    "mend": issue.mend,
                    "in the event": issue.place.path or "",
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
