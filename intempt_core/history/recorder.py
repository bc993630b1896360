"""Intent, written before the first byte leaves."""

import secrets
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Table, insert, update

from intempt_core.contract import ISSUE_KINDS, GivenEvent, Severity
from intempt_core.errors import HistoryUnavailable, NotAllowed
from intempt_core.history.database import Database
from intempt_core.history.records import (
    BatchIntent,
    BatchState,
    EventIntent,
    ExcludedRow,
    RequestIntent,
    RequestState,
)
from intempt_core.history.schema import batches, bodies, events, excluded_rows, make_indexable, make_storable, requests
from intempt_core.planning import Plan
from intempt_core.validation import Report

RECORD_CHUNK_EVENTS = 20_000
"""Events in one transaction of a recording: long enough to be quick, short enough to let others write in between."""

_ZLIB_LEVEL = 1  # zlib's level: bodies are repetitive, and its best level takes three times as long for a tenth less

_Chunk = Sequence[tuple[RequestIntent, bytes]] | Sequence[ExcludedRow]


def make_request_intents(plan: Plan) -> Iterator[RequestIntent]:
    """A plan as history records it, one request after another; bodies are made here.

    Rows of events that do not know their own (a form's) are counted as the plan places them, from 1.
    """
    for request, given, body in plan.iter_requests():
        events = [EventIntent.from_event(event, row + 1) for event, row in zip(given, request.rows, strict=True)]
        yield RequestIntent(request.lane, request.position, body, events)


def collect_excluded_rows(
    report: Report,
    events: Callable[[Sequence[int]], Iterable[GivenEvent]],
    excluded: Iterable[int] | None = None,
) -> Iterator[ExcludedRow]:
    """The rows that stay behind, in order, with the codes that hold them back: those of a report that have errors.

    ``stay`` names other rows (from 0): those of them without errors were left out because they were sent before.
    ``events`` gives the events of rows (from 0): a mapped table's ``events``, or a list's. Nothing is judged again.
    """
    codes: dict[int, list[str]] = {}
    for code, kind in ISSUE_KINDS.items():
        if kind.severity is Severity.ERROR:
            for row in report.rows_of(code).tolist():
                codes.setdefault(row, []).append(code)
    rows = sorted(codes if excluded is None else excluded)
    for row, given in zip(rows, events(rows), strict=True):
        event = EventIntent.from_event(given, row + 1)
        yield ExcludedRow(event.row, event.line, codes.get(row, ["sent_before"]), event.event_id, event.name)


