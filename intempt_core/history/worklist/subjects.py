"""Of whom and of which products the events of a batch are, read from its first request only."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from intempt_core.history.records import IDENTITY_COLUMNS, RequestState
from intempt_core.history.schema import batches, events, requests
from intempt_core.history.views import BatchSubjects

MAX_EVENTS_READ = 100
"""Events of the first request that are read."""


def read_subjects(connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, BatchSubjects]:
    """The persons and products of some batches, by number; those without any event are left out."""
    is_whole = requests.c.state != RequestState.SPLIT.value  # the events of one that was split are its halves'
    of_batch = select(requests.c.id).where(requests.c.batch == batches.c.number, is_whole).order_by(requests.c.id)
    first = of_batch.limit(1).scalar_subquery()
    numbers = [row.number for row in rows]
    asked = select(first, batches.c.number).where(batches.c.number.in_(numbers))
    firsts = {request: number for request, number in connection.execute(asked) if request is not None}
    columns = (*(events.c[name] for name in IDENTITY_COLUMNS.values()), events.c.product_id)
    found = select(events.c.request, *columns).where(
        events.c.request.in_(list(firsts)), events.c.position < MAX_EVENTS_READ
    )
    held: dict[int, list[Sequence[Any]]] = {}
    for request, *event in connection.execute(found.order_by(events.c.request, events.c.position)):
        held.setdefault(firsts[request], []).append(event)
    return {row.number: _make_subjects(row.persons, held[row.number]) for row in rows if row.number in held}


def _make_subjects(persons: int, given: Sequence[Sequence[Any]]) -> BatchSubjects:
    people = _list_distinct(next((id_ for id_ in event[:-1] if id_), None) for event in given)
    products = _list_distinct(event[-1] for event in given)
    return BatchSubjects(tuple(people), tuple(products), persons, len(given))


def _list_distinct(values: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))
