"""A screen in a browser: open it, wait until it is drawn, check its accessibility."""

from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

STILL = "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"

MOVES_NOT = """() => !document.querySelector('[data-stale=true]') &&
    document.getAnimations().every(one => one.effect.getComputedTiming().iterations === Infinity)"""
"""No element of an older drawing is left, and nothing fades in or out."""


WATCHED = """(() => {
    const traffic = window.traffic = {sent: 0, received: 0, acted: performance.now()};
    window.WebSocket = class extends WebSocket {
        constructor(...given) {
            super(...given);
            this.addEventListener('message', () => { traffic.received = performance.now(); });
        }
        send(data) { traffic.sent = performance.now(); super.send(data); }
    };
})()"""
"""Runs before a page's own scripts: notes when the page last sent to its server, and last received from it."""

QUIET = f"""() => {{
    const {{sent, received, acted}} = window.traffic, now = performance.now();
    const complete = received >= sent || now - sent > 5000;
    return complete && now - Math.max(sent, received, acted) > 100 && document.querySelector({STILL!r})
        && !document.querySelector('[data-testid=stSkeleton]');
}}"""
"""Everything that was sent has had a response, and nothing was sent or received for a tenth of a second: a field that
loses the focus sends its value a moment later, and until the response the page looks as if all was done."""


def settled(page: Page) -> Page:
    """Wait until an action has reached the server, its script has run, and everything is drawn."""
    page.evaluate("() => { window.traffic.acted = performance.now(); }")
    page.wait_for_function(QUIET, timeout=30_000)
    return page


def open_screen(page: Page, path: str) -> Page:
    """Open a screen by its address, as a shared link does, and wait until it is drawn."""
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
