"""Two things are compared by what they mean; from the other side the same is seen, mirrored."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.analysis.diff import Comparison, DifferenceKind, DiffSide, build_payload_side, compare_sides
from intempt_core.analysis.diff_sources import load_side
from intempt_core.contract.outcome import Outcome
from intempt_core.errors import NotFound, ReadError
from intempt_core.history import AttemptEnd, AttemptStart, History
from intempt_core.readers.payload import read_payload
from tests.core.history.factories import ME, attempt, event, intent, request

GOOD = {"eventId": "e1", "userId": "u1", "data": {"productId": "p1", "price": 1}}


def side(*events: object) -> DiffSide:
    return DiffSide("x", {}, [("Product viewed", event) for event in events])


def said(found: Comparison) -> list[tuple[str, str, str | None, str | None]]:
    return [(one.kind.value, one.path, one.left, one.right) for one in found.differences]


def test_the_order_of_keys_the_grouping_and_generated_ids_mean_nothing() -> None:
    made = "evt_" + "a" * 32
    one = {"track": [{"name": "A", "payload": [{"eventId": made, "userId": "u", "data": {"x": 1, "y": 2}}]},
                     {"name": "A", "payload": [{"eventId": "b", "userId": "u"}]}]}  # fmt: skip
    two = {"track": [{"payload": [{"data": {"y": 2.0, "x": 1}, "userId": "u", "eventId": "evt_" + "b" * 32},
                                  {"userId": "u", "eventId": "b"}], "name": "A"}]}  # fmt: skip
    found = compare_sides(*(build_payload_side("x", read_payload(json.dumps(body))) for body in (one, two)))
    assert found.same


@pytest.mark.parametrize(
    ("left", "right", "differences"),
    [
        ({**GOOD, "userId": "u2"}, GOOD, [("changed", "userId", "u2", "u1")]),
        ({**GOOD, "eventId": "e2"}, GOOD, [("changed", "eventId", "e2", "e1")]),
        ({**GOOD, "x": None}, GOOD, [("only left", "x", "null", None)]),
        (GOOD, {**GOOD, "data": {"productId": "p1", "price": True}}, [("changed", "data.price", "1", "true")]),
        (GOOD, {**GOOD, "data": {"productId": "p1", "price": "1"}}, [("changed", "data.price", "1", "1")]),
        ({**GOOD, "t": [1, 2]}, {**GOOD, "t": [1, 3, 4]},
         [("changed", "t[1]", "2", "3"), ("only right", "t[2]", None, "4")]),
        (5, GOOD, [("changed", "", "5", json.dumps(GOOD, separators=(",", ":")))]),
    ],
)  # fmt: skip
def test_what_differs_is_told_at_its_place(left: object, right: object, differences: list[object]) -> None:
    assert said(compare_sides(side(left), side(right))) == differences


def test_an_event_in_between_is_one_difference_and_a_change_of_order_is_one() -> None:
    a, b, c = ({**GOOD, "eventId": name} for name in "abc")
    found = compare_sides(side(a, c), side(a, b, c))
    assert [(one.kind, one.left_event, one.right_event) for one in found.differences] == [
        (DifferenceKind.RIGHT, None, 2)
    ]
    found = compare_sides(side(a, b, c), side(c, a, b))
    assert [(one.kind, one.left_event, one.right_event) for one in found.differences] == [(DifferenceKind.ORDER, 1, 1)]


EVENTS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "eventId": st.sampled_from(["a", "b", "evt_" + "1" * 32, "evt_" + "2" * 32, "f" * 32]),
            "userId": st.sampled_from(["u", "v", 1, True]),
            "data": st.dictionaries(st.sampled_from(["productId", "x"]), st.integers(0, 2) | st.lists(st.booleans())),
        },
    )
    | st.none() | st.integers(0, 2),
    max_size=5,
).map(lambda events: side(*events))  # fmt: skip


@given(EVENTS)
def test_nothing_differs_from_itself(one: DiffSide) -> None:
    assert compare_sides(one, one).same


@given(EVENTS, EVENTS)
def test_the_other_way_round_is_the_same_mirrored(one: DiffSide, other: DiffSide) -> None:
    there, back = compare_sides(one, other), compare_sides(other, one)
    assert sorted(map(repr, there.differences)) == sorted(repr(found.mirrored) for found in back.differences)


@given(EVENTS, EVENTS)
def test_what_is_the_same_has_as_many_events(one: DiffSide, other: DiffSide) -> None:
    if compare_sides(one, other).same:
        assert len(one.events) == len(other.events)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    opened = History.open(f"sqlite:///{tmp_path / 'history.sqlite3'}")
    yield opened
    opened.close()


def test_requests_batches_attempts_and_bodies_are_compared(history: History) -> None:
    bodies = [json.dumps({"track": [{"name": "A", "payload": [{**GOOD, "userId": user}]}]}).encode() for user in "ab"]
    batches = [history.recorder.record(intent(owner=ME), [request(1, 1, [event(1)], body)]) for body in bodies]
    ids = []
    for batch, outcome in zip(batches, (Outcome.ACCEPTED, Outcome.REJECTED), strict=True):
        (work,) = history.queue.take(batch, 1, 1)
        answer = attempt(
            outcome, response_body=b'{"a":1}' if outcome is Outcome.ACCEPTED else b"<no>", headers=(("Date", "x"),)
        )
        history.queue.apply_transitions([AttemptStart(work.id), AttemptEnd(work.id, answer)], owner=ME)
        ids.append(work.id)
    one, two = ids
    found = compare_sides(
        load_side(history, f"request {one}"), load_side(history, f"http://127.0.0.1/history?request={two}")
    )
    assert ("changed", "userId", "a", "b") in said(found)
    assert ("changed", "state", "accepted", "rejected") in said(found)
    assert ("changed", "response.body", '{"a":1}', "<no>") in said(found)
    assert not any("date" in path for _, path, _, _ in said(found))
    found = compare_sides(load_side(history, f"batch={batches[0]}"), load_side(history, f"batch {batches[1]}"))
    assert ("changed", "userId", "a", "b") in said(found)
    assert ("only left", "outcomes.accepted", "1", None) in said(found)
    found = compare_sides(load_side(history, f"attempt 1-{one}"), load_side(history, f"attempt 1-{two}"))
    assert ("changed", "status", "201", "400") in said(found)
    assert compare_sides(load_side(history, bodies[0].decode()), load_side(history, bodies[0].decode())).same
    for wrong in ("request 999", "batch nobody", f"attempt 9-{one}"):
        with pytest.raises(NotFound):
            load_side(history, wrong)
    with pytest.raises(ReadError):
        load_side(history, "nonsense")
