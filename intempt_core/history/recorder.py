"""The recording of a batch: what is to be sent is written down before the first byte of it leaves."""

import secrets
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, repeat
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, func, insert, select, update

from intempt_core.contract import ISSUE_KINDS, GivenEvent, Severity
from intempt_core.errors import ConsoleError, HistoryUnavailable, NotAllowed, SentBefore
from intempt_core.history.database import Database, iter_chunks
from intempt_core.history.dialects.bulk import get_bulk_statements
from intempt_core.history.dialects.conflicts import retry_conflicts
from intempt_core.history.dialects.locks import lock_batch_state, lock_target
from intempt_core.history.dialects.sqlite_bulk import get_sqlite_driver
from intempt_core.history.records import (
    BatchIntent,
    BatchState,
    EventIntent,
    ExcludedRow,
    RequestBlock,
    RequestIntent,
    RequestState,
)
from intempt_core.history.repeats import check_intent
from intempt_core.history.schema import (
    MAX_INDEXED_LENGTH,
    MAX_NAME_LENGTH,
    batches,
    bodies,
    events,
    excluded_rows,
    lane_groups,
    make_indexable,
    make_search_text,
    make_storable,
    requests,
    unkeyed_requests,
)
from intempt_core.history.transitions import FINAL_BATCH_STATES, IS_HALF_RECORDED
from intempt_core.history.upkeep.search_index import SearchIndex, write_keys
from intempt_core.history.webhooks.announcements import announce_state
from intempt_core.planning import Plan
from intempt_core.validation import Report

_FINAL_STATES = [state.value for state in FINAL_BATCH_STATES]

RECORD_CHUNK_EVENTS = 20_000
"""Events recorded in one transaction: enough of them to be quick, few enough to let others write in between."""

SHARED_CHUNK_EVENTS = 1_000
"""Events recorded in one transaction while others write too, and in the first one: what is recorded can be sent."""

TURN_SECONDS, TURN_POLL_SECONDS = 0.02, 0.0005
"""How long the recording lets others write between two pieces, where they do, and how often it looks for that."""

FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.1, 2.0
"""Seconds between two attempts to write a piece while history is unavailable; the pause doubles."""

ZLIB_LEVEL = 1
"""How hard bodies are compressed: they are repetitive, and zlib's best level takes thrice as long for 10 % less."""


NAME_IGNORED = "name_ignored"
"""What is recorded of a row that is no event in the place of codes: a person said that its name is not for us."""


class _Piece(NamedTuple):
    """What is written in one transaction: requests, their compressed bodies, and excluded rows."""

    block: RequestBlock | None = None
    compressed: Sequence[bytes] = ()
    excluded: Sequence[ExcludedRow] = ()


def make_request_blocks(plan: Plan) -> Iterator[RequestBlock]:
    """Turn a plan into what history records, the first requests of all lanes first; bodies are built here.

    The row of an event that does not know its own (a form's) is its place in the plan, from 1.
    """
    return map(RequestBlock.from_plan, plan.iter_blocks())


def collect_excluded_rows(
    report: Report,
    events: Callable[[Sequence[int]], Iterable[GivenEvent]],
    excluded: Iterable[int] | None = None,
    exclude_codes: Sequence[str] = (),
) -> Iterator[ExcludedRow]:
    """Collect the rows that are excluded from a send, in order, each with the codes of its issues.

    No rule is applied again: the issues are those of the report.

    Args:
        report: what validation found.
        events: gives the events of rows (from 0): a mapped table's ``events``, or a list's.
        excluded: the excluded rows (from 0), by default those with errors; one without errors gets the code
            ``sent_before`` or those of ``exclude_codes`` that it shows, and one that is excluded with another of its
            row has none.
        exclude_codes: codes of warnings whose rows are excluded too.
    """
    codes: dict[int, list[str]] = {}
    for code, kind in ISSUE_KINDS.items():
        if kind.severity is Severity.ERROR:
            for row in report.rows_of(code).tolist():
                codes.setdefault(row, []).append(code)
    for code in report.rule_counts:
        if report.kind_of(code).severity is Severity.ERROR:
            for row in report.rows_of(code).tolist():
                codes.setdefault(row, []).append(code)
    is_bad = report.excluded_mask
    beside: dict[int, list[str]] = {}
    for code in exclude_codes:
        for row in report.rows_of(code).tolist():
            beside.setdefault(row, []).append(code)
    codes = {**beside, **codes}
    rows = sorted(is_bad.nonzero()[0].tolist() if excluded is None else excluded)
    for row, given in zip(rows, events(rows), strict=True):
        event = EventIntent.from_event(given, row + 1)
        why = codes.get(row, [] if is_bad[row] else ["sent_before"])
        yield ExcludedRow(event.row, event.line, why, event.event_id, event.name, event.member)


