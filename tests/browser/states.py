"""The states of every screen that are pictured, and checked for accessibility: how each is reached in an empty tab.

Some need what those before them sent, so they are reached in the order of :data:`STATES`.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from playwright.sync_api import Page

from pages.parts.shared.screens import SCREENS
from tests.browser.actions import box, compose, fill, go, press, use_target
from tests.browser.screens import open_screen, settled
from tests.pages.upload_steps import csv_of, good_rows

Reach = Callable[[Page, Path], object]
"""Reaches a state in a tab; files to upload are written into the folder."""

RIGHT_TO_LEFT = "مستخدم-١٢٣ קונה"
LONG = "SKU_" + "a-very-long-product-id-" * 12
NINETEEN_DIGITS = "1487580005268456192"


def open_path(path: str) -> Callable[[Page, Path], object]:
    """A state that an address opens."""
    return lambda page, _: open_screen(page, path)


def drop(page: Page, folder: Path, name: str, content: bytes) -> None:
    """Upload a file."""
    (folder / name).write_bytes(content)
    open_screen(page, "/upload")
    page.locator("input[type=file]").first.set_input_files(folder / name)
    page.locator(".st-key-upload-step-1, .st-key-upload-problem").first.wait_for(timeout=120_000)
    settled(page)


def leave_field(page: Page) -> None:
    """Take the focus from where a field was left to: its tooltip would hide the field."""
    page.evaluate("() => document.activeElement.blur()")


# ── Compose ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def send_one(page: Page, _: Path) -> None:
    """One event that works."""
    compose(page, "user_123", "SKU_987")
    press(page, "compose-send")
    page.get_by_text("Processed", exact=False).first.wait_for()
    settled(page)


def check_nothing(page: Page, _: Path) -> None:
    """An empty form, checked."""
    open_screen(page, "/")
    press(page, "compose-check")


def compose_extremes(page: Page, _: Path) -> None:
    """Writing from right to left, and a text without end."""
    compose(page, RIGHT_TO_LEFT, LONG)
    leave_field(page)


def compose_digits(page: Page, _: Path) -> None:
    """Ids of 19 digits, sent."""
    compose(page, NINETEEN_DIGITS, NINETEEN_DIGITS)
    press(page, "compose-send")
    page.get_by_text("Processed", exact=False).first.wait_for()


def compose_production(page: Page, _: Path) -> None:
    """What is about to be sent to production."""
    use_target(page, "shop-us", "http://127.0.0.1:1", production=True)
    go(page, "Compose")
    fill(page, "compose-data-productId", "SKU_987")
    fill(page, "compose-userId", "user_123")
    leave_field(page)


# ── Upload ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def make_faulty_rows() -> list[str]:
    """Rows with an error each among good ones; with long cells, writing from right to left, and ids of 19 digits."""
    rows = good_rows(30)
    rows[1] = "Product Viewed,e2,u2,SKU_2,1714631904000,1"
    rows[2] = "Product viewed,e3,,SKU_3,1714631904000,1"
    rows[3] = f"Product viewed,e4,{RIGHT_TO_LEFT},,1714631904000,1"
    rows[4] = f"Product viewed,e1,{NINETEEN_DIGITS},{LONG},1714631904000,1"
    rows[5] = "Product viewed,e6,u6,SKU_6,1714631904,1"
    return rows


def upload_problems(page: Page, folder: Path) -> None:
    """Rows with errors, looked at."""
    drop(page, folder, "faulty.csv", csv_of(*make_faulty_rows()))
    press(page, "upload-settle")


def upload_many(page: Page, folder: Path) -> None:
    """100,000 rows, 5,000 of them with an error."""
    rows = [f"Product viewed,m{n},u{n % 5000},SKU_{n % 700},1714631904000,1.50" for n in range(100_000)]
    rows[::20] = [f"Product viewed,m{n},u{n % 5000},,1714631904000,1.50" for n in range(0, 100_000, 20)]
    drop(page, folder, "many.csv", csv_of(*rows))
    press(page, "upload-settle")
    page.get_by_text("5,000", exact=False).first.wait_for(timeout=120_000)
    settled(page)


def upload_result(page: Page, folder: Path) -> None:
    """A file that was sent."""
    drop(page, folder, "good.csv", csv_of(*good_rows(200, ids="good")))
    press(page, "upload-settle")
    press(page, "upload-send")
    page.get_by_text("200 accepted", exact=False).first.wait_for(timeout=60_000)
    settled(page)


def upload_image(page: Page, folder: Path) -> None:
    """A picture in the place of a table."""
    drop(page, folder, "photo.csv", b"\x89PNG\r\n\x1a\n" + bytes(99))


# ── Inspect ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def inspect(text: str) -> Callable[[Page, Path], object]:
    """A pasted text, read."""

    def reach(page: Page, _: Path) -> None:
        open_screen(page, "/inspect")
        box(page, "inspect-paste").fill(text)
        press(page, "inspect-read")

    return reach


def write_body(*events: dict[str, object], name: str = "Added to cart") -> str:
    """A request's body."""
    return json.dumps({"track": [{"name": name, "payload": events}]}, ensure_ascii=False, indent=1)


