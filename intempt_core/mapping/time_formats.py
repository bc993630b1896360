"""Time formats: how a file may write its times, each format read to epoch milliseconds (CONTRACT 2.7).

A format is one of :data:`NAMED_TIME_FORMATS`, or a pattern like those of ``strptime``, such as ``%d.%m.%Y %H:%M``. A
pattern is compiled to one regular expression that ``re`` and RE2 read alike, so that one cell and a whole column are
read by the same declaration.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from intempt_core.errors import MappingError
from intempt_core.mapping.values import parse_time, parse_time_suffix

ISO_OR_EPOCH_MS, ISO_ONLY, EPOCH_SECONDS, EPOCH_MILLISECONDS, EPOCH_MICROSECONDS, EPOCH_NANOSECONDS, SERIAL_DATE = (
    "",
    "iso",
    "epoch_s",
    "epoch_ms",
    "epoch_us",
    "epoch_ns",
    "serial",
)

NAMED_TIME_FORMATS = {
    ISO_OR_EPOCH_MS: "ISO 8601 or epoch milliseconds",
    ISO_ONLY: "ISO 8601 only",
    EPOCH_SECONDS: "epoch seconds",
    EPOCH_MILLISECONDS: "epoch milliseconds only",
    EPOCH_MICROSECONDS: "epoch microseconds",
    EPOCH_NANOSECONDS: "epoch nanoseconds",
    SERIAL_DATE: "serial dates of a spreadsheet: days since 1899-12-30",
}
"""The formats that have a name, and what they are in words."""

FORMAT_SEPARATOR = " | "
"""What stands between several formats of one column; each cell is read by the first that reads it."""

COMMON_TIME_PATTERNS = (
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y",
    "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y",
    "%m/%d/%y %H:%M:%S",
    "%m/%d/%y %H:%M",
    "%m/%d/%y %I:%M %p",
    "%m/%d/%y",
    "%d/%m/%y %H:%M:%S",
    "%d/%m/%y %H:%M",
    "%d/%m/%y",
    "%d.%m.%y %H:%M:%S",
    "%d.%m.%y %H:%M",
    "%d.%m.%y",
    "%Y/%m/%d %H:%M:%S.%f",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y%m%d",
    "%Y%m%d%H%M%S",
    "%Y%m%dT%H%M%S%z",
    "%d %b %Y %H:%M:%S",
    "%d %b %Y %H:%M",
    "%d %b %Y",
    "%b %d, %Y %I:%M:%S %p",
    "%b %d, %Y %I:%M %p",
    "%b %d, %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a %b %d %Y %H:%M:%S %z",
    "%d/%b/%Y:%H:%M:%S %z",
)
"""Patterns that exports often have; any other can be given."""

_MONTHS = "january february march april may june july august september october november december".split()
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()


def _match_any_case(words: list[str]) -> str:
    spelt = ("".join(f"[{letter.upper()}{letter}]" for letter in word) for word in words)
    return f"(?:{'|'.join(spelt)})"


_DIRECTIVES = {  # directive → the part of a time that it gives, and how that is written
    "Y": ("year", "[0-9]{4}"),
    "y": ("year", "[0-9]{2}"),
    "m": ("month", "[0-9]{1,2}"),
    "b": ("month", _match_any_case([*_MONTHS, *(month[:3] for month in _MONTHS)])),
    "d": ("day", "[0-9]{1,2}"),
    "H": ("hour", "[0-9]{1,2}"),
    "I": ("hour", "[0-9]{1,2}"),
    "M": ("minute", "[0-9]{1,2}"),
    "S": ("second", "[0-9]{1,2}"),
    "f": ("fraction", "[0-9]{1,9}"),
    "p": ("half", "[AaPp][Mm]"),
    "z": ("zone", "(?:(?:UTC|GMT)?[+-][0-9]{2}:?[0-9]{2}|Z|UTC|GMT)(?: [(][^()]*[)])?"),
    "a": ("", _match_any_case([*_DAYS, *(day[:3] for day in _DAYS)])),
    "%": ("", "%"),
}
_DIRECTIVE_ALIASES = {
    "T": "%H:%M:%S",
    "R": "%H:%M",
    "F": "%Y-%m-%d",
    "D": "%m/%d/%y",
    "B": "%b",
    "A": "%a",
    "e": "%d",
    "Z": "%z",
}
_MAX_FORMAT_LENGTH = 100
_WHOLE = re.compile(r"-?[0-9]{1,30}(?:\.0+)?")
_DECIMAL = re.compile(r"(-?)([0-9]{1,30})(?:\.([0-9]{1,30}))?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_SERIAL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  a zone's wall clock
_MAX_SERIAL_DIGITS = 6


@dataclass(frozen=True, slots=True)
class TimePattern:
    """A pattern, compiled.

    Attributes:
        text: The pattern.
        expression: The regular expression for a whole cell; its groups are the parts of a time.
        short_year: Whether years have two digits.
        twelve_hours: Whether hours go to 12.
    """

    text: str
    expression: str
    short_year: bool
    twelve_hours: bool

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that the pattern gives, in their order."""
        return tuple(re.findall(r"\(\?P<([a-z]+)>", self.expression))


