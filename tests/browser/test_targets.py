"""Targets in a real browser: a temporary target, the connection test; its key is never shown again."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.actions import KEY, box, fill, go, press, send, use_server, use_target, widget
from tests.browser.conftest import Console
from tests.browser.screens import open_screen, serious_findings, settled
from tests.core.transport.fault_server import answers, hostile

SECRET = KEY.partition(".")[2]


def test_a_typed_key_is_in_no_page_no_address_no_file_and_no_log(page: Page, console: Console) -> None:
    with hostile(answers(401, f'{{"you sent": "{KEY}"}}'.encode(), f"X-Echo: {KEY}")) as server:
        use_server(page, "shop", server)
        status = widget(page, "target-status")
        for text in (f"shop at 127.0.0.1:{server.port}", "Test", "duplicates counted twice"):
            expect(status.get_by_text(text, exact=True)).to_be_visible()
        expect(page.locator(".st-key-target-form-key input")).to_have_value("")
        pages = [settled(page).content()]
        press(page, "target-test-shop")
        expect(page.get_by_text("401 Unauthorized", exact=False)).to_be_visible()
        pages.append(page.content())
        go(page, "Compose")
        box(page, "compose-data-productId").fill("SKU_1")
        fill(page, "compose-userId", "u1")
        send(page, outcome="rejected")
        page.get_by_text("Headers", exact=True).click()
        pages += [page.content(), page.url]
        go(page, "Targets")
        pages.append(page.content())
    files = [file.read_bytes() for file in console.data.rglob("*") if file.is_file()]
    for held in [*(text.encode() for text in pages), *files, console.log.read_bytes()]:
        assert SECRET.encode() not in held
    assert server.received[-1].headers["authorization"].startswith("Basic ")


FILL_AS_A_PASSWORD_MANAGER = """(input, [text, events]) => {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, text);
    for (const event of events) input.dispatchEvent(new Event(event, {bubbles: true}));
}"""


@pytest.mark.parametrize(
    "events",
    [["input", "change"], [], *(pytest.param(one, marks=pytest.mark.long) for one in (["input"], ["change"]))],
    ids="+".join,
)
def test_the_field_of_a_key_is_empty_after_each_use_however_it_was_filled(page: Page, events: list[str]) -> None:
    open_screen(page, "/targets")
    page.get_by_text("Add a temporary target").click()
    field = box(page, "target-form-key")
    for attempt, host in enumerate(["https://api.example", "http://not-here.example", "https://api.example", ""]):
        given = {"name": f"shop{attempt}", "host": host, "org": "acme", "project": "shop", "source": "1"}
        for name, text in given.items():
            box(page, f"target-form-{name}").fill(text)
        field.evaluate(FILL_AS_A_PASSWORD_MANAGER, [KEY, events])
        press(page, "target-form-use")
        expect(field).to_have_value("")
        settled(page)
        assert field.input_value() == ""
        assert SECRET not in page.content()
        assert page.evaluate("[...document.querySelectorAll('input')].every((input) => !input.value.includes('.9f3'))")


def test_a_key_without_a_dot_is_a_sentence_that_does_not_hold_it(page: Page) -> None:
    use_target(page, "shop", "https://api.example", key="nodotsecret99")
    expect(page.get_by_text("This is a key without a dot. It has the form prefix.secret.")).to_be_visible()
    assert "nodotsecret99" not in page.get_by_test_id("stMain").inner_text()
    expect(page.get_by_text("Sandbox on this machine", exact=False)).to_be_visible()
    assert serious_findings(page) == []


def test_the_connection_test_is_a_sentence_and_accessible(page: Page) -> None:
    use_target(page, "shop", "https://nowhere.example", production=True)
    expect(widget(page, "target-shop").get_by_text("PRODUCTION", exact=True)).to_be_visible()
    press(page, "target-test-shop")
    expect(page.get_by_text("■ not connected")).to_be_visible(timeout=15_000)
    press(page, "target-test-sandbox")
    expect(page.get_by_text("● connected")).to_be_visible(timeout=15_000)
    page.emulate_media(color_scheme="dark")
    assert serious_findings(settled(page)) == []
    page.set_viewport_size({"width": 400, "height": 900})
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    expect(widget(page, "target-test-sandbox")).to_be_visible()
