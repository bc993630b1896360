"""Step 3 of the upload: problems by kind, the rows with the bad cell marked, and the ways to take them along."""

import io

import pandas as pd
import streamlit as st

from intempt_core import Issue
from intempt_core.coloured import find_bad_cells, write_problems_xlsx
from intempt_core.events import IDENTITY_FIELDS
from intempt_core.exports import export_problems_csv
from intempt_core.issues import ISSUE_KINDS
from pages.parts import mending, mends_view, staying_view
from pages.parts.look import LOOKS, counted
from pages.parts.session import key, put, value
from pages.parts.taking import download
from pages.parts.uploading import Judged, uploading

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

WORKBOOK_ROWS = 100_001
"""Rows of the workbook that the screen makes while one waits; ``check --problems`` makes one as large as a sheet."""

PAGE = 50
"""Rows of one page of problems."""

COLUMNS = 40
"""Columns of a row that are shown: the bad ones, then those that are sent, then the others."""

EVERY, ALL = "every kind", "all of them"

CELL = 120
"""Characters of a cell that the table of rows shows; the whole stands in the list below it."""


def explorer(judged: Judged, *, live: bool = True) -> None:
    """Everything that is wrong with a file, and what can be done about it; nothing more where it is not ``live``."""
    report = judged.report
    if report.counts:
        kinds(judged)
    else:
        st.text("Every row is as the contract wants it.")
    if live:
        mends_view.mended(judged)
    code, part = chosen(judged)
    if live:
        mends_view.offers(judged, code)
    mends_view.finder(judged)
    mends_view.card(judged, live=live)
    pages = -(-report.issue_count(code, part) // PAGE)
    page = st.pagination(pages, key=key("upload-page", code, *filter(None, [part]))) if pages > 1 else 1
    if issues := report.issues((page - 1) * PAGE, PAGE, code, part):
        rows(judged, issues)
        for_reading(judged, issues)


def kinds(judged: Judged) -> None:
    """The kinds of problems: how many rows, where in the file, what would mend them; a click shows one kind."""
    report, widget = judged.report, "upload-show-kind"
    codes = list(report.counts)
    words = {one.code: f"{one.message} …" for one in reversed(judged.offers)}

    def show() -> None:
        put("upload-kind", codes[st.session_state[widget].row])

    st.dataframe(
        pd.DataFrame(
            [
                {
                    "kind": f"{LOOKS[ISSUE_KINDS[code].severity].shape} {ISSUE_KINDS[code].title}",
                    "rows": count,
                    "where in the file": judged.where[code],
                    "mend": words.get(code, ISSUE_KINDS[code].fix),
                    "show": "Show",
                }
                for code, count in report.counts.items()
            ]
        ),
        hide_index=True,
        column_config={
            "where in the file": st.column_config.BarChartColumn(width="small"),
            "show": st.column_config.ButtonColumn("", width=90, on_click=show, key=widget),
        },
        key="upload-counts",
        alt="Problems by kind, with the number of rows and the mend",
    )


def chosen(judged: Judged) -> tuple[str | None, str | None]:
    """The kind that is shown, and the part of it, as the person chose."""
    report = judged.report
    if value("upload-kind", EVERY) not in report.counts:
        put("upload-kind", EVERY)  # what was mended is no kind any more
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.selectbox(
            "Show",
            [EVERY, *report.counts],
            format_func=lambda code: code if code == EVERY else ISSUE_KINDS[code].title,
            key="upload-kind",
            width=320,
        )
        code = None if kind == EVERY else kind
        part, parts = ALL, report.part_counts(code) if code else {}
        if parts:
            part = st.selectbox(
                "Among them",
                [ALL, *parts],
                format_func=lambda part: part if part == ALL else f"{part} ({parts[part]:,})",
                key=key("upload-part", code),
                width=240,
            )
        if report.counts:
            downloads(judged)
    return code, None if part == ALL else part


def rows(judged: Judged, issues: list[Issue]) -> None:
    """The rows of some issues as they stand in the file, the bad cells marked, and those that were mended."""
    table, original = judged.mapped.table, judged.mapped.original
    numbers = sorted({issue.place.row for issue in issues if issue.place.row is not None})
    marks: dict[tuple[int | None, str | None], str] = {**find_bad_cells(judged.mapped, issues)}
    bad = dict.fromkeys(column for _, column in marks)
    wanted = dict.fromkeys((*bad, *judged.mapped.field_columns.values(), *table.header))
    first = set([column for column in wanted if column is not None][:COLUMNS])
    shown = [column for column in table.header if column in first]
    at = [number - 1 for number in numbers]
    texts = {column: table.take_cells(column, at) for column in shown}
    if original is not None:
        for column in shown:
            if table.columns[column] is not original.columns[column]:
                before = zip(numbers, texts[column], original.take_cells(column, at), strict=True)
                marks |= {
                    (number, column): "mended"
                    for number, now, then in before
                    if now != then and (number, column) not in marks
                }
    cells = pd.DataFrame(
        {column: [cell[:CELL] for cell in texts[column]] for column in shown}, pd.Index(numbers, name="row")
    )

    def paint(line: "pd.Series[str]") -> list[str]:
        return [_COLOURS.get(marks.get((int(str(line.name)), column), ""), "") for column in shown]

    widget = key("upload-rows", uploading().uploads, *at[:1], *at[-1:])

    def look() -> None:
        if some := st.session_state[widget].selection.rows:
            row = numbers[some[0]]
            columns = [issue.place.column for issue in issues if issue.place.row == row and issue.place.column]
            mending.look(row - 1, next(iter(columns), None) or _identity(judged))

    st.dataframe(
        cells.style.apply(paint, axis=1),
        column_config={"_index": st.column_config.NumberColumn("row")},
        key=widget,
        on_select=look,
        selection_mode="single-row",  # a chosen cell of one table would swallow the next click into another
        alt="Rows with problems, bad cells marked; the box before a row looks at it",
    )
    if len(shown) < len(table.header):
        st.caption(f"{len(shown)} of {counted(len(table.header), 'column')}, the bad ones among them.")


_COLOURS = {
    "error": "background-color: rgba(200, 50, 40, 0.25)",
    "warning": "background-color: rgba(210, 140, 30, 0.25)",
    "mended": "background-color: rgba(60, 130, 200, 0.25)",
}


def for_reading(judged: Judged, issues: list[Issue]) -> None:
    """The same issues as sentences: line, row, column, what was given, pointer, mend; a click leads to the cell."""
    widget = "upload-go"

    def go() -> None:
        issue = issues[st.session_state[widget].row]
        if issue.place.row is not None:
            mending.look(issue.place.row - 1, issue.place.column or _identity(judged))

    st.dataframe(
        pd.DataFrame(
            [
                {
                    "go": "Go there",
                    "": LOOKS[issue.severity].shape,
                    "line": issue.place.line,
                    "row": issue.place.row,
                    "column": issue.place.column or "",
                    "what is wrong": issue.message,
                    "mend": issue.fix,
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


def _identity(judged: Judged) -> str | None:
    """The column in which somebody could be named."""
    columns = judged.mapped.field_columns
    return next((columns[identity] for identity in IDENTITY_FIELDS if identity in columns), None)


def _workbook(judged: Judged) -> bytes:
    book = io.BytesIO()
    write_problems_xlsx(judged.mapped, judged.report, book, max_rows=WORKBOOK_ROWS)
    return book.getvalue()


def downloads(judged: Judged) -> None:
    """Problems, and the rows that stay behind, as files."""
    report = judged.report
    download("problems.csv", lambda: export_problems_csv(report), "problems.csv", "text/csv", key="upload-problems")
    download("problems.xlsx", lambda: _workbook(judged), "problems.xlsx", XLSX, key="upload-problems-xlsx")
    if report.rows_with_errors:
        staying_view.take_along(
            judged,
            report.error_mask.nonzero()[0].tolist(),
            f"{counted(report.rows_with_errors, 'row')} that stay behind",
            key="upload-left-behind",
        )
