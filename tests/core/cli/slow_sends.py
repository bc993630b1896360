"""A ``send`` whose recording takes a while, and which a process of its own sends, as a large file: for tests."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from intempt_core.dispatch.process_locks import is_owner_alive
from intempt_core.history import BatchSummary, History
from tests.core.cli.terminals import ROOT
from tests.core.transport.fault_server import HostileServer

SLOW_RECORDING = """
import importlib, runpy, sys, time
from intempt_core.history import RequestBlock
sending, send = (importlib.import_module(f"intempt_core.cli.sends.{name}") for name in ("sending", "send"))
pause = float(sys.argv.pop(1))
def record_slowly(plan):
    for block in plan.iter_blocks(20):
        yield RequestBlock.from_plan(block)
        time.sleep(pause)
sending.OWN_PROCESS_BYTES, send.make_request_blocks = 0, record_slowly
runpy.run_module("intempt_core", run_name="__main__")
"""
"""Runs the command with pieces of about 20 events, and a pause of the first argument's seconds after each."""


def start_slowly(
    pause: float, arguments: list[str], environment: dict[str, str], *, output: int = subprocess.PIPE
) -> "subprocess.Popen[str]":
    """Start it without a terminal; a pipe that is not read holds it up once 64 kB of warnings are in it."""
    return subprocess.Popen(
        [sys.executable, "-c", SLOW_RECORDING, str(pause), *arguments],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", "PYTHONUTF8": "1", **environment},
        stdin=subprocess.DEVNULL, stdout=output, stderr=output, text=True, start_new_session=True,
    )  # fmt: skip


def wait_until(holds: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


def wait_for_owners(history: History, data: Path) -> None:
    """Wait until no process sends any batch of a history."""
    owners = {batch.owner for batch in history.queries.batches().items}
    wait_until(lambda: not any(is_owner_alive(data, owner) for owner in owners))


def find_newest(history: History) -> BatchSummary | None:
    """The batch that was recorded last."""
    return next(iter(history.queries.batches().items), None)


def kill(process: "subprocess.Popen[str]", *others: int) -> None:
    """Kill a command, and other processes with it, at once."""
    for pid in (process.pid, *others):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate()


def list_arrivals(server: HostileServer) -> list[tuple[str, str]]:
    """Every event that a server has read, as (event id, user id), in order of arrival."""
    return [(event, user) for received in server.received for event, user in _list_events(received.body)]


def _list_events(body: bytes) -> Iterator[tuple[str, str]]:
    for group in json.loads(body)["track"]:
        for item in group["payload"]:
            yield item["eventId"], item["userId"]


def count_doubles(events: list[str]) -> dict[str, int]:
    """The events that came more than once."""
    return {event: count for event, count in Counter(events).items() if count > 1}


def assert_persons_in_order(arrived: list[tuple[str, str]]) -> None:
    """Each person's events came in the file's order, in which they are numbered."""
    persons: dict[str, list[int]] = {}
    for event, user in dict.fromkeys(arrived):
        persons.setdefault(user, []).append(int(event[1:]))
    for user, numbers in persons.items():
        assert numbers == sorted(numbers), user
