"""A large file in a real browser: a word at every step, and sending begins while the rest is still recorded."""

import json
import os
import re
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from intempt_core.settings import Settings
from tests.browser.actions import go, use_server, widget
from tests.browser.conftest import Console
from tests.browser.screens import settled
from tests.core.dispatch.factories import OK, decides
from tests.core.transport.fault_server import HostileServer, hostile
from tests.pages.upload_steps import csv_of, good_rows

ROWS = 60_000

FIRST_WORD_MS = 5_000
"""Within which even a busy machine's screen says what it does with a click that sends, in milliseconds."""

WATCH_WORDS = """() => {
    window.spoken = {};
    window.begun = performance.now();
    setInterval(() => {
        for (const one of document.querySelectorAll('[data-testid=stSpinner], [data-testid=stToast]')) {
            const text = one.textContent.replace(/\\(.*/, '').trim();
            window.spoken[text] ??= performance.now() - window.begun;
        }
    }, 20);
}"""
"""What spinners and notices say, each with the time from ``window.begun`` on: some are there for half a second only."""


def press(page: Page, key: str) -> None:
    """Press a button, and do not wait for what comes of it."""
    page.evaluate("() => { window.begun = performance.now(); }")
    page.locator(f"[class*=st-key-{key}] button").first.click()


def words(page: Page, sentence: str) -> Locator:
    return page.get_by_text(re.compile(sentence)).first


def spoken(page: Page) -> dict[str, float]:
    found: dict[str, float] = page.evaluate("window.spoken")
    return found


def count_received(server: HostileServer) -> Counter[str]:
    bodies = [json.loads(one.body) for one in list(server.received)]
    return Counter(event["eventId"] for body in bodies for track in body["track"] for event in track["payload"])


@contextmanager
def frozen_recording(console: Console, server: HostileServer) -> Iterator[None]:
    """From the first request on, the process that records stands still; it holds no lock of history's file then."""
    while not server.received:
        time.sleep(0.001)
    (recorder,) = find_recorders(console)
    try:
        for _ in range(1_000):
            os.kill(recorder, signal.SIGSTOP)
            if is_writable(console):
                break
            os.kill(recorder, signal.SIGCONT)
            time.sleep(0.002)
        yield
    finally:
        os.kill(recorder, signal.SIGCONT)


def find_recorders(console: Console) -> list[int]:
    """The processes in which this console has files worked on; after a click that sends, the one that records."""
    processes = list(Path("/proc").glob("[0-9]*"))
    data = f"CONSOLE_DATA={console.data}".encode()
    consoles = {one.name.encode() for one in processes if data in read_quietly(one / "environ").split(b"\0")}
    return [
        int(one.name)
        for one in processes
        if b"intempt_core.workers.child" in read_quietly(one / "cmdline")
        and consoles & set(re.findall(rb"PPid:\s+(\d+)", read_quietly(one / "status")))
    ]


def read_quietly(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # the process has ended
        return b""


def is_writable(console: Console) -> bool:
    """Whether a transaction that writes to history can begin."""
    file = Settings(data=console.data).history_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, timeout=0.2, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True


def test_a_large_file_says_a_word_at_once_and_is_sent_while_it_is_recorded(
    page: Page, console: Console, tmp_path: Path
) -> None:
    file = tmp_path / "large.csv"
    file.write_bytes(csv_of(*good_rows(ROWS, ids="rec-")))
    with hostile(decides(lambda _: OK, 0.02)) as server:
        use_server(page, "slow", server)
        go(page, "Upload")
        page.evaluate(WATCH_WORDS)
        page.locator("input[type=file]").first.set_input_files(file)
        expect(widget(page, "upload-settle").get_by_role("button")).to_be_visible()
        press(page, "upload-settle")
        expect(widget(page, "upload-send").get_by_role("button")).to_be_visible(timeout=60_000)
        settled(page)
        assert list(spoken(page)) == ["Reading the file", "Checking every row", "Planning the requests"]

        press(page, "upload-send")
        with frozen_recording(console, server):
            expect(words(page, rf"^[0-9,]+ of {ROWS:,} recorded · [1-9][0-9,]* accepted")).to_be_visible()
            assert spoken(page)[f"Recording {ROWS:,} events: the first are sent at once."] < FIRST_WORD_MS
            press(page, "pause-b_")
            expect(words(page, "Paused: the rest is still being recorded, and waits")).to_be_visible()
        expect(words(page, rf"^[0-9,]+ of {ROWS:,} events · paused")).to_be_visible(timeout=60_000)
        sent = len(server.received)
        assert 0 < sent < ROWS / 50
        page.wait_for_timeout(500)
        assert len(server.received) == sent
        press(page, "resume-b_")
        expect(words(page, "6 Result")).to_be_visible(timeout=120_000)
        expect(words(page, f"● {ROWS:,} accepted")).to_be_visible()
        arrived = count_received(server)
    assert (len(arrived), set(arrived.values())) == (ROWS, {1})
