"""One person's events: who is who in history, and which events count (DESIGN, person; CONTRACT 2.2, 2.8, 2.9, 6.1).

The rules are the sandbox's, stated over history's columns: what is *expected* here is what a target shows that does as
the documents say. Which events a person has is found from the ids outward, one look into an index per id, and bounded.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, Select, and_, or_, select

from intempt_core.events import LINKING_FIELDS, EventName, is_placeholder
from intempt_core.history.records import IDENTITY_COLUMNS, RequestState
from intempt_core.history.schema import batches, events, requests
from intempt_core.history.standings import THERE

IDS_OF_ONE = 1_000
"""Ids that are followed for one person; who has more is no person, but a value that everybody has."""

EVENTS_OF_ONE = 10_000
"""Events of one id that are looked at, at the least: its last ones."""

AT_ONCE = 500
"""Ids in one question: databases bound the parameters of a statement."""

Known: TypeAlias = tuple[str, str]
"""A field of the wire and an id in it: a name by which a person is known."""

_NAMES = tuple(name.value for name in EventName)
_IDENTIFY = "Identify"  # CONTRACT 6.1
_NOT_ON_THE_WAY = (RequestState.SPLIT.value, RequestState.CANCELLED.value)
_NEVER = 2**62
"""Beyond the number of any attempt: what never left orders itself by its request, after all that did."""


class Held(NamedTuple):
    """An event as history holds it. ``arrived`` orders it: the last attempt, then its place in the request.

    What never left comes after everything that did.
    """

    arrived: tuple[int, int]
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
    def counts(self) -> bool:
        """Whether it drives feeds, as far as the columns tell (CONTRACT 2.6)."""
        return self.name in _NAMES and self.product_id is not None and self._is_somebodys

    @property
    def takes_its_id(self) -> bool:
        """Whether a later event of the same id repeats it (CONTRACT 2.9, 6.1)."""
        return self.counts or (self.name == _IDENTIFY and self._is_somebodys)

    @property
    def _is_somebodys(self) -> bool:
        named = (self.profile_id, self.user_id, self.another_user_id, self.account_id)
        return self.event_id is not None and any(id_ is not None for id_ in named)

    def links(self) -> list[Known]:
        """The names that this event makes one person's; accounts and placeholders link nobody (CONTRACT 2.8)."""
        if self.event_id is None:
            return []
        return [(field, id_) for field, id_ in self.names() if not is_placeholder(id_)]

    def names(self) -> list[Known]:
        """The names by which this event knows a person, an account's not among them."""
        given = [("profileId", self.profile_id), ("userId", self.user_id), ("anotherUserId", self.another_user_id)]
        if self.is_alias:
            given.append(("userId", self.another_user_id))
        return [(field, id_) for field, id_ in given if id_ is not None]

    @property
    def is_alias(self) -> bool:
        """An event of another name than the four, with a user's two ids, makes both one user's (CONTRACT 6.1)."""
        return self.name not in _NAMES and self.user_id is not None and self.another_user_id is not None


class Followed(NamedTuple):
    """Whom an id leads to: their events, oldest first, those among them that are repeats, and the names they go by."""

    held: list[Held]
    again: set[tuple[int, int]]
    known: list[Known]

    @property
    def counting(self) -> list[Held]:
        """The events that the feeds go by."""
        return [one for one in self.held if one.is_accepted and one.counts and one.arrived not in self.again]


def follow(connection: Connection, target: str, name: Known, *, deduplicates: bool, limit: int) -> Followed:
    """A person's events of whatever outcome, as far as the last ``limit`` of each id reach.

    The id in ``name`` is as history keeps it. Only accepted events link; with ``deduplicates`` a repeat links nobody.
    """
    found: dict[tuple[int, int], Held] = {}
    repeated: set[tuple[int, int]] = set()
    known: dict[Known, None] = {name: None}
    ahead = deque(known)
    transitive = name[0] in LINKING_FIELDS and not is_placeholder(name[1])
    while ahead:
        name = ahead.popleft()
        mine = [one for one in _named(connection, target, name, max(limit, EVENTS_OF_ONE)) if one.arrived not in found]
        arrived = [one for one in mine if one.is_accepted]
        again = repeats(connection, target, arrived) if deduplicates else set()
        found |= {one.arrived: one for one in mine}
        repeated |= again
        for one in arrived:
            for other in one.links() if transitive and one.arrived not in again else ():
                if other not in known and len(known) < IDS_OF_ONE:
                    known[other] = None
                    ahead.append(other)
    return Followed([found[arrived] for arrived in sorted(found)], repeated, list(known))


