"""CSV exports: results, problems, excluded rows and the fixed file. No function here is given a key.

Every CSV is UTF-8 with CRLF line ends, quoted by the csv module. Every file is yielded in pieces, so that a million
rows need no more memory than a thousand. A cell that a spreadsheet would run as a formula gets a leading apostrophe.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice

import numpy as np

from intempt_core.arrays import Int64Array
from intempt_core.contract import Issue, dump_json
from intempt_core.history import History, RowOutcome
from intempt_core.mapping import PROBLEMS_COLUMN, EventSource, MappedDocuments
from intempt_core.readers import Table
from intempt_core.validation import ISSUE_BLOCK_ROWS, Report

EXCLUDED_OUTCOME = "excluded"
"""The outcome of a row that was not sent because of its errors."""

RESULTS_HEADER = (
    *("row", "line", "eventId", "name", "outcome", "issues", "status", "tries", "when", "request", "member"),
    *("userId", "profileId", "anotherUserId", "accountId", "productId", "processed"),
)
"""Columns of :func:`export_results_csv`. ``when`` is UTC; ``issues`` are codes, separated by spaces; ``member`` says
which event of its row it is, from 1, and is 0 where a row is one event; ``processed`` is yes, no, or empty where it is
not known. Excluded rows name no user."""

PROBLEMS_HEADER = (
    "row",
    "line",
    "column",
    "pointer",
    "code",
    "severity",
    "what is wrong",
    "given",
    "allowed",
    "fix",
    "member",
)
"""Columns of :func:`export_problems_csv`."""

_CHUNK_LINES = 500
_CHUNK_ISSUES = 20_000
_FORMULA_STARTS = frozenset("=+-@\t\r")
_SIGNED_NUMBER = re.compile(r"[+-][0-9]+(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?")


def export_results_csv(history: History, batch: str) -> Iterator[str]:
    """Export one line for every row of the input: its outcome. Raises ``NotFound`` with the first piece."""
    return _write_csv(RESULTS_HEADER, (_format_result(outcome) for outcome in history.outcomes.rows(batch)))


def export_problems_csv(report: Report) -> Iterator[str]:
    """Export one line for every issue, in row order: where, what, what was given, what is allowed, how to fix it."""
    return _write_csv(PROBLEMS_HEADER, (format_problem(issue) for issue in _iter_issues(report)))


def export_excluded_csv(table: Table, report: Report, excluded: Sequence[int] | None = None) -> Iterator[str]:
    """Export the excluded rows as the table has them, with their problems in one more column.

    They are those with errors, or the rows ``excluded`` (from 0, sorted).

    Corrected, the file can be uploaded again: header and cells are the original ones. The added column says where an
    apostrophe was put before a cell, because it must be removed again. Of a row with too many cells only those that
    have a header are exported.
    """
    bad = report.excluded_mask.nonzero()[0].tolist() if excluded is None else excluded
    if table.origin is not None:
        header = [column for column in table.origin.table.header if column != PROBLEMS_COLUMN]
        rows = report.input_rows_of(np.asarray(bad, np.int64))
        return _write_csv([*header, PROBLEMS_COLUMN], _iter_excluded_rows(table, report, header, rows))
    header = [column for column in table.header if column != PROBLEMS_COLUMN]
    return _write_csv([*header, PROBLEMS_COLUMN], _iter_excluded(table, report, header, bad))


def export_event_lines(mapped: MappedDocuments, rows: Sequence[int]) -> Iterator[str]:
    """Export events of JSON lines (rows from 0, sorted), fixes applied, one a line.

    Corrected, they can be uploaded again. A line that is no JSON is exported unchanged.
    """
    for event in mapped.events(rows):
        if isinstance(event.body, dict):
            name = {} if event.name is None else {"name": event.name}
            yield dump_json(name | event.body).decode() + "\n"
        else:
            yield (event.body if isinstance(event.body, str) else dump_json(event.body).decode()) + "\n"


def export_fixed_csv(mapped: EventSource) -> Iterator[str]:
    """Export a whole table with its fixes applied; generated event ids are in a column of their own.

    So it can be uploaded again, and each row keeps its id. Where a cell looks like a formula, the last column says that
    its leading apostrophe must be removed again.
    """
    table = mapped.table
    header = [column for column in table.header if column != PROBLEMS_COLUMN]
    own = ["eventId"] if mapped.makes_ids and "eventId" not in header else []
    return _write_csv([*header, *own, PROBLEMS_COLUMN], _iter_table_records(mapped, header, with_ids=bool(own)))


def _iter_table_records(mapped: EventSource, header: Sequence[str], *, with_ids: bool) -> Iterator[list[str]]:
    for start in range(0, mapped.rows, ISSUE_BLOCK_ROWS):
        rows = list(range(start, min(start + ISSUE_BLOCK_ROWS, mapped.rows)))
        cells = [mapped.table.take_cells(column, rows) for column in header]
        if with_ids:
            cells.append([str(text) for text in mapped.values("eventId", rows)])
        remarks = _note_apostrophes(header, cells, [[] for _ in rows])
        for record, remark in zip(zip(*cells, strict=True), remarks, strict=True):
            yield [*record, " · ".join(remark)]


def neutralize_formula(text: str) -> str:
    """Make a cell that no spreadsheet runs: what looks like a formula gets a leading apostrophe, a number does not."""
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode()  # a lone surrogate has no UTF-8
    return f"'{text}" if is_formula(text) else text


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would take a cell for a formula; a plain number is none."""
    return text[:1] in _FORMULA_STARTS and not _SIGNED_NUMBER.fullmatch(text)


