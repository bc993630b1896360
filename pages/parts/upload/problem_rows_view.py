"""The grid of step 3: one page of rows, the wrong cells marked, and in words what is wrong with each row."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from intempt_core.contract import IDENTITY_FIELDS, Issue, format_count
from intempt_core.exports import find_bad_cells
from pages.parts.shared.formatting import get_kind_style
from pages.parts.shared.screen_state import make_key
from pages.parts.upload.excluded_rows_view import shorten_cells
from pages.parts.upload.fixes_state import load_fixes_state, select_cell, show_page
from pages.parts.upload.state import CheckedFile, get_upload_state

PROBLEMS_PER_PAGE = 20
"""Problems on one page: so many that the grid needs no scrolling of its own."""

MAX_COLUMNS_SHOWN = 40
"""Columns of a row that are shown: those with problems, then mapped ones, then the others."""

_CELL_COLOURS = {
    "error": "background-color: rgba(200, 50, 40, 0.25)",
    "warning": "background-color: rgba(210, 140, 30, 0.25)",
    "team": "background-color: rgba(130, 80, 200, 0.25)",
    "fixed": "background-color: rgba(60, 130, 200, 0.25)",
}


@dataclass(frozen=True, slots=True)
class RowsShown:
    """Which rows the grid shows.

    Attributes:
        code: The code whose rows are shown; ``None`` for those of every code.
        part: The part of the code; ``None`` for all of them.
        every_row: Whether all rows are shown, those without a problem among them.
    """

    code: str | None = None
    part: str | None = None
    every_row: bool = False

    def count(self, checked: CheckedFile) -> int:
        """How many issues, or rows, there are."""
        return checked.report.events if self.every_row else checked.report.issue_count(self.code, self.part)


def show_problem_rows(checked: CheckedFile, shown: RowsShown) -> None:
    """One page of rows; a click on the box before a row, or the buttons of the panel, choose the one beside it."""
    pages = -(-shown.count(checked) // PROBLEMS_PER_PAGE)
    widget = make_key("upload-page", "rows" if shown.every_row else shown.code, *filter(None, [shown.part]))
    page = st.pagination(pages, key=widget) if pages > 1 else 1
    start = (page - 1) * PROBLEMS_PER_PAGE
    report = checked.report
    if shown.every_row:
        indexes = list(range(start, min(start + PROBLEMS_PER_PAGE, report.events)))
        issues = [issue for some in report.issues_by_row(indexes) for issue in some]
    else:
        issues = report.issues(start, PROBLEMS_PER_PAGE, shown.code, shown.part)
        indexes = sorted({_find_event(checked, issue) for issue in issues if issue.place.row is not None})
    _show_document_issues(issues)
    firsts = _find_first_columns(checked, issues)
    show_page((shown.code, shown.part, shown.every_row, page), [(index, firsts.get(index)) for index in indexes])
    if indexes:
        _show_grid(checked, issues, indexes)


def _show_document_issues(issues: Sequence[Issue]) -> None:
    """What is wrong with the file and belongs to no row."""
    for issue in issues:
        if issue.place.row is None:
            st.text(f"{get_kind_style(issue.kind, is_team=issue.rule is not None).shape} {issue.message} {issue.fix}")


def _find_first_columns(checked: CheckedFile, issues: Sequence[Issue]) -> dict[int, str | None]:
    """The column to look at first in each event (from 0) with a problem: that of its first problem."""
    found: dict[int, str | None] = {}
    for issue in issues:
        if issue.place.row is not None:
            index = _find_event(checked, issue)
            found[index] = found.get(index) or issue.place.column
    identity = _find_identity_column(checked)
    return {index: column or identity for index, column in found.items()}


def _show_grid(checked: CheckedFile, issues: Sequence[Issue], indexes: list[int]) -> None:
    table = checked.mapped.table
    some = np.asarray(indexes, np.int64)
    numbers = list(zip(table.row_numbers(some), table.member_numbers(some), strict=True))
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
    problem = "problem"
    while problem in table.header:
        problem += " "
    cells = pd.DataFrame(
        {
            problem: _describe_problems(checked, issues, indexes),
            **{column: shorten_cells(table, column, indexes) for column in shown},
        },
        pd.Index(list(labels), name="row"),
    )

    def paint(line: "pd.Series[str]") -> list[str]:
        place = labels[line.name]
        return ["", *(_CELL_COLOURS.get(colours.get((*place, column), ""), "") for column in shown)]

    found = load_fixes_state()
    widget = make_key("upload-rows", get_upload_state().uploads, found.moves, *indexes[:1], *indexes[-1:])
    firsts = _find_first_columns(checked, issues)

    def select_row() -> None:
        if selected := st.session_state[widget].selection.rows:
            index = indexes[selected[0]]
            select_cell(index, firsts.get(index))

    is_on_page = found.location is not None and found.location.row in indexes
    current = indexes.index(found.location.row) if is_on_page and found.location else None
    st.dataframe(
        cells.style.apply(paint, axis=1),
        column_config={
            "_index": st.column_config.NumberColumn("row", pinned=True)
            if table.origin is None
            else st.column_config.TextColumn("row · member", pinned=True),
            problem: st.column_config.TextColumn("problem", width="medium"),
        },
        key=widget,
        height="content",
        on_select=select_row,
        selection_mode="single-row",  # a selected cell of one table would take the next click into another
        selection_default=None if current is None else {"selection": {"rows": [current]}},
        alt="Rows with problems, with the cells highlighted; the box before a row selects it, and so do the buttons"
        " Previous and Next beside it",
    )
    if len(shown) < len(table.header):
        st.caption(f"{len(shown)} of {format_count(len(table.header), 'column')}, including those with problems.")


def _describe_problems(checked: CheckedFile, issues: Sequence[Issue], indexes: list[int]) -> list[str]:
    """What is wrong with each row in a few words: its first problem, and how many more."""
    by_index: dict[int, list[Issue]] = {}
    for issue in issues:
        if issue.place.row is not None:
            by_index.setdefault(_find_event(checked, issue), []).append(issue)
    return [_name_problems(by_index.get(index, [])) for index in indexes]


def _name_problems(issues: list[Issue]) -> str:
    titles = dict.fromkeys(
        f"{get_kind_style(one.kind, is_team=one.rule is not None).shape} {one.kind.title}" for one in issues
    )
    first = next(iter(titles), "")
    return f"{first} and {len(titles) - 1} more" if len(titles) > 1 else first


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


def _find_identity_column(checked: CheckedFile) -> str | None:
    """The first column that is mapped to an identity."""
    columns = checked.mapped.field_columns
    return next((columns[identity] for identity in IDENTITY_FIELDS if identity in columns), None)
