"""Files that were made to stop everybody: a tab takes one, and what another tab and the memory feel is measured."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.bench.attacks import attack
from tests.bench.bench_isolation import SMALL, draw_pages, read_resident_mb, take_files, watch_peak
from tests.bench.consoles import Console, Tab, console
from tests.bench.harness import ROOT, Figures
from tests.bench.largest_files import write_hostile_file

PAGE_SECONDS = 3.0
"""Seconds that a page of another tab may take at the most; in the attack everybody waited 12."""

MEMORY_RATIO = 1.3
"""By how much the console's memory may have grown when the tab is closed again; in the attack it was 3.6 GB."""

PEAK_MB = 1_000
"""Megabytes that the console itself may have meanwhile."""

GIVEN_BACK_SECONDS = 60
"""Seconds after which a closed tab's memory is given back."""

CHECK_MB = 1_500
"""Megabytes that ``check`` and all its processes may take."""


@attack("large_cell")
def large_cell(folder: Path) -> Figures:
    """A cell of 200 MB."""
    return _take_file(folder, "cell.csv")


@attack("large_line")
def large_line(folder: Path) -> Figures:
    """A line of 200 MB."""
    return _take_file(folder, "line.csv")


@attack("large_json_line")
def large_json_line(folder: Path) -> Figures:
    """A line of JSON of 200 MB."""
    return _take_file(folder, "line.jsonl")


@attack("many_columns")
def many_columns(folder: Path) -> Figures:
    """A table of 16,000 columns, which is a table: it may be planned."""
    return _take_file(folder, "wide.csv", may_be_planned=True)


@attack("large_cell_checked")
def large_cell_checked(folder: Path) -> Figures:
    """A cell of 200 MB on the command line: a sentence, exit code 2 or an error of the row, and bounded memory."""
    file = write_hostile_file(folder, "cell.csv")
    command = [sys.executable, "-m", "tests.bench.bench_attacks_files", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    held = figures["code"] in (1, 2) and "Traceback" not in figures["said"] and figures["peak_mb"] <= CHECK_MB
    return {"held": held, **figures}


def _take_file(folder: Path, name: str, *, may_be_planned: bool = False) -> Figures:
    file, small = write_hostile_file(folder, name), folder / "small.csv"
    small.write_text(SMALL)
    with console(folder / "data") as attacked:
        take_files(attacked, [small])  # what the first file needs is there
        longest, said, before, peak = asyncio.run(_attack(attacked, file))
        time.sleep(GIVEN_BACK_SECONDS)
        after = read_resident_mb(attacked.process.pid)
    answered = may_be_planned or said != "planned"
    held = answered and longest <= PAGE_SECONDS and after <= before * MEMORY_RATIO and peak <= PEAK_MB
    return {
        "held": held and "Traceback" not in attacked.log,
        "longest_page_s": longest,
        "before_mb": before,
        "peak_mb": peak,
        "after_mb": after,
        "said": " ".join(said.split()).replace("|", "/")[:200],
    }


async def _attack(attacked: Console, file: Path) -> tuple[float, str, float, float]:
    """One tab takes the file while another draws pages: the longest page, what was said, memory before, its peak."""
    results: dict[str, str] = {}
    async with Tab.open(attacked) as tab:
        await draw_pages(tab, lambda done: done < 9)  # everything is imported and compiled then
        before = read_resident_mb(attacked.process.pid)
        peak, stop = [before], threading.Event()
        reading = threading.Thread(target=lambda: results.update(take_files(attacked, [file])))
        watching = threading.Thread(target=watch_peak, args=(attacked.process.pid, peak, stop))
        watching.start()
        reading.start()
        taken = await draw_pages(tab, lambda _: reading.is_alive())
        reading.join()
        stop.set()
        watching.join()
    return max(taken) / 1000, results.get(file.name, "nothing"), before, max(peak)


def main() -> None:
    """The process that checks a file of its argument, and prints its exit code, its words and its memory."""
    import resource

    command = [sys.executable, "-m", "intempt_core", "check", sys.argv[1]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
    said = " ".join((done.stdout + done.stderr).split()).replace("|", "/")[:200]
    print(json.dumps({"code": done.returncode, "peak_mb": peak, "said": said}))


if __name__ == "__main__":
    main()
