"""What became of rows, ids and persons: the questions that go through many requests at once."""

import zlib
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import groupby, islice
from typing import TypeVar

import pyarrow as pa
from sqlalchemy import Connection, case, func, literal, select

from intempt_core.contract import PersonEvent, PersonHistory, explain_not_counting
from intempt_core.history.database import Database
from intempt_core.history.persons import ResolvedPerson, StoredEvent, find_last_identity, resolve_person
from intempt_core.history.queries import IS_LAST_ATTEMPT, find_batch_number, read_recorded_events
from intempt_core.history.records import IDENTITY_COLUMNS, RequestIntent, RequestState
from intempt_core.history.schema import attempts, batches, bodies, events, excluded_rows, make_indexable, requests
from intempt_core.history.transitions import IS_STORED
from intempt_core.history.views import AcceptedEvent, RowOutcome
from intempt_core.validation import PriorSend

T = TypeVar("T")

OUTCOME_CHUNK_IDS = 500
"""Ids in one question: databases bound the parameters of a statement."""

EXPORT_CHUNK_ROWS = 5_000
"""Rows that an export reads at a time: each a short transaction, so that a slow download holds nobody up."""

_STATE_WEIGHTS = {
    RequestState.REJECTED.value: 0,
    RequestState.PENDING.value: 1,
    RequestState.IN_FLIGHT.value: 1,
    RequestState.UNKNOWN.value: 2,
    RequestState.ACCEPTED.value: 3,
}
"""How much each state of an event id weighs: an event that arrived is not unsaid by a later refusal. States that are
absent mean that the event certainly never arrived."""


_FUNNEL_COLUMNS = (
    ("name", events.c.name),
    ("productId", events.c.product_id),
    ("eventId", case((events.c.event_id.is_not(None), literal(value=True)))),  # whether there is one: null where not
    *((field, events.c[column]) for field, column in IDENTITY_COLUMNS.items()),
    ("timestamp", events.c.timestamp),
)
_ACCEPTED_SCHEMA = pa.schema(
    [
        (field, {"timestamp": pa.int64(), "eventId": pa.bool_()}.get(field, pa.large_string()))
        for field, _ in _FUNNEL_COLUMNS
    ]
    + [("attempt", pa.int64()), ("position", pa.int64())]
)


