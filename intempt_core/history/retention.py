"""Retention: the deletion of old batches, in slices, so that no other work waits long for the database.

Batches that are to be deleted first become *forgotten*, in one transaction: from then on no query finds them. Then
their rows are deleted, some thousand events at a time. Where a process ends half-way, the next deletion deletes what is
left of them.
"""

import logging
import threading
from collections.abc import Callable, Iterator

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, not_, or_, select, update

from intempt_core.errors import ConsoleError
from intempt_core.history.database import Database
from intempt_core.history.dialects.conflicts import retry_conflicts
from intempt_core.history.records import BatchState, RequestState
from intempt_core.history.schema import batches, excluded_rows, requests, seconds
from intempt_core.history.transitions import IS_STORED
from intempt_core.history.upkeep.search_index import delete_keys
from intempt_core.history.views import DeletionPreview, DeletionProgress

DELETE_CHUNK_EVENTS = 5_000
"""Events whose rows are deleted in one transaction: others write in between."""

VACUUM_CHUNK_PAGES = 1_000
"""Pages of the file (4 KiB each) that are given back to the disk at a time."""

log = logging.getLogger(__name__)

_IS_FORGOTTEN = batches.c.state == BatchState.FORGOTTEN.value
_HAS_IN_FLIGHT = (
    select(requests.c.id)
    .where(requests.c.batch == batches.c.number, requests.c.state == RequestState.IN_FLIGHT.value)
    .exists()
)
_HAS_ROWS = or_(
    select(requests.c.id).where(requests.c.batch == batches.c.number).exists(),
    select(excluded_rows.c.row).where(excluded_rows.c.batch == batches.c.number).exists(),
)
_IS_DELETABLE = and_(batches.c.state.in_([BatchState.DONE.value, BatchState.CANCELLED.value]), not_(_HAS_IN_FLIGHT))


def _is_newest() -> ColumnElement[bool]:
    numbers = batches.alias("numbers")
    return batches.c.number == select(func.max(numbers.c.number)).scalar_subquery()


class Retention:
    """Counts and deletes old batches.

    Attributes:
        deletion: the deletion that runs in the background, or the last one that did.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.deletion = BackgroundDeletion(self)

    def has_batches(self) -> bool:
        """Whether there is any batch that can be seen, and so deleted some day."""
        with self._database.reading() as connection:
            return connection.execute(select(batches.c.number).where(IS_STORED).limit(1)).first() is not None

    def preview_deletion(self, before: int) -> DeletionPreview:
        """What :meth:`delete_before` would delete: finished batches recorded before ``before`` (epoch ms)."""
        old, is_split = batches.c.created_at < before, requests.c.state == RequestState.SPLIT.value
        bounds = func.count(), func.min(batches.c.created_at), func.max(batches.c.created_at)
        sizes = select(func.count(), func.sum(case((is_split, 0), else_=requests.c.events)))
        deletable = select(batches.c.number).where(old, _IS_DELETABLE)
        with self._database.reading() as connection:
            count, oldest, newest = connection.execute(select(*bounds).where(old, _IS_DELETABLE)).one()
            request_count, event_count = connection.execute(sizes.where(requests.c.batch.in_(deletable))).one()
            kept = select(func.count()).select_from(batches).where(old, IS_STORED, not_(_IS_DELETABLE))
            return DeletionPreview(
                batches=count,
                requests=request_count,
                events=int(event_count or 0),
                oldest=oldest or 0,
                newest=newest or 0,
                kept=connection.execute(kept).scalar_one(),
            )

    def delete_before(
        self,
        before: int,
        on_progress: Callable[[DeletionProgress], None] = lambda _: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> DeletionProgress:
        """Delete batches recorded before ``before`` (epoch ms) with all that belongs to them, in short transactions.

        A batch that is active or waits for a person is never deleted. ``on_progress`` is called after every
        transaction; ``should_stop`` may end the deletion between two of them, and the next call deletes what is left.
        The space goes back to the disk, or, in a database that an older console made, stays in the file for later
        batches.
        """
        numbers = self._forget_batches(before)
        size, batch_count, event_count = self._file_bytes(), 0, 0
        for number in numbers:
            for deleted in self._delete_in_slices(number):
                event_count += deleted
                on_progress(DeletionProgress(batch_count, event_count))
                if should_stop():
                    return DeletionProgress(batch_count, event_count, *self._freed_bytes(size))
            batch_count += 1
            on_progress(DeletionProgress(batch_count, event_count))
        while not should_stop() and self._vacuum_some():
            pass
        return DeletionProgress(batch_count, event_count, *self._freed_bytes(size))

    @retry_conflicts
    def _forget_batches(self, before: int) -> list[int]:
        """Let no query find what is to be deleted; the numbers of those batches, and of what an earlier call left."""
        with self._database.writing() as connection:
            connection.execute(delete(batches).where(_IS_FORGOTTEN, not_(_HAS_ROWS), not_(_is_newest())))
            deletable = and_(batches.c.created_at < before, _IS_DELETABLE)
            connection.execute(update(batches).where(deletable).values(state=BatchState.FORGOTTEN.value))
            return list(connection.execute(select(batches.c.number).where(_IS_FORGOTTEN)).scalars())

    def _delete_in_slices(self, number: int) -> Iterator[int]:
        """Delete a forgotten batch slice by slice; yields the events of each. Its own row is deleted last."""
        while (deleted := self._delete_slice(number)) is not None:
            yield deleted

    @retry_conflicts
    def _delete_slice(self, number: int) -> int | None:
        """Delete some of a batch's rows; how many events, ``None`` where it had none left and is gone itself."""
        with self._database.writing() as connection:
            ids, event_count = _select_slice(connection, number)
            if ids:
                delete_keys(connection, ids)
                connection.execute(delete(requests).where(requests.c.id.in_(ids)))
            elif not _delete_excluded_rows(connection, number):
                _delete_batch_row(connection, number)
                return None
        return event_count

    def _vacuum_some(self) -> bool:
        """Give some free pages of the file back to the disk; whether there may be more."""
        if self._database.file is None:
            return False  # a server does that by itself
        with self._database.maintaining() as connection:
            auto = connection.exec_driver_sql("PRAGMA auto_vacuum").scalar()
            free = connection.exec_driver_sql("PRAGMA freelist_count").scalar() or 0
            if auto != 2 or not free:
                return False
            connection.commit()
            # As a script: the statement frees one page with each step, and only a script is stepped to its end.
            connection.connection.cursor().executescript(f"PRAGMA incremental_vacuum({VACUUM_CHUNK_PAGES})")
            return int(free) > VACUUM_CHUNK_PAGES

    def _file_bytes(self) -> int:
        """The size of the database's file; 0 for a server."""
        if self._database.file is None:
            return 0
        with self._database.reading() as connection:
            return _read_pages(connection, "page_count")

    def _freed_bytes(self, before: int) -> tuple[int, int]:
        """How many bytes the file is smaller than ``before``, and how many inside it are free for later batches."""
        if self._database.file is None:
            return 0, 0
        with self._database.reading() as connection:
            return max(0, before - _read_pages(connection, "page_count")), _read_pages(connection, "freelist_count")


