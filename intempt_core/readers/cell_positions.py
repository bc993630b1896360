"""Where cells and values are in a file's text, as a person counts: line and column, in characters from 1.

A table keeps on which line each row begins. Where in it a cell is, and on which line where quoted cells have line
breaks, is looked up in the file itself for the few that somebody asks about.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from intempt_core.contract import Place, escape_pointer_key
from intempt_core.errors import ReadError
from intempt_core.readers.dialects.dialect import Dialect
from intempt_core.readers.dialects.read_options import ReadOptions
from intempt_core.readers.dialects.records import BYTES_LINE_END, RecordReader
from intempt_core.readers.dialects.swallowed_lines import SwallowedLineJudge
from intempt_core.readers.formats import CSV, JSON_LINES, JSON_LIST
from intempt_core.readers.json_cells import PATH_SEPARATOR
from intempt_core.readers.json_text.json_positions import TEXT_LINE_END, JsonText
from intempt_core.readers.mapped_file import FileBytes
from intempt_core.readers.table import READ_LIMITS, Table, open_source
from intempt_core.readers.text_table import read_header_record

MAX_LIST_BYTES = 50_000_000
"""Bytes of a JSON list in which values are looked up: it is read whole for that."""


@dataclass(frozen=True, slots=True)
class TextPosition:
    """Where something is in a text.

    Attributes:
        line: The physical line, from 1.
        column: The character in it, from 1; ``None`` where only the line is known.
    """

    line: int
    column: int | None = None


def locate_cells(data: bytes | Path, table: Table, places: Sequence[Place]) -> list[TextPosition | None]:
    """Look up the positions of places of a table in the file that it was read from.

    There is none for a place without a line, in a format without lines, and where the file has changed meanwhile; of a
    cell that is not found there is the line alone. ``table`` is as it was read, or as rows became several events.
    Raises :class:`ReadError` where the file cannot be read.
    """
    read = table if table.origin is None else table.origin.table
    nothing: list[TextPosition | None] = [None] * len(places)
    if read.format not in (CSV, JSON_LINES, JSON_LIST) or all(place.line is None for place in places):
        return nothing
    options = read.dialect if read.format is CSV else ReadOptions(encoding=read.dialect.encoding)
    with open_source(data, read.name, options, READ_LIMITS, documents=False) as opened:
        if opened.digest.result() != read.digest:
            return nothing
        text = opened.source.content
        if read.format is JSON_LIST:
            return [*_locate_in_list(text, places)] if len(text) <= MAX_LIST_BYTES else nothing
        starts = _find_line_starts(text, {place.line for place in places if place.line is not None})
        if read.format is JSON_LINES:
            return [*_locate_in_lines(text, starts, places)]
        return [*_locate_in_records(text, starts, read, places)]


def _find_line_starts(text: FileBytes, lines: set[int]) -> dict[int, int]:
    """The offsets at which some lines begin."""
    last, starts = max(lines, default=1), {1: 0}
    for number, ended in enumerate(BYTES_LINE_END.finditer(text), 2):
        if number in lines:
            starts[number] = ended.end()
        if number >= last:
            break
    return starts


# ── delimited text ───────────────────────────────────────────────────────────────────────────────────────────────────


def _locate_in_records(
    text: FileBytes, starts: dict[int, int], table: Table, places: Sequence[Place]
) -> Iterator[TextPosition | None]:
    dialect = table.dialect
    given, records = read_header_record(text, dialect, table.name)
    judge = SwallowedLineJudge(text, records.at, dialect.delimiter, dialect.quote, len(given))
    known = dict[int, list[TextPosition]]()
    for place in places:
        if place.line is None or place.line not in starts:
            yield None
            continue
        if place.line not in known:
            reader = RecordReader(text, starts[place.line], place.line, dialect, width=len(given), judge=judge)
            known[place.line] = [*_locate_record(text, reader, dialect)]
        cells, number = known[place.line], _find_column(table.header, place.column)
        yield cells[number] if number is not None and number < len(cells) else TextPosition(place.line)


def _find_column(header: Sequence[str], column: str | None) -> int | None:
    """Which column of the header a place names; of a value inside a cell, that of its cell."""
    if column is None:
        return None
    whole = next((number for number, name in enumerate(header) if name == column), None)
    if whole is not None:
        return whole
    inside = [name for name in header if column.startswith((f"{name}.", f"{name}{PATH_SEPARATOR}", f"{name}[]"))]
    return header.index(max(inside, key=len)) if inside else None


def _locate_record(text: FileBytes, reader: RecordReader, dialect: Dialect) -> Iterator[TextPosition]:
    """The position of each cell of the next record, until one is not as the record says."""
    line, begin = reader.line, reader.at
    cells = reader.read_record().cells
    raw = text[begin : reader.at].decode()
    ends = [ended.end() for ended in TEXT_LINE_END.finditer(raw)]
    starts, at, quote = [0, *ends], 0, dialect.quote
    for cell in cells:
        behind = bisect_right(ends, at)
        yield TextPosition(line + behind, at - starts[behind] + 1)
        plain, quoted = at + len(cell), f"{quote}{cell.replace(quote, quote + quote)}{quote}" if quote else cell
        if raw.startswith(cell, at) and _is_cell_end(raw, plain, dialect.delimiter):
            at = plain
        elif raw.startswith(quoted, at):
            at += len(quoted)
        else:
            return
        at += len(dialect.delimiter)


def _is_cell_end(raw: str, at: int, delimiter: str) -> bool:
    return at >= len(raw) or raw.startswith((delimiter, "\r", "\n"), at)


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _locate_in_lines(text: FileBytes, starts: dict[int, int], places: Sequence[Place]) -> Iterator[TextPosition | None]:
    known = dict[int, JsonText | None]()
    for place in places:
        if place.line is None or place.line not in starts:
            yield None
            continue
        if place.line not in known:
            ended = BYTES_LINE_END.search(text, starts[place.line])
            known[place.line] = _parse(text[starts[place.line] : ended.start() if ended else len(text)])
        document = known[place.line]
        column = None if document is None else _find_value(document, place, f"/{place.line - 1}") + 1
        yield TextPosition(place.line, column)


def _locate_in_list(text: FileBytes, places: Sequence[Place]) -> Iterator[TextPosition | None]:
    """Likewise of one list, whose items have the place of lines."""
    document = _parse(text[:])
    ends = [] if document is None else [ended.end() for ended in TEXT_LINE_END.finditer(document.text)]
    starts = [0, *ends]
    for place in places:
        if place.line is None or document is None:
            yield None
            continue
        at = _find_value(document, place, "", f"/{place.line - 1}")
        behind = bisect_right(ends, at)
        yield TextPosition(behind + 1, at - starts[behind] + 1)


def _parse(raw: bytes) -> JsonText | None:
    try:
        return JsonText(raw.decode())
    except (ReadError, UnicodeDecodeError):
        return None


def _find_value(document: JsonText, place: Place, above: str, below: str = "") -> int:
    """The offset of a place's value: by the path of its column where it has one, else by its pointer.

    ``above`` begins every pointer and leads to the document itself; ``below`` leads from it to the row.
    """
    if place.column is None:
        return document.find_nearest(place.pointer.removeprefix(above)).at
    pointers = [f"{below}/{escape_pointer_key(place.column)}"]
    for separator in (".", PATH_SEPARATOR):
        path = "/".join(escape_pointer_key(key) for key in place.column.split(separator))
        pointers.append(f"{below}/{path.replace('[]', f'/{place.member - 1}' if place.member else '')}")
    found = [document.find(pointer) for pointer in pointers]
    return next((node.at for node, is_there in found if is_there), found[1][0].at)
