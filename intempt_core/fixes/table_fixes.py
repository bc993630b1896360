"""Fixes of a table: what a person changes of a file before it is sent, as values that give another table.

The file on disk is never changed, and no fix guesses: digits that a spreadsheet has lost cannot be restored. A fix of
many cells is a rule about one cell, or a list of rows. What it would do can be previewed and counted
(:func:`preview_fix`), and removing it from the list of fixes undoes it. Columns that no fix touches are shared with
the table as it was read. ``suggest.py`` says which fixes would help.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import Int64Array, Mask, make_array, make_scalar, take_rows, view_numbers
from intempt_core.contract import (
    BLANK_CHARACTERS,
    EARLIEST_MS,
    FLOAT_OF_WHOLE_PATTERN,
    ID_PATTERNS,
    INVISIBLE_CHARACTERS,
    LATEST_MS,
    Json,
    format_count,
    shorten_value,
)
from intempt_core.mapping import RESERVED_COLUMNS, EventSource, make_event_ids
from intempt_core.readers import JSON_CELL, TEXT_CELL, Table, TableOrigin, parse_exactly
from intempt_core.validation import to_mask

MAX_FIX_ROWS_RECORDED = 100
"""Rows of one fix that its record lists; of more it keeps the count."""

_Column: TypeAlias = pa.ChunkedArray
_INVISIBLE_PATTERN = "[" + "".join(rf"\x{{{ord(character):x}}}" for character in INVISIBLE_CHARACTERS) + "]"


class FixKind(StrEnum):
    """How a fix changes cells."""

    PUT = "put"
    """Write ``new`` into the named rows."""
    REPLACE = "replace"
    """Write ``new`` into every cell that is ``old``."""
    TRIM = "trim"
    """Remove white space around every cell, and invisible characters in it."""
    UNWRAP = "unwrap"
    """Take a spreadsheet's marks for text away from every cell: ``="00123"`` and ``'00123`` (CONTRACT 7.11)."""
    WHOLE = "whole"
    """Write every float of a whole number below 2**53 as that number: ``17850`` for ``17850.0`` (CONTRACT 7.10)."""
    COMPOSE = "compose"
    """Write composed characters (Unicode NFC) into the named rows (CONTRACT 7.15)."""
    SECONDS = "seconds"
    """Make milliseconds of every whole number that can only be seconds (CONTRACT 2.7)."""
    MICROSECONDS = "microseconds"
    """Make milliseconds of every whole number that can only be microseconds (CONTRACT 2.7)."""
    NANOSECONDS = "nanoseconds"
    """Make milliseconds of every whole number that can only be nanoseconds (CONTRACT 7.16)."""
    IDS = "ids"
    """Give the named rows event ids of their own, made from the row's original cells: the same file gets the same."""


_KIND_PHRASES = {
    FixKind.TRIM: "Trim white space in",
    FixKind.UNWRAP: "Take a spreadsheet's marks away from",
    FixKind.WHOLE: "Whole numbers without “.0” in",
    FixKind.COMPOSE: "Composed characters (Unicode NFC) in",
    FixKind.IDS: "Give an id of its own to",
}


