"""A journey and its file form, which screens export and import, git keeps, and the command line sends.

::

    {"name": "Added, then ordered",
     "person": {"userId": "user_123"},
     "product": {"data.productId": "SKU_987", "data.price": 12.5},
     "events": [{"name": "Added to cart"},
                {"name": "Product ordered", "set": {"data.price": 11.0}}]}

The names in ``person``, ``product`` and ``set`` are those of an event's fields, as a mapping and ``--set`` have them:
``userId``; ``data.price`` is the key ``price`` inside ``data``; ``data`` is all of it. In ``product``, a name that is
no field of an event (``productId``) is one inside ``data``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from intempt_core.contract import (
    BLANK_CHARACTERS,
    OPEN_FIELDS,
    PLAIN_FIELDS,
    EventName,
    Json,
    dump_json,
    format_count,
    format_given,
    is_blank,
    join_words,
    shorten_value,
    spell_invisible,
    suggest_nearest,
)
from intempt_core.errors import JourneyError, ReadError
from intempt_core.readers import JsonText, parse_exactly

MAX_JOURNEY_EVENTS = 50
"""Events of a journey: what the form of Compose takes, and one request."""

MAX_JOURNEY_BYTES = 1_000_000
"""Bytes of a journey's file."""

JOURNEY_NAME_LENGTH = 80
"""Characters of a journey's name."""

MAX_JOURNEYS = 1_000
"""Journeys that are kept at once."""

_KEYS = ("name", "person", "product", "events")
_EVENT_KEYS = ("name", "set")
_NAME_FORM = "A journey's name is text without white space around it, such as “Added, then ordered”."
_EMPTY: Mapping[str, Json] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class JourneyEvent:
    """One event of a journey.

    Attributes:
        name: Its name, such as ``Added to cart``.
        values: What it has otherwise than the journey's person and product, by field.
    """

    name: str
    values: Mapping[str, Json] = field(default_factory=lambda: _EMPTY, hash=False)


@dataclass(frozen=True, slots=True)
class Journey:
    """A sequence of events of one person with one product.

    Attributes:
        name: Under which it is kept.
        events: The events, in their order.
        person: The values that every event has of its person, by field; an event's own values win.
        product: The same of the product; these win over the person's.
    """

    name: str
    events: Sequence[JourneyEvent]
    person: Mapping[str, Json] = field(default_factory=lambda: _EMPTY, hash=False)
    product: Mapping[str, Json] = field(default_factory=lambda: _EMPTY, hash=False)


def parse_journey(text: str, name: str = "") -> Journey:
    """Read a journey from its file form; ``name`` is taken where it has none.

    Raises :class:`JourneyError` with a sentence that says where, what was given, what is allowed and how to fix it.
    """
    given = _load_json(text)
    _check_object(given, "The journey", _KEYS)
    events = given.get("events")
    if not isinstance(events, list):
        raise JourneyError(
            f"events: {_describe(events)} is no list. It takes a list such as [{{“name”: “{EventName.VIEWED}”}}]."
        )
    name = given.get("name", name)
    if not isinstance(name, str):
        raise JourneyError(f"name: {_describe(name)} is no name. {_NAME_FORM}")
    product = _read_values(given, "product", "product")
    journey = Journey(
        name,
        tuple(_read_event(event, f"events[{number}]") for number, event in enumerate(events)),
        _read_values(given, "person", "person"),
        {_place_in_product(key): value for key, value in product.items()},
    )
    check_journey(journey)
    return journey


