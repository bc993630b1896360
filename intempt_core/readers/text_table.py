"""A table of text: the delimiter, the header and the rows of CSV and its like.

What a person did not say is guessed from the first rows, and noted. Rows are read in ``delimited.py``.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from intempt_core.contract import is_blank, shorten_value
from intempt_core.errors import ReadError
from intempt_core.readers.column_store import ColumnWriter
from intempt_core.readers.delimited import (
    Dialect,
    LineReader,
    read_csv_records,
    read_row_blocks,
    reject_unclosed_quote,
)
from intempt_core.readers.dialects.read_options import DELIMITER_NAMES, ReadOptions
from intempt_core.readers.encoding import SAMPLE_BYTES, find_line_number
from intempt_core.readers.formats import CSV
from intempt_core.readers.mapped_file import FileBytes, find_byte, release_pages
from intempt_core.readers.table_content import (
    CellCountCollector,
    FileSource,
    TableContent,
    describe_encoding,
    describe_skipped_rows,
    name_columns,
    note_header_values,
    translate_full_disk,
)

_SEPARATOR_LINE = re.compile(rb"sep=([,;\t|])(?:\r\n?|\n|\Z)", re.IGNORECASE)


def read_text_table(source: FileSource) -> TableContent:
    """Read a table of text. Raises :class:`ReadError` where it has no header, or a quote is never closed."""
    text, name = source.content, source.name
    used = _choose_dialect(text[:SAMPLE_BYTES], source.encoding, source.options)
    _check_dialect(used)
    given, end, next_line = _read_header_record(text, used, name)
    where = f"Line {used.header_line:,}"
    notes = list(note_header_values(given, where, used.header_line, confirmed=source.options.is_header_known))
    header, more = name_columns(given, where, used.header_line)
    width = len(header)
    lines = [np.empty(0, np.int64)]
    cells = CellCountCollector()
    blank, first_blank, rows = 0, 0, 0
    with (
        translate_full_disk(name),
        ColumnWriter(width, source.limits, on_disk=source.is_large) as writer,
    ):
        for part in read_row_blocks(text, end, next_line, used, width):
            source.limits.check_rows(rows + len(part.lines) + blank + len(part.blank_lines))
            writer.write(part.columns)
            cells.add(part.cell_counts, rows)
            if len(part.blank_lines):
                first_blank = first_blank or int(part.blank_lines[0])
                blank += len(part.blank_lines)
            lines.append(part.lines)
            rows += len(part.lines)
            release_pages(text)
            source.on_progress(part.end, len(text))
        columns, pages = writer.finish()
    return TableContent(
        dialect=used,
        header=header,
        columns=columns,
        lines=np.concatenate(lines),
        notes=(*_describe_reading(text, used, blank, first_blank, rows), *notes, *more),
        cell_counts=cells.finish(),
        mapped_file=pages,
    )


def _choose_dialect(head: bytes, encoding: str, options: ReadOptions) -> Dialect:
    """What a person said, and for the rest what the first rows show."""
    guessed = _guess_dialect(head, encoding)
    given = {name: value for name, value in options.to_json().items() if name in CSV.options and name != "encoding"}
    return replace(guessed, **given)


def _guess_dialect(head: bytes, encoding: str) -> Dialect:
    """The delimiter that cuts the first rows most evenly; the header is the first line that is not blank."""
    lines = LineReader(head, 0, 1)
    separator = _SEPARATOR_LINE.match(head)  # a line that Excel writes, and obeys when it reads
    if separator:
        next(lines)
    header_line = lines.line
    for line in lines:
        if not is_blank(line):
            break
        header_line = lines.line
    else:
        header_line = 1
    if separator:
        return Dialect(encoding, separator[1].decode(), header_line=header_line)
    scores = {}
    for delimiter in DELIMITER_NAMES:
        sample = Dialect(encoding, delimiter, header_line=header_line)
        records = LineReader(head, 0, 1)
        for _ in range(header_line - 1):
            next(records)
        widths = [len(cells) for cells, _ in zip(read_csv_records(records, sample), range(50), strict=False) if cells]
        wide = widths[:1] > [1]
        scores[delimiter] = (wide, wide and widths.count(widths[0]) / len(widths), widths[:1])
    return Dialect(encoding, max(DELIMITER_NAMES, key=scores.__getitem__), header_line=header_line)


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


def _read_header_record(text: FileBytes, dialect: Dialect, name: str) -> tuple[list[str], int, int]:
    """The header's cells, and offset and line of what follows them."""
    lines = LineReader(text, 0, 1)
    while lines.line < dialect.header_line and next(lines, None) is not None:
        lines.begin_record()
    line = lines.line
    cells = lines.next_record(read_csv_records(lines, dialect), [])
    reject_unclosed_quote(lines, cells)
    if line != dialect.header_line or all(is_blank(cell) for cell in cells):
        raise ReadError(
            f"{name} has no header in line {dialect.header_line:,}. A table begins with a line that names its columns. "
            "Put the header there, or say which line it is.",
            line=dialect.header_line,
        )
    skipped, records = 0, read_csv_records(lines, dialect)
    while skipped < dialect.rows_to_skip and lines.at < len(text):
        record = lines.next_record(records, [])
        reject_unclosed_quote(lines, record)
        skipped += bool(record)
    return cells, lines.at, lines.line


def _describe_reading(text: FileBytes, dialect: Dialect, blank: int, first_blank: int, rows: int) -> Iterator[str]:
    yield from describe_encoding(dialect.encoding)
    if dialect.delimiter != ",":
        named = DELIMITER_NAMES.get(dialect.delimiter)
        yield f"Cells are separated by {f'{named}s' if named else f'“{dialect.delimiter}”'}."
    if dialect.header_line > 1:
        yield f"The header is line {dialect.header_line:,}; what is above it was not read."
    yield from describe_skipped_rows(dialect)
    if blank:
        lines = "One blank line was" if blank == 1 else f"{blank:,} blank lines were"
        yield f"{lines} skipped, the first is line {first_blank:,}."
    nul = find_byte(b"\0", text)
    if nul >= 0:
        yield f"Line {find_line_number(text, nul):,} holds a NUL character, which belongs to its cell."
    if not rows:
        yield "There is a header and no row."
