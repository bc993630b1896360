"""Times whose day and month may be exchanged (CONTRACT 7.13).

Where a column is written in two forms, or where nothing in it tells the day from the month, a time may be read and be
wrong all the same: a spreadsheet that takes the month for the day rewrites the dates that it can read so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import Int64Array, Mask, make_array, view_numbers
from intempt_core.contract import shorten_value
from intempt_core.mapping import ISO_ONLY, ISO_OR_EPOCH_MS, NAMED_TIME_FORMATS, MappedTable, split_time_formats
from intempt_core.validation.row_issues import Finding
from intempt_core.validation.text_column import TextColumn, to_mask
from intempt_core.validation.time_column import TimestampColumn

TIME_BLOCK_ROWS = 1 << 18
"""Times that are looked at together."""

_FIELD = "timestamp"
_OTHER_FORM = (
    r"^ *(?:[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{4}|[0-9]{2})(?:[^0-9]|$)"
    r"|[0-9]{4}-(?:1[3-9]|2[0-9]|3[01])-(?:0[1-9]|1[0-2]))"
)
_EXCHANGEABLE_ISO = r"^ *[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-2])"
_ISO_DATE = r"^ *[0-9]{4}-[0-9]{2}-[0-9]{2}"


def report_unclear_times(mapped: MappedTable, unreadable: Int64Array) -> Iterator[Finding]:
    """Find the times that were read, and whose day and month may be exchanged.

    Nothing is found where a person has named several forms in their order. ``unreadable`` are the rows (sorted) of the
    times that cannot be read.
    """
    forms = split_time_formats(mapped.mapping.time_format)
    if _FIELD not in mapped.field_columns or len(forms) > 1:
        return
    found = None
    if forms[0] in (ISO_OR_EPOCH_MS, ISO_ONLY):
        found = _find_beside_other_form(mapped, unreadable)
    elif forms[0] not in NAMED_TIME_FORMATS and (exchanged := exchange_day_and_month(forms[0])):
        found = _find_by_pattern(mapped, unreadable, _Orders(forms[0], exchanged))
    if found is not None and found[0].size:
        yield Finding("time_day_month_unclear", found[0], _FIELD, _describe_cells(mapped, *found))


def _describe_cells(mapped: MappedTable, rows: Int64Array, why: str) -> Callable[[int], str]:
    def describe(index: int) -> str:
        (cell,) = mapped.take_cells(_FIELD, rows[index : index + 1]).to_pylist()
        return f"It is written “{shorten_value(cell)}”. {why}"

    return describe


def exchange_day_and_month(pattern: str) -> str:
    """The pattern with day and month exchanged; empty where only one order can be meant, as with names of months."""
    if "%d" not in pattern or "%m" not in pattern or "%d.%m" in pattern:
        return ""
    return pattern.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")


@dataclass(frozen=True)
class _Orders:
    """The form of a column, and the same with day and month exchanged."""

    form: str
    exchanged: str

    @property
    def month_order(self) -> str:
        """Where the exchanged form has the month."""
        return "month first" if self.exchanged.index("%m") < self.exchanged.index("%d") else "day first"


# ── ISO dates beside dates of another form ───────────────────────────────────────────────────────────────────────────


def _find_beside_other_form(mapped: MappedTable, unreadable: Int64Array) -> tuple[Int64Array, str] | None:
    other = _find_first(mapped, unreadable, _OTHER_FORM)
    if other is None:
        return None
    parts = [np.empty(0, np.int64)]
    for start, cells in _iter_blocks(mapped):
        some = np.flatnonzero(to_mask(pc.match_substring_regex(cells, _EXCHANGEABLE_ISO)))
        dates = pc.utf8_ltrim(cells.take(make_array(some)), characters=" ")
        months, days = (pc.utf8_slice_codeunits(dates, at, at + 2) for at in (5, 8))
        parts.append(some[to_mask(pc.not_equal(months, days))] + start)
    rows = np.setdiff1d(np.concatenate(parts), unreadable, assume_unique=True)
    why = (
        f"{_capitalise(mapped.table.describe_row(other[0]))} is written otherwise (“{shorten_value(other[1])}”): a"
        " spreadsheet rewrites the dates that it can read, even where it takes the month for the day. Compare some"
        " with their source; several forms may be named in the mapping, in their order."
    )
    return rows, why


def _find_first(mapped: MappedTable, rows: Int64Array, pattern: str) -> tuple[int, str] | None:
    """The first of some rows whose time fits a pattern, and its cell."""
    for start in range(0, rows.size, TIME_BLOCK_ROWS):
        some = rows[start : start + TIME_BLOCK_ROWS]
        cells = mapped.take_cells(_FIELD, some)
        fits = np.flatnonzero(to_mask(pc.match_substring_regex(cells, pattern)))
        if fits.size:
            return int(some[fits[0]]), str(cells[int(fits[0])])
    return None


def _iter_blocks(mapped: MappedTable) -> Iterator[tuple[int, pa.Array]]:
    for start in range(0, mapped.rows, TIME_BLOCK_ROWS):
        yield start, mapped.take_cells(_FIELD, np.arange(start, min(start + TIME_BLOCK_ROWS, mapped.rows)))
        mapped.table.release_memory()


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]


# ── a pattern whose day and month can be exchanged ───────────────────────────────────────────────────────────────────


def _find_by_pattern(mapped: MappedTable, unreadable: Int64Array, orders: _Orders) -> tuple[Int64Array, str] | None:
    other = _find_exchanged(mapped, unreadable, orders) or _find_first(mapped, unreadable, _ISO_DATE)
    parts = [np.empty(0, np.int64)]
    for start, cells in _iter_blocks(mapped):
        is_read, is_both, differs = _read_both(mapped, cells, orders)
        if other is None and (is_read & ~is_both).any():
            return None  # a day after the 12th tells which is which
        parts.append(np.flatnonzero(differs) + start)
    rows = np.concatenate(parts)
    if other is None:
        why = (
            "No time of its column has a day after the 12th, so that nothing tells the day from the month. It is read"
            f" as {orders.form}: nothing to do, if that is right."
        )
    else:
        why = (
            f"{_capitalise(mapped.table.describe_row(other[0]))} (“{shorten_value(other[1])}”) is not of the form"
            f" {orders.form}, but could be with the {orders.month_order} or the year first. Compare some with their"
            " source; several forms may be named in the mapping, in their order."
        )
    return rows, why


def _find_exchanged(mapped: MappedTable, unreadable: Int64Array, orders: _Orders) -> tuple[int, str] | None:
    """The first row that only the exchanged form reads."""
    for start in range(0, unreadable.size, TIME_BLOCK_ROWS):
        some = unreadable[start : start + TIME_BLOCK_ROWS]
        cells = mapped.take_cells(_FIELD, some)
        fits = np.flatnonzero(TimestampColumn(TextColumn(cells), mapped.zone, orders.exchanged).is_read)
        if fits.size:
            return int(some[fits[0]]), str(cells[int(fits[0])])
    return None


def _read_both(mapped: MappedTable, cells: pa.Array, orders: _Orders) -> tuple[Mask, Mask, Mask]:
    """Of each cell whether its form reads it, whether both do, and whether they read other times; by spelling."""
    spellings = cells.dictionary_encode()
    texts = TextColumn(spellings.dictionary)
    one, other = (TimestampColumn(texts, mapped.zone, form) for form in (orders.form, orders.exchanged))
    codes = view_numbers(spellings.indices)
    is_both: Mask = one.is_read & other.is_read
    return one.is_read[codes], is_both[codes], (is_both & (one.ms != other.ms))[codes]
