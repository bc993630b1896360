"""History as a worklist in a real browser, at three sizes and by the keyboard alone: the table, its search and order,
what waits for a person, two batches compared, and a batch beside its resend.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from intempt_core.contract import Outcome, RequestVerdict
from intempt_core.dispatch.process_locks import acquire_lock, locate_owner_lock
from intempt_core.history import AttemptEnd, AttemptStart, BatchState, EventIntent, RequestState
from intempt_core.history.history import History
from intempt_core.planning.plan import Policy
from intempt_core.settings import Settings
from tests.browser.actions import box, compose, go, open_row, send, widget
from tests.browser.conftest import Console
from tests.browser.screens import open_screen, serious_findings, settled
from tests.core.history.factories import ME, attempt, event, intent, request

SIZES = [
    pytest.param((1440, 900), id="wide"),
    pytest.param((1024, 768), id="middle", marks=pytest.mark.long),
    pytest.param((390, 844), id="phone", marks=pytest.mark.long),
]
"""The sizes of a window, in pixels."""

LONG_SIZES = [pytest.param(size.values[0], id=size.id, marks=pytest.mark.long) for size in SIZES]

HEADS = ["Time", "What", "User", "Product", "Target", "Events", "Result"]
DIGITS = "9007199254740993123"
"""A product id beyond what a number of JavaScript holds."""


@dataclass(frozen=True)
class Worklist:
    """Batches in History that no other test has.

    Attributes:
        word: What all their names hold.
        small: A batch of two events, of one user and one product.
        large: A batch of five events with a name, and with one more user.
        unknown: A batch of three events of which it is not known whether they arrived.
        resend: The batch that sent the unknown one again.
    """

    word: str
    small: str
    large: str
    unknown: str
    resend: str = ""


@pytest.fixture
def history(console: Console) -> Iterator[History]:
    """The history of the running console, which takes over no batch of these tests: their owner is alive."""
    lock = acquire_lock(locate_owner_lock(console.data, ME))
    assert lock is not None
    opened = History.open(Settings(data=console.data).history_url)
    yield opened
    opened.close()
    lock.release()


def record(history: History, label: str, events: list[EventIntent], outcome: Outcome, **given: object) -> str:
    """A batch of one request that is over."""
    given = {"label": label, "rows": len(events), "owner": ME, "policy": Policy.GO_ON, "persons": 1} | given
    batch = history.recorder.record(intent(**given), [request(1, 1, events, write_body(events))])
    settle(history, batch, outcome)
    return batch


def write_body(events: list[EventIntent]) -> bytes:
    """The body that sends these events."""
    payload = [
        {"eventId": one.event_id, "userId": one.user_id, "data": {"productId": one.product_id}} for one in events
    ]
    return json.dumps({"track": [{"name": "Product viewed", "payload": payload}]}).encode()


def settle(history: History, batch: str, outcome: Outcome) -> None:
    for one in history.queries.requests(batch).items:
        history.queue.apply_transitions([AttemptStart(one.id)], owner=ME)
        history.queue.apply_transitions([AttemptEnd(one.id, attempt(outcome))], owner=ME)
    history.control.set_state(batch, BatchState.DONE)


@pytest.fixture
def worklist(history: History) -> Iterator[Worklist]:
    """Three batches, of which one waits for a person until the test is over."""
    word = f"w{uuid4().hex[:10]}"

    def events(count: int, user: str, product: str) -> list[EventIntent]:
        return [
            event(row, event_id=f"{word}-{user}-{row}", user_id=f"{user}-{word}", product_id=product)
            for row in range(1, count + 1)
        ]

    large = [*events(4, "ann", f"{word}-hat"), *events(1, "bob", f"{word}-cap")]
    made = Worklist(
        word,
        small=record(history, f"alpha-{word}.csv", events(2, "ann", DIGITS), Outcome.ACCEPTED),
        large=record(history, f"beta-{word}.csv", large, Outcome.ACCEPTED, persons=2, name=f"Smoke test {word}"),
        unknown=record(history, f"gamma-{word}.csv", events(3, "cyd", f"{word}-tie"), Outcome.UNKNOWN),
    )
    yield made
    history.control.dismiss(made.unknown)


@pytest.fixture
def resent(history: History, worklist: Worklist) -> Worklist:
    """The same batches; the unknown one was sent again, and is accepted."""
    again = [
        replace(one, events=list(one.events))
        for one in history.outcomes.request_intents(worklist.unknown, [RequestState.UNKNOWN])
    ]
    resend = history.recorder.record(
        intent(label=f"gamma-{worklist.word}.csv", owner=ME, policy=Policy.GO_ON, resend_of=worklist.unknown), again
    )
    settle(history, resend, Outcome.ACCEPTED)
    return replace(worklist, resend=resend)


def open_list(page: Page, size: tuple[int, int], text: str) -> None:
    """History at a size, searched for a text."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_screen(page, f"/history?history-text={text}")


