"""The events of one person: which ids are the same person's, and which of the events count.

ARCHITECTURE, person; CONTRACT 2.2, 2.8, 2.9, 6.1.

The rules are the sandbox's, stated over history's columns: what is *expected* here is what a target shows that behaves
as documented. A person's events are found by following ids from the given one, with one index look-up per id, up to a
bound.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, Select, and_, literal_column, or_, select

from intempt_core.contract import (
    IDENTITY_FIELDS,
    LINKING_FIELDS,
    EventName,
    PersonEvent,
    PersonHistory,
    event_counts,
    explain_not_counting,
    is_event_name,
    is_placeholder,
)
from intempt_core.history.database import Database, iter_chunks
from intempt_core.history.records import IDENTITY_COLUMNS, RequestState
from intempt_core.history.schema import MAX_INDEXED_LENGTH, batches, event_keys, events, make_indexable, requests
from intempt_core.history.transitions import IS_STORED
from intempt_core.history.upkeep.search_index import find_unkeyed_requests, is_key_of_event, is_keyed_by
from intempt_core.history.views import AcceptedEvent

MAX_PERSON_IDS = 1_000
"""Most ids that are followed for one person: more of them come from a value that all persons share."""

RECENT_BATCHES, RECENT_REQUESTS_PER_BATCH, RECENT_EVENTS_PER_REQUEST = 30, 2, 50
"""How far back the persons are looked for that were used before."""

MIN_EVENTS_READ_PER_ID = 10_000
"""How many of the last events of one id are read, even where fewer are asked for."""

IdentityValue: TypeAlias = tuple[str, str]
"""A field of the wire and the id in it (``("userId", "u1")``): one identity of a person."""

_EVENT_NAMES = tuple(name.value for name in EventName)
_IDENTIFY_NAME = "Identify"  # CONTRACT 6.1
_NEVER_SENT_STATES = (RequestState.SPLIT.value, RequestState.CANCELLED.value)
_NO_ATTEMPT_ORDER = 2**62
"""Larger than any attempt's id: requests that were never tried come after all that were, in their own order."""


class StoredEvent(NamedTuple):
    """An event as history holds it, with the state of its request.

    Attributes:
        arrival_order: orders events as they arrived: the request's last attempt, then the place in the request.
            Events that were never sent come after all that were.
        request: id of its request.
        when: time of the request's last change, in epoch ms.
        state: value of the request's :class:`RequestState`.
        timestamp: the event's own time, in epoch ms.
        batch: id of its batch.
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
    def is_tried(self) -> bool:
        """Whether an attempt was made to send it."""
        return self.arrival_order[0] < _NO_ATTEMPT_ORDER

    @property
    def is_accepted(self) -> bool:
        """Whether its request was accepted: only then does it link ids and drive feeds."""
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
        """The identities that this event links: never an account, never a placeholder (CONTRACT 2.8)."""
        if self.event_id is None:
            return []
        return [(field, id_) for field, id_ in self.identities() if not is_placeholder(id_)]

    def identities(self) -> list[IdentityValue]:
        """The identities of a person in this event; an account is not one."""
        given = [("profileId", self.profile_id), ("userId", self.user_id), ("anotherUserId", self.another_user_id)]
        if self.is_alias:
            given.append(("userId", self.another_user_id))
        return [(field, id_) for field, id_ in given if id_ is not None]

    @property
    def is_alias(self) -> bool:
        """Whether it makes two user ids one user's: it has both, and no event name of the contract (CONTRACT 6.1)."""
        return not is_event_name(self.name) and self.user_id is not None and self.another_user_id is not None


class ResolvedPerson(NamedTuple):
    """The person that an id leads to.

    Attributes:
        events: the person's events, oldest first.
        repeats: the arrival orders of those that repeat an earlier event.
        identities: all identities of the person, the given one first.
    """

    events: list[StoredEvent]
    repeats: set[tuple[int, int]]
    identities: list[IdentityValue]

    @property
    def counted_events(self) -> list[StoredEvent]:
        """The events that drive feeds."""
        return [
            one for one in self.events if one.is_accepted and one.drives_feeds and one.arrival_order not in self.repeats
        ]


