"""Rows that repeat an earlier one in every cell, where event ids are made (CONTRACT 7.14).

Made ids tell equal rows apart by their number, so that each is an event of its own: what was put into a file
twice is sent twice. So it is said, and a person decides.
"""

from collections.abc import Callable

import numpy as np
import pyarrow.compute as pc

from intempt_core.arrays import (
    HashArray,
    Int64Array,
    combine_column,
    find_colliding_rows,
    hash_texts,
    mix_hashes,
    take_rows,
    view_numbers,
)
from intempt_core.mapping import RESERVED_COLUMNS
from intempt_core.readers import Table
from intempt_core.validation.row_issues import Finding
from intempt_core.validation.text_column import to_mask

REPEAT_BLOCK_ROWS = 1 << 18
"""Rows that are looked at together."""

SAMPLE_ROWS = 20_000
"""Rows by which it is judged which column tells rows apart."""


def report_row_repeats(table: Table) -> Finding:
    """Find the rows that equal an earlier one in every cell; a row without a filled cell is none."""
    origin = table.origin
    rows, firsts = find_row_repeats(table if origin is None else origin.table)
    if origin is not None:  # a row that is several events repeats with all of them
        first_of = np.full(origin.table.rows, -1)
        first_of[rows] = firsts
        rows = np.flatnonzero(first_of[origin.rows] >= 0)
        return Finding(
            "row_repeated", rows, "", _describe_repeats(first_of[origin.rows[rows]], origin.table.describe_row)
        )
    return Finding("row_repeated", rows, "", _describe_repeats(firsts, table.describe_row))


def _describe_repeats(firsts: Int64Array, describe_row: Callable[[int], str]) -> Callable[[int], str]:
    def describe(index: int) -> str:
        first = describe_row(int(firsts[index]))
        return f"It equals {first} in every cell. Exclude it, unless it happened as often as it is there."

    return describe


def find_row_repeats(table: Table) -> tuple[Int64Array, Int64Array]:
    """The rows (sorted) that equal an earlier one in every cell, and beside each the first row that it equals.

    The column that tells most rows apart is looked at first, the others only in the rows that it does not tell apart.
    """
    header = _sort_columns(table, [column for column in table.header if column not in RESERVED_COLUMNS])
    hashes = _hash_column(table, header[0]) if header else np.zeros(0, np.uint64)
    some = find_colliding_rows(hashes)
    hashes = hashes[some]
    for column in header[1:]:
        hashes = mix_hashes(hashes, hash_texts(take_rows(table.columns[column], some)))
        table.release_memory()
    left = find_colliding_rows(hashes)
    some, hashes = some[left], hashes[left]
    _, first_index, group = np.unique(hashes, return_index=True, return_inverse=True)
    firsts = some[first_index[group]]  # sorted by row, so that the first of a hash is the first row
    later = firsts < some
    rows, firsts = some[later], firsts[later]
    same, filled = np.ones(rows.size, np.bool_), np.zeros(rows.size, np.bool_)
    for column in header:
        cells = take_rows(table.columns[column], rows)
        same &= to_mask(pc.equal(cells, take_rows(table.columns[column], firsts)))
        filled |= view_numbers(pc.binary_length(cells)) > 0
    table.release_memory()
    return (rows[filled], firsts[filled]) if same.all() else _compare_cells(table, header, some)


def _sort_columns(table: Table, header: list[str]) -> list[str]:
    """The columns, those first that have most different cells at the beginning of the table."""
    sample = min(table.rows, SAMPLE_ROWS)
    different = {
        column: np.unique(hash_texts(combine_column(table.columns[column].slice(0, sample)))).size for column in header
    }
    return sorted(header, key=lambda column: -different[column])


def _hash_column(table: Table, column: str) -> HashArray:
    found = np.zeros(table.rows, np.uint64)
    for start in range(0, table.rows, REPEAT_BLOCK_ROWS):
        array = combine_column(table.columns[column].slice(start, REPEAT_BLOCK_ROWS))
        found[start : start + len(array)] = hash_texts(array)
        table.release_memory()
    return found


def _compare_cells(table: Table, header: list[str], some: Int64Array) -> tuple[Int64Array, Int64Array]:
    """The same where two different rows share a hash, which hardly ever happens: by their cells."""
    seen: dict[tuple[str, ...], int] = {}
    cells = zip(*(take_rows(table.columns[column], some).to_pylist() for column in header), strict=True)
    firsts = np.array(
        [seen.setdefault(row, number) for number, row in zip(some.tolist(), cells, strict=True)], np.int64
    )
    empty = seen.get(("",) * len(header), -1)
    later = (firsts < some) & (firsts != empty)
    return some[later], firsts[later]
