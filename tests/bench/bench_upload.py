"""What an upload costs: a file streams through the console to the disk, and memory does not see it."""

import re
import time
from pathlib import Path

from tests.bench.consoles import console
from tests.bench.harness import Figures, alternating, bench, folder

SMALL, LARGE = 5, 500
"""MB of the two files."""

FLOOR = 32.0
"""MB that are no growth: what a process takes for itself while it is looked at."""


@bench("upload.stream", at_most=2)
def stream() -> Figures:
    """Resident memory added by the upload of 500 MB over that of 5 MB, each in a fresh console, floored at 32 MB."""
    seconds: list[float] = []
    small, large = alternating(lambda: _added(SMALL, []), lambda: _added(LARGE, seconds))
    return {
        "ratio": max(large, FLOOR) / max(small, FLOOR),
        "large_added_mb": large,
        "small_added_mb": small,
        "large_mb_per_s": LARGE / sorted(seconds)[1],
    }


def _added(megabytes: int, seconds: list[float]) -> float:
    """MB that the console's process takes more at its peak while a file of so many is put through the upload's door."""
    with folder() as at, console(at / "data") as running:
        url, process = running.url, running.process.pid
        headers = _door(url)
        _put(url, headers, 1)  # what the first file needs is there
        before = _resident(process, "VmRSS")
        Path(f"/proc/{process}/clear_refs").write_text("5")  # the peak starts from here
        started = time.perf_counter()
        _put(url, headers, megabytes)
        seconds.append(time.perf_counter() - started)
        return _resident(process, "VmHWM") - before


def _resident(process: int, what: str) -> float:
    """MB of a line of the process's status."""
    found = re.search(rf"{what}:\s*([0-9]+) kB", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def _door(url: str) -> dict[str, str]:
    """The headers with which a real tab brings a file: those of a small one that its file input puts."""
    from playwright.sync_api import sync_playwright

    import run
    from intempt_core.uploads.endpoint import FILE_NAME_HEADER, TOKEN_HEADER, UPLOAD_PATH
    from tests.browser.conftest import FLAGS

    chromium = run.find_installed_chromium()
    if not chromium:
        raise FileNotFoundError("a Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(base_url=url)
        page.goto("/upload")
        with page.expect_request(f"**{UPLOAD_PATH}") as asked:
            file = {"name": "small.csv", "mimeType": "text/csv", "buffer": b"name,userId\nProduct viewed,u1\n"}
            page.locator("input[type=file]").first.set_input_files(file)  # type: ignore[arg-type]  # a FilePayload
        page.get_by_text("small.csv · 1 row").wait_for()
        headers = asked.value.all_headers()
        browser.close()
    return {name: headers[name.lower()] for name in (TOKEN_HEADER, FILE_NAME_HEADER, "Content-Type", "Origin")}


def _put(url: str, headers: dict[str, str], megabytes: int) -> None:
    import httpx

    from intempt_core.uploads.endpoint import UPLOAD_PATH

    piece = (b"Product viewed,e1,u1,SKU_1,1714631904000,1.50\n" * 25_000)[:1_000_000]
    length = {"Content-Length": str(megabytes * len(piece))}
    body = (piece for _ in range(megabytes))
    answer = httpx.put(url + UPLOAD_PATH, content=body, headers={**headers, **length}, timeout=120)
    if answer.status_code != 201:
        raise RuntimeError(f"the console answered {answer.status_code}: {answer.text}")
