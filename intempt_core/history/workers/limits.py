"""The limits of a target over all workers: turns of its rate, and places in flight.

A worker takes a stretch of turns at once, from a row that says from when on turns are free. Places are shared out: each
worker that sends to the target says how many places it would use, and holds no more than its share of them, so that
one statement a second is enough. Both go by the database's clock, and what a dead worker holds ends with its lease.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import text

from intempt_core.history.database import Database

_TAKE_TURNS = text("""\
INSERT INTO target_turns AS turns (target, free_from)
VALUES (:target, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + :ahead + :length)
ON CONFLICT (target) DO UPDATE SET free_from =
    greatest(
        least(turns.free_from, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + :most),
        (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + :ahead
    ) + :length
RETURNING free_from - :length - (extract(epoch FROM clock_timestamp()) * 1000000)::bigint""")
"""Takes the next stretch; how many microseconds from now it begins. A row that is too far ahead, because somebody
wrote it or the clock was set back, is not waited for.
"""

_OTHERS_PLACES = text("""\
SELECT places.held, places.wanted
FROM target_places AS places JOIN workers ON workers.name = places.worker
WHERE places.target = :target AND places.worker <> :worker
    AND workers.expires_at > (extract(epoch FROM clock_timestamp()) * 1000)::bigint""")

_WRITE_PLACES = text("""\
INSERT INTO target_places (target, worker, held, wanted)
SELECT :target, name, :held, :wanted FROM workers WHERE name = :worker
ON CONFLICT (target, worker) DO UPDATE SET held = excluded.held, wanted = excluded.wanted""")

_LOCK_TARGET = text("SELECT pg_advisory_xact_lock(hashtextextended(:target, 7312))")

MAX_AHEAD_SECONDS, MAX_AHEAD_TURNS = 60.0, 1000
"""How far ahead turns can be taken at the most: seconds, and in addition so many turns."""


class PlaceUse(NamedTuple):
    """What another worker has of a target's places: how many it holds, and how many it would use."""

    held: int
    wanted: int


def allot_places(limit: int, others: Sequence[PlaceUse], used: int, wanted: int, *, gives: bool) -> int:
    """How many places a worker may hold that uses some and would use more; never fewer than it uses.

    Where others want more than they hold it keeps to its share: what is left of the division goes to who asks first,
    and after a while it gives that back (``gives``), so that with fewer places than workers each has its turn.
    """
    free = max(limit - sum(one.held for one in others), 0)
    if any(one.wanted > one.held for one in others):
        workers = 1 + sum(one.wanted > 0 for one in others)
        wanted = min(wanted, limit // workers if gives else -(-limit // workers))
    return max(used, min(wanted, free))


class TargetLimitStore:
    """The limits of all targets, by their keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take_turns(self, target: str, step: float, turns: int, ahead: float) -> float:
        """Take the next turns, ``step`` seconds apart, from ``ahead`` seconds on; in how many seconds they begin."""
        given = {"target": target, "length": round(turns * step * 1e6), "ahead": round(ahead * 1e6)}
        given["most"] = round((MAX_AHEAD_SECONDS + MAX_AHEAD_TURNS * step) * 1e6)
        with self._database.writing() as connection:
            return max(0.0, int(connection.execute(_TAKE_TURNS, given).scalar_one()) / 1e6)

    def share_places(self, target: str, worker: str, limit: int, used: int, wanted: int, *, gives: bool) -> int:
        """Hold places of a target as :func:`allot_places` has it; how many. None without a lease."""
        given = {"target": target, "worker": worker, "wanted": wanted}
        with self._database.writing() as connection:
            connection.execute(_LOCK_TARGET, {"target": target})
            others = [PlaceUse(*row) for row in connection.execute(_OTHERS_PLACES, given)]
            held = allot_places(limit, others, used, wanted, gives=gives)
            return held if connection.execute(_WRITE_PLACES, {**given, "held": held}).rowcount else 0
