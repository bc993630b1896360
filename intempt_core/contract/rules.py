"""One event judged by itself: its errors and its warnings, by every rule that reads a field.

Which rules there are, and what each asks of a value, is declared in ``issue_kinds.py``.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from intempt_core.contract.fields import EVENT_FIELDS, Json, get_field
from intempt_core.contract.issue_kinds import ISSUE_KINDS, Severity
from intempt_core.contract.issues import Issue, Place, escape_pointer_key, format_given
from intempt_core.contract.readings import Reading, Requirement, ValueRule


@dataclass(frozen=True, slots=True)
class GivenEvent:
    """An event as it came.

    Attributes:
        name: The name of its group; any JSON value.
        body: The event's JSON value, an object where all is well.
        place: Where it is; the pointer leads to the event.
        name_pointer: The pointer to its name, in the same document.
        columns: Field (``data.productId``) → the file's own header, where it came from a file.
    """

    name: Json
    body: Json
    place: Place
    name_pointer: str = "/name"
    columns: Mapping[str, str] | None = None

    def place_of(self, field: str) -> Place:
        """The place of one field (``name``, ``userId``, ``data.productId``; ``""`` is the event itself)."""
        steps = "".join(f"/{escape_pointer_key(key)}" for key in field.split(".", 1)) if field else ""
        pointer = self.name_pointer if field == "name" else self.place.pointer + steps
        column = (self.columns or {}).get(field)
        return Place(self.place.row, self.place.line, column, pointer, member=self.place.member)


def find_event_errors(event: GivenEvent) -> list[Issue]:
    """Every error that one event shows by itself (CONTRACT 1.4, 2.1–2.4, 2.7), in the order of its fields."""
    return [_build_issue(event, code, field) for code, field in _ERROR_RULES.find_broken(event)]


def find_event_warnings(event: GivenEvent) -> list[Issue]:
    """Every warning that one event gives by itself (CONTRACT 1.4, 2.7, 2.8), in the order of its fields."""
    return [_build_issue(event, code, field) for code, field in _WARNING_RULES.find_broken(event)]


class _FieldRules(NamedTuple):
    """What is asked about one field, each question with the code of the rule that is broken where it is answered no."""

    field: str
    parent: str
    is_met: list[tuple[str, Callable[[Json], bool]]]
    is_wrong: list[tuple[str, Callable[[Json], bool]]]

    def find_wrong(self, value: Json) -> tuple[str, ...]:
        """The codes of the rules about a value that it breaks."""
        return tuple(code for code, is_wrong in self.is_wrong if is_wrong(value))


MAX_REMEMBERED_TEXT, MAX_REMEMBERED_TEXTS = 64, 4_096
"""Characters of a text, and how many texts of each field, of which it is remembered what is wrong: ids come again."""


class _RuleSet:
    """The rules of one severity, by the field that each reads."""

    def __init__(self, severity: Severity) -> None:
        self._by_field: dict[str, _FieldRules] = {}
        for field in ("name", "", *EVENT_FIELDS):
            self._get_field_rules(field)
        self._any_of: list[tuple[str, Requirement]] = []
        for code, kind in ISSUE_KINDS.items():
            if kind.severity is severity:
                self._add(code, kind.reading)
        self._name, self._whole, *rest = self._by_field.values()
        self._fields = [
            (*rules[:3], rules.find_wrong, lru_cache(MAX_REMEMBERED_TEXTS)(rules.find_wrong))
            for rules in rest
            if rules.is_met or rules.is_wrong
        ]

    def _add(self, code: str, reading: Reading) -> None:
        if isinstance(reading, Requirement) and len(reading.fields) > 1:
            self._any_of.append((code, reading))
        elif isinstance(reading, Requirement):
            self._get_field_rules(reading.fields[0]).is_met.append((code, reading.is_met))
        elif isinstance(reading, ValueRule):
            for field in reading.fields:
                self._get_field_rules(field).is_wrong.append((code, reading.is_wrong))

    def _get_field_rules(self, field: str) -> _FieldRules:
        return self._by_field.setdefault(field, _FieldRules(field, field.rpartition(".")[0], [], []))

    def find_broken(self, event: GivenEvent) -> Iterator[tuple[str, str]]:
        """The code of each rule that an event breaks, and the field that it is about; empty for the whole event."""
        body = event.body
        yield from ((code, "name") for code, is_met in self._name.is_met if not is_met(event.name))
        yield from ((code, "") for code, is_wrong in self._whole.is_wrong if is_wrong(body))
        if not isinstance(body, Mapping):
            return
        for field, parent, requirements, find_wrong, recall_wrong in self._fields:
            value = get_field(body, field) if parent else body.get(field)
            for code, is_met in requirements:
                if not is_met(value):
                    is_parent_wrong = parent and not isinstance(get_field(body, parent), Mapping)
                    yield code, parent if is_parent_wrong else field
            if value is not None:
                is_short = type(value) is str and len(value) <= MAX_REMEMBERED_TEXT
                for code in recall_wrong(value) if is_short else find_wrong(value):
                    yield code, field
        for code, reading in self._any_of:
            if not any(reading.is_met(body.get(field)) for field in reading.fields):
                yield code, ""


_ERROR_RULES, _WARNING_RULES = _RuleSet(Severity.ERROR), _RuleSet(Severity.WARNING)


def _build_issue(event: GivenEvent, code: str, field: str) -> Issue:
    kind = ISSUE_KINDS[code]
    if isinstance(kind.reading, Requirement) and not field:
        return Issue(code, event.place_of(field))
    value = event.name if field == "name" else event.body if not field else get_field(event.body, field)
    hint = (kind.hint(value) if kind.hint else "") or (kind.event_hint(event.body) if kind.event_hint else "")
    return Issue(code, event.place_of(field), format_given(value), hint)
