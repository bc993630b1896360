"""``check``: what is wrong with a file, as text or as JSON; with ``--expect`` the file's own tests, also as JUnit.

Exports are imported when they are asked for: with them comes history, and with that the database.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from intempt_core import exports
from intempt_core.cli.catalogue import load_catalogue
from intempt_core.cli.files_out import check_writable, open_atomic, write_atomic
from intempt_core.cli.input import InputFile, read_input
from intempt_core.cli.output import print_message, print_result
from intempt_core.cli.rules import list_rule_notes, load_rules
from intempt_core.cli.steps import StepDisplay, shorten_name
from intempt_core.cli.targets import resolve_target
from intempt_core.contract import ISSUE_KINDS, Issue, Severity, format_count, shorten_value
from intempt_core.errors import ReadError
from intempt_core.settings import Settings
from intempt_core.validation import (
    Baseline,
    CheckComparison,
    ExpectationReport,
    ExpectationState,
    Report,
    read_baseline,
)

MAX_ISSUES_LISTED = 1000
"""Issues that are listed; the counts are always of all."""


def run_check(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run ``check``: 0 clean, 1 errors found; with ``--expect`` 0 all as expected, 1 not.

    With ``--baseline`` 1 is only for errors that are new.
    """
    if args.problems is not None:
        check_writable(args.problems, args.file, "problems")
    settings = Settings.from_environment(environment)
    before = None if args.baseline is None else read_baseline(args.baseline)
    target = resolve_target(args.target, settings, environment) if args.target else None
    with StepDisplay(sys.stderr) as steps:
        file = read_input(args, settings, steps)
        rules = load_rules(args.rules, file)
        with steps.step("Checking", file.size_in_words):
            report = file.check(load_catalogue(args.catalogue, args.catalogue_column, target, settings), rules=rules)
        if args.problems is not None:
            with steps.step("Writing", shorten_name(args.problems.name)):
                _write_problems(args.problems, file, report)
    if args.expect or args.format != "text":
        for note in file.notes:  # a program reads the result; what was decided is for a person
            print_message(note)
    if args.expect:
        return _check_expectations(file, report, args.format)
    return _print_verdict(file, report, args.format, before)


def _print_verdict(file: InputFile, report: Report, form: str, before: Baseline | None) -> int:
    """Print what is wrong, and what of it is new since an earlier check, where one is given."""
    now = (
        Baseline.of(file.name, None if file.table is None else file.table.table, report)
        if form == "json" or before is not None
        else None
    )
    comparison = CheckComparison.of(before, now) if before is not None and now is not None else None
    if form == "json" and now is not None:
        document = _build_report_document(file, report, report.issues(0, MAX_ISSUES_LISTED))
        document["baseline"] = now.to_json()
        if comparison is not None:
            document["compared"] = comparison.to_json()
        print(json.dumps(document, ensure_ascii=True))
    else:
        for line in describe_report(file, report):
            print_result(line)
        for line in comparison.describe() if comparison is not None else ():
            print_result(line)
    if comparison is not None:
        return int(comparison.has_new_errors(report))
    wrong = report.excluded_mask.any() or any(ISSUE_KINDS[code].severity is Severity.ERROR for code in report.counts)
    return 1 if wrong else 0


def _write_problems(out: Path, file: InputFile, report: Report) -> None:
    """Write every problem as CSV, or as a workbook whose bad cells are coloured, by the file's ending."""
    if out.suffix.lower() != ".xlsx":
        write_atomic(out, exports.export_problems_csv(report), "problems")
        return
    if file.table is None:
        raise ReadError(f"{file.name} holds events, not rows: their problems go into a .csv file.")
    with open_atomic(out, "problems") as book:
        exports.write_problems_xlsx(file.table, report, book)


def _check_expectations(file: InputFile, report: Report, form: str) -> int:
    if file.table is None:
        raise ReadError(f"{file.name} holds events, not rows: only a table can have a column “expect”.")
    tests = ExpectationReport(file.table.table, report)
    if form == "json":
        _print_document(exports.export_expectations_json(tests))
    elif form == "junit":
        _print_document(exports.export_expectations_junit(tests, report))
    else:
        _print_tests(file, tests)
    return 0 if tests.as_expected else 1


def _print_document(pieces: Iterable[str]) -> None:
    """Write a document to standard output, in UTF-8 whatever the terminal's own encoding is."""
    sys.stdout.flush()
    out = getattr(sys.stdout, "buffer", None)
    for piece in pieces:
        if out is None:
            sys.stdout.write(piece)
        else:
            out.write(piece.encode("utf-8", "replace"))


