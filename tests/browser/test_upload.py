"""Upload in a real browser: a file is mapped, checked and sent, and everything about it can be downloaded."""

import csv
import json
import re
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import Console
from tests.browser.screens import open_screen, serious_findings, settled
from tests.data.samples import SHOP_EXPORT, SHOP_EXPORT_ROWS
from tests.examples import keep_first_quick
from tests.pages.upload_steps import cosmetics, csv_of, good_rows

LONG = 15_000


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} button").first.click()
    settled(page)


def drop(page: Page, file: Path) -> None:
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.locator(".st-key-upload-step-1, .st-key-upload-problem").first).to_contain_text(file.name)
    settled(page)


def look(page: Page, number: int) -> None:
    """Open a settled step, where it is not open."""
    button = page.locator(f".st-key-upload-step-{number} button")
    if not button.inner_text().startswith("Hide"):
        button.click()
        settled(page)


def open_advanced(page: Page) -> None:
    """Open the choices of the plan that most people leave as they are."""
    page.locator(".st-key-upload-advanced summary").click()
    settled(page)


def accept(page: Page) -> None:
    """Accept all suggestions, and the product id by its own click; then nothing that is required is missing."""
    press(page, "upload-accept")
    expect(page.locator(".st-key-upload-accept")).to_have_count(0)
    press(page, "upload-accept-product")
    expect(page.locator(".st-key-upload-missing")).to_have_count(0)


def kinds_of(page: Page) -> Locator:
    """The table of the kinds of problems, the first on the screen."""
    return page.get_by_test_id("stDataFrame").nth(0)


def rows_of(page: Page) -> Locator:
    """The grid of rows with problems."""
    return page.locator("[class*=st-key-upload-rows-] [data-testid=stDataFrame]")


def send(page: Page, *, count: str) -> None:
    """Confirm, and wait for the result."""
    expect(page.locator(".st-key-upload-send button")).to_have_text(f"Send {count} to Sandbox")
    press(page, "upload-send")
    expect(page.get_by_text("6 Result", exact=False)).to_be_visible(timeout=60_000)
    settled(page)


def download(page: Page, key: str) -> str:
    """The text of a file that a button downloads."""
    with page.expect_download() as download:
        page.locator(f".st-key-{key} button").click()
    return download.value.path().read_text(encoding="utf-8")


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines(keepends=True)))


@pytest.fixture
def received(console: Console) -> Callable[[], int]:
    """What the sandbox has processed since the test began: a function that gives the number of events."""

    def ask() -> int:
        request = urllib.request.Request(console.url + "/sandbox/_sandbox/events?limit=1")
        request.add_header("Authorization", "Basic c2FuZGJveDpzYW5kYm94")  # the sandbox's own key, known to all
        with urllib.request.urlopen(request, timeout=10) as response:
            return int(json.load(response)["processed"])

    begin = ask()
    return lambda: ask() - begin


def test_the_empty_screen_offers_a_template_that_is_clean_and_can_be_sent(
    page: Page, tmp_path: Path, received: Callable[[], int]
) -> None:
    open_screen(page, "/upload")
    expect(page.get_by_text("every problem is shown before anything is sent")).to_be_visible()
    file = tmp_path / "events-template.csv"
    file.write_text(download(page, "upload-template"))
    drop(page, file)
    press(page, "upload-settle")
    expect(page.locator(".st-key-upload-step-3")).to_contain_text("none")
    send(page, count="4 events")
    expect(page.get_by_text("● 4 accepted").first).to_be_visible()
    assert received() == 4


