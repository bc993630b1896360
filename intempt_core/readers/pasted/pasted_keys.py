"""The keys in a pasted text, found by where tools write them, and masked before anything else sees it (CONTRACT 1.5).

A request is copied in many forms: as a cURL command for three shells, as code (fetch, Python, PowerShell and others),
as a command of HTTPie or wget, as a HAR file, as a Postman collection, as raw HTTP. What they share is that the key
follows its name: an ``Authorization`` header, a cookie, ``apiKey=``, ``--user``, ``auth=(…)``. So it is looked for by
name, and in a cURL command by its options, too. In the body of a command, and in JSON that is no copied request, only
what can be nothing but a key is masked: there every value may be data that is to be sent as it is.
"""

import base64
import binascii
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from urllib.parse import unquote

from intempt_core.contract import MASK
from intempt_core.errors import ReadError
from intempt_core.readers.pasted.copied_request import SECRET_HEADER, CopiedRequest
from intempt_core.readers.pasted.curl import CURL_COMMAND, looks_like_json
from intempt_core.readers.pasted.curl_options import DATA_OPTIONS, iterate_options
from intempt_core.readers.pasted.forms import PastedReading
from intempt_core.readers.pasted.har import HAR_BEGINNING
from intempt_core.readers.pasted.name_search import (
    find_assignment_lines,
    find_line_starts,
    find_parts,
    find_word_starts,
    fold_case,
    iterate_matches,
)
from intempt_core.readers.pasted.powershell import POWERSHELL_REQUEST
from intempt_core.readers.pasted.quoted_text import TextRun, UnclosedQuote

_ADDRESS_OPTIONS = ("", "url", "url-query", *DATA_OPTIONS, "data-urlencode")
_SECRET_OPTIONS = ("user", "proxy-user", "oauth2-bearer", "pass", "aws-sigv4")
_QUERY_PAIR = re.compile(r"(?:^|[?&])([^=&#?]+)=([^&#]+)")
_SECRET_QUERY = re.compile(r"api[-_]?key|key|(?:access_)?token|auth|secret|password", re.IGNORECASE)
_USER_INFO = re.compile(r"^(?:[a-z][a-z0-9+.-]*://)?([^/@?#{}\s]+)@", re.IGNORECASE)
_VARIABLE_ASSIGNMENT = re.compile(r"(?im)^\s*(?:export\s+|set\s+)?(\w+)=(['\"]?)([^\s'\";]+)\2")
_SECRET_VARIABLE = re.compile(r"key|token|secret|password", re.IGNORECASE)
_LONG_KEY = re.compile(r"(?=.*[.:0-9]).{12,}", re.DOTALL)  # what is shorter may be a plain word of the body

# ── what a key is called ─────────────────────────────────────────────────────────────────────────────────────────────

_SCHEME = r"(?:(?:basic|bearer|digest|apikey|token)(?:\s|%20|\\?\+)+)?"
_SCHEME_BEFORE = re.compile(_SCHEME, re.IGNORECASE)
_HEADER = r"(?:proxy-)?authorization|set-cookie2?|x-?api-?key|x-auth-token"
_MEMBER = rf"{_HEADER}|api[-_]?key|access[-_]?token"
_NAME = (
    rf"[\w.-]*(?:{_MEMBER}|auth[-_]?token|client[-_]?secret|secret|passw(?:or)?d|passphrase|cookie|token|x-auth)s?(?![a-z])"
    r"[\w-]*"
)
_ESCAPES = r"[\\^`]{0,8}"
_QUOTE = rf"{_ESCAPES}[\"'`]"
_QUOTED = (
    rf"(?P<open>{_ESCAPES})(?P<quote>[\"'`]){_SCHEME}"
    r"(?P<value>(?:(?!(?P=open)(?P=quote))(?:\\.|`[\"`$]|[^\r\n]))*+)"  # up to the quote that closes it, or the line
)
_NAMED_BY = rf"[\"'](?:name|key)\\*[\"']\s*:\s*\\*[\"'](?:{_NAME})\\*[\"']"
_MEMBERS_BETWEEN = r"(?:[^{}]{0,300}?,)?"
_LOGIN_OPTION = "auth|user|(?:http-|proxy-)?passw(?:or)?d|http-user|proxy-user|bearer|oauth2-bearer|token"

