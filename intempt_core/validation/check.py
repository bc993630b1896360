"""Events become a report, at two speeds and by the same rules.

:func:`check_events` asks the rules about each event. :func:`check_table` runs the same rules over whole columns
(``column_rules.py``) and asks about single events only for the rows whose issues somebody looks at (``row_issues.py``).
What takes more than one event is one function for both (``duplicates.py``, ``across_events.py``).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow.compute as pc

from intempt_core.arrays import Int64Array, Mask, make_array
from intempt_core.contract import (
    ID_FIELDS,
    ISSUE_KINDS,
    EventName,
    GivenEvent,
    Issue,
    Severity,
    find_event_errors,
    find_event_warnings,
    get_field,
    id_to_text,
)
from intempt_core.mapping import EventSource, MappedDocuments, MappedTable
from intempt_core.readers import EXCEL
from intempt_core.validation.across_events import (
    UnknownProductLookup,
    add_fix_hints,
    report_id_column,
    report_unknown_products,
)
from intempt_core.validation.column_rules import RULE_BLOCK_ROWS, ColumnChecker
from intempt_core.validation.duplicates import DuplicateRows, describe_duplicates, find_duplicates, number_orders
from intempt_core.validation.id_columns import report_cell_errors, report_damaged_ids
from intempt_core.validation.prior_sends import (
    PRIOR_SEND_CODES,
    PriorSendLookup,
    read_line_products,
    report_prior_sends,
)
from intempt_core.validation.report import Report
from intempt_core.validation.row_issues import (
    DocumentRowIssues,
    Finding,
    ListRowIssues,
    TableRowIssues,
    find_unreadable_lines,
)
from intempt_core.validation.row_repeats import report_row_repeats
from intempt_core.validation.text_column import to_mask
from intempt_core.validation.unclear_times import report_unclear_times

if TYPE_CHECKING:
    from intempt_core.validation.team_rules.rules_file import TeamRules


def check_table(
    source: EventSource,
    find_prior_sends: PriorSendLookup | None = None,
    is_unknown_product: UnknownProductLookup | None = None,
    *,
    earlier_report: Report | None = None,
    rules: "TeamRules | None" = None,
) -> Report:
    """Check the events of a table or of JSON lines. No Python runs for a single row as long as the rows are clean.

    Args:
        source: The events; their warnings are looked for when somebody first asks the report for them.
        find_prior_sends: What history knows of event ids; without it nothing is said of them.
        is_unknown_product: Which products a catalogue lacks; without it nothing is said of them.
        earlier_report: A report on rows that have the very same event ids, such as those before a fix of another
            column: what it says of ids that were sent before is taken over.
        rules: The team's own rules.
    """
    known = _Beside(find_prior_sends, is_unknown_product, earlier_report, rules)
    if isinstance(source, MappedDocuments):
        return _DocumentCheck(source, known).report()
    return _TableCheck(source.column_view, known).report()


def check_events(
    events: Sequence[GivenEvent],
    find_prior_sends: PriorSendLookup | None = None,
    reader_issues: Sequence[Issue] = (),
    is_unknown_product: UnknownProductLookup | None = None,
    *,
    rules: "TeamRules | None" = None,
) -> Report:
    """Check events from a form or a pasted document.

    Args:
        events: The events; they are gone through once, so they may be read as they go by.
        find_prior_sends: What history knows of event ids; without it nothing is said of them.
        reader_issues: What was found while the document was read; it becomes part of the report.
        is_unknown_product: Which products a catalogue lacks; without it nothing is said of them.
        rules: The team's own rules.
    """
    return _EventCheck(events, reader_issues).report(_Beside(find_prior_sends, is_unknown_product, rules=rules))


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is known beside the events: history, a catalogue, a report on rows with the same ids, the team's rules."""

    find_prior_sends: PriorSendLookup | None
    is_unknown_product: UnknownProductLookup | None
    earlier_report: Report | None = None
    rules: "TeamRules | None" = None

    def find_rule_findings(self, source: EventSource) -> list[Finding]:
        """What the team's rules find."""
        return self.rules.find_in_source(source) if self.rules is not None else []


# ── a table of texts ─────────────────────────────────────────────────────────────────────────────────────────────────

