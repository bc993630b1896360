"""A table of a workbook's sheet: its header, and the rows below it, read in ``xlsx.py``."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pyarrow as pa

from intempt_core.arrays import Int64Array, make_array
from intempt_core.contract import is_blank, shorten_value
from intempt_core.errors import ReadError
from intempt_core.readers.delimited import MAX_FILLED_CELLS, Dialect
from intempt_core.readers.table_content import (
    FileSource,
    TableContent,
    describe_skipped_rows,
    name_columns,
    note_header_values,
)
from intempt_core.readers.xlsx import SheetRow, Workbook

SHEET_CHUNK_ROWS = 65_536
"""Rows of a sheet that become a chunk of columns together."""


def read_workbook_table(source: FileSource) -> TableContent:
    """Read a sheet: the one that a person named, else the first visible one.

    Raises :class:`ReadError` where the bytes are no workbook that can be read, or the sheet has no header.
    """
    name, dialect = source.name, source.dialect
    book = Workbook(source.content[:], name)
    sheet = (dialect.sheet if dialect else "") or book.sheets[0]
    rows = book.rows(sheet)
    wanted = dialect.header_line if dialect else 0
    line, first = next((row for row in rows if row[0] >= wanted and not _is_empty_row(row)), (wanted, {}))
    if not first or (wanted and line != wanted):
        raise ReadError(
            f"{name}, sheet “{shorten_value(sheet)}” has no header in row {max(wanted, 1):,}. A table begins with a row"
            " that names its columns. Put the header there, or say which row or sheet it is.",
            line=max(wanted, 1),
        )
    used = Dialect(header_line=line, skip=dialect.skip if dialect else 0, sheet=sheet)
    given, where = _pad_cells(first, max(first) + 1), f"Row {line:,}"
    notes = list(note_header_values(given, where, line, confirmed=wanted > 0))
    header, more = name_columns(given, where, line)
    for _ in range(used.skip):
        next(rows, None)
    columns, lines, cells = _read_columns(rows, len(header), book, name)
    return TableContent(
        dialect=used,
        header=header,
        columns=columns,
        lines=lines,
        notes=(*_describe_workbook(book, used, len(lines)), *notes, *more),
        cell_counts=cells,
        sheets=book.sheets,
    )


def _is_empty_row(row: SheetRow) -> bool:
    return all(is_blank(cell) for cell in row[1].values())


def _pad_cells(cells: Mapping[int, str], width: int) -> list[str]:
    return [cells.get(column, "") for column in range(width)]


def _read_columns(
    rows: Iterable[SheetRow], width: int, book: Workbook, name: str
) -> tuple[list[pa.ChunkedArray], Int64Array, dict[int, int]]:
    """The columns, lines and long rows of a sheet below its header. A row of nothing is none."""
    chunks: list[list[pa.Array]] = [[] for _ in range(width)]
    lines: list[int] = []
    cells: dict[int, int] = {}
    some: list[list[str]] = []

    def become_chunks() -> None:
        for chunk, column in zip(chunks, zip(*some, strict=True), strict=False):
            chunk.append(make_array(column, pa.string()))
        some.clear()

    for line, row in rows:
        if _is_empty_row((line, row)):
            continue
        wide = max(row) + 1
        if wide > width:
            cells[len(lines)] = wide
        lines.append(line)
        if len(lines) * width > max(MAX_FILLED_CELLS, book.unpacked_bytes, book.sheet_bytes):
            raise ReadError(
                f"{name}, row {line:,}: the header has {width:,} columns, and in too many rows most of them are empty."
                " See that the header is right, and that no cell far to the right has something in it.",
                line=line,
            )
        some.append(_pad_cells(row, width))
        if len(some) == SHEET_CHUNK_ROWS:
            become_chunks()
    become_chunks()
    return [pa.chunked_array(chunk, pa.string()) for chunk in chunks], np.array(lines, np.int64), cells


def _describe_workbook(book: Workbook, used: Dialect, rows: int) -> Iterator[str]:
    if len(book.sheets) > 1:
        yield f"Sheet “{shorten_value(used.sheet)}” of {len(book.sheets):,} was read."
    if used.header_line > 1:
        yield f"The header is row {used.header_line:,}; what is above it was not read."
    yield from describe_skipped_rows(used)
    if book.formulas_without_value:
        one = book.formulas_without_value == 1
        yield (
            f"{'One formula has' if one else f'{book.formulas_without_value:,} formulas have'} no value in the file and"
            f" {'was' if one else 'were'} read as empty: open it in Excel and save it, so that it works them out."
        )
    if not rows:
        yield "There is a header and no row."
