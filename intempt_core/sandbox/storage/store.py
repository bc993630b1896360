"""The sandbox's own database: taking requests in, and asking what follows from them.

One thread per process does all the writing, so that no event loop waits for a disk. It commits whatever requests are
waiting in one statement, and digests them (``digest.py``) when nobody is in a hurry: when a while has passed without
a request, when somebody asks, or when too much has piled up. Reads open a connection of their own. Several processes
may have the file open. Of the requests as they came the last :data:`~intempt_core.sandbox.storage.projection.KEPT_REQUESTS` are kept.
"""

import asyncio
import json
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from intempt_core.contract import Interaction
from intempt_core.errors import SandboxStoreUnavailable
from intempt_core.sandbox.storage.fast_path import EventColumns
from intempt_core.sandbox.storage.projection import KEPT_BODY_BYTES, ProjectLinks, insert_block, update_projection
from intempt_core.sandbox.storage.schema import prepare_sandbox_database

WRITE_LOCK_SECONDS = 5.0
"""Wait for another process that is writing; longer is 503."""

COMMIT_MAX_REQUESTS = 100
"""Requests that one commit takes at the most: the rows of one statement."""

COMMIT_MAX_BYTES = 10_000_000
"""Bytes of their bodies with which a commit takes no more requests: SQLite has a copy of each."""

WRITER_IDLE_SECONDS = 0.1
"""Without a request for so long, what has come is digested."""

MAX_BACKLOG = 64
"""Requests that wait to be digested at the most; with more, all are before anything else is taken. Taking and digesting
by turns, each for a while, costs less than both at once, for they share one interpreter.
"""

PROJECTION_TURN_SECONDS = 1.0
"""So long a pile is digested before what has come meanwhile is taken, for senders wait: a large request is a second."""

CHECKPOINT_REQUESTS = 500
"""Requests after which the log is put away into the database, at the next quiet moment: it takes a disk's time."""

MAX_CACHED_LINKS = 100_000
"""Links that the writer remembers, so as not to write them with every event of a person again."""


