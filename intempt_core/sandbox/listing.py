"""What the sandbox has received, as ``GET /_sandbox/events`` and ``GET /_sandbox/consents`` tell it."""

from dataclasses import dataclass
from sqlite3 import Row
from typing import Any

import orjson

from intempt_core.issues import Issue, Place
from intempt_core.sandbox.asking import PersonQuestion
from intempt_core.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: up to ``limit`` after the cursor ``after``; of one ``name``, of whoever has the id ``person``."""

    limit: int = 10_000
    after: int = 0
    name: str | None = None
    person: str | None = None

    @property
    def condition(self) -> str:
        """The filters as SQL."""
        by_name = "e.name = :name" if self.name is not None else "TRUE"
        by_person = ":person IN (e.profile_id, e.user_id, e.another_user_id, e.account_id)"
        return f"{by_name} AND {by_person if self.person is not None else 'TRUE'}"


def events(store: Store, wanted: Wanted) -> bytes:
    """The events in their order of arrival, as JSON.

    ``count`` and ``processed`` count all that the filters match. ``next`` is the ``after`` of the next page, null on
    the last one. Times are epoch milliseconds. Raises :class:`StoreUnavailable`.
    """
    given = {"limit": wanted.limit + 1, "after": wanted.after, "name": wanted.name, "person": wanted.person}
    (totals,) = store.rows(_TOTALS if wanted.condition == Wanted().condition else _counted(wanted.condition), given)
    rows = store.rows(_listed(wanted.condition), given)
    shown = rows[: wanted.limit]
    told = {
        "count": totals["received"],
        "processed": totals["received"] - totals["unprocessed"],
        "events": [_event(row) for row in shown],
        "next": shown[-1]["seq"] if len(rows) > len(shown) and shown else None,
    }
    return orjson.dumps(told)


def consents(store: Store) -> bytes:
    """The consents in their order of arrival, as JSON (CONTRACT 6.2). Raises :class:`StoreUnavailable`."""
    rows = store.rows("SELECT id, received_at, org, project, body FROM consents ORDER BY id", {})
    told = [dict(row) for row in rows]
    for one in told:
        one["consent"] = orjson.Fragment(one.pop("body"))
    return orjson.dumps({"count": len(told), "consents": told})


PERSON_EVENTS = 10_000
"""Events of one person that are told, and unprocessed events that are looked through, at the most: the last ones."""


def person(store: Store, question: PersonQuestion) -> bytes:
    """A person's processed events, oldest first, and why others were not processed, as JSON.

    ``unprocessed`` holds, of the event ids asked about, those that came and were not processed. Raises
    :class:`StoreUnavailable`.
    """
    place = (question.org, question.project)
    processed = store.processed(*place, question.node, PERSON_EVENTS)
    others = store.unprocessed(*place, question.event_ids, PERSON_EVENTS) if question.event_ids else ()
    told = {
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
        "unprocessed": {row["event_id"]: verdict(row)[1] for row in others},
    }
    return orjson.dumps(told)


def verdict(row: Row) -> tuple[list[str], str | None]:
    """The codes of what is wrong with an event, and why it is not processed; ``None`` where it is."""
    if row["repeat_of"] is None:
        return row["codes"].split(), row["because"] or None
    repeated = Issue("event_id_repeated", Place(), row["event_id"])
    return [repeated.code], f"{repeated.message[:-1]}: repeat of event {row['repeat_of']}."


def _event(row: Row) -> dict[str, Any]:
    """One event as the door shows it. Any: JSON."""
    codes, because = verdict(row)
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
        "event": orjson.Fragment(row["body"]),
    }


# ``seq`` has no gaps and is only ever emptied whole, so its ends count the events.
_TOTALS = """
SELECT coalesce(max(seq) - min(seq) + 1, 0) AS received,
       (SELECT count(*) FROM events WHERE because <> '' OR repeat_of IS NOT NULL) AS unprocessed
FROM events
"""


def _counted(condition: str) -> str:
    return f"""
SELECT count(*) AS received, count(*) FILTER (WHERE because <> '' OR repeat_of IS NOT NULL) AS unprocessed
FROM events AS e WHERE {condition}
"""  # noqa: S608  the condition is one of ours, its values are parameters


def _listed(condition: str) -> str:
    return f"""
SELECT e.seq, e.arrival, e.name, e.event_id, e.profile_id, e.user_id, e.another_user_id, e.account_id, e.product_id,
       e.time, e.codes, e.because, e.repeat_of, e.body, a.received_at, a.source, a.client, p.org, p.project
FROM events AS e JOIN arrivals AS a ON a.id = e.arrival JOIN projects AS p ON p.id = e.project
WHERE e.seq > :after AND {condition} ORDER BY e.seq LIMIT :limit
"""  # noqa: S608  the condition is one of ours, its values are parameters
