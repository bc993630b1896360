"""Changes of a batch's state: paused, resumed, stopped, finished, cancelled."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, delete, literal, or_, select, update

from intempt_core.errors import NotAllowed
from intempt_core.history.database import Database
from intempt_core.history.dialects.conflicts import retry_conflicts
from intempt_core.history.dialects.locks import lock_target_of_batch
from intempt_core.history.recorder import (
    cancel_pending,
    count_recorded_events,
    describe_partial_recording,
    write_recording_stop,
)
from intempt_core.history.records import BatchState, RequestState
from intempt_core.history.repeats import find_repeats_since, make_error
from intempt_core.history.schema import (
    MAX_NAME_LENGTH,
    batches,
    lane_groups,
    make_search_text,
    make_storable,
    requests,
    unable_workers,
)
from intempt_core.history.transitions import NEXT_BATCH_STATES, lock_batch
from intempt_core.history.webhooks.announcements import announce_state
from intempt_core.planning import Policy


class BatchControl:
    """Changes the state of batches, as far as the drawing in :mod:`~intempt_core.history.transitions` allows it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @retry_conflicts
    def set_state(
        self,
        batch: str,
        state: BatchState,
        reason: str = "",
        *,
        expected: BatchState | None = None,
        owner: str | None = None,
        by_worker: bool = False,
    ) -> None:
        """Change a batch's state, if the drawing allows it from the state it is in.

        ``expected`` and ``owner``, where given, must be the batch's state and owner; with ``by_worker`` any worker may
        change a batch that has groups while it is being sent, and finish it only where no worker owns one.
        Cancelling a batch cancels its pending requests; a request in flight still gets its outcome. Raises
        :class:`NotAllowed` with a sentence, :class:`NotFound`.
        """
        now = self._database.clock()
        with self._database.writing() as connection:
            found = lock_batch(connection, batch)
            if by_worker and found.groups:
                _check_shared(connection, found, state)
            elif owner is not None and found.owner != owner:
                raise NotAllowed(f"Batch {batch} belongs to another process now.")
            if state not in NEXT_BATCH_STATES[BatchState(found.state)] or (
                expected is not None and found.state != expected.value
            ):
                raise NotAllowed(f"Batch {batch} is {found.state}: it cannot become {state.value}.")
            if state is BatchState.DONE and found.unrecorded:
                raise NotAllowed(f"Batch {batch} is not done: {found.unrecorded:,} of its events are not recorded.")
            if state is BatchState.DONE and found.recorder:
                raise NotAllowed(f"Batch {batch} is not done: its excluded rows are still being recorded.")
            if state is BatchState.DONE and _has_open_requests(connection, found.number):
                raise NotAllowed(f"Batch {batch} is not done: some of its requests are still to be sent.")
            mine = batches.c.number == found.number
            announce_state(connection, mine, state=state, reason=reason, now=now)
            values = {"state": state.value, "reason": make_storable(reason), "changed_at": now}
            if state is BatchState.CANCELLED:
                cancel_pending(connection, requests.c.batch == found.number, now)
                values["recorder"] = ""
            connection.execute(update(batches).where(batches.c.number == found.number).values(values))

    @retry_conflicts
    def rename(self, batch: str, name: str) -> None:
        """Give a batch a name that people know it by, or with an empty one take it away. Raises :class:`NotFound`."""
        storable = make_storable(" ".join(name.split())[:MAX_NAME_LENGTH])
        with self._database.writing() as connection:
            found = lock_batch(connection, batch)
            values = {"name": storable, "search_text": make_search_text(found.label, storable)}
            connection.execute(update(batches).where(batches.c.number == found.number).values(values))

    @retry_conflicts
    def dismiss(self, batch: str, *, again: bool = False) -> None:
        """Note that a person leaves what is unknown or not sent as it is, or with ``again`` that they do not.

        Raises :class:`NotFound`.
        """
        with self._database.writing() as connection:
            found = lock_batch(connection, batch)
            moment = None if again else self._database.clock()
            connection.execute(update(batches).where(batches.c.number == found.number).values(dismissed_at=moment))

    @retry_conflicts
    def stop_recording(self, batch: str, recorder: str) -> bool:
        """Stop a batch whose recorder has ended before all of it was recorded; whether it was that one's still.

        What is recorded stays, and may have been sent.
        """
        with self._database.writing() as connection:
            found = lock_batch(connection, batch)
            if not recorder or found.recorder != recorder:
                return False
            events = count_recorded_events(connection, found.number)
            reason = describe_partial_recording(events, found.unrecorded)
            write_recording_stop(connection, batch, reason, self._database.clock())
            return True

    @retry_conflicts
    def resume(
        self,
        batch: str,
        policy: Policy | None = None,
        retry_states: Collection[RequestState] | None = None,
        *,
        confirmed: Collection[int] | None = None,
    ) -> int:
        """Let a batch that is paused or has stopped go on; returns how many requests are tried again.

        ``retry_states`` are the states whose requests are tried again: :attr:`RequestState.UNKNOWN`,
        :attr:`RequestState.NOT_SENT`. By default those that certainly never arrived are, unless the policy is *go on*:
        then later events have been sent already.

        Where a batch *stopped* with unknown requests a person chooses between

        * *go on*, the default: they stay unknown and no longer hold their lanes. The policy becomes *go on*, so later
          unknowns do not stop a lane either;
        * *send the unknown again*: ``retry_states`` has them. The policy stays, and they are sent before the requests
          behind them.

        Another ``policy`` may be given with either. With ``confirmed`` (numbers of batches that a person was told of)
        it raises :class:`SentBefore` where some of what is still to be sent went or is going in another later batch.
        Raises :class:`NotAllowed` where the batch neither is paused nor has stopped, and :class:`NotFound`.
        """
        if not {RequestState.UNKNOWN, RequestState.NOT_SENT}.issuperset(retry_states or ()):
            raise NotAllowed("Only what is unknown or not sent is tried again in its own batch.")
        now = self._database.clock()
        with self._database.writing() as connection:
            if confirmed is not None:
                lock_target_of_batch(connection, batch)
            found = lock_batch(connection, batch)
            if BatchState(found.state) not in (BatchState.PAUSED, BatchState.STOPPED):
                raise NotAllowed(f"Batch {batch} is {found.state}: only what is paused or stopped can go on.")
            if confirmed is not None:
                repeats = [one for one in find_repeats_since(connection, found) if one.number not in confirmed]
                if repeats:
                    raise make_error(repeats, found.target_name)
            before = Policy(found.policy)
            if retry_states is None:
                retry_states = () if before is Policy.GO_ON else (RequestState.NOT_SENT,)
            if policy is None:
                decided = found.state == BatchState.STOPPED.value and RequestState.UNKNOWN not in retry_states
                policy = Policy.GO_ON if decided and _has_unknown(connection, found.number) else before
            connection.execute(
                update(batches)
                .where(batches.c.number == found.number)
                .values(policy=policy.value, state=BatchState.SENDING.value, reason="", changed_at=now)
            )
            if found.groups:  # every worker tries again
                connection.execute(delete(unable_workers).where(unable_workers.c.batch == found.number))
            return sum(_retry_requests(connection, found.number, state, now) for state in set(retry_states))


