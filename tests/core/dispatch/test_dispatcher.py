"""The dispatcher: batches are found, paused, resumed, cancelled and taken over; history is unavailable; it ends."""

import asyncio
import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from intempt_core import sandbox
from intempt_core.contract.faults import FaultDocument
from intempt_core.contract.fields import Json, now_ms
from intempt_core.dispatch import (
    FAILURES_TO_BREAK,
    Dispatcher,
    Progress,
    SendingEnvironment,
    arrival_questions,
    make_batch_intent,
    send_plan,
    wake_once,
)
from intempt_core.dispatch import dispatcher as engine
from intempt_core.dispatch import process_locks as locks
from intempt_core.dispatch.history_writer import HistoryWriter
from intempt_core.dispatch.process_locks import (
    CONSOLE_LOCK_NAME,
    OWNER_LOCKS_FOLDER,
    acquire_lock,
    is_owner_alive,
    locate_owner_lock,
    read_running_console,
    remove_stale_locks,
)
from intempt_core.errors import CredentialError, HistoryUnavailable, NotAllowed, NotFound
from intempt_core.history import AttemptStart, BatchFilter, BatchState, RequestBlock, RequestState, VerdictCounts
from intempt_core.history import recorder as recording
from intempt_core.planning.plan import Policy
from intempt_core.platforms import try_lock
from intempt_core.targets.target import Target
from intempt_core.transport.sandbox_client import SandboxClient
from tests.core.dispatch.factories import LOST, OK, SILENCE, Scene, Setup, got, ids, make_setup, plan_of
from tests.core.history.factories import read_unkeyed, unkey
from tests.core.transport.fault_server import HostileServer, hostile, http


@pytest.fixture
def scene(tmp_path: Path, console_database: str) -> Iterator[Scene]:
    with ExitStack() as opened:
        yield Scene(tmp_path, opened, database=console_database)


# ── the common road ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_recorded_batch_is_sent_and_done(scene: Scene) -> None:
    at, server = scene.make_setup()
    dispatcher = scene.started(at)
    batch = at.record(plan_of(120, persons=30, per_request=2))
    dispatcher.wake()
    done = at.over(batch)
    assert (done.state, done.reason) == (BatchState.DONE, "")
    assert done.events == {RequestState.ACCEPTED: 120}
    assert sorted(got(server)) == sorted(f"e{n}" for n in range(120))
    assert dispatcher.progress(batch) == Progress(BatchState.DONE, {RequestState.ACCEPTED: 120})


def test_batches_recorded_before_the_start_or_by_another_process_are_found(scene: Scene) -> None:
    at, _ = scene.make_setup()
    before = at.record(plan_of(2))
    nobodys = at.record(plan_of(2), owner="")
    scene.started(at)
    after = at.record(plan_of(2))  # the dispatcher is not woken
    assert [at.over(batch).state for batch in (before, nobodys, after)] == [BatchState.DONE] * 3


def test_keys_that_a_killed_recording_has_left_out_are_written_when_there_is_nothing_to_send(scene: Scene) -> None:
    at, _ = scene.make_setup()
    batch = at.record(plan_of(4, persons=2))
    unkey(at.history, [1, 2])
    assert read_unkeyed(at.history) == {1, 2}
    scene.started(at)
    at.over(batch)
    at.until(lambda: not read_unkeyed(at.history))
    assert at.history.queries.batches(BatchFilter(text="u0")).total == 1


def test_no_more_lanes_are_sent_at_once_than_the_settings_allow(scene: Scene) -> None:
    now, most, lock = [0], [0], threading.Lock()

    async def behave(connection: Json) -> None:
        while True:
            await connection.request()
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            await asyncio.sleep(0.02)
            with lock:
                now[0] -= 1
            await connection.send(OK)

    server = scene.opened.enter_context(hostile(behave))
    at = make_setup(scene.folder, server.url, database=scene.database, lanes_at_once=3)
    scene.opened.callback(at.history.close)
    batch = at.record(plan_of(60, persons=20))
    scene.started(at)
    at.over(batch)
    assert most[0] == 3


def test_a_small_batch_need_not_wait_for_a_large_one(scene: Scene) -> None:
    at, _ = scene.make_setup(pause=0.005, lanes_at_once=2)
    large = at.record(plan_of(800, persons=2))
    dispatcher = scene.started(at)
    at.until(lambda: at.counts(large).get("accepted", 0) > 10)
    small = at.record(plan_of(1))
    dispatcher.wake()
    at.over(small)
    assert at.state(large) is BatchState.SENDING


