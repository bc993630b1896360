"""One file does not stop everybody: another tab's screens, and the console's memory, while the largest files are read.

Each file is taken by a tab of a real browser as far as it can be: read, checked, planned; or rejected with a sentence.
"""

import asyncio
import gc
import re
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.consoles import Console, Tab, console
from tests.bench.harness import Figures, bench, folder
from tests.bench.largest_files import LARGEST_MB, write_largest_files

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCALE = 0.1
"""How large the files are, over the largest that are taken: with files of 500 MB each of these takes an hour."""

IDLE_PAGES = 120
GIVEN_BACK_SECONDS = 60
"""Within what time after a tab was closed its memory must be given back."""

FILE_SECONDS = 900
SMALL = "name,eventId,userId,productId\n" + "".join(f"Product viewed,e{n},u{n},p{n}\n" for n in range(500))


@bench("upload.neighbours", at_most=3)
def neighbours() -> Figures:
    """The 95th percentile of another tab's page while the largest files are read, checked and planned, over idle."""
    with folder() as where, _console_with_files(where) as (running, files):
        return asyncio.run(_measure_neighbours(running, files))


async def _measure_neighbours(running: Console, files: Sequence[Path]) -> Figures:
    async with Tab.open(running) as tab:
        await draw_pages(tab, lambda done: done < 9)  # everything is imported and compiled then
        idle = await draw_pages(tab, lambda done: done < IDLE_PAGES)
        results: dict[str, str] = {}
        reading = threading.Thread(target=lambda: results.update(take_files(running, files)))
        reading.start()
        busy = await draw_pages(tab, lambda _: reading.is_alive())
        reading.join()
    return {
        "ratio": _p95(busy) / _p95(idle),
        "reading_p95_ms": _p95(busy),
        "idle_p95_ms": _p95(idle),
        "reading_median_ms": statistics.median(busy),
        "idle_median_ms": statistics.median(idle),
        "reading_longest_ms": max(busy),
        "pages_while_reading": len(busy),
        "largest_mb": LARGEST_MB * SCALE,
        "planned": sum(result == "planned" for result in results.values()),
        "rejected": sum(result != "planned" for result in results.values()),
    }


@bench("upload.memory", at_most=1.3)
def memory() -> Figures:
    """The console's resident memory after ten of the largest files were taken and their tabs closed, over before."""
    with folder() as where, _console_with_files(where) as (running, files):
        small = where / "small.csv"
        small.write_text(SMALL)
        take_files(running, [small])  # what the first file needs is there
        time.sleep(GIVEN_BACK_SECONDS)
        before = read_resident_mb(running.process.pid)
        peak, stop = [before], threading.Event()
        watching = threading.Thread(target=watch_peak, args=(running.process.pid, peak, stop))
        watching.start()
        results = take_files(running, files)
        stop.set()
        watching.join()
        time.sleep(GIVEN_BACK_SECONDS)
        after = read_resident_mb(running.process.pid)
    return {
        "ratio": after / before,
        "after_mb": after,
        "before_mb": before,
        "peak_mb": max(peak),
        "largest_mb": LARGEST_MB * SCALE,
        "planned": sum(result == "planned" for result in results.values()),
        "rejected": sum(result != "planned" for result in results.values()),
    }


@contextmanager
def _console_with_files(where: Path) -> Iterator[tuple[Console, list[Path]]]:
    files = write_largest_files(where, SCALE)
    gc.collect()
    with console(where / "data") as running:
        yield running, files


# ── tabs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def take_files(running: Console, files: Sequence[Path]) -> dict[str, str]:
    """Have a tab of its own take each file, and close it; ``planned``, or the sentence that rejects it."""
    from playwright.sync_api import sync_playwright

    import run
    from tests.browser.conftest import FLAGS

    chromium = run.find_installed_chromium()
    if not chromium:
        raise FileNotFoundError("a Chromium")
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for file in files:
            page = browser.new_page(base_url=running.url)
            found[file.name] = _take_file(page, file)
            print(f"  {file.name}: {found[file.name]}", file=sys.stderr, flush=True)  # beside the line of figures
            page.close()
        browser.close()
    return found


def _take_file(page: "Page", file: Path) -> str:
    page.goto("/upload")
    page.locator("input[type=file]").first.set_input_files(file)
    trouble = page.locator(".st-key-upload-problem, .st-key-upload-trouble")
    settle = page.locator(".st-key-upload-settle button")
    trouble.or_(settle).first.wait_for(timeout=FILE_SECONDS * 1000)
    if trouble.count():
        return trouble.first.inner_text()
    settle.click()
    planned = page.locator(".st-key-upload-send button")
    trouble.or_(planned).first.wait_for(timeout=FILE_SECONDS * 1000)
    return trouble.first.inner_text() if trouble.count() else "planned"


async def draw_pages(tab: Tab, goes_on: Callable[[int], bool]) -> list[float]:
    """Screens in turns, one after another, for as long as it goes on; ms of each."""
    screens = ("history", "", "targets")
    taken: list[float] = []
    while goes_on(len(taken)):
        taken.append((await tab.run(screens[len(taken) % len(screens)])).ms)
        await asyncio.sleep(0.05)  # a person reads
    return taken


def _p95(taken: Sequence[float]) -> float:
    return statistics.quantiles(taken, n=20, method="inclusive")[-1]


# ── memory ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_resident_mb(process: int) -> float:
    found = re.search(r"VmRSS:\s*([0-9]+) kB", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def watch_peak(process: int, peak: list[float], stop: threading.Event) -> None:
    while not stop.wait(0.1):
        peak.append(max(peak[-1], read_resident_mb(process)))
        del peak[:-1]
