"""What follows from what arrived: repeats, who is who, and where to find whose events.

Requests are taken into ``inbox`` as they came, and digested in that order, some at a time. Digesting is pure in what
the inbox holds, so it may be done at any time, and by whichever process comes first. Every call into SQLite carries
many rows, because each gives up the interpreter's lock and has to win it back.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

from intempt_core.events import EventName
from intempt_core.sandbox.answers import Refused
from intempt_core.sandbox.persons import PRODUCT_NAMES, known_by
from intempt_core.sandbox.reading import Event, read_track, unread

REQUESTS_AT_ONCE = 32
"""Requests that are digested in one transaction: some hundredths of a second."""

ROWS_AT_ONCE = 100
"""Rows of one statement; 15 columns each stay far below SQLite's 32,766 parameters."""

Links = set[tuple[int, str, str]]
"""Pairs of nodes by project: who is one person."""


def digest(connection: sqlite3.Connection, known: Links) -> int:
    """Digest the oldest requests of the inbox, inside the caller's transaction; how many they were.

    Fewer than :data:`REQUESTS_AT_ONCE` means that the inbox is empty now. ``known`` are links that stand in the
    database already; the new ones are added.
    """
    taken = connection.execute(_OLDEST, (REQUESTS_AT_ONCE,)).fetchall()
    if not taken:
        return 0
    connection.execute("DELETE FROM inbox WHERE id <= ?", (taken[-1][0],))
    places = _places(connection, {(org, project) for _, _, org, project, _, _, _ in taken})
    insert_many(
        connection,
        "INSERT INTO arrivals (id, received_at, project, source, client)",
        ((number, at, places[org, project], source, client) for number, at, org, project, source, client, _ in taken),
    )
    ((before,),) = connection.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'")
    placed = (
        (number, places[org, project], source, event)
        for number, at, org, project, source, _, body in taken
        for event in _events(body, at)
    )
    events = [_Placed(seq, *one) for seq, one in enumerate(placed, before + 1)]
    insert_many(
        connection,
        "INSERT INTO events (seq, arrival, project, name, event_id, profile_id, user_id, another_user_id, account_id,"
        " product_id, time, line, codes, because, body)",
        ((one.seq, one.arrival, one.place, *one.event) for one in events),
    )
    repeats = _mark_repeats(connection, before)
    _note_persons(connection, [one for one in events if one.seq not in repeats], known)
    return len(taken)


def _events(body: bytes, received_at: int) -> list[Event]:
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
        nodes, pairs = known_by(event, source)
        links.update({(place, one, two): None for one, two in pairs})
        if not event.because and event.name in PRODUCT_NAMES:
            mentions.extend([(place, node, seq) for node in nodes])
    insert_many(connection, "INSERT INTO mentions (project, node, seq)", mentions)
    new = [link for link in links if link not in known]
    insert_many(connection, "INSERT OR IGNORE INTO links (project, node, other)", new)
    known.update(new)


def _mark_repeats(connection: sqlite3.Connection, before: int) -> set[int]:
    """Find which of the events after ``before`` were there already (CONTRACT 2.2, 2.9, 3.7), and mark them."""
    connection.execute(_FIRST_OF_ID, (before,))
    connection.execute(_FIRST_OF_LINE, (before, EventName.ORDERED.value))
    repeats = connection.execute(_REPEATS, (before,)).fetchall()
    if repeats:
        connection.executemany("UPDATE events SET repeat_of = ? WHERE seq = ?", repeats)
    return {seq for _, seq in repeats}


def insert_many(connection: sqlite3.Connection, into: str, rows: Iterable[Sequence[Any]]) -> None:
    """Insert many rows by few statements. Any: SQLite's own parameters."""
    left = iter(rows)
    while block := list(islice(left, ROWS_AT_ONCE)):
        connection.execute(_many(into, len(block[0]), len(block)), [value for row in block for value in row])


@cache
def _many(into: str, width: int, height: int) -> str:
    row = f"({', '.join('?' * width)})"
    return f"{into} VALUES {', '.join([row] * height)}"


_OLDEST = """
SELECT id, received_at, org, project, source, client, body FROM inbox ORDER BY id LIMIT ?
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
