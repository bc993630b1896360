"""The pytest plugin: the fixture ``track_api``, a sandbox of a test's own, over real HTTP.

Every pytest of an environment loads this module, so it imports nothing of ours: that happens when a test first uses the
fixture. A fixture of the same name in a project takes the place of this one, as pytest has it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from intempt_core.testing.process_sandbox import ProcessSandbox
    from intempt_core.testing.track_api import TrackApi


_CLOCKS = (time.monotonic,)
"""The clock of waits, from before any test: libraries that stop time look for it in modules, not inside of a tuple."""


@pytest.fixture(scope="session")
def _track_api_server() -> Iterator[ProcessSandbox]:
    """The sandbox of this process, from the first test that needs it until the last test has ended."""
    from intempt_core.testing.process_sandbox import run_process_sandbox  # noqa: PLC0415  only where the fixture is used

    with run_process_sandbox(*_CLOCKS) as server:
        yield server


@pytest.fixture
def track_api(_track_api_server: ProcessSandbox, request: pytest.FixtureRequest) -> Iterator[TrackApi]:
    """A Track API of this test's own: point the application at it, then expect events and read feeds."""
    api = _track_api_server.open_project(request.node.nodeid)
    yield api
    api.close()


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Explain a comparison with a feed that is not true: ``assert track_api.feed(…) == ["A1"]``."""
    module = sys.modules.get("intempt_core.testing.feed_products")
    if module is None:  # no test has read a feed
        return None
    for feed, other, is_left in ((left, right, True), (right, left, False)):
        if isinstance(feed, module.FeedProducts):
            lines: list[str] = feed.explain_comparison(op, other, is_left=is_left)
            return lines or None
    return None
