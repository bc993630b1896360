"""The exit codes of every command, declared once: help, documentation and tests derive from them."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What became of a call, for the program that made it."""

    DONE = 0
    NOT_ALL = 1
    UNREADABLE = 2
    NO_TARGET = 3
    NO_RESULTS = 4
    SENT_BEFORE = 5
    HANDED_OVER = 6
    INTERRUPTED = 130
    OUTPUT_CLOSED = 141


EXIT_MEANINGS = {
    ExitCode.DONE: "all that was sent was accepted; a check: clean, or all as expected",
    ExitCode.NOT_ALL: "not all was accepted, or nothing was sent; a check: errors found, or not all as expected",
    ExitCode.UNREADABLE: "the file, its mapping, the journey or the batch cannot be read, or the call is wrong",
    ExitCode.NO_TARGET: "no such target, or its key is missing",
    ExitCode.NO_RESULTS: "the file of results could not be written, or is there already",
    ExitCode.SENT_BEFORE: "something of it was sent before, or is being sent; nothing was recorded",
    ExitCode.HANDED_OVER: "the running console sends it; the outcome is not known yet",
    ExitCode.INTERRUPTED: "interrupted; every outcome that is known is recorded",
    ExitCode.OUTPUT_CLOSED: "the reader of the output has closed it, as head does; send goes on all the same",
}
"""Each code in a few words."""


def format_exit_codes(*codes: ExitCode) -> str:
    """Some of the codes with their meanings, a line each, as a command's help has them."""
    return "\n".join(f"  {code.value:<4}{EXIT_MEANINGS[code]}" for code in codes)
