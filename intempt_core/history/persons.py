"""One person's events: who is who in history, and which events count.

ARCHITECTURE, person; CONTRACT 2.2, 2.8, 2.9, 6.1.

The rules are the sandbox's, stated over history's columns: what is *expected* here is what a target shows that does as
the documents say. Which events a person has is found from the ids outward, one look into an index per id, and bounded.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, Select, and_, or_, select

from intempt_core.contract import LINKING_FIELDS, EventName, event_counts, is_event_name, is_placeholder
from intempt_core.history.records import IDENTITY_COLUMNS, RequestState
from intempt_core.history.schema import batches, events, requests
from intempt_core.history.transitions import IS_STORED

MAX_PERSON_IDS = 1_000
"""Ids that are followed for one person; who has more is no person, but a value that everybody has."""

MIN_EVENTS_READ_PER_ID = 10_000
"""Events of one id that are looked at, at the least: its last ones."""

PERSON_CHUNK_IDS = 500
"""Ids in one question: databases bound the parameters of a statement."""

IdentityValue: TypeAlias = tuple[str, str]
"""A field of the wire and an id in it: a name by which a person is known."""

_EVENT_NAMES = tuple(name.value for name in EventName)
_IDENTIFY_NAME = "Identify"  # CONTRACT 6.1
_NEVER_SENT_STATES = (RequestState.SPLIT.value, RequestState.CANCELLED.value)
_NO_ATTEMPT_ORDER = 2**62
"""Beyond the number of any attempt: what never left orders itself by its request, after all that did."""


class StoredEvent(NamedTuple):
    """An event as history holds it. ``arrived`` orders it: the last attempt, then its place in the request.

    What never left comes after everything that did.
    """

    arrival_order: tuple[int, int]
    request: int
    name: str | None
    event_id: str | None
    product_id: str | None
    profile_id: str | None
    user_id: str | None
    another_user_id: str | None
    account_id: str | None
    when: int
    state: str
    timestamp: int | None
    batch: str

    @property
    def is_accepted(self) -> bool:
        """Whether its request was accepted: only then does anything follow from it."""
        return self.state == RequestState.ACCEPTED

    @property
    def given_fields(self) -> dict[str, bool]:
        """What :func:`~intempt_core.contract.counting.event_counts` asks, as far as the columns tell."""
        return {
            "name": is_event_name(self.name),
            "eventId": self.event_id is not None,
            "profileId": self.profile_id is not None,
            "userId": self.user_id is not None,
            "anotherUserId": self.another_user_id is not None,
            "accountId": self.account_id is not None,
            "data.productId": self.product_id is not None,
        }

    @property
    def drives_feeds(self) -> bool:
        """Whether it drives feeds, unless it repeats another (CONTRACT 2.6)."""
        return event_counts(self.given_fields)

    @property
    def claims_event_id(self) -> bool:
        """Whether a later event of the same id repeats it (CONTRACT 2.9, 6.1)."""
        return self.drives_feeds or (self.name == _IDENTIFY_NAME and self._has_identity)

    @property
    def _has_identity(self) -> bool:
        named = (self.profile_id, self.user_id, self.another_user_id, self.account_id)
        return self.event_id is not None and any(id_ is not None for id_ in named)

    def links(self) -> list[IdentityValue]:
        """The names that this event makes one person's; accounts and placeholders link nobody (CONTRACT 2.8)."""
        if self.event_id is None:
            return []
        return [(field, id_) for field, id_ in self.identities() if not is_placeholder(id_)]

    def identities(self) -> list[IdentityValue]:
        """The names by which this event knows a person, an account's not among them."""
        given = [("profileId", self.profile_id), ("userId", self.user_id), ("anotherUserId", self.another_user_id)]
        if self.is_alias:
            given.append(("userId", self.another_user_id))
        return [(field, id_) for field, id_ in given if id_ is not None]

    @property
    def is_alias(self) -> bool:
        """An event of another name, with a user's two ids, makes both one user's (CONTRACT 6.1)."""
        return not is_event_name(self.name) and self.user_id is not None and self.another_user_id is not None


