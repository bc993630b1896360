"""Lists of what the sandbox received: events, consents, and one person's events, as JSON."""

from dataclasses import dataclass
from sqlite3 import Row
from typing import Any

import orjson

from intempt_core.contract import MAX_INSTEAD_ROWS, MAX_LISTED_ARRIVALS, Issue, Place
from intempt_core.sandbox.http.queries import ArrivalQuery, PersonEventsQuery
from intempt_core.sandbox.storage.store import SandboxStore


@dataclass(frozen=True, slots=True)
class EventListQuery:
    """Which events of the list are wanted.

    Attributes:
        limit: The most events.
        after: The cursor: the ``seq`` after which the page begins.
        name: The name that events must have, ``None`` for any.
        person: An id that events must have in any identity field, ``None`` for any.
        event_id: The event id that events must have, ``None`` for any.
        user_id: The ``userId`` that events must have, ``None`` for any.
        project: The project to which they must have been sent, ``None`` for any.
        since: When they must have arrived or later, in epoch milliseconds; ``None`` for any time.
    """

    limit: int = 10_000
    after: int = 0
    name: str | None = None
    person: str | None = None
    event_id: str | None = None
    user_id: str | None = None
    project: str | None = None
    since: int | None = None

    @property
    def condition(self) -> str:
        """The filters as SQL."""
        given = [sql for field, sql in _EVENT_FILTERS.items() if getattr(self, field) is not None]
        return " AND ".join(given) or "TRUE"

    @property
    def parameters(self) -> dict[str, Any]:
        """The values of the filters, for SQL. Any: SQLite's own parameters."""
        return {**{field: getattr(self, field) for field in _EVENT_FILTERS}, "after": self.after}


_EVENT_FILTERS = {
    "name": "e.name = :name",
    "person": ":person IN (e.profile_id, e.user_id, e.another_user_id, e.account_id)",
    "event_id": "e.event_id = :event_id",
    "user_id": "e.user_id = :user_id",
    "project": "e.project IN (SELECT id FROM projects WHERE project = :project)",
    "since": "(SELECT received_at FROM arrivals WHERE id = e.arrival) >= :since",
}
"""Field of :class:`EventListQuery` → its condition, where it is given."""


def list_received_events(store: SandboxStore, query: EventListQuery) -> bytes:
    """List the events in their order of arrival, as JSON.

    ``count`` and ``processed`` count all that the filters match. ``next`` is the ``after`` of the next page, null on
    the last one. Times are epoch milliseconds. Raises :class:`SandboxStoreUnavailable`.
    """
    given = {"limit": query.limit + 1, **query.parameters}
    (totals,) = store.rows(
        _TOTALS if query.condition == EventListQuery().condition else _build_count_query(query.condition), given
    )
    rows = store.rows(_build_list_query(query.condition), given)
    shown = rows[: query.limit]
    page = {
        "count": totals["received"],
        "processed": totals["received"] - totals["unprocessed"],
        "events": [_event_to_json(row) for row in shown],
        "next": shown[-1]["seq"] if len(rows) > len(shown) and shown else None,
    }
    return orjson.dumps(page)


def find_awaited_events(store: SandboxStore, query: EventListQuery) -> bytes | None:
    """Find the events that a wait waits for, as JSON like :func:`list_received_events`; ``None`` where none came.

    Raises :class:`SandboxStoreUnavailable`.
    """
    rows = store.rows(_build_list_query(query.condition), {"limit": query.limit + 1, **query.parameters})
    if not rows:
        return None
    shown = [_event_to_json(row) for row in rows[: query.limit]]
    following = shown[-1]["seq"] if len(rows) > len(shown) and shown else None
    return orjson.dumps({"arrived": True, "events": shown, "next": following, "instead": _NOTHING_INSTEAD})


def list_instead(store: SandboxStore, query: EventListQuery) -> bytes:
    """List what came instead of the events that a wait waited for, as JSON: the last events and rejected requests of
    the same project, since the same time, oldest first. Raises :class:`SandboxStoreUnavailable`.
    """
    wider = EventListQuery(after=query.after, project=query.project, since=query.since)
    given = {"limit": MAX_INSTEAD_ROWS, **wider.parameters}
    events = store.rows(_build_list_query(wider.condition, newest_first=True), given)
    requests = store.rows(_REJECTED_REQUESTS, given)
    instead = {
        "events": [_event_to_json(row) for row in reversed(events)],
        "requests": [dict(row) for row in reversed(requests)],
    }
    return orjson.dumps({"arrived": False, "events": [], "next": None, "instead": instead})


_NOTHING_INSTEAD: dict[str, list[object]] = {"events": [], "requests": []}

_REJECTED_REQUESTS = """
SELECT id AS request, received_at, method, path, org, project, source, client, status, message, fault FROM requests
WHERE NOT stored AND (message <> '' OR fault <> '') AND (:project IS NULL OR project = :project)
  AND (:since IS NULL OR received_at >= :since)
ORDER BY id DESC LIMIT :limit
"""


def list_consents(store: SandboxStore) -> bytes:
    """List the consents in their order of arrival, as JSON (CONTRACT 6.2). Raises :class:`SandboxStoreUnavailable`."""
    rows = store.rows("SELECT id, received_at, org, project, body FROM consents ORDER BY id", {})
    consents = [dict(row) for row in rows]
    for consent in consents:
        consent["consent"] = orjson.Fragment(consent.pop("body"))
    return orjson.dumps({"count": len(consents), "consents": consents})


