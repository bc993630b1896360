"""Feeds in a real browser: from a send to the person, a shared link, changes as they come, a batch's conversion."""

import base64
import json
import re
import urllib.request
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.actions import box, compose, fill, go, open_row, pick, press, send, widget
from tests.browser.conftest import Console
from tests.browser.screens import open_screen, serious_findings, settled
from tests.examples import keep_first_quick


@pytest.fixture
def person() -> str:
    """A person that no other test has, with characters that a link has to carry."""
    return f"ann & bob/{uuid4().hex[:8]}?ü=1"


def elsewhere(console: Console, person: str, name: str, *products: str, event_id: str = "") -> None:
    """Another client, such as an application, sends an event of the same person for each product."""
    payload = [
        {"eventId": event_id or uuid4().hex, "userId": person, "data": {"productId": product}} for product in products
    ]
    asked = urllib.request.Request(
        f"{console.url}/sandbox/v1/sandbox/projects/sandbox/sources/1001/track",
        json.dumps({"track": [{"name": name, "payload": payload}]}).encode(),
        {"Content-Type": "application/json", "Authorization": "Basic " + base64.b64encode(b"sandbox:sandbox").decode()},
    )
    with urllib.request.urlopen(asked, timeout=10) as response:
        assert response.status == 201


def test_from_a_send_to_the_person_and_the_link_opens_in_another_browser_tab(
    page: Page, context: BrowserContext, person: str
) -> None:
    send(compose(page, person, "SKU_1"))
    expect(page.get_by_text("“SKU_1” is now #1.")).to_be_visible()
    page.get_by_role("link", name="Open this person's feeds").click()
    expect(box(page, "feeds-person")).to_have_value(person)
    settled(page)
    other = context.new_page()
    open_screen(other, page.url)
    expect(box(other, "feeds-person")).to_have_value(person)
    expect(widget(other, "feeds-feed-recently-added-to-cart").get_by_text("✓ matches")).to_be_visible()
    expect(widget(other, "feeds-feed-recently-added-to-cart").get_by_text("SKU_1").first).to_be_visible()
    assert serious_findings(other) == []
    other.close()


@pytest.mark.long  # without a browser: tests/pages/test_feeds.py
def test_a_person_is_kept_across_screens_and_each_identity_can_be_looked_up(page: Page, person: str) -> None:
    open_screen(page, "/feeds")
    fill(page, "feeds-person", person)
    expect(page.get_by_text("Nothing reached the sandbox for this user")).to_be_visible()
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
    expect(page.get_by_text("Recently Viewed: “SKU_7” is now #1.")).to_be_visible(timeout=15_000)
    expect(page.get_by_text("Recently Purchased: No change yet after")).to_be_visible()
    expect(widget(page, "feeds-feed-recently-viewed").get_by_text("SKU_7")).to_be_visible()
    expect(page.get_by_role("option", name="Sent by Python-urllib")).to_have_count(1)
    press(page, "feeds-unwatch")
    assert serious_findings(page) == []


@pytest.mark.parametrize(("width", "height"), keep_first_quick([(1440, 900), (1024, 768), (390, 844)]))
def test_why_is_answered_in_view_and_every_event_is_reached_by_the_keyboard(
    page: Page, console: Console, person: str, width: int, height: int
) -> None:
    elsewhere(console, f"{person}-9", "Product viewed", "A1", event_id=f"evt {person}")
    elsewhere(console, person, "Product viewed", "A1", "B7")
    elsewhere(console, person, "Added to cart", "SKU_9", event_id=f"evt {person}")
    page.set_viewport_size({"width": width, "height": height})
    question = urlencode({"by": "userId", "person": person, "product": "SKU_9", "feed": "recently-added-to-cart"})
    open_screen(page, f"/feeds?{question}")
    sentence = page.get_by_text(f"repeated the id evt {person}, already used at", exact=False).first
    expect(sentence).to_be_in_viewport()
    expect(page.get_by_role("status").filter(has_text=f"repeated the id evt {person}")).to_have_count(1)  # it is heard
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    options = page.get_by_role("option")
    expect(options).to_have_count(3)
    options.nth(2).focus()
    says = page.locator(".says")
    expect(says).to_contain_text("3: “Added to cart” of SKU_9")
    expect(says).to_contain_text("ignored: The event id")
    page.keyboard.press("ArrowLeft")
    expect(says).to_contain_text("2: “Product viewed” of B7")
    page.keyboard.press("Home")
    expect(options.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(options.nth(2)).to_be_focused()
    page.keyboard.press("Enter")
    expect(widget(page, "feeds-event").get_by_text("◆ ignored")).to_be_in_viewport()
    expect(widget(page, "feeds-event")).to_be_focused()
    assert serious_findings(settled(page)) == []
    page.get_by_role("link", name="which used the id first").first.click()
    expect(page.get_by_text("● processed")).to_be_visible()
    page.get_by_role("link", name="User's feeds").click()
    expect(box(page, "feeds-person")).to_have_value(f"{person}-9")


@pytest.mark.long
def test_a_thousand_events_are_paged_and_stay_quick_to_walk(page: Page, console: Console, person: str) -> None:
    elsewhere(console, person, "Product viewed", *(f"P{number}" for number in range(1_000)))
    open_screen(page, f"/feeds?{urlencode({'by': 'userId', 'person': person})}")
    expect(page.get_by_role("option")).to_have_count(100)
    page.get_by_role("option").last.focus()
    for _ in range(99):
        page.keyboard.press("ArrowLeft")
    expect(page.locator(".says")).to_contain_text("901: “Product viewed” of P900")


@pytest.mark.long  # without a browser: tests/pages/test_feeds.py
def test_an_event_goes_to_inspect_and_untrusted_text_stays_text(page: Page, console: Console, person: str) -> None:
    elsewhere(console, person, "Product viewed", "<img src=x onerror=alert(1)>")
    open_screen(page, f"/feeds?{urlencode({'by': 'userId', 'person': person})}")
    expect(page.get_by_role("option", name="<img src=x")).to_have_count(1)
    page.get_by_role("option").first.click()
    press(page, "feeds-event-inspect")
    expect(page).to_have_url(re.compile("/inspect"))
    expect(page.get_by_text("<img src=x onerror=alert(1)>").first).to_be_visible()


@pytest.mark.long  # without a browser: tests/pages/test_feeds.py
def test_the_conversion_of_a_batch_is_reached_from_history(page: Page, person: str) -> None:
    send(compose(page, person, "SKU_1"))
    open_screen(page, "/history")
    open_row(page)
    page.get_by_role("link", name="Conversion", exact=True).click()
    # The chart's description has the same words: the whole sentence is that of the text.
    expect(
        page.get_by_text("Added: 1 person (100.0%), 1 of them without the previous stage", exact=True)
    ).to_be_visible()
    chart = page.get_by_role("img", name="Viewed, added, ordered")
    expect(chart).to_be_visible()
    # The colours are the theme's, and mean the same in the dark.
    orange = chart.locator("rect.orange").first
    assert orange.evaluate("bar => getComputedStyle(bar).fill") == "rgb(178, 94, 9)"
    assert serious_findings(settled(page)) == []
