"""One lane in order, and what follows each outcome: real HTTP, real SQLite, one chunk after another."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intempt_core.contract.body import build_request_body
from intempt_core.contract.fields import Json, now_ms
from intempt_core.dispatch import FAILURES_TO_BREAK, TurnResult, split_body
from intempt_core.dispatch.progress import Progress, RateMeter
from intempt_core.history import BatchState, RequestState
from intempt_core.planning.plan import Policy
from tests.core.dispatch.factories import LOST, OK, SILENCE, Decide, Setup, decides, got, ids, make_setup, plan_of
from tests.core.transport.fault_server import HostileServer, closed_port, hostile, http

Open = Callable[..., tuple[Setup, HostileServer]]


@pytest.fixture
def open_setup(tmp_path: Path, console_database: str) -> Iterator[Open]:
    with ExitStack() as opened:

        def open_(decide: Decide = lambda _: OK, **settings: Json) -> tuple[Setup, HostileServer]:
            server = opened.enter_context(hostile(decides(decide)))
            made = make_setup(tmp_path, server.url, database=console_database, **settings)
            opened.callback(made.history.close)
            return made, server

        yield open_


def nth(server: list[HostileServer], responses: dict[int, bytes]) -> Decide:
    """The n-th request (from 1) gets its own response, every other one is accepted."""
    return lambda _: responses.get(len(server[0].received), OK)


def test_a_lane_is_sent_in_order_and_every_outcome_is_written(open_setup: Open) -> None:
    at, server = open_setup()
    batch = at.record(plan_of(10))
    assert at.drive(batch) == TurnResult(sent=10)
    assert got(server) == [f"e{n}" for n in range(10)]
    assert at.outcomes(batch) == [["accepted"]] * 10
    assert at.counts(batch) == {"accepted": 10}


def test_every_lane_keeps_its_order_while_lanes_are_sent_side_by_side(open_setup: Open) -> None:
    at, server = open_setup()
    plan = plan_of(200, persons=20, per_request=2)
    batch = at.record(plan)
    assert at.drive(batch) == TurnResult(sent=100)
    for person in range(20):
        assert [n for n in got(server) if int(n[1:]) % 20 == person] == [f"e{n}" for n in range(person, 200, 20)]


def test_a_chunk_ends_at_its_limit_and_the_next_one_goes_on(open_setup: Open) -> None:
    at, server = open_setup()
    batch = at.record(plan_of(7))
    turns = [at.drive(batch, limit=3) for _ in range(3)]
    assert turns == [TurnResult(3, has_more=True), TurnResult(3, has_more=True), TurnResult(1)]
    assert got(server) == [f"e{n}" for n in range(7)]


def test_after_a_rejection_the_lane_goes_on(open_setup: Open) -> None:
    servers: list[HostileServer] = []
    at, server = open_setup(nth(servers, {2: http(400, b'{"error": "no"}')}))
    servers.append(server)
    batch = at.record(plan_of(4))
    at.drive(batch)
    assert at.outcomes(batch) == [["accepted"], ["rejected"], ["accepted"], ["accepted"]]


@pytest.mark.parametrize("response", [http(429), http(503, b"", "Retry-After: 0")])
def test_a_not_sent_request_is_tried_again_and_the_lane_waits_for_it(open_setup: Open, response: bytes) -> None:
    servers: list[HostileServer] = []
    at, server = open_setup(nth(servers, {2: response, 3: response}))
    servers.append(server)
    batch = at.record(plan_of(3))
    turns: list[TurnResult] = []
    while not turns or turns[-1].has_more:
        turns.append(at.drive(batch))
        time.sleep(turns[-1].wait_seconds)
    assert at.outcomes(batch) == [["accepted"], ["not sent", "not sent", "accepted"], ["accepted"]]
    assert got(server) == ["e0", "e1", "e1", "e1", "e2"]


def finish(at: Setup, batch: str) -> None:
    """Send until nothing remains to be sent."""
    while (turn := at.drive(batch)).has_more:
        time.sleep(turn.wait_seconds)


def test_a_request_still_not_sent_after_all_retries_stops_the_lane(open_setup: Open) -> None:
    at, server = open_setup(lambda _: http(503), tries=3)
    batch = at.record(plan_of(3))
    finish(at, batch)
    assert at.counts(batch) == {"not sent": 1, "pending": 2}
    assert at.outcomes(batch, RequestState.NOT_SENT) == [["not sent"] * 3]
    assert at.drive(batch) == TurnResult()
    assert len(server.received) == 3


def test_a_request_still_not_sent_after_all_retries_is_passed_over_under_go_on(open_setup: Open) -> None:
    at, server = open_setup(lambda received: http(429) if "e0" in ids(received.body) else OK, tries=2)
    batch = at.record(plan_of(3), Policy.GO_ON)
    finish(at, batch)
    assert at.counts(batch) == {"not sent": 1, "accepted": 2}
    assert got(server) == ["e0", "e0", "e1", "e2"]


@pytest.mark.parametrize("response", [LOST, SILENCE, http(500), http(502), http(408)])
def test_after_an_unknown_outcome_the_lane_stops_and_nothing_is_doubled(open_setup: Open, response: bytes) -> None:
    servers: list[HostileServer] = []
    at, server = open_setup(nth(servers, {2: response}), read_seconds=0.3)
    servers.append(server)
    batch = at.record(plan_of(4), Policy.STOP)
    finish(at, batch)
    assert at.counts(batch) == {"accepted": 1, "unknown": 1, "pending": 2}
    assert at.drive(batch) == TurnResult()
    assert got(server) == ["e0", "e1"]


def test_after_an_unknown_outcome_the_lane_goes_on_where_that_was_chosen(open_setup: Open) -> None:
    servers: list[HostileServer] = []
    at, server = open_setup(nth(servers, {2: LOST}))
    servers.append(server)
    batch = at.record(plan_of(4), Policy.GO_ON)
    finish(at, batch)
    assert at.counts(batch) == {"accepted": 3, "unknown": 1}
    assert got(server) == ["e0", "e1", "e2", "e3"]


def test_a_resend_is_byte_identical_counted_and_before_what_follows(open_setup: Open) -> None:
    servers: list[HostileServer] = []
    at, server = open_setup(nth(servers, {2: LOST, 3: http(504)}))
    servers.append(server)
    batch = at.record(plan_of(4), Policy.RESEND)
    finish(at, batch)
    assert at.outcomes(batch) == [["accepted"], ["unknown", "unknown", "accepted"], ["accepted"], ["accepted"]]
    bodies = [received.body for received in server.received]
    assert bodies[1] == bodies[2] == bodies[3]
    assert got(server) == ["e0", "e1", "e1", "e1", "e2", "e3"]


def test_a_resend_that_stays_unknown_stops_the_lane(open_setup: Open) -> None:
    at, server = open_setup(lambda _: LOST, tries=3)
    batch = at.record(plan_of(2), Policy.RESEND)
    finish(at, batch)
    assert at.counts(batch) == {"unknown": 1, "pending": 1}
    assert got(server) == ["e0"] * 3


def test_a_rejection_after_an_unknown_is_no_proof_and_stops_the_lane(open_setup: Open) -> None:
    servers: list[HostileServer] = []
    at, server = open_setup(nth(servers, {1: LOST, 2: http(400)}))
    servers.append(server)
    batch = at.record(plan_of(2), Policy.RESEND)
    finish(at, batch)
    assert at.counts(batch) == {"unknown": 1, "pending": 1}


def test_no_connection_is_not_sent_and_nothing_is_lost(tmp_path: Path) -> None:
    at = make_setup(tmp_path, f"http://127.0.0.1:{closed_port()}", tries=2)
    batch = at.record(plan_of(2), Policy.RESEND)
    finish(at, batch)
    assert at.counts(batch) == {"not sent": 1, "pending": 1}
    at.history.close()


def test_too_large_is_halved_until_it_fits_in_order_each_half_recorded(open_setup: Open) -> None:
    at, server = open_setup(lambda received: http(413) if len(ids(received.body)) > 3 else OK)
    batch = at.record(plan_of(23, per_request=10))
    finish(at, batch)
    taken = [text for received in server.received if len(ids(received.body)) <= 3 for text in ids(received.body)]
    assert taken == [f"e{n}" for n in range(23)]
    assert at.history.queries.batch(batch).events[RequestState.ACCEPTED] == 23
    sizes = [len(ids(received.body)) for received in server.received]
    assert sizes == [10, 5, 2, 3, 5, 2, 3] * 2 + [3]  # after each split its width is that of the plan again


def test_a_single_event_that_is_too_large_fails_alone(open_setup: Open) -> None:
    at, server = open_setup(lambda received: http(413) if "e2" in ids(received.body) else OK)
    batch = at.record(plan_of(6, per_request=6))
    finish(at, batch)
    summary = at.history.queries.batch(batch)
    assert summary.events == {RequestState.ACCEPTED: 5, RequestState.REJECTED: 1}
    accepted = [ids(r.body) for r in server.received if "e2" not in ids(r.body)]
    assert [text for some in accepted for text in some] == ["e0", "e1", "e3", "e4", "e5"]


json_ = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(["Product viewed", "Product ordered", "Added to cart"])
orders = st.fixed_dictionaries({"eventId": st.sampled_from(["o1", "o2"]), "data": json_})


@given(st.lists(st.tuples(names, orders), min_size=2, max_size=9))
def test_halves_are_the_same_events_in_the_same_order(events: list[tuple[str, Json]]) -> None:
    def read(body: bytes) -> list[tuple[str, Json]]:
        return [(group["name"], item) for group in json.loads(body)["track"] for item in group["payload"]]

    first, second = split_body(build_request_body(events))
    assert read(first.body) + read(second.body) == events
    assert (len(read(first.body)), len(read(second.body))) == (first.events, second.events)
    assert first.events
    assert second.events


def test_halves_do_not_part_the_lines_of_an_order_where_possible() -> None:
    line = ("Product ordered", {"eventId": "o1"})
    body = build_request_body(
        [("Product viewed", {"eventId": "a"}), line, line, line, ("Product viewed", {"eventId": "b"})]
    )
    assert [half.events for half in split_body(body)] in ([1, 4], [4, 1])
    assert [half.events for half in split_body(build_request_body([line] * 4))] == [2, 2]


def test_a_batch_paused_meanwhile_is_not_sent(open_setup: Open) -> None:
    setups: list[Setup] = []
    batches: list[str] = []

    def decide(_: object) -> bytes:
        if setups[0].state(batches[0]) is BatchState.SENDING:
            setups[0].history.control.set_state(batches[0], BatchState.PAUSED)
        return OK

    at, server = open_setup(decide)
    setups.append(at)
    batches.append(at.record(plan_of(5)))
    assert at.drive(batches[0]) == TurnResult(sent=1)
    assert at.counts(batches[0]) == {"accepted": 1, "pending": 4}
    assert len(server.received) == 1


def test_another_owners_batch_is_not_sent(open_setup: Open) -> None:
    at, server = open_setup()
    batch = at.record(plan_of(5), owner="somebody")
    assert at.drive(batch, owner="me") == TurnResult()
    assert not server.received


def test_after_many_rejections_alike_in_a_row_the_rest_stays_pending(open_setup: Open) -> None:
    at, server = open_setup(lambda _: http(401))
    batch = at.record(plan_of(FAILURES_TO_BREAK + 20))
    assert at.drive(batch) == TurnResult(sent=FAILURES_TO_BREAK)
    assert at.counts(batch) == {"rejected": FAILURES_TO_BREAK, "pending": 20}
    assert len(server.received) == FAILURES_TO_BREAK


def test_rejections_of_single_bodies_do_not_hold_up_the_rest(open_setup: Open) -> None:
    at, _ = open_setup(lambda _: http(400))
    batch = at.record(plan_of(FAILURES_TO_BREAK + 5))
    finish(at, batch)
    assert at.counts(batch) == {"rejected": FAILURES_TO_BREAK + 5}


def test_a_clock_that_was_set_back_does_not_hold_a_retry_for_long(open_setup: Open) -> None:
    at, server = open_setup(lambda _: http(503, b"", "Retry-After: 9"))
    batch = at.record(plan_of(1))
    an_hour_ahead = at.drive(batch, clock=lambda: now_ms() + 3_600_000)
    assert 9 <= an_hour_ahead.wait_seconds <= 9 + at.settings.backoff_limit_seconds
    turn = at.drive(batch)
    assert turn.has_more
    assert 8 < turn.wait_seconds < 60  # as long as it was meant to be, and not the hour that the clock was ahead
    assert len(server.received) == 1


def test_nothing_is_tried_again_before_the_server_wants_it_nor_after_a_restart(open_setup: Open) -> None:
    at, server = open_setup(lambda _: http(429, b"", "Retry-After: 90"))
    batch = at.record(plan_of(1))
    assert 90 <= at.drive(batch).wait_seconds <= 90 + at.settings.backoff_limit_seconds
    assert 80 < at.drive(batch).wait_seconds <= 90 + at.settings.backoff_limit_seconds
    assert len(server.received) == 1


def test_the_rate_is_that_of_the_last_seconds() -> None:
    now = [100.0]
    meter = RateMeter(lambda: now[0])
    now[0] += 1
    meter.count(50)
    assert meter.rate == 50
    now[0] += 1
    assert meter.rate == 25
    now[0] += 10
    assert meter.rate == 0


@pytest.mark.untraced  # it is for threads to be in each other's way, not the tracer
def test_many_may_ask_for_the_rate_while_it_is_counted() -> None:
    now = [100.0]
    meter = RateMeter(lambda: now[0])
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(300):
                assert meter.rate >= 0
        except BaseException as error:  # noqa: BLE001  it is looked at in the test's own thread
            failed.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(20):
            for _ in range(1000):
                meter.count(1)
            now[0] += 10
            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads:
                thread.start()
            for _ in range(300):
                meter.count(1)
            for thread in threads:
                thread.join()
    finally:
        sys.setswitchinterval(before)
    assert failed == []


def test_the_intent_of_a_plan_may_name_its_source(open_setup: Open) -> None:
    at, _ = open_setup()
    batch = at.record(plan_of(1), notes={"as it is": True}, resend_of="b_0")
    found = at.history.queries.batch(batch)
    assert (found.notes, found.resend_of) == ({"as it is": True}, "b_0")


def test_progress_is_active_as_its_batch_is() -> None:
    assert Progress(BatchState.SENDING, {}).is_active
    assert Progress(BatchState.PAUSED, {RequestState.IN_FLIGHT: 1}).is_active
    assert not Progress(BatchState.PAUSED, {RequestState.PENDING: 1}).is_active
    assert not Progress(BatchState.DONE, {RequestState.ACCEPTED: 1}).is_active
