"""The sheets of an Excel workbook (``.xlsx``) as rows of text: every cell as it is stored, never by way of a float.

A number is the sheet's own text, so that an id keeps every digit that Excel has kept; a date is ISO; a formula is the
value that Excel computed last. Sheets are read as a stream. What could exhaust memory (a zip that grows, entities, a
row of a million columns) raises :class:`ReadError`.
"""

import io
import posixpath
import re
import tempfile
import zipfile
import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, NoReturn, TypeAlias, cast
from xml.parsers import expat

from intempt_core.contract import shorten_value
from intempt_core.errors import ReadError
from intempt_core.readers.compression import BoundedStream
from intempt_core.readers.formats import describe_formats
from intempt_core.readers.limits import MAX_EVENT_BYTES, ReadLimits
from intempt_core.readers.mapped_file import FileBytes, MappedFile, require_disk_space
from intempt_core.readers.workbooks.merged_cells import (
    MAX_MERGED_RANGES,
    MergedRange,
    SheetRow,
    parse_column,
    parse_merged_range,
)
from intempt_core.readers.workbooks.number_formats import (
    DATE_FORMATS,
    classify_number_format,
    find_zero_pattern,
    format_serial_date,
    format_stored_number,
    format_with_zeros,
)

XLSX_MAX_COLUMNS, XLSX_MAX_ROWS = 16_384, 1_048_576
"""As large as a sheet can be."""

_CHUNK_BYTES = 262_144
_DECODED_STRINGS, _DECODED_CHARS = 65_536, 256
"""Shared texts that are kept decoded, and characters up to which one is."""

_MAX_CHARACTER_BYTES = 4
_ESCAPED = re.compile(r"_x((?![dD][89a-fA-F])[0-9A-Fa-f]{4})_")  # no half of a character
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    LookupError,
)

_StartHandler: TypeAlias = Callable[[str, Mapping[str, str]], None]


@dataclass(frozen=True, slots=True)
class _Sheet:
    name: str
    member: str
    visible: bool


