"""Events become a report: one truth at two speeds.

:func:`check_events` asks the model about each event; :func:`check_table` runs the same declared rules over whole
columns (``columns.py``) and asks the model only about rows that somebody looks at (``judges.py``). What takes
more than one event (repeats, lost zeros, what history has seen) is one function for both, over arrays.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property, partial
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import Int64Array, Mask, make_array
from intempt_core.contract import (
    ID_FIELDS,
    ISSUE_KINDS,
    GivenEvent,
    Issue,
    Severity,
    find_event_errors,
    find_event_warnings,
    get_field,
    id_to_text,
)
from intempt_core.mapping import EventSource, MappedDocuments, MappedTable
from intempt_core.validation.column_rules import RULE_BLOCK_ROWS, ColumnChecker
from intempt_core.validation.duplicates import describe_duplicates, find_duplicates, number_orders
from intempt_core.validation.report import PRIOR_SEND_PHRASES, PriorSend, PriorSendLookup, Report
from intempt_core.validation.row_issues import DocumentRowIssues, Finding, ListRowIssues, Partition, TableRowIssues
from intempt_core.validation.text_column import find_lost_zeros, to_mask

UnknownProductLookup: TypeAlias = Callable[[pa.Array], Mask]
"""Product ids (texts) → which of them a loaded catalogue does not have (CONTRACT 2.5)."""

SENT_LOOKUP_CHUNK = 5000
"""How many event ids :data:`PriorSendLookup` is asked about at a time."""


def check_table(
    source: EventSource,
    find_prior_sends: PriorSendLookup | None = None,
    is_unknown_product: UnknownProductLookup | None = None,
    *,
    earlier_report: Report | None = None,
) -> Report:
    """The report on a mapped table. No Python runs per row as long as the rows are clean.

    ``known`` is a report on rows that have the very same event ids, such as those before a mend of another column:
    what history said of them it need not say again.
    """
    if isinstance(source, MappedDocuments):
        return _check_documents(source, find_prior_sends, is_unknown_product)
    mapped, table = source.column_view, source.table
    columns = ColumnChecker(mapped)
    with ThreadPoolExecutor(1) as other_core:  # Arrow numbers a million ids there, while the rules run here
        numbered = other_core.submit(lambda: columns.id_codes)
        errors = _run_rules(mapped, ColumnChecker.errors)
        numbered.result()
    errors.append(Finding("row_long", _select_rows(table.cell_counts, lambda cells: cells > len(table.header))))

    def find_warnings() -> Iterator[Finding]:
        yield from _run_rules(mapped, ColumnChecker.warnings)
        yield Finding("row_short", _select_rows(table.cell_counts, lambda cells: cells < len(table.header)))
        for field, column in mapped.field_columns.items():
            if field in ID_FIELDS:
                yield from _report_lost_zeros({field: table.columns[column]})
                table.release_memory()
        if is_unknown_product is not None:
            yield from _add_fix_hints(
                _run_rules(mapped, partial(ColumnChecker.unknown_products, is_unknown_product=is_unknown_product))
            )
        yield from (
            earlier_report.findings_of("sent_before")
            if earlier_report
            else _report_prior_sends(columns.event_ids() if find_prior_sends else (), find_prior_sends)
        )

    row_issues = TableRowIssues(mapped)
    wrong = Report(mapped.rows, errors, row_issues).error_mask
    duplicates = find_duplicates(columns.id_codes, wrong, lambda: columns.order_codes, columns.product_codes)

    found = describe_duplicates(
        duplicates,
        table.describe_row,
        lambda: _are_same_events(mapped, duplicates.repeated_rows, duplicates.repeated_first_rows),
    )
    return Report(mapped.rows, [*errors, *found], row_issues, find_more=find_warnings)


ColumnRules: TypeAlias = Callable[[ColumnChecker], Iterable[tuple[str, Int64Array, str]]]
"""Rules about single rows: each finding is a code, its rows and the field."""


def _run_rules(mapped: MappedTable, rules: ColumnRules) -> list[Finding]:
    """What rules about single rows find, looked for in one part of the table after the other."""
    found: dict[tuple[str, str, int], list[Int64Array]] = {}
    for start in range(0, mapped.rows, RULE_BLOCK_ROWS):
        seen: Counter[tuple[str, str]] = Counter()
        for code, rows, field in rules(
            ColumnChecker(mapped.slice_rows(start, min(start + RULE_BLOCK_ROWS, mapped.rows)))
        ):
            found.setdefault((code, field, seen[code, field]), []).append(rows + start)
            seen[code, field] += 1  # a code may come often: its rows stand as often
        mapped.table.release_memory()
    return [Finding(code, np.concatenate(rows), field) for (code, field, _), rows in found.items()]


def _are_same_events(mapped: MappedTable, rows: Int64Array, firsts: Int64Array) -> Mask:
    """Whether each of these rows becomes the same event as the row beside it."""
    same = np.ones(rows.size, np.bool_)
    for field, cells in mapped.cells.items():
        differ = np.flatnonzero(same & ~to_mask(pc.equal(cells.take(make_array(rows)), cells.take(make_array(firsts)))))
        if field in ("name", "timestamp") or field in mapped.mapping.types:  # two spellings may be one value
            values = zip(*(mapped.values(field, some[differ].tolist()) for some in (rows, firsts)), strict=True)
            differ = differ[np.array([one != other for one, other in values], np.bool_)]
        same[differ] = False
    return same


def _select_rows(cells: Mapping[int, int], predicate: Callable[[int], bool]) -> Int64Array:
    return np.array(sorted(row for row, count in cells.items() if predicate(count)), np.int64)


def check_events(
    events: Sequence[GivenEvent],
    find_prior_sends: PriorSendLookup | None = None,
    reader_issues: Sequence[Issue] = (),
    is_unknown_product: UnknownProductLookup | None = None,
) -> Report:
    """The report on events from a form or a pasted document; ``found`` is what its reader found, added in."""
    issues, texts = _ask_model(events)
    document_issues = _assign_issues(reader_issues, events, issues)

    def describe_row(row: int) -> str:
        place = events[row].place
        return f"event {row + 1:,}" + (f" (line {place.line:,})" if place.line is not None else "")

    return _build_report(events, issues, texts, describe_row, document_issues, find_prior_sends, is_unknown_product)


def _check_documents(
    mapped: MappedDocuments, find_prior_sends: PriorSendLookup | None, is_unknown_product: UnknownProductLookup | None
) -> Report:
    """The report on the events of JSON lines."""
    checker = _DocumentChecker(mapped)

    errors = list(checker.findings(Severity.ERROR, ColumnChecker.errors))
    wrong = Report(mapped.rows, errors, checker.row_issues).error_mask
    columns = checker.columns
    duplicates = find_duplicates(
        checker.id_codes, wrong, lambda: _number_document_orders(mapped, columns), columns.product_codes
    )

    def same_body() -> Mask:
        pairs = zip(mapped.events(duplicates.repeated_rows), mapped.events(duplicates.repeated_first_rows), strict=True)
        return np.array([(one.name, one.body) == (first.name, first.body) for one, first in pairs], np.bool_)

    errors += describe_duplicates(duplicates, mapped.table.describe_row, same_body)
    find_warnings = partial(checker.warnings, find_prior_sends, is_unknown_product)
    return Report(
        mapped.rows, errors, checker.row_issues, find_more=find_warnings, document_issues=checker.document_issues
    )


class _DocumentChecker:
    """JSON lines as the rules see them: by their columns, and by the model where columns do not say all."""

    def __init__(self, mapped: MappedDocuments) -> None:
        self._mapped, self._is_odd = mapped, mapped.needs_model
        self.columns = ColumnChecker(mapped.column_view)
        self.document_issues = [issue for issue in mapped.documents.issues if issue.place.row is None]
        read: defaultdict[int, list[Issue]] = defaultdict(list)
        for issue in mapped.documents.issues:
            if issue.place.row is not None:
                read[issue.place.row - 1].append(issue)
        self.row_issues = DocumentRowIssues(mapped, read)
        self._model_rows = np.flatnonzero(self._is_odd)
        self._model_findings: defaultdict[str, list[int]] = defaultdict(list)
        for row, issues in zip(
            self._model_rows.tolist(), self.row_issues.issues(self._model_rows.tolist(), ()), strict=True
        ):
            for issue in issues:
                self._model_findings[issue.code].append(row)

    def findings(self, severity: Severity, rules: ColumnRules) -> Iterator[Finding]:
        """What rules find by the columns, and what the model said of the others."""
        yield from self._run_column_rules(rules)
        for code, rows in self._model_findings.items():
            if ISSUE_KINDS[code].severity is severity:
                yield Finding(code, np.array(rows, np.int64))

    def warnings(
        self, find_prior_sends: PriorSendLookup | None, is_unknown_product: UnknownProductLookup | None
    ) -> Iterator[Finding]:
        """The warnings."""
        yield from self.findings(Severity.WARNING, ColumnChecker.warnings)
        for field in ID_FIELDS:
            if field in self._mapped.table.columns:
                yield from _report_lost_zeros({field: self._mapped.table.columns[field]})
        if is_unknown_product is not None:
            yield from _add_fix_hints(
                self._run_column_rules(partial(ColumnChecker.unknown_products, is_unknown_product=is_unknown_product))
            )
            yield from _report_unknown_products(self._id_texts("data.productId"), is_unknown_product, self._model_rows)
        if find_prior_sends is not None:
            texts = self.columns.event_ids()
            for row, text in zip(self._model_rows.tolist(), self._id_texts("eventId"), strict=True):
                texts[row] = text
            yield from _report_prior_sends(texts, find_prior_sends)

    @cached_property
    def id_codes(self) -> Int64Array:
        """A number for each event id, the same for equal ones; -1 where there is none."""
        ids = self.columns.id_codes.copy()
        none = [text is None for text in self._id_texts("eventId")]
        ids[self._model_rows[np.array(none, np.bool_)]] = -1
        return ids

    def _run_column_rules(self, rules: ColumnRules) -> Iterator[Finding]:
        for finding in _run_rules(self.columns.mapped, rules):
            yield replace(finding, rows=finding.rows[~self._is_odd[finding.rows]])

    def _id_texts(self, field: str) -> list[str | None]:
        """The ids in a field of the rows that the model was asked about."""
        return [id_to_text(value) for value in self._mapped.values(field, self._model_rows.tolist())]


def _number_document_orders(mapped: MappedDocuments, columns: ColumnChecker) -> Int64Array:
    """:func:`number_orders` of JSON lines; only events of the name are read."""
    orders, rows = np.arange(mapped.rows), np.flatnonzero(columns.is_order)
    orders[rows] = rows[number_orders(mapped.events(rows), rows)]
    return orders


def _ask_model(events: Sequence[GivenEvent]) -> tuple[list[list[Issue]], dict[str, list[str | None]]]:
    """What the model says of each event, and the ids that each has, in one pass: events may be read as they go by."""
    issues: list[list[Issue]] = []
    texts: dict[str, list[str | None]] = {field: [] for field in ID_FIELDS}
    for event in events:
        issues.append([*find_event_errors(event), *find_event_warnings(event)])
        for field, some in texts.items():
            some.append(id_to_text(get_field(event.body, field)))
    return issues, texts


def _build_report(  # noqa: PLR0917  what both doors know
    events: Sequence[GivenEvent],
    issues: list[list[Issue]],
    texts: Mapping[str, Sequence[str | None]],
    describe_row: Callable[[int], str],
    document_issues: Sequence[Issue],
    find_prior_sends: PriorSendLookup | None,
    is_unknown_product: UnknownProductLookup | None,
) -> Report:
    """The report on events that the model was asked about one by one."""
    rows: dict[str, list[int]] = {code: [] for code in ISSUE_KINDS}
    for row, some in enumerate(issues):
        for issue in some:
            rows[issue.code].append(row)
    own = [Finding(code, np.array(found, np.int64)) for code, found in rows.items()]
    ids, products = _factorize_texts(texts["eventId"]), _factorize_texts(texts["data.productId"])
    row_issues = ListRowIssues(events, issues)
    wrong = Report(len(events), own, row_issues).error_mask
    duplicates = find_duplicates(
        ids, wrong, lambda: number_orders(events, np.arange(len(events))), lambda rows: products[rows]
    )

    def same_body() -> Mask:
        pairs = zip(duplicates.repeated_rows.tolist(), duplicates.repeated_first_rows.tolist(), strict=True)
        return np.array(
            [(events[row].name, events[row].body) == (events[first].name, events[first].body) for row, first in pairs],
            np.bool_,
        )

    across = [
        *describe_duplicates(duplicates, describe_row, same_body),
        *_report_lost_zeros(
            {field: make_array([_keep_digits(text) for text in some]) for field, some in texts.items()}
        ),
        *_report_prior_sends(texts["eventId"], find_prior_sends),
        *(_report_unknown_products(texts["data.productId"], is_unknown_product) if is_unknown_product else ()),
    ]
    return Report(len(events), [*own, *across], row_issues, document_issues=document_issues)


def _assign_issues(
    reader_issues: Sequence[Issue], events: Sequence[GivenEvent], issues: list[list[Issue]]
) -> list[Issue]:
    """Put each issue to the event it belongs to, by its row or its pointer; give back what belongs to none."""
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


def _factorize_texts(texts: Sequence[str | None]) -> Int64Array:
    numbers: dict[str, int] = {}
    return np.array([-1 if text is None else numbers.setdefault(text, len(numbers)) for text in texts], np.int64)


def _keep_digits(text: str | None) -> str:
    """What :func:`find_lost_zeros` needs of an id: digits; any other text (it may not even be Unicode) as none."""
    return text if text is not None and text.isascii() and text.isdigit() else ""


# ── what takes more than one event ───────────────────────────────────────────────────────────────────────────────────


def _report_lost_zeros(columns: Mapping[str, pa.Array]) -> Iterator[Finding]:
    for field, ids in columns.items():
        rows, width = find_lost_zeros(ids)
        hint = f"Ids of {width} digits stand beside it. Re-export the column as text, so that leading zeros stay."
        yield Finding("id_zeros_lost", rows, field, partial(_return_hint, hint))


def _report_unknown_products(
    products: Sequence[str | None], is_unknown_product: UnknownProductLookup, source_rows: Int64Array | None = None
) -> Iterator[Finding]:
    """CONTRACT 2.5: products (of the rows ``at_``) that no loaded catalogue has; half a character is in none."""
    given = [index for index, text in enumerate(products) if text is not None]
    texts = make_array([(products[index] or "").encode(errors="replace").decode() for index in given])
    rows = np.array(given, np.int64) if source_rows is None else source_rows[given]
    yield from _add_fix_hints([Finding("product_unknown", rows[is_unknown_product(texts)], "data.productId")])


def _add_fix_hints(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Findings that no single event shows: they bring the mend of their kind along."""
    for finding in findings:
        yield replace(finding, hint=partial(_return_hint, ISSUE_KINDS[finding.code].fix))


