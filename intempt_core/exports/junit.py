"""Checks as JUnit XML for a build server, and the results of a file that tests itself as JSON too.

Of a check each kind of issue is a test case. Of a file that tests itself each row with a column ``expect`` is one: it
says which issues its event is to have.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from xml.sax.saxutils import escape, quoteattr

from intempt_core.contract import ISSUE_KINDS, Issue, dump_json, format_count
from intempt_core.validation import CheckVerdict, ExpectationReport, ExpectationResult, ExpectationState, Report

_CHUNK_LINES = 500
_INVALID_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


MAX_KIND_ISSUES = 20
"""Issues that the test case of a kind lists unless a caller says otherwise; all are counted."""


def export_check_junit(verdict: CheckVerdict, file: str, most: int = MAX_KIND_ISSUES) -> Iterator[str]:
    """Export a check as JUnit XML: every kind of issue is a test case, also those of which none is found.

    A kind is a failure where it makes a build fail, and lists up to ``most`` of its issues; where it does not, such as
    a warning, its case passes and has the same text as output. Of a comparison it is what is new.
    """
    kinds = {**ISSUE_KINDS, **verdict.report.rule_kinds}
    name, totals = _quote_attribute(file), f'tests="{len(kinds)}" failures="{len(verdict.failing)}" errors="0"'
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {totals}>\n<testsuite name={name} {totals}>\n'
    for code, kind in kinds.items():
        case = f"<testcase classname={name} name={_quote_attribute(f'{code}: {kind.title}')}"
        rows = verdict.found.get(code, 0)
        if not rows:
            yield f"{case}/>\n"
            continue
        text = "\n".join(issue.sentence for issue in islice(verdict.iter_issues(code), most))
        body = escape(_INVALID_XML.sub("�", text))
        count = f"{kind.severity.value} in {format_count(rows, 'new row' if verdict.comparison else 'row')}"
        if verdict.is_failing(code):
            message = f'message={_quote_attribute(f"{kind.title}: {count}")} type="{kind.severity.value}"'
            yield f"{case}><failure {message}>{body}</failure></testcase>\n"
        else:
            yield f"{case}><system-out>{escape(count)}\n{body}</system-out></testcase>\n"
    yield "</testsuite>\n</testsuites>\n"


def export_expectations_json(tests: ExpectationReport) -> Iterator[str]:
    """Export the results as one JSON object: counts, then one result a row, each on a line of its own."""
    counts = {state.value: count for state, count in tests.counts.items()}
    head = dump_json(
        {"file": tests.table.name, "rows": tests.rows, "as_expected": tests.as_expected, **counts}
    ).decode()
    yield f'{head[:-1]},"results":['
    for number, some in enumerate(_chunk_texts(_dump_result(result) for result in tests.results())):
        yield ("," if number else "") + "\n" + ",\n".join(some)
    yield "\n]}\n"


def _dump_result(result: ExpectationResult) -> str:
    return dump_json(
        {
            "row": result.row,
            "line": result.line,
            "result": result.state.value,
            "expected": result.expected,
            "found": result.found,
            "message": result.message,
        }
    ).decode()


def export_expectations_junit(tests: ExpectationReport, report: Report) -> Iterator[str]:
    """Export the results as JUnit XML for a build server: a row is a test case.

    A row that is not as expected is a failure, and its text lists the row's problems; an expectation that cannot be
    read is an error; a row without one is skipped.
    """
    counts, name = tests.counts, _quote_attribute(tests.table.name)
    failures, errors = counts[ExpectationState.FAILED], counts[ExpectationState.UNREADABLE]
    skipped = counts[ExpectationState.UNTESTED]
    totals = f'tests="{tests.rows}" failures="{failures}" errors="{errors}" skipped="{skipped}"'
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {totals}>\n<testsuite name={name} {totals}>\n'
    issues = report.issues_by_input_row(tests.rows_in(ExpectationState.FAILED))
    for some in _chunk_texts(_write_test_case(result, name, issues) for result in tests.results()):
        yield "".join(some)
    yield "</testsuite>\n</testsuites>\n"


def _write_test_case(result: ExpectationResult, name: str, issues: Iterator[list[Issue]]) -> str:
    line = "" if result.line is None else f" (line {result.line})"
    case = f'<testcase classname={name} name="row {result.row}{line}{_escape_expectation(result.expected)}"'
    if result.state is ExpectationState.FAILED:
        text = "\n".join(issue.sentence for issue in next(issues))
        message = f'message={_quote_attribute(result.message)} type="not as expected"'
        return f"{case}><failure {message}>{escape(_INVALID_XML.sub('�', text))}</failure></testcase>\n"
    if result.state is ExpectationState.UNREADABLE:
        return f'{case}><error message={_quote_attribute(result.message)} type="expectation"/></testcase>\n'
    if result.state is ExpectationState.UNTESTED:
        return f'{case}><skipped message="The row has nothing in its column expect."/></testcase>\n'
    return f"{case}/>\n"


@lru_cache(maxsize=4096)  # a file repeats its expectations
def _escape_expectation(expected: str) -> str:
    """What a row expects, escaped for a quoted attribute."""
    return (
        ": " + escape(_INVALID_XML.sub("�", expected), {'"': "&quot;", "\n": "&#10;", "\r": "&#13;"})
        if expected
        else ""
    )


def _quote_attribute(text: str) -> str:
    """A text as a quoted attribute; characters that XML cannot hold become �."""
    return quoteattr(_INVALID_XML.sub("�", text))


def _chunk_texts(texts: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(texts)
    while some := list(islice(rest, _CHUNK_LINES)):
        yield some
