"""The README is short and names what there is; the lines of ``docs/library.md`` run as they stand there."""

import re
from pathlib import Path

import pytest

import intempt_core
from intempt_core import sandbox
from pages.parts.shared.screens import SCREENS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
LIBRARY = (ROOT / "docs" / "library.md").read_text("utf-8")
EVENTS = """\
name,eventId,userId,productId
Added to cart,e1,u1,A1
Product viewed,e2,u1,
Product ordered,e3,u2,A2
"""


def test_the_library_in_the_docs_checks_and_sends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", LIBRARY, re.DOTALL)
    (tmp_path / "events.csv").write_text(EVENTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONSOLE_DATA", str(tmp_path / "data"))
    with sandbox.run_sandbox(tmp_path / "sandbox.sqlite3") as url:
        exec(code.replace("http://127.0.0.1:8501/sandbox", url), {})  # noqa: S102  our own page
    assert capsys.readouterr().out.splitlines() == [
        "{'product_id_missing': 1} excluded: 1",
        "{'accepted': 2}",
    ]


def test_the_library_takes_nine_lines() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", LIBRARY, re.DOTALL)
    assert len([line for line in code.splitlines() if line]) == 9


def test_the_library_page_names_only_what_the_package_exports() -> None:
    table = LIBRARY.partition("| step |")[2]
    named = set(re.findall(r"`([A-Za-z_]+)`", table)) - {"intempt_core"}
    assert [name for name in sorted(named) if not hasattr(intempt_core, name)] == []


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 120


def test_the_readme_names_every_screen_by_its_title() -> None:
    assert re.findall(r"^\| \*\*(\w+)\*\* \|", README, re.MULTILINE) == [screen.title for screen in SCREENS]


def test_the_readme_links_every_page() -> None:
    pages = [f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")] + [
        page.name for page in ROOT.glob("*.md") if page.name != "README.md"
    ]
    assert [page for page in pages if f"]({page})" not in README] == []
