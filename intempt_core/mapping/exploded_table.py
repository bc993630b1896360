"""A table whose rows are events: made of the rows as read, where a mapping makes several of one (CONTRACT 7.20).

It is a table as any other to what follows, so that rules, plans and bodies stay work over whole columns. Which row and
member each of its rows is says :class:`~intempt_core.readers.TableOrigin`.
"""

from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import Int64Array, Mask, combine_column, make_array, make_scalar, take_rows, view_numbers
from intempt_core.contract import EventName, suggest_nearest
from intempt_core.errors import MappingError, TableTooLarge
from intempt_core.mapping.derived_columns import NAME_SEPARATOR, add_derived_columns
from intempt_core.mapping.member_columns import Members, read_members
from intempt_core.mapping.model import Mapping
from intempt_core.readers import (
    CellCounts,
    ReadLimits,
    ReplaceableColumns,
    Table,
    TableOrigin,
)

OUTER_BLOCK_EVENTS = 65_536
"""Events whose shared cells are repeated together."""


class ExplodedColumns(ReplaceableColumns):
    """Header → column: members have their own, and what is outside the list is repeated when it is first asked for."""

    def __init__(self, table: Table, rows: Int64Array, own: AnyMapping[str, pa.ChunkedArray]) -> None:
        self._table, self._rows, self._own = table, rows, dict(own)
        self._made: dict[str, pa.ChunkedArray] = {}

    def __getstate__(self) -> dict[str, object]:
        """Everything but the columns that were made."""
        return {**vars(self), "_made": {}}

    def __getitem__(self, name: str) -> pa.ChunkedArray:
        if name in self._own:
            return self._own[name]
        if name not in self._made:
            column = self._table.columns[name]
            parts = [
                take_rows(column, self._rows[start : start + OUTER_BLOCK_EVENTS]).cast(pa.string())
                for start in range(0, self._rows.size, OUTER_BLOCK_EVENTS)
            ]
            self._made[name] = pa.chunked_array(parts, pa.string())
        return self._made[name]

    def with_column(self, name: str, column: pa.ChunkedArray) -> "ExplodedColumns":
        """The same columns, one of them another; the others are shared."""
        found = ExplodedColumns(self._table, self._rows, {**self._own, name: column})
        found._made = self._made
        return found

    def __iter__(self) -> Iterator[str]:
        yield from (name for name in self._table.columns if name not in self._own)
        yield from self._own

    def __len__(self) -> int:
        return len({*self._table.columns, *self._own})


def expand_table(table: Table, mapping: Mapping, limits: ReadLimits | None = None) -> Table:
    """The rows of a table as events, as a mapping says; the table itself where each row is one, as it was read.

    Raises :class:`MappingError` where the file has no such column, and
    :class:`~intempt_core.errors.TableTooLarge` where the events are more than ``limits``.
    """
    wide = add_derived_columns(table, mapping)
    if wide is table and not mapping.explode and not mapping.ignored_names:
        return table
    rows, members = np.arange(table.rows), np.zeros(table.rows, np.int64)
    ignored = _find_ignored(wide, mapping)
    if ignored.size:
        rows, members = np.delete(rows, ignored), np.delete(members, ignored)
    names = wide.take_cells(_name_column(mapping), ignored.tolist()) if ignored.size else []
    found = Members()
    if mapping.explode is not None:
        found = read_members(wide, mapping.explode, rows, list(filter(mapping.is_member, mapping.columns)))
        members = found.members
        rows = np.repeat(rows, found.counts)
        if not found.rows_with_members and rows.size:
            raise MappingError(
                f"No row of {table.name} has a list at “{', '.join(mapping.explode.sources)}”, so that “explode” makes"
                " nothing of it. See that it names the list, or leave it out."
            )
        _check_size(wide, mapping, rows, limits or ReadLimits())
    origin = TableOrigin(table, rows, members, ignored, names, frozenset(found.columns))
    exploded = replace(
        wide,
        header=(*wide.header, *(column for column in found.columns if column not in wide.header)),
        columns=ExplodedColumns(wide, rows, found.columns),
        lines=wide.lines[rows],
        cell_counts=_spread_numbers(wide.cell_counts, wide, rows),
        malformed_quotes=_spread_numbers(wide.malformed_quotes, wide, rows),
        documents=None,
        cell_kinds={**{column: kinds[rows] for column, kinds in wide.cell_kinds.items()}, **found.kinds},
        origin=origin,
        notes=(*wide.notes, *found.notes),
    )
    return _merge_columns(_give_own_ids(exploded, mapping), mapping) if mapping.explode else exploded


def _name_column(mapping: Mapping) -> str:
    if mapping.name_columns:
        return NAME_SEPARATOR.join(mapping.name_columns)
    return next(column for column, field in mapping.columns.items() if field == "name")


def _find_ignored(table: Table, mapping: Mapping) -> Int64Array:
    """The rows whose name a person said is not for us (CONTRACT 7.24)."""
    if not mapping.ignored_names:
        return np.zeros(0, np.int64)
    names = make_array(list(mapping.ignored_names), pa.string())
    mask = pc.is_in(table.columns[_name_column(mapping)], value_set=names)
    return np.flatnonzero(view_numbers(mask))


