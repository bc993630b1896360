"""The recording of a batch: what is to be sent is written down before the first byte of it leaves."""

import secrets
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, insert, update

from intempt_core.contract import ISSUE_KINDS, GivenEvent, Severity
from intempt_core.errors import HistoryUnavailable, NotAllowed
from intempt_core.history.database import Database, iter_chunks
from intempt_core.history.records import (
    BatchIntent,
    BatchState,
    EventIntent,
    ExcludedRow,
    RequestIntent,
    RequestState,
)
from intempt_core.history.repeats import check_intent
from intempt_core.history.resends import remove_resend_links
from intempt_core.history.schema import batches, bodies, events, excluded_rows, make_indexable, make_storable, requests
from intempt_core.planning import Plan
from intempt_core.validation import Report

RECORD_CHUNK_EVENTS = 20_000
"""Events recorded in one transaction: enough of them to be quick, few enough to let others write in between."""

INCOMPLETE_RECORDING_REASON = "It was not recorded completely; nothing was sent."
"""Reason of a batch whose recording broke off."""

ZLIB_LEVEL = 1
"""How hard bodies are compressed: they are repetitive, and zlib's best level takes thrice as long for 10 % less."""


class _Chunk(NamedTuple):
    """What is written in one transaction: requests, each with its compressed body, and excluded rows."""

    requests: Sequence[tuple[RequestIntent, bytes]] = ()
    excluded: Sequence[ExcludedRow] = ()


def make_request_intents(plan: Plan) -> Iterator[RequestIntent]:
    """Turn a plan into what history records, one request after another; bodies are built here.

    The row of an event that does not know its own (a form's) is its place in the plan, from 1.
    """
    for request, given, body in plan.iter_requests():
        events = [EventIntent.from_event(event, row + 1) for event, row in zip(given, request.rows, strict=True)]
        yield RequestIntent(request.lane, request.position, body, events)


