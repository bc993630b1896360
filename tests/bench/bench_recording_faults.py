"""Faults while a file is recorded: ``python3 run.py bench faults.recording``. ``docs/reliability.md`` tells of them.

The command ``send`` records a large file, and a process beside it sends what is recorded, to a sandbox in another one.
Something happens before all is recorded, and in the end the rest is sent as a person is told to. Then what the sandbox
truly received is held against history and against the screens of all batches.
"""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass

from tests.bench.bench_faults import fill_disk, small_disk
from tests.bench.consoles import console, screen
from tests.bench.fault_scenarios import PER_REQUEST, PERSONS, Scene, scene, until
from tests.bench.harness import ROOT, Figures, bench
from tests.bench.reconciliation import reckon
from tests.child_processes import find_child

EVENTS = 60_000
PADDING = 60
"""Characters of a column that is not sent, so that the file is a large one."""


@dataclass
class Recording:
    """A scene in which the command line sends a file."""

    at: Scene
    call: list[str]
    environment: dict[str, str]

    @classmethod
    def start(cls, at: Scene, events: int) -> "Recording":
        """Write the file."""
        from intempt_core.targets.target import sandbox_target

        file = at.sandbox.data.parent / "events.csv"
        with file.open("w") as out:
            out.write("name,eventId,userId,productId,timestamp,remark\n")
            for number in range(events):
                person = number % PERSONS
                out.write(f"Product viewed,e{number},u{person},p{number},1700000000000,{'x' * PADDING}\n")
        url = sandbox_target(at.sandbox.url).track_url
        key = {"INTEMPT_API_KEY": "sandbox.sandbox", "CONSOLE_DATA": str(at.data), "PATH": os.environ["PATH"]}
        more = {"CONSOLE_EVENTS_PER_REQUEST": str(PER_REQUEST), "CONSOLE_BACKOFF_SECONDS": "0.05"}
        return cls(at, ["send", str(file), "--target", url, "--yes", "--rest"], {**key, **more})

    def send(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a ``send``: of what is left of the file, or as the arguments say."""
        command = [sys.executable, "-m", "intempt_core", *(arguments or self.call)]
        return subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def newest(self) -> tuple[str, int, int]:
        """The newest batch: its id, and how many events of it are recorded and still to be recorded."""
        asked = (
            "SELECT id, (SELECT coalesce(sum(events), 0) FROM requests WHERE batch = number), unrecorded FROM batches"
            " ORDER BY number DESC LIMIT 1"
        )
        with suppress(sqlite3.OperationalError), self._open() as connection:
            found = connection.execute(asked).fetchone()
            if found is not None:
                return str(found[0]), int(found[1]), int(found[2])
        return "", 0, 0

    def until_recorded(self, events: int, known: str = "") -> str:
        """Wait until so many events of a new batch, and not all, are recorded; its id."""
        until(lambda: self.newest()[0] not in ("", known) and self.newest()[1] >= events)
        batch, _, unrecorded = self.newest()
        if not unrecorded:
            raise RuntimeError("It was recorded before anything could happen to it.")
        return batch

    def _open(self) -> "closing[sqlite3.Connection]":
        return closing(sqlite3.connect(f"file:{self.at.file}?mode=ro", uri=True, timeout=30))

    def owners_are_gone(self) -> bool:
        """Whether no process sends or records any batch."""
        from intempt_core.dispatch.process_locks import is_owner_alive

        with self._open() as connection:
            owners = {owner for row in connection.execute("SELECT owner, recorder FROM batches") for owner in row}
        return not any(is_owner_alive(self.at.data, owner) for owner in owners)

    def end(self, sender: "subprocess.Popen[str]") -> int:
        """Wait for a ``send``: its exit code."""
        sender.communicate(timeout=600)
        return sender.returncode

    def reckoned(self, **more: object) -> Figures:
        """The end: what became of all events, with what the screens of all batches say of them."""
        with self._open() as connection:
            batches = [str(row[0]) for row in connection.execute("SELECT id FROM batches ORDER BY number")]
        with console(self.at.data, self.at.environment) as running:
            shown = [screen(running, "history", f"batch={batch}").words for batch in batches]
        found = reckon(self.at.file, batches, self.at.sandbox.received(), shown)
        return {**found.figures, "batches": len(batches), **more}


@bench("faults.recording_killed", at_most=0)
def recording_killed(events: int = EVENTS, kills: int = 20) -> Figures:
    """``send`` is killed (SIGKILL) at 20 random moments of recording, with the process that sends or without it."""
    rng, both = random.Random(11), 0
    with scene() as at:
        given, known = Recording.start(at, events), ""
        for _ in range(kills):
            sender = given.send()
            known = given.until_recorded(rng.randrange(1, events // 2 // kills), known)
            child = find_child(sender.pid, "dispatch.sending_child") if rng.random() < 0.5 else 0
            for pid in filter(None, (sender.pid, child)):
                os.kill(pid, signal.SIGKILL)
            both += bool(child)
            sender.communicate()
            until(given.owners_are_gone)
        code = given.end(given.send())
        return given.reckoned(kills=kills, with_the_sending_process=both, exit_code=code)


@bench("faults.recording_disk_full", at_most=0)
def recording_disk_full(events: int = EVENTS, seconds: float = 5.0) -> Figures:
    """The disk (a small file system in memory) is full before all is recorded, until something is taken away."""
    with small_disk(megabytes=64) as disk, scene(disk / "console") as at:
        given, ballast = Recording.start(at, events), disk / "ballast"
        fill_disk(ballast)
        os.truncate(ballast, ballast.stat().st_size - 6 * 2**20)
        sender = given.send()
        given.until_recorded(1)
        until(lambda: _stands(given, 2.0) == (0, 0))
        recorded, stood = given.newest()[1], _stands(given, seconds)
        ballast.unlink()
        began = time.monotonic()
        code = given.end(sender)
        took = round(time.monotonic() - began, 1)
        return given.reckoned(
            recorded_when_full=recorded, recorded_while_full=stood[0], sent_while_full=stood[1], exit_code=code,
            finished_after_s=took,
        )  # fmt: skip


@bench("faults.recording_locked", at_most=0)
def recording_locked(events: int = EVENTS, times: int = 3, seconds: float = 12.0) -> Figures:
    """Another program holds history's write lock while it is recorded, three times for 12 s."""
    with scene() as at:
        given = Recording.start(at, events)
        sender, stood = given.send(), list[tuple[int, int]]()
        for number in range(times):
            given.until_recorded(1 + number * events // (4 * times))
            with closing(sqlite3.connect(at.file, isolation_level=None, timeout=30)) as other:
                other.execute("BEGIN IMMEDIATE")
                time.sleep(1)
                stood.append(_stands(given, seconds - 1))
                other.execute("ROLLBACK")
        code = given.end(sender)
        recorded, sent = (sum(one[index] for one in stood) for index in (0, 1))
        return given.reckoned(
            locked_s=times * seconds, recorded_while_locked=recorded, sent_while_locked=sent, exit_code=code
        )


@bench("faults.recording_paused", at_most=0)
def recording_paused(events: int = EVENTS) -> Figures:
    """A person pauses the batch while it is recorded; it is recorded to its end, and goes on by ``--resume``."""
    with scene() as at:
        given = Recording.start(at, events)
        batch, code = _decide_after(given, events // 10, "paused")
        recorded, before = given.newest()[1], len(at.sandbox.received())
        resumed = given.end(given.send("send", "--resume", batch, "--yes"))
        return given.reckoned(exit_code=code, recorded=recorded, sent_before_it_went_on=before, resumed=resumed)


@bench("faults.recording_cancelled", at_most=0)
def recording_cancelled(events: int = EVENTS) -> Figures:
    """A person cancels the batch while it is recorded; then the rest of the file is sent after all."""
    with scene() as at:
        given = Recording.start(at, events)
        _, code = _decide_after(given, events // 10, "cancelled")
        recorded, before = given.newest()[1], len(at.sandbox.received())
        rest = given.end(given.send())
        return given.reckoned(exit_code=code, recorded=recorded, sent_before_it_was_cancelled=before, rest=rest)


def _decide_after(given: Recording, events: int, state: str) -> tuple[str, int]:
    """Send, and let a person change the batch's state when so much of it is recorded; the batch, and the exit code."""
    from intempt_core.history import BatchState

    sender = given.send()
    batch = given.until_recorded(events)
    given.at.history.control.set_state(batch, BatchState(state), f"A person {state} it.")
    return batch, given.end(sender)


def _stands(given: Recording, seconds: float) -> tuple[int, int]:
    """How many events are recorded, and how many reach the sandbox, in some seconds."""
    recorded, sent = given.newest()[1], len(given.at.sandbox.received())
    time.sleep(seconds)
    return given.newest()[1] - recorded, len(given.at.sandbox.received()) - sent
