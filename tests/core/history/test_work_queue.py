"""The queue that dispatch relies on: order in a lane, states, doubt, halves, owners, a person's decisions."""

from collections.abc import Iterator

import pytest

from intempt_core.contract.outcome import Outcome
from intempt_core.errors import NotAllowed, NotFound
from intempt_core.history import (
    AttemptEnd,
    AttemptStart,
    BatchState,
    History,
    LaneState,
    RequestHalf,
    RequestIntent,
    RequestState,
    WorkItem,
)
from intempt_core.history.recorder import Recorder
from intempt_core.planning.plan import Policy
from tests.core.history.factories import ME, Clock, attempt, batch_of, event, intent, request

OTHER = "owner-2"
PENDING, IN_FLIGHT, UNKNOWN, NOT_SENT = (
    RequestState.PENDING,
    RequestState.IN_FLIGHT,
    RequestState.UNKNOWN,
    RequestState.NOT_SENT,
)


def start_next(history: History, batch: str, lane: int = 1) -> WorkItem:
    """Start the lane's next request."""
    work = history.queue.take(batch, lane, 1)[0]
    assert not history.queue.apply_transitions([AttemptStart(work.id)], owner=ME)
    return work


def settle(history: History, work: WorkItem, outcome: Outcome, retry_at: int | None = None) -> RequestState:
    assert not history.queue.apply_transitions([AttemptEnd(work.id, attempt(outcome), retry_at)], owner=ME)
    return history.queries.request(work.id).summary.state


def state(history: History, work: WorkItem) -> RequestState:
    return history.queries.request(work.id).summary.state


# ── taking and marking ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_lanes_requests_are_taken_in_order_and_no_other_lanes(history: History) -> None:
    batch = batch_of(history, [1] * 12, [2] * 3)
    assert [work.position for work in history.queue.take(batch, 1, 5)] == [1, 2, 3, 4, 5]
    assert [(work.lane, work.events) for work in history.queue.take(batch, 2, 50)] == [(2, 2)] * 3
    assert history.queue.take(batch, 9, 5) == history.queue.take("b_nothing", 1, 5) == []


def test_a_request_in_flight_is_not_taken_again(history: History) -> None:
    batch = batch_of(history, [1] * 3)
    start_next(history, batch)
    assert [work.position for work in history.queue.take(batch, 1, 5)] == [2, 3]
    assert history.queue.lanes(batch) == [LaneState(1, 2, 1, 0)]


@pytest.mark.parametrize("outcome", Outcome)
def test_an_outcome_is_stored_with_its_attempt(history: History, clock: Clock, outcome: Outcome) -> None:
    batch = batch_of(history, [3])
    work = start_next(history, batch)
    clock.now += 500
    assert settle(history, work, outcome).value == outcome.value
    found = history.queries.request(work.id).summary
    assert (found.tries, found.updated_at, found.retry_at) == (1, clock.now, None)
    assert history.queries.batch(batch).events == {RequestState(outcome.value): 3}
    assert history.queue.take(batch, 1, 5) == []


def test_one_transaction_writes_an_outcome_and_the_start_of_the_next_request(history: History) -> None:
    batch = batch_of(history, [1, 1])
    first, second = history.queue.take(batch, 1, 2)
    history.queue.apply_transitions([AttemptStart(first.id)], owner=ME)
    assert not history.queue.apply_transitions([AttemptEnd(first.id, attempt()), AttemptStart(second.id)], owner=ME)
    assert history.queries.batch(batch).requests == {RequestState.ACCEPTED: 1, IN_FLIGHT: 1}
    assert history.queue.apply_transitions([], owner=ME) == frozenset()


def test_a_request_that_never_arrived_is_pending_until_its_next_attempt(history: History, clock: Clock) -> None:
    batch = batch_of(history, [1, 1])
    work = start_next(history, batch)
    assert settle(history, work, Outcome.NOT_SENT, clock.now + 5000) is PENDING
    again, following = history.queue.take(batch, 1, 5)
    assert (again.id, again.retry_at, again.tries, again.doubt) == (work.id, clock.now + 5000, 1, False)
    assert following.retry_at is None
    history.queue.apply_transitions([AttemptStart(again.id)], owner=ME)
    assert settle(history, again, Outcome.ACCEPTED) is RequestState.ACCEPTED
    assert history.queries.request(work.id).summary.tries == 2


