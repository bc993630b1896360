"""A file mapped and checked: the events, the report, and what screens ask of both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import merge
from typing import TYPE_CHECKING

import numpy as np

from intempt_core.arrays import Int64Array
from intempt_core.contract import Json
from intempt_core.errors import ConsoleError
from intempt_core.fixes import Fix, SuggestedFix, suggest_fixes
from intempt_core.mapping import EXPECT_COLUMN, EventSource
from intempt_core.validation import Baseline, ExpectationReport, Report

if TYPE_CHECKING:
    from intempt_core.history import ExcludedRow

HISTOGRAM_BINS = 24
"""Bars of the chart that shows where in a file a kind of problem is."""


@dataclass(frozen=True)
class FileCheck:
    """A mapped file and the result of checking it.

    Attributes:
        mapped: The file, mapped.
        report: The issues of its rows.
        fixes: The fixes that were applied.
        cells_changed: The number of cells that each fix changed.
        superseded: Numbers of the half recorded batches of the file, of which what never left is not sent yet.
    """

    mapped: EventSource
    report: Report
    fixes: tuple[Fix, ...] = ()
    cells_changed: tuple[int, ...] = ()
    superseded: tuple[int, ...] = ()

    @property
    def accepted_before(self) -> Int64Array:
        """The rows (from 0) whose event was accepted by this target before."""
        return self.report.rows_of("sent_before", "accepted")

    @property
    def sent_before(self) -> Int64Array:
        """The rows (from 0) that a person may leave out, as their event went to this target before.

        Those are the accepted ones. Of a file of which a batch is half recorded they are also those that may have
        arrived, and those that are going in another batch, so that what is left is exactly the rest.
        """
        if not self.superseded:
            return self.accepted_before
        from intempt_core.history import GOING_STATES  # noqa: PLC0415  a process that checks does without

        found = [self.report.rows_of("sent_before", state.value) for state in GOING_STATES]
        return np.unique(np.concatenate(found))

    def excluded_rows(
        self,
        *,
        everything: bool,
        exclude_accepted: bool = False,
        good_members: bool = False,
        exclude_codes: Sequence[str] = (),
    ) -> Int64Array:
        """The events (from 0) that are not sent.

        Those of rows with errors, unless ``everything`` is, where with ``good_members`` the events without errors are
        sent; those sent before; and those that show one of some codes.
        """
        mask = np.zeros(self.report.events, np.bool_)
        if not everything:
            mask |= self.report.find_excluded(keep_good_members=good_members)
        if exclude_accepted:
            mask[self.sent_before] = True
        mask[self.report.rows_of_codes(exclude_codes)] = True
        return np.flatnonzero(mask)

    def excluded_records(
        self,
        *,
        everything: bool = False,
        exclude_accepted: bool = False,
        good_members: bool = False,
        exclude_codes: Sequence[str] = (),
    ) -> "Iterator[ExcludedRow]":
        """The events that are not sent, with the codes of their issues, and rows that are none by their names."""
        from intempt_core.history import (  # noqa: PLC0415  a process that checks does without
            collect_excluded_rows,
            collect_ignored_rows,
        )

        excluded = self.excluded_rows(
            everything=everything,
            exclude_accepted=exclude_accepted,
            good_members=good_members,
            exclude_codes=exclude_codes,
        ).tolist()
        return merge(
            collect_excluded_rows(self.report, self.mapped.events, excluded, exclude_codes),
            collect_ignored_rows(self.report),
        )

    @cached_property
    def suggestions(self) -> list[SuggestedFix]:
        """The fixes that would help."""
        return suggest_fixes(self.mapped, self.report)

    @cached_property
    def issue_histogram(self) -> dict[str, list[int]]:
        """Where in the file each kind of problem is: numbers of rows, by code, in :data:`HISTOGRAM_BINS` parts."""
        rows_by_code = {code: self.report.rows_of(code) for code in self.report.all_counts}
        return {
            code: np.histogram(rows, HISTOGRAM_BINS, (0, self.report.events))[0].tolist()
            for code, rows in rows_by_code.items()
        }

    @property
    def fix_records(self) -> list[Json]:
        """The fixes as history keeps them with the batch."""
        return [
            step.record(cells, self.mapped.table) for step, cells in zip(self.fixes, self.cells_changed, strict=True)
        ]

    @cached_property
    def expectations(self) -> ExpectationReport | str:
        """The results of the column ``expect``, or why it expects nothing, as a sentence."""
        try:
            return ExpectationReport(self.mapped.table, self.report)
        except ConsoleError as error:
            return str(error)

    @cached_property
    def baseline(self) -> Baseline:
        """What was found, as a later check of a file of this shape is compared with it."""
        return Baseline.of(self.mapped.table.name, self.mapped.table, self.report)

    def work_out(self) -> None:
        """Work out everything now that is otherwise worked out when it is first asked for."""
        self.report.work_out()
        if self.mapped.makes_ids:
            self.mapped.values("eventId", ())
        _ = self.suggestions, self.issue_histogram, self.baseline
        if EXPECT_COLUMN in self.mapped.table.header and not isinstance(self.expectations, str):
            _ = self.expectations.counts
