"""A batch over time: the outcomes of its attempts second by second, and the attempts that waited longest.

Both are updated in the transaction that writes the attempts, so that a screen may ask twice a second about a batch of a
million events: a batch has as many rows here as its sending took seconds, and ten slow attempts.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from operator import add
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from intempt_core.contract import Outcome, RequestVerdict, parse_verdict
from intempt_core.history.bounded_cache import BoundedCache
from intempt_core.history.database import Database, iter_chunks
from intempt_core.history.dialects.bulk import get_bulk_statements
from intempt_core.history.dialects.conflicts import retry_conflicts
from intempt_core.history.queries import find_batch_number, read_recorded_events
from intempt_core.history.records import RequestState
from intempt_core.history.schema import attempts, events, requests, seconds, slowest
from intempt_core.history.transitions import RequestSnapshot, write_attempts
from intempt_core.history.views import RecordedEvent, SlowAttempt, ThroughputStep, ThroughputTimeline
from intempt_core.transport import Attempt

MAX_SLOW_ATTEMPTS = 10
"""Slow attempts that are kept of a batch."""

MAX_THROUGHPUT_STEPS = 60
"""Most steps of a timeline."""

MAX_CACHED_FLOORS = 1_000
"""Batches whose threshold for a slow response is cached."""


class NewAttempt(NamedTuple):
    """An attempt that is to be written.

    Attributes:
        request: id of its request.
        events: how many events the request holds.
        batch_number: the batch's short number, by which rows name it.
        batch_id: the batch's id.
        verdict: what the target says became of its events; ``None`` where it does not, or where that is uncertain.
        earlier: id of the attempt before it that may have arrived; what was found of that one counts no more, because
            the request is judged again.
    """

    request: int
    events: int
    batch_number: int
    batch_id: str
    attempt: Attempt
    verdict: RequestVerdict | None = None
    earlier: int | None = None


def make_new_attempt(snapshot: RequestSnapshot, attempt: Attempt, *, is_valid: bool = True) -> NewAttempt:
    """The attempt as it is written; its verdict counts where it is certain, and once.

    What is ignored after an attempt without a response may only repeat what that one brought.
    """
    verdict = attempt.verdict if is_valid and attempt.outcome is Outcome.ACCEPTED else None
    if verdict is not None and verdict.ignored and snapshot.doubt:
        verdict = None
    earlier = snapshot.last_attempt if snapshot.doubt and is_valid else None
    return NewAttempt(snapshot.id, snapshot.events, snapshot.batch_number, snapshot.batch_id, attempt, verdict, earlier)


class UnjudgedRequest(NamedTuple):
    """A request of which it is not known what became of its events.

    Attributes:
        request: its id.
        attempt: id of its last attempt.
        started_at: when its first attempt began, in epoch ms.
        ended_at: when its last attempt ended, in epoch ms.
        is_shared: whether another request holds an event id of it, too: only the time tells them apart then.
        events: event id and product id of each of its events.
    """

    request: int
    attempt: int
    started_at: int
    ended_at: int
    is_shared: bool
    events: list[tuple[str | None, str | None]]


_NO_VERDICT = RequestVerdict(0)
_VERDICT_COUNTS = "processed", "ignored", "repeated"
_NEVER_ARRIVED = [state.value for state in (RequestState.SPLIT, RequestState.NOT_SENT, RequestState.CANCELLED)]


class ThroughputLog:
    """Writes attempts, and tells how fast the attempts of a batch were and how they ended."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._floors = BoundedCache[str, float](MAX_CACHED_FLOORS)

    def timeline(self, batch: str, max_steps: int = MAX_THROUGHPUT_STEPS) -> ThroughputTimeline:
        """A batch's outcomes over time, in up to ``max_steps`` steps of whole seconds. Raises :class:`NotFound`.

        Every attempt counts, at the second in which it ended: a request that is tried again counts each time.
        """
        column = seconds.c
        with self._database.reading() as connection:
            number = find_batch_number(connection, batch)
            ends = select(func.min(column.second), func.max(column.second)).where(column.batch == number)
            first, last = connection.execute(ends).one()
            if first is None:
                return ThroughputTimeline(0, 1, ())
            width = -(-(last - first + 1) // max_steps)
            step = ((column.second - first) // width).label("step")
            counted = select(step, column.outcome, func.sum(column.events)).where(column.batch == number)
            found: dict[int, dict[Outcome, int]] = defaultdict(dict)
            for at, outcome, events in connection.execute(counted.group_by(step, column.outcome)):
                found[int(at)][Outcome(outcome)] = int(events)
        steps = range((last - first) // width + 1)
        return ThroughputTimeline(
            first * 1000, width, tuple(ThroughputStep((first + at * width) * 1000, found.get(at, {})) for at in steps)
        )

    def slowest(self, batch: str, limit: int = MAX_SLOW_ATTEMPTS) -> list[SlowAttempt]:
        """The attempts that waited longest for a response, up to :data:`MAX_SLOW_ATTEMPTS`. Raises :class:`NotFound`.

        One whose response never came is among them: ``status`` is then ``None``. What certainly never arrived is not.
        """
        with self._database.reading() as connection:
            found = (
                select(
                    attempts.c.request,
                    attempts.c.elapsed_ms,
                    attempts.c.outcome,
                    attempts.c.status,
                    attempts.c.started_at,
                    requests.c.lane,
                    requests.c.position,
                )
                .join(slowest, slowest.c.attempt == attempts.c.id)
                .join(requests, requests.c.id == attempts.c.request)
                .where(slowest.c.batch == find_batch_number(connection, batch))
                .order_by(attempts.c.elapsed_ms.desc(), attempts.c.id)
                .limit(limit)
            )
            return [
                SlowAttempt(
                    row.request,
                    row.lane,
                    row.position,
                    row.elapsed_ms,
                    Outcome(row.outcome),
                    row.status,
                    row.started_at,
                )
                for row in connection.execute(found)
            ]

    def unjudged(self, batch: str, limit: int, after: int = 0) -> list[UnjudgedRequest]:
        """Requests of a batch that arrived, or may have, and of which it is not known what became of their events.

        They are those that are unknown, and those that were accepted after an attempt without a response, by a sandbox
        that says what it ignores now: up to ``limit`` of them, in the order of their ids, which are above ``after``.
        Raises :class:`NotFound`.
        """
        last = attempts.alias()
        first = select(func.min(attempts.c.started_at)).where(attempts.c.request == requests.c.id).scalar_subquery()
        with self._database.reading() as connection:
            asked = (
                select(
                    requests.c.id,
                    requests.c.state,
                    requests.c.last_attempt,
                    first.label("first"),
                    last.c.headers,
                    (last.c.started_at + last.c.elapsed_ms).label("ended"),
                )
                .join(last, last.c.id == requests.c.last_attempt)
                .where(
                    requests.c.batch == find_batch_number(connection, batch),
                    requests.c.state.in_([RequestState.ACCEPTED.value, RequestState.UNKNOWN.value]),
                    requests.c.doubt,
                    requests.c.id > after,
                    last.c.processed.is_(None),
                )
                .order_by(requests.c.id)
                .limit(limit)
            )
            is_unknown = RequestState.UNKNOWN.value
            rows = [
                row
                for row in connection.execute(asked)
                if row.state == is_unknown or parse_verdict(row.headers) is not None
            ]
            held = read_recorded_events(connection, [row.id for row in rows])
            shared = _find_shared_ids(connection, held)
        return [
            UnjudgedRequest(
                row.id,
                row.last_attempt,
                row.first,
                int(row.ended),
                any(one.event.event_id in shared for one in held.get(row.id, ())),
                [(one.event.event_id, one.event.product_id) for one in held.get(row.id, ())],
            )
            for row in rows
        ]

    @retry_conflicts
    def record_verdicts(self, batch: str, found: Sequence[tuple[UnjudgedRequest, RequestVerdict]]) -> None:
        """Record what became of the events of requests that had no verdict. Raises :class:`NotFound`."""
        with self._database.writing() as connection:
            number = find_batch_number(connection, batch)
            for request, verdict in found:
                ended = select(attempts.c.started_at, attempts.c.elapsed_ms, attempts.c.outcome).where(
                    attempts.c.id == request.attempt
                )
                last = connection.execute(ended.where(attempts.c.processed.is_(None)).with_for_update()).one_or_none()
                if last is None:
                    continue  # another process was quicker
                counts = {name: getattr(verdict, name) for name in _VERDICT_COUNTS}
                connection.execute(update(attempts).where(attempts.c.id == request.attempt).values(counts))
                _add_to_second(connection, number, last, verdict)

    def write_new_attempts(self, connection: Connection, tried: Sequence[NewAttempt]) -> list[int]:
        """Write attempts in a transaction of the caller's, count them, and return their ids in the same order."""
        ids = write_attempts(connection, [(one.request, one.attempt, one.verdict) for one in tried])
        if tried:
            _withdraw_verdicts(connection, tried)
            _count_into_seconds(connection, tried)
            self._keep_slowest(connection, list(zip(tried, ids, strict=True)))
        return ids

    def _keep_slowest(self, connection: Connection, tried: Sequence[tuple[NewAttempt, int]]) -> None:
        """Keep attempts that are among the slowest of their batch; nearly all are below the cached threshold."""
        slow: dict[str, list[tuple[NewAttempt, int]]] = defaultdict(list)
        for one, id_ in tried:
            floor = self._floors.get(one.batch_id)
            has_waited = one.attempt.status is not None or one.attempt.outcome is Outcome.UNKNOWN
            if has_waited and (floor is None or one.attempt.elapsed_ms > floor):
                slow[one.batch_id].append((one, id_))
        for batch, some in slow.items():
            some.sort(key=lambda pair: -pair[0].attempt.elapsed_ms)
            number = some[0][0].batch_number
            rows = [
                {"batch": number, "attempt": id_, "elapsed_ms": one.attempt.elapsed_ms}
                for one, id_ in some[:MAX_SLOW_ATTEMPTS]
            ]
            connection.execute(insert(slowest), rows)
            mine = select(slowest.c.attempt, slowest.c.elapsed_ms).where(slowest.c.batch == number)
            ordered = connection.execute(mine.order_by(slowest.c.elapsed_ms.desc(), slowest.c.attempt)).all()
            if len(ordered) > MAX_SLOW_ATTEMPTS:
                beyond = [row.attempt for row in ordered[MAX_SLOW_ATTEMPTS:]]
                connection.execute(delete(slowest).where(slowest.c.attempt.in_(beyond)))
            if len(ordered) >= MAX_SLOW_ATTEMPTS:
                self._floors.put(batch, ordered[MAX_SLOW_ATTEMPTS - 1].elapsed_ms)


def _find_shared_ids(connection: Connection, held: Mapping[int, Sequence[RecordedEvent]]) -> set[str]:
    """Event ids of some requests that requests hold which are not among them, or more than one of them."""
    requests_by_id: dict[str, set[int]] = defaultdict(set)
    for request, of_request in held.items():
        for one in of_request:
            if one.event.event_id is not None:
                requests_by_id[one.event.event_id].add(request)
    for some in iter_chunks(requests_by_id):
        asked = (
            select(events.c.event_id, events.c.request)
            .join(requests, requests.c.id == events.c.request)
            .where(events.c.event_id.in_(some), requests.c.state.not_in(_NEVER_ARRIVED))
        )
        for event_id, request in connection.execute(asked):
            requests_by_id[event_id].add(request)
    return {event_id for event_id, holders in requests_by_id.items() if len(holders) > 1}


def _add_to_second(connection: Connection, batch: int, ended: Any, verdict: RequestVerdict, sign: int = 1) -> None:
    """Add what became of a request to the second in which an attempt of it ended, or with ``sign`` -1 subtract it."""
    columns = seconds.c
    of_second = (
        columns.batch == batch,
        columns.second == int(ended.started_at + ended.elapsed_ms) // 1000,
        columns.outcome == ended.outcome,
    )
    added = {name: columns[name] + sign * getattr(verdict, name) for name in _VERDICT_COUNTS}
    connection.execute(update(seconds).where(*of_second).values(added))


def _withdraw_verdicts(connection: Connection, tried: Sequence[NewAttempt]) -> None:
    """Take back what was found of requests by their arrivals before they were tried again: nothing counts twice."""
    batch_by_attempt = {one.earlier: one.batch_number for one in tried if one.earlier is not None}
    for some in iter_chunks(batch_by_attempt):
        judged = attempts.c.id.in_(some), attempts.c.processed.is_not(None)
        rows = connection.execute(select(attempts).where(*judged)).all()
        for row in rows:
            verdict = RequestVerdict(row.processed, row.ignored, row.repeated or 0)
            _add_to_second(connection, batch_by_attempt[row.id], row, verdict, -1)
        if rows:
            nothing = dict.fromkeys(_VERDICT_COUNTS)
            connection.execute(update(attempts).where(*judged).values(nothing))


def _count_into_seconds(connection: Connection, tried: Collection[NewAttempt]) -> None:
    counts: dict[tuple[int, int, str], tuple[int, ...]] = defaultdict(lambda: (0, 0, 0, 0, 0))
    for one in tried:
        ended = int(one.attempt.started_at + one.attempt.elapsed_ms) // 1000
        key = one.batch_number, ended, one.attempt.outcome.value
        verdict = one.verdict or _NO_VERDICT
        added = 1, one.events, verdict.processed, verdict.ignored, verdict.repeated
        counts[key] = tuple(map(add, counts[key], added))
    rows = [(*key, *held) for key, held in sorted(counts.items())]
    get_bulk_statements(connection).upsert_seconds(connection, rows)
