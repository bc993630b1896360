"""Reads batches, requests and attempts for screens, the command line and exports. Nothing here writes."""

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, Select, case, func, or_, select

from intempt_core.contract import Outcome
from intempt_core.errors import NotFound
from intempt_core.history.bounded_cache import BoundedCache
from intempt_core.history.database import Database
from intempt_core.history.records import (
    BatchSource,
    BatchState,
    EventIntent,
    RequestState,
    TargetSnapshot,
)
from intempt_core.history.resends import NO_RESENDS, ResendCounts, read_resends
from intempt_core.history.schema import attempts, batches, bodies, events, requests, seconds
from intempt_core.history.transitions import IS_STORED
from intempt_core.history.views import (
    AttemptRecord,
    BatchFilter,
    BatchOrder,
    BatchSubjects,
    BatchSummary,
    Page,
    RecordedEvent,
    RequestRecord,
    RequestSummary,
    UndecidedCounts,
    VerdictCounts,
)
from intempt_core.history.worklist.batch_search import build_text_conditions, is_search_complete
from intempt_core.history.worklist.subjects import read_subjects
from intempt_core.history.worklist.undecided import count_undecided, count_waiting, select_undecided
from intempt_core.planning import Policy

MAX_REQUEST_ID = 2**63 - 1
"""Largest id that the database can hold; a link may name a larger one."""

MAX_CACHED_COUNTS = 20_000
"""Finished batches whose counts are cached: they never change again."""

_StateCounts: TypeAlias = tuple[dict[RequestState, int], dict[RequestState, int]]

_EVENT_COLUMNS = tuple(events.c[name] for name in EventIntent._fields)
IS_LAST_ATTEMPT = attempts.c.id == requests.c.last_attempt
"""Condition that joins a request with its last attempt."""


