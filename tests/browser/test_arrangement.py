"""What a company leaves running, while a worker and a console of it are killed: people go on, and nothing is lost.

PostgreSQL, nginx, two consoles and two workers run as ``compose.yaml`` has them. Two browsers, each at a console of its
own, click without a pause while 100,000 events are sent.
"""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from intempt_core.history import BatchState, RequestState
from tests.arrangement import Arrangement, run_arrangement
from tests.bench.fault_scenarios import read_received
from tests.bench.reconciliation import reckon
from tests.browser.actions import compose, event_id, open_batch, press, sign_in, widget
from tests.browser.screens import open_screen

EVENTS, PERSONS = 100_000, 5_000
SETTINGS = {"CONSOLE_REQUESTS_PER_SECOND": "40"}
"""So that sending takes long enough for what happens meanwhile: 50 s at the least."""
SHOWN = re.compile(r"[\d,]+ accepted")
"""What a batch's page says of what was accepted so far."""

ANSWERED = "Response"
"""What stands over the response to what was sent."""

WAIT_MS = 90_000
"""How long an event may wait in the middle of all others: a worker that is killed just then is missed after a while."""

pytestmark = pytest.mark.long


@pytest.fixture
def arrangement(postgres_url: str, tmp_path: Path) -> Iterator[Arrangement]:
    with run_arrangement(tmp_path, postgres_url, SETTINGS) as running:
        yield running


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def send_file(page: Page, arrangement: Arrangement, folder: Path) -> str:
    """Upload a file with all events, and send it; the batch's id."""
    file = folder / "events.csv"
    rows = (f"Product viewed,e{n},u{n % PERSONS},SKU_{n % 997},1795348980000\n" for n in range(EVENTS))
    file.write_text("name,eventId,userId,productId,timestamp\n" + "".join(rows))
    open_screen(page, "/upload")
    page.locator("input[type=file]").first.set_input_files(file)
    expect(widget(page, "upload-settle")).to_be_visible(timeout=60_000)
    press(page, "upload-settle")
    expect(widget(page, "upload-send").get_by_role("button")).to_be_visible(timeout=60_000)
    widget(page, "upload-send").get_by_role("button").click()
    arrangement.until(lambda: arrangement.history.queries.batches(size=1).items, 60)
    return arrangement.history.queries.batches(size=1).items[0].id


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


class Person:
    """Somebody who clicks: looks at the list, at the batch, and sends an event of their own, in turns."""

    def __init__(self, page: Page, batch: str, name: str) -> None:
        self.page, self.batch, self.name = page, batch, name
        self.sent: list[str] = []
        self.turns = 0

    def act(self) -> None:
        """Do the next thing, and see its result."""
        turn, self.turns = self.turns % 3, self.turns + 1
        if turn == 0:
            open_screen(self.page, "/history")
            expect(self.page.get_by_role("heading", name="History", level=1)).to_be_visible()
        elif turn == 1:
            open_batch(self.page, self.batch, SHOWN)
        else:
            compose(self.page, self.name)
            id_ = event_id(self.page)
            widget(self.page, "compose-send").get_by_role("button").first.click()
            expect(self.page.get_by_text(ANSWERED, exact=True).locator("visible=true").first).to_be_visible(
                timeout=WAIT_MS
            )
            self.sent.append(id_)


def test_people_go_on_and_nothing_is_lost_when_a_worker_and_a_console_are_killed(
    browser: Browser, arrangement: Arrangement, tmp_path: Path, opened: ExitStack
) -> None:
    history = arrangement.history
    first, second = arrangement.consoles
    anna, ben = (sign_in(browser, arrangement, console) for console in (first, second))
    for page in (anna, ben):
        opened.callback(page.context.close)
    batch = send_file(anna, arrangement, tmp_path)

    def count_accepted() -> int:
        return history.queries.batch(batch).events.get(RequestState.ACCEPTED, 0)

    # What one console does the other one shows, in screens that are open already.
    for page in (anna, ben):
        open_batch(page, batch, SHOWN)
    button(ben, "Pause").click()
    expect(button(anna, "Resume")).to_be_visible()
    assert history.queries.batch(batch).state is BatchState.PAUSED
    button(anna, "Resume").click()
    expect(button(ben, "Pause")).to_be_visible()

    people = [Person(anna, batch, "anna"), Person(ben, batch, "ben")]

    def click() -> None:
        for person in people:
            person.act()

    arrangement.until(lambda: len(history.groups.list_owners(batch)) == 2 and count_accepted() > EVENTS // 20, 60)
    arrangement.workers[0].kill()
    arrangement.until(lambda: count_accepted() > EVENTS // 8, 60)
    click()
    second.kill()
    assert history.queries.batch(batch).is_active
    for person in people:
        person.turns = 0
    click()  # ben goes on at the other console, without a password
    arrangement.until(lambda: not history.queries.batch(batch).is_active, 120, click)
    for person in people:
        while len(person.sent) < 2:
            person.act()

    found = history.queries.batch(batch)
    assert found.state is BatchState.DONE
    open_batch(ben, batch, f"{EVENTS:,} accepted")
    received = read_received(arrangement.sandbox_url)
    truth = reckon(
        arrangement.database_url,
        batch,
        [(event, person) for event, person in received if re.fullmatch(r"e\d+", event)],
        f"badge[● {EVENTS:,} accepted]",  # seen above
    )
    assert (truth.lost, truth.silent_doubles, truth.reordered, truth.differing) == (0, 0, 0, 0)
    assert (truth.events, truth.accepted, truth.arrived) == (EVENTS, EVENTS, EVENTS)
    times = Counter(event for event, _ in received)
    assert [times[event] for person in people for event in person.sent] == [1] * sum(len(one.sent) for one in people)
    assert not any("Traceback" in log for log in arrangement.read_logs().values())
