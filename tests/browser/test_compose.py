"""Compose in a real browser: what is typed is shown, what is shown is sent, and its outcome is shown."""

import asyncio
import json
import re
from datetime import datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.browser.actions import (
    KEY,
    arrived,
    box,
    choose,
    compose,
    event_id,
    events_of,
    fill,
    go,
    open_details,
    pick,
    press,
    send,
    use_server,
    widget,
)
from tests.browser.conftest import Console
from tests.browser.screens import open_screen, serious_findings, settled
from tests.core.transport.fault_server import Connection, answers, hostile

HOSTILE = [
    "![x](http://e.example/y.png)",
    "<script>document.title='taken'</script><img src=http://e.example/z.png>",
    ":red[x] :material/home: $x$ **b** `c`",
    "\u202eRTL\u200bzero\u2066",
]
"""Text that would load, run or look different, were it rendered."""


def person() -> str:
    """An id that no other test has, of 19 digits and more."""
    return f"14875800052684{uuid4().int % 10**9:09}"


def shown_request(page: Page) -> str:
    """The request as the screen shows it."""
    return page.get_by_test_id("stCode").first.text_content() or ""


RED = """() =>
    [...document.querySelectorAll('[data-testid=stMain] *')].filter(e => {
        const m = getComputedStyle(e).backgroundColor.match(/\\d+/g).map(Number);
        return m.length === 3 && m[0] > 180 && m[1] < m[0] - 20 && m[2] < m[0] - 20;
    }).map(e => e.textContent)"""
"""The elements with a red background."""


def nothing_is_red(page: Page) -> None:
    """Wait until no element has a red background; those of an older drawing disappear in a moment."""
    page.wait_for_function(f"() => ({RED})().length === 0", timeout=10_000)


def test_the_landing_page_is_compose_and_nothing_on_it_is_red(page: Page) -> None:
    open_screen(page, "/")
    expect(widget(page, "compose-1-name")).to_be_visible()
    expect(page.get_by_text("… not checked")).to_be_visible()
    nothing_is_red(page)


def test_problems_are_at_their_field_and_in_a_list_that_leads_there_until_the_next_edit(page: Page) -> None:
    open_screen(page, "/")
    open_details(page)
    box(page, "compose-1-eventId").fill("")
    press(page, "compose-check")
    expect(page.get_by_text("3 problems")).to_be_visible()
    press(page, "compose-1-details")
    for number, field in enumerate(("1-eventId", "data-productId", "userId")):
        press(page, f"compose-go-{number}")
        expect(box(page, f"compose-{field}")).to_be_focused()
    assert len(page.evaluate(RED)) > 3
    page.keyboard.type("u1")
    page.keyboard.press("Tab")
    settled(page)
    expect(page.get_by_text("… not checked")).to_be_visible()
    expect(page.get_by_text("3 problems")).to_have_count(0)
    nothing_is_red(page)
    assert widget(page, "compose-data-productId").is_visible()


def test_typing_fast_through_the_fields_loses_nothing(page: Page) -> None:
    open_screen(page, "/")
    for identity in ("profileId", "anotherUserId", "accountId"):
        press(page, f"compose-show-{identity}")
    typed = {
        "userId": "user-12345678",
        "profileId": "profile-12345678",
        "anotherUserId": "another-12345678",
        "accountId": "account-12345678",
        "data-productId": "SKU_0001",
    }
    for field, text in typed.items():
        box(page, f"compose-{field}").focus()
        page.keyboard.press("Control+A")
        page.keyboard.press("Delete")
        page.keyboard.type(text, delay=4)
        page.keyboard.press("Tab")
    settled(page)
    for field, text in typed.items():
        expect(box(page, f"compose-{field}")).to_have_value(text)
    for text in typed.values():  # the last edit's run may come after a rest: it waited for the one before
        expect(page.get_by_test_id("stCode").first).to_contain_text(f'"{text}"')


