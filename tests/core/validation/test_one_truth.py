"""One truth at two speeds: the column rules and the model agree on every row and every code."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intempt_core.contract.fields import (
    BLANK_CHARACTERS,
    EVENT_FIELDS,
    ID_FIELDS,
    INVISIBLE_CHARACTERS,
    OPEN_FIELDS,
    EventName,
    FieldType,
)
from intempt_core.contract.id_forms import (
    COMPILED_ID_PATTERNS,
    ID_PATTERNS,
    PLACEHOLDER_IDS,
    PLACEHOLDER_PATTERN,
    is_placeholder,
)
from intempt_core.contract.issue_kinds import ISSUE_KINDS
from intempt_core.contract.issues import Issue, Place, format_given
from intempt_core.contract.model import TrackEvent
from intempt_core.contract.quantities import shorten_value
from intempt_core.contract.readings import Requirement, ValueRule, read_each_value
from intempt_core.contract.rules import GivenEvent
from intempt_core.mapping.mapped_table import MappedTable
from intempt_core.mapping.model import Mapping as ColumnMapping
from intempt_core.mapping.model import exact_mapping, load_time_zone
from intempt_core.mapping.number_forms import detect_number_form
from intempt_core.mapping.table_events import map_table
from intempt_core.mapping.values import is_cell_of_type, parse_time
from intempt_core.readers.dialects.dialect import Dialect
from intempt_core.readers.payload import read_payload
from intempt_core.readers.table import read_table
from intempt_core.validation.check import check_events, check_table
from intempt_core.validation.column_rules import ColumnChecker
from intempt_core.validation.prior_sends import EventKey, OrderLine, PriorSend
from intempt_core.validation.report import Report
from intempt_core.validation.text_column import TextColumn
from intempt_core.validation.time_column import TimestampColumn, TimeState, clamp_to_int64
from intempt_core.validation.unclear_times import report_unclear_times
from tests.core.contract.factories import RULE_FIELDS, model_fields
from tests.core.readers.factories import table_of
from tests.examples import scale_examples

EXOTIC = "ıİſKßẞσςΣéﬁ０１٣५🛒\u0301\ufb01"
PIECES = [*BLANK_CHARACTERS, *INVISIBLE_CHARACTERS, *EXOTIC, "\U0010ffff", "$", "\n", "\r\n", "0", "E+", "[", "]", "\\"]

ODD_TIMES = (
    "|0|-1|00012|1714631904000.0|1714631904000.5|1.7E+12|nan|+5|1_000|1714631904000 | | 1714631904000|٣|１２"
    "|9223372036854775807|9223372036854775808|-9223372036854775809|100000000000000000000000000"
    "|2022-10-01|2022-10-01 00:00|2022-10-01 00:00Z|2022-10-01 00:00.5|2022-10-0１ 00:00:00|2022-02-29 00:00:00"
    "|2024-02-29 00:00:00|2022-03-27 02:30:00|2022-10-30 02:30:00|2022-10-01 00:00:5é|2022-10-01é00:00:00"
    "|1972-01-07 00:44:00|1972-01-07 00:44:29|1972-01-07 00:44:31|1971-06-01 12:00:10"
    "|4/15/2017|15.04.2017|2016-13-06|2016-08-11|2016-08-11 10:00|2016-06-06 10:00:00|2016-08-11t10:00:00z"
    "|1664582400123456789|44835.41667|1262304000000|1262303999999|2210457600000|2210457600001"
    "|9999-12-31 23:59:59|0001-01-01 00:00:00"
).split("|")
ODD_NUMBERS = (
    "|0|-0|1|12.50|1e5|1E+400|1e-400|.5|5.|+5|007|1,234|12345678901234567890|0.1234567890123456789|123456789012345.6"
    "|nan|inf|Infinity|true|TRUE|True|false|yes|ﬁ| 5|5 |١|1_0|0x1|0e99999999999999999999|1e5000|-1.0|\u212aalse|trﬁe"
).split("|")


def is_unicode(text: str) -> bool:
    """Whether a text has no half characters, as no file has."""
    return text.encode("utf-8", "ignore").decode() == text


def disguised(word: str) -> list[str]:
    """A placeholder as upstream code may write it, and near it what is none."""
    kelvin = word.upper().replace("K", "\u212a").replace("I", "İ")
    return [word, word.upper(), word.title(), f" {word}", f"{word}\u200b", f"\t{word}\u3000", f"{word}x", kelvin]


placeholders = st.sampled_from(sorted(PLACEHOLDER_IDS)).map(disguised).flatmap(st.sampled_from)
LONG = [str(number) for number in (1487580005268456448, 1487580005268456200, 1487580005268456287, 10**16 + 4)]
DAMAGED = [
    *LONG,
    "17850.0",
    "17850,0",
    "-1.0",
    "1.5",
    "2E5",
    "1.0E7",
    "1,84E18",
    "1,234,567",
    "12 345",
    "12B4",
    '="00123"',
    "'0045",
    "#REF!",
    "[object Window]",
    "{{user}}",
    "Jos\u00e9",
    "Jose\u0301",
    "JOSE\u0301",
    "1.84E+18",
    "1,8E+5",
    "184e+9",
    "-1e+5",
    "1.84E18",
    "1.84E+18\n",
    "1٣E+5",
    "123456789012345000",
    "148758000526845000000",
    "012345678901234500",
]
damaged = st.sampled_from(DAMAGED)
digits = st.sampled_from("0 00 007 7 12 012 0012 123 1234 00123 12345678 ٠٠٧ ٧ 7\u200b 07\u00a0".split(" "))
hostile = st.lists(st.sampled_from(PIECES) | st.text(max_size=2), max_size=4).map("".join)
ids = st.one_of(
    st.sampled_from(["a", "b", "c", "A", "a ", "", " ", "\u200b", "\x00"]),
    placeholders,
    damaged,
    digits,
    hostile,
    st.text(max_size=6),
).map(lambda text: text.encode("utf-8", "ignore").decode())
few = st.sampled_from(["a", "a", "b", "c", "", "0", "anonymous", " "])
seconds = st.integers(1_262_303_999, 2_210_457_601)
dates = st.builds(
    lambda y, mo, d, sep, h, mi, s, tail: f"{y:04}-{mo:02}-{d:02}{sep}{h:02}:{mi:02}:{s:02}{tail}",
    st.sampled_from([0, 1, 1969, 1972, 1999, 2000, 2009, 2010, 2022, 2023, 2024, 2040, 9999]),
    st.integers(0, 13),
    st.integers(0, 32),
    st.sampled_from(" Tt_"),
    st.integers(0, 25),
    st.integers(0, 60),
    st.integers(0, 60),
    st.sampled_from(
        [
            "",
            " UTC",
            "Z",
            "+02:00",
            "-0530",
            "+05",
            ".5",
            ",123456789Z",
            ".999 UTC",
            " CET",
            "+25:00",
            "+01:60",
            "é",
            "\n",
            " ",
            ".",
            "Zé",
            "٣",
        ]
    ),
)
times = st.one_of(
    seconds.map(str),
    (seconds.map(lambda s: s * 1000) | seconds.map(lambda s: s * 1_000_000)).map(str),
    st.sampled_from(ODD_TIMES),
    dates,
    st.just("9" * 5000),
    hostile,
)
names = st.sampled_from(
    [
        *EventName,
        EventName.ORDERED,
        EventName.ORDERED,
        "view",
        "order",
        "",
        "Product Viewed",
        "Product viewed ",
        " ",
        "ſ",
    ]
)
typed = st.one_of(
    st.sampled_from(ODD_NUMBERS),
    st.floats().map(repr),
    st.integers().map(str),
    st.just("9" * 4301),
    hostile,
)
CELLS_OF_TYPE = {
    FieldType.ID: few | ids,
    FieldType.TIME: st.sampled_from(["", "1714631904000", "2022-10-01 00:00:00", "x"]) | times,
}
CELLS_OF_FIELD = {"userId": few, "anotherUserId": few, "accountId": few}  # so that persons are found again


def cells_of(field: str) -> st.SearchStrategy[str]:
    """Cells for a field; one that nobody has thought of here gets every odd number, date and text."""
    if field in CELLS_OF_FIELD or field not in EVENT_FIELDS:
        return CELLS_OF_FIELD.get(field, typed)
    return CELLS_OF_TYPE.get(EVENT_FIELDS[field], typed | times | ids)


KINDS = {
    "name": names,
    **{field: cells_of(field) for field in {*model_fields(TrackEvent), *RULE_FIELDS} - {"name", ""}},
    "data.brand": typed,
    "userAttributes.on": typed,
}
constants = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    few,
    times,
    names.map(str),
    st.just([1]),
    st.just({}),
)


@st.composite
def mapped_tables(draw: st.DrawFn) -> MappedTable:
    fields = draw(st.lists(st.sampled_from(sorted(KINDS)), unique=True, min_size=1))
    count = draw(st.integers(0, 8))
    rows = [draw(st.tuples(*(KINDS[field] for field in fields))) for _ in range(count)]
    again, fixed = draw(st.booleans()), draw(st.booleans())
    if rows and again:  # the same row again, and again with another product: lines of an order
        for row in draw(st.lists(st.sampled_from(rows), max_size=4)):
            product = draw(few)
            at = draw(st.integers(0, len(rows)))
            rows.insert(
                at,
                tuple(product if field == "data.productId" else cell for field, cell in zip(fields, row, strict=True)),
            )
    cells = draw(st.dictionaries(st.integers(0, max(0, len(rows) - 1)), st.integers(1, 20), max_size=2)) if rows else {}
    rest = sorted(set(KINDS) - set(fields))
    mapping = ColumnMapping(
        {f"column {field}": field for field in fields},
        names=draw(
            st.sampled_from(
                [{}, {"view": "Product viewed", "order": "Product ordered"}, {"Product viewed": "Product ordered"}]
            )
        ),
        types={
            field: draw(st.sampled_from(["number", "integer", "boolean", "text"]))
            for field in fields
            if field.split(".")[0] in OPEN_FIELDS and field not in ID_FIELDS and draw(st.booleans())
        },
        constants=draw(st.dictionaries(st.sampled_from(rest), constants, max_size=3)) if rest and fixed else {},
        time_zone=draw(
            st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Monrovia", "America/New_York"])
        ),
        time_format=draw(st.sampled_from(["", "", "%m/%d/%Y", " | %m/%d/%Y", "iso | epoch_s | %d.%m.%Y", "epoch_ns"])),
    )
    header = [f"column {field}" for field in fields]
    return map_table(table_of(header, [[str(cell) for cell in row] for row in rows], cells=cells), mapping).column_view


@st.composite
def order_tables(draw: st.DrawFn) -> MappedTable:
    """Tables of a few ids, persons, times and products, so that repeats and lines of orders abound."""
    alphabets = {
        "name": [EventName.ORDERED] * 9 + [EventName.VIEWED, "order", "nonsense"],
        "eventId": ["o"] * 9 + ["x", "", " "],
        "profileId": ["p"] * 8 + ["", "", "q", "anonymous"],
        "userId": ["", "", "", "u", "0"],
        "accountId": ["", "a", "a", "null"],
        "timestamp": ["1714631904000"] * 4 + ["2024-05-02 06:38:24 UTC", "", "", "1714631904001", "x", "0"],
        "data.productId": ["p1", "p2", "p3", "p4", " ", ""],
    }
    left_out = draw(st.sets(st.sampled_from(sorted(alphabets)), max_size=2))
    fields = [field for field in alphabets if field not in left_out]
    rows = draw(st.lists(st.tuples(*(st.sampled_from(alphabets[field]) for field in fields)), min_size=2, max_size=9))
    fixed = {field: st.none() | st.sampled_from(alphabets[field]) | st.just(7) for field in left_out}
    mapping = ColumnMapping(
        {field: field for field in fields},
        names=draw(st.sampled_from([{}, {}, {"order": "Product ordered"}, {"Product ordered": "Product viewed"}])),
        constants={field: draw(value) for field, value in fixed.items() if draw(st.booleans())},
    )
    cells = draw(st.dictionaries(st.integers(0, len(rows) - 1), st.just(99), max_size=1))
    return map_table(table_of(fields, rows, cells=cells), mapping).column_view


def said_before(ids: Sequence[EventKey]) -> Mapping[EventKey, PriorSend]:
    known = ("a", "0", "made_")
    found = {key for key in ids if key in known or (isinstance(key, OrderLine) and key.product_id in known)}
    return {key: PriorSend("accepted", 1_793_534_580_000) for key in found}


def issues_of_reading(mapped: MappedTable, row: int, event: GivenEvent) -> Iterator[Issue]:
    """What a row shows beside its event, looked up cell by cell."""
    cells = mapped.table.cell_counts.get(row)
    if cells is not None and cells != len(mapped.table.header):
        code = "row_long" if cells > len(mapped.table.header) else "row_short"
        yield Issue(code, Place(event.place.row, event.place.line), str(cells))
    for field, kind in mapped.mapping.types.items():
        cell = mapped.table.cell(row, mapped.field_columns[field])
        if cell and not is_cell_of_type(cell, kind):
            form = detect_number_form([cell]) or ""
            written = form.partition(":")[2]
            hint = f"It seems to be written as {written}: name the type {form} in the mapping, or correct the cell."
            yield Issue("value_type", event.place_of(field), shorten_value(cell), hint if written else "")
    ours = mapped.table.record(row)
    earlier = (number for number in range(row if mapped.makes_ids else 0) if mapped.table.record(number) == ours)
    if any(ours.values()) and (first := next(earlier, None)) is not None:
        hint = f"It equals {mapped.table.describe_row(first)} in every cell."
        more = " Exclude it, unless it happened as often as it is there."
        yield Issue("row_repeated", Place(event.place.row, event.place.line), None, hint + more)


def is_unreadable_time(mapped: MappedTable, event: GivenEvent) -> bool:
    return "timestamp" in mapped.field_columns and isinstance(event.body.get("timestamp"), str)


def by_the_model(mapped: MappedTable) -> Report:
    """The same table, asked one by one."""
    events = list(mapped.events())
    found = [issue for row, event in enumerate(events) for issue in issues_of_reading(mapped, row, event)]
    unreadable = [row for row, event in enumerate(events) if is_unreadable_time(mapped, event)]
    for finding in report_unclear_times(mapped, np.array(unreadable, np.int64)):
        for index, row in enumerate(finding.rows.tolist()):
            event, hint = events[row], finding.hint(index) if finding.hint else ""
            given_text = format_given(event.body["timestamp"])
            found.append(Issue(finding.code, event.place_of("timestamp"), given_text, hint))
    return check_events(events, said_before, found)


def without_rows(issue: Issue) -> Issue:
    """A file calls another row a row, a list calls it an event; all else is the same."""
    return replace(issue, hint=re.sub(r"(?:row|event) [0-9,]+ \(line", "row … (line", issue.hint))


def both_speeds_agree(mapped: MappedTable) -> None:
    fast, slow = check_table(mapped, said_before), by_the_model(mapped)
    for code in ISSUE_KINDS:
        assert fast.rows_of(code).tolist() == slow.rows_of(code).tolist(), code
    assert fast.counts == slow.counts
    assert fast.error_mask.tolist() == slow.error_mask.tolist()
    assert (fast.rows_with_errors, fast.rows_with_warnings) == (slow.rows_with_errors, slow.rows_with_warnings)
    every, quick = slow.issues(limit=10_000), fast.issues(limit=10_000)
    assert [without_rows(issue) for issue in quick] == [without_rows(issue) for issue in every]
    assert [*fast.issues_by_row(range(fast.rows))] == [fast.issues_of(row) for row in range(fast.rows)]
    assert fast.issue_count() == slow.issue_count() == len(every)
    size = 1 + len(every) // 7  # a few pages, that end anywhere within a row's issues
    pages = [fast.issues(start, size) for start in range(0, len(every) + size, size)]
    assert [issue for page in pages for issue in page] == quick
    assert [fast.first_row_of(row) for row in range(fast.rows)] == [slow.first_row_of(row) for row in range(fast.rows)]
    for code in fast.counts:
        of_code = fast.issues(limit=10_000, code=code)
        assert fast.part_counts(code) == slow.part_counts(code)
        for part, count in fast.part_counts(code).items():
            assert fast.rows_of(code, part).tolist() == slow.rows_of(code, part).tolist()
            assert fast.issues(0, 10_000, code, part) == [
                issue for issue in of_code if (issue.place.row or 0) - 1 in fast.rows_of(code, part).tolist()
            ]
            assert fast.issue_count(code, part) == count
        assert len(of_code) == fast.issue_count(code) == slow.issue_count(code)
        assert Counter(issue.place.row for issue in of_code).keys() == {row + 1 for row in fast.rows_of(code).tolist()}


@settings(
    max_examples=scale_examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(mapped_tables())
def test_columns_and_model_agree_on_every_row_and_every_code(mapped: MappedTable) -> None:
    both_speeds_agree(mapped)


@settings(
    max_examples=scale_examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(mapped_tables())
def test_what_a_rule_finds_in_a_column_is_what_it_finds_value_by_value(mapped: MappedTable) -> None:
    for field, column in ColumnChecker(mapped).cells.items():
        values = mapped.read(field, mapped.cells[field])
        for code, kind in ISSUE_KINDS.items():
            if isinstance(kind.reading, Requirement) and field in kind.reading.fields:
                assert kind.reading.find_met(column).tolist() == [kind.reading.is_met(value) for value in values], code
            elif isinstance(kind.reading, ValueRule) and field in kind.reading.fields:
                expected = [value is not None and kind.reading.is_wrong(value) for value in values]
                found = kind.reading.find_wrong(column)
                assert expected == ([False] * len(values) if found is None else found.tolist()), code
                assert expected == read_each_value(kind.reading.is_wrong)(column).tolist(), code


@settings(max_examples=scale_examples(250), deadline=None)
@given(order_tables())
def test_columns_and_model_agree_on_repeats_and_orders(mapped: MappedTable) -> None:
    both_speeds_agree(mapped)


@pytest.mark.untraced  # as generated examples
@pytest.mark.parametrize(
    ("field", "part"),
    [
        ("userId", 8),
        *(
            pytest.param(field, 1, marks=pytest.mark.long)
            for field in ("userId", "eventId", "accountId", "data.productId", "sessionId")
        ),
    ],
)
def test_both_speeds_agree_on_every_known_oddity_of_an_id(field: str, part: int) -> None:
    """``part`` is which part of them is tried: 8 is an eighth, a few of each kind."""
    around = [
        text
        for mark in (*BLANK_CHARACTERS, *INVISIBLE_CHARACTERS)
        for text in (mark, mark + "a", "a" + mark, f"a{mark}b")
    ]
    odd = [
        *around,
        *DAMAGED,
        *(text for word in PLACEHOLDER_IDS for text in disguised(word)),
        *EXOTIC,
        "",
        "\x1e",
        "a b",
    ]
    rows = [[text] for text in odd[::part]]
    both_speeds_agree(map_table(table_of([field], rows), exact_mapping([field])).column_view)


@pytest.mark.untraced  # as generated examples
def test_both_speeds_agree_on_every_known_oddity_of_times_and_numbers() -> None:
    rows = [[text] for text in ODD_TIMES]
    for zone in ("UTC", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Monrovia"):
        mapped = map_table(table_of(["t"], rows), ColumnMapping({"t": "timestamp"}, time_zone=zone)).column_view
        both_speeds_agree(mapped)
        times = TimestampColumn(TextColumn(mapped.cells["timestamp"]), mapped.zone)
        for text, state, ms in zip(ODD_TIMES, times.state.tolist(), times.ms.tolist(), strict=True):
            read = parse_time(text, mapped.zone)
            assert (state, ms) == ((TimeState.READ, clamp_to_int64(read)) if read is not None else (bool(text), 0)), (
                text
            )
    for kind in ("number", "integer", "boolean", "text"):
        mapping = ColumnMapping({"n": "data.n"}, types={"data.n": kind})
        both_speeds_agree(map_table(table_of(["n"], [[text] for text in ODD_NUMBERS]), mapping).column_view)


@given(
    st.lists(times | st.sampled_from(ODD_TIMES), max_size=8),
    st.sampled_from(["UTC", "Europe/Berlin", "Africa/Monrovia"]),
)
def test_a_column_of_times_is_read_as_each_cell_is(cells: list[str], zone_name: str) -> None:
    zone = load_time_zone(zone_name)
    column = TimestampColumn(TextColumn(pa.array(cells, pa.large_string())), zone)
    read = [parse_time(cell, zone) for cell in cells]
    assert (column.state == TimeState.READ).tolist() == [time is not None for time in read]
    assert column.ms.tolist() == [clamp_to_int64(time or 0) for time in read]


VALUES_OF_TYPE: dict[FieldType, st.SearchStrategy[object]] = {
    FieldType.ID: few | placeholders | damaged | digits,
    FieldType.TIME: st.integers(-(10**30), 10**30) | seconds.map(lambda second: second * 1000),
}
FLAT_HEADER = ["name", *EVENT_FIELDS]
flat_events: st.SearchStrategy[dict[str, object]] = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from([*EventName, "view", "Product Viewed"]),
        **{field: VALUES_OF_TYPE.get(kind, few) for field, kind in EVENT_FIELDS.items()},
        "eventId": few | placeholders | st.sampled_from(["e1", "e1", "e2", "007", "12"]),
    },
)


@settings(max_examples=scale_examples(100), deadline=None)
@given(st.lists(flat_events, max_size=6))
def test_form_file_and_pasted_json_give_the_same_codes(flat: list[dict[str, object]]) -> None:
    flat = [{key: value for key, value in event.items() if value != ""} for event in flat]
    objects = []
    for event in flat:
        body: dict[str, Any] = {key: value for key, value in event.items() if "." not in key} | {"data": {}}
        for key, value in event.items():
            if "." in key:
                parent, _, inside = key.partition(".")
                body.setdefault(parent, {})[inside] = value
        objects.append(body)
    typed_in = [
        GivenEvent(body.get("name"), {key: value for key, value in body.items() if key != "name"}, Place())
        for body in objects
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, FLAT_HEADER, restval="", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(flat)
    table = read_table(text.getvalue().encode(), name="events.csv", dialect=Dialect())
    pasted = read_payload(json.dumps(objects))
    reports = [
        check_events(typed_in),
        check_table(map_table(table, exact_mapping(FLAT_HEADER)).column_view),
        check_events(
            pasted.events, reader_issues=[issue for issue in pasted.issues if issue.code != "number_precision"]
        ),
    ]
    found = [
        [sorted(issue.code for issue in report.issues_of(row)) for row in range(report.rows)] for report in reports
    ]
    assert found[0] == found[1] == found[2]


@given(hostile | ids | damaged)
def test_re2_reads_the_patterns_as_python_does(text: str) -> None:
    for code, pattern in ID_PATTERNS.items():
        column = pc.match_substring_regex(pa.array([text], pa.large_string()), pattern)
        assert column.to_pylist() == [re.search(pattern.replace("$", r"\Z"), text) is not None], code


@given(hostile | ids | placeholders | st.from_regex(PLACEHOLDER_PATTERN).filter(is_unicode))
def test_a_placeholder_in_a_column_is_one_by_itself(text: str) -> None:
    assert TextColumn(pa.array([text], pa.large_string())).placeholders.tolist() == [is_placeholder(text)]


@given(
    st.sampled_from(["id_damaged", "product_list"]).flatmap(
        lambda code: st.tuples(st.just(code), st.from_regex(COMPILED_ID_PATTERNS[code]).filter(is_unicode))
    )
)
def test_what_fits_a_pattern_is_found_in_a_column_whatever_it_begins_with(found: tuple[str, str]) -> None:
    code, text = found
    rule = ISSUE_KINDS[code].reading
    assert isinstance(rule, ValueRule)
    column: Any = TextColumn(pa.array([text], pa.large_string()))  # all of a field's column that these two ask
    wrong = rule.find_wrong(column)
    assert wrong is not None
    assert wrong.tolist() == [True]