@dataclass(frozen=True)
class Fix:
    """One fix of one column.

    Attributes:
        kind: How it changes cells.
        column: The file's header.
        rows: The rows of :attr:`FixKind.PUT`, :attr:`FixKind.COMPOSE` and :attr:`FixKind.IDS`, from 0, sorted.
        old: The cell that :attr:`FixKind.REPLACE` replaces; of a single :attr:`FixKind.PUT` the cell as it was.
        new: The text that both write.
    """

    kind: FixKind
    column: str
    rows: tuple[int, ...] = ()
    old: str = ""
    new: str = ""

    @cached_property
    def key(self) -> str:
        """A short text that is different for every different fix."""
        whole = json.dumps([self.kind.value, self.column, self.rows, self.old, self.new])
        return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()

    def describe(self, cells: int, table: Table | None = None) -> str:
        """Describe what it does to so many cells: “Seconds → milliseconds in 4,067 cells of timestamp”.

        ``table`` knows which row and member its rows are, where a row becomes several events.
        """
        many = f"{format_count(cells, 'cell')} of {self.column}"
        old, new = _quote_value(self.old), _quote_value(self.new)
        match self.kind:
            case FixKind.PUT if len(self.rows) == 1:
                return f"{self._name_row(table)}, {self.column}: {old} → {new}"
            case FixKind.PUT:
                return f"Empty {many}" if not self.new else f"Write {new} into {many}"
            case FixKind.REPLACE:
                return f"{old} → {new} in {many}"
            case FixKind.SECONDS | FixKind.MICROSECONDS | FixKind.NANOSECONDS:
                return f"{self.kind.value.capitalize()} → milliseconds in {many}"
            case _:
                return f"{_KIND_PHRASES[self.kind]} {many}"

    def _name_row(self, table: Table | None) -> str:
        row, member, origin = self.rows[0], 0, None if table is None else table.origin
        if origin is not None:
            member = int(origin.members[row]) if self.column in origin.member_columns else 0
            row = int(origin.rows[row])
        return f"Row {row + 1:,}" + (f", member {member:,}" if member else "")

    def record(self, cells: int, table: Table | None = None) -> Json:
        """The fix as history keeps it with its batch; ``table`` as in :meth:`describe`."""
        picked = np.array(self.rows, np.int64)
        numbers = (picked + 1).tolist() if table is None else sorted(set(table.row_numbers(picked)))
        rows = {"rows": numbers} if 0 < len(self.rows) <= MAX_FIX_ROWS_RECORDED else {}
        message = self.describe(cells, table)
        return {"kind": self.kind.value, "column": self.column, "cells": cells, "message": message, **rows}


def _quote_value(text: str) -> str:
    return f"“{shorten_value(text)}”" if text else "empty"


# ── what a fix does ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, eq=False)
class ColumnChange:
    """The cells that a fix changes.

    A cell that several events of one row share is one: it is named at the first of them, and changes for all.

    Attributes:
        fix: The fix.
        rows: The cells' rows, from 0, sorted.
        before: Their texts as they are.
        after: Their texts as they would be.
        message: The fix with its count, as a sentence.
        shared: The rows of all events that share these cells, and their texts, where a row may be several events.
    """

    fix: Fix
    rows: Int64Array
    before: pa.Array
    after: pa.Array
    message: str
    shared: tuple[Int64Array, pa.Array] | None = None

    @property
    def cells(self) -> int:
        """How many cells change; one that is the same afterwards is not counted."""
        return int(self.rows.size)


def preview_fix(table: Table, fix: Fix, original: Table | None = None) -> ColumnChange:
    """Find what a fix would change of a table; ``original`` is the table as it was read, if it was fixed before."""
    column = table.columns[fix.column]
    if fix.kind in _COLUMN_FIXES:
        whole = _COLUMN_FIXES[fix.kind](column)
        rows = np.flatnonzero(to_mask(pc.not_equal(column, whole)))
        return _make_change(table, fix, rows, _take_rows(column, rows), _take_rows(whole, rows))
    if fix.kind is FixKind.REPLACE:
        rows = np.flatnonzero(to_mask(pc.equal(column, fix.old)))
    else:
        rows = np.array(fix.rows, np.int64)
        rows = rows[rows < table.rows]
    origin = table.origin
    if origin is not None and fix.column not in origin.member_columns:
        rows = origin.spread_rows(rows)
    before = _take_rows(column, rows)
    match fix.kind:
        case FixKind.IDS:
            after = make_own_ids(original or table, fix.column, rows)
        case FixKind.COMPOSE:
            after = pc.utf8_normalize(before, "NFC")
        case _:
            after = _repeat_text(fix.new, rows.size)
    if origin is not None and fix.column == origin.id_column:
        after = number_members(origin, rows, after)
    other = np.flatnonzero(to_mask(pc.not_equal(before, after)))
    return _make_change(table, fix, rows[other], before.take(make_array(other)), after.take(make_array(other)))