class HistoryQueries:
    """Reads batches, their requests, and the requests' attempts and events."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._final_counts = BoundedCache[str, _StateCounts](MAX_CACHED_COUNTS)
        self._subjects = BoundedCache[str, BatchSubjects](MAX_CACHED_COUNTS)

    def batches(
        self,
        where: BatchFilter | None = None,
        *,
        page: int = 1,
        size: int = 50,
        order: BatchOrder = BatchOrder.TIME,
        descending: bool = True,
    ) -> Page[BatchSummary]:
        """One page of the batches, newest first, or in another order; the newest first of those that are equal in it.

        A search finds a whole id wherever it is. Of the ids that merely begin with its text only the first ones are
        looked at, and the page says so (``is_complete``).
        """
        asked, number = where or BatchFilter(), max(1, page)
        sorted_by = _build_order(order, descending=descending)
        window = slice((number - 1) * size, number * size)
        with self._database.reading() as connection:
            chosen, is_complete = _build_conditions(connection, asked), True
            if asked.text:  # looked for once, for the page as well as for the total
                numbers = connection.execute(select(batches.c.number).where(*chosen).order_by(*sorted_by)).scalars()
                every = numbers.all()
                total, here = len(every), every[window]
                is_complete = is_search_complete(connection, asked.text)
            else:
                total = _count_batches(connection, asked, chosen)
                of_page = select(batches.c.number).where(*chosen).order_by(*sorted_by)
                here = connection.execute(of_page.limit(size).offset(window.start)).scalars().all()
            rows = {row.number: row for row in connection.execute(select(batches).where(batches.c.number.in_(here)))}
            found = self._summarize(connection, [rows[one] for one in here])
            return Page(found, total, number, size, is_complete)

    def undecided(self) -> UndecidedCounts:
        """How many batches wait for a person, and what there is to decide."""
        with self._database.reading() as connection:
            return count_undecided(connection)

    def subjects(self, ids: Sequence[str]) -> dict[str, BatchSubjects]:
        """Of whom and of which products some batches are, by id; those without any event are left out."""
        missing = [id_ for id_ in ids if self._subjects.get(id_) is None]
        read: dict[str, BatchSubjects] = {}
        if missing:
            with self._database.reading() as connection:
                asked = select(batches.c.number, batches.c.id, batches.c.persons).where(batches.c.id.in_(missing))
                rows: Sequence[Row[Any]] = connection.execute(asked).all()  # type: ignore[assignment]  # of three columns
                found = read_subjects(connection, rows)
            read = {row.id: found[row.number] for row in rows if row.number in found}
            for id_, subjects in read.items():  # the first request of a batch never changes
                self._subjects.put(id_, subjects)
        return {id_: held for id_ in ids if (held := read.get(id_) or self._subjects.get(id_)) is not None}

    def batch(self, batch: str) -> BatchSummary:
        """One batch with its counts. Cheap: it may be read every second. Raises :class:`NotFound`."""
        with self._database.reading() as connection:
            rows = connection.execute(select(batches).where(batches.c.id == batch, IS_STORED)).all()
            if not rows:
                raise NotFound(f"History knows no batch {batch}.")
            return self._summarize(connection, rows)[0]

    def target_names(self) -> list[str]:
        """Names of the targets that batches went to, sorted."""
        with self._database.reading() as connection:
            return sorted(connection.execute(select(batches.c.target_name).where(IS_STORED).distinct()).scalars())

    def requests(
        self, batch: str, state: RequestState | None = None, *, page: int = 1, size: int = 100
    ) -> Page[RequestSummary]:
        """One page of a batch's requests in the order of recording, of one state or all. Raises :class:`NotFound`."""
        with self._database.reading() as connection:
            number = find_batch_number(connection, batch)
            chosen = [requests.c.batch == number, *([requests.c.state == state.value] if state else [])]
            total = connection.execute(select(func.count()).select_from(requests).where(*chosen)).scalar_one()
            # The page's ids come from an index alone; only they are then looked up.
            ids = select(requests.c.id).where(*chosen).order_by(requests.c.id)
            ids = ids.limit(size).offset((max(1, page) - 1) * size)
            rows = connection.execute(_select_requests().where(requests.c.id.in_(ids)).order_by(requests.c.id))
            return Page(tuple(_make_request_summary(row) for row in rows), total, max(1, page), size)

    def request(self, request: int | str) -> RequestRecord:
        """One request with its body, events and attempts. Raises :class:`NotFound`, also where the id is no number."""
        known = _parse_request_id(request)
        with self._database.reading() as connection:
            row = connection.execute(
                _select_requests(bodies.c.body)
                .join(bodies, bodies.c.request == requests.c.id)
                .where(requests.c.id == known)
            ).one_or_none()
            if row is None:
                raise NotFound(f"History knows no request {request}.")
            halves = select(requests.c.id).where(requests.c.parent == known).order_by(requests.c.part)
            return RequestRecord(
                summary=_make_request_summary(row),
                body=zlib.decompress(row.body),
                events=tuple(read_recorded_events(connection, [known]).get(known, ())),
                attempts=tuple(_read_attempts(connection, known)),
                halves=tuple(connection.execute(halves).scalars()),
            )

    def batches_of_file(self, digest: str, target: str) -> list[BatchSummary]:
        """Batches of the same file (SHA-256 of its bytes) to the same target (a ``key``), newest first."""
        same = select(batches).where(batches.c.digest == digest, batches.c.target_key == target, IS_STORED)
        with self._database.reading() as connection:
            rows = connection.execute(same.order_by(batches.c.number.desc())).all()
            return list(self._summarize(connection, rows))

    def _summarize(self, connection: Connection, rows: Sequence[Row[Any]]) -> tuple[BatchSummary, ...]:
        """Batches with their counts, which are counted from one index and not stored, so that they are always right.

        A finished batch is counted once: so a list of large batches, or a search that finds many, costs little.
        """
        fresh = [row.number for row in rows if self._final_counts.get(row.id) is None]
        counts = count_by_state(connection, fresh) if fresh else {}
        resends = read_resends(connection, rows)  # of a finished batch they still change
        numbers = [row.number for row in rows]
        verdicts, waiting = _count_verdicts(connection, numbers), count_waiting(connection, numbers)
        found = []
        for row in rows:
            events, requests = (
                counts[row.number] if row.number in counts else self._final_counts.get(row.id) or ({}, {})
            )
            summary = _make_batch_summary(
                row, events, requests, resends.get(row.number, NO_RESENDS), verdicts.get(row.number, {})
            )
            summary = replace(summary, waiting=waiting.get(row.number, {}))
            if summary.is_final:
                self._final_counts.put(row.id, (events, requests))
            found.append(summary)
        return tuple(found)


