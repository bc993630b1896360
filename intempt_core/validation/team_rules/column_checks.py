"""The checks of one field over its column, by the kernels of Arrow.

What a kernel surely judges as a validator would, it judges for all rows together. Any other cell, and any keyword that
no kernel has, is asked of the validator, once for each different cell.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from intempt_core.arrays import Int64Array, Mask, make_array, make_scalar, view_numbers
from intempt_core.contract import Json
from intempt_core.mapping import NUMBER_FORMS
from intempt_core.readers import EMPTY_TEXT_CELL, NULL_CELL, TEXT_CELL
from intempt_core.validation.column_rules import ColumnChecker, MappedColumn
from intempt_core.validation.team_rules import keywords
from intempt_core.validation.team_rules.event_rules import SchemaValidator
from intempt_core.validation.team_rules.schema_expansion import ExpandedSchema, RuleCheck, SchemaPath
from intempt_core.validation.text_column import TextColumn, find_surely_typed, to_mask

Floats: TypeAlias = NDArray[np.float64]

LARGEST_EXACT = float(2**53)
"""Up to this a double holds every whole number."""

NUMBER_TYPES = ("number", "integer", *NUMBER_FORMS)
"""The types of a mapping that make numbers."""

_OF_NO_OBJECT_OR_LIST = frozenset({"format", "anyOf", "oneOf", "not", "if", "then", "else", "multipleOf"})
"""Keywords about single values that no kernel has."""


class FieldKeyword(NamedTuple):
    """One keyword about the value of a field.

    Attributes:
        check: The check that it is.
        keyword: Its name in the expanded schema.
        value: What it says.
    """

    check: RuleCheck
    keyword: str
    value: Json


class BrokenRows(NamedTuple):
    """The rows of a column that break a check.

    Attributes:
        check: The check.
        time: How often before it was broken by the same value.
        rows: The rows, sorted.
    """

    check: RuleCheck
    time: int
    rows: Int64Array


class FieldRules:
    """A schema about the value of one field.

    Attributes:
        validator: Asks about one value.
    """

    def __init__(self, expanded: ExpandedSchema, path: SchemaPath) -> None:
        self.validator = SchemaValidator(expanded, path)
        self._keywords: list[FieldKeyword] = []
        self._others: set[SchemaPath] = set()
        self._collect(expanded, path)

    def _collect(self, expanded: ExpandedSchema, path: SchemaPath) -> None:
        schema = expanded.schema
        for step in path:
            schema = schema[step]
        if not isinstance(schema, Mapping):
            self._others.add(path)
            return
        for keyword, value in schema.items():
            place = (*path, keyword)
            if keyword == "allOf":
                for at in range(len(value)):
                    self._collect(expanded, (*place, at))
            elif keyword in _OF_NO_OBJECT_OR_LIST:
                self._others.add(place)
            elif place in expanded.checks:
                self._keywords.append(FieldKeyword(expanded.checks[place], keyword, value))

    def find_broken_value(self, value: Json) -> list[tuple[RuleCheck, int]]:
        """The checks that a value breaks, each with how often it was broken before."""
        times: dict[RuleCheck, int] = {}
        found = []
        for broken in self.validator.find_broken(value):
            found.append((broken.check, times.setdefault(broken.check, 0)))
            times[broken.check] += 1
        return found

    def find_in_column(self, columns: ColumnChecker, field: str, rows: Int64Array) -> Iterator[BrokenRows]:
        """What is broken in these rows of a column; each of them has a value."""
        column, mapping = columns.cells[field], columns.mapped.mapping
        kinds = columns.mapped.take_kinds(field, rows)
        if kinds is not None:
            values = rows[kinds != TEXT_CELL]
            yield from self._find_in_values(_take_json(column, values, kinds[kinds != TEXT_CELL]), values, _parse_each)
            rows = rows[kinds == TEXT_CELL]
        kind = "time" if field == "timestamp" else mapping.types.get(field, "text")
        if kind == "text":
            yield from self.find_in_texts(column, rows)
        elif kind == "time" or kind in NUMBER_TYPES:
            values, is_sure = read_sure_times(column, rows) if kind == "time" else read_sure_numbers(column, kind, rows)
            yield from self._find_in_numbers(column, rows, values, is_sure)
        else:
            yield from self._find_in_values(column.array.take(make_array(rows)), rows, column.read_values)

    def find_in_texts(self, cells: TextColumn, rows: Int64Array) -> Iterator[BrokenRows]:
        """What is broken in these rows of a column whose cells are sent as texts; none of them is empty."""
        some = TextColumn(cells.array if rows.size == len(cells.array) else cells.array.take(make_array(rows)))
        for check, keyword, value in self._keywords:
            kernel = TEXT_KERNELS.get(keyword)
            if kernel is not None:
                yield BrokenRows(check, 0, rows[kernel(some, value)])
        if self._others:
            yield from self._find_in_values(some.array, rows, lambda texts: texts.to_pylist(), only_others=True)

    def _find_in_numbers(
        self, column: MappedColumn, rows: Int64Array, values: Floats, is_sure: Mask
    ) -> Iterator[BrokenRows]:
        """What is broken in these rows, of which each has this value where that is sure."""
        sure, numbers = rows[is_sure], values[is_sure]
        for check, keyword, value in self._keywords:
            kernel = NUMBER_KERNELS.get(keyword)
            if kernel is not None:
                yield BrokenRows(check, 0, sure[kernel(numbers, value)])
        if self._others:
            some = column.array.take(make_array(sure))
            yield from self._find_in_values(some, sure, column.read_values, only_others=True)
        doubtful = rows[~is_sure]
        yield from self._find_in_values(column.array.take(make_array(doubtful)), doubtful, column.read_values)

    def _find_in_values(
        self, some: pa.Array, rows: Int64Array, read: Callable[[pa.Array], list[Json]], *, only_others: bool = False
    ) -> Iterator[BrokenRows]:
        if not rows.size:
            return
        spellings = some.dictionary_encode()
        broken: dict[tuple[RuleCheck, int], list[int]] = {}
        for number, value in enumerate(read(spellings.dictionary)):
            for check, time in self.find_broken_value(value):
                if not only_others or self._is_other(check):
                    broken.setdefault((check, time), []).append(number)
        codes = view_numbers(spellings.indices)
        for (check, time), numbers in broken.items():
            is_wrong = np.zeros(len(spellings.dictionary), np.bool_)
            is_wrong[numbers] = True
            yield BrokenRows(check, time, rows[is_wrong[codes]])

    def _is_other(self, check: RuleCheck) -> bool:
        return any(check.path[: len(place)] == place for place in self._others)


def _parse_each(texts: pa.Array) -> list[Json]:
    return [json.loads(text) for text in texts.to_pylist()]


def _take_json(column: MappedColumn, rows: Int64Array, kinds: NDArray[np.uint8]) -> pa.Array:
    """The cells of rows that are values of JSON and no texts, as JSON."""
    cells = column.written.take(make_array(rows))
    cells = pc.if_else(make_array(kinds == NULL_CELL), make_scalar("null", cells.type), cells)
    return pc.if_else(make_array(kinds == EMPTY_TEXT_CELL), make_scalar('""', cells.type), cells)


# ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _are_no_texts(cells: TextColumn, types: Json) -> Mask:
    wanted = [types] if isinstance(types, str) else types
    return np.full(len(cells.array), "string" not in wanted)


def _are_other_texts(cells: TextColumn, allowed: Json) -> Mask:
    texts = [one for one in allowed if isinstance(one, str)]
    return ~to_mask(pc.is_in(cells.array, value_set=make_array(texts)))


def _count_characters(cells: TextColumn) -> Int64Array:
    found: Int64Array = view_numbers(pc.utf8_length(cells.array))
    return found


def _do_not_match(cells: TextColumn, pattern: str) -> Mask:
    return ~to_mask(pc.match_substring_regex(cells.array, pattern))


TEXT_KERNELS: Mapping[str, Callable[[TextColumn, Json], Mask]] = {
    "type": _are_no_texts,
    "enum": _are_other_texts,
    "const": lambda cells, value: _are_other_texts(cells, [value]),
    "minLength": lambda cells, least: _count_characters(cells) < least,
    "maxLength": lambda cells, most: _count_characters(cells) > most,
    keywords.PATTERN_KEYWORD: _do_not_match,
}
"""Keyword → which texts break it. Any other keyword asks nothing of a text, or is no kernel's."""


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _are_no_numbers(values: Floats, types: Json) -> Mask:
    wanted = [types] if isinstance(types, str) else types
    if "number" in wanted:
        return np.zeros(values.size, np.bool_)
    if "integer" in wanted:
        wrong: Mask = values != np.floor(values)
        return wrong
    return np.ones(values.size, np.bool_)