def collect_ignored_rows(report: Report) -> Iterator[ExcludedRow]:
    """Collect the rows that are no events, as a person said of their names, in order."""
    origin = report.origin
    if origin is None:
        return
    lines = origin.table.line_numbers(origin.ignored_rows)
    for row, line, name in zip(origin.ignored_rows.tolist(), lines, origin.ignored_names, strict=True):
        yield ExcludedRow(row + 1, line, [NAME_IGNORED], None, name)


class Recorder:
    """Writes batches, their requests, events and excluded rows, a piece in each transaction.

    A piece has at most ``chunk_events`` events; while others write too it is as small as they can wait for.
    """

    def __init__(
        self, database: Database, chunk_events: int = RECORD_CHUNK_EVENTS, search_index: SearchIndex | None = None
    ) -> None:
        self._database, self._chunk_events, self._search_index = database, chunk_events, search_index

    def record(
        self,
        intent: BatchIntent,
        requests: Iterable[RequestBlock | RequestIntent],
        excluded: Iterable[ExcludedRow] = (),
        *,
        on_progress: Callable[[str, int], None] | None = None,
        on_trouble: Callable[[str], None] | None = None,
    ) -> str:
        """Record a batch and return its id; memory stays flat, however long the iterables are.

        What is recorded may be sent at once, while later pieces are recorded: so ``on_progress`` is called with the id,
        and how many events are recorded, after each piece. The batch says how many events are still to come, and is not
        *done* before the last one is there. History that is unavailable after the first piece is waited for, and
        ``on_trouble`` is called with the reason, again and again. Where an iterable raises, or this is interrupted, the
        batch is *stopped* (if that can be written), says how far it is recorded, and the error is raised; before the
        first piece nothing is recorded at all.

        Raises :class:`SentBefore` where the same input, or some of the events, went or is going to the target in a
        batch that the plan has not seen (``intent.seen``). Each transaction looks for that before it writes. Found by
        the first one, nothing is recorded; found later, that piece is not, what is pending is cancelled, and the batch
        is *stopped*. Raises :class:`NotAllowed` where a person cancels the batch meanwhile.
        """
        began = time.perf_counter()
        recording = _Recording(self._database, intent, on_progress, on_trouble)
        pieces = _split_into_pieces(
            requests, excluded, lambda: min(recording.chunk_events, self._chunk_events), intent.lanes
        )
        try:
            for piece, is_last in _flag_last(pieces):
                recording.write(piece, is_last=is_last)
        except BaseException as error:
            recording.give_up(error)
            raise
        finally:
            if self._database.observer is not None and recording.events:
                self._database.observer.note_recording(recording.events, time.perf_counter() - began)
        recording.remember()
        if self._search_index is not None:
            with suppress(HistoryUnavailable):  # the batch is whole; a later call finds what is missing
                self._search_index.start()
        return recording.batch