class Workbook:
    """A workbook's sheets. Raises :class:`ReadError` with a sentence where the bytes are none that can be read.

    Attributes:
        unpacked_bytes: Bytes of XML that were read of the whole workbook.
        sheet_bytes: Those of the sheet that is being read.
        formulas_without_value: Formulas of the sheet that was read whose value the file does not have.
        merged_ranges: The merged cells of the sheet that was read.
        zero_examples: Column (from 0) of the sheet that was read → the first cell that has zeros by its format.
    """

    def __init__(self, data: FileBytes, name: str, limits: ReadLimits) -> None:
        self.name = name
        self.unpacked_bytes = self.sheet_bytes = 0
        self.formulas_without_value = 0
        self.merged_ranges: Sequence[MergedRange] = ()
        self.zero_examples: Mapping[int, str] = {}
        self._limits = limits
        with self._translate_errors("The workbook"):
            self._zip = zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else cast("IO[bytes]", data))
            self._packed = len(data)
            members = set(self._zip.namelist())
            self._reject_other_formats(members)
            self._date_1904 = False
            self._sheets = self._list_sheets(members)
            if not self._sheets:
                raise ReadError(f"{name} has no sheet with cells. Choose the file that holds the events.")
            self._strings = self._read_strings(members)
            self._dates = self._read_styles(members)

    @property
    def sheets(self) -> tuple[str, ...]:
        """The names of the sheets, the visible ones first."""
        return tuple(sheet.name for sheet in sorted(self._sheets, key=lambda sheet: not sheet.visible))

    def rows(self, sheet: str) -> Iterator[SheetRow]:
        """The rows of a sheet that have a cell which is not empty."""
        found = next((one for one in self._sheets if one.name == sheet), None)
        if found is None:
            raise ReadError(
                f"{self.name} has no sheet “{shorten_value(sheet)}”. It has {', '.join(self.sheets)}. Choose one."
            )
        reading = _SheetParser(self, found.name, self._strings, self._dates, date_1904=self._date_1904)
        with self._translate_errors(f"Sheet “{shorten_value(sheet)}”"), self._open(found.member) as stream:
            while piece := stream.read(_CHUNK_BYTES):
                self.sheet_bytes = stream.size
                reading.feed(piece)
                yield from reading.take_rows()
            reading.feed(b"", last=True)
            yield from reading.take_rows()
            self.formulas_without_value = reading.formulas_without_value
            self.merged_ranges, self.zero_examples = reading.merged_ranges, reading.zero_examples

    def find_merged_ranges(self, sheet: str) -> list[MergedRange]:
        """The merged cells of a sheet, which come after its rows in the file."""
        found: list[MergedRange] = []

        def start(name: str, given: Mapping[str, str]) -> None:
            one = parse_merged_range(given.get("ref", "")) if name == "mergeCell" else None
            if one is not None and len(found) < MAX_MERGED_RANGES:
                found.append(one)

        member = next((one.member for one in self._sheets if one.name == sheet), "")
        with self._translate_errors(f"Sheet “{shorten_value(sheet)}”"):
            self._parse(member, start)
        return found

    @contextmanager
    def _translate_errors(self, what: str) -> Iterator[None]:
        """Raise :class:`ReadError` for what a broken archive or broken XML raises."""
        try:
            yield
        except (*_ARCHIVE_ERRORS, expat.ExpatError) as error:
            raise ReadError(
                f"{self.name} cannot be read: {what[0].lower()}{what[1:]} is cut or broken"
                f" ({str(error).strip('.') or 'no reason given'}). Open it in Excel and save it once more, or as “CSV"
                " UTF-8”."
            ) from error

    def _reject_other_formats(self, members: set[str]) -> None:
        if "xl/workbook.bin" in members:
            raise ReadError(
                f"{self.name} is a binary Excel workbook (.xlsb). Save it there as .xlsx, or as “CSV UTF-8”."
            )
        if not any(member.endswith(".xml") for member in members) or "[Content_Types].xml" not in members:
            raise ReadError(f"{self.name} is a zip archive. {describe_formats()} Unpack it and choose the file inside.")

    @contextmanager
    def _open(self, member: str) -> Iterator[BoundedStream]:
        with self._zip.open(member) as packed:
            stream = BoundedStream(packed, max(self._packed, 1), self.name, self._limits.unpacked_bytes)
            yield stream
            self.unpacked_bytes += stream.size

    def _parse(self, member: str, start: _StartHandler, **handlers: Callable[..., None]) -> None:
        parser = create_xml_parser(self.name)
        parser.StartElementHandler = lambda name, given: start(strip_namespace(name), given)
        for handler, does in handlers.items():
            setattr(parser, handler, does)
        with self._open(member) as stream:
            while piece := stream.read(_CHUNK_BYTES):
                parser.Parse(piece)
                reject_large_token(parser, stream.size, self.name)
            parser.Parse(b"", True)

    def _read_relations(self, member: str, members: set[str]) -> dict[str, tuple[str, str]]:
        """Relation id → its type's last word and the member that it leads to."""
        folder, file = posixpath.split(member)
        found: dict[str, tuple[str, str]] = {}

        def start(name: str, given: Mapping[str, str]) -> None:
            if name == "Relationship" and given.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, given["Target"])).lstrip("/")
                found[given["Id"]] = given["Type"].rpartition("/")[2], target

        relations = posixpath.join(folder, "_rels", f"{file}.rels")
        if relations in members:
            self._parse(relations, start)
        return found

    def _list_sheets(self, members: set[str]) -> list[_Sheet]:
        book = next((to for kind, to in self._read_relations("", members).values() if kind == "officeDocument"), "")
        book = book or "xl/workbook.xml"
        if book not in members or not book.startswith("xl/"):
            raise ReadError(f"{self.name} is an Office file, but no Excel workbook. Choose the file with the events.")
        self._book_relations = relations = self._read_relations(book, members)
        sheets: list[_Sheet] = []

        def start(name: str, given: Mapping[str, str]) -> None:
            if name == "workbookPr":
                self._date_1904 = given.get("date1904") in ("1", "true")
            elif name == "sheet":
                id_ = next(
                    (value for key, value in given.items() if strip_namespace(key) == "id" and key != "sheetId"), ""
                )
                kind, member = relations.get(id_, ("", ""))
                if kind == "worksheet" and member in members:
                    sheets.append(_Sheet(given.get("name", ""), member, given.get("state", "visible") == "visible"))

        self._parse(book, start)
        return sheets

    def _read_strings(self, members: set[str]) -> "_SharedStrings":
        member = next((to for kind, to in self._book_relations.values() if kind == "sharedStrings"), "")
        with tempfile.SpooledTemporaryFile(max_size=self._limits.memory_bytes) as file:
            strings = _SharedStrings(file, self._limits.memory_bytes)
            if member in members:
                self._add_strings(member, strings)
            return strings.finish()

    def _add_strings(self, member: str, strings: "_SharedStrings") -> None:
        text: list[str] = []
        inside: list[str] = []
        size = 0

        def start(name: str, _: Mapping[str, str]) -> None:
            nonlocal size
            inside.append(name)
            if name == "si":
                text.clear()
                size = 0

        def end(name: str) -> None:
            inside.pop()
            if strip_namespace(name) == "si":
                strings.add(unescape_text("".join(text)))

        def characters(some: str) -> None:
            nonlocal size
            if inside[-1] == "t" and "rPh" not in inside:  # how a word is pronounced is not part of the cell
                text.append(some)
                size += len(some)
                if size > MAX_EVENT_BYTES:
                    raise ReadError(
                        f"{self.name}: text {len(strings) + 1:,} of the workbook has more than {MAX_EVENT_BYTES:,}"
                        " bytes. No more are read, for a larger event can go nowhere. Cut its cell, or leave it out."
                    )

        self._parse(member, start, EndElementHandler=end, CharacterDataHandler=characters)

    def _read_styles(self, members: set[str]) -> list[str]:
        """For each style what it shows: ``date``, ``time``, ``both``, a pattern of zeros, or none of it (empty)."""
        member = next((to for kind, to in self._book_relations.values() if kind == "styles"), "")
        formats: dict[str, str] = {}
        styles: list[str] = []
        inside: list[str] = []

        def start(name: str, given: Mapping[str, str]) -> None:
            inside.append(name)
            if name == "numFmt":
                formats[given.get("numFmtId", "")] = given.get("formatCode", "")
            elif name == "xf" and "cellXfs" in inside:
                number = given.get("numFmtId", "0")
                code = formats.get(number)
                styles.append(classify_number_format(int(number), code) or find_zero_pattern(code))

        def end(_: str) -> None:
            inside.pop()

        if member in members:
            self._parse(member, start, EndElementHandler=end)
        return styles


