"""The content security policy in a real browser: every screen works under it, and what it forbids is blocked."""

import json
import re
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser.actions import box, compose, go, open_row, paste, press, send, widget
from tests.browser.conftest import Console
from tests.browser.screens import open_screen, serious_findings, settled
from tests.browser.test_upload import download, drop, faults, look
from tests.browser.test_upload import send as send_file
from tests.pages.upload_steps import cosmetics

LISTENER = """document.addEventListener('securitypolicyviolation', event => noteViolation(
    `${event.effectiveDirective}: ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`))"""


ATTEMPTS = """async () => {
    const blocked = {}, add = node => document.body.append(node);
    const make = (name, attributes) => Object.assign(document.createElement(name), attributes);
    const wait = ms => new Promise(done => setTimeout(done, ms));
    const violated = new Set(), directives = ['connect-src', 'frame-src', 'object-src', 'img-src'];
    document.addEventListener('securitypolicyviolation', event => violated.add(event.effectiveDirective));
    // By a script of the page's own, since what a debugger evaluates may do more.
    const module = code => import(URL.createObjectURL(new Blob([code], {type: 'text/javascript'})));
    const {tried} = await module(`
        const raises = make => { try { make(); return false; } catch { return true; } };
        export const tried = {
            eval: raises(() => eval('1')),
            function: raises(() => new Function('return 1')()),
            wasm: raises(() => new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))),
        };
        setTimeout('window.ranText = true', 0);
    `);
    Object.assign(blocked, tried);
    add(make('script', {textContent: 'window.ranInline = true'}));
    add(make('script', {src: 'data:text/javascript,window.ranData = true'}));
    const holder = make('div', {});
    add(holder);
    holder.innerHTML = '<img src="data:," onerror="window.ranHandler = true"><b style="color: red">x</b>'
        + '<style>#root { display: none }</style><iframe src="/healthz"></iframe><object data="/healthz"></object>';
    add(make('img', {src: 'http://localhost:1/x.png'}));
    const fetched = await fetch('http://localhost:1/').then(() => true, () => false);
    await wait(300);  // what would run has run
    for (let tries = 0; tries < 200 && !directives.every(one => violated.has(one)); tries++) await wait(50);
    for (const name of ['ranText', 'ranInline', 'ranData', 'ranHandler']) blocked[name] = !(name in window);
    blocked.style = getComputedStyle(document.getElementById('root')).display !== 'none';
    blocked.fetch = !fetched && violated.has('connect-src');
    blocked.frame = violated.has('frame-src');
    blocked.object = violated.has('object-src');
    blocked.image = violated.has('img-src');
    return blocked;
}"""
"""What injected text would do; whether each was blocked."""


@pytest.fixture
def violations(page: Page) -> list[str]:
    """What the policy has blocked on any page of this tab, and responses without it or that might be kept.

    Errors of the browser's console fail the test anyway.
    """
    found: list[str] = []

    def note(text: str) -> None:
        found.append(text)

    def check(response: Response) -> None:
        if response.url.startswith("http"):
            headers = response.headers
            page_policy = "script-src 'self' blob:" in headers["content-security-policy"]
            kept = "/static/" in response.url or response.url.endswith(("/favicon.png", "/manifest.json"))
            if (response.request.resource_type == "document" and not page_policy) or (
                headers["cache-control"] != "no-store" and not kept
            ):
                found.append(f"headers of {response.url}: {headers}")

    page.on("response", check)
    page.expose_function("noteViolation", note)
    page.add_init_script(LISTENER)
    return found


@pytest.fixture
def batch(page: Page, tmp_path: Path) -> str:
    """A batch of many requests, sent on Upload; its id. What is uploaded, mapped, sent and downloaded is looked at."""
    open_screen(page, "/upload")
    file = tmp_path / "policy.csv"
    file.write_bytes(cosmetics(seed=uuid4().int % 1_000_000))
    drop(page, file)
    press(page, "upload-accept")
    press(page, "upload-accept-product")
    press(page, "upload-settle")
    send_file(page, count="999 events")
    expect(page.get_by_text("● 999 accepted").first).to_be_visible()
    assert len(download(page, "upload-results").splitlines()) == 1000
    found = re.search(r"batch=([\w-]+)", page.url)
    assert found is not None, page.url
    return found[1]


