"""The texts of a PowerShell script: its quotes, escapes, variables and tables of literals, read and never run.

What is certain is read: a text in quotes, a variable that was given one, pieces joined by ``+``, ``$([char]233)``, the
bytes of a text. What only PowerShell can tell (a command, a file, another variable) has its reason in a sentence.
"""

import re
from dataclasses import dataclass, field

from intempt_core.readers.pasted.quoted_text import QuotedText, QuotedTextBuilder, Quote, UnclosedQuote, join_texts

_SPACE = re.compile(r"(?:[^\S\n]|`\r?\n|<#.*?(?:#>|\Z)|(?<![^\s(){};])#[^\n]*)+", re.DOTALL)
_SPACE_AND_LINES = re.compile(r"(?:\s|`\r?\n|<#.*?(?:#>|\Z)|(?<![^\s(){};])#[^\n]*)+", re.DOTALL)
_HERE_STRING = re.compile(r"@(['\"])[^\S\n]*\r?\n")
_IN_SINGLE = re.compile(r"[^'‘’‚‛]+")
_IN_DOUBLE = re.compile(r'[^"“”„`$]+')
_SINGLE_QUOTES, _DOUBLE_QUOTES = frozenset("'‘’‚‛"), frozenset('"“”„')
"""PowerShell takes typographic quotes for quotes, too."""

