"""What follows from what arrived: repeats, who is who, and where to find whose events.

Requests are kept in ``requests`` as they came, and digested in that order, some at a time. Digesting is pure in what
stands there, so it may be done at any time, and by whichever process comes first. Every call into SQLite carries
many rows, because each gives up the interpreter's lock and has to win it back.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

import orjson

from intempt_core.events import EventName
from intempt_core.sandbox.answers import Refused
from intempt_core.sandbox.glance import Events, together
from intempt_core.sandbox.persons import PRODUCT_NAMES, known_by
from intempt_core.sandbox.reading import read_track, unread

REQUESTS_AT_ONCE = 64
"""Requests that are digested in one transaction at the most: some hundredths of a second."""

BYTES_AT_ONCE = 10_000_000
"""Bytes of their bodies at the most, unless a single one is larger. What is read of them takes ten times as much
memory: so a transaction takes about as much as the largest body does alone.
"""

KEPT = 5_000
"""Requests that stay as they came, the last ones; older ones are known by their events only."""

KEPT_BYTES = 100_000
"""Bytes of such a request's body that stay, once it is digested."""

BLOCKS = (1_024, 256, 64, 16, 4, 1)
"""Rows of one statement: few sizes, so that SQLite knows the statements; 16 columns each stay below its 32,766
parameters. The fewer the statements, the seldomer the interpreter's lock has to be won back.
"""

Links = set[tuple[int, str, str]]
"""Pairs of nodes by project: who is one person."""


class Digested(NamedTuple):
    """What one digest has done: how many requests it were, up to which number everything is digested now, and whether
    requests are left.
    """

    number: int
    upto: int
    left: bool


def digest(connection: sqlite3.Connection, known: Links, read: dict[int, Events]) -> Digested:
    """Digest the oldest requests that are not, inside the caller's transaction: at least one, and no more than
    :data:`REQUESTS_AT_ONCE` and :data:`BYTES_AT_ONCE` allow.

    ``known`` are links that stand in the database already; the new ones are added. ``read`` are the events of requests
    that were read before; those digested go.
    """
    ((before,),) = connection.execute("SELECT upto FROM digested")
    ((found, left),) = connection.execute(_OLDEST, (before, REQUESTS_AT_ONCE, BYTES_AT_ONCE))
    waiting = orjson.loads(found)
    if not waiting:
        return Digested(0, before, left=False)
    upto = waiting[-1][0]
    _digest_events(connection, [row[:-1] for row in waiting if row[-1]], known, read)
    connection.execute("UPDATE digested SET upto = ?", (upto,))
    connection.execute("DELETE FROM requests WHERE id <= ?", (upto - KEPT,))
    connection.execute(_CUT, (KEPT_BYTES, before, upto, KEPT_BYTES))
    return Digested(len(waiting), upto, bool(left))


def _digest_events(
    connection: sqlite3.Connection, taken: Sequence[tuple[Any, ...]], known: Links, read: dict[int, Events]
) -> None:
    places = _places(connection, {(org, project) for _, _, org, project, *_ in taken})
    ((before,),) = connection.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'")
    parts: list[Events] = []
    arrivals: list[tuple[Any, ...]] = []
    whence: list[_Whence] = []  # of each event
    counting: set[int] = set()  # whose repeats count, because the sandbox did not deduplicate when they came
    for number, at, org, project, source, client, address, deduplicates in taken:
        place, found, first = places[org, project], read.pop(number, None), before + len(whence) + 1
        found = _events(connection, number, at) if found is None else found
        arrivals.append((number, at, place, source, client, address, first, found.number))
        parts.append(found)
        whence += [_Whence(number, place, source)] * found.number
        if not deduplicates:
            counting.update(range(first, first + found.number))
    insert_rows(
        connection,
        "INSERT INTO arrivals (id, received_at, project, source, client, address, first, events)",
        arrivals,
    )
    events = together(parts)
    if not events.number:
        return
    numbers, in_projects, _ = zip(*whence, strict=True)
    fields = {"seq": range(before + 1, before + 1 + events.number), "arrival": numbers, "project": in_projects,
              **events._asdict()}  # fmt: skip
    insert_fields(connection, "events", fields)
    repeats = _mark_repeats(connection, before, events, counting)
    connection.execute(_MENTION_USERS, (before,))
    _note_persons(connection, before, events, whence, repeats, known)


def _events(connection: sqlite3.Connection, number: int, received_at: int) -> Events:
    ((body,),) = connection.execute("SELECT body FROM requests WHERE id = ?", (number,))
    try:
        return read_track(body, received_at)
    except Refused as refusal:
        return unread(refusal)


class _Whence(NamedTuple):
    """Where an event comes from: the number of its request, that of its project, and the source."""

    arrival: int
    place: int
    source: str


