"""A cURL command, read and never run: its address, and its body with every character's place.

The keys in it are masked before (``pasted_keys.py``).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from intempt_core.contract import BLANK_CHARACTERS
from intempt_core.errors import ReadError
from intempt_core.readers.json_lenient import blank_lenient_syntax
from intempt_core.readers.json_positions import JsonText
from intempt_core.readers.pasted.command_line import iterate_readings
from intempt_core.readers.pasted.quoted_text import QuotedText, join_texts

CURL_COMMAND = re.compile(r"(?<![\w.\-])curl(?:\.exe)?(?=[\s^\\]|$)", re.IGNORECASE | re.MULTILINE)
"""Where a cURL command begins in a text."""

_CURL_PROGRAM = re.compile(r"(?:\S*[/\\])?curl(?:\.exe)?", re.IGNORECASE)
_COMMENTS = re.compile(r"(?:\s|//[^\n]*|#[^\n]*|/\*.*?\*/)+", re.DOTALL)
_PROMPT = re.compile(r"\[[^\]\[{\"\n]*\]\s*[$#%>]\s")
"""``[me@machine ~]$``; no list of JSON begins so."""

_SHORT_WITH_VALUE = frozenset("AbcCdDeEFHhKmoPQrtTuUwxXyYz")
_LONG_WITH_VALUE = frozenset(
    "user header data data-raw data-binary data-ascii data-urlencode json url request cookie cookie-jar user-agent "
    "referer max-time connect-timeout output form form-string proxy proxy-user cacert capath cert cert-type key "
    "key-type pass retry retry-delay retry-max-time resolve connect-to interface limit-rate write-out upload-file "
    "oauth2-bearer config url-query aws-sigv4 range ciphers max-redirs dump-header unix-socket rate stderr trace "
    "trace-ascii variable expect100-timeout keepalive-time noproxy dns-servers proto tls-max speed-limit speed-time "
    "preproxy socks5 socks5-hostname socks4 time-cond output-dir netrc-file service-name request-target".split()
)
_LONG_NAMES = {"d": "data", "H": "header", "u": "user", "U": "proxy-user", "X": "request", "b": "cookie", "F": "form"}
DATA_OPTIONS = ("data", "data-raw", "data-binary", "data-ascii", "json")
"""The options of cURL whose value is the body, or a part of it."""

_PROMPTS = ("$", "%", ">", "#", "\n", "|")


@dataclass(frozen=True)
class CurlCommand:
    """A cURL command as it was written.

    Attributes:
        url: Its address; empty where it has none.
        body: What it would post; none where the text does not hold it.
        body_source: Where the body is instead, such as a file; empty where the text holds it, or there is none.
        has_other_commands: Whether there are other commands in the text.
    """

    url: str
    body: QuotedText | None = field(repr=False)
    body_source: str = ""
    has_other_commands: bool = False


def is_curl_command(text: str) -> bool:
    """Whether a pasted text is a cURL command and not a body."""
    return not looks_like_json(text) and CURL_COMMAND.search(text) is not None


def looks_like_json(text: str) -> bool:
    """Whether a text begins as JSON does, behind comments or not."""
    begin = text.lstrip(BLANK_CHARACTERS)
    begin = begin[found.end() :] if (found := _COMMENTS.match(begin)) else begin
    return begin[:1] in tuple('{["') and not _PROMPT.match(begin)


def parse_curl_command(text: str) -> CurlCommand:
    """Read the cURL command in a text. Raises :class:`~intempt_core.readers.pasted.quoted_text.UnclosedQuote`."""
    first: CurlCommand | None = None
    for words in iterate_readings(text):
        command = _read_command(text, words)
        if first is None:
            first = command
        if command.body is None or _is_json(command.body.value):
            return command  # backslashes are written in several ways, and only one of them makes JSON of the body
    assert first is not None
    return first


def _is_json(text: str) -> bool:
    try:
        JsonText(blank_lenient_syntax(text)[0], several=True)
    except ReadError:
        return False
    return True


def _read_command(text: str, words: Sequence[QuotedText]) -> CurlCommand:
    prompt = re.compile(rf"[{re.escape(BLANK_CHARACTERS)}]*{_PROMPT.pattern}").match(text)
    words = [word for word in words if prompt is None or word.at >= prompt.end()]
    own_at = next((index for index, word in enumerate(words) if _is_curl_token(word)), len(words))
    before, own = words[:own_at], words[own_at + 1 :]
    end = next((index for index, word in enumerate(own) if word.operator and not word.value.startswith("<")), len(own))
    piped = _find_piped_body(before) or _find_here_document(own, end)
    datas: list[tuple[str, QuotedText, int]] = []
    url = ""
    for option, word, at in iterate_options(own[:end]):
        if option in DATA_OPTIONS:
            datas.append((option, word, at))
        elif option in ("url", "") and not url:
            url = word.value[at:]
    others = [word for word in own[end:] if not word.operator and word is not piped]
    if piped is None:
        others += [word for word in before if word.value not in _PROMPTS and "=" not in word.value]
    return _build_command(url, datas, piped, has_other_commands=bool(others))


def _is_curl_token(word: QuotedText) -> bool:
    return not word.operator and _CURL_PROGRAM.fullmatch(word.value.strip(BLANK_CHARACTERS)) is not None


def _build_command(
    url: str, datas: Sequence[tuple[str, QuotedText, int]], piped: QuotedText | None, *, has_other_commands: bool
) -> CurlCommand:
    parts: list[QuotedText] = []
    for option, word, at in datas:
        value = word.value[at:]
        if value == "@-" and piped is not None and option != "data-raw":
            parts.append(piped)
        elif value.startswith("@") and option != "data-raw":
            where = "what is piped into the command" if value == "@-" else f"the file {value[1:]}"
            return CurlCommand(url, None, where, has_other_commands)
        else:
            parts.append(word.cut(at))
    if not parts:
        return CurlCommand(url, None, "", has_other_commands)
    return CurlCommand(
        url, join_texts(parts, "" if all(option == "json" for option, _, _ in datas) else "&"), "", has_other_commands
    )


def _find_piped_body(before: Sequence[QuotedText]) -> QuotedText | None:
    """What ``printf '%s' BODY |`` or ``echo BODY |`` pipes into the command."""
    if not before or before[-1].value != "|":
        return None
    piece: list[QuotedText] = []
    for word in reversed(before[:-1]):
        if word.operator and word.value != "\n":
            break
        piece.insert(0, word)
    words = [word for word in piece if not word.operator]
    match [word.value for word in words]:
        case ["printf", "%s" | "%s\\n", _] | ["echo", "-n" | "-E", _]:
            return words[2]
        case ["echo", _]:
            return words[1]
    return None


def _find_here_document(own: Sequence[QuotedText], end: int) -> QuotedText | None:
    """What a here-document or a here-string gives to the command."""
    for index, word in enumerate(own):
        if word.operator and word.value == "<<<" and index + 1 < len(own):
            return own[index + 1]
    if any(word.operator and word.value in ("<<", "<<-") for word in own[:end]):
        return next((word for word in own[end:] if not word.operator), None)
    return None


def iterate_options(words: Iterable[QuotedText]) -> Iterator[tuple[str, QuotedText, int]]:
    """The options of a command that take a value: long name, the word that holds it, where in the word it begins.

    What is no option (the address) has an empty name.
    """
    remaining = iter(words)
    for word in remaining:
        if word.operator or word.value in ("", "-", "--"):
            continue
        name, at = _parse_option(word.value)
        if name is None:
            continue
        if at < len(word.value) or not at:
            yield name, word, at
        elif (following := next(remaining, None)) is not None and not following.operator:
            yield name, following, 0


def _parse_option(value: str) -> tuple[str | None, int]:
    """The long name of an option that takes a value, and where in the word that begins; behind it, if in the next."""
    if value.startswith("--"):
        name, equals, _ = value[2:].partition("=")
        return (name if name in _LONG_WITH_VALUE else None), len(name) + 2 + len(equals)
    if not value.startswith("-"):
        return "", 0
    index = next((index for index, sign in enumerate(value) if index and sign in _SHORT_WITH_VALUE), 0)
    return (_LONG_NAMES.get(value[index], value[index]), index + 1) if index else (None, 0)
