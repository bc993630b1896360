"""A check as GitHub Actions shows it: annotations on the lines of a file, and a summary of the job.

An annotation is a line of the log that begins with ``::error`` or ``::warning`` (a workflow command). A run shows ten
of each, so the issues come one of each kind first.
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from intempt_core.contract import Issue, Severity, format_count
from intempt_core.readers import TextPosition
from intempt_core.validation import CheckVerdict, ExpectationReport, ExpectationState

MAX_ANNOTATIONS = 50
"""Annotations unless a caller says otherwise: as many as GitHub keeps of a job."""

_MARKDOWN_SIGNS = re.compile(r"([\\`*_{}\[\]()#+!|~>-])")


def escape_command_data(text: str) -> str:
    """Escape the message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_command_property(text: str) -> str:
    """Escape a property of a workflow command, such as the name of a file."""
    return escape_command_data(text).replace(":", "%3A").replace(",", "%2C")


def export_github_annotations(
    issues: Sequence[Issue], positions: Iterable[TextPosition | None], file: str
) -> Iterator[str]:
    """Export issues as annotations, a line each.

    ``positions`` are where in the text the issues are, if anywhere. ``file`` is the path in the repository; empty where
    the input is no file.
    """
    for issue, position in zip(issues, positions, strict=True):
        title = f"{issue.code}: {issue.kind.title}"
        yield _write_command(issue.severity, file, position, title, issue.sentence)


def export_github_expectations(tests: ExpectationReport, file: str, most: int) -> Iterator[str]:
    """Export the rows that are not as they expect as annotations, up to so many."""
    bad = tests.rows_in(ExpectationState.FAILED, ExpectationState.UNREADABLE)
    for result in tests.results(bad[:most]):
        position = None if result.line is None else TextPosition(result.line)
        text = f"Row {result.row:,}: {result.message}"
        yield _write_command(Severity.ERROR, file, position, f"row {result.row}: {result.state.value}", text)


def export_github_error(file: str, line: int | None, text: str) -> Iterator[str]:
    """Export what is wrong with a file as a whole as an annotation; ``line`` is where, if it is known."""
    yield _write_command(Severity.ERROR, file, None if line is None else TextPosition(line), "the file", text)


def _write_command(severity: Severity, file: str, position: TextPosition | None, title: str, text: str) -> str:
    given: dict[str, str | int | None] = {"file": file or None}
    if file and position is not None:
        given |= {"line": position.line, "col": position.column}
    given["title"] = title
    properties = ",".join(
        f"{name}={escape_command_property(str(value))}" for name, value in given.items() if value is not None
    )
    return f"::{severity.value} {properties}::{escape_command_data(text)}\n"


# ── the summary of a job ─────────────────────────────────────────────────────────────────────────────────────────────


def render_job_summary(verdict: CheckVerdict, file: str, sentence: str) -> str:
    """Render the counts of a check as Markdown for the summary of a job; ``sentence`` is the verdict in one line."""
    lines = [f"### {_escape_markdown(file)}", "", _escape_markdown(sentence), ""]
    if verdict.comparison is not None:
        new, fixed, still = (
            sum(rows.size for rows in found.values())
            for found in (verdict.comparison.new, verdict.comparison.fixed, verdict.comparison.still)
        )
        lines += [f"Since the baseline: {new:,} new, {fixed:,} fixed, {still:,} still failing.", ""]
    if verdict.found:
        which = "new rows" if verdict.comparison is not None else "rows"
        lines += [f"| | {which} | code | what |", "|---|--:|---|---|"]
        for code, rows in verdict.found.items():
            kind = verdict.report.kind_of(code)
            mark = "❌" if verdict.is_failing(code) else "⚠️"
            what = f"{_escape_markdown(code)} | {_escape_markdown(kind.title)}"
            lines.append(f"| {mark} {kind.severity.value} | {rows:,} | {what} |")
        lines.append("")
    return "\n".join(lines)


def render_expectations_summary(tests: ExpectationReport, file: str) -> str:
    """Render the results of a file that tests itself as Markdown for the summary of a job."""
    rows = format_count(tests.rows, "row")
    return f"### {_escape_markdown(file)}\n\n{rows}; {_escape_markdown(tests.summary)}\n"


def _escape_markdown(text: str) -> str:
    """A text in a cell of a table, as it is: no mark-up of its own, and no line end."""
    shown = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return html.escape(_MARKDOWN_SIGNS.sub(r"\\\1", shown), quote=False)
