"""The texts of PowerShell: its quotes, escapes and here-strings, and its command lines split into words.

What is certain is read: a text in quotes, a variable that was given one, ``$([char]233)``. What only PowerShell can
tell has its reason in a sentence.
"""

import re
from collections.abc import Mapping

from intempt_core.readers.pasted.quoted_text import (
    Quote,
    QuotedText,
    QuotedTextBuilder,
    UnclosedQuote,
    compose_texts,
    join_texts,
)
from intempt_core.readers.pasted.script_value import MADE_LATER, ScriptValue
from intempt_core.readers.pasted.windows_words import split_windows_line

SPACE = re.compile(r"(?:[^\S\n]|`\r?\n|<#.*?(?:#>|\Z)|(?<![^\s(){};])#[^\n]*)+", re.DOTALL)
"""What may stand between the words of a command: spaces, comments, and line ends behind a backtick."""

VARIABLE = re.compile(r"\$(?:\{([^}\n]+)\}|((?:\w+:)?\w+))")
_HERE_STRING = re.compile(r"@(['\"])[^\S\n]*\r?\n")
_IN_SINGLE = re.compile(r"[^'‘’‚‛]+")
_IN_DOUBLE = re.compile(r'[^"“”„`$]+')
_SINGLE_QUOTES, _DOUBLE_QUOTES = frozenset("'‘’‚‛"), frozenset('"“”„')
"""PowerShell takes typographic quotes for quotes, too."""

