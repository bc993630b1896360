"""The search for a key in a text, in whatever form a server, a log or a tool has written it there (CONTRACT 1.5).

A list of written forms always lacks one: escapes can be mixed, nested and applied to some characters only. So the text
is read instead, as a browser or a shell would read it: escapes are resolved, several levels of them, and after each
level the plain forms are looked for without regard to letter case. Where a form was found is known in the text as it
was given, so that it can be masked there.
"""

import base64
import html
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

MIN_SECRET_CHARACTERS = 8
"""A shorter secret may be a plain word ("sandbox"), and words must stay readable: it is found with its prefix only."""

MAX_RESOLUTIONS = 16
"""How often escapes of one kind are resolved at the most: a JSON text inside a JSON text inside an address takes 3."""

LONGEST_ESCAPE = 12
"""Bytes that one character may take: ``\\\\u0041`` within JSON, in UTF-16."""

_BASE64_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
_TO_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, slots=True)
class KeyForm:
    """A form of a key to look for, in lower case.

    Attributes:
        text: The form.
        before: Characters of base64 before it in which the key may have its first bits.
        after: The same behind it.
    """

    text: str
    before: int = 0
    after: int = 0


class KeySearch:
    """The search for one key ``prefix.secret``.

    Attributes:
        longest_form: Bytes of the longest form: to be read beyond a limit, so that a key there is recognised.
    """

    __slots__ = ("__forms", "__shortest", "longest_form")

    def __init__(self, prefix: str, secret: str) -> None:
        forms = {form.text: form for form in _iterate_forms(prefix, secret)}
        self.__forms = sorted(forms.values(), key=lambda form: len(form.text), reverse=True)
        self.__shortest = min(len(form) for form in forms)
        self.longest_form = LONGEST_ESCAPE * max(len(form) for form in forms)

    def is_in(self, text: str) -> bool:
        """Whether a text holds the key in any form."""
        return next(self._iterate_spans(text, tracked=False), None) is not None

    def find_spans(self, text: str) -> list[tuple[int, int]]:
        """Where the key is in a text: spans that do not overlap, in their order."""
        if not self.is_in(text):  # quicker
            return []
        merged: list[tuple[int, int]] = []
        for start, end in sorted(self._iterate_spans(text, tracked=True)):
            if merged and start <= merged[-1][1]:
                merged[-1] = merged[-1][0], max(end, merged[-1][1])
            else:
                merged.append((start, end))
        return merged

    def _iterate_spans(self, text: str, *, tracked: bool) -> Iterator[tuple[int, int]]:
        """Where each form is; where not ``tracked``, only whether there is one, which takes less memory."""
        offsets: Sequence[int] | None = None  # of each character, and of the text's end, in the text as it was given
        if len(text) < self.__shortest:
            return
        yield from self._match_forms(text, None)
        for _ in range(MAX_RESOLUTIONS):
            for escape in ESCAPE_KINDS:
                if escape.sign not in text:
                    continue
                if tracked:
                    resolved, found_at = _resolve_tracked(text, escape, offsets)
                elif isinstance(escape.resolve, str):
                    resolved, found_at = text.replace(escape.sign, escape.resolve), None
                else:
                    resolved, found_at = escape.pattern.sub(escape.resolve, text), None
                if resolved != text:
                    text, offsets = resolved, found_at
                    yield from self._match_forms(text, offsets)
                    break  # and from the first kind again
            else:
                return

    def _match_forms(self, text: str, offsets: Sequence[int] | None) -> Iterator[tuple[int, int]]:
        folded = text.lower() if text.isascii() else text.translate(_TO_ASCII_LOWER)
        for form in self.__forms:
            at = folded.find(form.text)
            while at >= 0:
                start, end = _widen_span(text, form, at)
                yield (start, end) if offsets is None else (offsets[start], offsets[end])
                at = folded.find(form.text, at + 1)

    def __repr__(self) -> str:
        return "KeySearch(…)"


