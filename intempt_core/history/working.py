"""What dispatch needs: batches to claim, requests to take, outcomes to write."""

import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, literal_column, or_, select, update

from intempt_core.client import Attempt, Outcome
from intempt_core.errors import NotAllowed, NotFound
from intempt_core.history.database import Database
from intempt_core.history.recording import write_requests
from intempt_core.history.records import (
    BatchState,
    Half,
    LaneState,
    Leaving,
    Mark,
    RequestState,
    Settled,
    Unfinished,
    Work,
)
from intempt_core.history.schema import attempts, batches, bodies, events, requests, storable
from intempt_core.plan import Policy

NEXT: dict[BatchState, frozenset[BatchState]] = {
    BatchState.RECORDING: frozenset({BatchState.CANCELLED}),  # it becomes sending with its last request, nowhere else
    BatchState.SENDING: frozenset({BatchState.PAUSED, BatchState.STOPPED, BatchState.DONE, BatchState.CANCELLED}),
    BatchState.PAUSED: frozenset({BatchState.SENDING, BatchState.CANCELLED}),
    BatchState.STOPPED: frozenset({BatchState.SENDING, BatchState.CANCELLED}),
    BatchState.DONE: frozenset(),
    BatchState.CANCELLED: frozenset(),
}
"""The drawing in :mod:`intempt_core.history` as a table: where a batch may go from where it stands."""

OVER = frozenset(state for state, after in NEXT.items() if not after)
"""States of a batch that nothing leads out of."""

GONE = "The console that sent it went away before the answer came: it may have arrived."
"""What an attempt says that nobody saw the end of."""

_WAITING = or_(requests.c.state == RequestState.PENDING.value, requests.c.retry_at.is_not(None))


@dataclass(frozen=True, slots=True)
class _Standing:
    """Where a request stands, as far as a mark needs to know."""

    id: int
    owner: str
    batch_state: str
    state: str
    tries: int
    doubt: bool
    retry_at: int | None
    last_attempt: int | None
    updated_at: int


