"""The Hypothesis strategies: what is valid shows no issue, what is broken shows its own."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intempt_core.contract import ISSUE_KINDS, GivenEvent, Place, read_linking_ids
from intempt_core.mapping import Mapping, choose_initial_mapping, map_table
from intempt_core.readers import Document, read_payload, read_table_or_document
from intempt_core.testing.strategies import (
    INEXPRESSIBLE_CODES,
    BrokenEvents,
    Event,
    broken,
    events,
    journeys,
)
from intempt_core.validation import Report, build_catalogue, check_events, check_table, read_catalogue_file


def read_given(event: Event, row: int = 1) -> GivenEvent:
    return GivenEvent(event["name"], {key: event[key] for key in event if key != "name"}, Place(row=row))


def check_lines(some: list[Event]) -> Report:
    text = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in some)
    table = read_table_or_document(text.encode(), name="events.jsonl")
    assert not isinstance(table, Document)
    return check_table(map_table(table, choose_initial_mapping(table)))


def check_broken(found: BrokenEvents) -> Report:
    is_unknown = None
    if found.products:
        items = read_catalogue_file("\n".join(["productId", *found.products]).encode(), name="items.csv")
        is_unknown = build_catalogue(items, "productId").is_unknown
    mapping: Any = found.mapping
    if found.name.endswith(".json"):
        payload = read_payload(found.text, salvage=True)
        return check_events(payload.events, None, payload.issues, is_unknown)
    read = read_table_or_document(found.text.encode(), name=found.name, prefers_lines=True)
    assert not isinstance(read, Document)
    chosen = choose_initial_mapping(read) if mapping is None else Mapping(mapping["columns"], types=mapping["types"])
    return check_table(map_table(read, chosen), None, is_unknown)


@settings(max_examples=50)
@given(events())
def test_an_event_has_no_issue(event: Event) -> None:
    assert not check_events([read_given(event)]).all_counts


@settings(max_examples=20)
@given(journeys())
def test_a_journey_has_no_issue_and_is_of_one_person_in_order(journey: list[Event]) -> None:
    assert not check_events([read_given(event, row) for row, event in enumerate(journey, 1)]).all_counts
    assert not check_lines(journey).all_counts
    times = [event["timestamp"] for event in journey]
    assert times == sorted(times)
    assert len({tuple(read_linking_ids(event)) for event in journey}) == 1


@settings(max_examples=10)
@given(journeys(min_size=3, max_size=4))
def test_a_journey_is_as_long_as_it_is_asked_for(journey: list[Event]) -> None:
    assert 3 <= len(journey) <= 4


@pytest.mark.parametrize("code", [code for code in ISSUE_KINDS if code not in INEXPRESSIBLE_CODES])
def test_broken_events_have_their_issue(code: str) -> None:
    @settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
    @given(broken(code))
    def check(found: BrokenEvents) -> None:
        report = check_broken(found)
        assert code in report.all_counts, (found.text, report.all_counts)
        if found.rows:
            assert report.rows_of(code).tolist() == [row - 1 for row in found.rows]

    check()


def test_broken_json_lines_are_given_as_events() -> None:
    @settings(max_examples=5)
    @given(broken("product_id_missing"))
    def check(found: BrokenEvents) -> None:
        (row,) = found.rows
        assert "productId" not in found.events[row - 1]["data"]

    check()


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        *((code, f"No text of events has {code}: {why}.") for code, why in INEXPRESSIBLE_CODES.items()),
        ("product_missing", "Did you mean “product_id_missing”?"),
    ],
)
def test_a_code_that_cannot_be_broken_says_why(code: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"[Nn]o ") as raised:
        broken(code)
    assert sentence in str(raised.value)


def test_strategies_are_strategies() -> None:
    assert all(isinstance(one, st.SearchStrategy) for one in (events(), journeys(), broken("event_name")))
