"""``console``: the screens, served until Ctrl+C; the options are Streamlit's."""

import argparse
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from intempt_core import __version__
from intempt_core.cli.commands.launch import LaunchError, plan_launch, start_server
from intempt_core.errors import ConsoleError
from intempt_core.settings import Settings, find_console_folder, is_installed

SCREEN_PACKAGES = ("streamlit", "pandas")
"""What the screens import and nothing below them does: the extra ``console`` of ``pyproject.toml``."""


def start_console(args: argparse.Namespace, environment: Mapping[str, str]) -> NoReturn:
    """Run ``console``: become its server. Raises :class:`ConsoleError` where it cannot start."""
    if any(not _is_there(name) for name in SCREEN_PACKAGES):
        raise ConsoleError(
            "The screens are not installed here, only the command line is. Install the wheel again with its extra:"
            f" pip install 'event_console-{__version__}-py3-none-any.whl[console]'"
        )
    Settings.from_environment(environment)  # a setting that cannot be used is said before anything else
    command = "event-console" if is_installed() else "python3 run.py start"
    try:
        launch = plan_launch(find_console_folder(), args.options, environment, command)
    except LaunchError as error:
        raise ConsoleError(str(error)) from None
    start_server(launch, Path(sys.executable))


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ValueError:  # it was put aside
        return False
