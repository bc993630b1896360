"""How much is still to be sent, and for how long it has waited."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, literal, select, true

from intempt_core.history.database import Database
from intempt_core.history.records import BatchState, RequestState
from intempt_core.history.schema import batches, requests

OLDEST_BATCHES = 50
"""In how many batches the oldest pending request is looked for: the first ones that have any."""

_MAX_LANE = 64


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is still to be sent of batches that are *sending*.

    Attributes:
        batches: how many of them have such requests.
        pending: requests that are pending.
        in_flight: requests whose response is still to come.
        oldest_seconds: for how long the oldest pending request has waited since it was recorded, or since it was last
            tried; 0 where none is pending.
    """

    batches: int
    pending: int
    in_flight: int
    oldest_seconds: float


class BacklogMeter:
    """Measures the backlog of all processes together, from an index alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def measure(self) -> Backlog:
        """Measure it now; where millions of requests are pending it takes a part of a second."""
        sending = select(batches.c.number).where(batches.c.state == BatchState.SENDING.value)
        is_pending = requests.c.state == RequestState.PENDING.value
        counted = (
            select(
                requests.c.batch,
                func.count().filter(is_pending).label("pending"),
                func.count().filter(~is_pending).label("in_flight"),
            )
            .where(
                requests.c.batch.in_(sending),
                requests.c.state.in_([RequestState.PENDING.value, RequestState.IN_FLIGHT.value]),
            )
            .group_by(requests.c.batch)
        )
        now = self._database.clock()
        with self._database.reading() as connection:
            found = connection.execute(counted).all()
            waiting = sorted(row.batch for row in found if row.pending)[:OLDEST_BATCHES]
            oldest = connection.execute(_select_oldest(waiting)).scalar() if waiting else None
        return Backlog(
            batches=len(found),
            pending=sum(row.pending for row in found),
            in_flight=sum(row.in_flight for row in found),
            oldest_seconds=0.0 if oldest is None else max(now - oldest, 0) / 1000,
        )


def _select_oldest(numbers: list[int]) -> Select[Any]:
    """Select the time of the oldest among the first pending requests of all lanes of some batches.

    A lane is recorded in its order, so its first request is its oldest; an index leads to each.
    """
    lanes = select(literal(0).label("lane")).cte("lanes", recursive=True)
    lanes = lanes.union_all(select(lanes.c.lane + 1).where(lanes.c.lane < _MAX_LANE))
    first = (
        select(requests.c.updated_at)
        .where(
            requests.c.batch == batches.c.number,
            requests.c.state == RequestState.PENDING.value,
            requests.c.lane == lanes.c.lane,
        )
        .order_by(requests.c.position, requests.c.part)
        .limit(1)
        .correlate(batches, lanes)
        .scalar_subquery()
    )
    return select(func.min(first)).select_from(batches.join(lanes, true())).where(batches.c.number.in_(numbers))