# ── batches ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _count_batches(connection: Connection, where: BatchFilter, chosen: Sequence[Any]) -> int:
    """How many batches there are; of all of them without looking at each."""
    if where == BatchFilter():
        stored = select(func.count()).select_from(batches)
        gone = stored.where(batches.c.state == BatchState.FORGOTTEN.value)
        return int(connection.execute(stored).scalar_one()) - int(connection.execute(gone).scalar_one())
    return int(connection.execute(select(func.count()).select_from(batches).where(*chosen)).scalar_one())


def _build_order(order: BatchOrder, *, descending: bool) -> list[Any]:
    newest = batches.c.number.desc()
    if order is BatchOrder.TIME:
        return [newest if descending else batches.c.number]
    events_of_batch = select(func.coalesce(func.sum(requests.c.events), 0)).where(
        requests.c.batch == batches.c.number, requests.c.state != RequestState.SPLIT.value
    )
    by: dict[BatchOrder, Any] = {
        BatchOrder.NAME: func.lower(case((batches.c.name != "", batches.c.name), else_=batches.c.label)),
        BatchOrder.TARGET: batches.c.target_name,
        BatchOrder.EVENTS: events_of_batch.scalar_subquery() + batches.c.unrecorded,
    }
    return [by[order].desc() if descending else by[order], newest]


def _build_conditions(connection: Connection, where: BatchFilter) -> list[Any]:
    chosen: list[Any] = [IS_STORED]
    if where.since is not None:
        chosen.append(batches.c.created_at >= where.since)
    if where.until is not None:
        chosen.append(batches.c.created_at < where.until)
    if where.target is not None:
        chosen.append(batches.c.target_name == where.target)
    if where.source is not None:
        chosen.append(batches.c.source == where.source.value)
    if where.state is not None:
        of_state = select(requests.c.batch).where(
            requests.c.batch == batches.c.number, requests.c.state == where.state.value
        )
        chosen.append(of_state.exists())
    if where.undecided:
        chosen.append(batches.c.number.in_(select_undecided()))
    if where.text:
        chosen.append(or_(*build_text_conditions(connection, where.text)))
    return chosen


def find_batch_number(connection: Connection, batch: str) -> int:
    """The short number by which rows of other tables name a batch. Raises :class:`NotFound`."""
    number = connection.execute(select(batches.c.number).where(batches.c.id == batch, IS_STORED)).scalar()
    if number is None:
        raise NotFound(f"History knows no batch {batch}.")
    return int(number)


def count_by_state(connection: Connection, numbers: Sequence[int]) -> dict[int, _StateCounts]:
    """Count events and requests by state, for some batches."""
    counted = (
        select(
            requests.c.batch,
            requests.c.state,
            func.count().label("requests"),
            func.sum(requests.c.events).label("events"),
        )
        .where(requests.c.batch.in_(numbers))
        .group_by(requests.c.batch, requests.c.state)
    )
    found: dict[int, _StateCounts] = {number: ({}, {}) for number in numbers}
    for row in connection.execute(counted):
        state, (events, made) = RequestState(row.state), found[row.batch]
        made[state] = int(row.requests)
        if state is not RequestState.SPLIT:
            events[state] = int(row.events)
    return found


