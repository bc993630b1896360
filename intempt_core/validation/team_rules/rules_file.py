"""The file of the team's rules, and the rules as a value.

::

    {"rules": "1",
     "events": {"*": {SCHEMA of every event}, "Product ordered": {SCHEMA of such an event}},
     "$defs": {"money": {SCHEMA}}}

A schema is JSON Schema 2020-12 about the whole event as it will be sent: ``{"properties": {"data": {…}}}``.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np

from intempt_core.contract import (
    EventName,
    GivenEvent,
    Issue,
    IssueKind,
    Json,
    escape_pointer_key,
    format_given,
    is_event_name,
    join_words,
    shorten_value,
    suggest_nearest,
)
from intempt_core.errors import RulesError
from intempt_core.mapping import EventSource, MappedTable, load_written_json
from intempt_core.validation.row_issues import Finding
from intempt_core.validation.team_rules.column_rules import find_in_table
from intempt_core.validation.team_rules.event_rules import BrokenCheck, SchemaValidator, build_rule_issue
from intempt_core.validation.team_rules.mapping_fit import check_mapping_fit
from intempt_core.validation.team_rules.schema_expansion import ExpandedSchema, SchemaExpander
from intempt_core.validation.team_rules.sentences import make_rule_kind

MAX_RULES_BYTES = 1_000_000
"""A file of rules that is larger is not read."""

MAX_DIGITS = 300
"""Digits of a whole number in the rules."""

MAX_NOTES = 20
"""Sentences on rules, or on rules and a mapping, that are shown; of the others, how many there are."""

EVERY_EVENT = "*"
"""The key of the rules of every event."""

RULES_VERSION = "1"

_TOP_KEYS = ("rules", "events", "$defs", "$schema", "$comment", "title", "description")
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_EXAMPLE = '{"rules": "1", "events": {"Product ordered": {"properties": {"data": {"required": ["price"]}}}}}'


@dataclass(frozen=True)
class TeamRules:
    """The team's own rules, read from a file. Two of the same text are equal.

    Attributes:
        name: The name of the file.
        text: Its text.
        notes: What is ignored and what is never asked, as sentences.
    """

    name: str
    text: str = field(repr=False)
    notes: tuple[str, ...] = field(compare=False, repr=False)
    _schemas: Mapping[str, ExpandedSchema] = field(compare=False, repr=False)

    @classmethod
    def from_json(cls, text: str, name: str = "The rules") -> "TeamRules":
        """The rules of a text. Raises :class:`RulesError` with a sentence where it is no file of rules."""
        if len(text) > MAX_RULES_BYTES:
            raise _build_size_error(name, len(text))
        try:
            given = load_written_json(text, parse_float=_parse_float, parse_int=_parse_int)
        except json.JSONDecodeError as error:
            raise RulesError(
                f"{name} is no JSON: {error.msg} (line {error.lineno}). Rules are written as JSON, such as {_EXAMPLE}."
            ) from error
        except (ValueError, RecursionError) as error:
            raise RulesError(f"{name} is no JSON that can be used: {error}.") from error
        try:
            notes = _check_top(given)
            expander = SchemaExpander(given)
            for key, schema in given.get("$defs", {}).items():
                expander.expand(f"/$defs/{escape_pointer_key(key)}", schema, is_reported=False)
            schemas = {
                key: expander.expand(f"/events/{escape_pointer_key(key)}", schema)
                for key, schema in given["events"].items()
            }
        except RulesError as error:
            raise RulesError(f"{name}: {error}") from None
        return cls(name, text, tuple(_limit_notes([*notes, *expander.notes])), schemas)

    def __getstate__(self) -> dict[str, object]:
        """Everything but the validators, which belong to one process."""
        return {name: value for name, value in vars(self).items() if name != "_validators"}

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the text: the same rules are recognised by it."""
        return sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    @cached_property
    def kinds(self) -> dict[str, IssueKind]:
        """Every kind of finding that there can be, by its code, in the order of the file."""
        checks = [check for schema in self._schemas.values() for check in schema.checks.values()]
        return {
            check.code: make_rule_kind(check, fix=f"See {check.pointer} of {self.name}.") for check in reversed(checks)
        }

    @property
    def event_names(self) -> tuple[str, ...]:
        """The keys of ``events``."""
        return tuple(self._schemas)

    @cached_property
    def _validators(self) -> dict[str, SchemaValidator]:
        return {key: SchemaValidator(schema) for key, schema in self._schemas.items()}

    def validators_of(self, name: Json) -> Iterator[SchemaValidator]:
        """What is asked about an event of a name: the rules of every event, then those of its name."""
        keys = {EVERY_EVENT: None, **({name: None} if isinstance(name, str) else {})}
        return (self._validators[key] for key in keys if key in self._validators)

    def find_broken(self, event: GivenEvent) -> Iterator[BrokenCheck]:
        """The checks that an event breaks."""
        for validator in self.validators_of(event.name):
            yield from validator.find_broken(event.body)

    def find_issues(self, event: GivenEvent) -> list[Issue]:
        """The issues of one event."""
        return [build_rule_issue(event, broken) for broken in self.find_broken(event)]

    def find_in_events(self, events: Iterable[GivenEvent]) -> list[Finding]:
        """The rows that show each code, of events that are asked one by one."""
        rows: dict[str, list[int]] = {}
        for row, event in enumerate(events):
            for broken in self.find_broken(event):
                rows.setdefault(broken.check.code, []).append(row)
        return [Finding(code, np.array(some, np.int64), rule=self.kinds[code]) for code, some in rows.items()]

    def find_in_source(self, source: EventSource) -> list[Finding]:
        """The rows of a table or of JSON lines that show each code."""
        if isinstance(source, MappedTable):
            found = find_in_table(self._validators, source, EVERY_EVENT)
            return [Finding(check.code, rows, rule=self.kinds[check.code]) for check, rows in found]
        return self.find_in_events(source.events())

    def check_mapping(self, source: EventSource) -> list[str]:
        """Whether rules and mapping go together: what is never asked, as sentences.

        Raises :class:`RulesError` where a rule speaks of numbers and the mapping makes text.
        """
        try:
            return _limit_notes(check_mapping_fit(self._schemas, source))
        except RulesError as error:
            raise RulesError(f"{self.name}: {error}") from None


