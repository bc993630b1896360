"""JSON lines: one JSON document a line, an event or a request's body. Events stay as they came, and have columns.

A line that is no JSON becomes an event with an issue of its own, so that the others are checked all the same. Only the
text is kept: an event is read from its line whenever it is asked for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as with_default

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray

from intempt_core.arrays import Int64Array, Mask, make_array
from intempt_core.contract import EVENT_FIELDS, GivenEvent, Issue, Json, Place, dump_json, format_given, shorten_value
from intempt_core.errors import ReadError
from intempt_core.readers.column_store import ColumnWriter, StoredColumns
from intempt_core.readers.dialects.dialect import Dialect
from intempt_core.readers.formats import JSON_LINES
from intempt_core.readers.json_cells import (
    KeyClash,
    encode_cells,
    flatten_entries,
    parse_exactly,
    spell_half_characters,
)
from intempt_core.readers.json_rows.line_blocks import (
    iterate_line_blocks,
    iterate_lines,
    needs_exact_parse,
    needs_full_parse,
)
from intempt_core.readers.json_rows.list_lines import convert_list_to_lines
from intempt_core.readers.json_rows.plain_rows import ChunkColumns, RowChunk, RowShape, ShapeFinder
from intempt_core.readers.json_text.json_positions import JsonSyntaxError, JsonText
from intempt_core.readers.limits import MAX_EVENT_BYTES, build_oversize_error
from intempt_core.readers.mapped_file import FileBytes, MappedFile, release_pages
from intempt_core.readers.payload import EVENT_KEYS, PayloadShape
from intempt_core.readers.reading_issues import IssueBlock, ReadingIssues
from intempt_core.readers.table_content import FileSource, TableContent, describe_encoding, translate_full_disk

MAX_KEY_COLUMNS = 256
"""Keys of events that get a column; others are sent as they are, and cannot be looked at or mapped."""

JSONL_CHUNK_ROWS, JSONL_CHUNK_BYTES = 16_384, 8_000_000
"""Events, and bytes of their lines, that become a chunk of columns together."""

MAX_LEFT_OUT_KEYS = 10_000
"""Keys without a column that are counted."""

FAST_PATH_BRACKETS = 200
"""Brackets of a line up to which it is read quickly; of more it must be seen whether they are nested too deeply."""

SNIFFED_BYTES = 4_096
"""Bytes of a line that is too large by which it is seen whether it is JSON."""

SNIFFED_LINES = 20
"""Lines of a text that are looked at to see whether it is JSON lines."""

_JSON_WHITESPACE = b" \t\r\n"


@dataclass(frozen=True, slots=True, eq=False)
class DocumentIndex:
    """The events of a file of JSON lines, each to be read from the text again; the arrays have an item for each event.

    Attributes:
        text: The text in UTF-8.
        starts: The offset in bytes at which the event's line begins.
        ends: The offset in bytes at which it ends.
        lines: The number of the line, from 1.
        numbers: Which event of its line it is, from 0.
        issues: The issues of reading; their rows count from 1.
        named_count: How many events have a name where the contract wants it.
        needs_model: Whether the columns do not say all that a rule asks of the event: an id that is no text, a time
            that is no number, no object at all, something that reading found.
        is_plain: Whether the event is its whole line, and nothing about it needs a closer look where it is read again.
        clashes: The values that have the dotted path of another one, in how many events, and the first of those.
    """

    text: FileBytes
    starts: Int64Array
    ends: Int64Array
    lines: Int64Array
    numbers: Int64Array
    issues: ReadingIssues
    named_count: int
    needs_model: Mask
    is_plain: Mask
    clashes: Mapping[KeyClash, tuple[int, int]] = with_default(default_factory=dict)

    def events(self, rows: Iterable[int], columns: Mapping[str, str]) -> Iterator[GivenEvent]:
        """The events of these rows (from 0), read from the text again, with the headers of their fields."""
        at, found = -1, list[GivenEvent]()
        for row in rows:
            start, number = int(self.starts[row]), int(self.numbers[row])
            if self.is_plain[row]:
                found, at = (
                    [_build_plain_event(orjson.loads(self.text[start : self.ends[row]]), int(self.lines[row]))],
                    -1,
                )
            elif start != at:
                at, found = start, _parse_line(self.text[start : self.ends[row]], int(self.lines[row]))[0]
            event = found[number]
            yield replace(event, place=replace(event.place, row=row + 1), columns=columns)

    def iter_exact_bodies(self, rows: Iterable[int]) -> Iterator[Json]:
        """The bodies of these events, with numbers as they are written."""
        for row, event in zip(rows, self.events(rows, {}), strict=True):
            line = self.text[self.starts[row] : self.ends[row]]
            exact = _parse_exact_body(line, [event]) if needs_exact_parse(line) and not self.numbers[row] else None
            yield event.body if exact is None else exact


def is_json_lines(text: FileBytes, name: str) -> bool:
    """Whether a text has one JSON object a line: its first line is one, or its name says so and half its lines are.

    A file that is called so also has lines that are nearly one: what is wrong with each is then said of its row.
    """
    tried, is_called_so = [], JSON_LINES.has_suffix(name)
    for _, start, end in iterate_lines(text):
        if end - start > MAX_EVENT_BYTES:
            tried.append(text[start : start + SNIFFED_BYTES].lstrip(_JSON_WHITESPACE).startswith(b"{"))
        elif line := text[start:end].strip(_JSON_WHITESPACE):
            is_nearly = is_called_so and line.rstrip(b", ").endswith(b"}")
            tried.append(line.startswith(b"{") and (is_nearly or _is_json_document(line)))
        if len(tried) == SNIFFED_LINES or tried[:1] == [True]:
            break
    return tried[:1] == [True] or (is_called_so and 2 * sum(tried) >= len(tried) > 0)


def read_json_lines(source: FileSource) -> TableContent:
    """Read a text with one JSON document a line: every event, and its values as columns.

    Raises :class:`ReadError` where there is no event, or a line is too large for any.
    """
    text, blank, empty = source.content, 0, list[int]()
    first_problem, is_readable = "", False
    with translate_full_disk(source.name), ColumnWriter(0, source.limits, on_disk=source.is_large) as writer:
        collector = _EventCollector(writer)
        for line, start, end, is_full, is_exact in (line for block in iterate_line_blocks(text) for line in block):
            if end - start > MAX_EVENT_BYTES:
                raise build_oversize_error(f"{source.name}, line {line:,}", "the line", end - start, line=line)
            some = text[start:end].strip(_JSON_WHITESPACE)
            if not some:
                blank += 1
                continue
            if not is_full and not is_exact and collector.add_plain_line(some, (start, end, line)):
                is_readable = True
            else:
                events, issues = _parse_line(some, line, with_issues=True)
                if not events:
                    empty.append(line)
                is_unreadable = bool(issues) and issues[0].code == "line_unreadable"
                is_readable = is_readable or not is_unreadable
                if is_unreadable and not first_problem:
                    first_problem = f"No line is JSON. Line {line:,}, {issues[0].hint}"
                exact = _parse_exact_body(some, events) if is_exact else None
                collector.add_line(events, issues, (start, end, line), exact)
            if collector.is_full:
                collector.flush()
                source.limits.check_rows(line)
                release_pages(text)
                source.on_progress(end, len(text))
        documents, header, columns, pages = collector.finish(text)
    if not len(documents.lines):
        raise ReadError(
            f"{source.name} is JSON and holds no event. Write one event or one request body a line"
            f" ({JSON_LINES.suffixes[0]})."
        )
    return TableContent(
        dialect=Dialect(source.encoding),
        header=header,
        columns=columns,
        lines=documents.lines,
        notes=(
            f"Read as {JSON_LINES.name}: one event or request body a line.",
            *describe_encoding(source.encoding),
            *_describe_lines(blank, empty, collector.columns_left_out),
            *([] if is_readable else [first_problem]),
            *_describe_half_characters(documents.lines, collector.half_characters),
        ),
        mapped_file=pages,
        documents=documents,
        cell_kinds=collector.cell_kinds,
    )


def read_json_list(source: FileSource) -> TableContent:
    """Read a list of objects as lines of JSON are read: each item is a line, and its number is that of the item."""
    with translate_full_disk(source.name):
        lines = convert_list_to_lines(source.content, on_disk=source.is_large)
    found = read_json_lines(replace(source, content=lines))
    return replace(found, notes=("Read as a JSON list: each item is a row; “line” counts its items.", *found.notes[1:]))


def _is_json_document(line: bytes) -> bool:
    try:
        JsonText(line.decode())
    except (ReadError, UnicodeDecodeError):
        return False
    return True


# ── one line ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _parse_line(line: bytes, number: int, *, with_issues: bool = False) -> tuple[list[GivenEvent], list[Issue]]:
    """The events of one line, whose rows count from 1 in it, and the issues of reading it.

    Most lines are one plain event and are read quickly. Without ``with_issues`` no issues are looked for in those.
    """
    line = line.strip(_JSON_WHITESPACE)
    above = f"/{number - 1}"
    value = _parse_plain_event(line, with_issues=with_issues)
    if value is not None:
        return [_build_plain_event(value, number)], []
    text = line.decode()
    try:
        document = JsonText(text)
    except ReadError as error:
        event = GivenEvent(None, text, Place(1, number, None, above), f"{above}/name")
        hint = (
            f"{error.problem[0].upper()}{error.problem[1:]}. {error.fix}" if isinstance(error, JsonSyntaxError) else ""
        )
        column = f"Column {error.at + 1:,}: " if isinstance(error, JsonSyntaxError) else ""
        if text.endswith(",") and _is_json_document(line[:-1]):
            column, hint = (
                f"Column {len(text):,}: ",
                "The line ends with a comma. Remove it: each line is a value of its own.",
            )
        return [event], [Issue("line_unreadable", event.place, shorten_value(text), f"{column}{hint}")]
    shape = PayloadShape(document.value)
    found, lost = shape.events, not shape.events and bool(shape.misplaced)
    if lost:  # no line goes without a row: what is no event is one that cannot be right
        body = document.value
        found = [_split_name(body) if isinstance(body, dict) else (None, body, "", "/name")]
    events = [
        GivenEvent(name, body, Place(row, number, None, f"{above}{pointer}"), f"{above}{name_pointer}")
        for row, (name, body, pointer, name_pointer) in enumerate(found, 1)
    ]
    issues = [
        Issue(
            "request_shape", Place(1 if lost else None, number, None, f"{above}{pointer}"), _format_given(given), hint
        )
        for pointer, given, hint in shape.misplaced
    ]
    for odd in document.oddities():
        row = next(
            (row for row, (_, _, pointer, _) in enumerate(found, 1) if f"{odd.pointer}/".startswith(f"{pointer}/")),
            None,
        )
        issues.append(Issue(odd.code, Place(row, number, None, f"{above}{odd.pointer}"), shorten_value(odd.given)))
    return events, issues


def _parse_exact_body(line: bytes, events: Sequence[GivenEvent]) -> dict[str, Json] | None:
    """The body of a line that is one event, its numbers as they are written; ``None`` where it is not that."""
    if len(events) != 1 or not isinstance(events[0].body, dict):
        return None
    try:
        value = parse_exactly(line)
    except (ValueError, RecursionError):
        return None
    body = {key: item for key, item in value.items() if key != "name"} if isinstance(value, dict) else None
    return body if body is not None and body.keys() == events[0].body.keys() else None


def _build_plain_event(body: dict[str, Json], number: int) -> GivenEvent:
    """The event that a line of this number is; it is made of ``body``."""
    above = f"/{number - 1}"
    return GivenEvent(body.pop("name", None), body, Place(1, number, None, above), f"{above}/name")


def _split_name(body: dict[str, Json]) -> tuple[Json, Json, str, str]:
    return body.get("name"), {key: value for key, value in body.items() if key != "name"}, "", "/name"


def _format_given(value: Json) -> str | None:
    return "null" if value is None else format_given(value)


def _parse_plain_event(line: bytes, *, with_issues: bool) -> dict[str, Json] | None:
    """A line that is one event with nothing odd about it; ``None`` where a closer look is needed."""
    if needs_full_parse(line) or line.count(b"[") + line.count(b"{") > FAST_PATH_BRACKETS:
        return None
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict) or not _is_event(value):
        return None
    return None if with_issues and _count_keys(value) != line.count(b'":') else value


def _is_event(value: dict[str, Json]) -> bool:
    """Whether an object is one event by its keys."""
    return "track" not in value and "payload" not in value and not EVENT_KEYS.isdisjoint(value)


def _count_keys(value: Json) -> int:
    """How many keys there are, those of objects inside among them."""
    count, items = (len(value), value.values()) if type(value) is dict else (0, value)
    for item in items:
        if type(item) is dict or type(item) is list:
            count += _count_keys(item)
    return count


# ── all lines ────────────────────────────────────────────────────────────────────────────────────────────────────────


class _EventCollector:
    """The events of all lines: their places and issues; their columns go to a writer."""

    def __init__(self, writer: ColumnWriter) -> None:
        self._writer = writer
        self._places: list[Int64Array] = []
        self._issue_blocks: list[IssueBlock] = []
        self._needs_model = bytearray()
        self._numbers: dict[str, int] = {}
        self._named_count = self._row_count = 0
        self.columns_left_out: set[str] = set()
        self.half_characters: list[int] = []
        self._new_places: list[tuple[int, int, int, int]] = []
        self._new_issues: list[Issue] = []
        self._chunk = RowChunk()
        self._shapes = ShapeFinder(flatten_event, needs_model_check, _is_event)
        self._is_plain = bytearray()
        self._clashes: dict[KeyClash, tuple[int, int]] = {}
        self._kinds: dict[str, list[tuple[int, NDArray[np.uint8]]]] = {}
        self._size = 0

    def add_line(
        self,
        events: Sequence[GivenEvent],
        issues: Iterable[Issue],
        place: tuple[int, int, int],
        exact: dict[str, Json] | None = None,
    ) -> None:
        """Add the events of one line, or its one event as ``exact`` has it."""
        before = self._row_count
        for number, event in enumerate(events):
            self._new_places.append((*place, number))
            self._named_count += isinstance(event.name, str)
            cells, clashes = flatten_event(event, exact if number == 0 else None)
            self._chunk.add_other(cells)
            for clash in clashes:
                self._count_clash(clash, 1, before + number)
            self._needs_model.append(needs_model_check(event))
            self._is_plain.append(False)
        self._row_count += len(events)
        for issue in issues:
            row = None if issue.place.row is None else issue.place.row + before
            self._new_issues.append(replace(issue, place=replace(issue.place, row=row)))
            if row is not None:
                self._needs_model[row - 1] = True
        self._size += place[1] - place[0]

    def add_plain_line(self, line: bytes, place: tuple[int, int, int]) -> bool:
        """Add a line that is one event with nothing odd about it; whether it is that. Its patterns were searched."""
        if line.count(b"[") + line.count(b"{") > FAST_PATH_BRACKETS:
            return False
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            return False
        leaves: list[Json] = []
        shape = self._shapes.find(value, leaves) if type(value) is dict else None
        if shape is None or _count_shape_keys(shape, leaves) != line.count(b'":'):
            return False
        self._chunk.add_plain(shape, leaves)
        self._new_places.append((*place, 0))
        self._named_count += shape.is_named
        self._needs_model.append(shape.needs_model)
        self._is_plain.append(True)
        self._row_count += 1
        self._size += place[1] - place[0]
        return True

    @property
    def is_full(self) -> bool:
        """Whether a chunk of columns is complete."""
        return self._chunk.size >= JSONL_CHUNK_ROWS or self._size >= JSONL_CHUNK_BYTES

    def _count_clash(self, clash: KeyClash, count: int, first: int) -> None:
        if clash in self._clashes:
            before, earliest = self._clashes[clash]
            self._clashes[clash] = before + count, min(earliest, first)
        elif len(self._clashes) < MAX_LEFT_OUT_KEYS:
            self._clashes[clash] = count, first

    @property
    def cell_kinds(self) -> dict[str, NDArray[np.uint8]]:
        """Column → what each of its cells is, where they are not all plain texts; also keys that are always null."""
        found = {}
        for column, parts in self._kinds.items():
            if column not in self._numbers and (
                column in self.columns_left_out or len(self.columns_left_out) == MAX_LEFT_OUT_KEYS
            ):
                continue
            found[column] = np.zeros(self._row_count, np.uint8)
            for start, kinds in parts:
                found[column][start : start + kinds.size] = kinds
        return found

    def finish(
        self, text: FileBytes
    ) -> tuple[DocumentIndex, tuple[str, ...], Sequence[pa.ChunkedArray], MappedFile | None]:
        """The index of all events, the header, the columns, and the file on which they lie."""
        self.flush()
        header = tuple(sorted(self._numbers, key=_rank_column)) or ("name",)
        if not self._numbers:
            self._numbers["name"] = 0
            self._writer.write_chunk([None], 0)
        columns, pages = self._writer.finish()
        order = [self._numbers[column] for column in header]
        ordered = columns.select(order) if isinstance(columns, StoredColumns) else [columns[n] for n in order]
        places = np.concatenate([np.empty((0, 4), np.int64), *self._places])
        starts, ends, lines, numbers = (np.ascontiguousarray(places[:, index]) for index in range(4))
        needs_model = np.frombuffer(bytes(self._needs_model), np.bool_)
        issues = ReadingIssues(self._issue_blocks)
        is_plain = np.frombuffer(bytes(self._is_plain), np.bool_)
        named = self._named_count
        documents = DocumentIndex(
            text, starts, ends, lines, numbers, issues, named, needs_model, is_plain, self._clashes
        )
        return documents, header, ordered, pages

    def _build_column(self, column: str, rows: ChunkColumns) -> pa.Array:
        """The cells of a column in these rows; what they are is noted where they are not plain texts."""
        cells, kinds = encode_cells(rows.build_cells(column))
        if kinds is not None:
            self._kinds.setdefault(column, []).append((self._row_count - len(cells), kinds))
        return self._build_array(cells)

    def _build_array(self, cells: list[str]) -> pa.Array:
        try:
            return make_array(cells, pa.string())
        except UnicodeEncodeError:  # half a character, which JSON can say and UTF-8 cannot
            self._needs_model[-len(cells) :] = b"\x01" * len(cells)
            self.half_characters += [
                self._row_count - len(cells) + at
                for at, cell in enumerate(cells)
                if spell_half_characters(cell) != cell
            ]
            return make_array([spell_half_characters(cell) for cell in cells], pa.string())

    def flush(self) -> None:
        """What was collected becomes arrays."""
        if self._new_issues:
            self._issue_blocks.append(IssueBlock(self._new_issues))
        if self._chunk.size:
            self._places.append(np.array(self._new_places, np.int64).reshape(-1, 4))
            rows = self._chunk.finish()
            for clash, numbers in rows.iterate_clashes():
                self._count_clash(clash, len(numbers), self._row_count - self._chunk.size + numbers[0])
            for column in rows.names:
                if column not in self._numbers:
                    self._add_column(column, rows)
            present = set(rows.names)
            self._writer.write_chunk(
                [self._build_column(column, rows) if column in present else None for column in self._numbers],
                self._chunk.size,
            )
        self._new_places, self._new_issues, self._chunk, self._size = [], [], RowChunk(), 0

    def _add_column(self, column: str, rows: ChunkColumns) -> None:
        """Give a key a column, if there may be one more; one that is only null so far has none yet."""
        if rows.is_null(column):
            if len(self._kinds) < 2 * MAX_KEY_COLUMNS:
                self._build_column(column, rows)  # notes where it is null
        elif len(self._numbers) < MAX_KEY_COLUMNS or column in _CONTRACT_COLUMNS:
            self._numbers[column] = len(self._numbers)
        elif len(self.columns_left_out) < MAX_LEFT_OUT_KEYS:
            self.columns_left_out.add(column)


def _count_shape_keys(shape: RowShape, leaves: Sequence[Json]) -> int:
    """How many keys a row has, those of objects in lists among them."""
    return shape.key_count + sum(_count_keys(leaves[index]) for index in shape.list_indexes)


def needs_model_check(event: GivenEvent) -> bool:
    """Whether an event must be checked as it came, because its columns, being texts, do not say all of it."""
    name, body = event.name, event.body
    if not isinstance(body, dict) or not (name is None or isinstance(name, str)) or "." in "".join(body):
        return True
    data = body.get("data")
    if not (data is None or isinstance(data, dict)):
        return True
    for field, kind in _PLAIN_TYPES:
        value = body.get(field)
        if value is not None and type(value) not in kind:
            return True
    return any(_is_ambiguous(body, parent, key, kind) for parent, key, kind in _NESTED_TYPES)


def _is_ambiguous(body: dict[str, Json], parent: str, key: str, kind: tuple[type, ...]) -> bool:
    """Whether a field inside an object has a value of another type than is meant, or no object is around it."""
    inside = body.get(parent)
    if not isinstance(inside, dict):
        return inside is not None
    value = inside.get(key)
    return value is not None and type(value) not in kind


def flatten_event(
    event: GivenEvent, exact: dict[str, Json] | None = None
) -> tuple[dict[str, Json], tuple[KeyClash, ...]]:
    """An event's values by their dotted path, a list is one; ``exact`` is its body with numbers as they are written."""
    into: dict[str, Json] = {}
    if event.name is not None:
        into["name"] = event.name if isinstance(event.name, str) else dump_json(event.name).decode()
    body = event.body if exact is None else exact
    return into, flatten_entries(body, into) if isinstance(body, dict) else ()