class OutcomeQueries(Database):
    """Questions about what was sent, row by row and person by person."""

    def rows(self, batch: str) -> Iterator[RowOutcome]:
        """One outcome for every row of the input, in row order, those that stayed behind as well; memory stays flat.

        Raises :class:`NotFound` when the first row is asked for.
        """
        with self._reading() as connection:
            number = find_batch_number(connection, batch)
        begin: int | None = 0
        while begin is not None:
            with self._reading() as connection:
                begin = _find_first_row(connection, number, begin)
                window = (
                    [] if begin is None else _read_row_outcomes(connection, number, begin, begin + EXPORT_CHUNK_ROWS)
                )
            yield from window
            begin = None if begin is None else begin + EXPORT_CHUNK_ROWS

    def lane_events(self, batch: str, states: Iterable[RequestState]) -> dict[int, int]:
        """How many events each lane of a batch has in those states. Raises :class:`NotFound`."""
        with self._reading() as connection:
            columns = requests.c
            held = select(columns.lane, func.sum(columns.events)).where(
                columns.batch == find_batch_number(connection, batch),
                columns.state.in_([state.value for state in states]),
            )
            return {lane: int(events) for lane, events in connection.execute(held.group_by(columns.lane))}

    def request_intents(
        self, batch: str, states: Iterable[RequestState], *, limit: int | None = None
    ) -> Iterator[RequestIntent]:
        """The batch's requests in those states, byte-identical and in their order, to be recorded again as a resend.

        With ``limit`` only the first ones. Raises :class:`NotFound` when the first one is asked for.
        """
        with self._reading() as connection:
            columns = requests.c
            wanted = select(columns.id, columns.lane).where(
                columns.batch == find_batch_number(connection, batch),
                columns.state.in_([state.value for state in states]),
            )
            ordered = wanted.order_by(columns.lane, columns.position, columns.part).limit(limit)
            places = connection.execute(ordered).all()
        counted = (
            (place.id, lane, position)
            for lane, of_lane in groupby(places, key=lambda place: place.lane)
            for position, place in enumerate(of_lane, 1)
        )
        for some in _chunk_items(counted, 100):
            ids = [id_ for id_, _, _ in some]
            with self._reading() as connection:
                found = select(bodies.c.request, bodies.c.body).where(bodies.c.request.in_(ids))
                texts = {row.request: row.body for row in connection.execute(found)}
                held = read_recorded_events(connection, ids)
            for id_, lane, position in some:
                intents = [recorded.event for recorded in held.get(id_, ())]
                yield RequestIntent(lane, position, zlib.decompress(texts[id_]), intents)

    def sent_ids(self, target: str, ids: Iterable[str]) -> dict[str, PriorSend]:
        """What became of events of these ids at a target (a ``key``), when, and in which batch.

        Of several the one that says most: accepted, then unknown, then on its way or waiting, then rejected; of equal
        ones the latest. Ids that were never sent there, or certainly never arrived, are not among the
        answers.
        """
        said: dict[str, PriorSend] = {}
        with self._reading() as connection:
            found = select(batches.c.number, batches.c.id).where(batches.c.target_key == target, IS_STORED)
            there = {row.number: row.id for row in connection.execute(found)}
            if not there:
                return said
            for some in _chunk_items(dict.fromkeys(ids), OUTCOME_CHUNK_IDS):
                names = {make_indexable(id_): id_ for id_ in some}
                asked = (
                    select(events.c.event_id, events.c.batch, requests.c.state, requests.c.updated_at)
                    .join(requests, requests.c.id == events.c.request)
                    .where(events.c.event_id.in_(list(names)))
                )
                weights: dict[str, tuple[int, int]] = {}
                for event_id, batch, state, when in connection.execute(asked):
                    weight = (_STATE_WEIGHTS.get(state, -1), when)
                    if batch in there and state in _STATE_WEIGHTS and weight >= weights.get(event_id, weight):
                        weights[event_id] = weight
                        said[names[event_id]] = PriorSend(state, when, there[batch])
        return said

    def interactions(self, target: str, field: str, value: str, *, limit: int = 10_000) -> list[AcceptedEvent]:
        """The last ``limit`` accepted events of a person at a target (a ``key``), oldest first (CONTRACT 4.7).

        ``field`` is one of :data:`~intempt_core.contract.fields.IDENTITY_FIELDS`, and the person all that the id
        leads to (ARCHITECTURE, person): events that share a profile, a user or another user's id are one person's, of
        whichever batch. An account is asked for as such and leads to no person. Events that miss what they need are not processed (CONTRACT 2.6) and
        not among them; where the target deduplicates (as it was last confirmed), a repeat is not either (CONTRACT 2.9).
        """
        found = self._resolve_person(target, field, value, limit)
        return [
            AcceptedEvent(one.name or "", one.product_id or "", one.event_id or "", one.when, one.request)
            for one in (found.counted_events if found else [])[-limit:]
        ]

    def person_history(self, target: str, field: str, value: str, *, limit: int = 10_000) -> PersonHistory:
        """Everything that was sent of a person to a target (a ``key``), whatever came of it, oldest first.

        Who the person is, is as :meth:`interactions` has it, and so is what counts: each step says why it does not.
        """
        found = self._resolve_person(target, field, value, limit)
        if found is None:
            return PersonHistory((), ((field, value),))
        return PersonHistory(
            tuple(_make_person_event(one, repeats=one.arrival_order in found.repeats) for one in found.events),
            tuple(found.identities),
        )

    def accepted_events(self, batch: str) -> pa.Table:
        """The accepted events of a batch in their order of arrival, as ``conversion.py`` takes them.

        A million take some seconds and about 150 MB. Raises :class:`NotFound`.
        """
        with self._reading() as connection:
            number = find_batch_number(connection, batch)
            # From the requests to their events, each found by its key: the batch's events stand together.
            asked = (
                select(*(column for _, column in _FUNNEL_COLUMNS), requests.c.last_attempt, events.c.position)
                .select_from(requests.join(events, events.c.request == requests.c.id))
                .where(requests.c.batch == number, requests.c.state == RequestState.ACCEPTED.value)
            )
            rows = connection.execution_options(yield_per=EXPORT_CHUNK_ROWS).execute(asked)
            parts = [pa.table(list(zip(*part, strict=True)), _ACCEPTED_SCHEMA) for part in rows.partitions()]
        whole = pa.concat_tables([_ACCEPTED_SCHEMA.empty_table(), *parts])
        return whole.sort_by([("attempt", "ascending"), ("position", "ascending")]).select(range(len(_FUNNEL_COLUMNS)))

    def last_identity(self, target: str) -> tuple[str, str] | None:
        """The identity (field, id) of the newest accepted event at a target (a ``key``), if there is one."""
        with self._reading() as connection:
            return find_last_identity(connection, target)

    def _resolve_person(self, target: str, field: str, value: str, limit: int) -> ResolvedPerson | None:
        """Whom an id leads to; ``None`` where nothing was sent to the target."""
        with self._reading() as connection:
            newest = select(batches.c.deduplicates).where(batches.c.target_key == target, IS_STORED)
            deduplicates = connection.execute(newest.order_by(batches.c.number.desc()).limit(1)).scalar()
            if deduplicates is None:
                return None
            name = (field, make_indexable(value))
            return resolve_person(connection, target, name, deduplicates=bool(deduplicates), limit=limit)


