"""A case file, read: what somebody took along of one request, to look at it elsewhere. ``casefile.py`` writes it.

It is JSON, or a page that holds the same JSON as text. Whoever made it is not trusted: it is data.
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from intempt_core.contract import Json
from intempt_core.errors import ReadError
from intempt_core.readers import JsonText

CASE_MARKER = "case_file"
"""The key that makes a JSON object a case file; its value is the version of the form."""

CASE_VERSION = 1
"""The version that is written and read."""

CASE_OPEN_TAG, CASE_CLOSE_TAG = '<pre id="case-file">', "</pre>"
"""What stands around the JSON in a page."""

_JSON_START = re.compile(r'\s*\{\s*"case_file"\s*:')


@dataclass(frozen=True)
class CaseFile:
    """A case file: ``body`` is the request's, ``facts`` the rest in lines to be read."""

    made_at: str
    identities: str
    body: str = field(repr=False)
    facts: tuple[str, ...] = field(repr=False)


def read_case(text: str) -> CaseFile | None:
    """The case file in a text, ``None`` where it is none. Raises :class:`ReadError` for one that cannot be read."""
    start = text.find(CASE_OPEN_TAG) if text.lstrip()[:1] == "<" else -1
    if start >= 0:
        end = text.find(CASE_CLOSE_TAG, start)
        text = html.unescape(text[start + len(CASE_OPEN_TAG) : end if end >= 0 else len(text)])
    if not _JSON_START.match(text):
        return None
    document: Mapping[str, Json] = JsonText(text).value  # it begins with a bracket and a key
    request = document.get("request")
    body = request.get("body") if isinstance(request, Mapping) else None
    if document.get(CASE_MARKER) != CASE_VERSION or not isinstance(body, str):
        raise ReadError("This is a case file of another form, or not a whole one. Make it anew on the request's page.")
    return CaseFile(
        str(document.get("made_at", "")), str(document.get("identities", "")), body, tuple(_describe_case(document))
    )


def _describe_case(document: Mapping[str, Json]) -> list[str]:
    """What else the case says, a line each; whatever stands there is text."""
    lines = []
    for key in ("target", "batch", "versions"):
        part = document.get(key)
        if isinstance(part, Mapping):
            lines.append(f"{key}: " + ", ".join(f"{name} {value}" for name, value in part.items()))
    lines += [" · ".join(str(value) for value in part.values()) for part in _list_objects(document.get("timeline"))]
    lines += [
        f"answer {part.get('number')}: {part.get('status')} {part.get('answer')}"
        for part in _list_objects(document.get("attempts"))
    ]
    return lines


def _list_objects(value: Json) -> Sequence[Mapping[str, Json]]:
    return [part for part in value if isinstance(part, Mapping)] if isinstance(value, list) else []