def _places(connection: sqlite3.Connection, projects: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The number of each (org, project): events, persons and repeats know nothing across projects."""
    found = {}
    for key in projects:
        known = connection.execute("SELECT id FROM projects WHERE org = ? AND project = ?", key).fetchone()
        found[key] = known[0] if known else insert_once(connection, "INSERT INTO projects (org, project)", [key])
    return found


def _note_persons(  # noqa: PLR0917  what is known of one digest
    connection: sqlite3.Connection,
    before: int,
    events: Events,
    whence: Sequence[_Whence],
    repeats: Set[int],
    known: Links,
) -> None:
    """Note under which names the events after ``before`` are found whose persons have others than a user id, and who
    is one person with whom.
    """
    others = zip(events.profile_id, events.another_user_id, events.account_id, strict=True)
    several = [at for at, names in enumerate(others) if names != (None, None, None)]
    mentions: list[tuple[int, str, int]] = []
    links: dict[tuple[int, str, str], None] = {}
    each = events.each() if several else []
    for at in several:
        event, seq, (_, place, source) = each[at], before + 1 + at, whence[at]
        if seq in repeats:
            continue
        nodes, pairs = known_by(event, source)
        links.update({(place, one, two): None for one, two in pairs})
        if not event.because and event.name in PRODUCT_NAMES:
            mentions.extend([(place, node, seq) for node in nodes])
    insert_rows(connection, "INSERT INTO mentions (project, node, seq)", mentions)
    new = [link for link in links if link not in known]
    insert_rows(connection, "INSERT OR IGNORE INTO links (project, node, other)", new)
    known.update(new)


def _mark_repeats(connection: sqlite3.Connection, before: int, events: Events, counting: Set[int]) -> set[int]:
    """Find which of the events after ``before`` were there already (CONTRACT 2.2, 2.9, 3.7), and mark them, but for
    those that count all the same.
    """
    firsts = connection.execute(_FIRST_OF_ID, (before,)).rowcount
    if EventName.ORDERED.value in events.name:
        connection.execute(_FIRST_OF_LINE, (before, EventName.ORDERED.value))
    if firsts == events.because.count(""):
        return set()
    repeats = [row for row in connection.execute(_REPEATS, (before,)) if row[1] not in counting]
    if repeats:
        connection.executemany("UPDATE events SET repeat_of = ? WHERE seq = ?", repeats)
    return {seq for _, seq in repeats}


def insert_fields(connection: sqlite3.Connection, table: str, fields: Mapping[str, Sequence[Any]]) -> None:
    """Insert many rows, given field by field, of which one is the rows' own number. Any: SQLite's own parameters.

    A field that is one value throughout is handed over once, and one that is nothing throughout not at all: half of
    what an insertion takes goes into handing values over.
    """
    alike = {name: values[0] for name, values in fields.items() if values.count(values[0]) == len(values) > 1}
    once = {name: value for name, value in alike.items() if value is not None}
    differing = [name for name in fields if name not in alike]
    into = f"INSERT INTO {table} ({', '.join([*once, *differing])})"
    _insert(connection, into, tuple(once.values()), list(zip(*(fields[name] for name in differing), strict=True)))


def insert_rows(connection: sqlite3.Connection, into: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert many rows. Any: SQLite's own parameters."""
    _insert(connection, into, (), rows)


def insert_once(connection: sqlite3.Connection, into: str, rows: Sequence[Sequence[Any]]) -> int:
    """Insert some rows by one statement; the number of the last one. Any: SQLite's own parameters."""
    done = connection.execute(_many(into, 0, len(rows[0]), len(rows)), list(chain.from_iterable(rows)))
    return done.lastrowid or 0


def _insert(connection: sqlite3.Connection, into: str, once: tuple[Any, ...], rows: Sequence[Sequence[Any]]) -> None:
    """Insert many rows by few statements; each begins with the values of ``once``. Any: SQLite's own parameters."""
    at = 0
    for size in BLOCKS:
        while len(rows) - at >= size:
            statement = _many(into, len(once), len(rows[0]), size)
            connection.execute(statement, [*once, *chain.from_iterable(rows[at : at + size])])
            at += size


@cache
def _many(into: str, once: int, width: int, height: int) -> str:
    # A ? without a number is one more than the highest so far.
    row = ", ".join([*(f"?{number}" for number in range(1, once + 1)), *"?" * width])
    return f"{into} VALUES {', '.join([f'({row})'] * height)}"


# One row of all, because the interpreter's lock is given up for every row. The length of a body stands before it, so
# bodies are not read to add them up.
_OLDEST = """
WITH
  first(id, bytes) AS (SELECT id, length(body) FROM requests WHERE id > ?1 ORDER BY id LIMIT ?2),
  added(id, bytes, number) AS (SELECT id, sum(bytes) OVER until, row_number() OVER until FROM first
                               WINDOW until AS (ORDER BY id)),
  until(id) AS (SELECT max(id) FROM added WHERE bytes <= ?3 OR number = 1)
SELECT
  json_group_array(json_array(id, received_at, org, project, source, client, address, deduplicates, taken)),
  EXISTS (SELECT 1 FROM requests WHERE id > (SELECT id FROM until))
FROM (SELECT * FROM requests WHERE id > ?1 AND id <= (SELECT id FROM until) ORDER BY id)
"""

_CUT = """
UPDATE requests SET body = substr(body, 1, ?) WHERE id > ? AND id <= ? AND length(body) > ?
"""

# An event id is taken by the first event without another error; events of one project share their ids, whatever
# source they came by, for an id names the event and not its way (CONTRACT 2.2).
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

# Who is known by a user id alone needs no look at other names; ``known_by`` says the same of it.
_MENTION_USERS = f"""
INSERT INTO mentions (project, node, seq)
SELECT project, 'user:' || user_id, seq FROM events
WHERE seq > ? AND because = '' AND repeat_of IS NULL AND name IN ({", ".join(f"'{name.value}'" for name in EventName)})
  AND user_id IS NOT NULL AND profile_id IS NULL AND another_user_id IS NULL AND account_id IS NULL
"""  # noqa: S608  our own names