_ESCAPES = {"0": "\0", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPED_CODE = re.compile(r"`u\{([0-9A-Fa-f]{1,6})\}")
_CHARACTER = re.compile(
    r"\$\(\s*\[char\]\s*(?:(0x[0-9a-f]{1,6}|[0-9]{1,7})|\(\s*(0x[0-9a-f]{1,6}|[0-9]{1,7})\s*\))\s*\)", re.IGNORECASE
)
_PARENTHESES = re.compile(r"[^()'\"`]+|`.|'[^']*'|\"(?:[^\"`]|`.)*\"", re.DOTALL)
_CONSTANTS = ("null", "true", "false")
_OPERATOR = re.compile(r"&&|\|\||[;|&\n()]|\d?>>?")
_PLAIN = re.compile(r"[^\s'\"‘’‚‛“”„`;|&()]+")
_VERBATIM = re.compile(r"--%(?=\s)[^\n|]*")


class PowerShellTexts:
    """A reading of the texts of a script, from ``at`` on.

    Args:
        text: The script.
        variables: What variables are, by their names in small letters; ``None`` leaves each as it is written.
    """

    def __init__(self, text: str, variables: Mapping[str, ScriptValue] | None = None) -> None:
        self.text, self.known, self.at = text, variables, 0

    def is_at_text(self) -> bool:
        """Whether a text in quotes begins here."""
        sign = self.text[self.at : self.at + 1]
        return bool(sign) and (
            sign in _SINGLE_QUOTES
            or sign in _DOUBLE_QUOTES
            or (sign == "@" and _HERE_STRING.match(self.text, self.at) is not None)
        )

    def read_text(self) -> ScriptValue:
        """The text in quotes that begins here. Raises :class:`UnclosedQuote`."""
        if here := _HERE_STRING.match(self.text, self.at):
            return self._read_here_string(here)
        if self.text[self.at] in _SINGLE_QUOTES:
            return ScriptValue(self._read_single())
        opened, self.at = self.at, self.at + 1
        return self._read_double(opened, len(self.text), in_line=True)

    def _read_here_string(self, here: "re.Match[str]") -> ScriptValue:
        end = re.compile(rf"\r?\n{here[1]}@").search(self.text, here.end() - 1)
        if end is None:
            raise UnclosedQuote(here.start())
        if here[1] == '"':
            self.at = here.end()
            value = self._read_double(here.start(), max(end.start(), here.end()), in_line=False)
        else:
            made = QuotedTextBuilder(here.start())
            made.add(self.text[here.end() : end.start()], here.end(), max(end.start(), here.end()), Quote.RAW)
            value = ScriptValue(made.build(end.end()))
        self.at = end.end()
        return value

    def _read_single(self) -> QuotedText:
        text, opened = self.text, self.at
        made = QuotedTextBuilder(opened)
        self.at += 1
        while self.at < len(text):
            at = self.at
            if found := _IN_SINGLE.match(text, at):
                self.at = found.end()
                made.add(found[0], at, self.at, Quote.POWERSHELL_SINGLE)
            elif text[at + 1 : at + 2] and text[at + 1] in _SINGLE_QUOTES:
                self.at = at + 2
                made.add(text[at], at, self.at, Quote.POWERSHELL_SINGLE)
            else:
                self.at = at + 1
                return made.build(self.at)
        raise UnclosedQuote(opened)

    def _read_double(self, opened: int, end: int, *, in_line: bool) -> ScriptValue:
        """A text in double quotes, or (not ``in_line``) a here-string up to its ``end``."""
        text, reason = self.text, ""
        made = QuotedTextBuilder(opened)
        while self.at < end:
            at, sign = self.at, text[self.at]
            if found := _IN_DOUBLE.match(text, at, end):
                self.at = found.end()
                made.add(found[0], at, self.at, Quote.POWERSHELL_DOUBLE)
            elif sign in _DOUBLE_QUOTES:
                doubled = in_line and bool(text[at + 1 : at + 2]) and text[at + 1] in _DOUBLE_QUOTES
                self.at = at + 1 + doubled
                if in_line and not doubled:
                    return ScriptValue(made.build(self.at)) if not reason else ScriptValue(reason=reason)
                made.add(sign, at, self.at, Quote.POWERSHELL_DOUBLE)
            elif sign == "`":
                self._read_escape(made)
            else:
                reason = self._read_dollar(made, end) or reason
        if in_line:
            raise UnclosedQuote(opened)
        return ScriptValue(made.build(end)) if not reason else ScriptValue(reason=reason)

    def _read_dollar(self, made: QuotedTextBuilder, end: int) -> str:
        """What ``$`` begins in a text; gives the reason why that cannot be told."""
        text, at = self.text, self.at
        if found := _CHARACTER.match(text, at, end):
            self.at = found.end()
            value = make_character(found[1] or found[2])
            if "\ud800" <= value <= "\udbff" and (low := _CHARACTER.match(text, self.at, end)):
                self.at = low.end()
                pair = value + make_character(low[1] or low[2])
                value = pair.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            made.add(value, at, self.at, Quote.POWERSHELL_DOUBLE)
            return ""
        if text.startswith("$(", at) and self.known is not None:
            self.at = at + 2
            self._pass_bracket()
            return MADE_LATER
        variable = VARIABLE.match(text, at, end)
        if variable is None or self.known is None or (variable[2] or "").lower() in _CONSTANTS:
            self.at = at + 1
            made.add("$", at, self.at, Quote.POWERSHELL_DOUBLE)
            return ""
        self.at = variable.end()
        name = variable[1] or variable[2]
        given = self.known.get(name.lower())
        if given is None or given.text is None:
            return f"holds the variable ${name}, which is not given here"
        made.add(given.text.value, at, self.at, Quote.POWERSHELL_DOUBLE)
        return ""

    def _pass_bracket(self) -> None:
        """Go on behind the bracket that closes the one before; texts in quotes are whole."""
        depth = 1
        while depth and self.at < len(self.text):
            found = _PARENTHESES.match(self.text, self.at)
            sign = self.text[self.at]
            depth += 0 if found else (sign == "(") - (sign == ")")
            self.at = found.end() if found else self.at + 1

    def _read_escape(self, made: QuotedTextBuilder) -> None:
        text, at = self.text, self.at
        if coded := _ESCAPED_CODE.match(text, at):
            self.at = coded.end()
            made.add(make_character(f"0x{coded[1]}"), at, self.at, Quote.POWERSHELL_DOUBLE)
            return
        size = 3 if text.startswith("\r\n", at + 1) else 2
        sign = text[at + 1 : at + size]
        self.at = at + 1 + len(sign)
        made.add(_ESCAPES.get(sign, "" if sign.endswith("\n") else sign), at, self.at, Quote.POWERSHELL_DOUBLE)


def make_character(number: str) -> str:
    """The character of a code in decimal digits, or in hexadecimal ones behind ``0x``."""
    code = int(number, 16 if number[:2].lower() == "0x" else 10)
    return chr(code) if code <= 0x10FFFF else "\ufffd"


def split_powershell_line(text: str) -> list[QuotedText]:
    """Split a command line of PowerShell into words and operators; variables stay as they are written.

    Raises :class:`~intempt_core.readers.pasted.quoted_text.UnclosedQuote`.
    """
    texts, words = PowerShellTexts(text), list[QuotedText]()
    while texts.at < len(text):
        if space := SPACE.match(text, texts.at):
            texts.at = space.end()
        elif found := _VERBATIM.match(text, texts.at):
            texts.at = found.end()
            words += _split_verbatim(found)
        elif found := _OPERATOR.match(text, texts.at):
            texts.at = found.end()
            words.append(QuotedText(found[0], at=found.start(), end=found.end(), operator=True))
        else:
            words.append(_read_word(texts))
    return words


def _split_verbatim(found: "re.Match[str]") -> list[QuotedText]:
    """What follows ``--%``: to it PowerShell does nothing, and the program splits it by the rules of Windows."""
    made = QuotedTextBuilder(found.start())
    start = found.start() + len("--%")
    made.add(found.string[start : found.end()], start, found.end(), Quote.NONE)
    line = made.build(found.end())
    return [compose_texts(line, word) for word in split_windows_line(line.value)]


def _read_word(texts: PowerShellTexts) -> QuotedText:
    """A word: its pieces in quotes and without, as long as nothing is between them."""
    text, start = texts.text, texts.at
    pieces: list[QuotedText] = []
    while texts.at < len(text) and not SPACE.match(text, texts.at):
        at = texts.at
        if texts.is_at_text():
            pieces.append(texts.read_text().text or QuotedText())
            continue
        made = QuotedTextBuilder(at)
        if plain := _PLAIN.match(text, at):
            texts.at = plain.end()
            made.add(plain[0], at, texts.at, Quote.NONE)
        elif text[at] == "`" and at + 1 < len(text):
            texts.at = at + 2
            made.add(_ESCAPES.get(text[at + 1], text[at + 1]), at, texts.at, Quote.NONE)
        elif text[at] == "&" and at > start and re.match(r"&[^\s&;|]", text[at : at + 2]):
            texts.at = at + 1  # no operator: an address without quotes, which PowerShell would not take
            made.add("&", at, texts.at, Quote.NONE)
        elif at == start:
            texts.at = at + 1
            made.add(text[at], at, texts.at, Quote.NONE)
        else:
            break
        pieces.append(made.build(texts.at))
    word = join_texts(pieces, "")
    word.at, word.end = start, texts.at
    return word
