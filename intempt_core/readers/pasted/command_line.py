"""A command line split into words by the rules of the shell that it was written for: bash, or that of Windows."""

from collections.abc import Iterator

from intempt_core.readers.pasted.quoted_text import QuotedText, UnclosedQuote
from intempt_core.readers.pasted.shell_words import split_shell_line
from intempt_core.readers.pasted.windows_words import (
    UnfitRule,
    is_windows_line,
    list_backslash_rules,
    split_windows_line,
)


def split_command_line(text: str) -> list[QuotedText]:
    """Split a command line into words and operators, as it was most probably meant. Raises :class:`UnclosedQuote`."""
    return next(iterate_readings(text))


def iterate_readings(text: str) -> Iterator[list[QuotedText]]:
    """The words of a command line, read by each rule that fits, the most probable one first.

    There is always one; where none fits, :class:`UnclosedQuote` is raised.
    """
    if not is_windows_line(text):
        yield split_shell_line(text)
        return
    unclosed: UnclosedQuote | None = None
    fits = False
    for rule in list_backslash_rules(text):
        try:
            words = split_windows_line(text, rule)
        except UnfitRule:
            continue
        except UnclosedQuote as error:
            unclosed = unclosed or error
            continue
        fits = True
        yield words
    if not fits:
        raise unclosed or UnclosedQuote(0)
