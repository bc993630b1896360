"""A large file in a real browser: a word at every step, and sending begins while the rest is still recorded."""

import json
import re
from collections import Counter
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.actions import go, use_server, widget
from tests.browser.screens import settled
from tests.core.dispatch.factories import OK, decides
from tests.core.transport.fault_server import HostileServer, hostile
from tests.pages.upload_steps import csv_of, good_rows

ROWS = 60_000

FIRST_WORD_MS = 1_000
"""Within which the screen says what it does with a click that sends, in milliseconds."""

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


def test_a_large_file_says_a_word_at_once_and_is_sent_while_it_is_recorded(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "large.csv"
    file.write_bytes(csv_of(*good_rows(ROWS, ids="rec-")))
    with hostile(decides(lambda _: OK, 0.05)) as server:
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
        expect(words(page, rf"^[0-9,]+ of {ROWS:,} recorded · [0-9,]+ accepted")).to_be_visible()
        assert spoken(page)[f"Recording {ROWS:,} events: the first are sent at once."] < FIRST_WORD_MS
        expect(words(page, rf"^[0-9,]+ of {ROWS:,} recorded · [1-9][0-9,]* accepted")).to_be_visible()
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