def test_progress_has_rate_and_time_left_while_a_batch_is_sent(scene: Scene) -> None:
    at, _ = scene.make_setup(pause=0.02)
    batch = at.record(plan_of(60))
    dispatcher = scene.started(at)
    at.until(lambda: dispatcher.progress(batch).rate)
    at.until(lambda: (left := dispatcher.progress(batch).seconds_left) and left > 0)
    dispatcher.cancel(batch)
    with pytest.raises(NotFound):
        dispatcher.progress("b_none")


def test_a_plan_is_sent_and_its_outcome_returned(tmp_path: Path, console_database: str) -> None:
    with sandbox.run_sandbox(tmp_path / "sandbox.sqlite3") as url:
        at = make_setup(tmp_path, url, database=console_database)
        watched: list[Progress] = []
        found = send_plan(plan_of(30, persons=3), at.target, settings=at.settings, on_progress=watched.append)
        assert found.events == {RequestState.ACCEPTED: 30}
        assert watched[-1].state is BatchState.DONE
        assert send_plan(plan_of(1), at.target, history=at.history, settings=at.settings).state is BatchState.DONE
        assert at.history.queries.batches().total == 2
        at.history.close()


# ── a person decides ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_pause_lets_requests_in_flight_finish_and_resume_goes_on(scene: Scene) -> None:
    at, server = scene.make_setup(pause=0.02)
    batch = at.record(plan_of(40, persons=4))
    dispatcher = scene.started(at)
    at.until(lambda: len(server.received) > 4)
    dispatcher.pause(batch)
    at.until(lambda: not at.counts(batch).get("in flight"))
    left = len(server.received)
    time.sleep(0.15)
    assert len(server.received) == left < 40
    assert at.counts(batch) == {"accepted": left, "pending": 40 - left}
    assert dispatcher.progress(batch).reason == "A person paused it."
    with pytest.raises(NotAllowed):
        dispatcher.pause(batch)
    dispatcher.resume(batch)
    assert at.over(batch).events == {RequestState.ACCEPTED: 40}
    for person in range(4):
        assert [n for n in got(server) if int(n[1:]) % 4 == person] == [f"e{n}" for n in range(person, 40, 4)]


def test_pausing_in_another_process_counts_too(scene: Scene) -> None:
    at, server = scene.make_setup(pause=0.02)
    batch = at.record(plan_of(40))
    scene.started(at)
    at.until(lambda: server.received)
    at.history.control.set_state(batch, BatchState.PAUSED)
    at.until(lambda: not at.counts(batch).get("in flight"))
    left = len(server.received)
    time.sleep(0.1)
    assert len(server.received) == left < 40


def test_cancel_cancels_what_was_not_sent(scene: Scene) -> None:
    at, server = scene.make_setup(pause=0.02)
    batch = at.record(plan_of(40))
    dispatcher = scene.started(at)
    at.until(lambda: len(server.received) > 2)
    dispatcher.cancel(batch)
    at.until(lambda: at.history.queries.batch(batch).is_final)
    left = len(server.received)
    assert at.counts(batch) == {"accepted": left, "cancelled": 40 - left}


def test_a_stopped_batch_has_the_reason_and_a_person_decides_to_go_on(scene: Scene) -> None:
    at, server = scene.make_setup(lambda received: LOST if ids(received.body) == ["e1"] else OK)
    batch = at.record(plan_of(4), Policy.STOP)
    dispatcher = scene.started(at)
    stopped = at.over(batch)
    assert stopped.state is BatchState.STOPPED
    assert stopped.reason.startswith("1 lane of 1 stopped: 1 request unknown or not sent, and 2 behind")
    assert dispatcher.progress(batch).reason == stopped.reason
    dispatcher.resume(batch)
    at.until(lambda: at.state(batch) is BatchState.DONE)
    assert at.counts(batch) == {"accepted": 3, "unknown": 1}
    assert got(server) == ["e0", "e1", "e2", "e3"]