def _iterate_forms(prefix: str, secret: str) -> Iterator[KeyForm]:
    """The plain forms, in hexadecimal digits, and in base64 wherever in a longer text they were encoded."""
    long_secret = [secret] if len(secret) >= MIN_SECRET_CHARACTERS else []
    for plain in (f"{prefix}.{secret}", f"{prefix}:{secret}", *long_secret):
        yield KeyForm(plain.lower())
        yield KeyForm(plain.encode().hex())
        encoded = base64.b64encode(plain.encode()).decode()
        for alphabet in _write_alphabets(encoded):
            yield KeyForm(alphabet.lower())
        if len(plain) < MIN_SECRET_CHARACTERS:
            continue
        for shift in range(3):
            size = shift + len(plain)
            shifted = base64.b64encode(b"\0" * shift + plain.encode()).decode()
            whole = slice(-(-shift * 8 // 6), size * 8 // 6)  # the characters that hold bits of the key alone
            for alphabet in _write_alphabets(shifted[whole]):
                yield KeyForm(alphabet.lower(), before=min(shift, 1), after=min(size % 3, 1))


def _write_alphabets(encoded: str) -> Iterable[str]:
    return {encoded, encoded.replace("+", "-").replace("/", "_")}


def _widen_span(text: str, form: KeyForm, at: int) -> tuple[int, int]:
    """Where a form is, with the neighbours in base64 that hold bits of the key too, and what pads it."""
    start, end = at, at + len(form.text)
    if form.before and text[start - 1 : start] in _BASE64_CHARACTERS:
        start -= 1
    if form.after:
        end += text[end : end + 1] in _BASE64_CHARACTERS
        while text[end : end + 1] == "=":
            end += 1
    return start, end


def _resolve_tracked(
    text: str, escape: "EscapeKind", offsets: Sequence[int] | None
) -> tuple[str, Sequence[int] | None]:
    """A text with the escapes of one kind resolved, and the offset of each of its characters.

    ``offsets`` are those of ``text``; ``None`` where it is the text as it was given.
    """
    if offsets is None:
        offsets = range(len(text) + 1)
    pieces: list[str] = []
    places: list[int] = []
    done = 0
    for found in escape.pattern.finditer(text):
        resolved = escape.resolve if isinstance(escape.resolve, str) else escape.resolve(found)
        pieces += text[done : found.start()], resolved
        places += offsets[done : found.start()]
        places += [offsets[found.start()]] * len(resolved)
        done = found.end()
    pieces.append(text[done:])
    places += offsets[done:]
    return "".join(pieces), places


# ── escapes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class EscapeKind:
    """A kind of escapes.

    Attributes:
        sign: What is in every text that has one.
        pattern: Matches one.
        resolve: What one stands for: a text, where the sign is all there is, or what a function makes of it.
    """

    sign: str
    pattern: "re.Pattern[str]"
    resolve: "str | Callable[[re.Match[str]], str]"


def _read_number(digits: str, base: int, instead: str) -> str:
    number = int(digits, base)
    return chr(number) if number <= 0x10FFFF else instead


def _resolve_percent(found: "re.Match[str]") -> str:
    return _read_number(found[1] or found[2], 16, found[0])


def _resolve_entity(found: "re.Match[str]") -> str:
    character = html.unescape(found[0])
    return character if len(character) == 1 else found[0]


def _resolve_backslash(found: "re.Match[str]") -> str:
    if digits := found[1] or found[2] or found[3]:
        return _read_number(digits, 16, found[0])
    return _read_number(found[4], 8, found[0]) if found[4] else found[5] or ""


# A kind comes before those that could be confused by its signs: \%41 is a percent escape behind a backslash.
ESCAPE_KINDS = (
    EscapeKind("\0", re.compile("\0"), ""),  # UTF-16
    EscapeKind("%", re.compile("%(?:u([0-9a-f]{4})|([0-9a-f]{2}))", re.IGNORECASE), _resolve_percent),
    EscapeKind("&", re.compile("&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8});", re.IGNORECASE), _resolve_entity),
    *(
        EscapeKind(sign, re.compile(re.escape(sign)), "") for sign in ("\r", "\\\n", "^\n", "\n")
    ),  # long lines that were broken
    EscapeKind("^", re.compile(r"\^([!-~])"), lambda found: str(found[1])),
    EscapeKind(
        "\\",
        re.compile(
            r"\\(?:u\{([0-9a-f]{1,6})\}|u([0-9a-f]{4})|x([0-9a-f]{2})|([0-7]{3})|([!-/:-@\[-`{-~])|[rn])", re.IGNORECASE
        ),
        _resolve_backslash,
    ),
)
"""The kinds of escapes, in the order in which they are resolved."""
