"""A large file is sent while it is recorded: however it is ended, what is said is true and the rest can be sent."""

import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from intempt_core.cli import main
from intempt_core.cli.exit_codes import ExitCode
from intempt_core.history import BatchState, BatchSummary, RequestState
from tests.child_processes import find_child
from tests.core.cli.slow_sends import (
    SLOW_RECORDING,
    assert_persons_in_order,
    count_doubles,
    find_newest,
    kill,
    list_arrivals,
    start_slowly,
    wait_for_owners,
    wait_until,
)
from tests.core.cli.terminals import TerminalRun
from tests.core.cli.test_cli import file, good, history, key, url_of
from tests.core.dispatch.factories import OK, decides, got
from tests.core.transport.fault_server import HostileServer, hostile

EVENTS = 1_000
SLOWLY = 0.04
"""Seconds between two pieces: 50 of them take two seconds at least."""

pytestmark = pytest.mark.untraced  # what is ended here is another process


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def given(tmp_path: Path) -> str:
    return file(tmp_path, *good(EVENTS, 10))


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with hostile(decides(lambda _: OK, pause=0.005)) as opened:
        yield opened


def call(given: str, server: HostileServer, *more: str) -> list[str]:
    return ["send", given, "--target", url_of(server), "--yes", *more]


def environment(data: Path) -> dict[str, str]:
    return key(data, CONSOLE_EVENTS_PER_REQUEST="2")


def start_sending(given: str, server: HostileServer, data: Path, pause: float = SLOWLY) -> "subprocess.Popen[str]":
    """A ``send`` that has begun to send, and still records."""
    sender = start_slowly(pause, call(given, server), environment(data))
    wait_until(lambda: len(server.received) >= 20 or sender.poll() is not None)
    assert sender.poll() is None, sender.communicate()
    return sender


def read_newest(data: Path) -> BatchSummary:
    with history(data) as at:
        found = find_newest(at)
    assert found is not None
    return found


def assert_rest_is_exactly_the_rest(given: str, server: HostileServer, data: Path) -> None:
    """The same file with ``--rest`` sends what did not go: in the end each event came once, in order."""
    assert main(call(given, server, "--rest"), environment(data)) == 0
    arrived = list_arrivals(server)
    assert len(arrived) == len(set(arrived)) == EVENTS
    assert_persons_in_order(arrived)


INTERRUPTS = [signal.SIGINT, *(pytest.param(how, marks=pytest.mark.long) for how in (signal.SIGTERM, signal.SIGHUP))]


@pytest.mark.long  # of what sends: tests/core/dispatch/test_sending_process.py
@pytest.mark.parametrize("how", INTERRUPTS)
def test_interrupted_while_it_records_it_drains_and_says_how_far_it_is(
    given: str, server: HostileServer, data: Path, how: signal.Signals
) -> None:
    sender = start_sending(given, server, data)
    sender.send_signal(how)
    with suppress(ProcessLookupError):
        sender.send_signal(how)  # a second one changes nothing
    out, told = sender.communicate(timeout=60)
    assert sender.returncode == ExitCode.INTERRUPTED
    batch = read_newest(data)
    assert batch.state is BatchState.STOPPED
    assert batch.reason == f"{batch.total} of 1,000 events are recorded; what was recorded may have been sent."
    assert 20 < batch.total < EVENTS
    assert set(batch.events) <= {RequestState.ACCEPTED, RequestState.PENDING}
    accepted = batch.events[RequestState.ACCEPTED]
    assert accepted == len(got(server))
    assert f"{accepted:>9,}  accepted\n" in out
    assert "Interrupted: waiting for what is in flight" in told
    assert batch.reason in told
    assert "Send the same file with --rest: everything of it that never left is sent, in its order." in told
    assert "Nothing was sent" not in told
    assert_rest_is_exactly_the_rest(given, server, data)


@pytest.mark.long
@pytest.mark.parametrize("how", INTERRUPTS)
def test_interrupted_when_all_is_recorded_it_is_resumed(given: str, data: Path, how: signal.Signals) -> None:
    with hostile(decides(lambda _: OK, pause=0.1)) as server:  # so that it still sends when all is recorded
        sender = start_sending(given, server, data, 0)
        wait_until(lambda: not read_newest(data).unrecorded)
        sender.send_signal(how)
        out, told = sender.communicate(timeout=60)
        assert sender.returncode == ExitCode.INTERRUPTED
        batch = read_newest(data)
        assert (batch.state, batch.total) == (BatchState.PAUSED, EVENTS)
        assert set(batch.events) == {RequestState.ACCEPTED, RequestState.PENDING}
        assert batch.events[RequestState.ACCEPTED] == len(got(server))
        assert f"{batch.events[RequestState.PENDING]:>9,}  pending\n" in out
        assert f"send --resume {batch.id}." in told
        assert main(["send", "--resume", "--yes"], environment(data)) == 0
        arrived = list_arrivals(server)
        assert len(arrived) == len(set(arrived)) == EVENTS
        assert_persons_in_order(arrived)


