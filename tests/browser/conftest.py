"""A real console with data of its own, and a Chromium to look at it with; both are started once and shared.

Every page is watched: a message of severity error on the browser's console, an uncaught error, or a request that
would leave this machine fails the test that caused it. A picture of the page is kept where a test fails.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

import run
from tests.browser.screens import WATCHED, is_foreign

HERE = Path(__file__).parent
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--process-per-site",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",  # nothing leaves this machine
]

expect.set_options(timeout=20_000)  # two consoles and two browsers share two cores; nothing here asserts a time

HURRIED = {"CONSOLE_READ_SECONDS": "1.5", "CONSOLE_BACKOFF_SECONDS": "0.02"}
"""So that a target which hangs, or is asked again and again, costs the tests little time."""


@dataclass(frozen=True)
class Console:
    """A running console: where it is, the folder of its data, the file of its log, its process."""

    url: str
    data: Path
    log: Path
    pid: int


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests here, and run them last: beside Playwright's event loop no other test could start its own."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("browser")
    items.sort(key=lambda item: HERE in item.path.parents)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep a picture of the page where a test fails."""
    report = yield
    fixtures = getattr(item, "funcargs", {})
    if report.when == "call" and report.failed and "page" in fixtures:
        picture = fixtures["tmp_path"] / "page.png"
        fixtures["page"].screenshot(path=picture, full_page=True)
        report.sections.append(("The page when it failed", str(picture)))
    return report


@pytest.fixture(scope="session")
def chromium() -> str:
    """The program; the tests are skipped where there is none, and fail under CI, where one must be."""
    path = os.environ.get("CHROMIUM") or run.find_installed_chromium()
    if not path and os.environ.get("CI") == "true":
        pytest.fail("there is no Chromium")
    if not path:
        pytest.skip("there is no Chromium: name one in $CHROMIUM")
    return path


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """The console as ``run.py`` starts it, on a free port; its log must hold no traceback in the end."""
    folder = tmp_path_factory.mktemp("console")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    environment = {**os.environ, "CONSOLE_DATA": str(folder / "data"), "CONSOLE_PORT": str(port), **HURRIED}
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, cwd=run.ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT) as process,
    ):
        running = Console(f"http://127.0.0.1:{port}", folder / "data", folder / "log", process.pid)
        try:
            _wait_for(running, process)
            yield running
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                pytest.fail("the console did not stop within 20 s of being asked")
    log_text = running.log.read_text()
    if "Traceback" in log_text or '"level": "error"' in log_text:
        pytest.fail("the console's log holds a traceback:\n" + log_text)


def _wait_for(console: Console, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(console.url + "/_stcore/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail("the console did not come up:\n" + console.log.read_text())


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def context(browser: Browser, console: Console) -> Iterator[BrowserContext]:
    """One for all tests, so that Streamlit's files are loaded once.

    One page stays open to the end: with it stays the process that draws all pages of the console, which has compiled
    the scripts of the frontend. A page is then drawn in two thirds of the time.
    """
    opened = browser.new_context(
        base_url=console.url, viewport={"width": 1280, "height": 900}, locale="en-GB", timezone_id="Europe/Berlin",
        reduced_motion="reduce", accept_downloads=True,
    )  # fmt: skip
    opened.add_init_script(WATCHED)
    opened.new_page().goto("/healthz")
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, tmp_path: Path) -> Iterator[Page]:
    """A fresh page in light colours, watched; where its test fails, its picture goes to ``tmp_path``."""
    opened = context.new_page()
    opened.emulate_media(color_scheme="light")
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.extend(_complaint(message)))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "request", lambda asked: complaints.append(f"foreign request: {asked.url}") if is_foreign(asked.url) else None
    )
    yield opened
    opened.close()
    assert not complaints, complaints


def _complaint(message: ConsoleMessage) -> list[str]:
    return [f"{message.text} {message.location['url']}"] if message.type == "error" else []


@pytest.fixture
def dark(page: Page) -> Page:
    """The same page in dark colours."""
    page.emulate_media(color_scheme="dark")
    return page
