"""What stays behind, before anything is sent: which rows, and why. Part of step 4 of the upload."""

import pandas as pd
import streamlit as st

from intempt_core.contract import ISSUE_KINDS, Severity
from intempt_core.exports import export_event_lines, export_excluded_csv
from intempt_core.mapping import MappedDocuments
from pages.parts.shared.downloads import show_download
from pages.parts.shared.formatting import format_quantity
from pages.parts.shared.screen_state import make_key
from pages.parts.upload.state import CheckedFile, get_upload_state

EXCLUDED_PER_PAGE = 50
"""Rows of one page."""

EXCLUDED_COLUMNS = 20
"""Columns of a row that are shown, those that are sent first."""


def choose_exclusion(checked: CheckedFile) -> None:
    """Whether rows stay behind whose event was accepted there before, where there are any."""
    found, before = get_upload_state(), checked.accepted_before.size
    if not before:
        return
    st.session_state["upload-leave-out"] = found.exclude_accepted
    st.checkbox(
        f"Leave out the {format_quantity(before, 'row')} whose event was accepted here before",
        key="upload-leave-out",
        on_change=lambda: setattr(found, "exclude_accepted", st.session_state["upload-leave-out"]),
    )


def show_excluded_rows(checked: CheckedFile) -> None:
    """The rows that stay behind, page by page, each with its reasons; and all of them as a file."""
    found = get_upload_state()
    stay = checked.excluded_rows(everything=found.everything, exclude_accepted=found.exclude_accepted)
    if not stay.size:
        return
    with st.expander(
        f"{format_quantity(stay.size, 'row')} stay behind: which, and why", key="upload-staying", type="compact"
    ):
        pages = -(-stay.size // EXCLUDED_PER_PAGE)
        page = st.pagination(pages, key=make_key("upload-staying-page", stay.size)) if pages > 1 else 1
        show_excluded_table(checked, stay[(page - 1) * EXCLUDED_PER_PAGE : page * EXCLUDED_PER_PAGE].tolist())
        show_excluded_download(
            checked, stay.tolist(), f"Download {format_quantity(stay.size, 'row')}", key="upload-staying-csv"
        )


def show_excluded_download(checked: CheckedFile, excluded: list[int], label: str, *, key: str) -> None:
    """Rows that stay behind as a file of the kind that they came in: a table, or JSON lines."""
    mapped = checked.mapped
    if isinstance(mapped, MappedDocuments):
        show_download(
            label, lambda: export_event_lines(mapped, excluded), "stay-behind.jsonl", "application/jsonl", key=key
        )
    else:
        show_download(
            label,
            lambda: export_excluded_csv(mapped.table, checked.report, excluded),
            "stay-behind.csv",
            "text/csv",
            key=key,
        )


def show_excluded_table(checked: CheckedFile, some: list[int]) -> None:
    """Some rows that stay behind."""
    table = checked.mapped.table
    shown = list(dict.fromkeys((*checked.mapped.field_columns.values(), *table.header)))[:EXCLUDED_COLUMNS]
    st.dataframe(
        pd.DataFrame(
            {
                "line": table.line_numbers(some),
                "row": [row + 1 for row in some],
                "why": [
                    _format_reasons([issue.code for issue in found]) for found in checked.report.issues_by_row(some)
                ],
                **{f"{column} ": [cell[:120] for cell in table.take_cells(column, some)] for column in shown},
            }
        ),
        hide_index=True,
        key="upload-staying-rows",
        alt="Rows that stay behind, and why",
    )


def _format_reasons(codes: list[str]) -> str:
    kinds = [ISSUE_KINDS[code] for code in dict.fromkeys(codes)]
    errors = [kind.title for kind in kinds if kind.severity is Severity.ERROR]
    return ", ".join(errors) or ISSUE_KINDS["sent_before"].title
