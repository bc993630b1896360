"""The command line sends nothing twice and leaves nothing behind it: real processes, a real target, exit codes."""

import csv
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from intempt_core.cli import main
from intempt_core.cli.exit_codes import EXIT_MEANINGS, ExitCode
from intempt_core.history import BatchState, BatchSummary, History, RequestState
from intempt_core.planning import Policy
from intempt_core.settings import Settings
from tests.core.cli.test_cli import ROOT, console, file, good, history, key, start, url_of
from tests.core.dispatch.factories import LOST, OK, decides, got
from tests.core.transport.fault_server import HostileServer, Received, hostile, http
from tests.examples import keep_first_quick

BUSY = http(503, b"{}")
NO_WAIT = {"CONSOLE_TRIES": "1"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def call(given: str, server: HostileServer, *more: str) -> list[str]:
    return ["send", given, "--target", url_of(server), "--yes", *more]


def batches(data: Path) -> list[BatchSummary]:
    """All batches, the first one first."""
    with history(data) as at:
        return list(at.queries.batches().items[::-1])


def until(holds: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


# ── what the call excludes ───────────────────────────────────────────────────────────────────────────────────────────


def test_rows_that_repeat_another_are_sent_unless_the_call_excludes_them(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = "Product viewed,u1,p1"
    given = tmp_path / "shop.csv"
    given.write_text(f"name,userId,productId\n{row}\nProduct viewed,u2,p1\n{row}" + "\n")
    with hostile(decides(lambda _: OK)) as server:
        assert main(call(str(given), server, "--exclude", "row_repeated"), key(data)) == 0
        assert len(got(server)) == 2
        assert "1 row excluded by --exclude row_repeated." in capsys.readouterr().err
        assert main(call(str(given), server, "--rest"), key(data)) == 0  # the repeat is an event of its own
        assert len(got(server)) == 3
    first, rest = batches(data)
    assert first.notes == {"row repeats another in every cell, excluded": 1}
    with history(data) as at:
        codes = [row.codes for row in at.outcomes.rows(first.id) if row.state is None]
    assert codes == [("row_repeated",)]
    assert (first.total, first.excluded_rows, rest.total) == (2, 1, 1)


def test_only_warnings_can_be_excluded(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["send", str(tmp_path / "x.csv"), "--target", "sandbox", "--exclude", "event_name"], key(data))
    assert ended.value.code == 2
    assert "“event_name” is no code of a warning; it takes row_short" in capsys.readouterr().err


# ── what was sent before ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_that_was_sent_is_not_recorded_again_and_the_ways_on_are_told(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = file(tmp_path, *good(4))
    with hostile(decides(lambda _: OK)) as server:
        assert main(call(given, server), key(data)) == 0
        capsys.readouterr()
        assert main(call(given, server), key(data)) == ExitCode.SENT_BEFORE
        assert len(got(server)) == 4
    (batch,) = batches(data)
    told = capsys.readouterr().err
    assert "Nothing was sent. Of 4 events of this file, these went to 127.0.0.1" in told
    assert "or are going: 4 accepted." in told
    assert f"the same file in batch {batch.id} (events.csv; done: 4 accepted)" in told
    assert "--again            sends all of it again, 4 events" in told
    assert "--again --new-ids  sends them as new events" in told
    assert "--rest" not in told


def test_rest_sends_only_what_did_not_go_and_is_not_pending(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of six events one is accepted, one is unknown, one is rejected, and three are pending in a batch that stopped."""
    answers = {b'"e1"': LOST, b'"e2"': http(400)}

    def decide(received: Received) -> bytes:
        return next((answer for id_, answer in answers.items() if id_ in received.body), OK)

    rows = good(6, 1)
    given = file(tmp_path, rows[0], rows[2], rows[1], *rows[3:])
    longer = file(tmp_path, *good(8, 1), name="longer.csv")
    out = tmp_path / "out.csv"
    with hostile(decides(decide)) as server:
        one_by_one = key(data, CONSOLE_EVENTS_PER_REQUEST="1", **NO_WAIT)
        assert main(call(given, server), one_by_one) == 1
        assert got(server) == ["e0", "e2", "e1"]
        answers.clear()
        capsys.readouterr()
        assert main(call(longer, server), one_by_one) == ExitCode.SENT_BEFORE
        told = capsys.readouterr().err
        assert "1 accepted, 1 unknown (may have arrived), 3 pending, not sent yet." in told
        assert "--rest             sends 3 events of which nothing went or is pending" in told
        assert main([*call(longer, server, "--rest"), "--results", str(out)], one_by_one) == 0
        assert got(server) == ["e0", "e2", "e1", "e2", "e6", "e7"]  # what was rejected is sent, the pending ones not
    first, second = batches(data)
    assert first.events == {
        RequestState.ACCEPTED: 1, RequestState.REJECTED: 1, RequestState.UNKNOWN: 1, RequestState.PENDING: 3
    }  # fmt: skip
    assert (second.excluded_rows, second.notes) == (5, {"sent before, excluded": 5})
    with out.open(newline="", encoding="utf-8") as lines:
        outcomes = {row["eventId"]: (row["outcome"], row["issues"]) for row in csv.DictReader(lines)}
    assert outcomes["e0"] == outcomes["e5"] == ("excluded", "sent_before")
    assert outcomes["e2"] == outcomes["e7"] == ("accepted", "")


def test_rest_of_a_file_that_was_all_accepted_is_nothing_and_all_is_well(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = file(tmp_path, *good(3))
    with hostile(decides(lambda _: OK)) as server:
        assert main(call(given, server), key(data)) == 0
        assert main(call(given, server, "--rest"), key(data)) == 0
        assert len(got(server)) == 3
    assert capsys.readouterr().err.endswith("There is nothing left to send.\n")
    assert len(batches(data)) == 1


def test_again_sends_all_and_a_new_run_sends_it_as_new_events(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["Product viewed,,u1,p1,1700000000000\n", *good(2)]
    given = file(tmp_path, rows[1], rows[2])
    with hostile(decides(lambda _: OK)) as server:
        assert main(call(given, server), key(data)) == 0
        assert main(call(given, server, "--again"), key(data)) == 0
        assert main(call(given, server, "--new-ids"), key(data)) == ExitCode.SENT_BEFORE  # the file is the same
        told = capsys.readouterr().err
        assert "None of 2 events is known at 127.0.0.1" in told
        assert main(call(given, server, "--again", "--new-ids"), key(data)) == 0
        ids = got(server)
    assert ids[:4] == ["e0", "e1"] * 2
    run = ids[4].removeprefix("e0-")
    assert ids[4:] == [f"e0-{run}", f"e1-{run}"]
    assert re.fullmatch("[0-9a-f]{12}", run)
    assert batches(data)[-1].notes == {"ids": "new ids"}
    assert "is going: 2 accepted. They are sent again; it may count them once more." in told


@pytest.mark.parametrize("form", keep_first_quick(["csv without ids", "jsonl", "json", "constant"]))
def test_a_new_run_gives_new_ids_to_every_kind_of_file(tmp_path: Path, data: Path, form: str) -> None:
    event = {"name": "Product viewed", "userId": "u1", "data": {"productId": "p1"}}
    events = [event | {"eventId": id_} for id_ in ("a", "b", 7)]
    more: list[str] = []
    if form == "jsonl":
        given = tmp_path / "events.jsonl"
        given.write_text("".join(json.dumps(one) + "\n" for one in events))
    elif form == "json":
        given = tmp_path / "events.json"
        given.write_text(json.dumps(events))
    else:
        given = tmp_path / "events.csv"
        given.write_text("name,userId,productId\n" + "Product viewed,u1,p1\n" * (3 if form != "constant" else 1))
        columns = {"name": "name", "userId": "userId", "productId": "data.productId"}
        constants = {"eventId": "a"} if form == "constant" else {}
        mapping = tmp_path / "mapping.json"
        mapping.write_text(json.dumps({"columns": columns, "constants": constants}))
        more = ["--mapping", str(mapping)]
    with hostile(decides(lambda _: OK)) as server:
        assert main(call(str(given), server, *more), key(data)) == 0
        assert main(call(str(given), server, "--again", "--new-ids", *more), key(data)) == 0
        assert main(call(str(given), server, "--again", "--new-ids", *more), key(data)) == 0
        ids = [str(id_) for id_ in got(server)]
    assert len(set(ids)) == len(ids)
    third = len(ids) // 3
    if form in ("jsonl", "json"):
        assert [id_.partition("-")[0] for id_ in ids[third : 2 * third]] == ids[:third] == ["a", "b", "7"]


def test_what_was_sent_under_another_name_or_with_other_rows_is_known_by_its_ids(tmp_path: Path, data: Path) -> None:
    with hostile(decides(lambda _: OK)) as server:
        assert main(call(file(tmp_path, *good(3)), server), key(data)) == 0
        assert main(call(file(tmp_path, *good(5)[2:], name="other.csv"), server), key(data)) == 5
        assert main(call(file(tmp_path, *good(5)[3:], name="other.csv"), server), key(data)) == 0
        assert sorted(got(server)) == ["e0", "e1", "e2", "e3", "e4"]


def test_what_was_rejected_had_no_effect_and_is_sent(tmp_path: Path, data: Path) -> None:
    answers = [http(401)]
    with hostile(decides(lambda _: answers[0])) as server:
        given = file(tmp_path, *good(2))
        assert main(call(given, server), key(data)) == 1
        answers[0] = OK
        assert main(call(given, server), key(data)) == 0


# ── two at once ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Asked:
    """A ``send`` at a terminal of its own: it has its plan, and asks whether to send it."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "intempt_core", *arguments],
            cwd=ROOT, env={"PATH": "/usr/bin:/bin", "PYTHONUTF8": "1", **environment},
            stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.said = ""
        assert self.process.stderr
        while "? [y/N]" not in self.said:
            line = self.process.stderr.readline()
            assert line, self.said
            self.said += line

    def answer(self) -> None:
        os.write(self._master, b"y\n")

    def end(self) -> int:
        out, error = self.process.communicate(timeout=60)
        self.said += out + error
        os.close(self._master)
        return self.process.returncode


@pytest.mark.long  # tests/core/history/test_repeats.py says it of two histories
def test_of_two_sends_of_one_file_at_once_one_is_sent_and_the_other_ends_with_5(tmp_path: Path, data: Path) -> None:
    given = file(tmp_path, *good(200))
    with hostile(decides(lambda _: OK)) as server:
        arguments = [one for one in call(given, server) if one != "--yes"]
        both = [Asked(arguments, key(data)) for _ in range(2)]  # each has found that nothing was sent before
        for one in both:
            one.answer()
        codes = [one.end() for one in both]
        assert sorted(codes) == [0, ExitCode.SENT_BEFORE]
        assert sorted(got(server)) == sorted(f"e{n}" for n in range(200))
    late = both[codes.index(ExitCode.SENT_BEFORE)].said
    (batch,) = batches(data)
    assert "Nothing was sent. Since the plan was made, this went or is going to 127.0.0.1" in late
    assert f"the same file in batch {batch.id}" in late
    assert "what --rest and --again would send" in late


@pytest.mark.long
def test_a_job_that_overlaps_with_the_one_before_it_sends_nothing_that_is_going(tmp_path: Path, data: Path) -> None:
    """The second job's file has grown: another file, with the first one's events in it."""
    first, second = file(tmp_path, *good(20)), file(tmp_path, *good(24), name="grown.csv")
    gate = threading.Event()
    with hostile(decides(lambda _: OK, gate=gate)) as server:
        environment = key(data, CONSOLE_EVENTS_PER_REQUEST="1", CONSOLE_LANES_AT_ONCE="1", CONSOLE_READ_SECONDS="120")
        earlier = Asked([one for one in call(second, server) if one != "--yes"], environment)
        running = start(*call(first, server), **environment)
        until(lambda: server.received)
        earlier.answer()  # its plan is older than the batch that is being sent
        assert earlier.end() == ExitCode.SENT_BEFORE
        assert "20 of these events in batch" in earlier.said
        later = start(*call(second, server), **environment)
        told = later.communicate(timeout=100)[1]
        assert later.returncode == ExitCode.SENT_BEFORE
        assert "pending, not sent yet" in told
        gate.set()
        rest = start(*call(second, server, "--rest"), **environment)
        assert rest.wait(60) == 0
        assert running.wait(60) == 0
        for process in (running, later, rest):
            process.communicate()
        assert sorted(got(server)) == sorted(f"e{n}" for n in range(24))


def test_the_rest_of_a_file_whose_recording_was_killed_is_sent_in_its_order(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hostile(decides(lambda _: OK)) as server:
        given = file(tmp_path, *good(6, 1))
        each = key(data, CONSOLE_EVENTS_PER_REQUEST="1")
        assert main(call(given, server), each) == 0
        with history(data) as at, at.database.writing() as connection:  # as a process that is killed leaves it
            connection.exec_driver_sql(
                "UPDATE batches SET state = 'sending', owner = '1-gone', recorder = '1-gone', unrecorded = 2"
            )
            connection.exec_driver_sql("DELETE FROM requests WHERE position > 4")
            connection.exec_driver_sql("UPDATE requests SET state = 'pending' WHERE position > 2")
        server.received.clear()
        assert main(call(given, server), each) == ExitCode.SENT_BEFORE.value
        assert "--rest             sends 4 events" in capsys.readouterr().err
        (half,) = batches(data)
        assert half.reason == "4 of 6 events are recorded; what was recorded may have been sent."
        assert main([*call(given, server), "--rest"], each) == 0
        assert got(server) == ["e2", "e3", "e4", "e5"]
    half, rest = batches(data)
    assert (half.state, half.reason) == (BatchState.CANCELLED, f"What never left of it is sent in batch {rest.id}.")
    assert half.events == {RequestState.ACCEPTED: 2, RequestState.CANCELLED: 2}
    assert (rest.state, rest.events) == (BatchState.DONE, {RequestState.ACCEPTED: 4})


# ── going on with what was interrupted ───────────────────────────────────────────────────────────────────────────────


@contextmanager
def slow_target() -> Iterator[HostileServer]:
    with hostile(decides(lambda _: OK, pause=0.05)) as server:
        yield server


def interrupt(how: signal.Signals, given: str, server: HostileServer, data: Path, **more: str) -> tuple[int, str, str]:
    """A ``send`` that gets a signal after some requests: its exit code, standard output and standard error."""
    environment = key(data, CONSOLE_EVENTS_PER_REQUEST="1", CONSOLE_LANES_AT_ONCE="2", **more)
    before = len(server.received)
    sender = start(*call(given, server), **environment)
    until(lambda: len(server.received) > before + 4)
    sender.send_signal(how)
    with suppress(ProcessLookupError):
        sender.send_signal(how)  # a second one changes nothing
    out, error = sender.communicate(timeout=30)
    return sender.returncode, out, error


@pytest.mark.parametrize(
    "how",
    [signal.SIGINT, *(pytest.param(how, marks=pytest.mark.long) for how in (signal.SIGTERM, signal.SIGHUP))],
)
def test_interrupted_it_drains_says_how_to_go_on_and_resume_sends_exactly_what_never_left(
    tmp_path: Path, data: Path, how: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    given, out = file(tmp_path, *good(60, 7), "view,bad,u,p,\n"), tmp_path / "results.csv"
    with slow_target() as server:
        code, counts, told = interrupt(how, given, server, data)
        assert code == ExitCode.INTERRUPTED.value == 130
        assert "Traceback" not in told
        assert "Interrupted: waiting for what is in flight" in told
        (batch,) = batches(data)
        assert batch.state is BatchState.PAUSED
        assert set(batch.events) == {RequestState.ACCEPTED, RequestState.PENDING}
        assert batch.events[RequestState.ACCEPTED] == len(got(server))
        assert f"{batch.events[RequestState.PENDING]} events are pending, not sent yet" in told
        assert f"python -m intempt_core send --resume {batch.id}" in told
        assert f"{batch.events[RequestState.ACCEPTED]:>9,}  accepted" in counts

        assert main(["send", "--resume", "--yes", "--results", str(out)], key(data)) == 0
        assert sorted(got(server)) == sorted(f"e{n}" for n in range(60))
    told = capsys.readouterr().err
    assert f"Batch {batch.id} of events.csv to 127.0.0.1" in told
    assert f"{batch.events[RequestState.PENDING]} events never left." in told
    (batch,) = batches(data)
    assert (batch.state, batch.events) == (BatchState.DONE, {RequestState.ACCEPTED: 60})
    with out.open(newline="", encoding="utf-8") as lines:
        assert [row["outcome"] for row in csv.DictReader(lines)] == ["accepted"] * 60 + ["excluded"]


@pytest.mark.long
def test_a_persons_events_keep_their_order_when_they_are_resumed(tmp_path: Path, data: Path) -> None:
    with slow_target() as server:
        interrupt(signal.SIGINT, file(tmp_path, *good(40, 1)), server, data)
        assert main(["send", "--resume", "--yes"], key(data)) == 0
        assert got(server) == [f"e{n}" for n in range(40)]


@pytest.mark.long  # of a sender that is killed: tests/core/dispatch/test_crash.py
def test_what_was_in_flight_when_its_process_was_killed_is_unknown_and_not_sent_again(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = file(tmp_path, *good(60, 7))
    with slow_target() as server:
        code, _, _ = interrupt(signal.SIGKILL, given, server, data)
        assert code == -signal.SIGKILL
        assert main(call(given, server), key(data)) == ExitCode.SENT_BEFORE
        told = capsys.readouterr().err
        assert "in flight" in told
        (batch,) = batches(data)
        assert f"--resume {batch.id}, without a file, sends exactly what never left of that batch" in told
        assert main(["send", "--resume", batch.id, "--yes"], key(data)) == 1  # not all of it was accepted for sure
        arrived = got(server)
    (batch,) = batches(data)
    assert (batch.state, batch.policy) == (BatchState.DONE, Policy.GO_ON)
    assert 1 <= batch.events[RequestState.UNKNOWN] <= 2
    assert (
        len(set(arrived))
        == len(arrived)
        >= batch.events[RequestState.ACCEPTED]
        == 60 - batch.events[RequestState.UNKNOWN]
    )
    assert "may have arrived, and are not sent again" in capsys.readouterr().err


@pytest.mark.long
def test_what_was_not_sent_is_sent_by_resume(tmp_path: Path, data: Path) -> None:
    """Twelve requests in a row that could not be sent pause a batch: the target was away."""
    answers = [BUSY]
    with hostile(decides(lambda _: http(429) if answers[0] == BUSY else OK)) as server:
        environment = key(data, CONSOLE_EVENTS_PER_REQUEST="1", CONSOLE_TRIES="1")
        assert main(call(file(tmp_path, *good(40, 40)), server), environment) == 1
        (batch,) = batches(data)
        assert batch.state in (BatchState.PAUSED, BatchState.STOPPED)
        assert batch.events[RequestState.NOT_SENT]
        before = len(server.received)
        answers[0] = OK
        assert main(["send", "--resume", "--yes"], environment) == 0
        assert sorted(got(server)[before:]) == sorted(f"e{n}" for n in range(40))


@pytest.mark.long
def test_the_key_of_a_url_comes_from_its_variable_and_of_no_other_place(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with slow_target() as server:
        interrupt(signal.SIGINT, file(tmp_path, *good(30)), server, data)
        before = len(server.received)
        assert main(["send", "--resume", "--yes"], {"CONSOLE_DATA": str(data)}) == ExitCode.NO_TARGET
        assert "$INTEMPT_API_KEY is not set" in capsys.readouterr().err
        assert len(server.received) == before
        assert main(["send", "--resume", "--yes"], key(data, INTEMPT_API_KEY="other.key")) == 0
        assert {one.headers["authorization"] for one in server.received[before:]} == {"Basic b3RoZXI6a2V5"}


@pytest.mark.long
def test_the_key_of_a_named_target_comes_from_its_description(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with slow_target() as server:
        shop = {"HOST": server.url, "ORG": "a", "PROJECT": "b", "SOURCE": "1", "KEY": "pre.secret"}
        described = {f"CONSOLE_TARGET_SHOP_{name}": value for name, value in shop.items()}
        environment = {"CONSOLE_DATA": str(data), "CONSOLE_EVENTS_PER_REQUEST": "1", **described}
        sender = start("send", file(tmp_path, *good(40)), "--target", "shop", "--yes", **environment)
        until(lambda: len(server.received) > 4)
        sender.send_signal(signal.SIGTERM)
        sender.communicate(timeout=30)
        assert main(["send", "--resume", "--yes"], {"CONSOLE_DATA": str(data)}) == ExitCode.NO_TARGET
        assert "There is no target “shop”" in capsys.readouterr().err
        elsewhere = environment | {"CONSOLE_TARGET_SHOP_SOURCE": "2"}
        assert main(["send", "--resume", "--yes"], elsewhere) == ExitCode.NO_TARGET
        assert "Target shop now leads to" in capsys.readouterr().err
        assert main(["send", "--resume", "--yes"], environment) == 0
        assert sorted(got(server)) == sorted(f"e{n}" for n in range(40))


@pytest.mark.long
def test_several_interrupted_batches_are_listed_and_nothing_is_sent(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with slow_target() as server:
        interrupt(signal.SIGINT, file(tmp_path, *good(30)), server, data)
        other = file(tmp_path, *(row.replace("viewed,e", "viewed,f") for row in good(30)), name="other.csv")
        interrupt(signal.SIGINT, other, server, data)
        before = len(server.received)
        assert main(["send", "--resume", "--yes"], key(data)) == 1
        assert len(server.received) == before
        told = capsys.readouterr()
        assert "Nothing was sent: 2 batches were interrupted" in told.err
        first, second = batches(data)
        assert [line.split()[0] for line in told.out.splitlines()] == [second.id, first.id]
        assert "other.csv to 127.0.0.1" in told.out
        assert main(["send", "--resume", second.id, "--yes"], key(data)) == 0
        assert main(["send", "--resume", "--yes"], key(data)) == 0  # the other one
        assert len(got(server)) == 60


@pytest.mark.long
def test_what_went_since_is_not_sent_by_resume_unless_it_is_said(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = file(tmp_path, *good(30))
    with slow_target() as server:
        interrupt(signal.SIGINT, given, server, data)
        assert main(call(given, server, "--again"), key(data)) == 0
        before = len(server.received)
        capsys.readouterr()
        assert main(["send", "--resume", "--yes"], key(data)) == ExitCode.SENT_BEFORE
        assert len(server.received) == before
        assert "Say --again to send what never left of this batch all the same" in capsys.readouterr().err
        assert main(["send", "--resume", "--yes", "--again"], key(data)) == 0
        assert len(server.received) > before


@pytest.mark.long
def test_what_cannot_be_resumed_says_why(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["send", "--resume", "--yes"], key(data)) == 1
    assert "There is nothing to resume" in capsys.readouterr().err
    assert main(["send", "--resume", "b_nothing", "--yes"], key(data)) == ExitCode.UNREADABLE
    assert "History knows no batch b_nothing." in capsys.readouterr().err
    with hostile(decides(lambda _: OK, pause=0.1)) as server:
        environment = key(data, CONSOLE_EVENTS_PER_REQUEST="1")
        sender = start(*call(file(tmp_path, *good(60)), server), **environment)
        until(lambda: len(server.received) > 4)
        (batch,) = batches(data)
        assert main(["send", "--resume", batch.id, "--yes"], key(data)) == 1
        assert "is being sent by another process." in capsys.readouterr().err
        assert main(["send", "--resume", "--yes"], key(data)) == 1  # it is not interrupted
        assert sender.wait(60) == 0
        sender.communicate()
        assert main(["send", "--resume", batch.id, "--yes"], key(data)) == 1
        assert "is done: nothing is left to send." in capsys.readouterr().err


@pytest.mark.long
def test_beside_a_console_the_console_goes_on(tmp_path: Path, data: Path) -> None:
    settings = Settings(data=data)
    with History.open(settings.history_url).database.writing():
        pass
    with console(data, sends=False):
        assert (
            main(["send", file(tmp_path, *good(5)), "--target", "sandbox", "--yes"], {"CONSOLE_DATA": str(data)}) == 6
        )
        (batch,) = batches(data)
        with history(data) as at:
            at.control.set_state(batch.id, BatchState.PAUSED)
            with at.database.writing() as connection:
                connection.exec_driver_sql("UPDATE batches SET owner = '1-gone'")
        assert main(["send", "--resume", "--yes"], {"CONSOLE_DATA": str(data)}) == 6
        (batch,) = batches(data)
        assert (batch.state, batch.owner) == (BatchState.SENDING, "console")
    assert main(["send", "--resume", "--yes"], {"CONSOLE_DATA": str(data)}) == 0  # that console is gone


AT_A_TERMINAL = """
import fcntl, runpy, sys, termios
from tests.examples import keep_first_quick
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
runpy.run_module("intempt_core", run_name="__main__")
"""


@pytest.mark.long
def test_a_terminal_that_is_closed_loses_nothing(tmp_path: Path, data: Path) -> None:
    """The terminal goes with its window: the process gets SIGHUP, and can print no more."""
    with slow_target() as server:
        master, slave = pty.openpty()
        environment = key(data, CONSOLE_EVENTS_PER_REQUEST="1", CONSOLE_LANES_AT_ONCE="2")
        sender = subprocess.Popen(
            [sys.executable, "-c", AT_A_TERMINAL, *call(file(tmp_path, *good(60)), server)],
            cwd=ROOT, env={"PATH": "/usr/bin:/bin", **environment},
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        reader = threading.Thread(target=_read_until_closed, args=(master,), daemon=True)
        reader.start()
        until(lambda: len(server.received) > 4)
        os.close(master)
        assert sender.wait(30) == ExitCode.INTERRUPTED
        (batch,) = batches(data)
        assert batch.state is BatchState.PAUSED
        assert batch.events[RequestState.ACCEPTED] == len(got(server))
        assert set(batch.events) == {RequestState.ACCEPTED, RequestState.PENDING}


def _read_until_closed(descriptor: int) -> None:
    with suppress(OSError):
        while os.read(descriptor, 4096):
            pass


@pytest.mark.long
def test_a_hang_up_that_the_caller_ignores_stays_ignored(tmp_path: Path, data: Path) -> None:
    with slow_target() as server:
        environment = key(data, CONSOLE_EVENTS_PER_REQUEST="1")
        arguments = [sys.executable, "-m", "intempt_core", *call(file(tmp_path, *good(40)), server)]
        sender = subprocess.Popen(
            ["nohup", *arguments], cwd=ROOT, env={"PATH": "/usr/bin:/bin", **environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        until(lambda: len(server.received) > 4)
        sender.send_signal(signal.SIGHUP)
        sender.communicate(timeout=60)
        assert sender.returncode == 0
        assert len(got(server)) == 40


# ── the file of results ──────────────────────────────────────────────────────────────────────────────────────────────


def test_an_existing_file_is_not_replaced_unless_it_is_said(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given, out = file(tmp_path, *good(2)), tmp_path / "out.csv"
    out.write_text("of yesterday")
    with hostile(decides(lambda _: OK)) as server:
        assert main(call(given, server, "--results", str(out)), key(data)) == ExitCode.NO_RESULTS
        assert not server.received
        assert out.read_text() == "of yesterday"
        assert f"{out} is there already. Say --force" in capsys.readouterr().err
        assert main(call(given, server, "--results", str(out), "--force"), key(data)) == 0
        assert out.read_text().startswith("row,line")


def test_a_file_that_appears_while_it_sends_is_not_replaced(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"

    def decide(_: Received) -> bytes:
        out.write_text("of another")
        return OK

    with hostile(decides(decide)) as server:
        given = file(tmp_path, *good(2))
        assert main(call(given, server, "--results", str(out)), key(data)) == ExitCode.NO_RESULTS
    assert out.read_text() == "of another"
    told = capsys.readouterr()
    assert "is there already" in told.err
    assert "under History" in told.err
    assert told.out == "        2  accepted\n"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


# ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["send"], "send needs FILE, --event or --journey and --target; or --resume"),
        (["send", "a.csv"], "send needs --target"),
        (["send", "a.csv", "--target", "x", "--again", "--rest"], "not allowed with argument"),
        (["send", "a.csv", "--resume", "b_1"], "it takes no FILE"),
        (["send", "--resume", "--target", "x", "--rest"], "it takes no --target and no --rest"),
    ],
)
def test_a_call_that_says_two_things_is_2(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments, {})
    assert ended.value.code == ExitCode.UNREADABLE
    assert told in capsys.readouterr().err


def test_every_exit_code_is_in_the_help_of_send_and_in_the_one_table_for_scripts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert [code.value for code in ExitCode] == [0, 1, 2, 3, 4, 5, 6, 130, 141]
    with pytest.raises(SystemExit):
        main(["send", "--help"], {})
    shown = capsys.readouterr().out
    page = (ROOT / "docs" / "command-line.md").read_text()
    table = page.split("## Exit codes", 1)[1].split("\n## ", 1)[0]
    rows = dict(re.findall(r"^\| (\d+) \| (.+?) \|", table, re.MULTILINE))
    assert list(map(int, rows)) == [code.value for code in ExitCode]
    for code, meaning in EXIT_MEANINGS.items():
        assert f"{code.value:<4}{meaning}" in shown
        assert rows[str(code.value)] == meaning


def test_a_check_that_is_interrupted_says_so(tmp_path: Path) -> None:
    waiting = tmp_path / "never.csv"
    os.mkfifo(waiting)
    check = start("check", str(waiting))
    time.sleep(2)
    check.send_signal(signal.SIGINT)
    _, error = check.communicate(timeout=30)
    assert (check.returncode, error) == (ExitCode.INTERRUPTED, "Interrupted.\n")
