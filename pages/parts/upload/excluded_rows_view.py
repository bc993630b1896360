"""Rows of the file that are not sent: which, and why. Part of step 4 of the upload."""

from collections.abc import Iterable

import pandas as pd
import streamlit as st

from intempt_core.contract import ISSUE_KINDS, Issue, Severity, format_count
from intempt_core.mapping import MappedDocuments
from intempt_core.workers import ExportKind
from pages.parts.shared.downloads import show_download
from pages.parts.shared.screen_state import make_key
from pages.parts.upload.state import CheckedFile, get_upload_state

EXCLUDED_PER_PAGE = 50
"""Rows on one page."""

MAX_CELL_SHOWN = 120
"""Characters of a cell that are shown."""

EXCLUDED_COLUMNS = 20
"""Columns of a row that are shown: mapped ones first."""


def choose_exclusion(checked: CheckedFile) -> None:
    """The choice to skip rows whose event was sent before: where any was accepted, or a batch is half recorded."""
    found, accepted = get_upload_state(), checked.accepted_before.size
    half = len(checked.task.superseded)
    if not (accepted or half):
        return
    label = f"Skip the {format_count(accepted, 'row')} whose event this target accepted before"
    if half:
        batches = "the batch that stopped" if half == 1 else f"the {half} batches that stopped"
        skipped = format_count(checked.sent_before.size, "row")
        label = (
            f"Send only the rest of {batches} half recorded: skip the {skipped} that went, or may have, and cancel what"
            " never left of it there"
        )
    st.session_state["upload-skip-accepted"] = found.exclude_accepted
    st.checkbox(
        label,
        key="upload-skip-accepted",
        on_change=lambda: setattr(found, "exclude_accepted", st.session_state["upload-skip-accepted"]),
    )


def show_excluded_rows(checked: CheckedFile) -> None:
    """The rows that are not sent, page by page, each with its reasons; and all of them as a file."""
    found = get_upload_state()
    rows = checked.excluded_rows(everything=found.everything, exclude_accepted=found.exclude_accepted)
    if not rows.size:
        return
    with st.expander(
        f"{format_count(rows.size, 'row')} skipped: which, and why", key="upload-excluded", type="compact"
    ):
        pages = -(-rows.size // EXCLUDED_PER_PAGE)
        page = st.pagination(pages, key=make_key("upload-excluded-page", rows.size)) if pages > 1 else 1
        show_excluded_table(checked, rows[(page - 1) * EXCLUDED_PER_PAGE : page * EXCLUDED_PER_PAGE].tolist())
        show_excluded_download(
            checked,
            f"Download {format_count(rows.size, 'row')}",
            key="upload-excluded-csv",
            everything=found.everything,
            exclude_accepted=found.exclude_accepted,
        )


def show_excluded_download(
    checked: CheckedFile, label: str, *, key: str, everything: bool = False, exclude_accepted: bool = False
) -> None:
    """The button that downloads rows that are not sent, in the format of the file: a table, or JSON lines."""

    def make() -> Iterable[str]:
        made = checked.export(ExportKind.EXCLUDED_ROWS, everything=everything, exclude_accepted=exclude_accepted)
        return made.iter_texts()

    if isinstance(checked.mapped, MappedDocuments):
        show_download(label, make, "skipped-rows.jsonl", "application/jsonl", key=key)
    else:
        show_download(label, make, "skipped-rows.csv", "text/csv", key=key)


def show_excluded_table(checked: CheckedFile, rows: list[int]) -> None:
    """Some rows that are not sent, as a table."""
    table = checked.mapped.table
    shown = list(dict.fromkeys((*checked.mapped.field_columns.values(), *table.header)))[:EXCLUDED_COLUMNS]
    st.dataframe(
        pd.DataFrame(
            {
                "line": table.line_numbers(rows),
                "row": [row + 1 for row in rows],
                "reason": [_format_reasons(found) for found in checked.report.issues_by_row(rows)],
                **{f"{column} ": table.take_cells(column, rows, max_chars=MAX_CELL_SHOWN) for column in shown},
            }
        ),
        hide_index=True,
        key="upload-excluded-rows",
        alt="Rows that are not sent, and the reasons",
    )


def _format_reasons(issues: list[Issue]) -> str:
    errors = [issue for issue in issues if issue.severity is Severity.ERROR]
    titles = [issue.kind.title if issue.rule is None else f"team's rule {issue.kind.title}" for issue in errors]
    return ", ".join(dict.fromkeys(titles)) or ISSUE_KINDS["sent_before"].title
