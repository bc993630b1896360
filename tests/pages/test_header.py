"""The header of every screen, and the guard that every link passes."""

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from streamlit.testing.v1 import AppTest

from intempt_core.contract.faults import DisconnectFault, FaultDocument, LatencyFault
from intempt_core.targets import sandbox_target
from pages.parts.help.view import HELP_PAGES, HelpPicture, read_help_page
from pages.parts.shared.empty_state import Picture, read_picture
from pages.parts.shared.formatting import escape_markdown
from pages.parts.shared.header import STATUS_MEANINGS
from pages.parts.shared.sandbox_connection import get_sandbox_client, read_active_faults
from pages.parts.shared.screens import DOCS_FOLDER, SCREENS, configure_page, set_title
from pages.parts.shared.services import close_services
from tests.pages.conftest import Screen
from tests.pages.test_targets import use

PAGES = Path(__file__).parents[2] / "pages"


WORKS = "Sandbox on this machine\nTest\nduplicates ignored"
"""The status of the sandbox."""


def test_the_failures_that_the_sandbox_simulates_are_shown_on_every_screen(tab: Callable[[str], Screen]) -> None:
    screen = tab("compose.py")
    assert WORKS in screen.texts
    try:
        late, cut = LatencyFault(fault="latency", ms=200), DisconnectFault(fault="cut", share=0.5)
        get_sandbox_client().replace_faults(FaultDocument(faults=[late, cut], deduplicates=False))
        read_active_faults.clear()
        failures = escape_markdown(f"simulates failures: {late.describe(late.effect)} and 1 more")
        for page in (one.file for one in SCREENS):
            assert f"◆ {failures}" in screen.go(page).markdown, page
            assert "Sandbox on this machine\nTest\nduplicates counted twice" in screen.texts, page
        get_sandbox_client().replace_faults(FaultDocument(deduplicates=False))
        read_active_faults.clear()
        assert "simulates failures" not in screen.run().markdown
        assert "Sandbox on this machine\nTest\nduplicates counted twice" in screen.texts
    finally:
        get_sandbox_client().replace_faults(FaultDocument())
        read_active_faults.clear()
    assert WORKS in screen.run().texts


def test_failures_of_the_project_that_is_sent_to_are_shown_and_those_of_another_are_not(
    tab: Callable[[str], Screen],
) -> None:
    screen, client, project = tab("compose.py"), get_sandbox_client(), sandbox_target("http://127.0.0.1").project
    cut = FaultDocument(faults=[DisconnectFault(fault="cut")], deduplicates=False)
    try:
        for name, shown in (("not " + project, False), (project, True)):
            client.replace_faults(cut, project=name)
            read_active_faults.clear()
            assert (f"◆ {escape_markdown(f'simulates failures: {cut.summary}')}" in screen.run().markdown) is shown
            assert ("duplicates counted twice" in screen.texts) is shown
    finally:
        for name in (project, "not " + project):
            client.replace_faults(FaultDocument(), project=name)
        read_active_faults.clear()


def test_a_sandbox_that_does_not_respond_leaves_the_header_unchanged(
    data: Path, monkeypatch: pytest.MonkeyPatch, tab: Callable[[str], Screen]
) -> None:
    monkeypatch.setenv("CONSOLE_DATA", str(data / "alone"))
    monkeypatch.setenv("CONSOLE_SANDBOX", "http://127.0.0.1:9")  # a closed port
    close_services()
    assert WORKS in tab("compose.py").texts


def test_every_screen_has_one_heading_and_a_line_of_purpose(tab: Callable[[str], Screen]) -> None:
    screen = tab("compose.py")
    for one in SCREENS:
        screen.go(one.file)
        assert [title.value for title in screen.app.title] == [one.title]
        assert one.purpose in screen.texts


def test_each_word_of_the_status_explains_itself(tab: Callable[[str], Screen]) -> None:
    shown = {text.value: text.help for text in tab("compose.py").app.text}
    assert shown["Test"] == STATUS_MEANINGS["Test"]
    assert "accepted, and then ignored" in shown["duplicates ignored"]


def test_the_target_is_chosen_by_its_environment_and_its_name(tab: Callable[[str], Screen]) -> None:
    screen = tab("compose.py")
    assert screen.app.selectbox(key="target").options == ["Test · Sandbox"]
    assert "PRODUCTION" not in screen.texts


def test_production_is_said_in_a_band_on_every_screen(targets: Screen) -> None:
    use(targets, "shop-us", "http://127.0.0.1:1", production=True)
    assert targets.app.selectbox(key="target").options == ["Test · Sandbox", "PRODUCTION · shop-us"]
    for one in SCREENS:
        assert (
            "PRODUCTION: what you send to shop-us changes what real customers are shown." in targets.go(one.file).texts
        )


def test_what_is_open_is_named_in_the_title_of_the_tab(monkeypatch: pytest.MonkeyPatch) -> None:
    titles: list[str] = []
    monkeypatch.setattr("streamlit.set_page_config", lambda page_title, **_: titles.append(page_title))
    configure_page("History")
    set_title("bad.csv\n\tof Monday")
    assert titles == ["History · Event Console", "bad.csv of Monday · History · Event Console"]


def test_an_empty_screen_offers_one_first_step_with_a_picture() -> None:
    app = AppTest.from_function(_draw_empty_screen).run()
    assert not app.exception
    assert [text.value for text in app.text] == ["Nothing was sent yet."]
    assert app.button(key="first").label == "Compose the first event"


def _draw_empty_screen() -> None:
    from pages.parts.shared.empty_state import FirstStep, show_empty_state

    show_empty_state("Nothing was sent yet.", FirstStep("Compose the first event", key="first"), "batches")


@pytest.mark.parametrize("name", get_args(Picture))
def test_every_picture_is_there_and_loads_nothing(name: Picture) -> None:
    drawing = read_picture(name)
    assert drawing.startswith("<svg")
    assert re.findall(r"(?:href|src|url|style|script)\b", drawing) == []


def test_every_button_that_sends_is_known_to_the_style_of_production() -> None:
    """The style finds it by its key, and makes it red."""
    unknown = []
    for file in PAGES.rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "button"):
                continue
            key = next((ast.unparse(one.value) for one in call.keywords if one.arg == "key"), "")
            if re.match(r"""f?["']Send\b""", ast.unparse(call.args[0])) and "send" not in key:
                unknown.append((file.name, ast.unparse(call.args[0]), key))
    assert unknown == []


def test_every_link_with_a_query_passes_the_guard_for_keys() -> None:
    unguarded = {
        file.name
        for file in PAGES.rglob("*.py")
        if file.name != "links.py" and re.search(r"page_link\([^)]*query_params", file.read_text("utf-8"))
    }
    assert unguarded == set()


def test_the_help_of_a_screen_is_a_page_that_ships(tab: Callable[[str], Screen]) -> None:
    assert {one.help_page for one in SCREENS} <= set(HELP_PAGES)
    assert set(HELP_PAGES) == {path.stem for path in DOCS_FOLDER.glob("*.md")}
    screen = tab("help.py")
    for name, title in HELP_PAGES.items():
        screen.app.query_params["page"] = name
        screen.run()
        assert f"**{title}**" in screen.markdown
        headings = re.findall(r"^#+ ", screen.markdown, re.MULTILINE)
        assert headings[0] == "## "
        assert "# " not in headings
    pictures = [part for part in read_help_page("first-run") if isinstance(part, HelpPicture)]
    assert pictures
    assert all((DOCS_FOLDER / "pictures" / one.file).exists() for one in pictures)
    assert "](help?page=contract)" in "".join(map(str, read_help_page("issues")))
