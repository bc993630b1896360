"""What screens, checks and exports ask. Nothing here writes."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from heapq import merge
from itertools import groupby, islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select, func, or_, select

from intempt_core.client import Outcome
from intempt_core.errors import NotFound
from intempt_core.events import EventName
from intempt_core.history.database import Database
from intempt_core.history.records import (
    IDENTITY_COLUMNS,
    SEARCHED,
    Arrival,
    AttemptRecord,
    BatchFilter,
    BatchState,
    BatchSummary,
    EventIntent,
    Page,
    RecordedEvent,
    RequestIntent,
    RequestRecord,
    RequestState,
    RequestSummary,
    RowOutcome,
    Source,
    TargetSnapshot,
)
from intempt_core.history.schema import attempts, batches, bodies, events, kept, left_behind, requests
from intempt_core.plan import Policy

IDS_AT_ONCE = 500
"""Ids in one question: databases bound the parameters of a statement."""

ROWS_AT_ONCE = 5_000
"""Rows that an export reads at a time: each a short transaction, so that a slow download holds nobody up."""

LARGEST_ID = 2**63 - 1

T = TypeVar("T")

_SENT = {
    RequestState.ACCEPTED: "accepted on",
    RequestState.REFUSED: "refused on",
    RequestState.UNKNOWN: "sent, and may have arrived, on",
    RequestState.LEAVING: "set on its way on",
    RequestState.PENDING: "recorded, to be sent soon, on",
}
"""What history says of an event id; states that are absent mean that the event certainly never arrived."""

_EVENT = tuple(events.c[name] for name in EventIntent._fields)
_LAST = attempts.c.id == requests.c.last_attempt


class Reading(Database):
    """Questions."""

    def batches(self, where: BatchFilter | None = None, *, page: int = 1, size: int = 50) -> Page[BatchSummary]:
        """Batches, newest first."""
        chosen = _filtered(where or BatchFilter())
        newest = select(batches).where(*chosen).order_by(batches.c.number.desc())
        with self._reading() as connection:
            total = connection.execute(select(func.count()).select_from(batches).where(*chosen)).scalar_one()
            rows = connection.execute(newest.limit(size).offset((max(1, page) - 1) * size)).all()
            return Page(_summaries(connection, rows), total, max(1, page), size)

    def batch(self, batch: str) -> BatchSummary:
        """One batch with its counts. Cheap: may be asked every second. Raises :class:`NotFound`."""
        with self._reading() as connection:
            rows = connection.execute(select(batches).where(batches.c.id == batch)).all()
            if not rows:
                raise NotFound(f"History knows no batch {batch}.")
            return _summaries(connection, rows)[0]

    def target_names(self) -> list[str]:
        """Names of the targets that batches went to, sorted."""
        with self._reading() as connection:
            return sorted(connection.execute(select(batches.c.target_name).distinct()).scalars())

    def requests(
        self, batch: str, state: RequestState | None = None, *, page: int = 1, size: int = 100
    ) -> Page[RequestSummary]:
        """A batch's requests in the order of recording; of one state where given. Raises :class:`NotFound`."""
        with self._reading() as connection:
            number = _number(connection, batch)
            chosen = [requests.c.batch == number, *([requests.c.state == state.value] if state else [])]
            total = connection.execute(select(func.count()).select_from(requests).where(*chosen)).scalar_one()
            # The page's ids come from an index alone; only they are then looked up.
            ids = select(requests.c.id).where(*chosen).order_by(requests.c.id)
            ids = ids.limit(size).offset((max(1, page) - 1) * size)
            rows = connection.execute(_listed().where(requests.c.id.in_(ids)).order_by(requests.c.id))
            return Page(tuple(_request(row) for row in rows), total, max(1, page), size)

    def request(self, request: int | str) -> RequestRecord:
        """One request whole. Raises :class:`NotFound`, also for what is no number."""
        known = _as_id(request)
        with self._reading() as connection:
            row = connection.execute(
                _listed(bodies.c.body).join(bodies, bodies.c.request == requests.c.id).where(requests.c.id == known)
            ).one_or_none()
            if row is None:
                raise NotFound(f"History knows no request {request}.")
            halves = select(requests.c.id).where(requests.c.parent == known).order_by(requests.c.part)
            return RequestRecord(
                summary=_request(row),
                body=zlib.decompress(row.body),
                events=tuple(_events(connection, [known]).get(known, ())),
                attempts=tuple(_attempts(connection, known)),
                halves=tuple(connection.execute(halves).scalars()),
            )

    def attempts(self, request: int) -> list[AttemptRecord]:
        """A request's attempts, first one first."""
        with self._reading() as connection:
            return _attempts(connection, _as_id(request))

    def events_of(self, request: int) -> list[RecordedEvent]:
        """A request's events in the body's order; none for a split one."""
        with self._reading() as connection:
            return _events(connection, [_as_id(request)]).get(request, [])

    def rows(self, batch: str) -> Iterator[RowOutcome]:
        """One outcome for every row of the input, in row order, those that stayed behind as well; memory stays flat.

        Raises :class:`NotFound` when the first row is asked for.
        """
        with self._reading() as connection:
            number = _number(connection, batch)
        begin: int | None = 0
        while begin is not None:
            with self._reading() as connection:
                begin = _first_row(connection, number, begin)
                window = [] if begin is None else _rows(connection, number, begin, begin + ROWS_AT_ONCE)
            yield from window
            begin = None if begin is None else begin + ROWS_AT_ONCE

    def bodies(self, batch: str, states: Iterable[RequestState]) -> Iterator[RequestIntent]:
        """The batch's requests in those states, byte-identical and in their order, to be recorded again as a resend.

        Raises :class:`NotFound` when the first one is asked for.
        """
        with self._reading() as connection:
            columns = requests.c
            wanted = select(columns.id, columns.lane).where(
                columns.batch == _number(connection, batch), columns.state.in_([state.value for state in states])
            )
            places = connection.execute(wanted.order_by(columns.lane, columns.position, columns.part)).all()
        counted = (
            (place.id, lane, position)
            for lane, of_lane in groupby(places, key=lambda place: place.lane)
            for position, place in enumerate(of_lane, 1)
        )
        for some in _some(counted, 100):
            ids = [id_ for id_, _, _ in some]
            with self._reading() as connection:
                found = select(bodies.c.request, bodies.c.body).where(bodies.c.request.in_(ids))
                texts = {row.request: row.body for row in connection.execute(found)}
                held = _events(connection, ids)
            for id_, lane, position in some:
                intents = [recorded.event for recorded in held.get(id_, ())]
                yield RequestIntent(lane, position, zlib.decompress(texts[id_]), intents)

    def sent_ids(self, target: str, ids: Iterable[str]) -> dict[str, str]:
        """What became of events of these ids at a target (a ``key``): ``accepted on 2026-11-22 12:03 UTC``.

        The latest outcome of each. Ids that were never sent there, or certainly never arrived, are not among the
        answers.
        """
        said: dict[str, str] = {}
        with self._reading() as connection:
            there = set(connection.execute(select(batches.c.number).where(batches.c.target_key == target)).scalars())
            if not there:
                return said
            for some in _some(dict.fromkeys(ids), IDS_AT_ONCE):
                names = {kept(id_): id_ for id_ in some}
                found = (
                    select(events.c.event_id, events.c.batch, requests.c.state, requests.c.updated_at)
                    .join(requests, requests.c.id == events.c.request)
                    .where(events.c.event_id.in_(list(names)))
                )
                rows = [row for row in connection.execute(found) if row.batch in there and row.state in _SENT]
                for row in sorted(rows, key=lambda row: row.updated_at):
                    when = datetime.fromtimestamp(row.updated_at / 1000, UTC)
                    said[names[row.event_id]] = f"{_SENT[RequestState(row.state)]} {when:%Y-%m-%d %H:%M} UTC"
        return said

    def same_file(self, digest: str, target: str) -> list[BatchSummary]:
        """Batches of the same file (SHA-256 of its bytes) to the same target (a ``key``), newest first."""
        same = select(batches).where(batches.c.digest == digest, batches.c.target_key == target)
        with self._reading() as connection:
            rows = connection.execute(same.order_by(batches.c.number.desc())).all()
            return list(_summaries(connection, rows))

    def interactions(self, target: str, field: str, value: str, *, limit: int = 10_000) -> list[Arrival]:
        """The last ``limit`` accepted events of a person at a target (a ``key``), oldest first (CONTRACT 4.7).

        ``field`` is one of :data:`~intempt_core.events.IDENTITIES`. Events that miss what they need are not processed
        (CONTRACT 2.6) and not among them; where the target deduplicates, a repeated event id counts once (CONTRACT 2.2,
        2.9).
        """
        columns = events.c
        found = (
            select(
                columns.name,
                columns.product_id,
                columns.event_id,
                columns.request,
                requests.c.updated_at,
                batches.c.deduplicates,
            )
            .join(requests, requests.c.id == columns.request)
            .join(batches, batches.c.number == columns.batch)
            .where(
                columns[IDENTITY_COLUMNS[field]] == kept(value),
                columns.name.in_([name.value for name in EventName]),
                columns.event_id.is_not(None),
                columns.product_id.is_not(None),
                requests.c.state == RequestState.ACCEPTED.value,
                batches.c.target_key == target,
            )
            .order_by(requests.c.last_attempt.desc(), columns.position.desc())
            .limit(limit)
        )
        with self._reading() as connection:
            rows = connection.execute(found).all()
        seen: set[tuple[str, str]] = set()
        arrivals = []
        for row in reversed(rows):
            key = (row.event_id, row.product_id if row.name == EventName.ORDERED else "")
            if row.deduplicates and key in seen:
                continue
            seen.add(key)
            arrivals.append(Arrival(row.name, row.product_id, row.event_id, row.updated_at, row.request))
        return arrivals


