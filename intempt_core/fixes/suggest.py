"""Suggested fixes of a file's issues, for a person to look at and to accept.

Only what is certain is suggested: a rule that gives each cell the one text that it can have meant, or an id for an
event that has none. Where digits are gone (``1.48E18``, ``id_zeros_lost``) nothing is: the issue says what helps.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import Int64Array, Mask, make_array
from intempt_core.contract import (
    FLOAT_OF_WHOLE_PATTERN,
    ID_FIELDS,
    LINKING_FIELDS,
    PLACEHOLDER_IDS,
    find_meant_name,
)
from intempt_core.fixes.table_fixes import ColumnChange, Fix, FixKind, preview_fix
from intempt_core.mapping import EventSource
from intempt_core.validation import DuplicateKind, Report, TextColumn, to_mask

MAX_NAME_FIXES = 20
"""Wrong spellings of a name that fixes are suggested for, the most frequent first."""


@dataclass(frozen=True, eq=False)
class SuggestedFix:
    """A fix that helps with issues of a code.

    Attributes:
        code: The issues' code.
        change: What the fix would change.
        reason: Which of the issues it is for, where the fix's own words do not say it.
    """

    code: str
    change: ColumnChange
    reason: str = ""

    @property
    def fix(self) -> Fix:
        """The fix."""
        return self.change.fix

    @property
    def message(self) -> str:
        """What it would do, and to how many cells."""
        return self.change.message


def suggest_fixes(mapped: EventSource, report: Report) -> list[SuggestedFix]:
    """Suggest fixes, in the catalogue's order of what they help with; each changes at least one cell."""
    found = (one for suggest in _SUGGESTERS for one in suggest(mapped, report))
    return sorted((one for one in found if one.change.cells), key=lambda one: list(report.counts).index(one.code))


def _make_suggestion(mapped: EventSource, code: str, fix: Fix, reason: str = "") -> SuggestedFix:
    return SuggestedFix(code, preview_fix(mapped.table, fix, mapped.original), reason)


def _suggest_name_fixes(mapped: EventSource, report: Report) -> Iterator[SuggestedFix]:
    column = mapped.field_columns.get("name")
    if column is None or "event_name" not in report.counts:
        return
    cells = mapped.take_cells("name", report.rows_of("event_name")).value_counts()
    spellings = sorted(cells.to_pylist(), key=lambda one: -one["counts"])
    for spelling in spellings[:MAX_NAME_FIXES]:
        if meant := find_meant_name(spelling["values"]):
            fix = Fix(FixKind.REPLACE, column, old=spelling["values"], new=meant)
            yield _make_suggestion(mapped, "event_name", fix)


def _suggest_id_fixes(mapped: EventSource, report: Report) -> Iterator[SuggestedFix]:
    column = mapped.field_columns.get("eventId")
    if column is None:
        return
    for code, part, reason in (
        ("event_id_missing", None, "rows without one"),
        ("event_id_repeated", DuplicateKind.SAME_ID, "they repeat an id, and are other events"),
        ("event_id_repeated", DuplicateKind.EXACT, "they repeat an event exactly: only if it happened as often"),
    ):
        if code in report.counts and (rows := report.rows_of(code, part)).size:
            yield _make_suggestion(mapped, code, Fix(FixKind.IDS, column, tuple(rows.tolist())), reason)


def _suggest_time_fixes(mapped: EventSource, report: Report) -> Iterator[SuggestedFix]:
    column = mapped.field_columns.get("timestamp")
    kinds = (
        ("timestamp_before_2010", FixKind.SECONDS),
        ("timestamp_after_2040", FixKind.MICROSECONDS),
        ("timestamp_after_2040", FixKind.NANOSECONDS),
        ("timestamp_unreadable", FixKind.TRIM),
    )
    for code, kind in kinds:
        if column is not None and code in report.counts:
            yield _make_suggestion(mapped, code, Fix(kind, column))


