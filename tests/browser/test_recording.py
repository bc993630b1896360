"""A large file in a real browser: a word at every step, and sending begins while the rest is still recorded."""

import json
import os
import re
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.actions import go, use_server, widget
from tests.browser.conftest import Console
from tests.browser.screens import settled
from tests.browser.test_double_click import busy
from tests.child_processes import find_child, find_children
from tests.core.cli.slow_sends import wait_until
from tests.core.dispatch.factories import OK, decides
from tests.core.transport.fault_server import HostileServer, hostile
from tests.pages.upload_steps import csv_of, good_rows

ROWS = 60_000
"""With their long ids more than 4 MB, so that processes of their own work on them."""

FIRST_WORD_MS = 1_000
"""Within which the screen says what it does with a click that sends, in milliseconds."""

STEP_SECONDS = 0.8
"""How much longer each step takes: Streamlit's spinner says nothing of what is done in half a second."""

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
def slow_steps(console: Console) -> Iterator[None]:
    """Each process that works on a file stands still for a while at first, so that its step is said."""
    is_over = Event()

    def slow_down() -> None:
        seen: set[int] = set()
        while not is_over.wait(0.01):
            for worker in set(find_children(console.pid, "workers.child")) - seen:
                seen.add(worker)
                with suppress(ProcessLookupError):  # it has ended meanwhile
                    os.kill(worker, signal.SIGSTOP)
                    time.sleep(STEP_SECONDS)
                    os.kill(worker, signal.SIGCONT)

    slowing = Thread(target=slow_down)
    slowing.start()
    try:
        yield
    finally:
        is_over.set()
        slowing.join()


@contextmanager
def frozen_recording(console: Console, server: HostileServer) -> Iterator[None]:
    """From the first request on, the process that records stands still; it holds no lock of history's file then."""
    wait_until(lambda: find_children(console.pid, "workers.child"))
    recorder = find_child(console.pid, "workers.child")
    wait_until(lambda: server.received)
    try:
        wait_until(lambda: is_stopped_without_lock(recorder, console))
        yield
    finally:
        os.kill(recorder, signal.SIGCONT)


def is_stopped_without_lock(recorder: int, console: Console) -> bool:
    """Stop a process; where it was about to write, let it go on."""
    os.kill(recorder, signal.SIGSTOP)
    try:
        with busy(console, wait_seconds=0.2):
            return True
    except sqlite3.OperationalError:
        os.kill(recorder, signal.SIGCONT)
        return False


@pytest.mark.long  # without a browser: tests/pages/test_recording.py
def test_a_large_file_says_a_word_at_once_and_is_sent_while_it_is_recorded(
    page: Page, console: Console, tmp_path: Path
) -> None:
    file = tmp_path / "large.csv"
    file.write_bytes(csv_of(*good_rows(ROWS, ids="recorded-while-it-is-sent-")))
    with hostile(decides(lambda _: OK, 0.02)) as server:
        use_server(page, "slow", server)
        go(page, "Upload")
        page.evaluate(WATCH_WORDS)
        with slow_steps(console):
            page.locator("input[type=file]").first.set_input_files(file)
            expect(widget(page, "upload-settle").get_by_role("button")).to_be_visible()
            settled(page)
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