class ResolvedPerson(NamedTuple):
    """Whom an id leads to: their events, oldest first, those among them that are repeats, and the names they go by."""

    events: list[StoredEvent]
    repeats: set[tuple[int, int]]
    identities: list[IdentityValue]

    @property
    def counted_events(self) -> list[StoredEvent]:
        """The events that the feeds go by."""
        return [
            one for one in self.events if one.is_accepted and one.drives_feeds and one.arrival_order not in self.repeats
        ]


def resolve_person(
    connection: Connection, target: str, identity: IdentityValue, *, deduplicates: bool, limit: int
) -> ResolvedPerson:
    """A person's events of whatever outcome, as far as the last ``limit`` of each id reach.

    The id in ``name`` is as history keeps it. Only accepted events link; with ``deduplicates`` a repeat links nobody.
    """
    found: dict[tuple[int, int], StoredEvent] = {}
    repeated: set[tuple[int, int]] = set()
    known: dict[IdentityValue, None] = {identity: None}
    ahead = deque(known)
    transitive = identity[0] in LINKING_FIELDS and not is_placeholder(identity[1])
    while ahead:
        identity = ahead.popleft()
        mine = [
            one
            for one in _read_named_events(connection, target, identity, max(limit, MIN_EVENTS_READ_PER_ID))
            if one.arrival_order not in found
        ]
        arrived = [one for one in mine if one.is_accepted]
        again = find_repeats(connection, target, arrived) if deduplicates else set()
        found |= {one.arrival_order: one for one in mine}
        repeated |= again
        for one in arrived:
            for other in one.links() if transitive and one.arrival_order not in again else ():
                if other not in known and len(known) < MAX_PERSON_IDS:
                    known[other] = None
                    ahead.append(other)
    return ResolvedPerson([found[arrived] for arrived in sorted(found)], repeated, list(known))


def find_last_identity(connection: Connection, target: str) -> IdentityValue | None:
    """By whom a target's newest accepted event was: the last request of its newest batch that has one accepted."""
    newest = (
        select(requests.c.id)
        .join(batches, batches.c.number == requests.c.batch)
        .where(batches.c.target_key == target, requests.c.state == RequestState.ACCEPTED.value, IS_STORED)
        .order_by(batches.c.number.desc(), requests.c.id.desc())
        .limit(1)
    )
    request = connection.execute(newest).scalar()
    columns = [events.c[IDENTITY_COLUMNS[field]] for field in ("userId", "profileId", "accountId", "anotherUserId")]
    asked = select(*columns).where(events.c.request == request).order_by(events.c.position.desc()).limit(1)
    row = connection.execute(asked).one_or_none() if request is not None else None
    fields = ("userId", "profileId", "accountId", "anotherUserId")
    return next(((field, id_) for field, id_ in zip(fields, row or (), strict=False) if id_ is not None), None)


def find_repeats(connection: Connection, target: str, candidates: Iterable[StoredEvent]) -> set[tuple[int, int]]:
    """Which of some events repeat an earlier one, of whomever: the first that counts has the id (CONTRACT 2.2).

    Lines of one order share their id: they are told apart by their product (CONTRACT 2.9).
    """
    wanted = iter(dict.fromkeys(one.event_id for one in candidates if one.claims_event_id))
    again: set[tuple[int, int]] = set()
    while ids := list(islice(wanted, PERSON_CHUNK_IDS)):
        same = list(_read_stored_events(connection, _select_accepted(target).where(events.c.event_id.in_(ids))))
        lines = _find_order_lines(connection, same)
        good = sorted(one for one in same if one.claims_event_id)
        firsts: dict[tuple[str | None, str | None], tuple[int, int]] = {}
        for one in good:
            has_it = firsts.setdefault((one.event_id, None), one.arrival_order)
            if one.name == EventName.ORDERED and (one.arrival_order in lines or has_it == one.arrival_order):
                firsts.setdefault((one.event_id, one.product_id), one.arrival_order)
        for one in good:
            first = firsts[one.event_id, one.product_id if one.arrival_order in lines else None]
            if first != one.arrival_order:
                again.add(one.arrival_order)
    return again