@pytest.mark.long
@pytest.mark.parametrize("how", ["Ctrl+C", pytest.param("closed", marks=pytest.mark.long)])
def test_at_a_terminal(given: str, server: HostileServer, data: Path, how: str) -> None:
    run = TerminalRun([str(SLOWLY), *call(given, server)], environment(data), SLOW_RECORDING)
    wait_until(lambda: len(server.received) >= 20)
    if how == "closed":
        run.close()
    else:
        run.wait_for("1,000 events")
        run.type(b"\x03")
    assert run.end()[0] == ExitCode.INTERRUPTED
    batch = read_newest(data)
    assert batch.state is BatchState.STOPPED
    assert batch.events[RequestState.ACCEPTED] == len(got(server))
    if how != "closed":
        assert run.is_cursor_shown
        assert batch.reason in run.shown.replace("\r\n", "")
    assert_rest_is_exactly_the_rest(given, server, data)


@pytest.mark.long  # of the recorder: tests/core/workers/test_file_recorder.py
def test_killed_while_it_records_what_sends_drains_and_the_batch_stops(
    given: str, server: HostileServer, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sender = start_sending(given, server, data)
    kill(sender)
    with history(data) as at:
        wait_for_owners(at, data)
    batch = read_newest(data)
    assert batch.state is BatchState.STOPPED
    assert batch.reason == f"{batch.total} of 1,000 events are recorded; what was recorded may have been sent."
    assert set(batch.events) <= {RequestState.ACCEPTED, RequestState.PENDING}
    assert batch.events[RequestState.ACCEPTED] == len(got(server))
    assert main(call(given, server), environment(data)) == ExitCode.SENT_BEFORE
    told = capsys.readouterr().err
    assert f"--rest             sends {EVENTS - len(got(server))} events" in told
    assert_rest_is_exactly_the_rest(given, server, data)


@pytest.mark.long
def test_what_sends_is_killed_while_it_is_recorded(given: str, server: HostileServer, data: Path) -> None:
    sender = start_sending(given, server, data)
    os.kill(find_child(sender.pid, "dispatch.sending_child"), signal.SIGKILL)
    out, told = sender.communicate(timeout=60)
    assert sender.returncode == ExitCode.NOT_ALL
    assert "Traceback" not in told
    batch = read_newest(data)
    assert not batch.is_active
    assert RequestState.IN_FLIGHT not in batch.events
    assert "The process that sent it ended unexpectedly." in told
    accepted, unknown = batch.events[RequestState.ACCEPTED], batch.events.get(RequestState.UNKNOWN, 0)
    assert accepted <= len(got(server)) <= accepted + unknown
    assert f"{accepted:>9,}  accepted\n" in out
    again = ["send", "--resume", "--yes"] if not batch.unrecorded else call(given, server, "--rest")
    assert main(again, environment(data)) == (ExitCode.NOT_ALL if unknown and not batch.unrecorded else 0)
    arrived = list_arrivals(server)
    assert count_doubles([event for event, _ in arrived]) == {}
    assert EVENTS - unknown <= len(arrived) <= EVENTS
    assert_persons_in_order(arrived)


@pytest.mark.long
def test_both_are_killed_while_it_records(
    given: str, server: HostileServer, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sender = start_sending(given, server, data)
    kill(sender, find_child(sender.pid, "dispatch.sending_child"))
    assert main(call(given, server), environment(data)) == ExitCode.SENT_BEFORE
    told = capsys.readouterr().err
    batch = read_newest(data)
    assert batch.state is BatchState.STOPPED
    unknown = sum(batch.events.get(state, 0) for state in (RequestState.IN_FLIGHT, RequestState.UNKNOWN))
    assert f"--rest             sends {EVENTS - batch.events[RequestState.ACCEPTED] - unknown} events" in told
    assert main(call(given, server, "--rest"), environment(data)) == 0
    arrived = list_arrivals(server)
    assert count_doubles([event for event, _ in arrived]) == {}
    assert EVENTS - unknown <= len(arrived) <= EVENTS
    assert_persons_in_order(arrived)
    with history(data) as at:
        states = [one.events for one in at.queries.batches().items]
    assert not [one for one in states if one.get(RequestState.IN_FLIGHT)]


@pytest.mark.long
def test_the_rest_of_a_file_that_is_still_recorded_is_not_known_yet(
    given: str, server: HostileServer, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sent now, it would overtake what is pending there."""
    sender = start_sending(given, server, data)
    assert main(call(given, server, "--rest"), environment(data)) == ExitCode.SENT_BEFORE
    assert f"still being recorded by another process, in batch {read_newest(data).id}" in capsys.readouterr().err
    sender.communicate(timeout=60)
    assert sender.returncode == ExitCode.DONE
    arrived = list_arrivals(server)
    assert len(arrived) == len(set(arrived)) == EVENTS
    assert_persons_in_order(arrived)


@pytest.mark.long
def test_a_history_that_is_locked_while_it_records_is_said_and_waited_for(
    given: str, server: HostileServer, data: Path
) -> None:
    run = TerminalRun([str(SLOWLY), *call(given, server)], environment(data), SLOW_RECORDING)
    wait_until(lambda: len(server.received) >= 20)
    with closing(sqlite3.connect(data / "history.sqlite3", isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        run.wait_for("locked")
        other.execute("ROLLBACK")
    assert run.end() == (ExitCode.DONE, "    1,000  accepted\n")
    arrived = list_arrivals(server)
    assert len(arrived) == len(set(arrived)) == EVENTS
