"""``send``: what it takes."""

import argparse
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from intempt_core import contract, history
from intempt_core.cli.arguments.command import Command, ReportMisuse
from intempt_core.cli.arguments.files import FILE_HELP, add_catalogue, add_file_options
from intempt_core.cli.exit_codes import ExitCode, format_exit_codes
from intempt_core.cli.input_files import STANDARD_INPUT
from intempt_core.contract import join_words
from intempt_core.readers import ReadOptions

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
  send events.csv --target shop --exclude row_repeated         without the rows that repeat another in every cell
  send --event "Added to cart" --target sandbox --yes --set userId=u1 --set data.productId=A1 --set data.price:=12.5
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


def _add_arguments(send: argparse.ArgumentParser) -> None:
    send.add_argument("file", metavar="FILE", nargs="?", help=f"{FILE_HELP}; - is standard input")
    add_file_options(send)
    send.add_argument("--target", metavar="sandbox|NAME|URL", help="a URL's key is that of $INTEMPT_API_KEY")
    send.add_argument(
        "--journey",
        metavar="NAME|FILE",
        help="without FILE: send a journey that is saved in the console, or one in a file; its ids and times are new",
    )
    send.add_argument(
        "--event",
        metavar="NAME",
        help="without FILE: send one event of this name; what it holds is said by --set, its id and time are made",
    )
    send.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=TEXT",
        help="a value of the event, or of all of a journey: userId=u7, data.productId=A1; JSON is FIELD:=JSON",
    )
    send.add_argument("--dry-run", action="store_true", help="check and plan, and say what would be sent; nothing is")
    add_catalogue(send)
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


def _check_arguments(report: ReportMisuse, given: argparse.Namespace) -> None:
    if given.form is not None and given.file != STANDARD_INPUT:
        report("--form says what standard input holds: say - as FILE. A file is what its bytes say")
    if given.set and given.journey is None and given.event is None:
        report("--set gives values to an event or to those of a journey: say --event or --journey beside it")
    if given.event is not None and given.journey is not None:
        report("--event sends one event, --journey those of a journey. Say one")
    if given.resume is not None:
        beside = (
            "file",
            "target",
            "journey",
            "event",
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
            report(f"--resume sends what history has of a batch: it takes no {' and no '.join(wrong)}")
        return
    composed = "--journey" if given.journey is not None else "--event" if given.event is not None else ""
    input_ = composed or given.file
    lacking = [
        name for name, value in (("FILE, --event or --journey", input_), ("--target", given.target)) if value is None
    ]
    if lacking:
        report(f"send needs {' and '.join(lacking)}; or --resume to go on with what was interrupted")
    if composed and (wrong := _list_given(given, ("file", "mapping", "new_ids"))):
        report(f"{composed} is all that is sent, with new ids each time: it takes no {' and no '.join(wrong)}")


def _list_given(given: argparse.Namespace, names: Iterable[str]) -> list[str]:
    """Which of these arguments, and of the options of how a file is read, a call has."""
    said = [name for name in names if getattr(given, name)]
    said += [option.name for option in fields(ReadOptions) if getattr(given, option.name, None) is not None]
    return ["FILE" if name == "file" else f"--{name.replace('_', '-')}" for name in said]


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


SEND = Command(
    "send",
    "check a file and send the rows without errors",
    _SEND_EPILOG.replace("{codes}", format_exit_codes(*ExitCode)),
    _add_arguments,
    run="run_send",
    check=_check_arguments,
    loads_much=True,
    outlives_output=True,
)
