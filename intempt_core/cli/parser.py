"""The list of commands, and the parser that is made of it."""

import argparse
import sys
from collections.abc import Sequence

from intempt_core import __version__
from intempt_core.cli.arguments.backup import BACKUP, RESTORE
from intempt_core.cli.arguments.check import CHECK
from intempt_core.cli.arguments.command import Command
from intempt_core.cli.arguments.console import CONSOLE, find_console_options
from intempt_core.cli.arguments.coverage import COVERAGE
from intempt_core.cli.arguments.generate import GENERATE
from intempt_core.cli.arguments.move import MOVE
from intempt_core.cli.arguments.sandbox import SANDBOX
from intempt_core.cli.arguments.schema import SCHEMA
from intempt_core.cli.arguments.send import SEND
from intempt_core.cli.arguments.settings import SETTINGS
from intempt_core.cli.arguments.suggest import SUGGEST
from intempt_core.cli.arguments.tail import TAIL
from intempt_core.cli.arguments.worker import WORKER
from intempt_core.cli.program import CLONE_PROGRAM, name_program

COMMANDS: tuple[Command, ...] = (
    CONSOLE,
    CHECK,
    SEND,
    SANDBOX,
    WORKER,
    SUGGEST,
    TAIL,
    GENERATE,
    COVERAGE,
    SCHEMA,
    SETTINGS,
    MOVE,
    BACKUP,
    RESTORE,
)
"""Every command, in the order in which the help lists them."""

_MAIN_EPILOG = """\
commands in their order of use:
  python -m intempt_core check events.csv
  python -m intempt_core suggest shop.csv > shop.json
  python -m intempt_core send events.csv --target sandbox --yes
  python -m intempt_core send --event "Added to cart" --set userId=u1 --set data.productId=A1 --target sandbox --yes
  python -m intempt_core sandbox
  python -m intempt_core tail
  python -m intempt_core schema > track.schema.json
  python -m intempt_core settings

Each has its own help: python -m intempt_core check --help
"""


def parse_call(arguments: Sequence[str] | None) -> tuple[Command, argparse.Namespace]:
    """Read a call: its command and what that is given. It ends the process where it is wrong, with exit code 2."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if (options := find_console_options(arguments)) is not None:
        return CONSOLE, argparse.Namespace(command=CONSOLE.name, options=options)
    parser = build_parser()
    given = parser.parse_args(arguments)
    command = next(command for command in COMMANDS if command.name == given.command)
    command.check(parser.error, given)
    return command, given


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; ``command`` of what it parses is the command's name."""
    program = name_program()
    parser = argparse.ArgumentParser(
        program,
        description="Check and send product events.",
        epilog=_MAIN_EPILOG.replace(CLONE_PROGRAM, program),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"event-console {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_arguments(
            commands.add_parser(
                command.name,
                help=command.help,
                description=f"{command.help[0].upper()}{command.help[1:]}.",
                epilog=command.epilog.replace(CLONE_PROGRAM, program),
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )
    return parser
