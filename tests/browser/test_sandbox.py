"""Sandbox in a real browser: what any program sends is shown as it arrives, and opened; failures are simulated."""

import json
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.actions import choose, press, widget
from tests.browser.conftest import Console
from tests.browser.screens import open_screen, serious_findings, settled

SECRET = "shopprefix.9f3c51d2a7e84b60"


@pytest.fixture
def who() -> str:
    """A person that no other test has."""
    return f"live-{uuid4().hex}"


@pytest.fixture(autouse=True)
def no_faults_left(console: Console) -> Iterator[None]:
    """Other tests send to the same sandbox."""
    yield
    call(console, "/_sandbox/faults", method="DELETE")


def call(console: Console, path: str, body: Any = None, method: str = "POST", key: str = "sandbox.sandbox") -> int:
    """Call the sandbox as any program would; the status."""
    token = b64encode(key.replace(".", ":").encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json", "User-Agent": "shop-backend/2.3"}
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(f"{console.url}/sandbox{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def track(console: Console, *events: dict[str, Any], name: str = "Added to cart", **more: str) -> int:
    body = {"track": [{"name": name, "payload": list(events)}]}
    return call(console, "/v1/acme/projects/shop/track", body, **more)


def rows(page: Page) -> Locator:
    """The live rows."""
    return widget(page, "sandbox-rows").locator("tbody tr")


def test_what_any_program_sends_is_shown_and_opened_while_it_arrives(page: Page, console: Console, who: str) -> None:
    open_screen(page, f"/watch?text={who}")
    expect(page.get_by_text("Nothing matches these filters yet.", exact=False)).to_be_visible()
    good = {"eventId": f"a-{who}", "userId": who, "data": {"productId": "SKU_1"}}
    track(console, good, {"eventId": f"b-{who}", "userId": who, "data": {}})
    call(console, f"/v1/acme/projects/{who}/track", {"track": []}, key=SECRET)
    expect(rows(page)).to_have_count(3)  # and no empty ones below
    assert [row.locator("td").nth(1).inner_text() for row in rows(page).all()] == [
        "track request", "Added to cart", "Added to cart",
    ]  # fmt: skip
    assert [row.locator("td").nth(4).inner_text().split(".")[0] for row in rows(page).all()] == [
        "■ rejected, 401", "◆ not processed", "● processed",
    ]  # fmt: skip
    expect(rows(page).first).to_contain_text("shop-backend/2.3 from 127.0.0.1")
    press(page, "sandbox-pause")
    track(console, {**good, "eventId": f"c-{who}"})
    page.wait_for_timeout(1500)  # longer than a look takes: nothing moves
    expect(rows(page)).to_have_count(3)
    press(page, "sandbox-pause")
    page.mouse.move(0, 0)
    expect(rows(page)).to_have_count(4)
    rows(page).last.get_by_role("link").click()  # without a pause
    expect(page.get_by_text("The request as it arrived", exact=False)).to_be_visible()
    settled(page)
    assert "event=" in page.url
    text = "\n".join(page.get_by_test_id("stCode").all_inner_texts())
    assert json.dumps(good) in text
    assert "authorization: (not kept)" in text
    link = page.url
    press(page, "sandbox-back")
    page.wait_for_url(f"**/watch?text={who}")
    settled(page)
    expect(rows(page)).to_have_count(4)
    open_screen(page, link)  # cold
    expect(page.get_by_text("● processed")).to_be_visible()
    assert SECRET.partition(".")[2] not in page.content()


@pytest.mark.long
def test_rows_wait_while_the_pointer_is_on_them(page: Page, console: Console, who: str) -> None:
    track(console, {"eventId": f"a-{who}", "userId": who, "data": {"productId": "SKU_1"}})
    open_screen(page, f"/watch?text={who}")
    rows(page).first.hover()
    track(console, {"eventId": f"b-{who}", "userId": who, "data": {"productId": "SKU_2"}})
    expect(page.get_by_text("Newer rows are held while the pointer is on the table.")).to_be_visible()
    expect(rows(page)).to_have_count(1)
    page.mouse.move(0, 0)
    expect(rows(page)).to_have_count(2)


@pytest.mark.long  # without a browser: tests/pages/test_sandbox.py
def test_the_sandbox_simulates_failures_until_it_is_stopped(page: Page, console: Console, who: str) -> None:
    event = {"eventId": who, "userId": who, "data": {"productId": "SKU_1"}}
    open_screen(page, "/watch")
    page.get_by_text("Simulate failures", exact=True).click()
    choose(page, "fault-path", "track")
    share = widget(page, "fault-share").locator("input")
    share.fill("100")
    share.press("Enter")
    expect(page.get_by_role("button", name="Fail all requests to track with 500")).to_be_visible()
    press(page, "fault-add")
    expect(page.get_by_text("The sandbox simulates failures: 500 on track.")).to_be_visible()
    assert serious_findings(page) == []
    assert track(console, event) == 500
    open_screen(page, f"/watch?text={who}")
    expect(page.get_by_text("The sandbox simulates failures: 500 on track.")).to_be_visible()
    press(page, "sandbox-stop")
    expect(page.get_by_text("simulates failures", exact=False)).to_have_count(0)
    assert track(console, event) == 201


@pytest.mark.long  # in the light: test_console.py
def test_axe_finds_nothing_serious_in_the_dark(dark: Page, console: Console, who: str) -> None:
    track(console, {"eventId": who, "userId": who, "data": {"productId": "SKU_1"}})
    open_screen(dark, f"/watch?text={who}")
    dark.get_by_text("Simulate failures", exact=True).click()
    settled(dark)
    assert serious_findings(dark) == []


def test_failures_that_a_test_has_left_to_its_project_are_ended_on_the_screen(page: Page, console: Console) -> None:
    faults = [{"fault": "status", "status": 429, "retry_after": 2, "times": 2}, {"fault": "latency", "ms": 5}]
    path = "/_sandbox/faults?project=test%20shop-1"
    assert call(console, path, {"faults": faults}, method="PUT") == 200
    assert call(console, "/_sandbox/faults", {"faults": [{"fault": "latency", "ms": 1}]}, method="PUT") == 200
    try:
        open_screen(page, "/watch")
        frame = widget(page, "sandbox-faults")
        expect(frame.get_by_text("simulating failures")).to_have_count(2)
        expect(frame.get_by_text("simulating failures for project test shop-1")).to_be_visible()
        expect(frame.get_by_text("429 with Retry-After 2 s on everything, 2 more times")).to_have_count(2)
        assert serious_findings(page) == []
        settled(page)
        frame.get_by_role("button", name="Stop for this project").click()
        expect(frame.get_by_text("simulating failures")).to_have_count(1)
        expect(frame.get_by_role("button", name="Stop simulation")).to_be_visible()
    finally:
        call(console, path, method="DELETE")
