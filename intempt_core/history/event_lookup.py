"""Look-ups by event id: which requests held an event, and whether it was sent before.

Validation asks the second question through its protocol :class:`~intempt_core.validation.PriorSendLookup`.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import select

from intempt_core.history.database import Database, iter_chunks
from intempt_core.history.queries import IS_LAST_ATTEMPT
from intempt_core.history.records import BatchState, RequestState
from intempt_core.history.schema import attempts, batches, events, make_indexable, requests
from intempt_core.history.transitions import FINAL_BATCH_STATES, IS_STORED
from intempt_core.validation import PriorSend, PriorSendLookup

_STATE_WEIGHTS = {
    RequestState.REJECTED.value: 0,
    RequestState.PENDING.value: 1,
    RequestState.IN_FLIGHT.value: 1,
    RequestState.UNKNOWN.value: 2,
    RequestState.ACCEPTED.value: 3,
}
"""How much each state of an event id says: an event that arrived stays so after a later rejection. States that are
absent mean that the event certainly never arrived."""


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

    def prior_sends(self, target: str, ids: Iterable[str], *, superseded: Collection[int] = ()) -> dict[str, PriorSend]:
        """What became of events of these ids at a target (a ``key``), when, and in which batch.

        Of several sends of one id it is the one that says most: accepted, then unknown, then in flight or pending,
        then rejected; of equal ones the latest. What is not sent counts as pending where its batch may be resumed. Ids
        that were never sent there, or certainly never arrived, are left out, and what is pending in ``superseded``
        batches (their numbers), for those give their rest to another one.
        """
        found: dict[str, PriorSend] = {}
        with self._database.reading() as connection:
            columns = batches.c.number, batches.c.id, batches.c.state
            of_target = connection.execute(select(*columns).where(batches.c.target_key == target, IS_STORED)).all()
            batch_ids = {row.number: row.id for row in of_target}
            unfinished = {row.number for row in of_target if BatchState(row.state) not in FINAL_BATCH_STATES}
            if not batch_ids:
                return found
            for some in iter_chunks(dict.fromkeys(ids)):
                given_by_stored = {make_indexable(id_): id_ for id_ in some}
                query = (
                    select(events.c.event_id, events.c.batch, requests.c.state, requests.c.updated_at)
                    .join(requests, requests.c.id == events.c.request)
                    .where(events.c.event_id.in_(list(given_by_stored)))
                )
                weights: dict[str, tuple[int, int]] = {}
                for event_id, batch, given_state, when in connection.execute(query):
                    is_waiting = given_state == RequestState.NOT_SENT.value and batch in unfinished
                    state = RequestState.PENDING.value if is_waiting else given_state
                    if state == RequestState.PENDING.value and batch in superseded:
                        continue
                    weight = (_STATE_WEIGHTS.get(state, -1), when)
                    if batch in batch_ids and state in _STATE_WEIGHTS and weight >= weights.get(event_id, weight):
                        weights[event_id] = weight
                        found[given_by_stored[event_id]] = PriorSend(state, when, batch_ids[batch])
        return found

    def prior_send_lookup(self, target: str, superseded: Collection[int] = ()) -> PriorSendLookup:
        """The look-up of event ids that validation is given, as :meth:`prior_sends` has it."""
        return partial(self.prior_sends, target, superseded=superseded)


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
    )
