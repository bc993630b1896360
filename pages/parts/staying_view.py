"""What stays behind, before anything is sent: which rows, and why. Part of step 4 of the upload."""

import pandas as pd
import streamlit as st

from intempt_core.exports import export_event_lines, export_excluded_csv
from intempt_core.issues import ISSUE_KINDS, Severity
from intempt_core.mapped import MappedDocuments
from pages.parts.look import counted
from pages.parts.session import key
from pages.parts.taking import download
from pages.parts.uploading import Judged, uploading

PAGE = 50
"""Rows of one page."""

COLUMNS = 20
"""Columns of a row that are shown, those that are sent first."""


def leave_out(judged: Judged) -> None:
    """Whether rows stay behind whose event was accepted there before, where there are any."""
    found, before = uploading(), judged.accepted_before.size
    if not before:
        return
    st.session_state["upload-leave-out"] = found.leave_out
    st.checkbox(
        f"Leave out the {counted(before, 'row')} whose event was accepted here before",
        key="upload-leave-out",
        on_change=lambda: setattr(found, "leave_out", st.session_state["upload-leave-out"]),
    )


def staying(judged: Judged) -> None:
    """The rows that stay behind, page by page, each with its reasons; and all of them as a file."""
    found = uploading()
    stay = judged.staying(everything=found.everything, leave_out=found.leave_out)
    if not stay.size:
        return
    with st.expander(f"{counted(stay.size, 'row')} stay behind: which, and why", key="upload-staying", type="compact"):
        pages = -(-stay.size // PAGE)
        page = st.pagination(pages, key=key("upload-staying-page", stay.size)) if pages > 1 else 1
        rows(judged, stay[(page - 1) * PAGE : page * PAGE].tolist())
        take_along(judged, stay.tolist(), f"Download {counted(stay.size, 'row')}", key="upload-staying-csv")


def take_along(judged: Judged, stay: list[int], label: str, *, key: str) -> None:
    """Rows that stay behind as a file of the kind that they came in: a table, or JSON lines."""
    mapped = judged.mapped
    if isinstance(mapped, MappedDocuments):
        download(label, lambda: export_event_lines(mapped, stay), "stay-behind.jsonl", "application/jsonl", key=key)
    else:
        download(
            label, lambda: export_excluded_csv(mapped.table, judged.report, stay), "stay-behind.csv", "text/csv", key=key
        )


def rows(judged: Judged, some: list[int]) -> None:
    """Some rows that stay behind."""
    table = judged.mapped.table
    shown = list(dict.fromkeys((*judged.mapped.field_columns.values(), *table.header)))[:COLUMNS]
    st.dataframe(
        pd.DataFrame(
            {
                "line": table.lines[some],
                "row": [row + 1 for row in some],
                "why": [_why([issue.code for issue in found]) for found in judged.report.issues_by_row(some)],
                **{f"{column} ": [cell[:120] for cell in table.take_cells(column, some)] for column in shown},
            }
        ),
        hide_index=True,
        key="upload-staying-rows",
        alt="Rows that stay behind, and why",
    )


def _why(codes: list[str]) -> str:
    kinds = [ISSUE_KINDS[code] for code in dict.fromkeys(codes)]
    errors = [kind.title for kind in kinds if kind.severity is Severity.ERROR]
    return ", ".join(errors) or ISSUE_KINDS["sent_before"].title
