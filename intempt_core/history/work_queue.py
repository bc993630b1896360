"""The queue of requests that dispatch works on: it claims batches, takes requests, and writes their outcomes."""

import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    delete,
    exists,
    func,
    insert,
    literal,
    literal_column,
    not_,
    or_,
    select,
    update,
)

from intempt_core.contract import Outcome
from intempt_core.errors import NotAllowed, NotFound
from intempt_core.history.database import Database
from intempt_core.history.dialects.conflicts import retry_conflicts
from intempt_core.history.dialects.locks import lock_batch_state
from intempt_core.history.lost_requests import IS_IN_FLIGHT, settle_lost_requests
from intempt_core.history.recorder import ZLIB_LEVEL, insert_requests
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
from intempt_core.history.schema import attempts, batches, bodies, events, lane_groups, requests
from intempt_core.history.throughput import NewAttempt, ThroughputLog, make_new_attempt
from intempt_core.history.transitions import (
    FINAL_BATCH_STATES,
    RequestSnapshot,
    apply_transition,
    is_attempt_written,
    is_owned,
    lock_batch,
    read_request_snapshots,
    write_request_snapshots,
)
from intempt_core.history.upkeep.observer import ObservedAttempt
from intempt_core.history.upkeep.search_index import delete_keys, write_keys
from intempt_core.history.webhooks.announcements import announce_state
from intempt_core.planning import Policy
from intempt_core.transport import Attempt

_IS_WAITING = or_(requests.c.state == RequestState.PENDING.value, requests.c.retry_at.is_not(None))


