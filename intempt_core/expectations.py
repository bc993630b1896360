"""A file that tests itself: what its column ``expect`` says of each row, held against what was found.

A cell is ``ok`` or issue codes, separated by spaces or commas. ``ok`` means: no error. Codes mean: exactly these
errors. Warnings that a cell names must be found; warnings that it does not name are left alone. An empty cell expects
nothing, and its row is not tested. The column is about a row and never sent (``mapping.EXPECT``).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from intempt_core.columns import Mask, Numbers
from intempt_core.errors import ReadError
from intempt_core.issues import ISSUE_KINDS, Severity, shorten_value
from intempt_core.mapping import EXPECT_COLUMN
from intempt_core.report import Report
from intempt_core.tables import Table

OK = "ok"
"""What a cell says that expects no error."""

ROWS_AT_ONCE = 4096
"""Rows whose results are put into words together."""

_SEPARATORS = re.compile(r"[\s,;]+")
_ERRORS = frozenset(code for code, kind in ISSUE_KINDS.items() if kind.severity is Severity.ERROR)


class State(StrEnum):
    """What became of one row's expectation."""

    PASSED = "passed"
    FAILED = "failed"
    UNREADABLE = "unreadable"
    UNTESTED = "untested"


_STATES = tuple(State)


@dataclass(frozen=True, slots=True)
class Expected:
    """One cell of ``expect``, read: the codes it names, and why it cannot be read where it cannot."""

    codes: frozenset[str] = frozenset()
    tests: bool = False
    trouble: str = ""


@lru_cache(maxsize=4096)  # a file repeats its expectations
def read_expected(cell: str) -> Expected:
    """What a cell expects; what it cannot mean is a sentence in ``trouble``."""
    words = [word for word in _SEPARATORS.split(cell) if word]
    for word in words:
        if word != OK and word not in ISSUE_KINDS:
            near = get_close_matches(word.casefold()[:60], [OK, *ISSUE_KINDS], n=1)
            advice = f"Did you mean “{near[0]}”?" if near else f"It takes “{OK}” or codes such as product_id_missing."
            return Expected(trouble=f"“{shorten_value(word)}” is no issue code. {advice}")
    codes = frozenset(words) - {OK}
    if OK in words and codes & _ERRORS:
        both = f"“{OK}” and {_listed(codes & _ERRORS)} cannot both be expected:"
        return Expected(trouble=f"{both} “{OK}” means that there is no error. Keep one of them.")
    return Expected(codes, tests=bool(words))


@dataclass(frozen=True, slots=True)
class Result:
    """One row's test: ``row`` counts from 1, ``line`` is physical, ``found`` are the codes of the row, errors first.

    ``says`` is a sentence on what is not as expected, empty where nothing is.
    """

    row: int
    line: int
    state: State
    expected: str
    found: tuple[str, ...]
    says: str


