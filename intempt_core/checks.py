"""Events become a report: one truth at two speeds.

:func:`check_events` asks the model about each event; :func:`check_table` runs the same declared rules over whole
columns (``columns.py``) and asks the model only about rows that somebody looks at (``judges.py``). What takes
more than one event (repeats, lost zeros, what history has seen) is one function for both, over arrays.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache, cached_property, partial
from itertools import islice
from threading import Lock
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.columns import ROWS_AT_ONCE as PART
from intempt_core.columns import Columns, Mask, Numbers, clamped, mask_of, zeros_lost
from intempt_core.events import (
    ID_FIELDS,
    EventName,
    GivenEvent,
    Json,
    at,
    epoch_ms,
    errors_of,
    given_text,
    id_text,
    linking_of,
    warnings_of,
)
from intempt_core.issues import CATALOGUE, Issue, Severity
from intempt_core.judges import ROWS_AT_ONCE, DocumentJudge, Finding, Judge, ListJudge, Parts, TableJudge, hits
from intempt_core.mapping import MappedDocuments, MappedTable


class Sent(NamedTuple):
    """What became of an event id that was sent to a target before.

    ``state`` is one of :data:`SENT_WORDS`, ``when`` is epoch milliseconds, ``batch`` the id of the batch it was in.
    """

    state: str
    when: int
    batch: str = ""

    @property
    def words(self) -> str:
        """``accepted on 2026-11-22 12:03 UTC``."""
        return f"{SENT_WORDS[self.state]} {datetime.fromtimestamp(self.when / 1000, UTC):%Y-%m-%d %H:%M} UTC"


SENT_WORDS = {
    "accepted": "accepted on",
    "unknown": "sent, and may have arrived, on",
    "leaving": "set on its way on",
    "pending": "recorded, to be sent soon, on",
    "refused": "refused on",
}
"""Each state that an id sent before can be in, as a sentence begins; in any other it certainly never
arrived."""

Seen: TypeAlias = Callable[[Sequence[str]], Mapping[str, Sent]]
"""Event ids → what history says of those among them that were sent to this target before."""


class Repeat(StrEnum):
    """How an event repeats the id of an earlier one (CONTRACT 2.9); lines of one order are a code of their own."""

    EXACT = "exact repeat"
    OTHER = "same id, another body"


Lacks: TypeAlias = Callable[[pa.Array], Mask]
"""Product ids (texts) → which of them a loaded catalogue does not have (CONTRACT 2.5)."""

IDS_ASKED_AT_ONCE = 5000
"""How many event ids :data:`Seen` is asked about at a time."""


class Report:
    """What was found in a batch of events. Rows are counted from 0 here; an issue's place counts from 1.

    ``beside`` are issues of the document that belong to no event; they are counted by code and listed first.
    ``more`` are findings without errors: they are looked for when somebody first asks.

    Threads may share a report: what it works out is the same each time, so that at worst it is worked out twice; what
    is looked for when first asked is looked for once.
    """

    def __init__(
        self,
        rows: int,
        findings: Iterable[Finding],
        judge: Judge,
        *,
        more: Callable[[], Iterable[Finding]] = tuple,
        beside: Sequence[Issue] = (),
    ) -> None:
        self.rows = rows
        self.beside = tuple(beside)
        self._first = [finding for finding in findings if finding.rows.size]
        self._more: Callable[[], Iterable[Finding]] | None = more
        self._finding = Lock()
        self._judge = judge
        self._sorted: dict[str | None, Numbers] = {}
        self._parts: dict[tuple[str, str], Parts] = {}

    @property
    def _findings(self) -> list[Finding]:
        with self._finding:
            if self._more is not None:
                self._first = [*self._first, *(finding for finding in self._more() if finding.rows.size)]
                self._more = None  # with it goes what only it needed: what was worked out of whole columns
        return self._first

    @cached_property
    def bad(self) -> Mask:
        """The rows with errors: they stay behind unless a person says otherwise."""
        return self._rows_with(Severity.ERROR, self._first)

    @property
    def rows_with_errors(self) -> int:
        """Rows that have at least one error."""
        return int(self.bad.sum())

    @cached_property
    def rows_with_warnings(self) -> int:
        """Rows that have at least one warning."""
        return int(self._rows_with(Severity.WARNING, self._findings).sum())

    @cached_property
    def counts(self) -> dict[str, int]:
        """Rows by code, in the catalogue's order; issues beside the events count one each."""
        counts = {
            code: self.rows_of(code).size + sum(issue.code == code for issue in self.beside) for code in CATALOGUE
        }
        return {code: count for code, count in counts.items() if count}

    def rows_of(self, code: str, part: str | None = None) -> Numbers:
        """The rows that show a code, or one part of it, sorted."""
        if part is not None:
            return self._part_rows(code, part)
        found: Numbers = np.flatnonzero(self._marked(finding for finding in self._findings if finding.code == code))
        return found

    def of(self, code: str) -> Iterator[Finding]:
        """What was found of a code, as it was found."""
        return (finding for finding in self._findings if finding.code == code)

    def parts(self, code: str) -> dict[str, int]:
        """The rows of a code told apart: how many there are of each part. Empty where a code has no parts."""
        names = dict.fromkeys(name for finding in self._parted(code) for name in self._parts_of(finding).names)
        counts = {name: self._part_rows(code, name).size for name in names}
        return {name: count for name, count in counts.items() if count}

    def first_of(self, row: int) -> int | None:
        """The row (from 0) whose event id this one repeats or shares; ``None`` where it does neither."""
        for finding in self._findings:
            if finding.points is not None and hits(finding.rows, np.array([row]))[0]:
                return int(finding.points[np.searchsorted(finding.rows, row)])
        return None

    def _parted(self, code: str) -> Iterator[Finding]:
        return (finding for finding in self._findings if finding.code == code and finding.parts is not None)

    def _parts_of(self, finding: Finding) -> Parts:
        key = (finding.code, finding.field)
        if key not in self._parts and finding.parts is not None:
            self._parts[key] = finding.parts()
        return self._parts[key]

    def _part_rows(self, code: str, part: str) -> Numbers:
        rows = [np.empty(0, np.int64)]
        for finding in self._parted(code):
            parts = self._parts_of(finding)
            if part in parts.names:
                rows.append(finding.rows[parts.of == parts.names.index(part)])
        return np.unique(np.concatenate(rows))

    def issues(
        self, start: int = 0, limit: int = 1000, code: str | None = None, part: str | None = None
    ) -> list[Issue]:
        """Issues ``start`` to ``start + limit`` in row order, of one code (or a part of it) or of all.

        They are made now, for these rows only.
        """
        if part is not None and code is not None:
            rows = self._part_rows(code, part)[start : start + limit].tolist()
            return [issue for issues in self.issues_by_row(rows) for issue in issues if issue.code == code]
        beside = [issue for issue in self.beside if code in (None, issue.code)]
        shown_first = beside[start : start + limit]
        start, limit = max(0, start - len(beside)), limit - len(shown_first)
        flagged = self._flagged(code)
        some = flagged[start : start + limit]
        if not some.size:
            return shown_first
        rows = np.unique(some).tolist()
        found = [issue for issues in self.issues_by_row(rows) for issue in issues if code in (None, issue.code)]
        before = start - int(
            np.searchsorted(flagged, some[0])
        )  # issues of the first row that an earlier page has shown
        return [*shown_first, *found[before : before + limit]]

    def issue_count(self, code: str | None = None, part: str | None = None) -> int:
        """How many issues :meth:`issues` has; those beside the events are among them."""
        if part is not None and code is not None:
            return self._part_rows(code, part).size
        beside = sum(code in (None, issue.code) for issue in self.beside)
        return beside + sum(finding.rows.size for finding in self._findings if code in (None, finding.code))

    def issues_of(self, row: int) -> list[Issue]:
        """Every issue of one row, errors first."""
        return next(self.issues_by_row((row,)))

    def issues_by_row(self, rows: Sequence[int]) -> Iterator[list[Issue]]:
        """Every issue of each of these rows (sorted, from 0), errors first; as quick as it is for very many rows."""
        own = self._judge.own(rows, self._findings)
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[start : start + ROWS_AT_ONCE]
            block = np.asarray(some, np.int64)
            found = list(islice(own, len(some)))
            for finding in self._findings:
                if finding.hint is not None:
                    where = np.flatnonzero(hits(finding.rows, block))
                    indices = np.searchsorted(finding.rows, block[where]).tolist()
                    fields = self._judge.fields(finding.field, block[where].tolist())
                    for its, index, (place, value) in zip(where.tolist(), indices, fields, strict=True):
                        found[its].append(Issue(finding.code, place, given_text(value), finding.hint(index)))
            yield from (
                sorted(issues, key=lambda issue: issue.severity is not Severity.ERROR) if len(issues) > 1 else issues
                for issues in found
            )

    def _flagged(self, code: str | None) -> Numbers:
        """The row of every issue, in order."""
        if code not in self._sorted:
            rows = [finding.rows for finding in self._findings if code in (None, finding.code)]
            self._sorted[code] = np.sort(np.concatenate([np.empty(0, np.int64), *rows]))
        return self._sorted[code]

    def _rows_with(self, severity: Severity, findings: Iterable[Finding]) -> Mask:
        return self._marked(finding for finding in findings if CATALOGUE[finding.code].severity is severity)

    def _marked(self, findings: Iterable[Finding]) -> Mask:
        marked = np.zeros(self.rows, np.bool_)
        for finding in findings:
            marked[finding.rows] = True
        return marked


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
    errors.append(Finding("row_long", _rows_where(table.cells, lambda cells: cells > len(table.header))))

    def more() -> Iterator[Finding]:
        yield from _by_parts(mapped, Columns.warnings)
        yield Finding("row_short", _rows_where(table.cells, lambda cells: cells < len(table.header)))
        for field, column in mapped.field_columns.items():
            if field in ID_FIELDS:
                yield from _zeros({field: table.columns[column]})
                table.let_go()
        if lacks is not None:
            yield from _hinted(_by_parts(mapped, partial(Columns.lacking, lacks=lacks)))
        yield from known.of("sent_before") if known else _sent(columns.event_ids() if seen else (), seen)

    def words(row: int) -> str:
        return f"row {row + 1:,} (line {int(table.lines[row]):,})"

    judge = TableJudge(mapped)
    wrong = Report(mapped.rows, errors, judge).bad
    repeats = find_repeats(columns.ids, wrong, lambda: columns.orders, columns.products)

    found = _repeated(repeats, words, lambda: _same_events(mapped, repeats.repeated, repeats.repeats))
    return Report(mapped.rows, [*errors, *found], judge, more=more)


