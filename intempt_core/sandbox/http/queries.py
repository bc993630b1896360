"""Queries: the bodies of feed reads, person queries and consents (CONTRACT 5.1, 5.2, 6.2)."""

from collections.abc import Sequence
from dataclasses import dataclass

from intempt_core.contract import (
    EARLIEST_MS,
    FEED_IDENTITY_TYPES,
    FEED_TITLES,
    MAX_ARRIVAL_IDS,
    MAX_QUERY_EVENT_IDS,
    Json,
    id_to_text,
)
from intempt_core.errors import SandboxRejection
from intempt_core.sandbox.storage.parser import escape_surrogates
from intempt_core.sandbox.storage.persons import make_node


@dataclass(frozen=True, slots=True)
class FeedQuery:
    """A question to a feed.

    Attributes:
        node: The person, as a node of ``storage/persons.py``.
        fields: The fields that are wanted of each product.
        offset: How many products to skip.
        limit: The most products, ``None`` for all.
        seed: The product that feeds of products that go together are asked for, ``None`` where none is named.
    """

    node: str
    fields: tuple[str, ...]
    offset: int
    limit: int | None
    seed: str | None

    def products(self, ranked: Sequence[str]) -> list[dict[str, str]]:
        """The response's products with the fields asked for. There is no catalogue, so only ``id`` is known."""
        end = None if self.limit is None else self.offset + self.limit
        return [{"id": product} if "id" in self.fields else {} for product in ranked[self.offset : end]]


def parse_feed_query(feed: str, body: dict[str, Json]) -> FeedQuery:
    """Parse a feed read. Raises :class:`SandboxRejection` 400, ``Name is null`` for an unknown feed or no identity.

    The type is taken in any letter case (CONTRACT 5.1). Node's 1.x SDK and the browser's send no ``type`` and ``id``;
    live servers respond to them in the same way (CONTRACT 5.2).
    """
    if feed not in FEED_TITLES:
        raise SandboxRejection(
            400, "Name is null", detail=f"No feed has that id. The sandbox has {', '.join(FEED_TITLES)}."
        )
    kind, person = body.get("type"), _read_id(body.get("id"))
    if kind is None or person is None:
        raise SandboxRejection(400, "Name is null", detail="The identity is missing: a feed read needs type and id.")
    if not isinstance(kind, str) or kind.lower() not in FEED_IDENTITY_TYPES.values():
        raise SandboxRejection(400, f"The type is not one of {', '.join(FEED_IDENTITY_TYPES.values())}.")
    source = _read_id(body.get("sourceId"))
    if kind.lower() == "profile" and source is None:
        raise SandboxRejection(400, "A profile's feed needs the sourceId that the profile belongs to.")
    fields = body.get("fields")
    if fields is None:
        fields = ["id"]
    if not isinstance(fields, list) or not all(isinstance(field, str) for field in fields):
        raise SandboxRejection(400, "The fields are no list of names.")
    limit = _read_integer(body, "limit", minimum=1)
    node = make_node(kind.lower(), person, source or "")
    offset, seed = _read_integer(body, "offset", minimum=0) or 0, _read_id(body.get("productId"))
    return FeedQuery(node, tuple(fields), offset, limit, seed)


@dataclass(frozen=True, slots=True)
class PersonEventsQuery:
    """A question about one person's events.

    Attributes:
        org: The organisation.
        project: The project.
        node: The person, as a node of ``storage/persons.py``.
        event_ids: Ids of events of which to say why they were not processed.
        arrivals: Whether to list every event of the person that arrived, ignored ones too.
    """

    org: str
    project: str
    node: str
    event_ids: tuple[str, ...]
    arrivals: bool = False


NODE_KINDS = {**FEED_IDENTITY_TYPES, "anotherUserId": "other"}
"""Identity field → the kind of its node."""


def parse_person_query(body: dict[str, Json]) -> PersonEventsQuery:
    """Parse the body of ``POST /_sandbox/person``. Raises :class:`SandboxRejection` 400."""
    given = {name: _read_id(body.get(name)) for name in ("org", "project", "id")}
    by, ids = body.get("by"), body.get("eventIds")
    if None in given.values() or not isinstance(by, str) or by not in NODE_KINDS:
        raise SandboxRejection(400, f"It needs org, project, id, and by: one of {', '.join(NODE_KINDS)}.")
    ids = [] if ids is None else ids
    if not isinstance(ids, list) or len(ids) > MAX_QUERY_EVENT_IDS or not all(isinstance(one, str) for one in ids):
        raise SandboxRejection(400, f"The eventIds are no list of up to {MAX_QUERY_EVENT_IDS:,} ids.")
    arrivals = body.get("arrivals")
    if arrivals is not None and not isinstance(arrivals, bool):
        raise SandboxRejection(400, "The arrivals are neither true nor false.")
    person = make_node(NODE_KINDS[by], given["id"] or "", _read_id(body.get("sourceId")) or "")
    found = tuple(escape_surrogates(one) or "" for one in ids)
    return PersonEventsQuery(given["org"] or "", given["project"] or "", person, found, arrivals=bool(arrivals))


@dataclass(frozen=True, slots=True)
class ArrivalQuery:
    """A question about the arrivals of events.

    Attributes:
        event_ids: The ids of the events.
        org: The organisation, ``None`` for any.
        project: The project, ``None`` for any.
    """

    event_ids: tuple[str, ...]
    org: str | None = None
    project: str | None = None


def parse_arrival_query(ids: Sequence[str], org: str | None, project: str | None) -> ArrivalQuery:
    """Parse the parameters of ``GET /_sandbox/arrivals``. Raises :class:`SandboxRejection` 400."""
    found = tuple(dict.fromkeys(escape_surrogates(one) or "" for one in ids if one))
    if not 1 <= len(found) <= MAX_ARRIVAL_IDS:
        raise SandboxRejection(400, f"It needs the parameter ids, once for each event id, up to {MAX_ARRIVAL_IDS:,}.")
    return ArrivalQuery(found, org, project)


def _read_id(value: Json) -> str | None:
    return escape_surrogates(id_to_text(value))


def _read_integer(body: dict[str, Json], field: str, *, minimum: int) -> int | None:
    value = body.get(field)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
        raise SandboxRejection(400, f"The {field} is no whole number from {minimum}.")
    return value


def check_consent(body: dict[str, Json]) -> None:
    """Check a consent (CONTRACT 6.2); the browser's SDK sends no timestamp. Raises :class:`SandboxRejection` 400."""
    if body.get("action") not in ("accept", "reject"):
        raise SandboxRejection(400, "The action is neither accept nor reject.")
    user, profile = _read_id(body.get("userId")), _read_id(body.get("profileId"))
    if user is None and profile is None:
        raise SandboxRejection(400, "The identity is missing: a consent needs userId or profileId.")
    if user is None and _read_id(body.get("sourceId")) is None:
        raise SandboxRejection(400, "A consent by profileId needs the sourceId that the profile belongs to.")
    time = body.get("timestamp")
    if time is None:
        return
    if not isinstance(time, int | float) or isinstance(time, bool):
        raise SandboxRejection(400, "The timestamp is no number of seconds since 1970.")
    if time * 1000 < EARLIEST_MS:
        raise SandboxRejection(400, "The timestamp is before 2010-01-01; it counts seconds since 1970.")
