"""Outcomes of a whole batch, row by row, lane by lane or request by request; long results are read in chunks."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from heapq import merge
from itertools import groupby
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, case, func, literal, not_, select

from intempt_core.contract import parse_verdict
from intempt_core.history.database import Database, iter_chunks
from intempt_core.history.queries import IS_LAST_ATTEMPT, find_batch_number, read_recorded_events
from intempt_core.history.records import IDENTITY_COLUMNS, HistoryCheckpoint, RequestIntent, RequestState
from intempt_core.history.resends import was_resent
from intempt_core.history.schema import attempts, bodies, events, excluded_rows, requests
from intempt_core.history.views import LaneSize, RowOutcome

BODIES_PER_STATEMENT = 100
"""Bodies that are read at a time: each may be as large as a request can be."""

EXPORT_CHUNK_ROWS = 5_000
"""Rows that are read in one transaction: a short one, so that a slow download keeps no other work waiting."""

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


class OutcomeQueries:
    """Reads the outcomes of a whole batch."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self, batch: str) -> Iterator[RowOutcome]:
        """One outcome for every row of the input, excluded rows too, in row order; memory stays flat.

        Raises :class:`NotFound` when the first row is read.
        """
        with self._database.reading() as connection:
            number = find_batch_number(connection, batch)
        begin: int | None = 0
        while begin is not None:
            with self._database.reading() as connection:
                begin = _find_first_row(connection, number, begin)
                window = (
                    [] if begin is None else _read_row_outcomes(connection, number, begin, begin + EXPORT_CHUNK_ROWS)
                )
            yield from window
            begin = None if begin is None else begin + EXPORT_CHUNK_ROWS

    def lane_sizes(
        self, batch: str, states: Iterable[RequestState], *, seen: HistoryCheckpoint | None = None
    ) -> dict[int, LaneSize]:
        """How many requests and events each lane of a batch has in those states.

        ``seen`` is as in :meth:`request_intents`. Raises :class:`NotFound`.
        """
        with self._database.reading() as connection:
            columns = requests.c
            held = select(columns.lane, func.count(), func.sum(columns.events)).where(
                columns.batch == find_batch_number(connection, batch),
                columns.state.in_([state.value for state in states]),
                *([not_(was_resent(seen))] if seen is not None else []),
            )
            found = connection.execute(held.group_by(columns.lane))
            return {lane: LaneSize(int(count), int(events)) for lane, count, events in found}

    def request_intents(
        self,
        batch: str,
        states: Iterable[RequestState],
        *,
        limit: int | None = None,
        seen: HistoryCheckpoint | None = None,
    ) -> Iterator[RequestIntent]:
        """The batch's requests in those states, byte-identical and in their order, to be recorded again as a resend.

        With ``limit`` only the first ones. With ``seen`` without those that were not accepted and that a batch to its
        target which it has seen sends again already. Raises :class:`NotFound` when the first one is read.
        """
        with self._database.reading() as connection:
            columns = requests.c
            wanted = select(columns.id, columns.lane).where(
                columns.batch == find_batch_number(connection, batch),
                columns.state.in_([state.value for state in states]),
                *([not_(was_resent(seen))] if seen is not None else []),
            )
            ordered = wanted.order_by(columns.lane, columns.position, columns.part).limit(limit)
            places = connection.execute(ordered).all()
        counted = [
            (position, lane, place.id)
            for lane, of_lane in groupby(places, key=lambda place: place.lane)
            for position, place in enumerate(of_lane, 1)
        ]
        counted.sort()  # the first requests of all lanes come first, so that every lane has work at once
        for some in iter_chunks(counted, BODIES_PER_STATEMENT):
            ids = [id_ for _, _, id_ in some]
            with self._database.reading() as connection:
                found = select(bodies.c.request, bodies.c.body).where(bodies.c.request.in_(ids))
                texts = {row.request: row.body for row in connection.execute(found)}
                held = read_recorded_events(connection, ids)
            for position, lane, id_ in some:
                intents = [recorded.event for recorded in held.get(id_, ())]
                yield RequestIntent(lane, position, zlib.decompress(texts[id_]), intents, resend_of=id_)

    def request_bodies(self, batch: str) -> Iterator[tuple[int, bytes]]:
        """The id and body of each request of a batch, lane by lane in its order; memory stays flat.

        Requests that were split are left out: their halves are there. Raises :class:`NotFound` when the first is read.
        """
        with self._database.reading() as connection:
            number = find_batch_number(connection, batch)
            whole = requests.c.batch == number, requests.c.state != RequestState.SPLIT.value
            ordered = select(requests.c.id).where(*whole)
            ids = connection.execute(ordered.order_by(requests.c.lane, requests.c.position, requests.c.part)).scalars()
            every = ids.all()
        for some in iter_chunks(every, BODIES_PER_STATEMENT):
            with self._database.reading() as connection:
                found = select(bodies.c.request, bodies.c.body).where(bodies.c.request.in_(some))
                texts = {row.request: row.body for row in connection.execute(found)}
            yield from ((id_, zlib.decompress(texts[id_])) for id_ in some if id_ in texts)

    def accepted_events(self, batch: str) -> pa.Table:
        """The accepted events of a batch in their order of arrival, as the funnel takes them.

        A million take some seconds and about 150 MB. Raises :class:`NotFound`.
        """
        with self._database.reading() as connection:
            number = find_batch_number(connection, batch)
            # From the requests to their events, each found by its key: a batch's events are stored side by side.
            asked = (
                select(*(column for _, column in _FUNNEL_COLUMNS), requests.c.last_attempt, events.c.position)
                .select_from(requests.join(events, events.c.request == requests.c.id))
                .where(requests.c.batch == number, requests.c.state == RequestState.ACCEPTED.value)
            )
            rows = connection.execution_options(yield_per=EXPORT_CHUNK_ROWS).execute(asked)
            parts = [pa.table(list(zip(*part, strict=True)), _ACCEPTED_SCHEMA) for part in rows.partitions()]
        whole = pa.concat_tables([_ACCEPTED_SCHEMA.empty_table(), *parts])
        return whole.sort_by([("attempt", "ascending"), ("position", "ascending")]).select(range(len(_FUNNEL_COLUMNS)))


