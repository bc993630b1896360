"""Expectations: a file's column ``expect`` compared with what was found, so that the file is a test of itself.

A cell is ``ok`` or issue codes, separated by spaces or commas. ``ok`` means: no error. Codes mean: exactly these
errors. Warnings that a cell names must be found; others do not matter. An empty cell expects nothing, and its row is
not tested. It speaks of all events of its row. The column is about a row and never sent (``EXPECT_COLUMN`` of mapping).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property, lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from intempt_core.arrays import Int64Array, Mask, combine_chunks, combine_column, make_array, take_rows, view_numbers
from intempt_core.contract import ISSUE_KINDS, Severity, shorten_value
from intempt_core.errors import ReadError
from intempt_core.mapping import EXPECT_COLUMN
from intempt_core.readers import Table
from intempt_core.validation.report import Report
from intempt_core.validation.row_issues import RULE_CODE_PREFIX

EXPECT_OK = "ok"
"""The cell that expects no error."""

RESULT_BLOCK_ROWS = 4096
"""Rows whose results are built together."""

_SEPARATORS = re.compile(r"[\s,;]+")
_ERROR_CODES = frozenset(code for code, kind in ISSUE_KINDS.items() if kind.severity is Severity.ERROR)


class ExpectationState(StrEnum):
    """How one row's expectation compares with what was found."""

    PASSED = "passed"
    FAILED = "failed"
    UNREADABLE = "unreadable"
    UNTESTED = "untested"


_STATES = tuple(ExpectationState)


@dataclass(frozen=True, slots=True)
class Expectation:
    """One cell of ``expect``, read.

    Attributes:
        codes: The issue codes that it names.
        is_tested: Whether it expects anything.
        problem: Why it cannot be read, as a sentence; empty where it can.
    """

    codes: frozenset[str] = frozenset()
    is_tested: bool = False
    problem: str = ""


@lru_cache(maxsize=4096)  # a file repeats its expectations
def parse_expectation(cell: str, team_codes: tuple[tuple[str, bool], ...] = ()) -> Expectation:
    """Read a cell of ``expect``; what it cannot mean is a sentence in ``problem``.

    ``team_codes`` are the codes of the team's rules, each with whether it is an error.
    """
    tokens, team = [word for word in _SEPARATORS.split(cell) if word], dict(team_codes)
    for word in tokens:
        if word.startswith(RULE_CODE_PREFIX) and not team:
            return Expectation(
                problem=f"“{shorten_value(word)}” is of the team's rules, and none were asked. Say --rules FILE."
            )
        if word != EXPECT_OK and word not in ISSUE_KINDS and word not in team:
            near = get_close_matches(word.casefold()[:60], [EXPECT_OK, *ISSUE_KINDS, *team], n=1)
            advice = (
                f"Did you mean “{near[0]}”?" if near else f"It takes “{EXPECT_OK}” or codes such as product_id_missing."
            )
            return Expectation(problem=f"“{shorten_value(word)}” is no issue code. {advice}")
    codes = frozenset(tokens) - {EXPECT_OK}
    errors = codes & (_ERROR_CODES | {code for code, is_error in team_codes if is_error})
    if EXPECT_OK in tokens and errors:
        both = f"“{EXPECT_OK}” and {_join_codes(errors)} cannot both be expected:"
        return Expectation(problem=f"{both} “{EXPECT_OK}” means that there is no error. Keep one of them.")
    return Expectation(codes, is_tested=bool(tokens))


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """One row's test.

    Attributes:
        row: The row, from 1.
        line: Its physical line, from 1.
        state: Whether it is as expected.
        expected: Its cell of ``expect``.
        found: The codes that it shows, errors first.
        message: What is not as expected, as a sentence; empty where everything is.
    """

    row: int
    line: int | None
    state: ExpectationState
    expected: str
    found: tuple[str, ...]
    message: str


