"""The problems of a file as an Excel workbook with the bad cells coloured.

Every cell of the file is written as text, so that ids keep their digits and no formula runs, and remains text when it
is edited. What a sheet cannot hold is left out, and the sheet *About* says so. Written row by row: memory stays flat.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, BinaryIO

import numpy as np
import xlsxwriter

from intempt_core.arrays import Int64Array
from intempt_core.contract import IDENTITY_FIELDS, ISSUE_KINDS, Issue, Severity
from intempt_core.exports.csv_files import PROBLEMS_HEADER, describe_issue, format_problem, is_formula
from intempt_core.mapping import PROBLEMS_COLUMN, EventSource
from intempt_core.validation import ISSUE_BLOCK_ROWS, Report

MAX_SHEET_ROWS = 1_048_576
"""Rows of a sheet, its header among them."""

MAX_SHEET_COLUMNS = 16_384
"""Columns of a sheet."""

MAX_CELL_CHARACTERS = 32_767
"""Characters of a cell, as a sheet counts them: one outside the basic plane counts twice."""

_BLOCK_CELLS = 400_000
_COLOURS = {None: None, Severity.ERROR: "#F6C7C1", Severity.WARNING: "#F9E3B0"}
_INVALID_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

CellSeverities = Mapping[tuple[int | None, int, str | None], Severity]
"""(row from 1, member, column) → the severity of the worst issue of the cell."""


def find_bad_cells(mapped: EventSource, issues: Iterable[Issue]) -> CellSeverities:
    """Find the bad cells of some issues: every identity's column where none is given; an error outweighs a warning."""
    columns = mapped.field_columns
    severities: dict[tuple[int | None, int, str | None], Severity] = {}
    for issue in issues:
        of_identities = issue.code == "identity_missing"
        for column in map(columns.get, IDENTITY_FIELDS) if of_identities else [issue.place.column]:
            place = issue.place.row, issue.place.member, column
            if column is not None and severities.get(place) is not Severity.ERROR:
                severities[place] = issue.severity
    return severities