class PersonQueries:
    """Reads the events of persons."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def interactions(self, target: str, field: str, value: str, *, limit: int = 10_000) -> list[AcceptedEvent]:
        """The last ``limit`` accepted events of a person at a target (a ``key``), oldest first (CONTRACT 4.7).

        ``field`` is one of :data:`~intempt_core.contract.fields.IDENTITY_FIELDS`, and the person is all that the id
        leads to (ARCHITECTURE, person): events that share a profile, a user or another user's id are one person's, of
        whichever batch. An account is asked for as such and leads to no person. Events that lack a required field are
        not processed (CONTRACT 2.6) and left out; where the target deduplicates (as it was last confirmed), so are
        repeats (CONTRACT 2.9).
        """
        found = self._resolve(target, field, value, limit)
        return [
            AcceptedEvent(one.name or "", one.product_id or "", one.event_id or "", one.when, one.request)
            for one in (found.counted_events if found else [])[-limit:]
        ]

    def person_history(self, target: str, field: str, value: str, *, limit: int = 10_000) -> PersonHistory:
        """Everything of a person that was or will be sent to a target (a ``key``), of every outcome, oldest first.

        Who the person is and which events count is as in :meth:`interactions`; an event that does not count has the
        reason.
        """
        found = self._resolve(target, field, value, limit)
        if found is None:
            return PersonHistory((), ((field, value),))
        return PersonHistory(
            tuple(_make_person_event(one, repeats=one.arrival_order in found.repeats) for one in found.events),
            tuple(found.identities),
        )

    def last_identity(self, target: str) -> IdentityValue | None:
        """The identity (field, id) of the newest accepted event at a target (a ``key``), if there is one."""
        with self._database.reading() as connection:
            return find_last_identity(connection, target)

    def recent_persons(self, target: str, *, limit: int = 20) -> list[Mapping[str, str]]:
        """The identities of the last events that were or will be sent to a target (a ``key``), newest first.

        Each is what one event had, by its fields; equal ones are told once. Only the ends of the newest batches are
        looked at, so that a history of millions answers at once.
        """
        with self._database.reading() as connection:
            return find_recent_persons(connection, target, limit)

    def _resolve(self, target: str, field: str, value: str, limit: int) -> ResolvedPerson | None:
        """The person that an id leads to; ``None`` where nothing was sent to the target."""
        with self._database.reading() as connection:
            newest = select(batches.c.deduplicates).where(batches.c.target_key == target, IS_STORED)
            deduplicates = connection.execute(newest.order_by(batches.c.number.desc()).limit(1)).scalar()
            if deduplicates is None:
                return None
            identity = (field, make_indexable(value))
            return resolve_person(connection, target, identity, deduplicates=bool(deduplicates), limit=limit)


def resolve_person(
    connection: Connection, target: str, identity: IdentityValue, *, deduplicates: bool, limit: int
) -> ResolvedPerson:
    """Find a person's events of every outcome, among the last ``limit`` events of each id.

    ``identity`` has its id as history stores it. Only accepted events link ids; with ``deduplicates`` a repeat does
    not.
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
        repeated_here = find_repeats(connection, target, arrived) if deduplicates else set()
        found |= {one.arrival_order: one for one in mine}
        repeated |= repeated_here
        for one in arrived:
            for other in one.links() if transitive and one.arrival_order not in repeated_here else ():
                if other not in known and len(known) < MAX_PERSON_IDS:
                    known[other] = None
                    ahead.append(other)
    return ResolvedPerson([found[arrived] for arrived in sorted(found)], repeated, list(known))


def find_last_identity(connection: Connection, target: str) -> IdentityValue | None:
    """Find an identity in a target's newest accepted event: in the last accepted request of its newest batch."""
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


