"""What only a whole column of ids shows: digits that a float rounded, fractions of zeros, exponents, parted thousands.

Each id by itself may be right. Ids are looked at in blocks, so that memory holds few of them. Where no
cell begins as a number does, nothing but first bytes is looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from intempt_core.arrays import Int64Array, Mask, combine_column, first_bytes, make_array, view_numbers
from intempt_core.contract import ID_PATTERNS, ISSUE_KINDS, SPREADSHEET_ERROR
from intempt_core.validation.row_issues import Finding
from intempt_core.validation.text_column import TextColumn, to_mask

ID_BLOCK_ROWS = 1 << 18
"""Ids that are looked at together."""

LEAST_DAMAGED_SHARE = 0.1
"""Of the long numbers of a column more than this share end as a double does, where a float has damaged it."""

EXACT_DOUBLE = 1 << 53
"""Up to this number a double keeps every digit."""

_ZERO_FRACTION = r"^-?[0-9]+(?:[.,]0+|[.])$"
_FRACTION = r"^-?[0-9]+[.,][0-9]+$"
_BARE_EXPONENT = r"^[0-9][eE][0-9]{1,3}$"
_NUMBER_FORM = r"^[-0-9.,' ]+(?:[eE][+-]?[0-9]+)?$"
_OTHER_LETTER = r"^[0-9]+[A-DF-Za-df-z][0-9A-Za-z]*$|^[0-9A-Fa-f]*[A-DFa-df][0-9A-Fa-f]*$"
_GROUPED = (
    r"^(?:[1-9][0-9]{0,2}(?:(?:[,'\x{2019}\x{a0}\x{202f} ][0-9]{3})+|(?:[.][0-9]{3}){2,})"
    r"|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3})$"  # 12,34,567 in India
)
_GROUPED_SHORT = r"^[1-9][0-9]?[^0-9]"
_PLAIN_SHORT = r"^[0-9]{1,3}$"
_CUT_LENGTHS = (16, 17, 18, 19)  # of a spreadsheet's 15 digits and a few zeros, which a good id may have by chance


def report_damaged_ids(name: str, ids: pa.Array | pa.ChunkedArray) -> Iterator[Finding]:
    """Find the ids of a field that a float or a formatter has changed, as the whole column shows (CONTRACT 7.10).

    ``ids`` are texts without nulls; an empty one is no id. What an id shows by itself is not found again.
    """
    found = _NumberForms()
    for start in range(0, len(ids), ID_BLOCK_ROWS):
        found.add(combine_column(ids.slice(start, ID_BLOCK_ROWS)), start)
    for rows, hint in found.judge(ids):
        yield Finding("id_damaged", rows, name, partial(_return_hint, hint))


def report_cell_errors(name: str, ids: pa.ChunkedArray) -> Finding:
    """Find the ids of a workbook's column that are errors of its formulas (CONTRACT 7.12)."""
    rows = [np.empty(0, np.int64)]
    for start in range(0, len(ids), ID_BLOCK_ROWS):
        column = TextColumn(combine_column(ids.slice(start, ID_BLOCK_ROWS)))
        if column.has_any_of("#:"):
            fits = pc.match_substring_regex(column.trimmed, f"^(?:{SPREADSHEET_ERROR})$")
            rows.append(np.flatnonzero(to_mask(fits)) + start)
    hint = ISSUE_KINDS["id_cell_error"].fix
    return Finding("id_cell_error", np.concatenate(rows), name, partial(_return_hint, hint))


def _return_hint(hint: str, _index: int) -> str:
    return hint


