"""The header of every screen, and the guard that every link passes."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from intempt_core.contract.faults import DisconnectFault, FaultDocument, LatencyFault
from pages.parts.shared.sandbox_connection import get_sandbox_client, read_active_faults
from pages.parts.shared.services import close_services
from tests.pages.conftest import Screen

PAGES = Path(__file__).parents[2] / "pages"


def test_the_failures_that_the_sandbox_simulates_are_shown_on_every_screen(tab: Callable[[str], Screen]) -> None:
    screen = tab("compose.py")
    works = "Sandbox on this machine · deduplicates · not production"
    assert works in screen.texts
    try:
        late, cut = LatencyFault(fault="latency", ms=200), DisconnectFault(fault="cut", share=0.5)
        get_sandbox_client().replace_faults(FaultDocument(faults=[late, cut], deduplicates=False))
        read_active_faults.clear()
        status = "Sandbox on this machine · simulates failures: {} and 1 more · does not deduplicate · not production"
        first = late.describe(late.effect)
        assert status.format(first) in screen.run().texts
        assert status.format(first) in screen.go("history.py").texts
        get_sandbox_client().replace_faults(FaultDocument(deduplicates=False))
        read_active_faults.clear()
        assert "Sandbox on this machine · does not deduplicate · not production" in screen.run().texts
    finally:
        get_sandbox_client().replace_faults(FaultDocument())
        read_active_faults.clear()
    assert works in screen.run().texts


def test_a_sandbox_that_does_not_respond_leaves_the_header_unchanged(
    data: Path, monkeypatch: pytest.MonkeyPatch, tab: Callable[[str], Screen]
) -> None:
    monkeypatch.setenv("CONSOLE_DATA", str(data / "alone"))
    monkeypatch.setenv("CONSOLE_SANDBOX", "http://127.0.0.1:9")  # a closed port
    close_services()
    assert "Sandbox on this machine · deduplicates · not production" in tab("compose.py").texts


def test_every_link_with_a_query_passes_the_guard_for_keys() -> None:
    unguarded = {
        file.name
        for file in PAGES.rglob("*.py")
        if file.name != "links.py" and re.search(r"page_link\([^)]*query_params", file.read_text("utf-8"))
    }
    assert unguarded == set()