class _Recording:
    """A batch that is being recorded.

    Attributes:
        batch: its id.
        is_contended: whether others have written since the last piece, and wait for their turn.
    """

    def __init__(
        self,
        database: Database,
        intent: BatchIntent,
        on_progress: Callable[[str, int], None] | None,
        on_trouble: Callable[[str], None] | None,
    ) -> None:
        self._database, self._intent = database, intent
        self._on_progress, self._on_trouble = on_progress, on_trouble
        self.batch = intent.id or make_batch_id(database.clock())
        self.is_contended = False
        self._recorder = intent.recorder or intent.owner or self.batch
        self._number: int | None = None
        self._events = 0  # that are recorded
        self._is_over = False
        self._data_version = 0

    @property
    def events(self) -> int:
        """How many events are recorded."""
        return self._events

    @property
    def chunk_events(self) -> int:
        """How many events the next piece has."""
        return SHARED_CHUNK_EVENTS if self._number is None or self.is_contended else RECORD_CHUNK_EVENTS

    def write(self, piece: _Piece, *, is_last: bool) -> None:
        """Write a piece; after the first one wait for a history that is unavailable."""
        pause, is_again = FIRST_PAUSE_SECONDS, False
        while True:
            try:
                repeat = self._try_write(piece, is_last=is_last, is_again=is_again)
            except HistoryUnavailable as error:
                if self._number is None:
                    raise
                if self._on_trouble is not None:
                    self._on_trouble(str(error))
                time.sleep(pause)
                pause, is_again = min(2 * pause, MAX_PAUSE_SECONDS), True
            else:
                break
        if repeat is not None:
            raise repeat
        if self._on_progress is not None:
            self._on_progress(self.batch, self._events)
        if self.is_contended and not is_last:
            self._let_others_write()

    @retry_conflicts
    def _try_write(self, piece: _Piece, *, is_last: bool, is_again: bool) -> SentBefore | None:
        """Write a piece in one transaction; what was found that went or is going elsewhere, and is said with it.

        ``is_again`` where that has failed before: a commit may succeed and still raise an error.
        """
        number, events = self._number, self._events
        with self._database.writing() as connection:
            lock_target(connection, self._intent.target.key)
            now = self._database.clock()
            self._note_other_writers(connection)
            repeat = check_intent(connection, self._intent, number, piece.block)
            if repeat is not None:
                if number is None:
                    return repeat
                lock_batch_state(connection, self.batch)
                # In this transaction, and with nothing left to send: so of two that find each other only one stops.
                cancel_pending(connection, requests.c.batch == number, now)
                self._stop(connection, f"{self._describe()} What was not is cancelled. {repeat}", now)
                return SentBefore(f"{repeat} {self._describe()}", repeat.batches, stopped=self.batch)
            if number is None:
                number = _insert_batch(connection, self.batch, self._intent, self._recorder, now)
                _supersede(connection, self._intent.supersedes, self.batch, now)
            if not (is_again and _is_written(connection, number, piece)):
                if piece.block is not None:
                    ids = _write_requests(connection, number, piece.block, piece.compressed, now)
                    if is_last and self._number is None:
                        write_keys(connection, ids)
                    else:
                        insert_columns(connection, unkeyed_requests, ("request",), (ids,))
                _write_excluded_rows(connection, number, piece.excluded)
            events += len(piece.block.events.rows) if piece.block is not None else 0
            self._note_progress(connection, number, events, now, is_last=is_last)
        self._number, self._events, self._is_over = number, events, is_last
        return None

    def _note_progress(self, connection: Connection, number: int, events: int, now: int, *, is_last: bool) -> None:
        """Say how far the recording is. Raises where a person, or another process, has ended it meanwhile.

        Where it is not known how many events there will be, one at least is still to come.
        """
        known = self._intent.events
        unrecorded = 0 if is_last else max(known - events, 0 if known else 1)
        values = {"unrecorded": unrecorded, "recorder": "" if is_last else self._recorder, "changed_at": now}
        mine = batches.c.recorder == self._recorder, batches.c.state.not_in(_FINAL_STATES)
        if not connection.execute(update(batches).where(batches.c.number == number, *mine).values(values)).rowcount:
            self._is_over = True
            raise NotAllowed(f"The batch was cancelled or stopped while it was being recorded. {self._describe()}")

    def _note_other_writers(self, connection: Connection) -> None:
        if connection.dialect.name == "sqlite":
            (version,) = get_sqlite_driver(connection).execute("PRAGMA data_version").fetchone()
            self.is_contended = self._number is not None and version != self._data_version
            self._data_version = version

    def _let_others_write(self) -> None:
        """Give others their turn: until one of them has written, or none does.

        They try again every millisecond; the lock knows no queue.
        """
        until = time.monotonic() + TURN_SECONDS
        with self._database.watching() as read_version:
            before = read_version()
            while time.monotonic() < until and read_version() == before:
                time.sleep(TURN_POLL_SECONDS)

    def remember(self) -> None:
        """Let the data folder remember that there was this batch, in case its history is gone one day."""
        if self._database.memory is not None:
            self._database.memory.remember(self._number or 0, self._database.clock())

    def give_up(self, error: BaseException) -> None:
        """Stop a batch that will not be recorded any further.

        What is recorded is counted: an interrupt may come when a piece is committed and that is not noted here yet.
        """
        why = str(error) if isinstance(error, ConsoleError) else ""
        if self._is_over or (self._number is None and why):
            return
        mine = batches.c.id == self.batch, batches.c.recorder == self._recorder
        with suppress(HistoryUnavailable), self._database.writing() as connection:
            number = connection.execute(select(batches.c.number).where(*mine)).scalar_one_or_none()
            if number is not None:
                self._events = count_recorded_events(connection, number)
                self._stop(connection, f"{self._describe()} {why}".strip(), self._database.clock())

    def _stop(self, connection: Connection, reason: str, now: int) -> None:
        write_recording_stop(connection, self.batch, reason, now)
        self._is_over = True

    def _describe(self) -> str:
        return describe_partial_recording(self._events, max(self._intent.events - self._events, 0))