_NAME_PARTS = (
    "authorization",
    "cookie",
    "apikey",
    "api-key",
    "api_key",
    "token",
    "secret",
    "passw",
    "passphrase",
    "x-auth",
)
"""Texts of which every name of a key has one; letter case is ignored."""

_CALL_PARTS = ("auth", "credential", "btoa", "b64encode", "securestring", "net.cookie")
"""Texts of which every call that makes a header of a key has one."""

KEY_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        # "Authorization: Basic KEY" as one quoted text
        rf"(?P<quote>[\"'])(?:{_NAME})\s*:\s*{_SCHEME}(?P<value>(?:(?!{_ESCAPES}(?P=quote))[^\r\n])*+)",
        # "authorization": "Basic KEY" · apiKey = 'KEY' · Header.Add("Authorization", "KEY") · $session["token"] = "KEY"
        rf"(?<![\w.-])(?:{_NAME})(?:{_QUOTE})?[\])]*\s*(?:=>|:=|[:=]=?|,)\s*[bf]?{_QUOTED}",
        # Authorization: Basic KEY
        rf"^[ \t>*]*(?:{_NAME})[ \t]*:[ \t]*{_SCHEME}(?P<value>[^\r\n]+?)(?=\r?$)",
        # apiKey=KEY · apiKey==KEY · X-Api-Key:KEY
        rf"(?<![\w.-])(?:{_NAME})(?:=>|:=|[:=]=?)\s?{_SCHEME}(?P<value>[^\s\"'`&;,(){{}}\[\]<>^\\]+)(?![(\[])",
        # {"name": "Authorization", "value": "Basic KEY"} and the other way round
        rf"{_NAMED_BY}\s*,{_MEMBERS_BETWEEN}\s*\\*[\"']value\\*[\"']\s*:\s*{_QUOTED}",
        rf"[\"']value\\*[\"']\s*:\s*{_QUOTED}(?P=open)(?P=quote)\s*,{_MEMBERS_BETWEEN}\s*\\*{_NAMED_BY}",
        # -a user:KEY · --password KEY · --http-password=KEY
        rf"(?<!\S)(?:(?-i:-u)(?!ri\b)\s*|-a[\s=]+|--(?:{_LOGIN_OPTION})[\s=]+)['\"^]*(?P<value>[^\s'\"^]+)",
        # ConvertTo-SecureString "KEY"
        rf"securestring\s+(?:-string\s+)?{_QUOTED}",
        # https://user:KEY@host
        r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,20}://(?P<value>[^/@?#{}\s\"'`]+)@",
    )
)
"""Where a key stands in a copied request; the group ``value`` is the key."""

_MEMBER_BEGIN = re.compile(r"[\"'](?:name|key|value)", re.IGNORECASE)
_LOGIN_OPTION_BEGIN = re.compile(r"-(?:[ua-])", re.IGNORECASE)
_USER_IN_ADDRESS = re.compile(r"://[^/@?#{}\s\"'`]+@")
_MAX_SCHEME_CHARACTERS = 21

_IN_JSON = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"[\"'](?:{_MEMBER})\\*[\"']\s*:\s*{_QUOTED}",
        rf"[\"']cookie\\*[\"']\s*:\s*(?=\\*[\"'][^\"']*=){_QUOTED}",
        rf"[\"']user(?:name)?\\*[\"']\s*:\s*\\*[\"'][^\"']*[\"']\s*,\s*\\*[\"']password\\*[\"']\s*:\s*{_QUOTED}",
        rf"[\"']password\\*[\"']\s*:\s*{_QUOTED}(?P=open)(?P=quote)\s*,\s*\\*[\"']user(?:name)?\\*[\"']\s*:",
        KEY_PATTERNS[4].pattern,
        KEY_PATTERNS[5].pattern,
        r"[?&]api[-_]?key=(?P<value>[^&\s'\"#\\]+)",
        KEY_PATTERNS[-1].pattern,
    )
)
"""Where a key stands in JSON that may be data."""

