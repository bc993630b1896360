"""The field rules of ``events.py``, compiled over whole columns; part of the room of ``checks.py``.

Names, patterns, placeholders, white space and bounds come from the declarations there. What no column rule can tell
(a constant, a field without a column) the model is asked once, about an event made of nothing but constants. What is
fast here is only ever a shortcut for a cell that is surely good; any other cell is read by the same function that
reads one cell. ``tests/core/test_one_truth.py`` holds that both speeds give the same codes.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from functools import cache, cached_property
from typing import TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from intempt_core.cells import LazyMapping, view_bytes, is_cell_of_type, combine_column, parse_time_suffix, parse_time
from intempt_core.events import (
    EARLIEST_MS,
    ID_FIELDS,
    ID_PATTERNS,
    IDENTITY_FIELDS,
    LATEST_MS,
    LINKING_FIELDS,
    PLACEHOLDER_IDS,
    BLANK_CHARACTERS,
    EventName,
    get_field,
    find_event_errors,
    id_to_text,
    read_identities,
    is_given,
    is_placeholder,
    read_linking_ids,
    find_event_warnings,
)
from intempt_core.issues import Issue
from intempt_core.mapped import MappedTable
from intempt_core.numbering import factorize_texts, hash_texts
from intempt_core.time_columns import NO_ZONE, ZONES_KNOWN_FROM, digits_scale, read_patterned, takes_dates, to_utc
from intempt_core.times import ISO_OR_EPOCH_MS, build_time_parser

Mask: TypeAlias = NDArray[np.bool_]
Numbers: TypeAlias = NDArray[np.int64]
"""Row indices from 0, codes or times, by context."""

ROWS_AT_ONCE = 1 << 18
"""Rows that the rules look at together: memory stays that of so many, whatever the size of the file."""

_NO_WHITE = range(0x21, 0x7F)
assert not any(character.encode()[0] in _NO_WHITE for character in BLANK_CHARACTERS)  # noqa: S101  what Cells.plain relies on
_SURE = {  # spellings whose value a double surely keeps, up to 15 characters
    "number": r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$",
    "integer": r"^-?(?:0|[1-9][0-9]*)$",
    "boolean": r"^(?:true|false)$",
}
SURE_DIGITS = 15  # of a whole number that stays one when it is multiplied by a thousand
_I64 = np.iinfo(np.int64)


@cache
def _placeholders() -> pa.Array:
    """Made when first asked for: the first Arrow array of a process brings pandas along, and takes its time."""
    return pa.array(sorted(PLACEHOLDER_IDS), pa.large_string())


def mask_of(array: pa.Array) -> Mask:
    """An Arrow array of booleans as NumPy has it."""
    found: Mask = array.to_numpy(zero_copy_only=False)
    return found


class Cells:
    """One column and what the rules ask of its cells, each answer made once, for all rows together."""

    def __init__(self, array: pa.Array) -> None:
        self.array = array

    @cached_property
    def lengths(self) -> Numbers:
        """Bytes of each cell."""
        found: Numbers = pc.binary_length(self.array).to_numpy(zero_copy_only=False)
        return found

    @cached_property
    def plain(self) -> bool:
        """Whether every byte is visible ASCII, so that no cell holds white space of any kind."""
        used = view_bytes(self.array)
        return not used.size or (int(used.min()) in _NO_WHITE and int(used.max()) in _NO_WHITE)

    @cached_property
    def trimmed(self) -> pa.Array:
        """The cells without white space around them."""
        return self.array if self.plain else pc.utf8_trim(self.array, characters=BLANK_CHARACTERS)

    @cached_property
    def given(self) -> Mask:
        """Compiled ``events.is_given``."""
        return self.lengths > 0 if self.plain else pc.binary_length(self.trimmed).to_numpy(zero_copy_only=False) > 0

    @cached_property
    def placeholders(self) -> Mask:
        """Compiled ``events.is_placeholder``, among the given."""
        return mask_of(pc.is_in(pc.ascii_lower(self.trimmed), value_set=_placeholders())) & self.given

    @cached_property
    def real(self) -> Mask:
        """Given and no placeholder: such an id may link events to a person."""
        return self.given & ~self.placeholders

    def matches(self, code: str) -> Mask | None:
        """Compiled ``events.ID_PATTERNS``, among the given; ``None`` where no cell can match."""
        if code == "id_white_space" and self.plain:
            return None
        return mask_of(pc.match_substring_regex(self.array, ID_PATTERNS[code])) & self.given

    @cached_property
    def codes(self) -> Numbers:
        """A number for each given id, the same for equal ones; -1 where none is given."""
        codes = self.array.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
        codes[~self.given] = -1
        found: Numbers = codes
        return found

    def same_as_before(self, rows: Numbers) -> Mask:
        """Whether the cells of these rows equal those of the rows before them."""
        return mask_of(pc.equal(self.array.take(pa.array(rows)), self.array.take(pa.array(rows - 1))))


def zeros_lost(ids: pa.Array) -> tuple[Numbers, int]:
    """Where leading zeros may be lost: (rows, width of the ids that still have theirs), CONTRACT 1.2, 2.8.

    Among ids of digits only some begin with zeros; the widest of those tells the width, and shorter ones that do not
    begin with a zero are doubtful.
    """
    digits = mask_of(pc.ascii_is_decimal(ids))
    led = mask_of(pc.starts_with(ids, "0"))
    lengths = pc.binary_length(ids).to_numpy(zero_copy_only=False)
    padded = digits & led & (lengths > 1)
    width = int(lengths[padded].max()) if padded.any() else 0
    return np.flatnonzero(digits & ~led & (lengths < width)), width


def not_typed(cells: Cells, kind: str) -> Numbers:
    """The rows whose cell is there and is not of its type: compiled ``mapping.is_typed``."""
    if kind == "text":
        return np.empty(0, np.int64)
    doubtful = cells.lengths > 0
    doubtful &= ~(mask_of(pc.match_substring_regex(cells.array, _SURE[kind])) & (cells.lengths <= 15))
    rows = np.flatnonzero(doubtful)
    words = cells.array.take(pa.array(rows)).dictionary_encode()
    fits = np.array([is_cell_of_type(cell, kind) for cell in words.dictionary.to_pylist()], np.bool_)
    found: Numbers = rows[~fits[words.indices.to_numpy(zero_copy_only=False)]] if len(rows) else rows
    return found


# ── times ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class TimeState(IntEnum):
    """What became of a cell that should hold a time."""

    ABSENT = 0
    UNREADABLE = 1
    READ = 2


class Times:
    """A column of times: compiled ``times.reader_of``. ``ms`` is epoch milliseconds where ``state`` is ``READ``."""

    def __init__(self, cells: Cells, zone: ZoneInfo, form: str = ISO_OR_EPOCH_MS) -> None:
        count = len(cells.array)
        self.ms: Numbers = np.zeros(count, np.int64)
        self.state: NDArray[np.int8] = np.where(cells.lengths > 0, TimeState.UNREADABLE, TimeState.ABSENT).astype(
            np.int8
        )
        if scale := digits_scale(form):
            times, over = scale
            digits = np.flatnonzero(mask_of(pc.ascii_is_decimal(cells.array)) & (cells.lengths <= SURE_DIGITS))
            whole = cells.array if digits.size == count else cells.array.take(pa.array(digits))
            self._put(digits, whole.cast(pa.int64()).to_numpy() * times // over)
        if takes_dates(form):
            rest = np.flatnonzero((self.state == TimeState.UNREADABLE) & (cells.lengths >= 19))
            if rest.size:
                read, ms = _read_dated(cells.array.take(pa.array(rest)), zone)
                self._put(rest[read], ms[read])
        elif scale is None:
            rest = np.flatnonzero(self.state == TimeState.UNREADABLE)
            read, ms = read_patterned(cells.array.take(pa.array(rest)), form, zone)
            self._put(rest[read], ms[read])
        rest = np.flatnonzero(self.state == TimeState.UNREADABLE)
        if not rest.size:
            return
        words = cells.array.take(pa.array(rest)).dictionary_encode()
        found = [*map(build_time_parser(form, zone), words.dictionary.to_pylist())]
        word = words.indices.to_numpy(zero_copy_only=False)
        read = np.array([time is not None for time in found])[word]
        self._put(rest[read], np.array([clamped(time or 0) for time in found], np.int64)[word][read])

    def _put(self, rows: Numbers, ms: Numbers) -> None:
        self.ms[rows] = ms
        self.state[rows] = TimeState.READ

    def same_as_before(self, rows: Numbers) -> Mask:
        """Whether these rows have the time of the rows before them; none is a time too, an unreadable one is not."""
        found: Mask = (
            (self.state[rows] == self.state[rows - 1])
            & (self.state[rows] != TimeState.UNREADABLE)
            & (self.ms[rows] == self.ms[rows - 1])
        )
        return found


def clamped(time: int) -> int:
    """A time that fits into 64 bits; what is beyond is as wrong as the greatest."""
    return min(max(time, _I64.min), _I64.max)


def _read_dated(cells: pa.Array, zone: ZoneInfo) -> tuple[Mask, Numbers]:
    """Times of the form ``2022-10-01 00:00:00`` and a tail: which were read, and their epoch milliseconds.

    Days, clocks and tails each repeat in a column, so each is read once per spelling and they are added up.
    """
    days, day_ms, _ = _spellings(cells, 0, 10, lambda day: (parse_time(f"{day}T00:00:00Z", zone), 0))
    clocks, clock_ms, _ = _spellings(cells, 10, 19, lambda clock: (parse_time(f"1970-01-01{clock}Z", zone), 0))
    tails, cut_ms, east = _spellings(cells, 19, None, lambda tail: parse_time_suffix(tail) or (None, 0))
    good = days & clocks & tails
    ms = day_ms + clock_ms + cut_ms
    wall = good & (east == NO_ZONE)
    ms -= np.where(wall, 0, east * 60_000)
    if wall.any() and zone.key != "UTC":
        good &= ~wall | (ms >= ZONES_KNOWN_FROM)  # an older one is read by itself
        wall &= good
        ms[wall] = to_utc(ms[wall], zone)
    return good, ms


def _spellings(
    cells: pa.Array, start: int, stop: int | None, read: Callable[[str], tuple[int | None, int | None]]
) -> tuple[Mask, Numbers, Numbers]:
    """A part of each cell, read once per spelling: whether it was read, its milliseconds, its minutes east of UTC."""
    words = pc.utf8_slice_codeunits(cells, start, stop).dictionary_encode()
    word = words.indices.to_numpy(zero_copy_only=False)
    found = [read(text) for text in words.dictionary.to_pylist()]
    good = np.array([ms is not None for ms, _ in found], np.bool_)
    ms = np.array([ms or 0 for ms, _ in found], np.int64)
    east = np.array([NO_ZONE if minutes is None else minutes for _, minutes in found], np.int64)
    return good[word], ms[word], east[word]


# ── a mapped table ───────────────────────────────────────────────────────────────────────────────────────────────────


class Columns:
    """A mapped table as the rules see it."""

    def __init__(self, mapped: MappedTable) -> None:
        self.mapped = mapped
        self.rows = mapped.rows
        self.cells = LazyMapping(mapped.cells, lambda field: Cells(mapped.cells[field]))
        self.blank = mapped.blank_event()

    def errors(self) -> Iterator[tuple[str, Numbers, str]]:
        """Every error that one event can show by itself: code, rows that show it, field. A code may come often."""
        yield from self._of_every_row(find_event_errors(self.blank))
        if "name" in self.cells:
            yield "event_name", np.flatnonzero(~self._named(*EventName)), "name"
        for field, code in (("eventId", "event_id_missing"), ("data.productId", "product_id_missing")):
            if field in self.cells:
                yield code, np.flatnonzero(~self.cells[field].given), field
        columns = [self.cells[field].given for field in IDENTITY_FIELDS if field in self.cells]
        if columns and not any(is_given(get_field(self.blank.body, field)) for field in IDENTITY_FIELDS):
            yield "identity_missing", np.flatnonzero(~np.logical_or.reduce(columns)), ""
        if self.times is not None:
            read = self.times.state == TimeState.READ
            yield "timestamp_unreadable", np.flatnonzero(self.times.state == TimeState.UNREADABLE), "timestamp"
            yield "timestamp_before_2010", np.flatnonzero(read & (self.times.ms < EARLIEST_MS)), "timestamp"

    def warnings(self) -> Iterator[tuple[str, Numbers, str]]:
        """Every warning that one event can show by itself, as :meth:`errors` tells the errors."""
        yield from self._of_every_row(find_event_warnings(self.blank))
        if self.times is not None:
            late = (self.times.state == TimeState.READ) & (self.times.ms > LATEST_MS)
            yield "timestamp_after_2040", np.flatnonzero(late), "timestamp"
        for field, kind in self.mapped.mapping.types.items():
            yield "value_type", not_typed(self.cells[field], kind), field
        for field in ID_FIELDS:
            if field in self.cells and self.cells[field].given.any():
                yield "id_placeholder", np.flatnonzero(self.cells[field].placeholders), field
                for code in ID_PATTERNS:
                    matches = self.cells[field].matches(code)
                    if matches is not None:
                        yield code, np.flatnonzero(matches), field

    def _of_every_row(self, issues: Iterable[Issue]) -> Iterator[tuple[str, Numbers, str]]:
        """What the model finds wrong with every row: by a constant, or by a field that has no source at all."""
        judged_here = {self.blank.place_of(field).pointer for field in self.cells}
        if any(field in self.cells for field in IDENTITY_FIELDS):
            judged_here.add(self.blank.place_of("").pointer)  # identity_missing
        for issue in issues:
            if issue.place.pointer not in judged_here:
                yield issue.code, np.arange(self.rows), ""

    def lacking(self, lacks: Callable[[pa.Array], Mask]) -> Iterator[tuple[str, Numbers, str]]:
        """CONTRACT 2.5: the rows whose product id is given and, as ``lacks`` says, in no catalogue."""
        field = "data.productId"
        if field in self.cells:
            cells = self.cells[field]
            yield "product_unknown", np.flatnonzero(lacks(cells.array) & cells.given), field
        elif (text := id_to_text(get_field(self.blank.body, field))) is not None:
            unknown = bool(lacks(pa.array([text], pa.large_string()))[0])
            yield "product_unknown", np.arange(self.rows if unknown else 0), field

    @cached_property
    def times(self) -> Times | None:
        """The column of times, if there is one."""
        cells = self.cells.get("timestamp")
        return Times(cells, self.mapped.zone, self.mapped.mapping.time_format) if cells else None

    def _named(self, *names: EventName) -> Mask:
        """Whether the row's name is, or is mapped to, one of these; a row without a name is not."""
        if "name" not in self.cells:
            return np.full(self.rows, self.blank.name in names)
        mapped = self.mapped.mapping.names
        words = [name.value for name in names if mapped.get(name.value, name.value) in names]
        words += [cell for cell, name in mapped.items() if name in names]
        return mask_of(pc.is_in(self.cells["name"].array, value_set=pa.array(words, pa.large_string())))

    def event_ids(self) -> list[str | None]:
        """The event id of each row as text, ``None`` where there is none."""
        if self.mapped.makes_ids:
            made: list[str | None] = self.mapped.made_ids.to_pylist()
            return made
        if "eventId" in self.cells:
            return [id_to_text(cell) for cell in self.cells["eventId"].array.to_pylist()]
        return [id_to_text(get_field(self.blank.body, "eventId"))] * self.rows

    @cached_property
    def ids(self) -> Numbers:
        """A number for each event id, the same for equal ones; -1 where there is none."""
        if self.mapped.makes_ids:
            return np.arange(self.rows)
        if "eventId" not in self.cells:
            return self.codes_of("eventId")
        column = self.mapped.table.columns[self.mapped.field_columns["eventId"]]
        hashes, given = np.empty(self.rows, np.uint64), np.empty(self.rows, np.bool_)
        for start in range(0, self.rows, ROWS_AT_ONCE):
            array = combine_column(column.slice(start, ROWS_AT_ONCE))
            hashes[start : start + len(array)] = hash_texts(array)
            given[start : start + len(array)] = Cells(array).given
            self.mapped.table.release_memory()
        found = factorize_texts(hashes, column)
        found[~given] = -1
        return found

    def products(self, rows: Numbers) -> Numbers:
        """A number for the product id of each of these rows (sorted), equal for equal ones; -1 where there is none."""
        return Columns(self.mapped.select_rows(rows)).codes_of("data.productId")

    def codes_of(self, field: str) -> Numbers:
        """A number for each id in a field, the same for equal ones; -1 where there is none."""
        if field in self.cells:
            return self.cells[field].codes
        return np.full(self.rows, -1 if id_to_text(get_field(self.blank.body, field)) is None else 0)

    @cached_property
    def ordered(self) -> Mask:
        """The rows of the name ``Product ordered``."""
        return self._named(EventName.ORDERED)

    @cached_property
    def orders(self) -> Numbers:
        """A number for each order: neighbouring rows share it that are lines of one order (CONTRACT 2.9).

        They have the same event id, name, person and time; the name is ``Product ordered``.
        """
        linked = np.zeros(self.rows, np.bool_)
        rows = np.flatnonzero((self.ids[1:] == self.ids[:-1]) & (self.ids[1:] >= 0)) + 1
        if rows.size:
            both = np.union1d(rows, rows - 1)
            some, at_ = Columns(self.mapped.select_rows(both)), np.searchsorted(both, rows)
            same = some.ordered[at_] & some.ordered[at_ - 1]
            if some.times is not None:  # a constant time is the same, or an error of every row
                same &= some.times.same_as_before(at_)
            linked[rows[same & some.same_person(at_)]] = True
        found: Numbers = np.cumsum(~linked)
        return found

    def same_person(self, rows: Numbers) -> Mask:
        """Whether these rows and those before them are one person's by themselves: compiled ``events.linking_of``."""
        constants = read_identities(self.blank.body)
        same = np.zeros(len(rows), np.bool_)
        for field in LINKING_FIELDS:
            if field in self.cells:
                same |= self.cells[field].real[rows] & self.cells[field].same_as_before(rows)
        if any(field in LINKING_FIELDS for field, _ in read_linking_ids(self.blank.body)):
            same[:] = True
        only = np.ones(self.rows, np.bool_)
        for field in LINKING_FIELDS:
            only &= ~self.cells[field].given if field in self.cells else np.full(self.rows, field not in constants)
        if "accountId" in self.cells:
            account = self.cells["accountId"]
            same |= only[rows] & only[rows - 1] & account.real[rows] & account.same_as_before(rows)
        elif "accountId" in constants and not is_placeholder(constants["accountId"]):
            same |= only[rows] & only[rows - 1]
        return same
