"""Validation issues of single rows, built on demand for the rows on screen or in an export.

Rows of a table that are wrong in the same way, by the columns, and have the same cells filled differ only in their
values: the rules are asked about the first of them, and the others get its issues with their own place, value and hint.
So a million bad rows cost little more than the number of ways in which they are bad.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

import numpy as np

from intempt_core.arrays import Int64Array, Mask
from intempt_core.contract import (
    ISSUE_KINDS,
    FoundElsewhere,
    GivenEvent,
    Issue,
    IssueKind,
    Json,
    Place,
    find_event_errors,
    find_event_warnings,
    format_given,
    get_field,
)
from intempt_core.mapping import NUMBER_FORMS, EventSource, MappedTable, detect_number_form
from intempt_core.readers import ReadingIssues

RULE_CODE_PREFIX = "rule:"
"""How the code of every finding of the team's rules begins; no code of the contract does."""

ISSUE_BLOCK_ROWS = 4096
"""Rows whose issues are built together."""

_PATTERNS_CACHED = 4096  # ways of being wrong whose issues one stream keeps
_CELL_CODES = frozenset(code for code, kind in ISSUE_KINDS.items() if kind.reading is FoundElsewhere.BY_CELLS)

_FieldIssues: TypeAlias = list[tuple[Issue, str | None]]
"""The issues of one row, each with the field that it is about, where a column gives that field."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The rows that show a code.

    Attributes:
        code: The issue's code.
        rows: Row numbers from 0, sorted; a row is in it as often as it has issues of the code.
        field: The field that they are about; empty for the whole event.
        hint: Where no single event shows it: why the row at an index of ``rows`` does, and what to do.
        first_rows: Beside each row the one whose event id it repeats or shares.
        partition: Tells the rows apart within the code; worked out when first called.
        rule: The team's rule that it is about; ``None`` where it is the contract's.
    """

    code: str
    rows: Int64Array
    field: str = ""
    hint: Callable[[int], str] | None = None
    first_rows: Int64Array | None = None
    partition: Callable[[], "Partition"] | None = None
    rule: IssueKind | None = None


@dataclass(frozen=True, slots=True)
class Partition:
    """The parts of a finding.

    Attributes:
        names: What the parts are called.
        codes: For each row of the finding the index of its part in ``names``.
    """

    names: tuple[str, ...]
    codes: Int64Array


class RowIssueSource(Protocol):
    """What builds the issues of single rows for a report; rows are sorted and count from 0."""

    def issues(self, rows: Sequence[int], findings: Sequence[Finding], /) -> Iterator[list[Issue]]:
        """The issues that each row has by itself; ``findings`` are all that was found without reading its values."""
        ...

    def field_values(self, field: str, rows: Sequence[int], /) -> Iterator[tuple[Place, Json]]:
        """Place and value of one field in each row; no value is ``None``."""
        ...

    def events(self, rows: Sequence[int], /) -> Iterator[GivenEvent]:
        """The events of the rows."""
        ...


class ListRowIssues:
    """Issues of events in a list, which were all found before."""

    def __init__(self, events: Sequence[GivenEvent], issues: Sequence[Sequence[Issue]]) -> None:
        self._events = events
        self._issues = issues

    def issues(self, rows: Sequence[int], _findings: Sequence[Finding], /) -> Iterator[list[Issue]]:
        """What was found before."""
        return (list(self._issues[row]) for row in rows)

    def field_values(self, field: str, rows: Sequence[int], /) -> Iterator[tuple[Place, Json]]:
        """Of each event."""
        for event in (self._events[row] for row in rows):
            yield event.place_of(field), event.name if field == "name" else get_field(event.body, field)

    def events(self, rows: Sequence[int], /) -> Iterator[GivenEvent]:
        """The events of the rows."""
        return (self._events[row] for row in rows)


