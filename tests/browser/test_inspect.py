"""Inspect in a real browser: paste, see what is wrong and where, fix it, open it in Compose, or send it as it is."""

import base64
import json
import re
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.actions import KEY, arrived, box, events_of, go, paste, press, send, use_target, widget
from tests.browser.conftest import Console
from tests.browser.screens import open_screen, serious_findings, settled
from tests.examples import keep_first_quick

EVIL = "![x](http://e.example/y.png)<script>document.title='taken'</script>:red[x] $x$ \u202e"


def test_a_payload_is_checked_opened_in_compose_and_sent_as_it_is(page: Page, console: Console) -> None:
    who = f"14875800052684{uuid4().int % 10**9:09}"
    events = [
        {"eventId": f"a-{who}", "userId": who, "data": {"productId": "1487580005268456287"}},
        {"eventId": f"b-{who}", "userId": who, "data": {"productID": EVIL}},
    ]
    body = {"track": [{"name": "Added to cart", "payload": events}]}
    text = json.dumps(body, indent=1, ensure_ascii=False)
    open_screen(page, "/inspect")
    paste(page, text)
    expect(page.get_by_text("Recognised: request body, 1 group, 2 events")).to_be_visible()
    line = next(number for number, shown in enumerate(text.splitlines(), 1) if "productID" in shown)
    expect(page.get_by_text(f"Line {line}, column 7 · track[0].payload[1].data.productId")).to_be_visible()
    marked = widget(page, "inspect-text").locator("li")
    expect(marked.filter(has_text="■")).to_have_count(1)
    expect(marked.nth(line - 1)).to_contain_text("■")
    expect(marked.nth(line - 1)).to_contain_text("⟨U+202E⟩")
    press(page, "inspect-compose")
    expect(widget(page, "compose-2-name")).to_be_visible()
    expect(page.get_by_test_id("stCode").first).to_contain_text('"productId": "1487580005268456287"')
    go(page, "Inspect")
    expect(page.get_by_role("button", name="Send 1 event to Sandbox")).to_be_visible()
    page.get_by_role("button", name="Send anyway").click()
    send(page, "inspect-send-as-it-is")
    kept = events_of(console.url, who)
    assert [event["event"] for event in kept] == events
    assert [event["processed"] for event in kept] == [True, False]
    expect(page.get_by_text("already sent", exact=False)).to_have_count(0)
    assert page.locator("[data-testid=stMain] img").count() == 0
    assert page.title() != "taken"


def test_a_command_is_fixed_from_the_list_and_leads_to_its_line(page: Page) -> None:
    lines = ["curl 'https://api.intempt.com/v1/acme/projects/shop/sources/1/track' \\", f"  -u {KEY} \\", "  -d '["]
    lines += [
        f'{{"name": "Product viewed", "eventId": "c{n}", "userId": "u", "data": {{"productId": "p"}}}},'
        for n in range(80)
    ]
    lines += ['{"name": "added_to_cart", "eventId": "last", "userId": "u", "data": {"productId": "p"}}]\'']
    open_screen(page, "/inspect")
    paste(page, "\n".join(lines))
    expect(page.get_by_text("Recognised: cURL command with list of 81 events")).to_be_visible()
    expect(widget(page, "inspect-text")).to_contain_text("-u •••• ")
    assert KEY.partition(".")[2] not in page.content()
    press(page, "inspect-go-0")
    focused = widget(page, "inspect-text").locator(".focused")
    expect(focused).to_be_in_viewport()
    expect(focused).to_contain_text("added_to_cart")
    press(page, "inspect-fix-0")
    expect(widget(page, "inspect-difference").locator("mark.new")).to_have_text('"Added to cart"')
    press(page, "inspect-fix-apply")
    expect(page.get_by_role("button", name="Send 81 events to Sandbox")).to_be_visible()
    press(page, "inspect-undo")
    expect(focused.or_(widget(page, "inspect-text")).first).to_contain_text("added_to_cart")


COPIED_REQUESTS = {
    "cURL": "curl 'https://api.example/track' -H 'authorization: Basic {token}' --data-raw '{body}'",
    "cmd": 'curl ^"https://api.example/track^" ^\n  -H ^"authorization: Basic {token}^" ^\n  --data-raw ^"[1]^"',
    "PowerShell": 'Invoke-WebRequest -Uri "https://api.example/" -Headers @{{\n"authorization"="Basic {token}"\n}}',
    "fetch": 'fetch("https://api.example/track", {{"headers": {{"authorization": "Basic {token}"}}, "body": "{{}}"}});',
    "HAR": '{{"log": {{"entries": [{{"headers": [{{"name": "authorization", "value": "Basic {token}"}}]}}]}}}}',
    "HTTPie": "http -a {key} POST https://api.example/track name=x",
    "wget": "wget --header='Authorization: Basic {token}' --post-data='{body}' https://api.example/track",
    "requests": 'requests.post("https://api.example/track", auth=("shopprefix", "{secret}"))',
    "Postman": '{{"request": {{"auth": {{"basic": [{{"key": "password", "value": "{secret}"}}]}}}}}}',
    "raw HTTP": "POST /track?apiKey={key} HTTP/1.1\nHost: api.example\n\n{body}",
    "a known key in data": '[{{"eventId": "e1", "data": {{"note": "{key}"}}}}]',
}
"""A request with the key of :data:`KEY` as tools copy it."""

