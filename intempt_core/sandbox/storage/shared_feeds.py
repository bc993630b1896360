"""The feeds that depend on all persons' events, in the sandbox's own approximation of CONTRACT 4.5.

The vendor's documents give these feeds a sentence each and no formula, so the sandbox serves an approximation, for
trying an integration. It uses the last :data:`FEED_WINDOW_EVENTS` events of the sandbox, and of these the processed
ones of the project, so that a feed takes the same time however much is stored:

* **best-selling**: products by the number of their orders.
* **most-popular**: products by the weighted sum of their events: :data:`POPULARITY_WEIGHTS`; an
  event weighs half as much for every :data:`HALF_LIFE_DAYS` that it came before the newest request.
* **viewed-together**: products that were viewed in the most sessions in which the seed was viewed too. A session is a
  ``sessionId``; without one, a person's day (UTC).
* **purchased-together**: products that were bought in the same orders as the seed; each such order counts
  ``ln(1 + orders / orders with the product)``, so that what is bought with everything weighs little. One order is what
  one person ordered at one time (``timestamp``; without one, in one request).

The seed is the ``productId`` that the question names; without one, what the person last viewed or last ordered. Of
equal products the one with the later event comes first, then the smaller id.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from math import log
from sqlite3 import Row

from intempt_core.contract import EventName, FeedId, compute_feeds
from intempt_core.sandbox.storage.counted_events import COUNTS_SQL
from intempt_core.sandbox.storage.store import SandboxStore

FEED_WINDOW_EVENTS = 100_000
"""Events of the whole sandbox, the last ones, that a feed is computed from."""

HALF_LIFE_DAYS = 7
"""Days after which an event weighs half as much."""

MAX_FEED_PRODUCTS = 1_000
"""Products that a feed has at the most."""

POPULARITY_WEIGHTS: dict[EventName, int] = {
    EventName.VIEWED: 1,
    EventName.ADDED: 3,
    EventName.REMOVED: -2,
    EventName.ORDERED: 5,
}
"""What each event adds to the popularity of its product."""

SEED_FEEDS = {"viewed-together": FeedId.VIEWED, "purchased-together": FeedId.ORDERED}
"""Feed that is read for a product → the person's feed whose first product is the seed where none is named."""


def rank_shared_feed(
    store: SandboxStore, place: tuple[str, str], feed: str, node: str, seed: str | None
) -> Sequence[str]:
    """Rank the products of a feed of all persons' events, best first, as far as projected.

    ``place`` is organisation and project, ``node`` the person, ``seed`` a product id.

    Raises :class:`~intempt_core.errors.SandboxStoreUnavailable`.
    """
    if feed in SEED_FEEDS and seed is None:
        own = compute_feeds(store.interactions(*place, node))[SEED_FEEDS[feed]]
        if not own:
            return ()
        seed = own[0]
    query, weight = _FEEDS[feed]
    given = {
        "org": place[0], "project": place[1], "seed": seed, "window": FEED_WINDOW_EVENTS,
        "viewed": EventName.VIEWED, "ordered": EventName.ORDERED,
    }  # fmt: skip
    weights: dict[str, float] = defaultdict(float)
    latest: dict[str, int] = {}
    for row in store.rows(_RECENT + query, given):
        weights[row["product_id"]] += weight(row)
        latest[row["product_id"]] = max(row["latest"], latest.get(row["product_id"], 0))
    best = sorted(weights, key=lambda product: (-weights[product], -latest[product], product))
    return [product for product in best if weights[product] > 0][:MAX_FEED_PRODUCTS]


def _read_weight(row: Row) -> float:
    return float(row["weight"])


def _decay_weight(row: Row) -> float:
    return float(row["weight"]) * float(0.5 ** (row["days"] / HALF_LIFE_DAYS))


def _weigh_by_rarity(row: Row) -> float:
    return float(row["weight"]) * log(1 + row["bills"] / row["of_it"])


_PERSON = "coalesce('p' || profile_id, 'u' || user_id, 'o' || another_user_id, 'a' || account_id)"

_RECENT = f"""
WITH recent AS NOT MATERIALIZED (
  SELECT e.*, a.received_at
  FROM events AS e CROSS JOIN arrivals AS a ON a.id = e.arrival
  WHERE e.seq > (SELECT coalesce(max(seq), 0) - :window FROM events)
    AND e.project = (SELECT id FROM projects WHERE org = :org AND project = :project)
    AND {COUNTS_SQL}
)"""  # noqa: S608  our own condition

_BEST_SELLING = """
SELECT product_id, count(*) AS weight, max(seq) AS latest FROM recent WHERE name = :ordered GROUP BY product_id
"""

_MOST_POPULAR = f"""
SELECT product_id, max(seq) AS latest,
       ((SELECT received_at FROM arrivals ORDER BY id DESC LIMIT 1) - received_at) / 86400000 AS days,
       sum(CASE name {" ".join(f"WHEN '{name.value}' THEN {weight}" for name, weight in POPULARITY_WEIGHTS.items())}
           ELSE 0 END) AS weight
FROM recent GROUP BY product_id, days
"""  # noqa: S608  our own names and numbers

# A body is stored as it came, and not every one is JSON to SQLite (depth, infinity).
_VIEWED_TOGETHER = f""",
viewed AS MATERIALIZED (
  SELECT product_id, seq, coalesce('s' || CASE WHEN json_valid(body) THEN json_extract(body, '$.sessionId') END,
         {_PERSON} || ' ' || (coalesce(time, received_at) / 86400000)) AS session
  FROM recent WHERE name = :viewed
)
SELECT product_id, count(DISTINCT session) AS weight, max(seq) AS latest FROM viewed
WHERE session IN (SELECT session FROM viewed WHERE product_id = :seed) AND product_id <> :seed GROUP BY product_id
"""  # noqa: S608  nothing in it comes from outside

_PURCHASED_TOGETHER = f""",
bought AS MATERIALIZED (
  SELECT product_id, {_PERSON} || coalesce(' t' || time, ' r' || arrival) AS bill, max(seq) AS seq
  FROM recent WHERE name = :ordered GROUP BY product_id, bill
),
beside AS (
  SELECT product_id, count(*) AS weight, max(seq) AS latest FROM bought
  WHERE bill IN (SELECT bill FROM bought WHERE product_id = :seed) AND product_id <> :seed GROUP BY product_id
)
SELECT beside.*, (SELECT count(DISTINCT bill) FROM bought) AS bills, each.of_it
FROM beside JOIN (SELECT product_id, count(*) AS of_it FROM bought GROUP BY product_id) AS each USING (product_id)
"""  # noqa: S608  nothing in it comes from outside

_FEEDS: Mapping[str, tuple[str, Callable[[Row], float]]] = {
    "best-selling": (_BEST_SELLING, _read_weight),
    "most-popular": (_MOST_POPULAR, _decay_weight),
    "viewed-together": (_VIEWED_TOGETHER, _read_weight),
    "purchased-together": (_PURCHASED_TOGETHER, _weigh_by_rarity),
}
"""Feed → its query, and the function that computes the weight of a row for its product."""
