"""What the screens say while a batch is recorded, after its recording has stopped, and how its rest is uploaded."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import streamlit as st

from intempt_core.contract.outcome import Outcome
from intempt_core.errors import ConsoleError
from intempt_core.history import (
    AttemptEnd,
    AttemptStart,
    BatchState,
    BatchSummary,
    RequestIntent,
    RequestState,
    TargetSnapshot,
    make_batch_id,
)
from intempt_core.history.recorder import Recorder
from pages.parts.shared.services import get_services
from tests.core.history.factories import attempt, event, intent, request
from tests.pages.conftest import Screen
from tests.pages.tabs import tab_at
from tests.pages.upload_steps import Upload, csv_of, good_rows


def newest() -> BatchSummary:
    return get_services().history.queries.batches(size=1).items[0]


def wait_until_recorded(batch: str) -> BatchSummary:
    until = time.monotonic() + 30
    while get_services().history.queue.unrecorded(batch)[1]:
        assert time.monotonic() < until
        time.sleep(0.02)
    return get_services().history.queries.batch(batch)


@contextmanager
def recording(events: int, recorded: int) -> Iterator[str]:
    """A batch of so many events, of which some are recorded; the rest is at the end, unless it is cancelled."""
    history, at_pause, go_on = get_services().history, threading.Event(), threading.Event()
    batch = make_batch_id(0)

    def slow() -> Iterator[RequestIntent]:
        for number in range(1, events + 1):
            if number == recorded + 2:  # a piece is written when the next one is there
                at_pause.set()
                go_on.wait(20)
            yield request(1, number, [event(number)])

    def record() -> None:
        meant = intent(id=batch, owner=get_services().dispatcher.owner, events=events, rows=events, label="slow.csv")
        try:
            Recorder(history.database, 1).record(meant, slow())
        except ConsoleError:
            at_pause.set()

    thread = threading.Thread(target=record)
    thread.start()
    assert at_pause.wait(20)
    try:
        yield batch
    finally:
        go_on.set()
        thread.join(20)


# ── a large file ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.long  # tests/core/workers/test_file_recorder.py says the same of the process
def test_a_large_file_is_recorded_by_a_process_and_a_word_is_said_before_that(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []  # as it is said: AppTest forgets it when the screen is drawn once more by itself
    monkeypatch.setattr(st, "toast", lambda text, **_: said.append(text))
    get_services().results._small_bytes = 0
    rows = good_rows(3_000)
    rows[7] = rows[7].replace("SKU_8", "")
    upload.drop(csv_of(*rows)).press("upload-settle").press("upload-send")
    assert said == ["Recording 2,999 events: the first are sent at once."]
    assert "2,999 events · 2,999 users → Sandbox" in upload.texts
    found = wait_until_recorded(newest().id)
    assert (found.total, found.excluded_rows, found.state) == (2_999, 1, BatchState.SENDING)
    upload.run()
    assert "0 of 2,999 events · sending" in upload.texts
    assert get_services().history.queries.batches().total == 1


def test_a_small_file_is_recorded_at_once_and_says_nothing_before(upload: Upload) -> None:
    upload.drop(csv_of(*good_rows(3))).press("upload-settle").press("upload-send")
    assert not upload.app.toast
    assert newest().unrecorded == 0


@pytest.mark.long
def test_a_large_file_that_was_sent_meanwhile_is_not_sent_and_may_be_all_the_same(upload: Upload) -> None:
    get_services().results._small_bytes = 0
    upload.drop(csv_of(*good_rows(200))).press("upload-settle")
    digest = upload.app.session_state["console"].screen_states["UploadState"].digest
    target = get_services().targets["sandbox"]
    meant = intent(digest=digest, target=TargetSnapshot.from_target(target), owner="other")
    other = get_services().history.recorder.record(meant, [request(1, 1, [event(1)])])
    upload.press("upload-send")
    assert "Nothing was sent. Since the plan was made, this went or is going to sandbox: the same file" in upload.texts
    assert newest().id == other
    upload.press("upload-send-repeat")
    assert wait_until_recorded(newest().id).total == 200


# ── while a batch is recorded ────────────────────────────────────────────────────────────────────────────────────────


def read_list(screen: Screen) -> list[str]:
    """The texts and notes of all cells of History's table."""
    shown = (json.loads(element.proto.json) for element in screen.app.get("bidi_component") if element.proto.json)
    rows = (row for data in shown for row in data.get("rows", ()))
    return [str(cell.get(part)) for row in rows for cell in row["cells"] for part in ("text", "note")]


def test_history_says_how_far_a_batch_is_recorded_and_what_a_pause_does(upload: Upload) -> None:
    screen = Screen(tab_at("history.py"))
    with recording(9, 3) as batch:
        screen.run()
        assert "slow.csv" in read_list(screen)
        assert "file · sending, 3 recorded" in read_list(screen)
        assert "9" in read_list(screen)
        screen.app.query_params["batch"] = batch
        screen.run()
        assert "3 of 9 recorded · 0 accepted · sending" in screen.texts
        assert "What is recorded is sent, while the rest is being recorded." in screen.texts
        assert "9 events in 3 requests so far" in screen.texts
        screen.press(f"pause-{batch}")
        assert "3 of 9 recorded · 0 accepted · paused" in screen.texts
        assert "Paused: the rest is still being recorded, and waits." in screen.texts
    assert get_services().history.queries.batch(batch).events == {RequestState.PENDING: 9}
    screen.run()
    assert "0 of 9 events · paused" in screen.texts
    assert "still being recorded" not in screen.texts
    screen.press(f"resume-{batch}")
    assert get_services().history.queries.batch(batch).state is BatchState.SENDING


