"""The checks of several files: a report each, and a total; in the forms for programs they are one document."""

import argparse
import contextlib
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from xml.sax.saxutils import quoteattr

from intempt_core.cli.checks.check_reports import print_document
from intempt_core.cli.exit_codes import ExitCode
from intempt_core.cli.input_files import NamedFile, open_named_file
from intempt_core.cli.output import print_message, print_result
from intempt_core.contract import Json, format_count
from intempt_core.errors import MappingError, ReadError, RulesError
from intempt_core.validation import Report

CheckFile: TypeAlias = Callable[[NamedFile], "CheckedFile"]
"""Checks a file and prints what is wrong with it."""

_ANNOTATION_KIND = re.compile(r"::\w+ .*?title=([^:,]*)")
_SUITES = re.compile(r"<testsuites ([^>]*)>\n(.*)</testsuites>\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """What became of one file's check.

    Attributes:
        code: The exit code that it has alone.
        report: Its report.
    """

    code: int
    report: Report


@dataclass(slots=True)
class CheckTotal:
    """What became of several files so far.

    Attributes:
        files: How many there were.
        unreadable: How many of them cannot be read.
        failed: How many could be, and end a check with 1.
        numbers: Rows and events, summed up by what they are called in the report of one file.
        counts: Rows by issue code.
        code: The gravest exit code.
    """

    files: int = 0
    unreadable: int = 0
    failed: int = 0
    numbers: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    code: int = ExitCode.DONE

    def add(self, checked: CheckedFile | None) -> None:
        """Count a file; ``None`` is one that cannot be read."""
        self.files += 1
        self.code = max(self.code, ExitCode.UNREADABLE if checked is None else checked.code)
        if checked is None:
            self.unreadable += 1
            return
        self.failed += bool(checked.code)
        for name in ("rows", "events", "rows_with_errors", "events_with_errors", "rows_with_warnings", "rows_ignored"):
            self.numbers[name] += getattr(checked.report, name)
        self.counts.update(checked.report.counts)

    def describe(self, *, expect: bool) -> str:
        """The total in one line."""
        files = format_count(self.files, "file")
        read = self.files - self.unreadable
        unreadable = f" {format_count(self.unreadable, 'file')} cannot be read." if self.unreadable else ""
        if expect:
            return f"{files}: {read - self.failed:,} as expected, {self.failed:,} not.{unreadable}"
        errors = format_count(self.numbers["rows_with_errors"], "row has errors", "rows have errors")
        warnings = format_count(self.numbers["rows_with_warnings"], "row has warnings", "rows have warnings")
        return f"{files}: {format_count(self.numbers['rows'], 'row')}; {errors}, {warnings}.{unreadable}"

    def to_json(self, *, expect: bool) -> dict[str, Json]:
        """The total as JSON."""
        head: dict[str, Json] = {"files": self.files, "files_unreadable": self.unreadable, "files_failed": self.failed}
        return head if expect else {**head, **self.numbers, "counts": dict(self.counts)}


def print_several(names: Sequence[str], check_one: CheckFile, args: argparse.Namespace) -> int:
    """Check files one after another and print their reports and the total; the gravest exit code.

    A file that cannot be read is said, and the others are checked all the same.
    """
    total = CheckTotal()
    if args.format == "json":
        print_document(_write_json(_check_captured(names, check_one, args, total), total, expect=args.expect))
    elif args.format == "junit":
        print_document(_merge_junit(_check_captured(names, check_one, args, total)))
    elif args.format == "github":
        print_document(_merge_annotations(_check_captured(names, check_one, args, total)))
        print_result(total.describe(expect=args.expect))
    else:
        for name in names:
            _check_named(name, check_one, args, total)
        print_result(total.describe(expect=args.expect))
    return total.code


def _check_named(name: str, check_one: CheckFile, args: argparse.Namespace, total: CheckTotal) -> str:
    """Check one file; why it cannot be read, which is printed too, or nothing."""
    try:
        with open_named_file(name, args.form) as file:
            total.add(check_one(file))
    except (ReadError, MappingError, RulesError) as error:
        total.add(None)
        reason = str(error) if name in str(error) else f"{name}: {error}"
        print_message(reason)
        return reason
    return ""


def _check_captured(
    names: Sequence[str], check_one: CheckFile, args: argparse.Namespace, total: CheckTotal
) -> Iterator[tuple[str, str, str]]:
    """Each file's name, the document that its check prints, and why it cannot be read."""
    for name in names:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            reason = _check_named(name, check_one, args, total)
        yield name, out.getvalue(), reason


def _write_json(checked: Iterator[tuple[str, str, str]], total: CheckTotal, *, expect: bool) -> Iterator[str]:
    yield '{"files": ['
    for number, (name, document, reason) in enumerate(checked):
        what = f'"error": {json.dumps(reason)}' if reason else f'"report": {document.strip()}'
        yield f'{", " if number else ""}\n{{"file": {json.dumps(name)}, {what}}}'
    yield f'\n], "total": {json.dumps(total.to_json(expect=expect))}}}\n'


def _merge_junit(checked: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """The suites of several documents in one, whose totals are those of all; a file that cannot be read is an error."""
    totals: Counter[str] = Counter()
    bodies = []
    for name, document, reason in checked:
        suites = _SUITES.search(_write_error_suite(name, reason) if reason else document)
        if suites is not None:
            totals.update({key: int(number) for key, number in re.findall(r'(\w+)="(\d+)"', suites[1])})
            bodies.append(suites[2])
    attributes = "".join(f' {key}="{number}"' for key, number in totals.items())
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites{attributes}>\n'
    yield from bodies
    yield "</testsuites>\n"


def _merge_annotations(checked: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """The annotations of several files, one of each kind first, then the other lines; a run shows few of them."""
    lines = [line for _, document, _ in checked for line in document.splitlines(keepends=True)]
    kinds: dict[str, str] = {}
    for line in lines:
        if found := _ANNOTATION_KIND.match(line):
            kinds.setdefault(found[0].partition(" ")[0] + found[1], line)
    yield from kinds.values()
    first = set(kinds.values())
    yield from (line for line in lines if line not in first)


def _write_error_suite(name: str, reason: str) -> str:
    named, message = (
        quoteattr("".join(char if char.isprintable() else " " for char in text)) for text in (name, reason)
    )
    totals = 'tests="1" failures="0" errors="1"'
    case = f'<testcase classname={named} name="the file can be read"><error message={message}/></testcase>'
    return f"<testsuites {totals}>\n<testsuite name={named} {totals}>\n{case}\n</testsuite>\n</testsuites>\n"
