"""Members of rows: what of a row becomes several events, and their columns, a block of rows after the other."""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as AnyMapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from intempt_core.arrays import Int64Array, make_scalar, take_rows
from intempt_core.contract import Json, format_count
from intempt_core.mapping.derived_columns import (
    EXPLODE_BLOCK_ROWS,
    describe_half_characters,
    make_texts,
    read_json_cell,
)
from intempt_core.mapping.explode import Explode
from intempt_core.readers import (
    NULL,
    KeyClash,
    Table,
    encode_cells,
    flatten_entries,
)

MAX_MEMBER_COLUMNS = 256
"""Keys of members that get a column."""


class Members:
    """The members of all rows: how many each row has, their numbers, and their columns."""

    def __init__(self) -> None:
        self.counts = self.members = np.zeros(0, np.int64)
        self.columns: dict[str, pa.ChunkedArray] = {}
        self.kinds: dict[str, NDArray[np.uint8]] = {}
        self.notes: tuple[str, ...] = ()
        self.rows_with_members = 0


def read_members(table: Table, explode: Explode, rows: Int64Array, wanted: Sequence[str]) -> Members:
    """The members of those rows, in order; ``wanted`` are the columns of members that a mapping names."""
    read = _read_columns if explode.columns else _read_separated if explode.column else _read_lists
    collector = MemberCollector(explode.member_column, wanted)
    for start in range(0, rows.size, EXPLODE_BLOCK_ROWS):
        collector.add_rows(read(table, explode, rows[start : start + EXPLODE_BLOCK_ROWS], collector))
    return collector.finish(table, explode)


def _read_lists(
    table: Table, explode: Explode, rows: Int64Array, collector: "MemberCollector"
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
    table: Table, explode: Explode, rows: Int64Array, _: "MemberCollector"
) -> Iterator[list[tuple[int, Json]]]:
    cells = [take_rows(table.columns[column], rows).to_pylist() for column in explode.columns]
    for record in zip(*cells, strict=True):
        yield [(number, cell) for number, cell in enumerate(record, 1) if cell.strip()]


def _read_separated(
    table: Table, explode: Explode, rows: Int64Array, _: "MemberCollector"
) -> Iterator[list[tuple[int, Json]]]:
    for cell in take_rows(table.columns[explode.column], rows).to_pylist():
        parts = (part.strip(" ") for part in cell.split(explode.separator))
        yield list(enumerate(filter(None, parts), 1))


class MemberCollector:
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
            made, spelled = make_texts(texts)
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

    def finish(self, table: Table, explode: Explode) -> Members:
        found = Members()
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