def _are_other_numbers(values: Floats, allowed: Json) -> Mask:
    numbers = [one for one in allowed if isinstance(one, int | float) and not isinstance(one, bool)]
    exact = [float(one) for one in numbers if abs(one) <= LARGEST_EXACT]
    return ~np.isin(values, exact)


NUMBER_KERNELS: Mapping[str, Callable[[Floats, Json], Mask]] = {
    "type": _are_no_numbers,
    "enum": _are_other_numbers,
    "const": lambda values, value: _are_other_numbers(values, [value]),
    "minimum": lambda values, least: values < bound_limit(least),
    "maximum": lambda values, most: values > bound_limit(most),
    "exclusiveMinimum": lambda values, least: values <= bound_limit(least),
    "exclusiveMaximum": lambda values, most: values >= bound_limit(most),
}
"""Keyword → which numbers break it. Any other keyword asks nothing of a number, or is no kernel's."""


def bound_limit(limit: float) -> float:
    """A limit as a double: one past every number that a kernel is given stays past them."""
    return float(max(min(limit, 2 * LARGEST_EXACT), -2 * LARGEST_EXACT))


def read_sure_times(column: MappedColumn, rows: Int64Array) -> tuple[Floats, Mask]:
    """The times of these rows as doubles, and where that is surely their value: elsewhere it may be a text."""
    times = column.times
    values = times.ms[rows].astype(np.float64)
    return values, times.is_read[rows] & (np.abs(values) < LARGEST_EXACT)


def read_sure_numbers(cells: TextColumn, kind: str, rows: Int64Array) -> tuple[Floats, Mask]:
    """The cells of these rows as doubles, and where that is surely their value."""
    is_sure = find_surely_typed(cells, kind)[rows]
    values = np.zeros(rows.size)
    sure = cells.array.take(make_array(rows[is_sure]))
    if (form := NUMBER_FORMS.get(kind)) is not None:
        ungrouped = pc.replace_substring_regex(sure, f"[{form.group}]", "")
        sure = pc.replace_substring(ungrouped, form.decimal, ".")
    values[is_sure] = view_numbers(sure.cast("float64"))
    return values, is_sure
