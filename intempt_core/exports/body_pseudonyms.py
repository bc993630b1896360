"""A body of JSON rewritten with pseudonyms, value by value where it stands.

Everything else stays to the letter: order, white space, repeated keys, how a number is written. So the problems of the
body are those that it had.
"""

import json
import re
from collections.abc import Collection

from intempt_core.contract import EARLIEST_MS, LATEST_MS, OPEN_FIELDS, PLAIN_FIELDS, is_event_name
from intempt_core.exports.personal_values import ValueKind, classify_member, enter_object, is_time_text
from intempt_core.exports.plain_words import PRODUCT_KEYS, normalize_key
from intempt_core.exports.pseudonyms import Pseudonymizer
from intempt_core.readers import JsonText

_PART = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_NUMBER = re.compile(r"-?[0-9]")
_MAX_COUNT_CHARACTERS = 6
_MAX_PRICE_DIGITS = 9  # a longer number is none of a price or a quantity
_EVENT_KEYS = frozenset(("track", "payload", "name", *PLAIN_FIELDS, *OPEN_FIELDS))


def rewrite_body(text: str, names: Pseudonymizer, kept_keys: Collection[str] = ()) -> str:
    """Rewrite the body of a request. Raises :class:`~intempt_core.errors.ReadError` where it is no JSON."""
    return _BodyRewriter(names, kept_keys, ValueKind.ENVELOPE).rewrite(text)


def rewrite_response(text: str, names: Pseudonymizer) -> str:
    """Rewrite a server's response that is JSON. Raises :class:`~intempt_core.errors.ReadError` where it is none."""
    return _BodyRewriter(names, (), ValueKind.RESPONSE).rewrite(text)


class _BodyRewriter:
    """Goes through the parts of a text that is JSON, and keeps what each bracket above is."""

    def __init__(self, names: Pseudonymizer, kept_keys: Collection[str], root: ValueKind) -> None:
        self._names = names
        self._kept_keys = kept_keys
        self._root = root

    def rewrite(self, text: str) -> str:
        JsonText(text)  # raises where it is none; what follows trusts it
        parts: list[str] = []
        done = 0
        above: list[tuple[bool, ValueKind]] = []  # whether it is an object, and what its members are
        kind, is_key = self._root, False
        for found in _PART.finditer(text):
            part = found[0]
            if part in "{[":
                is_object = part == "{"
                above.append((is_object, enter_object(kind) if is_object else kind))
                kind, is_key = above[-1][1], is_object
            elif part in "}]":
                above.pop()
            elif part == ",":
                is_key, kind = above[-1]
            elif part == ":":
                is_key = False
            else:
                parts.append(text[done : found.start()])
                done = found.end()
                if is_key:
                    key = json.loads(part)
                    parts.append(self._rewrite_key(above[-1][1], key, part))
                    kind = classify_member(above[-1][1], key, self._kept_keys)
                else:
                    parts.append(self._rewrite_scalar(kind, part))
        return "".join(parts) + text[done:]

    def _rewrite_key(self, kind: ValueKind, key: str, token: str) -> str:
        is_product_key = key.isascii() and key.replace("_", "").isalnum() and normalize_key(key) in PRODUCT_KEYS
        if kind is ValueKind.KEPT or key in self._kept_keys or key in _EVENT_KEYS or is_product_key:
            return token
        return _write_text(self._names.replace_in_text(key), key, token)

    def _rewrite_scalar(self, kind: ValueKind, token: str) -> str:
        if token[0] == '"':
            text = json.loads(token)
            return _write_text(self._replace_text(kind, text), text, token)
        return self._replace_number(kind, token) if _NUMBER.match(token) else token

    def _replace_text(self, kind: ValueKind, text: str) -> str:
        match kind:
            case ValueKind.KEPT:
                return text
            case ValueKind.IDENTITY:
                return self._names.replace_identity(text)
            case ValueKind.EVENT_ID:
                return self._names.replace_in_event_id(text)
            case ValueKind.EVENT_NAME:
                return text if is_event_name(text) else self._names.replace_in_text(text)
            case ValueKind.TIME:
                return text if is_time_text(text) else self._names.replace_whole(text)
            case ValueKind.PRODUCT | ValueKind.PRODUCT_ID:
                return self._names.replace_persons(text)
            case ValueKind.RESPONSE | ValueKind.COUNT:
                return self._names.replace_in_text(text)
            case _:
                return self._names.replace_whole(text)

    def _replace_number(self, kind: ValueKind, token: str) -> str:
        match kind:
            case ValueKind.KEPT:
                return token
            case ValueKind.TIME:
                return self._replace_time(token)
            case ValueKind.PRODUCT if len(token.partition(".")[0]) > _MAX_PRICE_DIGITS:
                return self._names.replace_number(token)
            case ValueKind.PRODUCT | ValueKind.PRODUCT_ID:
                return self._names.replace_number(token) if self._names.knows_number(token) else token
            case ValueKind.COUNT if len(token) <= _MAX_COUNT_CHARACTERS and not self._names.knows_number(token):
                return token
            case _:
                return self._names.replace_number(token)

    def _replace_time(self, token: str) -> str:
        """A time that can be one is kept; another number becomes one that is wrong in the same way (CONTRACT 2.7)."""
        if self._names.knows_number(token) or not token.isdecimal():
            return self._names.replace_number(token)
        if EARLIEST_MS <= int(token) <= LATEST_MS:
            return token
        for low, high in _WRONG_TIMES:
            if low <= int(token) < high:
                shortest, longest = max(low, 10 ** (len(token) - 1)), min(high, 10 ** len(token))
                return str(self._names.draw_number(token, shortest, longest))
        return self._names.replace_number(token)


_WRONG_TIMES = (  # seconds, milliseconds before 2010, after 2040, microseconds, and what is between them
    (0, -(-EARLIEST_MS // 1000)),
    (-(-EARLIEST_MS // 1000), LATEST_MS // 1000 + 1),
    (LATEST_MS // 1000 + 1, EARLIEST_MS),
    (LATEST_MS + 1, EARLIEST_MS * 1000),
    (EARLIEST_MS * 1000, (LATEST_MS + 1) * 1000),
    ((LATEST_MS + 1) * 1000, 10**18),
)


def _write_text(text: str, before: str, token: str) -> str:
    """A text as a token of JSON; one that has not changed stays as it was written."""
    return token if text == before else json.dumps(text, ensure_ascii=token.isascii() or _has_half_character(text))


def _has_half_character(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)
