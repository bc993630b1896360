"""Actions on a screen by a widget's key (type, press, choose), and the sandbox's view of what was sent."""

import base64
import json
import re
import urllib.request
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, Locator, Page, expect

from tests.arrangement import PASSWORD, Arrangement
from tests.bench.consoles import Console
from tests.browser.screens import WATCHED, open_screen, settled
from tests.core.transport.fault_server import HostileServer

KEY = "shopprefix.9f3c51d2a7e84b60"
"""The key of the targets that these tests type; no screen may show it."""


def widget(page: Page, key: str) -> Locator:
    """A widget, by its key."""
    return page.locator(f".st-key-{key}")


def box(page: Page, key: str) -> Locator:
    """Where a widget is typed into."""
    return widget(page, key).locator("input, textarea").first


def fill(page: Page, key: str, text: str) -> None:
    """Type into a field and leave it, and wait until the screen has taken it."""
    box(page, key).fill(text)
    box(page, key).press("Tab" if widget(page, key).locator("textarea").count() == 0 else "Control+Enter")
    settled(page)


def press(page: Page, key: str) -> None:
    """Press a button."""
    widget(page, key).get_by_role("button").first.click()
    settled(page)


def choose(page: Page, key: str, option: str) -> None:
    """Press one of several buttons of a widget."""
    widget(page, key).get_by_role("radio", name=option, exact=True).or_(
        widget(page, key).get_by_role("button", name=option, exact=True)
    ).first.click()
    settled(page)


def pick(page: Page, key: str, option: str) -> None:
    """Pick from a list that opens."""
    box(page, key).click()
    box(page, key).fill(option)
    page.get_by_role("option", name=option, exact=True).first.click()
    settled(page)


def compose(page: Page, person: str, product: str = "SKU_987") -> Page:
    """Compose, with an event of a person on it."""
    open_screen(page, "/")
    fill(page, "compose-data-productId", product)
    fill(page, "compose-userId", person)
    return page


def open_details(page: Page, number: int = 1) -> None:
    """Show what is behind *Advanced* of an event on the form."""
    if not widget(page, f"compose-{number}-eventId").count():
        press(page, f"compose-{number}-details")


def paste(page: Page, text: str) -> None:
    """Put a text into Inspect's field, in the place of what is there, and read it."""
    if widget(page, "inspect-edit").count():
        press(page, "inspect-edit")
    box(page, "inspect-paste").fill(text)
    press(page, "inspect-read")


def event_id(page: Page, number: int = 1) -> str:
    """The event id on the form."""
    open_details(page, number)
    return box(page, f"compose-{number}-eventId").input_value()


def send(page: Page, key: str = "compose-send", outcome: str = "accepted") -> None:
    """Press send, and wait for the outcome."""
    press(page, key)
    arrived(page, outcome)


def arrived(page: Page, outcome: str) -> None:
    """Wait for an outcome's card."""
    response = page.get_by_text("Response", exact=True).locator("visible=true")
    expect(response.or_(widget(page, "inspect-details")).first).to_be_visible(timeout=20_000)
    settled(page)
    expect(page.get_by_test_id("stMain").get_by_text(outcome, exact=False).first).to_be_visible()


def events_of(console_url: str, person: str) -> list[dict[str, Any]]:
    """What the sandbox has received of a person, in the order of arrival."""
    asked = urllib.request.Request(f"{console_url}/sandbox/_sandbox/events?person={quote(person, safe='')}")
    asked.add_header("Authorization", "Basic " + base64.b64encode(b"sandbox:sandbox").decode())
    with urllib.request.urlopen(asked, timeout=10) as response:
        found: list[dict[str, Any]] = json.load(response)["events"]
    return found


def use_target(page: Page, name: str, host: str, *, production: bool = False, key: str = KEY) -> None:
    """Add a target on its screen, or change the one of that name; its key is typed for this tab."""
    open_screen(page, "/targets")
    is_there = widget(page, f"target-edit-{name}").count() > 0
    press(page, f"target-edit-{name}" if is_there else "target-add")
    given = {"name": name, "host": host, "org": "acme", "project": "shop", "source": "1487580005268456192", "key": key}
    for field, text in given.items():
        box(page, f"target-form-{field}").fill(text)
    environment = "PRODUCTION" if production else "Test"
    widget(page, "target-form-production").get_by_text(environment, exact=True).click()
    press(page, "target-form-use")
    expect(widget(page, f"target-{name}").or_(page.get_by_text("Not saved", exact=False))).to_be_visible()
    settled(page)


def open_row(page: Page, number: int = 0) -> None:
    """Open a row of the table on the screen, by its link."""
    page.locator("[data-part=table] tbody a").nth(number).click()
    settled(page)


def go(page: Page, screen: str) -> None:
    """To another screen by the navigation, so that the session stays."""
    page.get_by_role("link", name=screen, exact=True).first.click()
    settled(page)


def use_server(page: Page, name: str, server: HostileServer, *, production: bool = False) -> None:
    """A server of the tests as the target of this session."""
    use_target(page, name, server.url, production=production)


def open_batch(page: Page, batch: str, shown: str | re.Pattern[str]) -> None:
    """Open a batch that may be going on, and wait until its page shows a text.

    Such a page asks its server twice a second: on a busy machine there is no moment without a message.
    """
    page.goto(f"/history?batch={batch}")
    expect(page.get_by_text(shown).locator("visible=true").first).to_be_visible(timeout=60_000)


def sign_in(browser: Browser, arrangement: Arrangement, console: Console) -> Page:
    """A page of a browser of its own that the proxy leads to a console, and that has given the password."""
    context = browser.new_context(
        base_url=arrangement.url, viewport={"width": 1280, "height": 900}, reduced_motion="reduce"
    )
    context.add_init_script(WATCHED)
    route = arrangement.find_route(console)
    context.add_cookies([{"name": "console_route", "value": route, "url": arrangement.url}])
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Password of this console").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    return settled(page)