def last_named(connection: Connection, target: str) -> Known | None:
    """By whom a target's newest accepted event was: the last request of its newest batch that has one accepted."""
    newest = (
        select(requests.c.id)
        .join(batches, batches.c.number == requests.c.batch)
        .where(batches.c.target_key == target, requests.c.state == RequestState.ACCEPTED.value, THERE)
        .order_by(batches.c.number.desc(), requests.c.id.desc())
        .limit(1)
    )
    request = connection.execute(newest).scalar()
    columns = [events.c[IDENTITY_COLUMNS[field]] for field in ("userId", "profileId", "accountId", "anotherUserId")]
    asked = select(*columns).where(events.c.request == request).order_by(events.c.position.desc()).limit(1)
    row = connection.execute(asked).one_or_none() if request is not None else None
    fields = ("userId", "profileId", "accountId", "anotherUserId")
    return next(((field, id_) for field, id_ in zip(fields, row or (), strict=False) if id_ is not None), None)


def repeats(connection: Connection, target: str, some: Iterable[Held]) -> set[tuple[int, int]]:
    """Which of some events repeat an earlier one, of whomever: the first that counts has the id (CONTRACT 2.2).

    Lines of one order share their id: they are told apart by their product (CONTRACT 2.9).
    """
    wanted = iter(dict.fromkeys(one.event_id for one in some if one.takes_its_id))
    again: set[tuple[int, int]] = set()
    while ids := list(islice(wanted, AT_ONCE)):
        same = list(_read(connection, _accepted(target).where(events.c.event_id.in_(ids))))
        lines = _lines(connection, same)
        good = sorted(one for one in same if one.takes_its_id)
        firsts: dict[tuple[str | None, str | None], tuple[int, int]] = {}
        for one in good:
            has_it = firsts.setdefault((one.event_id, None), one.arrived)
            if one.name == EventName.ORDERED and (one.arrived in lines or has_it == one.arrived):
                firsts.setdefault((one.event_id, one.product_id), one.arrived)
        for one in good:
            first = firsts[one.event_id, one.product_id if one.arrived in lines else None]
            if first != one.arrived:
                again.add(one.arrived)
    return again


def _lines(connection: Connection, same: Sequence[Held]) -> set[tuple[int, int]]:
    """Lines of orders: in one payload there are several of one event id, and of different products (CONTRACT 2.9)."""
    ordered = [one for one in same if one.name == EventName.ORDERED]
    by_id = sorted(ordered, key=lambda one: (one.request, one.event_id or ""))
    several = [list(group) for _, group in groupby(by_id, key=lambda one: (one.request, one.event_id))]
    several = [group for group in several if len({one.product_id for one in group}) > 1]
    payload = _payloads(connection, {group[0].request for group in several})
    lines: set[tuple[int, int]] = set()
    for group in several:
        products: dict[int, set[str | None]] = {}
        for one in group:
            products.setdefault(payload[one.request, one.arrived[1]], set()).add(one.product_id)
        lines |= {one.arrived for one in group if len(products[payload[one.request, one.arrived[1]]]) > 1}
    return lines


def _payloads(connection: Connection, ids: Iterable[int]) -> dict[tuple[int, int], int]:
    """For each event (request, position) of some requests the number of its payload: neighbours of one name share it
    (``events.body_of``).
    """
    found: dict[tuple[int, int], int] = {}
    left = iter(ids)
    columns = events.c.request, events.c.name, events.c.position
    while some := list(islice(left, AT_ONCE)):
        asked = select(*columns).where(events.c.request.in_(some)).order_by(events.c.request, events.c.position)
        rows = connection.execute(asked).all()
        for number, (_, payload) in enumerate(groupby(rows, key=lambda row: (row.request, row.name))):
            found.update({(row.request, row.position): number for row in payload})
    return found


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _named(connection: Connection, target: str, name: Known, limit: int) -> Iterator[Held]:
    """The last events that name somebody so."""
    field, value = name
    column = events.c[IDENTITY_COLUMNS[field]]
    ways = [column == value]
    if field == "userId":  # one look into each index: asked with OR, neither might be used
        alias = or_(events.c.name.is_(None), events.c.name.not_in(_NAMES))
        ways.append(and_(events.c.another_user_id == value, events.c.user_id.is_not(None), alias))
    for way in ways:
        last = _sent(target).where(way)
        last = last.order_by(requests.c.last_attempt.desc(), events.c.position.desc()).limit(limit)
        yield from _read(connection, last)


def _accepted(target: str) -> Select[Any]:
    return _sent(target).where(requests.c.state == RequestState.ACCEPTED.value)


def _sent(target: str) -> Select[Any]:
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
        .where(requests.c.state.not_in(_NOT_ON_THE_WAY), batches.c.target_key == target, THERE)
    )


def _read(connection: Connection, asked: Select[Any]) -> Iterator[Held]:
    for attempt, position, request, *rest in connection.execute(asked):
        yield Held((_NEVER + request if attempt is None else attempt, position), request, *rest)
