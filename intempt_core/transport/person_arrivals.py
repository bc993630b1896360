"""The events of one person that reached the sandbox, from whichever client, as its own API tells of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from intempt_core.contract import IDENTITY_FIELDS

MAX_PERSON_EVENTS = 10_000
"""Events of one person that a sandbox tells of, at the most: the last ones."""


@dataclass(frozen=True, slots=True)
class FirstUse:
    """The event that used an event id first.

    Attributes:
        seq: The number of the event.
        received_at: When it arrived, in epoch milliseconds.
        name: Its name, empty where it has none.
        product: Its product id, empty where it has none.
        person: Its first identity, empty where it has none.
    """

    seq: int
    received_at: int
    name: str
    product: str
    person: str


@dataclass(frozen=True, slots=True)
class PersonArrival:
    """An event of a person that reached the sandbox, from whichever client.

    Attributes:
        seq: The number of the event.
        request: The number of the request that brought it, in the sandbox.
        received_at: When it arrived, in epoch milliseconds.
        client: The program that sent it, as it names itself; may be empty.
        name: Its name, empty where it has none.
        event_id: Its event id, empty where it has none.
        product: Its product id, empty where it has none.
        timestamp: Its own time in epoch milliseconds, ``None`` where it has none.
        names: The identities that it names, as (field, id).
        reason: Why it is ignored, as a sentence; empty where it is processed.
        codes: The codes of its issues.
        first: The event that has its id, where it is ignored for that.
        body: An ignored event as JSON, empty where it is long or processed.
    """

    seq: int
    request: int
    received_at: int
    client: str
    name: str
    event_id: str
    product: str
    timestamp: int | None
    names: tuple[tuple[str, str], ...]
    reason: str
    codes: tuple[str, ...]
    first: FirstUse | None
    body: str


def parse_person_arrival(event: Mapping[str, Any]) -> PersonArrival:
    """Parse one event of the person. Any: JSON of ``POST /_sandbox/person``."""
    first = event["first"]
    return PersonArrival(
        seq=int(event["seq"]),
        request=int(event["request"]),
        received_at=int(event["received_at"]),
        client=str(event["client"]),
        name=event["name"] or "",
        event_id=event["eventId"] or "",
        product=event["productId"] or "",
        timestamp=event["timestamp"],
        names=tuple((field, event[field]) for field in IDENTITY_FIELDS if event[field] is not None),
        reason=event["because"] or "",
        codes=tuple(map(str, event["codes"])),
        first=None
        if first is None
        else FirstUse(
            int(first["seq"]),
            int(first["received_at"]),
            first["name"] or "",
            first["productId"] or "",
            first["person"] or "",
        ),
        body=event["event"] or "",
    )