def test_a_stopped_batch_may_send_the_unknown_again(scene: Scene) -> None:
    server: list[HostileServer] = []
    at, one = scene.make_setup(lambda _: LOST if len(server[0].received) == 2 else OK)
    server.append(one)
    batch = at.record(plan_of(4), Policy.STOP)
    dispatcher = scene.started(at)
    assert at.over(batch).state is BatchState.STOPPED
    dispatcher.resume(batch, retry_states=(RequestState.UNKNOWN,))
    at.until(lambda: at.state(batch) is BatchState.DONE)
    assert got(one) == ["e0", "e1", "e1", "e2", "e3"]
    assert at.counts(batch) == {"accepted": 4}
    assert at.history.queries.batch(batch).policy is Policy.STOP


def test_a_not_sent_request_that_stopped_a_lane_is_sent_first_when_it_goes_on(scene: Scene) -> None:
    taken = threading.Event()
    at, server = scene.make_setup(lambda _: OK if taken.is_set() else http(503), tries=2)
    batch = at.record(plan_of(3), Policy.STOP)
    dispatcher = scene.started(at)
    assert at.over(batch).state is BatchState.STOPPED
    taken.set()
    dispatcher.resume(batch, Policy.STOP)
    at.until(lambda: at.state(batch) is BatchState.DONE)
    assert got(server) == ["e0", "e0", "e0", "e1", "e2"]


def test_under_go_on_nothing_earlier_is_sent_after_what_is_later(scene: Scene) -> None:
    at, server = scene.make_setup(lambda received: http(503) if ids(received.body) == ["e0"] else OK, 0.02, tries=1)
    batch = at.record(plan_of(30), Policy.GO_ON)
    dispatcher = scene.started(at)
    at.until(lambda: len(server.received) > 3)
    dispatcher.pause(batch)
    dispatcher.resume(batch)
    at.until(lambda: at.state(batch) is BatchState.DONE)
    assert got(server).count("e0") == 1
    assert at.counts(batch) == {"not sent": 1, "accepted": 29}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_many_rejected_alike_pause_the_batch_with_the_reason(scene: Scene, status: int) -> None:
    at, _ = scene.make_setup(lambda _: http(status))
    batch = at.record(plan_of(100, persons=1))
    scene.started(at)
    paused = at.over(batch)
    assert paused.state is BatchState.PAUSED
    assert paused.reason.startswith(f"{FAILURES_TO_BREAK} requests in a row were rejected: {status}.")
    assert at.counts(batch)["rejected"] == FAILURES_TO_BREAK


def test_a_dead_target_pauses_the_batch_and_nothing_is_lost(scene: Scene) -> None:
    alive = threading.Event()
    at, server = scene.make_setup(lambda _: OK if alive.is_set() else http(503), tries=2)
    batch = at.record(plan_of(60, persons=20))
    dispatcher = scene.started(at)
    paused = at.over(batch)
    assert paused.state is BatchState.PAUSED
    assert "could not be sent" in paused.reason
    alive.set()
    server.received.clear()
    dispatcher.resume(batch)
    at.until(lambda: at.state(batch) is BatchState.DONE)
    for person in range(20):
        assert [n for n in got(server) if int(n[1:]) % 20 == person] == [f"e{n}" for n in range(person, 60, 20)]


def test_progress_says_that_lanes_wait_to_try_again(scene: Scene) -> None:
    at, _ = scene.make_setup(lambda _: http(503), backoff_seconds=5, backoff_limit_seconds=5, tries=9)
    batch = at.record(plan_of(1))
    dispatcher = scene.started(at)
    at.until(lambda: "1 lane will try again. The last response: 127.0.0.1" in dispatcher.progress(batch).reason)
    dispatcher.cancel(batch)
    at.until(lambda: at.history.queries.batch(batch).is_final)


def test_a_clock_that_jumps_back_holds_up_no_lane(scene: Scene) -> None:
    servers: list[HostileServer] = []
    at, server = scene.make_setup(lambda _: http(503) if len(servers[0].received) == 1 else OK)
    servers.append(server)
    readings = iter([3_600_000] * 3)  # an hour ahead until the retry's time is set

    batch = at.record(plan_of(2))
    scene.started(at, clock=lambda: now_ms() + next(readings, 0))
    assert at.over(batch).events == {RequestState.ACCEPTED: 2}


# ── targets that are not what they were ──────────────────────────────────────────────────────────────────────────────


def no_key(_: object) -> Target:
    raise CredentialError("The key of shop is not here.")