def _insert_batch(connection: Connection, batch: str, intent: BatchIntent, recorder: str, now: int) -> int:
    target = intent.target
    row = {
        "id": batch,
        "created_at": now,
        "changed_at": now,
        "source": intent.source.value,
        "label": make_storable(intent.label),
        "digest": intent.digest,
        "mapping": make_storable(intent.mapping),
        "notes": dict(intent.notes),
        "target_key": target.key,
        "target_name": target.name,
        "base": target.base,
        "host": target.host,
        "org": target.org,
        "project": target.project,
        "source_id": target.source_id,
        "track_url": target.track_url,
        "origin": target.origin,
        "production": target.production,
        "deduplicates": target.deduplicates,
        "credential_reference": target.credential_reference,
        "feeds": dict(target.feeds),
        "announces": target.announces,
        "policy": intent.policy.value,
        "state": BatchState.SENDING.value,
        "reason": "",
        "owner": intent.owner,
        "rows": intent.rows,
        "excluded_rows": 0,
        "persons": intent.persons,
        "lanes": intent.lanes,
        "resend_of": intent.resend_of,
        "unrecorded": intent.events,
        "recorder": recorder,
        "name": make_storable(intent.name[:MAX_NAME_LENGTH]),
        "search_text": make_search_text(intent.label, intent.name),
        "groups": intent.groups,
    }
    number = int(connection.execute(insert(batches).returning(batches.c.number), row).scalar_one())
    if intent.groups:
        groups = [{"batch": number, "number": group, "owner": "", "epoch": 0} for group in range(intent.groups)]
        connection.execute(insert(lane_groups), groups)
    return number