@dataclass
class _NumberForms:
    """The cells of a column that are written as numbers, sorted by how they are written."""

    whole: int = 0
    other_fractions: int = 0
    has_letters: bool = False
    zero_fractions: list[Int64Array] = field(default_factory=list)
    bare_exponents: list[Int64Array] = field(default_factory=list)
    grouped: list[Int64Array] = field(default_factory=list)
    is_group_short: bool = False
    long_rows: list[Int64Array] = field(default_factory=list)
    long_values: list[NDArray[np.uint64]] = field(default_factory=list)

    def add(self, texts: pa.Array, first_row: int) -> None:
        """Sort a block of cells."""
        first = first_bytes(texts)
        rows = np.flatnonzero(((first >= ord("0")) & (first <= ord("9"))) | (first == ord("-")))
        if not rows.size:
            return
        cells = texts if rows.size == len(texts) else texts.take(make_array(rows))
        is_whole = to_mask(pc.ascii_is_decimal(cells))
        self.whole += int(np.count_nonzero(is_whole))
        lengths = view_numbers(pc.binary_length(cells))
        is_long = is_whole & (lengths >= 16) & (lengths <= 19) & (first[rows] != ord("0"))
        if is_long.any():
            self._add_long(cells.filter(make_array(is_long)), rows[is_long] + first_row)
        if is_whole.all():
            return
        some = np.flatnonzero(~is_whole)
        others, places = cells.take(make_array(some)), rows[some] + first_row
        is_zero = to_mask(pc.match_substring_regex(others, _ZERO_FRACTION))
        self.zero_fractions.append(places[is_zero])
        self.other_fractions += int(np.count_nonzero(to_mask(pc.match_substring_regex(others, _FRACTION)) & ~is_zero))
        self.bare_exponents.append(places[to_mask(pc.match_substring_regex(others, _BARE_EXPONENT))])
        self.has_letters = self.has_letters or bool(pc.any(pc.match_substring_regex(others, _OTHER_LETTER)).as_py())
        is_grouped = to_mask(pc.match_substring_regex(others, _GROUPED))
        self.grouped.append(places[is_grouped])
        if is_grouped.any() and not self.is_group_short:
            grouped = others.filter(make_array(is_grouped))
            self.is_group_short = bool(pc.any(pc.match_substring_regex(grouped, _GROUPED_SHORT)).as_py())

    def _add_long(self, cells: pa.Array, rows: Int64Array) -> None:
        by_themselves = to_mask(pc.match_substring_regex(cells, ID_PATTERNS["id_damaged"]))
        values = view_numbers(cells.cast(pa.uint64()))
        some = ~by_themselves
        self.long_rows.append(rows[some])
        self.long_values.append(values[some])

    def judge(self, ids: pa.Array | pa.ChunkedArray) -> Iterator[tuple[Int64Array, str]]:
        """The rows of ids that the whole column shows to be damaged, and how to fix them."""
        if self.long_rows and (rounded := self._judge_rounding())[0].size:
            yield rounded
        zeros = _join(self.zero_fractions)
        if zeros.size and not self.other_fractions and (self.whole or _are_all(ids, zeros)):
            beside = "others of its column are whole numbers" if self.whole else "so does every id of its column"
            yield (
                zeros,
                (
                    f"It ends as a number does that was a float, and {beside}. Export the column as text or as whole"
                    " numbers."
                ),
            )
        exponents = _join(self.bare_exponents)
        if exponents.size and not self.has_letters and not _are_codes(ids):
            yield exponents, "It is a number with an exponent. Re-export the column as text: its digits are lost."
        grouped = _join(self.grouped)
        if grouped.size and self.is_group_short and _are_all(ids, grouped, _PLAIN_SHORT):
            yield grouped, "Its thousands are parted, as in a number for people. Export the column as text."

    def _judge_rounding(self) -> tuple[Int64Array, str]:
        rows, values = np.concatenate(self.long_rows), np.concatenate(self.long_values)
        distinct = np.unique(values)
        inexact = distinct[distinct > EXACT_DOUBLE]
        is_rounded = _end_as_doubles(inexact)
        chance = np.minimum(0.5, 2 / np.spacing(inexact.astype(np.float64)))
        found = inexact[is_rounded] if _is_beyond_chance(is_rounded, chance) else distinct[:0]
        digits = _count_digits(distinct)
        short = np.isin(digits, _CUT_LENGTHS)
        power = 10 ** (digits[short] - 15).astype(np.uint64)
        is_cut = distinct[short] % power == 0
        if _is_beyond_chance(is_cut, 1 / power):
            found = np.union1d(found, distinct[short][is_cut])
        order = np.argsort(rows[mask := np.isin(values, found)])
        hint = (
            f"{found.size:,} of the {distinct.size:,} different long ids of its column end"
            " as a float rounds. Re-export the column as text: the lost digits cannot be guessed."
        )
        return rows[mask][order], hint


def _join(parts: list[Int64Array]) -> Int64Array:
    return np.concatenate([np.empty(0, np.int64), *parts])


def _count_digits(values: NDArray[np.uint64]) -> Int64Array:
    found: Int64Array = np.searchsorted(10 ** np.arange(20, dtype=np.uint64), values, "right")
    return found


def _is_beyond_chance(is_rounded: Mask, chance: NDArray[np.float64]) -> bool:
    """Whether more of the ids are rounded than a share and chance allow; a lone one never is."""
    count, expected = int(np.count_nonzero(is_rounded)), float(chance.sum())
    if count < 2 or count <= LEAST_DAMAGED_SHARE * is_rounded.size:
        return False
    return expected < 0.5 or count > expected + 3 * float(np.sqrt((chance * (1 - chance)).sum()))


def _end_as_doubles(values: NDArray[np.uint64]) -> Mask:
    """Whether each number is its own double, written whole or, as JavaScript does, in the fewest digits."""
    found: Mask = values.astype(np.float64).astype(np.uint64) == values
    zeros = np.where(values >= 10**18, 100, 10).astype(np.uint64)  # fewest digits are 17 at the most
    for index in np.flatnonzero(~found & (values % zeros == 0)).tolist():
        value = int(values[index])
        digits, _, exponent = repr(float(value)).partition("e+")
        mantissa = digits.replace(".", "").rstrip("0")
        found[index] = exponent != "" and mantissa.ljust(int(exponent) + 1, "0") == str(value)
    return found


def _are_codes(ids: pa.Array | pa.ChunkedArray) -> bool:
    """Whether most ids of a column are texts and none is damaged by itself: ``1E5`` is a code among codes."""
    real = numbers = 0
    for start in range(0, len(ids), ID_BLOCK_ROWS):
        column = TextColumn(combine_column(ids.slice(start, ID_BLOCK_ROWS)))
        if column.matches(ID_PATTERNS["id_damaged"]).any():
            return False
        real += int(np.count_nonzero(column.real))
        numbers += int(np.count_nonzero(column.matches(_NUMBER_FORM)))
    return 2 * numbers < real


def _are_all(ids: pa.Array | pa.ChunkedArray, rows: Int64Array, beside: str = "") -> bool:
    """Whether these are all rows with a real id, but for those that fit a pattern."""
    others = 0
    for start in range(0, len(ids), ID_BLOCK_ROWS):
        column = TextColumn(combine_column(ids.slice(start, ID_BLOCK_ROWS)))
        others += int(np.count_nonzero(column.real & ~column.matches(beside) if beside else column.real))
        if others > rows.size:
            return False
    return True