def _suggest_trimming(mapped: EventSource, report: Report) -> Iterator[SuggestedFix]:
    if "id_white_space" in report.counts:
        for field, column in mapped.field_columns.items():
            if field in ID_FIELDS:
                yield _make_suggestion(mapped, "id_white_space", Fix(FixKind.TRIM, column))


def _suggest_unwrapping(mapped: EventSource, report: Report) -> Iterator[SuggestedFix]:
    if "id_spreadsheet_text" in report.counts:
        for field, column in mapped.field_columns.items():
            if field in ID_FIELDS:
                yield _make_suggestion(mapped, "id_spreadsheet_text", Fix(FixKind.UNWRAP, column))


def _suggest_whole_numbers(mapped: EventSource, report: Report) -> Iterator[SuggestedFix]:
    """Floats of whole numbers, in the columns where the others show that they are some."""
    for field, rows in _find_field_rows(report, "id_damaged").items():
        column = mapped.field_columns.get(field)
        if column and pc.any(pc.match_substring_regex(mapped.take_cells(field, rows), FLOAT_OF_WHOLE_PATTERN)).as_py():
            reason = "a program wrote whole numbers as floats; no digit is lost"
            yield _make_suggestion(mapped, "id_damaged", Fix(FixKind.WHOLE, column), reason)


def _suggest_composing(mapped: EventSource, report: Report) -> Iterator[SuggestedFix]:
    """Decomposed characters of ids that are also there with composed ones, and at least as often."""
    for field, rows in _find_field_rows(report, "id_twins").items():
        column = mapped.field_columns.get(field)
        if column is None:
            continue
        cells = mapped.take_cells(field, rows).cast(pa.string())
        composed = pc.utf8_normalize(cells, "NFC")
        is_there = pc.is_in(composed, value_set=pc.unique(mapped.table.columns[column]).cast(pa.string()))
        some = rows[to_mask(pc.and_(pc.not_equal(composed, cells), is_there))]
        if some.size:
            fix = Fix(FixKind.COMPOSE, column, tuple(some.tolist()))
            yield _make_suggestion(mapped, "id_twins", fix, "the same ids, written as in other rows")


def _find_field_rows(report: Report, code: str) -> dict[str, Int64Array]:
    """The rows (sorted) that show a code, by the field that it is about."""
    found: dict[str, Int64Array] = {}
    for finding in report.findings_of(code):
        found[finding.field] = np.union1d(found.get(finding.field, finding.rows[:0]), finding.rows)
    return found


def _suggest_emptying(mapped: EventSource, report: Report) -> Iterator[SuggestedFix]:
    """Placeholders that say nothing, where the event can do without: another id links it to a person."""
    if "id_placeholder" not in report.counts:
        return
    rows = report.rows_of("id_placeholder")
    cells = {field: TextColumn(mapped.take_cells(field, rows)) for field in mapped.field_columns if field in ID_FIELDS}
    is_linked = np.zeros(rows.size, np.bool_)
    for field in LINKING_FIELDS:
        if field in cells:
            is_linked |= cells[field].real
    for field, column in mapped.field_columns.items():
        if field in cells and field not in ("eventId", "data.productId"):
            empty = rows[_says_nothing(cells[field]) & is_linked]
            yield _make_suggestion(
                mapped, "id_placeholder", Fix(FixKind.PUT, column, tuple(empty.tolist())), "another id says who"
            )


def _says_nothing(cells: TextColumn) -> Mask:
    """Which placeholders mean that there is no id; any other may be what a shop calls its guests."""
    named = make_array([word for word, who in PLACEHOLDER_IDS.items() if not who])
    return cells.placeholders & ~to_mask(pc.is_in(pc.ascii_lower(cells.trimmed), value_set=named))


_SUGGESTERS = (
    _suggest_name_fixes,
    _suggest_id_fixes,
    _suggest_time_fixes,
    _suggest_trimming,
    _suggest_unwrapping,
    _suggest_whole_numbers,
    _suggest_composing,
    _suggest_emptying,
)
