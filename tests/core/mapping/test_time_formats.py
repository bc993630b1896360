"""Times in a file's own form: read as Python's strptime would, over a column exactly as cell by cell."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from intempt_core.errors import MappingError
from intempt_core.mapping.model import Mapping, load_time_zone
from intempt_core.mapping.table_events import map_table
from intempt_core.mapping.time_formats import (
    COMMON_TIME_PATTERNS,
    EPOCH_MICROSECONDS,
    EPOCH_MILLISECONDS,
    EPOCH_SECONDS,
    NAMED_TIME_FORMATS,
    build_time_parser,
    check_time_format,
    compile_time_pattern,
)
from intempt_core.validation.check import check_table
from intempt_core.validation.text_column import TextColumn
from intempt_core.validation.time_column import TimestampColumn, TimeState, clamp_to_int64
from tests.core.readers.factories import table_of
from tests.examples import scale_examples

UTC_ZONE, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ms(iso: str) -> int:
    return (datetime.fromisoformat(iso) - EPOCH) // timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("form", "cell", "iso"),
    [
        ("%d.%m.%Y %H:%M", "01.10.2022 14:05", "2022-10-01T12:05:00+00:00"),
        ("%d.%m.%Y %H:%M", " 1.10.2022 4:05 ", "2022-10-01T02:05:00+00:00"),
        ("%d.%m.%Y", "30.10.2022", "2022-10-29T22:00:00+00:00"),
        ("%m/%d/%Y %I:%M %p", "10/01/2022 12:05 am", "2022-09-30T22:05:00+00:00"),
        ("%m/%d/%Y %I:%M %p", "10/01/2022 12:05 PM", "2022-10-01T10:05:00+00:00"),
        ("%d %b %Y %H:%M:%S", "1 oct 2022 00:00:00", "2022-09-30T22:00:00+00:00"),
        ("%d %B %Y", "1 October 2022", "2022-09-30T22:00:00+00:00"),
        ("%d/%b/%Y:%H:%M:%S %z", "01/Oct/2022:00:00:00 +0200", "2022-09-30T22:00:00+00:00"),
        ("%a, %d %b %Y %T %Z", "Sat, 01 Oct 2022 00:00:00 GMT", "2022-10-01T00:00:00+00:00"),
        ("%Y%m%d%H%M%S", "20221001020000", "2022-10-01T00:00:00+00:00"),
        ("%y-%m-%d %H:%M:%S.%f", "22-10-01 02:00:00.123999", "2022-10-01T00:00:00.123+00:00"),
        ("%D", "10/01/69", "1969-09-30T23:00:00+00:00"),
        ("%Y年%m月%d日", "2022年10月1日", "2022-09-30T22:00:00+00:00"),
        ("100%% %F", "100% 2022-10-01", "2022-09-30T22:00:00+00:00"),
        ("%d.%m.%Y %H:%M", "27.03.2022 02:30", "2022-03-27T01:30:00+00:00"),  # an hour that Berlin skips
        ("%d.%m.%Y %H:%M", "30.10.2022 02:30", "2022-10-30T00:30:00+00:00"),  # one that it has twice: the first
        (EPOCH_SECONDS, "1664582400", "2022-10-01T00:00:00+00:00"),
        (EPOCH_SECONDS, "1664582400.1239", "2022-10-01T00:00:00.123+00:00"),
        (EPOCH_MICROSECONDS, "1664582400123999", "2022-10-01T00:00:00.123+00:00"),
        (EPOCH_MILLISECONDS, "1664582400000", "2022-10-01T00:00:00+00:00"),
        ("iso", "2022-10-01", "2022-09-30T22:00:00+00:00"),
    ],
)
def test_a_cell_is_read_in_its_form(form: str, cell: str, iso: str) -> None:
    check_time_format(form)
    assert build_time_parser(form, BERLIN)(cell) == ms(iso)
    column = TimestampColumn(TextColumn(pa.array([cell], pa.large_string())), BERLIN, form)
    assert column.ms.tolist() == [ms(iso)]


@pytest.mark.parametrize(
    ("form", "cell"),
    [
        ("%d.%m.%Y", "31.02.2022"),
        ("%d.%m.%Y", "00.02.2022"),
        ("%d.%m.%Y", "01.13.2022"),
        ("%d.%m.%Y", "01.01.0000"),
        ("%d.%m.%Y", "2022-10-01"),
        ("%d.%m.%Y", "1664582400000"),
        ("%d.%m.%Y", "01.10.2022\n"),
        ("%d.%m.%Y", "٠١.10.2022"),
        ("%d.%m.%Y %H:%M", "01.10.2022 24:00"),
        ("%d.%m.%Y %H:%M", "01.10.2022 00:60"),
        ("%d.%m.%Y %I:%M %p", "01.10.2022 13:00 PM"),
        ("%d.%m.%Y %I:%M %p", "01.10.2022 00:00 PM"),
        ("%d.%m.%Y %z", "01.10.2022 +25:00"),
        ("%d %b %Y", "01 ſep 2022"),
        ("iso", "1664582400000"),
        (EPOCH_MILLISECONDS, "2022-10-01"),
        (EPOCH_SECONDS, "1.66E+9"),
        (EPOCH_SECONDS, "yesterday"),
    ],
)
def test_what_is_not_of_the_form_is_unreadable(form: str, cell: str) -> None:
    assert build_time_parser(form, UTC_ZONE)(cell) is None
    assert TimestampColumn(TextColumn(pa.array([cell], pa.large_string())), UTC_ZONE, form).state.tolist() == [
        TimeState.UNREADABLE
    ]


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("epoch", "It takes “iso”, “epoch_s”, “epoch_ms”, “epoch_us”, “epoch_ns”, “serial”, a pattern"),
        ("%d.%m", "which has no year."),
        ("%H:%M", "which has no year and no month and no day."),
        ("%Y-%m-%d %Q", "but %Q means nothing here. It takes %Y %y"),
        ("%Y-%m-%d %", "but % means nothing here."),
        ("%Y-%m-%d %d", "the day is twice"),
        ("%Y-%m-%d %I", "belong together"),
        ("%Y-%m-%d %H %p", "belong together"),
        ("%Y-%m-%d %M", "which has a minute and no hour."),
        ("%Y-%m-%d\n", "It is printable"),
        ("%Y" * 80, "up to 100 characters"),
    ],
)
def test_a_wrong_form_is_explained_in_a_sentence(form: str, says: str) -> None:
    with pytest.raises(MappingError) as error:
        Mapping({}, time_format=form).check()
    assert says in str(error.value)


FIRST, MIDDLE, LAST = datetime(1000, 1, 1), datetime(1970, 1, 1), datetime(2099, 12, 31)  # noqa: DTZ001  zones follow


@given(st.datetimes(MIDDLE, LAST), st.sampled_from(COMMON_TIME_PATTERNS))
def test_what_python_writes_is_read_as_python_reads_it(time: datetime, pattern: str) -> None:
    written = time.replace(tzinfo=UTC).strftime(pattern)
    read = datetime.strptime(written, pattern).replace(tzinfo=UTC)
    assert build_time_parser(pattern, UTC_ZONE)(written) == (read - EPOCH) // timedelta(milliseconds=1)


forms = st.sampled_from([*NAMED_TIME_FORMATS, *COMMON_TIME_PATTERNS, "%y%m%d", "%d.%m.%Y %H:%M:%S.%f"])
written = st.builds(lambda time, pattern: time.replace(tzinfo=UTC).strftime(pattern), st.datetimes(FIRST), forms)
odd = st.from_regex(r"\A *[0-3]?[0-9][./-][01]?[0-9][./-][0-9]{2,4}( [0-9]{1,2}:[0-9]{2})?( [ap]m)? *\Z")
numbers = st.from_regex(r"\A-?[0-9]{1,31}(\.[0-9]{1,5})?\Z")


@settings(max_examples=scale_examples(200), deadline=None)
@example(["1664582400"], "%y%m%d", "UTC")
@given(
    st.lists(written | odd | numbers | st.text(max_size=5), max_size=6),
    forms,
    st.sampled_from(["UTC", "Europe/Berlin", "Africa/Monrovia"]),
)
def test_a_column_is_read_as_each_of_its_cells(cells: list[str], form: str, zone_name: str) -> None:
    zone = load_time_zone(zone_name)
    cells = [cell.encode("utf-8", "ignore").decode() for cell in cells]
    column = TimestampColumn(TextColumn(pa.array(cells, pa.large_string())), zone, form)
    read = [build_time_parser(form, zone)(cell) for cell in cells]
    assert (column.state == TimeState.READ).tolist() == [time is not None for time in read]
    assert column.ms.tolist() == [clamp_to_int64(time or 0) for time in read]


def test_a_mapping_with_a_form_makes_events_and_reports_of_it() -> None:
    mapping = Mapping({"when": "timestamp"}, time_format="%d.%m.%Y", time_zone="Europe/Berlin")
    mapped = map_table(table_of(["when"], [["01.10.2022"], ["2022-10-01"], [""], ["01.10.1999"]]), mapping)
    assert [event.body.get("timestamp") for event in mapped.events()] == [
        ms("2022-09-30T22:00:00+00:00"), "2022-10-01", None, ms("1999-09-30T22:00:00+00:00"),
    ]  # fmt: skip
    counts = check_table(mapped).counts
    assert (counts["timestamp_unreadable"], counts["timestamp_before_2010"]) == (1, 1)


def test_a_form_is_written_down_only_where_there_is_one() -> None:
    assert "time_format" not in Mapping({}).to_json()
    own = Mapping({}, time_format="%d.%m.%Y")
    assert Mapping.from_json(own.to_json()) == own
    assert compile_time_pattern("%d.%m.%Y").parts == ("day", "month", "year")
