"""Where requests stand, the rules by which marks move them, and how that is read and written.

The drawing in :mod:`intempt_core.history`, in code.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from intempt_core.client import Attempt, Outcome
from intempt_core.errors import NotFound
from intempt_core.events import dump_json
from intempt_core.history.at_once import change_standings, insert_attempts, read_standings
from intempt_core.history.records import BatchState, Leaving, Mark, RequestState, Settled
from intempt_core.history.schema import attempts, batches, requests, storable

NEXT: dict[BatchState, frozenset[BatchState]] = {
    BatchState.RECORDING: frozenset({BatchState.CANCELLED}),  # it becomes sending with its last request, nowhere else
    BatchState.SENDING: frozenset({BatchState.PAUSED, BatchState.STOPPED, BatchState.DONE, BatchState.CANCELLED}),
    BatchState.PAUSED: frozenset({BatchState.SENDING, BatchState.CANCELLED}),
    BatchState.STOPPED: frozenset({BatchState.SENDING, BatchState.CANCELLED}),
    BatchState.DONE: frozenset(),
    BatchState.CANCELLED: frozenset(),
    BatchState.FORGOTTEN: frozenset(),
}
"""The drawing in :mod:`intempt_core.history` as a table: where a batch may go from where it stands."""

THERE = batches.c.state != BatchState.FORGOTTEN.value
"""Of batches: those that are not being deleted."""

OVER = frozenset(state for state, after in NEXT.items() if not after)
"""States of a batch that nothing leads out of."""

GONE = "The console that sent it went away before the answer came: it may have arrived."
"""What an attempt says that nobody saw the end of."""


class Standing(NamedTuple):
    """Where a request stands, as far as a mark needs to know. Its batch has a number and a ``name`` (its id)."""

    id: int
    events: int
    batch: int
    name: str
    owner: str
    batch_state: str
    state: str
    tries: int
    doubt: bool
    retry_at: int | None
    last_attempt: int | None
    updated_at: int


def after(standing: Standing, mark: Mark, owner: str, now: int) -> Standing | None:
    """Where a mark leads a request; ``None`` where it does not count. The drawing, in code."""
    if standing.owner != owner:
        return None
    if isinstance(mark, Leaving):
        waits = standing.state == _PENDING or standing.retry_at is not None
        if not waits or standing.batch_state != _SENDING:
            return None
        return standing._replace(state=_LEAVING, retry_at=None, updated_at=now)
    if standing.state != _LEAVING:
        return None
    outcome, doubt = mark.attempt.outcome, standing.doubt or mark.attempt.outcome is Outcome.UNKNOWN
    again = (
        mark.retry_at is not None and outcome is not Outcome.ACCEPTED and BatchState(standing.batch_state) not in OVER
    )
    if outcome is Outcome.ACCEPTED:
        state = _ACCEPTED
    elif doubt:
        state = RequestState.UNKNOWN.value
    elif again:
        state = _PENDING
    else:
        state = RequestState(outcome.value).value
    return standing._replace(
        state=state,
        doubt=doubt,
        tries=standing.tries + 1,
        retry_at=mark.retry_at if again else None,
        updated_at=now,
    )


# An enum's value is looked up by a function; these are asked for twice with every request that leaves.
_PENDING, _LEAVING, _ACCEPTED = (
    state.value for state in (RequestState.PENDING, RequestState.LEAVING, RequestState.ACCEPTED)
)
_SENDING = BatchState.SENDING.value

_STANDINGS = select(
    requests.c.id,
    requests.c.events,
    requests.c.batch,
    batches.c.id.label("name"),
    batches.c.owner,
    batches.c.state.label("batch_state"),
    requests.c.state,
    requests.c.tries,
    requests.c.doubt,
    requests.c.retry_at,
    requests.c.last_attempt,
    requests.c.updated_at,
).join(batches, batches.c.number == requests.c.batch)
_CHANGED = ("state", "tries", "doubt", "retry_at", "last_attempt", "updated_at")
_CHANGE = update(requests).where(requests.c.id == bindparam("id_")).values({name: bindparam(name) for name in _CHANGED})
_TRIED = insert(attempts).returning(attempts.c.id, sort_by_parameter_order=True)


def standings_of(connection: Connection, ids: Iterable[int]) -> dict[int, Standing]:
    """Where some requests stand; nobody moves them until the transaction ends."""
    some = sorted(ids)
    if connection.dialect.name != "sqlite":
        asked = _STANDINGS.where(requests.c.id.in_(some)).order_by(requests.c.id).with_for_update()
        rows: Iterable[Any] = connection.execute(asked)
        return {row.id: Standing(*row) for row in rows}
    return {row[0]: Standing(*row) for row in read_standings(connection, some)}


def write_standings(connection: Connection, standings: Sequence[Standing]) -> None:
    """Write where requests stand now."""
    if not standings:
        return
    if connection.dialect.name != "sqlite":
        rows = [{name: getattr(standing, name) for name in _CHANGED} | {"id_": standing.id} for standing in standings]
        connection.execute(_CHANGE, rows)
        return
    change_standings(
        connection,
        [
            (one.id, one.state, one.tries, one.doubt, one.retry_at, one.last_attempt, one.updated_at)
            for one in standings
        ],
    )


def write_attempts(connection: Connection, tried: Sequence[tuple[int, Attempt]]) -> list[int]:
    """Write attempts and return their ids, in the same order."""
    if not tried:
        return []
    if connection.dialect.name != "sqlite":
        names = [column.name for column in attempts.columns][1:]
        rows = [
            dict(zip(names, _row(request, attempt, attempt.headers, attempt.sent_headers), strict=True))
            for request, attempt in tried
        ]
        return list(connection.execute(_TRIED, rows).scalars())
    return insert_attempts(
        connection,
        [_row(request, attempt, _json(attempt.headers), _json(attempt.sent_headers)) for request, attempt in tried],
    )


def _row(request: int, attempt: Attempt, headers: Any, sent_headers: Any) -> tuple[Any, ...]:
    """An attempt in the order of its table's columns, behind the id."""
    return (
        request,
        attempt.started_at,
        attempt.elapsed_ms,
        attempt.outcome.value,
        attempt.status,
        storable(attempt.reason),
        headers,
        sent_headers,
        attempt.response_body,
        attempt.response_length,
        attempt.response_truncated,
    )


@lru_cache(256)
def _json(headers: tuple[tuple[str, str], ...]) -> str:
    """Headers as the database keeps them; those of a batch's requests are nearly all alike."""
    return dump_json(headers).decode()


def is_written(connection: Connection, mark: Settled) -> bool:
    """Whether this very attempt is in history already: its writer may have been told an error after all was kept."""
    same = select(attempts.c.id).where(
        attempts.c.request == mark.request,
        attempts.c.started_at == mark.attempt.started_at,
        attempts.c.elapsed_ms == mark.attempt.elapsed_ms,
        attempts.c.outcome == mark.attempt.outcome.value,
    )
    return connection.execute(same).first() is not None


def unseen(started_at: int) -> Attempt:
    """The attempt whose end nobody saw, because its console went away."""
    return Attempt(outcome=Outcome.UNKNOWN, status=None, reason=GONE, started_at=started_at, elapsed_ms=0.0)


def held_batch(connection: Connection, batch: str) -> Row[Any]:
    """The batch's row, held until the transaction ends. Raises :class:`NotFound`."""
    found = connection.execute(select(batches).where(batches.c.id == batch, THERE).with_for_update()).one_or_none()
    if found is None:
        raise NotFound(f"History knows no batch {batch}.")
    return found