FAULTY_BODY = write_body(
    {"eventId": "evt_1", "userId": "user_123", "data": {"productID": "SKU_987"}},
    {"userId": RIGHT_TO_LEFT, "data": {"productId": LONG}},
    {"eventId": "evt_3", "userId": NINETEEN_DIGITS, "data": {"productId": NINETEEN_DIGITS}},
)
MANY_EVENTS = json.dumps(
    {
        "track": [
            {
                "name": "added to cart",
                "payload": [{"eventId": f"n{n}", "userId": "u", "data": {"productId": "A1"}} for n in range(1539)],
            }
        ]
    }
)


# ── the other screens ────────────────────────────────────────────────────────────────────────────────────────────────


def open_first(path: str, *steps: str) -> Callable[[Page, Path], object]:
    """A screen, and then the first link to each kind of address."""

    def reach(page: Page, folder: Path) -> None:
        open_screen(page, path)
        if not page.locator(f"a[href*='{steps[0]}=']").count():  # nothing was sent yet
            send_one(page, folder)
            open_screen(page, path)
        for step in steps:
            href = page.locator(f"a[href*='?{step}=']").first.get_attribute("href") or ""
            open_screen(page, f"{path}?{href.partition('?')[2]}")

    return reach


def simulate_failures(page: Page, _: Path) -> None:
    """A sandbox that fails, as every screen tells."""
    faults = json.dumps({"faults": [{"fault": "latency", "ms": 300}]})
    response = page.request.put(
        "/sandbox/_sandbox/faults",
        data=faults,
        headers={"Authorization": "Basic c2FuZGJveDpzYW5kYm94", "Content-Type": "application/json"},
    )
    assert response.ok, response.text()
    page.wait_for_timeout(1500)
    open_screen(page, "/history")


def stop_failures(page: Page, _: Path) -> None:
    """A sandbox that works again."""
    page.request.delete("/sandbox/_sandbox/faults", headers={"Authorization": "Basic c2FuZGJveDpzYW5kYm94"})
    open_screen(page, "/watch")


def reject_target(page: Page, _: Path) -> None:
    """A target whose fields are wrong."""
    use_target(page, "Shop EU", "http://shop.example")


def get_path(title: str) -> str:
    """The address of a screen."""
    screen = next(one for one in SCREENS if one.title == title)
    return "/" if screen is SCREENS[0] else f"/{screen.url_path or screen.file.removesuffix('.py')}"


STATES: Mapping[str, Reach] = {
    **{f"{screen.title.lower()}-first": open_path(get_path(screen.title)) for screen in SCREENS},
    "help-page": open_path("/help?page=sandbox"),
    "compose-checked": check_nothing,
    "compose-result": send_one,
    "compose-extremes": compose_extremes,
    "compose-19-digits": compose_digits,
    "compose-production": compose_production,
    "upload-problems": upload_problems,
    "upload-100000-rows": upload_many,
    "upload-result": upload_result,
    "upload-no-table": upload_image,
    "inspect-problems": inspect(FAULTY_BODY),
    "inspect-1539-events": inspect(MANY_EVENTS),
    "inspect-cut": inspect(FAULTY_BODY[: len(FAULTY_BODY) * 2 // 3]),
    "inspect-no-json": inspect("Subject: it does not work\n\nsee attached"),
    "history-list": open_path("/history"),
    "history-batch": open_first("/history", "batch"),
    "history-request": open_first("/history", "batch", "request"),
    "history-unknown-batch": open_path("/history?batch=b_none"),
    "feeds-user": open_path("/feeds?target=sandbox&by=userId&person=user_123"),
    "feeds-unknown-user": open_path(f"/feeds?target=sandbox&by=userId&person={NINETEEN_DIGITS}0"),
    "sandbox-list": open_path("/watch"),
    "sandbox-event": open_path("/watch?event=1"),
    "sandbox-failures": simulate_failures,
    "sandbox-works-again": stop_failures,
    "targets-wrong-fields": reject_target,
}
"""Each state by its name: what a screen shows first, and its ugly sides."""
