"""A command line of Windows split into words, as its shell (``cmd``) and then the program would.

The shell takes the sign behind ``^`` as it is and joins lines there; the program takes ``\\"`` and, within quotes,
``""`` for a quote. Browsers write neither quite so, each in its own way, and that is told by what they write:

- Chrome, and Firefox until 2024, double every backslash, which no program halves unless a quote follows;
- Firefox since then writes ``\\`` before each quote, whatever is before it;
- older ones write plain quotes, double those in the text, and put a ``%`` or the end of a line between two pieces;
- Chrome until 2024 put plain quotes around a text in which everything else has its ``^``.
"""

import re
from collections.abc import Iterator
from enum import Enum

from intempt_core.readers.pasted.quoted_text import (
    Quote,
    QuotedText,
    QuotedTextBuilder,
    UnclosedQuote,
    iterate_composed,
)

_QUOTED = re.compile(r"""(\$'(?:[^'\\]|\\.)*'|'[^']*')|"(?:[^"\\]|\\.)*+\"""", re.DOTALL)
_CARET = re.compile(r'\^"|\^[ \t]*\r?\n')
_DOUBLED_QUOTES = re.compile(r'"[\s\[{]*\\?""[^"]{1,200}""\s*:')
"""The first key of a body in quotes whose own quotes are doubled: ``"{""track"":``."""

_CARETED_QUOTE = re.compile(r'\^"')
_FIREFOX = re.compile(r"(?i)\bcurl\.exe\s+\^\"")
_LINE_GOES_ON = re.compile(r"\^[ \t]*\r?\n")
_UNTIL_CARET = re.compile(r"[^^]+")
_UNTIL_CARET_OR_QUOTE = re.compile(r'[^^"]+')
_IN_QUOTES = re.compile(r'[^"\\]+')
_OUTSIDE = re.compile(r'[^"\\\s&|<>]+')
_BACKSLASHES = re.compile(r"\\+")
_ENDS_COMMAND = re.compile(r"&&|\|\||[&|<>\n]|\r\n")


class BackslashRule(Enum):
    """How backslashes are read."""

    PROGRAM = "a backslash is doubled only before a quote"
    DOUBLED = "every backslash is doubled"
    BEFORE_QUOTES = "a quote has one backslash more than it had"


class UnfitRule(ValueError):
    """A text that was not written by this rule."""


def is_windows_line(text: str) -> bool:
    """Whether a command is written for the command line of Windows.

    Its signs count only outside of ``'…'``: a body may hold ``"^"``.
    """
    if "^" not in text and '""' not in text:  # quick, also for a text of megabytes
        return False
    outside = blank_single_quoted(text)
    return bool((_CARET.search(text) and _CARET.search(outside)) or _DOUBLED_QUOTES.search(outside))


def blank_single_quoted(text: str) -> str:
    """A text with nothing in its single quotes; those that are inside of double ones are signs like others."""
    return _QUOTED.sub(lambda found: "''" if found[1] else found[0], text) if "'" in text else text


def list_backslash_rules(text: str) -> tuple[BackslashRule, ...]:
    """By what rules the backslashes of a text may be written, the most probable one first."""
    if _CARETED_QUOTE.search(text) is None and _DOUBLED_QUOTES.search(text) is None:
        return BackslashRule.PROGRAM, BackslashRule.DOUBLED
    if _FIREFOX.search(text):
        return BackslashRule.BEFORE_QUOTES, BackslashRule.DOUBLED, BackslashRule.PROGRAM
    return BackslashRule.DOUBLED, BackslashRule.PROGRAM, BackslashRule.BEFORE_QUOTES


def split_windows_line(text: str, rule: BackslashRule = BackslashRule.PROGRAM) -> list[QuotedText]:
    """Split a command line of Windows into words and operators.

    Raises :class:`~intempt_core.readers.pasted.quoted_text.UnclosedQuote`, and :class:`UnfitRule` where the text was
    not written by the ``rule``.
    """
    doubled = _DOUBLED_QUOTES.search(text) is not None
    careted = not doubled and _CARETED_QUOTE.search(text) is not None
    line, escaped = _resolve_carets(text, always=careted)
    quote = Quote.WINDOWS_PLAIN
    if careted:
        quote = Quote.WINDOWS_DOUBLED if rule is BackslashRule.DOUBLED else Quote.WINDOWS
    return list(iterate_composed(line, _WordSplitter(line.value, escaped, rule, quote).split()))