@pytest.mark.parametrize(
    ("resolve", "message"),
    [
        (lambda _: no_key, "The key of shop is not here."),
        (lambda at: lambda _: replace(at.target, credential=None), "The key of target sandbox is missing"),
        (lambda at: lambda _: replace(at.target, origin="typed", base="https://b.test"), "now leads to b.test"),
        (lambda _: lambda _: 1 / 0, "an internal error (ZeroDivisionError)"),
    ],
)
def test_a_batch_whose_target_cannot_be_used_is_paused_with_the_reason(
    scene: Scene, resolve: Callable[[Setup], Callable[[object], Target]], message: str
) -> None:
    at, server = scene.make_setup()
    batch = at.record(plan_of(3))
    found = Dispatcher(at.history, SendingEnvironment(at.settings, resolve(at)), owner="me", poll_seconds=0.05)
    scene.opened.callback(found.stop, 0.2)
    found.start()
    assert message in at.over(batch).reason
    assert at.state(batch) is BatchState.PAUSED
    assert not server.received


# ── ended processes ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("policy", list(Policy))
def test_a_batch_of_an_ended_process_is_taken_over_and_what_was_in_flight_is_unknown(
    scene: Scene, policy: Policy
) -> None:
    at, server = scene.make_setup()
    batch = at.record(plan_of(4), policy, owner="ended")
    (first, *_) = at.history.queue.take(batch, 1, 1)
    assert not at.history.queue.apply_transitions([AttemptStart(first.id)], owner="ended")
    scene.started(at)
    at.over(batch)
    sent = {Policy.STOP: [], Policy.GO_ON: ["e1", "e2", "e3"], Policy.RESEND: ["e0", "e1", "e2", "e3"]}[policy]
    assert got(server) == sent
    assert at.outcomes(batch)[0] == {Policy.RESEND: ["unknown", "accepted"]}.get(policy, ["unknown"])
    assert at.history.queries.batch(batch).owner == "me"


def test_a_batch_of_a_living_process_is_not_taken_over(scene: Scene) -> None:
    at, server = scene.make_setup()
    lock = acquire_lock(locate_owner_lock(at.settings.data, "alive"))
    assert lock
    batch = at.record(plan_of(2), owner="alive")
    scene.started(at)
    time.sleep(0.3)
    assert not server.received
    lock.release()
    assert at.over(batch).state is BatchState.DONE


def test_a_dispatcher_that_does_not_adopt_sends_only_its_own_batches(scene: Scene) -> None:
    at, server = scene.make_setup()
    at.record(plan_of(2), owner="ended")
    at.record(plan_of(2), owner="")
    mine = at.record(plan_of(3))
    scene.started(at, adopts=False)
    at.over(mine)
    time.sleep(0.2)
    assert len(server.received) == 3
    assert read_running_console(at.settings.data) is None


def test_a_recording_whose_process_has_ended_is_stopped_and_its_rest_is_not_called_sent(scene: Scene) -> None:
    at, server = scene.make_setup()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording, "write_recording_stop", lambda *_: None)  # a killed process writes nothing more
        with pytest.raises(Killed):
            record_and_die(at, owner="ended")
    (found,) = at.history.queue.unfinished()
    assert (found.state, found.recorder) == (BatchState.SENDING, "ended")
    scene.started(at)
    at.until(lambda: at.state(found.id) is BatchState.STOPPED)
    stopped = at.history.queries.batch(found.id)
    assert stopped.reason == "20 of 30 events are recorded; what was recorded may have been sent."
    assert not server.received


def test_what_is_recorded_is_sent_while_the_rest_is_recorded(scene: Scene) -> None:
    at, server = scene.make_setup()
    dispatcher = scene.started(at)
    plan = plan_of(30)

    def slow() -> Iterator[RequestBlock]:
        for number, block in enumerate(plan.iter_blocks(1)):
            if number == 20:
                at.until(lambda: len(server.received) >= 19)
                (going,) = at.history.queue.unfinished()
                assert at.state(going.id) is BatchState.SENDING
                assert at.history.queries.batch(going.id).unrecorded > 0
            yield RequestBlock.from_plan(block)

    intent = make_batch_intent(plan, at.target, owner=dispatcher.owner)
    batch = recording.Recorder(at.history.database, 1).record(intent, slow(), on_progress=wake_once(dispatcher))
    at.over(batch)
    found = at.history.queries.batch(batch)
    assert (found.state, found.unrecorded, found.events) == (BatchState.DONE, 0, {RequestState.ACCEPTED: 30})


