"""A command line split into words as bash would split it, and never run.

The offset of every character of a word in the text is known, so that what is found in a word can be shown, and fixed,
where it was written. What a shell would do with a word (a variable, a command in it) is not done: it stays text.
"""

import re
from collections.abc import Iterator

from intempt_core.readers.pasted.quoted_text import Quote, QuotedText, QuotedTextBuilder, TextRun, UnclosedQuote

_OPERATOR = re.compile(r"<<<|<<-?|&&|\|\||;;|[;|&<>()\n]")
_PLAIN_WORD = re.compile(r"[^\s'\"\\$;&|<>()`#][^\s'\"\\$;&|<>()`]*(?=[\s;|<>()]|\Z)")
_BLANKS = re.compile(r"[^\S\n]+")
_UNQUOTED = re.compile(r"[^\s'\"\\$;&|<>()`]+")
_DOUBLE_QUOTED = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_ESCAPE_IN_DOUBLE = re.compile(r"""\\(?:\r?\n|(["\\$`]))""")
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
_SURROGATES = re.compile(r"u([dD][89abAB][0-9A-Fa-f]{2})\\u([dD][c-fC-F][0-9A-Fa-f]{2})")
"""A character beyond 16 bits as Firefox writes it."""

_CODED_ESCAPE = re.compile(r"x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})")
_HERE_DOCUMENT_TAG = re.compile(r"""[ \t]*(['"]?)([\w.-]+)\1""")


def split_shell_line(text: str) -> list[QuotedText]:
    """Split a command line of bash into words and operators. Raises :class:`UnclosedQuote`."""
    return list(_BashTokenizer(text).tokenize())


def combine_surrogates(high: str, low: str) -> str:
    """The character of two surrogates in hexadecimal digits."""
    return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)


class _BashTokenizer:
    """One reading of a text by bash's rules for quotes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def tokenize(self) -> Iterator[QuotedText]:
        tags: list[tuple[str, bool]] = []  # here-documents that begin with the next line
        while self.at < len(self.text):
            char = self.text[self.at]
            if plain := _PLAIN_WORD.match(self.text, self.at):
                start, self.at = plain.span()
                runs = [TextRun(0, self.at - start, start, self.at, Quote.NONE)]
                yield QuotedText(plain[0], runs, start, self.at)
            elif blanks := _BLANKS.match(self.text, self.at):  # also those that no shell knows: they are copied, too
                self.at = blanks.end()
            elif self.text.startswith(("\\\n", "\\\r\n", "`\n", "`\r\n"), self.at):  # PowerShell's lines go on so
                self.at = self.text.index("\n", self.at) + 1
            elif char == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif found := _OPERATOR.match(self.text, self.at):
                self.at = found.end()
                yield QuotedText(found[0], at=found.start(), end=found.end(), operator=True)
                if found[0] in ("<<", "<<-") and (tag := _HERE_DOCUMENT_TAG.match(self.text, self.at)):
                    self.at = tag.end()
                    tags.append((tag[2], found[0] == "<<-"))
                elif found[0] == "\n" and tags:
                    yield from (self._read_here_document(*tag) for tag in tags)
                    tags = []
            else:
                yield self._read_token()

    def _read_here_document(self, tag: str, tabs: bool) -> QuotedText:
        """A here-document, up to the line that is its tag; one without that line goes to the end."""
        start = self.at
        indent = r"\t*" if tabs else ""
        end = re.compile(rf"^{indent}{re.escape(tag)}\r?$", re.MULTILINE).search(self.text, start)
        stop = end.start() if end else len(self.text)
        self.at = end.end() if end else stop
        value = self.text[start:stop]
        return QuotedText(value, [TextRun(0, len(value), start, stop, Quote.SINGLE)], start, stop)

    def _read_token(self) -> QuotedText:
        word = QuotedTextBuilder(self.at)
        while self.at < len(self.text):
            char = self.text[self.at]
            if char.isspace():
                break
            if char in ";|<>()" or (char == "&" and self._ends_command()):
                break
            self._read_piece(word, char)
        return word.build(self.at)

    def _ends_command(self) -> bool:
        """Whether a ``&`` ends the command; between two characters of a word it is a part of a URL without quotes."""
        return not re.match(r"&[^\s&;|]", self.text[self.at : self.at + 2])

    def _read_piece(self, word: QuotedTextBuilder, char: str) -> None:
        text, at = self.text, self.at
        if char == "'":
            end = text.find("'", at + 1)
            if end < 0:
                raise UnclosedQuote(at)
            word.add(text[at + 1 : end], at + 1, end, Quote.SINGLE)
            self.at = end + 1
        elif char == '"':
            self.at += 1
            self._read_double_quoted(word, at)
        elif text.startswith("$'", at):
            self.at += 2
            self._read_c_escaped(word, at)
        elif char == "\\":
            if not text.startswith(("\\\n", "\\\r\n"), at):
                word.add(text[at + 1 : at + 2], at, at + 2, Quote.NONE)
                self.at = at + 2
            else:
                self.at = text.index("\n", at) + 1
        else:
            plain = _UNQUOTED.match(text, at)
            self.at = plain.end() if plain else at + 1
            word.add(text[at : self.at], at, self.at, Quote.NONE)

    def _read_double_quoted(self, word: QuotedTextBuilder, opened: int) -> None:
        text = self.text
        quoted = _DOUBLE_QUOTED.match(text, self.at)
        end = quoted.end() if quoted else self.at
        if text[end : end + 1] != '"':
            raise UnclosedQuote(opened)
        word.add_escaped(text, self.at, end, _ESCAPE_IN_DOUBLE, Quote.DOUBLE)
        self.at = end + 1

    def _read_c_escaped(self, word: QuotedTextBuilder, opened: int) -> None:
        """``$'…'``: the escapes of C."""
        text = self.text
        while self.at < len(text) and text[self.at] != "'":
            at = self.at
            if text[at] != "\\":
                end = re.compile(r"[\\']|\Z").search(text, at).start()  # type: ignore[union-attr]  # the end is there
                word.add(text[at:end], at, end, Quote.C_ESCAPED)
                self.at = end
                continue
            coded = _CODED_ESCAPE.match(text, at + 1)
            if pair := _SURROGATES.match(text, at + 1):
                value, self.at = combine_surrogates(pair[1], pair[2]), pair.end()
            elif coded:
                digits = next(group for group in coded.groups() if group)
                number = int(digits, 8 if coded[4] else 16)
                value, self.at = chr(number) if number <= 0x10FFFF else "\ufffd", coded.end()
            else:
                sign = text[at + 1 : at + 2]
                value, self.at = _SIMPLE_ESCAPES.get(sign, sign if sign in tuple("\\'\"?") else "\\" + sign), at + 2
            word.add(value, at, self.at, Quote.C_ESCAPED)
        if self.at >= len(text):
            raise UnclosedQuote(opened)
        self.at += 1
