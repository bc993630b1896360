"""Two batches compared whole, by event id; the law: what is the same, changed and missing adds up on both sides."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intempt_core.analysis import BatchDiff, EventDifferenceKind
from intempt_core.history import History
from tests.core.history.factories import ME, event, intent, request
from tests.examples import scale_examples

CHANGED, ORDER = EventDifferenceKind.CHANGED, EventDifferenceKind.ORDER
FIRST, SECOND = EventDifferenceKind.FIRST, EventDifferenceKind.SECOND


@pytest.fixture
def history(tmp_path: Any) -> Any:
    opened = History.open(f"sqlite:///{tmp_path / 'history.sqlite3'}")
    yield opened
    opened.close()


def one(id_: str, price: float = 1, user: str = "u1", product: str = "A1") -> dict[str, Any]:
    return {"eventId": id_, "userId": user, "data": {"productId": product, "price": price}}


def recorded(history: History, events: Sequence[dict[str, Any]], per: int = 50) -> str:
    """A batch with these events, so many in a request, in one lane."""
    requests = []
    for number, begin in enumerate(range(0, len(events), per), 1):
        some = events[begin : begin + per]
        body = json.dumps({"track": [{"name": "Product viewed", "payload": some}]}).encode()
        requests.append(request(1, number, [event(row, event_id=e["eventId"]) for row, e in enumerate(some, 1)], body))
    return history.recorder.record(intent(owner=ME), requests)


def test_batches_of_more_than_two_hundred_requests_are_compared_whole_and_by_event_id(history: History) -> None:
    events = [one(f"e{number}", user=f"u{number % 7}") for number in range(450)]
    later = [*events[:300], *(event_ | {"sessionId": "s"} for event_ in events[301:440]), one("new", user="u9")]
    first, second = recorded(history, events, per=1), recorded(history, later, per=7)
    with BatchDiff(history, first, second) as found:
        assert (found.counts.first, found.counts.second, found.counts.same) == (450, 440, 300)
        assert found.counts.differences == {CHANGED: 139, FIRST: 11, SECOND: 1}
        page = found.read_page(page=3, size=50)
        assert [row.kind for row in page[38:42]] == [CHANGED, FIRST, FIRST, FIRST]
        assert [row.event_id for row in page[39:41]] == ["e300", "e440"]
        assert (page[0].fields[0].path, page[0].fields[0].left, page[0].fields[0].right) == ("sessionId", None, "s")
        (only,) = found.read_page(kind=SECOND)
        assert (only.event_id, only.person, only.first_request) == ("new", "u9", None)


def test_generated_ids_and_the_order_of_keys_are_no_difference(history: History) -> None:
    ids = [f"{number:032x}" for number in range(6)]
    first = recorded(history, [one(id_, price=2) for id_ in ids[:3]])
    second = recorded(history, [dict(reversed(one(id_, price=2.0).items())) for id_ in ids[3:]])
    with BatchDiff(history, first, second) as found:
        assert (found.counts.same, found.counts.total, found.read_page()) == (3, 0, [])


def test_lines_of_one_order_share_an_id_and_are_compared_line_by_line(history: History) -> None:
    first = recorded(history, [one("o1", product="A1"), one("o1", product="B2"), one("o1", product="C3")])
    second = recorded(history, [one("o1", product="C3"), one("o1", price=9, product="A1")])
    with BatchDiff(history, first, second) as found:
        assert found.counts.differences == {CHANGED: 1, FIRST: 1, ORDER: 1}
        assert [row.product for row in found.read_page(kind=CHANGED)] == ["A1"]
        assert [row.product for row in found.read_page(kind=FIRST)] == ["B2"]


def test_only_the_order_of_one_users_events_is_compared(history: History) -> None:
    events = [one("e1", user="u1"), one("e2", user="u2"), one("e3", user="u1")]
    with BatchDiff(history, recorded(history, events), recorded(history, [events[1], events[0], events[2]])) as found:
        assert found.counts.total == 0
    with BatchDiff(history, recorded(history, events), recorded(history, events[::-1])) as found:
        assert found.counts.differences == {ORDER: 1}


def test_ids_of_nineteen_digits_differ_by_their_last_one(history: History) -> None:
    first = recorded(history, [one("e1", product="1487580005268456192")])
    second = recorded(history, [one("e1", product="1487580005268456193")])
    with BatchDiff(history, first, second) as found:
        (row,) = found.read_page()
        assert (row.kind, row.fields[0].left, row.fields[0].right) == (
            CHANGED,
            "1487580005268456192",
            "1487580005268456193",
        )


EVENTS = st.lists(st.builds(one, st.sampled_from(["a", "b", "c", "0" * 32, "1" * 32]), st.integers(1, 2)), max_size=6)


@settings(max_examples=scale_examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(EVENTS, EVENTS)
def test_every_event_of_both_is_counted_once(history: History, left: list[Any], right: list[Any]) -> None:
    with BatchDiff(history, recorded(history, left), recorded(history, right)) as found:
        differences = {kind: found.counts.differences.get(kind, 0) for kind in EventDifferenceKind}
        assert found.counts.same + differences[CHANGED] + differences[FIRST] == len(left)
        assert found.counts.same + differences[CHANGED] + differences[SECOND] == len(right)
        assert len(found.read_page(size=100)) == found.counts.total