def _supersede(connection: Connection, numbers: Collection[int], batch: str, now: int) -> None:
    """Cancel half recorded batches whose rest is in this one. Raises where one of them goes on by now."""
    if not numbers:
        return
    reason = f"What never left of it is sent in batch {batch}."
    cancelled = {"state": BatchState.CANCELLED.value, "reason": reason, "changed_at": now}
    half = batches.c.number.in_(numbers), IS_HALF_RECORDED
    announce_state(connection, *half, state=BatchState.CANCELLED, reason=reason, now=now)
    found = connection.execute(update(batches).where(*half).values(cancelled))
    if found.rowcount != len(numbers):
        raise NotAllowed("A batch of this file that was half recorded goes on by now. Check the file again, then send.")
    cancel_pending(connection, requests.c.batch.in_(numbers), now)


def _write_requests(
    connection: Connection, number: int, block: RequestBlock, compressed: Sequence[bytes], now: int
) -> Sequence[int]:
    ids = _insert_request_rows(connection, number, block, now)
    insert_columns(connection, bodies, ("request", "body"), (ids, compressed))
    found = block.events
    insert_columns(
        connection,
        events,
        _EVENT_COLUMNS,
        (
            [number] * len(found.rows),
            list(chain.from_iterable(map(repeat, ids, block.sizes))),
            list(chain.from_iterable(map(range, block.sizes))),
            found.rows,
            found.lines,
            *map(_make_column_indexable, (found.names, *found.ids)),
            found.times,
            found.members,
        ),
    )
    return ids


def _is_written(connection: Connection, number: int, piece: _Piece) -> bool:
    """Whether a piece is there already: its first request or excluded row is."""
    if piece.block is not None:
        place = requests.c.lane == piece.block.lanes[0], requests.c.position == piece.block.positions[0]
        found = select(requests.c.id).where(requests.c.batch == number, *place)
    elif piece.excluded:
        first = piece.excluded[0]
        mine = excluded_rows.c.row == first.row, excluded_rows.c.member == first.member
        found = select(excluded_rows.c.row).where(excluded_rows.c.batch == number, *mine)
    else:
        return True
    return connection.execute(found.limit(1)).first() is not None


def _insert_request_rows(connection: Connection, number: int, block: RequestBlock, now: int) -> Sequence[int]:
    count = len(block.sizes)
    given = {"batch": number, "part": "", "state": RequestState.PENDING.value, "tries": 0, "doubt": False}
    given |= {"retry_at": None, "updated_at": now, "parent": None, "last_attempt": None}
    columns = {"lane": block.lanes, "position": block.positions, "events": block.sizes, "resend_of": block.resend_of}
    ids = get_bulk_statements(connection).reserve_request_ids(connection, count)
    values = (ids, *columns.values(), *([value] * count for value in given.values()))
    insert_columns(connection, requests, ("id", *columns, *given), values)
    return ids


def _make_column_indexable(texts: Sequence[str | None]) -> Sequence[str | None]:
    """:func:`make_indexable` of each; nearly every column stays as it is."""
    given = [text for text in texts if text is not None]
    joined = "".join(given)
    if joined.isascii() and "\0" not in joined and max(map(len, given), default=0) <= MAX_INDEXED_LENGTH:
        return texts
    return [text and make_indexable(text) for text in texts]


def _write_excluded_rows(connection: Connection, number: int, chunk: Sequence[ExcludedRow]) -> None:
    if not chunk:
        return
    rows, lines, codes, *texts, members = zip(*chunk, strict=True)
    values = (
        [number] * len(rows),
        rows,
        lines,
        [" ".join(some) for some in codes],
        *map(_make_column_indexable, texts),
        members,
    )
    names = ("batch", "row", "line", "codes", "event_id", "name", "member")
    insert_columns(connection, excluded_rows, names, values)
    more = batches.c.excluded_rows + len(rows)
    connection.execute(update(batches).where(batches.c.number == number).values(excluded_rows=more))


def cancel_pending(connection: Connection, which: ColumnElement[bool], now: int) -> None:
    """Cancel the requests of a condition that are pending; the others are not tried again."""
    of_them = update(requests).where(which)
    is_pending = requests.c.state == RequestState.PENDING.value
    cancelled = {"state": RequestState.CANCELLED.value, "retry_at": None, "updated_at": now}
    connection.execute(of_them.where(is_pending).values(cancelled))
    connection.execute(of_them.where(requests.c.retry_at.is_not(None)).values(retry_at=None, updated_at=now))


