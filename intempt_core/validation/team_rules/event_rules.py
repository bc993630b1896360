"""The team's rules asked about one event, by ``jsonschema-rs``; patterns are read by RE2, as over columns."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jsonschema_rs

from intempt_core.contract import ExactNumber, GivenEvent, Issue, Json, Place, escape_pointer_key, format_given
from intempt_core.validation.team_rules.keywords import PATTERN_KEYWORD
from intempt_core.validation.team_rules.patterns import matches_pattern
from intempt_core.validation.team_rules.schema_expansion import ExpandedSchema, RuleCheck, SchemaPath
from intempt_core.validation.team_rules.sentences import describe_finding


class BrokenCheck(NamedTuple):
    """A check that a value breaks.

    Attributes:
        check: The check.
        where: The steps from the value that was asked about to the one that breaks it.
        names: The keys that are missing, or too many.
    """

    check: RuleCheck
    where: tuple[str | int, ...]
    names: tuple[str, ...]


class _Re2Pattern:
    """The keyword ``pattern``, read by RE2."""

    def __init__(self, parent_schema: dict[str, Any], value: Any, schema_path: list[str | int]) -> None:  # noqa: ARG002  jsonschema-rs passes them
        self._pattern: str = value

    def validate(self, instance: Json) -> None:
        """Raise where a text does not match."""
        if isinstance(instance, str) and not matches_pattern(self._pattern, instance):
            raise ValueError(self._pattern)


class SchemaValidator:
    """An expanded schema, or a part of it, that can be asked about values.

    Attributes:
        expanded: The schema and its checks.
    """

    def __init__(self, expanded: ExpandedSchema, part: SchemaPath = ()) -> None:
        self.expanded, self._part = expanded, part
        schema = expanded.schema
        for step in part:
            schema = schema[step]
        self._validator = jsonschema_rs.Draft202012Validator(
            schema,
            keywords={PATTERN_KEYWORD: _Re2Pattern},
            offline=True,
            validate_formats=True,
            pattern_options=jsonschema_rs.RegexOptions(),
        )

    def find_broken(self, value: Json) -> Iterator[BrokenCheck]:
        """The checks that a value breaks, in the order of the validator."""
        for error in self._iter_errors(value):
            kind, where = error.kind, tuple(error.instance_path)
            check = self.expanded.find_check((*self._part, *error.evaluation_path))
            names: Sequence[str] = ()
            if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
                if isinstance(error.instance, Mapping) and kind.property in error.instance:
                    continue  # 0.60 says so of a key that is there and that "additionalProperties": false rejects
                names, where = (kind.property,), (*where, kind.property)
            elif isinstance(
                kind,
                jsonschema_rs.ValidationErrorKind.AdditionalProperties
                | jsonschema_rs.ValidationErrorKind.UnevaluatedProperties,
            ):
                names = kind.unexpected
            yield BrokenCheck(check, where, tuple(names))

    def _iter_errors(self, value: Json) -> Iterator[jsonschema_rs.ValidationError]:
        try:
            return self._validator.iter_errors(value)
        except ValueError:  # half a character, for which nothing in a rule can ask, or a number that keeps its text
            return self._validator.iter_errors(replace_half_characters(value))


def replace_half_characters(value: Json) -> Json:
    """The same value with U+FFFD for every lone surrogate, and with plain numbers."""
    if isinstance(value, ExactNumber):
        return float(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode() if not value.isascii() else value
    if isinstance(value, Mapping):
        return {replace_half_characters(key): replace_half_characters(one) for key, one in value.items()}
    return [replace_half_characters(one) for one in value] if isinstance(value, list) else value


def build_rule_issue(event: GivenEvent, broken: BrokenCheck) -> Issue:
    """The issue of a check that an event breaks, with its place and value."""
    value: Json = event.body
    for step in broken.where:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            value = None
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in broken.where).removeprefix(".")
    pointer = event.place.pointer + "".join(f"/{escape_pointer_key(str(step))}" for step in broken.where)
    column = find_column(event, broken.where)
    kind = describe_finding(broken.check, path, value, broken.names)
    place = Place(event.place.row, event.place.line, column, pointer, member=event.place.member)
    return Issue(broken.check.code, place, format_given(value), rule=kind)


def find_column(event: GivenEvent, where: Sequence[str | int]) -> str | None:
    """The file's own header of the value at these steps, where a column gives it."""
    columns = event.columns or {}
    for length in (2, 1):
        field = ".".join(map(str, where[:length]))
        if len(where) >= length and field in columns:
            return columns[field]
    return None
