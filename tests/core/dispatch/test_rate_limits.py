"""What all batches to one target share: the rate limit, and the breaker that pauses them."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.outcome import Outcome
from intempt_core.dispatch import FAILURES_TO_BREAK, Dispatcher
from intempt_core.dispatch.rate_limits import CircuitBreaker, RateLimiter, Turn
from intempt_core.history import BatchState, RequestState
from intempt_core.planning.plan import Policy
from intempt_core.transport.track_client import Attempt
from tests.core.dispatch.factories import LOST, OK, Decide, Setup, decides, got, make_setup, plan_of
from tests.core.transport.fault_server import hostile, http


def attempt(outcome: Outcome, status: int | None = None) -> Attempt:
    return Attempt(outcome=outcome, status=status, reason="It was no.", started_at=0, elapsed_ms=1.0)


# ── the breaker ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (attempt(Outcome.REJECTED, 401), "were rejected: 401. Check the key. The last response: It was no."),
        (attempt(Outcome.REJECTED, 403), "were rejected: 403. Check what the key is allowed to do."),
        (attempt(Outcome.REJECTED, 404), "were rejected: 404. Check org, project and source."),
        (attempt(Outcome.REJECTED, 302), "were rejected: 302. Check the target."),
        (attempt(Outcome.NOT_SENT, 429), "could not be sent."),
        (attempt(Outcome.NOT_SENT), "could not be sent."),
    ],
)
def test_a_failure_that_the_next_request_will_have_too_opens_the_breaker(one: Attempt, message: str) -> None:
    breaker = CircuitBreaker()
    for _ in range(FAILURES_TO_BREAK - 1):
        breaker.record(one)
    assert breaker.reason == ""
    breaker.record(one)
    assert breaker.reason.startswith(f"{FAILURES_TO_BREAK} requests in a row {message}")


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_a_rejection_of_one_body_does_not(status: int) -> None:
    breaker = CircuitBreaker()
    for _ in range(100):
        breaker.record(attempt(Outcome.REJECTED, status))
    assert breaker.reason == ""


def test_another_outcome_in_between_resets_the_count() -> None:
    breaker = CircuitBreaker()
    for _ in range(50):
        for _ in range(FAILURES_TO_BREAK - 1):
            breaker.record(attempt(Outcome.REJECTED, 401))
        breaker.record(attempt(Outcome.REJECTED, 403))
        for _ in range(FAILURES_TO_BREAK - 1):
            breaker.record(attempt(Outcome.REJECTED, 401))
        breaker.record(attempt(Outcome.ACCEPTED, 201))
    assert breaker.reason == ""


def test_an_unknown_outcome_counts_only_where_the_lane_goes_on_after_it() -> None:
    holds, goes_on = CircuitBreaker(), CircuitBreaker()
    for _ in range(FAILURES_TO_BREAK):
        holds.record(attempt(Outcome.UNKNOWN, 500))
        goes_on.record(attempt(Outcome.UNKNOWN, 500), lane_continues=True)
    assert holds.reason == ""
    assert "have an unknown outcome" in goes_on.reason


# ── the pace ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.floats(0.1, 1000), st.lists(st.floats(0, 5), min_size=1, max_size=50))
def test_turns_are_never_closer_than_the_rate_and_never_later_than_needed(
    per_second: float, pauses: list[float]
) -> None:
    now = [0.0]
    pace, turns = RateLimiter(per_second, lambda: now[0]), list[float]()
    for pause in pauses:
        now[0] += pause
        reserved = pace.reserve_turn()
        assert reserved.is_reserved
        turn = now[0] + reserved.seconds
        assert turn == pytest.approx(max(now[0], turns[-1] + 1 / per_second) if turns else now[0])
        turns.append(turn)


def test_no_rate_limit_is_no_wait() -> None:
    assert RateLimiter(0).reserve_turn() == Turn(0.0)


# ── batches of one process ───────────────────────────────────────────────────────────────────────────────────────────


class TimedScene:
    """A server, a setup and a dispatcher."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        self.folder, self.opened = folder, opened
        self.times: list[float] = []

    def started(self, decide: Decide = lambda _: OK, **settings: Any) -> tuple[Setup, Dispatcher]:
        def timed(received: object) -> bytes:
            self.times.append(time.monotonic())
            return decide(received)  # type: ignore[arg-type]  # it is what a server of the test received

        self.server = self.opened.enter_context(hostile(decides(timed)))
        at = make_setup(self.folder, self.server.url, **settings)
        self.opened.callback(at.history.close)
        dispatcher = at.dispatcher()
        dispatcher.start()
        self.opened.callback(dispatcher.stop, 0.2)
        return at, dispatcher


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[TimedScene]:
    with ExitStack() as opened:
        yield TimedScene(tmp_path, opened)


