"""A process of its own sends what this one records: it drains when it is told to, and when the other one is gone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from intempt_core.dispatch import SendingProcess, make_batch_intent, wake_once
from intempt_core.dispatch.process_locks import is_owner_alive
from intempt_core.errors import HistoryUnavailable
from intempt_core.history import BatchState, RequestBlock, RequestState
from intempt_core.history.recorder import Recorder
from tests.core.dispatch.factories import OK, Setup, decides, got, make_setup, plan_of
from tests.core.transport.fault_server import HostileServer, hostile

ROOT = Path(__file__).parents[3]


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with hostile(decides(lambda _: OK, 0.02)) as opened:
        yield opened


@pytest.fixture
def at(tmp_path: Path, server: HostileServer) -> Iterator[Setup]:
    made = make_setup(tmp_path, server.url)
    yield made
    made.history.close()


@pytest.fixture
def process() -> Iterator[SendingProcess]:
    started = SendingProcess()
    yield started
    started.stop()


def record(at: Setup, owner: str, events: int = 30) -> str:
    plan = plan_of(events)
    intent = make_batch_intent(plan, at.target, owner=owner)
    return Recorder(at.history.database, 1).record(intent, map(RequestBlock.from_plan, plan.iter_blocks(1)))


def test_it_sends_what_is_recorded_while_more_is(at: Setup, server: HostileServer, process: SendingProcess) -> None:
    process.start(at.history, at.settings, at.target)
    plan = plan_of(30)

    def slow() -> Iterator[RequestBlock]:
        for number, block in enumerate(plan.iter_blocks(1)):
            if number == 20:
                at.until(lambda: len(server.received) >= 18)
            yield RequestBlock.from_plan(block)

    intent = make_batch_intent(plan, at.target, owner=process.owner)
    batch = Recorder(at.history.database, 1).record(intent, slow(), on_progress=wake_once(process))
    at.until(lambda: not process.progress(batch).is_active)
    found = process.progress(batch)
    assert (found.state, found.counts, found.unrecorded) == (BatchState.DONE, {RequestState.ACCEPTED: 30}, 0)
    assert got(server) == [f"e{number}" for number in range(30)]


@pytest.mark.long  # of a dispatcher: test_dispatcher.py
def test_told_to_stop_it_waits_for_what_is_in_flight(at: Setup, server: HostileServer, process: SendingProcess) -> None:
    process.start(at.history, at.settings, at.target)
    batch = record(at, process.owner)
    process.wake()
    at.until(lambda: len(server.received) >= 3)
    process.pause(batch, "It was interrupted.")
    process.stop()
    found = at.history.queries.batch(batch)
    assert found.state is BatchState.PAUSED
    assert set(found.events) == {RequestState.ACCEPTED, RequestState.PENDING}
    assert found.events[RequestState.ACCEPTED] == len(server.received)
    assert not is_owner_alive(at.settings.data, process.owner)


def test_where_it_is_killed_its_batch_is_paused_and_what_was_in_flight_is_unknown(
    at: Setup, server: HostileServer, process: SendingProcess
) -> None:
    process.start(at.history, at.settings, at.target)
    batch = record(at, process.owner, 200)
    process.wake()
    at.until(lambda: len(server.received) >= 3)
    os.kill(process.pid, signal.SIGKILL)
    at.until(lambda: not process.progress(batch).is_active)
    found = at.history.queries.batch(batch)
    assert (found.state, found.reason) == (BatchState.PAUSED, "The process that sent it ended unexpectedly.")
    assert RequestState.IN_FLIGHT not in found.events


@pytest.mark.long
def test_nothing_to_send_it_just_ends(process: SendingProcess) -> None:
    began = time.monotonic()
    process.stop()
    assert time.monotonic() - began < 60


@pytest.mark.long
def test_a_history_that_cannot_be_opened_is_said_at_the_start(
    at: Setup, process: SendingProcess, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    settings = type(at.settings)(data=blocked)
    with pytest.raises(HistoryUnavailable, match="cannot be made"):
        process.start(at.history, settings, at.target)


PARENT = """
import sys, time
from pathlib import Path
from intempt_core.dispatch import SendingProcess
from intempt_core.history import RequestBlock
from tests.core.dispatch.factories import make_setup, plan_of
from tests.core.dispatch.test_sending_process import Recorder, make_batch_intent, wake_once
at = make_setup(Path(sys.argv[1]), sys.argv[2])
process = SendingProcess()
process.start(at.history, at.settings, at.target)
plan = plan_of(500)
def slow():
    for number, block in enumerate(plan.iter_blocks(1)):
        time.sleep(0.01)
        yield RequestBlock.from_plan(block)
intent = make_batch_intent(plan, at.target, owner=process.owner)
Recorder(at.history.database, 1).record(intent, slow(), on_progress=wake_once(process))
"""


@pytest.mark.long
def test_where_the_other_process_is_killed_it_drains_and_the_batch_is_stopped(
    tmp_path: Path, server: HostileServer
) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path), server.url], cwd=ROOT)
    at = make_setup(tmp_path, server.url)
    at.until(lambda: len(server.received) >= 10)
    parent.kill()
    parent.wait()
    (going,) = at.history.queue.unfinished()
    at.until(lambda: at.state(going.id) is BatchState.STOPPED)
    found = at.history.queries.batch(going.id)
    assert found.reason == f"{found.total} of 500 events are recorded; what was recorded may have been sent."
    assert found.events[RequestState.ACCEPTED] == len(server.received)
    assert set(found.events) <= {RequestState.ACCEPTED, RequestState.PENDING}
    assert (found.unrecorded, found.recorder) == (500 - found.total, "")
    at.history.close()
