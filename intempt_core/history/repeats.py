"""Repeats: what went, or is going, to a target in other batches since a plan was made.

A plan says which events were sent before, and a person confirms it. Meanwhile another tab, another process or a job
may record the same. So a plan remembers the newest batch that it saw (:class:`HistoryCheckpoint`), and each transaction
that records a piece of it looks into later batches: for the same input before the first piece, for its own events with
each piece. SQLite's write lock is held by then, so that of two that record at once the second sees the first. Where
there are no later batches, nothing is looked for.

What counts is what may have an effect: *accepted*, *unknown* (may have arrived), *in flight*, and what is still to be
sent. *Rejected* and *cancelled* events had none, and *not sent* ones only while their batch may be resumed.

An event is the same by its id; a line of an order by its id and its product, where both are known (CONTRACT 2.9).
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, and_, func, literal, not_, or_, select

from intempt_core.contract import EventName
from intempt_core.errors import NotFound, SentBefore
from intempt_core.history.database import Database, iter_chunks
from intempt_core.history.queries import count_by_state
from intempt_core.history.records import (
    SEARCH_COLUMNS,
    BatchIntent,
    BatchState,
    HistoryCheckpoint,
    RequestBlock,
    RequestState,
)
from intempt_core.history.schema import batches, events, make_indexable, requests
from intempt_core.history.transitions import FINAL_BATCH_STATES, IS_HALF_RECORDED, IS_STORED

GOING_STATES = frozenset((RequestState.PENDING, RequestState.IN_FLIGHT, RequestState.ACCEPTED, RequestState.UNKNOWN))
"""States of events that went, or are going, and may have an effect."""

NEVER_LEFT_STATES = frozenset((RequestState.PENDING, RequestState.NOT_SENT))
"""States of events that certainly did not arrive, and are sent when their batch is resumed."""

IS_GOING: ColumnElement[bool] = or_(
    requests.c.state.in_([state.value for state in GOING_STATES]),
    and_(
        requests.c.state == RequestState.NOT_SENT.value,
        batches.c.state.not_in([state.value for state in FINAL_BATCH_STATES]),
    ),
)
"""Condition on requests joined with their batches: they went, or may still go without being recorded again."""

_PRODUCT_COLUMN = SEARCH_COLUMNS.index("product_id")
"""Which of the lists of ids of recorded events are the products."""

_IS_RECORDING = batches.c.recorder != ""


@dataclass(frozen=True, slots=True)
class RepeatedSend:
    """A batch in which something went, or is going, that is in another one too.

    Attributes:
        batch: its id.
        number: its number, by which a plan confirms it (:meth:`HistoryCheckpoint.confirm`).
        label: what its input is called.
        created_at: time of its recording, in epoch ms.
        state: its state.
        same_input: whether it is of the same file.
        repeated: how many events are in both; of a batch that is compared before it is all recorded, so many at least.
        events: how many events it has in each state.
    """

    batch: str
    number: int
    label: str
    created_at: int
    state: BatchState
    same_input: bool
    repeated: int
    events: dict[RequestState, int]

    @property
    def message(self) -> str:
        """What went in it, as a clause: ``the same file in batch b_1 (data.csv; done: 5 accepted)``."""
        counts = ", ".join(f"{count:,} {state.value}" for state, count in self.events.items()) or "no event yet"
        what = "the same file" if self.same_input else f"{self.repeated:,} of these events"
        return f"{what} in batch {self.batch} ({self.label}; {self.state.value}: {counts})"


def describe_repeats(repeats: Sequence[RepeatedSend], target: str) -> str:
    """What went since a plan was made, as a sentence; ``target`` is the target's name."""
    return f"Since the plan was made, this went or is going to {target}: {'; '.join(one.message for one in repeats)}."