def read_rules_file(file: Path) -> TeamRules:
    """Read a file of rules. Raises :class:`RulesError` with a sentence where it is none."""
    try:
        with file.open("rb") as opened:
            size, content = file.stat().st_size, opened.read(MAX_RULES_BYTES + 1)  # a pipe has no size
        if len(content) > MAX_RULES_BYTES:
            raise _build_size_error(file.name, max(size, len(content)))
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise RulesError(f"The rules {file} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise RulesError(f"The rules {file} are not UTF-8 (byte {error.start:,}).") from error
    return TeamRules.from_json(text, file.name)


def _limit_notes(notes: list[str]) -> list[str]:
    more = [f"… and {len(notes) - MAX_NOTES:,} more."] if len(notes) > MAX_NOTES else []
    return [*notes[:MAX_NOTES], *more]


def _build_size_error(name: str, size: int) -> RulesError:
    return RulesError(
        f"{name} has {size:,} bytes; rules of up to {MAX_RULES_BYTES:,} are read. Is it the file of rules?"
    )


def _check_top(given: Json) -> list[str]:
    """Notes on the top of the file. Raises :class:`RulesError` where it has not the form."""
    if not isinstance(given, Mapping):
        raise RulesError(f"it is no object. It looks like {_EXAMPLE}.")
    for key in given:
        if key not in _TOP_KEYS:
            looks = "" if "events" in given else f" A file of rules looks like {_EXAMPLE}."
            raise RulesError(f"it has a key “{shorten_value(key)}”. {suggest_nearest(key, _TOP_KEYS)}{looks}")
    if given.get("rules", RULES_VERSION) != RULES_VERSION:
        raise RulesError(f"“rules” is {format_given(given['rules'])}. It says the form of the file, “{RULES_VERSION}”.")
    if given.get("$schema", _DRAFT) != _DRAFT:
        raise RulesError(f"“$schema” is {format_given(given['$schema'])}. Rules are written in {_DRAFT}.")
    events, definitions = given.get("events"), given.get("$defs", {})
    if not isinstance(events, Mapping) or not events:
        raise RulesError(f"“events” is no object of event name to schema. It looks like {_EXAMPLE}.")
    if not isinstance(definitions, Mapping):
        raise RulesError("“$defs” is no object of name to schema.")
    return [_note_other_name(key) for key in events if key != EVERY_EVENT and not is_event_name(key)]


def _note_other_name(key: str) -> str:
    known = (EVERY_EVENT, *EventName)
    advice = suggest_nearest(key, known, f"The names are {join_words(EventName)}; “{EVERY_EVENT}” is every event.")
    return (
        f"/events/{escape_pointer_key(key)}: “{shorten_value(key)}” is none of the event names, and only events of"
        f" just that name are asked. {advice}"
    )


def _parse_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {shorten_value(text)} is too large")
    return number


def _parse_int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number has {len(text):,} digits, and up to {MAX_DIGITS} are taken")
    return int(text)
