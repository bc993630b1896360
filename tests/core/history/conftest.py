"""A history of a test's own, and the clock that it reads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from intempt_core.history import History
from tests.core.history.factories import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite3"


@pytest.fixture
def history(file: Path, clock: Clock) -> Iterator[History]:
    opened = History.open(f"sqlite:///{file}", clock=clock)
    yield opened
    opened.close()