ColumnRules: TypeAlias = Callable[[ColumnChecker], Iterable[tuple[str, Int64Array, str]]]
"""Rules about single rows: each finding is a code, its rows and the field."""


def _run_rules(mapped: MappedTable, rules: ColumnRules) -> list[Finding]:
    """What rules about single rows find, looked for in two parts of the table at a time."""

    def run(start: int) -> list[tuple[str, Int64Array, str]]:
        part = ColumnChecker(mapped.slice_rows(start, min(start + RULE_BLOCK_ROWS, mapped.rows)))
        some = [(code, rows + start, field) for code, rows, field in rules(part)]
        mapped.table.release_memory()
        return some

    found: dict[tuple[str, str, int], list[Int64Array]] = {}
    starts = range(0, mapped.rows, RULE_BLOCK_ROWS)
    with ThreadPoolExecutor(2) as pool:
        for some in pool.map(run, starts) if len(starts) > 1 else map(run, starts):
            times: Counter[tuple[str, str]] = Counter()
            for code, rows, field in some:
                found.setdefault((code, field, times[code, field]), []).append(rows)
                times[code, field] += 1  # a code may come often: its rows are listed as often
    return [Finding(code, np.concatenate(rows), field) for (code, field, _), rows in found.items()]


class _TableCheck:
    """The check of a mapped table. What it works out of whole columns is freed with it, when the warnings are found."""

    def __init__(self, mapped: MappedTable, known: _Beside) -> None:
        self._mapped, self._known = mapped, known
        self._columns = ColumnChecker(mapped)
        self._unreadable_times: Int64Array = np.empty(0, np.int64)

    def report(self) -> Report:
        """The report: errors and repeats now, warnings when they are asked for."""
        mapped, columns = self._mapped, self._columns
        with ThreadPoolExecutor(1) as worker:  # Arrow numbers a million ids there, while the rules run here
            numbering = worker.submit(lambda: columns.id_codes)
            errors = _run_rules(mapped, ColumnChecker.find_errors)
            numbering.result()
        unreadable = [finding.rows for finding in errors if finding.code == "timestamp_unreadable" and finding.field]
        self._unreadable_times = np.concatenate([self._unreadable_times, *unreadable])
        if mapped.table.format.name == EXCEL.name:
            errors += [
                report_cell_errors(field, mapped.table.columns[column])
                for field, column in mapped.field_columns.items()
                if field in ID_FIELDS
            ]
        header = mapped.table.width
        errors.append(Finding("row_long", self._select_rows(lambda cells: cells > header)))
        errors.append(Finding("quote_malformed", np.array(sorted(mapped.table.malformed_quotes), np.int64)))
        errors.append(Finding("line_unreadable", find_unreadable_lines(mapped)))
        row_issues = TableRowIssues(mapped)
        wrong = Report(mapped.rows, errors, row_issues).error_mask
        duplicates = find_duplicates(columns.id_codes, wrong, lambda: columns.order_codes, columns.product_codes)
        if (origin := mapped.table.origin) is not None:
            duplicates = duplicates.without_lines_of_one_row(origin, columns.product_codes)
        repeats = describe_duplicates(
            duplicates, mapped.table.describe_row, partial(_have_same_cells, mapped, duplicates)
        )
        team = self._known.find_rule_findings(mapped)
        return Report(
            mapped.rows,
            [*errors, *repeats, *team],
            row_issues,
            find_more=self._find_warnings,
            rules=self._known.rules,
            origin=origin,
        )

    def _find_warnings(self) -> Iterator[Finding]:
        mapped, known = self._mapped, self._known
        with ThreadPoolExecutor(1) as worker:  # whole columns are looked at there, while the rules run here
            is_large = mapped.rows > RULE_BLOCK_ROWS
            of_columns = worker.submit(lambda: list(self._find_in_columns())) if is_large else None
            yield from _run_rules(mapped, ColumnChecker.find_warnings)
            header = mapped.table.width
            yield Finding("row_short", self._select_rows(lambda cells: cells < header))
            yield from of_columns.result() if of_columns else self._find_in_columns()
        for field in ID_FIELDS:
            if field in mapped.mapping.constants:
                text = _keep_unicode(id_to_text(mapped.mapping.constants[field]))
                for finding in report_damaged_ids(field, make_array([text])):
                    yield replace(finding, rows=np.arange(mapped.rows))
        if known.is_unknown_product is not None:
            rule = partial(ColumnChecker.find_unknown_products, is_unknown_product=known.is_unknown_product)
            yield from add_fix_hints(_run_rules(mapped, rule))
        yield from self._find_prior_sends()

    def _find_prior_sends(self) -> Iterator[Finding]:
        """What history knows of the events, asked now or before the table was fixed."""
        known = self._known
        if known.earlier_report is not None:
            for code in PRIOR_SEND_CODES:
                yield from known.earlier_report.findings_of(code)
        elif known.find_prior_sends is not None:
            find_products = partial(read_line_products, self._mapped, self._columns)
            yield from report_prior_sends(self._columns.iter_event_ids(), find_products, known.find_prior_sends)

    def _find_in_columns(self) -> Iterator[Finding]:
        """The warnings that only whole columns show."""
        mapped = self._mapped
        if mapped.makes_ids:
            yield report_row_repeats(mapped.table)
        yield from report_unclear_times(mapped, self._unreadable_times)
        for field, column in mapped.field_columns.items():
            if field in ID_FIELDS:
                yield from report_id_column(field, mapped.table.columns[column], mapped.table.describe_row)
                mapped.table.release_memory()

    def _select_rows(self, predicate: Callable[[int], bool]) -> Int64Array:
        """The rows whose number of cells is so."""
        counts = self._mapped.table.cell_counts
        return np.array(sorted(row for row, count in counts.items() if predicate(count)), np.int64)


