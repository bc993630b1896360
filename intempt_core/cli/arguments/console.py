"""``console``: what it takes."""

import argparse
from collections.abc import Sequence

from intempt_core.cli.arguments.command import Command

_CONSOLE_EPILOG = """\
examples:
  console                                              at http://127.0.0.1:8501, and the browser opens
  console --server.port 8502                           every option is Streamlit's: --server.address, --theme.base …
  CONSOLE_PASSWORD=… CONSOLE_BIND=0.0.0.0 CONSOLE_HOSTS=http://10.0.0.5:8501 python -m intempt_core console

Data and configuration are where settings says (CONSOLE_DATA, CONSOLE_CONFIG).

exit codes: those of the server · 1 it cannot be started
"""


def _add_arguments(_console: argparse.ArgumentParser) -> None:
    """Its options are Streamlit's: see :func:`find_console_options`."""


def find_console_options(arguments: Sequence[str]) -> Sequence[str] | None:
    """The options for Streamlit in a call that starts the console; ``None`` where it calls another command, or help."""
    if not arguments:
        return ()
    first, *rest = arguments
    if first.startswith("--") and "." in first.partition("=")[0]:
        return arguments
    return None if first != CONSOLE.name or {"-h", "--help"} & set(rest) else rest


CONSOLE = Command(
    "console", "start the screens; without a command too", _CONSOLE_EPILOG, _add_arguments, run="start_console"
)
