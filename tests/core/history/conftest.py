"""A history of a test's own, in each database, and the clock that it reads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from intempt_core.history import History
from tests.core.history.factories import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(sqlite_file: Path) -> Path:
    return sqlite_file


@pytest.fixture
def history(database_url: str, clock: Clock) -> Iterator[History]:
    opened = History.open(database_url, clock=clock)
    yield opened
    opened.close()
