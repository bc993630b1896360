"""Every event of one person that reached the sandbox, processed or ignored, for the question why a feed is as it is.

Processed events are found by the index of persons. Ignored ones are in no index, because nothing follows from them: the
last of them are looked through.
"""

from collections.abc import Collection, Iterable
from sqlite3 import Row
from typing import Any

import orjson

from intempt_core.sandbox.http.queries import PersonEventsQuery
from intempt_core.sandbox.storage.listing import MAX_LISTED_PERSON_EVENTS, read_verdict
from intempt_core.sandbox.storage.persons import make_node
from intempt_core.sandbox.storage.store import PERSON_SEQS_SQL, SandboxStore

SEARCHED_IGNORED_EVENTS = 50_000
"""Ignored events that are looked through for those of a person: the last ones, some tenths of a second."""

MAX_IGNORED_BODY = 4_000
"""Characters of an ignored event that are told, because a product may be under a misspelt key: longer ones are not."""


def list_person_arrivals(store: SandboxStore, query: PersonEventsQuery) -> bytes:
    """List the last :data:`MAX_LISTED_PERSON_EVENTS` events of a person, oldest first, as JSON.

    A repeat says which event had its id first, and whose that was. Raises :class:`SandboxStoreUnavailable`.
    """
    given = {"org": query.org, "project": query.project, "node": query.node, "limit": MAX_LISTED_PERSON_EVENTS}
    nodes = {row["node"] for row in store.rows(_NODES, given)}
    searched = {**_group_ids(nodes), **given, "searched": SEARCHED_IGNORED_EVENTS}
    found = store.rows(_PROCESSED, given)
    found += [row for row in store.rows(_IGNORED, searched) if not nodes.isdisjoint(_list_nodes(row))]
    found.sort(key=lambda row: row["seq"])
    return orjson.dumps({"arrivals": [_arrival_to_json(row) for row in found[-MAX_LISTED_PERSON_EVENTS:]]})


def _group_ids(nodes: Collection[str]) -> dict[str, str]:
    """The ids of nodes as JSON, by the column that holds them; a profile's source is compared later."""
    grouped: dict[str, list[str]] = {"profile": [], "user": [], "other": [], "account": []}
    for node in nodes:
        kind, _, id_ = node.partition(":")
        grouped[kind].append(id_.partition(":")[2] if kind == "profile" else id_)
    return {kind: orjson.dumps(ids).decode() for kind, ids in grouped.items()}


def _list_nodes(row: Row) -> Iterable[str]:
    """The nodes that an event's own ids lead to."""
    columns = {"user": "user_id", "profile": "profile_id", "other": "another_user_id", "account": "account_id"}
    return [make_node(kind, row[name], row["source"]) for kind, name in columns.items() if row[name] is not None]


def _arrival_to_json(row: Row) -> dict[str, Any]:
    """One arrival. Any: JSON."""
    codes, because = read_verdict(row)
    first = None
    if row["repeat_of"] is not None:
        persons = (row[f"first_{name}"] for name in ("profile_id", "user_id", "another_user_id", "account_id"))
        first = {
            "seq": row["repeat_of"], "received_at": row["first_received_at"], "name": row["first_name"],
            "productId": row["first_product_id"], "person": next((one for one in persons if one is not None), None),
        }  # fmt: skip
    return {
        "seq": row["seq"], "request": row["arrival"], "received_at": row["received_at"], "client": row["client"],
        "name": row["name"], "eventId": row["event_id"], "productId": row["product_id"], "timestamp": row["time"],
        "profileId": row["profile_id"], "userId": row["user_id"], "anotherUserId": row["another_user_id"],
        "accountId": row["account_id"], "processed": because is None, "because": because, "codes": codes,
        "first": first, "event": row["body"],
    }  # fmt: skip


_NODES = f"{PERSON_SEQS_SQL} SELECT node FROM mine"  # noqa: S608  ours

_COLUMNS = """e.seq, e.arrival, e.name, e.event_id, e.profile_id, e.user_id, e.another_user_id, e.account_id,
  e.product_id, e.time, e.codes, e.because, e.repeat_of, a.received_at, a.client, a.source"""

_PROCESSED = f"""{PERSON_SEQS_SQL}
SELECT {_COLUMNS}, NULL AS body FROM events AS e JOIN arrivals AS a ON a.id = e.arrival
WHERE e.seq IN (SELECT seq FROM seqs ORDER BY seq DESC LIMIT :limit) ORDER BY e.seq
"""  # noqa: S608  ours

_IGNORED = f"""
SELECT {_COLUMNS}, iif(length(e.body) <= {MAX_IGNORED_BODY}, e.body, NULL) AS body,
  fa.received_at AS first_received_at, f.name AS first_name, f.product_id AS first_product_id,
  f.profile_id AS first_profile_id, f.user_id AS first_user_id, f.another_user_id AS first_another_user_id,
  f.account_id AS first_account_id
FROM (
  SELECT seq FROM events WHERE because <> '' OR repeat_of IS NOT NULL ORDER BY seq DESC LIMIT :searched
) AS ignored CROSS JOIN events AS e ON e.seq = ignored.seq JOIN arrivals AS a ON a.id = e.arrival
LEFT JOIN events AS f ON f.seq = e.repeat_of LEFT JOIN arrivals AS fa ON fa.id = f.arrival
WHERE e.project = (SELECT id FROM projects WHERE org = :org AND project = :project) AND (
  e.user_id IN (SELECT value FROM json_each(:user)) OR e.profile_id IN (SELECT value FROM json_each(:profile))
  OR e.another_user_id IN (SELECT value FROM json_each(:other))
  OR e.account_id IN (SELECT value FROM json_each(:account))
)
ORDER BY e.seq DESC LIMIT :limit
"""  # noqa: S608  ours
