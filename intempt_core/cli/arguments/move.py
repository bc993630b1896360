"""``move``: what it takes."""

import argparse

from intempt_core.cli.arguments.command import Command
from intempt_core.settings import DATABASE_EXAMPLE, DATABASE_VARIABLE

_EPILOG = f"""\
examples:
  move                                                 from the data folder's file to ${DATABASE_VARIABLE}
  move --from sqlite:/srv/console/history.sqlite3      from another file

Stop the console and every command that sends first. Everything is copied, counted and compared, or nothing is; the
file stays as it is. Say the address by {DATABASE_VARIABLE}, such as
{DATABASE_EXAMPLE}, rather than with --to: other users of this
machine can read the arguments of a command.

exit codes:
  0   all of it was moved, and is the same there
  1   nothing was moved: the database is not empty, in use or away, or a process uses the file
  2   the file is no history, or the call is wrong
  130 interrupted: nothing was moved
"""


def _add_arguments(move: argparse.ArgumentParser) -> None:
    move.add_argument(
        "--from",
        dest="source",
        metavar="sqlite:FILE",
        help="the history that is moved, or the data folder that it is in; default: the settings' data folder",
    )
    move.add_argument(
        "--to",
        metavar="URL",
        help=f"the empty PostgreSQL database that takes it; default: ${DATABASE_VARIABLE}",
    )
    move.add_argument("--format", choices=("text", "json"), default="text", help="json: for a program; default: text")


MOVE = Command(
    "move",
    "move a history from its SQLite file into PostgreSQL",
    _EPILOG,
    _add_arguments,
    run="move_to_database",
    loads_much=True,
)
