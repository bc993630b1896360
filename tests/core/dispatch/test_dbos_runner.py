"""The durable engine resumes what was interrupted, stores nothing else, and may be unavailable or lost."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from intempt_core.dispatch import batch_runner as batches
from intempt_core.dispatch import dbos_runner as durable
from intempt_core.dispatch.dbos_runner import CHUNK_SENDERS, DbosRunner, run_chunk_step
from intempt_core.dispatch.process_locks import is_owner_alive, read_running_console
from intempt_core.errors import EngineUnavailable
from intempt_core.history import BatchState, RequestState
from intempt_core.planning.plan import Policy
from tests.core.dispatch.factories import Scene, Setup, got, plan_of, workflows
from tests.core.transport.fault_server import http

pytestmark = pytest.mark.sqlite_only("it looks into the engine's file")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as opened:
        yield Scene(tmp_path, opened, durable=True)


def engine_of(at: Setup) -> sqlite3.Connection:
    return sqlite3.connect(at.settings.data / "engine.sqlite3", isolation_level=None)


def leave_open(at: Setup, executor: str, version: str = "1") -> None:
    """Make the engine's workflows look as if their process had died in the middle of the last chunk."""
    with closing(engine_of(at)) as opened:
        opened.execute("DELETE FROM operation_outputs")
        opened.execute(
            "UPDATE workflow_status"
            " SET status = 'PENDING', executor_id = ?, application_version = ?, completed_at = NULL",
            (executor, version),
        )


def test_a_batch_is_one_workflow_for_each_group_of_lanes(scene: Scene) -> None:
    at, server = scene.make_setup(lanes_at_once=4)
    batch = at.record(plan_of(60, persons=20))
    scene.started(at)
    assert at.over(batch).events == {RequestState.ACCEPTED: 60}
    at.until(lambda: workflows(at) == [("me", "SUCCESS")] * 4)
    for person in range(20):
        assert [n for n in got(server) if int(n[1:]) % 20 == person] == [f"e{n}" for n in range(person, 60, 20)]


def test_a_group_goes_on_chunk_by_chunk_and_each_chunk_is_a_step(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "CHUNK_REQUESTS", 10)
    monkeypatch.setattr(batches, "TURN_REQUESTS", 4)
    at, server = scene.make_setup(lanes_at_once=2)
    batch = at.record(plan_of(120, persons=6))
    scene.started(at)
    assert at.over(batch).events == {RequestState.ACCEPTED: 120}
    at.until(lambda: workflows(at) == [("me", "SUCCESS")] * 2)
    with closing(engine_of(at)) as opened:
        (steps,) = opened.execute("SELECT count(*) FROM operation_outputs WHERE function_name = 'chunk'").fetchone()
    assert steps >= 8
    for person in range(6):
        assert [n for n in got(server) if int(n[1:]) % 6 == person] == [f"e{n}" for n in range(person, 120, 6)]


def test_an_unavailable_engine_is_waited_for(scene: Scene) -> None:
    at, server = scene.make_setup()
    dispatcher = scene.started(at)
    with closing(engine_of(at)) as opened:
        opened.execute("ALTER TABLE workflow_status RENAME TO away")
        batch = at.record(plan_of(8, persons=2))
        dispatcher.wake()
        at.until(lambda: "The engine cannot go on" in dispatcher.progress(batch).reason)
        assert not server.received
        opened.execute("ALTER TABLE away RENAME TO workflow_status")
    assert at.over(batch).events == {RequestState.ACCEPTED: 8}


def test_neither_an_event_nor_a_key_comes_into_the_engines_database(scene: Scene) -> None:
    at, _ = scene.make_setup(lambda _: http(503), tries=2)
    batch = at.record(plan_of(3), Policy.GO_ON)
    scene.started(at).wake()
    at.over(batch)
    written = b"".join(path.read_bytes() for path in at.settings.data.glob("engine.sqlite3*"))
    assert batch.encode() in written
    assert at.target.credential
    for secret in (b"eventId", b'"e1"', at.target.credential.authorization.encode()):
        assert secret not in written


def test_pausing_ends_the_workflows_and_resuming_starts_new_ones(scene: Scene) -> None:
    at, server = scene.make_setup(pause=0.02)
    batch = at.record(plan_of(60, persons=2))
    dispatcher = scene.started(at)
    at.until(lambda: len(server.received) > 6)
    dispatcher.pause(batch)
    at.until(lambda: workflows(at) == [("me", "SUCCESS")] * 2)
    left = len(server.received)
    assert left < 60
    dispatcher.resume(batch)
    assert at.over(batch).state is BatchState.DONE
    assert len(workflows(at)) == 4
    assert sorted(got(server)) == sorted(f"e{n}" for n in range(60))


def test_workflows_of_a_dead_executor_are_resumed_by_the_process_that_claimed_the_batch(scene: Scene) -> None:
    at, server = scene.make_setup(pause=0.01)
    batch = at.record(plan_of(60, persons=3), owner="dead")
    first = scene.started(at, owner="dead")
    at.until(lambda: len(server.received) > 10)
    first.stop(5)
    leave_open(at, "dead")
    scene.started(at, owner="heir")
    assert at.over(batch).events == {RequestState.ACCEPTED: 60}
    at.until(lambda: workflows(at) == [("heir", "SUCCESS")] * 3)
    assert sorted(got(server)) == sorted(f"e{n}" for n in range(60))


