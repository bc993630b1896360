"""``check``: what is wrong with a file, in a form for a person or for a program (``check_reports.py``).

Exports are imported when they are asked for: with them comes history, and with that the database.
"""

import argparse
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from intempt_core import exports
from intempt_core.cli.catalogue import load_catalogue
from intempt_core.cli.checks.check_reports import (
    ReportRequest,
    print_check,
    print_expectations,
    print_notes,
    print_unreadable,
)
from intempt_core.cli.checks.check_several import CheckedFile, print_several
from intempt_core.cli.files_out import check_writable, open_atomic, write_atomic
from intempt_core.cli.input import InputFile, read_input
from intempt_core.cli.input_files import NamedFile, expand_names, open_named_file
from intempt_core.cli.rules import load_rules
from intempt_core.cli.steps import StepDisplay, shorten_name
from intempt_core.cli.targets import resolve_target
from intempt_core.contract import Severity
from intempt_core.errors import ReadError
from intempt_core.settings import Settings
from intempt_core.targets import Target
from intempt_core.validation import Baseline, CheckComparison, CheckVerdict, Report, read_baseline


def run_check(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run ``check``: 0 clean, 1 errors found; with ``--expect`` 0 all as expected, 1 not; of several files the gravest.

    With ``--baseline`` 1 is only for errors that are new; with ``--fail-on warning`` warnings count as errors do.
    """
    names = expand_names(args.files)
    if len(names) > 1 and (single := [f"--{name}" for name in ("problems", "baseline") if getattr(args, name)]):
        raise ReadError(
            f"{' and '.join(single)} goes with one file, and there are {len(names):,}. Check that one alone."
        )
    settings = Settings.from_environment(environment)
    before = None if args.baseline is None else read_baseline(args.baseline)
    target = resolve_target(args.target, settings, environment) if args.target else None
    check_one = partial(_check_file, args, settings=settings, before=before, target=target, environment=environment)
    if len(names) == 1:
        with open_named_file(names[0], args.form) as file:
            return check_one(file).code
    return print_several(names, check_one, args)


def _check_file(
    args: argparse.Namespace,
    named: NamedFile,
    *,
    settings: Settings,
    before: Baseline | None,
    target: Target | None,
    environment: Mapping[str, str],
) -> CheckedFile:
    """Check one file and print what is wrong with it; what became of it."""
    if args.problems is not None:
        check_writable(args.problems, named.path, "problems")
    wanted = ReportRequest(args.format, named.path, args.max_issues, environment, named.shown)
    with StepDisplay(sys.stderr) as steps:
        try:
            file = read_input(named, args, settings, steps)
        except ReadError as error:
            print_unreadable(wanted, error)
            raise
        rules = load_rules(args.rules, file)
        with steps.step("Checking", file.size_in_words):
            report = file.check(load_catalogue(args.catalogue, args.catalogue_column, target, settings), rules=rules)
        if args.problems is not None:
            with steps.step("Writing", shorten_name(args.problems.name)):
                _write_problems(args.problems, file, report)
    if args.expect or args.format != "text":
        print_notes(file, args.format)  # a program reads the result; what was decided is for a person
    if args.expect:
        return CheckedFile(int(not print_expectations(file, report, wanted)), report)
    now = _describe_now(file, report) if args.format == "json" or before is not None else None
    comparison = CheckComparison.of(before, now) if before is not None and now is not None else None
    verdict = CheckVerdict(report, comparison, Severity(args.fail_on))
    print_check(file, verdict, wanted, now)
    return CheckedFile(int(bool(verdict.failing)), report)


def _describe_now(file: InputFile, report: Report) -> Baseline:
    """What a later check is compared with."""
    return Baseline.of(file.name, None if file.table is None else file.table.table, report)


def _write_problems(out: Path, file: InputFile, report: Report) -> None:
    """Write every problem as CSV, or as a workbook whose bad cells are coloured, by the file's ending."""
    if out.suffix.lower() != ".xlsx":
        write_atomic(out, exports.export_problems_csv(report), "problems")
        return
    if file.table is None:
        raise ReadError(f"{file.name} holds events, not rows: their problems go into a .csv file.")
    with open_atomic(out, "problems") as book:
        exports.write_problems_xlsx(file.table, report, book)
