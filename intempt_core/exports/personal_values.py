"""Where in a body the persons are: what each value of a document is, by the keys above it (CONTRACT 1.3, 1.4).

A key tells what its value is: an identity, an event's own field, a product's value, or something that describes a
person. What is none of the first three is the last.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from intempt_core.contract import EARLIEST_MS, IDENTITY_FIELDS, LATEST_MS, Json, id_to_text
from intempt_core.exports.person_patterns import MOMENT
from intempt_core.exports.plain_words import COUNT_KEYS, PERSON_KEYS, PRODUCT_ID_KEYS, PRODUCT_KEYS, normalize_key

PERSONAL_FIELDS = (*IDENTITY_FIELDS, "anotherAccountId", "sessionId", "pageId")
"""The fields of an event whose values identify a person, or lead to one."""

PERSONAL_ATTRIBUTES = ("userAttributes", "accountAttributes")
"""The objects that describe a person (CONTRACT 1.4): every value in them gets a pseudonym."""


class ValueKind(Enum):
    """What a value of a document is; of an object or a list, what its members are where no key says it."""

    ENVELOPE = auto()
    """The request, a group or an event."""
    IDENTITY = auto()
    EVENT_ID = auto()
    EVENT_NAME = auto()
    TIME = auto()
    DATA = auto()
    """The object ``data``, or one that the contract does not know; its scalars describe a person."""
    ATTRIBUTE = auto()
    """A person's attribute, and everything in it."""
    PRODUCT = auto()
    """A product's value, kept unless it holds what is a person's."""
    PRODUCT_ID = auto()
    KEPT = auto()
    """What was chosen to be kept, and everything in it."""
    RESPONSE = auto()
    """What a server says: texts and numbers of its own."""
    COUNT = auto()
    """A number of a server's own, such as a status."""


_EVENT_KINDS = {
    **dict.fromkeys(("track", "payload"), ValueKind.ENVELOPE),
    **dict.fromkeys(PERSONAL_FIELDS, ValueKind.IDENTITY),
    **dict.fromkeys(PERSONAL_ATTRIBUTES, ValueKind.ATTRIBUTE),
    "eventId": ValueKind.EVENT_ID,
    "timestamp": ValueKind.TIME,
    "data": ValueKind.DATA,
}
_PERSONAL_KEYS = frozenset(map(normalize_key, PERSONAL_FIELDS))
_DESCRIBING = frozenset({ValueKind.ATTRIBUTE, ValueKind.DATA, ValueKind.ENVELOPE})
_INHERITED = frozenset({ValueKind.ATTRIBUTE, ValueKind.IDENTITY, ValueKind.KEPT})


@dataclass(frozen=True, slots=True)
class PersonalValue:
    """A value of a document that is a person's.

    Attributes:
        value: A text or a number.
        is_identity: Whether it identifies the person, or leads there; otherwise it describes one.
    """

    value: Json
    is_identity: bool


def classify_member(kind: ValueKind, key: str, kept_keys: Collection[str]) -> ValueKind:
    """Classify the value at a key of an object of a kind."""
    if key in kept_keys and kind in (ValueKind.DATA, ValueKind.ATTRIBUTE):
        return ValueKind.KEPT
    if kind in _INHERITED:
        return kind
    if kind is ValueKind.ENVELOPE and key == "name":
        return ValueKind.EVENT_NAME
    if kind in (ValueKind.ENVELOPE, ValueKind.RESPONSE) and key in _EVENT_KINDS:
        found = _EVENT_KINDS[key]
        return kind if found in (ValueKind.ENVELOPE, ValueKind.DATA) and kind is ValueKind.RESPONSE else found
    return _classify_by_name(kind, normalize_key(key))


def _classify_by_name(kind: ValueKind, plain: str) -> ValueKind:
    """Classify a value whose key the contract does not know, by what the key usually means."""
    if plain in _PERSONAL_KEYS:
        return ValueKind.IDENTITY
    if plain in PRODUCT_KEYS:
        return ValueKind.PRODUCT_ID if plain in PRODUCT_ID_KEYS else ValueKind.PRODUCT
    if kind is not ValueKind.RESPONSE:
        return ValueKind.DATA
    if plain in PERSON_KEYS:
        return ValueKind.ATTRIBUTE
    return ValueKind.COUNT if plain in COUNT_KEYS else ValueKind.RESPONSE


def enter_object(kind: ValueKind) -> ValueKind:
    """The kind of an object that is the value of a key of a kind: a product's value may hold more than the product."""
    if kind in _INHERITED or kind in (ValueKind.ENVELOPE, ValueKind.RESPONSE):
        return kind
    return ValueKind.RESPONSE if kind is ValueKind.COUNT else ValueKind.DATA


def iterate_values(document: Json, kept_keys: Collection[str] = ()) -> Iterator[tuple[ValueKind, str, Json]]:
    """Iterate over the texts and numbers of a body, or of an event, with what each is and the last key above it."""
    waiting: list[tuple[ValueKind, str, Json]] = [(ValueKind.ENVELOPE, "", document)]
    while waiting:
        kind, above, value = waiting.pop()
        if isinstance(value, Mapping):
            inside = enter_object(kind)
            waiting += [
                (classify_member(inside, str(key), kept_keys), str(key), member) for key, member in value.items()
            ]
        elif isinstance(value, list):
            waiting += [(kind, above, member) for member in value]
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            yield kind, above, value


def iterate_personal_values(document: Json, kept_keys: Collection[str] = ()) -> Iterator[PersonalValue]:
    """Iterate over what identifies or describes the persons of a body, or of an event."""
    for kind, _, value in iterate_values(document, kept_keys):
        if kind is ValueKind.IDENTITY:
            yield PersonalValue(value, is_identity=True)
        elif kind in _DESCRIBING or (kind is ValueKind.TIME and isinstance(value, str) and not is_time_text(value)):
            yield PersonalValue(value, is_identity=False)


def read_all_values(text: str) -> Json:
    """Read a text that is JSON for what is in it: numbers are texts, a repeated key has the list of its values."""

    def merge(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        found: dict[str, list[Json]] = {}
        for key, value in pairs:
            found.setdefault(key, []).append(value)
        return {key: values if len(values) > 1 else values[0] for key, values in found.items()}

    return json.loads(text, object_pairs_hook=merge, parse_int=str, parse_float=str)


def iterate_product_ids(document: Json) -> Iterator[str]:
    """Iterate over the ids of products in a body, as texts."""
    for kind, _, value in iterate_values(document):
        if kind is ValueKind.PRODUCT_ID and (text := id_to_text(value)) is not None:
            yield text


def is_time_text(text: str) -> bool:
    """Whether a text is a time and nothing else: a moment, or epoch milliseconds in quotes."""
    return MOMENT.fullmatch(text.strip()) is not None or (
        text.isascii() and text.isdecimal() and EARLIEST_MS <= int(text) <= LATEST_MS
    )


def list_replaced_keys(document: Json) -> list[str]:
    """List the keys in data and attributes whose values are replaced, each once, in their order."""
    keys = [key for kind, key, _ in iterate_values(document) if kind in (ValueKind.DATA, ValueKind.ATTRIBUTE) and key]
    return list(dict.fromkeys(reversed(keys)))
