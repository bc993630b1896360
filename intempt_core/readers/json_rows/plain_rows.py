"""Rows of JSON that are built alike: their values become columns without a look at the keys of each row.

What keys and types decide (the columns, whether an event must be checked as it came) is worked out once for each shape.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from intempt_core.contract import GivenEvent, Json, Place
from intempt_core.readers.json_cells import NULL, KeyClash

MAX_SHAPES = 1_000
"""Shapes that are known; rows of more are looked at one by one."""

_Flatten = Callable[[GivenEvent], tuple[dict[str, Json], tuple[KeyClash, ...]]]


@dataclass(frozen=True, slots=True, eq=False)
class RowShape:
    """What all rows have in common whose keys, and the types of whose values, are the same.

    Attributes:
        columns: Column → the index of its value among those of a row, or the value where it is the same in all.
        clashes: The values that have the same dotted path.
        key_count: How many keys there are, but for those inside of lists.
        list_indexes: Which of the values are lists.
        is_named: Whether the name is a text.
        needs_model: Whether the event must be checked as it came.
    """

    columns: Mapping[str, "int | _Same"]
    clashes: tuple[KeyClash, ...]
    key_count: int
    list_indexes: tuple[int, ...]
    is_named: bool
    needs_model: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """A value that is the same in all rows of a shape."""

    value: Json


class _Leaf:
    """Stands for the value at an index, in an event of a shape."""

    def __init__(self, index: int) -> None:
        self.index = index


class ShapeFinder:
    """Finds the shape of an event; of one that must be looked at by itself there is none.

    ``flatten`` says which columns an event has, ``needs_model`` whether it must be checked as it came, and ``is_event``
    whether an object is one event by its keys.
    """

    def __init__(
        self, flatten: _Flatten, needs_model: Callable[[GivenEvent], bool], is_event: Callable[[dict[str, Json]], bool]
    ) -> None:
        self._flatten, self._needs_model, self._is_event = flatten, needs_model, is_event
        self._shapes: dict[Json, RowShape | None] = {}

    def find(self, value: dict[str, Json], leaves: list[Json]) -> RowShape | None:
        """The shape of an object; its values are added to ``leaves``."""
        key = _collect_leaves(value, leaves)
        try:
            return self._shapes[key]
        except KeyError:
            found = self._shapes[key] = self._build(value) if len(self._shapes) < MAX_SHAPES else None
            if len(self._shapes) > MAX_SHAPES:
                del self._shapes[key]
            return found

    def _build(self, value: dict[str, Json]) -> RowShape | None:
        name = value.get("name")
        if not (name is None or type(name) is str) or not self._is_event(value) or _has_dollar_object(value):
            return None
        leaves: list[Json] = []
        model = _replace_leaves(value, leaves)
        body = {key: item for key, item in model.items() if key != "name"}
        columns, clashes = self._flatten(GivenEvent(None, body, Place()))
        if name is not None:
            columns = {"name": model["name"], **columns}
        given = GivenEvent(name, {key: item for key, item in value.items() if key != "name"}, Place())
        return RowShape(
            {column: item.index if type(item) is _Leaf else _Same(item) for column, item in columns.items()},
            clashes,
            _count_own_keys(value),
            tuple(index for index, leaf in enumerate(leaves) if type(leaf) is list),
            name is not None,
            self._needs_model(given),
        )


def _collect_leaves(value: dict[str, Json], leaves: list[Json]) -> tuple[Json, ...]:
    """The keys of an object and the types of its values; its values, and those of objects inside, go to ``leaves``."""
    types = tuple(map(type, value.values()))
    if dict not in types:
        leaves.extend(value.values())
        return tuple(value), types
    inner = []
    for item in value.values():
        if type(item) is dict:
            inner.append(_collect_leaves(item, leaves))
        else:
            leaves.append(item)
    return tuple(value), types, *inner


def _replace_leaves(value: dict[str, Json], leaves: list[Json]) -> dict[str, Json]:
    """An object of the same shape, each value but null replaced by what says its index; ``leaves`` gets the values."""
    found: dict[str, Json] = {}
    for key, item in value.items():
        if type(item) is dict:
            found[key] = _replace_leaves(item, leaves)
        else:
            found[key] = None if item is None else _Leaf(len(leaves))
            leaves.append(item)
    return found


def _has_dollar_object(value: dict[str, Json]) -> bool:
    """Whether an object inside has a key that MongoDB may mean otherwise: what it stands for depends on its value."""
    return any(
        type(item) is dict and (any(key.startswith("$") for key in item) or _has_dollar_object(item))
        for item in value.values()
    )


def _count_own_keys(value: dict[str, Json]) -> int:
    return len(value) + sum(_count_own_keys(item) for item in value.values() if type(item) is dict)


@dataclass(slots=True)
class RowChunk:
    """Neighbouring rows on their way to columns: those of a shape together, others as columns of their own.

    Attributes:
        size: How many rows there are.
    """

    size: int = 0
    _groups: dict[RowShape, tuple[list[int], list[list[Json]]]] = field(default_factory=dict)
    _others: dict[int, dict[str, Json]] = field(default_factory=dict)

    def add_plain(self, shape: RowShape, leaves: list[Json]) -> None:
        """Add a row of a shape."""
        found = self._groups.get(shape)
        if found is None:
            found = self._groups[shape] = [], []
        found[0].append(self.size)
        found[1].append(leaves)
        self.size += 1

    def add_other(self, row: dict[str, Json]) -> None:
        """Add a row by its columns."""
        self._others[self.size] = row
        self.size += 1

    def finish(self) -> "ChunkColumns":
        """The rows as columns."""
        return ChunkColumns(self.size, self._groups, self._others)


class ChunkColumns:
    """The columns of neighbouring rows, each made when it is asked for.

    Attributes:
        names: The columns, in the order in which they were met.
    """

    def __init__(
        self,
        size: int,
        groups: Mapping[RowShape, tuple[Sequence[int], Sequence[list[Json]]]],
        others: Mapping[int, dict[str, Json]],
    ) -> None:
        self._size, self._others = size, others
        self._groups = [(shape, rows, list(zip(*leaves, strict=True))) for shape, (rows, leaves) in groups.items()]
        met: list[tuple[int, Iterable[str]]] = [(rows[0], shape.columns) for shape, rows, _ in self._groups]
        met += others.items()
        self.names = list(dict.fromkeys(name for _, names in sorted(met, key=lambda one: one[0]) for name in names))

    def build_cells(self, column: str) -> Sequence[Json]:
        """The values of a column; ``None`` where a row has none."""
        cells: list[Json] = [None] * self._size
        for shape, rows, leaves in self._groups:
            source = shape.columns.get(column)
            if source is None:
                continue
            values = [source.value] * len(rows) if isinstance(source, _Same) else leaves[source]
            if len(rows) == self._size:
                return values
            for row, value in zip(rows, values, strict=True):
                cells[row] = value
        for row, known in self._others.items():
            cells[row] = known.get(column)
        return cells

    def is_null(self, column: str) -> bool:
        """Whether a column has no value but null in any row."""
        in_groups = (shape.columns.get(column) for shape, _, _ in self._groups)
        return all(one is None or (isinstance(one, _Same) and one.value is NULL) for one in in_groups) and all(
            row.get(column, NULL) is NULL for row in self._others.values()
        )

    def iterate_clashes(self) -> Iterator[tuple[KeyClash, Sequence[int]]]:
        """The values of one dotted path, and in which of these rows (of a shape) they are."""
        for shape, rows, _ in self._groups:
            for clash in shape.clashes:
                yield clash, rows
