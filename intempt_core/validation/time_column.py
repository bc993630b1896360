"""Times written in a mapping's own form, read over a whole column; part of the room of ``checks.py``.

A shortcut for cells that are surely good: what is not read here is read one by one, by ``times.reader_of``.
"""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from intempt_core.arrays import Int64Array, Mask, make_array, view_numbers
from intempt_core.mapping import (
    EPOCH_MICROSECONDS,
    EPOCH_MILLISECONDS,
    EPOCH_SECONDS,
    ISO_ONLY,
    ISO_OR_EPOCH_MS,
    NAMED_TIME_FORMATS,
    compile_time_pattern,
    expand_year,
    parse_12_hour,
    parse_month,
    parse_time_suffix,
)

NO_OFFSET = -100_000  # minutes that no offset has
STABLE_OFFSETS_FROM_MS = 946_684_800_000  # 2000-01-01: since then no zone has changed its offset within a minute
_NOT_READ = -1


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
    tail = parse_time_suffix(text)
    return NO_OFFSET if tail is None or tail[1] is None else tail[1]


def _map_spellings(column: pa.Array, read: Callable[[str], int | None]) -> Int64Array:
    """A column of numbers in words, each spelling read once."""
    spellings = column.dictionary_encode()
    read_values = np.array([_encode_missing(read(text)) for text in spellings.dictionary.to_pylist()], np.int64)
    found: Int64Array = read_values[view_numbers(spellings.indices)] if len(column) else np.empty(0, np.int64)
    return found
