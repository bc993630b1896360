"""``settings``: what it takes."""

import argparse

from intempt_core.cli.arguments.command import Command

_SETTINGS_EPILOG = """\
examples:
  settings                                             variable, value, where it comes from, what it means
  settings --format json                               for a program

Below are the targets, each with where it is described and where its key is kept. No key is ever shown.

exit codes: 0 · 1 a setting or a target has a value that cannot be used
"""


def _add_arguments(settings: argparse.ArgumentParser) -> None:
    settings.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


SETTINGS = Command(
    "settings",
    "print every setting and target, and where each comes from",
    _SETTINGS_EPILOG,
    _add_arguments,
    run="print_settings",
)
