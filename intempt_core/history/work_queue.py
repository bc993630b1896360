"""What dispatch needs: batches to claim, requests to take, outcomes to write."""

import zlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, literal_column, or_, select, update

from intempt_core.errors import NotAllowed, NotFound
from intempt_core.history.recorder import insert_requests
from intempt_core.history.records import (
    AttemptEnd,
    AttemptStart,
    BatchState,
    LaneState,
    QueueDepth,
    RequestHalf,
    RequestState,
    Transition,
    UnfinishedBatch,
    WorkItem,
)
from intempt_core.history.schema import attempts, batches, bodies, events, requests
from intempt_core.history.throughput import NewAttempt, ThroughputLog
from intempt_core.history.transitions import (
    FINAL_BATCH_STATES,
    RequestSnapshot,
    apply_transition,
    is_attempt_written,
    lock_batch,
    make_unseen_attempt,
    read_request_snapshots,
    write_request_snapshots,
)
from intempt_core.planning import Policy
from intempt_core.transport import Attempt

_IS_WAITING = or_(requests.c.state == RequestState.PENDING.value, requests.c.retry_at.is_not(None))


class WorkQueue(ThroughputLog):
    """Work goes out, outcomes come in."""

    def unfinished(self) -> list[UnfinishedBatch]:
        """Batches that are not over, cancelled ones with requests on their way among them; oldest first.

        Cheap: may be asked every second.
        """
        on_their_way = select(requests.c.batch).where(requests.c.state == literal_column("'in flight'"))
        going = batches.c.state.in_([state.value for state in BatchState if state not in FINAL_BATCH_STATES])
        found = (
            select(batches.c.id, batches.c.owner, batches.c.state)
            .where(or_(going, batches.c.number.in_(on_their_way)))
            .order_by(batches.c.number)
        )
        with self._reading() as connection:
            return [UnfinishedBatch(row.id, row.owner, BatchState(row.state)) for row in connection.execute(found)]

    def depth(self) -> QueueDepth:
        """How much is still to be sent."""
        sending = select(batches.c.number).where(batches.c.state == BatchState.SENDING.value)
        waits = requests.c.state.in_([RequestState.PENDING.value, RequestState.IN_FLIGHT.value])
        counted = select(func.count(requests.c.batch.distinct()), func.count()).where(
            requests.c.batch.in_(sending), waits
        )
        with self._reading() as connection:
            return QueueDepth(*connection.execute(counted).one())

    def claim(self, batch: str, owner: str, expected: str) -> bool:
        """Make ``owner`` the batch's owner if ``expected`` (empty: nobody) still is; else ``False``."""
        mine = update(batches).where(batches.c.id == batch, batches.c.owner == expected).values(owner=owner)
        with self._writing() as connection:
            return bool(connection.execute(mine).rowcount)

    def lanes(self, batch: str) -> list[LaneState]:
        """The batch's lanes in order, all of them, those that are through as well."""
        waits, state = _IS_WAITING, requests.c.state
        leaves = state == RequestState.IN_FLIGHT.value
        stands = state.in_([RequestState.UNKNOWN.value, RequestState.NOT_SENT.value]) & requests.c.retry_at.is_(None)
        found = (
            select(
                requests.c.lane,
                *(
                    func.count().filter(condition).label(name)
                    for name, condition in zip("wls", (waits, leaves, stands), strict=True)
                ),
            )
            .where(requests.c.batch == _select_batch_number(batch))
            .group_by(requests.c.lane)
            .order_by(requests.c.lane)
        )
        with self._reading() as connection:
            return [LaneState(*row) for row in connection.execute(found)]

    def take(self, batch: str, lane: int, limit: int) -> list[WorkItem]:
        """The lane's next requests in their order: pending, and those to be tried again, however long they still wait.

        Nothing is changed by taking. While a request of the lane is in flight it is not among them.
        """
        with self._reading() as connection:
            number = connection.execute(select(batches.c.number).where(batches.c.id == batch)).scalar()
            # Two looks into one index, each in lane order; asked as one, all of the lane would have to be sorted.
            pending, again = (
                select(requests.c.id)
                .where(requests.c.batch == number, requests.c.lane == lane, requests.c.state == state.value, which)
                .order_by(requests.c.position, requests.c.part)
                .limit(limit)
                for state, which in (
                    (RequestState.PENDING, literal_column("1") == 1),
                    (RequestState.UNKNOWN, requests.c.retry_at.is_not(None)),
                )
            )
            next_ids = [row.id for half in (pending, again) for row in connection.execute(half)]
            return _read_work_items(connection, batch, next_ids)[:limit]

    def apply_transitions(
        self, transitions: Sequence[Transition], *, owner: str, nowait: bool = False
    ) -> frozenset[int]:
        """Write many marks, of any batches, in one transaction; returns the requests whose mark did **not** count.

        A *leaving* counts for a request that :meth:`take` gives, in a *sending* batch of this owner: one that did not
        count must not be sent. A *settled* counts for a request *in flight* of this owner; otherwise its attempt is
        kept as evidence, and the request stays what it is. Marks may be repeated after an error: an attempt that is
        already written is not written twice.

        ``nowait``: where another thread or program writes, it is :class:`HistoryUnavailable` at once, and nothing is
        written; only where ``supports_nowait``.
        """
        if not transitions:
            return frozenset()
        now = self._clock()
        with self._writing(nowait=nowait) as connection:
            standings = read_request_snapshots(connection, {mark.request for mark in transitions})
            tried: list[NewAttempt] = []
            last: set[int] = set()  # those of them, by place, that are their requests' last
            changed, missed = set(), set()
            for mark in transitions:
                before = standings.get(mark.request)
                moved = apply_transition(before, mark, owner, now) if before is not None else None
                if before is not None and moved is not None:
                    standings[mark.request] = moved
                    changed.add(mark.request)
                    if isinstance(mark, AttemptEnd):
                        last.add(len(tried))
                        tried.append(_make_new_attempt(before, mark.attempt))
                elif before is None or isinstance(mark, AttemptStart):
                    missed.add(mark.request)
                elif not is_attempt_written(connection, mark):
                    missed.add(mark.request)
                    tried.append(_make_new_attempt(before, mark.attempt))
            ids = self._write_new_attempts(connection, tried)
            for place in last:
                request = tried[place].request
                standings[request] = standings[request]._replace(last_attempt=ids[place])
            write_request_snapshots(connection, [standings[request] for request in changed])
        return frozenset(missed)

    def split(self, request: int, attempt: Attempt, halves: Sequence[RequestHalf], *, owner: str) -> list[WorkItem]:
        """Let halves take over a request *in flight* that was too large (CONTRACT 3.4), and return them in their order.

        They are pending, in the same lane, right after their parent's place; after a doubt they are to be tried again
        at once, and keep it. Raises :class:`NotAllowed` where the request is not in flight, not this owner's, or the
        halves do not hold its events.
        """
        now = self._clock()
        with self._writing() as connection:
            parent = connection.execute(
                select(requests, batches.c.owner, batches.c.id.label("name"), batches.c.state.label("batch_state"))
                .join(batches, batches.c.number == requests.c.batch)
                .where(requests.c.id == request)
                .with_for_update()
            ).one_or_none()
            if parent is None:
                raise NotFound(f"History knows no request {request}.")
            if parent.state != RequestState.IN_FLIGHT.value or parent.owner != owner:
                raise NotAllowed(f"Request {request} cannot be split: it is {parent.state}, and another may own it.")
            if not 2 <= len(halves) <= 10 or sum(half.events for half in halves) != parent.events:
                raise NotAllowed(
                    f"Request {request} cannot be split: its {parent.events} events are not in its halves."
                )
            one = NewAttempt(request, parent.events, parent.batch, parent.name, attempt)
            (tried,) = self._write_new_attempts(connection, [one])
            children = _write_halves(connection, parent, halves, now)
            connection.execute(
                update(requests)
                .where(requests.c.id == request)
                .values(state=RequestState.SPLIT.value, tries=parent.tries + 1, last_attempt=tried, updated_at=now)
            )
            return _read_work_items(connection, parent.name, children)

    def in_flight_to_unknown(self, batch: str, *, owner: str) -> int:
        """What a gone process left *in flight* is *unknown* (ARCHITECTURE, takeover); returns how many requests.

        ``owner`` must own the batch by now. Each gets an attempt that says so. Under :attr:`Policy.RESEND` they are
        tried again. Raises :class:`NotAllowed`, :class:`NotFound`.
        """
        now = self._clock()
        with self._writing() as connection:
            found = lock_batch(connection, batch)
            if found.owner != owner:
                raise NotAllowed(f"Batch {batch} belongs to another process now.")
            again = found.policy == Policy.RESEND.value and BatchState(found.state) not in FINAL_BATCH_STATES
            left = select(requests.c.id).where(
                requests.c.batch == found.number, requests.c.state == literal_column("'in flight'")
            )
            standings = read_request_snapshots(connection, connection.execute(left).scalars())
            lost = [
                _make_new_attempt(standing, make_unseen_attempt(standing.updated_at)) for standing in standings.values()
            ]
            ids = self._write_new_attempts(connection, lost)
            write_request_snapshots(
                connection,
                [
                    standing._replace(
                        state=RequestState.UNKNOWN.value,
                        doubt=True,
                        tries=standing.tries + 1,
                        retry_at=now if again else None,
                        last_attempt=id_,
                        updated_at=now,
                    )
                    for standing, id_ in zip(standings.values(), ids, strict=True)
                ],
            )
            return len(lost)


