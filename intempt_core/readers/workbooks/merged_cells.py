"""Merged cells of a sheet: only the first of them has a value; it can be given to the rows below."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

MAX_MERGED_RANGES = 1_000_000
"""Merged ranges of a sheet that are looked at."""

_RANGE = re.compile(r"([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})")


class SheetRow(NamedTuple):
    """A row of a sheet.

    Attributes:
        number: Its number in the sheet, from 1.
        cells: Its cells that are not empty, by their column, from 0.
        is_hidden: Whether it is hidden, by a person or by a filter.
    """

    number: int
    cells: dict[int, str]
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class MergedRange:
    """Cells that are merged into one.

    Attributes:
        name: The range as the sheet writes it, such as ``C2:C4``.
        column: Its first column, from 0.
        first_row: Its first row, from 1.
        last_row: Its last row.
    """

    name: str
    column: int
    first_row: int
    last_row: int


def parse_column(letters: str) -> int:
    """The number of a column, from 0."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def parse_merged_range(name: str) -> MergedRange | None:
    """The range that a sheet names; ``None`` where it is none."""
    found = _RANGE.fullmatch(name)
    return MergedRange(name, parse_column(found[1]), int(found[2]), int(found[4])) if found else None


def fill_down(rows: Iterable[SheetRow], ranges: Sequence[MergedRange], after: int) -> Iterator[SheetRow]:
    """The rows, where each one of a merged range has the value of its first row; ranges begin below a row ``after``."""
    waiting = sorted((one for one in ranges if one.first_row > after), key=lambda one: one.first_row, reverse=True)
    active: dict[int, tuple[int, str]] = {}
    for row in rows:
        while waiting and waiting[-1].first_row <= row.number:
            one = waiting.pop()
            value = row.cells.get(one.column, "") if one.first_row == row.number else ""
            if value:
                active[one.column] = one.last_row, value
        for column, (last, value) in list(active.items()):
            if row.number > last:
                del active[column]
            else:
                row.cells.setdefault(column, value)
        yield row