def count_recorded_events(connection: Connection, number: int) -> int:
    """How many events of a batch are recorded: those of its requests as they were planned, not of their parts."""
    recorded = select(func.coalesce(func.sum(requests.c.events), 0))
    whole = requests.c.batch == number, requests.c.parent.is_(None)
    return int(connection.execute(recorded.where(*whole)).scalar_one())


def describe_partial_recording(recorded: int, unrecorded: int) -> str:
    """How far a batch is recorded that no process records any further."""
    of_all = f" of {recorded + unrecorded:,}" if unrecorded else ""
    return f"{recorded:,}{of_all} events are recorded; what was recorded may have been sent."


def write_recording_stop(connection: Connection, batch: str, reason: str, now: int) -> None:
    """Let a batch, of which no more will be recorded, stop; one that a person has cancelled stays so."""
    mine = batches.c.id == batch, batches.c.state.not_in(_FINAL_STATES)
    announce_state(connection, *mine, state=BatchState.STOPPED, reason=reason, now=now)
    values = {"state": BatchState.STOPPED.value, "reason": make_storable(reason), "changed_at": now, "recorder": ""}
    connection.execute(update(batches).where(*mine).values(values))


_EVENT_COLUMNS = (
    "batch",
    "request",
    *(column.name for column in events.columns if column.name not in {"batch", "request"}),
)


def insert_requests(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert rows into ``requests`` and return their ids, in the rows' order."""
    statement = insert(requests).returning(requests.c.id, sort_by_parameter_order=True)
    return list(connection.execute(statement, rows).scalars())


def insert_columns(
    connection: Connection, table: Table, names: Sequence[str], columns: Sequence[Sequence[Any]]
) -> None:
    """Insert rows that are given as columns of one length."""
    get_bulk_statements(connection).insert_columns(connection, table, names, columns)


def make_batch_id(now: int) -> str:
    """Make a unique id of a batch that sorts by time (epoch ms): 48 bits of it and 64 random ones, in hexadecimal."""
    return f"b_{now:012x}{secrets.token_hex(8)}"


def _split_into_pieces(
    requests: Iterable[RequestBlock | RequestIntent],
    excluded: Iterable[ExcludedRow],
    events: Callable[[], int],
    lanes: int,
) -> Iterator[_Piece]:
    """Split a batch into transactions; bodies are compressed here, while no transaction is open.

    The first one has at least as many requests as there are ``lanes``: the first of each.
    """
    is_empty = True
    for block in _gather_blocks(requests, events):
        for part in block.split(events, lanes if is_empty else 1):
            yield _Piece(part, [zlib.compress(body, ZLIB_LEVEL) for body in part.bodies])
            is_empty = False
    for rows in iter_chunks(excluded, RECORD_CHUNK_EVENTS):
        yield _Piece(excluded=rows)
        is_empty = False
    if is_empty:
        yield _Piece()


def _gather_blocks(found: Iterable[RequestBlock | RequestIntent], limit: Callable[[], int]) -> Iterator[RequestBlock]:
    """Blocks as they are, and requests that were made one by one together in blocks."""
    single: list[RequestIntent] = []
    events = 0
    for one in found:
        if isinstance(one, RequestIntent):
            single.append(one)
            events += len(one.events)
        if single and (isinstance(one, RequestBlock) or events >= limit()):
            yield RequestBlock.from_intents(single)
            single, events = [], 0
        if isinstance(one, RequestBlock):
            yield one
    if single:
        yield RequestBlock.from_intents(single)


def _flag_last(pieces: Iterator[_Piece]) -> Iterator[tuple[_Piece, bool]]:
    """Each piece, and whether it is the last one: a small batch is one transaction."""
    ahead = next(pieces)
    for piece in pieces:
        yield ahead, False
        ahead = piece
    yield ahead, True