def write_problems_xlsx(
    mapped: EventSource,
    report: Report,
    out: BinaryIO,
    *,
    max_rows: int = MAX_SHEET_ROWS,
    max_columns: int = MAX_SHEET_COLUMNS,
) -> None:
    """Write the workbook: the sheet *Rows* with every row that has an issue, *Problems* with every issue, *About*.

    ``max_rows`` (its header among them) and ``max_columns`` are what a sheet takes. The same file with the same report
    gives the same bytes.
    """
    book = xlsxwriter.Workbook(
        out,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    book.set_properties({"created": _EPOCH.replace(tzinfo=None)})
    _ReportWriter(book, mapped, report, max_rows, max_columns).write()
    book.close()


class _ReportWriter:
    """Writes one workbook, and notes what had to be left out of it."""

    def __init__(self, book: Any, mapped: EventSource, report: Report, max_rows: int, max_columns: int) -> None:
        self._mapped, self._report = mapped, report
        self._max_rows, self._max_columns = max_rows, max_columns
        self._bold = book.add_format({"bold": True, "num_format": "@"})
        self._formats = {
            (severity, quoted): book.add_format(
                {"num_format": "@", "quote_prefix": quoted, **({"bg_color": colour} if colour else {})}
            )
            for severity, colour in _COLOURS.items()
            for quoted in (False, True)
        }
        self._rows, self._problems, self._about = (book.add_worksheet(name) for name in ("Rows", "Problems", "About"))
        self._truncated_cells = 0
        self.notes: list[str] = []

    def write(self) -> None:
        table = self._mapped.table
        header = [column for column in table.header if column != PROBLEMS_COLUMN][: self._max_columns - 3]
        if len(header) < len([column for column in table.header if column != PROBLEMS_COLUMN]):
            self.notes.append(
                f"A sheet holds {self._max_columns:,} columns: those after “{header[-1][:80]}” are left out."
            )
        members = ["member"] if table.origin is not None else []
        self._write_header(self._rows, ["row", "line", *header, PROBLEMS_COLUMN, *members])
        self._write_header(self._problems, PROBLEMS_HEADER)
        self._write_rows(header)
        self._write_about()

    def _write_header(self, sheet: Any, header: Sequence[str]) -> None:
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, 1, 8)
        sheet.set_column(2, max(2, len(header) - 2), 18)
        sheet.set_column(len(header) - 1, len(header) - 1, 60)
        for number, name in enumerate(header):
            sheet.write_string(0, number, self._fit_text(name), self._bold)

    def _write_rows(self, header: Sequence[str]) -> None:
        flagged = _find_flagged_rows(self._report)
        rows = flagged[: self._max_rows - 1]
        issues = self._report.issues_by_row(flagged.tolist())
        line, capacity = 1, self._max_rows - 1
        step = max(1, min(ISSUE_BLOCK_ROWS, _BLOCK_CELLS // max(1, len(header))))
        listed = written = 0
        for start in range(0, len(rows), step):
            some = rows[start : start + step].tolist()
            found = list(islice(issues, len(some)))
            self._write_block(header, some, found, line)
            line += len(some)
            for issue in (issue for its in found for issue in its):
                listed += 1
                if listed <= capacity:
                    written += 1
                    self._write_values(self._problems, listed, format_problem(issue), issue.severity)
        if len(rows) < len(flagged):
            self.notes.append(
                f"A sheet holds {self._max_rows - 1:,} rows here: {len(flagged) - len(rows):,} of {len(flagged):,} "
                "rows with problems are left out. problems.csv has them all."
            )
        left_out = self._report.issue_count() - len(self._report.document_issues) - written
        if left_out:
            self.notes.append(
                f"{left_out:,} of {left_out + written:,} problems are left out of the sheet “Problems”. problems.csv "
                "has them all."
            )

    def _write_block(self, header: Sequence[str], rows: Sequence[int], found: Sequence[list[Issue]], line: int) -> None:
        table = self._mapped.table
        cells = [table.take_cells(column, rows) for column in header]
        picked = np.asarray(rows, np.int64)
        places = list(zip(table.row_numbers(picked), table.member_numbers(picked), strict=True))
        for index, (row, its, record) in enumerate(zip(rows, found, zip(*cells, strict=True), strict=True)):
            severities = find_bad_cells(self._mapped, its)
            self._rows.write_number(line + index, 0, places[index][0])
            if (number_in_file := table.line_numbers([row])[0]) is not None:
                self._rows.write_number(line + index, 1, number_in_file)
            for number, (column, text) in enumerate(zip(header, record, strict=True), 2):
                severity = severities.get((*places[index], column))
                form = self._cell_format(severity, text)
                if text:
                    self._rows.write_string(line + index, number, self._fit_text(text), form)
                elif severity is not None:
                    self._rows.write_blank(line + index, number, None, form)
            problems = " · ".join(describe_issue(issue) for issue in its)
            form = self._cell_format(None, problems)
            self._rows.write_string(line + index, len(header) + 2, self._fit_text(problems), form)
            if table.origin is not None:
                self._rows.write_number(line + index, len(header) + 3, places[index][1])

    def _write_values(self, sheet: Any, line: int, values: Iterable[object], severity: Severity | None = None) -> None:
        for number, value in enumerate(values):
            text = "" if value is None else str(value)
            if isinstance(value, int):
                sheet.write_number(line, number, value)
            elif text:
                colour = severity if number == PROBLEMS_HEADER.index("severity") else None
                sheet.write_string(line, number, self._fit_text(text), self._cell_format(colour, text))

    def _cell_format(self, severity: Severity | None, text: str) -> Any:
        return self._formats[severity, is_formula(text)]

    def _fit_text(self, text: str) -> str:
        """Fit a text to what a cell can hold. One that the library would take for its own markup gets an apostrophe."""
        if not text.isascii():
            text = _INVALID_XML.sub("�", text)
        if text.startswith("<r>") and text.endswith("</r>"):
            text = f"'{text}"
        if len(text) * 2 <= MAX_CELL_CHARACTERS or len(text.encode("utf-16-le")) // 2 <= MAX_CELL_CHARACTERS:
            return text
        self._truncated_cells += 1
        length = f"… (cut: {len(text):,} characters)"
        whole = text.encode("utf-16-le")[: (MAX_CELL_CHARACTERS - len(length)) * 2].decode("utf-16-le", "ignore")
        return whole + length

    def _write_about(self) -> None:
        """Write the sheet *About*: what was read, how many problems of which kind, and what was left out."""
        table, report = self._mapped.table, self._report
        lines: list[Sequence[object]] = [
            ("file", table.name),
            ("rows", report.rows),
            *([("events", report.events)] if report.origin is not None else []),
            ("rows with errors", report.rows_with_errors),
            ("rows with warnings", report.rows_with_warnings),
            (),
            *((ISSUE_KINDS[code].title, count, code) for code, count in report.counts.items()),
            *(
                ("the team's rule " + report.kind_of(code).title, count, code)
                for code, count in report.rule_counts.items()
            ),
        ]
        if self._truncated_cells:
            cells = "cell is" if self._truncated_cells == 1 else "cells are"
            self.notes.append(f"{self._truncated_cells:,} {cells} cut: one holds {MAX_CELL_CHARACTERS:,} characters.")
        lines += [(), *((note,) for note in self.notes)]
        self._about.set_column(0, 0, 40)
        for number, values in enumerate(lines):
            self._write_values(self._about, number, values)
        if self.notes:
            self._about.activate()


def _find_flagged_rows(report: Report) -> Int64Array:
    """The rows that have any issue, sorted."""
    marked = np.zeros(report.events, np.bool_)
    for code in report.all_counts:
        marked[report.rows_of(code)] = True
    found: Int64Array = np.flatnonzero(marked)
    return found
