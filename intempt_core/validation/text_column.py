"""A column of texts: what the rules ask of every cell of it, answered for all rows together.

What is fast here is only ever a shortcut for cells that are surely good; any other cell is read by the same function
that reads a single one.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import Int64Array, Mask, find_rows_of_bytes, first_bytes, make_array, view_bytes, view_numbers
from intempt_core.contract import (
    BLANK_CHARACTERS,
    PLACEHOLDER_IDS,
    PLACEHOLDER_MARKS,
    PLACEHOLDER_PATTERN,
    PLACEHOLDER_STARTS,
    Json,
)
from intempt_core.mapping import NUMBER_FORMS, UnlockedProperty, is_cell_of_type

_VISIBLE_ASCII = range(0x21, 0x7F)
_FIRST_VISIBLE, _VISIBLE_COUNT = np.uint8(_VISIBLE_ASCII.start), np.uint8(len(_VISIBLE_ASCII))
assert not any(character.encode()[0] in _VISIBLE_ASCII for character in BLANK_CHARACTERS)  # noqa: S101  what TextColumn.is_visible_ascii relies on
_EXACT_PATTERNS = {  # spellings whose value a double surely keeps, up to 15 characters
    "number": r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$",
    "integer": r"^-?(?:0|[1-9][0-9]*)$",
    "boolean": r"^(?:true|false)$",
    **{kind: form.plain_expression for kind, form in NUMBER_FORMS.items()},
}


@cache
def _make_placeholder_array() -> pa.Array:
    """Made when first asked for: the first Arrow array of a process brings pandas along, and takes its time."""
    return make_array(sorted(PLACEHOLDER_IDS))


def to_mask(array: pa.Array) -> Mask:
    """An Arrow array of booleans as NumPy has it."""
    found: Mask = view_numbers(array)
    return found


class TextColumn:
    """One column of texts and what the rules ask of its cells; each answer is worked out once, for all rows."""

    def __init__(self, array: pa.Array) -> None:
        self.array = array

    @UnlockedProperty
    def lengths(self) -> Int64Array:
        """Bytes of each cell."""
        found: Int64Array = view_numbers(pc.binary_length(self.array))
        return found

    @property
    def is_empty(self) -> bool:
        """Whether no cell holds anything."""
        return not view_bytes(self.array).size

    @UnlockedProperty
    def is_visible_ascii(self) -> bool:
        """Whether every byte is visible ASCII, so that no cell holds white space of any kind."""
        used = view_bytes(self.array)
        return not used.size or (int(used.min()) in _VISIBLE_ASCII and int(used.max()) in _VISIBLE_ASCII)

    @UnlockedProperty
    def odd_rows(self) -> Int64Array:
        """The rows (sorted) whose cell has anything but visible ASCII."""
        found: Int64Array = np.empty(0, np.int64)
        if not self.is_visible_ascii:
            used = view_bytes(self.array)
            found = find_rows_of_bytes(self.array, used - _FIRST_VISIBLE >= _VISIBLE_COUNT)
        return found

    @UnlockedProperty
    def trimmed(self) -> pa.Array:
        """The cells without white space around them."""
        rows = self.odd_rows
        if not rows.size:
            return self.array
        before = self.array.take(make_array(rows))
        after = pc.utf8_trim(before, characters=BLANK_CHARACTERS)
        if before.equals(after):
            return self.array
        mask = np.zeros(len(self.array), np.bool_)
        mask[rows] = True
        return pc.replace_with_mask(self.array, make_array(mask), after)

    @UnlockedProperty
    def given(self) -> Mask:
        """``is_given`` of each cell."""
        return self.lengths > 0 if self.is_visible_ascii else view_numbers(pc.binary_length(self.trimmed)) > 0

    @property
    def not_text(self) -> Mask | None:
        """Rows whose value is no text: none, for these are texts."""
        return None

    @property
    def filled(self) -> Mask:
        """``is_given`` of each value, whether it is a text or not."""
        return self.given if self.not_text is None else self.given | self.not_text

    @UnlockedProperty
    def placeholders(self) -> Mask:
        """``is_placeholder`` of each cell, among the given."""
        found = to_mask(pc.is_in(pc.ascii_lower(self.trimmed), value_set=_make_placeholder_array()))
        if self.has_any_of(PLACEHOLDER_MARKS):
            found = found | _match_pattern(self.trimmed, PLACEHOLDER_PATTERN, PLACEHOLDER_STARTS)
        return found & self.given

    @UnlockedProperty
    def real(self) -> Mask:
        """Whether a cell is given and no placeholder: such an id may link events to a person."""
        return self.given & ~self.placeholders

    def has_any_of(self, characters: str) -> bool:
        """Whether one of these ASCII characters is anywhere in the column: a quick look before a pattern."""
        used = view_bytes(self.array)
        return any((used == ord(character)).any() for character in characters)

    def matches(self, pattern: str, *, starts: str = "") -> Mask:
        """Whether a pattern is found in each cell, among the given.

        With ``starts`` only cells are asked that begin with one of these ASCII characters: no other one fits.
        """
        return _match_pattern(self.array, pattern, starts) & self.given

    def matches_oddly(self, pattern: str) -> Mask:
        """:meth:`matches` of a pattern that no cell of visible ASCII alone fits."""
        found = np.zeros(len(self.array), np.bool_)
        rows = self.odd_rows
        if rows.size:
            found[rows] = to_mask(pc.match_substring_regex(self.array.take(make_array(rows)), pattern))
        return found & self.given

    def are_wrong(self, is_wrong: Callable[[Json], bool]) -> Mask:
        """Whether the value of each cell is wrong; each different cell is read once, an empty one gives no value."""
        spellings = self.array.dictionary_encode()
        values = self.read_values(spellings.dictionary)
        wrong = np.array([value is not None and is_wrong(value) for value in values], np.bool_)
        found: Mask = wrong[view_numbers(spellings.indices)] if len(self.array) else wrong
        return found

    def read_values(self, cells: pa.Array) -> list[Json]:
        """What cells of this column become; no value is ``None``."""
        return [text or None for text in cells.to_pylist()]

    @UnlockedProperty
    def codes(self) -> Int64Array:
        """A number for each given id, the same for equal ones; -1 where none is given."""
        codes = view_numbers(self.array.dictionary_encode().indices).astype(np.int64)
        codes[~self.given] = -1
        found: Int64Array = codes
        return found

    def equals_previous(self, rows: Int64Array) -> Mask:
        """Whether the cells of these rows equal those of the rows before them."""
        return to_mask(pc.equal(self.array.take(make_array(rows)), self.array.take(make_array(rows - 1))))


def _match_pattern(texts: pa.Array, pattern: str, starts: str) -> Mask:
    """Whether a pattern is found in each text; with ``starts`` only those are asked that begin with one of them."""
    if not starts:
        return to_mask(pc.match_substring_regex(texts, pattern))
    begins = np.zeros(256, np.bool_)
    begins[list(starts.encode())] = True
    rows = np.flatnonzero(begins[first_bytes(texts)])
    found = np.zeros(len(texts), np.bool_)
    if rows.size:
        found[rows] = to_mask(pc.match_substring_regex(texts.take(make_array(rows)), pattern))
    return found


def find_lost_zeros(ids: pa.Array) -> tuple[Int64Array, int]:
    """Where leading zeros may be lost: (rows, width of the ids that still have theirs), CONTRACT 1.2, 2.8.

    Among ids of digits only some begin with zeros; the widest of those tells the width, and shorter ones that do not
    begin with a zero are doubtful.
    """
    digits = to_mask(pc.ascii_is_decimal(ids))
    leads_with_zero = to_mask(pc.starts_with(ids, "0"))
    lengths = view_numbers(pc.binary_length(ids))
    padded = digits & leads_with_zero & (lengths > 1)
    width = int(lengths[padded].max()) if padded.any() else 0
    return np.flatnonzero(digits & ~leads_with_zero & (lengths < width)), width


def find_surely_typed(cells: TextColumn, kind: str) -> Mask:
    """The cells that are surely of a type other than text; a number among them is one that a double keeps."""
    return to_mask(pc.match_substring_regex(cells.array, _EXACT_PATTERNS[kind])) & (cells.lengths <= 15)


def find_mistyped(cells: TextColumn, kind: str) -> Int64Array:
    """The rows whose cell is there and is not of its type: ``is_cell_of_type``, the other way round."""
    if kind == "text":
        return np.empty(0, np.int64)
    rows = np.flatnonzero((cells.lengths > 0) & ~find_surely_typed(cells, kind))
    spellings = cells.array.take(make_array(rows)).dictionary_encode()
    fits = np.array([is_cell_of_type(cell, kind) for cell in spellings.dictionary.to_pylist()], np.bool_)
    found: Int64Array = rows[~fits[view_numbers(spellings.indices)]] if len(rows) else rows
    return found
