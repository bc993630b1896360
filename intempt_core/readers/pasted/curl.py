"""cURL commands, read and never run: the requests that they would send.

The keys in them are masked before (``pasted_keys.py``).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from intempt_core.contract import BLANK_CHARACTERS, shorten_value
from intempt_core.errors import ReadError
from intempt_core.readers.json_text.json_lenient import blank_lenient_syntax
from intempt_core.readers.json_text.json_positions import JsonText
from intempt_core.readers.pasted.command_line import CommandReadings
from intempt_core.readers.pasted.copied_request import CopiedRequest, CopiedText
from intempt_core.readers.pasted.curl_options import DATA_OPTIONS, CurlOption, iterate_options
from intempt_core.readers.pasted.quoted_text import QuotedText, join_texts

CURL_COMMAND = re.compile(r"(?<![\w.\-])curl(?:\.exe)?(?=[\s^\\]|$)", re.IGNORECASE | re.MULTILINE)
"""Where a cURL command begins in a text."""

_CURL_PROGRAM = re.compile(r"(?:\S*[/\\])?curl(?:\.exe)?", re.IGNORECASE)
_COMMENTS = re.compile(r"(?:\s|//[^\n]*|#[^\n]*|/\*.*?\*/)+", re.DOTALL)
_PROMPT = re.compile(r"\[[^\]\[{\"\n]*\]\s*[$#%>]\s")
"""``[me@machine ~]$``; no list of JSON begins so."""

_PROMPTS = ("$", "%", ">", "#", "\n", "|")
_VARIABLE = re.compile(r"\$\{?((?:env:)?\w+)\}?|%(\w+)%")
_TYPE_OF_POWERSHELL = re.compile(r"\[[\w.]+\]\s*(?:::|\$)")
_SUBSTITUTION = re.compile(r"\$\(|`")

NO_BODY = "The command posts no body. A body follows -d, --data-raw or --json."
"""A command without a body, in sentences."""


def looks_like_json(text: str) -> bool:
    """Whether a text begins as JSON does, behind comments or not."""
    begin = text.lstrip(BLANK_CHARACTERS)
    begin = begin[found.end() :] if (found := _COMMENTS.match(begin)) else begin
    return begin[:1] in tuple('{["') and not _PROMPT.match(begin) and not _TYPE_OF_POWERSHELL.match(begin)


def parse_curl_commands(text: str, readings: CommandReadings | None = None) -> CopiedText:
    """Read the cURL commands in a text, whose ``readings`` may be known.

    Raises :class:`~intempt_core.readers.pasted.quoted_text.UnclosedQuote`.
    """
    first: CopiedText | None = None
    for words, note in readings or CommandReadings(text):
        copied = replace(_read_commands(text, words), notes=(note,) if note else ())
        if all(request.body is None or _is_json(request.body.value) for request in copied.requests):
            return copied  # backslashes are written in several ways, and only one of them makes JSON of the body
        first = first or copied
    return first or CopiedText("cURL command", ())


def _is_json(text: str) -> bool:
    """Whether a text is JSON, with comments and trailing commas or without."""
    for blank in (None, blank_lenient_syntax):  # most bodies are strict, and looking for comments takes much longer
        try:
            JsonText(text if blank is None else blank(text)[0], several=True)
        except ReadError:
            continue
        return True
    return False


def _read_commands(text: str, words: list[QuotedText]) -> CopiedText:
    prompt = re.compile(rf"[{re.escape(BLANK_CHARACTERS)}]*{_PROMPT.pattern}").match(text)
    words = [word for word in words if prompt is None or word.at >= prompt.end()]
    requests: list[CopiedRequest] = []
    count, others, at = 0, False, 0
    variables = _find_assignments(words)
    while (own_at := next((n for n in range(at, len(words)) if _is_curl_token(words[n])), None)) is not None:
        before, own = words[at:own_at], words[own_at + 1 :]
        end = next((n for n, word in enumerate(own) if word.operator and not word.value.startswith("<")), len(own))
        piped = _find_piped_body(before) or _find_here_document(own, end)
        requests += [
            _build_request(words[own_at], options, piped, variables)
            for options in _split_at_next(list(iterate_options(own[:end])))
        ]
        count += 1
        others = others or (piped is None and _holds_commands(before, variables))
        at = own_at + 1 + end
        if piped is not None and piped in own[end:]:
            at += own[end:].index(piped) + 1
    others = others or any(not word.operator for word in words[at:])
    return CopiedText(f"{count} cURL commands" if count > 1 else "cURL command", tuple(requests), others)


def _is_curl_token(word: QuotedText) -> bool:
    return not word.operator and _CURL_PROGRAM.fullmatch(word.value.strip(BLANK_CHARACTERS)) is not None


def _holds_commands(words: Sequence[QuotedText], variables: dict[str, QuotedText]) -> bool:
    """Whether there are commands that do more than to give a variable its value."""
    given = {id(value) for value in variables.values()}
    return any(
        not (word.operator or word.value in _PROMPTS or "=" in word.value or id(word) in given)
        and word.value.removeprefix("$") not in variables
        for word in words
    )


def _find_assignments(words: list[QuotedText]) -> dict[str, QuotedText]:
    """What variables are given in the text, by their names: ``NAME=…`` and PowerShell's ``$NAME = …``."""
    found = {}
    ended = [*words, QuotedText(), QuotedText()]
    for word, equals, value in zip(ended, ended[1:], ended[2:], strict=False):
        name, sign, _ = word.value.partition("=")
        if sign and not word.operator and name.isidentifier():
            found[name] = word.cut(len(name) + 1)
        elif word.value[:1] == "$" and equals.value == "=" and not value.operator:
            found[word.value[1:]] = value
    return found


