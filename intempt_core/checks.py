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

from intempt_core.columns import ROWS_AT_ONCE as PART
from intempt_core.columns import Columns, Mask, Numbers, mask_of, zeros_lost
from intempt_core.events import (
    ID_FIELDS,
    GivenEvent,
    get_field,
    find_event_errors,
    id_to_text,
    find_event_warnings,
)
from intempt_core.issues import ISSUE_KINDS, Issue, Severity
from intempt_core.judges import DocumentJudge, Finding, ListJudge, Parts, TableJudge
from intempt_core.mapped import MappedDocuments, MappedTable
from intempt_core.repeats import find_repeats, orders_of, repeated
from intempt_core.report import SENT_WORDS, Report, Seen, Sent

Lacks: TypeAlias = Callable[[pa.Array], Mask]
"""Product ids (texts) → which of them a loaded catalogue does not have (CONTRACT 2.5)."""

IDS_ASKED_AT_ONCE = 5000
"""How many event ids :data:`Seen` is asked about at a time."""


def check_table(
    mapped: MappedTable, seen: Seen | None = None, lacks: Lacks | None = None, *, known: Report | None = None
) -> Report:
    """The report on a mapped table. No Python runs per row as long as the rows are clean.

    ``known`` is a report on rows that have the very same event ids, such as those before a mend of another column:
    what history said of them it need not say again.
    """
    if isinstance(mapped, MappedDocuments):
        return _check_documents(mapped, seen, lacks)
    columns, table = Columns(mapped), mapped.table
    with ThreadPoolExecutor(1) as other_core:  # Arrow numbers a million ids there, while the rules run here
        numbered = other_core.submit(lambda: columns.ids)
        errors = _by_parts(mapped, Columns.errors)
        numbered.result()
    errors.append(Finding("row_long", _rows_where(table.cell_counts, lambda cells: cells > len(table.header))))

    def more() -> Iterator[Finding]:
        yield from _by_parts(mapped, Columns.warnings)
        yield Finding("row_short", _rows_where(table.cell_counts, lambda cells: cells < len(table.header)))
        for field, column in mapped.field_columns.items():
            if field in ID_FIELDS:
                yield from _zeros({field: table.columns[column]})
                table.release_memory()
        if lacks is not None:
            yield from _hinted(_by_parts(mapped, partial(Columns.lacking, lacks=lacks)))
        yield from known.of("sent_before") if known else _sent(columns.event_ids() if seen else (), seen)

    def words(row: int) -> str:
        return f"row {row + 1:,} (line {int(table.lines[row]):,})"

    judge = TableJudge(mapped)
    wrong = Report(mapped.rows, errors, judge).bad
    repeats = find_repeats(columns.ids, wrong, lambda: columns.orders, columns.products)

    found = repeated(repeats, words, lambda: _same_events(mapped, repeats.repeated, repeats.repeats))
    return Report(mapped.rows, [*errors, *found], judge, more=more)


Rules: TypeAlias = Callable[[Columns], Iterable[tuple[str, Numbers, str]]]
"""Rules about single rows: each finding is a code, its rows and the field."""


def _by_parts(mapped: MappedTable, rules: Rules) -> list[Finding]:
    """What rules about single rows find, looked for in one part of the table after the other."""
    found: dict[tuple[str, str, int], list[Numbers]] = {}
    for start in range(0, mapped.rows, PART):
        seen: Counter[tuple[str, str]] = Counter()
        for code, rows, field in rules(Columns(mapped.slice_rows(start, min(start + PART, mapped.rows)))):
            found.setdefault((code, field, seen[code, field]), []).append(rows + start)
            seen[code, field] += 1  # a code may come often: its rows stand as often
        mapped.table.release_memory()
    return [Finding(code, np.concatenate(rows), field) for (code, field, _), rows in found.items()]


def _same_events(mapped: MappedTable, rows: Numbers, firsts: Numbers) -> Mask:
    """Whether each of these rows becomes the same event as the row beside it."""
    same = np.ones(rows.size, np.bool_)
    for field, cells in mapped.cells.items():
        differ = np.flatnonzero(same & ~mask_of(pc.equal(cells.take(pa.array(rows)), cells.take(pa.array(firsts)))))
        if field in ("name", "timestamp") or field in mapped.mapping.types:  # two spellings may be one value
            values = zip(*(mapped.values(field, some[differ].tolist()) for some in (rows, firsts)), strict=True)
            differ = differ[np.array([one != other for one, other in values], np.bool_)]
        same[differ] = False
    return same


def _rows_where(cells: Mapping[int, int], holds: Callable[[int], bool]) -> Numbers:
    return np.array(sorted(row for row, count in cells.items() if holds(count)), np.int64)


def check_events(
    events: Sequence[GivenEvent], seen: Seen | None = None, found: Sequence[Issue] = (), lacks: Lacks | None = None
) -> Report:
    """The report on events from a form or a pasted document; ``found`` is what its reader found, added in."""
    issues, texts = _asked(events)
    beside = _hand_out(found, events, issues)

    def words(row: int) -> str:
        place = events[row].place
        return f"event {row + 1:,}" + (f" (line {place.line:,})" if place.line is not None else "")

    return _listed(events, issues, texts, words, beside, seen, lacks)


