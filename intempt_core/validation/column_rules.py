"""The field rules of ``events.py``, compiled over whole columns; part of the room of ``checks.py``.

Names, patterns, placeholders, white space and bounds come from the declarations there. What no column rule can tell
(a constant, a field without a column) the model is asked once, about an event made of nothing but constants. What is
fast here is only ever a shortcut for a cell that is surely good; any other cell is read by the same function that
reads one cell. ``tests/core/validation/test_one_truth.py`` holds that both speeds give the same codes.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from functools import cache, cached_property
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from intempt_core.arrays import (
    Int64Array,
    Mask,
    combine_column,
    factorize_texts,
    hash_texts,
    make_array,
    view_bytes,
    view_numbers,
)
from intempt_core.contract import (
    BLANK_CHARACTERS,
    EARLIEST_MS,
    ID_FIELDS,
    ID_PATTERNS,
    IDENTITY_FIELDS,
    LATEST_MS,
    PLACEHOLDER_IDS,
    EventName,
    Issue,
    find_event_errors,
    find_event_warnings,
    find_links,
    get_field,
    id_to_text,
    is_given,
    is_placeholder,
    read_identities,
)
from intempt_core.mapping import (
    ISO_OR_EPOCH_MS,
    LazyMapping,
    MappedTable,
    build_time_parser,
    is_cell_of_type,
    parse_time,
    parse_time_suffix,
)
from intempt_core.validation.time_column import (
    NO_OFFSET,
    STABLE_OFFSETS_FROM_MS,
    accepts_iso_dates,
    convert_to_utc,
    get_digit_scale,
    read_pattern_times,
)

RULE_BLOCK_ROWS = 1 << 18
"""Rows that the rules look at together: memory stays that of so many, whatever the size of the file."""

_VISIBLE_ASCII = range(0x21, 0x7F)
assert not any(character.encode()[0] in _VISIBLE_ASCII for character in BLANK_CHARACTERS)  # noqa: S101  what Cells.plain relies on
_EXACT_PATTERNS = {  # spellings whose value a double surely keeps, up to 15 characters
    "number": r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$",
    "integer": r"^-?(?:0|[1-9][0-9]*)$",
    "boolean": r"^(?:true|false)$",
}
MAX_EXACT_DIGITS = 15  # of a whole number that stays one when it is multiplied by a thousand
_INT64 = np.iinfo(np.int64)


@cache
def _make_placeholder_array() -> pa.Array:
    return make_array(sorted(PLACEHOLDER_IDS))


def to_mask(array: pa.Array) -> Mask:
    """An Arrow array of booleans as NumPy has it."""
    found: Mask = view_numbers(array)
    return found


class TextColumn:
    """One column and what the rules ask of its cells, each answer made once, for all rows together."""

    def __init__(self, array: pa.Array) -> None:
        self.array = array

    @cached_property
    def lengths(self) -> Int64Array:
        """Bytes of each cell."""
        found: Int64Array = view_numbers(pc.binary_length(self.array))
        return found

    @cached_property
    def is_visible_ascii(self) -> bool:
        """Whether every byte is visible ASCII, so that no cell holds white space of any kind."""
        used = view_bytes(self.array)
        return not used.size or (int(used.min()) in _VISIBLE_ASCII and int(used.max()) in _VISIBLE_ASCII)

    @cached_property
    def trimmed(self) -> pa.Array:
        """The cells without white space around them."""
        return self.array if self.is_visible_ascii else pc.utf8_trim(self.array, characters=BLANK_CHARACTERS)

    @cached_property
    def given(self) -> Mask:
        """Compiled ``events.is_given``."""
        return self.lengths > 0 if self.is_visible_ascii else view_numbers(pc.binary_length(self.trimmed)) > 0

    @cached_property
    def placeholders(self) -> Mask:
        """Compiled ``events.is_placeholder``, among the given."""
        return to_mask(pc.is_in(pc.ascii_lower(self.trimmed), value_set=_make_placeholder_array())) & self.given

    @cached_property
    def real(self) -> Mask:
        """Given and no placeholder: such an id may link events to a person."""
        return self.given & ~self.placeholders

    def matches(self, code: str) -> Mask | None:
        """Compiled ``events.ID_PATTERNS``, among the given; ``None`` where no cell can match."""
        if code == "id_white_space" and self.is_visible_ascii:
            return None
        return to_mask(pc.match_substring_regex(self.array, ID_PATTERNS[code])) & self.given

    @cached_property
    def codes(self) -> Int64Array:
        """A number for each given id, the same for equal ones; -1 where none is given."""
        codes = view_numbers(self.array.dictionary_encode().indices).astype(np.int64)
        codes[~self.given] = -1
        found: Int64Array = codes
        return found

    def equals_previous(self, rows: Int64Array) -> Mask:
        """Whether the cells of these rows equal those of the rows before them."""
        return to_mask(pc.equal(self.array.take(make_array(rows)), self.array.take(make_array(rows - 1))))


def find_lost_zeros(ids: pa.Array) -> tuple[Int64Array, int]:
    """Where leading zeros may be lost: (rows, width of the ids that still have theirs), CONTRACT 1.2, 2.8.

    Among ids of digits only some begin with zeros; the widest of those tells the width, and shorter ones that do not
    begin with a zero are doubtful.
    """
    digits = to_mask(pc.ascii_is_decimal(ids))
    leads_with_zero = to_mask(pc.starts_with(ids, "0"))
    lengths = view_numbers(pc.binary_length(ids))
    padded = digits & leads_with_zero & (lengths > 1)
    width = int(lengths[padded].max()) if padded.any() else 0
    return np.flatnonzero(digits & ~leads_with_zero & (lengths < width)), width


def find_mistyped(cells: TextColumn, kind: str) -> Int64Array:
    """The rows whose cell is there and is not of its type: compiled ``mapping.is_typed``."""
    if kind == "text":
        return np.empty(0, np.int64)
    doubtful = cells.lengths > 0
    doubtful &= ~(to_mask(pc.match_substring_regex(cells.array, _EXACT_PATTERNS[kind])) & (cells.lengths <= 15))
    rows = np.flatnonzero(doubtful)
    spellings = cells.array.take(make_array(rows)).dictionary_encode()
    fits = np.array([is_cell_of_type(cell, kind) for cell in spellings.dictionary.to_pylist()], np.bool_)
    found: Int64Array = rows[~fits[view_numbers(spellings.indices)]] if len(rows) else rows
    return found


# ── times ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class TimeState(IntEnum):
    """What became of a cell that should hold a time."""

    ABSENT = 0
    UNREADABLE = 1
    READ = 2


class TimestampColumn:
    """A column of times: compiled ``times.reader_of``. ``ms`` is epoch milliseconds where ``state`` is ``READ``."""

    def __init__(self, cells: TextColumn, zone: ZoneInfo, form: str = ISO_OR_EPOCH_MS) -> None:
        count = len(cells.array)
        self.ms: Int64Array = np.zeros(count, np.int64)
        self.state: NDArray[np.int8] = np.where(cells.lengths > 0, TimeState.UNREADABLE, TimeState.ABSENT).astype(
            np.int8
        )
        if scale := get_digit_scale(form):
            times, over = scale
            digits = np.flatnonzero(to_mask(pc.ascii_is_decimal(cells.array)) & (cells.lengths <= MAX_EXACT_DIGITS))
            whole = cells.array if digits.size == count else cells.array.take(make_array(digits))
            self._set_times(digits, view_numbers(whole.cast(pa.int64())) * times // over)
        if accepts_iso_dates(form):
            rest = np.flatnonzero((self.state == TimeState.UNREADABLE) & (cells.lengths >= 19))
            if rest.size:
                read, ms = _read_iso_times(cells.array.take(make_array(rest)), zone)
                self._set_times(rest[read], ms[read])
        elif scale is None:
            rest = np.flatnonzero(self.state == TimeState.UNREADABLE)
            read, ms = read_pattern_times(cells.array.take(make_array(rest)), form, zone)
            self._set_times(rest[read], ms[read])
        rest = np.flatnonzero(self.state == TimeState.UNREADABLE)
        if not rest.size:
            return
        spellings = cells.array.take(make_array(rest)).dictionary_encode()
        found = [*map(build_time_parser(form, zone), spellings.dictionary.to_pylist())]
        codes = view_numbers(spellings.indices)
        read = np.array([time is not None for time in found])[codes]
        self._set_times(rest[read], np.array([clamp_to_int64(time or 0) for time in found], np.int64)[codes][read])

    def _set_times(self, rows: Int64Array, ms: Int64Array) -> None:
        self.ms[rows] = ms
        self.state[rows] = TimeState.READ

    def equals_previous(self, rows: Int64Array) -> Mask:
        """Whether these rows have the time of the rows before them; none is a time too, an unreadable one is not."""
        found: Mask = (
            (self.state[rows] == self.state[rows - 1])
            & (self.state[rows] != TimeState.UNREADABLE)
            & (self.ms[rows] == self.ms[rows - 1])
        )
        return found


def clamp_to_int64(time: int) -> int:
    """A time that fits into 64 bits; what is beyond is as wrong as the greatest."""
    return min(max(time, _INT64.min), _INT64.max)


def _read_iso_times(cells: pa.Array, zone: ZoneInfo) -> tuple[Mask, Int64Array]:
    """Times of the form ``2022-10-01 00:00:00`` and a tail: which were read, and their epoch milliseconds.

    Days, clocks and tails each repeat in a column, so each is read once per spelling and they are added up.
    """
    days, day_ms, _ = _read_each_spelling(cells, 0, 10, lambda day: (parse_time(f"{day}T00:00:00Z", zone), 0))
    clocks, clock_ms, _ = _read_each_spelling(cells, 10, 19, lambda clock: (parse_time(f"1970-01-01{clock}Z", zone), 0))
    tails, cut_ms, east = _read_each_spelling(cells, 19, None, lambda tail: parse_time_suffix(tail) or (None, 0))
    good = days & clocks & tails
    ms = day_ms + clock_ms + cut_ms
    wall = good & (east == NO_OFFSET)
    ms -= np.where(wall, 0, east * 60_000)
    if wall.any() and zone.key != "UTC":
        good &= ~wall | (ms >= STABLE_OFFSETS_FROM_MS)  # an older one is read by itself
        wall &= good
        ms[wall] = convert_to_utc(ms[wall], zone)
    return good, ms


def _read_each_spelling(
    cells: pa.Array, start: int, stop: int | None, read: Callable[[str], tuple[int | None, int | None]]
) -> tuple[Mask, Int64Array, Int64Array]:
    """A part of each cell, read once per spelling: whether it was read, its milliseconds, its minutes east of UTC."""
    spellings = pc.utf8_slice_codeunits(cells, start, stop).dictionary_encode()
    codes = view_numbers(spellings.indices)
    found = [read(text) for text in spellings.dictionary.to_pylist()]
    good = np.array([ms is not None for ms, _ in found], np.bool_)
    ms = np.array([ms or 0 for ms, _ in found], np.int64)
    east = np.array([NO_OFFSET if minutes is None else minutes for _, minutes in found], np.int64)
    return good[codes], ms[codes], east[codes]


# ── a mapped table ───────────────────────────────────────────────────────────────────────────────────────────────────


class ColumnChecker:
    """A mapped table as the rules see it."""

    def __init__(self, mapped: MappedTable) -> None:
        self.mapped = mapped
        self.rows = mapped.rows
        self.cells = LazyMapping(mapped.cells, lambda field: TextColumn(mapped.cells[field]))
        self.constant_event = mapped.blank_event()

    def errors(self) -> Iterator[tuple[str, Int64Array, str]]:
        """Every error that one event can show by itself: code, rows that show it, field. A code may come often."""
        yield from self._find_in_every_row(find_event_errors(self.constant_event))
        if "name" in self.cells:
            yield "event_name", np.flatnonzero(~self._has_name(*EventName)), "name"
        for field, code in (("eventId", "event_id_missing"), ("data.productId", "product_id_missing")):
            if field in self.cells:
                yield code, np.flatnonzero(~self.cells[field].given), field
        columns = [self.cells[field].given for field in IDENTITY_FIELDS if field in self.cells]
        if columns and not any(is_given(get_field(self.constant_event.body, field)) for field in IDENTITY_FIELDS):
            yield "identity_missing", np.flatnonzero(~np.logical_or.reduce(columns)), ""
        if self.times is not None:
            read = self.times.state == TimeState.READ
            yield "timestamp_unreadable", np.flatnonzero(self.times.state == TimeState.UNREADABLE), "timestamp"
            yield "timestamp_before_2010", np.flatnonzero(read & (self.times.ms < EARLIEST_MS)), "timestamp"

    def warnings(self) -> Iterator[tuple[str, Int64Array, str]]:
        """Every warning that one event can show by itself, as :meth:`errors` tells the errors."""
        yield from self._find_in_every_row(find_event_warnings(self.constant_event))
        if self.times is not None:
            late = (self.times.state == TimeState.READ) & (self.times.ms > LATEST_MS)
            yield "timestamp_after_2040", np.flatnonzero(late), "timestamp"
        for field, kind in self.mapped.mapping.types.items():
            yield "value_type", find_mistyped(self.cells[field], kind), field
        for field in ID_FIELDS:
            if field in self.cells and self.cells[field].given.any():
                yield "id_placeholder", np.flatnonzero(self.cells[field].placeholders), field
                for code in ID_PATTERNS:
                    matches = self.cells[field].matches(code)
                    if matches is not None:
                        yield code, np.flatnonzero(matches), field

    def _find_in_every_row(self, issues: Iterable[Issue]) -> Iterator[tuple[str, Int64Array, str]]:
        """What the model finds wrong with every row: by a constant, or by a field that has no source at all."""
        checked_here = {self.constant_event.place_of(field).pointer for field in self.cells}
        if any(field in self.cells for field in IDENTITY_FIELDS):
            checked_here.add(self.constant_event.place_of("").pointer)  # identity_missing
        for issue in issues:
            if issue.place.pointer not in checked_here:
                yield issue.code, np.arange(self.rows), ""

    def unknown_products(self, is_unknown_product: Callable[[pa.Array], Mask]) -> Iterator[tuple[str, Int64Array, str]]:
        """CONTRACT 2.5: the rows whose product id is given and, as ``lacks`` says, in no catalogue."""
        field = "data.productId"
        if field in self.cells:
            cells = self.cells[field]
            yield "product_unknown", np.flatnonzero(is_unknown_product(cells.array) & cells.given), field
        elif (text := id_to_text(get_field(self.constant_event.body, field))) is not None:
            unknown = bool(is_unknown_product(make_array([text]))[0])
            yield "product_unknown", np.arange(self.rows if unknown else 0), field

    @cached_property
    def times(self) -> TimestampColumn | None:
        """The column of times, if there is one."""
        cells = self.cells.get("timestamp")
        return TimestampColumn(cells, self.mapped.zone, self.mapped.mapping.time_format) if cells else None

    def _has_name(self, *names: EventName) -> Mask:
        """Whether the row's name is, or is mapped to, one of these; a row without a name is not."""
        if "name" not in self.cells:
            return np.full(self.rows, self.constant_event.name in names)
        mapped = self.mapped.mapping.names
        spellings = [name.value for name in names if mapped.get(name.value, name.value) in names]
        spellings += [cell for cell, name in mapped.items() if name in names]
        return to_mask(pc.is_in(self.cells["name"].array, value_set=make_array(spellings)))

    def event_ids(self) -> list[str | None]:
        """The event id of each row as text, ``None`` where there is none."""
        if self.mapped.makes_ids:
            made: list[str | None] = self.mapped.made_ids.to_pylist()
            return made
        if "eventId" in self.cells:
            return [id_to_text(cell) for cell in self.cells["eventId"].array.to_pylist()]
        return [id_to_text(get_field(self.constant_event.body, "eventId"))] * self.rows

    @cached_property
    def id_codes(self) -> Int64Array:
        """A number for each event id, the same for equal ones; -1 where there is none."""
        if self.mapped.makes_ids:
            return np.arange(self.rows)
        if "eventId" not in self.cells:
            return self.codes_of("eventId")
        column = self.mapped.table.columns[self.mapped.field_columns["eventId"]]
        hashes, given = np.empty(self.rows, np.uint64), np.empty(self.rows, np.bool_)
        for start in range(0, self.rows, RULE_BLOCK_ROWS):
            array = combine_column(column.slice(start, RULE_BLOCK_ROWS))
            hashes[start : start + len(array)] = hash_texts(array)
            given[start : start + len(array)] = TextColumn(array).given
            self.mapped.table.release_memory()
        found = factorize_texts(hashes, column)
        found[~given] = -1
        return found

    def product_codes(self, rows: Int64Array) -> Int64Array:
        """A number for the product id of each of these rows (sorted), equal for equal ones; -1 where there is none."""
        return ColumnChecker(self.mapped.select_rows(rows)).codes_of("data.productId")

    def codes_of(self, field: str) -> Int64Array:
        """A number for each id in a field, the same for equal ones; -1 where there is none."""
        if field in self.cells:
            return self.cells[field].codes
        return np.full(self.rows, -1 if id_to_text(get_field(self.constant_event.body, field)) is None else 0)

    @cached_property
    def is_order(self) -> Mask:
        """The rows of the name ``Product ordered``."""
        return self._has_name(EventName.ORDERED)

    @cached_property
    def order_codes(self) -> Int64Array:
        """A number for each order: neighbouring rows share it that are lines of one order (CONTRACT 2.9).

        They have the same event id, name, person and time; the name is ``Product ordered``.
        """
        linked = np.zeros(self.rows, np.bool_)
        rows = np.flatnonzero((self.id_codes[1:] == self.id_codes[:-1]) & (self.id_codes[1:] >= 0)) + 1
        if rows.size:
            both = np.union1d(rows, rows - 1)
            some, at_ = ColumnChecker(self.mapped.select_rows(both)), np.searchsorted(both, rows)
            same = some.is_order[at_] & some.is_order[at_ - 1]
            if some.times is not None:  # a constant time is the same, or an error of every row
                same &= some.times.equals_previous(at_)
            linked[rows[same & some.is_same_person(at_)]] = True
        found: Int64Array = np.cumsum(~linked)
        return found

    def is_same_person(self, rows: Int64Array) -> Mask:
        """Whether these rows and those before them share an id that links both to a person."""
        same = np.zeros(len(rows), np.bool_)
        for field, linked in self.links.items():
            both = linked[rows] & linked[rows - 1]
            same |= both & self.cells[field].equals_previous(rows) if field in self.cells else both
        return same

    @cached_property
    def links(self) -> dict[str, Mask]:
        """The rows whose id links them to a person, by the id's field: :func:`find_links` over columns."""
        constants = read_identities(self.constant_event.body)
        given: dict[str, Mask] = {}
        real: dict[str, Mask] = {}
        for field in IDENTITY_FIELDS:
            if field in self.cells:
                given[field], real[field] = self.cells[field].given, self.cells[field].real
            elif field in constants:
                given[field] = np.ones(self.rows, np.bool_)
                real[field] = np.full(self.rows, not is_placeholder(constants[field]))
        return find_links(given, real)