def collect_excluded_rows(
    report: Report,
    events: Callable[[Sequence[int]], Iterable[GivenEvent]],
    excluded: Iterable[int] | None = None,
) -> Iterator[ExcludedRow]:
    """Collect the rows that are excluded from a send, in order, each with the codes of its issues.

    No rule is applied again: the issues are those of the report.

    Args:
        report: what validation found.
        events: gives the events of rows (from 0): a mapped table's ``events``, or a list's.
        excluded: the excluded rows (from 0), by default those with errors; one without errors gets the code
            ``sent_before``.
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


class Recorder:
    """Writes batches, their requests, events and excluded rows; ``chunk_events`` of them in one transaction."""

    def __init__(self, database: Database, chunk_events: int = RECORD_CHUNK_EVENTS) -> None:
        self._database, self._chunk_events = database, chunk_events

    def record(
        self, intent: BatchIntent, requests: Iterable[RequestIntent], excluded: Iterable[ExcludedRow] = ()
    ) -> str:
        """Record a batch and return its id; memory stays flat, however long the iterables are.

        The batch is *recording* until its last request is written, then *sending*, so that no part of it is sent
        before all of it is known. Where an iterable raises, or history fails, the batch is cancelled (if that can be
        written) and the error is raised.

        Raises :class:`SentBefore` where the same input, or some of the events, went or is going to the target in a
        batch that the plan has not seen (``intent.seen``). Each transaction looks for that before it writes. Found by
        the first one, nothing is recorded; found later, the batch is cancelled.
        """
        batch, number = _make_batch_id(self._database.clock()), None
        try:
            for chunk, is_last in _flag_last(_split_into_chunks(requests, excluded, self._chunk_events)):
                with self._database.writing() as connection:
                    now = self._database.clock()
                    repeat = check_intent(connection, intent, number, [request for request, _ in chunk.requests])
                    if repeat is None:
                        if number is None:
                            number = _insert_batch(connection, batch, intent, now)
                        _write_chunk(connection, number, chunk, now)
                        next_state = BatchState.SENDING if is_last else BatchState.RECORDING
                        _set_recording_state(connection, number, next_state, now)
                    elif number is not None:  # here, so that of two that find each other only one is cancelled
                        _cancel_recording(connection, number, f"Nothing was sent. {repeat}", now)
                if repeat is not None:
                    number = None
                    raise repeat
        except BaseException:
            with suppress(HistoryUnavailable):
                if number is not None:
                    with self._database.writing() as connection:
                        _cancel_recording(connection, number, INCOMPLETE_RECORDING_REASON, self._database.clock())
            raise
        if self._database.memory is not None:
            self._database.memory.remember(number or 0, self._database.clock())
        return batch


def _cancel_recording(connection: Connection, number: int, reason: str, now: int) -> None:
    values = {"state": BatchState.CANCELLED.value, "reason": make_storable(reason), "changed_at": now}
    connection.execute(update(batches).where(batches.c.number == number).values(values))
    connection.execute(update(requests).where(requests.c.batch == number).values(state=RequestState.CANCELLED.value))
    remove_resend_links(connection, number)


def _insert_batch(connection: Connection, batch: str, intent: BatchIntent, now: int) -> int:
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


def _write_chunk(connection: Connection, number: int, chunk: _Chunk, now: int) -> None:
    _write_requests(connection, number, chunk.requests, now)
    _write_excluded_rows(connection, number, chunk.excluded)


def _write_requests(
    connection: Connection, number: int, chunk: Sequence[tuple[RequestIntent, bytes]], now: int
) -> None:
    if not chunk:
        return
    ids = insert_requests(connection, [_make_request_row(number, request, now) for request, _ in chunk])
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


def _write_excluded_rows(connection: Connection, number: int, chunk: Sequence[ExcludedRow]) -> None:
    if not chunk:
        return
    rows = [
        (number, row, line, " ".join(codes), event_id and make_indexable(event_id), name and make_indexable(name))
        for row, line, codes, event_id, name in chunk
    ]
    insert_tuples(connection, excluded_rows, ("batch", "row", "line", "codes", "event_id", "name"), rows)
    more = batches.c.excluded_rows + len(rows)
    connection.execute(update(batches).where(batches.c.number == number).values(excluded_rows=more))


def _set_recording_state(connection: Connection, number: int, state: BatchState, now: int) -> None:
    """Say how far the recording is: going on now, or at its end. Raises where a person has cancelled it meanwhile."""
    recorded = batches.c.number == number, batches.c.state == BatchState.RECORDING.value
    values = {"state": state.value, "changed_at": now}
    if not connection.execute(update(batches).where(*recorded).values(values)).rowcount:
        raise NotAllowed("The batch was cancelled while it was being recorded. Nothing was sent.")


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
        "resend_of": request.resend_of,
    }


def insert_requests(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert rows into ``requests`` and return their ids, in the rows' order."""
    statement = insert(requests).returning(requests.c.id, sort_by_parameter_order=True)
    return list(connection.execute(statement, rows).scalars())


def insert_tuples(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert many rows. A driver that takes tuples gets them as they are: a million dicts are slow."""
    statement = insert(table).compile(dialect=connection.dialect, column_keys=list(columns))
    if statement.positional:
        connection.exec_driver_sql(str(statement), list(rows))
    else:
        connection.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in rows])


def _make_batch_id(now: int) -> str:
    """A unique id that sorts by time: 48 bits of time and 64 random ones, as hexadecimal digits."""
    return f"b_{now:012x}{secrets.token_hex(8)}"


def _split_into_chunks(
    requests: Iterable[RequestIntent], excluded: Iterable[ExcludedRow], chunk_events: int
) -> Iterator[_Chunk]:
    """Split a batch into transactions; bodies are compressed here, while no transaction is open."""
    pairs: list[tuple[RequestIntent, bytes]] = []
    events_held = 0
    for request in requests:
        pairs.append((request, zlib.compress(request.body, ZLIB_LEVEL)))
        events_held += len(request.events)
        if events_held >= chunk_events:
            yield _Chunk(requests=pairs)
            pairs, events_held = [], 0
    yield _Chunk(requests=pairs)
    for rows in iter_chunks(excluded, chunk_events):
        yield _Chunk(excluded=rows)


def _flag_last(chunks: Iterator[_Chunk]) -> Iterator[tuple[_Chunk, bool]]:
    """Each chunk, and whether it is the last one: a small batch is one transaction."""
    ahead = next(chunks)
    for chunk in chunks:
        yield ahead, False
        ahead = chunk
    yield ahead, True
