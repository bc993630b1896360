"""Requests of JavaScript's ``fetch``, as browsers and Node copy them or a person writes them; read and never run."""

import re
from collections.abc import Mapping

from intempt_core.readers.pasted.copied_request import CopiedRequest, CopiedText
from intempt_core.readers.pasted.quoted_text import QuotedText, UnclosedQuote
from intempt_core.readers.pasted.script_literals import ScriptLiterals
from intempt_core.readers.pasted.script_value import MADE_LATER, ScriptValue, build_request

_CALL = re.compile(r"(?<![\w$])fetch\s*\(\s*(?=[\"'`]|[A-Za-z_$])")
FETCH_CALL = re.compile(r"(?<![\w$.])(?:window\.|globalThis\.)?fetch\s*\(\s*(?:[\"'`]|new\s+URL|[\w$]+\s*[,)+])")
"""Where a call of ``fetch`` begins in a text."""

_ASSIGNMENT = re.compile(r"(?<![\w$.])(?:const|let|var)\s+([A-Za-z_$][\w$]*)(?:\s*:\s*[\w.<>]+)?\s*=(?!=)")

_LITERAL = re.compile(r"\s*(?:[\"'`{\[]|JSON\s*\.)")
_MAX_FAILURES = 20

NO_BODY = "The call posts no body. A body is given as body: … beside the method."
"""A call without a body, in sentences."""


def parse_fetch_calls(text: str) -> CopiedText:
    """Read the calls of ``fetch`` in a text. Raises :class:`UnclosedQuote`."""
    variables = _find_variables(text)
    requests: list[CopiedRequest] = []
    literals = ScriptLiterals(text, variables)
    while found := _CALL.search(text, literals.at):
        literals.at = found.end()
        url = literals.read_value()
        literals.skip_space()
        options = ScriptValue()
        if literals.starts_with(","):
            literals.at += 1
            options = literals.read_value()
        requests.append(_build_request(found.start(), url, options))
    form = "call of fetch" if len(requests) == 1 else f"{len(requests)} calls of fetch"
    return CopiedText(form, tuple(requests))


def _find_variables(text: str) -> dict[str, ScriptValue]:
    """What the text gives to names, by literals."""
    variables: dict[str, ScriptValue] = {}
    literals = ScriptLiterals(text, variables)
    failures = 0
    while failures < _MAX_FAILURES and (found := _ASSIGNMENT.search(text, literals.at)):
        literals.at = start = found.end()
        if _LITERAL.match(text, start) is None:
            variables[found[1]] = ScriptValue(reason=MADE_LATER)
            continue
        try:
            value = literals.read_value()
        except UnclosedQuote:
            value, literals.at, failures = ScriptValue(reason="is not written to its end"), start, failures + 1
        value.start = start
        variables[found[1]] = value
    return variables


def _build_request(at: int, url: ScriptValue, options: ScriptValue) -> CopiedRequest:
    given: Mapping[str, ScriptValue] = options.table or {}
    body, trouble = _find_body(given, options)
    return build_request(
        at, url=url, method=given.get("method"), headers=given.get("headers"), body=body, trouble=trouble
    )


def _find_body(given: Mapping[str, ScriptValue], options: ScriptValue) -> tuple[QuotedText | None, str]:
    """The body of a call, or why it has none that can be read."""
    if options.reason:
        return None, f"What the call is given {options.reason}. Paste the body itself."
    body = given.get("body")
    if body is None:
        return None, NO_BODY
    if body.text is not None and body.text.value.strip():
        return body.text, ""
    if body.table is not None:
        return None, "The body is an object, which fetch sends as “[object Object]”. Write body: JSON.stringify(…)."
    if body.reason:
        form = any(name in body.reason for name in ("FormData", "URLSearchParams"))
        more = " It is a form; events are taken as JSON that is the whole body." if form else " Paste the body itself."
        return None, f"The body {body.reason}.{more}"
    return None, NO_BODY
