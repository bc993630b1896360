"""Takes pictures of every screen and of its ugly states: ``python -m tests.browser.pictures [FILE.csv]``.

It starts a console on empty data and drives it: screens with nothing to show, errors, long texts, writing from right to
left, ids of 19 digits, 100,000 rows, production, simulated failures; in light and dark, and at three widths. With a
file it takes the pictures of ``docs/first-run.md`` too. What cannot be pictured is named, and the exit code is 1.
"""

import json
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Error, Locator, Page, sync_playwright

import run
from pages.parts.shared.screens import SCREENS
from tests.bench.consoles import console
from tests.browser import first_run
from tests.browser.actions import box, go, press, use_target
from tests.browser.conftest import FLAGS, HURRIED
from tests.browser.screens import WATCHED, open_screen, settled
from tests.pages.upload_steps import csv_of, good_rows

FOLDER = run.ROOT / "docs" / "pictures" / "states"

RIGHT_TO_LEFT = "مستخدم-١٢٣ קונה"
LONG = "SKU_" + "a-very-long-product-id-" * 12
NINETEEN_DIGITS = "1487580005268456192"


@dataclass(frozen=True, slots=True)
class Look:
    """How a screen is pictured.

    Attributes:
        suffix: What the picture's name ends with.
        width: Of the window, in pixels.
        height: Of the window, in pixels.
        scheme: The colour scheme.
    """

    suffix: str
    width: int
    height: int
    scheme: str = "light"


WIDE = Look("", 1440, 900)
PHONE = Look("-390", 390, 844)
EVERY_LOOK = (WIDE, Look("-dark", 1440, 900, "dark"), Look("-1024", 1024, 768), PHONE)


@dataclass
class Photographer:
    """A tab, and what could not be pictured.

    Attributes:
        browser: Where tabs are opened.
        url: The console.
        files: A folder for files to upload.
        failed: The names of the states that could not be reached.
    """

    browser: Browser
    url: str
    files: Path
    failed: list[str] = field(default_factory=list)

    def picture(self, name: str, reach: Callable[[Page, Path], object], looks: Sequence[Look] = (WIDE, PHONE)) -> None:
        """Reach a state in a tab of its own, and take it in each look."""
        context = self.browser.new_context(
            base_url=self.url, viewport={"width": WIDE.width, "height": WIDE.height}, locale="en-GB",
            timezone_id="Europe/Berlin", reduced_motion="reduce", color_scheme="light",
        )  # fmt: skip
        context.add_init_script(WATCHED)
        page = context.new_page()
        try:
            reach(page, self.files)
            for look in looks:
                page.set_viewport_size({"width": look.width, "height": look.height})
                page.emulate_media(color_scheme="dark" if look.scheme == "dark" else "light")
                settled(page)
                page.wait_for_timeout(400)  # bars and fades come to rest
                page.screenshot(path=FOLDER / f"{name}{look.suffix}.png")
        except (Error, AssertionError):
            self.failed.append(name)
            traceback.print_exc(limit=2)
        finally:
            context.close()


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


# ── Compose ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def compose(page: Page, person: str, product: str) -> None:
    """Fill in who and what."""
    open_screen(page, "/")
    find_field(page, "userId").fill(person)
    find_field(page, "userId").press("Tab")
    settled(page)
    find_field(page, "productId").fill(product)
    find_field(page, "productId").press("Tab")
    settled(page)


def find_field(page: Page, name: str) -> Locator:
    """The field of Compose whose key ends with a name."""
    return page.locator(f"[class*='st-key-compose'][class*='{name}'] input").first


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


def compose_digits(page: Page, _: Path) -> None:
    """Ids of 19 digits, sent."""
    compose(page, NINETEEN_DIGITS, NINETEEN_DIGITS)
    press(page, "compose-send")
    page.get_by_text("Processed", exact=False).first.wait_for()


def compose_production(page: Page, _: Path) -> None:
    """What is about to be sent to production."""
    use_target(page, "shop-us", "http://127.0.0.1:1", production=True)
    go(page, "Compose")
    find_field(page, "userId").fill("user_123")
    find_field(page, "userId").press("Tab")
    settled(page)


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
    rows[::20] = [row.replace(",SKU_", ",,").replace(",,", ",,", 1) for row in rows[::20]]
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

    def reach(page: Page, _: Path) -> None:
        open_screen(page, path)
        for step in steps:
            href = page.locator(f"a[href*='{step}=']").first.get_attribute("href") or ""
            open_screen(page, f"/{href.split('/')[-1]}")

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


def take_states(camera: Photographer) -> None:
    """Every screen with nothing to show, and then its ugly states."""
    for screen in SCREENS:
        name = screen.title.lower()
        path = "/" if screen is SCREENS[0] else f"/{screen.url_path or screen.file.removesuffix('.py')}"
        camera.picture(f"{name}-first", open_path(path), EVERY_LOOK)
    camera.picture("compose-checked", check_nothing)
    camera.picture("compose-result", send_one, EVERY_LOOK)
    camera.picture("compose-extremes", compose_extremes)
    camera.picture("compose-19-digits", compose_digits)
    camera.picture("compose-production", compose_production, EVERY_LOOK)
    camera.picture("upload-problems", upload_problems, EVERY_LOOK)
    camera.picture("upload-100000-rows", upload_many)
    camera.picture("upload-result", upload_result, EVERY_LOOK)
    camera.picture("upload-no-table", upload_image)
    camera.picture("inspect-problems", inspect(FAULTY_BODY), EVERY_LOOK)
    camera.picture("inspect-1539-events", inspect(MANY_EVENTS))
    camera.picture("inspect-cut", inspect(FAULTY_BODY[: len(FAULTY_BODY) * 2 // 3]))
    camera.picture("inspect-no-json", inspect("Subject: it does not work\n\nsee attached"))
    camera.picture("history-list", open_path("/history"), EVERY_LOOK)
    camera.picture("history-batch", open_first("/history", "batch"))
    camera.picture("history-request", open_first("/history", "batch", "request"))
    camera.picture("history-unknown-batch", open_path("/history?batch=b_none"))
    camera.picture("feeds-user", open_path("/feeds?target=sandbox&by=userId&person=user_123"), EVERY_LOOK)
    camera.picture("feeds-unknown-user", open_path(f"/feeds?target=sandbox&by=userId&person={NINETEEN_DIGITS}0"))
    camera.picture("sandbox-list", open_path("/watch"), EVERY_LOOK)
    camera.picture("sandbox-event", open_path("/watch?event=1"))
    camera.picture("sandbox-failures", simulate_failures)
    camera.picture("sandbox-works-again", stop_failures, ())
    camera.picture("targets-wrong-fields", reject_target)


def main(files: Sequence[str]) -> int:
    """Take the pictures. 0, or 1 where a state could not be reached."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder, sync_playwright() as playwright:
        where = Path(folder)
        browser = playwright.chromium.launch(executable_path=run.find_installed_chromium(), args=FLAGS)
        for file in files[:1]:
            with console(where / "first-run") as first:
                first_run.take_pictures(browser, first.url, file)
        with console(where / "data", HURRIED) as running:
            camera = Photographer(browser, running.url, where)
            take_states(camera)
        browser.close()
    if camera.failed:
        sys.stderr.write(f"Not pictured: {', '.join(camera.failed)}.\n")
    return 1 if camera.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
