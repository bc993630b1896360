"""A command line split into words as its shell would split it, and never run.

The offset of every character of a word in the text is known, so that what is found in a word can be shown, and fixed,
where it was written. What a shell would do with a word (a variable, a command in it) is not done: it stays text.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

_CMD_SIGNS = re.compile(r'\^"|\^\r?\n')
_SINGLE_QUOTED = re.compile(r"\$'(?:[^'\\]|\\.)*'|'[^']*'", re.DOTALL)

_OPERATOR = re.compile(r"<<<|<<-?|&&|\|\||;;|[;|&<>()\n]")
_UNQUOTED = re.compile(r"[^\s'\"\\$;&|<>()`]+")
_IN_DOUBLE = re.compile(r'[^"\\]+')
_SIMPLE_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "E": "\x1b",
    "f": "\f",
    "v": "\v",
}
_CODED_ESCAPE = re.compile(r"x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})")
_HERE_DOCUMENT_TAG = re.compile(r"""[ \t]*(['"]?)([\w.-]+)\1""")


RAW_QUOTE = "raw"
"""The quote of a text that is no command line: everything in it is written as it is."""


class UnclosedQuote(ValueError):
    """A quote that is never closed: ``at`` is where it opens."""

    def __init__(self, at: int) -> None:
        super().__init__("a quote is never closed")
        self.at = at


class TextRun(NamedTuple):
    """Neighbouring characters of a word's value, and where they are written in the text.

    Where both are equally long they are the same characters; where not, the text has an escape.

    Attributes:
        start: The offset of the first one in the value.
        size: How many they are in the value.
        at: The offset of the first one in the text.
        end: The offset behind the last one in the text.
        quote: What is around them: ``'``, ``"``, ``$'``, ``^`` (the command line of Windows), nothing, or
            :data:`RAW_QUOTE`.
    """

    start: int
    size: int
    at: int
    end: int
    quote: str


@dataclass
class ShellToken:
    """A word or an operator of a command line.

    Attributes:
        value: What the shell would make of it.
        runs: Where the characters of the value are in the text.
        at: The offset in the text at which it begins.
        end: The offset behind it.
        operator: Whether it is an operator of the shell, such as ``|``.
    """

    value: str = ""
    runs: list[TextRun] = field(default_factory=list)
    at: int = 0
    end: int = 0
    operator: bool = False

    def text_offset(self, offset: int) -> int:
        """The offset in the text of a character of the value; the value's end is behind its last character."""
        if not self.runs:
            return self.at
        run = self.runs[max(0, bisect_right(self.runs, offset, key=attrgetter("start")) - 1)]
        inside = offset - run.start
        if inside >= run.size:
            return run.end
        return run.at + inside if run.end - run.at == run.size else run.at

    def text_span(self, start: int, end: int) -> tuple[int, int]:
        """Where a stretch of the value is in the text."""
        at = self.text_offset(start)
        if end <= start:
            return at, at
        last = self.runs[max(0, bisect_right(self.runs, end - 1, key=attrgetter("start")) - 1)]
        plain = last.end - last.at == last.size
        return at, last.at + end - last.start if plain else last.end

    def quote_for(self, offset: int, new: str) -> str:
        """A new piece of the value as it is written at this offset, in the quotes that are around it."""
        run = self.runs[max(0, bisect_right(self.runs, offset, key=attrgetter("start")) - 1)] if self.runs else None
        match run.quote if run else "'":
            case "raw":
                return new
            case "'":
                return new.replace("'", "'\\''")
            case '"':
                return re.sub(r'(["\\$`])', r"\\\1", new)
            case "$'":
                return re.sub(r"(['\\])", r"\\\1", new)
            case "^":
                return re.sub(r'(\\*)"', r'\1\1^\\^"', new)
            case _:
                return re.sub(r"([^\w@%+=:,./-])", r"\\\1", new)


def join_tokens(tokens: Iterable[ShellToken], between: str) -> ShellToken:
    """Join several words to one value, as cURL joins its data; what is between them is nowhere in the text."""
    made = ShellToken()
    for number, word in enumerate(tokens):
        if number and between:
            made.runs.append(TextRun(len(made.value), len(between), word.at, word.at, ""))
            made.value += between
        made.runs += [run._replace(start=run.start + len(made.value)) for run in word.runs]
        made.value += word.value
        made.at, made.end = (made.at if number else word.at), word.end
    return made


def split_command_line(text: str) -> list[ShellToken]:
    """Split a command line into words and operators, by the rules of bash or, where it is written so, of Windows.

    Signs of the command line of Windows count only outside of ``'…'``: a body may hold ``"^"``. Raises
    :class:`UnclosedQuote`.
    """
    for_windows = _CMD_SIGNS.search(text) and _CMD_SIGNS.search(_SINGLE_QUOTED.sub("''", text))
    return list(_tokenize_windows(text) if for_windows else _BashTokenizer(text).tokenize())


class _BashTokenizer:
    """One reading of a text by bash's rules for quotes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def tokenize(self) -> Iterator[ShellToken]:
        tags: list[tuple[str, bool]] = []  # here-documents that begin with the next line
        while self.at < len(self.text):
            char = self.text[self.at]
            if char.isspace() and char != "\n":  # a space that no shell knows comes along when a text is copied
                self.at += 1
            elif self.text.startswith(("\\\n", "\\\r\n", "`\n", "`\r\n"), self.at):  # PowerShell's lines go on so
                self.at = self.text.index("\n", self.at) + 1
            elif char == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif found := _OPERATOR.match(self.text, self.at):
                self.at = found.end()
                yield ShellToken(found[0], at=found.start(), end=found.end(), operator=True)
                if found[0] in ("<<", "<<-") and (tag := _HERE_DOCUMENT_TAG.match(self.text, self.at)):
                    self.at = tag.end()
                    tags.append((tag[2], found[0] == "<<-"))
                elif found[0] == "\n" and tags:
                    yield from (self._read_here_document(*tag) for tag in tags)
                    tags = []
            else:
                yield self._read_token()

    def _read_here_document(self, tag: str, tabs: bool) -> ShellToken:
        """A here-document, up to the line that is its tag; one without that line goes to the end."""
        start = self.at
        indent = r"\t*" if tabs else ""
        end = re.compile(rf"^{indent}{re.escape(tag)}\r?$", re.MULTILINE).search(self.text, start)
        stop = end.start() if end else len(self.text)
        self.at = end.end() if end else stop
        value = self.text[start:stop]
        return ShellToken(value, [TextRun(0, len(value), start, stop, "'")], start, stop)

    def _read_token(self) -> ShellToken:
        word = ShellToken(at=self.at)
        while self.at < len(self.text):
            char = self.text[self.at]
            if char.isspace():
                break
            if char in ";|<>()" or (char == "&" and self._ends_command()):
                break
            self._read_piece(word, char)
        word.end = self.at
        return word

    def _ends_command(self) -> bool:
        """Whether a ``&`` ends the command; between two characters of a word it is a part of a URL without quotes."""
        return not re.match(r"&[^\s&;|]", self.text[self.at : self.at + 2])

    def _read_piece(self, word: ShellToken, char: str) -> None:
        text, at = self.text, self.at
        if char == "'":
            end = text.find("'", at + 1)
            if end < 0:
                raise UnclosedQuote(at)
            self._append_run(word, text[at + 1 : end], at + 1, end, "'")
            self.at = end + 1
        elif char == '"':
            self.at += 1
            self._read_double_quoted(word, at)
        elif text.startswith("$'", at):
            self.at += 2
            self._read_c_escaped(word, at)
        elif char == "\\":
            if not text.startswith(("\\\n", "\\\r\n"), at):
                self._append_run(word, text[at + 1 : at + 2], at, at + 2, "")
                self.at = at + 2
            else:
                self.at = text.index("\n", at) + 1
        else:
            plain = _UNQUOTED.match(text, at)
            self.at = plain.end() if plain else at + 1
            self._append_run(word, text[at : self.at], at, self.at, "")

    def _read_double_quoted(self, word: ShellToken, opened: int) -> None:
        text = self.text
        while self.at < len(text) and text[self.at] != '"':
            at = self.at
            if text[at] != "\\":
                self.at = _IN_DOUBLE.match(text, at).end()  # type: ignore[union-attr]  # neither a quote nor a backslash
                self._append_run(word, text[at : self.at], at, self.at, '"')
            elif text.startswith(("\\\n", "\\\r\n"), at):
                self.at = text.index("\n", at) + 1
            elif text[at + 1 : at + 2] in tuple('"\\$`'):
                self._append_run(word, text[at + 1], at, at + 2, '"')
                self.at = at + 2
            else:
                self._append_run(word, "\\", at, at + 1, '"')
                self.at = at + 1
        if self.at >= len(text):
            raise UnclosedQuote(opened)
        self.at += 1

    def _read_c_escaped(self, word: ShellToken, opened: int) -> None:
        """``$'…'``: the escapes of C."""
        text = self.text
        while self.at < len(text) and text[self.at] != "'":
            at = self.at
            if text[at] != "\\":
                end = re.compile(r"[\\']|\Z").search(text, at).start()  # type: ignore[union-attr]  # the end is there
                self._append_run(word, text[at:end], at, end, "$'")
                self.at = end
                continue
            coded = _CODED_ESCAPE.match(text, at + 1)
            if coded:
                digits = next(group for group in coded.groups() if group)
                number = int(digits, 8 if coded[4] else 16)
                value, self.at = chr(number) if number <= 0x10FFFF else "\ufffd", coded.end()
            else:
                sign = text[at + 1 : at + 2]
                value, self.at = _SIMPLE_ESCAPES.get(sign, sign if sign in tuple("\\'\"?") else "\\" + sign), at + 2
            self._append_run(word, value, at, self.at, "$'")
        if self.at >= len(text):
            raise UnclosedQuote(opened)
        self.at += 1

    @staticmethod
    def _append_run(word: ShellToken, value: str, at: int, end: int, quote: str) -> None:
        if value:
            word.runs.append(TextRun(len(word.value), len(value), at, end, quote))
            word.value += value


def _tokenize_windows(text: str) -> Iterator[ShellToken]:
    """The words of a command line of Windows: ``^`` takes the next sign as it is, then the rules of its C programs."""
    signs = list(_resolve_carets(text))
    index = 0
    while index < len(signs):
        sign, at, _ = signs[index]
        if sign in " \t\r\n":
            index += 1
            continue
        word, quoted = ShellToken(at=at), False
        while index < len(signs):
            sign, at, end = signs[index]
            if sign in " \t\r\n" and not quoted:
                break
            following = signs[index + 1][0] if index + 1 < len(signs) else ""
            if sign == "\\" and following == '"':
                sign, end, index = '"', signs[index + 1][2], index + 1
            elif following == sign and ((sign == "\\" and _leads_to_quote(signs, index)) or (sign == '"' and quoted)):
                end, index = signs[index + 1][2], index + 1
            elif sign == '"':
                quoted, index = not quoted, index + 1
                continue
            word.runs.append(TextRun(len(word.value), 1, at, end, "^"))
            word.value += sign
            index += 1
        if quoted:
            raise UnclosedQuote(word.at)
        word.end = signs[index - 1][2]
        yield word


def _leads_to_quote(signs: list[tuple[str, int, int]], index: int) -> bool:
    """Whether backslashes lead up to a quote: only then does one escape the next."""
    while index < len(signs) and signs[index][0] == "\\":
        index += 1
    return index < len(signs) and signs[index][0] == '"'


def _resolve_carets(text: str) -> Iterator[tuple[str, int, int]]:
    """Each sign with its place, the carets taken away; a caret at a line's end joins the lines."""
    at, quoted = 0, False
    while at < len(text):
        char, start = text[at], at
        at += 1
        if char == "^" and not quoted:
            if text.startswith("\r\n", at):
                at += 2
                continue
            char, at = text[at : at + 1], at + 1
            if char == "\n" or not char:
                continue
        elif char == '"':
            quoted = not quoted
        yield char, start, at
