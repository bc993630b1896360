"""Whether a quoted cell of several lines has swallowed rows: a stray quote at one row, closed by another one below.

Its quoting is regular, so only the lines tell: nearly all of them have as many cells as the header, and look like the
rows of the file in every column that has a look of its own, such as ids, numbers and times. A text of several lines,
such as a description, does not.
"""

import re
from collections.abc import Callable, Sequence
from functools import cached_property

from intempt_core.readers.mapped_file import FileBytes

SWALLOWED_SHARE = 0.75
"""Of the lines after the first, how many have to be like rows."""

_SAMPLE_BYTES, _SAMPLE_ROWS = 1_048_576, 1_000
_MAX_SHAPES, _MAX_VALUES = 12, 24
_TELLING_SHAPE = 2
"""A column whose cells are only a word with a digit does not tell a row from a line of text."""
_STRONG_SHAPE = 5
"""Where one cell differs, another one has a look as long as ``0-0-0``, which lines of a text hardly have."""

_LINE_END = re.compile(rb"\r\n?|\n")
_TOKEN = re.compile(r"[^\W_]+")


def describe_shape(cell: str) -> str:
    """What a cell looks like: ``0`` for a word or a number with a digit, ``a`` for another word, the rest as it is."""
    return _TOKEN.sub(lambda word: "0" if any(map(str.isdigit, word[0])) else "a", cell)


class SwallowedLineJudge:
    """Judges the cells of several lines of one file, by its rows that have no quote."""

    def __init__(self, text: FileBytes, at: int, delimiter: str, quote: str, width: int) -> None:
        """The rows of the file begin at the offset ``at``; ``width`` is that of its header."""
        self._text, self._at, self._width = text, at, width
        self._delimiter, self._quote = delimiter, quote

    def are_wide(self, text: bytes, *, is_cut: bool = False) -> bool:
        """Whether nearly all lines of a text have as many cells as the header; its last line may be cut."""
        lines = _LINE_END.split(text)
        widths = [len(self._cut(line.decode(errors="replace"))) for line in (lines[:-1] if is_cut else lines)]
        return self._width > 1 and widths.count(self._width) >= SWALLOWED_SHARE * max(1, len(widths))

    def are_swallowed(self, record: bytes) -> bool:
        """Whether lines of a record, whose quoting is regular, are rows themselves."""
        if self._width < 2:
            return False
        lines = [line.decode(errors="replace") for line in _LINE_END.split(record)]
        rows = [cells for line in lines[1:] if len(cells := self._cut(line)) == self._width]
        if len(rows) < SWALLOWED_SHARE * (len(lines) - 1):
            return False
        first = self._cut(lines[0])
        fits = self._fits or _build_row_matcher([first] if len(first) == self._width else [])
        return fits is not None and sum(map(fits, rows)) >= SWALLOWED_SHARE * (len(lines) - 1)

    def _cut(self, line: str) -> list[str]:
        return [cell.replace(self._quote, "") for cell in line.split(self._delimiter)]

    @cached_property
    def _fits(self) -> Callable[[list[str]], bool] | None:
        sample = _LINE_END.split(self._text[self._at : self._at + _SAMPLE_BYTES])[:-1]
        quote = self._quote.encode()
        lines = (self._cut(line.decode(errors="replace")) for line in sample if quote not in line)
        rows = [cells for cells in lines if len(cells) == self._width]
        return _build_row_matcher(rows[:_SAMPLE_ROWS])


def _build_row_matcher(rows: Sequence[Sequence[str]]) -> Callable[[list[str]], bool] | None:
    """What says whether cells look like these rows; ``None`` where no column has a look of its own."""
    looks: dict[int, frozenset[str]] = {}
    values: dict[int, frozenset[str]] = {}
    for number, column in enumerate(zip(*rows, strict=True)):
        given = [cell for cell in column if cell]
        shapes = frozenset(map(describe_shape, given))
        if 0 < len(shapes) <= _MAX_SHAPES and all("0" in shape for shape in shapes):
            looks[number] = shapes
        elif 0 < len(known := frozenset(given)) <= min(_MAX_VALUES, len(given) / 2):
            values[number] = known

    def looks_like_row(cells: list[str]) -> bool:
        if looks:
            given = {number: describe_shape(cells[number]) for number in looks if cells[number]}
            is_telling = len(given) > 1 or any(len(shape) > _TELLING_SHAPE for shape in given.values())
            fitting = [shape for number, shape in given.items() if shape in looks[number]]
            if len(given) - len(fitting) == 1:  # a cell of another look, such as the text that closed the quote
                return len(fitting) > 2 and any(len(shape) >= _STRONG_SHAPE for shape in fitting)
            return is_telling and len(fitting) == len(given)
        return any(cells[number] for number in values) and all(
            cells[number] in known for number, known in values.items() if cells[number]
        )

    return looks_like_row if looks or values else None
