"""Formatting of a pasted text's JSON: line breaks and indents, and not one other character.

Values are never read and written again: digits, the order of keys, keys that are there twice, escapes and comments stay
as they are written. So it is a fix like others: an edit of the text, which can be undone.
"""

import re

from intempt_core.contract import BLANK_CHARACTERS
from intempt_core.fixes.text_fixes import TextEdit, TextFix
from intempt_core.readers import Payload

_INDENT = "  "
_TOKENS = re.compile(
    r'(?P<text>"[^"\\]*(?:\\.[^"\\]*)*")|(?P<comment>//[^\r\n]*|\#[^\r\n]*|/\*.*?\*/)|(?P<sign>[\[\]{}:,])'
    r"|(?P<literal>[^\s\"\[\]{}:,/#]+)",
    re.DOTALL,
)


def format_json(text: str) -> str:
    """Indent JSON, or one JSON value after another; comments and trailing commas may be in it."""
    pieces: list[str] = []
    depth, before, end_of_comment = 0, "", False
    for token in _TOKENS.finditer(text):
        written = token[0]
        opens, closes = written in ("{", "["), written in ("}", "]")
        if closes:
            depth -= 1
        empties = closes and before in ("{", "[")
        if end_of_comment or (closes and not empties) or (before in ("{", "[", ",") and not empties):
            pieces.append("\n" + _INDENT * depth)
        elif before == ":" or (token["comment"] is not None and before):
            pieces.append(" ")
        elif depth == 0 and before and not closes and written != ",":
            pieces.append("\n")
        pieces.append(written)
        if opens:
            depth += 1
        end_of_comment = token["comment"] is not None
        if not end_of_comment:
            before = written
    return "".join(pieces)


def find_format_fix(payload: Payload) -> TextFix | None:
    """Find the edit that formats a payload's JSON; ``None`` where it is formatted, or where it is written twice in
    quotes, as in a HAR file, or in several requests.
    """
    document, source = payload.source.value, payload.source
    if len({run.quote for run in source.runs}) > 1 or sum(one.is_read for one in payload.requests) > 1:
        return None
    if source.quote_for(0, '\n"') not in ('\n"', '\n\\"'):
        return None
    start = len(document) - len(document.lstrip(BLANK_CHARACTERS))
    end = len(document.rstrip(BLANK_CHARACTERS))
    formatted = format_json(document[start:end])
    if formatted == document[start:end]:
        return None
    edit = TextEdit(start, end, formatted)
    outside = TextEdit(*source.text_span(start, end), source.quote_for(start, formatted))
    return TextFix("Format the JSON.", (outside,), (edit,))
