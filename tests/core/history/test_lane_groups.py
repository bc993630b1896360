"""Groups of lanes in a PostgreSQL database: one owner each, moved when its lease ends, and never two at once."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from intempt_core.contract.outcome import Outcome
from intempt_core.history import (
    AttemptEnd,
    AttemptStart,
    BatchState,
    History,
    LaneGroup,
    RequestState,
    WorkerKind,
    WorkerLease,
)
from intempt_core.planning.plan import Policy
from tests.core.history.factories import attempt, batch_of

pytestmark = pytest.mark.long


@pytest.fixture
def history(postgres_url: str) -> Iterator[History]:
    with closing(History.open(postgres_url)) as opened:
        yield opened


def make_lease(name: str, kind: WorkerKind = WorkerKind.WORKER) -> WorkerLease:
    return WorkerLease(name, kind, "a-host", 1)


def begin(history: History, *names: str, kind: WorkerKind = WorkerKind.WORKER) -> None:
    for name in names:
        history.workers.begin(make_lease(name, kind))


def expire(history: History, name: str) -> None:
    """Let a lease end, as time does."""
    with history.database.writing() as connection:
        connection.exec_driver_sql("UPDATE workers SET expires_at = 1 WHERE name = %s", (name,))


def shared_batch(history: History, *lanes: list[int], groups: int = 2, policy: Policy = Policy.STOP) -> str:
    return batch_of(history, *lanes, owner="", groups=groups, policy=policy, lanes=len(lanes), recorder="r")


def first_request(history: History, batch: str, lane: int) -> int:
    return history.queue.take(batch, lane, 1)[0].id


def states(history: History, batch: str) -> dict[str, int]:
    return {state.value: count for state, count in history.queries.batch(batch).requests.items() if count}


def test_a_group_has_one_owner_and_a_claim_of_another_epoch_is_in_vain(history: History) -> None:
    begin(history, "a", "b")
    batch = shared_batch(history, [1], [1])
    assert history.groups.claim(LaneGroup(batch, 1, 0), "a")
    assert not history.groups.claim(LaneGroup(batch, 1, 0), "b")
    assert not history.groups.claim(LaneGroup(batch, 0, 1), "b")
    assert history.groups.release(LaneGroup(batch, 1, 0), "a")
    assert not history.groups.release(LaneGroup(batch, 1, 0), "a")
    assert not history.groups.claim(LaneGroup(batch, 1, 0), "b")
    assert history.groups.claim(LaneGroup(batch, 1, 1), "b")


def test_only_the_owner_makes_a_request_in_flight_and_only_in_its_epoch(history: History) -> None:
    begin(history, "a", "b")
    batch = shared_batch(history, [1], [1])
    request = first_request(history, batch, 1)
    queue = history.queue
    assert queue.apply_transitions([AttemptStart(request)], owner="a") == {request}  # unowned
    history.groups.claim(LaneGroup(batch, 1, 0), "a")
    assert queue.apply_transitions([AttemptStart(request)], owner="b") == {request}
    assert queue.apply_transitions([AttemptStart(request, epoch=1)], owner="a") == {request}
    assert queue.apply_transitions([AttemptStart(request)], owner="a") == frozenset()
    assert states(history, batch) == {"in flight": 1, "pending": 1}


def test_what_a_dead_worker_had_in_flight_is_unknown_and_its_groups_are_free(history: History) -> None:
    begin(history, "dead", "alive")
    batch = shared_batch(history, [1, 1], [1])
    other = shared_batch(history, [1], [1])
    request = first_request(history, batch, 1)
    history.groups.claim(LaneGroup(batch, 1, 0), "dead")
    history.groups.claim(LaneGroup(other, 1, 0), "alive")
    history.queue.apply_transitions([AttemptStart(request)], owner="dead")
    assert history.groups.take_over() == []
    expire(history, "dead")
    (taken,) = history.groups.take_over()
    assert (taken.batch, taken.owner, taken.groups, taken.unknown) == (batch, "dead", 1, 1)
    assert states(history, batch) == {"unknown": 1, "pending": 2}
    assert history.groups.list_owners(other) == {"alive": 1}
    assert not history.workers.renew("dead")


def test_an_outcome_that_comes_after_a_takeover_is_evidence_and_counted_as_overtaken(history: History) -> None:
    begin(history, "frozen", "heir")
    batch = shared_batch(history, [1], [1], policy=Policy.RESEND)
    request = first_request(history, batch, 1)
    history.groups.claim(LaneGroup(batch, 1, 0), "frozen")
    history.queue.apply_transitions([AttemptStart(request)], owner="frozen")
    expire(history, "frozen")
    history.groups.take_over()
    assert history.groups.claim(LaneGroup(batch, 1, 1), "heir")
    end = AttemptEnd(request, attempt(Outcome.ACCEPTED))
    assert history.queue.apply_transitions([end], owner="frozen") == {request}
    found = history.queries.batch(batch)
    assert (found.overtaken, found.requests[RequestState.UNKNOWN]) == (1, 1)
    history.queue.apply_transitions([end], owner="frozen")  # written again after an error
    assert history.queries.batch(batch).overtaken == 1
    assert [one.overtaken for one in history.queries.request(request).attempts] == [False, True]


def test_an_outcome_of_a_former_epoch_does_not_end_an_attempt_of_the_present_one(history: History) -> None:
    begin(history, "a")
    batch = shared_batch(history, [1], [1], policy=Policy.RESEND)
    request = first_request(history, batch, 1)
    history.groups.claim(LaneGroup(batch, 1, 0), "a")
    history.queue.apply_transitions([AttemptStart(request)], owner="a")
    history.groups.release(LaneGroup(batch, 1, 0), "a")
    assert history.groups.claim(LaneGroup(batch, 1, 1), "a")
    assert history.queue.apply_transitions([AttemptStart(request, epoch=1)], owner="a") == frozenset()
    late = AttemptEnd(request, attempt(Outcome.ACCEPTED))
    assert history.queue.apply_transitions([late], owner="a") == {request}
    assert states(history, batch) == {"in flight": 1, "pending": 1}
    assert history.queries.batch(batch).overtaken == 1


def test_a_lease_that_a_person_wrote_too_far_ahead_or_deleted_is_worth_nothing(history: History) -> None:
    begin(history, "ahead", "deleted", "alive")
    batch = shared_batch(history, [1], [1], [1], groups=3)
    for number, name in enumerate(("ahead", "deleted", "alive")):
        assert history.groups.claim(LaneGroup(batch, number, 0), name)
    with history.database.writing() as connection:
        connection.exec_driver_sql("UPDATE workers SET expires_at = expires_at + 3600000 WHERE name = 'ahead'")
        connection.exec_driver_sql("DELETE FROM workers WHERE name = 'deleted'")
    assert sorted(one.owner for one in history.groups.take_over()) == ["ahead", "deleted"]
    assert history.groups.list_owners(batch) == {"alive": 1}


def test_a_console_claims_nothing_while_there_is_a_worker(history: History) -> None:
    begin(history, "console", kind=WorkerKind.CONSOLE)
    batch = shared_batch(history, [1], [1])
    assert history.groups.claim(LaneGroup(batch, 0, 0), "console")
    begin(history, "worker")
    assert not history.groups.claim(LaneGroup(batch, 1, 0), "console")
    history.workers.renew("worker", draining=True)
    assert not history.groups.claim(LaneGroup(batch, 1, 0), "worker")
    assert history.groups.claim(LaneGroup(batch, 1, 0), "console")


def test_nothing_is_claimed_of_a_batch_that_is_paused_or_by_a_worker_that_cannot_send_it(history: History) -> None:
    begin(history, "a", "b")
    batch = shared_batch(history, [1], [1])
    history.control.set_state(batch, BatchState.PAUSED)
    assert not history.groups.claim(LaneGroup(batch, 0, 0), "a")
    history.control.resume(batch)
    assert not history.groups.note_unable(batch, "a", "It has no key.")
    assert not history.groups.claim(LaneGroup(batch, 0, 0), "a")
    assert history.groups.claim(LaneGroup(batch, 0, 0), "b")
    assert history.groups.note_unable(batch, "b", "It has no key.")
    history.control.set_state(batch, BatchState.PAUSED)
    history.control.resume(batch)
    assert history.groups.claim(LaneGroup(batch, 1, 0), "a")


def test_open_groups_are_those_whose_lanes_have_something_to_send_and_are_not_held(history: History) -> None:
    begin(history, "a")
    batch = shared_batch(history, [1, 1], [1], groups=2)
    work = history.groups.find_work()
    assert work.open == [LaneGroup(batch, 0, 0), LaneGroup(batch, 1, 0)]
    assert not work.settled
    for lane, epoch in ((1, 0), (2, 0)):
        group = LaneGroup(batch, lane % 2, epoch)
        assert history.groups.claim(group, "a")
        request = first_request(history, batch, lane)
        history.queue.apply_transitions([AttemptStart(request)], owner="a")
        outcome = Outcome.UNKNOWN if lane == 1 else Outcome.ACCEPTED
        history.queue.apply_transitions([AttemptEnd(request, attempt(outcome))], owner="a")
        assert not history.groups.find_work().settled
        history.groups.release(group, "a")
    work = history.groups.find_work()  # lane 1 is held by its unknown request, lane 2 has nothing more
    assert (list(work.open), list(work.settled)) == ([], [batch])
    history.control.set_state(batch, BatchState.PAUSED)
    history.control.resume(batch, Policy.GO_ON)
    assert history.groups.find_work().open == [LaneGroup(batch, 1, 1)]


def test_a_takeover_and_a_start_of_the_former_owner_never_overlap(history: History, postgres_url: str) -> None:
    """Two connections race: either way a request that started is either unknown by the takeover, or not started."""
    begin(history, "dead")
    batch = shared_batch(history, *[[1]] * 8, groups=8)
    requests = {lane: first_request(history, batch, lane) for lane in range(1, 9)}
    for number in range(8):
        history.groups.claim(LaneGroup(batch, number, 0), "dead")
    expire(history, "dead")
    started: set[int] = set()
    with closing(History.open(postgres_url)) as other:

        def start_all() -> None:
            for request in requests.values():
                if not other.queue.apply_transitions([AttemptStart(request)], owner="dead"):
                    started.add(request)

        writing = threading.Thread(target=start_all)
        writing.start()
        (taken,) = history.groups.take_over()
        writing.join()
    assert taken.unknown == len(started)
    assert states(history, batch).get("unknown", 0) == len(started)
    assert "in flight" not in states(history, batch)


def test_two_supervisors_at_once_take_over_once(history: History, postgres_url: str) -> None:
    begin(history, "dead")
    batch = shared_batch(history, *[[1]] * 8, groups=8)
    for number in range(8):
        history.groups.claim(LaneGroup(batch, number, 0), "dead")
    expire(history, "dead")
    taken: list[int] = []
    with closing(History.open(postgres_url)) as other:
        both = [
            threading.Thread(target=lambda one=one: taken.extend(found.groups for found in one.groups.take_over()))
            for one in (history, other)
        ]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
    assert taken == [8]
    assert history.groups.find_work().open == [LaneGroup(batch, number, 1) for number in range(8)]
