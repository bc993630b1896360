"""Every screen, opened by its address: it shows its name, requests nothing from outside, and is accessible."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.screens import open_screen, serious_findings

SCREENS = {
    "/": "Compose",
    "/upload": "Upload",
    "/inspect": "Inspect",
    "/history": "History",
    "/feeds": "Feeds",
    "/targets": "Targets",
    "/watch": "Sandbox",
}


@pytest.mark.parametrize(("path", "name"), SCREENS.items(), ids=SCREENS.values())
def test_a_screen_opens_by_its_address_shows_its_name_and_is_accessible(page: Page, path: str, name: str) -> None:
    open_screen(page, path)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_role("link", name=name, exact=True)).to_have_attribute("aria-current", "page")
    assert serious_findings(page) == []


@pytest.mark.long
@pytest.mark.parametrize("path", SCREENS, ids=SCREENS.values())
def test_axe_finds_nothing_serious_in_the_dark(page: Page, path: str) -> None:
    page.emulate_media(color_scheme="dark")
    assert serious_findings(open_screen(page, path)) == []
