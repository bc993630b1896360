"""``tail``: what it takes."""

import argparse

from intempt_core.cli.arguments.command import Command
from intempt_core.cli.arguments.files import parse_number

_TAIL_EPILOG = """\
examples:
  tail                                                 of the console's sandbox, or the one that settings name
  tail http://127.0.0.1:9000                           of a sandbox that is served alone, at port 9000
  tail --name "Added to cart" --person u1              only these; all that are given have to match
  tail --once --format jsonl > events.jsonl            what is there already, a JSON object a line
  tail --project shop --count 1                        wait for one event of a project

Each line says when an event arrived, its name, person, product and id, and whether it was processed or why not.

exit codes: 0 also when it is stopped with Ctrl+C · 1 no sandbox responds · 130 stopped before --count were there
"""


def _add_arguments(tail: argparse.ArgumentParser) -> None:
    tail.add_argument("sandbox", metavar="URL", nargs="?", help="of the sandbox; default: the console's")
    wanted = tail.add_argument_group("which events", "those that match all of these; default: every event")
    wanted.add_argument("--name", metavar="NAME", help="with this name, such as “Added to cart”")
    wanted.add_argument("--person", metavar="ID", help="with this id in any identity field")
    wanted.add_argument("--event-id", metavar="ID", help="with this event id")
    wanted.add_argument("--project", metavar="PROJECT", help="that were sent to this project")
    wanted.add_argument("--all", action="store_true", help="those that are there already, too")
    tail.add_argument("--once", action="store_true", help="print what is there already, and end")
    tail.add_argument("--count", type=_parse_count, metavar="N", help="end after so many events")
    tail.add_argument(
        "--format", choices=("text", "jsonl"), default="text", help="jsonl: a JSON object a line; default: text"
    )


def _parse_count(text: str) -> int:
    return parse_number(text, least=1, what="events")


TAIL = Command("tail", "show what reaches a sandbox, as it arrives", _TAIL_EPILOG, _add_arguments, run="follow_events")
