"""A result in a real browser: where it stands, that the focus goes to it, that it is heard, and what it says."""

import asyncio
import re
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.actions import compose, event_id, events_of, fill, open_details, use_server, widget
from tests.browser.conftest import Console
from tests.browser.screens import open_screen, serious_findings, settled
from tests.core.transport.fault_server import Connection, answers, hostile
from tests.examples import keep_first_quick

SIZES = {"wide": (1440, 900), "middle": (1024, 768), "phone": (390, 844)}
"""The sizes of a window, in pixels."""


def person() -> str:
    return f"u{uuid4().hex[:12]}"


def result(page: Page) -> Locator:
    """The line of steps with its sentence and buttons."""
    return page.locator("[class*='st-key-result-']").first


def send_and_wait(page: Page, key: str = "compose-send") -> None:
    """Press a button that sends, and wait until its result is there."""
    known = count_announced(page)
    widget(page, key).get_by_role("button").first.click()
    wait_for_result(page, known)


RESULTS = "() => [...(window.consoleAnnouncements ?? [])].filter(one => one.startsWith('result-')).length"
"""How many tokens of results were announced; a long wait is announced too."""


def count_announced(page: Page) -> int:
    return int(page.evaluate(RESULTS))


def wait_for_result(page: Page, known: int = 0) -> None:
    """Wait until a result is there that was not announced before."""
    page.wait_for_function(f"known => ({RESULTS})() > known", arg=known)
    settled(page)


def heard(page: Page) -> str:
    """What the live region says."""
    region = page.locator("#console-announcements")
    expect(region).not_to_be_empty()
    assert region.get_attribute("aria-live") == "polite"
    return region.inner_text()


def has_focus(page: Page, place: Locator) -> bool:
    return bool(place.evaluate("element => element === document.activeElement"))


def in_view(page: Page, place: Locator) -> bool:
    """Whether all of an element is inside the window, and nothing lies over its corners."""
    return bool(
        place.evaluate(
            """element => {
                const {top, bottom, left, right} = element.getBoundingClientRect();
                const shows = (x, y) => element.contains(document.elementFromPoint(x, y));
                return top >= 0 && bottom <= innerHeight && left >= 0 && right <= innerWidth + 1
                    && shows(left + 3, top + 3) && shows(left + 3, bottom - 3);
            }"""
        )
    )


def test_a_newcomer_sees_a_first_event_through_all_three_steps_in_four_interactions_or_fewer(page: Page) -> None:
    who = person()
    open_screen(page, "/")
    fill(page, "compose-data-productId", "SKU_987")  # 1
    fill(page, "compose-userId", who)  # 2
    send_and_wait(page)  # 3
    for step in ("● Accepted", "● Processed", "● Feed as expected"):
        expect(result(page).get_by_text(step, exact=True)).to_be_visible()
    expect(result(page).get_by_text("Worked: SKU_987 is now first in Recently Added to Cart.")).to_be_visible()


@pytest.mark.parametrize("size", keep_first_quick(SIZES))
def test_after_send_the_result_is_in_view_has_the_focus_and_is_heard(page: Page, size: str) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    compose(page, person())
    send_and_wait(page)
    assert in_view(page, result(page))
    assert has_focus(page, result(page))
    assert result(page).get_attribute("role") == "group"
    assert heard(page).startswith("Accepted, Processed, Feed as expected. Worked: SKU_987")


def test_the_next_key_after_send_leads_on_from_the_result_and_a_later_rerun_does_not_take_the_focus(page: Page) -> None:
    compose(page, person())
    widget(page, "compose-send").get_by_role("button").focus()
    page.keyboard.press("Enter")
    wait_for_result(page)
    assert has_focus(page, result(page))
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement !== document.body")
    fill(page, "compose-userId", person())
    assert not page.evaluate("() => document.activeElement.className.includes('st-key-result')")


@pytest.mark.long  # on Inspect: test_inspect.py
def test_an_event_under_an_id_that_was_used_before_is_told_as_ignored_and_sent_with_a_new_id(
    page: Page, console: Console
) -> None:
    first, second = person(), person()
    compose(page, first)
    used = event_id(page)
    send_and_wait(page)
    page.wait_for_timeout(5_500)  # sooner, the old id is a message of the browser that was underway
    open_details(page)
    fill(page, "compose-1-eventId", used)
    fill(page, "compose-userId", second)
    fill(page, "compose-data-productId", "SKU_TOMORROW")
    send_and_wait(page)
    ignored = result(page).get_by_text(re.compile(rf"^◆ Ignored: duplicate event id, used \d\d:\d\d:\d\d by {first}$"))
    expect(ignored).to_be_visible()
    expect(result(page).get_by_text("● Accepted", exact=True)).to_be_visible()
    assert "as expected" not in result(page).inner_text()
    assert heard(page).startswith("Accepted, Ignored: duplicate event id")
    assert serious_findings(page) == []
    known = count_announced(page)
    result(page).get_by_role("button", name="Send with a new id").click()
    wait_for_result(page, known)
    expect(result(page).get_by_text("Worked: SKU_TOMORROW is now first in Recently Added to Cart.")).to_be_visible()
    assert [event["processed"] for event in events_of(console.url, second)] == [False, True]


@pytest.mark.long  # without a browser: tests/pages/test_result.py
def test_the_event_that_used_the_id_is_one_click_away(page: Page) -> None:
    first = person()
    compose(page, first)
    used = event_id(page)
    send_and_wait(page)
    page.wait_for_timeout(5_500)
    open_details(page)
    fill(page, "compose-1-eventId", used)
    send_and_wait(page)
    result(page).get_by_role("link", name="See that event").click()
    settled(page)
    expect(page.get_by_test_id("stMain")).to_contain_text(used)
    expect(page.get_by_test_id("stMain")).to_contain_text(first)


async def hangs(connection: Connection) -> None:
    """Take the request and never respond."""
    await connection.request()
    await asyncio.sleep(60)


@pytest.mark.long
def test_a_wait_says_which_attempt_it_is_and_ends_by_a_click(page: Page) -> None:
    with hostile(answers(503, b"later", "Retry-After: 30")) as server:
        use_server(page, "slow", server)
        page.get_by_role("link", name="Compose", exact=True).first.click()
        settled(page)
        fill(page, "compose-data-productId", "SKU_1")
        fill(page, "compose-userId", person())
        widget(page, "compose-send").get_by_role("button").first.click()
        expect(page.get_by_text(re.compile(r"^Attempt 2 of 5 in .*1 attempt so far: .*503"))).to_be_visible()
        page.get_by_role("button", name="Stop waiting (the event may still arrive)").click()
        wait_for_result(page)
        expect(result(page)).to_be_visible()
        assert len(server.received) == 1


@pytest.mark.long  # without a browser: tests/pages/test_result.py
def test_a_live_target_whose_feeds_cannot_be_asked_is_green_only_at_the_first_step(page: Page) -> None:
    with hostile(answers(201, b"{}")) as server:
        use_server(page, "live", server)
        page.get_by_role("link", name="Compose", exact=True).first.click()
        settled(page)
        fill(page, "compose-data-productId", "SKU_1")
        fill(page, "compose-userId", person())
        send_and_wait(page)
    expect(result(page).get_by_text("? Not known: this target cannot be asked")).to_be_visible()
    assert result(page).inner_text().count("●") == 1
