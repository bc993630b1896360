"""What went to a target before: which events of an input history knows, and which lines of known orders it does not.

An event is known by its id; a line of an order by its id and its product, because the lines of one order share the id
(CONTRACT 2.9). History answers through :class:`PriorSendLookup`. It is asked about ids first; only where one is known
and its event is a line of an order, it is asked about that line.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple, Protocol, Self, TypeAlias

import numpy as np

from intempt_core.arrays import Int64Array
from intempt_core.contract import EventName, GivenEvent, get_field, id_to_text
from intempt_core.mapping import EventSource
from intempt_core.validation.column_rules import ColumnChecker
from intempt_core.validation.row_issues import Finding, Partition

SENT_LOOKUP_CHUNK_IDS = 5_000
"""Event ids that :class:`PriorSendLookup` is asked about at a time."""

PRIOR_SEND_CODES = ("sent_before", "order_line_added")
"""The codes of what is found here: one of them is at each event whose id went before."""


class OrderLine(NamedTuple):
    """What a line of an order is known by: the order's event id and the line's product (CONTRACT 2.9)."""

    event_id: str
    product_id: str

    @classmethod
    def find(cls, name: object, event_id: str | None, product_id: str | None) -> Self | None:
        """The line that an event is; ``None`` for another event, and for a line that lacks one of both."""
        if name != EventName.ORDERED or event_id is None or product_id is None:
            return None
        return cls(event_id, product_id)


EventKey: TypeAlias = str | OrderLine
"""What an event is known by: its id alone, or for a line of an order that and the product."""


class PriorSend(NamedTuple):
    """What became of an event that was sent to a target before.

    Attributes:
        state: One of :data:`PRIOR_SEND_PHRASES`.
        when: Since when, epoch milliseconds.
        batch: The id of the batch that it was in.
        by_id_alone: Whether a line of an order was found by its id alone: what was sent with that id is no line of an
            order, or history does not know its product. It may have been this line.
    """

    state: str
    when: int
    batch: str = ""
    by_id_alone: bool = False

    @property
    def message(self) -> str:
        """``accepted on 2026-11-22 12:03 UTC``."""
        return f"{PRIOR_SEND_PHRASES[self.state]} {datetime.fromtimestamp(self.when / 1000, UTC):%Y-%m-%d %H:%M} UTC"

    @property
    def may_have_effect(self) -> bool:
        """Whether it arrived, may have arrived or is going; what was rejected had no effect."""
        return self.state != "rejected"


PRIOR_SEND_PHRASES = {
    "accepted": "accepted on",
    "unknown": "sent, and may have arrived, on",
    "in flight": "in flight since",
    "pending": "recorded, to be sent soon, on",
    "rejected": "rejected on",
}
"""State of an event that was sent before → how a sentence about it begins. In any other it certainly never arrived."""


class PriorSendLookup(Protocol):
    """Looks up which events were sent to the target before. History implements it; validation needs no database."""

    def __call__(self, keys: Sequence[EventKey], /) -> Mapping[EventKey, PriorSend]:
        """What became of these events; one that was never sent, or certainly did not arrive, is left out.

        An id finds every event of that id. A line finds lines of the same product, and what may have been one.
        """


def find_prior_send(event: GivenEvent, find_prior_sends: PriorSendLookup) -> PriorSend | None:
    """What became of one event; of a line of an order that is new, what became of the others."""
    event_id = id_to_text(get_field(event.body, "eventId"))
    if event_id is None:
        return None
    line = OrderLine.find(event.name, event_id, id_to_text(get_field(event.body, "data.productId")))
    keys: list[EventKey] = [event_id] if line is None else [line, event_id]
    found = find_prior_sends(keys)
    return next((found[key] for key in keys if key in found), None)


LineLookup: TypeAlias = Callable[[Int64Array], Sequence[str | None]]
"""Rows (sorted) → the product of each that is a line of an order and has one; ``None`` for every other."""


def read_line_products(source: EventSource, columns: ColumnChecker, rows: Int64Array) -> list[str | None]:
    """The :data:`LineLookup` of a file; ``columns`` are those of its column view."""
    products: list[str | None] = [None] * rows.size
    is_order = ColumnChecker(columns.mapped.select_rows(rows)).is_order
    lines = np.flatnonzero(is_order)
    for index, value in zip(lines.tolist(), source.values("data.productId", rows[lines].tolist()), strict=True):
        products[index] = id_to_text(value)
    return products


def report_prior_sends(
    ids: Iterable[Sequence[str | None]], find_products: LineLookup, find_prior_sends: PriorSendLookup
) -> Iterator[Finding]:
    """Find the events that were sent to the target before (CONTRACT 2.2, 2.9, 3.7), and lines added to known orders.

    ``ids`` are those of all rows in parts: memory holds one of these, and numbers of what is found.
    """
    sent, added, first = _FoundSends(), _FoundSends(), 0
    for part in ids:
        known = _look_up((text for text in part if text is not None), find_prior_sends)
        rows = [row for row, text in enumerate(part) if text in known] if known else []
        products = find_products(np.array(rows, np.int64) + first) if rows else ()
        lines = {
            row: OrderLine(part[row] or "", product)
            for row, product in zip(rows, products, strict=True)
            if product is not None
        }
        known_lines = _look_up(lines.values(), find_prior_sends)
        gone: list[tuple[int, PriorSend]] = []
        beside: list[tuple[int, PriorSend]] = []
        for row in rows:
            of_id = known[part[row] or ""]
            own = known_lines.get(lines[row]) if row in lines else of_id
            if own is not None:
                gone.append((row + first, own))
            if (own is None or not own.may_have_effect) and of_id.may_have_effect:
                beside.append((row + first, of_id))
        sent.extend(gone)
        added.extend(beside)
        first += len(part)
    yield sent.report("sent_before", _describe_prior_send)
    yield added.report("order_line_added", _describe_added_line)


def _look_up(keys: Iterable[EventKey], find_prior_sends: PriorSendLookup) -> dict[EventKey, PriorSend]:
    asked = list(dict.fromkeys(keys))
    found: dict[EventKey, PriorSend] = {}
    for start in range(0, len(asked), SENT_LOOKUP_CHUNK_IDS):
        found.update(find_prior_sends(asked[start : start + SENT_LOOKUP_CHUNK_IDS]))
    return found


_STATES = tuple(PRIOR_SEND_PHRASES)
_STATE_NUMBERS = {name: number for number, name in enumerate(_STATES)}


class _FoundSends:
    """What was found of some rows, as numbers: rows, and for each its state, time, batch and how it was found."""

    def __init__(self) -> None:
        self._rows, self._numbers = [np.empty(0, np.int64)], [np.empty((0, 4), np.int64)]
        self._batches: dict[str, int] = {}

    def extend(self, found: Sequence[tuple[int, PriorSend]]) -> None:
        """Add rows, after all that were added before."""
        numbers = [
            (_STATE_NUMBERS[state], when, self._batches.setdefault(batch, len(self._batches)), by_id_alone)
            for _, (state, when, batch, by_id_alone) in found
        ]
        self._rows.append(np.array([row for row, _ in found], np.int64))
        self._numbers.append(np.array(numbers, np.int64).reshape(-1, 4))

    def report(self, code: str, describe: Callable[[PriorSend], str]) -> Finding:
        """The finding of a code, in parts by state; its hints are made by ``describe``."""
        numbers = np.concatenate(self._numbers)
        return Finding(
            code,
            np.concatenate(self._rows),
            "eventId",
            partial(_describe_row, numbers, list(self._batches), describe),
            partition=partial(_partition_by_state, numbers),
        )


def _describe_row(numbers: Int64Array, batches: Sequence[str], describe: Callable[[PriorSend], str], index: int) -> str:
    state, when, batch, by_id_alone = numbers[index].tolist()
    return describe(PriorSend(_STATES[state], when, batches[batch], bool(by_id_alone)))


def _partition_by_state(numbers: Int64Array) -> Partition:
    return Partition(_STATES, numbers[:, 0])


def _describe_prior_send(send: PriorSend) -> str:
    why = ""
    if send.by_id_alone:
        why = " What was sent with this id has no product that history knows, so that this line counts as sent."
    again = "Nothing to do, if it should be sent again: a target that deduplicates ignores it."
    return f"It was {send.message}.{why} {again}"


def _describe_added_line(send: PriorSend) -> str:
    return (
        f"Other lines were {send.message}. Nothing to do, if this line is new or corrected: it has not been sent. A"
        " target that deduplicates may ignore it, as it comes in another request than the others."
    )
