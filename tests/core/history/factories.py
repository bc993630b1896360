"""Factories of batches, requests and attempts, for tests of history, dispatch and exports."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from itertools import count
from typing import Any, TypeAlias

from sqlalchemy import insert, select

from intempt_core.contract.outcome import Outcome
from intempt_core.history import (
    BatchIntent,
    BatchSource,
    EventIntent,
    ExcludedRow,
    History,
    RequestIntent,
    TargetSnapshot,
)
from intempt_core.history.schema import unkeyed_requests
from intempt_core.history.upkeep.search_index import delete_keys
from intempt_core.planning.plan import Policy
from intempt_core.transport.track_client import Attempt

Databases: TypeAlias = "Callable[[], AbstractContextManager[str]]"
"""Makes databases; each gives its address."""

ME = "owner-1"
SHOP = TargetSnapshot(
    key="https://api.intempt.com/v1/acme/projects/shop/sources/1481727395731910656/track",
    name="shop",
    base="https://api.intempt.com",
    host="api.intempt.com",
    org="acme",
    project="shop",
    source_id="1481727395731910656",
    track_url="https://api.intempt.com/v1/acme/projects/shop/sources/1481727395731910656/track",
    origin="secrets.toml",
    production=True,
    credential_reference="secrets.toml: targets.shop.key",
    feeds={"recently-viewed": "123"},
)


class Clock:
    """A clock that only a test moves: ``now`` is epoch ms."""

    def __init__(self, now: int = 1_795_348_980_000) -> None:  # 2026-11-22 12:03 UTC
        self.now = now

    def __call__(self) -> int:
        return self.now


def intent(**given: Any) -> BatchIntent:
    usual: dict[str, Any] = {
        "source": BatchSource.FILE,
        "label": "data.csv",
        "target": SHOP,
        "policy": Policy.STOP,
        "rows": 0,
    }
    return BatchIntent(**usual | given)


def event(row: int, **given: Any) -> EventIntent:
    usual: dict[str, Any] = {
        "line": row + 1,
        "name": "Product viewed",
        "event_id": f"e{row}",
        "user_id": "u1",
        "product_id": f"p{row}",
    }
    return EventIntent(row, **usual | given)


def request(lane: int, position: int, events: Sequence[EventIntent], body: bytes | None = None) -> RequestIntent:
    made = b'{"track":[%s]}' % b",".join(
        b'"%s"' % str(event.event_id).encode("ascii", "backslashreplace") for event in events
    )
    return RequestIntent(lane, position, made if body is None else body, events)


def batch_of(
    history: History,
    *lanes: Sequence[int],
    owner: str = ME,
    excluded: Sequence[ExcludedRow] = (),
    **given: Any,
) -> str:
    """A batch with these lanes: each a list of the sizes of its requests."""
    rows = count(1)
    requests = [
        request(lane, position, [event(next(rows)) for _ in range(size)])
        for lane, sizes in enumerate(lanes, 1)
        for position, size in enumerate(sizes, 1)
    ]
    total = sum(len(made.events) for made in requests) + len(excluded)
    return history.recorder.record(intent(**{"owner": owner, "rows": total} | given), requests, excluded)


def unkey(history: History, requests: Collection[int]) -> None:
    """Let these requests be as if the search index were still to be filled with their events."""
    with history.database.writing() as connection:
        delete_keys(connection, list(requests))
        if requests:
            connection.execute(insert(unkeyed_requests), [{"request": id_} for id_ in requests])


def read_unkeyed(history: History) -> set[int]:
    """The requests whose events are still to be put into the search index."""
    with history.database.reading() as connection:
        return set(connection.execute(select(unkeyed_requests.c.request)).scalars())


_moments = count(1_795_348_980_001)


def attempt(outcome: Outcome = Outcome.ACCEPTED, **given: Any) -> Attempt:
    status = {Outcome.ACCEPTED: 201, Outcome.REJECTED: 400}.get(outcome)
    usual: dict[str, Any] = {
        "status": status,
        "reason": f"It was {outcome}.",
        "started_at": next(_moments),
        "elapsed_ms": 41.0,
    }
    return Attempt(outcome, **usual | given)
