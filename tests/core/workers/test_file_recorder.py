"""A large file is recorded by a process of its own: as here, with errors of the same kind, and stopped if killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Semaphore

import pytest

from intempt_core.contract import now_ms
from intempt_core.dispatch import stop_abandoned_recordings
from intempt_core.errors import HistoryUnavailable, NotAllowed, ReadError, SentBefore
from intempt_core.history import BatchIntent, BatchState, History, RequestState, make_batch_id, make_request_blocks
from intempt_core.mapping import choose_initial_mapping
from intempt_core.planning import EventOrder, Plan
from intempt_core.settings import PROJECT_FOLDER, Settings
from intempt_core.validation import CatalogueFolder
from intempt_core.workers import CheckFile, FileContext, FileRecorder, PlanFile, ReadFile, RecordPlan, ResultStore
from intempt_core.workers.messages import TaskReply
from intempt_core.workers.worker_process import WorkerProcess
from tests.child_processes import find_child
from tests.core.history.factories import ME, SHOP, intent, request
from tests.core.workers.odd_tasks import OddTask, wait_until_gone
from tests.pages.upload_steps import csv_of, good_rows

MANY = 60_000

CONSOLE = """
import sys, time
from pathlib import Path
from tests.core.workers.test_file_recorder import MANY, Scene, good_rows

at = Scene(Path(sys.argv[1]))
task = at.plan(good_rows(MANY))
print(at.record(task, at.intent(task)), flush=True)
time.sleep(60)
"""
"""A process that records a file as a console does."""


class Scene:
    """A data folder with its history, results that all lie on disk, and the recordings of a console."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.woken = folder, 0
        self.settings = Settings(data=folder)
        self.history = History.open(self.settings.history_url, busy_seconds=10)
        catalogues = CatalogueFolder(self.settings.catalogues_folder)
        context = FileContext(self.settings, lambda: self.history, catalogues)
        self.results = ResultStore(context, folder, is_tab_open=lambda _: True, small_bytes=0)
        self.recorder = FileRecorder(self.history, self.wake)

    def wake(self) -> None:
        self.woken += 1

    def plan(self, rows: list[str]) -> PlanFile:
        path = self.folder / "events.csv"
        path.write_bytes(csv_of(*rows))
        read = ReadFile(path, "digest", path.name)
        mapping = choose_initial_mapping(self.results.fetch(read, "tab")).to_json()
        return PlanFile(CheckFile(read, mapping, None, SHOP.key, ""), False, False, EventOrder.FILE)

    def intent(self, task: PlanFile, **given: object) -> BatchIntent:
        plan: Plan = self.results.fetch(task, "tab")
        known = {"owner": ME, "digest": "digest", "persons": plan.persons, "lanes": plan.lanes, "events": plan.events}
        return intent(**{**known, **given}, id=make_batch_id(now_ms()))

    def start(self, task: PlanFile, meant: BatchIntent) -> WorkerProcess:
        process = self.results.start_process(RecordPlan(task, meant), "tab", 0)
        assert process is not None
        return process

    def record(self, task: PlanFile, meant: BatchIntent) -> str:
        return self.recorder.record(meant, self.start(task, meant))

    def until(self, is_so: Callable[[], bool]) -> None:
        until = time.monotonic() + 30
        while not is_so():
            assert time.monotonic() < until
            time.sleep(0.02)

    def locked(self) -> sqlite3.Connection:
        """Nobody else writes to history until this connection is closed."""
        other = sqlite3.connect(self.settings.data / "history.sqlite3", isolation_level=None, timeout=30)
        other.execute("BEGIN IMMEDIATE")
        return other


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.recorder.stop()
    scene.results.stop()
    scene.history.close()


def test_a_process_records_what_this_one_would_and_the_batch_is_found_under_its_id(at: Scene) -> None:
    rows = good_rows(2_000)
    rows[7] = rows[7].replace("SKU_8", "")
    task = at.plan(rows)
    meant = at.intent(task, rows=2_000)
    assert at.record(task, meant) == meant.id
    at.until(lambda: at.history.queries.batch(meant.id).unrecorded == 0)
    checked = at.results.fetch(task.checked, "tab")
    blocks = make_request_blocks(at.results.fetch(task, "tab"))
    here = at.history.recorder.record(replace(meant, id="", digest="another"), blocks, checked.excluded_records())
    found, expected = at.history.queries.batch(meant.id), at.history.queries.batch(here)
    assert (found.events, found.requests, found.excluded_rows) == ({RequestState.PENDING: 1_999}, expected.requests, 1)
    assert (found.recorder, found.state, found.owner) == ("", BatchState.SENDING, ME)
    of_both = [list(at.history.outcomes.request_intents(id_, [RequestState.PENDING])) for id_ in (meant.id, here)]
    assert [replace(one, resend_of=None) for one in of_both[0]] == [replace(one, resend_of=None) for one in of_both[1]]
    assert at.woken


@pytest.mark.long  # tests/pages/test_upload.py records so
def test_what_is_in_this_process_is_recorded_by_it(at: Scene) -> None:
    task = at.plan(good_rows(3))
    context = FileContext(at.settings, lambda: at.history, CatalogueFolder(at.settings.catalogues_folder))
    small = ResultStore(context, at.folder, is_tab_open=lambda _: True)
    assert small.start_process(RecordPlan(task, at.intent(task)), "tab", 0) is None