def _check_shared(connection: Connection, found: Row[Any], state: BatchState) -> None:
    """Raise :class:`NotAllowed` where a worker may not give a batch with groups that state."""
    if found.state != BatchState.SENDING.value:
        raise NotAllowed(f"Batch {found.id} is {found.state} by now.")
    owned = select(lane_groups.c.number).where(lane_groups.c.batch == found.number, lane_groups.c.owner != literal(""))
    if state is not BatchState.PAUSED and connection.execute(owned.limit(1)).first() is not None:
        raise NotAllowed(f"Batch {found.id} is still being sent by a worker.")


def _has_unknown(connection: Connection, number: int) -> bool:
    unknown = select(requests.c.id).where(requests.c.batch == number, requests.c.state == RequestState.UNKNOWN.value)
    return connection.execute(unknown.limit(1)).first() is not None


def _retry_requests(connection: Connection, number: int, state: RequestState, now: int) -> int:
    """Let requests be tried again: what never arrived is pending again, what may have arrived stays unknown."""
    state_meanwhile = RequestState.PENDING if state is RequestState.NOT_SENT else RequestState.UNKNOWN
    unresolved = requests.c.batch == number, requests.c.state == state.value, requests.c.retry_at.is_(None)
    changed = update(requests).where(*unresolved).values(state=state_meanwhile.value, retry_at=now, updated_at=now)
    return connection.execute(changed).rowcount


def _has_open_requests(connection: Connection, number: int) -> bool:
    is_open = or_(
        requests.c.state.in_([RequestState.PENDING.value, RequestState.IN_FLIGHT.value]),
        requests.c.retry_at.is_not(None),
    )
    return (
        connection.execute(select(requests.c.id).where(requests.c.batch == number, is_open).limit(1)).first()
        is not None
    )
