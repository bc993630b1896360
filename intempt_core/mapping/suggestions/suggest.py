"""Suggestions of a mapping, each with its reason and the column that comes second: nothing is applied by itself.

``productId`` is suggested for one column at a time, because two columns often could be it and only a person may say
(CONTRACT 2.4).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from intempt_core.contract import EVENT_COUNT, IDENTITY_FIELDS, EventName, is_event_name, shorten_value
from intempt_core.mapping.model import Mapping, MappingSuggestion, exact_mapping, match_exact_field
from intempt_core.mapping.suggestions.cell_types import describe_type, find_cell_type
from intempt_core.mapping.suggestions.fields import (
    LEAST_SCORE,
    WRAPPER_OBJECTS,
    Candidate,
    ColumnReading,
    is_contract_field,
)
from intempt_core.mapping.suggestions.known_headers import KNOWN_HEADERS, ORDER_HEADERS
from intempt_core.mapping.suggestions.known_names import describe_vendor, find_probable_name
from intempt_core.mapping.suggestions.profile import ColumnProfile, list_columns, map_columns
from intempt_core.mapping.suggestions.times import TimeFit, describe_form
from intempt_core.mapping.suggestions.vendors import UCI
from intempt_core.mapping.suggestions.words import normalize_name, split_words
from intempt_core.mapping.time_formats import FORMAT_SEPARATOR
from intempt_core.readers import Table

MAX_COLUMNS_SEARCHED = 400
"""Columns whose cells are looked at; of a wider table further ones only where their header is known."""

_LEAST_FINER_SCORE = 35
_DOUBTFUL_SHARE, _CLEARLY_MORE = 0.5, 10
_ORDER_COLUMNS = 2
_EMAIL_SCORE = 32
_OWN_NAMES = {  # a field of data that many files have → what it is called in other languages
    "data.price": "preis prix precio",
    "data.quantity": "menge anzahl quantite cantidad",
    "data.currency": "wahrung waehrung devise moneda",
}
_OWN_NAME_BY_HEADER = {header: name for name, headers in _OWN_NAMES.items() for header in headers.split()}


@dataclass(eq=False)
class ColumnFacts:
    """What was worked out of the columns of a file, kept for the next suggestions; it holds nothing of the table.

    Attributes:
        by_column: Header → what is known of the column, as its profile and its reading keep it. Any: of several types.
    """

    by_column: dict[str, tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=dict)

    def restore(self, reading: ColumnReading) -> ColumnReading:
        """A column with what is known of it."""
        for known, where in zip(self.by_column.get(reading.profile.column, ({}, {})), _parts_of(reading), strict=True):
            where.update(known)
        return reading

    def keep(self, readings: Iterable[ColumnReading]) -> None:
        """Keep what is known of columns now."""
        for reading in readings:
            profile, own = ({key: part[key] for key in part if key not in _NOT_KEPT} for part in _parts_of(reading))
            self.by_column[reading.profile.column] = profile, own


_NOT_KEPT = ("table", "column", "profile", "vendor")


def _parts_of(reading: ColumnReading) -> tuple[dict[str, Any], dict[str, Any]]:
    return vars(reading.profile), vars(reading)


@dataclass(frozen=True, eq=False)
class TableReading:
    """A table and what its columns may be, worked out when it is first asked for.

    Attributes:
        table: The table.
        vendor: Whose file it is, where a person said so: one of :data:`VENDORS`; else empty.
        facts: What is known of its columns already.
    """

    table: Table
    vendor: str = ""
    facts: ColumnFacts = field(default_factory=ColumnFacts)
    readings: dict[str, ColumnReading] = field(default_factory=dict, repr=False)

    def column(self, name: str) -> ColumnReading:
        """What one column may be."""
        if name not in self.readings:
            self.readings[name] = self.facts.restore(ColumnReading(ColumnProfile(self.table, name), self.vendor))
        return self.readings[name]

    @cached_property
    def searched(self) -> tuple[str, ...]:
        """The columns that are looked at."""
        columns = list_columns(self.table)
        further = columns[MAX_COLUMNS_SEARCHED:]
        known = [column for column in further if normalize_name(column.rpartition(".")[2]) in KNOWN_HEADERS]
        return (*columns[:MAX_COLUMNS_SEARCHED], *known[:MAX_COLUMNS_SEARCHED])

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """Every column for every field that it may be, the surest first."""
        every = map_columns(self.table, lambda column: self.column(column).candidates, self.searched)
        found = [candidate for some in every for candidate in some if candidate.score >= LEAST_SCORE]
        if not any(candidate.field in IDENTITY_FIELDS for candidate in found):
            found += self._find_emails()
        return tuple(sorted(found, key=lambda candidate: -candidate.score))

    def _find_emails(self) -> Iterator[Candidate]:
        for column in self.searched:
            if {"email", "mail"} & set(split_words(column)) and self.column(column).judge("userId").share:
                reason = "No column seems to be a person's id. An e-mail address may be one, if it is at the target."
                yield Candidate(column, "userId", _EMAIL_SCORE, reason)


def suggest_mapping(
    table: Table, mapping: Mapping | None = None, facts: ColumnFacts | None = None, vendor: str = ""
) -> list[MappingSuggestion]:
    """Suggest what to change in a mapping, in the header's order; by default in :func:`exact_mapping`.

    Every row is looked at. A field that a column has already, and can have by its cells, is not suggested for another;
    what the mapping says already is not suggested at all. Of several columns for a field the best is suggested and
    names the next; of those that could be the product id each is suggested by itself, the best first.

    ``facts`` keeps what was worked out for the next call with the same table; ``vendor`` is whose file it is, one of
    :data:`VENDORS`, where a person says so.
    """
    reading = TableReading(table, vendor, facts or ColumnFacts())
    suggester = _Suggester(reading, mapping or exact_mapping(table.header))
    found = [one for one in suggester.all() if not _is_applied(one, suggester.mapping)]
    reading.facts.keep(reading.readings.values())
    return found


def _is_applied(suggestion: MappingSuggestion, mapping: Mapping) -> bool:
    if suggestion.constant is not None:
        return bool(mapping.constants.get(suggestion.field) == suggestion.constant)
    return bool(
        mapping.columns.get(suggestion.column) == suggestion.field
        and suggestion.names.items() <= mapping.names.items()
        and suggestion.type in (None, mapping.types.get(suggestion.field))
        and suggestion.time_format in (None, mapping.time_format)
    )


@dataclass(frozen=True)
class _Suggester:
    reading: TableReading
    mapping: Mapping

    def all(self) -> Iterator[MappingSuggestion]:
        """Every suggestion: those of one column after those of the column before it, those for the product id last."""
        chosen = self._choose()
        by_column = {
            candidate.column: candidate for candidate in chosen.values() if candidate.field != "data.productId"
        }
        for column in self.reading.searched:
            now = self.mapping.columns.get(column)
            candidate = by_column.get(column)
            if candidate is not None:
                yield from self._suggest_field(candidate)
            elif now == "name":
                yield from self._suggest_names(column, "")
            elif now == "timestamp":
                yield from self._suggest_times(column, "", self.reading.column(column).times)
            elif now is not None and not is_contract_field(now):
                yield from self._suggest_type(column)
        yield from self._suggest_products(chosen)
        if "name" not in chosen and "name" not in self._given:
            yield from self._suggest_constant_name()

    @cached_property
    def _given(self) -> frozenset[str]:
        """The fields that are given already: by a constant, or by a column whose cells can be that."""
        mapping = self.mapping
        given = {field for field in mapping.constants if is_contract_field(field)}
        for column, field_ in mapping.columns.items():
            if not is_contract_field(field_) or column not in self.reading.table.columns:
                continue
            if match_exact_field(column) != field_ or column not in self.reading.searched:
                given.add(field_)  # a person said so, or nobody looks
            elif (share := self.reading.column(column).judge(field_).share) and not self._is_outdone(field_, share):
                given.add(field_)
        return frozenset(given)

    def _is_outdone(self, field_: str, share: float) -> bool:
        """Whether cells that hardly can be what their header says leave a field to a column that surely is it."""
        best = max((one.score for one in self.reading.candidates if one.field == field_), default=0)
        return share <= _DOUBTFUL_SHARE and best > 100 * share + _CLEARLY_MORE

    def _choose(self) -> dict[str, Candidate]:
        """The best column for each field that is not given; a column becomes the field that it is most surely."""
        taken = {column for column, name in self.mapping.columns.items() if name in self._given}
        found: dict[str, Candidate] = {}
        for candidate in self.reading.candidates:
            if candidate.field in self._given or candidate.column in taken or candidate.field in found:
                continue
            best = self._pick(candidate.field, taken)
            if best is not None:
                found[candidate.field] = best
                taken.add(best.column)
        return found

    def _pick(self, field_: str, taken: set[str]) -> Candidate | None:
        """The best candidate for a field; a column of whole days only where none is finer."""
        some = [one for one in self.reading.candidates if one.field == field_ and one.column not in taken]
        finer = [one for one in some if not one.is_whole_days and one.score >= _LEAST_FINER_SCORE]
        return next(iter(finer or some), None)

    def _describe_runner_up(self, best: Candidate, chosen: dict[str, Candidate]) -> str:
        """The column that comes second for a field, and what speaks against it; empty where there is none."""
        columns = {candidate.column for candidate in chosen.values()}
        columns |= {column for column, name in self.mapping.columns.items() if name in self._given}
        for other in self.reading.candidates:
            if other.field == best.field and other.column not in columns:
                return f"“{shorten_value(other.column)}”{f' ({other.doubt})' if other.doubt else ''}"
        return ""

    def _suggest_field(self, candidate: Candidate) -> Iterator[MappingSuggestion]:
        second = self._describe_runner_up(candidate, self._choose())
        reason = " ".join(part for part in (candidate.reason, candidate.cells) if part)
        if candidate.field == "name":
            found = self._suggest_names(candidate.column, candidate.reason)
        elif candidate.field == "timestamp":
            found = self._suggest_times(candidate.column, reason, candidate.times)
        else:
            found = iter([self._suggest_id(candidate, reason)])
        for suggestion in found:
            yield replace(suggestion, runner_up=second)

    def _suggest_products(self, chosen: dict[str, Candidate]) -> Iterator[MappingSuggestion]:
        """Each column that could be the product id, by itself: only a person may say which (CONTRACT 2.4)."""
        if "data.productId" in self._given:
            return
        taken = {candidate.column for candidate in chosen.values() if candidate.field != "data.productId"}
        taken |= {column for column, name in self.mapping.columns.items() if name in self._given}
        some = [one for one in self.reading.candidates if one.field == "data.productId" and one.column not in taken]
        some = _prefer_repeated(some, self.reading)
        for number, one in enumerate(some):
            reason = " ".join(part for part in (one.reason, one.cells) if part)
            second = f"“{shorten_value(some[1].column)}”" if len(some) > 1 and not number else ""
            yield replace(self._suggest_id(one, reason), exclusive=True, runner_up=second)

    def _suggest_id(self, candidate: Candidate, reason: str) -> MappingSuggestion:
        filled = self.reading.column(candidate.column).profile.filled
        return MappingSuggestion(candidate.column, candidate.field, reason, fitting=filled)

    def _suggest_names(self, column: str, reason: str) -> Iterator[MappingSuggestion]:
        cells = self._name_cells(column)
        mapped = self.mapping.names
        names = {
            cell: name.value
            for cell in cells
            if not is_event_name(cell) and cell not in mapped and (name := find_probable_name(cell))
        }
        unknown = [cell for cell in cells if cell not in names and cell not in mapped and not is_event_name(cell)]
        if names:
            means = ", ".join(f"“{cell}”{describe_vendor(cell)} as {name}" for cell, name in names.items())
            stay = f" {_describe_unmapped(unknown)}." if unknown else ""
            yield MappingSuggestion(
                column,
                "name",
                f"Its cells can be read as the {EVENT_COUNT} names: {means}.{stay}",
                names,
                fitting=self._count_named_rows(column, names.keys() | mapped.keys()),
            )
        elif reason and self.mapping.columns.get(column) != "name":
            yield MappingSuggestion(column, "name", reason, fitting=self._count_named_rows(column, mapped.keys()))

    def _count_named_rows(self, column: str, known: Collection[str]) -> int | None:
        """How many rows have an event's name in a column, or a cell that is known as one."""
        counts = self.reading.column(column).profile.names
        if counts is None:
            return None
        return sum(rows for cell, rows in counts.items() if is_event_name(cell) or cell in known)

    def _name_cells(self, column: str) -> Sequence[str]:
        profile = self.reading.column(column).profile
        found = profile.names
        if found is None:
            return self.reading.table.distinct_cells(column, 500)
        return [cell for cell in found if cell]

    def _suggest_times(self, column: str, reason: str, times: Sequence[TimeFit]) -> Iterator[MappingSuggestion]:
        is_mapped = self.mapping.columns.get(column) == "timestamp"
        if is_mapped and self.mapping.time_format:
            return
        several = len(times) > 1
        for fit in times:
            if fit.form:
                said = describe_form(fit, several=several)
                why = " ".join(part for part in (reason, said) if part)
                is_open = several or FORMAT_SEPARATOR in fit.form
                yield MappingSuggestion(
                    column, "timestamp", why, time_format=fit.form, exclusive=is_open, fitting=fit.fitting
                )
        if reason and not (times and times[0].form):
            fitting = times[0].fitting if times else None
            time_format = "" if self.mapping.time_format else None
            yield MappingSuggestion(column, "timestamp", reason, time_format=time_format, fitting=fitting)

    def _suggest_type(self, column: str) -> Iterator[MappingSuggestion]:
        """The type of a column inside ``data``, and its key there where its header has another object's name."""
        now = self.mapping.columns[column]
        name, reason = _find_own_key(column) if now == match_exact_field(column) else (now, "")
        if name in self.mapping.columns.values() and name != now:
            name, reason = now, ""
        kind, fitting = None, None
        if not self.mapping.types.get(now):
            profile = self.reading.column(column).profile
            fit = find_cell_type(profile)
            if fit is not None:
                kind, fitting = fit.kind, fit.fitting
                exceptions = profile.filled - fit.fitting
                said = describe_type(fit, all_fit=not exceptions)
                reason = f"{reason} {said} {profile.describe_exceptions(fit.exceptions, exceptions)}".strip()
        if kind or reason:
            yield MappingSuggestion(column, name, reason, type=kind, fitting=fitting)

    def _suggest_constant_name(self) -> Iterator[MappingSuggestion]:
        """Where no column is the name and the columns speak of orders: every row is one."""
        speaking = [column for column in self.reading.searched if normalize_name(column) in ORDER_HEADERS]
        if len(speaking) < _ORDER_COLUMNS and self.reading.vendor != UCI:
            return
        some = ", ".join(f"“{shorten_value(column)}”" for column in speaking[:3])
        yield MappingSuggestion(
            "",
            "name",
            f"No column is the event's name, and {some or 'the vendor'} speak of orders: every row is taken as one.",
            exclusive=True,
            constant=EventName.ORDERED.value,
        )


