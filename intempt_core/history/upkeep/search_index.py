"""The index of events by the ids of persons and by products, built behind the inserts; only searches read it.

As indexes of the table of events these cost more than all the rest of a recording: each small transaction would touch
them in thousands of places, and the sending waits for it. Here the keys of many events are inserted at once and in
order, so that each page is touched once.

A request whose events have no keys yet is in the table of unkeyed requests. It is put there in the transaction that
records it, and leaves it in the one that writes its keys: so what a search finds by keys, and what it finds by reading
the events of those requests, are all there is and never the same. A batch recorded in one transaction has its keys at
once.
"""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    union_all,
)

from intempt_core.errors import HistoryUnavailable
from intempt_core.history.database import Database, iter_chunks
from intempt_core.history.dialects.conflicts import retry_conflicts
from intempt_core.history.dialects.locks import try_lock_search_index
from intempt_core.history.records import KEY_COLUMNS
from intempt_core.history.schema import batches, event_keys, events, requests, unkeyed_requests
from intempt_core.history.upkeep.background import BackgroundWork
from intempt_core.logs import write_log

FILL_CHUNK_EVENTS = 25_000
"""Events whose keys are written in one transaction: enough of them to share pages, few enough to let others write."""

MAX_FILL_REQUESTS = 10_000
"""Most requests whose events' keys are written in one transaction."""

QUIET_SECONDS, LONGEST_TURN_SECONDS = 0.1, 10.0
"""How long nobody else must have written before a transaction, and how long those who write keep it waiting at most."""

_LOG = logging.getLogger(__name__)

_KINDS = {column: kind for kind, column in enumerate(KEY_COLUMNS, 1)}
IS_UNKEYED = events.c.request.in_(select(unkeyed_requests.c.request))
"""Condition on events: they have no keys yet."""
_KEY_FIELDS = ("kind", "value", "batch", "request", "position")
_DELETE_KEY = delete(event_keys).where(*(event_keys.c[name] == bindparam(name) for name in _KEY_FIELDS))


class SearchIndex(BackgroundWork):
    """Writes the keys that are still missing, where there are any and no batch is being recorded.

    To start it is cheap: that may be done every second. The recording of a batch does so at its end. It ends after the
    transaction that it is in; what is missing then is found all the same.
    """

    def __init__(self, database: Database) -> None:
        super().__init__("search index")
        self._database = database

    @retry_conflicts
    def fill(self, limit: int = FILL_CHUNK_EVENTS) -> int:
        """Write the keys of about so many events in one transaction; of how many, 0 where none is missing.

        Another process of the same server may fill it at the same time: then this one has nothing to do.
        """
        with self._database.writing(at_one_moment=True) as connection:
            if not try_lock_search_index(connection):
                return 0
            last, found = _measure_slice(connection, limit)
            if last is None:
                return 0
            is_next = unkeyed_requests.c.request <= last
            _insert_keys(connection, events.c.request.in_(select(unkeyed_requests.c.request).where(is_next)))
            connection.execute(delete(unkeyed_requests).where(is_next))
        return found

    def _is_due(self) -> bool:
        missing = select(unkeyed_requests.c.request).limit(1)
        recording = select(batches.c.number).where(batches.c.recorder != "").limit(1)
        with self._database.reading() as connection:
            return connection.execute(missing).first() is not None and connection.execute(recording).first() is None

    def _run(self) -> None:
        try:
            with self._watching() as read_version:
                while self._is_due() and self._wait_for_turn(read_version):
                    self.fill()
        except HistoryUnavailable as error:  # the next who starts it goes on
            write_log(_LOG, "the search index waits for history", level=logging.WARNING, trouble=str(error))

    def _watching(self) -> AbstractContextManager[Callable[[], int]]:
        return self._database.watching() if self._database.file is not None else nullcontext(lambda: 0)

    def _wait_for_turn(self, read_version: Callable[[], int]) -> bool:
        """Let others write, who are in a hurry; whether there is a turn, and no end."""
        until = time.monotonic() + LONGEST_TURN_SECONDS
        while True:
            before = read_version()
            if self._ending.wait(QUIET_SECONDS):
                return False
            if read_version() == before or time.monotonic() > until:
                return True


