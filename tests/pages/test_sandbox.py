"""Sandbox without a browser: its filters in a link, and the failures that it simulates."""

from collections.abc import Callable

import pytest

from intempt_core.contract.faults import FaultDocument
from pages.parts.shared.sandbox_connection import get_sandbox_client, read_active_faults
from tests.pages.conftest import Screen


@pytest.fixture
def sandbox(tab: Callable[[str], Screen]) -> Screen:
    """The Sandbox screen."""
    return tab("compose.py").go("sandbox.py")


def test_a_link_of_an_earlier_version_still_filters_rejected_requests(sandbox: Screen) -> None:
    sandbox.app.query_params["shown"] = "refused"
    assert sandbox.run().app.selectbox(key="shown").value == "rejected"


def test_a_failure_is_added_shown_and_removed(sandbox: Screen) -> None:
    try:
        screen = sandbox.press("fault-add").run()
        assert "◆ simulating failures" in screen.markdown
        screen.press("fault-deduplicates")
        assert [fault.fault for fault in get_sandbox_client().read_faults().faults] == ["status"]
        assert not get_sandbox_client().read_faults().deduplicates
        assert not screen.press("sandbox-stop").run().has("sandbox-stop")
        assert get_sandbox_client().read_faults() == FaultDocument()
    finally:
        get_sandbox_client().replace_faults(FaultDocument())
        read_active_faults.clear()
