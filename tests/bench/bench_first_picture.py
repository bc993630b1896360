"""A pasted body of 1 MB on Inspect: from the paste to its first picture in a real browser."""

import itertools
import statistics
from typing import TYPE_CHECKING

from tests.bench.bench_inspect import body
from tests.bench.consoles import console
from tests.bench.harness import Figures, bench, folder

if TYPE_CHECKING:
    from playwright.sync_api import Page

PASTES = 7

WATCH_FOR_PICTURE = """() => {
    const shows = (key) => document.querySelector(`[class*="st-key-${key}"]`)?.checkVisibility();
    const showsText = () => [...document.querySelectorAll('.st-key-inspect-text *')].some(
        (one) => (one.shadowRoot ?? one).querySelector('li'));
    const picture = window.picture = {pasted: 0, verdict: 0, problems: 0, text: 0};
    document.addEventListener('paste', () => { picture.pasted = performance.now(); }, true);
    const look = () => requestAnimationFrame((now) => {
        if (picture.pasted) {
            if (!picture.verdict && document.body.innerText.includes('Recognised: request body')) picture.verdict = now;
            if (!picture.problems && shows('inspect-kind-')) picture.problems = now;
            if (!picture.text && showsText()) picture.text = now;
        }
        if (!(picture.verdict && picture.problems && picture.text)) look();
    });
    look();
}"""
"""Notes at each frame what of the first picture is drawn: what the text is, its problems, and the text itself."""


@bench("inspect.first_picture", at_most=1)
def first_picture() -> Figures:
    """Seconds from the paste until the screen says what the text is, lists its problems by kind, and shows its text.

    The ratio is the median over one second. Each paste is on a screen of its own, in a browser that is open.
    """
    from playwright.sync_api import sync_playwright

    import run
    from tests.browser.conftest import FLAGS
    from tests.browser.screens import WATCHED, settled

    with folder() as where, console(where / "data") as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=run.find_installed_chromium(), args=FLAGS)
        context = browser.new_context(base_url=running.url, viewport={"width": 1440, "height": 900})
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.add_init_script(WATCHED)
        pictures = []
        for number in itertools.count():
            page = context.new_page()
            page.goto("/inspect")
            settled(page)
            found = _paste(page, body().replace("evt_", f"evt{number}_"))
            page.close()
            if number:  # everything is imported and compiled then
                pictures.append(found)
            if len(pictures) == PASTES:
                break
        browser.close()
    medians = {f"{part}_s": statistics.median(one[part] for one in pictures) for part in pictures[0]}
    return {"ratio": statistics.median(max(one.values()) for one in pictures), **medians}


def _paste(page: "Page", text: str) -> dict[str, float]:
    """Paste a text as a person does; seconds until each part of the picture is drawn."""
    page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
    page.evaluate(WATCH_FOR_PICTURE)
    page.locator(".st-key-inspect-paste textarea").focus()
    page.keyboard.press("Control+v")
    page.wait_for_function("() => window.picture.verdict && window.picture.problems && window.picture.text")
    found: dict[str, float] = page.evaluate("() => window.picture")
    return {part: (found[part] - found["pasted"]) / 1000 for part in ("verdict", "problems", "text")}