def _some(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items, ``size`` at a time."""
    left = iter(items)
    return iter(lambda: list(islice(left, size)), [])


# ── batches ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _filtered(where: BatchFilter) -> list[Any]:
    chosen: list[Any] = []
    if where.since is not None:
        chosen.append(batches.c.created_at >= where.since)
    if where.until is not None:
        chosen.append(batches.c.created_at < where.until)
    if where.target is not None:
        chosen.append(batches.c.target_name == where.target)
    if where.source is not None:
        chosen.append(batches.c.source == where.source.value)
    if where.outcome is not None:
        of_state = select(requests.c.batch).where(
            requests.c.batch == batches.c.number, requests.c.state == where.outcome.value
        )
        chosen.append(of_state.exists())
    if where.text:
        text = kept(where.text)
        chosen.append(or_(batches.c.id == text, *(batches.c.number.in_(_jumps(name, text)) for name in SEARCHED)))
    return chosen


def _jumps(column: str, text: str) -> Select[Any]:
    """The batches that hold an event with this id, found by jumping through the index from one batch to the next.

    A product may stand in a million events of ten batches: this looks eleven times, not a million.
    """
    same = events.c[column] == text
    hit = select(func.min(events.c.batch).label("batch")).where(same).cte(f"hit_{column}", recursive=True)
    following = select(func.min(events.c.batch)).where(same, events.c.batch > hit.c.batch).scalar_subquery()
    hit = hit.union_all(select(following).where(hit.c.batch.is_not(None)))
    return select(hit.c.batch).where(hit.c.batch.is_not(None))


def _number(connection: Connection, batch: str) -> int:
    number = connection.execute(select(batches.c.number).where(batches.c.id == batch)).scalar()
    if number is None:
        raise NotFound(f"History knows no batch {batch}.")
    return int(number)


def _summaries(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[BatchSummary, ...]:
    """Batches with their counts, which come from one index and never drift: they are counted, not kept."""
    counted = (
        select(
            requests.c.batch,
            requests.c.state,
            func.count().label("requests"),
            func.sum(requests.c.events).label("events"),
        )
        .where(requests.c.batch.in_([row.number for row in rows]))
        .group_by(requests.c.batch, requests.c.state)
    )
    held: dict[int, dict[RequestState, int]] = {row.number: {} for row in rows}
    made: dict[int, dict[RequestState, int]] = {row.number: {} for row in rows}
    for row in connection.execute(counted):
        state = RequestState(row.state)
        made[row.batch][state] = int(row.requests)
        if state is not RequestState.SPLIT:
            held[row.batch][state] = int(row.events)
    return tuple(_summary(row, held[row.number], made[row.number]) for row in rows)


def _summary(row: Row[Any], held: dict[RequestState, int], made: dict[RequestState, int]) -> BatchSummary:
    return BatchSummary(
        id=row.id,
        created_at=row.created_at,
        changed_at=row.changed_at,
        source=Source(row.source),
        label=row.label,
        target=TargetSnapshot(
            key=row.target_key,
            name=row.target_name,
            base=row.base,
            host=row.host,
            org=row.org,
            project=row.project,
            source_id=row.source_id,
            track_url=row.track_url,
            origin=row.origin,
            production=row.production,
            deduplicates=row.deduplicates,
            credential_reference=row.credential_reference,
            feeds=row.feeds,
        ),
        policy=Policy(row.policy),
        state=BatchState(row.state),
        reason=row.reason,
        owner=row.owner,
        rows=row.rows,
        left_behind=row.left_behind,
        persons=row.persons,
        lanes=row.lanes,
        digest=row.digest,
        mapping=row.mapping,
        notes=row.notes,
        resend_of=row.resend_of,
        events=held,
        requests=made,
    )


# ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _as_id(request: int | str) -> int:
    """An id that may come from a link, and may be anything. Raises :class:`NotFound`."""
    text = str(request)
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= LARGEST_ID):
        raise NotFound(f"History knows no request {text[:40]}.")
    return int(text)


def _listed(*more: Any) -> Select[Any]:
    return (
        select(requests, batches.c.id.label("name"), attempts.c.status, attempts.c.reason, *more)
        .join(batches, batches.c.number == requests.c.batch)
        .outerjoin(attempts, _LAST)
    )


def _request(row: Row[Any]) -> RequestSummary:
    return RequestSummary(
        id=row.id,
        batch=row.name,
        lane=row.lane,
        position=row.position,
        part=row.part,
        events=row.events,
        state=RequestState(row.state),
        tries=row.tries,
        doubt=row.doubt,
        retry_at=row.retry_at,
        updated_at=row.updated_at,
        parent=row.parent,
        status=row.status,
        reason=row.reason or "",
    )


def _attempts(connection: Connection, request: int) -> list[AttemptRecord]:
    found = connection.execute(select(attempts).where(attempts.c.request == request).order_by(attempts.c.id))
    return [
        AttemptRecord(
            id=row.id,
            request=row.request,
            number=number,
            started_at=row.started_at,
            elapsed_ms=row.elapsed_ms,
            outcome=Outcome(row.outcome),
            status=row.status,
            reason=row.reason,
            headers=tuple((name, value) for name, value in row.headers),
            sent_headers=tuple((name, value) for name, value in row.sent_headers),
            answer=row.answer,
            answer_length=row.answer_length,
            answer_cut=row.answer_cut,
        )
        for number, row in enumerate(found, 1)
    ]


def _events(connection: Connection, ids: Sequence[int]) -> dict[int, list[RecordedEvent]]:
    """The events of some requests, by request, in the bodies' order."""
    found = (
        select(events.c.request, events.c.position.label("place"), requests.c.state, *_EVENT)
        .join(requests, requests.c.id == events.c.request)
        .where(events.c.request.in_(ids))
        .order_by(events.c.request, events.c.position)
    )
    held: dict[int, list[RecordedEvent]] = {}
    for request, place, state, *event in connection.execute(found):
        recorded = RecordedEvent(request, place, EventIntent(*event), RequestState(state))
        held.setdefault(request, []).append(recorded)
    return held


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _first_row(connection: Connection, number: int, begin: int) -> int | None:
    """The first row from ``begin`` on that history knows anything about."""
    firsts = [
        connection.execute(select(func.min(table.c.row)).where(table.c.batch == number, table.c.row >= begin)).scalar()
        for table in (events, left_behind)
    ]
    return min((int(first) for first in firsts if first is not None), default=None)


def _rows(connection: Connection, number: int, begin: int, end: int) -> list[RowOutcome]:
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
        .outerjoin(attempts, _LAST)
        .where(*inside)
        .order_by(events.c.row, events.c.request, events.c.position)
    )
    kept_back = (
        select(left_behind)
        .where(left_behind.c.batch == number, left_behind.c.row >= begin, left_behind.c.row < end)
        .order_by(left_behind.c.row)
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
