"""A double click sends once, also while history is slow to write: both clicks are then on their way at once.

Streamlit runs every click in a thread of its own and stops the one before it only at its next look at the session:
between "was this sent already?" and "now it is" no other click may come in.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from intempt_core.history import BatchFilter
from intempt_core.history.history import History
from intempt_core.settings import Settings
from tests.browser.actions import arrived, compose, open_row, paste, press, send, widget
from tests.browser.conftest import Console
from tests.browser.screens import open_screen, settled
from tests.pages.upload_steps import csv_of, good_rows

APART = 350
"""Milliseconds between the clicks, and after them: the first is writing by then, and the second has arrived. Where they
do not suffice a test sees less, and fails no sooner.
"""


@pytest.fixture
def who() -> str:
    """A person that no other test has."""
    return f"twice-{uuid4().hex}"


@contextmanager
def busy(console: Console, wait_seconds: float = 5.0) -> Iterator[None]:
    """Another program holds the history's write lock; ``sqlite3.OperationalError`` where it has to wait longer."""
    file = console.data / "history.sqlite3"
    with closing(sqlite3.connect(file, timeout=wait_seconds, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def double_click(console: Console, button: Locator) -> None:
    """Click twice while nothing can be written."""
    with busy(console):
        for _ in range(2):
            button.click()
            button.page.wait_for_timeout(APART)


def button(page: Page, key: str) -> Locator:
    return widget(page, key).get_by_role("button").first


def batches(console: Console, text: str) -> int:
    """How many batches hold the id of a person, an event or a product."""
    history = History.open(Settings(data=console.data).history_url)
    try:
        return history.queries.batches(BatchFilter(text=text)).total
    finally:
        history.close()


def test_compose_sends_once(page: Page, console: Console, who: str) -> None:
    compose(page, who)
    double_click(console, button(page, "compose-send"))
    arrived(page, "accepted")
    assert batches(console, who) == 1


@pytest.mark.long  # as Compose
def test_inspect_sends_once(page: Page, console: Console, who: str) -> None:
    open_screen(page, "/inspect")
    event = {"name": "Product viewed", "eventId": who, "userId": who, "data": {"productId": "p1"}}
    paste(page, json.dumps([event]))
    double_click(console, button(page, "inspect-send"))
    arrived(page, "accepted")
    assert batches(console, who) == 1


def test_upload_sends_once(page: Page, console: Console, who: str, tmp_path: Path) -> None:
    file = tmp_path / "twice.csv"
    file.write_bytes(csv_of(*good_rows(3, ids=f"{who}-")))
    open_screen(page, "/upload")
    page.locator("input[type=file]").first.set_input_files(file)
    press(page, "upload-settle")
    double_click(console, button(page, "upload-send"))
    expect(page.get_by_text("6 Result", exact=False)).to_be_visible(timeout=20_000)
    settled(page)
    assert batches(console, f"{who}-1") == 1


@pytest.mark.long  # as Compose
def test_resending_sends_once_more(page: Page, console: Console, who: str) -> None:
    compose(page, who)
    send(page)
    open_screen(page, f"/history?history-text={who}")
    open_row(page)
    page.wait_for_url("**/history?batch=*")
    settled(page)
    page.get_by_role("button", name="Resend", exact=True).click()
    again = page.get_by_role("button", name="Resend 1 event to Sandbox")
    expect(again).to_be_visible()
    double_click(console, again)
    expect(page.get_by_role("link", name="Resent from this batch")).to_be_visible(timeout=20_000)
    settled(page)
    assert batches(console, who) == 2


@pytest.mark.long  # as Compose
def test_a_double_click_before_slow_feeds_have_responded_sends_once(page: Page, console: Console, who: str) -> None:
    compose(page, who)
    widget(page, "compose-send").get_by_role("button").dblclick(delay=20)
    arrived(page, "accepted")
    assert batches(console, who) == 1