def test_a_sent_event_shows_its_card_and_the_form_takes_a_new_id(page: Page, console: Console) -> None:
    who = person()
    compose(page, who, "1487580005268456287")
    first = event_id(page)
    send(page)
    card = page.get_by_test_id("stMain")
    expect(card.get_by_text("HTTP status 201")).to_be_visible()
    expect(
        card.get_by_text(re.compile(r"201 Created\. [\d.]+ m?s, first attempt, at \d\d:\d\d:\d\d .*Europe/Berlin"))
    ).to_be_visible()
    expect(card.get_by_text(f"Feeds for {who}")).to_be_visible()
    expect(card.get_by_text("Read from Sandbox at")).to_be_visible()
    card.get_by_text("Headers", exact=True).click()
    expect(card.get_by_text("content-length: 2")).to_be_visible()
    codes = [code.strip() for code in page.get_by_test_id("stCode").all_inner_texts()]
    (kept,) = events_of(console.url, who)
    sent = {"name": "Added to cart", "payload": [kept["event"]]}
    assert json.loads(codes[1]) == {"track": [sent]}
    assert codes[2] == "{}"
    assert codes[-4:] == [codes[-4], "nothing", "1487580005268456287", "nothing"]
    assert kept["eventId"] == first
    assert event_id(page) not in ("", first)
    assert first in shown_request(page), "while its outcome is there, the request is the one that was sent"
    page.wait_for_timeout(2000)  # sooner, it would be the second half of a double click
    widget(page, "compose-same").get_by_role("button").dblclick(delay=20)
    page.wait_for_timeout(1200)
    arrived(page, "accepted")
    _, repeat = events_of(console.url, who)
    assert repeat["event"] == kept["event"]
    assert not repeat["processed"]
    assert page.get_by_test_id("stCode").nth(1).inner_text().strip() == codes[1]
    expect(
        page.get_by_text("The target deduplicates by event id: it ignores events that it already has.")
    ).to_be_visible()


@pytest.mark.long  # test_double_click.py says the same
def test_a_double_click_sends_once(page: Page, console: Console) -> None:
    who = person()
    compose(page, who)
    widget(page, "compose-send").get_by_role("button").dblclick(delay=20)
    page.wait_for_timeout(600)
    arrived(page, "accepted")
    assert len(events_of(console.url, who)) == 1


@pytest.mark.long  # without a browser: tests/pages/test_compose.py
def test_a_broken_event_is_sent_as_it_is_after_a_confirmation(page: Page, console: Console) -> None:
    who = person()
    open_screen(page, "/")
    fill(page, "compose-userId", who)
    press(page, "compose-send")
    expect(page.get_by_text("1 problem", exact=False).first).to_be_visible()
    assert events_of(console.url, who) == []
    shown = json.loads(shown_request(page).partition("\n{")[2].join(["{", ""]))
    page.get_by_role("button", name="Send anyway").click()
    send(page, "compose-send-as-it-is")
    (kept,) = events_of(console.url, who)
    assert not kept["processed"]
    assert shown == {"track": [{"name": "Added to cart", "payload": [kept["event"]]}]}


@pytest.mark.long  # as test_compose_journeys.py
def test_a_journey_fills_the_form_and_is_sent_as_one_request_in_its_order(page: Page, console: Console) -> None:
    who = person()
    compose(page, who, "SKU_1")
    page.get_by_role("button", name="Journey templates").click()
    page.get_by_role("menuitem").first.click()
    settled(page)
    expect(widget(page, "compose-5-name")).to_be_visible()
    expect(page.get_by_role("menuitem")).to_have_count(0)
    press(page, "compose-send")
    arrived(page, "accepted")
    expect(page.get_by_text(re.compile(r"^5 events, \d+ bytes"))).to_be_visible()
    arrivals = events_of(console.url, who)
    viewed, added, removed, ordered = "Product viewed", "Added to cart", "Removed from cart", "Product ordered"
    assert [event["name"] for event in arrivals] == [viewed, added, removed, added, ordered]
    assert len({event["received_at"] for event in arrivals}) == 1
    assert [code.strip() for code in page.get_by_test_id("stCode").all_inner_texts()[-3:]] == ["SKU_1"] * 3


@pytest.mark.long  # without a browser: tests/pages/test_compose.py
def test_a_time_chosen_in_a_zone_and_typed_values_are_sent_as_they_were_meant(page: Page, console: Console) -> None:
    who = person()
    compose(page, who)
    open_details(page)
    choose(page, "compose-1-when", "Custom")
    pick(page, "compose-1-zone", "Asia/Kolkata")
    fill(page, "compose-1-seconds", "7.042")
    moment = box(page, "compose-1-moment").input_value() if box(page, "compose-1-moment").count() else ""
    rows = [("tags", "JSON", '["a", {"n": 1487580005268456192}]'), ("price", "number", "1e999")]
    for number, (name, kind, text) in enumerate(rows):
        press(page, "compose-1-more")
        fill(page, f"compose-1-row-{number}-key", name)
        pick(page, f"compose-1-row-{number}-type", kind)
        fill(page, f"compose-1-row-{number}-value", text)
    expect(page.get_by_text("This text does not match its type; it is sent as text.")).to_have_count(1)
    send(page)
    (kept,) = events_of(console.url, who)
    assert kept["event"]["data"] == {
        "productId": "SKU_987",
        "tags": ["a", {"n": 1487580005268456192}],
        "price": "1e999",
    }
    time = kept["event"]["timestamp"]
    assert isinstance(time, int)
    assert time % 60_000 == 7_042
    there = datetime.fromtimestamp(time / 1000, ZoneInfo("Asia/Kolkata"))
    assert there.strftime("%H:%M") in moment or not moment


