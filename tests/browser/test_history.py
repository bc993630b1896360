"""History in a real browser: links, resending, deleting, and nothing is lost when the process dies."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import run
from intempt_core.history import AttemptEnd, AttemptStart, BatchState
from intempt_core.history.history import History
from intempt_core.settings import Settings
from tests.browser.actions import open_row
from tests.browser.conftest import Console
from tests.browser.screens import WATCHED, open_screen, serious_findings, settled
from tests.core.history.factories import ME, attempt, batch_of
from tests.pages.upload_steps import csv_of, good_rows


def sent(console: Console, file: Path) -> None:
    """Send a file from the command line, beside the console, and wait until it has arrived."""
    command = [sys.executable, "-m", "intempt_core", "send", str(file), "--target", "sandbox", "--yes", "--wait"]
    environment = {**os.environ, "CONSOLE_DATA": str(console.data)}
    done = subprocess.run(
        command, cwd=run.ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def processed(url: str) -> int:
    request = urllib.request.Request(url + "/sandbox/_sandbox/events?limit=1")
    request.add_header("Authorization", "Basic c2FuZGJveDpzYW5kYm94")  # the sandbox's own key, known to all
    with urllib.request.urlopen(request, timeout=10) as response:
        return int(json.load(response)["processed"])


def usable(page: Page) -> None:
    """The page is accessible, in light and in dark colours."""
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert serious_findings(page) == [], scheme


def test_links_to_a_batch_and_a_request_open_cold_in_another_browser(
    page: Page, browser: Browser, console: Console, tmp_path: Path
) -> None:
    file = tmp_path / "cold.csv"
    file.write_bytes(csv_of(*good_rows(5, ids="cold-")))
    sent(console, file)
    open_screen(page, "/history")
    expect(page.get_by_role("link", name="cold.csv")).to_be_visible()
    usable(page)
    open_row(page)  # the newest one
    page.wait_for_url("**/history?batch=*")
    settled(page)
    expect(page.get_by_role("heading", name="cold.csv")).to_be_visible()
    expect(page.get_by_text("● 5 accepted").first).to_be_visible()
    usable(page)
    batch = page.url
    open_row(page)
    page.wait_for_url("**/history?request=*")
    settled(page)
    expect(page.get_by_text("Response", exact=True)).to_be_visible()
    request = page.url
    usable(page)

    other = browser.new_context(locale="en-GB", timezone_id="Asia/Tokyo")
    other.add_init_script(WATCHED)
    try:
        cold = other.new_page()
        open_screen(cold, batch)
        expect(cold.get_by_text("● 5 accepted").first).to_be_visible()
        expect(cold.get_by_text("Asia/Tokyo", exact=False).first).to_be_visible()
        open_screen(cold, request)
        expect(cold.get_by_text("Response", exact=True)).to_be_visible()
        cold.get_by_role("link", name="← Batch", exact=False).click()
        cold.wait_for_url("**/history?batch=*")
        assert cold.url == batch
    finally:
        other.close()


def test_a_batch_is_resent_with_the_same_ids_and_then_with_new_ones(
    page: Page, console: Console, tmp_path: Path
) -> None:
    file = tmp_path / "again.csv"
    file.write_bytes(csv_of(*good_rows(5, ids="again-")))
    sent(console, file)
    before = processed(console.url)
    open_screen(page, "/history?history-text=again-3")
    expect(page.get_by_text("1 batch. Times in", exact=False)).to_be_visible()
    open_row(page)
    page.wait_for_url("**/history?batch=*")
    settled(page)
    first = page.url
    for ids, new in (("the same ids", 0), ("new ids", 5)):
        page.get_by_role("button", name="Resend", exact=True).click()
        page.get_by_role("radio", name=ids, exact=True).click()
        outcome = "counts them again" if new else "what it already has, it ignores"
        expect(page.get_by_text(outcome, exact=False)).to_be_visible()  # the plan comes before the button is pressed
        settled(page)
        page.get_by_role("button", name="Resend 5 events to Sandbox").dblclick()  # two clicks, one batch
        back = page.get_by_role("link", name="Resent from this batch")
        expect(page).not_to_have_url(first)
        settled(page)  # until then the original batch is shown, which was accepted too
        expect(back).to_be_visible()
        expect(page.get_by_text("● 5 accepted").first).to_be_visible()
        assert processed(console.url) == before + new
        back.click()
        page.wait_for_url(first)
        settled(page)
    expect(page.get_by_text("● 5 accepted").first).to_be_visible()
    found = {"again-3": 2, "again-1": 2}  # the first time, and again under the same ids; fresh ids are others
    for text, count in found.items():
        open_screen(page, f"/history?history-text={text}")
        expect(page.get_by_text(f"{count} batches. Times in", exact=False)).to_be_visible()


@pytest.mark.long  # without a browser: tests/pages/test_history.py
def test_old_batches_are_deleted_from_the_screen_after_a_preview(page: Page, console: Console) -> None:
    history = History.open(Settings(data=console.data).history_url)
    history.database.clock = lambda: int((time.time() - 400 * 86_400) * 1000)  # as if it were last year
    old = batch_of(history, [50] * 4, label="last year")
    for work in history.queue.take(old, 1, 10):
        history.queue.apply_transitions([AttemptStart(work.id), AttemptEnd(work.id, attempt())], owner=ME)
    history.control.set_state(old, BatchState.DONE)
    history.close()
    open_screen(page, "/history?history-text=" + old)
    open_row(page)
    expect(
        page.get_by_text(re.compile(r"on, (1 second|4 seconds),")).first
    ).to_be_visible()  # the caption and the chart
    usable(page)
    open_screen(page, "/history")
    page.get_by_role("button", name="Delete old batches").click()
    page.get_by_role("radio", name="1 year").click()
    expect(page.get_by_text("1 batch with 200 events", exact=False)).to_be_visible()
    settled(page)
    usable(page)
    page.get_by_role("button", name="Delete 1 batch permanently").dblclick()
    expect(page.get_by_text("Deleted 1 batch with 200 events.", exact=False)).to_be_visible()
    open_screen(page, f"/history?batch={old}")
    expect(page.get_by_text(f"History knows no batch {old}.")).to_be_visible()


@contextmanager
def running(folder: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A console of its own on a data folder; killed in the end as a power cut would."""
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    environment = {**os.environ, "CONSOLE_DATA": str(folder), "CONSOLE_PORT": str(port)}
    with (
        (folder.parent / "log").open("a") as log,
        subprocess.Popen(command, cwd=run.ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT) as process,
    ):
        try:
            for _ in range(300):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5):
                        break
                except OSError:
                    time.sleep(0.1)
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


