"""How long a command or a program waits for imports, over those of the three libraries that both need most."""

import subprocess
import sys
import time
from pathlib import Path

from tests.bench.harness import ROOT, Figures, alternating, bench, folder

LIBRARIES = ("-c", "import httpx, pydantic, pyarrow")
TURNS = 11
EVENTS = """\
name,eventId,userId,productId,timestamp,price
Product viewed,e1,u1,SKU_1,2026-10-01 10:00:00,12.50
Added to cart,e2,u1,SKU_1,2026-10-01 10:01:00,12.50
Product ordered,e3,u1,SKU_1,2026-10-01 10:05:00,12.50
view,e3,,SKU_2,yesterday,12.50
"""


@bench("import.core", at_most=0.7)
def import_core() -> Figures:
    """``import intempt_core`` over importing httpx, pydantic and pyarrow, fresh processes, from start to exit."""
    ours, theirs = alternating(
        lambda: run_python("-c", "import intempt_core"), lambda: run_python(*LIBRARIES), times=TURNS
    )
    return {"ratio": ours / theirs, "ours_s": ours, "libraries_s": theirs}


@bench("cli.check", at_most=1.6)
def check_small_file() -> Figures:
    """``check`` on a file of four rows, one of them wrong, over the same imports, from start to exit."""
    with folder() as where:
        file = where / "events.csv"
        file.write_text(EVENTS)
        ours, theirs = alternating(lambda: run_check(file), lambda: run_python(*LIBRARIES), times=TURNS)
    return {"ratio": ours / theirs, "ours_s": ours, "libraries_s": theirs}


def run_check(file: Path) -> float:
    """Seconds of a check that finds errors, with a data folder of its own."""
    return run_python("-m", "intempt_core", "check", str(file), expected=1, CONSOLE_DATA=str(file.parent / "data"))


def run_python(*arguments: str, expected: int = 0, **environment: str) -> float:
    """Seconds of a fresh Python from start to exit."""
    began = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, check=False)
    taken = time.perf_counter() - began
    if done.returncode != expected:
        raise RuntimeError(f"{arguments} ended with {done.returncode}:\n{done.stderr.decode()}")
    return taken
