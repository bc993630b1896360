"""A schema of a rules file with its references written out, and every check that it asks for.

Written out, a schema has no reference that could leave the file or run in a circle, and the place at which a validator
reports a finding is the place of exactly one check.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TypeAlias
from urllib.parse import quote, unquote

import jsonschema_rs

from intempt_core.contract import (
    OPEN_FIELDS,
    PLAIN_FIELDS,
    Json,
    Severity,
    escape_pointer_key,
    format_given,
    join_words,
    shorten_value,
    split_pointer,
)
from intempt_core.errors import RulesError
from intempt_core.validation.row_issues import RULE_CODE_PREFIX
from intempt_core.validation.team_rules import keywords
from intempt_core.validation.team_rules.patterns import check_key_pattern, check_pattern

MAX_SCHEMAS = 5_000
"""Schemas that the rules of a file may become, with references written out."""

MAX_DEPTH = 64
"""Schemas inside each other."""

MAX_NAME_LENGTH, MAX_MESSAGE_LENGTH = 80, 500
"""Characters of ``x-name`` and of ``x-message``."""

_CODE_CHARACTERS = "/~*:@!$'()+=._-"

SchemaPath: TypeAlias = tuple[str | int, ...]
"""Where something stands in a schema whose references are written out."""


@dataclass(frozen=True, slots=True, eq=False)
class RuleCheck:
    """One keyword of the team's rules: what it asks of one value of an event.

    Attributes:
        path: Where it stands in the expanded schema of its event.
        pointer: Where its schema stands in the file, as an RFC 6901 pointer.
        keyword: The keyword; ``false`` for a schema that allows nothing.
        value: What the keyword says.
        code: What a finding is called: ``rule:`` and ``x-name``, or the pointer.
        severity: Error or warning.
        message: The sentence of ``x-message``; empty where there is none.
    """

    path: SchemaPath
    pointer: str
    keyword: str
    value: Json
    code: str
    severity: Severity
    message: str

    @property
    def name(self) -> str:
        """The code without its prefix."""
        return self.code.removeprefix(RULE_CODE_PREFIX)


@dataclass(frozen=True, slots=True)
class ExpandedSchema:
    """The schema of one event name, with references written out.

    Attributes:
        schema: The schema; ``pattern`` is called :data:`~intempt_core.validation.team_rules.keywords.PATTERN_KEYWORD`.
        checks: Every check that can be reported, by its path.
        silent: Checks about numbers, of any value, that decide inside ``anyOf``, ``if`` and their like.
    """

    schema: Json
    checks: Mapping[SchemaPath, RuleCheck]
    silent: Sequence[RuleCheck] = ()

    def find_check(self, path: SchemaPath) -> RuleCheck:
        """The check that a validator reports at a path, or the one around it."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.checks:
                return self.checks[path[:length]]
        return next(iter(self.checks.values()))


