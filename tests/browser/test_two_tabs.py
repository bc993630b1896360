"""Two tabs of one console: what one sends the other does not send again unawares, and what one does the other shows."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from intempt_core.dispatch import make_batch_intent
from intempt_core.history import BatchState, make_request_blocks
from intempt_core.history.history import History
from intempt_core.settings import Settings
from intempt_core.targets import sandbox_target
from tests.browser.actions import arrived, compose, event_id, events_of, fill, open_details, press, widget
from tests.browser.conftest import Console
from tests.browser.screens import open_screen, settled
from tests.browser.test_sandbox import call
from tests.core.dispatch.factories import plan_of
from tests.pages.upload_steps import csv_of, good_rows


@pytest.fixture
def other(context: BrowserContext) -> Iterator[Page]:
    """Another tab of the same browser."""
    opened = context.new_page()
    yield opened
    if not opened.is_closed():
        opened.close()


@pytest.fixture
def who() -> str:
    """A person, and a beginning of event ids, that no other test has."""
    return f"tabs-{uuid4().hex[:12]}"


@contextmanager
def history(console: Console) -> Iterator[History]:
    opened = History.open(Settings(data=console.data).history_url)
    try:
        yield opened
    finally:
        opened.close()


def told(page: Page) -> Locator:
    """What a tab is told that would have sent something twice."""
    return page.get_by_text("Nothing was sent. Since the plan was made, this went or is going to", exact=False)


def planned(page: Page, file: Path) -> None:
    """A file up to the button that sends it."""
    open_screen(page, "/upload")
    page.locator("input[type=file]").first.set_input_files(file)
    press(page, "upload-settle")
    expect(widget(page, "upload-send").get_by_role("button")).to_be_visible()


def plan_in_both(page: Page, other: Page, who: str, folder: Path) -> None:
    """A file of three rows, planned in both tabs."""
    file = folder / f"{who}.csv"
    file.write_bytes(csv_of(*good_rows(3, ids=f"{who}-")))
    planned(page, file)
    planned(other, file)


def result_of(page: Page) -> None:
    expect(page.get_by_text("6 Result", exact=False)).to_be_visible(timeout=20_000)
    settled(page)


def batches_of(console: Console, event: str) -> int:
    with history(console) as at:
        return len({found.batch for found in at.events.occurrences([event]).get(event, [])})


def test_of_two_tabs_with_the_same_plan_one_sends_and_the_other_is_told_what_went(
    page: Page, other: Page, console: Console, who: str, tmp_path: Path
) -> None:
    plan_in_both(page, other, who, tmp_path)
    press(other, "upload-send")
    result_of(other)
    press(page, "upload-send")
    expect(told(page)).to_be_visible()
    expect(page.get_by_text("the same file in batch b_", exact=False)).to_be_visible()
    assert batches_of(console, f"{who}-1") == 1
    press(page, "upload-check-again")  # now the plan knows, and confirming it is a decision
    expect(told(page)).to_have_count(0)
    expect(page.get_by_text("This file was sent on", exact=False).first).to_be_visible()
    press(page, "upload-send")
    result_of(page)
    assert batches_of(console, f"{who}-1") == 2


@pytest.mark.long  # without a browser: tests/pages/test_send_guard.py
def test_the_same_file_is_sent_all_the_same_where_the_person_says_so(
    page: Page, other: Page, console: Console, who: str, tmp_path: Path
) -> None:
    plan_in_both(page, other, who, tmp_path)
    press(other, "upload-send")
    result_of(other)
    press(page, "upload-send")
    expect(page.get_by_role("link", name="View batch")).not_to_have_count(0)
    press(page, "upload-send-repeat")
    result_of(page)
    assert batches_of(console, f"{who}-1") == 2


@pytest.mark.long  # of two plans: the test above
def test_an_event_of_two_forms_is_sent_by_one_of_them(page: Page, other: Page, console: Console, who: str) -> None:
    for tab in (page, other):
        compose(tab, who)
        open_details(tab)
        fill(tab, "compose-1-eventId", f"{who}-id")
    press(other, "compose-send")
    arrived(other, "accepted")
    press(page, "compose-send")
    expect(told(page)).to_be_visible()
    assert len(events_of(console.url, who)) == 1
    press(page, "compose-send-repeat")
    arrived(page, "accepted")
    assert len(events_of(console.url, who)) == 2


@pytest.mark.long  # tests/core/history/test_repeats.py
def test_forms_with_ids_of_their_own_are_not_asked(page: Page, other: Page, console: Console, who: str) -> None:
    for tab in (page, other):
        compose(tab, who)
    for tab in (other, page):
        press(tab, "compose-send")
        arrived(tab, "accepted")
    assert len(events_of(console.url, who)) == 2


@pytest.mark.long  # a resend goes the way of an upload
def test_of_two_tabs_that_resend_the_same_requests_one_does(
    page: Page, other: Page, console: Console, who: str
) -> None:
    compose(page, who)
    id_ = event_id(page)
    press(page, "compose-send")
    arrived(page, "accepted")
    with history(console) as at:
        (found,) = at.events.occurrences([id_])[id_]
    for tab in (page, other):
        open_screen(tab, f"/history?batch={found.batch}")
        tab.get_by_role("button", name="Resend", exact=True).click()
        expect(tab.get_by_role("button", name="Resend 1 event to Sandbox")).to_be_visible()
        settled(tab)
    other.get_by_role("button", name="Resend 1 event to Sandbox").click()
    expect(other.get_by_role("link", name="Resent from this batch")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Resend 1 event to Sandbox").click()
    expect(told(page)).to_be_visible()
    assert batches_of(console, id_) == 2
    open_screen(page, f"/history?batch={found.batch}")
    expect(page.get_by_role("link", name="Resent in this batch")).to_be_visible()


@pytest.mark.long  # tests/core/history/test_repeats.py
def test_a_plan_of_earlier_is_told_what_went_since_whichever_tab_sent_it(
    page: Page, other: Page, console: Console, who: str, tmp_path: Path
) -> None:
    file = tmp_path / f"{who}.csv"
    file.write_bytes(csv_of(*good_rows(3, ids=f"{who}-")))
    planned(page, file)
    renamed = tmp_path / f"{who}-corrected.csv"  # another file, with one of the events and others
    renamed.write_bytes(csv_of(*good_rows(1, ids=f"{who}-"), *good_rows(1, ids=f"{who}-other-")))
    planned(other, renamed)
    press(other, "upload-send")
    result_of(other)
    compose(other, f"{who}-somebody")  # and something that has nothing to do with it
    press(other, "compose-send")
    arrived(other, "accepted")
    other.close()
    press(page, "upload-send")
    expect(told(page)).to_be_visible()
    assert [batches_of(console, f"{who}-{number}") for number in (1, 2, 3)] == [1, 0, 0]


# ── a batch that both tabs show ──────────────────────────────────────────────────────────────────────────────────────


def paused_batch(page: Page, console: Console) -> str:
    """A batch of this console that is paused."""
    compose(page, "tabs-owner")
    press(page, "compose-send")
    arrived(page, "accepted")
    plan = plan_of(3)
    target = sandbox_target(f"{console.url}/sandbox")
    with history(console) as at:
        owner = at.queries.batches(size=1).items[0].owner
        batch = at.recorder.record(
            make_batch_intent(plan, target, label="waits", owner="of-another-process"), make_request_blocks(plan)
        )
        at.control.set_state(batch, BatchState.PAUSED, "A person paused it.")
        at.queue.claim(batch, owner, "of-another-process")
    return batch


@pytest.fixture
def slow_sandbox(console: Console) -> Iterator[None]:
    """The sandbox takes half a second for each request."""
    call(console, "/_sandbox/faults", {"faults": [{"fault": "latency", "ms": 500}]}, method="PUT")
    yield
    call(console, "/_sandbox/faults", method="DELETE")


def wait_until_left(console: Console, batch: str, state: BatchState) -> None:
    with history(console) as at:
        while at.queries.batch(batch).state is state:
            time.sleep(0.02)


@pytest.mark.long  # without a browser: tests/pages/test_progress.py
def test_a_tab_notices_within_two_seconds_that_another_one_cancelled(page: Page, other: Page, console: Console) -> None:
    batch = paused_batch(page, console)
    drawn = 0.0
    for tab in (page, other):
        began = time.monotonic()
        open_screen(tab, f"/history?batch={batch}")
        expect(widget(tab, f"resume-{batch}").get_by_role("button")).to_be_visible()
        drawn = max(drawn, time.monotonic() - began)
    widget(other, f"cancel-{batch}").get_by_role("button").first.click()
    widget(other, f"cancel-really-{batch}").get_by_role("button").first.click()
    wait_until_left(console, batch, BatchState.PAUSED)
    began = time.monotonic()
    expect(widget(page, f"resume-{batch}")).to_have_count(0, timeout=10_000)
    took = time.monotonic() - began
    assert took < 2.0 + drawn, (took, drawn)  # the screen itself takes longer beside much other work
    expect(page.get_by_text("3 of 3 events · cancelled", exact=False)).to_be_visible()


@pytest.mark.long  # a tab notices it as it does a cancellation
@pytest.mark.usefixtures("slow_sandbox")
def test_a_tab_notices_within_two_seconds_that_another_one_paused(
    page: Page, other: Page, console: Console, who: str, tmp_path: Path
) -> None:
    file = tmp_path / f"{who}.csv"
    rows = [re.sub(r",u[0-9]+,", f",{who},", row) for row in good_rows(5_000, ids=f"{who}-")]
    file.write_bytes(csv_of(*rows))  # one person: a hundred requests, one after another
    planned(page, file)
    press(page, "upload-send")
    with history(console) as at:
        batch = at.queries.batches(size=1).items[0].id
    drawn = 0.0
    for tab in (page, other):
        began = time.monotonic()
        open_screen(tab, f"/history?batch={batch}")
        expect(widget(tab, f"pause-{batch}").get_by_role("button")).to_be_visible()
        drawn = max(drawn, time.monotonic() - began)
    widget(other, f"pause-{batch}").get_by_role("button").first.click()
    wait_until_left(console, batch, BatchState.SENDING)
    began = time.monotonic()
    expect(widget(page, f"resume-{batch}").get_by_role("button")).to_be_visible(timeout=10_000)
    took = time.monotonic() - began
    with history(console) as at:
        at.control.set_state(batch, BatchState.CANCELLED, "The test is over.")
    assert took < 2.0 + drawn, (took, drawn)  # the screen itself takes longer beside much other work


def test_a_button_that_comes_too_late_says_why_it_does_nothing(page: Page, console: Console) -> None:
    batch = paused_batch(page, console)
    open_screen(page, f"/history?batch={batch}")
    button = widget(page, f"resume-{batch}").get_by_role("button")
    expect(button).to_be_visible()
    place = button.bounding_box()
    assert place
    with history(console) as at:
        at.control.set_state(batch, BatchState.CANCELLED, "Another person cancelled it.")
    page.mouse.click(place["x"] + 10, place["y"] + 10)  # at once: the tab has not looked yet
    expect(page.get_by_text(f"This button did nothing: Batch {batch} is cancelled", exact=False)).to_be_visible()
