"""A journey becomes events, whose ids and times are made at each send; and events become a journey."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from uuid import uuid4

from intempt_core.contract import IDENTITY_FIELDS, OPEN_FIELDS, Json, dump_json, format_given, is_blank
from intempt_core.errors import JourneyError
from intempt_core.journeys.model import Journey, JourneyEvent, check_journey, split_field

EVENT_ID_FIELD = "eventId"
"""The field of the id that is made at each send, unless an event has one of its own."""

TIME_FIELD = "timestamp"
"""The field of the time that is made at each send, unless an event has one of its own."""

_PRODUCT_FIELD = "data.productId"


def build_journey_events(
    journey: Journey, sets: Mapping[str, Json], now: int, make_id: Callable[[], str] = lambda: uuid4().hex
) -> list[tuple[str, dict[str, Json]]]:
    """The events of a journey, as (name, event) pairs in their order.

    ``sets`` are values for this send by field, which win over the person's and the product's; an event's own values win
    over all. The last event is at ``now`` (epoch milliseconds), each one before it a millisecond earlier, so that their
    times are in their order too.
    """
    first = now - len(journey.events) + 1
    return [
        (event.name, _build_event(journey, sets, event, {EVENT_ID_FIELD: make_id(), TIME_FIELD: first + number}))
        for number, event in enumerate(journey.events)
    ]


def find_own_values(journey: Journey, sets: Mapping[str, Json]) -> dict[str, list[int]]:
    """Fields of ``sets`` that events say themselves, so that these do not take them: the events' numbers, from 1."""
    found: dict[str, list[int]] = {}
    for number, event in enumerate(journey.events, 1):
        for name in sets:
            if name in event.values or split_field(name)[0] in event.values:
                found.setdefault(name, []).append(number)
    return found


def make_journey(name: str, events: Iterable[tuple[Json, Json]]) -> Journey:
    """A journey of (name, event) pairs that were sent or composed; their ids and times are left out.

    Identities, the product's id and what all events have of it are said once. Raises :class:`JourneyError` where a pair
    cannot be an event of a journey, and where the name is none.
    """
    pairs = [_read_pair(number, *pair) for number, pair in enumerate(events, 1)]
    flat = [_flatten_event(number, body) for number, (_, body) in enumerate(pairs, 1)]
    shared = _find_shared(flat)
    journey = Journey(
        name,
        tuple(
            JourneyEvent(event, {field: value for field, value in values.items() if not _is_same(shared, field, value)})
            for (event, _), values in zip(pairs, flat, strict=True)
        ),
        {field: value for field, value in shared.items() if field in IDENTITY_FIELDS},
        {field: value for field, value in shared.items() if field not in IDENTITY_FIELDS},
    )
    check_journey(journey)
    return journey


def _build_event(
    journey: Journey, sets: Mapping[str, Json], event: JourneyEvent, made: Mapping[str, Json]
) -> dict[str, Json]:
    body: dict[str, Json] = {}
    for values in (made, journey.person, journey.product, sets, event.values):
        for name, value in values.items():
            inside, key = split_field(name)
            if key is None:
                body[name] = value
            else:
                there = body.get(inside)
                body[inside] = {**(there if isinstance(there, Mapping) else {}), key: value}
    return {**{key: value for key, value in body.items() if key not in OPEN_FIELDS}, **_pick_open_fields(body)}


def _pick_open_fields(body: Mapping[str, Json]) -> dict[str, Json]:
    return {key: body[key] for key in OPEN_FIELDS if key in body}


def _read_pair(number: int, name: Json, body: Json) -> tuple[str, Mapping[str, Json]]:
    if not isinstance(name, str) or is_blank(name):
        raise JourneyError(f"Event {number}: its name is {_describe(name)}. A journey's events have names.")
    if not isinstance(body, Mapping):
        raise JourneyError(f"Event {number} is {_describe(body)}. A journey's events are objects.")
    return name, body


def _flatten_event(number: int, body: Mapping[str, Json]) -> dict[str, Json]:
    """An event's values by field, without what is made at each send."""
    flat: dict[str, Json] = {}
    for key, value in body.items():
        if split_field(key)[1] is not None or key == "name":
            raise JourneyError(
                f"Event {number} has the key “{key}” itself, which a journey reads as something else. Remove it there."
            )
        if key in (EVENT_ID_FIELD, TIME_FIELD):
            continue
        if key in OPEN_FIELDS and isinstance(value, Mapping) and value:
            flat |= {f"{key}.{inside}": item for inside, item in value.items()}
        else:
            flat[key] = value
    return flat


def _find_shared(events: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    """What is said once: identities and the product's id that all events have, and what else of it is the same in all.

    Of an identity or a product id that is not the same in all, the one that most events have.
    """
    shared: dict[str, Json] = {}
    for name in dict.fromkeys(name for event in events for name in event):
        if name not in IDENTITY_FIELDS and not name.startswith("data."):
            continue
        written = Counter(_write_value(event[name]) for event in events if name in event)
        common, count = written.most_common(1)[0]
        is_main = name in IDENTITY_FIELDS or name == _PRODUCT_FIELD
        if written.total() == len(events) and (is_main or count == len(events)):
            shared[name] = next(event[name] for event in events if _write_value(event[name]) == common)
    return shared


def _is_same(shared: Mapping[str, Json], field: str, value: Json) -> bool:
    return field in shared and _write_value(shared[field]) == _write_value(value)


def _write_value(value: Json) -> bytes:
    """A value as it is sent, by which two are compared: ``1``, ``1.0`` and ``true`` differ."""
    return dump_json(value)


def _describe(value: Json) -> str:
    return "missing" if value is None else f"“{format_given(value)}”"