_ESCAPES = {"0": "\0", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPED_CODE = re.compile(r"`u\{([0-9A-Fa-f]{1,6})\}")
_CHARACTER = re.compile(r"\$\(\s*\[char\]\s*\(?\s*(0x[0-9a-f]{1,6}|[0-9]{1,7})\s*\)?\s*\)", re.IGNORECASE)
_CHARACTER_ALONE = re.compile(r"\[char\]\s*\(?\s*(0x[0-9a-f]{1,6}|[0-9]{1,7})\s*\)?", re.IGNORECASE)
_VARIABLE = re.compile(r"\$(?:\{([^}\n]+)\}|((?:\w+:)?\w+))")
_BYTES = re.compile(r"\[[\w.]*encoding\]::[\w.]*getbytes\s*\(", re.IGNORECASE)
_CAST = re.compile(r"\[(?:string|system\.string|pscustomobject|ordered|hashtable|uri|system\.uri|byte\[\])\]", re.IGNORECASE)
_FILE = re.compile(r"(?:get-content|gc|cat|type|\[[\w.]*io\.file\]::readall\w+)\b[^|)\n;]*", re.IGNORECASE)
_KEY = re.compile(r"[\w-]+")
_BARE = re.compile(r"[^\s;|(){}'\"`,]+")
_MAX_DEPTH = 50


@dataclass
class ScriptValue:
    """A value of a script, as far as it is certain.

    Attributes:
        text: A text.
        table: The members of a table (``@{…}``), by their names in small letters.
        reason: Why it cannot be told, as the end of a sentence that begins with what it is a value of.
    """

    text: QuotedText | None = None
    table: "dict[str, ScriptValue] | None" = None
    reason: str = ""


@dataclass
class ScriptCommand:
    """A command of a script.

    Attributes:
        name: Its name as it is written.
        at: Where it begins.
        parameters: The values of its parameters, by their names in small letters without the dash.
        words: Its words, without their parameters' values being understood.
    """

    name: str
    at: int
    parameters: dict[str, ScriptValue] = field(default_factory=dict)
    words: list[QuotedText] = field(default_factory=list)


def parse_script(text: str, commands: "re.Pattern[str]") -> list[ScriptCommand]:
    """The commands of a script whose name matches ``commands``, in their order.

    Raises :class:`~intempt_core.readers.pasted.quoted_text.UnclosedQuote`.
    """
    return _ScriptParser(text, commands).parse()


class _ScriptParser:
    """One reading of a script."""

    def __init__(self, text: str, commands: "re.Pattern[str]") -> None:
        self.text, self.names = text, commands
        self.at = 0
        self.variables: dict[str, ScriptValue] = {}

    def parse(self) -> list[ScriptCommand]:
        found: list[ScriptCommand] = []
        while self._skip(_SPACE_AND_LINES) < len(self.text):
            before = self.at
            variable = _VARIABLE.match(self.text, self.at)
            if variable and (equals := re.compile(r"\s*(\+?=)(?!=)\s*").match(self.text, variable.end())):
                self.at = equals.end()
                if not self.names.match(self.text, self.at):
                    self._assign(variable[1] or variable[2], self._read_value(), adds=equals[1] == "+=")
            elif name := self.names.match(self.text, self.at):
                self.at = name.end()
                found.append(self._read_command(name[0], name.start()))
            else:
                self._pass_over()
            self.at = max(self.at, before + 1)
        return found

    def _assign(self, name: str, value: ScriptValue, *, adds: bool) -> None:
        key = name.lower()
        if adds:
            value = _add_values(self.variables.get(key), value, name)
        self.variables[key] = value

    def _skip(self, spaces: "re.Pattern[str]") -> int:
        if found := spaces.match(self.text, self.at):
            self.at = found.end()
        return self.at

    def _pass_over(self) -> None:
        """Go on behind one piece of a statement that is not understood; texts in quotes are whole."""
        if self._at_text():
            self._read_text()
        elif found := re.compile(r"[\w\-.\[\]:$]+").match(self.text, self.at):
            self.at = found.end()
        else:
            self.at += 1

    # ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _read_command(self, name: str, at: int) -> ScriptCommand:
        command, positional = ScriptCommand(name.strip(), at), 0
        while self._skip(_SPACE) < len(self.text) and self.text[self.at] not in "\n;|})&":
            start = self.at
            if dashed := re.compile(r"-([A-Za-z]\w*)(:?)").match(self.text, self.at):
                key, self.at = dashed[1].lower(), dashed.end()
                command.words.append(QuotedText(dashed[0], [], start, self.at))
                self._skip(_SPACE)
                if self.text[self.at : self.at + 1] in ("", "-", "\n", ";", "|", "}", ")"):
                    command.parameters[key] = ScriptValue()
                    continue
                command.parameters[key] = self._read_value()
            elif splat := re.compile(r"@(\w+)").match(self.text, self.at):
                self.at = splat.end()
                table = self.variables.get(splat[1].lower(), ScriptValue(reason=f"is in the variable ${splat[1]}"))
                command.parameters.update(table.table or {"": table})
            else:
                command.parameters[f"#{positional}"] = self._read_value()
                positional += 1
            self.at = max(self.at, start + 1)
        return command

    # ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _read_value(self, depth: int = 0) -> ScriptValue:
        """A value with all that is added to it."""
        value = self._read_term(depth)
        while plus := re.compile(r"\s*\+\s*(?=[\"'$(\[@])").match(self.text, self.at):
            self.at = plus.end()
            value = _add_values(value, self._read_term(depth), "it")
        if made := re.compile(r"[^\S\n]*(?:\|\s*([\w-]+)|-(f|replace|join)\b|\.(\w+)\s*\()").match(self.text, self.at):
            self._pass_statement()
            return ScriptValue(reason=f"is made by {made[1] or made[3] or '-' + made[2]} when the script runs")
        return value

    def _pass_statement(self) -> None:
        """Go on at the end of a statement or of the brackets around it."""
        depth = 0
        while self.at < len(self.text):
            sign = self.text[self.at]
            if depth == 0 and sign in "\n;)}":
                return
            depth += (sign in "({") - (sign in ")}")
            if self._at_text():
                self._read_text()
            elif self._skip(_SPACE) < len(self.text) and self.text[self.at] == sign:
                self.at += 1

    def _read_term(self, depth: int) -> ScriptValue:
        self._skip(_SPACE)
        text = self.text
        if depth > _MAX_DEPTH:
            return ScriptValue(reason="is nested too deep")
        while cast := _CAST.match(text, self.at):
            self.at = cast.end()
            self._skip(_SPACE)
        if self._at_text():
            return self._read_text()
        if found := _CHARACTER_ALONE.match(text, self.at):
            self.at = found.end()
            made = QuotedTextBuilder(found.start())
            made.add(_make_character(found[1]), found.start(), self.at, Quote.POWERSHELL_DOUBLE)
            return ScriptValue(made.build(self.at))
        if text.startswith("@{", self.at):
            return self._read_table(depth)
        if found := _BYTES.match(text, self.at):
            self.at = found.end()
            return self._read_bracket(depth)
        if found := _FILE.match(text, self.at):
            self.at = found.end()
            return ScriptValue(reason="is read from a file, which is not here")
        if text.startswith(("(", "$("), self.at):
            self.at = text.index("(", self.at) + 1
            return self._read_bracket(depth)
        if found := _VARIABLE.match(text, self.at):
            self.at = found.end()
            name = found[1] or found[2]
            return self.variables.get(name.lower(), ScriptValue(reason=f"is in the variable ${name}, which is not given here"))
        if found := _BARE.match(text, self.at):
            self.at = found.end()
            made = QuotedTextBuilder(found.start())
            made.add(found[0], found.start(), self.at, Quote.NONE)
            return ScriptValue(made.build(self.at))
        return ScriptValue(reason="is made by the script when it runs")

    def _read_bracket(self, depth: int) -> ScriptValue:
        """What is inside of brackets, whose opening one is behind."""
        self._skip(_SPACE_AND_LINES)
        value = self._read_value(depth + 1)
        self._skip(_SPACE_AND_LINES)
        if not self.text.startswith(")", self.at):
            self._pass_statement()
            value = ScriptValue(reason=value.reason or "is made by the script when it runs")
        self.at = min(len(self.text), self.at + 1)
        return value

    def _read_table(self, depth: int) -> ScriptValue:
        table: dict[str, ScriptValue] = {}
        self.at += 2
        while self._skip(_SPACE_AND_LINES) < len(self.text) and self.text[self.at] != "}":
            start = self.at
            if self._at_text():
                key = (self._read_text().text or QuotedText()).value
            elif found := _KEY.match(self.text, self.at):
                key, self.at = found[0], found.end()
            else:
                key, self.at = "", self.at + 1
            if equals := re.compile(r"\s*=\s*").match(self.text, self.at):
                self.at = equals.end()
                table[key.lower()] = self._read_value(depth + 1)
            self.at = max(self.at, start + 1)
        self.at = min(len(self.text), self.at + 1)
        return ScriptValue(table=table)

    # ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _at_text(self) -> bool:
        sign = self.text[self.at : self.at + 1]
        return bool(sign) and (
            sign in _SINGLE_QUOTES
            or sign in _DOUBLE_QUOTES
            or (sign == "@" and _HERE_STRING.match(self.text, self.at) is not None)
        )

    def _read_text(self) -> ScriptValue:
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
            made.add(self.text[here.end() : end.start()], here.end(), end.start(), Quote.RAW)
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
            elif text[at + 1 : at + 2] in _SINGLE_QUOTES:
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
                doubled = in_line and text[at + 1 : at + 2] in _DOUBLE_QUOTES
                if in_line and not doubled:
                    self.at = at + 1
                    return ScriptValue(made.build(self.at)) if not reason else ScriptValue(reason=reason)
                self.at = at + 1 + doubled
                made.add(sign, at, self.at, Quote.POWERSHELL_DOUBLE)
            elif sign == "`":
                self._read_escape(made)
            elif found := _CHARACTER.match(text, at, end):
                self.at = found.end()
                value = _make_character(found[1])
                if "\ud800" <= value <= "\udbff" and (low := _CHARACTER.match(text, self.at, end)):
                    self.at = low.end()
                    value = (value + _make_character(low[1])).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
                made.add(value, at, self.at, Quote.POWERSHELL_DOUBLE)
            elif text.startswith("$(", at):
                reason = reason or "is made by the script when it runs"
                self.at = at + 2
                self._pass_statement()
                self.at += 1
            elif (found := _VARIABLE.match(text, at, end)) and (found[2] or "").lower() not in ("null", "true", "false"):
                self.at = found.end()
                name = found[1] or found[2]
                given = self.variables.get(name.lower())
                if given is None or given.text is None:
                    reason = reason or f"holds the variable ${name}, which is not given here"
                else:
                    made.add(given.text.value, at, self.at, Quote.POWERSHELL_DOUBLE)
            else:
                self.at = at + 1
                made.add(sign, at, self.at, Quote.POWERSHELL_DOUBLE)
        if in_line:
            raise UnclosedQuote(opened)
        return ScriptValue(made.build(end)) if not reason else ScriptValue(reason=reason)

    def _read_escape(self, made: QuotedTextBuilder) -> None:
        text, at = self.text, self.at
        if coded := _ESCAPED_CODE.match(text, at):
            self.at = coded.end()
            number = int(coded[1], 16)
            made.add(chr(number) if number <= 0x10FFFF else "\ufffd", at, self.at, Quote.POWERSHELL_DOUBLE)
            return
        size = 3 if text.startswith("\r\n", at + 1) else 2
        sign = text[at + 1 : at + size]
        self.at = at + 1 + len(sign)
        made.add(_ESCAPES.get(sign, "" if sign.endswith("\n") else sign), at, self.at, Quote.POWERSHELL_DOUBLE)


def _make_character(number: str) -> str:
    code = int(number, 16 if number[:2].lower() == "0x" else 10)
    return chr(code) if code <= 0x10FFFF else "\ufffd"


def _add_values(one: ScriptValue | None, other: ScriptValue, name: str) -> ScriptValue:
    if one is None:
        return ScriptValue(reason=f"is in the variable ${name}, whose first part is not given here")
    if one.text is None or other.text is None:
        return ScriptValue(reason=one.reason or other.reason or "is made by the script when it runs")
    return ScriptValue(join_texts((one.text, other.text), ""))
