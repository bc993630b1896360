"""Where an event was sent: every request that held its id, whichever batch and target it went to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import select

from intempt_core.history.database import Database
from intempt_core.history.queries import IS_LAST_ATTEMPT
from intempt_core.history.records import RequestState
from intempt_core.history.schema import attempts, batches, events, make_indexable, requests
from intempt_core.history.transitions import IS_STORED

LOOKUP_CHUNK_IDS = 500
"""Ids in one question: databases bound the parameters of a statement."""


@dataclass(frozen=True, slots=True)
class EventOccurrence:
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


class EventLookup(Database):
    """Questions that begin with an event's id."""

    def occurrences(
        self, ids: Iterable[str], *, target: str | None = None, limit_per_id: int = 200
    ) -> dict[str, list[EventOccurrence]]:
        """Where events of these ids were sent, the latest first; at a target (a ``key``) or anywhere.

        Of one question ``most`` are told for each id; an id that was never recorded is not among the answers.
        """
        found: dict[str, list[EventOccurrence]] = {}
        with self._reading() as connection:
            for some in _chunk_ids(dict.fromkeys(ids)):
                names = {make_indexable(id_): id_ for id_ in some}
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
                    .outerjoin(attempts, IS_LAST_ATTEMPT)
                    .where(IS_STORED, *wanted, *([batches.c.target_key == target] if target is not None else []))
                    .order_by(requests.c.id.desc(), events.c.position.desc())
                    .limit(limit_per_id * len(some))
                )
                for row in connection.execute(asked):
                    mine = found.setdefault(names[row.event_id], [])
                    if len(mine) < limit_per_id:
                        mine.append(_make_occurrence(row, names[row.event_id]))
        return found


def _make_occurrence(row: Any, event_id: str) -> EventOccurrence:
    return EventOccurrence(
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


def _chunk_ids(ids: Iterable[str]) -> Iterator[list[str]]:
    left = iter(ids)
    return iter(lambda: list(islice(left, LOOKUP_CHUNK_IDS)), [])
