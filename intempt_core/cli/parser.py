"""What the command line takes, and the help that teaches it."""

import argparse
from collections.abc import Iterable
from dataclasses import fields
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, TypeAlias

from intempt_core import contract, history
from intempt_core.cli.exit_codes import ExitCode, format_exit_codes
from intempt_core.contract import join_words
from intempt_core.mapping import VENDORS
from intempt_core.readers import (
    DELIMITER_NAMES,
    GZIP_SUFFIX,
    HIDDEN_ROWS_CHOICES,
    JSON_DOCUMENT,
    MERGED_CELLS_CHOICES,
    ReadOptions,
    list_suffixes,
    parse_delimiter,
)

if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  it has no public name

_FILE_HELP = (
    f"{list_suffixes(conjunction='or')}, each also as {GZIP_SUFFIX};"
    f" or {list_suffixes([JSON_DOCUMENT])}: {JSON_DOCUMENT.holds}"
)
_MAX_DIGITS = 9

_MAPPING_HELP = (
    "a mapping file, or the name of a mapping saved in the console; without one only exact headers are taken"
)

_CATALOGUE_HELP = "products are looked for in this file, CSV or JSON; default: the one loaded for the target"
_RULES_HELP = "the team's own rules, JSON Schema by event name (docs/rules.md)"
_COLUMN_HELP = "the catalogue's column of the product id; default: productId"

_MAIN_EPILOG = """\
commands in their order of use:
  python -m intempt_core check events.csv
  python -m intempt_core suggest shop.csv > shop.json
  python -m intempt_core send events.csv --target sandbox --yes
  python -m intempt_core sandbox
  python -m intempt_core settings

Each has its own help: python -m intempt_core check --help
"""

_CHECK_EPILOG = """\
examples:
  check events.csv                                     headers are the contract's own: name, eventId, userId …
  check shop.csv --mapping shop.json                   a mapping file, as the Upload screen exports it
  check shop.csv --mapping cosmetics                   a mapping saved in the console, by its name
  check report.csv --header-line 6 --delimiter semicolon --encoding cp1252
  check book.xlsx --sheet Orders
  check events.csv --target shop                       against the product catalogue loaded for a target, or
  check events.csv --catalogue items.csv --catalogue-column sku       against one in a file
  check events.csv --rules tracking-plan.json          also by the team's own rules
  check events.csv --format json                       for a program: rows, counts by code, the first 1,000 issues
  check events.csv --baseline last.json                what is new, fixed and still failing since then
  check events.csv --problems problems.xlsx            every problem, the bad cells coloured; or a .csv
  check tests.csv --expect --format junit > tests.xml  for a build server: each row passes or fails

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

_SEND_EPILOG = """\
examples:
  send events.csv --target sandbox --yes               to the sandbox on this machine
  send shop.csv --target shop --mapping cosmetics      to [targets.shop] of .streamlit/secrets.toml; it asks first
  send events.csv --target sandbox --yes --wait --results results.csv
  INTEMPT_API_KEY=prefix.secret python -m intempt_core send events.csv --yes \\
      --target https://api.intempt.com/v1/acme/projects/shop/sources/1001/track
  send events.csv --target shop --yes --rest           only the events of which nothing went or is pending
  send events.csv --target shop --yes --again --new-ids         a new run of the same file, as new events
  send events.csv --target sandbox --yes --run "Release 12, smoke test"     a name by which History finds it
  send shop.csv --target shop --exclude row_repeated   without the rows that repeat another in every cell
  send --journey first-order --target sandbox --yes --set userId=u7 --set data.productId=A1
  send --journey journey.json --target sandbox --dry-run --set data.price:=12.5     what would be sent, and nothing is
  send --resume --yes                                  go on with what was interrupted: exactly what never left

Rows with errors are excluded and counted. Where something of the file went to the target before, or is being sent,
nothing is recorded (exit code 5) unless --rest or --again says what is wanted. Where a console runs on the same data,
it does the sending (but not to a URL, whose key only this command knows): --wait then waits for the end. Without one
this command sends by itself, and brings up the sandbox where that is the target.

exit codes:
{codes}
"""

_SANDBOX_EPILOG = """\
example:
  sandbox --port 9000 --latency-ms 20

It serves the Track API at /v1/…/track with the key sandbox.sandbox, and lists the events that it received, with
“processed” or why not: curl -u sandbox:sandbox http://127.0.0.1:9000/_sandbox/events
"""


_SETTINGS_EPILOG = """\
examples:
  settings                                             variable, value, where it comes from, what it means
  settings --format json                               for a program

Below are the targets, each with where it is described and where its key is kept. No key is ever shown.