def _find_first_row(connection: Connection, number: int, begin: int) -> int | None:
    """The first row from ``begin`` on that was sent or excluded."""
    firsts = [
        connection.execute(select(func.min(table.c.row)).where(table.c.batch == number, table.c.row >= begin)).scalar()
        for table in (events, excluded_rows)
    ]
    return min((int(first) for first in firsts if first is not None), default=None)


def _read_ignored_positions(connection: Connection, ids: Iterable[int]) -> dict[int, set[int]]:
    """Which events attempts say to be ignored, by attempt; of those that name all of them."""
    found: dict[int, set[int]] = {}
    for some in iter_chunks(ids):
        columns = attempts.c
        asked = select(columns.id, columns.headers, columns.processed, columns.ignored).where(columns.id.in_(some))
        for row in connection.execute(asked):
            verdict = parse_verdict(row.headers)
            if verdict and (verdict.processed, verdict.ignored, len(verdict.events)) == (row[2], row[3], row[3]):
                found[row.id] = {one.position for one in verdict.events}
    return found


def _judge_row(row: Sequence[Any], ignored_by_attempt: dict[int, set[int]]) -> bool | None:
    """Whether an event is processed, from what is known of its request; ``None`` where it may be either."""
    processed, ignored, attempt, position = row[-4:]
    if not processed and not ignored:
        return None
    if not processed or not ignored:
        return bool(processed)
    return position not in ignored_by_attempt[attempt] if attempt in ignored_by_attempt else None


_NAMED_COLUMNS = ("user_id", "profile_id", "another_user_id", "account_id", "product_id")
"""Whom and what an event names, in the order in which :class:`RowOutcome` has them."""


def _read_row_outcomes(connection: Connection, number: int, begin: int, end: int) -> list[RowOutcome]:
    """The outcomes of the rows from ``begin`` up to but not including ``end``."""
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
            events.c.member,
            *(events.c[column] for column in _NAMED_COLUMNS),
            attempts.c.processed,
            attempts.c.ignored,
            attempts.c.id,
            events.c.position,
        )
        .join(requests, requests.c.id == events.c.request)
        .outerjoin(attempts, IS_LAST_ATTEMPT)
        .where(*inside)
        .order_by(events.c.row, events.c.member, events.c.request, events.c.position)
    )
    excluded = (
        select(excluded_rows)
        .where(excluded_rows.c.batch == number, excluded_rows.c.row >= begin, excluded_rows.c.row < end)
        .order_by(excluded_rows.c.row, excluded_rows.c.member)
    )
    rows = connection.execute(sent).all()
    ignored = _read_ignored_positions(connection, {row[-2] for row in rows if row[-4] and row[-3]})
    sent_outcomes = (
        replace(RowOutcome(*place, RequestState(state), (), status, reason or "", *rest), processed=processed)
        for place, state, status, reason, rest, processed in (
            (row[:4], *row[4:7], row[7:-4], _judge_row(row, ignored)) for row in rows
        )
    )
    excluded_outcomes = (
        RowOutcome(row.row, row.line, row.event_id, row.name, None, tuple(row.codes.split()), member=row.member)
        for row in connection.execute(excluded)
    )
    return list(merge(sent_outcomes, excluded_outcomes, key=lambda outcome: (outcome.row, outcome.member)))
