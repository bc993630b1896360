"""The live view: the last events and requests, rejected ones too (``GET /_sandbox/live`` and ``/_sandbox/requests/N``).

A screen polls it while events pour in, so a response has a bounded number of rows, and a search looks at a bounded
number of events.
"""

from dataclasses import dataclass
from sqlite3 import Row
from typing import Any

import orjson

from intempt_core.contract import IDENTITY_FIELDS, LiveFilter
from intempt_core.sandbox.storage.listing import read_verdict
from intempt_core.sandbox.storage.store import SandboxStore

MAX_LIVE_ROWS = 1_000
"""Rows of one response at the most. Requests without the key take half of them at the most, so that a flood of
them hides nothing else.
"""

SEARCHED_EVENTS = 20_000
"""Events that a search looks at: the last ones."""

_CONDITIONS: dict[LiveFilter, tuple[str | None, str | None]] = {
    LiveFilter.EVERYTHING: ("TRUE", "TRUE"),
    LiveFilter.EVENTS: ("TRUE", None),
    LiveFilter.PROCESSED: ("e.because = '' AND e.repeat_of IS NULL", None),
    LiveFilter.NOT_PROCESSED: ("(e.because <> '' OR e.repeat_of IS NOT NULL)", None),
    LiveFilter.REJECTED: (None, "(r.message <> '' OR r.fault <> '')"),
    LiveFilter.OTHER_CALLS: (None, "r.message = '' AND r.fault = ''"),
}
"""By filter, its SQL conditions on events and on requests without events; ``None`` where it shows none of them."""


@dataclass(frozen=True, slots=True)
class LiveQuery:
    """Which rows of the live view are wanted.

    Attributes:
        limit: The most rows.
        name: The name that events must have, ``None`` for any.
        shown: The kind of rows.
        text: A text that must be in an id, path or client; empty for any.
        hidden_reader: The client whose reads of feeds are left out; empty for none.
    """

    limit: int = 100
    name: str | None = None
    shown: LiveFilter = LiveFilter.EVERYTHING
    text: str = ""
    hidden_reader: str = ""


def list_live_rows(store: SandboxStore, query: LiveQuery) -> bytes:
    """List the rows, newest first, as JSON, with the number of events. Raises :class:`SandboxStoreUnavailable`."""
    events, others = _CONDITIONS[query.shown]
    given = {
        "limit": query.limit, "name": query.name, "text": query.text.lower(), "window": SEARCHED_EVENTS,
        "reader": query.hidden_reader,
    }  # fmt: skip
    found = (
        [] if events is None else [_event_to_row(row) for row in store.rows(_build_event_query(events, query), given)]
    )
    if others is not None and query.name is None:
        request_query = _build_request_query(others, query)
        for authorized, limit in ((True, query.limit), (False, query.limit // 2)):
            wanted = {**given, "authorized": authorized, "limit": limit}
            found += [_request_to_row(row) for row in store.rows(request_query, wanted)]
        found.sort(key=lambda row: (row["request"], row["seq"] or 0), reverse=True)
    ((received,),) = store.rows("SELECT coalesce(max(seq) - min(seq) + 1, 0) FROM events", {})
    return orjson.dumps({"received": received, "rows": found[: query.limit]})


def read_kept_request(store: SandboxStore, number: int) -> bytes | None:
    """Read one request as it came, as JSON; ``None`` where it is not kept. Raises :class:`SandboxStoreUnavailable`."""
    found = store.rows("SELECT * FROM requests WHERE id = :number", {"number": number})
    if not found:
        return None
    kept = dict(found[0])
    body: bytes = kept.pop("body")
    del kept["deduplicates"], kept["authorized"]
    kept["stored"] = bool(kept["stored"])
    kept["headers"] = orjson.Fragment(kept["headers"])
    kept["body"] = body.decode("utf-8", "backslashreplace")
    kept["whole"] = len(body) >= kept["size"]
    arrived = store.rows("SELECT first, events FROM arrivals WHERE id = :number", {"number": number})
    first, count = (arrived[0]["first"], arrived[0]["events"]) if arrived else (None, 0)
    return orjson.dumps({**kept, "first": first, "events": count})


def _event_to_row(row: Row) -> dict[str, Any]:
    """An event's row. Any: JSON."""
    _, because = read_verdict(row)
    kind, person = next(((field, row[field]) for field in IDENTITY_FIELDS if row[field] is not None), (None, None))
    status, fault = row["status"], row["fault"] or ""
    return {
        "request": row["arrival"], "seq": row["seq"], "received_at": row["received_at"], "client": row["client"],
        "address": row["address"], "name": row["name"], "person": person, "identity": kind,
        "product": row["product_id"], "processed": because is None, "because": because, "status": status,
        "fault": fault,
    }  # fmt: skip


def _request_to_row(row: Row) -> dict[str, Any]:
    """The row of a request that brought no events. Any: JSON."""
    return {
        "request": row["id"], "seq": None, "received_at": row["received_at"], "client": row["client"],
        "address": row["address"], "name": f"{row['method']} {row['path']}", "person": None, "identity": None,
        "product": None, "processed": None, "because": row["message"] or None, "status": row["status"],
        "fault": row["fault"],
    }  # fmt: skip


def _build_event_query(condition: str, query: LiveQuery) -> str:
    by_name = "e.name = :name" if query.name is not None else "TRUE"
    ids = "e.event_id e.profileId e.userId e.anotherUserId e.accountId e.product_id e.name a.client a.address"
    return f"""
SELECT e.*, a.received_at, a.client, a.address, r.status, r.fault
FROM (
  SELECT seq, arrival, name, event_id, profile_id AS profileId, user_id AS userId, another_user_id AS anotherUserId,
         account_id AS accountId, product_id, codes, because, repeat_of
  FROM events WHERE seq > (SELECT coalesce(max(seq), 0) FROM events) - :window
) AS e JOIN arrivals AS a ON a.id = e.arrival LEFT JOIN requests AS r ON r.id = e.arrival
WHERE {condition} AND {by_name} AND {_build_text_filter(ids) if query.text else "TRUE"} ORDER BY e.seq DESC LIMIT :limit
"""  # noqa: S608  the conditions are ours, their values are parameters


def _build_request_query(condition: str, query: LiveQuery) -> str:
    return f"""
SELECT r.id, r.received_at, r.method, r.path, r.client, r.address, r.status, r.message, r.fault
FROM requests AS r WHERE NOT r.stored AND r.authorized = :authorized AND {condition}
AND {_build_text_filter("r.path r.client r.address r.message r.fault") if query.text else "TRUE"}
AND {"NOT (r.client = :reader AND r.path LIKE '/v1/%/feeds/%')" if query.hidden_reader else "TRUE"}
ORDER BY r.id DESC LIMIT :limit
"""  # noqa: S608  the conditions are ours, their values are parameters


def _build_text_filter(columns: str) -> str:
    joined = " || char(10) || ".join(f"ifnull({column}, '')" for column in columns.split())
    return f"instr(lower({joined}), :text) > 0"
