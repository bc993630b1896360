"""Slow clients against real processes: a console on every kind of its routes, and a sandbox that is served alone."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import orjson
import pytest

import run
from intempt_core.web.slow_connections import SlownessLimits
from tests.bench.consoles import Console, console, screen
from tests.slow_clients import slow_clients, write_body_start, write_head

pytestmark = pytest.mark.long  # tests/core/web/test_slow_connections.py claims the same of a bare application

SLOW = 500
TRACK = "/v1/acme/projects/shop/sources/1001/track"
LIMITS = SlownessLimits()
MAX_DELAY_SECONDS = 2.0
"""How much later an honest request is answered at the most; on a machine that is busy otherwise, in proportion."""
MB = 1_000_000

ROUTES = ("/", "/history", "/healthz", "/_upload", "/_stcore/health", "/_stcore/stream", "/_stcore/host-config",
          "/_stcore/upload_file/session/file", "/static/x", "/sandbox" + TRACK, "/sandbox/_sandbox/events",
          "/sandbox/_sandbox/faults", "/password", "/nothing")  # fmt: skip

KINDS: dict[str, Callable[[str], bytes]] = {
    "heads": lambda path: write_head(path, method="GET"),
    "bodies": lambda path: write_body_start(path, 9_000_000),
    "uploads": lambda path: write_body_start(path, 400_000_000, 20_000, method="PUT"),
    "large bodies": lambda path: write_body_start(path, 9_000_000, 150_000),
}
"""How what they send begins."""


def track(size: int = 0) -> bytes:
    event = {"eventId": str(time.monotonic_ns()), "userId": "u1", "data": {"productId": "p1", "note": "x" * size}}
    return orjson.dumps({"track": [{"name": "Product viewed", "payload": [event]}]})


def send(url: str, size: int = 0) -> None:
    """Send one event, in a body of about so many bytes."""
    headers = {"content-type": "application/json"}
    answer = httpx.post(url, content=track(size), headers=headers, auth=("sandbox", "sandbox"), timeout=30)
    assert answer.status_code == 201


def measure(*asked: Callable[[], object]) -> float:
    """The seconds of the slowest of some honest requests, each on a connection of its own."""
    slowest = 0.0
    for ask in asked:
        began = time.monotonic()
        ask()
        slowest = max(slowest, time.monotonic() - began)
    return slowest


def read_process(pid: int) -> tuple[int, int]:
    """The open descriptors of a process, and its resident memory in bytes."""
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    resident = re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return descriptors, int(resident[0]) * 1_024


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with console(tmp_path_factory.mktemp("slow") / "data") as opened:
        screen(opened, "history")
        send(opened.url + "/sandbox" + TRACK, MB)
        yield opened
    assert "Traceback" not in opened.log


@contextmanager
def sandbox_alone(data: Path) -> Iterator[tuple[str, int]]:
    """A sandbox in a process of its own; the value is its URL and its process."""
    command = [sys.executable, "-m", "intempt_core", "sandbox", "--port", "0"]
    environment = {**os.environ, "CONSOLE_DATA": str(data)}
    with subprocess.Popen(command, cwd=run.ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            (url,) = re.findall(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
            yield url, process.pid
        finally:
            process.terminate()


def ask_console(running: Console) -> float:
    """The seconds of the slowest of what people and programs ask a console."""
    sandbox = running.url + "/sandbox" + TRACK
    return measure(
        lambda: httpx.get(f"{running.url}/healthz").raise_for_status(),
        lambda: httpx.get(f"{running.url}/_stcore/health").raise_for_status(),
        lambda: send(sandbox),
        lambda: send(sandbox, MB),
        lambda: screen(running, "history"),
    )


def ask_sandbox(url: str) -> float:
    """The seconds of the slower of a small and a large request."""
    return measure(lambda: send(url + TRACK), lambda: send(url + TRACK, MB))


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_waits_for_500_slow_clients_of_a_console(running: Console, kind: str) -> None:
    idle = max(ask_console(running) for _ in range(3))
    descriptors, resident = read_process(running.process.pid)
    beginnings = [KINDS[kind](ROUTES[number % len(ROUTES)]) for number in range(SLOW)]
    if kind == "large bodies":
        beginnings = [KINDS[kind]("/sandbox" + TRACK)] * SLOW
    with slow_clients(running.url, *beginnings) as slow:
        seconds = max(ask_console(running) for _ in range(4))
        assert seconds - idle < max(MAX_DELAY_SECONDS, 8 * idle)
        slow.wait_until_few(LIMITS.connections + 50)
        now_descriptors, now_resident = read_process(running.process.pid)
        assert now_descriptors - descriptors <= LIMITS.connections + 50
        assert now_resident - resident < 250 * MB
    time.sleep(1.0)
    assert read_process(running.process.pid)[0] - descriptors < 30


def test_slow_clients_of_a_console_are_closed_in_time(running: Console) -> None:
    beginnings = [KINDS[kind](route) for kind in KINDS for route in ROUTES]
    with slow_clients(running.url, *beginnings) as slow:
        seconds = slow.wait_until_closed(30)
        assert seconds < LIMITS.head_seconds + LIMITS.body_seconds


@pytest.mark.parametrize("kind", ["heads", "bodies", "large bodies"])
def test_nobody_waits_for_500_slow_clients_of_a_sandbox_that_is_served_alone(tmp_path: Path, kind: str) -> None:
    with sandbox_alone(tmp_path) as (url, process):
        idle = max(ask_sandbox(url) for _ in range(3))
        descriptors, resident = read_process(process)
        with slow_clients(url, *[KINDS[kind](TRACK)] * SLOW) as slow:
            seconds = max(ask_sandbox(url) for _ in range(5))
            assert seconds - idle < max(MAX_DELAY_SECONDS, 8 * idle)
            slow.wait_until_few(LIMITS.connections + 50)
            now_descriptors, now_resident = read_process(process)
            assert now_descriptors - descriptors <= LIMITS.connections + 50
            assert now_resident - resident < 250 * MB


def test_a_large_body_waits_for_no_slow_ones_that_hold_all_the_memory(tmp_path: Path) -> None:
    """More than the sandbox holds in memory, sent as fast as it takes it, and then nothing."""
    with sandbox_alone(tmp_path) as (url, process):
        idle = max(measure(lambda: send(url + TRACK, 9 * MB)) for _ in range(3))
        _, resident = read_process(process)
        with slow_clients(url, *[write_body_start(TRACK, 9_900_000, 9_000_000)] * 12, drop=b""):
            seconds = measure(*[lambda: send(url + TRACK, 9 * MB)] * 3)
            assert seconds - idle < max(MAX_DELAY_SECONDS, 8 * idle)
            grown = read_process(process)[1] - resident
            assert grown < 300 * MB
