"""Every rule is declared with how it is judged, and what is declared is what both speeds do."""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import pyarrow.compute as pc
import pytest

from intempt_core.arrays import make_array
from intempt_core.contract.fields import EVENT_FIELDS
from intempt_core.contract.issue_kinds import ISSUE_KINDS
from intempt_core.contract.issues import Place
from intempt_core.contract.model import TrackEvent
from intempt_core.contract.readings import FieldColumn, FoundElsewhere, Requirement, ValueRule, find_none
from intempt_core.contract.rules import GivenEvent, find_event_errors, find_event_warnings
from intempt_core.mapping.model import Mapping as ColumnMapping
from intempt_core.mapping.model import exact_mapping
from intempt_core.mapping.table_events import choose_initial_mapping, map_table
from intempt_core.readers.payload import read_payload
from intempt_core.readers.table import read_table
from intempt_core.validation.check import check_events, check_table
from intempt_core.validation.prior_sends import PriorSend
from intempt_core.validation.report import Report
from intempt_core.validation.text_column import TextColumn
from tests.core.contract.factories import RULE_FIELDS, model_fields
from tests.core.readers.factories import table_of
from tests.core.readers.workbook_factories import rows_xml, workbook

GOOD = {"name": "Product viewed", "eventId": "e1", "userId": "u1", "data.productId": "p1"}


def event_of(flat: Mapping[str, object]) -> GivenEvent:
    body: dict[str, object] = {key: value for key, value in flat.items() if "." not in key and key != "name"}
    inside = {key.partition(".")[2]: value for key, value in flat.items() if "." in key}
    return GivenEvent(flat.get("name"), body | {"data": inside}, Place())


def by_event(event: GivenEvent) -> set[str]:
    return {issue.code for issue in (*find_event_errors(event), *find_event_warnings(event))}


def by_columns(rows: Sequence[Mapping[str, str]], types: Mapping[str, str] | None = None) -> Report:
    header = list(dict.fromkeys(field for row in rows for field in row))
    mapping = ColumnMapping(exact_mapping(header).columns, types=dict(types or {}))
    return check_table(map_table(table_of(header, [[row.get(field, "") for field in header] for row in rows]), mapping))


def of_text(text: str, *, salvage: bool = False) -> Report:
    payload = read_payload(text, salvage=salvage)
    return check_events(payload.events, None, payload.issues)


def of_file(text: str | bytes, name: str = "events.csv") -> Report:
    table = read_table(text if isinstance(text, bytes) else text.encode(), name=name)
    return check_table(map_table(table, choose_initial_mapping(table)))


CELLS: dict[str, dict[str, str]] = {
    "event_name": {"name": "view"},
    "event_id_missing": {"eventId": " "},
    "identity_missing": {"userId": ""},
    "product_id_missing": {"data.productId": ""},
    "timestamp_before_2010": {"timestamp": "1714631904"},
    "timestamp_unreadable": {"timestamp": "soon"},
    "timestamp_after_2040": {"timestamp": "9714631904000"},
    "id_placeholder": {"userId": "null"},
    "id_damaged": {"sessionId": "1.84E+18"},
    "id_white_space": {"data.productId": " p"},
    "product_list": {"data.productId": "p1|p2"},
    "id_spreadsheet_text": {"data.productId": '="00123"'},
}
"""Code of a rule that columns can show → cells that break it."""

EVENTS: dict[str, GivenEvent] = {
    "id_not_text": event_of(GOOD | {"sessionId": {}}),
    "id_number": event_of(GOOD | {"userId": 7}),
    "event_not_object": GivenEvent("Product viewed", 7, Place()),
}
"""Code of a rule that no cell, being text, can break → an event that does."""