@lru_cache(maxsize=256)
def compile_time_pattern(text: str) -> TimePattern:
    """Compile a pattern. Raises :class:`MappingError` with a sentence."""
    given_text = f"The time format is “{text[:_MAX_FORMAT_LENGTH]}”"
    if len(text) > _MAX_FORMAT_LENGTH or not text.isprintable():
        raise MappingError(f"{given_text}. It is printable and has up to {_MAX_FORMAT_LENGTH} characters.")
    whole = re.sub(r"%([A-Za-z%])", lambda found: _DIRECTIVE_ALIASES.get(found[1], found[0]), text)
    expression, given = "", set()
    for literal, directive in re.findall(r"([^%]+)|%(.?)", whole):
        if literal:
            expression += re.escape(literal)
            continue
        if directive not in _DIRECTIVES:
            known = " ".join(f"%{letter}" for letter in [*_DIRECTIVES, *_DIRECTIVE_ALIASES])
            raise MappingError(f"{given_text}, but %{directive} means nothing here. It takes {known}.")
        part, written = _DIRECTIVES[directive]
        if part in given:
            raise MappingError(f"{given_text}: the {part} is twice in it. Give each part once.")
        given |= {part} - {""}
        expression += f"(?P<{part}>{written})" if part else written
    missing = [part for part in ("year", "month", "day") if part not in given]
    if missing:
        raise MappingError(
            f"{given_text}, which has no {' and no '.join(missing)}. A time needs year, month and day, as in "
            "“%d.%m.%Y %H:%M”."
        )
    twelve = "%I" in whole
    if twelve != ("half" in given):
        raise MappingError(f"{given_text}: %I (hours to 12) and %p (AM or PM) belong together. Use both, or %H.")
    for part, before in (("minute", "hour"), ("second", "minute"), ("fraction", "second")):
        if part in given and before not in given:
            raise MappingError(f"{given_text}, which has a {part} and no {before}.")
    return TimePattern(text, f"^ *{expression} *$", "%y" in whole, twelve)


def check_time_format(time_format: str) -> None:
    """Raise :class:`MappingError` where a mapping's ``time_format`` is no format."""
    formats = split_time_formats(time_format)
    if len(formats) > 1:
        for one in formats:
            check_time_format(one)
        return
    if time_format in NAMED_TIME_FORMATS:
        return
    if "%" not in time_format:
        named = ", ".join(f"“{name}”" for name in NAMED_TIME_FORMATS if name)
        raise MappingError(
            f"The time format is “{time_format[:_MAX_FORMAT_LENGTH]}”. It takes {named}, a pattern such as"
            " “%d.%m.%Y %H:%M”, or several of these in a list."
        )
    compile_time_pattern(time_format)


def split_time_formats(time_format: str) -> tuple[str, ...]:
    """The formats of a column, in the order in which they are tried; mostly it is one."""
    return tuple(time_format.split(FORMAT_SEPARATOR))