def test_a_half_recorded_batch_that_is_resumed_sends_what_there_is_and_is_never_done(scene: Scene) -> None:
    at, server = scene.make_setup()
    with pytest.raises(Killed):
        record_and_die(at, owner="me")
    (found,) = at.history.queue.unfinished()
    assert found.state is BatchState.STOPPED
    dispatcher = scene.started(at)
    dispatcher.resume(found.id)
    at.until(lambda: at.state(found.id) is BatchState.STOPPED and len(server.received) == 20)
    stopped = at.history.queries.batch(found.id)
    assert stopped.events == {RequestState.ACCEPTED: 20}
    assert stopped.reason.startswith(
        "20 of 30 events are recorded; what was recorded may have been sent. Send the same"
    )


class Killed(BaseException):
    """The end of a process."""


def record_and_die(at: Setup, owner: str) -> None:
    plan = plan_of(30)

    def until_death() -> Iterator[RequestBlock]:
        for number, block in enumerate(plan.iter_blocks(1)):
            if number > 20:
                raise Killed
            yield RequestBlock.from_plan(block)

    recorder = recording.Recorder(at.history.database, 1)
    recorder.record(make_batch_intent(plan, at.target, owner=owner), until_death())


@pytest.mark.sqlite_only("with a server leases tell who is alive, not locks")
def test_the_console_is_known_by_its_lock(scene: Scene) -> None:
    at, _ = scene.make_setup()
    dispatcher = scene.started(at, url="http://127.0.0.1:8501")
    at.until(lambda: read_running_console(at.settings.data))
    assert read_running_console(at.settings.data) == {
        "pid": os.getpid(),
        "url": "http://127.0.0.1:8501",
        "owner": "me",
    }
    second = scene.started(at, owner="second")
    dispatcher.stop()
    at.until(lambda: (read_running_console(at.settings.data) or {}).get("owner") == "second")
    second.stop()
    assert read_running_console(at.settings.data) is None
    assert list((at.settings.data / OWNER_LOCKS_FOLDER).iterdir()) == []


@pytest.mark.sqlite_only("with a server leases tell who is alive, not locks")
def test_a_lock_that_another_console_holds_keeps_nothing_waiting(scene: Scene) -> None:
    at, _ = scene.make_setup()
    other = acquire_lock(at.settings.data / CONSOLE_LOCK_NAME)
    assert other
    dispatcher = scene.started(at, poll_seconds=0.02)
    loop = dispatcher._loop
    assert loop
    began, turns = time.monotonic(), 0
    while time.monotonic() < began + 1.5:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result()
        turns += 1
        time.sleep(0.01)
    assert turns > 8  # a loop that waits half a second for the lock at every look turns three times
    other.release()
    at.until(lambda: (read_running_console(at.settings.data) or {}).get("owner") == "me")


def test_an_owners_name_is_one_process(scene: Scene) -> None:
    at, _ = scene.make_setup()
    dispatcher = scene.started(at)
    dispatcher.start()
    with pytest.raises(HistoryUnavailable, match="already sends as me"):
        at.dispatcher().start()


def test_locks_of_ended_processes_are_removed_and_of_living_ones_kept(tmp_path: Path) -> None:
    gone = locate_owner_lock(tmp_path, "gone")
    gone.parent.mkdir(parents=True)
    gone.write_text("{}")
    lock = acquire_lock(locate_owner_lock(tmp_path, "alive"), {"pid": 1})
    assert lock
    remove_stale_locks(tmp_path)
    assert not gone.exists()
    assert is_owner_alive(tmp_path, "alive")
    assert acquire_lock(locate_owner_lock(tmp_path, "alive")) is None
    assert not is_owner_alive(tmp_path, "gone")
    assert not is_owner_alive(tmp_path, "")
    assert not is_owner_alive(tmp_path, "../owners/alive")
    lock.release()
    lock.release()
    assert not is_owner_alive(tmp_path, "alive")


def test_a_lock_whose_file_was_removed_meanwhile_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.lock"
    real = try_lock
    removed: list[bool] = []

    def try_(descriptor: int, *, shared: bool = False) -> bool:
        if not removed:
            path.unlink()
            removed.append(True)
        return real(descriptor, shared=shared)

    monkeypatch.setattr(locks, "try_lock", try_)
    lock = acquire_lock(path, {"a": 1})
    assert lock
    assert json.loads(path.read_text()) == {"a": 1}
    lock.release()