def _print_tests(file: InputFile, tests: ExpectationReport) -> None:
    bad = tests.rows_in(ExpectationState.FAILED, ExpectationState.UNREADABLE)
    for result in tests.results(bad[:MAX_ISSUES_LISTED]):
        line = "" if result.line is None else f" (line {result.line:,})"
        print_result(f"{result.state.value}: Row {result.row:,}{line}: {result.message}")
    if len(bad) > MAX_ISSUES_LISTED:
        print_result(f"… and {format_count(len(bad) - MAX_ISSUES_LISTED, 'more row')}.")
    print_result(f"{file.name}: {format_count(tests.rows, 'row')}; {tests.summary}")


def _build_report_document(file: InputFile, report: Report, issues: Sequence[Issue]) -> dict[str, Any]:
    return {
        "rows": report.rows,
        "events": report.events,
        "rows_with_errors": report.rows_with_errors,
        "events_with_errors": report.events_with_errors,
        "rows_with_warnings": report.rows_with_warnings,
        "rows_ignored": report.rows_ignored,
        "ignored_names": report.ignored_names,
        "counts": report.counts,
        **_describe_rules(file, report),
        "issues": [
            {
                "code": issue.code,
                "severity": issue.severity.value,
                "row": issue.place.row,
                "member": issue.place.member,
                "line": issue.place.line,
                "column": file.column_of(issue),
                "pointer": issue.place.pointer,
                "given": issue.given,
                "message": issue.message,
                "allowed": issue.kind.allowed,
                "fix": issue.fix,
            }
            for issue in issues
        ],
    }


def _describe_rules(file: InputFile, report: Report) -> dict[str, Any]:
    """What the team's rules found, beside what the contract's did; nothing where no rules were asked."""
    if report.rules is None:
        return {}
    return {
        "rules": report.rules.name,
        "rule_counts": report.rule_counts,
        "rows_with_rule_errors": report.rows_with_rule_errors,
        "rule_notes": list_rule_notes(report.rules, file),
    }


def describe_report(file: InputFile, report: Report) -> Iterator[str]:
    """What was decided when the file was read, what is wrong with it, and the verdict, line by line."""
    yield from file.notes
    if file.table is not None and file.table.unused_columns:
        yield f"Not sent: {', '.join(file.table.unused_columns)}."
    issues = report.issues(0, MAX_ISSUES_LISTED)
    yield from (f"{issue.severity.value}: {issue.sentence}" for issue in issues)
    total = report.issue_count()
    if total > len(issues):
        yield f"… and {format_count(total - len(issues), 'more issue', 'more issues')}."
    yield from (f"{count:>9,}  {code}: {ISSUE_KINDS[code].title}" for code, count in report.counts.items())
    for code, count in report.rule_counts.items():
        yield f"{count:>9,}  {code} (the team's, {report.kind_of(code).severity.value})"
    if report.rows_ignored:
        yield describe_ignored(report)
    yield summarize_report(file, report)


def describe_ignored(report: Report) -> str:
    """How many rows are no events, as the mapping says of their names."""
    names = ", ".join(f"{shorten_value(name)} {count:,}" for name, count in list(report.ignored_names.items())[:10])
    more = ", …" if len(report.ignored_names) > 10 else ""
    rows = format_count(report.rows_ignored, "row is ignored", "rows are ignored")
    return f"{rows}, as the mapping says of {'their names' if report.rows_ignored > 1 else 'its name'}: {names}{more}."


def summarize_report(file: InputFile, report: Report) -> str:
    """The verdict in one line."""
    errors = format_count(report.rows_with_errors, "row has errors", "rows have errors")
    warnings = format_count(report.rows_with_warnings, "row has warnings", "rows have warnings")
    rows = format_count(report.rows, "row")
    if report.origin is not None:
        rows = f"{rows} that {'becomes' if report.rows == 1 else 'become'} {format_count(report.events, 'event')}"
        if report.events_with_errors:
            errors += f" ({format_count(report.events_with_errors, 'event')})"
    line = f"{file.name}: {rows}; {errors}, {warnings}."
    if report.rules is None:
        return line
    broken = format_count(report.rows_with_rule_errors, "row has errors", "rows have errors")
    return f"{line} By the team's rules ({report.rules.name}) {broken}."