def test_a_request_that_may_have_arrived_stays_unknown_while_it_waits_and_comes_first(
    history: History, clock: Clock
) -> None:
    batch = batch_of(history, [1, 1], policy=Policy.RESEND)
    work = start_next(history, batch)
    assert settle(history, work, Outcome.UNKNOWN, clock.now + 5000) is UNKNOWN
    assert history.queue.lanes(batch) == [LaneState(1, 2, 0, 0)]
    again, _ = history.queue.take(batch, 1, 5)
    assert (again.id, again.doubt) == (work.id, True)
    assert history.queue.take(batch, 1, 1) == [again]


@pytest.mark.parametrize("later", [Outcome.REJECTED, Outcome.NOT_SENT, Outcome.UNKNOWN])
def test_a_doubt_stays_whatever_a_later_outcome_is(history: History, later: Outcome) -> None:
    batch = batch_of(history, [1])
    work = start_next(history, batch)
    settle(history, work, Outcome.UNKNOWN, 1)
    start_next(history, batch)
    assert settle(history, work, later) is UNKNOWN
    assert history.queries.request(work.id).summary.doubt


def test_an_accepted_retry_ends_the_doubt(history: History) -> None:
    batch = batch_of(history, [1])
    work = start_next(history, batch)
    settle(history, work, Outcome.UNKNOWN, 1)
    start_next(history, batch)
    assert settle(history, work, Outcome.ACCEPTED, retry_at=7) is RequestState.ACCEPTED
    assert history.queue.take(batch, 1, 5) == []


def test_a_transition_repeated_after_an_error_is_written_once(history: History) -> None:
    batch = batch_of(history, [1])
    work = start_next(history, batch)
    settled = AttemptEnd(work.id, attempt())
    assert history.queue.apply_transitions([settled], owner=ME) == frozenset()
    assert history.queue.apply_transitions([settled], owner=ME) == frozenset()
    assert len(history.queries.request(work.id).attempts) == 1


def test_transitions_of_unknown_requests_are_not_valid(history: History) -> None:
    assert history.queue.apply_transitions([AttemptStart(4711), AttemptEnd(4712, attempt())], owner=ME) == {4711, 4712}


# ── owners ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_batch_is_claimed_by_one_process_only(history: History) -> None:
    batch = batch_of(history, [1], owner="")
    assert history.queue.claim(batch, ME, "")
    assert not history.queue.claim(batch, OTHER, "")
    assert history.queue.claim(batch, OTHER, ME)
    assert [(one.id, one.owner, one.state) for one in history.queue.unfinished()] == [
        (batch, OTHER, BatchState.SENDING)
    ]
    assert not history.queue.claim("b_nothing", ME, "")


def test_a_process_that_lost_a_batch_sends_nothing_more_and_changes_nothing(history: History) -> None:
    batch = batch_of(history, [1, 1])
    work = start_next(history, batch)
    following = history.queue.take(batch, 1, 1)[0]
    history.queue.claim(batch, OTHER, ME)
    assert history.queue.in_flight_to_unknown(batch, owner=OTHER) == 1
    late = AttemptEnd(work.id, attempt())
    assert history.queue.apply_transitions([late, AttemptStart(following.id)], owner=ME) == {work.id, following.id}
    assert state(history, work) is UNKNOWN
    with pytest.raises(NotAllowed):
        history.control.set_state(batch, BatchState.PAUSED, owner=ME)
    with pytest.raises(NotAllowed):
        history.queue.in_flight_to_unknown(batch, owner=ME)


def test_a_late_response_is_kept_as_evidence_once(history: History) -> None:
    batch = batch_of(history, [1])
    work = start_next(history, batch)
    history.queue.claim(batch, OTHER, ME)
    history.queue.in_flight_to_unknown(batch, owner=OTHER)
    late = AttemptEnd(work.id, attempt())
    assert history.queue.apply_transitions([late], owner=ME) == {work.id}
    assert history.queue.apply_transitions([late], owner=ME) == frozenset()
    outcomes = [(one.number, one.outcome) for one in history.queries.request(work.id).attempts]
    assert outcomes == [(1, Outcome.UNKNOWN), (2, Outcome.ACCEPTED)]
    found = history.queries.request(work.id).summary
    assert (found.state, found.tries, found.reason) == (UNKNOWN, 1, history.queries.request(work.id).attempts[0].reason)