@pytest.mark.long  # without a browser: tests/pages/test_upload.py
def test_a_shops_file_is_sent_and_recognised_when_it_is_uploaded_again(
    page: Page, tmp_path: Path, received: Callable[[], int]
) -> None:
    file = tmp_path / "**shop** <b>2022.csv"
    file.write_bytes(cosmetics())
    open_screen(page, "/upload")
    drop(page, file)
    expect(page.locator(".st-key-upload-missing")).to_contain_text("3 required fields missing")
    expect(page.locator(".st-key-upload-settle")).to_have_count(0)
    press(page, "upload-accept")
    expect(page.locator(".st-key-upload-missing")).to_contain_text("Product id: choose the column")
    expect(page.locator(".st-key-upload-settle")).to_have_count(0)
    press(page, "upload-accept-product")
    expect(page.locator(".st-key-upload-missing")).to_have_count(0)
    expect(page.locator(".st-key-upload-as-sent")).to_contain_text(
        re.compile(r"· user 4632400\d\d · product 57\d+ · 2022")
    )
    press(page, "upload-settle")
    expect(page.get_by_text("999 events · 93 users", exact=False)).to_be_visible()
    assert received() == 0  # nothing is sent before the confirmation
    page.locator(".st-key-upload-send button").dblclick()  # two clicks, one batch
    expect(page.get_by_text("6 Result", exact=False)).to_be_visible(timeout=60_000)
    settled(page)
    expect(page.get_by_text("● 999 accepted").first).to_be_visible()
    assert received() == 999
    results = table(download(page, "upload-results"))
    assert [row["row"] for row in results] == [str(number) for number in range(1, 1000)]
    assert {(row["outcome"], row["status"]) for row in results} == {("accepted", "201")}

    page.reload()  # the result is in the link
    settled(page)
    expect(page.get_by_text("● 999 accepted").first).to_be_visible()

    press(page, "upload-next")
    drop(page, file)
    expect(page.get_by_text("This file was sent on", exact=False)).to_contain_text("999 of 999 accepted.")
    expect(page.get_by_text("This file was sent on", exact=False)).to_have_count(1)  # one batch, in spite of two clicks
    page.get_by_role("button", name="Use its mapping").click()
    settled(page)
    press(page, "upload-settle")
    expect(page.get_by_text("The target deduplicates", exact=False)).to_be_visible()
    expect(page.locator(".st-key-upload-step-3")).to_contain_text("999 rows with warnings")
    send(page, count="999 events")
    expect(page.get_by_text("◆ 999 ignored: duplicates").first).to_be_visible()  # and not only “accepted”
    assert received() == 999  # accepted once more, and none counted twice

    press(page, "upload-next")
    drop(page, file)
    page.get_by_role("button", name="Use its mapping").first.click()
    settled(page)
    press(page, "upload-settle")
    open_advanced(page)
    page.get_by_role("radio", name="new for this upload").click()
    expect(page.locator(".st-key-upload-step-3")).not_to_contain_text("warnings")
    send(page, count="999 events")
    assert received() == 2 * 999


@pytest.mark.long  # without a browser: tests/pages/test_upload.py
def test_a_mapping_is_saved_once_and_the_next_file_needs_one_click(page: Page, tmp_path: Path) -> None:
    first, second = tmp_path / "dates.csv", tmp_path / "next.csv"
    for number, file in enumerate((first, second)):
        file.write_text(f"when;productId;userId\n0{number + 1}.10.2022 14:05 Uhr;SKU_1;u1\n")
    open_screen(page, "/upload")
    drop(page, first)
    page.get_by_role("radio", name="Product viewed").click()
    settled(page)
    page.locator("[class*=st-key-upload-field-0] input").click()
    page.get_by_role("option", name="timestamp", exact=True).click()
    expect(page.get_by_text("cannot be read in this format.", exact=False)).to_be_visible()
    form = page.locator("[class*=st-key-upload-time-format] input")
    form.fill("%d.%m.%Y %H:%M Uhr")
    form.press("Enter")
    expect(page.get_by_text("is read as 2022-10-01 14:05:00 UTC.", exact=False)).to_be_visible()
    settled(page)
    press(page, "upload-save")
    name = page.locator("[class*=st-key-upload-save-name] input")
    name.fill("dates of a till")
    name.press("Enter")
    settled(page)
    page.locator(".st-key-upload-save-now button").click()
    expect(page.locator(".st-key-upload-save")).to_contain_text("Saved as “dates of a till”")
    page.keyboard.press("Escape")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert serious_findings(page) == [], scheme
    page.emulate_media(color_scheme="light")

    open_screen(page, "/upload")
    drop(page, second)
    page.get_by_role("button", name="Use “dates of a till”").click()
    expect(page.locator(".st-key-upload-step-2")).to_contain_text("saved as “dates of a till”")
    send(page, count="1 event")  # dropped, mapped, sent: three interactions