_CONTRACT_COLUMNS = ("name", *EVENT_FIELDS)
_PLAIN_TYPES = [(field, kind.json_types) for field, kind in EVENT_FIELDS.items() if "." not in field]
_NESTED_TYPES = [
    (field.partition(".")[0], field.partition(".")[2], kind.json_types)
    for field, kind in EVENT_FIELDS.items()
    if "." in field
]


def _rank_column(column: str) -> tuple[int, bool]:
    """The contract's fields come first, then ``data``, then what was met first."""
    return _CONTRACT_COLUMNS.index(column) if column in _CONTRACT_COLUMNS else len(
        _CONTRACT_COLUMNS
    ), not column.startswith("data.")


def _describe_lines(blank: int, empty: Sequence[int], left_out: set[str]) -> Iterator[str]:
    if blank:
        yield "One blank line was skipped." if blank == 1 else f"{blank:,} blank lines were skipped."
    if empty:
        lines = "One line holds" if len(empty) == 1 else f"{len(empty):,} lines hold"
        yield f"{lines} no event, the first is line {empty[0]:,}."
    if left_out:
        more = "or more " if len(left_out) == MAX_LEFT_OUT_KEYS else ""
        yield (
            f"The events have more than {MAX_KEY_COLUMNS} different keys. {len(left_out):,} {more}have no column here,"
            " and cannot be mapped; events that are sent as they are keep them."
        )


def _describe_half_characters(lines: Int64Array, rows: Sequence[int]) -> Iterator[str]:
    if rows:
        events = f"{len(set(rows)):,} events hold" if len(set(rows)) > 1 else "One event holds"
        yield (
            f"{events} half of a character (the first is in line {int(lines[min(rows)]):,}): a program cut a text. What"
            " is mapped has its escape, such as \\ud83d, in its place."
        )
