"""``check``: what is wrong with a file, as text or as JSON; with ``--expect`` the file's own tests, also as JUnit."""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from intempt_core.cli.files import Given, read
from intempt_core.cli.words import counted, tell
from intempt_core.cli.writing import refuse, whole, write
from intempt_core.coloured import problems_xlsx
from intempt_core.errors import ReadError
from intempt_core.expectations import ExpectationReport, ExpectationState
from intempt_core.exports import expected_json, expected_junit, problems_csv
from intempt_core.issues import ISSUE_KINDS, Issue, Severity
from intempt_core.report import Report
from intempt_core.settings import Settings

ISSUES_SHOWN = 1000
"""Issues that are listed; the counts are always of all."""


def check(given: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """``check``: 0 clean, 1 errors found; with ``--expect`` 0 all as expected, 1 not."""
    if given.problems is not None:
        refuse(given.problems, given.file, "problems")
    file = read(given.file, given.mapping, Settings.from_environment(environment))
    report = file.check()
    if given.problems is not None:
        _write_problems(given.problems, file, report)
    if given.expect:
        return _test(file, report, given.format)
    issues = report.issues(0, ISSUES_SHOWN)
    if given.format == "json":
        print(json.dumps(_verdict(file, report, issues), ensure_ascii=True))
    else:
        _print_verdict(file, report, issues)
    wrong = report.rows_with_errors or any(ISSUE_KINDS[code].severity is Severity.ERROR for code in report.counts)
    return 1 if wrong else 0


def _write_problems(out: Path, file: Given, report: Report) -> None:
    """Every problem as CSV, or as a workbook whose bad cells are coloured, by the file's ending."""
    if out.suffix.lower() != ".xlsx":
        write(out, problems_csv(report), "problems")
        return
    if file.table is None:
        raise ReadError(f"{file.name} holds events, not rows: their problems go into a .csv file.")
    with whole(out, "problems") as book:
        problems_xlsx(file.table, report, book)


def _test(file: Given, report: Report, form: str) -> int:
    if file.table is None:
        raise ReadError(f"{file.name} holds events, not rows: only a table can have a column “expect”.")
    tests = ExpectationReport(file.table.table, report)
    if form == "json":
        _pour(expected_json(tests))
    elif form == "junit":
        _pour(expected_junit(tests, report))
    else:
        _print_tests(file, tests)
    return 0 if tests.as_expected else 1


def _pour(pieces: Iterable[str]) -> None:
    """Write a document to standard output, in UTF-8 whatever the terminal's own encoding is."""
    sys.stdout.flush()
    out = getattr(sys.stdout, "buffer", None)
    for piece in pieces:
        if out is None:
            sys.stdout.write(piece)
        else:
            out.write(piece.encode("utf-8", "replace"))


def _print_tests(file: Given, tests: ExpectationReport) -> None:
    bad = tests.rows_in(ExpectationState.FAILED, ExpectationState.UNREADABLE)
    for result in tests.results(bad[:ISSUES_SHOWN]):
        tell(f"{result.state.value}: Row {result.row:,} (line {result.line:,}): {result.message}")
    if len(bad) > ISSUES_SHOWN:
        tell(f"… and {counted(len(bad) - ISSUES_SHOWN, 'more row')}.")
    tell(f"{file.name}: {counted(tests.rows, 'row')}; {tests.summary}")


def _verdict(file: Given, report: Report, issues: Sequence[Issue]) -> dict[str, Any]:
    return {
        "rows": report.rows,
        "rows_with_errors": report.rows_with_errors,
        "rows_with_warnings": report.rows_with_warnings,
        "counts": report.counts,
        "issues": [
            {
                "code": issue.code,
                "severity": issue.severity.value,
                "row": issue.place.row,
                "line": issue.place.line,
                "column": file.column_of(issue),
                "pointer": issue.place.pointer,
                "given": issue.given,
                "says": issue.message,
                "allowed": issue.kind.allowed,
                "mend": issue.fix,
            }
            for issue in issues
        ],
    }


def _print_verdict(file: Given, report: Report, issues: Sequence[Issue]) -> None:
    for note in file.notes:
        tell(note)
    if file.table is not None and file.table.unused_columns:
        tell(f"Not sent: {', '.join(file.table.unused_columns)}.")
    for issue in issues:
        tell(f"{issue.severity.value}: {issue.sentence}")
    total = sum(report.counts.values())
    if total > len(issues):
        tell(f"… and {counted(total - len(issues), 'more issue', 'more issues')}.")
    for code, count in report.counts.items():
        tell(f"{count:>9,}  {code}: {ISSUE_KINDS[code].title}")
    tell(summary(file, report))


def summary(file: Given, report: Report) -> str:
    """The verdict in one line."""
    errors = counted(report.rows_with_errors, "row has errors", "rows have errors")
    warnings = counted(report.rows_with_warnings, "row has warnings", "rows have warnings")
    return f"{file.name}: {counted(report.rows, 'row')}; {errors}, {warnings}."
