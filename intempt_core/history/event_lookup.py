"""Look-ups by event id, and for lines of orders by product too: which requests held an event, and whether it was sent.

Validation asks the second question through its protocol :class:`~intempt_core.validation.PriorSendLookup`.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

from sqlalchemy import Column, Connection, Row, Select, select

from intempt_core.contract import EventName
from intempt_core.history.database import Database, iter_chunks
from intempt_core.history.queries import IS_LAST_ATTEMPT
from intempt_core.history.records import BatchState, RequestState
from intempt_core.history.schema import attempts, batches, events, make_indexable, requests
from intempt_core.history.transitions import FINAL_BATCH_STATES, IS_STORED
from intempt_core.validation import EventKey, OrderLine, PriorSend, PriorSendLookup

IDENTITY_COLUMNS = ("profile_id", "user_id", "another_user_id", "account_id")
"""The columns of an event's identities, in the contract's order."""

_STATE_WEIGHTS = {
    RequestState.REJECTED.value: 0,
    RequestState.PENDING.value: 1,
    RequestState.IN_FLIGHT.value: 1,
    RequestState.UNKNOWN.value: 2,
    RequestState.ACCEPTED.value: 3,
}
"""How much each state of an event id says: an event that arrived stays so after a later rejection. States that are
absent mean that the event certainly never arrived."""


KeyT = TypeVar("KeyT")

_StoredKey: TypeAlias = str | tuple[str, str]
"""An id, or an id and a product, as history stores them."""

_NOT_SENT, _PENDING, _ORDERED = RequestState.NOT_SENT.value, RequestState.PENDING.value, EventName.ORDERED.value


@dataclass(frozen=True, slots=True)
class EventOccurrence:
    """One event of an id in one request.

    Attributes:
        batch: id of the batch.
        label: the batch's label, such as its file's name.
        request: id of the request.
        position: the event's place in the request, from 0.
        target_key: which place the target is (:attr:`TargetSnapshot.key`).
        status: HTTP status of the request's last attempt, ``None`` where there was no response.
        reason: what is known of the last attempt, in a sentence; empty before the first.
        tries: how many attempts were made.
        when: time of the request's last change, in epoch ms.
        identities: the ids of the event's person, in the contract's order.
    """

    event_id: str
    batch: str
    label: str
    request: int
    position: int
    name: str | None
    product_id: str | None
    target_key: str
    target_name: str
    state: RequestState
    status: int | None
    reason: str
    tries: int
    when: int
    identities: tuple[str, ...] = ()


class EventLookup:
    """Finds events by their ids."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def occurrences(
        self, ids: Iterable[str], *, target: str | None = None, limit_per_id: int = 200
    ) -> dict[str, list[EventOccurrence]]:
        """Where events of these ids were sent, the latest first; to one target (a ``key``) or to any.

        Each id has at most ``limit_per_id`` occurrences; one that was never recorded is left out.
        """
        found: dict[str, list[EventOccurrence]] = {}
        with self._database.reading() as connection:
            for some in iter_chunks(dict.fromkeys(ids)):
                given_by_stored = {make_indexable(id_): id_ for id_ in some}
                conditions = [
                    events.c.event_id.in_(list(given_by_stored)),
                    requests.c.state != RequestState.SPLIT.value,
                ]
                query = (
                    select(
                        events.c.event_id,
                        batches.c.id,
                        batches.c.label,
                        events.c.request,
                        events.c.position,
                        events.c.name,
                        events.c.product_id,
                        batches.c.target_key,
                        batches.c.target_name,
                        requests.c.state,
                        attempts.c.status,
                        attempts.c.reason,
                        requests.c.tries,
                        requests.c.updated_at,
                        *(events.c[column] for column in IDENTITY_COLUMNS),
                    )
                    .join(requests, requests.c.id == events.c.request)
                    .join(batches, batches.c.number == events.c.batch)
                    .outerjoin(attempts, IS_LAST_ATTEMPT)
                    .where(IS_STORED, *conditions, *([batches.c.target_key == target] if target is not None else []))
                    .order_by(requests.c.id.desc(), events.c.position.desc())
                    .limit(limit_per_id * len(some))
                )
                for row in connection.execute(query):
                    of_id = found.setdefault(given_by_stored[row.event_id], [])
                    if len(of_id) < limit_per_id:
                        of_id.append(_make_occurrence(row, given_by_stored[row.event_id]))
        return found

    def prior_sends(
        self, target: str, keys: Iterable[EventKey], *, superseded: Collection[int] = ()
    ) -> dict[EventKey, PriorSend]:
        """What became of events at a target (a ``key``), when, and in which batch.

        They are asked for by id, or as lines of orders by id and product (CONTRACT 2.9). A line is found where one of
        its product was sent; and by its id alone where what was sent with that is no line of an order, or its product
        is not known, so that it may have been this line.

        Of several sends of one event it is the one that says most: accepted, then unknown, then in flight or pending,
        then rejected; of equal ones the latest. What is not sent counts as pending where its batch may be resumed.
        Events that were never sent there, or certainly never arrived, are left out, and what is pending in
        ``superseded`` batches (their numbers), for those give their rest to another one.
        """
        asked = dict.fromkeys(keys)
        with self._database.reading() as connection:
            columns = batches.c.number, batches.c.id, batches.c.state
            of_target = connection.execute(select(*columns).where(batches.c.target_key == target, IS_STORED)).all()
            if not of_target:
                return {}
            found = _FoundSends[EventKey](of_target, superseded)
            for ids in iter_chunks(key for key in asked if isinstance(key, str)):
                given_by_stored = {make_indexable(id_): id_ for id_ in ids}
                for event_id, batch, state, when in connection.execute(_select_sends(given_by_stored)):
                    found.add(given_by_stored[event_id], batch, state, when)
            lines = [key for key in asked if isinstance(key, OrderLine)]
            return found.sends | _find_lines(connection, lines, _FoundSends(of_target, superseded))

    def prior_send_lookup(self, target: str, superseded: Collection[int] = ()) -> PriorSendLookup:
        """The look-up of events that validation is given, as :meth:`prior_sends` has it."""
        return partial(self.prior_sends, target, superseded=superseded)