def test_a_page_that_is_loaded_again_still_has_its_file(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "kept.csv"
    file.write_bytes(csv_of(*good_rows(3, ids="kept-")))
    open_screen(page, "/upload")
    drop(page, file)
    page.wait_for_url("**/upload?file=*")
    page.reload()
    settled(page)
    expect(page.locator(".st-key-upload-step-1")).to_contain_text("kept.csv · 3 rows")
    press(page, "upload-settle")
    send(page, count="3 events")


@pytest.mark.parametrize(("width", "height"), keep_first_quick([(1440, 900), (1024, 768), (390, 844)]))
def test_the_way_on_and_the_chosen_row_are_in_view(page: Page, tmp_path: Path, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    file = tmp_path / "in-view.csv"
    file.write_bytes(cosmetics(20, seed=width))
    open_screen(page, "/upload")
    drop(page, file)
    expect(page.locator(".st-key-upload-accept button")).to_be_in_viewport()
    accept(page)
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
    expect(page.locator(".st-key-upload-settle button")).to_be_in_viewport()
    press(page, "upload-settle")
    expect(page.locator(".st-key-upload-send button")).to_be_in_viewport()

    file.write_bytes(faults("in-view-"))
    page.locator(".st-key-upload-step-1 button").click()
    drop(page, file)
    expect(page.locator(".st-key-upload-step-1")).to_contain_text("30 rows")
    press(page, "upload-settle")
    grid, panel = rows_of(page).bounding_box(), page.locator(".st-key-upload-cell").bounding_box()
    assert grid
    assert panel
    if width > 640:  # beside each other: what is clicked does not jump away
        assert panel["x"] >= grid["x"] + grid["width"]
        assert abs(panel["y"] - grid["y"]) < 200
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".st-key-upload-row-next button").focus()
    page.keyboard.press("Enter")
    settled(page)
    expect(page.locator(".st-key-upload-cell")).to_contain_text("Row 3")


def test_two_quick_decisions_on_the_mapping_both_hold(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "quick.csv"
    file.write_bytes(cosmetics(20))
    open_screen(page, "/upload")
    drop(page, file)
    expect(page.locator(".st-key-upload-accept-product button")).to_be_visible()
    page.evaluate(
        "['upload-accept', 'upload-accept-product'].forEach(k => document.querySelector(`.st-key-${k} button`).click())"
    )
    expect(page.locator(".st-key-upload-missing")).to_have_count(0)
    press(page, "upload-settle")
    expect(page.locator(".st-key-upload-step-2")).to_contain_text("4 event names mapped")
    expect(page.locator(".st-key-upload-send button")).to_have_text("Send 20 events to Sandbox")


def test_a_button_sends_what_was_shown_or_nothing(page: Page, tmp_path: Path, received: Callable[[], int]) -> None:
    file = tmp_path / "seen.csv"
    file.write_bytes(cosmetics(20, seed=7))
    open_screen(page, "/upload")
    drop(page, file)
    accept(page)
    press(page, "upload-settle")
    expect(page.locator(".st-key-upload-send button")).to_be_visible()
    open_advanced(page)
    page.evaluate(  # new ids are chosen, and the button pressed before the screen has followed
        "[document.querySelectorAll('.st-key-upload-ids button')[1],"
        " document.querySelector('.st-key-upload-send button')].forEach(button => button.click())"
    )
    expect(page.get_by_text("Nothing was sent: a choice changed", exact=False)).to_be_visible()
    assert received() == 0
    send(page, count="20 events")
    assert received() == 20


def test_the_shops_own_file_is_accepted_to_the_last_row(page: Page, received: Callable[[], int]) -> None:
    open_screen(page, "/upload")
    drop(page, SHOP_EXPORT)
    accept(page)
    press(page, "upload-settle")
    send(page, count=f"{SHOP_EXPORT_ROWS} events")
    expect(page.get_by_text(f"● {SHOP_EXPORT_ROWS} accepted").first).to_be_visible()
    assert received() == SHOP_EXPORT_ROWS


def faults(ids: str) -> bytes:
    """Thirty rows: five with an error each, one with a warning."""
    rows = good_rows(30, ids=ids)
    rows[1] = f"Product Viewed,{ids}2,u2,SKU_2,1714631904000,1"
    rows[2] = f"Product viewed,{ids}3,,SKU_3,1714631904000,1"
    rows[3] = f"Product viewed,{ids}4,u4,,1714631904000,=1+1"
    rows[4] = f"Product viewed,{ids}1,u5,SKU_5,1714631904000,1"
    rows[5] = f"Product viewed,{ids}6,u6,SKU_6,1714631904,1"
    rows[6] = f"Product viewed,{ids}7,null,SKU_7,1714631904000,1"
    return csv_of(*rows)


def test_rows_with_errors_are_shown_excluded_downloaded_corrected_and_sent(
    page: Page, tmp_path: Path, received: Callable[[], int]
) -> None:
    file = tmp_path / "faults.csv"
    file.write_bytes(faults("faulty-"))
    open_screen(page, "/upload")
    drop(page, file)
    press(page, "upload-settle")
    expect(page.locator(".st-key-upload-step-3")).to_contain_text("5 rows with errors")
    expect(page.locator(".st-key-upload-step-3")).to_contain_text("1 row with warnings")
    counts = kinds_of(page)
    expect(counts.get_by_test_id("glide-cell-0-2")).to_have_text("■ identity missing")
    expect(counts.get_by_test_id("glide-cell-1-2")).to_have_text("identity_missing")
    expect(counts.get_by_test_id("glide-cell-2-2")).to_have_text("1")
    rows = rows_of(page)
    expect(rows.get_by_test_id("glide-cell-1-0")).to_have_text("2")
    expect(rows.get_by_test_id("glide-cell-2-0")).to_have_text("■ event name not one of four")
    expect(rows.get_by_test_id("glide-cell-3-0")).to_have_text("Product Viewed")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert serious_findings(page) == [], scheme
    problems = table(download(page, "upload-problems"))
    assert Counter(problem["code"] for problem in problems) == {
        "event_name": 1,
        "identity_missing": 1,
        "product_id_missing": 1,
        "event_id_repeated": 1,
        "timestamp_before_2010": 1,
        "id_placeholder": 1,
    }
    assert [problem["line"] for problem in problems] == ["3", "4", "5", "6", "7", "8"]
    excluded = download(page, "upload-rows-with-errors")
    assert [row["eventId"] for row in table(excluded)] == ["faulty-2", "faulty-3", "faulty-4", "faulty-1", "faulty-6"]
    assert table(excluded)[2]["price"] == "'=1+1"

    send(page, count="25 events")
    assert received() == 25
    results = table(download(page, "upload-results"))
    assert len(results) == 30
    assert Counter(row["outcome"] for row in results) == {"accepted": 25, "excluded": 5}
    assert results[1]["issues"] == "event_name"

    corrections = {
        "Product Viewed,": "Product viewed,",
        "faulty-3,,": "faulty-3,u3,",
        "u4,,": "u4,SKU_4,",
        ",faulty-1,": ",faulty-5,",
        "1714631904,": "1714631904000,",
        "'=1+1": "=1+1",
    }
    corrected = excluded
    for wrong, right in corrections.items():
        assert wrong in corrected
        corrected = corrected.replace(wrong, right, 1)
    again = tmp_path / "skipped-rows.csv"
    again.write_text(corrected)
    press(page, "upload-next")
    drop(page, again)
    press(page, "upload-settle")
    send(page, count="5 events")
    assert received() == 30


@pytest.mark.long  # without a browser: tests/pages/test_upload.py
def test_everything_can_be_sent_as_it_is(page: Page, tmp_path: Path, received: Callable[[], int]) -> None:
    file = tmp_path / "as-it-is.csv"
    file.write_bytes(
        faults("odd-").replace(b",1714631904,", b",1714631904000,")
    )  # a request with an early time is rejected
    open_screen(page, "/upload")
    drop(page, file)
    press(page, "upload-settle")
    expect(page.locator(".st-key-upload-send button")).to_have_text("Send 26 events to Sandbox")
    open_advanced(page)
    page.get_by_text("Send them too, unchanged: 30 rows").click()
    send(page, count="30 events")
    expect(page.get_by_text("● 30 accepted").first).to_be_visible()
    expect(page.get_by_text("skipped")).to_have_count(0)
    assert received() == 26  # accepted is not processed (CONTRACT 2.6)


def test_sending_continues_when_the_tab_is_closed_and_two_tabs_do_not_disturb_each_other(
    page: Page, context: BrowserContext, tmp_path: Path, received: Callable[[], int]
) -> None:
    file = tmp_path / "long.csv"
    file.write_bytes(csv_of(*good_rows(LONG, ids="long-")))
    other_file = tmp_path / "other.csv"
    other_file.write_bytes(csv_of(*good_rows(2, ids="other-")))
    tab = context.new_page()
    open_screen(tab, "/upload")
    drop(tab, file)
    press(tab, "upload-settle")

    open_screen(page, "/upload")  # meanwhile, in a second tab
    drop(page, other_file)
    press(page, "upload-settle")

    tab.locator(".st-key-upload-send button").click()
    expect(tab.get_by_text("5 Sending")).to_be_visible(timeout=60_000)
    tab.wait_for_url("**/upload?batch=*")
    link = tab.url
    assert serious_findings(settled(tab)) == []
    tab.close()

    send(page, count="2 events")
    expect(page.get_by_text("● 2 accepted").first).to_be_visible()
    open_screen(page, link)
    expect(page.get_by_text(f"● {LONG:,} accepted").first).to_be_visible(timeout=90_000)
    assert received() == LONG + 2


HOSTILE = {
    "picture.csv": (b"\x89PNG\r\n\x1a\n" + bytes(100), "is an image"),
    "<img src=x onerror=alert(1)>.csv": (b"", "is empty"),
    "twice.csv": (b"name,userId,name\na,b,c\n", "name"),
}


@pytest.mark.long  # without a browser: tests/pages/test_upload.py
def test_what_is_no_table_is_a_sentence_that_leaves_the_way_open(page: Page, tmp_path: Path) -> None:
    open_screen(page, "/upload")
    for name, (data, sentence) in HOSTILE.items():
        file = tmp_path / name.replace("/", "")
        file.write_bytes(data)
        drop(page, file)
        expect(page.locator(".st-key-upload-problem")).to_contain_text(sentence)
    assert serious_findings(page) == []
    good = tmp_path / "good.csv"
    good.write_bytes(csv_of(*good_rows(1)))
    drop(page, good)
    expect(page.locator(".st-key-upload-problem")).to_have_count(0)


def test_the_screen_is_whole_on_a_narrow_page(page: Page, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    file = tmp_path / "narrow.csv"
    file.write_bytes(faults("narrow-"))
    open_screen(page, "/upload")
    drop(page, file)
    press(page, "upload-settle")
    look(page, 3)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    wide = page.evaluate(
        "[...document.querySelectorAll('[data-testid=stMain] *')].filter(e => !e.closest('[data-testid=stDataFrame]')"
        " && e.getBoundingClientRect().right > 401).length"
    )
    assert wide == 0


def test_a_long_file_name_has_its_own_line_on_a_telephone(page: Page, console: Console, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_screen(page, console.url + "/upload")
    file = tmp_path / "a-rather-long-file-name-of-a-shop-export-2024-05-01.csv"
    file.write_bytes(cosmetics(9))
    drop(page, file)
    line = page.locator(".st-key-upload-step-1 [data-testid=stText]").bounding_box()
    toggle = page.locator(".st-key-upload-step-1 button").bounding_box()
    assert line
    assert toggle
    assert line["width"] > 340
    assert line["y"] >= toggle["y"] + toggle["height"]
