"""The table of a large file is given back when its tab is closed, and is there again when the tab comes back."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from intempt_core.workers.result_store import SMALL_FILE_BYTES
from tests.bench.consoles import Console, console
from tests.browser.actions import press, widget
from tests.browser.screens import WATCHED, open_screen, settled

pytestmark = pytest.mark.long  # tests/core/workers/test_result_store.py says the same by a clock of its own

GIVEN_BACK_SECONDS = 60
"""Within what time after its tab was closed a table is given back."""

ROWS = 200_000
_MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ (\S+ [0-9]+) +(\S.*)$", re.MULTILINE)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Console]:
    with console(tmp_path / "data") as running:
        yield running


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    path = tmp_path / "large.csv"
    rows = (f"Product viewed,e{row},u{row % 500},SKU_{row % 90},{row} words of a comment\n" for row in range(ROWS))
    path.write_text("name,eventId,userId,productId,comment\n" + "".join(rows))
    assert path.stat().st_size > 2 * SMALL_FILE_BYTES
    return path


def find_tables(running: Console) -> dict[str, int]:
    """The bytes that the console maps of each file without a name: the device and inode of the file → bytes."""
    found: dict[str, int] = {}
    for start, end, inode, path in _MAPPING.findall(Path(f"/proc/{running.process.pid}/maps").read_text()):
        if path.startswith(str(running.data)) and path.endswith("(deleted)"):
            found[inode] = found.get(inode, 0) + int(end, 16) - int(start, 16)
    return found


def wait_until(holds: Callable[[], bool], seconds: float = GIVEN_BACK_SECONDS) -> float:
    """Wait until something holds; how long that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() < began + seconds, f"it did not happen within {seconds} s"
        time.sleep(0.2)
    return time.monotonic() - began


class Cable:
    """The socket of a page, which can be pulled out and put back."""

    def __init__(self, page: Page) -> None:
        self.is_out = False
        self.sockets: list[WebSocketRoute] = []
        page.route_web_socket(re.compile("_stcore/stream"), self._connect)

    def _connect(self, socket: WebSocketRoute) -> None:
        if self.is_out:
            socket.close()
            return
        socket.connect_to_server()
        self.sockets.append(socket)

    def pull_out(self) -> None:
        self.is_out = True
        for socket in self.sockets:
            socket.close()
        self.sockets.clear()

    def put_back(self) -> None:
        self.is_out = False


@contextmanager
def tab(browser: Browser, running: Console) -> Iterator[Page]:
    context = browser.new_context(base_url=running.url, viewport={"width": 1280, "height": 900})
    context.add_init_script(WATCHED)
    yield context.new_page()
    context.close()


def plan(page: Page, file: Path) -> None:
    """A file up to the button that sends it."""
    open_screen(page, "/upload")
    page.locator("input[type=file]").first.set_input_files(file)
    widget(page, "upload-settle").get_by_role("button").wait_for(timeout=120_000)
    press(page, "upload-settle")
    widget(page, "upload-send").get_by_role("button").wait_for(timeout=120_000)
    settled(page)


def test_the_table_of_a_closed_tab_is_given_back_within_a_minute_and_mapped_again_for_one_that_comes_back(
    browser: Browser, opened: Console, large_file: Path
) -> None:
    with tab(browser, opened) as page:
        cable = Cable(page)
        plan(page, large_file)
        tables = find_tables(opened)
        assert sum(tables.values()) > large_file.stat().st_size

        cable.pull_out()
        wait_until(lambda: not find_tables(opened))
        cable.put_back()
        expect(page.locator("[data-testid=stApp]")).to_have_attribute(
            "data-test-connection-state", "CONNECTED", timeout=60_000
        )
        widget(page, "upload-step-3").get_by_role("button").click()  # as the person who is back looks at the rows
        widget(page, "upload-find").wait_for(timeout=60_000)
        settled(page)
        again = find_tables(opened)
        assert again
        assert again.keys() <= tables.keys(), "it was read again"
        expect(widget(page, "upload-send")).to_contain_text(f"Send {ROWS:,} events")
    assert wait_until(lambda: not find_tables(opened)) < GIVEN_BACK_SECONDS