class RepeatLookup:
    """Tells what of a batch went in others too."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def checkpoint(self, target: str) -> HistoryCheckpoint:
        """What a plan sees of the batches to a target (a ``key``) from now on; read it before anything else of them."""
        newest = select(func.max(batches.c.number)).where(batches.c.target_key == target)
        recording = select(batches.c.number).where(batches.c.target_key == target, _IS_RECORDING)
        with self._database.reading() as connection:
            return HistoryCheckpoint(
                target=target,
                newest=connection.execute(newest).scalar() or 0,
                recording=frozenset(connection.execute(recording).scalars()),
            )

    def of_input(self, digest: str, target: str) -> list[RepeatedSend]:
        """The batches of an input (SHA-256 of its bytes) of which something went or is going to a target."""
        if not digest:
            return []
        same = select(batches).where(batches.c.digest == digest, batches.c.target_key == target, IS_STORED)
        with self._database.reading() as connection:
            found = [row for row in connection.execute(same.order_by(batches.c.number)) if _is_going(connection, row)]
            return _summarize(connection, [(row, True, 0) for row in found])

    def half_recorded(self, digest: str, target: str) -> dict[str, int]:
        """The stopped batches of an input of which not all is recorded, and nobody records the rest: number by id."""
        same = batches.c.digest == digest, batches.c.target_key == target
        with self._database.reading() as connection:
            found = connection.execute(select(batches.c.id, batches.c.number).where(*same, IS_HALF_RECORDED))
            return {row.id: row.number for row in found} if digest else {}

    def being_recorded(self, digest: str, target: str) -> list[str]:
        """The batches of an input that a process still records."""
        same = batches.c.digest == digest, batches.c.target_key == target, batches.c.recorder != ""
        with self._database.reading() as connection:
            return list(connection.execute(select(batches.c.id).where(*same)).scalars()) if digest else []

    def since(self, batch: str) -> list[RepeatedSend]:
        """What of that which a batch still has to send went, or is going, in batches recorded after it.

        Raises :class:`NotFound`.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(batches).where(batches.c.id == batch, IS_STORED)).one_or_none()
            if row is None:
                raise NotFound(f"History knows no batch {batch}.")
            return find_repeats_since(connection, row)

    def was_repeated(self, batch: str) -> bool:
        """Whether the same input, or some of what a batch still has to send, was recorded again after it.

        Raises :class:`NotFound`.
        """
        asked = select(batches.c.digest, batches.c.target_key, batches.c.created_at).where(batches.c.id == batch)
        with self._database.reading() as connection:
            row = connection.execute(asked).one_or_none()
        if row is None:
            raise NotFound(f"History knows no batch {batch}.")
        later = [*self.of_input(row.digest, row.target_key), *self.since(batch)]
        return any(other.created_at > row.created_at for other in later)


# ── inside a transaction ─────────────────────────────────────────────────────────────────────────────────────────────


def check_intent(
    connection: Connection, intent: BatchIntent, number: int | None, piece: RequestBlock | None
) -> SentBefore | None:
    """Compare a piece that is about to be recorded with later batches than its plan has seen; what was found.

    ``number`` is its batch's, ``None`` with the first piece: then the whole input is compared too.
    """
    seen = intent.seen
    if seen is None:
        return None
    known = {*seen.confirmed, *([number] if number is not None else [])}
    later = _read_later_batches(connection, seen.target, seen.newest, seen.recording, known)
    if not later:
        return None
    same_input: list[Row[Any]] = []
    if number is None and intent.digest:
        same_input = [row for row in later if _is_same_input(row, intent) and _is_going(connection, row)]
    repeated = _count_repeated_events(connection, [row.number for row in later], piece)
    repeats = _combine(connection, later, same_input, repeated)
    return make_error(repeats, intent.target.name) if repeats else None


def find_repeats_since(connection: Connection, row: Row[Any]) -> list[RepeatedSend]:
    """As :meth:`RepeatLookup.since`, for the batch of a row, inside a transaction of the caller's."""
    later = _read_later_batches(connection, row.target_key, row.number, (), {row.number})
    if not later:
        return []
    other, waiting = events.alias("other"), requests.alias("waiting")
    is_waiting = and_(waiting.c.batch == row.number, waiting.c.state.in_([state.value for state in NEVER_LEFT_STATES]))
    both = (
        select(other.c.batch, events.c.request, events.c.position)
        .select_from(
            waiting.join(events, events.c.request == waiting.c.id)
            .join(other, other.c.event_id == events.c.event_id)
            .join(requests, requests.c.id == other.c.request)
            .join(batches, batches.c.number == other.c.batch)
        )
        .where(
            is_waiting, other.c.batch.in_([one.number for one in later]), IS_GOING, _may_be_same_event(events, other)
        )
        .distinct()
        .subquery()
    )
    repeated = select(both.c.batch, func.count()).group_by(both.c.batch)
    without_id = select(events.c.row).join(waiting, waiting.c.id == events.c.request)
    without_id = without_id.where(is_waiting, events.c.event_id.is_(None)).limit(1)
    same = [one for one in later if row.digest and one.digest == row.digest and _is_going(connection, one)]
    if same and connection.execute(without_id).first() is None:  # else the ids say it, but of one that is half recorded
        same = [one for one in same if one.recorder]
    return _combine(connection, later, same, {batch: int(count) for batch, count in connection.execute(repeated)})


