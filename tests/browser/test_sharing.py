"""Sharing in a real browser: a link, two requests compared, a case file opened in Inspect."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.actions import paste, send, widget
from tests.browser.screens import open_screen, serious_findings, settled


def sent(page: Page, event: dict[str, object]) -> None:
    open_screen(page, "/inspect")
    paste(page, json.dumps([event]))
    send(page, "inspect-send")


@pytest.mark.long  # without a browser: tests/pages/test_sharing.py
def test_an_event_is_found_compared_and_downloaded_as_a_case_that_inspect_opens(page: Page, tmp_path: Path) -> None:
    id_, who = f"shared-{uuid4().hex[:8]}", f"anna-{uuid4().hex[:8]}@shop.example"
    event: dict[str, object] = {"name": "Product viewed", "eventId": id_, "userId": who, "data": {"productId": "<b>p"}}
    sent(page, event)
    sent(page, {**event, "sessionId": "s-1"})
    open_screen(page, f"/history?event={id_}")
    expect(page.get_by_text("Sent 2 times")).to_be_visible()
    assert serious_findings(page) == []
    page.get_by_role("link", name="Request", exact=True).first.click()
    settled(page)
    expect(page.get_by_text("Response", exact=True)).to_be_visible()
    second = int(page.url.rpartition("request=")[2])
    widget(page, "history-case").get_by_role("button").first.click()
    with page.expect_download() as downloaded:
        widget(page, "history-case-html").get_by_role("button").click()
    file = tmp_path / "case.html"
    downloaded.value.save_as(file)
    case = file.read_text("utf-8")
    assert who not in case
    assert "<script" not in case
    open_screen(page, f"/history?compare=request+{second - 1}&with=request+{second}")
    expect(page.get_by_text("2 differences")).to_be_visible()  # the field, and what the sandbox says of it
    page.emulate_media(color_scheme="dark")
    assert serious_findings(settled(page)) == []
    open_screen(page, "/inspect")
    page.get_by_role("button", name="Open a file").click()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    expect(page.get_by_text("From a case file made", exact=False)).to_be_visible()
    expect(page.get_by_text("Recognised: request body, 1 group, 1 event")).to_be_visible()
