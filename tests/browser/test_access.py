"""Who may drive a console, in a real browser: a page of another port, the password, what the console itself calls."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.bench.consoles import console, free_port
from tests.browser.actions import box, press
from tests.browser.screens import WATCHED, open_screen, serious_findings, settled
from tests.network_audit import is_of_this_machine, make_audited_environment, read_calls
from tests.pages.upload_steps import csv_of, good_rows

PASSWORD = "a long password"


class Shop(BaseHTTPRequestHandler):
    """A page of another server, with a link."""

    def __init__(self, link: str, *given: Any) -> None:  # Any: the server's own
        self.link = link
        super().__init__(*given)

    def do_GET(self) -> None:
        body = (
            f"<!doctype html><title>Shop</title><link rel=icon href=data:,><a href='{self.link}'>console</a>".encode()
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:  # Any: the server's own
        pass


@contextmanager
def shop(port: int, link: str = "") -> Iterator[str]:
    """A page of another port of this machine; its origin."""
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(Shop, link))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def tabs(browser: Browser) -> Iterator[BrowserContext]:
    """A browser without cookies."""
    opened = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    opened.add_init_script(WATCHED)
    yield opened
    opened.close()


ATTACK = """async url => {
    const found = {};
    const socket = new WebSocket(url.replace('http', 'ws') + '/_stcore/stream', ['streamlit']);
    found.socket = await new Promise(done => {
        socket.onopen = () => done('open');
        socket.onerror = socket.onclose = () => done('closed');
    });
    const key = {Authorization: 'Basic ' + btoa('sandbox:sandbox')};
    const ask = async (name, path, options) => {
        try {
            const response = await fetch(url + path, options);
            found[name] = response.type === 'opaque' ? 'unread' : response.status;
        } catch { found[name] = 'closed'; }
    };
    await ask('screen', '/', {});
    await ask('health', '/healthz', {});
    await ask('host', '/_stcore/host-config', {});
    await ask('upload', '/_upload', {method: 'PUT', body: 'x'});
    const unasked = {method: 'POST', mode: 'no-cors', body: new URLSearchParams({a: 'b'})};
    await ask('form', '/_stcore/upload_file/x/y', unasked);
    await ask('sandbox', '/sandbox/_sandbox/events', {headers: key});
    await ask('faults', '/sandbox/_sandbox/faults', {method: 'DELETE', headers: key});
    const event = {eventId: 'e', userId: 'u', data: {productId: 'p'}};
    const body = JSON.stringify({track: [{name: 'Product viewed', payload: [event]}]});
    const track = '/sandbox/v1/o/projects/p/sources/1/track';
    const headers = {...key, 'Content-Type': 'application/json', 'X-Shop': '1'};
    await ask('event', track, {method: 'POST', headers, body});
    await ask('unasked', track + '?apiKey=sandbox.sandbox', {method: 'POST', mode: 'no-cors', body});
    return Object.fromEntries(Object.entries(found).filter(([, got]) => got !== 'closed' && got !== 'unread'));
}"""
"""What a page of another port tries (the socket, routes of the console, the sandbox), and what of it succeeds."""


def test_a_page_of_another_port_reaches_nothing_and_one_that_is_named_the_sandbox_only(
    tabs: BrowserContext, tmp_path: Path
) -> None:
    named, other = free_port(), free_port()
    with (
        console(tmp_path / "data", {"CONSOLE_SANDBOX_ORIGINS": f"http://127.0.0.1:{named}"}) as attacked,
        shop(named) as named_origin,
        shop(other) as other_origin,
    ):
        page = tabs.new_page()
        page.goto(other_origin)
        assert page.evaluate(ATTACK, attacked.url) == {}
        page.goto(named_origin)
        assert page.evaluate(ATTACK, attacked.url) == {"sandbox": 200, "faults": 200, "event": 201}
        page.goto(attacked.url)
        stored = page.evaluate(
            """async () => (await (await fetch('/sandbox/_sandbox/events',
            {headers: {Authorization: 'Basic ' + btoa('sandbox:sandbox')}})).json()).events.length"""
        )
        assert stored == 1  # the one event that might come
    assert "Traceback" not in attacked.log


@pytest.mark.long  # of the application: tests/core/web/test_password.py
def test_the_password_is_asked_for_once_a_browser(tabs: BrowserContext, tmp_path: Path) -> None:
    with console(tmp_path / "data", {"CONSOLE_PASSWORD": PASSWORD}) as protected:
        page = tabs.new_page()
        page.goto(f"{protected.url}/history?history-text=abc")
        assert serious_findings(page) == []
        page.get_by_label("Password of this console").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("That is not the password.")
        assert serious_findings(page) == []
        page.get_by_label("Password of this console").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{protected.url}/history?history-text=abc")
        settled(page)
        expect(page.get_by_role("link", name="History", exact=True)).to_have_attribute("aria-current", "page")

        # The socket, the upload route and a download work with it, in another tab too.
        other = tabs.new_page()
        open_screen(other, f"{protected.url}/upload")
        file = tmp_path / "events.csv"
        file.write_bytes(csv_of(*good_rows(3)))
        other.locator("input[type=file]").set_input_files(file)
        expect(other.get_by_text("events.csv", exact=False).first).to_be_visible()

        # A link of another site, whose first request carries no cookie.
        port = free_port()
        with shop(port, f"{protected.url}/targets"):
            other.goto(f"http://localhost:{port}")
            other.get_by_role("link", name="console").click()
            expect(other.get_by_role("link", name="Targets", exact=True)).to_have_attribute("aria-current", "page")
    assert "Traceback" not in protected.log


@pytest.mark.long  # tests/test_access.py listens to what a console calls, too
def test_over_a_whole_session_the_console_resolves_and_connects_to_nothing_but_this_machine(
    tabs: BrowserContext, tmp_path: Path
) -> None:
    environment = make_audited_environment(tmp_path)
    outside: list[str] = []
    tabs.on("request", lambda asked: outside.append(asked.url))
    with console(tmp_path / "data", environment) as watched, shop(free_port()) as other_origin:
        page = tabs.new_page()
        page.goto(other_origin)
        for _ in range(6):  # as many as once froze the event loop
            assert page.evaluate(ATTACK, watched.url) == {}
        for path in ("upload", "inspect", "history", "feeds", "targets", "watch", ""):
            open_screen(page, f"{watched.url}/{path}")
        box(page, "compose-data-productId").fill("SKU_1")
        box(page, "compose-userId").fill("u1")
        box(page, "compose-userId").press("Tab")
        settled(page)
        press(page, "compose-send")
        expect(page.get_by_test_id("stMain").get_by_text("accepted").first).to_be_visible()
        open_screen(page, f"{watched.url}/upload")
        file = tmp_path / "events.csv"
        file.write_bytes(csv_of(*good_rows(3)))
        page.locator("input[type=file]").set_input_files(file)
        expect(page.get_by_text("events.csv", exact=False).first).to_be_visible()
        page.close()
    calls = read_calls(tmp_path)
    assert any(call.startswith("socket.connect") for call in calls)  # its own sandbox
    assert [call for call in calls if not is_of_this_machine(call)] == []
    assert {url for url in outside if not url.startswith(("http://127.0.0.1:", "data:", "blob:"))} == set()
    assert (
        json.loads(next(line for line in watched.log.splitlines() if "requests rejected" in line))["level"] == "warning"
    )
