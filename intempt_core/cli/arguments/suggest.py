"""``suggest``: what it takes."""

import argparse
from pathlib import Path
from textwrap import fill

from intempt_core.cli.arguments.command import Command
from intempt_core.cli.arguments.files import FILE_HELP, add_read_options
from intempt_core.mapping import VENDORS

_SUGGEST_EPILOG = """\
examples:
  suggest shop.csv > shop.json                         a mapping file to correct by hand; the reasons are on the screen
  suggest export.jsonl --vendor segment > shop.json    whose words the headers are, where that is known
  check shop.csv --mapping shop.json                   what it makes of the file

Every row is looked at. A product id is among it where a column could be it: confirm it, for only you know which
column names one product of the catalogue. What is missing is said. Nothing is applied, sent or saved.

vendors: {vendors}

exit codes: 0 · 2 cannot be read, or takes no mapping
"""


def _add_arguments(suggest: argparse.ArgumentParser) -> None:
    suggest.add_argument("file", metavar="FILE", type=Path, help=FILE_HELP)
    suggest.add_argument("--vendor", metavar="NAME", help="whose export it is; default: all are looked through")
    add_read_options(suggest)


SUGGEST = Command(
    "suggest",
    "print a mapping file for a file, with the reasons",
    _SUGGEST_EPILOG.replace("{vendors}", fill(", ".join(VENDORS), 100, subsequent_indent="  ")),
    _add_arguments,
    run="print_mapping",
)