def _find_order_lines(connection: Connection, same: Sequence[StoredEvent]) -> set[tuple[int, int]]:
    """Lines of orders: in one payload there are several of one event id, and of different products (CONTRACT 2.9)."""
    ordered = [one for one in same if one.name == EventName.ORDERED]
    by_id = sorted(ordered, key=lambda one: (one.request, one.event_id or ""))
    several = [list(group) for _, group in groupby(by_id, key=lambda one: (one.request, one.event_id))]
    several = [group for group in several if len({one.product_id for one in group}) > 1]
    payload = _number_payloads(connection, {group[0].request for group in several})
    lines: set[tuple[int, int]] = set()
    for group in several:
        products: dict[int, set[str | None]] = {}
        for one in group:
            products.setdefault(payload[one.request, one.arrival_order[1]], set()).add(one.product_id)
        lines |= {one.arrival_order for one in group if len(products[payload[one.request, one.arrival_order[1]]]) > 1}
    return lines


def _number_payloads(connection: Connection, ids: Iterable[int]) -> dict[tuple[int, int], int]:
    """For each event (request, position) of some requests the number of its payload: neighbours of one name share it
    (``events.body_of``).
    """
    found: dict[tuple[int, int], int] = {}
    left = iter(ids)
    columns = events.c.request, events.c.name, events.c.position
    while some := list(islice(left, PERSON_CHUNK_IDS)):
        asked = select(*columns).where(events.c.request.in_(some)).order_by(events.c.request, events.c.position)
        rows = connection.execute(asked).all()
        for number, (_, payload) in enumerate(groupby(rows, key=lambda row: (row.request, row.name))):
            found.update({(row.request, row.position): number for row in payload})
    return found


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_named_events(
    connection: Connection, target: str, identity: IdentityValue, limit: int
) -> Iterator[StoredEvent]:
    """The last events that name somebody so."""
    field, value = identity
    column = events.c[IDENTITY_COLUMNS[field]]
    ways = [column == value]
    if field == "userId":  # one look into each index: asked with OR, neither might be used
        alias = or_(events.c.name.is_(None), events.c.name.not_in(_EVENT_NAMES))
        ways.append(and_(events.c.another_user_id == value, events.c.user_id.is_not(None), alias))
    for way in ways:
        last = _select_sent(target).where(way)
        last = last.order_by(requests.c.last_attempt.desc(), events.c.position.desc()).limit(limit)
        yield from _read_stored_events(connection, last)


def _select_accepted(target: str) -> Select[Any]:
    return _select_sent(target).where(requests.c.state == RequestState.ACCEPTED.value)


def _select_sent(target: str) -> Select[Any]:
    """What went to a target or will; a request that was split has its events in its halves."""
    columns = events.c
    return (
        select(
            requests.c.last_attempt,
            columns.position,
            columns.request,
            columns.name,
            columns.event_id,
            columns.product_id,
            columns.profile_id,
            columns.user_id,
            columns.another_user_id,
            columns.account_id,
            requests.c.updated_at,
            requests.c.state,
            columns.timestamp,
            batches.c.id,
        )
        .join(requests, requests.c.id == columns.request)
        .join(batches, batches.c.number == columns.batch)
        .where(requests.c.state.not_in(_NEVER_SENT_STATES), batches.c.target_key == target, IS_STORED)
    )


def _read_stored_events(connection: Connection, query: Select[Any]) -> Iterator[StoredEvent]:
    for attempt, position, request, *rest in connection.execute(query):
        yield StoredEvent((_NO_ATTEMPT_ORDER + request if attempt is None else attempt, position), request, *rest)