class Working(Database):
    """Work goes out, outcomes come in."""

    def unfinished(self) -> list[Unfinished]:
        """Batches that are not over, cancelled ones with requests on their way among them; oldest first.

        Cheap: may be asked every second.
        """
        on_their_way = select(requests.c.batch).where(requests.c.state == literal_column("'leaving'"))
        going = batches.c.state.in_([state.value for state in BatchState if state not in OVER])
        found = (
            select(batches.c.id, batches.c.owner, batches.c.state)
            .where(or_(going, batches.c.number.in_(on_their_way)))
            .order_by(batches.c.number)
        )
        with self._reading() as connection:
            return [Unfinished(row.id, row.owner, BatchState(row.state)) for row in connection.execute(found)]

    def claim(self, batch: str, owner: str, expected: str) -> bool:
        """Make ``owner`` the batch's owner if ``expected`` (empty: nobody) still is; else ``False``."""
        mine = update(batches).where(batches.c.id == batch, batches.c.owner == expected).values(owner=owner)
        with self._writing() as connection:
            return bool(connection.execute(mine).rowcount)

    def lanes(self, batch: str) -> list[LaneState]:
        """The batch's lanes in order, all of them, those that are through as well."""
        waits, state = _WAITING, requests.c.state
        leaves = state == RequestState.LEAVING.value
        stands = state.in_([RequestState.UNKNOWN.value, RequestState.UNSENT.value]) & requests.c.retry_at.is_(None)
        found = (
            select(
                requests.c.lane,
                *(
                    func.count().filter(condition).label(name)
                    for name, condition in zip("wls", (waits, leaves, stands), strict=True)
                ),
            )
            .where(requests.c.batch == _number_of(batch))
            .group_by(requests.c.lane)
            .order_by(requests.c.lane)
        )
        with self._reading() as connection:
            return [LaneState(*row) for row in connection.execute(found)]

    def take(self, batch: str, lane: int, limit: int) -> list[Work]:
        """The lane's next requests in their order: pending, and those to be tried again, however long they still wait.

        Nothing is changed by taking. While a request of the lane is leaving it is not among them.
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
            return _work(connection, batch, next_ids)[:limit]

    def mark(self, marks: Sequence[Mark], *, owner: str) -> frozenset[int]:
        """Write many marks, of any batches, in one transaction; returns the requests whose mark did **not** count.

        A *leaving* counts for a request that :meth:`take` gives, in a *sending* batch of this owner: one that did not
        count must not be sent. A *settled* counts for a *leaving* request of this owner; otherwise its attempt is
        kept as evidence, and the request stays what it is. Marks may be repeated after an error: an attempt that is
        already written is not written twice.
        """
        if not marks:
            return frozenset()
        now = self._clock()
        with self._writing() as connection:
            standings = _standings(connection, {mark.request for mark in marks})
            tried: list[tuple[int, Attempt, bool]] = []  # request, attempt, whether it is the request's last
            changed, missed = set(), set()
            for mark in marks:
                before = standings.get(mark.request)
                after = _after(before, mark, owner, now) if before is not None else None
                if after is not None:
                    standings[mark.request] = after
                    changed.add(mark.request)
                    if isinstance(mark, Settled):
                        tried.append((mark.request, mark.attempt, True))
                elif before is None or isinstance(mark, Leaving):
                    missed.add(mark.request)
                elif not _is_written(connection, mark):
                    missed.add(mark.request)
                    tried.append((mark.request, mark.attempt, False))
            ids = _write_attempts(connection, [(request, attempt) for request, attempt, _ in tried])
            for (request, _, last), id_ in zip(tried, ids, strict=True):
                if last:
                    standings[request] = replace(standings[request], last_attempt=id_)
            _write_standings(connection, [standings[request] for request in changed])
        return frozenset(missed)

    def split(self, request: int, attempt: Attempt, halves: Sequence[Half], *, owner: str) -> list[Work]:
        """Let halves take over a *leaving* request that was too large (CONTRACT 3.4), and return them in their order.

        They are pending, in the same lane, right after their parent's place; after a doubt they are to be tried again
        at once, and keep it. Raises :class:`NotAllowed` where the request is not leaving, not this owner's, or the
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
            if parent.state != RequestState.LEAVING.value or parent.owner != owner:
                raise NotAllowed(f"Request {request} cannot be split: it is {parent.state}, and another may own it.")
            if not 2 <= len(halves) <= 10 or sum(half.events for half in halves) != parent.events:
                raise NotAllowed(
                    f"Request {request} cannot be split: its {parent.events} events are not in its halves."
                )
            (tried,) = _write_attempts(connection, [(request, attempt)])
            children = _write_halves(connection, parent, halves, now)
            connection.execute(
                update(requests)
                .where(requests.c.id == request)
                .values(state=RequestState.SPLIT.value, tries=parent.tries + 1, last_attempt=tried, updated_at=now)
            )
            return _work(connection, parent.name, children)

    def leaving_to_unknown(self, batch: str, *, owner: str) -> int:
        """What a gone process left *leaving* is *unknown* (DESIGN); returns how many requests.

        ``owner`` must own the batch by now. Each gets an attempt that says so. Under :attr:`Policy.RESEND` they are
        tried again. Raises :class:`NotAllowed`, :class:`NotFound`.
        """
        now = self._clock()
        with self._writing() as connection:
            found = _batch(connection, batch)
            if found.owner != owner:
                raise NotAllowed(f"Batch {batch} belongs to another process now.")
            again = found.policy == Policy.RESEND.value and BatchState(found.state) not in OVER
            left = select(requests.c.id).where(
                requests.c.batch == found.number, requests.c.state == literal_column("'leaving'")
            )
            standings = _standings(connection, connection.execute(left).scalars())
            lost = [(standing.id, _unseen(standing.updated_at)) for standing in standings.values()]
            ids = _write_attempts(connection, lost)
            _write_standings(
                connection,
                [
                    replace(
                        standing,
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

    def set_state(
        self,
        batch: str,
        state: BatchState,
        reason: str = "",
        *,
        expected: BatchState | None = None,
        owner: str | None = None,
    ) -> None:
        """Change a batch's state, if the drawing allows it from where it stands.

        ``expected`` and ``owner``, where given, must be what the batch has. Cancelling takes along what is pending; a
        request that is on its way still gets its outcome. Raises :class:`NotAllowed` with a sentence,
        :class:`NotFound`.
        """
        now = self._clock()
        with self._writing() as connection:
            found = _batch(connection, batch)
            if owner is not None and found.owner != owner:
                raise NotAllowed(f"Batch {batch} belongs to another process now.")
            if state not in NEXT[BatchState(found.state)] or (expected is not None and found.state != expected.value):
                raise NotAllowed(f"Batch {batch} is {found.state}: it cannot become {state.value}.")
            if state is BatchState.DONE and _is_busy(connection, found.number):
                raise NotAllowed(f"Batch {batch} is not done: some of its requests still wait.")
            if state is BatchState.CANCELLED:
                _cancel(connection, found.number, now)
            values = {"state": state.value, "reason": storable(reason), "changed_at": now}
            connection.execute(update(batches).where(batches.c.number == found.number).values(values))

    def set_policy(self, batch: str, policy: Policy, again: Collection[RequestState] = ()) -> int:
        """A person's decision for the rest of a batch that is not over; returns how many requests are tried again.

        ``again`` names the states whose requests are: :attr:`RequestState.UNKNOWN`, :attr:`RequestState.UNSENT`.
        A batch that stands is then set going with :meth:`set_state`. Raises :class:`NotAllowed`, :class:`NotFound`.
        """
        if not {RequestState.UNKNOWN, RequestState.UNSENT}.issuperset(again):
            raise NotAllowed("Only what is unknown or unsent is tried again in its own batch.")
        now = self._clock()
        with self._writing() as connection:
            found = _batch(connection, batch)
            if BatchState(found.state) in OVER:
                raise NotAllowed(f"Batch {batch} is {found.state}: there is nothing left to decide.")
            connection.execute(update(batches).where(batches.c.number == found.number).values(policy=policy.value))
            count = 0
            for state in again:
                # What never arrived is as good as new; what may have arrived stays unknown until an answer says more.
                better = RequestState.PENDING if state is RequestState.UNSENT else RequestState.UNKNOWN
                count += connection.execute(
                    update(requests)
                    .where(
                        requests.c.batch == found.number,
                        requests.c.state == state.value,
                        requests.c.retry_at.is_(None),
                    )
                    .values(state=better.value, retry_at=now, updated_at=now)
                ).rowcount
            return count


# ── the rules ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _after(standing: _Standing, mark: Mark, owner: str, now: int) -> _Standing | None:
    """Where a mark leads a request; ``None`` where it does not count. The drawing, in code."""
    if standing.owner != owner:
        return None
    if isinstance(mark, Leaving):
        waits = standing.state == RequestState.PENDING.value or standing.retry_at is not None
        if not waits or standing.batch_state != BatchState.SENDING.value:
            return None
        return replace(standing, state=RequestState.LEAVING.value, retry_at=None, updated_at=now)
    if standing.state != RequestState.LEAVING.value:
        return None
    outcome, doubt = mark.attempt.outcome, standing.doubt or mark.attempt.outcome is Outcome.UNKNOWN
    again = (
        mark.retry_at is not None and outcome is not Outcome.ACCEPTED and BatchState(standing.batch_state) not in OVER
    )
    if outcome is Outcome.ACCEPTED:
        state = RequestState.ACCEPTED
    elif doubt:
        state = RequestState.UNKNOWN
    elif again:
        state = RequestState.PENDING
    else:
        state = RequestState(outcome.value)
    return replace(
        standing,
        state=state.value,
        doubt=doubt,
        tries=standing.tries + 1,
        retry_at=mark.retry_at if again else None,
        updated_at=now,
    )


# ── reading and writing them ─────────────────────────────────────────────────────────────────────────────────────────


def _batch(connection: Connection, batch: str) -> Row[Any]:
    """The batch's row, held until the transaction ends. Raises :class:`NotFound`."""
    found = connection.execute(select(batches).where(batches.c.id == batch).with_for_update()).one_or_none()
    if found is None:
        raise NotFound(f"History knows no batch {batch}.")
    return found


def _number_of(batch: str) -> Any:
    """The batch's number, as a part of a larger question."""
    return select(batches.c.number).where(batches.c.id == batch).scalar_subquery()


_STANDINGS = (
    select(
        requests.c.id,
        batches.c.owner,
        batches.c.state.label("batch_state"),
        requests.c.state,
        requests.c.tries,
        requests.c.doubt,
        requests.c.retry_at,
        requests.c.last_attempt,
        requests.c.updated_at,
    )
    .join(batches, batches.c.number == requests.c.batch)
    .where(requests.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(requests.c.id)
    .with_for_update()
)
_CHANGED = ("state", "tries", "doubt", "retry_at", "last_attempt", "updated_at")
_CHANGE = update(requests).where(requests.c.id == bindparam("id_")).values({name: bindparam(name) for name in _CHANGED})
_TRIED = insert(attempts).returning(attempts.c.id, sort_by_parameter_order=True)


def _standings(connection: Connection, ids: Iterable[int]) -> dict[int, _Standing]:
    """Where some requests stand; nobody moves them until the transaction ends."""
    return {row.id: _Standing(*row) for row in connection.execute(_STANDINGS, {"ids": sorted(ids)})}


def _write_standings(connection: Connection, standings: Sequence[_Standing]) -> None:
    if standings:
        rows = [{name: getattr(standing, name) for name in _CHANGED} | {"id_": standing.id} for standing in standings]
        connection.execute(_CHANGE, rows)


def _write_attempts(connection: Connection, tried: Sequence[tuple[int, Attempt]]) -> list[int]:
    """Write attempts and return their ids, in the same order."""
    if not tried:
        return []
    rows = [
        {
            "request": request,
            "started_at": attempt.started_at,
            "elapsed_ms": attempt.elapsed_ms,
            "outcome": attempt.outcome.value,
            "status": attempt.status,
            "reason": storable(attempt.reason),
            "headers": attempt.headers,
            "sent_headers": attempt.sent_headers,
            "answer": attempt.answer,
            "answer_length": attempt.answer_length,
            "answer_cut": attempt.answer_cut,
        }
        for request, attempt in tried
    ]
    return list(connection.execute(_TRIED, rows).scalars())


def _is_written(connection: Connection, mark: Settled) -> bool:
    """Whether this very attempt is in history already: its writer may have been told an error after all was kept."""
    same = select(attempts.c.id).where(
        attempts.c.request == mark.request,
        attempts.c.started_at == mark.attempt.started_at,
        attempts.c.elapsed_ms == mark.attempt.elapsed_ms,
        attempts.c.outcome == mark.attempt.outcome.value,
    )
    return connection.execute(same).first() is not None


def _write_halves(connection: Connection, parent: Row[Any], halves: Sequence[Half], now: int) -> list[int]:
    cancelled = BatchState(parent.batch_state) in OVER
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
    ids = write_requests(connection, rows)
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


def _unseen(started_at: int) -> Attempt:
    return Attempt(outcome=Outcome.UNKNOWN, status=None, reason=GONE, started_at=started_at, elapsed_ms=0.0)


def _is_busy(connection: Connection, number: int) -> bool:
    still = or_(
        requests.c.state.in_([RequestState.PENDING.value, RequestState.LEAVING.value]), requests.c.retry_at.is_not(None)
    )
    return (
        connection.execute(select(requests.c.id).where(requests.c.batch == number, still).limit(1)).first() is not None
    )


def _cancel(connection: Connection, number: int, now: int) -> None:
    of_batch = update(requests).where(requests.c.batch == number)
    connection.execute(
        of_batch.where(requests.c.state == RequestState.PENDING.value).values(
            state=RequestState.CANCELLED.value, retry_at=None, updated_at=now
        )
    )
    connection.execute(of_batch.where(requests.c.retry_at.is_not(None)).values(retry_at=None, updated_at=now))


def _work(connection: Connection, batch: str, ids: Sequence[int]) -> list[Work]:
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
            bodies.c.body,
        )
        .join(bodies, bodies.c.request == columns.id)
        .where(columns.id.in_(ids))
        .order_by(columns.position, columns.part)
    )
    return [
        Work(
            id=row.id,
            batch=batch,
            lane=row.lane,
            position=row.position,
            part=row.part,
            events=row.events,
            tries=row.tries,
            doubt=row.doubt,
            retry_at=row.retry_at,
            body=zlib.decompress(row.body),
        )
        for row in connection.execute(found)
    ]
