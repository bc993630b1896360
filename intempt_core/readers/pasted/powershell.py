"""Requests of a PowerShell script (``Invoke-WebRequest``, ``Invoke-RestMethod``), read and never run."""

import re
from collections.abc import Mapping

from intempt_core.readers.pasted.copied_request import CopiedRequest, CopiedText
from intempt_core.readers.pasted.powershell_texts import SPACE, VARIABLE, PowerShellTexts, make_character
from intempt_core.readers.pasted.quoted_text import Quote, QuotedText, QuotedTextBuilder
from intempt_core.readers.pasted.script_value import MADE_LATER, ScriptValue, add_values, build_request, make_table

_CMDLETS = r"(?:Microsoft\.PowerShell\.Utility\\)?Invoke-(?:WebRequest|RestMethod)|iwr|irm"
_PARAMETERS = r"-(?:Uri|Method|Headers|Body|ContentType|UseBasicParsing|WebSession|InFile|Form)\b"
POWERSHELL_REQUEST = re.compile(
    rf"(?<![\w.$-])(?:(?:{_CMDLETS})(?![\w.-])|(?:curl|wget)(?=\s+{_PARAMETERS}))", re.IGNORECASE
)
"""Where a request of PowerShell's own commands begins in a text."""

POWERSHELL_WORDS = ("microsoft.powershell", "invoke-web", "invoke-rest", "iwr", "irm", "curl", "wget")
"""Texts with one of which it begins, in small letters."""

_SPACE_AND_LINES = re.compile(r"(?:\s|`\r?\n|<#.*?(?:#>|\Z)|(?<![^\s(){};])#[^\n]*)+", re.DOTALL)
_ASSIGNMENT = re.compile(r"\s*(\+?=)(?!=)\s*")
_PIECE = re.compile(r"[\w\-.\[\]:$]+")
_DASHED = re.compile(r"-([A-Za-z]\w*)(:?)")
_SPLAT = re.compile(r"@(\w+)")
_PLUS = re.compile(r"\s*\+\s*(?=[\"'$(\[@])")
_MADE = re.compile(r"[^\S\n]*(?:`\r?\n\s*)?(?:\|\s*([\w-]+)|-(f|replace|join)\b|\.(\w+)\s*\()")
_CAST = re.compile(
    r"\[(?:string|system\.string|pscustomobject|ordered|hashtable|uri|system\.uri|byte\[\])\]", re.IGNORECASE
)
_CHARACTER_ALONE = re.compile(r"\[char\]\s*(0x[0-9a-f]{1,6}|[0-9]{1,7})", re.IGNORECASE)
_BYTES = re.compile(r"\[[\w.]*encoding\]::[\w.]*getbytes\s*\(", re.IGNORECASE)
_FILE = re.compile(r"(?:(?:get-content|gc|cat|type)\b(?=\s)|\[[\w.]*io\.file\]::readall\w+)[^|)\n;]*", re.IGNORECASE)
_KEY = re.compile(r"[\w-]+")
_EQUALS = re.compile(r"\s*=\s*")
_BARE = re.compile(r"[^\s;|(){}'\"`,]+")
_MAX_DEPTH = 50


def parse_powershell(text: str) -> CopiedText:
    """Read the requests of a script. Raises :class:`~intempt_core.readers.pasted.quoted_text.UnclosedQuote`."""
    requests = _ScriptParser(text).parse()
    form = "PowerShell command" if len(requests) == 1 else f"{len(requests)} PowerShell commands"
    return CopiedText(form, tuple(requests))


