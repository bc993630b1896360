"""Whether an event is the expected one, and where it differs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from intempt_core.testing.arrived_event import ArrivedEvent

ABSENT = object()
"""The value of a field that an event does not have."""


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """A field of an event that is not as expected.

    Attributes:
        field: Its path: ``userId``, ``data.productId``.
        expected: What was expected. Any: JSON.
        given: What it is; :data:`ABSENT` where the event does not have it. Any: JSON.
    """

    field: str
    expected: Any
    given: Any


@dataclass(frozen=True, slots=True)
class EventPattern:
    """The event that a test expects.

    Attributes:
        name: Its name.
        fields: The fields that it must have, by name, with their values; of ``data`` and other objects only the keys
            that are given here count. Any: JSON.
        processed: Whether it must be processed (true) or ignored (false); ``None`` for either.
        after: The number of the event after which it must arrive; 0 for any.
        org: The organisation to which it must be sent.
        source: The source to which it must be sent, unless its path has none (CONTRACT 6.3).
    """

    name: str
    fields: Mapping[str, Any]
    processed: bool | None
    after: int
    org: str
    source: str

    def find_differences(self, event: ArrivedEvent) -> list[FieldDifference]:
        """Every field of an event that is not as expected; its name first."""
        found = [] if event.name == self.name else [FieldDifference("name", self.name, event.name)]
        return found + list(_compare_objects(self.fields, event.body, ""))

    def list_fields(self) -> list[tuple[str, Any]]:
        """Every single field that is expected, by its path (``data.productId``), with its value. Any: JSON."""
        return [(one.field, one.expected) for one in _compare_objects(self.fields, {}, "")]

    def matches(self, event: ArrivedEvent) -> bool:
        """Whether an event is the expected one."""
        return (
            event.seq > self.after
            and event.org == self.org
            and event.source in ("", self.source)
            and self.processed in (None, event.processed)
            and event.name == self.name
            and not self.find_differences(event)
        )


def _compare_objects(expected: Mapping[str, Any], given: Mapping[str, Any], path: str) -> Iterator[FieldDifference]:
    for key, value in expected.items():
        found = given.get(key, ABSENT)
        if isinstance(value, Mapping) and isinstance(found, Mapping):
            yield from _compare_objects(value, found, f"{path}{key}.")
        elif isinstance(value, Mapping) and found is ABSENT:
            yield from _compare_objects(value, {}, f"{path}{key}.")
        elif not are_equal(value, found):
            yield FieldDifference(path + key, value, found)


def are_equal(expected: Any, given: Any) -> bool:
    """Whether two values are the same in JSON: ``1`` is ``1.0``, and neither ``true`` nor ``"1"``. Any: JSON."""
    if isinstance(expected, bool) or isinstance(given, bool):
        return expected is given
    if isinstance(expected, list | tuple):
        return isinstance(given, list) and len(expected) == len(given) and all(map(are_equal, expected, given))
    if isinstance(expected, Mapping):
        return (
            isinstance(given, Mapping)
            and expected.keys() == given.keys()
            and all(are_equal(value, given[key]) for key, value in expected.items())
        )
    return bool(expected == given)