_WORDS_IN_JSON = (
    ("authorization", "cookie", "key", "token"),
    ("cookie",),
    ("password",),
    ("password",),
    ("value",),
    ("value",),
    ("key",),
    ("://",),
)
"""Texts of which whatever fits each of :data:`_IN_JSON` has one, letter case ignored: a quick look before it."""

_CALL = re.compile(
    r"(?:auth\w*\s*[=:]\s*(?:\w+\.)*\w*|\b\w*(?:auth|credentials?|btoa|b64encode|securestring|net\.cookie)(?:\.basic)?)\s*"
    r"[(\[](?P<arguments>[^()\[\]\r\n]*)",
    re.IGNORECASE,
)
_COOKIES = re.compile(r"\bcookies\\*[\"']?\s*[:=]\s*(?:\{([^{}]*)\}|\[([^\[\]]*)\])", re.IGNORECASE)
_COOKIE_VALUES = (  # of {"sid": "KEY"} and of [{"name": "sid", "value": "KEY"}]
    re.compile(rf":\s*{_QUOTED}"),
    re.compile(rf"[\"']value\\*[\"']\s*:\s*{_QUOTED}"),
)
_QUOTED_ARGUMENT = re.compile(r"(?P<quote>[\"'`])(?P<value>(?:\\.|(?!(?P=quote))[^\\])*)(?P=quote)")
_QUERYKEY_PATTERNS = re.compile(r"[?&]([^=&#?\s\"']+)=([^&#\s\"'`^\\]+)")
_TOKEN = re.compile(r"\b(basic|bearer)(?:\s|%20|\\?\+)+([\w+/.~%-]{8,}=*)", re.IGNORECASE)
_MIN_BEARER_CHARACTERS = 16

KEY_HINT = (
    r"auth|api.{0,3}key|token|secret|passw|cookie|credential|bearer|basic|btoa|securestring|user|value"
    r"|(?:^|\s)-[au]\s*\S|://[^\s/]*@"
)
"""A regular expression, also for browsers, letter case ignored: a pasted text that it does not match has no key."""


def mask_pasted_keys(text: str) -> tuple[str, bool]:
    """Mask every key in a text, and say whether there was one."""
    reading = mask_reading(given := PastedReading(text))
    return reading.text, reading is not given


def mask_reading(reading: PastedReading) -> PastedReading:
    """Mask every key in a text; the very same reading where there is none."""
    text = reading.text
    spans = [span for span in _find_spans(reading) if span[0] < span[1]]
    keys = {text[at:end] for at, end in spans if not _is_placeholder(text[at:end])}
    if not keys:
        return reading
    masked = _mask_spans(text, [span for span in spans if text[slice(*span)] in keys])
    for key in sorted(keys.union(*map(_decode_basic, keys)), key=len, reverse=True):
        if _LONG_KEY.fullmatch(key):  # the same key may be elsewhere in the text, too
            masked = masked.replace(key, MASK)
    return PastedReading(masked)


