"""``check``: what is wrong with a file, as text or as JSON."""

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

from intempt_core.checks import Report
from intempt_core.cli.files import Given, read
from intempt_core.cli.words import counted, tell
from intempt_core.issues import CATALOGUE, Issue, Severity

ISSUES_SHOWN = 1000
"""Issues that are listed; the counts are always of all."""


def check(given: argparse.Namespace, _: Mapping[str, str]) -> int:
    """``check``: 0 clean, 1 errors found."""
    file = read(given.file, given.mapping)
    report = file.check()
    issues = report.issues(0, ISSUES_SHOWN)
    if given.format == "json":
        print(json.dumps(_verdict(file, report, issues), ensure_ascii=True))
    else:
        _print_verdict(file, report, issues)
    wrong = report.rows_with_errors or any(CATALOGUE[code].severity is Severity.ERROR for code in report.counts)
    return 1 if wrong else 0


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
                "says": issue.says,
                "allowed": issue.kind.allowed,
                "mend": issue.mend,
            }
            for issue in issues
        ],
    }


def _print_verdict(file: Given, report: Report, issues: Sequence[Issue]) -> None:
    for note in file.notes:
        tell(note)
    if file.table is not None and file.table.unused:
        tell(f"Not sent: {', '.join(file.table.unused)}.")
    for issue in issues:
        tell(f"{issue.severity.value}: {issue.sentence}")
    total = sum(report.counts.values())
    if total > len(issues):
        tell(f"… and {counted(total - len(issues), 'more issue', 'more issues')}.")
    for code, count in report.counts.items():
        tell(f"{count:>9,}  {code}: {CATALOGUE[code].title}")
    tell(summary(file, report))


def summary(file: Given, report: Report) -> str:
    """The verdict in one line."""
    errors = counted(report.rows_with_errors, "row has errors", "rows have errors")
    warnings = counted(report.rows_with_warnings, "row has warnings", "rows have warnings")
    return f"{file.name}: {counted(report.rows, 'row')}; {errors}, {warnings}."