def _make_change(table: Table, fix: Fix, rows: Int64Array, before: pa.Array, after: pa.Array) -> ColumnChange:
    """The change of some cells, each of which is named once, however many events share it."""
    origin = table.origin
    if origin is None or fix.column in origin.member_columns:
        return ColumnChange(fix, rows, before, after, fix.describe(rows.size, table))
    firsts = np.unique(origin.rows[rows], return_index=True)[1]
    some = make_array(firsts)
    message = fix.describe(firsts.size, table)
    return ColumnChange(fix, rows[firsts], before.take(some), after.take(some), message, (rows, after))


def number_members(origin: TableOrigin, rows: Int64Array, ids: pa.Array) -> pa.Array:
    """The event ids of some events, with the number of the member behind those that are not shared in a row."""
    own = origin.own_ids[rows] & (view_numbers(pc.binary_length(ids)) > 0)
    numbers = make_array(origin.members[rows]).cast(pa.string())
    return pc.if_else(make_array(own), pc.binary_join_element_wise(ids, numbers, make_scalar("-", pa.string())), ids)


def _repeat_text(text: str, count: int) -> pa.Array:
    return pa.repeat(make_scalar(text, pa.string()), count)


def _take_rows(column: _Column, rows: Int64Array) -> pa.Array:
    return take_rows(column, rows).cast(pa.string())


def _trim_cells(column: _Column) -> _Column:
    return pc.replace_substring_regex(pc.utf8_trim(column, characters=BLANK_CHARACTERS), _INVISIBLE_PATTERN, "")


def _unwrap_cells(column: _Column) -> _Column:
    return pc.replace_substring_regex(column, ID_PATTERNS["id_spreadsheet_text"], r"\1\2")


def _drop_zero_fractions(column: _Column) -> _Column:
    return pc.replace_substring_regex(column, FLOAT_OF_WHOLE_PATTERN, r"\1")