def _find_spans(reading: PastedReading) -> Iterator[tuple[int, int]]:
    text = reading.text
    yield from _find_tokens(text)
    folded = fold_case(text)
    for cookies in iterate_matches(_COOKIES, text, find_parts(folded, ("cookies",))):
        pattern = _COOKIE_VALUES[(cookies.lastindex or 1) - 1]
        yield from (found.span("value") for found in pattern.finditer(text, *cookies.span(cookies.lastindex or 0)))
    if looks_like_json(text):
        for pattern, words in zip(_IN_JSON, _WORDS_IN_JSON, strict=True):
            if not any(word in folded for word in words):
                continue
            yield from (found.span("value") for found in pattern.finditer(text))
        if HAR_BEGINNING.match(text):
            yield from _find_in_har(reading)
        return
    command_spans = [*_find_in_words(reading)]
    bodies: list[tuple[int, int]] = []
    requests = _parse_requests(reading)
    for request in requests:
        command_spans += _find_in_request(request)
        if request.body and (request.goes_to_track or len(requests) == 1):  # what is posted elsewhere may be a login
            bodies += [(run.at, run.end) for run in request.body.runs]
    yield from command_spans
    bodies.sort()
    beside = [span for span in _find_by_name(text, sorted(command_spans)) if not _overlaps(span, bodies)]
    yield from beside
    variables = {
        re.sub(r"\W", "", text[at:end]) for at, end in [*command_spans, *beside] if text[at:end][:1] in tuple("$%")
    }
    for found in iterate_matches(_VARIABLE_ASSIGNMENT, text, find_assignment_lines(text)):
        if _SECRET_VARIABLE.search(found[1]) or found[1] in variables:
            yield found.span(3)


def _find_in_words(reading: PastedReading) -> Iterator[tuple[int, int]]:
    """Keys in the options of cURL commands."""
    text = reading.text
    curl = CURL_COMMAND.search(text)
    if curl is None or POWERSHELL_REQUEST.match(text, curl.start()):
        return
    try:
        words = next(iter(reading.command_readings)).words
    except UnclosedQuote:
        return
    for option, word, start in iterate_options(words):
        yield from (word.text_span(start + a, start + b) for a, b in _find_in_option(option, word.value[start:]))


def _find_in_har(reading: PastedReading) -> Iterator[tuple[int, int]]:
    """Keys in the requests of a HAR file; what was posted to elsewhere than a track path may be a login."""
    for request in _parse_requests(reading):
        yield from _find_in_request(request)
        if request.body is not None and not request.goes_to_track:
            yield from (request.body.text_span(at, end) for at, end in _find_by_name(request.body.value))


def _parse_requests(reading: PastedReading) -> tuple[CopiedRequest, ...]:
    try:
        copied = reading.parse()
    except (UnclosedQuote, ReadError):
        return ()
    return copied.requests if copied else ()


def _find_in_request(request: CopiedRequest) -> Iterator[tuple[int, int]]:
    """Keys in the headers and the address of a request."""
    for name, value in request.headers:
        if SECRET_HEADER.search(name) and (scheme := _SCHEME_BEFORE.match(value.value)):
            yield from _join_stretches(value.cut(scheme.end()).runs)
    if request.address is not None:
        yield from (request.address.text_span(a, b) for a, b in _find_in_option("url", request.address.value))


def _join_stretches(runs: Iterable[TextRun]) -> list[tuple[int, int]]:
    """Where runs are written, those beside each other as one."""
    joined: list[tuple[int, int]] = []
    for run in runs:
        if joined and joined[-1][1] == run.at:
            joined[-1] = joined[-1][0], run.end
        else:
            joined.append((run.at, run.end))
    return joined