def test_cancelling_ends_the_recording_and_says_what_was_never_recorded(upload: Upload) -> None:
    screen = Screen(tab_at("history.py"))
    with recording(9, 3) as batch:
        screen.app.query_params["batch"] = batch
        screen.run()
        assert "3 queued events will not be sent. Events that were sent are not affected. The rest" in screen.texts
        screen.press(f"cancel-really-{batch}")
    found = get_services().history.queries.batch(batch)
    assert (found.state, found.events, found.unrecorded) == (BatchState.CANCELLED, {RequestState.CANCELLED: 3}, 6)
    screen.run()
    assert "6 events were never recorded, and not sent." in screen.texts
    assert "Upload the same file" not in screen.texts


# ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def half(upload: Upload, tmp_path: Path) -> BatchSummary:
    """A batch that stopped half recorded: of 120 rows 40 were accepted, 40 may have arrived, and 40 never left."""
    upload.drop(csv_of(*good_rows(120))).press("upload-settle").press("upload-send")
    history, owner = get_services().history, get_services().dispatcher.owner
    first, second, _waiting = (one.id for one in history.queries.requests(newest().id).items)
    history.queue.apply_transitions([AttemptStart(first), AttemptStart(second)], owner=owner)
    ends = AttemptEnd(first, attempt(Outcome.ACCEPTED)), AttemptEnd(second, attempt(Outcome.UNKNOWN))
    history.queue.apply_transitions(ends, owner=owner)
    with closing(sqlite3.connect(tmp_path / "data" / "history.sqlite3", isolation_level=None)) as other:
        other.execute("UPDATE batches SET state = 'stopped', unrecorded = 80")
    upload.app.session_state["console"].screen_states.pop("UploadState")
    upload.app.query_params.clear()
    return newest()


def test_a_half_recorded_batch_says_what_to_do(upload: Upload, half: BatchSummary) -> None:
    screen = Screen(tab_at("history.py")).run()
    assert "events.csv" in read_list(screen)
    assert "file · stopped, 120 recorded" in read_list(screen)
    screen.app.query_params["batch"] = half.id
    screen.run()
    assert "120 of 200 recorded · 40 accepted · stopped" in screen.texts
    assert "80 events were never recorded, and not sent. Upload the same file again" in screen.texts
    assert "At the command line the same is --rest." in screen.texts


def test_the_same_file_uploaded_again_is_the_rest_and_takes_over_what_never_left(
    upload: Upload, half: BatchSummary
) -> None:
    upload.run().drop(csv_of(*good_rows(120))).press("upload-settle")
    assert "It stopped half recorded: 80 were never recorded." in upload.texts
    choice = upload.app.checkbox(key="upload-skip-accepted")
    assert choice.value
    assert choice.label == (
        "Send only the rest of the batch that stopped half recorded: skip the 80 rows that went, or may have, and"
        " cancel what never left of it there"
    )
    assert "40 events · 40 users" in upload.texts
    upload.press("upload-send")
    rest = newest()
    assert (rest.total, rest.excluded_rows, rest.notes) == (40, 80, {"sent before, excluded": 80})
    old = get_services().history.queries.batch(half.id)
    assert (old.state, old.reason) == (BatchState.CANCELLED, f"What never left of it is sent in batch {rest.id}.")
    assert old.events == {RequestState.ACCEPTED: 40, RequestState.UNKNOWN: 40, RequestState.CANCELLED: 40}


def test_all_of_a_half_recorded_file_can_be_sent_and_leaves_that_batch_alone(
    upload: Upload, half: BatchSummary
) -> None:
    upload.run().drop(csv_of(*good_rows(120))).press("upload-settle")
    upload.app.checkbox(key="upload-skip-accepted").set_value(False)
    upload.run().press("upload-send")
    assert (newest().total, newest().excluded_rows) == (120, 0)
    assert get_services().history.queries.batch(half.id).state is BatchState.STOPPED


def test_a_half_recorded_batch_that_goes_on_meanwhile_is_a_sentence_and_a_new_check(
    upload: Upload, half: BatchSummary
) -> None:
    upload.run().drop(csv_of(*good_rows(120))).press("upload-settle")
    get_services().history.control.resume(half.id)
    upload.press("upload-send")
    assert "A batch of this file that was half recorded goes on by now." in upload.texts
    assert newest().id == half.id


def test_a_large_batch_that_is_sent_again_says_so_before_it_is_recorded(upload: Upload) -> None:
    history = get_services().history
    requests = [request(1, number, [event(row) for row in range(1_000)]) for number in range(1, 7)]
    batch = history.recorder.record(intent(owner="gone", events=6_000), requests)
    history.control.set_state(batch, BatchState.CANCELLED)
    screen = Screen(tab_at("history.py"))
    screen.app.query_params["batch"] = batch
    screen.app.session_state[f"resend-{batch}"] = True
    screen.run().press(f"resend-send-{batch}")
    assert [toast.value for toast in screen.app.toast] == ["Recording 6,000 events to send again."]
    assert (newest().total, newest().resend_of) == (6_000, batch)
