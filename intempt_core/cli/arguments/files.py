"""Arguments that several commands take: the file, how it is read, and the catalogue of its products."""

import argparse
from functools import partial
from pathlib import Path

from intempt_core.cli.arguments.command import ReportMisuse
from intempt_core.cli.input_files import FORMS, STANDARD_INPUT
from intempt_core.contract import join_words
from intempt_core.readers import (
    DELIMITER_NAMES,
    GZIP_SUFFIX,
    HIDDEN_ROWS_CHOICES,
    JSON_DOCUMENT,
    MERGED_CELLS_CHOICES,
    list_suffixes,
    parse_delimiter,
)

FILE_HELP = (
    f"{list_suffixes(conjunction='or')}, each also as {GZIP_SUFFIX};"
    f" or {list_suffixes([JSON_DOCUMENT])}: {JSON_DOCUMENT.holds}"
)
"""Which files a command takes."""

_MAX_DIGITS = 9

_MAPPING_HELP = (
    "a mapping file, or the name of a mapping saved in the console; without one only exact headers are taken"
)

_CATALOGUE_HELP = "products are looked for in this file, CSV or JSON; default: the one loaded for the target"
_RULES_HELP = "the team's own rules, JSON Schema by event name (docs/rules.md)"
_COLUMN_HELP = "the catalogue's column of the product id; default: productId"


def add_file_options(command: argparse.ArgumentParser) -> None:
    """Add a file's mapping, the team's rules, and how the file is read."""
    add_form(command)
    command.add_argument("--mapping", metavar="FILE|NAME", help=_MAPPING_HELP)
    command.add_argument("--rules", metavar="FILE", type=Path, help=_RULES_HELP)
    add_read_options(command)


def add_files(command: argparse.ArgumentParser, what_is_done: str) -> None:
    """Add the files of a command that takes several: names, patterns and standard input."""
    command.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help=f"{FILE_HELP}. Several are {what_is_done} one after another, a pattern such as 'exports/*.csv' is every"
        " file that it matches, and - is standard input",
    )


def add_form(command: argparse.ArgumentParser) -> None:
    """Add what standard input holds."""
    command.add_argument(
        "--form", choices=tuple(FORMS), help="what standard input (FILE is -) holds, where its bytes leave a doubt"
    )


def check_standard_input(report: ReportMisuse, given: argparse.Namespace) -> None:
    """Look whether standard input is named once, and ``--form`` only with it."""
    if given.form is not None and STANDARD_INPUT not in given.files:
        report("--form says what standard input holds: say - as FILE. A file is what its bytes say")
    if given.files.count(STANDARD_INPUT) > 1:
        report("- is standard input, which is read once. Say it once")


def add_read_options(command: argparse.ArgumentParser) -> None:
    """Add how the file is read; each option is called as a field of :class:`~intempt_core.readers.ReadOptions`."""
    group = command.add_argument_group("how the file is read", "recognised where neither this nor the mapping says it")
    names = join_words(list(DELIMITER_NAMES.values()), "or")
    group.add_argument("--sheet", metavar="NAME", help="the sheet of a workbook; default: the first visible one")
    group.add_argument(
        "--header-line",
        type=partial(parse_number, least=1),
        metavar="N",
        help="the line, or row of a sheet, of the header",
    )
    group.add_argument(
        "--no-header",
        action="store_true",
        default=None,
        help="there is no header: columns are called “column 1” and so on; --header-line is then the first row",
    )
    group.add_argument(
        "--rows-to-skip", type=partial(parse_number, least=0), metavar="N", help="skip so many rows after the header"
    )
    group.add_argument(
        "--delimiter", type=parse_delimiter, metavar="CHAR", help=f"between cells: {names}, or a character"
    )
    group.add_argument("--quote", type=_parse_quote, metavar="CHAR", help="around cells: a character, or none")
    group.add_argument("--hidden-rows", choices=HIDDEN_ROWS_CHOICES, help="hidden rows of a sheet; default: include")
    group.add_argument(
        "--merged-cells", choices=MERGED_CELLS_CHOICES, help="fill: the rows below have the value too; default: leave"
    )
    group.add_argument("--encoding", metavar="NAME", help="such as utf-8, utf-16 or cp1252")


def add_catalogue(command: argparse.ArgumentParser) -> None:
    """Add the catalogue that products are looked for in."""
    command.add_argument("--catalogue", metavar="FILE", type=Path, help=_CATALOGUE_HELP)
    add_catalogue_column(command)


def add_catalogue_column(command: argparse.ArgumentParser) -> None:
    """Add which column of a catalogue is the product id."""
    command.add_argument("--catalogue-column", metavar="COLUMN", help=_COLUMN_HELP)


def parse_number(text: str, least: int, what: str = "lines") -> int:
    """Read how many of something are wanted, ``least`` or more."""
    if not text.isdecimal() or len(text) > _MAX_DIGITS or int(text) < least:
        raise argparse.ArgumentTypeError(f"“{text}” is no number of {what}; it takes {least} or more")
    return int(text)


def _parse_quote(text: str) -> str:
    return "" if text.lower() == "none" else text