class ExpectationReport:
    """The results of a file's expectations, worked out over columns and so as fast as the check itself.

    Raises :class:`~intempt_core.errors.ReadError` where the table has no column ``expect``, or no row expects anything.
    """

    def __init__(self, table: Table, report: Report) -> None:
        if EXPECT_COLUMN not in table.columns:
            raise ReadError(
                f"{table.name} has no column “{EXPECT_COLUMN}”. A file that tests itself says there what is right for "
                f"each row: “{EXPECT_OK}”, or codes such as product_id_missing. Add the column."
            )
        self.table = table if table.origin is None else table.origin.table
        self.rows = self.table.rows
        distinct = combine_chunks(_read_expectations(table)).dictionary_encode()
        self._expectation_codes: Int64Array = view_numbers(distinct.indices).astype(np.int64)
        kinds = {**ISSUE_KINDS, **report.rule_kinds}
        self._codes = tuple(kinds)
        self._error_codes = frozenset(code for code, kind in kinds.items() if kind.severity is Severity.ERROR)
        team = tuple((code, code in self._error_codes) for code in report.rule_kinds)
        self._cells: list[str] = distinct.dictionary.to_pylist()
        self._expectations = [parse_expectation(cell, team) for cell in self._cells]
        self._found_by_code = {code: _make_code_mask(report, code) for code in report.all_counts}
        if not any(read.is_tested or read.problem for read in self._expectations):
            raise ReadError(
                f"In {table.name} no row says what is expected of it. Write “{EXPECT_OK}” or issue codes into "
                f"“{EXPECT_COLUMN}”."
            )

    @cached_property
    def states(self) -> NDArray[np.int8]:
        """The state of each row, as its number in :class:`ExpectationState`."""
        wrong = np.zeros(self.rows, np.bool_)
        for code in self._codes:
            wanted = self._rows_by_expectation([code in read.codes for read in self._expectations])
            found = self._found_by_code.get(code)
            if code in self._error_codes:
                wrong |= wanted if found is None else wanted ^ found
            elif wanted.any():
                wrong |= wanted if found is None else wanted & ~found
        states = np.where(wrong, _STATES.index(ExpectationState.FAILED), _STATES.index(ExpectationState.PASSED)).astype(
            np.int8
        )
        states[~self._rows_by_expectation([read.is_tested for read in self._expectations])] = _STATES.index(
            ExpectationState.UNTESTED
        )
        states[self._rows_by_expectation([bool(read.problem) for read in self._expectations])] = _STATES.index(
            ExpectationState.UNREADABLE
        )
        return states

    def _rows_by_expectation(self, by_expectation: Sequence[bool]) -> Mask:
        found: Mask = (
            np.array(by_expectation, np.bool_)[self._expectation_codes]
            if by_expectation
            else np.zeros(self.rows, np.bool_)
        )
        return found

    @cached_property
    def counts(self) -> dict[ExpectationState, int]:
        """Rows by state, every state named."""
        numbers = np.bincount(self.states, minlength=len(_STATES)).tolist()
        return dict(zip(_STATES, numbers, strict=True))

    @property
    def as_expected(self) -> bool:
        """Whether every row that is tested is as it should be, and every expectation can be read."""
        return not (self.counts[ExpectationState.FAILED] or self.counts[ExpectationState.UNREADABLE])

    @property
    def summary(self) -> str:
        """The counts in one sentence."""
        counts = self.counts
        parts = [f"{counts[ExpectationState.PASSED]:,} as expected", f"{counts[ExpectationState.FAILED]:,} not"]
        if counts[ExpectationState.UNREADABLE]:
            parts.append(f"{counts[ExpectationState.UNREADABLE]:,} with an expectation that cannot be read")
        if counts[ExpectationState.UNTESTED]:
            parts.append(f"{counts[ExpectationState.UNTESTED]:,} without one")
        return f"{', '.join(parts)}."

    def rows_in(self, *states: ExpectationState) -> Int64Array:
        """The rows (from 0) in any of these states, sorted."""
        found: Int64Array = np.flatnonzero(np.isin(self.states, [_STATES.index(state) for state in states]))
        return found

    def results(self, rows: Sequence[int] | Int64Array | None = None) -> Iterator[ExpectationResult]:
        """The results of these rows (sorted, from 0), or of all, in order."""
        wanted = np.arange(self.rows) if rows is None else np.asarray(rows, np.int64)
        for start in range(0, len(wanted), RESULT_BLOCK_ROWS):
            some = wanted[start : start + RESULT_BLOCK_ROWS]
            found: list[tuple[str, ...]] = [()] * len(some)
            for code in sorted(self._found_by_code, key=lambda code: code not in self._error_codes):
                for index in np.flatnonzero(self._found_by_code[code][some]).tolist():
                    found[index] += (code,)
            lines, states = self.table.line_numbers(some), self.states[some].tolist()
            whiches = self._expectation_codes[some].tolist()
            for row, line, state, codes, which in zip(some.tolist(), lines, states, found, whiches, strict=True):
                expected, found_state = self._expectations[which], _STATES[state]
                message = (
                    ""
                    if found_state is ExpectationState.PASSED
                    else self._explain_failure(expected, found_state, codes)
                )
                yield ExpectationResult(row + 1, line, found_state, self._cells[which], codes, message)

    def _explain_failure(self, expected: Expectation, state: ExpectationState, found: Sequence[str]) -> str:
        if state is ExpectationState.UNREADABLE:
            return expected.problem
        if state is ExpectationState.UNTESTED:
            return ""
        missing = expected.codes.difference(found)
        surplus = [code for code in found if code in self._error_codes and code not in expected.codes]
        sentences = [f"{_join_codes(missing)} expected and not found."] if missing else []
        if surplus:
            sentences.append(f"{_join_codes(surplus)} found and not expected.")
        return " ".join(sentences)


def _read_expectations(table: Table) -> pa.ChunkedArray:
    """The column ``expect`` as the rows of the file have it; a fixed cell is that of the first event of its row."""
    column = table.columns[EXPECT_COLUMN]
    if table.origin is None:
        return column
    rows, firsts = np.unique(table.origin.rows, return_index=True)
    is_event = np.zeros(table.origin.table.rows, np.bool_)
    is_event[rows] = True
    cells = combine_column(table.origin.table.columns[EXPECT_COLUMN])
    return pa.chunked_array([pc.replace_with_mask(cells, make_array(is_event), take_rows(column, firsts))])


def _make_code_mask(report: Report, code: str) -> Mask:
    """The rows of the file of which an event shows a code."""
    mask = np.zeros(report.rows, np.bool_)
    mask[report.input_rows_of(report.rows_of(code))] = True
    return mask


def _join_codes(codes: Sequence[str] | frozenset[str]) -> str:
    order = {code: number for number, code in enumerate(ISSUE_KINDS)}
    return ", ".join(sorted(codes, key=lambda code: (order.get(code, len(order)), code)))
