"""The streams of the process: closed ones, ones whose reader is gone, and ones that cannot write every character."""

import codecs
import contextlib
import io
import os
import sys

STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
"""Each stream of a process by its name, with how it is opened, in the order of their numbers."""


LOSSLESS = "event_console"
"""The name of the error handler of :func:`_spell_unencodable`, for every stream of the process."""

_PLAIN_SIGNS = {
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "→": "->", "·": "*", "≤": "<=",
    "≥": ">=", "×": "x", "\N{NO-BREAK SPACE}": " ", "─": "-", "█": "#", "�": "?",
}  # fmt: skip
"""What stands for a sign of our own sentences where it cannot be written."""


def _spell_unencodable(error: UnicodeError) -> tuple[str, int]:
    """What is written in the place of characters that an encoding lacks: a plain sign, or the character's escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN_SIGNS.get(char) or _escape(char) for char in lacking), error.end


def _escape(char: str) -> str:
    return char.encode("ascii", "backslashreplace").decode("ascii")


codecs.register_error(LOSSLESS, _spell_unencodable)


def prepare_streams() -> None:
    """Make the streams usable: a closed one leads nowhere, a character that cannot be written is spelt out.

    A closed one is opened before anything else is: a file would otherwise get its number, and be written into.
    """
    for name, mode in STREAMS:
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  for as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=LOSSLESS)


def flush_output() -> None:
    """Write what is still to be written to standard output. Raises ``OSError`` where that cannot be.

    Where its reader is gone that is a ``BrokenPipeError``.
    """
    sys.stdout.flush()


def discard_unwritable_output() -> None:
    """Have standard output lead nowhere where it cannot be written: Python would complain once more, at its end."""
    try:
        flush_output()
    except OSError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
