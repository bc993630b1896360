"""A table of a workbook's sheet: its header, and the rows below it, read in ``xlsx.py``."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pyarrow as pa

from intempt_core.arrays import Int64Array, make_array
from intempt_core.contract import is_blank, shorten_value
from intempt_core.errors import ReadError, TableTooLarge
from intempt_core.readers.column_store import ColumnWriter
from intempt_core.readers.delimited import MAX_FILLED_CELLS, Dialect
from intempt_core.readers.table_content import (
    CellCountCollector,
    CellCounts,
    FileSource,
    TableContent,
    describe_skipped_rows,
    name_columns,
    note_header_values,
    translate_full_disk,
)
from intempt_core.readers.xlsx import SheetRow, Workbook

SHEET_CHUNK_ROWS, SHEET_CHUNK_CELLS, SHEET_CHUNK_CHARS = 65_536, 1_000_000, 8_000_000
"""Rows of a sheet, cells, and characters of them, that become a chunk of columns together at the most."""


def read_workbook_table(source: FileSource) -> TableContent:
    """Read a sheet: the one that a person named, else the first visible one.

    Raises :class:`ReadError` where the bytes are no workbook that can be read, or the sheet has no header.
    """
    name, options = source.name, source.options
    book = Workbook(source.content, name, source.limits)
    sheet = options.sheet or book.sheets[0]
    rows = book.rows(sheet)
    wanted = options.header_line or 0
    line, first = next((row for row in rows if row[0] >= wanted and not _is_empty_row(row)), (wanted, {}))
    if not first or (wanted and line != wanted):
        raise ReadError(
            f"{name}, sheet “{shorten_value(sheet)}” has no header in row {max(wanted, 1):,}. A table begins with a row"
            " that names its columns. Put the header there, or say which row or sheet it is.",
            line=max(wanted, 1),
        )
    used = Dialect(header_line=line, rows_to_skip=options.rows_to_skip or 0, sheet=sheet)
    given, where = _pad_cells(first, max(first) + 1), f"Row {line:,}"
    notes = list(note_header_values(given, where, line, confirmed=options.is_header_known))
    header, more = name_columns(given, where, line)
    for _ in range(used.rows_to_skip):
        next(rows, None)
    with (
        translate_full_disk(name),
        ColumnWriter(len(header), source.limits, on_disk=source.is_large, moves=True) as writer,
    ):
        lines, cells = _read_columns(rows, writer, len(header), book, source)
        columns, pages = writer.finish()
    return TableContent(
        dialect=used,
        header=header,
        columns=columns,
        lines=lines,
        notes=(*_describe_workbook(book, used, len(lines)), *notes, *more),
        cell_counts=cells,
        sheets=book.sheets,
        mapped_file=pages,
    )


def _is_empty_row(row: SheetRow) -> bool:
    return all(is_blank(cell) for cell in row[1].values())


def _pad_cells(cells: Mapping[int, str], width: int) -> list[str]:
    return [cells.get(column, "") for column in range(width)]


def _read_columns(
    rows: Iterable[SheetRow], writer: ColumnWriter, width: int, book: Workbook, source: FileSource
) -> tuple[Int64Array, CellCounts]:
    """Write the columns of a sheet below its header; the rows' lines, and which are too long. An empty row is none.

    Raises :class:`ReadError` where most cells are empty, or the texts become too many.
    """
    lines: list[int] = []
    cells, long_rows = CellCountCollector(), dict[int, int]()
    some: list[list[str]] = []
    size = chars = 0

    def become_chunk() -> None:
        if some:
            writer.write_chunk([make_array(column, pa.string()) for column in zip(*some, strict=True)], len(some))
        cells.add(long_rows, 0)
        some.clear()
        long_rows.clear()

    for line, row in rows:
        if _is_empty_row((line, row)):
            continue
        wide = max(row) + 1
        if wide > width:
            long_rows[len(lines)] = wide
        lines.append(line)
        source.limits.check_rows(len(lines))
        if len(lines) * width > max(MAX_FILLED_CELLS, book.unpacked_bytes, book.sheet_bytes):
            raise ReadError(
                f"{source.name}, row {line:,}: the header has {width:,} columns, and in too many rows most of them are"
                " empty. See that the header is right, and that no cell far to the right has something in it.",
                line=line,
            )
        some.append(_pad_cells(row, width))
        chars += sum(map(len, row.values()))
        if len(some) == SHEET_CHUNK_ROWS or len(some) * width >= SHEET_CHUNK_CELLS or chars >= SHEET_CHUNK_CHARS:
            size += chars
            chars = 0
            become_chunk()
        if size + chars > source.limits.unpacked_bytes:
            raise TableTooLarge(
                f"{source.name} has {len(source.content):,} bytes and becomes more than {size + chars:,} as text. Up to"
                f" {source.limits.unpacked_bytes:,} are taken. Cut it into several files, or leave columns out."
            )
    become_chunk()
    return np.array(lines, np.int64), cells.finish()


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
