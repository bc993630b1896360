"""Escapes: the forms in which a server or a log may write a text, as JSON, HTML, percent-encoded, or two in turn."""

import html
import json
from collections.abc import Callable, Iterator
from html.entities import codepoint2name
from urllib.parse import quote, quote_plus

_MAX_DOUBLE_ESCAPED = 1000  # characters of a text whose forms are written a second time: there are many of them
_ADDRESS_SAFE = "/@:;,?!$&=+*'()#"  # what a browser leaves as it is in an address


def _escape_json_for_page(text: str) -> str:
    """JSON as .NET, Go and PHP write it where it may stand in a page."""
    escaped = json.dumps(text)[1:-1].replace('\\"', "\\u0022")
    return "".join(f"\\u{ord(char):04x}" if char in "<>&'+" else char for char in escaped)


def _escape_html_numeric(text: str) -> str:
    return html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")


def _escape_html_named(text: str) -> str:
    names = {"'": "apos"}
    return "".join(f"&{name};" if (name := names.get(c) or codepoint2name.get(ord(c))) else c for c in text)


ESCAPE_FUNCTIONS: dict[str, Callable[[str], str]] = {
    "json": lambda text: json.dumps(text)[1:-1],
    "json, not only ASCII": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json, slashes escaped": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json, slashes escaped, not only ASCII": lambda text: json.dumps(text, ensure_ascii=False)[1:-1].replace(
        "/", "\\/"
    ),
    "json, careful": _escape_json_for_page,
    "html": html.escape,
    "html, quotes left": lambda text: html.escape(text, quote=False),
    "html, numbers": _escape_html_numeric,
    "html, only ASCII": lambda text: _escape_html_numeric(text).encode("ascii", "xmlcharrefreplace").decode(),
    "html, names": _escape_html_named,
    "percent": lambda text: quote(text, safe="", errors="surrogatepass"),
    "percent, slashes left": lambda text: quote(text, errors="surrogatepass"),
    "percent, in an address": lambda text: quote(text, safe=_ADDRESS_SAFE, errors="surrogatepass"),
    "percent, in a form": lambda text: quote_plus(text, errors="surrogatepass"),
}
"""The ways in which a text may be escaped, each by its name."""


def fold_case(text: str) -> str:
    """Fold the letter case of a text and keep its length, so that an index into it is an index into the text."""
    if text.isascii():
        return text.lower()
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def iterate_escapes(text: str, name: str) -> Iterator[tuple[str, str]]:
    """Iterate over every escaped form of a text with ``name`` escaped alike; the plain one first, each form once."""
    forms = {text: name, text.upper(): name, text.lower(): name}  # these may be longer: ß, İ
    fresh = forms
    for _ in range(2 if len(text) <= _MAX_DOUBLE_ESCAPED else 1):
        again = {write(form): write(other) for form, other in fresh.items() for write in ESCAPE_FUNCTIONS.values()}
        fresh = {form: other for form, other in again.items() if form not in forms}
        forms = forms | fresh
    yield from forms.items()
