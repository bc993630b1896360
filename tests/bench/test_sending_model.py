"""The model of sending gives what can be worked out by hand."""

import pytest

from tests.bench.sending_model import (
    ALL_CORES,
    BATCH_ROW,
    DATABASE_CORES,
    DISK,
    LANES,
    LIMIT,
    RESPONSES,
    TURN_ROW,
    WORKER_CORE,
    Arrangement,
    Constants,
    Cost,
    simulate,
)
from tests.bench.simulated_time import Activity, Resource, Signal, Timeline, Wait

RESPONSE = Constants(response=0.05)


def test_slots_that_only_wait_send_one_request_in_each_response_time() -> None:
    found = simulate(RESPONSE, Arrangement(workers=1, slots=8))
    assert found.per_second == pytest.approx(160, abs=1)  # 8 slots / 0.05 s
    assert found.bottleneck == RESPONSES


def test_what_comes_between_responses_slows_each_slot() -> None:
    costs = Constants(request=0.004, response=0.05, commit=0.006)
    found = simulate(costs, Arrangement(workers=1, slots=1))
    assert found.per_second == pytest.approx(1 / 0.06, abs=0.2)


def test_workers_of_their_own_machines_add_up() -> None:
    costs = Constants(request=0.004, response=0.05)
    found = simulate(costs, Arrangement(workers=10, slots=1, lanes_of_batch=64))
    assert found.per_second == pytest.approx(10 / 0.054, abs=2)


def test_one_core_of_a_worker_is_the_most_that_it_has() -> None:
    found = simulate(Constants(request=0.01, response=0.01), Arrangement(workers=2, slots=8))
    assert found.per_second == pytest.approx(200, abs=2)  # 2 cores / 0.01 s
    assert found.bottleneck == WORKER_CORE


def test_workers_on_one_machine_share_its_cores_with_the_target() -> None:
    costs = Constants(request=0.008, target=0.002, response=0.01)
    found = simulate(costs, Arrangement(workers=4, slots=8, cores=2, is_one_machine=True))
    assert found.per_second == pytest.approx(200, abs=2)  # 2 cores / (0.008 s + 0.002 s)
    assert found.bottleneck == ALL_CORES


def test_the_cores_of_the_database_hold_up_many_workers() -> None:
    costs = Constants(before=Cost(database_each=0.002), response=0.05)
    found = simulate(costs, Arrangement(workers=50, slots=8, cores=2))
    assert found.per_second == pytest.approx(1000, rel=0.01)  # 2 cores / 0.002 s
    assert found.bottleneck == DATABASE_CORES


def test_workers_of_one_batch_wait_for_its_row_until_each_commit() -> None:
    costs = Constants(after=Cost(database=0.001), commit=0.004, response=0.01)
    found = simulate(costs, Arrangement(workers=8, slots=1, batches=1))
    assert found.per_second == pytest.approx(200, abs=2)  # 1 / (0.001 s + 0.004 s)
    assert found.bottleneck == BATCH_ROW


def test_workers_of_other_batches_do_not_wait_and_their_commits_are_written_together() -> None:
    costs = Constants(commit=0.005, response=0.01)
    found = simulate(costs, Arrangement(workers=8, slots=1, lanes_of_batch=1))
    assert 8 / 0.02 <= found.per_second <= 8 / 0.015  # a commit takes one to two writes of the disk


def test_slots_of_a_worker_that_wait_are_written_in_one_transaction() -> None:
    costs = Constants(after=Cost(database=0.02, statements=1))
    found = simulate(costs, Arrangement(workers=1, slots=8))
    assert found.per_second == pytest.approx(200, abs=2)  # one of 8 slots, then the 7 others: 8 / (2 * 0.02 s)


def test_a_batch_has_no_more_requests_on_their_way_than_lanes() -> None:
    found = simulate(RESPONSE, Arrangement(workers=100, slots=8, lanes_of_batch=64, batches=1))
    assert found.per_second == pytest.approx(64 / 0.05, abs=2)
    assert found.bottleneck == LANES


def test_a_limit_holds_over_all_workers() -> None:
    for workers in (1, 2, 20):
        found = simulate(RESPONSE, Arrangement(workers=workers, slots=8, per_second=100))
        assert found.per_second == pytest.approx(100, abs=1)
        assert found.bottleneck == LIMIT


def test_a_limit_that_is_higher_than_what_a_worker_sends_costs_little() -> None:
    found = simulate(RESPONSE, Arrangement(workers=1, slots=8, per_second=10_000))
    assert 150 < found.per_second <= 161


def test_the_row_of_the_turns_holds_up_workers_that_take_few_at_once() -> None:
    costs = Constants(turns=Cost(database=0.0), commit=0.01, response=0.05)
    found = simulate(costs, Arrangement(workers=100, slots=1, per_second=1_000))
    assert found.per_second < 500
    assert found.busy[TURN_ROW] > 0.95


def test_the_disk_is_busy_for_as_long_as_it_writes() -> None:
    found = simulate(Constants(commit=0.01, response=0.03), Arrangement(workers=1, slots=1))
    assert found.busy[DISK] == pytest.approx(0.25, abs=0.01)


def test_a_place_is_given_in_the_order_in_which_it_was_asked_for() -> None:
    timeline, order = Timeline(), list[tuple[str, float]]()
    place = Resource(timeline, "a place")

    def use(name: str, seconds: float) -> Activity:
        yield place
        yield Wait(seconds)
        order.append((name, timeline.now))
        place.release()

    for name, seconds in (("first", 3.0), ("second", 1.0), ("third", 1.0)):
        timeline.start(use(name, seconds))
    timeline.run(10)
    assert order == [("first", 3.0), ("second", 4.0), ("third", 5.0)]
    assert place.measure_busy() == 5.0


def test_a_signal_lets_go_on_who_waits_and_who_comes_later() -> None:
    timeline, seen = Timeline(), list[float]()
    signal = Signal(timeline)

    def wait(after: float) -> Activity:
        yield Wait(after)
        yield signal
        seen.append(timeline.now)

    def give() -> Activity:
        yield Wait(2)
        signal.set()

    for activity in (wait(0), give(), wait(5)):
        timeline.start(activity)
    timeline.run(10)
    assert seen == [2.0, 5.0]
