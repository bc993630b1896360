"""The whole events of a JSON text that ends early, as a log or a terminal cuts a long line.

What is whole is kept as it is, with its places; the brackets that the end lacks are added behind it. An event that is
not whole is left out with everything behind it: what its missing part said, nobody can tell.
"""

import re
from dataclasses import dataclass

from intempt_core.readers.json_text.json_positions import JSON_STRING, JsonSyntaxError, JsonText

_TOKENS = re.compile(rf"{JSON_STRING}(?P<key>[ \t\n\r]*:)?|[\[\]{{}}]", re.DOTALL)
_CLOSERS = {"{": "}", "[": "]"}


@dataclass(frozen=True, slots=True)
class SalvagedText:
    """The whole events of a text that ends early.

    Attributes:
        document: They as JSON.
        at: The offset in the text behind the last one: from here on nothing is read.
        end: The offset where the text ends.
        open_brackets: How many brackets are open at its end.
    """

    document: JsonText
    at: int
    end: int
    open_brackets: int


def salvage_events(text: str, error: JsonSyntaxError) -> SalvagedText | None:
    """Read the whole events of a text that ends early (``error``); ``None`` where it does not, or has none."""
    if not error.open_brackets:
        return None
    found = _find_last_whole(text[: error.at])
    if found is None:
        return None
    at, closing = found
    try:
        return SalvagedText(JsonText(text[:at] + closing, several=True), at, error.at, error.open_brackets)
    except JsonSyntaxError:
        return None


def _find_last_whole(text: str) -> tuple[int, str] | None:
    """Behind the last whole event, group or document, and the brackets that are still open there."""
    opened: list[tuple[str, str]] = []  # each open bracket, and what is in it
    key, found = "", None
    for token in _TOKENS.finditer(text):
        sign = text[token.start()]
        if sign == '"':
            if token["key"] is not None:
                key = token[0][: -len(token["key"])]
        elif sign in "[{":
            opened.append((sign, _name_content(sign, key, opened[-1][1] if opened else "")))
            key = ""
        elif not opened:
            return None
        else:
            _, content = opened.pop()
            if content in _WHOLE:
                found = token.end(), "".join(_CLOSERS[bracket] for bracket, _ in reversed(opened))
    return found


_WHOLE = frozenset(("document", "list", "item", "event", "group"))
"""What is kept where it is whole."""


def _name_content(bracket: str, key: str, around: str) -> str:
    """What a bracket that opens holds, by its key and what is around it (CONTRACT 1.3)."""
    if not around:
        return "document" if bracket == "{" else "list"
    if bracket == "[":
        if around == "document" and key == '"track"':
            return "track"
        return "events" if key == '"payload"' and around in ("document", "item", "group") else "value"
    return {"track": "group", "list": "item", "events": "event"}.get(around, "value")
