"""Feeds in a real browser: from a send to the person, a shared link, changes as they come, a batch's conversion."""

import base64
import json
import re
import urllib.request
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.actions import box, compose, fill, go, pick, press, send, widget
from tests.browser.conftest import Console
from tests.browser.screens import open_screen, serious_findings, settled


@pytest.fixture
def person() -> str:
    """A person that no other test has, with characters that a link has to carry."""
    return f"ann & bob/{uuid4().hex[:8]}?ü=1"


def elsewhere(console: Console, person: str, name: str, product: str) -> None:
    """Another client, such as an application, sends an event of the same person."""
    event = {"eventId": uuid4().hex, "userId": person, "data": {"productId": product}}
    asked = urllib.request.Request(
        f"{console.url}/sandbox/v1/sandbox/projects/sandbox/sources/1001/track",
        json.dumps({"track": [{"name": name, "payload": [event]}]}).encode(),
        {"Content-Type": "application/json", "Authorization": "Basic " + base64.b64encode(b"sandbox:sandbox").decode()},
    )
    with urllib.request.urlopen(asked, timeout=10) as response:
        assert response.status == 201


def test_from_a_send_to_the_person_and_the_link_opens_in_another_browser_tab(
    page: Page, context: BrowserContext, person: str
) -> None:
    send(compose(page, person, "SKU_1"))
    expect(page.get_by_text("“SKU_1” gained place 1.")).to_be_visible()
    page.get_by_role("link", name="Open this person's feeds").click()
    expect(box(page, "feeds-person")).to_have_value(person)
    settled(page)
    other = context.new_page()
    open_screen(other, page.url)
    expect(box(other, "feeds-person")).to_have_value(person)
    expect(widget(other, "feeds-feed-recently-added-to-cart").get_by_text("✓ as expected")).to_be_visible()
    expect(widget(other, "feeds-feed-recently-added-to-cart").get_by_text("SKU_1").first).to_be_visible()
    assert serious_findings(other) == []
    other.close()


def test_a_person_is_kept_across_screens_and_each_identity_can_be_looked_up(page: Page, person: str) -> None:
    open_screen(page, "/feeds")
    fill(page, "feeds-person", person)
    expect(page.get_by_text("Nothing was sent for this person to Sandbox from here")).to_be_visible()
    pick(page, "feeds-by", "anotherUserId")
    expect(page.get_by_text("A feed can be read by userId, profileId or accountId.")).to_be_visible()
    go(page, "History")
    go(page, "Feeds")
    expect(box(page, "feeds-person")).to_have_value(person)
    expect(page.get_by_text("A feed can be read by userId, profileId or accountId.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/feeds\?target=sandbox&by=anotherUserId&person="))


def test_what_an_application_sends_meanwhile_is_shown_without_a_click(
    page: Page, console: Console, person: str
) -> None:
    open_screen(page, "/feeds")
    fill(page, "feeds-person", person)
    press(page, "feeds-watch")
    expect(page.get_by_text("Recently Viewed: No change yet after")).to_be_visible()
    elsewhere(console, person, "Product viewed", "SKU_7")
    expect(page.get_by_text("Recently Viewed: “SKU_7” gained place 1.")).to_be_visible(timeout=15_000)
    expect(page.get_by_text("Recently Purchased: No change yet after")).to_be_visible()
    press(page, "feeds-unwatch")
    press(page, "feeds-refresh")
    expect(page.get_by_text("“SKU_7” is shown and not expected: another client")).to_be_visible()
    assert serious_findings(page) == []


def test_the_conversion_of_a_batch_is_reached_from_history(page: Page, person: str) -> None:
    send(compose(page, person, "SKU_1"))
    open_screen(page, "/history")
    page.get_by_role("link", name="Open", exact=True).first.click()
    page.get_by_role("link", name="Conversion", exact=True).click()
    # The chart's description has the same words: the whole sentence is that of the text.
    expect(
        page.get_by_text("Added: 1 person (100.0%), 1 of them without the previous stage", exact=True)
    ).to_be_visible()
    expect(page.get_by_role("img", name="Viewed, added, ordered")).to_be_visible()
    assert serious_findings(settled(page)) == []
