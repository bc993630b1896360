"""The team's rules over whole columns of a table.

What schemas ask of an event and of its ``data`` is taken apart, down to single fields (``column_checks.py``). What a
schema asks of an object as a whole (``anyOf``, ``if``, ``propertyNames``), is asked event by event. A property in
``tests/core/validation/test_team_rules_one_truth.py`` holds that both find the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from intempt_core.arrays import Int64Array, Mask
from intempt_core.contract import OPEN_FIELDS, PLAIN_FIELDS, Json
from intempt_core.mapping import MappedTable
from intempt_core.readers import TEXT_CELL
from intempt_core.validation.column_rules import RULE_BLOCK_ROWS, ColumnChecker
from intempt_core.validation.team_rules.column_checks import BrokenRows, FieldRules
from intempt_core.validation.team_rules.event_rules import SchemaValidator
from intempt_core.validation.team_rules.patterns import find_matching_keys
from intempt_core.validation.team_rules.schema_expansion import RuleCheck, SchemaPath
from intempt_core.validation.text_column import TextColumn

_OF_WHOLE_OBJECTS = frozenset({
    "enum", "const", "minProperties", "maxProperties", "propertyNames", "unevaluatedProperties", "anyOf", "oneOf",
    "not", "if", "then", "else", "dependentSchemas",
})  # fmt: skip
"""Keywords that are asked event by event of an event, and of an object in it."""

_EVENT = ""
"""The field that is the event itself."""


def find_in_table(
    validators: Mapping[str, SchemaValidator], mapped: MappedTable, every_event: str
) -> Iterator[tuple[RuleCheck, Int64Array]]:
    """The rows that break each check, from 0; a check comes as often as a row may break it.

    Args:
        validators: The schemas by the event name that they are about; ``every_event`` is the key of all events.
        mapped: The table.
        every_event: That key.
    """
    plans = [_TablePlan(validator, mapped) for validator in validators.values()]
    found: dict[tuple[int, int, SchemaPath, int], tuple[RuleCheck, list[Int64Array]]] = {}
    for start in range(0, mapped.rows, RULE_BLOCK_ROWS):
        block = _Block(mapped, start, min(start + RULE_BLOCK_ROWS, mapped.rows))
        for number, (name, plan) in enumerate(zip(validators, plans, strict=True)):
            rows = block.rows_of(None if name == every_event else name)
            for test_number, test in enumerate(plan.tests if rows.size else ()):
                for check, time, broken in test.find_rows(block, rows):
                    if broken.size:
                        key = number, test_number, check.path, time
                        found.setdefault(key, (check, []))[1].append(broken + start)
        mapped.table.release_memory()
    return ((check, np.concatenate(rows)) for check, rows in found.values())


class _Block:
    """Some rows of a table, and which fields their events have."""

    def __init__(self, mapped: MappedTable, start: int, stop: int) -> None:
        self.start, self.rows = start, stop - start
        self._mapped = mapped
        self.columns = ColumnChecker(mapped.slice_rows(start, stop))
        self._present: dict[str, Mask | bool] = {}

    def rows_of(self, name: str | None) -> Int64Array:
        """The rows whose event has this name; all where it is none."""
        if name is None:
            return np.arange(self.rows)
        if "name" in self.columns.cells:
            return np.flatnonzero(self.columns.cells["name"].is_one_of([name]))
        return np.arange(self.rows if self._mapped.mapping.constants.get("name") == name else 0)

    def is_present(self, field: str) -> Mask | bool:
        """Whether each event has a field, or an object that fields are in."""
        if field not in self._present:
            self._present[field] = self._find_present(field)
        return self._present[field]

    def _find_present(self, field: str) -> Mask | bool:
        if field == _EVENT or field in self._mapped.mapping.constants:
            return True
        if field in self.columns.cells:
            there: Mask = self.columns.cells[field].lengths > 0
            kinds = self.columns.mapped.take_kinds(field, np.arange(self.rows))
            return there if kinds is None else there | (kinds != TEXT_CELL)
        if field == "eventId":
            return self._mapped.makes_ids
        inside = [one for one in list_fields(self._mapped) if one.startswith(f"{field}.")]
        if not inside or field == "data":  # data is there wherever the mapping puts anything into it
            return bool(inside)
        parts = [self.is_present(one) for one in inside]
        masks = [part for part in parts if not isinstance(part, bool)]
        return True if any(part is True for part in parts) else np.logical_or.reduce(masks)

    @cached_property
    def made_ids(self) -> TextColumn:
        """The made event ids of the rows."""
        return TextColumn(self._mapped.made_ids.slice(self.start, self.rows))

    def events(self, rows: Int64Array) -> Iterator[Json]:
        """The events of these rows."""
        return (event.body for event in self._mapped.events(rows + self.start))


def list_fields(mapped: MappedTable) -> list[str]:
    """The fields that events of a table can have."""
    made = ["eventId"] if mapped.makes_ids else []
    return [field for field in (*mapped.field_columns, *mapped.mapping.constants, *made) if field != "name"]


# ── what a schema becomes ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _KeyTest:
    """Whether keys are there, or are not, in an object of the event.

    Attributes:
        check: The check.
        inside: The object's field.
        fields: The fields that are looked for.
        is_wanted: Whether each of them has to be there; else none of them may.
        given: The field that has to be there for anything to be asked.
    """

    check: RuleCheck
    inside: str
    fields: Sequence[str]
    is_wanted: bool
    given: str = _EVENT

    def find_rows(self, block: _Block, rows: Int64Array) -> Iterator[BrokenRows]:
        """Of these rows those that break it."""
        asked = _pick(block.is_present(self.inside), rows) & _pick(block.is_present(self.given), rows)
        there = np.logical_or.reduce([_pick(block.is_present(field), rows) for field in self.fields])
        yield BrokenRows(self.check, 0, rows[asked & (there ^ self.is_wanted)])


@dataclass(frozen=True, slots=True)
class _FieldTest:
    """What is asked of the value of a field.

    Attributes:
        field: The field.
        rules: The schema about it.
        constant: The value that every event has; none where a column gives it.
    """

    field: str
    rules: FieldRules
    constant: tuple[Json] | None

    def find_rows(self, block: _Block, rows: Int64Array) -> Iterator[BrokenRows]:
        """Of these rows those that break it."""
        if self.constant is not None:
            for check, time in self.rules.find_broken_value(self.constant[0]):
                yield BrokenRows(check, time, rows)
        elif self.field not in block.columns.cells:
            yield from self.rules.find_in_texts(block.made_ids, rows)
        else:
            filled = rows[_pick(block.is_present(self.field), rows)]
            yield from self.rules.find_in_column(block.columns, self.field, filled)


@dataclass(frozen=True, slots=True)
class _EventTest:
    """What is asked event by event.

    Attributes:
        validator: The whole schema.
        places: Where in it the keywords are that no column can tell.
    """

    validator: SchemaValidator
    places: Sequence[SchemaPath]

    def find_rows(self, block: _Block, rows: Int64Array) -> Iterator[BrokenRows]:
        """Of these rows those that break it."""
        found: dict[tuple[SchemaPath, int], tuple[RuleCheck, list[int]]] = {}
        for row, body in zip(rows.tolist(), block.events(rows), strict=True):
            times: dict[SchemaPath, int] = {}
            for check, *_ in self.validator.find_broken(body):
                if any(check.path[: len(place)] == place for place in self.places):
                    time = times[check.path] = times.get(check.path, -1) + 1
                    found.setdefault((check.path, time), (check, []))[1].append(row)
        for (_, time), (check, some) in found.items():
            yield BrokenRows(check, time, np.array(some, np.int64))


def _pick(present: Mask | bool, rows: Int64Array) -> Mask:
    return np.full(rows.size, present) if isinstance(present, bool) else present[rows]


class _TablePlan:
    """A schema of an event taken apart, for one table.

    Attributes:
        tests: What is asked of its rows.
    """

    def __init__(self, validator: SchemaValidator, mapped: MappedTable) -> None:
        self._validator, self._expanded = validator, validator.expanded
        self._constants = mapped.mapping.constants
        self._fields = list_fields(mapped)
        self._event_places: list[SchemaPath] = []
        self.tests: list[_KeyTest | _FieldTest | _EventTest] = []
        self._add_schema((), _EVENT)
        if self._event_places:
            self.tests.append(_EventTest(validator, self._event_places))

    def _keys_of(self, field: str) -> dict[str, str]:
        """The keys that an object of the event may have, each with the field that it is."""
        if field != _EVENT:
            return {one[len(field) + 1 :]: one for one in self._fields if one.startswith(f"{field}.")}
        opened = [one for one in OPEN_FIELDS if self._keys_of(one)]
        return {one: one for one in (*self._fields, *opened) if one in PLAIN_FIELDS or one in OPEN_FIELDS}

    def _add_schema(self, path: SchemaPath, field: str) -> None:
        """Take apart the schema at a path, which is about a field."""
        schema = self._expanded.schema
        for step in path:
            schema = schema[step]
        if field != _EVENT and field not in OPEN_FIELDS:
            constant = (self._constants[field],) if field in self._constants else None
            self.tests.append(_FieldTest(field, FieldRules(self._expanded, path), constant))
            return
        if schema is False:
            self._add_key_test(path, _EVENT, [field], is_wanted=False)
        for keyword, value in schema.items() if isinstance(schema, Mapping) else ():
            place = (*path, keyword)
            if keyword == "allOf":
                for at in range(len(value)):
                    self._add_schema((*place, at), field)
            elif keyword in _OF_WHOLE_OBJECTS:
                self._event_places.append(place)
            else:
                self._add_keyword(place, keyword, value, field, schema)

    def _add_keyword(
        self, place: SchemaPath, keyword: str, value: Json, field: str, schema: Mapping[str, Json]
    ) -> None:
        keys = self._keys_of(field)
        if keyword in ("properties", "patternProperties"):
            for name in value:
                named = [name] if name in keys else []
                for key in named if keyword == "properties" else find_matching_keys(name, keys):
                    self._add_schema((*place, name), keys[key])
        elif keyword == "additionalProperties":
            self._add_surplus(place, value, field, schema)
        elif keyword == "required":
            for key in value:
                self._add_key_test(place, field, [keys.get(key, _NOWHERE)], is_wanted=True)
        elif keyword == "dependentRequired":
            for given, key in ((given, key) for given, needed in value.items() for key in needed if given in keys):
                self._add_key_test(place, field, [keys.get(key, _NOWHERE)], is_wanted=True, given=keys[given])
        elif keyword == "type" and "object" not in ([value] if isinstance(value, str) else value):
            self._add_key_test(place, _EVENT, [field], is_wanted=False)

    def _add_surplus(self, place: SchemaPath, value: Json, field: str, schema: Mapping[str, Json]) -> None:
        """What ``additionalProperties`` asks of the keys that the schema does not name."""
        keys = self._keys_of(field)
        named = {key for one in schema.get("patternProperties", ()) for key in find_matching_keys(one, keys)}
        surplus = [keys[key] for key in keys if key not in named and key not in schema.get("properties", ())]
        if value is not False:
            for one in surplus:
                self._add_schema(place, one)
        elif surplus:
            self._add_key_test(place, field, surplus, is_wanted=False)

    def _add_key_test(
        self, place: SchemaPath, inside: str, fields: Sequence[str], *, is_wanted: bool, given: str = _EVENT
    ) -> None:
        self.tests.append(_KeyTest(self._expanded.checks[place], inside, fields, is_wanted, given))


_NOWHERE = "no field"
"""A field that no event has."""
