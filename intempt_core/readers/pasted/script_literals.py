"""The literals of JavaScript: texts in three kinds of quotes, objects, lists, and ``JSON.stringify`` of one.

What is no literal (a call, a variable that the text does not give) has its reason in a sentence; nothing is run.
"""

import json
import re
from collections.abc import Mapping

from intempt_core.readers.pasted.quoted_text import Quote, QuotedText, QuotedTextBuilder, UnclosedQuote
from intempt_core.readers.pasted.script_value import MADE_LATER, ScriptValue, add_values, make_table
from intempt_core.readers.pasted.shell_words import combine_surrogates

SPACE = re.compile(r"(?:\s|//[^\n]*|/\*.*?(?:\*/|\Z))+", re.DOTALL)
"""White space and comments."""

NAME = re.compile(r"[A-Za-z_$][\w$]*")
_COLON = re.compile(rf"(?:{SPACE.pattern})?:", re.DOTALL)
_QUOTES = {'"': Quote.JSON, "'": Quote.SCRIPT_SINGLE, "`": Quote.SCRIPT_TEMPLATE}
_PLAIN = {sign: re.compile(rf"[^{sign}\\\n]+" if sign != "`" else r"[^`\\$]+|\$(?!\{)") for sign in _QUOTES}
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0", "\n": "", "\u2028": ""}
_SURROGATES = re.compile(r"\\u([dD][89abAB][0-9A-Fa-f]{2})\\u([dD][c-fC-F][0-9A-Fa-f]{2})")
_CODED = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\})")
_STRINGIFY = re.compile(r"JSON\s*\.\s*stringify\s*\(")
_MAKER = re.compile(r"new\s+([\w$.]+)|(?:await\s+)?([A-Za-z_$][\w$.]*)")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.])")
_CONSTANT = re.compile(r"(?:true|false|null)(?![\w$])")
_TRAILING_COMMA = re.compile(r",(?=(?:\s|//[^\n]*|/\*.*?\*/)*[\]}])", re.DOTALL)
_SIGNS = frozenset("{}[],:")
_MAX_DEPTH = 100