class _SharedStrings:
    """The texts that cells of a workbook share: on disk where they are large, and decoded when a cell has one."""

    def __init__(self, file: "tempfile.SpooledTemporaryFile[bytes]", memory_limit: int) -> None:
        self._bounds = array("q", [0])
        self._file, self._memory_limit = file, memory_limit
        self._data: FileBytes = b""
        self._decoded: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def add(self, text: str) -> None:
        """Add the next one."""
        encoded = text.encode("utf-8", "surrogatepass")
        if self._bounds[-1] + len(encoded) > self._memory_limit:
            require_disk_space(self._file, len(encoded))
        self._file.write(encoded)
        self._bounds.append(self._bounds[-1] + len(encoded))

    def finish(self) -> "_SharedStrings":
        """All of them were added."""
        if self._bounds[-1] > self._memory_limit:
            self._data = MappedFile.from_file(self._file)
        else:
            self._file.seek(0)
            self._data = self._file.read()
        return self

    def __getitem__(self, number: int) -> str:
        known = self._decoded.get(number)
        if known is not None:
            return known
        found = self._data[self._bounds[number] : self._bounds[number + 1]].decode("utf-8", "surrogatepass")
        if len(found) <= _DECODED_CHARS and len(self._decoded) < _DECODED_STRINGS:
            self._decoded[number] = found
        return found