def test_a_console_whose_lock_file_is_empty_is_a_console_all_the_same(tmp_path: Path) -> None:
    lock = acquire_lock(tmp_path / CONSOLE_LOCK_NAME)
    assert lock
    (tmp_path / CONSOLE_LOCK_NAME).write_text("{")
    assert read_running_console(tmp_path) == {}
    (tmp_path / CONSOLE_LOCK_NAME).write_text("[]")
    assert read_running_console(tmp_path) == {}
    lock.release()


def test_a_folder_that_cannot_be_locked_is_an_error_with_a_sentence(tmp_path: Path) -> None:
    at = make_setup(tmp_path / "here", "http://127.0.0.1:1")
    (tmp_path / "file").write_text("")
    found = Dispatcher(
        at.history, SendingEnvironment(replace(at.settings, data=tmp_path / "file"), lambda _: at.target)
    )
    with pytest.raises(HistoryUnavailable, match="cannot be written"):
        found.start()
    found.stop()
    found.wake()
    at.history.close()


# ── history away ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.sqlite_only("another program locks SQLite's file, or takes it away")
def test_while_history_is_locked_nothing_is_sent_with_the_reason_and_then_it_goes_on(scene: Scene) -> None:
    at, server = scene.make_setup(pause=0.02)
    batch = at.record(plan_of(60, persons=4))
    dispatcher = scene.started(at)
    at.until(lambda: len(server.received) > 8)
    assert dispatcher.progress(batch).counts
    thief = sqlite3.connect(at.settings.data / "history.sqlite3", isolation_level=None)
    thief.execute("BEGIN EXCLUSIVE")
    at.until(lambda: "is locked" in dispatcher.progress(batch).reason)
    left = len(server.received)
    until = time.monotonic() + 0.5  # history is read well all the while, and looked at every 0.05 s
    while time.monotonic() < until:
        reason = dispatcher.progress(batch).reason
        assert "is locked" in reason
        assert "Nothing is sent until it returns" in reason
        time.sleep(0.01)
    assert len(server.received) == left < 60
    thief.execute("ROLLBACK")
    thief.close()
    assert at.over(batch).events == {RequestState.ACCEPTED: 60}
    assert dispatcher.progress(batch).reason == ""
    assert sorted(got(server)) == sorted(f"e{n}" for n in range(60))


@pytest.mark.sqlite_only("another program locks SQLite's file, or takes it away")
def test_while_history_is_gone_progress_is_the_last_one(scene: Scene) -> None:
    at, _ = scene.make_setup(pause=0.02)
    batch = at.record(plan_of(30))
    dispatcher = scene.started(at)
    seen = dispatcher.progress(batch)
    file = at.settings.data / "history.sqlite3"
    file.rename(file.with_suffix(".away"))
    at.until(lambda: "is gone" in dispatcher.progress(batch).reason)
    assert dispatcher.progress(batch).state is seen.state
    with pytest.raises(HistoryUnavailable):
        dispatcher.progress("b_other")
    file.with_suffix(".away").rename(file)
    assert at.over(batch).events == {RequestState.ACCEPTED: 30}