def _may_be_same_event(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    """Condition on events of one id: not two lines of an order, whose products are known and differ (CONTRACT 2.9)."""
    are_lines = and_(one.c.name == EventName.ORDERED.value, other.c.name == EventName.ORDERED.value)
    is_certain = func.coalesce(and_(are_lines, one.c.product_id != other.c.product_id), literal(value=False))
    return not_(is_certain)


def make_error(repeats: Sequence[RepeatedSend], target: str) -> SentBefore:
    """The error that says what went, to the target of this name."""
    return SentBefore(describe_repeats(repeats, target), {one.batch: one.number for one in repeats})


def _read_later_batches(
    connection: Connection, target: str, newest: int, recording: Collection[int], known: Collection[int]
) -> list[Row[Any]]:
    """The batches to a target that came after ``newest`` or were ``recording`` then, without those that are known."""
    later = batches.c.number > newest
    if recording:
        later = or_(later, batches.c.number.in_(sorted(recording)))
    found = select(batches).where(batches.c.target_key == target, later, IS_STORED).order_by(batches.c.number)
    return [row for row in connection.execute(found) if row.number not in known]


def _is_same_input(row: Row[Any], intent: BatchIntent) -> bool:
    """Whether a batch is of the same file; resends of one batch are compared request by request."""
    return bool(row.digest == intent.digest and not (intent.resend_of and row.resend_of == intent.resend_of))


def _is_going(connection: Connection, row: Row[Any]) -> bool:
    """Whether anything of a batch went, or is going; of one that is being recorded everything is."""
    if row.recorder:
        return True
    going = select(requests.c.id).join(batches, batches.c.number == requests.c.batch)
    return connection.execute(going.where(requests.c.batch == row.number, IS_GOING).limit(1)).first() is not None


def _count_repeated_events(
    connection: Connection, numbers: Sequence[int], piece: RequestBlock | None
) -> dict[int, int]:
    """How many events of a piece are in later batches too, by batch: the same event id, or a resend of one request."""
    if piece is None:
        return {}
    products: defaultdict[str, set[str | None]] = defaultdict(set)  # by id; none: any event of the id is the same
    of_piece = piece.events
    for event_id, name, product in zip(of_piece.ids[0], of_piece.names, of_piece.ids[_PRODUCT_COLUMN], strict=True):
        if event_id is not None:
            is_line = name == EventName.ORDERED and product is not None
            products[make_indexable(event_id)].add(make_indexable(product) if product and is_line else None)
    columns = events.c.batch, events.c.event_id, events.c.name, events.c.product_id
    found: defaultdict[int, set[tuple[str, str | None]]] = defaultdict(set)
    whole: defaultdict[int, set[str]] = defaultdict(set)  # ids of which every event is the same
    for some in iter_chunks(products):
        by_id = _join_going(select(*columns).where(events.c.event_id.in_(some)), numbers)
        for batch, event_id, name, product in connection.execute(by_id):
            if name != EventName.ORDERED or product is None:
                whole[batch].add(event_id)
            else:
                found[batch].update((event_id, one) for one in (None, product) if one in products[event_id])
    repeated = {
        batch: sum(len(products[id_]) for id_ in whole[batch]) + sum(id_ not in whole[batch] for id_, _ in found[batch])
        for batch in found.keys() | whole
    }
    repeated = {batch: count for batch, count in repeated.items() if count}
    resent = [original for original in piece.resend_of if original is not None]
    by_request: dict[int, int] = {}
    for originals in iter_chunks(resent):
        same = select(requests.c.batch, func.sum(requests.c.events)).join(batches, batches.c.number == requests.c.batch)
        same = same.where(requests.c.resend_of.in_(originals), requests.c.batch.in_(numbers), IS_GOING)
        for batch, count in connection.execute(same.group_by(requests.c.batch)):
            by_request[batch] = by_request.get(batch, 0) + int(count)
    return {batch: max(repeated.get(batch, 0), by_request.get(batch, 0)) for batch in repeated.keys() | by_request}


def _join_going(found: Any, numbers: Sequence[int]) -> Any:
    """Events of these batches that went or are going."""
    return (
        found.join(requests, requests.c.id == events.c.request)
        .join(batches, batches.c.number == events.c.batch)
        .where(events.c.batch.in_(numbers), IS_GOING)
    )


def _combine(
    connection: Connection, later: Sequence[Row[Any]], same_input: Sequence[Row[Any]], repeated: dict[int, int]
) -> list[RepeatedSend]:
    same = {row.number for row in same_input}
    rows = [row for row in later if row.number in same or row.number in repeated]
    return _summarize(connection, [(row, row.number in same, repeated.get(row.number, 0)) for row in rows])


def _summarize(connection: Connection, found: Sequence[tuple[Row[Any], bool, int]]) -> list[RepeatedSend]:
    counts = count_by_state(connection, [row.number for row, _, _ in found]) if found else {}
    return [
        RepeatedSend(
            batch=row.id,
            number=row.number,
            label=row.label,
            created_at=row.created_at,
            state=BatchState(row.state),
            same_input=same,
            repeated=repeated,
            events=counts[row.number][0],
        )
        for row, same, repeated in found
    ]
