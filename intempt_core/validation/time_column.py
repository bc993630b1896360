"""A column of times, read as a whole: epoch numbers, ISO 8601, or the form that a mapping names.

Digits, days, clocks and zones each repeat in a column, so each spelling is read once. That is a shortcut for cells that
are surely good; any other is read one by one, by ``build_time_parser``.
"""

from collections.abc import Callable
from enum import IntEnum
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from intempt_core.arrays import Int64Array, Mask, make_array, view_numbers
from intempt_core.mapping import (
    EPOCH_MICROSECONDS,
    EPOCH_MILLISECONDS,
    EPOCH_SECONDS,
    ISO_ONLY,
    ISO_OR_EPOCH_MS,
    NAMED_TIME_FORMATS,
    build_time_parser,
    compile_time_pattern,
    expand_year,
    parse_12_hour,
    parse_month,
    parse_time,
    parse_time_suffix,
    parse_zone,
    split_time_formats,
)
from intempt_core.validation.text_column import TextColumn, to_mask

NO_OFFSET = -100_000  # minutes that no offset has
STABLE_OFFSETS_FROM_MS = 946_684_800_000  # 2000-01-01: since then no zone has changed its offset within a minute
MAX_EXACT_DIGITS = 15  # of a whole number that stays one when it is multiplied by a thousand
_NOT_READ = -1
_INT64 = np.iinfo(np.int64)


def get_digit_scale(form: str) -> tuple[int, int] | None:
    """How a cell of up to 15 digits becomes milliseconds: (times, over); ``None`` where the form takes no number."""
    return {
        ISO_OR_EPOCH_MS: (1, 1),
        EPOCH_MILLISECONDS: (1, 1),
        EPOCH_SECONDS: (1000, 1),
        EPOCH_MICROSECONDS: (1, 1000),
    }.get(form)


def accepts_iso_dates(form: str) -> bool:
    """Whether the form takes ISO 8601."""
    return form in (ISO_OR_EPOCH_MS, ISO_ONLY)


def convert_to_utc(wall: Int64Array, zone: ZoneInfo) -> Int64Array:
    """Milliseconds of a zone's wall clock, from 2000 on, as epoch milliseconds."""
    if zone.key == "UTC" or not wall.size:
        return wall
    minutes, which = np.unique(wall // 60_000, return_inverse=True)
    found: Int64Array = wall - np.array([_compute_offset_ms(int(minute), zone) for minute in minutes], np.int64)[which]
    return found


def _compute_offset_ms(minute: int, zone: ZoneInfo) -> int:
    """How far the zone is east of UTC at a minute of its wall clock."""
    wall = np.datetime64(minute, "m").item()
    away = zone.utcoffset(wall)
    return round(away.total_seconds() * 1000) if away else 0


def read_pattern_times(cells: pa.Array, form: str, zone: ZoneInfo) -> tuple[Mask, Int64Array]:
    """The cells of a pattern: which were read, and their epoch milliseconds. No other form has any."""
    count = len(cells)
    if form in NAMED_TIME_FORMATS or not count:
        return np.zeros(count, np.bool_), np.zeros(count, np.int64)
    pattern = compile_time_pattern(form)
    found = pc.extract_regex(cells, pattern.expression)
    good: Mask = view_numbers(found.is_valid())
    struct = found.filter(make_array(good))
    parts = {name: struct.field(name) for name in pattern.parts}

    def read_year(text: str) -> int:
        return expand_year(int(text), short=pattern.short_year)

    def read_part(name: str, read: Callable[[str], int | None] = int) -> Int64Array:
        return _map_spellings(parts[name], read) if name in parts else np.zeros(len(struct), np.int64)

    years, month, day = read_part("year", read_year), read_part("month", parse_month), read_part("day")
    hour, minute, second = read_part("hour"), read_part("minute"), read_part("second")
    if pattern.twelve_hours:
        pm = read_part("half", lambda text: int(text.lower() == "pm"))
        hour = np.array([_encode_missing(parse_12_hour(of, half)) for half in ("am", "pm") for of in range(100)])[
            pm * 100 + hour
        ]
    sure = (years > 0) & (month >= 1) & (month <= 12) & (day >= 1) & (hour >= 0) & (hour < 24)
    sure &= (minute < 60) & (second < 60)
    first = ((years - 1970) * 12 + np.where(sure, month, 1) - 1).astype("datetime64[M]")
    begins, ends = first.astype("datetime64[D]").astype(np.int64), (first + 1).astype("datetime64[D]").astype(np.int64)
    sure &= day <= ends - begins
    ms = ((begins + day - 1) * 86_400 + hour * 3600 + minute * 60 + second) * 1000
    ms += read_part("fraction", lambda text: int(f"{text}000"[:3]))
    if "zone" in parts:
        east = read_part("zone", _read_offset_minutes)
        sure &= east != NO_OFFSET
        ms -= east * 60_000
    else:
        sure &= (ms >= STABLE_OFFSETS_FROM_MS) | (zone.key == "UTC")  # an older one is read by itself
        ms[sure] = convert_to_utc(ms[sure], zone)
    read, times = good, np.zeros(count, np.int64)
    times[good] = ms
    read[good] = sure
    return read, times


def _encode_missing(number: int | None) -> int:
    return _NOT_READ if number is None else number


def _read_offset_minutes(text: str) -> int:
    tail = parse_zone(text)
    return NO_OFFSET if tail is None or tail[1] is None else tail[1]


def _map_spellings(column: pa.Array, read: Callable[[str], int | None]) -> Int64Array:
    """A column of numbers in words, each spelling read once."""
    spellings = column.dictionary_encode()
    read_values = np.array([_encode_missing(read(text)) for text in spellings.dictionary.to_pylist()], np.int64)
    found: Int64Array = read_values[view_numbers(spellings.indices)] if len(column) else np.empty(0, np.int64)
    return found


# ── a whole column ───────────────────────────────────────────────────────────────────────────────────────────────────


class TimeState(IntEnum):
    """What became of a cell that should hold a time."""

    ABSENT = 0
    UNREADABLE = 1
    READ = 2


class TimestampColumn:
    """A column of times, every cell read as ``build_time_parser`` reads one.

    Attributes:
        state: A :class:`TimeState` for each row.
        ms: Epoch milliseconds where the state is ``READ``, held within 64 bits; 0 elsewhere.
    """

    def __init__(self, cells: TextColumn, zone: ZoneInfo, form: str = ISO_OR_EPOCH_MS) -> None:
        count = len(cells.array)
        self.ms: Int64Array = np.zeros(count, np.int64)
        self.state: NDArray[np.int8] = np.where(cells.lengths > 0, TimeState.UNREADABLE, TimeState.ABSENT).astype(
            np.int8
        )
        for one in split_time_formats(form):
            self._read_cells(cells, zone, one)

    def _read_cells(self, cells: TextColumn, zone: ZoneInfo, form: str) -> None:
        """Read the cells of one format that no format before it has read."""
        if scale := get_digit_scale(form):
            times, over = scale
            is_digits = to_mask(pc.ascii_is_decimal(cells.array)) & (cells.lengths <= MAX_EXACT_DIGITS)
            digits = np.flatnonzero(is_digits & (self.state == TimeState.UNREADABLE))
            whole = cells.array if digits.size == len(cells.array) else cells.array.take(make_array(digits))
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

    @property
    def is_read(self) -> Mask:
        """Whether each row has a time."""
        found: Mask = self.state == TimeState.READ
        return found

    @property
    def is_unreadable(self) -> Mask:
        """Whether each row has something that is no time."""
        found: Mask = self.state == TimeState.UNREADABLE
        return found

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
