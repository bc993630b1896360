"""Targets in a real browser: added for good, asked for their key after a reload, tested; a key is never shown again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.actions import KEY, box, choose, fill, go, press, send, use_server, use_target, widget
from tests.browser.conftest import Console
from tests.browser.screens import open_screen, serious_findings, settled
from tests.core.transport.fault_server import answers, hostile
from tests.examples import keep_first_quick

SECRET = KEY.partition(".")[2]

LONG_NAME = "a-very-long-name-of-a-shop-in-several-countries-of-europe"

SIZES = [(1440, 900), (390, 844)]


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A page; the targets that the test added are deleted in the end, since all tests share one console."""
    yield page
    open_screen(page, "/targets")
    if (cancel := widget(page, "target-form-cancel")).count():
        cancel.get_by_role("button").click()
        settled(page)
    while (edit := page.locator("[class*='st-key-target-delete-']")).count():
        edit.first.get_by_role("button").click()
        settled(page)
        page.locator("[class*='st-key-target-delete-yes-']").first.get_by_role("button").click()
        settled(page)


def test_a_typed_key_is_in_no_page_no_address_no_file_and_no_log(page: Page, console: Console) -> None:
    with hostile(answers(401, f'{{"you sent": "{KEY}"}}'.encode(), f"X-Echo: {KEY}")) as server:
        use_server(page, "shop", server)
        status = widget(page, "target-status")
        for text in (f"shop at 127.0.0.1:{server.port}", "Test", "duplicates counted twice"):
            expect(status.get_by_text(text, exact=True)).to_be_visible()
        pages = [settled(page).content()]
        press(page, "target-edit-shop")
        expect(page.locator(".st-key-target-form-key input")).to_have_value("")
        pages.append(page.content())
        press(page, "target-form-cancel")
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
    keep_first_quick([["input", "change"], [], ["input"], ["change"]]),
    ids="+".join,
)
def test_the_field_of_a_key_is_empty_after_each_use_however_it_was_filled(page: Page, events: list[str]) -> None:
    open_screen(page, "/targets")
    field = box(page, "target-form-key")
    for attempt, host in enumerate(["https://api.example", "http://not-here.example", "", "https://api.example"]):
        if not field.count():
            press(page, "target-add")
        expect(field).to_have_value("")
        given = {"name": f"shop{attempt}", "host": host, "org": "acme", "project": "shop", "source": "1"}
        for name, text in given.items():
            box(page, f"target-form-{name}").fill(text)
        field.evaluate(FILL_AS_A_PASSWORD_MANAGER, [KEY, events])
        press(page, "target-form-use")
        assert [one.input_value() for one in field.all()] == ["" for _ in field.all()]
        assert SECRET not in page.content()
        assert page.evaluate("[...document.querySelectorAll('input')].every((input) => !input.value.includes('.9f3'))")


def test_a_key_without_a_dot_is_a_sentence_at_its_field_that_does_not_hold_it(page: Page) -> None:
    use_target(page, "shop", "https://api.example", key="nodotsecret99")
    fault = widget(page, "target-form-key").get_by_text("This is a key without a dot. It has the form prefix.secret.")
    expect(fault).to_be_visible()
    assert "nodotsecret99" not in page.get_by_test_id("stMain").inner_text()
    expect(page.get_by_text("Sandbox on this machine", exact=False)).to_be_visible()
    assert serious_findings(page) == []


@pytest.mark.parametrize(("width", "height"), keep_first_quick(SIZES))
def test_after_a_reload_the_target_is_there_and_takes_its_key(page: Page, width: int, height: int) -> None:
    """Bug: a temporary target was silently gone after F5."""
    page.set_viewport_size({"width": width, "height": height})
    with hostile(answers(201, b"{}")) as server:
        use_server(page, "shop", server)
        page.reload()
        card = widget(settled(page), "target-shop")
        expect(card.get_by_text("Key: not here. It is typed for each session.")).to_be_visible()
        box(page, "target-key-shop").fill(KEY)
        press(page, "target-key-shop-use")
        expect(card.get_by_text("Key: typed for this session")).to_be_visible()
        press(page, "target-test-shop")
        expect(card.get_by_text("● connected")).to_be_visible(timeout=15_000)
        expect(card.get_by_text("takes requests for this source with this key", exact=False)).to_be_in_viewport()
    assert SECRET not in page.content()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize(
    ("size", "scheme"), keep_first_quick(zip(SIZES, ("light", "dark"), strict=True)), ids=["1440", "390"]
)
def test_the_form_its_faults_and_the_cards_are_accessible(page: Page, size: tuple[int, int], scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two texts
    page.set_viewport_size({"width": size[0], "height": size[1]})
    use_target(page, LONG_NAME, "https://" + "x" * 60 + ".example", production=True)
    press(page, "target-add")
    page.get_by_text("Feed ids", exact=True).click()
    fill(page, "target-form-feeds-recently-viewed", "..")
    press(page, "target-form-use")
    expect(page.get_by_text("Not saved: 6 fields need a change", exact=False)).to_be_visible()
    expect(page.get_by_text("This would be a step of the path, not a name.", exact=False)).to_be_visible()
    press(page, f"target-test-{LONG_NAME}")
    expect(page.get_by_text("■ not connected")).to_be_visible(timeout=15_000)
    assert serious_findings(settled(page)) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_target_is_added_and_deleted_by_the_keyboard_alone(page: Page) -> None:
    open_screen(page, "/targets")
    widget(page, "target-add").get_by_role("button").focus()
    page.keyboard.press("Enter")
    settled(page)
    box(page, "target-form-name").focus()
    for text in ("shop", "https://api.example", "acme", "web", "1487580005268456192"):
        page.keyboard.insert_text(text)
        page.keyboard.press("Tab")
    for _ in range(30):
        if page.evaluate("document.activeElement.innerText") == "Save target":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(widget(settled(page), "target-shop")).to_be_visible()
    widget(page, "target-delete-shop").get_by_role("button").focus()
    page.keyboard.press("Enter")
    settled(page)
    for _ in range(5):
        if page.evaluate("document.activeElement.innerText") == "Delete shop":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("shop is deleted", exact=False)).to_be_visible()
    expect(widget(page, "target-shop")).to_have_count(0)


def test_what_is_typed_survives_a_fault_and_the_environment_and_duplicates_are_kept(page: Page, tmp_path: Path) -> None:
    use_target(page, "shop", "http://shop.example")
    assert box(page, "target-form-source").input_value() == "1487580005268456192"
    fill(page, "target-form-host", "https://shop.example")
    choose(page, "target-form-deduplicates", "ignored")
    press(page, "target-form-use")
    card = widget(page, "target-shop")
    for badge in ("Test", "Duplicates: ignored"):
        expect(card.get_by_text(badge, exact=True)).to_be_visible()
    page.screenshot(path=tmp_path / "targets.png")
