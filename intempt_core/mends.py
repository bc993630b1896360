"""Mends: what a person changes of a file before it is sent, as values; applied to a table they give another table.

The file on disk is never changed, and no mend guesses: digits that a spreadsheet has lost are gone, and no mend brings
them back. A mend of a whole group is a rule about one cell, or a list of rows; what it would do can be looked at and
counted before (:func:`change`), and leaving one step out of a list of mends undoes it. Columns that no mend touches are
shared with the table as it was read. What can be mended is offered in ``offering.py``.
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

from intempt_core.cells import make_event_ids
from intempt_core.columns import Numbers, mask_of
from intempt_core.events import EARLIEST_MS, INVISIBLE_CHARACTERS, LATEST_MS, BLANK_CHARACTERS, Json
from intempt_core.issues import shorten_value
from intempt_core.mapped import MappedTable
from intempt_core.mapping import RESERVED_COLUMNS
from intempt_core.tables import Table

ROWS_RECORDED = 100
"""Rows of one mend that its record names; of more it keeps the count."""

_Column: TypeAlias = pa.ChunkedArray
_INVISIBLE = "[" + "".join(rf"\x{{{ord(character):x}}}" for character in INVISIBLE_CHARACTERS) + "]"


class Way(StrEnum):
    """How a mend changes cells."""

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
class Mend:
    """One step: ``column`` is the file's header, ``rows`` count from 0 and are sorted.

    ``rows`` is for :attr:`Way.PUT` and :attr:`Way.IDS`, ``old`` for :attr:`Way.REPLACE` (and told of a single
    :attr:`Way.PUT`), ``new`` for both.
    """

    way: Way
    column: str
    rows: tuple[int, ...] = ()
    old: str = ""
    new: str = ""

    @cached_property
    def key(self) -> str:
        """A short text that is another for every other mend."""
        whole = json.dumps([self.way.value, self.column, self.rows, self.old, self.new])
        return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()

    def words(self, cells: int) -> str:
        """What it does to so many cells: “Seconds to milliseconds in 4,067 cells of timestamp”."""
        many = f"{cells:,} cell{'' if cells == 1 else 's'} of {self.column}"
        old, new = _quoted(self.old), _quoted(self.new)
        match self.way:
            case Way.PUT if len(self.rows) == 1:
                return f"Row {self.rows[0] + 1:,}, {self.column}: {old} → {new}"
            case Way.PUT:
                return f"Empty {many}" if not self.new else f"Write {new} into {many}"
            case Way.REPLACE:
                return f"{old} → {new} in {many}"
            case Way.TRIM:
                return f"Trim white space in {many}"
            case Way.SECONDS | Way.MICROSECONDS:
                return f"{self.way.value.capitalize()} → milliseconds in {many}"
            case Way.IDS:
                return f"Give an id of its own to {many}"

    def record(self, cells: int) -> Json:
        """The mend as history keeps it with its batch."""
        rows = {"rows": [row + 1 for row in self.rows]} if 0 < len(self.rows) <= ROWS_RECORDED else {}
        return {"way": self.way.value, "column": self.column, "cells": cells, "words": self.words(cells), **rows}


def _quoted(text: str) -> str:
    return f"“{shorten_value(text)}”" if text else "empty"


# ── what a mend does ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, eq=False)
class Change:
    """The cells that a mend changes: their rows (from 0, sorted), and their text before and after."""

    mend: Mend
    rows: Numbers
    before: pa.Array
    after: pa.Array

    @property
    def cells(self) -> int:
        """How many cells change; a cell that stays as it is, is none."""
        return int(self.rows.size)

    @property
    def words(self) -> str:
        """The mend with its count."""
        return self.mend.words(self.cells)


def change(table: Table, mend: Mend, original: Table | None = None) -> Change:
    """What a mend would change of a table; ``original`` is the table as it was read, where others went before."""
    column = table.columns[mend.column]
    if mend.way in _RULES:
        whole = _RULES[mend.way](column)
        rows = np.flatnonzero(mask_of(pc.not_equal(column, whole)))
        return Change(mend, rows, _taken(column, rows), _taken(whole, rows))
    if mend.way is Way.REPLACE:
        rows = np.flatnonzero(mask_of(pc.equal(column, mend.old)))
    else:
        rows = np.array(mend.rows, np.int64)
        rows = rows[rows < table.rows]
    before = _taken(column, rows)
    after = own_ids(original or table, mend.column, rows) if mend.way is Way.IDS else _all(mend.new, rows.size)
    other = np.flatnonzero(mask_of(pc.not_equal(before, after)))
    return Change(mend, rows[other], before.take(pa.array(other)), after.take(pa.array(other)))


def _all(text: str, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, pa.string()), count)


def _taken(column: _Column, rows: Numbers) -> pa.Array:
    taken = column.take(pa.array(rows))
    return pa.concat_arrays(taken.chunks) if taken.num_chunks else pa.array([], pa.string())


def _trimmed(column: _Column) -> _Column:
    return pc.replace_substring_regex(pc.utf8_trim(column, characters=BLANK_CHARACTERS), _INVISIBLE, "")


def _from_seconds(column: _Column) -> _Column:
    digits, seconds = _numbers(column, "^[0-9]{10}$")
    sure = pc.and_(pc.greater_equal(seconds, EARLIEST_MS // 1000), pc.less_equal(seconds, LATEST_MS // 1000))
    return pc.if_else(pc.and_(digits, sure), pc.binary_join_element_wise(column, "000", ""), column)


def _from_microseconds(column: _Column) -> _Column:
    digits, micros = _numbers(column, "^[0-9]{16}$")
    sure = pc.and_(pc.greater_equal(micros, EARLIEST_MS * 1000), pc.less_equal(micros, LATEST_MS * 1000))
    return pc.if_else(pc.and_(digits, sure), pc.utf8_slice_codeunits(column, 0, 13), column)


def _numbers(column: _Column, pattern: str) -> tuple[_Column, _Column]:
    """Which cells fit a pattern of digits, and their numbers; 0 for the others."""
    digits = pc.match_substring_regex(column, pattern)
    return digits, pc.if_else(digits, column, "0").cast(pa.int64())


_RULES: dict[Way, Callable[[_Column], _Column]] = {
    Way.TRIM: _trimmed,
    Way.SECONDS: _from_seconds,
    Way.MICROSECONDS: _from_microseconds,
}
"""The mends of a whole column: each a rule about one cell, and one that finds nothing more to do the second time."""


def own_ids(original: Table, column: str, rows: Numbers) -> pa.Array:
    """Event ids for these rows, made from their cells in the file and their number among identical rows (DESIGN).

    So the same file, mended the same way, gives the same ids again. Identical rows share their cell of the id's column:
    only rows that share one need to be looked at.
    """
    cells = original.columns[column]
    alike = np.flatnonzero(mask_of(pc.is_in(cells, value_set=pc.unique(_taken(cells, rows)))))
    some = {header: texts.take(pa.array(alike)) for header, texts in original.columns.items()}
    made = make_event_ids(replace(original, columns=some, lines=original.lines[alike]), None, RESERVED_COLUMNS)
    return made.take(pa.array(np.searchsorted(alike, rows))).cast(pa.string())


# ── mended tables ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, eq=False)
class Mended:
    """A mapped table after some mends, and how many cells each of them changed."""

    mapped: MappedTable
    cells: tuple[int, ...]


def mend(mapped: MappedTable, mends: Sequence[Mend]) -> Mended:
    """A mapped table with mends applied, one after the other; what it had as made ids it keeps."""
    original, table, counts = mapped.original or mapped.table, mapped.table, []
    for step in mends:
        changed = change(table, step, original)
        table = applied(table, changed)
        counts.append(changed.cells)
    return Mended(mapped.with_table(table), tuple(counts))


def applied(table: Table, changed: Change) -> Table:
    """The table with a change made; every other column, and every chunk that is not touched, is the very same."""
    if not changed.cells:
        return table
    column = changed.mend.column
    return replace(table, columns={**table.columns, column: _put(table.columns[column], changed)})


def _put(column: _Column, changed: Change) -> _Column:
    chunks, begin = [], 0
    for chunk in column.chunks:
        first, last = np.searchsorted(changed.rows, [begin, begin + len(chunk)])
        if first < last:
            mask = np.zeros(len(chunk), np.bool_)
            mask[changed.rows[first:last] - begin] = True
            chunk = pc.replace_with_mask(chunk, pa.array(mask), changed.after.slice(first, last - first))  # noqa: PLW2901  the same chunk, mended
        chunks.append(chunk)
        begin += len(chunk)
    return pa.chunked_array(chunks, column.type)