def _have_same_cells(mapped: MappedTable, duplicates: DuplicateRows) -> Mask:
    """Whether each row that repeats an id becomes the same event as the row that has it first."""
    rows, firsts = duplicates.repeated_rows, duplicates.repeated_first_rows
    same = np.ones(rows.size, np.bool_)
    for field in mapped.field_columns:
        ours, theirs = mapped.take_cells(field, rows), mapped.take_cells(field, firsts)
        differ = np.flatnonzero(same & ~to_mask(pc.equal(ours, theirs)))
        if field in ("name", "timestamp") or field in mapped.mapping.types:  # two spellings may be one value
            values = zip(*(mapped.values(field, some[differ].tolist()) for some in (rows, firsts)), strict=True)
            differ = differ[np.array([one != other for one, other in values], np.bool_)]
        same[differ] = False
        kinds, others = mapped.take_kinds(field, rows), mapped.take_kinds(field, firsts)
        if kinds is not None or others is not None:  # 12.5 and "12.5" are two values
            same &= (0 if kinds is None else kinds) == (0 if others is None else others)
    return same


# ── JSON lines ───────────────────────────────────────────────────────────────────────────────────────────────────────


class _DocumentCheck:
    """The check of JSON lines: by their columns, and event by event where columns, being texts, do not say all."""

    def __init__(self, mapped: MappedDocuments, known: _Beside) -> None:
        self._mapped, self._known = mapped, known
        self._columns = ColumnChecker(mapped.column_view)
        self._is_single = mapped.needs_model
        self._single_rows = np.flatnonzero(self._is_single)
        self._row_issues = DocumentRowIssues(mapped, mapped.documents.issues)
        self._single_findings: defaultdict[str, list[int]] = defaultdict(list)
        rows = self._single_rows.tolist()
        for row, issues in zip(rows, self._row_issues.issues(rows, ()), strict=True):
            for issue in issues:
                self._single_findings[issue.code].append(row)

    def report(self) -> Report:
        """The report: errors and repeats now, warnings when they are asked for."""
        mapped = self._mapped
        errors = list(self._find(Severity.ERROR, ColumnChecker.find_errors))
        wrong = Report(mapped.rows, errors, self._row_issues).error_mask
        duplicates = find_duplicates(self._id_codes, wrong, self._number_orders, self._columns.product_codes)
        repeats = describe_duplicates(
            duplicates, mapped.table.describe_row, partial(_have_same_bodies, mapped, duplicates)
        )
        return Report(
            mapped.rows,
            [*errors, *repeats, *self._known.find_rule_findings(mapped)],
            self._row_issues,
            find_more=self._find_warnings,
            document_issues=mapped.documents.issues.of_no_row(),
            rules=self._known.rules,
        )

    def _find(self, severity: Severity, rules: ColumnRules) -> Iterator[Finding]:
        """What rules find in the columns, and what was found in the other events one by one."""
        yield from self._run_column_rules(rules)
        for code, rows in self._single_findings.items():
            if ISSUE_KINDS[code].severity is severity:
                yield Finding(code, np.array(rows, np.int64))

    def _find_warnings(self) -> Iterator[Finding]:
        yield from self._find(Severity.WARNING, ColumnChecker.find_warnings)
        table, known = self._mapped.table, self._known
        for field in ID_FIELDS:
            if field in table.columns:
                yield from report_id_column(field, table.columns[field], table.describe_row)
        if known.is_unknown_product is not None:
            rule = partial(ColumnChecker.find_unknown_products, is_unknown_product=known.is_unknown_product)
            yield from add_fix_hints(self._run_column_rules(rule))
            products = self._read_single_ids("data.productId")
            yield report_unknown_products(products, known.is_unknown_product, self._single_rows)
        if known.find_prior_sends is not None:
            find_products = partial(read_line_products, self._mapped, self._columns)
            yield from report_prior_sends(self._iter_event_ids(), find_products, known.find_prior_sends)

    def _iter_event_ids(self) -> Iterator[list[str | None]]:
        """The event ids of all rows, in parts."""
        rows, texts, first = self._single_rows, self._read_single_ids("eventId"), 0
        for ids in self._columns.iter_event_ids():
            start, stop = np.searchsorted(rows, [first, first + len(ids)]).tolist()
            for row, text in zip(rows[start:stop].tolist(), texts[start:stop], strict=True):
                ids[row - first] = text
            yield ids
            first += len(ids)

    @cached_property
    def _id_codes(self) -> Int64Array:
        """A number for each event id, the same for equal ones; -1 where there is none."""
        codes = self._columns.id_codes.copy()
        is_missing = [text is None for text in self._read_single_ids("eventId")]
        codes[self._single_rows[np.array(is_missing, np.bool_)]] = -1
        return codes

    def _number_orders(self) -> Int64Array:
        """:func:`number_orders` of all rows; only events are read whose columns do not say all, and their neighbours.

        Those are events inside of a payload too: they are no plain lines.
        """
        orders = self._columns.order_codes
        is_linked = np.append(False, orders[1:] == orders[:-1])[: orders.size]
        is_unsure = self._is_single | ~self._mapped.documents.is_plain
        is_unsure_pair = is_unsure | np.append(False, is_unsure[:-1])[: orders.size]
        is_read = self._columns.is_order & (is_unsure_pair | np.append(is_unsure[1:], False)[: orders.size])
        rows = np.flatnonzero(is_read)
        numbers = number_orders(self._mapped.events(rows), rows)
        is_same = np.append(False, (numbers[1:] == numbers[:-1]) & (rows[1:] == rows[:-1] + 1))[: rows.size]
        is_linked[is_unsure_pair] = False
        read = rows[is_same]
        is_linked[read[is_unsure_pair[read]]] = True
        found: Int64Array = np.cumsum(~is_linked)
        return found

    def _run_column_rules(self, rules: ColumnRules) -> Iterator[Finding]:
        for finding in _run_rules(self._columns.mapped, rules):
            yield replace(finding, rows=finding.rows[~self._is_single[finding.rows]])

    def _read_single_ids(self, field: str) -> list[str | None]:
        """The ids in a field of the events that are checked one by one."""
        return [id_to_text(value) for value in self._mapped.values(field, self._single_rows.tolist())]