def _overlaps(span: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
    """Whether a stretch has a character of one of the others, which are in their order."""
    index = bisect_left(others, (span[1], 0))
    return index > 0 and others[index - 1][1] > span[0]


def _find_by_name(text: str, known: Sequence[tuple[int, int]] = ()) -> Iterator[tuple[int, int]]:
    """Keys in a text that is no data, by the name before them; what stands in a key that is ``known`` is no name."""
    for found in find_named_keys(text):
        if not _overlaps((found.start(), found.start() + 1), known):
            yield found.span("value")
    folded = fold_case(text)
    calls = find_word_starts(text, find_parts(folded, _CALL_PARTS))
    for call in iterate_matches(_CALL, text, sorted({*calls, *find_parts(folded, _CALL_PARTS[:1])})):
        if _overlaps((call.start("arguments") - 1, call.start("arguments")), known):
            continue
        arguments = list(_QUOTED_ARGUMENT.finditer(text, *call.span("arguments")))
        if "net.cookie" in call[0].lower():  # its name, value, path and domain
            arguments = arguments[1:2]
        yield from (argument.span("value") for argument in arguments)
    for found in _QUERYKEY_PATTERNS.finditer(text):
        if _SECRET_QUERY.fullmatch(unquote(found[1])):
            yield found.span(2)


def find_named_keys(text: str) -> "Iterator[re.Match[str]]":
    """What each of :data:`KEY_PATTERNS` finds, looked for only where it can begin: a long text has few such places."""
    folded = fold_case(text)
    names = find_word_starts(text, find_parts(folded, _NAME_PARTS), ".-")
    lines = dict.fromkeys(find_line_starts(text, names, " \t>*"))
    members = [found.start() for found in _MEMBER_BEGIN.finditer(text)] if names else []
    starts = (
        [at - 1 for at in names if at and text[at - 1] in "\"'"],
        names,
        lines,
        names,
        members,
        members,
        [found.start() for found in _LOGIN_OPTION_BEGIN.finditer(text)],
        find_parts(folded, ("securestring",)),
        sorted({at for found in _USER_IN_ADDRESS.finditer(text) for at in _list_scheme_starts(found.start())}),
    )
    return chain.from_iterable(
        iterate_matches(pattern, text, some) for pattern, some in zip(KEY_PATTERNS, starts, strict=True)
    )


def _list_scheme_starts(end: int) -> range:
    """Where the scheme of an address may begin that ends here."""
    return range(max(0, end - _MAX_SCHEME_CHARACTERS), end)


def _find_tokens(text: str) -> Iterator[tuple[int, int]]:
    """Keys that are recognised by what they are: ``Basic`` and user and password in base64, ``Bearer`` and a token."""
    folded = fold_case(text)
    if "basic" not in folded and "bearer" not in folded:  # quick, also for a text of megabytes
        return
    for found in _TOKEN.finditer(text):
        token = found[2]
        if found[1].lower() == "basic":
            if any(_decode_basic(token)):
                yield found.span(2)
        elif len(token) >= _MIN_BEARER_CHARACTERS and re.search(r"[0-9]", token) and re.search(r"[A-Za-z]", token):
            yield found.span(2)


def _decode_basic(token: str) -> Iterator[str]:
    """The forms of a key that is written as user and password in base64 (CONTRACT 1.5); none where it is not."""
    packed = unquote(token)
    try:
        pair = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return
    user, colon, password = pair.partition(":")
    if colon and pair.isprintable():
        yield from (pair, f"{user}.{password}", password)


def _find_in_option(option: str, value: str) -> Iterator[tuple[int, int]]:
    """Where in the value of an option of cURL there is a key."""
    if option in _SECRET_OPTIONS:
        yield 0, len(value)
    elif option == "cookie":
        yield from [(0, len(value))] if "=" in value else []
    elif option == "header":
        name, colon, rest = value.partition(":")
        if colon and SECRET_HEADER.search(name):
            start = len(name) + 1 + len(rest) - len(rest.lstrip())
            scheme = _SCHEME_BEFORE.match(value, start)
            yield (scheme.end() if scheme else start), len(value)
    elif option in _ADDRESS_OPTIONS and ("=" in value or "@" in value) and not looks_like_json(value):
        pairs = _QUERY_PAIR.finditer(value)
        yield from (found.span(2) for found in pairs if _SECRET_QUERY.fullmatch(unquote(found[1])))
        if option in ("", "url"):
            yield from (found.span(1) for found in _USER_INFO.finditer(value))


def _is_placeholder(text: str) -> bool:
    """A variable is no key, nor is what was masked before."""
    bare = text.strip("'\"` ")
    return not bare or bare[0] in "$%" or MASK in text or bare.startswith(("{{", "<", "${"))


def _mask_spans(text: str, spans: Iterable[tuple[int, int]]) -> str:
    merged: list[tuple[int, int]] = []
    for at, end in sorted(set(spans)):
        if merged and at < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((at, end))
    edges = [0, *(edge for span in merged for edge in span), len(text)]
    return MASK.join(text[at:end] for at, end in list(pairwise(edges))[::2])