@pytest.mark.parametrize("per_second", [50.0, pytest.param(10.0, marks=pytest.mark.long)])
def test_all_lanes_of_all_batches_to_a_target_share_its_rate_limit(scene: TimedScene, per_second: float) -> None:
    at, _ = scene.started(requests_per_second=per_second)
    began = time.monotonic()  # the first turn is not before it, and so the last one not before 19 steps more
    batches = [at.record(plan_of(10, persons=5)) for _ in range(2)]
    for batch in batches:
        assert at.over(batch).events == {RequestState.ACCEPTED: 10}
    assert scene.times[-1] - began >= 19 / per_second
    for person in range(5):
        mine = [n for n in got(scene.server) if int(n[1:]) % 5 == person]
        assert sorted(mine) == sorted([f"e{person}", f"e{person + 5}"] * 2)


def test_retries_keep_the_rate_limit_too(scene: TimedScene) -> None:
    at, _ = scene.started(
        lambda _: http(503) if len(scene.times) % 2 else OK, requests_per_second=20, backoff_seconds=0.001
    )
    began = time.monotonic()
    batch = at.record(plan_of(4))
    assert at.over(batch).events == {RequestState.ACCEPTED: 4}
    assert len(scene.times) == 8
    assert scene.times[-1] - began >= 7 / 20


def test_a_pause_does_not_wait_for_a_turn(scene: TimedScene) -> None:
    at, dispatcher = scene.started(requests_per_second=0.05)
    batch = at.record(plan_of(3))
    at.until(lambda: at.counts(batch).get("accepted"))
    dispatcher.pause(batch)
    at.until(lambda: not dispatcher._tasks)
    assert at.counts(batch) == {"accepted": 1, "pending": 2}


def test_an_open_breaker_pauses_every_batch_to_the_target_and_resuming_resets_it(scene: TimedScene) -> None:
    fixed: list[bool] = []
    at, dispatcher = scene.started(lambda _: OK if fixed else http(401), requests_per_second=100)
    batches = [at.record(plan_of(40, persons=4)) for _ in range(2)]
    for batch in batches:
        paused = at.over(batch)
        assert paused.state is BatchState.PAUSED
        assert "were rejected: 401. Check the key." in paused.reason
    rejected = sum(at.counts(batch).get("rejected", 0) for batch in batches)
    assert FAILURES_TO_BREAK <= rejected <= FAILURES_TO_BREAK + 2 * at.settings.lanes_at_once
    fixed.append(True)
    for batch in batches:
        dispatcher.resume(batch)
        assert at.over(batch).state is BatchState.DONE


def test_a_batch_that_had_sent_everything_when_the_breaker_opened_is_done(scene: TimedScene) -> None:
    at, _ = scene.started(lambda _: http(401))
    batch = at.record(plan_of(FAILURES_TO_BREAK))
    assert at.over(batch).state is BatchState.DONE
    assert at.counts(batch) == {"rejected": FAILURES_TO_BREAK}


def test_a_target_that_loses_every_response_is_not_sent_a_million_more(scene: TimedScene) -> None:
    at, _ = scene.started(lambda _: LOST)
    batch = at.record(plan_of(60, persons=3), Policy.GO_ON)
    paused = at.over(batch)
    assert paused.state is BatchState.PAUSED
    assert "have an unknown outcome" in paused.reason
    assert at.counts(batch)["pending"] >= 60 - FAILURES_TO_BREAK - 3