exit codes: 0 · 1 a setting or a target has a value that cannot be used
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; ``command`` of what it parses is the command's name."""
    parser = argparse.ArgumentParser(
        "python -m intempt_core",
        description="Check and send product events.",
        epilog=_MAIN_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_check(commands)
    _add_suggest(commands)
    _add_send(commands)
    _add_sandbox(commands)
    _add_settings(commands)
    return parser


def _add_check(commands: "Commands") -> None:
    check = _add_command(commands, "check", "say what is wrong with a file; nothing is sent", _CHECK_EPILOG)
    _add_file(check)
    check.add_argument("--target", metavar="sandbox|NAME|URL", help="whose product catalogue to check against")
    _add_catalogue(check)
    check.add_argument(
        "--expect", action="store_true", help="hold every row against its column “expect”: ok, or issue codes"
    )
    check.add_argument(
        "--format", choices=("text", "json", "junit"), default="text", help="junit goes with --expect; default: text"
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


def _add_suggest(commands: "Commands") -> None:
    epilog = _SUGGEST_EPILOG.replace("{vendors}", fill(", ".join(VENDORS), 100, subsequent_indent="  "))
    suggest = _add_command(commands, "suggest", "print a mapping file for a file, with the reasons", epilog)
    suggest.add_argument("file", metavar="FILE", type=Path, help=_FILE_HELP)
    suggest.add_argument("--vendor", metavar="NAME", help="whose export it is; default: all are looked through")
    _add_read_options(suggest)


def _add_send(commands: "Commands") -> None:
    epilog = _SEND_EPILOG.replace("{codes}", format_exit_codes(*ExitCode))
    send = _add_command(commands, "send", "check a file and send the rows without errors", epilog)
    _add_file(send, is_optional=True)
    send.add_argument("--target", metavar="sandbox|NAME|URL", help="a URL's key is that of $INTEMPT_API_KEY")
    send.add_argument(
        "--journey",
        metavar="NAME|FILE",
        help="without FILE: send a journey that is saved in the console, or one in a file; its ids and times are new",
    )
    send.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=TEXT",
        help="a value for every event of the journey: userId=u7, data.productId=A1; a JSON value is FIELD:=JSON",
    )
    send.add_argument("--dry-run", action="store_true", help="check and plan, and say what would be sent; nothing is")
    _add_catalogue(send)
    send.add_argument(
        "--order",
        choices=("file", "time"),
        default="file",
        help="a person's events by their lines, or their timestamps",
    )
    send.add_argument(
        "--exclude",
        type=_parse_warning,
        action="append",
        default=[],
        metavar="CODE",
        help="exclude the rows with this warning too, such as row_repeated; it may be given more than once",
    )
    send.add_argument("--yes", action="store_true", help="do not ask, not even for a production target")
    send.add_argument("--wait", action="store_true", help="wait for a running console that sends")
    send.add_argument("--run", type=_parse_run_name, metavar="NAME", help="what the run is called in History")
    send.add_argument("--results", type=Path, metavar="OUT.csv", help="the outcome of every row")
    send.add_argument(
        "--good-members",
        action="store_true",
        help="of a row that becomes several events, send those without errors; without this the row is excluded whole",
    )
    send.add_argument("--force", action="store_true", help="replace the file of --results if it is there already")
    once = send.add_mutually_exclusive_group()
    once.add_argument("--rest", action="store_true", help="send only events of which nothing went or is pending")
    once.add_argument("--again", action="store_true", help="send all, also what was sent before")
    send.add_argument("--new-ids", action="store_true", help="give the events new ids: they are new to the target")
    send.add_argument(
        "--resume",
        nargs="?",
        const="",
        metavar="BATCH",
        help="without FILE: go on with a batch that was interrupted; default: the one that was",
    )


def _add_sandbox(commands: "Commands") -> None:
    sandbox = _add_command(commands, "sandbox", "serve a local Track API that stores what it gets", _SANDBOX_EPILOG)
    sandbox.add_argument(
        "--port", type=_parse_port, default=8080, metavar="N", help="default: 8080; 0 is any that is free"
    )
    sandbox.add_argument("--latency-ms", type=_parse_latency, default=0, metavar="N", help="respond this much later")
    sandbox.add_argument("--faults", type=Path, metavar="FILE", help="simulate failures, as this JSON document says")


def _add_settings(commands: "Commands") -> None:
    settings = _add_command(
        commands, "settings", "print every setting and target, and where each comes from", _SETTINGS_EPILOG
    )
    settings.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def _add_command(commands: "Commands", name: str, help_: str, epilog: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=help_,
        description=f"{help_[0].upper()}{help_[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def check_arguments(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    """End the process with a sentence where arguments do not go together, as ``argparse`` does (exit code 2)."""
    if getattr(given, "format", "") == "junit" and not given.expect:
        parser.error("--format junit reports the tests of a file: say --expect beside it")
    if getattr(given, "baseline", None) is not None and given.expect:
        parser.error("--baseline compares two checks; the tests of --expect say themselves what is right. Say one")
    if given.command != "send":
        return
    if given.set and given.journey is None:
        parser.error("--set gives values to the events of a journey: say --journey beside it")
    if given.resume is not None:
        beside = (
            "file",
            "target",
            "journey",
            "mapping",
            "rules",
            "catalogue",
            "exclude",
            "run",
            "rest",
            "new_ids",
            "dry_run",
        )
        if wrong := _list_given(given, beside):
            parser.error(f"--resume sends what history has of a batch: it takes no {' and no '.join(wrong)}")
        return
    input_ = given.file if given.journey is None else given.journey
    lacking = [name for name, value in (("FILE or --journey", input_), ("--target", given.target)) if value is None]
    if lacking:
        parser.error(f"send needs {' and '.join(lacking)}; or --resume to go on with what was interrupted")
    if given.journey is not None and (wrong := _list_given(given, ("file", "mapping", "new_ids"))):
        parser.error(f"--journey is all that is sent, with new ids each time: it takes no {' and no '.join(wrong)}")


def _list_given(given: argparse.Namespace, names: Iterable[str]) -> list[str]:
    """Which of these arguments, and of the options of how a file is read, a call has."""
    said = [name for name in names if getattr(given, name)]
    said += [option.name for option in fields(ReadOptions) if getattr(given, option.name, None) is not None]
    return ["FILE" if name == "file" else f"--{name.replace('_', '-')}" for name in said]


def _add_file(command: argparse.ArgumentParser, *, is_optional: bool = False) -> None:
    command.add_argument("file", metavar="FILE", type=Path, nargs="?" if is_optional else None, help=_FILE_HELP)
    command.add_argument("--mapping", metavar="FILE|NAME", help=_MAPPING_HELP)
    command.add_argument("--rules", metavar="FILE", type=Path, help=_RULES_HELP)
    _add_read_options(command)


def _add_read_options(command: argparse.ArgumentParser) -> None:
    """Each option is called as a field of :class:`~intempt_core.readers.ReadOptions`."""
    group = command.add_argument_group("how the file is read", "recognised where neither this nor the mapping says it")
    names = join_words(list(DELIMITER_NAMES.values()), "or")
    group.add_argument("--sheet", metavar="NAME", help="the sheet of a workbook; default: the first visible one")
    group.add_argument(
        "--header-line",
        type=partial(_parse_number, least=1),
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
        "--rows-to-skip", type=partial(_parse_number, least=0), metavar="N", help="skip so many rows after the header"
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


def _add_catalogue(command: argparse.ArgumentParser) -> None:
    command.add_argument("--catalogue", metavar="FILE", type=Path, help=_CATALOGUE_HELP)
    command.add_argument("--catalogue-column", metavar="COLUMN", help=_COLUMN_HELP)


def _parse_number(text: str, least: int) -> int:
    if not text.isdecimal() or len(text) > _MAX_DIGITS or int(text) < least:
        raise argparse.ArgumentTypeError(f"“{text}” is no number of lines; it takes {least} or more")
    return int(text)


def _parse_quote(text: str) -> str:
    return "" if text.lower() == "none" else text


def _parse_warning(text: str) -> str:
    kinds = contract.ISSUE_KINDS  # help does without the catalogue, and with that without Arrow
    codes = [code for code, kind in kinds.items() if kind.severity is contract.Severity.WARNING]
    if text not in codes:
        raise argparse.ArgumentTypeError(f"“{text}” is no code of a warning; it takes {join_words(codes, 'or')}")
    return text


def _parse_run_name(text: str) -> str:
    name, most = " ".join(text.split()), history.MAX_NAME_LENGTH  # loaded where a call has a name, and only there
    if not 0 < len(name) <= most:
        raise argparse.ArgumentTypeError(f"a name of a run has 1 to {most} characters, and not {len(name):,}")
    return name


def _parse_port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"“{text}” is no port; it takes 0 to 65535, where 0 is any that is free")
    return int(text)


def _parse_latency(text: str) -> int:
    if not text.isdigit() or int(text) > 600_000:
        raise argparse.ArgumentTypeError(f"“{text}” is no time; it takes 0 to 600000 milliseconds")
    return int(text)
