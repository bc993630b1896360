"""Repeated event ids (CONTRACT 2.9): which row has an id, which rows repeat it, and which are lines of one order.

Everything is worked out over arrays of codes, so that tables, documents and lists of events share it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from intempt_core.arrays import Int64Array, Mask
from intempt_core.contract import EventName, GivenEvent, Json, get_field, id_to_text, read_epoch_ms, read_linking_ids
from intempt_core.readers import TableOrigin
from intempt_core.validation.column_rules import RULE_BLOCK_ROWS
from intempt_core.validation.report import DuplicateKind
from intempt_core.validation.row_issues import Finding, Partition
from intempt_core.validation.time_column import clamp_to_int64


@dataclass(frozen=True, slots=True)
class DuplicateRows:
    """Rows whose event id an earlier row has (CONTRACT 2.9); every array is sorted by row.

    Attributes:
        repeated_rows: Rows that repeat an id.
        repeated_first_rows: Beside each of them the row that has the id first.
        shared_rows: Rows that share an id as lines of one order.
        shared_first_rows: Beside each of them the row that has the id first.
    """

    repeated_rows: Int64Array
    repeated_first_rows: Int64Array
    shared_rows: Int64Array
    shared_first_rows: Int64Array

    def without_lines_of_one_row(
        self, origin: TableOrigin, products: Callable[[Int64Array], Int64Array]
    ) -> "DuplicateRows":
        """These without lines of an order that share an id because they are events of one row.

        One without a product id has that error alone, not also that of an id which it repeats.
        """
        plain = origin.are_of_one_row(self.shared_rows, self.shared_first_rows)
        rows, firsts = self.repeated_rows, self.repeated_first_rows
        forgiven = origin.are_of_one_row(rows, firsts)
        if origin.order_lines.size and forgiven.any():
            forgiven &= origin.order_lines[rows] & origin.order_lines[firsts]
            forgiven[forgiven] = products(rows[forgiven]) < 0
        else:
            forgiven[:] = False
        return DuplicateRows(
            rows[~forgiven], firsts[~forgiven], self.shared_rows[~plain], self.shared_first_rows[~plain]
        )


def find_duplicates(
    ids: Int64Array, wrong: Mask, orders: Callable[[], Int64Array], products: Callable[[Int64Array], Int64Array]
) -> DuplicateRows:
    """Find the rows that repeat or share an event id: the first row without another error has it (CONTRACT 2.9).

    Lines of the first row's order go by event id and product id together: of each further product the first line
    without another error shares the id, and a later one repeats it.

    Args:
        ids: A code for the event id of each row, the same for equal ids; -1 is none.
        wrong: Rows with another error.
        orders: Gives a number for each row, the same for lines of one order; asked only where an id comes twice.
        products: Gives a code for the product id of each of some rows; asked only where lines share an id.
    """
    rows = _find_ids_in_use_twice(ids)
    first = np.append(rows, ids.size)[_find_first_good(ids[rows], ~wrong[rows])]
    later, has_it = rows[first < rows], first[first < rows]
    line = np.zeros(later.size, np.bool_)
    shared = line.copy()
    if later.size:
        order = orders()
        line = order[later] == order[has_it]
    if line.any():
        product = np.full(ids.size, -1)
        some = np.union1d(later[line], has_it[line])
        product[some] = products(some)
        line &= product[later] >= 0
    if line.any():
        in_orders = np.zeros(ids.size, np.bool_)
        in_orders[later[line]] = in_orders[has_it[line]] = True
        lines = np.flatnonzero(in_orders)
        _, key = np.unique(ids[lines] * (product.max() + 1) + product[lines], return_inverse=True)
        first_line = np.append(lines, ids.size)[_find_first_good(key.astype(np.int64), ~wrong[lines])]
        mine = first_line[np.searchsorted(lines, later[line])]
        shared[line] = later[line] <= mine
        has_it[line] = np.where(shared[line], has_it[line], mine)
    return DuplicateRows(later[~shared], has_it[~shared], later[shared], has_it[shared])


def _find_ids_in_use_twice(ids: Int64Array) -> Int64Array:
    """The rows whose id another row has too, sorted; -1 is no id."""
    often = np.zeros(int(ids.max(initial=0)) + 1, np.bool_)
    once = often.copy()
    for some in np.array_split(ids, ids.size // RULE_BLOCK_ROWS + 1):  # a few rows at a time need little memory
        codes, counts = np.unique(some[some >= 0], return_counts=True)
        often[codes] |= once[codes] | (counts > 1)
        once[codes] = True
    return np.flatnonzero(often[ids] & (ids >= 0))


def _find_first_good(codes: Int64Array, good: Mask) -> Int64Array:
    """For each row the index of the first good row of its code; the number of rows where there is none."""
    unique_codes, code = np.unique(codes, return_inverse=True)
    rows = np.flatnonzero(good)[::-1]
    first = np.full(unique_codes.size, codes.size)
    first[code[rows]] = rows  # of equal codes the last one written, which is the first row, stays
    found: Int64Array = first[code]
    return found


def describe_duplicates(
    duplicates: DuplicateRows, describe_row: Callable[[int], str], find_same: Callable[[], Mask]
) -> Iterator[Finding]:
    """Make findings of duplicates; ``find_same`` says of each repeat whether it is the whole event again."""
    hints = _DuplicateHints(duplicates, describe_row, find_same)
    yield Finding(
        "event_id_repeated",
        duplicates.repeated_rows,
        "eventId",
        hints.describe_repeat,
        duplicates.repeated_first_rows,
        hints.get_partition,
    )
    yield Finding(
        "event_id_shared", duplicates.shared_rows, "eventId", hints.describe_shared, duplicates.shared_first_rows
    )


class _DuplicateHints:
    """What is said of single duplicates. Which of them are the whole event again is found out when first asked."""

    def __init__(
        self, duplicates: DuplicateRows, describe_row: Callable[[int], str], find_same: Callable[[], Mask]
    ) -> None:
        self._duplicates, self._describe_row, self._find_same = duplicates, describe_row, find_same

    @cached_property
    def _partition(self) -> Partition:
        return Partition(tuple(DuplicateKind), np.where(self._find_same(), 0, 1))

    def get_partition(self) -> Partition:
        """The repeats by :class:`DuplicateKind`."""
        return self._partition

    def describe_repeat(self, index: int) -> str:
        """What a repeat is, and what to do with it."""
        first = self._describe_row(int(self._duplicates.repeated_first_rows[index]))
        if self._partition.codes[index]:
            return f"It is the id of {first}, whose event is another. Give this event an id of its own."
        return f"It repeats {first} exactly. Leave it out, or give it an id of its own if it happened twice."

    def describe_shared(self, index: int) -> str:
        """With which line of its order a row shares its id."""
        first = self._describe_row(int(self._duplicates.shared_first_rows[index]))
        return f"It is shared with {first}. Nothing to do, if these are lines of one order."


def number_orders(events: Iterable[GivenEvent], rows: Int64Array) -> Int64Array:
    """A number for each order: events share it that are lines of one order (CONTRACT 2.9).

    In a document that is one payload. Elsewhere neighbours, by their ``rows``, with the same event id, person and time.
    """
    orders = np.arange(rows.size)
    payloads: dict[str, int] = {}
    last: tuple[int, GivenEvent] | None = None
    for index, (row, event) in enumerate(zip(rows.tolist(), events, strict=True)):
        if event.name == EventName.ORDERED:
            if not event.name_pointer.startswith(
                event.place.pointer + "/"
            ):  # the name is outside of the event: a payload's
                orders[index] = payloads.setdefault(event.name_pointer, index)
            elif last is not None and last[0] == row - 1 and _is_same_order(last[1], event):
                orders[index] = orders[index - 1]
        last = row, event
    return orders


def _is_same_order(before: GivenEvent, event: GivenEvent) -> bool:
    if before.name != event.name or not before.name_pointer.startswith(before.place.pointer + "/"):
        return False
    event_id = id_to_text(get_field(event.body, "eventId"))
    time = _make_time_key(get_field(event.body, "timestamp"))
    return (
        event_id is not None
        and event_id == id_to_text(get_field(before.body, "eventId"))
        and time is not None
        and time == _make_time_key(get_field(before.body, "timestamp"))
        and not set(read_linking_ids(event.body)).isdisjoint(read_linking_ids(before.body))
    )


def _make_time_key(value: Json) -> tuple[int, ...] | None:
    """A time to compare: no time is one too, an unreadable one is ``None``."""
    time = read_epoch_ms(value)
    if time is not None:
        return (clamp_to_int64(time),)
    return () if value is None else None