class ScriptLiterals:
    """A reading of a script's literals, from ``at`` on; ``variables`` are what the text gives to names."""

    def __init__(self, text: str, variables: Mapping[str, ScriptValue]) -> None:
        self.text, self.variables, self.at = text, variables, 0

    def skip_space(self) -> int:
        """Go on behind white space and comments."""
        if found := SPACE.match(self.text, self.at):
            self.at = found.end()
        return self.at

    def starts_with(self, sign: str) -> bool:
        """Whether the text goes on with these signs."""
        return self.text.startswith(sign, self.at)

    def read_value(self, depth: int = 0) -> ScriptValue:
        """The value that begins here, with all that is added to it. Raises :class:`UnclosedQuote`."""
        value = self._read_term(depth)
        self.skip_space()
        while self.starts_with("+") and not self.starts_with("++"):
            self.at += 1
            value = add_values(value, self._read_term(depth))
            self.skip_space()
        if self.at < len(self.text) and self.text[self.at] not in ",;)}]\n" and not self._is_at_statement():
            self.pass_expression()
            return ScriptValue(reason=value.reason or MADE_LATER)
        return value

    def _is_at_statement(self) -> bool:
        """Whether the value before has ended with its line."""
        before = self.at - 1
        while before >= 0 and self.text[before] in " \t\r":
            before -= 1
        return self.text[before] == "\n" and NAME.match(self.text, self.at) is not None

    def pass_expression(self) -> None:
        """Go on at the comma, the bracket or the semicolon that ends an expression; texts in quotes are whole."""
        depth = 0
        while self.skip_space() < len(self.text):
            sign = self.text[self.at]
            if depth == 0 and sign in ",;)}]":
                return
            if sign in _QUOTES:
                self.read_text()
                continue
            depth += (sign in "({[") - (sign in ")}]")
            self.at += 1

    def _read_term(self, depth: int) -> ScriptValue:
        self.skip_space()
        if depth > _MAX_DEPTH:
            return ScriptValue(reason="is nested too deep")
        sign = self.text[self.at : self.at + 1]
        if sign in _QUOTES:
            return self.read_text()
        if sign == "{":
            return self._read_object(depth)
        if found := _STRINGIFY.match(self.text, self.at):
            self.at = found.end()
            return self._read_stringified()
        if _CONSTANT.match(self.text, self.at) or _NUMBER.match(self.text, self.at):
            self.pass_expression()
            return ScriptValue()
        return self._read_made()

    def _read_made(self) -> ScriptValue:
        """A variable, a call, or a list, which is no value of a text."""
        found = _MAKER.match(self.text, self.at)
        name = (found[1] or found[2]) if found else ""
        if found and not found[1] and name in self.variables:
            self.at = found.end()
            return self.variables[name]
        if found and not found[1] and "." not in name and not re.match(r"\s*[(`\[]", self.text[found.end() :][:20]):
            self.at = found.end()
            return ScriptValue(reason=f"is in the variable {name}, which is not given here")
        self.pass_expression()
        return ScriptValue(reason=f"is made by {name} when the script runs" if name else MADE_LATER)

    def _read_object(self, depth: int) -> ScriptValue:
        members: list[tuple[str, ScriptValue]] = []
        self.at += 1
        while self.skip_space() < len(self.text) and not self.starts_with("}"):
            start = self.at
            if self.text[self.at] in _QUOTES:
                key = (self.read_text().text or QuotedText()).value
            elif found := NAME.match(self.text, self.at):
                key, self.at = found[0], found.end()
            else:
                self.pass_expression()
                key = ""
            self.skip_space()
            if self.starts_with(":"):
                self.at += 1
                members.append((key, self.read_value(depth + 1)))
            elif key:  # {body} is {body: body}
                missing = ScriptValue(reason=f"is in the variable {key}, which is not given here")
                members.append((key, self.variables.get(key, missing)))
                self.pass_expression()
            self.at = max(self.at + self.starts_with(","), start + 1)
        self.at = min(len(self.text), self.at + 1)
        return make_table(members)

    # ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def read_text(self) -> ScriptValue:
        """The text in quotes that begins here. Raises :class:`UnclosedQuote`."""
        text, opened, reason = self.text, self.at, ""
        sign = text[opened]
        quote, plain = _QUOTES[sign], _PLAIN[sign]
        made = QuotedTextBuilder(opened)
        self.at += 1
        while self.at < len(text) and text[self.at] != sign:
            at = self.at
            if found := plain.match(text, at):
                self.at = found.end()
                made.add(found[0], at, self.at, quote)
            elif text[at] == "\\":
                made.add(self._read_escape(), at, self.at, quote)
            elif text[at] == "$":
                reason = self._read_placeholder(made) or reason
            else:
                raise UnclosedQuote(opened)  # a line ends in the text
        if self.at >= len(text):
            raise UnclosedQuote(opened)
        self.at += 1
        return ScriptValue(reason=reason) if reason else ScriptValue(made.build(self.at))

    def _read_escape(self) -> str:
        text, at = self.text, self.at
        if pair := _SURROGATES.match(text, at):
            self.at = pair.end()
            return combine_surrogates(pair[1], pair[2])
        if coded := _CODED.match(text, at):
            self.at = coded.end()
            number = int(next(group for group in coded.groups() if group), 16)
            return chr(number) if number <= 0x10FFFF else "\ufffd"
        sign = text[at + 1 : at + 2]
        self.at = at + 1 + len(sign)
        return _ESCAPES.get(sign, sign)

    def _read_placeholder(self, made: QuotedTextBuilder) -> str:
        """What ``${…}`` stands for in a text; gives the reason why that cannot be told."""
        at = self.at
        self.at += 2
        value = self.read_value()
        if not self.starts_with("}"):
            self.pass_expression()
        self.at = min(len(self.text), self.at + 1)
        if value.text is None:
            return f"holds {self.text[at : min(self.at, at + 60)]}, which is not given here"
        made.add(value.text.value, at, self.at, Quote.SCRIPT_TEMPLATE)
        return ""

    # ── JSON.stringify ───────────────────────────────────────────────────────────────────────────────────────────────

    def _read_stringified(self) -> ScriptValue:
        """The JSON of a literal, whose bracket is open; what is JSON in it stays as it is written."""
        self.skip_space()
        found = NAME.match(self.text, self.at)
        if found and found[0] in self.variables and re.match(r"\s*[,)]", self.text[found.end() :][:20]):
            value = self._stringify_variable(found[0])
        else:
            value = self._rewrite_as_json()
        if not self.starts_with(")"):
            self.pass_expression()
            while self.starts_with(","):  # how deep it is indented is no matter
                self.at += 1
                self.pass_expression()
        self.at = min(len(self.text), self.at + 1)
        return value

    def _stringify_variable(self, name: str) -> ScriptValue:
        given = self.variables[name]
        if given.start is None:
            return ScriptValue(reason=given.reason or f"is in the variable {name}, which is not given here")
        inner = ScriptLiterals(self.text, self.variables)
        inner.at = given.start
        return inner._rewrite_as_json()

    def _rewrite_as_json(self) -> ScriptValue:
        made, depth, start = QuotedTextBuilder(self.at), 0, self.at
        while self.skip_space() < len(self.text):
            at, sign = self.at, self.text[self.at]
            if depth == 0 and at > start and sign in ",;)\n":
                break
            if sign in _SIGNS:
                self.at += 1
                depth += (sign in "{[") - (sign in "}]")
                if not _TRAILING_COMMA.match(self.text, at):
                    made.add(sign, at, self.at, Quote.RAW)
                if depth == 0 and sign in "}]":
                    break
            elif reason := self._rewrite_token(made):
                return ScriptValue(reason=reason)
        return ScriptValue(made.build(self.at))

    def _rewrite_token(self, made: QuotedTextBuilder) -> str:
        """Add a key or a value of a literal as JSON; gives the reason why it cannot be told."""
        at = self.at
        if self.text[at] in _QUOTES:
            value = self.read_text()
            if value.text is None:
                return value.reason
            written = self.text[at : self.at]
            encoded = json.dumps(value.text.value, ensure_ascii=False)
            made.add(written if _is_json_text(written) else encoded, at, self.at, Quote.RAW)
            return ""
        if found := _CONSTANT.match(self.text, at) or _NUMBER.match(self.text, at):
            self.at = found.end()
            made.add(found[0], at, self.at, Quote.RAW)
            return ""
        if (found := NAME.match(self.text, at)) and _COLON.match(self.text, found.end()):
            self.at = found.end()
            made.add(json.dumps(found[0]), at, self.at, Quote.RAW)
            return ""
        found = _MAKER.match(self.text, at)
        name = (found[1] or found[2]) if found else ""
        if name in self.variables and (text := self.variables[name].text) is not None and found:
            self.at = found.end()
            made.add(json.dumps(text.value, ensure_ascii=False), at, self.at, Quote.RAW)
            return ""
        return f"holds {name}, which is not given here" if name else MADE_LATER


def _is_json_text(written: str) -> bool:
    try:
        return written[0] == '"' and isinstance(json.loads(written), str)
    except ValueError:
        return False