def _check_documents(mapped: MappedDocuments, seen: Seen | None, lacks: Lacks | None) -> Report:
    """The report on the events of JSON lines."""
    looking = _Documents(mapped)

    def words(row: int) -> str:
        return f"row {row + 1:,} (line {int(mapped.table.lines[row]):,})"

    errors = list(looking.found(Severity.ERROR, Columns.errors))
    wrong = Report(mapped.rows, errors, looking.judge).bad
    columns = looking.columns
    repeats = find_repeats(looking.ids, wrong, lambda: _orders_in(mapped, columns), columns.products)

    def same_body() -> Mask:
        pairs = zip(mapped.events(repeats.repeated), mapped.events(repeats.repeats), strict=True)
        return np.array([(one.name, one.body) == (first.name, first.body) for one, first in pairs], np.bool_)

    errors += repeated(repeats, words, same_body)
    more = partial(looking.more, seen, lacks)
    return Report(mapped.rows, errors, looking.judge, more=more, beside=looking.beside)


class _Documents:
    """JSON lines as the rules see them: by their columns, and by the model where columns do not say all."""

    def __init__(self, mapped: MappedDocuments) -> None:
        self._mapped, self._odd = mapped, mapped.needs_model
        self.columns = Columns(mapped.column_view)
        self.beside = [issue for issue in mapped.documents.issues if issue.place.row is None]
        read: defaultdict[int, list[Issue]] = defaultdict(list)
        for issue in mapped.documents.issues:
            if issue.place.row is not None:
                read[issue.place.row - 1].append(issue)
        self.judge = DocumentJudge(mapped, read)
        self._asked = np.flatnonzero(self._odd)
        self._told: defaultdict[str, list[int]] = defaultdict(list)
        for row, issues in zip(self._asked.tolist(), self.judge.own(self._asked.tolist(), ()), strict=True):
            for issue in issues:
                self._told[issue.code].append(row)

    def found(self, severity: Severity, rules: Rules) -> Iterator[Finding]:
        """What rules find by the columns, and what the model said of the others."""
        yield from self._by_columns(rules)
        for code, rows in self._told.items():
            if ISSUE_KINDS[code].severity is severity:
                yield Finding(code, np.array(rows, np.int64))

    def more(self, seen: Seen | None, lacks: Lacks | None) -> Iterator[Finding]:
        """The warnings."""
        yield from self.found(Severity.WARNING, Columns.warnings)
        for field in ID_FIELDS:
            if field in self._mapped.table.columns:
                yield from _zeros({field: self._mapped.table.columns[field]})
        if lacks is not None:
            yield from _hinted(self._by_columns(partial(Columns.lacking, lacks=lacks)))
            yield from _unknown(self._texts("data.productId"), lacks, self._asked)
        if seen is not None:
            texts = self.columns.event_ids()
            for row, text in zip(self._asked.tolist(), self._texts("eventId"), strict=True):
                texts[row] = text
            yield from _sent(texts, seen)

    @cached_property
    def ids(self) -> Numbers:
        """A number for each event id, the same for equal ones; -1 where there is none."""
        ids = self.columns.ids.copy()
        none = [text is None for text in self._texts("eventId")]
        ids[self._asked[np.array(none, np.bool_)]] = -1
        return ids

    def _by_columns(self, rules: Rules) -> Iterator[Finding]:
        for finding in _by_parts(self.columns.mapped, rules):
            yield replace(finding, rows=finding.rows[~self._odd[finding.rows]])

    def _texts(self, field: str) -> list[str | None]:
        """The ids in a field of the rows that the model was asked about."""
        return [id_to_text(value) for value in self._mapped.values(field, self._asked.tolist())]


def _orders_in(mapped: MappedDocuments, columns: Columns) -> Numbers:
    """:func:`orders_of` of JSON lines; only events of the name are read."""
    orders, rows = np.arange(mapped.rows), np.flatnonzero(columns.ordered)
    orders[rows] = rows[orders_of(mapped.events(rows), rows)]
    return orders


def _asked(events: Sequence[GivenEvent]) -> tuple[list[list[Issue]], dict[str, list[str | None]]]:
    """What the model says of each event, and the ids that each has, in one pass: events may be read as they go by."""
    issues: list[list[Issue]] = []
    texts: dict[str, list[str | None]] = {field: [] for field in ID_FIELDS}
    for event in events:
        issues.append([*find_event_errors(event), *find_event_warnings(event)])
        for field, some in texts.items():
            some.append(id_to_text(get_field(event.body, field)))
    return issues, texts


