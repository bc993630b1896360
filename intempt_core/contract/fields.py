"""Fields of an event: their names and types, what counts as given, as an id or as a time, and the bounds.

Everything that reads, maps or generates events takes its fields from here (CONTRACT 1.4, 2).
"""

import time
from collections.abc import Iterable, Mapping
from enum import Enum, StrEnum
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""A JSON value as Python has it. Any: it comes from outside and may be anything."""


class EventName(StrEnum):
    """The names of events that recommendations know, exactly as the wire has them (CONTRACT 2.1)."""

    VIEWED = "Product viewed"
    ADDED = "Added to cart"
    REMOVED = "Removed from cart"
    ORDERED = "Product ordered"


def spell_number(number: int) -> str:
    """A small number as a word, a larger one in digits."""
    words = "zero one two three four five six seven eight nine ten eleven twelve".split()
    return words[number] if number < len(words) else str(number)


def join_words(words: Iterable[str], last: str = "and") -> str:
    """Words as a sentence lists them: ``a, b and c``."""
    *before, end = words
    return f"{', '.join(before)} {last} {end}" if before else end


EVENT_COUNT = spell_number(len(EventName))
"""How many event names there are, as a word."""


EVENT_EFFECTS: dict[EventName, str] = {
    EventName.VIEWED: "Puts the product into Recently Viewed and feeds the view-based models.",  # CONTRACT 4.1
    EventName.ADDED: "Puts the product into Recently Added to Cart and feeds the cart logic.",  # CONTRACT 4.2
    EventName.REMOVED: "Takes the product out of Recently Added to Cart; a later add shows it again.",  # CONTRACT 4.3
    # CONTRACT 4.4
    EventName.ORDERED: "Feeds purchase-based models, conversion tracking and post-purchase recommendations.",
}
"""What each event drives, in one line."""


IDENTITY_FIELDS = ("profileId", "userId", "anotherUserId", "accountId")
"""The identity fields (CONTRACT 2.3); any one of them is enough."""


LINKING_FIELDS = ("profileId", "userId", "anotherUserId")
"""The identities that link events to one person (ARCHITECTURE, person); ``accountId`` only where it is the sole one."""


class FieldType(Enum):
    """What a field holds, and the Python types of the JSON value that is meant.

    Attributes:
        json_types: A value of one of these is written as text and read back without loss; any other has to be looked at
            as it came.
    """

    ID = "an opaque id: text", (str,)
    TIME = "epoch milliseconds: a whole number", (int,)

    def __init__(self, meaning: str, json_types: tuple[type, ...]) -> None:
        self.meaning, self.json_types = meaning, json_types


EVENT_FIELDS: dict[str, FieldType] = {
    "eventId": FieldType.ID,
    **dict.fromkeys(IDENTITY_FIELDS, FieldType.ID),
    "anotherAccountId": FieldType.ID,
    "sessionId": FieldType.ID,
    "pageId": FieldType.ID,
    "timestamp": FieldType.TIME,
    "data.productId": FieldType.ID,
}
"""Every field of an event that a rule reads, as a dotted path inside it, in the order in which issues are listed.

What reads, maps or generates events takes its fields from here. The model in ``model.py`` names the same ones.
"""


ID_FIELDS = tuple(field for field, kind in EVENT_FIELDS.items() if kind is FieldType.ID)
"""Every field that holds an opaque id (CONTRACT 1.4, 2.8), as a dotted path inside the event."""


PLAIN_FIELDS = tuple(field for field in EVENT_FIELDS if "." not in field)
"""The fields of an event that are single values beside ``data`` (CONTRACT 1.4)."""


OPEN_FIELDS = ("data", "userAttributes", "accountAttributes")
"""The objects inside an event that take further keys (CONTRACT 1.4)."""


EARLIEST_MS = 1_262_304_000_000
"""2010-01-01T00:00:00Z in epoch milliseconds: an earlier time has the request rejected (CONTRACT 2.7)."""


LATEST_MS = 2_210_457_600_000
"""2040-01-18T00:00:00Z in epoch milliseconds: a later time is silently replaced (CONTRACT 2.7)."""


_INVISIBLE_RANGES = (range(0x20), range(0x7F, 0xA0), (0xAD, 0x180E), range(0x200B, 0x2010), range(0x2028, 0x202F),
           range(0x2060, 0x2065), range(0x2066, 0x206A), (0xFEFF,))  # fmt: skip


INVISIBLE_CHARACTERS = "".join(chr(point) for points in _INVISIBLE_RANGES for point in points)
"""Invisible characters: controls, zero-width ones, direction marks, the byte order mark."""


BLANK_CHARACTERS = INVISIBLE_CHARACTERS + " \u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""White space and invisible characters. A value of nothing else is blank, and blank counts as missing."""


def now_ms() -> int:
    """Read the machine's clock as epoch milliseconds, the unit of every time here (CONTRACT 2.7)."""
    return time.time_ns() // 1_000_000


def is_blank(text: str) -> bool:
    """Whether a text holds nothing visible; it then counts as missing."""
    return not "!" <= text[:1] <= "~" and not text.strip(BLANK_CHARACTERS)  # the first question is much faster


def is_event_name(value: Json) -> bool:
    """Whether a value is one of :class:`EventName`, to the letter (CONTRACT 2.1)."""
    return isinstance(value, str) and value in EventName._value2member_map_


def is_given(value: Json) -> bool:
    """Whether a field's value counts as given: neither absent, nor null, nor blank text."""
    return value is not None and not (isinstance(value, str) and is_blank(value))


def id_to_text(value: Json) -> str | None:
    """Read an id as text: text as it is, a JSON number as Python writes it, anything else (or nothing) as ``None``."""
    if isinstance(value, str):
        return None if is_blank(value) else value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _format_number(value)
    return None


def read_epoch_ms(value: Json) -> int | None:
    """Read a time as it is on the wire: a whole JSON number. Anything else is ``None`` (CONTRACT 2.7)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None


def get_field(event: Json, field: str) -> Json:
    """Get the value at a dotted path (``data.productId``) of an event, ``None`` where there is none."""
    for step in field.split("."):
        if type(event) is not dict and not isinstance(event, Mapping):  # the first question is much faster
            return None
        event = event.get(step)
    return event


def _format_number(value: float) -> str:
    try:
        return str(value)
    except ValueError:  # Python refuses to write an integer of more than 4,300 digits
        return hex(int(value))


MASK = "••••"
"""What is shown in place of a secret."""
