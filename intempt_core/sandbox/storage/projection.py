"""The projection of stored requests: their events, repeats among them, and the ids by which a person's are found.

Requests are kept in ``requests`` as they came, and projected in that order, some at a time. The projection depends on
nothing but these rows, so it may be updated at any time, and by any process that has the file open. Every call into
SQLite carries many rows, because each releases the interpreter's lock and has to acquire it again.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

import orjson

from intempt_core.contract import MAX_VERDICT_EVENTS, REPEATED_CODE, EventName, IgnoredEvent, RequestVerdict
from intempt_core.errors import SandboxRejection
from intempt_core.sandbox.storage.counted_events import COUNTS_SQL, incoming_event_counts
from intempt_core.sandbox.storage.fast_path import EventColumns, concat_events
from intempt_core.sandbox.storage.parser import make_unreadable_event, read_track
from intempt_core.sandbox.storage.persons import extract_nodes

PROJECTION_MAX_REQUESTS = 64
"""Requests that are projected in one transaction at the most: some hundredths of a second."""

PROJECTION_MAX_BYTES = 10_000_000
"""Bytes of their bodies at the most, unless a single one is larger. Parsed, they take ten times as much memory: so a
transaction takes about as much as the largest body does alone.
"""

KEPT_REQUESTS = 5_000
"""Requests with the key that are kept as they came, the last ones; of older ones only the events are kept."""

KEPT_UNAUTHORIZED_REQUESTS = 1_000
"""Requests without the key, of pages of other origins or to unknown paths that are kept, the last ones. They have a
ring of their own, because anything that reaches the port may send them without end.
"""

KEPT_BODY_BYTES = 100_000
"""Bytes of such a request's body that are kept once it is projected."""

INSERT_BLOCK_ROWS = (1_024, 256, 64, 16, 4, 1)
"""Rows of one statement: few sizes, so that SQLite has the statements prepared; 18 columns each are below its 32,766
parameters. Fewer statements mean fewer acquisitions of the interpreter's lock.
"""

ProjectLinks = set[tuple[int, str, str]]
"""(project, node, node): pairs of nodes of one person."""


class ProjectionStep(NamedTuple):
    """The result of one update of the projection.

    Attributes:
        request_count: How many requests were projected.
        upto: The number of the last request up to which all are projected.
        has_more: Whether requests remain.
        verdicts: What became of the events of each request, by its number.
    """

    request_count: int
    upto: int
    has_more: bool
    verdicts: Mapping[int, RequestVerdict] = {}


def update_projection(
    connection: sqlite3.Connection, known_links: ProjectLinks, parsed_events: dict[int, EventColumns]
) -> ProjectionStep:
    """Project the oldest requests that are not yet projected, inside the caller's transaction.

    At least one, and no more than :data:`PROJECTION_MAX_REQUESTS` and :data:`PROJECTION_MAX_BYTES` allow.

    ``known_links`` are in the database already; new ones are added. ``parsed_events`` are the events of requests that
    were parsed before, by number; those that are projected are removed.
    """
    ((before,),) = connection.execute("SELECT upto FROM projection")
    ((found, has_more),) = connection.execute(_OLDEST_REQUESTS, (before, PROJECTION_MAX_REQUESTS, PROJECTION_MAX_BYTES))
    waiting = orjson.loads(found)
    if not waiting:
        return ProjectionStep(0, before, has_more=False)
    upto = waiting[-1][0]
    verdicts = _insert_events(connection, [row[:-1] for row in waiting if row[-1]], known_links, parsed_events)
    connection.execute("UPDATE projection SET upto = ?", (upto,))
    for authorized, kept in ((True, KEPT_REQUESTS), (False, KEPT_UNAUTHORIZED_REQUESTS)):
        connection.execute(_TRIM_RING, {"authorized": authorized, "upto": upto, "kept": kept})
    connection.execute(_TRUNCATE_BODIES, (KEPT_BODY_BYTES, before, upto, KEPT_BODY_BYTES))
    return ProjectionStep(len(waiting), upto, bool(has_more), verdicts)


