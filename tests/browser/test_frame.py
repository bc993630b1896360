"""The frame of every screen in a real browser: product, heading, environment, focus; at each width."""

from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from pages.parts.shared.screens import SCREENS
from tests.browser.actions import box, compose, fill, go, open_row, press, send, use_target, widget
from tests.browser.screens import open_screen, serious_findings, settled
from tests.examples import keep_first_quick

SIZES = {"desktop": (1440, 900), "tablet": (1024, 768), "phone": (390, 844), "zoomed to 200 %": (720, 450)}
PATHS = {one.title: "/" if one is SCREENS[0] else f"/{one.url_path or one.file.removesuffix('.py')}" for one in SCREENS}

RED = "rgb(180, 35, 24)"


@pytest.mark.parametrize(("width", "height"), keep_first_quick(SIZES.values()), ids=SIZES)
def test_product_heading_purpose_and_environment_are_in_view_at_every_size(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    for one in SCREENS:
        open_screen(page, PATHS[one.title])
        mark = page.get_by_test_id("stHeaderLogo")
        expect(mark).to_be_in_viewport()
        name = mark.evaluate("mark => getComputedStyle(mark.parentElement, '::after').content")
        assert name == '"Event Console"'
        expect(page.get_by_role("heading", level=1)).to_have_text(one.title)
        expect(page.get_by_role("heading", level=1)).to_be_in_viewport()
        expect(page.get_by_text(one.purpose, exact=True)).to_be_in_viewport()
        expect(box(page, "target")).to_be_in_viewport()
        expect(box(page, "target")).to_have_value("Test · Sandbox")
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), one.title


def test_mark_heading_and_content_begin_at_one_left_edge(page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    for one in SCREENS:
        open_screen(page, PATHS[one.title])
        edges = page.evaluate(
            """() => {
                const left = one => Math.round(one.getBoundingClientRect().left);
                const blocks = document.querySelectorAll('[data-testid=stMainBlockContainer] > * > *');
                const drawn = [...blocks].filter(
                    one => one.getBoundingClientRect().height && getComputedStyle(one).position !== 'fixed');
                return [...document.querySelectorAll('[data-testid=stHeaderLogo], h1'), ...drawn].map(left);
            }"""
        )
        assert len(set(edges)) == 1, (one.title, edges)


@pytest.mark.parametrize("scheme", keep_first_quick(["light", "dark"]))
def test_production_is_red_on_every_screen_and_so_is_what_sends(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    use_target(page, "shop-us", "http://127.0.0.1:1", production=True)
    band = widget(page, "production-band")
    for one in [one for one in SCREENS if one.in_navigation]:
        go(page, one.title)
        expect(band).to_have_text("PRODUCTION: what you send to shop-us changes what real customers are shown.")
        expect(band).to_have_css("background-color", RED)
        expect(box(page, "target")).to_have_value("PRODUCTION · shop-us")
        expect(widget(page, "target").get_by_role("group").first).to_have_css("background-color", RED)
    go(page, "Inspect")
    event = '{"name": "Product viewed", "eventId": "frame-1", "userId": "u", "data": {"productId": "A1"}}'
    box(page, "inspect-paste").fill(event)
    widget(page, "inspect-read").get_by_role("button").click()
    name = page.get_by_role("textbox", name="Name of the production target", exact=True)
    expect(name).to_be_visible()
    expect(page.get_by_role("button", name="Type shop-us to enable", exact=True)).to_be_disabled()
    assert serious_findings(page) == []
    fill(page, "inspect-production-shop-us", "shop-us")
    expect(widget(page, "inspect-send").get_by_role("button")).to_have_css("background-color", RED)


def test_the_sandbox_is_grey_and_its_words_explain_themselves_to_the_keyboard(page: Page) -> None:
    open_screen(page, "/")
    expect(widget(page, "production-band")).to_have_count(0)
    expect(widget(page, "target").get_by_role("group").first).to_have_css("background-color", "rgb(233, 235, 230)")
    widget(page, "target-status").get_by_role("button", name="Help").last.focus()
    expect(page.get_by_role("tooltip")).to_contain_text("accepted, and then ignored")


def test_focus_is_seen_in_the_navigation(page: Page) -> None:
    open_screen(page, "/history")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.textContent") == "Upload":
            break
    link = page.get_by_role("link", name="Upload", exact=True)
    expect(link).to_be_focused()
    expect(link).to_have_css("outline-style", "solid")
    expect(link).to_have_css("outline-width", "3px")


def test_no_address_of_a_screen_makes_the_frontend_look_for_its_server_elsewhere(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_screen(page, "/history?batch=none")
    pings = [url.partition("127.0.0.1:")[2].partition("/")[2] for url in asked if "/_stcore/h" in url]
    assert sorted(pings) == ["_stcore/health", "_stcore/host-config"]


def test_open_in_compose_leads_to_the_address_of_compose(page: Page) -> None:
    send(compose(page, f"frame-{uuid4().hex[:8]}"))
    open_screen(page, "/history")
    open_row(page)
    page.wait_for_url("**/history?batch=*")
    settled(page)
    open_row(page)
    page.wait_for_url("**/history?request=*")
    settled(page)
    press(page, "history-compose")
    expect(page.get_by_role("heading", level=1)).to_have_text("Compose")
    assert urlsplit(page.url).path == "/"
    assert page.title() == "Compose · Event Console"


def test_while_the_console_starts_it_says_so(page: Page) -> None:
    page.route("**/_stcore/host-config", lambda _: None)  # never answered
    page.goto("/")
    waiting = page.get_by_test_id("stAppSkeleton")
    expect(waiting).to_be_attached()
    said = waiting.evaluate("shown => getComputedStyle(shown, '::before').content")
    assert said == '"Event Console is starting …"'


def test_a_link_within_the_open_screen_looks_like_a_link(page: Page) -> None:
    send(compose(page, f"frame-{uuid4().hex[:8]}"))
    open_screen(page, "/history")
    page.locator("a[href*='batch=']").first.click()
    page.wait_for_url("**/history?batch=*")
    settled(page)
    back = page.get_by_test_id("stPageLink").get_by_role("link", name="All batches")
    expect(back).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    expect(back.locator("p")).to_have_css("font-weight", "400")
    expect(back.locator("p")).to_have_css("text-decoration-line", "underline")