@pytest.mark.long  # of a sender alone: tests/core/dispatch/test_crash.py
def test_a_killed_console_accounts_for_everything_when_it_is_back(page: Page, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    total = 20_000
    file = tmp_path / "killed.csv"
    file.write_bytes(csv_of(*good_rows(total, ids="killed-")))
    data, url = tmp_path / "data", f"http://127.0.0.1:{port}"
    data.mkdir()
    with running(data, port):
        open_screen(page, f"{url}/upload")
        page.locator("input[type=file]").set_input_files(file)
        page.locator(".st-key-upload-settle button").click()
        settled(page)
        page.locator(".st-key-upload-advanced summary").click()
        page.locator(".st-key-upload-policy-sandbox").get_by_role("radio", name="go on").click()
        settled(page)
        page.locator(".st-key-upload-send button").click()
        page.wait_for_url("**/upload?batch=*", timeout=60_000)
        link = page.url.replace("/upload", "/history")
        while processed(url) < 500:
            time.sleep(0.02)
        page.goto("about:blank")
    with running(data, port):
        open_screen(page, link)
        expect(page.get_by_text(f"{total:,} of {total:,} events · done")).to_be_visible(timeout=90_000)
        settled(page)
        text = page.get_by_test_id("stMain").inner_text()
        accepted = int(text.split("● ")[1].split(" accepted")[0].replace(",", ""))
        unknown = int(text.split("◆ ")[1].split(" unknown")[0].replace(",", "")) if "◆ " in text else 0
        assert accepted + unknown == total  # what was in flight is unknown, the rest has arrived, nothing is missing
        assert 0 <= unknown <= 16 * 50
        assert accepted <= processed(url) <= total
        page.goto("about:blank")
