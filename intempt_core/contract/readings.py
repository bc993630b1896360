"""How a rule reads: the fields of one event, and whole columns of a table.

An entry of :data:`~intempt_core.contract.issue_kinds.ISSUE_KINDS` has one of these readings. Both speeds of validation
are driven by them, so that a rule cannot be known to one and not to the other.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

from intempt_core.arrays import Int64Array, Mask
from intempt_core.contract.fields import Json


class TimeValues(Protocol):
    """A column of times, row by row.

    Attributes:
        is_read: Whether a row has a time.
        is_unreadable: Whether a row has something that is no time.
        ms: Epoch milliseconds where there is a time; what 64 bits do not hold is their least or greatest number.
    """

    @property
    def is_read(self) -> Mask: ...
    @property
    def is_unreadable(self) -> Mask: ...
    @property
    def ms(self) -> Int64Array: ...


class FieldColumn(Protocol):
    """The column of a table that gives a field, as a rule asks about it. Cells are texts; an empty one gives no value.

    Attributes:
        given: Rows whose cell holds something visible.
        filled: Those, and rows whose value is no text: a list or an object of JSON, true or false.
        not_text: Rows whose value is no text; ``None`` where every value is one.
        is_visible_ascii: Whether every character of the column is visible ASCII, so that it has no white space.
        placeholders: Rows whose cell is one of the placeholders (CONTRACT 2.8).
        times: The cells read as times.
    """

    @property
    def given(self) -> Mask: ...
    @property
    def filled(self) -> Mask: ...
    @property
    def not_text(self) -> Mask | None: ...
    @property
    def is_visible_ascii(self) -> bool: ...
    @property
    def placeholders(self) -> Mask: ...
    @property
    def times(self) -> TimeValues: ...

    def matches(self, pattern: str, *, starts: str = "") -> Mask:
        """Rows with something visible in which the pattern is found; it is written in what ``re`` and RE2 share.

        ``starts``: ASCII characters with one of which every text begins that it fits, where there are such.
        """
        ...

    def matches_oddly(self, pattern: str) -> Mask:
        """:meth:`matches` of a pattern that no cell of visible ASCII alone fits."""
        ...

    def has_any_of(self, characters: str) -> bool:
        """Whether one of these ASCII characters is anywhere in the column: a quick look before a pattern."""
        ...

    def is_one_of(self, values: Iterable[str]) -> Mask:
        """Rows whose value is one of these texts."""
        ...

    def are_wrong(self, is_wrong: Callable[[Json], bool]) -> Mask:
        """Rows with a value that is wrong; each different cell is read once."""
        ...


@dataclass(frozen=True, slots=True)
class Requirement:
    """The reading of a rule that a field is given, or one of several.

    Attributes:
        fields: Dotted paths inside the event, or ``name``; one of them has to meet the rule.
        is_met: Whether a field's value meets it; a field that is absent has the value ``None``.
        find_met: The same for every row of the field's column.
    """

    fields: tuple[str, ...]
    is_met: Callable[[Json], bool]
    find_met: Callable[[FieldColumn], Mask]


def read_each_value(is_wrong: Callable[[Json], bool]) -> Callable[[FieldColumn], Mask]:
    """Make the reading of columns from that of a value: each different cell is read once."""

    def find_wrong(column: FieldColumn) -> Mask:
        return column.are_wrong(is_wrong)

    return find_wrong


def find_none(_column: FieldColumn) -> None:
    """Find nothing: the reading of columns where no cell, being text, can be wrong."""


@dataclass(frozen=True, slots=True)
class ValueRule:
    """The reading of a rule about the value of a field, whichever of some fields it is.

    Attributes:
        fields: Dotted paths inside the event; empty text is the event itself.
        is_wrong: Whether a value breaks the rule. It is not asked about a field that is absent or null.
        find_wrong: The rows of the field's column that break it, ``None`` where none does. :func:`read_each_value`
            makes it from ``is_wrong``; one of its own is worth it where a column has many different values.
    """

    fields: tuple[str, ...]
    is_wrong: Callable[[Json], bool]
    find_wrong: Callable[[FieldColumn], Mask | None]


class FoundElsewhere(Enum):
    """Where an issue is found that neither a field nor a column of fields shows."""

    BY_READER = "by the reader, where bytes become events"
    BY_CELLS = "by the cells of a row, beside the event that it becomes"
    BY_TEAM_RULES = "by the team's own rules, which are no part of the contract"
    ACROSS_EVENTS = "across events, or by what is known beside them: history, a catalogue"


Reading: TypeAlias = Requirement | ValueRule | FoundElsewhere
"""How a rule is judged."""
