"""States of requests and batches, which may follow which, and how they are read and written.

A request::

                    ┌────────── tried again, certain that nothing arrived ◀───────────┐
                    ▼                                                                 │
    (recorded) ─▶ pending ─▶ in flight ─┬─▶ accepted     final                        │
                    │           ▲       ├─▶ rejected     final                        │
                    │           │       ├─▶ not sent     until a person decides ──────┤
                    │           │       ├─▶ unknown      until a person decides       │
                    │           │       │     └─ tried again (doubt stays) ───────┐   │
                    │           └───────┼─────────────────────────────────────────┘   │
                    ▼                   ├─▶ (retry later) ────────────────────────────┘
                cancelled  final        └─▶ split        final: its halves, recorded as pending with it, replace it

An attempt whose outcome was unknown leaves a *doubt*: unless a later attempt is accepted, the request stays unknown
whatever a later attempt's outcome is, and it never becomes pending or not sent again. ``retry_at`` is set exactly while
a request will be tried again without a person's decision.

A batch::

    (first piece recorded) ─▶ sending ◀─▶ paused
                              │  ▲  │        │
                              │  └─ stopped ─┤      stopped: lanes are held, or it is half recorded: a person decides
                              ▼              ▼
                             done        cancelled     both final; cancelling cancels what is pending

        done, cancelled ─▶ forgotten: its rows are being deleted, and no query finds it

A batch is sent while it is recorded. ``unrecorded`` counts the events that are still to come, and ``recorder`` names
the process that records them; where that one ends before the last of them, the batch is *stopped*. *done* needs that
all of it is recorded, and that nothing is pending, in flight or to be tried again. Only requests of a *sending* batch
may be sent, and only by its owner: the owner is compared in the transaction that writes, so a process that lost a batch
while it was frozen cannot change it.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, literal, select

from intempt_core.contract import Outcome, RequestVerdict, dump_json
from intempt_core.errors import NotFound
from intempt_core.history.dialects.bulk import get_bulk_statements
from intempt_core.history.dialects.locks import lock_batch_state
from intempt_core.history.records import AttemptEnd, AttemptStart, BatchState, RequestState, Transition
from intempt_core.history.schema import attempts, batches, make_storable
from intempt_core.transport import Attempt

NEXT_BATCH_STATES: dict[BatchState, frozenset[BatchState]] = {
    BatchState.SENDING: frozenset({BatchState.PAUSED, BatchState.STOPPED, BatchState.DONE, BatchState.CANCELLED}),
    BatchState.PAUSED: frozenset({BatchState.SENDING, BatchState.CANCELLED}),
    BatchState.STOPPED: frozenset({BatchState.SENDING, BatchState.CANCELLED}),
    BatchState.DONE: frozenset(),
    BatchState.CANCELLED: frozenset(),
    BatchState.FORGOTTEN: frozenset(),
}
"""The drawing above as a table: the states that may follow each state of a batch."""

IS_STORED = batches.c.state != BatchState.FORGOTTEN.value
"""Condition on batches: they are not being deleted."""

IS_HALF_RECORDED = and_(
    batches.c.state == BatchState.STOPPED.value, batches.c.unrecorded > 0, batches.c.recorder == literal("")
)
"""Condition on batches: they stopped before all of them was recorded, and nobody records the rest."""

FINAL_BATCH_STATES = frozenset(state for state, after in NEXT_BATCH_STATES.items() if not after)
"""States of a batch that no other state follows."""

PROCESS_GONE_REASON = "The console that sent it ended before the response came: it may have arrived."
"""Reason of an attempt whose end was not seen."""


class RequestSnapshot(NamedTuple):
    """A request's state, as far as a transition depends on it.

    Attributes:
        events: how many events it holds.
        batch_number: the batch's short number, by which rows name it.
        batch_id: the batch's id.
        owner: the process that sends the batch.
        batch_state: value of the batch's :class:`BatchState`.
        state: value of its :class:`RequestState`.
        tries: how many attempts were made.
        doubt: whether an earlier attempt was unknown, and so may have arrived.
        retry_at: when it is tried again, in epoch ms; ``None`` where it is not.
        last_attempt: id of its last attempt.
        updated_at: time of its last change, in epoch ms.
        epoch: the epoch of its group of lanes, whose owner ``owner`` is then; 0 where its batch has no groups.
    """

    id: int
    events: int
    batch_number: int
    batch_id: str
    owner: str
    batch_state: str
    state: str
    tries: int
    doubt: bool
    retry_at: int | None
    last_attempt: int | None
    updated_at: int
    epoch: int = 0


def apply_transition(snapshot: RequestSnapshot, transition: Transition, owner: str, now: int) -> RequestSnapshot | None:
    """The state that follows a transition; ``None`` where the transition is not valid in this state."""
    if not is_owned(snapshot, transition, owner):
        return None
    if isinstance(transition, AttemptStart):
        is_waiting = snapshot.state == _PENDING or snapshot.retry_at is not None
        if not is_waiting or snapshot.batch_state != _SENDING:
            return None
        return snapshot._replace(state=_IN_FLIGHT, retry_at=None, updated_at=now)
    if snapshot.state != _IN_FLIGHT:
        return None
    outcome, doubt = transition.attempt.outcome, snapshot.doubt or transition.attempt.outcome is Outcome.UNKNOWN
    again = (
        transition.retry_at is not None
        and outcome is not Outcome.ACCEPTED
        and BatchState(snapshot.batch_state) not in FINAL_BATCH_STATES
    )
    if outcome is Outcome.ACCEPTED:
        state = _ACCEPTED
    elif doubt:
        state = RequestState.UNKNOWN.value
    elif again:
        state = _PENDING
    else:
        state = RequestState(outcome.value).value
    return snapshot._replace(
        state=state,
        doubt=doubt,
        tries=snapshot.tries + 1,
        retry_at=transition.retry_at if again else None,
        updated_at=now,
    )


def is_owned(snapshot: RequestSnapshot, transition: Transition, owner: str) -> bool:
    """Whether a request is the owner's still, and was not another's since the attempt began."""
    return snapshot.owner == owner and snapshot.epoch == transition.epoch


# Looking up an enum's value calls a function; these are needed twice for every request that is sent.
_PENDING, _IN_FLIGHT, _ACCEPTED = (
    state.value for state in (RequestState.PENDING, RequestState.IN_FLIGHT, RequestState.ACCEPTED)
)
_SENDING = BatchState.SENDING.value


def read_request_snapshots(connection: Connection, ids: Iterable[int]) -> dict[int, RequestSnapshot]:
    """Read the states of some requests, and lock them until the transaction ends."""
    rows = get_bulk_statements(connection).fetch_snapshot_rows(connection, sorted(ids))
    return {row[0]: RequestSnapshot(*row) for row in rows}


def write_request_snapshots(connection: Connection, snapshots: Sequence[RequestSnapshot]) -> None:
    """Write the states of some requests."""
    if not snapshots:
        return
    get_bulk_statements(connection).update_requests(
        connection,
        [
            (one.id, one.state, one.tries, one.doubt, one.retry_at, one.last_attempt, one.updated_at)
            for one in snapshots
        ],
    )


def write_attempts(connection: Connection, tried: Sequence[tuple[int, Attempt, RequestVerdict | None]]) -> list[int]:
    """Write attempts, each with what became of its events, and return their ids, in the same order."""
    if not tried:
        return []
    return get_bulk_statements(connection).insert_attempts(
        connection,
        [
            _make_attempt_row(
                request, attempt, verdict, _dump_headers(attempt.headers), _dump_headers(attempt.sent_headers)
            )
            for request, attempt, verdict in tried
        ],
    )


def _make_attempt_row(
    request: int, attempt: Attempt, verdict: RequestVerdict | None, headers: str, sent_headers: str
) -> tuple[Any, ...]:
    """An attempt's values in the order of its table's columns, without the id."""
    return (
        request,
        attempt.started_at,
        attempt.elapsed_ms,
        attempt.outcome.value,
        attempt.status,
        make_storable(attempt.reason),
        headers,
        sent_headers,
        attempt.response_body,
        attempt.response_length,
        attempt.response_truncated,
        None if verdict is None else verdict.processed,
        None if verdict is None else verdict.ignored,
        None if verdict is None else verdict.repeated,
    )


@lru_cache(256)
def _dump_headers(headers: tuple[tuple[str, str], ...]) -> str:
    """Headers as the database stores them, cached: those of a batch's requests are nearly all alike."""
    return dump_json(headers).decode()


