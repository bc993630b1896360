"""How the tests use a browser: open a screen, wait until it stands still, ask whether everyone can use it."""

from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

STILL = "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"

MOVES_NOT = """() => !document.querySelector('[data-stale=true]') &&
    document.getAnimations().every(one => one.effect.getComputedTiming().iterations === Infinity)"""
"""Nothing is left from an older drawing, and nothing fades in or out."""


def settled(page: Page) -> Page:
    """Wait until the script has run, the server is there and nothing is still being drawn."""
    page.wait_for_selector(STILL, state="attached", timeout=30_000)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=15_000)
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
