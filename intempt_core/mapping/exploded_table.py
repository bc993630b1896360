"""A table whose rows are events: made of the rows as read, where a mapping makes several of one (CONTRACT 7.20).

It is a table as any other to what follows, so that rules, plans and bodies stay work over whole columns. Which row and
member each of its rows is says :class:`~intempt_core.readers.TableOrigin`. Here also columns are made that a mapping
names and a file does not have by itself: an object as a whole, a key of JSON in a cell, a name of several columns.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from intempt_core.arrays import Int64Array, Mask, combine_column, make_array, make_scalar, take_rows, view_numbers
from intempt_core.contract import EventName, Json, format_count, suggest_nearest
from intempt_core.errors import MappingError, TableTooLarge
from intempt_core.mapping.explode import Explode
from intempt_core.mapping.model import Mapping
from intempt_core.readers import (
    NULL,
    PATH_SEPARATOR,
    CellCounts,
    KeyClash,
    ReadLimits,
    ReplaceableColumns,
    Table,
    TableOrigin,
    encode_cells,
    flatten_entries,
    flatten_value,
    parse_exactly,
    spell_half_characters,
)

EXPLODE_BLOCK_ROWS = 16_384
"""Rows whose members are read together."""

OUTER_BLOCK_EVENTS = 65_536
"""Events whose shared cells are repeated together."""

MAX_MEMBER_COLUMNS = 256
"""Keys of members that get a column."""

NAME_SEPARATOR = " / "
"""What stands between the cells of several name columns."""


class ExplodedColumns(ReplaceableColumns):
    """Header → column: members have their own, and what is outside the list is repeated when it is first asked for."""

    def __init__(self, table: Table, rows: Int64Array, own: AnyMapping[str, pa.ChunkedArray]) -> None:
        self._table, self._rows, self._own = table, rows, dict(own)
        self._made: dict[str, pa.ChunkedArray] = {}

    def __getstate__(self) -> dict[str, object]:
        """Everything but the columns that were made."""
        return {**vars(self), "_made": {}}

    def __getitem__(self, name: str) -> pa.ChunkedArray:
        if name in self._own:
            return self._own[name]
        if name not in self._made:
            column = self._table.columns[name]
            parts = [
                take_rows(column, self._rows[start : start + OUTER_BLOCK_EVENTS]).cast(pa.string())
                for start in range(0, self._rows.size, OUTER_BLOCK_EVENTS)
            ]
            self._made[name] = pa.chunked_array(parts, pa.string())
        return self._made[name]

    def with_column(self, name: str, column: pa.ChunkedArray) -> "ExplodedColumns":
        """The same columns, one of them another; the others are shared."""
        found = ExplodedColumns(self._table, self._rows, {**self._own, name: column})
        found._made = self._made
        return found

    def __iter__(self) -> Iterator[str]:
        yield from (name for name in self._table.columns if name not in self._own)
        yield from self._own

    def __len__(self) -> int:
        return len({*self._table.columns, *self._own})


def expand_table(table: Table, mapping: Mapping, limits: ReadLimits | None = None) -> Table:
    """The rows of a table as events, as a mapping says; the table itself where each row is one, as it was read.

    Raises :class:`MappingError` where the file has no such column, and
    :class:`~intempt_core.errors.TableTooLarge` where the events are more than ``limits``.
    """
    wide = _add_derived_columns(table, mapping)
    if wide is table and not mapping.explode and not mapping.ignored_names:
        return table
    rows, members = np.arange(table.rows), np.zeros(table.rows, np.int64)
    ignored = _find_ignored(wide, mapping)
    if ignored.size:
        rows, members = np.delete(rows, ignored), np.delete(members, ignored)
    names = wide.take_cells(_name_column(mapping), ignored.tolist()) if ignored.size else []
    found = _Members()
    if mapping.explode is not None:
        found = _read_members(wide, mapping.explode, rows, list(filter(mapping.is_member, mapping.columns)))
        members = found.members
        rows = np.repeat(rows, found.counts)
        if not found.rows_with_members and rows.size:
            raise MappingError(
                f"No row of {table.name} has a list at “{', '.join(mapping.explode.sources)}”, so that “explode” makes"
                " nothing of it. See that it names the list, or leave it out."
            )
        _check_size(wide, mapping, rows, limits or ReadLimits())
    origin = TableOrigin(table, rows, members, ignored, names, frozenset(found.columns))
    exploded = replace(
        wide,
        header=(*wide.header, *(column for column in found.columns if column not in wide.header)),
        columns=ExplodedColumns(wide, rows, found.columns),
        lines=wide.lines[rows],
        cell_counts=_spread_numbers(wide.cell_counts, wide, rows),
        malformed_quotes=_spread_numbers(wide.malformed_quotes, wide, rows),
        documents=None,
        cell_kinds={**{column: kinds[rows] for column, kinds in wide.cell_kinds.items()}, **found.kinds},
        origin=origin,
        notes=(*wide.notes, *found.notes),
    )
    return _merge_columns(_give_own_ids(exploded, mapping), mapping) if mapping.explode else exploded


def _name_column(mapping: Mapping) -> str:
    if mapping.name_columns:
        return NAME_SEPARATOR.join(mapping.name_columns)
    return next(column for column, field in mapping.columns.items() if field == "name")


def _find_ignored(table: Table, mapping: Mapping) -> Int64Array:
    """The rows whose name a person said is not for us (CONTRACT 7.24)."""
    if not mapping.ignored_names:
        return np.zeros(0, np.int64)
    names = make_array(list(mapping.ignored_names), pa.string())
    mask = pc.is_in(table.columns[_name_column(mapping)], value_set=names)
    return np.flatnonzero(view_numbers(mask))


def _check_size(table: Table, mapping: Mapping, rows: Int64Array, limits: ReadLimits) -> None:
    size = 0
    for column in mapping.columns:
        if column in table.columns:
            lengths = view_numbers(pc.binary_length(combine_column(table.columns[column])))
            size += int(lengths[rows].sum())
    if rows.size > limits.rows or size > limits.table_bytes:
        raise TableTooLarge(
            f"{table.name} becomes {rows.size:,} events of {size:,} bytes. Up to {limits.rows:,} of"
            f" {limits.table_bytes:,} are taken. Cut it into several files."
        )


def _spread_numbers(given: AnyMapping[int, int], table: Table, rows: Int64Array) -> AnyMapping[int, int]:
    """Row → number, for the events of those rows."""
    if not given:
        return {}
    numbers = np.full(table.rows, -1, np.int64)
    numbers[list(given)] = list(given.values())
    events = np.flatnonzero(numbers[rows] >= 0)
    return CellCounts(events, numbers[rows][events])


# ── columns that a file does not have by itself ──────────────────────────────────────────────────────────────────────


def _add_derived_columns(table: Table, mapping: Mapping) -> Table:
    """The table with the columns that the mapping names and that can be made of others."""
    explode = mapping.explode
    asked = [column for column in mapping.columns if explode is None or not explode.is_member_column(column)]
    asked += explode.sources if explode is not None else ()
    found: dict[str, tuple[pa.ChunkedArray, NDArray[np.uint8] | None]] = {}
    notes: dict[str, str] = {}
    for column in dict.fromkeys(asked):
        if column not in table.columns and is_always_null(table, column):
            found[column] = _build_null_column(table), table.cell_kinds[column]
        elif column not in table.columns or _has_columns_inside(table, column):
            values = _read_derived(table, column, notes)
            cells, kinds, half_characters = _build_column(values, table.rows)
            found[column] = cells, kinds
            if half_characters:
                notes[f"half characters of {column}"] = describe_half_characters(half_characters, f"“{column}”")
    if mapping.name_columns:
        for column in mapping.name_columns:
            if column not in table.columns and is_always_null(table, column):
                nulls = _build_null_column(table)
                table = replace(table, header=(*table.header, column), columns={**table.columns, column: nulls})
            _require_column(table, column)
        found[NAME_SEPARATOR.join(mapping.name_columns)] = join_name_columns(table, mapping.name_columns), None
    if not found:
        return table
    return replace(
        table,
        header=(*table.header, *(column for column in found if column not in table.header)),
        columns={**table.columns, **{column: cells for column, (cells, _) in found.items()}},
        cell_kinds={**table.cell_kinds, **{column: kinds for column, (_, kinds) in found.items() if kinds is not None}},
        notes=(*table.notes, *notes.values()),
    )


def join_name_columns(table: Table, columns: Sequence[str]) -> pa.ChunkedArray:
    """The cells of several columns that together are the name, such as ``product / view``."""
    parts = [combine_column(table.columns[column]) for column in columns]
    joined = pc.binary_join_element_wise(*parts, make_scalar(NAME_SEPARATOR))
    return pa.chunked_array([joined.cast(pa.string())])


def _require_column(table: Table, column: str) -> None:
    if column not in table.columns:
        raise MappingError(f"{table.name} has no column “{column}”. {suggest_nearest(column, table.header)}")


def _build_column(values: Sequence[Json], rows: int) -> tuple[pa.ChunkedArray, NDArray[np.uint8] | None, int]:
    """The cells of values, what they are, and how many hold half of a character."""
    parts, kinds, half_characters = [], np.zeros(rows, np.uint8), 0
    for start in range(0, rows, EXPLODE_BLOCK_ROWS):
        texts, own = encode_cells(values[start : start + EXPLODE_BLOCK_ROWS])
        made, spelled = _make_texts(texts)
        parts.append(made)
        half_characters += spelled
        if own is not None:
            kinds[start : start + own.size] = own
    return pa.chunked_array(parts, pa.string()), kinds if kinds.any() else None, half_characters


def _make_texts(texts: Sequence[str]) -> tuple[pa.Array, int]:
    """Texts as an array, and how many hold half of a character, which JSON can say and UTF-8 cannot."""
    try:
        return make_array(texts, pa.string()), 0
    except UnicodeEncodeError:
        spelled = [spell_half_characters(text) for text in texts]
        count = sum(one != other for one, other in zip(spelled, texts, strict=True))
        return make_array(spelled, pa.string()), count


def is_always_null(table: Table, column: str) -> bool:
    """Whether a key of JSON lines has no column, since it has no value but null in any row."""
    is_null = column not in table.columns and column in table.cell_kinds
    return is_null and not _has_columns_inside(table, column)  # otherwise it is an object in other rows


def _build_null_column(table: Table) -> pa.ChunkedArray:
    return pa.chunked_array([pa.repeat(make_scalar("", pa.string()), table.rows)], pa.string())


def is_derivable(table: Table, column: str) -> bool:
    """Whether a column that the table does not have can be made of one that it has, or is null in every row."""
    return (
        is_always_null(table, column) or _has_columns_inside(table, column) or _find_holder(table, column) is not None
    )


def _has_columns_inside(table: Table, column: str) -> bool:
    """Whether a column is an object of JSON lines whose keys have columns of their own."""
    return table.documents is not None and any(name.startswith(f"{column}.") for name in table.header)


def _find_holder(table: Table, column: str) -> str | None:
    steps = column.split(".")
    heads = (".".join(steps[:length]) for length in range(len(steps) - 1, 0, -1))
    return next((head for head in heads if head in table.columns or is_always_null(table, head)), None)


def _read_derived(table: Table, column: str, notes: dict[str, str]) -> list[Json]:
    """The values of a column that is made; ``notes`` gets a sentence on a column whose cells cannot be read as JSON."""
    found, unread, clashing = list[Json](), list[int](), list[int]()
    if table.documents is not None and _has_columns_inside(table, column):
        for row, body in enumerate(table.documents.iter_exact_bodies(range(table.rows))):
            found.append(_choose_value(_find_all_inside(body, column), row, clashing))
    else:
        holder = _find_holder(table, column)
        if holder is None:
            raise MappingError(f"{table.name} has no column “{column}”. {suggest_nearest(column, table.header)}")
        if holder not in table.columns:  # it is null in every row, and so nothing is inside
            return [None] * table.rows
        path = column[len(holder) + 1 :]
        for row, cell in enumerate(table.columns[holder].to_pylist()):
            value = read_json_cell(cell)
            found.append(_choose_value(_find_all_inside(value, path), row, clashing))
            if value is None and cell.strip():
                unread.append(row)
        if unread:
            notes[holder] = (
                f"In {format_count(len(unread), 'row')} the cell of “{holder}” is no list or object of JSON; nothing "
                f"in it is sent (the first is {table.describe_row(unread[0])}). See that it was not cut."
            )
    if clashing:
        notes[f"{column}{PATH_SEPARATOR}"] = (
            f"In {format_count(len(clashing), 'row')} “{column}” is the path of several values, as a key with a dot and"
            f" as a key inside an object (the first is {table.describe_row(clashing[0])}). The key with the dot is"
            f" taken. Rename one, or write the other's keys with “{PATH_SEPARATOR}” between them in the mapping."
        )
    return found


def _choose_value(values: Sequence[Json], row: int, clashing: list[int]) -> Json:
    """The first value that is not null of those that have one path; ``clashing`` gets the row where several do."""
    others = [value for value in values if value is not NULL]
    if len(others) > 1:
        clashing.append(row)
    return others[0] if others else values[0] if values else None


def read_json_cell(cell: str) -> Json:
    """The list or object that a cell holds; ``None`` where it holds none."""
    if cell.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return parse_exactly(cell.encode())
    except (ValueError, RecursionError):
        return None


def _find_all_inside(value: Json, path: str) -> list[Json]:
    """Every value at a dotted path, those with the longest keys first; a path may also be written key by key."""
    if PATH_SEPARATOR in path and isinstance(value, dict) and path not in value:
        head, _, rest = path.partition(PATH_SEPARATOR)
        if head in value:
            return _find_all_inside(value[head], rest)
    flat: dict[str, Json] = {}
    steps = path.split(".")
    if not isinstance(value, dict):
        return []
    values: list[Json] = []
    for length in range(len(steps), 0, -1):
        key, rest = ".".join(steps[:length]), ".".join(steps[length:])
        if key in value:
            found = value[key]
            if rest:
                values += _find_all_inside(found, rest)
            elif isinstance(found, dict) and len(found) == 1:
                flatten_value(found, key, flat)
                values.append(flat.get(key, found))
            else:
                values.append(NULL if found is None else found)
    return values


# ── members ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Members:
    """The members of all rows: how many each row has, their numbers, and their columns."""

    def __init__(self) -> None:
        self.counts = self.members = np.zeros(0, np.int64)
        self.columns: dict[str, pa.ChunkedArray] = {}
        self.kinds: dict[str, NDArray[np.uint8]] = {}
        self.notes: tuple[str, ...] = ()
        self.rows_with_members = 0


def _read_members(table: Table, explode: Explode, rows: Int64Array, wanted: Sequence[str]) -> _Members:
    read = _read_columns if explode.columns else _read_separated if explode.column else _read_lists
    collector = _MemberCollector(explode.member_column, wanted)
    for start in range(0, rows.size, EXPLODE_BLOCK_ROWS):
        collector.add_rows(read(table, explode, rows[start : start + EXPLODE_BLOCK_ROWS], collector))
    return collector.finish(table, explode)


def _read_lists(
    table: Table, explode: Explode, rows: Int64Array, collector: "_MemberCollector"
) -> Iterator[list[tuple[int, Json]]]:
    for row, cell in zip(rows.tolist(), take_rows(table.columns[explode.path], rows).to_pylist(), strict=True):
        value = read_json_cell(cell) if cell else None
        if isinstance(value, list):
            yield list(enumerate(value, 1))
        else:
            if cell:
                collector.other_rows.append(row)
            yield []


def _read_columns(
    table: Table, explode: Explode, rows: Int64Array, _: "_MemberCollector"
) -> Iterator[list[tuple[int, Json]]]:
    cells = [take_rows(table.columns[column], rows).to_pylist() for column in explode.columns]
    for record in zip(*cells, strict=True):
        yield [(number, cell) for number, cell in enumerate(record, 1) if cell.strip()]


def _read_separated(
    table: Table, explode: Explode, rows: Int64Array, _: "_MemberCollector"
) -> Iterator[list[tuple[int, Json]]]:
    for cell in take_rows(table.columns[explode.column], rows).to_pylist():
        parts = (part.strip(" ") for part in cell.split(explode.separator))
        yield list(enumerate(filter(None, parts), 1))


class _MemberCollector:
    """Makes columns of members, a block of rows after the other.

    ``wanted`` are the columns that a mapping names; further keys get one as long as there are not too many.
    """

    def __init__(self, name: str, wanted: Sequence[str]) -> None:
        self._name = name
        self._keys = dict.fromkeys(column[len(name) :].removeprefix(".") for column in wanted)
        self._has_left_out = False
        self._counts: list[int] = []
        self._members: list[int] = []
        self._blocks: list[tuple[int, dict[str, tuple[pa.Array, NDArray[np.uint8] | None]]]] = []
        self.other_rows: list[int] = []
        self._clashes: dict[KeyClash, int] = {}
        self._half_characters = 0
        self._rows_with_members = 0

    def add_rows(self, rows: Iterator[list[tuple[int, Json]]]) -> None:
        """Add a block of rows, each the members that it has, with their numbers."""
        values: list[dict[str, Json]] = []
        for found in rows:
            self._counts.append(len(found) or 1)
            self._rows_with_members += bool(found)
            if not found:
                self._members.append(0)
                values.append({})
            for number, member in found:
                self._members.append(number)
                flat, clashes = _flatten_member(member)
                for clash in clashes:
                    self._clashes[clash] = self._clashes.get(clash, 0) + 1
                values.append(flat)
        present = dict.fromkeys(key for one in values for key in one)
        self._choose_keys(present)
        columns = {}
        for key in (key for key in self._keys if key in present):
            texts, kinds = encode_cells([one.get(key) for one in values])
            made, spelled = _make_texts(texts)
            self._half_characters += spelled
            columns[f"{self._name}.{key}" if key else self._name] = made, kinds
        self._blocks.append((len(values), columns))

    def _choose_keys(self, present: AnyMapping[str, None]) -> None:
        """Give keys a column as long as there are not too many."""
        for key in present:
            if len(self._keys) < MAX_MEMBER_COLUMNS:
                self._keys.setdefault(key)
            elif key not in self._keys:
                self._has_left_out = True

    def finish(self, table: Table, explode: Explode) -> _Members:
        found = _Members()
        found.counts, found.members = np.array(self._counts, np.int64), np.array(self._members, np.int64)
        found.rows_with_members = self._rows_with_members
        for name in dict.fromkeys(name for _, columns in self._blocks for name in columns):
            parts, kinds = [], []
            for count, columns in self._blocks:
                texts, own = columns.get(name, (None, None))
                parts.append(pa.repeat(make_scalar("", pa.string()), count) if texts is None else texts)
                kinds.append(np.zeros(count, np.uint8) if own is None else own)
            found.columns[name] = pa.chunked_array(parts, pa.string())
            whole = np.concatenate(kinds)
            if whole.any():
                found.kinds[name] = whole
        if self.other_rows:
            first = table.describe_row(self.other_rows[0])
            note = f"In {len(self.other_rows):,} of the rows “{explode.path}” is no list; each of them stays one event"
            found.notes = (f"{note} (the first is {first}).",)
        found.notes = (*found.notes, *self._describe_clashes(), *self._describe_half_characters())
        if self._has_left_out:
            note = f"Members have more than {MAX_MEMBER_COLUMNS:,} different keys. The rest have no column here"
            found.notes = (*found.notes, f"{note}; map a key by hand to send it.")
        return found

    def _describe_clashes(self) -> Iterator[str]:
        for clash, count in self._clashes.items():
            column, other = (f"{self._name}.{name}" for name in (clash.column, clash.other))
            yield describe_clash(column, other, format_count(count, "member"), "")

    def _describe_half_characters(self) -> Iterator[str]:
        if self._half_characters:
            yield describe_half_characters(self._half_characters, "members")


def describe_half_characters(count: int, of: str) -> str:
    """A note on texts that hold half of a character, which UTF-8 cannot say."""
    hold = "hold" if count > 1 else "holds"
    return (
        f"{format_count(count, 'value')} of {of} {hold} half of a character: a program cut a text. What is mapped has"
        " its escape, such as \\ud83d, in its place."
    )


def describe_clash(column: str, other: str, where: str, first: str) -> str:
    """A note on two values that have one dotted path: which column has which of them."""
    return (
        f"In {where} “{column}” is the path of two values, as a key with a dot and as a key inside an"
        f" object{first}: column “{column}” has the one with the longest key, “{other}” the other. Map the one that is"
        " meant."
    )


def flatten_member(member: Json) -> dict[str, Json]:
    """The values of a member by their dotted paths; that of one which is no object by an empty one."""
    return _flatten_member(member)[0]


def _flatten_member(member: Json) -> tuple[dict[str, Json], tuple[KeyClash, ...]]:
    if type(member) is not dict:
        return {"": NULL if member is None else member}, ()
    into: dict[str, Json] = {}
    return into, flatten_entries(member, into)


# ── what members share, and what each has of its own ─────────────────────────────────────────────────────────────────


def _give_own_ids(table: Table, mapping: Mapping) -> Table:
    """The table with event ids that members do not share, but for the lines of one order (CONTRACT 2.9, 7.22).

    Each has its row's id and its number behind it. Of two lines of an order that name one product, the later one too.
    """
    column = next((c for c, field in mapping.columns.items() if field == "eventId" and not mapping.is_member(c)), None)
    origin = table.origin
    if column is None or origin is None:
        return table
    is_order = _find_orders(table, mapping)
    repeats = is_order & _find_repeated_products(table, mapping, is_order)
    cells = combine_column(table.columns[column])
    numbered = (origin.members > 0) & (~is_order | repeats)
    own = numbered & (view_numbers(pc.binary_length(cells)) > 0)
    table = replace(table, origin=replace(origin, id_column=column, order_lines=is_order, own_ids=numbered))
    if not own.any():
        return table
    with_numbers = pc.binary_join_element_wise(
        cells, make_array(origin.members).cast(pa.large_string()), make_scalar("-")
    )
    changed = pc.if_else(make_array(own), with_numbers, cells).cast(pa.string())
    notes = table.notes
    if repeats.any():
        first = table.describe_row(int(np.flatnonzero(repeats)[0]))
        count = int(repeats.sum())
        lines = "One line of an order names" if count == 1 else f"{count:,} lines of orders name"
        what = f"{lines} a product that an earlier line of the order names (the first: {first})."
        notes = (*notes, f"{what} Each gets an event id of its own: the order's, and its number.")
    return replace(table.with_column(column, pa.chunked_array([changed])), notes=notes)


def _find_orders(table: Table, mapping: Mapping) -> Mask:
    """The members that are lines of an order."""
    ordered = EventName.ORDERED
    exploded: Mask = (table.origin.members if table.origin is not None else np.zeros(table.rows)) > 0
    if mapping.constants.get("name") is not None:
        return exploded if mapping.constants["name"] == ordered else np.zeros(table.rows, np.bool_)
    column = _name_column(mapping) if mapping.name_columns or "name" in mapping.columns.values() else None
    if column is None:
        return np.zeros(table.rows, np.bool_)
    spellings = [cell for cell, name in mapping.names.items() if name == ordered]
    spellings += [ordered.value] if mapping.names.get(ordered.value, ordered) == ordered else []
    named: Mask = view_numbers(pc.is_in(table.columns[column], value_set=make_array(spellings, pa.string())))
    return exploded & named


def _find_repeated_products(table: Table, mapping: Mapping, is_order: Mask) -> Mask:
    """The lines of orders whose product an earlier line of the same row names."""
    found = np.zeros(table.rows, np.bool_)
    column = next(
        (c for c, field in mapping.columns.items() if field == "data.productId" and mapping.is_member(c)), None
    )
    rows = np.flatnonzero(is_order)
    if table.origin is None or column is None or column not in table.columns or not rows.size:
        return found
    cells = take_rows(table.columns[column], rows)
    codes = view_numbers(cells.dictionary_encode().indices).astype(np.int64)
    keys = table.origin.rows[rows] * (int(codes.max()) + 1) + codes
    _, first = np.unique(keys, return_index=True)
    is_later = np.ones(rows.size, np.bool_)
    is_later[first] = False
    is_later &= view_numbers(pc.binary_length(cells)) > 0
    found[rows[is_later]] = True
    return found


def _merge_columns(table: Table, mapping: Mapping) -> Table:
    """The table with columns of members that have the outer column's cell where a member has none of the field."""
    outer = {field: column for column, field in mapping.columns.items() if not mapping.is_member(column)}
    for column, field in mapping.columns.items():
        if not mapping.is_member(column):
            continue
        if column not in table.columns:
            known = [name for name in table.header if mapping.is_member(name)]
            raise MappingError(f"No member has “{column}”. {suggest_nearest(column, known)}")
        if field in outer:
            own, other = (combine_column(table.columns[name]) for name in (column, outer[field]))
            is_own = pc.greater(pc.binary_length(own), 0)
            merged = pa.chunked_array([pc.if_else(is_own, own, other).cast(pa.string())])
            none = np.zeros(table.rows, np.uint8)
            kinds = np.where(
                view_numbers(is_own), table.cell_kinds.get(column, none), table.cell_kinds.get(outer[field], none)
            )
            table = replace(table.with_column(column, merged), cell_kinds={**table.cell_kinds, column: kinds})
    return table
