"""The batches that wait for a person: with events that are unknown or not sent, or stopped or paused.

A request that was sent again to the same target waits no longer: what came of it is decided in the later batch. Neither
does one that the target was found to have, which says what became of its events; nor what a person decided to leave as
it is, nor what was cancelled.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Subquery, exists, func, select, union

from intempt_core.history.records import BatchState, RequestState
from intempt_core.history.schema import IS_UNRESOLVED, attempts, batches, requests
from intempt_core.history.views import UndecidedCounts

_HALTED_STATES = [BatchState.STOPPED.value, BatchState.PAUSED.value]
_OTHER_STATES = [BatchState.SENDING.value, BatchState.CANCELLED.value, BatchState.FORGOTTEN.value]
# What the state of the batch is not, so that SQLite begins with the few requests and not with the many batches.
_IS_ASKED = batches.c.state.not_in(_OTHER_STATES), batches.c.dismissed_at.is_(None)


def select_undecided() -> Select[Any]:
    """The numbers of the batches that wait for a person."""
    unresolved = _select_unresolved(*_IS_ASKED)
    halted = select(batches.c.number).where(batches.c.state.in_(_HALTED_STATES), batches.c.dismissed_at.is_(None))
    found = union(select(unresolved.c.batch.label("number")), halted).subquery()
    return select(found.c.number)


def count_undecided(connection: Connection) -> UndecidedCounts:
    """Count the batches that wait for a person, and their events by what there is to decide."""
    unresolved = _select_unresolved(*_IS_ASKED)
    by_state = select(unresolved.c.state, func.sum(unresolved.c.events)).group_by(unresolved.c.state)
    events = {RequestState(state): int(count) for state, count in connection.execute(by_state)}
    halted = select(batches.c.state, func.count()).where(
        batches.c.state.in_(_HALTED_STATES), batches.c.dismissed_at.is_(None)
    )
    states = {BatchState(state): int(n) for state, n in connection.execute(halted.group_by(batches.c.state))}
    total = int(connection.execute(select(func.count()).select_from(select_undecided().subquery())).scalar_one())
    return UndecidedCounts(total, events, states)


def count_waiting(connection: Connection, numbers: Sequence[int]) -> dict[int, dict[RequestState, int]]:
    """How many events of some batches wait for a person, by the batch's number and their state."""
    unresolved = _select_unresolved(batches.c.number.in_(numbers)).c
    counted = select(unresolved.batch, unresolved.state, func.sum(unresolved.events))
    found: dict[int, dict[RequestState, int]] = {}
    for number, state, events in connection.execute(counted.group_by(unresolved.batch, unresolved.state)):
        found.setdefault(number, {})[RequestState(state)] = int(events)
    return found


def _select_unresolved(*where: ColumnElement[bool]) -> Subquery:
    """The requests whose outcome is still open, of the batches that match."""
    # In a statement of its own: the condition has no name of a table, or SQLite does not recognise its index.
    columns = requests.c.id, requests.c.batch, requests.c.state, requests.c.events, requests.c.last_attempt
    open_ = select(*columns).where(IS_UNRESOLVED, requests.c.retry_at.is_(None)).subquery("open_requests")
    again, its_batch = requests.alias("again"), batches.alias("its_batch")
    was_resent = exists().where(
        again.c.resend_of == open_.c.id,
        its_batch.c.number == again.c.batch,
        its_batch.c.target_key == batches.c.target_key,
    )
    is_judged = exists().where(attempts.c.id == open_.c.last_attempt, attempts.c.processed.is_not(None))
    return (
        select(open_.c.batch, open_.c.state, open_.c.events)
        .join(batches, batches.c.number == open_.c.batch)
        .where(*where, ~was_resent, ~is_judged)
        .subquery("unresolved")
    )
