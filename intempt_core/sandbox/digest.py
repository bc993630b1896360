"""What follows from what arrived: repeats, who is who, and where to find whose events.

Requests are kept in ``requests`` as they came, and digested in that order, some at a time. Digesting is pure in what
stands there, so it may be done at any time, and by whichever process comes first. Every call into SQLite carries
many rows, because each gives up the interpreter's lock and has to win it back.
"""

import sqlite3
from collections.abc import Iterable, Sequence, Set
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from intempt_core.events import EventName
from intempt_core.sandbox.answers import Refused
from intempt_core.sandbox.persons import PRODUCT_NAMES, known_by
from intempt_core.sandbox.reading import Event, read_track, unread

REQUESTS_AT_ONCE = 32
"""Requests that are digested in one transaction: some hundredths of a second."""

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


def digest(connection: sqlite3.Connection, known: Links, read: dict[int, list[Event]]) -> tuple[int, int]:
    """Digest the oldest requests that are not, inside the caller's transaction; how many they were, and up to which
    number everything is digested now.

    Fewer than :data:`REQUESTS_AT_ONCE` means that none is left. ``known`` are links that stand in the database
    already; the new ones are added. ``read`` are the events of requests that were read before; those digested go.
    """
    ((before,),) = connection.execute("SELECT upto FROM digested")
    waiting = connection.execute(_OLDEST, (before, REQUESTS_AT_ONCE)).fetchall()
    if not waiting:
        return 0, before
    upto = waiting[-1][0]
    _digest_events(connection, [row[:-1] for row in waiting if row[-1]], known, read)
    connection.execute("UPDATE digested SET upto = ?", (upto,))
    connection.execute("DELETE FROM requests WHERE id <= ?", (upto - KEPT,))
    connection.execute(_CUT, (KEPT_BYTES, before, upto, KEPT_BYTES))
    return len(waiting), upto


def _digest_events(
    connection: sqlite3.Connection, taken: Sequence[tuple[Any, ...]], known: Links, read: dict[int, list[Event]]
) -> None:
    places = _places(connection, {(org, project) for _, _, org, project, *_ in taken})
    ((before,),) = connection.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'")
    events: list[_Placed] = []
    arrivals: list[tuple[Any, ...]] = []
    counting: set[int] = set()  # whose repeats count, because the sandbox did not deduplicate when they came
    for number, at, org, project, source, client, address, deduplicates in taken:
        place, found, first = places[org, project], read.pop(number, None), before + len(events) + 1
        found = _events(connection, number, at) if found is None else found
        arrivals.append((number, at, place, source, client, address, first, len(found)))
        events += [_Placed(seq, number, place, source, event) for seq, event in enumerate(found, first)]
        if not deduplicates:
            counting.update(range(first, first + len(found)))
    insert_many(
        connection,
        "INSERT INTO arrivals (id, received_at, project, source, client, address, first, events)",
        arrivals,
    )
    insert_many(
        connection,
        "INSERT INTO events (seq, arrival, project, name, event_id, profile_id, user_id, another_user_id, account_id,"
        " product_id, time, line, codes, because, body)",
        [(seq, arrival, place, *event) for seq, arrival, place, _, event in events],
    )
    repeats = _mark_repeats(connection, before, events, counting)
    _note_persons(connection, [one for one in events if one.seq not in repeats], known)


def _events(connection: sqlite3.Connection, number: int, received_at: int) -> list[Event]:
    ((body,),) = connection.execute("SELECT body FROM requests WHERE id = ?", (number,))
    try:
        return read_track(body, received_at)
    except Refused as refusal:
        return [unread(refusal)]


class _Placed(NamedTuple):
    seq: int
    arrival: int
    place: int
    source: str
    event: Event


def _places(connection: sqlite3.Connection, projects: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The number of each (org, project): events, persons and repeats know nothing across projects."""
    found = {}
    for key in projects:
        connection.execute("INSERT OR IGNORE INTO projects (org, project) VALUES (?, ?)", key)
        ((found[key],),) = connection.execute("SELECT id FROM projects WHERE org = ? AND project = ?", key)
    return found


def _note_persons(connection: sqlite3.Connection, events: Sequence[_Placed], known: Links) -> None:
    mentions: list[tuple[int, str, int]] = []
    links: dict[tuple[int, str, str], None] = {}
    for seq, _, place, source, event in events:
        if event.codes == "" and event[2] is event[4] is event[5] is None and event.name in PRODUCT_NAMES:
            mentions.append((place, f"user:{event[3]}", seq))  # nearly every event; known_by says the same of it
            continue
        nodes, pairs = known_by(event, source)
        if pairs:
            links.update({(place, one, two): None for one, two in pairs})
        if not event.because and event.name in PRODUCT_NAMES:
            mentions.extend([(place, node, seq) for node in nodes])
    insert_many(connection, "INSERT INTO mentions (project, node, seq)", mentions)
    new = [link for link in links if link not in known]
    insert_many(connection, "INSERT OR IGNORE INTO links (project, node, other)", new)
    known.update(new)


def _mark_repeats(
    connection: sqlite3.Connection, before: int, events: Sequence[_Placed], counting: Set[int]
) -> set[int]:
    """Find which of the events after ``before`` were there already (CONTRACT 2.2, 2.9, 3.7), and mark them, but for
    those that count all the same.
    """
    firsts = connection.execute(_FIRST_OF_ID, (before,)).rowcount
    if any(one.event.name == EventName.ORDERED for one in events):
        connection.execute(_FIRST_OF_LINE, (before, EventName.ORDERED.value))
    if firsts == sum(not one.event.because for one in events):
        return set()
    repeats = [row for row in connection.execute(_REPEATS, (before,)) if row[1] not in counting]
    if repeats:
        connection.executemany("UPDATE events SET repeat_of = ? WHERE seq = ?", repeats)
    return {seq for _, seq in repeats}


def insert_many(connection: sqlite3.Connection, into: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert many rows by few statements. Any: SQLite's own parameters."""
    at = 0
    for size in BLOCKS:
        while len(rows) - at >= size:
            insert_once(connection, into, rows[at : at + size])
            at += size


def insert_once(connection: sqlite3.Connection, into: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert some rows by one statement. Any: SQLite's own parameters."""
    connection.execute(_many(into, len(rows[0]), len(rows)), list(chain.from_iterable(rows)))


@cache
def _many(into: str, width: int, height: int) -> str:
    row = f"({', '.join('?' * width)})"
    return f"{into} VALUES {', '.join([row] * height)}"


_OLDEST = """
SELECT id, received_at, org, project, source, client, address, deduplicates, taken FROM requests
WHERE id > ? ORDER BY id LIMIT ?
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