class _ScriptParser(PowerShellTexts):
    """One reading of a script."""

    def __init__(self, text: str) -> None:
        self.variables: dict[str, ScriptValue] = {}
        super().__init__(text, self.variables)

    def parse(self) -> list[CopiedRequest]:
        found: list[CopiedRequest] = []
        while self._skip(_SPACE_AND_LINES) < len(self.text):
            before = self.at
            variable = VARIABLE.match(self.text, self.at)
            if variable and (equals := _ASSIGNMENT.match(self.text, variable.end())):
                self.at = equals.end()
                if not POWERSHELL_REQUEST.match(self.text, self.at):
                    self._assign(variable[1] or variable[2], self._read_value(), adds=equals[1] == "+=")
            elif name := POWERSHELL_REQUEST.match(self.text, self.at):
                self.at = name.end()
                found.append(_build_request(name.start(), self._read_parameters()))
            else:
                self._pass_over()
            self.at = max(self.at, before + 1)
        return found

    def _assign(self, name: str, value: ScriptValue, *, adds: bool) -> None:
        key = name.lower()
        if adds:
            before = ScriptValue(reason=f"is in the variable ${name}, whose first part is not given here")
            value = add_values(self.variables.get(key, before), value)
        self.variables[key] = value

    def _skip(self, spaces: "re.Pattern[str]") -> int:
        if found := spaces.match(self.text, self.at):
            self.at = found.end()
        return self.at

    def _pass_over(self) -> None:
        """Go on behind one piece of a statement that is not understood; texts in quotes are whole."""
        if self.is_at_text():
            self.read_text()
        else:
            found = _PIECE.match(self.text, self.at)
            self.at = found.end() if found else self.at + 1

    def _read_parameters(self) -> dict[str, ScriptValue]:
        """What a command is given, by the parameters' names in small letters without the dash, the others by number."""
        parameters: dict[str, ScriptValue] = {}
        while self._skip(SPACE) < len(self.text) and self.text[self.at] not in "\n;|})&":
            start = self.at
            if dashed := _DASHED.match(self.text, self.at):
                self.at = dashed.end()
                self._skip(SPACE)
                ends = self.text[self.at : self.at + 1] in ("", "-", "\n", ";", "|", "}", ")")
                parameters[dashed[1].lower()] = ScriptValue() if ends else self._read_sum()
            elif splat := _SPLAT.match(self.text, self.at):
                self.at = splat.end()
                table = self.variables.get(splat[1].lower(), ScriptValue(reason=f"is in the variable ${splat[1]}"))
                parameters.update(table.table or {"": table})
            else:
                parameters[f"#{sum(name.startswith('#') for name in parameters)}"] = self._read_sum()
            self.at = max(self.at, start + 1)
        return parameters

    # ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _read_value(self, depth: int = 0) -> ScriptValue:
        """A value with all that is done to it."""
        value = self._read_sum(depth)
        if made := _MADE.match(self.text, self.at):
            start = self.at
            self._pass_statement()
            by = made[1] or made[3] or f"-{made[2]}"
            shallow = by.lower() == "convertto-json" and "-depth" not in self.text[start : self.at].lower()
            more = "; without -Depth it writes only two levels of it, and events have more" if shallow else ""
            return ScriptValue(reason=f"is made by {by} when the script runs{more}")
        return value

    def _read_sum(self, depth: int = 0) -> ScriptValue:
        """A value with what is added to it, as far as an argument of a command goes."""
        value = self._read_term(depth)
        while plus := _PLUS.match(self.text, self.at):
            self.at = plus.end()
            value = add_values(value, self._read_term(depth))
        return value

    def _pass_statement(self) -> None:
        """Go on at the end of a statement or of the brackets around it."""
        depth = 0
        while self.at < len(self.text):
            sign = self.text[self.at]
            if depth == 0 and sign in "\n;)}":
                return
            if self.is_at_text():
                self.read_text()
                continue
            depth += (sign in "({") - (sign in ")}")
            before = self.at
            if self._skip(SPACE) == before:
                self.at += 1

    def _read_term(self, depth: int) -> ScriptValue:
        self._skip(SPACE)
        if depth > _MAX_DEPTH:
            return ScriptValue(reason="is nested too deep")
        while cast := _CAST.match(self.text, self.at):
            self.at = cast.end()
            self._skip(SPACE)
        if self.is_at_text():
            return self.read_text()
        if self.text.startswith("@{", self.at):
            return self._read_table(depth)
        if found := _BYTES.match(self.text, self.at):
            self.at = found.end()
            return self._read_bracket(depth)
        if self.text.startswith(("(", "$("), self.at):
            self.at = self.text.index("(", self.at) + 1
            return self._read_bracket(depth)
        return self._read_bare()

    def _read_bare(self) -> ScriptValue:
        """A value without quotes or brackets."""
        text = self.text
        if found := _FILE.match(text, self.at):
            self.at = found.end()
            return ScriptValue(reason="is read from a file, which is not here")
        if found := VARIABLE.match(text, self.at):
            self.at = found.end()
            name = found[1] or found[2]
            missing = ScriptValue(reason=f"is in the variable ${name}, which is not given here")
            return self.variables.get(name.lower(), missing)
        made = QuotedTextBuilder(self.at)
        if found := _CHARACTER_ALONE.match(text, self.at):
            value = make_character(found[1])
        elif found := _BARE.match(text, self.at):
            value = found[0]
        else:
            return ScriptValue(reason=MADE_LATER)
        self.at = found.end()
        made.add(value, found.start(), self.at, Quote.NONE)
        return ScriptValue(made.build(self.at))

    def _read_bracket(self, depth: int) -> ScriptValue:
        """What is inside of brackets, whose opening one is behind."""
        self._skip(_SPACE_AND_LINES)
        value = self._read_value(depth + 1)
        self._skip(_SPACE_AND_LINES)
        if not self.text.startswith(")", self.at):
            self._pass_statement()
            value = ScriptValue(reason=value.reason or MADE_LATER)
        self.at = min(len(self.text), self.at + 1)
        return value

    def _read_table(self, depth: int) -> ScriptValue:
        members: list[tuple[str, ScriptValue]] = []
        self.at += 2
        while self._skip(_SPACE_AND_LINES) < len(self.text) and self.text[self.at] != "}":
            start = self.at
            if self.is_at_text():
                key = (self.read_text().text or QuotedText()).value
            elif found := _KEY.match(self.text, self.at):
                key, self.at = found[0], found.end()
            else:
                key, self.at = "", self.at + 1
            if equals := _EQUALS.match(self.text, self.at):
                self.at = equals.end()
                members.append((key, self._read_value(depth + 1)))
            self.at = max(self.at, start + 1)
        self.at = min(len(self.text), self.at + 1)
        return make_table(members)


