"""The sandbox's own database: it stores requests and answers queries about what follows from them.

One thread per process does all the writing, so that no event loop waits for a disk. It commits all waiting requests in
one statement, and then updates the projection (``projection.py``): who sent a request waits until it is known what
became of its events. What others have stored is projected when nothing is waiting, or before a query. Reads open
connections of their own. Several processes may have the file open. Of the requests as they came the last
:data:`~intempt_core.sandbox.storage.projection.KEPT_REQUESTS` are kept, beside them the last ones without the key, in a
ring of their own. The file is bounded: what goes beyond is rejected, not lost.
"""

import asyncio
import json
import queue
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from intempt_core.contract import Interaction, RequestVerdict
from intempt_core.errors import SandboxStoreUnavailable
from intempt_core.sandbox.storage.fast_path import EventColumns
from intempt_core.sandbox.storage.projection import KEPT_BODY_BYTES, ProjectLinks, insert_block, update_projection
from intempt_core.sandbox.storage.schema import prepare_sandbox_database

WRITE_LOCK_SECONDS = 5.0
"""How long to wait for another process that is writing; longer is 503."""

COMMIT_MAX_REQUESTS = 100
"""Requests of one commit at the most: the rows of one statement."""

COMMIT_MAX_BYTES = 10_000_000
"""Bytes of their bodies from which on a commit takes no more requests: SQLite has a copy of each."""

WRITER_IDLE_SECONDS = 0.1
"""How long without a request until stored requests are projected."""

MAX_BACKLOG = 64
"""Requests that wait to be projected at the most; with more, all are projected before any other is stored. Storing and
projecting by turns, each for a while, takes less time than both at once, because they share one interpreter.
"""

PROJECTION_TURN_SECONDS = 1.0
"""How long a backlog is projected before new requests are stored, for senders wait: a large request takes a second."""

CHECKPOINT_REQUESTS = 500
"""Requests after which the log is written into the database, at the next pause: that takes the disk's time."""

MAX_STORE_BYTES = 4_000_000_000
"""Bytes of the database and its log at the most, unless a caller says otherwise; a request beyond is rejected."""

RESERVED_DISK_BYTES = 64_000_000
"""Bytes of the disk that the sandbox leaves to others: history writes there too."""

MAX_WAITING_UNAUTHORIZED = 500
"""Requests without the key that wait to be written at the most; of more, nothing is kept."""

MAX_CACHED_LINKS = 100_000
"""Links that the writer remembers, so that they are not written with every event of a person."""


class StoredRequest(NamedTuple):
    """One request as it is stored, and what became of it.

    Attributes:
        received_at: When it arrived, in epoch milliseconds.
        org: The organisation in its path.
        project: The project in its path.
        source: The source in its path; empty where the path has none (CONTRACT 6.3).
        client: The program that sent it, as it names itself.
        body: The body, or its beginning.
        method: The HTTP method.
        path: Path and query as they were written.
        address: The IP address that it came from.
        headers: Pairs of name and value as JSON, without credentials.
        size: Bytes of the whole body.
        status: The status of the response, ``None`` where none is sent.
        message: Why it was rejected; empty where it was not.
        fault: The simulated failure that it met; empty where none.
        stored: Whether it is a track request whose events are stored.
        deduplicates: Whether repeats among its events do not count.
        authorized: Whether it had the key and came from where it may; others are kept in a ring of their own.
        events: Its events, where they have been parsed; kept until they are projected.
    """

    received_at: int
    org: str
    project: str
    source: str
    client: str
    body: bytes
    method: str = "POST"
    path: str = ""
    address: str = ""
    headers: str = "[]"
    size: int = 0
    status: int | None = 201
    message: str = ""
    fault: str = ""
    stored: bool = True
    deduplicates: bool = True
    authorized: bool = True
    events: EventColumns | None = None


class _Job(NamedTuple):
    """A request to store, or, without one, the wish to have all earlier ones projected; and the future to resolve."""

    request: StoredRequest | None
    done: "asyncio.Future[RequestVerdict | None] | None" = None


