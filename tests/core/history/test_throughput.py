"""A batch's outcomes over time, counted while attempts are written, agree with its attempts."""

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from sqlalchemy import select

from intempt_core.contract.outcome import Outcome
from intempt_core.errors import NotFound
from intempt_core.history import AttemptEnd, AttemptStart, History, RequestHalf, RequestState
from intempt_core.history.bounded_cache import BoundedCache
from intempt_core.history.schema import attempts, requests, seconds, slowest
from intempt_core.history.throughput import MAX_SLOW_ATTEMPTS
from tests.core.history.factories import ME, attempt, batch_of
from tests.examples import scale_examples

NOON = 1_795_348_800_000


@pytest.fixture(scope="module")
def history(module_database_url: str) -> Iterator[History]:
    opened = History.open(module_database_url)
    yield opened
    opened.close()


def settle(
    history: History, id_: int, outcome: Outcome, at: int, elapsed: float = 10.0, retry: int | None = None
) -> None:
    history.queue.apply_transitions([AttemptStart(id_)], owner=ME)
    tried = attempt(outcome, started_at=at, elapsed_ms=elapsed)
    assert not history.queue.apply_transitions([AttemptEnd(id_, tried, retry)], owner=ME)


TRY = st.tuples(st.sampled_from([Outcome.NOT_SENT, Outcome.UNKNOWN]), st.integers(0, 90_000), st.floats(0, 5_000))


@how(max_examples=scale_examples(25), deadline=None)
@given(st.lists(st.tuples(st.lists(TRY, max_size=3), st.sampled_from(Outcome), st.integers(0, 90_000)), max_size=16))
def test_seconds_and_slowest_agree_with_the_attempts(
    history: History, tries: list[tuple[list[tuple[Outcome, int, float]], Outcome, int]]
) -> None:
    batch = batch_of(history, *([size % 3 + 1] for size in range(len(tries))))
    for request, (again, last, at) in zip(history.queries.requests(batch).items, tries, strict=True):
        for outcome, when, elapsed in again:
            settle(history, request.id, outcome, NOON + when, elapsed, retry=0)
        settle(history, request.id, last, NOON + at)
    expected: Counter[tuple[int, str]] = Counter()
    responses = []
    with history.database.reading() as connection:
        mine = select(attempts, requests.c.events).join(requests, requests.c.id == attempts.c.request)
        number = connection.execute(select(requests.c.batch).order_by(requests.c.id.desc()).limit(1)).scalar()
        for row in connection.execute(mine.where(requests.c.batch == number)) if tries else ():
            expected[int(row.started_at + row.elapsed_ms) // 1000, row.outcome] += row.events
            if row.status is not None or row.outcome == Outcome.UNKNOWN.value:
                responses.append((-row.elapsed_ms, row.id))
        kept = connection.execute(select(seconds).where(seconds.c.batch == number)).all() if tries else ()
        slow = connection.execute(select(slowest).where(slowest.c.batch == number)).all() if tries else ()
    assert {(row.second, row.outcome): row.events for row in kept} == expected
    assert {row.attempt for row in slow} == {id_ for _, id_ in sorted(responses)[:MAX_SLOW_ATTEMPTS]}
    course = history.throughput.timeline(batch)
    total: Counter[str] = Counter()
    for bar in course.steps:
        total.update({outcome.value: events for outcome, events in bar.events.items()})
    assert total.total() == sum(expected.values())
    assert len(course.steps) <= 60


def test_a_timeline_of_hours_has_as_many_steps_as_were_asked_for(history: History) -> None:
    batch = batch_of(history, [2], [3])
    first, second = (request.id for request in history.queries.requests(batch).items)
    settle(history, first, Outcome.ACCEPTED, NOON)
    settle(history, second, Outcome.REJECTED, NOON + 7_200_000)
    course = history.throughput.timeline(batch, max_steps=10)
    assert (course.start, course.step_seconds) == (NOON, 721)
    assert [dict(bar.events) for bar in course.steps] == [{Outcome.ACCEPTED: 2}, *[{}] * 8, {Outcome.REJECTED: 3}]


def test_a_batch_without_attempts_has_no_timeline_and_an_unknown_one_is_not_found(history: History) -> None:
    batch = batch_of(history, [1])
    assert history.throughput.timeline(batch).steps == ()
    assert history.throughput.slowest(batch) == []
    for ask in (history.throughput.timeline, history.throughput.slowest):
        with pytest.raises(NotFound):
            ask("b_nobody")


def test_the_slowest_responses_come_first_and_have_their_requests(history: History) -> None:
    batch = batch_of(history, [1] * 30)
    ids = [request.id for request in history.queries.requests(batch).items]
    for number, id_ in enumerate(ids):
        settle(history, id_, Outcome.ACCEPTED, NOON, elapsed=float(number * 7 % 30))
    found = history.throughput.slowest(batch)
    assert [response.elapsed_ms for response in found] == [29.0 - number for number in range(MAX_SLOW_ATTEMPTS)]
    assert ids[found[0].position - 1] == found[0].request
    assert history.throughput.slowest(batch, limit=3) == found[:3]


def test_a_response_that_never_came_is_the_slowest_and_what_never_arrived_is_none(history: History) -> None:
    batch = batch_of(history, [1] * 3)
    for request, (outcome, elapsed) in zip(
        history.queries.requests(batch).items,
        ((Outcome.ACCEPTED, 900.0), (Outcome.UNKNOWN, 20_000.0), (Outcome.NOT_SENT, 30_000.0)),
        strict=True,
    ):
        settle(history, request.id, outcome, NOON, elapsed)
    found = history.throughput.slowest(batch)
    assert [(one.elapsed_ms, one.outcome, one.status) for one in found] == [
        (20_000.0, Outcome.UNKNOWN, None),
        (900.0, Outcome.ACCEPTED, 201),
    ]


def test_a_split_and_a_lost_request_are_part_of_the_timeline(history: History) -> None:
    batch = batch_of(history, [4], [1])
    whole, unknown = (request.id for request in history.queries.requests(batch).items)
    history.queue.apply_transitions([AttemptStart(whole), AttemptStart(unknown)], owner=ME)
    history.queue.split(
        whole, attempt(Outcome.REJECTED, status=413), [RequestHalf(b"{}", 2), RequestHalf(b"{}", 2)], owner=ME
    )
    assert history.queue.in_flight_to_unknown(batch, owner=ME) == 1
    total: Counter[Outcome] = Counter()
    for bar in history.throughput.timeline(batch).steps:
        total.update(bar.events)
    assert total == {Outcome.REJECTED: 4, Outcome.UNKNOWN: 1}
    assert history.queries.batch(batch).events[RequestState.PENDING] == 4


def test_a_bounded_cache_drops_the_oldest_value() -> None:
    held = BoundedCache[str, int](2)
    for name, number in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        held.put(name, number)
    assert [held.get(name) for name in "abc"] == [3, None, 4]
