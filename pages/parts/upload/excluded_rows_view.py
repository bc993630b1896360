"""Rows of the file that are not sent: which, and why. Part of step 4 of the upload."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from intempt_core.arrays import Int64Array
from intempt_core.contract import ISSUE_KINDS, Issue, Severity, format_count
from intempt_core.mapping import MappedDocuments
from intempt_core.readers import Table
from intempt_core.workers import ExportKind
from pages.parts.shared.downloads import show_download
from pages.parts.shared.screen_state import make_key
from pages.parts.upload.state import CheckedFile, UploadState, get_upload_state

REPEAT_CODE = "row_repeated"
"""The warning whose rows can be skipped."""

EXCLUDED_PER_PAGE = 50
"""Rows on one page."""

MAX_CELL_SHOWN = 120
"""Characters of a cell that are shown."""

EXCLUDED_COLUMNS = 20
"""Columns of a row that are shown: mapped ones first."""


def choose_exclusion(checked: CheckedFile) -> None:
    """The choice to skip rows whose event was sent before: where any was accepted, or a batch is half recorded."""
    found = get_upload_state()
    accepted = _count_otherwise_sent(checked, checked.accepted_before)
    half = len(checked.task.superseded)
    if not (accepted or half):
        return
    label = f"Skip the {format_count(accepted, 'row')} whose event this target accepted before"
    if half:
        batches = "the batch that stopped" if half == 1 else f"the {half} batches that stopped"
        skipped = format_count(_count_otherwise_sent(checked, checked.sent_before), "row")
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


def _count_otherwise_sent(checked: CheckedFile, events: Int64Array) -> int:
    """How many of some events (from 0) would be sent: those of rows with errors are skipped in any case."""
    found = get_upload_state()
    if found.everything:
        return int(events.size)
    is_bad = checked.report.find_excluded(keep_good_members=found.good_members)
    return int(events.size - is_bad[events].sum())


def choose_repeats(checked: CheckedFile) -> None:
    """The choice to skip the rows that equal an earlier one in every cell, where there are any."""
    found, count = get_upload_state(), checked.report.counts.get(REPEAT_CODE, 0)
    if not count:
        return
    st.session_state["upload-skip-repeated"] = REPEAT_CODE in found.exclude_codes
    st.checkbox(
        f"Skip {format_count(count, 'row that repeats', 'rows that repeat')} another in every cell",
        key="upload-skip-repeated",
        on_change=lambda: setattr(
            found, "exclude_codes", (REPEAT_CODE,) if st.session_state["upload-skip-repeated"] else ()
        ),
    )


def show_excluded_rows(checked: CheckedFile) -> None:
    """The rows that are not sent, page by page, each with its reasons; and all of them as a file."""
    found = get_upload_state()
    rows = checked.excluded_rows(found)
    if not rows.size:
        return
    many = count_rows(checked, rows)
    with st.expander(f"{many} skipped: which, and why", key="upload-excluded", type="compact"):
        pages = -(-rows.size // EXCLUDED_PER_PAGE)
        page = st.pagination(pages, key=make_key("upload-excluded-page", rows.size)) if pages > 1 else 1
        show_excluded_table(checked, rows[(page - 1) * EXCLUDED_PER_PAGE : page * EXCLUDED_PER_PAGE].tolist())
        show_excluded_download(
            checked,
            f"Download {format_count(checked.report.input_rows_of(rows).size, 'row')}",
            key="upload-excluded-csv",
            chosen=found,
        )


def count_rows(checked: CheckedFile, events: Int64Array) -> str:
    """How many rows some events (from 0) come from, and how many these are where a row may be several."""
    rows = format_count(checked.report.input_rows_of(events).size, "row")
    return rows if checked.report.origin is None else f"{rows} ({format_count(events.size, 'event')})"


def name_members(table: Table, events: Sequence[int] | Int64Array) -> dict[str, Sequence[int]]:
    """The column that says which event of its row each is; none where every row is one event."""
    return {} if table.origin is None else {"member": table.member_numbers(np.asarray(events, np.int64))}


def show_excluded_download(checked: CheckedFile, label: str, *, key: str, chosen: UploadState | None = None) -> None:
    """The button that downloads rows that are not sent, in the format of the file: a table, or JSON lines."""

    def make() -> Iterable[str]:
        made = checked.export(ExportKind.EXCLUDED_ROWS, chosen)
        return made.iter_texts()

    if isinstance(checked.mapped, MappedDocuments):
        show_download(label, make, "skipped-rows.jsonl", "application/jsonl", key=key)
    else:
        show_download(label, make, "skipped-rows.csv", "text/csv", key=key)


def show_excluded_table(checked: CheckedFile, rows: list[int]) -> None:
    """Some rows that are not sent, as a table."""
    table = checked.mapped.table
    is_bad = checked.report.excluded_mask
    shown = list(dict.fromkeys((*checked.mapped.field_columns.values(), *table.header)))[:EXCLUDED_COLUMNS]
    st.dataframe(
        pd.DataFrame(
            {
                "line": table.line_numbers(rows),
                "row": table.row_numbers(np.asarray(rows, np.int64)),
                **name_members(table, rows),
                "reason": [
                    _format_reasons(found, is_bad_row=bool(is_bad[row]))
                    for row, found in zip(rows, checked.report.issues_by_row(rows), strict=True)
                ],
                **{f"{column} ": shorten_cells(table, column, rows) for column in shown},
            }
        ),
        hide_index=True,
        key="upload-excluded-rows",
        alt="Rows that are not sent, and the reasons",
    )


def shorten_cells(table: Table, column: str, rows: list[int]) -> list[str]:
    """The cells of a column in these rows; of a longer one than :data:`MAX_CELL_SHOWN` the beginning, with a mark."""
    cells = table.take_cells(column, rows, max_chars=MAX_CELL_SHOWN + 1)
    return [cell if len(cell) <= MAX_CELL_SHOWN else f"{cell[:MAX_CELL_SHOWN]}…" for cell in cells]


def _format_reasons(issues: list[Issue], *, is_bad_row: bool) -> str:
    errors = [issue for issue in issues if issue.severity is Severity.ERROR]
    titles = [issue.kind.title if issue.rule is None else f"team's rule {issue.kind.title}" for issue in errors]
    if is_bad_row and not titles:
        return "another event of its row has an error"
    codes = {issue.code for issue in issues}
    beside = [ISSUE_KINDS[code].title for code in get_upload_state().exclude_codes if code in codes]
    return ", ".join(dict.fromkeys(titles or beside)) or ISSUE_KINDS["sent_before"].title
