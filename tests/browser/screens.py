"""A screen in a browser: open it, wait until it is drawn, check its accessibility, picture it."""

import io
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from axe_playwright_python.base import AXE_SCRIPT
from PIL import Image
from playwright.sync_api import Page

STILL = "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"

MOVES_NOT = """() => !document.querySelector('[data-stale=true]') &&
    document.getAnimations().every(
        one => one.playState === 'finished' || one.effect.getComputedTiming().iterations === Infinity)"""
"""No element of an older drawing is left, and nothing fades in or out."""


WATCHED = """(() => {
    const [NEW_SESSION, SCRIPT_FINISHED, RERUN_SCRIPT, IS_AUTO_RERUN] = [4, 6, 11, 6];
    const traffic = window.traffic = {sent: 0, received: 0, asked: 0, began: 0, ended: 0, acted: performance.now()};
    const parse = data => {
        const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data, fields = new Map();
        let at = 0;
        const number = () => {
            for (let value = 0, scale = 1; ; scale *= 128) {
                value += (bytes[at] & 127) * scale;
                if (bytes[at++] < 128) return value;
            }
        };
        while (at < bytes.length) {
            const tag = number(), kind = tag & 7;
            const length = kind === 0 ? 0 : kind === 1 ? 8 : kind === 5 ? 4 : number();
            fields.set(Math.floor(tag / 8), kind === 0 ? number() : bytes.subarray(at, at + length));
            at += length;
        }
        return fields;
    };
    window.WebSocket = class extends WebSocket {
        constructor(...given) {
            super(...given);
            this.addEventListener('message', ({data}) => {
                traffic.received = performance.now();
                if (!(data instanceof ArrayBuffer)) return;
                const fields = parse(data);
                if (fields.has(NEW_SESSION)) traffic.began = traffic.received;
                if (fields.has(SCRIPT_FINISHED)) traffic.ended = traffic.received;
            });
        }
        send(data) {
            traffic.sent = performance.now();
            if (data instanceof Uint8Array) {
                const rerun = parse(data).get(RERUN_SCRIPT);
                if (rerun && !parse(rerun).get(IS_AUTO_RERUN)) traffic.asked = traffic.sent;
            }
            super.send(data);
        }
    };
})()"""
"""Runs before a page's own scripts: notes when the page last sent to its server and received from it, when it asked for
a run of the script (not by a clock of its own), and when a run began and ended. The numbers are those of the fields in
Streamlit's ``BackMsg`` and ``ForwardMsg``, which are read as any protocol buffer.
"""

LOST_MS = 8_000
"""After how long a run that was asked for is waited for no longer: one of a part that is gone never begins."""

QUIET = f"""() => {{
    const traffic = window.traffic, now = performance.now();
    const {{sent, received, asked, began, ended, acted}} = traffic;
    const complete = (began > asked && ended >= began) || now - asked > {LOST_MS};
    const still = complete && now - Math.max(sent, received, acted) > 100 && document.querySelector({STILL!r})
        && !document.querySelector('[data-testid=stSkeleton]');
    traffic.looks = still ? (traffic.looks ?? 0) + 1 : 0;
    return traffic.looks >= 3;
}}"""
"""The run that was asked for last has begun and ended, and nothing was sent or received for a tenth of a second, in
three looks: a field that loses the focus sends its value a moment later, and until the run begins the page looks as if
all was done. Messages alone say nothing: they may be those of the run before.
"""


def settled(page: Page) -> Page:
    """Wait until an action has reached the server, its script has run, and everything is drawn."""
    page.evaluate("() => { window.traffic.acted = performance.now(); }")
    page.wait_for_function(QUIET, timeout=60_000, polling=40)
    return page


def open_screen(page: Page, path: str) -> Page:
    """Open a screen by its address, as a shared link does, and wait until it is drawn."""
    page.goto(path)
    return settled(page)


BACKGROUNDS = {"light": "rgb(252, 252, 250)", "dark": "rgb(20, 23, 26)"}
"""The background of a screen in each colour scheme, as ``.streamlit/config.toml`` has it."""

COLOUR_RULES = ("color-contrast", "link-in-text-block")
"""The rules of axe that another colour scheme can break."""

CONTRAST = {
    "ignoreUnicode": True,
    "ignoreLength": False,
    "ignorePseudo": False,
    "boldValue": 700,
    "boldTextPt": 999,
    "largeTextPt": 999,
    "contrastRatio": {"normal": {"expected": 4.5}, "large": {"expected": 4.5}},
    "pseudoSizeThreshold": 0.25,
    "shadowOutlineEmMax": 0.2,
    "textStrokeEmMin": 0.03,
}
"""What axe's check of contrast goes by: its own settings, but no text is so large that less than 4.5:1 will do."""

RUN_AXE = """async ([options, impacts]) => (await axe.run(options)).violations
    .filter(one => !impacts.length || impacts.includes(one.impact))
    .flatMap(one => one.nodes.map(node => `${one.id}: ${node.target.join(' ')}: ${node.failureSummary ?? ''}`))"""


def use_scheme(page: Page, scheme: str) -> None:
    """Show a page in light or in dark colours, and wait until it has them."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.wait_for_function(
        "colour => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor === colour",
        arg=BACKGROUNDS[scheme],
    )


def serious_findings(page: Page) -> list[str]:
    """What axe calls serious or critical on the page as it is shown: one line a place, its rule first."""
    return find_violations(page, impacts=("serious", "critical"))


def find_violations(page: Page, rules: Collection[str] = (), impacts: Collection[str] = ()) -> list[str]:
    """What axe finds on the page as it is shown: one line a place, its rule first.

    ``rules`` are the ones to go by, ``impacts`` how grave it must be to be named; without any, all are.
    """
    page.wait_for_function(MOVES_NOT, timeout=10_000)  # what is half faded has half its contrast
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options: Mapping[str, Any] = {
        "resultTypes": ["violations"],
        "checks": {"color-contrast": {"options": CONTRAST}},
        **({"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}),
    }
    found: list[str] = page.evaluate(RUN_AXE, [options, list(impacts)])
    return found


PALETTE = 256
"""Colours of a picture: its file is then less than half as large."""


def take_picture(page: Page, path: Path) -> None:
    """Picture the page in its most frequent colours; the others, edges of letters, become the nearest of these."""
    with Image.open(io.BytesIO(page.screenshot())) as taken:
        pixels = np.asarray(taken.convert("RGB"))
    numbers = pixels @ np.array([1 << 16, 1 << 8, 1])
    unique, places, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    colours = np.stack([unique >> 16, unique >> 8 & 255, unique & 255], axis=1)
    kept = colours[np.argsort(counts)[::-1][:PALETTE]]
    nearest = np.array([np.abs(kept - colour).sum(axis=1).argmin() for colour in colours], np.uint8)
    reduced = Image.fromarray(nearest[places].reshape(pixels.shape[:2]), "P")
    reduced.putpalette(kept.astype(np.uint8).tobytes())
    reduced.save(path, optimize=True)


def is_foreign(url: str) -> bool:
    """Whether a request of this address would leave the machine."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in ("127.0.0.1", "localhost")
