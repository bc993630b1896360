"""The difference by meaning between two bodies, attempts or batches, key order and generated ids aside.

What is compared is a :class:`DiffSide`: facts, and events in their order. Events are matched by their ids, then by
being equal, then by their subject; so an inserted event does not make all that follow differ.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from intempt_core.contract import Json, dump_json, format_given, get_field, id_to_text, read_linking_ids
from intempt_core.readers import Payload

_GENERATED_ID = re.compile(
    r"(?:evt_)?(?:[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})|made_[0-9a-f]{24}",
    re.IGNORECASE,
)


def is_generated_id(event_id: str) -> bool:
    """Whether an event id was made by this console or by a library: another send of the same event has another."""
    return _GENERATED_ID.fullmatch(event_id) is not None


MAX_DIFFERENCES = 500
"""Differences that a comparison lists; it counts all of them."""


class DifferenceKind(StrEnum):
    """What a difference is."""

    LEFT = "only left"
    RIGHT = "only right"
    CHANGED = "changed"
    ORDER = "in another order"


_MIRRORED = {DifferenceKind.LEFT: DifferenceKind.RIGHT, DifferenceKind.RIGHT: DifferenceKind.LEFT}


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two sides.

    Attributes:
        kind: What it is.
        path: The place in the event or the facts (``data.price``); empty for the whole.
        left: The value of the left side as text, ``None`` where it has none.
        right: The value of the right side as text, ``None`` where it has none.
        left_event: The number of the left side's event, from 1; ``None`` for facts, or where the event is missing.
        right_event: The number of the right side's event, likewise.
    """

    kind: DifferenceKind
    path: str
    left: str | None = None
    right: str | None = None
    left_event: int | None = None
    right_event: int | None = None

    @property
    def mirrored(self) -> "Difference":
        """The same, seen from the other side."""
        kind = _MIRRORED.get(self.kind, self.kind)
        return Difference(kind, self.path, self.right, self.left, self.right_event, self.left_event)


@dataclass(frozen=True)
class DiffSide:
    """One side of a comparison.

    Attributes:
        title: What it is, for people.
        facts: Everything but the events, as JSON.
        events: The events as pairs of name and body, in their order.
    """

    title: str
    facts: Mapping[str, Json] = field(default_factory=dict, repr=False)
    events: Sequence[tuple[Json, Json]] = field(default=(), repr=False)


@dataclass(frozen=True)
class Comparison:
    """What differs between two sides.

    Attributes:
        left: The left side.
        right: The right side.
        differences: The first differences, at the most :data:`MAX_DIFFERENCES`.
        total: How many differences there are.
    """

    left: DiffSide
    right: DiffSide
    differences: tuple[Difference, ...]
    total: int

    @property
    def same(self) -> bool:
        """Whether both mean the same."""
        return not self.total


def build_payload_side(title: str, payload: Payload) -> DiffSide:
    """Make a side of a pasted body."""
    return DiffSide(title, {}, [(event.name, event.body) for event in payload.events])


