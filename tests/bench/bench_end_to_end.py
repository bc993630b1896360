"""A million events, counted from where a person starts to wait: ``send FILE`` from its start to its end.

The clock of the other sending benchmarks starts at the first byte. This one has reading, checking, planning and
recording before it.
"""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from intempt_core.targets import sandbox_target
from tests.bench.bench_check import mapped_and_checked
from tests.bench.bench_send import post_by_wrk
from tests.bench.event_files import write
from tests.bench.harness import ROOT, Figures, bench, folder, fresh
from tests.bench.track_server import track_server

EVENTS = 1_000_000
LATENCY_MS = 20
WRK_SECONDS = 10
HERE = "tests.bench.bench_end_to_end"


@bench("send.end_to_end", at_most=2.2)
def end_to_end() -> Figures:
    """Start of the process to its exit, over wrk posting the same bodies over 16 connections; 20 ms latency."""
    with _file() as path, track_server(LATENCY_MS) as url, folder() as data:
        sent = fresh(f"{HERE}:send_file", str(path), str(data / "console"), url)
        bodies = data / "bodies"
        requests = int(fresh(f"{HERE}:write_bodies", str(path), str(bodies)))
        wrk_s = requests / post_by_wrk(url, bodies, WRK_SECONDS)
    return {
        "ratio": sent["total_s"] / wrk_s,
        "send_s": sent["total_s"],
        "wrk_s": wrk_s,
        "first_byte_s": sent["first_s"],
        "recorded_s": sent["recorded_s"],
        "requests": requests,
        "events": EVENTS,
        "latency_ms": LATENCY_MS,
    }


@bench("send.first", at_most=3)
def first() -> Figures:
    """Start of the process to the first byte of a million events, over reading and checking the file alone."""
    with _file() as path, track_server(LATENCY_MS) as url, folder() as data:
        checked_s = float(fresh(f"{HERE}:check_file", str(path)))
        sent = fresh(f"{HERE}:send_file", str(path), str(data / "console"), url, True)
    return {"ratio": sent["first_s"] / checked_s, "first_s": sent["first_s"], "check_s": checked_s, "events": EVENTS}


@contextmanager
def _file() -> Iterator[Path]:
    with folder() as files:
        yield write(files / "events.csv", EVENTS, 0.0).path


# ── the sides, each in a fresh process ───────────────────────────────────────────────────────────────────────────────


def send_file(path: str, data: str, url: str, ends_at_first: bool = False) -> dict[str, float]:
    """Send a file by the command; seconds from its start to its first byte, to the end of recording, to its exit."""
    target = sandbox_target(url)  # named by its URL: by its name the command would serve a sandbox itself
    environment = {**os.environ, "CONSOLE_DATA": data, "INTEMPT_API_KEY": "sandbox.sandbox"}
    command = [sys.executable, "-m", "intempt_core", "send", path, "--target", target.track_url, "--yes"]
    began_at, began = time.time(), time.perf_counter()
    recorded_s = first_s = 0.0
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            time.sleep(0.1 if not first_s else 1)
            if not first_s:
                first_s = _ask(data, "SELECT min(started_at) / 1000.0 FROM attempts") - began_at
                first_s = max(first_s, 0.0)
            elif ends_at_first:
                process.terminate()
                break
            if not recorded_s and _ask(data, "SELECT count(*) FROM batches WHERE recorder = ''"):
                recorded_s = time.perf_counter() - began
    total_s = time.perf_counter() - began
    if process.returncode and not ends_at_first:
        raise RuntimeError(f"send ended with {process.returncode}")
    return {"total_s": total_s, "first_s": first_s, "recorded_s": recorded_s}


def check_file(path: str) -> float:
    """Seconds of the command that reads a file and checks it, from its start to its exit."""
    command = [sys.executable, "-m", "intempt_core", "check", path]
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def write_bodies(path: str, out: str) -> int:
    """Write the bodies of the file's plan, one a line, as wrk reads them; how many there are."""
    from intempt_core.planning.plan import plan_table

    mapped, report = mapped_and_checked(path)
    plan = plan_table(mapped, (~report.error_mask).nonzero()[0])
    with Path(out).open("wb") as file:
        for block in plan.iter_blocks():
            file.writelines(body + b"\n" for body in block.bodies)
    return len(plan.requests)


def _ask(data: str, query: str) -> float:
    """The number that a query of the command's history gives; 0 while there is none."""
    try:
        with closing(sqlite3.connect(f"file:{data}/history.sqlite3?mode=ro", uri=True)) as connection:
            (found,) = connection.execute(query).fetchone()
    except sqlite3.OperationalError:
        return 0.0
    return float(found or 0)


def main() -> None:
    """For a profiler: one send of so many events, without the other side."""
    with folder() as files, track_server(LATENCY_MS) as url:
        path = write(files / "events.csv", int(sys.argv[1]), 0.0).path
        print(json.dumps(send_file(str(path), str(files / "console"), url)))


if __name__ == "__main__":
    main()
