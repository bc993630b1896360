"""The issues of reading a file, in arrays: every line of a large file may have one."""

from collections.abc import Sequence
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray

from intempt_core.arrays import Int64Array, Mask
from intempt_core.contract import Issue, Place


class PackedTexts:
    """Texts one after another, each found by its number; half a character and no text at all are kept as they are."""

    def __init__(self, texts: Sequence[str | None]) -> None:
        encoded = [b"" if text is None else text.encode("utf-8", "surrogatepass") for text in texts]
        self._bounds = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
        self._data = np.frombuffer(b"".join(encoded), np.uint8)
        self._is_given: Mask = np.array([text is not None for text in texts], np.bool_)

    def __getitem__(self, number: int) -> str | None:
        if not self._is_given[number]:
            return None
        start, end = self._bounds[number : number + 2]
        return self._data[start:end].tobytes().decode("utf-8", "surrogatepass")


class IssueBlock:
    """Some neighbouring issues of a file of lines; their places have a row or none, a line and a pointer.

    Attributes:
        rows: The row (from 1) that each issue is about; 0 for those that are about no row.
    """

    def __init__(self, issues: Sequence[Issue]) -> None:
        self.rows: Int64Array = np.array([issue.place.row or 0 for issue in issues], np.int64)
        self._lines: Int64Array = np.array([issue.place.line or 0 for issue in issues], np.int64)
        self._names = list(dict.fromkeys(issue.code for issue in issues))
        numbers = {code: number for number, code in enumerate(self._names)}
        self._codes: NDArray[np.int32] = np.array([numbers[issue.code] for issue in issues], np.int32)
        self._pointers = PackedTexts([issue.place.pointer for issue in issues])
        self._given = PackedTexts([issue.given for issue in issues])
        self._hints = PackedTexts([issue.hint for issue in issues])

    def __len__(self) -> int:
        return int(self.rows.size)

    def rows_with(self, code: str) -> Int64Array:
        """The rows (from 1) that have an issue of this code."""
        if code not in self._names:
            return np.empty(0, np.int64)
        found: Int64Array = self.rows[(self._codes == self._names.index(code)) & (self.rows > 0)]
        return found

    def build_issue(self, number: int) -> Issue:
        """One of them."""
        place = Place(int(self.rows[number]) or None, int(self._lines[number]), None, self._pointers[number] or "")
        return Issue(self._names[self._codes[number]], place, self._given[number], self._hints[number] or "")


class ReadingIssues(Sequence[Issue]):
    """The issues that were found while a file was read, in its order; each is built when it is asked for."""

    def __init__(self, blocks: Sequence[IssueBlock] = ()) -> None:
        self._blocks = blocks
        self._starts: Int64Array = np.cumsum([0, *map(len, blocks)], dtype=np.int64)

    def __len__(self) -> int:
        return int(self._starts[-1])

    @overload
    def __getitem__(self, index: int) -> Issue: ...
    @overload
    def __getitem__(self, index: slice) -> list[Issue]: ...
    def __getitem__(self, index: int | slice) -> Issue | list[Issue]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        block = int(np.searchsorted(self._starts, number, side="right")) - 1
        return self._blocks[block].build_issue(number - int(self._starts[block]))

    @property
    def rows(self) -> Int64Array:
        """The row (from 1) of each issue; 0 for those that are about no row."""
        return np.concatenate([np.empty(0, np.int64), *(block.rows for block in self._blocks)])

    def rows_with(self, code: str) -> Int64Array:
        """The rows (from 1) that have an issue of this code, in the order of the file."""
        found = [np.empty(0, np.int64), *(block.rows_with(code) for block in self._blocks)]
        return np.concatenate(found)

    @cached_property
    def _by_row(self) -> tuple[Int64Array, Int64Array]:
        """The issues' rows, sorted, and beside each the issue's number."""
        rows = self.rows
        order = np.argsort(rows, kind="stable")
        return rows[order], order

    def of_row(self, row: int) -> list[Issue]:
        """The issues of one row (from 1), in the order of the file."""
        rows, order = self._by_row
        first, last = np.searchsorted(rows, [row, row + 1]).tolist()
        return [self[number] for number in order[first:last].tolist()]

    def of_no_row(self) -> list[Issue]:
        """The issues that are about no row."""
        return self.of_row(0)