def _prefer_repeated(some: list[Candidate], reading: TableReading) -> list[Candidate]:
    """Of columns that could be the product id equally, those first whose ids repeat: a line's own id never does."""
    if len(some) < 2:
        return some
    profiles = {one.column: reading.column(one.column).profile for one in some}
    alone = {
        column: profile.filled > LEAST_SCORE and profile.distinct == profile.filled
        for column, profile in profiles.items()
    }
    if all(alone.values()):
        return some
    return sorted(some, key=lambda one: -one.score * (0.7 if alone[one.column] else 1))


def _find_own_key(column: str) -> tuple[str, str]:
    """The key inside ``data`` that a column should have, and why; its own where there is nothing to say."""
    quoted = f"“{shorten_value(column)}”"
    outer, _, rest = column.partition(".")
    if rest and outer != "data" and normalize_name(outer) in WRAPPER_OBJECTS:
        return f"data.{rest}", f"It is inside “{shorten_value(outer)}”: data takes it without that."
    if name := _OWN_NAME_BY_HEADER.get(normalize_name(column)):
        return name, f"{quoted} is the {name.removeprefix('data.')} in another language."
    return match_exact_field(column), ""


def _describe_unmapped(cells: Sequence[str]) -> str:
    some = ", ".join(f"“{shorten_value(cell)}”" for cell in cells[:5])
    more = f" and {len(cells) - 5:,} more" if len(cells) > 5 else ""
    verb = "stays as it is" if len(cells) == 1 else "stay as they are"
    return f"{some}{more} {verb}"