# ── inside a transaction ─────────────────────────────────────────────────────────────────────────────────────────────


def write_keys(connection: Connection, ids: Sequence[int]) -> None:
    """Write the keys of the events of requests that have none and are not unkeyed either."""
    for some in iter_chunks(ids):
        _insert_keys(connection, events.c.request.in_(some))


def delete_keys(connection: Connection, ids: Sequence[int]) -> None:
    """Delete the keys of the events of some requests, while the events are still there, and that they are unkeyed."""
    for some in iter_chunks(ids):
        # First of all: who fills the index has these rows until its keys can be seen.
        connection.execute(delete(unkeyed_requests).where(unkeyed_requests.c.request.in_(some)))
        # Key by key: a condition that they are among the events' would read all keys of a kind.
        keys = connection.execute(_select_keys(events.c.request.in_(some))).all()
        if keys:
            connection.execute(_DELETE_KEY, [dict(zip(_KEY_FIELDS, key, strict=True)) for key in keys])


def is_keyed_by(column: str, value: str) -> ColumnElement[bool]:
    """The condition on keys that an event has this value in a column."""
    # The kind is a literal: it is this program's, and all statements of one kind are one text.
    return is_key_kind(column) & (event_keys.c.value == value)


def is_key_kind(column: str) -> ColumnElement[bool]:
    """The condition on keys that they are of a column."""
    return event_keys.c.kind == literal_column(str(_KINDS[column]))


def is_key_of_event() -> ColumnElement[bool]:
    """The condition that joins keys with events."""
    return (event_keys.c.request == events.c.request) & (event_keys.c.position == events.c.position)


def select_batches_by_id(column: str, text: str) -> Select[Any]:
    """Select the batches that hold an event with this id, by jumping through the index from one batch to the next.

    A product may be in a million events of ten batches: this makes eleven look-ups, not a million. It finds an event's
    own id at once, and the other ids by their keys.
    """
    if column in _KINDS:
        batch, same = event_keys.c.batch, is_keyed_by(column, text)
    else:
        batch, same = events.c.batch, events.c[column] == text
    hit = select(func.min(batch).label("batch")).where(same).cte(f"hit_{column}", recursive=True)
    following = select(func.min(batch)).where(same, batch > hit.c.batch).scalar_subquery()
    hit = hit.union_all(select(following).where(hit.c.batch.is_not(None)))
    return select(hit.c.batch).where(hit.c.batch.is_not(None))


def find_unkeyed_requests(connection: Connection, column: str, value: str) -> list[int]:
    """The requests with an event that has this value in a column, of those that have no keys yet."""
    found = select(events.c.request).distinct().where(IS_UNKEYED, events.c[column] == value)
    return list(connection.execute(found).scalars())


def _measure_slice(connection: Connection, limit: int) -> tuple[int | None, int]:
    """The last unkeyed request of the next about ``limit`` events, and how many they are."""
    sizes = select(requests.c.id, requests.c.events).join(unkeyed_requests, unkeyed_requests.c.request == requests.c.id)
    last, found = None, 0
    # Locked, so that none that is split or deleted meanwhile is filled; SQLite has no such clause and needs none.
    sizes = sizes.order_by(unkeyed_requests.c.request).limit(MAX_FILL_REQUESTS).with_for_update(of=unkeyed_requests)
    for request, size in connection.execute(sizes):
        last, found = request, found + size
        if found >= limit:
            break
    return last, found


def _insert_keys(connection: Connection, which: ColumnElement[bool]) -> None:
    connection.execute(insert(event_keys).from_select(_KEY_FIELDS, _select_keys(which)))


def _select_keys(which: ColumnElement[bool]) -> Select[Any]:
    """Select the keys of some events in the order of the index: so each of its pages is touched once."""
    place = events.c.batch, events.c.request, events.c.position
    kinds: list[Select[Any]] = []
    for column, number in _KINDS.items():
        kind: ColumnElement[int] = literal_column(str(number)).label("kind")
        value = events.c[column]
        kinds.append(select(kind, value.label("value"), *place).where(which, value.is_not(None)))
    keys = union_all(*kinds).subquery("keys")
    return select(keys).order_by(*(keys.c[name] for name in _KEY_FIELDS))
