"""What every benchmark is made of: its name and bound, medians, fresh processes, and files to measure on.

A benchmark is a function in a file ``bench_<topic>.py``::

    @bench("check.floor", at_most=4)
    def floor() -> Figures:
        ours, theirs = alternating(lambda: fresh(OURS, path), lambda: fresh(THEIRS, path))
        return {"ratio": ours / theirs, "ours_s": ours, "pandas_s": theirs}

Both sides are measured in the same run, side by side, so that a busy machine slows both.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

ROOT = Path(__file__).resolve().parents[2]

Figures: TypeAlias = Mapping[str, Any]
"""``ratio`` and the figures of both sides, named with their units: ``{"ratio": 1.2, "ours_s": 0.6, "bare_s": 0.5}``."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark: ``run`` gives its figures, whose ``ratio`` should be ``at_least`` or ``at_most`` so much."""

    name: str
    run: Callable[[], Figures]
    at_least: float | None = None
    at_most: float | None = None

    @property
    def bound(self) -> str:
        """What the ratio should be, in a few signs."""
        return (
            f"≥ {self.at_least:g}"
            if self.at_least is not None
            else f"≤ {self.at_most:g}"
            if self.at_most is not None
            else "–"
        )

    def reached(self, ratio: float) -> bool:
        """Whether a ratio keeps the bound."""
        return (self.at_least is None or ratio >= self.at_least) and (self.at_most is None or ratio <= self.at_most)


REGISTERED: dict[str, Benchmark] = {}
"""Every benchmark of the files that were imported, by name."""


def bench(
    name: str, *, at_least: float | None = None, at_most: float | None = None
) -> Callable[[Callable[[], Figures]], Callable[[], Figures]]:
    """Make a function a benchmark."""

    def register(run: Callable[[], Figures]) -> Callable[[], Figures]:
        REGISTERED[name] = Benchmark(name, run, at_least, at_most)
        return run

    return register


def alternating(*sides: Callable[[], float], times: int = 3) -> list[float]:
    """The median of each side, measured in turns: what disturbs the machine disturbs all sides."""
    taken: list[list[float]] = [[] for _ in sides]
    for _ in range(times):
        for side, some in zip(sides, taken, strict=True):
            some.append(side())
    return [statistics.median(some) for some in taken]


def fresh(reference: str, *arguments: Any) -> Any:
    """What ``module:function`` gives in a fresh process; arguments and answer are JSON. It measures itself."""
    _touch_memory()
    call = [sys.executable, "-m", "tests.bench.harness", reference, json.dumps(arguments)]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{reference} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def _touch_memory(megabytes: int = 1024) -> None:
    """Have the machine hand out memory once, before the clock starts.

    A virtual machine's host gives it a page when the page is first touched, which may take ten times as long as the
    measured work itself; what is freed here is what the next process gets.
    """
    bytearray(b"\x01") * (megabytes << 20)


def peak_mb(process: int | None = None) -> float:
    """The most resident memory that a process, this one by default, has had so far, in MB.

    Not ``ru_maxrss`` where there is better: it begins with what the parent of a process had.
    """
    status = Path(f"/proc/{process or 'self'}/status")
    if status.exists():
        return int(next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")).split()[1]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for one benchmark, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as path:
        yield Path(path)


def machine() -> str:
    """The kind of machine, for the head of a table."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    python = ".".join(map(str, sys.version_info[:3]))
    return f"{os.cpu_count()} shared cores, {memory:.0f} GiB, {sys.platform}, Python {python}"


def main() -> None:
    """The fresh process's side of :func:`fresh`."""
    reference, arguments = sys.argv[1:]
    module, _, name = reference.partition(":")
    print(json.dumps(getattr(import_module(module), name)(*json.loads(arguments))))


if __name__ == "__main__":
    main()
