"""How the tests use a browser: open a screen, wait until it stands still, ask whether everyone can use it."""

from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

STILL = "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"

MOVES_NOT = """() => !document.querySelector('[data-stale=true]') &&
    document.getAnimations().every(one => one.effect.getComputedTiming().iterations === Infinity)"""
"""Nothing is left from an older drawing, and nothing fades in or out."""


WATCHED = """(() => {
    const traffic = window.traffic = {said: 0, heard: 0, asked: performance.now()};
    window.WebSocket = class extends WebSocket {
        constructor(...given) {
            super(...given);
            this.addEventListener('message', () => { traffic.heard = performance.now(); });
        }
        send(data) { traffic.said = performance.now(); super.send(data); }
    };
})()"""
"""Runs before a page's own scripts: it notes when the page last said something to its server, and last heard of it."""

QUIET = f"""() => {{
    const {{said, heard, asked}} = window.traffic, now = performance.now();
    const answered = heard >= said || now - said > 5000;
    return answered && now - Math.max(said, heard, asked) > 100 && document.querySelector({STILL!r})
        && !document.querySelector('[data-testid=stSkeleton]');
}}"""
"""What was said has been answered, and nothing has been said or heard for a tenth of a second: a field that is left
tells the server a moment later, and until the server answers the page looks as still as when all is done."""


def settled(page: Page) -> Page:
    """Wait until what was done has reached the server, its script has run, and nothing is still being drawn."""
    page.evaluate("() => { window.traffic.asked = performance.now(); }")
    page.wait_for_function(QUIET, timeout=30_000)
    return page


def open_screen(page: Page, path: str) -> Page:
    """Open a screen by its address, as a shared link would, and wait until it stands still."""
    page.goto(path)
    return settled(page)


def serious_findings(page: Page) -> list[str]:
    """What axe calls serious or critical on the page as it is shown: one line a place, its rule first."""
    page.wait_for_function(MOVES_NOT, timeout=10_000)  # what is half faded has half its contrast
    violations = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {' '.join(map(str, node['target']))}: {node.get('failureSummary', '')}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def is_foreign(url: str) -> bool:
    """Whether a request of this address would leave the machine."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in ("127.0.0.1", "localhost")