def _convert_seconds(column: _Column) -> _Column:
    digits, seconds = _parse_digits(column, "^[0-9]{10}$")
    sure = pc.and_(pc.greater_equal(seconds, EARLIEST_MS // 1000), pc.less_equal(seconds, LATEST_MS // 1000))
    return pc.if_else(pc.and_(digits, sure), pc.binary_join_element_wise(column, "000", ""), column)


def _convert_microseconds(column: _Column) -> _Column:
    digits, micros = _parse_digits(column, "^[0-9]{16}$")
    sure = pc.and_(pc.greater_equal(micros, EARLIEST_MS * 1000), pc.less_equal(micros, LATEST_MS * 1000))
    return pc.if_else(pc.and_(digits, sure), pc.utf8_slice_codeunits(column, 0, 13), column)


def _convert_nanoseconds(column: _Column) -> _Column:
    digits, nanos = _parse_digits(column, "^[0-9]{19}$")
    sure = pc.and_(pc.greater_equal(nanos, EARLIEST_MS * 10**6), pc.less_equal(nanos, LATEST_MS * 10**6))
    return pc.if_else(pc.and_(digits, sure), pc.utf8_slice_codeunits(column, 0, 13), column)


def _parse_digits(column: _Column, pattern: str) -> tuple[_Column, _Column]:
    """Which cells fit a pattern of digits, and their numbers; 0 for the others."""
    digits = pc.match_substring_regex(column, pattern)
    return digits, pc.if_else(digits, column, "0").cast(pa.uint64())


_COLUMN_FIXES: dict[FixKind, Callable[[_Column], _Column]] = {
    FixKind.TRIM: _trim_cells,
    FixKind.UNWRAP: _unwrap_cells,
    FixKind.WHOLE: _drop_zero_fractions,
    FixKind.SECONDS: _convert_seconds,
    FixKind.MICROSECONDS: _convert_microseconds,
    FixKind.NANOSECONDS: _convert_nanoseconds,
}
"""The fixes of a whole column: each is a rule about one cell, and finds nothing to do the second time."""


def make_own_ids(original: Table, column: str, rows: Int64Array) -> pa.Array:
    """Make event ids for these rows (ARCHITECTURE, made event ids): from their cells and their occurrence number.

    So the same file, fixed in the same way, gives the same ids again. Identical rows share their cell of the id's
    column: only rows that share one need to be looked at.
    """
    if original.origin is not None and column not in original.origin.member_columns:
        of_rows, events = np.unique(original.origin.rows[rows], return_inverse=True)
        return make_own_ids(original.origin.table, column, of_rows).take(make_array(events))
    cells = original.columns[column]
    alike = np.flatnonzero(to_mask(pc.is_in(cells, value_set=pc.unique(_take_rows(cells, rows)))))
    some = {header: pa.chunked_array([take_rows(texts, alike)]) for header, texts in original.columns.items()}
    made = make_event_ids(replace(original, columns=some, lines=original.lines[alike]), None, RESERVED_COLUMNS)
    return made.take(make_array(np.searchsorted(alike, rows))).cast(pa.string())


# ── fixed tables ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, eq=False)
class FixedTable:
    """A mapped table after some fixes.

    Attributes:
        mapped: The table.
        cells: How many cells each fix changed.
    """

    mapped: EventSource
    cells: tuple[int, ...]


def apply_fixes(mapped: EventSource, fixes: Sequence[Fix]) -> FixedTable:
    """Apply fixes to a mapped table, one after the other; event ids that were made for its rows stay the same."""
    original, table, counts = mapped.original or mapped.table, mapped.table, []
    for step in fixes:
        changed = preview_fix(table, step, original)
        table = apply_change(table, changed)
        counts.append(changed.cells)
    return FixedTable(mapped.with_table(table), tuple(counts))


def apply_change(table: Table, change: ColumnChange) -> Table:
    """Make a change in a table; every other column, and every chunk that is not touched, is shared."""
    if not change.cells:
        return table
    column = change.fix.column
    rows, texts = change.shared or (change.rows, change.after)
    fixed = table.with_column(column, _replace_cells(table.columns[column], rows, texts))
    kinds = table.cell_kinds.get(column)
    if kinds is None:
        return fixed
    kinds = kinds.copy()
    kinds[rows] = np.where((kinds[rows] == JSON_CELL) & _are_json_values(texts), JSON_CELL, TEXT_CELL)
    return replace(fixed, cell_kinds={**table.cell_kinds, column: kinds})


def _are_json_values(texts: pa.Array) -> Mask:
    """Whether each text is a JSON value that is no text: what was a number stays one where it is corrected."""
    spellings = texts.dictionary_encode()
    found = np.array([_is_json_value(text) for text in spellings.dictionary.to_pylist()], np.bool_)
    are_values: Mask = found[view_numbers(spellings.indices)]
    return are_values


def _is_json_value(text: str) -> bool:
    try:
        return not isinstance(parse_exactly(text.encode()), str)
    except ValueError:
        return False


def _replace_cells(column: _Column, rows: Int64Array, texts: pa.Array) -> _Column:
    chunks, begin = [], 0
    for chunk in column.chunks:
        first, last = np.searchsorted(rows, [begin, begin + len(chunk)])
        if first < last:
            mask = np.zeros(len(chunk), np.bool_)
            mask[rows[first:last] - begin] = True
            chunk = pc.replace_with_mask(chunk, make_array(mask), texts.slice(first, last - first))  # noqa: PLW2901  the same chunk, fixed
        chunks.append(chunk)
        begin += len(chunk)
    return pa.chunked_array(chunks, column.type)