WATCH_FOR_SECRETS = """(secrets) => {
    window.seen = [];
    const look = () => {
        const areas = [...document.querySelectorAll("textarea, input")].map((area) => area.value);
        const shown = document.body.innerText + areas.join(" ");
        window.seen.push(...secrets.filter((secret) => shown.includes(secret)));
        requestAnimationFrame(look);
    };
    look();
}"""
"""Looks at each frame that is drawn for texts that must not be in it."""


def open_editor(page: Page) -> None:
    """Show the text in a field, if it is not there."""
    if widget(page, "inspect-edit").count():
        press(page, "inspect-edit")


def test_no_pasted_key_is_shown_for_one_frame_in_any_form_of_a_copied_request(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    use_target(page, "shop", "https://api.example")  # so that its key is known
    secret = KEY.partition(".")[2]
    token = base64.b64encode(KEY.replace(".", ":", 1).encode()).decode()
    go(page, "Inspect")
    page.evaluate(WATCH_FOR_SECRETS, [secret, token])
    area = box(page, "inspect-paste")
    body = '{"eventId":"e1"}'
    for copied in COPIED_REQUESTS.values():
        text = copied.format(key=KEY, secret=secret, token=token, body=body)
        page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
        if widget(page, "inspect-edit").count():  # a text that can be read is not in a field: one is pasted over it
            page.keyboard.press("Control+v")
        else:
            area.press("Control+a")
            area.press("Control+v")
        settled(page)
        open_editor(page)
        expect(area).to_have_value(re.compile("••••"))
        area.fill("#  #")  # and the same in the middle of what was typed, while the field keeps its focus
        area.evaluate("(area) => area.setSelectionRange(3, 3)")
        area.press("Control+v")
        settled(page)
        open_editor(page)
        expect(area).to_have_value(re.compile(r"^#  (?s:.*)••••(?s:.*)#$"))
        settled(page)
    assert page.evaluate("window.seen") == []
    assert secret not in page.content()
    page.evaluate("(text) => navigator.clipboard.writeText(text)", '{"eventId": "e2"}')
    open_editor(page)
    area.press("Control+a")
    area.press("Control+v")
    expect(page.get_by_text("Recognised: one event")).to_be_visible()  # a plain paste is read at once, too


def test_a_file_is_opened_or_dropped_and_a_paste_that_is_too_long_is_a_sentence(page: Page) -> None:
    open_screen(page, "/inspect")
    page.get_by_role("button", name="Open a file").click()
    file = {"name": "a.jsonl", "mimeType": "text/plain", "buffer": b'{"eventId": "f1"}\n{"eventId": "f2"}'}
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)  # type: ignore[arg-type]
    expect(page.get_by_text("Recognised: JSON Lines, 2 events")).to_be_visible()
    page.keyboard.press("Escape")
    widget(page, "inspect-text").evaluate(
        """(area) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text/plain", "[" + "1".repeat(2e8));
            area.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
        }"""
    )
    expect(page.get_by_text("The pasted text has 200,000,001 characters; up to 5,000,000", exact=False)).to_be_visible()
    widget(page, "inspect-text").evaluate(
        """(area) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File(['{"eventId": "dropped"}'], "event.json"));
            area.dispatchEvent(new DragEvent("drop", {dataTransfer, bubbles: true, cancelable: true}));
        }"""
    )
    expect(page.get_by_text("Event 1 · no name · dropped")).to_be_visible()
    paste(page, "{}")
    expect(page.get_by_text("Recognised: one event")).to_be_visible()


def test_garbage_is_a_sentence_and_the_next_paste_is_read(page: Page) -> None:
    open_screen(page, "/inspect")
    paste(page, '{"a": 1,\n "b": }')
    expect(page.get_by_text("Invalid JSON", exact=False)).to_be_visible()
    expect(page.get_by_text("line 2", exact=False).or_(page.get_by_text("Line 2", exact=False))).to_be_visible()
    paste(page, "12")
    expect(page.get_by_text("Recognised: nothing that holds events")).to_be_visible()
    expect(widget(page, "inspect-send")).to_have_count(0)


