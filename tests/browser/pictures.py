"""Takes pictures of every screen and of its ugly states: ``python -m tests.browser.pictures [FILE.csv]``.

It starts a console on empty data and drives it: screens with nothing to show, errors, long texts, writing from right to
left, ids of 19 digits, 100,000 rows, production, simulated failures; in light and dark, and at three widths. With a
file it takes the pictures of ``docs/first-run.md`` too. What cannot be pictured is named, and the exit code is 1.
"""

import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Error, sync_playwright

import run
from tests.bench.consoles import console
from tests.browser import first_run
from tests.browser.conftest import FLAGS, HURRIED
from tests.browser.screens import WATCHED, settled, take_picture, use_scheme
from tests.browser.states import STATES, Reach

FOLDER = run.ROOT / "docs" / "pictures" / "states"


SHOW_FOCUS = """() => {
    const focused = document.activeElement, box = focused.getBoundingClientRect();
    const isHidden = box.bottom > innerHeight || box.top < 60;
    if (focused !== document.body && isHidden) focused.scrollIntoView({block: 'center'});
}"""
"""Scrolls to what has the focus, as the browser does where a window has its size before: a result is in view."""


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

    def picture(self, name: str, reach: Reach, looks: Sequence[Look]) -> None:
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
                use_scheme(page, look.scheme)
                settled(page)
                page.evaluate(SHOW_FOCUS)
                page.wait_for_timeout(400)  # bars and fades come to rest
                take_picture(page, FOLDER / f"{name}{look.suffix}.png")
        except (Error, AssertionError):
            self.failed.append(name)
            traceback.print_exc(limit=2)
        finally:
            context.close()


IN_EVERY_LOOK = {
    "compose-result", "compose-production", "upload-problems", "upload-result", "inspect-problems", "history-list",
    "feeds-user", "sandbox-list",
}  # fmt: skip
"""The states that are pictured in every look, as all first ones are; the others wide and on a phone."""


def main(files: Sequence[str]) -> int:
    """Take the pictures. 0, or 1 where a state could not be reached."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder, sync_playwright() as playwright:
        where = Path(folder)
        browser = playwright.chromium.launch(executable_path=run.find_installed_chromium(), args=FLAGS)
        with console(where / "data", HURRIED) as running:
            camera = Photographer(browser, running.url, where)
            for name, reach in STATES.items():
                every = name in IN_EVERY_LOOK or name.endswith("-first")
                camera.picture(name, reach, EVERY_LOOK if every else (WIDE, PHONE))
        for file in files[:1]:
            with console(where / "first-run") as first:
                try:
                    first_run.take_pictures(browser, first.url, file)
                except (Error, AssertionError):
                    camera.failed.append("the first run")
                    traceback.print_exc(limit=4)
        browser.close()
    if camera.failed:
        sys.stderr.write(f"Not pictured: {', '.join(camera.failed)}.\n")
    return 1 if camera.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
