"""Fixes in a real browser: a group, a cell, an undo; then the file is sent, and History shows its fixes."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.actions import box, events_of
from tests.browser.conftest import Console
from tests.browser.screens import open_screen, serious_findings, settled
from tests.browser.test_upload import download, drop, kinds_of, press, rows_of, send, table
from tests.pages.upload_steps import csv_of, good_rows


def faults(ids: str = "fixed-") -> bytes:
    """Thirty rows: ten names in the wrong case, two rows without a product, one repeat."""
    rows = good_rows(30, ids=ids)
    for row in range(10):
        rows[row] = rows[row].replace("Product viewed", "product viewed")
    rows[14] = rows[14].replace("SKU_15", "")
    rows[15] = rows[15].replace("SKU_16", "")
    rows[20] = rows[20].replace(f"{ids}21,u21", f"{ids}20,fixer")
    return csv_of(*rows)


def click_in(page: Page, table_: Locator, row: int, *, left: int | None = None, right: int | None = None) -> None:
    """Click into a row of a table, which is drawn on a canvas: so many pixels from its left or right edge."""
    there = table_.bounding_box()
    assert there is not None
    x = left if left is not None else there["width"] - (right or 0)
    table_.click(position={"x": x, "y": 35 * (row + 1) + 17})
    settled(page)


def find(page: Page, text: str) -> None:
    box(page, "upload-find").fill(text)
    box(page, "upload-find").press("Enter")
    settled(page)


def preview_first(page: Page) -> None:
    """Preview the first of the fixes that are listed one by one."""
    listed = page.locator(".st-key-upload-suggested-fixes")
    if not listed.locator("details[open]").count():
        listed.locator("summary").click()
    press(page, "upload-suggested-fix-0")


@pytest.mark.long  # without a browser: tests/pages/test_fixes.py
def test_a_group_and_a_cell_are_fixed_one_fix_is_undone_the_rest_is_sent_and_history_shows_it(
    page: Page, console: Console, tmp_path: Path
) -> None:
    file = tmp_path / "to be fixed.csv"
    file.write_bytes(faults())
    open_screen(page, "/upload")
    drop(page, file)
    press(page, "upload-settle")
    step = page.locator(".st-key-upload-step-3")
    expect(step).to_contain_text("13 rows with errors")
    preview_first(page)
    expect(page.locator(".st-key-upload-fix-preview")).to_contain_text(
        "“product viewed” → “Product viewed” in 10 cells"
    )
    press(page, "upload-fix")
    expect(step).to_contain_text("3 rows with errors")
    find(page, "line 16 productId")
    expect(page.locator(".st-key-upload-cell")).to_contain_text("Row 15 · line 16")
    expect(page.locator(".st-key-upload-cell")).to_contain_text("column productId")
    new = page.locator(".st-key-upload-cell form input, .st-key-upload-cell [data-testid=stForm] input").first
    new.fill("SKU_15")
    press(page, "upload-edit-one")
    expect(step).to_contain_text("2 rows with errors")
    find(page, "row 21 eventId")
    page.get_by_role("button", name="Go to row 20, the first with this event id").click()
    expect(page.locator(".st-key-upload-cell")).to_contain_text("Row 20 · line 21")
    expect(page.locator(".st-key-upload-cell")).to_contain_text("column eventId")
    settled(page)
    assert serious_findings(page) == []
    preview_first(page)
    press(page, "upload-fix")
    expect(step).to_contain_text("1 row with errors")
    fixed = table(download(page, "upload-fixed-csv"))
    assert [row["productId"] for row in fixed[13:17]] == ["SKU_14", "SKU_15", "", "SKU_17"]
    assert fixed[20]["eventId"].startswith("made_")
    press(page, "upload-undo-1")
    expect(step).to_contain_text("2 rows with errors")
    send(page, count="28 events")
    assert [event["productId"] for event in events_of(console.url, "fixer")] == ["SKU_21"]
    page.get_by_role("link", name="Open in History").click()
    page.get_by_text("2 fixes before the send").click()
    expect(page.locator(".st-key-history-fixes")).to_contain_text(
        "“product viewed” → “Product viewed” in 10 cells of name"
    )
    expect(page.locator(".st-key-history-fixes")).to_contain_text("Give an id of its own to 1 cell of eventId")
    assert file.read_bytes() == faults()


def test_one_click_leads_from_a_kind_to_its_rows_and_from_a_problem_to_its_cell(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "clicked.csv"
    file.write_bytes(faults())
    open_screen(page, "/upload")
    drop(page, file)
    press(page, "upload-settle")
    card = page.locator(".st-key-upload-cell")
    expect(card).to_contain_text("Row 1 · line 2")  # of the first problem, without a click
    click_in(page, rows_of(page), 1, left=20)
    expect(card).to_contain_text("Row 2 · line 3")
    expect(card).to_contain_text("column name · in the event /name · skipped")
    click_in(page, kinds_of(page), 2, right=66)
    expect(box(page, "upload-kind")).to_have_value("product id missing")
    expect(card).to_contain_text("Row 15 · line 16")
    press(page, "upload-row-next")
    expect(card).to_contain_text("Row 16 · line 17")
    expect(card).to_contain_text("column productId · in the event /data/productId · skipped")


@pytest.mark.long  # the panel's own buttons are pressed by the keyboard in test_upload.py
def test_a_row_is_chosen_and_changed_by_the_keyboard_alone(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "keyboard.csv"
    file.write_bytes(faults("keyed-"))  # what was sent before has a link more
    open_screen(page, "/upload")
    drop(page, file)
    press(page, "upload-settle")
    card = page.locator(".st-key-upload-cell")
    expect(card).to_contain_text("Row 1 · line 2")
    rows_of(page).locator("canvas").first.focus()
    page.keyboard.press("Tab")  # out of the grid, to the buttons that choose a row
    expect(page.locator(".st-key-upload-row-next button")).to_be_focused()
    page.keyboard.press("Enter")
    settled(page)
    expect(card).to_contain_text("Row 2 · line 3")
    expect(page.locator(".st-key-upload-row-next button")).to_be_focused()
    value = card.get_by_role("textbox", name="New value of name in row 2")
    expect(value).to_be_visible()
    page.keyboard.press("Tab")
    expect(value).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("Product viewed")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-upload-step-3")).to_contain_text("12 rows with errors")