def _have_same_bodies(mapped: MappedDocuments, duplicates: DuplicateRows) -> Mask:
    """Whether each event that repeats an id is the same as the event that has it first."""
    pairs = zip(mapped.events(duplicates.repeated_rows), mapped.events(duplicates.repeated_first_rows), strict=True)
    return np.array([(one.name, one.body) == (first.name, first.body) for one, first in pairs], np.bool_)


# ── events in a list ─────────────────────────────────────────────────────────────────────────────────────────────────


class _EventCheck:
    """The check of events one by one, in one pass over them."""

    def __init__(self, events: Sequence[GivenEvent], reader_issues: Sequence[Issue]) -> None:
        self._events = events
        self._issues: list[list[Issue]] = []
        self._ids: dict[str, list[str | None]] = {field: [] for field in ID_FIELDS}
        for event in events:
            self._issues.append([*find_event_errors(event), *find_event_warnings(event)])
            for field, texts in self._ids.items():
                texts.append(id_to_text(get_field(event.body, field)))
        self._document_issues = _assign_issues(reader_issues, events, self._issues)

    def report(self, known: _Beside) -> Report:
        """The report, with everything in it."""
        rows: dict[str, list[int]] = {code: [] for code in ISSUE_KINDS}
        for row, issues in enumerate(self._issues):
            for issue in issues:
                rows[issue.code].append(row)
        findings = [Finding(code, np.array(found, np.int64)) for code, found in rows.items()]
        row_issues = ListRowIssues(self._events, self._issues)
        wrong = Report(len(self._events), findings, row_issues).error_mask
        findings += self._find_across(wrong, known)
        rules = known.rules
        if rules is not None:
            findings += rules.find_in_events(self._events)
        documents = self._document_issues
        return Report(len(self._events), findings, row_issues, document_issues=documents, rules=rules)

    def _find_across(self, wrong: Mask, known: _Beside) -> Iterator[Finding]:
        """What no single event shows; ``wrong`` are the rows with errors of their own."""
        products = _number_texts(self._ids["data.productId"])
        duplicates = find_duplicates(
            _number_texts(self._ids["eventId"]), wrong, self._number_orders, lambda rows: products[rows]
        )
        yield from describe_duplicates(
            duplicates, self._describe_row, partial(_are_same_events, self._events, duplicates)
        )
        for field, texts in self._ids.items():
            yield from report_id_column(field, make_array([_keep_unicode(text) for text in texts]), self._describe_row)
        if known.find_prior_sends is not None:
            yield from report_prior_sends([self._ids["eventId"]], self._read_line_products, known.find_prior_sends)
        if known.is_unknown_product is not None:
            yield report_unknown_products(self._ids["data.productId"], known.is_unknown_product)

    def _read_line_products(self, rows: Int64Array) -> list[str | None]:
        products = self._ids["data.productId"]
        return [products[row] if self._events[row].name == EventName.ORDERED else None for row in rows.tolist()]

    def _number_orders(self) -> Int64Array:
        return number_orders(self._events, np.arange(len(self._events)))

    def _describe_row(self, row: int) -> str:
        line = self._events[row].place.line
        return f"event {row + 1:,}" + (f" (line {line:,})" if line is not None else "")


