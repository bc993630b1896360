"""What every attack of ``python3 run.py bench attacks`` is made of: a console of its own, and 0 where it held.

An attack is a function that carries it out in a folder of its own and says whether it held, with figures::

    @attack("hosts")
    def hosts(folder: Path) -> Figures:
        with console(folder / "data") as attacked:
            statuses = ask_by_other_hosts(attacked)
        return {"held": set(statuses) <= {400, 403}, "asked": statuses.total()}

Where a test carries an attack out already, its name is enough: see :func:`repeat_tests`.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import run
from tests.bench.harness import ROOT, Figures, bench, folder

PREFIX = "attacks."
TESTS_SECONDS = 900
"""Seconds that the tests of one attack may take."""

MAX_REASON_CHARS = 200


def attack(name: str) -> Callable[[Callable[[Path], Figures]], Callable[[Path], Figures]]:
    """Make a function a benchmark of an attack; ``held`` of its figures decides the ratio, an error is no defence."""

    def register(carry_out: Callable[[Path], Figures]) -> Callable[[Path], Figures]:
        def measure() -> Figures:
            began = time.monotonic()
            with folder() as where:
                try:
                    figures = dict(carry_out(where))
                except FileNotFoundError:
                    raise  # something that is needed is not there: the harness names it
                except Exception as error:  # noqa: BLE001  whatever it is, the attack has not held
                    figures = {"held": False, "reason": describe(error)}
            return {
                "ratio": 0 if figures.pop("held") else 1,
                **figures,
                "took_s": round(time.monotonic() - began, 1),
            }

        bench(PREFIX + name, at_most=0)(measure)
        return carry_out

    return register


def describe(error: BaseException) -> str:
    """An error in one line, without what would break a table."""
    text = " ".join(f"{type(error).__name__}: {error}".split()).replace("|", "/")
    return text if len(text) <= MAX_REASON_CHARS else text[:MAX_REASON_CHARS] + "…"


def repeat_tests(tests: Sequence[str]) -> Figures:
    """Run tests that carry an attack out, in a process of its own; it held where each of them passes."""
    environment = {**os.environ, "CHROMIUM": os.environ.get("CHROMIUM") or run.find_installed_chromium() or ""}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=line", *tests]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TESTS_SECONDS, check=False
    )
    counts = {word: int(count) for count, word in re.findall(r"(\d+) (passed|failed|error|skipped)", done.stdout)}
    held = done.returncode == 0 and counts.get("passed", 0) >= len(tests) and "skipped" not in counts
    if held:
        return {"held": True, "tests": counts["passed"]}
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith(("FAILED", "ERROR", "E "))]
    return {"held": False, "tests": counts.get("passed", 0), "reason": describe(RuntimeError("; ".join(lines)))}
