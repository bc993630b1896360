"""The whole command ``send``: how much memory its processes hold together."""

import os
import resource
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.bench.event_files import write
from tests.bench.harness import ROOT, Figures, bench, folder, fresh
from tests.bench.track_server import track_server

FEW, MANY = 10_000, 1_000_000
SAMPLE_SECONDS = 0.02
HERE = "tests.bench.bench_command"


@bench("command.memory", at_most=4)
def memory() -> Figures:
    """Peak resident memory of ``send FILE --yes``, a million events over ten thousand; a server without latency.

    It is that of all its processes: what ``/proc`` says of each, added up fifty times a second, or what the system says
    of the largest (``ru_maxrss``) where that is more.
    """
    peaks: dict[int, dict[str, float]] = {}
    with track_server() as url, folder() as files:
        for events in (FEW, MANY):
            path = write(files / f"{events}.csv", events, 0.0).path
            with folder() as data:
                peaks[events] = fresh(f"{HERE}:sent", str(path), str(data), url)
    largest = {events: max(found["sum_mb"], found["largest_mb"]) for events, found in peaks.items()}
    return {
        "ratio": largest[MANY] / largest[FEW],
        "million_mb": largest[MANY],
        "ten_thousand_mb": largest[FEW],
        **{f"million_{name}": value for name, value in peaks[MANY].items()},
        **{f"ten_thousand_{name}": value for name, value in peaks[FEW].items()},
    }


def sent(path: str, data: str, url: str) -> dict[str, float]:
    """Send a file by the command, and watch its processes; a fresh process, so that ``ru_maxrss`` knows no others."""
    environment = {**os.environ, "CONSOLE_DATA": data, "CONSOLE_SANDBOX": url}
    command = [sys.executable, "-m", "intempt_core", "send", path, "--target", "sandbox", "--yes"]
    began, peak = time.perf_counter(), 0
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(_read_resident_bytes, _find_family(process.pid))))
            time.sleep(SAMPLE_SECONDS)
    if process.returncode:
        raise RuntimeError(f"send ended with {process.returncode}")
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return {"sum_mb": peak / 1e6, "largest_mb": largest / 1e6, "s": time.perf_counter() - began}


def _find_family(parent: int) -> list[int]:
    """A process and all that it has started, and these."""
    found = [parent]
    for process in found:
        with suppress(OSError):
            for task in Path(f"/proc/{process}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def _read_resident_bytes(process: int) -> int:
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0
