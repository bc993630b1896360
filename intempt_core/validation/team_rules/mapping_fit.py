"""Whether rules and a mapping go together: a rule about numbers asks nothing of a field that is sent as text."""

from collections.abc import Iterator, Mapping

import numpy as np

from intempt_core.contract import ID_FIELDS, OPEN_FIELDS, PLAIN_FIELDS, Json, shorten_value
from intempt_core.errors import RulesError
from intempt_core.mapping import EventSource, MappedTable
from intempt_core.validation.team_rules import keywords
from intempt_core.validation.team_rules.schema_expansion import ExpandedSchema, RuleCheck

_TEXT_TYPES = frozenset({"string"})


def check_mapping_fit(schemas: Mapping[str, ExpandedSchema], source: EventSource) -> list[str]:
    """The fields of the rules that no event has, as sentences.

    Raises :class:`RulesError` where a rule speaks of numbers, or of true and false, and the mapping makes text.
    """
    if isinstance(source, MappedTable):
        texts = [field for field in source.field_columns if source.mapping.types.get(field, "text") == "text"]
        texts = [field for field in texts if field not in ("name", "timestamp")]
        texts = [field for field in texts if source.take_kinds(field, np.arange(source.rows)) is None]
        for schema in schemas.values():
            for field, check in _list_field_checks(schema):
                if field in texts and (kind := _find_needed_type(check)):
                    raise RulesError(_explain_text(check, field, kind, source.field_columns[field]))
    made = ["eventId"] if source.makes_ids else []
    known = {*source.field_columns, *source.mapping.constants, *made}
    missing: dict[str, str] = {}
    for schema in schemas.values():
        for field, check in _list_field_checks(schema, with_required=True):
            if field not in known and not any(one.startswith(f"{field}.") for one in known):
                missing.setdefault(field, check.pointer)
    return [
        f"{pointer}: no event of {source.table.name} has {field}. Map a column to it, or leave it out of the rules."
        for field, pointer in missing.items()
    ]


def _list_field_checks(schema: ExpandedSchema, *, with_required: bool = False) -> Iterator[tuple[str, RuleCheck]]:
    """The checks about the value of a field, each with the field; with those that want a field to be there."""
    silent = ((check.path, check) for check in schema.silent)
    for path, check in (*schema.checks.items(), *(() if with_required else silent)):
        steps = _read_place(path)
        if steps is None:
            continue
        if len(steps) == 1 and steps[0] not in OPEN_FIELDS:
            yield str(steps[0]), check
        elif len(steps) == 2 and steps[0] in OPEN_FIELDS:
            yield f"{steps[0]}.{steps[1]}", check
        if (
            with_required
            and check.keyword == "required"
            and (not steps or (len(steps) == 1 and steps[0] in OPEN_FIELDS))
        ):
            for key in check.value:
                field = ".".join([*map(str, steps), key])
                if steps or key in (*PLAIN_FIELDS, *OPEN_FIELDS):
                    yield field, check


def _read_place(path: tuple[str | int, ...]) -> list[str | int] | None:
    """The steps in the event that a path through schemas leads; ``None`` where it leads past lists or patterns."""
    steps: list[str | int] = []
    at = 0
    while at < len(path):
        step = path[at]
        if step == "properties" and at + 1 < len(path):
            steps.append(path[at + 1])
            at += 2
        elif step in ("allOf", "dependentSchemas", "anyOf", "oneOf"):
            at += 2
        elif step in ("then", "else", "not", "if"):
            at += 1
        else:
            return steps if at >= len(path) - 1 else None
    return steps


def _find_needed_type(check: RuleCheck) -> str:
    """The type that a check needs its field to have; empty where text will do."""
    value: Json = check.value
    if check.keyword in keywords.NUMERIC:
        return "number"
    if check.keyword == "type":
        wanted = {value} if isinstance(value, str) else set(value)
        if "string" in wanted:
            return ""
        return next((kind for kind in ("number", "integer", "boolean") if kind in wanted), "")
    if check.keyword in ("enum", "const"):
        values = value if check.keyword == "enum" else [value]
        if values and all(isinstance(one, bool) for one in values):
            return "boolean"
        if values and all(isinstance(one, int | float) for one in values):
            return "number"
    return ""


def _explain_text(check: RuleCheck, field: str, kind: str, column: str) -> str:
    what = "true and false" if kind == "boolean" else "numbers"
    head = f"{check.pointer}: “{check.keyword}” speaks of {what}, but {field} is sent as text (column “{column}”)."
    if field in ID_FIELDS:
        return f"{head} Ids are always text: write a “pattern” or an “enum” of texts instead."
    return f'{head} Give it a type in the mapping: "types": {{"{shorten_value(field)}": "{kind}"}}.'