def build_time_parser(time_format: str, zone: ZoneInfo) -> Callable[[str], int | None]:
    """Make a function that reads a cell of a format to epoch milliseconds; ``None`` for a cell that is not of it.

    Of several formats the first that reads a cell counts. A time that names no zone is in ``zone``. What is finer than
    a millisecond is cut.
    """
    formats = split_time_formats(time_format)
    if len(formats) > 1:
        parsers = [build_time_parser(one, zone) for one in formats]
        return lambda cell: next((ms for parse in parsers if (ms := parse(cell)) is not None), None)
    if time_format == ISO_OR_EPOCH_MS:
        return lambda cell: parse_time(cell, zone)
    if time_format == ISO_ONLY:
        return lambda cell: None if _WHOLE.fullmatch(cell.strip(" ")) else parse_time(cell, zone)
    if time_format == EPOCH_MILLISECONDS:
        return lambda cell: parse_time(cell, zone) if _WHOLE.fullmatch(cell.strip(" ")) else None
    if time_format in _SCALES:
        return lambda cell: _parse_scaled(cell, _SCALES[time_format])
    if time_format == SERIAL_DATE:
        return lambda cell: _parse_serial(cell, zone)
    pattern = compile_time_pattern(time_format)
    expression = re.compile(pattern.expression.replace("$", r"\Z"))
    return lambda cell: _parse_patterned(pattern, expression, cell, zone)


_SCALES = {EPOCH_SECONDS: 3, EPOCH_MICROSECONDS: -3, EPOCH_NANOSECONDS: -6}  # decimal places to milliseconds


def _parse_scaled(cell: str, places: int) -> int | None:
    """Move the point of a decimal number by some places and cut it to a whole one, towards zero."""
    match = _DECIMAL.fullmatch(cell.strip(" "))
    if match is None:
        return None
    sign, whole, fraction = match.groups()
    digits = whole + (fraction or "").ljust(3, "0")[:3] if places > 0 else whole[:places]
    return int(f"{sign}{digits or 0}")


def _parse_serial(cell: str, zone: ZoneInfo) -> int | None:
    """Read days since 1899-12-30, by the zone's clock, to the nearest second where the day has a fraction.

    A spreadsheet keeps a time as a fraction of a day, in which no second is exact.
    """
    match = _DECIMAL.fullmatch(cell.strip(" ").replace(",", "."))
    if match is None or match[1] or len(match[2]) > _MAX_SERIAL_DIGITS:
        return None
    seconds = round(Decimal(match[2] + "." + (match[3] or "0")) * 86_400)
    wall = _SERIAL_EPOCH + timedelta(seconds=seconds)
    away = zone.utcoffset(wall) or timedelta()
    return (wall.replace(tzinfo=UTC) - _EPOCH - away) // _MS


def _parse_patterned(pattern: TimePattern, expression: re.Pattern[str], cell: str, zone: ZoneInfo) -> int | None:
    match = expression.match(cell)
    if match is None:
        return None
    given = match.groupdict()
    hour = (
        parse_12_hour(int(given.get("hour") or 0), given.get("half"))
        if pattern.twelve_hours
        else int(given.get("hour", 0))
    )
    if hour is None:
        return None
    year, month = expand_year(int(given["year"]), short=pattern.short_year), parse_month(given["month"])
    try:
        wall = datetime(year, month, int(given["day"]), hour, int(given.get("minute", 0)), int(given.get("second", 0)))  # noqa: DTZ001  zone follows
    except ValueError:
        return None
    tail = parse_zone(given.get("zone", ""))
    if tail is None:
        return None
    away = zone.utcoffset(wall) if tail[1] is None else timedelta(minutes=tail[1])
    cut = int(f"{given.get('fraction', '')}000"[:3])
    return (wall.replace(tzinfo=UTC) - _EPOCH - (away or timedelta())) // _MS + cut


def parse_zone(text: str) -> tuple[int, int | None] | None:
    """Read the zone of a pattern, as :func:`parse_time_suffix` does; JavaScript writes ``GMT+0200 (CEST)``."""
    offset = text.partition(" (")[0]
    return parse_time_suffix(offset[3:] if offset[:3] in ("UTC", "GMT") and len(offset) > 3 else offset)


def expand_year(number: int, *, short: bool) -> int:
    """The year of a number; of two digits by the POSIX rule, by which 69 to 99 are of the last century."""
    return number if not short else number + (1900 if number >= 69 else 2000)


def parse_month(text: str) -> int:
    """Read a month by its number or its English name."""
    if text.isdigit():
        return int(text)
    return next(number for number, month in enumerate(_MONTHS, 1) if month.startswith(text.lower()[:3]))


def parse_12_hour(hour: int, am_pm: str | None) -> int | None:
    """Read an hour of twelve, with AM or PM, as one of 24; ``None`` where there is no such hour."""
    if not 1 <= hour <= 12:
        return None
    return hour % 12 + (12 if (am_pm or "").lower() == "pm" else 0)
