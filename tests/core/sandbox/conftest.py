"""A sandbox for the tests of a module, and a client that has its key."""

from collections.abc import Iterator

import httpx
import pytest

from intempt_core.sandbox import run_sandbox


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        run_sandbox(tmp_path_factory.mktemp("sandbox") / "s.sqlite3") as url,
        httpx.Client(base_url=url, auth=("sandbox", "sandbox"), trust_env=False) as client,
    ):
        yield client