def read_journey_file(file: Path) -> Journey:
    """Read a journey's file; a journey without a name has that of the file. Raises :class:`JourneyError`."""
    try:
        size = file.stat().st_size
        if size > MAX_JOURNEY_BYTES:
            raise JourneyError(f"{file} has {size:,} bytes; a journey has up to {MAX_JOURNEY_BYTES:,}.")
        text = file.read_text("utf-8-sig")
    except OSError as error:
        raise JourneyError(f"The journey {file} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise JourneyError(f"The journey {file} is not UTF-8 (byte {error.start:,}). Save it as UTF-8.") from error
    try:
        return parse_journey(text, file.stem)
    except JourneyError as error:
        raise JourneyError(f"{file.name}: {error}") from error


def write_journey(journey: Journey) -> str:
    """Write a journey in its file form, with every digit of its numbers."""
    written: dict[str, Json] = {"name": journey.name}
    written |= {key: dict(given) for key in ("person", "product") if (given := getattr(journey, key))}
    written["events"] = [
        {"name": event.name} | ({"set": dict(event.values)} if event.values else {}) for event in journey.events
    ]
    return dump_json(written, indent=True).decode() + "\n"


def check_journey(journey: Journey) -> None:
    """Raise :class:`JourneyError` where a name or a number of events is not allowed."""
    name = journey.name
    if is_blank(name) or name != name.strip():
        raise JourneyError(f"name: {_describe(name)} is no name. {_NAME_FORM}")
    if len(name) > JOURNEY_NAME_LENGTH or not name.isprintable():
        raise JourneyError(
            f"name: “{spell_invisible(shorten_value(name))}” is no name. It takes up to {JOURNEY_NAME_LENGTH}"
            " characters that can be seen."
        )
    count = len(journey.events)
    if not 1 <= count <= MAX_JOURNEY_EVENTS:
        what = "There is no event" if not count else f"There are {format_count(count, 'event')}"
        raise JourneyError(f"events: {what}. A journey has from 1 to {MAX_JOURNEY_EVENTS}.")


def split_field(name: str) -> tuple[str, str | None]:
    """The object inside an event and the key in it (``data.price``), or the event's own key and ``None``.

    One level, as in a mapping: ``data.price.net`` is the key ``price.net``.
    """
    head, dot, key = name.partition(".")
    return (head, key) if dot and head in OPEN_FIELDS else (name, None)


def _place_in_product(name: str) -> str:
    is_own = split_field(name)[1] is not None or name in PLAIN_FIELDS or name in OPEN_FIELDS
    return name if is_own else f"data.{name}"


def _load_json(text: str) -> Json:
    if is_blank(text):
        raise JourneyError("The journey is empty. It takes JSON such as the page docs/command-line.md has.")
    if len(text) > MAX_JOURNEY_BYTES:
        raise JourneyError(f"The journey has {len(text):,} characters; it takes up to {MAX_JOURNEY_BYTES:,}.")
    try:
        document = JsonText(text)
    except ReadError as error:
        raise JourneyError(f"The journey is no JSON. {error}") from error
    for odd in document.oddities():
        if odd.code == "key_repeated":
            raise JourneyError(f"The key “{shorten_value(odd.given)}” is twice in one object. Remove one of them.")
    return parse_exactly(text.strip(BLANK_CHARACTERS).encode("utf-8", "surrogatepass"))


def _read_event(given: Json, where: str) -> JourneyEvent:
    _check_object(given, where, _EVENT_KEYS)
    name = given.get("name")
    if not isinstance(name, str) or is_blank(name):
        raise JourneyError(f"{where}.name: {_describe(name)} is no name. It takes {join_words(EventName, 'or')}.")
    return JourneyEvent(name, _read_values(given, "set", f"{where}.set"))


def _read_values(given: Mapping[str, Json], key: str, where: str) -> dict[str, Json]:
    values = given.get(key, {})
    if not isinstance(values, dict):
        raise JourneyError(
            f"{where}: {_describe(values)} is no object. It takes fields and their values, such as"
            " {“data.productId”: “SKU_987”}."
        )
    if "name" in values:
        raise JourneyError(f"{where}: the name of an event is no field. Write it as “name” beside “set”.")
    return values


def _check_object(given: Json, where: str, keys: Sequence[str]) -> None:
    if not isinstance(given, dict):
        raise JourneyError(f"{where}: {_describe(given)} is no object. It takes one with {join_words(keys)}.")
    for key in given:
        if key not in keys:
            raise JourneyError(
                f"{where} has a key “{shorten_value(spell_invisible(key))}”. {suggest_nearest(key, keys)}"
            )


def _describe(value: Json) -> str:
    """A given value for a sentence."""
    if value is None:
        return "what is missing"
    return f"“{format_given(value)}”"
