"""From a cell to its pointer and back: what is named is found, and what is not there is a sentence."""

import json

import pytest

from intempt_core.contract.issues import split_pointer
from intempt_core.mapping.event_source import EventSource
from intempt_core.mapping.model import Mapping
from intempt_core.mapping.table_events import map_table
from intempt_core.planning.locate import CellLocation, RequestLocation, find_cell, locate_in_event, locate_in_request
from intempt_core.planning.plan import Plan, plan_table
from intempt_core.settings import Settings
from tests.core.readers.factories import table_of

HEADER = ["event", "user id", "sku", "a/b", "note"]
FIELDS = {"event": "name", "user id": "userId", "sku": "data.productId", "a/b": "data.a/b"}
VIEW, CART = "Product viewed", "Added to cart"


@pytest.fixture
def mapped() -> EventSource:
    rows = [[VIEW if row % 3 else CART, f"u{row % 2}", f"p{row}", f"x{row}", "n"] for row in range(9)]
    return map_table(table_of(HEADER, rows), Mapping(FIELDS))


@pytest.fixture
def plan(mapped: EventSource) -> Plan:
    return plan_table(mapped, [row for row in range(9) if row != 4], Settings(events_per_request=3))


def test_every_cell_is_found_again_by_its_pointer_into_its_request(mapped: EventSource, plan: Plan) -> None:
    for row in range(9):
        for column in FIELDS:
            found = locate_in_request(mapped, plan, row, column)
            if row == 4:
                assert found is None
                continue
            assert found is not None
            value = json.loads(plan.body(plan.requests[found.request - 1]))
            for key in split_pointer(found.pointer):
                value = value[int(key) if isinstance(value, list) else key]
            assert value == mapped.table.cell(row, column)
            location = find_cell(f"request {found.request} {found.pointer}", mapped, plan)
            if column == "event":  # a name is its whole group's
                assert isinstance(location, CellLocation)
                assert mapped.table.cell(location.row, column) == value
                continue
            assert location == CellLocation(row, column)
            if "/" not in column:
                assert find_cell(f"request {found.request}: {found.path}", mapped, plan) == location


def test_a_cell_has_a_pointer_into_its_event(mapped: EventSource, plan: Plan) -> None:
    assert [locate_in_event(mapped, column) for column in HEADER] == [
        "/name",
        "/userId",
        "/data/productId",
        "/data/a~1b",
        None,
    ]
    for column in FIELDS:
        assert find_cell(f"row 8 {locate_in_event(mapped, column)}", mapped, plan) == CellLocation(7, column)
    assert locate_in_request(mapped, plan, 0) == RequestLocation(1, "/track/0/payload/0")
    assert RequestLocation(1, "/track/0/payload/0/data/productId").path == "track[0].payload[0].data.productId"


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("8", CellLocation(7)),
        ("Row 8", CellLocation(7)),
        ("line 9", CellLocation(7)),
        ("line 9, column sku", CellLocation(7, "sku")),
        ("row 8 user id", CellLocation(7, "user id")),
        ("row 8 data.productId", CellLocation(7, "sku")),
        ("row 8 note", CellLocation(7, "note")),
        ("line 1,000", CellLocation(8)),
        ("/track/0/payload/0", CellLocation(0)),
    ],
)
def test_a_cell_is_found_by_what_people_call_it(
    mapped: EventSource, plan: Plan, text: str, location: CellLocation
) -> None:
    assert find_cell(text, mapped, plan) == location


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Name a row"),
        ("sku", "Name a row"),
        ("row 0", "no row 0"),
        ("row 10", "rows 1 to 9"),
        ("line 1", "above the first row"),
        ("row 1 price", "No column of the file becomes price"),
        ("request 99 track[0].payload[0]", "no request 99"),
        ("track[0].payload[7].data.productId", "there is none at track[0].payload[7].data.productId"),
        ("track[7].name", "there is none"),
        ("track", "there is none"),
    ],
)
def test_what_is_not_there_is_a_sentence(mapped: EventSource, plan: Plan, text: str, sentence: str) -> None:
    assert sentence in str(find_cell(text, mapped, plan))