# ── a console that has ended ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("policy", "again"), [(Policy.STOP, False), (Policy.GO_ON, False), (Policy.RESEND, True)])
def test_a_request_in_flight_whose_process_ended_is_unknown(history: History, policy: Policy, again: bool) -> None:
    batch = batch_of(history, [1, 1], [1], policy=policy)
    work = start_next(history, batch)
    assert history.queue.in_flight_to_unknown(batch, owner=ME) == 1
    assert history.queue.in_flight_to_unknown(batch, owner=ME) == 0
    assert state(history, work) is UNKNOWN
    assert "ended before the response came" in history.queries.request(work.id).summary.reason
    assert history.queue.lanes(batch) == [LaneState(1, 1 + again, 0, 1 - again), LaneState(2, 1, 0, 0)]
    assert (history.queue.take(batch, 1, 1)[0].id == work.id) is again


def test_a_cancelled_batch_with_a_request_in_flight_is_unfinished_until_its_outcome(history: History) -> None:
    batch = batch_of(history, [1, 1])
    work = start_next(history, batch)
    history.control.set_state(batch, BatchState.CANCELLED)
    assert [one.id for one in history.queue.unfinished()] == [batch]
    assert not history.queries.batch(batch).is_final
    assert (
        settle(history, work, Outcome.NOT_SENT, retry_at=5) is NOT_SENT
    )  # nothing is tried again in a cancelled batch
    assert history.queue.unfinished() == []
    assert history.queries.batch(batch).is_final


# ── halves ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def split(history: History, work: WorkItem, *sizes: int) -> list[WorkItem]:
    halves = [RequestHalf(b"half %d" % number, size) for number, size in enumerate(sizes)]
    return history.queue.split(work.id, attempt(Outcome.REJECTED, status=413, too_large=True), halves, owner=ME)


def test_halves_take_their_parents_place_and_events(history: History) -> None:
    batch = batch_of(history, [4, 1], [1])
    work = start_next(history, batch)
    first, second = split(history, work, 1, 3)
    assert [(one.part, one.events, one.body) for one in (first, second)] == [("0", 1, b"half 0"), ("1", 3, b"half 1")]
    assert [one.event.event_id for one in history.queries.request(first.id).events] == ["e1"]
    assert [one.event.event_id for one in history.queries.request(second.id).events] == ["e2", "e3", "e4"]
    assert [one.position for one in history.queries.request(second.id).events] == [0, 1, 2]
    parent = history.queries.request(work.id)
    assert (parent.summary.state, parent.halves, parent.events) == (RequestState.SPLIT, (first.id, second.id), ())
    assert parent.attempts[0].status == 413
    assert history.queries.batch(batch).events == {PENDING: 6}
    assert history.queries.batch(batch).total == 6
    assert [row.event_id for row in history.outcomes.rows(batch)] == [f"e{n}" for n in range(1, 7)]


def test_halves_of_halves_keep_the_lanes_order(history: History) -> None:
    batch = batch_of(history, [8, 1])
    first, _ = split(history, start_next(history, batch), 4, 4)
    assert start_next(history, batch).id == first.id
    split(history, first, 2, 2)
    order = []
    while waiting := history.queue.take(batch, 1, 10):
        order += [one.event.event_id for one in history.queries.request(waiting[0].id).events]
        settle(history, start_next(history, batch), Outcome.ACCEPTED)
    assert order == [f"e{n}" for n in range(1, 10)]


def test_halves_inherit_a_doubt(history: History) -> None:
    batch = batch_of(history, [2], policy=Policy.RESEND)
    work = start_next(history, batch)
    settle(history, work, Outcome.UNKNOWN, 1)
    start_next(history, batch)
    assert [one.doubt for one in split(history, work, 1, 1)] == [True, True]
    assert history.queries.batch(batch).events == {UNKNOWN: 2}
    assert len(history.queue.take(batch, 1, 5)) == 2


@pytest.mark.parametrize("doubt", [False, True])
def test_halves_in_a_cancelled_batch_are_not_sent(history: History, doubt: bool) -> None:
    batch = batch_of(history, [2])
    work = start_next(history, batch)
    if doubt:
        settle(history, work, Outcome.UNKNOWN, 1)
        start_next(history, batch)
    history.control.set_state(batch, BatchState.CANCELLED)
    split(history, work, 1, 1)
    assert history.queue.take(batch, 1, 5) == []
    assert history.queries.batch(batch).events == {UNKNOWN if doubt else RequestState.CANCELLED: 2}


def test_only_an_owned_request_in_flight_is_split_and_into_all_of_its_events(history: History) -> None:
    batch = batch_of(history, [3])
    (work,) = history.queue.take(batch, 1, 1)
    with pytest.raises(NotAllowed):
        split(history, work, 1, 2)
    start_next(history, batch)
    for sizes in ((1, 1), (3,), (1,) * 11):
        with pytest.raises(NotAllowed):
            split(history, work, *sizes)
    history.queue.claim(batch, OTHER, ME)
    with pytest.raises(NotAllowed):
        split(history, work, 1, 2)
    with pytest.raises(NotFound):
        history.queue.split(4711, attempt(), [], owner=ME)
    assert history.queries.request(work.id).attempts == ()