Rules: TypeAlias = Callable[[Columns], Iterable[tuple[str, Numbers, str]]]
"""Rules about single rows: each finding is a code, its rows and the field."""


def _by_parts(mapped: MappedTable, rules: Rules) -> list[Finding]:
    """What rules about single rows find, looked for in one part of the table after the other."""
    found: dict[tuple[str, str, int], list[Numbers]] = {}
    for start in range(0, mapped.rows, PART):
        seen: Counter[tuple[str, str]] = Counter()
        for code, rows, field in rules(Columns(mapped.part(start, min(start + PART, mapped.rows)))):
            found.setdefault((code, field, seen[code, field]), []).append(rows + start)
            seen[code, field] += 1  # a code may come often: its rows stand as often
        mapped.table.let_go()
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

    errors += _repeated(repeats, words, same_body)
    more = partial(looking.more, seen, lacks)
    return Report(mapped.rows, errors, looking.judge, more=more, beside=looking.beside)


class _Documents:
    """JSON lines as the rules see them: by their columns, and by the model where columns do not say all."""

    def __init__(self, mapped: MappedDocuments) -> None:
        self._mapped, self._odd = mapped, mapped.odd
        self.columns = Columns(mapped.by_columns)
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
            if CATALOGUE[code].severity is severity:
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
        return [id_text(value) for value in self._mapped.values(field, self._asked.tolist())]