def test_hostile_text_is_text_in_every_field_and_loads_nothing(page: Page, console: Console) -> None:
    who = person()
    compose(page, who)
    fields = ["data-productId", "profileId", "anotherUserId", "accountId"]
    for field, text in zip(fields, HOSTILE, strict=True):
        if not widget(page, f"compose-{field}").count():
            press(page, f"compose-show-{field}")
        fill(page, f"compose-{field}", text)
    open_details(page)
    press(page, "compose-1-more")
    fill(page, "compose-1-row-0-key", HOSTILE[0])
    fill(page, "compose-1-row-0-value", "x" * 5000)
    send(page)
    (kept,) = events_of(console.url, who)
    assert [kept[name] for name in ("productId", "profileId", "anotherUserId", "accountId")] == HOSTILE
    assert kept["event"]["data"][HOSTILE[0]] == "x" * 5000
    text = page.get_by_test_id("stMain").inner_text()
    assert text.count(HOSTILE[0]) >= 3, "in the request, in the sent body, in a feed"
    assert page.locator("[data-testid=stMain] img, [data-testid=stMain] a[href*='e.example']").count() == 0
    assert page.title() != "taken"
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


async def hangs(connection: Connection) -> None:
    """Take the request and never respond."""
    await connection.request()
    await asyncio.sleep(60)


@pytest.mark.long  # without a browser: tests/pages/test_compose.py
def test_a_response_in_html_is_shown_as_text_and_a_silent_target_differs_from_a_closed_one(page: Page) -> None:
    page_sent = b"<script>document.title='taken'</script><img src=http://e.example/a.png><b>welcome</b>"
    with hostile(answers(200, page_sent)) as server:
        use_server(page, "shop", server)
        go(page, "Compose")
        box(page, "compose-data-productId").fill("SKU_1")
        fill(page, "compose-userId", "u1")
        send(page)
        expect(page.get_by_text(page_sent.decode(), exact=True)).to_be_visible()
        assert page.title() != "taken"
        server.behaviour = hangs
        for transport in server.open:
            transport.abort()
        fill(page, "compose-data-productId", "SKU_2")
        send(page, outcome="unknown")
        expect(
            page.get_by_text("did not answer in time. The events may have arrived.", exact=False).first
        ).to_be_visible()
        assert KEY not in page.content()
    fill(page, "compose-data-productId", "SKU_3")
    send(page, outcome="not sent")
    expect(page.get_by_text("nothing listens at this port. Nothing was sent.", exact=False)).to_be_visible()


@pytest.mark.long  # without a browser: tests/pages/test_compose.py
def test_a_production_target_is_sent_to_once_its_name_is_typed(page: Page) -> None:
    with hostile(answers(201, b"{}")) as server:
        use_server(page, "shop-eu", server, production=True)
        go(page, "Compose")
        expect(page.get_by_text("PRODUCTION").first).to_be_visible()
        fill(page, "compose-data-productId", "SKU_1")
        fill(page, "compose-userId", "u1")
        expect(widget(page, "compose-send")).to_have_count(0)
        fill(page, "compose-production-shop-eu", "shop")
        expect(widget(page, "compose-send")).to_have_count(0)
        fill(page, "compose-production-shop-eu", "shop-eu")
        send(page)
        assert len(server.received) == 1
        expect(page.get_by_text("the feed ids of this target are not known", exact=False).first).to_be_visible()
        expect(widget(page, "compose-same")).to_have_count(0)
        go(page, "Inspect")
        press(page, "inspect-example")
        page.get_by_role("button", name="Send anyway").click()
        expect(widget(page, "inspect-send-as-it-is")).to_have_count(0)


@pytest.mark.long  # test_accessibility.py looks at an outcome
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_an_error_or_an_outcome(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    open_screen(page, "/")
    press(page, "compose-check")
    expect(page.get_by_text("2 problems")).to_be_visible()
    assert serious_findings(page) == []
    box(page, "compose-data-productId").fill("SKU_1")
    fill(page, "compose-userId", person())
    send(page)
    assert serious_findings(page) == []