def _make_person_event(event: StoredEvent, *, repeats: bool) -> PersonEvent:
    """An event of history as a step of its person."""
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


def _chunk_items(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items, ``size`` at a time."""
    left = iter(items)
    return iter(lambda: list(islice(left, size)), [])


def _find_first_row(connection: Connection, number: int, begin: int) -> int | None:
    """The first row from ``begin`` on that history knows anything about."""
    firsts = [
        connection.execute(select(func.min(table.c.row)).where(table.c.batch == number, table.c.row >= begin)).scalar()
        for table in (events, excluded_rows)
    ]
    return min((int(first) for first in firsts if first is not None), default=None)


def _read_row_outcomes(connection: Connection, number: int, begin: int, end: int) -> list[RowOutcome]:
    """The rows from ``begin`` up to ``end``, which is not among them."""
    inside = (events.c.batch == number, events.c.row >= begin, events.c.row < end)
    sent = (
        select(
            events.c.row,
            events.c.line,
            events.c.event_id,
            events.c.name,
            requests.c.state,
            attempts.c.status,
            attempts.c.reason,
            requests.c.tries,
            requests.c.updated_at,
            requests.c.id,
        )
        .join(requests, requests.c.id == events.c.request)
        .outerjoin(attempts, IS_LAST_ATTEMPT)
        .where(*inside)
        .order_by(events.c.row, events.c.request, events.c.position)
    )
    kept_back = (
        select(excluded_rows)
        .where(excluded_rows.c.batch == number, excluded_rows.c.row >= begin, excluded_rows.c.row < end)
        .order_by(excluded_rows.c.row)
    )
    went = (
        RowOutcome(row, line, event_id, name, RequestState(state), (), status, reason or "", tries, when, request)
        for row, line, event_id, name, state, status, reason, tries, when, request in connection.execute(sent)
    )
    stayed = (
        RowOutcome(row.row, row.line, row.event_id, row.name, None, tuple(row.codes.split()))
        for row in connection.execute(kept_back)
    )
    return list(merge(went, stayed, key=lambda outcome: outcome.row))
