"""Where an event was sent: every request that held its id, whichever batch and target it went to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import select

from intempt_core.history.database import Database
from intempt_core.history.reading import LAST
from intempt_core.history.records import RequestState
from intempt_core.history.schema import attempts, batches, events, kept, requests
from intempt_core.history.standings import THERE

AT_ONCE = 500
"""Ids in one question: databases bound the parameters of a statement."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One event of an id in one request. ``status`` and ``reason`` are its last attempt's; times are epoch ms.

    ``when`` is the time of the request's last change. ``target_key`` says which place the target is (``target_key``).
    """

    event_id: str
    batch: str
    label: str
    request: int
    position: int
    name: str | None
    product_id: str | None
    target_key: str
    target_name: str
    state: RequestState
    status: int | None
    reason: str
    tries: int
    when: int


class ByEvent(Database):
    """Questions that begin with an event's id."""

    def sightings(self, ids: Iterable[str], *, target: str | None = None, most: int = 200) -> dict[str, list[Sighting]]:
        """Where events of these ids were sent, the latest first; at a target (a ``key``) or anywhere.

        Of one question ``most`` are told for each id; an id that was never recorded is not among the answers.
        """
        found: dict[str, list[Sighting]] = {}
        with self._reading() as connection:
            for some in _some(dict.fromkeys(ids)):
                names = {kept(id_): id_ for id_ in some}
                wanted = [events.c.event_id.in_(list(names)), requests.c.state != RequestState.SPLIT.value]
                asked = (
                    select(
                        events.c.event_id,
                        batches.c.id,
                        batches.c.label,
                        events.c.request,
                        events.c.position,
                        events.c.name,
                        events.c.product_id,
                        batches.c.target_key,
                        batches.c.target_name,
                        requests.c.state,
                        attempts.c.status,
                        attempts.c.reason,
                        requests.c.tries,
                        requests.c.updated_at,
                    )
                    .join(requests, requests.c.id == events.c.request)
                    .join(batches, batches.c.number == events.c.batch)
                    .outerjoin(attempts, LAST)
                    .where(THERE, *wanted, *([batches.c.target_key == target] if target is not None else []))
                    .order_by(requests.c.id.desc(), events.c.position.desc())
                    .limit(most * len(some))
                )
                for row in connection.execute(asked):
                    mine = found.setdefault(names[row.event_id], [])
                    if len(mine) < most:
                        mine.append(_sighting(row, names[row.event_id]))
        return found


def _sighting(row: Any, event_id: str) -> Sighting:
    return Sighting(
        event_id=event_id,
        batch=row.id,
        label=row.label,
        request=row.request,
        position=row.position,
        name=row.name,
        product_id=row.product_id,
        target_key=row.target_key,
        target_name=row.target_name,
        state=RequestState(row.state),
        status=row.status,
        reason=row.reason or "",
        tries=row.tries,
        when=row.updated_at,
    )


def _some(ids: Iterable[str]) -> Iterator[list[str]]:
    left = iter(ids)
    return iter(lambda: list(islice(left, AT_ONCE)), [])
