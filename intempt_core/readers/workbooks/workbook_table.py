"""A table of a workbook's sheet: its header, and the rows below it, read in ``xlsx.py``."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice

import numpy as np
import pyarrow as pa

from intempt_core.arrays import Int64Array, make_array
from intempt_core.contract import is_blank, shorten_value
from intempt_core.errors import ReadError, TableTooLarge
from intempt_core.readers.column_store import ColumnWriter
from intempt_core.readers.delimited import MAX_FILLED_CELLS
from intempt_core.readers.dialects.dialect import Dialect
from intempt_core.readers.dialects.header_search import find_header
from intempt_core.readers.dialects.read_options import HIDDEN_ROWS_CHOICES, MERGED_CELLS_CHOICES
from intempt_core.readers.table_content import (
    CellCountCollector,
    CellCounts,
    FileSource,
    TableContent,
    describe_header,
    describe_skipped_rows,
    join_first_three,
    name_columns_of,
    translate_full_disk,
)
from intempt_core.readers.workbooks.merged_cells import SheetRow, fill_down
from intempt_core.readers.workbooks.xlsx import Workbook

SHEET_CHUNK_ROWS, SHEET_CHUNK_CELLS, SHEET_CHUNK_CHARS = 65_536, 1_000_000, 8_000_000
"""Rows of a sheet, cells, and characters of them, that become a chunk of columns together at the most."""

_SAMPLE_ROWS = 100
"""Rows at the beginning of a sheet among which its header is looked for."""


def read_workbook_table(source: FileSource) -> TableContent:
    """Read a sheet: the one that a person named, else the first visible one.

    Raises :class:`ReadError` where the bytes are no workbook that can be read, or the sheet has no header.
    """
    name, options = source.name, source.options
    book = Workbook(source.content, name, source.limits)
    sheet = options.sheet or book.sheets[0]
    rows = book.rows(sheet)
    wanted = options.header_line or 0
    sample = [row for row in islice(rows, _SAMPLE_ROWS + wanted) if row.number >= wanted and not _is_empty_row(row)]
    if not sample or (wanted and sample[0].number != wanted):
        raise ReadError(
            f"{name}, sheet “{shorten_value(sheet)}” has no header in row {max(wanted, 1):,}. A table begins with a row"
            " that names its columns. Put the header there, or say which row or sheet it is.",
            line=max(wanted, 1),
        )
    found = find_header([(row.number, _pad_cells(row.cells, max(row.cells) + 1)) for row in sample], options)
    used = Dialect(
        header_line=found.line,
        rows_to_skip=options.rows_to_skip or 0,
        sheet=sheet,
        no_header=found.is_row,
        hidden_rows=options.hidden_rows or HIDDEN_ROWS_CHOICES[0],
        merged_cells=options.merged_cells or MERGED_CELLS_CHOICES[0],
    )
    first = next(row.cells for row in sample if row.number == found.line)
    given, where = _pad_cells(first, max(first) + 1), f"Row {found.line:,}"
    header, notes = name_columns_of(given, where, used)
    above = found.line - found.is_row
    below: Iterable[SheetRow] = chain((row for row in sample if row.number > above), rows)
    if used.merged_cells == "fill":
        below = fill_down(below, book.find_merged_ranges(sheet), above)
    hidden = _HiddenRows(below, is_excluded=used.hidden_rows == "exclude")
    rows = iter(hidden)
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
        notes=(
            *_describe_workbook(book, used, len(lines)),
            *hidden.describe(),
            *_describe_merged_cells(book, used, above),
            *_describe_zeros(book, header),
            *notes,
        ),
        cell_counts=cells,
        sheets=book.sheets,
        mapped_file=pages,
    )


def _is_empty_row(row: SheetRow) -> bool:
    return all(is_blank(cell) for cell in row.cells.values())


class _HiddenRows:
    """Rows of a sheet, of which those that are hidden are counted, or left out."""

    def __init__(self, rows: Iterable[SheetRow], *, is_excluded: bool) -> None:
        self._rows, self._is_excluded = rows, is_excluded
        self._count = self._first = 0

    def __iter__(self) -> Iterator[SheetRow]:
        for row in self._rows:
            if row.is_hidden and not _is_empty_row(row):
                self._first = self._first or row.number
                self._count += 1
                if self._is_excluded:
                    continue
            yield row

    def describe(self) -> Iterator[str]:
        """What became of them, as a note."""
        if not self._count:
            return
        one = self._count == 1
        which = "One row is" if one else f"{self._count:,} rows are"
        where = f"row {self._first:,}" if one else f"the first is row {self._first:,}"
        hidden = f"{which} hidden in the sheet, by a filter or by a person ({where}),"
        if self._is_excluded:
            yield f"{hidden} and {'was' if one else 'were'} left out, as you said."
        else:
            read = f"{hidden} and {'was' if one else 'were'} read."
            yield f"{read} Hidden rows can be left out: “exclude” (--hidden-rows exclude)."


def _describe_merged_cells(book: Workbook, used: Dialect, above: int) -> Iterator[str]:
    merged = [one for one in book.merged_ranges if one.last_row > above]
    if not merged:
        return
    names = join_first_three([one.name for one in merged])
    down = sum(one.last_row > one.first_row for one in merged)
    if used.merged_cells == "fill" and down:
        yield f"Cells are merged ({names}): rows below the first one of each were given its value, as you said."
    elif down:
        yield (
            f"Cells are merged ({names}): only the first one of each has its value, the others are empty. The value can"
            " be given to the rows below: “fill” (--merged-cells fill)."
        )
    else:
        yield f"Cells are merged ({names}): only the first column of each has its value, the others are empty."


def _describe_zeros(book: Workbook, header: Sequence[str]) -> Iterator[str]:
    shown = [(header[column], cell) for column, cell in book.zero_examples.items() if column < len(header)]
    if shown:
        columns = join_first_three([column for column, _ in shown])
        yield f"Numbers were read with the zeros that their format shows, such as “{shown[0][1]}”: column {columns}."


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

    for row in rows:
        if _is_empty_row(row):
            continue
        line, given = row.number, row.cells
        wide = max(given) + 1
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
        some.append(_pad_cells(given, width))
        chars += sum(map(len, given.values()))
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
        others = [name for name in book.sheets if name != used.sheet]
        sheet = f"Sheet “{shorten_value(used.sheet)}” of {len(book.sheets):,}"
        yield f"{sheet} was read; not read: {join_first_three(others)}."
    yield from describe_header(used, "row")
    yield from describe_skipped_rows(used)
    if book.formulas_without_value:
        one = book.formulas_without_value == 1
        yield (
            f"{'One formula has' if one else f'{book.formulas_without_value:,} formulas have'} no value in the file and"
            f" {'was' if one else 'were'} read as empty: open it in Excel and save it, so that it works them out."
        )
    if not rows:
        yield "There is a header and no row."
