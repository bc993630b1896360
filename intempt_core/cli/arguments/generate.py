"""``generate``: what it takes."""

import argparse
from pathlib import Path

from intempt_core.cli.arguments.command import Command, ReportMisuse
from intempt_core.cli.arguments.files import add_catalogue_column

_MAX_DIGITS = 9

_GENERATE_EPILOG = """\
examples:
  generate --persons 500 --seed 7 --out events.csv
  generate --defects product_id_missing=2%,timestamp_before_2010=1% --out tests.csv
  check tests.csv --expect                             the file is a test of itself: its column “expect” is the truth
  generate --rows 1000000 --products catalogue.csv --form jsonl > events.jsonl
  generate --list-defects --form jsonl                 which issue codes can be asked for, and why not the others

Persons come back, look at products (a few of them at most), put them into the cart, remove them, order several at once.
The same call gives the same bytes, on every machine. A row has one defect at the most, and “expect” says which: ok, or
its issue code. product_unknown is found by check --catalogue with the file of --products.

exit codes: 0 · 1 the file cannot be written, or is there already · 2 it cannot be as it is asked for
"""


def _add_arguments(generate: argparse.ArgumentParser) -> None:
    generate.add_argument(
        "--persons", type=_parse_count, metavar="N", help="how many persons have events; default: 500, or by --rows"
    )
    generate.add_argument("--rows", type=_parse_count, metavar="N", help="exactly so many events")
    generate.add_argument("--seed", type=_parse_count, default=1, metavar="N", help="another one gives other events")
    generate.add_argument(
        "--products",
        type=Path,
        metavar="FILE",
        help="the catalogue of the products, CSV or JSON; default: one of its own",
    )
    add_catalogue_column(generate)
    generate.add_argument(
        "--defects", default="", metavar="CODE=N%,…", help="what is wrong, and in which share of the rows"
    )
    generate.add_argument("--form", choices=("csv", "jsonl"), default="csv", help="default: csv")
    generate.add_argument("--out", type=Path, metavar="FILE", help="where it is written; default: standard output")
    generate.add_argument("--force", action="store_true", help="replace the file of --out if it is there already")
    generate.add_argument(
        "--list-defects", action="store_true", help="say which codes the form can hold, and why not the others"
    )


def _parse_count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS):
        raise argparse.ArgumentTypeError(f"“{text}” is no number of up to {_MAX_DIGITS} digits")
    return int(text)


def _check_arguments(report: ReportMisuse, given: argparse.Namespace) -> None:
    if given.catalogue_column is not None and given.products is None:
        report("--catalogue-column is a column of the file of --products: say --products beside it")


GENERATE = Command(
    "generate",
    "write events of many persons, with a column that says what is true of each row",
    _GENERATE_EPILOG,
    _add_arguments,
    run="write_fixture",
    check=_check_arguments,
)