@pytest.mark.long  # of a small event: test_double_click.py
def test_a_large_payload_is_checked_and_sent_once_by_a_double_click(page: Page, console: Console) -> None:
    who = f"14875800052684{uuid4().int % 10**9:09}"
    events = [
        {"name": "Product viewed", "eventId": f"{who}-{number}", "userId": who, "data": {"productId": f"p{number}"}}
        for number in range(120)
    ]
    open_screen(page, "/inspect")
    paste(page, json.dumps(events, indent=1))
    widget(page, "inspect-send").get_by_role("button").dblclick(delay=20)
    expect(page.get_by_text("120 accepted and processed", exact=False).locator("visible=true").first).to_be_visible(
        timeout=20_000
    )
    settled(page)
    assert [event["productId"] for event in events_of(console.url, who)] == [f"p{number}" for number in range(120)]
    expect(page.get_by_role("link", name="Open in History")).to_be_visible()


@pytest.mark.long  # test_accessibility.py looks at problems
def test_axe_finds_nothing_serious_in_an_error_and_an_outcome(page: Page) -> None:
    open_screen(page, "/inspect")
    press(page, "inspect-example")
    press(page, "inspect-fix-0")
    assert serious_findings(page) == []
    page.get_by_role("button", name="Send anyway").click()
    send(page, "inspect-send-as-it-is")
    arrived(page, "accepted")
    page.emulate_media(color_scheme="dark")
    assert serious_findings(settled(page)) == []


SIZES = [(1440, 900), (1024, 768), (390, 844)]


@pytest.mark.parametrize(("width", "height"), keep_first_quick(SIZES))
def test_an_id_that_was_used_before_is_told_and_the_result_is_in_view(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    who, id_ = f"user-{uuid4().hex[:8]}", f"evt-{uuid4().hex[:8]}"
    event = {"name": "Added to cart", "eventId": id_, "userId": who, "data": {"productId": "SKU_9"}}
    open_screen(page, "/inspect")
    paste(page, json.dumps([event]))
    press(page, "inspect-send")
    arrived(page, "Processed")
    paste(page, json.dumps([{**event, "userId": "brand_new", "data": {"productId": "SKU_5"}}]))
    expect(page.get_by_text("■ will be ignored")).to_be_visible()
    expect(page.get_by_text(re.compile(f"its event id was used .* by {who}"))).to_be_visible()
    expect(page.get_by_role("link", name="See the event that used its id")).to_be_visible()
    press(page, "inspect-send")
    ignored = page.get_by_text(re.compile("Ignored: duplicate event id, used .*"))
    expect(ignored.first).to_be_in_viewport()
    expect(page.get_by_role("button", name="Send with a new id")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert serious_findings(page) == []


def test_a_text_is_pasted_formatted_and_its_problems_are_reached_by_the_keyboard_alone(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.set_viewport_size({"width": 1440, "height": 900})
    events = [{"eventId": f"k{number}", "userId": "u", "data": {}} for number in range(60)]
    text = json.dumps({"track": [{"name": "added to cart", "payload": events}]}, separators=(",", ":"))
    open_screen(page, "/inspect")
    page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
    box(page, "inspect-paste").focus()
    page.keyboard.press("Control+v")
    expect(page.get_by_text("Recognised: request body, 1 group, 60 events")).to_be_visible()
    settled(page)
    expect(page.get_by_text("■ 61 problems")).to_be_visible()  # one for the name of the group, however many events
    expect(page.locator("textarea")).to_have_count(0)  # the text stands once
    widget(page, "inspect-format").get_by_role("button").focus()
    page.keyboard.press("Enter")
    settled(page)
    lines = widget(page, "inspect-text").locator("li")
    expect(lines.nth(3)).to_contain_text('"name": "added to cart"')
    page.get_by_text("60 places").locator("xpath=ancestor-or-self::summary").focus()
    page.keyboard.press("Enter")
    settled(page)
    go_there = widget(page, "inspect-place-20").get_by_role("button", name="Jump to line")
    go_there.focus()
    page.keyboard.press("Enter")
    settled(page)
    expect(widget(page, "inspect-text").locator(".focused")).to_be_in_viewport()
    widget(page, "inspect-undo").get_by_role("button").focus()
    page.keyboard.press("Enter")
    settled(page)
    expect(lines).to_have_count(1)
    page.evaluate("(text) => navigator.clipboard.writeText(text)", text[:200])
    page.keyboard.press("Control+v")  # pasted beside every field: in the place of the text that is shown
    expect(page.get_by_text("The JSON ends early at column 201", exact=False)).to_be_visible()