class BackgroundDeletion:
    """The deletion of old batches in a thread of this process: one at a time. A screen reads how far it is.

    Attributes:
        planned: what the last deletion was to delete; ``None`` before the first.
        progress: what it has deleted so far.
        is_finished: whether it is not running (any more).
        error: the error that ended it early; what it had left over goes with the next deletion.
    """

    def __init__(self, retention: "Retention") -> None:
        self._retention = retention
        self._lock = threading.Lock()
        self.planned: DeletionPreview | None = None
        self.progress = DeletionProgress(0, 0)
        self.is_finished = True
        self.error: Exception | None = None

    def start(self, before: int) -> None:
        """Start deleting what was recorded before ``before`` (epoch ms), unless a deletion is running."""
        with self._lock:
            if not self.is_finished:
                return
            self.planned = self._retention.preview_deletion(before)
            self.progress, self.is_finished, self.error = DeletionProgress(0, 0), False, None
        threading.Thread(target=self._run, args=(before,), name="retention", daemon=True).start()

    def _run(self, before: int) -> None:
        try:
            self.progress = self._retention.delete_before(before, self._set_progress)
        except ConsoleError as error:
            self.error = error
        except Exception as error:
            log.exception("deleting old batches broke off")
            self.error = error
        finally:
            self.is_finished = True

    def _set_progress(self, progress: DeletionProgress) -> None:
        self.progress = progress


def _read_pages(connection: Connection, pragma: str) -> int:
    """The bytes of the pages that a PRAGMA counts."""
    count, size = (connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in (pragma, "page_size"))
    return int(count) * int(size)


def _select_slice(connection: Connection, number: int) -> tuple[list[int], int]:
    """The next requests to delete, and their events; halves come before their parents, as they were recorded later."""
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


def _delete_batch_row(connection: Connection, number: int) -> None:
    """Delete a batch's own row; that of the newest batch stays, empty, until there is a newer one.

    Otherwise its number would be given again, and plans compare by numbers what came after them.
    """
    connection.execute(delete(batches).where(batches.c.number == number, not_(_is_newest())))
    nothing = {"label": "", "digest": "", "mapping": "", "notes": {}, "reason": "", "owner": ""}
    connection.execute(update(batches).where(batches.c.number == number).values(nothing))
    connection.execute(delete(seconds).where(seconds.c.batch == number))


def _delete_excluded_rows(connection: Connection, number: int) -> bool:
    """Delete some of the excluded rows; whether there were any."""
    of_batch = excluded_rows.c.batch == number
    rows = select(excluded_rows.c.row).where(of_batch).order_by(excluded_rows.c.row).limit(DELETE_CHUNK_EVENTS)
    deletion = delete(excluded_rows).where(of_batch, excluded_rows.c.row.in_(rows))
    return bool(connection.execute(deletion).rowcount)
