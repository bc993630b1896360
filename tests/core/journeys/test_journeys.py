"""Journeys: their file form, the events of one, and a journey of events."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract import build_request_body
from intempt_core.errors import JourneyError
from intempt_core.journeys import (
    JOURNEY_NAME_LENGTH,
    MAX_JOURNEY_EVENTS,
    Journey,
    JourneyEvent,
    build_journey_events,
    find_own_values,
    make_journey,
    parse_assignments,
    parse_journey,
    read_journey_file,
    write_journey,
)

NOW = 1_795_348_980_000
EXAMPLE = """{
  "name": "Added, then ordered",
  "person": {"userId": "user_123"},
  "product": {"productId": "SKU_987", "data.price": 12.50},
  "events": [{"name": "Product viewed"},
             {"name": "Added to cart", "set": {"data.quantity": 2}},
             {"name": "Product ordered", "set": {"data.price": 11, "userId": "user_9"}}]
}"""


def build(journey: Journey, **sets: Any) -> list[tuple[str, dict[str, Any]]]:
    ids = iter(f"e{number}" for number in range(1, 100))
    return build_journey_events(journey, sets, NOW, lambda: next(ids))


def event(**values: Any) -> str:
    return json.dumps({"name": "j", "events": [{"name": "Product viewed", "set": values}]})


# ── events of a journey ──────────────────────────────────────────────────────────────────────────────────────────────


def test_an_events_own_values_win_over_the_product_and_those_over_the_person() -> None:
    assert build(parse_journey(EXAMPLE)) == [
        (
            "Product viewed",
            {
                "eventId": "e1",
                "timestamp": NOW - 2,
                "userId": "user_123",
                "data": {"productId": "SKU_987", "price": 12.5},
            },
        ),
        (
            "Added to cart",
            {
                "eventId": "e2",
                "timestamp": NOW - 1,
                "userId": "user_123",
                "data": {"productId": "SKU_987", "price": 12.5, "quantity": 2},
            },
        ),
        (
            "Product ordered",
            {"eventId": "e3", "timestamp": NOW, "userId": "user_9", "data": {"productId": "SKU_987", "price": 11}},
        ),
    ]
    both = '{"name": "j", "person": {"data.a": 1}, "product": {"a": 2}, "events": [{"name": "Product viewed"}]}'
    assert build(parse_journey(both))[0][1]["data"] == {"a": 2}


def test_ids_and_times_are_made_at_each_send_unless_an_event_has_its_own() -> None:
    journey = parse_journey(EXAMPLE)
    first, second = (build_journey_events(journey, {}, NOW) for _ in range(2))
    ids = [body["eventId"] for _, body in (*first, *second)]
    assert len(set(ids)) == 6
    own = parse_journey(event(eventId="evt_7", timestamp=5))
    assert build(own)[0][1] == {"eventId": "evt_7", "timestamp": 5}


def test_values_of_a_send_win_over_person_and_product_but_not_over_an_events_own() -> None:
    journey = parse_journey(EXAMPLE)
    sets = parse_assignments(["userId=u7", "data.productId=A1", "data.price:=3"])
    built = build(journey, **sets)
    assert [body["userId"] for _, body in built] == ["u7", "u7", "user_9"]
    assert [body["data"]["productId"] for _, body in built] == ["A1"] * 3
    assert [body["data"]["price"] for _, body in built] == [3, 3, 11]
    assert find_own_values(journey, sets) == {"userId": [3], "data.price": [3]}


def test_data_as_a_whole_takes_the_place_of_what_the_product_says() -> None:
    journey = parse_journey(
        '{"name": "j", "product": {"productId": "A"}, "events": [{"name": "Product viewed", "set": {"data": {}}}]}'
    )
    assert build(journey)[0][1]["data"] == {}
    assert find_own_values(journey, {"data.productId": "B"}) == {"data.productId": [1]}


def test_what_follows_the_first_dot_is_the_key_as_in_a_mapping() -> None:
    assert build(parse_journey(event(**{"data.price.net": 1, "a.b": 2})))[0][1] == {
        "eventId": "e1",
        "timestamp": NOW,
        "a.b": 2,
        "data": {"price.net": 1},
    }


def test_numbers_keep_every_digit_from_the_file_to_the_wire() -> None:
    text = event().replace('"set": {}', '"set": {"data.price": 12.50, "data.n": 0.12345678901234567890, "userId": 1e2}')
    journey = parse_journey(text)
    body = build_request_body(build(journey)).decode()
    assert '"price":12.50,"n":0.12345678901234567890' in body
    assert '"userId":1e2' in body
    assert "12.50" in write_journey(journey)
    assert "0.12345678901234567890" in write_journey(journey)


# ── the file form ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_written_is_read_back() -> None:
    journey = parse_journey(EXAMPLE)
    assert parse_journey(write_journey(journey)) == journey
    assert json.loads(write_journey(journey))["product"] == {"data.productId": "SKU_987", "data.price": 12.5}
    assert json.loads(write_journey(Journey("j", (JourneyEvent("Product viewed"),)))) == {
        "name": "j",
        "events": [{"name": "Product viewed"}],
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "The journey is empty."),
        (" \n", "The journey is empty."),
        ('{"name": "j",}', "The journey is no JSON. Line 1, column 14:"),
        ("[]", "The journey: “[]” is no object. It takes one with name, person, product and events."),
        ('{"nam": "j", "events": []}', "The journey has a key “nam”. Did you mean “name”?"),
        ('{"name": "j", "name": "k", "events": []}', "The key “name” is twice in one object. Remove one of them."),
        ('{"name": "j"}', "events: what is missing is no list. It takes a list such as"),
        ('{"name": "j", "events": {}}', "events: “{}” is no list."),
        ('{"name": "j", "events": []}', f"events: There is no event. A journey has from 1 to {MAX_JOURNEY_EVENTS}."),
        ('{"name": "j", "events": ["Product viewed"]}', "events[0]: “Product viewed” is no object."),
        ('{"name": "j", "events": [{"set": {}}]}', "events[0].name: what is missing is no name. It takes"),
        ('{"name": "j", "events": [{"name": 5}]}', "events[0].name: “5” is no name."),
        ('{"name": "j", "events": [{"name": "x", "sett": {}}]}', "events[0] has a key “sett”. Did you mean “set”?"),
        ('{"name": "j", "events": [{"name": "x", "set": []}]}', "events[0].set: “[]” is no object."),
        (event(name="y"), "events[0].set: the name of an event is no field."),
        ('{"name": "j", "person": "u", "events": [{"name": "x"}]}', "person: “u” is no object."),
        ('{"name": 5, "events": [{"name": "x"}]}', "name: “5” is no name."),
        ('{"name": " j", "events": [{"name": "x"}]}', "name: “ j” is no name."),
        (f'{{"name": "{"j" * 81}", "events": [{{"name": "x"}}]}}', f"takes up to {JOURNEY_NAME_LENGTH} characters"),
        ('{"name": "a\\u0007b", "events": [{"name": "x"}]}', "name: “a[U+0007]b” is no name."),
        ('{"name": "j", "events": [{"name": "x", "set": {"userId": NaN}}]}', "The journey is no JSON."),
        (json.dumps({"name": "j", "events": [{"name": "x"}] * 51}), "events: There are 51 events."),
        ("[" * 5000, "The journey is no JSON."),
    ],
)  # fmt: skip
def test_what_is_no_journey_is_said_with_its_place_and_what_is_allowed(text: str, says: str) -> None:
    with pytest.raises(JourneyError) as error:
        parse_journey(text)
    assert says in str(error.value)


def test_a_file_without_a_name_has_its_own(tmp_path: Path) -> None:
    file = tmp_path / "first order.json"
    file.write_text('\ufeff{"events": [{"name": "Product viewed"}]}', "utf-8")
    assert read_journey_file(file).name == "first order"
    with pytest.raises(JourneyError, match="cannot be read: No such file"):
        read_journey_file(tmp_path / "none.json")
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(JourneyError, match=r"is not UTF-8 \(byte 0\)"):
        read_journey_file(file)
    file.write_text("{", "utf-8")
    with pytest.raises(JourneyError, match=r"^first order\.json: The journey is no JSON"):
        read_journey_file(file)


# ── a journey of events ──────────────────────────────────────────────────────────────────────────────────────────────


def test_person_and_product_are_said_once_and_ids_and_times_are_left_out() -> None:
    sent = build(parse_journey(EXAMPLE))
    made = make_journey("again", sent)
    assert made.person == {"userId": "user_123"}
    assert made.product == {"data.productId": "SKU_987"}
    assert [one.values for one in made.events] == [
        {"data.price": 12.5},
        {"data.price": 12.5, "data.quantity": 2},
        {"userId": "user_9", "data.price": 11},
    ]


values = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=3), st.lists(st.integers(), max_size=2)
)
objects = st.dictionaries(st.text("ab.", min_size=1, max_size=3) | st.sampled_from(["productId", "price"]), values)
bodies = st.fixed_dictionaries(
    {},
    optional={"userId": values, "profileId": values, "data": objects | values, "userAttributes": objects, "x": values},
)


@given(st.lists(st.tuples(st.sampled_from(["Product viewed", "odd name"]), bodies), min_size=1, max_size=6))
def test_a_journey_of_events_builds_the_same_events_with_new_ids_and_times(pairs: list[tuple[str, Any]]) -> None:
    journey = parse_journey(write_journey(make_journey("j", pairs)))
    built = build(journey)
    made = [(name, {key: body[key] for key in body if key not in ("eventId", "timestamp")}) for name, body in built]
    assert json.dumps(made, sort_keys=True) == json.dumps([list(pair) for pair in pairs], sort_keys=True)


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        ((None, {}), "Event 1: its name is missing."),
        ((["x"], {}), "Event 1: its name is “[\"x\"]”."),
        (("x", "text"), "Event 1 is “text”. A journey's events are objects."),
        (("x", {"data.price": 1}), "Event 1 has the key “data.price” itself"),
        (("x", {"name": 1}), "Event 1 has the key “name” itself"),
        ((" ", {}), "Event 1: its name is “ ”."),
    ],
)  # fmt: skip
def test_what_cannot_be_an_event_of_a_journey_is_said(pair: Any, says: str) -> None:
    with pytest.raises(JourneyError) as error:
        make_journey("j", [pair])
    assert says in str(error.value)


# ── assignments ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_assignments_are_text_or_json() -> None:
    given = ["userId=0007", "data.note=a:=b=c", "data.price:=12.5", 'data.dims:={"w": 1}', "profileId=", "data.x:=null"]
    found = parse_assignments(given)
    assert found == {
        "userId": "0007",
        "data.note": "a:=b=c",
        "data.price": 12.5,
        "data.dims": {"w": 1},
        "profileId": "",
        "data.x": None,
    }  # fmt: skip
    assert list(found) == ["userId", "data.note", "data.price", "data.dims", "profileId", "data.x"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("userId", "--set “userId” names no field and value. It takes FIELD=TEXT, such as userId=u7"),
        ("=u7", "--set “=u7” names no field and value."),
        ("userid=u7", "--set “userid” is no field of an event. Did you mean “userId”?"),
        ("price=1", "--set “price” is no field of an event. Further data is written data.price."),
        ("data.=1", "--set “data.” is no field of an event."),
        ("name=x", "--set “name” is no field of an event."),
        ("data.price:=12,5", "--set data.price: “12,5” is no JSON."),
        ("data.price:=", "Nothing is behind “:=”."),
    ],
)
def test_what_is_no_assignment_is_said(text: str, says: str) -> None:
    with pytest.raises(JourneyError) as error:
        parse_assignments([text])
    assert says in str(error.value)
    with pytest.raises(JourneyError, match="--set userId is given twice"):
        parse_assignments(["userId=a", "userId=b"])
