"""``coverage``: what it takes."""

import argparse
from pathlib import Path

from intempt_core.cli.arguments.command import Command, ReportMisuse
from intempt_core.cli.arguments.files import FILE_HELP, add_catalogue_column, add_read_options

_COVERAGE_EPILOG = """\
examples:
  coverage tests/*.csv                                 which rules and shapes of journeys they exercise, in percent
  coverage tests/*.csv --fail-under 90                 for a build server: 1 below it
  coverage tests.csv --add-missing more.csv            write the rows that lack; both together are 100 %
  coverage tests.csv --catalogue items.csv             also whether products are in the catalogue
  coverage tests.jsonl --format json

A rule is exercised rightly by an event without errors that could have broken it, and wrongly by one that breaks it.
What the form of the files cannot hold does not count, and is named with the reason.

exit codes: 0 · 1 below --fail-under, or the rows could not be written · 2 cannot be read
"""


def _add_arguments(coverage: argparse.ArgumentParser) -> None:
    coverage.add_argument(
        "files", metavar="FILE", nargs="+", help=f"{FILE_HELP}; or a pattern of them, or - for standard input"
    )
    coverage.add_argument(
        "--mapping", metavar="FILE|NAME", help="a mapping file, or the name of a saved mapping, for all of the files"
    )
    add_read_options(coverage)
    coverage.add_argument("--catalogue", metavar="FILE", type=Path, help="look for products in this file, CSV or JSON")
    add_catalogue_column(coverage)
    coverage.add_argument(
        "--fail-under", type=_parse_percent, default=0.0, metavar="N", help="end with 1 where it is less than N percent"
    )
    coverage.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    coverage.add_argument(
        "--add-missing", type=Path, metavar="OUT", help="write the rows that lack, to OUT.csv or OUT.jsonl"
    )
    coverage.add_argument("--force", action="store_true", help="replace the file of --add-missing if it is there")


def _parse_percent(text: str) -> float:
    digits = text.removesuffix("%").strip()
    is_number = digits.isascii() and digits.replace(".", "", 1).isdecimal() and len(digits) < 9
    if not is_number or float(digits) > 100:
        raise argparse.ArgumentTypeError(f"“{text}” is no share; it takes 0 to 100 percent")
    return float(digits)


def _check_arguments(report: ReportMisuse, given: argparse.Namespace) -> None:
    if given.catalogue_column is not None and given.catalogue is None:
        report("--catalogue-column is a column of the file of --catalogue: say --catalogue beside it")
    if given.add_missing is not None and given.add_missing.suffix.lower() not in {".csv", ".jsonl"}:
        report(f"--add-missing writes a .csv or a .jsonl file, and “{given.add_missing.name}” is neither")


COVERAGE = Command(
    "coverage",
    "say which rules and shapes of journeys a set of files exercises, in percent",
    _COVERAGE_EPILOG,
    _add_arguments,
    run="print_coverage",
    check=_check_arguments,
    loads_much=True,
)