def table(page: Page) -> Locator:
    return page.get_by_role("table", name="Batches")


def rows(page: Page) -> Locator:
    return table(page).locator("tbody tr")


def names(page: Page) -> list[str]:
    """What the rows are called, from the top."""
    return [text.split("-w")[0].split(" w")[0] for text in rows(page).locator("a").all_inner_texts()]


def search(page: Page, text: str) -> None:
    box(page, "history-text").fill(text)
    box(page, "history-text").press("Enter")
    settled(page)


def is_in_view(page: Page, place: Locator) -> bool:
    """Whether all of a place can be seen without scrolling."""
    found, size = place.bounding_box(), page.viewport_size
    assert found is not None
    assert size is not None
    return (
        found["y"] >= 0
        and found["y"] + found["height"] <= size["height"]
        and found["x"] + found["width"] <= size["width"]
    )


def is_as_wide_as_the_window(page: Page) -> bool:
    """Whether nothing has to be scrolled sideways: the page, and what of it scrolls up and down."""
    wide = "[document.documentElement, document.querySelector('[data-testid=stMain]')]"
    return bool(page.evaluate(f"{wide}.every(one => one.scrollWidth <= one.clientWidth)"))


@pytest.mark.parametrize("size", SIZES)
def test_the_list_is_a_table_that_sorts_and_finds_by_parts_of_names_and_beginnings_of_ids(
    page: Page, worklist: Worklist, size: tuple[int, int]
) -> None:
    open_list(page, size, worklist.word)
    assert names(page) == ["gamma", "Smoke test", "alpha"]
    assert is_as_wide_as_the_window(page)
    assert serious_findings(page) == []
    if size[0] > 760:
        assert [text.rstrip(" ↕▾▴") for text in table(page).get_by_role("columnheader").all_inner_texts()] == [
            "Compare",
            *HEADS,
        ]
    else:  # a card a row, whose lines say what they are
        assert (
            rows(page).first.locator("td[data-label]").evaluate_all("cells => cells.map(one => one.dataset.label)")
            == HEADS
        )
    shown = rows(page).nth(2).locator("td").all_inner_texts()
    assert [f"ann-{worklist.word}", DIGITS, "shop", "2"] == shown[3:7]
    assert rows(page).nth(1).locator("td").nth(3).inner_text() == "2 users"

    head = table(page).get_by_role("button", name="Events")
    for order, expected in (
        ("descending", ["Smoke test", "gamma", "alpha"]),
        ("ascending", ["alpha", "gamma", "Smoke test"]),
    ):
        head.click()
        settled(page)
        expect(table(page).locator("th", has=page.get_by_role("button", name="Events"))).to_have_attribute(
            "aria-sort", order
        )
        assert names(page) == expected

    for text, expected in (
        (f"lpha-{worklist.word}.c", ["alpha"]),
        (f"oke test {worklist.word}", ["Smoke test"]),
        (f"beta-{worklist.word}", ["Smoke test"]),  # the file's name finds a run that has a name of its own
        (f"{worklist.word}-cyd", ["gamma"]),
        (f"{worklist.word}-ha", ["Smoke test"]),
        (f"bob-{worklist.word[:8]}", ["Smoke test"]),
    ):
        search(page, text)
        assert names(page) == expected, text
    search(page, DIGITS[:18])
    assert "alpha" in names(page)