class StoredRequest(NamedTuple):
    """One request: when it came (epoch ms), where to, from whom, its body, and what became of it.

    ``source`` is empty where the path named none (CONTRACT 6.3). ``headers`` are JSON, pairs, without credentials;
    ``size`` is the body's whole length. ``status`` is the answer's, ``None`` where none comes; ``message`` is the sentence
    of a rejection, ``fault`` what was done to it on purpose. ``stored``: it is a track request whose events are stored;
    ``events`` are they, where they have been read already; they are remembered until they are digested. Without
    ``deduplicates`` repeats among them count.
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
    events: EventColumns | None = None


class _Job(NamedTuple):
    """An arrival to be committed, or, without one, the wish to have everything until now digested; who waits for it."""

    request: StoredRequest | None
    done: "asyncio.Future[None] | None" = None


@dataclass(slots=True)
class _WriterState:
    """What the writer thread has before it."""

    connection: sqlite3.Connection
    backlog: int  # requests to digest, as far as is known
    uncheckpointed: int = 0  # requests since the log was put away
    parsed_events: dict[int, EventColumns] = field(default_factory=dict)  # what was read of them already, by number
    known_links: ProjectLinks = field(default_factory=set)  # links that are in the database, as of its version below
    data_version: int = -1  # what SQLite counts up whenever another connection has written


class SandboxStore:
    """The database in ``file``, made where it does not exist. Opened by the first use, not before."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._writer: threading.Thread | None = None

    async def add(self, request: StoredRequest) -> None:
        """Store a request; returns after the commit. Raises :class:`SandboxStoreUnavailable`: then nothing was stored."""
        await self._submit(request)

    async def catch_up(self) -> None:
        """Return when everything that was taken is digested too. Raises :class:`SandboxStoreUnavailable`."""
        await self._submit(None)

    def add_nowait(self, request: StoredRequest) -> None:
        """Keep a request of which nothing is taken, with the beginning of its body. Nobody waits for it, and where it
        cannot be kept nobody is told.
        """
        if len(request.body) > KEPT_BODY_BYTES:
            request = request._replace(body=request.body[:KEPT_BODY_BYTES])
        self._enqueue(_Job(request))

    async def _submit(self, request: StoredRequest | None) -> None:
        done = asyncio.get_running_loop().create_future()
        self._enqueue(_Job(request, done))
        await done

    def _enqueue(self, job: _Job) -> None:
        with self._lock:
            if self._writer is None:
                self._writer = threading.Thread(target=self._run_writer, name="sandbox writer", daemon=True)
                self._writer.start()
            self._jobs.put(job)

    def close(self) -> None:
        """Commit what was handed over, and let go of the file. A later use opens it again."""
        with self._lock:
            writer, self._writer = self._writer, None
            if writer is not None:
                self._jobs.put(None)
                writer.join()

    # ── the writer thread ─────────────────────────────────────────────────────────────────────────────────────────

    def _run_writer(self) -> None:
        """Take, digest, tell; after an error open the file anew."""
        desk: _WriterState | None = None
        settling: list[tuple[_Job, int]] = []  # with the number up to which everything is to be digested
        closing_down = False
        while not closing_down:
            waits = (
                0.0
                if settling or (desk and desk.backlog > MAX_BACKLOG)
                else WRITER_IDLE_SECONDS
                if desk and desk.backlog
                else None
            )
            jobs, closing_down = self._next_jobs(waits)
            taking = [job for job in jobs if job.request is not None]
            asking = [job for job in jobs if job.request is None]
            try:
                desk = desk or self._open_writer()
                if taking:
                    _insert_requests(desk, [job.request for job in taking if job.request is not None])
                    _wake_waiters(taking)
                    taking = []
                if asking:
                    last = _read_last_id(desk)
                    settling += [(job, last) for job in asking]
                    asking = []
                if settling or not jobs or desk.backlog > MAX_BACKLOG:
                    upto = _advance_projection(desk, whole_backlog=desk.backlog > MAX_BACKLOG)
                    _wake_waiters([job for job, last in settling if last <= upto])
                    settling = [(job, last) for job, last in settling if last > upto]
                if not jobs and not desk.backlog and desk.uncheckpointed > CHECKPOINT_REQUESTS:
                    desk.connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
                    desk.uncheckpointed = 0
            except Exception as error:  # noqa: BLE001  whatever it is, senders are waiting for a word
                _wake_waiters([*taking, *asking, *(job for job, _ in settling)], _translate_error(error))
                settling = []
                if desk is not None:
                    desk.connection.close()
                desk = None
        _wake_waiters([job for job, _ in settling], SandboxStoreUnavailable("the sandbox is closing"))
        if desk is not None:
            desk.connection.close()

    def _next_jobs(self, seconds: float | None) -> tuple[list[_Job], bool]:
        """The jobs that are waiting, after a wait for the first one; and whether the store is being closed."""
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
        ((pile,),) = connection.execute("SELECT count(*) FROM requests WHERE id > (SELECT upto FROM projection)")
        return _WriterState(connection, pile)

    # ── everything else, on a connection of its own ───────────────────────────────────────────────────────────────

    def add_consent(self, received_at: int, org: str, project: str, body: str) -> None:
        """Store one consent (CONTRACT 6.2). Raises :class:`SandboxStoreUnavailable`."""
        with self._connection() as connection:
            connection.execute(
                "INSERT INTO consents (received_at, org, project, body) VALUES (?, ?, ?, ?)",
                (received_at, org, project, body),
            )

    def interactions(self, org: str, project: str, node: str) -> list[Interaction]:
        """What the person whom a node names did with products, oldest first (CONTRACT 4.7), as far as digested.

        Links count for earlier events too: who is one person now has always been. Raises :class:`SandboxStoreUnavailable`.
        """
        rows = self.rows(_INTERACTIONS, {"org": org, "project": project, "node": node})
        return [Interaction(name, product) for name, product in rows]

    def processed(self, org: str, project: str, node: str, limit: int) -> list[sqlite3.Row]:
        """The last ``limit`` processed events of the person whom a node names, oldest first, as far as digested.

        Each with ``seq``, ``event_id``, ``name``, ``product_id``, ``received_at`` (epoch ms) and ``client``. Raises
        :class:`SandboxStoreUnavailable`.
        """
        return self.rows(_PROCESSED, {"org": org, "project": project, "node": node, "limit": limit})

    def unprocessed(self, org: str, project: str, ids: Sequence[str], limit: int) -> list[sqlite3.Row]:
        """Those of some event ids that were not processed, oldest first, among the last ``limit`` that were not.

        Each with ``event_id``, ``codes``, ``because`` and ``repeat_of``. Raises :class:`SandboxStoreUnavailable`.
        """
        asked = json.dumps(ids)
        return self.rows(_UNPROCESSED, {"org": org, "project": project, "ids": asked, "limit": limit})

    def rows(self, query: str, given: dict[str, Any]) -> list[sqlite3.Row]:
        """The rows of a query. Raises :class:`SandboxStoreUnavailable`. Any: SQLite's own parameters."""
        with self._connection() as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(query, given).fetchall()

    def clear(self) -> int:
        """Forget everything; the number of events that were digested. ``seq`` goes on counting: cursors stay good."""
        with self._connection() as connection, _begin_transaction(connection):
            deleted = connection.execute("DELETE FROM events").rowcount
            for table in ("requests", "arrivals", "firsts", "mentions", "links", "consents"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608  names from the line above
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


def _insert_requests(state: _WriterState, requests: Sequence[StoredRequest]) -> None:
    """Keep requests by one statement, which is one commit."""
    last = insert_block(
        state.connection,
        "INSERT INTO requests (received_at, org, project, source, client, body, method, path, address, headers, size,"
        " status, message, fault, stored, deduplicates)",
        [_REQUEST_ROW(arrival) for arrival in requests],
    )
    state.backlog += len(requests)
    state.uncheckpointed += len(requests)
    for number, arrival in enumerate(requests, last - len(requests) + 1):  # one statement numbers its rows in a row
        if arrival.events is not None:
            state.parsed_events[number] = arrival.events


_REQUEST_ROW = attrgetter("received_at", "org", "project", "source", "client", "body", "method", "path", "address", "headers",
                  "size", "status", "message", "fault", "stored", "deduplicates")  # fmt: skip


def _read_last_id(state: _WriterState) -> int:
    """The number of the last request that has come."""
    ((last,),) = state.connection.execute("SELECT coalesce(max(id), 0) FROM requests")
    return int(last)


def _advance_projection(state: _WriterState, *, whole_backlog: bool) -> int:
    """Digest what has waited longest, or everything, as far as a turn goes; the number up to which everything is
    digested now.
    """
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
    if done.has_more:
        state.backlog = max(state.backlog - done.request_count, 1)  # another process may have put in more
    else:
        state.backlog = 0
        state.parsed_events.clear()  # what another process has digested, too
    return done.upto


def _wake_waiters(jobs: Sequence[_Job], failure: Exception | None = None) -> None:
    """Wake those who wait, each in its own loop; a loop that is gone has nobody waiting."""

    def tell(futures: Sequence["asyncio.Future[None]"]) -> None:
        for future in futures:
            if future.done():  # its request was cancelled
                continue
            if failure is None:
                future.set_result(None)
            else:
                future.set_exception(failure)

    waiting = [job.done for job in jobs if job.done is not None]
    for loop in {future.get_loop() for future in waiting}:
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, [future for future in waiting if future.get_loop() is loop])


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


_PERSON_SEQS = """
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

_INTERACTIONS = f"{_PERSON_SEQS} SELECT name, product_id FROM events WHERE seq IN (SELECT seq FROM seqs) ORDER BY seq"  # noqa: S608  ours

_PROCESSED = f"""{_PERSON_SEQS}
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