def test_compose_and_targets_work_and_violate_nothing(page: Page, violations: list[str]) -> None:
    open_screen(page, "/")
    press(page, "compose-check")
    press(page, "compose-go-0")
    expect(box(page, "compose-data-productId")).to_be_focused()  # by a component
    compose(page, f"policy-{uuid4().hex[:8]}")
    send(page)
    go(page, "Targets")
    press(page, "target-add")
    assert violations == []


def test_upload_its_grids_and_downloads_work_and_violate_nothing(
    page: Page, violations: list[str], tmp_path: Path
) -> None:
    page.add_init_script("delete globalThis.showSaveFilePicker")  # a dialog of the system, which no test can press
    open_screen(page, "/upload")
    assert download(page, "upload-template").startswith("name,")
    file = tmp_path / "faulty.csv"
    file.write_bytes(faults(f"policy-{uuid4().hex[:8]}-"))
    drop(page, file)
    press(page, "upload-settle")
    look(page, 3)
    grid = page.get_by_test_id("stDataFrame").nth(0)
    expect(grid.get_by_test_id("glide-cell-0-2")).to_have_text("■ identity missing")
    grid.hover()
    with page.expect_download() as downloaded:  # by the grid's own toolbar, from a blob: address
        grid.locator("xpath=ancestor::*[@data-testid='stFullScreenFrame']").get_by_role(
            "button", name="Download as CSV"
        ).click()
    assert "identity missing" in downloaded.value.path().read_text("utf-8")
    assert download(page, "upload-problems").startswith("row,line,")
    assert violations == []


def test_a_paste_its_text_and_a_file_of_inspect_work_and_violate_nothing(
    page: Page, violations: list[str], tmp_path: Path
) -> None:
    event = {"eventId": "policy-1", "userId": "policy-person", "data": {}}
    payload = json.dumps({"track": [{"name": "Product viewed", "payload": [event]}]}, indent=1)
    open_screen(page, "/inspect")
    paste(page, payload)
    expect(widget(page, "inspect-text").locator("li").first).to_be_visible()
    file = tmp_path / "payload.json"
    file.write_text(payload)
    page.get_by_role("button", name="Open a file").click()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    expect(page.get_by_text("Recognised: request body, 1 group, 1 event")).to_be_visible()
    settled(page)
    assert violations == []


@pytest.mark.long  # the other screens: the tests around it
def test_history_charts_feeds_and_the_sandbox_work_and_violate_nothing(
    page: Page, violations: list[str], batch: str
) -> None:
    open_screen(page, f"/history?batch={batch}")
    over_time = page.get_by_role("img", name="Attempts over time")
    expect(over_time).to_be_visible()
    boxes = [bar.bounding_box() for bar in over_time.locator("rect").all()]
    assert max(box["height"] for box in boxes if box) == 72
    open_row(page)
    page.wait_for_url("**/history?request=*")
    settled(page)
    open_screen(page, f"/feeds?batch={batch}")
    funnel = page.get_by_role("img", name="Viewed, added, ordered")
    expect(funnel).to_have_accessible_description(re.compile(r"Viewed: \d+ persons"))
    expect(funnel.get_by_text("1 viewed")).to_be_visible()
    for scheme, blue in (("dark", "rgb(95, 163, 220)"), ("light", "rgb(31, 90, 140)")):  # of the theme
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        expect(funnel.locator("rect.blue").first).to_have_css("fill", blue)
        assert serious_findings(page) == [], scheme
    open_screen(page, "/feeds?person=policy-person")
    open_screen(page, "/watch")
    page.get_by_text("Show this console's own reads of feeds").click()
    expect(widget(page, "sandbox-rows").locator("tbody tr").first).to_contain_text("feed ")
    assert violations == []


def test_what_a_page_could_be_made_to_run_is_blocked(page: Page, console: Console) -> None:
    """What injected text would do: each is tried in a page of the console, and none of it comes to pass."""
    tab = page.context.new_page()  # without the watch of its console: errors are what is expected here
    try:
        tab.goto(console.url)
        expect(tab.get_by_test_id("stApp")).to_be_visible()
        blocked = tab.evaluate(ATTEMPTS)
        answered = tab.request.get(console.url).headers["content-security-policy"]
    finally:
        tab.close()
    assert "unsafe" not in answered
    assert blocked == dict.fromkeys(blocked, True)
    assert len(blocked) == 12
