"""What a workbook's number formats show of a stored number: a date, a time, leading zeros, or the number itself.

A number is never a float: its digits are the sheet's own text.
"""

import re
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

DATE_FORMATS = ("date", "time", "both")
"""What :func:`classify_number_format` says of formats that show a day, a time of day, or both."""

_BUILT_IN_DATES = {*range(14, 18), 22, *range(27, 32), 36, *range(50, 59)}
_BUILT_IN_TIMES = {18, 19, 20, 21, *range(32, 36)}
_FORMAT_LITERALS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_SECTION_END = re.compile(r'("[^"]*"|\\.|\[[^\]]*\]|[^;"\\\[])*')
_ZERO_PATTERN = re.compile(
    r"(?:\[(?:Black|Blue|Cyan|Green|Magenta|Red|White|Yellow|Color ?[0-9]+|\$[^\]]*)\])*"
    r'((?:"[^"]*"|\\.|_.|\*.|[-+() /#?0])*)',
    re.IGNORECASE,
)
_PATTERN_PART = re.compile(r'"([^"]*)"|\\(.)|(_.|\*.)|([-+() /])|([#?0])')
_WHOLE_NUMBER = re.compile(r"[0-9]{1,15}")


def find_zero_pattern(code: str | None) -> str:
    """The part of a number format by which it shows leading zeros, such as ``000000``; empty where it shows none."""
    section = _SECTION_END.match(code or "")
    found = _ZERO_PATTERN.fullmatch(section[0]) if section else None
    if found is None:
        return ""
    digits = "".join(part[5] for part in _PATTERN_PART.finditer(found[1]) if part[5])
    return found[1] if digits.count("0") > 1 else ""


def format_with_zeros(text: str, pattern: str) -> str:
    """A whole number as a format with leading zeros shows it; any other as it is stored."""
    if _WHOLE_NUMBER.fullmatch(text) is None:
        return text
    parts = list(_PATTERN_PART.finditer(pattern))
    left, shown = list(text), list[str]()
    first = next(number for number, part in enumerate(parts) if part[5])
    for number in range(len(parts) - 1, -1, -1):
        part = parts[number]
        if part[5]:
            shown.append(left.pop() if left else "0" if part[5] == "0" else "")
            if number == first:
                shown.extend(reversed(left))
        else:
            shown.append(part[1] or part[2] or part[4] or "")
    return "".join(reversed(shown))


def format_stored_number(text: str) -> str:
    """A number as it is stored: every digit of an integer, of a fraction the fewest digits of the same double.

    Excel stores 19.9 as 19.899999999999999, the same double in 17 digits.
    """
    text = text.strip()
    if "." in text and len(text) > 16 and "e" not in text.lower():
        try:
            short = repr(float(text))
        except ValueError:
            return text
        return short if len(short) < len(text) and "e" not in short else text
    return text


def classify_number_format(number: int, code: str | None) -> str:
    """What a number format shows: ``date``, ``time``, ``both``, or neither (empty)."""
    if code is None:
        return "both" if number == 22 else "date" if number in _BUILT_IN_DATES else "time" * (number in _BUILT_IN_TIMES)
    seen = _FORMAT_LITERALS.sub("", code.split(";")[0]).lower()
    if "[" in seen or "general" in seen:  # what is left in brackets is a duration: [h]:mm
        return ""
    date, time = re.search(r"[yd]|mmm", seen), re.search(r"[hs]", seen)
    return "both" if date and time else "date" if date else "time" if time else ""


def format_serial_date(text: str, shows: str, *, date_1904: bool) -> str:
    """Days since the workbook's first day as an ISO date or time; the number as it is where it is no date."""
    try:
        days = Decimal(text.strip())
    except InvalidOperation:
        return text
    # Excel's 1900 has a 29 February: which days those before March are is uncertain
    if not days.is_finite() or not 0 <= days < 2_958_466 or (1 <= days < 61 and not date_1904):
        return format_stored_number(text)
    begin = datetime(1904, 1, 1) if date_1904 else datetime(1899, 12, 30)  # noqa: DTZ001  a sheet knows no zone
    ms = int((days * 86_400_000).to_integral_value())
    moment = begin + timedelta(milliseconds=ms)
    precise = "milliseconds" if ms % 1000 else "seconds"
    if shows == "time" and days < 1:
        return moment.time().isoformat(precise)
    if shows == "date" and ms % 86_400_000 == 0:
        return moment.date().isoformat()
    return moment.isoformat(" ", precise)