def test_workflows_of_another_version_are_cancelled_and_the_lanes_get_new_ones(scene: Scene) -> None:
    at, server = scene.make_setup(pause=0.01)
    batch = at.record(plan_of(40, persons=2), owner="dead")
    first = scene.started(at, owner="dead")
    at.until(lambda: len(server.received) > 6)
    first.stop(5)
    leave_open(at, "dead", version="0")
    scene.started(at, owner="heir")
    assert at.over(batch).events == {RequestState.ACCEPTED: 40}
    at.until(lambda: workflows(at) == [("dead", "CANCELLED")] * 2 + [("heir", "SUCCESS")] * 2)
    assert sorted(got(server)) == sorted(f"e{n}" for n in range(40))


def test_an_engine_whose_file_is_lost_loses_nothing(scene: Scene) -> None:
    at, server = scene.make_setup(pause=0.01)
    batch = at.record(plan_of(40, persons=2), owner="first")
    first = scene.started(at, owner="first")
    at.until(lambda: len(server.received) > 6)
    first.stop(5)
    for path in at.settings.data.glob("engine.sqlite3*"):
        path.unlink()
    scene.started(at, owner="second")
    assert at.over(batch).events == {RequestState.ACCEPTED: 40}
    assert sorted(got(server)) == sorted(f"e{n}" for n in range(40))


def test_while_the_engines_database_is_locked_nothing_is_sent_with_the_reason_and_then_it_goes_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "ENGINE_BUSY_SECONDS", 0.1)
    at, server = scene.make_setup()
    dispatcher = scene.started(at)
    with closing(engine_of(at)) as thief:
        thief.execute("BEGIN EXCLUSIVE")
        batch = at.record(plan_of(20, persons=4))
        dispatcher.wake()
        at.until(lambda: "is held by another program" in dispatcher.progress(batch).reason)
        assert not server.received
        thief.execute("ROLLBACK")
    assert at.over(batch).events == {RequestState.ACCEPTED: 20}
    assert dispatcher.progress(batch).reason == ""
    assert sorted(got(server)) == sorted(f"e{n}" for n in range(20))


def test_an_engine_locked_in_the_middle_of_a_chunk_doubles_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "ENGINE_BUSY_SECONDS", 0.1)
    at, server = scene.make_setup(pause=0.01)
    batch = at.record(plan_of(60, persons=3))
    dispatcher = scene.started(at)
    at.until(lambda: len(server.received) > 6)
    with closing(engine_of(at)) as thief:
        thief.execute("BEGIN EXCLUSIVE")
        at.until(lambda: at.counts(batch) == {"accepted": 60})  # the chunk ends; that it has cannot be written
        time.sleep(0.3)
        thief.execute("ROLLBACK")
    assert at.over(batch).state is BatchState.DONE
    at.until(lambda: dispatcher.progress(batch).reason == "")  # the workflow ends a moment after the batch
    assert sorted(got(server)) == sorted(f"e{n}" for n in range(60))


def test_an_engines_file_that_cannot_be_opened_is_an_error_at_the_start(scene: Scene) -> None:
    at, _ = scene.make_setup()
    at.settings.engine_file.mkdir()
    with pytest.raises(EngineUnavailable, match="may be moved away"):
        scene.started(at)
    assert not is_owner_alive(at.settings.data, "me")
    at.settings.engine_file.rmdir()
    batch = at.record(plan_of(1))
    scene.started(at)
    assert at.over(batch).state is BatchState.DONE


def test_beside_a_console_another_process_sends_without_the_engine_and_takes_it_when_it_is_free(scene: Scene) -> None:
    at, _ = scene.make_setup()
    first = scene.started(at)
    at.until(lambda: read_running_console(at.settings.data))
    scene.started(at, owner="second")
    batch = at.record(plan_of(2), owner="second")
    assert at.over(batch).state is BatchState.DONE
    assert workflows(at) == []
    first.stop()
    at.until(lambda: (read_running_console(at.settings.data) or {}).get("owner") == "second")
    batch = at.record(plan_of(2), owner="second")
    assert at.over(batch).state is BatchState.DONE
    at.until(lambda: workflows(at) == [("second", "SUCCESS")] * len(workflows(at)) and workflows(at))


def test_there_is_one_engine_in_a_process(scene: Scene) -> None:
    at, _ = scene.make_setup()
    scene.started(at)
    with pytest.raises(EngineUnavailable, match="in this process already"):
        asyncio.run(DbosRunner(at.settings.engine_url, "other").launch())


def test_a_step_of_a_batch_that_this_process_does_not_send_ends() -> None:
    assert not CHUNK_SENDERS
    assert asyncio.run(run_chunk_step("b_none", [1])) is False


def test_workflows_that_ended_a_week_ago_are_deleted_at_a_start(scene: Scene) -> None:
    at, _ = scene.make_setup()
    two = [at.record(plan_of(1)) for _ in range(2)]
    first = scene.started(at)
    for batch in two:
        at.over(batch)
    at.until(lambda: workflows(at) == [("me", "SUCCESS")] * 2)
    first.stop(5)
    with closing(engine_of(at)) as opened:
        opened.execute(
            "UPDATE workflow_status SET created_at = created_at - 800000000 WHERE workflow_uuid LIKE ?",
            (f"{two[0]}%",),
        )
    scene.started(at)
    assert len(workflows(at)) == 1


def test_a_process_that_ends_while_the_engine_is_locked_does_not_wait_for_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "ENGINE_BUSY_SECONDS", 0.2)
    at, server = scene.make_setup(pause=0.02)
    batch = at.record(plan_of(100, persons=4))
    dispatcher = scene.started(at)
    at.until(lambda: len(server.received) > 8)
    with closing(engine_of(at)) as thief:
        thief.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        dispatcher.stop(2)
        assert time.monotonic() - began < 60
        thief.execute("ROLLBACK")
    assert at.counts(batch) == {"accepted": len(server.received), "pending": 100 - len(server.received)}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("dbos-executor")]