def _build_request(at: int, parameters: Mapping[str, ScriptValue]) -> CopiedRequest:
    url = parameters.get("uri") or parameters.get("#0")
    method = parameters.get("method") or parameters.get("custommethod")
    body, trouble = _find_body(parameters)
    return build_request(at, url=url, method=method, headers=parameters.get("headers"), body=body, trouble=trouble)


def _find_body(parameters: Mapping[str, ScriptValue]) -> tuple[QuotedText | None, str]:
    """The body of a request, or why it has none that can be read."""
    if "form" in parameters:
        return None, (
            "The command sends a form of several parts (multipart/form-data; -Form). Events are taken as JSON that is "
            "the whole body: give it with -Body."
        )
    if "infile" in parameters:
        name = parameters["infile"].text
        return None, f"The command takes its body from the file {name.value if name else ''}, which is not here."
    given = parameters.get("body") or parameters.get("")
    if given is None:
        return None, "The command posts no body. A body follows -Body."
    if given.text is not None and given.text.value.strip():
        return given.text, ""
    if given.table is not None:
        return None, (
            "The body is a table (@{…}), which PowerShell sends as a form (name=value&…). Events are taken as JSON "
            "that is the whole body."
        )
    if given.reason:
        return None, f"The body {given.reason}. Paste the body itself."
    return None, "The command posts no body. A body follows -Body."