def _count_verdicts(connection: Connection, numbers: Sequence[int]) -> dict[int, dict[RequestState, VerdictCounts]]:
    """What became of the events of some batches, as far as it is known: a row for each second and outcome.

    What was found of an attempt that was not accepted is of a request that is unknown (see ``transitions``).
    """
    columns = seconds.c
    counted = select(
        columns.batch, columns.outcome, *map(func.sum, (columns.processed, columns.ignored, columns.repeated))
    )
    found = counted.where(columns.batch.in_(numbers)).group_by(columns.batch, columns.outcome)
    verdicts: dict[int, dict[RequestState, VerdictCounts]] = {}
    for batch, outcome, *counts in connection.execute(found):
        state = RequestState.ACCEPTED if outcome == Outcome.ACCEPTED.value else RequestState.UNKNOWN
        of_batch = verdicts.setdefault(batch, {})
        of_batch[state] = of_batch.get(state, VerdictCounts()).add(*map(int, counts))
    return verdicts


def _make_batch_summary(
    row: Row[Any],
    event_counts: dict[RequestState, int],
    request_counts: dict[RequestState, int],
    resends: ResendCounts,
    verdicts: dict[RequestState, VerdictCounts],
) -> BatchSummary:
    return BatchSummary(
        id=row.id,
        created_at=row.created_at,
        changed_at=row.changed_at,
        source=BatchSource(row.source),
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
            announces=row.announces,
        ),
        policy=Policy(row.policy),
        state=BatchState(row.state),
        reason=row.reason,
        owner=row.owner,
        rows=row.rows,
        excluded_rows=row.excluded_rows,
        persons=row.persons,
        lanes=row.lanes,
        digest=row.digest,
        mapping=row.mapping,
        notes=row.notes,
        resend_of=row.resend_of,
        events=event_counts,
        requests=request_counts,
        resends=resends.batches,
        resent=resends.resent,
        resolved=resends.resolved,
        verdicts=verdicts,
        unrecorded=row.unrecorded,
        recorder=row.recorder,
        name=row.name,
        dismissed_at=row.dismissed_at,
        groups=row.groups,
        overtaken=row.overtaken,
    )


# ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _parse_request_id(request: int | str) -> int:
    """Read a request's id, which may come from a link and be anything. Raises :class:`NotFound`."""
    text = str(request)
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= MAX_REQUEST_ID):
        raise NotFound(f"History knows no request {text[:40]}.")
    return int(text)


def _select_requests(*more: Any) -> Select[Any]:
    return (
        select(requests, batches.c.id.label("name"), attempts.c.status, attempts.c.reason, *more)
        .join(batches, batches.c.number == requests.c.batch)
        .outerjoin(attempts, IS_LAST_ATTEMPT)
        .where(IS_STORED)
    )


def _make_request_summary(row: Row[Any]) -> RequestSummary:
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


def _read_attempts(connection: Connection, request: int) -> list[AttemptRecord]:
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
            response_body=row.response_body,
            response_length=row.response_length,
            response_truncated=row.response_truncated,
            processed=row.processed,
            ignored=row.ignored,
            overtaken=row.overtaken,
        )
        for number, row in enumerate(found, 1)
    ]


def read_recorded_events(connection: Connection, ids: Sequence[int]) -> dict[int, list[RecordedEvent]]:
    """The events of some requests, by request, in the order of the bodies."""
    found = (
        select(events.c.request, events.c.position.label("place"), requests.c.state, *_EVENT_COLUMNS)
        .join(requests, requests.c.id == events.c.request)
        .where(events.c.request.in_(ids))
        .order_by(events.c.request, events.c.position)
    )
    held: dict[int, list[RecordedEvent]] = {}
    for request, place, state, *event in connection.execute(found):
        recorded = RecordedEvent(request, place, EventIntent(*event), RequestState(state))
        held.setdefault(request, []).append(recorded)
    return held