def find_recent_persons(connection: Connection, target: str, limit: int) -> list[Mapping[str, str]]:
    """Find the identities of a target's newest events, in the last requests of its newest batches."""
    newest = select(batches.c.number).where(batches.c.target_key == target, IS_STORED)
    numbers = connection.execute(newest.order_by(batches.c.number.desc()).limit(RECENT_BATCHES)).scalars().all()
    ids = [
        request
        for number in numbers
        for request in connection.execute(
            select(requests.c.id)
            .where(requests.c.batch == number)
            .order_by(requests.c.id.desc())
            .limit(RECENT_REQUESTS_PER_BATCH)
        ).scalars()
    ]
    columns = [events.c[IDENTITY_COLUMNS[field]] for field in IDENTITY_FIELDS]
    asked = select(*columns).where(events.c.request.in_(ids), events.c.position < RECENT_EVENTS_PER_REQUEST)
    rows = connection.execute(asked.order_by(events.c.request.desc(), events.c.position.desc())).all()
    found: dict[tuple[str | None, ...], Mapping[str, str]] = {}
    for row in rows:
        person = {field: id_ for field, id_ in zip(IDENTITY_FIELDS, row, strict=True) if id_}
        if person and all(len(id_) < MAX_INDEXED_LENGTH for id_ in person.values()):  # longer ones are not stored whole
            found.setdefault(tuple(row), person)
    return list(found.values())[:limit]


def find_repeats(connection: Connection, target: str, candidates: Iterable[StoredEvent]) -> set[tuple[int, int]]:
    """Find the events that repeat an earlier one, of any person: the first that counts has the id (CONTRACT 2.2).

    Lines of one order share their id and differ by their product (CONTRACT 2.9).
    """
    repeats: set[tuple[int, int]] = set()
    for ids in iter_chunks(dict.fromkeys(one.event_id for one in candidates if one.claims_event_id)):
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
                repeats.add(one.arrival_order)
    return repeats


def _find_order_lines(connection: Connection, same: Sequence[StoredEvent]) -> set[tuple[int, int]]:
    """Find lines of orders: several events of one id and different products in one payload (CONTRACT 2.9)."""
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
    """Number the payloads of some requests, by event (request, position): neighbours of one name share a payload."""
    found: dict[tuple[int, int], int] = {}
    columns = events.c.request, events.c.name, events.c.position
    for some in iter_chunks(ids):
        asked = select(*columns).where(events.c.request.in_(some)).order_by(events.c.request, events.c.position)
        rows = connection.execute(asked).all()
        for number, (_, payload) in enumerate(groupby(rows, key=lambda row: (row.request, row.name))):
            found.update({(row.request, row.position): number for row in payload})
    return found


def _make_person_event(event: StoredEvent, *, repeats: bool) -> PersonEvent:
    """An event of history as one of its person's."""
    names = dict(event.identities()) | ({"accountId": event.account_id} if event.account_id is not None else {})
    return PersonEvent(
        event.name or "",
        event.product_id or "",
        event_id=event.event_id or "",
        state=event.state,
        when=event.when,
        timestamp=event.timestamp,
        names=tuple(names.items()),
        request=event.request,
        position=event.arrival_order[1],
        batch=event.batch,
        reason=explain_not_counting(event.given_fields, is_first=not repeats),
    )


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_named_events(
    connection: Connection, target: str, identity: IdentityValue, limit: int
) -> Iterator[StoredEvent]:
    """The last events with an identity."""
    field, value = identity
    ways = [(IDENTITY_COLUMNS[field], literal_column("1") == 1)]
    if field == "userId":  # one look-up for each: with OR, the index might not be used
        alias = or_(events.c.name.is_(None), events.c.name.not_in(_EVENT_NAMES))
        ways.append((IDENTITY_COLUMNS["anotherUserId"], and_(events.c.user_id.is_not(None), alias)))
    for column, condition in ways:
        sent = _select_sent(target).where(condition)
        # Those without keys by their ids: as one query, all events of the target might be read.
        chunks = iter_chunks(find_unkeyed_requests(connection, column, value))
        queries = [
            sent.join(event_keys, is_key_of_event()).where(is_keyed_by(column, value)),
            *(sent.where(events.c.request.in_(ids), events.c[column] == value) for ids in chunks),
        ]
        found: list[StoredEvent] = []
        for query in queries:
            last = query.order_by(requests.c.last_attempt.desc().nulls_last(), events.c.position.desc()).limit(limit)
            found += _read_stored_events(connection, last)
        if len(found) > limit:  # those that were never sent are the first to go, as they are in each query
            found.sort(key=lambda one: (one.is_tried, one.arrival_order), reverse=True)
        yield from found[:limit]


def _select_accepted(target: str) -> Select[Any]:
    return _select_sent(target).where(requests.c.state == RequestState.ACCEPTED.value)


def _select_sent(target: str) -> Select[Any]:
    """Select events that were or will be sent to a target; those of a request that was split are in its halves."""
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
