"""Retention: batches older than a time are deleted, in slices, so that nobody waits long for the database.

A batch that is to go is first marked *forgotten*, in one transaction with all the others: from then on no question
finds it. Then its rows go, some thousand events at a time. A process that ends half-way leaves forgotten batches
behind, which the next deletion takes along.
"""

from collections.abc import Callable, Iterator

from sqlalchemy import Connection, and_, case, delete, func, not_, select, update

from intempt_core.history.database import Database
from intempt_core.history.records import BatchState, RequestState
from intempt_core.history.schema import batches, excluded_rows, requests
from intempt_core.history.transitions import IS_STORED
from intempt_core.history.views import DeletionPreview, DeletionProgress

DELETE_CHUNK_EVENTS = 5_000
"""Events whose rows go in one transaction: others write in between."""

VACUUM_CHUNK_PAGES = 1_000
"""Pages of the file (4 KiB each) that are given back in one transaction."""

_IS_FORGOTTEN = batches.c.state == BatchState.FORGOTTEN.value
_HAS_IN_FLIGHT = (
    select(requests.c.id)
    .where(requests.c.batch == batches.c.number, requests.c.state == RequestState.IN_FLIGHT.value)
    .exists()
)
_IS_DELETABLE = and_(batches.c.state.in_([BatchState.DONE.value, BatchState.CANCELLED.value]), not_(_HAS_IN_FLIGHT))


class Retention(Database):
    """Old batches are counted, and deleted."""

    def has_batches(self) -> bool:
        """Whether there is any batch to be seen, and so one day to be deleted."""
        with self._reading() as connection:
            return connection.execute(select(batches.c.number).where(IS_STORED).limit(1)).first() is not None

    def preview_deletion(self, before: int) -> DeletionPreview:
        """What :meth:`delete_before` would delete: batches recorded before ``before`` (epoch ms) that are over."""
        old, is_split = batches.c.created_at < before, requests.c.state == RequestState.SPLIT.value
        ends = func.count(), func.min(batches.c.created_at), func.max(batches.c.created_at)
        held = select(func.count(), func.sum(case((is_split, 0), else_=requests.c.events)))
        going = select(batches.c.number).where(old, _IS_DELETABLE)
        with self._reading() as connection:
            many, oldest, newest = connection.execute(select(*ends).where(old, _IS_DELETABLE)).one()
            made, events = connection.execute(held.where(requests.c.batch.in_(going))).one()
            stays = select(func.count()).select_from(batches).where(old, IS_STORED, not_(_IS_DELETABLE))
            kept = connection.execute(stays).scalar_one()
        return DeletionPreview(many, made, int(events or 0), oldest or 0, newest or 0, kept)

    def delete_before(
        self,
        before: int,
        on_progress: Callable[[DeletionProgress], None] = lambda _: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> DeletionProgress:
        """Delete batches recorded before ``before`` (epoch ms), with all that belongs to them; nobody waits long.

        Never one that still moves or waits for a person. ``watch`` is told after every slice; ``halted`` may end it
        between two of them, and what is left is taken along by the next call. The space goes back to the disk, or,
        in a database that an older console made, stays in the file for later batches.
        """
        with self._writing() as connection:
            going = and_(batches.c.created_at < before, _IS_DELETABLE)
            connection.execute(update(batches).where(going).values(state=BatchState.FORGOTTEN.value))
            numbers = list(connection.execute(select(batches.c.number).where(_IS_FORGOTTEN)).scalars())
        size, many, events = self._file_bytes(), 0, 0
        for number in numbers:
            for gone in self._delete_in_slices(number):
                events += gone
                on_progress(DeletionProgress(many, events))
                if should_stop():
                    return DeletionProgress(many, events, *self._freed_bytes(size))
            many += 1
            on_progress(DeletionProgress(many, events))
        while not should_stop() and self._vacuum_some():
            pass
        return DeletionProgress(many, events, *self._freed_bytes(size))

    def _delete_in_slices(self, number: int) -> Iterator[int]:
        """Delete a forgotten batch slice by slice; yields the events of each. Its own row goes last."""
        while True:
            with self._writing() as connection:
                ids, events = _select_slice(connection, number)
                if ids:
                    connection.execute(delete(requests).where(requests.c.id.in_(ids)))
                elif not _delete_excluded_rows(connection, number):
                    connection.execute(delete(batches).where(batches.c.number == number))
                    return
            yield events

    def _vacuum_some(self) -> bool:
        """Give some free pages back to the disk; whether there may be more."""
        if self._file is None:
            return False  # a server sees to it itself
        with self._translate_errors(), self._hold_write_lock(nowait=False), self._engine.connect() as connection:
            auto = connection.exec_driver_sql("PRAGMA auto_vacuum").scalar()
            free = connection.exec_driver_sql("PRAGMA freelist_count").scalar() or 0
            if auto != 2 or not free:
                return False
            connection.commit()
            # As a script: the statement works a page further with each step, and only a script is stepped to its end.
            connection.connection.cursor().executescript(f"PRAGMA incremental_vacuum({VACUUM_CHUNK_PAGES})")
            return int(free) > VACUUM_CHUNK_PAGES

    def _file_bytes(self) -> int:
        """Bytes of the database, as far as it says."""
        if self._file is None:
            return 0
        with self._reading() as connection:
            return int(connection.exec_driver_sql("PRAGMA page_count").scalar_one()) * _read_page_size(connection)

    def _freed_bytes(self, before: int) -> tuple[int, int]:
        if self._file is None:
            return 0, 0
        with self._reading() as connection:
            free = int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()) * _read_page_size(connection)
        return max(0, before - self._file_bytes()), free


def _read_page_size(connection: Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())


def _select_slice(connection: Connection, number: int) -> tuple[list[int], int]:
    """The next requests to go; halves before their parents, as they were made later, and whole where it is large."""
    last = select(requests.c.id, requests.c.events, requests.c.state).where(requests.c.batch == number)
    ids: list[int] = []
    events = weight = 0
    for row in connection.execute(last.order_by(requests.c.id.desc()).limit(DELETE_CHUNK_EVENTS // 5)):
        ids.append(row.id)
        weight += row.events
        events += 0 if row.state == RequestState.SPLIT.value else row.events
        if weight >= DELETE_CHUNK_EVENTS:
            break
    return ids, events


def _delete_excluded_rows(connection: Connection, number: int) -> bool:
    """Delete some of the rows that stayed behind; whether there were any."""
    mine = excluded_rows.c.batch == number
    rows = select(excluded_rows.c.row).where(mine).order_by(excluded_rows.c.row).limit(DELETE_CHUNK_EVENTS)
    gone = delete(excluded_rows).where(mine, excluded_rows.c.row.in_(rows))
    return bool(connection.execute(gone).rowcount)
