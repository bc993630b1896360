"""Where the header of a table is: below lines that are about the file, or nowhere.

A report begins with its title, its period, a row of dashes; then comes the header, which is as wide as the rows. So the
header is the first record that has most of the cells which rows usually have, where every one above it has few, and it
holds no values. A first record of values is a row: the file has no header (CONTRACT 7.2).
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from intempt_core.contract import EventName, is_blank
from intempt_core.readers.dialects.read_options import ReadOptions

NumberedRecord: TypeAlias = tuple[int, list[str]]
"""The line of a record, or the row of a sheet, and its cells."""

Evenness: TypeAlias = tuple[bool, bool, float, int]
"""How well records fit the cells into which they were cut: it is larger where they fit better."""

_LOOKS_LIKE_VALUE = re.compile(
    r"[+-]?[0-9][0-9.,:]*|[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)
"""What a row holds and a header hardly does: a number, a date, a UUID."""

_DIGITS = re.compile("[0-9]+")

_USUAL_SHARE = 0.8
"""Of the records below a header that has lines above it, how many are as wide as it is."""

_REPEATS_OF_VALUE = 2
_ONE_COLUMN: Evenness = (False, False, 0.0, 1)


@dataclass(frozen=True, slots=True)
class FoundHeader:
    """Where the header of some records is.

    Attributes:
        line: Its line, or its row in a sheet; that of the first row where there is no header.
        is_row: Whether there is no header, so that this is the first row.
        evenness: How well the records fit the cells into which they were cut.
    """

    line: int
    is_row: bool
    evenness: Evenness


def find_header(records: Sequence[NumberedRecord], options: ReadOptions) -> FoundHeader:
    """Find the header among the first records that are not blank; what a person said of it stands."""
    if not records:
        return FoundHeader(options.header_line or 1, bool(options.no_header), _ONE_COLUMN)
    at = 0 if options.header_line is not None else _find_header_record(records)
    line, cells = records[at]
    is_row = options.no_header
    if is_row is None:
        is_row = options.header_line is None and _are_values(cells, records[at + 1 :])
    widths = [len(one) for _, one in records[at:]]
    share = widths.count(widths[0]) / len(widths)
    evenness = (True, at == 0 and share >= 0.5, share, widths[0]) if widths[0] > 1 else _ONE_COLUMN
    return FoundHeader(line, is_row, evenness)


def find_header_value(cells: Sequence[str]) -> int | None:
    """The first cell (from 0) of a header that looks like a value."""
    return next((number for number, cell in enumerate(cells) if _is_value(cell)), None)


def _find_header_record(records: Sequence[NumberedRecord]) -> int:
    """The first record that is no line about the file: the header, or the first row."""
    widths = Counter(len(cells) for _, cells in records if len(cells) > 1)
    if not widths:
        return 0
    usual = max(widths, key=lambda width: (widths[width], width))
    filled = [sum(not is_blank(cell) for cell in cells) for _, cells in records]
    found = next((at for at, count in enumerate(filled) if 2 * count > usual), 0)
    below = [len(cells) for _, cells in records[found:]]
    alike = sum(width - below[0] in (0, 1) for width in below)  # each row may have an empty cell too many
    if not found or below[0] < 2 or alike < _USUAL_SHARE * len(below):
        return 0
    is_about_file = all(_is_about_file(cells) for _, cells in records[:found])
    if not is_about_file and _are_values(records[found][1], records[found + 1 :]):
        return 0  # it is a row, and what is above it may well be a header that lacks names
    return found


def _is_about_file(cells: Sequence[str]) -> bool:
    """Whether a record of one cell is a comment or some words, and so hardly the name of a column."""
    given = [cell.strip() for cell in cells if not is_blank(cell)]
    return len(given) < 2 and all(cell.startswith(("#", "//", "--", "=")) or " " in cell for cell in given)


def _are_values(cells: Sequence[str], below: Sequence[NumberedRecord]) -> bool:
    """Whether half of the cells that are not empty are values: by their look, or as records below have them too.

    A cell with a digit, such as ``u1``, is one where only its digits differ from all records below.
    """
    given = [(number, cell) for number, cell in enumerate(cells) if not is_blank(cell)]
    repeated = Counter((number, cell) for _, row in below for number, cell in enumerate(row[: len(cells)]))
    forms = [{_drop_digits(row[number]) for _, row in below if number < len(row)} for number in range(len(cells))]
    values = [
        cell
        for number, cell in given
        if _is_value(cell) or repeated[number, cell] >= _REPEATS_OF_VALUE or _is_of_form(cell, forms[number])
    ]
    return bool(values) and 2 * len(values) >= len(given) and any(map(_is_value, values))


def _is_of_form(cell: str, forms: set[str]) -> bool:
    form = _drop_digits(cell)
    return form != cell and any(map(str.isalpha, form)) and forms == {form}


def _drop_digits(cell: str) -> str:
    return _DIGITS.sub("#", cell)


def _is_value(cell: str) -> bool:
    return bool(_LOOKS_LIKE_VALUE.fullmatch(cell.strip())) or cell in list(EventName)