def _insert_events(
    connection: sqlite3.Connection,
    requests: Sequence[tuple[Any, ...]],
    known_links: ProjectLinks,
    parsed_events: dict[int, EventColumns],
) -> dict[int, RequestVerdict]:
    places = _ensure_projects(connection, {(org, project) for _, _, org, project, *_ in requests})
    ((before,),) = connection.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'")
    parts: list[EventColumns] = []
    arrivals: list[tuple[Any, ...]] = []
    origins: list[_EventOrigin] = []  # of each event
    counting: set[int] = set()  # events that count even if they repeat: the sandbox did not deduplicate at that time
    for number, at, org, project, source, client, address, deduplicates in requests:
        place, found, first = places[org, project], parsed_events.pop(number, None), before + len(origins) + 1
        found = _parse_stored_request(connection, number, at) if found is None else found
        arrivals.append((number, at, place, source, client, address, first, found.event_count))
        parts.append(found)
        origins += [_EventOrigin(number, place, source)] * found.event_count
        if not deduplicates:
            counting.update(range(first, first + found.event_count))
    insert_rows(
        connection,
        "INSERT INTO arrivals (id, received_at, project, source, client, address, first, events)",
        arrivals,
    )
    events = concat_events(parts)
    if not events.event_count:
        return {arrival[0]: RequestVerdict(0) for arrival in arrivals}
    numbers, in_projects, _ = zip(*origins, strict=True)
    fields = {"seq": range(before + 1, before + 1 + events.event_count), "arrival": numbers, "project": in_projects,
              **events._asdict()}  # fmt: skip
    insert_columns(connection, "events", fields)
    repeats = _mark_repeats(connection, before, events, counting)
    connection.execute(_MENTION_USERS, (before,))
    _index_persons(connection, before, events, origins, repeats, known_links)
    return _judge_requests(
        before,
        events,
        repeats,
        [(number, part.event_count) for (number, *_), part in zip(arrivals, parts, strict=True)],
    )


def _judge_requests(
    before: int, events: EventColumns, repeats: Set[int], sizes: Iterable[tuple[int, int]]
) -> dict[int, RequestVerdict]:
    """What became of the events after ``before``, by request: ``sizes`` are their numbers, each with its events."""
    if not repeats and events.because.count("") == events.event_count:
        return {number: RequestVerdict(size) for number, size in sizes}
    found: dict[int, RequestVerdict] = {}
    begin = 0
    for number, size in sizes:
        ignored = [
            IgnoredEvent(at - begin, REPEATED_CODE if before + 1 + at in repeats else events.codes[at])
            for at in range(begin, begin + size)
            if events.because[at] or before + 1 + at in repeats
        ]
        repeated = sum(one.codes == REPEATED_CODE for one in ignored)
        shown = tuple(ignored[:MAX_VERDICT_EVENTS])
        found[number] = RequestVerdict(size - len(ignored), len(ignored), repeated, shown)
        begin += size
    return found


def _parse_stored_request(connection: sqlite3.Connection, number: int, received_at: int) -> EventColumns:
    ((body,),) = connection.execute("SELECT body FROM requests WHERE id = ?", (number,))
    try:
        return read_track(body, received_at)
    except SandboxRejection as rejection:
        return make_unreadable_event(rejection)


class _EventOrigin(NamedTuple):
    """The request (its number), project (its number) and source that an event came by."""

    arrival: int
    project_id: int
    source: str


