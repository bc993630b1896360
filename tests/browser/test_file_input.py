"""The file input in a real browser: by click, keyboard and drop; stopped, too large, rejected; nothing is kept."""

import gzip
import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Console
from tests.browser.screens import open_screen, serious_findings, settled
from tests.core.readers.parquet_factories import parquet_of
from tests.core.readers.workbook_factories import rows_xml, workbook
from tests.pages.upload_steps import HEADER, csv_of, good_rows

ZONE = "[data-part=zone]"


@pytest.fixture
def screen(page: Page) -> Page:
    """The empty screen, with its file input there."""
    open_screen(page, "/upload")
    expect(page.locator(ZONE)).to_contain_text("or drop one here")
    return page


def drop(page: Page, *files: tuple[str, str]) -> None:
    """Drop files of so much text, as the system's own windows do."""
    handle = page.evaluate_handle(
        "files => { const data = new DataTransfer();"
        " files.forEach(([name, text]) => data.items.add(new File([text], name))); return data; }",
        [list(file) for file in files],
    )
    page.dispatch_event(ZONE, "dragover", {"dataTransfer": handle})
    page.dispatch_event(ZONE, "drop", {"dataTransfer": handle})


def parts(console: Console) -> list[str]:
    """The partly written files in the spool."""
    return [path.name for path in (console.data / "spool").glob("*.part")]


def test_it_is_reached_and_opened_by_the_keyboard_and_has_a_name(screen: Page, tmp_path: Path) -> None:
    box = screen.get_by_label("A file of events")
    expect(box).to_have_count(1)
    for _ in range(30):
        screen.keyboard.press("Tab")
        if box.evaluate("box => box.getRootNode().activeElement === box"):
            break
    file = tmp_path / "keyboard.csv"
    file.write_bytes(csv_of(*good_rows(2)))
    expect(box).to_be_focused()
    with screen.expect_file_chooser() as chooser:
        box.press("Enter")
    chooser.value.set_files(file)
    expect(screen.locator(".st-key-upload-step-1")).to_contain_text("keyboard.csv · 2 rows")


def test_a_file_can_be_dropped_and_only_one(screen: Page) -> None:
    text = csv_of(*good_rows(3)).decode()
    drop(screen, ("one.csv", text), ("two.csv", text))
    expect(screen.locator(ZONE)).to_contain_text("One file at a time: choose one of them.")
    drop(screen, ("<b>dropped.csv", text))
    expect(screen.locator(".st-key-upload-step-1")).to_contain_text("<b>dropped.csv · 3 rows")


def test_it_is_accessible_in_light_and_dark_while_it_is_busy_and_when_it_complains(screen: Page) -> None:
    held: list[Route] = []
    screen.route("**/_upload", lambda route: held.append(route))  # noqa: PLW0108  Playwright marks what it is given
    drop(screen, ("slow.csv", "a,b\n1,2\n"))
    expect(screen.get_by_role("button", name="Stop")).to_be_visible()
    expect(screen.get_by_role("progressbar", name="Progress of the upload")).to_be_visible()
    expect(screen.get_by_role("status").filter(has_text="slow.csv")).to_contain_text("of 0 MB")
    for scheme in ("light", "dark"):
        screen.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert serious_findings(screen) == [], scheme
    held[0].fulfill(status=200, json={"error": "slow.csv does not fit on the disk."})
    expect(screen.get_by_role("alert").filter(has_text="slow.csv does not fit on the disk.")).to_be_visible()
    for scheme in ("light", "dark"):
        screen.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert serious_findings(screen) == [], scheme


def test_an_upload_that_is_stopped_or_left_keeps_nothing(screen: Page, console: Console, tmp_path: Path) -> None:
    before = sorted((console.data / "spool").glob("*")) if (console.data / "spool").exists() else []
    file = tmp_path / "large.csv"
    with file.open("wb") as large:
        large.truncate(300_000_000)
    client = screen.context.new_cdp_session(screen)
    client.send("Network.enable")
    client.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 2_000_000},
    )
    box = screen.locator("input[type=file]")
    box.set_input_files(file)
    expect(screen.locator(ZONE)).to_contain_text("of 300 MB")
    screen.get_by_role("button", name="Stop").click()
    expect(screen.locator(ZONE)).to_contain_text("large.csv was stopped. Nothing of it is kept.")
    box.set_input_files(file)
    expect(screen.locator(ZONE)).to_contain_text("of 300 MB")
    screen.get_by_role("link", name="History", exact=True).first.click()  # on another screen the upload ends
    settled(screen)
    for _ in range(200):
        if not parts(console):
            break
        screen.wait_for_timeout(50)
    assert sorted((console.data / "spool").glob("*")) == before


def test_a_file_that_is_too_large_is_reported_before_anything_is_sent(screen: Page, tmp_path: Path) -> None:
    file = tmp_path / "huge.csv"
    with file.open("wb") as huge:
        huge.truncate(500_000_001)
    asked: list[str] = []
    screen.on("request", lambda request: asked.append(request.url) if request.method == "PUT" else None)
    screen.locator("input[type=file]").set_input_files(file)
    expect(screen.get_by_role("alert").filter(has_text="up to 500 MB are accepted")).to_be_visible()
    assert asked == []


@pytest.mark.long  # tests/core/readers/test_formats.py reads each
def test_every_format_is_taken(screen: Page, tmp_path: Path) -> None:
    rows = [line.split(",") for line in (HEADER, *good_rows(2))]
    event = {"name": "Product viewed", "eventId": "e1", "userId": "u1", "data": {"productId": "A"}}
    events = "\n".join(json.dumps({**event, "eventId": f"e{number}"}) for number in range(2))
    for name, data, understood in (
        ("a.tsv", csv_of(*good_rows(2)).replace(b",", b"\t"), "utf-8, tab"),
        ("b.txt.gz", gzip.compress(csv_of(*good_rows(2))), "utf-8, comma"),
        ("c.xlsx", workbook({"Events": rows_xml(rows)}), "Excel, sheet Events"),
        ("d.jsonl", events.encode(), "JSON lines"),
        ("e.parquet", parquet_of(rows[0], rows[1:]), "Parquet"),
    ):
        file = tmp_path / name
        file.write_bytes(data)
        screen.locator("input[type=file]").set_input_files(file)
        line = screen.locator(".st-key-upload-step-1")
        expect(line).to_contain_text(f"{name} · 2 rows")
        expect(line).to_contain_text(understood)
        settled(screen)
        screen.locator(".st-key-upload-step-1 button").click()  # the next one is dropped where this one is changed
        expect(screen.locator("input[type=file]")).to_have_count(1)
        settled(screen)
