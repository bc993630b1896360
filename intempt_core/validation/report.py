"""The report on a batch of events: its issues by row and by code, counted and paged without being kept.

Only which rows show which code is kept, as arrays. The issues themselves, with place, value and hint, are built for the
rows that somebody looks at.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from intempt_core.arrays import Int64Array, Mask
from intempt_core.contract import ISSUE_KINDS, Issue, IssueKind, Severity, format_given
from intempt_core.readers import TableOrigin
from intempt_core.validation.row_issues import ISSUE_BLOCK_ROWS, Finding, Partition, RowIssueSource, is_in_sorted

if TYPE_CHECKING:
    from intempt_core.validation.team_rules.rules_file import TeamRules


class DuplicateKind(StrEnum):
    """How an event repeats the id of an earlier one (CONTRACT 2.9); lines of one order are a code of their own."""

    EXACT = "exact repeat"
    SAME_ID = "same id, another body"


class Report:
    """What was found in a batch of events. They are numbered from 0 here; an issue's place counts from 1.

    Most inputs have an event a row. Where rows are exploded, the number of an event is that in the table of events;
    rows are counted, and excluded, as the file has them.

    Threads may share a report. What it works out is the same each time, so that at worst it is worked out twice;
    ``find_more`` is called once.

    Attributes:
        events: How many events were checked.
        origin: The rows that they were made of, where a row may be several events.
        document_issues: Issues of the document that belong to no event; they are counted by code and listed first.
        rules: The team's own rules that were asked too; ``None`` for none.

    Args:
        events: How many events were checked.
        findings: What was found, every error among it.
        row_issues: What builds the issues of single rows.
        find_more: Finds the warnings, when somebody first asks for them.
        document_issues: Issues of the document that belong to no event.
        rules: The team's own rules; what they found is among ``findings``.
        origin: The rows that the events were made of, where a row may be several.
    """

    def __init__(
        self,
        events: int,
        findings: Iterable[Finding],
        row_issues: RowIssueSource,
        *,
        find_more: Callable[[], Iterable[Finding]] = tuple,
        document_issues: Sequence[Issue] = (),
        rules: "TeamRules | None" = None,
        origin: TableOrigin | None = None,
    ) -> None:
        self.events, self.origin = events, origin
        self.document_issues = tuple(document_issues)
        self.rules = rules
        self._found = [finding for finding in findings if finding.rows.size]
        self._find_more: Callable[[], Iterable[Finding]] | None = find_more
        self._find_lock = Lock()
        self._row_issues = row_issues
        self._issue_rows_by_code: dict[str | None, Int64Array] = {}
        self._partitions: dict[tuple[str, str], Partition] = {}

    def __getstate__(self) -> dict[str, object]:
        """Everything but the lock, for another process; the warnings are found first."""
        self._load_findings()
        return {name: value for name, value in vars(self).items() if name != "_find_lock"}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update(state, _find_lock=Lock())

    def work_out(self) -> None:
        """Work out now what is otherwise worked out when it is first asked for, and is long."""
        _ = self.excluded_mask, self.rows_with_warnings, self.counts, self.rule_counts, self._issue_rows(None)
        for code in self.counts:
            self.part_counts(code)

    def _load_findings(self) -> list[Finding]:
        """All findings; the first call looks for those that nobody asked for yet."""
        with self._find_lock:
            if self._find_more is not None:
                self._found = [*self._found, *(finding for finding in self._find_more() if finding.rows.size)]
                self._find_more = None  # frees what only it needed: what was worked out of whole columns
        return self._found

    @cached_property
    def error_mask(self) -> Mask:
        """The events with errors by the contract. What of them is excluded says :meth:`find_excluded`."""
        return self._severity_mask(Severity.ERROR, self._found)

    def find_excluded(self, *, keep_good_members: bool = False) -> Mask:
        """The events that are excluded unless a person says otherwise: all events of each row that has an error
        (CONTRACT 7.21).

        Errors are those of the contract or the team's rules. With ``keep_good_members`` only the events are excluded
        that have one themselves.
        """
        own: Mask = self.error_mask | self.rule_error_mask
        if self.origin is None or keep_good_members:
            return own
        is_bad = np.zeros(self.origin.table.rows, np.bool_)
        is_bad[self.origin.rows[own]] = True
        found: Mask = is_bad[self.origin.rows]
        return found

    @property
    def rows(self) -> int:
        """Rows of the input, those among them that are no event by their name."""
        return self.events if self.origin is None else self.origin.table.rows

    @property
    def rows_with_errors(self) -> int:
        """Rows that have at least one error."""
        return self._count_rows(np.flatnonzero(self.error_mask))

    @property
    def events_with_errors(self) -> int:
        """Events that have at least one error."""
        return int(self.error_mask.sum())

    @cached_property
    def rows_with_warnings(self) -> int:
        """Rows that have at least one warning."""
        return self._count_rows(np.flatnonzero(self._severity_mask(Severity.WARNING, self._load_findings())))

    @cached_property
    def ignored_names(self) -> dict[str, int]:
        """How many rows are no event, by their names: a person said that these are not for us."""
        names = Counter(() if self.origin is None else self.origin.ignored_names)
        return dict(sorted(names.items(), key=lambda one: (-one[1], one[0])))

    @property
    def rows_ignored(self) -> int:
        """Rows that are no event, as a person said of their names."""
        return 0 if self.origin is None else int(self.origin.ignored_rows.size)

    def input_rows_of(self, events: Int64Array) -> Int64Array:
        """The rows of the input (from 0, sorted) that these events (sorted) come from."""
        return events if self.origin is None else np.unique(self.origin.rows[events])

    def issues_by_input_row(self, rows: Int64Array) -> Iterator[list[Issue]]:
        """Every issue of each of these rows of the input (sorted, from 0), those of all its events."""
        if self.origin is None:
            yield from self.issues_by_row(rows.tolist())
            return
        starts = np.searchsorted(self.origin.rows, rows)
        counts = np.searchsorted(self.origin.rows, rows, side="right") - starts
        events = np.repeat(starts - np.append(0, np.cumsum(counts)[:-1]), counts) + np.arange(counts.sum())
        issues = self.issues_by_row(events.tolist())
        for count in counts.tolist():
            yield [issue for its in islice(issues, count) for issue in its]

    def _count_rows(self, events: Int64Array) -> int:
        return int(self.input_rows_of(events).size)

    # ── the team's own rules, never counted among the contract's ─────────────────────────────────────────────────────

    @cached_property
    def _rule_findings(self) -> list[Finding]:
        return [finding for finding in self._found if finding.rule is not None]

    @cached_property
    def rule_error_mask(self) -> Mask:
        """The events with errors by the team's rules."""
        return self._finding_mask(
            one for one in self._rule_findings if one.rule and one.rule.severity is Severity.ERROR
        )

    @cached_property
    def excluded_mask(self) -> Mask:
        """All events of rows with errors by the contract or the team's rules: :meth:`find_excluded`."""
        return self.find_excluded()

    @property
    def rows_with_rule_errors(self) -> int:
        """Rows that break at least one of the team's rules that is an error."""
        return self._count_rows(np.flatnonzero(self.rule_error_mask))

    @cached_property
    def rule_counts(self) -> dict[str, int]:
        """Rows by code of the team's rules, in the order of their file."""
        found = {finding.code for finding in self._rule_findings}
        return {code: self._count_rows(self.rows_of(code)) for code in self.rule_kinds if code in found}

    @property
    def rule_kinds(self) -> Mapping[str, IssueKind]:
        """Every code that the team's rules can find."""
        return self.rules.kinds if self.rules is not None else {}

    @property
    def all_counts(self) -> dict[str, int]:
        """Rows by code, the contract's first, then the team's."""
        return {**self.counts, **self.rule_counts}

    def kind_of(self, code: str) -> IssueKind:
        """The kind of issue that a code is, of the contract or of the team's rules."""
        return ISSUE_KINDS.get(code) or self.rule_kinds[code]

    @cached_property
    def counts(self) -> dict[str, int]:
        """Rows by code, in the catalogue's order; issues of the document count one each."""
        counts = {
            code: self._count_rows(self.rows_of(code)) + sum(issue.code == code for issue in self.document_issues)
            for code in ISSUE_KINDS
        }
        return {code: count for code, count in counts.items() if count}

    def rows_of(self, code: str, part: str | None = None) -> Int64Array:
        """The events (from 0) that show a code, or one part of it, sorted."""
        if part is not None:
            return self._part_rows(code, part)
        found: Int64Array = np.flatnonzero(
            self._finding_mask(finding for finding in self._load_findings() if finding.code == code)
        )
        return found

    def rows_of_codes(self, codes: Iterable[str]) -> Int64Array:
        """The rows that show one of some codes, sorted."""
        found: Int64Array = np.unique(np.concatenate([np.empty(0, np.int64), *(self.rows_of(code) for code in codes)]))
        return found

    def findings_of(self, code: str) -> Iterator[Finding]:
        """What was found of a code, as it was found."""
        return (finding for finding in self._load_findings() if finding.code == code)

    def part_counts(self, code: str) -> dict[str, int]:
        """How many events of a code there are of each of its parts. Empty where a code has no parts."""
        names = dict.fromkeys(name for finding in self._partitioned(code) for name in self._partition_of(finding).names)
        counts = {name: self._part_rows(code, name).size for name in names}
        return {name: count for name, count in counts.items() if count}

    def first_row_of(self, row: int) -> int | None:
        """The row (from 0) whose event id this one repeats or shares; ``None`` where it does neither."""
        for finding in self._load_findings():
            if finding.first_rows is not None and is_in_sorted(finding.rows, np.array([row]))[0]:
                return int(finding.first_rows[np.searchsorted(finding.rows, row)])
        return None

    def _partitioned(self, code: str) -> Iterator[Finding]:
        return (finding for finding in self._load_findings() if finding.code == code and finding.partition is not None)

    def _partition_of(self, finding: Finding) -> Partition:
        key = (finding.code, finding.field)
        if key not in self._partitions and finding.partition is not None:
            self._partitions[key] = finding.partition()
        return self._partitions[key]

    def _part_rows(self, code: str, part: str) -> Int64Array:
        rows = [np.empty(0, np.int64)]
        for finding in self._partitioned(code):
            parts = self._partition_of(finding)
            if part in parts.names:
                rows.append(finding.rows[parts.codes == parts.names.index(part)])
        return np.unique(np.concatenate(rows))

    def issues(
        self, start: int = 0, limit: int = 1000, code: str | None = None, part: str | None = None
    ) -> list[Issue]:
        """Issues ``start`` to ``start + limit`` in row order, of one code (or a part of it) or of all.

        They are built now, for these rows only.
        """
        if part is not None and code is not None:
            rows = self._part_rows(code, part)[start : start + limit].tolist()
            return [issue for issues in self.issues_by_row(rows) for issue in issues if issue.code == code]
        of_document = [issue for issue in self.document_issues if code in (None, issue.code)]
        document_page = of_document[start : start + limit]
        start, limit = max(0, start - len(of_document)), limit - len(document_page)
        flagged = self._issue_rows(code)
        some = flagged[start : start + limit]
        if not some.size:
            return document_page
        rows = np.unique(some).tolist()
        found = [issue for issues in self.issues_by_row(rows) for issue in issues if code in (None, issue.code)]
        before = start - int(
            np.searchsorted(flagged, some[0])
        )  # issues of the first row that an earlier page has shown
        return [*document_page, *found[before : before + limit]]

    def issue_count(self, code: str | None = None, part: str | None = None) -> int:
        """How many issues :meth:`issues` has, those of the document among them."""
        if part is not None and code is not None:
            return self._part_rows(code, part).size
        of_document = sum(code in (None, issue.code) for issue in self.document_issues)
        return of_document + sum(finding.rows.size for finding in self._load_findings() if code in (None, finding.code))

    def issues_of(self, row: int) -> list[Issue]:
        """Every issue of one row, errors first."""
        return next(self.issues_by_row((row,)))

    def issues_by_row(self, rows: Sequence[int]) -> Iterator[list[Issue]]:
        """Every issue of each of these rows (sorted, from 0), errors first; one call for many rows is much faster."""
        contract_findings = [finding for finding in self._load_findings() if finding.rule is None]
        by_row = self._row_issues.issues(rows, contract_findings)
        for start in range(0, len(rows), ISSUE_BLOCK_ROWS):
            some = rows[start : start + ISSUE_BLOCK_ROWS]
            block = np.asarray(some, np.int64)
            found = list(islice(by_row, len(some)))
            for finding in self._load_findings():
                if finding.hint is not None:
                    where = np.flatnonzero(is_in_sorted(finding.rows, block))
                    indices = np.searchsorted(finding.rows, block[where]).tolist()
                    fields = self._row_issues.field_values(finding.field, block[where].tolist())
                    for its, index, (place, value) in zip(where.tolist(), indices, fields, strict=True):
                        found[its].append(Issue(finding.code, place, format_given(value), finding.hint(index)))
            self._add_rule_issues(block, found)
            yield from (
                sorted(issues, key=lambda issue: issue.severity is not Severity.ERROR) if len(issues) > 1 else issues
                for issues in found
            )

    def _add_rule_issues(self, block: Int64Array, found: list[list[Issue]]) -> None:
        """Add the issues of the team's rules: they are asked again about the events that broke any."""
        if self.rules is None or not self._rule_findings:
            return
        where = np.flatnonzero(np.logical_or.reduce([is_in_sorted(one.rows, block) for one in self._rule_findings]))
        for its, event in zip(where.tolist(), self._row_issues.events(block[where].tolist()), strict=True):
            found[its] += self.rules.find_issues(event)

    def _issue_rows(self, code: str | None) -> Int64Array:
        """The row of every issue, in order."""
        if code not in self._issue_rows_by_code:
            rows = [finding.rows for finding in self._load_findings() if code in (None, finding.code)]
            self._issue_rows_by_code[code] = np.sort(np.concatenate([np.empty(0, np.int64), *rows]))
        return self._issue_rows_by_code[code]

    def _severity_mask(self, severity: Severity, findings: Iterable[Finding]) -> Mask:
        contract = (finding for finding in findings if finding.rule is None)
        return self._finding_mask(finding for finding in contract if ISSUE_KINDS[finding.code].severity is severity)

    def _finding_mask(self, findings: Iterable[Finding]) -> Mask:
        mask = np.zeros(self.events, np.bool_)
        for finding in findings:
            mask[finding.rows] = True
        return mask
