"""Whatever dispatch, a person and a thawed process do, in any order: nothing is lost, and accepted stays accepted."""

from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress

from hypothesis import settings as how
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from intempt_core.contract.outcome import Outcome
from intempt_core.errors import NotAllowed
from intempt_core.history import (
    AttemptEnd,
    AttemptStart,
    BatchState,
    BatchSummary,
    History,
    RequestHalf,
    RequestState,
    RequestSummary,
)
from intempt_core.planning.plan import Policy
from tests.core.history.factories import Clock, Databases, attempt, batch_of
from tests.examples import scale_examples

OWNERS = ("one", "two")
FINAL = {RequestState.ACCEPTED, RequestState.REJECTED, RequestState.SPLIT, RequestState.CANCELLED}
IN_DOUBT = {RequestState.UNKNOWN, RequestState.IN_FLIGHT}


class Batches(RuleBasedStateMachine):
    """Two owners and one batch; the machine keeps its own record of what was sent."""

    def __init__(self, databases: Databases) -> None:
        super().__init__()
        self.opened = ExitStack()
        self.clock = Clock()
        url = self.opened.enter_context(databases())
        self.history = self.opened.enter_context(closing(History.open(url, clock=self.clock)))
        self.final: dict[int, RequestSummary] = {}
        self.doubted: set[int] = set()

    @initialize(
        lanes=st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=4), min_size=1, max_size=3),
        policy=st.sampled_from(Policy),
    )
    def begin(self, lanes: list[list[int]], policy: Policy) -> None:
        self.total = sum(sum(lane) for lane in lanes)
        self.batch = batch_of(self.history, *lanes, owner="one", policy=policy)

    def teardown(self) -> None:
        if hasattr(self, "batch"):
            assert [row.row for row in self.history.outcomes.rows(self.batch)] == list(range(1, self.total + 1))
        self.opened.close()

    def all(self) -> Sequence[RequestSummary]:
        return self.history.queries.requests(self.batch, size=1000).items

    def owner(self) -> str:
        return self.history.queries.batch(self.batch).owner

    @rule(lane=st.integers(1, 3), owner=st.sampled_from(OWNERS))
    def start(self, lane: int, owner: str) -> None:
        sending = self.history.queries.batch(self.batch).state is BatchState.SENDING and owner == self.owner()
        for work in self.history.queue.take(self.batch, lane, 1):
            invalid = self.history.queue.apply_transitions([AttemptStart(work.id)], owner=owner)
            assert bool(invalid) is not sending

    @rule(
        data=st.data(),
        owner=st.sampled_from(OWNERS),
        outcome=st.sampled_from(Outcome),
        again=st.booleans(),
    )
    def settle(self, data: st.DataObject, owner: str, outcome: Outcome, again: bool) -> None:
        chosen = data.draw(st.sampled_from(self.all()))
        before = self.history.queries.request(chosen.id).summary
        transition = AttemptEnd(chosen.id, attempt(outcome), self.clock.now + 5 if again else None)
        invalid = self.history.queue.apply_transitions([transition], owner=owner)
        counts = before.state is RequestState.IN_FLIGHT and owner == self.owner()
        assert bool(invalid) is not counts
        if outcome is Outcome.UNKNOWN and counts:
            self.doubted.add(chosen.id)
        assert not self.history.queue.apply_transitions([transition], owner=owner)

    @rule(data=st.data(), owner=st.sampled_from(OWNERS))
    def split(self, data: st.DataObject, owner: str) -> None:
        chosen = data.draw(st.sampled_from(self.all()))
        first = chosen.events // 2
        with suppress(NotAllowed):
            halves = [RequestHalf(b"a", first), RequestHalf(b"b", chosen.events - first)] if first else []
            made = self.history.queue.split(chosen.id, attempt(Outcome.REJECTED), halves, owner=owner)
            self.doubted |= {work.id for work in made if chosen.id in self.doubted}

    @rule(owner=st.sampled_from(OWNERS), expected=st.sampled_from(OWNERS))
    def take_over(self, owner: str, expected: str) -> None:
        mine = self.owner()
        assert self.history.queue.claim(self.batch, owner, expected) is (mine == expected)
        if owner != mine and mine == expected:
            on_their_way = {one.id for one in self.all() if one.state is RequestState.IN_FLIGHT}
            assert self.history.queue.in_flight_to_unknown(self.batch, owner=owner) == len(on_their_way)
            self.doubted |= on_their_way

    @rule(state=st.sampled_from(BatchState))
    def change(self, state: BatchState) -> None:
        with suppress(NotAllowed):
            self.history.control.set_state(self.batch, state)

    @rule(policy=st.sampled_from(Policy), again=st.sets(st.sampled_from([RequestState.UNKNOWN, RequestState.NOT_SENT])))
    def decide(self, policy: Policy, again: set[RequestState]) -> None:
        with suppress(NotAllowed):
            self.history.control.resume(self.batch, policy, again)
            assert self.history.queries.batch(self.batch).state is BatchState.SENDING

    @invariant()
    @precondition(lambda self: hasattr(self, "batch"))
    def the_laws_hold(self) -> None:
        found, listed = self.history.queries.batch(self.batch), self.all()
        self.counts_add_up(found, listed)
        self.what_is_final_never_changes(listed)
        self.what_may_have_arrived_is_never_called_certain(listed)
        if found.state in (BatchState.DONE, BatchState.CANCELLED):
            assert RequestState.PENDING not in found.requests
            assert all(one.retry_at is None for one in listed)

    def counts_add_up(self, found: BatchSummary, listed: Sequence[RequestSummary]) -> None:
        assert found.total == self.total
        assert sum(found.requests.values()) == len(listed)
        for state in RequestState:
            of_state = [one for one in listed if one.state is state]
            assert found.requests.get(state, 0) == len(of_state)
            if state is not RequestState.SPLIT:
                assert found.events.get(state, 0) == sum(one.events for one in of_state)

    def what_is_final_never_changes(self, listed: Sequence[RequestSummary]) -> None:
        now = {one.id: one for one in listed}
        assert all(now[id_] == one for id_, one in self.final.items())
        self.final = {id_: one for id_, one in now.items() if one.state in FINAL}

    def what_may_have_arrived_is_never_called_certain(self, listed: Sequence[RequestSummary]) -> None:
        for one in listed:
            assert one.doubt is (one.id in self.doubted)
            if one.doubt:
                assert one.state in (*FINAL - {RequestState.REJECTED, RequestState.CANCELLED}, *IN_DOUBT)
            if one.retry_at is not None:
                assert one.state in (RequestState.PENDING, RequestState.UNKNOWN)


def test_the_laws_hold_in_any_order(fresh_databases: Databases) -> None:
    steps = how(max_examples=scale_examples(20), stateful_step_count=25, deadline=None)
    run_state_machine_as_test(lambda: Batches(fresh_databases), settings=steps)  # type: ignore[arg-type]  # any factory