class WorkQueue:
    """Gives out requests, and takes back what became of them."""

    def __init__(self, database: Database, throughput: ThroughputLog) -> None:
        self._database, self._throughput = database, throughput

    def unfinished(self) -> list[UnfinishedBatch]:
        """Batches that are not in a final state, or have requests in flight; the oldest first.

        Cheap: it may be asked every second.
        """
        with_requests_in_flight = select(requests.c.batch).where(IS_IN_FLIGHT)
        going = batches.c.state.in_([state.value for state in BatchState if state not in FINAL_BATCH_STATES])
        found = (
            select(batches.c.id, batches.c.owner, batches.c.state, batches.c.recorder, batches.c.groups)
            .where(or_(going, batches.c.number.in_(with_requests_in_flight)))
            .order_by(batches.c.number)
        )
        with self._database.reading() as connection:
            return [
                UnfinishedBatch(row.id, row.owner, BatchState(row.state), row.recorder, row.groups)
                for row in connection.execute(found)
            ]

    def depth(self) -> QueueDepth:
        """How many batches are being sent, and how many of their requests are pending or in flight."""
        sending = select(batches.c.number).where(batches.c.state == BatchState.SENDING.value)
        unfinished = requests.c.state.in_([RequestState.PENDING.value, RequestState.IN_FLIGHT.value])
        counted = select(func.count(requests.c.batch.distinct()), func.count()).where(
            requests.c.batch.in_(sending), unfinished
        )
        with self._database.reading() as connection:
            return QueueDepth(*connection.execute(counted).one())

    @retry_conflicts
    def claim(self, batch: str, owner: str, expected: str, *, pause: str = "") -> bool:
        """Make ``owner`` the batch's owner if ``expected`` (empty: no process) is it still; whether that was so.

        With ``pause``, a reason, a batch that is *sending* is paused by the same transaction, so that its new owner
        sends nothing of it before it says so. A batch whose lanes are in groups has none after that; while a worker
        owns one of them it cannot be claimed.
        """
        number = select(batches.c.number).where(batches.c.id == batch).scalar_subquery()
        owned = select(lane_groups.c.number).where(lane_groups.c.batch == number, lane_groups.c.owner != literal(""))
        mine = update(batches).where(batches.c.id == batch, batches.c.owner == expected, not_(exists(owned)))
        with self._database.writing() as connection:
            lock_batch_state(connection, batch)
            connection.execute(select(lane_groups.c.number).where(lane_groups.c.batch == number).with_for_update())
            if not connection.execute(mine.values(owner=owner, groups=0)).rowcount:
                return False
            connection.execute(delete(lane_groups).where(lane_groups.c.batch == number))
            if pause:
                paused = {"state": BatchState.PAUSED.value, "reason": pause, "changed_at": self._database.clock()}
                is_sending = batches.c.id == batch, batches.c.state == BatchState.SENDING.value
                announce_state(
                    connection, *is_sending, state=BatchState.PAUSED, reason=pause, now=self._database.clock()
                )
                connection.execute(update(batches).where(*is_sending).values(paused))
            return True

    def has_batch(self, batch: str) -> bool:
        """Whether a batch is recorded, or at least its first piece; cheap."""
        with self._database.reading() as connection:
            return connection.execute(select(batches.c.number).where(batches.c.id == batch)).first() is not None

    def unrecorded(self, batch: str) -> tuple[int, str]:
        """How many events of a batch are still to be recorded, and by which process; cheap."""
        asked = select(batches.c.unrecorded, batches.c.recorder).where(batches.c.id == batch)
        with self._database.reading() as connection:
            found = connection.execute(asked).one_or_none()
        return (0, "") if found is None else (found.unrecorded, found.recorder)

    def lanes(self, batch: str) -> list[LaneState]:
        """All lanes of the batch in order, finished ones too."""
        in_flight = requests.c.state == RequestState.IN_FLIGHT.value
        unresolved = requests.c.state.in_([RequestState.UNKNOWN.value, RequestState.NOT_SENT.value])
        conditions = _IS_WAITING, in_flight, unresolved & requests.c.retry_at.is_(None)
        found = (
            select(
                requests.c.lane,
                *(func.count().filter(one).label(f"count{number}") for number, one in enumerate(conditions)),
            )
            .where(requests.c.batch == _select_batch_number(batch))
            .group_by(requests.c.lane)
            .order_by(requests.c.lane)
        )
        with self._database.reading() as connection:
            return [LaneState(*row) for row in connection.execute(found)]

    def take(self, batch: str, lane: int, limit: int) -> list[WorkItem]:
        """The lane's next requests in their order: pending ones, and those to be tried again now or later.

        Taking changes nothing. A request in flight is not among them.
        """
        with self._database.reading() as connection:
            number = connection.execute(select(batches.c.number).where(batches.c.id == batch)).scalar()
            # Two look-ups in one index, each in lane order; as one query, the whole lane would have to be sorted.
            selects = (
                select(requests.c.id)
                .where(requests.c.batch == number, requests.c.lane == lane, requests.c.state == state.value, condition)
                .order_by(requests.c.position, requests.c.part)
                .limit(limit)
                for state, condition in (
                    (RequestState.PENDING, literal_column("1") == 1),
                    (RequestState.UNKNOWN, requests.c.retry_at.is_not(None)),
                )
            )
            next_ids = [row.id for query in selects for row in connection.execute(query)]
            return _read_work_items(connection, batch, next_ids)[:limit]

    @retry_conflicts
    def apply_transitions(
        self, transitions: Sequence[Transition], *, owner: str, nowait: bool = False
    ) -> frozenset[int]:
        """Write transitions of requests in one transaction; returns the requests whose transition was **not** valid.

        An :class:`AttemptStart` is valid for a request that :meth:`take` gives, in a *sending* batch of this owner:
        where it is not, the request must not be sent. An :class:`AttemptEnd` is valid for a request of this owner that
        is *in flight*; where it is not, its attempt is kept as evidence and the request's state stays. Such an attempt
        is counted as *overtaken* where the process had lost the request. Transitions may be repeated after an error: an
        attempt that is already written is not written twice.

        With ``nowait`` it raises :class:`HistoryUnavailable` at once while another thread or program is writing; only
        where the database supports it.
        """
        if not transitions:
            return frozenset()
        now = self._database.clock()
        with self._database.writing(nowait=nowait) as connection:
            snapshots = read_request_snapshots(connection, {transition.request for transition in transitions})
            tried: list[NewAttempt] = []
            last: set[int] = set()  # indexes into tried: attempts that are their request's last
            overtaken: set[int] = set()  # and those of requests that were lost meanwhile
            changed, invalid = set(), set()
            observed: list[ObservedAttempt] = []
            for transition in transitions:
                before = snapshots.get(transition.request)
                after = apply_transition(before, transition, owner, now) if before is not None else None
                if before is not None and after is not None:
                    snapshots[transition.request] = after
                    changed.add(transition.request)
                    if isinstance(transition, AttemptEnd):
                        last.add(len(tried))
                        tried.append(make_new_attempt(before, transition.attempt))
                        observed.append(_observe_attempt(transition.attempt, after))
                elif before is None or isinstance(transition, AttemptStart):
                    invalid.add(transition.request)
                elif not is_attempt_written(connection, transition):
                    invalid.add(transition.request)
                    if not is_owned(before, transition, owner) and transition.attempt.outcome is not Outcome.NOT_SENT:
                        overtaken.add(len(tried))
                    tried.append(make_new_attempt(before, transition.attempt, is_valid=False))
            ids = self._throughput.write_new_attempts(connection, tried)
            _count_overtaken(connection, [(tried[index].batch_number, ids[index]) for index in overtaken])
            for index in last:
                request = tried[index].request
                snapshots[request] = snapshots[request]._replace(last_attempt=ids[index])
            write_request_snapshots(connection, [snapshots[request] for request in changed])
        self._note(observed)
        if self._database.observer is not None and overtaken:
            self._database.observer.note_overtaken(len(overtaken))
        return frozenset(invalid)

    def _note(self, observed: Sequence[ObservedAttempt]) -> None:
        if self._database.observer is not None and observed:
            self._database.observer.note_attempts(observed)

    @retry_conflicts
    def split(
        self, request: int, attempt: Attempt, halves: Sequence[RequestHalf], *, owner: str, epoch: int = 0
    ) -> list[WorkItem]:
        """Replace a request *in flight* that was too large by its halves (CONTRACT 3.4); returns them in their order.

        They are pending, in the same lane, in their parent's place; where an earlier attempt was unknown they are
        unknown too, and tried again at once. Raises :class:`NotAllowed` where the request is not in flight, not this
        owner's (in this epoch), or the halves do not hold its events.
        """
        now = self._database.clock()
        with self._database.writing() as connection:
            owned = read_request_snapshots(connection, [request])  # neither it nor its batch's state changes meanwhile
            parent = connection.execute(
                select(requests, batches.c.id.label("name"), batches.c.state.label("batch_state"))
                .join(batches, batches.c.number == requests.c.batch)
                .where(requests.c.id == request)
            ).one_or_none()
            if parent is None:
                raise NotFound(f"History knows no request {request}.")
            is_mine = is_owned(owned[request], AttemptStart(request, epoch), owner)
            if parent.state != RequestState.IN_FLIGHT.value or not is_mine:
                raise NotAllowed(
                    f"Request {request} cannot be split: it is {parent.state}, or another process owns it."
                )
            if not 2 <= len(halves) <= 10 or sum(half.events for half in halves) != parent.events:
                raise NotAllowed(
                    f"Request {request} cannot be split: its {parent.events} events are not in its halves."
                )
            earlier = parent.last_attempt if parent.doubt else None
            one = NewAttempt(request, parent.events, parent.batch, parent.name, attempt, earlier=earlier)
            (tried,) = self._throughput.write_new_attempts(connection, [one])
            children = _write_halves(connection, parent, halves, now)
            connection.execute(
                update(requests)
                .where(requests.c.id == request)
                .values(state=RequestState.SPLIT.value, tries=parent.tries + 1, last_attempt=tried, updated_at=now)
            )
            return _read_work_items(connection, parent.name, children)

    @retry_conflicts
    def in_flight_to_unknown(self, batch: str, *, owner: str) -> int:
        """Make requests *unknown* that were *in flight* when their process ended (ARCHITECTURE, takeover).

        Returns how many there were. ``owner`` must own the batch by now. Each gets an attempt that says so. Under
        :attr:`Policy.RESEND` they are tried again. Raises :class:`NotAllowed`, :class:`NotFound`.
        """
        now = self._database.clock()
        with self._database.writing() as connection:
            found = lock_batch(connection, batch)
            if found.owner != owner:
                raise NotAllowed(f"Batch {batch} belongs to another process now.")
            observed = settle_lost_requests(
                connection,
                self._throughput,
                requests.c.batch == found.number,
                policy=Policy(found.policy),
                state=BatchState(found.state),
                now=now,
            )
        self._note(observed)
        return len(observed)


