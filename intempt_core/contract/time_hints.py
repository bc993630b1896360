"""What a time that cannot be read, or is out of range, probably is: how it seems to be written, and what to do.

Files write times in many forms; which of them a text is, is told by its shape alone. Where a pattern fits, the sentence
gives it, so that it can be named in the mapping.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from intempt_core.contract.fields import EARLIEST_MS, LATEST_MS, Json, read_epoch_ms

_DAY_MS = 86_400_000
_SERIAL_EPOCH = 25_569  # the serial date of 1970-01-01, in days since 1899-12-30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ZONE_OFFSETS = {
    "EST": "-05:00", "EDT": "-04:00", "CST": "-06:00", "CDT": "-05:00", "MST": "-07:00", "MDT": "-06:00",
    "PST": "-08:00", "PDT": "-07:00", "CET": "+01:00", "CEST": "+02:00", "EET": "+02:00", "EEST": "+03:00",
    "WET": "+00:00", "WEST": "+01:00", "BST": "+01:00", "IST": "+05:30", "JST": "+09:00", "MSK": "+03:00",
    "AEST": "+10:00", "AEDT": "+11:00", "MEZ": "+01:00", "MESZ": "+02:00", "HST": "-10:00", "AKST": "-09:00",
}  # fmt: skip
"""Zones by their letters, with the offset that is mostly meant."""

_MONTH = "(?:[Jj]an|[Ff]eb|[Mm]ar|[Aa]pr|[Mm]ay|[Jj]un|[Jj]ul|[Aa]ug|[Ss]ep|[Oo]ct|[Nn]ov|[Dd]ec)[a-z]*"
_WEEKDAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*"
_DATE_FORMS: tuple[tuple[str, Callable[[re.Match[str]], Iterator[str]]], ...]
_OFFSET = "(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
_DIGITS_OF_DATE = (
    r"20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])((?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9])?)?"
)
_CLOCK = re.compile(
    r"(?P<between>,? |T|:)(?P<clock>[0-9]{1,2}:[0-9]{2})(?P<second>:[0-9]{2})?(?P<fraction>[.,][0-9]{1,9})?"
    r"(?P<half> ?[AaPp][Mm])?(?P<zone> ?(?:Z|UTC|GMT|(?:UTC|GMT)?[+-][0-9]{2}:?[0-9]{2})(?: \([^()]*\))?)?"
)


def build_time_hint(value: Json) -> str:
    """Say what a time probably is, by its size (CONTRACT 2.7) or its form (7.16); empty where it cannot be told."""
    time = read_epoch_ms(value)
    if time is not None and (match := re.fullmatch(_DIGITS_OF_DATE, str(time))):
        return _describe_digits(match[1])
    if time is None:
        return _describe_text(value.strip(" ")) if isinstance(value, str) else ""
    if EARLIEST_MS <= time * 1000 <= LATEST_MS:
        return "These look like seconds: multiply by 1,000."
    if EARLIEST_MS <= time // 1000 <= LATEST_MS:
        return "These look like microseconds: divide by 1,000."
    if EARLIEST_MS <= time // 1_000_000 <= LATEST_MS:
        return "These look like nanoseconds: divide by 1,000,000, or name the time format epoch_ns in the mapping."
    if EARLIEST_MS <= (time - _SERIAL_EPOCH) * _DAY_MS <= LATEST_MS:
        return _describe_serial(float(time))
    return ""


def _describe_digits(clock: str | None) -> str:
    pattern = "%Y%m%d" + {0: "", 4: "%H%M", 6: "%H%M%S"}[len(clock or "")]
    return f"It seems to be a date in digits alone: name {pattern} as the time format in the mapping."


def _describe_serial(days: float) -> str:
    moment = _EPOCH + timedelta(milliseconds=round((days - _SERIAL_EPOCH) * _DAY_MS))
    return (
        f"It looks like a spreadsheet's serial date, {moment:%Y-%m-%d %H:%M}: name the time format serial in the"
        " mapping, or export the column as a date."
    )


def _describe_text(text: str) -> str:
    for pattern, describe in _KNOWN_TEXTS:
        if match := pattern.fullmatch(text):
            return describe(match)
    zone = re.fullmatch(r"(.*[0-9]) ?([A-Z]{3,4})", text)
    if zone and zone[2] not in ("UTC", "GMT"):
        offset = ZONE_OFFSETS.get(zone[2], "-05:00")
        return (
            f"{zone[2]} is a zone by its letters, which differ from place to place: write its offset, as in {offset}."
        )
    patterns = guess_time_patterns(text)
    if not patterns:
        return ""
    if not any(_is_of_pattern(text, pattern) for pattern in patterns):
        return "There is no such day or time of day: correct it where it comes from."
    forms = " or ".join(patterns)
    order = " (the day first, or the month)" if len(patterns) > 1 else ""
    return (
        f"It seems to be written as {forms}{order}: name that as the time format in the mapping (“time_format”; several"
        " forms in a list), or write it as 2022-10-01 10:00:00."
    )


def _describe_serial_match(match: re.Match[str]) -> str:
    days = float(match[0].replace(",", "."))
    if EARLIEST_MS <= (days - _SERIAL_EPOCH) * _DAY_MS <= LATEST_MS:
        return _describe_serial(days)
    return ""


_KNOWN_TEXTS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern), describe)
    for pattern, describe in (
        (r"[0-9]{10,17}", lambda _: "Write the number without quotes."),
        (
            r"-?[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]{1,3}",
            lambda _: "It is a number with an exponent, as a spreadsheet writes a long one: export the column as text.",
        ),
        (r"[0-9]{5}[.,][0-9]+", _describe_serial_match),
        (
            r"[0-9]{10}[.,][0-9]+",
            lambda _: "It looks like seconds with a fraction: name the time format epoch_s in the mapping.",
        ),
        (
            r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}(?:\.[0-9]+)? [+-][0-9]{4} [A-Z0-9+-]{3,5}(?: m=.*)?",
            lambda _: (
                "It is a time as Go writes one by default: format it as RFC 3339 (2022-10-01T10:00:00.123Z), or name"
                " %Y-%m-%d %H:%M:%S.%f %z UTC as the time format in the mapping, if every time ends so."
            ),
        ),
        (
            rf"{_WEEKDAY} {_MONTH} [0-9]{{2}} [0-9]{{4}} [0-9:]{{8}} GMT[+-][0-9]{{4}}(?: \(.*\))?",
            lambda _: (
                "It is a date as JavaScript writes one: write it with toISOString(), or name %a %b %d %Y %H:%M:%S %z as"
                " the time format in the mapping."
            ),
        ),
        (
            rf"{_WEEKDAY} {_MONTH} +[0-9]{{1,2}} [0-9:]{{8}}(?: [A-Z]{{1,5}})? [0-9]{{4}}",
            lambda _: "It is a date as Java, Ruby and Unix write one: write it as 2022-10-01T10:00:00Z.",
        ),
        (
            r"\\?/Date\((-?[0-9]+)(?:[+-][0-9]{4})?\)\\?/",
            lambda match: f"It is a date as .NET writes one in JSON: its milliseconds are {match[1]}.",
        ),
        (
            r"(?:new )?(?:ISODate|Date|Timestamp)\(.*\)|TIMESTAMP '.*'",
            lambda _: "It is an expression of a database: write only the time that is in it, as 2022-10-01T10:00:00Z.",
        ),
        (
            rf"[0-9]{{8}}T[0-9]{{4}}(?:[0-9]{{2}})?(?:[.][0-9]+)?{_OFFSET}",
            lambda match: (
                "It is ISO 8601 without signs between its numbers: name "
                f"%Y%m%dT%H%M{'%S' * (len(re.split('[.Z+-]', match[0])[0]) > 13)}{'.%f' * ('.' in match[0])}"
                f"{'%z' * (re.search('Z|[+-]', match[0]) is not None)} as the time format in the mapping."
            ),
        ),
        (
            rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T ][0-9:.]+ ?{_OFFSET}(?:\[[A-Za-z/_+-]+\]| [A-Z][a-z]+/[A-Za-z/_]+)",
            lambda _: (
                "A zone is named after it, as Java's ZonedDateTime and PostgreSQL write one: write the offset alone, as"
                " in 2022-10-01T10:00:00+02:00, or name the zone in the mapping."
            ),
        ),
        (
            r"0000-00-00(?:[T ][0-9:.]+)?",
            lambda _: "It is MySQL's zero date, which stands for no time: leave it empty or give the time.",
        ),
        (
            r"[0-9]{1,2}-[A-Za-z]{3}-[0-9]{2,4} [0-9]{1,2}[.][0-9]{2}[.][0-9]{2}(?:[.][0-9]+)?(?: .*)?",
            lambda _: "It is a time as Oracle writes one by default: export it with YYYY-MM-DD HH24:MI:SS.",
        ),
        (
            rf"(?:[^0-9]{{2,10}},? )?[0-9]{{1,2}}\.? (?!{_MONTH}\b)[^\W0-9]{{3,10}}\.? [0-9]{{4}}(?: .*)?",
            lambda _: "Its month is a word that is not English: write it in digits, as 2022-10-01 10:00:00.",
        ),
        (
            r"[0-9]{4}-?W[0-9]{2}(?:-?[1-7])?|[0-9]{4}-[0-9]{3}",
            lambda _: "It is a week or a day of a year: write the day of the month, as 2022-10-01.",
        ),
        (
            r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:[.,][0-9]+)?(?: ?[AaPp][Mm])?",
            lambda _: "It is a time of day: put its day before it, as 2022-10-01 10:00:00.",
        ),
    )
)


# ── which pattern a text is of ───────────────────────────────────────────────────────────────────────────────────────


def guess_time_patterns(text: str) -> list[str]:
    """Guess the patterns (as ``strptime`` has them) that a text may be written in; none where it is no date.

    There are several where it is open which number is the day, the month or a year of two digits.
    """
    for form, read in _DATE_FORMS:
        match = re.match(form, text)
        if match is None:
            continue
        rest = text[match.end() :]
        if not rest:
            return list(read(match))
        clock = _CLOCK.fullmatch(rest)
        if clock is not None:
            return [date + _write_clock(clock) for date in read(match)]
    return []


def _is_of_pattern(text: str, pattern: str) -> bool:
    """Whether the day and the time of day that a text names exist; a date with words is taken to."""
    date = _DATE_PARTS.match(text)
    if date is None:
        return True
    order = re.findall("%[Ydmy]", pattern)
    parts = dict(zip(order, map(int, date.groups()), strict=False))
    clock = _CLOCK.fullmatch(text[date.end() :])
    try:
        datetime(parts.get("%Y", 2000 + parts.get("%y", 0)), parts["%m"], parts["%d"], tzinfo=UTC)
    except (ValueError, KeyError):
        return False
    numbers = [int(one) for one in f"{clock['clock']}{clock['second'] or ''}".split(":")] if clock else []
    return all(number < limit for number, limit in zip(numbers, (24, 60, 61), strict=False))


def _write_clock(clock: re.Match[str]) -> str:
    hour = "%I" if clock["half"] else "%H"
    found = f"{clock['between']}{hour}:%M" + (":%S" if clock["second"] else "")
    if clock["fraction"]:
        found += f"{clock['fraction'][0]}%f"
    if clock["half"]:
        found += f"{' ' * clock['half'].startswith(' ')}%p"
    if clock["zone"]:
        found += f"{' ' * clock['zone'].startswith(' ')}%z"
    return found


def _read_year_first(match: re.Match[str]) -> Iterator[str]:
    _, sign, middle, last = match.groups()
    if int(middle) <= 12 and 1 <= int(last) <= 31:
        yield f"%Y{sign}%m{sign}%d"
    elif 12 < int(middle) <= 31 and int(last) <= 12:
        yield f"%Y{sign}%d{sign}%m"


def _read_year_last(match: re.Match[str]) -> Iterator[str]:
    numbers, sign, year = (int(match[1]), int(match[3]), int(match[4])), match[2], "%Y" if len(match[4]) == 4 else "%y"
    fits = {"%d": range(1, 32), "%m": range(1, 13)}
    orders: tuple[tuple[str, str], ...] = (("%d", "%m"), ("%m", "%d"))
    for order in orders:
        fit = all(number in fits[part] for number, part in zip(numbers, order, strict=False))
        if fit and not (sign == "." and order[0] == "%m" and numbers[0] <= 12 and numbers[1] <= 12):
            yield f"{order[0]}{sign}{order[1]}{sign}{year}"
    if year == "%y" and numbers[1] <= 12 and 1 <= numbers[2] <= 31 and numbers[0] > 12:
        yield f"%y{sign}%m{sign}%d"


def _always(*patterns: str) -> Callable[[re.Match[str]], Iterator[str]]:
    return lambda match: (_fill_signs(match, pattern) for pattern in patterns)


def _fill_signs(match: re.Match[str], pattern: str) -> str:
    for name, sign in match.groupdict().items():
        pattern = pattern.replace(f"<{name}>", sign or "")
    return pattern


_DATE_PARTS = re.compile(r"([0-9]{1,4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,4})(?![0-9])")
_DATE_FORMS = (
    (r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})(?![0-9])", _read_year_first),
    (r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})(?![0-9])", _read_year_last),
    (rf"{_WEEKDAY}(?P<a>,?) [0-9]{{1,2}}(?P<b>[ -]){_MONTH}(?P<c>[ -])[0-9]{{4}}", _always("%a<a> %d<b>%b<c>%Y")),
    (rf"{_WEEKDAY}(?P<a>,?) {_MONTH} [0-9]{{1,2}}(?P<b>,?) [0-9]{{4}}", _always("%a<a> %b %d<b> %Y")),
    (rf"{_MONTH} [0-9]{{1,2}}(?P<a>,?) [0-9]{{4}}", _always("%b %d<a> %Y")),
    (rf"[0-9]{{1,2}}(?P<a>\.?[ /-]){_MONTH}(?P<b>[ /-])[0-9]{{4}}", _always("%d<a>%b<b>%Y")),
    (rf"[0-9]{{1,2}}(?P<a>[ /-]){_MONTH}(?P<b>[ /-])[0-9]{{2}}(?![0-9])", _always("%d<a>%b<b>%y")),
    (r"(?:19|20)[0-9]{6}(?![0-9])", _always("%Y%m%d")),
)
