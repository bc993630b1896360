"""Columns that a mapping names and a file does not have by itself (CONTRACT 7.20).

An object of JSON lines as a whole, a key of JSON in a cell, a name that several columns make together.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from intempt_core.arrays import combine_column, make_array, make_scalar
from intempt_core.contract import Json, format_count, suggest_nearest
from intempt_core.errors import MappingError
from intempt_core.mapping.model import Mapping
from intempt_core.readers import (
    NULL,
    PATH_SEPARATOR,
    Table,
    encode_cells,
    flatten_value,
    parse_exactly,
    spell_half_characters,
)

EXPLODE_BLOCK_ROWS = 16_384
"""Rows whose members are read together."""

NAME_SEPARATOR = " / "
"""What stands between the cells of several name columns."""


def add_derived_columns(table: Table, mapping: Mapping) -> Table:
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
        made, spelled = make_texts(texts)
        parts.append(made)
        half_characters += spelled
        if own is not None:
            kinds[start : start + own.size] = own
    return pa.chunked_array(parts, pa.string()), kinds if kinds.any() else None, half_characters


def make_texts(texts: Sequence[str]) -> tuple[pa.Array, int]:
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


def describe_half_characters(count: int, of: str) -> str:
    """A note on texts that hold half of a character, which UTF-8 cannot say."""
    hold = "hold" if count > 1 else "holds"
    return (
        f"{format_count(count, 'value')} of {of} {hold} half of a character: a program cut a text. What is mapped has"
        " its escape, such as \\ud83d, in its place."
    )