ORDER = {"name": "Product ordered", "eventId": "o", "userId": "u", "timestamp": "1714631904000"}
ELSEWHERE: dict[str, Callable[[], Report]] = {
    "event_id_repeated": lambda: by_columns([GOOD, GOOD]),
    "event_id_shared": lambda: by_columns([ORDER | {"data.productId": product} for product in "ab"]),
    "id_zeros_lost": lambda: by_columns([GOOD | {"userId": user} for user in ("0012", "12")]),
    "id_twins": lambda: by_columns([GOOD | {"userId": user} for user in ("anna", "Anna")]),
    "time_day_month_unclear": lambda: by_columns(
        [GOOD | {"eventId": time, "timestamp": time} for time in ("2016-08-11", "4/15/2017")]
    ),
    "row_repeated": lambda: by_columns([{"name": "Product viewed", "userId": "u", "data.productId": "p"}] * 2),
    "id_cell_error": lambda: of_file(workbook({"A": rows_xml([["name", "userId"], ["a", "#REF!"]])}), "events.xlsx"),
    "request_shape": lambda: of_text('{"track": 7}'),
    "row_long": lambda: of_file("name,userId\na,b,c\n"),
    "quote_malformed": lambda: of_file('name,userId\na,"b\n'),
    "row_short": lambda: of_file("name,userId\na\n"),
    "line_unreadable": lambda: of_file('{"name": "a", "userId": "u"}\n{"name": \n', "events.jsonl"),
    "value_type": lambda: by_columns([GOOD | {"data.weight": "light"}], {"data.weight": "number"}),
    "key_repeated": lambda: of_text('{"userId": "a", "userId": "b"}'),
    "json_comment": lambda: of_text('{"userId": "a"} // why'),
    "json_cut": lambda: of_text('[{"userId": "a"}, {"user', salvage=True),
    "json_comma": lambda: of_text('{"userId": "a",}'),
    "number_precision": lambda: of_text('{"userId": "a", "data": {"x": 0.12345678901234567890}}'),
    "product_unknown": lambda: check_events(
        [event_of(GOOD)], is_unknown_product=lambda ids: pc.equal(ids, "p1").to_numpy(zero_copy_only=False)
    ),
    "order_line_added": lambda: check_events(
        [event_of(ORDER | {"data.productId": "a"})],
        lambda keys: {key: PriorSend("accepted", 0) for key in keys if key == "o"},
    ),
    "sent_before": lambda: check_events([event_of(GOOD)], lambda ids: {ids[0]: PriorSend("accepted", 0)}),
}
"""Code of what neither a field nor a column of fields shows → something in which it is found."""


def test_every_rule_says_how_it_is_judged() -> None:
    readings: dict[str, object] = {code: kind.reading for code, kind in ISSUE_KINDS.items()}
    ways = (Requirement, ValueRule, FoundElsewhere)
    assert [code for code, reading in readings.items() if not isinstance(reading, ways)] == []


def test_every_rule_has_an_example_here() -> None:
    assert ISSUE_KINDS.keys() - CELLS.keys() - EVENTS.keys() - ELSEWHERE.keys() == set()


def test_every_field_that_a_rule_reads_is_a_field_of_events_and_of_the_model() -> None:
    assert RULE_FIELDS - EVENT_FIELDS.keys() == {"name", ""}
    assert {*model_fields(TrackEvent)} ^ EVENT_FIELDS.keys() == set()


@pytest.mark.parametrize("code", CELLS)
def test_a_broken_rule_is_found_in_one_event_and_in_columns(code: str) -> None:
    row = GOOD | CELLS[code]
    assert isinstance(ISSUE_KINDS[code].reading, Requirement | ValueRule)
    mapped = map_table(table_of(list(row), [list(row.values())]), exact_mapping(list(row)))
    assert code in by_event(mapped.event(0))
    assert code in check_table(mapped).counts
    assert code not in by_event(event_of(GOOD))


@pytest.mark.parametrize("code", EVENTS)
def test_a_broken_rule_that_no_cell_shows_is_found_in_one_event(code: str) -> None:
    reading = ISSUE_KINDS[code].reading
    assert isinstance(reading, ValueRule)
    texts = cast(FieldColumn, TextColumn(make_array([""])))
    assert reading.find_wrong is find_none or reading.find_wrong(texts) is None
    assert code in by_event(EVENTS[code])


@pytest.mark.parametrize("code", ELSEWHERE)
def test_what_is_found_elsewhere_is_found_there(code: str) -> None:
    assert isinstance(ISSUE_KINDS[code].reading, FoundElsewhere)
    assert code in ELSEWHERE[code]().counts