def _observe_attempt(attempt: Attempt, after: RequestSnapshot) -> ObservedAttempt:
    settled = after.state if after.retry_at is None else ""
    return ObservedAttempt(attempt.outcome.value, attempt.elapsed_ms, after.events, settled)


def _count_overtaken(connection: Connection, found: Sequence[tuple[int, int]]) -> None:
    """Flag attempts (batch's number, id) that a process made or ended after it had lost their requests."""
    if not found:
        return
    ids = [attempt for _, attempt in found]
    connection.execute(update(attempts).where(attempts.c.id.in_(ids)).values(overtaken=True))
    for batch, many in sorted(Counter(batch for batch, _ in found).items()):
        counted = {"overtaken": batches.c.overtaken + many}
        connection.execute(update(batches).where(batches.c.number == batch).values(counted))


def _select_batch_number(batch: str) -> Any:
    """Select the batch's short number, as a part of a larger query."""
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
            "resend_of": None,
        }
        for number, half in enumerate(halves)
    ]
    ids = insert_requests(connection, rows)
    connection.execute(
        insert(bodies),
        [{"request": id_, "body": zlib.compress(half.body, ZLIB_LEVEL)} for id_, half in zip(ids, halves, strict=True)],
    )
    delete_keys(connection, [parent.id])
    begin = 0
    for id_, half in zip(ids, halves, strict=True):
        taken = events.c.position.between(begin, begin + half.events - 1)
        connection.execute(
            update(events)
            .where(events.c.request == parent.id, taken)
            .values(request=id_, position=events.c.position - begin)
        )
        begin += half.events
    write_keys(connection, ids)
    return ids


def _read_work_items(connection: Connection, batch: str, ids: Sequence[int]) -> list[WorkItem]:
    """Read requests as dispatch takes them, in lane order."""
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