def compare_sides(left: DiffSide, right: DiffSide) -> Comparison:
    """Compare two sides. Comparing them the other way round gives the same, mirrored."""
    found = list(diff_values(left.facts, right.facts, ""))
    found += _diff_events(_SideEvents(left.events), _SideEvents(right.events))
    return Comparison(left, right, tuple(found[:MAX_DIFFERENCES]), len(found))


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def diff_values(left: Json, right: Json, path: str) -> Iterator[Difference]:
    """Each difference between two values, whatever the order of their keys; ``path`` is where they are."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in sorted({*left, *right}, key=str):
            here = f"{path}.{key}" if path else str(key)
            if key not in right:
                yield Difference(DifferenceKind.LEFT, here, format_value(left[key]))
            elif key not in left:
                yield Difference(DifferenceKind.RIGHT, here, None, format_value(right[key]))
            else:
                yield from diff_values(left[key], right[key], here)
    elif isinstance(left, list) and isinstance(right, list):
        for index in range(max(len(left), len(right))):
            here = f"{path}[{index}]"
            if index >= len(right):
                yield Difference(DifferenceKind.LEFT, here, format_value(left[index]))
            elif index >= len(left):
                yield Difference(DifferenceKind.RIGHT, here, None, format_value(right[index]))
            else:
                yield from diff_values(left[index], right[index], here)
    elif not _are_equal(left, right):
        yield Difference(DifferenceKind.CHANGED, path, format_value(left), format_value(right))


def _are_equal(left: Json, right: Json) -> bool:
    """Equality as JSON has it: 1 and 1.0 are one number, ``true`` is no number."""
    if isinstance(left, bool) or isinstance(right, bool) or not isinstance(left, int | float):
        return type(left) is type(right) and bool(left == right)
    return isinstance(right, int | float) and left == right


def format_value(value: Json) -> str:
    """A value as one line of text."""
    return format_given(value) or ("null" if value is None else "")


# ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class _SideEvents:
    """The events of one side without their generated ids; ``keys`` are the ids that were given."""

    def __init__(self, events: Sequence[tuple[Json, Json]]) -> None:
        self.names = [name for name, _ in events]
        ids = [id_to_text(get_field(body, "eventId")) for _, body in events]
        made = [id_ is not None and is_generated_id(id_) for id_ in ids]
        self.keys = [None if is_made else id_ for id_, is_made in zip(ids, made, strict=True)]
        self.bodies = [
            {**body, "eventId": "generated"} if is_made else body
            for (_, body), is_made in zip(events, made, strict=True)
        ]

    def content_key(self, row: int) -> Hashable:
        """Everything in an event, whatever the order of its keys."""
        return repr(_sort_keys([self.names[row], self.bodies[row]]))

    def subject_key(self, row: int) -> Hashable:
        """Who did what with which product."""
        body = self.bodies[row]
        return repr((self.names[row], sorted(read_linking_ids(body)), id_to_text(get_field(body, "data.productId"))))


def _sort_keys(value: Json) -> Json:
    if isinstance(value, Mapping):
        return sorted((str(key), _sort_keys(member)) for key, member in value.items())
    if isinstance(value, list):
        return [_sort_keys(member) for member in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 else value


def _diff_events(left: _SideEvents, right: _SideEvents) -> list[Difference]:
    pairs = _pair_events(left, right)
    found: list[tuple[int, int, Difference]] = []
    for mine, other in pairs:
        whole = [{"name": side.names[row], "event": side.bodies[row]} for side, row in ((left, mine), (right, other))]
        for one in diff_values(whole[0], whole[1], ""):
            path = "" if one.path == "event" else one.path.removeprefix("event.")
            found.append((mine, other, Difference(one.kind, path, one.left, one.right, mine + 1, other + 1)))
    taken = {mine for mine, _ in pairs}, {other for _, other in pairs}
    alone = [
        Difference(DifferenceKind.LEFT, "", _format_event(left, row), None, row + 1)
        for row in _find_unmatched(left, taken[0])
    ]
    alone += [
        Difference(DifferenceKind.RIGHT, "", None, _format_event(right, row), None, row + 1)
        for row in _find_unmatched(right, taken[1])
    ]
    return [*_diff_order(left, right, pairs), *(one for _, _, one in sorted(found, key=_position_key)), *alone]


def _position_key(found: tuple[int, int, Difference]) -> tuple[int, int]:
    mine, other, _ = found
    return mine + other, abs(mine - other)  # the same from both sides


def _find_unmatched(side: _SideEvents, taken: set[int]) -> list[int]:
    return [row for row in range(len(side.names)) if row not in taken]


def _format_event(side: _SideEvents, row: int) -> str:
    return format_value(f"{format_value(side.names[row])} {dump_json(side.bodies[row]).decode()}")


def _diff_order(left: _SideEvents, right: _SideEvents, pairs: Sequence[tuple[int, int]]) -> Iterator[Difference]:
    """One difference for the first place where common events are in another order (CONTRACT 4.3)."""
    by_right = sorted(pairs, key=lambda pair: pair[1])
    for mine, other in zip(sorted(pairs), by_right, strict=True):
        if mine != other:
            yield Difference(
                DifferenceKind.ORDER,
                "",
                _format_event(left, mine[0]),
                _format_event(right, other[1]),
                mine[0] + 1,
                other[1] + 1,
            )
            return


def _pair_events(left: _SideEvents, right: _SideEvents) -> list[tuple[int, int]]:
    """Match the events of both sides, by id, by content, then by subject; the n-th of several with the n-th."""
    pairs: list[tuple[int, int]] = []
    signs: list[Callable[[_SideEvents, int], Hashable]] = [
        lambda side, row: side.keys[row],
        lambda side, row: side.content_key(row),
        lambda side, row: side.subject_key(row),
        lambda side, row: repr(side.names[row]),
    ]
    mine, others = list(range(len(left.names))), list(range(len(right.names)))
    for sign in signs:
        waiting: dict[Hashable, list[int]] = defaultdict(list)
        for row in reversed(others):
            waiting[sign(right, row)].append(row)
        for row in mine:
            key = sign(left, row)
            if key is not None and waiting.get(key):
                pairs.append((row, waiting[key].pop()))
        taken = {row for row, _ in pairs}, {row for _, row in pairs}
        mine = [row for row in mine if row not in taken[0]]
        others = [row for row in others if row not in taken[1]]
    return pairs