def _check_size(table: Table, mapping: Mapping, rows: Int64Array, limits: ReadLimits) -> None:
    size = 0
    for column in mapping.columns:
        if column in table.columns:
            lengths = view_numbers(pc.binary_length(combine_column(table.columns[column])))
            size += int(lengths[rows].sum())
    if rows.size > limits.rows or size > limits.table_bytes:
        raise TableTooLarge(
            f"{table.name} becomes {rows.size:,} events of {size:,} bytes. Up to {limits.rows:,} of"
            f" {limits.table_bytes:,} are taken. Cut it into several files."
        )


def _spread_numbers(given: AnyMapping[int, int], table: Table, rows: Int64Array) -> AnyMapping[int, int]:
    """Row → number, for the events of those rows."""
    if not given:
        return {}
    numbers = np.full(table.rows, -1, np.int64)
    numbers[list(given)] = list(given.values())
    events = np.flatnonzero(numbers[rows] >= 0)
    return CellCounts(events, numbers[rows][events])


# ── what members share, and what each has of its own ─────────────────────────────────────────────────────────────────


def _give_own_ids(table: Table, mapping: Mapping) -> Table:
    """The table with event ids that members do not share, but for the lines of one order (CONTRACT 2.9, 7.22).

    Each has its row's id and its number behind it. Of two lines of an order that name one product, the later one too.
    """
    column = next((c for c, field in mapping.columns.items() if field == "eventId" and not mapping.is_member(c)), None)
    origin = table.origin
    if column is None or origin is None:
        return table
    is_order = _find_orders(table, mapping)
    repeats = is_order & _find_repeated_products(table, mapping, is_order)
    cells = combine_column(table.columns[column])
    numbered = (origin.members > 0) & (~is_order | repeats)
    own = numbered & (view_numbers(pc.binary_length(cells)) > 0)
    table = replace(table, origin=replace(origin, id_column=column, order_lines=is_order, own_ids=numbered))
    if not own.any():
        return table
    with_numbers = pc.binary_join_element_wise(
        cells, make_array(origin.members).cast(pa.large_string()), make_scalar("-")
    )
    changed = pc.if_else(make_array(own), with_numbers, cells).cast(pa.string())
    notes = table.notes
    if repeats.any():
        first = table.describe_row(int(np.flatnonzero(repeats)[0]))
        count = int(repeats.sum())
        lines = "One line of an order names" if count == 1 else f"{count:,} lines of orders name"
        what = f"{lines} a product that an earlier line of the order names (the first: {first})."
        notes = (*notes, f"{what} Each gets an event id of its own: the order's, and its number.")
    return replace(table.with_column(column, pa.chunked_array([changed])), notes=notes)


def _find_orders(table: Table, mapping: Mapping) -> Mask:
    """The members that are lines of an order."""
    ordered = EventName.ORDERED
    exploded: Mask = (table.origin.members if table.origin is not None else np.zeros(table.rows)) > 0
    if mapping.constants.get("name") is not None:
        return exploded if mapping.constants["name"] == ordered else np.zeros(table.rows, np.bool_)
    column = _name_column(mapping) if mapping.name_columns or "name" in mapping.columns.values() else None
    if column is None:
        return np.zeros(table.rows, np.bool_)
    spellings = [cell for cell, name in mapping.names.items() if name == ordered]
    spellings += [ordered.value] if mapping.names.get(ordered.value, ordered) == ordered else []
    named: Mask = view_numbers(pc.is_in(table.columns[column], value_set=make_array(spellings, pa.string())))
    return exploded & named


def _find_repeated_products(table: Table, mapping: Mapping, is_order: Mask) -> Mask:
    """The lines of orders whose product an earlier line of the same row names."""
    found = np.zeros(table.rows, np.bool_)
    column = next(
        (c for c, field in mapping.columns.items() if field == "data.productId" and mapping.is_member(c)), None
    )
    rows = np.flatnonzero(is_order)
    if table.origin is None or column is None or column not in table.columns or not rows.size:
        return found
    cells = take_rows(table.columns[column], rows)
    codes = view_numbers(cells.dictionary_encode().indices).astype(np.int64)
    keys = table.origin.rows[rows] * (int(codes.max()) + 1) + codes
    _, first = np.unique(keys, return_index=True)
    is_later = np.ones(rows.size, np.bool_)
    is_later[first] = False
    is_later &= view_numbers(pc.binary_length(cells)) > 0
    found[rows[is_later]] = True
    return found


def _merge_columns(table: Table, mapping: Mapping) -> Table:
    """The table with columns of members that have the outer column's cell where a member has none of the field."""
    outer = {field: column for column, field in mapping.columns.items() if not mapping.is_member(column)}
    for column, field in mapping.columns.items():
        if not mapping.is_member(column):
            continue
        if column not in table.columns:
            known = [name for name in table.header if mapping.is_member(name)]
            raise MappingError(f"No member has “{column}”. {suggest_nearest(column, known)}")
        if field in outer:
            own, other = (combine_column(table.columns[name]) for name in (column, outer[field]))
            is_own = pc.greater(pc.binary_length(own), 0)
            merged = pa.chunked_array([pc.if_else(is_own, own, other).cast(pa.string())])
            none = np.zeros(table.rows, np.uint8)
            kinds = np.where(
                view_numbers(is_own), table.cell_kinds.get(column, none), table.cell_kinds.get(outer[field], none)
            )
            table = replace(table.with_column(column, merged), cell_kinds={**table.cell_kinds, column: kinds})
    return table