# ── states of a batch ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("paused", [BatchState.PAUSED, BatchState.STOPPED])
def test_nothing_is_sent_of_a_batch_that_is_not_sending(history: History, clock: Clock, paused: BatchState) -> None:
    batch = batch_of(history, [1, 1])
    clock.now += 7
    history.control.set_state(
        batch, paused, "12 rejected in a row: 401, check the key", expected=BatchState.SENDING, owner=ME
    )
    found = history.queries.batch(batch)
    assert (found.state, found.reason, found.changed_at) == (
        paused,
        "12 rejected in a row: 401, check the key",
        clock.now,
    )
    (work, _) = history.queue.take(batch, 1, 2)
    assert history.queue.apply_transitions([AttemptStart(work.id)], owner=ME) == {work.id}
    assert state(history, work) is PENDING
    history.control.set_state(batch, BatchState.SENDING)
    assert history.queries.batch(batch).reason == ""
    assert not history.queue.apply_transitions([AttemptStart(work.id)], owner=ME)


def test_a_batch_is_done_only_when_no_request_is_open(history: History) -> None:
    batch = batch_of(history, [1])
    with pytest.raises(NotAllowed):
        history.control.set_state(batch, BatchState.DONE)
    work = start_next(history, batch)
    with pytest.raises(NotAllowed):
        history.control.set_state(batch, BatchState.DONE)
    settle(history, work, Outcome.UNKNOWN, 5)
    with pytest.raises(NotAllowed):
        history.control.set_state(batch, BatchState.DONE)
    start_next(history, batch)
    settle(history, work, Outcome.UNKNOWN)
    history.control.set_state(batch, BatchState.DONE)
    assert history.queries.batch(batch).is_final
    assert history.queue.unfinished() == []


def test_cancelling_a_batch_cancels_pending_requests_and_keeps_outcomes(history: History) -> None:
    batch = batch_of(history, [1, 2], [4, 8])
    settle(history, start_next(history, batch), Outcome.ACCEPTED)
    settle(history, start_next(history, batch, 2), Outcome.UNKNOWN, 5)
    history.control.set_state(batch, BatchState.CANCELLED, "Cancelled.")
    assert history.queries.batch(batch).events == {RequestState.ACCEPTED: 1, UNKNOWN: 4, RequestState.CANCELLED: 10}
    assert history.queue.take(batch, 2, 5) == []


def test_a_batch_takes_only_the_states_that_the_drawing_allows(history: History) -> None:
    batch = batch_of(history, [1])
    with pytest.raises(NotAllowed, match="is sending: it cannot become sending"):
        history.control.set_state(batch, BatchState.SENDING)
    with pytest.raises(NotAllowed):
        history.control.set_state(batch, BatchState.PAUSED, expected=BatchState.STOPPED)
    history.control.set_state(batch, BatchState.CANCELLED)
    for after in BatchState:
        with pytest.raises(NotAllowed):
            history.control.set_state(batch, after)
    with pytest.raises(NotFound):
        history.control.set_state("b_nothing", BatchState.PAUSED)


# ── a person's decision ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_person_lets_a_stopped_lane_go_on_or_try_again(history: History, clock: Clock) -> None:
    batch = batch_of(history, [1, 1], [1], [1])
    unknown, not_sent, rejected = (start_next(history, batch, lane) for lane in (1, 2, 3))
    settle(history, unknown, Outcome.UNKNOWN)
    settle(history, not_sent, Outcome.NOT_SENT)
    settle(history, rejected, Outcome.REJECTED)
    assert [(lane.waiting, lane.unresolved) for lane in history.queue.lanes(batch)] == [(1, 1), (0, 1), (0, 0)]
    history.control.set_state(batch, BatchState.PAUSED)
    assert history.control.resume(batch, Policy.GO_ON, []) == 0
    assert (history.queries.batch(batch).policy, history.queries.batch(batch).state) == (
        Policy.GO_ON,
        BatchState.SENDING,
    )
    history.control.set_state(batch, BatchState.PAUSED)
    assert history.control.resume(batch, Policy.RESEND, [UNKNOWN, NOT_SENT]) == 2
    history.control.set_state(batch, BatchState.PAUSED)
    assert history.control.resume(batch, Policy.RESEND, [UNKNOWN, NOT_SENT]) == 0
    assert [(lane.waiting, lane.unresolved) for lane in history.queue.lanes(batch)] == [(2, 0), (1, 0), (0, 0)]
    assert (state(history, unknown), state(history, not_sent)) == (UNKNOWN, PENDING)
    assert history.queue.take(batch, 1, 1)[0].retry_at == clock.now