class DocumentRowIssues:
    """Issues of JSON lines: the rules are asked about each row again; those of reading are kept by row."""

    def __init__(self, mapped: EventSource, reading_issues: ReadingIssues) -> None:
        self._mapped = mapped
        self._reading_issues = reading_issues

    def issues(self, rows: Sequence[int], _findings: Sequence[Finding], /) -> Iterator[list[Issue]]:
        """The issues of the rules, then those of reading."""
        for row, event in zip(rows, self._mapped.events(rows), strict=True):
            own = self._reading_issues.of_row(row + 1) if len(self._reading_issues) else ()
            yield [*find_event_errors(event), *find_event_warnings(event), *own]

    def field_values(self, field: str, rows: Sequence[int], /) -> Iterator[tuple[Place, Json]]:
        """Of each event."""
        for event in self._mapped.events(rows):
            yield event.place_of(field), event.name if field == "name" else get_field(event.body, field)

    def events(self, rows: Sequence[int], /) -> Iterator[GivenEvent]:
        """The events of the rows."""
        return self._mapped.events(rows)


class TableRowIssues:
    """Issues of a mapped table: the rules are asked once for each way in which rows are wrong."""

    def __init__(self, mapped: MappedTable) -> None:
        self._mapped = mapped
        self._constant_event = mapped.blank_event()
        self._unreadable_rows = find_unreadable_lines(mapped)
        self._field_by_pointer = {self._constant_event.place_of(field).pointer: field for field in mapped.cells}

    def issues(self, rows: Sequence[int], findings: Sequence[Finding], /) -> Iterator[list[Issue]]:
        """The issues of the rules, then those of the row's cells."""
        rule_findings = [finding for finding in findings if finding.hint is None and finding.code not in _CELL_CODES]
        type_findings = [finding for finding in findings if finding.code == "value_type"]
        cache: dict[bytes, _FieldIssues] = {}
        for start in range(0, len(rows), ISSUE_BLOCK_ROWS):
            block = np.asarray(rows[start : start + ISSUE_BLOCK_ROWS], np.int64)
            found: list[list[Issue]] = [[] for _ in block]
            masks = [is_in_sorted(finding.rows, block) for finding in rule_findings]
            self._add_rule_issues(block, masks, cache, found)
            self._add_cell_issues(block, type_findings, found)
            yield from found

    def field_values(self, field: str, rows: Sequence[int], /) -> Iterator[tuple[Place, Json]]:
        """Of each row."""
        place = self._constant_event.place_of(field)
        places = self._mapped.places(np.asarray(rows, np.int64), place.column, place.pointer)
        yield from zip(places, self._mapped.values(field, rows), strict=True)

    def events(self, rows: Sequence[int], /) -> Iterator[GivenEvent]:
        """The events of the rows."""
        return self._mapped.events(rows)

    def _add_rule_issues(
        self, block: Int64Array, masks: Sequence[Mask], cache: dict[bytes, _FieldIssues], found: list[list[Issue]]
    ) -> None:
        where = np.flatnonzero(np.logical_or.reduce(masks)) if masks else np.empty(0, np.int64)
        if not where.size:
            return
        rows = block[where]
        filled = [self._mapped.filled_mask(field, rows) for field in self._mapped.cells]
        bits = np.packbits(np.stack([*(mask[where] for mask in masks), *filled], axis=1), axis=1)
        patterns, firsts, pattern_of_row = np.unique(bits, axis=0, return_index=True, return_inverse=True)
        names = [pattern.tobytes() for pattern in patterns]
        if len(cache) > _PATTERNS_CACHED:
            cache.clear()
        new = [number for number, name in enumerate(names) if name not in cache]
        for number, event in zip(new, self._mapped.events(rows[firsts[new]].tolist()), strict=True):
            issues = [*find_event_errors(event), *find_event_warnings(event)]
            cache[names[number]] = [(issue, self._field_by_pointer.get(issue.place.pointer)) for issue in issues]
        order = np.argsort(pattern_of_row.reshape(-1), kind="stable")
        for name, same in zip(
            names, np.split(order, np.cumsum(np.bincount(pattern_of_row.reshape(-1)))[:-1]), strict=True
        ):
            self._copy_issues(cache[name], rows[same].tolist(), [found[index] for index in where[same].tolist()])

    def _copy_issues(self, first_issues: _FieldIssues, rows: list[int], found: list[list[Issue]]) -> None:
        """Give rows that are wrong in the same way the issues of one of them, each with its own place and value."""
        for issue, field in first_issues:
            code, place, hint_of = issue.code, issue.place, ISSUE_KINDS[issue.code].hint
            if field is None:
                places = self._mapped.places(np.asarray(rows, np.int64), place.column, place.pointer)
                for here, its in zip(places, found, strict=True):
                    its.append(Issue(code, here, issue.given, issue.hint))
                continue
            for its, (here, value) in zip(found, self.field_values(field, rows), strict=True):
                hint = issue.hint if hint_of is None else hint_of(value)
                its.append(Issue(code, here, format_given(value), hint))

    def _add_cell_issues(self, block: Int64Array, type_findings: Sequence[Finding], found: list[list[Issue]]) -> None:
        """Add what a row shows beside its event: too many or too few cells, and cells that are not of their type."""
        table = self._mapped.table
        for row, its in zip(block.tolist(), found, strict=True) if table.cell_counts else ():
            count = table.cell_counts.get(row, table.width)
            if count != table.width:
                code = "row_long" if count > table.width else "row_short"
                its.append(Issue(code, self._mapped.places(np.array([row]))[0], str(count)))
        unreadable = is_in_sorted(self._unreadable_rows, block) if self._unreadable_rows.size else np.zeros(0, np.bool_)
        for index in np.flatnonzero(unreadable).tolist():
            found[index].append(_build_line_issue(self._mapped, int(block[index])))
        for row, its in zip(block.tolist(), found, strict=True) if table.malformed_quotes else ():
            column = table.malformed_quotes.get(row)
            if column is not None:
                name = table.header[min(column, table.width - 1)]
                place = self._mapped.places(np.array([row]), name)[0]
                its.append(Issue("quote_malformed", place, format_given(table.cell(row, name)), _locate_quote(place)))
        for finding in type_findings:
            where = np.flatnonzero(is_in_sorted(finding.rows, block)).tolist()
            for index, (place, value) in zip(
                where, self.field_values(finding.field, block[where].tolist()), strict=True
            ):
                found[index].append(Issue(finding.code, place, format_given(value), _hint_type(value)))