def is_attempt_written(connection: Connection, transition: AttemptEnd) -> bool:
    """Whether this very attempt is written already: a commit may succeed and still raise an error."""
    same = select(attempts.c.id).where(
        attempts.c.request == transition.request,
        attempts.c.started_at == transition.attempt.started_at,
        attempts.c.elapsed_ms == transition.attempt.elapsed_ms,
        attempts.c.outcome == transition.attempt.outcome.value,
    )
    return connection.execute(same).first() is not None


def make_unseen_attempt(started_at: int) -> Attempt:
    """The attempt of a request whose process ended before its response came."""
    return Attempt(
        outcome=Outcome.UNKNOWN, status=None, reason=PROCESS_GONE_REASON, started_at=started_at, elapsed_ms=0.0
    )


def lock_batch(connection: Connection, batch: str) -> Row[Any]:
    """Read the batch's row, and lock it until the transaction ends. Raises :class:`NotFound`."""
    lock_batch_state(connection, batch)
    # Not the key: what is recorded of the batch meanwhile names it, and need not wait.
    asked = select(batches).where(batches.c.id == batch, IS_STORED).with_for_update(key_share=True)
    found = connection.execute(asked).one_or_none()
    if found is None:
        raise NotFound(f"History knows no batch {batch}.")
    return found