def _resolve_carets(text: str, *, always: bool) -> tuple[QuotedText, set[int]]:
    """The line as the program gets it, and the offsets in it of signs that ``^`` has made plain.

    Within quotes ``^`` is a sign like others; browsers write it there as if it were not (``always``).
    """
    made, escaped, size = QuotedTextBuilder(0), set[int](), 0
    plain = _UNTIL_CARET if always else _UNTIL_CARET_OR_QUOTE
    at, quoted = 0, False
    while at < len(text):
        if found := plain.match(text, at):
            at = found.end()
            made.add(found[0], found.start(), at, Quote.WINDOWS)
            size += at - found.start()
            continue
        start = at
        if text[at] == '"' or quoted:
            quoted = quoted != (text[at] == '"')
            at += 1
        elif goes_on := _LINE_GOES_ON.match(text, at):
            at = goes_on.end()
            if text.startswith(("\n", "\r\n"), at):  # ^ and two line ends are one line end in the text
                end = text.index("\n", at) + 1
                escaped.add(size)
                made.add("\n", start, end, Quote.WINDOWS)
                at, size = end, size + 1
            continue
        else:
            at += 2
            escaped.add(size)
        sign = text[at - 1 : at]
        made.add(sign, start, at, Quote.WINDOWS)
        size += len(sign)
    return made.build(len(text)), escaped


class _WordSplitter:
    """One reading of a line without carets, by the rules of programs for quotes."""

    def __init__(self, line: str, escaped: set[int], rule: BackslashRule, quote: Quote) -> None:
        self.line, self.escaped, self.rule, self.quote = line, escaped, rule, quote
        self.at = 0

    def split(self) -> Iterator[QuotedText]:
        while self.at < len(self.line):
            found = _ENDS_COMMAND.match(self.line, self.at)
            if found and self._is_operator(found):
                self.at = found.end()
                sign = "\n" if found[0] == "\r\n" else found[0]
                yield QuotedText(sign, at=found.start(), end=found.end(), operator=True)
            elif self.line[self.at].isspace() and not self._is_escaped_end(self.at):
                self.at += 1
            else:
                yield self._read_word()

    def _is_escaped_end(self, at: int) -> bool:
        """Whether this is the end of a line that belongs to a word; to a program only spaces and tabs end one."""
        return self.line[at] == "\n" and at in self.escaped

    def _is_operator(self, found: re.Match[str]) -> bool:
        """Whether a sign of the shell is meant; a ``&`` between two characters of a word is a part of a URL."""
        if found.start() in self.escaped:
            return False
        return found[0] != "&" or not re.match(r"[^\s&|]", self.line[found.end() : found.end() + 1])

    def _read_word(self) -> QuotedText:
        line, word, quoted, opened = self.line, QuotedTextBuilder(self.at), False, self.at
        while self.at < len(line):
            at = self.at
            found = (_IN_QUOTES if quoted else _OUTSIDE).match(line, at)
            if found:
                self.at = found.end()
                word.add(found[0], at, self.at, self.quote)
            elif backslashes := _BACKSLASHES.match(line, at):
                self._read_backslashes(word, backslashes)
            elif line[at] == '"':
                if quoted and line.startswith('"', at + 1):
                    word.add('"', at, at + 2, self.quote)
                    self.at = at + 2
                else:
                    quoted, opened, self.at = not quoted, at, at + 1
            elif self._is_escaped_end(at):
                self.at = at + 1
                word.add("\n", at, self.at, self.quote)
            elif line[at].isspace() or ((sign := _ENDS_COMMAND.match(line, at)) and self._is_operator(sign)):
                break
            else:
                self.at = at + 1
                word.add(line[at], at, self.at, self.quote)
        if quoted:
            raise UnclosedQuote(opened)
        return word.build(self.at)

    def _read_backslashes(self, word: QuotedTextBuilder, found: re.Match[str]) -> None:
        line, at, end = self.line, found.start(), found.end()
        count, following = end - at, line[end : end + 1]
        if following == '"' and self.rule is BackslashRule.BEFORE_QUOTES:
            word.add("\\" * (count - 1), at, end - 1, self.quote)
            word.add('"', end - 1, end + 1, self.quote)
            self.at = end + 1
        elif following == '"':
            for number in range(count // 2):
                word.add("\\", at + 2 * number, at + 2 * number + 2, self.quote)
            self.at = end
            if count % 2:
                word.add('"', end - 1, end + 1, self.quote)
                self.at = end + 1
        elif self.rule is BackslashRule.DOUBLED:
            if count % 2 and following not in ("$", "`"):  # Firefox of 2023 put a backslash before these two
                raise UnfitRule
            for number in range(count // 2):
                word.add("\\", at + 2 * number, at + 2 * number + 2, self.quote)
            self.at = end
        else:
            word.add(found[0], at, end, self.quote)
            self.at = end