class Expectations:
    """The tests of a file and what became of them: over columns, as quick as the check itself.

    Raises :class:`ReadError` where the table has no column ``expect``, or where no row expects anything.
    """

    def __init__(self, table: Table, report: Report) -> None:
        if EXPECT_COLUMN not in table.columns:
            raise ReadError(
                f"{table.name} has no column “{EXPECT_COLUMN}”. A file that tests itself says there what is right for each "
                f"row: “{OK}”, or codes such as product_id_missing. Add the column."
            )
        self.table = table
        self.rows = table.rows
        words = table.columns[EXPECT_COLUMN].combine_chunks().dictionary_encode()
        self._which: Numbers = words.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        self._read = [read_expected(cell) for cell in words.dictionary.to_pylist()]
        self._found = {code: _marked(report, code) for code in report.counts}
        if not any(read.tests or read.trouble for read in self._read):
            raise ReadError(
                f"In {table.name} no row says what is expected of it. Write “{OK}” or issue codes into “{EXPECT_COLUMN}”."
            )

    @cached_property
    def states(self) -> NDArray[np.int8]:
        """The state of each row, as its number in :class:`State`."""
        wrong = np.zeros(self.rows, np.bool_)
        for code in ISSUE_KINDS:
            wanted = self._told([code in read.codes for read in self._read])
            found = self._found.get(code)
            if code in _ERRORS:
                wrong |= wanted if found is None else wanted ^ found
            elif wanted.any():
                wrong |= wanted if found is None else wanted & ~found
        states = np.where(wrong, _STATES.index(State.FAILED), _STATES.index(State.PASSED)).astype(np.int8)
        states[~self._told([read.tests for read in self._read])] = _STATES.index(State.UNTESTED)
        states[self._told([bool(read.trouble) for read in self._read])] = _STATES.index(State.UNREADABLE)
        return states

    def _told(self, by_word: Sequence[bool]) -> Mask:
        found: Mask = np.array(by_word, np.bool_)[self._which] if by_word else np.zeros(self.rows, np.bool_)
        return found

    @cached_property
    def counts(self) -> dict[State, int]:
        """Rows by state, every state named."""
        numbers = np.bincount(self.states, minlength=len(_STATES)).tolist()
        return dict(zip(_STATES, numbers, strict=True))

    @property
    def as_expected(self) -> bool:
        """Whether every row that is tested is as it should be, and every expectation can be read."""
        return not (self.counts[State.FAILED] or self.counts[State.UNREADABLE])

    @property
    def summary(self) -> str:
        """All of it in one sentence."""
        counts = self.counts
        parts = [f"{counts[State.PASSED]:,} as expected", f"{counts[State.FAILED]:,} not"]
        if counts[State.UNREADABLE]:
            parts.append(f"{counts[State.UNREADABLE]:,} with an expectation that cannot be read")
        if counts[State.UNTESTED]:
            parts.append(f"{counts[State.UNTESTED]:,} without one")
        return f"{', '.join(parts)}."

    def rows_in(self, *states: State) -> Numbers:
        """The rows (from 0) in any of these states, sorted."""
        found: Numbers = np.flatnonzero(np.isin(self.states, [_STATES.index(state) for state in states]))
        return found

    def results(self, rows: Sequence[int] | Numbers | None = None) -> Iterator[Result]:
        """The results of these rows (sorted, from 0), or of all, in order."""
        wanted = np.arange(self.rows) if rows is None else np.asarray(rows, np.int64)
        for start in range(0, len(wanted), ROWS_AT_ONCE):
            some = wanted[start : start + ROWS_AT_ONCE]
            cells = self.table.take_cells(EXPECT_COLUMN, some.tolist())
            found: list[tuple[str, ...]] = [()] * len(some)
            for code in sorted(self._found, key=lambda code: code not in _ERRORS):
                for index in np.flatnonzero(self._found[code][some]).tolist():
                    found[index] += (code,)
            lines, states = self.table.lines[some].tolist(), self.states[some].tolist()
            whiches = self._which[some].tolist()
            for row, line, state, cell, codes, which in zip(
                some.tolist(), lines, states, cells, found, whiches, strict=True
            ):
                word = _STATES[state]
                says = "" if word is State.PASSED else _says(self._read[which], word, codes)
                yield Result(row + 1, line, word, cell, codes, says)


def _marked(report: Report, code: str) -> Mask:
    mask = np.zeros(report.rows, np.bool_)
    mask[report.rows_of(code)] = True
    return mask


def _says(expected: Expected, state: State, found: Sequence[str]) -> str:
    if state is State.UNREADABLE:
        return expected.trouble
    if state is State.UNTESTED:
        return ""
    missing = expected.codes.difference(found)
    surplus = [code for code in found if code in _ERRORS and code not in expected.codes]
    said = [f"{_listed(missing)} expected and not found."] if missing else []
    if surplus:
        said.append(f"{_listed(surplus)} found and not expected.")
    return " ".join(said)


def _listed(codes: Sequence[str] | frozenset[str]) -> str:
    return ", ".join(sorted(codes, key=list(ISSUE_KINDS).index))