def _are_same_events(events: Sequence[GivenEvent], duplicates: DuplicateRows) -> Mask:
    """Whether each event that repeats an id is the same as the event that has it first."""
    pairs = zip(duplicates.repeated_rows.tolist(), duplicates.repeated_first_rows.tolist(), strict=True)
    same = [(events[row].name, events[row].body) == (events[first].name, events[first].body) for row, first in pairs]
    return np.array(same, np.bool_)


def _assign_issues(
    reader_issues: Sequence[Issue], events: Sequence[GivenEvent], issues: list[list[Issue]]
) -> list[Issue]:
    """Add each issue to those of its event, found by its row or its pointer; return what belongs to none."""
    rows = {event.place.row: index for index, event in enumerate(events) if event.place.row is not None}
    pointers = {event.place.pointer: index for index, event in enumerate(events)}
    unassigned: list[Issue] = []
    for issue in reader_issues:
        index = None if issue.place.row is None else rows.get(issue.place.row)
        steps = issue.place.pointer.split("/")
        for length in range(len(steps), 0, -1) if issue.place.row is None else ():
            index = pointers.get("/".join(steps[:length])) if index is None else index
        (unassigned if index is None else issues[index]).append(issue)
    return unassigned


def _number_texts(texts: Sequence[str | None]) -> Int64Array:
    """A number for each text, the same for equal ones; -1 for none."""
    numbers: dict[str, int] = {}
    return np.array([-1 if text is None else numbers.setdefault(text, len(numbers)) for text in texts], np.int64)


def _keep_unicode(text: str | None) -> str:
    """An id as a column has it; one that holds half a character, which no file can, is none."""
    if text is not None and text.isascii():
        return text
    return "" if text is None or any("\ud800" <= character <= "\udfff" for character in text) else text