def _write_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Write a CSV file in pieces of some hundred lines."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([neutralize_formula(name) for name in header])
    for number, row in enumerate(rows, 1):
        writer.writerow(["" if cell is None else neutralize_formula(str(cell)) for cell in row])
        if number % _CHUNK_LINES == 0:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    if text.tell():
        yield text.getvalue()


def _format_result(outcome: RowOutcome) -> tuple[object, ...]:
    when = None if outcome.when is None else datetime.fromtimestamp(outcome.when / 1000, UTC)
    return (
        outcome.row,
        outcome.line,
        outcome.event_id,
        outcome.name,
        EXCLUDED_OUTCOME if outcome.state is None else outcome.state.value,
        " ".join(outcome.codes),
        outcome.status,
        None if outcome.state is None else outcome.tries,
        None if when is None else when.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00"),
        outcome.request,
        outcome.member,
        outcome.user_id,
        outcome.profile_id,
        outcome.another_user_id,
        outcome.account_id,
        outcome.product_id,
        None if outcome.processed is None else "yes" if outcome.processed else "no",
    )


def _iter_issues(report: Report) -> Iterator[Issue]:
    start = 0
    while some := report.issues(start, _CHUNK_ISSUES):
        yield from some
        start += len(some)


def format_problem(issue: Issue) -> tuple[object, ...]:
    """Format one issue as the columns of :data:`PROBLEMS_HEADER`."""
    kind, place = issue.kind, issue.place
    return (
        place.row,
        place.line,
        place.column,
        place.pointer,
        issue.code,
        issue.severity.value,
        issue.message,
        issue.given,
        kind.allowed,
        issue.fix,
        place.member,
    )


def _iter_excluded(table: Table, report: Report, header: Sequence[str], excluded: Sequence[int]) -> Iterator[list[str]]:
    issues = report.issues_by_row(excluded)
    for start in range(0, len(excluded), ISSUE_BLOCK_ROWS):
        rows = excluded[start : start + ISSUE_BLOCK_ROWS]
        cells = [table.take_cells(column, rows) for column in header]
        remarks = [[describe_issue(issue) for issue in found] for found in islice(issues, len(rows))]
        _note_apostrophes(header, cells, remarks)
        for record, remark in zip(zip(*cells, strict=True), remarks, strict=True):
            yield [*record, " · ".join(remark)]


def _iter_excluded_rows(table: Table, report: Report, header: Sequence[str], rows: Int64Array) -> Iterator[list[str]]:
    """Rows of the file of which a row may be several events; a cell that these share is as it was fixed."""
    origin = table.origin
    assert origin is not None  # noqa: S101  asked by the caller
    issues = report.issues_by_input_row(rows)
    for start in range(0, rows.size, ISSUE_BLOCK_ROWS):
        some = rows[start : start + ISSUE_BLOCK_ROWS]
        events = np.searchsorted(origin.rows, some).tolist()
        cells = [
            origin.table.take_cells(column, some.tolist())
            if column in origin.member_columns
            else [table.origin_cell(column, event) for event in events]
            for column in header
        ]
        remarks = [[_name_member(issue) for issue in found] for found in islice(issues, len(some))]
        _note_apostrophes(header, cells, remarks)
        for record, remark in zip(zip(*cells, strict=True), remarks, strict=True):
            yield [*record, " · ".join(remark)]


def _name_member(issue: Issue) -> str:
    member = f"member {issue.place.member:,}, " if issue.place.member else ""
    return member + describe_issue(issue)


def _note_apostrophes(
    header: Sequence[str], cells: Sequence[Sequence[str]], remarks: list[list[str]]
) -> list[list[str]]:
    """Add to the remarks on some rows where an apostrophe is put before a cell; the same list."""
    for column, texts in zip(header, cells, strict=False):
        for number, text in enumerate(texts):
            if neutralize_formula(text) != text:
                remarks[number].append(f"{column}: take away the leading '.")
    return remarks


def describe_issue(issue: Issue) -> str:
    """Describe one issue in a sentence, its column first."""
    return (
        f"{issue.place.column}: {issue.message} {issue.fix}" if issue.place.column else f"{issue.message} {issue.fix}"
    )