@pytest.mark.parametrize("size", LONG_SIZES)
def test_what_waits_for_a_person_is_on_top_with_what_to_do(
    page: Page, worklist: Worklist, size: tuple[int, int]
) -> None:
    open_list(page, size, worklist.word)
    waiting = widget(page, "history-undecided")
    first = widget(page, f"undecided-{worklist.unknown}")
    expect(first).to_contain_text("3 unknown (may have arrived)")
    assert is_in_view(page, first)
    top, below = waiting.bounding_box(), table(page).bounding_box()
    assert top is not None
    assert below is not None
    assert top["y"] + top["height"] <= below["y"]
    first.get_by_role("button", name="Resolve").click()
    page.wait_for_url(f"**/history?batch={worklist.unknown}")
    settled(page)
    expect(page.get_by_role("button", name="Resend 3 events to Sandbox")).to_be_visible()  # its choices are open
    page.keyboard.press("Escape")
    settled(page)
    decision = widget(page, "history-decision")
    expect(decision).to_contain_text("This batch needs a decision: 3 unknown (may have arrived).")
    assert is_as_wide_as_the_window(page)
    decision.get_by_role("button", name="Leave it as it is").click()
    settled(page)
    page.get_by_role("link", name="← All batches").click()
    settled(page)
    expect(widget(page, f"undecided-{worklist.unknown}")).to_have_count(0)


def test_a_batch_whose_unknown_events_are_processed_asks_for_nothing_and_says_so(
    page: Page, worklist: Worklist, history: History
) -> None:
    open_list(page, (1440, 900), worklist.word)
    expect(widget(page, f"undecided-{worklist.unknown}")).to_be_visible()
    found = history.throughput.unjudged(worklist.unknown, 10)
    history.throughput.record_verdicts(worklist.unknown, [(one, RequestVerdict(len(one.events))) for one in found])
    open_list(page, (1440, 900), worklist.word)
    expect(rows(page).first).to_contain_text("3 of the unknown arrived and are processed")
    expect(widget(page, f"undecided-{worklist.unknown}")).to_have_count(0)
    rows(page).first.get_by_role("link").click()
    settled(page)
    expect(page.get_by_text("3 of the unknown arrived and are processed")).to_be_visible()
    expect(widget(page, "history-decision")).to_have_count(0)


@pytest.mark.parametrize("size", LONG_SIZES)
def test_two_ticked_batches_are_compared_by_event_id(page: Page, resent: Worklist, size: tuple[int, int]) -> None:
    open_list(page, size, resent.word)
    for batch in (resent.resend, resent.unknown):
        rows(page).locator(f"xpath=self::*[@data-row='{batch}']").get_by_role("checkbox").check()
        settled(page)
    compare = widget(page, "history-ticked").get_by_role("link", name="Compare the two")
    assert is_in_view(page, compare)
    compare.click()
    settled(page)
    expect(page.get_by_text("✓ no differences")).to_be_visible()
    expect(page.get_by_text("All 3 events are in both", exact=False)).to_be_visible()
    expect(widget(page, "compare-side-first").get_by_role("link")).to_have_attribute(
        "href", re.compile(f"batch={resent.unknown}$")
    )  # the one that was recorded first, whichever was ticked first
    assert is_as_wide_as_the_window(page)
    assert serious_findings(page) == []