def _make_new_attempt(snapshot: RequestSnapshot, attempt: Attempt) -> NewAttempt:
    return NewAttempt(snapshot.id, snapshot.events, snapshot.batch_number, snapshot.batch_id, attempt)


def _select_batch_number(batch: str) -> Any:
    """The batch's number, as a part of a larger question."""
    return select(batches.c.number).where(batches.c.id == batch).scalar_subquery()


def _write_halves(connection: Connection, parent: Row[Any], halves: Sequence[RequestHalf], now: int) -> list[int]:
    cancelled = BatchState(parent.batch_state) in FINAL_BATCH_STATES
    if parent.doubt:
        state, retry_at = RequestState.UNKNOWN, None if cancelled else now
    else:
        state, retry_at = RequestState.CANCELLED if cancelled else RequestState.PENDING, None
    rows = [
        {
            "batch": parent.batch,
            "lane": parent.lane,
            "position": parent.position,
            "part": f"{parent.part}{number}",
            "events": half.events,
            "state": state.value,
            "tries": 0,
            "doubt": parent.doubt,
            "retry_at": retry_at,
            "updated_at": now,
            "parent": parent.id,
        }
        for number, half in enumerate(halves)
    ]
    ids = insert_requests(connection, rows)
    connection.execute(
        insert(bodies),
        [{"request": id_, "body": zlib.compress(half.body, 1)} for id_, half in zip(ids, halves, strict=True)],
    )
    begin = 0
    for id_, half in zip(ids, halves, strict=True):
        taken = events.c.position.between(begin, begin + half.events - 1)
        connection.execute(
            update(events)
            .where(events.c.request == parent.id, taken)
            .values(request=id_, position=events.c.position - begin)
        )
        begin += half.events
    return ids


def _read_work_items(connection: Connection, batch: str, ids: Sequence[int]) -> list[WorkItem]:
    """Requests as dispatch takes them, in lane order."""
    columns = requests.c
    found: Select[Any] = (
        select(
            columns.id,
            columns.lane,
            columns.position,
            columns.part,
            columns.events,
            columns.tries,
            columns.doubt,
            columns.retry_at,
            attempts.c.started_at,
            attempts.c.elapsed_ms,
            bodies.c.body,
        )
        .join(bodies, bodies.c.request == columns.id)
        .outerjoin(attempts, attempts.c.id == columns.last_attempt)
        .where(columns.id.in_(ids))
        .order_by(columns.position, columns.part)
    )
    return [
        WorkItem(
            id=row.id,
            batch=batch,
            lane=row.lane,
            position=row.position,
            part=row.part,
            events=row.events,
            tries=row.tries,
            doubt=row.doubt,
            retry_at=row.retry_at,
            tried_at=None if row.started_at is None else int(row.started_at + row.elapsed_ms),
            body=zlib.decompress(row.body),
        )
        for row in connection.execute(found)
    ]
