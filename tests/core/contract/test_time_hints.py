"""What a time that is not read seems to be: each form by an example worked out by hand."""

import re

import pytest

from intempt_core.contract.time_hints import build_time_hint, guess_time_patterns
from intempt_core.mapping.model import load_time_zone
from intempt_core.mapping.time_formats import build_time_parser, check_time_format

TEN_O_CLOCK = 1_664_618_400_000  # 2022-10-01 10:00:00 UTC


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("10/13/22 10:00", ["%m/%d/%y %H:%M"]),
        ("3/4/22 9:05", ["%d/%m/%y %H:%M", "%m/%d/%y %H:%M"]),
        ("22/10/01", ["%d/%m/%y", "%y/%m/%d"]),
        ("22/10/32", ["%d/%m/%y"]),
        ("4/15/2017", ["%m/%d/%Y"]),
        ("15/4/2017", ["%d/%m/%Y"]),
        ("01.10.2022 10:00", ["%d.%m.%Y %H:%M"]),
        ("2022/10/01 10:00:00.123", ["%Y/%m/%d %H:%M:%S.%f"]),
        ("2022.10.01T10:00", ["%Y.%m.%dT%H:%M"]),
        ("2022-13-10", ["%Y-%d-%m"]),
        ("Oct 1, 2022 10:00:00 AM", ["%b %d, %Y %I:%M:%S %p"]),
        ("1 October 2022", ["%d %b %Y"]),
        ("01-Oct-22 10:00", ["%d-%b-%y %H:%M"]),
        ("Sat, 01 Oct 2022 10:00:00 +0000 (UTC)", ["%a, %d %b %Y %H:%M:%S %z"]),
        ("Sat Oct 01 2022 10:00:00 GMT+0000 (Coordinated Universal Time)", ["%a %b %d %Y %H:%M:%S %z"]),
        ("01/Oct/2022:10:00:00 +0000", ["%d/%b/%Y:%H:%M:%S %z"]),
        ("20221001", ["%Y%m%d"]),
        ("soon", []),
        ("40/40/2022", []),
        ("10/13/22 at ten", []),
    ],
)
def test_the_patterns_of_a_text_are_guessed_and_read_it(text: str, patterns: list[str]) -> None:
    assert guess_time_patterns(text) == patterns
    for pattern in patterns:
        check_time_format(pattern)
        assert build_time_parser(pattern, load_time_zone("UTC"))(text) is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2022-10-01 10:00:00 EST", r"EST is a zone by its letters.* as in -05:00"),
        ("2022-10-01T10:00:00CEST", r"CEST is a zone .*\+02:00"),
        ("Sat Oct 01 2022 10:00:00 GMT+0200 (CEST)", r"as JavaScript writes one.*toISOString"),
        ("Sat Oct 01 10:00:00 CEST 2022", r"as Java, Ruby and Unix write one"),
        ("Sat Oct 01 10:00:00 UTC 2022", r"as Java, Ruby and Unix write one"),
        ("Sat Oct  1 10:00:00 EST 2022", r"as Java, Ruby and Unix write one"),
        ("Sat Oct  1 10:00:00 2022", r"as Java, Ruby and Unix write one"),
        ("Sat, 01 Oct 2022 10:00:00 EST", r"EST is a zone by its letters"),
        ("44835.41667", r"serial date, 2022-10-01 10:00"),
        ("44835,41667", r"serial date, 2022-10-01 10:00"),
        ("1.66463E+12", r"number with an exponent"),
        ("2022-10-01 10:00:00.123456789 +0000 UTC", r"as Go writes one"),
        ("/Date(1664618400123)/", r"its milliseconds are 1664618400123"),
        ('ISODate("2022-10-01T10:00:00Z")', r"expression of a database"),
        ("2022-W39-6", r"a week or a day of a year"),
        ("10:00:00", r"a time of day"),
        ("1664618400.5", r"seconds with a fraction.*epoch_s"),
        ("10/13/22 10:00", r"written as %m/%d/%y %H:%M: name that as the time format in the mapping"),
        ("1/2/22", r"%d/%m/%y or %m/%d/%y \(the day first, or the month\)"),
        ("1664618400123", r"without quotes"),
        ("2022-02-30 10:00:00", r"no such day"),
        ("2022-10-01 24:00:00", r"no such day or time of day"),
        ("29/02/2021", r"no such day"),
        ("29/02/2020", r"written as %d/%m/%Y"),
        ("20221001T100000Z", r"name %Y%m%dT%H%M%S%z as"),
        ("20221001T1000", r"name %Y%m%dT%H%M as"),
        ("20221001T100000.5+0200", r"name %Y%m%dT%H%M%S.%f%z as"),
        ("2022-10-01T10:00:00+02:00[Europe/Berlin]", r"ZonedDateTime"),
        ("2022-10-01 10:00:00 Europe/Berlin", r"ZonedDateTime"),
        ("0000-00-00 00:00:00", r"MySQL's zero date"),
        ("01-OCT-22 10.00.00.000000 AM", r"Oracle"),
        ("1. Oktober 2022", r"not English"),
    ],
)
def test_a_text_that_is_no_time_says_how_it_seems_to_be_written(text: str, words: str) -> None:
    assert re.search(words, build_time_hint(text))