class Recorder(Database):
    """Intent comes in."""

    def record(
        self, intent: BatchIntent, requests: Iterable[RequestIntent], excluded: Iterable[ExcludedRow] = ()
    ) -> str:
        """Write down a batch and return its id; memory stays flat, however long the iterables are.

        The batch is *recording* until the last request is in, then *sending*: nobody sends half a batch. Where an
        iterable raises, or history fails, the batch is cancelled (as far as that can be written) and the error goes on.
        """
        batch, number = _make_batch_id(self._clock()), None
        try:
            for piece, last in _flag_last(_split_into_chunks(requests, excluded)):
                with self._writing() as connection:
                    number = self._insert_batch(connection, batch, intent) if number is None else number
                    self._write_chunk(connection, number, piece)
                    if last:
                        self._start_sending(connection, batch)
        except BaseException:
            with suppress(HistoryUnavailable):
                if number is not None:
                    self._cancel_recording(batch, number)
            raise
        return batch

    def _insert_batch(self, connection: Connection, batch: str, intent: BatchIntent) -> int:
        now, target = self._clock(), intent.target
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
            "policy": intent.policy.value,
            "state": BatchState.RECORDING.value,
            "reason": "",
            "owner": intent.owner,
            "rows": intent.rows,
            "excluded_rows": 0,
            "persons": intent.persons,
            "lanes": intent.lanes,
            "resend_of": intent.resend_of,
        }
        return int(connection.execute(insert(batches).returning(batches.c.number), row).scalar_one())

    def _write_chunk(self, connection: Connection, number: int, chunk: _Chunk) -> None:
        if chunk and isinstance(chunk[0], ExcludedRow):
            self._write_excluded_rows(connection, number, chunk)  # type: ignore[arg-type]  # a piece is of one kind
        elif chunk:
            self._write_requests(connection, number, chunk)  # type: ignore[arg-type]  # a piece is of one kind

    def _write_requests(
        self, connection: Connection, number: int, chunk: Sequence[tuple[RequestIntent, bytes]]
    ) -> None:
        ids = insert_requests(connection, [_make_request_row(number, request, self._clock()) for request, _ in chunk])
        connection.execute(
            insert(bodies), [{"request": id_, "body": body} for id_, (_, body) in zip(ids, chunk, strict=True)]
        )
        rows: list[tuple[Any, ...]] = []
        for id_, (request, _) in zip(ids, chunk, strict=True):
            for position, event in enumerate(request.events):
                row, line, name, *texts, time = event
                rows.append(
                    (
                        number,
                        id_,
                        position,
                        row,
                        line,
                        name and make_indexable(name),
                        *(text and make_indexable(text) for text in texts),
                        time,
                    )
                )
        insert_tuples(connection, events, _EVENT_COLUMNS, rows)

    def _write_excluded_rows(self, connection: Connection, number: int, chunk: Sequence[ExcludedRow]) -> None:
        rows = [
            (number, row, line, " ".join(codes), event_id and make_indexable(event_id), name and make_indexable(name))
            for row, line, codes, event_id, name in chunk
        ]
        insert_tuples(connection, excluded_rows, ("batch", "row", "line", "codes", "event_id", "name"), rows)
        more = batches.c.excluded_rows + len(rows)
        connection.execute(update(batches).where(batches.c.number == number).values(excluded_rows=more))

    def _start_sending(self, connection: Connection, batch: str) -> None:
        """The last piece is written: the batch may be sent, unless somebody has cancelled it meanwhile."""
        held = batches.c.id == batch, batches.c.state == BatchState.RECORDING.value
        values = {"state": BatchState.SENDING.value, "changed_at": self._clock()}
        if not connection.execute(update(batches).where(*held).values(values)).rowcount:
            raise NotAllowed("The batch was cancelled while it was being written down. Nothing left.")

    def _update_state(self, connection: Connection, batch: str, state: BatchState, reason: str) -> None:
        values = {"state": state.value, "reason": reason, "changed_at": self._clock()}
        connection.execute(update(batches).where(batches.c.id == batch).values(values))

    def _cancel_recording(self, batch: str, number: int) -> None:
        with self._writing() as connection:
            self._update_state(
                connection, batch, BatchState.CANCELLED, "It was not written down completely; nothing left."
            )
            connection.execute(
                update(requests).where(requests.c.batch == number).values(state=RequestState.CANCELLED.value)
            )


_EVENT_COLUMNS = (
    "batch",
    "request",
    *(column.name for column in events.columns if column.name not in {"batch", "request"}),
)


def _make_request_row(number: int, request: RequestIntent, now: int) -> dict[str, Any]:
    return {
        "batch": number,
        "lane": request.lane,
        "position": request.position,
        "part": "",
        "events": len(request.events),
        "state": RequestState.PENDING.value,
        "tries": 0,
        "doubt": False,
        "retry_at": None,
        "updated_at": now,
        "parent": None,
    }


def insert_requests(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert rows of ``requests`` and return their ids, in the rows' order."""
    statement = insert(requests).returning(requests.c.id, sort_by_parameter_order=True)
    return list(connection.execute(statement, rows).scalars())


def insert_tuples(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert many plain rows; a driver that takes tuples gets them as they are: dicts are slow by the million."""
    statement = insert(table).compile(dialect=connection.dialect, column_keys=list(columns))
    if statement.positional:
        connection.exec_driver_sql(str(statement), list(rows))
    else:
        connection.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in rows])


def _make_batch_id(now: int) -> str:
    """A name that sorts by time and that nobody else makes: 48 bits of time, 64 of chance, as hexadecimal digits."""
    return f"b_{now:012x}{secrets.token_hex(8)}"


def _split_into_chunks(requests: Iterable[RequestIntent], excluded: Iterable[ExcludedRow]) -> Iterator[_Chunk]:
    """What goes into one transaction each; bodies are compressed here, while nobody is kept waiting."""
    some: list[tuple[RequestIntent, bytes]] = []
    held = 0
    for request in requests:
        some.append((request, zlib.compress(request.body, _ZLIB_LEVEL)))
        held += len(request.events)
        if held >= RECORD_CHUNK_EVENTS:
            yield some
            some, held = [], 0
    yield some
    rows: list[ExcludedRow] = []
    for row in excluded:
        rows.append(row)
        if len(rows) >= RECORD_CHUNK_EVENTS:
            yield rows
            rows = []
    if rows:
        yield rows


def _flag_last(chunks: Iterator[_Chunk]) -> Iterator[tuple[_Chunk, bool]]:
    """Each piece, and whether it is the last: a small batch is one transaction."""
    ahead = next(chunks)
    for piece in chunks:
        yield ahead, False
        ahead = piece
    yield ahead, True
