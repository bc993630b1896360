"""``suggest``: what it takes."""

import argparse
from textwrap import fill

from intempt_core.cli.arguments.command import Command
from intempt_core.cli.arguments.files import add_files, add_form, add_read_options, check_standard_input
from intempt_core.mapping import VENDORS

_SUGGEST_EPILOG = """\
examples:
  suggest shop.csv > shop.json                         a mapping file to correct by hand; the reasons are on the screen
  suggest export.jsonl --vendor segment > shop.json    whose words the headers are, where that is known
  check shop.csv --mapping shop.json                   what it makes of the file
  suggest a.csv b.jsonl 'exports/*.csv' > all.json     several files: one document, {"files": [{"file", "mapping"}, …]}
  some-export | python -m intempt_core suggest -       standard input

Every row is looked at. A product id is among it where a column could be it: confirm it, for only you know which
column names one product of the catalogue. What is missing is said. Nothing is applied, sent or saved.

vendors: {vendors}

exit codes: 0 · 2 cannot be read, or takes no mapping; of several files one is enough
"""


def _add_arguments(suggest: argparse.ArgumentParser) -> None:
    add_files(suggest, "looked at")
    add_form(suggest)
    suggest.add_argument("--vendor", metavar="NAME", help="whose export it is; default: all are looked through")
    add_read_options(suggest)


SUGGEST = Command(
    "suggest",
    "print a mapping file for a file, with the reasons",
    _SUGGEST_EPILOG.replace("{vendors}", fill(", ".join(VENDORS), 100, subsequent_indent="  ")),
    _add_arguments,
    run="print_mapping",
    check=check_standard_input,
)