@pytest.mark.parametrize("size", LONG_SIZES)
def test_a_batch_and_its_resend_lead_to_each_other(page: Page, resent: Worklist, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_screen(page, f"/history?batch={resent.unknown}")
    expect(page.get_by_text("Of 3 events that were resent, 3 are resolved: accepted when sent again.")).to_be_visible()
    line = widget(page, f"lineage-{resent.resend}")
    expect(line).to_contain_text("● 3 accepted")
    assert is_in_view(page, line)
    assert is_as_wide_as_the_window(page)
    line.get_by_role("link").click()
    page.wait_for_url(f"**/history?batch={resent.resend}")
    settled(page)
    line = widget(page, f"lineage-{resent.unknown}")
    expect(line).to_contain_text("◆ 3 resolved")
    line.get_by_role("link").click()
    page.wait_for_url(f"**/history?batch={resent.unknown}")
    page.go_back()
    settled(page)
    expect(widget(page, f"lineage-{resent.unknown}")).to_be_visible()


def test_history_is_worked_by_the_keyboard_alone(page: Page, resent: Worklist) -> None:
    open_list(page, (1440, 900), resent.word)

    def tab_to(place: Locator) -> None:
        """Press Tab until a place has the focus, which can be seen there."""
        for _ in range(60):
            page.keyboard.press("Tab")
            if place.evaluate("one => one.getRootNode().activeElement === one"):
                assert place.evaluate("one => getComputedStyle(one).outlineStyle") != "none"
                return
        pytest.fail(f"{place} is not reached by Tab")

    page.evaluate("document.activeElement.blur()")
    events = table(page).get_by_role("button", name="Events")
    tab_to(events)
    page.keyboard.press("Enter")
    settled(page)
    assert names(page) == ["Smoke test", "gamma", "gamma", "alpha"]
    assert events.evaluate("one => one.getRootNode().activeElement === one")  # the focus stays where it was
    for place in (0, 3):
        tab_to(rows(page).nth(place).get_by_role("checkbox"))
        page.keyboard.press("Space")
        settled(page)
    tab_to(page.get_by_role("link", name="Compare the two"))
    page.keyboard.press("Enter")
    settled(page)
    expect(page.get_by_text("only in the second", exact=False).first).to_be_visible()
    tab_to(page.get_by_role("link", name="← All batches"))
    page.keyboard.press("Enter")
    settled(page)
    page.keyboard.press("Shift+Tab")
    tab_to(box(page, "history-text"))
    page.keyboard.type(f"lpha-{resent.word}")
    page.keyboard.press("Enter")
    settled(page)
    assert names(page) == ["alpha"]
    tab_to(rows(page).first.locator("a"))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/history?batch={resent.small}")


@pytest.mark.long
def test_back_leads_from_a_result_to_the_form_and_forward_to_the_result(page: Page) -> None:
    compose(page, f"back-{uuid4().hex}", "SKU_1")
    send(page)
    result = page.locator("[class*='st-key-result-']")
    link = page.url
    assert "/?batch=" in link
    page.go_back()
    expect(result).to_have_count(0)
    settled(page)
    assert page.url == link.partition("?")[0]
    assert box(page, "compose-data-productId").input_value() == "SKU_1", "nothing that was typed is lost"
    page.go_forward()
    expect(result.first).to_be_visible()
    settled(page)
    assert page.url == link
    go(page, "History")
    page.go_back()
    page.wait_for_url(link)
    settled(page)
    expect(result.first).to_be_visible()


@pytest.mark.long
def test_back_leads_from_a_request_to_its_batch_and_to_the_list_as_it_was_searched(
    page: Page, worklist: Worklist
) -> None:
    open_list(page, (1440, 900), worklist.word)
    rows(page).nth(2).locator("a").click()
    page.wait_for_url(f"**/history?batch={worklist.small}")
    settled(page)
    open_row(page)
    page.wait_for_url("**/history?request=*")
    settled(page)
    page.go_back()
    page.wait_for_url(f"**/history?batch={worklist.small}")
    settled(page)
    expect(page.get_by_role("heading", name=f"alpha-{worklist.word}.csv")).to_be_visible()
    page.go_back()
    page.wait_for_url(f"**/history?history-text={worklist.word}")
    settled(page)
    assert names(page) == ["gamma", "Smoke test", "alpha"]