def _split_at_next(options: Sequence[CurlOption]) -> Iterator[list[CurlOption]]:
    """The options of each request: ``--next`` begins another one."""
    own: list[CurlOption] = []
    for option in options:
        if option.name == "next":
            yield own
            own = []
        else:
            own.append(option)
    yield own


def _build_request(
    command: QuotedText, options: Sequence[CurlOption], piped: QuotedText | None, variables: dict[str, QuotedText]
) -> CopiedRequest:
    urls = [option.value for option in options if option.name in ("", "url")]
    at = options[0].word.at if options else command.at
    body, trouble = _build_body(options, piped, variables)
    method = next((option.value for option in options if option.name == "request"), "")
    if not method:
        is_get = any(option.name in ("get", "head") for option in options)
        sends = body is not None or any(option.name in (*DATA_OPTIONS, *_FORM_OPTIONS) for option in options)
        method = "POST" if sends and not is_get else "GET"
    notes = (f"It sends the same to {len(urls):,} addresses; the first is named.",) if len(urls) > 1 else ()
    return CopiedRequest(min(at, command.at), urls[0] if urls else "", method.upper(), body, trouble, notes)


_FORM_OPTIONS = ("form", "form-string", "data-urlencode")


def _build_body(
    options: Sequence[CurlOption], piped: QuotedText | None, variables: dict[str, QuotedText]
) -> tuple[QuotedText | None, str]:
    """The body of a request, or why it has none that can be read."""
    pieces = [option for option in options if option.name in (*DATA_OPTIONS, "data-urlencode")]
    if trouble := _describe_other_body(options, pieces):
        return None, trouble
    parts: list[QuotedText] = []
    for number, option in enumerate(pieces):
        given = _resolve_piece(option, piped, variables)
        if isinstance(given, str):
            return None, given
        if number and option.name != "json":
            parts.append(QuotedText("&", at=given.at, end=given.at))
        parts.append(given)
    body = join_texts(parts, "") if parts else None
    if body is None or not body.value.strip(BLANK_CHARACTERS):
        return None, NO_BODY
    if len(pieces) > 1 and not _is_json(body.value):
        return None, (
            f"The body is given in {len(pieces)} pieces. cURL joins them to one text with “&” before each new -d, and "
            f"that is no JSON: {shorten_value(body.value)}. Put all events into one body, or write --next and the "
            "address before each further body."
        )
    return body, ""


def _describe_other_body(options: Sequence[CurlOption], pieces: Sequence[CurlOption]) -> str:
    """Why a request sends something else than a body of JSON, in sentences; empty where it does not."""
    form = next((option for option in options if option.name in ("form", "form-string")), None)
    if form is not None:
        return (
            f"The command sends a form of several parts (multipart/form-data; -F {shorten_value(form.value)}). Events "
            "are taken as JSON that is the whole body: give it with --data-raw."
        )
    if any(option.name in ("get", "head") for option in options):
        if pieces:
            return (
                "With -G cURL puts what -d holds into the address and sends GET without a body. Events are posted as "
                "the body: leave -G out."
            )
        return NO_BODY
    encoded = next((option for option in pieces if option.name == "data-urlencode"), None)
    if encoded is not None:
        return (
            f"The command sends the field of a form (--data-urlencode {shorten_value(encoded.value)}): its signs are "
            "written as %7B%22 and so on. Events are taken as JSON that is the whole body: give it with --data-raw."
        )
    upload = next((option for option in options if option.name == "upload-file"), None)
    if upload is not None:
        return f"The command takes its body from the file {upload.value}, which is not here. Paste that, too."
    return ""


def _resolve_piece(option: CurlOption, piped: QuotedText | None, variables: dict[str, QuotedText]) -> QuotedText | str:
    """A piece of the body, or why it is not in the text, in sentences."""
    value = option.value
    if value.startswith("@") and option.name != "data-raw":
        if value == "@-" and piped is not None:
            return piped
        where = "what is piped into the command" if value == "@-" else f"the file {value[1:]}"
        return f"The command takes its body from {where}, which is not here. Paste that, too."
    variable = _VARIABLE.fullmatch(value)
    if variable is None:
        if _SUBSTITUTION.match(value):
            return f"The body is made by {shorten_value(value)} when the command runs. Paste what that gives."
        return option.word.cut(option.at)
    name = variable[1] or variable[2]
    return variables.get(name) or f"The body is in the variable {name}, which is not given here. Paste that, too."


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
    for index, word in enumerate(own[:end]):
        if word.operator and word.value == "<<<" and index + 1 < len(own):
            return own[index + 1]
    if any(word.operator and word.value in ("<<", "<<-") for word in own[:end]):
        return next((word for word in own[end:] if not word.operator), None)
    return None