class _SheetParser:
    """The rows of a sheet's XML, piece by piece."""

    def __init__(
        self, book: Workbook, sheet: str, strings: _SharedStrings, dates: Sequence[str], *, date_1904: bool
    ) -> None:
        self._where = f"{book.name}, sheet “{shorten_value(sheet)}”"
        self._strings, self._dates, self._date_1904 = strings, dates, date_1904
        self._rows: list[SheetRow] = []
        self._row, self._column = 0, -1
        self._cells: dict[int, str] = {}
        self._kind = self._style = ""
        self._text: list[str] = []
        self._in_cell_text = False  # whether characters are a cell's
        self._phonetic_depth = 0
        self._formula = False
        self._fed = self._text_size = self._row_size = 0
        self._is_hidden = False
        self.formulas_without_value = 0
        self.merged_ranges: list[MergedRange] = []
        self.zero_examples: dict[int, str] = {}
        parser = self._parser = create_xml_parser(book.name)
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        self._names: dict[str, str] = {}

    def feed(self, piece: bytes, *, last: bool = False) -> None:
        """One more piece of the XML."""
        self._parser.Parse(piece, last)
        self._fed += len(piece)
        if not last:
            reject_large_token(self._parser, self._fed, self._where)

    def take_rows(self) -> list[SheetRow]:
        """The rows that are whole since the last time."""
        rows, self._rows = self._rows, []
        return rows

    def _start(self, name: str, given: Mapping[str, str]) -> None:
        tag = self._names.get(name) or self._names.setdefault(name, strip_namespace(name))
        if tag == "c":
            self._kind, self._style = given.get("t", "n"), given.get("s", "")
            self._column = self._parse_column(given["r"]) if "r" in given else self._column + 1
            if self._column >= XLSX_MAX_COLUMNS:
                self._reject(f"has a cell in column {self._column + 1:,}; up to {XLSX_MAX_COLUMNS:,} are taken")
            self._text.clear()
            self._text_size = 0
            self._formula = False
        elif tag == "f":
            self._formula = True
        elif tag in ("v", "t"):
            self._in_cell_text = not self._phonetic_depth
        elif tag == "row":
            before, self._row = self._row, int(given["r"]) if "r" in given else self._row + 1
            self._column, self._cells, self._row_size = -1, {}, 0
            self._is_hidden = given.get("hidden") in ("1", "true") or given.get("ht") in ("0", "0.0")
            if not before < self._row <= XLSX_MAX_ROWS:
                self._reject(f"follows row {before:,}; rows rise, up to {XLSX_MAX_ROWS:,}")
        elif tag == "rPh":
            self._phonetic_depth += 1
        elif tag == "mergeCell" and len(self.merged_ranges) < MAX_MERGED_RANGES:
            merged = parse_merged_range(given.get("ref", ""))
            self.merged_ranges += [merged] if merged else []

    def _end(self, name: str) -> None:
        tag = self._names[name]
        if tag in ("v", "t"):
            self._in_cell_text = False
        elif tag == "c":
            if self._text and (cell := self._convert_cell("".join(self._text))):
                self._cells[self._column] = cell
                self._row_size += len(cell)
                if self._row_size > MAX_EVENT_BYTES // _MAX_CHARACTER_BYTES:
                    self._check_row_size()
            elif self._formula and self._kind != "str":  # a text that a formula makes may well be empty
                self.formulas_without_value += 1
        elif tag == "row":
            if self._cells:
                self._rows.append(SheetRow(self._row, self._cells, self._is_hidden))
        elif tag == "rPh":
            self._phonetic_depth -= 1

    def _characters(self, some: str) -> None:
        if self._in_cell_text:
            self._text.append(some)
            self._text_size += len(some)
            if self._text_size > MAX_EVENT_BYTES:
                self._reject_size(f"more than {MAX_EVENT_BYTES:,}")

    def _check_row_size(self) -> None:
        size = sum(len(cell.encode("utf-8", "surrogatepass")) for cell in self._cells.values())
        if size > MAX_EVENT_BYTES:
            self._reject_size(f"{size:,}")

    def _reject_size(self, size: str) -> NoReturn:
        raise ReadError(
            f"{self._where}: row {self._row:,} has {size} bytes. Up to {MAX_EVENT_BYTES:,} are read, for a larger event"
            " can go nowhere. Cut its cells, or leave it out.",
            line=self._row,
        )

    def _parse_column(self, reference: str) -> int:
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            self._reject(f"has a cell “{shorten_value(reference)}”, which is no place in a sheet")
        return parse_column(match[1])

    def _convert_cell(self, text: str) -> str:
        if self._kind == "n":
            shows = self._dates[int(self._style)] if self._style and int(self._style) < len(self._dates) else ""
            if not shows:
                return format_stored_number(text)
            if shows in DATE_FORMATS:
                return format_serial_date(text, shows, date_1904=self._date_1904)
            shown = format_with_zeros(text.strip(), shows)
            if shown != text and self._column not in self.zero_examples:
                self.zero_examples[self._column] = shown
            return shown
        if self._kind == "s":
            if not 0 <= int(text) < len(self._strings):
                self._reject(f"names text {text}, but the workbook has {len(self._strings):,}")
            return self._strings[int(text)]
        if self._kind == "b":
            return "TRUE" if text.strip() == "1" else "FALSE"
        return unescape_text(text) if self._kind in ("inlineStr", "str") else text

    def _reject(self, what: str) -> NoReturn:
        raise ReadError(f"{self._where}: row {self._row:,} {what}. Save the file once more in Excel.", line=self._row)


def create_xml_parser(name: str) -> expat.XMLParserType:
    """Make an XML parser that rejects a document type: a workbook needs no entities, and those could be a bomb."""
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True

    def reject(*_: object) -> None:
        raise ReadError(f"{name} declares a document type of its own, which no workbook does. It is not read.")

    parser.StartDoctypeDeclHandler = reject
    return parser


def reject_large_token(parser: expat.XMLParserType, fed: int, name: str) -> None:
    """Raise :class:`ReadError` where a parser waits for the end of a piece of XML that is too large."""
    if fed - parser.CurrentByteIndex > MAX_EVENT_BYTES:
        raise ReadError(
            f"{name}: a piece of its XML has more than {MAX_EVENT_BYTES:,} bytes, which no program writes. It is not"
            " read."
        )


def strip_namespace(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]


def unescape_text(text: str) -> str:
    """Replace ``_x000D_`` and its like by the characters that they mean."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text
