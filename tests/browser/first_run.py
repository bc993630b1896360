"""The pictures of ``docs/first-run.md``, which ``run.py pictures FILE.csv`` takes on an empty console.

It follows the steps of the document with the given file, and prints the feeds that the sandbox then serves.
"""

import sys
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, expect

import run
from tests.browser.actions import open_row
from tests.browser.screens import WATCHED, settled, take_picture

PICTURES = run.ROOT / "docs" / "pictures"
PERSON = "463240011"
FEEDS = ("recently-viewed", "recently-added-to-cart", "recently-purchased")


def click(page: Page, key: str) -> None:
    """Press the button of a widget key."""
    page.locator(f".st-key-{key} button").first.click()
    settled(page)


def picture(page: Page, name: str) -> None:
    """One picture into ``docs/pictures``."""
    settled(page)
    page.mouse.move(5, 5)
    page.wait_for_timeout(800)  # bars and fades come to rest
    take_picture(page, PICTURES / f"{name}.png")


def take_pictures(browser: Browser, url: str, file: str) -> None:
    """The whole first run."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page = browser.new_page(viewport={"width": 1280, "height": 800}, timezone_id="UTC", base_url=url)
    page.add_init_script(WATCHED)
    upload(page, file)
    compose(page)
    inspect(page)
    history(page)
    feeds(page)
    page.goto("/targets")
    click(page, "target-test-sandbox")
    picture(page, "targets")
    page.close()
    for feed in FEEDS:
        response = httpx.post(
            f"{url}/sandbox/v1/sandbox/projects/sandbox/feeds/{feed}/data",
            auth=("sandbox", "sandbox"),
            json={"type": "user", "id": PERSON, "fields": ["id"], "limit": 100},
        )
        sys.stdout.write(f"{feed}: {response.text}\n")


def upload(page: Page, file: str) -> None:
    """From the file to its result."""
    page.goto("/upload")
    settled(page)
    page.locator("input[type=file]").first.set_input_files(Path(file))
    expect(page.locator(".st-key-upload-accept button")).to_be_visible()
    picture(page, "upload-suggestions")
    click(page, "upload-accept")
    expect(page.locator(".st-key-upload-accept button")).to_have_count(0)
    click(page, "upload-accept-product")
    expect(page.locator(".st-key-upload-missing")).to_have_count(0)
    picture(page, "upload-mapping")
    click(page, "upload-settle")
    expect(page.locator(".st-key-upload-send button")).to_be_visible()
    picture(page, "upload-plan")
    click(page, "upload-send")
    expect(page.get_by_text("6 Result", exact=False).first).to_be_visible(timeout=60_000)
    picture(page, "upload")


def compose(page: Page) -> None:
    """One event of the same person, and what its feeds then show."""
    page.goto("/")
    settled(page)
    page.locator(".st-key-compose-data-productId input").fill("5773203")
    page.locator(".st-key-compose-userId input").fill(PERSON)
    page.locator(".st-key-compose-userId input").press("Tab")
    settled(page)
    picture(page, "compose")
    click(page, "compose-send")
    expect(page.get_by_text("Response", exact=True)).to_be_visible(timeout=20_000)
    page.get_by_text("Response", exact=True).scroll_into_view_if_needed()
    picture(page, "compose-outcome")


def feeds(page: Page) -> None:
    """What that person's feeds show beside what they should; after Compose the screen knows whom it is about."""
    page.goto(f"/feeds?target=sandbox&by=userId&person={PERSON}")
    expect(page.get_by_text("Recently Purchased", exact=True)).to_be_visible()
    picture(page, "feeds")
    page.goto("/history")
    settled(page)
    open_row(page, -1)
    page.get_by_role("link", name="Conversion", exact=True).click()
    expect(page.get_by_role("img", name="Viewed, added, ordered")).to_be_visible()
    picture(page, "feeds-conversion")


def inspect(page: Page) -> None:
    """The example, with its problem."""
    page.goto("/inspect")
    settled(page)
    click(page, "inspect-example")
    picture(page, "inspect")


def history(page: Page) -> None:
    """The list, and the batch of the file."""
    page.goto("/history")
    settled(page)
    picture(page, "history")
    open_row(page, -1)
    settled(page)
    picture(page, "history-batch")
