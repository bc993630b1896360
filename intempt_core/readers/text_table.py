"""A table of text: the delimiter, the header and the rows of CSV and its like.

What a person did not say is guessed from the first rows, and noted. Rows are read in ``delimited.py``.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from intempt_core.contract import is_blank, shorten_value
from intempt_core.errors import ReadError
from intempt_core.readers.column_store import ColumnWriter
from intempt_core.readers.delimited import read_row_blocks
from intempt_core.readers.dialects.dialect import Dialect
from intempt_core.readers.dialects.header_search import NumberedRecord, find_header
from intempt_core.readers.dialects.read_options import DELIMITER_NAMES, ReadOptions
from intempt_core.readers.dialects.records import RecordReader, TextRecord, reject_malformed_header
from intempt_core.readers.dialects.swallowed_lines import SwallowedLineJudge
from intempt_core.readers.encoding import SAMPLE_BYTES, find_line_number
from intempt_core.readers.formats import CSV
from intempt_core.readers.mapped_file import FileBytes, find_byte, release_pages
from intempt_core.readers.table_content import (
    CellCountCollector,
    FileSource,
    TableContent,
    count_used_columns,
    describe_encoding,
    describe_header,
    describe_skipped_rows,
    name_columns_of,
    take_first_columns,
    translate_full_disk,
)

_SAMPLE_RECORDS = 100
_QUOTE_SAMPLE_ROWS = 20
_SEPARATOR_LINE = re.compile(rb"sep=([,;\t|])(?:\r\n?|\n|\Z)", re.IGNORECASE)


def read_text_table(source: FileSource) -> TableContent:
    """Read a table of text. Raises :class:`ReadError` where it has no header, or a quote is never closed."""
    text, name = source.content, source.name
    used = _choose_dialect(text[:SAMPLE_BYTES], source.encoding, source.options)
    _check_dialect(used)
    given, records = read_header_record(text, used, name)
    where = f"Line {used.header_line:,}"
    width = len(name_columns_of(given, where, used)[0])
    judge = SwallowedLineJudge(text, records.at, used.delimiter, used.quote, width)
    records = RecordReader(text, records.at, records.line, used, width=width, judge=judge)
    _skip_rows(records, used.rows_to_skip)
    lines = [np.empty(0, np.int64)]
    cells, malformed = CellCountCollector(), CellCountCollector()
    blank, first_blank, rows, trimmed = 0, 0, 0, 0
    with (
        translate_full_disk(name),
        ColumnWriter(width, source.limits, on_disk=source.is_large) as writer,
    ):
        for part in read_row_blocks(text, records.at, records.line, used, width, judge=judge):
            source.limits.check_rows(rows + len(part.lines) + blank + len(part.blank_lines))
            writer.write(part.columns)
            cells.add(part.cell_counts, rows)
            malformed.add(part.malformed_quotes, rows)
            trimmed += part.trimmed_rows
            if len(part.blank_lines):
                first_blank = first_blank or int(part.blank_lines[0])
                blank += len(part.blank_lines)
            lines.append(part.lines)
            rows += len(part.lines)
            release_pages(text)
            source.on_progress(part.end, len(text))
        columns, pages = writer.finish()
    used_columns = width if used.no_header else count_used_columns(given, columns)
    header, notes = name_columns_of(given[:used_columns], where, used)
    return TableContent(
        dialect=used,
        header=header,
        columns=take_first_columns(columns, used_columns),
        lines=np.concatenate(lines),
        notes=(
            *_describe_reading(text, used, blank, first_blank, rows),
            *_describe_other_quote(text, used, take_first_columns(columns, used_columns)),
            *_describe_trimmed(trimmed, rows),
            *notes,
        ),
        cell_counts=cells.finish().narrow(used_columns, width),
        malformed_quotes=malformed.finish(),
        mapped_file=pages,
    )


def _choose_dialect(head: bytes, encoding: str, options: ReadOptions) -> Dialect:
    """What a person said, and for the rest what the first rows show."""
    given = {name: value for name, value in options.to_json().items() if name in CSV.options and name != "encoding"}
    if options.delimiter is not None and options.header_line is not None:
        return replace(Dialect(encoding), **given)
    return replace(guess_dialect(head, encoding, options), **given)


def guess_dialect(head: bytes, encoding: str, options: ReadOptions | None = None) -> Dialect:
    """The delimiter that cuts the first rows most evenly, and the line of the header, or that there is none."""
    said = options or ReadOptions()
    separator = _SEPARATOR_LINE.match(head)  # a line that Excel writes, and obeys when it reads
    at, line = (separator.end(), 2) if separator else (0, 1)
    delimiters: Sequence[str] = tuple(DELIMITER_NAMES)
    if said.delimiter is not None or separator:
        delimiters = (said.delimiter or (separator[1].decode() if separator else ","),)
    quote = '"' if said.quote is None else said.quote
    found = []
    for delimiter in delimiters:
        sample = Dialect(encoding, delimiter, quote)
        reader = RecordReader(head, at, line, sample)
        reader.skip_lines((said.header_line or 1) - line)
        records = _sample_records(reader)
        header = find_header(records, said)
        found.append((header.evenness, Dialect(encoding, delimiter, header_line=header.line, no_header=header.is_row)))
    return max(found, key=lambda one: one[0])[1]


def _sample_records(reader: RecordReader) -> list[NumberedRecord]:
    """The first records that are not blank."""
    records: list[NumberedRecord] = []
    while reader.at < reader.size and len(records) < _SAMPLE_RECORDS:
        line = reader.line
        try:
            cells = reader.read_record().cells
        except ReadError:  # a line that is too large is rejected where it is read
            break
        if not all(map(is_blank, cells)):
            records.append((line, cells))
    return records


def _check_dialect(dialect: Dialect) -> None:
    for what, character in (("delimiter", dialect.delimiter), ("quote", dialect.quote or " ")):
        if len(character) != 1 or not (character.isprintable() or character == "\t"):
            raise ReadError(
                f"The {what} is “{shorten_value(character)}”. It is one visible character, or a tab. "
                "Choose one, such as a comma or a quote."
            )
    if dialect.rows_to_skip < 0:
        raise ReadError(f"{dialect.rows_to_skip:,} rows after the header cannot be skipped. Say 0, or more.")
    if dialect.delimiter == dialect.quote:
        raise ReadError(f"Delimiter and quote are both “{dialect.quote}”. They must differ. Choose another for one.")


def read_header_record(text: FileBytes, dialect: Dialect, name: str) -> tuple[list[str], RecordReader]:
    """The cells of the header, or of the first row where there is none, and what reads the rows."""
    records = RecordReader(text, 0, 1, dialect)
    records.skip_lines(dialect.header_line - 1)
    line, at = records.line, records.at
    header = records.read_record() if at < len(text) else TextRecord([], at)
    if line != dialect.header_line or all(is_blank(cell) for cell in header.cells):
        raise ReadError(
            f"{name} has no header in line {dialect.header_line:,}. A table begins with a line that names its columns. "
            "Put the header there, or say which line it is.",
            line=dialect.header_line,
        )
    if dialect.no_header:
        records.at, records.line = at, line
        return header.cells, records
    reject_malformed_header(header, line)
    return header.cells, records


def _skip_rows(records: RecordReader, count: int) -> None:
    """Skip so many rows; blank lines are none."""
    while count and not records.is_at_end:
        count -= bool(records.read_record().cells)


def _describe_trimmed(trimmed: int, rows: int) -> Iterator[str]:
    if trimmed:
        which = "Every row has" if trimmed == rows else "One row has" if trimmed == 1 else f"{trimmed:,} rows have"
        yield f"{which} an empty cell too many at the end, which was left out."


def _describe_other_quote(text: FileBytes, dialect: Dialect, columns: Sequence[pa.ChunkedArray]) -> Iterator[str]:
    """A note on cells that stand in another quote than the one that they were read by."""
    if dialect.quote == "'" or b"'" not in text[:SAMPLE_BYTES]:
        return
    first = [cells.slice(0, _QUOTE_SAMPLE_ROWS).to_pylist() for cells in columns]
    if any(len(given := [cell for cell in cells if cell]) > 1 and all(map(_is_quoted, given)) for cells in first):
        yield (
            "Cells stand in single quotes ('), which stay a part of them. Where they are only around the cells, read"
            ' the file with that quote: --quote "\'".'
        )


def _is_quoted(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == cell[-1] == "'"


def _describe_reading(text: FileBytes, dialect: Dialect, blank: int, first_blank: int, rows: int) -> Iterator[str]:
    yield from describe_encoding(dialect.encoding)
    if dialect.delimiter != ",":
        named = DELIMITER_NAMES.get(dialect.delimiter)
        yield f"Cells are separated by {f'{named}s' if named else f'“{dialect.delimiter}”'}."
    yield from describe_header(dialect, "line")
    yield from describe_skipped_rows(dialect)
    if blank:
        lines = "One blank line was" if blank == 1 else f"{blank:,} blank lines were"
        yield f"{lines} skipped, the first is line {first_blank:,}."
    nul = find_byte(b"\0", text)
    if nul >= 0:
        yield f"Line {find_line_number(text, nul):,} holds a NUL character, which belongs to its cell."
    if not rows:
        yield "There is a header and no row."
