"""``check``: what it takes."""

import argparse
from functools import partial
from pathlib import Path

from intempt_core.cli.arguments.command import Command, ReportMisuse
from intempt_core.cli.arguments.files import (
    add_catalogue,
    add_file_options,
    add_files,
    check_standard_input,
    parse_number,
)

_CHECK_EPILOG = """\
examples:
  check events.csv                                     headers are the contract's own: name, eventId, userId …
  check shop.csv --mapping shop.json                   a mapping file, as the Upload screen exports it
  check shop.csv --mapping cosmetics                   a mapping saved in the console, by its name
  check report.csv --header-line 6 --delimiter semicolon --encoding cp1252
  check book.xlsx --sheet Orders
  check a.csv b.jsonl 'exports/*.csv'                  several files: a report each, and a total
  some-export | python -m intempt_core check -         standard input
  check events.csv --target shop                       against the product catalogue loaded for a target, or
  check events.csv --catalogue items.csv --catalogue-column sku       against one in a file
  check events.csv --rules tracking-plan.json          also by the team's own rules
  check events.csv --format json                       for a program: rows, counts by code, the first 1,000 issues
  check events.csv --baseline last.json                what is new, fixed and still failing since then
  check events.csv --problems problems.xlsx            every problem, the bad cells coloured; or a .csv
  check events.csv --format github --fail-on warning   annotations in a run of GitHub Actions; warnings fail too
  check events.csv --format junit > events.xml         for a build server: each kind of issue passes or fails
  check tests.csv --expect --format junit > tests.xml  likewise each row

A mapping file says which column becomes which field, and which cell which event name:
  {"columns": {"sku": "data.productId", "user": "userId", "what": "name", "when": "timestamp"},
   "names": {"view": "Product viewed"}, "types": {"data.price": "number"}, "constants": {"data.shop": "eu"},
   "time_zone": "Europe/Berlin", "time_format": "%d.%m.%Y %H:%M",
   "read": {"header_line": 6, "delimiter": ";", "encoding": "cp1252"}}
time_format may be left out (ISO 8601 or epoch milliseconds), or be iso, epoch_s, epoch_ms, epoch_us, epoch_ns, serial
(a spreadsheet's days), a pattern, or a list of these, of which the first that reads a cell counts.
read says how the file is read, where that is not recognised: the options below, with _ in the place of -.

A file that tests itself has a column “expect”: ok, or the codes that are right for the row, such as
product_id_missing; errors must be exactly those, warnings that are named must be there. It is never sent.

exit codes: 0 clean, or all as expected · 1 errors found, or not all as expected · 2 cannot be read · 3 no such target
"""


def _add_arguments(check: argparse.ArgumentParser) -> None:
    add_files(check, "checked")
    add_file_options(check)
    check.add_argument("--target", metavar="sandbox|NAME|URL", help="whose product catalogue to check against")
    add_catalogue(check)
    check.add_argument(
        "--expect", action="store_true", help="hold every row against its column “expect”: ok, or issue codes"
    )
    check.add_argument(
        "--format",
        choices=("text", "json", "junit", "github"),
        default="text",
        help="for a person, a program, a build server, or as annotations of GitHub Actions; default: text",
    )
    check.add_argument(
        "--fail-on",
        choices=("warning", "error"),
        default="error",
        help="the least that ends the check with 1; default: error",
    )
    check.add_argument(
        "--max-issues",
        type=partial(parse_number, least=0, what="issues"),
        metavar="N",
        help="how many issues are listed; all are counted; default: 1,000, and 50 as annotations",
    )
    check.add_argument(
        "--problems",
        type=Path,
        metavar="OUT",
        help="write every problem to OUT.csv, or to OUT.xlsx with coloured cells",
    )
    check.add_argument(
        "--baseline",
        type=Path,
        metavar="LAST.json",
        help="what an earlier check --format json printed: say what is new since then, and end with 1 only for that",
    )


def _check_arguments(report: ReportMisuse, given: argparse.Namespace) -> None:
    check_standard_input(report, given)
    if given.expect and given.fail_on == "warning":
        report("--fail-on says what ends a check with 1; the tests of --expect say themselves what is right. Say one")
    if given.baseline is not None and given.expect:
        report("--baseline compares two checks; the tests of --expect say themselves what is right. Say one")


CHECK = Command(
    "check",
    "say what is wrong with a file; nothing is sent",
    _CHECK_EPILOG,
    _add_arguments,
    run="run_check",
    check=_check_arguments,
    loads_much=True,
)