@dataclass(frozen=True, slots=True)
class _Labels:
    """What a finding is called, how much it weighs and what it says, as far as a schema says so."""

    name: str = ""
    severity: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where the expansion is: in the expanded schema and in the file, and which references led there.

    What is at a spot may be about the event itself, and may be reported or not.
    """

    path: SchemaPath
    pointer: str
    labels: _Labels = _Labels()
    references: tuple[str, ...] = ()
    is_reported: bool = True
    is_of_event: bool = False
    depth: int = 0

    def enter(
        self, *steps: str | int, keeps_labels: bool = False, is_reported: bool = True, is_same_value: bool = False
    ) -> "_Spot":
        """The spot of a schema inside this one."""
        pointer = self.pointer + "".join(f"/{escape_pointer_key(str(step))}" for step in steps)
        labels = self.labels if keeps_labels else _Labels()
        reported = self.is_reported and is_reported
        of_event = self.is_of_event and is_same_value
        return _Spot((*self.path, *steps), pointer, labels, self.references, reported, of_event, self.depth + 1)


class SchemaExpander:
    """Expands the schemas of one rules file; raises :class:`RulesError` with the place of what cannot be used.

    Attributes:
        notes: What is ignored, and what will never be asked, as sentences.
        severities: Severity by code.
    """

    def __init__(self, document: Mapping[str, Json]) -> None:
        self._document = document
        self._schemas, self._is_definition = 0, False
        self._checks: dict[SchemaPath, RuleCheck] = {}
        self._silent: list[RuleCheck] = []
        self._pointers: dict[SchemaPath, str] = {}
        self.notes: dict[str, None] = {}
        self.severities: dict[str, tuple[Severity, str]] = {}
        self._named_at: dict[str, str] = {}

    def expand(self, pointer: str, schema: Json, *, is_reported: bool = True) -> ExpandedSchema:
        """The schema at a pointer of the file."""
        self._checks, self._silent, self._pointers, self._is_definition = {}, [], {}, not is_reported
        expanded = self._expand(schema, _Spot((), pointer, is_reported=is_reported, is_of_event=is_reported))
        self._check_form(expanded)
        return ExpandedSchema(expanded, self._checks, tuple(self._silent))

    def _check_form(self, expanded: Json) -> None:
        try:
            jsonschema_rs.meta.validate(expanded)
        except jsonschema_rs.ValidationError as error:
            steps, pointer, length = tuple(error.instance_path), "", 0
            for length in range(len(steps), -1, -1):
                if steps[:length] in self._pointers:
                    pointer = self._pointers[steps[:length]]
                    break
            pointer += "".join(f"/{escape_pointer_key(str(step))}" for step in steps[length:])
            given = format_given(error.instance)
            raise RulesError(
                f"{pointer}: {'nothing' if given is None else f'“{given}”'} cannot stand there in JSON Schema 2020-12"
                f" ({shorten_value(error.message)}). Correct it."
            ) from None

    def _expand(self, schema: Json, spot: _Spot) -> Json:
        self._pointers[spot.path] = spot.pointer
        self._schemas += 1
        if self._schemas > MAX_SCHEMAS:
            raise RulesError(
                f"With their references written out the rules become more than {MAX_SCHEMAS:,} schemas (at"
                f" {spot.pointer}). Write fewer, or refer to fewer."
            )
        if spot.depth > MAX_DEPTH:
            raise RulesError(f"{spot.pointer}: more than {MAX_DEPTH} schemas are inside each other. Nest them less.")
        if not isinstance(schema, Mapping):
            if schema is False:
                self._add_check(spot, "false", schema)
            return schema
        spot = replace(spot, labels=self._read_labels(schema, spot))
        made: dict[str, Json] = {}
        for key, value in schema.items():
            self._expand_keyword(key, value, spot, made)
            if key in keywords.NUMERIC and "type" not in schema and not spot.is_reported:
                self._silent.append(RuleCheck((*spot.path, key), spot.pointer, key, value, "", Severity.WARNING, ""))
        if "$ref" in schema:
            at = len(made.setdefault("allOf", []))
            made["allOf"].append(self._expand_reference(schema["$ref"], spot, at))
        return made

    def _expand_keyword(self, key: str, value: Json, spot: _Spot, made: dict[str, Json]) -> None:
        if key in keywords.NOT_TAKEN:
            raise RulesError(f"{spot.pointer}: “{key}” is not taken. {keywords.NOT_TAKEN[key]}")
        if key in keywords.LABELS or key in keywords.ANNOTATIONS or key == "$ref":
            return
        if key == "$defs":
            self._expand_definitions(value, spot)
        elif key == "pattern":
            check_pattern(value, f"{spot.pointer}/pattern")
            made[keywords.PATTERN_KEYWORD] = value
            self._add_check(spot, "pattern", value, keywords.PATTERN_KEYWORD)
        elif key in keywords.ASSERTIONS:
            made[key] = value
            if key == "required" and spot.is_of_event:
                self._look_at_event_keys(value, spot, key)
            self._add_check(spot, key, value, key)
            if key == "format":
                self._look_at_format(value, spot)
        elif key in keywords.KNOWN:
            made[key] = self._expand_applicator(key, value, spot)
        else:
            self._note_unknown(key, spot)

    def _expand_applicator(self, key: str, value: Json, spot: _Spot) -> Json:
        """The schemas inside a keyword; what is no schema stays, and is seen by the metaschema."""
        in_place = key in keywords.IN_PLACE_LISTS | keywords.IN_PLACE_SCHEMAS | keywords.IN_PLACE_MAPS
        is_whole = key in keywords.WHOLE_LISTS | keywords.WHOLE_SCHEMAS
        is_reported = not is_whole and key not in keywords.SILENT_SCHEMAS
        is_same_value = in_place or key in keywords.SAME_VALUE
        if key == "properties" and spot.is_of_event:
            self._look_at_event_keys(value, spot, key)
        if is_whole:
            self._add_check(spot, key, value, key)
        if key in keywords.IN_PLACE_MAPS | keywords.INNER_MAPS:
            if not isinstance(value, Mapping):
                return value
            if key == "patternProperties":
                for pattern in value:
                    check_key_pattern(pattern, f"{spot.pointer}/{key}")
            return {
                name: self._expand(one, spot.enter(key, name, keeps_labels=in_place, is_same_value=is_same_value))
                for name, one in value.items()
            }
        if key in keywords.IN_PLACE_LISTS | keywords.INNER_LISTS | keywords.WHOLE_LISTS:
            if not isinstance(value, list):
                return value
            return [
                self._expand(
                    one,
                    spot.enter(key, at, keeps_labels=in_place, is_reported=is_reported, is_same_value=is_same_value),
                )
                for at, one in enumerate(value)
            ]
        if key in keywords.INNER_SCHEMAS and value is False:  # a keyword of this schema: it may have labels
            self._add_check(spot, key, value, key)
            return value
        return self._expand(
            value, spot.enter(key, keeps_labels=in_place, is_reported=is_reported, is_same_value=is_same_value)
        )

    def _expand_definitions(self, value: Json, spot: _Spot) -> None:
        """Look at definitions inside a schema: they are expanded where they are referred to."""
        for name, one in value.items() if isinstance(value, Mapping) else ():
            self._expand(one, replace(spot.enter("$defs", name, is_reported=False), references=()))

    def _expand_reference(self, reference: Json, spot: _Spot, at: int) -> Json:
        target, schema = self._resolve(reference, f"{spot.pointer}/$ref")
        if target in spot.references or target == spot.pointer:
            circle = " → ".join(f"#{one}" for one in (*spot.references, target))
            raise RulesError(f"{spot.pointer}/$ref runs in a circle: {circle}. Let no schema refer to itself.")
        inner = spot.enter("allOf", at, keeps_labels=True, is_same_value=True)
        return self._expand(schema, replace(inner, pointer=target, references=(*spot.references, target)))

    def _resolve(self, reference: Json, place: str) -> tuple[str, Json]:
        """The pointer that a reference names, and the schema there."""
        if not isinstance(reference, str):
            raise RulesError(f"{place} is {format_given(reference)}, no text. Write it like #/$defs/money.")
        if not reference.startswith("#"):
            raise RulesError(
                f"{place}: “{shorten_value(reference)}” leaves the file, and nothing outside it is read. Copy that"
                " schema into $defs, and refer to it like #/$defs/money."
            )
        pointer = unquote(reference[1:])
        found: Json = self._document
        steps = split_pointer(pointer)
        if not pointer.startswith("/") or len(steps) < 2 or steps[0] not in ("$defs", "events"):
            raise RulesError(
                f"{place}: “{shorten_value(reference)}” names no schema. Write a place below $defs or events, such as"
                " #/$defs/money."
            )
        for step in steps:
            if isinstance(found, Mapping) and step in found:
                found = found[step]
            elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
                found = found[int(step)]
            else:
                near = get_close_matches(steps[-1], list(found) if isinstance(found, Mapping) else [], n=1)
                advice = f" Did you mean “{near[0]}”?" if near else ""
                raise RulesError(f"{place}: there is no “{shorten_value(reference)}” in this file.{advice}")
        return pointer, found

    # ── labels, checks and notes ─────────────────────────────────────────────────────────────────────────────────────

    def _read_labels(self, schema: Mapping[str, Json], spot: _Spot) -> _Labels:
        given = {key: schema[key] for key in keywords.LABELS if key in schema}
        for key, value in given.items():
            if not isinstance(value, str) or not value.strip():
                raise RulesError(f"{spot.pointer}/{key} is no text. Write a text, or leave it out.")
        name, severity, message = (given.get(key, "") for key in keywords.LABELS)
        if name and (quote(name, safe=_CODE_CHARACTERS) != name or len(name) > MAX_NAME_LENGTH):
            raise RulesError(
                f"{spot.pointer}/x-name: “{shorten_value(name)}” is no name of a rule. It takes letters from a to z,"
                f" digits and {_CODE_CHARACTERS}, up to {MAX_NAME_LENGTH} of them, such as price_given."
            )
        if severity and severity not in tuple(Severity):
            raise RulesError(
                f"{spot.pointer}/x-severity is “{shorten_value(severity)}”. It takes “error”, whose rows are excluded,"
                " or “warning”."
            )
        if len(message) > MAX_MESSAGE_LENGTH:
            raise RulesError(f"{spot.pointer}/x-message has more than {MAX_MESSAGE_LENGTH} characters. Shorten it.")
        if name and (first := self._named_at.setdefault(name, spot.pointer)) != spot.pointer:
            self._note(f"{first} and {spot.pointer} are both called “{name}”: what they find is counted together.")
        if given and not spot.is_reported and not self._is_definition:
            self._note(f"{spot.pointer}: {next(iter(given))} is never shown; what is reported is the schema around it.")
        own = _Labels(name or spot.labels.name, severity or spot.labels.severity, message or spot.labels.message)
        return own if spot.is_reported else _Labels()

    def _add_check(self, spot: _Spot, keyword: str, value: Json, *steps: str) -> None:
        if not spot.is_reported:
            return
        labels = spot.labels
        severity = Severity(labels.severity) if labels.severity else Severity.WARNING
        code = RULE_CODE_PREFIX + (labels.name or quote(spot.pointer, safe=_CODE_CHARACTERS))
        known, where = self.severities.setdefault(code, (severity, spot.pointer))
        if known is not severity:
            raise RulesError(
                f"{where} and {spot.pointer} are both called {code}, one an error and one a warning. Give one of them"
                " another x-name."
            )
        path = (*spot.path, *steps)
        self._checks[path] = RuleCheck(path, spot.pointer, keyword, value, code, severity, labels.message)

    def _look_at_format(self, name: Json, spot: _Spot) -> None:
        try:
            jsonschema_rs.Draft202012Validator({"format": name}, validate_formats=True, ignore_unknown_formats=False)
        except jsonschema_rs.ValidationError:
            self._note(f"{spot.pointer}: the format “{shorten_value(str(name))}” is not known, and is not checked.")

    def _look_at_event_keys(self, names: Json, spot: _Spot, keyword: str) -> None:
        """Say which keys no event has beside ``data`` and its other fields; the metaschema sees what is no key."""
        keys = [one for one in names if isinstance(one, str)] if isinstance(names, list | Mapping) else []
        for key in keys:
            if key in (*PLAIN_FIELDS, *OPEN_FIELDS):
                continue
            advice = (
                "The name is not in an event that is sent: write the rules of a name below “events”, by that name."
                if key == "name"
                else f'What is in data stands in the schema of data: {{"properties": {{"data": {{"{keyword}": … }}}}}}.'
            )
            self._note(
                f"{spot.pointer}/{keyword}: “{shorten_value(key)}” is no field of an event (it has"
                f" {join_words((*PLAIN_FIELDS, *OPEN_FIELDS))}). {advice}"
            )

    def _note_unknown(self, key: str, spot: _Spot) -> None:
        if key in keywords.FORMER:
            advice = f" JSON Schema 2020-12 has {keywords.FORMER[key]} in its place."
        else:
            near = get_close_matches(key[:60], keywords.KNOWN, n=1, cutoff=0.75)
            if key.startswith("x-") and not near:
                return  # of another tool
            advice = f" Did you mean “{near[0]}”?" if near else ""
        self._note(f"{spot.pointer}: “{shorten_value(key)}” is no keyword that is known, and is ignored.{advice}")

    def _note(self, sentence: str) -> None:
        self.notes[sentence] = None