@pytest.mark.sqlite_only("another program locks SQLite's file, or takes it away")
def test_progress_is_cached_only_for_the_batches_asked_for_last(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_CACHED_PROGRESS", 2)
    at, _ = scene.make_setup()
    dispatcher = at.dispatcher()
    batches = [at.record(plan_of(1)) for _ in range(3)]
    for batch in (batches[0], batches[1], batches[0], batches[2]):
        dispatcher.progress(batch)
    file = at.settings.data / "history.sqlite3"
    file.rename(file.with_suffix(".away"))
    assert "is gone" in dispatcher.progress(batches[0]).reason
    assert "is gone" in dispatcher.progress(batches[2]).reason
    with pytest.raises(HistoryUnavailable):
        dispatcher.progress(batches[1])


@pytest.mark.sqlite_only("another program locks SQLite's file, or takes it away")
@pytest.mark.long
def test_a_process_that_ends_while_history_is_unavailable_does_not_wait_forever(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    at, server = scene.make_setup(pause=0.02)
    batch = at.record(plan_of(30))
    dispatcher = scene.started(at)
    at.until(lambda: server.received)
    thief = sqlite3.connect(at.settings.data / "history.sqlite3", isolation_level=None)
    thief.execute("BEGIN EXCLUSIVE")
    at.until(lambda: dispatcher._writer.trouble)
    began = time.monotonic()
    with caplog.at_level(logging.ERROR):
        dispatcher.stop(0.2)
    assert time.monotonic() - began < 60
    thief.execute("ROLLBACK")
    thief.close()
    again = scene.started(at, owner="next")
    del again
    at.over(batch)
    unknown = at.counts(batch).get("unknown", 0)
    assert unknown <= 1
    assert len(set(got(server))) == len(got(server))


@pytest.mark.sqlite_only("another program locks SQLite's file, or takes it away")
def test_a_process_that_ends_while_history_is_locked_logs_what_it_could_not_write(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    at, server = scene.make_setup(pause=0.5)
    batch = at.record(plan_of(64, persons=16, per_request=1))
    dispatcher = scene.started(at)
    at.until(lambda: len(server.received) == 16)  # every lane waits for its response
    thief = sqlite3.connect(at.settings.data / "history.sqlite3", isolation_level=None)
    thief.execute("BEGIN IMMEDIATE")
    at.until(lambda: dispatcher.status.unwritten == 16)  # all that has come is counted, not what is tried just now
    with caplog.at_level(logging.ERROR):
        dispatcher.stop(0.2)
    assert thief.in_transaction  # the end did not wait for the lock
    (logged,) = (record for record in caplog.records if record.getMessage() == "history is unavailable at the end")
    assert vars(logged)["facts"] == {"unwritten": 16}
    thief.execute("ROLLBACK")
    thief.close()
    scene.started(at, owner="next")
    at.until(lambda: at.counts(batch).get("unknown") == 16)  # their responses are not waited for any more
    assert len(set(got(server))) == len(got(server)) == 16


def test_a_transition_that_cannot_be_written_does_not_keep_others_from_being_written(scene: Scene) -> None:
    at, _ = scene.make_setup()
    batch = at.record(plan_of(2, persons=2))
    works = [work for lane in at.history.queue.lanes(batch) for work in at.history.queue.take(batch, lane.lane, 5)]

    async def both() -> list[object]:
        writer = HistoryWriter(at.history, "me")
        wrong: Json = object()
        found = await asyncio.gather(
            writer.write([wrong]), *(writer.write([AttemptStart(work.id)]) for work in works), return_exceptions=True
        )
        writer.close()
        return list(found)

    wrong, *good = asyncio.run(both())
    assert isinstance(wrong, AttributeError)
    assert good == [frozenset()] * len(works)


# ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stopping_process_waits_for_responses_and_writes_every_outcome(scene: Scene) -> None:
    at, server = scene.make_setup(pause=0.1)
    batch = at.record(plan_of(100, persons=8))
    dispatcher = scene.started(at)
    at.until(lambda: len(server.received) > 8)
    dispatcher.stop(5)
    assert at.counts(batch) == {"accepted": len(server.received), "pending": 100 - len(server.received)}
    assert at.state(batch) is BatchState.SENDING
    scene.started(at, owner="next")
    assert at.over(batch).events == {RequestState.ACCEPTED: 100}
    assert sorted(got(server)) == sorted(f"e{n}" for n in range(100))


def test_a_response_that_does_not_come_before_the_end_is_unknown(scene: Scene) -> None:
    at, server = scene.make_setup(lambda _: SILENCE, read_seconds=60)
    batch = at.record(plan_of(3), Policy.STOP)
    dispatcher = scene.started(at)
    at.until(lambda: server.received)
    began = time.monotonic()
    dispatcher.stop(0.1)
    assert time.monotonic() - began < 30
    assert at.counts(batch) == {"unknown": 1, "pending": 2}
    (unknown,) = at.history.queries.requests(batch, RequestState.UNKNOWN).items
    (attempt,) = at.history.queries.request(unknown.id).attempts
    assert attempt.reason == "The console was stopped before the response came. The events may have arrived."


def test_who_stops_waiting_has_an_unknown_outcome_at_once_and_nothing_is_sent_again(scene: Scene) -> None:
    at, server = scene.make_setup(lambda _: SILENCE, read_seconds=60)
    batch = at.record(plan_of(3), Policy.RESEND)
    dispatcher = scene.started(at)
    at.until(lambda: server.received)
    began = time.monotonic()
    dispatcher.stop_waiting(batch)
    at.until(lambda: at.history.queries.batch(batch).is_final)
    assert time.monotonic() - began < 30
    assert at.counts(batch) == {"unknown": 1, "cancelled": 2}
    (unknown,) = at.history.queries.requests(batch, RequestState.UNKNOWN).items
    assert unknown.reason == "A person stopped waiting for the response. The events may have arrived."
    with pytest.raises(NotAllowed):
        dispatcher.stop_waiting(batch)
    assert len(server.received) == 1


def test_a_batch_to_a_sandbox_knows_what_was_processed_also_of_requests_whose_first_response_never_came(
    tmp_path: Path, console_database: str
) -> None:
    with sandbox.run_sandbox(tmp_path / "sandbox.sqlite3") as url:
        at = make_setup(tmp_path, url, database=console_database)
        with SandboxClient(at.target) as client:
            client.replace_faults(
                FaultDocument.model_validate({"faults": [{"fault": "cut", "stored": True, "times": 4}]})
            )
        repeated = plan_of(10, persons=10, per_request=1)
        first = send_plan(repeated, at.target, history=at.history, settings=at.settings, policy=Policy.RESEND)
        assert (first.processed, first.ignored, first.unjudged) == (10, 0, 0)
        again = send_plan(repeated, at.target, history=at.history, settings=at.settings, policy=Policy.RESEND)
        assert (again.processed, again.ignored, again.repeated) == (0, 10, 10)
        at.history.close()


def test_unknown_events_of_any_number_are_asked_about_at_a_sandbox_and_count_once_when_they_are_tried_again(
    tmp_path: Path, console_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrival_questions, "PAGE_REQUESTS", 5)
    with sandbox.run_sandbox(tmp_path / "sandbox.sqlite3") as url:
        at = make_setup(tmp_path, url, database=console_database)
        cuts = {"faults": [{"fault": "cut", "stored": True, "times": 12}]}
        with SandboxClient(at.target) as client:
            client.replace_faults(FaultDocument.model_validate(cuts))
        plan = plan_of(32, persons=16, per_request=1)
        first = send_plan(plan, at.target, history=at.history, settings=at.settings, policy=Policy.STOP)
        assert first.events == {RequestState.UNKNOWN: 12, RequestState.PENDING: 12, RequestState.ACCEPTED: 8}
        assert first.get_verdict(RequestState.UNKNOWN) == VerdictCounts(processed=12)
        assert first.get_verdict(RequestState.ACCEPTED) == VerdictCounts(processed=8)
        dispatcher = at.dispatcher(owner=first.owner)
        dispatcher.start()
        try:
            dispatcher.resume(first.id, retry_states=(RequestState.UNKNOWN,))
            at.until(lambda: at.history.queries.batch(first.id).is_final)
        finally:
            dispatcher.stop()
        after = at.history.queries.batch(first.id)
        assert after.events == {RequestState.ACCEPTED: 32}
        assert after.verdicts[RequestState.ACCEPTED] == VerdictCounts(processed=32)
        assert (after.processed, after.ignored, after.unjudged) == (32, 0, 0)
        at.history.close()


def test_events_that_are_unknown_and_did_not_arrive_are_not_counted_as_processed(
    tmp_path: Path, console_database: str
) -> None:
    with sandbox.run_sandbox(tmp_path / "sandbox.sqlite3") as url:
        at = make_setup(tmp_path, url, database=console_database)
        cuts = {"faults": [{"fault": "cut", "stored": False, "times": 3}]}
        with SandboxClient(at.target) as client:
            client.replace_faults(FaultDocument.model_validate(cuts))
        sent = send_plan(plan_of(5, persons=5), at.target, history=at.history, settings=at.settings, policy=Policy.STOP)
        assert sent.events == {RequestState.UNKNOWN: 3, RequestState.ACCEPTED: 2}
        assert (sent.processed, sent.ignored) == (2, 0)
        again = send_plan(plan_of(5, persons=5), at.target, history=at.history, settings=at.settings)
        assert (again.processed, again.ignored, again.repeated) == (3, 2, 2)
        assert at.history.queries.batch(sent.id).processed == 2  # what another batch brought is none of this one's
        assert at.history.throughput.unjudged(sent.id, 10)[0].is_shared
        at.history.close()


def test_a_stop_does_not_wait_for_a_retry(scene: Scene) -> None:
    at, server = scene.make_setup(lambda _: http(503), backoff_seconds=30, backoff_limit_seconds=60)
    batch = at.record(plan_of(2))
    dispatcher = scene.started(at)
    at.until(lambda: at.outcomes(batch)[0])
    began = time.monotonic()
    dispatcher.stop()
    assert time.monotonic() - began < 12
    assert at.counts(batch) == {"pending": 2}
    assert len(server.received) == 1
    dispatcher.stop()
