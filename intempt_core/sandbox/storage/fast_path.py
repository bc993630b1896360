"""Received events as columns, and the fast check that nearly all of them pass.

They are kept field by field: a check of fifty values takes little longer than of one, and a few long columns take less
memory than many short rows.
"""

from collections.abc import Iterable, Sequence, Set
from itertools import chain
from typing import NamedTuple

from intempt_core.contract import (
    EARLIEST_MS,
    EVENT_FIELDS,
    ID_FIELDS,
    IDENTITY_FIELDS,
    LATEST_MS,
    Json,
    dump_json,
    get_field,
    is_event_name,
)


class IncomingEvent(NamedTuple):
    """One event as it was received.

    Attributes:
        name: The event's name, ``None`` where it has none.
        event_id: The event's id.
        profile_id: The profile's id.
        user_id: The user's id.
        another_user_id: The other user's id.
        account_id: The account's id.
        product_id: The product's id.
        time: Its own time in epoch milliseconds, ``None`` where none was given.
        line: Whether it is a line of an order whose lines share an event id (CONTRACT 2.9).
        codes: The codes of its issues, separated by spaces.
        because: Why it is not processed; empty where nothing is wrong with the event itself.
        body: The event as JSON.
    """

    name: str | None
    event_id: str | None
    profile_id: str | None
    user_id: str | None
    another_user_id: str | None
    account_id: str | None
    product_id: str | None
    time: int | None
    line: bool
    codes: str
    because: str
    body: str


class EventColumns(NamedTuple):
    """Events as columns: the fields of :class:`IncomingEvent`, each with one value for every event."""

    name: Sequence[str | None]
    event_id: Sequence[str | None]
    profile_id: Sequence[str | None]
    user_id: Sequence[str | None]
    another_user_id: Sequence[str | None]
    account_id: Sequence[str | None]
    product_id: Sequence[str | None]
    time: Sequence[int | None]
    line: Sequence[bool]
    codes: Sequence[str]
    because: Sequence[str]
    body: Sequence[str]

    @property
    def event_count(self) -> int:
        """How many events there are."""
        return len(self.body)

    def to_rows(self) -> list[IncomingEvent]:
        """The events one by one."""
        return list(map(IncomingEvent._make, zip(*self, strict=True)))


def wrap_event(event: IncomingEvent) -> EventColumns:
    """Make columns of one event."""
    return EventColumns._make((value,) for value in event)


def concat_events(parts: Iterable[EventColumns]) -> EventColumns:
    """Concatenate events, in their order."""
    found = tuple(parts)
    if len(found) == 1:
        return found[0]
    return (
        EventColumns._make(list(chain.from_iterable(fields)) for fields in zip(*found, strict=True))
        if found
        else NO_EVENTS
    )


NO_EVENTS = EventColumns._make([()] * len(IncomingEvent._fields))
"""No event."""

_PLAIN_IDS = frozenset(field for field in ID_FIELDS if "." not in field)
_OTHER_FIELDS = EVENT_FIELDS.keys() - _PLAIN_IDS - {"timestamp", "data.productId"}
"""Fields that rules read and that are not checked here: an event that has one is checked by the rules."""


def try_fast_path(name: Json, payload: Sequence[Json], shared: Set[str]) -> EventColumns | None:
    """Read the events of a payload where nothing is unusual about any; ``None`` where the rules have to decide.

    ``shared`` are the event ids that lines of one order share. A property test holds that the rules accept them too.
    """
    if type(name) is not str or not is_event_name(name):
        return None
    bodies = [body for body in payload if type(body) is dict]
    data = [part for body in bodies if type(part := body.get("data")) is dict]
    if not len(payload) == len(bodies) == len(data) > 0:
        return None
    nothing: list[Json] = [None] * len(bodies)
    given = set[str]().union(*bodies)
    ids = {field: [body.get(field) for body in bodies] for field in _PLAIN_IDS if field in given}
    persons = [ids.get(by, nothing) for by in IDENTITY_FIELDS]
    times = [body.get("timestamp") for body in bodies] if "timestamp" in given else nothing
    products = [part.get("productId") for part in data]
    if None in products or None in ids.get("eventId", nothing) or not all(map(any, zip(*persons, strict=True))):
        return None
    if _OTHER_FIELDS and any(get_field(body, field) is not None for body in bodies for field in _OTHER_FIELDS):
        return None
    if not (_are_plain_texts(products) and all(map(_are_plain_texts, ids.values())) and _are_allowed_times(times)):
        return None
    lines = [one in shared for one in ids["eventId"]] if shared else [False] * len(bodies)
    usual, texts = [""] * len(bodies), [dump_json(body).decode() for body in bodies]
    named = [name] * len(bodies)
    return EventColumns._make([named, ids["eventId"], *persons, products, times, lines, usual, usual, texts])


def _are_plain_texts(values: Sequence[Json]) -> bool:
    """Whether all given values are texts with which nothing can be wrong."""
    kinds = set(map(type, values))
    if kinds == {type(None)}:
        return True
    if not kinds <= {str, type(None)}:
        return False
    texts = values if len(kinds) == 1 else [value for value in values if value is not None]
    # What begins with a letter or digit is not blank; what is ASCII has no half of a surrogate pair.
    first = "".join([text[:1] for text in texts])
    return len(first) == len(texts) and first.isalnum() and "".join(texts).isascii()


def _are_allowed_times(values: Sequence[Json]) -> bool:
    """Whether all times that are given are whole milliseconds of the allowed years (CONTRACT 2.7)."""
    times = [value for value in values if value is not None]
    return not times or (set(map(type, times)) == {int} and EARLIEST_MS <= min(times) <= max(times) <= LATEST_MS)