def _hint_type(value: Json) -> str:
    """What becomes of a JSON value, or how to read a text that is a number as people write one; empty where unsure."""
    if not isinstance(value, str):
        what = "true or false" if isinstance(value, bool) else "a number" if isinstance(value, int | float) else ""
        what = what or ("a list" if isinstance(value, list) else "an object")
        return f"It is {what} in the file's JSON and is sent as that. Correct the value, or its type in the mapping."
    form = detect_number_form([value]) if any(map(str.isdigit, value)) else None
    if form not in NUMBER_FORMS:
        return ""
    return (
        f"It seems to be written as {form.partition(':')[2]}: name the type {form} in the mapping, or correct the cell."
    )


def find_unreadable_lines(mapped: MappedTable) -> Int64Array:
    """The events (from 0) of lines that are no JSON, of a file of JSON lines."""
    origin = mapped.table.origin
    documents = (mapped.table if origin is None else origin.table).documents
    if documents is None:
        return np.empty(0, np.int64)
    rows = documents.issues.rows_with("line_unreadable") - 1
    found: Int64Array = rows if origin is None else np.flatnonzero(np.isin(origin.rows, rows))
    return found


def _locate_quote(place: Place) -> str:
    """The fix with the line in front: rows are hard to count in a file whose quoting is malformed."""
    fix = ISSUE_KINDS["quote_malformed"].fix
    return f"In line {place.line:,}, {fix[0].lower()}{fix[1:]}" if place.line else ""


def _build_line_issue(mapped: MappedTable, event: int) -> Issue:
    origin = mapped.table.origin
    source, row = (mapped.table, event) if origin is None else (origin.table, int(origin.rows[event]))
    issues = source.documents.issues.of_row(row + 1) if source.documents else []
    issue = next(one for one in issues if one.code == "line_unreadable")
    return replace(issue, place=mapped.places(np.array([event]), None, issue.place.pointer)[0])


def is_in_sorted(rows: Int64Array, block: Int64Array) -> Mask:
    """Whether each row of a block is among sorted ``rows``, of which there is at least one."""
    found: Mask = rows[np.minimum(np.searchsorted(rows, block), rows.size - 1)] == block
    return found
