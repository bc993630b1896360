"""The streams of the process: closed ones, ones whose reader is gone, and ones that cannot write every character."""

import contextlib
import io
import os
import sys

STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
"""Each stream of a process by its name, with how it is opened, in the order of their numbers."""


def prepare_streams() -> None:
    """Make the streams usable: a closed one leads nowhere, a character that cannot be written is a question mark.

    A closed one is opened before anything else is: a file would otherwise get its number, and be written into.
    """
    for name, mode in STREAMS:
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  for as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


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
