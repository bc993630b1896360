"""The options of a cURL command: which there are, and what each of them is given."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from intempt_core.readers.pasted.quoted_text import QuotedText

_SHORT_WITH_VALUE = frozenset("AbcCdDeEFHhKmoPQrtTuUwxXyYz")
_LONG_WITH_VALUE = frozenset(
    "user header data data-raw data-binary data-ascii data-urlencode json url request cookie cookie-jar user-agent "
    "referer max-time connect-timeout output form form-string proxy proxy-user cacert capath cert cert-type key "
    "key-type pass retry retry-delay retry-max-time resolve connect-to interface limit-rate write-out upload-file "
    "oauth2-bearer config url-query aws-sigv4 range ciphers max-redirs dump-header unix-socket rate stderr trace "
    "trace-ascii variable expect100-timeout keepalive-time noproxy dns-servers proto tls-max speed-limit speed-time "
    "preproxy socks5 socks5-hostname socks4 time-cond output-dir netrc-file service-name request-target "
    "proxy-header proxy-pass proxy-cert proxy-key tls-password".split()
)
_LONG_FLAGS = frozenset(("get", "next", "head"))
_LONG_NAMES = {
    "d": "data", "H": "header", "u": "user", "U": "proxy-user", "X": "request", "b": "cookie", "F": "form",
    "T": "upload-file", "G": "get", ":": "next", "I": "head", "E": "cert", "x": "proxy",
}  # fmt: skip

DATA_OPTIONS = ("data", "data-raw", "data-binary", "data-ascii", "json")
"""The options of cURL whose value is the body, or a part of it."""


class CurlOption(NamedTuple):
    """An option of a command, or an address, whose ``name`` is empty.

    Attributes:
        name: Its long name.
        word: The word that holds its value.
        at: Where in that word the value begins; the word's end where the option takes none.
    """

    name: str
    word: QuotedText
    at: int

    @property
    def value(self) -> str:
        """What it is given."""
        return self.word.value[self.at :]


def iterate_options(words: Iterable[QuotedText]) -> Iterator[CurlOption]:
    """The addresses and the options of a command that take a value, or say that another request begins, or its kind."""
    remaining = iter(words)
    for word in remaining:
        if word.operator or word.value in ("", "-", "--"):
            continue
        if not word.value.startswith("-"):
            yield CurlOption("", word, 0)
            continue
        name, at, flags = _parse_option(word.value)
        yield from (CurlOption(flag, word, len(word.value)) for flag in flags)
        if name is None:
            continue
        if at < len(word.value):
            yield CurlOption(name, word, at)
        elif (following := next(remaining, None)) is not None and not following.operator:
            yield CurlOption(name, following, 0)


def _parse_option(value: str) -> tuple[str | None, int, list[str]]:
    """The option of a word that takes a value, where that begins (behind the word, if it is the next), and flags."""
    if value.startswith("--"):
        given, equals, _ = value[2:].partition("=")
        name = _find_long_name(given)
        return (
            (name if name in _LONG_WITH_VALUE else None),
            len(given) + 2 + len(equals),
            [name] * (name in _LONG_FLAGS),
        )
    flags: list[str] = []
    for index, sign in enumerate(value):
        if index and sign in _SHORT_WITH_VALUE:
            return _LONG_NAMES.get(sign, sign), index + 1, flags
        if index and sign in _LONG_NAMES:
            flags.append(_LONG_NAMES[sign])
    return None, 0, flags


def _find_long_name(given: str) -> str:
    """The long name that a word means: cURL takes its beginning, too, where it is the beginning of no other."""
    if given in _LONG_WITH_VALUE or given in _LONG_FLAGS:
        return given
    meant = [name for name in (*_LONG_WITH_VALUE, *_LONG_FLAGS) if name.startswith(given)] if len(given) > 2 else []
    return meant[0] if len(meant) == 1 else given
