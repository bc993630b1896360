"""A request as text for a terminal: as HTTP has it, and as a cURL command; no key is in it."""

import sys
from collections.abc import Iterator

from intempt_core.cli.output import can_show
from intempt_core.exports import render_curl_snippet
from intempt_core.targets import Target


def describe_request(target: Target, body: bytes) -> Iterator[str]:
    """A request, and the cURL command that sends it with the key in ``$INTEMPT_API_KEY``, line by line."""
    text = spell_json(body)
    yield f"POST {target.track_url}"
    yield "Content-Type: application/json"
    yield ""
    yield text
    yield ""
    yield from render_curl_snippet(target, text.encode()).splitlines()


def spell_json(body: bytes) -> str:
    """JSON whose characters can all be shown at the terminal: others are escaped, which changes no value."""
    return "".join(char if can_show(char, sys.stdout) else _escape(char) for char in body.decode())


def _escape(char: str) -> str:
    """A character as JSON escapes it; outside of strings JSON has none that has to be."""
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
