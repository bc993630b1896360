"""The verdict on a check for a build: which kinds of issue make it fail, and which issues it lists first."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice

import numpy as np

from intempt_core.contract import Issue, Severity
from intempt_core.validation.baseline import DOCUMENT_ROW, CheckComparison
from intempt_core.validation.report import Report


@dataclass(frozen=True, eq=False)
class CheckVerdict:
    """What a check says to a build.

    Attributes:
        report: What was found.
        comparison: What changed since an earlier check; where there is one, only what is new makes a build fail.
        fail_on: The least severity that makes a build fail.
    """

    report: Report
    comparison: CheckComparison | None = None
    fail_on: Severity = Severity.ERROR

    @cached_property
    def found(self) -> dict[str, int]:
        """Rows by code, errors first; of a comparison, only the rows that are new."""
        new = self.comparison.new if self.comparison is not None else None
        counts = self.report.all_counts if new is None else {code: rows.size for code, rows in new.items()}
        return dict(sorted(counts.items(), key=lambda one: self.report.kind_of(one[0]).severity is not Severity.ERROR))

    @property
    def failing(self) -> dict[str, int]:
        """Of :attr:`found`, what makes a build fail."""
        return {code: rows for code, rows in self.found.items() if self.is_failing(code)}

    def is_failing(self, code: str) -> bool:
        """Whether a kind of issue makes a build fail where it is found."""
        return self.fail_on is Severity.WARNING or self.report.kind_of(code).severity is Severity.ERROR

    def iter_issues(self, code: str) -> Iterator[Issue]:
        """The issues of a code; of a comparison, only those of rows that are new."""
        if self.comparison is None:
            for start in range(0, self.report.issue_count(code), _PAGE_ISSUES):
                yield from self.report.issues(start, _PAGE_ISSUES, code)
            return
        rows = self.comparison.new.get(code, np.empty(0, np.int64))
        if DOCUMENT_ROW in rows:
            yield from (issue for issue in self.report.document_issues if issue.code == code)
        of_rows = rows[rows != DOCUMENT_ROW] - 1
        for start in range(0, of_rows.size, _PAGE_ISSUES):
            for issues in self.report.issues_by_input_row(of_rows[start : start + _PAGE_ISSUES]):
                yield from (issue for issue in issues if issue.code == code)

    def list_issues(self, most: int) -> list[Issue]:
        """Up to so many issues: first one of each kind, errors before warnings, then the others of each."""
        by_kind = [self.iter_issues(code) for code in self.found]
        first = [issue for issues in by_kind for issue in islice(issues, 1)]
        return [*islice(chain(first, *by_kind), most)]


_PAGE_ISSUES = 200
