"""A command line split into words by the rules of its shell: that of Unix, PowerShell, or the one of Windows."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from intempt_core.readers.pasted.powershell_texts import split_powershell_line
from intempt_core.readers.pasted.quoted_text import Quote, QuotedText, QuotedTextBuilder, UnclosedQuote, compose_texts
from intempt_core.readers.pasted.shell_words import split_shell_line
from intempt_core.readers.pasted.windows_words import (
    UnfitRule,
    blank_single_quoted,
    is_windows_line,
    list_backslash_rules,
    split_windows_line,
)

_POWERSHELL = re.compile(r"`\r?\n|\$env:\w|\s--%\s|^\s*\$\w+\s*=|\s@['\"][^\S\n]*\r?\n", re.IGNORECASE | re.MULTILINE)
_POWERSHELL_SIGNS = ("`", "$", "--%", "@'", '@"')  # a text without them has nothing that _POWERSHELL fits
_DOUBLED_APOSTROPHE = re.compile(r"[^\s'=,]''[^\s',;]")
_ESCAPED_QUOTE = re.compile(r'(\\*)\\"')

_KEEPS_QUOTES = (
    "This is a line of PowerShell. Up to 7.2 it takes the double quotes out of a body that is given to curl; from 7.3 "
    "on it keeps them, and so it is read here."
)
_TAKES_QUOTES = (
    'This is a line of PowerShell. The body is written for versions up to 7.2, with \\" for each double quote; from '
    "7.3 on the backslashes are sent, too."
)
_DROPS_APOSTROPHES = (
    "The text has '' between two letters. A shell of Unix drops it, and so it is read here; PowerShell makes one "
    "apostrophe of it."
)


class CommandReading(NamedTuple):
    """A command line as it may be meant: its words and operators, and what is to be said of it, in sentences."""

    words: list[QuotedText]
    note: str = ""


class CommandReadings:
    """The readings of a command line (:func:`iterate_readings`), each of them worked out once."""

    def __init__(self, text: str) -> None:
        self._found: list[CommandReading] = []
        self._rest = iterate_readings(text)
        self._error: UnclosedQuote | None = None

    def __iter__(self) -> Iterator[CommandReading]:
        number = 0
        while number < len(self._found) or self._advance():
            yield self._found[number]
            number += 1

    def _advance(self) -> bool:
        if self._error is not None:
            raise self._error
        try:
            self._found.append(next(self._rest))
        except StopIteration:
            return False
        except UnclosedQuote as error:
            self._error = error
            raise
        return True


def iterate_readings(text: str) -> Iterator[CommandReading]:
    """A command line, read by the rules of each shell that fits, the most probable one first.

    There is always one; where none fits, :class:`UnclosedQuote` is raised.
    """
    if is_powershell_line(text):
        words = split_powershell_line(text)
        says = "--%" not in text and any('"' in word.value for word in words)
        yield CommandReading(words, _KEEPS_QUOTES if says else "")
        if any('\\"' in word.value for word in words):
            yield CommandReading([_resolve_escapes(word) for word in words], _TAKES_QUOTES)
    if not is_windows_line(text):
        yield CommandReading(split_shell_line(text), _DROPS_APOSTROPHES if _has_doubled_apostrophe(text) else "")
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
        yield CommandReading(words)
    if not fits:
        raise unclosed or UnclosedQuote(0)


def is_powershell_line(text: str) -> bool:
    """Whether a command is written for PowerShell: a line that goes on behind a backtick, a variable, ``it''s``.

    Its signs count only outside of ``'…'``: a body may hold them.
    """
    has_signs = any(sign in text for sign in _POWERSHELL_SIGNS)
    if has_signs and _POWERSHELL.search(text) and _POWERSHELL.search(blank_single_quoted(text)):
        return True
    return "curl.exe" in text.lower() and not is_windows_line(text) and _has_doubled_apostrophe(text)


def _has_doubled_apostrophe(text: str) -> bool:
    return "''" in text and _DOUBLED_APOSTROPHE.search(text) is not None


def _resolve_escapes(word: QuotedText) -> QuotedText:
    """A word as a program gets it that takes ``\\"`` for a quote."""
    made, at = QuotedTextBuilder(0), 0
    for found in _ESCAPED_QUOTE.finditer(word.value):
        made.add(word.value[at : found.start()], at, found.start(), Quote.POWERSHELL_PROGRAM)
        count = len(found[1])
        for number in range(count // 2):
            start = found.start() + 2 * number
            made.add("\\", start, start + 2, Quote.POWERSHELL_PROGRAM)
        made.add('"', found.start() + count // 2 * 2, found.end(), Quote.POWERSHELL_PROGRAM)
        at = found.end()
    made.add(word.value[at:], at, len(word.value), Quote.POWERSHELL_PROGRAM)
    resolved = compose_texts(word, made.build(len(word.value)))
    resolved.at, resolved.end, resolved.operator = word.at, word.end, word.operator
    return resolved
