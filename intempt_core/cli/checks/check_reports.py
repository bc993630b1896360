"""What a check prints: as text for a person, as JSON, as JUnit for a build server, as annotations for GitHub.

Exports are imported when they are asked for: with them comes history, and with that the database.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from intempt_core import exports
from intempt_core.cli.input import InputFile
from intempt_core.cli.output import escape_log_line, print_message, print_result
from intempt_core.cli.rules import list_rule_notes
from intempt_core.contract import ISSUE_KINDS, Issue, format_count, shorten_value
from intempt_core.errors import ReadError
from intempt_core.readers import TextPosition, locate_cells
from intempt_core.validation import (
    MAX_ISSUES_LISTED,
    Baseline,
    CheckVerdict,
    ExpectationReport,
    ExpectationState,
    Report,
    build_report_document,
    find_issue_span,
)

GITHUB_SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
"""The variable of GitHub Actions that names the file of a job's summary."""

GITHUB_WORKSPACE_VARIABLE = "GITHUB_WORKSPACE"
"""The variable of GitHub Actions that names the folder of the repository."""


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """How a call wants its check to be printed.

    Attributes:
        form: One of the choices of ``--format``.
        path: The file.
        most: How many issues are listed at the most; ``None`` for as many as is usual in the form.
        environment: The variables of the process.
        shown: The file as the call names it.
    """

    form: str
    path: Path
    most: int | None
    environment: Mapping[str, str]
    shown: Path

    @property
    def listed(self) -> int:
        """How many issues are listed at the most."""
        usual = exports.MAX_ANNOTATIONS if self.form == "github" else MAX_ISSUES_LISTED
        return usual if self.most is None else self.most

    @property
    def name_in_repository(self) -> str:
        """The file as GitHub calls it: by its path from the folder of the repository, with slashes.

        Empty for standard input, which is no file of the repository.
        """
        if self.shown != self.path:
            return ""
        workspace = self.environment.get(GITHUB_WORKSPACE_VARIABLE, "")
        if workspace:
            with suppress(ValueError):  # two drives of Windows
                within = Path(os.path.relpath(self.shown.absolute(), workspace))
                if ".." not in within.parts:
                    return within.as_posix()
        return Path(os.path.normpath(self.shown)).as_posix()


def print_check(file: InputFile, verdict: CheckVerdict, wanted: ReportRequest, now: Baseline | None) -> None:
    """Print a check; ``now`` is what a later check needs of this one, for JSON."""
    report, comparison = verdict.report, verdict.comparison
    if wanted.form == "json":
        notes = [] if report.rules is None else list_rule_notes(report.rules, file)
        document = build_report_document(report, file.locate_issue, max_issues=wanted.listed, rule_notes=notes)
        document |= {} if now is None else {"baseline": now.to_json()}
        document |= {} if comparison is None else {"compared": comparison.to_json()}
        print(json.dumps(document, ensure_ascii=True))
    elif wanted.form == "junit":
        print_document(exports.export_check_junit(verdict, file.name, *([] if wanted.most is None else [wanted.most])))
    elif wanted.form == "github":
        issues, name = verdict.list_issues(wanted.listed), wanted.name_in_repository
        print_document(exports.export_github_annotations(issues, _locate_issues(file, wanted.path, issues), name))
        sentence = summarize_report(file, report)
        print_result(escape_log_line(sentence))
        write_job_summary(exports.render_job_summary(verdict, name or file.name, sentence), wanted.environment)
    else:
        for line in describe_report(file, report, wanted.listed):
            print_result(line)
        for line in comparison.describe() if comparison is not None else ():
            print_result(line)


def print_expectations(file: InputFile, report: Report, wanted: ReportRequest) -> bool:
    """Print which rows of a file that tests itself are as they expect; whether all are."""
    if file.table is None:
        raise ReadError(f"{file.name} holds events, not rows: only a table can have a column “expect”.")
    tests = ExpectationReport(file.table.table, report)
    if wanted.form == "json":
        print_document(exports.export_expectations_json(tests))
    elif wanted.form == "junit":
        print_document(exports.export_expectations_junit(tests, report))
    elif wanted.form == "github":
        name = wanted.name_in_repository
        print_document(exports.export_github_expectations(tests, name, wanted.listed))
        print_result(escape_log_line(_summarize_tests(file, tests)))
        write_job_summary(exports.render_expectations_summary(tests, name or file.name), wanted.environment)
    else:
        _print_tests(file, tests, wanted.listed)
    return tests.as_expected


def print_unreadable(wanted: ReportRequest, error: ReadError) -> None:
    """Print an annotation on a file that cannot be read, where annotations are wanted."""
    if wanted.form == "github":
        print_document(exports.export_github_error(wanted.name_in_repository, error.line, str(error)))


def print_notes(file: InputFile, form: str) -> None:
    """Print what was decided when a file was read, for the person who reads the log of a program."""
    for note in file.notes:
        print_message(escape_log_line(note) if form == "github" else note)


def write_job_summary(text: str, environment: Mapping[str, str]) -> None:
    """Add a text to the summary of a job of GitHub Actions, where there is one; what prevents it is printed."""
    summary = environment.get(GITHUB_SUMMARY_VARIABLE, "")
    if not summary:
        return
    try:
        with Path(summary).open("a", encoding="utf-8") as out:
            out.write(text + "\n")
    except OSError as error:
        print_message(f"The summary of the job cannot be written to ${GITHUB_SUMMARY_VARIABLE}: {error.strerror}.")


def _locate_issues(file: InputFile, path: Path, issues: list[Issue]) -> list[TextPosition | None]:
    """Where in its file's text each issue is."""
    if file.table is not None:
        return locate_cells(path, file.table.table, [issue.place for issue in issues])
    payload = file.payload
    if payload is None:
        return [None] * len(issues)
    return [TextPosition(*payload.line_column(find_issue_span(payload, issue)[0])) for issue in issues]


def print_document(pieces: Iterable[str]) -> None:
    """Write a document to standard output, in UTF-8 whatever the terminal's own encoding is."""
    sys.stdout.flush()
    out = getattr(sys.stdout, "buffer", None)
    for piece in pieces:
        if out is None:
            sys.stdout.write(piece)
        else:
            out.write(piece.encode("utf-8", "replace"))


def _print_tests(file: InputFile, tests: ExpectationReport, most: int) -> None:
    bad = tests.rows_in(ExpectationState.FAILED, ExpectationState.UNREADABLE)
    for result in tests.results(bad[:most]):
        line = "" if result.line is None else f" (line {result.line:,})"
        print_result(f"{result.state.value}: Row {result.row:,}{line}: {result.message}")
    if len(bad) > most:
        print_result(f"… and {format_count(len(bad) - most, 'more row')}.")
    print_result(_summarize_tests(file, tests))


def _summarize_tests(file: InputFile, tests: ExpectationReport) -> str:
    return f"{file.name}: {format_count(tests.rows, 'row')}; {tests.summary}"


def describe_report(file: InputFile, report: Report, most: int = MAX_ISSUES_LISTED) -> Iterator[str]:
    """What was decided when the file was read, what is wrong with it, and the verdict, line by line.

    Up to ``most`` issues are listed.
    """
    yield from file.notes
    if file.table is not None and file.table.unused_columns:
        yield f"Not sent: {', '.join(file.table.unused_columns)}."
    issues = report.issues(0, most) if most else []
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