@dataclass(slots=True)
class _WriterState:
    """The state of the writer thread."""

    connection: sqlite3.Connection
    backlog: int  # requests to project, as far as is known
    uncheckpointed: int = 0  # requests since the log was written into the database
    parsed_events: dict[int, EventColumns] = field(default_factory=dict)  # of them, by number of the request
    known_links: ProjectLinks = field(default_factory=set)  # links that are in the database, as of its version below
    verdicts: dict[int, RequestVerdict] = field(default_factory=dict)  # of requests whose senders wait, by number
    data_version: int = -1  # SQLite increments it whenever another connection has written


class SandboxStore:
    """The database in ``file``, created where it does not exist. Opened by the first use, not before.

    ``max_bytes`` bounds the file and its log; ``free_bytes`` gives the bytes that are free on the disk of a folder.
    """

    def __init__(
        self,
        file: Path,
        max_bytes: int = MAX_STORE_BYTES,
        *,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._file, self._max_bytes, self._free_bytes = file, max_bytes, free_bytes
        self._waiting_unauthorized = 0
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._writer: threading.Thread | None = None

    async def add(self, request: StoredRequest) -> RequestVerdict | None:
        """Store a request, and say what became of its events; ``None`` where another process knows it.

        Returns after the commit. Raises :class:`SandboxStoreUnavailable`: then it is not stored.
        """
        return await self._submit(request)

    async def catch_up(self) -> None:
        """Return when everything that was stored before is projected. Raises :class:`SandboxStoreUnavailable`."""
        await self._submit(None)

    def add_nowait(self, request: StoredRequest) -> None:
        """Keep a request whose events are not stored, with the beginning of its body; return at once.

        Where it cannot be kept, nothing is raised. Of a flood without the key some are not kept.
        """
        if not request.authorized:
            with self._lock:
                if self._waiting_unauthorized >= MAX_WAITING_UNAUTHORIZED:
                    return
                self._waiting_unauthorized += 1
        if len(request.body) > KEPT_BODY_BYTES:
            request = request._replace(body=request.body[:KEPT_BODY_BYTES])
        self._enqueue(_Job(request))

    async def _submit(self, request: StoredRequest | None) -> RequestVerdict | None:
        done: asyncio.Future[RequestVerdict | None] = asyncio.get_running_loop().create_future()
        self._enqueue(_Job(request, done))
        return await done

    def _enqueue(self, job: _Job) -> None:
        with self._lock:
            if self._writer is None:
                self._writer = threading.Thread(target=self._run_writer, name="sandbox writer", daemon=True)
                self._writer.start()
            self._jobs.put(job)

    def close(self) -> None:
        """Commit what was added, and close the file. A later use opens it again."""
        with self._lock:
            writer, self._writer = self._writer, None
            if writer is not None:
                self._jobs.put(None)
                writer.join()

    # ── the writer thread ─────────────────────────────────────────────────────────────────────────────────────────

    def _run_writer(self) -> None:
        """Store, project, wake those who wait; after an error open the file again."""
        state: _WriterState | None = None
        settling: list[tuple[_Job, int]] = []  # each with the number up to which requests are to be projected
        closing_down = False
        while not closing_down:
            waits = (
                0.0
                if settling or (state and state.backlog > MAX_BACKLOG)
                else WRITER_IDLE_SECONDS
                if state and state.backlog
                else None
            )
            jobs, closing_down = self._next_jobs(waits)
            if unauthorized := sum(job.request is not None and not job.request.authorized for job in jobs):
                with self._lock:
                    self._waiting_unauthorized -= unauthorized
            to_store = [job for job in jobs if job.request is not None]
            to_settle = [job for job in jobs if job.request is None]
            try:
                state = state or self._open_writer()
                if to_store:
                    settling += self._store_requests(state, to_store)
                    to_store = []
                if to_settle:
                    last = _read_last_id(state)
                    settling += [(job, last) for job in to_settle]
                    to_settle = []
                if settling or not jobs or state.backlog > MAX_BACKLOG:
                    upto = _advance_projection(state, whole_backlog=state.backlog > MAX_BACKLOG)
                    _wake_waiters([(job, state.verdicts.get(last)) for job, last in settling if last <= upto])
                    settling = [(job, last) for job, last in settling if last > upto]
                    state.verdicts.clear()
                if not jobs and not state.backlog and state.uncheckpointed > CHECKPOINT_REQUESTS:
                    state.connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
                    state.uncheckpointed = 0
            except Exception as error:  # noqa: BLE001  whatever it is, senders are waiting
                _fail_waiters([*to_store, *to_settle, *(job for job, _ in settling if job.request is None)], error)
                _wake_waiters([(job, None) for job, _ in settling if job.request is not None])  # these are stored
                settling = []
                if state is not None:
                    state.connection.close()
                state = None
        _fail_waiters(
            [job for job, _ in settling if job.request is None], SandboxStoreUnavailable("the sandbox is closing")
        )
        _wake_waiters([(job, None) for job, _ in settling if job.request is not None])
        if state is not None:
            state.connection.close()

    def _store_requests(self, state: _WriterState, jobs: Sequence[_Job]) -> list[tuple[_Job, int]]:
        """Store the requests of jobs, or fail them where there is no space; those who wait, each with its number."""
        fault = self._find_space_fault(state.connection)
        if fault:
            _fail_waiters(jobs, SandboxStoreUnavailable(fault))
            return []
        first = _insert_requests(state, [job.request for job in jobs if job.request is not None])
        return [(job, number) for number, job in enumerate(jobs, first) if job.done is not None]

    def _next_jobs(self, seconds: float | None) -> tuple[list[_Job], bool]:
        """The waiting jobs, after a wait for the first one; and whether the store is being closed."""
        jobs: list[_Job] = []
        size = 0
        try:
            job = self._jobs.get(timeout=seconds) if seconds != 0 else self._jobs.get_nowait()
            while job is not None:
                jobs.append(job)
                size += job.request.size if job.request is not None else 0
                if len(jobs) == COMMIT_MAX_REQUESTS or size >= COMMIT_MAX_BYTES:
                    return jobs, False
                job = self._jobs.get_nowait()
        except queue.Empty:
            return jobs, False
        return jobs, True

    def _open_writer(self) -> _WriterState:
        connection = self._open()
        ((backlog,),) = connection.execute("SELECT count(*) FROM requests WHERE id > (SELECT upto FROM projection)")
        return _WriterState(connection, backlog)

    def _find_space_fault(self, connection: sqlite3.Connection) -> str:
        """Why nothing more may be stored; empty where there is space."""
        if self._free_bytes(self._file.parent) < RESERVED_DISK_BYTES:
            return f"its disk has less than {RESERVED_DISK_BYTES // 1_000_000} MB left"
        if self._measure_bytes(connection) > self._max_bytes:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # the log may be most of it
            if self._measure_bytes(connection) > self._max_bytes:
                return (
                    f"it holds the {self._max_bytes // 1_000_000:,} MB that CONSOLE_SANDBOX_MB allows; empty it on the"
                    " Sandbox screen, or by DELETE /_sandbox/events"
                )
        return ""

    def _measure_bytes(self, connection: sqlite3.Connection) -> int:
        """The bytes of the database that are in use, and those of its log."""
        ((pages, free, page_bytes),) = connection.execute(
            "SELECT page_count, freelist_count, page_size"
            " FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
        )
        log = self._file.with_name(self._file.name + "-wal")
        return int((pages - free) * page_bytes) + (log.stat().st_size if log.exists() else 0)

    # ── everything else, on a connection of its own ───────────────────────────────────────────────────────────────

    def add_consent(self, received_at: int, org: str, project: str, body: str) -> None:
        """Store one consent (CONTRACT 6.2). Raises :class:`SandboxStoreUnavailable`."""
        with self._connection() as connection:
            if fault := self._find_space_fault(connection):
                raise SandboxStoreUnavailable(fault)
            connection.execute(
                "INSERT INTO consents (received_at, org, project, body) VALUES (?, ?, ?, ?)",
                (received_at, org, project, body),
            )

    def interactions(self, org: str, project: str, node: str) -> list[Interaction]:
        """What a person, given by a node, did with products, oldest first (CONTRACT 4.7), as far as projected.

        Links count for earlier events too. Raises :class:`SandboxStoreUnavailable`.
        """
        rows = self.rows(_INTERACTIONS, {"org": org, "project": project, "node": node})
        return [Interaction(name, product) for name, product in rows]

    def processed(self, org: str, project: str, node: str, limit: int) -> list[sqlite3.Row]:
        """The last ``limit`` processed events of a person, given by a node, oldest first, as far as projected.

        Each with ``seq``, ``event_id``, ``name``, ``product_id``, ``received_at`` (epoch ms) and ``client``. Raises
        :class:`SandboxStoreUnavailable`.
        """
        return self.rows(_PROCESSED, {"org": org, "project": project, "node": node, "limit": limit})

    def unprocessed(self, org: str, project: str, ids: Sequence[str], limit: int) -> list[sqlite3.Row]:
        """Which of some event ids were not processed, oldest first, among the last ``limit`` that were not.

        Each with ``event_id``, ``codes``, ``because`` and ``repeat_of``. Raises :class:`SandboxStoreUnavailable`.
        """
        given = {"org": org, "project": project, "ids": json.dumps(ids), "limit": limit}
        return self.rows(_UNPROCESSED, given)

    def arrivals(self, org: str | None, project: str | None, ids: Sequence[str], limit: int) -> list[sqlite3.Row]:
        """The arrivals of some event ids, oldest first: the first of each, and repeats among the last ``limit``
        events that were not processed; in a project, or in all.

        Each is an event with ``received_at`` (epoch ms) and ``client``. Raises :class:`SandboxStoreUnavailable`.
        """
        return self.rows(_ARRIVALS, {"org": org, "project": project, "ids": json.dumps(ids), "limit": limit})

    def rows(self, query: str, given: dict[str, Any]) -> list[sqlite3.Row]:
        """The rows of a query. Raises :class:`SandboxStoreUnavailable`. Any: SQLite's own parameters."""
        with self._connection() as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(query, given).fetchall()

    def clear(self) -> int:
        """Delete everything and give its disk space back; returns the number of events.

        ``seq`` goes on counting, so that cursors stay valid.
        """
        with self._connection() as connection:
            with _begin_transaction(connection):
                deleted = connection.execute("DELETE FROM events").rowcount
                for table in ("requests", "arrivals", "firsts", "mentions", "links", "consents"):
                    connection.execute(f"DELETE FROM {table}")  # noqa: S608  names from the line above
            with suppress(sqlite3.OperationalError):  # another process is writing: the space is used again instead
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return deleted

    def _open(self) -> sqlite3.Connection:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self._file, timeout=WRITE_LOCK_SECONDS, isolation_level=None, cached_statements=512
        )
        try:
            prepare_sandbox_database(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(self._open()) as connection:
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise _translate_error(error) from error


def _insert_requests(state: _WriterState, requests: Sequence[StoredRequest]) -> int:
    """Store requests by one statement, which is one commit; the number of the first one."""
    last = insert_block(state.connection, _INSERT_REQUESTS, [request[:-1] for request in requests])
    state.backlog += len(requests)
    state.uncheckpointed += len(requests)
    for number, request in enumerate(requests, last - len(requests) + 1):  # one statement numbers its rows in sequence
        if request.events is not None:
            state.parsed_events[number] = request.events
    return last - len(requests) + 1


# All fields but the parsed events, which are no column.
_INSERT_REQUESTS = f"INSERT INTO requests ({', '.join(StoredRequest._fields[:-1])})"


def _read_last_id(state: _WriterState) -> int:
    """The number of the last stored request."""
    ((last,),) = state.connection.execute("SELECT coalesce(max(id), 0) FROM requests")
    return int(last)


def _advance_projection(state: _WriterState, *, whole_backlog: bool) -> int:
    """Project the oldest waiting requests, or all that a turn allows; the number up to which all are projected."""
    until = time.monotonic() + PROJECTION_TURN_SECONDS
    upto = _run_projection_step(state)
    while whole_backlog and state.backlog and time.monotonic() < until:
        upto = _run_projection_step(state)
    return upto


def _run_projection_step(state: _WriterState) -> int:
    with _begin_transaction(state.connection):
        ((version,),) = state.connection.execute("PRAGMA data_version")
        if version != state.data_version or len(state.known_links) > MAX_CACHED_LINKS:
            state.known_links.clear()
            state.data_version = version
        done = update_projection(state.connection, state.known_links, state.parsed_events)
    state.verdicts.update(done.verdicts)
    if done.has_more:
        state.backlog = max(state.backlog - done.request_count, 1)  # another process may have put in more
    else:
        state.backlog = 0
        state.parsed_events.clear()  # those that another process has projected, too
    return done.upto


def _wake_waiters(found: Sequence[tuple[_Job, RequestVerdict | None]]) -> None:
    """Resolve the futures of jobs, each in its own event loop; in a closed loop nothing waits."""
    _settle([(job.done, verdict) for job, verdict in found if job.done is not None], None)


def _fail_waiters(jobs: Sequence[_Job], error: Exception) -> None:
    """Resolve the futures of jobs with an error."""
    _settle([(job.done, None) for job in jobs if job.done is not None], _translate_error(error))


_Waiting = Sequence[tuple["asyncio.Future[RequestVerdict | None]", RequestVerdict | None]]


def _settle(waiting: _Waiting, failure: Exception | None) -> None:
    def resolve(some: _Waiting) -> None:
        for future, verdict in some:
            if future.done():  # its request was cancelled
                continue
            if failure is None:
                future.set_result(verdict)
            else:
                future.set_exception(failure)

    for loop in {future.get_loop() for future, _ in waiting}:
        if not loop.is_closed():
            loop.call_soon_threadsafe(resolve, [one for one in waiting if one[0].get_loop() is loop])


def _translate_error(error: Exception) -> Exception:
    return SandboxStoreUnavailable(str(error)) if isinstance(error, sqlite3.Error | OSError) else error


@contextmanager
def _begin_transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


PERSON_SEQS_SQL = """
WITH RECURSIVE
  here(id) AS (SELECT id FROM projects WHERE org = :org AND project = :project),
  mine(node) AS (
    SELECT :node UNION
    SELECT l.other FROM mine CROSS JOIN links AS l ON l.project = (SELECT id FROM here) AND l.node = mine.node
  ),
  seqs(seq) AS (
    SELECT m.seq FROM mine CROSS JOIN mentions AS m ON m.project = (SELECT id FROM here) AND m.node = mine.node
  )
"""
"""How a query begins that asks for a person: ``mine`` are the nodes that ``:node`` leads to in a project, and ``seqs``
the processed events that they lead to.
"""

_INTERACTIONS = (
    f"{PERSON_SEQS_SQL} SELECT name, product_id FROM events WHERE seq IN (SELECT seq FROM seqs) ORDER BY seq"  # noqa: S608  ours
)

_PROCESSED = f"""{PERSON_SEQS_SQL}
SELECT e.seq, e.event_id, e.name, e.product_id, a.received_at, a.client
FROM events AS e JOIN arrivals AS a ON a.id = e.arrival
WHERE e.seq IN (SELECT seq FROM seqs ORDER BY seq DESC LIMIT :limit) ORDER BY e.seq
"""  # noqa: S608  ours

_UNPROCESSED = """
SELECT event_id, codes, because, repeat_of FROM events
WHERE seq IN (
  SELECT seq FROM events WHERE because <> '' OR repeat_of IS NOT NULL ORDER BY seq DESC LIMIT :limit
) AND project = (SELECT id FROM projects WHERE org = :org AND project = :project)
  AND event_id IN (SELECT value FROM json_each(:ids)) ORDER BY seq
"""

_ARRIVALS = """
WITH
  places(id) AS (
    SELECT id FROM projects WHERE (:org IS NULL OR org = :org) AND (:project IS NULL OR project = :project)
  ),
  seqs(seq) AS (
    SELECT f.seq FROM places CROSS JOIN json_each(:ids) AS i CROSS JOIN firsts AS f
      ON f.project = places.id AND f.event_id = i.value
    UNION
    SELECT seq FROM events WHERE seq IN (
      SELECT seq FROM events WHERE because <> '' OR repeat_of IS NOT NULL ORDER BY seq DESC LIMIT :limit
    ) AND project IN (SELECT id FROM places) AND event_id IN (SELECT value FROM json_each(:ids))
  )
SELECT e.seq, e.arrival, e.name, e.event_id, e.profile_id, e.user_id, e.another_user_id, e.account_id, e.product_id,
       e.codes, e.because, e.repeat_of, a.received_at, a.client
FROM seqs CROSS JOIN events AS e ON e.seq = seqs.seq JOIN arrivals AS a ON a.id = e.arrival ORDER BY e.seq
"""