def _return_hint(hint: str, _index: int) -> str:
    return hint


def _report_prior_sends(ids: Sequence[str | None], find_prior_sends: PriorSendLookup | None) -> Iterator[Finding]:
    if find_prior_sends is None:
        return
    asked = list(dict.fromkeys(text for text in ids if text is not None))
    prior_sends: dict[str, PriorSend] = {}
    for start in range(0, len(asked), SENT_LOOKUP_CHUNK):
        prior_sends.update(find_prior_sends(asked[start : start + SENT_LOOKUP_CHUNK]))
    rows = np.array([row for row, text in enumerate(ids) if text in prior_sends], np.int64)
    states, batches = list(PRIOR_SEND_PHRASES), list({sent.batch: None for sent in prior_sends.values()})
    numbers = ({name: number for number, name in enumerate(names)} for names in (states, batches))
    of_state, of_batch = numbers
    # A million of them are kept as arrays: the ids themselves and what was said of each would be hundreds of megabytes.
    kept = [
        (of_state[sent.state], sent.when, of_batch[sent.batch])
        for sent in (prior_sends[ids[row] or ""] for row in rows)
    ]
    found = np.array(kept, np.int64).reshape(-1, 3)
    yield Finding(
        "sent_before",
        rows,
        "eventId",
        partial(_describe_prior_send, found, batches),
        partition=partial(_partition_by_state, found),
    )


def _describe_prior_send(found: Int64Array, batches: Sequence[str], index: int) -> str:
    state, when, batch = found[index].tolist()
    message = PriorSend(list(PRIOR_SEND_PHRASES)[state], when, batches[batch]).message
    return f"It was {message}. Nothing to do, if it should be sent again: a target that deduplicates ignores it."


def _partition_by_state(found: Int64Array) -> Partition:
    return Partition(tuple(PRIOR_SEND_PHRASES), found[:, 0])
