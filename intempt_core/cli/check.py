"""``check``: what is wrong with a file, in a form for a person or for a program (``check_reports.py``).

Exports are imported when they are asked for: with them comes history, and with that the database.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from intempt_core import exports
from intempt_core.cli.catalogue import load_catalogue
from intempt_core.cli.check_reports import ReportRequest, print_check, print_expectations, print_notes
from intempt_core.cli.files_out import check_writable, open_atomic, write_atomic
from intempt_core.cli.input import InputFile, read_input
from intempt_core.cli.rules import load_rules
from intempt_core.cli.steps import StepDisplay, shorten_name
from intempt_core.cli.targets import resolve_target
from intempt_core.contract import Severity
from intempt_core.errors import ReadError
from intempt_core.settings import Settings
from intempt_core.validation import Baseline, CheckComparison, CheckVerdict, Report, read_baseline


def run_check(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run ``check``: 0 clean, 1 errors found; with ``--expect`` 0 all as expected, 1 not.

    With ``--baseline`` 1 is only for errors that are new; with ``--fail-on warning`` warnings count as errors do.
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
        print_notes(file, args.format)  # a program reads the result; what was decided is for a person
    wanted = ReportRequest(args.format, args.file, args.max_issues, environment)
    if args.expect:
        return int(not print_expectations(file, report, wanted))
    now = _describe_now(file, report) if args.format == "json" or before is not None else None
    comparison = CheckComparison.of(before, now) if before is not None and now is not None else None
    verdict = CheckVerdict(report, comparison, Severity(args.fail_on))
    print_check(file, verdict, wanted, now)
    return int(bool(verdict.failing))


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