def _listed(  # noqa: PLR0917  what both doors know
    events: Sequence[GivenEvent],
    issues: list[list[Issue]],
    texts: Mapping[str, Sequence[str | None]],
    words: Callable[[int], str],
    beside: Sequence[Issue],
    seen: Seen | None,
    lacks: Lacks | None,
) -> Report:
    """The report on events that the model was asked about one by one."""
    rows: dict[str, list[int]] = {code: [] for code in ISSUE_KINDS}
    for row, some in enumerate(issues):
        for issue in some:
            rows[issue.code].append(row)
    own = [Finding(code, np.array(found, np.int64)) for code, found in rows.items()]
    ids, products = _numbered(texts["eventId"]), _numbered(texts["data.productId"])
    judge = ListJudge(events, issues)
    wrong = Report(len(events), own, judge).bad
    repeats = find_repeats(ids, wrong, lambda: orders_of(events, np.arange(len(events))), lambda rows: products[rows])

    def same_body() -> Mask:
        pairs = zip(repeats.repeated.tolist(), repeats.repeats.tolist(), strict=True)
        return np.array(
            [(events[row].name, events[row].body) == (events[first].name, events[first].body) for row, first in pairs],
            np.bool_,
        )

    across = [
        *repeated(repeats, words, same_body),
        *_zeros(
            {field: pa.array([_digits(text) for text in some], pa.large_string()) for field, some in texts.items()}
        ),
        *_sent(texts["eventId"], seen),
        *(_unknown(texts["data.productId"], lacks) if lacks else ()),
    ]
    return Report(len(events), [*own, *across], judge, beside=beside)


def _hand_out(found: Sequence[Issue], events: Sequence[GivenEvent], issues: list[list[Issue]]) -> list[Issue]:
    """Put each issue to the event it belongs to, by its row or its pointer; give back what belongs to none."""
    rows = {event.place.row: index for index, event in enumerate(events) if event.place.row is not None}
    pointers = {event.place.pointer: index for index, event in enumerate(events)}
    beside: list[Issue] = []
    for issue in found:
        index = None if issue.place.row is None else rows.get(issue.place.row)
        steps = issue.place.pointer.split("/")
        for length in range(len(steps), 0, -1) if issue.place.row is None else ():
            index = pointers.get("/".join(steps[:length])) if index is None else index
        (beside if index is None else issues[index]).append(issue)
    return beside


def _numbered(texts: Sequence[str | None]) -> Numbers:
    numbers: dict[str, int] = {}
    return np.array([-1 if text is None else numbers.setdefault(text, len(numbers)) for text in texts], np.int64)


def _digits(text: str | None) -> str:
    """What :func:`zeros_lost` needs of an id: digits; any other text (it may not even be Unicode) as none."""
    return text if text is not None and text.isascii() and text.isdigit() else ""


# ── what takes more than one event ───────────────────────────────────────────────────────────────────────────────────


def _zeros(columns: Mapping[str, pa.Array]) -> Iterator[Finding]:
    for field, ids in columns.items():
        rows, width = zeros_lost(ids)
        hint = f"Ids of {width} digits stand beside it. Re-export the column as text, so that leading zeros stay."
        yield Finding("id_zeros_lost", rows, field, partial(_the_same, hint))


def _unknown(products: Sequence[str | None], lacks: Lacks, at_: Numbers | None = None) -> Iterator[Finding]:
    """CONTRACT 2.5: products (of the rows ``at_``) that no loaded catalogue has; half a character is in none."""
    given = [index for index, text in enumerate(products) if text is not None]
    texts = pa.array([(products[index] or "").encode(errors="replace").decode() for index in given], pa.large_string())
    rows = np.array(given, np.int64) if at_ is None else at_[given]
    yield from _hinted([Finding("product_unknown", rows[lacks(texts)], "data.productId")])


def _hinted(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Findings that no single event shows: they bring the mend of their kind along."""
    for finding in findings:
        yield replace(finding, hint=partial(_the_same, ISSUE_KINDS[finding.code].fix))


def _the_same(hint: str, _index: int) -> str:
    return hint


def _sent(ids: Sequence[str | None], seen: Seen | None) -> Iterator[Finding]:
    if seen is None:
        return
    asked = list(dict.fromkeys(text for text in ids if text is not None))
    said: dict[str, Sent] = {}
    for start in range(0, len(asked), IDS_ASKED_AT_ONCE):
        said.update(seen(asked[start : start + IDS_ASKED_AT_ONCE]))
    rows = np.array([row for row, text in enumerate(ids) if text in said], np.int64)
    states, batches = list(SENT_WORDS), list({sent.batch: None for sent in said.values()})
    numbers = ({name: number for number, name in enumerate(names)} for names in (states, batches))
    of_state, of_batch = numbers
    # A million of them are kept as arrays: the ids themselves and what was said of each would be hundreds of megabytes.
    kept = [(of_state[sent.state], sent.when, of_batch[sent.batch]) for sent in (said[ids[row] or ""] for row in rows)]
    found = np.array(kept, np.int64).reshape(-1, 3)
    yield Finding("sent_before", rows, "eventId", partial(_was, found, batches), parts=partial(_by_state, found))


def _was(found: Numbers, batches: Sequence[str], index: int) -> str:
    state, when, batch = found[index].tolist()
    words = Sent(list(SENT_WORDS)[state], when, batches[batch]).words
    return f"It was {words}. Nothing to do, if it should be sent again: a target that deduplicates ignores it."


def _by_state(found: Numbers) -> Parts:
    return Parts(tuple(SENT_WORDS), found[:, 0])
