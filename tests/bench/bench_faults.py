"""Faults that are caused to a real console: ``python3 run.py bench faults``. ``docs/reliability.md`` tells of them.

A console in a process of its own sends a batch to a sandbox in another, on real databases, and something happens to
one of them. Afterwards what the sandbox truly received is held against history and against the screen. The ratio is
the number of events (or persons) for which anything is wrong, and is to be 0.
"""

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from intempt_core.errors import HistoryUnavailable
from tests.bench.consoles import screen
from tests.bench.fault_scenarios import Scene, scene, until
from tests.bench.harness import ROOT, Figures, bench, folder
from tests.bench.lossy_proxy import FAULTS, TOO_MANY

PATIENT = {"CONSOLE_READ_SECONDS": "0.5", "CONSOLE_TRIES": "30"}
"""Where something happens to six of ten requests: silence is known soon, and a request is tried often."""


@bench("faults.kill", at_most=0)
def kill(requests: int = 10_000, kills: int = 20) -> Figures:
    """The console is killed (SIGKILL) at 20 random moments of a batch of 10,000 requests."""
    rng = random.Random(7)
    with scene() as at:
        at.record(requests)
        for moment in sorted(rng.sample(range(requests // 50, requests * 95 // 100), kills)):
            running = at.console(wait=False)
            at.until_through(moment)
            time.sleep(rng.random() * 0.05)
            running.kill()
        return _to_the_end(at, kills=kills)


@bench("faults.thaw", at_most=0)
def thaw(requests: int = 2_000) -> Figures:
    """The console is frozen (SIGSTOP), its work is taken over, and it thaws while another process sends."""
    from intempt_core.dispatch import Dispatcher, SendingEnvironment
    from intempt_core.settings import Settings
    from intempt_core.targets.target import sandbox_target

    with scene() as at:
        at.record(requests)
        running = at.console()
        at.until_through(requests // 5)
        until(lambda: _taken_over(at, running.process))
        lost = at.history.queue.in_flight_to_unknown(at.batch, owner="thief")
        target = sandbox_target(at.environment["CONSOLE_SANDBOX"])
        thief = Dispatcher(
            at.history, SendingEnvironment(Settings(data=at.data), lambda _: target), owner="thief", adopts=False
        )
        thief.start()
        at.until_through(requests // 2)
        running.process.send_signal(signal.SIGCONT)
        until(at.is_over)
        thief.stop()
        figures = at.reckoned(running, on_their_way_when_frozen=lost)
        running.stop()
        return figures


@bench("faults.disk_full", at_most=0)
def disk_full(requests: int = 2_000) -> Figures:
    """The disk is full for some seconds: a small file system that a ballast fills, until it is taken away."""
    with small_disk(megabytes=48) as disk, scene(disk / "console") as at:
        at.record(requests)
        running = at.console()
        at.until_through(requests // 10)
        ballast = disk / "ballast"
        fill_disk(ballast)
        said = _until_said(at, "disk is full")
        stood = _stands(at)
        ballast.unlink()
        return _to_the_end(at, running, said_after_s=said, sent_while_full=stood)


@bench("faults.locked", at_most=0)
def locked(requests: int = 2_000, times: int = 3, seconds: float = 12.0) -> Figures:
    """Another program holds history's write lock, three times for 12 s."""
    with scene() as at:
        at.record(requests)
        running = at.console()
        stood = []
        for time_ in range(times):
            at.until_through(requests * (time_ + 1) // (times + 2))
            with closing(sqlite3.connect(at.file, isolation_level=None, timeout=30)) as other:
                other.execute("BEGIN IMMEDIATE")
                time.sleep(1)
                stood.append(_stands(at, seconds - 1))
                other.execute("ROLLBACK")
        return _to_the_end(at, running, locked_s=times * seconds, sent_while_locked=sum(stood))


@bench("faults.answers", at_most=0)
def answers(requests: int = 2_000) -> Figures:
    """A tenth each of 429, 500, 500 after storing, no answer after storing, resets after storing, slow bodies."""
    with scene(faults=FAULTS, environment=PATIENT) as at:
        at.record(requests)
        figures = _to_the_end(at, at.console())
        return {**figures, **{name or "no fault": count for name, count in sorted(at.caused.items())}}


@bench("faults.stop", at_most=0)
def stop(requests: int = 2_000) -> Figures:
    """The same answers under *stop*: lanes stand at what is unknown until a person decides that it is sent again."""
    from intempt_core.history import BatchState
    from intempt_core.planning.plan import Policy

    with scene(faults=FAULTS, environment=PATIENT) as at:
        at.record(requests, Policy.STOP)
        running = at.console()
        until(lambda: at.history.queries.batch(at.batch).state is BatchState.STOPPED)
        undecided = at.reckoned(running)
        overtaken, decisions = at.overtaken(), _decide(at)
        figures = _to_the_end(at, running, overtaken=overtaken, doubles_undecided=undecided["doubles"])
        wrong = figures["ratio"] + undecided["ratio"] + undecided["doubles"] + overtaken
        return {**figures, "ratio": wrong, "arrived_undecided": undecided["arrived"], "decisions": decisions}


@bench("faults.go_on", at_most=0)
def go_on(requests: int = 2_000) -> Figures:
    """The same answers under *go on*: what is unknown stays unknown, and no event comes twice."""
    from intempt_core.planning.plan import Policy

    with scene(faults=FAULTS, environment=PATIENT) as at:
        at.record(requests, Policy.GO_ON)
        running = at.console()
        figures = _to_the_end(at, running, decisions=_decide(at, send_again=False))
        return {**figures, "ratio": figures["ratio"] + figures["doubles"]}


@bench("faults.target_dies", at_most=0)
def target_dies(requests: int = 2_000, seconds: float = 60.0) -> Figures:
    """The target's process is killed in the middle, and is back after a minute; then a person lets the batch go on."""
    with scene() as at:
        at.record(requests)
        running = at.console()
        at.until_through(requests // 3)
        at.sandbox.kill()
        time.sleep(seconds)
        said = at.history.queries.batch(at.batch).reason
        at.sandbox.start()
        return _to_the_end(at, running, away_s=seconds, said=said, decisions=_decide(at))


@bench("faults.clock_jumps", at_most=0)
def clock_jumps(requests: int = 2_000) -> Figures:
    """The clock of the process that sends jumps by hours, ahead and back, twice a second, while answers say 429."""
    with scene(faults=[TOO_MANY] * 3) as at:
        at.record(requests)
        command = [sys.executable, "-m", "tests.bench.jumping_clock", str(at.data), at.environment["CONSOLE_SANDBOX"]]
        with subprocess.Popen(command, cwd=ROOT) as sender:
            until(at.is_over)
            sender.terminate()
        return _to_the_end(at, told_to_come_again=at.caused[TOO_MANY])


def _taken_over(at: Scene, process: "subprocess.Popen[bytes]") -> bool:
    """Freeze the process and take its batch over, as on a machine that lost its locks; or let it run on.

    Frozen within a transaction it would lock everybody out of SQLite.
    """
    owner = at.owner()
    process.send_signal(signal.SIGSTOP)
    try:
        if at.history.queue.claim(at.batch, "thief", owner):
            return True
        raise RuntimeError("The batch could not be taken over.")
    except HistoryUnavailable:
        process.send_signal(signal.SIGCONT)
        return False


def _decide(at: Scene, *, send_again: bool = True) -> int:
    """Let the batch go on whenever it stands, until it is done; how often.

    What was not sent or is unknown is sent again, or not.
    """
    from intempt_core.history import BatchState, RequestState

    again, decisions, began = (
        {RequestState.NOT_SENT, RequestState.UNKNOWN} if send_again else set(),
        0,
        time.monotonic(),
    )
    while not at.is_over():
        found = at.history.queries.batch(at.batch)
        if found.state in (BatchState.PAUSED, BatchState.STOPPED):
            at.history.control.resume(at.batch, retry_states=again)
            decisions += 1
        if time.monotonic() - began > 600:
            raise RuntimeError(f"The batch is {found.state} for ten minutes. {found.reason}")
        time.sleep(0.2)
    return decisions


# ── what the faults share ────────────────────────────────────────────────────────────────────────────────────────────


def _to_the_end(at: Scene, running: object = None, **more: object) -> Figures:
    """Let a console finish the batch, and reckon."""
    from tests.bench.consoles import Console

    console = running if isinstance(running, Console) else at.console()
    try:
        took = until(at.is_over)
    except RuntimeError as error:
        found = at.history.queries.batch(at.batch)
        raise RuntimeError(f"The batch is {found.state}. {found.reason}") from error
    figures = at.reckoned(console, finished_after_s=round(took, 1), **more)
    console.stop()
    return figures


def _until_said(at: Scene, words: str) -> float:
    """Wait until the batch's screen says so; s."""
    running = at.running
    if running is None:
        raise RuntimeError("There is no console.")
    return round(until(lambda: words in screen(running, "history", f"batch={at.batch}").words, 60), 1)


def _stands(at: Scene, seconds: float = 2.0) -> int:
    """Events that reach the sandbox in some seconds in which nothing can be recorded: of no more than one request a
    lane, which was on its way.
    """
    before = len(at.sandbox.received())
    time.sleep(seconds)
    return len(at.sandbox.received()) - before


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of its own in memory; needs the right to mount one."""
    with folder() as where:
        disk = where / "disk"
        disk.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(disk)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise FileNotFoundError(f"a small file system, which only root may mount: {done.stderr.strip()}")
        try:
            yield disk
        finally:
            subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill_disk(file: Path) -> None:
    """Write until nothing more fits."""
    with file.open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        for size in (2**20, 2**12):
            with contextlib.suppress(OSError):
                while ballast.write(os.urandom(size)) == size:
                    pass
