"""A marketer's Compose in a real browser: a journey by keyboard alone, its result in view, links that keep it."""

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from intempt_core.settings import Settings
from intempt_core.targets import derive_target_key, sandbox_target
from intempt_core.validation import CatalogueFolder, build_catalogue, read_catalogue_file
from tests.browser.actions import box, compose, events_of, fill, open_row, press, send, widget
from tests.browser.conftest import Console
from tests.browser.screens import open_screen, serious_findings, settled
from tests.examples import keep_first_quick

JOURNEY = ["Product viewed", "Added to cart", "Removed from cart", "Added to cart", "Product ordered"]
SIZES = [(1440, 900), (390, 844)]
MAX_TABS = 80


def person() -> str:
    """An id that no other test has."""
    return f"journey-{uuid4().hex[:8]}"


def tab_to(page: Page, key: str, direction: str = "Tab") -> None:
    """Move the focus into a widget by the keyboard alone, past the help beside its label."""
    part = "input" if widget(page, key).locator("input").count() else "button"
    for _ in range(MAX_TABS):
        if page.evaluate(f"key => Boolean(document.activeElement?.closest(`.st-key-${{key}} {part}`))", key):
            return
        page.keyboard.press(direction)
    pytest.fail(f"the keyboard does not reach {key}")


FIRST_ROW_IS_AT = """place => [...document.querySelectorAll('[class*="st-key-compose-"]')]
    .filter(one => /st-key-compose-\\d+-name/.test(one.className))
    .findIndex(one => /st-key-compose-1-name/.test(one.className)) === place"""
"""Whether the row that was made first stands at a place in the journey, from 0."""


def is_in_view(found: Locator) -> bool:
    """Whether the whole of an element is on the screen, without scrolling."""
    at, page = found.bounding_box(), found.page.viewport_size
    assert at is not None
    assert page is not None
    return at["y"] >= 0 and at["y"] + at["height"] <= page["height"] and at["x"] + at["width"] <= page["width"]


def test_a_journey_of_five_events_is_made_ordered_and_sent_by_the_keyboard_alone(page: Page, console: Console) -> None:
    who = person()
    page.set_viewport_size({"width": 1440, "height": 900})
    open_screen(page, "/")
    tab_to(page, "compose-userId")
    page.keyboard.type(who)
    tab_to(page, "compose-data-productId")
    page.keyboard.type("SKU_5")
    tab_to(page, "compose-1-name")
    settled(page)
    for number, name in enumerate(["Product ordered", *JOURNEY[:4]], 1):
        if number > 1:
            tab_to(page, "compose-add")
            page.keyboard.press("Enter")
            settled(page)
        expect(widget(page, f"compose-{number}-name").locator("input")).to_be_focused()
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        settled(page)
    tab_to(page, "compose-1-icon-down", "Shift+Tab")
    for place in range(1, 5):  # what is ordered goes to the end, and the cursor with it
        page.keyboard.press("Enter")
        page.wait_for_function(FIRST_ROW_IS_AT, arg=place)
        settled(page)
        if place < 4:  # at the end nothing is below
            expect(widget(page, "compose-1-icon-down").locator("button")).to_be_focused()
    tab_to(page, "compose-send")
    page.keyboard.press("Enter")
    settled(page)
    expect(widget(page, "compose-result").get_by_text("accepted", exact=False).first).to_be_visible(timeout=20_000)
    assert [event["name"] for event in events_of(console.url, who)] == JOURNEY
    assert {event["productId"] for event in events_of(console.url, who)} == {"SKU_5"}