@pytest.mark.long
def test_the_same_file_that_was_sent_meanwhile_is_told_with_its_batches_and_nothing_is_recorded(at: Scene) -> None:
    task = at.plan(good_rows(50))
    seen = at.history.repeats.checkpoint(SHOP.key)
    other = at.history.recorder.record(intent(digest="digest", owner=ME), [request(1, 1, [])])
    with pytest.raises(SentBefore, match="Since the plan was made, this went") as caught:
        at.record(task, at.intent(task, seen=seen))
    assert (list(caught.value.batches), caught.value.stopped) == ([other], "")
    assert at.history.queries.batches().total == 1


@pytest.mark.long
def test_a_half_recorded_batch_that_goes_on_is_not_superseded(at: Scene) -> None:
    task = at.plan(good_rows(50))
    going = at.history.recorder.record(intent(owner=ME), [request(1, 1, [])])
    with pytest.raises(NotAllowed, match="half recorded goes on by now") as caught:
        at.record(task, at.intent(task, supersedes=(1,)))
    assert type(caught.value) is NotAllowed
    assert [one.id for one in at.history.queries.batches().items] == [going]


@pytest.mark.long
def test_history_that_is_locked_is_history_unavailable_and_nothing_is_recorded(at: Scene) -> None:
    task = at.plan(good_rows(50))
    meant = at.intent(task)
    with closing(at.locked()), pytest.raises(HistoryUnavailable):
        at.record(task, meant)
    assert not at.history.queue.has_batch(meant.id)


def test_a_process_that_is_killed_before_it_has_recorded_anything_is_a_read_error(at: Scene, tmp_path: Path) -> None:
    died = WorkerProcess(OddTask("die", tmp_path, "die"), [], at.settings, tmp_path, Semaphore(1))
    with pytest.raises(ReadError, match="was ended by SIGKILL"):
        at.recorder.record(intent(owner=ME, id="b_1"), died)


@pytest.mark.long
def test_killed_while_it_records_the_batch_is_stopped_and_says_how_far_it_is(at: Scene) -> None:
    task = at.plan(good_rows(MANY))
    batch = at.record(task, at.intent(task))
    with closing(at.locked()):
        going = at.history.queries.batch(batch)
        assert (going.state, going.recorder, going.planned) == (BatchState.SENDING, ME, MANY)
        assert 0 < going.total < MANY
        process = find_child(os.getpid(), "workers.child")
        os.kill(process, signal.SIGKILL)
        wait_until_gone(process)
    at.until(lambda: at.history.queries.batch(batch).state is BatchState.STOPPED)
    found = at.history.queries.batch(batch)
    assert found.reason == f"{found.total:,} of {MANY:,} events are recorded; what was recorded may have been sent."
    assert (found.is_half_recorded, found.planned) == (True, MANY)
    assert at.history.repeats.half_recorded("digest", SHOP.key) == {batch: 1}


@pytest.mark.long
def test_where_the_console_is_killed_the_recording_ends_with_it_and_the_next_start_stops_the_batch(at: Scene) -> None:
    command = [sys.executable, "-c", CONSOLE, str(at.folder)]
    with subprocess.Popen(command, cwd=PROJECT_FOLDER, stdout=subprocess.PIPE, text=True) as console:
        assert console.stdout is not None
        batch = console.stdout.readline().strip()
        with closing(at.locked()):
            recording = find_child(console.pid, "workers.child")
            console.kill()
            wait_until_gone(recording)
    going = at.history.queries.batch(batch)
    assert (going.state, going.recorder) == (BatchState.SENDING, ME)
    assert 0 < going.total < MANY
    stop_abandoned_recordings(at.history, at.folder)
    found = at.history.queries.batch(batch)
    assert (found.state, found.is_half_recorded, found.planned) == (BatchState.STOPPED, True, MANY)


@pytest.mark.long
def test_a_console_that_ends_stops_what_it_still_records(at: Scene) -> None:
    task = at.plan(good_rows(MANY))
    batch = at.record(task, at.intent(task))
    at.recorder.stop()
    found = at.history.queries.batch(batch)
    assert (found.state, found.is_half_recorded) == (BatchState.STOPPED, True)


@pytest.mark.long
def test_cancelled_while_it_is_recorded_it_stays_cancelled_and_paused_the_rest_is_recorded(at: Scene) -> None:
    task = at.plan(good_rows(MANY))
    batch = at.record(task, at.intent(task))
    at.history.control.set_state(batch, BatchState.CANCELLED, "A person cancelled it.")
    paused = at.record(task, at.intent(task))
    at.history.control.set_state(paused, BatchState.PAUSED, "A person paused it.")
    at.until(lambda: not at.recorder.is_recording)
    found = at.history.queries.batch(batch)
    assert (found.state, found.reason) == (BatchState.CANCELLED, "A person cancelled it.")
    assert set(found.events) == {RequestState.CANCELLED}
    waiting = at.history.queries.batch(paused)
    assert (waiting.state, waiting.events) == (BatchState.PAUSED, {RequestState.PENDING: MANY})


@pytest.mark.parametrize(
    "error",
    [ReadError("a", line=7), SentBefore("b", {"b_1": 1}, stopped="b_2"), NotAllowed("c"), HistoryUnavailable("d")],
)
def test_an_error_keeps_its_kind_and_what_it_holds(error: ReadError) -> None:
    rebuilt = TaskReply.from_error(error).rebuild_error()
    assert (type(rebuilt), str(rebuilt), vars(rebuilt)) == (type(error), str(error), vars(error))
