"""Pseudonyms: each identity gets another name, always the same, so that a case can be shared without identities."""

import hashlib
import hmac
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from intempt_core.contract import (
    BLANK_CHARACTERS,
    IDENTITY_FIELDS,
    INVISIBLE_CHARACTERS,
    Json,
    id_to_text,
    is_blank,
    is_placeholder,
)
from intempt_core.exports.escapes import fold_case, iterate_escapes

PERSONAL_FIELDS = (*IDENTITY_FIELDS, "anotherAccountId", "sessionId", "pageId")
"""The fields of an event whose values identify a person, or lead to one."""

PERSONAL_ATTRIBUTES = ("userAttributes", "accountAttributes")
"""The objects that describe a person (CONTRACT 1.4): every value in them gets a pseudonym."""

_MIN_LENGTH = 4  # a shorter value is part of other words by chance, and is replaced only where it is the whole text


def load_salt(folder: Path) -> bytes:
    """Load the secret of this console for its pseudonyms: made once, kept in a file that only its user can read."""
    file = folder / "pseudonyms.salt"
    try:
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return file.read_bytes()
    with os.fdopen(handle, "wb") as made:
        salt = os.urandom(32)
        made.write(salt)
    return salt


class Pseudonymizer:
    """Replaces the identities of some events by pseudonyms. Without the ``salt`` no pseudonym can be traced back.

    Placeholders are kept (CONTRACT 2.8): they identify no person, and are often what is wrong. So are white space
    around an id and invisible characters in it.
    """

    def __init__(self, salt: bytes, bodies: Iterator[Json]) -> None:
        self._salt = salt
        self._names: dict[str, str] = {}
        for body in bodies:
            for value in _iterate_identities(body):
                text = id_to_text(value)
                if text is not None and not is_blank(text) and not is_placeholder(text):
                    self._names.setdefault(text, self._pseudonym_of(text))
                    self._names.setdefault(
                        text.strip(BLANK_CHARACTERS), self._pseudonym_of(text.strip(BLANK_CHARACTERS))
                    )
        self._folded: dict[str, str] = {}  # every escaped form, case folded, and what replaces it
        lengths: dict[str, set[int]] = {}
        for text, name in self._names.items():
            if len(text) >= _MIN_LENGTH:
                for form, other in iterate_escapes(text, name):
                    folded = fold_case(form)
                    self._folded.setdefault(folded, other)
                    lengths.setdefault(folded[:_MIN_LENGTH], set()).add(len(folded))
        self._lengths = {start: sorted(found, reverse=True) for start, found in lengths.items()}

    def _pseudonym_of(self, text: str) -> str:
        core = text.strip(BLANK_CHARACTERS)
        at = text.index(core)
        unseen = "".join(char for char in core if char in INVISIBLE_CHARACTERS)
        plain = "".join(char for char in core if char not in INVISIBLE_CHARACTERS)
        digest = hmac.new(self._salt, plain.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        return f"{text[:at]}person-{digest[:10]}{unseen}{text[at + len(core) :]}"

    def replace_in_text(self, text: str) -> str:
        """Replace every identity in a text by its pseudonym, in every escaped form and any letter case.

        In one pass, the longest first, so that no pseudonym is changed again.
        """
        if text in self._names:
            return self._names[text]
        folded = fold_case(text)
        parts: list[str] = []
        done = at = 0
        while at <= len(text) - _MIN_LENGTH:
            end = self._find_end(folded, at)
            if end is None:
                at += 1
                continue
            parts += text[done:at], self._names.get(text[at:end], self._folded[folded[at:end]])
            done = at = end
        return "".join(parts) + text[done:]

    def _find_end(self, folded: str, at: int) -> int | None:
        """The end of the longest identity that begins here."""
        for length in self._lengths.get(folded[at : at + _MIN_LENGTH], ()):
            if folded[at : at + length] in self._folded:
                return at + length
        return None

    def replace_in_value(self, value: Json) -> Json:
        """Replace the identities in a JSON value; a number that is one becomes another number of as many digits."""
        if isinstance(value, Mapping):
            return {self.replace_in_text(str(key)): self.replace_in_value(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self.replace_in_value(member) for member in value]
        if isinstance(value, str):
            return self.replace_in_text(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and (id_to_text(value) or "") in self._names:
            digits = len(str(abs(int(value)))) if abs(value) < 1e300 else 10
            digest = hmac.new(self._salt, (id_to_text(value) or "").encode(), hashlib.sha256).hexdigest()
            return 10 ** (digits - 1) + int(digest, 16) % (9 * 10 ** (digits - 1))
        return value


def _iterate_identities(body: Json) -> Iterator[Json]:
    if isinstance(body, Mapping):
        yield from (body[field] for field in PERSONAL_FIELDS if field in body)
        for field in PERSONAL_ATTRIBUTES:
            yield from _iterate_leaves(body.get(field))


def _iterate_leaves(value: Json) -> Iterator[Json]:
    if isinstance(value, Mapping):
        for member in value.values():
            yield from _iterate_leaves(member)
    elif isinstance(value, list):
        for member in value:
            yield from _iterate_leaves(member)
    else:
        yield value