@pytest.mark.parametrize("text", ["soon", "", "99999.5", "x" * 5000])
def test_nothing_is_said_of_what_has_no_form(text: str) -> None:
    assert build_time_hint(text) == ""


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1_664_618_400, "These look like seconds: multiply by 1,000."),
        (1_664_618_400_123_456, "These look like microseconds: divide by 1,000."),
        (1_664_618_400_123_456_789, "These look like nanoseconds: divide by 1,000,000, or"),
        (20_221_001, "It seems to be a date in digits alone: name %Y%m%d as"),
        (20_221_001_100_000, "It seems to be a date in digits alone: name %Y%m%d%H%M%S as"),
        (44_835, "It looks like a spreadsheet's serial date, 2022-10-01 00:00"),
        (TEN_O_CLOCK, ""),
        (7, ""),
    ],
)
def test_a_number_says_its_unit(number: int, words: str) -> None:
    assert build_time_hint(number).startswith(words) if words else build_time_hint(number) == ""


@pytest.mark.parametrize(
    ("form", "text", "ms"),
    [
        ("epoch_ns", "1664618400123456789", TEN_O_CLOCK + 123),
        ("serial", "44835.4166666667", TEN_O_CLOCK),
        ("serial", "44835", TEN_O_CLOCK - 36_000_000),
        ("serial", "44835,41667", TEN_O_CLOCK),
        ("%a %b %d %Y %H:%M:%S %z", "Sat Oct 01 2022 12:00:00 GMT+0200 (CEST)", TEN_O_CLOCK),
        ("%Y/%m/%d %H:%M:%S.%f", "2022/10/01 10:00:00.123", TEN_O_CLOCK + 123),
        ("%m/%d/%y %H:%M", "10/01/22 10:00", TEN_O_CLOCK),
        ("", "2022-10-01t10:00:00z", TEN_O_CLOCK),
        ("%Y-%m-%d %H:%M:%S.%f %z UTC", "2022-10-01 10:00:00.123456789 +0000 UTC", TEN_O_CLOCK + 123),
        (" | %m/%d/%Y", "10/1/2022", TEN_O_CLOCK - 36_000_000),
        (" | %m/%d/%Y", "2022-10-01 10:00:00", TEN_O_CLOCK),
        ("%d/%m/%Y | %m/%d/%Y", "1/10/2022", TEN_O_CLOCK - 36_000_000),
        ("epoch_ns", "-1", 0),
        ("serial", "-1", None),
        ("serial", "99999999", None),
    ],
)
def test_forms_that_can_be_named_are_read(form: str, text: str, ms: int | None) -> None:
    check_time_format(form)
    assert build_time_parser(form, load_time_zone("UTC"))(text) == ms