@pytest.mark.parametrize(
    ("state_before", "policy", "again", "then", "tried"),
    [
        (BatchState.STOPPED, Policy.STOP, None, Policy.GO_ON, {NOT_SENT}),
        (BatchState.STOPPED, Policy.RESEND, None, Policy.GO_ON, {NOT_SENT}),
        (BatchState.STOPPED, Policy.STOP, [UNKNOWN], Policy.STOP, {UNKNOWN}),
        (BatchState.STOPPED, Policy.STOP, [UNKNOWN, NOT_SENT], Policy.STOP, {UNKNOWN, NOT_SENT}),
        (BatchState.PAUSED, Policy.STOP, None, Policy.STOP, {NOT_SENT}),
        (BatchState.PAUSED, Policy.GO_ON, None, Policy.GO_ON, set()),
    ],
)
def test_going_on_is_a_decision_about_what_is_unknown(
    history: History,
    state_before: BatchState,
    policy: Policy,
    again: list[RequestState] | None,
    then: Policy,
    tried: set[RequestState],
) -> None:
    batch = batch_of(history, [1, 1], [1], policy=policy)
    requests = {UNKNOWN: start_next(history, batch, 1), NOT_SENT: start_next(history, batch, 2)}
    settle(history, requests[UNKNOWN], Outcome.UNKNOWN)
    settle(history, requests[NOT_SENT], Outcome.NOT_SENT)
    history.control.set_state(batch, state_before, "It state_before.")
    assert history.control.resume(batch, retry_states=again) == len(tried)
    found = history.queries.batch(batch)
    assert (found.state, found.policy, found.reason) == (BatchState.SENDING, then, "")
    waiting = {request.id for request in history.queries.requests(batch).items if request.retry_at is not None}
    assert waiting == {requests[state_].id for state_ in tried}


def test_only_a_paused_or_stopped_batch_can_resume_and_others_do_not_change(history: History) -> None:
    batch = batch_of(history, [1], policy=Policy.STOP)
    settle(history, start_next(history, batch, 1), Outcome.NOT_SENT)
    with pytest.raises(NotAllowed, match="is sending: only what is paused or stopped can go on"):
        history.control.resume(batch, Policy.RESEND)
    assert history.queries.batch(batch).policy is Policy.STOP
    assert history.queries.batch(batch).requests == {NOT_SENT: 1}
    history.control.set_state(batch, BatchState.PAUSED)
    with pytest.raises(NotAllowed, match="Only what is unknown or not sent"):
        history.control.resume(batch, Policy.RESEND, [RequestState.REJECTED])
    history.control.set_state(batch, BatchState.CANCELLED)
    with pytest.raises(NotAllowed, match="is cancelled"):
        history.control.resume(batch, Policy.RESEND)
    assert history.queries.batch(batch).policy is Policy.STOP
    with pytest.raises(NotFound):
        history.control.resume("b_nothing", Policy.STOP)


def test_a_batch_is_active_while_it_is_sent_or_waits_for_responses(history: History) -> None:
    batch = batch_of(history, [1, 1])
    assert history.queries.batch(batch).is_active
    request_ = start_next(history, batch, 1)
    history.control.set_state(batch, BatchState.PAUSED)
    assert history.queries.batch(batch).is_active
    settle(history, request_, Outcome.ACCEPTED)
    assert not history.queries.batch(batch).is_active
    assert not history.queries.batch(batch).is_final


def test_a_batch_cancelled_while_it_is_recorded_never_becomes_sending(history: History) -> None:
    def requests() -> Iterator[RequestIntent]:
        yield request(1, 1, [event(1)])
        yield request(1, 2, [event(2)])
        (found,) = history.queue.unfinished()
        history.control.set_state(found.id, BatchState.CANCELLED, "A person cancelled it.")
        yield request(1, 3, [event(3)])

    with pytest.raises(NotAllowed, match="cancelled or stopped while it was being recorded"):
        Recorder(history.database, 1).record(intent(), requests())
    (batch,) = history.queries.batches().items
    assert batch.state is BatchState.CANCELLED
    assert set(batch.requests) == {RequestState.CANCELLED}