@pytest.mark.parametrize(("width", "height"), keep_first_quick(SIZES), ids=["desk", "phone"])
def test_the_result_is_where_the_button_was_and_in_view(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    compose(page, person())
    page.get_by_role("button", name="Journey templates").click()
    page.get_by_role("menuitem").first.click()
    settled(page)
    widget(page, "compose-send").scroll_into_view_if_needed()
    send(page)
    assert is_in_view(widget(page, "compose-result"))
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert serious_findings(page) == []


@pytest.mark.long
def test_send_and_problems_stay_in_view_beside_a_long_journey(page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    open_screen(page, "/")
    page.get_by_role("button", name="Journey templates").click()
    page.get_by_role("menuitem").first.click()
    settled(page)
    for _ in range(9):
        press(page, "compose-5-icon-copy")
    fill(page, "compose-userId", "")
    page.get_by_test_id("stMain").hover()
    page.mouse.wheel(0, 5000)
    page.wait_for_timeout(300)
    assert is_in_view(widget(page, "compose-send"))
    press(page, "compose-send")
    expect(page.get_by_text("○ not sent")).to_be_visible()
    assert is_in_view(widget(page, "compose-send"))
    assert is_in_view(widget(page, "compose-go-0"))
    press(page, "compose-go-0")
    expect(box(page, "compose-userId")).to_be_focused()
    assert is_in_view(box(page, "compose-userId"))


def test_a_reloaded_page_keeps_the_result_and_its_link_can_be_copied(page: Page, console: Console) -> None:
    who = person()
    compose(page, who, "SKU_8")
    send(page)
    batch = page.url.partition("?batch=")[2]
    assert batch
    page.reload()
    settled(page)
    expect(widget(page, "compose-result").get_by_text("accepted", exact=False).first).to_be_visible()
    expect(box(page, "compose-userId")).to_have_value(who)
    expect(box(page, "compose-data-productId")).to_have_value("SKU_8")
    expect(page.get_by_text("Request as it was sent", exact=False)).to_be_visible()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{console.url}/history?batch={batch}"
    assert len(events_of(console.url, who)) == 1, "a link sends nothing"


@pytest.mark.long  # test_frame.py says it of Inspect
def test_what_history_opens_in_compose_is_at_composes_address(page: Page) -> None:
    who = person()
    compose(page, who)
    send(page)
    widget(page, "compose-links").get_by_role("link", name="See it in History").click()
    page.wait_for_url("**/history?batch=*")
    settled(page)
    open_row(page)
    page.wait_for_url("**/history?request=*")
    settled(page)
    press(page, "history-compose")
    expect(box(page, "compose-userId")).to_have_value(who)
    assert re.fullmatch(r"http://[^/]+/", page.url), page.url
    expect(page.get_by_text("The events have new event ids", exact=False)).to_be_visible()


@pytest.fixture
def catalogue(console: Console) -> Iterator[None]:
    """A catalogue of 60,000 products for the sandbox."""
    rows = "".join(f"{10_000 + number},Product {number}\n" for number in range(60_000))
    file = read_catalogue_file(f"productId,name\nSKU_04,Lipstick 04 <b>\n{rows}".encode(), name="items.csv")
    store = CatalogueFolder(Settings(data=console.data).catalogues_folder)
    target = derive_target_key(sandbox_target(f"{console.url}/sandbox"))
    store.save(target, build_catalogue(file, "productId", ["name"]))
    yield
    store.remove(target)


@pytest.mark.long  # without a browser: tests/pages/test_catalogue.py
def test_a_product_is_found_by_its_name_twenty_at_a_time_and_other_text_stays(
    page: Page, console: Console, catalogue: None
) -> None:
    who = person()
    compose(page, who, "my own")
    expect(box(page, "compose-data-productId")).to_have_value("my own")
    box(page, "compose-data-productId").fill("")
    box(page, "compose-data-productId").press_sequentially("product 59", delay=20)
    expect(page.get_by_text("20 of 3,754 products: type more to find others.", exact=True)).to_be_visible()
    expect(page.get_by_role("option")).to_have_count(20)
    assert serious_findings(page) == []
    page.keyboard.press("Control+A")
    page.keyboard.type("lipstick", delay=20)
    expect(page.get_by_role("option")).to_have_text(["SKU_04Lipstick 04 <b>"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    settled(page)
    expect(box(page, "compose-data-productId")).to_have_value("SKU_04")
    send(page)
    (sent,) = events_of(console.url, who)
    assert sent["productId"] == "SKU_04"


@pytest.mark.long  # without a browser: tests/pages/test_compose_journeys.py
def test_a_journey_is_saved_and_its_link_opens_it_for_a_colleague(page: Page, console: Console) -> None:
    who = person()
    compose(page, who, "SKU_3")
    page.get_by_role("button", name="Save", exact=True).click()
    settled(page)
    fill(page, "compose-save-name", f"Journey of {who}")
    press(page, "compose-save-now")
    expect(page.get_by_text(f"Saved as “Journey of {who}”: 1 event.")).to_be_visible()
    expect(widget(page, "compose-save-name")).to_have_count(0)
    address = page.url
    open_screen(page, "/")
    expect(box(page, "compose-userId")).to_have_value("")
    open_screen(page, address)
    expect(box(page, "compose-userId")).to_have_value(who)
    expect(page.get_by_text("Nothing was sent.", exact=False)).to_be_visible()
    assert events_of(console.url, who) == []
    page.get_by_role("button", name="Saved journeys").click()
    settled(page)
    with page.expect_download() as downloaded:
        widget(page, "compose-saved-download").get_by_role("button").click()
    assert downloaded.value.suggested_filename.endswith(".journey.json")