def _orders_in(mapped: MappedDocuments, columns: Columns) -> Numbers:
    """:func:`_orders` of JSON lines; only events of the name are read."""
    orders, rows = np.arange(mapped.rows), np.flatnonzero(columns.ordered)
    orders[rows] = rows[_orders(mapped.events(rows), rows)]
    return orders


def _asked(events: Sequence[GivenEvent]) -> tuple[list[list[Issue]], dict[str, list[str | None]]]:
    """What the model says of each event, and the ids that each has, in one pass: events may be read as they go by."""
    issues: list[list[Issue]] = []
    texts: dict[str, list[str | None]] = {field: [] for field in ID_FIELDS}
    for event in events:
        issues.append([*errors_of(event), *warnings_of(event)])
        for field, some in texts.items():
            some.append(id_text(at(event.body, field)))
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
    rows: dict[str, list[int]] = {code: [] for code in CATALOGUE}
    for row, some in enumerate(issues):
        for issue in some:
            rows[issue.code].append(row)
    own = [Finding(code, np.array(found, np.int64)) for code, found in rows.items()]
    ids, products = _numbered(texts["eventId"]), _numbered(texts["data.productId"])
    judge = ListJudge(events, issues)
    wrong = Report(len(events), own, judge).bad
    repeats = find_repeats(ids, wrong, lambda: _orders(events, np.arange(len(events))), lambda rows: products[rows])

    def same_body() -> Mask:
        pairs = zip(repeats.repeated.tolist(), repeats.repeats.tolist(), strict=True)
        return np.array(
            [(events[row].name, events[row].body) == (events[first].name, events[first].body) for row, first in pairs],
            np.bool_,
        )

    across = [
        *_repeated(repeats, words, same_body),
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


@dataclass(frozen=True, slots=True)
class Repeats:
    """Rows that repeat an event id (CONTRACT 2.9), sorted, and beside each the row that has it first."""

    repeated: Numbers
    repeats: Numbers
    shared: Numbers
    shares: Numbers


def find_repeats(
    ids: Numbers, wrong: Mask, orders: Callable[[], Numbers], products: Callable[[Numbers], Numbers]
) -> Repeats:
    """CONTRACT 2.9, over arrays: the first row without another error has the id, each later one repeats it.

    ``ids`` and ``products`` (of some rows) number equal ids equally, -1 is none; ``wrong`` are rows with another error;
    ``orders`` numbers the payloads of orders. Lines of the first row's order go by event id and product id together: of
    each further product the first line without another error shares the id, and a later one repeats it.
    """
    rows = _shared(ids)
    first = np.append(rows, ids.size)[_first_of(ids[rows], ~wrong[rows])]
    later, has_it = rows[first < rows], first[first < rows]
    line = np.zeros(later.size, np.bool_)
    shared = line.copy()
    if later.size:
        order = orders()
        line = order[later] == order[has_it]
    if line.any():
        product = np.full(ids.size, -1)
        some = np.union1d(later[line], has_it[line])
        product[some] = products(some)
        line &= product[later] >= 0
    if line.any():
        in_orders = np.zeros(ids.size, np.bool_)
        in_orders[later[line]] = in_orders[has_it[line]] = True
        lines = np.flatnonzero(in_orders)
        _, key = np.unique(ids[lines] * (product.max() + 1) + product[lines], return_inverse=True)
        first_line = np.append(lines, ids.size)[_first_of(key.astype(np.int64), ~wrong[lines])]
        mine = first_line[np.searchsorted(lines, later[line])]
        shared[line] = later[line] <= mine
        has_it[line] = np.where(shared[line], has_it[line], mine)
    return Repeats(later[~shared], has_it[~shared], later[shared], has_it[shared])


def _shared(ids: Numbers) -> Numbers:
    """The rows whose id another row has too, sorted; -1 is no id."""
    often = np.zeros(int(ids.max(initial=0)) + 1, np.bool_)
    once = often.copy()
    for some in np.array_split(ids, ids.size // PART + 1):  # a few rows at a time need little memory
        words, counts = np.unique(some[some >= 0], return_counts=True)
        often[words] |= once[words] | (counts > 1)
        once[words] = True
    return np.flatnonzero(often[ids] & (ids >= 0))


def _first_of(codes: Numbers, good: Mask) -> Numbers:
    """For each row the index of the first good row of its code; the number of rows where there is none."""
    words, code = np.unique(codes, return_inverse=True)
    rows = np.flatnonzero(good)[::-1]
    first = np.full(words.size, codes.size)
    first[code[rows]] = rows  # of equal codes the last one written, which is the first row, stays
    found: Numbers = first[code]
    return found


def _repeated(repeats: Repeats, words: Callable[[int], str], same_body: Callable[[], Mask]) -> Iterator[Finding]:
    """Repeats, told apart by ``same_body``: whether each repeats the whole first event and not only its id."""

    @cache
    def parts() -> Parts:
        return Parts(tuple(Repeat), np.where(same_body(), 0, 1))

    def again(index: int) -> str:
        first = words(int(repeats.repeats[index]))
        if parts().of[index]:
            return f"It is the id of {first}, whose event is another. Give this event an id of its own."
        return f"It repeats {first} exactly. Leave it out, or give it an id of its own if it happened twice."

    def share(index: int) -> str:
        return f"It is shared with {words(int(repeats.shares[index]))}. Nothing to do, if these are lines of one order."

    yield Finding("event_id_repeated", repeats.repeated, "eventId", again, repeats.repeats, parts)
    yield Finding("event_id_shared", repeats.shared, "eventId", share, repeats.shares)


def _orders(events: Iterable[GivenEvent], rows: Numbers) -> Numbers:
    """A number for each order: events share it that are lines of one order (CONTRACT 2.9).

    In a document that is one payload. Elsewhere neighbours, by their ``rows``, with the same event id, person and time.
    """
    orders = np.arange(rows.size)
    payloads: dict[str, int] = {}
    last: tuple[int, GivenEvent] | None = None
    for index, (row, event) in enumerate(zip(rows.tolist(), events, strict=True)):
        if event.name == EventName.ORDERED:
            if not event.name_pointer.startswith(event.place.pointer + "/"):  # the name stands outside: a payload's
                orders[index] = payloads.setdefault(event.name_pointer, index)
            elif last is not None and last[0] == row - 1 and _same_order(last[1], event):
                orders[index] = orders[index - 1]
        last = row, event
    return orders


def _same_order(before: GivenEvent, event: GivenEvent) -> bool:
    if before.name != event.name or not before.name_pointer.startswith(before.place.pointer + "/"):
        return False
    event_id = id_text(at(event.body, "eventId"))
    time = _time_key(at(event.body, "timestamp"))
    return (
        event_id is not None
        and event_id == id_text(at(before.body, "eventId"))
        and time is not None
        and time == _time_key(at(before.body, "timestamp"))
        and not set(linking_of(event.body)).isdisjoint(linking_of(before.body))
    )


def _time_key(value: Json) -> tuple[int, ...] | None:
    """A time to compare: no time is one too, an unreadable one is ``None``."""
    time = epoch_ms(value)
    if time is not None:
        return (clamped(time),)
    return () if value is None else None


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
        yield replace(finding, hint=partial(_the_same, CATALOGUE[finding.code].mend))


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
