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

from intempt_core.arrays import Int64Array, make_array, make_scalar, take_rows
from intempt_core.contract import (
    BLANK_CHARACTERS,
    EARLIEST_MS,
    INVISIBLE_CHARACTERS,
    LATEST_MS,
    Json,
    format_count,
    shorten_value,
)
from intempt_core.mapping import RESERVED_COLUMNS, EventSource, make_event_ids
from intempt_core.readers import Table
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
    SECONDS = "seconds"
    """Make milliseconds of every whole number that can only be seconds (CONTRACT 2.7)."""
    MICROSECONDS = "microseconds"
    """Make milliseconds of every whole number that can only be microseconds (CONTRACT 2.7)."""
    IDS = "ids"
    """Give the named rows event ids of their own, made from the row's original cells: the same file gets the same."""


@dataclass(frozen=True)
class Fix:
    """One fix of one column.

    Attributes:
        kind: How it changes cells.
        column: The file's header.
        rows: The rows of :attr:`FixKind.PUT` and :attr:`FixKind.IDS`, from 0, sorted.
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

    def describe(self, cells: int) -> str:
        """Describe what it does to so many cells: “Seconds → milliseconds in 4,067 cells of timestamp”."""
        many = f"{format_count(cells, 'cell')} of {self.column}"
        old, new = _quote_value(self.old), _quote_value(self.new)
        match self.kind:
            case FixKind.PUT if len(self.rows) == 1:
                return f"Row {self.rows[0] + 1:,}, {self.column}: {old} → {new}"
            case FixKind.PUT:
                return f"Empty {many}" if not self.new else f"Write {new} into {many}"
            case FixKind.REPLACE:
                return f"{old} → {new} in {many}"
            case FixKind.TRIM:
                return f"Trim white space in {many}"
            case FixKind.SECONDS | FixKind.MICROSECONDS:
                return f"{self.kind.value.capitalize()} → milliseconds in {many}"
            case FixKind.IDS:
                return f"Give an id of its own to {many}"

    def record(self, cells: int) -> Json:
        """The fix as history keeps it with its batch."""
        rows = {"rows": [row + 1 for row in self.rows]} if 0 < len(self.rows) <= MAX_FIX_ROWS_RECORDED else {}
        return {"kind": self.kind.value, "column": self.column, "cells": cells, "message": self.describe(cells), **rows}


def _quote_value(text: str) -> str:
    return f"“{shorten_value(text)}”" if text else "empty"


# ── what a fix does ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, eq=False)
class ColumnChange:
    """The cells that a fix changes.

    Attributes:
        fix: The fix.
        rows: The cells' rows, from 0, sorted.
        before: Their texts as they are.
        after: Their texts as they would be.
    """

    fix: Fix
    rows: Int64Array
    before: pa.Array
    after: pa.Array

    @property
    def cells(self) -> int:
        """How many cells change; one that is the same afterwards is not counted."""
        return int(self.rows.size)

    @property
    def message(self) -> str:
        """The fix with its count, as a sentence."""
        return self.fix.describe(self.cells)


def preview_fix(table: Table, fix: Fix, original: Table | None = None) -> ColumnChange:
    """Find what a fix would change of a table; ``original`` is the table as it was read, if it was fixed before."""
    column = table.columns[fix.column]
    if fix.kind in _COLUMN_FIXES:
        whole = _COLUMN_FIXES[fix.kind](column)
        rows = np.flatnonzero(to_mask(pc.not_equal(column, whole)))
        return ColumnChange(fix, rows, _take_rows(column, rows), _take_rows(whole, rows))
    if fix.kind is FixKind.REPLACE:
        rows = np.flatnonzero(to_mask(pc.equal(column, fix.old)))
    else:
        rows = np.array(fix.rows, np.int64)
        rows = rows[rows < table.rows]
    before = _take_rows(column, rows)
    after = (
        make_own_ids(original or table, fix.column, rows)
        if fix.kind is FixKind.IDS
        else _repeat_text(fix.new, rows.size)
    )
    other = np.flatnonzero(to_mask(pc.not_equal(before, after)))
    return ColumnChange(fix, rows[other], before.take(make_array(other)), after.take(make_array(other)))


def _repeat_text(text: str, count: int) -> pa.Array:
    return pa.repeat(make_scalar(text, pa.string()), count)


def _take_rows(column: _Column, rows: Int64Array) -> pa.Array:
    return take_rows(column, rows).cast(pa.string())


def _trim_cells(column: _Column) -> _Column:
    return pc.replace_substring_regex(pc.utf8_trim(column, characters=BLANK_CHARACTERS), _INVISIBLE_PATTERN, "")


def _convert_seconds(column: _Column) -> _Column:
    digits, seconds = _parse_digits(column, "^[0-9]{10}$")
    sure = pc.and_(pc.greater_equal(seconds, EARLIEST_MS // 1000), pc.less_equal(seconds, LATEST_MS // 1000))
    return pc.if_else(pc.and_(digits, sure), pc.binary_join_element_wise(column, "000", ""), column)


def _convert_microseconds(column: _Column) -> _Column:
    digits, micros = _parse_digits(column, "^[0-9]{16}$")
    sure = pc.and_(pc.greater_equal(micros, EARLIEST_MS * 1000), pc.less_equal(micros, LATEST_MS * 1000))
    return pc.if_else(pc.and_(digits, sure), pc.utf8_slice_codeunits(column, 0, 13), column)


def _parse_digits(column: _Column, pattern: str) -> tuple[_Column, _Column]:
    """Which cells fit a pattern of digits, and their numbers; 0 for the others."""
    digits = pc.match_substring_regex(column, pattern)
    return digits, pc.if_else(digits, column, "0").cast(pa.int64())


_COLUMN_FIXES: dict[FixKind, Callable[[_Column], _Column]] = {
    FixKind.TRIM: _trim_cells,
    FixKind.SECONDS: _convert_seconds,
    FixKind.MICROSECONDS: _convert_microseconds,
}
"""The fixes of a whole column: each is a rule about one cell, and finds nothing to do the second time."""


def make_own_ids(original: Table, column: str, rows: Int64Array) -> pa.Array:
    """Make event ids for these rows (ARCHITECTURE, made event ids): from their cells and their occurrence number.

    So the same file, fixed in the same way, gives the same ids again. Identical rows share their cell of the id's
    column: only rows that share one need to be looked at.
    """
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
    return table.with_column(column, _replace_cells(table.columns[column], change))


def _replace_cells(column: _Column, change: ColumnChange) -> _Column:
    chunks, begin = [], 0
    for chunk in column.chunks:
        first, last = np.searchsorted(change.rows, [begin, begin + len(chunk)])
        if first < last:
            mask = np.zeros(len(chunk), np.bool_)
            mask[change.rows[first:last] - begin] = True
            chunk = pc.replace_with_mask(chunk, make_array(mask), change.after.slice(first, last - first))  # noqa: PLW2901  the same chunk, fixed
        chunks.append(chunk)
        begin += len(chunk)
    return pa.chunked_array(chunks, column.type)
