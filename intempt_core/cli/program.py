"""What a person types to call this program: the installed command, or Python with the package of a clone."""

from intempt_core.settings import is_installed

CLONE_PROGRAM = "python -m intempt_core"
"""What help and examples are written with; :func:`name_program` says what it is where the program is installed."""

_INSTALLED_PROGRAM = "event-console"


def name_program() -> str:
    """What the command line is called by."""
    return _INSTALLED_PROGRAM if is_installed() else CLONE_PROGRAM


def name_console_start() -> str:
    """What starts the screens."""
    return _INSTALLED_PROGRAM if is_installed() else "python3 run.py"
