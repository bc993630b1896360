"""Bodies of feed reads and consents, read (CONTRACT 5.1, 5.2, 6.2)."""

from collections.abc import Sequence
from dataclasses import dataclass

from intempt_core.events import EARLIEST_MS, Json, id_to_text
from intempt_core.feeds import FEED_IDENTITY_TYPES, FEED_TITLES
from intempt_core.sandbox.answers import Refused
from intempt_core.sandbox.persons import node
from intempt_core.sandbox.reading import storable


@dataclass(frozen=True, slots=True)
class FeedQuestion:
    """Whose feed (a node of ``persons.py``), which fields of each product, which stretch of the list, and beside which
    product (``seed``, for the feeds of products that go together).
    """

    node: str
    fields: tuple[str, ...]
    offset: int
    limit: int | None
    seed: str | None

    def products(self, shown: Sequence[str]) -> list[dict[str, str]]:
        """The answer's products: only the fields asked for. There is no catalogue, so only ``id`` is known."""
        end = None if self.limit is None else self.offset + self.limit
        return [{"id": product} if "id" in self.fields else {} for product in shown[self.offset : end]]


def feed_question(feed: str, body: dict[str, Json]) -> FeedQuestion:
    """What a feed read asks for. Raises :class:`Refused` 400: ``Name is null`` for an unknown feed or nobody named.

    The type is taken in any case (CONTRACT 5.1). Node's 1.x SDK and the browser's name no ``type`` and ``id``; live
    servers answer them the same (CONTRACT 5.2).
    """
    if feed not in FEED_TITLES:
        raise Refused(400, "Name is null", detail=f"No feed has that id. The sandbox has {', '.join(FEED_TITLES)}.")
    kind, person = body.get("type"), _id(body.get("id"))
    if kind is None or person is None:
        raise Refused(400, "Name is null", detail="Nobody is named: a feed read needs type and id.")
    if not isinstance(kind, str) or kind.lower() not in FEED_IDENTITY_TYPES.values():
        raise Refused(400, f"The type is not one of {', '.join(FEED_IDENTITY_TYPES.values())}.")
    source = _id(body.get("sourceId"))
    if kind.lower() == "profile" and source is None:
        raise Refused(400, "A profile's feed needs the sourceId that the profile belongs to.")
    fields = body.get("fields")
    if fields is None:
        fields = ["id"]
    if not isinstance(fields, list) or not all(isinstance(field, str) for field in fields):
        raise Refused(400, "The fields are no list of names.")
    limit = _whole(body, "limit", least=1)
    whose = node(kind.lower(), person, source or "")
    offset, seed = _whole(body, "offset", least=0) or 0, _id(body.get("productId"))
    return FeedQuestion(whose, tuple(fields), offset, limit, seed)


@dataclass(frozen=True, slots=True)
class PersonQuestion:
    """Whose events (a node of ``persons.py``) in which project, and of which event ids to say why not."""

    org: str
    project: str
    node: str
    event_ids: tuple[str, ...]


KINDS = {**FEED_IDENTITY_TYPES, "anotherUserId": "other"}
"""Identity field → the kind of its node."""

IDS_ASKED = 1_000
"""Event ids in one question at the most."""


def person_question(body: dict[str, Json]) -> PersonQuestion:
    """What ``POST /_sandbox/person`` asks. Raises :class:`Refused` 400."""
    given = {name: _id(body.get(name)) for name in ("org", "project", "id")}
    by, ids = body.get("by"), body.get("eventIds")
    if None in given.values() or not isinstance(by, str) or by not in KINDS:
        raise Refused(400, f"It needs org, project, id, and by: one of {', '.join(KINDS)}.")
    ids = [] if ids is None else ids
    if not isinstance(ids, list) or len(ids) > IDS_ASKED or not all(isinstance(one, str) for one in ids):
        raise Refused(400, f"The eventIds are no list of up to {IDS_ASKED:,} ids.")
    person = node(KINDS[by], given["id"] or "", _id(body.get("sourceId")) or "")
    found = tuple(storable(one) or "" for one in ids)
    return PersonQuestion(given["org"] or "", given["project"] or "", person, found)


def _id(value: Json) -> str | None:
    return storable(id_to_text(value))


def _whole(body: dict[str, Json], field: str, *, least: int) -> int | None:
    value = body.get(field)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise Refused(400, f"The {field} is no whole number from {least}.")
    return value


def check_consent(body: dict[str, Json]) -> None:
    """CONTRACT 6.2. The browser's SDK sends no timestamp, so none is asked for. Raises :class:`Refused` 400."""
    if body.get("action") not in ("accept", "reject"):
        raise Refused(400, "The action is neither accept nor reject.")
    user, profile = _id(body.get("userId")), _id(body.get("profileId"))
    if user is None and profile is None:
        raise Refused(400, "Nobody is named: a consent needs userId or profileId.")
    if user is None and _id(body.get("sourceId")) is None:
        raise Refused(400, "A consent by profileId needs the sourceId that the profile belongs to.")
    time = body.get("timestamp")
    if time is None:
        return
    if not isinstance(time, int | float) or isinstance(time, bool):
        raise Refused(400, "The timestamp is no number of seconds since 1970.")
    if time * 1000 < EARLIEST_MS:
        raise Refused(400, "The timestamp is before 2010-01-01; it counts seconds since 1970.")