MAX_LISTED_PERSON_EVENTS = 10_000
"""Events of one person that are listed, and unprocessed events that are searched, at the most: the last ones."""


def list_person_events(store: SandboxStore, query: PersonEventsQuery) -> bytes:
    """List a person's processed events, oldest first, and why others were not processed, as JSON.

    ``unprocessed`` holds, of the event ids asked about, those that arrived and were not processed. Raises
    :class:`SandboxStoreUnavailable`.
    """
    place = (query.org, query.project)
    processed = store.processed(*place, query.node, MAX_LISTED_PERSON_EVENTS)
    others = store.unprocessed(*place, query.event_ids, MAX_LISTED_PERSON_EVENTS) if query.event_ids else ()
    found = {
        "events": [
            {
                "seq": row["seq"],
                "eventId": row["event_id"],
                "name": row["name"],
                "productId": row["product_id"],
                "received_at": row["received_at"],
                "client": row["client"],
            }
            for row in processed
        ],
        "unprocessed": {row["event_id"]: read_verdict(row)[1] for row in others},
    }
    return orjson.dumps(found)


def list_arrivals(store: SandboxStore, query: ArrivalQuery) -> bytes:
    """List the arrivals of some event ids, oldest first, as JSON; ``missing`` are the ids that never arrived.

    Of an id its first processed event is listed, and its repeats among the last :data:`MAX_LISTED_PERSON_EVENTS` events
    that were not processed; of all arrivals the last :data:`MAX_LISTED_ARRIVALS`. Raises
    :class:`SandboxStoreUnavailable`.
    """
    rows = store.arrivals(query.org, query.project, query.event_ids, MAX_LISTED_PERSON_EVENTS)
    known = {row["event_id"] for row in rows}
    found = {
        "arrivals": [_arrival_to_json(row) for row in rows[-MAX_LISTED_ARRIVALS:]],
        "missing": [id_ for id_ in query.event_ids if id_ not in known],
    }
    return orjson.dumps(found)


def _arrival_to_json(row: Row) -> dict[str, Any]:
    """One arrival of an event. Any: JSON."""
    codes, because = read_verdict(row)
    persons = (row[column] for column in ("profile_id", "user_id", "another_user_id", "account_id"))
    return {
        "eventId": row["event_id"],
        "seq": row["seq"],
        "request": row["arrival"],
        "received_at": row["received_at"],
        "client": row["client"],
        "name": row["name"],
        "person": next((person for person in persons if person is not None), None),
        "productId": row["product_id"],
        "processed": because is None,
        "because": because,
        "codes": codes,
        "repeat_of": row["repeat_of"],
    }


def read_verdict(row: Row) -> tuple[list[str], str | None]:
    """Read the codes of an event's issues, and why it is not processed; ``None`` where it is."""
    if row["repeat_of"] is None:
        return row["codes"].split(), row["because"] or None
    repeated = Issue("event_id_repeated", Place(), row["event_id"])
    return [repeated.code], f"{repeated.message[:-1]}: repeat of event {row['repeat_of']}."


def _event_to_json(row: Row) -> dict[str, Any]:
    """One event as the list has it. Any: JSON."""
    codes, because = read_verdict(row)
    return {
        "seq": row["seq"],
        "request": row["arrival"],
        "received_at": row["received_at"],
        "org": row["org"],
        "project": row["project"],
        "source": row["source"],
        "client": row["client"],
        "name": row["name"],
        "eventId": row["event_id"],
        "profileId": row["profile_id"],
        "userId": row["user_id"],
        "anotherUserId": row["another_user_id"],
        "accountId": row["account_id"],
        "productId": row["product_id"],
        "timestamp": row["time"],
        "processed": because is None,
        "because": because,
        "codes": codes,
        "repeat_of": row["repeat_of"],
        "event": orjson.Fragment(row["body"]),
    }


# ``seq`` has no gaps and is only ever emptied whole, so its ends count the events.
_TOTALS = """
SELECT coalesce(max(seq) - min(seq) + 1, 0) AS received,
       (SELECT count(*) FROM events WHERE because <> '' OR repeat_of IS NOT NULL) AS unprocessed
FROM events
"""


def _build_count_query(condition: str) -> str:
    return f"""
SELECT count(*) AS received, count(*) FILTER (WHERE because <> '' OR repeat_of IS NOT NULL) AS unprocessed
FROM events AS e WHERE {condition}
"""  # noqa: S608  the condition is one of ours, its values are parameters


def _build_list_query(condition: str, *, newest_first: bool = False) -> str:
    return f"""
SELECT e.seq, e.arrival, e.name, e.event_id, e.profile_id, e.user_id, e.another_user_id, e.account_id, e.product_id,
       e.time, e.codes, e.because, e.repeat_of, e.body, a.received_at, a.source, a.client, p.org, p.project
FROM events AS e JOIN arrivals AS a ON a.id = e.arrival JOIN projects AS p ON p.id = e.project
WHERE e.seq > :after AND {condition} ORDER BY e.seq {"DESC" if newest_first else ""} LIMIT :limit
"""  # noqa: S608  the condition is one of ours, its values are parameters