def _ensure_projects(connection: sqlite3.Connection, projects: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The number of each (org, project), for events, persons and repeats are separate in each project."""
    found = {}
    for key in projects:
        known = connection.execute("SELECT id FROM projects WHERE org = ? AND project = ?", key).fetchone()
        found[key] = known[0] if known else insert_block(connection, "INSERT INTO projects (org, project)", [key])
    return found


def _index_persons(  # noqa: PLR0917  all that is known of one update
    connection: sqlite3.Connection,
    before: int,
    events: EventColumns,
    origins: Sequence[_EventOrigin],
    repeats: Set[int],
    known_links: ProjectLinks,
) -> None:
    """Index the events after ``before`` that have other ids than a user id, and link the ids of one person."""
    others = zip(events.profile_id, events.another_user_id, events.account_id, strict=True)
    several = [at for at, names in enumerate(others) if names != (None, None, None)]
    mentions: list[tuple[int, str, int]] = []
    links: dict[tuple[int, str, str], None] = {}
    each = events.to_rows() if several else []
    for at in several:
        event, seq, (_, place, source) = each[at], before + 1 + at, origins[at]
        if seq in repeats:
            continue
        nodes, pairs = extract_nodes(event, source)
        links.update({(place, one, two): None for one, two in pairs})
        if incoming_event_counts(event, repeats=False):
            mentions.extend([(place, node, seq) for node in nodes])
    insert_rows(connection, "INSERT INTO mentions (project, node, seq)", mentions)
    new = [link for link in links if link not in known_links]
    insert_rows(connection, "INSERT OR IGNORE INTO links (project, node, other)", new)
    known_links.update(new)


def _mark_repeats(connection: sqlite3.Connection, before: int, events: EventColumns, counting: Set[int]) -> set[int]:
    """Mark the events after ``before`` that do not count because they repeat others (CONTRACT 2.2, 2.9, 3.7)."""
    firsts = connection.execute(_FIRST_OF_ID, (before,)).rowcount
    if EventName.ORDERED.value in events.name:
        connection.execute(_FIRST_OF_LINE, (before, EventName.ORDERED.value))
    if firsts == events.because.count(""):
        return set()
    repeats = [row for row in connection.execute(_REPEATS, (before,)) if row[1] not in counting]
    if repeats:
        connection.executemany("UPDATE events SET repeat_of = ? WHERE seq = ?", repeats)
    return {seq for _, seq in repeats}


def insert_columns(connection: sqlite3.Connection, table: str, columns: Mapping[str, Sequence[Any]]) -> None:
    """Insert many rows, given as columns. Any: SQLite's own parameters.

    A column with one value throughout is passed once, and one that is null throughout not at all: passing values takes
    half the time of an insertion.
    """
    alike = {name: values[0] for name, values in columns.items() if values.count(values[0]) == len(values) > 1}
    once = {name: value for name, value in alike.items() if value is not None}
    differing = [name for name in columns if name not in alike]
    into = f"INSERT INTO {table} ({', '.join([*once, *differing])})"
    _insert_in_blocks(
        connection, into, tuple(once.values()), list(zip(*(columns[name] for name in differing), strict=True))
    )


def insert_rows(connection: sqlite3.Connection, into: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert many rows. Any: SQLite's own parameters."""
    _insert_in_blocks(connection, into, (), rows)


def insert_block(connection: sqlite3.Connection, into: str, rows: Sequence[Sequence[Any]]) -> int:
    """Insert some rows by one statement; returns the number of the last one. Any: SQLite's own parameters."""
    done = connection.execute(_build_insert(into, 0, len(rows[0]), len(rows)), list(chain.from_iterable(rows)))
    return done.lastrowid or 0


def _insert_in_blocks(
    connection: sqlite3.Connection, into: str, constants: tuple[Any, ...], rows: Sequence[Sequence[Any]]
) -> None:
    """Insert many rows by few statements; each row begins with ``constants``. Any: SQLite's own parameters."""
    at = 0
    for size in INSERT_BLOCK_ROWS:
        while len(rows) - at >= size:
            statement = _build_insert(into, len(constants), len(rows[0]), size)
            connection.execute(statement, [*constants, *chain.from_iterable(rows[at : at + size])])
            at += size


@cache
def _build_insert(into: str, constant_count: int, width: int, height: int) -> str:
    # A ? without a number is one more than the highest so far.
    row = ", ".join([*(f"?{number}" for number in range(1, constant_count + 1)), *"?" * width])
    return f"{into} VALUES {', '.join([f'({row})'] * height)}"


# All in one row, because the interpreter's lock is released for every row. SQLite stores the length of a body before
# it, so bodies are not read to add up their lengths.
_OLDEST_REQUESTS = """
WITH
  first(id, bytes) AS (SELECT id, length(body) FROM requests WHERE id > ?1 ORDER BY id LIMIT ?2),
  added(id, bytes, number) AS (SELECT id, sum(bytes) OVER until, row_number() OVER until FROM first
                               WINDOW until AS (ORDER BY id)),
  until(id) AS (SELECT max(id) FROM added WHERE bytes <= ?3 OR number = 1)
SELECT
  json_group_array(json_array(id, received_at, org, project, source, client, address, deduplicates, stored)),
  EXISTS (SELECT 1 FROM requests WHERE id > (SELECT id FROM until))
FROM (SELECT * FROM requests WHERE id > ?1 AND id <= (SELECT id FROM until) ORDER BY id)
"""

# Without an older request the inner query is null, and nothing is deleted. Both read the index only.
_TRIM_RING = """
DELETE FROM requests WHERE authorized = :authorized AND id <= (
  SELECT id FROM requests WHERE authorized = :authorized AND id <= :upto ORDER BY id DESC LIMIT 1 OFFSET :kept
)
"""

_TRUNCATE_BODIES = """
UPDATE requests SET body = substr(body, 1, ?) WHERE id > ? AND id <= ? AND length(body) > ?
"""

# An event id belongs to the first event without another error; it is unique in a project, whatever the source, because
# an id names the event and not its way (CONTRACT 2.2).
_FIRST_OF_ID = """
INSERT OR IGNORE INTO firsts (project, event_id, product_id, seq)
SELECT project, event_id, '', seq FROM events WHERE seq > ? AND because = '' ORDER BY seq
"""

# Lines of one order are told apart by their product; an order that came as one event is its own only line.
_FIRST_OF_LINE = """
INSERT OR IGNORE INTO firsts (project, event_id, product_id, seq)
SELECT e.project, e.event_id, e.product_id, e.seq
FROM events AS e CROSS JOIN firsts AS f ON f.project = e.project AND f.event_id = e.event_id AND f.product_id = ''
WHERE e.seq > ? AND e.because = '' AND e.name = ? AND (e.line OR f.seq = e.seq) ORDER BY e.seq
"""

_REPEATS = """
SELECT f.seq, e.seq
FROM events AS e CROSS JOIN firsts AS f
  ON f.project = e.project AND f.event_id = e.event_id AND f.product_id = iif(e.line, e.product_id, '')
WHERE e.seq > ? AND e.because = '' AND f.seq <> e.seq
"""

# A person with nothing but a user id needs no links; ``extract_nodes`` says the same.
_MENTION_USERS = f"""
INSERT INTO mentions (project, node, seq)
SELECT project, 'user:' || user_id, seq FROM events
WHERE seq > ? AND {COUNTS_SQL}
  AND user_id IS NOT NULL AND profile_id IS NULL AND another_user_id IS NULL AND account_id IS NULL
"""  # noqa: S608  our own names
