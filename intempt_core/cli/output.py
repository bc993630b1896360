"""What the command line prints: results on standard output, progress and errors on standard error."""

import contextlib
import errno
import os
import re
import sys
from enum import StrEnum
from typing import TextIO

from intempt_core.cli.streams import LOSSLESS

GITHUB_VARIABLE = "GITHUB_ACTIONS"
"""The variable that is true in a run of GitHub Actions, which obeys commands that stand in its log."""


class Color(StrEnum):
    """A colour of a terminal, as its number."""

    GREEN = "32"
    YELLOW = "33"


def print_message(text: str) -> None:
    """Print a line on standard error; where nobody is there to read it any more, the work goes on."""
    with contextlib.suppress(OSError):
        print(sanitize_text(text, sys.stderr), file=sys.stderr, flush=True)


def print_result(text: str) -> None:
    """Print a line on standard output; where its terminal was closed, the work goes on.

    Where the reader of a pipe is gone, it raises ``BrokenPipeError``: there is nothing left to do but to end.
    """
    try:
        print(sanitize_text(text, sys.stdout))
    except OSError as error:
        if error.errno != errno.EIO:
            raise


def print_outcome(text: str) -> None:
    """Print a line on standard output; where it has no reader any more, the work goes on."""
    with contextlib.suppress(OSError):
        print_result(text)


def color_text(text: str, color: Color, out: TextIO) -> str:
    """A text in a colour, where ``out`` is a terminal that has colours and ``NO_COLOR`` does not ask for none."""
    has_colors = out.isatty() and os.environ.get("TERM", "").lower() not in {"dumb", "unknown"}
    if sys.platform == "win32" and "WT_SESSION" not in os.environ:
        has_colors = False  # an older console would show the codes
    return f"\x1b[{color}m{text}\x1b[0m" if has_colors and not os.environ.get("NO_COLOR") else text


def can_show(char: str, out: TextIO) -> bool:
    """Whether a character can be written to a terminal as it is, and moves nothing there."""
    return char.isprintable() and sanitize_text(char, out) == char


def escape_log_line(text: str) -> str:
    """A line of a log that GitHub Actions takes for no command of its own, whatever a file's name or a cell says."""
    text = _COMMAND_MARK.sub("## ", " ".join(text.splitlines()))
    return f"· {text}" if text.lstrip().startswith("::") else text


_COMMAND_MARK = re.compile(r"##(?=\[)")


def sanitize_text(text: str, out: TextIO) -> str:
    """A text for a terminal: what comes from a file must not move the cursor; what cannot be encoded is spelt out."""
    encoding = getattr(out, "encoding", None) or "utf-8"
    shown = "".join(char if char.isprintable() else " " if char.isspace() else "�" for char in text)
    if os.environ.get(GITHUB_VARIABLE) == "true":
        shown = escape_log_line(shown)
    return shown.encode(encoding, LOSSLESS).decode(encoding)