def _select_sends(stored_ids: Collection[str], *more: Column[Any]) -> Select[Any]:
    """The events of some ids, with their batch, state and time; without ``more`` the index has all of the event."""
    return (
        select(events.c.event_id, events.c.batch, requests.c.state, requests.c.updated_at, *more)
        .join(requests, requests.c.id == events.c.request)
        .where(events.c.event_id.in_(list(stored_ids)))
    )


def _find_lines(
    connection: Connection, lines: Sequence[OrderLine], found: "_FoundSends[_StoredKey]"
) -> dict[EventKey, PriorSend]:
    """What became of lines of orders; ``found`` is empty."""
    stored = [OrderLine(make_indexable(line.event_id), make_indexable(line.product_id)) for line in lines]
    for ids in iter_chunks(dict.fromkeys(line.event_id for line in stored)):
        query = _select_sends(ids, events.c.name, events.c.product_id)
        for event_id, batch, state, when, name, product in connection.execute(query):
            is_line = name == _ORDERED and product is not None
            found.add((event_id, product) if is_line else event_id, batch, state, when)
    sends: dict[EventKey, PriorSend] = {}
    for line, given in zip(stored, lines, strict=True):
        own, by_id = found.sends.get(line), found.sends.get(line.event_id)
        if by_id is not None and (own is None or _STATE_WEIGHTS[own.state] < _STATE_WEIGHTS[by_id.state]):
            sends[given] = by_id._replace(by_id_alone=True)
        elif own is not None:
            sends[given] = own
    return sends


class _FoundSends(Generic[KeyT]):
    """Of several sends of each event the one that says most.

    Attributes:
        sends: these, by id or by id and product.
    """

    def __init__(self, of_target: Sequence[Row[int, str, str]], superseded: Collection[int]) -> None:
        self.sends: dict[KeyT, PriorSend] = {}
        self._batch_ids = {row.number: row.id for row in of_target}
        self._unfinished = {row.number for row in of_target if BatchState(row.state) not in FINAL_BATCH_STATES}
        self._superseded = superseded
        self._weights: dict[KeyT, tuple[int, int]] = {}

    def add(self, key: KeyT, batch: int, state: str, when: int) -> None:
        """Weigh one send of an event."""
        if state == _NOT_SENT and batch in self._unfinished:
            state = _PENDING
        weight = _STATE_WEIGHTS.get(state, -1), when
        if weight[0] < 0 or batch not in self._batch_ids or (state == _PENDING and batch in self._superseded):
            return
        if weight >= self._weights.get(key, weight):
            self._weights[key] = weight
            self.sends[key] = PriorSend(state, when, self._batch_ids[batch])


def _make_occurrence(row: Any, event_id: str) -> EventOccurrence:
    return EventOccurrence(
        event_id=event_id,
        batch=row.id,
        label=row.label,
        request=row.request,
        position=row.position,
        name=row.name,
        product_id=row.product_id,
        target_key=row.target_key,
        target_name=row.target_name,
        state=RequestState(row.state),
        status=row.status,
        reason=row.reason or "",
        tries=row.tries,
        when=row.updated_at,
        identities=tuple(text for column in IDENTITY_COLUMNS if (text := getattr(row, column)) is not None),
    )
