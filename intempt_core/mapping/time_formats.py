"""Time formats: how a file may write its times, each format read to epoch milliseconds (CONTRACT 2.7).

A format is one of :data:`NAMED_TIME_FORMATS`, or a pattern like those of ``strptime``, such as ``%d.%m.%Y %H:%M``. A
pattern is compiled to one regular expression that ``re`` and RE2 read alike, so that one cell and a whole column are
read by the same declaration.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from intempt_core.errors import MappingError
from intempt_core.mapping.values import parse_time, parse_time_suffix

ISO_OR_EPOCH_MS, ISO_ONLY, EPOCH_SECONDS, EPOCH_MILLISECONDS, EPOCH_MICROSECONDS = (
    "",
    "iso",
    "epoch_s",
    "epoch_ms",
    "epoch_us",
)

NAMED_TIME_FORMATS = {
    ISO_OR_EPOCH_MS: "ISO 8601 or epoch milliseconds",
    ISO_ONLY: "ISO 8601 only",
    EPOCH_SECONDS: "epoch seconds",
    EPOCH_MILLISECONDS: "epoch milliseconds only",
    EPOCH_MICROSECONDS: "epoch microseconds",
}
"""The formats that have a name, and what they are in words."""

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
    "z": ("zone", "(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})"),
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
    if time_format in NAMED_TIME_FORMATS:
        return
    if "%" not in time_format:
        named = ", ".join(f"“{name}”" for name in NAMED_TIME_FORMATS if name)
        raise MappingError(
            f"The time format is “{time_format[:_MAX_FORMAT_LENGTH]}”. It takes {named}, or a pattern such as"
            " “%d.%m.%Y %H:%M”."
        )
    compile_time_pattern(time_format)


def build_time_parser(time_format: str, zone: ZoneInfo) -> Callable[[str], int | None]:
    """Make a function that reads a cell of a format to epoch milliseconds; ``None`` for a cell that is not of it.

    A time that names no zone is in ``zone``. What is finer than a millisecond is cut.
    """
    if time_format == ISO_OR_EPOCH_MS:
        return lambda cell: parse_time(cell, zone)
    if time_format == ISO_ONLY:
        return lambda cell: None if _WHOLE.fullmatch(cell.strip(" ")) else parse_time(cell, zone)
    if time_format == EPOCH_MILLISECONDS:
        return lambda cell: parse_time(cell, zone) if _WHOLE.fullmatch(cell.strip(" ")) else None
    if time_format == EPOCH_SECONDS:
        return lambda cell: _parse_scaled(cell, 3)
    if time_format == EPOCH_MICROSECONDS:
        return lambda cell: _parse_scaled(cell, -3)
    pattern = compile_time_pattern(time_format)
    expression = re.compile(pattern.expression.replace("$", r"\Z"))
    return lambda cell: _parse_patterned(pattern, expression, cell, zone)


def _parse_scaled(cell: str, places: int) -> int | None:
    """Move the point of a decimal number by some places and cut it to a whole one, towards zero."""
    match = _DECIMAL.fullmatch(cell.strip(" "))
    if match is None:
        return None
    sign, whole, fraction = match.groups()
    digits = whole + (fraction or "").ljust(3, "0")[:3] if places > 0 else whole[:places]
    return int(f"{sign}{digits or 0}")


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
    tail = parse_time_suffix(given.get("zone", ""))
    if tail is None:
        return None
    away = zone.utcoffset(wall) if tail[1] is None else timedelta(minutes=tail[1])
    cut = int(f"{given.get('fraction', '')}000"[:3])
    return (wall.replace(tzinfo=UTC) - _EPOCH - (away or timedelta())) // _MS + cut


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
