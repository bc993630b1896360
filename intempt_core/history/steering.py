"""Where a batch may go, and what a person decides about it."""

from collections.abc import Collection

from sqlalchemy import Connection, or_, select, update

from intempt_core.errors import NotAllowed
from intempt_core.history.database import Database
from intempt_core.history.records import BatchState, RequestState
from intempt_core.history.schema import batches, requests, storable
from intempt_core.history.standings import NEXT, OVER, held_batch
from intempt_core.plan import Policy


class Steering(Database):
    """Batches are paused, set going, stopped, finished and cancelled."""

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
            found = held_batch(connection, batch)
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
            found = held_batch(connection, batch)
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
